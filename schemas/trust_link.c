/*
 * trust_link.c -- the documents of a snapshot, indexed and held against one
 * another: what each names must be there, and no two may contradict.
 */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "schemas/trust_in.h"

/* ---- indexing ---- */

static struct ht_doc ***
list_of(struct ht_ground *ground, enum ht_doc_kind kind, size_t **ret_n)
{
	switch (kind) {
	case HT_DOC_MEMBER:
		*ret_n = &ground->n_members;
		return &ground->members;
	case HT_DOC_ITEM:
		*ret_n = &ground->n_items;
		return &ground->items;
	case HT_DOC_EPOCH:
		*ret_n = &ground->n_epochs;
		return &ground->epochs;
	default:
		return NULL;
	}
}

static size_t
count_kind(const struct ht_load *load, enum ht_doc_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < load->base->n_docs; i++)
		n += load->lines[i].kind == kind;
	return n;
}

static enum ht_err
make_lists(struct ht_load *load)
{
	struct ht_base *base = load->base;
	struct ht_doc ***list;
	size_t *n;

	for (enum ht_doc_kind kind = 0; kind < HT_DOC_KINDS; kind++) {
		list = list_of(base->ground, kind, &n);
		if (list == NULL)
			continue;
		*list = calloc(count_kind(load, kind) + 1, sizeof(**list));
		if (*list == NULL)
			return HT_ENOMEM;
	}
	/* What could not be read was said; the rest is still looked at. */
	for (size_t i = 0; i < base->n_docs; i++) {
		struct ht_doc *doc = base->docs[i];

		if (doc == NULL || doc->kind != load->lines[i].kind)
			continue;
		list = list_of(base->ground, doc->kind, &n);
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
map_items(struct ht_ground *ground)
{
	uint8_t room[HT_ITEM_KEY_MAX];
	enum ht_err err = HT_OK;
	size_t best;

	ground->by_item = ht_map_new();
	ground->by_newest = ht_map_new();
	if (ground->by_item == NULL || ground->by_newest == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < ground->n_items && err == HT_OK; i++) {
		const struct ht_item *item = ground->items[i]->item;
		struct ht_slice name = ht_slice_str(item->name);

		err = ht_index_put(
		    ground->by_item, ht_item_key(name, item->version, room), i);
		if (err == HT_OK &&
		    (!ht_index_get(ground->by_newest, name, &best) ||
		        ground->items[best]->item->version < item->version))
			err = ht_index_put(ground->by_newest, name, i);
	}
	return err;
}

/* The list is sorted by kind: they stand in one row, or the first would. */
static void
find_grants(struct ht_load *load)
{
	struct ht_base *base = load->base;
	const char *kind = ht_doc_kind_text(HT_DOC_GRANT);

	while (base->first_grant < base->n_docs &&
	       strcmp(ht_doc_kind_text(load->lines[base->first_grant].kind),
	           kind) < 0)
		base->first_grant++;
	base->n_grants = count_kind(load, HT_DOC_GRANT);
}

enum ht_err
ht_base_index(struct ht_load *load)
{
	struct ht_base *base = load->base;
	struct ht_ground *ground = calloc(1, sizeof(*ground));
	enum ht_err err;

	if (ground == NULL)
		return HT_ENOMEM;
	atomic_init(&ground->refs, 1);
	base->ground = ground;
	err = make_lists(load);
	if (err == HT_OK)
		err = make_map(
		    &ground->by_member, ground->members, ground->n_members);
	if (err == HT_OK)
		err = make_map(
		    &ground->by_epoch, ground->epochs, ground->n_epochs);
	if (err == HT_OK)
		err = map_items(ground);
	if (err != HT_OK)
		return err;
	find_grants(load);
	if (ground->n_members > HT_MEMBERS_MAX ||
	    ground->n_items > HT_ITEMS_MAX || base->n_grants > HT_GRANTS_MAX) {
		ht_report_add(load->report, "snapshot.list",
		    "more than %d members, %d items or %d grants",
		    HT_MEMBERS_MAX, HT_ITEMS_MAX, HT_GRANTS_MAX);
		return HT_ETOOBIG;
	}
	return HT_OK;
}

/* At a value of the document, see ht_doc_place(). */
static void blame_at(struct ht_load *load, const struct ht_doc *doc,
    const char *path, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void
blame_at(struct ht_load *load, const struct ht_doc *doc, const char *path,
    const char *fmt, ...)
{
	char text[1024], where[HT_WHERE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ht_doc_place(doc, load->report, where, "%s", path);
	ht_load_blame(load, HT_EINVALID, where, "%s", text);
}

/* ---- keys: each has one job and one owner ---- */

struct keys {
	struct ht_load *load;
	struct ht_map *owners; /* public key -> where it stands */
};

static enum ht_err
claim(struct keys *keys, const struct ht_pub *pub, const struct ht_doc *doc,
    const char *what, const char *path)
{
	struct ht_slice key = HT_SLICE(pub->at, sizeof(pub->at));
	const struct ht_doc *other = ht_map_get(keys->owners, key);

	if (other != NULL) {
		blame_at(keys->load, doc, path,
		    "its %s key stands in %s as well; every key has one "
		    "purpose and one owner: make a new one",
		    what, other == doc ? "this document" : other->where);
		return HT_OK;
	}
	return ht_map_put(keys->owners, key, (void *)(uintptr_t)doc, NULL);
}

static enum ht_err
claim_infos(struct keys *keys, const struct ht_keyinfo *infos, unsigned n,
    const struct ht_doc *doc, const char *what, const char *list)
{
	enum ht_err err = HT_OK;
	char path[64];

	for (unsigned i = 0; i < n && err == HT_OK; i++) {
		(void)snprintf(path, sizeof(path), "%s/%u", list, i);
		err = claim(keys, &infos[i].pub, doc, what, path);
	}
	return err;
}

static enum ht_err
claim_vkeys(struct keys *keys, const struct ht_vkey *vkeys, unsigned n,
    const struct ht_doc *doc, const char *what, const char *list)
{
	enum ht_err err = HT_OK;
	char path[64];

	for (unsigned i = 0; i < n && err == HT_OK; i++) {
		(void)snprintf(path, sizeof(path), "%s/%u", list, i);
		err = claim(keys, &vkeys[i].pub, doc, what, path);
	}
	return err;
}

static enum ht_err
claim_member(struct keys *keys, const struct ht_doc *doc)
{
	const struct ht_member *member = doc->member;
	enum ht_err err =
	    claim(keys, &member->identity, doc, "identity", "identity");

	if (err == HT_OK)
		err = claim_vkeys(keys, member->officers, member->n_officers,
		    doc, "officer's", "officers");
	if (err == HT_OK)
		err = claim_infos(keys, member->sealing, member->n_sealing, doc,
		    "sealing", "sealing");
	for (unsigned i = 0; i < member->n_nodes && err == HT_OK; i++) {
		const struct ht_node_entry *node = &member->nodes[i];
		char path[64];

		(void)snprintf(path, sizeof(path), "nodes/%u/signing", i);
		err = claim_infos(
		    keys, node->signing, node->n_signing, doc, "signing", path);
		(void)snprintf(path, sizeof(path), "nodes/%u/transport", i);
		if (err == HT_OK)
			err = claim_infos(keys, node->transport,
			    node->n_transport, doc, "transport", path);
	}
	return err;
}

static enum ht_err
claim_root(struct keys *keys, const struct ht_doc *doc)
{
	const struct ht_root *root = doc->root;
	enum ht_err err = claim_vkeys(keys, root->officers, root->n_officers,
	    doc, "officer's", "officers");

	if (err == HT_OK)
		err = claim_vkeys(keys, root->auditors, root->n_auditors, doc,
		    "auditor's", "auditors");
	if (err == HT_OK)
		err = claim_vkeys(keys, root->witnesses, root->n_witnesses, doc,
		    "witness's", "witnesses");
	for (enum ht_role role = 0; role < HT_ROLES && err == HT_OK; role++)
		err =
		    claim_vkeys(keys, root->admins[role], root->n_admins[role],
		        doc, "administrator's", "administrators");
	if (err == HT_OK)
		err = claim_vkeys(
		    keys, &root->snapshot, 1, doc, "snapshot", "snapshot");
	if (err == HT_OK)
		err = claim_vkeys(
		    keys, &root->current, 1, doc, "current", "current");
	if (err == HT_OK)
		err = claim_vkeys(keys, &root->log, 1, doc, "log", "log");
	if (err == HT_OK)
		err = claim(keys, &root->broker_transport, doc, "transport",
		    "broker/transport");
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
		if (doc == NULL || ht_list_past_root(&load->lines[i]))
			continue;
		if (doc->kind == HT_DOC_ROOT)
			err = claim_root(&keys, doc);
		else if (doc->kind == HT_DOC_MEMBER)
			err = claim_member(&keys, doc);
		else if (doc->kind == HT_DOC_EPOCH)
			err = claim(
			    &keys, &doc->epoch->annex, doc, "annex", "annex");
	}
	ht_map_free(&keys.owners, NULL);
	return err;
}

static enum ht_err
hold_transports(struct ht_ground *ground, uint32_t m, size_t *at)
{
	const struct ht_member *member = ground->members[m]->member;
	enum ht_err err = HT_OK;

	for (uint32_t n = 0; n < member->n_nodes; n++) {
		const struct ht_node_entry *node = &member->nodes[n];

		for (uint32_t k = 0; k < node->n_transport && err == HT_OK;
		     k++) {
			const struct ht_pub *pub = &node->transport[k].pub;

			ground->holders[*at] = (struct ht_holder){m, n, k};
			err = ht_index_put(ground->by_transport,
			    HT_SLICE(pub->at, sizeof(pub->at)), (*at)++);
		}
	}
	return err;
}

static enum ht_err
index_transports(struct ht_ground *ground)
{
	enum ht_err err = HT_OK;
	size_t n = 0, at = 0;

	for (size_t i = 0; i < ground->n_members; i++)
		for (unsigned k = 0; k < ground->members[i]->member->n_nodes;
		     k++)
			n += ground->members[i]->member->nodes[k].n_transport;
	ground->holders = calloc(n + 1, sizeof(*ground->holders));
	ground->by_transport = ht_map_new();
	if (ground->holders == NULL || ground->by_transport == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < ground->n_members && err == HT_OK; i++)
		err = hold_transports(ground, (uint32_t)i, &at);
	ground->n_holders = n;
	return err;
}

/* ---- what a document names must be there ---- */

static bool
has_member(const struct ht_base *base, const char *name)
{
	size_t i;

	return ht_index_get(base->ground->by_member, ht_slice_str(name), &i);
}

static void
need_member(struct ht_load *load, const struct ht_doc *doc, const char *role,
    const char *name)
{
	if (!has_member(load->base, name))
		blame_at(load, doc, role,
		    "its %s %s has no entry in the directory; add the member "
		    "first, or look at the spelling",
		    role, name);
}

static void
need_catalog(struct ht_load *load, const struct ht_doc *doc)
{
	if (!ht_in_catalog(doc->name, load->base->root.catalog))
		blame_at(load, doc, ht_doc_kind_text(doc->kind),
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

/* The item that it is for; NULL and blame if there is none. */
static const struct ht_item *
item_of(struct ht_load *load, const struct ht_doc *doc)
{
	const struct ht_ground *ground = load->base->ground;
	const struct ht_grant *grant = &doc->grant->grant;
	uint8_t room[HT_ITEM_KEY_MAX];
	size_t i;

	if (ht_index_get(ground->by_item,
	        ht_item_key(ht_slice_str(grant->item), grant->version, room),
	        &i))
		return ground->items[i]->item;
	blame_at(load, doc, "item",
	    "it is for %s version %u, and there is no such item", grant->item,
	    grant->version);
	return NULL;
}

/*
 * The document of a trust never changes.  Where another revision of the item
 * makes other fields of the same words, it is read anew.
 */
static enum ht_err
put_link(struct ht_doc **doc_p, const struct ht_grant *is)
{
	struct ht_grant_doc *says = (*doc_p)->grant;
	struct ht_doc *anew = NULL;
	enum ht_err err;

	if (says->linked) {
		if (says->grant.all_fields == is->all_fields &&
		    memcmp(says->grant.fields, is->fields,
		        sizeof(is->fields)) == 0)
			return HT_OK;
		err =
		    ht_doc_parse((*doc_p)->bytes, (*doc_p)->where, NULL, &anew);
		if (err != HT_OK)
			return err;
		ht_doc_unref(doc_p);
		*doc_p = anew;
		says = anew->grant;
	}
	says->grant.all_fields = is->all_fields;
	memcpy(says->grant.fields, is->fields, sizeof(is->fields));
	says->linked = true;
	return HT_OK;
}

enum ht_err
ht_link_grant(struct ht_load *load, size_t i)
{
	struct ht_doc **doc_p = &load->base->docs[i];
	const struct ht_doc *doc = *doc_p;
	struct ht_grant is = doc->grant->grant;
	const struct ht_item *item;

	need_catalog(load, doc);
	need_member(load, doc, "provider", is.provider);
	need_member(load, doc, "consumer", is.consumer);
	item = item_of(load, doc);
	if (item == NULL)
		return HT_OK;
	is.all_fields = doc->grant->n_fields == 0; /* as it was written */
	memset(is.fields, 0, sizeof(is.fields));
	if (ht_grant_offered(doc, doc->grant, item, load->report, is.fields) !=
	    HT_OK)
		ht_load_fail(load, HT_EINVALID);
	link_level(item, &is);
	return put_link(doc_p, &is);
}

int
ht_grant_order(const struct ht_grant *a, const struct ht_grant *b)
{
	int order = strcmp(a->consumer, b->consumer);

	if (order == 0)
		order = strcmp(a->item, b->item);
	return order != 0 ? order : strcmp(a->name, b->name);
}

enum ht_err
ht_base_room(struct ht_base *base)
{
	base->grants = calloc(base->n_grants + 1, sizeof(struct ht_grant *));
	base->by_consumer =
	    calloc(base->n_grants + 1, sizeof(struct ht_grant *));
	return base->grants != NULL && base->by_consumer != NULL ? HT_OK
	                                                         : HT_ENOMEM;
}

static int
by_consumer(const void *a, const void *b)
{
	const struct ht_grant *const *x = a, *const *y = b;

	return ht_grant_order(*x, *y);
}

static enum ht_err
link_grants(struct ht_load *load)
{
	struct ht_base *base = load->base;
	enum ht_err err = HT_OK;

	for (size_t i = base->first_grant;
	     i < base->first_grant + base->n_grants && err == HT_OK; i++)
		if (base->docs[i] != NULL &&
		    base->docs[i]->kind == HT_DOC_GRANT)
			err = ht_link_grant(load, i);
	/* A list with gaps is not asked for anything. */
	if (err != HT_OK || load->worst != HT_OK)
		return err;
	err = ht_base_room(base);
	if (err != HT_OK)
		return err;
	for (size_t i = 0; i < base->n_grants; i++)
		base->grants[i] = base->by_consumer[i] =
		    &base->docs[base->first_grant + i]->grant->grant;
	qsort(base->by_consumer, base->n_grants, sizeof(struct ht_grant *),
	    by_consumer);
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
				blame_at(load, doc, "trackers",
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
	const struct ht_ground *ground = load->base->ground;
	HT_AUTO(ht_mem_free)
	struct ht_doc **sorted = calloc(ground->n_epochs + 1, sizeof(*sorted));

	if (sorted == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < ground->n_epochs; i++) {
		check_epoch(load, ground->epochs[i]);
		sorted[i] = ground->epochs[i];
	}
	qsort(sorted, ground->n_epochs, sizeof(*sorted), by_start);
	for (size_t i = 1; i < ground->n_epochs; i++)
		if (sorted[i]->epoch->from_ms < sorted[i - 1]->epoch->until_ms)
			blame_at(load, sorted[i], "from",
			    "the epoch %s begins before %s has ended; let one "
			    "end where the next begins",
			    sorted[i]->name, sorted[i - 1]->name);
	return HT_OK;
}

enum ht_err
ht_base_link(struct ht_load *load)
{
	struct ht_ground *ground = load->base->ground;
	enum ht_err err = check_keys(load);

	if (err == HT_OK)
		err = index_transports(ground);
	for (size_t i = 0; i < ground->n_items && err == HT_OK; i++) {
		need_catalog(load, ground->items[i]);
		need_member(load, ground->items[i], "provider",
		    ground->items[i]->item->provider);
	}
	if (err == HT_OK)
		err = link_grants(load);
	if (err == HT_OK)
		err = check_epochs(load);
	return err;
}
