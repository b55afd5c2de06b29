/*
 * worker.h -- the process in which ODBC and its drivers run, and the messages
 * between it and the adapter: each a u32 length (big-endian), then one strict
 * msgpack map.
 *
 *   adapter -> worker, first:  {"charset": "utf-8" | "gb18030",
 *       "connect": str, "exists": str | nil, "prepare": [str]}
 *   adapter -> worker:         {"params": [...], "rows": int, "seconds": int,
 *       "sql": str}
 *   worker -> adapter, each:   {"fault": int, "result": map | nil,
 *       "why": str}                           (odbc.h says what these are)
 *
 * The adapter trusts nothing that comes back: a driver may have gone mad.
 *
 * SIGTERM ends a worker, and has the server stop what it asked: killed alone,
 * a process leaves its question running there.
 */
#ifndef HT_ADAPTERS_SQL_WORKER_H
#define HT_ADAPTERS_SQL_WORKER_H

#include "schemas/json.h"

/* One message: an answer's values, and what stands around them. */
#define HT_WORKER_MESSAGE_MAX (8 * 1024 * 1024)

/* The option with which a program becomes a worker: "--worker FD". */
#define HT_WORKER_OPTION "--worker"

/* Serve the socket @fd until it ends; the exit status. */
int ht_worker_main(int fd);

/* Append a framed message to @out. */
enum ht_err ht_worker_frame(const json_t *message, struct ht_buf *out)
    HT_MUST_USE;
/*
 * Take the first message out of @in.  HT_EAGAIN: not all of it is there;
 * HT_EMALFORMED, HT_ETOOBIG: the other side has gone mad.
 */
enum ht_err ht_worker_unframe(struct ht_buf *in, json_t **ret) HT_MUST_USE;

#endif
