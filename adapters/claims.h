/*
 * claims.h -- verify, at the provider's: claims against the records found,
 * and what of a record may leave.  Pure.
 */
#ifndef HT_ADAPTERS_CLAIMS_H
#define HT_ADAPTERS_CLAIMS_H

#include "schemas/policy.h"

/*
 * A new object {field: HT_NO_MATCH | HT_MATCH | HT_UNKNOWN}, one entry a
 * claim.  The claims are held against one record, the one that fits best:
 * an answer put together from several would confirm what no record says.  No
 * record, or no value in it: unknown.  NULL when out of memory.
 */
json_t *ht_claims_judge(const json_t *claims, const json_t *records);

/*
 * Of @record the fields that the grant covers and that are wanted (@fields:
 * array of names; NULL or null: all), as a new object; sets their bits.
 */
json_t *ht_release(const struct ht_item *item, const struct ht_grant *grant,
    const json_t *fields, const json_t *record,
    uint8_t bitmap[static HT_RELEASED_MAX], size_t *bitmap_len);

#endif
