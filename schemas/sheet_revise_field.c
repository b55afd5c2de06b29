/*
 * sheet_revise_field.c -- what a sheet says otherwise of a field, as edits of
 * the item's text.
 */
#include <string.h>

#include "schemas/sheet_revise.h"

static struct ht_slice
cell(const struct ht_sheet_revising *r, size_t row, unsigned column)
{
	return ht_sheet_cell(r->sheet, row, column);
}

static struct ht_yaml *
field_of(const struct ht_sheet_revising *r, const char *name)
{
	return ht_yaml_child(ht_law_at(&r->law, "record", "properties"), name);
}

static bool
is_one_of(const char *key, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(key, *list) == 0)
			return true;
	return false;
}

/* What keeps a table from giving the field another type; NULL: nothing. */
static const char *
type_fault(struct ht_yaml *field, bool length)
{
	/* By what of these is said the type is said. */
	static const char *const all[] = {"title", "description", "x-level",
	    "type", "format", "pattern", "x-bytes", NULL};

	if (ht_yaml_child(field, "$ref") != NULL)
		return "its type is a definition that other fields share; "
		       "change it in the document by hand";
	/* A longer text keeps its other rules. */
	if (length && ht_yaml_child(field, "x-bytes") != NULL)
		return NULL;
	for (size_t i = 0; i < ht_yaml_count(field); i++)
		if (!is_one_of(ht_yaml_key(field, i), all))
			return "it has rules and lists that belong to its "
			       "type; "
			       "change it in the document by hand";
	return NULL;
}

/* "{title: ..., type: ...}" of a row, with the description that there was. */
static bool
row_schema(struct ht_sheet_revising *r, size_t row, struct ht_yaml *was,
    struct ht_buf *out)
{
	struct ht_yaml *about = ht_yaml_child(was, "description");
	size_t name = cell(r, row, HT_SHEET_FIELD).len + strlen(": ");
	HT_AUTO(ht_buf_fini) struct ht_buf line = HT_BUF(HT_DOC_MAX);

	if (!ht_sheet_field_line(r->sheet, row, true, r->to.report, &line) ||
	    ht_sheet_yaml(r, &line).len == 0)
		return false;
	/* Without its name before, and brace and newline behind. */
	ht_buf_add(out, line.at + name, line.len - name - strlen("}\n"));
	if (about != NULL) {
		ht_buf_str(out, ", description: ");
		ht_sheet_quote(out, ht_yaml_scalar(about));
	}
	ht_buf_u8(out, '}');
	return true;
}

/* Type or length are others, @length: that alone. */
static void
retype(
    struct ht_sheet_revising *r, size_t row, struct ht_yaml *field, bool length)
{
	struct ht_slice bytes = cell(r, row, HT_SHEET_LENGTH);
	HT_AUTO(ht_buf_fini) struct ht_buf yaml = HT_BUF(HT_DOC_MAX);
	const char *fault;

	length = length &&
	         ht_sheet_letter(cell(r, row, HT_SHEET_TYPE)) == 'C' &&
	         bytes.len > 0;
	fault = type_fault(field, length);
	if (fault != NULL) {
		ht_sheet_cannot(
		    r, row, length ? HT_SHEET_LENGTH : HT_SHEET_TYPE, fault);
		return;
	}
	if (!row_schema(r, row, field, &yaml))
		return;
	if (length && ht_yaml_child(field, "x-bytes") != NULL)
		ht_edit_set(&r->edits, field, "x-bytes", bytes);
	else
		ht_edit_replace(&r->edits, field, ht_sheet_yaml(r, &yaml));
}

/* Cells of one field, as bits of columns. */
void
ht_sheet_revise_field(struct ht_sheet_revising *r, size_t row, unsigned cells)
{
	HT_AUTO(ht_mem_free)
	char *name = ht_slice_dup(cell(r, row, HT_SHEET_FIELD));
	struct ht_yaml *field = name != NULL ? field_of(r, name) : NULL;
	bool type = cells & (1u << HT_SHEET_TYPE);
	HT_AUTO(ht_buf_fini) struct ht_buf title = HT_BUF(HT_SHEET_VALUE);

	if (field == NULL) {
		r->edits.err = HT_ENOMEM;
		return;
	}
	ht_sheet_quote(&title, cell(r, row, HT_SHEET_FIELD_TITLE));
	if (type || (cells & (1u << HT_SHEET_LENGTH))) {
		if (cells &
		    ((1u << HT_SHEET_FIELD_TITLE) | (1u << HT_SHEET_LEVEL)))
			type = true; /* all of it is written anew */
		retype(r, row, field, !type);
		if (type)
			return;
	}
	if (cells & (1u << HT_SHEET_FIELD_TITLE))
		ht_edit_set(
		    &r->edits, field, "title", ht_sheet_yaml(r, &title));
	if (cells & (1u << HT_SHEET_LEVEL))
		ht_edit_set(
		    &r->edits, field, "x-level", cell(r, row, HT_SHEET_LEVEL));
}

bool
ht_sheet_was_required(const struct ht_sheet_revising *r, struct ht_slice name)
{
	struct ht_yaml *list =
	    ht_yaml_child(ht_yaml_child(r->law.top, "record"), "required");

	for (size_t i = 0; list != NULL && i < ht_yaml_count(list); i++)
		if (ht_slice_eq(ht_yaml_scalar(ht_yaml_at(list, i)), name))
			return true;
	return false;
}

/* In the order there was, and new ones behind. */
void
ht_sheet_revise_required(struct ht_sheet_revising *r)
{
	struct ht_yaml *record = ht_yaml_child(r->law.top, "record");
	struct ht_yaml *list = ht_yaml_child(record, "required");
	HT_AUTO(ht_buf_fini) struct ht_buf yaml = HT_BUF(HT_DOC_MAX);
	unsigned n = 0;

	ht_buf_u8(&yaml, '[');
	for (size_t i = 0; list != NULL && i < ht_yaml_count(list); i++) {
		struct ht_slice name = ht_yaml_scalar(ht_yaml_at(list, i));
		int row =
		    ht_sheet_row_of(r->sheet, r->item, (const char *)name.at);

		if (row < 0 || (r->sheet->at[HT_SHEET_REQUIRED] >= 0 &&
		                   ht_sheet_yes(cell(r, (size_t)row,
		                       HT_SHEET_REQUIRED)) == 0))
			continue;
		ht_buf_fmt(&yaml, "%s%s", n++ > 0 ? ", " : "", name.at);
	}
	for (size_t row = r->item->row; row < r->item->row + r->item->n;
	     row++) {
		struct ht_slice name = cell(r, row, HT_SHEET_FIELD);

		if (ht_sheet_yes(cell(r, row, HT_SHEET_REQUIRED)) > 0 &&
		    !ht_sheet_was_required(r, name))
			ht_buf_fmt(&yaml, "%s%.*s", n++ > 0 ? ", " : "",
			    (int)name.len, (const char *)name.at);
	}
	ht_buf_u8(&yaml, ']');
	ht_edit_set(&r->edits, record, "required", ht_sheet_yaml(r, &yaml));
}
