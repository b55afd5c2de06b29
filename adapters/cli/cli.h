/*
 * cli.h -- what every verb of hutong(1) stands on: a table of verbs, a table
 * of options, one way to say what went wrong, and the exit codes.
 *
 * A verb is one `const struct ht_verb ht_verb_<name>` in a file of this
 * folder, declared below and listed in adapters/hutong.c.
 */
#ifndef HT_ADAPTERS_CLI_CLI_H
#define HT_ADAPTERS_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/base/bytes.h"
#include "lib/base/report.h"

/* hutong(1), "EXIT STATUS".  Programs rely on them. */
enum ht_exit {
	HT_EXIT_OK = 0,
	HT_EXIT_REFUSED = 1,     /* the answer is no, or the input is wrong */
	HT_EXIT_USAGE = 2,       /* the command line makes no sense */
	HT_EXIT_UNAVAILABLE = 3, /* a file, a peer, a resource is not there */
	HT_EXIT_INTEGRITY = 4,   /* a signature, hash or proof does not hold */
};

struct ht_verb {
	const char *name;
	const char *synopsis; /* after the name: "FILE --key FILE" */
	const char *help;     /* one line */
	/*
	 * argv[0] is the verb; what comes after are its options and operands.
	 * Returns an exit code.
	 */
	int (*run)(int argc, char **argv);
};

extern const struct ht_verb ht_verb_help; /* in adapters/hutong.c */
extern const struct ht_verb ht_verb_query;
extern const struct ht_verb ht_verb_verify;
extern const struct ht_verb ht_verb_key;
extern const struct ht_verb ht_verb_note;
extern const struct ht_verb ht_verb_directory;
extern const struct ht_verb ht_verb_catalog;
extern const struct ht_verb ht_verb_epoch;
extern const struct ht_verb ht_verb_can_i;
extern const struct ht_verb ht_verb_explain;
extern const struct ht_verb ht_verb_prove;
extern const struct ht_verb ht_verb_apply;
extern const struct ht_verb ht_verb_once_only;
extern const struct ht_verb ht_verb_checkpoint;

/*
 * Run the verb that argv[1] names out of @n; prints the usage of @program
 * ("hutong", "hutong key") when there is none, or for --help.
 */
int ht_cli_dispatch(const char *program, const struct ht_verb *const *verbs,
    size_t n, int argc, char **argv);

/* ---- options ---- */

#define HT_ARGS_MAX 256
struct ht_args {
	size_t n;
	const char *at[HT_ARGS_MAX];
};

/* One option; exactly one of flag, value and list is set. */
struct ht_opt {
	const char *name; /* "key": --key */
	const char *arg;  /* "FILE"; NULL for a flag */
	const char *help;
	bool *flag;
	const char **value;   /* given twice is an error */
	struct ht_args *list; /* may be given again and again */
	bool required;
};

/* The rows of such a table: what must be given, what may, flags, lists. */
#define HT_OPT_NEED(name_, arg_, value_, help_)                                \
	{                                                                      \
		.name = (name_), .arg = (arg_), .help = (help_),               \
		.value = &(value_), .required = true                           \
	}
#define HT_OPT_MAY(name_, arg_, value_, help_)                                 \
	{                                                                      \
		.name = (name_), .arg = (arg_), .help = (help_),               \
		.value = &(value_)                                             \
	}
#define HT_OPT_FLAG(name_, flag_, help_)                                       \
	{                                                                      \
		.name = (name_), .help = (help_), .flag = &(flag_)             \
	}
#define HT_OPT_LIST(name_, arg_, list_, help_)                                 \
	{                                                                      \
		.name = (name_), .arg = (arg_), .help = (help_),               \
		.list = &(list_)                                               \
	}
#define HT_OPT_NEED_LIST(name_, arg_, list_, help_)                            \
	{                                                                      \
		.name = (name_), .arg = (arg_), .help = (help_),               \
		.list = &(list_), .required = true                             \
	}

/* What a verb takes.  @usage is the whole line: "hutong key new --for ..." */
struct ht_usage_of {
	const char *usage;
	const struct ht_opt *opts;
	size_t n_opts;
	size_t min_args; /* operands */
	size_t max_args;
};

#define HT_CLI_GO (-1)
/*
 * Read options and operands.  Returns HT_CLI_GO, or an exit code: usage was
 * printed, on standard output for --help, else with the reason on standard
 * error.  @args (may be NULL when max_args is 0) borrows from argv.
 */
int ht_cli_options(const struct ht_usage_of *takes, int argc, char **argv,
    struct ht_args *args);

/* ---- saying what went wrong ---- */

/* "hutong: <what>" on standard error, terminal-safe; returns @code. */
int ht_cli_fail(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Print the report on standard error if it has findings. */
void ht_cli_report(const struct ht_report *report);
/* The exit code that belongs to an error. */
int ht_cli_code(enum ht_err err);
/* Print findings, or else "<doing> <what>: <error>"; the exit code. */
int ht_cli_error(enum ht_err err, const struct ht_report *report,
    const char *doing, const char *what);

/* ---- output ---- */

enum cli_format { CLI_TABLE, CLI_JSONL, CLI_CSV };
/* "table", "jsonl" or "csv"; NULL is the table.  HT_CLI_GO, or said. */
int ht_cli_format(const char *name, enum cli_format *ret);

/* ---- files and numbers ---- */

/* Read a file (or "-", standard input), saying so when it cannot be. */
int ht_cli_read(const char *path, struct ht_buf *ret);
/* A new file, or standard output for "-"; never overwrites. */
int ht_cli_write_new(const char *path, unsigned mode, struct ht_slice bytes);
/* "5s", "12h", "90d", "250ms" (a unit is needed); in milliseconds. */
bool ht_cli_duration(const char *text, uint64_t *ret_ms);
/* --item-version: a whole number from 1; 0 when NULL. HT_CLI_GO, or said. */
int ht_cli_version(const char *text, uint32_t *ret);

#endif
