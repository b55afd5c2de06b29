/*
 * sheet_read.c -- the rows of a spreadsheet, taken apart into items: which
 * columns there are, which rows belong together, what a spreadsheet spoilt.
 */
#include "schemas/sheet_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"

/* ---- encodings ---- */

enum ht_err
ht_sheet_decode(struct ht_slice bytes, const char *name,
    struct ht_report *report, struct ht_buf *out)
{
	static const char bom[] = "\xef\xbb\xbf";
	size_t bad = 0, line = 1;
	char where[512];

	if (bytes.len >= 3 && memcmp(bytes.at, bom, 3) == 0) {
		bytes.at += 3;
		bytes.len -= 3;
	}
	if (ht_utf8_valid(bytes)) {
		ht_buf_add(out, bytes.at, bytes.len);
		return out->err;
	}
	if (bytes.len < 2 || (bytes.at[0] != 0xff && bytes.at[0] != 0xfe))
		switch (ht_text_from_gb18030(bytes, out, &bad)) {
		case HT_OK:
			return HT_OK;
		case HT_EMALFORMED:
			break;
		default:
			return out->err != HT_OK ? out->err : HT_ESYSTEM;
		}
	for (size_t i = 0; i < bad; i++)
		line += bytes.at[i] == '\n';
	(void)snprintf(where, sizeof(where), "%s:%zu", name, line);
	ht_report_add(report, where,
	    "this is neither UTF-8 nor GB 18030; save it as \"CSV UTF-8\"");
	return HT_EMALFORMED;
}

/* ---- the sheet ---- */

void
ht_sheet_free(struct ht_sheet **sheet_p)
{
	struct ht_sheet *sheet = *sheet_p;

	if (sheet == NULL)
		return;
	*sheet_p = NULL;
	ht_csv_free(&sheet->csv);
	free(sheet->name);
	free(sheet->items);
	free(sheet);
}

struct ht_slice
ht_sheet_cell(const struct ht_sheet *sheet, size_t row, unsigned column)
{
	if (sheet->at[column] < 0)
		return HT_SLICE("", 0);
	return ht_csv_plain(
	    ht_csv_cell(sheet->csv, row, (size_t)sheet->at[column]));
}

void
ht_sheet_blame(const struct ht_sheet *sheet, size_t row, unsigned column,
    struct ht_report *report, const char *text)
{
	char where[512];

	(void)snprintf(where, sizeof(where), "%s:%zu", sheet->name,
	    ht_csv_line(sheet->csv, row));
	ht_report_add(report, where, "%s: %s", ht_sheet_titles[column], text);
}

/* ---- headings ---- */

static bool
is_needed(unsigned column)
{
	return column == HT_SHEET_TITLE || column == HT_SHEET_FIELD_TITLE ||
	       column == HT_SHEET_NAME || column == HT_SHEET_FIELD ||
	       column == HT_SHEET_TYPE || column == HT_SHEET_SHARE;
}

static int
column_of(struct ht_slice title)
{
	for (unsigned c = 0; c < HT_SHEET_COLUMNS; c++)
		if (ht_slice_is(title, ht_sheet_titles[c]))
			return (int)c;
	return -1;
}

static bool
read_headings(struct ht_sheet *sheet, struct ht_report *report)
{
	unsigned before = ht_report_count(report);
	char where[512];

	(void)snprintf(where, sizeof(where), "%s:%zu", sheet->name,
	    ht_csv_line(sheet->csv, 0));
	for (size_t i = 0; i < ht_csv_columns(sheet->csv); i++) {
		struct ht_slice title =
		    ht_csv_plain(ht_csv_cell(sheet->csv, 0, i));
		int c = column_of(title);
		HT_AUTO(ht_buf_fini) struct ht_buf safe = HT_BUF(1 << 17);

		ht_text_safe(&safe, title);
		if (c < 0)
			ht_report_add(report, where,
			    "the column \"%s\" is not known, and what is in it "
			    "would be lost; take it away, or look at its "
			    "heading",
			    safe.err == HT_OK ? ht_buf_text(&safe) : "?");
		else if (sheet->at[c] >= 0)
			ht_report_add(report, where,
			    "the column %s stands twice; remove one",
			    ht_sheet_titles[c]);
		else
			sheet->at[c] = (int)i;
	}
	for (unsigned c = 0; c < HT_SHEET_COLUMNS; c++)
		if (is_needed(c) && sheet->at[c] < 0)
			ht_report_add(report, where,
			    "the column %s is missing; `hutong catalog export` "
			    "shows all headings",
			    ht_sheet_titles[c]);
	return ht_report_count(report) == before;
}

/* ---- what a spreadsheet spoils ---- */

/* "9.1E+17": a long code that was taken for a number. */
static bool
is_scientific(struct ht_slice text)
{
	size_t digits = 0, i = 0;

	for (; i < text.len &&
	       (text.at[i] == '.' || (text.at[i] >= '0' && text.at[i] <= '9'));
	     i++)
		digits++;
	return digits > 0 && i + 2 < text.len &&
	       (text.at[i] == 'E' || text.at[i] == 'e') &&
	       text.at[i + 1] == '+' && text.at[i + 2] >= '0' &&
	       text.at[i + 2] <= '9';
}

static void
check_cells(const struct ht_sheet *sheet, size_t row, struct ht_report *report)
{
	uint32_t point;

	for (unsigned c = 0; c < HT_SHEET_COLUMNS; c++) {
		struct ht_slice cell = ht_sheet_cell(sheet, row, c);

		if (ht_text_trick(cell, &point) >= 0)
			ht_sheet_blame(sheet, row, c, report,
			    "it holds a character that is not seen or turns "
			    "text around; type it anew");
		else if (memchr(cell.at, '\n', cell.len) != NULL ||
		         memchr(cell.at, '\r', cell.len) != NULL)
			ht_sheet_blame(sheet, row, c, report,
			    "more than one line; write it in one");
		else if (is_scientific(cell))
			ht_sheet_blame(sheet, row, c, report,
			    "the spreadsheet made a number of it, and digits "
			    "are lost; set the column to text and type it "
			    "anew");
	}
}

/* ---- which rows are one item ---- */

static bool
starts_item(const struct ht_sheet *sheet, size_t row)
{
	struct ht_slice name = ht_sheet_cell(sheet, row, HT_SHEET_NAME);
	struct ht_slice version = ht_sheet_cell(sheet, row, HT_SHEET_VERSION);
	const struct ht_sheet_item *last;

	if (sheet->n_items == 0)
		return true;
	last = &sheet->items[sheet->n_items - 1];
	/* Blank: a cell that was merged with the one above. */
	return (name.len > 0 &&
	           !ht_slice_eq(
	               name, ht_sheet_cell(sheet, last->row, HT_SHEET_NAME))) ||
	       (version.len > 0 &&
	           !ht_slice_eq(version,
	               ht_sheet_cell(sheet, last->row, HT_SHEET_VERSION)));
}

static void
read_name(struct ht_sheet *sheet, struct ht_sheet_item *item,
    struct ht_report *report)
{
	struct ht_slice name = ht_sheet_cell(sheet, item->row, HT_SHEET_NAME);
	struct ht_slice v = ht_sheet_cell(sheet, item->row, HT_SHEET_VERSION);
	uint64_t version = 0;

	if (!ht_name_valid(name))
		ht_sheet_blame(sheet, item->row, HT_SHEET_NAME, report,
		    "a name like gx.demo/SCZTDJ is expected, in ASCII letters, "
		    "digits, '.' and '-'");
	else
		(void)snprintf(item->name, sizeof(item->name), "%.*s",
		    (int)name.len, (const char *)name.at);
	for (size_t i = 0; i < v.len && version <= UINT32_MAX; i++)
		version = v.at[i] >= '0' && v.at[i] <= '9'
		              ? version * 10 + (uint64_t)(v.at[i] - '0')
		              : UINT64_MAX / 20;
	if (v.len == 0)
		version = 1;
	if (version == 0 || version > UINT32_MAX)
		ht_sheet_blame(sheet, item->row, HT_SHEET_VERSION, report,
		    "a whole number from 1 is expected");
	item->version = (uint32_t)version;
}

/* What is said of the item must be the same in all its rows, or blank. */
static void
check_same(const struct ht_sheet *sheet, const struct ht_sheet_item *item,
    size_t row, struct ht_report *report)
{
	char text[128];

	for (unsigned c = 0; c < HT_SHEET_COLUMNS; c++) {
		struct ht_slice cell = ht_sheet_cell(sheet, row, c);

		if (ht_sheet_of_field(c) || cell.len == 0 ||
		    ht_slice_eq(cell, ht_sheet_cell(sheet, item->row, c)))
			continue;
		(void)snprintf(text, sizeof(text),
		    "line %zu says otherwise for the same item; make them "
		    "agree",
		    ht_csv_line(sheet->csv, item->row));
		ht_sheet_blame(sheet, row, c, report, text);
	}
}

static void
check_unique(const struct ht_sheet *sheet, struct ht_report *report)
{
	const struct ht_sheet_item *last = &sheet->items[sheet->n_items - 1];

	for (size_t i = 0; i + 1 < sheet->n_items; i++)
		if (strcmp(sheet->items[i].name, last->name) == 0 &&
		    sheet->items[i].version == last->version)
			ht_sheet_blame(sheet, last->row, HT_SHEET_NAME, report,
			    "the rows of this item stand apart, or two items "
			    "have one code; bring them together");
}

static enum ht_err
read_rows(struct ht_sheet *sheet, struct ht_report *report)
{
	size_t n = ht_csv_rows(sheet->csv);

	sheet->items = calloc(n, sizeof(*sheet->items));
	if (sheet->items == NULL)
		return HT_ENOMEM;
	for (size_t row = 1; row < n; row++) {
		check_cells(sheet, row, report);
		if (starts_item(sheet, row)) {
			if (sheet->n_items == HT_SHEET_ITEMS)
				return HT_ETOOBIG;
			sheet->items[sheet->n_items].row = row;
			read_name(
			    sheet, &sheet->items[sheet->n_items++], report);
			check_unique(sheet, report);
		}
		sheet->items[sheet->n_items - 1].n++;
		check_same(
		    sheet, &sheet->items[sheet->n_items - 1], row, report);
	}
	return HT_OK;
}

enum ht_err
ht_sheet_read(struct ht_slice text, const char *name, struct ht_report *report,
    struct ht_sheet **ret)
{
	HT_AUTO(ht_sheet_free)
	struct ht_sheet *sheet = calloc(1, sizeof(*sheet));
	unsigned before = ht_report_count(report);
	enum ht_err err;

	if (sheet == NULL)
		return HT_ENOMEM;
	memset(sheet->at, -1, sizeof(sheet->at));
	sheet->name = strdup(name);
	if (sheet->name == NULL)
		return HT_ENOMEM;
	err = ht_csv_parse(text, name, report, &sheet->csv);
	if (err != HT_OK)
		return err;
	if (ht_csv_rows(sheet->csv) == 0) {
		ht_report_add(report, name,
		    "an empty table; the first row "
		    "has the headings");
		return HT_EMALFORMED;
	}
	if (!read_headings(sheet, report))
		return HT_EMALFORMED;
	err = read_rows(sheet, report);
	if (err == HT_ETOOBIG)
		ht_report_add(
		    report, name, "more than %d items", HT_SHEET_ITEMS);
	if (err == HT_OK && ht_report_count(report) > before)
		err = HT_EINVALID;
	if (err == HT_OK)
		*ret = HT_TAKE(sheet);
	return err;
}

size_t
ht_sheet_items(const struct ht_sheet *sheet)
{
	return sheet->n_items;
}

void
ht_sheet_name(const struct ht_sheet *sheet, size_t item,
    char out[static HT_DOC_NAME_MAX + 1])
{
	(void)snprintf(out, HT_DOC_NAME_MAX + 1, "%s@%u",
	    sheet->items[item].name, sheet->items[item].version);
}

size_t
ht_sheet_line(const struct ht_sheet *sheet, size_t item)
{
	return ht_csv_line(sheet->csv, sheet->items[item].row);
}
