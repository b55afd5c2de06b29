/*
 * sign.h -- signing keys (suite 1: Ed25519, libsodium's strict checks).
 *
 * A public key is 32 bytes and is checked when it enters (small order and
 * non-canonical points are refused).  A secret key lives in guarded memory
 * and is readable only while it is used.
 */
#ifndef HT_KEYS_SIGN_H
#define HT_KEYS_SIGN_H

#include "keys/hash.h"

#define HT_SIG_SIZE   64
#define HT_PUB_SIZE   32
#define HT_KEYID_SIZE 8

/* What a key is for; a key of one purpose is never used for another. */
#define HT_KEY_MAP(X)                                                          \
	X(HT_KEY_IDENTITY, 1, "identity")                                      \
	X(HT_KEY_SIGNING, 2, "signing")                                        \
	X(HT_KEY_SEALING, 3, "sealing")                                        \
	X(HT_KEY_TRANSPORT, 4, "transport")                                    \
	X(HT_KEY_OFFICER, 5, "officer")                                        \
	X(HT_KEY_SNAPSHOT, 6, "snapshot")                                      \
	X(HT_KEY_CURRENT, 7, "current")                                        \
	X(HT_KEY_LOG, 8, "log")                                                \
	X(HT_KEY_WITNESS, 9, "witness")                                        \
	X(HT_KEY_AUDITOR, 10, "auditor")                                       \
	X(HT_KEY_ANNEX, 11, "annex")                                           \
	X(HT_KEY_TRACKER, 12, "tracker")                                       \
	X(HT_KEY_SYSTEM_ADMIN, 13, "system-admin")                             \
	X(HT_KEY_SECURITY_ADMIN, 14, "security-admin")                         \
	X(HT_KEY_AUDIT_ADMIN, 15, "audit-admin")
enum ht_key_for {
#define HT_KEY_ENUM(name, value, text) name = (value),
	HT_KEY_MAP(HT_KEY_ENUM)
#undef HT_KEY_ENUM
};
const char *ht_key_for_text(enum ht_key_for what);
enum ht_err ht_key_for_parse(struct ht_slice text, enum ht_key_for *ret)
    HT_MUST_USE;

struct ht_pub {
	uint8_t at[HT_PUB_SIZE];
};
struct ht_sig {
	uint8_t at[HT_SIG_SIZE];
};
/*
 * Key id: the first 8 bytes of
 * SHA-256("hutong-key/v1\n" || purpose text || "\n" || public key).
 */
struct ht_keyid {
	uint8_t at[HT_KEYID_SIZE];
};
struct ht_keyid ht_keyid(enum ht_key_for what, const struct ht_pub *pub);
bool ht_keyid_eq(const struct ht_keyid *a, const struct ht_keyid *b);

/* Canonical, on the curve, not of small order.  Else HT_EINVALID. */
enum ht_err ht_pub_check_sign(const struct ht_pub *pub) HT_MUST_USE;

/* A secret key of any purpose: 32 secret bytes and their public half. */
struct ht_key; /* opaque; sodium_malloc'ed pages */
void ht_key_free(struct ht_key **key_p);
/* New random key.  Errors: HT_ENOMEM; HT_ESYSTEM. */
enum ht_err ht_key_new(enum ht_key_for what, struct ht_key **ret) HT_MUST_USE;
/* From a 32-byte seed (tests, fixed vectors, key files). */
enum ht_err ht_key_from_seed(enum ht_key_for what,
    const uint8_t seed[static 32], struct ht_key **ret) HT_MUST_USE;
enum ht_key_for ht_key_what(const struct ht_key *key);
/* TRACKER keys are symmetric: their "public half" is a hash of the key. */
struct ht_pub ht_key_pub(const struct ht_key *key);
struct ht_keyid ht_key_id(const struct ht_key *key);

/*
 * The raw 32 secret bytes for one call: X25519 (sealing, annex), transport
 * (CURVE) and tracker keys only, and our own mistake for a key that signs.
 * ht_key_open() makes them readable, ht_key_shut() hides them again; nesting
 * counts.  Thread: any.
 */
const uint8_t *ht_key_open(const struct ht_key *key);
void ht_key_shut(const struct ht_key *key);

/*
 * Sign @label || parts.  The label ends in "\n" and is what keeps one kind of
 * signature from being mistaken for another ("hutong-bundle/v1\n").  Notes
 * sign their text as it stands (label "").  Errors: HT_ENOMEM; HT_ESYSTEM for a
 * key in a token that fails or is gone.  Thread: any.
 */
enum ht_err ht_sign(const struct ht_key *key, const char *label,
    struct ht_slice message, struct ht_sig *ret) HT_MUST_USE;
/*
 * HT_EBADSIG if it does not verify, in libsodium's strict reading: S below the
 * group's order, neither R nor the key of small order or non-canonical, and
 * R compared as bytes (no cofactor).  Never use a signature as an id.
 * Errors: HT_ENOMEM for a message past 4 KiB with a label.  Thread: any.
 */
enum ht_err ht_verify(const struct ht_pub *pub, const char *label,
    struct ht_slice message, const struct ht_sig *sig) HT_MUST_USE;

#endif
