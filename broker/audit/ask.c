/*
 * ask.c -- the auditor's side of the audit socket.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker/audit/query.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/text.h"

/* One more, of what was removed. */
#define FRAMES_MAX (HT_QUERY_ROWS / HT_ROWS_FRAME + 2)

struct ask {
	int fd;
	uint64_t deadline_ms;
	struct ht_buf frame;
	struct ht_buf *why;
	struct ht_audit_answer *answer;
	uint64_t place;
};

static enum ht_err
fail(struct ask *a, enum ht_err err, const char *text)
{
	if (a->why->len == 0)
		ht_buf_str(a->why, text);
	return err;
}

static enum ht_err
open_socket(struct ask *a, const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(at.sun_path))
		return fail(a, HT_EINVALID, "the socket's path is too long");
	memcpy(at.sun_path, path, strlen(path) + 1);
	a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (a->fd != -1 &&
	    connect(a->fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return HT_OK;
	ht_buf_fmt(a->why,
	    "cannot reach a broker at %s: %s; is it running, and may you use "
	    "its socket?",
	    path, strerror(errno));
	return HT_ESYSTEM;
}

static enum ht_err
refused(struct ask *a, struct ht_unpack *u)
{
	static const enum ht_err codes[] = {HT_EPROTOCOL, HT_EPROTOCOL,
	    HT_EDENIED, HT_EINVALID, HT_EINTEGRITY, HT_EAGAIN, HT_EAGAIN};
	unsigned code = (unsigned)ht_unpack_uint(u, UINT8_MAX);

	ht_buf_str(a->why, "the broker refused: ");
	ht_text_safe(a->why, ht_unpack_str(u, 1000));
	return code < HT_COUNT(codes) ? codes[code] : HT_EPROTOCOL;
}

/* The next frame, checked; its type.  A refusal ends it here. */
static enum ht_err
next_frame(struct ask *a, struct ht_unpack *u, uint32_t elements, unsigned type)
{
	enum ht_err err = ht_audit_recv(a->fd, &a->frame, a->deadline_ms, -1);
	unsigned got;
	uint32_t n;

	if (err == HT_ETIMEOUT)
		return fail(a, err, "the broker did not answer in time");
	if (err != HT_OK)
		return fail(a, err, "the broker closed the connection");
	if (ht_pack_check(ht_buf_slice(&a->frame), NULL, NULL) != HT_OK)
		return fail(a, HT_EPROTOCOL, "the broker sent no msgpack");
	*u = ht_unpack(ht_buf_slice(&a->frame));
	n = ht_unpack_array(u, 8);
	got = (unsigned)ht_unpack_uint(u, UINT8_MAX);
	if (got == HT_AUDIT_REFUSED && n == 3)
		return refused(a, u);
	if (got != type || n != elements)
		return fail(a, HT_EPROTOCOL, "an unexpected frame came");
	return HT_OK;
}

static enum ht_err
send_ask(struct ask *a, struct ht_slice origin, const uint8_t *challenge,
    const char *auditor, const struct ht_key *key, const struct ht_query *q)
{
	HT_AUTO(ht_buf_fini) struct ht_buf query = HT_BUF(HT_QUERY_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(2 * HT_QUERY_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(2 * HT_QUERY_MAX);
	struct ht_sig sig;
	enum ht_err err = ht_query_encode(q, &query);

	if (err != HT_OK)
		return fail(a, HT_EINVALID, "the query is too long");
	ht_audit_signed(origin, challenge, ht_buf_slice(&query), &text);
	if (text.err != HT_OK)
		return text.err;
	err = ht_sign(key, HT_AUDIT_LABEL, ht_buf_slice(&text), &sig);
	if (err != HT_OK)
		return fail(a, err, "this key cannot sign");
	ht_pack_array(&out, 4);
	ht_pack_uint(&out, HT_AUDIT_ASK);
	ht_pack_cstr(&out, auditor);
	ht_pack_bin(&out, query.at, query.len);
	ht_pack_bin(&out, sig.at, sizeof(sig.at));
	if (out.err != HT_OK)
		return out.err;
	err = ht_audit_send(a->fd, ht_buf_slice(&out), a->deadline_ms, -1);
	return err == HT_OK ? HT_OK
	                    : fail(a, err, "the question could not be sent");
}

/* Challenge and question. */
static enum ht_err
put_question(struct ask *a, const char *origin, const char *auditor,
    const struct ht_key *key, const struct ht_query *q)
{
	uint8_t challenge[HT_CHALLENGE_SIZE];
	struct ht_slice name;
	struct ht_unpack u;
	enum ht_err err;

	a->deadline_ms = ht_clock_mono_ms() + HT_AUDIT_SEND_MS;
	err = next_frame(a, &u, 4, HT_AUDIT_CHALLENGE);
	if (err != HT_OK)
		return err;
	if (ht_unpack_uint(&u, UINT8_MAX) != HT_AUDIT_VERSION)
		return fail(a, HT_EPROTOCOL,
		    "the broker speaks another version of the audit protocol");
	name = ht_unpack_str(&u, HT_NAME_MAX + 64);
	ht_unpack_fixed(&u, challenge, sizeof(challenge));
	if (ht_unpack_end(&u) != HT_OK)
		return fail(a, HT_EPROTOCOL, "an unexpected frame came");
	if (origin != NULL && !ht_slice_is(name, origin)) {
		ht_buf_str(a->why, "the log behind this socket is ");
		ht_text_safe(a->why, name);
		ht_buf_fmt(a->why, ", not %s", origin);
		return HT_EDENIED;
	}
	return send_ask(a, name, challenge, auditor, key, q);
}

static enum ht_err
keep_frame(struct ask *a)
{
	struct ht_audit_answer *r = a->answer;

	if (r->n_frames == FRAMES_MAX)
		return fail(a, HT_EPROTOCOL, "more rows came than were asked");
	if (r->frames == NULL)
		r->frames = calloc(FRAMES_MAX, sizeof(*r->frames));
	if (r->frames == NULL)
		return HT_ENOMEM;
	r->frames[r->n_frames++] = a->frame;
	a->frame = HT_BUF(HT_AUDIT_FRAME_MAX);
	return HT_OK;
}

static enum ht_err
take_end(struct ask *a, struct ht_unpack *u)
{
	a->answer->scanned = ht_unpack_uint(u, UINT64_MAX);
	a->answer->matched = ht_unpack_uint(u, UINT64_MAX);
	a->answer->more = ht_unpack_bool(u);
	a->answer->next_seq = ht_unpack_uint(u, UINT64_MAX);
	if (ht_unpack_end(u) != HT_OK)
		return fail(a, HT_EPROTOCOL, "an unexpected frame came");
	return HT_OK;
}

static enum ht_err
take_rows(struct ask *a)
{
	for (;;) {
		struct ht_unpack u;
		struct ht_slice frame;
		enum ht_err err =
		    ht_audit_recv(a->fd, &a->frame, a->deadline_ms, -1);

		if (err != HT_OK)
			return fail(a, err, "the answer was cut off");
		frame = ht_buf_slice(&a->frame);
		if (ht_pack_check(frame, NULL, NULL) != HT_OK)
			return fail(
			    a, HT_EPROTOCOL, "the broker sent no msgpack");
		u = ht_unpack(frame);
		if (ht_unpack_array(&u, 8) == 5 &&
		    ht_unpack_uint(&u, UINT8_MAX) == HT_AUDIT_END)
			return take_end(a, &u);
		/* Whether these are rows, their proof will say. */
		err = keep_frame(a);
		if (err != HT_OK)
			return err;
	}
}

static size_t
unpack_path(struct ht_unpack *u, struct ht_hash path[static HT_PROOF_MAX])
{
	uint32_t n = ht_unpack_array(u, HT_PROOF_MAX);

	for (uint32_t i = 0; i < n; i++)
		ht_unpack_fixed(u, path[i].at, HT_HASH_SIZE);
	return n;
}

static enum ht_err
take_head(struct ask *a)
{
	struct ht_slice note;
	struct ht_unpack u;
	enum ht_err err = next_frame(a, &u, 5, HT_AUDIT_ANSWER);

	if (err != HT_OK)
		return err;
	a->answer->size = ht_unpack_uint(&u, UINT64_MAX);
	note = ht_unpack_bin(&u, HT_ANSWER_NOTE_MAX);
	a->place = ht_unpack_uint(&u, UINT64_MAX);
	a->answer->n_path = unpack_path(&u, a->answer->path);
	if (ht_unpack_end(&u) != HT_OK)
		return fail(a, HT_EPROTOCOL, "an unexpected frame came");
	a->answer->checkpoint = HT_BUF(HT_ANSWER_NOTE_MAX);
	ht_buf_add(&a->answer->checkpoint, note.at, note.len);
	return a->answer->checkpoint.err;
}

enum ht_err
ht_audit_ask(const char *path, const char *origin, const char *auditor,
    const struct ht_key *key, struct ht_query *query,
    struct ht_audit_answer *ret, uint64_t *ret_place, struct ht_buf *why)
{
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer answer = {0};
	struct ask a = {.fd = -1, .why = why, .answer = &answer};
	enum ht_err err;

	a.frame = HT_BUF(HT_AUDIT_FRAME_MAX);
	ht_random(query->salt, sizeof(query->salt));
	err = open_socket(&a, path);
	if (err == HT_OK)
		err = put_question(&a, origin, auditor, key, query);
	if (err == HT_OK)
		err = take_head(&a);
	if (err == HT_OK)
		err = take_rows(&a);
	ht_fd_close(&a.fd);
	ht_buf_fini(&a.frame);
	if (err != HT_OK)
		return err;
	*ret = answer;
	*ret_place = a.place;
	answer = (struct ht_audit_answer){0};
	return HT_OK;
}

/* ---- long answers ---- */

#define SILENCE_MS (3 * HT_AUDIT_BEAT_MS) /* then the broker is gone */

/*
 * Until a frame begins to come; in the middle of one nobody stops.  Who is
 * told to stop says so to the broker, and reads on up to its END.
 */
static enum ht_err
await_frame(struct ask *a, int *stop_fd, int out_fd, int patience_ms)
{
	struct pollfd fds[] = {
	    {.fd = a->fd,    .events = POLLIN},
            {.fd = *stop_fd, .events = POLLIN},
	    {.fd = out_fd,   .events = 0     }, /* errors alone */
	};
	int n;

	for (;;) {
		fds[1].fd = *stop_fd;
		n = poll(fds, 3, patience_ms);
		if (n == -1 && errno != EINTR)
			return HT_ESYSTEM;
		if (n == 0)
			return fail(a, HT_ETIMEOUT,
			    "the broker went silent; is it still there?");
		if (n > 0 && (fds[1].revents | fds[2].revents) != 0) {
			*stop_fd = fds[2].fd = -1;
			patience_ms = HT_AUDIT_ASK_MS;
			(void)shutdown(a->fd, SHUT_WR);
		} else if (n > 0) {
			return HT_OK;
		}
	}
}

static enum ht_err
take_update(
    struct ask *a, struct ht_unpack *u, const struct ht_audit_stream *stream)
{
	struct ht_hash path[HT_PROOF_MAX];
	uint64_t size = ht_unpack_uint(u, UINT64_MAX);
	struct ht_slice note = ht_unpack_bin(u, HT_ANSWER_NOTE_MAX);
	size_t n = unpack_path(u, path);

	if (ht_unpack_end(u) != HT_OK)
		return fail(a, HT_EPROTOCOL, "an unexpected frame came");
	return stream->update(stream->arg, size, note, path, n);
}

/* One frame of a long answer; *ret_over at its END. */
static enum ht_err
take_part(struct ask *a, const struct ht_audit_stream *stream, bool *ret_over)
{
	struct ht_slice frame;
	struct ht_unpack u;
	unsigned type;
	uint32_t n;
	enum ht_err err;

	a->deadline_ms = ht_clock_mono_ms() + HT_AUDIT_SEND_MS;
	err = ht_audit_recv(a->fd, &a->frame, a->deadline_ms, -1);
	if (err != HT_OK)
		return fail(a, err, "the answer was cut off");
	frame = ht_buf_slice(&a->frame);
	if (ht_pack_check(frame, NULL, NULL) != HT_OK)
		return fail(a, HT_EPROTOCOL, "the broker sent no msgpack");
	u = ht_unpack(frame);
	n = ht_unpack_array(&u, 8);
	type = (unsigned)ht_unpack_uint(&u, UINT8_MAX);
	if (n == 3 && type == HT_AUDIT_REFUSED)
		return refused(a, &u);
	if (n == 4 && type == HT_AUDIT_UPDATE)
		return take_update(a, &u, stream);
	*ret_over = n == 5 && type == HT_AUDIT_END;
	/* Whether these are rows, their proof will say. */
	return *ret_over ? take_end(a, &u) : stream->rows(stream->arg, frame);
}

static enum ht_err
take_parts(struct ask *a, const struct ht_audit_stream *stream)
{
	int stop_fd = stream->stop_fd;
	int out_fd = stream->watch_output ? STDOUT_FILENO : -1;
	bool over = false;
	enum ht_err err = take_head(a);

	if (err == HT_OK)
		err = stream->update(stream->arg, a->answer->size,
		    ht_buf_slice(&a->answer->checkpoint), a->answer->path,
		    a->answer->n_path);
	while (err == HT_OK && !over) {
		err = await_frame(a, &stop_fd, stop_fd == -1 ? -1 : out_fd,
		    stop_fd == stream->stop_fd ? SILENCE_MS : HT_AUDIT_ASK_MS);
		if (err == HT_OK)
			err = take_part(a, stream, &over);
	}
	return err;
}

enum ht_err
ht_audit_ask_long(const char *path, const char *origin, const char *auditor,
    const struct ht_key *key, struct ht_query *query,
    const struct ht_audit_stream *stream, struct ht_audit_end *ret,
    struct ht_buf *why)
{
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer answer = {0};
	struct ask a = {.fd = -1, .why = why, .answer = &answer};
	enum ht_err err;

	a.frame = HT_BUF(HT_AUDIT_FRAME_MAX);
	ht_random(query->salt, sizeof(query->salt));
	err = open_socket(&a, path);
	if (err == HT_OK)
		err = put_question(&a, origin, auditor, key, query);
	if (err == HT_OK)
		err = take_parts(&a, stream);
	ht_fd_close(&a.fd);
	ht_buf_fini(&a.frame);
	*ret = (struct ht_audit_end){.place = a.place,
	    .scanned = answer.scanned,
	    .matched = answer.matched,
	    .more = answer.more,
	    .next_seq = answer.next_seq};
	return err;
}
