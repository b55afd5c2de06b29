/*
 * proven.h -- which keys of a member's entry have proven that somebody holds
 * them (docs/trust.md, "member"; ADR 42).  Pure.
 */
#ifndef HT_SCHEMAS_PROVEN_H
#define HT_SCHEMAS_PROVEN_H

#include "schemas/doc.h"

/*
 * Where a key stands in an entry, and the name that its proof is under: the
 * member's, its node's, or the officer's.
 */
struct ht_member_key {
	enum ht_key_for what;
	const struct ht_pub *pub;
	char name[HT_VKEY_NAME_MAX];
};
/* The @i-th key of the entry: identity, officers, nodes', sealing; or false. */
bool ht_member_key(
    const struct ht_member *member, size_t i, struct ht_member_key *ret);

/*
 * Every key of the entry that does not stand in @before (the entry in force,
 * of the same member, whose signatures the caller has checked; NULL: there is
 * none) must have proven itself by a line under this entry's own text.
 * *ret_new (may be NULL): how many such keys there are.  Errors, with
 * findings: HT_EBADSIG; HT_EROLLBACK, @before is no earlier revision of it.
 */
enum ht_err ht_member_proven(const struct ht_doc *doc,
    const struct ht_doc *before, struct ht_report *report, unsigned *ret_new)
    HT_MUST_USE;

#endif
