/*
 * recount.h -- what DISCLOSE entries by time say, counted again: how many looks
 * by an item were logged up to a time (docs/log-format.md, "Disclosing").
 */
#ifndef HT_BROKER_CHECK_RECOUNT_H
#define HT_BROKER_CHECK_RECOUNT_H

#include "broker/log/disclose.h"

/* One entry's claim: looks from the `to` of the one before, to its own. */
struct ht_recount_claim {
	uint64_t seq; /* of the DISCLOSE entry */
	uint64_t from_us, to_us;
	uint64_t said, found;
	size_t next; /* of the same item; SIZE_MAX: none */
};
struct ht_recount_item {
	char name[HT_DISCLOSE_ITEM_MAX + 1]; /* without its version */
	uint32_t version;
	size_t first, last; /* claims */
	size_t at;          /* the one that is counted */
};
/* Begin with zeroes. */
struct ht_recount {
	struct ht_recount_item *items;
	size_t n_items;
	struct ht_recount_claim *claims;
	size_t n_claims, cap;
	/* Looks of before are not all there: no claim may say fewer. */
	uint64_t since_us;
};
void ht_recount_fini(struct ht_recount *recount);
/*
 * An entry by time at @seq, in order.  HT_EINVALID: it names no item, or its
 * time is not behind that of the one before; HT_ENOMEM.
 */
enum ht_err ht_recount_add(struct ht_recount *recount, uint64_t seq,
    const struct ht_disclose_said *said) HT_MUST_USE;
/* One walk through the entries below @size, for all claims. */
enum ht_err ht_recount_run(
    struct ht_recount *recount, struct ht_log *log, uint64_t size) HT_MUST_USE;
/* The first that says another number; NULL: all hold. */
const struct ht_recount_claim *ht_recount_wrong(
    const struct ht_recount *recount);

#endif
