/*
 * bytes.h -- borrowed slices, a bounded growing buffer, a reader that cannot
 * over-read, and the plain encodings (big-endian, hex, base64).
 */
#ifndef HT_BASE_BYTES_H
#define HT_BASE_BYTES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/own.h"

/* Bytes that somebody else owns: no copy, and no longer-lived than they. */
struct ht_slice {
	const uint8_t *at;
	size_t len;
};

#define HT_SLICE(p, n) ((struct ht_slice){(const uint8_t *)(p), (n)})
struct ht_slice ht_slice_str(const char *text); /* without the final NUL */
bool ht_slice_eq(struct ht_slice a, struct ht_slice b);
bool ht_slice_is(struct ht_slice a, const char *text);
/* Bytewise order, the shorter first on a tie: <0, 0, >0. */
int ht_slice_cmp(struct ht_slice a, struct ht_slice b);
/* A new NUL-ended copy; NULL when out of memory.  Caller frees. */
char *ht_slice_dup(struct ht_slice slice);

/*
 * A growing buffer with a limit and a sticky error: append as often as you
 * like, ask once.  `{0}` with a max is a valid start: HT_BUF(max).
 */
struct ht_buf {
	uint8_t *at;
	size_t len;
	size_t cap;
	size_t max; /* bytes; reaching it is HT_ETOOBIG */
	enum ht_err err;
};
#define HT_BUF(limit) ((struct ht_buf){.max = (limit)})
/*
 * On an array of the caller's (one byte of it for the NUL of ht_buf_text()):
 * it never grows, and is not given to ht_buf_fini().
 */
#define HT_BUF_ON(array)                                                       \
	((struct ht_buf){                                                      \
	    .at = (array), .cap = sizeof(array), .max = sizeof(array) - 1})

void ht_buf_fini(struct ht_buf *buf);  /* frees; usable with HT_AUTO */
void ht_buf_reset(struct ht_buf *buf); /* empties, keeps the memory */
void ht_buf_add(struct ht_buf *buf, const void *bytes, size_t len);
/* Room for len bytes to be filled by the caller; NULL on error. */
uint8_t *ht_buf_room(struct ht_buf *buf, size_t len);
void ht_buf_u8(struct ht_buf *buf, uint8_t v);
void ht_buf_u16(struct ht_buf *buf, uint16_t v);
void ht_buf_u32(struct ht_buf *buf, uint32_t v);
void ht_buf_u64(struct ht_buf *buf, uint64_t v);
void ht_buf_str(struct ht_buf *buf, const char *text);
void ht_buf_fmt(struct ht_buf *buf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The text so far, NUL-ended but with the NUL not counted; NULL on error. */
const char *ht_buf_text(struct ht_buf *buf);
struct ht_slice ht_buf_slice(const struct ht_buf *buf);

/*
 * A reader over bytes we do not trust.  The first failed read sticks, every
 * later one returns zeroes, and the caller asks once, in ht_cur_end().
 */
struct ht_cur {
	const uint8_t *at;
	const uint8_t *end;
	enum ht_err err;
};
struct ht_cur ht_cur(struct ht_slice bytes);
uint8_t ht_cur_u8(struct ht_cur *cur);
uint16_t ht_cur_u16(struct ht_cur *cur);
uint32_t ht_cur_u32(struct ht_cur *cur);
uint64_t ht_cur_u64(struct ht_cur *cur);
struct ht_slice ht_cur_take(struct ht_cur *cur, size_t len);
void ht_cur_copy(struct ht_cur *cur, void *out, size_t len);
/* u8 length, then that many bytes / u16 length, then that many. */
struct ht_slice ht_cur_str8(struct ht_cur *cur);
struct ht_slice ht_cur_bytes16(struct ht_cur *cur);
/* All read, nothing left over, no read failed. */
enum ht_err ht_cur_end(const struct ht_cur *cur) HT_MUST_USE;

/* Big-endian; here because codecs stand on them, a dozen to a header. */
static inline void
ht_be16(uint8_t out[static 2], uint16_t v)
{
	out[0] = (uint8_t)(v >> 8);
	out[1] = (uint8_t)v;
}

static inline void
ht_be32(uint8_t out[static 4], uint32_t v)
{
	ht_be16(out, (uint16_t)(v >> 16));
	ht_be16(out + 2, (uint16_t)v);
}

static inline void
ht_be64(uint8_t out[static 8], uint64_t v)
{
	ht_be32(out, (uint32_t)(v >> 32));
	ht_be32(out + 4, (uint32_t)v);
}

static inline uint16_t
ht_load16(const uint8_t in[static 2])
{
	/* It takes a member of an array for an object of one element. */
	/* cppcheck-suppress objectIndex */
	return (uint16_t)(in[0] << 8 | in[1]);
}

static inline uint32_t
ht_load32(const uint8_t in[static 4])
{
	return (uint32_t)ht_load16(in) << 16 | ht_load16(in + 2);
}

static inline uint64_t
ht_load64(const uint8_t in[static 8])
{
	return (uint64_t)ht_load32(in) << 32 | ht_load32(in + 4);
}

/* Lower-case hex; out has 2 * len + 1 bytes.  Not for secrets. */
void ht_hex(char *out, const void *bytes, size_t len);
/* Exactly 2 * len digits, either case; else HT_EMALFORMED. */
enum ht_err ht_unhex(const char *text, void *out, size_t len) HT_MUST_USE;

#define HT_B64_SIZE(len) (((len) + 2) / 3 * 4 + 1)
/* RFC 4648 section 4, padded; out has HT_B64_SIZE(len) bytes. */
void ht_b64(char *out, const void *bytes, size_t len);
/*
 * Strict: padded, no white space, unused bits zero.  Any length up to max;
 * *ret_len is what came.  Errors: HT_EMALFORMED; HT_ETOOBIG.
 */
enum ht_err ht_unb64(
    struct ht_slice text, void *out, size_t max, size_t *ret_len) HT_MUST_USE;

#endif
