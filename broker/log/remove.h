/*
 * remove.h -- the log's oldest volume goes: its file, and the segments of the
 * vault that belong to it, when nobody has a right or a duty to keep them
 * (docs/log-format.md, "Removing").
 *
 *   ht_remove_check()  is it the oldest, whole, over, and erased?  Takes long
 *   the caller         empties the index, and appends the REMOVED entry
 *   ht_remove_files()  the files go; again at every start
 *
 * By the thread that erases, and never beside an erasure or a backup.
 */
#ifndef HT_BROKER_LOG_REMOVE_H
#define HT_BROKER_LOG_REMOVE_H

#include <stdatomic.h>

#include "broker/log/log.h"
#include "schemas/doc.h"
#include "schemas/trust.h"

/* Bytes of a signed order: it stands in the leaf, so that all can judge it. */
#define HT_REMOVE_ORDER_MAX 1750

/* ---- what a REMOVED entry says ---- */

struct ht_remove_said {
	uint64_t first, end;   /* of the volume; the log begins at `end` */
	struct ht_slice order; /* the signed note */
	struct ht_hash root;   /* of the tree of `end` entries */
};
/* HT_ETOOBIG. */
enum ht_err ht_remove_said_encode(
    const struct ht_remove_said *said, struct ht_buf *out) HT_MUST_USE;
/* Slices point into @payload.  HT_EMALFORMED; also for an empty range. */
enum ht_err ht_remove_said_decode(
    struct ht_slice payload, struct ht_remove_said *ret) HT_MUST_USE;
/* The order it names, its signatures not looked at.  HT_EBADSIG: another's. */
enum ht_err ht_remove_order(
    const struct ht_remove_said *said, struct ht_doc **ret) HT_MUST_USE;

/* ---- for the broker ---- */

/*
 * May the volume that @order names go?  Its signatures are checked.  Terms of
 * retention are those of @trust's items; of an entry of no item, or of one it
 * does not have, HT_RETENTION_MS.  The payload of the REMOVED entry goes to
 * @payload, and why not, in words, to @report.  Errors: HT_EINVALID;
 * HT_ETOOBIG; HT_EINTEGRITY; HT_EAGAIN (@stop was set).
 */
enum ht_err ht_remove_check(struct ht_log *log, const struct ht_doc *order,
    const struct ht_trust *trust, const atomic_bool *stop,
    struct ht_report *report, struct ht_buf *payload) HT_MUST_USE;
/*
 * What is of entries that the log no longer has: files of volumes, segments,
 * and lists of erasures.  The REMOVED entry is durable.
 */
enum ht_err ht_remove_files(struct ht_log *log) HT_MUST_USE;

/* ---- for readers ---- */

/*
 * The newest REMOVED entry, its leaf appended to @leaf, which *ret points
 * into.  HT_ENOTFOUND: nothing was removed.
 */
enum ht_err ht_log_removal(struct ht_log *log, struct ht_buf *leaf,
    uint64_t *ret_seq, struct ht_remove_said *ret) HT_MUST_USE;

/* ---- for the log's own files ---- */

/* `state`, in the group of the REMOVED entry @e. */
enum ht_err ht_remove_put(struct ht_log *log, const struct ht_entry *e)
    HT_MUST_USE;
/* The lowest segment of the vault that an entry may name; 0: any. */
enum ht_err ht_remove_segment(struct ht_log *log, uint32_t *ret) HT_MUST_USE;

#endif
