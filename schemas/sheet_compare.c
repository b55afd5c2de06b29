/*
 * sheet_compare.c -- where the rows of an item say other than the item does.
 */
#include <string.h>

#include "schemas/sheet_in.h"

static enum ht_err
compare_row(const struct ht_sheet_against *a, size_t row,
    const struct ht_sheet_row *is, bool of_field)
{
	for (unsigned c = 0; c < HT_SHEET_COLUMNS; c++) {
		HT_AUTO(ht_buf_fini)
		struct ht_buf usual = HT_BUF(HT_CSV_CELL * 2);
		struct ht_slice has = ht_buf_slice(&is->cells[c]);

		/* By these the item was found. */
		if (c == HT_SHEET_NAME || c == HT_SHEET_VERSION ||
		    a->sheet->at[c] < 0 || ht_sheet_of_field(c) != of_field)
			continue;
		ht_sheet_usual(c, ht_sheet_cell(a->sheet, row, c), &usual);
		if (usual.err != HT_OK)
			return usual.err;
		if (!ht_slice_eq(ht_buf_slice(&usual), has))
			a->cell(a->arg, row, c, has);
	}
	return HT_OK;
}

int
ht_sheet_row_of(const struct ht_sheet *sheet, const struct ht_sheet_item *item,
    const char *field)
{
	for (size_t r = item->row; r < item->row + item->n; r++)
		if (ht_slice_is(ht_sheet_cell(sheet, r, HT_SHEET_FIELD), field))
			return (int)r;
	return -1;
}

static enum ht_err
compare_fields(const struct ht_sheet_against *a, struct ht_sheet_row *is)
{
	const struct ht_schema *record = a->with->item->record;
	enum ht_err err = HT_OK;

	for (size_t f = 0; f < ht_schema_fields(record) && err == HT_OK; f++) {
		const char *name = ht_schema_field(record, f);
		int row = ht_sheet_row_of(a->sheet, a->item, name);

		if (row < 0) {
			a->gone(a->arg, name);
			continue;
		}
		err = ht_sheet_row(a->with, f, a->docs, a->n, is);
		if (err == HT_OK)
			err = compare_row(a, (size_t)row, is, true);
	}
	return err;
}

static bool
is_new(const struct ht_schema *record, struct ht_slice field)
{
	for (size_t i = 0; i < ht_schema_fields(record); i++)
		if (ht_slice_is(field, ht_schema_field(record, i)))
			return false;
	return true;
}

enum ht_err
ht_sheet_against(const struct ht_sheet_against *a)
{
	HT_AUTO(ht_sheet_row_fini) struct ht_sheet_row is = {{{0}}};
	enum ht_err err = ht_sheet_row(a->with, 0, a->docs, a->n, &is);

	if (err != HT_OK)
		return err;
	err = compare_row(a, a->item->row, &is, false);
	if (err == HT_OK)
		err = compare_fields(a, &is);
	for (size_t r = a->item->row;
	     err == HT_OK && r < a->item->row + a->item->n; r++)
		if (is_new(a->with->item->record,
		        ht_sheet_cell(a->sheet, r, HT_SHEET_FIELD)))
			a->come(a->arg, r);
	return err;
}
