/*
 * verify_in.h -- parts of verifying a log.
 */
#ifndef HT_BROKER_CHECK_VERIFY_IN_H
#define HT_BROKER_CHECK_VERIFY_IN_H

#include "broker/index/rolls.h"
#include "broker/log/evidence.h"

/*
 * The roll of said->from ... said->to - 1 from the tags in the vault, without
 * those that an entry before @said_by erased.  *ret_gone: another was erased
 * since, so that its root cannot be made any more.
 */
enum ht_err ht_roll_remake(struct ht_log *log, const struct ht_roll_said *said,
    uint64_t said_by, struct ht_roll_said *ret, bool *ret_gone) HT_MUST_USE;

/* Closed ranges, as their entries come by. */
struct ht_ranges {
	uint64_t first;   /* of the open one */
	uint32_t segment; /* where its pieces may begin, */
	uint32_t newest;  /* and the last that has some, */
	bool used;        /* if any has */
	uint64_t n;       /* closed */
};
/* False: it stands in a segment of an earlier volume. */
bool ht_ranges_piece(struct ht_ranges *ranges, uint32_t segment) HT_MUST_USE;
/* False: that is not what the VOLUME entry at @seq must say. */
bool ht_ranges_volume(struct ht_ranges *ranges, uint64_t seq,
    struct ht_slice payload) HT_MUST_USE;
/* Rows of `bundles` that are of no volume's file. */
enum ht_err ht_ranges_bundles(
    struct ht_log *log, struct ht_txn *txn, uint64_t *ret) HT_MUST_USE;
/* The volume whose file ends where the tree has @size; NULL: none. */
struct ht_volume *ht_ranges_ended(struct ht_log *log, uint64_t size);

#endif
