/*
 * proof.h -- one entry's proof in one file (C2SP tlog-proof@v1), and proofs
 * made from the few subtrees of a tree that one happens to know.
 *
 *   c2sp.org/tlog-proof@v1
 *   extra <base64>            optional; nobody vouches for it
 *   index <decimal>
 *   <base64 hash>             the leaf's sibling first, the root's child last
 *
 *   <checkpoint note, verbatim, with its cosignatures>
 */
#ifndef HT_KEYS_PROOF_H
#define HT_KEYS_PROOF_H

#include "keys/merkle.h"
#include "keys/witness.h"

#define HT_PROOF_LABEL "c2sp.org/tlog-proof@v1"
/* Decoded: an entry, its bundle's evidence, the entry it cites: 15 KiB. */
#define HT_PROOF_EXTRA_MAX (16 * 1024)
/* The checkpoint is a note, and the largest part. */
#define HT_PROOF_FILE_MAX (HT_DOC_MAX + 32 * 1024)

/* Slices point into the caller's bytes. */
struct ht_proof {
	bool has_extra;
	struct ht_slice extra; /* as it stands: base64 */
	uint64_t index;
	size_t n_path;
	struct ht_hash path[HT_PROOF_MAX];
	struct ht_slice checkpoint; /* a note, its form not looked at */
};

/*
 * Strictly: what is accepted has one spelling, which ht_proof_text() gives.
 * *ret_line (may be NULL) is the line, from 1, that is not as it must be.
 * Errors: HT_EMALFORMED; HT_ETOOBIG.
 */
enum ht_err ht_proof_parse(struct ht_slice bytes, struct ht_proof *ret,
    unsigned *ret_line) HT_MUST_USE;
void ht_proof_text(const struct ht_proof *proof, struct ht_buf *out);
/* The extra data, decoded, appended to @out. */
enum ht_err ht_proof_extra(const struct ht_proof *proof, struct ht_buf *out)
    HT_MUST_USE;
/* @leaf stands at its index in the tree of @cp. */
bool ht_proof_holds(const struct ht_proof *proof, const struct ht_hash *leaf,
    const struct ht_checkpoint *cp);

/*
 * Is the tree of @cp, by this proof, a continuation of @old's?  The empty tree
 * begins every one; trees of one size must be equal.
 */
bool ht_consistency_holds(const struct ht_add_checkpoint *proof,
    const struct ht_checkpoint *old, const struct ht_checkpoint *cp);

/*
 * Perfect subtrees of a tree that are known, such as those beside a proven
 * leaf.  ht_known_load() is a ht_merkle_load_fn: it gives what is known, and
 * whatever can be hashed together from it; HT_ENOTFOUND for the rest.
 */
/* A frame of 64 rows and all beside them, in a log of 2^30 entries; on the
 * heap.
 */
#define HT_KNOWN_MAX 4160
struct ht_known {
	size_t n;
	struct {
		struct ht_subtree where;
		struct ht_hash hash;
	} at[HT_KNOWN_MAX];
};
/*
 * Take in the cover of [a, b), whose hashes @hashes begins with; *ret_used is
 * how many it took.  HT_EMALFORMED: there are not so many; HT_ETOOBIG.
 */
enum ht_err ht_known_cover(struct ht_known *known, uint64_t a, uint64_t b,
    const struct ht_hash *hashes, size_t n, size_t *ret_used) HT_MUST_USE;
/* The root of the tree as it was at @size > 0. */
enum ht_err ht_known_root(const struct ht_known *known, uint64_t size,
    struct ht_hash *ret) HT_MUST_USE;
enum ht_err ht_known_load(void *known, unsigned level, uint64_t index,
    struct ht_hash *ret) HT_MUST_USE;

#endif
