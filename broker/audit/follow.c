/*
 * follow.c -- long answers at the audit socket: every entry of a period, or
 * entries as they become durable, or all looks at a subject
 * (docs/audit-socket.md, "Long answers").
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "broker/audit/gone.h"
#include "broker/audit/list.h"
#include "broker/audit/server_in.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define LOOK_MS 200 /* between looks at the log's size: an atomic load */
#define NO_ROLLS                                                               \
	"the rolls that prove a list are being made (the index is new, or "    \
	"something was erased); try again in a while"

struct stream {
	struct visit *visit;
	uint64_t end_ms;  /* then it is over */
	uint64_t beat_ms; /* of the newest UPDATE */
	uint64_t size;    /* the checkpoint that the auditor has */
	uint64_t next;    /* entries below were looked at */
	uint64_t begin;   /* READ: the first entry of the period */
	uint64_t stop;    /* READ: the last entry + 1; FOLLOW: never */
	bool noted;
	uint64_t place; /* the entry that the question became */
	uint64_t sent;  /* rows */
	uint64_t scanned;
	struct ht_audit_range *range; /* READ */
	struct ht_buf frame;
	struct ht_list_make *list; /* LIST */
	bool from_below;           /* READ, LIST: what was removed is said */
};

static void
stream_fini(struct stream *st)
{
	ht_audit_range_free(&st->range);
	ht_buf_fini(&st->frame);
	ht_list_make_free(&st->list);
}

static uint64_t
send_deadline(void)
{
	return ht_clock_mono_ms() + HT_AUDIT_SEND_MS;
}

/* ---- what may be asked at length ---- */

bool
visit_asks_for_all(const struct ht_query *q)
{
	const struct ht_filter *f = &q->filter;

	return !q->evidence && !q->has_seq && f->member.len == 0 &&
	       f->peer.len == 0 && f->item.len == 0 && f->purpose.len == 0 &&
	       f->operation == -1 && f->status == -1 && f->type == -1 &&
	       !f->has_exchange && f->limit == 0 && q->last == 0;
}

static bool
asks_for_sense(const struct ht_query *q)
{
	const struct ht_filter *f = &q->filter;

	if (q->mode == HT_QUERY_FOLLOW)
		return !q->evidence && !q->has_seq && f->size == 0 &&
		       f->to_us == 0;
	if (q->mode == HT_QUERY_LIST &&
	    (f->from_us > 0 || f->to_us > 0 || f->start_seq > 0))
		return false;
	return visit_asks_for_all(q) &&
	       f->has_subject == (q->mode == HT_QUERY_LIST);
}

/* ---- sending ---- */

static enum ht_err
send_frames(struct stream *st, const struct ht_audit_answer *a)
{
	struct visit *v = st->visit;
	uint64_t deadline = send_deadline();
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < a->n_frames && err == HT_OK; i++)
		err = ht_audit_send(v->fd, ht_buf_slice(&a->frames[i]),
		    deadline, v->server->stop_fd);
	if (err == HT_OK)
		st->sent += a->matched;
	st->scanned += a->scanned;
	return err;
}

/* [UPDATE, size, checkpoint, path] */
static enum ht_err
send_update(struct stream *st, const struct ht_audit_answer *a)
{
	struct visit *v = st->visit;
	struct ht_buf *out = &v->out;

	ht_buf_reset(out);
	ht_pack_array(out, 4);
	ht_pack_uint(out, HT_AUDIT_UPDATE);
	ht_pack_uint(out, a->size);
	ht_pack_bin(out, a->checkpoint.at, a->checkpoint.len);
	ht_pack_array(out, (uint32_t)a->n_path);
	for (size_t i = 0; i < a->n_path; i++)
		ht_pack_bin(out, a->path[i].at, HT_HASH_SIZE);
	st->size = a->size;
	st->beat_ms = ht_clock_mono_ms();
	return visit_send(v, send_deadline());
}

/* ---- the modes, a step at a time ---- */

/* The next entries; where the period begins and ends is settled. */
static enum ht_err
read_step(struct stream *st, bool *ret_more)
{
	struct visit *v = st->visit;
	size_t n = 0;
	enum ht_err err;

	ht_buf_reset(&st->frame);
	err = ht_audit_range_next(st->range, &st->frame, &n);
	if (err == HT_OK && n > 0)
		err = ht_audit_send(v->fd, ht_buf_slice(&st->frame),
		    send_deadline(), v->server->stop_fd);
	if (err != HT_OK)
		return err;
	st->sent += n;
	st->scanned += n;
	st->next += n;
	*ret_more = st->next < st->stop;
	return HT_OK;
}

/* A roll, or some rows. */
static enum ht_err
list_step(struct stream *st, bool *ret_more)
{
	struct visit *v = st->visit;
	enum ht_err err;

	ht_buf_reset(&st->frame);
	err = ht_list_next(st->list, &st->frame, ret_more);
	if (err == HT_OK && *ret_more)
		err = ht_audit_send(v->fd, ht_buf_slice(&st->frame),
		    send_deadline(), v->server->stop_fd);
	st->sent = ht_list_sent(st->list);
	st->scanned = st->sent;
	if (err == HT_OK && !*ret_more)
		st->next = st->stop;
	return err;
}

/* What came since; an UPDATE before rows, and as a sign of life. */
static enum ht_err
follow_step(struct stream *st, struct ht_query *q, bool *ret_more)
{
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};
	const struct ht_audit_config *c = &st->visit->server->config;
	bool due = ht_clock_mono_ms() - st->beat_ms >= HT_AUDIT_BEAT_MS;
	enum ht_err err;

	*ret_more = false;
	if (!due && ht_log_size(c->log) == st->next)
		return HT_OK;
	q->filter.start_seq = st->next;
	q->since = st->size;
	err = ht_audit_answer(c->log, c->index, q, &a);
	if (err == HT_OK && (due || (a.matched > 0 && a.size > st->size)))
		err = send_update(st, &a);
	if (err == HT_OK)
		err = send_frames(st, &a);
	if (err != HT_OK)
		return err;
	st->next = a.more ? a.next_seq : a.size;
	*ret_more = a.more;
	return HT_OK;
}

/*
 * HT_EAGAIN: we are to stop; HT_EPROTOCOL: the auditor left.  Who has asked
 * has nothing more to say, so whatever comes is the end of the connection.
 */
static enum ht_err
pause_for(struct stream *st, int ms)
{
	struct pollfd fds[] = {
	    {.fd = st->visit->fd,              .events = POLLIN | POLLRDHUP},
	    {.fd = st->visit->server->stop_fd, .events = POLLIN            }
        };

	if (poll(fds, 2, ms) == -1)
		return errno == EINTR ? HT_OK : HT_ESYSTEM;
	if (fds[1].revents != 0)
		return HT_EAGAIN;
	return fds[0].revents != 0 ? HT_EPROTOCOL : HT_OK;
}

/* ---- from beginning to end ---- */

/* The period's places, with its neighbours. */
static enum ht_err
settle_read(struct stream *st, struct ht_query *q, struct ht_audit_answer *a)
{
	const struct ht_audit_config *c = &st->visit->server->config;
	struct ht_query nothing = *q;
	uint64_t lo = 0, hi = 0;
	enum ht_err err;

	nothing.filter.start_seq = UINT64_MAX; /* the checkpoint alone */
	err = ht_audit_answer(c->log, c->index, &nothing, a);
	if (err != HT_OK)
		return err;
	if (q->filter.size == 0)
		q->filter.size = a->size;
	err = ht_index_bounds(c->index, &q->filter, &lo, &hi);
	if (err != HT_OK)
		return err;
	st->begin = lo;
	st->from_below = lo == ht_log_begin(c->log);
	st->next = st->from_below ? lo : lo - 1;
	st->stop = hi < a->size ? hi + 1 : a->size;
	return ht_audit_range(
	    c->log, st->next, st->stop, a->size, st->begin, &st->range);
}

/* The tree that the list is of, and where its frames come from. */
static enum ht_err
settle_list(struct stream *st, struct ht_query *q, struct ht_audit_answer *a)
{
	const struct ht_audit_config *c = &st->visit->server->config;
	struct ht_query nothing = HT_QUERY_ALL;
	enum ht_err err;

	nothing.since = q->since;
	nothing.filter.size = q->filter.size;
	nothing.filter.start_seq = UINT64_MAX; /* the checkpoint alone */
	err = ht_audit_answer(c->log, c->index, &nothing, a);
	if (err == HT_OK)
		err = ht_list_make(c->log, c->index, &q->filter.subject,
		    q->filter.size == 0 ? a->size : q->filter.size, a->size,
		    HT_LIST_WHOLE, &st->list);
	st->stop = 1;
	st->from_below = true;
	return err;
}

/* Before rows that begin where the log does. */
static enum ht_err
send_removed(struct stream *st)
{
	struct visit *v = st->visit;
	enum ht_err err;

	if (!st->from_below)
		return HT_OK;
	ht_buf_reset(&st->frame);
	err = ht_gone_make(v->server->config.log, st->size, &st->frame);
	if (err != HT_OK)
		return err == HT_ENOTFOUND ? HT_OK : err;
	return ht_audit_send(v->fd, ht_buf_slice(&st->frame), send_deadline(),
	    v->server->stop_fd);
}

static enum ht_err
settle(struct stream *st, struct ht_query *q, struct ht_audit_answer *a)
{
	const struct ht_audit_config *c = &st->visit->server->config;

	if (!asks_for_sense(q))
		return HT_EINVALID;
	if (q->mode == HT_QUERY_READ)
		return settle_read(st, q, a);
	if (q->mode == HT_QUERY_LIST)
		return settle_list(st, q, a);
	return ht_audit_answer(c->log, c->index, q, a);
}

static enum ht_err
begin(struct stream *st, struct ht_query *q)
{
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};
	struct visit *v = st->visit;
	enum ht_err err;

	if (q->mode == HT_QUERY_FOLLOW && q->last == 0)
		q->filter.limit = HT_AUDIT_PAGE;
	err = settle(st, q, &a);
	if (err != HT_OK) {
		if (err == HT_EAGAIN)
			visit_refuse(v, HT_AUDIT_BUSY, NO_ROLLS);
		else
			visit_refuse_error(v, err);
		return err;
	}
	err = visit_note_query(
	    v, HT_SLICE(NULL, 0), a.matched, a.size, &st->place);
	if (err != HT_OK) {
		visit_refuse(v, HT_AUDIT_UNAVAILABLE, VISIT_NOT_LOGGED);
		return err;
	}
	st->noted = true;
	st->size = a.size;
	st->beat_ms = ht_clock_mono_ms();
	err = visit_send_head(v, &a, st->place, send_deadline());
	if (err == HT_OK)
		err = send_removed(st);
	if (q->mode == HT_QUERY_FOLLOW) {
		st->stop = UINT64_MAX;
		st->next = a.more ? a.next_seq : a.size;
		q->last = 0;
		q->filter.limit = HT_AUDIT_PAGE;
		if (err == HT_OK)
			err = send_frames(st, &a);
	}
	return err;
}

static enum ht_err
step(struct stream *st, struct ht_query *q, bool *ret_more)
{
	switch (q->mode) {
	case HT_QUERY_READ:
		return read_step(st, ret_more);
	case HT_QUERY_LIST:
		return list_step(st, ret_more);
	default:
		return follow_step(st, q, ret_more);
	}
}

static enum ht_err
run(struct stream *st, struct ht_query *q)
{
	enum ht_err err = HT_OK;

	while (err == HT_OK && st->next < st->stop) {
		bool more = false;

		if (ht_clock_mono_ms() >= st->end_ms)
			return HT_ETIMEOUT;
		err = step(st, q, &more);
		if (err == HT_OK)
			err = pause_for(st,
			    more || q->mode != HT_QUERY_FOLLOW ? 0 : LOOK_MS);
	}
	return err;
}

/* So that the log tells what was seen, also when nobody waits for the end. */
static void
note_end(struct stream *st)
{
	struct visit *v = st->visit;
	char text[64];
	uint64_t place;

	(void)snprintf(text, sizeof(text), "end of entry %llu",
	    (unsigned long long)st->place);
	if (visit_note_query(
	        v, ht_slice_str(text), st->sent, st->next, &place) != HT_OK)
		ht_log(HT_ERROR,
		    "audit: the end of a long answer could not be logged");
}

void
visit_long(struct visit *v)
{
	HT_AUTO(stream_fini)
	struct stream st = {.visit = v,
	    .end_ms = ht_clock_mono_ms() + HT_AUDIT_LONG_MS,
	    .frame = HT_BUF(HT_AUDIT_FRAME_MAX)};
	struct ht_query q = v->query;
	enum ht_err err = begin(&st, &q);

	if (st.noted && err == HT_OK)
		err = run(&st, &q);
	if (!st.noted)
		return;
	if (err == HT_EINTEGRITY || err == HT_EGONE)
		visit_refuse_error(v, err);
	note_end(&st);
	/* Who left may still read; who is to stop waits for nobody. */
	(void)!visit_send_end(
	    v, st.scanned, st.sent, err != HT_OK, st.next, send_deadline());
}
