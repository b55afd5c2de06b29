/*
 * trust_graft.c -- the next snapshot where nothing but grants came, changed or
 * went, which is nearly every one: what was held against one another before is
 * taken over, and the new grants alone are read, verified and linked.
 *
 * What is left for each of a hundred thousand documents is to compare a line,
 * a hash of the tree over the list, and some bytes to copy.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/trust_in.h"

#define NEW_PART 8 /* more than one in so many is new: worth all the cores */

struct graft {
	struct ht_load *load;
	const struct ht_base *old;
	struct ht_base *base;
	uint32_t *place; /* of the list before -> of this one + 1; 0: gone */
	size_t n_new;
	uint32_t *new;            /* lines that were not there before */
	struct ht_list_line line; /* of the one at hand */
};

static void
graft_fini(struct graft *g)
{
	free(g->place);
	free(g->new);
}

/* ---- the list ---- */

/* Room for as many lines as both may have. */
static enum ht_err
make_room(struct graft *g)
{
	struct ht_base *base = g->base;
	const uint8_t *at = base->list.at, *end = at + base->list.len;
	size_t n = 0;

	for (; at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL;
	     at++)
		n++;
	if (n == 0 || n > HT_LIST_MAX || end[-1] != '\n')
		return HT_EMALFORMED;
	base->starts = calloc(n + 1, sizeof(*base->starts));
	base->leaves = calloc(n + 1, sizeof(*base->leaves));
	g->new = calloc(n + 1, sizeof(*g->new));
	g->place = calloc(g->old->n_docs + 1, sizeof(*g->place));
	g->load->old = calloc(n + 1, sizeof(*g->load->old));
	base->n_docs = n;
	return base->starts != NULL && base->leaves != NULL && g->new != NULL &&
	               g->place != NULL && g->load->old != NULL
	           ? HT_OK
	           : HT_ENOMEM;
}

/* Does line @k of the list before stand @at, newline and all? */
static bool
stands(
    const struct ht_base *old, size_t k, const uint8_t *at, const uint8_t *end)
{
	size_t len;

	if (k == old->n_docs)
		return false;
	len = old->starts[k + 1] - old->starts[k];
	return len <= (size_t)(end - at) &&
	       memcmp(old->list.at + old->starts[k], at, len) == 0;
}

/* The first line before, from @k on, that does not come before this one. */
static size_t
catch_up(const struct ht_base *old, size_t k, struct ht_slice line)
{
	while (k < old->n_docs && ht_slice_cmp(ht_base_line(old, k), line) < 0)
		k++;
	return k;
}

/* Line by line beside the list before: both are sorted, or do not match. */
static void
match(struct graft *g)
{
	struct ht_base *base = g->base;
	const struct ht_base *old = g->old;
	const uint8_t *at = base->list.at, *end = at + base->list.len;
	size_t k = 0, len;

	for (size_t i = 0; i < base->n_docs; i++, at += len) {
		base->starts[i] = (uint32_t)(at - base->list.at);
		if (!stands(old, k, at, end)) {
			const uint8_t *stop =
			    memchr(at, '\n', (size_t)(end - at));

			len = (size_t)(stop - at) + 1;
			k = catch_up(old, k, HT_SLICE(at, len - 1));
		}
		if (stands(old, k, at, end)) {
			len = old->starts[k + 1] - old->starts[k];
			base->leaves[i] = old->leaves[k];
			g->place[k++] = (uint32_t)i + 1;
			g->load->old[i] = (uint32_t)k;
		} else {
			base->leaves[i] = ht_leaf_hash(HT_SLICE(at, len - 1));
			g->new[g->n_new++] = (uint32_t)i;
		}
	}
	base->starts[base->n_docs] = (uint32_t)base->list.len;
}

/* Nothing else came or went? */
static bool
only_grants(struct graft *g)
{
	const struct ht_base *base = g->base;

	if (g->n_new > base->n_docs / NEW_PART + 1)
		return false;
	for (size_t k = 0; k < g->old->n_docs; k++)
		if (g->place[k] == 0 && g->old->docs[k]->kind != HT_DOC_GRANT)
			return false;
	for (size_t i = 0; i < g->n_new; i++) {
		struct ht_slice line = ht_base_line(base, g->new[i]);

		if (line.len < 6 || memcmp(line.at, "grant ", 6) != 0)
			return false;
	}
	return true;
}

/* ---- the documents ---- */

static enum ht_err
parse_line(struct graft *g, size_t i)
{
	HT_AUTO(ht_mem_free) struct ht_list_line *lines = NULL;
	struct ht_slice line = ht_base_line(g->base, i);
	size_t n = 0;
	enum ht_err err = ht_list_parse(HT_SLICE(line.at, line.len + 1),
	    "snapshot.list", g->load->report, &lines, &n);

	if (err == HT_OK)
		g->line = lines[0];
	return err;
}

static enum ht_err
take_note(struct graft *g, size_t i)
{
	struct ht_load *load = g->load;
	struct ht_slice note = HT_SLICE(NULL, 0);
	const char *name = NULL;
	char where[HT_DOC_PATH_MAX];
	enum ht_err err =
	    load->given->note(load->given->arg, i, &g->line, &note, &name);

	ht_doc_path(g->line.kind, g->line.name, where);
	if (err == HT_OK && note.len == 0)
		err = HT_ENOTFOUND;
	if (err != HT_OK) {
		ht_report_add(load->report, where,
		    "it is in the snapshot's list, but its document is not "
		    "there; fetch it");
		return err == HT_ENOMEM ? err : HT_EINVALID;
	}
	atomic_fetch_add(&load->n_read, 1);
	return ht_doc_parse(
	    note, name != NULL ? name : where, load->report, &g->base->docs[i]);
}

/* A grant that is new, or of another revision. */
static enum ht_err
take_grant(struct graft *g, size_t i)
{
	struct ht_load *load = g->load;
	const struct ht_doc *before = NULL;
	size_t at;
	enum ht_err err = parse_line(g, i);

	if (err == HT_OK)
		err = take_note(g, i);
	if (err != HT_OK)
		return err;
	if (ht_base_find(g->old, "grant", g->line.name, &at)) {
		before = g->old->docs[at];
		load->old[i] = (uint32_t)at + 1;
	}
	ht_load_check_line(load, &g->line, g->base->docs[i], before);
	if (load->worst != HT_OK)
		return load->worst;
	err =
	    ht_load_check_signed(load, g->base->docs[i], before, load->report);
	return err == HT_OK ? ht_link_grant(load, i) : err;
}

static enum ht_err
take_docs(struct graft *g)
{
	struct ht_base *base = g->base;
	enum ht_err err = HT_OK;

	base->docs = calloc(base->n_docs + 1, sizeof(struct ht_doc *));
	if (base->docs == NULL)
		return HT_ENOMEM;
	for (size_t k = 0; k < g->old->n_docs; k++)
		if (g->place[k] != 0)
			base->docs[g->place[k] - 1] =
			    ht_doc_ref(g->old->docs[k]);
	for (size_t i = 0; i < g->n_new && err == HT_OK; i++)
		err = take_grant(g, g->new[i]);
	return err;
}

/* With those before and behind it: no name twice, and by name. */
static bool
in_order(const struct ht_base *base, size_t i)
{
	return i + 1 >= base->n_docs ||
	       ht_doc_order(ht_doc_kind_text(base->docs[i]->kind),
	           base->docs[i]->name,
	           ht_doc_kind_text(base->docs[i + 1]->kind),
	           base->docs[i + 1]->name) < 0;
}

static enum ht_err
check_order(struct graft *g)
{
	for (size_t i = 0; i < g->n_new; i++) {
		size_t at = g->new[i];

		if (in_order(g->base, at) &&
		    (at == 0 || in_order(g->base, at - 1)))
			continue;
		ht_report_add(g->load->report, "snapshot.list",
		    "line %zu is out of order, or names a document again",
		    at + 1);
		return HT_EINVALID;
	}
	return HT_OK;
}

/* ---- the indexes ---- */

static int
by_consumer(const void *a, const void *b)
{
	const struct ht_grant *const *x = a, *const *y = b;

	return ht_grant_order(*x, *y);
}

/* Where it stands among the grants before, or would. */
static size_t
place_before(const struct ht_base *old, const struct ht_grant *grant)
{
	size_t low = 0, high = old->n_grants;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (ht_grant_order(old->by_consumer[mid], grant) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Grants of the list before, up to @to, as they stood. */
static void
copy_run(struct graft *g, size_t *from, size_t to, size_t *n)
{
	if (to <= *from)
		return;
	memcpy(&g->base->by_consumer[*n], &g->old->by_consumer[*from],
	    (to - *from) * sizeof(struct ht_grant *));
	*n += to - *from;
	*from = to;
}

/* Those that stay, in their order, and the new ones among them. */
static void
merge_grants(struct graft *g, const struct ht_grant *const *new, size_t n_new,
    const struct ht_grant *const *gone, size_t n_gone)
{
	size_t k = 0, d = 0, at = 0, n = 0;

	while (k < n_new || d < n_gone) {
		size_t in = k < n_new ? place_before(g->old, new[k]) : SIZE_MAX;
		size_t out =
		    d < n_gone ? place_before(g->old, gone[d]) : SIZE_MAX;

		copy_run(g, &at, in < out ? in : out, &n);
		if (in <= out) {
			g->base->by_consumer[n++] = new[k++];
		} else {
			at = out + 1;
			d++;
		}
	}
	copy_run(g, &at, g->old->n_grants, &n);
}

/* By name they stand as in the list. */
static void
name_grants(struct graft *g)
{
	struct ht_base *base = g->base;
	const struct ht_base *old = g->old;

	for (size_t i = 0; i < old->n_grants; i++) {
		uint32_t place = g->place[old->first_grant + i];

		if (place != 0)
			base->grants[place - 1 - base->first_grant] =
			    old->grants[i];
	}
	for (size_t i = 0; i < g->n_new; i++)
		base->grants[g->new[i] - base->first_grant] =
		    &base->docs[g->new[i]]->grant->grant;
}

static enum ht_err
index_grants(struct graft *g)
{
	struct ht_base *base = g->base;
	const struct ht_base *old = g->old;
	size_t n_gone = old->n_docs - (base->n_docs - g->n_new), n = 0;
	HT_AUTO(ht_mem_free)
	const struct ht_grant **new = calloc(g->n_new + 1, sizeof(*new));
	HT_AUTO(ht_mem_free)
	const struct ht_grant **gone = calloc(n_gone + 1, sizeof(*gone));

	base->first_grant = old->first_grant;
	base->n_grants = old->n_grants + base->n_docs - old->n_docs;
	if (base->n_grants > HT_GRANTS_MAX) {
		ht_report_add(g->load->report, "snapshot.list",
		    "more than %d grants", HT_GRANTS_MAX);
		return HT_ETOOBIG;
	}
	if (ht_base_room(base) != HT_OK || new == NULL || gone == NULL)
		return HT_ENOMEM;
	name_grants(g);
	for (size_t i = 0; i < g->n_new; i++)
		new[i] = &base->docs[g->new[i]]->grant->grant;
	for (size_t i = 0; i < old->n_docs; i++)
		if (g->place[i] == 0)
			gone[n++] = &old->docs[i]->grant->grant;
	qsort(new, g->n_new, sizeof(*new), by_consumer);
	qsort(gone, n, sizeof(*gone), by_consumer);
	merge_grants(g, new, g->n_new, gone, n);
	return HT_OK;
}

/* As trust_delta.c has it: the newest come last. */
static enum ht_err
index_news(struct graft *g)
{
	struct ht_base *base = g->base;
	const struct ht_base *old = g->old;
	size_t n = 0;

	base->since = calloc(base->n_docs + 1, sizeof(*base->since));
	base->by_since = calloc(base->n_docs + 1, sizeof(*base->by_since));
	if (base->since == NULL || base->by_since == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < old->n_docs; i++) {
		uint32_t was = old->by_since[i], place = g->place[was];

		if (place == 0)
			continue;
		base->since[place - 1] = old->since[was];
		base->by_since[n++] = place - 1;
	}
	for (size_t i = 0; i < g->n_new; i++) {
		base->since[g->new[i]] = base->snapshot->revision;
		base->by_since[n++] = g->new[i];
	}
	return HT_OK;
}

/* Those that were dropped, and not those that another revision replaced. */
static enum ht_err
find_dropped(struct graft *g)
{
	struct ht_load *load = g->load;
	size_t at;

	load->dropped = calloc(g->old->n_docs + 1, sizeof(struct ht_doc *));
	if (load->dropped == NULL)
		return HT_ENOMEM;
	for (size_t k = 0; k < g->old->n_docs; k++)
		if (g->place[k] == 0 &&
		    !ht_base_find(g->base, "grant", g->old->docs[k]->name, &at))
			load->dropped[load->n_dropped++] = g->old->docs[k];
	return HT_OK;
}

static enum ht_err
take_all(struct graft *g)
{
	struct ht_base *base = g->base;
	struct ht_load *load = g->load;
	enum ht_err err = ht_load_check_list(load);

	if (err != HT_OK)
		return err;
	base->root = g->old->root;
	ht_load_check_snapshot(load);
	if (load->worst != HT_OK)
		return load->worst;
	atomic_fetch_add(&g->old->ground->refs, 1);
	base->ground = g->old->ground;
	err = take_docs(g);
	if (err == HT_OK && load->worst == HT_OK)
		err = check_order(g);
	if (err != HT_OK || load->worst != HT_OK)
		return err;
	err = index_grants(g);
	if (err == HT_OK)
		err = index_news(g);
	if (err == HT_OK)
		err = find_dropped(g);
	return err == HT_OK ? ht_base_gone(load) : err;
}

/* Nothing of the attempt stays: all is read as if there were no graft. */
static void
forget(struct graft *g)
{
	free(g->base->starts);
	free(g->base->leaves);
	free(g->load->old);
	g->base->starts = NULL;
	g->base->leaves = NULL;
	g->load->old = NULL;
	g->base->n_docs = 0;
}

enum ht_err
ht_graft(struct ht_load *load, bool *ret_done)
{
	HT_AUTO(graft_fini)
	struct graft g = {.load = load, .base = load->base};
	enum ht_err err;

	/* What is not reused has to be looked at, byte for byte. */
	if (load->before == NULL || !load->given->reuse ||
	    !ht_root_same(load->anchor, &load->before->base->root))
		return HT_OK;
	g.old = load->before->base;
	err = make_room(&g);
	if (err == HT_ENOMEM)
		return err;
	if (err == HT_OK) {
		match(&g);
		*ret_done = only_grants(&g);
	}
	if (*ret_done)
		return take_all(&g);
	/* No such list at all is for those to say who read it whole. */
	forget(&g);
	return HT_OK;
}
