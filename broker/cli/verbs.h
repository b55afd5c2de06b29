/*
 * verbs.h -- the verbs of hutong-audit(1): one table has the name of each, how
 * it is called, and what runs it.  --help, VERB --help, completion, which asks
 * for these, and the message about an unknown verb are all made of it.
 */
#ifndef HT_BROKER_CLI_VERBS_H
#define HT_BROKER_CLI_VERBS_H

#include "broker/cli/tool.h"

struct ht_audit_verb {
	const char *name;
	/* With the operands; an exit code. */
	int (*run)(struct ht_audit_opts *o, int argc, char **argv);
	const char *lines; /* behind "hutong-audit NAME", each with its end */
};

/* i from 0 until NULL. */
const struct ht_audit_verb *ht_audit_verb_at(size_t i);
/* NULL: there is none of that name. */
const struct ht_audit_verb *ht_audit_verb(const char *name);

#endif
