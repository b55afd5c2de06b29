/*
 * t_pseudonym.c -- pseudonyms and commitments against values made elsewhere:
 *
 *   from hashlib import blake2b, sha256
 *   T = bytes(range(32)); E = bytes(range(32, 64))
 *   def pseudonym(registry, id):
 *       return blake2b(b"hutong-pseudonym/v1\n" + registry + b"\n" + id,
 *                      key=T, digest_size=16).hexdigest()
 *   def salt(f): return blake2b(f, key=E, digest_size=16).digest()
 *   def C(f, v):
 *       return sha256(b"ht1" + bytes([len(f)]) + f + salt(f)
 *                     + len(v).to_bytes(4, "big") + v).digest()
 *   def annex(fields, sealed):
 *       return sha256(b"ht1" + b"".join(C(f, fields[f])
 *                     for f in sorted(fields))
 *                     + sha256(sealed).digest()).hexdigest()
 */
#include "tests/lib/test.h"

#include "keys/pseudonym.h"

static struct ht_key *
tracker(void)
{
	struct ht_key *key;
	uint8_t seed[32];

	for (uint8_t i = 0; i < 32; i++)
		seed[i] = i;
	assert_ok(ht_key_from_seed(HT_KEY_TRACKER, seed, &key));
	return key;
}

static const uint8_t *
entry(void)
{
	static uint8_t key[HT_ENTRY_KEY_SIZE];

	for (uint8_t i = 0; i < 32; i++)
		key[i] = (uint8_t)(32 + i);
	return key;
}

static void
assert_hex(const void *bytes, size_t len, const char *want)
{
	char hex[2 * 64 + 1];

	assert_true(len <= 64);
	ht_hex(hex, bytes, len);
	assert_string_equal(hex, want);
}

static void
pseudonyms_agree_with_python(void **state)
{
	static const struct {
		const char *registry, *id, *want;
	} cases[] = {
	    {"uscc", "91999999MA0000000A", "9913d03dafc48dc132497e74a06bd625"},
	    {"id",   "身份",             "21c4b81c7a153787f85a401fb4a0a7af"},
	};
	HT_AUTO(ht_key_free) struct ht_key *key = tracker();

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct ht_pseudonym got;

		assert_ok(ht_pseudonym(key, ht_slice_str(cases[i].registry),
		    ht_slice_str(cases[i].id), &got));
		assert_hex(got.at, HT_PSEUDONYM_SIZE, cases[i].want);
	}
}

static void
ambiguous_subjects_are_refused(void **state)
{
	static const char *const cases[][2] = {
	    {"",     "x"},
            {"uscc", "" },
            {"a\nb", "c"}
        };
	HT_AUTO(ht_key_free) struct ht_key *key = tracker();

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct ht_pseudonym got;

		assert_err(ht_pseudonym(key, ht_slice_str(cases[i][0]),
		               ht_slice_str(cases[i][1]), &got),
		    HT_EINVALID);
	}
}

/* A registry, an id or a key of another epoch: another pseudonym. */
static void
pseudonyms_differ(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = tracker();
	HT_AUTO(ht_key_free) struct ht_key *next = NULL;
	struct ht_pseudonym a, b;

	(void)state;
	assert_ok(ht_key_new(HT_KEY_TRACKER, &next));
	assert_ok(ht_pseudonym(key, ht_slice_str("a"), ht_slice_str("bc"), &a));
	assert_ok(ht_pseudonym(key, ht_slice_str("ab"), ht_slice_str("c"), &b));
	assert_int_not_equal(ht_pseudonym_cmp(&a, &b), 0);
	assert_ok(
	    ht_pseudonym(next, ht_slice_str("a"), ht_slice_str("bc"), &b));
	assert_int_not_equal(ht_pseudonym_cmp(&a, &b), 0);
}

#define FIELD(name, value)                                                     \
	{                                                                      \
		{(const uint8_t *)(name), sizeof(name) - 1},                   \
		{                                                              \
			(const uint8_t *)(value), sizeof(value) - 1            \
		}                                                              \
	}
static const struct ht_annex_field fields[] = {
    FIELD("subject", "uscc:91999999MA0000000A"),
    FIELD("officer", "wang.01"),
    FIELD("case", "税务-2026-7"),
    FIELD("purpose", ""),
};
static const char whole_annex[] =
    "555139b2322a2cec62ebc2fd53db33d206f3c28354e576f362efca225a52c77e";

static void
commitments_agree_with_python(void **state)
{
	uint8_t salt[HT_SALT_SIZE];
	struct ht_hash hash;

	(void)state;
	ht_annex_salt(entry(), ht_slice_str("case"), salt);
	assert_hex(salt, sizeof(salt), "5843ad0f6b724ce4ab982be8c875c9ed");
	assert_ok(ht_annex_commit(&fields[2], salt, &hash));
	assert_hex(hash.at, HT_HASH_SIZE,
	    "58caea8bf73a8c8989c1b50af9829a3f7c5b87f92243ad81e6fd3eaa5e35101f");
	assert_ok(ht_annex_commitment(
	    entry(), fields, 4, ht_slice_str("sealed"), &hash));
	assert_hex(hash.at, HT_HASH_SIZE, whole_annex);
	assert_ok(
	    ht_annex_commitment(entry(), NULL, 0, ht_slice_str(""), &hash));
	assert_hex(hash.at, HT_HASH_SIZE,
	    "f40e120e52097c395cc8772dabde117e533eb180c20ab5939775507ec812f70d");
}

static void
order_given_does_not_matter(void **state)
{
	(void)state;
	for (size_t first = 0; first < 4; first++) {
		struct ht_annex_field turned[4];
		struct ht_hash hash;

		for (size_t i = 0; i < 4; i++)
			turned[i] = fields[(first + i) % 4];
		assert_ok(ht_annex_commitment(
		    entry(), turned, 4, ht_slice_str("sealed"), &hash));
		assert_hex(hash.at, HT_HASH_SIZE, whole_annex);
	}
}

/* One field with its salt; of the others only their commitments. */
static void
one_field_is_shown_alone(void **state)
{
	/* case, officer, purpose, subject */
	static const size_t order[] = {2, 1, 3, 0};
	struct ht_annex_field shown = fields[1];
	struct ht_hash all[4], sealed, got;
	uint8_t salt[HT_SALT_SIZE];
	char hex[2 * HT_HASH_SIZE + 1];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		ht_annex_salt(entry(), fields[order[i]].name, salt);
		assert_ok(ht_annex_commit(&fields[order[i]], salt, &all[i]));
	}
	ht_annex_salt(entry(), shown.name, salt);
	assert_ok(ht_annex_commit(&shown, salt, &all[1]));
	sealed = ht_sha256(ht_slice_str("sealed"));
	got = ht_annex_join(all, 4, &sealed);
	assert_hex(got.at, HT_HASH_SIZE, whole_annex);

	shown.value = ht_slice_str("li.02");
	assert_ok(ht_annex_commit(&shown, salt, &all[1]));
	got = ht_annex_join(all, 4, &sealed);
	ht_hex(hex, got.at, HT_HASH_SIZE);
	assert_string_not_equal(hex, whole_annex);
}

static void
bad_fields_are_refused(void **state)
{
	static const char long_name[HT_ANNEX_FIELD_MAX + 2] =
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "a";
	struct ht_annex_field some[HT_ANNEX_FIELDS_MAX + 1];
	struct ht_hash hash;

	(void)state;
	some[0] = some[1] = fields[0];
	assert_err(
	    ht_annex_commitment(entry(), some, 2, ht_slice_str(""), &hash),
	    HT_EINVALID);
	some[1].name = ht_slice_str("");
	assert_err(
	    ht_annex_commitment(entry(), some, 2, ht_slice_str(""), &hash),
	    HT_EINVALID);
	some[1].name = ht_slice_str(long_name);
	assert_err(
	    ht_annex_commitment(entry(), some, 2, ht_slice_str(""), &hash),
	    HT_EINVALID);
	assert_err(ht_annex_commitment(
	               entry(), some, HT_COUNT(some), ht_slice_str(""), &hash),
	    HT_ETOOBIG);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pseudonyms_agree_with_python),
	    cmocka_unit_test(ambiguous_subjects_are_refused),
	    cmocka_unit_test(pseudonyms_differ),
	    cmocka_unit_test(commitments_agree_with_python),
	    cmocka_unit_test(order_given_does_not_matter),
	    cmocka_unit_test(one_field_is_shown_alone),
	    cmocka_unit_test(bad_fields_are_refused),
	};

	if (ht_keys_init() != HT_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
