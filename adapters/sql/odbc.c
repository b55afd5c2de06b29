#include "adapters/sql/odbc.h"

#include <pthread.h>
#include <sql.h>
#include <sqlext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/sql/column.h"
#include "adapters/sql/statement.h"
#include "lib/base/text.h"

#define CHUNK          8192
#define LOGIN_S        5
#define NAME_MAX_BYTES 256

struct ht_odbc {
	SQLHENV env;
	SQLHDBC dbc;
	bool connected;
	/* The statement prepared last: a source's items take turns rarely. */
	SQLHSTMT stmt;
	char *sql;
	uint32_t timeout_s; /* it was prepared with */
	bool prepared;
	pthread_mutex_t lock; /* of what follows: two threads look at it */
	bool running;         /* stmt is, and stays until it is false */
};

/* What a run works with. */
struct run {
	struct ht_odbc *odbc;
	const struct ht_odbc_conf *conf;
	struct ht_buf *why;
	uint32_t timeout_s;
	size_t bytes; /* of values so far */
	SQLSMALLINT
	types[HT_SQL_COLUMNS]; /* of the columns, as SQL names them */
};

/* A bound parameter's memory, which must live until execution. */
struct bind {
	char *text;
	SQLBIGINT whole;
	SQLDOUBLE real;
	SQLLEN len;
};

static bool
fine(SQLRETURN rc)
{
	return rc == SQL_SUCCESS || rc == SQL_SUCCESS_WITH_INFO;
}

struct ht_odbc *
ht_odbc_new(void)
{
	struct ht_odbc *odbc = calloc(1, sizeof(*odbc));

	if (odbc != NULL)
		(void)pthread_mutex_init(&odbc->lock, NULL);
	return odbc;
}

static void
set_running(struct ht_odbc *odbc, bool running)
{
	(void)pthread_mutex_lock(&odbc->lock);
	odbc->running = running;
	(void)pthread_mutex_unlock(&odbc->lock);
}

void
ht_odbc_cancel(struct ht_odbc *odbc)
{
	(void)pthread_mutex_lock(&odbc->lock);
	if (odbc->running)
		(void)SQLCancel(odbc->stmt);
	(void)pthread_mutex_unlock(&odbc->lock);
}

static void
drop_statement(struct ht_odbc *odbc)
{
	if (odbc->stmt != NULL)
		(void)SQLFreeHandle(SQL_HANDLE_STMT, odbc->stmt);
	odbc->stmt = NULL;
	odbc->prepared = false;
	free(odbc->sql);
	odbc->sql = NULL;
}

static void
disconnect(struct ht_odbc *odbc)
{
	drop_statement(odbc);
	if (odbc->dbc != NULL) {
		if (odbc->connected) {
			(void)SQLEndTran(
			    SQL_HANDLE_DBC, odbc->dbc, SQL_ROLLBACK);
			(void)SQLDisconnect(odbc->dbc);
		}
		(void)SQLFreeHandle(SQL_HANDLE_DBC, odbc->dbc);
	}
	odbc->dbc = NULL;
	odbc->connected = false;
}

void
ht_odbc_free(struct ht_odbc **odbc_p)
{
	struct ht_odbc *odbc = *odbc_p;

	if (odbc == NULL)
		return;
	disconnect(odbc);
	if (odbc->env != NULL)
		(void)SQLFreeHandle(SQL_HANDLE_ENV, odbc->env);
	(void)pthread_mutex_destroy(&odbc->lock);
	free(odbc);
	*odbc_p = NULL;
}

/* ---- faults ---- */

/*
 * By how it begins: classes of SQLSTATE (08 connection, 42
 * syntax or access, 07 and 21 parameters and columns, 22 data, IM the driver
 * manager), and what single databases say of a statement over its time or of
 * one that would write.
 */
static enum ht_sql_fault
by_state(const char *state, enum ht_sql_fault otherwise)
{
	static const struct {
		const char *begins;
		enum ht_sql_fault is;
	} states[] = {
	    {"HYT",   HT_SQL_TIMEOUT}, /* ODBC's own */
	    {"HY008", HT_SQL_TIMEOUT}, /* cancelled */
	    {"HY018",
             HT_SQL_TIMEOUT         }, /* MariaDB's driver: max_statement_time */
	    {"57014", HT_SQL_TIMEOUT}, /* PostgreSQL: statement_timeout */
	    {"25006", HT_SQL_WRONG  }, /* a transaction that may only read */
	    {"08",    HT_SQL_DOWN   },
	    {"IM",    HT_SQL_DOWN   },
	    {"42",    HT_SQL_WRONG  },
	    {"07",    HT_SQL_WRONG  },
	    {"21",    HT_SQL_WRONG  },
	    {"22",    HT_SQL_WRONG  },
	};

	for (size_t i = 0; i < HT_COUNT(states); i++)
		if (strncmp(
		        state, states[i].begins, strlen(states[i].begins)) == 0)
			return states[i].is;
	return otherwise;
}

static enum ht_sql_fault
fault(struct run *r, SQLSMALLINT type, SQLHANDLE handle, const char *doing,
    enum ht_sql_fault otherwise)
{
	SQLCHAR state[6] = "HY000", text[512] = "";
	SQLINTEGER native = 0;
	SQLSMALLINT len = 0;

	(void)SQLGetDiagRec(type, handle, 1, state, &native, text,
	    (SQLSMALLINT)sizeof(text), &len);
	ht_buf_fmt(r->why, "%s: [%s]", doing, (const char *)state);
	/* Messages of these two classes quote data, which no log may hold. */
	if (memcmp(state, "22", 2) != 0 && memcmp(state, "23", 2) != 0) {
		ht_buf_u8(r->why, ' ');
		ht_text_safe(r->why, ht_slice_str((const char *)text));
	}
	return by_state((const char *)state, otherwise);
}

static enum ht_sql_fault
no_memory(struct run *r)
{
	ht_buf_str(r->why, "out of memory");
	return HT_SQL_DOWN;
}

/* ---- connecting ---- */

static enum ht_sql_fault
run_once(struct run *r, const char *sql)
{
	enum ht_sql_fault what = HT_SQL_FINE;
	SQLHSTMT stmt;
	SQLRETURN rc;

	if (!fine(SQLAllocHandle(SQL_HANDLE_STMT, r->odbc->dbc, &stmt)))
		return fault(
		    r, SQL_HANDLE_DBC, r->odbc->dbc, "preparing", HT_SQL_DOWN);
	rc = SQLExecDirect(stmt, (SQLCHAR *)(uintptr_t)sql, SQL_NTS);
	if (!fine(rc) && rc != SQL_NO_DATA)
		what = fault(r, SQL_HANDLE_STMT, stmt,
		    "running a statement of \"prepare\"", HT_SQL_WRONG);
	(void)SQLFreeHandle(SQL_HANDLE_STMT, stmt);
	return what;
}

static enum ht_sql_fault
open_handles(struct run *r)
{
	struct ht_odbc *odbc = r->odbc;

	if (odbc->env == NULL &&
	    (!fine(
	         SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &odbc->env)) ||
	        !fine(SQLSetEnvAttr(odbc->env, SQL_ATTR_ODBC_VERSION,
	            (SQLPOINTER)(uintptr_t)SQL_OV_ODBC3, 0))))
		return no_memory(r);
	if (!fine(SQLAllocHandle(SQL_HANDLE_DBC, odbc->env, &odbc->dbc)))
		return no_memory(r);
	/* Drivers may not know these two; what matters is checked below. */
	(void)SQLSetConnectAttr(odbc->dbc, SQL_ATTR_LOGIN_TIMEOUT,
	    (SQLPOINTER)(uintptr_t)LOGIN_S, 0);
	(void)SQLSetConnectAttr(odbc->dbc, SQL_ATTR_ACCESS_MODE,
	    (SQLPOINTER)(uintptr_t)SQL_MODE_READ_ONLY, 0);
	return HT_SQL_FINE;
}

static enum ht_sql_fault
settle(struct run *r)
{
	const json_t *prepare = r->conf->prepare;
	enum ht_sql_fault what = HT_SQL_FINE;

	for (size_t i = 0; what == HT_SQL_FINE && i < json_array_size(prepare);
	     i++)
		what =
		    run_once(r, json_string_value(json_array_get(prepare, i)));
	/* From here on every statement is in a transaction, rolled back. */
	if (what == HT_SQL_FINE &&
	    !fine(SQLSetConnectAttr(r->odbc->dbc, SQL_ATTR_AUTOCOMMIT,
	        (SQLPOINTER)(uintptr_t)SQL_AUTOCOMMIT_OFF, 0)))
		what = fault(r, SQL_HANDLE_DBC, r->odbc->dbc,
		    "turning automatic commit off", HT_SQL_DOWN);
	return what;
}

static enum ht_sql_fault
connect_if_needed(struct run *r)
{
	struct ht_odbc *odbc = r->odbc;
	enum ht_sql_fault what;

	if (odbc->connected)
		return HT_SQL_FINE;
	if (r->conf->must_exist != NULL &&
	    access(r->conf->must_exist, R_OK) != 0) {
		ht_buf_fmt(r->why,
		    "the file that must exist is not there or cannot be "
		    "read: %s",
		    r->conf->must_exist);
		return HT_SQL_DOWN;
	}
	disconnect(odbc);
	what = open_handles(r);
	if (what != HT_SQL_FINE)
		return what;
	if (!fine(SQLDriverConnect(odbc->dbc, NULL,
	        (SQLCHAR *)(uintptr_t)r->conf->connect, SQL_NTS, NULL, 0, NULL,
	        SQL_DRIVER_NOPROMPT)))
		return fault(
		    r, SQL_HANDLE_DBC, odbc->dbc, "connecting", HT_SQL_DOWN);
	odbc->connected = true;
	return settle(r);
}

/* ---- parameters ---- */

/* The text a driver gets: UTF-8, or GB 18030 where that is spoken. */
static bool
bind_text(struct run *r, const char *text, struct bind *b)
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
bind_as_text(struct run *r, SQLUSMALLINT n, const char *text, struct bind *b)
{
	if (!bind_text(r, text, b))
		return SQL_ERROR;
	return SQLBindParameter(r->odbc->stmt, n, SQL_PARAM_INPUT, SQL_C_CHAR,
	    SQL_VARCHAR, b->len > 0 ? (SQLULEN)b->len : 1, 0, b->text,
	    b->len + 1, &b->len);
}

static SQLRETURN
bind_one(struct run *r, SQLUSMALLINT n, const json_t *value, struct bind *b)
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

static enum ht_sql_fault
bind_all(struct run *r, const json_t *params, struct bind *binds)
{
	for (size_t i = 0; i < json_array_size(params); i++) {
		if (fine(bind_one(r, (SQLUSMALLINT)(i + 1),
		        json_array_get(params, i), &binds[i])))
			continue;
		ht_buf_fmt(r->why, "parameter %zu cannot be bound", i + 1);
		return HT_SQL_WRONG;
	}
	return HT_SQL_FINE;
}

/*
 * The time goes to the driver before the statement: some make it a part of
 * what they prepare.  It is the server that stops then: a killed worker's
 * question would otherwise run on, and such questions pile up.
 */
static enum ht_sql_fault
prepare(struct run *r, const char *sql)
{
	struct ht_odbc *odbc = r->odbc;

	if (odbc->prepared && odbc->timeout_s == r->timeout_s &&
	    strcmp(odbc->sql, sql) == 0) {
		(void)SQLFreeStmt(odbc->stmt, SQL_CLOSE);
		(void)SQLFreeStmt(odbc->stmt, SQL_RESET_PARAMS);
		return HT_SQL_FINE;
	}
	drop_statement(odbc);
	odbc->sql = strdup(sql);
	if (odbc->sql == NULL)
		return no_memory(r);
	if (!fine(SQLAllocHandle(SQL_HANDLE_STMT, odbc->dbc, &odbc->stmt)))
		return fault(
		    r, SQL_HANDLE_DBC, odbc->dbc, "preparing", HT_SQL_DOWN);
	(void)SQLSetStmtAttr(odbc->stmt, SQL_ATTR_QUERY_TIMEOUT,
	    (SQLPOINTER)(uintptr_t)r->timeout_s, 0);
	odbc->timeout_s = r->timeout_s;
	if (!fine(SQLPrepare(odbc->stmt, (SQLCHAR *)odbc->sql, SQL_NTS)))
		return fault(r, SQL_HANDLE_STMT, odbc->stmt,
		    "preparing the statement", HT_SQL_WRONG);
	odbc->prepared = true;
	return HT_SQL_FINE;
}

/* ---- results ---- */

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
describe(struct run *r, SQLSMALLINT n, json_t *columns, json_t *kinds)
{
	SQLCHAR name[NAME_MAX_BYTES];
	SQLSMALLINT len, type, digits, nullable;
	SQLULEN size;

	for (SQLSMALLINT i = 1; i <= n; i++) {
		if (!fine(SQLDescribeCol(r->odbc->stmt, (SQLUSMALLINT)i, name,
		        sizeof(name), &len, &type, &size, &digits, &nullable)))
			return fault(r, SQL_HANDLE_STMT, r->odbc->stmt,
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
get_bytes(struct run *r, SQLUSMALLINT n, struct ht_buf *out, bool *ret_null)
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
		if (!fine(rc))
			return fault(r, SQL_HANDLE_STMT, r->odbc->stmt,
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
bad_value(struct run *r, SQLUSMALLINT n, const char *why)
{
	ht_buf_fmt(r->why, "column %u: %s", n, why);
	return HT_SQL_WRONG;
}

/*
 * What the driver gave as UTF-8 text, in @room where it had to be made: bytes
 * in hex; MariaDB's bit, the byte itself, as a digit.  NULL, or why not.
 */
static const char *
as_text(const struct run *r, SQLSMALLINT type, struct ht_slice raw,
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
get_value(struct run *r, SQLUSMALLINT n, json_t *row)
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
		           : no_memory(r);
	r->bytes += raw.len;
	if (raw.err != HT_OK || r->bytes > HT_SQL_ANSWER_MAX)
		return bad_value(r, n, "too long, here or in all");
	why = as_text(r, r->types[n - 1], ht_buf_slice(&raw), &room, &value);
	if (why != NULL)
		return bad_value(r, n, why);
	return json_array_append_new(
	           row, json_stringn((const char *)value.at, value.len)) == 0
	           ? HT_SQL_FINE
	           : no_memory(r);
}

static enum ht_sql_fault
fetch(struct run *r, SQLSMALLINT n, uint32_t rows_max, json_t *rows,
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
		if (!fine(rc))
			return fault(r, SQL_HANDLE_STMT, r->odbc->stmt,
			    "fetching a row", HT_SQL_DOWN);
		if (json_array_size(rows) == rows_max) {
			*ret_more = true;
			return HT_SQL_FINE;
		}
		row = json_array();
		if (json_array_append_new(rows, row) != 0)
			return no_memory(r);
		for (SQLSMALLINT i = 1; what == HT_SQL_FINE && i <= n; i++)
			what = get_value(r, (SQLUSMALLINT)i, row);
		if (what != HT_SQL_FINE)
			return what;
	}
}

static enum ht_sql_fault
collect(struct run *r, uint32_t rows_max, json_t **ret)
{
	HT_AUTO(ht_json_free) json_t *columns = json_array();
	HT_AUTO(ht_json_free) json_t *kinds = json_array();
	HT_AUTO(ht_json_free) json_t *rows = json_array();
	SQLSMALLINT n = 0;
	enum ht_sql_fault what;
	bool more = false;

	if (!fine(SQLNumResultCols(r->odbc->stmt, &n)) || n < 1 ||
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
	return *ret != NULL ? HT_SQL_FINE : no_memory(r);
}

static enum ht_sql_fault
execute(struct run *r, const char *sql, const json_t *params, uint32_t rows_max,
    json_t **ret)
{
	struct bind binds[HT_STATEMENT_BINDS] = {0};
	enum ht_sql_fault what;
	SQLRETURN rc;

	what = prepare(r, sql);
	if (what == HT_SQL_FINE)
		what = bind_all(r, params, binds);
	if (what == HT_SQL_FINE) {
		set_running(r->odbc, true);
		rc = SQLExecute(r->odbc->stmt);
		if (!fine(rc) && rc != SQL_NO_DATA)
			what = fault(r, SQL_HANDLE_STMT, r->odbc->stmt,
			    "running the statement", HT_SQL_DOWN);
	}
	if (what == HT_SQL_FINE)
		what = collect(r, rows_max, ret);
	set_running(r->odbc, false);
	for (size_t i = 0; i < HT_COUNT(binds); i++)
		free(binds[i].text);
	return what;
}

enum ht_sql_fault
ht_odbc_ask(struct ht_odbc *odbc, const struct ht_odbc_conf *conf,
    const char *sql, const json_t *params, uint32_t rows_max,
    uint32_t timeout_s, json_t **ret, struct ht_buf *why)
{
	struct run r = {
	    .odbc = odbc, .conf = conf, .why = why, .timeout_s = timeout_s};
	bool kept = odbc->connected;
	enum ht_sql_fault what;

	if (json_array_size(params) > HT_STATEMENT_BINDS) {
		ht_buf_str(why, "too many parameters");
		return HT_SQL_WRONG;
	}
	what = connect_if_needed(&r);
	if (what == HT_SQL_FINE)
		what = execute(&r, sql, params, rows_max, ret);
	if (what == HT_SQL_FINE) {
		(void)SQLFreeStmt(odbc->stmt, SQL_CLOSE);
		(void)SQLEndTran(SQL_HANDLE_DBC, odbc->dbc, SQL_ROLLBACK);
		return HT_SQL_FINE;
	}
	/* A connection that failed once is not asked again. */
	disconnect(odbc);
	if (what != HT_SQL_DOWN || !kept)
		return what;
	/*
	 * It was an old one: the server may have been restarted since.  What
	 * is asked reads, and was rolled back, so it can be asked anew.
	 */
	ht_buf_reset(why);
	return ht_odbc_ask(
	    odbc, conf, sql, params, rows_max, timeout_s, ret, why);
}
