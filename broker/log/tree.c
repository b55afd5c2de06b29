#include "broker/log/tree.h"

#include <string.h>

#include "lib/base/panic.h"

#define HEIGHT 4 /* levels of a chunk; 1 << HEIGHT == HT_CHUNK */

_Static_assert(1 << HEIGHT == HT_CHUNK, "a chunk is a subtree of height 4");
_Static_assert(sizeof(struct ht_hash) == HT_HASH_SIZE, "chunks are arrays");

/* ---- keys ---- */

#define NUP_KEY 9 /* level u8, chunk u64 */

static void
nup_key(uint8_t out[static NUP_KEY], unsigned level, uint64_t number)
{
	out[0] = (uint8_t)level;
	ht_be64(out + 1, number);
}

enum ht_err
ht_tree_chunk(
    struct ht_txn *txn, unsigned level, uint64_t number, struct ht_slice *ret)
{
	uint8_t key[NUP_KEY];

	HT_ASSERT(level % HEIGHT == 0);
	if (level == 0)
		return ht_txn_get_u64(txn, HT_EV_N0, number, ret);
	nup_key(key, level, number);
	return ht_txn_get(txn, HT_EV_NUP, HT_SLICE(key, sizeof(key)), ret);
}

static enum ht_err
write_chunk(struct ht_tree *tree, unsigned level, struct ht_chunk *chunk)
{
	struct ht_slice value =
	    HT_SLICE(chunk->at, chunk->n * sizeof(chunk->at[0]));
	uint8_t key[NUP_KEY];
	bool stored = chunk->stored;

	chunk->dirty = false;
	chunk->stored = true;
	if (level == 0 && stored)
		return ht_txn_put_u64(
		    tree->txn, HT_EV_N0, chunk->number, value);
	if (level == 0)
		return ht_txn_append_u64(
		    tree->txn, HT_EV_N0, chunk->number, value);
	nup_key(key, level, chunk->number);
	return ht_txn_put(
	    tree->txn, HT_EV_NUP, HT_SLICE(key, sizeof(key)), value);
}

/* ---- growing ---- */

void
ht_tree_store(
    void *arg, unsigned level, uint64_t index, const struct ht_hash *hash)
{
	struct ht_tree *tree = arg;
	struct ht_chunk *chunk;

	if (level % HEIGHT != 0 || tree->err != HT_OK)
		return;
	chunk = &tree->chunks[level / HEIGHT];
	if (chunk->n == HT_CHUNK) {
		chunk->number++;
		chunk->n = 0;
		chunk->stored = false;
	}
	HT_ASSERT(index == chunk->number * HT_CHUNK + chunk->n);
	chunk->at[chunk->n++] = *hash;
	chunk->dirty = true;
	if (chunk->n == HT_CHUNK)
		tree->err = write_chunk(tree, level, chunk);
}

enum ht_err
ht_tree_flush(struct ht_tree *tree)
{
	for (unsigned i = 0; i < HT_CHUNK_LEVELS && tree->err == HT_OK; i++)
		if (tree->chunks[i].dirty)
			tree->err =
			    write_chunk(tree, i * HEIGHT, &tree->chunks[i]);
	return tree->err;
}

static enum ht_err
load_chunk(
    struct ht_chunk *chunk, struct ht_txn *txn, unsigned level, uint64_t count)
{
	struct ht_slice value;
	enum ht_err err;

	chunk->number = count / HT_CHUNK;
	chunk->n = (unsigned)(count % HT_CHUNK);
	chunk->stored = chunk->n > 0;
	chunk->dirty = false;
	if (chunk->n == 0)
		return HT_OK;
	err = ht_tree_chunk(txn, level, chunk->number, &value);
	if (err == HT_ENOTFOUND ||
	    (err == HT_OK && value.len != chunk->n * HT_HASH_SIZE))
		return HT_EINTEGRITY;
	if (err == HT_OK)
		memcpy(chunk->at, value.at, value.len);
	return err;
}

enum ht_err
ht_tree_load(struct ht_tree *tree, struct ht_txn *txn, uint64_t size)
{
	enum ht_err err = HT_OK;

	tree->txn = NULL;
	tree->err = HT_OK;
	for (unsigned i = 0; i < HT_CHUNK_LEVELS && err == HT_OK; i++)
		err = load_chunk(
		    &tree->chunks[i], txn, i * HEIGHT, size >> (i * HEIGHT));
	return err;
}

/* ---- reading ---- */

/* The root of a perfect subtree of 1, 2, 4, 8 or 16 hashes. */
static struct ht_hash
fold(const uint8_t *at, size_t n)
{
	struct ht_hash row[HT_CHUNK];

	memcpy(row, at, n * HT_HASH_SIZE);
	for (; n > 1; n /= 2)
		for (size_t i = 0; i < n / 2; i++)
			row[i] = ht_node_hash(&row[2 * i], &row[2 * i + 1]);
	return row[0];
}

enum ht_err
ht_tree_get(void *arg, unsigned level, uint64_t index, struct ht_hash *ret)
{
	unsigned up = level % HEIGHT;
	uint64_t first = index << up; /* at the stored level below */
	size_t skip = (size_t)(first % HT_CHUNK) * HT_HASH_SIZE;
	size_t n = (size_t)1 << up;
	struct ht_slice chunk;
	enum ht_err err =
	    ht_tree_chunk(arg, level - up, first / HT_CHUNK, &chunk);

	if (err != HT_OK)
		return err == HT_ENOTFOUND ? HT_EINTEGRITY : err;
	if (chunk.len < skip + n * HT_HASH_SIZE)
		return HT_EINTEGRITY;
	*ret = fold(chunk.at + skip, n);
	return HT_OK;
}

enum ht_err
ht_tree_recall(void *arg, unsigned level, uint64_t index, struct ht_hash *ret)
{
	struct ht_tree_memo *memo = arg;
	struct ht_tree_slot *slot;
	enum ht_err err;

	HT_ASSERT(level < HT_FRONTIER_MAX);
	slot = &memo->at[level][index % HT_MEMO_SLOTS];
	if (!slot->any || slot->index != index) {
		slot->any = false;
		err = memo->load(memo->arg, level, index, &slot->hash);
		if (err != HT_OK)
			return err;
		slot->any = true;
		slot->index = index;
	}
	*ret = slot->hash;
	return HT_OK;
}

enum ht_err
ht_tree_root(
    ht_merkle_load_fn *load, void *arg, uint64_t size, struct ht_hash *ret)
{
	struct ht_subtree cover[HT_COVER_MAX];
	size_t n = ht_cover(0, size, cover);
	struct ht_hash root;
	enum ht_err err;

	if (n == 0) {
		*ret = ht_sha256(HT_SLICE(NULL, 0));
		return HT_OK;
	}
	err = load(arg, cover[n - 1].level, cover[n - 1].index, &root);
	for (size_t i = n - 1; i-- > 0 && err == HT_OK;) {
		struct ht_hash left;

		err = load(arg, cover[i].level, cover[i].index, &left);
		if (err == HT_OK)
			root = ht_node_hash(&left, &root);
	}
	if (err == HT_OK)
		*ret = root;
	return err;
}
