/*
 * hash.c -- the two hash functions, and what else libsodium gives everyone.
 */
#include "keys/hash.h"

#include <string.h>

#include <openssl/sha.h>
#include <sodium.h>

#include "lib/base/panic.h"

_Static_assert(HT_HASH_SIZE == SHA256_DIGEST_LENGTH, "SHA-256 has 32 bytes");

/*
 * CVE-2025-69277: before Debian's 1.0.18-1+deb12u1 libsodium took points
 * outside the main subgroup for valid.  Ask it about one: the base point plus
 * the point of order 2, (-x, -y).
 */
static bool
checks_points(void)
{
	uint8_t point[crypto_core_ed25519_BYTES];

	memset(point, 0x99, sizeof(point));
	point[0] = 0x95;
	return crypto_core_ed25519_is_valid_point(point) == 0;
}

enum ht_err
ht_keys_init(void)
{
	/* 1 means that somebody was here before: as good as 0. */
	if (sodium_init() < 0)
		return HT_ESYSTEM;
	return checks_points() ? HT_OK : HT_EINVALID;
}

bool
ht_hash_eq(const struct ht_hash *a, const struct ht_hash *b)
{
	return memcmp(a->at, b->at, HT_HASH_SIZE) == 0;
}

/*
 * The low-level SHA256_* calls of libcrypto: deprecated in name, but they
 * need no allocation per hash, and a log entry is hashed every 20 us.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct ht_sha256_run),
    "a context has room in a run");

void
ht_sha256_begin(struct ht_sha256_run *run)
{
	SHA256_Init((SHA256_CTX *)run);
}

void
ht_sha256_add(struct ht_sha256_run *run, struct ht_slice piece)
{
	SHA256_Update((SHA256_CTX *)run, piece.at, piece.len);
}

struct ht_hash
ht_sha256_end(struct ht_sha256_run *run)
{
	struct ht_hash hash;

	SHA256_Final(hash.at, (SHA256_CTX *)run);
	return hash;
}

struct ht_hash
ht_sha256_parts(const struct ht_slice *parts, size_t n)
{
	struct ht_hash hash;
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	for (size_t i = 0; i < n; i++)
		SHA256_Update(&ctx, parts[i].at, parts[i].len);
	SHA256_Final(hash.at, &ctx);
	return hash;
}

#pragma GCC diagnostic pop

struct ht_hash
ht_sha256(struct ht_slice bytes)
{
	return ht_sha256_parts(&bytes, 1);
}

void
ht_blake2b_keyed(struct ht_slice key, const struct ht_slice *parts, size_t n,
    void *out, size_t out_len)
{
	crypto_generichash_state state;

	HT_ASSERT(out_len >= crypto_generichash_BYTES_MIN);
	HT_ASSERT(out_len <= crypto_generichash_BYTES_MAX);
	HT_ASSERT(key.len <= crypto_generichash_KEYBYTES_MAX);
	crypto_generichash_init(&state, key.at, key.len, out_len);
	for (size_t i = 0; i < n; i++)
		crypto_generichash_update(&state, parts[i].at, parts[i].len);
	crypto_generichash_final(&state, out, out_len);
	if (key.len > 0)
		sodium_memzero(&state, sizeof(state));
}

struct ht_hash
ht_blake2b(const struct ht_slice *parts, size_t n)
{
	struct ht_hash hash;

	ht_blake2b_keyed(HT_SLICE(NULL, 0), parts, n, hash.at, HT_HASH_SIZE);
	return hash;
}

void
ht_short_hash(const uint8_t key[static HT_SHORT_SIZE], struct ht_slice bytes,
    uint8_t out[static HT_SHORT_SIZE])
{
	_Static_assert(HT_SHORT_SIZE == crypto_shorthash_siphashx24_BYTES,
	    "the sum's words");
	_Static_assert(HT_SHORT_SIZE == crypto_shorthash_siphashx24_KEYBYTES,
	    "and its key");

	(void)crypto_shorthash_siphashx24(out, bytes.at, bytes.len, key);
}

struct ht_hash
ht_leaf_hash(struct ht_slice leaf)
{
	static const uint8_t prefix = 0x00;

	return ht_sha256_parts(
	    (struct ht_slice[]){HT_SLICE(&prefix, 1), leaf}, 2);
}

struct ht_hash
ht_node_hash(const struct ht_hash *l, const struct ht_hash *r)
{
	uint8_t bytes[1 + 2 * HT_HASH_SIZE];

	bytes[0] = 0x01;
	memcpy(bytes + 1, l->at, HT_HASH_SIZE);
	memcpy(bytes + 1 + HT_HASH_SIZE, r->at, HT_HASH_SIZE);
	return ht_sha256(HT_SLICE(bytes, sizeof(bytes)));
}

bool
ht_secret_eq(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}

void
ht_wipe(void *at, size_t len)
{
	sodium_memzero(at, len);
}
