/*
 * sheet_revise.c -- the next state of an item as its rows have it: the text in
 * force with the values changed that the rows say otherwise, and all that a
 * table cannot say as it was.
 */
#include "schemas/sheet_revise.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"

static void
revising_fini(struct ht_sheet_revising *r)
{
	ht_edits_fini(&r->edits);
	ht_law_close(&r->law);
	ht_buf_fini(&r->entry);
}

static struct ht_slice
cell(const struct ht_sheet_revising *r, size_t row, unsigned column)
{
	return ht_sheet_cell(r->sheet, row, column);
}

struct ht_slice
ht_sheet_yaml(struct ht_sheet_revising *r, const struct ht_buf *buf)
{
	if (buf->err == HT_OK)
		return ht_buf_slice(buf);
	r->edits.err = buf->err;
	return HT_SLICE("", 0);
}

void
ht_sheet_cannot(const struct ht_sheet_revising *r, size_t row, unsigned column,
    const char *text)
{
	ht_sheet_blame(r->sheet, row, column, r->to.report, text);
}

void
ht_sheet_take_away(
    struct ht_sheet_revising *r, struct ht_yaml *map, const char *key)
{
	for (size_t i = 0; i < ht_yaml_count(map); i++)
		if (strcmp(ht_yaml_key(map, i), key) == 0)
			ht_edit_remove(&r->edits, map, i);
}

#define BY_HAND                                                                \
	"the sheet cannot change this; change it in the document by hand, or " \
	"put the sheet right"

/* ---- what differs ---- */

struct seen { /* the columns of a row that differ, until its last is known */
	struct ht_sheet_revising *r;
	size_t row;
	unsigned cells;
};

static void
flush(struct seen *s)
{
	const unsigned in_place =
	    (1u << HT_SHEET_FIELD_TITLE) | (1u << HT_SHEET_TYPE) |
	    (1u << HT_SHEET_LENGTH) | (1u << HT_SHEET_LEVEL);

	if (s->cells & in_place)
		ht_sheet_revise_field(s->r, s->row, s->cells);
	s->cells = 0;
}

static void
say(struct ht_sheet_revising *r, size_t row, unsigned column,
    struct ht_slice has)
{
	struct ht_slice is = cell(r, row, column);
	char text[1024];

	r->n++;
	(void)snprintf(text, sizeof(text),
	    "\"%.*s\" in the catalog, \"%.*s\" here",
	    (int)ht_utf8_cut(has, 300), (const char *)has.at,
	    (int)ht_utf8_cut(is, 300), (const char *)is.at);
	ht_sheet_blame(r->sheet, row, column, r->to.said, text);
}

static void
on_cell(void *arg, size_t row, unsigned column, struct ht_slice has)
{
	struct seen *s = arg;
	struct ht_sheet_revising *r = s->r;

	/* A title that nobody filled in says nothing: it is read nowhere. */
	if (column == HT_SHEET_PROVIDER &&
	    (cell(r, row, column).len == 0 || has.len == 0))
		return;
	if (row != s->row)
		flush(s);
	s->row = row;
	say(r, row, column, has);
	if (!ht_sheet_of_field(column)) {
		ht_sheet_revise_item(r, column);
		return;
	}
	s->cells |= 1u << column;
	if (column == HT_SHEET_REQUIRED)
		r->required = true;
	if (column == HT_SHEET_PARAM)
		ht_sheet_cannot(r, row, column,
		    "by what one asks is more than a cell (rules over several "
		    "parameters, the subject); change the request in the "
		    "document by hand");
}

static void
on_gone(void *arg, const char *field)
{
	struct ht_sheet_revising *r = ((struct seen *)arg)->r;
	char text[256];

	r->n++;
	(void)snprintf(text, sizeof(text),
	    "the field %s is in the catalog, and has no row here", field);
	ht_sheet_blame(
	    r->sheet, r->item->row, HT_SHEET_FIELD, r->to.said, text);
	ht_sheet_take_away(
	    r, ht_law_at(&r->law, "record", "properties"), field);
	if (ht_sheet_was_required(r, ht_slice_str(field)))
		r->required = true;
}

static void
on_come(void *arg, size_t row)
{
	struct ht_sheet_revising *r = ((struct seen *)arg)->r;
	HT_AUTO(ht_buf_fini) struct ht_buf yaml = HT_BUF(HT_DOC_MAX);

	r->n++;
	ht_sheet_blame(r->sheet, row, HT_SHEET_FIELD, r->to.said,
	    "a new field, the last of the record");
	if (ht_sheet_yes(cell(r, row, HT_SHEET_PARAM)) > 0)
		ht_sheet_cannot(r, row, HT_SHEET_PARAM,
		    "a new field to ask by needs the request changed; do that "
		    "in the document by hand");
	if (ht_sheet_yes(cell(r, row, HT_SHEET_REQUIRED)) > 0)
		r->required = true;
	if (!ht_sheet_field_line(r->sheet, row, true, r->to.report, &yaml) ||
	    ht_sheet_yaml(r, &yaml).len == 0)
		return;
	ht_edit_append(&r->edits, ht_law_at(&r->law, "record", "properties"),
	    HT_SLICE(yaml.at, yaml.len - 1));
}

/* ---- the draft ---- */

static void
set_number(struct ht_sheet_revising *r, const char *key, uint64_t n)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	ht_edit_set(&r->edits, r->law.top, key, ht_slice_str(text));
}

/* The text in force with all differences, and as which version. */
static enum ht_err
compose(const struct ht_sheet_against *a, const struct ht_sheet_says *to,
    const struct ht_sheet_next *next, unsigned *ret_n, struct ht_buf *out)
{
	static const struct ht_rules none = {NULL, NULL};
	HT_AUTO(revising_fini)
	struct ht_sheet_revising r = {
	    .sheet = a->sheet,
	    .item = a->item,
	    .with = a->with,
	    .to = *to,
	    .edits = {.text = a->with->text},
	    .entry = HT_BUF(HT_DOC_MAX),
	};
	struct seen seen = {.r = &r};
	struct ht_sheet_against all = *a;
	enum ht_err err = ht_law_open(&r.law, a->with, &none);

	all.cell = on_cell;
	all.gone = on_gone;
	all.come = on_come;
	all.arg = &seen;
	ht_buf_str(&r.entry, "entry:\n");
	if (err == HT_OK)
		err = ht_sheet_against(&all);
	if (err != HT_OK)
		return err;
	flush(&seen);
	if (r.required)
		ht_sheet_revise_required(&r);
	if (r.entry.len > strlen("entry:\n"))
		ht_edit_before(&r.edits, ht_yaml_child(r.law.top, "request"),
		    ht_sheet_yaml(&r, &r.entry));
	set_number(&r, "version", next->version);
	set_number(&r, "revision", next->revision);
	if (next->version != a->with->item->version)
		ht_sheet_take_away(&r, r.law.top, "until");
	*ret_n = r.n;
	return ht_edits_apply(&r.edits, out);
}

/* ---- did it come out as the sheet says? ---- */

struct left {
	const struct ht_sheet_against *a;
	struct ht_report *report;
};

static void
left_cell(void *arg, size_t row, unsigned column, struct ht_slice has)
{
	struct left *l = arg;

	(void)has;
	if (column != HT_SHEET_PROVIDER)
		ht_sheet_blame(l->a->sheet, row, column, l->report, BY_HAND);
}

static void
left_row(void *arg, size_t row)
{
	left_cell(arg, row, HT_SHEET_FIELD, HT_SLICE("", 0));
}

static void
left_field(void *arg, const char *field)
{
	(void)field;
	left_row(arg, ((struct left *)arg)->a->item->row);
}

static enum ht_err
check_draft(const struct ht_sheet_against *a, struct ht_slice draft,
    struct ht_report *report, struct ht_doc **ret)
{
	struct left left = {a, report};
	struct ht_sheet_against again = *a;
	unsigned before = ht_report_count(report);
	enum ht_err err = ht_sheet_parse(a->sheet, a->item, draft, report, ret);

	if (err != HT_OK)
		return err;
	again.with = *ret;
	again.cell = left_cell;
	again.gone = left_field;
	again.come = left_row;
	again.arg = &left;
	err = ht_sheet_against(&again);
	return err == HT_OK && ht_report_count(report) > before ? HT_EINVALID
	                                                        : err;
}

/* ---- revision or version ---- */

/* Who was granted all fields would get the new ones unasked. */
static void
check_grants(const struct ht_sheet_against *a, const struct ht_doc *draft,
    struct ht_report *why)
{
	const struct ht_item *was = a->with->item;

	if (ht_schema_fields(draft->item->record) <=
	    ht_schema_fields(was->record))
		return;
	for (size_t i = 0; i < a->n; i++) {
		const struct ht_grant *g = a->docs[i]->kind == HT_DOC_GRANT
		                               ? &a->docs[i]->grant->grant
		                               : NULL;

		if (g != NULL && g->all_fields &&
		    g->state != HT_GRANT_TERMINATED &&
		    g->version == was->version &&
		    strcmp(g->item, was->name) == 0)
			ht_report_add(why, g->name,
			    "the grant %s lets out all fields, and would let "
			    "out the new one unasked",
			    g->name);
	}
}

static uint32_t
newest(const struct ht_sheet_against *a)
{
	uint32_t version = a->item->version;

	for (size_t i = 0; i < a->n; i++)
		if (a->docs[i]->kind == HT_DOC_ITEM &&
		    strcmp(a->docs[i]->item->name, a->item->name) == 0 &&
		    a->docs[i]->item->version > version)
			version = a->docs[i]->item->version;
	return version;
}

static enum ht_err
breaks(const struct ht_sheet_against *a, const struct ht_doc *draft,
    struct ht_report *why)
{
	const struct ht_rules rules = {why, NULL};

	check_grants(a, draft, why);
	return ht_rules_revision(a->with, draft, &rules);
}

/* One that may be the next revision, else the next version. */
static enum ht_err
settle(const struct ht_sheet_against *a, const struct ht_sheet_says *to,
    struct ht_sheet_next *next, struct ht_buf *out)
{
	static const struct ht_sheet_says silent = {NULL, NULL, NULL};
	HT_AUTO(ht_doc_unref) struct ht_doc *draft = NULL;
	HT_AUTO(ht_doc_unref) struct ht_doc *other = NULL;
	enum ht_err err = check_draft(a, ht_buf_slice(out), to->report, &draft);
	unsigned before = ht_report_count(to->why), n;

	if (err != HT_OK || next->version != a->with->item->version)
		return err;
	err = breaks(a, draft, to->why);
	if (err != HT_OK || ht_report_count(to->why) == before)
		return err;
	if (newest(a) == UINT32_MAX)
		return HT_ETOOBIG;
	next->version = newest(a) + 1;
	next->revision = 1;
	ht_buf_reset(out);
	err = compose(a, &silent, next, &n, out);
	return err == HT_OK
	           ? check_draft(a, ht_buf_slice(out), to->report, &other)
	           : err;
}

enum ht_err
ht_sheet_revise(const struct ht_sheet *sheet, size_t item,
    struct ht_doc *const *docs, size_t n, const struct ht_doc *with,
    const struct ht_sheet_says *to, struct ht_sheet_next *ret,
    struct ht_buf *out)
{
	const struct ht_sheet_against a = {
	    .sheet = sheet,
	    .item = &sheet->items[item],
	    .docs = docs,
	    .n = n,
	    .with = with,
	};
	bool anew = a.item->version != with->item->version;
	unsigned before = ht_report_count(to->report), found = 0;
	enum ht_err err;

	if (to->report == NULL || to->why == NULL)
		return HT_ENOMEM;
	*ret = (struct ht_sheet_next){
	    a.item->version, anew ? 1 : with->revision + 1};
	err = compose(&a, to, ret, &found, out);
	if (err != HT_OK)
		return err;
	if (found == 0 && !anew) {
		ht_buf_reset(out);
		return HT_OK;
	}
	ht_sheet_check_fields(sheet, a.item, to->report);
	if (ht_report_count(to->report) > before)
		return HT_EINVALID;
	return settle(&a, to, ret, out);
}
