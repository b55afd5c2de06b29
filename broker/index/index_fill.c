/*
 * index_fill.c -- the index catches up with its log: the rows of each entry,
 * and rolls of whom they were about.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/index/index_in.h"
#include "broker/index/postings.h"
#include "broker/log/evidence.h"
#include "lib/base/panic.h"

struct filling {
	struct ht_index *index;
	struct ht_txn *txn;
	struct ht_postings *postings;
	struct ht_about about;
	struct ht_buf tag;
};

static enum ht_err
put_row(void *arg, unsigned db, struct ht_slice prefix, uint64_t seq)
{
	struct filling *f = arg;
	uint8_t key[INDEX_ROW_MAX];

	if (index_posted(db))
		return ht_postings_add(f->postings, db, prefix, seq);
	HT_ASSERT(prefix.len <= sizeof(key) - 8);
	memcpy(key, prefix.at, prefix.len);
	ht_be64(key + prefix.len, seq);
	return ht_txn_put(
	    f->txn, db, HT_SLICE(key, prefix.len + 8), HT_SLICE(NULL, 0));
}

/*
 * A tag that was erased, or is in no vault of a copy, has no rows.  One that
 * is damaged ends the filling: searches then look, and tell.  @h: the header,
 * where it is at hand.
 */
static enum ht_err
read_tag(struct filling *f, const struct ht_entry *e, const struct ht_header *h,
    struct ht_tag *ret, bool *ret_there)
{
	enum ht_err err;

	*ret_there = false;
	if (e->tag_len == 0)
		return HT_OK;
	ht_buf_reset(&f->tag);
	err = h == NULL ? ht_log_read_vault(f->index->log, e, &f->tag, NULL)
	                : ht_log_read_piece(f->index->log, e, h, &f->tag, NULL);
	if (err == HT_ENOTFOUND)
		ht_rolls_lack(f->index->rolls);
	if (err == HT_EERASED || err == HT_ENOTFOUND)
		return HT_OK;
	if (err == HT_OK)
		*ret_there =
		    ht_tag_decode(ht_buf_slice(&f->tag), ret, NULL) == HT_OK;
	return err;
}

static enum ht_err
put_rows(struct filling *f, const struct ht_entry *e)
{
	struct ht_tag tag;
	bool there;
	enum ht_err err = read_tag(
	    f, e, f->about.has_header ? &f->about.header : NULL, &tag, &there);

	if (err == HT_OK)
		err = index_rows(e, &f->about, there ? &tag : NULL, put_row, f);
	if (err == HT_OK && e->type == HT_ENTRY_INDEX_ROOT)
		err = index_put_said(f->txn, e);
	if (err == HT_OK && there)
		err = ht_rolls_tag(f->index->rolls, e->seq, &tag);
	return err == HT_OK ? ht_rolls_step(f->index->rolls, f->txn, e->seq)
	                    : err;
}

static enum ht_err
fill_one(void *arg, uint64_t seq, struct ht_slice leaf)
{
	struct filling *f = arg;
	struct ht_entry e;
	enum ht_err err;

	(void)seq;
	if (ht_entry_decode(leaf, &e) != HT_OK)
		return HT_EINTEGRITY;
	ht_buf_reset(&f->tag);
	err = ht_entry_about(f->index->log, &e, &f->about);
	return err == HT_OK ? put_rows(f, &e) : err;
}

/* Its rows are there, but not those of the roll at hand. */
static enum ht_err
fill_roll(void *arg, uint64_t seq, struct ht_slice leaf)
{
	struct filling *f = arg;
	struct ht_entry e;
	struct ht_tag tag;
	bool there;
	enum ht_err err;

	if (ht_entry_decode(leaf, &e) != HT_OK)
		return HT_EINTEGRITY;
	err = read_tag(f, &e, NULL, &tag, &there);
	if (err == HT_OK && there)
		err = ht_rolls_tag(f->index->rolls, seq, &tag);
	return err == HT_OK ? ht_rolls_step(f->index->rolls, f->txn, seq) : err;
}

static enum ht_err
fill(struct filling *f, uint64_t from, uint64_t to)
{
	uint8_t meta[INDEX_META_SIZE];
	uint64_t begin =
	    ht_rolls_begin(f->index->rolls, ht_log_begin(f->index->log), from);
	enum ht_err err = ht_txn_begin(f->index->store, true, &f->txn);

	if (err == HT_OK)
		f->postings = ht_postings_new(ht_postings_store, f->txn);
	if (err == HT_OK && f->postings == NULL)
		err = HT_ENOMEM;
	if (err == HT_OK && begin < from)
		err = ht_log_walk(f->index->log, begin, from, fill_roll, f);
	if (err == HT_OK)
		err = ht_log_follow(f->index->log, from, to, fill_one, f);
	if (err == HT_OK)
		err = ht_postings_flush(f->postings);
	ht_postings_free(&f->postings);
	index_meta_bytes(f->index->log, to, meta);
	if (err == HT_OK)
		err = ht_txn_put(f->txn, META, ht_slice_str("upto"),
		    HT_SLICE(meta, sizeof(meta)));
	if (err == HT_OK)
		err = ht_txn_commit(&f->txn);
	ht_txn_abort(&f->txn);
	if (err != HT_OK)
		ht_rolls_forget(f->index->rolls);
	return err;
}

static enum ht_err
catch_up(struct ht_index *index, size_t max, bool *ret_more)
{
	uint64_t from = ht_index_upto(index), size = ht_log_size(index->log);
	uint64_t begin = ht_log_begin(index->log), to;
	HT_AUTO(ht_mem_free) struct filling *f = NULL;
	enum ht_err err;

	if (from < begin)
		from = begin;
	to = size - from > max ? from + max : size;
	if (from == to)
		return HT_OK;
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return HT_ENOMEM;
	f->index = index;
	f->tag = HT_BUF(HT_TAG_MAX);
	err = fill(f, from, to);
	ht_buf_fini(&f->tag);
	if (err != HT_OK)
		return err;
	atomic_store(&index->upto, to);
	*ret_more = to < size;
	return HT_OK;
}

enum ht_err
ht_index_catch_up(struct ht_index *index, size_t max, bool *ret_more)
{
	enum ht_err err = HT_OK;

	HT_ASSERT(index->log->key != NULL);
	*ret_more = false;
	HT_ASSERT(pthread_rwlock_rdlock(&index->using) == 0);
	if (!index->halted)
		err = index->store != NULL ? catch_up(index, max, ret_more)
		                           : HT_ESTORE;
	HT_ASSERT(pthread_rwlock_unlock(&index->using) == 0);
	return err;
}
