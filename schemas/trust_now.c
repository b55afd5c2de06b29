/*
 * trust_now.c -- the current note over a snapshot: which one is in force, until
 * when, and what of it is suspended.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/panic.h"
#include "schemas/trust_in.h"

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
	/* Not in its form: who freshens reads the old one, however it is. */
	if (says->until_ms - says->issued_ms > HT_CURRENT_MAX_MS)
		ht_load_blame(load, HT_EINVALID, doc->where,
		    "it is to last %llu days, and %s is the most, so that "
		    "nobody works on long by an old one; freshen it for less",
		    (unsigned long long)((says->until_ms - says->issued_ms) /
		                         HT_DAY_MS),
		    HT_CURRENT_MAX_TXT);
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
	free(trust->own_lists);
	free(trust->own_members);
	free(trust->own_grants);
	free(trust);
}

bool
ht_trust_alone(const struct ht_trust *trust)
{
	return atomic_load(&trust->refs) == 1;
}

static void
suspend_member(struct ht_trust *trust, size_t i)
{
	struct ht_member *own = &trust->own_members[trust->n_own_members++];

	*own = *trust->members[i];
	own->suspended = true;
	trust->members[i] = own;
}

static int
by_consumer(const void *a, const void *b)
{
	const struct ht_grant *const *x = a, *const *y = b;

	return ht_grant_order(*x, *y);
}

/* Lists of its own, in which copies may stand. */
static enum ht_err
own_lists(struct ht_trust *trust)
{
	const struct ht_base *base = trust->base;
	size_t n = base->n_grants, size = sizeof(struct ht_grant *);

	if (trust->own_lists != NULL)
		return HT_OK;
	trust->own_lists = calloc(2 * n + 1, size);
	if (trust->own_lists == NULL)
		return HT_ENOMEM;
	memcpy(trust->own_lists, base->grants, n * size);
	memcpy(trust->own_lists + n, base->by_consumer, n * size);
	trust->grants = trust->own_lists;
	trust->by_consumer = trust->own_lists + n;
	return HT_OK;
}

static enum ht_err
suspend_grant(struct ht_trust *trust, size_t i)
{
	struct ht_grant *own = &trust->own_grants[trust->n_own_grants];
	const struct ht_grant **at;
	enum ht_err err = own_lists(trust);

	if (err != HT_OK)
		return err;
	trust->n_own_grants++;
	*own = *trust->grants[i];
	own->suspended = true;
	at = bsearch(&trust->grants[i], trust->by_consumer,
	    trust->base->n_grants, sizeof(struct ht_grant *), by_consumer);
	HT_ASSERT(at != NULL && *at == trust->grants[i]);
	*at = trust->own_lists[i] = own;
	return HT_OK;
}

/* A name may be a grant's and a member's: then it means both. */
static enum ht_err
suspend(struct ht_load *load, struct ht_trust *trust, const char *name)
{
	const struct ht_base *base = trust->base;
	enum ht_err err = HT_OK;
	bool found = false;
	size_t i;

	if (ht_index_get(base->ground->by_member, ht_slice_str(name), &i)) {
		found = true;
		if (!trust->members[i]->suspended)
			suspend_member(trust, i);
	}
	if (ht_base_find(base, "grant", name, &i)) {
		found = true;
		if (!trust->grants[i - base->first_grant]->suspended)
			err = suspend_grant(trust, i - base->first_grant);
	}
	/* A slip of the pen must not pass for a suspension. */
	if (!found)
		ht_load_blame(load, HT_EINVALID, trust->current->where,
		    "it suspends %s, and there is no such grant or member; "
		    "look at the spelling",
		    name);
	return err;
}

static enum ht_err
point(struct ht_trust *trust)
{
	const struct ht_base *base = trust->base;
	size_t n_suspended =
	    trust->current != NULL ? trust->current->current->n_suspended : 0;
	size_t n_members = base->ground->n_members;

	trust->grants = base->grants;
	trust->by_consumer = base->by_consumer;
	trust->members = calloc(n_members + 1, sizeof(struct ht_member *));
	trust->own_members =
	    calloc(n_suspended + 1, sizeof(*trust->own_members));
	trust->own_grants = calloc(n_suspended + 1, sizeof(*trust->own_grants));
	if (trust->members == NULL || trust->own_members == NULL ||
	    trust->own_grants == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < n_members; i++)
		trust->members[i] = base->ground->members[i]->member;
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
	for (unsigned i = 0; current != NULL && err == HT_OK &&
	                     i < current->current->n_suspended;
	     i++)
		err = suspend(load, trust, current->current->suspended[i]);
	if (err != HT_OK)
		return err;
	if (load->worst != HT_OK)
		return load->worst;
	*ret = HT_TAKE(trust);
	return HT_OK;
}

enum ht_err
ht_trust_over(
    struct ht_load *load, struct ht_slice bytes, struct ht_trust **ret)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *current = NULL;
	enum ht_err err = HT_OK;

	if (bytes.len > 0)
		err = take_current(load, bytes, &current);
	if (err == HT_OK && load->worst == HT_OK)
		return trust_new(load, current, ret);
	ht_load_fail(load, err);
	return load->worst;
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

	if (bytes.len > 0)
		return ht_trust_over(&load, bytes, ret_trust);
	ht_report_add(report, "current.note", "it is empty; fetch it again");
	return HT_EINVALID;
}
