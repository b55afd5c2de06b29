/*
 * merkle.h -- RFC 6962 trees (= RFC 9162 section 2.1, SHA-256): growing,
 * proving, checking.  Pure: hashes come in, hashes go out.
 *
 * Stored hashes are reached through a callback, so the same code serves
 * memory (bundles, snapshots) and LMDB (the log).
 */
#ifndef HT_KEYS_MERKLE_H
#define HT_KEYS_MERKLE_H

#include "keys/hash.h"

#define HT_FRONTIER_MAX 64
#define HT_PROOF_MAX    64  /* hashes of a proof at most, by HT_TREE_MAX */
#define HT_COVER_MAX    128 /* hashes of the two covers of a range */

/* More leaves than any log will see; keeps a proof within HT_PROOF_MAX. */
#define HT_TREE_MAX (UINT64_C(1) << 63)

/* A tree being grown: the perfect subtree for each bit set in size. */
struct ht_frontier {
	uint64_t size;
	struct ht_hash at[HT_FRONTIER_MAX];
};

/* Told of each perfect subtree as it completes (leaves are level 0). */
typedef void ht_merkle_store_fn(
    void *arg, unsigned level, uint64_t index, const struct ht_hash *hash);

void ht_frontier_append(struct ht_frontier *f, const struct ht_hash *leaf,
    ht_merkle_store_fn *store, void *arg); /* store may be NULL */
struct ht_hash ht_frontier_root(const struct ht_frontier *f);

/* The root over @n leaf hashes in memory; SHA-256("") for none. */
struct ht_hash ht_merkle_root(const struct ht_hash *leaves, uint64_t n);

/* One perfect subtree of a cover: hash number @index of its @level. */
struct ht_subtree {
	unsigned level;
	uint64_t index;
};
/* The perfect subtrees that tile [a, b), left to right; how many. */
size_t ht_cover(uint64_t a, uint64_t b, struct ht_subtree out[static 128]);

/* Reads a stored perfect subtree; error codes pass through. */
typedef enum ht_err ht_merkle_load_fn(
    void *arg, unsigned level, uint64_t index, struct ht_hash *ret);

/* RFC 6962 2.1.1; HT_EINVALID unless i < n.  out gets *ret_n hashes. */
enum ht_err ht_prove_inclusion(ht_merkle_load_fn *load, void *arg, uint64_t i,
    uint64_t n, struct ht_hash out[static HT_PROOF_MAX], size_t *ret_n)
    HT_MUST_USE;
/* RFC 6962 2.1.2; HT_EINVALID unless 0 < m <= n. */
enum ht_err ht_prove_consistency(ht_merkle_load_fn *load, void *arg, uint64_t m,
    uint64_t n, struct ht_hash out[static HT_PROOF_MAX], size_t *ret_n)
    HT_MUST_USE;

bool ht_check_inclusion(uint64_t i, uint64_t n, const struct ht_hash *leaf,
    const struct ht_hash *path, size_t path_n, const struct ht_hash *root);
/*
 * Many paths into one tree.  What the path before has proven is compared, and
 * not hashed again: neighbours share all but the lowest part of theirs.  Right
 * for what ht_check_inclusion() finds right, and for nothing else.
 */
struct ht_trail {
	uint64_t size;
	struct ht_hash root;
	bool any;   /* a path was right, and is below */
	uint64_t i; /* of this leaf */
	/* By depth: the root is node 0; node d and its sibling make d - 1. */
	struct ht_hash node[HT_PROOF_MAX + 1];
	struct ht_hash sibling[HT_PROOF_MAX + 1];
};
void ht_trail_begin(
    struct ht_trail *trail, uint64_t size, const struct ht_hash *root);
bool ht_trail_check(struct ht_trail *trail, uint64_t i,
    const struct ht_hash *leaf, const struct ht_hash *path, size_t path_n);
/*
 * The other end: ht_prove_inclusion(), which loads what is not on the path
 * before.  A trail is for one of the two; this one needs no root.
 */
enum ht_err ht_trail_prove(struct ht_trail *trail, ht_merkle_load_fn *load,
    void *arg, uint64_t i, struct ht_hash out[static HT_PROOF_MAX],
    size_t *ret_n) HT_MUST_USE;

bool ht_check_consistency(uint64_t m, uint64_t n, const struct ht_hash *old,
    const struct ht_hash *root, const struct ht_hash *path, size_t path_n);

/*
 * Leaves present at some places, the rest given as the covers of their gaps:
 * a bundle with left-out records, and the proof that a range is complete.
 *
 * @at:   n_leaves increasing places below size, with their leaf hashes
 * @left: the covers of the gaps, left to right, exactly as many as needed
 *
 * A root does not bind @size (a tree of 5 and one of 6 can share it, if two
 * leaves' parent poses as a leaf): what is signed must hold both.
 * Errors: HT_EMALFORMED when places or counts do not fit.
 */
enum ht_err ht_sparse_root(uint64_t size, const uint64_t *at,
    const struct ht_hash *leaves, size_t n_leaves, const struct ht_hash *left,
    size_t n_left, struct ht_hash *ret_root) HT_MUST_USE;
/*
 * The same covers for a tree whose leaf hashes are all in memory: fills
 * @out (room for @max); HT_ETOOBIG if it does not fit.
 */
enum ht_err ht_sparse_left(const struct ht_hash *all, uint64_t size,
    const uint64_t *at, size_t n_at, struct ht_hash *out, size_t max,
    size_t *ret_n) HT_MUST_USE;

#endif
