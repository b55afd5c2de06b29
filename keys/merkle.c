/*
 * merkle.c -- RFC 6962 section 2.1, iteratively.
 *
 * Proofs are made of the perfect subtrees of a cover: the hash of any range
 * [lo, hi) that the RFC's recursion meets is the fold, from the right, of the
 * stored subtrees that tile it.
 */
#include "keys/merkle.h"

#include "lib/base/panic.h"

void
ht_frontier_append(struct ht_frontier *f, const struct ht_hash *leaf,
    ht_merkle_store_fn *store, void *arg)
{
	struct ht_hash hash = *leaf;
	uint64_t index = f->size;
	unsigned level = 0;

	HT_ASSERT(f->size < HT_TREE_MAX);
	if (store != NULL)
		store(arg, 0, index, &hash);
	while (index & 1) {
		hash = ht_node_hash(&f->at[level], &hash);
		index >>= 1;
		level++;
		if (store != NULL)
			store(arg, level, index, &hash);
	}
	f->at[level] = hash;
	f->size++;
}

struct ht_hash
ht_frontier_root(const struct ht_frontier *f)
{
	struct ht_hash root;
	bool have = false;

	for (unsigned level = 0; level < HT_FRONTIER_MAX; level++) {
		if (!(f->size >> level & 1))
			continue;
		root = have ? ht_node_hash(&f->at[level], &root) : f->at[level];
		have = true;
	}
	return have ? root : ht_sha256(HT_SLICE("", 0));
}

struct ht_hash
ht_merkle_root(const struct ht_hash *leaves, uint64_t n)
{
	struct ht_frontier f;

	f.size = 0; /* the hashes are set as they come */
	for (uint64_t i = 0; i < n; i++)
		ht_frontier_append(&f, &leaves[i], NULL, NULL);
	return ht_frontier_root(&f);
}

static unsigned
log2_floor(uint64_t n)
{
	return 63u - (unsigned)__builtin_clzll(n);
}

size_t
ht_cover(uint64_t a, uint64_t b, struct ht_subtree out[static 128])
{
	size_t n = 0;

	while (a < b) {
		unsigned level = log2_floor(b - a);

		if (a > 0 && (unsigned)__builtin_ctzll(a) < level)
			level = (unsigned)__builtin_ctzll(a);
		out[n++] = (struct ht_subtree){level, a >> level};
		a += UINT64_C(1) << level;
	}
	return n;
}

/* The hash of [lo, hi) as the RFC's recursion would have it. */
static enum ht_err
range_hash(ht_merkle_load_fn *load, void *arg, uint64_t lo, uint64_t hi,
    struct ht_hash *ret)
{
	struct ht_subtree cover[HT_COVER_MAX];
	size_t n = ht_cover(lo, hi, cover);
	struct ht_hash hash, left;
	enum ht_err err;

	HT_ASSERT(n > 0);
	err = load(arg, cover[n - 1].level, cover[n - 1].index, &hash);
	for (size_t i = n - 1; err == HT_OK && i-- > 0;) {
		err = load(arg, cover[i].level, cover[i].index, &left);
		if (err == HT_OK)
			hash = ht_node_hash(&left, &hash);
	}
	if (err == HT_OK)
		*ret = hash;
	return err;
}

/* The largest power of two below n; n > 1. */
static uint64_t
split(uint64_t n)
{
	return UINT64_C(1) << log2_floor(n - 1);
}

static void
reverse(struct ht_hash *at, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct ht_hash swap = at[i];

		at[i] = at[n - 1 - i];
		at[n - 1 - i] = swap;
	}
}

enum ht_err
ht_prove_consistency(ht_merkle_load_fn *load, void *arg, uint64_t m, uint64_t n,
    struct ht_hash out[static HT_PROOF_MAX], size_t *ret_n)
{
	uint64_t lo = 0, hi = n;
	enum ht_err err = HT_OK;
	size_t count = 0;

	if (m == 0 || m > n || n > HT_TREE_MAX)
		return HT_EINVALID;
	while (hi != m && err == HT_OK) {
		uint64_t k = lo + split(hi - lo);

		if (m <= k) {
			err = range_hash(load, arg, k, hi, &out[count++]);
			hi = k;
		} else {
			err = range_hash(load, arg, lo, k, &out[count++]);
			lo = k;
		}
	}
	/* The old tree is a subtree only if it does not start at 0. */
	if (err == HT_OK && lo > 0)
		err = range_hash(load, arg, lo, hi, &out[count++]);
	if (err != HT_OK)
		return err;
	reverse(out, count);
	*ret_n = count;
	return HT_OK;
}

/*
 * RFC 9162 section 2.1.3.2.  The two checks hash what they are given; a path
 * of more than HT_PROOF_MAX hashes runs out of tree and fails there.
 */
bool
ht_check_inclusion(uint64_t i, uint64_t n, const struct ht_hash *leaf,
    const struct ht_hash *path, size_t path_n, const struct ht_hash *root)
{
	struct ht_hash r = *leaf;
	uint64_t fn = i, sn = n - 1;

	if (i >= n)
		return false;
	for (size_t p = 0; p < path_n; p++) {
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			r = ht_node_hash(&path[p], &r);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			r = ht_node_hash(&r, &path[p]);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && ht_hash_eq(&r, root);
}

void
ht_trail_begin(
    struct ht_trail *trail, uint64_t size, const struct ht_hash *root)
{
	trail->size = size;
	trail->root = *root;
	trail->any = false;
}

/* How deep leaf @i stands, and the depth of the last node above @j as well. */
static size_t
depth_of(uint64_t i, uint64_t j, uint64_t n, size_t *ret_shared)
{
	uint64_t lo = 0, hi = n;
	size_t depth = 0;
	bool shared = true;

	*ret_shared = 0;
	while (hi - lo > 1) {
		uint64_t k = lo + split(hi - lo);

		shared = shared && (i < k) == (j < k);
		if (i < k)
			hi = k;
		else
			lo = k;
		depth++;
		if (shared)
			*ret_shared = depth;
	}
	return depth;
}

/* Hash from the leaf at @depth up to the node at depth @top. */
static void
climb(struct ht_trail *t, size_t depth, size_t top, const struct ht_hash *path)
{
	uint64_t fn = t->i, sn = t->size - 1;

	for (size_t d = depth; d > top; d--) {
		bool right = (fn & 1) || fn == sn;

		t->sibling[d] = *path++;
		t->node[d - 1] =
		    right ? ht_node_hash(&t->sibling[d], &t->node[d])
		          : ht_node_hash(&t->node[d], &t->sibling[d]);
		while (right && !(fn & 1) && fn != 0) {
			fn >>= 1;
			sn >>= 1;
		}
		fn >>= 1;
		sn >>= 1;
	}
}

bool
ht_trail_check(struct ht_trail *t, uint64_t i, const struct ht_hash *leaf,
    const struct ht_hash *path, size_t path_n)
{
	struct ht_hash known;
	size_t depth, top;

	if (i >= t->size || t->size > HT_TREE_MAX)
		return false;
	depth = depth_of(i, t->any ? t->i : i, t->size, &top);
	if (path_n != depth)
		return false;
	if (!t->any)
		top = 0;
	known = top > 0 ? t->node[top] : t->root;
	t->any = false; /* what is below is about to be another leaf's */
	t->i = i;
	for (size_t d = top; d > 0; d--)
		if (!ht_hash_eq(&path[depth - d], &t->sibling[d]))
			return false;
	t->node[depth] = *leaf;
	climb(t, depth, top, path);
	t->any = ht_hash_eq(&t->node[top], &known);
	return t->any;
}

/* The siblings of the nodes from the root down to leaf @i, by depth. */
static enum ht_err
load_siblings(
    struct ht_trail *t, ht_merkle_load_fn *load, void *arg, size_t known)
{
	uint64_t lo = 0, hi = t->size;
	enum ht_err err = HT_OK;

	for (size_t d = 1; hi - lo > 1 && err == HT_OK; d++) {
		uint64_t k = lo + split(hi - lo), from = lo, to = k;

		if (t->i < k) {
			from = k;
			to = hi;
			hi = k;
		} else {
			lo = k;
		}
		if (d > known)
			err = range_hash(load, arg, from, to, &t->sibling[d]);
	}
	return err;
}

enum ht_err
ht_trail_prove(struct ht_trail *t, ht_merkle_load_fn *load, void *arg,
    uint64_t i, struct ht_hash out[static HT_PROOF_MAX], size_t *ret_n)
{
	size_t depth, known;
	enum ht_err err;

	if (i >= t->size || t->size > HT_TREE_MAX)
		return HT_EINVALID;
	depth = depth_of(i, t->any ? t->i : i, t->size, &known);
	if (!t->any)
		known = 0;
	t->i = i;
	t->any = false; /* until all of it is there */
	err = load_siblings(t, load, arg, known);
	if (err != HT_OK)
		return err;
	t->any = true;
	for (size_t d = depth; d > 0; d--)
		out[depth - d] = t->sibling[d];
	*ret_n = depth;
	return HT_OK;
}

enum ht_err
ht_prove_inclusion(ht_merkle_load_fn *load, void *arg, uint64_t i, uint64_t n,
    struct ht_hash out[static HT_PROOF_MAX], size_t *ret_n)
{
	struct ht_trail trail;

	trail.size = n;
	trail.any = false;
	return ht_trail_prove(&trail, load, arg, i, out, ret_n);
}

/* RFC 9162 section 2.1.4.2. */
bool
ht_check_consistency(uint64_t m, uint64_t n, const struct ht_hash *old,
    const struct ht_hash *root, const struct ht_hash *path, size_t path_n)
{
	uint64_t fn = m - 1, sn = n - 1;
	struct ht_hash fr, sr;
	size_t p = 0;

	if (m == 0 || m > n)
		return false;
	if (m == n)
		return path_n == 0 && ht_hash_eq(old, root);
	if (path_n == 0)
		return false;
	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	/* A power of two: the old root itself starts the path. */
	fr = sr = (m & (m - 1)) == 0 ? *old : path[p++];
	for (; p < path_n; p++) {
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			fr = ht_node_hash(&path[p], &fr);
			sr = ht_node_hash(&path[p], &sr);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			sr = ht_node_hash(&sr, &path[p]);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && ht_hash_eq(&fr, old) && ht_hash_eq(&sr, root);
}

/*
 * Subtrees laid side by side, equal neighbours joined: the stack of a range
 * proof.  Levels fall from bottom to top, so 64 places are enough.
 */
struct stack {
	size_t n;
	struct {
		unsigned level;
		struct ht_hash hash;
	} at[2 * HT_FRONTIER_MAX];
};

static void
stack_push(struct stack *s, unsigned level, const struct ht_hash *hash)
{
	struct ht_hash h = *hash;

	while (s->n > 0 && s->at[s->n - 1].level == level) {
		h = ht_node_hash(&s->at[--s->n].hash, &h);
		level++;
	}
	HT_ASSERT(s->n < HT_COUNT(s->at));
	s->at[s->n].level = level;
	s->at[s->n++].hash = h;
}

static struct ht_hash
stack_fold(struct stack *s)
{
	struct ht_hash h = s->at[--s->n].hash;

	while (s->n > 0)
		h = ht_node_hash(&s->at[--s->n].hash, &h);
	return h;
}

enum ht_err
ht_sparse_root(uint64_t size, const uint64_t *at, const struct ht_hash *leaves,
    size_t n_leaves, const struct ht_hash *left, size_t n_left,
    struct ht_hash *ret_root)
{
	struct ht_subtree cover[HT_COVER_MAX];
	struct stack stack = {.n = 0};
	uint64_t next = 0;
	size_t used = 0;

	if (size == 0 || size > HT_TREE_MAX)
		return HT_EMALFORMED;
	for (size_t i = 0; i <= n_leaves; i++) {
		uint64_t place = i < n_leaves ? at[i] : size;
		size_t n;

		if (place < next || (i < n_leaves && place >= size))
			return HT_EMALFORMED;
		n = ht_cover(next, place, cover);
		if (n > n_left - used)
			return HT_EMALFORMED;
		for (size_t c = 0; c < n; c++)
			stack_push(&stack, cover[c].level, &left[used++]);
		if (i < n_leaves)
			stack_push(&stack, 0, &leaves[i]);
		next = place + 1;
	}
	if (used != n_left)
		return HT_EMALFORMED;
	*ret_root = stack_fold(&stack);
	return HT_OK;
}

enum ht_err
ht_sparse_left(const struct ht_hash *all, uint64_t size, const uint64_t *at,
    size_t n_at, struct ht_hash *out, size_t max, size_t *ret_n)
{
	struct ht_subtree cover[HT_COVER_MAX];
	uint64_t next = 0;
	size_t count = 0;

	for (size_t i = 0; i <= n_at; i++) {
		uint64_t place = i < n_at ? at[i] : size;
		size_t n;

		HT_ASSERT(place >= next && place <= size);
		n = ht_cover(next, place, cover);
		if (n > max - count)
			return HT_ETOOBIG;
		for (size_t c = 0; c < n; c++)
			out[count++] = ht_merkle_root(
			    all + (cover[c].index << cover[c].level),
			    UINT64_C(1) << cover[c].level);
		next = place + 1;
	}
	*ret_n = count;
	return HT_OK;
}
