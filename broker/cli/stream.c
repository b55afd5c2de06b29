/*
 * stream.c -- more rows than an answer may hold, one by one: every entry of a
 * period, entries as they come, or all looks at a subject.  Nothing is kept,
 * everything is proven.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/audit/gone.h"
#include "broker/audit/list.h"
#include "broker/cli/cursor.h"
#include "broker/cli/tool.h"
#include "broker/log/evidence.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/term/progress.h"

struct feed {
	const struct ht_audit_feed *feed;
	const struct ht_audit_opts *opts;
	const struct ht_audit_faith *faith;
	struct ht_audit_result *result;
	struct ht_progress progress;
	bool has_checkpoint;
	uint64_t bad; /* the entry that is not proven */
	int code;     /* of what was said already */

	/* READ */
	uint64_t begin; /* nothing need stand before this one, nor its cited */
	bool has_row, is_past; /* the newest stands behind the period */
	uint64_t last_seq;
	uint64_t last_us;

	struct ht_list *list; /* LIST */
	struct ht_rows *rows; /* else */
};

static void
feed_fini(struct feed *f)
{
	ht_list_free(&f->list);
	free(f->rows);
	ht_progress_fini(&f->progress);
}

/* ---- rows ---- */

static enum ht_err
unlike(struct feed *f, const struct ht_row *row, const char *what)
{
	ht_audit_say("entry %llu: %s; do not rely on this answer",
	    (unsigned long long)row->seq, what);
	f->code = HT_AUDIT_BAD;
	return HT_EINTEGRITY;
}

/*
 * The first row, if none stands before the period: of a lone volume, which
 * begins with a VOLUME entry.  Of any other part the neighbour is demanded.
 */
static enum ht_err
begin_at(struct feed *f, const struct ht_row *row)
{
	struct ht_audit_result *r = f->result;

	if (row->seq == 0)
		return HT_OK;
	if (row->seq != f->begin || row->entry.type != HT_ENTRY_VOLUME)
		return unlike(f, row, "the period does not begin here");
	r->begin = f->begin;
	r->more_before = f->begin > f->opts->query.filter.start_seq;
	return HT_OK;
}

/*
 * Is a row of READ in the period, and does none lack before it?  The rows
 * begin one before the period and end one after it, where there are such.
 */
static enum ht_err
check_place(struct feed *f, const struct ht_row *row, bool *ret_in)
{
	const struct ht_filter *q = &f->opts->query.filter;
	uint64_t us = row->entry.time_us;
	bool before = row->seq < q->start_seq || us < q->from_us;
	bool after = (q->to_us > 0 && us >= q->to_us) ||
	             (q->size > 0 && row->seq >= q->size);

	*ret_in = !before && !after;
	if (*ret_in && f->result->end_seq == 0)
		f->result->first_seq = row->seq;
	if (*ret_in)
		f->result->end_seq = row->seq + 1;
	if (f->has_row && row->seq != f->last_seq + 1)
		return unlike(f, row, "entries before it are missing");
	if (f->has_row && us < f->last_us)
		return unlike(f, row, "its time is before its neighbour's");
	f->is_past = after;
	f->last_seq = row->seq;
	f->last_us = us;
	if (f->has_row || before) {
		f->has_row = true;
		return HT_OK;
	}
	f->has_row = true;
	return begin_at(f, row);
}

/* Whom it is about was never known, where its request is not. */
static bool
is_lost(const struct feed *f, const struct ht_entry *e)
{
	return e->cites > 0 && e->cites <= f->result->begin &&
	       !ht_entry_has_header(e);
}

/*
 * The request that a row cites is beside it, and not in what is hashed; who
 * left it out could change what is counted, or matches.
 */
static enum ht_err
check_cited(struct feed *f, const struct ht_row *row)
{
	uint64_t cites = row->entry.cites;
	bool must =
	    cites > f->result->begin && (!ht_entry_has_header(&row->entry) ||
	                                    cites - 1 < f->result->first_seq);

	return must && row->cited.len == 0
	           ? unlike(f, row, "the request that it cites is missing")
	           : HT_OK;
}

static enum ht_err
take_row(void *arg, const struct ht_row *row)
{
	struct feed *f = arg;
	bool in = true;
	enum ht_err err = HT_OK;

	if (f->opts->query.mode == HT_QUERY_READ)
		err = check_place(f, row, &in);
	if (err == HT_OK && in && f->opts->query.mode == HT_QUERY_READ)
		err = check_cited(f, row);
	if (err != HT_OK || !in)
		return err;
	f->result->answer.matched++;
	f->result->lost += is_lost(f, &row->entry);
	return f->feed->each(f->feed->arg, row);
}

static enum ht_err
take_look(void *arg, const struct ht_row *row)
{
	struct feed *f = arg;

	f->result->answer.matched++;
	return f->feed->each(f->feed->arg, row);
}

/* Why a list is not one; false: it says nothing. */
static enum ht_err
no_list(struct feed *f, enum ht_err err, const char *why)
{
	if (err != HT_EINTEGRITY || why == NULL)
		return err;
	ht_audit_say("entry %llu: %s; this list is not whole: do not rely on "
	             "it",
	    (unsigned long long)f->bad, why);
	f->code = HT_AUDIT_BAD;
	return err;
}

/* It is of the first checkpoint's tree, or of a part of it. */
static enum ht_err
begin_list(struct feed *f)
{
	const struct ht_filter *q = &f->opts->query.filter;
	const struct ht_checkpoint *cp = &f->result->checkpoint;
	const struct ht_list_part part = {
	    .start = f->feed->start > f->begin ? f->feed->start : f->begin,
	    .erased_later = f->opts->volume != NULL,
	    .epochs = f->opts->epochs,
	    .n = f->opts->n_epochs};
	enum ht_err err;

	if (f->list != NULL)
		return HT_OK;
	err = ht_list_new(&q->subject, q->size > 0 ? q->size : cp->size,
	    cp->size, &cp->root, take_look, f, &f->list);
	if (err == HT_OK)
		ht_list_of_part(f->list, &part);
	return err;
}

static enum ht_err
take_part(struct feed *f, struct ht_slice frame)
{
	const char *why = NULL;
	enum ht_err err = begin_list(f);

	if (err == HT_OK)
		err = ht_list_take(f->list, frame, &why, &f->bad);
	return no_list(f, err, why);
}

static enum ht_err
end_list(struct feed *f)
{
	const char *why = NULL;
	enum ht_err err = begin_list(f);

	if (err == HT_OK)
		err = ht_list_end(f->list, &why, &f->bad);
	if (err == HT_OK)
		f->result->list = ht_list_counts(f->list);
	return no_list(f, err, why);
}

static uint64_t
done_so_far(const struct feed *f)
{
	struct ht_list_counts counts;

	if (f->list == NULL)
		return f->result->answer.matched;
	counts = ht_list_counts(f->list);
	return counts.rolled + counts.whole;
}

/* In front of all rows: they begin later, and this is why. */
static enum ht_err
take_gone(struct feed *f, struct ht_slice frame)
{
	const struct ht_checkpoint *cp = &f->result->checkpoint;
	struct ht_remove_said said;
	enum ht_err err =
	    ht_gone_check(frame, cp->size, &cp->root, &f->bad, &said);

	if (err != HT_OK)
		return err;
	if (f->has_row || f->result->removed_by > 0) {
		ht_audit_say("entry %llu: it does not stand in front of the "
		             "rows; do not rely on this answer",
		    (unsigned long long)f->bad);
		f->code = HT_AUDIT_BAD;
		return HT_EINTEGRITY;
	}
	f->begin = f->result->begin = said.end;
	f->result->removed_by = f->bad;
	return HT_OK;
}

static enum ht_err
take_rows(struct feed *f, struct ht_slice frame)
{
	const struct ht_checkpoint *cp = &f->result->checkpoint;

	if (f->rows == NULL)
		f->rows = malloc(sizeof(*f->rows));
	if (f->rows == NULL)
		return HT_ENOMEM;
	return ht_rows_each(
	    f->rows, frame, cp->size, &cp->root, take_row, f, &f->bad);
}

static enum ht_err
take_frame(void *arg, struct ht_slice frame)
{
	struct feed *f = arg;
	enum ht_err err = ht_gone_is(frame) ? take_gone(f, frame) : HT_OK;

	if (err == HT_OK && f->opts->query.mode == HT_QUERY_LIST)
		err = take_part(f, frame);
	else if (err == HT_OK && !ht_gone_is(frame))
		err = take_rows(f, frame);

	if (f->feed->what != NULL)
		ht_progress_step(
		    &f->progress, done_so_far(f), ht_clock_mono_ms());
	if (err == HT_OK && f->feed->frame != NULL)
		err = f->feed->frame(f->feed->arg, frame);
	if (err == HT_OK && f->feed->pause != NULL)
		err = f->feed->pause(f->feed->arg);
	return err;
}

/* Does the last row end the period, or the log? */
static enum ht_err
check_end(struct feed *f)
{
	const struct ht_filter *q = &f->opts->query.filter;
	uint64_t size = f->result->checkpoint.size;

	if (f->opts->query.mode == HT_QUERY_LIST)
		return end_list(f);
	if (f->opts->query.mode != HT_QUERY_READ || size == 0)
		return HT_OK;
	if (f->has_row && (f->last_seq + 1 == size ||
	                      (q->to_us > 0 && f->last_us >= q->to_us) ||
	                      (q->size > 0 && f->last_seq >= q->size)))
		return HT_OK;
	ht_audit_say("entries at the end of the period are missing; do not "
	             "rely on this answer");
	f->code = HT_AUDIT_BAD;
	return HT_EINTEGRITY;
}

/* ---- checkpoints ---- */

static bool
continues(const struct ht_checkpoint *before, const struct ht_checkpoint *now,
    const struct ht_hash *path, size_t n)
{
	/* One path for both cases: nothing is proven of an empty tree. */
	return before->size == 0 ||
	       ht_check_consistency(
	           before->size, now->size, &before->root, &now->root, path, n);
}

static enum ht_err
take_update(void *arg, uint64_t size, struct ht_slice note,
    const struct ht_hash *path, size_t n_path)
{
	struct feed *f = arg;
	struct ht_audit_result *r = f->result;
	struct ht_checkpoint before = r->checkpoint;

	f->code = ht_audit_checkpoint(f->faith, note, size, r);
	if (f->code != HT_AUDIT_OK)
		return HT_EINTEGRITY;
	r->answer.size = size;
	ht_buf_fini(&r->answer.checkpoint);
	r->answer.checkpoint = HT_BUF(HT_DOC_MAX);
	ht_buf_add(&r->answer.checkpoint, note.at, note.len);
	if (r->answer.checkpoint.err != HT_OK)
		return r->answer.checkpoint.err;
	if (!f->has_checkpoint && f->feed->since != NULL) {
		r->answer.n_path = n_path;
		memcpy(r->answer.path, path, n_path * sizeof(*path));
		f->code = ht_audit_cursor_check(f->opts, f->feed->since, r);
	} else if (f->has_checkpoint &&
	           !continues(&before, &r->checkpoint, path, n_path)) {
		ht_audit_say("the log of %llu entries does not continue the "
		             "one of %llu that was shown before: another "
		             "history was put in its place",
		    (unsigned long long)size, (unsigned long long)before.size);
		f->code = HT_AUDIT_OLD;
	}
	f->has_checkpoint = true;
	return f->code == HT_AUDIT_OK ? HT_OK : HT_EINTEGRITY;
}

/* ---- where they come from ---- */

static enum ht_err
say_removed(struct feed *f, struct ht_log *log)
{
	HT_AUTO(ht_buf_fini) struct ht_buf frame = HT_BUF(HT_AUDIT_FRAME_MAX);
	enum ht_err err = ht_gone_make(log, f->result->checkpoint.size, &frame);

	if (err == HT_ENOTFOUND)
		return HT_OK;
	return err == HT_OK ? take_frame(f, ht_buf_slice(&frame)) : err;
}

/* The same frames that a broker would send, made and checked here. */
static enum ht_err
read_range(struct feed *f, struct ht_log *log, struct ht_index *index)
{
	HT_AUTO(ht_audit_range_free) struct ht_audit_range *range = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf frame = HT_BUF(HT_AUDIT_FRAME_MAX);
	uint64_t size = f->result->checkpoint.size, lo = 0, hi = 0, from, to;
	uint64_t begin = ht_log_begin(log);
	size_t n = 1;
	enum ht_err err =
	    ht_index_bounds(index, &f->opts->query.filter, &lo, &hi);

	lo = lo > hi ? hi : lo; /* a start behind the end: no entry */
	from = lo > begin ? lo - 1 : begin;
	to = hi < size ? hi + 1 : size;

	f->progress.total = to - from;
	if (err == HT_OK && lo <= begin)
		err = say_removed(f, log);
	if (err == HT_OK)
		err = ht_audit_range(log, from, to, size, lo, &range);
	while (err == HT_OK && n > 0) {
		ht_buf_reset(&frame);
		err = ht_audit_range_next(range, &frame, &n);
		if (err == HT_OK && n > 0)
			err = take_frame(f, ht_buf_slice(&frame));
	}
	return err;
}

/* The same frames that a broker would send; of a copy as many as it needs. */
static enum ht_err
read_list(struct feed *f, struct ht_log *log, struct ht_index *index)
{
	HT_AUTO(ht_list_make_free) struct ht_list_make *list = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf frame = HT_BUF(HT_AUDIT_FRAME_MAX);
	const struct ht_filter *q = &f->opts->query.filter;
	uint64_t size = f->result->checkpoint.size;
	uint64_t end = q->size > 0 ? q->size : size;
	bool more = true;
	enum ht_err err =
	    ht_list_make(log, index, &q->subject, end, size, UINT64_MAX, &list);

	f->progress.total = end - ht_log_begin(log);
	if (err == HT_OK)
		err = say_removed(f, log);
	while (err == HT_OK && more) {
		ht_buf_reset(&frame);
		err = ht_list_next(list, &frame, &more);
		if (err == HT_OK && more)
			err = take_frame(f, ht_buf_slice(&frame));
	}
	return err;
}

/* Reading all takes no index; a list takes its rolls, where there are such. */
static enum ht_err
open_index(struct feed *f, struct ht_log *log, struct ht_index **ret)
{
	HT_AUTO(ht_mem_free) char *path = NULL;

	if (f->opts->query.mode != HT_QUERY_LIST || f->opts->scan ||
	    f->opts->dir == NULL)
		return ht_index_open(NULL, log, ret);
	path = ht_fs_join(f->opts->dir, "index");
	return path == NULL ? HT_ENOMEM : ht_index_open(path, log, ret);
}

static enum ht_err
read_log(struct feed *f, struct ht_log *log)
{
	HT_AUTO(ht_index_close) struct ht_index *index = NULL;
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};
	struct ht_query head = f->opts->query;
	enum ht_err err = open_index(f, log, &index);

	head.filter.has_subject = false;
	head.filter.start_seq = UINT64_MAX; /* the checkpoint alone */
	if (err == HT_OK)
		err = ht_audit_answer(log, index, &head, &a);
	if (err == HT_OK)
		err = take_update(
		    f, a.size, ht_buf_slice(&a.checkpoint), a.path, a.n_path);
	if (err == HT_OK)
		f->result->behind = ht_log_size(log) - a.size;
	if (err != HT_OK)
		return err;
	return f->opts->query.mode == HT_QUERY_LIST ? read_list(f, log, index)
	                                            : read_range(f, log, index);
}

static enum ht_err
ask_log(struct feed *f, struct ht_log *log)
{
	enum ht_err err = read_log(f, log);

	if (err == HT_EINVALID && f->code == HT_AUDIT_OK)
		f->code = ht_audit_not_yet(&f->opts->query, log);
	return err;
}

static enum ht_err
ask_folder(struct feed *f)
{
	HT_AUTO(ht_log_close) struct ht_log *log = NULL;

	f->code = ht_audit_open_folder(f->opts, &log);
	return f->code == HT_AUDIT_OK ? ask_log(f, log)
	                              : HT_EINVALID; /* said */
}

/* A lone volume: what it does not reach is known to be missing. */
static enum ht_err
ask_volume(struct feed *f)
{
	const struct ht_query *q = &f->opts->query;
	struct ht_audit_result *r = f->result;
	enum ht_err err;

	f->begin = r->begin = ht_log_begin(f->opts->log);
	if (q->filter.size > 0 && q->filter.size <= f->begin) {
		f->code = ht_audit_not_here(q, f->opts->log);
		return HT_EGONE; /* said */
	}
	err = ask_log(f, f->opts->log);
	r->more_after = !f->is_past && q->filter.size == 0;
	return err;
}

static enum ht_err
ask_broker(struct feed *f)
{
	HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(4096);
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	const struct ht_audit_stream stream = {.update = take_update,
	    .rows = take_frame,
	    .arg = f,
	    .stop_fd = f->feed->stop_fd,
	    .watch_output = f->opts->query.mode == HT_QUERY_FOLLOW};
	struct ht_audit_result *r = f->result;
	struct ht_query salted = f->opts->query;
	struct ht_audit_end end;
	struct ht_keyfile file;
	enum ht_err err;

	f->code = ht_audit_open_key(f->opts->key, HT_KEY_AUDITOR, &key, &file);
	if (f->code != HT_AUDIT_OK)
		return HT_EINVALID; /* said */
	err = ht_audit_ask_long(f->opts->socket,
	    f->faith->has_vkey ? f->faith->vkey.name : NULL, file.name, key,
	    &salted, &stream, &end, &why);
	r->place = end.place;
	r->noted = f->has_checkpoint;
	memcpy(r->salt, salted.salt, sizeof(r->salt));
	memcpy(r->auditor, file.name, sizeof(r->auditor));
	r->answer.scanned = end.scanned;
	r->answer.more = end.more;
	r->answer.next_seq = end.next_seq;
	if (why.len > 0) {
		ht_audit_say("%s", ht_buf_text(&why));
		f->code = ht_audit_code(err);
	}
	return err;
}

/* ---- what was kept ---- */

static enum ht_err
read_frames(struct feed *f, struct ht_slice note, struct ht_slice frames)
{
	struct ht_cur cur = ht_cur(frames);
	struct ht_checkpoint cp;
	struct ht_note parts;
	enum ht_err err = ht_note_parse(note, &parts);

	if (err == HT_OK)
		err = ht_checkpoint_parse(parts.text, &cp);
	if (err == HT_OK)
		err = take_update(f, cp.size, note, NULL, 0);
	while (err == HT_OK && cur.at < cur.end) {
		struct ht_slice frame = ht_cur_take(&cur, ht_cur_u32(&cur));

		err = cur.err == HT_OK ? take_frame(f, frame) : HT_EMALFORMED;
	}
	return err == HT_OK ? check_end(f) : err;
}

int
ht_audit_replay(const struct ht_audit_opts *opts,
    const struct ht_audit_faith *faith, const struct ht_audit_feed *feed,
    struct ht_slice note, struct ht_slice frames,
    struct ht_audit_result *result)
{
	HT_AUTO(feed_fini)
	struct feed f = {
	    .feed = feed, .opts = opts, .faith = faith, .result = result};
	enum ht_err err;

	*result = (struct ht_audit_result){0};
	f.begin =
	    opts->query.filter.start_seq; /* as ht_audit_narrow() has it */
	err = read_frames(&f, note, frames);
	if (err != HT_OK && err != HT_ENOMEM && err != HT_ESYSTEM)
		err = HT_EINTEGRITY; /* whatever is wrong, it is the file */
	if (err == HT_OK || f.code != HT_AUDIT_OK)
		return f.code;
	return ht_audit_unproven(err, f.bad);
}

int
ht_audit_stream(const struct ht_audit_opts *opts,
    const struct ht_audit_faith *faith, const struct ht_audit_feed *feed,
    struct ht_audit_result *result)
{
	HT_AUTO(feed_fini)
	struct feed f = {
	    .feed = feed, .opts = opts, .faith = faith, .result = result};
	enum ht_err err;

	*result = (struct ht_audit_result){0};
	ht_progress_init(&f.progress, feed->what != NULL ? feed->what : "", 0,
	    STDERR_FILENO, ht_clock_mono_ms());
	err = opts->log != NULL   ? ask_volume(&f)
	      : opts->dir != NULL ? ask_folder(&f)
	                          : ask_broker(&f);
	ht_progress_fini(&f.progress);
	if (err == HT_OK && result->answer.more &&
	    opts->query.mode == HT_QUERY_READ) {
		ht_audit_say("the broker ended its answer before the end of "
		             "the period; ask for a shorter one");
		return HT_AUDIT_CUT;
	}
	if (err == HT_OK && result->answer.more &&
	    opts->query.mode == HT_QUERY_LIST) {
		ht_audit_say("the broker ended its list before the end: it "
		             "stops, or something was erased meanwhile; ask "
		             "again");
		return HT_AUDIT_GONE;
	}
	if (err == HT_OK)
		err = check_end(&f);
	if (err == HT_OK && opts->query.mode == HT_QUERY_READ)
		result->complete = true;
	if (err == HT_OK || f.code != HT_AUDIT_OK)
		return f.code;
	return ht_audit_unproven(err, f.bad);
}
