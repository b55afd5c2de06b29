/*
 * rolls.h -- the rolls of a log's ranges, as the index keeps them: each made
 * once, while the entries pass by, and its rows kept to prove from
 * (docs/log-format.md, "Rolls").
 */
#ifndef HT_BROKER_INDEX_ROLLS_H
#define HT_BROKER_INDEX_ROLLS_H

#include "broker/index/roll.h"
#include "lib/store/store.h"

/*
 * Behind the last small roll entries are handed out whole, some 1 KiB each; a
 * large one keeps the proof about a log of 10^8 entries below 5 MB, and the
 * rows of one subject in it within a frame of the audit socket.
 */
#define HT_ROLL_SMALL 1024
#define HT_ROLL_LARGE 32768

/* What an INDEX_ROOT entry says. */
struct ht_roll_said {
	uint64_t from, to; /* entries [from, to) */
	uint64_t count;    /* rows */
	struct ht_hash root;
};
void ht_roll_said_encode(const struct ht_roll_said *said, struct ht_buf *out);
/* HT_EMALFORMED; also for a range that is empty or of more than a large one. */
enum ht_err ht_roll_said_decode(
    struct ht_slice payload, struct ht_roll_said *ret) HT_MUST_USE;

/* ---- making them ---- */

/* Which databases of the transactions given below are the rolls'. */
struct ht_roll_dbs {
	unsigned rows, roots;
};

struct ht_rolls;
/* @large is a multiple of @small. */
enum ht_err ht_rolls_new(uint32_t small, uint32_t large, struct ht_roll_dbs dbs,
    struct ht_rolls **ret) HT_MUST_USE;
void ht_rolls_free(struct ht_rolls **rolls_p);

/*
 * Entries are about to come from @seq on, of a log that begins at @first.
 * Where they must come from so that the roll at hand is whole: @seq, or an
 * entry of the same range before it.  What was removed had no tag any more.
 */
uint64_t ht_rolls_begin(struct ht_rolls *rolls, uint64_t first, uint64_t seq);
/* The tag of the entry at hand. */
enum ht_err ht_rolls_tag(
    struct ht_rolls *rolls, uint64_t seq, const struct ht_tag *tag) HT_MUST_USE;
/* It has a tag that is not there: its ranges have no roll. */
void ht_rolls_lack(struct ht_rolls *rolls);
/* The entry has passed; rolls that end with it are stored. */
enum ht_err ht_rolls_step(
    struct ht_rolls *rolls, struct ht_txn *txn, uint64_t seq) HT_MUST_USE;
/* The transaction came to nothing, or all rows were destroyed. */
void ht_rolls_forget(struct ht_rolls *rolls);

/* ---- reading them ---- */

/* HT_ENOTFOUND: that range has no roll. */
enum ht_err ht_rolls_root(struct ht_txn *txn, struct ht_roll_dbs dbs,
    uint64_t from, uint32_t entries, struct ht_roll_said *ret) HT_MUST_USE;
/* Its rows, sorted; the caller frees them. */
enum ht_err ht_rolls_rows(struct ht_txn *txn, struct ht_roll_dbs dbs,
    const struct ht_roll_said *roll, struct ht_roll_row **ret) HT_MUST_USE;

#endif
