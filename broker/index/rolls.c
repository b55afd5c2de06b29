/*
 * rolls.c -- rows are gathered while a small range passes by, and stored,
 * sorted, when it is over; the small rolls of a large range make the large one.
 */
#include "broker/index/rolls.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/panic.h"

#define ROW_SIZE   (HT_PSEUDONYM_SIZE + HT_ROLL_SALT + 8)
#define CHUNK_ROWS 1024 /* rows of one value */
#define ID_SIZE    (8 + 4)
#define KEY_SIZE   (ID_SIZE + 4)
#define ROOT_SIZE  (8 + HT_HASH_SIZE)

/* Rows in memory. */
struct rows {
	struct ht_roll_row *at;
	size_t n, cap;
};

struct ht_rolls {
	uint32_t small, large;
	struct ht_roll_dbs dbs;
	uint64_t next; /* the entry that is expected; its range is at hand */
	bool lacks;
	struct rows rows; /* of the range at hand */
	struct ht_buf scratch;
};

/* ---- the entry ---- */

void
ht_roll_said_encode(const struct ht_roll_said *said, struct ht_buf *out)
{
	ht_pack_map(out, 4);
	ht_pack_cstr(out, "count");
	ht_pack_uint(out, said->count);
	ht_pack_cstr(out, "from");
	ht_pack_uint(out, said->from);
	ht_pack_cstr(out, "root");
	ht_pack_bin(out, said->root.at, HT_HASH_SIZE);
	ht_pack_cstr(out, "to");
	ht_pack_uint(out, said->to);
}

enum ht_err
ht_roll_said_decode(struct ht_slice payload, struct ht_roll_said *ret)
{
	struct ht_roll_said said;
	struct ht_unpack u;

	if (ht_pack_check(payload, NULL, NULL) != HT_OK)
		return HT_EMALFORMED;
	u = ht_unpack(payload);
	ht_unpack_demand(&u, ht_unpack_map(&u, 4) == 4);
	ht_unpack_key(&u, "count");
	said.count =
	    ht_unpack_uint(&u, (uint64_t)HT_ROLL_LARGE * HT_SUBJECTS_MAX);
	ht_unpack_key(&u, "from");
	said.from = ht_unpack_uint(&u, HT_TREE_MAX);
	ht_unpack_key(&u, "root");
	ht_unpack_fixed(&u, said.root.at, HT_HASH_SIZE);
	ht_unpack_key(&u, "to");
	said.to = ht_unpack_uint(&u, HT_TREE_MAX);
	ht_unpack_demand(
	    &u, said.from < said.to && said.to - said.from <= HT_ROLL_LARGE);
	if (ht_unpack_end(&u) != HT_OK)
		return HT_EMALFORMED;
	*ret = said;
	return HT_OK;
}

/* ---- rows ---- */

static enum ht_err
reserve(struct rows *rows, size_t more)
{
	size_t cap = rows->cap == 0 ? 64 : rows->cap;
	struct ht_roll_row *at;

	while (cap < rows->n + more)
		cap *= 2;
	if (cap == rows->cap)
		return HT_OK;
	at = realloc(rows->at, cap * sizeof(*at));
	if (at == NULL)
		return HT_ENOMEM;
	rows->at = at;
	rows->cap = cap;
	return HT_OK;
}

static void
rows_fini(struct rows *rows)
{
	free(rows->at);
}

static void
put_row(const struct ht_roll_row *row, uint8_t out[static ROW_SIZE])
{
	memcpy(out, row->subject.at, HT_PSEUDONYM_SIZE);
	memcpy(out + HT_PSEUDONYM_SIZE, row->salt, HT_ROLL_SALT);
	ht_be64(out + HT_PSEUDONYM_SIZE + HT_ROLL_SALT, row->seq);
}

static void
take_row(const uint8_t *in, struct ht_roll_row *ret)
{
	memcpy(ret->subject.at, in, HT_PSEUDONYM_SIZE);
	memcpy(ret->salt, in + HT_PSEUDONYM_SIZE, HT_ROLL_SALT);
	ret->seq = ht_load64(in + HT_PSEUDONYM_SIZE + HT_ROLL_SALT);
}

static void
make_key(uint64_t from, uint32_t entries, uint32_t chunk, uint8_t out[KEY_SIZE])
{
	ht_be64(out, from);
	ht_be32(out + 8, entries);
	ht_be32(out + ID_SIZE, chunk);
}

/* ---- storing ---- */

static enum ht_err
store_rows(struct ht_rolls *r, struct ht_txn *txn, uint64_t from,
    uint32_t entries, const struct rows *rows)
{
	uint8_t id[KEY_SIZE];

	for (size_t at = 0; at < rows->n; at += CHUNK_ROWS) {
		size_t n =
		    rows->n - at < CHUNK_ROWS ? rows->n - at : CHUNK_ROWS;
		uint8_t *room;
		enum ht_err err;

		ht_buf_reset(&r->scratch);
		room = ht_buf_room(&r->scratch, n * ROW_SIZE);
		if (room == NULL)
			return r->scratch.err;
		for (size_t i = 0; i < n; i++)
			put_row(&rows->at[at + i], room + i * ROW_SIZE);
		make_key(from, entries, (uint32_t)(at / CHUNK_ROWS), id);
		err = ht_txn_put(txn, r->dbs.rows, HT_SLICE(id, KEY_SIZE),
		    ht_buf_slice(&r->scratch));
		if (err != HT_OK)
			return err;
	}
	return HT_OK;
}

/* Sorted, stored, and its root beside it. */
static enum ht_err
store(struct ht_rolls *r, struct ht_txn *txn, uint64_t from, uint32_t entries,
    struct rows *rows)
{
	uint8_t id[KEY_SIZE], value[ROOT_SIZE];
	struct ht_hash root;
	enum ht_err err = ht_roll_sort(rows->at, rows->n);

	HT_ASSERT(err == HT_OK); /* a tag lists a subject once */
	err = ht_roll_root(rows->at, rows->n, &root);
	if (err == HT_OK)
		err = store_rows(r, txn, from, entries, rows);
	if (err != HT_OK)
		return err;
	make_key(from, entries, 0, id);
	ht_be64(value, rows->n);
	memcpy(value + 8, root.at, HT_HASH_SIZE);
	return ht_txn_put(txn, r->dbs.roots, HT_SLICE(id, ID_SIZE),
	    HT_SLICE(value, sizeof(value)));
}

/* Append a small roll's rows; *ret: there is one. */
static enum ht_err
add_small(struct ht_rolls *r, struct ht_txn *txn, uint64_t from,
    struct rows *rows, bool *ret)
{
	HT_AUTO(ht_mem_free) struct ht_roll_row *part = NULL;
	struct ht_roll_said roll;
	enum ht_err err = ht_rolls_root(txn, r->dbs, from, r->small, &roll);

	*ret = err == HT_OK;
	if (err == HT_ENOTFOUND)
		return HT_OK;
	if (err == HT_OK)
		err = ht_rolls_rows(txn, r->dbs, &roll, &part);
	if (err == HT_OK)
		err = reserve(rows, roll.count);
	if (err != HT_OK)
		return err;
	if (roll.count > 0)
		memcpy(rows->at + rows->n, part, roll.count * sizeof(*part));
	rows->n += roll.count;
	return HT_OK;
}

static enum ht_err
store_large(struct ht_rolls *r, struct ht_txn *txn, uint64_t from)
{
	HT_AUTO(rows_fini) struct rows rows = {0};
	bool there = true;
	enum ht_err err = HT_OK;

	for (uint64_t at = from; at < from + r->large && there && err == HT_OK;
	     at += r->small)
		err = add_small(r, txn, at, &rows, &there);
	if (err != HT_OK || !there)
		return err;
	return store(r, txn, from, r->large, &rows);
}

/* ---- filling ---- */

enum ht_err
ht_rolls_new(uint32_t small, uint32_t large, struct ht_roll_dbs dbs,
    struct ht_rolls **ret)
{
	struct ht_rolls *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return HT_ENOMEM;
	HT_ASSERT(small > 0 && large > small && large % small == 0);
	*r = (struct ht_rolls){.small = small, .large = large, .dbs = dbs};
	r->scratch = HT_BUF(CHUNK_ROWS * ROW_SIZE);
	ht_rolls_forget(r);
	*ret = r;
	return HT_OK;
}

void
ht_rolls_free(struct ht_rolls **rolls_p)
{
	struct ht_rolls *r = HT_TAKE(*rolls_p);

	if (r == NULL)
		return;
	rows_fini(&r->rows);
	ht_buf_fini(&r->scratch);
	free(r);
}

void
ht_rolls_forget(struct ht_rolls *r)
{
	r->next = UINT64_MAX;
	r->rows.n = 0;
	r->lacks = false;
}

uint64_t
ht_rolls_begin(struct ht_rolls *r, uint64_t first, uint64_t seq)
{
	if (r->next == seq)
		return seq;
	ht_rolls_forget(r);
	r->next = seq - seq % r->small;
	if (r->next < first)
		r->next = first;
	return r->next;
}

enum ht_err
ht_rolls_tag(struct ht_rolls *r, uint64_t seq, const struct ht_tag *tag)
{
	enum ht_err err = reserve(&r->rows, tag->n_subjects);

	HT_ASSERT(seq == r->next);
	for (unsigned i = 0; i < tag->n_subjects && err == HT_OK; i++) {
		struct ht_roll_row *row = &r->rows.at[r->rows.n++];

		row->subject = tag->subjects[i];
		memcpy(row->salt, tag->salt, HT_ROLL_SALT);
		row->seq = seq;
	}
	return err;
}

void
ht_rolls_lack(struct ht_rolls *r)
{
	r->lacks = true;
}

enum ht_err
ht_rolls_step(struct ht_rolls *r, struct ht_txn *txn, uint64_t seq)
{
	uint64_t end = seq + 1;
	enum ht_err err = HT_OK;

	HT_ASSERT(seq == r->next);
	r->next = end;
	if (end % r->small != 0)
		return HT_OK;
	if (!r->lacks)
		err = store(r, txn, end - r->small, r->small, &r->rows);
	r->rows.n = 0;
	r->lacks = false;
	if (err == HT_OK && end % r->large == 0)
		err = store_large(r, txn, end - r->large);
	return err;
}

/* ---- reading ---- */

enum ht_err
ht_rolls_root(struct ht_txn *txn, struct ht_roll_dbs dbs, uint64_t from,
    uint32_t entries, struct ht_roll_said *ret)
{
	struct ht_slice value;
	uint8_t id[KEY_SIZE];
	enum ht_err err;

	make_key(from, entries, 0, id);
	err = ht_txn_get(txn, dbs.roots, HT_SLICE(id, ID_SIZE), &value);
	if (err != HT_OK)
		return err;
	if (value.len != ROOT_SIZE)
		return HT_EINTEGRITY;
	*ret = (struct ht_roll_said){
	    .from = from, .to = from + entries, .count = ht_load64(value.at)};
	memcpy(ret->root.at, value.at + 8, HT_HASH_SIZE);
	return ret->count <= (uint64_t)entries * HT_SUBJECTS_MAX
	           ? HT_OK
	           : HT_EINTEGRITY;
}

enum ht_err
ht_rolls_rows(struct ht_txn *txn, struct ht_roll_dbs dbs,
    const struct ht_roll_said *roll, struct ht_roll_row **ret)
{
	HT_AUTO(ht_mem_free)
	struct ht_roll_row *rows = calloc(roll->count + 1, sizeof(*rows));
	uint8_t id[KEY_SIZE];
	size_t n = 0;

	if (rows == NULL)
		return HT_ENOMEM;
	while (n < roll->count) {
		struct ht_slice value;
		enum ht_err err;

		make_key(roll->from, (uint32_t)(roll->to - roll->from),
		    (uint32_t)(n / CHUNK_ROWS), id);
		err = ht_txn_get(txn, dbs.rows, HT_SLICE(id, KEY_SIZE), &value);
		if (err != HT_OK)
			return err == HT_ENOTFOUND ? HT_EINTEGRITY : err;
		if (value.len == 0 || value.len % ROW_SIZE != 0 ||
		    value.len / ROW_SIZE > roll->count - n)
			return HT_EINTEGRITY;
		for (size_t at = 0; at < value.len; at += ROW_SIZE)
			take_row(value.at + at, &rows[n++]);
	}
	*ret = HT_TAKE(rows);
	return HT_OK;
}
