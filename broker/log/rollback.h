/*
 * rollback.h -- an older log put back: how it is known, and how an operator
 * goes on with it (docs/log-format.md, "An older log put back").
 *
 * The log's own signature on a checkpoint that it does not continue is all the
 * proof there is, and enough: the anchor's, or one that a member or a witness
 * has shown (`ahead`).  Until an operator names its size and says why, nothing
 * is written; then the first entry is ROLLBACK_SEEN, with that checkpoint.
 */
#ifndef HT_BROKER_LOG_ROLLBACK_H
#define HT_BROKER_LOG_ROLLBACK_H

#include "broker/log/log.h"
#include "lib/store/store.h"

#define HT_WHY_MAX 200 /* as an auditor's */

/* The operator's act. */
struct ht_rollback {
	uint64_t size; /* of the checkpoint that is given up */
	const char *by;
	const char *why;
	/* The administrator's key that was in hand (docs/roles.md); or NULL */
	const struct ht_pub *admin;
};

/*
 * ht_log_open(), for a log that may be behind.  @act NULL: as always.  Else
 * the log must be behind a checkpoint of exactly that size: HT_EINVALID, with
 * a finding.  The first group must then be ht_log_append_rollback() and more.
 */
enum ht_err ht_log_open_behind(const char *dir, const char *origin,
    const struct ht_key *key, const struct ht_rollback *act,
    struct ht_report *report, struct ht_log **ret) HT_MUST_USE;

/* Was it opened with an act that is not in the log yet? */
bool ht_log_behind(const struct ht_log *log);
/* The payload of that entry. */
enum ht_err ht_log_rollback_payload(
    const struct ht_log *log, struct ht_buf *out) HT_MUST_USE;

/* The last time an operator went on with an older log. */
struct ht_rolled_back {
	uint64_t anchor; /* size of the largest checkpoint given up; 0: never */
	uint64_t place;  /* of its ROLLBACK_SEEN */
};
enum ht_err ht_log_rolled_back(struct ht_log *log, struct ht_rolled_back *ret)
    HT_MUST_USE;

/*
 * Keep a checkpoint that this log does not continue, signed by its key: from
 * now on it opens for nobody's writing without the act.  Any thread.
 */
enum ht_err ht_log_keep_ahead(struct ht_log *log, struct ht_slice note)
    HT_MUST_USE;

/* ---- for the log's own files ---- */

/* Takes log->ahead from anchor and `ahead`; what follows from it. */
enum ht_err ht_rollback_check(struct ht_log *log, struct ht_txn *txn,
    struct ht_report *report) HT_MUST_USE;
/* `state`/`rollback`, in the group of the entry. */
enum ht_err ht_rollback_put(struct ht_log *log, uint64_t place) HT_MUST_USE;
/* The anchor and `ahead` of the log given up are put aside, and kept. */
enum ht_err ht_rollback_retire(struct ht_log *log) HT_MUST_USE;

#endif
