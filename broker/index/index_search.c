/*
 * index_search.c -- entries that match, through the best rows there are, and
 * by looking at each where there are none.
 */
#include <string.h>

#include "broker/index/index_in.h"
#include "broker/index/postings.h"
#include "lib/base/panic.h"

#define FETCH_MAX 256 /* candidates at a time: short transactions */

struct search {
	struct ht_index *index;
	const struct ht_filter *filter;
	enum ht_err (*each)(void *arg, const struct ht_entry *e);
	void *arg;
	uint64_t lo, hi; /* entries that can match */
	uint64_t scanned;
	uint32_t matched;
	struct ht_about about;
};

static enum ht_err
subject_matches(struct search *s, const struct ht_entry *e, bool *ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_TAG_MAX);
	struct ht_tag tag;
	enum ht_err err;

	*ret = false;
	if (e->tag_len == 0)
		return HT_OK;
	err =
	    ht_log_read_piece(s->index->log, e, &s->about.header, &bytes, NULL);
	if (err == HT_ENOTFOUND || err == HT_EERASED)
		return HT_OK; /* nobody can tell */
	if (err != HT_OK)
		return err;
	if (ht_tag_decode(ht_buf_slice(&bytes), &tag, NULL) != HT_OK)
		return HT_OK;
	for (unsigned i = 0; i < tag.n_subjects; i++)
		*ret |= memcmp(tag.subjects[i].at, s->filter->subject.at,
		            HT_PSEUDONYM_SIZE) == 0;
	return HT_OK;
}

static enum ht_err
matches(struct search *s, const struct ht_entry *e, bool *ret)
{
	enum ht_err err = ht_entry_about(s->index->log, e, &s->about);

	if (err != HT_OK)
		return err;
	*ret = ht_filter_matches(s->filter, e, &s->about);
	if (*ret && s->filter->has_subject)
		return subject_matches(s, e, ret);
	return HT_OK;
}

static bool
enough(const struct search *s)
{
	return s->filter->limit > 0 && s->matched >= s->filter->limit;
}

static enum ht_err
look(void *arg, uint64_t seq, struct ht_slice leaf)
{
	struct search *s = arg;
	struct ht_entry e;
	bool match;
	enum ht_err err;

	(void)seq;
	if (enough(s))
		return HT_OK;
	s->scanned++;
	if (ht_entry_decode(leaf, &e) != HT_OK)
		return HT_EINTEGRITY;
	err = matches(s, &e, &match);
	if (err != HT_OK || !match)
		return err;
	s->matched++;
	return s->each(s->arg, &e);
}

static enum ht_err
scan(struct search *s, uint64_t from, uint64_t to)
{
	enum ht_err err = HT_OK;

	while (from < to && err == HT_OK && !enough(s)) {
		uint64_t next = to - from > FETCH_MAX ? from + FETCH_MAX : to;

		err = ht_log_walk(s->index->log, from, next, look, s);
		from = next;
	}
	return err;
}

/* The first entry whose time is not below us, of those here below size. */
static enum ht_err
bisect(struct ht_log *log, uint64_t us, uint64_t size, uint64_t *ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	uint64_t lo = ht_log_begin(log), hi = size;

	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		struct ht_entry e;
		enum ht_err err;

		ht_buf_reset(&leaf);
		err = ht_log_read(log, mid, &leaf);
		if (err != HT_OK)
			return err;
		if (ht_entry_decode(ht_buf_slice(&leaf), &e) != HT_OK)
			return HT_EINTEGRITY;
		if (e.time_us < us)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret = lo;
	return HT_OK;
}

enum ht_err
ht_index_bounds(struct ht_index *index, const struct ht_filter *f,
    uint64_t *ret_lo, uint64_t *ret_hi)
{
	struct ht_log *log = index->log;
	uint64_t size = ht_log_size(log);
	enum ht_err err = HT_OK;

	if (f->size > size)
		return HT_ENOTFOUND;
	if (f->size > 0)
		size = f->size;
	*ret_lo = ht_log_begin(log);
	*ret_hi = size;
	if (f->from_us > 0)
		err = bisect(log, f->from_us, size, ret_lo);
	if (err == HT_OK && f->to_us > 0)
		err = bisect(log, f->to_us, size, ret_hi);
	if (f->start_seq > *ret_lo)
		*ret_lo = f->start_seq;
	return err;
}

/* The index with the fewest rows, by experience; false: none helps. */
static bool
choose(const struct ht_filter *f, unsigned *ret_db, struct index_row *ret)
{
	if (f->has_exchange) {
		*ret_db = BY_EXCHANGE;
		*ret = index_row_bytes(f->exchange.at, HT_ID_SIZE);
	} else if (f->has_subject) {
		*ret_db = BY_SUBJECT;
		*ret = index_row_bytes(f->subject.at, HT_PSEUDONYM_SIZE);
	} else if (f->status > 0 || f->status == -2) {
		*ret_db = BY_STATUS;
		*ret = index_row_status(
		    f->status == -2 ? INDEX_ANY_REFUSAL : (unsigned)f->status);
	} else if (f->type > 0 && index_type_has_rows((unsigned)f->type)) {
		*ret_db = BY_TYPE;
		*ret = index_row_type((unsigned)f->type);
	} else if (f->item.len > 0) {
		*ret_db = BY_ITEM;
		*ret = index_row_name(f->item);
	} else if (f->peer.len > 0 || f->member.len > 0) {
		*ret_db = BY_MEMBER;
		*ret = index_row_name(f->peer.len > 0 ? f->peer : f->member);
	} else {
		return false;
	}
	return true;
}

/* Rows of one entry each: the key ends in its seq. */
static enum ht_err
find_rows(struct ht_txn *txn, unsigned db, struct index_row row, uint64_t from,
    uint64_t to, uint64_t out[static FETCH_MAX], size_t *ret_n)
{
	HT_AUTO(ht_seek_close) struct ht_seek *seek = NULL;
	struct ht_slice key, value;
	size_t n = 0;
	enum ht_err err = ht_seek_open(txn, db, &seek);

	ht_be64(row.at + row.len, from);
	if (err == HT_OK)
		err = ht_seek_ge(
		    seek, HT_SLICE(row.at, row.len + 8), &key, &value);
	while (err == HT_OK && n < FETCH_MAX) {
		if (key.len != row.len + 8 ||
		    memcmp(key.at, row.at, row.len) != 0)
			break;
		out[n] = ht_load64(key.at + row.len);
		if (out[n] >= to)
			break;
		n++;
		err = ht_seek_next(seek, &key, &value);
	}
	*ret_n = n;
	return err == HT_ENOTFOUND ? HT_OK : err;
}

/* At most FETCH_MAX seqs of the row's prefix, from `from` on, below `to`. */
static enum ht_err
candidates(struct ht_index *index, unsigned db, struct index_row row,
    uint64_t from, uint64_t to, uint64_t out[static FETCH_MAX], size_t *ret_n)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	enum ht_err err = ht_txn_begin(index->store, false, &txn);

	if (err != HT_OK)
		return err;
	if (index_posted(db))
		return ht_postings_find(txn, db, HT_SLICE(row.at, row.len),
		    from, to, out, FETCH_MAX, ret_n);
	return find_rows(txn, db, row, from, to, out, ret_n);
}

static enum ht_err
follow(struct search *s, unsigned db, struct index_row row, uint64_t to)
{
	uint64_t from = s->lo, seqs[FETCH_MAX];
	size_t n = FETCH_MAX;
	enum ht_err err = HT_OK;

	while (err == HT_OK && n == FETCH_MAX && !enough(s)) {
		err = candidates(s->index, db, row, from, to, seqs, &n);
		for (size_t i = 0; err == HT_OK && i < n && !enough(s); i++)
			err = ht_log_walk(
			    s->index->log, seqs[i], seqs[i] + 1, look, s);
		if (n > 0)
			from = seqs[n - 1] + 1;
	}
	return err;
}

static bool
name_fits(struct ht_slice name)
{
	return name.len <= HT_NAME_MAX;
}

static enum ht_err
run_search(struct search *s)
{
	uint64_t indexed = ht_index_upto(s->index);
	struct index_row row;
	unsigned db;
	enum ht_err err = ht_index_bounds(s->index, s->filter, &s->lo, &s->hi);

	if (indexed > s->hi)
		indexed = s->hi;
	if (err == HT_OK && s->index->store != NULL && indexed > s->lo &&
	    choose(s->filter, &db, &row)) {
		err = follow(s, db, row, indexed);
		s->lo = indexed;
	}
	return err == HT_OK ? scan(s, s->lo, s->hi) : err;
}

enum ht_err
ht_index_search(struct ht_index *index, const struct ht_filter *filter,
    enum ht_err (*each)(void *arg, const struct ht_entry *e), void *arg,
    uint64_t *ret_scanned)
{
	HT_AUTO(ht_mem_free) struct search *s = calloc(1, sizeof(*s));
	enum ht_err err;

	if (s == NULL)
		return HT_ENOMEM;
	*s = (struct search){
	    .index = index, .filter = filter, .each = each, .arg = arg};
	if (!name_fits(filter->member) || !name_fits(filter->peer) ||
	    !name_fits(filter->item))
		return HT_EINVALID;
	/* No rows of it vanish under a search. */
	HT_ASSERT(pthread_rwlock_rdlock(&index->using) == 0);
	err = run_search(s);
	HT_ASSERT(pthread_rwlock_unlock(&index->using) == 0);
	*ret_scanned = s->scanned;
	return err;
}
