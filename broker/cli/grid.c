#include "broker/cli/grid.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/base/panic.h"
#include "lib/base/text.h"
#include "lib/term/table.h"

struct ht_grid {
	enum ht_audit_format format;
	const struct ht_grid_column *columns;
	size_t n;
	FILE *out;
	struct ht_table *table;
	struct ht_buf json, line;
};

void
ht_grid_free(struct ht_grid **grid_p)
{
	struct ht_grid *g = HT_TAKE(*grid_p);

	if (g == NULL)
		return;
	ht_table_free(&g->table);
	ht_buf_fini(&g->json);
	ht_buf_fini(&g->line);
	free(g);
}

static enum ht_err
begin(struct ht_grid *g, bool zh)
{
	struct ht_column columns[HT_GRID_COLUMNS];
	struct ht_slice heads[HT_GRID_COLUMNS];
	enum ht_err err;

	for (size_t i = 0; i < g->n; i++) {
		columns[i].name = zh ? g->columns[i].zh : g->columns[i].en;
		columns[i].number = g->columns[i].kind == HT_GRID_NUMBER;
		heads[i] = ht_slice_str(columns[i].name);
	}
	err = ht_table_new(columns, g->n, &g->table);
	if (err == HT_OK && g->format == HT_AUDIT_CSV)
		err = ht_csv_row(g->out, heads, g->n);
	return err;
}

enum ht_err
ht_grid_new(enum ht_audit_format format, bool chinese,
    const struct ht_grid_column *columns, size_t n, FILE *out,
    struct ht_grid **ret)
{
	HT_AUTO(ht_grid_free) struct ht_grid *g = calloc(1, sizeof(*g));
	enum ht_err err;

	HT_ASSERT(n <= HT_GRID_COLUMNS);
	if (g == NULL)
		return HT_ENOMEM;
	g->format = format;
	g->columns = columns;
	g->n = n;
	g->out = out;
	g->json = g->line = HT_BUF(HT_CELL_MAX);
	err = begin(g, chinese);
	if (err == HT_OK)
		*ret = HT_TAKE(g);
	return err;
}

/* ---- JSON ---- */

static uint64_t
number(struct ht_slice text)
{
	uint64_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n = n * 10 + (uint64_t)(text.at[i] - '0');
	return n;
}

/* "NAME N, NAME N", as our own code wrote it. */
static void
set_counts(json_t *in, const char *key, struct ht_slice text)
{
	json_t *object = json_object();
	size_t at = 0;

	while (at < text.len) {
		size_t end = at, space;
		char name[64];

		while (end < text.len && text.at[end] != ',')
			end++;
		for (space = end; space > at && text.at[space] != ' ';)
			space--;
		(void)snprintf(name, sizeof(name), "%.*s", (int)(space - at),
		    (const char *)text.at + at);
		ht_json_set_uint(object, name,
		    number(HT_SLICE(text.at + space + 1, end - space - 1)));
		at = end + 2;
	}
	(void)json_object_set_new(in, key, object);
}

static enum ht_err
print_object(struct ht_grid *g, const struct ht_slice *cells)
{
	HT_AUTO(ht_json_free) json_t *object = json_object();

	if (object == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < g->n; i++) {
		const char *key = g->columns[i].key;

		if (g->columns[i].kind == HT_GRID_TEXT)
			ht_json_set_text(object, key, cells[i]);
		else if (g->columns[i].kind == HT_GRID_COUNTS)
			set_counts(object, key, cells[i]);
		else if (cells[i].len > 0)
			ht_json_set_uint(object, key, number(cells[i]));
	}
	return ht_audit_print_json(object, &g->json, &g->line, g->out);
}

/* ---- rows ---- */

enum ht_err
ht_grid_row(struct ht_grid *g, const struct ht_slice *cells)
{
	if (g->format == HT_AUDIT_JSONL)
		return print_object(g, cells);
	if (g->format == HT_AUDIT_CSV)
		return ht_csv_row(g->out, cells, g->n);
	ht_table_add(g->table, cells);
	return HT_OK;
}

enum ht_err
ht_grid_end(struct ht_grid *g)
{
	if (g->format == HT_AUDIT_TABLE)
		return ht_table_print(g->table, g->out);
	return fflush(g->out) == EOF ? HT_ESYSTEM : HT_OK;
}
