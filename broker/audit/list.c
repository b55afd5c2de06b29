/*
 * list.c -- a list that is whole.  What a roll covers is told by its proof;
 * what none covers is looked at.  Both sides walk the same way: first the
 * rolls, then, in order of the log, the rows they lead to and all the others.
 */
#include "broker/audit/list.h"

#include <stdlib.h>
#include <string.h>

#include "broker/audit/answer_in.h"
#include "broker/audit/gone.h"
#include "broker/audit/look.h"
#include "lib/base/panic.h"

/* ---- the way through the log ---- */

/* Entries [from, to) are covered by a roll, which leads to `n` of them. */
struct span {
	uint64_t from, to;
	size_t n;
};

struct way {
	uint64_t end;
	size_t n_spans, cap_spans;
	struct span *spans;
	size_t n_found, cap_found;
	uint64_t *found; /* of all spans, in order */
	/* where we are */
	uint64_t at;
	size_t span, in_span, taken;
};

static void
way_fini(struct way *w)
{
	free(w->spans);
	free(w->found);
}

/* Room for one more; @at is what realloc() takes. */
static enum ht_err
grow(void **at, size_t n, size_t *cap, size_t each)
{
	size_t more = *cap == 0 ? 64 : 2 * *cap;
	void *room;

	if (n < *cap)
		return HT_OK;
	room = realloc(*at, more * each);
	if (room == NULL)
		return HT_ENOMEM;
	*at = room;
	*cap = more;
	return HT_OK;
}

static enum ht_err
add_span(struct way *w, uint64_t from, uint64_t to)
{
	void *spans = w->spans;
	enum ht_err err =
	    grow(&spans, w->n_spans, &w->cap_spans, sizeof(*w->spans));

	w->spans = spans;
	if (err == HT_OK)
		w->spans[w->n_spans++] = (struct span){from, to, 0};
	return err;
}

/* An entry of the newest span. */
static enum ht_err
add_found(struct way *w, uint64_t seq)
{
	void *found = w->found;
	enum ht_err err =
	    grow(&found, w->n_found, &w->cap_found, sizeof(*w->found));

	w->found = found;
	if (err != HT_OK)
		return err;
	w->found[w->n_found++] = seq;
	w->spans[w->n_spans - 1].n++;
	return HT_OK;
}

/* The next row; false: that was all.  *ret_whole: no roll leads to it. */
static bool
next_row(struct way *w, uint64_t *ret, bool *ret_whole)
{
	while (w->at < w->end) {
		const struct span *span;

		*ret_whole =
		    w->span == w->n_spans || w->at < w->spans[w->span].from;
		if (*ret_whole) {
			*ret = w->at++;
			return true;
		}
		span = &w->spans[w->span];
		if (w->in_span < span->n) {
			w->in_span++;
			*ret = w->found[w->taken++];
			return true;
		}
		w->at = span->to;
		w->span++;
		w->in_span = 0;
	}
	return false;
}

/* ---- making one ---- */

struct ht_list_make {
	struct ht_log *log;
	struct ht_index *index;
	struct ht_pseudonym subject;
	uint64_t size; /* of the tree */
	struct ht_roll_plan plan;
	size_t part; /* of the plan: those before are sent */
	struct way way;
	struct answer_frames *frames;
	struct ht_buf leaf, proof;
	uint64_t sent;
};

void
ht_list_make_free(struct ht_list_make **make_p)
{
	struct ht_list_make *m = HT_TAKE(*make_p);

	if (m == NULL)
		return;
	ht_roll_plan_fini(&m->plan);
	way_fini(&m->way);
	answer_frames_free(&m->frames);
	ht_buf_fini(&m->leaf);
	ht_buf_fini(&m->proof);
	free(m);
}

enum ht_err
ht_list_make(struct ht_log *log, struct ht_index *index,
    const struct ht_pseudonym *subject, uint64_t end, uint64_t size,
    uint64_t whole_max, struct ht_list_make **ret)
{
	HT_AUTO(ht_list_make_free)
	struct ht_list_make *m = calloc(1, sizeof(*m));
	enum ht_err err;

	if (m == NULL)
		return HT_ENOMEM;
	m->log = log;
	m->index = index;
	m->subject = *subject;
	m->size = size;
	m->way.at = ht_log_begin(log);
	m->way.end = end;
	m->leaf = HT_BUF(HT_LEAF_MAX);
	m->proof = HT_BUF(HT_AUDIT_FRAME_MAX);
	m->frames = answer_frames_new(log, size, false, true, 0);
	err = m->frames == NULL ? HT_ENOMEM
	                        : ht_index_plan(index, end, size, &m->plan);
	if (err == HT_OK && m->plan.whole > whole_max)
		err = HT_EAGAIN;
	if (err == HT_OK)
		*ret = HT_TAKE(m);
	return err;
}

uint64_t
ht_list_sent(const struct ht_list_make *make)
{
	return make->sent;
}

/* [ROLL, leaf, path, proof] */
static enum ht_err
pack_roll(struct ht_list_make *m, uint64_t said_by, struct ht_buf *out)
{
	struct ht_hash path[HT_PROOF_MAX];
	size_t n;
	enum ht_err err;

	ht_buf_reset(&m->leaf);
	err = ht_log_read(m->log, said_by, &m->leaf);
	if (err == HT_OK)
		err = ht_log_inclusion(m->log, said_by, m->size, path, &n);
	if (err != HT_OK)
		return err;
	ht_pack_array(out, 4);
	ht_pack_uint(out, HT_AUDIT_ROLL);
	ht_pack_bin(out, m->leaf.at, m->leaf.len);
	ht_pack_array(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		ht_pack_bin(out, path[i].at, HT_HASH_SIZE);
	ht_pack_bin(out, m->proof.at, m->proof.len);
	return out->err;
}

static enum ht_err
make_roll(struct ht_list_make *m, struct ht_buf *out)
{
	HT_AUTO(ht_mem_free) struct ht_roll_row *rows = NULL;
	const struct ht_roll_part *part = &m->plan.parts[m->part++];
	const struct ht_roll_said *roll = &part->roll;
	enum ht_err err = ht_index_roll(m->index, roll, &rows);

	ht_buf_reset(&m->proof);
	if (err == HT_OK)
		err = ht_roll_prove(rows, roll->count, &m->subject, &m->proof);
	if (err == HT_OK)
		err = add_span(&m->way, roll->from, roll->to);
	for (uint64_t i = 0; err == HT_OK && i < roll->count; i++)
		if (ht_pseudonym_cmp(&rows[i].subject, &m->subject) == 0)
			err = add_found(&m->way, rows[i].seq);
	return err == HT_OK ? pack_roll(m, part->said_by, out) : err;
}

enum ht_err
ht_list_next(struct ht_list_make *m, struct ht_buf *out, bool *ret_more)
{
	uint64_t seqs[HT_ROWS_FRAME];
	size_t n = 0;
	bool whole;

	*ret_more = true;
	if (m->part < m->plan.n)
		return make_roll(m, out);
	while (n < HT_ROWS_FRAME && next_row(&m->way, &seqs[n], &whole))
		n++;
	*ret_more = n > 0;
	m->sent += n;
	return n == 0 ? HT_OK : answer_frame(m->frames, seqs, n, out);
}

/* ---- checking one ---- */

struct ht_list {
	struct ht_pseudonym subject;
	uint64_t size; /* of the tree */
	struct ht_hash root;
	struct way way;
	enum ht_err (*each)(void *arg, const struct ht_row *row);
	void *arg;
	const char *why;
	uint64_t bad;
	uint64_t begin;  /* entries below were removed */
	bool rows_began; /* no roll may follow */
	struct ht_list_part part;
	struct ht_list_counts counts;
};

enum ht_err
ht_list_new(const struct ht_pseudonym *subject, uint64_t end, uint64_t size,
    const struct ht_hash *root,
    enum ht_err (*each)(void *arg, const struct ht_row *row), void *arg,
    struct ht_list **ret)
{
	struct ht_list *list = calloc(1, sizeof(*list));

	if (list == NULL)
		return HT_ENOMEM;
	list->subject = *subject;
	list->root = *root;
	list->size = size;
	list->way.end = end;
	list->each = each;
	list->arg = arg;
	*ret = list;
	return HT_OK;
}

void
ht_list_free(struct ht_list **list_p)
{
	struct ht_list *list = HT_TAKE(*list_p);

	if (list == NULL)
		return;
	way_fini(&list->way);
	free(list);
}

void
ht_list_of_part(struct ht_list *list, const struct ht_list_part *part)
{
	list->part = *part;
}

struct ht_list_counts
ht_list_counts(const struct ht_list *list)
{
	return list->counts;
}

static enum ht_err
wrong(struct ht_list *list, uint64_t seq, const char *why)
{
	list->bad = seq;
	list->why = why;
	return HT_EINTEGRITY;
}

/* ---- a roll ---- */

static enum ht_err
take_found(void *arg, uint64_t seq)
{
	struct ht_list *list = arg;
	const struct span *span = &list->way.spans[list->way.n_spans - 1];

	if (seq < span->from || seq >= span->to)
		return wrong(list, seq, "its roll is of other entries");
	return add_found(&list->way, seq);
}

/* Its INDEX_ROOT stands in the tree, behind all that it covers. */
static enum ht_err
check_said(struct ht_list *list, struct ht_slice leaf,
    const struct ht_hash *path, size_t n, struct ht_roll_said *ret)
{
	struct ht_hash hash = ht_leaf_hash(leaf);
	const struct way *w = &list->way;
	uint64_t after = w->n_spans == 0 ? 0 : w->spans[w->n_spans - 1].to;
	struct ht_entry e;

	if (ht_entry_decode(leaf, &e) != HT_OK ||
	    e.type != HT_ENTRY_INDEX_ROOT ||
	    ht_roll_said_decode(e.payload, ret) != HT_OK)
		return HT_EMALFORMED;
	if (!ht_check_inclusion(e.seq, list->size, &hash, path, n, &list->root))
		return wrong(list, e.seq,
		    "this INDEX_ROOT is not proven by the checkpoint");
	if (ret->to > e.seq || ret->from < after || ret->to > w->end ||
	    ret->to <= list->begin)
		return wrong(list, e.seq,
		    "this INDEX_ROOT is not one of this place in a list");
	return HT_OK;
}

static enum ht_err
take_roll(struct ht_list *list, struct ht_unpack *u)
{
	struct ht_slice leaf = ht_unpack_bin(u, HT_LEAF_MAX), proof;
	uint32_t n = ht_unpack_array(u, HT_PROOF_MAX);
	struct ht_hash path[HT_PROOF_MAX];
	struct ht_roll_said said;
	enum ht_err err;

	for (uint32_t i = 0; i < n; i++)
		ht_unpack_fixed(u, path[i].at, HT_HASH_SIZE);
	proof = ht_unpack_bin(u, HT_AUDIT_FRAME_MAX);
	if (ht_unpack_end(u) != HT_OK)
		return HT_EMALFORMED;
	err = check_said(list, leaf, path, n, &said);
	if (err == HT_OK)
		err = add_span(&list->way, said.from, said.to);
	if (err == HT_OK)
		err = ht_roll_check(proof, &said.root, said.count,
		    &list->subject, take_found, list);
	if (err == HT_EINTEGRITY && list->why == NULL)
		return wrong(list, said.from,
		    "what is shown of the roll that begins here is not all "
		    "of the subject");
	list->counts.rolls++;
	list->counts.rolled +=
	    said.to - (said.from > list->begin ? said.from : list->begin);
	return err;
}

/* ---- rows ---- */

/* A header that has a tag must have it in the log. */
static bool
lacks_tag(const struct ht_entry *e, const struct ht_header *h)
{
	return e->status == 0 && h->has_tag && e->tag_len == 0;
}

/* Is it of another epoch than those whose pseudonyms are known? */
static bool
is_other(const struct ht_list *list, struct ht_slice bytes)
{
	struct ht_tag tag;

	if (list->part.n == 0 || ht_tag_decode(bytes, &tag, NULL) != HT_OK)
		return false;
	for (size_t i = 0; i < list->part.n; i++)
		if (ht_slice_is(tag.epoch, list->part.epochs[i]))
			return false;
	return true;
}

/* No roll leads to this one: whom does its tag name? */
static enum ht_err
take_whole(struct ht_list *list, const struct ht_row *row)
{
	const struct ht_entry *e = &row->entry;
	struct ht_header h = {.has_tag = false};
	struct ht_hash hash = ht_tag_hash(row->tag);

	list->counts.whole++;
	if (ht_entry_has_header(e) &&
	    ht_header_decode(e->payload, &h, NULL, NULL) != HT_OK)
		return HT_EMALFORMED;
	if (lacks_tag(e, &h))
		return wrong(list, row->seq, "its tag was never kept");
	if (e->tag_len == 0)
		return HT_OK;
	if (row->erased) {
		list->counts.erased++;
		return HT_OK;
	}
	if (row->tag.len == 0 && list->part.erased_later) {
		list->counts.later++;
		return HT_OK;
	}
	if (row->tag.len == 0)
		return wrong(list, row->seq, "its tag is missing");
	if (!h.has_tag || !ht_hash_eq(&hash, &h.tag))
		return wrong(list, row->seq, "its tag is another");
	list->counts.other += is_other(list, row->tag);
	return ht_look_is_about(row, &list->subject) == HT_OK
	           ? list->each(list->arg, row)
	           : HT_OK;
}

/* A part of the log may begin with any entry that is not behind its start. */
static void
begin_rows(struct ht_list *list, uint64_t seq)
{
	struct way *w = &list->way;

	if (!list->rows_began && w->n_spans == 0 && seq <= list->part.start)
		list->counts.from = w->at = seq;
	list->rows_began = true;
}

static enum ht_err
take_row(void *arg, const struct ht_row *row)
{
	struct ht_list *list = arg;
	uint64_t seq;
	bool whole;

	begin_rows(list, row->seq);
	if (!next_row(&list->way, &seq, &whole))
		return wrong(list, row->seq, "it is no part of this list");
	if (seq != row->seq)
		return wrong(list, seq, "it is missing");
	if (whole)
		return take_whole(list, row);
	if (ht_look_is_about(row, &list->subject) != HT_OK)
		return wrong(list, seq,
		    "its roll says that it is about the subject, and its tag "
		    "does not");
	return list->each(list->arg, row);
}

/* Rolls of before, and rows, would be of what nobody has. */
static enum ht_err
take_gone(struct ht_list *list, struct ht_slice frame)
{
	struct ht_remove_said said;
	enum ht_err err =
	    ht_gone_check(frame, list->size, &list->root, &list->bad, &said);

	if (err == HT_EINTEGRITY)
		return wrong(list, list->bad,
		    "this REMOVED entry is not proven by the checkpoint");
	if (err != HT_OK)
		return err;
	if (list->rows_began || list->way.n_spans > 0 || list->begin > 0)
		return wrong(list, list->bad, "it does not stand in front");
	list->begin = list->way.at = list->counts.from = said.end;
	return HT_OK;
}

static enum ht_err
take_frame(struct ht_list *list, struct ht_slice frame)
{
	struct ht_unpack u;

	if (ht_pack_check(frame, NULL, NULL) != HT_OK)
		return HT_EMALFORMED;
	if (ht_gone_is(frame))
		return take_gone(list, frame);
	u = ht_unpack(frame);
	if (ht_unpack_array(&u, 4) != 4 || list->rows_began)
		return ht_rows_check(
		    frame, list->size, &list->root, take_row, list, &list->bad);
	if (ht_unpack_uint(&u, UINT8_MAX) != HT_AUDIT_ROLL)
		return HT_EMALFORMED;
	return take_roll(list, &u);
}

enum ht_err
ht_list_take(struct ht_list *list, struct ht_slice frame, const char **ret_why,
    uint64_t *ret_bad)
{
	enum ht_err err = take_frame(list, frame);

	*ret_why = list->why;
	*ret_bad = list->bad;
	return err;
}

enum ht_err
ht_list_end(struct ht_list *list, const char **ret_why, uint64_t *ret_bad)
{
	uint64_t seq;
	bool whole;

	if (!next_row(&list->way, &seq, &whole))
		return HT_OK;
	*ret_why = "it is missing";
	*ret_bad = seq;
	return HT_EINTEGRITY;
}
