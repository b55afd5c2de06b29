/*
 * grid.h -- rows of counts, as a table, CSV or JSON lines.
 */
#ifndef HT_BROKER_CLI_GRID_H
#define HT_BROKER_CLI_GRID_H

#include "broker/cli/tool.h"

#define HT_GRID_COLUMNS 20

enum ht_grid_kind {
	HT_GRID_TEXT,
	HT_GRID_NUMBER, /* digits; empty: unknown */
	HT_GRID_COUNTS, /* "PURPOSE 3, NO_GRANT 1": an object in JSON */
};

struct ht_grid_column {
	const char *key; /* in JSON */
	const char *en;  /* the heading */
	const char *zh;
	enum ht_grid_kind kind;
};

struct ht_grid;
/* @columns and @out are borrowed. */
enum ht_err ht_grid_new(enum ht_audit_format format, bool chinese,
    const struct ht_grid_column *columns, size_t n, FILE *out,
    struct ht_grid **ret) HT_MUST_USE;
void ht_grid_free(struct ht_grid **grid_p);
enum ht_err ht_grid_row(struct ht_grid *grid, const struct ht_slice *cells)
    HT_MUST_USE;
/* A table is printed only now. */
enum ht_err ht_grid_end(struct ht_grid *grid) HT_MUST_USE;

#endif
