/*
 * sheet_revise.h -- a sheet's differences as edits of an item's text, for the
 * sheet_revise*.c files alone.
 */
#ifndef HT_SCHEMAS_SHEET_REVISE_H
#define HT_SCHEMAS_SHEET_REVISE_H

#include "lib/conf/edit.h"
#include "schemas/rules.h"
#include "schemas/sheet_in.h"

#define HT_SHEET_VALUE (2 * HT_CSV_CELL) /* a cell with all of it escaped */

struct ht_sheet_revising {
	const struct ht_sheet *sheet;
	const struct ht_sheet_item *item;
	const struct ht_doc *with;
	struct ht_sheet_says to;
	struct ht_law law; /* the text in force, with its places */
	struct ht_edits edits;
	struct ht_buf entry; /* lines of an entry that there is not yet */
	bool required;       /* the list of required fields is another */
	unsigned n;          /* of differences */
};
/* What was written there; its error sticks in the edits. */
struct ht_slice ht_sheet_yaml(
    struct ht_sheet_revising *r, const struct ht_buf *buf);
/* A finding about what a sheet cannot say. */
void ht_sheet_cannot(const struct ht_sheet_revising *r, size_t row,
    unsigned column, const char *text);
/* A key of @map goes, if it is there. */
void ht_sheet_take_away(
    struct ht_sheet_revising *r, struct ht_yaml *map, const char *key);

/* sheet_revise_item.c: a cell of the whole item is another. */
void ht_sheet_revise_item(struct ht_sheet_revising *r, unsigned column);

/* sheet_revise_field.c: cells of one field (bits of columns) are others. */
void ht_sheet_revise_field(
    struct ht_sheet_revising *r, size_t row, unsigned cells);
bool ht_sheet_was_required(
    const struct ht_sheet_revising *r, struct ht_slice name);
void ht_sheet_revise_required(struct ht_sheet_revising *r);

#endif
