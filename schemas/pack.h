/*
 * pack.h -- strict msgpack: check, read, write (docs/protocol.md section 2).
 *
 * Nothing reads a byte of msgpack that ht_pack_check() has not passed: no
 * allocation, one pass, and the canonical form is part of the check.  The
 * reader then walks checked bytes; the writer emits the same profile.  But for
 * a record's header, which is read four times an exchange: its reader looks at
 * every byte by the same rules, and what it takes the check would pass.
 */
#ifndef HT_SCHEMAS_PACK_H
#define HT_SCHEMAS_PACK_H

#include "lib/base/bytes.h"
#include "lib/base/limits.h"
#include "schemas/json.h"

/*
 * The whole of @bytes is one strict value.  Errors: HT_EMALFORMED, with
 * *ret_at (may be NULL) the offset and *ret_why (may be NULL) the rule.
 */
enum ht_err ht_pack_check(
    struct ht_slice bytes, size_t *ret_at, const char **ret_why) HT_MUST_USE;

enum ht_pack_type {
	HT_PACK_NIL,
	HT_PACK_BOOL,
	HT_PACK_INT,
	HT_PACK_FLOAT,
	HT_PACK_STR,
	HT_PACK_BIN,
	HT_PACK_ARRAY,
	HT_PACK_MAP,
};

/*
 * A reader over checked bytes, with a sticky error: a value of another type
 * than asked for, out of range, or past the end, is HT_EMALFORMED; a str, bin,
 * array or map longer than @max is HT_ETOOBIG.  Zeroes then come back, and
 * `at - start` is the offset of the value that was wrong.
 */
struct ht_unpack {
	const uint8_t *start;
	const uint8_t *at;
	const uint8_t *end;
	enum ht_err err;
	const char *want; /* never NULL; after an error: what was expected */
};
struct ht_unpack ht_unpack(struct ht_slice checked);
enum ht_pack_type ht_unpack_peek(const struct ht_unpack *u); /* end: NIL */
bool ht_unpack_is_nil(const struct ht_unpack *u); /* does not advance */
void ht_unpack_nil(struct ht_unpack *u);
bool ht_unpack_is_array(const struct ht_unpack *u); /* does not advance */
bool ht_unpack_bool(struct ht_unpack *u);
uint64_t ht_unpack_uint(struct ht_unpack *u, uint64_t max);
int64_t ht_unpack_int(struct ht_unpack *u);
double ht_unpack_float(struct ht_unpack *u); /* of a float or an int */
struct ht_slice ht_unpack_str(struct ht_unpack *u, size_t max);
struct ht_slice ht_unpack_bin(struct ht_unpack *u, size_t max);
/* bin of exactly len bytes, copied out. */
void ht_unpack_fixed(struct ht_unpack *u, void *out, size_t len);
uint32_t ht_unpack_array(struct ht_unpack *u, uint32_t max);
void ht_unpack_array_of(struct ht_unpack *u, uint32_t n); /* exactly n */
uint32_t ht_unpack_map(struct ht_unpack *u, uint32_t max);
/* A map's key: exactly this one. */
void ht_unpack_key(struct ht_unpack *u, const char *key);
/* Skip one value; its raw bytes. */
struct ht_slice ht_unpack_raw(struct ht_unpack *u);
/*
 * What is expected next, for the message to whoever wrote the bytes.  After an
 * error nothing is expected any more, so that the text belongs to the error.
 */
static inline void
ht_unpack_expect(struct ht_unpack *u, const char *want)
{
	if (u->err == HT_OK)
		u->want = want;
}
/* A rule of the caller's is broken; the first error stays. */
void ht_unpack_fail(struct ht_unpack *u, enum ht_err err);
/* HT_EMALFORMED unless a rule of the caller's is @kept. */
static inline void
ht_unpack_demand(struct ht_unpack *u, bool kept)
{
	if (!kept)
		ht_unpack_fail(u, HT_EMALFORMED);
}
/* No error, and everything read. */
enum ht_err ht_unpack_end(const struct ht_unpack *u) HT_MUST_USE;

/*
 * The writer appends to a ht_buf, whose sticky error serves for both.  Maps:
 * the caller writes keys in increasing order (checked in tests by
 * ht_pack_check() over the result).  What the profile does not have (text that
 * is not UTF-8, NaN, infinity) is HT_EINVALID.
 */
void ht_pack_nil(struct ht_buf *b);
void ht_pack_bool(struct ht_buf *b, bool v);
void ht_pack_uint(struct ht_buf *b, uint64_t v);
void ht_pack_int(struct ht_buf *b, int64_t v);
void ht_pack_float(struct ht_buf *b, double v); /* integers become ints */
void ht_pack_str(struct ht_buf *b, struct ht_slice text);
void ht_pack_cstr(struct ht_buf *b, const char *text);
void ht_pack_bin(struct ht_buf *b, const void *bytes, size_t len);
void ht_pack_array(struct ht_buf *b, uint32_t n);
void ht_pack_map(struct ht_buf *b, uint32_t n);

/* ---- msgpack and JSON: bodies are msgpack, schemas see JSON ---- */

/*
 * A new jansson value of @checked (checked here once more: msgpack-c allocates
 * by what counts claim).  bin becomes {"$bin": base64}.  Exact both ways: what
 * jansson would change is HT_EINVALID (ints past int64, U+0000, a map's key
 * "$bin").  Caller json_decref()s.  Errors: HT_ENOMEM; HT_EMALFORMED.
 */
enum ht_err ht_pack_to_json(struct ht_slice checked, json_t **ret) HT_MUST_USE;
/*
 * Append @json in the strict profile: object keys get sorted, whole reals
 * become ints.  On error nothing is appended, and the buffer's error stands.
 * Errors: HT_EINVALID as above; HT_ETOOBIG (also: depth); HT_ENOMEM.
 */
enum ht_err ht_pack_from_json(const json_t *json, struct ht_buf *out)
    HT_MUST_USE;

#endif
