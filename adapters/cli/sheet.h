/*
 * sheet.h -- a table of two columns: what, and what of it.
 */
#ifndef HT_ADAPTERS_CLI_SHEET_H
#define HT_ADAPTERS_CLI_SHEET_H

#include "lib/term/table.h"

struct cli_sheet {
	struct ht_table *table;
	struct ht_buf text; /* of the line at hand: append to it */
};
/* Both headings. HT_ENOMEM. */
enum ht_err cli_sheet_open(
    struct cli_sheet *sheet, const char *what, const char *value) HT_MUST_USE;
void cli_sheet_fini(struct cli_sheet *sheet);
/* End the line at hand; there is none where nothing was written. */
void cli_sheet_line(struct cli_sheet *sheet, const char *what);
/* On standard output. */
enum ht_err cli_sheet_print(struct cli_sheet *sheet) HT_MUST_USE;

#endif
