/*
 * t_possession.c -- proofs of possession: lines that another implementation
 * made (40 lines of Python, its own Ed25519 and Curve25519), what proves and
 * what does not, and that the lines are good notes.
 */
#include "tests/lib/test.h"

#include "keys/possession.h"
#include "tests/lib/fault.h"

#define TEXT  "hutong: member/v1\nmember: tax.demo/state\n"
#define NAME  "tax.demo/state"
#define DASH  "\xe2\x80\x94 "
#define BYTES (4 + 32 + 64) /* of an X25519 key's line */

static struct ht_key *
key_of(enum ht_key_for what, uint8_t byte)
{
	struct ht_key *key;
	uint8_t seed[32];

	memset(seed, byte, sizeof(seed));
	assert_ok(ht_key_from_seed(what, seed, &key));
	return key;
}

static enum ht_err
find(struct ht_slice bytes, const char *name, enum ht_key_for what,
    const struct ht_pub *pub)
{
	struct ht_note note;

	assert_ok(ht_note_parse(bytes, &note));
	return ht_possession_find(&note, name, what, pub);
}

/* ---- another implementation's lines ---- */

static const char *const theirs[] = {
    "hIvBQl0hSHfIE+XbZD0rGesKoc7q/543w6cJFH1rbujmkFZmuebNz1VlkYXqSej4tPmP9jvs"
    "58MYrnY3QBXnChjW1/FBqeO7Q4dTnpUF4W6R7GNVJyy+3VD1oXDD1gPqWJpOAw==",
    "b9+30WNyZSTbR3WKJjo58kQbhJjZyA3EiIpdihjf6+B0E80a8LHyxxlO95ppk2+grCBBX+dr"
    "6jgKvixMUyLLH5n2/EsDfmBmFPVKe22JJ0+d0DMSo/OHa5RQuSlL4SJCD5dEAA==",
    "QblJBF+GP25G9siR6tjZkRtZY/UJ9P0KjZfNg50lXFplhf7UOxpoMu+QYHhEbhaZ6DERGKKe"
    "nYeRxlQ8e3iaxhu57P4IKD936L3FPs9qgiIxwRjXZiaWrrWEypCp9V4Hvk+hDQ==",
};

static void
theirs_is(unsigned i, struct ht_buf *out)
{
	ht_buf_fmt(out, TEXT "\n" DASH NAME " %s\n", theirs[i]);
}

static void
anothers_lines_prove(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HT_COUNT(theirs); i++) {
		HT_AUTO(ht_key_free)
		struct ht_key *key = key_of(HT_KEY_SEALING, (uint8_t)(i + 1));
		HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(4096);
		struct ht_pub pub = ht_key_pub(key);

		theirs_is(i, &note);
		assert_ok(
		    find(ht_buf_slice(&note), NAME, HT_KEY_SEALING, &pub));
	}
}

/* In the line's bytes, each bit: the id's, the point's, the signature's. */
static void
any_changed_bit_disproves(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_of(HT_KEY_SEALING, 1);
	struct ht_pub pub = ht_key_pub(key);
	uint8_t blob[BYTES];
	size_t len;

	(void)state;
	assert_ok(ht_unb64(ht_slice_str(theirs[0]), blob, sizeof(blob), &len));
	assert_int_equal(len, sizeof(blob));
	for (size_t bit = 0; bit < 8 * sizeof(blob); bit++) {
		HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(4096);
		char b64[HT_B64_SIZE(sizeof(blob))];

		blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ht_b64(b64, blob, sizeof(blob));
		blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ht_buf_fmt(&note, TEXT "\n" DASH NAME " %s\n", b64);
		if (find(ht_buf_slice(&note), NAME, HT_KEY_SEALING, &pub) ==
		    HT_OK)
			fail_msg("a change at bit %zu went unnoticed", bit);
	}
}

/* ---- what proves, and what does not ---- */

static const struct proof_case {
	const char *why;
	enum ht_key_for made; /* by this key, ... */
	uint8_t seed;
	const char *name;
	const char *text; /* ... under this text */
	enum ht_key_for asked;
	enum ht_err want;
} proof_cases[] = {
    {"a sealing key proves itself",     HT_KEY_SEALING,   1, NAME,             TEXT,
     HT_KEY_SEALING,                                                                                     HT_OK       },
    {"a transport key",                 HT_KEY_TRANSPORT, 1, NAME,             TEXT,   HT_KEY_TRANSPORT,
     HT_OK                                                                                                           },
    {"a signing key",                   HT_KEY_SIGNING,   1, NAME,             TEXT,   HT_KEY_SIGNING,   HT_OK       },
    {"an officer's",                    HT_KEY_OFFICER,   1, NAME,             TEXT,   HT_KEY_OFFICER,   HT_OK       },
    {"an identity key",                 HT_KEY_IDENTITY,  1, NAME,             TEXT,   HT_KEY_IDENTITY,  HT_OK       },
    {"another secret does not",         HT_KEY_SEALING,   2, NAME,             TEXT,   HT_KEY_SEALING,
     HT_ENOTFOUND                                                                                                    },
    {"nor one that signs",              HT_KEY_SIGNING,   2, NAME,             TEXT,   HT_KEY_SIGNING,
     HT_ENOTFOUND                                                                                                    },
    {"nor under another name",          HT_KEY_SEALING,   1, "tax.demo/local", TEXT,
     HT_KEY_SEALING,                                                                                     HT_ENOTFOUND},
    {"nor a signature of that name",    HT_KEY_SIGNING,   1, "tax.demo/local", TEXT,
     HT_KEY_SIGNING,                                                                                     HT_ENOTFOUND},
    {"a line of another text is false", HT_KEY_SEALING,   1, NAME,             "hi\n",
     HT_KEY_SEALING,                                                                                     HT_EBADSIG  },
    {"so is a signature",               HT_KEY_SIGNING,   1, NAME,             "hi\n", HT_KEY_SIGNING,
     HT_EBADSIG                                                                                                      },
    {"a signing key's seals nothing",   HT_KEY_SIGNING,   1, NAME,             TEXT,
     HT_KEY_SEALING,                                                                                     HT_ENOTFOUND},
};

/* The line of a note of one line, put under TEXT. */
static void
lifted(const struct proof_case *c, struct ht_buf *out)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_of(c->made, c->seed);
	HT_AUTO(ht_buf_fini) struct ht_buf made = HT_BUF(4096);
	struct ht_note note;

	assert_ok(ht_possession_add(
	    ht_slice_str(c->text), false, c->name, key, &made));
	assert_ok(ht_note_parse(ht_buf_slice(&made), &note));
	assert_int_equal(note.n_sigs, 1);
	ht_buf_str(out, TEXT "\n");
	ht_note_line(&note.sigs[0], out);
}

static void
a_line_proves_one_key_under_one_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(proof_cases); i++) {
		const struct proof_case *c = &proof_cases[i];
		HT_AUTO(ht_key_free) struct ht_key *key = key_of(c->asked, 1);
		HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(4096);
		struct ht_pub pub = ht_key_pub(key);
		enum ht_err err;

		lifted(c, &note);
		err = find(ht_buf_slice(&note), NAME, c->asked, &pub);
		if (err != c->want)
			fail_msg("%s: %s", c->why, ht_err_text(err));
	}
}

/* Whoever holds only the line's point cannot stand in for another key. */
static void
a_point_of_another_key_is_false(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *thief = key_of(HT_KEY_SEALING, 2);
	HT_AUTO(ht_key_free) struct ht_key *key = key_of(HT_KEY_SEALING, 1);
	HT_AUTO(ht_buf_fini) struct ht_buf made = HT_BUF(4096);
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(4096);
	struct ht_pub pub = ht_key_pub(key);
	uint8_t own[BYTES], other[BYTES];
	char b64[HT_B64_SIZE(BYTES)];
	struct ht_note parsed;
	size_t len;

	(void)state;
	assert_ok(ht_unb64(ht_slice_str(theirs[0]), own, sizeof(own), &len));
	assert_ok(
	    ht_possession_add(ht_slice_str(TEXT), false, NAME, thief, &made));
	assert_ok(ht_note_parse(ht_buf_slice(&made), &parsed));
	assert_ok(ht_unb64(parsed.sigs[0].sig, other, sizeof(other), &len));
	memcpy(other, own, 4); /* the id that is looked for */
	ht_b64(b64, other, sizeof(other));
	ht_buf_fmt(&note, TEXT "\n" DASH NAME " %s\n", b64);
	assert_err(
	    find(ht_buf_slice(&note), NAME, HT_KEY_SEALING, &pub), HT_EBADSIG);
}

/* ---- lines in notes ---- */

static void
lines_come_to_a_note_and_replace_their_own(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *id = key_of(HT_KEY_IDENTITY, 9);
	HT_AUTO(ht_key_free) struct ht_key *key = key_of(HT_KEY_SEALING, 1);
	HT_AUTO(ht_buf_fini) struct ht_buf one = HT_BUF(4096);
	HT_AUTO(ht_buf_fini) struct ht_buf two = HT_BUF(4096);
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(4096);
	struct ht_pub pub = ht_key_pub(key), id_pub = ht_key_pub(id);
	struct ht_note note;

	(void)state;
	assert_ok(ht_note_sign(ht_slice_str(TEXT), false, NAME, id, &one));
	assert_ok(ht_possession_add(ht_buf_slice(&one), true, NAME, key, &two));
	assert_ok(
	    ht_possession_add(ht_buf_slice(&two), true, NAME, key, &again));
	assert_ok(ht_note_parse(ht_buf_slice(&again), &note));
	assert_int_equal(note.n_sigs, 2);
	assert_true(ht_slice_is(note.text, TEXT));
	assert_ok(ht_possession_find(&note, NAME, HT_KEY_SEALING, &pub));
	assert_ok(ht_possession_find(&note, NAME, HT_KEY_IDENTITY, &id_pub));
}

static void
what_is_no_note_gets_no_line(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_of(HT_KEY_SEALING, 1);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4096);

	(void)state;
	assert_err(ht_possession_add(
	               ht_slice_str("no new line"), false, NAME, key, &out),
	    HT_EMALFORMED);
	assert_err(ht_possession_add(ht_slice_str(TEXT), true, NAME, key, &out),
	    HT_EMALFORMED);
	assert_err(
	    ht_possession_add(ht_slice_str(TEXT), false, "a b", key, &out),
	    HT_EMALFORMED);
	assert_int_equal(out.len, 0);
}

static void
no_memory_leaves_no_line(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_of(HT_KEY_SEALING, 1);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4096);
	enum ht_err err = HT_OK;

	(void)state;
	TORTURE(
	    err = ht_possession_add(ht_slice_str(TEXT), false, NAME, key, &out))
	{
		assert_int_equal(err, HT_ENOMEM);
		ht_buf_fini(&out);
		out = (struct ht_buf)HT_BUF(4096);
	}
	assert_ok(err);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(anothers_lines_prove),
	    cmocka_unit_test(any_changed_bit_disproves),
	    cmocka_unit_test(a_line_proves_one_key_under_one_text),
	    cmocka_unit_test(a_point_of_another_key_is_false),
	    cmocka_unit_test(lines_come_to_a_note_and_replace_their_own),
	    cmocka_unit_test(what_is_no_note_gets_no_line),
	    cmocka_unit_test(no_memory_leaves_no_line),
	};

	if (ht_keys_init() != HT_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
