#include "broker/log/disclose.h"

#include <string.h>

#include "lib/base/panic.h"

/* ---- the entry ---- */

enum ht_err
ht_disclose_said_encode(const struct ht_disclose_said *said, struct ht_buf *out)
{
	HT_ASSERT(said->n <= HT_DISCLOSE_ENTRIES);
	ht_pack_map(out, 7);
	ht_pack_cstr(out, "basis");
	ht_pack_str(out, said->basis);
	ht_pack_cstr(out, "by");
	ht_pack_str(out, said->by);
	ht_pack_cstr(out, "count");
	ht_pack_uint(out, said->count);
	ht_pack_cstr(out, "entries");
	ht_pack_array(out, (uint32_t)said->n);
	for (size_t i = 0; i < said->n; i++)
		ht_pack_uint(out, said->entries[i]);
	ht_pack_cstr(out, "item");
	ht_pack_str(out, said->item);
	ht_pack_cstr(out, "order");
	if (said->ordered)
		ht_pack_bin(out, said->order.at, HT_HASH_SIZE);
	else
		ht_pack_nil(out);
	ht_pack_cstr(out, "to");
	ht_pack_uint(out, said->to_us);
	return out->err;
}

static void
unpack_entries(struct ht_unpack *u, struct ht_disclose_said *said)
{
	said->n = ht_unpack_array(u, HT_DISCLOSE_ENTRIES);
	for (size_t i = 0; i < said->n && u->err == HT_OK; i++) {
		said->entries[i] = ht_unpack_uint(u, HT_TREE_MAX);
		if (i > 0)
			ht_unpack_demand(
			    u, said->entries[i] > said->entries[i - 1]);
	}
}

/* Either an order and its entries, or an item and a time. */
static bool
fits(const struct ht_disclose_said *s)
{
	if (s->ordered)
		return s->n > 0 && s->count == s->n && s->basis.len > 0 &&
		       s->item.len == 0 && s->to_us == 0;
	return s->n == 0 && s->count > 0 && s->by.len == 0 &&
	       s->basis.len == 0 && s->item.len > 0 && s->to_us > 0;
}

enum ht_err
ht_disclose_said_decode(struct ht_slice payload, struct ht_disclose_said *ret)
{
	struct ht_disclose_said s = {.ordered = false};
	struct ht_unpack u;

	if (ht_pack_check(payload, NULL, NULL) != HT_OK)
		return HT_EMALFORMED;
	u = ht_unpack(payload);
	ht_unpack_demand(&u, ht_unpack_map(&u, 7) == 7);
	ht_unpack_key(&u, "basis");
	s.basis = ht_unpack_str(&u, HT_ERASE_BASIS);
	ht_unpack_key(&u, "by");
	s.by = ht_unpack_str(&u, HT_LEAF_MAX);
	ht_unpack_key(&u, "count");
	s.count = ht_unpack_uint(&u, HT_TREE_MAX);
	ht_unpack_key(&u, "entries");
	unpack_entries(&u, &s);
	ht_unpack_key(&u, "item");
	s.item = ht_unpack_str(&u, HT_DISCLOSE_ITEM_MAX);
	ht_unpack_key(&u, "order");
	s.ordered = !ht_unpack_is_nil(&u);
	if (s.ordered)
		ht_unpack_fixed(&u, s.order.at, HT_HASH_SIZE);
	else
		ht_unpack_nil(&u);
	ht_unpack_key(&u, "to");
	s.to_us = ht_unpack_uint(&u, UINT64_MAX);
	if (ht_unpack_end(&u) != HT_OK || !fits(&s))
		return HT_EMALFORMED;
	*ret = s;
	return HT_OK;
}

/* ---- of an order ---- */

/* A look is a record that came through, and has a tag. */
static enum ht_err
check_look(struct ht_log *log, const struct ht_doc *order, uint64_t seq,
    struct ht_report *report)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e;
	enum ht_err err = ht_log_read(log, seq, &leaf);

	if (err == HT_OK)
		err = ht_entry_decode(ht_buf_slice(&leaf), &e);
	if (err != HT_OK && err != HT_ENOTFOUND && err != HT_EGONE)
		return err;
	if (err == HT_OK && ht_entry_has_header(&e) && e.tag_len > 0)
		return HT_OK;
	ht_report_add(report, order->where, "entry %llu %s",
	    (unsigned long long)seq,
	    err == HT_OK ? "is no look at anybody" : "is not there");
	return HT_EINVALID;
}

enum ht_err
ht_disclose_payload(struct ht_log *log, const struct ht_doc *order,
    const char *by, struct ht_report *report, struct ht_buf *out)
{
	const struct ht_erase_doc *doc = order->erase;
	struct ht_disclose_said said = {.ordered = true,
	    .order = order->hash,
	    .basis = ht_slice_str(doc->basis),
	    .by = ht_slice_str(by),
	    .n = doc->n,
	    .count = doc->n};
	enum ht_err err = HT_OK;

	HT_ASSERT(order->kind == HT_DOC_DISCLOSE);
	for (size_t i = 0; i < doc->n && err == HT_OK; i++) {
		said.entries[i] = doc->entries[i];
		err = check_look(log, order, doc->entries[i], report);
	}
	return err == HT_OK ? ht_disclose_said_encode(&said, out) : err;
}
