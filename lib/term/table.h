/*
 * table.h -- rows for people (a table) and for programs (CSV).
 */
#ifndef HT_TERM_TABLE_H
#define HT_TERM_TABLE_H

#include <stdio.h>

#include "lib/base/bytes.h"

struct ht_table;

struct ht_column {
	const char *name; /* the heading; copied, and may be UTF-8 */
	bool number;      /* set to the right */
};

/* Errors: HT_ENOMEM. */
enum ht_err ht_table_new(const struct ht_column *columns, size_t count,
    struct ht_table **ret_table) HT_MUST_USE;
void ht_table_free(struct ht_table **table_p);
/* Break this column into lines where a terminal is too narrow for its rows. */
void ht_table_wrap(struct ht_table *table, size_t column);

/*
 * Add a row: one cell a column; copied.  A failure sticks and is told when
 * the table is printed: HT_ENOMEM, HT_ETOOBIG past HT_TABLE_ROWS rows.
 */
void ht_table_add(struct ht_table *table, const struct ht_slice *cells);
size_t ht_table_rows(const struct ht_table *table);

/*
 * Print with headings and aligned columns (wide characters too, whatever the
 * locale), each cell made safe for terminals.  Nothing if there are no rows.
 * Errors: what stuck in adding; HT_ENOMEM; HT_ESYSTEM if @out took not all.
 */
enum ht_err ht_table_print(const struct ht_table *table, FILE *out) HT_MUST_USE;

/* The same rows as CSV, headings first.  Errors: as above. */
enum ht_err ht_table_csv(const struct ht_table *table, FILE *out) HT_MUST_USE;

/*
 * One line of CSV (RFC 4180, CRLF), for results that should not be held in
 * memory.  Whatever a cell says, no terminal and no spreadsheet obeys it: it is
 * made safe as ht_text_safe() does, and disarmed as ht_csv_sheet_row() does,
 * which somebody's program, too, may be glad of.
 * Errors: HT_ENOMEM; HT_ESYSTEM if @out took not all.
 */
enum ht_err ht_csv_row(FILE *out, const struct ht_slice *cells, size_t count)
    HT_MUST_USE;

#endif
