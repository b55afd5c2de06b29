/*
 * t_proof.c -- one entry's proof as a file: its form, broken once at every
 * rule; and proofs made from the subtrees that a proven row brings with it.
 */
#include "tests/lib/test.h"

#include "keys/proof.h"
#include "tests/lib/fault.h"

#define DASH  "\xe2\x80\x94 "
#define HEAD  "c2sp.org/tlog-proof@v1\n"
#define HASH  "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n"
#define SHORT "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383Q==\n"
#define CHECKPOINT                                                             \
	"example.com/log/testdata\n15\n" HASH "\n" DASH                        \
	"example.com/log/testdata M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEn"          \
	"iMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/dlPWF74ewI=\n"

/* ---- the form ---- */

static const struct form_case {
	const char *why;
	const char *text;
	enum ht_err want;
	unsigned line; /* where it is wrong */
} form_cases[] = {
    {"all of it",             HEAD "extra aGk=\nindex 7\n" HASH HASH "\n" CHECKPOINT, HT_OK,
     0                                                                                                },
    {"no extra, no path",     HEAD "index 0\n\n" CHECKPOINT,                          HT_OK,         0},
    {"nothing",               "",                                                     HT_EMALFORMED, 1},
    {"another version",       "c2sp.org/tlog-proof@v2\nindex 0\n\n" CHECKPOINT,
     HT_EMALFORMED,                                                                                  1},
    {"Windows' ends of line", "c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\n",
     HT_EMALFORMED,                                                                                  1},
    {"the head alone",        HEAD,                                                   HT_EMALFORMED, 2},
    {"no index",              HEAD HASH "\n" CHECKPOINT,                              HT_EMALFORMED, 2},
    {"extra without data",    HEAD "extra \nindex 0\n\n" CHECKPOINT,                  HT_EMALFORMED,
     2                                                                                                },
    {"extra not in base64",   HEAD "extra a!==\nindex 0\n\n" CHECKPOINT,
     HT_EMALFORMED,                                                                                  2},
    {"two extras",            HEAD "extra aGk=\nextra aGk=\nindex 0\n\n" CHECKPOINT,
     HT_EMALFORMED,                                                                                  3},
    {"extra after index",     HEAD "index 0\nextra aGk=\n\n" CHECKPOINT,
     HT_EMALFORMED,                                                                                  3},
    {"index with a zero",     HEAD "index 01\n\n" CHECKPOINT,                         HT_EMALFORMED, 2},
    {"index with a sign",     HEAD "index -1\n\n" CHECKPOINT,                         HT_EMALFORMED, 2},
    {"index in words",        HEAD "index one\n\n" CHECKPOINT,                        HT_EMALFORMED, 2},
    {"two spaces",            HEAD "index  1\n\n" CHECKPOINT,                         HT_EMALFORMED, 2},
    {"a hash of 31 bytes",    HEAD "index 1\n" SHORT "\n" CHECKPOINT,
     HT_EMALFORMED,                                                                                  3},
    {"a hash with a space",   HEAD "index 1\n " HASH "\n" CHECKPOINT,
     HT_EMALFORMED,                                                                                  3},
    {"no empty line",         HEAD "index 1\n" HASH CHECKPOINT,                       HT_EMALFORMED, 4},
    {"no checkpoint",         HEAD "index 1\n" HASH "\n",                             HT_EMALFORMED, 5},
    {"cut in a hash",         HEAD "index 1\nrKbDip",                                 HT_EMALFORMED, 3},
};

static void
each_rule_of_the_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(form_cases); i++) {
		const struct form_case *c = &form_cases[i];
		struct ht_slice text = ht_slice_str(c->text);
		HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(4096);
		struct ht_proof proof;
		unsigned line = 0;
		enum ht_err err = ht_proof_parse(text, &proof, &line);

		if (err != c->want || (err != HT_OK && line != c->line))
			fail_msg(
			    "%s: %s, line %u", c->why, ht_err_text(err), line);
		if (err != HT_OK)
			continue;
		ht_proof_text(&proof, &again);
		if (!ht_slice_eq(ht_buf_slice(&again), text))
			fail_msg("%s: another text came back", c->why);
		assert_true(ht_slice_is(proof.checkpoint, CHECKPOINT));
	}
}

static void
what_extra_holds(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(100);
	struct ht_proof proof;

	(void)state;
	assert_ok(ht_proof_parse(
	    ht_slice_str(HEAD "extra aGk=\nindex 7\n\n" CHECKPOINT), &proof,
	    NULL));
	assert_true(proof.has_extra);
	assert_int_equal(proof.index, 7);
	assert_int_equal(proof.n_path, 0);
	assert_ok(ht_proof_extra(&proof, &out));
	assert_true(ht_slice_is(ht_buf_slice(&out), "hi"));
	proof.has_extra = false;
	ht_buf_reset(&out);
	assert_ok(ht_proof_extra(&proof, &out));
	assert_int_equal(out.len, 0);
}

static void
a_path_has_an_end(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(64 * 1024);
	struct ht_proof proof;
	unsigned line;

	(void)state;
	for (unsigned n = HT_PROOF_MAX; n <= HT_PROOF_MAX + 1; n++) {
		ht_buf_reset(&text);
		ht_buf_str(&text, HEAD "index 1\n");
		for (unsigned i = 0; i < n; i++)
			ht_buf_str(&text, HASH);
		ht_buf_str(&text, "\n" CHECKPOINT);
		assert_err(ht_proof_parse(ht_buf_slice(&text), &proof, &line),
		    n <= HT_PROOF_MAX ? HT_OK : HT_ETOOBIG);
	}
}

static void
limits_of_size_hold(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1 << 20);
	HT_AUTO(ht_mem_free) char *b64 = NULL;
	static uint8_t bytes[HT_PROOF_EXTRA_MAX + 1];
	struct ht_proof proof;

	(void)state;
	b64 = malloc(HT_B64_SIZE(sizeof(bytes)));
	for (size_t len = sizeof(bytes) - 1; len <= sizeof(bytes); len++) {
		ht_buf_reset(&text);
		ht_b64(b64, bytes, len);
		ht_buf_fmt(&text, HEAD "extra %s\nindex 1\n\n" CHECKPOINT, b64);
		assert_err(ht_proof_parse(ht_buf_slice(&text), &proof, NULL),
		    len < sizeof(bytes) ? HT_OK : HT_ETOOBIG);
	}
	ht_buf_reset(&text);
	while (text.len <= HT_PROOF_FILE_MAX)
		ht_buf_str(&text, HEAD);
	assert_err(
	    ht_proof_parse(ht_buf_slice(&text), &proof, NULL), HT_ETOOBIG);
}

static void
writing_survives_no_memory(void **state)
{
	struct ht_proof proof;
	struct ht_buf out;

	(void)state;
	assert_ok(
	    ht_proof_parse(ht_slice_str(form_cases[0].text), &proof, NULL));
	TORTURE((out = HT_BUF(4096), ht_proof_text(&proof, &out)))
	{
		assert_err(out.err, HT_ENOMEM);
		ht_buf_fini(&out);
	}
	assert_ok(out.err);
	ht_buf_fini(&out);
}

/* ---- proofs from what is known ---- */

#define TREE_MAX 140

static struct ht_hash leaves[TREE_MAX];

static struct ht_hash
subtree(unsigned level, uint64_t index)
{
	return ht_merkle_root(leaves + (index << level), UINT64_C(1) << level);
}

/* As a proven row brings it: leaf @i, and the covers of all the others. */
static void
known_beside(struct ht_known *known, uint64_t i, uint64_t n)
{
	struct ht_subtree cover[HT_COVER_MAX];
	struct ht_hash hashes[HT_COVER_MAX];
	const uint64_t ends[][2] = {
	    {0,     i    },
            {i,     i + 1},
            {i + 1, n    }
        };
	size_t used;

	known->n = 0;
	for (unsigned k = 0; k < 3; k++) {
		size_t count = ht_cover(ends[k][0], ends[k][1], cover);

		for (size_t c = 0; c < count; c++)
			hashes[c] = subtree(cover[c].level, cover[c].index);
		assert_ok(ht_known_cover(
		    known, ends[k][0], ends[k][1], hashes, count, &used));
		assert_int_equal(used, count);
	}
}

static void
plant(void)
{
	for (uint64_t i = 0; i < TREE_MAX; i++)
		leaves[i] = ht_leaf_hash(HT_SLICE(&i, sizeof(i)));
}

static void
a_row_yields_its_inclusion_proof(void **state)
{
	struct ht_known *known = malloc(sizeof(*known));
	struct ht_proof proof = {0};

	(void)state;
	plant();
	for (uint64_t n = 1; n <= TREE_MAX; n++) {
		struct ht_checkpoint cp = {
		    .size = n, .root = ht_merkle_root(leaves, n)};

		for (uint64_t i = 0; i < n; i++) {
			known_beside(known, i, n);
			assert_ok(ht_prove_inclusion(ht_known_load, known, i, n,
			    proof.path, &proof.n_path));
			proof.index = i;
			assert_true(ht_proof_holds(&proof, &leaves[i], &cp));
			proof.index = (i + 1) % n;
			assert_false(
			    n > 1 && ht_proof_holds(&proof, &leaves[i], &cp));
		}
	}
	free(known);
}

/* Of two older trees, from the last row of each, in a still newer one. */
static void
two_rows_yield_consistency(void **state)
{
	struct ht_known *known = malloc(sizeof(*known));
	struct ht_known *other = malloc(sizeof(*other));
	const uint64_t newest = 70;
	struct ht_add_checkpoint c = {0};

	(void)state;
	plant();
	for (uint64_t n = 1; n <= newest; n++) {
		for (uint64_t m = 1; m <= n; m++) {
			struct ht_checkpoint old = {
			    .size = m, .root = ht_merkle_root(leaves, m)};
			struct ht_checkpoint cp = {
			    .size = n, .root = ht_merkle_root(leaves, n)};
			struct ht_hash root;

			known_beside(known, m - 1, newest);
			known_beside(other, n - 1, newest);
			memcpy(known->at + known->n, other->at,
			    other->n * sizeof(*other->at));
			known->n += other->n;
			assert_ok(ht_known_root(known, m, &root));
			assert_true(ht_hash_eq(&root, &old.root));
			assert_ok(ht_known_root(known, n, &root));
			assert_true(ht_hash_eq(&root, &cp.root));
			c.old = m;
			assert_ok(ht_prove_consistency(
			    ht_known_load, known, m, n, c.proof, &c.n_proof));
			assert_true(ht_consistency_holds(&c, &old, &cp));
			cp.root.at[0] ^= 1;
			assert_false(ht_consistency_holds(&c, &old, &cp));
			cp.root.at[0] ^= 1;
			old.root.at[0] ^= 1;
			assert_false(ht_consistency_holds(&c, &old, &cp));
			old.root.at[0] ^= 1;
			c.old++;
			assert_false(ht_consistency_holds(&c, &old, &cp));
		}
	}
	free(known);
	free(other);
}

static void
everything_continues_nothing(void **state)
{
	struct ht_checkpoint empty = {
	    .size = 0, .root = ht_merkle_root(leaves, 0)};
	struct ht_checkpoint cp = {
	    .size = 9, .root = ht_merkle_root(leaves, 9)};
	struct ht_add_checkpoint c = {0};

	(void)state;
	assert_true(ht_consistency_holds(&c, &empty, &cp));
	assert_true(ht_consistency_holds(&c, &empty, &empty));
	c.old = 9;
	assert_true(ht_consistency_holds(&c, &cp, &cp));
	assert_false(ht_consistency_holds(&c, &cp, &empty));
}

static void
what_is_not_known_is_not_given(void **state)
{
	struct ht_known *known = malloc(sizeof(*known));
	struct ht_hash hash, want;
	size_t used;

	(void)state;
	plant();
	known_beside(known, 5, 100);
	assert_err(ht_known_load(known, 0, 4, &hash), HT_OK);
	assert_err(ht_known_load(known, 0, 3, &hash), HT_ENOTFOUND);
	assert_err(ht_known_load(known, 63, 1, &hash), HT_ENOTFOUND);
	assert_ok(ht_known_load(known, 3, 0, &hash));
	want = subtree(3, 0);
	assert_true(ht_hash_eq(&hash, &want));
	assert_err(
	    ht_known_cover(known, 0, 7, leaves, 2, &used), HT_EMALFORMED);
	known->n = HT_KNOWN_MAX - 2;
	assert_err(ht_known_cover(known, 0, 7, leaves, 3, &used), HT_ETOOBIG);
	free(known);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_rule_of_the_form),
    cmocka_unit_test(what_extra_holds),
    cmocka_unit_test(a_path_has_an_end),
    cmocka_unit_test(limits_of_size_hold),
    cmocka_unit_test(writing_survives_no_memory),
    cmocka_unit_test(a_row_yields_its_inclusion_proof),
    cmocka_unit_test(two_rows_yield_consistency),
    cmocka_unit_test(everything_continues_nothing),
    cmocka_unit_test(what_is_not_known_is_not_given),
};

HT_TEST_MAIN(tests)
