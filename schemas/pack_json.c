/*
 * pack_json.c -- bodies are msgpack, schemas see JSON: there and back.
 *
 * The two say the same, value for value: what comes from msgpack goes back to
 * the same bytes.  bin has no like in JSON and becomes {"$bin": "<base64>"},
 * so a map may not have that key; ints past int64 and U+0000 would come out
 * changed in jansson, and are refused.
 */
#include <stdlib.h>
#include <string.h>

#include <msgpack.h>

#include "lib/base/panic.h"
#include "schemas/pack.h"

#define BIN_KEY "$bin"

/* ---- msgpack to JSON ---- */

static enum ht_err value_to_json(const msgpack_object *value, json_t **ret);

/* jansson says NULL when out of memory; what it refuses was refused before. */
static enum ht_err
made(json_t *json, json_t **ret)
{
	if (json == NULL)
		return HT_ENOMEM;
	*ret = json;
	return HT_OK;
}

/* msgpack-c may leave an empty text without a place; jansson wants one. */
static const char *
text_at(const msgpack_object_str *text)
{
	return text->size > 0 ? text->ptr : "";
}

static enum ht_err
text_to_json(const msgpack_object_str *text, json_t **ret)
{
	if (memchr(text_at(text), '\0', text->size) != NULL)
		return HT_EINVALID;
	return made(json_stringn_nocheck(text_at(text), text->size), ret);
}

static enum ht_err
bin_to_json(const msgpack_object_bin *bin, json_t **ret)
{
	size_t size = HT_B64_SIZE((size_t)bin->size);
	HT_AUTO(ht_mem_free) char *text = malloc(size);

	if (text == NULL)
		return HT_ENOMEM;
	ht_b64(text, bin->ptr, bin->size);
	return made(json_pack("{s:s}", BIN_KEY, text), ret);
}

static enum ht_err
array_to_json(const msgpack_object_array *array, json_t **ret)
{
	HT_AUTO(ht_json_free) json_t *json = json_array();

	if (json == NULL)
		return HT_ENOMEM;
	for (uint32_t i = 0; i < array->size; i++) {
		json_t *element;
		enum ht_err err = value_to_json(&array->ptr[i], &element);

		if (err != HT_OK)
			return err;
		if (json_array_append_new(json, element) != 0)
			return HT_ENOMEM;
	}
	*ret = HT_TAKE(json);
	return HT_OK;
}

static enum ht_err
pair_to_json(const msgpack_object_kv *pair, json_t *map)
{
	const msgpack_object_str *key = &pair->key.via.str;
	json_t *value;
	enum ht_err err;

	HT_ASSERT(pair->key.type == MSGPACK_OBJECT_STR); /* checked bytes */
	if (memchr(text_at(key), '\0', key->size) != NULL ||
	    ht_slice_is(HT_SLICE(key->ptr, key->size), BIN_KEY))
		return HT_EINVALID;
	err = value_to_json(&pair->val, &value);
	if (err != HT_OK)
		return err;
	if (json_object_setn_new_nocheck(map, text_at(key), key->size, value) !=
	    0)
		return HT_ENOMEM;
	return HT_OK;
}

static enum ht_err
map_to_json(const msgpack_object_map *map, json_t **ret)
{
	HT_AUTO(ht_json_free) json_t *json = json_object();

	if (json == NULL)
		return HT_ENOMEM;
	for (uint32_t i = 0; i < map->size; i++) {
		enum ht_err err = pair_to_json(&map->ptr[i], json);

		if (err != HT_OK)
			return err;
	}
	*ret = HT_TAKE(json);
	return HT_OK;
}

/* Recurses HT_PACK_DEPTH deep at most: the bytes were checked. */
static enum ht_err
value_to_json(const msgpack_object *value, json_t **ret)
{
	switch (value->type) {
	case MSGPACK_OBJECT_NIL:
		return made(json_null(), ret);
	case MSGPACK_OBJECT_BOOLEAN:
		return made(json_boolean(value->via.boolean), ret);
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		if (value->via.u64 > INT64_MAX)
			return HT_EINVALID;
		return made(json_integer((json_int_t)value->via.u64), ret);
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		return made(json_integer(value->via.i64), ret);
	case MSGPACK_OBJECT_FLOAT64:
		return made(json_real(value->via.f64), ret);
	case MSGPACK_OBJECT_STR:
		return text_to_json(&value->via.str, ret);
	case MSGPACK_OBJECT_BIN:
		return bin_to_json(&value->via.bin, ret);
	case MSGPACK_OBJECT_ARRAY:
		return array_to_json(&value->via.array, ret);
	case MSGPACK_OBJECT_MAP:
		return map_to_json(&value->via.map, ret);
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_EXT:
	default:
		HT_NEVER("a type that ht_pack_check() refuses");
	}
}

enum ht_err
ht_pack_to_json(struct ht_slice checked, json_t **ret)
{
	msgpack_unpacked unpacked;
	size_t off = 0;
	enum ht_err err = ht_pack_check(checked, NULL, NULL);

	/*
	 * Again, whatever the caller says: msgpack-c allocates by what counts
	 * claim, and must never see a byte that was not checked.
	 */
	if (err != HT_OK)
		return err;
	msgpack_unpacked_init(&unpacked);
	switch (msgpack_unpack_next(
	    &unpacked, (const char *)checked.at, checked.len, &off)) {
	case MSGPACK_UNPACK_SUCCESS:
		HT_ASSERT(off == checked.len);
		err = value_to_json(&unpacked.data, ret);
		break;
	case MSGPACK_UNPACK_NOMEM_ERROR:
		err = HT_ENOMEM;
		break;
	case MSGPACK_UNPACK_EXTRA_BYTES:
	case MSGPACK_UNPACK_CONTINUE:
	case MSGPACK_UNPACK_PARSE_ERROR:
	default:
		HT_NEVER("msgpack-c refuses what ht_pack_check() accepts");
	}
	msgpack_unpacked_destroy(&unpacked);
	return err;
}

/* ---- JSON to msgpack ---- */

static enum ht_err value_from_json(
    const json_t *json, unsigned depth, struct ht_buf *out);

static enum ht_err
text_from_json(const json_t *json, struct ht_buf *out)
{
	struct ht_slice text =
	    HT_SLICE(json_string_value(json), json_string_length(json));

	if (memchr(text.at, '\0', text.len) != NULL)
		return HT_EINVALID;
	ht_pack_str(out, text);
	return out->err;
}

static enum ht_err
bin_from_json(const json_t *json, struct ht_buf *out)
{
	HT_AUTO(ht_mem_free) uint8_t *bytes = NULL;
	struct ht_slice text;
	enum ht_err err;
	size_t len;

	if (!json_is_string(json))
		return HT_EINVALID;
	text = HT_SLICE(json_string_value(json), json_string_length(json));
	bytes = malloc(text.len + 1);
	if (bytes == NULL)
		return HT_ENOMEM;
	err = ht_unb64(text, bytes, text.len, &len);
	if (err != HT_OK)
		return HT_EINVALID;
	ht_pack_bin(out, bytes, len);
	return out->err;
}

static enum ht_err
array_from_json(const json_t *json, unsigned depth, struct ht_buf *out)
{
	size_t n = json_array_size(json);
	enum ht_err err;

	if (n > UINT32_MAX)
		return HT_ETOOBIG;
	ht_pack_array(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		err = value_from_json(json_array_get(json, i), depth, out);
		if (err != HT_OK)
			return err;
	}
	return out->err;
}

/* strcmp() compares unsigned bytes (C11 7.24.4): the order of the profile. */
static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum ht_err
pairs_from_json(
    const json_t *json, const char **keys, unsigned depth, struct ht_buf *out)
{
	json_t *map =
	    (json_t *)(uintptr_t)json; /* jansson's walk is not const */
	size_t n = 0;
	enum ht_err err;

	for (void *at = json_object_iter(map); at != NULL;
	     at = json_object_iter_next(map, at)) {
		keys[n] = json_object_iter_key(at);
		if (strlen(keys[n]) != json_object_iter_key_len(at))
			return HT_EINVALID;
		n++;
	}
	qsort(keys, n, sizeof(*keys), by_text);
	for (size_t i = 0; i < n; i++) {
		ht_pack_cstr(out, keys[i]);
		err =
		    value_from_json(json_object_get(json, keys[i]), depth, out);
		if (err != HT_OK)
			return err;
	}
	return out->err;
}

static enum ht_err
object_from_json(const json_t *json, unsigned depth, struct ht_buf *out)
{
	HT_AUTO(ht_mem_free) const char **keys = NULL;
	const json_t *bin = json_object_get(json, BIN_KEY);
	size_t n = json_object_size(json);

	if (bin != NULL)
		return n == 1 ? bin_from_json(bin, out) : HT_EINVALID;
	if (n > UINT32_MAX)
		return HT_ETOOBIG;
	ht_pack_map(out, (uint32_t)n);
	if (n == 0)
		return out->err;
	keys = calloc(n, sizeof(*keys));
	if (keys == NULL)
		return HT_ENOMEM;
	return pairs_from_json(json, keys, depth, out);
}

static enum ht_err
value_from_json(const json_t *json, unsigned depth, struct ht_buf *out)
{
	switch (json_typeof(json)) {
	case JSON_NULL:
		ht_pack_nil(out);
		return out->err;
	case JSON_TRUE:
	case JSON_FALSE:
		ht_pack_bool(out, json_is_true(json));
		return out->err;
	case JSON_INTEGER:
		ht_pack_int(out, json_integer_value(json));
		return out->err;
	case JSON_REAL:
		ht_pack_float(out, json_real_value(json));
		return out->err;
	case JSON_STRING:
		return text_from_json(json, out);
	case JSON_ARRAY:
		if (depth == HT_PACK_DEPTH)
			return HT_ETOOBIG;
		return array_from_json(json, depth + 1, out);
	case JSON_OBJECT:
		if (depth == HT_PACK_DEPTH &&
		    json_object_get(json, BIN_KEY) == NULL)
			return HT_ETOOBIG;
		return object_from_json(json, depth + 1, out);
	default:
		HT_NEVER("a type that jansson does not have");
	}
}

enum ht_err
ht_pack_from_json(const json_t *json, struct ht_buf *out)
{
	size_t start = out->len;
	enum ht_err err;

	if (out->err != HT_OK)
		return out->err;
	err = value_from_json(json, 0, out);
	if (err != HT_OK) {
		out->len = start;
		if (out->err == HT_OK)
			out->err = err;
	}
	return err;
}
