/*
 * t_witness.c -- what a witness answers: C2SP tlog-witness rule by rule, and
 * the form of add-checkpoint.
 */
#include "tests/lib/test.h"

#include "keys/witness.h"

#define LOG   "log.example"
#define PROOF "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

static struct ht_vkey vkey;
static struct ht_hash leaves[10];

static struct ht_key *
key_of(uint8_t byte)
{
	struct ht_key *key;
	uint8_t seed[32];

	memset(seed, byte, sizeof(seed));
	assert_ok(ht_key_from_seed(HT_KEY_LOG, seed, &key));
	return key;
}

/* The tree of @n leaves; with @fork its first leaf is another. */
static struct ht_checkpoint
tree(uint64_t n, bool fork)
{
	struct ht_checkpoint cp = {.origin = LOG, .size = n};

	leaves[0].at[0] ^= fork;
	cp.root = ht_merkle_root(leaves, n);
	leaves[0].at[0] ^= fork;
	return cp;
}

static enum ht_err
load_leaf(void *arg, unsigned level, uint64_t index, struct ht_hash *ret)
{
	(void)arg;
	*ret = ht_merkle_root(&leaves[index << level], UINT64_C(1) << level);
	return HT_OK;
}

/* An honest request, to be spoilt. */
struct ask {
	uint64_t old, size;
	bool fork, no_proof, two_proofs;
	const char *origin; /* else LOG */
	uint8_t signer;     /* else the log's */
	const char *text;   /* in place of all of it */
};

static void
make(const struct ask *ask, struct ht_buf *out)
{
	HT_AUTO(ht_key_free)
	struct ht_key *key = key_of(ask->signer != 0 ? ask->signer : 1);
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1000);
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(2000);
	struct ht_add_checkpoint add = {.old = ask->old};
	struct ht_checkpoint cp = tree(ask->size, ask->fork);
	struct ht_hash proof[HT_PROOF_MAX] = {0};

	if (ask->text != NULL) {
		ht_buf_str(out, ask->text);
		return;
	}
	if (ask->origin != NULL)
		(void)snprintf(cp.origin, sizeof(cp.origin), "%s", ask->origin);
	ht_checkpoint_text(&cp, &text);
	assert_ok(ht_note_sign(ht_buf_slice(&text), false,
	    ask->origin != NULL ? ask->origin : LOG, key, &note));
	if (ask->old > 0 && ask->old <= ask->size && !ask->no_proof)
		assert_ok(ht_prove_consistency(
		    load_leaf, NULL, ask->old, ask->size, proof, &add.n_proof));
	memcpy(add.proof, proof, add.n_proof * sizeof(*proof));
	if (ask->two_proofs)
		add.n_proof++;
	add.note = ht_buf_slice(&note);
	ht_add_checkpoint_text(&add, out);
	assert_ok(out->err);
}

static const struct {
	const char *why;
	uint64_t last; /* cosigned before */
	struct ask ask;
	unsigned want;
	bool signed_by_log;
} cases[] = {
    {"the first",                       0, {.old = 0, .size = 5},                        200, true },
    {"the first, of an empty tree",     0, {.old = 0, .size = 0},                        200, true },
    {"a longer one with its proof",     5, {.old = 5, .size = 9},                        200, true },
    {"from a power of two",             4, {.old = 4, .size = 7},                        200, true },
    {"the same once more",              5, {.old = 5, .size = 5},                        200, true },
    {"old is above the size",           5, {.old = 5, .size = 4},                        400, true },
    {"asked from 0 to find out",        5, {.old = 0, .size = 9},                        409, true },
    {"asked from a size before",        5, {.old = 4, .size = 9},                        409, true },
    {"asked from a size it never saw",  0, {.old = 4, .size = 9},                        409, true },
    {"an older one",                    5, {.old = 4, .size = 4},                        409, true },
    {"no proof",                        5, {.old = 5, .size = 9, .no_proof = true},      422, true },
    {"a proof too many",                5, {.old = 5, .size = 9, .two_proofs = true},    422,
     true                                                                                          },
    {"a proof of the first",            0, {.old = 0, .size = 9, .two_proofs = true},    422,
     true                                                                                          },
    {"a proof of the same",             5, {.old = 5, .size = 5, .two_proofs = true},    422,
     true                                                                                          },
    {"the same size, another root",     5, {.old = 5, .size = 5, .fork = true},          422,
     true                                                                                          },
    {"a longer fork with a true proof", 5, {.old = 5, .size = 9, .fork = true},
     422,                                                                                     true },
    {"another log",                     5, {.old = 5, .size = 9, .origin = "b.example"}, 404,
     false                                                                                         },
    {"another key",                     5, {.old = 5, .size = 9, .signer = 7},           403, false},
    {"nothing",                         5, {.text = ""},                                 400, false},
    {"no old",                          5, {.text = "\n\n"},                             400, false},
    {"no note",                         5, {.text = "old 5\n\n"},                        400, false},
    {"no empty line",                   5, {.text = "old 5\n" PROOF},                    400, false},
    {"a zero before the size",          5, {.text = "old 05\n\nx\n"},                    400, false},
    {"two spaces",                      5, {.text = "old  5\n\nx\n"},                    400, false},
    {"a size past 64 bits",             5, {.text = "old 18446744073709551616\n\nx\n"},  400,
     false                                                                                         },
    {"a hash of 31 bytes",              5, {.text = "old 5\nAAAA\n\nx\n"},               400, false},
    {"what is no note",                 5, {.text = "old 5\n\nhello\n"},                 400, false},
};

static void
each_rule_has_its_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1 << 16);
		struct ht_checkpoint last = tree(cases[i].last, false);
		struct ht_witness_verdict v;

		make(&cases[i].ask, &text);
		ht_witness_judge(&vkey, &last, ht_buf_slice(&text), &v);
		if (v.status != cases[i].want ||
		    v.signed_by_log != cases[i].signed_by_log)
			fail_msg("%s: %u", cases[i].why, v.status);
		if (v.signed_by_log)
			assert_int_equal(v.cp.size, cases[i].ask.size);
	}
}

/* A tree of size 0 has one root; C2SP wants 422 for another. */
static void
an_empty_tree_has_one_root(void **state)
{
	static const char cp[] = LOG "\n0\n" PROOF;
	HT_AUTO(ht_key_free) struct ht_key *key = key_of(1);
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(4096);
	struct ht_checkpoint last = {0};
	struct ht_witness_verdict v;

	(void)state;
	ht_buf_str(&text, "old 0\n\n");
	assert_ok(ht_note_sign(ht_slice_str(cp), false, LOG, key, &text));
	ht_witness_judge(&vkey, &last, ht_buf_slice(&text), &v);
	assert_int_equal(v.status, 422);
}

static void
sixty_three_hashes_and_no_more(void **state)
{
	struct ht_add_checkpoint add;

	(void)state;
	for (unsigned n = 62; n <= 64; n++) {
		HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1 << 16);

		ht_buf_str(&text, "old 5\n");
		for (unsigned i = 0; i < n; i++)
			ht_buf_str(&text, PROOF);
		ht_buf_str(&text, "\nnote\n");
		assert_err(ht_add_checkpoint_parse(ht_buf_slice(&text), &add),
		    n <= 63 ? HT_OK : HT_EMALFORMED);
		if (n <= 63)
			assert_int_equal(add.n_proof, n);
	}
}

static void
what_is_written_is_read(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1 << 16);
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(1 << 16);
	struct ht_add_checkpoint add;

	(void)state;
	make(&(struct ask){.old = 3, .size = 9}, &text);
	assert_ok(ht_add_checkpoint_parse(ht_buf_slice(&text), &add));
	assert_int_equal(add.old, 3);
	assert_true(add.n_proof > 0);
	ht_add_checkpoint_text(&add, &again);
	assert_true(ht_slice_eq(ht_buf_slice(&text), ht_buf_slice(&again)));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_rule_has_its_answer),
	    cmocka_unit_test(an_empty_tree_has_one_root),
	    cmocka_unit_test(sixty_three_hashes_and_no_more),
	    cmocka_unit_test(what_is_written_is_read),
	};
	struct ht_key *key;
	struct ht_pub pub;

	if (ht_keys_init() != HT_OK)
		return 1;
	key = key_of(1);
	pub = ht_key_pub(key);
	ht_key_free(&key);
	if (ht_vkey_make(LOG, &pub, &vkey) != HT_OK)
		return 1;
	for (unsigned i = 0; i < 10; i++)
		leaves[i] = ht_leaf_hash(HT_SLICE(&i, sizeof(i)));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
