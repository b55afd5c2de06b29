/*
 * t_seal.c -- HPKE against RFC 9180 appendix A.2.1 (values as printed there),
 * HKDF against RFC 5869 appendix A, and against a second implementation: 30
 * lines of Python over its `hmac` and the `cryptography` package's X25519 and
 * ChaCha20Poly1305, which give the RFC's values too.
 */
#include "tests/lib/test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Statics are tested too: what lies between the key and the ciphertext. */
#include "keys/seal.c"
#include "tests/lib/fault.h"

static void
assert_hex(const void *bytes, size_t len, const char *want)
{
	char hex[2 * 128 + 1];

	assert_true(len <= 128);
	ht_hex(hex, bytes, len);
	assert_string_equal(hex, want);
}

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

/* ---- HKDF ---- */

static const struct {
	const char *ikm, *salt, *info, *prk, *okm;
} rfc5869[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
     "000102030405060708090a0b0c",                                                       "f0f1f2f3f4f5f6f7f8f9",
     "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",                                                                                                                                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
        "34007208d5b887185865"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
     "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
     "404142434445464748494a4b4c4d4e4f",        "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
        "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
        "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf", "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
        "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
        "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
        "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
        "cc30c58179ec3e87c14c01d5c1f3434f1d87"                                                        },
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "",                                 "",
     "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",                                                                                                                                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
        "9d201395faa4b61a96c8"},
};

static void
rfc_5869_agrees(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(rfc5869); i++) {
		size_t ikm_len = strlen(rfc5869[i].ikm) / 2;
		size_t salt_len = strlen(rfc5869[i].salt) / 2;
		size_t info_len = strlen(rfc5869[i].info) / 2;
		size_t okm_len = strlen(rfc5869[i].okm) / 2;
		uint8_t ikm[80], salt[80], info[80], prk[32], okm[82];

		assert_ok(ht_unhex(rfc5869[i].ikm, ikm, ikm_len));
		assert_ok(ht_unhex(rfc5869[i].salt, salt, salt_len));
		assert_ok(ht_unhex(rfc5869[i].info, info, info_len));
		ht_hkdf_extract(
		    HT_SLICE(salt, salt_len), HT_SLICE(ikm, ikm_len), prk);
		assert_hex(prk, 32, rfc5869[i].prk);
		ht_hkdf_expand(prk, HT_SLICE(info, info_len), okm, okm_len);
		assert_hex(okm, okm_len, rfc5869[i].okm);
	}
}

/* ---- RFC 9180, A.2.1 ---- */

static const char info_hex[] = "4f6465206f6e2061204772656369616e2055726e";
static const char ikm_e[] =
    "909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b";
static const char pk_em[] =
    "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a";
static const char sk_em[] =
    "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600";
static const char ikm_r[] =
    "1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df";
static const char pk_rm[] =
    "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a";
static const char sk_rm[] =
    "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb";
static const char shared_hex[] =
    "0bbe78490412b4bbea4812666f7916932b828bba79942424abb65244930d69a7";
static const char key_hex[] =
    "ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91";
static const char base_nonce[] = "5c4d98150661b848853b547f";

static const char beauty[] = "Beauty is truth, truth beauty";
#define BEAUTY (sizeof(beauty) - 1)

static const struct {
	uint64_t seq;
	const char *aad, *nonce, *ct;
} encryptions[] = {
    {0,   "Count-0",   "5c4d98150661b848853b547f",
     "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db"
        "21993c62ce81883d2dd1b51a28"},
    {1,   "Count-1",   "5c4d98150661b848853b547e",
     "6b53c051e4199c518de79594e1c4ab18b96f081549d45ce015be002090bb119e"
        "85285337cc95ba5f59992dc98c"},
    {2,   "Count-2",   "5c4d98150661b848853b547d",
     "71146bd6795ccc9c49ce25dda112a48f202ad220559502cef1f34271e0cb4b02"
        "b4f10ecac6f48c32f878fae86b"},
    {4,   "Count-4",   "5c4d98150661b848853b547b",
     "63357a2aa291f5a4e5f27db6baa2af8cf77427c7c1a909e0b37214dd47db122b"
        "b153495ff0b02e9e54a50dbe16"},
    {255, "Count-255", "5c4d98150661b848853b5480",
     "18ab939d63ddec9f6ac2b60d61d36a7375d2070c9b683861110757062c52b888"
        "0a5f6b3936da9cd6c23ef2a95c"},
    {256, "Count-256", "5c4d98150661b848853b557f",
     "7a4a13e9ef23978e2c520fd4d2e757514ae160cd0cd05e556ef692370ca53076"
        "214c0c40d4c728d6ed9e727a5b"},
};

static struct ht_slice
rfc_info(void)
{
	static uint8_t info[sizeof(info_hex) / 2];

	assert_ok(ht_unhex(info_hex, info, sizeof(info)));
	return HT_SLICE(info, sizeof(info));
}

static struct ht_sealer *
rfc_sealer(void)
{
	struct ht_sealer *sealer;
	struct ht_pub to;
	uint8_t ikm[32];

	assert_ok(ht_unhex(pk_rm, to.at, 32));
	assert_ok(ht_unhex(ikm_e, ikm, 32));
	assert_ok(ht_sealer_from_seed(&to, rfc_info(), ikm, &sealer));
	return sealer;
}

static struct ht_opener *
rfc_opener(void)
{
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	struct ht_opener *opener;
	uint8_t sk[32], enc[32];

	assert_ok(ht_unhex(sk_rm, sk, 32));
	assert_ok(ht_unhex(pk_em, enc, 32));
	assert_ok(ht_key_from_seed(HT_KEY_SEALING, sk, &key));
	assert_ok(ht_opener_new(key, enc, rfc_info(), &opener));
	return opener;
}

static void
key_pairs_are_derived(void **state)
{
	static const char *const pairs[][3] = {
	    {ikm_e, sk_em, pk_em},
            {ikm_r, sk_rm, pk_rm}
        };

	(void)state;
	for (size_t i = 0; i < HT_COUNT(pairs); i++) {
		uint8_t ikm[32], sk[32], pk[32];

		assert_ok(ht_unhex(pairs[i][0], ikm, 32));
		derive_key_pair(ikm, sk, pk);
		assert_hex(sk, 32, pairs[i][1]);
		assert_hex(pk, 32, pairs[i][2]);
	}
}

static void
both_sides_share_the_secret(void **state)
{
	uint8_t sk_e[32], sk_r[32], enc[32], out[32];
	struct ht_pub to;

	(void)state;
	assert_ok(ht_unhex(sk_em, sk_e, 32));
	assert_ok(ht_unhex(sk_rm, sk_r, 32));
	assert_ok(ht_unhex(pk_em, enc, 32));
	assert_ok(ht_unhex(pk_rm, to.at, 32));
	assert_ok(shared_secret(sk_e, to.at, enc, &to, out));
	assert_hex(out, 32, shared_hex);
	assert_ok(shared_secret(sk_r, enc, enc, &to, out));
	assert_hex(out, 32, shared_hex);
}

static void
the_schedule_agrees(void **state)
{
	HT_AUTO(ht_sealer_free) struct ht_sealer *sealer = rfc_sealer();
	HT_AUTO(ht_opener_free) struct ht_opener *opener = rfc_opener();
	uint8_t nonce[NN];

	(void)state;
	assert_hex(ht_sealer_enc(sealer), 32, pk_em);
	assert_hex(sealer->ctx.key, NK, key_hex);
	assert_hex(sealer->ctx.base_nonce, NN, base_nonce);
	assert_hex(opener->ctx.key, NK, key_hex);
	assert_hex(opener->ctx.base_nonce, NN, base_nonce);
	for (size_t i = 0; i < HT_COUNT(encryptions); i++) {
		nonce_of(&sealer->ctx, encryptions[i].seq, nonce);
		assert_hex(nonce, NN, encryptions[i].nonce);
	}
}

static void
encryptions_agree(void **state)
{
	HT_AUTO(ht_sealer_free) struct ht_sealer *sealer = rfc_sealer();
	size_t checked = 0;

	(void)state;
	for (uint64_t seq = 0; seq <= 256; seq++) {
		uint8_t at[BEAUTY + HT_AEAD_TAG];
		char aad[16];
		uint64_t used;

		snprintf(aad, sizeof(aad), "Count-%u", (unsigned)seq);
		memcpy(at, beauty, BEAUTY);
		assert_int_equal(ht_sealer_seq(sealer), seq);
		assert_ok(
		    ht_seal(sealer, ht_slice_str(aad), at, BEAUTY, &used));
		assert_int_equal(used, seq);
		if (seq != encryptions[checked].seq)
			continue;
		assert_string_equal(aad, encryptions[checked].aad);
		assert_hex(at, sizeof(at), encryptions[checked++].ct);
	}
	assert_int_equal(checked, HT_COUNT(encryptions));
}

/* Last first: any sequence number in any order. */
static void
decryptions_agree(void **state)
{
	HT_AUTO(ht_opener_free) struct ht_opener *opener = rfc_opener();

	(void)state;
	for (size_t i = HT_COUNT(encryptions); i-- > 0;) {
		uint8_t at[BEAUTY + HT_AEAD_TAG];

		assert_ok(ht_unhex(encryptions[i].ct, at, sizeof(at)));
		assert_ok(ht_open(opener, encryptions[i].seq,
		    ht_slice_str(encryptions[i].aad), at, sizeof(at)));
		assert_memory_equal(at, beauty, BEAUTY);
	}
}

/* ---- against the second implementation ---- */

static struct ht_slice
our_info(const struct ht_key *key)
{
	static uint8_t info[16 + HT_KEYID_SIZE] = "hutong-seal/v1\n\x01";
	struct ht_keyid id = ht_key_id(key);

	memcpy(info + 16, id.at, HT_KEYID_SIZE);
	return HT_SLICE(info, sizeof(info));
}

/* Recipient 00..1f, ikmE 20..3f, info as docs/protocol.md has it. */
static void
python_agrees(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_SEALING);
	HT_AUTO(ht_sealer_free) struct ht_sealer *sealer = NULL;
	struct ht_pub to = ht_key_pub(key);
	uint8_t ikm[32], at[5000 + HT_AEAD_TAG], aad[1000];
	struct ht_hash hash;
	uint64_t seq;

	(void)state;
	for (uint8_t i = 0; i < 32; i++)
		ikm[i] = (uint8_t)(32 + i);
	assert_ok(ht_sealer_from_seed(&to, our_info(key), ikm, &sealer));
	assert_hex(ht_sealer_enc(sealer), 32,
	    "693658254630f73ad8da78fb331bf976cd42f90e0e9c9e83f40c51072a6f7417");
	assert_ok(ht_seal(sealer, ht_slice_str("envelope"), at, 0, &seq));
	assert_hex(at, HT_AEAD_TAG, "86bc57efaef664cb5d9f426132a4c001");

	for (size_t i = 0; i < 5000; i++)
		at[i] = (uint8_t)(i % 251);
	memset(aad, 'x', sizeof(aad));
	sealer->next = 0x0123456789abcdef;
	assert_ok(ht_seal(sealer, HT_SLICE(aad, sizeof(aad)), at, 5000, &seq));
	assert_int_equal(seq, 0x0123456789abcdef);
	hash = ht_sha256(HT_SLICE(at, sizeof(at)));
	assert_hex(hash.at, 32,
	    "92d821989c39143bf790548f5fb77c67856647a21ed67664b1da586730cea0ef");
}

static void
sequence_numbers_end(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_SEALING);
	HT_AUTO(ht_sealer_free) struct ht_sealer *sealer = NULL;
	struct ht_pub to = ht_key_pub(key);
	uint8_t ikm[32], at[4 + HT_AEAD_TAG] = "last";
	uint64_t seq = 7;

	(void)state;
	for (uint8_t i = 0; i < 32; i++)
		ikm[i] = (uint8_t)(32 + i);
	assert_ok(ht_sealer_from_seed(&to, our_info(key), ikm, &sealer));
	sealer->next = HT_SEAL_SEQ_MAX;
	assert_ok(ht_seal(sealer, HT_SLICE(NULL, 0), at, 4, &seq));
	assert_int_equal(seq, HT_SEAL_SEQ_MAX);
	assert_hex(at, sizeof(at), "509b3e1de53601d7f98b025587629eac80bf28da");
	assert_err(ht_seal(sealer, HT_SLICE(NULL, 0), at, 4, &seq), HT_ETOOBIG);
	assert_int_equal(seq, HT_SEAL_SEQ_MAX);
}

/* ---- what must not open ---- */

static void
nothing_bent_opens(void **state)
{
	HT_AUTO(ht_opener_free) struct ht_opener *opener = rfc_opener();
	struct ht_slice aad = ht_slice_str("Count-0");
	uint8_t good[BEAUTY + HT_AEAD_TAG], at[sizeof(good)];
	static const uint8_t zero[sizeof(good)];

	(void)state;
	assert_ok(ht_unhex(encryptions[0].ct, good, sizeof(good)));
	for (size_t bit = 0; bit < 8 * sizeof(good); bit++) {
		memcpy(at, good, sizeof(good));
		at[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_err(ht_open(opener, 0, aad, at, sizeof(at)), HT_EBADSIG);
		assert_memory_equal(at, zero, sizeof(at)); /* wiped */
	}
	for (size_t len = 0; len < sizeof(good); len++) {
		memcpy(at, good, sizeof(good));
		assert_err(ht_open(opener, 0, aad, at, len), HT_EBADSIG);
	}
	memcpy(at, good, sizeof(good));
	assert_err(ht_open(opener, 1, aad, at, sizeof(at)), HT_EBADSIG);
	memcpy(at, good, sizeof(good));
	assert_err(ht_open(opener, 0, ht_slice_str("Count-1"), at, sizeof(at)),
	    HT_EBADSIG);
	memcpy(at, good, sizeof(good));
	assert_ok(ht_open(opener, 0, aad, at, sizeof(at)));
}

/* A body lifted to another key, info or enc. */
static void
contexts_do_not_mix(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_SEALING);
	HT_AUTO(ht_key_free) struct ht_key *other = NULL;
	struct ht_slice info = ht_slice_str("info"), aad = ht_slice_str("aad");
	struct ht_pub to = ht_key_pub(key);
	HT_AUTO(ht_buf_fini) struct ht_buf sealed = HT_BUF(1000);
	HT_AUTO(ht_buf_fini) struct ht_buf plain = HT_BUF(1000);

	(void)state;
	assert_ok(ht_key_new(HT_KEY_SEALING, &other));
	assert_ok(ht_seal_once(&to, info, aad, ht_slice_str("plain"), &sealed));
	assert_int_equal(sealed.len, HT_ENC_SIZE + 5 + HT_AEAD_TAG);
	assert_err(
	    ht_open_once(other, info, aad, ht_buf_slice(&sealed), &plain),
	    HT_EBADSIG);
	assert_err(ht_open_once(key, aad, aad, ht_buf_slice(&sealed), &plain),
	    HT_EBADSIG);
	assert_err(ht_open_once(key, info, info, ht_buf_slice(&sealed), &plain),
	    HT_EBADSIG);
	for (size_t i = 0; i < sealed.len; i++) {
		sealed.at[i] ^= 1;
		assert_err(
		    ht_open_once(key, info, aad, ht_buf_slice(&sealed), &plain),
		    HT_EBADSIG);
		sealed.at[i] ^= 1;
		assert_err(ht_open_once(
		               key, info, aad, HT_SLICE(sealed.at, i), &plain),
		    HT_EBADSIG);
	}
	assert_int_equal(plain.len, 0); /* nothing came of all that */
	assert_ok(ht_open_once(key, info, aad, ht_buf_slice(&sealed), &plain));
	assert_true(ht_slice_is(ht_buf_slice(&plain), "plain"));
}

static void
each_context_is_fresh(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_ANNEX);
	HT_AUTO(ht_sealer_free) struct ht_sealer *a = NULL;
	HT_AUTO(ht_sealer_free) struct ht_sealer *b = NULL;
	struct ht_pub to = ht_key_pub(key);

	(void)state;
	assert_ok(ht_sealer_new(&to, ht_slice_str("i"), &a));
	assert_ok(ht_sealer_new(&to, ht_slice_str("i"), &b));
	assert_memory_not_equal(ht_sealer_enc(a), ht_sealer_enc(b), 32);
	assert_memory_not_equal(&a->ctx, &b->ctx, sizeof(a->ctx));
}

/* Section 7.1.4: points that would make the secret known to all. */
static void
small_order_points_are_refused(void **state)
{
	static const char *const points[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "0100000000000000000000000000000000000000000000000000000000000000",
	    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_SEALING);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(1000);
	struct ht_slice none = HT_SLICE(NULL, 0);

	(void)state;
	for (size_t i = 0; i < HT_COUNT(points); i++) {
		struct ht_sealer *sealer = NULL;
		struct ht_opener *opener = NULL;
		uint8_t sealed[HT_ENC_SIZE + HT_AEAD_TAG] = {0};
		struct ht_pub to;

		assert_ok(ht_unhex(points[i], to.at, 32));
		assert_err(ht_sealer_new(&to, none, &sealer), HT_EINVALID);
		assert_null(sealer);
		assert_err(
		    ht_opener_new(key, to.at, none, &opener), HT_EINVALID);
		assert_null(opener);
		memcpy(sealed, to.at, HT_ENC_SIZE);
		assert_err(ht_open_once(key, none, none,
		               HT_SLICE(sealed, sizeof(sealed)), &out),
		    HT_EINVALID);
		assert_int_equal(out.len, 0);
	}
}

/* ---- misuse, limits ---- */

static void
a_forked_context_stops_the_child(void **state)
{
	HT_AUTO(ht_sealer_free) struct ht_sealer *sealer = rfc_sealer();
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid != -1);
	if (pid == 0) {
		struct rlimit none = {0, 0};
		uint8_t at[HT_AEAD_TAG];
		uint64_t seq;

		(void)setrlimit(RLIMIT_CORE, &none);
		(void)signal(SIGABRT, SIG_DFL);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(0);
		(void)!ht_seal(sealer, HT_SLICE(NULL, 0), at, 0, &seq);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	/* The parent goes on. */
	encryptions_agree(state);
}

static void
no_room_changes_nothing(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_SEALING);
	struct ht_pub to = ht_key_pub(key);
	struct ht_slice none = HT_SLICE(NULL, 0);

	(void)state;
	for (size_t max = 0; max <= HT_ENC_SIZE + 5 + HT_AEAD_TAG; max++) {
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(max);
		enum ht_err err =
		    ht_seal_once(&to, none, none, ht_slice_str("plain"), &out);
		bool fits = max == HT_ENC_SIZE + 5 + HT_AEAD_TAG;

		assert_err(err, fits ? HT_OK : HT_ETOOBIG);
		assert_int_equal(out.len, fits ? max : 0);
	}
}

static void
openers_survive_no_memory(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_SEALING);
	HT_AUTO(ht_opener_free) struct ht_opener *opener = NULL;
	struct ht_pub to = ht_key_pub(key);
	struct ht_slice none = HT_SLICE(NULL, 0);
	HT_AUTO(ht_buf_fini) struct ht_buf sealed = HT_BUF(100);
	HT_AUTO(ht_buf_fini) struct ht_buf plain = HT_BUF(100);
	enum ht_err err = HT_OK;

	(void)state;
	TORTURE(err = ht_opener_new(key, to.at, none, &opener))
	{
		assert_err(err, HT_ENOMEM);
		assert_null(opener);
	}
	assert_ok(err);
	TORTURE(err = ht_seal_once(&to, none, none, none, &sealed))
	{
		assert_err(err, HT_ENOMEM);
		ht_buf_reset(&sealed);
	}
	assert_ok(err);
	TORTURE(
	    err = ht_open_once(key, none, none, ht_buf_slice(&sealed), &plain))
	{
		assert_err(err, HT_ENOMEM);
		ht_buf_reset(&plain);
	}
	assert_ok(err);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rfc_5869_agrees),
	    cmocka_unit_test(key_pairs_are_derived),
	    cmocka_unit_test(both_sides_share_the_secret),
	    cmocka_unit_test(the_schedule_agrees),
	    cmocka_unit_test(encryptions_agree),
	    cmocka_unit_test(decryptions_agree),
	    cmocka_unit_test(python_agrees),
	    cmocka_unit_test(sequence_numbers_end),
	    cmocka_unit_test(nothing_bent_opens),
	    cmocka_unit_test(contexts_do_not_mix),
	    cmocka_unit_test(each_context_is_fresh),
	    cmocka_unit_test(small_order_points_are_refused),
	    cmocka_unit_test(a_forked_context_stops_the_child),
	    cmocka_unit_test(no_room_changes_nothing),
	    cmocka_unit_test(openers_survive_no_memory),
	};

	if (ht_keys_init() != HT_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
