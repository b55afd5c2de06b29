/* Tiles: their names, and that a tree may be left and gone on with anywhere. */
#include "tests/lib/test.h"

#include "broker/cli/tiles.h"

static void
a_tile_has_one_name(void **state)
{
	static const struct {
		const char *why;
		unsigned level;
		uint64_t number;
		unsigned width;
		const char *want;
	} rows[] = {
	    {"the first",          0,               0,          256, "tile/0/000"           },
	    {"partial",            0,               0,          3,   "tile/0/000.p/3"       },
	    {"three digits",       1,               67,         256, "tile/1/067"           },
	    {"C2SP's own example", 0,               1234067,    256, "tile/0/x001/x234/067" },
	    {"of a thousand",      2,               1000,       255, "tile/2/x001/000.p/255"},
	    {"entries",            HT_TILE_ENTRIES, 5,          256, "tile/entries/005"     },
	    {"the largest",        7,               UINT64_MAX, 1,
             "tile/7/x018/x446/x744/x073/x709/x551/615.p/1"                                 },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		char path[HT_TILE_PATH];

		ht_tile_path(
		    rows[i].level, rows[i].number, rows[i].width, path);
		if (strcmp(path, rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].why, path);
	}
}

/* ---- growing ---- */

#define LEAVES 70000 /* more than 256 * 256: three levels */

struct shelf {
	uint64_t sum; /* over full tiles, whatever their order */
	unsigned full;
	struct ht_hash partial[HT_TILE_LEVELS][HT_TILE_WIDTH];
	unsigned width[HT_TILE_LEVELS];
};

static enum ht_err
put(void *arg, unsigned level, uint64_t number, unsigned width,
    struct ht_slice bytes)
{
	struct shelf *shelf = arg;
	struct ht_hash sum = ht_sha256(bytes);

	assert_int_equal(bytes.len, width * HT_HASH_SIZE);
	if (width == HT_TILE_WIDTH) {
		shelf->full++;
		shelf->sum += ht_load64(sum.at) ^ number ^ level << 20;
		return HT_OK;
	}
	memcpy(shelf->partial[level], bytes.at, bytes.len);
	shelf->width[level] = width;
	return HT_OK;
}

static enum ht_err
get(void *arg, unsigned level, uint64_t number, unsigned width,
    struct ht_hash *out)
{
	struct shelf *shelf = arg;

	(void)number;
	assert_int_equal(shelf->width[level], width);
	memcpy(out, shelf->partial[level], width * sizeof(*out));
	return HT_OK;
}

/* From leaf @from to @to, with the shelf's partial tiles. */
static struct ht_hash
grow(struct shelf *shelf, uint64_t from, uint64_t to)
{
	struct ht_tiles *t = calloc(1, sizeof(*t));
	struct ht_hash root;

	assert_non_null(t);
	t->full = put;
	t->arg = shelf;
	assert_err(ht_tiles_begin(t, from, get), HT_OK);
	for (uint64_t i = from; i < to; i++) {
		uint8_t be[8];
		struct ht_hash leaf;

		ht_be64(be, i);
		leaf = ht_leaf_hash(HT_SLICE(be, sizeof(be)));
		assert_err(ht_tiles_add(t, &leaf), HT_OK);
	}
	assert_err(ht_tiles_end(t), HT_OK);
	root = ht_frontier_root(&t->tree);
	free(t);
	return root;
}

static void
a_tree_goes_on_where_it_was_left(void **state)
{
	static const uint64_t stops[] = {0, 1, 2, 255, 256, 257, 511, 512, 1000,
	    65535, 65536, 65537, 65792, LEAVES};
	struct shelf *whole = calloc(1, sizeof(*whole));
	struct shelf *parts = calloc(1, sizeof(*parts));
	struct ht_hash want, have = {0};

	(void)state;
	assert_non_null(whole);
	assert_non_null(parts);
	want = grow(whole, 0, LEAVES);
	for (size_t i = 1; i < HT_COUNT(stops); i++)
		have = grow(parts, stops[i - 1], stops[i]);
	assert_true(ht_hash_eq(&want, &have));
	assert_int_equal(whole->full, LEAVES / 256 + LEAVES / 65536);
	assert_int_equal(parts->full, whole->full);
	assert_true(parts->sum == whole->sum);
	assert_memory_equal(
	    parts->partial[0], whole->partial[0], (LEAVES % 256) * 32);
	assert_int_equal(parts->width[2], 1);
	free(whole);
	free(parts);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_tile_has_one_name),
	    cmocka_unit_test(a_tree_goes_on_where_it_was_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
