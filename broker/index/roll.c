/*
 * roll.c -- one sorted list, one RFC 6962 root.  That nothing is missing
 * between two neighbours needs no other tree than the log's own.
 */
#include "broker/index/roll.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/panic.h"

#define LABEL "hutong-roll/v1\n"

int
ht_roll_cmp(const struct ht_roll_row *a, const struct ht_roll_row *b)
{
	int order = ht_pseudonym_cmp(&a->subject, &b->subject);

	if (order != 0)
		return order;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

struct ht_hash
ht_roll_leaf(const struct ht_roll_row *row)
{
	uint8_t text[sizeof(LABEL) - 1 + HT_PSEUDONYM_SIZE + HT_ROLL_SALT];
	uint8_t leaf[HT_HASH_SIZE + 8];
	uint8_t *at = text;
	struct ht_hash hidden;

	memcpy(at, LABEL, sizeof(LABEL) - 1);
	at += sizeof(LABEL) - 1;
	memcpy(at, row->subject.at, HT_PSEUDONYM_SIZE);
	memcpy(at + HT_PSEUDONYM_SIZE, row->salt, HT_ROLL_SALT);
	hidden = ht_sha256(HT_SLICE(text, sizeof(text)));
	memcpy(leaf, hidden.at, HT_HASH_SIZE);
	ht_be64(leaf + HT_HASH_SIZE, row->seq);
	return ht_leaf_hash(HT_SLICE(leaf, sizeof(leaf)));
}

/* ---- a roll ---- */

static int
by_order(const void *a, const void *b)
{
	return ht_roll_cmp(a, b);
}

enum ht_err
ht_roll_sort(struct ht_roll_row *rows, size_t n)
{
	if (n > 0)
		qsort(rows, n, sizeof(*rows), by_order);
	for (size_t i = 1; i < n; i++)
		if (ht_roll_cmp(&rows[i - 1], &rows[i]) == 0)
			return HT_EINVALID;
	return HT_OK;
}

static struct ht_hash *
leaves_of(const struct ht_roll_row *rows, size_t n)
{
	struct ht_hash *leaves = calloc(n + 1, sizeof(*leaves));

	for (size_t i = 0; leaves != NULL && i < n; i++)
		leaves[i] = ht_roll_leaf(&rows[i]);
	return leaves;
}

enum ht_err
ht_roll_root(const struct ht_roll_row *rows, size_t n, struct ht_hash *ret)
{
	HT_AUTO(ht_mem_free) struct ht_hash *leaves = leaves_of(rows, n);

	if (leaves == NULL)
		return HT_ENOMEM;
	*ret = ht_merkle_root(leaves, n);
	return HT_OK;
}

/* ---- proving ---- */

/* The first row that is not below the subject. */
static size_t
lower_bound(const struct ht_roll_row *rows, size_t n,
    const struct ht_pseudonym *subject)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (ht_pseudonym_cmp(&rows[mid].subject, subject) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
pack_row(const struct ht_roll_row *row, struct ht_buf *out)
{
	ht_pack_array(out, 3);
	ht_pack_bin(out, row->subject.at, HT_PSEUDONYM_SIZE);
	ht_pack_bin(out, row->salt, HT_ROLL_SALT);
	ht_pack_uint(out, row->seq);
}

static enum ht_err
pack_left(const struct ht_roll_row *rows, size_t n, size_t first, size_t some,
    struct ht_buf *out)
{
	HT_AUTO(ht_mem_free) struct ht_hash *leaves = leaves_of(rows, n);
	HT_AUTO(ht_mem_free) uint64_t *at = calloc(some + 1, sizeof(*at));
	struct ht_hash left[HT_COVER_MAX];
	size_t n_left = 0;
	enum ht_err err;

	if (leaves == NULL || at == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < some; i++)
		at[i] = first + i;
	err =
	    ht_sparse_left(leaves, n, at, some, left, HT_COUNT(left), &n_left);
	if (err != HT_OK)
		return err;
	ht_pack_array(out, (uint32_t)n_left);
	for (size_t i = 0; i < n_left; i++)
		ht_pack_bin(out, left[i].at, HT_HASH_SIZE);
	return out->err;
}

enum ht_err
ht_roll_prove(const struct ht_roll_row *rows, size_t n,
    const struct ht_pseudonym *subject, struct ht_buf *out)
{
	size_t first = lower_bound(rows, n, subject), end = first;

	while (end < n && ht_pseudonym_cmp(&rows[end].subject, subject) == 0)
		end++;
	if (end - first > HT_ROLL_MAX)
		return HT_ETOOBIG;
	if (first > 0)
		first--;
	if (end < n)
		end++;
	ht_pack_array(out, 3);
	ht_pack_uint(out, first);
	ht_pack_array(out, (uint32_t)(end - first));
	for (size_t i = first; i < end; i++)
		pack_row(&rows[i], out);
	if (n == 0) {
		ht_pack_array(out, 0);
		return out->err;
	}
	return pack_left(rows, n, first, end - first, out);
}

/* ---- checking ---- */

struct proof {
	uint64_t first;
	size_t n;
	struct ht_roll_row *rows;
	size_t n_left;
	struct ht_hash left[HT_COVER_MAX];
};

static void
proof_fini(struct proof *p)
{
	free(p->rows);
}

static enum ht_err
unpack(struct ht_slice bytes, struct proof *p)
{
	struct ht_unpack u;

	if (ht_pack_check(bytes, NULL, NULL) != HT_OK)
		return HT_EMALFORMED;
	u = ht_unpack(bytes);
	ht_unpack_array_of(&u, 3);
	p->first = ht_unpack_uint(&u, UINT32_MAX);
	p->n = ht_unpack_array(&u, HT_ROLL_MAX + 2);
	/* ht_pack_check() has seen as many elements. */
	p->rows = calloc(p->n + 1, sizeof(*p->rows));
	if (p->rows == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < p->n && u.err == HT_OK; i++) {
		struct ht_roll_row *row = &p->rows[i];

		ht_unpack_array_of(&u, 3);
		ht_unpack_fixed(&u, row->subject.at, HT_PSEUDONYM_SIZE);
		ht_unpack_fixed(&u, row->salt, HT_ROLL_SALT);
		row->seq = ht_unpack_uint(&u, UINT64_MAX);
	}
	p->n_left = ht_unpack_array(&u, HT_COVER_MAX);
	for (size_t i = 0; i < p->n_left && u.err == HT_OK; i++)
		ht_unpack_fixed(&u, p->left[i].at, HT_HASH_SIZE);
	return ht_unpack_end(&u) == HT_OK ? HT_OK : HT_EMALFORMED;
}

/* In order; one neighbour on each side, or the roll's end. */
static bool
is_whole(
    const struct proof *p, uint64_t count, const struct ht_pseudonym *subject)
{
	size_t below = 0, above = 0;

	for (size_t i = 0; i < p->n; i++) {
		int order = ht_pseudonym_cmp(&p->rows[i].subject, subject);

		below += order < 0;
		above += order > 0;
		if (i > 0 && ht_roll_cmp(&p->rows[i - 1], &p->rows[i]) >= 0)
			return false;
	}
	if (p->first > count || p->n > count - p->first)
		return false;
	return below == (p->first > 0 ? 1 : below) && below <= 1 &&
	       above == (p->first + p->n < count ? 1 : above) && above <= 1;
}

static enum ht_err
is_rooted(const struct proof *p, uint64_t count, const struct ht_hash *root)
{
	HT_AUTO(ht_mem_free)
	struct ht_hash *leaves = leaves_of(p->rows, p->n);
	HT_AUTO(ht_mem_free) uint64_t *at = calloc(p->n + 1, sizeof(*at));
	struct ht_hash got;

	if (leaves == NULL || at == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < p->n; i++)
		at[i] = p->first + i;
	if (count == 0)
		got = ht_merkle_root(leaves, 0);
	else if (ht_sparse_root(count, at, leaves, p->n, p->left, p->n_left,
	             &got) != HT_OK)
		return HT_EINTEGRITY;
	return ht_hash_eq(&got, root) ? HT_OK : HT_EINTEGRITY;
}

enum ht_err
ht_roll_check(struct ht_slice bytes, const struct ht_hash *root, uint64_t count,
    const struct ht_pseudonym *subject,
    enum ht_err (*each)(void *arg, uint64_t seq), void *arg)
{
	HT_AUTO(proof_fini) struct proof p = {0};
	enum ht_err err = unpack(bytes, &p);

	if (err != HT_OK)
		return err;
	/* Of an empty roll there is one proof. */
	if (!is_whole(&p, count, subject) || (count > 0 && p.n == 0) ||
	    (count == 0 && p.n_left > 0))
		return HT_EINTEGRITY;
	err = is_rooted(&p, count, root);
	for (size_t i = 0; i < p.n && err == HT_OK; i++)
		if (ht_pseudonym_cmp(&p.rows[i].subject, subject) == 0)
			err = each(arg, p.rows[i].seq);
	return err;
}
