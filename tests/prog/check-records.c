/*
 * check-records -- what a statement of tests/demo/sql/statements gives, held
 * against an item's record schema.
 *
 *	sqlite3 -json ... | check-records schemas/items/CODE.yaml
 *
 * Reads JSON lists of rows, one after another.  A column is the field of its
 * name: NULL is absent, a text that begins with [ is a list, and 0 or 1 may be
 * a boolean.  Prints findings, and at the end the number of records on standard
 * output; status 1 if one of them is wrong.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/limits.h"
#include "schemas/doc.h"

/* A column's value as the adapter would turn it into a field; new, or NULL. */
static json_t *
field_value(const struct ht_schema *schema, size_t i, json_t *value)
{
	const char *text = json_string_value(value);

	if (json_is_null(value))
		return NULL;
	if (text != NULL && text[0] == '[')
		return json_loads(text, 0, NULL);
	if (json_is_integer(value) &&
	    !ht_schema_check_field(schema, i, value, NULL))
		return json_boolean(json_integer_value(value) != 0);
	return json_incref(value);
}

static bool
check_row(const struct ht_schema *schema, json_t *row)
{
	HT_AUTO(ht_report_free) struct ht_report *wrong = ht_report_new();
	json_t *record = json_object(), *value;
	const char *name;
	bool good;

	json_object_foreach(row, name, value)
	{
		int i = ht_schema_field_index(schema, name);
		json_t *field = i < 0 ? json_incref(value)
		                      : field_value(schema, (size_t)i, value);

		if (field != NULL)
			(void)json_object_set_new(record, name, field);
	}
	good = ht_schema_check(schema, record, wrong, wrong);
	if (ht_report_count(wrong) > 0)
		ht_report_print(wrong, stderr);
	json_decref(record);
	return good && ht_report_count(wrong) == 0;
}

int
main(int argc, char **argv)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);
	struct ht_doc *doc = NULL;
	unsigned count = 0, wrong = 0;
	json_t *rows, *row;
	size_t i;

	if (argc != 2 || ht_fs_read(argv[1], &text) != HT_OK ||
	    ht_doc_parse(ht_buf_slice(&text), argv[1], report, &doc) != HT_OK ||
	    doc->kind != HT_DOC_ITEM) {
		ht_report_print(report, stderr);
		(void)fputs("usage: check-records ITEM.yaml\n", stderr);
		return 2;
	}
	while (
	    (rows = json_loadf(stdin, JSON_DISABLE_EOF_CHECK, NULL)) != NULL) {
		json_array_foreach(rows, i, row)
		{
			count++;
			wrong += !check_row(doc->item->record, row);
		}
		json_decref(rows);
	}
	ht_doc_unref(&doc);
	(void)printf("%u\n", count);
	return wrong > 0;
}
