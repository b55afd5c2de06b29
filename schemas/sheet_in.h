/*
 * sheet_in.h -- the insides of a sheet, for the sheet_*.c files alone.
 */
#ifndef HT_SCHEMAS_SHEET_IN_H
#define HT_SCHEMAS_SHEET_IN_H

#include "schemas/sheet.h"

#define HT_SHEET_ITEMS 2000 /* of one file; a catalog may have several */

struct ht_sheet_item {
	char name[HT_NAME_MAX + 1];
	uint32_t version;
	size_t row; /* the first of its n */
	size_t n;
};

struct ht_sheet {
	char *name;
	struct ht_csv *csv;
	int at[HT_SHEET_COLUMNS]; /* where a column stands; -1: nowhere */
	size_t n_items;
	struct ht_sheet_item *items;
};
struct ht_slice ht_sheet_cell(
    const struct ht_sheet *sheet, size_t row, unsigned column);
/* A finding at a cell. */
void ht_sheet_blame(const struct ht_sheet *sheet, size_t row, unsigned column,
    struct ht_report *report, const char *text);

#endif
