/*
 * rows.c -- reading an answer: nothing is believed that is not proven against
 * the checkpoint's root.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/audit/bundles.h"
#include "broker/audit/query.h"

struct rows {
	uint64_t size;
	const struct ht_hash *root;
	uint64_t *bad;
	size_t n;
	struct ht_row at[HT_ROWS_FRAME];
	uint64_t places[HT_ROWS_FRAME];
	struct ht_hash hashes[HT_ROWS_FRAME];
	struct ht_hash left[HT_ROWS_FRAME * HT_COVER_MAX];
};

static struct ht_slice
unpack_bin_or_nil(struct ht_unpack *u, size_t max)
{
	if (!ht_unpack_is_nil(u))
		return ht_unpack_bin(u, max);
	ht_unpack_nil(u);
	return HT_SLICE(NULL, 0);
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
unpack_cited(struct rows *r, struct ht_unpack *u, struct ht_row *row)
{
	struct ht_hash path[HT_PROOF_MAX], leaf;
	uint32_t n;

	row->cited = HT_SLICE(NULL, 0);
	if (ht_unpack_is_nil(u)) {
		ht_unpack_nil(u);
		return HT_OK;
	}
	ht_unpack_array_of(u, 2);
	row->cited = ht_unpack_bin(u, HT_LEAF_MAX);
	n = unpack_path(u, path);
	if (u->err != HT_OK)
		return HT_EMALFORMED;
	leaf = ht_leaf_hash(row->cited);
	*r->bad = row->seq;
	if (row->entry.cites == 0 || !ht_check_inclusion(row->entry.cites - 1,
	                                 r->size, &leaf, path, n, r->root))
		return HT_EINTEGRITY;
	return HT_OK;
}

/*
 * [leaf, path, place, list]: an ERASE entry of this tree, and the list that it
 * commits to has this row's entry.
 */
static enum ht_err
unpack_erased(struct rows *r, struct ht_unpack *u, struct ht_row *row)
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
	*r->bad = row->seq;
	if (ht_entry_decode(bytes, &e) != HT_OK || e.type != HT_ENTRY_ERASE ||
	    ht_erase_said_decode(e.payload, &row->erasure) != HT_OK ||
	    row->erasure.bodies)
		return HT_EINTEGRITY;
	leaf = ht_leaf_hash(bytes);
	if (!ht_check_inclusion(e.seq, r->size, &leaf, path, n_path, r->root))
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
unpack_tag(struct rows *r, struct ht_unpack *u, struct ht_row *row)
{
	row->erased = false;
	row->tag = HT_SLICE(NULL, 0);
	if (ht_unpack_is_array(u))
		return unpack_erased(r, u, row);
	row->tag = unpack_bin_or_nil(u, HT_TAG_MAX);
	return HT_OK;
}

static enum ht_err
unpack_row(struct rows *r, struct ht_unpack *u)
{
	struct ht_row *row = &r->at[r->n];
	enum ht_err err;

	ht_unpack_array_of(u, 5);
	row->seq = ht_unpack_uint(u, UINT64_MAX);
	row->leaf = ht_unpack_bin(u, HT_LEAF_MAX);
	row->bundle = unpack_bin_or_nil(u, HT_EVIDENCE_MAX);
	err = unpack_tag(r, u, row);
	if (err != HT_OK)
		return err;
	if (u->err != HT_OK)
		return HT_EMALFORMED;
	*r->bad = row->seq;
	if (ht_entry_decode(row->leaf, &row->entry) != HT_OK ||
	    row->entry.seq != row->seq)
		return HT_EINTEGRITY;
	r->places[r->n] = row->seq;
	r->hashes[r->n] = ht_leaf_hash(row->leaf);
	r->n++;
	return unpack_cited(r, u, row);
}

static enum ht_err
prove(struct rows *r, struct ht_unpack *u)
{
	uint32_t n = ht_unpack_array(u, HT_COUNT(r->left));
	struct ht_hash root;

	for (uint32_t i = 0; i < n; i++)
		ht_unpack_fixed(u, r->left[i].at, HT_HASH_SIZE);
	if (ht_unpack_end(u) != HT_OK)
		return HT_EMALFORMED;
	*r->bad = r->n > 0 ? r->places[0] : 0;
	if (ht_sparse_root(r->size, r->places, r->hashes, r->n, r->left, n,
	        &root) != HT_OK ||
	    !ht_hash_eq(&root, r->root))
		return HT_EINTEGRITY;
	return HT_OK;
}

static enum ht_err
check(struct rows *r, struct ht_slice frame)
{
	enum ht_err err = ht_pack_check(frame, NULL, NULL);
	struct ht_unpack u;
	uint32_t n;

	if (err != HT_OK)
		return HT_EMALFORMED;
	u = ht_unpack(frame);
	ht_unpack_array_of(&u, 3);
	if (ht_unpack_uint(&u, UINT8_MAX) != HT_AUDIT_ROWS)
		return HT_EMALFORMED;
	n = ht_unpack_array(&u, HT_ROWS_FRAME);
	if (u.err != HT_OK || n == 0)
		return HT_EMALFORMED;
	for (uint32_t i = 0; i < n && err == HT_OK; i++)
		err = unpack_row(r, &u);
	return err == HT_OK ? prove(r, &u) : err;
}

enum ht_err
ht_rows_check(struct ht_slice frame, uint64_t size, const struct ht_hash *root,
    enum ht_err (*each)(void *arg, const struct ht_row *row), void *arg,
    uint64_t *ret_bad)
{
	HT_AUTO(ht_mem_free) struct rows *r = calloc(1, sizeof(*r));
	enum ht_err err;

	if (r == NULL)
		return HT_ENOMEM;
	r->size = size;
	r->root = root;
	r->bad = ret_bad;
	err = check(r, frame);
	for (size_t i = 0; i < r->n && err == HT_OK; i++)
		err = each(arg, &r->at[i]);
	return err;
}
