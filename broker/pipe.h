/*
 * pipe.h -- what front and core say to each other, over one stream.
 *
 *   u32 length      of all that follows, at most HT_PIPE_MAX
 *   u32 generation  which front: one that died must not be heard any more
 *   u8  type
 *   u8  length, handle   the connection, as the front's socket names it
 *   u8  length, user     "member/node#key", as ZAP said
 *   body                 the rest
 *
 * All integers are big-endian.  The front is the part that strangers reach,
 * so the core reads this as it reads anything from outside.
 */
#ifndef HT_BROKER_PIPE_H
#define HT_BROKER_PIPE_H

#include "lib/base/bytes.h"
#include "lib/base/limits.h"

#define HT_PIPE_HEAD 11 /* length, generation, type and two empty strings */
/* The largest frame and the longest handle and user. */
#define HT_PIPE_MAX (HT_FRAME_MAX + 1024)
/* What the front may have sent and the core not yet given back. */
#define HT_PIPE_WINDOW (48u << 20)

enum ht_pipe_type {
	/* core -> front */
	HT_PIPE_CONF = 1,   /* memory u64, address u16 len, key file u16 len */
	HT_PIPE_KEYS = 2,   /* last u8, then (key 32, user u8 len)* */
	HT_PIPE_SEND = 3,   /* the frame, to that handle */
	HT_PIPE_CREDIT = 4, /* u32: bytes given back */
	/* front -> core */
	HT_PIPE_READY = 16,   /* the bound address */
	HT_PIPE_FRAME = 17,   /* a frame from that handle */
	HT_PIPE_PARTS = 18,   /* u32: frames too many in one message */
	HT_PIPE_LOST = 19,    /* u8: 1 full, 0 gone; that handle is no more */
	HT_PIPE_REFUSED = 20, /* (SHA-256 of a key 32, count u32)* */
	HT_PIPE_STATS = 21,   /* memory u64, frames u64, bytes u64 */
	HT_PIPE_FLOOD = 22,   /* bytes u64: not delivered, from that user */
};

struct ht_pipe_msg {
	uint32_t generation;
	unsigned type;
	struct ht_slice handle;
	struct ht_slice user;
	struct ht_slice body;
};

/* Append a message. */
void ht_pipe_put(struct ht_buf *out, const struct ht_pipe_msg *msg);
/* All of it but the body, which the caller lets follow. */
void ht_pipe_head(struct ht_buf *out, const struct ht_pipe_msg *msg);
/*
 * The same, the body being appended to @out between the two.  begin returns
 * what end needs.
 */
size_t ht_pipe_begin(struct ht_buf *out, const struct ht_pipe_msg *head);
void ht_pipe_end(struct ht_buf *out, size_t began);

/*
 * Take the first message off @bytes; slices point into them.  *ret_used is
 * its length.  HT_EAGAIN: not all of it is there yet; HT_EMALFORMED.
 */
enum ht_err ht_pipe_take(struct ht_slice bytes, struct ht_pipe_msg *ret,
    size_t *ret_used) HT_MUST_USE;

/* ---- the reading end of a stream, non-blocking ---- */

struct ht_pipe_in {
	int fd;
	uint8_t *at;
	size_t cap;
	size_t from, to; /* unread bytes */
};
enum ht_err ht_pipe_in_init(struct ht_pipe_in *in, int fd) HT_MUST_USE;
void ht_pipe_in_fini(struct ht_pipe_in *in);
/*
 * Read what is there, once.  HT_EAGAIN: nothing now; HT_ENOTFOUND: the other
 * end is closed; HT_ESYSTEM.
 */
enum ht_err ht_pipe_in_fill(struct ht_pipe_in *in) HT_MUST_USE;
/* The next message; slices live until the next fill. */
enum ht_err ht_pipe_in_next(struct ht_pipe_in *in, struct ht_pipe_msg *ret)
    HT_MUST_USE;

#endif
