/* A closed volume's file, or its archive, read as the log that it is part of.
 */
#include "tests/lib/test.h"

#include <unistd.h>

#include "broker/audit/query.h"
#include "broker/log/archive.h"
#include "broker/log/evidence.h"
#include "broker/log/lone.h"
#include "lib/base/fs.h"
#include "tests/lib/fault.h"
#include "tests/lib/history.h"

#define ORIGIN "gx.demo/log"
#define NOW_MS UINT64_C(1795482123000)

static struct ht_world *world;
static struct ht_vkey vkey;

/* A log of three closed volumes; of each there is a file, and an archive. */
#define VOLUMES 3
static struct {
	char dir[HT_TEST_PATH_MAX];
	char log_dir[HT_TEST_PATH_MAX + 16];
	struct ht_log *log;
	uint64_t ends[VOLUMES + 1];
	char *files[VOLUMES];
	char *archives[VOLUMES];
} made;

static void
make_archive(struct ht_report *report, unsigned i)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "%u.tar", i);
	made.archives[i] = ht_fs_join(made.dir, name);
	assert_non_null(made.archives[i]);
	assert_ok(ht_archive_write(
	    made.log_dir, made.ends[i], made.archives[i], NULL, report));
}

static int
make_log(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_history h;
	struct ht_pub pub;

	(void)state;
	assert_ok(ht_keys_init());
	world = ht_world_new(NOW_MS);
	pub = ht_key_pub(world->log_key);
	assert_ok(ht_vkey_make(ORIGIN, &pub, &vkey));
	ht_test_dir(made.dir);
	(void)snprintf(made.log_dir, sizeof(made.log_dir), "%s/log", made.dir);
	assert_ok(ht_log_open(
	    made.log_dir, ORIGIN, world->log_key, report, &made.log));
	ht_history_init(&h, world, made.log);
	ht_history_start(&h);
	for (unsigned i = 0; i < VOLUMES; i++) {
		/* 100 and more each: whole subtrees of 32, and parts. */
		for (unsigned n = 0; n < 13 + i; n++)
			ht_history_exchanges(&h, 4, 1 + n % 4, n % 3, NULL);
		made.ends[i + 1] = ht_log_size(made.log);
		ht_history_volume(&h);
		ht_history_keep(&h);
		made.files[i] =
		    ht_volumes_path(made.log->volumes.dir, made.ends[i], "");
		assert_non_null(made.files[i]);
		make_archive(report, i);
	}
	ht_history_forget(&h);
	return 0;
}

static int
drop_log(void **state)
{
	(void)state;
	ht_log_close(&made.log);
	for (unsigned i = 0; i < VOLUMES; i++) {
		free(made.files[i]);
		free(made.archives[i]);
	}
	ht_test_dir_remove(made.dir);
	ht_world_free(&world);
	return 0;
}

static void
open_lone(const char *path, struct ht_report *report, struct ht_log **ret)
{
	enum ht_err err = ht_log_open_lone(path, report, ret);

	if (err != HT_OK)
		fail_msg("%s: %s: %s", path, ht_err_text(err),
		    ht_report_count(report) > 0 ? ht_report_text(report, 0)
		                                : "");
}

/* ---- the same as the whole log says ---- */

static void
same_entry(struct ht_log *lone, uint64_t seq, uint64_t size, bool tags)
{
	HT_AUTO(ht_buf_fini) struct ht_buf a = HT_BUF(1 << 16);
	HT_AUTO(ht_buf_fini) struct ht_buf b = HT_BUF(1 << 16);
	struct ht_hash want[HT_PROOF_MAX], got[HT_PROOF_MAX];
	size_t n_want, n_got;
	struct ht_entry e;
	enum ht_err err;

	assert_ok(ht_log_read(made.log, seq, &a));
	assert_ok(ht_log_read(lone, seq, &b));
	assert_true(ht_slice_eq(ht_buf_slice(&a), ht_buf_slice(&b)));
	assert_ok(ht_log_inclusion(made.log, seq, size, want, &n_want));
	assert_ok(ht_log_inclusion(lone, seq, size, got, &n_got));
	assert_int_equal(n_want, n_got);
	assert_memory_equal(want, got, n_want * sizeof(*want));
	assert_ok(ht_entry_decode(ht_buf_slice(&b), &e));
	{
		HT_AUTO(ht_buf_fini) struct ht_buf x = HT_BUF(1 << 16);
		HT_AUTO(ht_buf_fini) struct ht_buf y = HT_BUF(1 << 16);

		err = ht_log_read_bundle(made.log, seq, &x);
		assert_err(ht_log_read_bundle(lone, seq, &y), err);
		assert_true(ht_slice_eq(ht_buf_slice(&x), ht_buf_slice(&y)));
	}
	if (e.tag_len == 0)
		return;
	{
		HT_AUTO(ht_buf_fini) struct ht_buf x = HT_BUF(HT_TAG_MAX);
		HT_AUTO(ht_buf_fini) struct ht_buf y = HT_BUF(HT_TAG_MAX);

		assert_ok(ht_log_read_vault(made.log, &e, &x, NULL));
		assert_err(ht_log_read_vault(lone, &e, &y, NULL),
		    tags ? HT_OK : HT_ENOTFOUND);
		if (tags)
			assert_true(
			    ht_slice_eq(ht_buf_slice(&x), ht_buf_slice(&y)));
	}
}

/* Of many places at once, gaps before, between and behind them. */
static void
same_batches(struct ht_log *lone, uint64_t first, uint64_t size)
{
	struct ht_hash want[1000], got[1000];
	size_t n_want, n_got;

	for (uint64_t step = 1; step < 12; step++) {
		uint64_t places[HT_ROWS_FRAME];
		size_t n = 0;

		for (uint64_t at = first + step / 2;
		     at < size && n < HT_COUNT(places); at += step)
			places[n++] = at;
		assert_ok(ht_log_batch_proof(
		    made.log, places, n, size, want, 1000, &n_want));
		assert_ok(ht_log_batch_proof(
		    lone, places, n, size, got, 1000, &n_got));
		assert_int_equal(n_want, n_got);
		assert_memory_equal(want, got, n_want * sizeof(*want));
	}
}

static void
read_all(const char *path, unsigned i, bool tags)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_log_close) struct ht_log *lone = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_VOLUME_NOTE_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	uint64_t first = made.ends[i], end = made.ends[i + 1];
	struct ht_checkpoint cp;
	struct ht_hash root;

	open_lone(path, report, &lone);
	assert_int_equal(ht_log_begin(lone), first);
	assert_int_equal(ht_log_size(lone), end);
	assert_ok(ht_log_checkpoint(lone, &note));
	assert_ok(ht_checkpoint_open(ht_buf_slice(&note), &vkey, &cp));
	assert_int_equal(cp.size, end);
	assert_ok(ht_log_root(lone, end, &root));
	assert_true(ht_hash_eq(&root, &cp.root));
	for (uint64_t seq = first; seq < end; seq++)
		same_entry(lone, seq, end, tags);
	same_batches(lone, first, end);
	assert_err(ht_log_read(lone, end, &leaf), HT_ENOTFOUND);
	if (first == 0)
		return;
	assert_err(ht_log_read(lone, first - 1, &leaf), HT_EGONE);
	assert_err(ht_log_read_bundle(lone, first - 1, &leaf), HT_EGONE);
	assert_err(ht_log_walk(lone, 0, end, NULL, NULL), HT_EGONE);
}

static void
all_that_is_in_it_is_as_in_the_log(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VOLUMES; i++) {
		read_all(made.files[i], i, false);
		read_all(made.archives[i], i, true);
	}
}

/* ---- questions ---- */

struct rows {
	uint64_t n, first, last;
};

static enum ht_err
take_row(void *arg, const struct ht_row *row)
{
	struct rows *r = arg;

	if (r->n++ == 0)
		r->first = row->seq;
	r->last = row->seq;
	return HT_OK;
}

/* Rows that prove themselves by the volume's checkpoint. */
static struct rows
ask(struct ht_log *lone, const struct ht_query *q)
{
	HT_AUTO(ht_index_close) struct ht_index *index = NULL;
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};
	struct ht_checkpoint cp;
	struct rows rows = {0};
	uint64_t bad = 0;

	assert_ok(ht_index_open(NULL, lone, &index));
	assert_ok(ht_audit_answer(lone, index, q, &a));
	assert_ok(ht_checkpoint_open(ht_buf_slice(&a.checkpoint), &vkey, &cp));
	for (size_t i = 0; i < a.n_frames; i++)
		assert_ok(ht_rows_check(ht_buf_slice(&a.frames[i]), a.size,
		    &cp.root, take_row, &rows, &bad));
	assert_int_equal(rows.n, a.matched);
	return rows;
}

static void
a_search_covers_the_volume(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_log_close) struct ht_log *lone = NULL;
	struct ht_query q = HT_QUERY_ALL;
	struct ht_entry e;
	struct rows rows;

	(void)state;
	open_lone(made.archives[1], report, &lone);
	rows = ask(lone, &q);
	assert_int_equal(rows.first, made.ends[1]);
	assert_int_equal(rows.last, made.ends[2] - 1);
	assert_int_equal(rows.n, made.ends[2] - made.ends[1]);
	/* From what stands before it: as much as there is. */
	q.filter.from_us = 1;
	assert_int_equal(ask(lone, &q).n, rows.n);
	/* From the time of one in it. */
	{
		HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);

		assert_ok(ht_log_read(lone, made.ends[1] + 50, &leaf));
		assert_ok(ht_entry_decode(ht_buf_slice(&leaf), &e));
		q.filter.from_us = e.time_us;
		rows = ask(lone, &q);
		assert_true(rows.first <= made.ends[1] + 50);
		assert_true(rows.first > made.ends[1]);
	}
	q = HT_QUERY_ALL;
	q.filter.has_subject = true;
	q.filter.subject = ht_history_subject(1);
	assert_true(ask(lone, &q).n > 0);
	q = HT_QUERY_ALL;
	q.filter.size = made.ends[1];
	assert_int_equal(ask(lone, &q).n, 0);
}

static void
one_before_it_is_not_here(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};
	HT_AUTO(ht_index_close) struct ht_index *index = NULL;
	HT_AUTO(ht_log_close) struct ht_log *lone = NULL;
	struct ht_query q = HT_QUERY_ALL;

	(void)state;
	open_lone(made.files[1], report, &lone);
	assert_ok(ht_index_open(NULL, lone, &index));
	q.has_seq = true;
	q.seq = made.ends[1] - 1;
	assert_err(ht_audit_answer(lone, index, &q, &a), HT_EGONE);
	q.seq = made.ends[1];
	assert_ok(ht_audit_answer(lone, index, &q, &a));
	assert_int_equal(a.matched, 1);
	/* It cannot show that it continues any older tree. */
	q.since = 3;
	ht_audit_answer_fini(&a);
	assert_err(ht_audit_answer(lone, index, &q, &a), HT_EGONE);
}

/* ---- damage, and no memory ---- */

static void
spoil(const char *path, long at)
{
	FILE *file = fopen(path, "r+");
	int byte;

	assert_non_null(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	byte = fgetc(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	assert_int_not_equal(fputc(byte ^ 1, file), EOF);
	assert_int_equal(fclose(file), 0);
}

static void
damage_is_found(const char *path)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(1 << 22);

	assert_ok(ht_fs_read(path, &bytes));
	for (size_t at = 40; at < bytes.len - 1100; at += bytes.len / 40) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		struct ht_log *lone = NULL;

		spoil(path, (long)at);
		assert_err(
		    ht_log_open_lone(path, report, &lone), HT_EINTEGRITY);
		assert_null(lone);
		assert_true(ht_report_count(report) > 0);
		spoil(path, (long)at);
	}
}

static void
whatever_is_damaged_is_found_first(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_log *lone = NULL;

	(void)state;
	damage_is_found(made.files[1]);
	damage_is_found(made.archives[1]);
	assert_err(ht_log_open_lone(made.dir, report, &lone), HT_ESYSTEM);
	assert_err(ht_log_open_lone("/none", report, &lone), HT_ENOTFOUND);
}

static void
no_memory_opens_nothing(void **state)
{
	const char *const paths[] = {made.files[1], made.archives[1]};

	(void)state;
	for (unsigned i = 0; i < HT_COUNT(paths); i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		struct ht_log *lone = NULL;
		enum ht_err err = HT_OK;

		TORTURE(err = ht_log_open_lone(paths[i], report, &lone))
		{
			assert_err(err, HT_ENOMEM);
			assert_null(lone);
		}
		assert_ok(err);
		ht_log_close(&lone);
	}
}

static enum ht_err
check_archive(
    const char *path, struct ht_report *report, struct ht_archive_seen *seen)
{
	HT_AUTO(ht_archive_close) struct ht_archive *archive = NULL;
	enum ht_err err = ht_archive_open(path, report, &archive);

	return err == HT_OK ? ht_archive_check(archive, &vkey, seen) : err;
}

static void
no_memory_finds_no_damage(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_archive_seen seen = {0};
	enum ht_err err = HT_OK;

	(void)state;
	TORTURE(err = check_archive(made.archives[1], report, &seen))
	{
		assert_err(err, HT_ENOMEM);
		assert_int_equal(seen.end, 0);
	}
	assert_ok(err);
	assert_int_equal(ht_report_count(report), 0);
	assert_int_equal(seen.end, made.ends[2]);
	assert_true(seen.pieces > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_that_is_in_it_is_as_in_the_log),
	    cmocka_unit_test(a_search_covers_the_volume),
	    cmocka_unit_test(one_before_it_is_not_here),
	    cmocka_unit_test(whatever_is_damaged_is_found_first),
	    cmocka_unit_test(no_memory_opens_nothing),
	    cmocka_unit_test(no_memory_finds_no_damage),
	};

	return cmocka_run_group_tests(tests, make_log, drop_log);
}
