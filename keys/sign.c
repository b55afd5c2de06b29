/*
 * sign.c -- keys in guarded memory, Ed25519 in libsodium's strict reading.
 *
 * A key's pages are unreadable except while somebody uses it.  Protection
 * belongs to the process, not to a thread, so uses are counted under a mutex
 * and only the first and the last of them move it.  That costs two system
 * calls a signature, next to 23 us for the signature itself; and a node signs
 * once a bundle, the broker once a group.
 *
 * sodium_malloc() also tries to lock the pages into memory; where the limit
 * (RLIMIT_MEMLOCK) forbids it libsodium goes on without, and so do we: the
 * units set LimitMEMLOCK and LimitCORE.
 */
#include "keys/sign_in.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "keys/pkcs11/token.h"
#include "lib/base/fs.h"
#include "lib/base/panic.h"

_Static_assert(HT_SIG_SIZE == crypto_sign_BYTES, "Ed25519 signature");
_Static_assert(HT_PUB_SIZE == crypto_sign_PUBLICKEYBYTES, "Ed25519 key");
_Static_assert(HT_PUB_SIZE == crypto_scalarmult_BYTES, "X25519 key");

/* Signatures cover label || message; longer ones than this are copied. */
#define SMALL 4096

struct ht_key {
	enum ht_key_for what;
	struct ht_pub pub;
	pthread_mutex_t lock;
	unsigned open;
	/* Ed25519: seed || public; X25519, tracker: the 32 bytes. */
	uint8_t *secret;        /* NULL: in the token */
	struct ht_token *token; /* its calls are made under the lock */
};

const char *
ht_key_for_text(enum ht_key_for what)
{
	switch (what) {
#define HT_KEY_CASE(name, value, text)                                         \
	case name:                                                             \
		return text;
		HT_KEY_MAP(HT_KEY_CASE)
#undef HT_KEY_CASE
	}
	return "unknown";
}

enum ht_err
ht_key_for_parse(struct ht_slice text, enum ht_key_for *ret)
{
#define HT_KEY_TRY(name, value, word)                                          \
	if (ht_slice_is(text, word)) {                                         \
		*ret = name;                                                   \
		return HT_OK;                                                  \
	}
	HT_KEY_MAP(HT_KEY_TRY)
#undef HT_KEY_TRY
	return HT_EMALFORMED;
}

struct ht_keyid
ht_keyid(enum ht_key_for what, const struct ht_pub *pub)
{
	struct ht_hash hash = ht_sha256_parts(
	    (struct ht_slice[]){
	        ht_slice_str("hutong-key/v1\n"),
	        ht_slice_str(ht_key_for_text(what)),
	        ht_slice_str("\n"),
	        HT_SLICE(pub->at, HT_PUB_SIZE),
	    },
	    4);
	struct ht_keyid id;

	memcpy(id.at, hash.at, HT_KEYID_SIZE);
	return id;
}

bool
ht_keyid_eq(const struct ht_keyid *a, const struct ht_keyid *b)
{
	return memcmp(a->at, b->at, HT_KEYID_SIZE) == 0;
}

enum ht_err
ht_pub_check_sign(const struct ht_pub *pub)
{
	/* In the main subgroup and canonical; see ht_keys_init(). */
	return crypto_core_ed25519_is_valid_point(pub->at) == 1 ? HT_OK
	                                                        : HT_EINVALID;
}

static bool
signs(enum ht_key_for what)
{
	return what != HT_KEY_SEALING && what != HT_KEY_TRANSPORT &&
	       what != HT_KEY_ANNEX && what != HT_KEY_TRACKER;
}

void
ht_key_free(struct ht_key **key_p)
{
	struct ht_key *key = *key_p;

	if (key == NULL)
		return;
	*key_p = NULL;
	sodium_free(key->secret); /* wipes; NULL is fine */
	ht_token_close(&key->token);
	pthread_mutex_destroy(&key->lock);
	free(key);
}

/* Fill the secret and its public half from the seed. */
static enum ht_err
key_fill(struct ht_key *key, const uint8_t seed[static 32])
{
	if (signs(key->what)) {
		crypto_sign_seed_keypair(key->pub.at, key->secret, seed);
		return HT_OK;
	}
	memcpy(key->secret, seed, 32);
	if (key->what == HT_KEY_TRACKER) {
		/* Symmetric: a name for it that gives nothing away. */
		struct ht_hash hash = ht_sha256_parts(
		    (struct ht_slice[]){
		        ht_slice_str("hutong-tracker-name/v1\n"),
		        HT_SLICE(seed, 32),
		    },
		    2);

		memcpy(key->pub.at, hash.at, HT_PUB_SIZE);
		return HT_OK;
	}
	return crypto_scalarmult_base(key->pub.at, seed) == 0 ? HT_OK
	                                                      : HT_EINVALID;
}

enum ht_err
ht_key_from_seed(
    enum ht_key_for what, const uint8_t seed[static 32], struct ht_key **ret)
{
	HT_AUTO(ht_key_free) struct ht_key *key = calloc(1, sizeof(*key));
	enum ht_err err;

	if (key == NULL)
		return HT_ENOMEM;
	key->what = what;
	pthread_mutex_init(&key->lock, NULL);
	key->secret =
	    sodium_malloc(signs(what) ? crypto_sign_SECRETKEYBYTES : 32);
	if (key->secret == NULL)
		return HT_ENOMEM;
	err = key_fill(key, seed);
	if (err != HT_OK)
		return err;
	if (sodium_mprotect_noaccess(key->secret) != 0)
		return HT_ESYSTEM;
	*ret = HT_TAKE(key);
	return HT_OK;
}

enum ht_err
ht_key_from_token(
    enum ht_key_for what, struct ht_token **token_p, struct ht_key **ret)
{
	struct ht_key *key;

	if (!signs(what))
		return HT_EINVALID;
	key = calloc(1, sizeof(*key));
	if (key == NULL)
		return HT_ENOMEM;
	key->what = what;
	pthread_mutex_init(&key->lock, NULL);
	key->pub = ht_token_pub(*token_p);
	key->token = HT_TAKE(*token_p);
	*ret = key;
	return HT_OK;
}

enum ht_err
ht_key_new(enum ht_key_for what, struct ht_key **ret)
{
	uint8_t seed[32];
	enum ht_err err;

	ht_random(seed, sizeof(seed));
	err = ht_key_from_seed(what, seed, ret);
	sodium_memzero(seed, sizeof(seed));
	return err;
}

enum ht_key_for
ht_key_what(const struct ht_key *key)
{
	return key->what;
}

struct ht_pub
ht_key_pub(const struct ht_key *key)
{
	return key->pub;
}

struct ht_keyid
ht_key_id(const struct ht_key *key)
{
	return ht_keyid(key->what, &key->pub);
}

/* The count and the pages' protection are no part of the key's value. */
static struct ht_key *
mutable_key(const struct ht_key *key)
{
	return (struct ht_key *)(uintptr_t)key;
}

const uint8_t *
ht_key_seed_open(const struct ht_key *key)
{
	struct ht_key *k = mutable_key(key);

	HT_ASSERT(k->secret != NULL);
	pthread_mutex_lock(&k->lock);
	if (k->open++ == 0 && sodium_mprotect_readonly(k->secret) != 0)
		HT_NEVER("a secret key could not be made readable");
	pthread_mutex_unlock(&k->lock);
	return k->secret;
}

const uint8_t *
ht_key_open(const struct ht_key *key)
{
	/* A signing key's bytes have no business outside this file. */
	HT_ASSERT(!signs(key->what));
	return ht_key_seed_open(key);
}

void
ht_key_shut(const struct ht_key *key)
{
	struct ht_key *k = mutable_key(key);

	pthread_mutex_lock(&k->lock);
	HT_ASSERT(k->open > 0);
	if (--k->open == 0 && sodium_mprotect_noaccess(k->secret) != 0)
		HT_NEVER("a secret key could not be hidden again");
	pthread_mutex_unlock(&k->lock);
}

/* label || message in one piece, in @small if it fits there. */
static enum ht_err
join(const char *label, struct ht_slice message, uint8_t small[static SMALL],
    uint8_t **ret_heap, struct ht_slice *ret)
{
	size_t label_len = strlen(label);
	uint8_t *at = small;

	*ret_heap = NULL;
	if (label_len == 0) {
		*ret = message;
		return HT_OK;
	}
	if (message.len > SMALL - label_len) {
		at = *ret_heap = malloc(label_len + message.len);
		if (at == NULL)
			return HT_ENOMEM;
	}
	memcpy(at, label, label_len);
	if (message.len > 0)
		memcpy(at + label_len, message.at, message.len);
	*ret = HT_SLICE(at, label_len + message.len);
	return HT_OK;
}

/* A session signs one thing at a time. */
static enum ht_err
sign_in_token(
    const struct ht_key *key, struct ht_slice message, struct ht_sig *ret)
{
	struct ht_key *k = mutable_key(key);
	enum ht_err err;

	pthread_mutex_lock(&k->lock);
	err = ht_token_sign(k->token, message, ret);
	pthread_mutex_unlock(&k->lock);
	return err;
}

enum ht_err
ht_sign(const struct ht_key *key, const char *label, struct ht_slice message,
    struct ht_sig *ret)
{
	HT_AUTO(ht_mem_free) uint8_t *heap = NULL;
	uint8_t small[SMALL];
	struct ht_slice all;
	enum ht_err err;

	HT_ASSERT(signs(key->what));
	HT_ASSERT(*label == '\0' || label[strlen(label) - 1] == '\n');
	err = join(label, message, small, &heap, &all);
	if (err != HT_OK)
		return err;
	if (key->token != NULL)
		return sign_in_token(key, all, ret);
	crypto_sign_detached(
	    ret->at, NULL, all.at, all.len, ht_key_seed_open(key));
	ht_key_shut(key);
	return HT_OK;
}

enum ht_err
ht_verify(const struct ht_pub *pub, const char *label, struct ht_slice message,
    const struct ht_sig *sig)
{
	HT_AUTO(ht_mem_free) uint8_t *heap = NULL;
	uint8_t small[SMALL];
	struct ht_slice all;
	enum ht_err err;

	err = join(label, message, small, &heap, &all);
	if (err != HT_OK)
		return err;
	return crypto_sign_verify_detached(sig->at, all.at, all.len, pub->at) ==
	               0
	           ? HT_OK
	           : HT_EBADSIG;
}
