/*
 * usage.h -- what hutong-audit(1) prints of its verbs: --help, and what to do
 * instead.
 */
#ifndef HT_BROKER_CLI_USAGE_H
#define HT_BROKER_CLI_USAGE_H

#include "broker/cli/verbs.h"

/* Of all verbs; or of @only, with the options that it takes (takes.h). */
void ht_audit_usage(const struct ht_audit_verb *only, FILE *out);
/* "the verbs are search, tail, ... and witness": an exit code. */
int ht_audit_no_verb(void);
/* What of the command line makes no sense: an exit code. */
int ht_audit_usage_error(const char *text);

#endif
