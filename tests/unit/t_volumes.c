/* Closed volumes: whoever reads the log does not notice; who damages it does.
 */
#include "tests/lib/logged.h"

#include <sys/stat.h>
#include <unistd.h>

#include "broker/check/fsck.h"
#include "broker/check/verify.h"
#include "broker/index/index.h"
#include "broker/log/copy.h"
#include "broker/log/evidence.h"
#include "lib/base/fs.h"

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
	grow(f, 8);
}

static void
finish(struct fixture *f)
{
	ht_log_close(&f->log);
	ht_report_free(&f->report);
	ht_test_dir_remove(f->dir);
}

static void
close_volume(struct fixture *f)
{
	ht_history_volume(&f->h);
	ht_history_keep(&f->h);
	ht_history_forget(&f->h);
}

static bool
said(const struct fixture *f, const char *words)
{
	for (unsigned i = 0; i < ht_report_count(f->report); i++)
		if (strstr(ht_report_text(f->report, i), words) != NULL)
			return true;
	return false;
}

/* ---- all that a reader can ask ---- */

static enum ht_err
sum_leaf(void *arg, uint64_t seq, struct ht_slice leaf)
{
	struct ht_entry e;

	assert_ok(ht_entry_decode(leaf, &e));
	assert_int_equal(e.seq, seq);
	ht_sha256_add(arg, leaf);
	return HT_OK;
}

static void
sum_entry(
    struct ht_log *log, uint64_t seq, uint64_t size, struct ht_sha256_run *run)
{
	HT_AUTO(ht_buf_fini) struct ht_buf buf = HT_BUF((size_t)1 << 20);
	struct ht_hash path[HT_PROOF_MAX], leaf, root;
	struct ht_entry e;
	size_t n;
	enum ht_err err;

	assert_ok(ht_log_read(log, seq, &buf));
	leaf = ht_leaf_hash(ht_buf_slice(&buf));
	assert_ok(ht_log_inclusion(log, seq, size, path, &n));
	assert_ok(ht_log_root(log, size, &root));
	assert_true(ht_check_inclusion(seq, size, &leaf, path, n, &root));
	assert_ok(ht_entry_decode(ht_buf_slice(&buf), &e));
	ht_sha256_add(run, ht_buf_slice(&buf));
	{
		HT_AUTO(ht_buf_fini) struct ht_buf more = HT_BUF(1 << 20);
		HT_AUTO(ht_buf_fini) struct ht_buf tag = HT_BUF(HT_TAG_MAX);

		assert_ok(ht_log_read_vault(log, &e, &tag, &more));
		ht_sha256_add(run, ht_buf_slice(&tag));
		err = ht_log_read_bundle(log, seq, &more);
		assert_true(err == HT_OK || err == HT_ENOTFOUND);
		ht_sha256_add(run, ht_buf_slice(&more));
	}
}

/* Of the first @size entries: each alone, then all of them in a row. */
static struct ht_hash
sum(struct ht_log *log, uint64_t size)
{
	struct ht_sha256_run run;

	ht_sha256_begin(&run);
	for (uint64_t seq = 0; seq < size; seq++)
		sum_entry(log, seq, size, &run);
	assert_ok(ht_log_walk(log, 0, size, sum_leaf, &run));
	assert_ok(ht_log_walk(log, size / 3, size, sum_leaf, &run));
	return ht_sha256_end(&run);
}

static void
holds(const char *dir, uint64_t size, uint64_t volumes, uint64_t kept)
{
	struct ht_verify v = {
	    .vkey = &ht_logged_vkey, .trust = ht_logged_world->trust};
	enum ht_err err = ht_verify_log(dir, &v);

	if (err != HT_OK)
		fail_msg("%s: entry %llu: %s", dir,
		    (unsigned long long)v.bad_seq, v.bad);
	assert_int_equal(v.size, size);
	assert_int_equal(v.volumes, volumes);
	assert_int_equal(v.kept, kept);
	assert_true(v.pieces > 0 && v.signatures > 0);
}

static void
count_finding(void *arg, enum ht_fsck_part part, const char *what)
{
	(void)part;
	(void)what;
	++*(unsigned *)arg;
}

static unsigned
fsck(const char *dir)
{
	unsigned n = 0;
	struct ht_fsck s = {.found = count_finding, .arg = &n};

	assert_ok(ht_fsck_log(dir, &s));
	return n;
}

/* A stopped look at the log as it is now. */
static void
holds_now(struct fixture *f, uint64_t volumes, uint64_t kept)
{
	uint64_t size = ht_log_size(f->log);

	ht_log_close(&f->log);
	holds(f->log_dir, size, volumes, kept);
	assert_int_equal(fsck(f->log_dir), 0);
	open_log(f);
}

/* ---- closing ---- */

static uint64_t
rows_of(struct fixture *f, unsigned db)
{
	struct ht_txn *txn = NULL;
	uint64_t n;

	assert_ok(ht_txn_begin(f->log->store, false, &txn));
	assert_ok(ht_txn_count(txn, db, &n));
	ht_txn_abort(&txn);
	return n;
}

static void
no_reader_notices(void **state)
{
	struct ht_hash before, after;
	struct fixture f;
	uint64_t size, end;

	(void)state;
	start(&f);
	size = ht_log_size(f.log);
	before = sum(f.log, size);
	for (unsigned step = 0; step < 3; step++) {
		if (step == 0)
			ht_history_volume(&f.h);
		else if (step == 1)
			ht_history_keep(&f.h);
		else
			ht_history_forget(&f.h);
		for (unsigned again = 0; again < 2; again++) {
			after = sum(f.log, size);
			assert_true(ht_hash_eq(&before, &after));
			holds_now(&f, 1, step == 0 ? 0 : size);
		}
	}
	assert_int_equal(rows_of(&f, HT_EV_ENTRIES), ht_log_size(f.log) - size);
	assert_int_equal(rows_of(&f, HT_EV_BUNDLES), 0);
	assert_err(ht_volumes_write(f.log, NULL, &end), HT_ENOTFOUND);
	finish(&f);
}

/* Two are closed before the first has a file; then a third. */
static void
ranges_wait_for_their_files(void **state)
{
	struct ht_hash before, after;
	struct fixture f;
	uint64_t size, ends[3];

	(void)state;
	start(&f);
	for (unsigned i = 0; i < 2; i++) {
		ends[i] = ht_log_size(f.log);
		ht_history_volume(&f.h);
		grow(&f, 4);
	}
	size = ht_log_size(f.log);
	before = sum(f.log, size);
	holds_now(&f, 2, 0);
	ht_history_keep(&f.h);
	holds_now(&f, 2, ends[0]);
	ht_history_forget(&f.h);
	ht_history_keep(&f.h);
	holds_now(&f, 2, ends[1]);
	after = sum(f.log, size);
	assert_true(ht_hash_eq(&before, &after));
	ends[2] = ht_log_size(f.log);
	close_volume(&f);
	after = sum(f.log, size);
	assert_true(ht_hash_eq(&before, &after));
	holds_now(&f, 3, ends[2]);
	grow(&f, 1);
	holds_now(&f, 3, ends[2]);
	finish(&f);
}

static void
what_cannot_be_closed(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf p = HT_BUF(100);
	struct ht_entry e = {.type = HT_ENTRY_STOP,
	    .payload = HT_SLICE("\x81\xa6reason\xa4none", 13)};
	struct fixture f;

	(void)state;
	start(&f);
	/* Nothing of it before its entry. */
	assert_ok(ht_log_append(f.log, &e, NULL));
	assert_err(ht_log_volume(f.log, &p), HT_EINVALID);
	ht_log_drop(f.log);
	assert_err(ht_log_keep(f.log, ht_log_size(f.log)), HT_EINVALID);
	ht_history_volume(&f.h);
	/* The range has its own entry alone. */
	assert_err(ht_log_volume(f.log, &p), HT_EINVALID);
	ht_log_drop(f.log);
	/* A file that is not there, one that is another's. */
	assert_err(ht_log_keep(f.log, ht_log_size(f.log) - 1), HT_ENOTFOUND);
	holds_now(&f, 1, 0);
	finish(&f);
}

/*
 * As many files as there may be: what is closed beyond them keeps its rows,
 * and nothing more is closed.
 */
static void
there_is_a_last_file(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf p = HT_BUF(100);
	struct ht_hash before, after;
	struct fixture f;
	uint64_t size, kept, end;

	(void)state;
	start(&f);
	f.log->volumes.max = 2;
	close_volume(&f);
	/* Two more are closed before the next file is written. */
	grow(&f, 2);
	ht_history_volume(&f.h);
	grow(&f, 2);
	kept = ht_log_size(f.log);
	ht_history_volume(&f.h);
	grow(&f, 2);
	size = ht_log_size(f.log);
	before = sum(f.log, size);
	ht_history_keep(&f.h);
	assert_err(ht_volumes_write(f.log, NULL, &end), HT_ETOOBIG);
	assert_err(ht_log_keep(f.log, kept), HT_ETOOBIG);
	ht_log_drop(f.log);
	assert_err(ht_log_volume(f.log, &p), HT_ETOOBIG);
	ht_log_drop(f.log);
	ht_history_forget(&f.h);
	grow(&f, 1);
	after = sum(f.log, size);
	assert_true(ht_hash_eq(&before, &after));
	assert_int_equal(f.log->volumes.n, 2);
	holds_now(&f, 3, f.log->volumes.state.kept);
	finish(&f);
}

/* A dropped group closes nothing, and leaves no segment. */
static void
a_dropped_entry_closes_nothing(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf p = HT_BUF(100);
	struct ht_entry e = {.type = HT_ENTRY_VOLUME};
	struct fixture f;
	uint64_t end;

	(void)state;
	start(&f);
	assert_ok(ht_log_volume(f.log, &p));
	e.payload = ht_buf_slice(&p);
	assert_ok(ht_log_append(f.log, &e, NULL));
	ht_log_drop(f.log);
	assert_err(ht_volumes_write(f.log, NULL, &end), HT_ENOTFOUND);
	grow(&f, 2);
	holds_now(&f, 0, 0);
	close_volume(&f);
	holds_now(&f, 1, ht_log_size(f.log) - 1);
	finish(&f);
}

static void
writing_can_be_stopped(void **state)
{
	HT_AUTO(ht_mem_free) char *fresh = NULL;
	static const atomic_bool stop = true;
	struct fixture f;
	uint64_t end;

	(void)state;
	start(&f);
	ht_history_volume(&f.h);
	assert_err(ht_volumes_write(f.log, &stop, &end), HT_EAGAIN);
	fresh = ht_volumes_path(f.log->volumes.dir, 0, ".new");
	assert_int_equal(access(fresh, F_OK), -1);
	ht_history_keep(&f.h);
	ht_history_forget(&f.h);
	holds_now(&f, 1, end);
	finish(&f);
}

/* The folder of volumes may be on another disk. */
static void
the_folder_may_be_a_link(void **state)
{
	HT_AUTO(ht_mem_free) char *far = NULL;
	struct fixture f;

	(void)state;
	start(&f);
	far = ht_fs_join(f.dir, "far");
	assert_ok(ht_fs_mkdirs(far, 0700));
	assert_int_equal(symlink(far, f.log->volumes.dir), 0);
	close_volume(&f);
	grow(&f, 1);
	holds_now(&f, 1, f.log->volumes.state.kept);
	close_volume(&f);
	holds_now(&f, 2, f.log->volumes.state.kept);
	assert_int_equal(unlink(f.log->volumes.dir), 0);
	finish(&f);
}

/* ---- when ---- */

static void
when_a_range_is_due(void **state)
{
	/* 2026-11-30T15:59:59Z: in Beijing a second before December. */
	static const uint64_t last = UINT64_C(1796054399000000);
	static const struct {
		const char *why;
		struct ht_volumes_conf conf;
		uint64_t first, size, first_us, now_us;
		int zone;
		bool due;
	} table[] = {
	    {"never",                    {false, 0}, 0,   1u << 30,          0,        last,                            0,   false},
	    {"the same month",           {true, 0},  0,   9,                 last,     last + 1,                        0,   false},
	    {"the same month there",     {true, 0},  0,   9,                 last - 1, last,                            480,
             false	                                                                                                        },
	    {"a month there",            {true, 0},  0,   9,                 last,     last + 1000000,                  480, true },
	    {"not yet here",             {true, 0},  0,   9,                 last,     last + 1000000,                  0,   false},
	    {"a year",                   {true, 0},  0,   9,                 last,     last + UINT64_C(31536000000000),
             0,	                                                                                                      true },
	    {"nothing in it",            {true, 0},  8,   9,                 last,     last + 1000000,                  480,
             false	                                                                                                        },
	    {"an entry in it",           {true, 0},  8,   10,                last,     last + 1000000,                  480,
             true	                                                                                                         },
	    {"an empty log",             {true, 5},  0,   0,                 0,        last,                            0,   false},
	    {"too few",                  {false, 5}, 0,   4,                 last,     last,                            0,   false},
	    {"enough",                   {false, 5}, 0,   5,                 last,     last,                            0,   true },
	    {"too few since",            {false, 5}, 100, 104,               last,     last,                            0,   false},
	    {"enough since",             {true, 5},  100, 105,               last,     last,                            0,   true },
	    {"all that a file may have", {true, 0},  0,   HT_VOLUME_ENTRIES, last,
             last,	                                                                                              0,   true },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(table); i++) {
		struct ht_volumes_state s = {.first = table[i].first};

		if (ht_volumes_due(&table[i].conf, &s, table[i].size,
		        table[i].first_us, table[i].now_us,
		        table[i].zone) != table[i].due)
			fail_msg("%s", table[i].why);
	}
}

/* ---- damage ---- */

static void
spoil(const char *path, size_t at)
{
	FILE *file = fopen(path, "r+");
	int byte;

	assert_non_null(file);
	assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
	byte = fgetc(file);
	assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
	assert_int_not_equal(fputc(byte ^ 1, file), EOF);
	assert_int_equal(fclose(file), 0);
}

static void
a_missing_file_is_named(void **state)
{
	struct ht_verify v = {.vkey = &ht_logged_vkey};
	HT_AUTO(ht_mem_free) char *path = NULL, *away = NULL;
	struct fixture f;

	(void)state;
	start(&f);
	close_volume(&f);
	grow(&f, 2);
	path = ht_volumes_path(f.log->volumes.dir, 0, "");
	away = ht_volumes_path(f.dir, 0, ".away");
	ht_log_close(&f.log);
	assert_int_equal(rename(path, away), 0);
	assert_err(ht_log_open(f.log_dir, HT_LOGGED_ORIGIN,
	               ht_logged_world->log_key, f.report, &f.log),
	    HT_EINTEGRITY);
	assert_true(said(&f, "volumes/0000000000000000.vol"));
	assert_err(ht_verify_log(f.log_dir, &v), HT_EINTEGRITY);
	assert_non_null(strstr(v.bad, "put it back"));
	assert_true(fsck(f.log_dir) > 0);
	assert_int_equal(rename(away, path), 0);
	open_log(&f);
	holds_now(&f, 1, f.log->volumes.state.kept);
	finish(&f);
}

static void
a_damaged_file_is_found(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	struct ht_verify v = {.vkey = &ht_logged_vkey};
	HT_AUTO(ht_mem_free) char *path = NULL;
	struct fixture f;

	(void)state;
	start(&f);
	close_volume(&f);
	path = ht_volumes_path(f.log->volumes.dir, 0, "");
	spoil(path, 400);
	assert_err(ht_log_read(f.log, 0, &leaf), HT_EINTEGRITY);
	f.done = (struct ht_copy){.from = f.log,
	    .dir = f.copy_dir,
	    .kind = HT_COPY_BACKUP,
	    .vkey = &ht_logged_vkey};
	assert_err(ht_log_copy(&f.done, f.report), HT_EINTEGRITY);
	assert_true(said(&f, "does not hold"));
	ht_log_close(&f.log);
	assert_err(ht_verify_log(f.log_dir, &v), HT_EINTEGRITY);
	assert_true(v.has_bad_seq);
	assert_int_equal(v.bad_seq, 0);
	assert_true(fsck(f.log_dir) > 0);
	finish(&f);
}

/* Whole, and well signed: of another log. */
static void
the_file_of_another_log_is_refused(void **state)
{
	HT_AUTO(ht_mem_free) char *path = NULL, *other = NULL;
	struct fixture f, g;

	(void)state;
	start(&f);
	start(&g);
	close_volume(&f);
	close_volume(&g);
	path = ht_volumes_path(f.log->volumes.dir, 0, "");
	other = ht_volumes_path(g.log->volumes.dir, 0, "");
	ht_log_close(&f.log);
	ht_log_close(&g.log);
	assert_int_equal(rename(other, path), 0);
	assert_err(ht_log_open(f.log_dir, HT_LOGGED_ORIGIN,
	               ht_logged_world->log_key, f.report, &f.log),
	    HT_EINTEGRITY);
	finish(&f);
	finish(&g);
}

/* ---- copies ---- */

static enum ht_err
copy(struct fixture *f, struct ht_log *from, const char *dir,
    enum ht_copy_kind kind)
{
	f->done = (struct ht_copy){
	    .from = from, .dir = dir, .kind = kind, .vkey = &ht_logged_vkey};
	return ht_log_copy(&f->done, f->report);
}

static ino_t
inode_of(const char *dir, const char *name)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(dir, name);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static bool
same_file(const char *a, const char *b, const char *name)
{
	HT_AUTO(ht_buf_fini) struct ht_buf one = HT_BUF((size_t)16 << 20);
	HT_AUTO(ht_buf_fini) struct ht_buf two = HT_BUF((size_t)16 << 20);
	HT_AUTO(ht_mem_free) char *path_a = ht_fs_join(a, name);
	HT_AUTO(ht_mem_free) char *path_b = ht_fs_join(b, name);

	assert_ok(ht_fs_read(path_a, &one));
	assert_ok(ht_fs_read(path_b, &two));
	return ht_slice_eq(ht_buf_slice(&one), ht_buf_slice(&two));
}

#define FIRST_FILE "volumes/0000000000000000.vol"

/* Made before a volume is closed, and after: then of it nothing again. */
static void
a_backup_follows_volumes(void **state)
{
	struct fixture f;
	uint64_t end;
	ino_t file;

	(void)state;
	start(&f);
	assert_ok(copy(&f, f.log, f.copy_dir, HT_COPY_BACKUP));
	grow(&f, 3);
	end = ht_log_size(f.log);
	close_volume(&f);
	grow(&f, 1);
	assert_ok(copy(&f, f.log, f.copy_dir, HT_COPY_BACKUP));
	holds(f.copy_dir, ht_log_size(f.log), 1, end);
	assert_true(same_file(f.log_dir, f.copy_dir, FIRST_FILE));
	file = inode_of(f.copy_dir, FIRST_FILE);
	close_volume(&f);
	grow(&f, 1);
	assert_ok(copy(&f, f.log, f.copy_dir, HT_COPY_BACKUP));
	holds(f.copy_dir, ht_log_size(f.log), 2, f.log->volumes.state.kept);
	assert_int_equal(inode_of(f.copy_dir, FIRST_FILE), file);
	assert_int_equal(fsck(f.copy_dir), 0);
	finish(&f);
}

/* The first backup has them from the start; a log is made of it, and goes on.
 */
static void
a_restored_log_has_its_volumes(void **state)
{
	HT_AUTO(ht_log_close) struct ht_log *from = NULL;
	struct ht_hash before, after;
	struct fixture f;
	uint64_t size;

	(void)state;
	start(&f);
	close_volume(&f);
	grow(&f, 2);
	close_volume(&f); /* whose entry is the last there is */
	size = ht_log_size(f.log);
	before = sum(f.log, size);
	assert_ok(copy(&f, f.log, f.copy_dir, HT_COPY_BACKUP));
	assert_ok(ht_log_open(f.copy_dir, NULL, NULL, f.report, &from));
	after = sum(from, size);
	assert_true(ht_hash_eq(&before, &after));
	assert_ok(copy(&f, from, f.again_dir, HT_COPY_RESTORE));
	assert_ok(ht_log_copy_done(f.again_dir));
	holds(f.again_dir, size, 2, size - 1);
	ht_log_close(&f.log);
	memcpy(f.log_dir, f.again_dir, sizeof(f.log_dir));
	open_log(&f);
	after = sum(f.log, size);
	assert_true(ht_hash_eq(&before, &after));
	/* What is new stands in a segment of its own. */
	grow(&f, 2);
	holds_now(&f, 2, size - 1);
	close_volume(&f);
	holds_now(&f, 3, ht_log_size(f.log) - 1);
	finish(&f);
}

/* ---- the index ---- */

static void
an_index_is_made_of_files_too(void **state)
{
	struct fixture f;
	struct ht_index *index = NULL;
	HT_AUTO(ht_mem_free) char *dir = NULL;
	bool more = true;

	(void)state;
	start(&f);
	close_volume(&f);
	grow(&f, 1);
	dir = ht_fs_join(f.log_dir, "index");
	assert_ok(ht_index_open(dir, f.log, &index));
	while (more)
		assert_ok(ht_index_catch_up(index, 17, &more));
	assert_int_equal(ht_index_upto(index), ht_log_size(f.log));
	ht_index_close(&index);
	holds_now(&f, 1, f.log->volumes.state.kept); /* fsck compares it */
	finish(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_reader_notices),
	    cmocka_unit_test(ranges_wait_for_their_files),
	    cmocka_unit_test(what_cannot_be_closed),
	    cmocka_unit_test(there_is_a_last_file),
	    cmocka_unit_test(a_dropped_entry_closes_nothing),
	    cmocka_unit_test(writing_can_be_stopped),
	    cmocka_unit_test(the_folder_may_be_a_link),
	    cmocka_unit_test(when_a_range_is_due),
	    cmocka_unit_test(a_missing_file_is_named),
	    cmocka_unit_test(a_damaged_file_is_found),
	    cmocka_unit_test(the_file_of_another_log_is_refused),
	    cmocka_unit_test(a_backup_follows_volumes),
	    cmocka_unit_test(a_restored_log_has_its_volumes),
	    cmocka_unit_test(an_index_is_made_of_files_too),
	};

	return cmocka_run_group_tests(
	    tests, ht_logged_make_world, ht_logged_drop_world);
}
