/*
 * seal.c -- HPKE base mode for suite 1, after RFC 9180.
 *
 *   dh             X25519(ephemeral secret, recipient's public key)
 *   shared_secret  ExtractAndExpand(dh, enc || recipient's public key)   4.1
 *   key, nonce     KeySchedule(mode_base, shared_secret, info)           5.1
 *   ciphertext     ChaCha20Poly1305(key, nonce XOR sequence, aad)        5.2
 *
 * Names are the RFC's, its sections stand beside them.
 */
#include "keys/seal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/panic.h"

#define NH 32 /* HKDF-SHA256 */
#define NK crypto_aead_chacha20poly1305_ietf_KEYBYTES
#define NN crypto_aead_chacha20poly1305_ietf_NPUBBYTES

_Static_assert(NH == crypto_auth_hmacsha256_BYTES, "HKDF-SHA256 gives 32");
_Static_assert(NK == 32 && NN == 12, "ChaCha20Poly1305");
_Static_assert(HT_AEAD_TAG == crypto_aead_chacha20poly1305_ietf_ABYTES, "Nt");
_Static_assert(HT_ENC_SIZE == crypto_scalarmult_BYTES, "Nenc");

/* ---- HKDF (RFC 5869), plain and labeled (RFC 9180 section 4) ---- */

static void
hmac(struct ht_slice key, const struct ht_slice *parts, size_t n,
    uint8_t ret[static NH])
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, key.at, key.len);
	for (size_t i = 0; i < n; i++)
		crypto_auth_hmacsha256_update(
		    &state, parts[i].at, parts[i].len);
	crypto_auth_hmacsha256_final(&state, ret);
	ht_wipe(&state, sizeof(state));
}

/* T(1) || T(2) || ..., cut to @len; T(i) = HMAC(prk, T(i-1) || parts || i). */
static void
expand(const uint8_t prk[static NH], const struct ht_slice *parts, size_t n,
    uint8_t *ret, size_t len)
{
	struct ht_slice all[8];
	uint8_t t[NH], i = 0;

	HT_ASSERT(len <= 255 * NH && n <= HT_COUNT(all) - 2);
	memcpy(&all[1], parts, n * sizeof(*parts));
	while (len > 0) {
		size_t take = len < NH ? len : NH;

		all[0] = HT_SLICE(t, i == 0 ? 0 : NH);
		i++;
		all[n + 1] = HT_SLICE(&i, 1);
		hmac(HT_SLICE(prk, NH), all, n + 2, t);
		memcpy(ret, t, take);
		ret += take;
		len -= take;
	}
	ht_wipe(t, sizeof(t));
}

void
ht_hkdf_extract(
    struct ht_slice salt, struct ht_slice ikm, uint8_t ret_prk[static 32])
{
	hmac(salt, &ikm, 1, ret_prk);
}

void
ht_hkdf_expand(const uint8_t prk[static 32], struct ht_slice info, uint8_t *ret,
    size_t len)
{
	expand(prk, &info, 1, ret, len);
}

/* "KEM" || I2OSP(kem_id, 2), and "HPKE" || kem_id || kdf_id || aead_id. */
#define KEM_SUITE  HT_SLICE("KEM\x00\x20", 5)
#define HPKE_SUITE HT_SLICE("HPKE\x00\x20\x00\x01\x00\x03", 10)
#define NOTHING    HT_SLICE("", 0)

static void
labeled_extract(struct ht_slice suite, struct ht_slice salt, const char *label,
    struct ht_slice ikm, uint8_t ret[static NH])
{
	const struct ht_slice parts[] = {
	    ht_slice_str("HPKE-v1"), suite, ht_slice_str(label), ikm};

	hmac(salt, parts, HT_COUNT(parts), ret);
}

static void
labeled_expand(struct ht_slice suite, const uint8_t prk[static NH],
    const char *label, struct ht_slice info, uint8_t *ret, size_t len)
{
	uint8_t be_len[2];
	const struct ht_slice parts[] = {HT_SLICE(be_len, sizeof(be_len)),
	    ht_slice_str("HPKE-v1"), suite, ht_slice_str(label), info};

	ht_be16(be_len, (uint16_t)len);
	expand(prk, parts, HT_COUNT(parts), ret, len);
}

/* ---- DHKEM(X25519, HKDF-SHA256), section 4.1 ---- */

/* DeriveKeyPair(), section 7.1.3. */
static void
derive_key_pair(
    const uint8_t ikm[static 32], uint8_t sk[static 32], uint8_t pk[static 32])
{
	uint8_t prk[NH];

	labeled_extract(KEM_SUITE, NOTHING, "dkp_prk", HT_SLICE(ikm, 32), prk);
	labeled_expand(KEM_SUITE, prk, "sk", NOTHING, sk, 32);
	crypto_scalarmult_base(pk, sk);
	ht_wipe(prk, sizeof(prk));
}

/*
 * The shared secret from either side.  HT_EINVALID when X25519 gives zero:
 * the other side's key is of small order (section 7.1.4).
 */
static enum ht_err
shared_secret(const uint8_t sk[static 32], const uint8_t pk[static 32],
    const uint8_t enc[static HT_ENC_SIZE], const struct ht_pub *to,
    uint8_t ret[static NH])
{
	uint8_t dh[32], prk[NH], kem_context[HT_ENC_SIZE + HT_PUB_SIZE];

	if (crypto_scalarmult(dh, sk, pk) != 0)
		return HT_EINVALID;
	memcpy(kem_context, enc, HT_ENC_SIZE);
	memcpy(kem_context + HT_ENC_SIZE, to->at, HT_PUB_SIZE);
	labeled_extract(
	    KEM_SUITE, NOTHING, "eae_prk", HT_SLICE(dh, sizeof(dh)), prk);
	labeled_expand(KEM_SUITE, prk, "shared_secret",
	    HT_SLICE(kem_context, sizeof(kem_context)), ret, NH);
	ht_wipe(dh, sizeof(dh));
	ht_wipe(prk, sizeof(prk));
	return HT_OK;
}

/* ---- contexts ---- */

struct context {
	uint8_t key[NK];
	uint8_t base_nonce[NN];
};

/* KeySchedule(mode_base, shared_secret, info, "", ""), section 5.1. */
static void
key_schedule(
    const uint8_t shared[static NH], struct ht_slice info, struct context *ret)
{
	uint8_t schedule[1 + NH + NH] = {0x00 /* mode_base */};
	struct ht_slice all = HT_SLICE(schedule, sizeof(schedule));
	uint8_t secret[NH];

	labeled_extract(
	    HPKE_SUITE, NOTHING, "psk_id_hash", NOTHING, schedule + 1);
	labeled_extract(
	    HPKE_SUITE, NOTHING, "info_hash", info, schedule + 1 + NH);
	labeled_extract(
	    HPKE_SUITE, HT_SLICE(shared, NH), "secret", NOTHING, secret);
	labeled_expand(HPKE_SUITE, secret, "key", all, ret->key, NK);
	labeled_expand(
	    HPKE_SUITE, secret, "base_nonce", all, ret->base_nonce, NN);
	ht_wipe(secret, sizeof(secret));
}

/* ComputeNonce(), section 5.2. */
static void
nonce_of(const struct context *ctx, uint64_t seq, uint8_t ret[static NN])
{
	uint8_t be[8];

	ht_be64(be, seq);
	memcpy(ret, ctx->base_nonce, NN);
	for (size_t i = 0; i < sizeof(be); i++)
		ret[NN - sizeof(be) + i] ^= be[i];
}

/* @out gets @len bytes and may be @plain's; @tag HT_AEAD_TAG more. */
static void
encrypt(const struct context *ctx, uint64_t seq, struct ht_slice aad,
    const uint8_t *plain, size_t len, uint8_t *out, uint8_t *tag)
{
	uint8_t nonce[NN];

	nonce_of(ctx, seq, nonce);
	crypto_aead_chacha20poly1305_ietf_encrypt_detached(
	    out, tag, NULL, plain, len, aad.at, aad.len, NULL, nonce, ctx->key);
}

/* The reverse; @out is wiped on failure. */
static enum ht_err
decrypt(const struct context *ctx, uint64_t seq, struct ht_slice aad,
    const uint8_t *sealed, size_t len, uint8_t *out)
{
	uint8_t nonce[NN];

	nonce_of(ctx, seq, nonce);
	if (crypto_aead_chacha20poly1305_ietf_decrypt_detached(out, NULL,
	        sealed, len, sealed + len, aad.at, aad.len, nonce,
	        ctx->key) == 0)
		return HT_OK;
	ht_wipe(out, len);
	return HT_EBADSIG;
}

/* ---- sealing ---- */

struct ht_sealer {
	struct context ctx;
	uint64_t next;
	uint8_t enc[HT_ENC_SIZE];
	pid_t owner;
};

void
ht_sealer_free(struct ht_sealer **sealer_p)
{
	sodium_free(*sealer_p); /* wipes; NULL is fine */
	*sealer_p = NULL;
}

/* SetupBaseS(), section 5.1.1, with Encap() of section 4.1. */
enum ht_err
ht_sealer_from_seed(const struct ht_pub *to, struct ht_slice info,
    const uint8_t ikm[static 32], struct ht_sealer **ret)
{
	HT_AUTO(ht_sealer_free)
	struct ht_sealer *sealer = sodium_malloc(sizeof(*sealer));
	uint8_t sk[32], shared[NH];
	enum ht_err err;

	if (sealer == NULL)
		return HT_ENOMEM;
	derive_key_pair(ikm, sk, sealer->enc);
	err = shared_secret(sk, to->at, sealer->enc, to, shared);
	ht_wipe(sk, sizeof(sk));
	if (err != HT_OK)
		return err;
	key_schedule(shared, info, &sealer->ctx);
	ht_wipe(shared, sizeof(shared));
	sealer->next = 0;
	sealer->owner = getpid();
	*ret = HT_TAKE(sealer);
	return HT_OK;
}

enum ht_err
ht_sealer_new(
    const struct ht_pub *to, struct ht_slice info, struct ht_sealer **ret)
{
	uint8_t ikm[32];
	enum ht_err err;

	ht_random(ikm, sizeof(ikm));
	err = ht_sealer_from_seed(to, info, ikm, ret);
	ht_wipe(ikm, sizeof(ikm));
	return err;
}

const uint8_t *
ht_sealer_enc(const struct ht_sealer *sealer)
{
	return sealer->enc;
}

uint64_t
ht_sealer_seq(const struct ht_sealer *sealer)
{
	return sealer->next;
}

enum ht_err
ht_seal(struct ht_sealer *sealer, struct ht_slice aad, uint8_t *at, size_t len,
    uint64_t *ret_seq)
{
	/* A child would repeat its parent's nonces: both plaintexts leak. */
	if (sealer->owner != getpid())
		HT_NEVER("a sealing context was taken across fork()");
	if (sealer->next > HT_SEAL_SEQ_MAX)
		return HT_ETOOBIG;
	*ret_seq = sealer->next++;
	encrypt(&sealer->ctx, *ret_seq, aad, at, len, at, at + len);
	return HT_OK;
}

/* ---- opening ---- */

/*
 * Plain memory, wiped when freed: a node keeps one for each enc it has met,
 * thousands perhaps, and a guarded page for 44 bytes costs 16 KiB and a part
 * of the locked-memory limit.  The key it came from stays guarded.
 */
struct ht_opener {
	struct context ctx;
};

void
ht_opener_free(struct ht_opener **opener_p)
{
	if (*opener_p == NULL)
		return;
	ht_wipe(*opener_p, sizeof(**opener_p));
	free(*opener_p);
	*opener_p = NULL;
}

/* SetupBaseR(), section 5.1.1, with Decap() of section 4.1. */
static enum ht_err
setup_r(const struct ht_key *key, const uint8_t enc[static HT_ENC_SIZE],
    struct ht_slice info, struct context *ret)
{
	struct ht_pub pub = ht_key_pub(key);
	enum ht_key_for what = ht_key_what(key);
	uint8_t shared[NH];
	enum ht_err err;

	HT_ASSERT(what == HT_KEY_SEALING || what == HT_KEY_ANNEX);
	err = shared_secret(ht_key_open(key), enc, enc, &pub, shared);
	ht_key_shut(key);
	if (err != HT_OK)
		return err;
	key_schedule(shared, info, ret);
	ht_wipe(shared, sizeof(shared));
	return HT_OK;
}

enum ht_err
ht_opener_new(const struct ht_key *key, const uint8_t enc[static HT_ENC_SIZE],
    struct ht_slice info, struct ht_opener **ret)
{
	HT_AUTO(ht_opener_free)
	struct ht_opener *opener = calloc(1, sizeof(*opener));
	enum ht_err err;

	if (opener == NULL)
		return HT_ENOMEM;
	err = setup_r(key, enc, info, &opener->ctx);
	if (err != HT_OK)
		return err;
	*ret = HT_TAKE(opener);
	return HT_OK;
}

enum ht_err
ht_open(const struct ht_opener *opener, uint64_t seq, struct ht_slice aad,
    uint8_t *at, size_t len)
{
	enum ht_err err = HT_EBADSIG;

	if (len >= HT_AEAD_TAG)
		err =
		    decrypt(&opener->ctx, seq, aad, at, len - HT_AEAD_TAG, at);
	if (err != HT_OK)
		ht_wipe(at, len);
	return err;
}

/* ---- one message, section 6.1 ---- */

enum ht_err
ht_seal_once(const struct ht_pub *to, struct ht_slice info, struct ht_slice aad,
    struct ht_slice plain, struct ht_buf *ret)
{
	HT_AUTO(ht_sealer_free) struct ht_sealer *sealer = NULL;
	enum ht_err err = ht_sealer_new(to, info, &sealer);
	uint8_t *at;

	if (err != HT_OK)
		return err;
	at = ht_buf_room(ret, HT_ENC_SIZE + plain.len + HT_AEAD_TAG);
	if (at == NULL)
		return ret->err;
	memcpy(at, sealer->enc, HT_ENC_SIZE);
	at += HT_ENC_SIZE;
	encrypt(&sealer->ctx, 0, aad, plain.at, plain.len, at, at + plain.len);
	return HT_OK;
}

enum ht_err
ht_open_once(const struct ht_key *key, struct ht_slice info,
    struct ht_slice aad, struct ht_slice sealed, struct ht_buf *ret)
{
	struct context ctx;
	enum ht_err err;
	uint8_t *at;
	size_t len;

	if (sealed.len < HT_ENC_SIZE + HT_AEAD_TAG)
		return HT_EBADSIG;
	len = sealed.len - HT_ENC_SIZE - HT_AEAD_TAG;
	at = ht_buf_room(ret, len);
	if (at == NULL)
		return ret->err;
	err = setup_r(key, sealed.at, info, &ctx);
	if (err == HT_OK)
		err = decrypt(&ctx, 0, aad, sealed.at + HT_ENC_SIZE, len, at);
	ht_wipe(&ctx, sizeof(ctx));
	if (err != HT_OK)
		ret->len -= len;
	return err;
}
