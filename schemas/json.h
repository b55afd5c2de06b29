/*
 * json.h -- JSON values, the vocabulary in which schemas, records and
 * parameters are spoken.
 *
 * jansson's values are used as they are: wrapping every accessor would be a
 * second JSON library.  Its one home is still here: other folders include this
 * header, and parsing and printing go through the two functions below, so that
 * limits and strictness are the same everywhere.
 */
#ifndef HT_SCHEMAS_JSON_H
#define HT_SCHEMAS_JSON_H

#include <jansson.h>

#include "lib/base/bytes.h"

/* json_decref() as a destructor: HT_AUTO(ht_json_free) json_t *v = NULL; */
void ht_json_free(json_t **json_p);

/*
 * Parse one strict JSON text: UTF-8, no duplicate keys, nothing after it, at
 * most HT_PACK_DEPTH deep.  *ret_why (may be NULL) points at a static buffer
 * of the calling thread with position and reason.
 */
enum ht_err ht_json_parse(
    struct ht_slice text, json_t **ret, const char **ret_why) HT_MUST_USE;
/*
 * Set a member of @object: a text (none if it is empty), lower-case hex of at
 * most HT_JSON_HEX_MAX bytes, a number up to INT64_MAX.  Memory that runs out
 * leaves the member away.
 */
#define HT_JSON_HEX_MAX 64
void ht_json_set_text(json_t *object, const char *name, struct ht_slice text);
void ht_json_set_hex(
    json_t *object, const char *name, const void *at, size_t len);
void ht_json_set_uint(json_t *object, const char *name, uint64_t n);
/*
 * Append compact JSON, keys in the order they stand, each real with as few
 * digits as read back the same; no newline.
 */
enum ht_err ht_json_print(const json_t *json, struct ht_buf *out) HT_MUST_USE;

#endif
