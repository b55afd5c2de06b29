/*
 * t_cosign.c -- cosignatures: the published vectors (tests/vectors/), which
 * openssl agrees with, what may not be signed, and merging answers.
 */
#include "tests/lib/test.h"

#include <inttypes.h>

#include "keys/cosign.h"
#include "tests/lib/fault.h"
#include "tests/lib/vectors.h"

#define LOG  "log.example"
#define TEXT LOG "\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n"

static struct ht_key *
key_of(enum ht_key_for what, uint8_t byte)
{
	struct ht_key *key;
	uint8_t seed[32];

	memset(seed, byte, sizeof(seed));
	assert_ok(ht_key_from_seed(what, seed, &key));
	return key;
}

static struct ht_vkey
vkey_of(const char *name, const struct ht_key *key)
{
	struct ht_pub pub = ht_key_pub(key);
	struct ht_vkey vkey;

	assert_ok(ht_vkey_make_as(
	    name, ht_vkey_type_for(ht_key_what(key)), &pub, &vkey));
	return vkey;
}

/* The log's own note, and @name's line for it. */
static void
log_note(struct ht_buf *out)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_of(HT_KEY_LOG, 1);

	assert_ok(ht_note_sign(ht_slice_str(TEXT), false, LOG, key, out));
}

static struct ht_vkey
witness_line(uint8_t byte, uint64_t time_s, struct ht_buf *out)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_of(HT_KEY_WITNESS, byte);
	char name[] = "w.example/w0";

	name[sizeof(name) - 2] = (char)('0' + byte % 10);
	assert_ok(ht_cosign(ht_slice_str(TEXT), name, key, time_s, out));
	return vkey_of(name, key);
}

/* ---- the published vectors ---- */

static void
vector_holds(char *column[static 5])
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(1 << 16);
	char *name = column[0], *want = column[1];
	struct ht_vkey witness;
	struct ht_note note;
	uint64_t time_s = 0, signed_by = 0;
	enum ht_err err, wanted = HT_OK;

	ht_vector_file("cosignature", name, ".note", &bytes);
	assert_ok(ht_vkey_parse_as(
	    ht_slice_str(column[3]), HT_VKEY_COSIGN, &witness));
	assert_ok(ht_note_parse(ht_buf_slice(&bytes), &note));
	if (strcmp(want, "valid") != 0)
		wanted = strcmp(want, "false") == 0 ? HT_EBADSIG : HT_ENOTFOUND;
	err = ht_cosign_find(&note, &witness, &time_s);
	if (err != wanted)
		fail_msg("%s: %s, not %s", name, ht_err_text(err), want);
	assert_int_equal(time_s, strtoull(column[2], NULL, 10));
	/* And among the signatures of any note. */
	err = ht_note_verify(&note, &witness, 1, &signed_by);
	assert_int_equal(err, wanted == HT_EBADSIG ? HT_EBADSIG : HT_OK);
	assert_int_equal(signed_by, wanted == HT_OK);
}

static void
vectors_hold(void **state)
{
	(void)state;
	ht_vectors("cosignature", vector_holds);
}

static void
any_changed_bit_is_noticed(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(4096);
	struct ht_vkey witness;
	size_t at;

	(void)state;
	log_note(&bytes);
	at = bytes.len;
	witness = witness_line(7, 1679315147, &bytes);
	for (size_t bit = 0; bit < 8 * bytes.len; bit++) {
		struct ht_note note;
		uint64_t time_s;

		if (bit / 8 >= sizeof(TEXT) && bit / 8 < at)
			continue; /* the log's line, not the witness's word */
		bytes.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (ht_note_parse(ht_buf_slice(&bytes), &note) == HT_OK &&
		    ht_cosign_find(&note, &witness, &time_s) == HT_OK)
			fail_msg("a change at bit %zu went unnoticed", bit);
		bytes.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* ---- what a witness does not say ---- */

static void
what_is_no_checkpoint_is_not_cosigned(void **state)
{
	static const struct {
		const char *why, *text, *name;
		uint64_t time_s;
		enum ht_err want;
	} all[] = {
	    {"good",                TEXT,       "w",   1,          HT_OK        },
	    {"the last second",     TEXT,       "w",   INT64_MAX,  HT_OK        },
	    {"no time",             TEXT,       "w",   0,          HT_EINVALID  },
	    {"a time past it",      TEXT,       "w",   1ULL << 63, HT_EINVALID  },
	    {"an extension line",   TEXT "x\n", "w",   1,          HT_EMALFORMED},
	    {"any text",            "hello\n",  "w",   1,          HT_EMALFORMED},
	    {"nothing",             "",         "w",   1,          HT_EMALFORMED},
	    {"a name with a space", TEXT,       "w w", 1,          HT_EMALFORMED},
	    {"no name",             TEXT,       "",    1,          HT_EMALFORMED},
	};
	HT_AUTO(ht_key_free) struct ht_key *key = key_of(HT_KEY_WITNESS, 7);

	(void)state;
	for (size_t i = 0; i < HT_COUNT(all); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4096);
		enum ht_err err = ht_cosign(ht_slice_str(all[i].text),
		    all[i].name, key, all[i].time_s, &out);

		if (err != all[i].want)
			fail_msg("%s: %s", all[i].why, ht_err_text(err));
		assert_int_equal(out.len != 0, err == HT_OK);
	}
}

/* The same key bytes under type 1 and type 4 are two keys. */
static void
types_are_not_mixed(void **state)
{
	static const char remora[] =
	    "remora.n621.de+da77ade7+"
	    "BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(4096);
	struct ht_vkey witness, as_log;
	char text[HT_VKEY_MAX];
	struct ht_note note;
	uint64_t has = 0;

	(void)state;
	/* A public witness's, as its operator publishes it. */
	assert_ok(
	    ht_vkey_parse_as(ht_slice_str(remora), HT_VKEY_COSIGN, &witness));
	ht_vkey_text(&witness, text);
	assert_string_equal(text, remora);
	assert_err(
	    ht_vkey_parse(ht_slice_str(remora), &witness), HT_EMALFORMED);
	log_note(&bytes);
	witness = witness_line(7, 1, &bytes);
	assert_ok(ht_vkey_make(witness.name, &witness.pub, &as_log));
	assert_int_not_equal(witness.id, as_log.id);
	assert_ok(ht_note_parse(ht_buf_slice(&bytes), &note));
	assert_ok(ht_note_verify(&note, &as_log, 1, &has));
	assert_int_equal(has, 0);
	/* Not even when the ids are made to meet. */
	as_log.id = witness.id;
	assert_err(ht_note_verify(&note, &as_log, 1, &has), HT_EBADSIG);
}

/* ---- merging answers ---- */

static void
the_latest_line_stays(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(4096);
	HT_AUTO(ht_buf_fini) struct ht_buf answer = HT_BUF(4096);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4096);
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(4096);
	struct ht_vkey one, two;
	struct ht_note note;
	uint64_t time_s;

	(void)state;
	log_note(&bytes);
	two = witness_line(8, 50, &bytes);
	one = witness_line(7, 100, &answer);
	(void)witness_line(7, 90, &answer);
	(void)witness_line(9, 90, &answer); /* nobody asked it */
	assert_ok(ht_cosign_merge(
	    ht_buf_slice(&bytes), ht_buf_slice(&answer), &one, &out));
	assert_ok(ht_note_parse(ht_buf_slice(&out), &note));
	assert_int_equal(note.n_sigs, 3);
	assert_ok(ht_cosign_find(&note, &one, &time_s));
	assert_int_equal(time_s, 100);
	assert_ok(ht_cosign_find(&note, &two, &time_s));
	assert_int_equal(time_s, 50);
	/* An older answer changes nothing. */
	ht_buf_reset(&answer);
	(void)witness_line(7, 60, &answer);
	assert_ok(ht_cosign_merge(
	    ht_buf_slice(&out), ht_buf_slice(&answer), &one, &again));
	assert_true(ht_slice_eq(ht_buf_slice(&out), ht_buf_slice(&again)));
}

static void
bad_answers_change_nothing(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(4096);
	HT_AUTO(ht_buf_fini) struct ht_buf line = HT_BUF(4096);
	HT_AUTO(ht_buf_fini) struct ht_buf other = HT_BUF(4096);
	HT_AUTO(ht_buf_fini) struct ht_buf gap = HT_BUF(4096);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4096);
	struct ht_vkey one;

	(void)state;
	log_note(&bytes);
	one = witness_line(7, 100, &line);
	(void)witness_line(8, 100, &other);
	ht_buf_str(&gap, "\n");
	ht_buf_add(&gap, line.at, line.len);
	line.at[line.len - 20] ^= 1;
	struct {
		const char *why;
		struct ht_slice note, lines;
		enum ht_err want;
	} all[] = {
	    {"nothing",           ht_buf_slice(&bytes), HT_SLICE("",  0),                                             HT_ENOTFOUND},
	    {"another's",                   ht_buf_slice(&bytes),                             ht_buf_slice(&other),
             HT_ENOTFOUND},
	    {"a false one",                   ht_buf_slice(&bytes),                           ht_buf_slice(&line),
             HT_EBADSIG },
	    {"no line",                   ht_buf_slice(&bytes),                               HT_SLICE("200\n",     4),
             HT_EMALFORMED},
	    {"half a line",       ht_buf_slice(&bytes),
             HT_SLICE(other.at,                           other.len - 1),                                               HT_EMALFORMED},
	    {"a line behind a gap",     ht_buf_slice(&bytes),            ht_buf_slice(&gap),
             HT_EMALFORMED},
	    {"no note", ht_slice_str(TEXT),                             ht_buf_slice(&other),
             HT_EMALFORMED	                                                                                             },
	};
	for (size_t i = 0; i < HT_COUNT(all); i++) {
		enum ht_err err =
		    ht_cosign_merge(all[i].note, all[i].lines, &one, &out);

		if (err != all[i].want)
			fail_msg("%s: %s", all[i].why, ht_err_text(err));
		assert_int_equal(out.len, 0);
	}
}

static void
merging_survives_no_memory(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(4096);
	HT_AUTO(ht_buf_fini) struct ht_buf line = HT_BUF(4096);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4096);
	struct ht_vkey one;
	enum ht_err err = HT_OK;

	(void)state;
	log_note(&bytes);
	one = witness_line(7, 100, &line);
	TORTURE(err = ht_cosign_merge(
	            ht_buf_slice(&bytes), ht_buf_slice(&line), &one, &out))
	{
		assert_err(err, HT_ENOMEM);
		assert_int_equal(out.len, 0);
		ht_buf_fini(&out);
		out = HT_BUF(4096);
	}
	assert_ok(err);
	assert_int_equal(out.len, bytes.len + line.len);
}

static void
cosigning_survives_no_memory(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_of(HT_KEY_WITNESS, 7);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4096);
	enum ht_err err = HT_OK;

	(void)state;
	TORTURE(err = ht_cosign(ht_slice_str(TEXT), "w", key, 1, &out))
	{
		assert_err(err, HT_ENOMEM);
		ht_buf_fini(&out);
		out = HT_BUF(4096);
	}
	assert_ok(err);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors_hold),
	    cmocka_unit_test(any_changed_bit_is_noticed),
	    cmocka_unit_test(what_is_no_checkpoint_is_not_cosigned),
	    cmocka_unit_test(types_are_not_mixed),
	    cmocka_unit_test(the_latest_line_stays),
	    cmocka_unit_test(bad_answers_change_nothing),
	    cmocka_unit_test(merging_survives_no_memory),
	    cmocka_unit_test(cosigning_survives_no_memory),
	};

	if (ht_keys_init() != HT_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
