/*
 * answer.c -- making the rows that answer a query, each frame with one proof
 * for all of its rows.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/audit/answer_in.h"
#include "broker/audit/gone.h"
#include "broker/audit/query.h"
#include "broker/log/bundles.h"
#include "broker/log/erase.h"
#include "broker/log/tree.h"
#include "lib/base/panic.h"

/* Hashes of a frame's proof: 64 rows, each gap two covers of 40 levels. */
#define PROOF_HASHES (65 * 80)
#define LIMIT_SPARE  1    /* one row past the limit tells that there are more */
#define LAST_WINDOW  1024 /* entries looked at first for the newest rows */
#define LAST_GROWTH  4    /* ... and so many times more each time after */

struct found {
	uint64_t *seqs;
	size_t n;
	size_t cap;
};

static enum ht_err
found_add(void *arg, const struct ht_entry *e)
{
	struct found *f = arg;

	if (f->n == f->cap) {
		size_t cap = f->cap == 0 ? 64 : f->cap * 2;
		uint64_t *seqs = realloc(f->seqs, cap * sizeof(*seqs));

		if (seqs == NULL)
			return HT_ENOMEM;
		f->seqs = seqs;
		f->cap = cap;
	}
	f->seqs[f->n++] = e->seq;
	return HT_OK;
}

static void
found_fini(struct found *f)
{
	free(f->seqs);
}

/* ---- rows ---- */

struct answer_frames {
	struct ht_log *log;
	uint64_t size; /* proofs lead to the tree of it */
	bool bundles, tags;
	uint64_t before; /* what a row cites below this comes with it */
	struct ht_buf *out;
	struct ht_buf leaf, bytes, tag;
	struct ht_erasure *erasure; /* the one looked at last */
	struct ht_bundle bundle, alone;
	struct ht_tree_memo memo;
	struct ht_hash proof[PROOF_HASHES];
};

void
answer_frames_free(struct answer_frames **f_p)
{
	struct answer_frames *f = HT_TAKE(*f_p);

	if (f == NULL)
		return;
	ht_buf_fini(&f->leaf);
	ht_buf_fini(&f->bytes);
	ht_buf_fini(&f->tag);
	ht_erasure_free(&f->erasure);
	free(f);
}

struct answer_frames *
answer_frames_new(
    struct ht_log *log, uint64_t size, bool bundles, bool tags, uint64_t before)
{
	struct answer_frames *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->log = log;
	f->size = size;
	f->bundles = bundles;
	f->tags = tags;
	f->before = before;
	f->leaf = HT_BUF(HT_LEAF_MAX);
	f->bytes = HT_BUF(HT_EVIDENCE_MAX);
	f->tag = HT_BUF(HT_TAG_MAX);
	return f;
}

/* The bundle's evidence, made to fit this record alone; or nil. */
static enum ht_err
add_bundle(struct answer_frames *f, const struct ht_entry *e)
{
	uint32_t index = e->bundle_index;
	enum ht_err err;

	if (!f->bundles || e->bundle_count == 0) {
		ht_pack_nil(f->out);
		return HT_OK;
	}
	err = ht_evidence_load(
	    f->log, e->bundle_seq, &f->bytes, &f->bundle, NULL);
	if (err == HT_OK)
		err = ht_evidence_narrow(&f->bundle, &index, 1, &f->alone);
	if (err != HT_OK)
		return err == HT_ENOTFOUND ? HT_EINTEGRITY : err;
	ht_buf_reset(&f->tag); /* scratch */
	ht_evidence_pack(&f->alone, &f->tag);
	if (f->tag.err != HT_OK)
		return f->tag.err;
	ht_pack_bin(f->out, f->tag.at, f->tag.len);
	return HT_OK;
}

static void
add_path(struct ht_buf *out, const struct ht_hash *path, size_t n)
{
	ht_pack_array(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		ht_pack_bin(out, path[i].at, HT_HASH_SIZE);
}

static enum ht_err
load_erasure(struct answer_frames *f, uint64_t by)
{
	enum ht_err err;

	if (f->erasure != NULL && f->erasure->by == by)
		return HT_OK;
	ht_erasure_free(&f->erasure);
	err = ht_log_erasure(f->log, by, &f->erasure);
	return err == HT_ENOTFOUND ? HT_EINTEGRITY : err;
}

/* [leaf, path, place, list]: the ERASE entry, and that its list has this one */
static enum ht_err
pack_erased(struct answer_frames *f, const struct ht_entry *e, uint64_t by)
{
	struct ht_hash path[HT_PROOF_MAX], list[HT_PROOF_MAX];
	size_t n_path, n_list, place;
	enum ht_err err = load_erasure(f, by);

	if (err == HT_OK && !ht_erasure_find(f->erasure, e->seq, &place))
		err = HT_EINTEGRITY;
	ht_buf_reset(&f->bytes);
	if (err == HT_OK)
		err = ht_log_read(f->log, by, &f->bytes);
	if (err == HT_OK)
		err = ht_log_inclusion_of_many(
		    f->log, &f->memo, by, f->size, path, &n_path);
	if (err == HT_OK)
		err = ht_erasure_prove(f->erasure, place, list, &n_list);
	if (err != HT_OK)
		return err;
	ht_pack_array(f->out, 4);
	ht_pack_bin(f->out, f->bytes.at, f->bytes.len);
	add_path(f->out, path, n_path);
	ht_pack_uint(f->out, place);
	add_path(f->out, list, n_list);
	return HT_OK;
}

static enum ht_err
add_erased(struct answer_frames *f, const struct ht_entry *e)
{
	struct ht_erased erased;
	enum ht_err err = ht_log_erased(f->log, e, &erased);

	if (err != HT_OK)
		return err;
	if (!erased.tag)
		return HT_EINTEGRITY;
	if (erased.tag_by < f->size)
		return pack_erased(f, e, erased.tag_by);
	ht_pack_nil(f->out); /* the tree asked for does not have it yet */
	return HT_OK;
}

/* nil where there is none, or no vault. */
static enum ht_err
add_tag(struct answer_frames *f, const struct ht_entry *e)
{
	enum ht_err err = HT_ENOTFOUND;

	ht_buf_reset(&f->tag);
	if (f->tags && e->tag_len > 0)
		err = ht_log_read_vault(f->log, e, &f->tag, NULL);
	if (err == HT_EERASED)
		return add_erased(f, e);
	if (err == HT_OK)
		ht_pack_bin(f->out, f->tag.at, f->tag.len);
	else
		ht_pack_nil(f->out);
	return err == HT_ENOTFOUND ? HT_OK : err;
}

/*
 * An entry with no header of its own cites one that has: [leaf, path].  So
 * does an answer whose request the reader has not read.
 */
static enum ht_err
add_cited(struct answer_frames *f, const struct ht_entry *e)
{
	struct ht_hash path[HT_PROOF_MAX];
	size_t n;
	enum ht_err err;

	if (e->cites == 0 || (ht_entry_has_header(e) && e->cites > f->before)) {
		ht_pack_nil(f->out);
		return HT_OK;
	}
	ht_buf_reset(&f->bytes);
	err = ht_log_read(f->log, e->cites - 1, &f->bytes);
	if (err == HT_EGONE) { /* the row alone is what there is */
		ht_pack_nil(f->out);
		return HT_OK;
	}
	if (err == HT_OK)
		err = ht_log_inclusion_of_many(
		    f->log, &f->memo, e->cites - 1, f->size, path, &n);
	if (err != HT_OK)
		return err;
	ht_pack_array(f->out, 2);
	ht_pack_bin(f->out, f->bytes.at, f->bytes.len);
	add_path(f->out, path, n);
	return HT_OK;
}

static enum ht_err
add_row(void *arg, uint64_t seq, struct ht_slice leaf)
{
	struct answer_frames *f = arg;
	struct ht_entry e;
	enum ht_err err;

	if (ht_entry_decode(leaf, &e) != HT_OK)
		return HT_EINTEGRITY;
	ht_pack_array(f->out, 5);
	ht_pack_uint(f->out, seq);
	ht_pack_bin(f->out, leaf.at, leaf.len);
	err = add_bundle(f, &e);
	if (err == HT_OK)
		err = add_tag(f, &e);
	if (err == HT_OK)
		err = add_cited(f, &e);
	return err;
}

/* Entries that follow one another are read in one go. */
static enum ht_err
add_rows(struct answer_frames *f, const uint64_t *seqs, size_t n)
{
	enum ht_err err = HT_OK;

	if (seqs[n - 1] - seqs[0] == n - 1)
		return ht_log_walk(f->log, seqs[0], seqs[0] + n, add_row, f);
	for (size_t i = 0; i < n && err == HT_OK; i++) {
		ht_buf_reset(&f->leaf);
		err = ht_log_read(f->log, seqs[i], &f->leaf);
		if (err == HT_OK)
			err = add_row(f, seqs[i], ht_buf_slice(&f->leaf));
	}
	return err;
}

/* [ROWS, rows, proof] */
enum ht_err
answer_frame(
    struct answer_frames *f, const uint64_t *seqs, size_t n, struct ht_buf *out)
{
	size_t n_proof;
	enum ht_err err = ht_log_batch_proof_of_many(f->log, &f->memo, seqs, n,
	    f->size, f->proof, PROOF_HASHES, &n_proof);

	if (err != HT_OK)
		return err;
	f->out = out;
	ht_pack_array(f->out, 3);
	ht_pack_uint(f->out, HT_AUDIT_ROWS);
	ht_pack_array(f->out, (uint32_t)n);
	err = add_rows(f, seqs, n);
	if (err != HT_OK)
		return err;
	ht_pack_array(f->out, (uint32_t)n_proof);
	for (size_t i = 0; i < n_proof; i++)
		ht_pack_bin(f->out, f->proof[i].at, HT_HASH_SIZE);
	return f->out->err;
}

/* Who would begin below the log's first entry is told what became of that. */
static enum ht_err
add_removed(struct ht_log *log, const struct ht_query *q,
    const struct ht_filter *f, struct ht_audit_answer *a)
{
	enum ht_err err;

	if (q->has_seq || f->start_seq >= ht_log_begin(log))
		return HT_OK;
	a->frames[0] = HT_BUF(HT_AUDIT_FRAME_MAX);
	a->n_frames = 1;
	err = ht_gone_make(log, a->size, &a->frames[0]);
	if (err == HT_ENOTFOUND) { /* a lone volume */
		a->n_frames = 0;
		return HT_OK;
	}
	return err;
}

static enum ht_err
add_frames(struct ht_log *log, const struct ht_query *q,
    const struct ht_filter *filter, const struct found *found,
    struct ht_audit_answer *a)
{
	HT_AUTO(answer_frames_free)
	struct answer_frames *f =
	    answer_frames_new(log, a->size, q->evidence, q->evidence, 0);
	size_t n_frames = (found->n + HT_ROWS_FRAME - 1) / HT_ROWS_FRAME;
	enum ht_err err = HT_OK;

	a->frames = calloc(n_frames + 1, sizeof(*a->frames));
	if (f == NULL || a->frames == NULL)
		return HT_ENOMEM;
	err = add_removed(log, q, filter, a);
	for (size_t i = 0; i < n_frames && err == HT_OK; i++) {
		size_t at = i * HT_ROWS_FRAME;
		size_t n = found->n - at;

		struct ht_buf *frame = &a->frames[a->n_frames++];

		*frame = HT_BUF(HT_AUDIT_FRAME_MAX);
		err = answer_frame(f, found->seqs + at,
		    n > HT_ROWS_FRAME ? HT_ROWS_FRAME : n, frame);
	}
	return err;
}

/* ---- the question ---- */

/* Its exchange if it has one; else this entry alone. */
static enum ht_err
filter_of_seq(struct ht_log *log, uint64_t seq, struct ht_filter *f)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	HT_AUTO(ht_mem_free) struct ht_about *about = malloc(sizeof(*about));
	uint64_t size = f->size;
	struct ht_entry e;
	enum ht_err err;

	if (about == NULL)
		return HT_ENOMEM;
	*f = HT_FILTER_ALL;
	f->size = size;
	f->start_seq = seq;
	if (seq >= size)
		return HT_OK; /* nothing to be found */
	err = ht_log_read(log, seq, &leaf);
	if (err == HT_OK && ht_entry_decode(ht_buf_slice(&leaf), &e) != HT_OK)
		err = HT_EINTEGRITY;
	if (err == HT_OK)
		err = ht_entry_about(log, &e, about);
	if (err != HT_OK)
		return err;
	if (about->has_exchange) {
		f->has_exchange = true;
		f->exchange = about->exchange;
		f->start_seq = 0;
	} else {
		f->size = seq + 1;
	}
	return HT_OK;
}

/* As of the newest checkpoint: its size is what every proof leads to. */
static enum ht_err
pin(struct ht_log *log, struct ht_filter *f, struct ht_audit_answer *a)
{
	struct ht_note note;
	struct ht_checkpoint cp;
	enum ht_err err = ht_log_checkpoint(log, &a->checkpoint);

	if (err == HT_OK)
		err = ht_note_parse(ht_buf_slice(&a->checkpoint), &note);
	if (err == HT_OK)
		err = ht_checkpoint_parse(note.text, &cp);
	if (err != HT_OK)
		return err == HT_EMALFORMED ? HT_EINTEGRITY : err;
	if (f->size > cp.size)
		return HT_EINVALID;
	a->size = cp.size;
	if (f->size == 0)
		f->size = cp.size;
	return HT_OK;
}

static uint32_t
rows_allowed(const struct ht_query *q)
{
	uint32_t most = q->evidence ? HT_QUERY_EVIDENCE : HT_QUERY_ROWS;

	return q->filter.limit == 0 || q->filter.limit > most ? most
	                                                      : q->filter.limit;
}

/*
 * The newest rows: look at the log's end, and at ever more of it until there
 * are enough.
 */
static enum ht_err
find_last(struct ht_index *index, struct ht_filter f, uint32_t last,
    struct found *found, uint64_t *ret_scanned)
{
	uint64_t lo, hi, scanned, window = LAST_WINDOW;
	enum ht_err err = ht_index_bounds(index, &f, &lo, &hi);

	f.limit = 0;
	f.size = hi;
	while (err == HT_OK && lo < hi) {
		f.start_seq = hi - lo > window ? hi - window : lo;
		found->n = 0;
		err = ht_index_search(index, &f, found_add, found, &scanned);
		*ret_scanned += scanned;
		if (found->n >= last || f.start_seq == lo)
			break;
		window *= LAST_GROWTH;
	}
	if (err == HT_OK && found->n > last) {
		memmove(found->seqs, found->seqs + found->n - last,
		    last * sizeof(*found->seqs));
		found->n = last;
	}
	return err;
}

/* What matches, as far as the limit allows, in frames. */
static enum ht_err
fill(struct ht_log *log, struct ht_index *index, const struct ht_query *q,
    struct ht_filter f, struct ht_audit_answer *a)
{
	HT_AUTO(found_fini) struct found found = {0};
	uint32_t limit = rows_allowed(q);
	enum ht_err err = HT_OK;

	f.limit = limit + LIMIT_SPARE;
	if (f.size > 0 && q->last > 0)
		err = find_last(index, f, q->last < limit ? q->last : limit,
		    &found, &a->scanned);
	else if (f.size > 0)
		err =
		    ht_index_search(index, &f, found_add, &found, &a->scanned);
	if (err == HT_OK && found.n > limit) {
		a->more = true;
		a->next_seq = found.seqs[limit];
		found.n = limit;
	}
	a->matched = found.n;
	return err == HT_OK ? add_frames(log, q, &f, &found, a) : err;
}

enum ht_err
ht_audit_answer(struct ht_log *log, struct ht_index *index,
    const struct ht_query *q, struct ht_audit_answer *ret)
{
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};
	struct ht_filter f = q->filter;
	enum ht_err err;

	a.checkpoint = HT_BUF(HT_ANSWER_NOTE_MAX);
	err = pin(log, &f, &a);
	if (err == HT_OK && q->has_seq)
		err = filter_of_seq(log, q->seq, &f);
	/* One that is not smaller is no earlier tree: the asker will see. */
	if (err == HT_OK && q->since > 0 && q->since < a.size)
		err = ht_log_consistency(
		    log, q->since, a.size, a.path, &a.n_path);
	if (err == HT_OK)
		err = fill(log, index, q, f, &a);
	if (err != HT_OK)
		return err;
	*ret = a;
	a = (struct ht_audit_answer){0};
	return HT_OK;
}

void
ht_audit_answer_fini(struct ht_audit_answer *a)
{
	for (size_t i = 0; i < a->n_frames; i++)
		ht_buf_fini(&a->frames[i]);
	free(a->frames);
	a->frames = NULL;
	a->n_frames = 0;
	ht_buf_fini(&a->checkpoint);
}
