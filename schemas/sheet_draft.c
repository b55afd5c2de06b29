/*
 * sheet_draft.c -- the rows of one item as a draft of its document.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "schemas/sheet_in.h"

struct drafting {
	const struct ht_sheet *sheet;
	const struct ht_sheet_item *item;
	struct ht_report *report;
	struct ht_buf *out;
};

static struct ht_slice
of_item(const struct drafting *d, unsigned column)
{
	return ht_sheet_cell(d->sheet, d->item->row, column);
}

static void
blame(const struct drafting *d, unsigned column, const char *text)
{
	ht_sheet_blame(d->sheet, d->item->row, column, d->report, text);
}

/* ---- the head ---- */

/* Nothing where the cell is blank. */
static void
line(struct drafting *d, const char *key, unsigned column)
{
	if (of_item(d, column).len == 0)
		return;
	ht_buf_fmt(d->out, "%s: ", key);
	(void)ht_sheet_value(d->sheet, d->item, column, d->report, d->out);
	ht_buf_u8(d->out, '\n');
}

static void
titled(struct drafting *d, const char *key, unsigned column)
{
	if (of_item(d, column).len == 0)
		return;
	ht_buf_fmt(d->out, "%s: {zh: ", key);
	ht_sheet_quote(d->out, of_item(d, column));
	ht_buf_str(d->out, "}\n");
}

/* "code text；code text": bases and purposes. */
static void
coded_lines(struct drafting *d, const char *key, unsigned column)
{
	struct ht_slice rest = of_item(d, column), code, text;
	bool any = false;

	ht_buf_fmt(d->out, "%s:\n", key);
	while (ht_sheet_coded(&rest, &code, &text)) {
		if (!ht_name_part(code)) {
			blame(d, column, HT_SHEET_CODED);
			return;
		}
		any = true;
		ht_buf_fmt(d->out, "  - {code: \"%.*s\"", (int)code.len,
		    (const char *)code.at);
		if (text.len > 0) {
			ht_buf_str(d->out, ", zh: ");
			ht_sheet_quote(d->out, text);
		}
		ht_buf_str(d->out, "}\n");
	}
	if (!any)
		blame(d, column, "one is needed: a code, a space and the text");
}

static void
entry_lines(struct drafting *d)
{
	size_t start = d->out->len;

	ht_buf_str(d->out, "entry:\n");
	line(d, "  code", HT_SHEET_CODE);
	line(d, "  kind", HT_SHEET_KIND);
	line(d, "  provider-code", HT_SHEET_PROVIDER_CODE);
	titled(d, "  summary", HT_SHEET_SUMMARY);
	line(d, "  open", HT_SHEET_OPEN);
	line(d, "  open-conditions", HT_SHEET_OPEN_CONDITIONS);
	line(d, "  published", HT_SHEET_PUBLISHED);
	line(d, "  related", HT_SHEET_RELATED);
	if (d->out->len == start + strlen("entry:\n"))
		d->out->len = start; /* nothing is said */
}

static void
share_lines(struct drafting *d)
{
	struct ht_slice text = of_item(d, HT_SHEET_CONDITIONS);
	int i = ht_sheet_share(of_item(d, HT_SHEET_SHARE));

	if (i < 0) {
		blame(d, HT_SHEET_SHARE,
		    "无条件共享, 有条件共享 or 不予共享 is expected");
		return;
	}
	ht_buf_fmt(d->out, "share: %s\n", ht_sheet_share_keys[i]);
	if (i == 2 && text.len == 0)
		blame(d, HT_SHEET_CONDITIONS,
		    "what is not shared needs its legal basis here");
	if (i == 1 && ht_slice_is(text, "无条件"))
		blame(d, HT_SHEET_CONDITIONS,
		    "what is shared on conditions says them here; or the "
		    "共享类型 is 无条件共享");
	if (i == 2)
		line(d, "reason", HT_SHEET_CONDITIONS);
	else if (!ht_slice_is(text, "无条件"))
		titled(d, "conditions", HT_SHEET_CONDITIONS);
	ht_buf_fmt(
	    d->out, "operations: %s\n", i == 2 ? "[]" : "[query, verify]");
}

static void
head_lines(struct drafting *d)
{
	struct ht_slice member = of_item(d, HT_SHEET_MEMBER);

	ht_buf_fmt(d->out,
	    "hutong: item/v1\nitem: %s\nversion: %u\nrevision: 1\n",
	    d->item->name, d->item->version);
	if (of_item(d, HT_SHEET_TITLE).len == 0)
		blame(d, HT_SHEET_TITLE, "the name is needed");
	titled(d, "title", HT_SHEET_TITLE);
	if (!ht_name_valid(member))
		blame(d, HT_SHEET_MEMBER,
		    "the provider's name in the directory is needed, like "
		    "scjg.demo/registry");
	else
		line(d, "provider", HT_SHEET_MEMBER);
	share_lines(d);
	coded_lines(d, "basis", HT_SHEET_BASIS);
	coded_lines(d, "purposes", HT_SHEET_PURPOSES);
	line(d, "format", HT_SHEET_FORMAT);
	line(d, "methods", HT_SHEET_METHODS);
	titled(d, "cycle", HT_SHEET_CYCLE);
	titled(d, "scope", HT_SHEET_SCOPE);
	entry_lines(d);
}

/* ---- fields ---- */

#define BYTES_MAX   1000000
#define DECIMAL_MAX 38

/* "18,6" or "18"; false if it is neither. */
static bool
read_length(struct ht_slice text, unsigned *ret, unsigned *ret_scale)
{
	char copy[16];
	int end = 0, all;

	*ret_scale = 0;
	if (text.len == 0 || text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	if (sscanf(copy, "%7u%n", ret, &end) != 1 || copy[0] == '0')
		return false;
	all = end;
	if (copy[end] == ',' &&
	    sscanf(copy + end, ",%2u%n", ret_scale, &all) == 1)
		end += all;
	return (size_t)end == text.len;
}

struct field {
	const struct ht_sheet *sheet;
	size_t row;
	struct ht_report *report;
	struct ht_buf *out;
};

static void
blame_field(const struct field *f, unsigned column, const char *text)
{
	ht_sheet_blame(f->sheet, f->row, column, f->report, text);
}

static void
text_type(const struct field *f, const char *more)
{
	struct ht_slice length =
	    ht_sheet_cell(f->sheet, f->row, HT_SHEET_LENGTH);
	unsigned n, scale;

	ht_buf_fmt(f->out, ", type: string%s", more);
	if (length.len == 0)
		return;
	if (!read_length(length, &n, &scale) || scale != 0 || n > BYTES_MAX)
		blame_field(
		    f, HT_SHEET_LENGTH, "a number of bytes is expected");
	else
		ht_buf_fmt(f->out, ", x-bytes: %u", n);
}

static void
decimal_type(const struct field *f)
{
	unsigned p, s;

	if (!read_length(
	        ht_sheet_cell(f->sheet, f->row, HT_SHEET_LENGTH), &p, &s) ||
	    p > DECIMAL_MAX || s >= p)
		blame_field(f, HT_SHEET_LENGTH,
		    "digits and decimals like 18,2 are expected (a spreadsheet "
		    "makes 182 of it: set the column to text)");
	else if (s == 0)
		ht_buf_fmt(f->out,
		    ", type: string, pattern: \"^(0|[1-9][0-9]{0,%u})$\"",
		    p - 1);
	else
		ht_buf_fmt(f->out,
		    ", type: string, pattern: "
		    "\"^(0|[1-9][0-9]{0,%u})([.][0-9]{1,%u})?$\"",
		    p - s - 1, s);
}

static void
plain_type(const struct field *f, const char *type)
{
	ht_buf_fmt(f->out, ", type: %s", type);
	if (ht_sheet_cell(f->sheet, f->row, HT_SHEET_LENGTH).len > 0)
		blame_field(f, HT_SHEET_LENGTH,
		    "this type has no length; leave it blank, or take N and "
		    "its digits");
}

/* The letter at the end of the type, or alone. */
static void
type_of(const struct field *f)
{
	switch (
	    ht_sheet_letter(ht_sheet_cell(f->sheet, f->row, HT_SHEET_TYPE))) {
	case 'C':
	case 'M':
		text_type(f, "");
		return;
	case 'N':
	case 'Y':
	case 'F':
		decimal_type(f);
		return;
	case 'D':
		text_type(f, ", format: date");
		return;
	case 'T':
		text_type(f, ", format: date-time");
		return;
	case 'I':
		plain_type(f, "integer");
		return;
	case 'B':
		plain_type(f, "number");
		return;
	case 'L':
		plain_type(f, "boolean");
		return;
	case 'A':
	case 'O':
		blame_field(f, HT_SHEET_TYPE,
		    "what a list or an object holds has no place in a table; "
		    "write this item by hand, or name the folder that has it "
		    "(--dir)");
		return;
	default:
		blame_field(f, HT_SHEET_TYPE,
		    "one of the letters C N Y D T L M I F B is expected, alone "
		    "or behind its word");
	}
}

static bool
is_field(struct ht_slice name)
{
	if (name.len == 0 || name.len > 64 || name.at[0] < 'a' ||
	    name.at[0] > 'z')
		return false;
	for (size_t i = 1; i < name.len; i++)
		if (!((name.at[i] >= 'a' && name.at[i] <= 'z') ||
		        (name.at[i] >= '0' && name.at[i] <= '9') ||
		        name.at[i] == '_'))
			return false;
	return true;
}

bool
ht_sheet_field_line(const struct ht_sheet *sheet, size_t row, bool record,
    struct ht_report *report, struct ht_buf *out)
{
	const struct field f = {sheet, row, report, out};
	struct ht_slice name = ht_sheet_cell(sheet, row, HT_SHEET_FIELD);
	struct ht_slice level = ht_sheet_cell(sheet, row, HT_SHEET_LEVEL);
	unsigned before = ht_report_count(report);

	ht_buf_fmt(out, "%.*s: {title: ", (int)name.len, (const char *)name.at);
	ht_sheet_quote(out, ht_sheet_cell(sheet, row, HT_SHEET_FIELD_TITLE));
	if (record)
		ht_buf_fmt(out, ", x-level: %.*s", (int)level.len,
		    (const char *)level.at);
	type_of(&f);
	ht_buf_str(out, "}\n");
	return ht_report_count(report) == before;
}

static void
schema_lines(struct drafting *d, const char *part, unsigned which)
{
	size_t end = d->item->row + d->item->n;
	bool record = which == HT_SHEET_REQUIRED;
	unsigned n = 0;

	ht_buf_fmt(d->out, "%s:\n  type: object\n  required: [", part);
	for (size_t row = d->item->row; row < end; row++) {
		struct ht_slice name =
		    ht_sheet_cell(d->sheet, row, HT_SHEET_FIELD);

		if (ht_sheet_yes(ht_sheet_cell(d->sheet, row, which)) > 0)
			ht_buf_fmt(d->out, "%s%.*s", n++ > 0 ? ", " : "",
			    (int)name.len, (const char *)name.at);
	}
	ht_buf_str(d->out, "]\n  properties:\n");
	for (size_t row = d->item->row; row < end; row++)
		if (record ||
		    ht_sheet_yes(ht_sheet_cell(d->sheet, row, which)) > 0) {
			ht_buf_str(d->out, "    ");
			/* What is wrong in both is told once. */
			(void)ht_sheet_field_line(d->sheet, row, record,
			    record ? d->report : NULL, d->out);
		}
	ht_buf_str(d->out, "  additionalProperties: false\n");
	if (!record && n == 0)
		blame(d, HT_SHEET_PARAM,
		    "nothing to ask by: mark the item's keys with 是");
}

static void
check_once(const struct ht_sheet *sheet, const struct ht_sheet_item *item,
    size_t row, struct ht_report *report)
{
	struct ht_slice name = ht_sheet_cell(sheet, row, HT_SHEET_FIELD);
	char text[128];

	for (size_t r = item->row; r < row; r++) {
		if (!ht_slice_eq(name, ht_sheet_cell(sheet, r, HT_SHEET_FIELD)))
			continue;
		(void)snprintf(text, sizeof(text),
		    "line %zu has a field of this name already; give one of "
		    "them another",
		    ht_csv_line(sheet->csv, r));
		ht_sheet_blame(sheet, row, HT_SHEET_FIELD, report, text);
		return;
	}
}

static void
check_yes(const struct ht_sheet *sheet, size_t row, unsigned column,
    struct ht_report *report)
{
	if (ht_sheet_yes(ht_sheet_cell(sheet, row, column)) < 0)
		ht_sheet_blame(sheet, row, column, report, HT_SHEET_YES_OR_NO);
}

void
ht_sheet_check_fields(const struct ht_sheet *sheet,
    const struct ht_sheet_item *item, struct ht_report *report)
{
	for (size_t row = item->row; row < item->row + item->n; row++) {
		struct ht_slice level =
		    ht_sheet_cell(sheet, row, HT_SHEET_LEVEL);

		if (!is_field(ht_sheet_cell(sheet, row, HT_SHEET_FIELD)))
			ht_sheet_blame(sheet, row, HT_SHEET_FIELD, report,
			    "a name in small ASCII letters, digits and _ is "
			    "expected, like ztmc");
		else
			check_once(sheet, item, row, report);
		if (ht_sheet_cell(sheet, row, HT_SHEET_FIELD_TITLE).len == 0)
			ht_sheet_blame(sheet, row, HT_SHEET_FIELD_TITLE, report,
			    "the name is needed");
		if (level.len != 1 || level.at[0] < '0' || level.at[0] > '3')
			ht_sheet_blame(sheet, row, HT_SHEET_LEVEL, report,
			    "a level from 0 (public) to 3 (sensitive) is "
			    "needed");
		check_yes(sheet, row, HT_SHEET_REQUIRED, report);
		check_yes(sheet, row, HT_SHEET_PARAM, report);
	}
}

/* The draft's own lines are seen by nobody: the item's is named instead. */
enum ht_err
ht_sheet_parse(const struct ht_sheet *sheet, const struct ht_sheet_item *item,
    struct ht_slice text, struct ht_report *report, struct ht_doc **ret)
{
	HT_AUTO(ht_report_free) struct ht_report *found = ht_report_new();
	char where[512];
	enum ht_err err = ht_doc_parse(text, item->name, found, ret);

	(void)snprintf(where, sizeof(where), "%s:%zu", sheet->name,
	    ht_csv_line(sheet->csv, item->row));
	for (unsigned i = 0; i < ht_report_count(found); i++)
		ht_report_add(report, where, "%s cannot be drafted: %s",
		    item->name, ht_report_text(found, i));
	return err;
}

enum ht_err
ht_sheet_draft(const struct ht_sheet *sheet, size_t item,
    struct ht_report *report, struct ht_buf *out)
{
	struct drafting d = {sheet, &sheet->items[item], report, out};
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	unsigned before = ht_report_count(report);
	size_t start = out->len;

	ht_sheet_check_fields(sheet, d.item, report);
	head_lines(&d);
	schema_lines(&d, "request", HT_SHEET_PARAM);
	schema_lines(&d, "record", HT_SHEET_REQUIRED);
	if (out->err != HT_OK)
		return out->err;
	if (ht_report_count(report) > before)
		return HT_EINVALID;
	/* It must read as what it will be taken for. */
	return ht_sheet_parse(sheet, d.item,
	    HT_SLICE(out->at + start, out->len - start), report, &doc);
}
