/*
 * roll.h -- the roll of subjects of a range of entries: who stands in their
 * tags, committed to by one root, so that a list of looks can be proven to be
 * whole (docs/adr/0021-complete-lists.md).
 *
 * Rows are in order of pseudonym, then seq.  Those of one subject stand
 * together; shown with their two neighbours they are all there are.  Pure.
 */
#ifndef HT_BROKER_INDEX_ROLL_H
#define HT_BROKER_INDEX_ROLL_H

#include "keys/merkle.h"
#include "schemas/tag.h"

#define HT_ROLL_SALT 16      /* the tag's */
#define HT_ROLL_MAX  1000000 /* rows of a proof: looks at one subject */

struct ht_roll_row {
	struct ht_pseudonym subject;
	uint8_t salt[HT_ROLL_SALT];
	uint64_t seq;
};
/* Bytewise by pseudonym, then by seq: <0, 0, >0. */
int ht_roll_cmp(const struct ht_roll_row *a, const struct ht_roll_row *b);
/*
 * Leaf hash of SHA-256("hutong-roll/v1\n" || pseudonym || salt) || seq u64.
 * Once tag and salt are erased, a guess at the pseudonym cannot be tried.
 */
struct ht_hash ht_roll_leaf(const struct ht_roll_row *row);

/* Sort @n rows; a row that stands twice is HT_EINVALID. */
enum ht_err ht_roll_sort(struct ht_roll_row *rows, size_t n) HT_MUST_USE;
/* The root over @n sorted rows. */
enum ht_err ht_roll_root(
    const struct ht_roll_row *rows, size_t n, struct ht_hash *ret) HT_MUST_USE;

/*
 * The rows of @subject with a neighbour on either side, as
 * [first int, rows array of [subject bin 16, salt bin 16, seq int], left array
 * of bin 32], appended to @out: `left` has the covers of what is before and
 * behind them.  @rows are sorted.
 */
enum ht_err ht_roll_prove(const struct ht_roll_row *rows, size_t n,
    const struct ht_pseudonym *subject, struct ht_buf *out) HT_MUST_USE;
/*
 * Check a proof against @root of @count rows; each entry about @subject to
 * @each, in order of the log.  Nothing is called before all of it holds.
 * Errors: HT_EMALFORMED; HT_EINTEGRITY; HT_ENOMEM; what @each returns.
 */
enum ht_err ht_roll_check(struct ht_slice proof, const struct ht_hash *root,
    uint64_t count, const struct ht_pseudonym *subject,
    enum ht_err (*each)(void *arg, uint64_t seq), void *arg) HT_MUST_USE;

#endif
