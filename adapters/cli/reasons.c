#include "adapters/cli/reasons.h"

#include <stdlib.h>
#include <string.h>

#include "lib/term/table.h"

#define LINE_MAX_BYTES (1 << 20)

void
cli_reasons_fini(struct cli_reasons *reasons)
{
	free(reasons->at);
	memset(reasons, 0, sizeof(*reasons));
}

enum ht_err
cli_reasons_add(struct cli_reasons *reasons, const char *under,
    const struct ht_reasons *more)
{
	struct cli_reason *at;

	if (more->n == 0)
		return HT_OK;
	at =
	    realloc(reasons->at, (reasons->n + more->n) * sizeof(*reasons->at));
	if (at == NULL)
		return HT_ENOMEM;
	reasons->at = at;
	for (unsigned i = 0; i < more->n && reasons->n < CLI_REASONS_MAX; i++) {
		struct cli_reason *to = &at[reasons->n++];

		(void)snprintf(to->under, sizeof(to->under), "%s", under);
		to->reason = more->at[i];
	}
	return HT_OK;
}

/* What happened, in general and here. */
static void
add_why(struct ht_buf *out, const struct ht_reason *r)
{
	ht_buf_fmt(out, "%s%s%s", ht_status_text(r->code),
	    r->detail[0] != '\0' ? ": " : "", r->detail);
}

enum ht_err
cli_reasons_table(const struct cli_reasons *reasons)
{
	static const struct ht_column columns[] = {
	    {"GRANT",        false},
            {"CODE",         false},
            {"WHY",          false},
	    {"WHO MUST ACT", false},
            {"WHAT TO DO",   false}
        };
	HT_AUTO(ht_table_free) struct ht_table *table = NULL;
	enum ht_err err = ht_table_new(columns, HT_COUNT(columns), &table);

	if (err == HT_OK) {
		ht_table_wrap(table, 2);
		ht_table_wrap(table, 4);
	}
	for (size_t i = 0; i < reasons->n && err == HT_OK; i++) {
		const struct cli_reason *row = &reasons->at[i];
		unsigned code = row->reason.code;
		HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(4096);
		struct ht_slice cells[HT_COUNT(columns)];

		add_why(&why, &row->reason);
		cells[0] = ht_slice_str(row->under[0] ? row->under : "-");
		cells[1] = ht_slice_str(ht_status_name(code));
		cells[2] = ht_buf_slice(&why);
		cells[3] = ht_slice_str(ht_who_text(ht_status_who(code)));
		cells[4] = ht_slice_str(ht_status_remedy(code));
		ht_table_add(table, cells);
	}
	return err == HT_OK ? ht_table_print(table, stdout) : err;
}

json_t *
cli_reasons_json(const struct cli_reasons *reasons)
{
	json_t *all = json_array();

	for (size_t i = 0; i < reasons->n; i++) {
		const struct cli_reason *row = &reasons->at[i];
		unsigned code = row->reason.code;
		json_t *one = json_object();

		ht_json_set_uint(one, "code", code);
		ht_json_set_text(
		    one, "name", ht_slice_str(ht_status_name(code)));
		ht_json_set_text(
		    one, "text", ht_slice_str(ht_status_text(code)));
		ht_json_set_text(
		    one, "detail", ht_slice_str(row->reason.detail));
		ht_json_set_text(
		    one, "who", ht_slice_str(ht_who_text(ht_status_who(code))));
		ht_json_set_text(
		    one, "remedy", ht_slice_str(ht_status_remedy(code)));
		ht_json_set_text(one, "grant", ht_slice_str(row->under));
		(void)json_array_append_new(all, one);
	}
	return all;
}

enum ht_err
cli_json_line(const json_t *json)
{
	HT_AUTO(ht_buf_fini) struct ht_buf line = HT_BUF(LINE_MAX_BYTES);
	enum ht_err err = json != NULL ? ht_json_print(json, &line) : HT_ENOMEM;

	if (err != HT_OK)
		return err;
	ht_buf_u8(&line, '\n');
	if (line.err != HT_OK)
		return line.err;
	return fwrite(line.at, 1, line.len, stdout) == line.len ? HT_OK
	                                                        : HT_ESYSTEM;
}
