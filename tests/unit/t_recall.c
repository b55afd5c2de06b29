/* What left the memory goes out as it came: under one signature. */
#include "tests/lib/test.h"

#include "broker/check/verify.h"
#include "broker/recall.h"

#include "schemas/status.h"
#include "tests/lib/fault.h"
#include "tests/lib/history.h"

#define NOW_MS UINT64_C(1795482123000)
#define ASKED  40 /* in one bundle of 41 */

static struct ht_world *world;

static int
make_world(void **state)
{
	(void)state;
	assert_ok(ht_keys_init());
	world = ht_world_new(NOW_MS);
	return 0;
}

static int
drop_world(void **state)
{
	(void)state;
	ht_world_free(&world);
	return 0;
}

struct fixture {
	char dir[HT_TEST_PATH_MAX];
	struct ht_log *log;
	struct ht_recall *recall;
	uint64_t first, other; /* where two bundles begin */
};

static void
start(struct fixture *f)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_history h;

	assert_ok(ht_log_open(ht_test_dir(f->dir), "gx.demo/log",
	    world->log_key, report, &f->log));
	ht_history_init(&h, world, f->log);
	ht_history_start(&h);
	ht_history_exchanges(&h, ASKED, 0, 1, &f->first);
	ht_history_exchanges(&h, 3, 0, 1, &f->other);
	assert_ok(ht_recall_new(f->log, &f->recall));
}

static void
finish(struct fixture *f)
{
	ht_recall_free(&f->recall);
	ht_log_close(&f->log);
	ht_test_dir_remove(f->dir);
}

/*
 * As a recipient reads it: over the wire, its root from what is there, its
 * signature by the sender's key, and each body and tag the header's.
 */
static void
must_be_whole(const struct ht_bundle *part)
{
	static struct ht_bundle got;
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(2 * HT_BUNDLE_BYTES);
	const struct ht_keyinfo *key;
	struct ht_unpack u;
	const char *why = "";

	ht_bundle_pack(&bytes, part);
	assert_ok(bytes.err);
	u = ht_unpack(ht_buf_slice(&bytes));
	assert_ok(ht_bundle_unpack(&u, &got, &why));
	assert_ok(ht_unpack_end(&u));
	key = ht_trust_bundle_key(world->trust, &got);
	assert_non_null(key);
	assert_ok(ht_bundle_verify(&got, &key->pub));
	for (uint32_t i = 0; i < got.n_records; i++) {
		struct ht_header header;

		assert_ok(ht_header_decode(
		    got.records[i].header, &header, NULL, NULL));
		assert_int_equal(
		    ht_record_check(&got.records[i], &header), HT_ST_OK);
		assert_true(got.records[i].body.len > 0);
	}
}

static size_t
every(uint64_t *places, uint64_t first, size_t n, size_t step)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i += step)
		places[count++] = first + i;
	return count;
}

static void
many_come_under_one_signature(void **state)
{
	static struct ht_bundle part;
	uint64_t places[HT_BUNDLE_MAX];
	struct fixture f;

	(void)state;
	start(&f);
	/* All that have an entry; every third; the last alone. */
	for (size_t step = 1; step <= ASKED; step += 2) {
		size_t n = every(places, f.first, ASKED, step);

		assert_ok(ht_recall(f.recall, f.first, places, n, &part));
		assert_int_equal(part.n_records, n);
		assert_int_equal(part.count, ASKED + 1);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(places[i], f.first + i * step);
			assert_int_equal(part.records[i].index, i * step);
		}
		must_be_whole(&part);
	}
	finish(&f);
}

static void
bundles_take_turns(void **state)
{
	static struct ht_bundle part;
	struct fixture f;

	(void)state;
	start(&f);
	for (unsigned i = 0; i < 6; i++) {
		uint64_t first = i % 2 == 0 ? f.first : f.other;
		uint64_t place = first + i / 2;

		assert_ok(ht_recall(f.recall, first, &place, 1, &part));
		assert_int_equal(part.n_records, 1);
		must_be_whole(&part);
	}
	finish(&f);
}

/* Spoil what the vault holds of a record: the file's bytes themselves. */
static void
spoil(struct fixture *f, uint64_t place)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	char path[HT_TEST_PATH_MAX + 64];
	struct ht_entry e;
	FILE *file;
	int byte;

	assert_ok(ht_log_read(f->log, place, &leaf));
	assert_ok(ht_entry_decode(ht_buf_slice(&leaf), &e));
	(void)snprintf(
	    path, sizeof(path), "%s/vault/%016x.seg", f->dir, e.segment);
	file = fopen(path, "r+b");
	assert_non_null(file);
	assert_int_equal(fseek(file, (long)e.offset + 70, SEEK_SET), 0);
	byte = fgetc(file);
	assert_int_equal(fseek(file, (long)e.offset + 70, SEEK_SET), 0);
	assert_int_equal(fputc(byte ^ 1, file), byte ^ 1);
	assert_int_equal(fclose(file), 0);
}

static void
what_is_damaged_is_left_out(void **state)
{
	static struct ht_bundle part;
	uint64_t places[5];
	struct fixture f;

	(void)state;
	start(&f);
	spoil(&f, f.first + 2);
	(void)every(places, f.first, 5, 1);
	assert_ok(ht_recall(f.recall, f.first, places, 5, &part));
	assert_int_equal(part.n_records, 4);
	assert_int_equal(places[1], f.first + 1);
	assert_int_equal(places[2], f.first + 3);
	must_be_whole(&part);
	/* Nothing is left; and what is of another bundle is no part of it. */
	places[0] = f.first + 2;
	assert_ok(ht_recall(f.recall, f.first, places, 1, &part));
	assert_int_equal(part.n_records, 0);
	places[0] = f.other;
	assert_ok(ht_recall(f.recall, f.first, places, 1, &part));
	assert_int_equal(part.n_records, 0);
	/* The others are none the worse for it. */
	(void)every(places, f.other, 3, 1);
	assert_ok(ht_recall(f.recall, f.other, places, 3, &part));
	assert_int_equal(part.n_records, 3);
	must_be_whole(&part);
	finish(&f);
}

static enum ht_err
recall_anew(struct fixture *f, uint64_t *places, size_t n)
{
	static struct ht_bundle part;
	enum ht_err err;

	ht_recall_free(&f->recall);
	err = ht_recall_new(f->log, &f->recall);
	return err == HT_OK ? ht_recall(f->recall, f->first, places, n, &part)
	                    : err;
}

static void
recalling_survives_no_memory(void **state)
{
	uint64_t places[HT_BUNDLE_MAX];
	size_t n;
	enum ht_err err = HT_OK;
	struct fixture f;

	(void)state;
	start(&f);
	n = every(places, f.first, ASKED, 1);
	TORTURE(err = recall_anew(&f, places, n))
	{
		assert_err(err, HT_ENOMEM);
		n = every(places, f.first, ASKED, 1);
	}
	assert_ok(err);
	finish(&f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(many_come_under_one_signature),
    cmocka_unit_test(bundles_take_turns),
    cmocka_unit_test(what_is_damaged_is_left_out),
    cmocka_unit_test(recalling_survives_no_memory),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, make_world, drop_world);
}
