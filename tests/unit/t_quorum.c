/*
 * t_quorum.c -- policies of whose word counts: the published vectors
 * (tests/vectors/), the limits, and every subset of a small quorum.
 */
#include "tests/lib/test.h"

#include "keys/quorum.h"
#include "tests/lib/fault.h"
#include "tests/lib/vectors.h"

static struct ht_vkey
vkey_of(enum ht_vkey_type type, const char *name, unsigned n)
{
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	uint8_t seed[32] = {0};
	struct ht_vkey vkey;
	struct ht_pub pub;

	ht_be32(seed, n + 1);
	assert_ok(ht_key_from_seed(HT_KEY_WITNESS, seed, &key));
	pub = ht_key_pub(key);
	assert_ok(ht_vkey_make_as(name, type, &pub, &vkey));
	return vkey;
}

/* ---- the published vectors ---- */

static void
vector_holds(char *column[static 5])
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1 << 16);
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(1 << 16);
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_quorum_free) struct ht_quorum *quorum = NULL;
	char *name = column[0], *want = column[2];
	struct ht_quorum_seen seen;
	enum ht_err err;

	ht_vector_file("policy", name, ".policy", &text);
	err = ht_quorum_parse("p", ht_buf_slice(&text), report, &quorum);
	if (strncmp(want, "line ", 5) == 0) {
		char where[40];

		assert_err(err, HT_EINVALID);
		assert_null(quorum);
		(void)snprintf(where, sizeof(where), "p:%s", want + 5);
		if (strcmp(ht_report_where(report, 0), where) != 0)
			fail_msg("%s: %s: %s, not at line %s", name,
			    ht_report_where(report, 0),
			    ht_report_text(report, 0), want + 5);
		return;
	}
	if (err != HT_OK)
		fail_msg("%s: %s: %s", name, ht_report_where(report, 0),
		    ht_report_text(report, 0));
	ht_vector_file("policy", column[1], ".note", &note);
	err = ht_quorum_check(quorum, ht_buf_slice(&note), &seen);
	if (err != (strcmp(want, "false") == 0 ? HT_EBADSIG : HT_OK) ||
	    (err == HT_OK && seen.met != (strcmp(want, "met") == 0)))
		fail_msg("%s, %s: not %s", name, column[1], want);
}

static void
vectors_hold(void **state)
{
	(void)state;
	ht_vectors("policy", vector_holds);
}

/* ---- what is read ---- */

static void
what_it_says_can_be_asked(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1 << 16);
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(1 << 16);
	HT_AUTO(ht_quorum_free) struct ht_quorum *quorum = NULL;
	struct ht_quorum_seen seen;
	struct ht_slice name;

	(void)state;
	ht_vector_file("policy", "example", ".policy", &text);
	ht_vector_file("policy", "x1-x3-y2", ".note", &note);
	assert_ok(ht_quorum_parse(NULL, ht_buf_slice(&text), NULL, &quorum));
	assert_int_equal(ht_quorum_logs(quorum), 1);
	assert_string_equal(ht_quorum_log(quorum, 0)->name, "log.example");
	assert_int_equal(ht_quorum_witnesses(quorum), 6);
	assert_string_equal(
	    ht_quorum_witness(quorum, 4, &name)->name, "witness.example/y2");
	assert_true(ht_slice_is(name, "Y2"));
	assert_ok(ht_quorum_check(quorum, ht_buf_slice(&note), &seen));
	assert_int_equal(seen.log, 0);
	assert_int_equal(seen.cp.size, 20852163);
	assert_int_equal(seen.n_signed, 3);
	assert_int_equal(seen.time_s[0], 1679315147);
	assert_int_equal(seen.time_s[1], 0);
	assert_int_equal(seen.time_s[4], 1679315149);
}

/* k of n, made and read again: exactly the subsets of k and more pass. */
static void
k_of_n_is_k_of_n(void **state)
{
	struct ht_vkey log = vkey_of(HT_VKEY_NOTE, "l", 100), witnesses[5];

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "w/%u", i);
		witnesses[i] = vkey_of(HT_VKEY_COSIGN, name, i);
	}
	for (unsigned k = 0; k <= 5; k++) {
		HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1 << 16);
		HT_AUTO(ht_quorum_free) struct ht_quorum *quorum = NULL;

		ht_quorum_text(&log, witnesses, 5, k, &text);
		assert_ok(
		    ht_quorum_parse(NULL, ht_buf_slice(&text), NULL, &quorum));
		for (uint64_t set = 0; set < 32; set++)
			assert_int_equal(ht_quorum_met(quorum, set),
			    (unsigned)__builtin_popcountll(set) >= k);
	}
}

/* ---- limits ---- */

/* So many lines of each kind; the groups in a chain. */
static void
many(unsigned logs, unsigned witnesses, unsigned groups, struct ht_buf *out)
{
	char name[16], text[HT_VKEY_MAX];
	struct ht_vkey vkey;

	for (unsigned i = 0; i < logs; i++) {
		(void)snprintf(name, sizeof(name), "l%u", i);
		vkey = vkey_of(HT_VKEY_NOTE, name, i);
		ht_vkey_text(&vkey, text);
		ht_buf_fmt(out, "log %s\n", text);
	}
	for (unsigned i = 0; i < witnesses; i++) {
		(void)snprintf(name, sizeof(name), "w%u", i);
		vkey = vkey_of(HT_VKEY_COSIGN, name, 1000 + i);
		ht_vkey_text(&vkey, text);
		ht_buf_fmt(out, "witness w%u %s\n", i, text);
	}
	for (unsigned i = 0; i < groups; i++)
		ht_buf_fmt(out, "group g%u any %s%u\n", i, i > 0 ? "g" : "w",
		    i > 0 ? i - 1 : 0);
	ht_buf_fmt(out, "quorum %s%u\n", groups > 0 ? "g" : "w",
	    groups > 0 ? groups - 1 : 0);
}

static void
the_limits_are_kept(void **state)
{
	static const struct {
		unsigned logs, witnesses, groups;
		enum ht_err want;
	} all[] = {
	    {64, 64, 64, HT_OK      },
	    {65, 64, 64, HT_EINVALID},
	    {64, 65, 64, HT_EINVALID},
	    {64, 64, 65, HT_EINVALID},
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(all); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1 << 17);
		HT_AUTO(ht_quorum_free) struct ht_quorum *quorum = NULL;

		many(all[i].logs, all[i].witnesses, all[i].groups, &text);
		assert_err(
		    ht_quorum_parse(NULL, ht_buf_slice(&text), NULL, &quorum),
		    all[i].want);
		if (quorum == NULL)
			continue;
		assert_true(ht_quorum_met(quorum, 1));
		assert_false(ht_quorum_met(quorum, ~UINT64_C(1)));
	}
}

static void
long_things_are_refused(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1 << 17);
	HT_AUTO(ht_quorum_free) struct ht_quorum *quorum = NULL;
	uint8_t *room;

	(void)state;
	/* A name of 256 bytes, a line of 200 items, a file of 64 KiB. */
	many(0, 1, 0, &text);
	ht_buf_str(&text, "group ");
	room = ht_buf_room(&text, 256);
	memset(room, 'g', 256);
	ht_buf_str(&text, " any w0\n");
	assert_err(ht_quorum_parse(NULL, ht_buf_slice(&text), NULL, &quorum),
	    HT_EINVALID);
	ht_buf_reset(&text);
	many(0, 1, 0, &text);
	ht_buf_str(&text, "group g any");
	for (unsigned i = 0; i < 200; i++)
		ht_buf_str(&text, " w0");
	ht_buf_str(&text, "\n");
	assert_err(ht_quorum_parse(NULL, ht_buf_slice(&text), NULL, &quorum),
	    HT_EINVALID);
	ht_buf_reset(&text);
	room = ht_buf_room(&text, HT_QUORUM_FILE_MAX + 1);
	memset(room, '\n', HT_QUORUM_FILE_MAX + 1);
	assert_err(ht_quorum_parse(NULL, ht_buf_slice(&text), NULL, &quorum),
	    HT_ETOOBIG);
	assert_null(quorum);
}

static void
every_fault_is_named(void **state)
{
	static const char text[] =
	    "log a\n\nwitness b\n# c\nquorum d\nquorum e";
	static const char *const where[] = {"f:1", "f:3", "f:5", "f:6"};
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_quorum_free) struct ht_quorum *quorum = NULL;

	(void)state;
	assert_err(ht_quorum_parse("f", ht_slice_str(text), report, &quorum),
	    HT_EINVALID);
	assert_int_equal(ht_report_count(report), HT_COUNT(where));
	for (unsigned i = 0; i < HT_COUNT(where); i++)
		assert_string_equal(ht_report_where(report, i), where[i]);
}

static void
reading_survives_no_memory(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1 << 16);
	HT_AUTO(ht_quorum_free) struct ht_quorum *quorum = NULL;
	enum ht_err err = HT_OK;

	(void)state;
	many(1, 2, 1, &text);
	TORTURE(err = ht_quorum_parse(NULL, ht_buf_slice(&text), NULL, &quorum))
	{
		assert_err(err, HT_ENOMEM);
		assert_null(quorum);
	}
	assert_ok(err);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors_hold),
	    cmocka_unit_test(what_it_says_can_be_asked),
	    cmocka_unit_test(k_of_n_is_k_of_n),
	    cmocka_unit_test(the_limits_are_kept),
	    cmocka_unit_test(long_things_are_refused),
	    cmocka_unit_test(every_fault_is_named),
	    cmocka_unit_test(reading_survives_no_memory),
	};

	if (ht_keys_init() != HT_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
