/* Lists of entries under a name, against what a naive list would hold. */
#include "tests/lib/test.h"

#include "broker/index/postings.h"

#define MAP     ((size_t)64 << 20)
#define ENTRIES 3000
#define NAMES   4
#define FOUND   256

enum { ITEMS, MEMBERS };
static const struct ht_store_db dbs[] = {
    {"items",   HT_STORE_BYTES},
    {"members", HT_STORE_BYTES},
};

/* No name is the beginning of another: each ends in 0. */
static const struct ht_slice names[NAMES] = {
    {(const uint8_t *)"a.b/c",         6 },
    {(const uint8_t *)"a.b/c.d",       8 },
    {(const uint8_t *)"a.b/cc",        7 },
    {(const uint8_t *)"tax.demo/none", 14},
};

/* The first name has every entry, the second one in seven, the third few. */
static bool
is_under(unsigned name, uint64_t seq)
{
	switch (name) {
	case 0:
		return true;
	case 1:
		return seq % 7 == 3;
	case 2:
		return seq == 511 || seq == 512 || seq == 2999;
	default:
		return false;
	}
}

static struct ht_txn *
begin(struct ht_store *store, bool write)
{
	struct ht_txn *txn = NULL;

	assert_ok(ht_txn_begin(store, write, &txn));
	return txn;
}

/* One transaction's worth, as the index fills: some end within a block. */
static void
fill(struct ht_store *store, uint64_t from, uint64_t to)
{
	struct ht_txn *txn = begin(store, true);
	struct ht_postings *postings = ht_postings_new(ht_postings_store, txn);

	assert_non_null(postings);
	for (uint64_t seq = from; seq < to; seq++)
		for (unsigned name = 0; name < NAMES; name++)
			if (is_under(name, seq))
				assert_ok(ht_postings_add(
				    postings, MEMBERS, names[name], seq));
	assert_ok(ht_postings_flush(postings));
	assert_ok(ht_txn_commit(&txn));
	ht_postings_free(&postings);
}

static struct ht_store *
filled(const char *dir)
{
	static const uint64_t ends[] = {1, 200, 511, 512, 513, 1800, ENTRIES};
	struct ht_store *store = NULL;
	uint64_t from = 0;

	assert_ok(ht_store_open(
	    dir, HT_STORE_DERIVED, MAP, dbs, HT_COUNT(dbs), &store));
	for (size_t i = 0; i < HT_COUNT(ends); i++) {
		fill(store, from, ends[i]);
		from = ends[i];
	}
	return store;
}

static void
check(struct ht_txn *txn, unsigned name, uint64_t from, uint64_t to, size_t max)
{
	uint64_t out[FOUND];
	size_t n = 0, want = 0;

	assert_ok(ht_postings_find(
	    txn, MEMBERS, names[name], from, to, out, max, &n));
	for (uint64_t seq = from; seq < to && seq < ENTRIES && want < max;
	     seq++) {
		if (!is_under(name, seq))
			continue;
		assert_true(want < n);
		assert_int_equal(out[want++], seq);
	}
	assert_int_equal(n, want);
}

static void
what_was_added_is_found_from_anywhere(void **state)
{
	static const uint64_t at[] = {0, 1, 3, 199, 200, 510, 511, 512, 513,
	    1024, 2048, 2999, 3000, 1u << 20};
	char dir[HT_TEST_PATH_MAX];
	struct ht_store *store = filled(ht_test_dir(dir));
	struct ht_txn *txn = begin(store, false);

	(void)state;
	for (unsigned name = 0; name < NAMES; name++)
		for (size_t i = 0; i < HT_COUNT(at); i++)
			for (size_t j = i; j < HT_COUNT(at); j++) {
				check(txn, name, at[i], at[j], FOUND);
				check(txn, name, at[i], at[j], 2);
			}
	ht_txn_abort(&txn);
	ht_store_close(&store);
	ht_test_dir_remove(dir);
}

/* A page on the way: asked on from the last one found. */
static void
pages_miss_nothing(void **state)
{
	char dir[HT_TEST_PATH_MAX];
	struct ht_store *store = filled(ht_test_dir(dir));
	struct ht_txn *txn = begin(store, false);
	uint64_t out[100], from = 0, all = 0;
	size_t n = HT_COUNT(out);

	(void)state;
	while (n == HT_COUNT(out)) {
		assert_ok(ht_postings_find(txn, MEMBERS, names[0], from,
		    ENTRIES, out, HT_COUNT(out), &n));
		for (size_t i = 0; i < n; i++)
			assert_int_equal(out[i], all++);
		from = all;
	}
	assert_int_equal(all, ENTRIES);
	ht_txn_abort(&txn);
	ht_store_close(&store);
	ht_test_dir_remove(dir);
}

static void
a_block_is_one_row(void **state)
{
	char dir[HT_TEST_PATH_MAX];
	struct ht_store *store = filled(ht_test_dir(dir));
	struct ht_txn *txn = begin(store, false);
	uint64_t rows = 0;

	(void)state;
	assert_ok(ht_txn_count(txn, MEMBERS, &rows));
	/* 3,000 entries are 6 blocks; the third name is in three of them. */
	assert_int_equal(rows, 6 + 6 + 3);
	assert_ok(ht_txn_count(txn, ITEMS, &rows));
	assert_int_equal(rows, 0);
	ht_txn_abort(&txn);
	ht_store_close(&store);
	ht_test_dir_remove(dir);
}

static void
a_row_of_another_form_is_found_out(void **state)
{
	static const struct {
		const char *why;
		size_t len;
		uint8_t row[4];
	} rows[] = {
	    {"empty",            0, {0}         },
	    {"half an offset",   3, {0, 1, 0}   },
	    {"beyond the block", 4, {0, 1, 2, 0}},
	};
	char dir[HT_TEST_PATH_MAX];
	struct ht_store *store = NULL;

	(void)state;
	assert_ok(ht_store_open(ht_test_dir(dir), HT_STORE_DERIVED, MAP, dbs,
	    HT_COUNT(dbs), &store));
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		struct ht_txn *txn = begin(store, true);
		uint64_t out[FOUND];
		size_t n;

		assert_ok(ht_txn_put(txn, MEMBERS,
		    HT_SLICE("a.b/c\0\0\0\0\0\0\0\0\0", 14),
		    HT_SLICE(rows[i].row, rows[i].len)));
		if (ht_postings_find(txn, MEMBERS, names[0], 0, ENTRIES, out,
		        FOUND, &n) != HT_EINTEGRITY)
			fail_msg("%s: not found out", rows[i].why);
		ht_txn_abort(&txn);
	}
	ht_store_close(&store);
	ht_test_dir_remove(dir);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_was_added_is_found_from_anywhere),
    cmocka_unit_test(pages_miss_nothing),
    cmocka_unit_test(a_block_is_one_row),
    cmocka_unit_test(a_row_of_another_form_is_found_out),
};

HT_TEST_MAIN(tests)
