#include "broker/check/recount.h"

#include <stdlib.h>
#include <string.h>

#define NONE SIZE_MAX

void
ht_recount_fini(struct ht_recount *r)
{
	free(r->items);
	free(r->claims);
	*r = (struct ht_recount){0};
}

/* "catalog/CODE@version" */
static bool
parse_item(struct ht_slice text, struct ht_recount_item *ret)
{
	const uint8_t *at = memchr(text.at, '@', text.len);
	uint64_t version = 0;

	*ret = (struct ht_recount_item){.first = NONE, .last = NONE};
	if (at == NULL || text.len > HT_DISCLOSE_ITEM_MAX)
		return false;
	memcpy(ret->name, text.at, (size_t)(at - text.at));
	for (at++; at < text.at + text.len; at++) {
		if (*at < '0' || *at > '9' || version > UINT32_MAX / 10)
			return false;
		version = version * 10 + (unsigned)(*at - '0');
	}
	ret->version = (uint32_t)version;
	return version > 0 && version <= UINT32_MAX;
}

static enum ht_err
find_item(struct ht_recount *r, const struct ht_recount_item *like,
    struct ht_recount_item **ret)
{
	struct ht_recount_item *items;

	for (size_t i = 0; i < r->n_items; i++)
		if (r->items[i].version == like->version &&
		    strcmp(r->items[i].name, like->name) == 0) {
			*ret = &r->items[i];
			return HT_OK;
		}
	items = realloc(r->items, (r->n_items + 1) * sizeof(*items));
	if (items == NULL)
		return HT_ENOMEM;
	r->items = items;
	items[r->n_items] = *like;
	*ret = &items[r->n_items++];
	return HT_OK;
}

static enum ht_err
make_room(struct ht_recount *r)
{
	size_t cap = r->cap == 0 ? 64 : 2 * r->cap;
	struct ht_recount_claim *claims;

	if (r->n_claims < r->cap)
		return HT_OK;
	claims = realloc(r->claims, cap * sizeof(*claims));
	if (claims == NULL)
		return HT_ENOMEM;
	r->claims = claims;
	r->cap = cap;
	return HT_OK;
}

enum ht_err
ht_recount_add(
    struct ht_recount *r, uint64_t seq, const struct ht_disclose_said *said)
{
	struct ht_recount_item like, *item;
	size_t claim = r->n_claims;
	enum ht_err err;

	if (!parse_item(said->item, &like))
		return HT_EINVALID;
	err = find_item(r, &like, &item);
	if (err == HT_OK && item->last != NONE &&
	    said->to_us <= r->claims[item->last].to_us)
		err = HT_EINVALID;
	if (err == HT_OK)
		err = make_room(r);
	if (err != HT_OK)
		return err;
	r->claims[claim] = (struct ht_recount_claim){.seq = seq,
	    .to_us = said->to_us,
	    .said = said->count,
	    .next = NONE};
	if (item->last == NONE)
		item->first = claim;
	else
		r->claims[item->last].next = claim;
	if (item->last != NONE)
		r->claims[claim].from_us = r->claims[item->last].to_us;
	item->last = claim;
	r->n_claims++;
	return HT_OK;
}

/* Time does not go back, so no claim is looked at twice. */
static void
count_for(struct ht_recount *r, struct ht_recount_item *item, uint64_t us)
{
	while (item->at != NONE && us >= r->claims[item->at].to_us)
		item->at = r->claims[item->at].next;
	if (item->at != NONE)
		r->claims[item->at].found++;
}

struct counting {
	struct ht_recount *recount;
	struct ht_header header;
};

static enum ht_err
count_one(void *arg, uint64_t seq, struct ht_slice leaf)
{
	struct counting *c = arg;
	struct ht_recount *r = c->recount;
	const struct ht_header *h = &c->header;
	struct ht_entry e;

	(void)seq;
	if (ht_entry_decode(leaf, &e) != HT_OK)
		return HT_EINTEGRITY;
	if ((e.type != HT_ENTRY_REQUEST && e.type != HT_ENTRY_PUSH) ||
	    e.tag_len == 0)
		return HT_OK;
	if (ht_header_decode(e.payload, &c->header, NULL, NULL) != HT_OK)
		return HT_EINTEGRITY;
	for (size_t i = 0; i < r->n_items; i++)
		if (r->items[i].version == h->item_version &&
		    ht_slice_is(h->item, r->items[i].name))
			count_for(r, &r->items[i], e.time_us);
	return HT_OK;
}

enum ht_err
ht_recount_run(struct ht_recount *r, struct ht_log *log, uint64_t size)
{
	HT_AUTO(ht_mem_free) struct counting *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return HT_ENOMEM;
	c->recount = r;
	for (size_t i = 0; i < r->n_items; i++)
		r->items[i].at = r->items[i].first;
	for (size_t i = 0; i < r->n_claims; i++)
		r->claims[i].found = 0;
	return r->n_claims == 0
	           ? HT_OK
	           : ht_log_walk(log, ht_log_begin(log), size, count_one, c);
}

const struct ht_recount_claim *
ht_recount_wrong(const struct ht_recount *r)
{
	for (size_t i = 0; i < r->n_claims; i++) {
		const struct ht_recount_claim *claim = &r->claims[i];

		if (claim->found > claim->said ||
		    (claim->found < claim->said &&
		        claim->from_us >= r->since_us))
			return claim;
	}
	return NULL;
}
