/*
 * possession.c -- proofs of possession (ADR 42).
 *
 * An X25519 key makes one Schnorr signature in its life, by the birational
 * map between its curve and Ed25519's, as in XEdDSA.  Other than there the
 * point stands beside the signature, so that nothing has to be computed back
 * from Curve25519, and every check is libsodium's own.
 */
#include "keys/possession.h"

#include <sodium.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/panic.h"

#define POINT_SIZE 32
#define BLOB_SIZE  (4 + POINT_SIZE + HT_SIG_SIZE)

_Static_assert(POINT_SIZE == crypto_core_ed25519_BYTES, "a point");
_Static_assert(BLOB_SIZE == HT_POSSESSION_BLOB, "what note.h makes room for");

static bool
is_x25519(enum ht_key_for what)
{
	return what == HT_KEY_SEALING || what == HT_KEY_TRANSPORT ||
	       what == HT_KEY_ANNEX;
}

static uint32_t
line_id(const char *name, const struct ht_pub *pub)
{
	struct ht_hash hash = ht_sha256_parts(
	    (struct ht_slice[]){
	        ht_slice_str(name),
	        ht_slice_str("\n\xff"
	                     "hutong/possession/v1"),
	        HT_SLICE(pub->at, HT_PUB_SIZE),
	    },
	    3);

	return ht_load32(hash.at);
}

/* ---- proving ---- */

/* SHA-512 of the parts, as a scalar. */
static void
scalar_of(const struct ht_slice *parts, size_t n,
    uint8_t ret[static crypto_core_ed25519_SCALARBYTES])
{
	uint8_t hash[crypto_hash_sha512_BYTES];
	crypto_hash_sha512_state state;

	crypto_hash_sha512_init(&state);
	for (size_t i = 0; i < n; i++)
		crypto_hash_sha512_update(&state, parts[i].at, parts[i].len);
	crypto_hash_sha512_final(&state, hash);
	crypto_core_ed25519_scalar_reduce(ret, hash);
	ht_wipe(hash, sizeof(hash));
	ht_wipe(&state, sizeof(state));
}

/* X25519 clamps a secret at each use; here it is done once, and mod L. */
static void
scalar_of_secret(const uint8_t secret[static 32], uint8_t ret[static 32])
{
	uint8_t wide[64] = {0};

	memcpy(wide, secret, 32);
	wide[0] &= 248;
	wide[31] = (uint8_t)((wide[31] & 127) | 64);
	crypto_core_ed25519_scalar_reduce(ret, wide);
	ht_wipe(wide, sizeof(wide));
}

/*
 * Ed25519 with a = the secret scalar and A = @point: S = r + H(R, A, text) a.
 * r is hashed of the secret, fresh random bytes and the text: unpredictable
 * as long as one of the first two is.
 */
static enum ht_err
schnorr(const uint8_t a[static 32], const uint8_t point[static POINT_SIZE],
    struct ht_slice text, struct ht_sig *ret)
{
	uint8_t random[64], r[32], k[32];
	enum ht_err err = HT_ESYSTEM;

	ht_random(random, sizeof(random));
	scalar_of(
	    (struct ht_slice[]){ht_slice_str("hutong-possession-nonce/v1\n"),
	        HT_SLICE(a, 32), HT_SLICE(random, sizeof(random)), text},
	    4, r);
	/* Fails for r = 0 alone, which nobody will ever see. */
	if (crypto_scalarmult_ed25519_base_noclamp(ret->at, r) == 0) {
		scalar_of((struct ht_slice[]){HT_SLICE(ret->at, 32),
		              HT_SLICE(point, POINT_SIZE), text},
		    3, k);
		crypto_core_ed25519_scalar_mul(k, k, a);
		crypto_core_ed25519_scalar_add(ret->at + 32, r, k);
		err = HT_OK;
	}
	ht_wipe(random, sizeof(random));
	ht_wipe(r, sizeof(r));
	ht_wipe(k, sizeof(k));
	return err;
}

static enum ht_err
sign_as_point(const struct ht_key *key, struct ht_slice text,
    uint8_t ret_point[static POINT_SIZE], struct ht_sig *ret)
{
	enum ht_err err = HT_ESYSTEM;
	uint8_t a[32];

	scalar_of_secret(ht_key_open(key), a);
	ht_key_shut(key);
	if (crypto_scalarmult_ed25519_base_noclamp(ret_point, a) == 0)
		err = schnorr(a, ret_point, text, ret);
	ht_wipe(a, sizeof(a));
	return err;
}

static enum ht_err
add_x25519(struct ht_slice bytes, bool is_note, const char *name,
    const struct ht_key *key, struct ht_buf *out)
{
	struct ht_pub pub = ht_key_pub(key);
	uint8_t point_sig[POINT_SIZE + HT_SIG_SIZE];
	struct ht_slice text = bytes;
	struct ht_note note;
	struct ht_sig sig;
	enum ht_err err = is_note ? ht_note_parse(bytes, &note) : HT_OK;

	if (err == HT_OK && is_note)
		text = note.text;
	if (err == HT_OK)
		err = sign_as_point(key, text, point_sig, &sig);
	if (err != HT_OK)
		return err;
	memcpy(point_sig + POINT_SIZE, sig.at, HT_SIG_SIZE);
	return ht_note_add(bytes, is_note, name, line_id(name, &pub),
	    HT_SLICE(point_sig, sizeof(point_sig)), out);
}

enum ht_err
ht_possession_add(struct ht_slice bytes, bool is_note, const char *name,
    const struct ht_key *key, struct ht_buf *out)
{
	HT_ASSERT(ht_key_what(key) != HT_KEY_TRACKER);
	return is_x25519(ht_key_what(key))
	           ? add_x25519(bytes, is_note, name, key, out)
	           : ht_note_sign(bytes, is_note, name, key, out);
}

/* ---- checking ---- */

static enum ht_err
check_x25519(struct ht_slice text, const struct ht_note_sig *line,
    const struct ht_pub *pub)
{
	uint8_t blob[BLOB_SIZE], u[HT_PUB_SIZE];
	struct ht_pub point;
	struct ht_sig sig;
	size_t len;

	if (ht_unb64(line->sig, blob, sizeof(blob), &len) != HT_OK ||
	    len != BLOB_SIZE)
		return HT_EBADSIG;
	memcpy(point.at, blob + 4, POINT_SIZE);
	memcpy(sig.at, blob + 4 + POINT_SIZE, HT_SIG_SIZE);
	if (ht_pub_check_sign(&point) != HT_OK ||
	    crypto_sign_ed25519_pk_to_curve25519(u, point.at) != 0 ||
	    memcmp(u, pub->at, HT_PUB_SIZE) != 0)
		return HT_EBADSIG;
	return ht_verify(&point, "", text, &sig);
}

static enum ht_err
find_x25519(
    const struct ht_note *note, const char *name, const struct ht_pub *pub)
{
	uint32_t id = line_id(name, pub);
	enum ht_err err = HT_ENOTFOUND;

	for (size_t i = 0; i < note->n_sigs && err != HT_EBADSIG; i++)
		if (note->sigs[i].id == id &&
		    ht_slice_is(note->sigs[i].name, name))
			err = check_x25519(note->text, &note->sigs[i], pub);
	return err;
}

enum ht_err
ht_possession_find(const struct ht_note *note, const char *name,
    enum ht_key_for what, const struct ht_pub *pub)
{
	struct ht_vkey vkey;
	uint64_t has = 0;
	enum ht_err err;

	if (is_x25519(what))
		return find_x25519(note, name, pub);
	err = ht_vkey_make(name, pub, &vkey);
	if (err == HT_OK)
		err = ht_note_verify(note, &vkey, 1, &has);
	if (err != HT_OK)
		return HT_EBADSIG;
	return has != 0 ? HT_OK : HT_ENOTFOUND;
}
