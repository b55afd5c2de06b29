/*
 * net.h -- ZeroMQ behind one door: one context a process, one-frame messages
 * over CURVE, and only options that libzmq 4.3.4 can be trusted with.
 *
 * The traps that this file exists for: predictable routing ids (the context
 * seeds rand() from getrandom first), CURVE that lets anybody in without ZAP
 * (domain set, enforced, and tested with a throw-away key before the first
 * real bind), user ids that vanish from the routing-id frame (read from the
 * payload), heartbeats that abort (off), parts without bound (refused).
 *
 * A socket belongs to one thread.
 */
#ifndef HT_NET_NET_H
#define HT_NET_NET_H

#include "lib/base/bytes.h"

#define HT_CURVE_SIZE 32
#define HT_HANDLE_MAX 255 /* a routing id's bytes, 5 in practice */
#define HT_USERID_MAX 255

struct ht_net;    /* the context, and the ZAP thread of a server */
struct ht_router; /* the broker's front */
struct ht_dealer; /* a node's connection */

/* Once per process, before any socket.  HT_ESYSTEM. */
enum ht_err ht_net_open(struct ht_net **ret) HT_MUST_USE;
void ht_net_close(struct ht_net **net_p);

/* ---- server ---- */

/*
 * May this transport key in, from this @host (as ht_net_host() writes it), and
 * as whom?  Called on the ZAP thread: answer from memory, at once.  Writes a
 * NUL-ended user id and returns true, or returns false.
 */
typedef bool ht_admit_fn(void *arg, const uint8_t key[static HT_CURVE_SIZE],
    struct ht_slice host, char user_id[static HT_USERID_MAX + 1]);

struct ht_router_conf {
	const char *address; /* "tcp://127.0.0.1:5600"; port 0: any free one */
	const uint8_t *secret; /* HT_CURVE_SIZE bytes, read during the call */
	size_t frame_max;
	int rcvhwm, sndhwm; /* messages per connection */
	ht_admit_fn *admit;
	void *admit_arg;
};
/*
 * Start the ZAP thread, prove with a throw-away key that strangers are
 * refused, then bind.  Errors: HT_EDENIED if a stranger was let in;
 * HT_ESYSTEM with errno (EADDRINUSE, ...).
 */
enum ht_err ht_router_open(struct ht_net *net,
    const struct ht_router_conf *conf, struct ht_router **ret) HT_MUST_USE;
void ht_router_close(struct ht_router **router_p);
/* The bound address, with the port chosen. */
const char *ht_router_address(const struct ht_router *router);

/* A message received: one frame.  Slices live until the next receive. */
struct ht_received {
	struct ht_slice handle; /* opaque: which connection */
	const char *user_id;    /* as the admit function named it; "" if none */
	struct ht_slice frame;
	unsigned dropped_parts; /* > 0: more than one frame came; not served */
	int fd; /* the connection's, for ht_net_peer() and nothing else */
};
/* HT_EAGAIN when nothing waits. */
enum ht_err ht_router_recv(struct ht_router *router, struct ht_received *ret)
    HT_MUST_USE;
/*
 * Never blocks.  HT_EAGAIN: that peer's queue is full.  HT_ENOTFOUND: that
 * connection is gone.
 */
enum ht_err ht_router_send(struct ht_router *router, struct ht_slice handle,
    struct ht_slice frame) HT_MUST_USE;

/*
 * Becomes readable when something may have come since ht_router_recv() said
 * HT_EAGAIN with nothing sent after that: only then does it tell anything.
 */
int ht_router_fd(const struct ht_router *router);

/*
 * The bytes that the connection on a descriptor has brought since it began,
 * and a number that tells its peer from the next owner of that descriptor.
 * False if it is no TCP connection (any more).
 */
bool ht_net_peer(int fd, uint64_t *ret_bytes, uint64_t *ret_peer);
/* The bytes that its peer has taken, and said so.  False likewise. */
bool ht_net_taken(int fd, uint64_t *ret_bytes);
#define HT_HOST_MAX 64 /* an IPv6 address with its scope */
/* The peer's address in numbers, without its port.  False likewise. */
bool ht_net_host(int fd, char out[static HT_HOST_MAX + 1]);

/* ---- client ---- */

struct ht_dealer_conf {
	const char *address;
	const uint8_t *server_key;
	const uint8_t *public_key;
	const uint8_t *secret; /* read during the call */
	size_t frame_max;
};
enum ht_err ht_dealer_open(struct ht_net *net,
    const struct ht_dealer_conf *conf, struct ht_dealer **ret) HT_MUST_USE;
void ht_dealer_close(struct ht_dealer **dealer_p);
/* The frame lives until the next receive.  HT_EAGAIN when nothing waits. */
enum ht_err ht_dealer_recv(struct ht_dealer *dealer, struct ht_slice *ret)
    HT_MUST_USE;
/* HT_EAGAIN when not connected or full. */
enum ht_err ht_dealer_send(struct ht_dealer *dealer, struct ht_slice frame)
    HT_MUST_USE;

/*
 * What became of the connection since the last call: the newest state alone.
 * It is always being tried again, also after a refusal (by ht_net_wait(), a
 * second later at first, then ever slower to 30 s).
 */
enum ht_link {
	HT_LINK_NONE,         /* nothing new */
	HT_LINK_UP,           /* handshake done: say HELLO */
	HT_LINK_DOWN,         /* lost */
	HT_LINK_UNREACHABLE,  /* nobody listens at the address */
	HT_LINK_REFUSED,      /* our key is not admitted (ZAP) */
	HT_LINK_WRONG_SERVER, /* handshake failed: not the key we expect */
};
enum ht_link ht_dealer_link(struct ht_dealer *dealer);

/* ---- waiting ---- */

struct ht_wait {
	struct ht_router *router; /* one of the three */
	struct ht_dealer *dealer; /* its messages and its link events */
	int fd;
	bool want_write; /* fd only */
	bool ready;      /* set by ht_net_wait() */
};
/* Wait for any, at most @timeout_ms (-1: for ever); 0 ready on time-out. */
enum ht_err ht_net_wait(struct ht_wait *waits, size_t n, int timeout_ms,
    size_t *ret_ready) HT_MUST_USE;

/* Z85 of 32 bytes (ZeroMQ RFC 32); out has 41 bytes. */
void ht_z85(char out[static 41], const uint8_t in[static 32]);

#endif
