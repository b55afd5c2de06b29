#include "lib/term/table.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libsmartcols.h>

#include "lib/base/csv.h"
#include "lib/base/limits.h"
#include "lib/base/panic.h"
#include "lib/base/text.h"

struct ht_table {
	size_t columns;
	size_t rows;
	size_t room; /* for rows */
	char **names;
	int *flags;   /* SCOLS_FL_* of each column */
	char **cells; /* row after row */
	size_t *lens;
	enum ht_err err;
};

void
ht_table_free(struct ht_table **table_p)
{
	struct ht_table *table = *table_p;

	if (table == NULL)
		return;
	*table_p = NULL;
	for (size_t i = 0; table->names != NULL && i < table->columns; i++)
		free(table->names[i]);
	for (size_t i = 0; i < table->rows * table->columns; i++)
		free(table->cells[i]);
	free(table->names);
	free(table->flags);
	free(table->cells);
	free(table->lens);
	free(table);
}

enum ht_err
ht_table_new(
    const struct ht_column *columns, size_t count, struct ht_table **ret_table)
{
	HT_AUTO(ht_table_free) struct ht_table *table = NULL;

	HT_ASSERT(count > 0);
	table = calloc(1, sizeof(*table));
	if (table == NULL)
		return HT_ENOMEM;
	table->columns = count;
	table->names = calloc(count, sizeof(*table->names));
	table->flags = calloc(count, sizeof(*table->flags));
	if (table->names == NULL || table->flags == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < count; i++) {
		table->flags[i] = columns[i].number ? SCOLS_FL_RIGHT : 0;
		table->names[i] = strdup(columns[i].name);
		if (table->names[i] == NULL)
			return HT_ENOMEM;
	}
	*ret_table = HT_TAKE(table);
	return HT_OK;
}

void
ht_table_wrap(struct ht_table *table, size_t column)
{
	HT_ASSERT(column < table->columns);
	table->flags[column] |= SCOLS_FL_WRAP;
}

size_t
ht_table_rows(const struct ht_table *table)
{
	return table->rows;
}

/* ---- adding ---- */

static enum ht_err
grow(struct ht_table *table)
{
	size_t room = table->room == 0 ? 16 : table->room * 2;
	size_t n = room * table->columns;
	char **cells;
	size_t *lens;

	if (table->rows < table->room)
		return HT_OK;
	if (table->rows >= HT_TABLE_ROWS)
		return HT_ETOOBIG;
	cells = realloc(table->cells, n * sizeof(*cells));
	if (cells == NULL)
		return HT_ENOMEM;
	table->cells = cells;
	lens = realloc(table->lens, n * sizeof(*lens));
	if (lens == NULL)
		return HT_ENOMEM;
	table->lens = lens;
	table->room = room;
	return HT_OK;
}

static enum ht_err
add(struct ht_table *table, const struct ht_slice *cells)
{
	size_t first = table->rows * table->columns;
	enum ht_err err = grow(table);

	if (err != HT_OK)
		return err;
	for (size_t i = 0; i < table->columns; i++) {
		table->lens[first + i] = cells[i].len;
		table->cells[first + i] = ht_slice_dup(cells[i]);
		if (table->cells[first + i] != NULL)
			continue;
		while (i-- > 0)
			free(table->cells[first + i]);
		return HT_ENOMEM;
	}
	table->rows++;
	return HT_OK;
}

void
ht_table_add(struct ht_table *table, const struct ht_slice *cells)
{
	if (table->err == HT_OK)
		table->err = add(table, cells);
}

static struct ht_slice
cell(const struct ht_table *table, size_t row, size_t column)
{
	size_t i = row * table->columns + column;

	return HT_SLICE(table->cells[i], table->lens[i]);
}

static enum ht_err
written(FILE *out)
{
	return fflush(out) != 0 || ferror(out) ? HT_ESYSTEM : HT_OK;
}

/* ---- the table ---- */

/* smartcols returns -errno. */
static enum ht_err
from_scols(int rc)
{
	if (rc == 0)
		return HT_OK;
	return rc == -ENOMEM ? HT_ENOMEM : HT_ESYSTEM;
}

static enum ht_err
fill_columns(struct libscols_table *scols, const struct ht_table *table)
{
	for (size_t i = 0; i < table->columns; i++)
		if (scols_table_new_column(
		        scols, table->names[i], 0, table->flags[i]) == NULL)
			return HT_ENOMEM;
	return HT_OK;
}

static enum ht_err
fill_line(struct libscols_line *line, const struct ht_table *table, size_t row)
{
	HT_AUTO(ht_buf_fini) struct ht_buf safe = HT_BUF(HT_CELL_MAX);

	for (size_t i = 0; i < table->columns; i++) {
		const char *text;
		enum ht_err err;

		ht_buf_reset(&safe);
		ht_text_safe(&safe, cell(table, row, i));
		text = ht_buf_text(&safe);
		if (text == NULL)
			return safe.err;
		err = from_scols(scols_line_set_data(line, i, text));
		if (err != HT_OK)
			return err;
	}
	return HT_OK;
}

static enum ht_err
fill_lines(struct libscols_table *scols, const struct ht_table *table)
{
	for (size_t row = 0; row < table->rows; row++) {
		struct libscols_line *line = scols_table_new_line(scols, NULL);
		enum ht_err err;

		if (line == NULL)
			return HT_ENOMEM;
		err = fill_line(line, table, row);
		if (err != HT_OK)
			return err;
	}
	return HT_OK;
}

static void
unref(struct libscols_table **scols_p)
{
	scols_unref_table(*scols_p);
}

static void
free_locale(locale_t *locale_p)
{
	if (*locale_p != (locale_t)0)
		freelocale(*locale_p);
}

/*
 * The width of a character is known to a UTF-8 locale alone, and minimal
 * systems run in "C": borrow C.UTF-8 for this thread while printing.
 */
static enum ht_err
print_wide(struct libscols_table *scols)
{
	HT_AUTO(free_locale)
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = (locale_t)0;
	int rc;

	if (utf8 != (locale_t)0)
		before = uselocale(utf8);
	rc = scols_print_table(scols);
	if (before != (locale_t)0)
		(void)uselocale(before);
	return from_scols(rc);
}

enum ht_err
ht_table_print(const struct ht_table *table, FILE *out)
{
	HT_AUTO(unref) struct libscols_table *scols = NULL;
	enum ht_err err = table->err;

	if (err != HT_OK || table->rows == 0)
		return err;
	scols = scols_new_table();
	if (scols == NULL)
		return HT_ENOMEM;
	/* Cells are safe already; twice escaped they would be unreadable. */
	(void)scols_table_enable_noencoding(scols, 1);
	(void)scols_table_set_column_separator(scols, "  ");
	(void)scols_table_set_stream(scols, out);
	err = fill_columns(scols, table);
	if (err == HT_OK)
		err = fill_lines(scols, table);
	if (err == HT_OK)
		err = print_wide(scols);
	return err == HT_OK ? written(out) : err;
}

/* ---- CSV ---- */

/* One buffer of safe text, cut into cells when it moves no more. */
static enum ht_err
add_safe_row(struct ht_buf *line, const struct ht_slice *cells, size_t count)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_CELL_MAX);
	HT_AUTO(ht_mem_free)
	struct ht_slice *safe = calloc(count + 1, sizeof(*safe));
	size_t at = 0;

	if (safe == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < count; i++) {
		size_t start = text.len;

		ht_text_safe(&text, cells[i]);
		safe[i].len = text.len - start;
	}
	if (text.err != HT_OK)
		return text.err;
	for (size_t i = 0; i < count; i++) {
		safe[i].at = safe[i].len == 0 ? NULL : text.at + at;
		at += safe[i].len;
	}
	ht_csv_sheet_row(line, safe, count);
	return line->err;
}

enum ht_err
ht_csv_row(FILE *out, const struct ht_slice *cells, size_t count)
{
	HT_AUTO(ht_buf_fini) struct ht_buf line = HT_BUF(HT_CELL_MAX);
	enum ht_err err = add_safe_row(&line, cells, count);

	if (err != HT_OK)
		return err;
	return fwrite(line.at, 1, line.len, out) == line.len ? HT_OK
	                                                     : HT_ESYSTEM;
}

static enum ht_err
csv_head(const struct ht_table *table, struct ht_slice *cells, FILE *out)
{
	for (size_t i = 0; i < table->columns; i++)
		cells[i] = ht_slice_str(table->names[i]);
	return ht_csv_row(out, cells, table->columns);
}

enum ht_err
ht_table_csv(const struct ht_table *table, FILE *out)
{
	HT_AUTO(ht_mem_free) struct ht_slice *cells = NULL;
	enum ht_err err = table->err;

	if (err != HT_OK)
		return err;
	cells = calloc(table->columns, sizeof(*cells));
	if (cells == NULL)
		return HT_ENOMEM;
	err = csv_head(table, cells, out);
	for (size_t row = 0; err == HT_OK && row < table->rows; row++) {
		for (size_t i = 0; i < table->columns; i++)
			cells[i] = cell(table, row, i);
		err = ht_csv_row(out, cells, table->columns);
	}
	return err == HT_OK ? written(out) : err;
}
