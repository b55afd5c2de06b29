/*
 * trust_delta.c -- what changed from one snapshot to a later one, and taking
 * that in: nobody fetches a hundred thousand documents for the sake of one.
 *
 * A trust remembers of each document since which snapshot it is what it is,
 * and what was dropped since when, as far back as it was loaded one after the
 * other.  Whoever has an older snapshot gets the rest, makes the list anew
 * from the documents, and holds it against the root that was signed: what is
 * wrong here cannot come into force.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/trust_in.h"

/* Behind these the oldest news is forgotten; they fit in a message. */
#define GONE_MAX (HT_GONE_MAX / (HT_DOC_NAME_MAX + 16))

/* ---- what changed ---- */

static bool
has_doc(const struct ht_base *base, const struct ht_list_line *line, size_t *i)
{
	uint8_t room[HT_DOC_KEY_MAX];

	return ht_index_get(base->by_doc,
	    ht_doc_key(
	        ht_doc_kind_text(line->kind), ht_slice_str(line->name), room),
	    i);
}

static void
note_since(struct ht_base *base, const struct ht_base *before)
{
	for (size_t i = 0; i < base->n_docs; i++) {
		size_t old;

		base->since[i] = base->snapshot->revision;
		if (before != NULL && has_doc(before, &base->lines[i], &old) &&
		    before->docs[old] == base->docs[i])
			base->since[i] = before->since[old];
	}
}

static void
add_gone(struct ht_base *base, uint64_t version, const char *kind_name)
{
	struct ht_gone *gone = &base->gone[base->n_gone++];

	gone->version = version;
	(void)snprintf(gone->name, sizeof(gone->name), "%s", kind_name);
}

static void
add_dropped(struct ht_base *base, const struct ht_base *before)
{
	for (size_t i = 0; i < before->n_docs; i++) {
		const struct ht_list_line *line = &before->lines[i];
		char name[sizeof(base->gone->name)];
		size_t now;

		if (has_doc(base, line, &now))
			continue;
		(void)snprintf(name, sizeof(name), "%s %s",
		    ht_doc_kind_text(line->kind), line->name);
		add_gone(base, base->snapshot->revision, name);
	}
}

static size_t
count_dropped(const struct ht_base *base, const struct ht_base *before)
{
	size_t n = 0, now;

	for (size_t i = 0; i < before->n_docs; i++)
		if (!has_doc(base, &before->lines[i], &now))
			n++;
	return n;
}

static enum ht_err
note_gone(struct ht_base *base, const struct ht_base *before)
{
	size_t n = before->n_gone + count_dropped(base, before);

	base->floor = before->floor;
	if (n > GONE_MAX) {
		base->floor = base->snapshot->revision;
		return HT_OK;
	}
	base->gone = calloc(n + 1, sizeof(*base->gone));
	if (base->gone == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < before->n_gone; i++)
		add_gone(base, before->gone[i].version, before->gone[i].name);
	add_dropped(base, before);
	return HT_OK;
}

enum ht_err
ht_base_news(struct ht_load *load)
{
	struct ht_base *base = load->base;
	const struct ht_base *before =
	    load->before != NULL ? load->before->base : NULL;

	base->since = calloc(base->n_docs + 1, sizeof(*base->since));
	if (base->since == NULL)
		return HT_ENOMEM;
	note_since(base, before);
	if (before != NULL)
		return note_gone(base, before);
	base->floor = base->snapshot->revision;
	return HT_OK;
}

/* ---- showing it ---- */

uint64_t
ht_trust_since(const struct ht_trust *trust, uint64_t have)
{
	const struct ht_base *base = trust->base;

	return have >= base->floor && have <= base->snapshot->revision ? have
	                                                               : 0;
}

struct ht_slice
ht_trust_snapshot(const struct ht_trust *trust)
{
	return trust->base->snapshot->bytes;
}

uint64_t
ht_trust_doc_since(const struct ht_trust *trust, size_t i)
{
	return trust->base->since[i];
}

size_t
ht_trust_n_since(const struct ht_trust *trust, uint64_t since)
{
	const struct ht_base *base = trust->base;
	size_t n = 0;

	for (size_t i = 0; i < base->n_docs; i++)
		n += base->since[i] > since;
	return n;
}

bool
ht_trust_next_since(const struct ht_trust *trust, uint64_t since, size_t *at,
    struct ht_slice *ret_line, struct ht_slice *ret_note)
{
	const struct ht_base *base = trust->base;

	while (*at < base->n_docs && base->since[*at] <= since)
		(*at)++;
	if (*at == base->n_docs)
		return false;
	*ret_line = base->lines[*at].line;
	*ret_note = base->docs[*at]->bytes;
	(*at)++;
	return true;
}

void
ht_trust_gone_since(
    const struct ht_trust *trust, uint64_t since, struct ht_buf *out)
{
	const struct ht_base *base = trust->base;

	for (size_t i = 0; since > 0 && i < base->n_gone; i++)
		if (base->gone[i].version > since)
			ht_buf_fmt(out, "%s\n", base->gone[i].name);
}

/* ---- taking it in ---- */

struct entry {
	struct ht_slice line;
	struct ht_slice note;
};

struct patch {
	const struct ht_base *before; /* NULL: from nothing */
	const struct ht_trust_news *news;
	struct ht_report *report;
	struct ht_map *replaced; /* "kind name" of what is gone or new */
	struct entry *entries;
	size_t n;
	struct ht_buf list;
	struct ht_slice *notes;
};

static void
patch_fini(struct patch *p)
{
	ht_map_free(&p->replaced, NULL);
	ht_buf_fini(&p->list);
	free(p->entries);
	free(p->notes);
}

static enum ht_err
patch_begin(struct patch *p)
{
	size_t n = (p->before != NULL ? p->before->n_docs : 0) + p->news->n;

	p->list = HT_BUF(HT_LIST_MAX * (HT_DOC_NAME_MAX + 128));
	p->replaced = ht_map_new();
	p->entries = calloc(n + 1, sizeof(*p->entries));
	p->notes = calloc(n + 1, sizeof(*p->notes));
	return p->replaced == NULL || p->entries == NULL || p->notes == NULL
	           ? HT_ENOMEM
	           : HT_OK;
}

/* A line each, "kind name". */
static enum ht_err
take_gone(struct patch *p)
{
	struct ht_slice gone = p->news->gone;
	enum ht_err err = HT_OK;

	while (gone.len > 0 && err == HT_OK) {
		const uint8_t *end = memchr(gone.at, '\n', gone.len);
		size_t len;

		if (end == NULL) {
			ht_report_add(p->report, "snapshot",
			    "the list of what is gone breaks off");
			return HT_EINVALID;
		}
		len = (size_t)(end - gone.at);
		err = ht_index_put(p->replaced, HT_SLICE(gone.at, len), 0);
		gone = HT_SLICE(end + 1, gone.len - len - 1);
	}
	return err;
}

/* "kind name revision hash": what stood under that name is replaced. */
static enum ht_err
take_new(struct patch *p, struct ht_slice line, struct ht_slice note)
{
	const uint8_t *space = line.at;

	for (unsigned n = 0; n < 2; n++, space++) {
		size_t left = line.len - (size_t)(space - line.at);

		space = left > 0 ? memchr(space, ' ', left) : NULL;
		if (space == NULL) {
			ht_report_add(p->report, "snapshot",
			    "a line of its list has no kind and name");
			return HT_EINVALID;
		}
	}
	p->entries[p->n++] = (struct entry){line, note};
	return ht_index_put(
	    p->replaced, HT_SLICE(line.at, (size_t)(space - 1 - line.at)), 0);
}

static void
take_kept(struct patch *p, size_t i)
{
	const struct ht_list_line *line = &p->before->lines[i];
	uint8_t room[HT_DOC_KEY_MAX];
	size_t unused;

	if (!ht_index_get(p->replaced,
	        ht_doc_key(ht_doc_kind_text(line->kind),
	            ht_slice_str(line->name), room),
	        &unused))
		p->entries[p->n++] =
		    (struct entry){line->line, p->before->docs[i]->bytes};
}

static int
by_line(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return ht_slice_cmp(x->line, y->line);
}

static enum ht_err
make_list(struct patch *p)
{
	qsort(p->entries, p->n, sizeof(*p->entries), by_line);
	for (size_t i = 0; i < p->n; i++) {
		ht_buf_add(
		    &p->list, p->entries[i].line.at, p->entries[i].line.len);
		ht_buf_u8(&p->list, '\n');
		p->notes[i] = p->entries[i].note;
	}
	return p->list.err;
}

enum ht_err
ht_trust_patch(const struct ht_root *root, const struct ht_trust_news *news,
    const struct ht_trust *before, struct ht_report *report,
    struct ht_trust **ret_trust)
{
	HT_AUTO(patch_fini)
	struct patch p = {
	    .before = news->whole || before == NULL ? NULL : before->base,
	    .news = news,
	    .report = report,
	};
	struct ht_trust_docs docs = {
	    .snapshot = news->snapshot,
	    .current = news->current,
	};
	enum ht_err err = patch_begin(&p);

	if (err == HT_OK)
		err = take_gone(&p);
	for (size_t i = 0; i < news->n && err == HT_OK; i++)
		err = take_new(&p, news->lines[i], news->notes[i]);
	for (size_t i = 0;
	     err == HT_OK && p.before != NULL && i < p.before->n_docs; i++)
		take_kept(&p, i);
	if (err == HT_OK)
		err = make_list(&p);
	if (err != HT_OK)
		return err;
	docs.list = ht_buf_slice(&p.list);
	docs.n = p.n;
	docs.notes = p.notes;
	docs.in_order = true;
	return ht_trust_load(root, &docs, before, report, ret_trust);
}
