/*
 * server.c -- one thread at the audit socket (docs/audit-socket.md).
 */
#include "broker/audit/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker/audit/evidence.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/text.h"

#define BACKLOG        8     /* auditors are few */
#define ASK_MAX        8192  /* bytes of an ASK frame */
#define REFUSAL_GAP_MS 60000 /* refusals are no way to grow the log */
#define QUERY_TEXT_MAX 600   /* bytes of a query's text in its entry */

struct ht_audit_server {
	struct ht_audit_config config;
	char *path;
	int listen_fd;
	int stop_fd; /* eventfd: readable once we are to stop */
	pthread_t thread;
	bool running;
	uint64_t refused_ms; /* when a refusal was logged; 0: never */
	struct ht_buf frame; /* in */
	struct ht_buf out;
};

/* One auditor's visit. */
struct visit {
	struct ht_audit_server *server;
	int fd;
	uint8_t challenge[HT_CHALLENGE_SIZE];
	struct ht_slice name; /* in server->frame */
	struct ht_slice query_bytes;
	struct ht_query query;
};

/* ---- frames out ---- */

static enum ht_err
send_out(struct visit *v, uint64_t deadline_ms)
{
	struct ht_audit_server *s = v->server;

	if (s->out.err != HT_OK)
		return s->out.err;
	return ht_audit_send(
	    v->fd, ht_buf_slice(&s->out), deadline_ms, s->stop_fd);
}

static void
refuse(struct visit *v, unsigned code, const char *text)
{
	struct ht_buf *out = &v->server->out;

	ht_buf_reset(out);
	ht_pack_array(out, 3);
	ht_pack_uint(out, HT_AUDIT_REFUSED);
	ht_pack_uint(out, code);
	ht_pack_cstr(out, text);
	/* Who does not wait for the reason does not get it. */
	(void)!send_out(v, ht_clock_mono_ms() + HT_AUDIT_ASK_MS);
}

/* [CHALLENGE, version, origin, challenge] */
static enum ht_err
send_challenge(struct visit *v, uint64_t deadline_ms)
{
	struct ht_buf *out = &v->server->out;

	ht_random(v->challenge, sizeof(v->challenge));
	ht_buf_reset(out);
	ht_pack_array(out, 4);
	ht_pack_uint(out, HT_AUDIT_CHALLENGE);
	ht_pack_uint(out, HT_AUDIT_VERSION);
	ht_pack_cstr(out, v->server->config.log->origin);
	ht_pack_bin(out, v->challenge, sizeof(v->challenge));
	return send_out(v, deadline_ms);
}

/* ---- the entry ---- */

/* What stays of a question for good. */
struct trace {
	struct ht_slice auditor, purpose, text;
	const struct ht_hash *hash; /* NULL: of nothing */
	bool uncounted; /* the number of rows could name a subject */
	uint64_t matched, size;
};

/* {"auditor", "hash", "matched", "purpose", "query", "size"} */
static enum ht_err
note(struct ht_audit_server *s, const struct trace *t, uint64_t *ret_place)
{
	struct ht_buf *out = &s->out;
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
static enum ht_err
note_query(
    struct visit *v, const struct ht_audit_answer *a, uint64_t *ret_place)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(16 * 1024);
	struct ht_hash hash = ht_sha256(v->query_bytes);
	struct trace trace = {
	    .auditor = v->name,
	    .purpose = v->query.why,
	    .hash = &hash,
	    .uncounted = v->query.filter.has_subject,
	    .matched = a->matched,
	    .size = a->size,
	};

	ht_query_trace(&v->query, &text);
	trace.text = ht_buf_slice(&text);
	return text.err == HT_OK ? note(v->server, &trace, ret_place)
	                         : text.err;
}

/*
 * Who is no auditor leaves a trace, without a word of what they claimed, and
 * not more than once a minute.
 */
static void
note_refusal(struct visit *v)
{
	struct ht_audit_server *s = v->server;
	struct trace trace = {
	    .text = ht_slice_str("refused: not the signature of an auditor"),
	    .size = ht_log_size(s->config.log),
	};
	uint64_t now = ht_clock_mono_ms(), place;

	ht_log(HT_WARN, "audit: a query without an auditor's signature was "
	                "refused");
	if (s->refused_ms != 0 && now - s->refused_ms < REFUSAL_GAP_MS)
		return;
	s->refused_ms = now;
	if (note(s, &trace, &place) != HT_OK)
		ht_log(HT_ERROR, "audit: the refusal could not be logged");
}

/* ---- a visit ---- */

/* [ASK, auditor, query, signature] */
static bool
take_ask(struct visit *v, struct ht_sig *ret_sig)
{
	struct ht_slice frame = ht_buf_slice(&v->server->frame);
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

static enum ht_err
send_answer(struct visit *v, const struct ht_audit_answer *a, uint64_t place)
{
	struct ht_buf *out = &v->server->out;
	uint64_t deadline = ht_clock_mono_ms() + HT_AUDIT_SEND_MS;
	enum ht_err err;

	ht_buf_reset(out);
	ht_pack_array(out, 4);
	ht_pack_uint(out, HT_AUDIT_ANSWER);
	ht_pack_uint(out, a->size);
	ht_pack_bin(out, a->checkpoint.at, a->checkpoint.len);
	ht_pack_uint(out, place);
	err = send_out(v, deadline);
	for (size_t i = 0; i < a->n_frames && err == HT_OK; i++)
		err = ht_audit_send(v->fd, ht_buf_slice(&a->frames[i]),
		    deadline, v->server->stop_fd);
	ht_buf_reset(out);
	ht_pack_array(out, 5);
	ht_pack_uint(out, HT_AUDIT_END);
	ht_pack_uint(out, a->scanned);
	ht_pack_uint(out, a->matched);
	ht_pack_bool(out, a->more);
	ht_pack_uint(out, a->next_seq);
	return err == HT_OK ? send_out(v, deadline) : err;
}

static void
answer(struct visit *v)
{
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};
	const struct ht_audit_config *c = &v->server->config;
	uint64_t place;
	enum ht_err err = ht_audit_answer(c->log, c->index, &v->query, &a);

	if (err == HT_EINTEGRITY)
		ht_log(HT_ERROR, "audit: a query met an entry that does not "
		                 "hold; run hutong-audit verify");
	if (err != HT_OK) {
		refuse(v,
		    err == HT_EINTEGRITY ? HT_AUDIT_BROKEN_LOG
		    : err == HT_EINVALID ? HT_AUDIT_BAD_QUERY
		                         : HT_AUDIT_UNAVAILABLE,
		    ht_err_text(err));
		return;
	}
	if (note_query(v, &a, &place) != HT_OK) {
		refuse(v, HT_AUDIT_UNAVAILABLE,
		    "the query could not be logged, so it is not answered");
		return;
	}
	(void)!send_answer(v, &a, place);
}

static void
visit(struct ht_audit_server *s, int fd)
{
	struct visit v = {.server = s, .fd = fd};
	uint64_t deadline = ht_clock_mono_ms() + HT_AUDIT_ASK_MS;
	const char *why = NULL;
	struct ht_sig sig;

	if (send_challenge(&v, deadline) != HT_OK ||
	    ht_audit_recv(fd, &s->frame, deadline, s->stop_fd) != HT_OK)
		return;
	if (!take_ask(&v, &sig)) {
		refuse(&v, HT_AUDIT_BAD_FORM,
		    "the frame is not in the form of docs/audit-socket.md");
		return;
	}
	if (!is_auditor(&v, &sig)) {
		note_refusal(&v);
		refuse(&v, HT_AUDIT_NO_AUDITOR,
		    "the root in force has no auditor of this name and key");
		return;
	}
	if (ht_query_decode(v.query_bytes, &v.query, &why) != HT_OK) {
		refuse(&v, HT_AUDIT_BAD_FORM, why);
		return;
	}
	answer(&v);
}

/* ---- the thread ---- */

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
		if (fd == -1)
			continue;
		visit(s, fd);
		ht_fd_close(&fd);
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
	ht_buf_fini(&s->frame);
	ht_buf_fini(&s->out);
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
	s->frame = HT_BUF(ASK_MAX);
	s->out = HT_BUF(ASK_MAX);
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
		(void)unlink(s->path);
	}
	server_free(server_p);
}
