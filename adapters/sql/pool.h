/*
 * pool.h -- a database, asked through worker processes.
 *
 * Nothing but the closing blocks: a question gets its answer in ht_sql_step(),
 * at its deadline at the latest.  A worker that is too slow is told to end (the
 * server then stops, too), a second later killed, and another one started; one
 * that dies is replaced, ever more slowly if it goes on dying.
 */
#ifndef HT_ADAPTERS_SQL_POOL_H
#define HT_ADAPTERS_SQL_POOL_H

#include "schemas/json.h"

#define HT_SQL_WORKERS_MAX 16  /* a department's database is no load test */
#define HT_SQL_WAITING_MAX 256 /* questions waiting for a worker */

struct ht_sql;

struct ht_sql_conf {
	const char *name;       /* of the source, for log lines */
	const char *connect;    /* ODBC connection string */
	const char *must_exist; /* file that must be there first; or NULL */
	const json_t *prepare;  /* statements for a new connection; or NULL */
	const char *charset;    /* "utf-8" (also NULL), "gb18030" */
	const char *dir;        /* where the workers stand; NULL: here */
	unsigned workers;       /* 0: 1 */
};
/* Copies what it needs; starts no process yet.  HT_ENOMEM; HT_ESYSTEM. */
enum ht_err ht_sql_open(const struct ht_sql_conf *conf, struct ht_sql **ret)
    HT_MUST_USE;
/*
 * Ends the workers, within a second; what is still open is answered
 * SOURCE_DOWN first.
 */
void ht_sql_close(struct ht_sql **sql_p);

/*
 * @status: HT_ST_OK, HT_ST_SOURCE_DOWN, _SLOW or _INVALID; @result as odbc.h
 * says, NULL unless OK; @detail says more, and may be told to the caller.
 * Borrowed during the call.
 */
typedef void ht_sql_fn(
    void *arg, unsigned status, const json_t *result, const char *detail);

/*
 * Ask.  @sql and @params are taken as odbc.h says (copied, referenced).
 * @deadline_ms is on ht_clock_mono_ms().  @done is called once, from
 * ht_sql_step(); HT_EAGAIN: too many are waiting already, and it is not.
 */
enum ht_err ht_sql_ask(struct ht_sql *sql, const char *statement,
    json_t *params, uint32_t rows_max, uint64_t deadline_ms, ht_sql_fn *done,
    void *arg) HT_MUST_USE;

/* Readable when ht_sql_step() has something to do. */
int ht_sql_fd(const struct ht_sql *sql);
/* How long ht_sql_step() can wait for the clock alone; -1: for ever. */
int ht_sql_wait_ms(const struct ht_sql *sql, uint64_t now_ms);
void ht_sql_step(struct ht_sql *sql, uint64_t now_ms);

#endif
