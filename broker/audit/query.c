/*
 * query.c -- an auditor's question, as strict msgpack and as a line of text.
 *
 * The map has every key, in order; nil, "", 0, -1 where nothing is asked.
 */
#include "broker/audit/query.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "schemas/status.h"

#define QUERY_KEYS 21

/* ---- msgpack ---- */

static void
pack_id(struct ht_buf *out, bool has, const uint8_t *at, size_t len)
{
	if (has)
		ht_pack_bin(out, at, len);
	else
		ht_pack_nil(out);
}

enum ht_err
ht_query_encode(const struct ht_query *q, struct ht_buf *out)
{
	const struct ht_filter *f = &q->filter;
	size_t start = out->len;

	ht_pack_map(out, QUERY_KEYS);
	ht_pack_cstr(out, "evidence");
	ht_pack_bool(out, q->evidence);
	ht_pack_cstr(out, "exchange");
	pack_id(out, f->has_exchange, f->exchange.at, HT_ID_SIZE);
	ht_pack_cstr(out, "from");
	ht_pack_uint(out, f->from_us);
	ht_pack_cstr(out, "item");
	ht_pack_str(out, f->item);
	ht_pack_cstr(out, "last");
	ht_pack_uint(out, q->last);
	ht_pack_cstr(out, "limit");
	ht_pack_uint(out, f->limit);
	ht_pack_cstr(out, "member");
	ht_pack_str(out, f->member);
	ht_pack_cstr(out, "mode");
	ht_pack_uint(out, q->mode);
	ht_pack_cstr(out, "operation");
	ht_pack_int(out, f->operation);
	ht_pack_cstr(out, "peer");
	ht_pack_str(out, f->peer);
	ht_pack_cstr(out, "purpose");
	ht_pack_str(out, f->purpose);
	ht_pack_cstr(out, "salt");
	ht_pack_bin(out, q->salt, sizeof(q->salt));
	ht_pack_cstr(out, "seq");
	if (q->has_seq)
		ht_pack_uint(out, q->seq);
	else
		ht_pack_nil(out);
	ht_pack_cstr(out, "since");
	ht_pack_uint(out, q->since);
	ht_pack_cstr(out, "size");
	ht_pack_uint(out, f->size);
	ht_pack_cstr(out, "start");
	ht_pack_uint(out, f->start_seq);
	ht_pack_cstr(out, "status");
	ht_pack_int(out, f->status);
	ht_pack_cstr(out, "subject");
	pack_id(out, f->has_subject, f->subject.at, HT_PSEUDONYM_SIZE);
	ht_pack_cstr(out, "to");
	ht_pack_uint(out, f->to_us);
	ht_pack_cstr(out, "type");
	ht_pack_int(out, f->type);
	ht_pack_cstr(out, "why");
	ht_pack_str(out, q->why);
	if (out->err == HT_OK && out->len - start > HT_QUERY_MAX)
		return HT_ETOOBIG;
	return out->err;
}

enum ht_err
ht_query_hash(const struct ht_query *q, struct ht_hash *ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_QUERY_MAX);
	struct ht_query plain = {.filter = q->filter};
	struct ht_slice part;
	enum ht_err err;

	plain.filter.start_seq = plain.filter.size = 0;
	plain.filter.limit = 0;
	err = ht_query_encode(&plain, &bytes);
	if (err != HT_OK)
		return err;
	part = ht_buf_slice(&bytes);
	*ret = ht_blake2b(&part, 1);
	return HT_OK;
}

static bool
unpack_id(struct ht_unpack *u, uint8_t *at, size_t len)
{
	if (ht_unpack_is_nil(u)) {
		ht_unpack_nil(u);
		return false;
	}
	ht_unpack_fixed(u, at, len);
	return true;
}

static int
unpack_code(struct ht_unpack *u, int least, int most)
{
	int64_t n = ht_unpack_int(u);

	if (n < least || n > most) {
		ht_unpack_fail(u, HT_EMALFORMED);
		return least;
	}
	return (int)n;
}

static void
unpack_filter_part(struct ht_unpack *u, struct ht_query *q)
{
	struct ht_filter *f = &q->filter;

	ht_unpack_key(u, "exchange");
	f->has_exchange = unpack_id(u, f->exchange.at, HT_ID_SIZE);
	ht_unpack_key(u, "from");
	f->from_us = ht_unpack_uint(u, UINT64_MAX);
	ht_unpack_key(u, "item");
	f->item = ht_unpack_str(u, HT_NAME_MAX);
	ht_unpack_key(u, "last");
	q->last = (uint32_t)ht_unpack_uint(u, UINT32_MAX);
	ht_unpack_key(u, "limit");
	f->limit = (uint32_t)ht_unpack_uint(u, UINT32_MAX);
	ht_unpack_key(u, "member");
	f->member = ht_unpack_str(u, HT_NAME_MAX);
	ht_unpack_key(u, "mode");
	q->mode = (enum ht_query_mode)ht_unpack_uint(u, HT_QUERY_WITNESSES);
	ht_unpack_key(u, "operation");
	f->operation = unpack_code(u, -1, UINT8_MAX);
	ht_unpack_key(u, "peer");
	f->peer = ht_unpack_str(u, HT_NAME_MAX);
	ht_unpack_key(u, "purpose");
	f->purpose = ht_unpack_str(u, HT_PURPOSE_MAX);
}

static void
unpack_query(struct ht_unpack *u, struct ht_query *q)
{
	struct ht_filter *f = &q->filter;

	if (ht_unpack_map(u, QUERY_KEYS) != QUERY_KEYS)
		ht_unpack_fail(u, HT_EMALFORMED);
	ht_unpack_key(u, "evidence");
	q->evidence = ht_unpack_bool(u);
	unpack_filter_part(u, q);
	ht_unpack_key(u, "salt");
	ht_unpack_fixed(u, q->salt, sizeof(q->salt));
	ht_unpack_key(u, "seq");
	q->has_seq = !ht_unpack_is_nil(u);
	if (q->has_seq)
		q->seq = ht_unpack_uint(u, UINT64_MAX);
	else
		ht_unpack_nil(u);
	ht_unpack_key(u, "since");
	q->since = ht_unpack_uint(u, UINT64_MAX);
	ht_unpack_key(u, "size");
	f->size = ht_unpack_uint(u, UINT64_MAX);
	ht_unpack_key(u, "start");
	f->start_seq = ht_unpack_uint(u, UINT64_MAX);
	ht_unpack_key(u, "status");
	f->status = unpack_code(u, -2, UINT16_MAX);
	ht_unpack_key(u, "subject");
	f->has_subject = unpack_id(u, f->subject.at, HT_PSEUDONYM_SIZE);
	ht_unpack_key(u, "to");
	f->to_us = ht_unpack_uint(u, UINT64_MAX);
	ht_unpack_key(u, "type");
	f->type = unpack_code(u, -1, UINT8_MAX);
	ht_unpack_key(u, "why");
	q->why = ht_unpack_str(u, HT_QUERY_WHY);
}

enum ht_err
ht_query_decode(
    struct ht_slice bytes, struct ht_query *ret, const char **ret_why)
{
	struct ht_query q = {0};
	struct ht_unpack u;
	enum ht_err err;

	if (bytes.len > HT_QUERY_MAX) {
		*ret_why = "the query is too long";
		return HT_EMALFORMED;
	}
	err = ht_pack_check(bytes, NULL, ret_why);
	if (err != HT_OK)
		return HT_EMALFORMED;
	u = ht_unpack(bytes);
	unpack_query(&u, &q);
	if (ht_unpack_end(&u) != HT_OK) {
		*ret_why = "the query is not in the form of "
		           "docs/audit-socket.md";
		return HT_EMALFORMED;
	}
	*ret = q;
	return HT_OK;
}

/* ---- text ---- */

static void
text_name(struct ht_buf *out, const char *name, struct ht_slice value)
{
	if (value.len == 0)
		return;
	ht_buf_fmt(out, " %s=", name);
	ht_text_safe(out, value);
}

static void
text_time(struct ht_buf *out, const char *name, uint64_t us)
{
	char text[HT_TIME_SIZE];

	if (us == 0)
		return;
	ht_time_text(text, us);
	ht_buf_fmt(out, " %s=%s", name, text);
}

static void
text_number(struct ht_buf *out, const char *name, uint64_t n)
{
	if (n > 0)
		ht_buf_fmt(out, " %s=%llu", name, (unsigned long long)n);
}

static void
text_id(struct ht_buf *out, const char *name, const uint8_t *at)
{
	char hex[2 * HT_ID_SIZE + 1];

	ht_hex(hex, at, HT_ID_SIZE);
	ht_buf_fmt(out, " %s=%s", name, hex);
}

static const char *
verb(const struct ht_query *q)
{
	switch (q->mode) {
	case HT_QUERY_READ:
		return "read";
	case HT_QUERY_FOLLOW:
		return "follow";
	case HT_QUERY_LIST:
		return "list";
	case HT_QUERY_WITNESSES:
		return "witnesses";
	default:
		return q->evidence ? "show" : "search";
	}
}

static void
write_text(const struct ht_query *q, bool for_log, struct ht_buf *out)
{
	const struct ht_filter *f = &q->filter;

	ht_buf_str(out, verb(q));
	if (q->has_seq)
		ht_buf_fmt(out, " seq=%llu", (unsigned long long)q->seq);
	if (f->has_exchange)
		text_id(out, "exchange", f->exchange.at);
	text_time(out, "from", f->from_us);
	text_time(out, "to", f->to_us);
	text_name(out, "member", f->member);
	text_name(out, "peer", f->peer);
	text_name(out, "item", f->item);
	text_name(out, "purpose", f->purpose);
	if (f->operation >= 0)
		ht_buf_fmt(out, " operation=%s",
		    ht_operation_text((unsigned)f->operation));
	if (f->status == -2)
		ht_buf_str(out, " status=refused");
	else if (f->status >= 0)
		ht_buf_fmt(
		    out, " status=%s", ht_status_name((unsigned)f->status));
	if (f->type > 0)
		ht_buf_fmt(
		    out, " type=%s", ht_entry_type_text((unsigned)f->type));
	if (f->has_subject && for_log)
		ht_buf_str(out, " subject=…");
	else if (f->has_subject)
		text_id(out, "subject", f->subject.at);
	if (!f->has_subject || !for_log)
		text_number(out, "start", f->start_seq);
	text_number(out, "size", f->size);
	text_number(out, "limit", f->limit);
	text_number(out, "last", q->last);
}

void
ht_query_text(const struct ht_query *q, struct ht_buf *out)
{
	write_text(q, false, out);
}

void
ht_query_trace(const struct ht_query *q, struct ht_buf *out)
{
	write_text(q, true, out);
}
