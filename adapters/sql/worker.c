#include "adapters/sql/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/sql/odbc.h"
#include "schemas/pack.h"

/* ---- messages ---- */

enum ht_err
ht_worker_frame(const json_t *message, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini)
	struct ht_buf body = HT_BUF(HT_WORKER_MESSAGE_MAX);
	enum ht_err err = ht_pack_from_json(message, &body);

	if (err != HT_OK)
		return err;
	ht_buf_u32(out, (uint32_t)body.len);
	ht_buf_add(out, body.at, body.len);
	return out->err;
}

enum ht_err
ht_worker_unframe(struct ht_buf *in, json_t **ret)
{
	struct ht_slice body;
	enum ht_err err;
	size_t len;

	if (in->len < 4)
		return HT_EAGAIN;
	len = ht_load32(in->at);
	if (len > HT_WORKER_MESSAGE_MAX)
		return HT_ETOOBIG;
	if (in->len - 4 < len)
		return HT_EAGAIN;
	body = HT_SLICE(in->at + 4, len);
	err = ht_pack_check(body, NULL, NULL);
	if (err == HT_OK)
		err = ht_pack_to_json(body, ret);
	if (err != HT_OK)
		return err;
	in->len -= 4 + len;
	memmove(in->at, in->at + 4 + len, in->len);
	return HT_OK;
}

/* ---- the worker ---- */

struct worker {
	int fd;
	json_t *first; /* the configuration's memory */
	struct ht_odbc_conf conf;
	struct ht_odbc *odbc;
	struct ht_buf in;
	struct ht_buf out;
};

/* The next message; NULL at the end, or when the adapter makes no sense. */
static json_t *
next(struct worker *w)
{
	json_t *message = NULL;
	enum ht_err err;
	uint8_t *room;
	ssize_t n;

	while ((err = ht_worker_unframe(&w->in, &message)) == HT_EAGAIN) {
		room = ht_buf_room(&w->in, 65536);
		if (room == NULL)
			return NULL;
		w->in.len -= 65536;
		do
			n = read(w->fd, room, 65536);
		while (n < 0 && errno == EINTR);
		if (n <= 0)
			return NULL;
		w->in.len += (size_t)n;
	}
	return err == HT_OK ? message : NULL;
}

static bool
put(struct worker *w, const json_t *message)
{
	size_t at = 0;
	ssize_t n;

	ht_buf_reset(&w->out);
	if (ht_worker_frame(message, &w->out) != HT_OK)
		return false;
	while (at < w->out.len) {
		n = send(w->fd, w->out.at + at, w->out.len - at, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

static bool
configure(struct worker *w)
{
	const char *charset;

	w->first = next(w);
	if (w->first == NULL)
		return false;
	charset = json_string_value(json_object_get(w->first, "charset"));
	w->conf.connect =
	    json_string_value(json_object_get(w->first, "connect"));
	w->conf.must_exist =
	    json_string_value(json_object_get(w->first, "exists"));
	w->conf.prepare = json_object_get(w->first, "prepare");
	w->conf.gb18030 = charset != NULL && strcmp(charset, "gb18030") == 0;
	return w->conf.connect != NULL;
}

static bool
serve(struct worker *w, const json_t *ask)
{
	HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(4096);
	HT_AUTO(ht_json_free) json_t *answer = NULL;
	const char *sql = json_string_value(json_object_get(ask, "sql"));
	json_t *result = NULL;
	enum ht_sql_fault fault;

	if (sql == NULL)
		return false;
	fault =
	    ht_odbc_ask(w->odbc, &w->conf, sql, json_object_get(ask, "params"),
	        (uint32_t)json_integer_value(json_object_get(ask, "rows")),
	        (uint32_t)json_integer_value(json_object_get(ask, "seconds")),
	        &result, &why);
	answer = json_pack("{s:i, s:o?, s:s}", "fault", (int)fault, "result",
	    result, "why", why.err == HT_OK ? ht_buf_text(&why) : "");
	if (answer == NULL)
		return false;
	if (result == NULL)
		(void)json_object_set_new(answer, "result", json_null());
	return put(w, answer);
}

/* The other thread is in the driver, perhaps for long. */
static void *
end_when_told(void *arg)
{
	sigset_t end;
	int signal;

	(void)sigemptyset(&end);
	(void)sigaddset(&end, SIGTERM);
	while (sigwait(&end, &signal) != 0)
		;
	ht_odbc_cancel(arg);
	_exit(EXIT_SUCCESS);
}

/* Without it, SIGTERM is what it is for every process: the end. */
static void
listen_for_the_end(struct ht_odbc *odbc)
{
	sigset_t end;
	pthread_t thread;

	(void)sigemptyset(&end);
	(void)sigaddset(&end, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &end, NULL);
	if (pthread_create(&thread, NULL, end_when_told, odbc) == 0)
		(void)pthread_detach(thread);
	else
		(void)pthread_sigmask(SIG_UNBLOCK, &end, NULL);
}

int
ht_worker_main(int fd)
{
	struct worker w = {.fd = fd,
	    .in = HT_BUF(HT_WORKER_MESSAGE_MAX + 65536 + 4),
	    .out = HT_BUF(HT_WORKER_MESSAGE_MAX + 4)};
	json_t *ask;

	/* No adapter, no worker: not even when a driver hangs. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	w.odbc = ht_odbc_new();
	if (w.odbc != NULL && configure(&w)) {
		listen_for_the_end(w.odbc);
		while ((ask = next(&w)) != NULL) {
			bool served = serve(&w, ask);

			json_decref(ask);
			if (!served)
				break;
		}
	}
	ht_odbc_free(&w.odbc);
	json_decref(w.first);
	ht_buf_fini(&w.in);
	ht_buf_fini(&w.out);
	return EXIT_SUCCESS;
}
