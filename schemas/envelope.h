/*
 * envelope.h -- the header of a record (docs/protocol.md section 3.1).
 */
#ifndef HT_SCHEMAS_ENVELOPE_H
#define HT_SCHEMAS_ENVELOPE_H

#include "keys/seal.h"
#include "schemas/pack.h"

enum ht_kind {
	HT_KIND_REQUEST = 1,
	HT_KIND_RESPONSE = 2,
	HT_KIND_PUSH = 3,
	HT_KIND_EVENT = 4,
	HT_KIND_RECEIPT = 5,
};
enum ht_operation {
	HT_OP_QUERY = 1,
	HT_OP_VERIFY = 2,
	HT_OP_PUSH = 3,
	HT_OP_SUBSCRIBE = 4,
	HT_OP_TRANSFER = 5,
};
enum ht_answer {
	HT_ANSWER_NONE = 0, /* requests */
	HT_ANSWER_ANSWERED = 1,
	HT_ANSWER_REFUSED = 2,
	HT_ANSWER_FAILED = 3,
};
const char *ht_kind_text(unsigned kind);
const char *ht_operation_text(unsigned operation);
enum ht_err ht_operation_parse(struct ht_slice text, unsigned *ret) HT_MUST_USE;
const char *ht_answer_text(unsigned answer);

#define HT_ID_SIZE      16
#define HT_RELEASED_MAX 64 /* bytes: 512 fields */
#define HT_BODY_MIN     (36 + HT_AEAD_TAG)

struct ht_id {
	uint8_t at[HT_ID_SIZE];
};
bool ht_id_eq(const struct ht_id *a, const struct ht_id *b);
struct ht_id ht_id_random(void);
/* Time-ordered: 48 bits of ms, 80 random. */
struct ht_id ht_id_exchange(uint64_t now_ms);

/*
 * A header, decoded.  Slices point into the bytes it was decoded from (or, on
 * the way out, to the caller's).
 */
struct ht_header {
	unsigned version;
	unsigned suite;
	struct ht_id record;
	struct ht_id exchange;
	unsigned kind; /* enum ht_kind */
	struct ht_slice sender;
	struct ht_slice node;
	struct ht_slice recipient;
	struct ht_slice item;
	uint32_t item_version;
	unsigned operation; /* enum ht_operation */
	struct ht_slice purpose;
	struct ht_slice basis;
	struct ht_slice grant;
	uint64_t created_ms;
	uint64_t expires_ms;
	bool has_reply_to;
	struct ht_hash reply_to;
	uint64_t counter;
	bool has_tag;
	struct ht_hash tag;
	struct ht_hash commitment;
	struct ht_slice released; /* empty: nil */
	unsigned status;          /* enum ht_answer */

	/* seal */
	unsigned seal_mode;
	struct ht_keyid seal_key;
	uint8_t enc[HT_ENC_SIZE];
	uint64_t seal_seq;
	uint32_t body_len;
	struct ht_hash body_hash;

	struct ht_slice envelope; /* raw bytes: the AAD */
	struct ht_slice raw;      /* the whole header */
};

/*
 * Check and decode: the form, and every rule that needs nothing but the
 * header.  On error *ret is not touched, and *ret_at and *ret_why (either may
 * be NULL) say where and what was expected.  Errors: HT_EMALFORMED;
 * HT_ETOOBIG; HT_EPROTOCOL for a version or suite not known here.
 */
enum ht_err ht_header_decode(struct ht_slice bytes, struct ht_header *ret,
    size_t *ret_at, const char **ret_why) HT_MUST_USE;
/*
 * Append the envelope's bytes alone: made before sealing, the AAD.
 * HT_EINVALID for what ht_header_decode() would refuse.
 */
enum ht_err ht_envelope_encode(const struct ht_header *h, struct ht_buf *out)
    HT_MUST_USE;
/* Append [envelope, seal] around envelope bytes made before.  HT_ETOOBIG. */
enum ht_err ht_header_encode(const struct ht_header *h,
    struct ht_slice envelope, struct ht_buf *out) HT_MUST_USE;
/* SHA-256(0x00 || header): leaf, duplicate key and in-reply-to in one. */
struct ht_hash ht_header_hash(struct ht_slice raw);

bool ht_released_get(struct ht_slice bitmap, size_t field);
/*
 * Sets a bit in a zeroed array; *len grows as needed.  Start with *len 1 where
 * "none released" is to be said, since a bitmap of no bytes is nil.
 */
void ht_released_set(
    uint8_t bitmap[static HT_RELEASED_MAX], size_t *len, size_t field);

/* The HPKE info of section 3.2: "hutong-seal/v1\n" || suite || key id. */
#define HT_SEAL_INFO_SIZE 24
void ht_seal_info(
    const struct ht_keyid *key, uint8_t out[static HT_SEAL_INFO_SIZE]);

#endif
