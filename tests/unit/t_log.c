#include "tests/lib/test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/log/evidence.h"
#include "keys/cosign.h"
#include "lib/base/fs.h"
#include "tests/lib/fault.h"

#define ORIGIN "gx.demo/log"

static struct ht_key *key;
static struct ht_vkey vkey;

static int
make_key(void **state)
{
	static const uint8_t seed[32] = "the log's key, for tests alone..";
	struct ht_pub pub;

	(void)state;
	assert_ok(ht_keys_init());
	assert_ok(ht_key_from_seed(HT_KEY_LOG, seed, &key));
	pub = ht_key_pub(key);
	assert_ok(ht_vkey_make(ORIGIN, &pub, &vkey));
	return 0;
}

static int
drop_key(void **state)
{
	(void)state;
	ht_key_free(&key);
	return 0;
}

/* ---- a log, and what should be in it ---- */

#define LEAVES_MAX 1200

struct fixture {
	char dir[HT_TEST_PATH_MAX];
	struct ht_log *log;
	uint64_t n;
	struct ht_hash leaves[LEAVES_MAX];
};

static struct ht_log *
must_open(const char *dir, const struct ht_key *with)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_log *log = NULL;
	enum ht_err err = ht_log_open(dir, ORIGIN, with, report, &log);

	if (err != HT_OK)
		fail_msg("%s: %s", ht_err_text(err),
		    ht_report_count(report) > 0 ? ht_report_text(report, 0)
		                                : "");
	assert_int_equal(ht_report_count(report), 0);
	return log;
}

/* It must not open, and one finding must have this text. */
static void
must_refuse(const char *dir, const struct ht_key *with, enum ht_err want,
    const char *text)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_log *log = NULL;

	assert_err(ht_log_open(dir, ORIGIN, with, report, &log), want);
	assert_null(log);
	assert_int_equal(ht_report_count(report), 1);
	if (strstr(ht_report_text(report, 0), text) == NULL)
		fail_msg("'%s' is not in: %s", text, ht_report_text(report, 0));
}

static void
start(struct fixture *f)
{
	f->n = 0;
	f->log = must_open(ht_test_dir(f->dir), key);
}

static void
finish(struct fixture *f)
{
	ht_log_close(&f->log);
	ht_test_dir_remove(f->dir);
}

/* A map payload {"reason": n}, of a length that varies. */
static void
add(struct fixture *f)
{
	uint8_t payload[600] = {0x81};
	struct ht_entry e = {.type = HT_ENTRY_STOP,
	    .time_us = 1000 + f->n,
	    .payload = HT_SLICE(payload, 1 + (f->n * 37) % 599)};

	assert_in_range(f->n, 0, LEAVES_MAX - 1);
	ht_be64(payload + 8, f->n);
	assert_ok(ht_log_append(f->log, &e, &f->leaves[f->n]));
	assert_int_equal(e.seq, f->n);
	f->n++;
}

static struct ht_slice
commit(struct fixture *f)
{
	struct ht_slice note;

	assert_ok(ht_log_commit(f->log, &note));
	assert_int_equal(ht_log_size(f->log), f->n);
	return note;
}

static void
fill(struct fixture *f, uint64_t n)
{
	while (n-- > 0)
		add(f);
	(void)commit(f);
}

static void
check_note(const struct fixture *f, struct ht_slice note)
{
	struct ht_checkpoint cp;
	struct ht_hash want = ht_merkle_root(f->leaves, f->n);

	assert_ok(ht_checkpoint_open(note, &vkey, &cp));
	assert_int_equal(cp.size, f->n);
	assert_true(ht_hash_eq(&cp.root, &want));
}

/* ---- growing, proving ---- */

static void
a_new_log_is_empty_and_signed(void **state)
{
	struct fixture f;
	struct ht_buf note = HT_BUF(2000);

	(void)state;
	start(&f);
	assert_int_equal(ht_log_size(f.log), 0);
	assert_ok(ht_log_checkpoint(f.log, &note));
	check_note(&f, ht_buf_slice(&note));
	check_note(&f, commit(&f)); /* an empty group is none */
	ht_buf_fini(&note);
	finish(&f);
}

static void
what_was_committed_survives_a_restart(void **state)
{
	struct fixture f;
	struct ht_buf note = HT_BUF(2000), leaf = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e;

	(void)state;
	start(&f);
	for (unsigned round = 0; round < 6; round++) {
		fill(&f, 1 + round * 19);
		ht_log_close(&f.log);
		f.log = must_open(f.dir, round % 2 == 0 ? key : NULL);
		assert_int_equal(ht_log_size(f.log), f.n);
		ht_buf_reset(&note);
		assert_ok(ht_log_checkpoint(f.log, &note));
		check_note(&f, ht_buf_slice(&note));
		if (round % 2 == 1) {
			ht_log_close(&f.log);
			f.log = must_open(f.dir, key);
		}
	}
	for (uint64_t i = 0; i < f.n; i++) {
		struct ht_hash hash;

		ht_buf_reset(&leaf);
		assert_ok(ht_log_read(f.log, i, &leaf));
		hash = ht_leaf_hash(ht_buf_slice(&leaf));
		assert_true(ht_hash_eq(&hash, &f.leaves[i]));
		assert_ok(ht_entry_decode(ht_buf_slice(&leaf), &e));
		assert_int_equal(e.seq, i);
	}
	assert_err(ht_log_read(f.log, f.n, &leaf), HT_ENOTFOUND);
	ht_buf_fini(&note);
	ht_buf_fini(&leaf);
	finish(&f);
}

static void
check_proofs(const struct fixture *f, uint64_t size)
{
	struct ht_hash path[HT_PROOF_MAX], old, stored;
	struct ht_hash root = ht_merkle_root(f->leaves, size);
	size_t n;

	assert_ok(ht_log_root(f->log, size, &stored));
	assert_true(ht_hash_eq(&stored, &root));
	for (uint64_t i = 0; i < size; i++) {
		assert_ok(ht_log_inclusion(f->log, i, size, path, &n));
		assert_true(
		    ht_check_inclusion(i, size, &f->leaves[i], path, n, &root));
	}
	for (uint64_t m = 1; m <= size; m += 1 + m / 7) {
		old = ht_merkle_root(f->leaves, m);
		assert_ok(ht_log_consistency(f->log, m, size, path, &n));
		assert_true(
		    ht_check_consistency(m, size, &old, &root, path, n));
	}
}

static void
proofs_hold_at_every_size(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	/* Groups of many sizes, so that chunks end in all their places. */
	for (uint64_t step = 1; f.n < 300; step = step % 23 + 1)
		fill(&f, step);
	for (uint64_t size = 1; size <= f.n; size++)
		check_proofs(&f, size);
	finish(&f);
}

static void
beyond_the_log_there_are_no_proofs(void **state)
{
	struct fixture f;
	struct ht_hash path[HT_PROOF_MAX];
	uint64_t places[2] = {3, 2};
	size_t n;

	(void)state;
	start(&f);
	fill(&f, 5);
	add(&f); /* open group: not readable yet */
	assert_err(ht_log_inclusion(f.log, 5, 6, path, &n), HT_ENOTFOUND);
	assert_err(ht_log_inclusion(f.log, 5, 5, path, &n), HT_ENOTFOUND);
	assert_err(ht_log_consistency(f.log, 0, 5, path, &n), HT_ENOTFOUND);
	assert_err(ht_log_consistency(f.log, 4, 3, path, &n), HT_ENOTFOUND);
	assert_err(ht_log_consistency(f.log, 4, 6, path, &n), HT_ENOTFOUND);
	assert_err(
	    ht_log_batch_proof(f.log, places, 2, 5, path, HT_PROOF_MAX, &n),
	    HT_EINVALID);
	assert_err(
	    ht_log_batch_proof(f.log, places, 1, 5, path, 1, &n), HT_ETOOBIG);
	finish(&f);
}

static void
one_proof_serves_a_bundle(void **state)
{
	struct fixture f;
	unsigned seed = 1;

	(void)state;
	start(&f);
	fill(&f, 500);
	for (unsigned round = 0; round < 300; round++) {
		struct ht_hash left[HT_COVER_MAX * 65], leaves[64], root, want;
		uint64_t places[64], at = 0;
		uint64_t size = 1 + (uint64_t)rand_r(&seed) % f.n;
		size_t n = 0, n_left;

		while (n < 64) {
			at += (uint64_t)rand_r(&seed) % 9;
			if (at >= size)
				break;
			leaves[n] = f.leaves[at];
			places[n++] = at++;
		}
		assert_ok(ht_log_batch_proof(
		    f.log, places, n, size, left, HT_COUNT(left), &n_left));
		assert_ok(ht_sparse_root(
		    size, places, leaves, n, left, n_left, &root));
		want = ht_merkle_root(f.leaves, size);
		assert_true(ht_hash_eq(&root, &want));
	}
	finish(&f);
}

static enum ht_err
count_leaf(void *arg, uint64_t seq, struct ht_slice leaf)
{
	struct fixture *f = arg;
	struct ht_hash hash = ht_leaf_hash(leaf);

	if (seq == 777)
		return HT_EAGAIN;
	assert_true(ht_hash_eq(&hash, &f->leaves[seq]));
	f->n++;
	return HT_OK;
}

static void
a_walk_meets_every_entry(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	fill(&f, 700);
	fill(&f, 300);
	f.n = 0;
	assert_ok(ht_log_walk(f.log, 0, 700, count_leaf, &f));
	assert_int_equal(f.n, 700);
	assert_err(ht_log_walk(f.log, 700, 1000, count_leaf, &f), HT_EAGAIN);
	assert_int_equal(f.n, 777);
	assert_err(ht_log_walk(f.log, 0, 1001, count_leaf, &f), HT_ENOTFOUND);
	assert_ok(ht_log_walk(f.log, 9, 9, count_leaf, &f));
	finish(&f);
}

static void
time_never_goes_back(void **state)
{
	struct fixture f;
	struct ht_entry e = {
	    .type = HT_ENTRY_STOP, .payload = ht_slice_str("\x80")};

	(void)state;
	start(&f);
	e.time_us = 500;
	assert_ok(ht_log_append(f.log, &e, &f.leaves[f.n++]));
	(void)commit(&f);
	ht_log_close(&f.log);
	f.log = must_open(f.dir, key);
	e.time_us = 400;
	assert_ok(ht_log_append(f.log, &e, &f.leaves[f.n++]));
	assert_int_equal(e.time_us, 500);
	(void)commit(&f);
	finish(&f);
}

static void
a_dropped_group_leaves_no_trace(void **state)
{
	struct fixture f;
	struct ht_entry e = {.type = HT_ENTRY_STOP};
	uint64_t before;

	(void)state;
	start(&f);
	fill(&f, 37);
	before = f.n;
	for (unsigned i = 0; i < 50; i++)
		add(&f);
	assert_ok(
	    ht_log_vault(f.log, ht_slice_str("tag"), ht_slice_str("body"), &e));
	ht_log_drop(f.log);
	f.n = before;
	assert_int_equal(ht_log_next(f.log), before);
	fill(&f, 90);
	check_note(&f, commit(&f));
	ht_log_close(&f.log);
	f.log = must_open(f.dir, key);
	check_proofs(&f, f.n);
	finish(&f);
}

static void
a_refused_entry_harms_no_group(void **state)
{
	struct fixture f;
	struct ht_entry e = {.type = 99, .payload = ht_slice_str("\x80")};

	(void)state;
	start(&f);
	add(&f);
	assert_err(ht_log_append(f.log, &e, NULL), HT_EINVALID);
	add(&f);
	check_note(&f, commit(&f));
	finish(&f);
}

static void
a_group_is_bounded(void **state)
{
	struct fixture f;
	struct ht_entry e = {
	    .type = HT_ENTRY_STOP, .payload = ht_slice_str("\x80")};
	struct ht_slice note;

	(void)state;
	start(&f);
	for (unsigned i = 0; i < HT_GROUP_MAX; i++)
		assert_ok(ht_log_append(f.log, &e, NULL));
	assert_err(ht_log_append(f.log, &e, NULL), HT_ETOOBIG);
	assert_ok(ht_log_commit(f.log, &note));
	assert_ok(ht_log_append(f.log, &e, NULL));
	assert_ok(ht_log_commit(f.log, &note));
	assert_int_equal(ht_log_size(f.log), HT_GROUP_MAX + 1);
	finish(&f);
}

/* ---- what must not pass ---- */

static void
one_writer_and_no_reader_beside(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	must_refuse(f.dir, key, HT_EAGAIN, "another process");
	must_refuse(f.dir, NULL, HT_EAGAIN, "a broker is writing");
	finish(&f);
}

static void
nothing_there_is_not_found(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	char dir[HT_TEST_PATH_MAX];
	struct ht_log *log = NULL;

	(void)state;
	ht_test_dir(dir);
	assert_err(ht_log_open(dir, NULL, NULL, report, &log), HT_ENOTFOUND);
	assert_int_equal(rmdir(dir), 0); /* and nothing was made */
}

static void
path_of(char out[static HT_TEST_PATH_MAX + 64], const struct fixture *f,
    const char *name)
{
	(void)snprintf(out, HT_TEST_PATH_MAX + 64, "%s/%s", f->dir, name);
}

static void
copy_file(const struct fixture *f, const char *from, const char *to)
{
	char a[HT_TEST_PATH_MAX + 64], b[HT_TEST_PATH_MAX + 64];
	struct ht_buf bytes = HT_BUF((size_t)64 << 20);

	path_of(a, f, from);
	path_of(b, f, to);
	assert_ok(ht_fs_read(a, &bytes));
	assert_ok(ht_fs_replace(b, 0600, ht_buf_slice(&bytes)));
	ht_buf_fini(&bytes);
}

static void
remove_file(const struct fixture *f, const char *name)
{
	char path[HT_TEST_PATH_MAX + 64];

	path_of(path, f, name);
	assert_int_equal(unlink(path), 0);
}

#define DATA "evidence/data.mdb"

/* Open by an operator's act: HT_OK, and ROLLBACK_SEEN is committed. */
static enum ht_err
go_on(struct fixture *f, uint64_t size, const char **ret_why)
{
	static char why[1000];
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(HT_LEAF_MAX);
	struct ht_rollback act = {
	    .size = size, .by = "uid 0 root", .why = "a disk died"};
	struct ht_entry e = {.type = HT_ENTRY_ROLLBACK_SEEN};
	enum ht_err err =
	    ht_log_open_behind(f->dir, ORIGIN, key, &act, report, &f->log);

	if (ret_why != NULL) {
		(void)snprintf(why, sizeof(why), "%s",
		    ht_report_count(report) > 0 ? ht_report_text(report, 0)
		                                : "");
		*ret_why = why;
	}
	if (err != HT_OK)
		return err;
	assert_true(ht_log_behind(f->log));
	assert_ok(ht_log_rollback_payload(f->log, &payload));
	e.payload = ht_buf_slice(&payload);
	assert_ok(ht_log_append(f->log, &e, &f->leaves[f->n]));
	f->n++;
	(void)commit(f);
	assert_false(ht_log_behind(f->log));
	return HT_OK;
}

static void
an_operator_goes_on_with_an_older_log(void **state)
{
	struct ht_rolled_back rolled;
	const char *why = NULL;
	struct fixture f;

	(void)state;
	start(&f);
	fill(&f, 20);
	assert_ok(ht_log_rolled_back(f.log, &rolled));
	assert_int_equal(rolled.anchor, 0);
	ht_log_close(&f.log);
	copy_file(&f, DATA, "old.mdb");
	f.log = must_open(f.dir, key);
	fill(&f, 7);
	ht_log_close(&f.log);
	assert_err(go_on(&f, 27, &why), HT_EINVALID); /* all is well */
	assert_non_null(strstr(why, "start without"));
	copy_file(&f, "old.mdb", DATA);
	f.n = 20;
	assert_err(go_on(&f, 26, &why), HT_EINVALID); /* another size */
	assert_non_null(strstr(why, "--accept-rollback 27"));
	must_refuse(f.dir, key, HT_EROLLBACK, "--accept-rollback 27");
	assert_ok(go_on(&f, 27, NULL));
	assert_ok(ht_log_rolled_back(f.log, &rolled));
	assert_int_equal(rolled.anchor, 27);
	assert_int_equal(rolled.place, 20);
	ht_log_close(&f.log);
	/* From here on it is a log like any other. */
	f.log = must_open(f.dir, key);
	fill(&f, 3);
	check_proofs(&f, f.n);
	finish(&f);
}

/* Evidence and anchor are both old: only another can know. */
static void
what_a_member_has_shown_is_kept(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *other = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf newer = HT_BUF(4096);
	HT_AUTO(ht_buf_fini) struct ht_buf false_one = HT_BUF(4096);
	uint8_t seed[32] = {77};
	struct ht_note note;
	struct ht_slice had;
	struct fixture f;

	(void)state;
	start(&f);
	fill(&f, 20);
	ht_log_close(&f.log);
	copy_file(&f, DATA, "old.mdb");
	copy_file(&f, "anchor", "old.anchor");
	f.log = must_open(f.dir, key);
	fill(&f, 7);
	had = commit(&f);
	ht_buf_add(&newer, had.at, had.len);
	ht_log_close(&f.log);
	copy_file(&f, "old.mdb", DATA);
	copy_file(&f, "old.anchor", "anchor");
	f.n = 20;
	f.log = must_open(f.dir, key);
	/* By another key it is nobody's word. */
	assert_ok(ht_note_parse(ht_buf_slice(&newer), &note));
	assert_ok(ht_key_from_seed(HT_KEY_LOG, seed, &other));
	assert_ok(ht_note_sign(note.text, false, ORIGIN, other, &false_one));
	assert_err(
	    ht_log_keep_ahead(f.log, ht_buf_slice(&false_one)), HT_EBADSIG);
	assert_ok(ht_log_keep_ahead(f.log, ht_buf_slice(&newer)));
	ht_log_close(&f.log);
	must_refuse(f.dir, key, HT_EROLLBACK, "--accept-rollback 27");
	assert_ok(go_on(&f, 27, NULL));
	ht_log_close(&f.log);
	f.log = must_open(f.dir, key);
	check_proofs(&f, f.n);
	finish(&f);
}

/* A cosigned checkpoint takes the bare one's place, early or late. */
static void
cosigned_checkpoints_are_stored(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *witness = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf both = HT_BUF(4096);
	HT_AUTO(ht_buf_fini) struct ht_buf found = HT_BUF(4096);
	uint8_t seed[32] = {78};
	struct ht_note note;
	uint64_t size = 0;
	struct ht_slice had;
	struct fixture f;

	(void)state;
	assert_ok(ht_key_from_seed(HT_KEY_WITNESS, seed, &witness));
	start(&f);
	fill(&f, 20);
	had = commit(&f);
	ht_buf_add(&both, had.at, had.len);
	assert_ok(ht_note_parse(had, &note));
	assert_ok(ht_cosign(note.text, "w", witness, 5, &both));
	assert_err(
	    ht_log_cosigned(f.log, UINT64_MAX, &found, &size), HT_ENOTFOUND);
	fill(&f, 5); /* the log has gone on */
	assert_ok(ht_log_cosign(f.log, 20, ht_buf_slice(&both)));
	(void)commit(&f); /* a group without an entry */
	assert_ok(ht_log_cosigned(f.log, UINT64_MAX, &found, &size));
	assert_int_equal(size, 20);
	assert_true(ht_slice_eq(ht_buf_slice(&found), ht_buf_slice(&both)));
	assert_err(ht_log_cosigned(f.log, 20, &found, &size), HT_ENOTFOUND);
	fill(&f, 5);
	ht_log_close(&f.log);
	/* And all of it passes the checks at start. */
	f.log = must_open(f.dir, key);
	ht_buf_reset(&found);
	assert_ok(ht_log_cosigned(f.log, UINT64_MAX, &found, &size));
	assert_int_equal(size, 20);
	assert_err(ht_log_cosign(f.log, 31, ht_buf_slice(&both)), HT_EINVALID);
	finish(&f);
}

static void
an_older_log_put_back_is_seen(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	fill(&f, 20);
	ht_log_close(&f.log);
	copy_file(&f, DATA, "old.mdb");
	f.log = must_open(f.dir, key);
	fill(&f, 3);
	ht_log_close(&f.log);
	copy_file(&f, DATA, "new.mdb");
	copy_file(&f, "old.mdb", DATA);
	must_refuse(f.dir, key, HT_EROLLBACK, "it is an older one");
	must_refuse(f.dir, NULL, HT_EROLLBACK, "it is an older one");
	remove_file(&f, DATA);
	must_refuse(f.dir, key, HT_EROLLBACK, "the evidence is gone");
	/* The newest comes back, and all is well again. */
	copy_file(&f, "new.mdb", DATA);
	f.log = must_open(f.dir, key);
	check_proofs(&f, f.n);
	finish(&f);
}

/* Same size, another history: the anchor tells them apart. */
static void
another_log_put_in_place_is_seen(void **state)
{
	struct fixture f, other;

	(void)state;
	start(&f);
	fill(&f, 20);
	ht_log_close(&f.log);
	start(&other);
	other.n = 1; /* other payloads */
	{
		struct ht_entry e = {.type = HT_ENTRY_STOP,
		    .time_us = 7,
		    .payload = ht_slice_str("\x80")};
		assert_ok(ht_log_append(other.log, &e, &other.leaves[0]));
	}
	fill(&other, 19);
	ht_log_close(&other.log);
	{
		char from[HT_TEST_PATH_MAX + 64], to[HT_TEST_PATH_MAX + 64];

		path_of(from, &other, "anchor");
		path_of(to, &f, "anchor");
		assert_int_equal(rename(from, to), 0);
	}
	must_refuse(f.dir, key, HT_EINTEGRITY, "the log is another one");
	remove_file(&f, "anchor");
	must_refuse(f.dir, key, HT_EINTEGRITY, "no valid anchor");
	ht_test_dir_remove(other.dir);
	finish(&f);
}

static void
another_key_is_refused(void **state)
{
	static const uint8_t seed[32] = "another key, for tests alone....";
	struct ht_key *other = NULL;
	struct fixture f;

	(void)state;
	assert_ok(ht_key_from_seed(HT_KEY_LOG, seed, &other));
	start(&f);
	fill(&f, 3);
	ht_log_close(&f.log);
	must_refuse(f.dir, other, HT_EINTEGRITY, "this log's key signed");
	ht_key_free(&other);
	finish(&f);
}

/* A torn anchor write leaves the slot before, whose tree is older: fine. */
static void
one_torn_slot_is_borne(void **state)
{
	char path[HT_TEST_PATH_MAX + 64];
	struct fixture f;
	uint64_t counter;
	int fd;

	(void)state;
	start(&f);
	fill(&f, 3);
	fill(&f, 3);
	counter = f.log->anchor.counter;
	ht_log_close(&f.log);
	path_of(path, &f, "anchor");
	fd = open(path, O_RDWR);
	assert_int_not_equal(fd, -1);
	assert_int_equal(pwrite(fd, "torn", 4,
	                     (off_t)(counter & 1) * HT_ANCHOR_STRIDE + 100),
	    4);
	f.log = must_open(f.dir, key);
	assert_int_equal(f.log->anchor.size, 6);
	check_note(&f, commit(&f));
	ht_log_close(&f.log);
	assert_int_equal(pwrite(fd, "torn", 4, 100), 4);
	assert_int_equal(pwrite(fd, "torn", 4, HT_ANCHOR_STRIDE + 100), 4);
	must_refuse(f.dir, key, HT_EINTEGRITY, "no valid anchor");
	assert_int_equal(close(fd), 0);
	finish(&f);
}

/* ---- flipped bits ---- */

struct raw {
	struct ht_store *store;
	uint8_t value[4096];
	size_t len;
};

static void
raw_put(struct fixture *f, unsigned db, struct ht_slice k, struct ht_slice v)
{
	char path[HT_TEST_PATH_MAX + 64];
	struct ht_store *store = NULL;
	struct ht_txn *txn = NULL;

	path_of(path, f, "evidence");
	assert_ok(ht_store_open(
	    path, HT_STORE_DERIVED, HT_EV_MAP, ht_ev_dbs, HT_EV_COUNT, &store));
	assert_ok(ht_txn_begin(store, true, &txn));
	assert_ok(ht_txn_put(txn, db, k, v));
	assert_ok(ht_txn_commit(&txn));
	ht_store_close(&store);
}

static size_t
raw_get(struct fixture *f, unsigned db, struct ht_slice k, uint8_t out[4096])
{
	char path[HT_TEST_PATH_MAX + 64];
	struct ht_store *store = NULL;
	struct ht_txn *txn = NULL;
	struct ht_slice v;
	size_t len;

	path_of(path, f, "evidence");
	assert_ok(ht_store_open(path, HT_STORE_READONLY, HT_EV_MAP, ht_ev_dbs,
	    HT_EV_COUNT, &store));
	assert_ok(ht_txn_begin(store, false, &txn));
	assert_ok(ht_txn_get(txn, db, k, &v));
	assert_in_range(v.len, 1, 4096);
	memcpy(out, v.at, v.len);
	len = v.len;
	ht_txn_abort(&txn);
	ht_store_close(&store);
	return len;
}

/* Flip one bit of each byte of a stored value; each must be seen at start. */
static void
flip_every_byte(
    struct fixture *f, unsigned db, struct ht_slice k, const char *finding)
{
	uint8_t value[4096];
	size_t len = raw_get(f, db, k, value);

	for (size_t i = 0; i < len; i++) {
		uint8_t bit = (uint8_t)(1u << (i % 8));

		value[i] ^= bit;
		raw_put(f, db, k, HT_SLICE(value, len));
		must_refuse(f->dir, key, HT_EINTEGRITY, finding);
		value[i] ^= bit;
	}
	raw_put(f, db, k, HT_SLICE(value, len));
	f->log = must_open(f->dir, key);
	ht_log_close(&f->log);
}

static void
every_flipped_bit_is_seen_at_start(void **state)
{
	struct fixture f;
	uint64_t seq = 18, chunk = 1;
	uint8_t up[9] = {4};

	(void)state;
	start(&f);
	fill(&f, 21);
	ht_log_close(&f.log);
	flip_every_byte(&f, HT_EV_ENTRIES, HT_SLICE(&seq, sizeof(seq)),
	    "entry 18 is not the one");
	seq = 0;
	flip_every_byte(&f, HT_EV_ENTRIES, HT_SLICE(&seq, sizeof(seq)),
	    "entry 0 is not the one");
	flip_every_byte(
	    &f, HT_EV_STATE, ht_slice_str("head"), "checksum of state/head");
	/* 21 = 16 + 4 + 1: the frontier is made of these chunks. */
	flip_every_byte(
	    &f, HT_EV_N0, HT_SLICE(&chunk, sizeof(chunk)), "n0, nup");
	flip_every_byte(&f, HT_EV_NUP, HT_SLICE(up, sizeof(up)), "n0, nup");
	finish(&f);
}

static void
entries_behind_the_last_are_seen(void **state)
{
	struct fixture f;
	uint64_t seq = 5;
	uint8_t value[4096];
	size_t len;

	(void)state;
	start(&f);
	fill(&f, 5);
	ht_log_close(&f.log);
	seq = 4;
	len = raw_get(&f, HT_EV_ENTRIES, HT_SLICE(&seq, sizeof(seq)), value);
	seq = 5;
	raw_put(&f, HT_EV_ENTRIES, HT_SLICE(&seq, sizeof(seq)),
	    HT_SLICE(value, len));
	must_refuse(f.dir, key, HT_EINTEGRITY, "entry 5 is not the one");
	finish(&f);
}

/* ---- the read-back: what differs is not signed ---- */

static void
break_leaf(struct ht_log *log)
{
	uint64_t seq = ht_log_next(log) - 3;
	struct ht_slice v;
	uint8_t copy[4096];

	assert_ok(ht_txn_get_u64(log->txn, HT_EV_ENTRIES, seq, &v));
	memcpy(copy, v.at, v.len);
	copy[30] ^= 1;
	assert_ok(ht_txn_put_u64(
	    log->txn, HT_EV_ENTRIES, seq, HT_SLICE(copy, v.len)));
}

/* Leaf and hash fit, but they are another's: only the tree can tell. */
static void
break_whole_leaf(struct ht_log *log)
{
	uint64_t seq = ht_log_next(log) - 3;
	struct ht_slice v;
	struct ht_hash hash;
	uint8_t copy[4096];

	assert_ok(ht_txn_get_u64(log->txn, HT_EV_ENTRIES, seq, &v));
	memcpy(copy, v.at, v.len);
	copy[30] ^= 1;
	hash = ht_leaf_hash(HT_SLICE(copy, v.len - 32));
	memcpy(copy + v.len - 32, hash.at, 32);
	assert_ok(ht_txn_put_u64(
	    log->txn, HT_EV_ENTRIES, seq, HT_SLICE(copy, v.len)));
}

static void
break_chunk(struct ht_log *log)
{
	log->tree.chunks[0].at[0].at[5] ^= 1;
}

static void
break_upper_chunk(struct ht_log *log)
{
	log->tree.chunks[1].at[log->tree.chunks[1].n - 1].at[5] ^= 1;
}

static void
break_frontier(struct ht_log *log)
{
	log->next.frontier.at[0].at[0] ^= 1;
}

static void
what_reads_back_otherwise_is_not_signed(void **state)
{
	static void (*const breaks[])(struct ht_log * log) = {break_leaf,
	    break_whole_leaf, break_chunk, break_upper_chunk, break_frontier};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(breaks); i++) {
		struct ht_slice note;
		struct ht_entry e = {
		    .type = HT_ENTRY_STOP, .payload = ht_slice_str("\x80")};
		struct fixture f;

		start(&f);
		fill(&f, 20);
		for (unsigned k = 0; k < 15; k++)
			add(&f);
		breaks[i](f.log);
		assert_err(ht_log_commit(f.log, &note), HT_EINTEGRITY);
		assert_int_equal(ht_log_size(f.log), 20);
		/* And no more of it. */
		assert_err(ht_log_append(f.log, &e, NULL), HT_ESTORE);
		assert_err(ht_log_commit(f.log, &note), HT_ESTORE);
		ht_log_close(&f.log);
		must_refuse(f.dir, key, HT_EINTEGRITY, "");
		ht_test_dir_remove(f.dir);
	}
}

/* ---- crashes ---- */

/* In a child that dies as by kill -9, at a chosen moment. */
static void
child(const char *dir, void (*act)(struct fixture *f))
{
	static struct fixture f;
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		f.log = must_open(dir, key);
		f.n = ht_log_size(f.log);
		act(&f);
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Killed when the vault is synced and the evidence not committed. */
static void
vault_without_evidence(struct fixture *f)
{
	struct ht_entry e = {.type = HT_ENTRY_STOP};

	add(f);
	if (ht_log_vault(f->log, ht_slice_str("orphan tag"),
	        ht_slice_str("orphan body"), &e) != HT_OK ||
	    ht_vault_sync(f->log->vault) != HT_OK)
		_exit(1);
}

/* Killed when the evidence is committed and the anchor not written. */
static void
evidence_without_anchor(struct fixture *f)
{
	add(f);
	if (ht_tree_flush(&f->log->tree) != HT_OK)
		_exit(1);
	f->log->next.root = ht_frontier_root(&f->log->next.frontier);
	f->log->next.vault = ht_vault_next(f->log->vault);
	if (ht_head_put(f->log->txn, &f->log->next, &f->log->leaf) != HT_OK ||
	    ht_txn_commit(&f->log->txn) != HT_OK)
		_exit(1);
}

static void
a_kill_between_the_steps_is_borne(void **state)
{
	char path[HT_TEST_PATH_MAX + 64];
	struct fixture f;
	struct stat before, after;

	(void)state;
	start(&f);
	fill(&f, 33);
	ht_log_close(&f.log);
	path_of(path, &f, "vault/0000000000000000.seg");
	assert_int_equal(stat(path, &before), 0);
	child(f.dir, vault_without_evidence);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_size > before.st_size);
	f.log = must_open(f.dir, key);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
	check_proofs(&f, 33);
	ht_log_close(&f.log);

	child(f.dir, evidence_without_anchor);
	f.log = must_open(f.dir, key);
	assert_int_equal(ht_log_size(f.log), 34);
	assert_int_equal(f.log->anchor.size, 34);
	finish(&f);
}

static void
a_truncated_vault_is_seen(void **state)
{
	char path[HT_TEST_PATH_MAX + 64];
	struct fixture f;
	struct ht_entry e = {.type = HT_ENTRY_STOP};

	(void)state;
	start(&f);
	assert_ok(
	    ht_log_vault(f.log, ht_slice_str("tag"), ht_slice_str("body"), &e));
	fill(&f, 1);
	ht_log_close(&f.log);
	path_of(path, &f, "vault/0000000000000000.seg");
	assert_int_equal(
	    truncate(path, HT_SEGMENT_HEAD + HT_VAULT_PIECE_MIN + 6), 0);
	must_refuse(f.dir, key, HT_EINTEGRITY, "the file ends at byte");
	assert_int_equal(unlink(path), 0);
	must_refuse(f.dir, key, HT_EINTEGRITY, "is missing");
	finish(&f);
}

/* A disk that takes no more: no acknowledgement, no more work, no loss. */
static void
a_full_disk_stops_the_log(void **state)
{
	char path[HT_TEST_PATH_MAX + 64];
	struct rlimit old, small;
	struct ht_slice note;
	struct fixture f;
	struct stat st;
	enum ht_err err;

	(void)state;
	start(&f);
	fill(&f, 100);
	path_of(path, &f, DATA);
	assert_int_equal(stat(path, &st), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = (rlim_t)st.st_size;
	for (unsigned i = 0; i < 400; i++)
		add(&f);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	err = ht_log_commit(f.log, &note);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(err, HT_ESTORE);
	assert_int_equal(ht_log_size(f.log), 100);
	assert_err(ht_log_commit(f.log, &note), HT_ESTORE);
	ht_log_close(&f.log);
	f.log = must_open(f.dir, key);
	f.n = 100;
	assert_int_equal(ht_log_size(f.log), 100);
	fill(&f, 50);
	check_note(&f, commit(&f));
	finish(&f);
}

/* ---- the rest ---- */

static void
the_last_checkpoint_is_kept(void **state)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	struct fixture f;
	struct ht_slice note;

	(void)state;
	start(&f);
	fill(&f, 3);
	fill(&f, 4);
	ht_log_close(&f.log);
	f.log = must_open(f.dir, NULL);
	assert_ok(ht_txn_begin(f.log->store, false, &txn));
	assert_ok(ht_txn_get_u64(txn, HT_EV_CPS, 7, &note));
	check_note(&f, note);
	ht_txn_abort(&txn);
	finish(&f);
}

static enum ht_err
attempt(const char *dir, struct ht_log **ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();

	return ht_log_open(dir, ORIGIN, key, report, ret);
}

static void
every_allocation_may_fail(void **state)
{
	struct ht_log *log = NULL;
	struct fixture f;
	enum ht_err err = HT_OK;

	(void)state;
	start(&f);
	fill(&f, 7);
	ht_log_close(&f.log);
	TORTURE(err = attempt(f.dir, &log))
	{
		if (err == HT_OK) /* the report alone was lost */
			ht_log_close(&log);
		else
			assert_int_equal(err, HT_ENOMEM);
		assert_null(log);
	}
	assert_ok(err);
	assert_int_equal(ht_log_size(log), 7);
	ht_log_close(&log);
	finish(&f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_new_log_is_empty_and_signed),
    cmocka_unit_test(what_was_committed_survives_a_restart),
    cmocka_unit_test(proofs_hold_at_every_size),
    cmocka_unit_test(beyond_the_log_there_are_no_proofs),
    cmocka_unit_test(one_proof_serves_a_bundle),
    cmocka_unit_test(a_walk_meets_every_entry),
    cmocka_unit_test(time_never_goes_back),
    cmocka_unit_test(a_dropped_group_leaves_no_trace),
    cmocka_unit_test(a_refused_entry_harms_no_group),
    cmocka_unit_test(a_group_is_bounded),
    cmocka_unit_test(one_writer_and_no_reader_beside),
    cmocka_unit_test(nothing_there_is_not_found),
    cmocka_unit_test(an_older_log_put_back_is_seen),
    cmocka_unit_test(an_operator_goes_on_with_an_older_log),
    cmocka_unit_test(what_a_member_has_shown_is_kept),
    cmocka_unit_test(cosigned_checkpoints_are_stored),
    cmocka_unit_test(another_log_put_in_place_is_seen),
    cmocka_unit_test(another_key_is_refused),
    cmocka_unit_test(one_torn_slot_is_borne),
    cmocka_unit_test(every_flipped_bit_is_seen_at_start),
    cmocka_unit_test(entries_behind_the_last_are_seen),
    cmocka_unit_test(what_reads_back_otherwise_is_not_signed),
    cmocka_unit_test(a_kill_between_the_steps_is_borne),
    cmocka_unit_test(a_truncated_vault_is_seen),
    cmocka_unit_test(a_full_disk_stops_the_log),
    cmocka_unit_test(the_last_checkpoint_is_kept),
    cmocka_unit_test(every_allocation_may_fail),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, make_key, drop_key);
}
