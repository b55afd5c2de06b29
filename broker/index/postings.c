#include "broker/index/postings.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/panic.h"

#define BLOCK   HT_POSTINGS_BLOCK
#define KEY_MAX (HT_POSTINGS_PREFIX + 8)
#define ROW_MAX (2 * BLOCK)
#define LAST    4

/* What one name has in the block at hand. */
struct posting {
	unsigned db;
	size_t prefix_len;
	uint8_t key[KEY_MAX]; /* prefix, and room for the block */
	size_t len;
	uint8_t row[ROW_MAX];
};

struct ht_postings {
	enum ht_err (*row)(
	    void *arg, unsigned db, struct ht_slice key, struct ht_slice value);
	void *arg;
	uint64_t block;
	struct ht_map *all; /* database u8, prefix -> struct posting */
	/* Few names make up the traffic: those that were asked for last. */
	struct posting *last[LAST];
	unsigned oldest;
};

struct ht_postings *
ht_postings_new(enum ht_err (*row)(void *arg, unsigned db, struct ht_slice key,
                    struct ht_slice value),
    void *arg)
{
	struct ht_postings *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->row = row;
	p->arg = arg;
	p->all = ht_map_new();
	if (p->all == NULL)
		ht_postings_free(&p);
	return p;
}

void
ht_postings_free(struct ht_postings **postings_p)
{
	struct ht_postings *p = HT_TAKE(*postings_p);

	if (p == NULL)
		return;
	ht_map_free(&p->all, free);
	free(p);
}

/* ---- writing ---- */

static struct posting *
posting_at_hand(
    const struct ht_postings *p, unsigned db, struct ht_slice prefix)
{
	for (unsigned i = 0; i < LAST; i++) {
		struct posting *one = p->last[i];

		if (one != NULL && one->db == db &&
		    ht_slice_eq(HT_SLICE(one->key, one->prefix_len), prefix))
			return one;
	}
	return NULL;
}

static struct posting *
posting_looked_up(struct ht_postings *p, unsigned db, struct ht_slice prefix)
{
	uint8_t key[1 + HT_POSTINGS_PREFIX];
	struct ht_slice name = HT_SLICE(key, 1 + prefix.len);
	struct posting *one;

	HT_ASSERT(db <= UINT8_MAX && prefix.len <= HT_POSTINGS_PREFIX);
	key[0] = (uint8_t)db;
	memcpy(&key[1], prefix.at, prefix.len);
	one = ht_map_get(p->all, name);
	if (one != NULL)
		return one;
	one = calloc(1, sizeof(*one));
	if (one == NULL || ht_map_put(p->all, name, one, NULL) != HT_OK) {
		free(one);
		return NULL;
	}
	one->db = db;
	one->prefix_len = prefix.len;
	memcpy(one->key, prefix.at, prefix.len);
	return one;
}

static struct posting *
posting_of(struct ht_postings *p, unsigned db, struct ht_slice prefix)
{
	struct posting *one = posting_at_hand(p, db, prefix);

	if (one != NULL)
		return one;
	one = posting_looked_up(p, db, prefix);
	p->last[p->oldest++ % LAST] = one;
	return one;
}

enum ht_err
ht_postings_store(
    void *arg, unsigned db, struct ht_slice key, struct ht_slice value)
{
	struct ht_txn *txn = arg;
	struct ht_slice before;
	uint8_t row[ROW_MAX];
	enum ht_err err = ht_txn_get(txn, db, key, &before);

	if (err == HT_ENOTFOUND)
		return ht_txn_put(txn, db, key, value);
	if (err != HT_OK)
		return err;
	if (before.len > ROW_MAX - value.len)
		return HT_EINTEGRITY;
	memcpy(row, before.at, before.len);
	memcpy(&row[before.len], value.at, value.len);
	return ht_txn_put(txn, db, key, HT_SLICE(row, before.len + value.len));
}

static enum ht_err
give_away(struct ht_postings *p, struct posting *one)
{
	struct ht_slice row = HT_SLICE(one->row, one->len);

	ht_be64(&one->key[one->prefix_len], p->block);
	one->len = 0;
	return p->row(
	    p->arg, one->db, HT_SLICE(one->key, one->prefix_len + 8), row);
}

enum ht_err
ht_postings_flush(struct ht_postings *postings)
{
	enum ht_err err = HT_OK;
	struct ht_slice name;
	size_t at = 0;
	void *value;

	while (err == HT_OK && ht_map_next(postings->all, &at, &name, &value)) {
		struct posting *one = value;

		if (one->len > 0)
			err = give_away(postings, one);
	}
	return err;
}

enum ht_err
ht_postings_add(struct ht_postings *postings, unsigned db,
    struct ht_slice prefix, uint64_t seq)
{
	struct posting *one;
	enum ht_err err = HT_OK;

	HT_ASSERT(seq / BLOCK >= postings->block);
	if (seq / BLOCK != postings->block)
		err = ht_postings_flush(postings);
	if (err != HT_OK)
		return err;
	postings->block = seq / BLOCK;
	one = posting_of(postings, db, prefix);
	if (one == NULL)
		return HT_ENOMEM;
	HT_ASSERT(one->len < ROW_MAX);
	ht_be16(&one->row[one->len], (uint16_t)(seq % BLOCK));
	one->len += 2;
	return HT_OK;
}

/* ---- reading ---- */

struct found {
	uint64_t from, to;
	uint64_t *out;
	size_t n, max;
};

static enum ht_err
take_row(struct found *f, uint64_t block, struct ht_slice row)
{
	if (row.len == 0 || row.len % 2 != 0 || row.len > ROW_MAX)
		return HT_EINTEGRITY;
	for (size_t i = 0; i < row.len && f->n < f->max; i += 2) {
		unsigned offset = ht_load16(&row.at[i]);
		uint64_t seq = block * BLOCK + offset;

		if (offset >= BLOCK)
			return HT_EINTEGRITY;
		if (seq >= f->from && seq < f->to)
			f->out[f->n++] = seq;
	}
	return HT_OK;
}

enum ht_err
ht_postings_find(struct ht_txn *txn, unsigned db, struct ht_slice prefix,
    uint64_t from, uint64_t to, uint64_t *out, size_t max, size_t *ret_n)
{
	HT_AUTO(ht_seek_close) struct ht_seek *seek = NULL;
	struct found f = {.from = from, .to = to, .out = out, .max = max};
	struct ht_slice key, row;
	uint8_t first[KEY_MAX];
	enum ht_err err = ht_seek_open(txn, db, &seek);

	HT_ASSERT(prefix.len <= HT_POSTINGS_PREFIX);
	memcpy(first, prefix.at, prefix.len);
	ht_be64(&first[prefix.len], from / BLOCK);
	if (err == HT_OK)
		err = ht_seek_ge(
		    seek, HT_SLICE(first, prefix.len + 8), &key, &row);
	while (err == HT_OK && f.n < max && key.len == prefix.len + 8 &&
	       memcmp(key.at, prefix.at, prefix.len) == 0) {
		uint64_t block = ht_load64(&key.at[prefix.len]);

		if (block > to / BLOCK)
			break;
		err = take_row(&f, block, row);
		if (err == HT_OK)
			err = ht_seek_next(seek, &key, &row);
	}
	*ret_n = f.n;
	return err == HT_ENOTFOUND ? HT_OK : err;
}
