/*
 * tiles.h -- a log as a folder of plain files that anybody can serve and read:
 * C2SP tlog-tiles (docs/proofs.md, "A mirror").
 *
 *   checkpoint                   a signed note
 *   tile/<L>/<N>[.p/<W>]         256 hashes of level 8 L, or the W there are
 *   tile/entries/<N>[.p/<W>]     their entries: u16 length, bytes
 */
#ifndef HT_BROKER_CLI_TILES_H
#define HT_BROKER_CLI_TILES_H

#include "keys/merkle.h"

#define HT_TILE_WIDTH   256
#define HT_TILE_LEVELS  8
#define HT_TILE_ENTRIES HT_TILE_LEVELS /* the "level" of the entries */
#define HT_TILE_PATH    64             /* bytes of a name, and NUL */

/*
 * "tile/0/x001/x234/067.p/8"; @width is HT_TILE_WIDTH for a full tile.
 */
void ht_tile_path(unsigned level, uint64_t number, unsigned width,
    char out[static HT_TILE_PATH]);

/* The tiles of a tree that grows; each is given out as it is full. */
struct ht_tiles {
	struct ht_frontier tree;
	struct {
		uint64_t number;
		unsigned n;
		struct ht_hash at[HT_TILE_WIDTH];
	} level[HT_TILE_LEVELS];
	/* An error of it sticks in `err`. */
	enum ht_err (*full)(void *arg, unsigned level, uint64_t number,
	    unsigned width, struct ht_slice bytes);
	void *arg;
	enum ht_err err;
};
/*
 * Go on from a tree of @size: @load gives the hashes of a partial tile, just
 * as many as asked for.  Its errors pass through.
 */
enum ht_err ht_tiles_begin(struct ht_tiles *tiles, uint64_t size,
    enum ht_err (*load)(void *arg, unsigned level, uint64_t number,
        unsigned width, struct ht_hash *out)) HT_MUST_USE;
enum ht_err ht_tiles_add(struct ht_tiles *tiles, const struct ht_hash *leaf)
    HT_MUST_USE;
/* The partial ones, too: the tree ends here. */
enum ht_err ht_tiles_end(struct ht_tiles *tiles) HT_MUST_USE;

#endif
