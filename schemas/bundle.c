/*
 * bundle.c -- records travel together under one signature (docs/protocol.md
 * section 4).
 */
#include "schemas/bundle.h"

#include <string.h>

#include "lib/base/panic.h"
#include "lib/base/text.h"
#include "schemas/status.h"
#include "schemas/tag.h"

#define FIELDS 8 /* suite, sender, node, key, count, sig, records, left */

/* label is separate; [suite, sender, node, key, count, root]: < 300 bytes. */
#define SIGNED_MAX 512

static void
unpack_record(struct ht_unpack *u, struct ht_bundle_record *r)
{
	ht_unpack_expect(u, "a record is [index, header, body, tag]");
	ht_unpack_array_of(u, 4);
	ht_unpack_expect(u, "record indexes increase, below the count");
	r->index = (uint32_t)ht_unpack_uint(u, HT_BUNDLE_MAX - 1);
	ht_unpack_expect(u, "a header is bin of at most 1024");
	r->header = ht_unpack_bin(u, HT_HEADER_MAX);
	ht_unpack_expect(u, "a body is bin of at most 1048576");
	r->body = ht_unpack_bin(u, HT_BODY_MAX);
	ht_unpack_expect(u, "a tag is nil or bin of 1 to 2048");
	r->tag = HT_SLICE(NULL, 0);
	if (ht_unpack_is_nil(u)) {
		ht_unpack_nil(u);
		return;
	}
	r->tag = ht_unpack_bin(u, HT_TAG_MAX);
	ht_unpack_demand(u, r->tag.len > 0); /* none has one form: nil */
}

static void
unpack_records(struct ht_unpack *u, struct ht_bundle *b)
{
	uint64_t bodies = 0, next = 0;

	ht_unpack_expect(u, "records: an array of 1 to 64 is expected");
	b->n_records = ht_unpack_array(u, HT_BUNDLE_MAX);
	ht_unpack_demand(u, b->n_records > 0);
	for (uint32_t i = 0; i < b->n_records && u->err == HT_OK; i++) {
		struct ht_bundle_record *r = &b->records[i];

		unpack_record(u, r);
		ht_unpack_expect(u, "record indexes increase, below the count");
		ht_unpack_demand(u, r->index >= next && r->index < b->count);
		next = r->index + 1;
		bodies += r->body.len;
	}
	ht_unpack_expect(u, "bodies of a bundle have 1048576 bytes at most");
	if (bodies > HT_BUNDLE_BYTES)
		ht_unpack_fail(u, HT_ETOOBIG);
}

static void
unpack_left(struct ht_unpack *u, struct ht_bundle *b)
{
	ht_unpack_expect(u, "left: an array of bin 32 is expected");
	b->n_left = ht_unpack_array(u, HT_LEFT_MAX);
	for (uint32_t i = 0; i < b->n_left && u->err == HT_OK; i++)
		ht_unpack_fixed(u, b->left[i].at, HT_HASH_SIZE);
}

/* Who signed, and what is left of the signed text. */
static void
unpack_signer(struct ht_unpack *u, struct ht_bundle *b)
{
	ht_unpack_expect(u, "a bundle is an array of 8");
	ht_unpack_array_of(u, FIELDS);
	b->suite = (unsigned)ht_unpack_uint(u, UINT8_MAX);
	ht_unpack_expect(u, "a suite not known here");
	if (u->err == HT_OK && b->suite != 1)
		ht_unpack_fail(u, HT_EPROTOCOL);
	ht_unpack_expect(u, "sender: a domain/name is expected");
	b->sender = ht_unpack_str(u, HT_NAME_MAX);
	ht_unpack_demand(u, ht_name_valid(b->sender));
	ht_unpack_expect(u, "node: a node's name is expected");
	b->node = ht_unpack_str(u, HT_NODE_MAX);
	ht_unpack_demand(u, ht_name_part(b->node));
	ht_unpack_expect(u, "key: bin of 8 is expected");
	ht_unpack_fixed(u, b->key.at, HT_KEYID_SIZE);
	ht_unpack_expect(u, "count: 1 to 64 is expected");
	b->count = (uint32_t)ht_unpack_uint(u, HT_BUNDLE_MAX);
	ht_unpack_demand(u, b->count > 0);
	ht_unpack_expect(u, "signature: bin of 64 is expected");
	ht_unpack_fixed(u, b->sig.at, HT_SIG_SIZE);
}

/* Hash the headers that are there, and fold the root. */
static enum ht_err
recompute(struct ht_bundle *b)
{
	uint64_t at[HT_BUNDLE_MAX];
	struct ht_hash leaves[HT_BUNDLE_MAX];

	for (uint32_t i = 0; i < b->n_records; i++) {
		struct ht_bundle_record *r = &b->records[i];

		r->hash = ht_header_hash(r->header);
		leaves[i] = r->hash;
		at[i] = r->index;
	}
	return ht_sparse_root(
	    b->count, at, leaves, b->n_records, b->left, b->n_left, &b->root);
}

enum ht_err
ht_bundle_unpack(
    struct ht_unpack *u, struct ht_bundle *ret, const char **ret_why)
{
	unpack_signer(u, ret);
	unpack_records(u, ret);
	unpack_left(u, ret);
	ht_unpack_expect(
	    u, "records and left do not make a tree of that count");
	if (u->err == HT_OK)
		ht_unpack_demand(u, recompute(ret) == HT_OK);
	if (u->err != HT_OK && ret_why != NULL)
		*ret_why = u->want;
	return u->err;
}

void
ht_bundle_pack(struct ht_buf *out, const struct ht_bundle *b)
{
	ht_pack_array(out, FIELDS);
	ht_pack_uint(out, b->suite);
	ht_pack_str(out, b->sender);
	ht_pack_str(out, b->node);
	ht_pack_bin(out, b->key.at, HT_KEYID_SIZE);
	ht_pack_uint(out, b->count);
	ht_pack_bin(out, b->sig.at, HT_SIG_SIZE);
	ht_pack_array(out, b->n_records);
	for (uint32_t i = 0; i < b->n_records; i++) {
		const struct ht_bundle_record *r = &b->records[i];

		ht_pack_array(out, 4);
		ht_pack_uint(out, r->index);
		ht_pack_bin(out, r->header.at, r->header.len);
		ht_pack_bin(out, r->body.at, r->body.len);
		if (r->tag.len == 0)
			ht_pack_nil(out);
		else
			ht_pack_bin(out, r->tag.at, r->tag.len);
	}
	ht_pack_array(out, b->n_left);
	for (uint32_t i = 0; i < b->n_left; i++)
		ht_pack_bin(out, b->left[i].at, HT_HASH_SIZE);
}

void
ht_bundle_signed(struct ht_buf *out, const struct ht_bundle *b)
{
	ht_pack_array(out, 6);
	ht_pack_uint(out, b->suite);
	ht_pack_str(out, b->sender);
	ht_pack_str(out, b->node);
	ht_pack_bin(out, b->key.at, HT_KEYID_SIZE);
	ht_pack_uint(out, b->count);
	ht_pack_bin(out, b->root.at, HT_HASH_SIZE);
}

enum ht_err
ht_bundle_sign(struct ht_bundle *b, const struct ht_key *key)
{
	uint8_t room[SIGNED_MAX];
	struct ht_buf text = HT_BUF_ON(room);
	enum ht_err err;

	HT_ASSERT(b->n_records == b->count && b->n_left == 0);
	b->key = ht_key_id(key);
	err = recompute(b);
	if (err != HT_OK)
		return err;
	ht_bundle_signed(&text, b);
	if (text.err != HT_OK)
		return text.err;
	return ht_sign(key, HT_BUNDLE_LABEL, ht_buf_slice(&text), &b->sig);
}

enum ht_err
ht_bundle_verify(const struct ht_bundle *b, const struct ht_pub *pub)
{
	uint8_t room[SIGNED_MAX];
	struct ht_buf text = HT_BUF_ON(room);

	ht_bundle_signed(&text, b);
	if (text.err != HT_OK)
		return text.err;
	return ht_verify(pub, HT_BUNDLE_LABEL, ht_buf_slice(&text), &b->sig);
}

enum ht_err
ht_bundle_part(const struct ht_bundle *from, const uint32_t *keep,
    size_t n_keep, struct ht_bundle *ret)
{
	struct ht_hash all[HT_BUNDLE_MAX];
	uint64_t at[HT_BUNDLE_MAX];
	size_t n_left;
	enum ht_err err;

	HT_ASSERT(from->n_left == 0 && from->n_records == from->count);
	HT_ASSERT(n_keep > 0 && n_keep <= from->n_records);
	for (uint32_t i = 0; i < from->n_records; i++)
		all[i] = from->records[i].hash;
	for (size_t i = 0; i < n_keep; i++)
		at[i] = keep[i];
	err = ht_sparse_left(
	    all, from->count, at, n_keep, ret->left, HT_LEFT_MAX, &n_left);
	if (err != HT_OK)
		return err;
	ret->suite = from->suite;
	ret->sender = from->sender;
	ret->node = from->node;
	ret->key = from->key;
	ret->count = from->count;
	ret->sig = from->sig;
	ret->root = from->root;
	ret->n_left = (uint32_t)n_left;
	ret->n_records = (uint32_t)n_keep;
	for (size_t i = 0; i < n_keep; i++)
		ret->records[i] = from->records[keep[i]];
	return HT_OK;
}

unsigned
ht_record_check(
    const struct ht_bundle_record *record, const struct ht_header *header)
{
	struct ht_hash hash;

	if (record->body.len != header->body_len)
		return HT_ST_BODY_HASH;
	hash = ht_blake2b(&record->body, 1);
	if (!ht_hash_eq(&hash, &header->body_hash))
		return HT_ST_BODY_HASH;
	if (!header->has_tag)
		return record->tag.len == 0 ? HT_ST_OK : HT_ST_TAG_HASH;
	hash = ht_tag_hash(record->tag);
	if (record->tag.len == 0 || !ht_hash_eq(&hash, &header->tag))
		return HT_ST_TAG_HASH;
	return HT_ST_OK;
}
