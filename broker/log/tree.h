/*
 * tree.h -- the log's tree as it is stored: chunks of 16 hashes at the levels
 * 0, 4, 8, ... (docs/log-format.md, n0 and nup).
 */
#ifndef HT_BROKER_LOG_TREE_H
#define HT_BROKER_LOG_TREE_H

#include "keys/merkle.h"
#include "lib/store/store.h"

#define HT_CHUNK        16 /* hashes: a subtree of height 4 */
#define HT_CHUNK_LEVELS 16 /* levels 0, 4, ... 60 */

/* Databases of the evidence environment, by position. */
enum {
	HT_EV_ENTRIES,
	HT_EV_N0,
	HT_EV_NUP,
	HT_EV_BUNDLES,
	HT_EV_CPS,
	HT_EV_STATE,
	HT_EV_COUNT,
};

/* The chunks being filled, one a stored level. */
struct ht_chunk {
	uint64_t number;
	unsigned n;  /* hashes in it */
	bool stored; /* a shorter form of it stands in the database */
	bool dirty;
	struct ht_hash at[HT_CHUNK];
};
struct ht_tree {
	struct ht_txn *txn; /* the write transaction, while appending */
	enum ht_err err;
	struct ht_chunk chunks[HT_CHUNK_LEVELS];
};

/* Read the partial chunks of a tree of @size. */
enum ht_err ht_tree_load(
    struct ht_tree *tree, struct ht_txn *txn, uint64_t size) HT_MUST_USE;
/* For ht_frontier_append(); @arg is the tree.  Errors stick in tree->err. */
ht_merkle_store_fn ht_tree_store;
/* Write the partial chunks into tree->txn. */
enum ht_err ht_tree_flush(struct ht_tree *tree) HT_MUST_USE;

/*
 * A perfect subtree's hash, from the stored chunks of a read transaction
 * (@arg): a ht_merkle_load_fn.  HT_EINTEGRITY if it is not there.
 */
enum ht_err ht_tree_get(
    void *arg, unsigned level, uint64_t index, struct ht_hash *ret) HT_MUST_USE;

/*
 * What was read before, for proofs of entries that stand together: they share
 * most of their subtrees, and a subtree below the top of four levels has to be
 * hashed from a chunk.  A perfect subtree never changes.  Begin with zeroes.
 * Paths of one tree share what is above them, too.
 */
#define HT_MEMO_SLOTS 4 /* of a level: left, right, and a path's or two */
struct ht_tree_memo {
	ht_merkle_load_fn *load; /* for what is not here */
	void *arg;
	struct ht_tree_slot {
		bool any;
		uint64_t index;
		struct ht_hash hash;
	} at[HT_FRONTIER_MAX][HT_MEMO_SLOTS];
	struct ht_trail trail;
};
/* memo->load, with a memo as @arg. */
enum ht_err ht_tree_recall(
    void *arg, unsigned level, uint64_t index, struct ht_hash *ret) HT_MUST_USE;
/* The raw stored chunk: hashes, one after the other. */
enum ht_err ht_tree_chunk(struct ht_txn *txn, unsigned level, uint64_t number,
    struct ht_slice *ret) HT_MUST_USE;
/* The root of the tree as it was at @size. */
enum ht_err ht_tree_root(ht_merkle_load_fn *load, void *arg, uint64_t size,
    struct ht_hash *ret) HT_MUST_USE;

#endif
