/*
 * t_hash.c -- the hash functions against FIPS 180-4 and RFC 7693 ("abc"), and
 * against Python's hashlib where those print nothing.
 */
#include "tests/lib/test.h"

#include "keys/hash.h"

static void
assert_hex(const void *bytes, size_t len, const char *want)
{
	char hex[2 * 64 + 1];

	ht_hex(hex, bytes, len);
	assert_string_equal(hex, want);
}

static const char abc_sha256[] =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char abc_blake2b[] =
    "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319";

static void
known_answers(void **state)
{
	struct ht_slice abc = ht_slice_str("abc");
	struct ht_hash hash = ht_sha256(abc), leaf = ht_leaf_hash(abc), node;
	uint8_t key[64], out[64];

	(void)state;
	assert_hex(hash.at, 32, abc_sha256);
	assert_hex(leaf.at, 32,
	    "609f6e36d2405585188d5cfd761f407c7cc46a7d3f314c88270469dde315fcd1");
	node = ht_node_hash(&hash, &leaf);
	assert_hex(node.at, 32,
	    "549f0abbd39ab2cfb6df58fb89709eb8e00faf9e209fa65c6ed131a38a57bec3");
	hash = ht_blake2b(&abc, 1);
	assert_hex(hash.at, 32, abc_blake2b);
	memset(key, 'k', sizeof(key));
	ht_blake2b_keyed(HT_SLICE(key, 32), &abc, 1, out, 16);
	assert_hex(out, 16, "c741392fb3956d217ba181c601bfd493");
	ht_blake2b_keyed(HT_SLICE(key, 64), &abc, 1, out, 64);
	assert_hex(out, 64,
	    "8c6720fdeca54ddd7f179b368348eca9f5c3805adf2ae471a038684fca223563"
	    "8f095ad4df65063389045134e0a2e84d10b5180eb695c9be870ff9918e0c8df0");
}

/* However the bytes are cut into parts, and with empty ones among them. */
static void
parts_join(void **state)
{
	(void)state;
	for (size_t cut = 0; cut <= 3; cut++) {
		const struct ht_slice parts[] = {
		    HT_SLICE("abc", cut),
		    HT_SLICE(NULL, 0),
		    HT_SLICE(&"abc"[cut], 3 - cut),
		};
		struct ht_hash hash = ht_sha256_parts(parts, 3);

		assert_hex(hash.at, 32, abc_sha256);
		hash = ht_blake2b(parts, 3);
		assert_hex(hash.at, 32, abc_blake2b);
	}
}

static void
pieces_join(void **state)
{
	struct ht_sha256_run run;
	struct ht_hash want = ht_sha256(ht_slice_str("abc")), got;

	(void)state;
	ht_sha256_begin(&run);
	ht_sha256_add(&run, ht_slice_str("a"));
	ht_sha256_add(&run, ht_slice_str(""));
	ht_sha256_add(&run, ht_slice_str("bc"));
	got = ht_sha256_end(&run);
	assert_true(ht_hash_eq(&got, &want));
}

static void
every_bit_counts(void **state)
{
	struct ht_hash a = ht_sha256(ht_slice_str("abc"));

	(void)state;
	for (unsigned bit = 0; bit < 256; bit++) {
		struct ht_hash b = a;

		assert_true(ht_hash_eq(&a, &b));
		assert_true(ht_secret_eq(&a, &b, sizeof(a)));
		b.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(ht_hash_eq(&a, &b));
		assert_false(ht_secret_eq(&a, &b, sizeof(a)));
	}
}

static void
wiped_is_zero(void **state)
{
	uint8_t secret[5] = {1, 2, 3, 4, 5};

	(void)state;
	ht_wipe(secret, 4);
	assert_memory_equal(secret, ((uint8_t[]){0, 0, 0, 0, 5}), 5);
}

/* The reference's first vectors. */
static void
a_short_hash_is_siphash(void **state)
{
	static const uint8_t want[2][HT_SHORT_SIZE] = {
	    {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72,
             0x14, 0xc7, 0x55, 0x02, 0x93},
	    {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59,
             0x11, 0x9b, 0x22, 0xfc, 0x45},
	};
	uint8_t key[HT_SHORT_SIZE], out[HT_SHORT_SIZE];

	(void)state;
	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	for (unsigned len = 0; len < 2; len++) {
		ht_short_hash(key, HT_SLICE("", len), out);
		assert_memory_equal(out, want[len], sizeof(out));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_short_hash_is_siphash),
	    cmocka_unit_test(known_answers),
	    cmocka_unit_test(parts_join),
	    cmocka_unit_test(pieces_join),
	    cmocka_unit_test(every_bit_counts),
	    cmocka_unit_test(wiped_is_zero),
	};

	if (ht_keys_init() != HT_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
