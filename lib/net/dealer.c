/*
 * dealer.c -- a node's connection, and what became of it.
 *
 * What happens to a connection is known only to libzmq's monitor, which
 * writes to its reader with a blocking send: a reader that sleeps would stop
 * the I/O thread.  So a thread of its own always reads, keeps the newest
 * state, and raises an eventfd.
 *
 * After a refusal (ZAP 400) or a broken handshake libzmq gives up for ever:
 * the owner dials again here, ever slower.
 */
#include "lib/net/zmq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "lib/base/clock.h"
#include "lib/base/fs.h"

#define DEALER_HWM       256
#define REDIAL_MS        1000
#define REDIAL_MAX_MS    30000
#define RECONNECT_MS     250  /* a restarted front is found at once ... */
#define RECONNECT_MAX_MS 5000 /* ... and a dead one is not hammered */

#define WATCHED                                                                \
	(ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |                           \
	    ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |                             \
	    ZMQ_EVENT_HANDSHAKE_SUCCEEDED |                                    \
	    ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |                              \
	    ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

struct ht_dealer {
	void *sock;
	void *monitor; /* the watcher's, once it runs */
	char *address;
	zmq_msg_t msg;
	pthread_t watcher;
	bool watching;
	int event_fd;

	pthread_mutex_t lock; /* the two below */
	enum ht_link link;
	bool given_up; /* libzmq will not try again by itself */

	uint64_t redial_at_ms; /* 0: not planned */
	uint64_t redial_wait_ms;
};

/* ---- the watcher ---- */

/* *up: the handshake was done; the loss of such a link is LINK_DOWN. */
static enum ht_link
judge(unsigned event, bool *up)
{
	switch (event) {
	case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
		*up = true;
		return HT_LINK_UP;
	case ZMQ_EVENT_DISCONNECTED:
		if (!*up)
			return HT_LINK_NONE;
		*up = false;
		return HT_LINK_DOWN;
	case ZMQ_EVENT_CLOSED:
		return HT_LINK_UNREACHABLE;
	case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
		return HT_LINK_REFUSED;
	case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
	case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
		return HT_LINK_WRONG_SERVER;
	default:
		return HT_LINK_NONE;
	}
}

static void
post(struct ht_dealer *dealer, unsigned event, enum ht_link link)
{
	HT_ASSERT(pthread_mutex_lock(&dealer->lock) == 0);
	dealer->link = link;
	if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH ||
	    event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL)
		dealer->given_up = true;
	HT_ASSERT(pthread_mutex_unlock(&dealer->lock) == 0);
	HT_ASSERT(eventfd_write(dealer->event_fd, 1) == 0);
}

static void *
watch(void *arg)
{
	struct ht_dealer *dealer = arg;
	bool up = false;

	for (;;) {
		uint8_t event[6], address[300];
		uint16_t number;
		enum ht_link link;
		int len = zmq_recv(dealer->monitor, event, sizeof(event), 0);

		if (len < 0 && errno == EINTR)
			continue;
		if (len != sizeof(event))
			break;
		if (zmq_recv(dealer->monitor, address, sizeof(address), 0) < 0)
			break;
		memcpy(&number, event, sizeof(number));
		if (number == ZMQ_EVENT_MONITOR_STOPPED)
			break;
		link = judge(number, &up);
		if (link != HT_LINK_NONE)
			post(dealer, number, link);
	}
	ht_zmq_close(&dealer->monitor);
	return NULL;
}

static enum ht_err
start_watcher(struct ht_dealer *dealer, struct ht_net *net)
{
	char endpoint[64], random[17];
	uint8_t bytes[8];

	ht_random(bytes, sizeof(bytes));
	ht_hex(random, bytes, sizeof(bytes));
	snprintf(endpoint, sizeof(endpoint), "inproc://link-%s", random);
	dealer->monitor = zmq_socket(net->ctx, ZMQ_PAIR);
	if (dealer->monitor == NULL ||
	    zmq_socket_monitor(dealer->sock, endpoint,
	        WATCHED | ZMQ_EVENT_MONITOR_STOPPED) != 0 ||
	    zmq_connect(dealer->monitor, endpoint) != 0)
		return HT_ESYSTEM;
	errno = pthread_create(&dealer->watcher, NULL, watch, dealer);
	if (errno != 0)
		return HT_ESYSTEM;
	dealer->watching = true;
	return HT_OK;
}

/* ---- opening and closing ---- */

static bool
harden(void *sock, const struct ht_dealer_conf *conf)
{
	/* No routing id of our own: the broker's socket gives one. */
	static const struct zmq_option options[] = {
	    {ZMQ_IMMEDIATE,           1               },
	    {ZMQ_RCVHWM,              DEALER_HWM      },
	    {ZMQ_SNDHWM,              DEALER_HWM      },
	    {ZMQ_HANDSHAKE_IVL,       5000            },
	    {ZMQ_CONNECT_TIMEOUT,     5000            },
	    {ZMQ_HEARTBEAT_IVL,       0               },
	    {ZMQ_TCP_KEEPALIVE,       1               },
	    {ZMQ_TCP_KEEPALIVE_IDLE,  30              },
	    {ZMQ_TCP_KEEPALIVE_INTVL, 10              },
	    {ZMQ_TCP_KEEPALIVE_CNT,   3               },
	    {ZMQ_TCP_MAXRT,           30000           },
	    {ZMQ_RECONNECT_IVL,       RECONNECT_MS    },
	    {ZMQ_RECONNECT_IVL_MAX,   RECONNECT_MAX_MS},
	    {ZMQ_LINGER,              0               },
	    {ZMQ_IPV6,                1               },
	};
	int64_t max = (int64_t)conf->frame_max + CURVE_OVERHEAD;

	return ht_zmq_options(sock, options, HT_COUNT(options)) &&
	       zmq_setsockopt(sock, ZMQ_CURVE_SERVERKEY, conf->server_key,
	           HT_CURVE_SIZE) == 0 &&
	       zmq_setsockopt(sock, ZMQ_CURVE_PUBLICKEY, conf->public_key,
	           HT_CURVE_SIZE) == 0 &&
	       zmq_setsockopt(sock, ZMQ_CURVE_SECRETKEY, conf->secret,
	           HT_CURVE_SIZE) == 0 &&
	       zmq_setsockopt(sock, ZMQ_MAXMSGSIZE, &max, sizeof(max)) == 0;
}

static enum ht_err
open_parts(struct ht_dealer *dealer, struct ht_net *net,
    const struct ht_dealer_conf *conf)
{
	enum ht_err err;

	dealer->address = strdup(conf->address);
	if (dealer->address == NULL)
		return HT_ENOMEM;
	dealer->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	dealer->sock = zmq_socket(net->ctx, ZMQ_DEALER);
	if (dealer->event_fd == -1 || dealer->sock == NULL ||
	    !harden(dealer->sock, conf))
		return HT_ESYSTEM;
	err = start_watcher(dealer, net);
	if (err != HT_OK)
		return err;
	return zmq_connect(dealer->sock, dealer->address) == 0 ? HT_OK
	                                                       : HT_ESYSTEM;
}

enum ht_err
ht_dealer_open(struct ht_net *net, const struct ht_dealer_conf *conf,
    struct ht_dealer **ret)
{
	struct ht_dealer *dealer = calloc(1, sizeof(*dealer));
	enum ht_err err;

	if (dealer == NULL)
		return HT_ENOMEM;
	dealer->event_fd = -1;
	dealer->redial_wait_ms = REDIAL_MS;
	HT_ASSERT(pthread_mutex_init(&dealer->lock, NULL) == 0);
	zmq_msg_init(&dealer->msg);
	err = open_parts(dealer, net, conf);
	if (err != HT_OK) {
		int saved = errno;

		ht_dealer_close(&dealer);
		errno = saved;
		return err;
	}
	*ret = dealer;
	return HT_OK;
}

void
ht_dealer_close(struct ht_dealer **dealer_p)
{
	struct ht_dealer *dealer = HT_TAKE(*dealer_p);

	if (dealer == NULL)
		return;
	if (dealer->watching) {
		/* Its last event ends the watcher. */
		(void)zmq_socket_monitor(dealer->sock, NULL, 0);
		HT_ASSERT(pthread_join(dealer->watcher, NULL) == 0);
	}
	ht_zmq_close(&dealer->monitor);
	zmq_msg_close(&dealer->msg);
	ht_zmq_close(&dealer->sock);
	ht_fd_close(&dealer->event_fd);
	HT_ASSERT(pthread_mutex_destroy(&dealer->lock) == 0);
	free(dealer->address);
	free(dealer);
}

/* ---- messages ---- */

static bool
more_parts(void *sock)
{
	int more = 0;
	size_t size = sizeof(more);

	HT_ASSERT(zmq_getsockopt(sock, ZMQ_RCVMORE, &more, &size) == 0);
	return more != 0;
}

enum ht_err
ht_dealer_recv(struct ht_dealer *dealer, struct ht_slice *ret)
{
	bool parts = false;

	do {
		zmq_msg_close(&dealer->msg);
		zmq_msg_init(&dealer->msg);
		if (zmq_msg_recv(&dealer->msg, dealer->sock, ZMQ_DONTWAIT) < 0)
			return errno == EAGAIN || errno == EINTR ? HT_EAGAIN
			                                         : HT_ESYSTEM;
		/* A message of several frames is none of ours: dropped. */
		if (more_parts(dealer->sock))
			parts = true;
		else if (!parts)
			break;
		else
			parts = false;
	} while (true);
	*ret = HT_SLICE(zmq_msg_data(&dealer->msg), zmq_msg_size(&dealer->msg));
	return HT_OK;
}

enum ht_err
ht_dealer_send(struct ht_dealer *dealer, struct ht_slice frame)
{
	if (zmq_send(dealer->sock, frame.at, frame.len, ZMQ_DONTWAIT) >= 0)
		return HT_OK;
	return errno == EAGAIN || errno == EINTR ? HT_EAGAIN : HT_ESYSTEM;
}

/* ---- the link ---- */

static void
plan_redial(struct ht_dealer *dealer)
{
	dealer->redial_at_ms = ht_clock_mono_ms() + dealer->redial_wait_ms;
	dealer->redial_wait_ms *= 2;
	if (dealer->redial_wait_ms > REDIAL_MAX_MS)
		dealer->redial_wait_ms = REDIAL_MAX_MS;
}

enum ht_link
ht_dealer_link(struct ht_dealer *dealer)
{
	eventfd_t count;
	enum ht_link link;
	bool given_up;

	(void)eventfd_read(dealer->event_fd, &count);
	HT_ASSERT(pthread_mutex_lock(&dealer->lock) == 0);
	link = dealer->link;
	given_up = dealer->given_up;
	dealer->link = HT_LINK_NONE;
	dealer->given_up = false;
	HT_ASSERT(pthread_mutex_unlock(&dealer->lock) == 0);
	if (given_up)
		plan_redial(dealer);
	else if (link == HT_LINK_UP)
		dealer->redial_wait_ms = REDIAL_MS;
	return link;
}

int64_t
ht_dealer_redial(struct ht_dealer *dealer)
{
	uint64_t now;

	if (dealer->redial_at_ms == 0)
		return -1;
	now = ht_clock_mono_ms();
	if (now < dealer->redial_at_ms)
		return (int64_t)(dealer->redial_at_ms - now);
	dealer->redial_at_ms = 0;
	(void)zmq_disconnect(dealer->sock, dealer->address);
	if (zmq_connect(dealer->sock, dealer->address) != 0)
		plan_redial(dealer);
	return -1;
}

void *
ht_dealer_socket(const struct ht_dealer *dealer)
{
	return dealer->sock;
}

int
ht_dealer_events(const struct ht_dealer *dealer)
{
	return dealer->event_fd;
}
