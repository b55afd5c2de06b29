/*
 * erase.h -- destroying what is personal in a log that is being written
 * (docs/log-format.md, "Erasing").
 *
 *   ht_erase_plan()       which entries an order is about; may take long
 *   ht_erase_promise()    their list, durable
 *   the caller            empties the index, and appends the ERASE entry
 *   ht_erase_carry_out()  the bytes go; or ht_erase_forget(), if no entry came
 *
 * One erasure at a time, by one thread, beside committer and readers.
 */
#ifndef HT_BROKER_LOG_ERASE_H
#define HT_BROKER_LOG_ERASE_H

#include <stdatomic.h>

#include "broker/log/erasure.h"
#include "schemas/doc.h"
#include "schemas/trust.h"

/* A record is over: nobody will fetch it again.  Past its end by this. */
#define HT_ERASE_AFTER_MS 300000

/*
 * The entries that @order, whose signatures are checked, is about: those that
 * it lists, or all of its scope that still stand and are over by @now_ms.
 * Terms of retention are those of @trust's items; of an item that it does not
 * have (@trust may be NULL), HT_RETENTION_MS.
 * Why not, in words, goes to @report.  Errors: HT_EINVALID (an entry that
 * has nothing to erase, is not over, or was erased); HT_ENOTFOUND (nothing in
 * the scope); HT_ETOOBIG; HT_EINTEGRITY; HT_EAGAIN (@stop was set).
 */
enum ht_err ht_erase_plan(struct ht_log *log, const struct ht_doc *order,
    const struct ht_trust *trust, uint64_t now_ms, const atomic_bool *stop,
    struct ht_report *report, struct ht_erasure **ret) HT_MUST_USE;
/* What the ERASE entry says; @by: who signed. */
enum ht_err ht_erase_payload(struct ht_erasure *plan,
    const struct ht_doc *order, const char *by, struct ht_buf *out) HT_MUST_USE;

/*
 * Is @list the one that an ERASE entry names, and its order?  *ret_order is
 * that, its signatures not looked at.  HT_EINTEGRITY: the list is another;
 * HT_EBADSIG: the order is; HT_ENOMEM.
 */
enum ht_err ht_erase_fits(struct ht_erasure *list,
    const struct ht_erase_said *said, struct ht_doc **ret_order) HT_MUST_USE;

enum ht_err ht_erase_promise(struct ht_log *log, const struct ht_erasure *plan)
    HT_MUST_USE;
enum ht_err ht_erase_forget(struct ht_log *log) HT_MUST_USE;
/* The promise is entry @by, which is durable. */
enum ht_err ht_erase_carry_out(
    struct ht_log *log, const struct ht_erasure *plan, uint64_t by) HT_MUST_USE;
/*
 * At start, before anything reads the vault: finish, or forget, what a crash
 * interrupted.  Findings go to @report.
 */
enum ht_err ht_erase_resume(struct ht_log *log, struct ht_report *report)
    HT_MUST_USE;

/* Which parts of an entry's piece are erased; none if it has no piece. */
enum ht_err ht_log_erased(struct ht_log *log, const struct ht_entry *e,
    struct ht_erased *ret) HT_MUST_USE;
/*
 * The list of the ERASE entry @by, of this log; with HT_ERASURE_PENDING that
 * of the erasure under way, once it has its entry.  HT_ENOTFOUND;
 * HT_EINTEGRITY: it is bad.
 */
enum ht_err ht_log_erasure(
    struct ht_log *log, uint64_t by, struct ht_erasure **ret) HT_MUST_USE;

#endif
