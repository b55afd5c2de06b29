/*
 * policy.h -- may this record flow?  One pure decision, run by the broker on
 * the header, and again by the provider's node on its own copy.
 *
 * Denied by default, and with all reasons at once.
 */
#ifndef HT_SCHEMAS_POLICY_H
#define HT_SCHEMAS_POLICY_H

#include "schemas/content.h"
#include "schemas/trust.h"

struct ht_verdict {
	bool allow;                   /* zeroed memory denies */
	struct ht_reasons reasons;    /* empty when allowed */
	const struct ht_item *item;   /* NULL if unknown */
	const struct ht_grant *grant; /* NULL if unknown */
};

/* How much of a grant's quota was used; 0 when not counted. */
struct ht_usage {
	uint64_t day_count;    /* in the exchange's day */
	uint64_t minute_count; /* in this minute */
};

/*
 * The exchange's days, by number, and when one begins: @zone_ms east of UTC,
 * as the root says.  Times before 1970 in that zone are of day 0.
 */
uint64_t ht_day(int64_t zone_ms, uint64_t ms);
uint64_t ht_day_ms(int64_t zone_ms, uint64_t day);

/* What a key of an entry is, now: HT_ST_OK, KEY_REVOKED, KEY_EXPIRED. */
unsigned ht_key_status(const struct ht_keyinfo *key, uint64_t now_ms);
/*
 * Is this the key of that node, now?  HT_ST_OK and the key, or why not:
 * UNKNOWN_MEMBER, MEMBER_SUSPENDED, KEY_UNKNOWN, KEY_REVOKED, KEY_EXPIRED.
 */
unsigned ht_signer_check(const struct ht_trust *trust, struct ht_slice member,
    struct ht_slice node, const struct ht_keyid *id, uint64_t now_ms,
    const struct ht_pub **ret_pub);

/*
 * A request, by its header: item, version, provider, operation, grant, who,
 * purpose, basis, period, state, seal key of the recipient, tag present and of
 * a current epoch, freshness of the policy, quota.
 * @tag: decoded, or NULL when the record has none.
 */
void ht_decide_request(const struct ht_trust *trust,
    const struct ht_header *header, const struct ht_tag *tag,
    const struct ht_usage *usage, uint64_t now_ms, struct ht_verdict *ret);

/*
 * A response to @request: sender and recipient swapped, same item, version,
 * operation, purpose, basis, grant and exchange; released fields inside the
 * grant; the tag covers the request's subjects.
 */
void ht_decide_response(const struct ht_trust *trust,
    const struct ht_header *request, const struct ht_tag *request_tag,
    const struct ht_header *response, const struct ht_tag *response_tag,
    uint64_t now_ms, struct ht_verdict *ret);

/*
 * What the header cannot show, at the provider's node: body against header,
 * fields against the grant, parameters against the request schema.  Adds to
 * ret->reasons and clears ret->allow.
 */
void ht_decide_content(const struct ht_item *item, const struct ht_grant *grant,
    const struct ht_header *header, const struct ht_request *request,
    struct ht_verdict *ret);

/* Does a record pass the grant's row filter? */
bool ht_grant_row(const struct ht_grant *grant, const json_t *record);
bool ht_grant_field(const struct ht_grant *grant, size_t field);

#endif
