/*
 * sheet_revise.c -- the rows of one item against the item that there is.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "schemas/sheet_in.h"

/* ---- against what there is ---- */

static void
compare_row(const struct ht_sheet *sheet, size_t row,
    const struct ht_sheet_row *is, struct ht_report *report)
{
	for (unsigned c = 0; c < HT_SHEET_COLUMNS; c++) {
		struct ht_slice cell = ht_sheet_cell(sheet, row, c);
		struct ht_slice has = ht_buf_slice(&is->cells[c]);
		HT_AUTO(ht_buf_fini)
		struct ht_buf usual = HT_BUF(HT_CSV_CELL * 2);
		char text[1024];
		int a = (int)ht_utf8_cut(has, 300);
		int b = (int)ht_utf8_cut(cell, 300);

		ht_sheet_usual(c, cell, &usual);
		/* A merged cell, or a column that is not there. */
		if (ht_slice_eq(ht_buf_slice(&usual), has) ||
		    sheet->at[c] < 0 ||
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
