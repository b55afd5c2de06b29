/*
 * content.h -- what is inside the seal (docs/protocol.md section 3.3): the
 * frame r || length || content || padding, and the request and response maps.
 */
#ifndef HT_SCHEMAS_CONTENT_H
#define HT_SCHEMAS_CONTENT_H

#include "schemas/envelope.h"
#include "schemas/status.h"

#define HT_CONTENT_R      32 /* bytes of r */
#define HT_CONTENT_OFFSET 36 /* r and the length (4) */

/* The commitment of section 3.1. */
struct ht_hash ht_content_commit(
    const uint8_t r[static 32], struct ht_slice content);
/*
 * Bytes of padded plaintext for content_len: Padmé, or, where @fixed is not 0
 * (verify_size), the first of @fixed, 2 @fixed, 4 @fixed ... that holds it.
 */
size_t ht_content_padded(size_t content_len, size_t fixed);
/*
 * Append the padded plaintext to @out with fresh r, and room left for the
 * AEAD's tag in its capacity.  *ret_commit is the commitment.  HT_ETOOBIG for
 * what would make a body of more than HT_BODY_MAX.
 */
enum ht_err ht_content_wrap(struct ht_slice content, size_t fixed,
    struct ht_buf *out, struct ht_hash *ret_commit) HT_MUST_USE;
/*
 * Take an opened plaintext apart: r and content inside @plain.  Errors:
 * HT_EMALFORMED (length, padding), HT_EBADSIG (commitment).
 */
enum ht_err ht_content_unwrap(struct ht_slice plain,
    const struct ht_hash *commitment, struct ht_slice *ret_r,
    struct ht_slice *ret_content) HT_MUST_USE;

struct ht_reason {
	unsigned code;    /* enum ht_status */
	char detail[240]; /* UTF-8, cut at a character */
};
/* All reasons at once.  `{0}` is a valid start. */
struct ht_reasons {
	unsigned n;
	unsigned more; /* that found no room: the last one says so */
	struct ht_reason at[HT_REASONS_MAX];
};
/*
 * Add one; past HT_REASONS_MAX the last says how many more there are.  The
 * detail may hold what others wrote: it is made valid UTF-8 and cut to size.
 */
void ht_reasons_add(struct ht_reasons *reasons, unsigned code, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));
#define HT_REMEDY_MAX 239 /* bytes of a remedy on the wire */
/*
 * [code, who, detail, remedy], and an array of them.  Who and remedy are sent
 * for people and other programs; here the code says them, in our own words.
 */
void ht_reason_pack(struct ht_buf *out, const struct ht_reason *reason);
void ht_reason_unpack(struct ht_unpack *u, struct ht_reason *ret);
void ht_reasons_pack(struct ht_buf *out, const struct ht_reasons *reasons);
void ht_reasons_unpack(struct ht_unpack *u, struct ht_reasons *ret);

/*
 * Request and response as JSON values.  Owned by the struct; ht_*_fini()
 * releases them.  NULL where the map has nil.
 *
 * Decoding checks the form: types, names, codes.  On error *ret is untouched
 * and *ret_why (may be NULL) says what was expected.  Errors: HT_EMALFORMED;
 * HT_EINVALID for values that JSON cannot say (ht_pack_to_json()); HT_ENOMEM.
 * Encoding: HT_EINVALID for what cannot be said in the strict profile.
 */
struct ht_request {
	json_t *annex; /* {"entry": {"$bin": ...}, "fields": {...}} */
	json_t *claims;
	json_t *fields;
	char item[HT_NAME_MAX + 1];
	unsigned operation;
	json_t *params;
	uint32_t version;
};
void ht_request_fini(struct ht_request *req);
enum ht_err ht_request_encode(const struct ht_request *req, struct ht_buf *out)
    HT_MUST_USE;
enum ht_err ht_request_decode(struct ht_slice content, struct ht_request *ret,
    const char **ret_why) HT_MUST_USE;

struct ht_response {
	json_t *annex;
	char item[HT_NAME_MAX + 1];
	bool more;
	unsigned operation;
	struct ht_reasons reasons;
	json_t *records; /* array of objects */
	json_t *results; /* object: field -> 0, 1, 2 */
	uint32_t version;
};
enum ht_match { HT_NO_MATCH = 0, HT_MATCH = 1, HT_UNKNOWN = 2 };
void ht_response_fini(struct ht_response *resp);
enum ht_err ht_response_encode(
    const struct ht_response *resp, struct ht_buf *out) HT_MUST_USE;
enum ht_err ht_response_decode(struct ht_slice content, struct ht_response *ret,
    const char **ret_why) HT_MUST_USE;

#endif
