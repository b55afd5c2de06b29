#include "adapters/cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/panic.h"
#include "lib/base/text.h"
#include "lib/base/version.h"

/* ---- saying what went wrong ---- */

int
ht_cli_fail(int code, const char *fmt, ...)
{
	HT_AUTO(ht_mem_free) char *text = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf safe = HT_BUF(1 << 16);
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		text = NULL;
		fputs("hutong: out of memory\n", stderr);
		return code;
	}
	/* It may quote a file or a peer: nothing may steer the terminal. */
	ht_text_safe(&safe, ht_slice_str(text));
	fprintf(stderr, "hutong: %s\n",
	    safe.err == HT_OK ? ht_buf_text(&safe) : "(too long to print)");
	return code;
}

void
ht_cli_report(const struct ht_report *report)
{
	if (ht_report_count(report) > 0)
		ht_report_print(report, stderr);
}

int
ht_cli_code(enum ht_err err)
{
	switch (err) {
	case HT_OK:
		return HT_EXIT_OK;
	case HT_EBADSIG:
	case HT_EROLLBACK:
	case HT_EINTEGRITY:
		return HT_EXIT_INTEGRITY;
	case HT_EMALFORMED:
	case HT_EPROTOCOL:
	case HT_EDENIED:
	case HT_EEXISTS:
	case HT_ETOOBIG:
	case HT_EINVALID:
	case HT_EEXPIRED:
	case HT_EERASED:
	case HT_EGONE:
		return HT_EXIT_REFUSED;
	case HT_ENOMEM:
	case HT_ENOTFOUND:
	case HT_ESTORE:
	case HT_ESYSTEM:
	case HT_EAGAIN:
	case HT_ETIMEOUT:
		return HT_EXIT_UNAVAILABLE;
	}
	return HT_EXIT_UNAVAILABLE;
}

int
ht_cli_error(enum ht_err err, const struct ht_report *report, const char *doing,
    const char *what)
{
	int system = errno;

	if (ht_report_count(report) > 0)
		ht_report_print(report, stderr);
	else if (err == HT_ESYSTEM)
		(void)ht_cli_fail(
		    0, "%s %s: %s", doing, what, strerror(system));
	else
		(void)ht_cli_fail(
		    0, "%s %s: %s", doing, what, ht_err_text(err));
	return ht_cli_code(err);
}

/* ---- verbs ---- */

static void
print_verbs(FILE *out, const char *program, const struct ht_verb *const *verbs,
    size_t n)
{
	fprintf(out, "usage: %s VERB ...\n\n", program);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "  %s %s\n      %s\n", verbs[i]->name,
		    verbs[i]->synopsis, verbs[i]->help);
	fprintf(out,
	    "\n%s VERB --help tells more of each; "
	    "--version, which this is.\n",
	    program);
}

int
ht_cli_dispatch(const char *program, const struct ht_verb *const *verbs,
    size_t n, int argc, char **argv)
{
	if (argc >= 2 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		print_verbs(stdout, program, verbs, n);
		return HT_EXIT_OK;
	}
	if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
		printf("%s %s\n", program, HT_VERSION);
		return HT_EXIT_OK;
	}
	for (size_t i = 0; argc >= 2 && i < n; i++)
		if (strcmp(argv[1], verbs[i]->name) == 0)
			return verbs[i]->run(argc - 1, argv + 1);
	if (argc >= 2)
		(void)ht_cli_fail(0, "%s has no verb \"%s\"", program, argv[1]);
	print_verbs(stderr, program, verbs, n);
	return HT_EXIT_USAGE;
}

/* ---- options ---- */

#define OPTS_MAX 32

static void
print_options(FILE *out, const struct ht_usage_of *takes)
{
	char name[80];

	fprintf(out, "usage: %s\n", takes->usage);
	if (takes->n_opts > 0)
		fputc('\n', out);
	for (size_t i = 0; i < takes->n_opts; i++) {
		const struct ht_opt *opt = &takes->opts[i];

		(void)snprintf(name, sizeof(name), "--%s%s%s", opt->name,
		    opt->arg != NULL ? " " : "",
		    opt->arg != NULL ? opt->arg : "");
		fprintf(out, "  %-22s %s\n", name, opt->help);
	}
}

static int
misuse(const struct ht_usage_of *takes, const char *why, const char *what)
{
	(void)ht_cli_fail(0, "%s%s%s", what, what[0] != '\0' ? ": " : "", why);
	fprintf(stderr, "usage: %s\n", takes->usage);
	return HT_EXIT_USAGE;
}

static int
take_option(
    const struct ht_usage_of *takes, const struct ht_opt *opt, bool again)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "--%s", opt->name);
	if (opt->list != NULL) {
		if (opt->list->n == HT_ARGS_MAX)
			return misuse(takes, "given too often", name);
		opt->list->at[opt->list->n++] = optarg;
		return HT_CLI_GO;
	}
	if (again)
		return misuse(takes, "given twice", name);
	if (opt->flag != NULL)
		*opt->flag = true;
	else
		*opt->value = optarg;
	return HT_CLI_GO;
}

static int
take_operands(const struct ht_usage_of *takes, int argc, char **argv,
    struct ht_args *args)
{
	size_t n = (size_t)(argc - optind);

	if (n < takes->min_args)
		return misuse(takes, "an argument is missing", "");
	if (n > takes->max_args || n > HT_ARGS_MAX)
		return misuse(takes, "one argument too many",
		    argv[optind + (int)takes->max_args]);
	for (size_t i = 0; i < n; i++)
		args->at[i] = argv[optind + (int)i];
	if (args != NULL)
		args->n = n;
	return HT_CLI_GO;
}

static int
check_required(const struct ht_usage_of *takes, const bool *given)
{
	HT_AUTO(ht_buf_fini) struct ht_buf names = HT_BUF(4096);
	size_t n = 0;

	for (size_t i = 0; i < takes->n_opts; i++) {
		if (!takes->opts[i].required || given[i])
			continue;
		ht_buf_fmt(
		    &names, "%s--%s", n++ > 0 ? ", " : "", takes->opts[i].name);
	}
	if (n == 0)
		return HT_CLI_GO;
	return misuse(takes, n > 1 ? "are needed" : "is needed",
	    ht_buf_text(&names) != NULL ? ht_buf_text(&names) : "options");
}

int
ht_cli_options(const struct ht_usage_of *takes, int argc, char **argv,
    struct ht_args *args)
{
	struct option longs[OPTS_MAX + 2] = {0};
	bool given[OPTS_MAX] = {false};
	int which, rc;

	HT_ASSERT(takes->n_opts <= OPTS_MAX);
	for (size_t i = 0; i < takes->n_opts; i++)
		longs[i] = (struct option){takes->opts[i].name,
		    takes->opts[i].arg != NULL ? required_argument
		                               : no_argument,
		    NULL, (int)i + 1};
	longs[takes->n_opts] =
	    (struct option){"help", no_argument, NULL, OPTS_MAX + 1};
	optind = 0; /* glibc: start afresh, also after another verb */
	opterr = 0;
	while ((which = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (which == OPTS_MAX + 1) {
			print_options(stdout, takes);
			return HT_EXIT_OK;
		}
		if (which == ':')
			return misuse(takes, "needs a value", argv[optind - 1]);
		if (which == '?')
			return misuse(takes,
			    "no such option, or it takes no "
			    "value",
			    argv[optind - 1]);
		rc = take_option(
		    takes, &takes->opts[which - 1], given[which - 1]);
		if (rc != HT_CLI_GO)
			return rc;
		given[which - 1] = true;
	}
	rc = check_required(takes, given);
	return rc != HT_CLI_GO ? rc : take_operands(takes, argc, argv, args);
}

/* ---- output ---- */

int
ht_cli_format(const char *name, enum cli_format *ret)
{
	static const char *const names[] = {"table", "jsonl", "csv"};

	*ret = CLI_TABLE;
	if (name == NULL)
		return HT_CLI_GO;
	for (size_t i = 0; i < HT_COUNT(names); i++)
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum cli_format)i;
			return HT_CLI_GO;
		}
	return ht_cli_fail(
	    HT_EXIT_USAGE, "--format is table, jsonl or csv, not \"%s\"", name);
}

/* ---- files and numbers ---- */

static enum ht_err
read_all(int fd, struct ht_buf *ret)
{
	uint8_t chunk[4096];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return HT_ESYSTEM;
		ht_buf_add(ret, chunk, (size_t)n);
		if (ret->err != HT_OK)
			return ret->err;
	}
	return HT_OK;
}

int
ht_cli_read(const char *path, struct ht_buf *ret)
{
	enum ht_err err = strcmp(path, "-") == 0 ? read_all(STDIN_FILENO, ret)
	                                         : ht_fs_read(path, ret);

	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(err, NULL, "cannot read", path);
}

int
ht_cli_write_new(const char *path, unsigned mode, struct ht_slice bytes)
{
	enum ht_err err;

	if (strcmp(path, "-") == 0) {
		if (fwrite(bytes.at, 1, bytes.len, stdout) == bytes.len &&
		    fflush(stdout) == 0)
			return HT_CLI_GO;
		return ht_cli_error(
		    HT_ESYSTEM, NULL, "cannot write", "standard output");
	}
	err = ht_fs_create(path, (mode_t)mode, bytes);
	if (err == HT_OK)
		return HT_CLI_GO;
	if (err == HT_EEXISTS)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s exists and is never overwritten; name another file",
		    path);
	return ht_cli_error(err, NULL, "cannot write", path);
}

bool
ht_cli_duration(const char *text, uint64_t *ret_ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {
	    {"ms", 1       },
	    {"s",  1000    },
	    {"m",  60000   },
	    {"h",  3600000 },
	    {"d",  86400000},
	};
	unsigned long long number;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno != 0 || number > 1000000000)
		return false;
	for (size_t i = 0; i < HT_COUNT(units); i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		*ret_ms = number * units[i].ms;
		return true;
	}
	return false;
}

int
ht_cli_version(const char *text, uint32_t *ret)
{
	unsigned long version;
	char *end;

	*ret = 0;
	if (text == NULL)
		return HT_CLI_GO;
	version = strtoul(text, &end, 10);
	if (*end != '\0' || version == 0 || version > UINT32_MAX)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--item-version is a whole number from 1, not \"%s\"",
		    text);
	*ret = (uint32_t)version;
	return HT_CLI_GO;
}
