/*
 * odbc.h -- one connection to a database through ODBC.  Used in worker
 * processes only: drivers crash, and a driver that hangs is killed.
 *
 * Nothing here knows a particular database.
 */
#ifndef HT_ADAPTERS_SQL_ODBC_H
#define HT_ADAPTERS_SQL_ODBC_H

#include "schemas/json.h"

#define HT_SQL_VALUE_MAX  (256 * 1024)      /* bytes of one value */
#define HT_SQL_ANSWER_MAX (4 * 1024 * 1024) /* bytes of one answer's values */
#define HT_SQL_COLUMNS    256

/* Where the fault lies; schemas/status.h has the code that callers see. */
enum ht_sql_fault {
	HT_SQL_FINE = 0,
	HT_SQL_DOWN = 1,    /* cannot be reached, or failed */
	HT_SQL_WRONG = 2,   /* the statement or the data does not fit */
	HT_SQL_TIMEOUT = 3, /* the driver's own time-out */
};

struct ht_odbc;

struct ht_odbc_conf {
	const char *connect;    /* ODBC connection string, may hold secrets */
	const char *must_exist; /* a file, checked first; or NULL */
	const json_t *prepare;  /* array: statements run once connected */
	bool gb18030;           /* the driver hands over GB 18030 */
};

/* Nothing is connected yet.  NULL when out of memory. */
struct ht_odbc *ht_odbc_new(void);
void ht_odbc_free(struct ht_odbc **odbc_p);

/*
 * Run a statement in a read-only transaction that is rolled back, connecting
 * first if need be.  @params is an array: string, integer, real, boolean or
 * null for each marker.  At most @rows_max rows are fetched.
 *
 * *ret, on HT_SQL_FINE: {"columns": [name], "kinds": [enum ht_column_kind],
 * "more": bool, "rows": [[string or null]]}.  On a fault @why has a sentence
 * for the operator (driver's text included).
 */
enum ht_sql_fault ht_odbc_ask(struct ht_odbc *odbc,
    const struct ht_odbc_conf *conf, const char *sql, const json_t *params,
    uint32_t rows_max, uint32_t timeout_s, json_t **ret, struct ht_buf *why);

/*
 * Have the server stop what runs, if something does.  For another thread, in
 * a process that ends at once: how a driver goes on from here is its own.
 */
void ht_odbc_cancel(struct ht_odbc *odbc);

#endif
