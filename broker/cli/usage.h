/*
 * usage.h -- the verbs of hutong-audit, and what --help prints of them.
 *
 * One table has a verb's name, its lines and which options it takes: --help,
 * VERB --help, completion, which asks for these, and the message about an
 * unknown verb are all made of it.
 */
#ifndef HT_BROKER_CLI_USAGE_H
#define HT_BROKER_CLI_USAGE_H

#include "broker/cli/tool.h"

/* Groups of options, as --help has them. */
enum {
	HT_USAGE_WHERE = 1 << 0,
	HT_USAGE_VOLUME = 1 << 1,
	HT_USAGE_BELIEF = 1 << 2,
	HT_USAGE_WHAT = 1 << 3,
	HT_USAGE_PAGE = 1 << 4, /* --limit and --start */
	HT_USAGE_CURSOR = 1 << 5,
	HT_USAGE_TAIL = 1 << 6,
	HT_USAGE_STATS = 1 << 7,
	HT_USAGE_REPORT = 1 << 8,
	HT_USAGE_COMPLETE = 1 << 9,
	HT_USAGE_HOW = 1 << 10,
	HT_USAGE_COUNTS = 1 << 11, /* how counts are shown */
	HT_USAGE_SCOPE = 1 << 12,
};

struct ht_audit_verb {
	const char *name;
	int (*run)(struct ht_audit_opts *o, int argc, char **argv);
	unsigned takes;    /* groups */
	const char *lines; /* behind "hutong-audit NAME", each with its end */
};

/* Of all verbs, or with @only of that one. */
void ht_audit_usage(const struct ht_audit_verb *verbs, size_t n,
    const struct ht_audit_verb *only, FILE *out);
/* NULL: there is none of that name. */
const struct ht_audit_verb *ht_audit_verb(
    const struct ht_audit_verb *verbs, size_t n, const char *name);
/* "the verbs are search, tail, ... and witness": an exit code. */
int ht_audit_no_verb(const struct ht_audit_verb *verbs, size_t n);

#endif
