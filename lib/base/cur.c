/*
 * cur.c -- the reader over untrusted bytes (see bytes.h).
 */
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/base/panic.h"

struct ht_cur
ht_cur(struct ht_slice bytes)
{
	static const uint8_t none[1];

	if (bytes.at == NULL) {
		HT_ASSERT(bytes.len == 0);
		bytes.at = none;
	}
	return (struct ht_cur){bytes.at, bytes.at + bytes.len, HT_OK};
}

static const uint8_t *
take(struct ht_cur *cur, size_t len)
{
	const uint8_t *at = cur->at;

	HT_ASSERT(cur->at <= cur->end);
	if (cur->err != HT_OK)
		return NULL;
	if (len > (size_t)(cur->end - cur->at)) {
		cur->err = HT_EMALFORMED;
		return NULL;
	}
	cur->at += len;
	return at;
}

uint8_t
ht_cur_u8(struct ht_cur *cur)
{
	const uint8_t *at = take(cur, 1);

	return at == NULL ? 0 : at[0];
}

uint16_t
ht_cur_u16(struct ht_cur *cur)
{
	const uint8_t *at = take(cur, 2);

	return at == NULL ? 0 : ht_load16(at);
}

uint32_t
ht_cur_u32(struct ht_cur *cur)
{
	const uint8_t *at = take(cur, 4);

	return at == NULL ? 0 : ht_load32(at);
}

uint64_t
ht_cur_u64(struct ht_cur *cur)
{
	const uint8_t *at = take(cur, 8);

	return at == NULL ? 0 : ht_load64(at);
}

struct ht_slice
ht_cur_take(struct ht_cur *cur, size_t len)
{
	const uint8_t *at = take(cur, len);

	return at == NULL ? HT_SLICE(NULL, 0) : HT_SLICE(at, len);
}

void
ht_cur_copy(struct ht_cur *cur, void *out, size_t len)
{
	const uint8_t *at = take(cur, len);

	if (len == 0)
		return;
	if (at == NULL)
		memset(out, 0, len);
	else
		memcpy(out, at, len);
}

struct ht_slice
ht_cur_str8(struct ht_cur *cur)
{
	return ht_cur_take(cur, ht_cur_u8(cur));
}

struct ht_slice
ht_cur_bytes16(struct ht_cur *cur)
{
	return ht_cur_take(cur, ht_cur_u16(cur));
}

enum ht_err
ht_cur_end(const struct ht_cur *cur)
{
	if (cur->err != HT_OK)
		return cur->err;
	return cur->at == cur->end ? HT_OK : HT_EMALFORMED;
}
