/*
 * readback.c -- what was committed, read again before it is signed.
 *
 * One flipped bit in a leaf hash ended a public log for good.  So the group is
 * read from the store, its leaves are hashed anew, and the tree is built from
 * above by recursion, over the frontier as it stood on the disk: none of the
 * code that wrote it takes part.
 */
#include "broker/log/evidence.h"

#include <string.h>

#include "lib/base/log.h"

struct readback {
	struct ht_txn *txn;
	struct ht_stored rows;
	const struct ht_frontier *old;
	uint64_t next; /* the leaf to come */
	/* The chunk last looked at, one a stored level. */
	struct {
		bool known;
		uint64_t number;
		struct ht_slice bytes;
	} chunks[HT_CHUNK_LEVELS];
};

enum ht_err
ht_stored_leaf_read(struct ht_slice value, struct ht_slice *ret_leaf)
{
	if (value.len <= HT_HASH_SIZE)
		return HT_EINTEGRITY;
	*ret_leaf = HT_SLICE(value.at, value.len - HT_HASH_SIZE);
	return HT_OK;
}

enum ht_err
ht_stored_leaf(
    struct ht_slice value, struct ht_slice *ret_leaf, struct ht_hash *ret_hash)
{
	struct ht_slice leaf;
	struct ht_hash hash;
	enum ht_err err = ht_stored_leaf_read(value, &leaf);

	if (err != HT_OK)
		return err;
	hash = ht_leaf_hash(leaf);
	if (memcmp(hash.at, value.at + leaf.len, HT_HASH_SIZE) != 0)
		return HT_EINTEGRITY;
	*ret_leaf = leaf;
	*ret_hash = hash;
	return HT_OK;
}

static enum ht_err
next_leaf(struct readback *rb, struct ht_hash *ret)
{
	struct ht_slice value, leaf;
	enum ht_err err;

	/* In a copy: there is no more of what was removed. */
	if (rb->next < ht_log_begin(rb->rows.log))
		return ht_tree_get(rb->txn, 0, rb->next++, ret);
	err = ht_stored_next(&rb->rows, rb->next++, &value);
	if (err == HT_ENOTFOUND)
		return HT_EINTEGRITY;
	return err == HT_OK ? ht_stored_leaf(value, &leaf, ret) : err;
}

/* The stored hash of this subtree is the one just computed. */
static enum ht_err
compare(struct readback *rb, unsigned level, uint64_t index,
    const struct ht_hash *hash)
{
	unsigned slot = level / 4;
	uint64_t number = index / HT_CHUNK;
	size_t at = (size_t)(index % HT_CHUNK) * HT_HASH_SIZE;
	enum ht_err err = HT_OK;

	if (!rb->chunks[slot].known || rb->chunks[slot].number != number)
		err = ht_tree_chunk(
		    rb->txn, level, number, &rb->chunks[slot].bytes);
	if (err != HT_OK)
		return err == HT_ENOTFOUND ? HT_EINTEGRITY : err;
	rb->chunks[slot].known = true;
	rb->chunks[slot].number = number;
	if (rb->chunks[slot].bytes.len < at + HT_HASH_SIZE ||
	    memcmp(rb->chunks[slot].bytes.at + at, hash->at, HT_HASH_SIZE) != 0)
		return HT_EINTEGRITY;
	return HT_OK;
}

/* Perfect subtrees, at most 64 levels: the recursion is bounded. */
static enum ht_err
rebuild(
    struct readback *rb, unsigned level, uint64_t index, struct ht_hash *ret)
{
	struct ht_hash left, right;
	enum ht_err err;

	if ((index + 1) << level <= rb->old->size) {
		/* A left part of something new: it is in the old frontier. */
		*ret = rb->old->at[level];
		return HT_OK;
	}
	if (level == 0) {
		err = next_leaf(rb, ret);
	} else {
		err = rebuild(rb, level - 1, 2 * index, &left);
		if (err == HT_OK)
			err = rebuild(rb, level - 1, 2 * index + 1, &right);
		if (err == HT_OK)
			*ret = ht_node_hash(&left, &right);
	}
	if (err == HT_OK && level % 4 == 0)
		err = compare(rb, level, index, ret);
	return err;
}

static enum ht_err
rebuild_root(struct readback *rb, uint64_t size, struct ht_hash *ret)
{
	struct ht_subtree cover[HT_COVER_MAX];
	struct ht_hash parts[HT_COVER_MAX];
	size_t n = ht_cover(0, size, cover);
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < n && err == HT_OK; i++)
		err = rebuild(rb, cover[i].level, cover[i].index, &parts[i]);
	if (err != HT_OK)
		return err;
	for (size_t i = n - 1; i-- > 0;)
		parts[i] = ht_node_hash(&parts[i], &parts[i + 1]);
	*ret = parts[0];
	return HT_OK;
}

static enum ht_err
readback(struct ht_log *log, struct readback *rb)
{
	struct ht_head found;
	struct ht_hash root;
	enum ht_err err = ht_head_get(rb->txn, &found);

	if (err == HT_OK && found.frontier.size != log->next.frontier.size)
		err = HT_EINTEGRITY;
	if (err == HT_OK)
		err = rebuild_root(rb, found.frontier.size, &root);
	if (err != HT_OK)
		return err == HT_ENOTFOUND ? HT_EINTEGRITY : err;
	if (!ht_hash_eq(&root, &found.root) ||
	    !ht_hash_eq(&root, &log->next.root))
		return HT_EINTEGRITY;
	return HT_OK;
}

enum ht_err
ht_log_readback(struct ht_log *log)
{
	struct readback rb = {
	    .old = &log->head.frontier, .next = log->head.frontier.size};
	enum ht_err err = ht_txn_begin(log->store, false, &rb.txn);

	if (err == HT_OK)
		err = ht_stored_open(log, rb.txn, &rb.rows);
	if (err == HT_OK)
		err = readback(log, &rb);
	ht_stored_close(&rb.rows);
	ht_txn_abort(&rb.txn);
	if (err == HT_EINTEGRITY)
		ht_log(HT_ERROR,
		    "log: entries %llu to %llu do not read back as they were "
		    "written (bad memory or disk); nothing of them was sent",
		    (unsigned long long)log->head.frontier.size,
		    (unsigned long long)log->next.frontier.size - 1);
	return err;
}
