/*
 * odbc_in.h -- the insides of one connection, shared by odbc.c (connecting,
 * running), odbc_bind.c (what goes in) and odbc_rows.c (what comes out).
 */
#ifndef HT_ADAPTERS_SQL_ODBC_IN_H
#define HT_ADAPTERS_SQL_ODBC_IN_H

#include <pthread.h>
#include <sql.h>
#include <sqlext.h>

#include "adapters/sql/odbc.h"

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
struct odbc_run {
	struct ht_odbc *odbc;
	const struct ht_odbc_conf *conf;
	struct ht_buf *why;
	uint32_t timeout_s;
	size_t bytes; /* of values so far */
	SQLSMALLINT
	types[HT_SQL_COLUMNS]; /* of the columns, as SQL names them */
};

/* A bound parameter's memory, which must live until execution. */
struct odbc_bind {
	char *text;
	SQLBIGINT whole;
	SQLDOUBLE real;
	SQLLEN len;
};

bool odbc_fine(SQLRETURN rc);
/* What the driver says of its last failure, and whose it is. */
enum ht_sql_fault odbc_fault(struct odbc_run *r, SQLSMALLINT type,
    SQLHANDLE handle, const char *doing, enum ht_sql_fault otherwise);
enum ht_sql_fault odbc_no_memory(struct odbc_run *r);

/* Bind them in their order; @binds, HT_STATEMENT_BINDS of them, is zeroed. */
enum ht_sql_fault odbc_bind_all(
    struct odbc_run *r, const json_t *params, struct odbc_bind *binds);
/* All of the result, as ht_odbc_ask() gives it. */
enum ht_sql_fault odbc_collect(
    struct odbc_run *r, uint32_t rows_max, json_t **ret);

#endif
