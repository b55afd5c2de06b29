/*
 * disclose.c -- looks that their subjects may know of from now on: by an order
 * of the officers, brought by the operator; or since their time is over, which
 * the indexer's thread says.
 */
#include "broker/log/disclose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core_in.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define DUE_EVERY_MS 60000 /* between looks at what is due */
/* An entry of an item at most so often: it has a count, and no hurry. */
#define DUE_GAP_US UINT64_C(3600000000)

/* ---- by order ---- */

enum ht_err
disclose_take(struct core *core, struct ht_slice note, struct ht_report *report,
    uint64_t *ret_entry, size_t *ret_count)
{
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(HT_LEAF_MAX);
	HT_AUTO(ht_doc_unref) struct ht_doc *order = NULL;
	char by[HT_ERASE_BY_MAX + 1];
	enum ht_err err =
	    order_check(core, note, HT_DOC_DISCLOSE, report, &order, by);

	if (err == HT_OK)
		err =
		    ht_disclose_payload(core->log, order, by, report, &payload);
	if (err == HT_OK)
		err = ht_committer_entry(core->committer, HT_ENTRY_DISCLOSE,
		    ht_buf_slice(&payload), ret_entry);
	if (err != HT_OK)
		return err;
	*ret_count = order->erase->n;
	ht_log(HT_INFO, "broker: disclosed %zu looks, entry %llu", *ret_count,
	    (unsigned long long)*ret_entry);
	return HT_OK;
}

/* ---- by time ---- */

void
disclose_fini(struct discloser *d)
{
	free(d->at);
}

/* Its place in the list; added if it is new.  NULL: no memory. */
static struct disclosed *
find(struct discloser *d, struct ht_slice item)
{
	for (size_t i = 0; i < d->n; i++)
		if (ht_slice_is(item, d->at[i].item))
			return &d->at[i];
	if (d->n == d->cap) {
		size_t cap = d->cap == 0 ? 16 : 2 * d->cap;
		struct disclosed *at = realloc(d->at, cap * sizeof(*at));

		if (at == NULL)
			return NULL;
		d->at = at;
		d->cap = cap;
	}
	d->at[d->n] = (struct disclosed){.to_us = 0};
	(void)snprintf(d->at[d->n].item, sizeof(d->at[d->n].item), "%.*s",
	    (int)item.len, (const char *)item.at);
	return &d->at[d->n++];
}

/* What was said before this broker started. */
static enum ht_err
load_one(void *arg, const struct ht_entry *e)
{
	struct discloser *d = arg;
	struct ht_disclose_said said;
	struct disclosed *at;

	if (ht_disclose_said_decode(e->payload, &said) != HT_OK)
		return HT_EINTEGRITY;
	if (said.ordered)
		return HT_OK;
	at = find(d, said.item);
	if (at == NULL)
		return HT_ENOMEM;
	if (said.to_us > at->to_us)
		at->to_us = said.to_us;
	return HT_OK;
}

static enum ht_err
load(struct core *core)
{
	struct ht_filter filter = HT_FILTER_ALL;
	uint64_t scanned;
	enum ht_err err;

	if (core->discloser.loaded)
		return HT_OK;
	filter.type = HT_ENTRY_DISCLOSE;
	err = ht_index_search(
	    core->index, &filter, load_one, &core->discloser, &scanned);
	core->discloser.loaded = err == HT_OK;
	return err;
}

struct counting {
	uint32_t version;
	uint64_t n;
	struct ht_header header;
};

static enum ht_err
count_one(void *arg, const struct ht_entry *e)
{
	struct counting *c = arg;

	if ((e->type != HT_ENTRY_REQUEST && e->type != HT_ENTRY_PUSH) ||
	    e->tag_len == 0)
		return HT_OK;
	if (ht_header_decode(e->payload, &c->header, NULL, NULL) != HT_OK)
		return HT_EINTEGRITY;
	c->n += c->header.item_version == c->version;
	return HT_OK;
}

static enum ht_err
say_due(struct core *core, const char *item, uint64_t to_us, uint64_t count)
{
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(HT_LEAF_MAX);
	struct ht_disclose_said said = {
	    .item = ht_slice_str(item), .to_us = to_us, .count = count};
	enum ht_err err = ht_disclose_said_encode(&said, &payload);

	return err == HT_OK
	           ? ht_committer_entry(core->committer, HT_ENTRY_DISCLOSE,
	                 ht_buf_slice(&payload), NULL)
	           : err;
}

/* Looks by an item that were hidden until now: how many there are. */
static enum ht_err
look_at(struct core *core, const struct ht_item *item, uint64_t now_us)
{
	struct ht_filter filter = HT_FILTER_ALL;
	struct counting c = {.version = item->version};
	char name[HT_DISCLOSE_ITEM_MAX + 1];
	struct disclosed *last;
	uint64_t scanned;
	enum ht_err err;

	(void)snprintf(name, sizeof(name), "%s@%u", item->name, item->version);
	last = find(&core->discloser, ht_slice_str(name));
	if (last == NULL)
		return HT_ENOMEM;
	if (now_us < item->notify_ms * 1000)
		return HT_OK;
	filter.item = ht_slice_str(item->name);
	filter.from_us = last->to_us;
	filter.to_us = now_us - item->notify_ms * 1000;
	if (filter.to_us < filter.from_us + DUE_GAP_US)
		return HT_OK;
	err = ht_index_search(core->index, &filter, count_one, &c, &scanned);
	if (err == HT_OK && c.n > 0)
		err = say_due(core, name, filter.to_us, c.n);
	if (err == HT_OK)
		last->to_us = filter.to_us;
	return err;
}

enum ht_err
disclose_due(struct core *core)
{
	struct discloser *d = &core->discloser;
	uint64_t now_ms = ht_clock_mono_ms();
	struct ht_trust *trust;
	enum ht_err err;

	if (now_ms < d->next_ms)
		return HT_OK;
	d->next_ms = now_ms + DUE_EVERY_MS;
	trust = ht_box_get(&core->box, NULL);
	err = load(core);
	for (size_t i = 0; err == HT_OK && ht_trust_item_at(trust, i) != NULL;
	     i++) {
		const struct ht_item *item = ht_trust_item_at(trust, i);

		if (item->notify == HT_NOTIFY_DELAYED)
			err = look_at(core, item, ht_clock_wall_us());
	}
	ht_trust_unref(&trust);
	return err;
}
