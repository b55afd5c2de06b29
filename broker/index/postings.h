/*
 * postings.h -- which entries stand under a name: a row of the index for 512
 * entries of the log, and not one for each (docs/log-format.md, "index/").
 *
 * Nearly every entry is under two members and an item, and few of these make
 * up the traffic.  So entries are gathered in memory, and a block's row is
 * written once: two bytes an entry, and few puts.
 *
 *   key    prefix  block u64 big-endian (seq / 512)
 *   value  seq % 512 of each, u16 big-endian, increasing
 */
#ifndef HT_BROKER_INDEX_POSTINGS_H
#define HT_BROKER_INDEX_POSTINGS_H

#include "lib/store/store.h"

#define HT_POSTINGS_BLOCK  512 /* a full row, of 1 KiB, shares a page */
#define HT_POSTINGS_PREFIX 130 /* bytes: a name, and the 0 that ends it */

struct ht_postings;

/* Whole rows go to @row.  NULL when out of memory. */
struct ht_postings *ht_postings_new(
    enum ht_err (*row)(
        void *arg, unsigned db, struct ht_slice key, struct ht_slice value),
    void *arg);
void ht_postings_free(struct ht_postings **postings_p);
/*
 * A @row for those that are to be stored: @txn, a struct ht_txn, may have the
 * beginning of the block's row, from an earlier transaction.
 */
enum ht_err ht_postings_store(void *txn, unsigned db, struct ht_slice key,
    struct ht_slice value) HT_MUST_USE;

/*
 * Entry @seq stands under @prefix (at most HT_POSTINGS_PREFIX bytes) in
 * database @db.  Seqs must not fall; rows of an earlier block are given away.
 */
enum ht_err ht_postings_add(struct ht_postings *postings, unsigned db,
    struct ht_slice prefix, uint64_t seq) HT_MUST_USE;
/* Give away all that was added. */
enum ht_err ht_postings_flush(struct ht_postings *postings) HT_MUST_USE;

/*
 * The first @max entries under @prefix from @from on, below @to.  Errors:
 * HT_ESTORE; HT_EINTEGRITY (a row of another form).
 */
enum ht_err ht_postings_find(struct ht_txn *txn, unsigned db,
    struct ht_slice prefix, uint64_t from, uint64_t to, uint64_t *out,
    size_t max, size_t *ret_n) HT_MUST_USE;

#endif
