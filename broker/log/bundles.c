#include "broker/log/bundles.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/panic.h"

/* ---- the bytes ---- */

/* [suite, sender, node, key, count, signature, indexes, left] */
void
ht_evidence_pack(const struct ht_bundle *b, struct ht_buf *out)
{
	ht_pack_array(out, 8);
	ht_pack_uint(out, b->suite);
	ht_pack_str(out, b->sender);
	ht_pack_str(out, b->node);
	ht_pack_bin(out, b->key.at, sizeof(b->key.at));
	ht_pack_uint(out, b->count);
	ht_pack_bin(out, b->sig.at, sizeof(b->sig.at));
	ht_pack_array(out, b->n_records);
	for (uint32_t i = 0; i < b->n_records; i++)
		ht_pack_uint(out, b->records[i].index);
	ht_pack_array(out, b->n_left);
	for (uint32_t i = 0; i < b->n_left; i++)
		ht_pack_bin(out, b->left[i].at, HT_HASH_SIZE);
}

static void
unpack_indexes(struct ht_unpack *u, struct ht_bundle *b)
{
	b->n_records = ht_unpack_array(u, HT_BUNDLE_MAX);
	for (uint32_t i = 0; i < b->n_records; i++) {
		uint32_t index = (uint32_t)ht_unpack_uint(u, HT_BUNDLE_MAX);

		if (index >= b->count ||
		    (i > 0 && index <= b->records[i - 1].index))
			ht_unpack_fail(u, HT_EMALFORMED);
		b->records[i] = (struct ht_bundle_record){.index = index};
	}
}

enum ht_err
ht_evidence_unpack(struct ht_slice bytes, struct ht_bundle *ret)
{
	enum ht_err err = ht_pack_check(bytes, NULL, NULL);
	struct ht_unpack u;

	if (err != HT_OK)
		return err;
	u = ht_unpack(bytes);
	ht_unpack_array_of(&u, 8);
	ret->suite = (unsigned)ht_unpack_uint(&u, UINT8_MAX);
	ret->sender = ht_unpack_str(&u, HT_NAME_MAX);
	ret->node = ht_unpack_str(&u, HT_NODE_MAX);
	ht_unpack_fixed(&u, ret->key.at, sizeof(ret->key.at));
	ret->count = (uint32_t)ht_unpack_uint(&u, HT_BUNDLE_MAX);
	ht_unpack_fixed(&u, ret->sig.at, sizeof(ret->sig.at));
	unpack_indexes(&u, ret);
	ret->n_left = ht_unpack_array(&u, HT_LEFT_MAX);
	for (uint32_t i = 0; i < ret->n_left; i++)
		ht_unpack_fixed(&u, ret->left[i].at, HT_HASH_SIZE);
	return ht_unpack_end(&u);
}

enum ht_err
ht_evidence_root(struct ht_bundle *b)
{
	uint64_t places[HT_BUNDLE_MAX];
	struct ht_hash hashes[HT_BUNDLE_MAX];

	for (uint32_t i = 0; i < b->n_records; i++) {
		places[i] = b->records[i].index;
		hashes[i] = b->records[i].hash;
	}
	return ht_sparse_root(b->count, places, hashes, b->n_records, b->left,
	    b->n_left, &b->root);
}

/* ---- from the log ---- */

struct gather {
	struct ht_bundle *bundle;
	uint64_t first;
	uint32_t n;
	uint64_t bad;
};

static enum ht_err
gather_one(void *arg, uint64_t seq, struct ht_slice leaf)
{
	struct gather *g = arg;
	struct ht_bundle_record *record = &g->bundle->records[g->n++];
	struct ht_entry e;

	g->bad = seq;
	if (ht_entry_decode(leaf, &e) != HT_OK || !ht_entry_has_header(&e) ||
	    e.bundle_seq != g->first || e.bundle_index != record->index ||
	    e.bundle_count != g->bundle->count)
		return HT_EINTEGRITY;
	record->hash = ht_header_hash(e.payload);
	return HT_OK;
}

enum ht_err
ht_evidence_load(struct ht_log *log, uint64_t first, struct ht_buf *bytes,
    struct ht_bundle *ret, uint64_t *ret_bad)
{
	struct gather g = {.bundle = ret, .first = first, .bad = first};
	enum ht_err err;

	ht_buf_reset(bytes);
	err = ht_log_read_bundle(log, first, bytes);
	if (err != HT_OK)
		return err;
	err = ht_evidence_unpack(ht_buf_slice(bytes), ret);
	if (err == HT_OK && first + ret->n_records > ht_log_size(log))
		err = HT_EMALFORMED;
	if (err == HT_OK)
		err = ht_log_walk(
		    log, first, first + ret->n_records, gather_one, &g);
	if (err == HT_OK)
		err = ht_evidence_root(ret);
	if (err == HT_EMALFORMED)
		err = HT_EINTEGRITY;
	if (err == HT_EINTEGRITY && ret_bad != NULL)
		*ret_bad = g.bad;
	return err;
}

/* ---- some of the records ---- */

struct node {
	unsigned level;
	uint64_t index;
	struct ht_hash hash;
};

struct nodes {
	size_t n;
	struct node at[HT_LEFT_MAX + HT_BUNDLE_MAX];
	uint64_t kept; /* a bit for each leaf that stays */
};
_Static_assert(HT_BUNDLE_MAX <= 64, "a bit for each leaf of a bundle");

static bool
is_kept(const struct nodes *s, const struct node *node)
{
	return node->level == 0 && (s->kept >> node->index & 1) != 0;
}

/* Put it at the end, joined with its left sibling as far as that goes. */
static void
push(struct nodes *s, struct node node)
{
	while (s->n > 0 && !is_kept(s, &node)) {
		const struct node *top = &s->at[s->n - 1];

		if (is_kept(s, top) || top->level != node.level ||
		    (node.index & 1) == 0 || top->index != node.index - 1)
			break;
		node.hash = ht_node_hash(&top->hash, &node.hash);
		node.level++;
		node.index >>= 1;
		s->n--;
	}
	HT_ASSERT(s->n < HT_COUNT(s->at));
	s->at[s->n++] = node;
}

/* The whole row of leaves and left-out subtrees, joined where nothing stays. */
static enum ht_err
push_all(struct nodes *s, const struct ht_bundle *from)
{
	struct ht_subtree cover[HT_COVER_MAX];
	uint64_t next = 0;
	size_t used = 0;

	for (uint32_t i = 0; i <= from->n_records; i++) {
		bool last = i == from->n_records;
		uint64_t place = last ? from->count : from->records[i].index;
		size_t n = ht_cover(next, place, cover);

		if (n > from->n_left - used)
			return HT_EMALFORMED;
		for (size_t c = 0; c < n; c++)
			push(s, (struct node){cover[c].level, cover[c].index,
			            from->left[used++]});
		if (!last)
			push(s, (struct node){0, place, from->records[i].hash});
		next = place + 1;
	}
	return HT_OK;
}

enum ht_err
ht_evidence_narrow(const struct ht_bundle *from, const uint32_t *indexes,
    size_t n, struct ht_bundle *ret)
{
	struct nodes s = {.n = 0};
	enum ht_err err;

	*ret = *from;
	ret->n_records = ret->n_left = 0;
	for (uint32_t i = 0; i < from->n_records && ret->n_records < n; i++)
		if (from->records[i].index == indexes[ret->n_records]) {
			s.kept |= UINT64_C(1) << from->records[i].index;
			ret->records[ret->n_records++] = from->records[i];
		}
	if (n == 0 || ret->n_records < n)
		return HT_ENOTFOUND;
	err = push_all(&s, from);
	for (size_t i = 0; i < s.n && err == HT_OK; i++) {
		if (is_kept(&s, &s.at[i]))
			continue;
		if (ret->n_left == HT_LEFT_MAX)
			return HT_EMALFORMED;
		ret->left[ret->n_left++] = s.at[i].hash;
	}
	return err;
}
