/*
 * answer_in.h -- ROWS frames, for answers of all kinds.
 */
#ifndef HT_BROKER_AUDIT_ANSWER_IN_H
#define HT_BROKER_AUDIT_ANSWER_IN_H

#include "broker/audit/query.h"

/*
 * Frames whose proofs lead to the tree of @size.  What a row with a header
 * cites below @before comes with it.  NULL: out of memory.
 */
struct answer_frames;
struct answer_frames *answer_frames_new(struct ht_log *log, uint64_t size,
    bool bundles, bool tags, uint64_t before);
void answer_frames_free(struct answer_frames **frames_p);
/* One of @n entries, 1 ... HT_ROWS_FRAME, in order, appended to @out. */
enum ht_err answer_frame(struct answer_frames *frames, const uint64_t *seqs,
    size_t n, struct ht_buf *out) HT_MUST_USE;

#endif
