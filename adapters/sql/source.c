/*
 * source.c -- a database as a source: the statement and the columns of the
 * adapter's configuration (hutong-adapter.conf(5)).
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "adapters/source.h"
#include "adapters/sql/column.h"
#include "adapters/sql/pool.h"
#include "adapters/sql/statement.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"
#include "schemas/status.h"

#define CONNECT_MAX  4096
#define PASSWORD_MAX 1024
#define PREPARE_MAX  16
#define COLUMNS_MAX  512 /* an item's fields: HT_RELEASED_MAX bits */

struct ht_source {
	char *name;
	struct ht_sql *sql;
};

struct ht_query {
	struct ht_statement statement;
	char *params[HT_STATEMENT_BINDS]; /* the request's names, by marker */
	size_t n_columns;
	struct ht_sql_column *columns;
};

/* ---- the source ---- */

static void
source_close(struct ht_source **source_p)
{
	struct ht_source *source = *source_p;

	if (source == NULL)
		return;
	ht_sql_close(&source->sql);
	free(source->name);
	free(source);
	*source_p = NULL;
}

static char *
beside(const char *dir, const char *path)
{
	return path[0] == '/' ? strdup(path) : ht_fs_join(dir, path);
}

/* PWD={...}: a brace in it is doubled, which is ODBC's way. */
static void
add_password(const char *dir, struct ht_yaml *at, struct ht_buf *connect)
{
	HT_AUTO(ht_buf_fini) struct ht_buf secret = HT_BUF(PASSWORD_MAX);
	HT_AUTO(ht_mem_free) char *path = NULL;
	const char *name;

	if (!ht_yaml_as_str(at, CONNECT_MAX, &name))
		return;
	path = beside(dir, name);
	if (path == NULL || ht_fs_read(path, &secret) != HT_OK) {
		ht_yaml_complain(at,
		    "this file cannot be read: give the path of a file that "
		    "holds the password alone");
		return;
	}
	while (secret.len > 0 && (secret.at[secret.len - 1] == '\n' ||
	                             secret.at[secret.len - 1] == '\r'))
		secret.len--;
	ht_buf_str(connect, ";PWD={");
	for (size_t i = 0; i < secret.len; i++) {
		ht_buf_u8(connect, secret.at[i]);
		if (secret.at[i] == '}')
			ht_buf_u8(connect, '}');
	}
	ht_buf_u8(connect, '}');
}

static json_t *
read_prepare(struct ht_yaml *list)
{
	json_t *prepare = json_array();

	list = ht_yaml_as_list(list);
	if (ht_yaml_count(list) > PREPARE_MAX)
		ht_yaml_complain(list, "at most %d statements", PREPARE_MAX);
	for (size_t i = 0; i < ht_yaml_count(list); i++) {
		const char *sql;

		if (ht_yaml_as_str(ht_yaml_at(list, i), HT_STATEMENT_MAX, &sql))
			(void)json_array_append_new(prepare, json_string(sql));
	}
	return prepare;
}

static enum ht_err
source_open(const char *name, const char *dir, struct ht_yaml *value,
    struct ht_source **ret)
{
	static const struct ht_word charsets[] = {
	    {"utf-8",   0},
            {"gb18030", 1},
            {NULL,      0}
        };
	HT_AUTO(ht_buf_fini) struct ht_buf connect = HT_BUF(2 * CONNECT_MAX);
	HT_AUTO(ht_json_free) json_t *prepare = NULL;
	HT_AUTO(source_close) struct ht_source *source = NULL;
	struct ht_yaml *map = ht_yaml_as_map(value);
	struct ht_sql_conf conf = {.name = name, .dir = dir};
	const char *text = "";
	uint64_t workers = 1;
	int gb18030 = 0;
	enum ht_err err;

	(void)ht_yaml_as_str(ht_yaml_need(map, "connect"), CONNECT_MAX, &text);
	ht_buf_str(&connect, text);
	add_password(dir, ht_yaml_get(map, "password-file"), &connect);
	(void)ht_yaml_as_str(
	    ht_yaml_get(map, "must-exist"), CONNECT_MAX, &conf.must_exist);
	prepare = read_prepare(ht_yaml_get(map, "prepare"));
	(void)ht_yaml_as_word(ht_yaml_get(map, "charset"), charsets, &gb18030);
	(void)ht_yaml_as_u64(
	    ht_yaml_get(map, "workers"), 1, HT_SQL_WORKERS_MAX, &workers);
	conf.connect = ht_buf_text(&connect);
	conf.prepare = prepare;
	conf.charset = charsets[gb18030].word;
	conf.workers = (unsigned)workers;
	source = calloc(1, sizeof(*source));
	if (conf.connect == NULL || prepare == NULL || source == NULL)
		return HT_ENOMEM;
	source->name = strdup(name);
	err =
	    source->name != NULL ? ht_sql_open(&conf, &source->sql) : HT_ENOMEM;
	if (err == HT_OK)
		*ret = HT_TAKE(source);
	return err;
}

/* ---- an item's entry ---- */

static void
query_free(struct ht_query **query_p)
{
	struct ht_query *query = *query_p;

	if (query == NULL)
		return;
	ht_statement_fini(&query->statement);
	for (size_t i = 0; i < HT_COUNT(query->params); i++)
		free(query->params[i]);
	for (size_t i = 0; i < query->n_columns; i++)
		ht_sql_column_fini(&query->columns[i]);
	free(query->columns);
	free(query);
	*query_p = NULL;
}

static void
read_statement(struct ht_query *query, struct ht_yaml *at)
{
	const char *text, *why;
	size_t offset;
	enum ht_err err;

	if (!ht_yaml_as_str(at, HT_STATEMENT_MAX, &text))
		return;
	err = ht_statement_parse(
	    ht_slice_str(text), &query->statement, &offset, &why);
	if (err == HT_EINVALID)
		ht_yaml_complain(at, "at \"%.24s\": %s", text + offset, why);
	else if (err != HT_OK)
		ht_yaml_complain(at, "%s", ht_err_text(err));
}

/* Where each marker's value comes from; as it is named, if nothing is said. */
static enum ht_err
read_params(struct ht_query *query, struct ht_yaml *map)
{
	map = ht_yaml_as_map(map);
	for (size_t i = 0; i < query->statement.n_binds; i++) {
		const char *name = query->statement.names[i];

		(void)ht_yaml_as_str(
		    ht_yaml_get(map, name), HT_STATEMENT_PARAM, &name);
		query->params[i] = strdup(name);
		if (query->params[i] == NULL)
			return HT_ENOMEM;
	}
	return HT_OK;
}

static json_t *
constant(struct ht_yaml *value)
{
	struct ht_slice text;

	switch (ht_yaml_type(value)) {
	case HT_YAML_TEXT:
		text = ht_yaml_scalar(value);
		return json_stringn((const char *)text.at, text.len);
	case HT_YAML_BOOL:
		return json_boolean(ht_slice_is(ht_yaml_scalar(value), "true"));
	case HT_YAML_INT:
		return json_integer(
		    strtoll((const char *)ht_yaml_scalar(value).at, NULL, 10));
	case HT_YAML_DECIMAL:
		return json_real(
		    strtod((const char *)ht_yaml_scalar(value).at, NULL));
	case HT_YAML_NULL:
	case HT_YAML_LIST:
	case HT_YAML_MAP:
		break;
	}
	ht_yaml_complain(value, "a constant is text, a number, true or false");
	return NULL;
}

/* The item's code for each of the table's: {A: "1", B: "2"}. */
static json_t *
read_codes(struct ht_yaml *map)
{
	json_t *codes;

	map = ht_yaml_as_map(map);
	if (map == NULL)
		return NULL;
	codes = json_object();
	for (size_t i = 0; i < ht_yaml_count(map); i++) {
		struct ht_yaml *at = ht_yaml_at(map, i);
		enum ht_yaml_type type = ht_yaml_type(at);
		struct ht_slice text;

		if (type == HT_YAML_LIST || type == HT_YAML_MAP) {
			ht_yaml_complain(at, "a code is text");
			continue;
		}
		text = ht_yaml_scalar(at);
		(void)json_object_set_new(codes, ht_yaml_key(map, i),
		    json_stringn((const char *)text.at, text.len));
	}
	return codes;
}

static enum ht_as
read_as(struct ht_yaml *at)
{
	const char *text;
	int as;

	if (!ht_yaml_as_str(at, 32, &text))
		return HT_AS_AUTO;
	as = ht_as_parse(ht_slice_str(text));
	if (as < 0)
		ht_yaml_complain(at, "'as' is one of %s", ht_as_names());
	return as < 0 ? HT_AS_AUTO : (enum ht_as)as;
}

static char *
copy_str(struct ht_yaml *at, size_t max)
{
	const char *text;

	return ht_yaml_as_str(at, max, &text) ? strdup(text) : NULL;
}

/* {column: c, as: date, codes: {...}, ...} or {value: "156"} */
static void
read_column_map(struct ht_yaml *map, struct ht_sql_column *column)
{
	struct ht_yaml *value = ht_yaml_get(map, "value");
	bool trim = true;

	if (value != NULL) {
		column->constant = constant(value);
		return;
	}
	column->column = copy_str(ht_yaml_need(map, "column"), 256);
	column->as = read_as(ht_yaml_get(map, "as"));
	(void)ht_yaml_as_bool(ht_yaml_get(map, "trim"), &trim);
	column->keep_spaces = !trim;
	(void)ht_yaml_as_bool(
	    ht_yaml_get(map, "empty-is-absent"), &column->empty_absent);
	column->codes = read_codes(ht_yaml_get(map, "codes"));
	column->codes_else = copy_str(ht_yaml_get(map, "else"), 256);
}

static enum ht_err
read_columns(struct ht_query *query, struct ht_yaml *map)
{
	map = ht_yaml_as_map(map);
	if (ht_yaml_count(map) > COLUMNS_MAX) {
		ht_yaml_complain(
		    map, "an item has at most %d fields", COLUMNS_MAX);
		return HT_OK;
	}
	query->columns =
	    calloc(ht_yaml_count(map) + 1, sizeof(*query->columns));
	if (query->columns == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < ht_yaml_count(map); i++) {
		struct ht_sql_column *column =
		    &query->columns[query->n_columns++];
		struct ht_yaml *at = ht_yaml_at(map, i);

		column->field = strdup(ht_yaml_key(map, i));
		if (column->field == NULL)
			return HT_ENOMEM;
		if (ht_yaml_type(at) == HT_YAML_MAP)
			read_column_map(at, column);
		else
			column->column = copy_str(at, 256);
	}
	return HT_OK;
}

static enum ht_err
query_read(
    struct ht_source *source, struct ht_yaml *item, struct ht_query **ret)
{
	HT_AUTO(query_free) struct ht_query *query = NULL;
	enum ht_err err;

	(void)source;
	query = calloc(1, sizeof(*query));
	if (query == NULL)
		return HT_ENOMEM;
	read_statement(query, ht_yaml_need(item, "statement"));
	err = read_params(query, ht_yaml_get(item, "params"));
	if (err == HT_OK)
		err = read_columns(query, ht_yaml_need(item, "columns"));
	if (err == HT_OK)
		*ret = HT_TAKE(query);
	return err;
}

static void
query_check(const struct ht_query *query, const struct ht_item *item,
    const char *where, struct ht_report *report)
{
	for (size_t i = 0; i < query->n_columns; i++)
		if (ht_schema_field_index(
		        item->record, query->columns[i].field) < 0)
			ht_report_add(report, where,
			    "%s version %u has no field '%s'; see its record "
			    "schema",
			    item->name, item->version, query->columns[i].field);
	for (size_t i = 0; i < query->statement.n_binds; i++)
		if (ht_schema_field_index(item->request, query->params[i]) < 0)
			ht_report_add(report, where,
			    "%s version %u takes no parameter '%s'; map :%s "
			    "to one of its request schema under 'params'",
			    item->name, item->version, query->params[i],
			    query->statement.names[i]);
}

/* ---- asking ---- */

struct asking {
	const struct ht_source *source;
	const struct ht_query *query;
	ht_found_fn *done;
	void *arg;
};

/* -1: the result has no such column, -2: several of that name. */
static int
column_index(const json_t *columns, const char *name)
{
	int found = -1;

	for (size_t i = 0; i < json_array_size(columns); i++) {
		const char *has = json_string_value(json_array_get(columns, i));

		/* Some databases fold names to capitals. */
		if (has == NULL || strcasecmp(has, name) != 0)
			continue;
		if (found >= 0)
			return -2;
		found = (int)i;
	}
	return found;
}

static enum ht_err
set_field(json_t *record, const struct ht_sql_column *column,
    const json_t *result, const json_t *row, struct ht_buf *why)
{
	const json_t *columns = json_object_get(result, "columns");
	const json_t *kinds = json_object_get(result, "kinds");
	const char *wrong;
	json_t *value = NULL;
	enum ht_err err;
	int i;

	if (column->constant != NULL)
		return json_object_set(
		           record, column->field, column->constant) == 0
		           ? HT_OK
		           : HT_ENOMEM;
	i = column_index(columns, column->column);
	if (i < 0) {
		ht_buf_fmt(why, "field %s: the statement gives %s column '%s'",
		    column->field, i == -1 ? "no" : "more than one",
		    column->column);
		return HT_EINVALID;
	}
	err = ht_sql_column_convert(column,
	    (enum ht_column_kind)json_integer_value(
	        json_array_get(kinds, (size_t)i)),
	    json_string_value(json_array_get(row, (size_t)i)), &value, &wrong);
	if (err == HT_EINVALID)
		ht_buf_fmt(why, "field %s: %s", column->field, wrong);
	if (err != HT_OK || value == NULL)
		return err;
	return json_object_set_new(record, column->field, value) == 0
	           ? HT_OK
	           : HT_ENOMEM;
}

static enum ht_err
map_rows(const struct ht_query *query, const json_t *result, json_t *records,
    struct ht_buf *why)
{
	const json_t *rows = json_object_get(result, "rows");
	enum ht_err err = HT_OK;

	for (size_t r = 0; r < json_array_size(rows); r++) {
		json_t *record = json_object();

		if (json_array_append_new(records, record) != 0)
			return HT_ENOMEM;
		for (size_t i = 0; err == HT_OK && i < query->n_columns; i++)
			err = set_field(record, &query->columns[i], result,
			    json_array_get(rows, r), why);
		if (err != HT_OK)
			return err;
	}
	return HT_OK;
}

static void
asked(void *arg, unsigned status, const json_t *result, const char *detail)
{
	HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(1024);
	HT_AUTO(ht_json_free) json_t *records = json_array();
	struct asking *asking = arg;
	struct ht_found found = {.status = status, .detail = detail};
	enum ht_err err = HT_OK;

	if (status == HT_ST_OK) {
		err = map_rows(asking->query, result, records, &why);
		found.records = records;
		found.more = json_is_true(json_object_get(result, "more"));
	}
	if (err != HT_OK) {
		found.status = HT_ST_SOURCE_INVALID;
		found.records = NULL;
		found.detail = why.len > 0 && why.err == HT_OK
		                   ? ht_buf_text(&why)
		                   : ht_err_text(err);
		ht_log(HT_ERROR, "source %s: %s", asking->source->name,
		    found.detail);
	}
	asking->done(asking->arg, &found);
	free(asking);
}

static enum ht_err
source_ask(struct ht_source *source, const struct ht_query *query,
    const json_t *params, uint32_t rows_max, uint64_t deadline_ms,
    ht_found_fn *done, void *arg)
{
	HT_AUTO(ht_json_free) json_t *binds = json_array();
	struct asking *asking;
	enum ht_err err;

	for (size_t i = 0; i < query->statement.n_binds; i++) {
		json_t *value = json_object_get(params, query->params[i]);

		/* An optional parameter that was not given is SQL's NULL. */
		if (json_array_append_new(binds,
		        value != NULL ? json_incref(value) : json_null()) != 0)
			return HT_ENOMEM;
	}
	asking = malloc(sizeof(*asking));
	if (asking == NULL)
		return HT_ENOMEM;
	*asking = (struct asking){source, query, done, arg};
	err = ht_sql_ask(source->sql, query->statement.sql, binds, rows_max,
	    deadline_ms, asked, asking);
	if (err != HT_OK)
		free(asking);
	return err;
}

static int
source_fd(const struct ht_source *source)
{
	return ht_sql_fd(source->sql);
}

static int
source_wait_ms(const struct ht_source *source, uint64_t now_ms)
{
	return ht_sql_wait_ms(source->sql, now_ms);
}

static void
source_step(struct ht_source *source, uint64_t now_ms)
{
	ht_sql_step(source->sql, now_ms);
}

const struct ht_source_ops ht_source_odbc = {
    .kind = "odbc",
    .open = source_open,
    .close = source_close,
    .query = query_read,
    .query_free = query_free,
    .check = query_check,
    .ask = source_ask,
    .fd = source_fd,
    .wait_ms = source_wait_ms,
    .step = source_step,
};
