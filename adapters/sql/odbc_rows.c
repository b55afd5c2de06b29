/*
 * odbc_rows.c -- the columns and rows of a result, within their bounds.
 */
#include "adapters/sql/odbc_in.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/sql/column.h"
#include "lib/base/text.h"

#define CHUNK          8192
#define NAME_MAX_BYTES 256

static enum ht_column_kind
kind_of(SQLSMALLINT type)
{
	switch (type) {
	case SQL_BIT:
		return HT_COLUMN_BOOLEAN;
	case SQL_TINYINT:
	case SQL_SMALLINT:
	case SQL_INTEGER:
	case SQL_BIGINT:
		return HT_COLUMN_INTEGER;
	case SQL_REAL:
	case SQL_FLOAT:
	case SQL_DOUBLE:
		return HT_COLUMN_FLOAT;
	case SQL_DECIMAL:
	case SQL_NUMERIC:
		return HT_COLUMN_DECIMAL;
	case SQL_TYPE_DATE:
		return HT_COLUMN_DATE;
	default:
		return HT_COLUMN_TEXT;
	}
}

static enum ht_sql_fault
describe(struct odbc_run *r, SQLSMALLINT n, json_t *columns, json_t *kinds)
{
	SQLCHAR name[NAME_MAX_BYTES];
	SQLSMALLINT len, type, digits, nullable;
	SQLULEN size;

	for (SQLSMALLINT i = 1; i <= n; i++) {
		if (!odbc_fine(SQLDescribeCol(r->odbc->stmt, (SQLUSMALLINT)i,
		        name, sizeof(name), &len, &type, &size, &digits,
		        &nullable)))
			return odbc_fault(r, SQL_HANDLE_STMT, r->odbc->stmt,
			    "asking for the columns", HT_SQL_DOWN);
		if (json_array_append_new(
		        columns, json_string((const char *)name)) != 0 ||
		    json_array_append_new(kinds, json_integer(kind_of(type))) !=
		        0) {
			ht_buf_fmt(
			    r->why, "column %d: its name is not UTF-8", i);
			return HT_SQL_WRONG;
		}
		r->types[i - 1] = type;
	}
	return HT_SQL_FINE;
}

static bool
is_binary(SQLSMALLINT type)
{
	return type == SQL_BINARY || type == SQL_VARBINARY ||
	       type == SQL_LONGVARBINARY;
}

/*
 * One value, in as many pieces as the driver wants; *ret_null if it is NULL.
 * Bytes are asked for as such: as text, one driver writes them in hex and
 * another lets them through.
 */
static enum ht_sql_fault
get_bytes(
    struct odbc_run *r, SQLUSMALLINT n, struct ht_buf *out, bool *ret_null)
{
	bool binary = is_binary(r->types[n - 1]);
	SQLSMALLINT as = binary ? SQL_C_BINARY : SQL_C_CHAR;
	char piece[CHUNK];
	SQLLEN len;
	SQLRETURN rc;

	*ret_null = false;
	for (;;) {
		rc = SQLGetData(
		    r->odbc->stmt, n, as, piece, (SQLLEN)sizeof(piece), &len);
		if (rc == SQL_NO_DATA)
			return HT_SQL_FINE;
		if (!odbc_fine(rc))
			return odbc_fault(r, SQL_HANDLE_STMT, r->odbc->stmt,
			    "reading a value", HT_SQL_DOWN);
		if (len == SQL_NULL_DATA) {
			*ret_null = true;
			return HT_SQL_FINE;
		}
		if (len != SQL_NO_TOTAL &&
		    len < (SQLLEN)sizeof(piece) + (binary ? 1 : 0)) {
			ht_buf_add(out, piece, (size_t)len);
			return HT_SQL_FINE;
		}
		/* Cut: the piece is full, as text but for its NUL. */
		ht_buf_add(out, piece,
		    binary ? sizeof(piece) : strnlen(piece, sizeof(piece)));
		if (out->err != HT_OK)
			return HT_SQL_FINE; /* the caller asks */
	}
}

static enum ht_sql_fault
bad_value(struct odbc_run *r, SQLUSMALLINT n, const char *why)
{
	ht_buf_fmt(r->why, "column %u: %s", n, why);
	return HT_SQL_WRONG;
}

/*
 * What the driver gave as UTF-8 text, in @room where it had to be made: bytes
 * in hex; MariaDB's bit, the byte itself, as a digit.  NULL, or why not.
 */
static const char *
as_text(const struct odbc_run *r, SQLSMALLINT type, struct ht_slice raw,
    struct ht_buf *room, struct ht_slice *ret)
{
	uint8_t *hex;
	size_t bad;

	*ret = raw;
	if (is_binary(type)) {
		hex = ht_buf_room(room, 2 * raw.len + 1);
		if (hex == NULL)
			return "too long in hex";
		ht_hex((char *)hex, raw.at, raw.len);
		*ret = HT_SLICE(hex, 2 * raw.len);
		return NULL;
	}
	if (type == SQL_BIT && raw.len == 1 && raw.at[0] <= 1) {
		*ret = ht_slice_str(raw.at[0] == 1 ? "1" : "0");
		return NULL;
	}
	if (r->conf->gb18030) {
		if (ht_text_from_gb18030(raw, room, &bad) != HT_OK)
			return "not GB 18030 text: see \"charset\"";
		*ret = ht_buf_slice(room);
	}
	if (memchr(ret->at, 0, ret->len) != NULL)
		return "there is a NUL in the text";
	return ht_utf8_valid(*ret) ? NULL : "not UTF-8 text: see \"charset\"";
}

static enum ht_sql_fault
get_value(struct odbc_run *r, SQLUSMALLINT n, json_t *row)
{
	HT_AUTO(ht_buf_fini) struct ht_buf raw = HT_BUF(HT_SQL_VALUE_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf room = HT_BUF(HT_SQL_VALUE_MAX);
	struct ht_slice value;
	enum ht_sql_fault what;
	const char *why;
	bool null;

	what = get_bytes(r, n, &raw, &null);
	if (what != HT_SQL_FINE)
		return what;
	if (null)
		return json_array_append_new(row, json_null()) == 0
		           ? HT_SQL_FINE
		           : odbc_no_memory(r);
	r->bytes += raw.len;
	if (raw.err != HT_OK || r->bytes > HT_SQL_ANSWER_MAX)
		return bad_value(r, n, "too long, here or in all");
	why = as_text(r, r->types[n - 1], ht_buf_slice(&raw), &room, &value);
	if (why != NULL)
		return bad_value(r, n, why);
	return json_array_append_new(
	           row, json_stringn((const char *)value.at, value.len)) == 0
	           ? HT_SQL_FINE
	           : odbc_no_memory(r);
}

static enum ht_sql_fault
fetch(struct odbc_run *r, SQLSMALLINT n, uint32_t rows_max, json_t *rows,
    bool *ret_more)
{
	enum ht_sql_fault what = HT_SQL_FINE;
	SQLRETURN rc;
	json_t *row;

	*ret_more = false;
	for (;;) {
		rc = SQLFetch(r->odbc->stmt);
		if (rc == SQL_NO_DATA)
			return HT_SQL_FINE;
		if (!odbc_fine(rc))
			return odbc_fault(r, SQL_HANDLE_STMT, r->odbc->stmt,
			    "fetching a row", HT_SQL_DOWN);
		if (json_array_size(rows) == rows_max) {
			*ret_more = true;
			return HT_SQL_FINE;
		}
		row = json_array();
		if (json_array_append_new(rows, row) != 0)
			return odbc_no_memory(r);
		for (SQLSMALLINT i = 1; what == HT_SQL_FINE && i <= n; i++)
			what = get_value(r, (SQLUSMALLINT)i, row);
		if (what != HT_SQL_FINE)
			return what;
	}
}

enum ht_sql_fault
odbc_collect(struct odbc_run *r, uint32_t rows_max, json_t **ret)
{
	HT_AUTO(ht_json_free) json_t *columns = json_array();
	HT_AUTO(ht_json_free) json_t *kinds = json_array();
	HT_AUTO(ht_json_free) json_t *rows = json_array();
	SQLSMALLINT n = 0;
	enum ht_sql_fault what;
	bool more = false;

	if (!odbc_fine(SQLNumResultCols(r->odbc->stmt, &n)) || n < 1 ||
	    n > HT_SQL_COLUMNS) {
		ht_buf_str(
		    r->why, "the statement gives no columns, or too many");
		return HT_SQL_WRONG;
	}
	what = describe(r, n, columns, kinds);
	if (what == HT_SQL_FINE)
		what = fetch(r, n, rows_max, rows, &more);
	if (what != HT_SQL_FINE)
		return what;
	*ret = json_pack("{s:O, s:O, s:b, s:O}", "columns", columns, "kinds",
	    kinds, "more", (int)more, "rows", rows);
	return *ret != NULL ? HT_SQL_FINE : odbc_no_memory(r);
}
