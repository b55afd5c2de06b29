#include "broker/cli/tiles.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/panic.h"

/* Three digits a part, each but the last with an "x" before it. */
void
ht_tile_path(unsigned level, uint64_t number, unsigned width,
    char out[static HT_TILE_PATH])
{
	unsigned parts[8], n = 0;
	size_t len;

	HT_ASSERT(
	    level <= HT_TILE_ENTRIES && width >= 1 && width <= HT_TILE_WIDTH);
	len = (size_t)(level == HT_TILE_ENTRIES
	                   ? snprintf(out, HT_TILE_PATH, "tile/entries")
	                   : snprintf(out, HT_TILE_PATH, "tile/%u", level));
	do {
		parts[n++] = (unsigned)(number % 1000);
		number /= 1000;
	} while (number > 0);
	while (n-- > 0)
		len += (size_t)snprintf(out + len, HT_TILE_PATH - len,
		    "/%s%03u", n > 0 ? "x" : "", parts[n]);
	if (width < HT_TILE_WIDTH)
		(void)snprintf(out + len, HT_TILE_PATH - len, ".p/%u", width);
}

/* ---- growing ---- */

static void
give(struct ht_tiles *t, unsigned level)
{
	unsigned n = t->level[level].n;

	if (t->err == HT_OK)
		t->err = t->full(t->arg, level, t->level[level].number, n,
		    HT_SLICE(t->level[level].at, n * HT_HASH_SIZE));
}

static void
store(void *arg, unsigned level, uint64_t index, const struct ht_hash *hash)
{
	struct ht_tiles *t = arg;
	unsigned at = (unsigned)(index % HT_TILE_WIDTH);

	if (level % 8 != 0)
		return;
	level /= 8;
	HT_ASSERT(level < HT_TILE_LEVELS);
	t->level[level].number = index / HT_TILE_WIDTH;
	t->level[level].at[at] = *hash;
	t->level[level].n = at + 1;
	if (at + 1 < HT_TILE_WIDTH)
		return;
	give(t, level);
	t->level[level].n = 0;
}

/* The subtrees that end a partial tile are those of the size's low bits. */
static void
take_frontier(struct ht_tiles *t, unsigned level)
{
	unsigned n = t->level[level].n, from = 0;

	for (unsigned bit = 8; bit-- > 0;) {
		if (!(n >> bit & 1))
			continue;
		t->tree.at[8 * level + bit] =
		    ht_merkle_root(t->level[level].at + from, 1u << bit);
		from += 1u << bit;
	}
}

enum ht_err
ht_tiles_begin(struct ht_tiles *t, uint64_t size,
    enum ht_err (*load)(void *arg, unsigned level, uint64_t number,
        unsigned width, struct ht_hash *out))
{
	enum ht_err err = HT_OK;

	t->tree.size = size;
	for (unsigned level = 0; level < HT_TILE_LEVELS && err == HT_OK;
	     level++) {
		uint64_t hashes = size >> (8 * level);

		t->level[level].number = hashes / HT_TILE_WIDTH;
		t->level[level].n = (unsigned)(hashes % HT_TILE_WIDTH);
		if (t->level[level].n == 0)
			continue;
		err = load(t->arg, level, t->level[level].number,
		    t->level[level].n, t->level[level].at);
		if (err == HT_OK)
			take_frontier(t, level);
	}
	return err;
}

enum ht_err
ht_tiles_add(struct ht_tiles *t, const struct ht_hash *leaf)
{
	ht_frontier_append(&t->tree, leaf, store, t);
	return t->err;
}

enum ht_err
ht_tiles_end(struct ht_tiles *t)
{
	for (unsigned level = 0; level < HT_TILE_LEVELS; level++)
		if (t->level[level].n > 0)
			give(t, level);
	return t->err;
}
