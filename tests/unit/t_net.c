#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <unistd.h>
#include <zmq.h>

#include "tests/lib/test.h"

#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/net/net.h"
#include "lib/net/zmq.h"

#define FRAME_MAX 10000

/* A server on a free port, and the keys of one client that it knows. */
struct fixture {
	struct ht_net *net;
	struct ht_router *router;
	uint8_t server_pub[32], server_sec[32];
	uint8_t pub[32], sec[32];      /* admitted, as tax.sh/first/adapter */
	_Atomic(const uint8_t *) late; /* admitted too, once set */
	atomic_uint refused;
	atomic_uint near; /* asked about from 127.0.0.1 */
	bool admit_all;
};

static void
keypair(uint8_t pub[static 32], uint8_t sec[static 32])
{
	char pub_text[41], sec_text[41];

	assert_int_equal(zmq_curve_keypair(pub_text, sec_text), 0);
	assert_non_null(zmq_z85_decode(pub, pub_text));
	assert_non_null(zmq_z85_decode(sec, sec_text));
}

static bool
admit(void *arg, const uint8_t key[static HT_CURVE_SIZE], struct ht_slice host,
    char user_id[static HT_USERID_MAX + 1])
{
	struct fixture *f = arg;
	const uint8_t *late = atomic_load(&f->late);

	atomic_fetch_add(&f->near, ht_slice_is(host, "127.0.0.1"));
	snprintf(user_id, HT_USERID_MAX + 1, "tax.sh/first/adapter");
	if (f->admit_all || memcmp(key, f->pub, HT_CURVE_SIZE) == 0 ||
	    (late != NULL && memcmp(key, late, HT_CURVE_SIZE) == 0))
		return true;
	atomic_fetch_add(&f->refused, 1);
	return false;
}

static struct ht_router_conf
router_conf(struct fixture *f, const char *address)
{
	return (struct ht_router_conf){
	    .address = address,
	    .secret = f->server_sec,
	    .frame_max = FRAME_MAX,
	    .rcvhwm = 100,
	    .sndhwm = 100,
	    .admit = admit,
	    .admit_arg = f,
	};
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct ht_router_conf conf;

	assert_non_null(f);
	keypair(f->server_pub, f->server_sec);
	keypair(f->pub, f->sec);
	assert_ok(ht_net_open(&f->net));
	conf = router_conf(f, "tcp://127.0.0.1:*");
	assert_ok(ht_router_open(f->net, &conf, &f->router));
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	ht_router_close(&f->router);
	ht_net_close(&f->net);
	free(f);
	return 0;
}

static struct ht_dealer *
dial(struct fixture *f, const uint8_t *pub, const uint8_t *sec)
{
	struct ht_dealer_conf conf = {
	    .address = ht_router_address(f->router),
	    .server_key = f->server_pub,
	    .public_key = pub,
	    .secret = sec,
	    .frame_max = FRAME_MAX,
	};
	struct ht_dealer *dealer = NULL;

	assert_ok(ht_dealer_open(f->net, &conf, &dealer));
	return dealer;
}

/* The next state of the link that is news; fails after ten seconds. */
static enum ht_link
next_link(struct ht_dealer *dealer)
{
	uint64_t until = ht_clock_mono_ms() + 10000;

	while (ht_clock_mono_ms() < until) {
		struct ht_wait wait = {.dealer = dealer};
		enum ht_link link;
		size_t ready;

		assert_ok(ht_net_wait(&wait, 1, 1000, &ready));
		link = ht_dealer_link(dealer);
		if (link != HT_LINK_NONE)
			return link;
	}
	fail_msg("no news of the link");
	return HT_LINK_NONE;
}

static void
await_link(struct ht_dealer *dealer, enum ht_link want)
{
	uint64_t until = ht_clock_mono_ms() + 10000;

	while (ht_clock_mono_ms() < until)
		if (next_link(dealer) == want)
			return;
	fail_msg("the link never became %d", want);
}

/* HT_EAGAIN if nothing came within @ms. */
static enum ht_err
router_recv(struct fixture *f, int ms, struct ht_received *ret)
{
	uint64_t until = ht_clock_mono_ms() + (uint64_t)ms;

	for (;;) {
		struct ht_wait wait = {.router = f->router};
		uint64_t now = ht_clock_mono_ms();
		size_t ready;
		enum ht_err err = ht_router_recv(f->router, ret);

		if (err != HT_EAGAIN || now >= until)
			return err;
		assert_ok(ht_net_wait(&wait, 1, (int)(until - now), &ready));
	}
}

static enum ht_err
dealer_recv(struct ht_dealer *dealer, int ms, struct ht_slice *ret)
{
	uint64_t until = ht_clock_mono_ms() + (uint64_t)ms;

	for (;;) {
		struct ht_wait wait = {.dealer = dealer};
		uint64_t now = ht_clock_mono_ms();
		size_t ready;
		enum ht_err err = ht_dealer_recv(dealer, ret);

		if (err != HT_EAGAIN || now >= until)
			return err;
		/* Link events would keep it ready. */
		(void)ht_dealer_link(dealer);
		assert_ok(ht_net_wait(&wait, 1, (int)(until - now), &ready));
	}
}

/* ---- what must work ---- */

static void
messages_go_both_ways(void **state)
{
	struct fixture *f = *state;
	HT_AUTO(ht_dealer_close) struct ht_dealer *dealer = NULL;
	struct ht_received got;
	struct ht_slice answer;

	dealer = dial(f, f->pub, f->sec);
	assert_int_equal(next_link(dealer), HT_LINK_UP);
	assert_ok(ht_dealer_send(dealer, ht_slice_str("ask")));
	assert_ok(router_recv(f, 5000, &got));
	/* After a poll: the trap where the user id is lost. */
	assert_string_equal(got.user_id, "tax.sh/first/adapter");
	assert_true(ht_slice_is(got.frame, "ask"));
	assert_int_equal(got.dropped_parts, 0);
	assert_ok(
	    ht_router_send(f->router, got.handle, ht_slice_str("answer")));
	assert_ok(dealer_recv(dealer, 5000, &answer));
	assert_true(ht_slice_is(answer, "answer"));
	assert_err(ht_router_recv(f->router, &got), HT_EAGAIN);
	assert_err(ht_dealer_recv(dealer, &answer), HT_EAGAIN);
}

static void
bytes_of_a_connection_are_counted(void **state)
{
	struct fixture *f = *state;
	HT_AUTO(ht_dealer_close) struct ht_dealer *dealer = NULL;
	static const uint8_t frame[5000];
	struct ht_received got;
	uint64_t bytes, more, peer, again;
	char host[HT_HOST_MAX + 1];

	dealer = dial(f, f->pub, f->sec);
	await_link(dealer, HT_LINK_UP);
	assert_ok(ht_dealer_send(dealer, HT_SLICE(frame, 10)));
	assert_ok(router_recv(f, 5000, &got));
	assert_true(ht_net_peer(got.fd, &bytes, &peer));
	assert_true(ht_net_host(got.fd, host));
	assert_string_equal(host, "127.0.0.1");
	assert_false(ht_net_host(-1, host));
	assert_in_range(atomic_load(&f->near), 1, 3);
	assert_ok(ht_dealer_send(dealer, HT_SLICE(frame, sizeof(frame))));
	assert_ok(router_recv(f, 5000, &got));
	assert_true(ht_net_peer(got.fd, &more, &again));
	assert_int_equal(peer, again);
	assert_in_range(more - bytes, sizeof(frame), sizeof(frame) + 200);
	assert_false(ht_net_peer(-1, &bytes, &peer));
}

static void
bytes_that_a_peer_takes_are_counted(void **state)
{
	struct fixture *f = *state;
	HT_AUTO(ht_dealer_close) struct ht_dealer *dealer = NULL;
	static const uint8_t frame[5000];
	struct ht_received got;
	struct ht_slice answer;
	uint64_t before, after = 0;

	dealer = dial(f, f->pub, f->sec);
	await_link(dealer, HT_LINK_UP);
	assert_ok(ht_dealer_send(dealer, HT_SLICE(frame, 10)));
	assert_ok(router_recv(f, 5000, &got));
	assert_true(ht_net_taken(got.fd, &before));
	assert_ok(ht_router_send(
	    f->router, got.handle, HT_SLICE(frame, sizeof(frame))));
	assert_ok(dealer_recv(dealer, 5000, &answer));
	/* Its acknowledgement may be a moment behind. */
	for (int i = 0; i < 500 && after < before + sizeof(frame); i++) {
		(void)usleep(2000);
		assert_true(ht_net_taken(got.fd, &after));
	}
	assert_in_range(after - before, sizeof(frame), sizeof(frame) + 400);
	assert_false(ht_net_taken(-1, &before));
}

static void
a_gone_connection_is_said_to_be_gone(void **state)
{
	struct fixture *f = *state;
	struct ht_dealer *dealer = dial(f, f->pub, f->sec);
	struct ht_received got;
	uint8_t handle[HT_HANDLE_MAX];
	size_t len;
	enum ht_err err = HT_OK;
	uint64_t until;

	await_link(dealer, HT_LINK_UP);
	assert_ok(ht_dealer_send(dealer, ht_slice_str("x")));
	assert_ok(router_recv(f, 5000, &got));
	len = got.handle.len;
	memcpy(handle, got.handle.at, len);
	ht_dealer_close(&dealer);
	until = ht_clock_mono_ms() + 5000;
	while (err == HT_OK && ht_clock_mono_ms() < until) {
		(void)poll(NULL, 0, 10);
		err = ht_router_send(
		    f->router, HT_SLICE(handle, len), ht_slice_str("y"));
	}
	assert_err(err, HT_ENOTFOUND);
}

static void
a_full_queue_says_so(void **state)
{
	struct fixture *f = *state;
	HT_AUTO(ht_dealer_close) struct ht_dealer *dealer = NULL;
	static const uint8_t frame[FRAME_MAX];
	struct ht_received got;
	enum ht_err err = HT_OK;

	dealer = dial(f, f->pub, f->sec);
	await_link(dealer, HT_LINK_UP);
	assert_ok(ht_dealer_send(dealer, ht_slice_str("x")));
	assert_ok(router_recv(f, 5000, &got));
	/* Nobody reads: both queues and the sockets' buffers fill. */
	for (int i = 0; i < 100000 && err == HT_OK; i++)
		err = ht_router_send(
		    f->router, got.handle, HT_SLICE(frame, sizeof(frame)));
	assert_err(err, HT_EAGAIN);
}

/* libzmq lets a port go a while after the socket was closed. */
static void
open_again(struct fixture *f, const struct ht_router_conf *conf)
{
	uint64_t until = ht_clock_mono_ms() + 5000;
	enum ht_err err;

	do {
		err = ht_router_open(f->net, conf, &f->router);
	} while (err == HT_ESYSTEM && errno == EADDRINUSE &&
	         ht_clock_mono_ms() < until);
	assert_ok(err);
}

static void
a_restarted_server_is_found_again(void **state)
{
	struct fixture *f = *state;
	HT_AUTO(ht_dealer_close) struct ht_dealer *dealer = NULL;
	struct ht_router_conf conf;
	char address[300];
	struct ht_received got;

	dealer = dial(f, f->pub, f->sec);
	await_link(dealer, HT_LINK_UP);
	snprintf(address, sizeof(address), "%s", ht_router_address(f->router));
	ht_router_close(&f->router);
	await_link(dealer, HT_LINK_DOWN);
	await_link(dealer, HT_LINK_UNREACHABLE);
	assert_err(ht_dealer_send(dealer, ht_slice_str("x")), HT_EAGAIN);
	conf = router_conf(f, address);
	open_again(f, &conf);
	await_link(dealer, HT_LINK_UP);
	assert_ok(ht_dealer_send(dealer, ht_slice_str("again")));
	assert_ok(router_recv(f, 5000, &got));
	assert_true(ht_slice_is(got.frame, "again"));
}

/* ---- what must not ---- */

static void
an_unknown_key_is_refused_until_it_is_known(void **state)
{
	struct fixture *f = *state;
	HT_AUTO(ht_dealer_close) struct ht_dealer *dealer = NULL;
	uint8_t pub[32], sec[32];
	unsigned before = atomic_load(&f->refused);
	struct ht_received got;

	keypair(pub, sec);
	dealer = dial(f, pub, sec);
	assert_int_equal(next_link(dealer), HT_LINK_REFUSED);
	assert_int_equal(atomic_load(&f->refused), before + 1);
	assert_err(ht_dealer_send(dealer, ht_slice_str("x")), HT_EAGAIN);
	assert_err(router_recv(f, 100, &got), HT_EAGAIN);
	/* libzmq would have given up: it is dialled again. */
	assert_int_equal(next_link(dealer), HT_LINK_REFUSED);
	atomic_store(&f->late, pub);
	assert_int_equal(next_link(dealer), HT_LINK_UP);
	assert_ok(ht_dealer_send(dealer, ht_slice_str("x")));
	assert_ok(router_recv(f, 5000, &got));
}

static void
another_servers_key_is_noticed(void **state)
{
	struct fixture *f = *state;
	HT_AUTO(ht_dealer_close) struct ht_dealer *dealer = NULL;
	struct fixture wrong = {.net = f->net, .router = f->router};
	uint8_t sec[32];

	keypair(wrong.server_pub, sec);
	dealer = dial(&wrong, f->pub, f->sec);
	assert_int_equal(next_link(dealer), HT_LINK_WRONG_SERVER);
}

static void
a_gate_that_is_open_stops_the_start(void **state)
{
	struct fixture *f = *state;
	struct ht_router_conf conf = router_conf(f, "tcp://127.0.0.1:*");
	struct ht_router *router = NULL;

	ht_router_close(&f->router);
	f->admit_all = true;
	assert_err(ht_router_open(f->net, &conf, &router), HT_EDENIED);
	assert_null(router);
}

static void
a_taken_port_is_an_error(void **state)
{
	struct fixture *f = *state;
	void *other = zmq_socket(f->net->ctx, ZMQ_ROUTER);
	struct ht_router_conf conf;
	char address[300];
	size_t len = sizeof(address);
	struct ht_router *router = NULL;

	ht_router_close(&f->router);
	assert_int_equal(zmq_bind(other, "tcp://127.0.0.1:*"), 0);
	assert_int_equal(
	    zmq_getsockopt(other, ZMQ_LAST_ENDPOINT, address, &len), 0);
	conf = router_conf(f, address);
	assert_err(ht_router_open(f->net, &conf, &router), HT_ESYSTEM);
	assert_int_equal(errno, EADDRINUSE);
	zmq_close(other);
}

static void
a_process_has_one_context(void **state)
{
	struct ht_net *second = NULL;

	(void)state;
	assert_err(ht_net_open(&second), HT_EEXISTS);
	assert_null(second);
}

/*
 * CURVE alone is no gate: without a handler anybody would come in, unless the
 * domain is enforced.
 */
static void
without_a_handler_nobody_comes_in(void **state)
{
	struct fixture *f = *state;
	struct ht_router_conf conf = router_conf(f, "");
	HT_AUTO(ht_dealer_close) struct ht_dealer *dealer = NULL;
	HT_AUTO(ht_zmq_close) void *sock = NULL;
	struct ht_dealer_conf client = {
	    .server_key = f->server_pub,
	    .public_key = f->pub,
	    .secret = f->sec,
	    .frame_max = FRAME_MAX,
	};
	char address[300];
	size_t len = sizeof(address);
	enum ht_link link;

	ht_router_close(&f->router); /* and its handler with it */
	sock = zmq_socket(f->net->ctx, ZMQ_ROUTER);
	assert_true(ht_router_harden(sock, &conf));
	assert_int_equal(zmq_bind(sock, "tcp://127.0.0.1:*"), 0);
	assert_int_equal(
	    zmq_getsockopt(sock, ZMQ_LAST_ENDPOINT, address, &len), 0);
	client.address = address;
	assert_ok(ht_dealer_open(f->net, &client, &dealer));
	link = next_link(dealer);
	assert_int_not_equal(link, HT_LINK_UP);
	assert_int_not_equal(link, HT_LINK_NONE);
}

/* A client of libzmq's own, with whatever options it likes. */
static void *
raw_dealer(struct fixture *f, const void *routing_id, size_t len)
{
	void *sock = zmq_socket(f->net->ctx, ZMQ_DEALER);
	int zero = 0, timeout = 5000;

	assert_int_equal(
	    zmq_setsockopt(sock, ZMQ_CURVE_SERVERKEY, f->server_pub, 32), 0);
	assert_int_equal(
	    zmq_setsockopt(sock, ZMQ_CURVE_PUBLICKEY, f->pub, 32), 0);
	assert_int_equal(
	    zmq_setsockopt(sock, ZMQ_CURVE_SECRETKEY, f->sec, 32), 0);
	assert_int_equal(
	    zmq_setsockopt(sock, ZMQ_LINGER, &zero, sizeof(zero)), 0);
	assert_int_equal(
	    zmq_setsockopt(sock, ZMQ_RCVTIMEO, &timeout, sizeof(timeout)), 0);
	if (len > 0)
		assert_int_equal(
		    zmq_setsockopt(sock, ZMQ_ROUTING_ID, routing_id, len), 0);
	assert_int_equal(zmq_connect(sock, ht_router_address(f->router)), 0);
	return sock;
}

static void
several_frames_are_dropped_and_counted(void **state)
{
	struct fixture *f = *state;
	HT_AUTO(ht_zmq_close) void *sock = raw_dealer(f, NULL, 0);
	struct ht_received got;

	assert_int_equal(zmq_send(sock, "a", 1, ZMQ_SNDMORE), 1);
	assert_int_equal(zmq_send(sock, "b", 1, ZMQ_SNDMORE), 1);
	assert_int_equal(zmq_send(sock, "c", 1, 0), 1);
	assert_int_equal(zmq_send(sock, "next", 4, 0), 4);
	assert_ok(router_recv(f, 5000, &got));
	assert_int_equal(got.dropped_parts, 2);
	assert_int_equal(got.frame.len, 0);
	assert_string_equal(got.user_id, "tax.sh/first/adapter");
	assert_ok(router_recv(f, 5000, &got));
	assert_true(ht_slice_is(got.frame, "next"));
}

static void
a_frame_too_large_ends_the_connection(void **state)
{
	struct fixture *f = *state;
	HT_AUTO(ht_zmq_close) void *sock = raw_dealer(f, NULL, 0);
	static uint8_t frame[FRAME_MAX + 1];
	struct ht_received got;

	assert_int_equal(zmq_send(sock, frame, FRAME_MAX, 0), FRAME_MAX);
	assert_ok(router_recv(f, 5000, &got));
	assert_int_equal(got.frame.len, FRAME_MAX);
	assert_int_equal(
	    zmq_send(sock, frame, FRAME_MAX + 1, 0), FRAME_MAX + 1);
	assert_err(router_recv(f, 300, &got), HT_EAGAIN);
}

/*
 * An id that begins with a zero byte is of the form that the socket gives out
 * itself: had the socket been going to give it to the next peer, the process
 * would have aborted.  The start of the count is random, so it is not.
 */
static void
a_chosen_routing_id_does_no_harm(void **state)
{
	struct fixture *f = *state;
	void *chosen[20];
	struct ht_received got;

	for (size_t i = 0; i < HT_COUNT(chosen); i++) {
		/* What an unseeded rand() would have led to, and around. */
		uint8_t id[5] = {0};
		uint32_t first;

		first = 1804289383u + (uint32_t)i;
		ht_be32(&id[1], first);
		chosen[i] = raw_dealer(f, id, sizeof(id));
		assert_int_equal(zmq_send(chosen[i], "c", 1, 0), 1);
		assert_ok(router_recv(f, 5000, &got));
		assert_int_equal(got.handle.len, 5);
		assert_memory_equal(got.handle.at, id, 5);
		assert_string_equal(got.user_id, "tax.sh/first/adapter");
	}
	for (int i = 0; i < 20; i++) {
		HT_AUTO(ht_zmq_close) void *plain = raw_dealer(f, NULL, 0);

		assert_int_equal(zmq_send(plain, "p", 1, 0), 1);
		assert_ok(router_recv(f, 5000, &got));
		assert_true(ht_slice_is(got.frame, "p"));
	}
	for (size_t i = 0; i < HT_COUNT(chosen); i++)
		zmq_close(chosen[i]);
}

/* The random part itself: no two contexts begin at the same id. */
static void
routing_ids_are_not_predictable(void **state)
{
	struct fixture *f = *state;
	uint8_t seen[3][5];
	struct ht_received got;

	for (int i = 0; i < 3; i++) {
		void *sock = raw_dealer(f, NULL, 0);
		struct ht_router_conf conf =
		    router_conf(f, "tcp://127.0.0.1:*");

		assert_int_equal(zmq_send(sock, "p", 1, 0), 1);
		assert_ok(router_recv(f, 5000, &got));
		assert_int_equal(got.handle.len, 5);
		memcpy(seen[i], got.handle.at, 5);
		zmq_close(sock);
		ht_router_close(&f->router);
		ht_net_close(&f->net);
		assert_ok(ht_net_open(&f->net));
		assert_ok(ht_router_open(f->net, &conf, &f->router));
	}
	for (int i = 1; i < 3; i++) {
		uint32_t a = ht_load32(&seen[i - 1][1]);
		uint32_t b = ht_load32(&seen[i][1]);

		assert_true(a - b > 1000 && b - a > 1000);
	}
}

static void
waiting_ends_on_a_descriptor_and_on_time(void **state)
{
	struct fixture *f = *state;
	int pipes[2];
	struct ht_wait waits[2] = {{.router = f->router}, {0}};
	size_t ready;

	assert_int_equal(pipe(pipes), 0);
	waits[1].fd = pipes[0];
	assert_ok(ht_net_wait(waits, 2, 10, &ready));
	assert_int_equal(ready, 0);
	assert_int_equal(write(pipes[1], "x", 1), 1);
	assert_ok(ht_net_wait(waits, 2, 1000, &ready));
	assert_int_equal(ready, 1);
	assert_false(waits[0].ready);
	assert_true(waits[1].ready);
	close(pipes[0]);
	close(pipes[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(messages_go_both_ways),
	    TEST(bytes_of_a_connection_are_counted),
	    TEST(bytes_that_a_peer_takes_are_counted),
	    TEST(a_gone_connection_is_said_to_be_gone),
	    TEST(a_full_queue_says_so),
	    TEST(a_restarted_server_is_found_again),
	    TEST(an_unknown_key_is_refused_until_it_is_known),
	    TEST(another_servers_key_is_noticed),
	    TEST(a_gate_that_is_open_stops_the_start),
	    TEST(a_taken_port_is_an_error),
	    TEST(a_process_has_one_context),
	    TEST(without_a_handler_nobody_comes_in),
	    TEST(several_frames_are_dropped_and_counted),
	    TEST(a_frame_too_large_ends_the_connection),
	    TEST(a_chosen_routing_id_does_no_harm),
	    TEST(routing_ids_are_not_predictable),
	    TEST(waiting_ends_on_a_descriptor_and_on_time),
	};

	/* A failed test leaves sockets open, and a context waits for them. */
	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
