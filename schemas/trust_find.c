/*
 * trust_find.c -- asking a trust: constant time by name, or walks.
 */
#include <stdio.h>
#include <string.h>

#include "schemas/trust_in.h"

/* ---- indexes ---- */

enum ht_err
ht_index_put(struct ht_map *map, struct ht_slice key, size_t i)
{
	return ht_map_put(map, key, (void *)(uintptr_t)(i + 1), NULL);
}

bool
ht_index_get(const struct ht_map *map, struct ht_slice key, size_t *ret)
{
	uintptr_t value = (uintptr_t)ht_map_get(map, key);

	if (value == 0)
		return false;
	*ret = value - 1;
	return true;
}

struct ht_slice
ht_item_key(
    struct ht_slice name, uint32_t version, uint8_t out[static HT_ITEM_KEY_MAX])
{
	if (name.len == 0 || name.len > HT_NAME_MAX)
		return HT_SLICE(out, 0);
	memcpy(out, name.at, name.len);
	ht_be32(out + name.len, version);
	return HT_SLICE(out, name.len + 4);
}

int
ht_doc_order(
    const char *kind_a, const char *a, const char *kind_b, const char *b)
{
	int order = kind_a == kind_b ? 0 : strcmp(kind_a, kind_b);

	return order != 0 ? order : strcmp(a, b);
}

bool
ht_base_find(
    const struct ht_base *base, const char *kind, const char *name, size_t *ret)
{
	size_t low = 0, high = base->n_docs;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct ht_doc *doc = base->docs[mid];
		int order = ht_doc_order(
		    ht_doc_kind_text(doc->kind), doc->name, kind, name);

		if (order == 0) {
			*ret = mid;
			return true;
		}
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*ret = low;
	return false;
}

struct ht_slice
ht_base_line(const struct ht_base *base, size_t i)
{
	return HT_SLICE(base->list.at + base->starts[i],
	    base->starts[i + 1] - base->starts[i] - 1);
}

/* ---- the trust itself ---- */

const struct ht_root *
ht_trust_root(const struct ht_trust *trust)
{
	return &trust->base->root;
}

uint64_t
ht_trust_version(const struct ht_trust *trust)
{
	return trust->base->snapshot->revision;
}

struct ht_hash
ht_trust_hash(const struct ht_trust *trust)
{
	return trust->base->snapshot->hash;
}

struct ht_trust_work
ht_trust_work(const struct ht_trust *trust)
{
	return trust->base->work;
}

uint64_t
ht_trust_until_ms(const struct ht_trust *trust)
{
	return trust->current == NULL ? 0 : trust->current->current->until_ms;
}

uint64_t
ht_trust_issued_ms(const struct ht_trust *trust)
{
	return trust->current == NULL ? 0 : trust->current->current->issued_ms;
}

struct ht_hash
ht_trust_current_hash(const struct ht_trust *trust)
{
	static const struct ht_hash none;

	return trust->current == NULL ? none : trust->current->hash;
}

size_t
ht_trust_n_docs(const struct ht_trust *trust)
{
	return trust->base->n_docs + 2;
}

struct ht_slice
ht_trust_doc(const struct ht_trust *trust, size_t i)
{
	if (i == 0)
		return trust->base->snapshot->bytes;
	if (i == 1)
		return ht_buf_slice(&trust->base->list);
	if (i - 2 < trust->base->n_docs)
		return trust->base->docs[i - 2]->bytes;
	return HT_SLICE(NULL, 0);
}

struct ht_slice
ht_trust_current(const struct ht_trust *trust)
{
	return trust->current == NULL ? HT_SLICE(NULL, 0)
	                              : trust->current->bytes;
}

struct ht_slice
ht_trust_find_doc(
    const struct ht_trust *trust, const char *kind, struct ht_slice name)
{
	char text[HT_DOC_NAME_MAX + 1];
	size_t i;

	if (name.len > HT_DOC_NAME_MAX)
		return HT_SLICE(NULL, 0);
	(void)snprintf(
	    text, sizeof(text), "%.*s", (int)name.len, (const char *)name.at);
	if (!ht_base_find(trust->base, kind, text, &i))
		return HT_SLICE(NULL, 0);
	return trust->base->docs[i]->bytes;
}

/* ---- members ---- */

const struct ht_member *
ht_trust_member(const struct ht_trust *trust, struct ht_slice name)
{
	size_t i;

	return ht_index_get(trust->base->ground->by_member, name, &i)
	           ? trust->members[i]
	           : NULL;
}

const struct ht_member *
ht_trust_member_at(const struct ht_trust *t, size_t i)
{
	return i < t->base->ground->n_members ? t->members[i] : NULL;
}

const struct ht_node_entry *
ht_member_node(const struct ht_member *member, struct ht_slice node)
{
	for (unsigned i = 0; i < member->n_nodes; i++)
		if (ht_slice_is(node, member->nodes[i].name))
			return &member->nodes[i];
	return NULL;
}

bool
ht_trust_by_transport(const struct ht_trust *trust, const struct ht_pub *pub,
    const struct ht_member **ret_member, const struct ht_node_entry **ret_node,
    const struct ht_keyinfo **ret_key)
{
	const struct ht_holder *holder;
	const struct ht_member *member;
	size_t i;

	if (!ht_index_get(trust->base->ground->by_transport,
	        HT_SLICE(pub->at, sizeof(pub->at)), &i))
		return false;
	holder = &trust->base->ground->holders[i];
	member = trust->members[holder->member];
	*ret_member = member;
	*ret_node = &member->nodes[holder->node];
	*ret_key = &(*ret_node)->transport[holder->key];
	return true;
}

enum ht_key_state
ht_keyinfo_state(const struct ht_keyinfo *key, uint64_t now_ms)
{
	if (key->revoked && now_ms >= key->revoked_ms)
		return HT_KEY_REVOKED;
	if (now_ms < key->from_ms)
		return HT_KEY_EARLY;
	return now_ms < key->until_ms ? HT_KEY_OK : HT_KEY_OVER;
}

const struct ht_keyinfo *
ht_member_seal_key(const struct ht_member *member, uint64_t now_ms)
{
	const struct ht_keyinfo *best = NULL;

	for (unsigned i = 0; i < member->n_sealing; i++) {
		const struct ht_keyinfo *key = &member->sealing[i];

		if (ht_keyinfo_state(key, now_ms) != HT_KEY_OK)
			continue;
		if (best == NULL || key->from_ms >= best->from_ms)
			best = key;
	}
	return best;
}

/* ---- items ---- */

const struct ht_item *
ht_trust_item(
    const struct ht_trust *trust, struct ht_slice name, uint32_t version)
{
	uint8_t room[HT_ITEM_KEY_MAX];
	size_t i;

	return ht_index_get(trust->base->ground->by_item,
	           ht_item_key(name, version, room), &i)
	           ? trust->base->ground->items[i]->item
	           : NULL;
}

const struct ht_item *
ht_trust_item_newest(const struct ht_trust *trust, struct ht_slice name)
{
	size_t i;

	return ht_index_get(trust->base->ground->by_newest, name, &i)
	           ? trust->base->ground->items[i]->item
	           : NULL;
}

const struct ht_item *
ht_trust_item_at(const struct ht_trust *t, size_t i)
{
	return i < t->base->ground->n_items ? t->base->ground->items[i]->item
	                                    : NULL;
}

uint64_t
ht_trust_retention_ms(const struct ht_trust *trust, struct ht_slice name)
{
	uint64_t longest_ms = 0;
	const struct ht_item *item;

	for (size_t i = 0;
	     trust != NULL && (item = ht_trust_item_at(trust, i)) != NULL; i++)
		if (ht_slice_is(name, item->name) &&
		    item->retention_ms > longest_ms)
			longest_ms = item->retention_ms;
	return longest_ms > 0 ? longest_ms : HT_RETENTION_MS;
}

/* ---- grants ---- */

const struct ht_grant *
ht_trust_grant(const struct ht_trust *trust, struct ht_slice name)
{
	size_t low = 0, high = trust->base->n_grants;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct ht_grant *grant = trust->grants[mid];
		int order = ht_slice_cmp(ht_slice_str(grant->name), name);

		if (order == 0)
			return grant;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct ht_grant *
ht_trust_grant_at(const struct ht_trust *t, size_t i)
{
	return i < t->base->n_grants ? t->grants[i] : NULL;
}

static int
whose(const struct ht_grant *grant, struct ht_slice consumer,
    struct ht_slice item)
{
	int order = ht_slice_cmp(ht_slice_str(grant->consumer), consumer);

	return order != 0 ? order
	                  : ht_slice_cmp(ht_slice_str(grant->item), item);
}

const struct ht_grant *const *
ht_trust_grants_of(const struct ht_trust *trust, struct ht_slice consumer,
    struct ht_slice item, size_t *ret_n)
{
	size_t n = trust->base->n_grants, low = 0, high = n, end;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (whose(trust->by_consumer[mid], consumer, item) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	end = low;
	while (end < n && whose(trust->by_consumer[end], consumer, item) == 0)
		end++;
	*ret_n = end - low;
	return trust->by_consumer + low;
}

/* ---- epochs ---- */

/* A handful: they are of months, and old ones leave. */
const struct ht_epoch_entry *
ht_trust_epoch(const struct ht_trust *trust, uint64_t now_ms)
{
	for (size_t i = 0; i < trust->base->ground->n_epochs; i++) {
		const struct ht_epoch_entry *epoch =
		    trust->base->ground->epochs[i]->epoch;

		if (now_ms >= epoch->from_ms && now_ms < epoch->until_ms)
			return epoch;
	}
	return NULL;
}

const struct ht_epoch_entry *
ht_trust_epoch_last(const struct ht_trust *trust)
{
	const struct ht_epoch_entry *last = NULL;

	for (size_t i = 0; i < trust->base->ground->n_epochs; i++) {
		const struct ht_epoch_entry *epoch =
		    trust->base->ground->epochs[i]->epoch;

		if (last == NULL || epoch->until_ms > last->until_ms)
			last = epoch;
	}
	return last;
}

const struct ht_epoch_entry *
ht_trust_epoch_named(const struct ht_trust *trust, struct ht_slice name)
{
	size_t i;

	return ht_index_get(trust->base->ground->by_epoch, name, &i)
	           ? trust->base->ground->epochs[i]->epoch
	           : NULL;
}
