/*
 * index_rows.c -- under which rows of the index an entry stands, and whether
 * an index has just these (docs/log-format.md, "index/").
 */
#include <string.h>
#include <unistd.h>

#include "broker/index/index_in.h"
#include "broker/index/postings.h"
#include "broker/log/evidence.h"
#include "lib/base/fs.h"
#include "lib/base/panic.h"

const struct ht_store_db index_dbs[INDEX_DBS] = {
    [META] = {"meta",        HT_STORE_BYTES},
    [BY_EXCHANGE] = {"by_exchange", HT_STORE_BYTES},
    [BY_MEMBER] = {"by_member",   HT_STORE_BYTES},
    [BY_ITEM] = {"by_item",     HT_STORE_BYTES},
    [BY_STATUS] = {"by_status",   HT_STORE_BYTES},
    [BY_TYPE] = {"by_type",     HT_STORE_BYTES},
    [BY_SUBJECT] = {"by_subject",  HT_STORE_BYTES},
    [ROLLS] = {"rolls",       HT_STORE_BYTES},
    [ROLL_ROOTS] = {"roll_roots",  HT_STORE_BYTES},
    [ROLL_SAID] = {"roll_said",   HT_STORE_BYTES},
};

/* ---- keys ---- */

struct index_row
index_row_bytes(const void *bytes, size_t len)
{
	struct index_row row = {.len = len};

	HT_ASSERT(len <= INDEX_ROW_MAX - 8);
	memcpy(row.at, bytes, len);
	return row;
}

struct index_row
index_row_name(struct ht_slice name)
{
	struct index_row row = index_row_bytes(name.at, name.len);

	row.at[row.len++] = 0;
	return row;
}

struct index_row
index_row_status(unsigned status)
{
	uint8_t be[2];

	ht_be16(be, (uint16_t)status);
	return index_row_bytes(be, sizeof(be));
}

struct index_row
index_row_type(unsigned type)
{
	uint8_t byte = (uint8_t)type;

	return index_row_bytes(&byte, 1);
}

bool
index_posted(unsigned db)
{
	return db == BY_MEMBER || db == BY_ITEM;
}

bool
index_type_has_rows(unsigned type)
{
	return type != HT_ENTRY_REQUEST && type != HT_ENTRY_RESPONSE;
}

/* ---- an entry's rows ---- */

struct rows {
	const struct ht_entry *e;
	const struct ht_about *about;
	enum ht_err (*row)(
	    void *arg, unsigned db, struct ht_slice prefix, uint64_t seq);
	void *arg;
};

static enum ht_err
give(const struct rows *r, unsigned db, struct index_row key)
{
	return r->row(r->arg, db, HT_SLICE(key.at, key.len), r->e->seq);
}

static enum ht_err
members(const struct rows *r)
{
	struct ht_slice names[] = {
	    r->about->sender, r->about->recipient, r->e->member};
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < HT_COUNT(names) && err == HT_OK; i++) {
		bool again = false;

		for (size_t j = 0; j < i; j++)
			again |= ht_slice_eq(names[i], names[j]);
		if (names[i].len > 0 && !again)
			err = give(r, BY_MEMBER, index_row_name(names[i]));
	}
	return err;
}

enum ht_err
index_rows(const struct ht_entry *e, const struct ht_about *a,
    const struct ht_tag *tag,
    enum ht_err (*row)(
        void *arg, unsigned db, struct ht_slice prefix, uint64_t seq),
    void *arg)
{
	const struct rows r = {.e = e, .about = a, .row = row, .arg = arg};
	enum ht_err err = members(&r);

	if (err == HT_OK && a->has_exchange)
		err = give(&r, BY_EXCHANGE,
		    index_row_bytes(a->exchange.at, HT_ID_SIZE));
	if (err == HT_OK && a->item.len > 0)
		err = give(&r, BY_ITEM, index_row_name(a->item));
	if (err == HT_OK && e->status != 0)
		err = give(&r, BY_STATUS, index_row_status(e->status));
	if (err == HT_OK && ht_entry_refused(e, a))
		err = give(&r, BY_STATUS, index_row_status(INDEX_ANY_REFUSAL));
	if (err == HT_OK && index_type_has_rows(e->type))
		err = give(&r, BY_TYPE, index_row_type(e->type));
	for (unsigned i = 0; tag != NULL && i < tag->n_subjects && err == HT_OK;
	     i++)
		err = give(&r, BY_SUBJECT,
		    index_row_bytes(tag->subjects[i].at, HT_PSEUDONYM_SIZE));
	return err;
}

/* ---- an index against its log ---- */

#define SUMMED_MAX (2 + INDEX_ROW_MAX + 2 * HT_POSTINGS_BLOCK)

/* A row as it is stored, which stands for @rows. */
static void
add(const struct index_sum *sum, struct index_count *to, unsigned db,
    struct ht_slice key, struct ht_slice value, size_t rows)
{
	uint8_t row[SUMMED_MAX], hash[HT_SHORT_SIZE];

	HT_ASSERT(key.len <= INDEX_ROW_MAX);
	HT_ASSERT(value.len <= 2 * HT_POSTINGS_BLOCK);
	row[0] = (uint8_t)db;
	row[1] = (uint8_t)key.len;
	memcpy(row + 2, key.at, key.len);
	if (value.len > 0)
		memcpy(row + 2 + key.len, value.at, value.len);
	ht_short_hash(sum->key, HT_SLICE(row, 2 + key.len + value.len), hash);
	to->rows += rows;
	to->sum[0] += ht_load64(hash);
	to->sum[1] += ht_load64(hash + 8);
}

static enum ht_err
want_block(void *arg, unsigned db, struct ht_slice key, struct ht_slice value)
{
	struct index_sum *sum = arg;

	add(sum, &sum->want[db], db, key, value, value.len / 2);
	return HT_OK;
}

enum ht_err
index_sum_begin(const char *dir, struct ht_log *log, struct index_sum *sum,
    struct ht_store **ret_store)
{
	HT_AUTO(ht_mem_free) char *mark = ht_fs_join(dir, "boot");
	enum ht_err err;

	*sum = (struct index_sum){.wanted = ht_postings_new(want_block, sum)};
	ht_random(sum->key, sizeof(sum->key));
	if (mark == NULL || sum->wanted == NULL)
		return HT_ENOMEM;
	if (access(dir, F_OK) == -1 || access(mark, F_OK) == 0)
		return HT_ENOTFOUND;
	err = ht_store_open(dir, HT_STORE_READONLY, (size_t)256 << 30,
	    index_dbs, INDEX_DBS, ret_store);
	return err == HT_OK ? index_meta(*ret_store, log, &sum->upto) : err;
}

void
index_sum_fini(struct index_sum *sum)
{
	ht_postings_free(&sum->wanted);
}

enum ht_err
index_sum_row(void *arg, unsigned db, struct ht_slice prefix, uint64_t seq)
{
	struct index_sum *sum = arg;
	uint8_t key[INDEX_ROW_MAX];

	if (seq >= sum->upto)
		return HT_OK;
	if (index_posted(db))
		return ht_postings_add(sum->wanted, db, prefix, seq);
	HT_ASSERT(prefix.len <= sizeof(key) - 8);
	memcpy(key, prefix.at, prefix.len);
	ht_be64(key + prefix.len, seq);
	add(sum, &sum->want[db], db, HT_SLICE(key, prefix.len + 8),
	    HT_SLICE(NULL, 0), 1);
	return HT_OK;
}

static bool
is_block(struct ht_slice value)
{
	uint32_t before = 0;

	if (value.len == 0 || value.len % 2 != 0 ||
	    value.len > 2 * HT_POSTINGS_BLOCK)
		return false;
	for (size_t i = 0; i < value.len; i += 2) {
		uint32_t at = ht_load16(value.at + i);

		if (at >= HT_POSTINGS_BLOCK || (i > 0 && at <= before))
			return false;
		before = at;
	}
	return true;
}

static enum ht_err
found_row(struct index_sum *sum, unsigned db, struct ht_slice key,
    struct ht_slice value)
{
	bool posted = index_posted(db);

	if (key.len <= 8 || key.len > INDEX_ROW_MAX ||
	    (posted ? !is_block(value) : value.len != 0))
		return HT_EINTEGRITY;
	add(sum, &sum->have[db], db, key, value, posted ? value.len / 2 : 1);
	return HT_OK;
}

static enum ht_err
found_db(struct index_sum *sum, struct ht_txn *txn, unsigned db)
{
	HT_AUTO(ht_seek_close) struct ht_seek *seek = NULL;
	struct ht_slice key, value;
	enum ht_err err = ht_seek_open(txn, db, &seek);

	if (err == HT_OK) {
		err = ht_seek_ge(seek, HT_SLICE("", 1), &key, &value);
	}
	while (err == HT_OK) {
		err = found_row(sum, db, key, value);
		if (err == HT_OK)
			err = ht_seek_next(seek, &key, &value);
	}
	return err == HT_ENOTFOUND ? HT_OK : err;
}

enum ht_err
index_sum_found(struct index_sum *sum, struct ht_store *store, unsigned *ret_db)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	enum ht_err err = ht_postings_flush(sum->wanted);

	if (err == HT_OK)
		err = ht_txn_begin(store, false, &txn);
	for (unsigned db = META + 1; db < ROLLS && err == HT_OK; db++) {
		*ret_db = db;
		err = found_db(sum, txn, db);
	}
	return err;
}

unsigned
index_sum_differs(const struct index_sum *sum)
{
	for (unsigned db = META + 1; db < ROLLS; db++)
		if (sum->want[db].rows != sum->have[db].rows ||
		    sum->want[db].sum[0] != sum->have[db].sum[0] ||
		    sum->want[db].sum[1] != sum->have[db].sum[1])
			return db;
	return INDEX_DBS;
}
