/*
 * query.c -- hutong query: ask for records.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/ask.h"
#include "lib/term/table.h"

/* "a,b" as an array of names; NULL for none. */
static json_t *
split_fields(const char *text)
{
	HT_AUTO(ht_mem_free) char *copy = NULL;
	json_t *fields;
	char *rest, *name;

	if (text == NULL)
		return NULL;
	copy = strdup(text);
	fields = json_array();
	rest = copy;
	while (rest != NULL && (name = strsep(&rest, ",")) != NULL)
		if (name[0] != '\0')
			(void)json_array_append_new(fields, json_string(name));
	return fields;
}

/* ---- the records ---- */

/* The fields that some record has, in the order of the item's schema. */
static size_t
present_fields(const struct cli_asking *a, const json_t *records,
    const char **out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < ht_schema_fields(a->item->record); i++) {
		const char *name = ht_schema_field(a->item->record, i);

		for (size_t r = 0; r < json_array_size(records); r++) {
			if (json_object_get(json_array_get(records, r), name) ==
			    NULL)
				continue;
			if (n < max)
				out[n++] = name;
			break;
		}
	}
	return n;
}

/* A value as one cell: text as it is, all else as JSON. */
static struct ht_slice
cell(const json_t *value, struct ht_buf *room)
{
	size_t from = room->len;

	if (value == NULL)
		return HT_SLICE("", 0);
	if (json_is_string(value))
		return HT_SLICE(
		    json_string_value(value), json_string_length(value));
	if (ht_json_print(value, room) != HT_OK)
		return HT_SLICE("?", 1);
	return HT_SLICE(room->at + from, room->len - from);
}

#define FIELDS_MAX 512

static void
print_rows(const struct cli_asking *a, const json_t *records,
    const char **fields, size_t n, struct ht_table *table)
{
	struct ht_slice cells[FIELDS_MAX];

	(void)a;
	for (size_t r = 0; r < json_array_size(records); r++) {
		struct ht_buf rooms[FIELDS_MAX];

		for (size_t i = 0; i < n; i++) {
			rooms[i] = HT_BUF(65536);
			cells[i] =
			    cell(json_object_get(
			             json_array_get(records, r), fields[i]),
			        &rooms[i]);
		}
		ht_table_add(table, cells);
		for (size_t i = 0; i < n; i++)
			ht_buf_fini(&rooms[i]);
	}
}

static enum ht_err
print_table(const struct cli_asking *a, const json_t *records,
    const char **fields, size_t n)
{
	HT_AUTO(ht_table_free) struct ht_table *table = NULL;
	struct ht_column columns[FIELDS_MAX] = {0};
	enum ht_err err;

	for (size_t i = 0; i < n; i++)
		columns[i].name = a->format == CLI_CSV
		                      ? fields[i]
		                      : cli_heading(a, fields[i]);
	err = ht_table_new(columns, n, &table);
	if (err != HT_OK)
		return err;
	print_rows(a, records, fields, n, table);
	return a->format == CLI_CSV ? ht_table_csv(table, stdout)
	                            : ht_table_print(table, stdout);
}

static enum ht_err
print_jsonl(const json_t *records)
{
	for (size_t r = 0; r < json_array_size(records); r++) {
		HT_AUTO(ht_buf_fini) struct ht_buf line = HT_BUF(1 << 21);
		enum ht_err err =
		    ht_json_print(json_array_get(records, r), &line);

		if (err != HT_OK)
			return err;
		ht_buf_u8(&line, '\n');
		if (fwrite(line.at, 1, line.len, stdout) != line.len)
			return HT_ESYSTEM;
	}
	return HT_OK;
}

static void
join(const char **fields, size_t n, struct ht_buf *out)
{
	for (size_t i = 0; i < n; i++)
		ht_buf_fmt(out, "%s%s", i > 0 ? ", " : "", fields[i]);
}

static int
show(const struct cli_asking *a, const struct ht_asked *asked)
{
	const json_t *records = asked->response.records;
	HT_AUTO(ht_buf_fini) struct ht_buf released = HT_BUF(65536);
	const char *fields[FIELDS_MAX];
	size_t n = present_fields(a, records, fields, FIELDS_MAX);
	enum ht_err err = HT_OK;

	if (a->format == CLI_JSONL)
		err = print_jsonl(records);
	else if (n > 0)
		err = print_table(a, records, fields, n);
	if (a->format == CLI_TABLE && !a->quiet)
		printf("%zu record%s%s\n", json_array_size(records),
		    json_array_size(records) == 1 ? "" : "s",
		    asked->response.more
		        ? "; there are more than the item gives at once"
		        : "");
	join(fields, n, &released);
	cli_footer(a, asked,
	    n > 0 && ht_buf_text(&released) != NULL ? ht_buf_text(&released)
	                                            : "");
	if (err != HT_OK || fflush(stdout) != 0)
		return ht_cli_error(
		    err, NULL, "cannot write", "standard output");
	return HT_EXIT_OK;
}

static int
query(int argc, char **argv)
{
	HT_AUTO(cli_asking_fini)
	struct cli_asking a = {.operation = HT_OP_QUERY};
	HT_AUTO(ht_asked_fini) struct ht_asked asked = {0};
	HT_AUTO(ht_json_free) json_t *params = NULL;
	HT_AUTO(ht_json_free) json_t *fields = NULL;
	struct ht_ask ask = {0};
	const char *field_list = NULL;
	struct ht_args args;
	const struct ht_opt opts[] = {
	    {.name = "fields",
             .arg = "A,B",
             .help = "only these; else all that are granted",
             .value = &field_list},
	    CLI_ASK_OPTIONS(a),
	};
	const struct ht_usage_of takes = {
	    .usage = "hutong query ITEM NAME=VALUE... [--fields A,B] "
	             "[--config FILE] ...",
	    .opts = opts,
	    .n_opts = HT_COUNT(opts),
	    .min_args = 1,
	    .max_args = HT_ARGS_MAX,
	};
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = cli_asking_open(&a, args.at[0]);
	if (rc != HT_CLI_GO)
		return rc;
	params = cli_words(
	    a.item != NULL ? a.item->request : NULL, &args, 1, "parameters");
	if (params == NULL)
		return HT_EXIT_USAGE;
	fields = split_fields(field_list);
	ask.params = params;
	ask.fields = fields;
	rc = cli_ask(&a, &ask, &asked);
	return rc == HT_CLI_GO ? show(&a, &asked) : rc;
}

const struct ht_verb ht_verb_query = {
    .name = "query",
    .synopsis = "ITEM NAME=VALUE... [--fields A,B] [--purpose CODE] ...",
    .help = "ask a provider for records",
    .run = query,
};
