/*
 * gone.h -- what an answer cannot have, and why that is in order: the REMOVED
 * entry in front of rows that would else begin further below
 * (docs/audit-socket.md, "What was removed").
 */
#ifndef HT_BROKER_AUDIT_GONE_H
#define HT_BROKER_AUDIT_GONE_H

#include "broker/log/remove.h"

/*
 * The frame, appended to @out, its proof leading to the tree of @size.  Errors:
 * HT_ENOTFOUND: nothing was removed; HT_EGONE: that tree does not say so yet.
 */
enum ht_err ht_gone_make(struct ht_log *log, uint64_t size, struct ht_buf *out)
    HT_MUST_USE;

/* By how it begins, whatever follows. */
bool ht_gone_is(struct ht_slice frame);
/*
 * Slices of *ret point into @frame.  HT_EMALFORMED; HT_EINTEGRITY: it is not
 * proven, and *ret_seq is the entry that it would be.
 */
enum ht_err ht_gone_check(struct ht_slice frame, uint64_t size,
    const struct ht_hash *root, uint64_t *ret_seq, struct ht_remove_said *ret)
    HT_MUST_USE;

#endif
