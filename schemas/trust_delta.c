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

/* Since the same snapshot as before, if it is the same, byte for byte. */
static void
note_since(struct ht_load *load)
{
	struct ht_base *base = load->base;

	for (size_t i = 0; i < base->n_docs; i++) {
		const struct ht_doc *old = ht_load_old(load, i);

		base->since[i] = base->snapshot->revision;
		base->by_since[i] = (uint32_t)i;
		if (old != NULL &&
		    (old == base->docs[i] ||
		        ht_slice_eq(old->bytes, base->docs[i]->bytes)))
			base->since[i] =
			    load->before->base->since[load->old[i] - 1];
	}
}

static int
by_since(const void *a, const void *b, void *arg)
{
	const uint64_t *since = arg;
	const uint32_t *x = a, *y = b;

	if (since[*x] != since[*y])
		return since[*x] > since[*y] ? 1 : -1;
	return (*x > *y) - (*x < *y);
}

static void
add_gone(struct ht_base *base, uint64_t version, const char *kind_name)
{
	struct ht_gone *gone = &base->gone[base->n_gone++];

	gone->version = version;
	(void)snprintf(gone->name, sizeof(gone->name), "%s", kind_name);
}

enum ht_err
ht_base_gone(struct ht_load *load)
{
	struct ht_base *base = load->base;
	const struct ht_base *before = load->before->base;
	size_t n = before->n_gone + load->n_dropped;

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
	for (size_t i = 0; i < load->n_dropped; i++) {
		const struct ht_doc *doc = load->dropped[i];
		char name[sizeof(base->gone->name)];

		(void)snprintf(name, sizeof(name), "%s %s",
		    ht_doc_kind_text(doc->kind), doc->name);
		add_gone(base, base->snapshot->revision, name);
	}
	return HT_OK;
}

enum ht_err
ht_base_news(struct ht_load *load)
{
	struct ht_base *base = load->base;

	base->since = calloc(base->n_docs + 1, sizeof(*base->since));
	base->by_since = calloc(base->n_docs + 1, sizeof(*base->by_since));
	if (base->since == NULL || base->by_since == NULL)
		return HT_ENOMEM;
	note_since(load);
	base->floor = base->snapshot->revision;
	if (load->before == NULL)
		return HT_OK; /* all of one age */
	qsort_r(base->by_since, base->n_docs, sizeof(*base->by_since), by_since,
	    base->since);
	return ht_base_gone(load);
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

/* The first of those that are newer, among them by age. */
static size_t
first_since(const struct ht_base *base, uint64_t since)
{
	size_t low = 0, high = base->n_docs;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (base->since[base->by_since[mid]] <= since)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t
ht_trust_n_since(const struct ht_trust *trust, uint64_t since)
{
	return trust->base->n_docs - first_since(trust->base, since);
}

bool
ht_trust_next_since(const struct ht_trust *trust, uint64_t since, size_t *at,
    struct ht_slice *ret_line, struct ht_slice *ret_note)
{
	const struct ht_base *base = trust->base;
	size_t first = first_since(base, since), i;

	if (*at >= base->n_docs - first)
		return false;
	i = base->by_since[first + (*at)++];
	*ret_line = ht_base_line(base, i);
	*ret_note = base->docs[i]->bytes;
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
	size_t n_out;
	uint32_t *out;         /* lines before that are gone or replaced */
	struct entry *entries; /* what is new, in the list's order */
	size_t n;
	bool anew; /* a text that was there before comes with another note */
	struct ht_buf list;
};

static void
patch_fini(struct patch *p)
{
	ht_buf_fini(&p->list);
	free(p->out);
	free(p->entries);
}

static enum ht_err
patch_begin(struct patch *p)
{
	size_t n_gone = 0;

	for (size_t i = 0; i < p->news->gone.len; i++)
		n_gone += p->news->gone.at[i] == '\n';
	p->list = HT_BUF(HT_LIST_BYTES);
	p->entries = calloc(p->news->n + 1, sizeof(*p->entries));
	p->out = calloc(p->news->n + n_gone + 1, sizeof(*p->out));
	return p->out == NULL || p->entries == NULL ? HT_ENOMEM : HT_OK;
}

/* The line of that "kind name" leaves the list, if it stands there. */
static bool
take_out(struct patch *p, struct ht_slice kind_name, size_t *ret)
{
	char text[HT_DOC_NAME_MAX + 16];
	char *name;

	if (p->before == NULL || kind_name.len >= sizeof(text))
		return false;
	memcpy(text, kind_name.at, kind_name.len);
	text[kind_name.len] = '\0';
	name = strchr(text, ' ');
	if (name == NULL)
		return false;
	*name++ = '\0';
	if (!ht_base_find(p->before, text, name, ret))
		return false;
	p->out[p->n_out++] = (uint32_t)*ret;
	return true;
}

/* A line each, "kind name". */
static enum ht_err
take_gone(struct patch *p)
{
	struct ht_slice gone = p->news->gone;
	size_t unused;

	while (gone.len > 0) {
		const uint8_t *end = memchr(gone.at, '\n', gone.len);
		size_t len;

		if (end == NULL) {
			ht_report_add(p->report, "snapshot",
			    "the list of what is gone breaks off");
			return HT_EINVALID;
		}
		len = (size_t)(end - gone.at);
		(void)take_out(p, HT_SLICE(gone.at, len), &unused);
		gone = HT_SLICE(end + 1, gone.len - len - 1);
	}
	return HT_OK;
}

/* "kind name" of "kind name revision hash"; empty if it is no such line. */
static struct ht_slice
kind_name(struct ht_slice line)
{
	const uint8_t *space = line.at;

	for (unsigned n = 0; n < 2; n++, space++) {
		size_t left = line.len - (size_t)(space - line.at);

		space = left > 0 ? memchr(space, ' ', left) : NULL;
		if (space == NULL)
			return HT_SLICE(NULL, 0);
	}
	return HT_SLICE(line.at, (size_t)(space - 1 - line.at));
}

/* What stood under that name is replaced. */
static enum ht_err
take_new(struct patch *p, struct ht_slice line, struct ht_slice note)
{
	struct ht_slice key = kind_name(line);
	size_t at;

	if (key.len == 0) {
		ht_report_add(p->report, "snapshot",
		    "a line of its list has no kind and name");
		return HT_EINVALID;
	}
	p->entries[p->n++] = (struct entry){line, note};
	if (take_out(p, key, &at) &&
	    ht_slice_eq(ht_base_line(p->before, at), line))
		p->anew = true;
	return HT_OK;
}

static int
by_line(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return ht_slice_cmp(x->line, y->line);
}

static int
by_place(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The first line before that does not come before this one. */
static size_t
place_of(const struct ht_base *before, struct ht_slice line)
{
	size_t low = 0, high = before != NULL ? before->n_docs : 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (ht_slice_cmp(ht_base_line(before, mid), line) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Lines as they stood, from *from up to @to. */
static void
copy_lines(struct patch *p, size_t *from, size_t to)
{
	const uint32_t *starts;

	if (to <= *from)
		return;
	starts = p->before->starts;
	ht_buf_add(&p->list, p->before->list.at + starts[*from],
	    starts[to] - starts[*from]);
	*from = to;
}

static enum ht_err
room_for_list(struct patch *p)
{
	size_t bytes = p->before != NULL ? p->before->list.len : 0;

	for (size_t i = 0; i < p->n; i++)
		bytes += p->entries[i].line.len + 1;
	if (ht_buf_room(&p->list, bytes) == NULL)
		return p->list.err;
	ht_buf_reset(&p->list);
	return HT_OK;
}

/* The lines that stay, run by run, and among them those that are new. */
static enum ht_err
make_list(struct patch *p)
{
	size_t at = 0, k = 0, o = 0;
	enum ht_err err = room_for_list(p);

	if (err != HT_OK)
		return err;
	qsort(p->entries, p->n, sizeof(*p->entries), by_line);
	qsort(p->out, p->n_out, sizeof(*p->out), by_place);
	while (k < p->n || o < p->n_out) {
		size_t in = k < p->n ? place_of(p->before, p->entries[k].line)
		                     : SIZE_MAX;
		size_t out = o < p->n_out ? p->out[o] : SIZE_MAX;

		copy_lines(p, &at, in < out ? in : out);
		if (in <= out) {
			struct ht_slice line = p->entries[k++].line;

			ht_buf_add(&p->list, line.at, line.len);
			ht_buf_u8(&p->list, '\n');
		} else {
			at = out + 1;
			o++;
		}
	}
	if (p->before != NULL)
		copy_lines(p, &at, p->before->n_docs);
	return p->list.err;
}

static enum ht_err
note_of(void *arg, size_t i, const struct ht_list_line *line,
    struct ht_slice *ret_note, const char **ret_name)
{
	const struct patch *p = arg;
	struct entry key = {.line = line->line}, *entry;
	size_t at;

	(void)i;
	(void)ret_name;
	entry = bsearch(&key, p->entries, p->n, sizeof(*entry), by_line);
	if (entry != NULL)
		*ret_note = entry->note;
	else if (p->before != NULL &&
	         ht_base_find(
	             p->before, ht_doc_kind_text(line->kind), line->name, &at))
		*ret_note = p->before->docs[at]->bytes;
	return HT_OK;
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
	    .note = note_of,
	    .arg = &p,
	};
	enum ht_err err = patch_begin(&p);

	if (err == HT_OK && news->current.len == 0) {
		ht_report_add(report, "current.note",
		    "there is none; nothing would be in force");
		err = HT_EINVALID;
	}
	if (err == HT_OK)
		err = take_gone(&p);
	for (size_t i = 0; i < news->n && err == HT_OK; i++)
		err = take_new(&p, news->lines[i], news->notes[i]);
	if (err == HT_OK)
		err = make_list(&p);
	if (err != HT_OK)
		return err;
	docs.list = ht_buf_slice(&p.list);
	docs.taken = &p.list;
	docs.reuse = p.before != NULL && !p.anew;
	return ht_trust_load(root, &docs, before, report, ret_trust);
}
