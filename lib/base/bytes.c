#include "lib/base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/panic.h"

/* ---- slices ---- */

struct ht_slice
ht_slice_str(const char *text)
{
	return HT_SLICE(text, strlen(text));
}

bool
ht_slice_eq(struct ht_slice a, struct ht_slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool
ht_slice_is(struct ht_slice a, const char *text)
{
	return ht_slice_eq(a, ht_slice_str(text));
}

int
ht_slice_cmp(struct ht_slice a, struct ht_slice b)
{
	size_t least = a.len < b.len ? a.len : b.len;
	int order = least == 0 ? 0 : memcmp(a.at, b.at, least);

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

char *
ht_slice_dup(struct ht_slice slice)
{
	char *copy = malloc(slice.len + 1);

	if (copy == NULL)
		return NULL;
	if (slice.len > 0)
		memcpy(copy, slice.at, slice.len);
	copy[slice.len] = '\0';
	return copy;
}

/* ---- the growing buffer ---- */

#define BUF_FIRST 64 /* bytes of the first allocation */

void
ht_buf_fini(struct ht_buf *buf)
{
	free(buf->at);
	buf->at = NULL;
	buf->len = buf->cap = 0;
}

void
ht_buf_reset(struct ht_buf *buf)
{
	buf->len = 0;
	buf->err = HT_OK;
}

/*
 * Memory for `len` more bytes and a NUL behind them, so that ht_buf_text()
 * never fails on a full buffer: cap is at most max + 1.
 */
static bool
buf_reserve(struct ht_buf *buf, size_t len)
{
	size_t need, cap;
	uint8_t *at;

	HT_ASSERT(buf->len <= buf->max && buf->max < SIZE_MAX / 2);
	if (buf->err != HT_OK)
		return false;
	if (len > buf->max - buf->len) {
		buf->err = HT_ETOOBIG;
		return false;
	}
	need = buf->len + len + 1;
	if (need <= buf->cap)
		return true;
	cap = buf->cap < BUF_FIRST ? BUF_FIRST : buf->cap * 2;
	if (cap < need)
		cap = need;
	if (cap > buf->max + 1)
		cap = buf->max + 1;
	at = realloc(buf->at, cap);
	if (at == NULL) {
		buf->err = HT_ENOMEM;
		return false;
	}
	buf->at = at;
	buf->cap = cap;
	return true;
}

uint8_t *
ht_buf_room(struct ht_buf *buf, size_t len)
{
	uint8_t *room;

	if (!buf_reserve(buf, len))
		return NULL;
	room = buf->at + buf->len;
	buf->len += len;
	return room;
}

void
ht_buf_add(struct ht_buf *buf, const void *bytes, size_t len)
{
	uint8_t *room = ht_buf_room(buf, len);

	if (room != NULL && len > 0)
		memcpy(room, bytes, len);
}

void
ht_buf_u8(struct ht_buf *buf, uint8_t v)
{
	ht_buf_add(buf, &v, 1);
}

void
ht_buf_u16(struct ht_buf *buf, uint16_t v)
{
	uint8_t be[2];

	ht_be16(be, v);
	ht_buf_add(buf, be, sizeof(be));
}

void
ht_buf_u32(struct ht_buf *buf, uint32_t v)
{
	uint8_t be[4];

	ht_be32(be, v);
	ht_buf_add(buf, be, sizeof(be));
}

void
ht_buf_u64(struct ht_buf *buf, uint64_t v)
{
	uint8_t be[8];

	ht_be64(be, v);
	ht_buf_add(buf, be, sizeof(be));
}

void
ht_buf_str(struct ht_buf *buf, const char *text)
{
	ht_buf_add(buf, text, strlen(text));
}

static int buf_vfmt(struct ht_buf *buf, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Write what fits behind the text; the length it would have had, or -1. */
static int
buf_vfmt(struct ht_buf *buf, const char *fmt, va_list ap)
{
	return vsnprintf(
	    (char *)buf->at + buf->len, buf->cap - buf->len, fmt, ap);
}

void
ht_buf_fmt(struct ht_buf *buf, const char *fmt, ...)
{
	va_list ap;
	int len;

	if (!buf_reserve(buf, 0))
		return;
	va_start(ap, fmt);
	len = buf_vfmt(buf, fmt, ap);
	va_end(ap);
	if (len < 0) {
		buf->err = HT_EINVALID;
		return;
	}
	if (!buf_reserve(buf, (size_t)len))
		return;
	va_start(ap, fmt);
	(void)buf_vfmt(buf, fmt, ap);
	va_end(ap);
	buf->len += (size_t)len;
}

const char *
ht_buf_text(struct ht_buf *buf)
{
	if (!buf_reserve(buf, 0))
		return NULL;
	buf->at[buf->len] = '\0';
	return (const char *)buf->at;
}

struct ht_slice
ht_buf_slice(const struct ht_buf *buf)
{
	return HT_SLICE(buf->at, buf->len);
}
