/*
 * t_merkle.c -- trees against the public vectors, against the RFC's own
 * recursive definitions, and against everybody who would bend a proof.
 */
#include "tests/lib/test.h"

#include <dirent.h>

#include <jansson.h>

#include "keys/merkle.h"

#define SIZE_MAX_TRIED 130

/* ---- the RFC's definitions, word for word, as the measure ---- */

static uint64_t
half(uint64_t n)
{
	uint64_t k = 1;

	while (k * 2 < n)
		k *= 2;
	return k;
}

/* MTH(D[n]), RFC 6962 section 2.1. */
static struct ht_hash
plain_root(const struct ht_hash *d, uint64_t n)
{
	struct ht_hash l, r;
	uint64_t k = half(n);

	if (n == 0)
		return ht_sha256(HT_SLICE("", 0));
	if (n == 1)
		return d[0];
	l = plain_root(d, k);
	r = plain_root(d + k, n - k);
	return ht_node_hash(&l, &r);
}

/* PATH(m, D[n]), section 2.1.1. */
static size_t
plain_path(uint64_t m, const struct ht_hash *d, uint64_t n, struct ht_hash *out)
{
	uint64_t k = half(n);
	size_t len;

	if (n == 1)
		return 0;
	if (m < k) {
		len = plain_path(m, d, k, out);
		out[len] = plain_root(d + k, n - k);
	} else {
		len = plain_path(m - k, d + k, n - k, out);
		out[len] = plain_root(d, k);
	}
	return len + 1;
}

/* SUBPROOF(m, D[n], b), section 2.1.2. */
static size_t
plain_proof(uint64_t m, const struct ht_hash *d, uint64_t n, bool whole,
    struct ht_hash *out)
{
	uint64_t k = half(n);
	size_t len;

	if (m == n) {
		out[0] = plain_root(d, n);
		return whole ? 0 : 1;
	}
	if (m <= k) {
		len = plain_proof(m, d, k, whole, out);
		out[len] = plain_root(d + k, n - k);
	} else {
		len = plain_proof(m - k, d + k, n - k, false, out);
		out[len] = plain_root(d, k);
	}
	return len + 1;
}

/* ---- a tree in memory, kept as ht_frontier_append() tells of it ---- */

struct kept {
	struct ht_hash leaves[SIZE_MAX_TRIED];
	struct ht_hash at[8][SIZE_MAX_TRIED];
	bool has[8][SIZE_MAX_TRIED];
	struct ht_frontier frontier;
};

static void
keep(void *arg, unsigned level, uint64_t index, const struct ht_hash *hash)
{
	struct kept *kept = arg;

	assert_true(level < 8 && index < SIZE_MAX_TRIED);
	assert_false(kept->has[level][index]);
	kept->has[level][index] = true;
	kept->at[level][index] = *hash;
}

static enum ht_err
load(void *arg, unsigned level, uint64_t index, struct ht_hash *ret)
{
	struct kept *kept = arg;

	if (level >= 8 || index >= SIZE_MAX_TRIED || !kept->has[level][index])
		return HT_ENOTFOUND;
	*ret = kept->at[level][index];
	return HT_OK;
}

static struct ht_hash
leaf_hash_of(uint64_t i)
{
	uint8_t bytes[8];

	ht_be64(bytes, i);
	return ht_leaf_hash(HT_SLICE(bytes, sizeof(bytes)));
}

static int
grow(void **state)
{
	struct kept *kept = calloc(1, sizeof(*kept));

	if (kept == NULL || ht_keys_init() != HT_OK)
		return -1;
	for (uint64_t i = 0; i < SIZE_MAX_TRIED; i++) {
		kept->leaves[i] = leaf_hash_of(i);
		ht_frontier_append(
		    &kept->frontier, &kept->leaves[i], keep, kept);
	}
	*state = kept;
	return 0;
}

static int
fell(void **state)
{
	free(*state);
	return 0;
}

/* ---- growing ---- */

static const struct {
	const char *leaf, *root;
} known_tree[] = {
    {"",                                 "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {"00",                               "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    {"10",                               "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    {"2021",
     "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"                                    },
    {"3031",
     "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"                                    },
    {"40414243",
     "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"                                    },
    {"5051525354555657",
     "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"                                    },
    {"606162636465666768696a6b6c6d6e6f",
     "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"                                    },
};

/* google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc */
static void
the_known_tree_grows(void **state)
{
	struct ht_frontier f = {.size = 0};
	struct ht_hash root = ht_frontier_root(&f);
	char hex[2 * HT_HASH_SIZE + 1];

	(void)state;
	ht_hex(hex, root.at, HT_HASH_SIZE);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb924"
	                         "27ae41e4649b934ca495991b7852b855");
	for (size_t i = 0; i < HT_COUNT(known_tree); i++) {
		uint8_t bytes[16];
		size_t len = strlen(known_tree[i].leaf) / 2;
		struct ht_hash leaf;

		assert_ok(ht_unhex(known_tree[i].leaf, bytes, len));
		leaf = ht_leaf_hash(HT_SLICE(bytes, len));
		ht_frontier_append(&f, &leaf, NULL, NULL);
		root = ht_frontier_root(&f);
		ht_hex(hex, root.at, HT_HASH_SIZE);
		assert_string_equal(hex, known_tree[i].root);
	}
}

static void
roots_agree_with_the_definition(void **state)
{
	const struct kept *kept = *state;

	for (uint64_t n = 0; n <= SIZE_MAX_TRIED; n++) {
		struct ht_hash got = ht_merkle_root(kept->leaves, n);
		struct ht_hash want = plain_root(kept->leaves, n);

		assert_true(ht_hash_eq(&got, &want));
	}
}

static void
every_perfect_subtree_is_told_once(void **state)
{
	const struct kept *kept = *state;

	for (unsigned level = 0; level < 8; level++)
		for (uint64_t i = 0; i < SIZE_MAX_TRIED; i++) {
			uint64_t end = (i + 1) << level;
			struct ht_hash want;

			assert_int_equal(
			    kept->has[level][i], end <= SIZE_MAX_TRIED);
			if (end > SIZE_MAX_TRIED)
				continue;
			want = plain_root(
			    kept->leaves + (i << level), UINT64_C(1) << level);
			assert_true(ht_hash_eq(&kept->at[level][i], &want));
		}
}

static void
covers_tile(void **state)
{
	struct ht_subtree cover[HT_COVER_MAX];

	(void)state;
	for (uint64_t a = 0; a <= SIZE_MAX_TRIED; a++)
		for (uint64_t b = a; b <= SIZE_MAX_TRIED; b++) {
			size_t n = ht_cover(a, b, cover);
			uint64_t at = a;

			for (size_t i = 0; i < n; i++) {
				assert_int_equal(
				    cover[i].index << cover[i].level, at);
				at += UINT64_C(1) << cover[i].level;
			}
			assert_int_equal(at, b);
		}
	/* The widest there is needs no more room than promised. */
	assert_int_equal(ht_cover(1, UINT64_MAX, cover), 126);
}

/* ---- proofs, and how they are bent ---- */

struct proof {
	struct ht_hash at[HT_PROOF_MAX + 1];
	size_t n;
};

/*
 * Bent copy number @how of a proof: a hash flipped, left out, doubled, or
 * swapped with its neighbour.  False when there are no more.
 */
static bool
bend(const struct proof *good, size_t how, struct proof *out)
{
	size_t i = how / 4;

	*out = *good;
	if (good->n == 0) { /* nothing to bend: add one */
		out->n = 1;
		out->at[0] = ht_sha256(HT_SLICE("", 0));
		return how == 0;
	}
	if (i >= good->n)
		return false;
	switch (how % 4) {
	case 0:
		out->at[i].at[how % HT_HASH_SIZE] ^= 0x10;
		break;
	case 1:
		memmove(&out->at[i], &out->at[i + 1],
		    (good->n - i - 1) * sizeof(out->at[0]));
		out->n--;
		break;
	case 2:
		memmove(&out->at[i + 1], &out->at[i],
		    (good->n - i) * sizeof(out->at[0]));
		out->n++;
		break;
	case 3:
		if (i + 1 == good->n)
			out->at[i].at[0] ^= 1;
		else {
			out->at[i] = good->at[i + 1];
			out->at[i + 1] = good->at[i];
		}
		break;
	}
	return true;
}

static void
bent_inclusion_is_refused(uint64_t i, uint64_t n, const struct ht_hash *leaf,
    const struct proof *good, const struct ht_hash *root)
{
	struct ht_hash other = *leaf;
	struct proof bad;

	for (size_t how = 0; bend(good, how, &bad); how++)
		if (ht_check_inclusion(i, n, leaf, bad.at, bad.n, root))
			fail_msg("leaf %ju of %ju: proof bent by %zu passed",
			    (uintmax_t)i, (uintmax_t)n, how);
	other.at[31] ^= 1;
	assert_false(ht_check_inclusion(i, n, &other, good->at, good->n, root));
	assert_false(ht_check_inclusion(i, n, leaf, good->at, good->n, &other));
	for (uint64_t k = 0; k < n; k++)
		if (k != i)
			assert_false(ht_check_inclusion(
			    k, n, leaf, good->at, good->n, root));
	assert_false(ht_check_inclusion(n, n, leaf, good->at, good->n, root));
}

static void
inclusion_holds_for_every_leaf(void **state)
{
	struct kept *kept = *state;

	for (uint64_t n = 1; n <= SIZE_MAX_TRIED; n++) {
		struct ht_hash root = plain_root(kept->leaves, n);

		for (uint64_t i = 0; i < n; i++) {
			struct proof got, want;

			assert_ok(ht_prove_inclusion(
			    load, kept, i, n, got.at, &got.n));
			want.n = plain_path(i, kept->leaves, n, want.at);
			assert_int_equal(got.n, want.n);
			assert_memory_equal(
			    got.at, want.at, got.n * sizeof(got.at[0]));
			assert_true(ht_check_inclusion(
			    i, n, &kept->leaves[i], got.at, got.n, &root));
			bent_inclusion_is_refused(
			    i, n, &kept->leaves[i], &got, &root);
		}
	}
}

static enum ht_err
load_nothing(void *arg, unsigned level, uint64_t index, struct ht_hash *ret)
{
	(void)arg;
	(void)level;
	(void)index;
	(void)ret;
	return HT_ENOTFOUND;
}

/* What a trail proves is what the definition says, whatever came before. */
static void
trails_prove(void **state)
{
	struct kept *kept = *state;
	uint32_t random = 1;

	for (uint64_t n = 1; n <= SIZE_MAX_TRIED; n++) {
		struct ht_trail trail = {.size = n};
		uint64_t i = 0;

		for (unsigned step = 0; step < 200; step++) {
			struct proof got, want;

			random = random * 1664525 + 1013904223;
			i = (random >> 8) % 3 ? (i + 1) % n : (random >> 8) % n;
			if (step % 50 == 49) /* a failure spoils nothing */
				(void)!ht_trail_prove(&trail, load_nothing,
				    NULL, i, got.at, &got.n);
			assert_ok(ht_trail_prove(
			    &trail, load, kept, i, got.at, &got.n));
			want.n = plain_path(i, kept->leaves, n, want.at);
			assert_int_equal(got.n, want.n);
			assert_memory_equal(
			    got.at, want.at, got.n * sizeof(got.at[0]));
		}
	}
}

/* Whatever came before: the trail is right where the plain check is. */
static void
step_on_trail(
    struct ht_trail *trail, struct kept *kept, uint64_t n, unsigned how)
{
	uint64_t i = trail->any && how % 3 > 0 ? (trail->i + 1) % n : how % n;
	struct ht_hash leaf = kept->leaves[i], root = trail->root;
	struct proof good, bent;
	bool want;

	assert_ok(ht_prove_inclusion(load, kept, i, n, good.at, &good.n));
	bent = good;
	if (how % 4 == 0 && !bend(&good, how / 4 % (4 * good.n + 1), &bent))
		leaf.at[how % HT_HASH_SIZE] ^= 1;
	if (how % 16 == 1)
		i += how / 16 % 3; /* perhaps beyond the end */
	want = ht_check_inclusion(i, n, &leaf, bent.at, bent.n, &root);
	if (ht_trail_check(trail, i, &leaf, bent.at, bent.n) != want)
		fail_msg("leaf %ju of %ju: a trail finds %s", (uintmax_t)i,
		    (uintmax_t)n,
		    want ? "a right path wrong" : "a wrong right");
}

static void
a_trail_is_as_strict(void **state)
{
	struct kept *kept = *state;
	uint32_t random = 1;

	for (uint64_t n = 1; n <= SIZE_MAX_TRIED; n++) {
		struct ht_hash root = plain_root(kept->leaves, n);
		struct ht_trail trail;

		ht_trail_begin(&trail, n, &root);
		for (unsigned i = 0; i < 500; i++) {
			random = random * 1664525 + 1013904223;
			step_on_trail(&trail, kept, n, random >> 8);
		}
	}
}

static void
bent_consistency_is_refused(uint64_t m, uint64_t n, const struct ht_hash *old,
    const struct proof *good, const struct ht_hash *root)
{
	struct ht_hash other = *old;
	struct proof bad;

	for (size_t how = 0; bend(good, how, &bad); how++)
		if (ht_check_consistency(m, n, old, root, bad.at, bad.n))
			fail_msg("%ju to %ju: proof bent by %zu passed",
			    (uintmax_t)m, (uintmax_t)n, how);
	other.at[0] ^= 1;
	assert_false(
	    ht_check_consistency(m, n, &other, root, good->at, good->n));
	assert_false(
	    ht_check_consistency(m, n, old, &other, good->at, good->n));
	assert_false(ht_check_consistency(0, n, old, root, good->at, good->n));
	assert_false(
	    ht_check_consistency(n + 1, n, old, root, good->at, good->n));
	if (m != n) {
		assert_false(
		    ht_check_consistency(m, n, root, old, good->at, good->n));
		assert_false(
		    ht_check_consistency(n, m, old, root, good->at, good->n));
	}
}

static void
consistency_holds_for_every_pair(void **state)
{
	struct kept *kept = *state;

	for (uint64_t n = 1; n <= SIZE_MAX_TRIED; n++) {
		struct ht_hash root = plain_root(kept->leaves, n);

		for (uint64_t m = 1; m <= n; m++) {
			struct ht_hash old = plain_root(kept->leaves, m);
			struct proof got, want;

			assert_ok(ht_prove_consistency(
			    load, kept, m, n, got.at, &got.n));
			want.n = plain_proof(m, kept->leaves, n, true, want.at);
			assert_int_equal(got.n, want.n);
			assert_memory_equal(
			    got.at, want.at, got.n * sizeof(got.at[0]));
			assert_true(ht_check_consistency(
			    m, n, &old, &root, got.at, got.n));
			bent_consistency_is_refused(m, n, &old, &got, &root);
		}
	}
}

static void
impossible_proofs_are_refused(void **state)
{
	struct proof got = {.n = 0};
	struct ht_hash hash = {{0}};

	assert_err(ht_prove_inclusion(load, *state, 5, 5, got.at, &got.n),
	    HT_EINVALID);
	assert_err(ht_prove_inclusion(load, *state, 0, 0, got.at, &got.n),
	    HT_EINVALID);
	assert_err(ht_prove_inclusion(
	               load, *state, 0, HT_TREE_MAX + 1, got.at, &got.n),
	    HT_EINVALID);
	assert_err(ht_prove_consistency(load, *state, 0, 5, got.at, &got.n),
	    HT_EINVALID);
	assert_err(ht_prove_consistency(load, *state, 6, 5, got.at, &got.n),
	    HT_EINVALID);
	/* What the store says comes through. */
	assert_err(ht_prove_inclusion(load, *state, 0, 1000, got.at, &got.n),
	    HT_ENOTFOUND);
	assert_err(ht_prove_consistency(load, *state, 7, 1000, got.at, &got.n),
	    HT_ENOTFOUND);
	/* Sizes nobody has, from a peer: an answer, and soon. */
	assert_false(ht_check_inclusion(UINT64_MAX - 1, UINT64_MAX, &hash,
	    got.at, HT_PROOF_MAX + 1, &hash));
	assert_false(ht_check_consistency(UINT64_MAX - 1, UINT64_MAX, &hash,
	    &hash, got.at, HT_PROOF_MAX + 1));
}

/* ---- some leaves here, the rest as covers ---- */

static uint64_t seed = 20261124;

static uint64_t
draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

struct sparse {
	uint64_t size;
	uint64_t at[SIZE_MAX_TRIED];
	struct ht_hash leaves[SIZE_MAX_TRIED + 1];
	size_t n;
	struct ht_hash left[SIZE_MAX_TRIED + 1];
	size_t n_left;
};

static void
sparse_draw(const struct kept *kept, struct sparse *s)
{
	uint64_t odds = 1 + draw(8);

	s->size = 1 + draw(SIZE_MAX_TRIED);
	s->n = 0;
	for (uint64_t i = 0; i < s->size; i++)
		if (draw(odds) == 0) {
			s->at[s->n] = i;
			s->leaves[s->n++] = kept->leaves[i];
		}
	assert_ok(ht_sparse_left(kept->leaves, s->size, s->at, s->n, s->left,
	    SIZE_MAX_TRIED, &s->n_left));
}

static bool
sparse_holds(const struct sparse *s, const struct ht_hash *want)
{
	struct ht_hash root;

	return ht_sparse_root(s->size, s->at, s->leaves, s->n, s->left,
	           s->n_left, &root) == HT_OK &&
	       ht_hash_eq(&root, want);
}

static void
swap(struct ht_hash *a, struct ht_hash *b)
{
	struct ht_hash t = *a;

	*a = *b;
	*b = t;
}

/*
 * A leaf or a cover left out, added, moved, swapped: no longer that root.
 * (The size is not bound by a root but by what is signed beside it.)
 */
static void
bent_sparse_is_refused(const struct sparse *good, const struct ht_hash *root)
{
	struct sparse bad;

	for (size_t i = 0; i < good->n; i++) {
		bad = *good;
		bad.n--;
		memmove(&bad.at[i], &bad.at[i + 1],
		    (bad.n - i) * sizeof(bad.at[0]));
		memmove(&bad.leaves[i], &bad.leaves[i + 1],
		    (bad.n - i) * sizeof(bad.leaves[0]));
		assert_false(sparse_holds(&bad, root));
		bad = *good;
		bad.at[i]++;
		assert_false(sparse_holds(&bad, root));
		if (i + 1 == good->n)
			continue;
		bad = *good;
		swap(&bad.leaves[i], &bad.leaves[i + 1]);
		assert_false(sparse_holds(&bad, root));
		bad = *good;
		bad.at[i + 1] = bad.at[i]; /* one place twice */
		assert_false(sparse_holds(&bad, root));
	}
	for (size_t i = 0; i < good->n_left; i++) {
		bad = *good;
		bad.n_left--;
		memmove(&bad.left[i], &bad.left[i + 1],
		    (bad.n_left - i) * sizeof(bad.left[0]));
		assert_false(sparse_holds(&bad, root));
		if (i + 1 == good->n_left)
			continue;
		bad = *good;
		swap(&bad.left[i], &bad.left[i + 1]);
		assert_false(sparse_holds(&bad, root));
	}
	bad = *good;
	bad.n_left++;
	bad.left[good->n_left] = *root;
	assert_false(sparse_holds(&bad, root));
}

static void
sparse_trees_have_the_whole_root(void **state)
{
	const struct kept *kept = *state;
	static struct sparse s;

	for (unsigned round = 0; round < 1000; round++) {
		struct ht_hash root;

		sparse_draw(kept, &s);
		root = plain_root(kept->leaves, s.size);
		if (!sparse_holds(&s, &root))
			fail_msg("round %u: another root", round);
		bent_sparse_is_refused(&s, &root);
	}
}

/* Each range of each tree: all of its entries, none missing, none added. */
static void
ranges_are_complete(void **state)
{
	const struct kept *kept = *state;
	uint64_t at[SIZE_MAX_TRIED];
	struct ht_hash left[HT_COVER_MAX], got, want;
	size_t n_left;

	for (uint64_t n = 1; n <= 69; n++)
		for (uint64_t a = 0; a < n; a++)
			for (uint64_t b = a + 1; b <= n; b++) {
				for (uint64_t i = a; i < b; i++)
					at[i - a] = i;
				assert_ok(ht_sparse_left(kept->leaves, n, at,
				    b - a, left, HT_COVER_MAX, &n_left));
				assert_ok(
				    ht_sparse_root(n, at, kept->leaves + a,
				        b - a, left, n_left, &got));
				want = plain_root(kept->leaves, n);
				assert_true(ht_hash_eq(&got, &want));
			}
}

static void
odd_sparse_trees_are_refused(void **state)
{
	const struct kept *kept = *state;
	const uint64_t at[] = {3}, far[] = {UINT64_MAX - 1};
	struct ht_hash root, left[HT_COVER_MAX];
	size_t n_left;

	assert_err(
	    ht_sparse_root(0, NULL, NULL, 0, NULL, 0, &root), HT_EMALFORMED);
	assert_err(
	    ht_sparse_root(8, NULL, NULL, 0, NULL, 0, &root), HT_EMALFORMED);
	assert_err(ht_sparse_root(UINT64_MAX, far, kept->leaves, 1,
	               kept->leaves, 63, &root),
	    HT_EMALFORMED);
	assert_err(ht_sparse_left(kept->leaves, 8, at, 1, left, 2, &n_left),
	    HT_ETOOBIG);
	assert_ok(ht_sparse_left(kept->leaves, 8, at, 1, left, 3, &n_left));
	assert_int_equal(n_left, 3);
}

/* ---- the public vectors ---- */

/*
 * Of transparency-dev/merkle's files, one uses "roots" of twelve bytes and
 * would have them accepted; a hash of another length than 32 is refused here
 * before anything is compared.
 */
static const char odd_one[] = "sizes are equal (one) and proof is empty";

static bool
hash_of(const json_t *json, struct ht_hash *ret)
{
	const char *text = json_string_value(json);
	size_t len;

	return text != NULL &&
	       ht_unb64(ht_slice_str(text), ret->at, HT_HASH_SIZE, &len) ==
	           HT_OK &&
	       len == HT_HASH_SIZE;
}

static bool
proof_of(const json_t *json, struct proof *ret)
{
	ret->n = json_array_size(json); /* 0 for null */
	assert_true(ret->n <= HT_PROOF_MAX);
	for (size_t i = 0; i < ret->n; i++)
		if (!hash_of(json_array_get(json, i), &ret->at[i]))
			return false;
	return true;
}

/* Numbers go up to 2^64 - 1, past jansson's integers; the rest are small. */
static uint64_t
number_of(const json_t *json, const char *key)
{
	double value = json_number_value(json_object_get(json, key));

	assert_true(json_is_real(json_object_get(json, key)));
	if (value == 0x1p64)
		return UINT64_MAX;
	assert_true(value >= 0 && value < 0x1p53);
	return (uint64_t)value;
}

static bool
accepted(const json_t *v)
{
	struct ht_hash a, b;
	struct proof proof;

	if (!proof_of(json_object_get(v, "proof"), &proof))
		return false;
	if (json_object_get(v, "leafIdx") != NULL)
		return hash_of(json_object_get(v, "leafHash"), &a) &&
		       hash_of(json_object_get(v, "root"), &b) &&
		       ht_check_inclusion(number_of(v, "leafIdx"),
		           number_of(v, "treeSize"), &a, proof.at, proof.n, &b);
	return hash_of(json_object_get(v, "root1"), &a) &&
	       hash_of(json_object_get(v, "root2"), &b) &&
	       ht_check_consistency(number_of(v, "size1"),
	           number_of(v, "size2"), &a, &b, proof.at, proof.n);
}

static void
one_vector(const char *path)
{
	json_t *v = json_load_file(path, JSON_DECODE_INT_AS_REAL, NULL);
	const char *desc = json_string_value(json_object_get(v, "desc"));
	bool want = json_is_false(json_object_get(v, "wantErr"));

	if (desc == NULL)
		fail_msg("%s: no test vector", path);
	if (strcmp(desc, odd_one) == 0)
		want = false;
	if (accepted(v) != want)
		fail_msg("%s: %s", path, desc);
	json_decref(v);
}

static unsigned
every_vector(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	unsigned n = 0;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		char path[HT_TEST_PATH_MAX + sizeof(entry->d_name) + 1];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (entry->d_type == DT_DIR)
			n += every_vector(path);
		else {
			one_vector(path);
			n++;
		}
	}
	closedir(d);
	return n;
}

static void
public_vectors_agree(void **state)
{
	char dir[HT_TEST_PATH_MAX];

	(void)state;
	if (ht_test_shared(dir, "merkle/testdata") == NULL)
		return;
	assert_int_equal(every_vector(dir), 196);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_known_tree_grows),
	    cmocka_unit_test(roots_agree_with_the_definition),
	    cmocka_unit_test(every_perfect_subtree_is_told_once),
	    cmocka_unit_test(covers_tile),
	    cmocka_unit_test(inclusion_holds_for_every_leaf),
	    cmocka_unit_test(a_trail_is_as_strict),
	    cmocka_unit_test(trails_prove),
	    cmocka_unit_test(consistency_holds_for_every_pair),
	    cmocka_unit_test(impossible_proofs_are_refused),
	    cmocka_unit_test(sparse_trees_have_the_whole_root),
	    cmocka_unit_test(ranges_are_complete),
	    cmocka_unit_test(odd_sparse_trees_are_refused),
	    cmocka_unit_test(public_vectors_agree),
	};

	return cmocka_run_group_tests(tests, grow, fell);
}
