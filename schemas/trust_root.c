/*
 * trust_root.c -- the root of a snapshot: the anchor, or a later one that a
 * chain of officers' signatures leads to.
 */
#include <string.h>

#include "schemas/trust_in.h"

/* ---- sameness ---- */

static bool
same_vkey(const struct ht_vkey *a, const struct ht_vkey *b)
{
	return strcmp(a->name, b->name) == 0 &&
	       memcmp(&a->pub, &b->pub, sizeof(a->pub)) == 0;
}

static bool
same_vkeys(const struct ht_vkey *a, unsigned n_a, const struct ht_vkey *b,
    unsigned n_b)
{
	if (n_a != n_b)
		return false;
	for (unsigned i = 0; i < n_a; i++)
		if (!same_vkey(&a[i], &b[i]))
			return false;
	return true;
}

bool
ht_root_same(const struct ht_root *a, const struct ht_root *b)
{
	return strcmp(a->catalog, b->catalog) == 0 &&
	       a->revision == b->revision && a->threshold == b->threshold &&
	       same_vkeys(
	           a->officers, a->n_officers, b->officers, b->n_officers) &&
	       same_vkeys(
	           a->auditors, a->n_auditors, b->auditors, b->n_auditors) &&
	       a->quorum == b->quorum &&
	       same_vkeys(a->witnesses, a->n_witnesses, b->witnesses,
	           b->n_witnesses) &&
	       same_vkey(&a->snapshot, &b->snapshot) &&
	       same_vkey(&a->current, &b->current) &&
	       same_vkey(&a->log, &b->log) &&
	       memcmp(&a->broker_transport, &b->broker_transport,
	           sizeof(a->broker_transport)) == 0 &&
	       strcmp(a->broker_address, b->broker_address) == 0;
}

/* ---- the chain from the anchor ---- */

/* The root of the lowest revision above @revision. */
static const struct ht_doc *
next_root(const struct ht_load *load, uint64_t revision)
{
	const struct ht_base *base = load->base;
	const struct ht_doc *best = NULL;

	for (size_t i = 0; i < base->n_docs; i++) {
		const struct ht_doc *doc = base->docs[i];

		if (load->lines[i].kind != HT_DOC_ROOT || doc == NULL ||
		    doc->kind != HT_DOC_ROOT || doc->revision <= revision)
			continue;
		if (best == NULL || doc->revision < best->revision)
			best = doc;
	}
	return best;
}

/*
 * The anchor itself, or one that k of the officers before it and k of its own
 * signed, step by step: who was away while several were published still finds
 * the way.
 */
static void
check_root(struct ht_load *load, const struct ht_doc *now)
{
	const struct ht_root *trusted = load->anchor;
	const struct ht_doc *next;

	if (now->revision < trusted->revision) {
		ht_load_blame(load, HT_EROLLBACK, now->where,
		    "revision %llu is older than revision %llu, which is "
		    "trusted here",
		    (unsigned long long)now->revision,
		    (unsigned long long)trusted->revision);
		return;
	}
	if (now->revision == trusted->revision &&
	    !ht_root_same(now->root, trusted)) {
		ht_load_blame(load, HT_EBADSIG, now->where,
		    "it is not the root that is trusted here, although "
		    "of the same revision; compare it with the anchor "
		    "file");
		return;
	}
	while (trusted->revision < now->revision) {
		next = next_root(load, trusted->revision);
		if (next == NULL)
			return; /* said already: the current one is broken */
		if (ht_root_follows(trusted, next->bytes, load->report) !=
		    HT_OK) {
			ht_load_blame(load, HT_EBADSIG, next->where,
			    "root revision %llu does not follow revision %llu, "
			    "which is trusted here; get the anchor file of "
			    "today from the authority, by a way you trust",
			    (unsigned long long)next->revision,
			    (unsigned long long)trusted->revision);
			return;
		}
		trusted = next->root;
	}
}

static void
check_past(struct ht_load *load, const struct ht_doc *now)
{
	struct ht_base *base = load->base;
	unsigned n = 0;

	for (size_t i = 0; i < base->n_docs; i++) {
		const struct ht_doc *doc = base->docs[i];

		if (doc == NULL || doc == now ||
		    !ht_list_past_root(&load->lines[i]))
			continue;
		n++;
		if (doc->revision >= now->revision)
			ht_load_blame(load, HT_EINVALID, doc->where,
			    "a root of the past is of an earlier revision than "
			    "the root in force, %llu",
			    (unsigned long long)now->revision);
	}
	if (n > HT_ROOTS_MAX)
		ht_load_blame(load, HT_ETOOBIG, "snapshot.list",
		    "more than %d roots of the past; leave out the oldest, "
		    "and give whoever still holds them a new anchor file",
		    HT_ROOTS_MAX);
}

enum ht_err
ht_load_root(struct ht_load *load)
{
	struct ht_base *base = load->base;
	struct ht_doc *doc = NULL;
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < base->n_docs && err == HT_OK; i++) {
		if (load->lines[i].kind != HT_DOC_ROOT)
			continue;
		err = ht_load_doc(load, i);
		if (!ht_list_past_root(&load->lines[i]))
			doc = base->docs[i];
	}
	if (err != HT_OK)
		return err;
	if (doc == NULL || doc->kind != HT_DOC_ROOT) {
		ht_load_blame(load, HT_EINVALID, "snapshot.list",
		    "no root in force stands in it; the root belongs to every "
		    "snapshot");
		return HT_EINVALID;
	}
	check_past(load, doc);
	check_root(load, doc);
	base->root = *doc->root;
	return HT_OK;
}
