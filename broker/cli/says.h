/*
 * says.h -- what an entry without a record says, in a line: who did what.  Its
 * payload is a map (docs/log-format.md).
 */
#ifndef HT_BROKER_CLI_SAYS_H
#define HT_BROKER_CLI_SAYS_H

#include "broker/log/log.h"

#define HT_SAYS_MAX 4096

struct ht_says {
	struct ht_buf text;        /* "search type=REJECT, 3 rows" */
	char who[HT_NAME_MAX + 1]; /* an auditor, a user, a member; or "" */
	char purpose[HT_NAME_MAX + 1];
};
/*
 * Of @e; all empty for an entry with a record, and for a payload that is not
 * in its type's form.  HT_ENOMEM.  ret->text is to be freed in any case.
 */
enum ht_err ht_says(const struct ht_entry *e, struct ht_says *ret) HT_MUST_USE;

#endif
