#include "adapters/sql/odbc_in.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/sql/statement.h"
#include "lib/base/text.h"

#define LOGIN_S 5

bool
odbc_fine(SQLRETURN rc)
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

enum ht_sql_fault
odbc_fault(struct odbc_run *r, SQLSMALLINT type, SQLHANDLE handle,
    const char *doing, enum ht_sql_fault otherwise)
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

enum ht_sql_fault
odbc_no_memory(struct odbc_run *r)
{
	ht_buf_str(r->why, "out of memory");
	return HT_SQL_DOWN;
}

/* ---- connecting ---- */

static enum ht_sql_fault
run_once(struct odbc_run *r, const char *sql)
{
	enum ht_sql_fault what = HT_SQL_FINE;
	SQLHSTMT stmt;
	SQLRETURN rc;

	if (!odbc_fine(SQLAllocHandle(SQL_HANDLE_STMT, r->odbc->dbc, &stmt)))
		return odbc_fault(
		    r, SQL_HANDLE_DBC, r->odbc->dbc, "preparing", HT_SQL_DOWN);
	rc = SQLExecDirect(stmt, (SQLCHAR *)(uintptr_t)sql, SQL_NTS);
	if (!odbc_fine(rc) && rc != SQL_NO_DATA)
		what = odbc_fault(r, SQL_HANDLE_STMT, stmt,
		    "running a statement of \"prepare\"", HT_SQL_WRONG);
	(void)SQLFreeHandle(SQL_HANDLE_STMT, stmt);
	return what;
}

static enum ht_sql_fault
open_handles(struct odbc_run *r)
{
	struct ht_odbc *odbc = r->odbc;

	if (odbc->env == NULL &&
	    (!odbc_fine(
	         SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &odbc->env)) ||
	        !odbc_fine(SQLSetEnvAttr(odbc->env, SQL_ATTR_ODBC_VERSION,
	            (SQLPOINTER)(uintptr_t)SQL_OV_ODBC3, 0))))
		return odbc_no_memory(r);
	if (!odbc_fine(SQLAllocHandle(SQL_HANDLE_DBC, odbc->env, &odbc->dbc)))
		return odbc_no_memory(r);
	/* Drivers may not know these two; what matters is checked below. */
	(void)SQLSetConnectAttr(odbc->dbc, SQL_ATTR_LOGIN_TIMEOUT,
	    (SQLPOINTER)(uintptr_t)LOGIN_S, 0);
	(void)SQLSetConnectAttr(odbc->dbc, SQL_ATTR_ACCESS_MODE,
	    (SQLPOINTER)(uintptr_t)SQL_MODE_READ_ONLY, 0);
	return HT_SQL_FINE;
}

static enum ht_sql_fault
settle(struct odbc_run *r)
{
	const json_t *prepare = r->conf->prepare;
	enum ht_sql_fault what = HT_SQL_FINE;

	for (size_t i = 0; what == HT_SQL_FINE && i < json_array_size(prepare);
	     i++)
		what =
		    run_once(r, json_string_value(json_array_get(prepare, i)));
	/* From here on every statement is in a transaction, rolled back. */
	if (what == HT_SQL_FINE &&
	    !odbc_fine(SQLSetConnectAttr(r->odbc->dbc, SQL_ATTR_AUTOCOMMIT,
	        (SQLPOINTER)(uintptr_t)SQL_AUTOCOMMIT_OFF, 0)))
		what = odbc_fault(r, SQL_HANDLE_DBC, r->odbc->dbc,
		    "turning automatic commit off", HT_SQL_DOWN);
	return what;
}

static enum ht_sql_fault
connect_if_needed(struct odbc_run *r)
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
	if (!odbc_fine(SQLDriverConnect(odbc->dbc, NULL,
	        (SQLCHAR *)(uintptr_t)r->conf->connect, SQL_NTS, NULL, 0, NULL,
	        SQL_DRIVER_NOPROMPT)))
		return odbc_fault(
		    r, SQL_HANDLE_DBC, odbc->dbc, "connecting", HT_SQL_DOWN);
	odbc->connected = true;
	return settle(r);
}

/*
 * The time goes to the driver before the statement: some make it a part of
 * what they prepare.  It is the server that stops then: a killed worker's
 * question would otherwise run on, and such questions pile up.
 */
static enum ht_sql_fault
prepare(struct odbc_run *r, const char *sql)
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
		return odbc_no_memory(r);
	if (!odbc_fine(SQLAllocHandle(SQL_HANDLE_STMT, odbc->dbc, &odbc->stmt)))
		return odbc_fault(
		    r, SQL_HANDLE_DBC, odbc->dbc, "preparing", HT_SQL_DOWN);
	(void)SQLSetStmtAttr(odbc->stmt, SQL_ATTR_QUERY_TIMEOUT,
	    (SQLPOINTER)(uintptr_t)r->timeout_s, 0);
	odbc->timeout_s = r->timeout_s;
	if (!odbc_fine(SQLPrepare(odbc->stmt, (SQLCHAR *)odbc->sql, SQL_NTS)))
		return odbc_fault(r, SQL_HANDLE_STMT, odbc->stmt,
		    "preparing the statement", HT_SQL_WRONG);
	odbc->prepared = true;
	return HT_SQL_FINE;
}

static enum ht_sql_fault
execute(struct odbc_run *r, const char *sql, const json_t *params,
    uint32_t rows_max, json_t **ret)
{
	struct odbc_bind binds[HT_STATEMENT_BINDS] = {0};
	enum ht_sql_fault what;
	SQLRETURN rc;

	what = prepare(r, sql);
	if (what == HT_SQL_FINE)
		what = odbc_bind_all(r, params, binds);
	if (what == HT_SQL_FINE) {
		set_running(r->odbc, true);
		rc = SQLExecute(r->odbc->stmt);
		if (!odbc_fine(rc) && rc != SQL_NO_DATA)
			what = odbc_fault(r, SQL_HANDLE_STMT, r->odbc->stmt,
			    "running the statement", HT_SQL_DOWN);
	}
	if (what == HT_SQL_FINE)
		what = odbc_collect(r, rows_max, ret);
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
	struct odbc_run r = {
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
