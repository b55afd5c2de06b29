#include "lib/net/zmq.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fs.h"

#define WAITS_MAX 16 /* sources of one thread; a loop has two or three */

/*
 * With several contexts and CURVE, closing one takes the random source from
 * under the others: so there is one at a time.
 */
static atomic_bool context_open;

/*
 * libzmq never seeds rand(), from which its routing ids come.  A peer that
 * can guess the next id may claim it, and the process aborts.
 */
static void
seed_routing_ids(void)
{
	unsigned seed;

	ht_random(&seed, sizeof(seed));
	srand(seed);
}

static int
io_threads(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores >= 8 ? 4 : cores >= 4 ? 2 : 1;
}

enum ht_err
ht_net_open(struct ht_net **ret)
{
	struct ht_net *net;

	if (atomic_exchange(&context_open, true))
		return HT_EEXISTS;
	seed_routing_ids();
	net = calloc(1, sizeof(*net));
	if (net == NULL) {
		atomic_store(&context_open, false);
		return HT_ENOMEM;
	}
	net->ctx = zmq_ctx_new();
	if (net->ctx == NULL ||
	    zmq_ctx_set(net->ctx, ZMQ_IO_THREADS, io_threads()) != 0) {
		ht_net_close(&net);
		return HT_ESYSTEM;
	}
	*ret = net;
	return HT_OK;
}

void
ht_net_close(struct ht_net **net_p)
{
	struct ht_net *net = HT_TAKE(*net_p);

	if (net == NULL)
		return;
	if (net->ctx != NULL)
		while (zmq_ctx_term(net->ctx) != 0 && errno == EINTR)
			;
	free(net);
	atomic_store(&context_open, false);
}

bool
ht_zmq_options(void *sock, const struct zmq_option *options, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (zmq_setsockopt(sock, options[i].name, &options[i].value,
		        sizeof(options[i].value)) != 0)
			return false;
	return true;
}

void
ht_zmq_close(void *sock_p)
{
	void **sock = sock_p;

	if (*sock != NULL)
		zmq_close(*sock);
	*sock = NULL;
}

/* A dealer needs two places: its messages, and what became of its link. */
static size_t
fill(zmq_pollitem_t *items, const struct ht_wait *wait)
{
	if (wait->router != NULL) {
		items[0] = (zmq_pollitem_t){
		    ht_router_socket(wait->router), -1, ZMQ_POLLIN, 0};
		return 1;
	}
	if (wait->dealer != NULL) {
		items[0] = (zmq_pollitem_t){
		    ht_dealer_socket(wait->dealer), -1, ZMQ_POLLIN, 0};
		items[1] = (zmq_pollitem_t){
		    NULL, ht_dealer_events(wait->dealer), ZMQ_POLLIN, 0};
		return 2;
	}
	items[0] = (zmq_pollitem_t){NULL, wait->fd,
	    (short)(ZMQ_POLLIN | (wait->want_write ? ZMQ_POLLOUT : 0)), 0};
	return 1;
}

static long
cap_timeout(long timeout, int64_t other)
{
	if (other < 0)
		return timeout;
	return timeout < 0 || other < timeout ? (long)other : timeout;
}

enum ht_err
ht_net_wait(struct ht_wait *waits, size_t n, int timeout_ms, size_t *ret_ready)
{
	zmq_pollitem_t items[2 * WAITS_MAX];
	size_t n_items = 0, ready = 0, at = 0;
	long timeout = timeout_ms;

	HT_ASSERT(n <= WAITS_MAX);
	for (size_t i = 0; i < n; i++) {
		n_items += fill(&items[n_items], &waits[i]);
		if (waits[i].dealer != NULL)
			timeout = cap_timeout(
			    timeout, ht_dealer_redial(waits[i].dealer));
	}
	if (zmq_poll(items, (int)n_items, timeout) < 0 && errno != EINTR)
		return HT_ESYSTEM;
	for (size_t i = 0; i < n; i++) {
		waits[i].ready = items[at++].revents != 0;
		if (waits[i].dealer != NULL && items[at++].revents != 0)
			waits[i].ready = true;
		ready += waits[i].ready;
	}
	*ret_ready = ready;
	return HT_OK;
}

void
ht_z85(char out[static 41], const uint8_t in[static 32])
{
	HT_ASSERT(zmq_z85_encode(out, in, 32) != NULL);
}
