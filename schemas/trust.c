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

#include "lib/base/panic.h"
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
ht_base_unref(struct ht_base **base_p)
{
	struct ht_base *base = *base_p;

	if (base == NULL)
		return;
	*base_p = NULL;
	if (atomic_fetch_sub(&base->refs, 1) > 1)
		return;
	ht_doc_unref(&base->snapshot);
	unref_docs(base->docs, base->n_docs);
	ht_buf_fini(&base->list);
	free(base->lines);
	free(base->members);
	free(base->items);
	free(base->grants);
	free(base->epochs);
	free(base->linked);
	free(base->by_consumer);
	free(base->holders);
	free(base->since);
	free(base->gone);
	ht_map_free(&base->by_doc, NULL);
	ht_map_free(&base->by_member, NULL);
	ht_map_free(&base->by_item, NULL);
	ht_map_free(&base->by_newest, NULL);
	ht_map_free(&base->by_grant, NULL);
	ht_map_free(&base->by_epoch, NULL);
	ht_map_free(&base->by_transport, NULL);
	free(base);
}

struct ht_trust *
ht_trust_ref(struct ht_trust *trust)
{
	unsigned before = atomic_fetch_add(&trust->refs, 1);

	HT_ASSERT(before > 0);
	return trust;
}

void
ht_trust_unref(struct ht_trust **trust_p)
{
	struct ht_trust *trust = *trust_p;

	if (trust == NULL)
		return;
	*trust_p = NULL;
	if (atomic_fetch_sub(&trust->refs, 1) > 1)
		return;
	ht_base_unref(&trust->base);
	ht_doc_unref(&trust->current);
	free(trust->members);
	free(trust->grants);
	free(trust->by_consumer);
	free(trust->own_members);
	free(trust->own_grants);
	free(trust);
}

static enum ht_err
base_new(struct ht_base **ret)
{
	struct ht_base *base = calloc(1, sizeof(*base));

	if (base == NULL)
		return HT_ENOMEM;
	atomic_init(&base->refs, 1);
	base->list = HT_BUF(HT_LIST_MAX * (HT_DOC_NAME_MAX + 128));
	*ret = base;
	return HT_OK;
}

/* ---- the snapshot's note and its list ---- */

static enum ht_err
take_list(struct ht_load *load)
{
	struct ht_base *base = load->base;
	const struct ht_snapshot_doc *says = base->snapshot->snapshot;
	struct ht_hash root;
	enum ht_err err;

	ht_buf_add(&base->list, load->given->list.at, load->given->list.len);
	if (base->list.err != HT_OK)
		return base->list.err;
	err = ht_list_parse(ht_buf_slice(&base->list), "snapshot.list",
	    load->report, &base->lines, &base->n_docs);
	if (err != HT_OK)
		return err;
	err = ht_list_root(base->lines, base->n_docs, &root);
	if (err != HT_OK)
		return err;
	if (base->n_docs != says->count || !ht_hash_eq(&root, &says->root)) {
		ht_report_add(load->report, "snapshot.list",
		    "it is not the list that the snapshot was signed over; "
		    "fetch both again");
		return HT_EBADSIG;
	}
	return HT_OK;
}

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
	return take_list(load);
}

/* ---- the documents ---- */

static const char *
note_name(const struct ht_load *load, size_t note, const char *otherwise)
{
	if (load->given->names == NULL || load->given->names[note] == NULL)
		return otherwise;
	return load->given->names[note];
}

/* Which note has which text?  The signatures are not part of a document. */
static enum ht_err
index_notes(struct ht_load *load)
{
	load->notes = ht_map_new();
	if (load->notes == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < load->given->n; i++) {
		struct ht_slice text;
		struct ht_hash hash;
		enum ht_err err;

		/* What is no note is missed where the list names it. */
		if (ht_doc_text(load->given->notes[i], &text, NULL) != HT_OK)
			continue;
		hash = ht_sha256(text);
		err = ht_index_put(
		    load->notes, HT_SLICE(hash.at, sizeof(hash.at)), i);
		if (err != HT_OK)
			return err;
	}
	return HT_OK;
}

static struct ht_doc *
doc_before(
    const struct ht_trust *before, enum ht_doc_kind kind, const char *name)
{
	uint8_t room[HT_DOC_KEY_MAX];
	size_t i;

	if (before == NULL ||
	    !ht_index_get(before->base->by_doc,
	        ht_doc_key(ht_doc_kind_text(kind), ht_slice_str(name), room),
	        &i))
		return NULL;
	return before->base->docs[i];
}

static void
blame_changed(struct ht_load *load, const char *where,
    const struct ht_list_line *line, const struct ht_doc *doc)
{
	ht_load_blame(load, HT_EBADSIG, where,
	    "its text is not the one that the snapshot lists (revision %llu "
	    "there, %llu here): it was changed since, or a new snapshot is due",
	    (unsigned long long)line->revision,
	    (unsigned long long)doc->revision);
}

#define MISSING_MAX 50

/* Somebody changed a file after the snapshot was made: say which. */
static void
blame_missing(struct ht_load *load, const struct ht_list_line *line)
{
	const char *kind = ht_doc_kind_text(line->kind);
	char where[HT_DOC_PATH_MAX];

	ht_doc_path(line->kind, line->name, where);
	/* A hostile list must not make us look for all of it. */
	for (size_t i = 0; i < load->given->n && load->n_missing < MISSING_MAX;
	     i++) {
		HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;

		if (load->given->names != NULL &&
		    strcmp(note_name(load, i, ""), where) != 0)
			continue;
		if (ht_doc_parse(load->given->notes[i], where, NULL, &doc) !=
		        HT_OK ||
		    doc->kind != line->kind ||
		    strcmp(doc->name, line->name) != 0)
			continue;
		blame_changed(load, where, line, doc);
		return;
	}
	ht_load_blame(load, HT_EINVALID, where,
	    "the %s %s is in the snapshot's list, but its document is not "
	    "there; fetch it",
	    kind, line->name);
}

static void
check_line(struct ht_load *load, const struct ht_list_line *line,
    const struct ht_doc *doc, const struct ht_doc *old)
{
	if (doc->kind != line->kind || strcmp(doc->name, line->name) != 0 ||
	    doc->revision != line->revision)
		ht_load_blame(load, HT_EINVALID, doc->where,
		    "it is %s %s revision %llu, and the snapshot lists it as "
		    "%s %s revision %llu",
		    ht_doc_kind_text(doc->kind), doc->name,
		    (unsigned long long)doc->revision,
		    ht_doc_kind_text(line->kind), line->name,
		    (unsigned long long)line->revision);
	else if (!ht_hash_eq(&doc->hash, &line->hash))
		blame_changed(load, doc->where, line, doc);
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

static bool
find_note(const struct ht_load *load, size_t i, size_t *ret)
{
	const struct ht_list_line *line = &load->base->lines[i];

	*ret = i;
	if (load->given->in_order)
		return i < load->given->n && load->given->notes[i].len > 0;
	return ht_index_get(
	    load->notes, HT_SLICE(line->hash.at, sizeof(line->hash.at)), ret);
}

/* Which note is it, and was it there before, byte for byte? */
static void
find_doc(struct ht_load *load, size_t i)
{
	const struct ht_list_line *line = &load->base->lines[i];
	struct ht_doc *old;
	size_t note;

	if (!find_note(load, i, &note))
		return;
	load->note_of[i] = note + 1;
	old = doc_before(load->before, line->kind, line->name);
	if (old != NULL && ht_hash_eq(&old->hash, &line->hash) &&
	    same_bytes(old->bytes, load->given->notes[note]))
		load->base->docs[i] = ht_doc_ref(old);
}

static enum ht_err
parse_doc(struct ht_load *load, size_t i, struct ht_report *report)
{
	const struct ht_list_line *line = &load->base->lines[i];
	size_t note = load->note_of[i] - 1;
	char where[HT_DOC_PATH_MAX];

	enum ht_err err;

	ht_doc_path(line->kind, line->name, where);
	err = ht_doc_parse(load->given->notes[note],
	    note_name(load, note, where), report, &load->base->docs[i]);
	if (err == HT_OK && ht_list_past_root(line))
		ht_doc_past_root(load->base->docs[i]);
	return err;
}

static void
parse_quietly(void *arg, size_t i)
{
	struct ht_load *load = arg;

	if (load->note_of[i] != 0 && load->base->docs[i] == NULL)
		(void)!parse_doc(load, i, NULL);
}

enum ht_err
ht_load_doc(struct ht_load *load, size_t i)
{
	const struct ht_list_line *line = &load->base->lines[i];
	enum ht_err err = HT_OK;

	if (load->note_of[i] == 0) {
		blame_missing(load, line);
		load->n_missing++;
		return HT_OK;
	}
	if (load->base->docs[i] == NULL)
		err = parse_doc(load, i, load->report);
	if (err == HT_ENOMEM)
		return err;
	if (err != HT_OK)
		ht_load_fail(load, err);
	else
		check_line(load, line, load->base->docs[i],
		    doc_before(load->before, line->kind, line->name));
	return HT_OK;
}

static enum ht_err
find_docs(struct ht_load *load)
{
	struct ht_base *base = load->base;
	enum ht_err err = load->given->in_order ? HT_OK : index_notes(load);

	if (err != HT_OK)
		return err;
	base->docs = calloc(base->n_docs + 1, sizeof(*base->docs));
	load->note_of = calloc(base->n_docs + 1, sizeof(*load->note_of));
	if (base->docs == NULL || load->note_of == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < base->n_docs; i++)
		find_doc(load, i);
	return HT_OK;
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
		if (base->lines[i].kind != HT_DOC_ROOT)
			err = ht_load_doc(load, i);
	return err;
}

static void
check_snapshot_signed(struct ht_load *load)
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
provider_of(const struct ht_base *base, const struct ht_doc *doc)
{
	const char *name = doc->kind == HT_DOC_ITEM
	                       ? doc->item->provider
	                       : doc->grant->grant.provider;
	size_t i;

	if (!ht_index_get(base->by_member, ht_slice_str(name), &i))
		return NULL;
	return base->members[i];
}

/* Verified before, under the same officers and the same provider's. */
static bool
verified_before(const struct ht_load *load, const struct ht_doc *doc,
    const struct ht_doc *provider)
{
	if (load->before == NULL ||
	    doc_before(load->before, doc->kind, doc->name) != doc ||
	    !ht_root_same(&load->base->root, &load->before->base->root))
		return false;
	return provider == NULL || doc_before(load->before, HT_DOC_MEMBER,
	                               provider->name) == provider;
}

static enum ht_err
check_signed(const struct ht_load *load, const struct ht_doc *doc,
    struct ht_report *report)
{
	const struct ht_doc *provider = NULL;

	if (doc->kind == HT_DOC_ITEM || doc->kind == HT_DOC_GRANT) {
		provider = provider_of(load->base, doc);
		if (provider == NULL)
			return HT_OK; /* a contradiction, see trust_link.c */
	}
	if (verified_before(load, doc, provider))
		return HT_OK;
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
	    doc != NULL && check_signed(load, doc, NULL) == HT_OK;
}

/*
 * A member's new identity key is one that the old one signed for; or else a
 * recovery, which stays visible.
 */
static void
check_identity(struct ht_load *load, const struct ht_doc *doc)
{
	const struct ht_doc *old =
	    doc_before(load->before, HT_DOC_MEMBER, doc->name);
	struct ht_vkey vkey;

	if (old == NULL ||
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
		err = check_signed(load, base->docs[i], load->report);
		if (err != HT_OK)
			ht_load_fail(load, err);
	}
	for (size_t i = 0; i < base->n_members; i++)
		check_identity(load, base->members[i]);
	return HT_OK;
}

/* ---- the current note ---- */

static void
check_current(struct ht_load *load, const struct ht_doc *doc)
{
	const struct ht_base *base = load->base;
	const struct ht_current_doc *says = doc->current;
	enum ht_err err =
	    ht_doc_check_signed(doc, &base->root, NULL, load->report);

	if (err != HT_OK)
		ht_load_fail(load, err);
	if (strcmp(says->catalog, base->root.catalog) != 0)
		ht_load_blame(load, HT_EINVALID, doc->where,
		    "it is of the catalog %s, not of %s", says->catalog,
		    base->root.catalog);
	if (says->snapshot != base->snapshot->revision ||
	    !ht_hash_eq(&says->hash, &base->snapshot->hash))
		ht_load_blame(load, HT_EINVALID, doc->where,
		    "it puts snapshot %llu in force, and this is not that "
		    "snapshot; fetch both again, or freshen",
		    (unsigned long long)says->snapshot);
	if (load->before != NULL && load->before->current != NULL &&
	    says->issued_ms < load->before->current->current->issued_ms)
		ht_load_blame(load, HT_EROLLBACK, doc->where,
		    "it was issued before the one in force; get the newest "
		    "one");
}

static enum ht_err
take_current(struct ht_load *load, struct ht_slice bytes, struct ht_doc **ret)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	enum ht_err err =
	    ht_doc_parse(bytes, "current.note", load->report, &doc);

	if (err == HT_ENOMEM)
		return err;
	if (err != HT_OK) {
		ht_load_fail(load, err);
		return HT_OK;
	}
	if (doc->kind != HT_DOC_CURRENT) {
		ht_load_blame(load, HT_EINVALID, "current.note",
		    "a current note is expected, and this is a %s",
		    ht_doc_kind_text(doc->kind));
		return HT_OK;
	}
	check_current(load, doc);
	*ret = HT_TAKE(doc);
	return HT_OK;
}

/* ---- a trust over a base ---- */

static void
suspend_member(struct ht_trust *trust, size_t i)
{
	struct ht_member *own = &trust->own_members[trust->n_own_members++];

	*own = *trust->members[i];
	own->suspended = true;
	trust->members[i] = own;
}

static void
suspend_grant(struct ht_trust *trust, size_t i)
{
	struct ht_grant *own = &trust->own_grants[trust->n_own_grants++];

	*own = *trust->grants[i];
	own->suspended = true;
	trust->grants[i] = own;
}

/* A name may be a grant's and a member's: then it means both. */
static void
suspend(struct ht_load *load, struct ht_trust *trust, const char *name)
{
	const struct ht_base *base = trust->base;
	struct ht_slice key = ht_slice_str(name);
	bool found = false;
	size_t i;

	if (ht_index_get(base->by_member, key, &i)) {
		found = true;
		if (!trust->members[i]->suspended)
			suspend_member(trust, i);
	}
	if (ht_index_get(base->by_grant, key, &i)) {
		found = true;
		if (!trust->grants[i]->suspended)
			suspend_grant(trust, i);
	}
	/* A slip of the pen must not pass for a suspension. */
	if (!found)
		ht_load_blame(load, HT_EINVALID, trust->current->where,
		    "it suspends %s, and there is no such grant or member; "
		    "look at the spelling",
		    name);
}

static enum ht_err
point(struct ht_trust *trust)
{
	const struct ht_base *base = trust->base;
	size_t n_suspended =
	    trust->current != NULL ? trust->current->current->n_suspended : 0;

	trust->members = calloc(base->n_members + 1, sizeof(*trust->members));
	trust->grants = calloc(base->n_grants + 1, sizeof(*trust->grants));
	trust->by_consumer =
	    calloc(base->n_grants + 1, sizeof(*trust->by_consumer));
	trust->own_members =
	    calloc(n_suspended + 1, sizeof(*trust->own_members));
	trust->own_grants = calloc(n_suspended + 1, sizeof(*trust->own_grants));
	if (trust->members == NULL || trust->grants == NULL ||
	    trust->by_consumer == NULL || trust->own_members == NULL ||
	    trust->own_grants == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < base->n_members; i++)
		trust->members[i] = base->members[i]->member;
	for (size_t i = 0; i < base->n_grants; i++)
		trust->grants[i] = &base->linked[i];
	return HT_OK;
}

/* Takes a reference of base and current. */
static enum ht_err
trust_new(struct ht_load *load, struct ht_doc *current, struct ht_trust **ret)
{
	HT_AUTO(ht_trust_unref)
	struct ht_trust *trust = calloc(1, sizeof(*trust));
	enum ht_err err;

	if (trust == NULL)
		return HT_ENOMEM;
	atomic_init(&trust->refs, 1);
	atomic_fetch_add(&load->base->refs, 1);
	trust->base = load->base;
	trust->current = current != NULL ? ht_doc_ref(current) : NULL;
	err = point(trust);
	if (err != HT_OK)
		return err;
	for (unsigned i = 0;
	     current != NULL && i < current->current->n_suspended; i++)
		suspend(load, trust, current->current->suspended[i]);
	for (size_t i = 0; i < trust->base->n_grants; i++)
		trust->by_consumer[i] =
		    trust->grants[trust->base->by_consumer[i]];
	if (load->worst != HT_OK)
		return load->worst;
	*ret = HT_TAKE(trust);
	return HT_OK;
}

/* ---- loading ---- */

static void
load_fini(struct ht_load *load)
{
	ht_map_free(&load->notes, NULL);
	free(load->note_of);
	free(load->signed_well);
	ht_base_unref(&load->base);
}

static enum ht_err
load_base(struct ht_load *load)
{
	enum ht_err err = base_new(&load->base);

	if (err == HT_OK)
		err = take_snapshot(load);
	if (err == HT_OK)
		err = find_docs(load);
	if (err == HT_OK)
		err = ht_load_root(load);
	if (err != HT_OK)
		return err;
	check_snapshot_signed(load);
	/* What strangers made is not worth a look at its documents. */
	if (load->worst == HT_EBADSIG)
		return load->worst;
	err = take_docs(load);
	if (err == HT_OK)
		err = ht_base_index(load);
	if (err != HT_OK)
		return err;
	err = check_all_signed(load);
	if (err == HT_OK)
		err = ht_base_link(load);
	return err == HT_OK ? ht_base_news(load) : err;
}

static enum ht_err
worst_of(struct ht_load *load, enum ht_err err)
{
	ht_load_fail(load, err);
	return load->worst;
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
	HT_AUTO(ht_doc_unref) struct ht_doc *current = NULL;
	enum ht_err err = load_base(&load);

	if (err == HT_OK && docs->current.len > 0)
		err = take_current(&load, docs->current, &current);
	if (err != HT_OK)
		return worst_of(&load, err);
	return trust_new(&load, current, ret_trust);
}

enum ht_err
ht_trust_freshen(struct ht_trust *trust, struct ht_slice bytes,
    struct ht_report *report, struct ht_trust **ret_trust)
{
	struct ht_load load = {
	    .anchor = &trust->base->root,
	    .before = trust,
	    .report = report,
	    .base = trust->base,
	};
	HT_AUTO(ht_doc_unref) struct ht_doc *current = NULL;
	enum ht_err err = take_current(&load, bytes, &current);

	if (err != HT_OK || current == NULL)
		return worst_of(&load, err);
	return trust_new(&load, current, ret_trust);
}
