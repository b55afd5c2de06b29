#include "lib/net/zmq.h"

#include <errno.h>
#include <linux/tcp.h> /* has more of tcp_info than libc */
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/clock.h"
#include "lib/base/fs.h"

#define SELF_TEST_MS 5000
#define ADDRESS_MAX  300

struct ht_router {
	void *sock;
	struct zap *zap;
	zmq_msg_t msg; /* the frame last received */
	uint8_t handle[HT_HANDLE_MAX];
	char user_id[HT_USERID_MAX + 1];
	char address[ADDRESS_MAX];
};

bool
ht_router_harden(void *sock, const struct ht_router_conf *conf)
{
	const struct zmq_option options[] = {
	    {ZMQ_CURVE_SERVER,        1                   },
	    {ZMQ_ZAP_ENFORCE_DOMAIN,  1                   },
	    {ZMQ_ROUTER_MANDATORY,    1                   },
	    {ZMQ_ROUTER_HANDOVER,     0                   }, /* leaks descriptors */
	    {ZMQ_RCVHWM,              conf->rcvhwm        },
	    {ZMQ_SNDHWM,              conf->sndhwm        },
	    {ZMQ_HANDSHAKE_IVL,       5000                },
	    {ZMQ_HEARTBEAT_IVL,       0                   }, /* aborts when full */
	    {ZMQ_TCP_KEEPALIVE,       1                   },
	    {ZMQ_TCP_KEEPALIVE_IDLE,  30                  },
	    {ZMQ_TCP_KEEPALIVE_INTVL, 10                  },
	    {ZMQ_TCP_KEEPALIVE_CNT,   3                   },
	    {ZMQ_TCP_MAXRT,           30000               },
	    {ZMQ_LINGER,              0                   },
	    {ZMQ_IPV6,                strchr(conf->address, '[') != NULL},
	    {ZMQ_BACKLOG,                       1024	                        },
	};
	int64_t max = (int64_t)conf->frame_max + CURVE_OVERHEAD;

	return ht_zmq_options(sock, options, HT_COUNT(options)) &&
	       zmq_setsockopt(sock, ZMQ_CURVE_SECRETKEY, conf->secret,
	           HT_CURVE_SIZE) == 0 &&
	       zmq_setsockopt(
	           sock, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN, strlen(ZAP_DOMAIN)) == 0 &&
	       zmq_setsockopt(sock, ZMQ_MAXMSGSIZE, &max, sizeof(max)) == 0;
}

/* ---- the self-test: a stranger must be refused ---- */

/* The next event of a monitor; 0 on time-out. */
static unsigned
next_event(void *monitor, int timeout_ms)
{
	zmq_pollitem_t item = {monitor, -1, ZMQ_POLLIN, 0};
	uint8_t event[6], address[ADDRESS_MAX];
	uint16_t number;

	if (zmq_poll(&item, 1, timeout_ms) <= 0 ||
	    zmq_recv(monitor, event, sizeof(event), 0) != sizeof(event))
		return 0;
	(void)zmq_recv(monitor, address, sizeof(address), 0);
	memcpy(&number, event, sizeof(number));
	return number;
}

static bool
stranger_options(void *sock, const uint8_t *secret)
{
	static const struct zmq_option options[] = {
	    {ZMQ_LINGER, 0}
        };
	char server[41], pub[41], sec[41], of_secret[41];

	ht_z85(of_secret, secret);
	return zmq_curve_public(server, of_secret) == 0 &&
	       zmq_curve_keypair(pub, sec) == 0 &&
	       ht_zmq_options(sock, options, HT_COUNT(options)) &&
	       zmq_setsockopt(sock, ZMQ_CURVE_SERVERKEY, server, 41) == 0 &&
	       zmq_setsockopt(sock, ZMQ_CURVE_PUBLICKEY, pub, 41) == 0 &&
	       zmq_setsockopt(sock, ZMQ_CURVE_SECRETKEY, sec, 41) == 0;
}

static enum ht_err
judge_stranger(void *monitor)
{
	uint64_t until = ht_clock_mono_ms() + SELF_TEST_MS;

	for (;;) {
		uint64_t now = ht_clock_mono_ms();
		unsigned event;

		if (now >= until)
			break;
		event = next_event(monitor, (int)(until - now));
		if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
			return HT_EDENIED;
		if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
			return HT_OK;
	}
	errno = ETIMEDOUT;
	return HT_ESYSTEM;
}

static enum ht_err
try_stranger(struct ht_net *net, const char *endpoint, const uint8_t *secret)
{
	HT_AUTO(ht_zmq_close) void *sock = zmq_socket(net->ctx, ZMQ_DEALER);
	HT_AUTO(ht_zmq_close) void *monitor = zmq_socket(net->ctx, ZMQ_PAIR);
	char events[64], random[17];
	uint8_t bytes[8];
	enum ht_err err;

	ht_random(bytes, sizeof(bytes));
	ht_hex(random, bytes, sizeof(bytes));
	snprintf(events, sizeof(events), "inproc://self-test-%s", random);
	if (sock == NULL || monitor == NULL ||
	    !stranger_options(sock, secret) ||
	    zmq_socket_monitor(sock, events,
	        ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
	            ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) != 0 ||
	    zmq_connect(monitor, events) != 0 ||
	    zmq_connect(sock, endpoint) != 0)
		return HT_ESYSTEM;
	err = judge_stranger(monitor);
	(void)zmq_socket_monitor(sock, NULL, 0);
	return err;
}

/*
 * The same socket, with the same options, first bound where only this process
 * can find it.
 */
static enum ht_err
self_test(struct ht_net *net, struct ht_router *router, const uint8_t *secret)
{
	char endpoint[64], random[33];
	uint8_t bytes[16];
	enum ht_err err;

	ht_random(bytes, sizeof(bytes));
	ht_hex(random, bytes, sizeof(bytes));
	snprintf(endpoint, sizeof(endpoint), "ipc://@hutong-%s", random);
	if (zmq_bind(router->sock, endpoint) != 0)
		return HT_ESYSTEM;
	err = try_stranger(net, endpoint, secret);
	if (zmq_unbind(router->sock, endpoint) != 0 && err == HT_OK)
		return HT_ESYSTEM;
	return err;
}

/* ---- opening and closing ---- */

static enum ht_err
open_parts(struct ht_router *router, struct ht_net *net,
    const struct ht_router_conf *conf)
{
	size_t size = sizeof(router->address);
	enum ht_err err;

	err = ht_zap_start(net, conf->admit, conf->admit_arg, &router->zap);
	if (err != HT_OK)
		return err;
	router->sock = zmq_socket(net->ctx, ZMQ_ROUTER);
	if (router->sock == NULL || !ht_router_harden(router->sock, conf))
		return HT_ESYSTEM;
	err = self_test(net, router, conf->secret);
	if (err != HT_OK)
		return err;
	if (zmq_bind(router->sock, conf->address) != 0 ||
	    zmq_getsockopt(
	        router->sock, ZMQ_LAST_ENDPOINT, router->address, &size) != 0)
		return HT_ESYSTEM;
	return HT_OK;
}

enum ht_err
ht_router_open(struct ht_net *net, const struct ht_router_conf *conf,
    struct ht_router **ret)
{
	struct ht_router *router = calloc(1, sizeof(*router));
	enum ht_err err;

	if (router == NULL)
		return HT_ENOMEM;
	zmq_msg_init(&router->msg);
	err = open_parts(router, net, conf);
	if (err != HT_OK) {
		int saved = errno;

		ht_router_close(&router);
		errno = saved;
		return err;
	}
	*ret = router;
	return HT_OK;
}

void
ht_router_close(struct ht_router **router_p)
{
	struct ht_router *router = HT_TAKE(*router_p);

	if (router == NULL)
		return;
	zmq_msg_close(&router->msg);
	ht_zmq_close(&router->sock);
	ht_zap_stop(&router->zap);
	free(router);
}

const char *
ht_router_address(const struct ht_router *router)
{
	return router->address;
}

int
ht_router_fd(const struct ht_router *router)
{
	size_t size = sizeof(int);
	int fd = -1;

	HT_ASSERT(zmq_getsockopt(router->sock, ZMQ_FD, &fd, &size) == 0);
	return fd;
}

void *
ht_router_socket(const struct ht_router *router)
{
	return router->sock;
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

/* All parts of a message arrive together, so this ends. */
static unsigned
drain(struct ht_router *router)
{
	unsigned n = 0;

	while (more_parts(router->sock)) {
		zmq_msg_close(&router->msg);
		zmq_msg_init(&router->msg);
		if (zmq_msg_recv(&router->msg, router->sock, ZMQ_DONTWAIT) < 0)
			break;
		n++;
	}
	return n;
}

enum ht_err
ht_router_recv(struct ht_router *router, struct ht_received *ret)
{
	const char *user_id;
	int len =
	    zmq_recv(router->sock, router->handle, HT_HANDLE_MAX, ZMQ_DONTWAIT);

	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? HT_EAGAIN
		                                         : HT_ESYSTEM;
	zmq_msg_close(&router->msg);
	zmq_msg_init(&router->msg);
	if (len > HT_HANDLE_MAX || !more_parts(router->sock) ||
	    zmq_msg_recv(&router->msg, router->sock, ZMQ_DONTWAIT) < 0) {
		(void)drain(router);
		return HT_EAGAIN;
	}
	ret->handle = HT_SLICE(router->handle, (size_t)len);
	/*
	 * From the payload: the routing-id frame loses its properties when
	 * the socket was polled first.
	 */
	user_id = zmq_msg_gets(&router->msg, "User-Id");
	snprintf(router->user_id, sizeof(router->user_id), "%s",
	    user_id != NULL ? user_id : "");
	ret->user_id = router->user_id;
	ret->fd = zmq_msg_get(&router->msg, ZMQ_SRCFD);
	ret->dropped_parts = drain(router);
	ret->frame = (struct ht_slice){zmq_msg_data(&router->msg),
	    ret->dropped_parts == 0 ? zmq_msg_size(&router->msg) : 0};
	return HT_OK;
}

enum ht_err
ht_router_send(
    struct ht_router *router, struct ht_slice handle, struct ht_slice frame)
{
	if (zmq_send(router->sock, handle.at, handle.len,
	        ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
	    zmq_send(router->sock, frame.at, frame.len, ZMQ_DONTWAIT) < 0) {
		switch (errno) {
		case EAGAIN:
		case EINTR:
			return HT_EAGAIN;
		case EHOSTUNREACH:
			return HT_ENOTFOUND;
		default:
			return HT_ESYSTEM;
		}
	}
	return HT_OK;
}

bool
ht_net_peer(int fd, uint64_t *ret_bytes, uint64_t *ret_peer)
{
	struct tcp_info info;
	struct sockaddr_storage peer;
	socklen_t len = sizeof(info), peer_len = sizeof(peer);
	uint64_t hash = 14695981039346656037u;

	memset(&info, 0, sizeof(info));
	memset(&peer, 0, sizeof(peer));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
	    getpeername(fd, (struct sockaddr *)&peer, &peer_len) != 0)
		return false;
	for (size_t i = 0; i < peer_len; i++)
		hash = (hash ^ ((uint8_t *)&peer)[i]) * 1099511628211u;
	*ret_bytes = info.tcpi_bytes_received;
	*ret_peer = hash;
	return true;
}

bool
ht_net_taken(int fd, uint64_t *ret_bytes)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return false;
	*ret_bytes = info.tcpi_bytes_acked;
	return true;
}

bool
ht_net_host(int fd, char out[static HT_HOST_MAX + 1])
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	return getpeername(fd, (struct sockaddr *)&peer, &len) == 0 &&
	       getnameinfo((struct sockaddr *)&peer, len, out, HT_HOST_MAX + 1,
	           NULL, 0, NI_NUMERICHOST) == 0;
}
