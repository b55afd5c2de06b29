/*
 * json.c -- parse and print JSON, strictly and within limits.
 */
#include "schemas/json.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/base/own.h"
#include "schemas/number.h"

void
ht_json_free(json_t **json_p)
{
	json_decref(*json_p);
	*json_p = NULL;
}

static bool
too_deep(const json_t *json, unsigned depth)
{
	const json_t *value;
	const char *key;
	size_t i;

	if (!json_is_array(json) && !json_is_object(json))
		return false;
	if (depth == HT_PACK_DEPTH)
		return true;
	json_array_foreach(
	    json, i, value) if (too_deep(value, depth + 1)) return true;
	json_object_foreach((json_t *)(uintptr_t)json, key,
	    value) if (too_deep(value, depth + 1)) return true;
	return false;
}

enum ht_err
ht_json_parse(struct ht_slice text, json_t **ret, const char **ret_why)
{
	static _Thread_local char why[JSON_ERROR_TEXT_LENGTH + 64];
	HT_AUTO(ht_json_free) json_t *json = NULL;
	json_error_t error;

	json = json_loadb((const char *)text.at, text.len,
	    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (json == NULL) {
		if (json_error_code(&error) == json_error_out_of_memory)
			return HT_ENOMEM;
		(void)snprintf(why, sizeof(why), "line %d, column %d: %s",
		    error.line, error.column, error.text);
	} else if (too_deep(json, 0)) {
		(void)snprintf(why, sizeof(why),
		    "more than %d arrays and objects in one another",
		    HT_PACK_DEPTH);
	} else {
		*ret = HT_TAKE(json);
		return HT_OK;
	}
	if (ret_why != NULL)
		*ret_why = why;
	return HT_EMALFORMED;
}

void
ht_json_set_text(json_t *object, const char *name, struct ht_slice text)
{
	if (text.len > 0)
		(void)json_object_set_new(object, name,
		    json_stringn((const char *)text.at, text.len));
}

void
ht_json_set_hex(json_t *object, const char *name, const void *at, size_t len)
{
	char hex[2 * HT_JSON_HEX_MAX + 1];

	ht_hex(hex, at, len < HT_JSON_HEX_MAX ? len : HT_JSON_HEX_MAX);
	(void)json_object_set_new(object, name, json_string(hex));
}

void
ht_json_set_uint(json_t *object, const char *name, uint64_t n)
{
	(void)json_object_set_new(object, name, json_integer((json_int_t)n));
}

static int
write_out(const char *bytes, size_t len, void *arg)
{
	struct ht_buf *out = arg;

	ht_buf_add(out, bytes, len);
	return out->err == HT_OK ? 0 : -1;
}

static bool
dump(const json_t *json, size_t flags, struct ht_buf *out)
{
	return json_dump_callback(json, write_out, out,
	           JSON_COMPACT | JSON_ENCODE_ANY | flags) == 0;
}

static bool
has_real(const json_t *json)
{
	const json_t *value;
	const char *key;
	size_t i;

	if (json_is_real(json))
		return true;
	json_array_foreach(json, i, value) if (has_real(value)) return true;
	json_object_foreach((json_t *)(uintptr_t)json, key,
	    value) if (has_real(value)) return true;
	return false;
}

static bool print(const json_t *json, struct ht_buf *out);

static bool
print_array(const json_t *array, struct ht_buf *out)
{
	const json_t *value;
	size_t i;

	ht_buf_u8(out, '[');
	json_array_foreach(array, i, value)
	{
		if (i > 0)
			ht_buf_u8(out, ',');
		if (!print(value, out))
			return false;
	}
	ht_buf_u8(out, ']');
	return true;
}

static bool
print_object(const json_t *object, struct ht_buf *out)
{
	const json_t *value;
	const char *key;
	bool first = true;

	ht_buf_u8(out, '{');
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		HT_AUTO(ht_json_free) json_t *name = json_string(key);

		if (!first)
			ht_buf_u8(out, ',');
		first = false;
		if (name == NULL || !dump(name, 0, out))
			return false;
		ht_buf_u8(out, ':');
		if (!print(value, out))
			return false;
	}
	ht_buf_u8(out, '}');
	return true;
}

/* jansson has one precision for all numbers of a text: each has its own. */
static bool
print(const json_t *json, struct ht_buf *out)
{
	if (json_is_real(json))
		return dump(json,
		    JSON_REAL_PRECISION((size_t)ht_number_digits(json)), out);
	if (!has_real(json))
		return dump(json, 0, out);
	return json_is_array(json) ? print_array(json, out)
	                           : print_object(json, out);
}

enum ht_err
ht_json_print(const json_t *json, struct ht_buf *out)
{
	size_t start = out->len;

	if (out->err != HT_OK)
		return out->err;
	if (print(json, out) && out->err == HT_OK)
		return HT_OK;
	if (out->err == HT_OK)
		out->err = HT_ENOMEM;
	out->len = start;
	return out->err;
}
