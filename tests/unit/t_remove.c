/* Removing: the oldest volume goes, all that is left verifies, and whoever
 * asks for more is told why, with a proof. */
#include "tests/lib/logged.h"

#include <sys/stat.h>
#include <unistd.h>

#include "broker/audit/gone.h"
#include "broker/audit/list.h"
#include "broker/audit/query.h"
#include "broker/check/fsck.h"
#include "broker/check/verify.h"
#include "broker/log/copy.h"
#include "broker/log/erase.h"
#include "broker/log/evidence.h"
#include "broker/log/remove.h"
#include "broker/replay.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"

#define OVER HT_HISTORY_OVER

static const atomic_bool never;

struct fixture {
	struct ht_logged l;
	char copy_dir[HT_TEST_PATH_MAX + 16];
	char again_dir[HT_TEST_PATH_MAX + 16];
	uint64_t end[2];    /* of the volumes */
	uint64_t before_us; /* when the first was closed */
	struct ht_copy done;
};

static void
close_volume(struct ht_history *h)
{
	ht_history_volume(h);
	ht_history_keep(h);
	ht_history_forget(h);
}

/* Requests in the first volume are answered, or expire, in the second. */
static void
start(struct fixture *f)
{
	struct ht_history *h = &f->l.h;

	ht_logged_start(&f->l);
	(void)snprintf(f->copy_dir, sizeof(f->copy_dir), "%s/copy", f->l.dir);
	(void)snprintf(
	    f->again_dir, sizeof(f->again_dir), "%s/again", f->l.dir);
	/* Of more than one block of its file. */
	ht_history_exchanges(h, 30, 20, 1, NULL);
	h->between = close_volume;
	ht_history_exchanges(h, 4, 2, 1, NULL);
	f->end[0] = f->l.log->volumes.state.kept;
	f->before_us = h->now_us;
	ht_history_exchanges(h, 2, 2, 1, NULL);
	f->end[1] = ht_log_size(f->l.log);
	close_volume(h);
	ht_history_start(h);
	ht_history_exchanges(h, 3, 1, 1, NULL);
	ht_logged_index(&f->l, 1000);
}

static void
finish(struct fixture *f)
{
	ht_logged_finish(&f->l);
}

static void
reopen(struct fixture *f)
{
	ht_logged_close(&f->l);
	ht_logged_open(&f->l, ht_logged_world->log_key);
	f->l.h.log = f->l.log;
	ht_logged_index(&f->l, 1000);
}

/* ---- orders ---- */

static struct ht_doc *
removal_of(uint64_t first, uint64_t end, const char *over)
{
	return ht_history_removal(ht_logged_world, first, end, over);
}

static void
erase(struct fixture *f, const char *what)
{
	assert_ok(ht_index_destroy(f->l.index));
	ht_history_erase_before(&f->l.h, what, f->before_us);
	ht_index_go_on(f->l.index);
	ht_logged_index(&f->l, 1000);
}

static void
erase_all(struct fixture *f)
{
	erase(f, "tags");
	erase(f, "bodies");
}

/* ---- removing ---- */

static enum ht_err
check(struct fixture *f, struct ht_doc *order_given, struct ht_report *report,
    struct ht_buf *payload)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *order = order_given;

	return ht_remove_check(
	    f->l.log, order, ht_logged_world->trust, &never, report, payload);
}

static void
append_removed(struct fixture *f, struct ht_slice payload)
{
	struct ht_entry e = {.type = HT_ENTRY_REMOVED,
	    .snapshot = ht_trust_hash(ht_logged_world->trust),
	    .payload = payload};
	struct ht_slice note;

	assert_ok(ht_log_append(f->l.log, &e, NULL));
	assert_ok(ht_log_commit(f->l.log, &note));
}

/* Up to the point of no return. */
static void
promise(struct fixture *f, uint64_t first, uint64_t end)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(HT_LEAF_MAX);

	if (check(f, removal_of(first, end, OVER), report, &payload) != HT_OK)
		fail_msg("%s", ht_report_text(report, 0));
	assert_ok(ht_index_destroy(f->l.index));
	append_removed(f, ht_buf_slice(&payload));
}

static void
remove_volume(struct fixture *f, uint64_t first, uint64_t end)
{
	promise(f, first, end);
	assert_ok(ht_remove_files(f->l.log));
	ht_index_go_on(f->l.index);
	ht_logged_index(&f->l, 1000);
}

static bool
stands(const struct fixture *f, const char *name)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(f->l.log_dir, name);

	return access(path, F_OK) == 0;
}

/* ---- what is left ---- */

static void
count_finding(void *arg, enum ht_fsck_part part, const char *what)
{
	unsigned *n = arg;

	(void)what;
	n[part]++;
}

static unsigned
findings(const char *dir, enum ht_fsck_part part)
{
	unsigned n[HT_FSCK_PARTS] = {0}, all = 0;
	struct ht_fsck s = {.found = count_finding, .arg = n};

	assert_ok(ht_fsck_log(dir, &s));
	for (unsigned i = 0; i < HT_FSCK_PARTS; i++)
		all += n[i];
	return part == HT_FSCK_PARTS ? all : n[part];
}

static enum ht_err
verify(const char *dir, struct ht_verify *ret)
{
	*ret = (struct ht_verify){
	    .vkey = &ht_logged_vkey, .trust = ht_logged_world->trust};
	return ht_verify_log(dir, ret);
}

static void
holds(const char *dir, uint64_t begin, uint64_t removals)
{
	struct ht_verify v;

	if (verify(dir, &v) != HT_OK)
		fail_msg("%s: entry %llu: %s", dir,
		    (unsigned long long)v.bad_seq, v.bad);
	assert_int_equal(v.begin, begin);
	assert_int_equal(v.removals, removals);
	assert_int_equal(v.removals_known, removals);
	assert_true(v.signatures > 0 && v.pieces > 0);
	assert_int_equal(findings(dir, HT_FSCK_PARTS), 0);
}

static void
holds_now(struct fixture *f, uint64_t begin, uint64_t removals)
{
	ht_logged_close(&f->l);
	holds(f->l.log_dir, begin, removals);
	ht_logged_open(&f->l, ht_logged_world->log_key);
	f->l.h.log = f->l.log;
}

static void
does_not_hold(struct fixture *f, const char *why)
{
	struct ht_verify v;

	ht_logged_close(&f->l);
	assert_err(verify(f->l.log_dir, &v), HT_EINTEGRITY);
	if (strstr(v.bad, why) == NULL)
		fail_msg("%s", v.bad);
}

/* ---- the promise ---- */

static void
what_goes_is_gone_and_the_rest_stands(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf other = HT_BUF(HT_LEAF_MAX);
	struct ht_replay_snapshot snapshot;
	struct ht_hash path[HT_PROOF_MAX], before, after, kept;
	struct fixture f;
	uint64_t size;
	size_t n;

	(void)state;
	start(&f);
	erase_all(&f);
	size = ht_log_size(f.l.log);
	assert_ok(ht_log_root(f.l.log, size, &before));
	assert_ok(ht_log_read(f.l.log, 3, &leaf));
	kept = ht_leaf_hash(ht_buf_slice(&leaf));
	assert_true(stands(&f, "volumes/0000000000000000.vol"));
	assert_true(stands(&f, "vault/0000000000000000.seg"));
	remove_volume(&f, 0, f.end[0]);
	for (unsigned again = 0; again < 2; again++) {
		assert_false(stands(&f, "volumes/0000000000000000.vol"));
		assert_false(stands(&f, "vault/0000000000000000.seg"));
		assert_int_equal(ht_log_begin(f.l.log), f.end[0]);
		ht_buf_reset(&other);
		assert_err(ht_log_read(f.l.log, 3, &other), HT_EGONE);
		assert_err(
		    ht_log_read(f.l.log, f.end[0] - 1, &other), HT_EGONE);
		assert_ok(ht_log_read(f.l.log, f.end[0], &other));
		/* Who kept an entry can prove it still. */
		assert_ok(ht_log_root(f.l.log, size, &after));
		assert_true(ht_hash_eq(&before, &after));
		assert_ok(ht_log_inclusion(f.l.log, 3, size, path, &n));
		assert_true(
		    ht_check_inclusion(3, size, &kept, path, n, &before));
		assert_ok(ht_replay_snapshot(f.l.log, &snapshot));
		reopen(&f);
	}
	holds_now(&f, f.end[0], 1);
	ht_history_exchanges(&f.l.h, 2, 2, 1, NULL);
	ht_logged_index(&f.l, 7);
	holds_now(&f, f.end[0], 1);
	finish(&f);
}

/* The next one, too; then older entries that say so may go with it. */
static void
volumes_go_one_after_the_other(void **state)
{
	struct fixture f;
	uint64_t first;

	(void)state;
	start(&f);
	erase_all(&f);
	remove_volume(&f, 0, f.end[0]);
	f.before_us = f.l.h.now_us;
	erase_all(&f);
	remove_volume(&f, f.end[0], f.end[1]);
	ht_history_exchanges(&f.l.h, 2, 2, 1, NULL);
	holds_now(&f, f.end[1], 2);
	first = ht_log_size(f.l.log);
	close_volume(&f.l.h);
	ht_history_start(&f.l.h);
	ht_history_exchanges(&f.l.h, 3, 2, 1, NULL);
	f.before_us = f.l.h.now_us;
	erase_all(&f);
	remove_volume(&f, f.end[1], first);
	ht_history_exchanges(&f.l.h, 2, 2, 1, NULL);
	holds_now(&f, first, 1);
	finish(&f);
}

/* ---- refusals ---- */

static void
refused(struct fixture *f, struct ht_doc *order, const char *why)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(HT_LEAF_MAX);
	enum ht_err err = check(f, order, report, &payload);

	if (err == HT_OK || ht_report_count(report) == 0 ||
	    strstr(ht_report_text(report, 0), why) == NULL)
		fail_msg("'%s' was expected: %s", why,
		    ht_report_count(report) > 0 ? ht_report_text(report, 0)
		                                : ht_err_text(err));
}

static void
what_may_not_go(void **state)
{
	HT_AUTO(ht_mem_free) char *path = NULL;
	struct fixture f;
	struct stat st;
	FILE *file;
	int byte;

	(void)state;
	start(&f);
	refused(&f, removal_of(0, f.end[0], OVER), "an order to erase");
	erase(&f, "tags");
	refused(&f, removal_of(0, f.end[0], OVER), "still stands");
	erase(&f, "bodies");
	/* 1,096 days after 2026-11-24. */
	refused(&f, removal_of(0, f.end[0], "2029-11-01T00:00:00Z"),
	    "has to be kept until 2029-11-2");
	refused(&f, removal_of(f.end[0], f.end[1], OVER), "the oldest");
	refused(&f, removal_of(0, f.end[0] - 1, OVER), "the oldest");
	refused(&f, removal_of(0, f.end[1], OVER), "the oldest");
	path = ht_volumes_path(f.l.log->volumes.dir, 0, "");
	/* In a block that was not read a moment ago. */
	file = fopen(path, "r+");
	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	assert_int_equal(fseek(file, st.st_size * 3 / 4, SEEK_SET), 0);
	byte = fgetc(file);
	assert_int_equal(fseek(file, st.st_size * 3 / 4, SEEK_SET), 0);
	assert_int_not_equal(fputc(byte ^ 1, file), EOF);
	assert_int_equal(fclose(file), 0);
	refused(&f, removal_of(0, f.end[0], OVER), "does not hold");
	finish(&f);
}

/* What the next start needs to know of the snapshot in force. */
static void
the_last_snapshot_stays(void **state)
{
	struct fixture f;

	(void)state;
	memset(&f, 0, sizeof(f));
	ht_logged_start(&f.l);
	ht_history_exchanges(&f.l.h, 2, 2, 1, NULL);
	f.end[0] = ht_log_size(f.l.log);
	f.before_us = f.l.h.now_us;
	close_volume(&f.l.h);
	refused(&f, removal_of(0, f.end[0], OVER), "start the broker again");
	ht_history_start(&f.l.h);
	refused(&f, removal_of(0, f.end[0], OVER), "still stands");
	finish(&f);
}

static void
no_volume_no_order(void **state)
{
	struct fixture f;

	(void)state;
	memset(&f, 0, sizeof(f));
	ht_logged_start(&f.l);
	refused(&f, removal_of(0, 1, OVER), "no closed volume");
	finish(&f);
}

/* An entry has room for so much. */
static void
an_order_has_to_fit(void **state)
{
	uint8_t big[HT_REMOVE_ORDER_MAX + 1] = {0};
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_LEAF_MAX * 2);
	struct ht_remove_said said = {.first = 3,
	                          .end = 9,
	                          .order = HT_SLICE(big, sizeof(big))},
	                      got;
	struct ht_entry e = {.type = HT_ENTRY_REMOVED};
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);

	(void)state;
	assert_err(ht_remove_said_encode(&said, &out), HT_ETOOBIG);
	said.order.len--;
	said.first = HT_TREE_MAX - 1;
	said.end = HT_TREE_MAX;
	assert_ok(ht_remove_said_encode(&said, &out));
	e.payload = ht_buf_slice(&out);
	assert_ok(ht_entry_encode(&e, &leaf));
	assert_ok(ht_remove_said_decode(e.payload, &got));
	assert_int_equal(got.end, said.end);
	assert_true(ht_slice_eq(got.order, said.order));
	for (size_t len = 0; len < out.len; len++)
		assert_err(ht_remove_said_decode(HT_SLICE(out.at, len), &got),
		    HT_EMALFORMED);
	ht_buf_reset(&out);
	said.end = said.first;
	assert_ok(ht_remove_said_encode(&said, &out));
	assert_err(
	    ht_remove_said_decode(ht_buf_slice(&out), &got), HT_EMALFORMED);
}

/* What an order must say, and may not. */
static void
an_order_has_a_form(void **state)
{
	static const struct {
		const char *scope, *why;
	} table[] = {
	    {"last: 9\nretention-over: " OVER,                          "'first' is missing"         },
	    {"first: 0\nretention-over: " OVER,                         "'last' is missing"          },
	    {"first: 0\nlast: 9",	                               "'retention-over' is missing"},
	    {"first: 9\nlast: 8\nretention-over: " OVER,                "before 'first'"             },
	    {"first: -1\nlast: 8\nretention-over: " OVER,               ""                           },
	    {"first: 0\nlast: 9\nretention-over: 2031-01-01T00:00:00Z",
             "not be later"	                                                                  },
	    {"first: 0\nlast: 9\nwhat: tags\nretention-over: " OVER,    ""                           },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(table); i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);
		struct ht_doc *doc = NULL;

		ht_buf_fmt(&text,
		    "hutong: remove/v1\norder: gx.demo/7\nlog: gx.demo/log\n"
		    "basis: PIPL 47\nissued: 2030-11-24T00:00:00Z\n"
		    "until: 2030-12-24T00:00:00Z\n%s\n",
		    table[i].scope);
		assert_int_not_equal(
		    ht_doc_parse(ht_buf_slice(&text), "order", report, &doc),
		    HT_OK);
		assert_true(ht_report_count(report) > 0);
		if (strstr(ht_report_text(report, 0), table[i].why) == NULL)
			fail_msg("%zu: %s", i, ht_report_text(report, 0));
	}
}

/* ---- a crash ---- */

static void
a_start_removes_what_a_crash_left(void **state)
{
	static const char *const names[] = {
	    "volumes/0000000000000000.vol", "vault/0000000000000000.seg"};
	struct fixture f;

	(void)state;
	for (unsigned left = 0; left <= HT_COUNT(names); left++) {
		start(&f);
		erase_all(&f);
		promise(&f, 0, f.end[0]);
		/* The power goes, behind so many files. */
		ht_logged_close(&f.l);
		for (unsigned i = 0; i < left; i++) {
			HT_AUTO(ht_mem_free)
			char *path = ht_fs_join(f.l.log_dir, names[i]);

			assert_int_equal(unlink(path), 0);
		}
		if (left == 0) { /* or between the two steps of one */
			HT_AUTO(ht_mem_free)
			char *path = ht_fs_join(f.l.log_dir, names[0]);

			assert_int_equal(truncate(path, 0), 0);
		}
		assert_int_equal(findings(f.l.log_dir, HT_FSCK_REMAINS),
		    HT_COUNT(names) - left);
		assert_int_equal(findings(f.l.log_dir, HT_FSCK_PARTS),
		    HT_COUNT(names) - left);
		ht_logged_open(&f.l, ht_logged_world->log_key);
		f.l.h.log = f.l.log;
		for (unsigned i = 0; i < HT_COUNT(names); i++)
			assert_false(stands(&f, names[i]));
		ht_logged_index(&f.l, 1000);
		holds_now(&f, f.end[0], 1);
		finish(&f);
	}
}

/* Before the entry nothing was promised. */
static void
without_its_entry_nothing_goes(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e = {.type = HT_ENTRY_REMOVED};
	struct fixture f;

	(void)state;
	start(&f);
	erase_all(&f);
	assert_ok(check(&f, removal_of(0, f.end[0], OVER), report, &payload));
	e.payload = ht_buf_slice(&payload);
	assert_ok(ht_log_append(f.l.log, &e, NULL));
	ht_log_drop(f.l.log);
	assert_ok(ht_remove_files(f.l.log));
	assert_int_equal(ht_log_begin(f.l.log), 0);
	holds_now(&f, 0, 0);
	finish(&f);
}

/* ---- what somebody makes up ---- */

static void
put_begin(struct fixture *f, uint64_t begin, uint64_t by)
{
	struct ht_volumes_state s = f->l.log->volumes.state;
	struct ht_txn *txn = NULL;

	s.begin = begin;
	s.removed = by;
	assert_ok(ht_txn_begin(f->l.log->store, true, &txn));
	assert_ok(ht_volumes_put(txn, &s));
	assert_ok(ht_txn_commit(&txn));
}

/* Somebody says that the log begins later, and has no entry for it. */
static void
a_gap_without_an_entry_is_found(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	erase_all(&f);
	put_begin(&f, f.end[0], 3);
	does_not_hold(&f, "no REMOVED entry says");
	assert_true(findings(f.l.log_dir, HT_FSCK_ENTRIES) > 0);
	ht_test_dir_remove(f.l.dir);
}

/* It covers the first volume, and the second is gone as well. */
static void
a_gap_beyond_its_entry_is_found(void **state)
{
	struct fixture f;
	uint64_t by;

	(void)state;
	start(&f);
	erase_all(&f);
	by = ht_log_size(f.l.log);
	remove_volume(&f, 0, f.end[0]);
	put_begin(&f, f.end[1], by);
	does_not_hold(&f, "no REMOVED entry says");
	assert_true(findings(f.l.log_dir, HT_FSCK_ENTRIES) > 0);
	ht_test_dir_remove(f.l.dir);
}

/* A file that is missing is no removal. */
static void
a_missing_file_is_named_as_ever(void **state)
{
	HT_AUTO(ht_mem_free) char *path = NULL;
	struct fixture f;

	(void)state;
	start(&f);
	erase_all(&f);
	remove_volume(&f, 0, f.end[0]);
	path = ht_volumes_path(f.l.log->volumes.dir, f.end[0], "");
	assert_int_equal(unlink(path), 0);
	does_not_hold(&f, "is missing or damaged");
	assert_true(findings(f.l.log_dir, HT_FSCK_ENTRIES) > 0);
	ht_test_dir_remove(f.l.dir);
}

/* It says that more is gone than is: the volume was put back. */
static void
an_entry_that_says_too_much_is_found(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	erase_all(&f);
	promise(&f, 0, f.end[0]);
	put_begin(&f, 0, 0);
	does_not_hold(&f, "were removed, and the log begins at entry 0");
	assert_true(findings(f.l.log_dir, HT_FSCK_PARTS) == 0 ||
	            findings(f.l.log_dir, HT_FSCK_ENTRIES) > 0);
	ht_test_dir_remove(f.l.dir);
}

static void
forge(struct fixture *f, bool root, const char *why)
{
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(HT_LEAF_MAX);
	HT_AUTO(ht_doc_unref) struct ht_doc *order = NULL;
	struct ht_remove_said said = {.end = 0};

	start(f);
	erase_all(f);
	order = removal_of(0, f->end[root ? 0 : 1], OVER);
	said.end = f->end[0];
	said.order = order->bytes;
	assert_ok(ht_log_root(f->l.log, said.end, &said.root));
	said.root.at[3] ^= root;
	assert_ok(ht_remove_said_encode(&said, &payload));
	append_removed(f, ht_buf_slice(&payload));
	does_not_hold(f, why);
	ht_test_dir_remove(f->l.dir);
}

static void
a_forged_entry_is_found(void **state)
{
	struct fixture f;

	(void)state;
	forge(&f, true, "its root is not");
	forge(&f, false, "not one to remove these");
}

/* ---- copies ---- */

static enum ht_err
copy(struct fixture *f, struct ht_log *from, const char *dir,
    enum ht_copy_kind kind)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	enum ht_err err;

	f->done = (struct ht_copy){
	    .from = from, .dir = dir, .kind = kind, .vkey = &ht_logged_vkey};
	err = ht_log_copy(&f->done, report);
	if (err != HT_OK && ht_report_count(report) > 0)
		print_message("%s\n", ht_report_text(report, 0));
	return err;
}

static void
a_backup_is_made_anew(void **state)
{
	HT_AUTO(ht_log_close) struct ht_log *from = NULL;
	struct fixture f;

	(void)state;
	start(&f);
	erase_all(&f);
	remove_volume(&f, 0, f.end[0]);
	ht_history_exchanges(&f.l.h, 2, 2, 1, NULL);
	assert_ok(copy(&f, f.l.log, f.copy_dir, HT_COPY_BACKUP));
	holds(f.copy_dir, f.end[0], 1);
	ht_history_exchanges(&f.l.h, 2, 2, 1, NULL);
	assert_ok(copy(&f, f.l.log, f.copy_dir, HT_COPY_BACKUP));
	holds(f.copy_dir, f.end[0], 1);
	assert_ok(ht_log_open(f.copy_dir, NULL, NULL, f.l.report, &from));
	assert_ok(copy(&f, from, f.again_dir, HT_COPY_RESTORE));
	ht_log_close(&from);
	assert_ok(ht_log_copy_done(f.again_dir));
	holds(f.again_dir, f.end[0], 1);
	/* And it goes on as a log. */
	ht_logged_close(&f.l);
	(void)snprintf(f.l.log_dir, sizeof(f.l.log_dir), "%s", f.again_dir);
	(void)snprintf(
	    f.l.index_dir, sizeof(f.l.index_dir), "%s/index", f.again_dir);
	ht_logged_open(&f.l, ht_logged_world->log_key);
	f.l.h.log = f.l.log;
	ht_history_exchanges(&f.l.h, 2, 2, 1, NULL);
	ht_logged_index(&f.l, 1000);
	holds_now(&f, f.end[0], 1);
	finish(&f);
}

static void
a_backup_that_goes_on_removes_too(void **state)
{
	HT_AUTO(ht_mem_free) char *path = NULL;
	struct fixture f;

	(void)state;
	start(&f);
	assert_ok(copy(&f, f.l.log, f.copy_dir, HT_COPY_BACKUP));
	erase_all(&f);
	remove_volume(&f, 0, f.end[0]);
	path = ht_fs_join(f.copy_dir, "volumes/0000000000000000.vol");
	assert_int_equal(access(path, F_OK), 0);
	assert_ok(copy(&f, f.l.log, f.copy_dir, HT_COPY_BACKUP));
	assert_int_equal(access(path, F_OK), -1);
	holds(f.copy_dir, f.end[0], 1);
	finish(&f);
}

/* The last backup is from before the volume was closed. */
static void
a_backup_from_long_ago_goes_on(void **state)
{
	struct fixture f;

	(void)state;
	memset(&f, 0, sizeof(f));
	ht_logged_start(&f.l);
	(void)snprintf(f.copy_dir, sizeof(f.copy_dir), "%s/copy", f.l.dir);
	ht_history_exchanges(&f.l.h, 5, 3, 1, NULL);
	assert_ok(copy(&f, f.l.log, f.copy_dir, HT_COPY_BACKUP));
	ht_history_exchanges(&f.l.h, 5, 3, 1, NULL);
	f.end[0] = ht_log_size(f.l.log);
	f.before_us = f.l.h.now_us;
	close_volume(&f.l.h);
	ht_history_start(&f.l.h);
	ht_history_exchanges(&f.l.h, 5, 3, 1, NULL);
	erase_all(&f);
	remove_volume(&f, 0, f.end[0]);
	assert_ok(copy(&f, f.l.log, f.copy_dir, HT_COPY_BACKUP));
	holds(f.copy_dir, f.end[0], 1);
	finish(&f);
}

/* ---- readers ---- */

static void
the_entry_is_proven_to_readers(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf frame = HT_BUF(HT_AUDIT_FRAME_MAX);
	struct ht_remove_said said;
	struct ht_hash root;
	struct fixture f;
	uint64_t size, by;

	(void)state;
	start(&f);
	erase_all(&f);
	size = ht_log_size(f.l.log);
	assert_err(ht_gone_make(f.l.log, size, &frame), HT_ENOTFOUND);
	remove_volume(&f, 0, f.end[0]);
	assert_err(ht_gone_make(f.l.log, size, &frame), HT_EGONE);
	size = ht_log_size(f.l.log);
	assert_ok(ht_gone_make(f.l.log, size, &frame));
	assert_ok(ht_log_root(f.l.log, size, &root));
	assert_true(ht_gone_is(ht_buf_slice(&frame)));
	assert_ok(ht_gone_check(ht_buf_slice(&frame), size, &root, &by, &said));
	assert_int_equal(by, size - 1);
	assert_int_equal(said.end, f.end[0]);
	for (size_t i = 0; i < frame.len; i++) {
		enum ht_err err;

		frame.at[i] ^= (uint8_t)(1u << (i % 8));
		err = ht_gone_check(
		    ht_buf_slice(&frame), size, &root, &by, &said);
		if (err != HT_EMALFORMED && err != HT_EINTEGRITY)
			fail_msg("byte %zu: %s", i, ht_err_text(err));
		frame.at[i] ^= (uint8_t)(1u << (i % 8));
	}
	finish(&f);
}

/* A search begins with it, unless it goes on behind. */
static void
an_answer_begins_with_it(void **state)
{
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};
	struct ht_query q = HT_QUERY_ALL;
	struct fixture f;

	(void)state;
	start(&f);
	erase_all(&f);
	remove_volume(&f, 0, f.end[0]);
	assert_ok(ht_audit_answer(f.l.log, f.l.index, &q, &a));
	assert_true(a.n_frames > 1);
	assert_true(ht_gone_is(ht_buf_slice(&a.frames[0])));
	assert_false(ht_gone_is(ht_buf_slice(&a.frames[1])));
	assert_int_equal(a.matched, ht_log_size(f.l.log) - f.end[0]);
	ht_audit_answer_fini(&a);
	q.filter.start_seq = f.end[0];
	assert_ok(ht_audit_answer(f.l.log, f.l.index, &q, &a));
	assert_false(ht_gone_is(ht_buf_slice(&a.frames[0])));
	ht_audit_answer_fini(&a);
	q = HT_QUERY_ALL;
	q.has_seq = true;
	q.seq = 2;
	assert_err(ht_audit_answer(f.l.log, f.l.index, &q, &a), HT_EGONE);
	finish(&f);
}

static enum ht_err
count_look(void *arg, const struct ht_row *row)
{
	(void)row;
	++*(unsigned *)arg;
	return HT_OK;
}

static enum ht_err
take_list(struct fixture *f, bool told, unsigned *ret_looks)
{
	HT_AUTO(ht_list_make_free) struct ht_list_make *make = NULL;
	HT_AUTO(ht_list_free) struct ht_list *list = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf frame = HT_BUF(HT_AUDIT_FRAME_MAX);
	struct ht_pseudonym subject = ht_history_subject(1);
	uint64_t size = ht_log_size(f->l.log), bad = 0;
	const char *why = NULL;
	struct ht_hash root;
	bool more = true;
	enum ht_err err = HT_OK;

	*ret_looks = 0;
	assert_ok(ht_log_root(f->l.log, size, &root));
	assert_ok(ht_list_make(
	    f->l.log, f->l.index, &subject, size, size, HT_LIST_WHOLE, &make));
	assert_ok(ht_list_new(
	    &subject, size, size, &root, count_look, ret_looks, &list));
	if (told) {
		assert_ok(ht_gone_make(f->l.log, size, &frame));
		err = ht_list_take(list, ht_buf_slice(&frame), &why, &bad);
	}
	while (err == HT_OK && more) {
		ht_buf_reset(&frame);
		assert_ok(ht_list_next(make, &frame, &more));
		if (more)
			err = ht_list_take(
			    list, ht_buf_slice(&frame), &why, &bad);
	}
	return err == HT_OK ? ht_list_end(list, &why, &bad) : err;
}

/* A list is whole from there on, and only who shows why may begin there. */
static void
a_list_is_whole_from_there_on(void **state)
{
	struct fixture f;
	unsigned before, after;

	(void)state;
	start(&f);
	erase_all(&f);
	assert_ok(take_list(&f, false, &before));
	remove_volume(&f, 0, f.end[0]);
	assert_err(take_list(&f, false, &after), HT_EINTEGRITY);
	assert_ok(take_list(&f, true, &after));
	assert_int_equal(before, after);
	assert_true(after > 0);
	finish(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_goes_is_gone_and_the_rest_stands),
	    cmocka_unit_test(volumes_go_one_after_the_other),
	    cmocka_unit_test(what_may_not_go),
	    cmocka_unit_test(the_last_snapshot_stays),
	    cmocka_unit_test(no_volume_no_order),
	    cmocka_unit_test(an_order_has_to_fit),
	    cmocka_unit_test(an_order_has_a_form),
	    cmocka_unit_test(a_start_removes_what_a_crash_left),
	    cmocka_unit_test(without_its_entry_nothing_goes),
	    cmocka_unit_test(a_gap_without_an_entry_is_found),
	    cmocka_unit_test(a_gap_beyond_its_entry_is_found),
	    cmocka_unit_test(a_missing_file_is_named_as_ever),
	    cmocka_unit_test(an_entry_that_says_too_much_is_found),
	    cmocka_unit_test(a_forged_entry_is_found),
	    cmocka_unit_test(a_backup_is_made_anew),
	    cmocka_unit_test(a_backup_that_goes_on_removes_too),
	    cmocka_unit_test(a_backup_from_long_ago_goes_on),
	    cmocka_unit_test(the_entry_is_proven_to_readers),
	    cmocka_unit_test(an_answer_begins_with_it),
	    cmocka_unit_test(a_list_is_whole_from_there_on),
	};

	return cmocka_run_group_tests(
	    tests, ht_logged_make_world, ht_logged_drop_world);
}
