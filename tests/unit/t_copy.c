/* Copies: a backup that follows its log, and a log made of a backup. */
#include "tests/lib/logged.h"

#include <unistd.h>

#include "broker/check/verify.h"
#include "broker/log/copy.h"
#include "broker/log/evidence.h"
#include "lib/base/fs.h"
#include "tests/lib/fault.h"

/* ---- a log, its backup, and the log made of that ---- */

struct fixture {
	char dir[HT_TEST_PATH_MAX];
	char log_dir[HT_TEST_PATH_MAX + 16];
	char copy_dir[HT_TEST_PATH_MAX + 16];
	char again_dir[HT_TEST_PATH_MAX + 16];
	struct ht_log *log;
	struct ht_history h;
	struct ht_report *report;
	struct ht_copy done; /* of the last copy */
};

static void
open_log(struct fixture *f)
{
	assert_ok(ht_log_open(f->log_dir, HT_LOGGED_ORIGIN,
	    ht_logged_world->log_key, f->report, &f->log));
	f->h.log = f->log;
}

static void
grow(struct fixture *f, unsigned exchanges)
{
	for (unsigned i = 0; i < exchanges; i++)
		ht_history_exchanges(&f->h, 3, 2, 1, NULL);
}

static void
start(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->report = ht_report_new();
	ht_test_dir(f->dir);
	(void)snprintf(f->log_dir, sizeof(f->log_dir), "%s/log", f->dir);
	(void)snprintf(f->copy_dir, sizeof(f->copy_dir), "%s/copy", f->dir);
	(void)snprintf(f->again_dir, sizeof(f->again_dir), "%s/again", f->dir);
	open_log(f);
	ht_history_init(&f->h, ht_logged_world, f->log);
	ht_history_start(&f->h);
	grow(f, 3);
}

static void
finish(struct fixture *f)
{
	ht_log_close(&f->log);
	ht_report_free(&f->report);
	ht_test_dir_remove(f->dir);
}

static enum ht_err
copy(struct fixture *f, struct ht_log *from, const char *dir,
    enum ht_copy_kind kind, struct ht_slice seen)
{
	f->done = (struct ht_copy){.from = from,
	    .dir = dir,
	    .kind = kind,
	    .vkey = &ht_logged_vkey,
	    .seen = seen};
	return ht_log_copy(&f->done, f->report);
}

static enum ht_err
backup(struct fixture *f)
{
	return copy(f, f->log, f->copy_dir, HT_COPY_BACKUP, HT_SLICE(NULL, 0));
}

static enum ht_err
restore(struct fixture *f, struct ht_slice seen)
{
	HT_AUTO(ht_log_close) struct ht_log *from = NULL;

	assert_ok(ht_log_open(f->copy_dir, NULL, NULL, f->report, &from));
	return copy(f, from, f->again_dir, HT_COPY_RESTORE, seen);
}

static enum ht_err
open_again(struct fixture *f)
{
	HT_AUTO(ht_log_close) struct ht_log *log = NULL;

	return ht_log_open(f->again_dir, HT_LOGGED_ORIGIN,
	    ht_logged_world->log_key, f->report, &log);
}

static void
holds(const char *dir, uint64_t size)
{
	struct ht_verify v = {
	    .vkey = &ht_logged_vkey, .trust = ht_logged_world->trust};

	assert_ok(ht_verify_log(dir, &v));
	assert_int_equal(v.size, size);
	assert_false(v.no_vault);
	assert_true(v.pieces > 0);
}

static bool
said(const struct fixture *f, const char *words)
{
	for (unsigned i = 0; i < ht_report_count(f->report); i++)
		if (strstr(ht_report_text(f->report, i), words) != NULL)
			return true;
	return false;
}

/* Whole lines of the files: what one has and the other has not. */
static bool
same_file(const char *a, const char *b, const char *name)
{
	struct ht_buf one = HT_BUF((size_t)16 << 20), two = one;
	char *path_a = ht_fs_join(a, name), *path_b = ht_fs_join(b, name);
	bool same;

	assert_ok(ht_fs_read(path_a, &one));
	assert_ok(ht_fs_read(path_b, &two));
	same = one.len == two.len && memcmp(one.at, two.at, one.len) == 0;
	ht_buf_fini(&one);
	ht_buf_fini(&two);
	free(path_a);
	free(path_b);
	return same;
}

/* ---- backups ---- */

static void
a_backup_of_an_open_log_is_a_whole_log(void **state)
{
	struct fixture f;
	uint64_t size;

	(void)state;
	start(&f);
	size = ht_log_size(f.log);
	assert_ok(backup(&f));
	assert_int_equal(f.done.had, 0);
	assert_int_equal(f.done.size, size);
	assert_true(f.done.bytes > 0);
	holds(f.copy_dir, size);
	assert_true(
	    same_file(f.log_dir, f.copy_dir, "vault/0000000000000000.seg"));
	finish(&f);
}

static void
the_next_one_copies_what_is_new(void **state)
{
	struct fixture f;
	uint64_t size, bytes;

	(void)state;
	start(&f);
	grow(&f, 40); /* more than a page or two */
	assert_ok(backup(&f));
	size = f.done.size;
	bytes = f.done.bytes;
	grow(&f, 2);
	assert_ok(backup(&f));
	assert_int_equal(f.done.had, size);
	assert_int_equal(f.done.size, ht_log_size(f.log));
	assert_true(f.done.bytes < bytes / 4);
	holds(f.copy_dir, f.done.size);
	/* Nor does one that finds nothing new spoil anything. */
	assert_ok(backup(&f));
	assert_int_equal(f.done.had, f.done.size);
	assert_int_equal(f.done.bytes, 0);
	holds(f.copy_dir, f.done.size);
	finish(&f);
}

/* A checkpoint that witnesses cosign later replaces the bare one. */
static void
cosignatures_that_came_later_are_taken_over(void **state)
{
	struct ht_buf note = HT_BUF(4096), got = HT_BUF(4096);
	HT_AUTO(ht_log_close) struct ht_log *from = NULL;
	struct ht_slice newest;
	struct fixture f;
	uint64_t size, at;

	(void)state;
	start(&f);
	size = ht_log_size(f.log);
	assert_ok(ht_log_checkpoint(f.log, &note));
	assert_ok(backup(&f));
	ht_buf_str(&note, "\xe2\x80\x94 gx.demo/w1 AAAAAAAAAAAAAAAA\n");
	assert_ok(ht_log_cosign(f.log, size, ht_buf_slice(&note)));
	assert_ok(ht_log_commit(f.log, &newest));
	grow(&f, 1);
	assert_ok(backup(&f));
	assert_ok(ht_log_open(f.copy_dir, NULL, NULL, f.report, &from));
	assert_ok(ht_log_cosigned(from, UINT64_MAX, &got, &at));
	assert_int_equal(at, size);
	ht_buf_fini(&note);
	ht_buf_fini(&got);
	finish(&f);
}

static void
one_that_was_stopped_goes_on(void **state)
{
	atomic_bool stop = true;
	struct fixture f;

	(void)state;
	start(&f);
	f.done = (struct ht_copy){.from = f.log,
	    .dir = f.copy_dir,
	    .vkey = &ht_logged_vkey,
	    .stop = &stop};
	assert_err(ht_log_copy(&f.done, f.report), HT_EAGAIN);
	assert_ok(backup(&f));
	holds(f.copy_dir, ht_log_size(f.log));
	finish(&f);
}

/* Wherever it ends, the next attempt goes on, and nothing is spoilt. */
static void
one_that_fails_anywhere_goes_on(void **state)
{
	HT_AUTO(ht_log_close) struct ht_log *from = NULL;
	enum ht_err err = HT_OK;
	unsigned failed = 0;
	struct fixture f;

	(void)state;
	start(&f);
	TORTURE(err = backup(&f))
	{
		failed += err != HT_OK;
	}
	assert_ok(err);
	assert_true(failed > 10);
	holds(f.copy_dir, ht_log_size(f.log));
	assert_ok(ht_log_open(f.copy_dir, NULL, NULL, f.report, &from));
	failed = 0;
	TORTURE(err = copy(
	            &f, from, f.again_dir, HT_COPY_RESTORE, HT_SLICE(NULL, 0)))
	{
		failed += err != HT_OK;
	}
	assert_ok(err);
	assert_true(failed > 10);
	holds(f.again_dir, ht_log_size(f.log));
	finish(&f);
}

/* What a crash left behind the copy's head is written over, or cut off. */
static void
orphans_in_a_backup_do_no_harm(void **state)
{
	struct fixture f;
	char path[HT_TEST_PATH_MAX + 64];
	FILE *file;

	(void)state;
	start(&f);
	assert_ok(backup(&f));
	(void)snprintf(
	    path, sizeof(path), "%s/vault/0000000000000000.seg", f.copy_dir);
	file = fopen(path, "a");
	assert_non_null(file);
	fputs("half a piece, and more than the next pieces are long", file);
	assert_int_equal(fclose(file), 0);
	grow(&f, 1);
	assert_ok(backup(&f));
	holds(f.copy_dir, f.done.size);
	assert_true(
	    same_file(f.log_dir, f.copy_dir, "vault/0000000000000000.seg"));
	finish(&f);
}

static atomic_bool halt;

static void
halt_now(void *arg, uint64_t done, uint64_t total)
{
	(void)arg;
	(void)done;
	(void)total;
	atomic_store(&halt, true);
}

/*
 * The file of a volume is in the backup, and the rows of its entries are gone,
 * but the checkpoint that the backup is of comes before its end.
 */
static void
a_backup_cut_amid_a_volume_is_restored(void **state)
{
	struct fixture f;
	uint64_t size;

	(void)state;
	start(&f);
	assert_ok(backup(&f));
	size = f.done.size;
	for (unsigned i = 0; i < 12; i++) /* more than one batch */
		ht_history_exchanges(&f.h, 63, 1, 1, NULL);
	ht_history_volume(&f.h);
	ht_history_keep(&f.h);
	ht_history_forget(&f.h);
	f.done = (struct ht_copy){.from = f.log,
	    .dir = f.copy_dir,
	    .kind = HT_COPY_BACKUP,
	    .vkey = &ht_logged_vkey,
	    .stop = &halt,
	    .progress = halt_now};
	atomic_store(&halt, false);
	assert_err(ht_log_copy(&f.done, f.report), HT_EAGAIN);
	assert_true(f.done.size < ht_log_size(f.log) - 1);
	assert_ok(restore(&f, HT_SLICE(NULL, 0)));
	assert_true(f.done.size >= size);
	{
		struct ht_verify v = {
		    .vkey = &ht_logged_vkey, .trust = ht_logged_world->trust};

		assert_ok(ht_verify_log(f.again_dir, &v));
		assert_true(v.bundles > 0 && v.signatures == v.bundles);
	}
	finish(&f);
}

/* Batches until it is halted. */
static void
halt_later(void *arg, uint64_t done, uint64_t total)
{
	unsigned *left = arg;

	(void)done;
	(void)total;
	if (--*left == 0)
		atomic_store(&halt, true);
}

/*
 * What an order destroyed is destroyed in a backup when there is a checkpoint
 * behind the order: whatever is restored of it has both, or neither.
 */
static void
a_backup_cut_behind_an_erasure_is_restored(void **state)
{
	static const struct {
		unsigned batches;
		uint64_t erased;
	} table[] = {
	    {1, 0}, /* up to the ERASE, and no checkpoint yet */
	    {2, 2}, /* the one that a VOLUME entry brought */
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(table); i++) {
		struct ht_verify v = {
		    .vkey = &ht_logged_vkey, .trust = ht_logged_world->trust};
		unsigned left = table[i].batches;
		struct fixture f;
		uint64_t first, size;

		start(&f);
		ht_history_exchanges(&f.h, 3, 3, 1, &first);
		assert_ok(backup(&f));
		size = f.done.size;
		(void)ht_history_erase(&f.h, 1, first, 2);
		grow(&f, 3);
		ht_history_volume(&f.h);
		for (unsigned n = 0; n < 12; n++) /* more than one batch */
			ht_history_exchanges(&f.h, 63, 1, 1, NULL);
		f.done = (struct ht_copy){.from = f.log,
		    .dir = f.copy_dir,
		    .kind = HT_COPY_BACKUP,
		    .vkey = &ht_logged_vkey,
		    .stop = &halt,
		    .progress = halt_later,
		    .arg = &left};
		atomic_store(&halt, false);
		assert_err(ht_log_copy(&f.done, f.report), HT_EAGAIN);
		assert_ok(restore(&f, HT_SLICE(NULL, 0)));
		assert_true(table[i].erased > 0 ? f.done.size > size
		                                : f.done.size == size);
		assert_ok(ht_verify_log(f.again_dir, &v));
		assert_int_equal(v.erased, table[i].erased);
		/* The next one goes on, and follows the order. */
		assert_ok(backup(&f));
		v = (struct ht_verify){
		    .vkey = &ht_logged_vkey, .trust = ht_logged_world->trust};
		assert_ok(ht_verify_log(f.copy_dir, &v));
		assert_int_equal(v.erased, 2);
		finish(&f);
	}
}

/* A crash in the first moment leaves the mark without its name. */
static void
a_folder_with_half_a_mark_is_free(void **state)
{
	static const struct {
		const char *name;
		bool free;
	} table[] = {
	    {"backup.Ab12Cd",  true },
	    {"backup.tar.gz",  false},
	    {"backup.Ab12C",   false},
	    {"backup.Ab12Cde", false},
	    {"backupxAb12Cd",  false},
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < HT_COUNT(table); i++) {
		HT_AUTO(ht_mem_free) char *path = NULL;

		start(&f);
		assert_ok(ht_fs_mkdirs(f.copy_dir, 0700));
		path = ht_fs_join(f.copy_dir, table[i].name);
		assert_ok(ht_fs_create(path, 0600, ht_slice_str("half")));
		assert_err(backup(&f), table[i].free ? HT_OK : HT_EINVALID);
		finish(&f);
	}
}

static void
a_folder_with_something_else_is_left_alone(void **state)
{
	struct fixture f;
	char path[HT_TEST_PATH_MAX + 64];

	(void)state;
	start(&f);
	assert_ok(ht_fs_mkdirs(f.copy_dir, 0700));
	(void)snprintf(path, sizeof(path), "%s/thesis.odt", f.copy_dir);
	assert_ok(ht_fs_create(path, 0600, ht_slice_str("x")));
	assert_err(backup(&f), HT_EINVALID);
	assert_true(said(&f, "something else than a backup"));
	/* Nor is the log itself one. */
	assert_err(
	    copy(&f, f.log, f.log_dir, HT_COPY_BACKUP, HT_SLICE(NULL, 0)),
	    HT_EINVALID);
	finish(&f);
}

static void
a_backup_is_of_one_log(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	assert_ok(backup(&f));
	ht_log_close(&f.log);
	(void)snprintf(f.log_dir, sizeof(f.log_dir), "%s/other", f.dir);
	open_log(&f);
	ht_history_start(&f.h);
	assert_err(backup(&f), HT_EINVALID);
	assert_true(said(&f, "copy of another log"));
	finish(&f);
}

static void
a_backup_that_has_more_is_a_finding(void **state)
{
	struct fixture f;
	uint64_t size;

	(void)state;
	start(&f);
	assert_ok(backup(&f));
	assert_ok(restore(&f, HT_SLICE(NULL, 0)));
	assert_ok(ht_log_copy_done(f.again_dir));
	grow(&f, 1);
	assert_ok(backup(&f));
	size = f.done.size;
	/* The older one takes its place, and the backup knows more. */
	ht_log_close(&f.log);
	memcpy(f.log_dir, f.again_dir, sizeof(f.log_dir));
	open_log(&f);
	assert_err(backup(&f), HT_EROLLBACK);
	assert_true(said(&f, "an older log was put back"));
	holds(f.copy_dir, size); /* untouched */
	finish(&f);
}

static void
damage(const char *dir, const char *name, long at)
{
	char *path = ht_fs_join(dir, name);
	FILE *file = fopen(path, "r+");

	assert_non_null(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	fputs("*", file);
	assert_int_equal(fclose(file), 0);
	free(path);
}

/* One rotten piece must not leave an operator without any backup. */
static void
a_bad_piece_is_said_and_the_rest_is_copied(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	damage(f.log_dir, "vault/0000000000000000.seg",
	    HT_SEGMENT_HEAD + HT_VAULT_PIECE_MIN + 10);
	assert_err(backup(&f), HT_EINTEGRITY);
	assert_true(said(&f, "all was copied, but 1 tags or bodies"));
	assert_int_equal(f.done.size, ht_log_size(f.log));
	finish(&f);
}

/* What is not as it was written is no ground to go on from. */
static void
a_spoilt_backup_is_not_gone_on_with(void **state)
{
	struct ht_buf bytes = HT_BUF((size_t)16 << 20);
	struct fixture f;
	char path[HT_TEST_PATH_MAX + 64];
	unsigned n = 0;
	uint8_t *at;

	(void)state;
	start(&f);
	assert_ok(backup(&f));
	(void)snprintf(path, sizeof(path), "%s/evidence/data.mdb", f.copy_dir);
	assert_ok(ht_fs_read(path, &bytes));
	for (at = bytes.at;
	     (at = memmem(at, bytes.len - (size_t)(at - bytes.at),
	          "gx.demo/SCZTDJ", 14)) != NULL;
	     n++)
		*at++ ^= 1;
	assert_true(n > 0);
	assert_ok(ht_fs_replace(path, 0600, ht_buf_slice(&bytes)));
	assert_err(backup(&f), HT_EINTEGRITY);
	assert_true(said(&f, "not the one that was logged"));
	ht_buf_fini(&bytes);
	finish(&f);
}

/* ---- making a log of one ---- */

static void
a_drill_ends_in_the_same_root(void **state)
{
	struct ht_hash root;
	struct fixture f;
	uint64_t size;

	(void)state;
	start(&f);
	size = ht_log_size(f.log);
	assert_ok(ht_log_root(f.log, size, &root));
	assert_ok(backup(&f));
	assert_ok(restore(&f, HT_SLICE(NULL, 0)));
	assert_int_equal(f.done.ahead, 0);
	assert_true(ht_hash_eq(&f.done.root, &root));
	holds(f.again_dir, size);
	/* Nobody writes to it before it was verified; then it goes on. */
	assert_err(open_again(&f), HT_EINVALID);
	assert_true(said(&f, "restore into this folder has not ended"));
	assert_ok(ht_log_copy_done(f.again_dir));
	ht_log_close(&f.log);
	memcpy(f.log_dir, f.again_dir, sizeof(f.log_dir));
	open_log(&f);
	grow(&f, 2);
	size = ht_log_size(f.log);
	ht_log_close(&f.log);
	holds(f.log_dir, size);
	finish(&f);
}

static void
no_broker_writes_into_a_backup(void **state)
{
	struct ht_log *log = NULL;
	struct fixture f;

	(void)state;
	start(&f);
	assert_ok(backup(&f));
	assert_err(ht_log_open(f.copy_dir, HT_LOGGED_ORIGIN,
	               ht_logged_world->log_key, f.report, &log),
	    HT_EINVALID);
	assert_true(said(&f, "this folder is a backup"));
	finish(&f);
}

static void
nothing_is_restored_over_a_log(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	assert_ok(backup(&f));
	memcpy(f.again_dir, f.log_dir, sizeof(f.again_dir));
	ht_log_close(&f.log);
	assert_err(restore(&f, HT_SLICE(NULL, 0)), HT_EINVALID);
	assert_true(said(&f, "nothing is written over it"));
	finish(&f);
}

/* The evidence is lost, the anchor stands: it knows what was given out. */
static void
a_surviving_anchor_is_not_forgotten(void **state)
{
	struct fixture f;
	char from[HT_TEST_PATH_MAX + 64], to[HT_TEST_PATH_MAX + 64];
	uint64_t size;

	(void)state;
	start(&f);
	assert_ok(backup(&f));
	grow(&f, 1);
	size = ht_log_size(f.log);
	ht_log_close(&f.log);
	assert_ok(ht_fs_mkdirs(f.again_dir, 0700));
	(void)snprintf(from, sizeof(from), "%s/anchor", f.log_dir);
	(void)snprintf(to, sizeof(to), "%s/anchor", f.again_dir);
	assert_int_equal(rename(from, to), 0);

	assert_ok(restore(&f, HT_SLICE(NULL, 0)));
	assert_int_equal(f.done.ahead, size);
	holds(f.again_dir, f.done.size);
	assert_ok(ht_log_copy_done(f.again_dir));
	assert_err(open_again(&f), HT_EROLLBACK);
	(void)snprintf(to, sizeof(to), "%s/anchor.%llu", f.again_dir,
	    (unsigned long long)size);
	assert_int_equal(access(to, F_OK), 0);
	finish(&f);
}

static void
a_checkpoint_that_somebody_has_counts(void **state)
{
	struct ht_buf old = HT_BUF(4096), newer = HT_BUF(4096);
	struct fixture f;

	(void)state;
	start(&f);
	assert_ok(ht_log_checkpoint(f.log, &old));
	assert_ok(backup(&f));
	grow(&f, 1);
	assert_ok(ht_log_checkpoint(f.log, &newer));
	assert_err(restore(&f, ht_slice_str("no note\n")), HT_EINVALID);
	/* An attempt that failed is gone on with. */
	assert_ok(restore(&f, ht_buf_slice(&old)));
	assert_int_equal(f.done.ahead, 0);
	assert_ok(restore(&f, ht_buf_slice(&newer)));
	assert_int_equal(f.done.ahead, ht_log_size(f.log));
	assert_ok(ht_log_copy_done(f.again_dir));
	assert_err(open_again(&f), HT_EROLLBACK);
	ht_buf_fini(&old);
	ht_buf_fini(&newer);
	finish(&f);
}

/* ... and the log goes on by the operator's act, as any other. */
static void
a_log_restored_behind_goes_on_by_the_act(void **state)
{
	struct ht_rollback act = {.by = "uid 0", .why = "a disk died"};
	struct ht_buf newer = HT_BUF(4096), payload = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e = {.type = HT_ENTRY_ROLLBACK_SEEN};
	struct ht_slice note;
	struct fixture f;
	uint64_t size;

	(void)state;
	start(&f);
	assert_ok(backup(&f));
	size = f.done.size;
	grow(&f, 1);
	assert_ok(ht_log_checkpoint(f.log, &newer));
	act.size = ht_log_size(f.log);
	assert_ok(restore(&f, ht_buf_slice(&newer)));
	assert_ok(ht_log_copy_done(f.again_dir));
	ht_log_close(&f.log);
	assert_ok(ht_log_open_behind(f.again_dir, HT_LOGGED_ORIGIN,
	    ht_logged_world->log_key, &act, f.report, &f.log));
	assert_ok(ht_log_rollback_payload(f.log, &payload));
	e.payload = ht_buf_slice(&payload);
	e.time_us = f.h.now_us;
	assert_ok(ht_log_append(f.log, &e, NULL));
	assert_ok(ht_log_commit(f.log, &note));
	ht_log_close(&f.log);
	holds(f.again_dir, size + 1);
	ht_buf_fini(&newer);
	ht_buf_fini(&payload);
	finish(&f);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_backup_cut_amid_a_volume_is_restored),
	    cmocka_unit_test(a_backup_cut_behind_an_erasure_is_restored),
	    cmocka_unit_test(a_folder_with_half_a_mark_is_free),
	    cmocka_unit_test(a_backup_of_an_open_log_is_a_whole_log),
	    cmocka_unit_test(the_next_one_copies_what_is_new),
	    cmocka_unit_test(cosignatures_that_came_later_are_taken_over),
	    cmocka_unit_test(one_that_was_stopped_goes_on),
	    cmocka_unit_test(one_that_fails_anywhere_goes_on),
	    cmocka_unit_test(orphans_in_a_backup_do_no_harm),
	    cmocka_unit_test(a_folder_with_something_else_is_left_alone),
	    cmocka_unit_test(a_backup_is_of_one_log),
	    cmocka_unit_test(a_backup_that_has_more_is_a_finding),
	    cmocka_unit_test(a_bad_piece_is_said_and_the_rest_is_copied),
	    cmocka_unit_test(a_spoilt_backup_is_not_gone_on_with),
	    cmocka_unit_test(a_drill_ends_in_the_same_root),
	    cmocka_unit_test(no_broker_writes_into_a_backup),
	    cmocka_unit_test(nothing_is_restored_over_a_log),
	    cmocka_unit_test(a_surviving_anchor_is_not_forgotten),
	    cmocka_unit_test(a_checkpoint_that_somebody_has_counts),
	    cmocka_unit_test(a_log_restored_behind_goes_on_by_the_act),
	};

	return cmocka_run_group_tests(
	    tests, ht_logged_make_world, ht_logged_drop_world);
}
