/*
 * trust_link.c -- the documents of a snapshot, indexed and held against one
 * another: what each names must be there, and no two may contradict.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "schemas/trust_in.h"

/* ---- indexing ---- */

static struct ht_doc ***
list_of(struct ht_base *base, enum ht_doc_kind kind, size_t **ret_n)
{
	switch (kind) {
	case HT_DOC_MEMBER:
		*ret_n = &base->n_members;
		return &base->members;
	case HT_DOC_ITEM:
		*ret_n = &base->n_items;
		return &base->items;
	case HT_DOC_GRANT:
		*ret_n = &base->n_grants;
		return &base->grants;
	case HT_DOC_EPOCH:
		*ret_n = &base->n_epochs;
		return &base->epochs;
	default:
		return NULL;
	}
}

static enum ht_err
make_lists(struct ht_base *base)
{
	struct ht_doc ***list;
	size_t *n;

	for (enum ht_doc_kind kind = 0; kind < HT_DOC_KINDS; kind++) {
		list = list_of(base, kind, &n);
		if (list == NULL)
			continue;
		*list = calloc(base->n_docs + 1, sizeof(**list));
		if (*list == NULL)
			return HT_ENOMEM;
	}
	/* What could not be read was said; the rest is still looked at. */
	for (size_t i = 0; i < base->n_docs; i++) {
		struct ht_doc *doc = base->docs[i];

		list = doc != NULL ? list_of(base, doc->kind, &n) : NULL;
		if (list != NULL)
			(*list)[(*n)++] = doc;
	}
	return HT_OK;
}

static enum ht_err
make_map(struct ht_map **ret, struct ht_doc *const *docs, size_t n)
{
	enum ht_err err = HT_OK;

	*ret = ht_map_new();
	if (*ret == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < n && err == HT_OK; i++)
		err = ht_index_put(*ret, ht_slice_str(docs[i]->name), i);
	return err;
}

static enum ht_err
map_docs(struct ht_base *base)
{
	uint8_t room[HT_DOC_KEY_MAX];
	enum ht_err err = HT_OK;

	base->by_doc = ht_map_new();
	if (base->by_doc == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < base->n_docs && err == HT_OK; i++)
		err = ht_index_put(base->by_doc,
		    ht_doc_key(ht_doc_kind_text(base->lines[i].kind),
		        ht_slice_str(base->lines[i].name), room),
		    i);
	return err;
}

static enum ht_err
map_items(struct ht_base *base)
{
	uint8_t room[HT_ITEM_KEY_MAX];
	enum ht_err err = HT_OK;
	size_t best;

	base->by_item = ht_map_new();
	base->by_newest = ht_map_new();
	if (base->by_item == NULL || base->by_newest == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < base->n_items && err == HT_OK; i++) {
		const struct ht_item *item = base->items[i]->item;
		struct ht_slice name = ht_slice_str(item->name);

		err = ht_index_put(
		    base->by_item, ht_item_key(name, item->version, room), i);
		if (err == HT_OK &&
		    (!ht_index_get(base->by_newest, name, &best) ||
		        base->items[best]->item->version < item->version))
			err = ht_index_put(base->by_newest, name, i);
	}
	return err;
}

enum ht_err
ht_base_index(struct ht_load *load)
{
	struct ht_base *base = load->base;
	enum ht_err err = make_lists(base);

	if (err == HT_OK)
		err = map_docs(base);
	if (err == HT_OK)
		err =
		    make_map(&base->by_member, base->members, base->n_members);
	if (err == HT_OK)
		err = make_map(&base->by_grant, base->grants, base->n_grants);
	if (err == HT_OK)
		err = make_map(&base->by_epoch, base->epochs, base->n_epochs);
	if (err == HT_OK)
		err = map_items(base);
	if (err != HT_OK)
		return err;
	if (base->n_members > HT_MEMBERS_MAX || base->n_items > HT_ITEMS_MAX ||
	    base->n_grants > HT_GRANTS_MAX) {
		ht_report_add(load->report, "snapshot.list",
		    "more than %d members, %d items or %d grants",
		    HT_MEMBERS_MAX, HT_ITEMS_MAX, HT_GRANTS_MAX);
		return HT_ETOOBIG;
	}
	return HT_OK;
}

/* ---- keys: each has one job and one owner ---- */

struct keys {
	struct ht_load *load;
	struct ht_map *owners; /* public key -> where it stands */
};

static enum ht_err
claim(struct keys *keys, const struct ht_pub *pub, const struct ht_doc *doc,
    const char *what)
{
	struct ht_slice key = HT_SLICE(pub->at, sizeof(pub->at));
	const struct ht_doc *other = ht_map_get(keys->owners, key);

	if (other != NULL) {
		ht_load_blame(keys->load, HT_EINVALID, doc->where,
		    "its %s key stands in %s as well; every key has one "
		    "purpose and one owner: make a new one",
		    what, other == doc ? "this document" : other->where);
		return HT_OK;
	}
	return ht_map_put(keys->owners, key, (void *)(uintptr_t)doc, NULL);
}

static enum ht_err
claim_infos(struct keys *keys, const struct ht_keyinfo *infos, unsigned n,
    const struct ht_doc *doc, const char *what)
{
	enum ht_err err = HT_OK;

	for (unsigned i = 0; i < n && err == HT_OK; i++)
		err = claim(keys, &infos[i].pub, doc, what);
	return err;
}

static enum ht_err
claim_vkeys(struct keys *keys, const struct ht_vkey *vkeys, unsigned n,
    const struct ht_doc *doc, const char *what)
{
	enum ht_err err = HT_OK;

	for (unsigned i = 0; i < n && err == HT_OK; i++)
		err = claim(keys, &vkeys[i].pub, doc, what);
	return err;
}

static enum ht_err
claim_member(struct keys *keys, const struct ht_doc *doc)
{
	const struct ht_member *member = doc->member;
	enum ht_err err = claim(keys, &member->identity, doc, "identity");

	if (err == HT_OK)
		err = claim_vkeys(keys, member->officers, member->n_officers,
		    doc, "officer's");
	if (err == HT_OK)
		err = claim_infos(
		    keys, member->sealing, member->n_sealing, doc, "sealing");
	for (unsigned i = 0; i < member->n_nodes && err == HT_OK; i++) {
		const struct ht_node_entry *node = &member->nodes[i];

		err = claim_infos(
		    keys, node->signing, node->n_signing, doc, "signing");
		if (err == HT_OK)
			err = claim_infos(keys, node->transport,
			    node->n_transport, doc, "transport");
	}
	return err;
}

static enum ht_err
claim_root(struct keys *keys, const struct ht_doc *doc)
{
	const struct ht_root *root = doc->root;
	enum ht_err err = claim_vkeys(
	    keys, root->officers, root->n_officers, doc, "officer's");

	if (err == HT_OK)
		err = claim_vkeys(
		    keys, root->auditors, root->n_auditors, doc, "auditor's");
	if (err == HT_OK)
		err = claim_vkeys(
		    keys, root->witnesses, root->n_witnesses, doc, "witness's");
	for (enum ht_role role = 0; role < HT_ROLES && err == HT_OK; role++)
		err = claim_vkeys(keys, root->admins[role],
		    root->n_admins[role], doc, "administrator's");
	if (err == HT_OK)
		err = claim_vkeys(keys, &root->snapshot, 1, doc, "snapshot");
	if (err == HT_OK)
		err = claim_vkeys(keys, &root->current, 1, doc, "current");
	if (err == HT_OK)
		err = claim_vkeys(keys, &root->log, 1, doc, "log");
	if (err == HT_OK)
		err = claim(keys, &root->broker_transport, doc, "transport");
	return err;
}

static enum ht_err
check_keys(struct ht_load *load)
{
	struct ht_base *base = load->base;
	struct keys keys = {load, ht_map_new()};
	enum ht_err err = keys.owners == NULL ? HT_ENOMEM : HT_OK;

	for (size_t i = 0; i < base->n_docs && err == HT_OK; i++) {
		const struct ht_doc *doc = base->docs[i];

		/* Officers stay in office from one root to the next. */
		if (doc == NULL || ht_list_past_root(&base->lines[i]))
			continue;
		if (doc->kind == HT_DOC_ROOT)
			err = claim_root(&keys, doc);
		else if (doc->kind == HT_DOC_MEMBER)
			err = claim_member(&keys, doc);
		else if (doc->kind == HT_DOC_EPOCH)
			err = claim(&keys, &doc->epoch->annex, doc, "annex");
	}
	ht_map_free(&keys.owners, NULL);
	return err;
}

static enum ht_err
hold_transports(struct ht_base *base, uint32_t m, size_t *at)
{
	const struct ht_member *member = base->members[m]->member;
	enum ht_err err = HT_OK;

	for (uint32_t n = 0; n < member->n_nodes; n++) {
		const struct ht_node_entry *node = &member->nodes[n];

		for (uint32_t k = 0; k < node->n_transport && err == HT_OK;
		     k++) {
			const struct ht_pub *pub = &node->transport[k].pub;

			base->holders[*at] = (struct ht_holder){m, n, k};
			err = ht_index_put(base->by_transport,
			    HT_SLICE(pub->at, sizeof(pub->at)), (*at)++);
		}
	}
	return err;
}

static enum ht_err
index_transports(struct ht_base *base)
{
	enum ht_err err = HT_OK;
	size_t n = 0, at = 0;

	for (size_t i = 0; i < base->n_members; i++)
		for (unsigned k = 0; k < base->members[i]->member->n_nodes; k++)
			n += base->members[i]->member->nodes[k].n_transport;
	base->holders = calloc(n + 1, sizeof(*base->holders));
	base->by_transport = ht_map_new();
	if (base->holders == NULL || base->by_transport == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < base->n_members && err == HT_OK; i++)
		err = hold_transports(base, (uint32_t)i, &at);
	base->n_holders = n;
	return err;
}

/* ---- what a document names must be there ---- */

static bool
has_member(const struct ht_base *base, const char *name)
{
	size_t i;

	return ht_index_get(base->by_member, ht_slice_str(name), &i);
}

static void
need_member(struct ht_load *load, const struct ht_doc *doc, const char *role,
    const char *name)
{
	if (!has_member(load->base, name))
		ht_load_blame(load, HT_EINVALID, doc->where,
		    "its %s %s has no entry in the directory; add the member "
		    "first, or look at the spelling",
		    role, name);
}

static void
need_catalog(struct ht_load *load, const struct ht_doc *doc)
{
	if (!ht_in_catalog(doc->name, load->base->root.catalog))
		ht_load_blame(load, HT_EINVALID, doc->where,
		    "%s is not of the catalog %s; its name must begin with "
		    "%s/",
		    doc->name, load->base->root.catalog,
		    load->base->root.catalog);
}

/* All of them, up to a level: from here on a list like any other. */
static void
link_level(const struct ht_item *item, struct ht_grant *linked)
{
	size_t len = 0;

	if (!linked->all_fields || !linked->has_level)
		return;
	linked->all_fields = false;
	for (size_t i = 0; i < ht_schema_fields(item->record); i++)
		if (ht_schema_field_level(item->record, i) <=
		    (int)linked->level)
			ht_released_set(linked->fields, &len, i);
}

static void
link_grant(
    struct ht_load *load, const struct ht_doc *doc, struct ht_grant *linked)
{
	const struct ht_base *base = load->base;
	uint8_t room[HT_ITEM_KEY_MAX];
	const struct ht_item *item;
	size_t i;

	*linked = doc->grant->grant;
	need_catalog(load, doc);
	need_member(load, doc, "provider", linked->provider);
	need_member(load, doc, "consumer", linked->consumer);
	if (!ht_index_get(base->by_item,
	        ht_item_key(ht_slice_str(linked->item), linked->version, room),
	        &i)) {
		ht_load_blame(load, HT_EINVALID, doc->where,
		    "it is for %s version %u, and there is no such item",
		    linked->item, linked->version);
		return;
	}
	item = base->items[i]->item;
	if (ht_grant_offered(doc->grant, item, doc->where, load->report,
	        linked->fields) != HT_OK)
		ht_load_fail(load, HT_EINVALID);
	link_level(item, linked);
}

static int
by_consumer(const void *a, const void *b, void *arg)
{
	const struct ht_grant *grants = arg;
	const uint32_t *i = a, *k = b;
	int order = strcmp(grants[*i].consumer, grants[*k].consumer);

	if (order == 0)
		order = strcmp(grants[*i].item, grants[*k].item);
	return order != 0 ? order : strcmp(grants[*i].name, grants[*k].name);
}

static enum ht_err
link_grants(struct ht_load *load)
{
	struct ht_base *base = load->base;

	base->linked = calloc(base->n_grants + 1, sizeof(*base->linked));
	base->by_consumer =
	    calloc(base->n_grants + 1, sizeof(*base->by_consumer));
	if (base->linked == NULL || base->by_consumer == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < base->n_grants; i++) {
		link_grant(load, base->grants[i], &base->linked[i]);
		base->by_consumer[i] = (uint32_t)i;
	}
	qsort_r(base->by_consumer, base->n_grants, sizeof(*base->by_consumer),
	    by_consumer, base->linked);
	return HT_OK;
}

/* ---- epochs: at every moment one at most ---- */

static void
check_epoch(struct ht_load *load, const struct ht_doc *doc)
{
	const struct ht_epoch_entry *epoch = doc->epoch;

	need_catalog(load, doc);
	for (unsigned i = 0; i < epoch->n_trackers; i++)
		for (unsigned k = 0; k < i; k++)
			if (ht_keyid_eq(&epoch->trackers[i].key,
			        &epoch->trackers[k].key) &&
			    strcmp(epoch->trackers[i].member,
			        epoch->trackers[k].member) == 0)
				ht_load_blame(load, HT_EINVALID, doc->where,
				    "the tracker key is sealed twice to one "
				    "key of %s",
				    epoch->trackers[i].member);
}

static int
by_start(const void *a, const void *b)
{
	const struct ht_doc *const *x = a, *const *y = b;

	return ((*x)->epoch->from_ms > (*y)->epoch->from_ms) -
	       ((*x)->epoch->from_ms < (*y)->epoch->from_ms);
}

static enum ht_err
check_epochs(struct ht_load *load)
{
	const struct ht_base *base = load->base;
	HT_AUTO(ht_mem_free)
	struct ht_doc **sorted = calloc(base->n_epochs + 1, sizeof(*sorted));

	if (sorted == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < base->n_epochs; i++) {
		check_epoch(load, base->epochs[i]);
		sorted[i] = base->epochs[i];
	}
	qsort(sorted, base->n_epochs, sizeof(*sorted), by_start);
	for (size_t i = 1; i < base->n_epochs; i++)
		if (sorted[i]->epoch->from_ms < sorted[i - 1]->epoch->until_ms)
			ht_load_blame(load, HT_EINVALID, sorted[i]->where,
			    "the epoch %s begins before %s has ended; let one "
			    "end where the next begins",
			    sorted[i]->name, sorted[i - 1]->name);
	return HT_OK;
}

enum ht_err
ht_base_link(struct ht_load *load)
{
	struct ht_base *base = load->base;
	enum ht_err err = check_keys(load);

	if (err == HT_OK)
		err = index_transports(base);
	for (size_t i = 0; i < base->n_items && err == HT_OK; i++) {
		need_catalog(load, base->items[i]);
		need_member(load, base->items[i], "provider",
		    base->items[i]->item->provider);
	}
	if (err == HT_OK)
		err = link_grants(load);
	if (err == HT_OK)
		err = check_epochs(load);
	return err;
}
