/*
 * hash.h -- SHA-256 (libcrypto, with SHA-NI) and BLAKE2b-256 (libsodium).
 *
 * SHA-256 for trees, notes and headers; BLAKE2b-256 for sealed bodies,
 * content commitments and tags (`b2sum -l 256` checks them).  The rest of the
 * tree never calls a hash function of a library itself.
 */
#ifndef HT_KEYS_HASH_H
#define HT_KEYS_HASH_H

#include "lib/base/bytes.h"

#define HT_HASH_SIZE 32

struct ht_hash {
	uint8_t at[HT_HASH_SIZE];
};

/*
 * Once per process, before anything else of keys/; fails closed.  HT_ESYSTEM:
 * no randomness.  HT_EINVALID: the libsodium found takes bad public keys for
 * good (CVE-2025-69277); install 1.0.18-1+deb12u1 or newer.
 */
enum ht_err ht_keys_init(void) HT_MUST_USE;

bool ht_hash_eq(const struct ht_hash *a, const struct ht_hash *b);
/* SHA-256 over the parts, one after the other. */
struct ht_hash ht_sha256(struct ht_slice bytes);
struct ht_hash ht_sha256_parts(const struct ht_slice *parts, size_t n);
/* SHA-256 of what comes piece by piece; ended once. */
struct ht_sha256_run {
	uint64_t room[16]; /* libcrypto's context */
};
void ht_sha256_begin(struct ht_sha256_run *run);
void ht_sha256_add(struct ht_sha256_run *run, struct ht_slice piece);
struct ht_hash ht_sha256_end(struct ht_sha256_run *run);
/* BLAKE2b-256 over the parts (RFC 7693, no key). */
struct ht_hash ht_blake2b(const struct ht_slice *parts, size_t n);
/* BLAKE2b keyed, @out_len 16..64 bytes. */
void ht_blake2b_keyed(struct ht_slice key, const struct ht_slice *parts,
    size_t n, void *out, size_t out_len);

/*
 * SipHash-2-4-128 under a random key: for sums in memory over what somebody
 * may have forged.  It is short and quick, and proves nothing to anybody else.
 */
#define HT_SHORT_SIZE 16
void ht_short_hash(const uint8_t key[static HT_SHORT_SIZE],
    struct ht_slice bytes, uint8_t out[static HT_SHORT_SIZE]);

/* RFC 6962 section 2.1: SHA-256(0x00 || leaf), SHA-256(0x01 || l || r). */
struct ht_hash ht_leaf_hash(struct ht_slice leaf);
struct ht_hash ht_node_hash(const struct ht_hash *l, const struct ht_hash *r);

/* Constant time.  For anything secret. */
bool ht_secret_eq(const void *a, const void *b, size_t len);
void ht_wipe(void *at, size_t len);

#endif
