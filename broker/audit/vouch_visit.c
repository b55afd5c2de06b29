/*
 * vouch_visit.c -- the audit socket's answer to who has cosigned what.
 */
#include <stdlib.h>

#include "broker/audit/server_in.h"
#include "broker/audit/vouch.h"
#include "lib/base/clock.h"

struct told {
	size_t n;
	struct ht_buf frames[HT_VOUCH_NOTES];
};

static void
told_free(struct told **told_p)
{
	struct told *t = HT_TAKE(*told_p);

	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++)
		ht_buf_fini(&t->frames[i]);
	free(t);
}

static enum ht_err
keep(void *arg, struct ht_slice frame)
{
	struct told *t = arg;
	struct ht_buf *to = &t->frames[t->n++];

	*to = HT_BUF(HT_AUDIT_FRAME_MAX);
	ht_buf_add(to, frame.at, frame.len);
	return to->err;
}

/* Who asks this asks nothing else. */
static bool
asks_for_sense(const struct ht_query *q)
{
	const struct ht_filter *f = &q->filter;

	return visit_asks_for_all(q) && !f->has_subject && f->from_us == 0 &&
	       f->to_us == 0 && f->start_seq == 0 && f->size == 0;
}

/* All of it, before it is logged. */
static enum ht_err
find(struct visit *v, struct ht_audit_answer *a, struct told *told)
{
	const struct ht_audit_config *c = &v->server->config;
	struct ht_query head = v->query;
	enum ht_err err;

	if (!asks_for_sense(&v->query))
		return HT_EINVALID;
	head.filter.start_seq = UINT64_MAX; /* the checkpoint alone */
	err = ht_audit_answer(c->log, c->index, &head, a);
	return err == HT_OK ? ht_vouch_make(c->log, a->size, keep, told) : err;
}

static enum ht_err
send_told(struct visit *v, const struct ht_audit_answer *a,
    const struct told *told, uint64_t place)
{
	uint64_t deadline = ht_clock_mono_ms() + HT_AUDIT_SEND_MS;
	enum ht_err err = visit_send_head(v, a, place, deadline);

	for (size_t i = 0; i < told->n && err == HT_OK; i++)
		err = ht_audit_send(v->fd, ht_buf_slice(&told->frames[i]),
		    deadline, v->server->stop_fd);
	if (err == HT_OK)
		err = visit_send_end(
		    v, told->n, told->n, false, a->size, deadline);
	return err;
}

void
visit_vouch(struct visit *v)
{
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};
	HT_AUTO(told_free) struct told *told = calloc(1, sizeof(*told));
	uint64_t place;
	enum ht_err err = told == NULL ? HT_ENOMEM : find(v, &a, told);

	if (err != HT_OK) {
		visit_refuse_error(v, err);
		return;
	}
	err = visit_note_query(v, HT_SLICE(NULL, 0), told->n, a.size, &place);
	if (err == HT_OK)
		(void)!send_told(v, &a, told, place);
	else
		visit_refuse(v, HT_AUDIT_UNAVAILABLE, VISIT_NOT_LOGGED);
}
