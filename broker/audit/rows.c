/*
 * rows.c -- reading an answer: nothing is believed that is not proven against
 * the checkpoint's root.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/audit/query.h"
#include "broker/log/bundles.h"

static struct ht_slice
unpack_bin_or_nil(struct ht_unpack *u, size_t max)
{
	struct ht_slice bin = HT_SLICE(NULL, 0);

	if (ht_unpack_is_nil(u)) {
		ht_unpack_nil(u);
		return bin;
	}
	bin = ht_unpack_bin(u, max);
	ht_unpack_demand(u, bin.len > 0);
	return bin;
}

static uint32_t
unpack_path(struct ht_unpack *u, struct ht_hash out[static HT_PROOF_MAX])
{
	uint32_t n = ht_unpack_array(u, HT_PROOF_MAX);

	for (uint32_t i = 0; i < n; i++)
		ht_unpack_fixed(u, out[i].at, HT_HASH_SIZE);
	return n;
}

/* [leaf, path], proven at once: it stands at its own place. */
static enum ht_err
unpack_cited(struct ht_unpack *u, struct ht_trail *trail, struct ht_row *row)
{
	struct ht_hash path[HT_PROOF_MAX], leaf;
	const uint8_t *start = u->at;
	uint32_t n;

	row->cited = HT_SLICE(NULL, 0);
	if (ht_unpack_is_nil(u)) {
		ht_unpack_nil(u);
		row->cited_raw = HT_SLICE(start, (size_t)(u->at - start));
		return HT_OK;
	}
	ht_unpack_array_of(u, 2);
	row->cited = ht_unpack_bin(u, HT_LEAF_MAX);
	n = unpack_path(u, path);
	if (u->err != HT_OK)
		return HT_EMALFORMED;
	row->cited_raw = HT_SLICE(start, (size_t)(u->at - start));
	leaf = ht_leaf_hash(row->cited);
	if (row->entry.cites == 0 ||
	    !ht_trail_check(trail, row->entry.cites - 1, &leaf, path, n))
		return HT_EINTEGRITY;
	return HT_OK;
}

/*
 * [leaf, path, place, list]: an ERASE entry of this tree, and the list that it
 * commits to has this row's entry.
 */
static enum ht_err
unpack_erased(
    struct ht_unpack *u, const struct ht_trail *trail, struct ht_row *row)
{
	struct ht_hash path[HT_PROOF_MAX], list[HT_PROOF_MAX], leaf;
	struct ht_slice bytes;
	struct ht_entry e;
	uint32_t n_path, n_list;
	uint64_t place;

	ht_unpack_array_of(u, 4);
	bytes = ht_unpack_bin(u, HT_LEAF_MAX);
	n_path = unpack_path(u, path);
	place = ht_unpack_uint(u, HT_ERASURE_MAX);
	n_list = unpack_path(u, list);
	if (u->err != HT_OK)
		return HT_EMALFORMED;
	if (ht_entry_decode(bytes, &e) != HT_OK || e.type != HT_ENTRY_ERASE ||
	    ht_erase_said_decode(e.payload, &row->erasure) != HT_OK ||
	    row->erasure.bodies)
		return HT_EINTEGRITY;
	leaf = ht_leaf_hash(bytes);
	if (!ht_check_inclusion(
	        e.seq, trail->size, &leaf, path, n_path, &trail->root))
		return HT_EINTEGRITY;
	leaf = ht_erasure_leaf(row->seq);
	if (!ht_check_inclusion(place, row->erasure.count, &leaf, list, n_list,
	        &row->erasure.list))
		return HT_EINTEGRITY;
	row->erased = true;
	row->erased_by = e.seq;
	return HT_OK;
}

static enum ht_err
unpack_tag(
    struct ht_unpack *u, const struct ht_trail *trail, struct ht_row *row)
{
	row->erased = false;
	row->tag = HT_SLICE(NULL, 0);
	if (ht_unpack_is_array(u))
		return unpack_erased(u, trail, row);
	row->tag = unpack_bin_or_nil(u, HT_TAG_MAX);
	return HT_OK;
}

/* @trail has the tree that the row's proofs lead to. */
static enum ht_err
unpack_row(struct ht_unpack *u, struct ht_trail *trail, struct ht_row *row)
{
	enum ht_err err;

	ht_unpack_array_of(u, 5);
	row->seq = ht_unpack_uint(u, UINT64_MAX);
	row->leaf = ht_unpack_bin(u, HT_LEAF_MAX);
	row->bundle = unpack_bin_or_nil(u, HT_EVIDENCE_MAX);
	err = unpack_tag(u, trail, row);
	if (err != HT_OK)
		return err;
	if (u->err != HT_OK)
		return HT_EMALFORMED;
	if (ht_entry_decode(row->leaf, &row->entry) != HT_OK ||
	    row->entry.seq != row->seq)
		return HT_EINTEGRITY;
	row->hash = ht_leaf_hash(row->leaf);
	return unpack_cited(u, trail, row);
}

static enum ht_err
prove(struct ht_rows *r, struct ht_unpack *u, uint64_t size,
    const struct ht_hash *want)
{
	struct ht_hash root;

	r->n_left = ht_unpack_array(u, HT_COUNT(r->left));
	for (size_t i = 0; i < r->n_left; i++)
		ht_unpack_fixed(u, r->left[i].at, HT_HASH_SIZE);
	if (ht_unpack_end(u) != HT_OK)
		return HT_EMALFORMED;
	if (ht_sparse_root(size, r->places, r->hashes, r->n, r->left, r->n_left,
	        &root) != HT_OK ||
	    !ht_hash_eq(&root, want))
		return HT_EINTEGRITY;
	return HT_OK;
}

enum ht_err
ht_rows_open(struct ht_slice frame, uint64_t size, const struct ht_hash *root,
    struct ht_rows *r, uint64_t *ret_bad)
{
	struct ht_unpack u;
	uint32_t n;

	r->n = 0;
	ht_trail_begin(&r->trail, size, root);
	if (ht_pack_check(frame, NULL, NULL) != HT_OK)
		return HT_EMALFORMED;
	u = ht_unpack(frame);
	ht_unpack_array_of(&u, 3);
	if (ht_unpack_uint(&u, UINT8_MAX) != HT_AUDIT_ROWS)
		return HT_EMALFORMED;
	n = ht_unpack_array(&u, HT_ROWS_FRAME);
	if (u.err != HT_OK || n == 0)
		return HT_EMALFORMED;
	while (r->n < n) {
		struct ht_row *row = &r->at[r->n];
		enum ht_err err = unpack_row(&u, &r->trail, row);

		if (err == HT_EINTEGRITY)
			*ret_bad = row->seq;
		if (err != HT_OK)
			return err;
		r->places[r->n] = row->seq;
		r->hashes[r->n++] = row->hash;
	}
	*ret_bad = r->places[0];
	return prove(r, &u, size, root);
}

enum ht_err
ht_rows_each(struct ht_rows *r, struct ht_slice frame, uint64_t size,
    const struct ht_hash *root,
    enum ht_err (*each)(void *arg, const struct ht_row *row), void *arg,
    uint64_t *ret_bad)
{
	enum ht_err err = ht_rows_open(frame, size, root, r, ret_bad);

	for (size_t i = 0; err == HT_OK && i < r->n; i++)
		err = each(arg, &r->at[i]);
	return err;
}

enum ht_err
ht_rows_check(struct ht_slice frame, uint64_t size, const struct ht_hash *root,
    enum ht_err (*each)(void *arg, const struct ht_row *row), void *arg,
    uint64_t *ret_bad)
{
	HT_AUTO(ht_mem_free) struct ht_rows *r = malloc(sizeof(*r));

	return r == NULL
	           ? HT_ENOMEM
	           : ht_rows_each(r, frame, size, root, each, arg, ret_bad);
}

/* ---- a row alone ---- */

void
ht_row_encode(const struct ht_row *row, struct ht_buf *out)
{
	ht_pack_array(out, 5);
	ht_pack_uint(out, row->seq);
	ht_pack_bin(out, row->leaf.at, row->leaf.len);
	if (row->bundle.len > 0)
		ht_pack_bin(out, row->bundle.at, row->bundle.len);
	else
		ht_pack_nil(out);
	ht_pack_nil(out);
	ht_buf_add(out, row->cited_raw.at, row->cited_raw.len);
}

enum ht_err
ht_row_decode(struct ht_slice bytes, uint64_t size, const struct ht_hash *root,
    struct ht_row *ret)
{
	struct ht_unpack u;
	struct ht_trail trail;
	struct ht_row row;
	enum ht_err err;

	if (ht_pack_check(bytes, NULL, NULL) != HT_OK)
		return HT_EMALFORMED;
	u = ht_unpack(bytes);
	ht_trail_begin(&trail, size, root);
	err = unpack_row(&u, &trail, &row);
	if (err == HT_OK && (ht_unpack_end(&u) != HT_OK || row.tag.len > 0))
		err = HT_EMALFORMED;
	if (err == HT_OK)
		*ret = row;
	return err;
}
