/*
 * anchor.h -- the newest checkpoint that left the house, outside LMDB.
 *
 * LMDB may legally come back one transaction older, and an operator may put
 * back last week's copy: the anchor is what such a log is older than.
 */
#ifndef HT_BROKER_LOG_ANCHOR_H
#define HT_BROKER_LOG_ANCHOR_H

#include "keys/note.h"

#define HT_ANCHOR_STRIDE   4096 /* a block each: one torn write, one slot */
#define HT_ANCHOR_SLOT     1024
#define HT_ANCHOR_NOTE_MAX (HT_ANCHOR_SLOT - 16 - 8 - 8 - 32 - 2 - 32)

struct ht_anchor {
	int fd;
	uint64_t counter; /* 0: no slot holds */
	uint64_t size;
	struct ht_hash root;
	size_t note_len;
	uint8_t note[HT_ANCHOR_NOTE_MAX];
};

/*
 * Open and take the valid slot with the higher counter.  With @write the file
 * is made if need be.  Errors: HT_ENOTFOUND (not with @write); HT_ESYSTEM.
 */
enum ht_err ht_anchor_open(const char *path, bool write, struct ht_anchor *ret)
    HT_MUST_USE;
void ht_anchor_close(struct ht_anchor *anchor);
/* One durable write, over the older slot.  HT_ESYSTEM; HT_ETOOBIG. */
enum ht_err ht_anchor_write(struct ht_anchor *anchor, uint64_t size,
    const struct ht_hash *root, struct ht_slice note) HT_MUST_USE;

#endif
