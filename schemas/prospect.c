/*
 * prospect.c -- nothing is decided here: a header is made up, and the one
 * decision looks at it.
 */
#include "schemas/prospect.h"

#include <string.h>

#define SHOW(slice) (int)(slice).len, (const char *)(slice).at
#define LIFE_MS     30000

/* Old and new versions are served side by side: the grant says which. */
static const struct ht_item *
item_of(const struct ht_trust *trust, const struct ht_prospect *p,
    const struct ht_grant *grant)
{
	if (p->version != 0)
		return ht_trust_item(trust, p->item, p->version);
	if (grant != NULL && ht_slice_is(p->item, grant->item))
		return ht_trust_item(trust, p->item, grant->version);
	return ht_trust_item_newest(trust, p->item);
}

/* Whatever is not known stays empty, and the decision says what is missing. */
static struct ht_header
header_of(const struct ht_trust *trust, const struct ht_prospect *p,
    const struct ht_item *item, const struct ht_grant *grant)
{
	struct ht_header h = {
	    .version = 1,
	    .suite = 1,
	    .kind = HT_KIND_REQUEST,
	    .sender = p->consumer,
	    /* Without an item there is nobody to address: as a node would. */
	    .recipient =
	        item != NULL ? ht_slice_str(item->provider) : p->consumer,
	    .item = p->item,
	    .item_version = item != NULL ? item->version : p->version,
	    .operation = p->operation,
	    .purpose = p->purpose,
	    .created_ms = p->now_ms,
	    .expires_ms = p->now_ms + LIFE_MS,
	};
	const struct ht_member *recipient = ht_trust_member(trust, h.recipient);
	const struct ht_keyinfo *key =
	    recipient != NULL ? ht_member_seal_key(recipient, p->now_ms) : NULL;

	if (key != NULL)
		h.seal_key = key->id;
	if (grant == NULL)
		return h;
	h.grant = ht_slice_str(grant->name);
	h.basis = ht_slice_str(grant->basis);
	if (p->purpose.len == 0 && grant->n_purposes > 0)
		h.purpose = ht_slice_str(grant->purposes[0]);
	return h;
}

static bool
said(const struct ht_reasons *reasons, const struct ht_reason *r)
{
	for (unsigned i = 0; i < reasons->n; i++)
		if (reasons->at[i].code == r->code &&
		    strcmp(reasons->at[i].detail, r->detail) == 0)
			return true;
	return false;
}

/* In the words of somebody who has not sent anything, each reason once. */
static void
reword(const struct ht_trust *trust, const struct ht_prospect *p,
    const struct ht_grant *grant, struct ht_verdict *v)
{
	struct ht_reasons all = v->reasons;

	v->reasons.n = 0;
	for (unsigned i = 0; i < all.n; i++) {
		if (all.at[i].code == HT_ST_NO_GRANT && grant == NULL)
			ht_reasons_add(&v->reasons, HT_ST_NO_GRANT,
			    "%.*s has no grant of %.*s in snapshot %llu",
			    SHOW(p->consumer), SHOW(p->item),
			    (unsigned long long)ht_trust_version(trust));
		else if (!said(&v->reasons, &all.at[i]))
			v->reasons.at[v->reasons.n++] = all.at[i];
	}
}

void
ht_prospect_judge(const struct ht_trust *trust, const struct ht_prospect *p,
    const struct ht_grant *grant, const struct ht_usage *usage,
    struct ht_verdict *ret)
{
	const struct ht_item *item = item_of(trust, p, grant);
	struct ht_header h = header_of(trust, p, item, grant);
	const struct ht_epoch_entry *epoch = ht_trust_epoch(trust, p->now_ms);
	struct ht_tag tag = {.epoch = HT_SLICE("", 0)};

	if (epoch != NULL)
		tag.epoch = ht_slice_str(epoch->name);
	ht_decide_request(trust, &h,
	    item != NULL && item->has_subject ? &tag : NULL, usage, p->now_ms,
	    ret);
	if (!ret->allow)
		reword(trust, p, grant, ret);
}

/* How often the grant says that it is for something else than is asked. */
static unsigned
n_beside(const struct ht_verdict *v)
{
	unsigned n = 0;

	for (unsigned i = 0; i < v->reasons.n; i++)
		switch (v->reasons.at[i].code) {
		case HT_ST_GRANT_OTHER:
		case HT_ST_GRANT_OPERATION:
		case HT_ST_PURPOSE:
		case HT_ST_BASIS:
			n++;
			break;
		default:
			break;
		}
	return n;
}

/*
 * What allows is better; then what was given for this, though it is suspended
 * or over: whoever used it asks for that one.  Then what lacks less, then what
 * is newer.
 */
static bool
is_better(const struct ht_verdict *a, const struct ht_verdict *b)
{
	if (a->allow != b->allow)
		return a->allow;
	if (n_beside(a) != n_beside(b))
		return n_beside(a) < n_beside(b);
	if (a->reasons.n != b->reasons.n)
		return a->reasons.n < b->reasons.n;
	return a->grant->version > b->grant->version;
}

const struct ht_grant *
ht_find_grant(const struct ht_trust *trust, const struct ht_prospect *p,
    struct ht_verdict *ret)
{
	const struct ht_grant *const *grants;
	struct ht_verdict try;
	size_t n;

	grants = ht_trust_grants_of(trust, p->consumer, p->item, &n);
	ht_prospect_judge(trust, p, n > 0 ? grants[0] : NULL, NULL, ret);
	for (size_t i = 1; i < n; i++) {
		ht_prospect_judge(trust, p, grants[i], NULL, &try);
		if (is_better(&try, ret))
			*ret = try;
	}
	return ret->grant;
}

const struct ht_item *
ht_find_item(const struct ht_trust *trust, const struct ht_prospect *p,
    struct ht_slice grant_name)
{
	const struct ht_grant *grant = NULL;
	struct ht_verdict verdict;

	if (grant_name.len > 0)
		grant = ht_trust_grant(trust, grant_name);
	else if (p->version == 0)
		grant = ht_find_grant(trust, p, &verdict);
	return item_of(trust, p, grant);
}
