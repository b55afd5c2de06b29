/*
 * odbc_bind.c -- the parameters of a statement: what is bound, and never
 * written into its text.
 */
#include "adapters/sql/odbc_in.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"

/* The text a driver gets: UTF-8, or GB 18030 where that is spoken. */
static bool
bind_text(struct odbc_run *r, const char *text, struct odbc_bind *b)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_SQL_VALUE_MAX);
	size_t bad;

	if (!r->conf->gb18030) {
		b->text = strdup(text);
	} else if (ht_text_to_gb18030(ht_slice_str(text), &out, &bad) ==
	           HT_OK) {
		b->text = ht_slice_dup(ht_buf_slice(&out));
	}
	if (b->text == NULL)
		return false;
	b->len = (SQLLEN)strlen(b->text);
	return true;
}

static SQLRETURN
bind_as_text(
    struct odbc_run *r, SQLUSMALLINT n, const char *text, struct odbc_bind *b)
{
	if (!bind_text(r, text, b))
		return SQL_ERROR;
	return SQLBindParameter(r->odbc->stmt, n, SQL_PARAM_INPUT, SQL_C_CHAR,
	    SQL_VARCHAR, b->len > 0 ? (SQLULEN)b->len : 1, 0, b->text,
	    b->len + 1, &b->len);
}

static SQLRETURN
bind_one(struct odbc_run *r, SQLUSMALLINT n, const json_t *value,
    struct odbc_bind *b)
{
	SQLHSTMT stmt = r->odbc->stmt;

	switch (json_typeof(value)) {
	case JSON_STRING:
		return bind_as_text(r, n, json_string_value(value), b);
	case JSON_INTEGER:
	case JSON_TRUE:
	case JSON_FALSE:
		b->whole = json_is_integer(value) ? json_integer_value(value)
		                                  : json_is_true(value);
		return SQLBindParameter(stmt, n, SQL_PARAM_INPUT, SQL_C_SBIGINT,
		    SQL_BIGINT, 0, 0, &b->whole, 0, NULL);
	case JSON_REAL:
		b->real = json_real_value(value);
		return SQLBindParameter(stmt, n, SQL_PARAM_INPUT, SQL_C_DOUBLE,
		    SQL_DOUBLE, 0, 0, &b->real, 0, NULL);
	case JSON_NULL:
		b->len = SQL_NULL_DATA;
		return SQLBindParameter(stmt, n, SQL_PARAM_INPUT, SQL_C_CHAR,
		    SQL_VARCHAR, 1, 0, NULL, 0, &b->len);
	case JSON_OBJECT:
	case JSON_ARRAY:
		break;
	}
	return SQL_ERROR;
}

enum ht_sql_fault
odbc_bind_all(struct odbc_run *r, const json_t *params, struct odbc_bind *binds)
{
	for (size_t i = 0; i < json_array_size(params); i++) {
		if (odbc_fine(bind_one(r, (SQLUSMALLINT)(i + 1),
		        json_array_get(params, i), &binds[i])))
			continue;
		ht_buf_fmt(r->why, "parameter %zu cannot be bound", i + 1);
		return HT_SQL_WRONG;
	}
	return HT_SQL_FINE;
}
