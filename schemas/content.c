/*
 * content.c -- what is inside the seal (docs/protocol.md section 3.3).
 */
#include "schemas/content.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/panic.h"
#include "lib/base/text.h"
#include "schemas/tag.h"

/* ---- the frame: r || u32 length || content || zeroes ---- */

struct ht_hash
ht_content_commit(const uint8_t r[static 32], struct ht_slice content)
{
	const struct ht_slice parts[] = {
	    ht_slice_str("hutong-content/v1\n"),
	    HT_SLICE(r, HT_CONTENT_R),
	    content,
	};

	return ht_blake2b(parts, HT_COUNT(parts));
}

static unsigned
log2_floor(size_t n)
{
	HT_ASSERT(n > 0);
	return (unsigned)(8 * sizeof(long) - 1) -
	       (unsigned)__builtin_clzl((unsigned long)n);
}

/*
 * Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and
 * Communication with PURBs", PETS 2019): at most 12 % more, and the length
 * tells O(log log L) bits.
 */
static size_t
padme(size_t len)
{
	unsigned e = log2_floor(len);
	unsigned s = log2_floor(e) + 1;
	size_t mask = ((size_t)1 << (e - s)) - 1;

	HT_ASSERT(e >= s); /* len >= HT_CONTENT_OFFSET */
	return (len + mask) & ~mask;
}

size_t
ht_content_padded(size_t content_len, size_t fixed)
{
	size_t len = HT_CONTENT_OFFSET + content_len;

	if (content_len > HT_BODY_MAX)
		return len; /* too long in any case */
	if (fixed == 0)
		return padme(len);
	while (fixed < len)
		fixed *= 2;
	return fixed;
}

enum ht_err
ht_content_wrap(struct ht_slice content, size_t fixed, struct ht_buf *out,
    struct ht_hash *ret_commit)
{
	size_t size = ht_content_padded(content.len, fixed);
	uint8_t *at;

	if (size > HT_BODY_MAX - HT_AEAD_TAG)
		return HT_ETOOBIG;
	/* Room for the AEAD's tag is in the capacity, not in the length. */
	at = ht_buf_room(out, size + HT_AEAD_TAG);
	if (at == NULL)
		return out->err;
	out->len -= HT_AEAD_TAG;
	ht_random(at, HT_CONTENT_R);
	ht_be32(at + HT_CONTENT_R, (uint32_t)content.len);
	if (content.len > 0)
		memcpy(at + HT_CONTENT_OFFSET, content.at, content.len);
	memset(at + HT_CONTENT_OFFSET + content.len, 0,
	    size - HT_CONTENT_OFFSET - content.len);
	*ret_commit = ht_content_commit(at, content);
	return HT_OK;
}

static bool
is_zero(struct ht_slice bytes)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < bytes.len; i++)
		sum |= bytes.at[i];
	return sum == 0;
}

enum ht_err
ht_content_unwrap(struct ht_slice plain, const struct ht_hash *commitment,
    struct ht_slice *ret_r, struct ht_slice *ret_content)
{
	struct ht_cur cur = ht_cur(plain);
	struct ht_slice r = ht_cur_take(&cur, HT_CONTENT_R);
	struct ht_slice content = ht_cur_take(&cur, ht_cur_u32(&cur));
	struct ht_slice padding = ht_cur_take(&cur, (size_t)(cur.end - cur.at));
	struct ht_hash computed;

	if (ht_cur_end(&cur) != HT_OK || !is_zero(padding))
		return HT_EMALFORMED;
	computed = ht_content_commit(r.at, content);
	if (!ht_hash_eq(&computed, commitment))
		return HT_EBADSIG;
	*ret_r = r;
	*ret_content = content;
	return HT_OK;
}

/* ---- reasons ---- */

/* Put "?" for each byte that is part of no character. */
static void
mend_utf8(char *text, size_t len)
{
	size_t i = 0;

	while (i < len) {
		size_t n = 1;

		while (n < 4 && n < len - i &&
		       !ht_utf8_valid(HT_SLICE(text + i, n)))
			n++;
		if (ht_utf8_valid(HT_SLICE(text + i, n))) {
			i += n;
			continue;
		}
		text[i++] = '?';
	}
}

/* What goes in is often a peer's or a file's: it may be anything. */
static void detail_set(struct ht_reason *reason, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
static void
detail_set(struct ht_reason *reason, const char *fmt, va_list ap)
{
	char text[2 * sizeof(reason->detail)];
	size_t len;

	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	len = strlen(text);
	mend_utf8(text, len);
	len = ht_utf8_cut(HT_SLICE(text, len), sizeof(reason->detail) - 1);
	memcpy(reason->detail, text, len);
	reason->detail[len] = '\0';
}

void
ht_reasons_add(struct ht_reasons *reasons, unsigned code, const char *fmt, ...)
{
	struct ht_reason *last;
	va_list ap;

	HT_ASSERT(reasons->n <= HT_REASONS_MAX);
	if (reasons->n == HT_REASONS_MAX) {
		last = &reasons->at[HT_REASONS_MAX - 1];
		reasons->more++;
		(void)snprintf(last->detail, sizeof(last->detail),
		    "this, and %u reasons more", reasons->more);
		return;
	}
	last = &reasons->at[reasons->n++];
	last->code = code;
	va_start(ap, fmt);
	detail_set(last, fmt, ap);
	va_end(ap);
}

void
ht_reason_pack(struct ht_buf *out, const struct ht_reason *reason)
{
	ht_pack_array(out, 4);
	ht_pack_uint(out, reason->code);
	ht_pack_uint(out, ht_status_who(reason->code));
	ht_pack_cstr(out, reason->detail);
	ht_pack_cstr(out, ht_status_remedy(reason->code));
}

void
ht_reasons_pack(struct ht_buf *out, const struct ht_reasons *reasons)
{
	ht_pack_array(out, reasons->n);
	for (unsigned i = 0; i < reasons->n; i++)
		ht_reason_pack(out, &reasons->at[i]);
}

void
ht_reason_unpack(struct ht_unpack *u, struct ht_reason *ret)
{
	struct ht_slice detail;

	ht_unpack_array_of(u, 4);
	ret->code = (unsigned)ht_unpack_uint(u, UINT16_MAX);
	(void)ht_unpack_uint(u, UINT8_MAX); /* the code says who and what to */
	detail = ht_unpack_str(u, sizeof(ret->detail) - 1);
	(void)ht_unpack_str(u, HT_REMEDY_MAX); /* do, in our own words */
	if (detail.len > 0 && memchr(detail.at, '\0', detail.len) != NULL)
		ht_unpack_fail(u, HT_EMALFORMED);
	if (u->err != HT_OK)
		detail.len = 0;
	if (detail.len > 0)
		memcpy(ret->detail, detail.at, detail.len);
	ret->detail[detail.len] = '\0';
}

void
ht_reasons_unpack(struct ht_unpack *u, struct ht_reasons *ret)
{
	ret->n = ht_unpack_array(u, HT_REASONS_MAX);
	ret->more = 0;
	for (unsigned i = 0; i < ret->n; i++)
		ht_reason_unpack(u, &ret->at[i]);
	if (u->err != HT_OK)
		ret->n = 0;
}

/* ---- the maps ---- */

static void
read_key(struct ht_unpack *u, const char *key, const char *want)
{
	ht_unpack_expect(u, want);
	ht_unpack_key(u, key);
}

/* The value as JSON, of the type that @is says, or nil where it may be. */
static void
json_read(struct ht_unpack *u, bool or_nil, json_type type, json_t **ret)
{
	HT_AUTO(ht_json_free) json_t *json = NULL;
	struct ht_slice raw;
	enum ht_err err;

	if (or_nil && ht_unpack_is_nil(u)) {
		ht_unpack_nil(u);
		return;
	}
	raw = ht_unpack_raw(u);
	if (u->err != HT_OK)
		return;
	err = ht_pack_to_json(raw, &json);
	if (err == HT_EINVALID)
		ht_unpack_expect(u,
		    "content without U+0000, integers past int64, and keys "
		    "\"$bin\" is expected");
	if (err == HT_OK && json_typeof(json) != type)
		err = HT_EMALFORMED;
	if (err != HT_OK)
		ht_unpack_fail(u, err);
	else
		*ret = HT_TAKE(json);
}

static void
item_read(struct ht_unpack *u, char item[static HT_NAME_MAX + 1])
{
	struct ht_slice name = ht_unpack_str(u, HT_NAME_MAX);

	if (u->err != HT_OK)
		return;
	if (!ht_name_valid(name)) {
		ht_unpack_fail(u, HT_EMALFORMED);
		return;
	}
	memcpy(item, name.at, name.len);
	item[name.len] = '\0';
}

static unsigned
operation_read(struct ht_unpack *u)
{
	uint64_t operation = ht_unpack_uint(u, HT_OP_TRANSFER);

	if (operation < HT_OP_QUERY)
		ht_unpack_fail(u, HT_EMALFORMED);
	return (unsigned)operation;
}

static void
annex_read(struct ht_unpack *u, json_t **ret)
{
	struct ht_annex annex;

	json_read(u, true, JSON_OBJECT, ret);
	if (u->err == HT_OK && *ret != NULL &&
	    ht_annex_from_json(*ret, &annex) != HT_OK)
		ht_unpack_fail(u, HT_EMALFORMED);
}

static bool
all_strings(const json_t *list)
{
	const json_t *value;
	size_t i;

	json_array_foreach(
	    list, i, value) if (!json_is_string(value)) return false;
	return true;
}

static bool
all_objects(const json_t *list)
{
	const json_t *value;
	size_t i;

	json_array_foreach(
	    list, i, value) if (!json_is_object(value)) return false;
	return true;
}

static bool
all_matches(const json_t *results)
{
	const json_t *value;
	const char *key;

	json_object_foreach((json_t *)(uintptr_t)results, key,
	    value) if (!json_is_integer(value) ||
	               json_integer_value(value) < HT_NO_MATCH ||
	               json_integer_value(value) > HT_UNKNOWN) return false;
	return true;
}

static void
begin(
    struct ht_unpack *u, struct ht_slice content, uint32_t n, const char *want)
{
	const char *why = "";
	enum ht_err err = ht_pack_check(content, NULL, &why);

	*u = ht_unpack(content);
	ht_unpack_expect(u, why);
	if (err != HT_OK)
		ht_unpack_fail(u, err);
	ht_unpack_expect(u, want);
	ht_unpack_demand(u, ht_unpack_map(u, n) == n);
}

static enum ht_err
finish(const struct ht_unpack *u, const char **ret_why)
{
	enum ht_err err = ht_unpack_end(u);

	if (err == HT_ETOOBIG) /* of a part: the whole was not */
		err = HT_EMALFORMED;
	if (err != HT_OK && ret_why != NULL)
		*ret_why = u->want;
	return err;
}

/* Absent members are nil; a failure stands in @out's sticky error. */
static void
json_write(struct ht_buf *out, const char *key, const json_t *json)
{
	enum ht_err err;

	ht_pack_cstr(out, key);
	if (json == NULL) {
		ht_pack_nil(out);
		return;
	}
	err = ht_pack_from_json(json, out);
	HT_ASSERT(err == out->err);
}

/* The peer checks the whole: parts in order may still be too deep together. */
static enum ht_err
written(struct ht_buf *out, size_t start)
{
	if (out->err == HT_OK &&
	    ht_pack_check(HT_SLICE(out->at + start, out->len - start), NULL,
	        NULL) != HT_OK)
		out->err = HT_EINVALID;
	return out->err;
}

/* ---- requests ---- */

void
ht_request_fini(struct ht_request *req)
{
	ht_json_free(&req->annex);
	ht_json_free(&req->claims);
	ht_json_free(&req->fields);
	ht_json_free(&req->params);
}

enum ht_err
ht_request_encode(const struct ht_request *req, struct ht_buf *out)
{
	size_t start = out->len;

	if (!json_is_object(req->params))
		return HT_EINVALID;
	ht_pack_map(out, 7);
	json_write(out, "annex", req->annex);
	json_write(out, "claims", req->claims);
	json_write(out, "fields", req->fields);
	ht_pack_cstr(out, "item");
	ht_pack_cstr(out, req->item);
	ht_pack_cstr(out, "operation");
	ht_pack_uint(out, req->operation);
	json_write(out, "params", req->params);
	ht_pack_cstr(out, "version");
	ht_pack_uint(out, req->version);
	return written(out, start);
}

enum ht_err
ht_request_decode(
    struct ht_slice content, struct ht_request *ret, const char **ret_why)
{
	HT_AUTO(ht_request_fini) struct ht_request req = {0};
	struct ht_unpack u;
	enum ht_err err;

	begin(&u, content, 7, "a request is a map of 7");
	read_key(&u, "annex", "annex: nil, or entry and fields, is expected");
	annex_read(&u, &req.annex);
	read_key(&u, "claims", "claims: nil or a map is expected");
	json_read(&u, true, JSON_OBJECT, &req.claims);
	read_key(&u, "fields", "fields: nil or an array of str is expected");
	json_read(&u, true, JSON_ARRAY, &req.fields);
	ht_unpack_demand(&u, all_strings(req.fields));
	read_key(&u, "item", "item: a catalog/CODE is expected");
	item_read(&u, req.item);
	read_key(&u, "operation", "operation: 1 to 5 is expected");
	req.operation = operation_read(&u);
	read_key(&u, "params", "params: a map is expected");
	json_read(&u, false, JSON_OBJECT, &req.params);
	read_key(&u, "version", "version: u32 is expected");
	req.version = (uint32_t)ht_unpack_uint(&u, UINT32_MAX);
	err = finish(&u, ret_why);
	if (err != HT_OK)
		return err;
	*ret = req;
	req = (struct ht_request){0};
	return HT_OK;
}

/* ---- responses ---- */

void
ht_response_fini(struct ht_response *resp)
{
	ht_json_free(&resp->annex);
	ht_json_free(&resp->records);
	ht_json_free(&resp->results);
}

enum ht_err
ht_response_encode(const struct ht_response *resp, struct ht_buf *out)
{
	size_t start = out->len;

	ht_pack_map(out, 8);
	json_write(out, "annex", resp->annex);
	ht_pack_cstr(out, "item");
	ht_pack_cstr(out, resp->item);
	ht_pack_cstr(out, "more");
	ht_pack_bool(out, resp->more);
	ht_pack_cstr(out, "operation");
	ht_pack_uint(out, resp->operation);
	ht_pack_cstr(out, "reasons");
	ht_reasons_pack(out, &resp->reasons);
	json_write(out, "records", resp->records);
	json_write(out, "results", resp->results);
	ht_pack_cstr(out, "version");
	ht_pack_uint(out, resp->version);
	return written(out, start);
}

enum ht_err
ht_response_decode(
    struct ht_slice content, struct ht_response *ret, const char **ret_why)
{
	HT_AUTO(ht_response_fini) struct ht_response resp = {0};
	struct ht_unpack u;
	enum ht_err err;

	begin(&u, content, 8, "a response is a map of 8");
	read_key(&u, "annex", "annex: nil, or entry and fields, is expected");
	annex_read(&u, &resp.annex);
	read_key(&u, "item", "item: a catalog/CODE is expected");
	item_read(&u, resp.item);
	read_key(&u, "more", "more: a bool is expected");
	resp.more = ht_unpack_bool(&u);
	read_key(&u, "operation", "operation: 1 to 5 is expected");
	resp.operation = operation_read(&u);
	read_key(&u, "reasons",
	    "reasons: at most 16 of [code, who, detail, "
	    "remedy] are expected");
	ht_reasons_unpack(&u, &resp.reasons);
	read_key(&u, "records", "records: nil or an array of maps is expected");
	json_read(&u, true, JSON_ARRAY, &resp.records);
	ht_unpack_demand(&u, all_objects(resp.records));
	read_key(&u, "results", "results: nil or a map to 0, 1, 2 is expected");
	json_read(&u, true, JSON_OBJECT, &resp.results);
	ht_unpack_demand(&u, all_matches(resp.results));
	read_key(&u, "version", "version: u32 is expected");
	resp.version = (uint32_t)ht_unpack_uint(&u, UINT32_MAX);
	err = finish(&u, ret_why);
	if (err != HT_OK)
		return err;
	*ret = resp;
	resp = (struct ht_response){0};
	return HT_OK;
}
