/*
 * t_vouch.c -- who has cosigned what, over the audit socket: which checkpoints
 * are told, and that nothing but this log's own history is believed.
 */
#include "tests/lib/test.h"

#include "broker/audit/vouch.h"
#include "keys/witness.h"
#include "tests/lib/fault.h"
#include "tests/lib/history.h"

#define NOW_MS UINT64_C(1795482123000)
#define ORIGIN "gx.demo/log"

static struct ht_world *world;
static struct ht_key *keys[3];
static const char *const names[] = {
    "tax.demo/a/witness", "tax.demo/b/witness", "tax.demo/c/witness"};

static int
begin(void **state)
{
	(void)state;
	world = ht_world_new(NOW_MS);
	for (unsigned i = 0; i < 3; i++) {
		uint8_t seed[32] = {(uint8_t)(40 + i)};

		assert_ok(ht_key_from_seed(HT_KEY_WITNESS, seed, &keys[i]));
	}
	return 0;
}

static int
end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		ht_key_free(&keys[i]);
	ht_world_free(&world);
	return 0;
}

/* ---- which are told ---- */

static void
note_of(const char *by, struct ht_buf *out)
{
	ht_buf_reset(out);
	ht_buf_str(out, "log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
	                "\n\n\xe2\x80\x94 log AAAAAAAAAAAAAAAA\n");
	for (; *by != '\0'; by++)
		ht_buf_fmt(out, "\xe2\x80\x94 %c AAAAAAAAAAAAAAAA\n", *by);
	assert_ok(out->err);
}

/* Newest first: who cosigned each, and which of them say something. */
static const struct {
	const char *why;
	const char *by[6]; /* "-": no more */
	const char *told;
} choices[] = {
    {"one witness, again and again",   {"a", "a", "a", "-"},         "ynn" },
    {"each one's newest",              {"a", "a", "b", "a", "-"},    "ynyn"},
    {"and the newest of both at once", {"a", "b", "ab", "ab", "-"},  "yyyn"},
    {"and of all three",               {"c", "ab", "abc", "-"},      "yyy" },
    {"fewer tell nothing new",         {"abc", "ab", "a", "-"},      "ynn" },
    {"one who was away for long",      {"ab", "ab", "ab", "c", "-"}, "ynny"},
};

static void
what_says_something_is_told(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(4096);

	(void)state;
	for (size_t i = 0; i < HT_COUNT(choices); i++) {
		struct ht_vouch_choice choice = {0};

		for (size_t k = 0; choices[i].by[k][0] != '-'; k++) {
			note_of(choices[i].by[k], &note);
			if (ht_vouch_choose(&choice, ht_buf_slice(&note)) !=
			    (choices[i].told[k] == 'y'))
				fail_msg("%s: number %zu", choices[i].why, k);
		}
	}
}

/* ---- a log with cosigned checkpoints ---- */

struct fixture {
	char dir[HT_TEST_PATH_MAX];
	struct ht_log *log;
	struct ht_history h;
	struct ht_quorum *policy; /* two of three */
	struct ht_checkpoint cp;
	size_t n;
	struct ht_buf frames[8];
};

static void
cosign(struct fixture *f, const char *by)
{
	struct ht_buf both = HT_BUF(4096);
	struct ht_slice ignored;
	struct ht_note note;
	uint64_t size = ht_log_size(f->log);

	assert_ok(ht_log_checkpoint(f->log, &both));
	for (; *by != '\0'; by++) {
		unsigned i = (unsigned)(*by - 'a');

		assert_ok(ht_note_parse(ht_buf_slice(&both), &note));
		assert_ok(
		    ht_cosign(note.text, names[i], keys[i], 1000 + i, &both));
	}
	assert_ok(ht_log_cosign(f->log, size, ht_buf_slice(&both)));
	assert_ok(ht_log_commit(f->log, &ignored));
	ht_buf_fini(&both);
}

static void
make_policy(struct fixture *f)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(4096);
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_pub pub = ht_key_pub(world->log_key);
	char vkey[HT_VKEY_MAX];
	struct ht_vkey key;

	assert_ok(ht_vkey_make(ORIGIN, &pub, &key));
	ht_vkey_text(&key, vkey);
	ht_buf_fmt(&text, "log %s\n", vkey);
	for (unsigned i = 0; i < 3; i++) {
		pub = ht_key_pub(keys[i]);
		assert_ok(
		    ht_vkey_make_as(names[i], HT_VKEY_COSIGN, &pub, &key));
		ht_vkey_text(&key, vkey);
		ht_buf_fmt(&text, "witness w%u %s\n", i, vkey);
	}
	ht_buf_str(&text, "group g 2 w0 w1 w2\nquorum g\n");
	assert_ok(
	    ht_quorum_parse("policy", ht_buf_slice(&text), report, &f->policy));
}

static enum ht_err
keep(void *arg, struct ht_slice frame)
{
	struct fixture *f = arg;

	assert_in_range(f->n, 0, HT_COUNT(f->frames) - 1);
	f->frames[f->n] = HT_BUF(HT_AUDIT_FRAME_MAX);
	ht_buf_add(&f->frames[f->n], frame.at, frame.len);
	return f->frames[f->n++].err;
}

static void
start(struct fixture *f)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();

	memset(f, 0, sizeof(*f));
	assert_ok(ht_log_open(
	    ht_test_dir(f->dir), ORIGIN, world->log_key, report, &f->log));
	ht_history_init(&f->h, world, f->log);
	ht_history_start(&f->h);
	cosign(f, "c");
	ht_history_exchanges(&f->h, 5, 3, 1, NULL);
	cosign(f, "ab");
	ht_history_exchanges(&f->h, 7, 3, 1, NULL);
	cosign(f, "ab");
	ht_history_exchanges(&f->h, 9, 3, 1, NULL);
	cosign(f, "a");
	ht_history_exchanges(&f->h, 3, 3, 1, NULL);
	make_policy(f);
	f->cp.size = ht_log_size(f->log);
	assert_ok(ht_log_root(f->log, f->cp.size, &f->cp.root));
	assert_ok(ht_vouch_make(f->log, f->cp.size, keep, f));
}

static void
drop_frames(struct fixture *f)
{
	while (f->n > 0)
		ht_buf_fini(&f->frames[--f->n]);
}

static void
finish(struct fixture *f)
{
	drop_frames(f);
	ht_quorum_free(&f->policy);
	ht_log_close(&f->log);
	ht_test_dir_remove(f->dir);
}

static enum ht_err
check(const struct fixture *f, size_t i, uint64_t *below,
    struct ht_quorum_seen *seen)
{
	struct ht_vouched v;

	return ht_vouch_check(
	    f->policy, &f->cp, ht_buf_slice(&f->frames[i]), below, &v, seen);
}

static void
each_is_proven_of_the_log_at_hand(void **state)
{
	struct fixture f;
	struct ht_quorum_seen seen;
	uint64_t below;

	(void)state;
	start(&f);
	below = f.cp.size + 1;
	assert_int_equal(f.n, 3); /* a's, the newest of two, c's */
	assert_ok(check(&f, 0, &below, &seen));
	assert_false(seen.met);
	assert_ok(check(&f, 1, &below, &seen));
	assert_true(seen.met);
	assert_ok(check(&f, 2, &below, &seen));
	assert_int_equal(seen.cp.size, 2);
	assert_int_equal(seen.time_s[2], 1002);
	/* Not once more, and not the older one first. */
	assert_err(check(&f, 2, &below, &seen), HT_EMALFORMED);
	assert_err(check(&f, 1, &below, &seen), HT_EMALFORMED);
	/* The newest itself, with nothing behind it. */
	drop_frames(&f);
	cosign(&f, "abc");
	assert_ok(ht_vouch_make(f.log, f.cp.size, keep, &f));
	below = f.cp.size + 1;
	assert_ok(check(&f, 0, &below, &seen));
	assert_int_equal(seen.cp.size, f.cp.size);
	assert_int_equal(seen.n_signed, 3);
	finish(&f);
}

/* Every bit that is turned is noticed, and another history is named. */
static void
another_history_is_refused(void **state)
{
	struct fixture f;
	struct ht_quorum_seen seen;

	(void)state;
	start(&f);
	for (size_t k = 0; k < f.frames[1].len; k++) {
		uint64_t below = f.cp.size + 1;
		enum ht_err err;

		f.frames[1].at[k] ^= (uint8_t)(1u << (k % 8));
		err = check(&f, 1, &below, &seen);
		/* A line whose key it names no more is nobody's. */
		if (err == HT_OK && seen.met)
			fail_msg("byte %zu made no difference", k);
		f.frames[1].at[k] ^= (uint8_t)(1u << (k % 8));
	}
	f.cp.root.at[3] ^= 1;
	for (size_t i = 0; i < f.n; i++) {
		uint64_t below = f.cp.size + 1;

		assert_err(check(&f, i, &below, &seen), HT_EINTEGRITY);
	}
	finish(&f);
}

static void
an_allocation_that_fails_is_said(void **state)
{
	struct fixture f;
	enum ht_err err = HT_OK;

	(void)state;
	start(&f);
	drop_frames(&f);
	TORTURE(err = ht_vouch_make(f.log, f.cp.size, keep, &f))
	{
		assert_int_equal(err, HT_ENOMEM);
		drop_frames(&f);
	}
	assert_ok(err);
	finish(&f);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_says_something_is_told),
	    cmocka_unit_test(each_is_proven_of_the_log_at_hand),
	    cmocka_unit_test(another_history_is_refused),
	    cmocka_unit_test(an_allocation_that_fails_is_said),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
