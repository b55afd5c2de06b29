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

struct ht_postings *ht_postings_new(void); /* NULL when out of memory */
void ht_postings_free(struct ht_postings **postings_p);

/*
 * Entry @seq stands under @prefix (at most HT_POSTINGS_PREFIX bytes) in
 * database @db.  Seqs must not fall; what belongs to an earlier block is
 * written by @txn.
 */
enum ht_err ht_postings_add(struct ht_postings *postings, struct ht_txn *txn,
    unsigned db, struct ht_slice prefix, uint64_t seq) HT_MUST_USE;
/* Write all that was added: before the transaction is committed. */
enum ht_err ht_postings_flush(struct ht_postings *postings, struct ht_txn *txn)
    HT_MUST_USE;

/*
 * The first @max entries under @prefix from @from on, below @to.  Errors:
 * HT_ESTORE; HT_EINTEGRITY (a row of another form).
 */
enum ht_err ht_postings_find(struct ht_txn *txn, unsigned db,
    struct ht_slice prefix, uint64_t from, uint64_t to, uint64_t *out,
    size_t max, size_t *ret_n) HT_MUST_USE;

#endif
