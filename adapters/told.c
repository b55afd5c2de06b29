/*
 * told.c -- a strict msgpack array, its first element the form's number.
 */
#include "adapters/told.h"

#include <string.h>

#define FORM     1
#define ELEMENTS 30

enum ht_err
ht_told_encode(const struct ht_told *t, struct ht_buf *out)
{
	ht_pack_array(out, ELEMENTS);
	ht_pack_uint(out, FORM);
	ht_pack_bin(out, t->exchange.at, HT_ID_SIZE);
	ht_pack_bin(out, t->record.at, HT_ID_SIZE);
	ht_pack_bool(out, t->served);
	ht_pack_uint(out, t->created_ms);
	ht_pack_uint(out, t->ended_ms);
	ht_pack_cstr(out, t->consumer);
	ht_pack_cstr(out, t->node);
	ht_pack_cstr(out, t->provider);
	ht_pack_cstr(out, t->item);
	ht_pack_uint(out, t->version);
	ht_pack_uint(out, t->operation);
	ht_pack_cstr(out, t->purpose);
	ht_pack_cstr(out, t->basis);
	ht_pack_cstr(out, t->grant);
	ht_pack_bool(out, t->sent);
	ht_pack_bin(out, t->request.at, HT_HASH_SIZE);
	ht_pack_bin(out, t->sealed_to.at, HT_KEYID_SIZE);
	ht_pack_uint(out, t->status);
	ht_pack_uint(out, t->answer);
	ht_pack_uint(out, t->by);
	ht_pack_bool(out, t->proven);
	ht_pack_uint(out, t->request_place);
	ht_pack_uint(out, t->response_place);
	ht_pack_cstr(out, t->answerer);
	ht_pack_bin(out, t->signed_by.at, HT_KEYID_SIZE);
	ht_pack_bin(out, t->released, t->released_len);
	ht_reasons_pack(out, &t->reasons);
	ht_pack_uint(out, t->snapshot);
	ht_pack_array(out, 3);
	ht_pack_bin(out, t->snapshot_hash.at, HT_HASH_SIZE);
	ht_pack_bin(out, t->item_note.at, HT_HASH_SIZE);
	ht_pack_bin(out, t->grant_note.at, HT_HASH_SIZE);
	return out->err;
}

static void
unpack_text(struct ht_unpack *u, char *out, size_t size)
{
	struct ht_slice text = ht_unpack_str(u, size - 1);

	memcpy(out, text.len > 0 ? text.at : (const uint8_t *)"", text.len);
	out[text.len] = '\0';
}

static void
unpack_words(struct ht_unpack *u, struct ht_told *t)
{
	unpack_text(u, t->consumer, sizeof(t->consumer));
	unpack_text(u, t->node, sizeof(t->node));
	unpack_text(u, t->provider, sizeof(t->provider));
	unpack_text(u, t->item, sizeof(t->item));
	t->version = (uint32_t)ht_unpack_uint(u, UINT32_MAX);
	t->operation = (unsigned)ht_unpack_uint(u, UINT8_MAX);
	unpack_text(u, t->purpose, sizeof(t->purpose));
	unpack_text(u, t->basis, sizeof(t->basis));
	unpack_text(u, t->grant, sizeof(t->grant));
	t->sent = ht_unpack_bool(u);
	ht_unpack_fixed(u, t->request.at, HT_HASH_SIZE);
	ht_unpack_fixed(u, t->sealed_to.at, HT_KEYID_SIZE);
}

static void
unpack_end(struct ht_unpack *u, struct ht_told *t)
{
	struct ht_slice released;

	t->status = (unsigned)ht_unpack_uint(u, UINT16_MAX);
	t->answer = (unsigned)ht_unpack_uint(u, UINT8_MAX);
	t->by = (unsigned)ht_unpack_uint(u, UINT8_MAX);
	t->proven = ht_unpack_bool(u);
	t->request_place = ht_unpack_uint(u, UINT64_MAX);
	t->response_place = ht_unpack_uint(u, UINT64_MAX);
	unpack_text(u, t->answerer, sizeof(t->answerer));
	ht_unpack_fixed(u, t->signed_by.at, HT_KEYID_SIZE);
	released = ht_unpack_bin(u, HT_RELEASED_MAX);
	t->released_len = released.len;
	if (released.len > 0)
		memcpy(t->released, released.at, released.len);
	ht_reasons_unpack(u, &t->reasons);
}

enum ht_err
ht_told_decode(struct ht_slice bytes, struct ht_told *ret)
{
	enum ht_err err = ht_pack_check(bytes, NULL, NULL);
	struct ht_unpack u;

	if (err != HT_OK)
		return err;
	memset(ret, 0, sizeof(*ret));
	u = ht_unpack(bytes);
	ht_unpack_array_of(&u, ELEMENTS);
	ht_unpack_demand(&u, ht_unpack_uint(&u, UINT32_MAX) == FORM);
	ht_unpack_fixed(&u, ret->exchange.at, HT_ID_SIZE);
	ht_unpack_fixed(&u, ret->record.at, HT_ID_SIZE);
	ret->served = ht_unpack_bool(&u);
	ret->created_ms = ht_unpack_uint(&u, UINT64_MAX);
	ret->ended_ms = ht_unpack_uint(&u, UINT64_MAX);
	unpack_words(&u, ret);
	unpack_end(&u, ret);
	ret->snapshot = ht_unpack_uint(&u, UINT64_MAX);
	ht_unpack_array_of(&u, 3);
	ht_unpack_fixed(&u, ret->snapshot_hash.at, HT_HASH_SIZE);
	ht_unpack_fixed(&u, ret->item_note.at, HT_HASH_SIZE);
	ht_unpack_fixed(&u, ret->grant_note.at, HT_HASH_SIZE);
	return ht_unpack_end(&u);
}
