/* Rolls kept by ranges: whatever the batches, the same as made at once. */
#include "tests/lib/test.h"

#include "broker/index/rolls.h"
#include "tests/lib/fault.h"

#define SMALL 8
#define LARGE 32
#define MAP   ((size_t)64 << 20)

enum { ROWS, ROOTS, DBS };
static const struct ht_store_db store_dbs[DBS] = {
    [ROWS] = {"rows",  HT_STORE_BYTES},
    [ROOTS] = {"roots", HT_STORE_BYTES},
};
static const struct ht_roll_dbs dbs = {.rows = ROWS, .roots = ROOTS};

struct fixture {
	char dir[HT_TEST_PATH_MAX];
	struct ht_store *store;
	struct ht_rolls *rolls;
};

static void
start(struct fixture *f)
{
	assert_ok(ht_store_open(ht_test_dir(f->dir), HT_STORE_DERIVED, MAP,
	    store_dbs, DBS, &f->store));
	assert_ok(ht_rolls_new(SMALL, LARGE, dbs, &f->rolls));
}

static void
finish(struct fixture *f)
{
	ht_rolls_free(&f->rolls);
	ht_store_close(&f->store);
	ht_test_dir_remove(f->dir);
}

/* Entry 5 of each 7 has no tag; the others name one to @many subjects. */
static bool
tag_of(uint64_t seq, unsigned many, struct ht_tag *ret)
{
	*ret = (struct ht_tag){.n_subjects = 1 + (unsigned)seq % many};
	ht_be64(ret->salt, seq * 0x9e3779b97f4a7c15u);
	for (unsigned i = 0; i < ret->n_subjects; i++)
		ht_be32(ret->subjects[i].at, 10 * i + (unsigned)(seq % 3));
	return seq % 7 != 5;
}

static enum ht_err
pass(struct fixture *f, struct ht_txn *txn, uint64_t seq, unsigned many)
{
	struct ht_tag tag;
	enum ht_err err = HT_OK;

	if (tag_of(seq, many, &tag))
		err = ht_rolls_tag(f->rolls, seq, &tag);
	return err == HT_OK ? ht_rolls_step(f->rolls, txn, seq) : err;
}

/* Entries [from, to), as the index takes them. */
static enum ht_err
fill(struct fixture *f, uint64_t from, uint64_t to, unsigned many)
{
	struct ht_txn *txn = NULL;
	uint64_t seq = ht_rolls_begin(f->rolls, 0, from);
	enum ht_err err = ht_txn_begin(f->store, true, &txn);

	assert_true(seq <= from && from - seq < SMALL);
	for (; seq < to && err == HT_OK; seq++)
		err = pass(f, txn, seq, many);
	if (err == HT_OK)
		err = ht_txn_commit(&txn);
	ht_txn_abort(&txn);
	if (err != HT_OK)
		ht_rolls_forget(f->rolls);
	return err;
}

/* The same roll, made at once. */
static void
check_roll(struct fixture *f, uint64_t from, uint32_t entries, unsigned many)
{
	static struct ht_roll_row want[LARGE * HT_SUBJECTS_MAX];
	HT_AUTO(ht_mem_free) struct ht_roll_row *got = NULL;
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	struct ht_roll_said roll;
	struct ht_hash root;
	struct ht_tag tag;
	size_t n = 0;

	for (uint64_t seq = from; seq < from + entries; seq++) {
		if (!tag_of(seq, many, &tag))
			continue;
		for (unsigned i = 0; i < tag.n_subjects; i++) {
			want[n].subject = tag.subjects[i];
			memcpy(want[n].salt, tag.salt, HT_ROLL_SALT);
			want[n++].seq = seq;
		}
	}
	assert_ok(ht_roll_sort(want, n));
	assert_ok(ht_roll_root(want, n, &root));
	assert_ok(ht_txn_begin(f->store, false, &txn));
	assert_ok(ht_rolls_root(txn, dbs, from, entries, &roll));
	assert_int_equal(roll.from, from);
	assert_int_equal(roll.to, from + entries);
	assert_int_equal(roll.count, n);
	assert_true(ht_hash_eq(&roll.root, &root));
	assert_ok(ht_rolls_rows(txn, dbs, &roll, &got));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(ht_roll_cmp(&got[i], &want[i]), 0);
		assert_memory_equal(got[i].salt, want[i].salt, HT_ROLL_SALT);
	}
}

static bool
has_roll(struct fixture *f, uint64_t from, uint32_t entries)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	struct ht_roll_said roll;
	enum ht_err err;

	assert_ok(ht_txn_begin(f->store, false, &txn));
	err = ht_rolls_root(txn, dbs, from, entries, &roll);
	assert_true(err == HT_OK || err == HT_ENOTFOUND);
	return err == HT_OK;
}

static void
batches_make_no_difference(void **state)
{
	static const unsigned batches[] = {1, 3, 8, 13, 32, 100};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(batches); i++) {
		unsigned many = i % 2 == 0 ? 1 : HT_SUBJECTS_MAX;
		uint64_t at = 0;
		struct fixture f;

		start(&f);
		for (; at < 100; at += batches[i]) {
			/* Now and then it begins again, as after a restart. */
			if (at % 5 == 4)
				ht_rolls_forget(f.rolls);
			assert_ok(fill(&f, at, at + batches[i], many));
		}
		for (uint64_t from = 0; from + SMALL <= at; from += SMALL)
			check_roll(&f, from, SMALL, many);
		for (uint64_t from = 0; from + LARGE <= at; from += LARGE)
			check_roll(&f, from, LARGE, many);
		assert_false(has_roll(&f, at - at % SMALL, SMALL));
		assert_false(has_roll(&f, at - at % LARGE, LARGE));
		finish(&f);
	}
}

/* More rows than one stored value holds. */
static void
a_roll_may_be_long(void **state)
{
	const uint32_t entries = 3 * 512;
	struct fixture f;
	struct ht_roll_said roll;
	HT_AUTO(ht_mem_free) struct ht_roll_row *rows = NULL;
	struct ht_txn *txn = NULL;

	(void)state;
	start(&f);
	ht_rolls_free(&f.rolls);
	assert_ok(ht_rolls_new(512, entries, dbs, &f.rolls));
	assert_ok(ht_txn_begin(f.store, true, &txn));
	assert_int_equal(ht_rolls_begin(f.rolls, 0, 0), 0);
	for (uint64_t seq = 0; seq < entries; seq++)
		assert_ok(pass(&f, txn, seq, HT_SUBJECTS_MAX));
	assert_ok(ht_rolls_root(txn, dbs, 0, entries, &roll));
	assert_true(roll.count > 10000);
	assert_ok(ht_rolls_rows(txn, dbs, &roll, &rows));
	for (uint64_t i = 1; i < roll.count; i++)
		assert_true(ht_roll_cmp(&rows[i - 1], &rows[i]) < 0);
	ht_txn_abort(&txn);
	finish(&f);
}

/* Nobody may say of a range that it is whole when a tag is not at hand. */
static void
a_range_that_lacks_a_tag_has_no_roll(void **state)
{
	struct ht_txn *txn = NULL;
	struct fixture f;

	(void)state;
	start(&f);
	assert_ok(ht_txn_begin(f.store, true, &txn));
	assert_int_equal(ht_rolls_begin(f.rolls, 0, 0), 0);
	for (uint64_t seq = 0; seq < 2 * LARGE; seq++) {
		if (seq == 11)
			ht_rolls_lack(f.rolls);
		assert_ok(pass(&f, txn, seq, 1));
	}
	assert_ok(ht_txn_commit(&txn));
	check_roll(&f, 0, SMALL, 1);
	assert_false(has_roll(&f, SMALL, SMALL));
	check_roll(&f, 2 * SMALL, SMALL, 1);
	assert_false(has_roll(&f, 0, LARGE));
	check_roll(&f, LARGE, LARGE, 1);
	finish(&f);
}

static void
a_failure_leaves_no_half_roll(void **state)
{
	struct fixture f;
	enum ht_err err = HT_OK;

	(void)state;
	start(&f);
	TORTURE(err = fill(&f, 0, LARGE + 3, 3))
	{
		assert_int_equal(err, HT_ENOMEM);
		assert_false(has_roll(&f, 0, SMALL));
	}
	assert_ok(err);
	check_roll(&f, 0, LARGE, 3);
	assert_ok(fill(&f, LARGE + 3, 2 * LARGE, 3));
	check_roll(&f, LARGE, LARGE, 3);
	finish(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(batches_make_no_difference),
	    cmocka_unit_test(a_roll_may_be_long),
	    cmocka_unit_test(a_range_that_lacks_a_tag_has_no_roll),
	    cmocka_unit_test(a_failure_leaves_no_half_roll),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
