/*
 * index.c -- rows that lead to entries (docs/log-format.md, "index/").
 *
 * Keys end in the seq (or, where many entries share a name, in that of a block
 * of them), so a walk along one prefix is in order of the log.
 * Time needs no rows: it never goes back, so bisection over the entries finds
 * where a period begins.
 */
#include "broker/index/index_in.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/index/postings.h"
#include "broker/log/evidence.h"
#include "lib/base/fs.h"
#include "lib/base/panic.h"

#define INDEX_MAP     ((size_t)256 << 30)
#define INDEX_VERSION 3
#define FETCH_MAX     256 /* candidates at a time: short transactions */

/* ---- what an entry is about ---- */

static void
about_header(struct ht_about *about, const struct ht_header *h)
{
	about->has_exchange = true;
	about->exchange = h->exchange;
	about->sender = h->sender;
	about->recipient = h->recipient;
	about->item = h->item;
	about->purpose = h->purpose;
	about->operation = h->operation;
}

enum ht_err
ht_about_cited(struct ht_slice leaf, struct ht_about *about)
{
	struct ht_header h;
	struct ht_entry e;

	if (ht_entry_decode(leaf, &e) != HT_OK || !ht_entry_has_header(&e) ||
	    ht_header_decode(e.payload, &h, NULL, NULL) != HT_OK)
		return HT_EINTEGRITY;
	about_header(about, &h);
	return HT_OK;
}

static enum ht_err
about_cited(struct ht_log *log, uint64_t seq, struct ht_about *about)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	enum ht_err err = ht_log_read(log, seq, &leaf);

	if (err != HT_OK)
		return err;
	memcpy(about->cited, leaf.at, leaf.len);
	return ht_about_cited(HT_SLICE(about->cited, leaf.len), about);
}

enum ht_err
ht_entry_about(
    struct ht_log *log, const struct ht_entry *e, struct ht_about *ret)
{
	enum ht_err err;

	ret->has_header = ht_entry_has_header(e);
	ret->has_exchange = false;
	ret->operation = 0;
	ret->sender = e->member;
	ret->recipient = ret->item = ret->purpose = HT_SLICE(NULL, 0);
	if (ret->has_header) {
		if (ht_header_decode(e->payload, &ret->header, NULL, NULL) !=
		    HT_OK)
			return HT_EINTEGRITY;
		about_header(ret, &ret->header);
		return HT_OK;
	}
	if (e->cites == 0 || log == NULL)
		return HT_OK;
	err = about_cited(log, e->cites - 1, ret);
	return err == HT_EGONE ? HT_OK : err;
}

bool
ht_entry_refused(const struct ht_entry *e, const struct ht_about *about)
{
	switch (e->type) {
	case HT_ENTRY_REJECT:
	case HT_ENTRY_CONFLICT:
	case HT_ENTRY_REFUSALS:
		return true;
	case HT_ENTRY_RESPONSE:
		return about->header.status == HT_ANSWER_REFUSED;
	default:
		return false;
	}
}

/* ---- opening ---- */

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/*
 * The index is not synced: a process may die under it, a machine may not.  A
 * mark of this boot stands beside it while it is open.
 */
static bool
machine_went_down(const char *mark)
{
	HT_AUTO(ht_buf_fini) struct ht_buf then = HT_BUF(256);
	HT_AUTO(ht_buf_fini) struct ht_buf now = HT_BUF(256);

	if (ht_fs_read(mark, &then) == HT_ENOTFOUND)
		return false;
	return ht_fs_read(BOOT_ID, &now) != HT_OK ||
	       !ht_slice_eq(ht_buf_slice(&then), ht_buf_slice(&now));
}

/* One that stands already takes no room: a full disk may have none. */
static enum ht_err
set_mark(const char *mark)
{
	HT_AUTO(ht_buf_fini) struct ht_buf then = HT_BUF(256);
	HT_AUTO(ht_buf_fini) struct ht_buf now = HT_BUF(256);
	enum ht_err err = ht_fs_read(BOOT_ID, &now);

	if (err != HT_OK && err != HT_ENOTFOUND)
		return err;
	if (ht_fs_read(mark, &then) == HT_OK &&
	    ht_slice_eq(ht_buf_slice(&then), ht_buf_slice(&now)))
		return HT_OK;
	return ht_fs_replace(mark, 0600, ht_buf_slice(&now));
}

#define OLD_NAME "old.mdb" /* rows that are being destroyed */

/* What a removed file held stays on the disk until something is put there. */
static enum ht_err
shred(const char *dir)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(dir, OLD_NAME);
	enum ht_err err;

	if (path == NULL)
		return HT_ENOMEM;
	err = ht_fs_shred(path);
	return err == HT_ENOTFOUND ? HT_OK : err;
}

static enum ht_err
wipe(const char *dir)
{
	static const char *const names[] = {"data.mdb", "lock.mdb"};

	for (size_t i = 0; i < HT_COUNT(names); i++) {
		HT_AUTO(ht_mem_free) char *path = ht_fs_join(dir, names[i]);

		if (path == NULL)
			return HT_ENOMEM;
		if (unlink(path) == -1 && errno != ENOENT)
			return HT_ESYSTEM;
	}
	return HT_OK;
}

#define META_SIZE (1 + HT_ENV_ID_SIZE + 8)

/* meta/upto: version u8, environment id, upto u64 */
static void
meta_bytes(
    const struct ht_log *log, uint64_t upto, uint8_t out[static META_SIZE])
{
	out[0] = INDEX_VERSION;
	memcpy(out + 1, log->env, HT_ENV_ID_SIZE);
	ht_be64(out + 1 + HT_ENV_ID_SIZE, upto);
}

enum ht_err
index_meta(struct ht_store *store, struct ht_log *log, uint64_t *ret_upto)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	uint8_t want[META_SIZE];
	struct ht_slice meta;
	uint64_t upto;
	enum ht_err err = ht_txn_begin(store, false, &txn);

	*ret_upto = 0;
	if (err == HT_OK)
		err = ht_txn_get(txn, META, ht_slice_str("upto"), &meta);
	if (err != HT_OK)
		return err == HT_ENOTFOUND ? HT_OK : HT_EINTEGRITY;
	if (meta.len != META_SIZE)
		return HT_EINTEGRITY;
	upto = ht_load64(meta.at + 1 + HT_ENV_ID_SIZE);
	meta_bytes(log, upto, want);
	if (memcmp(meta.at, want, META_SIZE) != 0 || upto > ht_log_size(log))
		return HT_EINTEGRITY;
	*ret_upto = upto;
	return HT_OK;
}

/* Is this the index of this log?  An empty one is of any. */
static bool
fits(struct ht_index *index)
{
	uint64_t upto;

	if (index_meta(index->store, index->log, &upto) != HT_OK)
		return false;
	if (upto > 0)
		atomic_store(&index->upto, upto);
	return true;
}

static enum ht_err
open_store(struct ht_index *index, const char *dir, enum ht_store_mode mode)
{
	return ht_store_open(
	    dir, mode, INDEX_MAP, index_dbs, INDEX_DBS, &index->store);
}

static enum ht_err
open_to_write(struct ht_index *index, const char *dir)
{
	enum ht_err err;

	index->boot = ht_fs_join(dir, "boot");
	if (index->boot == NULL)
		return HT_ENOMEM;
	index->dir = strdup(dir);
	if (index->dir == NULL)
		return HT_ENOMEM;
	err = ht_fs_mkdirs(dir, 0700);
	if (err == HT_OK)
		err = shred(dir); /* a crash may have left it */
	if (err == HT_OK && machine_went_down(index->boot))
		err = wipe(dir);
	if (err == HT_OK)
		err = set_mark(index->boot);
	if (err == HT_OK)
		err = open_store(index, dir, HT_STORE_DERIVED);
	if (err == HT_OK && fits(index))
		return HT_OK;
	if (err != HT_OK && err != HT_ESTORE && err != HT_EINVALID)
		return err;
	ht_store_close(&index->store);
	err = wipe(dir);
	return err == HT_OK ? open_store(index, dir, HT_STORE_DERIVED) : err;
}

static void
open_to_read(struct ht_index *index, const char *dir)
{
	HT_AUTO(ht_mem_free) char *mark = ht_fs_join(dir, "boot");

	/* A copy is of no boot; the mark alone says it was not closed. */
	if (mark == NULL || access(mark, F_OK) == 0 ||
	    open_store(index, dir, HT_STORE_READONLY) != HT_OK)
		return;
	if (!fits(index))
		ht_store_close(&index->store);
}

enum ht_err
ht_index_open(const char *dir, struct ht_log *log, struct ht_index **ret)
{
	HT_AUTO(ht_index_close) struct ht_index *index = NULL;
	enum ht_err err = HT_OK;

	index = calloc(1, sizeof(*index));
	if (index == NULL)
		return HT_ENOMEM;
	index->log = log;
	HT_ASSERT(pthread_rwlock_init(&index->using, NULL) == 0);
	if (dir != NULL && log->key != NULL)
		err = ht_rolls_new(
		    HT_ROLL_SMALL, HT_ROLL_LARGE, index_rolls, &index->rolls);
	if (dir != NULL && log->key != NULL && err == HT_OK)
		err = open_to_write(index, dir);
	else if (dir != NULL)
		open_to_read(index, dir);
	if (err != HT_OK)
		return err;
	index->known = ht_log_size(log);
	*ret = HT_TAKE(index);
	return HT_OK;
}

void
ht_index_close(struct ht_index **index_p)
{
	struct ht_index *index = HT_TAKE(*index_p);

	if (index == NULL)
		return;
	/* What could not be synced keeps its mark: another boot wipes it. */
	if (index->store != NULL && index->boot != NULL &&
	    ht_store_sync(index->store) == HT_OK)
		(void)unlink(index->boot);
	ht_store_close(&index->store);
	HT_ASSERT(pthread_rwlock_destroy(&index->using) == 0);
	ht_rolls_free(&index->rolls);
	free(index->boot);
	free(index->dir);
	free(index);
}

/* The store is closed; its file is put aside, and another begun. */
static enum ht_err
begin_anew(struct ht_index *index)
{
	HT_AUTO(ht_mem_free) char *data = ht_fs_join(index->dir, "data.mdb");
	HT_AUTO(ht_mem_free) char *old = ht_fs_join(index->dir, OLD_NAME);
	enum ht_err err;

	if (data == NULL || old == NULL)
		return HT_ENOMEM;
	if (rename(data, old) == -1 && errno != ENOENT)
		return HT_ESYSTEM;
	err = ht_fs_sync_dir(index->dir);
	atomic_store(&index->upto, 0);
	return err == HT_OK ? open_store(index, index->dir, HT_STORE_DERIVED)
	                    : err;
}

enum ht_err
ht_index_destroy(struct ht_index *index)
{
	enum ht_err err;

	HT_ASSERT(index->log->key != NULL);
	if (index->dir == NULL)
		return HT_OK;
	HT_ASSERT(pthread_rwlock_wrlock(&index->using) == 0);
	index->halted = true;
	ht_store_close(&index->store);
	ht_rolls_forget(index->rolls);
	index->rooted = 0;
	index->known = ht_log_size(index->log);
	err = begin_anew(index);
	HT_ASSERT(pthread_rwlock_unlock(&index->using) == 0);
	return err == HT_OK ? shred(index->dir) : err;
}

void
ht_index_go_on(struct ht_index *index)
{
	HT_ASSERT(pthread_rwlock_wrlock(&index->using) == 0);
	index->halted = false;
	HT_ASSERT(pthread_rwlock_unlock(&index->using) == 0);
}

uint64_t
ht_index_upto(const struct ht_index *index)
{
	return atomic_load(&index->upto);
}

/* ---- filling ---- */

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
	uint8_t meta[META_SIZE];
	uint64_t begin = ht_rolls_begin(f->index->rolls, from);
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
	meta_bytes(f->index->log, to, meta);
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
	uint64_t to = size - from > max ? from + max : size;
	HT_AUTO(ht_mem_free) struct filling *f = NULL;
	enum ht_err err;

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

/* ---- searching ---- */

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

static bool
one_of(const struct ht_about *a, const struct ht_entry *e, struct ht_slice name)
{
	return ht_slice_eq(a->sender, name) ||
	       ht_slice_eq(a->recipient, name) || ht_slice_eq(e->member, name);
}

static bool
members_match(const struct ht_filter *f, const struct ht_entry *e,
    const struct ht_about *a)
{
	struct ht_slice m = f->member, p = f->peer;

	if (m.len > 0 && !one_of(a, e, m))
		return false;
	if (p.len > 0 && !one_of(a, e, p))
		return false;
	/* Who deals with itself is its own peer, and nobody else is. */
	return m.len == 0 || p.len == 0 || !ht_slice_eq(m, p) ||
	       ht_slice_eq(a->sender, a->recipient);
}

bool
ht_filter_matches(const struct ht_filter *f, const struct ht_entry *e,
    const struct ht_about *a)
{
	return members_match(f, e, a) &&
	       (f->type == -1 || e->type == (unsigned)f->type) &&
	       (f->status < 0 || e->status == (unsigned)f->status) &&
	       (f->status != -2 || ht_entry_refused(e, a)) &&
	       (f->operation < 0 || a->operation == (unsigned)f->operation) &&
	       (f->item.len == 0 || ht_slice_eq(f->item, a->item)) &&
	       (f->purpose.len == 0 || ht_slice_eq(f->purpose, a->purpose)) &&
	       (!f->has_exchange ||
	           (a->has_exchange && ht_id_eq(&f->exchange, &a->exchange)));
}

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
