/*
 * front.c -- between the sockets and the core's stream.
 *
 * Memory.  libzmq cannot bound what an admitted peer makes it keep: the parts
 * of a message that never ends count nowhere and reach nobody.  So the front
 * looks at its own size; above the limit it says who is to blame, and exits:
 * that frees everything at once.  To blame is the connection that brought
 * most bytes (the kernel counts them, TCP_INFO) and had fewest delivered (we
 * count those), or that was given most and took fewest of them.  Whose it is,
 * its earlier messages tell: each shows the descriptor it came in on.  A
 * connection that never said anything has no name; then everybody is named who
 * was let in from its host, and more often than on connections that spoke.
 */
#include "broker/front.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include "broker/pipe.h"
#include "keys/keyfile.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/panic.h"
#include "lib/net/net.h"

#define WATCH_MS    50
#define STATS_MS    1000
#define TURN_FRAMES 512        /* received before the stream is served again */
#define OUT_HIGH    (4u << 20) /* then the core is waited for */
#define OUT_MAX     (OUT_HIGH + 2 * HT_PIPE_MAX)
#define DIRECT_MIN  16384 /* a frame as large is not worth copying */
#define PEERS_MAX   65536 /* descriptors; a process has no more */
#define REFUSED_MAX 64    /* different refused keys told of a turn */
/* Messages per connection: in, memory; out, above what a node's window has. */
#define RCVHWM       32
#define SNDHWM       4096
#define CONF_WAIT_MS 10000

/* A connection, by its descriptor. */
struct peer {
	uint64_t who;       /* tells it from the descriptor's next owner */
	uint64_t delivered; /* bytes handed to the core */
	uint64_t given;     /* bytes of the core's handed to its socket */
	uint8_t handle_len;
	uint8_t handle[HT_HANDLE_MAX];
	char user[HT_USERID_MAX + 1];
};

/* A user, by what ZAP and its connections told this front. */
struct guest {
	uint64_t admitted;          /* handshakes */
	uint64_t spoke;             /* connections that said something */
	char host[HT_HOST_MAX + 1]; /* of the last handshake */
};

struct refused {
	struct ht_hash key;
	uint32_t count;
};

struct front {
	int fd;
	uint32_t generation;
	struct ht_pipe_in in;
	struct ht_buf out;
	size_t out_at; /* written so far */
	struct ht_net *net;
	struct ht_router *router;
	bool drained; /* the router had nothing more, this turn */
	int64_t credit;
	uint64_t memory_max;
	int statm_fd; /* its own size, looked at all the time */
	struct peer **peers;
	struct ht_map *by_handle; /* of these */
	uint64_t frames, bytes;
	uint64_t watch_at, stats_at;

	/* Shared with the ZAP thread. */
	pthread_mutex_t lock;
	struct ht_map *keys;   /* key -> user, in force */
	struct ht_map *coming; /* being told; the core's thread alone */
	struct ht_map *guests; /* user -> struct guest */
	bool open;             /* the self-test is over: refusals count */
	size_t n_refused;
	struct refused refused[REFUSED_MAX];
};

/* ---- to the core ---- */

static void
tell(struct front *f, unsigned type, struct ht_slice handle, const char *user,
    struct ht_slice body)
{
	struct ht_pipe_msg msg = {
	    .generation = f->generation,
	    .type = type,
	    .handle = handle,
	    .user = ht_slice_str(user),
	    .body = body,
	};

	ht_pipe_put(&f->out, &msg);
}

/* HT_ENOTFOUND: the core is gone. */
static enum ht_err
flush(struct front *f)
{
	while (f->out_at < f->out.len) {
		ssize_t n =
		    write(f->fd, &f->out.at[f->out_at], f->out.len - f->out_at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? HT_OK : HT_ENOTFOUND;
		f->out_at += (size_t)n;
	}
	ht_buf_reset(&f->out);
	f->out_at = 0;
	return HT_OK;
}

/*
 * As tell(), but a large frame goes to the stream from where it lies, when
 * nothing waits before it; only what the stream does not take is copied.
 */
static void
tell_frame(struct front *f, const struct ht_received *got)
{
	struct ht_pipe_msg msg = {
	    .generation = f->generation,
	    .type = HT_PIPE_FRAME,
	    .handle = got->handle,
	    .user = ht_slice_str(got->user_id),
	    .body = got->frame,
	};
	struct iovec parts[2];
	size_t took;
	ssize_t n;

	if (got->frame.len < DIRECT_MIN || flush(f) != HT_OK ||
	    f->out.len > 0) {
		ht_pipe_put(&f->out, &msg);
		return;
	}
	ht_pipe_head(&f->out, &msg);
	if (f->out.err != HT_OK)
		return; /* it ends the turn */
	parts[0] = (struct iovec){f->out.at, f->out.len};
	parts[1] =
	    (struct iovec){(void *)(uintptr_t)got->frame.at, got->frame.len};
	/* A dead core is found by the next flush. */
	n = writev(f->fd, parts, 2);
	took = n > 0 ? (size_t)n : 0;
	if (took < f->out.len) {
		f->out_at = took;
		took = 0;
	} else {
		took -= f->out.len;
		ht_buf_reset(&f->out);
	}
	ht_buf_add(&f->out, got->frame.at + took, got->frame.len - took);
}

static size_t
out_waiting(const struct front *f)
{
	return f->out.len - f->out_at;
}

/* The last words of a front that gives up: wait for them to be said. */
static void
flush_all(struct front *f)
{
	int flags = fcntl(f->fd, F_GETFL);

	(void)fcntl(f->fd, F_SETFL, flags & ~O_NONBLOCK);
	(void)flush(f);
}

/* ---- who may connect: on the ZAP thread ---- */

static void
note_refused(struct front *f, const uint8_t *key)
{
	struct ht_hash hash = ht_sha256(HT_SLICE(key, HT_CURVE_SIZE));

	for (size_t i = 0; i < f->n_refused; i++)
		if (ht_hash_eq(&f->refused[i].key, &hash)) {
			f->refused[i].count++;
			return;
		}
	/* The rest of a turn's strangers count with the last one. */
	if (f->n_refused == REFUSED_MAX) {
		f->refused[REFUSED_MAX - 1].count++;
		return;
	}
	f->refused[f->n_refused++] = (struct refused){hash, 1};
}

/* NULL: out of memory.  Under the lock. */
static struct guest *
guest_of(struct front *f, const char *user)
{
	struct guest *guest = ht_map_get(f->guests, ht_slice_str(user));

	if (guest != NULL)
		return guest;
	guest = calloc(1, sizeof(*guest));
	if (guest != NULL &&
	    ht_map_put(f->guests, ht_slice_str(user), guest, NULL) != HT_OK) {
		free(guest);
		return NULL;
	}
	return guest;
}

static bool
admit(void *arg, const uint8_t key[static HT_CURVE_SIZE], struct ht_slice host,
    char user_id[static HT_USERID_MAX + 1])
{
	struct front *f = arg;
	struct guest *guest = NULL;
	const char *user;

	HT_ASSERT(pthread_mutex_lock(&f->lock) == 0);
	user = ht_map_get(f->keys, HT_SLICE(key, HT_CURVE_SIZE));
	if (user != NULL) {
		snprintf(user_id, HT_USERID_MAX + 1, "%s", user);
		guest = guest_of(f, user);
		if (guest != NULL) {
			guest->admitted++;
			snprintf(guest->host, sizeof(guest->host), "%.*s",
			    (int)host.len, (const char *)host.at);
		}
	} else if (f->open) {
		note_refused(f, key);
	}
	HT_ASSERT(pthread_mutex_unlock(&f->lock) == 0);
	return guest != NULL;
}

static void
tell_refused(struct front *f)
{
	uint8_t body[REFUSED_MAX * (HT_HASH_SIZE + 4)];
	size_t len = 0;

	HT_ASSERT(pthread_mutex_lock(&f->lock) == 0);
	for (size_t i = 0; i < f->n_refused; i++) {
		memcpy(&body[len], f->refused[i].key.at, HT_HASH_SIZE);
		ht_be32(&body[len + HT_HASH_SIZE], f->refused[i].count);
		len += HT_HASH_SIZE + 4;
	}
	f->n_refused = 0;
	HT_ASSERT(pthread_mutex_unlock(&f->lock) == 0);
	if (len > 0)
		tell(f, HT_PIPE_REFUSED, (struct ht_slice){0}, "",
		    HT_SLICE(body, len));
}

/* ---- from the core ---- */

static enum ht_err
add_key(struct ht_map *map, const uint8_t *key, struct ht_slice user)
{
	char *text = ht_slice_dup(user);
	void *old = NULL;
	enum ht_err err;

	if (text == NULL)
		return HT_ENOMEM;
	err = ht_map_put(map, HT_SLICE(key, HT_CURVE_SIZE), text, &old);
	free(err == HT_OK ? old : text);
	return err;
}

static enum ht_err
take_keys(struct front *f, struct ht_slice body)
{
	struct ht_cur cur = ht_cur(body);
	bool last = ht_cur_u8(&cur) != 0;

	if (f->coming == NULL)
		f->coming = ht_map_new();
	if (f->coming == NULL)
		return HT_ENOMEM;
	while (cur.err == HT_OK && cur.at < cur.end) {
		struct ht_slice key = ht_cur_take(&cur, HT_CURVE_SIZE);
		struct ht_slice user = ht_cur_str8(&cur);
		enum ht_err err;

		if (cur.err != HT_OK)
			break;
		err = add_key(f->coming, key.at, user);
		if (err != HT_OK)
			return err;
	}
	if (cur.err != HT_OK)
		return HT_EMALFORMED;
	if (last) {
		struct ht_map *old;

		HT_ASSERT(pthread_mutex_lock(&f->lock) == 0);
		old = f->keys;
		f->keys = HT_TAKE(f->coming);
		HT_ASSERT(pthread_mutex_unlock(&f->lock) == 0);
		ht_map_free(&old, free);
	}
	return HT_OK;
}

static void
send_out(struct front *f, const struct ht_pipe_msg *msg)
{
	enum ht_err err = ht_router_send(f->router, msg->handle, msg->body);
	struct peer *peer = ht_map_get(f->by_handle, msg->handle);
	uint8_t full = err == HT_EAGAIN;

	if (err == HT_OK && peer != NULL)
		peer->given += msg->body.len;
	if (err != HT_OK)
		tell(f, HT_PIPE_LOST, msg->handle, "", HT_SLICE(&full, 1));
}

static enum ht_err
handle_core(struct front *f, const struct ht_pipe_msg *msg)
{
	struct ht_cur cur = ht_cur(msg->body);

	if (msg->generation != f->generation)
		return HT_EMALFORMED;
	switch (msg->type) {
	case HT_PIPE_KEYS:
		return take_keys(f, msg->body);
	case HT_PIPE_SEND:
		send_out(f, msg);
		return HT_OK;
	case HT_PIPE_CREDIT:
		f->credit += ht_cur_u32(&cur);
		return ht_cur_end(&cur);
	default:
		return HT_EMALFORMED;
	}
}

static enum ht_err
from_core(struct front *f)
{
	struct ht_pipe_msg msg;
	enum ht_err err = ht_pipe_in_fill(&f->in);

	if (err == HT_EAGAIN)
		return HT_OK;
	if (err != HT_OK)
		return err;
	while ((err = ht_pipe_in_next(&f->in, &msg)) == HT_OK) {
		err = handle_core(f, &msg);
		if (err != HT_OK)
			return err;
	}
	return err == HT_EAGAIN ? HT_OK : err;
}

/* ---- from the nodes ---- */

/* A handle may have gone to another descriptor since. */
static void
forget_handle(struct front *f, const struct peer *peer)
{
	struct ht_slice handle = HT_SLICE(peer->handle, peer->handle_len);

	if (ht_map_get(f->by_handle, handle) == peer)
		(void)ht_map_del(f->by_handle, handle);
}

static void
note_spoke(struct front *f, const char *user)
{
	struct guest *guest;

	HT_ASSERT(pthread_mutex_lock(&f->lock) == 0);
	guest = ht_map_get(f->guests, ht_slice_str(user));
	if (guest != NULL)
		guest->spoke++;
	HT_ASSERT(pthread_mutex_unlock(&f->lock) == 0);
}

static struct peer *
know_peer(struct front *f, const struct ht_received *got)
{
	struct peer *peer;
	uint64_t bytes;

	if (got->fd < 0 || got->fd >= PEERS_MAX)
		return NULL;
	peer = f->peers[got->fd];
	if (peer != NULL && peer->handle_len == got->handle.len &&
	    memcmp(peer->handle, got->handle.at, got->handle.len) == 0)
		return peer;
	if (peer == NULL)
		peer = f->peers[got->fd] = calloc(1, sizeof(*peer));
	if (peer == NULL)
		return NULL;
	forget_handle(f, peer);
	memset(peer, 0, sizeof(*peer));
	peer->handle_len = (uint8_t)got->handle.len;
	memcpy(peer->handle, got->handle.at, got->handle.len);
	snprintf(peer->user, sizeof(peer->user), "%s", got->user_id);
	/* Without it only what it is given is not counted. */
	(void)!ht_map_put(f->by_handle, got->handle, peer, NULL);
	if (!ht_net_peer(got->fd, &bytes, &peer->who))
		peer->who = 0;
	note_spoke(f, peer->user);
	return peer;
}

static void
take_frame(struct front *f, const struct ht_received *got)
{
	struct peer *peer = know_peer(f, got);
	uint8_t parts[4];

	/* No name, no service: then ZAP did not let it in. */
	if (got->user_id[0] == '\0')
		return;
	if (peer != NULL)
		peer->delivered += got->frame.len;
	if (got->dropped_parts > 0) {
		ht_be32(parts, got->dropped_parts);
		tell(f, HT_PIPE_PARTS, got->handle, got->user_id,
		    HT_SLICE(parts, sizeof(parts)));
		return;
	}
	if (got->frame.len > HT_FRAME_MAX)
		return;
	f->frames++;
	f->bytes += got->frame.len;
	f->credit -= (int64_t)got->frame.len;
	tell_frame(f, got);
}

static bool
may_receive(const struct front *f)
{
	return f->credit > 0 && out_waiting(f) < OUT_HIGH;
}

static enum ht_err
from_nodes(struct front *f)
{
	f->drained = false;
	for (int i = 0; i < TURN_FRAMES && may_receive(f); i++) {
		struct ht_received got;
		enum ht_err err = ht_router_recv(f->router, &got);

		f->drained = err == HT_EAGAIN;
		if (f->drained)
			return HT_OK;
		if (err != HT_OK)
			return err;
		take_frame(f, &got);
	}
	return f->out.err;
}

/* ---- memory ---- */

static uint64_t
memory_now(const struct front *f)
{
	unsigned long size, resident = 0;
	char text[128];
	ssize_t n = pread(f->statm_fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	if (sscanf(text, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Bytes that came in on @fd and were handed to nobody, or wait to go out. */
static uint64_t
undelivered(const struct front *f, int fd, const struct peer **ret_peer)
{
	const struct peer *peer = f->peers[fd];
	uint64_t bytes, who, taken, waiting = 0;

	*ret_peer = NULL;
	if (!ht_net_peer(fd, &bytes, &who))
		return 0;
	if (peer == NULL || peer->who != who)
		return bytes;
	*ret_peer = peer;
	if (ht_net_taken(fd, &taken) && peer->given > taken)
		waiting = peer->given - taken;
	return waiting +
	       (bytes > peer->delivered ? bytes - peer->delivered : 0);
}

/*
 * Everybody at @host (NULL: anywhere) of whom some connection has said
 * nothing; how many.
 */
static unsigned
blame_mute(struct front *f, const char *host, struct ht_slice bytes)
{
	struct ht_slice user;
	unsigned n = 0;
	void *value;
	size_t at = 0;

	HT_ASSERT(pthread_mutex_lock(&f->lock) == 0);
	while (ht_map_next(f->guests, &at, &user, &value)) {
		const struct guest *guest = value;
		struct ht_pipe_msg msg = {
		    .generation = f->generation,
		    .type = HT_PIPE_FLOOD,
		    .user = user,
		    .body = bytes,
		};

		if (guest->admitted <= guest->spoke ||
		    (host != NULL && strcmp(guest->host, host) != 0))
			continue;
		ht_pipe_put(&f->out, &msg);
		n++;
	}
	HT_ASSERT(pthread_mutex_unlock(&f->lock) == 0);
	return n;
}

static void
blame(struct front *f)
{
	const struct peer *worst = NULL, *peer;
	char host[HT_HOST_MAX + 1];
	uint64_t most = 0;
	int worst_fd = -1;
	uint8_t body[8];

	for (int fd = 0; fd < PEERS_MAX; fd++) {
		uint64_t bytes = undelivered(f, fd, &peer);

		if (bytes > most) {
			most = bytes;
			worst = peer;
			worst_fd = fd;
		}
	}
	ht_be64(body, most);
	/* Many that are merely busy, and nobody who stands out. */
	if (most < f->memory_max / 4)
		return;
	if (worst != NULL)
		tell(f, HT_PIPE_FLOOD, (struct ht_slice){0}, worst->user,
		    HT_SLICE(body, 8));
	else if (!ht_net_host(worst_fd, host) ||
	         blame_mute(f, host, HT_SLICE(body, 8)) == 0)
		/* It has shaken hands from elsewhere since. */
		(void)blame_mute(f, NULL, HT_SLICE(body, 8));
}

/* False: it is time to end. */
static bool
watch(struct front *f)
{
	uint64_t now = ht_clock_mono_ms();
	uint8_t body[24];
	uint64_t memory;

	if (now < f->watch_at)
		return true;
	f->watch_at = now + WATCH_MS;
	memory = memory_now(f);
	if (memory > f->memory_max) {
		blame(f);
		flush_all(f);
		return false;
	}
	tell_refused(f);
	if (now >= f->stats_at) {
		f->stats_at = now + STATS_MS;
		ht_be64(body, memory);
		ht_be64(&body[8], f->frames);
		ht_be64(&body[16], f->bytes);
		tell(f, HT_PIPE_STATS, (struct ht_slice){0}, "",
		    HT_SLICE(body, sizeof(body)));
	}
	return true;
}

/*
 * Should the watch come too late, malloc fails, and libzmq aborts.  Twice the
 * limit, and what threads and libraries map without using.
 */
static void
limit_memory(uint64_t memory_max)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	rlim_t most = 2 * memory_max + (1u << 30);
	struct rlimit limit = {most, most};

	(void)setrlimit(RLIMIT_AS, &limit);
#else
	(void)memory_max; /* sanitizers map terabytes */
#endif
}

/* ---- the beginning ---- */

static enum ht_err
next_message(struct front *f, struct ht_pipe_msg *ret)
{
	uint64_t until = ht_clock_mono_ms() + CONF_WAIT_MS;

	for (;;) {
		struct ht_wait wait = {.fd = f->fd};
		uint64_t now = ht_clock_mono_ms();
		size_t ready;
		enum ht_err err = ht_pipe_in_next(&f->in, ret);

		if (err != HT_EAGAIN)
			return err;
		if (now >= until)
			return HT_ETIMEOUT;
		err = ht_net_wait(&wait, 1, (int)(until - now), &ready);
		if (err != HT_OK)
			return err;
		err = ht_pipe_in_fill(&f->in);
		if (err != HT_OK && err != HT_EAGAIN)
			return err;
	}
}

static enum ht_err
read_key(const char *path, struct ht_key **ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_keyfile file;
	char *passphrase = NULL;
	enum ht_err err;

	err = ht_keyfile_look(path, &file, report);
	if (err == HT_OK && file.locked)
		err = ht_passphrase_get("transport key", &passphrase);
	if (err == HT_OK)
		err = ht_keyfile_read(
		    path, HT_KEY_TRANSPORT, passphrase, ret, &file, report);
	if (passphrase != NULL)
		ht_wipe(passphrase, strlen(passphrase));
	free(passphrase);
	if (err != HT_OK)
		ht_log(HT_ERROR, "front: %s: %s", path,
		    ht_report_count(report) > 0 ? ht_report_text(report, 0)
		                                : ht_err_text(err));
	return err;
}

static enum ht_err
bind_router(struct front *f, const char *address, const char *key_path)
{
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	struct ht_router_conf conf = {
	    .address = address,
	    .frame_max = HT_FRAME_MAX,
	    .rcvhwm = RCVHWM,
	    .sndhwm = SNDHWM,
	    .admit = admit,
	    .admit_arg = f,
	};
	enum ht_err err = read_key(key_path, &key);

	if (err != HT_OK)
		return err;
	conf.secret = ht_key_open(key);
	err = ht_router_open(f->net, &conf, &f->router);
	ht_key_shut(key);
	if (err != HT_OK)
		ht_log(HT_ERROR, "front: cannot listen on %s: %s", address,
		    err == HT_ESYSTEM ? strerror(errno)
		    : err == HT_EDENIED
		        ? "a stranger's key was let in by the self-test"
		        : ht_err_text(err));
	return err;
}

static enum ht_err
take_conf(struct front *f)
{
	HT_AUTO(ht_mem_free) char *address = NULL;
	HT_AUTO(ht_mem_free) char *key_path = NULL;
	struct ht_pipe_msg msg;
	struct ht_cur cur;
	enum ht_err err = next_message(f, &msg);

	if (err != HT_OK)
		return err;
	if (msg.type != HT_PIPE_CONF)
		return HT_EPROTOCOL;
	f->generation = msg.generation;
	cur = ht_cur(msg.body);
	f->memory_max = ht_cur_u64(&cur);
	address = ht_slice_dup(ht_cur_bytes16(&cur));
	key_path = ht_slice_dup(ht_cur_bytes16(&cur));
	if (ht_cur_end(&cur) != HT_OK)
		return HT_EMALFORMED;
	if (address == NULL || key_path == NULL)
		return HT_ENOMEM;
	limit_memory(f->memory_max);
	/* All the keys there are, before the first can be asked about. */
	while (f->keys == NULL) {
		err = next_message(f, &msg);
		if (err == HT_OK)
			err = handle_core(f, &msg);
		if (err != HT_OK)
			return err;
	}
	return bind_router(f, address, key_path);
}

/*
 * Both descriptors by one system call, which ht_net_wait() makes six of.  The
 * router's tells only what comes after from_nodes() has drained it, with
 * nothing sent since: so from_core() comes first in a turn, and a turn that
 * did not drain it is followed by another at once.
 */
static enum ht_err
wait_turn(struct front *f, bool *ret_core)
{
	struct pollfd at[] = {
	    {f->fd,                   POLLIN, 0},
	    {ht_router_fd(f->router), POLLIN, 0},
	};
	bool may = may_receive(f);

	if (out_waiting(f) > 0)
		at[0].events |= POLLOUT;
	if (poll(at, may ? 2 : 1, may && !f->drained ? 0 : WATCH_MS) < 0 &&
	    errno != EINTR)
		return HT_ESYSTEM;
	*ret_core = at[0].revents != 0;
	return HT_OK;
}

static enum ht_err
loop(struct front *f)
{
	for (;;) {
		bool core = false;
		enum ht_err err = wait_turn(f, &core);

		if (err == HT_OK && core)
			err = from_core(f);
		if (err == HT_OK)
			err = from_nodes(f);
		if (err == HT_OK && !watch(f))
			return HT_ETOOBIG;
		if (err == HT_OK)
			err = flush(f);
		if (err != HT_OK)
			return err;
	}
}

static enum ht_err
open_front(struct front *f, int fd)
{
	enum ht_err err;

	f->fd = fd;
	f->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	f->out = HT_BUF(OUT_MAX);
	f->credit = HT_PIPE_WINDOW;
	HT_ASSERT(pthread_mutex_init(&f->lock, NULL) == 0);
	f->peers = calloc(PEERS_MAX, sizeof(*f->peers));
	f->guests = ht_map_new();
	f->by_handle = ht_map_new();
	if (f->peers == NULL || f->guests == NULL || f->by_handle == NULL)
		return HT_ENOMEM;
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	err = ht_pipe_in_init(&f->in, fd);
	if (err == HT_OK)
		err = ht_keys_init();
	if (err == HT_OK)
		err = ht_net_open(&f->net);
	return err;
}

static void
close_front(struct front *f)
{
	ht_router_close(&f->router);
	ht_net_close(&f->net);
	ht_map_free(&f->keys, free);
	ht_map_free(&f->coming, free);
	ht_map_free(&f->guests, free);
	ht_map_free(&f->by_handle, NULL);
	for (int fd = 0; f->peers != NULL && fd < PEERS_MAX; fd++)
		free(f->peers[fd]);
	free(f->peers);
	ht_buf_fini(&f->out);
	ht_pipe_in_fini(&f->in);
	ht_fd_close(&f->statm_fd);
	HT_ASSERT(pthread_mutex_destroy(&f->lock) == 0);
}

int
ht_front_run(int fd)
{
	static struct front f;
	enum ht_err err;

	(void)prctl(PR_SET_NAME, "hutong-front");
	/* No front without its core. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	err = open_front(&f, fd);
	if (err == HT_OK) {
		err = take_conf(&f);
		if (err != HT_OK && err != HT_ENOTFOUND) {
			close_front(&f);
			return HT_FRONT_CONF;
		}
	}
	if (err == HT_OK) {
		const char *address = ht_router_address(f.router);

		HT_ASSERT(pthread_mutex_lock(&f.lock) == 0);
		f.open = true;
		HT_ASSERT(pthread_mutex_unlock(&f.lock) == 0);
		tell(&f, HT_PIPE_READY, (struct ht_slice){0}, "",
		    ht_slice_str(address));
		err = loop(&f);
	}
	if (err == HT_ETOOBIG)
		_exit(HT_FRONT_FLOOD); /* freeing all of it takes too long */
	close_front(&f);
	if (err != HT_ENOTFOUND)
		ht_log(HT_ERROR, "front: %s", ht_err_text(err));
	return err == HT_ENOTFOUND ? HT_FRONT_DONE : HT_FRONT_FAILED;
}
