/*
 * t_sign.c -- keys and signatures: RFC 8032, RFC 7748, the public edge cases,
 * and memory that cannot be read.
 */
#include "tests/lib/test.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "keys/sign.h"
#include "tests/lib/fault.h"

static struct ht_key *
key_0_to_31(enum ht_key_for what)
{
	struct ht_key *key;
	uint8_t seed[32];

	for (uint8_t i = 0; i < 32; i++)
		seed[i] = i;
	assert_ok(ht_key_from_seed(what, seed, &key));
	return key;
}

static void
assert_hex(const void *bytes, size_t len, const char *want)
{
	char hex[2 * 64 + 1];

	ht_hex(hex, bytes, len);
	assert_string_equal(hex, want);
}

/* ---- known answers ---- */

/* RFC 8032 section 7.1: TEST 1, 2, 3 and SHA(abc). */
static const struct {
	const char *seed, *pub, *message, *sig;
} rfc8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"                                                                                                                                                   },
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"                                                                                                                                                   },
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"                                                                                                                                                   },
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f", "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"},
};

static void
rfc_8032_agrees(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(rfc8032); i++) {
		HT_AUTO(ht_key_free) struct ht_key *key = NULL;
		uint8_t seed[32], message[64];
		size_t len = strlen(rfc8032[i].message) / 2;
		struct ht_slice all = HT_SLICE(message, len);
		struct ht_pub pub;
		struct ht_sig sig;

		assert_ok(ht_unhex(rfc8032[i].seed, seed, 32));
		assert_ok(ht_unhex(rfc8032[i].message, message, len));
		assert_ok(ht_key_from_seed(HT_KEY_SIGNING, seed, &key));
		pub = ht_key_pub(key);
		assert_hex(pub.at, HT_PUB_SIZE, rfc8032[i].pub);
		assert_ok(ht_pub_check_sign(&pub));
		assert_ok(ht_sign(key, "", all, &sig));
		assert_hex(sig.at, HT_SIG_SIZE, rfc8032[i].sig);
		assert_ok(ht_verify(&pub, "", all, &sig));
	}
}

/* Public halves and ids as Python's cryptography and hashlib have them. */
static void
public_halves_agree(void **state)
{
	static const struct {
		enum ht_key_for what;
		const char *pub, *id;
	} cases[] = {
	    {HT_KEY_SIGNING,
             "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531"
	        "b8", "45948d45eb90c3f4"},
	    {HT_KEY_SEALING,
             "8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e213828"
	        "5f", "ebc47ae4352ae814"},
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_key_free)
		struct ht_key *key = key_0_to_31(cases[i].what);
		struct ht_pub pub = ht_key_pub(key);
		struct ht_keyid id = ht_key_id(key);

		assert_hex(pub.at, HT_PUB_SIZE, cases[i].pub);
		assert_hex(id.at, HT_KEYID_SIZE, cases[i].id);
		assert_int_equal(ht_key_what(key), cases[i].what);
	}
}

/* RFC 7748 section 6.1: Alice. */
static void
rfc_7748_agrees(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	struct ht_pub pub;
	uint8_t seed[32];

	(void)state;
	assert_ok(ht_unhex("77076d0a7318a57d3c16c17251b26645"
	                   "df4c2f87ebc0992ab177fba51db92c2a",
	    seed, 32));
	assert_ok(ht_key_from_seed(HT_KEY_TRANSPORT, seed, &key));
	pub = ht_key_pub(key);
	assert_hex(pub.at, HT_PUB_SIZE,
	    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
}

static void
a_tracker_key_is_named_by_a_hash(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_TRACKER);
	struct ht_pub pub = ht_key_pub(key);

	(void)state;
	assert_hex(pub.at, HT_PUB_SIZE,
	    "c24321d30d80a9a030e26c59810a410372a32d1bf6e3da7b1e4c1795fad4d82f");
}

/* ---- purposes, ids, labels ---- */

static void
purposes_have_words(void **state)
{
	enum ht_key_for what;

	(void)state;
#define HT_KEY_CHECK(name, value, text)                                        \
	assert_string_equal(ht_key_for_text(name), text);                      \
	assert_ok(ht_key_for_parse(ht_slice_str(text), &what));                \
	assert_int_equal(what, name);
	HT_KEY_MAP(HT_KEY_CHECK)
#undef HT_KEY_CHECK
	assert_err(
	    ht_key_for_parse(ht_slice_str("Signing"), &what), HT_EMALFORMED);
	assert_err(ht_key_for_parse(ht_slice_str(""), &what), HT_EMALFORMED);
}

/* The same bytes as another purpose's key: another id. */
static void
ids_depend_on_the_purpose(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_SIGNING);
	struct ht_pub pub = ht_key_pub(key);
	struct ht_keyid a = ht_keyid(HT_KEY_SIGNING, &pub);
	struct ht_keyid b = ht_keyid(HT_KEY_LOG, &pub);

	(void)state;
	assert_true(ht_keyid_eq(&a, &a));
	assert_false(ht_keyid_eq(&a, &b));
}

static void
labels_keep_signatures_apart(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_SIGNING);
	struct ht_slice abc = ht_slice_str("abc");
	struct ht_pub pub = ht_key_pub(key);
	struct ht_sig sig;

	(void)state;
	assert_ok(ht_sign(key, "hutong-bundle/v1\n", abc, &sig));
	/* cryptography's signature over "hutong-bundle/v1\nabc" */
	assert_hex(sig.at, HT_SIG_SIZE,
	    "5bbe75c7fcff1d8a33d6da60cb54036273e9f54d0d40317e174fd8c220482ed5"
	    "cd6c048a9633e173082ab1ad8731e446b61b540ae6ec22db06c3caeb0ded4e0"
	    "8");
	assert_ok(ht_verify(&pub, "hutong-bundle/v1\n", abc, &sig));
	assert_err(ht_verify(&pub, "", abc, &sig), HT_EBADSIG);
	assert_err(ht_verify(&pub, "hutong-other/v1\n", abc, &sig), HT_EBADSIG);
}

/* Around the size from which label and message are joined on the heap. */
static void
long_messages_are_whole(void **state)
{
	static uint8_t message[10000];
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_LOG);
	struct ht_pub pub = ht_key_pub(key);

	(void)state;
	for (size_t len = 4080; len <= 4100; len++) {
		struct ht_slice all = HT_SLICE(message, len);
		struct ht_sig sig;

		assert_ok(ht_sign(key, "label\n", all, &sig));
		assert_ok(ht_verify(&pub, "label\n", all, &sig));
		message[len - 1] ^= 1;
		assert_err(ht_verify(&pub, "label\n", all, &sig), HT_EBADSIG);
	}
}

static void
every_bit_is_signed(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_SIGNING);
	struct ht_pub pub = ht_key_pub(key);
	struct ht_slice abc = ht_slice_str("abc");
	struct ht_sig sig, bad;

	(void)state;
	assert_ok(ht_sign(key, "", abc, &sig));
	for (unsigned bit = 0; bit < 8 * HT_SIG_SIZE; bit++) {
		bad = sig;
		bad.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_err(ht_verify(&pub, "", abc, &bad), HT_EBADSIG);
	}
}

/* ---- the public edge cases ---- */

static bool
flagged(const json_t *v, const char *flag)
{
	const json_t *flags = json_object_get(v, "flags");

	for (size_t i = 0; i < json_array_size(flags); i++)
		if (strcmp(json_string_value(json_array_get(flags, i)), flag) ==
		    0)
			return true;
	return false;
}

/*
 * The rule, in the words of C2SP/CCTV's flags ("libsodium strict"):
 *
 *   a signature is refused if A or R is of low order or not canonical, or if
 *   the equation holds only up to the cofactor (low_order_residue);
 *   a public key is refused on entry also if it has a low-order component.
 */
static bool
sig_should_pass(const json_t *v)
{
	return !flagged(v, "low_order_A") && !flagged(v, "low_order_R") &&
	       !flagged(v, "non_canonical_A") &&
	       !flagged(v, "non_canonical_R") &&
	       !flagged(v, "low_order_residue");
}

static bool
key_should_pass(const json_t *v)
{
	return !flagged(v, "low_order_A") && !flagged(v, "non_canonical_A") &&
	       !flagged(v, "low_order_component_A");
}

static void
one_edge(const json_t *v, unsigned *sigs, unsigned *keys)
{
	const char *text = json_string_value(json_object_get(v, "msg"));
	struct ht_pub pub;
	struct ht_sig sig;
	enum ht_err err;

	assert_non_null(text);
	assert_ok(ht_unhex(
	    json_string_value(json_object_get(v, "key")), pub.at, HT_PUB_SIZE));
	assert_ok(ht_unhex(
	    json_string_value(json_object_get(v, "sig")), sig.at, HT_SIG_SIZE));
	err = ht_verify(&pub, "", ht_slice_str(text), &sig);
	if (err != (sig_should_pass(v) ? HT_OK : HT_EBADSIG))
		fail_msg("signature %d: %s",
		    (int)json_integer_value(json_object_get(v, "number")),
		    ht_err_text(err));
	*sigs += err == HT_OK;
	err = ht_pub_check_sign(&pub);
	if (err != (key_should_pass(v) ? HT_OK : HT_EINVALID))
		fail_msg("key %d: %s",
		    (int)json_integer_value(json_object_get(v, "number")),
		    ht_err_text(err));
	*keys += err == HT_OK;
}

static void
public_edge_cases_agree(void **state)
{
	char path[HT_TEST_PATH_MAX];
	unsigned sigs = 0, keys = 0;
	json_t *all;

	(void)state;
	if (ht_test_shared(path, "ed25519/ed25519vectors.json") == NULL)
		return;
	all = json_load_file(path, 0, NULL);
	assert_int_equal(json_array_size(all), 914);
	for (size_t i = 0; i < json_array_size(all); i++)
		one_edge(json_array_get(all, i), &sigs, &keys);
	json_decref(all);
	assert_int_equal(sigs, 43);
	assert_true(keys > 0);
}

/* Known to every build, with the vectors or without. */
static void
bad_points_are_refused(void **state)
{
	static const char *const points[] = {
	    /* the identity; order 4; order 8 */
	    "0100000000000000000000000000000000000000000000000000000000000000",
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	    /* y = p + 1: not canonical */
	    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    /* not on the curve */
	    "0200000000000000000000000000000000000000000000000000000000000000",
	    /* CVE-2025-69277: a good key plus the point of order 2 */
	    "ea5ef8400c31ef41e28f22e718b43f66981b29cf645af2a0e223799bedaace47",
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(points); i++) {
		struct ht_pub pub;

		assert_ok(ht_unhex(points[i], pub.at, HT_PUB_SIZE));
		assert_err(ht_pub_check_sign(&pub), HT_EINVALID);
	}
}

/* ---- memory ---- */

static const uint8_t *volatile peek_at;
static volatile uint8_t peeked;

/* Whether a child that reads the byte lives. */
static bool
can_be_read(const uint8_t *at)
{
	pid_t pid = fork();
	int status;

	assert_true(pid != -1);
	if (pid == 0) {
		struct rlimit none = {0, 0};

		(void)setrlimit(RLIMIT_CORE, &none);
		(void)signal(SIGSEGV, SIG_DFL); /* not a sanitizer's */
		peek_at = at;
		peeked = *peek_at;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
secrets_are_readable_only_while_open(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_SEALING);
	const uint8_t *at = ht_key_open(key);

	(void)state;
	for (uint8_t i = 0; i < 32; i++)
		assert_int_equal(at[i], i);
	assert_ptr_equal(ht_key_open(key), at);
	ht_key_shut(key);
	assert_true(can_be_read(at)); /* one use is still on */
	ht_key_shut(key);
	assert_false(can_be_read(at));
}

/* Our own mistake must stop us, in a child here. */
static bool
dies(void (*act)(const struct ht_key *), const struct ht_key *key)
{
	pid_t pid = fork();
	int status;

	assert_true(pid != -1);
	if (pid == 0) {
		struct rlimit none = {0, 0};

		(void)setrlimit(RLIMIT_CORE, &none);
		(void)signal(SIGABRT, SIG_DFL);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(0);
		act(key);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static void
act_open(const struct ht_key *key)
{
	(void)ht_key_open(key);
}

static void
act_sign(const struct ht_key *key)
{
	struct ht_sig sig;

	(void)!ht_sign(key, "", ht_slice_str("x"), &sig);
}

static void
act_sign_bad_label(const struct ht_key *key)
{
	struct ht_sig sig;

	(void)!ht_sign(key, "no newline", ht_slice_str("x"), &sig);
}

static void
keys_keep_to_their_purpose(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *sign = key_0_to_31(HT_KEY_SIGNING);
	HT_AUTO(ht_key_free) struct ht_key *seal = key_0_to_31(HT_KEY_SEALING);

	(void)state;
	assert_true(dies(act_open, sign));
	assert_true(dies(act_sign, seal));
	assert_true(dies(act_sign_bad_label, sign));
	assert_false(dies(act_open, seal));
	assert_false(dies(act_sign, sign));
}

static void *
sign_many(void *arg)
{
	struct ht_slice abc = ht_slice_str("abc");
	const struct ht_key *key = arg;
	struct ht_pub pub = ht_key_pub(key);
	struct ht_sig sig;

	for (unsigned i = 0; i < 200; i++)
		if (ht_sign(key, "t\n", abc, &sig) != HT_OK ||
		    ht_verify(&pub, "t\n", abc, &sig) != HT_OK)
			return arg;
	return NULL;
}

static void
threads_may_sign_together(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_SIGNING);
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < HT_COUNT(threads); i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, sign_many, key), 0);
	for (size_t i = 0; i < HT_COUNT(threads); i++) {
		void *failed = key;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

static void
new_keys_differ(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *a = NULL;
	HT_AUTO(ht_key_free) struct ht_key *b = NULL;
	struct ht_keyid ia, ib;

	(void)state;
	assert_ok(ht_key_new(HT_KEY_LOG, &a));
	assert_ok(ht_key_new(HT_KEY_LOG, &b));
	ia = ht_key_id(a);
	ib = ht_key_id(b);
	assert_false(ht_keyid_eq(&ia, &ib));
}

static void
keys_survive_no_memory(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	enum ht_err err = HT_OK;

	(void)state;
	TORTURE(err = ht_key_new(HT_KEY_SIGNING, &key))
	{
		assert_err(err, HT_ENOMEM);
		assert_null(key);
	}
	assert_ok(err);
}

static void
signing_survives_no_memory(void **state)
{
	static uint8_t message[8192];
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_SIGNING);
	struct ht_slice all = HT_SLICE(message, sizeof(message));
	struct ht_pub pub = ht_key_pub(key);
	struct ht_sig sig;
	enum ht_err err = HT_OK;

	(void)state;
	TORTURE(err = ht_sign(key, "t\n", all, &sig))
	assert_err(err, HT_ENOMEM);
	assert_ok(err);
	TORTURE(err = ht_verify(&pub, "t\n", all, &sig))
	assert_err(err, HT_ENOMEM);
	assert_ok(err);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rfc_8032_agrees),
	    cmocka_unit_test(rfc_7748_agrees),
	    cmocka_unit_test(public_halves_agree),
	    cmocka_unit_test(a_tracker_key_is_named_by_a_hash),
	    cmocka_unit_test(purposes_have_words),
	    cmocka_unit_test(ids_depend_on_the_purpose),
	    cmocka_unit_test(labels_keep_signatures_apart),
	    cmocka_unit_test(long_messages_are_whole),
	    cmocka_unit_test(every_bit_is_signed),
	    cmocka_unit_test(public_edge_cases_agree),
	    cmocka_unit_test(bad_points_are_refused),
	    cmocka_unit_test(secrets_are_readable_only_while_open),
	    cmocka_unit_test(keys_keep_to_their_purpose),
	    cmocka_unit_test(threads_may_sign_together),
	    cmocka_unit_test(new_keys_differ),
	    cmocka_unit_test(keys_survive_no_memory),
	    cmocka_unit_test(signing_survives_no_memory),
	};

	if (ht_keys_init() != HT_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
