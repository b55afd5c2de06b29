/*
 * index_rolls.c -- when a range of entries is over, the log gets an INDEX_ROOT
 * of its roll; and which rolls a list of looks is proven by.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/index/index_in.h"
#include "broker/log/evidence.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"

const struct ht_roll_dbs index_rolls = {.rows = ROLLS, .roots = ROLL_ROOTS};

/* roll_said: from u64, entries u32, seq of the INDEX_ROOT -> count, root */
#define ID_SIZE   (8 + 4)
#define KEY_SIZE  (ID_SIZE + 8)
#define SAID_SIZE (8 + HT_HASH_SIZE)

static void
make_key(uint64_t from, uint64_t to, uint64_t seq, uint8_t out[static KEY_SIZE])
{
	ht_be64(out, from);
	ht_be32(out + 8, (uint32_t)(to - from));
	ht_be64(out + ID_SIZE, seq);
}

enum ht_err
index_put_said(struct ht_txn *txn, const struct ht_entry *e)
{
	uint8_t key[KEY_SIZE], value[SAID_SIZE];
	struct ht_roll_said said;

	if (ht_roll_said_decode(e->payload, &said) != HT_OK)
		return HT_EINTEGRITY;
	make_key(said.from, said.to, e->seq, key);
	ht_be64(value, said.count);
	memcpy(value + 8, said.root.at, HT_HASH_SIZE);
	return ht_txn_put(txn, ROLL_SAID, HT_SLICE(key, sizeof(key)),
	    HT_SLICE(value, sizeof(value)));
}

/* ---- what the log says ---- */

struct newest {
	bool found;
	uint64_t seq;
	uint64_t count;
	struct ht_hash root;
};

static bool
says(const struct newest *n, const struct ht_roll_said *roll)
{
	return n->found && n->count == roll->count &&
	       ht_hash_eq(&n->root, &roll->root);
}

/* The newest INDEX_ROOT of a range below @size. */
static enum ht_err
find_newest(struct ht_txn *txn, const struct ht_roll_said *roll, uint64_t size,
    struct newest *ret)
{
	HT_AUTO(ht_seek_close) struct ht_seek *seek = NULL;
	struct ht_slice key, value;
	uint8_t first[KEY_SIZE];
	enum ht_err err = ht_seek_open(txn, ROLL_SAID, &seek);

	*ret = (struct newest){.found = false};
	make_key(roll->from, roll->to, 0, first);
	if (err == HT_OK)
		err = ht_seek_ge(seek, HT_SLICE(first, KEY_SIZE), &key, &value);
	while (err == HT_OK && key.len == KEY_SIZE &&
	       memcmp(key.at, first, ID_SIZE) == 0) {
		if (value.len != SAID_SIZE)
			return HT_EINTEGRITY;
		if (ht_load64(key.at + ID_SIZE) >= size)
			break;
		ret->found = true;
		ret->seq = ht_load64(key.at + ID_SIZE);
		ret->count = ht_load64(value.at);
		memcpy(ret->root.at, value.at + 8, HT_HASH_SIZE);
		err = ht_seek_next(seek, &key, &value);
	}
	return err == HT_ENOTFOUND ? HT_OK : err;
}

/* Is there an ERASE entry behind @seq? */
static enum ht_err
erased_since(struct ht_txn *txn, uint64_t seq, bool *ret)
{
	HT_AUTO(ht_seek_close) struct ht_seek *seek = NULL;
	uint8_t first[1 + 8] = {HT_ENTRY_ERASE};
	struct ht_slice key, value;
	enum ht_err err = ht_seek_open(txn, BY_TYPE, &seek);

	ht_be64(first + 1, seq);
	if (err == HT_OK)
		err = ht_seek_ge(
		    seek, HT_SLICE(first, sizeof(first)), &key, &value);
	*ret = err == HT_OK && key.at[0] == HT_ENTRY_ERASE;
	return err == HT_ENOTFOUND ? HT_OK : err;
}

/* ---- what it lacks ---- */

struct lacking {
	struct ht_txn *txn;
	size_t n;
	struct ht_buf payloads[HT_ROLLS_ONCE];
};

static void
lacking_free(struct lacking **l_p)
{
	struct lacking *l = HT_TAKE(*l_p);

	if (l == NULL)
		return;
	ht_txn_abort(&l->txn);
	for (size_t i = 0; i < l->n; i++)
		ht_buf_fini(&l->payloads[i]);
	free(l);
}

static enum ht_err
add_payload(struct lacking *l, const struct ht_roll_said *roll)
{
	struct ht_buf *out = &l->payloads[l->n++];

	HT_ASSERT(l->n <= HT_ROLLS_ONCE);
	*out = HT_BUF(HT_LEAF_MAX);
	ht_roll_said_encode(roll, out);
	return out->err;
}

/*
 * A roll that differs from what the log says, and nothing was erased: the
 * vault is not what it was.  That is for `verify` to tell; no new root hides
 * it.
 */
static enum ht_err
judge_change(struct lacking *l, const struct ht_roll_said *roll,
    const struct newest *said)
{
	bool erased;
	enum ht_err err = erased_since(l->txn, said->seq, &erased);

	if (err != HT_OK)
		return err;
	if (erased)
		return add_payload(l, roll);
	ht_log(HT_ERROR,
	    "audit: the tags of entries %llu to %llu are not those that entry "
	    "%llu commits to; run hutong-audit verify",
	    (unsigned long long)roll->from, (unsigned long long)roll->to - 1,
	    (unsigned long long)said->seq);
	return HT_OK;
}

static enum ht_err
look_at(struct lacking *l, uint64_t from, uint32_t entries)
{
	struct ht_roll_said roll;
	struct newest said;
	enum ht_err err =
	    ht_rolls_root(l->txn, index_rolls, from, entries, &roll);

	if (err == HT_ENOTFOUND)
		return HT_OK; /* a tag of it is not there */
	if (err == HT_OK)
		err = find_newest(l->txn, &roll, UINT64_MAX, &said);
	if (err != HT_OK || says(&said, &roll))
		return err;
	return said.found ? judge_change(l, &roll, &said)
	                  : add_payload(l, &roll);
}

/* As many ranges as may lack one; *ret_rooted: they end there. */
static enum ht_err
look_for(struct ht_index *index, struct lacking *l, uint64_t *ret_rooted)
{
	uint64_t upto = ht_index_upto(index), at = index->rooted;
	enum ht_err err = ht_txn_begin(index->store, false, &l->txn);

	while (err == HT_OK && at + HT_ROLL_SMALL <= upto &&
	       l->n + 2 <= HT_ROLLS_ONCE) {
		err = look_at(l, at, HT_ROLL_SMALL);
		at += HT_ROLL_SMALL;
		if (err == HT_OK && at % HT_ROLL_LARGE == 0)
			err = look_at(l, at - HT_ROLL_LARGE, HT_ROLL_LARGE);
	}
	ht_txn_abort(&l->txn);
	*ret_rooted = at;
	return err;
}

static enum ht_err
append_roots(struct ht_index *index,
    enum ht_err (*append)(void *arg, const struct ht_slice *payloads, size_t n),
    void *arg)
{
	HT_AUTO(lacking_free) struct lacking *l = calloc(1, sizeof(*l));
	struct ht_slice payloads[HT_ROLLS_ONCE];
	uint64_t rooted;
	enum ht_err err = l == NULL ? HT_ENOMEM : look_for(index, l, &rooted);

	if (err != HT_OK)
		return err;
	for (size_t i = 0; i < l->n; i++)
		payloads[i] = ht_buf_slice(&l->payloads[i]);
	if (l->n > 0)
		err = append(arg, payloads, l->n);
	if (err == HT_OK)
		index->rooted = rooted;
	return err;
}

/* Some range is over, and every INDEX_ROOT of others is known. */
static bool
is_due(const struct ht_index *index)
{
	uint64_t upto = ht_index_upto(index);

	return !index->halted && index->store != NULL && upto >= index->known &&
	       index->rooted + HT_ROLL_SMALL <= upto;
}

enum ht_err
ht_index_roots(struct ht_index *index,
    enum ht_err (*append)(void *arg, const struct ht_slice *payloads, size_t n),
    void *arg)
{
	enum ht_err err = HT_OK;

	HT_ASSERT(index->log->key != NULL);
	HT_ASSERT(pthread_rwlock_rdlock(&index->using) == 0);
	while (err == HT_OK && is_due(index))
		err = append_roots(index, append, arg);
	HT_ASSERT(pthread_rwlock_unlock(&index->using) == 0);
	return err;
}

/* ---- which rolls prove a list ---- */

void
ht_roll_plan_fini(struct ht_roll_plan *plan)
{
	free(plan->parts);
	*plan = (struct ht_roll_plan){0};
}

static enum ht_err
add_part(struct ht_roll_plan *plan, const struct ht_roll_said *roll,
    uint64_t said_by)
{
	size_t n = plan->n;

	/* A power of two: it is full. */
	if ((n & (n - 1)) == 0) {
		size_t cap = n == 0 ? 1 : 2 * n;
		struct ht_roll_part *parts =
		    realloc(plan->parts, cap * sizeof(*parts));

		if (parts == NULL)
			return HT_ENOMEM;
		plan->parts = parts;
	}
	plan->parts[plan->n++] =
	    (struct ht_roll_part){.roll = *roll, .said_by = said_by};
	return HT_OK;
}

/* A roll whose rows are here, and whose root that tree has. */
static enum ht_err
try_part(struct ht_txn *txn, uint64_t from, uint32_t entries, uint64_t size,
    struct ht_roll_plan *plan, bool *ret)
{
	struct ht_roll_said roll;
	struct newest said;
	enum ht_err err = ht_rolls_root(txn, index_rolls, from, entries, &roll);

	*ret = false;
	if (err == HT_ENOTFOUND)
		return HT_OK;
	if (err == HT_OK)
		err = find_newest(txn, &roll, size, &said);
	if (err != HT_OK || !says(&said, &roll))
		return err;
	*ret = true;
	return add_part(plan, &roll, said.seq);
}

static uint64_t
count_whole(uint64_t begin, uint64_t from, uint64_t to, uint64_t all)
{
	uint64_t lo = from > begin ? from : begin, hi = to < all ? to : all;

	return hi > lo ? hi - lo : 0;
}

/* @begin: entries below were removed, and are nobody's to look at. */
static enum ht_err
make_plan(struct ht_txn *txn, uint64_t begin, uint64_t all, uint64_t size,
    struct ht_roll_plan *plan)
{
	enum ht_err err = HT_OK;
	uint64_t at = begin - begin % HT_ROLL_LARGE;

	while (err == HT_OK && at < all) {
		uint64_t end = at + HT_ROLL_LARGE;
		bool found = false;

		if (at % HT_ROLL_LARGE == 0 && end <= all)
			err = try_part(
			    txn, at, HT_ROLL_LARGE, size, plan, &found);
		if (err == HT_OK && !found) {
			end = at + HT_ROLL_SMALL;
			if (end <= all)
				err = try_part(
				    txn, at, HT_ROLL_SMALL, size, plan, &found);
		}
		if (!found)
			plan->whole += count_whole(begin, at, end, all);
		at = end;
	}
	return err;
}

enum ht_err
ht_index_plan(struct ht_index *index, uint64_t end, uint64_t size,
    struct ht_roll_plan *ret)
{
	uint64_t begin = ht_log_begin(index->log);
	struct ht_roll_plan plan = {.whole = end > begin ? end - begin : 0};
	struct ht_txn *txn = NULL;
	enum ht_err err = HT_OK;

	HT_ASSERT(pthread_rwlock_rdlock(&index->using) == 0);
	if (index->store != NULL) {
		plan.whole = 0;
		err = ht_txn_begin(index->store, false, &txn);
		if (err == HT_OK)
			err = make_plan(txn, begin, end, size, &plan);
		ht_txn_abort(&txn);
	}
	HT_ASSERT(pthread_rwlock_unlock(&index->using) == 0);
	if (err == HT_OK)
		*ret = plan;
	else
		ht_roll_plan_fini(&plan);
	return err;
}

static enum ht_err
load_roll(struct ht_txn *txn, const struct ht_roll_said *roll,
    struct ht_roll_row **ret)
{
	struct ht_roll_said now;
	enum ht_err err = ht_rolls_root(txn, index_rolls, roll->from,
	    (uint32_t)(roll->to - roll->from), &now);

	if (err == HT_OK && !ht_hash_eq(&now.root, &roll->root))
		err = HT_ENOTFOUND;
	if (err == HT_OK)
		err = ht_rolls_rows(txn, index_rolls, &now, ret);
	return err == HT_ENOTFOUND ? HT_EAGAIN : err;
}

enum ht_err
ht_index_roll(struct ht_index *index, const struct ht_roll_said *roll,
    struct ht_roll_row **ret)
{
	struct ht_txn *txn = NULL;
	enum ht_err err = HT_EAGAIN;

	HT_ASSERT(pthread_rwlock_rdlock(&index->using) == 0);
	if (index->store != NULL)
		err = ht_txn_begin(index->store, false, &txn);
	if (err == HT_OK)
		err = load_roll(txn, roll, ret);
	ht_txn_abort(&txn);
	HT_ASSERT(pthread_rwlock_unlock(&index->using) == 0);
	return err;
}
