/*
 * options.h -- the options of hutong-audit(1): one table has the name of each,
 * and where its value goes.
 */
#ifndef HT_BROKER_CLI_OPTIONS_H
#define HT_BROKER_CLI_OPTIONS_H

#include "broker/cli/tool.h"

#define HT_GIVEN_MAX 64 /* more than there are options */

/* Which were given, each once, by its long name however it was written. */
struct ht_given {
	size_t n;
	const char *names[HT_GIVEN_MAX];
	const char *format; /* of --format; NULL: not given */
	bool help;
};

/* Of --format, by its number; NULL behind the last. */
const char *ht_audit_format_name(unsigned format);

/* The names of all, i from 0 until NULL; without --help. */
const char *ht_audit_option_at(size_t i);

/*
 * From the command line into *opts and *given, both borrowing its words; what
 * is behind the options begins at optind.  An exit code; says what is wrong
 * with a value.
 */
int ht_audit_options(
    int argc, char **argv, struct ht_audit_opts *opts, struct ht_given *given);
/*
 * What @verb would ignore is refused: by the table of takes.h, and by what goes
 * together.  An exit code; says which option it is.
 */
int ht_audit_check_given(const char *verb, const struct ht_given *given,
    const struct ht_audit_opts *opts);

#endif
