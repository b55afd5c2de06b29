/*
 * seal.h -- HPKE (RFC 9180), base mode, suite 1: DHKEM(X25519, HKDF-SHA256)
 * = 0x0020, HKDF-SHA256 = 0x0001, ChaCha20Poly1305 = 0x0003.
 *
 * A sealing context is set up once per process, recipient key and epoch, and
 * then seals many records under increasing sequence numbers.  It lives in
 * one process's memory only: never stored, derived, shared or forked, since a
 * repeated nonce would be fatal.
 */
#ifndef HT_KEYS_SEAL_H
#define HT_KEYS_SEAL_H

#include "keys/sign.h"

#define HT_ENC_SIZE     32 /* RFC 9180 Nenc */
#define HT_AEAD_TAG     16 /* RFC 9180 Nt */
#define HT_SEAL_SEQ_MAX UINT64_C(0xfffffffffffffffe)

struct ht_sealer; /* sender's context (guarded memory) */
struct ht_opener; /* recipient's context for one enc */

/*
 * SetupBaseS (RFC 9180 section 5.1.1) with a fresh random ephemeral key.
 * @info: docs/protocol.md, "Sealing".  Errors: HT_EINVALID for a public key
 * that yields the all-zero secret; HT_ENOMEM.
 * A context used after fork(2) in the child is our own mistake, and stops it.
 */
enum ht_err ht_sealer_new(const struct ht_pub *to, struct ht_slice info,
    struct ht_sealer **ret) HT_MUST_USE;
/* With a given ephemeral seed: for test vectors only. */
enum ht_err ht_sealer_from_seed(const struct ht_pub *to, struct ht_slice info,
    const uint8_t ikm[static 32], struct ht_sealer **ret) HT_MUST_USE;
void ht_sealer_free(struct ht_sealer **sealer_p);
const uint8_t *ht_sealer_enc(const struct ht_sealer *sealer);
/* The sequence number the next seal will use. */
uint64_t ht_sealer_seq(const struct ht_sealer *sealer);

/*
 * ContextS.Seal (section 5.2), in place: @at holds @len bytes of plaintext and
 * has room for HT_AEAD_TAG more.  *ret_seq is the sequence number used.
 * HT_ETOOBIG when the sequence is exhausted: make a new context.
 * Thread: one at a time.
 */
enum ht_err ht_seal(struct ht_sealer *sealer, struct ht_slice aad, uint8_t *at,
    size_t len, uint64_t *ret_seq) HT_MUST_USE;

/*
 * SetupBaseR; @key is an X25519 key (sealing or annex).  Errors: HT_EINVALID
 * for an enc that yields the all-zero secret; HT_ENOMEM.
 */
enum ht_err ht_opener_new(const struct ht_key *key,
    const uint8_t enc[static HT_ENC_SIZE], struct ht_slice info,
    struct ht_opener **ret) HT_MUST_USE;
void ht_opener_free(struct ht_opener **opener_p);
/*
 * Open in place, any sequence number in any order.  @len counts the 16 bytes
 * of tag; the plaintext is len - 16 bytes.  HT_EBADSIG when it fails, and the
 * buffer is then wiped.  Thread: any, several at once.
 */
enum ht_err ht_open(const struct ht_opener *opener, uint64_t seq,
    struct ht_slice aad, uint8_t *at, size_t len) HT_MUST_USE;

/*
 * One message to one key: enc || ciphertext.  For annexes, tracker keys.
 * Both append to @ret, and nothing on failure.  Errors: those above, and the
 * buffer's; HT_EBADSIG when it does not open.  Caller wipes what was secret.
 */
enum ht_err ht_seal_once(const struct ht_pub *to, struct ht_slice info,
    struct ht_slice aad, struct ht_slice plain, struct ht_buf *ret) HT_MUST_USE;
enum ht_err ht_open_once(const struct ht_key *key, struct ht_slice info,
    struct ht_slice aad, struct ht_slice sealed, struct ht_buf *ret)
    HT_MUST_USE;

/* RFC 5869 over SHA-256, for key schedules and nothing else. */
void ht_hkdf_extract(
    struct ht_slice salt, struct ht_slice ikm, uint8_t ret_prk[static 32]);
void ht_hkdf_expand(const uint8_t prk[static 32], struct ht_slice info,
    uint8_t *ret, size_t len); /* len <= 255 * 32 */

#endif
