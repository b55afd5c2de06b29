/*
 * csv.h -- tables of text, RFC 4180: written so that a spreadsheet takes no
 * cell for a formula, read strictly, with the line of every row.
 */
#ifndef HT_BASE_CSV_H
#define HT_BASE_CSV_H

#include "lib/base/bytes.h"
#include "lib/base/report.h"

#define HT_CSV_BYTES   (16 << 20) /* a whole catalog of 10,000 items */
#define HT_CSV_ROWS    500000
#define HT_CSV_COLUMNS 256
#define HT_CSV_CELL    32767 /* what a spreadsheet's cell can hold */

/* ---- writing ---- */

/* One cell, in quotes where it needs them. */
void ht_csv_add(struct ht_buf *out, struct ht_slice text);
/*
 * One line for a spreadsheet: what it would run as a formula (it begins with
 * = + - @, a tab, a carriage return, and is no number below zero) gets an
 * apostrophe before it, and so does what begins with an apostrophe, so that
 * ht_csv_plain() gives all back.
 */
void ht_csv_sheet_row(
    struct ht_buf *out, const struct ht_slice *cells, size_t n);
/* A cell of a spreadsheet without that apostrophe. */
struct ht_slice ht_csv_plain(struct ht_slice cell);

/* ---- reading ---- */

struct ht_csv;
/*
 * Lines end in CRLF or LF, the last one may; a quote stands at a cell's start
 * and end or twice inside; all rows have as many cells as the first.  Rows of
 * empty cells alone are left out.
 * Errors: HT_EMALFORMED, HT_ETOOBIG with a finding at its line; HT_ENOMEM.
 */
enum ht_err ht_csv_parse(struct ht_slice text, const char *name,
    struct ht_report *report, struct ht_csv **ret) HT_MUST_USE;
void ht_csv_free(struct ht_csv **csv_p);
size_t ht_csv_rows(const struct ht_csv *csv);
size_t ht_csv_columns(const struct ht_csv *csv);
struct ht_slice ht_csv_cell(
    const struct ht_csv *csv, size_t row, size_t column);
size_t ht_csv_line(const struct ht_csv *csv, size_t row); /* from 1 */

#endif
