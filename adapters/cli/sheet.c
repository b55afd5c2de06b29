#include "adapters/cli/sheet.h"

#include "lib/base/limits.h"

enum ht_err
cli_sheet_open(struct cli_sheet *sheet, const char *what, const char *value)
{
	struct ht_column columns[] = {
	    {what,  false},
            {value, false}
        };
	enum ht_err err =
	    ht_table_new(columns, HT_COUNT(columns), &sheet->table);

	sheet->text = HT_BUF(HT_CELL_MAX);
	if (err == HT_OK)
		ht_table_wrap(sheet->table, 1);
	return err;
}

void
cli_sheet_fini(struct cli_sheet *sheet)
{
	ht_table_free(&sheet->table);
	ht_buf_fini(&sheet->text);
}

void
cli_sheet_line(struct cli_sheet *sheet, const char *what)
{
	struct ht_slice cells[] = {
	    ht_slice_str(what), ht_buf_slice(&sheet->text)};

	if (sheet->text.err == HT_OK && sheet->text.len > 0)
		ht_table_add(sheet->table, cells);
	ht_buf_reset(&sheet->text);
}

enum ht_err
cli_sheet_print(struct cli_sheet *sheet)
{
	return ht_table_print(sheet->table, stdout);
}
