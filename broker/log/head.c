/*
 * head.c -- `state`/`head` (docs/log-format.md, "evidence/").
 *
 *   version u8  environment id 16  size u64  root 32  last time u64
 *   frontier hashes u8  that many hashes, low bit first
 *   vault segment u32  vault offset u64  BLAKE2b-256 of all before
 *
 * There is one frontier hash for each bit set in size.
 */
#include "broker/log/evidence.h"

#include <string.h>

#define HEAD_VERSION 1

void
ht_head_encode(const struct ht_head *head, struct ht_buf *out)
{
	uint64_t size = head->frontier.size;
	size_t start = out->len;
	struct ht_slice body;
	struct ht_hash sum;

	ht_buf_u8(out, HEAD_VERSION);
	ht_buf_add(out, head->env, sizeof(head->env));
	ht_buf_u64(out, size);
	ht_buf_add(out, head->root.at, HT_HASH_SIZE);
	ht_buf_u64(out, head->last_us);
	ht_buf_u8(out, (uint8_t)__builtin_popcountll(size));
	for (unsigned bit = 0; bit < HT_FRONTIER_MAX; bit++)
		if (size >> bit & 1)
			ht_buf_add(
			    out, head->frontier.at[bit].at, HT_HASH_SIZE);
	ht_buf_u32(out, head->vault.segment);
	ht_buf_u64(out, head->vault.offset);
	if (out->err != HT_OK)
		return;
	body = HT_SLICE(out->at + start, out->len - start);
	sum = ht_blake2b(&body, 1);
	ht_buf_add(out, sum.at, sizeof(sum.at));
}

enum ht_err
ht_head_decode(struct ht_slice bytes, struct ht_head *ret)
{
	struct ht_head head = {0};
	struct ht_slice body;
	struct ht_hash sum;
	struct ht_cur cur;
	unsigned n;

	if (bytes.len < HT_HASH_SIZE)
		return HT_EINTEGRITY;
	body = HT_SLICE(bytes.at, bytes.len - HT_HASH_SIZE);
	sum = ht_blake2b(&body, 1);
	if (memcmp(sum.at, bytes.at + body.len, HT_HASH_SIZE) != 0)
		return HT_EINTEGRITY;
	cur = ht_cur(body);
	if (ht_cur_u8(&cur) != HEAD_VERSION)
		return HT_EINTEGRITY;
	ht_cur_copy(&cur, head.env, sizeof(head.env));
	head.frontier.size = ht_cur_u64(&cur);
	ht_cur_copy(&cur, head.root.at, HT_HASH_SIZE);
	head.last_us = ht_cur_u64(&cur);
	n = ht_cur_u8(&cur);
	if (n != (unsigned)__builtin_popcountll(head.frontier.size))
		return HT_EINTEGRITY;
	for (unsigned bit = 0; bit < HT_FRONTIER_MAX; bit++)
		if (head.frontier.size >> bit & 1)
			ht_cur_copy(
			    &cur, head.frontier.at[bit].at, HT_HASH_SIZE);
	head.vault.segment = ht_cur_u32(&cur);
	head.vault.offset = ht_cur_u64(&cur);
	if (ht_cur_end(&cur) != HT_OK)
		return HT_EINTEGRITY;
	*ret = head;
	return HT_OK;
}

enum ht_err
ht_head_get(struct ht_txn *txn, struct ht_head *ret)
{
	struct ht_slice bytes;
	enum ht_err err =
	    ht_txn_get(txn, HT_EV_STATE, ht_slice_str(HT_HEAD_KEY), &bytes);

	return err == HT_OK ? ht_head_decode(bytes, ret) : err;
}

enum ht_err
ht_head_put(struct ht_txn *txn, const struct ht_head *head, struct ht_buf *buf)
{
	ht_buf_reset(buf);
	ht_head_encode(head, buf);
	if (buf->err != HT_OK)
		return buf->err;
	return ht_txn_put(
	    txn, HT_EV_STATE, ht_slice_str(HT_HEAD_KEY), ht_buf_slice(buf));
}
