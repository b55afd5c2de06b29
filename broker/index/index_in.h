/*
 * index_in.h -- the index's inside: its files (index.c), rows that lead to
 * entries (index_fill.c, index_search.c), which these are and whether they are
 * there (index_rows.c), and the rolls of subjects (index_rolls.c).
 */
#ifndef HT_BROKER_INDEX_INDEX_IN_H
#define HT_BROKER_INDEX_INDEX_IN_H

#include <pthread.h>
#include <stdatomic.h>

#include "broker/index/index.h"
#include "broker/log/vault.h"
#include "lib/store/store.h"

enum {
	META,
	BY_EXCHANGE,
	BY_MEMBER,
	BY_ITEM,
	BY_STATUS,
	BY_TYPE,
	BY_SUBJECT,
	ROLLS,
	ROLL_ROOTS,
	ROLL_SAID,
	INDEX_DBS
};

struct ht_index {
	struct ht_log *log;
	struct ht_store *store; /* NULL: every entry is looked at */
	char *dir;              /* NULL when reading */
	char *boot;             /* path of the mark "open since this boot" */
	_Atomic uint64_t upto;
	/* Over the store: it is replaced when rows must be destroyed. */
	pthread_rwlock_t using;
	bool halted;

	/* NULL when reading; the thread's that fills */
	struct ht_rolls *rolls;
	uint64_t known;  /* INDEX_ROOTs that we did not append are below */
	uint64_t rooted; /* ranges that end below have theirs, or got one */
};

extern const struct ht_store_db index_dbs[INDEX_DBS];

/* A key: a prefix of at most 129 + 1 bytes, then the seq or block. */
#define INDEX_ROW_MAX     (HT_NAME_MAX + 1 + 8)
#define INDEX_ANY_REFUSAL 0xffff /* in by_status */
struct index_row {
	size_t len; /* without the seq */
	uint8_t at[INDEX_ROW_MAX];
};
struct index_row index_row_bytes(const void *bytes, size_t len);
/* A name ends in 0, so that none is the beginning of another. */
struct index_row index_row_name(struct ht_slice name);
struct index_row index_row_status(unsigned status);
struct index_row index_row_type(unsigned type);

/* These have a row for many entries. */
bool index_posted(unsigned db);
/* The two types that make up the traffic have none: a period finds them. */
bool index_type_has_rows(unsigned type);

/*
 * Every row under which entry @e must stand, each once, to @row.  @tag is its
 * tag, or NULL: one that was erased, or is in no vault of a copy, has no rows.
 */
enum ht_err index_rows(const struct ht_entry *e, const struct ht_about *about,
    const struct ht_tag *tag,
    enum ht_err (*row)(
        void *arg, unsigned db, struct ht_slice prefix, uint64_t seq),
    void *arg) HT_MUST_USE;

/*
 * An index held against the rows that it must have: sums of keyed hashes over
 * what is expected and what is found differ when one row is missing, strange
 * or moved, however many there are.  Rolls are not among them: `verify` makes
 * every one anew.
 */
struct index_sum {
	uint8_t key[HT_SHORT_SIZE]; /* random: none can be made to cancel out */
	uint64_t upto;              /* rows of entries below are expected */
	struct ht_postings *wanted; /* of the block at hand */
	struct index_count {
		uint64_t rows;
		uint64_t sum[2];
	} want[ROLLS], have[ROLLS];
};
/*
 * Begin: how far the index goes.  HT_ENOTFOUND: there is none, or it was left
 * open; HT_EINTEGRITY: it is of another log or form.
 */
enum ht_err index_sum_begin(const char *dir, struct ht_log *log,
    struct index_sum *sum, struct ht_store **ret_store) HT_MUST_USE;
void index_sum_fini(struct index_sum *sum);
/*
 * For index_rows(), of entries in order: one row is expected; @sum is a struct
 * index_sum.
 */
enum ht_err index_sum_row(
    void *sum, unsigned db, struct ht_slice prefix, uint64_t seq) HT_MUST_USE;
/*
 * Nothing more is expected: count what is there.  HT_EINTEGRITY: a row of
 * another form, of *ret_db.
 */
enum ht_err index_sum_found(struct index_sum *sum, struct ht_store *store,
    unsigned *ret_db) HT_MUST_USE;
/* The first database that is not as it must be; INDEX_DBS: none. */
unsigned index_sum_differs(const struct index_sum *sum);

/* meta/upto: how far the index of @log goes. */
#define INDEX_META_SIZE (1 + HT_ENV_ID_SIZE + 8)
void index_meta_bytes(const struct ht_log *log, uint64_t upto,
    uint8_t out[static INDEX_META_SIZE]);
/* It is of this log; HT_EINTEGRITY else. */
enum ht_err index_meta(
    struct ht_store *store, struct ht_log *log, uint64_t *ret_upto) HT_MUST_USE;

extern const struct ht_roll_dbs index_rolls;
/* A row of ROLL_SAID. */
enum ht_err index_put_said(struct ht_txn *txn, const struct ht_entry *e)
    HT_MUST_USE;

#endif
