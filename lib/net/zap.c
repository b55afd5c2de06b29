/*
 * zap.c -- who may connect (ZeroMQ RFC 27): one thread that answers from
 * memory.
 *
 * It is up before the first bind and stays until after the last close:
 * without it CURVE would be no gate at all.
 */
#include "lib/net/zmq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define ZAP_FRAMES   7
#define ZAP_FIELD    256
#define BIND_TRIES   100 /* of 10 ms */

struct zap {
	void *rep;
	int stop_fd;
	pthread_t thread;
	ht_admit_fn *admit;
	void *arg;
};

/* version, request id, domain, address, identity, mechanism, credentials */
struct zap_request {
	size_t n;
	size_t len[ZAP_FRAMES];
	uint8_t at[ZAP_FRAMES][ZAP_FIELD];
};

/* False when nothing waits (or the context ends). */
static bool
receive(void *rep, struct zap_request *req)
{
	int more = 1;
	size_t size = sizeof(more);

	req->n = 0;
	while (more != 0) {
		uint8_t spare[ZAP_FIELD];
		bool fits = req->n < ZAP_FRAMES;
		int len =
		    zmq_recv(rep, fits ? req->at[req->n] : spare, ZAP_FIELD, 0);

		if (len < 0)
			return false;
		if (fits) /* zmq_recv() says the whole length, having cut */
			req->len[req->n] =
			    len < ZAP_FIELD ? (size_t)len : ZAP_FIELD;
		req->n++;
		HT_ASSERT(zmq_getsockopt(rep, ZMQ_RCVMORE, &more, &size) == 0);
	}
	return true;
}

static bool
frame_is(const struct zap_request *req, size_t i, const char *text)
{
	return req->len[i] == strlen(text) &&
	       memcmp(req->at[i], text, req->len[i]) == 0;
}

static bool
admitted(const struct zap *zap, const struct zap_request *req,
    char user_id[static HT_USERID_MAX + 1])
{
	if (req->n != ZAP_FRAMES || !frame_is(req, 0, "1.0") ||
	    !frame_is(req, 2, ZAP_DOMAIN) || !frame_is(req, 5, "CURVE") ||
	    req->len[6] != HT_CURVE_SIZE)
		return false;
	return zap->admit(zap->arg, req->at[6],
	           HT_SLICE(req->at[3], req->len[3]), user_id) &&
	       *user_id != '\0';
}

static void
answer(const struct zap *zap, const struct zap_request *req)
{
	char user_id[HT_USERID_MAX + 1] = "";
	bool yes = admitted(zap, req, user_id);
	const struct ht_slice parts[] = {
	    ht_slice_str("1.0"),
	    HT_SLICE(req->at[1], req->n > 1 ? req->len[1] : 0),
	    /* 400 tells the client so; 300 would only cut the connection. */
	    ht_slice_str(yes ? "200" : "400"),
	    ht_slice_str(yes ? "OK" : "key not admitted"),
	    ht_slice_str(yes ? user_id : ""),
	    ht_slice_str(""), /* no metadata */
	};

	for (size_t i = 0; i < HT_COUNT(parts); i++)
		if (zmq_send(zap->rep, parts[i].at, parts[i].len,
		        i + 1 < HT_COUNT(parts) ? ZMQ_SNDMORE : 0) < 0)
			return;
}

static void *
run(void *arg)
{
	struct zap *zap = arg;
	struct zap_request req;
	zmq_pollitem_t items[] = {
	    {zap->rep, -1,           ZMQ_POLLIN, 0},
	    {NULL,     zap->stop_fd, ZMQ_POLLIN, 0},
	};

	for (;;) {
		if (zmq_poll(items, HT_COUNT(items), -1) < 0) {
			if (errno == EINTR)
				continue;
			break;
		}
		if (items[1].revents != 0)
			break;
		if (items[0].revents != 0 && receive(zap->rep, &req))
			answer(zap, &req);
	}
	/* At once: closing alone would leave the name taken for a while. */
	(void)zmq_unbind(zap->rep, ZAP_ENDPOINT);
	ht_zmq_close(&zap->rep);
	return NULL;
}

/*
 * A socket is closed in the background, so the address of a gate that was
 * closed a moment ago may still be taken.
 */
static bool
bind_patiently(void *rep)
{
	for (int tries = 0; tries < BIND_TRIES; tries++) {
		if (zmq_bind(rep, ZAP_ENDPOINT) == 0)
			return true;
		if (errno != EADDRINUSE)
			return false;
		usleep(10000);
	}
	return false;
}

static enum ht_err
open_parts(struct zap *zap, struct ht_net *net)
{
	static const struct zmq_option options[] = {
	    {ZMQ_LINGER, 0}
        };

	zap->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	zap->rep = zmq_socket(net->ctx, ZMQ_REP);
	if (zap->stop_fd == -1 || zap->rep == NULL ||
	    !ht_zmq_options(zap->rep, options, HT_COUNT(options)) ||
	    !bind_patiently(zap->rep))
		return HT_ESYSTEM;
	errno = pthread_create(&zap->thread, NULL, run, zap);
	return errno == 0 ? HT_OK : HT_ESYSTEM;
}

enum ht_err
ht_zap_start(
    struct ht_net *net, ht_admit_fn *admit, void *arg, struct zap **ret)
{
	struct zap *zap = calloc(1, sizeof(*zap));
	enum ht_err err;

	if (zap == NULL)
		return HT_ENOMEM;
	zap->admit = admit;
	zap->arg = arg;
	zap->stop_fd = -1;
	err = open_parts(zap, net);
	if (err != HT_OK) {
		int saved = errno;

		ht_zmq_close(&zap->rep);
		ht_fd_close(&zap->stop_fd);
		free(zap);
		errno = saved;
		return err;
	}
	*ret = zap;
	return HT_OK;
}

void
ht_zap_stop(struct zap **zap_p)
{
	struct zap *zap = HT_TAKE(*zap_p);

	if (zap == NULL)
		return;
	HT_ASSERT(eventfd_write(zap->stop_fd, 1) == 0);
	HT_ASSERT(pthread_join(zap->thread, NULL) == 0);
	ht_fd_close(&zap->stop_fd);
	free(zap);
}
