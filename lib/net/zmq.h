/*
 * zmq.h -- what the files of lib/net/ share; nobody else includes it.
 */
#ifndef HT_NET_ZMQ_H
#define HT_NET_ZMQ_H

#include <pthread.h>
#include <stdatomic.h>
#include <zmq.h>

#include "lib/base/panic.h"
#include "lib/net/net.h"

/* In the draft block of zmq.h, but Debian's library honours it. */
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

#define ZAP_DOMAIN "hutong"
/* 8 "\x07MESSAGE", 8 nonce, 16 MAC, 1 flags: what CURVE adds to a frame. */
#define CURVE_OVERHEAD 33

struct ht_net {
	void *ctx;
};

/* One option, its return code looked at; false leaves errno. */
struct zmq_option {
	int name;
	int value;
};
bool ht_zmq_options(void *sock, const struct zmq_option *options, size_t n);
void ht_zmq_close(void *sock_p);

struct zap;
enum ht_err ht_zap_start(struct ht_net *net, ht_admit_fn *admit, void *arg,
    struct zap **ret) HT_MUST_USE;
void ht_zap_stop(struct zap **zap_p);

/* Everything that makes a ROUTER safe to bind; false leaves errno. */
bool ht_router_harden(void *sock, const struct ht_router_conf *conf);
void *ht_router_socket(const struct ht_router *router);

void *ht_dealer_socket(const struct ht_dealer *dealer);
int ht_dealer_events(const struct ht_dealer *dealer);
/* Dial again if it is time to; the ms until it will be, -1 if never. */
int64_t ht_dealer_redial(struct ht_dealer *dealer);

#endif
