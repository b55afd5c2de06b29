/*
 * erasure.c -- the list of one erasure, and the payload of its entry.
 */
#include "broker/log/erasure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/limits.h"
#include "lib/base/panic.h"

#define MAGIC      "hutong-erasure/v1\n"
#define MAGIC_SIZE (sizeof(MAGIC) - 1)

enum { WHAT_TAGS = 1, WHAT_BODIES = 2 };

void
ht_erasure_free(struct ht_erasure **erasure_p)
{
	struct ht_erasure *e = HT_TAKE(*erasure_p);

	if (e == NULL)
		return;
	for (unsigned level = 0; level < HT_FRONTIER_MAX; level++)
		free(e->tree[level]);
	ht_buf_fini(&e->order);
	free(e->seqs);
	free(e);
}

/* ---- its file ---- */

enum ht_err
ht_erasure_encode(const struct ht_erasure *e, struct ht_buf *out)
{
	size_t start = out->len;
	struct ht_slice all;
	struct ht_hash check;

	HT_ASSERT(e->n > 0 && e->n <= HT_ERASURE_MAX);
	ht_buf_add(out, MAGIC, MAGIC_SIZE);
	ht_buf_add(out, e->env, sizeof(e->env));
	ht_buf_u64(out, e->size);
	ht_buf_u8(out, e->bodies ? WHAT_BODIES : WHAT_TAGS);
	ht_buf_u32(out, (uint32_t)e->n);
	for (size_t i = 0; i < e->n; i++)
		ht_buf_u64(out, e->seqs[i]);
	ht_buf_u32(out, (uint32_t)e->order.len);
	ht_buf_add(out, e->order.at, e->order.len);
	if (out->err != HT_OK)
		return out->err;
	all = HT_SLICE(out->at + start, out->len - start);
	check = ht_blake2b(&all, 1);
	ht_buf_add(out, check.at, sizeof(check.at));
	return out->err;
}

/* The bytes before their checksum, once it holds. */
static enum ht_err
checked(struct ht_slice bytes, struct ht_slice *ret)
{
	struct ht_hash check;

	if (bytes.len > HT_ERASURE_BYTES)
		return HT_ETOOBIG;
	if (bytes.len < MAGIC_SIZE + HT_HASH_SIZE ||
	    memcmp(bytes.at, MAGIC, MAGIC_SIZE) != 0)
		return HT_EMALFORMED;
	*ret = HT_SLICE(
	    bytes.at + MAGIC_SIZE, bytes.len - MAGIC_SIZE - HT_HASH_SIZE);
	bytes.len -= HT_HASH_SIZE;
	check = ht_blake2b(&bytes, 1);
	return memcmp(check.at, bytes.at + bytes.len, HT_HASH_SIZE) == 0
	           ? HT_OK
	           : HT_EINTEGRITY;
}

static enum ht_err
take_seqs(struct ht_cur *cur, struct ht_erasure *e)
{
	e->n = ht_cur_u32(cur);
	if (e->n == 0 || e->n > HT_ERASURE_MAX)
		return HT_EMALFORMED;
	e->seqs = malloc(e->n * sizeof(*e->seqs));
	if (e->seqs == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < e->n; i++) {
		e->seqs[i] = ht_cur_u64(cur);
		if (i > 0 && e->seqs[i] <= e->seqs[i - 1])
			return HT_EMALFORMED;
	}
	/* None that came after it. */
	return e->seqs[e->n - 1] < e->size ? HT_OK : HT_EMALFORMED;
}

static enum ht_err
take_order(struct ht_cur *cur, struct ht_erasure *e)
{
	uint32_t len = ht_cur_u32(cur);
	uint8_t *order;

	if (len == 0 || len > HT_DOC_MAX)
		return HT_EMALFORMED;
	order = ht_buf_room(&e->order, len);
	if (order == NULL)
		return e->order.err;
	ht_cur_copy(cur, order, len);
	return ht_cur_end(cur);
}

enum ht_err
ht_erasure_decode(struct ht_slice bytes, uint64_t by, struct ht_erasure **ret)
{
	HT_AUTO(ht_erasure_free) struct ht_erasure *e = NULL;
	struct ht_cur cur;
	unsigned what;
	enum ht_err err = checked(bytes, &bytes);

	if (err != HT_OK)
		return err;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return HT_ENOMEM;
	e->by = by;
	e->order = HT_BUF(HT_DOC_MAX);
	cur = ht_cur(bytes);
	ht_cur_copy(&cur, e->env, sizeof(e->env));
	e->size = ht_cur_u64(&cur);
	what = ht_cur_u8(&cur);
	if (what != WHAT_TAGS && what != WHAT_BODIES)
		return HT_EMALFORMED;
	e->bodies = what == WHAT_BODIES;
	err = take_seqs(&cur, e);
	if (err == HT_OK)
		err = take_order(&cur, e);
	if (err == HT_OK)
		*ret = HT_TAKE(e);
	return err;
}

void
ht_erasure_name(uint64_t by, char out[static HT_ERASURE_NAME])
{
	if (by == HT_ERASURE_PENDING)
		(void)snprintf(out, HT_ERASURE_NAME, "erasure.pending");
	else
		(void)snprintf(out, HT_ERASURE_NAME, "%016llx.erased",
		    (unsigned long long)by);
}

enum ht_err
ht_erasure_load(const char *dir, uint64_t by, struct ht_erasure **ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_ERASURE_BYTES);
	HT_AUTO(ht_mem_free) char *path = NULL;
	char name[HT_ERASURE_NAME];
	enum ht_err err;

	ht_erasure_name(by, name);
	path = ht_fs_join(dir, name);
	if (path == NULL)
		return HT_ENOMEM;
	err = ht_fs_read(path, &bytes);
	return err == HT_OK ? ht_erasure_decode(ht_buf_slice(&bytes), by, ret)
	                    : err;
}

/* ---- its tree ---- */

bool
ht_erasure_find(const struct ht_erasure *e, uint64_t seq, size_t *ret_place)
{
	size_t lo = 0, hi = e->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (e->seqs[mid] < seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret_place = lo;
	return lo < e->n && e->seqs[lo] == seq;
}

struct ht_hash
ht_erasure_leaf(uint64_t seq)
{
	uint8_t be[8];

	ht_be64(be, seq);
	return ht_leaf_hash(HT_SLICE(be, sizeof(be)));
}

static void
keep(void *arg, unsigned level, uint64_t index, const struct ht_hash *hash)
{
	struct ht_erasure *e = arg;

	e->tree[level][index] = *hash;
}

static enum ht_err
load(void *arg, unsigned level, uint64_t index, struct ht_hash *ret)
{
	const struct ht_erasure *e = arg;

	*ret = e->tree[level][index];
	return HT_OK;
}

static enum ht_err
grow(struct ht_erasure *e, struct ht_frontier *f)
{
	for (unsigned level = 0; e->n >> level > 0; level++) {
		free(e->tree[level]);
		e->tree[level] = calloc(e->n >> level, sizeof(**e->tree));
		if (e->tree[level] == NULL)
			return HT_ENOMEM;
	}
	for (size_t i = 0; i < e->n; i++) {
		struct ht_hash leaf = ht_erasure_leaf(e->seqs[i]);

		ht_frontier_append(f, &leaf, keep, e);
	}
	return HT_OK;
}

enum ht_err
ht_erasure_root(struct ht_erasure *e, struct ht_hash *ret)
{
	struct ht_frontier f = {0};
	enum ht_err err = grow(e, &f);

	if (err == HT_OK)
		*ret = ht_frontier_root(&f);
	return err;
}

enum ht_err
ht_erasure_prove(struct ht_erasure *e, size_t place,
    struct ht_hash out[static HT_PROOF_MAX], size_t *ret_n)
{
	struct ht_frontier f = {0};
	enum ht_err err = e->tree[0] == NULL ? grow(e, &f) : HT_OK;

	if (err != HT_OK)
		return err;
	return ht_prove_inclusion(load, e, place, e->n, out, ret_n);
}

/* ---- the entry ---- */

enum ht_err
ht_erase_said_encode(const struct ht_erase_said *said, struct ht_buf *out)
{
	ht_pack_map(out, 7);
	ht_pack_cstr(out, "basis");
	ht_pack_str(out, said->basis);
	ht_pack_cstr(out, "by");
	ht_pack_str(out, said->by);
	ht_pack_cstr(out, "count");
	ht_pack_uint(out, said->count);
	ht_pack_cstr(out, "list");
	ht_pack_bin(out, said->list.at, sizeof(said->list.at));
	ht_pack_cstr(out, "order");
	ht_pack_bin(out, said->order.at, sizeof(said->order.at));
	ht_pack_cstr(out, "scope");
	ht_pack_str(out, said->scope);
	ht_pack_cstr(out, "what");
	ht_pack_cstr(out, said->bodies ? "bodies" : "tags");
	return out->err;
}

enum ht_err
ht_erase_said_decode(struct ht_slice payload, struct ht_erase_said *ret)
{
	struct ht_erase_said said;
	struct ht_slice what;
	struct ht_unpack u;

	if (ht_pack_check(payload, NULL, NULL) != HT_OK)
		return HT_EMALFORMED;
	u = ht_unpack(payload);
	if (ht_unpack_map(&u, 7) != 7)
		ht_unpack_fail(&u, HT_EMALFORMED);
	ht_unpack_key(&u, "basis");
	said.basis = ht_unpack_str(&u, HT_LEAF_MAX);
	ht_unpack_key(&u, "by");
	said.by = ht_unpack_str(&u, HT_LEAF_MAX);
	ht_unpack_key(&u, "count");
	said.count = ht_unpack_uint(&u, HT_ERASURE_MAX);
	ht_unpack_key(&u, "list");
	ht_unpack_fixed(&u, said.list.at, sizeof(said.list.at));
	ht_unpack_key(&u, "order");
	ht_unpack_fixed(&u, said.order.at, sizeof(said.order.at));
	ht_unpack_key(&u, "scope");
	said.scope = ht_unpack_str(&u, HT_LEAF_MAX);
	ht_unpack_key(&u, "what");
	what = ht_unpack_str(&u, 16);
	said.bodies = ht_slice_is(what, "bodies");
	if (!said.bodies && !ht_slice_is(what, "tags"))
		ht_unpack_fail(&u, HT_EMALFORMED);
	if (ht_unpack_end(&u) != HT_OK)
		return HT_EMALFORMED;
	*ret = said;
	return HT_OK;
}
