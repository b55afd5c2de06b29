/*
 * server.c -- the audit socket (docs/audit-socket.md): a thread that accepts,
 * and one for each of a few auditors.
 */
#include "broker/audit/server_in.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker/log/evidence.h"
#include "broker/log/remove.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"
#include "lib/base/text.h"

#define BACKLOG        8     /* auditors are few */
#define ASK_MAX        8192  /* bytes of an ASK frame */
#define REFUSAL_GAP_MS 60000 /* refusals are no way to grow the log */
#define QUERY_TEXT_MAX 600   /* bytes of a query's text in its entry */

/* ---- frames out ---- */

enum ht_err
visit_send(struct visit *v, uint64_t deadline_ms)
{
	if (v->out.err != HT_OK)
		return v->out.err;
	return ht_audit_send(
	    v->fd, ht_buf_slice(&v->out), deadline_ms, v->server->stop_fd);
}

static void
pack_refusal(struct ht_buf *out, unsigned code, const char *text)
{
	ht_buf_reset(out);
	ht_pack_array(out, 3);
	ht_pack_uint(out, HT_AUDIT_REFUSED);
	ht_pack_uint(out, code);
	ht_pack_cstr(out, text);
}

void
visit_refuse(struct visit *v, unsigned code, const char *text)
{
	pack_refusal(&v->out, code, text);
	/* Who does not wait for the reason does not get it. */
	(void)!visit_send(v, ht_clock_mono_ms() + HT_AUDIT_ASK_MS);
}

/* Whoever doubts it can have that entry proven. */
static void
refuse_gone(struct visit *v)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	struct ht_remove_said said = {0};
	char text[160];
	uint64_t seq = 0;

	if (ht_log_removal(v->server->config.log, &leaf, &seq, &said) != HT_OK)
		said.end = 0;
	(void)snprintf(text, sizeof(text),
	    "the entries below %llu were removed, by entry %llu, which can "
	    "be shown and proven",
	    (unsigned long long)said.end, (unsigned long long)seq);
	visit_refuse(v, HT_AUDIT_BAD_QUERY, text);
}

void
visit_refuse_error(struct visit *v, enum ht_err err)
{
	const struct ht_log *log = v->server->config.log;
	char text[96];

	if (err == HT_EINTEGRITY)
		ht_log(HT_ERROR, "audit: a query met an entry that does not "
		                 "hold; run hutong-audit verify");
	if (err == HT_EGONE) {
		refuse_gone(v);
		return;
	}
	(void)snprintf(text, sizeof(text),
	    "it asks for what is not there: the log has %llu entries as yet",
	    (unsigned long long)ht_log_size(log));
	visit_refuse(v,
	    err == HT_EINTEGRITY ? HT_AUDIT_BROKEN_LOG
	    : err == HT_EINVALID ? HT_AUDIT_BAD_QUERY
	                         : HT_AUDIT_UNAVAILABLE,
	    err == HT_EINVALID ? text : ht_err_text(err));
}

/* [CHALLENGE, version, origin, challenge] */
static enum ht_err
send_challenge(struct visit *v, uint64_t deadline_ms)
{
	struct ht_buf *out = &v->out;

	ht_random(v->challenge, sizeof(v->challenge));
	ht_buf_reset(out);
	ht_pack_array(out, 4);
	ht_pack_uint(out, HT_AUDIT_CHALLENGE);
	ht_pack_uint(out, HT_AUDIT_VERSION);
	ht_pack_cstr(out, v->server->config.log->origin);
	ht_pack_bin(out, v->challenge, sizeof(v->challenge));
	return visit_send(v, deadline_ms);
}

/* ---- the entry ---- */

/* {"auditor", "hash", "matched", "purpose", "query", "size"} */
enum ht_err
visit_note(struct visit *v, const struct visit_trace *t, uint64_t *ret_place)
{
	struct ht_audit_server *s = v->server;
	struct ht_buf *out = &v->out;
	struct ht_slice text = t->text;

	if (text.len > QUERY_TEXT_MAX)
		text.len = ht_utf8_cut(text, QUERY_TEXT_MAX);
	ht_buf_reset(out);
	ht_pack_map(out, 6);
	ht_pack_cstr(out, "auditor");
	ht_pack_str(out, t->auditor);
	ht_pack_cstr(out, "hash");
	if (t->hash != NULL)
		ht_pack_bin(out, t->hash->at, sizeof(t->hash->at));
	else
		ht_pack_nil(out);
	ht_pack_cstr(out, "matched");
	if (t->uncounted)
		ht_pack_nil(out);
	else
		ht_pack_uint(out, t->matched);
	ht_pack_cstr(out, "purpose");
	ht_pack_str(out, t->purpose);
	ht_pack_cstr(out, "query");
	ht_pack_str(out, text);
	ht_pack_cstr(out, "size");
	ht_pack_uint(out, t->size);
	if (out->err != HT_OK)
		return out->err;
	return s->config.note(s->config.arg, ht_buf_slice(out), ret_place);
}

/*
 * The purpose is for all to read; whom the question was about is not, and
 * nothing can be erased here: the query's hash has a salt in it, and how many
 * entries a subject has is left out, since that may be true of no other.
 */
enum ht_err
visit_note_query(struct visit *v, struct ht_slice text, uint64_t matched,
    uint64_t size, uint64_t *ret_place)
{
	HT_AUTO(ht_buf_fini) struct ht_buf own = HT_BUF(16 * 1024);
	struct ht_hash hash = ht_sha256(v->query_bytes);
	struct visit_trace trace = {
	    .auditor = v->name,
	    .purpose = v->query.why,
	    .text = text,
	    .hash = &hash,
	    .uncounted = v->query.filter.has_subject,
	    .matched = matched,
	    .size = size,
	};

	if (text.len == 0) {
		ht_query_trace(&v->query, &own);
		trace.text = ht_buf_slice(&own);
	}
	return own.err == HT_OK ? visit_note(v, &trace, ret_place) : own.err;
}

static bool
refusal_is_due(struct ht_audit_server *s)
{
	uint64_t now = ht_clock_mono_ms();
	bool due;

	pthread_mutex_lock(&s->lock);
	due = s->refused_ms == 0 || now - s->refused_ms >= REFUSAL_GAP_MS;
	if (due)
		s->refused_ms = now;
	pthread_mutex_unlock(&s->lock);
	return due;
}

/*
 * Who is no auditor leaves a trace, without a word of what they claimed, and
 * not more than once a minute.
 */
static void
note_refusal(struct visit *v)
{
	struct ht_audit_server *s = v->server;
	struct visit_trace trace = {
	    .text = ht_slice_str("refused: not the signature of an auditor"),
	    .size = ht_log_size(s->config.log),
	};
	uint64_t place;

	ht_log(HT_WARN, "audit: a query without an auditor's signature was "
	                "refused");
	if (refusal_is_due(s) && visit_note(v, &trace, &place) != HT_OK)
		ht_log(HT_ERROR, "audit: the refusal could not be logged");
}

/* ---- a visit ---- */

/* [ASK, auditor, query, signature] */
static bool
take_ask(struct visit *v, struct ht_sig *ret_sig)
{
	struct ht_slice frame = ht_buf_slice(&v->frame);
	struct ht_unpack u;

	if (ht_pack_check(frame, NULL, NULL) != HT_OK)
		return false;
	u = ht_unpack(frame);
	ht_unpack_array_of(&u, 4);
	if (ht_unpack_uint(&u, UINT8_MAX) != HT_AUDIT_ASK)
		return false;
	v->name = ht_unpack_str(&u, HT_NAME_MAX);
	v->query_bytes = ht_unpack_bin(&u, HT_QUERY_MAX);
	ht_unpack_fixed(&u, ret_sig->at, sizeof(ret_sig->at));
	return ht_unpack_end(&u) == HT_OK;
}

static bool
is_auditor(struct visit *v, const struct ht_sig *sig)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(2 * HT_QUERY_MAX);
	const struct ht_audit_config *c = &v->server->config;
	struct ht_vkey vkey;

	if (!c->auditor(c->arg, v->name, &vkey))
		return false;
	ht_audit_signed(
	    ht_slice_str(c->log->origin), v->challenge, v->query_bytes, &text);
	return text.err == HT_OK && ht_verify(&vkey.pub, HT_AUDIT_LABEL,
	                                ht_buf_slice(&text), sig) == HT_OK;
}

enum ht_err
visit_send_head(struct visit *v, const struct ht_audit_answer *a,
    uint64_t place, uint64_t deadline_ms)
{
	struct ht_buf *out = &v->out;

	ht_buf_reset(out);
	ht_pack_array(out, 5);
	ht_pack_uint(out, HT_AUDIT_ANSWER);
	ht_pack_uint(out, a->size);
	ht_pack_bin(out, a->checkpoint.at, a->checkpoint.len);
	ht_pack_uint(out, place);
	ht_pack_array(out, (uint32_t)a->n_path);
	for (size_t i = 0; i < a->n_path; i++)
		ht_pack_bin(out, a->path[i].at, HT_HASH_SIZE);
	return visit_send(v, deadline_ms);
}

enum ht_err
visit_send_end(struct visit *v, uint64_t scanned, uint64_t matched, bool more,
    uint64_t next_seq, uint64_t deadline_ms)
{
	struct ht_buf *out = &v->out;

	ht_buf_reset(out);
	ht_pack_array(out, 5);
	ht_pack_uint(out, HT_AUDIT_END);
	ht_pack_uint(out, scanned);
	ht_pack_uint(out, matched);
	ht_pack_bool(out, more);
	ht_pack_uint(out, next_seq);
	return visit_send(v, deadline_ms);
}

static enum ht_err
send_answer(struct visit *v, const struct ht_audit_answer *a, uint64_t place)
{
	uint64_t deadline = ht_clock_mono_ms() + HT_AUDIT_SEND_MS;
	enum ht_err err = visit_send_head(v, a, place, deadline);

	for (size_t i = 0; i < a->n_frames && err == HT_OK; i++)
		err = ht_audit_send(v->fd, ht_buf_slice(&a->frames[i]),
		    deadline, v->server->stop_fd);
	return err == HT_OK ? visit_send_end(v, a->scanned, a->matched, a->more,
	                          a->next_seq, deadline)
	                    : err;
}

static void
answer(struct visit *v)
{
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};
	const struct ht_audit_config *c = &v->server->config;
	uint64_t place;
	enum ht_err err = ht_audit_answer(c->log, c->index, &v->query, &a);

	if (err != HT_OK) {
		visit_refuse_error(v, err);
		return;
	}
	err = visit_note_query(v, HT_SLICE(NULL, 0), a.matched, a.size, &place);
	if (err == HT_OK)
		(void)!send_answer(v, &a, place);
	else
		visit_refuse(v, HT_AUDIT_UNAVAILABLE, VISIT_NOT_LOGGED);
}

/* A place among the long answers; false: they are all taken. */
static bool
take_long(struct ht_audit_server *s)
{
	bool room;

	pthread_mutex_lock(&s->lock);
	room = s->longs < HT_AUDIT_LONGS;
	if (room)
		s->longs++;
	pthread_mutex_unlock(&s->lock);
	return room;
}

static void
answer_long(struct visit *v)
{
	struct ht_audit_server *s = v->server;

	if (!take_long(s)) {
		visit_refuse(v, HT_AUDIT_BUSY,
		    "as many auditors follow or read as may; try again when "
		    "one of them has ended");
		return;
	}
	visit_long(v);
	pthread_mutex_lock(&s->lock);
	s->longs--;
	pthread_mutex_unlock(&s->lock);
}

static void
visit(struct visit *v)
{
	uint64_t deadline = ht_clock_mono_ms() + HT_AUDIT_ASK_MS;
	const char *why = NULL;
	struct ht_sig sig;

	if (send_challenge(v, deadline) != HT_OK ||
	    ht_audit_recv(v->fd, &v->frame, deadline, v->server->stop_fd) !=
	        HT_OK)
		return;
	if (!take_ask(v, &sig)) {
		visit_refuse(v, HT_AUDIT_BAD_FORM,
		    "the frame is not in the form of docs/audit-socket.md");
		return;
	}
	if (!is_auditor(v, &sig)) {
		note_refusal(v);
		visit_refuse(v, HT_AUDIT_NO_AUDITOR,
		    "the root in force has no auditor of this name and key");
		return;
	}
	if (ht_query_decode(v->query_bytes, &v->query, &why) != HT_OK)
		visit_refuse(v, HT_AUDIT_BAD_FORM, why);
	else if (v->query.mode == HT_QUERY_SEARCH)
		answer(v);
	else if (v->query.mode == HT_QUERY_WITNESSES)
		visit_vouch(v);
	else
		answer_long(v);
}

/* ---- the threads ---- */

static void
visit_free(struct visit **v_p)
{
	struct visit *v = HT_TAKE(*v_p);

	if (v == NULL)
		return;
	ht_fd_close(&v->fd);
	ht_buf_fini(&v->frame);
	ht_buf_fini(&v->out);
	free(v);
}

static void *
run_visit(void *arg)
{
	struct visit *v = arg;
	struct ht_audit_server *s = v->server;

	visit(v);
	visit_free(&v);
	pthread_mutex_lock(&s->lock);
	s->visits--;
	pthread_cond_signal(&s->gone);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static bool
take_visit(struct ht_audit_server *s)
{
	bool room;

	pthread_mutex_lock(&s->lock);
	room = s->visits < HT_AUDIT_VISITS;
	if (room)
		s->visits++;
	pthread_mutex_unlock(&s->lock);
	return room;
}

static void
drop_visit(struct ht_audit_server *s)
{
	pthread_mutex_lock(&s->lock);
	s->visits--;
	pthread_mutex_unlock(&s->lock);
}

/* It fits into the socket's buffer, so nobody waits for it. */
static void
turn_away(int fd, unsigned code, const char *text)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(ASK_MAX);

	pack_refusal(&out, code, text);
	if (out.err == HT_OK)
		(void)!ht_audit_send(fd, ht_buf_slice(&out), 0, -1);
}

static bool
start_visit(struct ht_audit_server *s, int *fd)
{
	HT_AUTO(visit_free) struct visit *v = calloc(1, sizeof(*v));
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	if (v == NULL)
		return false;
	v->server = s;
	v->fd = *fd;
	*fd = -1;
	v->frame = v->out = HT_BUF(ASK_MAX);
	if (pthread_attr_init(&attr) != 0)
		return false;
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = pthread_create(&thread, &attr, run_visit, v);
	(void)pthread_attr_destroy(&attr);
	if (rc != 0)
		return false;
	(void)HT_TAKE(v);
	return true;
}

static void
welcome(struct ht_audit_server *s, int fd_given)
{
	HT_AUTO(ht_fd_close) int fd = fd_given;

	if (!take_visit(s)) {
		turn_away(fd, HT_AUDIT_BUSY,
		    "as many auditors are here as may; try again in a while");
		return;
	}
	if (start_visit(s, &fd))
		return;
	drop_visit(s);
	ht_log(HT_WARN, "audit: no thread for an auditor");
}

static void *
serve(void *arg)
{
	struct ht_audit_server *s = arg;
	struct pollfd fds[] = {
	    {.fd = s->listen_fd, .events = POLLIN},
	    {.fd = s->stop_fd,   .events = POLLIN}
        };

	for (;;) {
		int fd;

		if (poll(fds, 2, -1) == -1 && errno != EINTR)
			break;
		if (fds[1].revents != 0)
			return NULL;
		if (fds[0].revents == 0)
			continue;
		fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd != -1)
			welcome(s, fd);
	}
	ht_log(
	    HT_ERROR, "audit: the audit socket stopped: %s", strerror(errno));
	return NULL;
}

static enum ht_err
bind_path(struct ht_audit_server *s)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct stat st;

	if (strlen(s->path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		return HT_ESYSTEM;
	}
	memcpy(at.sun_path, s->path, strlen(s->path) + 1);
	/* Only a socket, and only ours: the log's lock says who serves. */
	if (lstat(s->path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(s->path);
	s->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->listen_fd == -1 ||
	    bind(s->listen_fd, (struct sockaddr *)&at, sizeof(at)) == -1 ||
	    chmod(s->path, 0660) == -1 || listen(s->listen_fd, BACKLOG) == -1)
		return HT_ESYSTEM;
	return HT_OK;
}

static void
server_free(struct ht_audit_server **s_p)
{
	struct ht_audit_server *s = HT_TAKE(*s_p);

	if (s == NULL)
		return;
	ht_fd_close(&s->listen_fd);
	ht_fd_close(&s->stop_fd);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->gone);
	free(s->path);
	free(s);
}

enum ht_err
ht_audit_server_start(
    const struct ht_audit_config *config, struct ht_audit_server **ret)
{
	HT_AUTO(server_free) struct ht_audit_server *s = NULL;
	enum ht_err err;

	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return HT_ENOMEM;
	s->config = *config;
	s->listen_fd = s->stop_fd = -1;
	if (pthread_mutex_init(&s->lock, NULL) != 0 ||
	    pthread_cond_init(&s->gone, NULL) != 0)
		HT_NEVER("a lock could not be made");
	s->path = strdup(config->path);
	if (s->path == NULL)
		return HT_ENOMEM;
	s->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (s->stop_fd == -1)
		return HT_ESYSTEM;
	err = bind_path(s);
	if (err != HT_OK)
		return err;
	if (pthread_create(&s->thread, NULL, serve, s) != 0) {
		(void)unlink(s->path);
		return HT_ESYSTEM;
	}
	s->running = true;
	*ret = HT_TAKE(s);
	return HT_OK;
}

void
ht_audit_server_stop(struct ht_audit_server **server_p)
{
	struct ht_audit_server *s = *server_p;
	uint64_t one = 1;

	if (s == NULL)
		return;
	if (s->running) {
		(void)!write(s->stop_fd, &one, sizeof(one));
		pthread_join(s->thread, NULL);
		pthread_mutex_lock(&s->lock);
		while (s->visits > 0)
			pthread_cond_wait(&s->gone, &s->lock);
		pthread_mutex_unlock(&s->lock);
		(void)unlink(s->path);
	}
	server_free(server_p);
}
