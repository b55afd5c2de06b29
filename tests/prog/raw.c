/*
 * raw.c -- a client that speaks ZeroMQ as it likes.
 *
 * usage: raw frames NODE.yaml FRAME...    say HELLO, then each frame
 *        raw early NODE.yaml FRAME...     without HELLO
 *        raw id NODE.yaml ID FRAME...     with a routing id chosen by itself
 *        raw ids NODE.yaml FIRST COUNT    COUNT connections with the routing
 *                                         ids 00 FIRST, 00 FIRST+1, ...; held
 *                                         until standard input ends
 *        raw greedy|greeting NODE.yaml COUNT SECONDS
 *                                         so many GET_SNAPSHOT, or HELLO, at
 *                                         once, then 400 a second; no answer
 *                                         is read
 *        raw mute NODE.yaml HOST          from that address of this machine,
 *                                         and nothing said till standard input
 *                                         ends
 *        raw stranger|wrong-server|null|plain NODE.yaml
 *                                         what becomes of the handshake
 *        raw flood|mute-flood|two-flood NODE.yaml MIB
 *                                         one message in very many parts; on
 *                                         a connection that said HELLO, said
 *                                         nothing, or nothing while another
 *                                         one of the node did
 *
 * FRAME and ID are hex; "91*1000" repeats, "+" joins, "/" begins another part
 * of the same message; "!" before it: no answer is waited for.  A line is
 * printed for each frame: the answer's name and detail, CLOSED if the
 * connection was, SILENCE after a while.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "adapters/conf_node.h"
#include "keys/keyfile.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/net/net.h"
#include "schemas/doc.h"
#include "schemas/message.h"

#define ANSWER_MS 20000
#define PART      65536
#define IDS_MAX   200

struct raw {
	struct ht_conf_node conf;
	struct ht_root root;
	struct ht_key *transport;
	struct ht_message message;
	void *ctx;
	void *sock;
	void *monitor;
	const char *from; /* NULL: any address of this machine */
};

_Noreturn static void
die(const char *doing)
{
	fprintf(stderr, "raw: %s: %s\n", doing, zmq_strerror(errno));
	exit(3);
}

static void
must(bool yes, const char *doing)
{
	if (!yes)
		die(doing);
}

static void
load(struct raw *r, const char *path)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	struct ht_keyfile file;
	enum ht_err err = ht_conf_node_load(path, report, &r->conf);

	if (err == HT_OK)
		err = ht_fs_read(r->conf.root, &note);
	if (err == HT_OK)
		err = ht_root_parse(
		    ht_buf_slice(&note), r->conf.root, report, &r->root);
	if (err == HT_OK)
		err = ht_keyfile_read(r->conf.transport, HT_KEY_TRANSPORT, NULL,
		    &r->transport, &file, report);
	if (err != HT_OK) {
		ht_report_print(report, stderr);
		die("reading");
	}
}

/* ---- connecting ---- */

static void
set(void *sock, int option, const void *value, size_t len)
{
	must(zmq_setsockopt(sock, option, value, len) == 0, "an option");
}

static void
set_int(void *sock, int option, int value)
{
	set(sock, option, &value, sizeof(value));
}

enum who { ITSELF, STRANGER, WRONG_SERVER, NULL_MECHANISM, PLAIN };

static void
set_keys(struct raw *r, void *sock, enum who who)
{
	struct ht_pub pub = ht_key_pub(r->transport);
	uint8_t server[HT_PUB_SIZE];
	char public[41], secret[41];

	if (who == NULL_MECHANISM)
		return;
	if (who == PLAIN) {
		set(sock, ZMQ_PLAIN_USERNAME, "root", 4);
		set(sock, ZMQ_PLAIN_PASSWORD, "root", 4);
		return;
	}
	memcpy(server, r->root.broker_transport.at, sizeof(server));
	/* A key of the same curve, but not the broker's. */
	if (who == WRONG_SERVER)
		memcpy(server, pub.at, sizeof(server));
	set(sock, ZMQ_CURVE_SERVERKEY, server, sizeof(server));
	if (who == STRANGER) {
		must(zmq_curve_keypair(public, secret) == 0, "new keys");
		set(sock, ZMQ_CURVE_PUBLICKEY, public, 41);
		set(sock, ZMQ_CURVE_SECRETKEY, secret, 41);
		return;
	}
	set(sock, ZMQ_CURVE_PUBLICKEY, pub.at, sizeof(pub.at));
	set(sock, ZMQ_CURVE_SECRETKEY, ht_key_open(r->transport), 32);
	ht_key_shut(r->transport);
}

static void *
dial(struct raw *r, enum who who, const uint8_t *id, size_t id_len)
{
	void *sock = zmq_socket(r->ctx, ZMQ_DEALER);
	static int count;
	char events[40], address[400];

	must(sock != NULL, "a socket");
	set_int(sock, ZMQ_LINGER, 0);
	set_int(sock, ZMQ_SNDTIMEO, ANSWER_MS);
	set_int(sock, ZMQ_RECONNECT_IVL, 200);
	if (id_len > 0)
		set(sock, ZMQ_ROUTING_ID, id, id_len);
	set_keys(r, sock, who);
	snprintf(events, sizeof(events), "inproc://events-%d", count++);
	must(zmq_socket_monitor(sock, events,
	         ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED |
	             ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
	             ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
	             ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
	             ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) == 0,
	    "a monitor");
	r->monitor = zmq_socket(r->ctx, ZMQ_PAIR);
	set_int(r->monitor, ZMQ_LINGER, 0);
	must(zmq_connect(r->monitor, events) == 0, "the monitor");
	must(strncmp(r->root.broker_address, "tcp://", 6) == 0, "an address");
	snprintf(address, sizeof(address), "tcp://%s%s%s",
	    r->from != NULL ? r->from : "", r->from != NULL ? ":0;" : "",
	    r->root.broker_address + 6);
	must(zmq_connect(sock, address) == 0, "connecting");
	return sock;
}

/* The next thing that happened to the connection; 0 if nothing has. */
static int
event(struct raw *r, int timeout_ms)
{
	zmq_pollitem_t item = {.socket = r->monitor, .events = ZMQ_POLLIN};
	uint8_t what[6], where[300];
	uint16_t number;

	if (zmq_poll(&item, 1, timeout_ms) <= 0)
		return 0;
	must(zmq_recv(r->monitor, what, sizeof(what), 0) == sizeof(what) &&
	         zmq_recv(r->monitor, where, sizeof(where), 0) >= 0,
	    "an event");
	memcpy(&number, what, sizeof(number));
	return number;
}

static const char *
handshake(struct raw *r)
{
	switch (event(r, ANSWER_MS)) {
	case 0:
		return "SILENCE";
	case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
		return "UP";
	case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
		return "REFUSED";
	case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
		return "MISMATCH";
	default:
		return "CLOSED";
	}
}

static void
up(struct raw *r)
{
	const char *how = handshake(r);

	if (strcmp(how, "UP") == 0)
		return;
	printf("%s\n", how);
	exit(1);
}

/* ---- messages ---- */

static bool
is_answer(enum ht_message_type type)
{
	return type != HT_MSG_PING && type != HT_MSG_NOTICE &&
	       type != HT_MSG_DELIVER && type != HT_MSG_END;
}

static void
print_answer(const struct ht_message *m)
{
	switch (m->type) {
	case HT_MSG_ERROR:
		printf("%s %s\n", ht_status_name(m->error.reason.code),
		    m->error.reason.detail);
		break;
	case HT_MSG_ACK:
		printf("ACK %s\n", ht_status_name(m->ack.results[0].status));
		break;
	case HT_MSG_PONG:
		printf("PONG\n");
		break;
	default:
		printf("message %d\n", (int)m->type);
		break;
	}
}

/* False: closed, or silence; said so. */
static bool
answer(struct raw *r)
{
	static uint8_t frame[HT_FRAME_MAX];
	uint64_t until = ht_clock_mono_ms() + ANSWER_MS;
	const char *why;
	size_t at;

	while (ht_clock_mono_ms() < until) {
		zmq_pollitem_t items[] = {
		    {.socket = r->sock,    .events = ZMQ_POLLIN},
		    {.socket = r->monitor, .events = ZMQ_POLLIN},
		};
		int len;

		(void)zmq_poll(items, 2, 1000);
		if (items[0].revents != 0) {
			len = zmq_recv(r->sock, frame, sizeof(frame), 0);
			must(len >= 0 &&
			         ht_message_decode(HT_SLICE(frame, (size_t)len),
			             &r->message, &at, &why) == HT_OK,
			    "an answer");
			if (is_answer(r->message.type))
				return true;
		} else if (items[1].revents != 0 &&
		           event(r, 0) != ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
			printf("CLOSED\n");
			return false;
		}
	}
	printf("SILENCE\n");
	return false;
}

static void
encode_hello(struct raw *r, struct ht_buf *out)
{
	char name[HT_NAME_MAX + HT_NODE_MAX + 2];

	snprintf(name, sizeof(name), "%s/%s", r->conf.member, r->conf.node);
	memset(&r->message, 0, sizeof(r->message));
	r->message.type = HT_MSG_HELLO;
	r->message.ref = 1;
	r->message.hello.n_versions = 1;
	r->message.hello.versions[0] = HT_PROTOCOL;
	r->message.hello.node = ht_slice_str(name);
	must(ht_message_encode(&r->message, out) == HT_OK, "HELLO");
}

static void
hello(struct raw *r)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4096);

	encode_hello(r, &out);
	must(zmq_send(r->sock, out.at, out.len, 0) >= 0, "saying HELLO");
	if (!answer(r) || r->message.type != HT_MSG_WELCOME) {
		print_answer(&r->message);
		exit(1);
	}
}

/* "91*1000+c0", up to the next "/". */
static void
read_hex(const char **text_p, struct ht_buf *out)
{
	const char *text = *text_p;

	while (*text != '\0' && *text != '/') {
		size_t len = strspn(text, "0123456789abcdef"), times = 1;
		uint8_t bytes[4096];
		char *end = NULL;

		must(len % 2 == 0 && len / 2 <= sizeof(bytes), "reading hex");
		for (size_t i = 0; i < len / 2; i++) {
			char two[3] = {text[2 * i], text[2 * i + 1], '\0'};

			bytes[i] = (uint8_t)strtoul(two, NULL, 16);
		}
		text += len;
		if (*text == '*') {
			times = strtoul(text + 1, &end, 10);
			text = end;
		}
		while (times-- > 0)
			ht_buf_add(out, bytes, len / 2);
		text += *text == '+';
	}
	must(out->err == HT_OK, "making a frame");
	*text_p = text;
}

static void
say(struct raw *r, const char *text)
{
	bool quiet = *text == '!';
	int more;

	text += quiet;
	do {
		struct ht_buf part = HT_BUF(64 << 20);

		read_hex(&text, &part);
		more = *text == '/' ? ZMQ_SNDMORE : 0;
		text += more != 0;
		must(
		    zmq_send(r->sock, part.at, part.len, more) >= 0, "sending");
		ht_buf_fini(&part);
	} while (more != 0);
	if (!quiet && answer(r))
		print_answer(&r->message);
}

static int
frames(struct raw *r, bool greet, int n, char **texts)
{
	for (int i = 0; i < n; i++) {
		/* A closed connection is made anew by libzmq. */
		while (event(r, 0) != 0)
			;
		if (greet)
			hello(r);
		say(r, texts[i]);
	}
	return 0;
}

/* ---- routing ids ---- */

static int
many(struct raw *r, const char *first, const char *count)
{
	uint32_t from = (uint32_t)strtoul(first, NULL, 16);
	int n = atoi(count);
	static void *socks[IDS_MAX + 1];

	must(n > 0 && n <= IDS_MAX, "counting");
	for (int i = 0; i <= n; i++) {
		uint8_t id[5] = {0};

		/* The last wants the first's. */
		ht_be32(&id[1], from + (uint32_t)(i % n));
		socks[i] = dial(r, ITSELF, id, sizeof(id));
		up(r);
	}
	r->sock = socks[n - 1];
	hello(r);
	say(r, "93010805");
	fflush(stdout);
	(void)getchar();
	for (int i = 0; i <= n; i++)
		zmq_close(socks[i]);
	return 0;
}

static int
mute(struct raw *r, const char *from)
{
	uint8_t none = 0;

	r->from = from;
	r->sock = dial(r, ITSELF, &none, 0);
	up(r);
	printf("MUTE\n");
	fflush(stdout);
	(void)getchar();
	return 0;
}

/* ---- floods ---- */

static int
flood(struct raw *r, const char *mib)
{
	static uint8_t bytes[PART];
	long parts = atol(mib) * (1048576 / PART);

	/* One buffer for all: the parts weigh nothing here. */
	for (long i = 0; i < parts; i++) {
		zmq_msg_t msg;

		must(zmq_msg_init_data(&msg, bytes, PART, NULL, NULL) == 0,
		    "a part");
		must(zmq_msg_send(
		         &msg, r->sock, i + 1 < parts ? ZMQ_SNDMORE : 0) >= 0,
		    "sending a part");
	}
	for (;;) {
		int e = event(r, 8 * ANSWER_MS);

		if (e == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
			continue;
		printf(e == 0 ? "SILENCE\n" : "CLOSED\n");
		fflush(stdout);
		_exit(0); /* what is left is sent to nobody */
	}
}

/* Little to say, and much to be told. */
static int
greed(struct raw *r, bool greet, const char *count, const char *seconds)
{
	static const uint8_t get_snapshot[] = {0x96, 1, 10, 5, 0, 0, 0};
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4096);

	if (greet)
		encode_hello(r, &out);
	else
		ht_buf_add(&out, get_snapshot, sizeof(get_snapshot));
	for (long i = atol(count); i > 0; i--)
		must(zmq_send(r->sock, out.at, out.len, 0) >= 0, "asking");
	for (long turn = atol(seconds) * 20; turn > 0; turn--) {
		(void)usleep(50000);
		for (int i = 0; i < 20; i++)
			(void)zmq_send(r->sock, out.at, out.len, ZMQ_DONTWAIT);
	}
	printf("ASKED\n");
	fflush(stdout);
	_exit(0);
}

static int
play(struct raw *r, const char *how, int n, char **args)
{
	uint8_t none = 0;
	HT_AUTO(ht_buf_fini) struct ht_buf id = HT_BUF(256);
	const char *text;
	bool greedy;

	if (strcmp(how, "stranger") == 0 || strcmp(how, "wrong-server") == 0 ||
	    strcmp(how, "null") == 0 || strcmp(how, "plain") == 0) {
		enum who who = how[0] == 's'   ? STRANGER
		               : how[0] == 'w' ? WRONG_SERVER
		               : how[0] == 'n' ? NULL_MECHANISM
		                               : PLAIN;
		r->sock = dial(r, who, &none, 0);
		how = handshake(r);
		printf("%s\n", how);
		return strcmp(how, "UP") == 0;
	}
	if (strcmp(how, "mute") == 0 && n == 1)
		return mute(r, args[0]);
	if (strcmp(how, "ids") == 0 && n == 2)
		return many(r, args[0], args[1]);
	if (strcmp(how, "id") == 0 && n > 1) {
		text = args[0];
		read_hex(&text, &id);
	}
	r->sock = dial(r, ITSELF, id.at, id.len);
	up(r);
	if (strcmp(how, "frames") == 0 || strcmp(how, "early") == 0)
		return frames(r, how[0] == 'f', n, args);
	if (id.len > 0)
		return frames(r, true, n - 1, args + 1);
	greedy = strcmp(how, "greedy") == 0 || strcmp(how, "greeting") == 0;
	if (n != (greedy ? 2 : 1))
		return 2;
	if (strcmp(how, "mute-flood") != 0)
		hello(r);
	if (greedy)
		return greed(r, strcmp(how, "greeting") == 0, args[0], args[1]);
	if (strcmp(how, "two-flood") == 0) {
		r->sock = dial(r, ITSELF, &none, 0);
		up(r);
	}
	return flood(r, args[0]);
}

int
main(int argc, char **argv)
{
	static struct raw r;

	if (argc < 3 || ht_keys_init() != HT_OK) {
		fprintf(stderr, "usage: raw HOW NODE.yaml ...; see raw.c\n");
		return 2;
	}
	load(&r, argv[2]);
	r.ctx = zmq_ctx_new();
	(void)zmq_ctx_set(r.ctx, ZMQ_MAX_SOCKETS, 2048);
	return play(&r, argv[1], argc - 3, argv + 3);
}
