/*
 * about.c -- whom and what an entry is about, and whether that is what was
 * asked for.
 */
#include <string.h>

#include "broker/index/index.h"

static void
about_header(struct ht_about *about, const struct ht_header *h)
{
	about->has_exchange = true;
	about->exchange = h->exchange;
	about->sender = h->sender;
	about->recipient = h->recipient;
	about->item = h->item;
	about->purpose = h->purpose;
	about->operation = h->operation;
}

enum ht_err
ht_about_cited(struct ht_slice leaf, struct ht_about *about)
{
	struct ht_header h;
	struct ht_entry e;

	if (ht_entry_decode(leaf, &e) != HT_OK || !ht_entry_has_header(&e) ||
	    ht_header_decode(e.payload, &h, NULL, NULL) != HT_OK)
		return HT_EINTEGRITY;
	about_header(about, &h);
	return HT_OK;
}

static enum ht_err
about_cited(struct ht_log *log, uint64_t seq, struct ht_about *about)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	enum ht_err err = ht_log_read(log, seq, &leaf);

	if (err != HT_OK)
		return err;
	memcpy(about->cited, leaf.at, leaf.len);
	return ht_about_cited(HT_SLICE(about->cited, leaf.len), about);
}

enum ht_err
ht_entry_about(
    struct ht_log *log, const struct ht_entry *e, struct ht_about *ret)
{
	enum ht_err err;

	ret->has_header = ht_entry_has_header(e);
	ret->has_exchange = false;
	ret->operation = 0;
	ret->sender = e->member;
	ret->recipient = ret->item = ret->purpose = HT_SLICE(NULL, 0);
	if (ret->has_header) {
		if (ht_header_decode(e->payload, &ret->header, NULL, NULL) !=
		    HT_OK)
			return HT_EINTEGRITY;
		about_header(ret, &ret->header);
		return HT_OK;
	}
	if (e->cites == 0 || log == NULL)
		return HT_OK;
	err = about_cited(log, e->cites - 1, ret);
	return err == HT_EGONE ? HT_OK : err;
}

bool
ht_entry_refused(const struct ht_entry *e, const struct ht_about *about)
{
	switch (e->type) {
	case HT_ENTRY_REJECT:
	case HT_ENTRY_CONFLICT:
	case HT_ENTRY_REFUSALS:
		return true;
	case HT_ENTRY_RESPONSE:
		return about->header.status == HT_ANSWER_REFUSED;
	default:
		return false;
	}
}

/* ---- what is asked for ---- */

static bool
one_of(const struct ht_about *a, const struct ht_entry *e, struct ht_slice name)
{
	return ht_slice_eq(a->sender, name) ||
	       ht_slice_eq(a->recipient, name) || ht_slice_eq(e->member, name);
}

static bool
members_match(const struct ht_filter *f, const struct ht_entry *e,
    const struct ht_about *a)
{
	struct ht_slice m = f->member, p = f->peer;

	if (m.len > 0 && !one_of(a, e, m))
		return false;
	if (p.len > 0 && !one_of(a, e, p))
		return false;
	/* Who deals with itself is its own peer, and nobody else is. */
	return m.len == 0 || p.len == 0 || !ht_slice_eq(m, p) ||
	       ht_slice_eq(a->sender, a->recipient);
}

bool
ht_filter_matches(const struct ht_filter *f, const struct ht_entry *e,
    const struct ht_about *a)
{
	return members_match(f, e, a) &&
	       (f->type == -1 || e->type == (unsigned)f->type) &&
	       (f->status < 0 || e->status == (unsigned)f->status) &&
	       (f->status != -2 || ht_entry_refused(e, a)) &&
	       (f->operation < 0 || a->operation == (unsigned)f->operation) &&
	       (f->item.len == 0 || ht_slice_eq(f->item, a->item)) &&
	       (f->purpose.len == 0 || ht_slice_eq(f->purpose, a->purpose)) &&
	       (!f->has_exchange ||
	           (a->has_exchange && ht_id_eq(&f->exchange, &a->exchange)));
}
