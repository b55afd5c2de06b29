/*
 * verify_records.c -- an entry of a member's record: its header, the request
 * that it answers or ends, and its tag and body.
 */
#include "broker/check/verify_in.h"

#include "broker/log/erase.h"

static unsigned
kind_of(unsigned type)
{
	switch (type) {
	case HT_ENTRY_REQUEST:
		return HT_KIND_REQUEST;
	case HT_ENTRY_RESPONSE:
	case HT_ENTRY_LATE:
		return HT_KIND_RESPONSE;
	case HT_ENTRY_PUSH:
		return HT_KIND_PUSH;
	case HT_ENTRY_EVENT:
		return HT_KIND_EVENT;
	case HT_ENTRY_RECEIPT:
		return HT_KIND_RECEIPT;
	default:
		return 0; /* any */
	}
}

enum ht_err
verify_header(struct verify *s, const struct ht_entry *e)
{
	const char *why = NULL;
	size_t at = 0;
	unsigned kind = kind_of(e->type);

	if (ht_header_decode(e->payload, &s->header, &at, &why) != HT_OK)
		return verify_bad(s, "its header is malformed at byte %zu: %s",
		    at, why != NULL ? why : "");
	if (kind != 0 && s->header.kind != kind)
		return verify_bad(
		    s, "its header is a %s", ht_kind_text(s->header.kind));
	/* What was refused or conflicts may claim another sender. */
	if (kind != 0 && (!ht_slice_eq(s->header.sender, e->member) ||
	                     !ht_slice_eq(s->header.node, e->node)))
		return verify_bad(
		    s, "its sender is not the node that was connected");
	return HT_OK;
}

/* The request an entry cites, into s->request; or it was removed. */
static enum ht_err
read_cited(struct verify *s, const struct ht_entry *e, bool *ret_gone)
{
	struct ht_slice value, leaf;
	struct ht_hash hash;
	struct ht_entry cited;

	*ret_gone = false;
	if (e->cites == 0)
		return verify_bad(s, "it cites no request");
	if (verify_cites_gone(s, e)) {
		*ret_gone = true;
		return HT_OK;
	}
	if (e->cites > s->seq)
		return verify_bad(s, "it cites entry %llu, which comes later",
		    (unsigned long long)e->cites - 1);
	if (ht_stored_at(s->log, s->txn, e->cites - 1, &s->cited, &value) !=
	        HT_OK ||
	    ht_stored_leaf(value, &leaf, &hash) != HT_OK ||
	    ht_entry_decode(leaf, &cited) != HT_OK ||
	    cited.type != HT_ENTRY_REQUEST ||
	    ht_header_decode(cited.payload, &s->request, NULL, NULL) != HT_OK)
		return verify_bad(s,
		    "entry %llu, which it cites, is no request",
		    (unsigned long long)e->cites - 1);
	return HT_OK;
}

enum ht_err
verify_cited(struct verify *s, const struct ht_entry *e)
{
	bool gone;

	return read_cited(s, e, &gone);
}

enum ht_err
verify_answer(struct verify *s, const struct ht_entry *e)
{
	const struct ht_header *h = &s->header, *q = &s->request;
	bool gone;
	enum ht_err err = read_cited(s, e, &gone);
	struct ht_hash hash;

	if (err != HT_OK || gone)
		return err;
	hash = ht_header_hash(q->raw);
	if (!h->has_reply_to)
		return verify_bad(s, "it answers nothing");
	if (!ht_hash_eq(&h->reply_to, &hash))
		return verify_bad_hash(
		    s, "the request it answers", &h->reply_to, &hash);
	if (!ht_id_eq(&h->exchange, &q->exchange) ||
	    !ht_slice_eq(h->sender, q->recipient) ||
	    !ht_slice_eq(h->recipient, q->sender) ||
	    !ht_slice_eq(h->item, q->item) ||
	    h->item_version != q->item_version)
		return verify_bad(s,
		    "it is of another exchange than the request it cites "
		    "(entry %llu)",
		    (unsigned long long)e->cites - 1);
	return HT_OK;
}

/* Each accepted request ends once. */
enum ht_err
verify_end(struct verify *s, const struct ht_entry *e)
{
	uint64_t request = e->cites - 1;
	uint8_t bit = (uint8_t)(1u << (request % 8));

	if (s->ended[request / 8] & bit)
		return verify_bad(s,
		    "the request at entry %llu had ended already",
		    (unsigned long long)request);
	s->ended[request / 8] |= bit;
	return HT_OK;
}

enum ht_err
verify_expired(struct verify *s, const struct ht_entry *e)
{
	struct ht_unpack u = ht_unpack(e->payload);
	struct ht_id record;
	struct ht_slice sender;
	bool gone;
	enum ht_err err = read_cited(s, e, &gone);

	if (err != HT_OK || gone)
		return err;
	ht_unpack_map(&u, 2);
	(void)ht_unpack_str(&u, 8);
	ht_unpack_fixed(&u, record.at, sizeof(record.at));
	(void)ht_unpack_str(&u, 8);
	sender = ht_unpack_str(&u, HT_NAME_MAX);
	if (!ht_id_eq(&record, &s->request.record) ||
	    !ht_slice_eq(sender, s->request.sender))
		return verify_bad(s, "it is not about the request it cites");
	return HT_OK;
}

/* ---- the vault ---- */

enum ht_err
verify_vault(struct verify *s, const struct ht_entry *e)
{
	struct ht_erased erased = {0};
	enum ht_err err;

	/* It would stand on no roll. */
	if (e->status == 0 && s->header.has_tag && e->tag_len == 0)
		return verify_bad(
		    s, "its header has a tag, which was never kept");
	if (e->tag_len == 0 && e->body_len == 0)
		return HT_OK;
	if (!ht_ranges_piece(&s->ranges, e->segment))
		return verify_bad(s,
		    "its tag or body is in vault segment %u, which is an "
		    "earlier volume's",
		    e->segment);
	if (s->v->no_vault) {
		s->v->unseen++;
		return HT_OK;
	}
	ht_buf_reset(&s->tag);
	ht_buf_reset(&s->body);
	err = ht_log_erased(s->log, e, &erased);
	if (err == HT_OK && erased.tag)
		err = verify_erased_part(s, erased.tag_by, "tag");
	if (err == HT_OK && erased.body)
		err = verify_erased_part(s, erased.body_by, "body");
	if (s->v->has_bad_seq)
		return err;
	verify_count_gone(s, &erased);
	if (err == HT_OK)
		err = ht_log_read_piece(s->log, e, &s->header,
		    erased.tag ? NULL : &s->tag, erased.body ? NULL : &s->body);
	if (err == HT_EINTEGRITY)
		return verify_bad(s,
		    "its tag or body in vault segment %u at byte %llu is not "
		    "the one of its header",
		    e->segment, (unsigned long long)e->offset);
	if (err == HT_OK)
		s->v->pieces++;
	return err;
}
