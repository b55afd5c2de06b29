/*
 * entry.c -- the leaf, version 1 (docs/log-format.md, "Leaf").
 *
 * A leaf is valid when every field is in its range, every length fits, the
 * payload is of the kind its type asks for, and nothing follows it.
 */
#include "broker/log/log.h"

#include "lib/base/text.h"

#define LEAF_VERSION 1
/* First bytes of the two kinds of payload: a header, or a map of ours. */
#define FIX_HEADER 0x92
#define FIX_MAP    0x80
#define FIX_MAP_OF 0xf0

static const char *const type_texts[] = {
    [HT_ENTRY_REQUEST] = "REQUEST",
    [HT_ENTRY_RESPONSE] = "RESPONSE",
    [HT_ENTRY_PUSH] = "PUSH",
    [HT_ENTRY_EVENT] = "EVENT",
    [HT_ENTRY_RECEIPT] = "RECEIPT",
    [HT_ENTRY_REJECT] = "REJECT",
    [HT_ENTRY_EXPIRED] = "EXPIRED",
    [HT_ENTRY_LATE] = "LATE",
    [HT_ENTRY_CONFLICT] = "CONFLICT",
    [HT_ENTRY_ADMIN] = "ADMIN",
    [HT_ENTRY_SNAPSHOT] = "SNAPSHOT",
    [HT_ENTRY_AUDIT_QUERY] = "AUDIT_QUERY",
    [HT_ENTRY_ERASE] = "ERASE",
    [HT_ENTRY_DISCLOSE] = "DISCLOSE",
    [HT_ENTRY_START] = "START",
    [HT_ENTRY_STOP] = "STOP",
    [HT_ENTRY_ROLLBACK_SEEN] = "ROLLBACK_SEEN",
    [HT_ENTRY_INDEX_ROOT] = "INDEX_ROOT",
    [HT_ENTRY_REFUSALS] = "REFUSALS",
    [HT_ENTRY_VOLUME] = "VOLUME",
    [HT_ENTRY_REMOVED] = "REMOVED",
};

const char *
ht_entry_type_text(unsigned type)
{
	if (type == 0 || type >= HT_COUNT(type_texts))
		return "unknown type";
	return type_texts[type];
}

int
ht_entry_type_parse(struct ht_slice text)
{
	for (unsigned i = 1; i < HT_COUNT(type_texts); i++)
		if (ht_slice_is(text, type_texts[i]))
			return (int)i;
	return -1;
}

/* Every header in the log stands under a bundle's signature. */
bool
ht_entry_has_header(const struct ht_entry *e)
{
	switch (e->type) {
	case HT_ENTRY_REQUEST:
	case HT_ENTRY_RESPONSE:
	case HT_ENTRY_PUSH:
	case HT_ENTRY_EVENT:
	case HT_ENTRY_RECEIPT:
	case HT_ENTRY_LATE:
	case HT_ENTRY_CONFLICT:
		return true;
	case HT_ENTRY_REJECT:
		return e->bundle_count > 0;
	default:
		return false;
	}
}

static bool
bundle_ok(const struct ht_entry *e)
{
	if (!ht_entry_has_header(e))
		return e->bundle_seq == 0 && e->bundle_index == 0 &&
		       e->bundle_count == 0;
	return e->bundle_count <= HT_BUNDLE_MAX &&
	       e->bundle_index < e->bundle_count && e->bundle_seq <= e->seq;
}

static bool
vault_ok(const struct ht_entry *e)
{
	if (e->tag_len == 0 && e->body_len == 0)
		return e->segment == 0 && e->offset == 0;
	return ht_entry_has_header(e) && e->tag_len <= HT_TAG_MAX &&
	       e->body_len <= HT_BODY_MAX;
}

static bool
payload_ok(const struct ht_entry *e)
{
	if (e->payload.len == 0 || e->payload.len > HT_LEAF_MAX)
		return false;
	if (ht_entry_has_header(e))
		return e->payload.at[0] == FIX_HEADER &&
		       e->payload.len <= HT_HEADER_MAX;
	return (e->payload.at[0] & FIX_MAP_OF) == FIX_MAP;
}

static bool
identity_ok(const struct ht_entry *e)
{
	if (e->member.len == 0)
		return e->node.len == 0;
	return ht_name_valid(e->member) && e->member.len <= HT_NAME_MAX &&
	       (e->node.len == 0 ||
	           (ht_name_part(e->node) && e->node.len <= HT_NODE_MAX));
}

static bool
entry_ok(const struct ht_entry *e)
{
	return e->type > 0 && e->type < HT_COUNT(type_texts) &&
	       e->status <= UINT16_MAX && e->grant.len <= HT_GRANT_MAX &&
	       e->cites <= e->seq && bundle_ok(e) && vault_ok(e) &&
	       identity_ok(e) && payload_ok(e);
}

static void
put8(struct ht_buf *out, struct ht_slice s)
{
	ht_buf_u8(out, (uint8_t)s.len);
	ht_buf_add(out, s.at, s.len);
}

enum ht_err
ht_entry_encode(const struct ht_entry *e, struct ht_buf *out)
{
	size_t start = out->len;

	if (!entry_ok(e))
		return HT_EINVALID;
	ht_buf_u8(out, LEAF_VERSION);
	ht_buf_u8(out, (uint8_t)e->type);
	ht_buf_u64(out, e->seq);
	ht_buf_u64(out, e->time_us);
	ht_buf_add(out, e->snapshot.at, sizeof(e->snapshot.at));
	ht_buf_u16(out, (uint16_t)e->status);
	put8(out, e->grant);
	ht_buf_u64(out, e->bundle_seq);
	ht_buf_u16(out, e->bundle_index);
	ht_buf_u16(out, e->bundle_count);
	put8(out, e->member);
	put8(out, e->node);
	ht_buf_u64(out, e->cites);
	ht_buf_u32(out, e->segment);
	ht_buf_u64(out, e->offset);
	ht_buf_u32(out, e->tag_len);
	ht_buf_u32(out, e->body_len);
	ht_buf_u16(out, (uint16_t)e->payload.len);
	ht_buf_add(out, e->payload.at, e->payload.len);
	if (out->err == HT_OK && out->len - start > HT_LEAF_MAX)
		return HT_ETOOBIG;
	return out->err;
}

enum ht_err
ht_entry_decode(struct ht_slice leaf, struct ht_entry *ret)
{
	struct ht_cur cur = ht_cur(leaf);
	struct ht_entry e = {0};
	enum ht_err err;

	if (leaf.len > HT_LEAF_MAX)
		return HT_ETOOBIG;
	if (ht_cur_u8(&cur) != LEAF_VERSION)
		return HT_EMALFORMED;
	e.type = ht_cur_u8(&cur);
	e.seq = ht_cur_u64(&cur);
	e.time_us = ht_cur_u64(&cur);
	ht_cur_copy(&cur, e.snapshot.at, sizeof(e.snapshot.at));
	e.status = ht_cur_u16(&cur);
	e.grant = ht_cur_str8(&cur);
	e.bundle_seq = ht_cur_u64(&cur);
	e.bundle_index = ht_cur_u16(&cur);
	e.bundle_count = ht_cur_u16(&cur);
	e.member = ht_cur_str8(&cur);
	e.node = ht_cur_str8(&cur);
	e.cites = ht_cur_u64(&cur);
	e.segment = ht_cur_u32(&cur);
	e.offset = ht_cur_u64(&cur);
	e.tag_len = ht_cur_u32(&cur);
	e.body_len = ht_cur_u32(&cur);
	e.payload = ht_cur_bytes16(&cur);
	err = ht_cur_end(&cur);
	if (err != HT_OK)
		return err;
	if (!entry_ok(&e))
		return HT_EMALFORMED;
	*ret = e;
	return HT_OK;
}
