#include "tests/lib/test.h"

#include <unistd.h>

#include "lib/store/store.h"
#include "tests/lib/fault.h"

#define MAP ((size_t)64 << 20)

enum { NAMES, NUMBERS };
static const struct ht_store_db dbs[] = {
    {"names",   HT_STORE_BYTES},
    {"numbers", HT_STORE_U64  },
};

static struct ht_store *
open_store(const char *dir, enum ht_store_mode mode)
{
	struct ht_store *store = NULL;

	assert_ok(ht_store_open(dir, mode, MAP, dbs, 2, &store));
	return store;
}

static struct ht_txn *
begin(struct ht_store *store, bool write)
{
	struct ht_txn *txn = NULL;

	assert_ok(ht_txn_begin(store, write, &txn));
	return txn;
}

static void
what_is_committed_is_read_again(void **state)
{
	char dir[HT_TEST_PATH_MAX];
	struct ht_store *store;
	struct ht_txn *txn;
	struct ht_slice got;
	uint64_t n = 0;

	(void)state;
	store = open_store(ht_test_dir(dir), HT_STORE_DURABLE);
	txn = begin(store, true);
	assert_ok(ht_txn_put(
	    txn, NAMES, ht_slice_str("tax"), ht_slice_str("bureau")));
	for (uint64_t i = 0; i < 300; i++)
		assert_ok(ht_txn_append_u64(
		    txn, NUMBERS, i * 256, HT_SLICE(&i, sizeof(i))));
	assert_ok(ht_txn_commit(&txn));
	assert_null(txn);
	ht_store_close(&store);
	assert_null(store);

	store = open_store(dir, HT_STORE_READONLY);
	txn = begin(store, false);
	assert_ok(ht_txn_get(txn, NAMES, ht_slice_str("tax"), &got));
	assert_true(ht_slice_is(got, "bureau"));
	assert_ok(ht_txn_get_u64(txn, NUMBERS, 299 * 256, &got));
	assert_int_equal(got.len, sizeof(n));
	memcpy(&n, got.at, sizeof(n));
	assert_int_equal(n, 299);
	assert_ok(ht_txn_count(txn, NUMBERS, &n));
	assert_int_equal(n, 300);
	assert_err(ht_txn_get_u64(txn, NUMBERS, 1, &got), HT_ENOTFOUND);
	ht_txn_abort(&txn);
	ht_store_close(&store);
	ht_test_dir_remove(dir);
}

static void
an_aborted_transaction_leaves_nothing(void **state)
{
	char dir[HT_TEST_PATH_MAX];
	struct ht_store *store;
	struct ht_txn *txn;
	struct ht_slice got;

	(void)state;
	store = open_store(ht_test_dir(dir), HT_STORE_DURABLE);
	txn = begin(store, true);
	assert_ok(ht_txn_put_u64(txn, NUMBERS, 7, ht_slice_str("x")));
	ht_txn_abort(&txn);
	assert_null(txn);
	txn = begin(store, false);
	assert_err(ht_txn_get_u64(txn, NUMBERS, 7, &got), HT_ENOTFOUND);
	ht_txn_abort(&txn);
	ht_store_close(&store);
	ht_test_dir_remove(dir);
}

static void
a_failed_write_fails_the_commit(void **state)
{
	char dir[HT_TEST_PATH_MAX];
	struct ht_store *store;
	struct ht_txn *txn;
	struct ht_slice got;

	(void)state;
	store = open_store(ht_test_dir(dir), HT_STORE_DURABLE);
	txn = begin(store, true);
	assert_ok(ht_txn_append_u64(txn, NUMBERS, 7, ht_slice_str("x")));
	assert_err(
	    ht_txn_append_u64(txn, NUMBERS, 6, ht_slice_str("y")), HT_EINVALID);
	assert_err(
	    ht_txn_put_u64(txn, NUMBERS, 9, ht_slice_str("z")), HT_EINVALID);
	assert_err(ht_txn_commit(&txn), HT_EINVALID);
	assert_null(txn);
	txn = begin(store, false);
	assert_err(ht_txn_get_u64(txn, NUMBERS, 7, &got), HT_ENOTFOUND);
	ht_txn_abort(&txn);
	ht_store_close(&store);
	ht_test_dir_remove(dir);
}

/* A map that is full: an error on the write, and the store as it was. */
static void
a_full_map_is_an_error(void **state)
{
	char dir[HT_TEST_PATH_MAX];
	struct ht_store *store = NULL;
	struct ht_txn *txn;
	struct ht_slice got;
	static const uint8_t big[4000];
	enum ht_err err = HT_OK;

	(void)state;
	ht_test_dir(dir);
	assert_ok(
	    ht_store_open(dir, HT_STORE_DURABLE, 64 * 4096, dbs, 2, &store));
	txn = begin(store, true);
	for (uint64_t i = 0; i < 200 && err == HT_OK; i++)
		err = ht_txn_append_u64(
		    txn, NUMBERS, i, HT_SLICE(big, sizeof(big)));
	assert_int_equal(err, HT_ESTORE);
	assert_err(ht_txn_commit(&txn), HT_ESTORE);
	txn = begin(store, true);
	assert_err(ht_txn_get_u64(txn, NUMBERS, 0, &got), HT_ENOTFOUND);
	assert_ok(ht_txn_put_u64(txn, NUMBERS, 0, ht_slice_str("small")));
	assert_ok(ht_txn_commit(&txn));
	ht_store_close(&store);
	ht_test_dir_remove(dir);
}

static void
a_cursor_walks_in_order(void **state)
{
	static const char *const names[] = {"b", "bb", "a", "c"};
	char dir[HT_TEST_PATH_MAX];
	struct ht_store *store;
	struct ht_txn *txn;
	struct ht_seek *seek = NULL;
	struct ht_slice key, value;

	(void)state;
	store = open_store(ht_test_dir(dir), HT_STORE_DERIVED);
	txn = begin(store, true);
	for (size_t i = 0; i < HT_COUNT(names); i++)
		assert_ok(ht_txn_put(
		    txn, NAMES, ht_slice_str(names[i]), HT_SLICE(NULL, 0)));
	assert_ok(ht_txn_del(txn, NAMES, ht_slice_str("bb")));
	assert_err(ht_txn_del(txn, NAMES, ht_slice_str("zz")), HT_ENOTFOUND);
	assert_ok(ht_txn_commit(&txn));
	txn = begin(store, false);
	assert_ok(ht_seek_open(txn, NAMES, &seek));
	assert_ok(ht_seek_ge(seek, ht_slice_str("aa"), &key, &value));
	assert_true(ht_slice_is(key, "b"));
	assert_int_equal(value.len, 0);
	assert_ok(ht_seek_next(seek, &key, &value));
	assert_true(ht_slice_is(key, "c"));
	assert_err(ht_seek_next(seek, &key, &value), HT_ENOTFOUND);
	assert_ok(ht_seek_last(seek, &key, &value));
	assert_true(ht_slice_is(key, "c"));
	assert_ok(ht_seek_prev(seek, &key, &value));
	assert_true(ht_slice_is(key, "b"));
	assert_err(
	    ht_seek_ge(seek, ht_slice_str("d"), &key, &value), HT_ENOTFOUND);
	ht_seek_close(&seek);
	assert_null(seek);
	ht_txn_abort(&txn);

	txn = begin(store, true);
	assert_ok(ht_txn_clear(txn, NAMES));
	assert_err(
	    ht_txn_get(txn, NAMES, ht_slice_str("a"), &value), HT_ENOTFOUND);
	assert_ok(ht_txn_commit(&txn));
	ht_store_close(&store);
	ht_test_dir_remove(dir);
}

static void
one_folder_opens_once(void **state)
{
	char dir[HT_TEST_PATH_MAX];
	struct ht_store *store, *second = NULL;

	(void)state;
	store = open_store(ht_test_dir(dir), HT_STORE_DURABLE);
	assert_err(ht_store_open(dir, HT_STORE_READONLY, MAP, dbs, 2, &second),
	    HT_EEXISTS);
	assert_null(second);
	ht_store_close(&store);
	store = open_store(dir, HT_STORE_READONLY);
	ht_store_close(&store);
	ht_test_dir_remove(dir);
}

static void
what_is_no_store_is_refused(void **state)
{
	char dir[HT_TEST_PATH_MAX], path[HT_TEST_PATH_MAX + 16];
	struct ht_store *store = NULL;
	FILE *f;

	(void)state;
	ht_test_dir(dir);
	assert_err(ht_store_open(dir, HT_STORE_READONLY, MAP, dbs, 2, &store),
	    HT_ENOTFOUND);
	(void)snprintf(path, sizeof(path), "%s/data.mdb", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	for (int i = 0; i < 8192; i++)
		assert_int_not_equal(fputc('x', f), EOF);
	assert_int_equal(fclose(f), 0);
	assert_err(ht_store_open(dir, HT_STORE_READONLY, MAP, dbs, 2, &store),
	    HT_ESTORE);
	assert_null(store);
	ht_test_dir_remove(dir);
}

/* Reading a copy must leave no trace in it: it may be evidence. */
static void
reading_writes_nothing(void **state)
{
	char dir[HT_TEST_PATH_MAX], path[HT_TEST_PATH_MAX + 16];
	struct ht_store *store;

	(void)state;
	store = open_store(ht_test_dir(dir), HT_STORE_DURABLE);
	ht_store_close(&store);
	(void)snprintf(path, sizeof(path), "%s/lock.mdb", dir);
	assert_int_equal(unlink(path), 0);
	store = open_store(dir, HT_STORE_READONLY);
	ht_store_close(&store);
	assert_int_equal(access(path, F_OK), -1);
	ht_test_dir_remove(dir);
}

static enum ht_err
attempt(const char *dir, struct ht_store **ret)
{
	struct ht_txn *txn = NULL;
	struct ht_seek *seek = NULL;
	enum ht_err err =
	    ht_store_open(dir, HT_STORE_DURABLE, MAP, dbs, 2, ret);

	if (err == HT_OK)
		err = ht_txn_begin(*ret, true, &txn);
	if (err == HT_OK)
		err = ht_seek_open(txn, NAMES, &seek);
	ht_seek_close(&seek);
	ht_txn_abort(&txn);
	if (err != HT_OK)
		ht_store_close(ret);
	return err;
}

static void
every_allocation_may_fail(void **state)
{
	char dir[HT_TEST_PATH_MAX];
	struct ht_store *store = NULL;
	enum ht_err err = HT_OK;

	(void)state;
	ht_test_dir(dir);
	TORTURE(err = attempt(dir, &store))
	{
		assert_int_equal(err, HT_ENOMEM);
		assert_null(store);
	}
	assert_ok(err);
	ht_store_close(&store);
	ht_test_dir_remove(dir);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_committed_is_read_again),
    cmocka_unit_test(an_aborted_transaction_leaves_nothing),
    cmocka_unit_test(a_failed_write_fails_the_commit),
    cmocka_unit_test(a_full_map_is_an_error),
    cmocka_unit_test(a_cursor_walks_in_order),
    cmocka_unit_test(one_folder_opens_once),
    cmocka_unit_test(what_is_no_store_is_refused),
    cmocka_unit_test(reading_writes_nothing),
    cmocka_unit_test(every_allocation_may_fail),
};

HT_TEST_MAIN(tests)
