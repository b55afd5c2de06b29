/*
 * ask.c -- the auditor's side of the audit socket.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker/audit/query.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/text.h"

#define FRAMES_MAX (HT_QUERY_ROWS / HT_ROWS_FRAME + 1)

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

/* The next frame, checked; its type.  A refusal ends it here. */
static enum ht_err
next_frame(struct ask *a, struct ht_unpack *u, uint32_t elements, unsigned type)
{
	static const enum ht_err codes[] = {HT_EPROTOCOL, HT_EPROTOCOL,
	    HT_EDENIED, HT_EINVALID, HT_EINTEGRITY, HT_EAGAIN};
	enum ht_err err = ht_audit_recv(a->fd, &a->frame, a->deadline_ms, -1);
	unsigned got, code;
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
	if (got == HT_AUDIT_REFUSED && n == 3) {
		code = (unsigned)ht_unpack_uint(u, UINT8_MAX);
		ht_buf_str(a->why, "the broker refused: ");
		ht_text_safe(a->why, ht_unpack_str(u, 1000));
		return code < HT_COUNT(codes) ? codes[code] : HT_EPROTOCOL;
	}
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

static enum ht_err
take_answer(struct ask *a)
{
	struct ht_slice note;
	struct ht_unpack u;
	enum ht_err err = next_frame(a, &u, 4, HT_AUDIT_ANSWER);

	if (err != HT_OK)
		return err;
	a->answer->size = ht_unpack_uint(&u, UINT64_MAX);
	note = ht_unpack_bin(&u, HT_ANSWER_NOTE_MAX);
	a->place = ht_unpack_uint(&u, UINT64_MAX);
	if (ht_unpack_end(&u) != HT_OK)
		return fail(a, HT_EPROTOCOL, "an unexpected frame came");
	a->answer->checkpoint = HT_BUF(HT_ANSWER_NOTE_MAX);
	ht_buf_add(&a->answer->checkpoint, note.at, note.len);
	if (a->answer->checkpoint.err != HT_OK)
		return a->answer->checkpoint.err;
	return take_rows(a);
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
		err = take_answer(&a);
	ht_fd_close(&a.fd);
	ht_buf_fini(&a.frame);
	if (err != HT_OK)
		return err;
	*ret = answer;
	*ret_place = a.place;
	answer = (struct ht_audit_answer){0};
	return HT_OK;
}
