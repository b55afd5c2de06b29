#include "lib/base/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/panic.h"

/* ---- writing ---- */

static bool
needs_quotes(struct ht_slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (strchr("\",\r\n", text.at[i]) != NULL)
			return true; /* NUL among them: strchr finds it */
	return text.len > 0 &&
	       (text.at[0] == ' ' || text.at[text.len - 1] == ' ');
}

void
ht_csv_add(struct ht_buf *out, struct ht_slice text)
{
	if (!needs_quotes(text)) {
		ht_buf_add(out, text.at, text.len);
		return;
	}
	ht_buf_u8(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '"')
			ht_buf_u8(out, '"');
		ht_buf_u8(out, text.at[i]);
	}
	ht_buf_u8(out, '"');
}

/* "-12.50" is a number to everybody, "-1+1" to no one. */
static bool
is_below_zero(struct ht_slice text)
{
	size_t digits = 0, dots = 0;

	for (size_t i = 1; i < text.len; i++) {
		digits += text.at[i] >= '0' && text.at[i] <= '9';
		dots += text.at[i] == '.';
	}
	return text.len > 0 && text.at[0] == '-' && digits > 0 && dots <= 1 &&
	       1 + digits + dots == text.len;
}

static bool
is_formula(struct ht_slice text)
{
	return text.len > 0 && text.at[0] != '\0' &&
	       strchr("=+-@\t\r'", text.at[0]) != NULL && !is_below_zero(text);
}

void
ht_csv_sheet_row(struct ht_buf *out, const struct ht_slice *cells, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf cell = HT_BUF(HT_CSV_BYTES);

		if (is_formula(cells[i]))
			ht_buf_u8(&cell, '\'');
		ht_buf_add(&cell, cells[i].at, cells[i].len);
		if (cell.err != HT_OK && out->err == HT_OK)
			out->err = cell.err;
		if (i > 0)
			ht_buf_u8(out, ',');
		ht_csv_add(out, ht_buf_slice(&cell));
	}
	ht_buf_str(out, "\r\n");
}

struct ht_slice
ht_csv_plain(struct ht_slice cell)
{
	struct ht_slice plain;

	if (cell.len < 2 || cell.at[0] != '\'')
		return cell;
	plain = HT_SLICE(cell.at + 1, cell.len - 1);
	return is_formula(plain) || is_below_zero(plain) ? plain : cell;
}

/* ---- reading ---- */

struct place {
	size_t at;
	size_t len;
};

struct ht_csv {
	uint8_t *text; /* cells, without quotes, one behind the other */
	size_t used;
	struct place *cells;
	size_t n_cells, room;
	size_t columns; /* 0 until the first row has ended */
	size_t *lines;  /* of each row */
	size_t n_rows, rows_room;
};

struct reader {
	struct ht_csv *csv;
	struct ht_slice in;
	size_t at;
	size_t line;
	const char *name;
	struct ht_report *report;
};

void
ht_csv_free(struct ht_csv **csv_p)
{
	struct ht_csv *csv = *csv_p;

	if (csv == NULL)
		return;
	*csv_p = NULL;
	free(csv->text);
	free(csv->cells);
	free(csv->lines);
	free(csv);
}

static enum ht_err
refuse(const struct reader *r, size_t line, enum ht_err err, const char *text)
{
	char where[512];

	(void)snprintf(where, sizeof(where), "%s:%zu", r->name, line);
	ht_report_add(r->report, where, "%s", text);
	return err;
}

static enum ht_err
grow(void **array, size_t *room, size_t need, size_t size)
{
	size_t more = *room == 0 ? 64 : *room * 2;
	void *now;

	if (need <= *room)
		return HT_OK;
	now = realloc(*array, more * size);
	if (now == NULL)
		return HT_ENOMEM;
	*array = now;
	*room = more;
	return HT_OK;
}

static int
peek(const struct reader *r)
{
	return r->at < r->in.len ? r->in.at[r->at] : -1;
}

static void
keep(struct reader *r, int c)
{
	r->csv->text[r->csv->used++] = (uint8_t)c;
}

/* Behind the opening quote, to behind the closing one. */
static enum ht_err
read_quoted(struct reader *r)
{
	size_t start = r->line;
	int c;

	for (r->at++; (c = peek(r)) != -1; r->at++) {
		if (c == '"') {
			r->at++;
			if (peek(r) != '"')
				break;
		}
		if (c == '\n')
			r->line++;
		keep(r, c);
	}
	if (c == -1)
		return refuse(r, start, HT_EMALFORMED,
		    "a cell's quote is not closed; close it, or write it twice "
		    "inside a quoted cell");
	c = peek(r);
	if (c != -1 && c != ',' && c != '\r' && c != '\n')
		return refuse(r, r->line, HT_EMALFORMED,
		    "text behind a closing quote; write quotes inside a cell "
		    "twice");
	return HT_OK;
}

static enum ht_err
read_bare(struct reader *r)
{
	int c;

	for (; (c = peek(r)) != -1 && c != ',' && c != '\n'; r->at++) {
		if (c == '\r' && r->at + 1 < r->in.len &&
		    r->in.at[r->at + 1] == '\n')
			return HT_OK;
		if (c == '"')
			return refuse(r, r->line, HT_EMALFORMED,
			    "a quote in a cell that is not quoted; put the "
			    "cell in quotes, and write this one twice");
		if (c == '\r' || c == '\0')
			return refuse(r, r->line, HT_EMALFORMED,
			    "a carriage return alone, or a NUL: this is no "
			    "CSV of UTF-8 or GB 18030; save it as such");
		keep(r, c);
	}
	return HT_OK;
}

static enum ht_err
read_cell(struct reader *r)
{
	struct ht_csv *csv = r->csv;
	size_t start = csv->used;
	size_t line = r->line;
	enum ht_err err = grow((void **)&csv->cells, &csv->room,
	    csv->n_cells + 1, sizeof(*csv->cells));

	if (err != HT_OK)
		return err;
	err = peek(r) == '"' ? read_quoted(r) : read_bare(r);
	if (err != HT_OK)
		return err;
	if (csv->used - start > HT_CSV_CELL)
		return refuse(r, line, HT_ETOOBIG,
		    "a cell of more than 32,767 bytes, which no spreadsheet "
		    "keeps; shorten it");
	csv->cells[csv->n_cells++] = (struct place){start, csv->used - start};
	return HT_OK;
}

static void
skip_line_end(struct reader *r)
{
	if (peek(r) == '\r')
		r->at++;
	if (peek(r) == '\n') {
		r->at++;
		r->line++;
	}
}

/* A row of empty cells leaves nothing behind. */
static enum ht_err
end_row(struct reader *r, size_t first, size_t line)
{
	struct ht_csv *csv = r->csv;
	size_t n = csv->n_cells - first;
	char text[160];
	enum ht_err err;
	bool any = false;

	for (size_t i = first; i < csv->n_cells; i++)
		any = any || csv->cells[i].len > 0;
	if (!any) {
		csv->n_cells = first;
		return HT_OK;
	}
	if (csv->columns == 0)
		csv->columns = n;
	if (n != csv->columns) {
		(void)snprintf(text, sizeof(text),
		    "this row has %zu cells, and the first %zu; separate them "
		    "by commas, quote what holds one",
		    n, csv->columns);
		return refuse(r, line, HT_EMALFORMED, text);
	}
	if (csv->n_rows == HT_CSV_ROWS)
		return refuse(r, line, HT_ETOOBIG, "more than 500,000 rows");
	err = grow((void **)&csv->lines, &csv->rows_room, csv->n_rows + 1,
	    sizeof(*csv->lines));
	if (err == HT_OK)
		csv->lines[csv->n_rows++] = line;
	return err;
}

static enum ht_err
read_row(struct reader *r)
{
	size_t first = r->csv->n_cells, line = r->line;
	enum ht_err err = read_cell(r);

	while (err == HT_OK && peek(r) == ',') {
		if (r->csv->n_cells - first == HT_CSV_COLUMNS)
			return refuse(
			    r, line, HT_ETOOBIG, "more than 256 columns");
		r->at++;
		err = read_cell(r);
	}
	if (err != HT_OK)
		return err;
	skip_line_end(r);
	return end_row(r, first, line);
}

enum ht_err
ht_csv_parse(struct ht_slice text, const char *name, struct ht_report *report,
    struct ht_csv **ret)
{
	HT_AUTO(ht_csv_free) struct ht_csv *csv = calloc(1, sizeof(*csv));
	struct reader r = {csv, text, 0, 1, name, report};
	enum ht_err err = HT_OK;

	if (csv == NULL)
		return HT_ENOMEM;
	if (text.len > HT_CSV_BYTES)
		return refuse(&r, 1, HT_ETOOBIG, "more than 16 MiB");
	csv->text = malloc(text.len + 1);
	if (csv->text == NULL)
		return HT_ENOMEM;
	while (err == HT_OK && r.at < text.len)
		err = read_row(&r);
	if (err == HT_OK)
		*ret = HT_TAKE(csv);
	return err;
}

size_t
ht_csv_rows(const struct ht_csv *csv)
{
	return csv->n_rows;
}

size_t
ht_csv_columns(const struct ht_csv *csv)
{
	return csv->columns;
}

struct ht_slice
ht_csv_cell(const struct ht_csv *csv, size_t row, size_t column)
{
	const struct place *cell;

	HT_ASSERT(row < csv->n_rows && column < csv->columns);
	cell = &csv->cells[row * csv->columns + column];
	return HT_SLICE(csv->text + cell->at, cell->len);
}

size_t
ht_csv_line(const struct ht_csv *csv, size_t row)
{
	HT_ASSERT(row < csv->n_rows);
	return csv->lines[row];
}
