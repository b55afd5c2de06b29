/*
 * trust.c -- taking a snapshot in: everything that docs/trust.md ("snapshot
 * and its list") asks is checked, everything wrong is said, and only then does
 * anything come into force.
 *
 * A document that stood in the snapshot before, with the same text and the
 * same signers, is taken over as it is: one grant among a hundred thousand
 * takes effect without the others being read or verified again.
 */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/merkle.h"
#include "schemas/trust_in.h"

/* ---- findings ---- */

/* Of several errors the one that says most about danger is returned. */
static unsigned
weight(enum ht_err err)
{
	switch (err) {
	case HT_OK:
		return 0;
	case HT_ENOMEM:
		return 5;
	case HT_EBADSIG:
		return 4;
	case HT_EROLLBACK:
		return 3;
	case HT_ETOOBIG:
		return 2;
	default:
		return 1;
	}
}

void
ht_load_fail(struct ht_load *load, enum ht_err err)
{
	if (err == HT_EMALFORMED)
		err = HT_EINVALID;
	if (weight(err) > weight(load->worst))
		load->worst = err;
}

void
ht_load_blame(struct ht_load *load, enum ht_err err, const char *where,
    const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ht_report_add(load->report, where, "%s", text);
	ht_load_fail(load, err);
}

/* ---- lifetimes ---- */

static void
unref_docs(struct ht_doc **docs, size_t n)
{
	for (size_t i = 0; docs != NULL && i < n; i++)
		ht_doc_unref(&docs[i]);
	free(docs);
}

void
ht_ground_unref(struct ht_ground **ground_p)
{
	struct ht_ground *ground = *ground_p;

	if (ground == NULL)
		return;
	*ground_p = NULL;
	if (atomic_fetch_sub(&ground->refs, 1) > 1)
		return;
	free(ground->members);
	free(ground->items);
	free(ground->epochs);
	free(ground->holders);
	ht_map_free(&ground->by_member, NULL);
	ht_map_free(&ground->by_item, NULL);
	ht_map_free(&ground->by_newest, NULL);
	ht_map_free(&ground->by_epoch, NULL);
	ht_map_free(&ground->by_transport, NULL);
	free(ground);
}

void
ht_base_unref(struct ht_base **base_p)
{
	struct ht_base *base = *base_p;

	if (base == NULL)
		return;
	*base_p = NULL;
	if (atomic_fetch_sub(&base->refs, 1) > 1)
		return;
	ht_doc_unref(&base->snapshot);
	ht_ground_unref(&base->ground);
	unref_docs(base->docs, base->n_docs);
	ht_buf_fini(&base->list);
	free(base->starts);
	free(base->leaves);
	free(base->grants);
	free(base->by_consumer);
	free(base->since);
	free(base->by_since);
	free(base->gone);
	free(base);
}

enum ht_err
ht_base_new(struct ht_base **ret)
{
	struct ht_base *base = calloc(1, sizeof(*base));

	if (base == NULL)
		return HT_ENOMEM;
	atomic_init(&base->refs, 1);
	base->list = HT_BUF(HT_LIST_BYTES);
	*ret = base;
	return HT_OK;
}

/* ---- the snapshot's note and its list ---- */

enum ht_err
ht_load_check_list(struct ht_load *load)
{
	const struct ht_base *base = load->base;
	const struct ht_snapshot_doc *says = base->snapshot->snapshot;
	struct ht_hash root = ht_merkle_root(base->leaves, base->n_docs);

	if (base->n_docs == says->count && ht_hash_eq(&root, &says->root))
		return HT_OK;
	ht_report_add(load->report, "snapshot.list",
	    "it is not the list that the snapshot was signed over; "
	    "fetch both again");
	return HT_EBADSIG;
}

static enum ht_err
take_list(struct ht_load *load)
{
	struct ht_base *base = load->base;
	enum ht_err err = ht_list_parse(ht_buf_slice(&base->list),
	    "snapshot.list", load->report, &load->lines, &base->n_docs);

	if (err != HT_OK)
		return err;
	base->starts = calloc(base->n_docs + 1, sizeof(*base->starts));
	base->leaves = calloc(base->n_docs + 1, sizeof(*base->leaves));
	if (base->starts == NULL || base->leaves == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < base->n_docs; i++) {
		struct ht_slice line = load->lines[i].line;

		base->starts[i] = (uint32_t)(line.at - base->list.at);
		base->starts[i + 1] = base->starts[i] + (uint32_t)line.len + 1;
		base->leaves[i] = ht_leaf_hash(line);
	}
	return HT_OK;
}
_Static_assert(HT_LIST_BYTES < UINT32_MAX, "places in a list are 32 bits");

/* No way back, and no second snapshot of the same version. */
static void
check_version(struct ht_load *load)
{
	const struct ht_doc *now = load->base->snapshot;
	const struct ht_doc *old;

	if (load->before == NULL)
		return;
	old = load->before->base->snapshot;
	if (now->revision < old->revision)
		ht_load_blame(load, HT_EROLLBACK, now->where,
		    "version %llu is older than version %llu, which is in "
		    "force; get the newest one",
		    (unsigned long long)now->revision,
		    (unsigned long long)old->revision);
	else if (now->revision == old->revision &&
	         !ht_hash_eq(&now->hash, &old->hash))
		ht_load_blame(load, HT_EROLLBACK, now->where,
		    "another snapshot has the version %llu already; make a "
		    "new one with a higher version",
		    (unsigned long long)now->revision);
}

/* Megabytes are better taken over than copied. */
static void
take_bytes(struct ht_load *load)
{
	const struct ht_trust_docs *given = load->given;
	struct ht_buf *list = &load->base->list;

	if (given->taken == NULL) {
		ht_buf_add(list, given->list.at, given->list.len);
		return;
	}
	*list = *given->taken;
	*given->taken = HT_BUF(HT_LIST_BYTES);
}

static enum ht_err
take_snapshot(struct ht_load *load)
{
	struct ht_base *base = load->base;
	enum ht_err err = ht_doc_parse(load->given->snapshot, "snapshot.note",
	    load->report, &base->snapshot);

	if (err != HT_OK)
		return err;
	if (base->snapshot->kind != HT_DOC_SNAPSHOT) {
		ht_report_add(load->report, "snapshot.note",
		    "a snapshot is expected, and this is a %s",
		    ht_doc_kind_text(base->snapshot->kind));
		return HT_EINVALID;
	}
	check_version(load);
	take_bytes(load);
	if (base->list.err == HT_ETOOBIG)
		ht_report_add(load->report, "snapshot.list",
		    "larger than the %zu bytes that a list may have",
		    (size_t)HT_LIST_BYTES);
	return base->list.err;
}

/* ---- the documents ---- */

/*
 * What stood under the same kind and name before, and what has no line any
 * more: both lists are in one order.
 */
static enum ht_err
match_before(struct ht_load *load)
{
	const struct ht_base *base = load->base;
	const struct ht_base *before =
	    load->before != NULL ? load->before->base : NULL;
	size_t n = before != NULL ? before->n_docs : 0, k = 0;

	load->old = calloc(base->n_docs + 1, sizeof(*load->old));
	load->dropped = calloc(n + 1, sizeof(struct ht_doc *));
	if (load->old == NULL || load->dropped == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < base->n_docs; i++) {
		const struct ht_list_line *line = &load->lines[i];
		int order = 1;

		while (k < n &&
		       (order = ht_doc_order(
		            ht_doc_kind_text(before->docs[k]->kind),
		            before->docs[k]->name, ht_doc_kind_text(line->kind),
		            line->name)) < 0)
			load->dropped[load->n_dropped++] = before->docs[k++];
		if (k < n && order == 0)
			load->old[i] = (uint32_t)++k;
	}
	while (k < n)
		load->dropped[load->n_dropped++] = before->docs[k++];
	return HT_OK;
}

static void
blame_missing(struct ht_load *load, const struct ht_list_line *line)
{
	char where[HT_DOC_PATH_MAX];

	ht_doc_path(line->kind, line->name, where);
	ht_load_blame(load, HT_EINVALID, where,
	    "the %s %s is in the snapshot's list, but its document is not "
	    "there; fetch it",
	    ht_doc_kind_text(line->kind), line->name);
}

void
ht_load_check_line(struct ht_load *load, const struct ht_list_line *line,
    const struct ht_doc *doc, const struct ht_doc *old)
{
	if (doc->kind != line->kind || strcmp(doc->name, line->name) != 0)
		ht_load_blame(load, HT_EINVALID, doc->where,
		    "it is %s %s, and the snapshot lists it as %s %s",
		    ht_doc_kind_text(doc->kind), doc->name,
		    ht_doc_kind_text(line->kind), line->name);
	else if (doc->revision != line->revision ||
	         !ht_hash_eq(&doc->hash, &line->hash))
		ht_load_blame(load, HT_EBADSIG, doc->where,
		    "its text is not the one that the snapshot lists (revision "
		    "%llu there, %llu here): it was changed since, or a new "
		    "snapshot is due",
		    (unsigned long long)line->revision,
		    (unsigned long long)doc->revision);
	if (old == NULL)
		return;
	if (doc->revision < old->revision)
		ht_load_blame(load, HT_EROLLBACK, doc->where,
		    "revision %llu is older than revision %llu, which is in "
		    "force",
		    (unsigned long long)doc->revision,
		    (unsigned long long)old->revision);
	else if (doc->revision == old->revision &&
	         !ht_hash_eq(&doc->hash, &old->hash))
		ht_load_blame(load, HT_EROLLBACK, doc->where,
		    "its text changed, but not its revision; make it %llu",
		    (unsigned long long)old->revision + 1);
}

/* A snapshot that was patched has most notes of the one before as they are. */
static bool
same_bytes(struct ht_slice a, struct ht_slice b)
{
	return a.len == b.len && (a.at == b.at || ht_slice_eq(a, b));
}

/* Its note; or the document before, if that is it byte for byte. */
static enum ht_err
find_doc(struct ht_load *load, size_t i)
{
	const struct ht_trust_docs *given = load->given;
	const struct ht_list_line *line = &load->lines[i];
	struct ht_doc *old = ht_load_old(load, i);
	bool same = old != NULL && ht_hash_eq(&old->hash, &line->hash);
	enum ht_err err = HT_OK;

	if (!same || !given->reuse) {
		err = given->note(
		    given->arg, i, line, &load->notes[i], &load->names[i]);
		if (err == HT_ENOMEM)
			return err;
		if (err != HT_OK)
			load->notes[i] = HT_SLICE(NULL, 0);
		same = same && same_bytes(old->bytes, load->notes[i]);
	}
	if (same)
		load->base->docs[i] = ht_doc_ref(old);
	return HT_OK;
}

static enum ht_err
parse_doc(struct ht_load *load, size_t i, struct ht_report *report)
{
	const struct ht_list_line *line = &load->lines[i];
	char where[HT_DOC_PATH_MAX];
	enum ht_err err;

	ht_doc_path(line->kind, line->name, where);
	atomic_fetch_add(&load->n_read, 1);
	err = ht_doc_parse(load->notes[i],
	    load->names[i] != NULL ? load->names[i] : where, report,
	    &load->base->docs[i]);
	if (err == HT_OK && ht_list_past_root(line))
		ht_doc_past_root(load->base->docs[i]);
	return err;
}

static void
parse_quietly(void *arg, size_t i)
{
	struct ht_load *load = arg;

	if (load->notes[i].len > 0 && load->base->docs[i] == NULL)
		(void)!parse_doc(load, i, NULL);
}

enum ht_err
ht_load_doc(struct ht_load *load, size_t i)
{
	struct ht_base *base = load->base;
	enum ht_err err = HT_OK;

	if (base->docs[i] == NULL && load->notes[i].len == 0) {
		blame_missing(load, &load->lines[i]);
		return HT_OK;
	}
	if (base->docs[i] == NULL)
		err = parse_doc(load, i, load->report);
	if (err == HT_ENOMEM)
		return err;
	if (err != HT_OK)
		ht_load_fail(load, err);
	else
		ht_load_check_line(
		    load, &load->lines[i], base->docs[i], ht_load_old(load, i));
	return HT_OK;
}

static enum ht_err
find_docs(struct ht_load *load)
{
	struct ht_base *base = load->base;
	enum ht_err err = match_before(load);

	if (err != HT_OK)
		return err;
	base->docs = calloc(base->n_docs + 1, sizeof(struct ht_doc *));
	load->notes = calloc(base->n_docs + 1, sizeof(*load->notes));
	load->names = calloc(base->n_docs + 1, sizeof(*load->names));
	if (base->docs == NULL || load->notes == NULL || load->names == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < base->n_docs && err == HT_OK; i++)
		err = find_doc(load, i);
	return err;
}

/* All but the root, which was taken before. */
static enum ht_err
take_docs(struct ht_load *load)
{
	struct ht_base *base = load->base;
	enum ht_err err = HT_OK;

	if (base->n_docs >= HT_MANY)
		ht_each(base->n_docs, parse_quietly, load);
	for (size_t i = 0; i < base->n_docs && err == HT_OK; i++)
		if (load->lines[i].kind != HT_DOC_ROOT)
			err = ht_load_doc(load, i);
	return err;
}

void
ht_load_check_snapshot(struct ht_load *load)
{
	struct ht_base *base = load->base;
	enum ht_err err = ht_doc_check_signed(
	    base->snapshot, &base->root, NULL, load->report);

	if (err != HT_OK)
		ht_load_fail(load, err);
	if (strcmp(base->snapshot->snapshot->catalog, base->root.catalog) != 0)
		ht_load_blame(load, HT_EINVALID, base->snapshot->where,
		    "it is of the catalog %s, not of %s",
		    base->snapshot->snapshot->catalog, base->root.catalog);
}

/* ---- the signatures of the documents ---- */

/* The provider's member document, which an item or grant needs to be judged. */
static struct ht_doc *
provider_of(const struct ht_ground *ground, const struct ht_doc *doc)
{
	const char *name = doc->kind == HT_DOC_ITEM
	                       ? doc->item->provider
	                       : doc->grant->grant.provider;
	size_t i;

	if (!ht_index_get(ground->by_member, ht_slice_str(name), &i))
		return NULL;
	return ground->members[i];
}

/* Verified before, under the same officers and the same provider's. */
static bool
verified_before(const struct ht_load *load, const struct ht_doc *doc,
    const struct ht_doc *old, const struct ht_doc *provider)
{
	const struct ht_base *before;
	size_t i;

	if (old == NULL || old != doc)
		return false;
	before = load->before->base;
	if (!ht_root_same(&load->base->root, &before->root))
		return false;
	return provider == NULL ||
	       (ht_base_find(before, "member", provider->name, &i) &&
	           before->docs[i] == provider);
}

enum ht_err
ht_load_check_signed(struct ht_load *load, const struct ht_doc *doc,
    const struct ht_doc *old, struct ht_report *report)
{
	const struct ht_doc *provider = NULL;

	if (doc->kind == HT_DOC_ITEM || doc->kind == HT_DOC_GRANT) {
		provider = provider_of(load->base->ground, doc);
		if (provider == NULL)
			return HT_OK; /* a contradiction, see trust_link.c */
	}
	if (verified_before(load, doc, old, provider))
		return HT_OK;
	atomic_fetch_add(&load->n_verified, 1);
	if (doc->kind == HT_DOC_ROOT) /* one of the past: by its own */
		return ht_doc_check_signed(doc, doc->root, NULL, report);
	return ht_doc_check_signed(doc, &load->base->root,
	    provider != NULL ? provider->member : NULL, report);
}

static void
check_quietly(void *arg, size_t i)
{
	struct ht_load *load = arg;
	const struct ht_doc *doc = load->base->docs[i];

	load->signed_well[i] =
	    doc != NULL && ht_load_check_signed(
	                       load, doc, ht_load_old(load, i), NULL) == HT_OK;
}

/*
 * A member's new identity key is one that the old one signed for; or else a
 * recovery, which stays visible.
 */
static void
check_identity(
    struct ht_load *load, const struct ht_doc *doc, const struct ht_doc *old)
{
	struct ht_vkey vkey;

	if (old == NULL || doc == NULL || doc->kind != HT_DOC_MEMBER ||
	    memcmp(&old->member->identity, &doc->member->identity,
	        sizeof(old->member->identity)) == 0)
		return;
	if (doc->member->recovered_ms != 0)
		return;
	if (ht_vkey_make(doc->name, &old->member->identity, &vkey) == HT_OK &&
	    ht_doc_signed_by(doc, &vkey))
		return;
	ht_load_blame(load, HT_EBADSIG, doc->where,
	    "the identity key of %s was replaced and the old one did not sign; "
	    "have it signed with both, or state the recovery with 'recovered'",
	    doc->name);
}

static enum ht_err
check_all_signed(struct ht_load *load)
{
	struct ht_base *base = load->base;
	enum ht_err err;

	load->signed_well = calloc(base->n_docs + 1, sizeof(bool));
	if (load->signed_well == NULL)
		return HT_ENOMEM;
	if (base->n_docs >= HT_MANY)
		ht_each(base->n_docs, check_quietly, load);
	for (size_t i = 0; i < base->n_docs; i++) {
		if (base->docs[i] == NULL || load->signed_well[i])
			continue;
		err = ht_load_check_signed(
		    load, base->docs[i], ht_load_old(load, i), load->report);
		if (err != HT_OK)
			ht_load_fail(load, err);
	}
	for (size_t i = 0; i < base->n_docs; i++)
		if (load->lines[i].kind == HT_DOC_MEMBER)
			check_identity(
			    load, base->docs[i], ht_load_old(load, i));
	return HT_OK;
}

/* ---- loading ---- */

static void
load_fini(struct ht_load *load)
{
	free(load->lines);
	free(load->notes);
	free(load->names);
	free(load->old);
	free(load->dropped);
	free(load->signed_well);
	ht_base_unref(&load->base);
}

/* All of the list, root first, each for itself and beside the others. */
static enum ht_err
load_docs(struct ht_load *load)
{
	enum ht_err err = take_docs(load);

	if (err == HT_OK)
		err = ht_base_index(load);
	if (err != HT_OK)
		return err;
	err = check_all_signed(load);
	return err == HT_OK ? ht_base_link(load) : err;
}

/* Every document, whatever was there before. */
static enum ht_err
load_all(struct ht_load *load)
{
	enum ht_err err = take_list(load);

	if (err == HT_OK)
		err = ht_load_check_list(load);
	if (err == HT_OK)
		err = find_docs(load);
	if (err == HT_OK)
		err = ht_load_root(load);
	if (err != HT_OK)
		return err;
	ht_load_check_snapshot(load);
	/* What strangers made is not worth a look at its documents. */
	if (load->worst == HT_EBADSIG)
		return load->worst;
	return load_docs(load);
}

static enum ht_err
load_base(struct ht_load *load)
{
	enum ht_err err = ht_base_new(&load->base);
	bool done = false;

	if (err == HT_OK)
		err = take_snapshot(load);
	if (err == HT_OK)
		err = ht_graft(load, &done);
	if (err == HT_OK && !done) {
		err = load_all(load);
		if (err == HT_OK && load->worst == HT_OK)
			err = ht_base_news(load);
	}
	if (load->base == NULL)
		return err;
	load->base->work = (struct ht_trust_work){
	    atomic_load(&load->n_read), atomic_load(&load->n_verified)};
	return err;
}

enum ht_err
ht_trust_load(const struct ht_root *root, const struct ht_trust_docs *docs,
    const struct ht_trust *before, struct ht_report *report,
    struct ht_trust **ret_trust)
{
	HT_AUTO(load_fini)
	struct ht_load load = {
	    .anchor = root,
	    .given = docs,
	    .before = before,
	    .report = report,
	};
	enum ht_err err = load_base(&load);

	if (err == HT_OK)
		return ht_trust_over(&load, docs->current, ret_trust);
	ht_load_fail(&load, err);
	return load.worst;
}

enum ht_err
ht_trust_check_some(const struct ht_root *root,
    const struct ht_trust_docs *docs, struct ht_report *report)
{
	HT_AUTO(load_fini)
	struct ht_load load = {.anchor = root, .given = docs, .report = report};
	enum ht_err err = ht_base_new(&load.base);

	if (err != HT_OK)
		return err;
	ht_buf_add(&load.base->list, docs->list.at, docs->list.len);
	err = load.base->list.err;
	if (err == HT_OK)
		err = take_list(&load);
	if (err == HT_OK)
		err = find_docs(&load);
	if (err == HT_OK)
		err = ht_load_root(&load);
	if (err == HT_OK)
		err = load_docs(&load);
	ht_load_fail(&load, err);
	return load.worst;
}
