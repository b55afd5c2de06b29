/*
 * sheet_draft.c -- the rows of one item as a draft of its document, and
 * against the item that there is.
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

/* A scalar in double quotes; cells hold no line ends and no controls. */
static void
quote(struct ht_buf *out, struct ht_slice text)
{
	ht_buf_u8(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '"' || text.at[i] == '\\')
			ht_buf_u8(out, '\\');
		if (text.at[i] == '\t')
			ht_buf_str(out, "\\t");
		else
			ht_buf_u8(out, text.at[i]);
	}
	ht_buf_u8(out, '"');
}

static void
line(struct drafting *d, const char *key, struct ht_slice text)
{
	if (text.len == 0)
		return;
	ht_buf_fmt(d->out, "%s: ", key);
	quote(d->out, text);
	ht_buf_u8(d->out, '\n');
}

static void
titled(struct drafting *d, const char *key, struct ht_slice text)
{
	if (text.len == 0)
		return;
	ht_buf_fmt(d->out, "%s: {zh: ", key);
	quote(d->out, text);
	ht_buf_str(d->out, "}\n");
}

/* ---- lists in a cell ---- */

/* The next part of a list, and what separates it is gone. */
static bool
next_part(struct ht_slice *rest, const char *const *marks, struct ht_slice *ret)
{
	for (size_t i = 0; i < rest->len; i++)
		for (const char *const *m = marks; *m != NULL; m++) {
			size_t len = strlen(*m);

			if (rest->len - i < len ||
			    memcmp(rest->at + i, *m, len) != 0)
				continue;
			*ret = HT_SLICE(rest->at, i);
			*rest =
			    HT_SLICE(rest->at + i + len, rest->len - i - len);
			return true;
		}
	*ret = *rest;
	*rest = HT_SLICE(rest->at + rest->len, 0);
	return ret->len > 0;
}

static const char *const semicolons[] = {";", "；", NULL};
static const char *const commas[] = {"、", ",", "，", ";", "；", NULL};

static int
word_of(struct ht_slice text, const char *const *names)
{
	for (int i = 0; names[i] != NULL; i++)
		if (ht_slice_is(text, names[i]))
			return i;
	return -1;
}

static const char *const kinds[] = {"base", "theme", "department"};
static const char *const formats[] = {"document", "sheet", "database", "image",
    "stream", "self-describing", "interface"};
static const char *const methods[] = {"interface", "batch", "file"};
static const char *const shares[] = {"unconditional", "conditional", "none"};

static void
word_line(struct drafting *d, const char *key, unsigned column,
    const char *const *names, const char *const *words)
{
	struct ht_slice text = of_item(d, column);
	int i = word_of(text, names);

	if (i >= 0)
		ht_buf_fmt(d->out, "%s: %s\n", key, words[i]);
	else if (text.len > 0)
		blame(d, column,
		    "none of the words of this column; docs/catalog.md has "
		    "them");
}

static void
methods_line(struct drafting *d)
{
	struct ht_slice rest = of_item(d, HT_SHEET_METHODS), part;
	unsigned n = 0;

	if (rest.len == 0)
		return;
	ht_buf_str(d->out, "methods: [");
	while (next_part(&rest, commas, &part)) {
		int i = word_of(part, ht_sheet_methods);

		if (i < 0)
			blame(d, HT_SHEET_METHODS,
			    "服务接口, 批量交换 and 文件下载 are expected, "
			    "with "
			    "、 between them");
		else
			ht_buf_fmt(
			    d->out, "%s%s", n++ > 0 ? ", " : "", methods[i]);
	}
	ht_buf_str(d->out, "]\n");
}

/* "code text；code text": bases and purposes. */
static void
coded_lines(struct drafting *d, const char *key, unsigned column)
{
	struct ht_slice rest = of_item(d, column), part;
	bool any = false;

	ht_buf_fmt(d->out, "%s:\n", key);
	while (next_part(&rest, semicolons, &part)) {
		const uint8_t *space;
		size_t code;

		while (part.len > 0 && part.at[0] == ' ')
			part = HT_SLICE(part.at + 1, part.len - 1);
		space = part.len > 0 ? memchr(part.at, ' ', part.len) : NULL;
		code = space != NULL ? (size_t)(space - part.at) : part.len;
		if (!ht_name_part(HT_SLICE(part.at, code))) {
			blame(d, column,
			    "a code in ASCII, a space and the text are "
			    "expected, and ； between them: ZGF-15 "
			    "税收征收管理法"
			    " 第十五条；...");
			return;
		}
		any = true;
		ht_buf_fmt(d->out, "  - {code: \"%.*s\"", (int)code,
		    (const char *)part.at);
		if (space != NULL) {
			ht_buf_str(d->out, ", zh: ");
			quote(d->out, HT_SLICE(space + 1, part.len - code - 1));
		}
		ht_buf_str(d->out, "}\n");
	}
	if (!any)
		blame(d, column, "one is needed: a code, a space and the text");
}

/* ---- the head ---- */

/* 2026/1/8, as spreadsheets rewrite it, is 2026-01-08. */
static void
published_line(struct drafting *d)
{
	struct ht_slice text = of_item(d, HT_SHEET_PUBLISHED);
	unsigned y = 0, m = 0, day = 0;
	char copy[16], sep = 0, sep2 = 0;
	int end = 0;

	if (text.len == 0)
		return;
	if (text.len < sizeof(copy)) {
		memcpy(copy, text.at, text.len);
		copy[text.len] = '\0';
		(void)sscanf(
		    copy, "%4u%c%2u%c%2u%n", &y, &sep, &m, &sep2, &day, &end);
	}
	if (end == 0 || (size_t)end != text.len || sep != sep2 ||
	    (sep != '-' && sep != '/') || !ht_day_exists(y, m, day))
		blame(
		    d, HT_SHEET_PUBLISHED, "a day like 2026-11-24 is expected");
	else
		ht_buf_fmt(d->out, "  published: %04u-%02u-%02u\n", y, m, day);
}

static void
open_line(struct drafting *d)
{
	struct ht_slice text = of_item(d, HT_SHEET_OPEN);

	if (ht_slice_is(text, "是") || ht_slice_is(text, "1"))
		ht_buf_str(d->out, "  open: true\n");
	else if (ht_slice_is(text, "否") || ht_slice_is(text, "0"))
		ht_buf_str(d->out, "  open: false\n");
	else if (text.len > 0)
		blame(d, HT_SHEET_OPEN, "是 or 否 is expected");
}

static void
related_line(struct drafting *d)
{
	struct ht_slice rest = of_item(d, HT_SHEET_RELATED), part;
	unsigned n = 0;

	if (rest.len == 0)
		return;
	ht_buf_str(d->out, "  related: [");
	while (next_part(&rest, commas, &part)) {
		ht_buf_str(d->out, n++ > 0 ? ", " : "");
		quote(d->out, part);
	}
	ht_buf_str(d->out, "]\n");
}

static void
entry_lines(struct drafting *d)
{
	size_t start = d->out->len;

	ht_buf_str(d->out, "entry:\n");
	line(d, "  code", of_item(d, HT_SHEET_CODE));
	word_line(d, "  kind", HT_SHEET_KIND, ht_sheet_kinds, kinds);
	line(d, "  provider-code", of_item(d, HT_SHEET_PROVIDER_CODE));
	titled(d, "  summary", of_item(d, HT_SHEET_SUMMARY));
	open_line(d);
	line(d, "  open-conditions", of_item(d, HT_SHEET_OPEN_CONDITIONS));
	published_line(d);
	related_line(d);
	if (d->out->len == start + strlen("entry:\n"))
		d->out->len = start; /* nothing is said */
}

static void
share_lines(struct drafting *d)
{
	struct ht_slice text = of_item(d, HT_SHEET_CONDITIONS);
	struct ht_slice share = of_item(d, HT_SHEET_SHARE);
	static const char *const digits[] = {"1", "2", "3", NULL};
	int i = word_of(share, ht_sheet_shares);

	if (i < 0)
		i = word_of(share, digits);
	if (i < 0) {
		blame(d, HT_SHEET_SHARE,
		    "无条件共享, 有条件共享 or 不予共享 is expected");
		return;
	}
	ht_buf_fmt(d->out, "share: %s\n", shares[i]);
	if (i == 2 && text.len == 0)
		blame(d, HT_SHEET_CONDITIONS,
		    "what is not shared needs its legal basis here");
	if (i == 2)
		line(d, "reason", text);
	else if (!ht_slice_is(text, "无条件"))
		titled(d, "conditions", text);
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
	titled(d, "title", of_item(d, HT_SHEET_TITLE));
	if (!ht_name_valid(member))
		blame(d, HT_SHEET_MEMBER,
		    "the provider's name in the directory is needed, like "
		    "scjg.demo/registry");
	else
		line(d, "provider", member);
	share_lines(d);
	coded_lines(d, "basis", HT_SHEET_BASIS);
	coded_lines(d, "purposes", HT_SHEET_PURPOSES);
	word_line(d, "format", HT_SHEET_FORMAT, ht_sheet_formats, formats);
	methods_line(d);
	titled(d, "cycle", of_item(d, HT_SHEET_CYCLE));
	titled(d, "scope", of_item(d, HT_SHEET_SCOPE));
	entry_lines(d);
}

/* ---- fields ---- */

static bool
says_yes(struct ht_slice text)
{
	return ht_slice_is(text, "是") || ht_slice_is(text, "1") ||
	       ht_slice_is(text, "M");
}

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

static void
text_type(struct drafting *d, size_t row, const char *more)
{
	struct ht_slice length = ht_sheet_cell(d->sheet, row, HT_SHEET_LENGTH);
	unsigned n, scale;

	ht_buf_fmt(d->out, ", type: string%s", more);
	if (length.len == 0)
		return;
	if (!read_length(length, &n, &scale) || scale != 0 || n > BYTES_MAX)
		ht_sheet_blame(d->sheet, row, HT_SHEET_LENGTH, d->report,
		    "a number of bytes is expected");
	else
		ht_buf_fmt(d->out, ", x-bytes: %u", n);
}

static void
decimal_type(struct drafting *d, size_t row)
{
	unsigned p, s;

	if (!read_length(
	        ht_sheet_cell(d->sheet, row, HT_SHEET_LENGTH), &p, &s) ||
	    p > DECIMAL_MAX || s >= p)
		ht_sheet_blame(d->sheet, row, HT_SHEET_LENGTH, d->report,
		    "digits and decimals like 18,2 are expected (a spreadsheet "
		    "makes 182 of it: set the column to text)");
	else if (s == 0)
		ht_buf_fmt(d->out,
		    ", type: string, pattern: \"^(0|[1-9][0-9]{0,%u})$\"",
		    p - 1);
	else
		ht_buf_fmt(d->out,
		    ", type: string, pattern: "
		    "\"^(0|[1-9][0-9]{0,%u})([.][0-9]{1,%u})?$\"",
		    p - s - 1, s);
}

/* The letter at the end of the type, or alone. */
static void
type_of(struct drafting *d, size_t row)
{
	struct ht_slice type = ht_sheet_cell(d->sheet, row, HT_SHEET_TYPE);

	switch (type.len > 0 ? type.at[type.len - 1] : '?') {
	case 'C':
	case 'M':
		text_type(d, row, "");
		return;
	case 'N':
	case 'Y':
	case 'F':
		decimal_type(d, row);
		return;
	case 'D':
		text_type(d, row, ", format: date");
		return;
	case 'T':
		text_type(d, row, ", format: date-time");
		return;
	case 'I':
		ht_buf_str(d->out, ", type: integer");
		return;
	case 'B':
		ht_buf_str(d->out, ", type: number");
		return;
	case 'L':
		ht_buf_str(d->out, ", type: boolean");
		return;
	case 'A':
	case 'O':
		ht_sheet_blame(d->sheet, row, HT_SHEET_TYPE, d->report,
		    "what a list or an object holds has no place in a table; "
		    "write this item by hand");
		return;
	default:
		ht_sheet_blame(d->sheet, row, HT_SHEET_TYPE, d->report,
		    "one of the letters C N Y D T L M I F B is expected, alone "
		    "or behind the word");
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

static void
field_line(struct drafting *d, size_t row, bool record)
{
	struct ht_slice name = ht_sheet_cell(d->sheet, row, HT_SHEET_FIELD);
	struct ht_slice level = ht_sheet_cell(d->sheet, row, HT_SHEET_LEVEL);

	ht_buf_fmt(
	    d->out, "    %.*s: {title: ", (int)name.len, (const char *)name.at);
	quote(d->out, ht_sheet_cell(d->sheet, row, HT_SHEET_FIELD_TITLE));
	if (record)
		ht_buf_fmt(d->out, ", x-level: %.*s", (int)level.len,
		    (const char *)level.at);
	type_of(d, row);
	ht_buf_str(d->out, "}\n");
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

		if (says_yes(ht_sheet_cell(d->sheet, row, which)))
			ht_buf_fmt(d->out, "%s%.*s", n++ > 0 ? ", " : "",
			    (int)name.len, (const char *)name.at);
	}
	ht_buf_str(d->out, "]\n  properties:\n");
	for (size_t row = d->item->row; row < end; row++)
		if (record || says_yes(ht_sheet_cell(d->sheet, row, which)))
			field_line(d, row, record);
	ht_buf_str(d->out, "  additionalProperties: false\n");
	if (!record && n == 0)
		blame(d, HT_SHEET_PARAM,
		    "nothing to ask by: mark the item's keys with 是");
}

static void
check_fields(const struct drafting *d)
{
	for (size_t row = d->item->row; row < d->item->row + d->item->n;
	     row++) {
		struct ht_slice level =
		    ht_sheet_cell(d->sheet, row, HT_SHEET_LEVEL);

		if (!is_field(ht_sheet_cell(d->sheet, row, HT_SHEET_FIELD)))
			ht_sheet_blame(d->sheet, row, HT_SHEET_FIELD, d->report,
			    "a name in small ASCII letters, digits and _ is "
			    "expected, like ztmc");
		if (ht_sheet_cell(d->sheet, row, HT_SHEET_FIELD_TITLE).len == 0)
			ht_sheet_blame(d->sheet, row, HT_SHEET_FIELD_TITLE,
			    d->report, "the name is needed");
		if (level.len != 1 || level.at[0] < '0' || level.at[0] > '3')
			ht_sheet_blame(d->sheet, row, HT_SHEET_LEVEL, d->report,
			    "a level from 0 (public) to 3 (sensitive) is "
			    "needed");
	}
}

enum ht_err
ht_sheet_draft(const struct ht_sheet *sheet, size_t item,
    struct ht_report *report, struct ht_buf *out)
{
	struct drafting d = {sheet, &sheet->items[item], report, out};
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	unsigned before = ht_report_count(report);
	size_t start = out->len;
	char name[HT_DOC_NAME_MAX + 1];

	check_fields(&d);
	head_lines(&d);
	schema_lines(&d, "request", HT_SHEET_PARAM);
	schema_lines(&d, "record", HT_SHEET_REQUIRED);
	if (out->err != HT_OK)
		return out->err;
	if (ht_report_count(report) > before)
		return HT_EINVALID;
	/* It must read as what it will be taken for. */
	ht_sheet_name(sheet, item, name);
	return ht_doc_parse(
	    HT_SLICE(out->at + start, out->len - start), name, report, &doc);
}

/* ---- against what there is ---- */

static void
compare_row(const struct ht_sheet *sheet, size_t row,
    const struct ht_sheet_row *is, struct ht_report *report)
{
	for (unsigned c = 0; c < HT_SHEET_COLUMNS; c++) {
		struct ht_slice cell = ht_sheet_cell(sheet, row, c);
		struct ht_slice has = ht_buf_slice(&is->cells[c]);
		char text[1024];
		int a = (int)ht_utf8_cut(has, 300);
		int b = (int)ht_utf8_cut(cell, 300);

		/* A merged cell, or a column that is not there. */
		if (ht_slice_eq(cell, has) || sheet->at[c] < 0 ||
		    (cell.len == 0 && !ht_sheet_of_field(c)))
			continue;
		(void)snprintf(text, sizeof(text),
		    "\"%.*s\" in the catalog, \"%.*s\" here", a,
		    (const char *)has.at, b, (const char *)cell.at);
		ht_sheet_blame(sheet, row, c, report, text);
	}
}

enum ht_err
ht_sheet_compare(const struct ht_sheet *sheet, size_t item,
    struct ht_doc *const *docs, size_t n, const struct ht_doc *with,
    struct ht_report *report)
{
	HT_AUTO(ht_sheet_row_fini) struct ht_sheet_row is = {{{0}}};
	const struct ht_sheet_item *rows = &sheet->items[item];
	const struct ht_schema *record = with->item->record;
	size_t found = 0;
	enum ht_err err = HT_OK;

	for (size_t r = rows->row; r < rows->row + rows->n; r++) {
		struct ht_slice field = ht_sheet_cell(sheet, r, HT_SHEET_FIELD);
		HT_AUTO(ht_mem_free) char *name = ht_slice_dup(field);
		int f = name != NULL ? ht_schema_field_index(record, name) : -1;

		if (name == NULL)
			return HT_ENOMEM;
		if (f < 0) {
			ht_sheet_blame(sheet, r, HT_SHEET_FIELD, report,
			    "a field that the item in the catalog has not");
			continue;
		}
		found++;
		err = ht_sheet_row(with, (size_t)f, docs, n, &is);
		if (err != HT_OK)
			return err;
		compare_row(sheet, r, &is, report);
	}
	if (found < ht_schema_fields(record))
		ht_sheet_blame(sheet, rows->row, HT_SHEET_NAME, report,
		    "fewer fields than the item in the catalog has");
	return HT_OK;
}
