/*
 * prospect.h -- what would be decided, before anything is sent: the header
 * that a node would write, put before the very decision of policy.h.
 */
#ifndef HT_SCHEMAS_PROSPECT_H
#define HT_SCHEMAS_PROSPECT_H

#include "schemas/policy.h"

/* What somebody wants to do. */
struct ht_prospect {
	struct ht_slice consumer;
	struct ht_slice item;
	uint32_t version; /* 0: the grant's; of no grant, the newest */
	unsigned operation;
	struct ht_slice purpose; /* empty: the first that the grant has */
	uint64_t now_ms;
};

/*
 * Decide it under one grant; @grant NULL: under none, which is a no.  The tag
 * is taken to be there where one is due, and of the epoch in force; the record
 * to be sealed to the key that a node would take.  @usage as in policy.h.
 */
void ht_prospect_judge(const struct ht_trust *trust,
    const struct ht_prospect *prospect, const struct ht_grant *grant,
    const struct ht_usage *usage, struct ht_verdict *ret);

/*
 * The grants of a consumer for an item: of those that allow one of the newest
 * version, else the nearest, with the reasons in *ret: first one that was given
 * for this and is suspended or over, then others.  For `can-i`, and for asking
 * without naming a grant.
 */
const struct ht_grant *ht_find_grant(const struct ht_trust *trust,
    const struct ht_prospect *prospect, struct ht_verdict *ret);

/*
 * The version that a node asks for: the one named, else that of @grant (may
 * be empty), else that of the grant that ht_find_grant() finds, else the
 * newest there is.  NULL if there is none.
 */
const struct ht_item *ht_find_item(const struct ht_trust *trust,
    const struct ht_prospect *prospect, struct ht_slice grant);

#endif
