/*
 * node_link.c -- the connection: what became of it, HELLO and WELCOME, life
 * signs, and which file a message is for.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/node.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

/* Another one is tried when the broker says nothing to HELLO. */
#define HELLO_WAIT_MS 10000

enum ht_err
node_link_open(struct ht_node *node)
{
	struct ht_pub pub = ht_key_pub(node->transport);
	struct ht_dealer_conf conf = {
	    .address = node->address,
	    .server_key = node->root.broker_transport.at,
	    .public_key = pub.at,
	    .frame_max = HT_FRAME_MAX,
	};
	enum ht_err err;

	ht_dealer_close(&node->dealer);
	if (node->phase != NODE_BROKEN)
		node->phase = NODE_DOWN;
	node_trouble(node,
	    "no connection to the broker at %s yet; it is being tried",
	    node->address);
	conf.secret = ht_key_open(node->transport);
	err = ht_dealer_open(node->net, &conf, &node->dealer);
	ht_key_shut(node->transport);
	node->heard_ms = ht_clock_mono_ms();
	return err;
}

struct ht_message *
node_message(struct ht_node *node, enum ht_message_type type)
{
	memset(node->out, 0, sizeof(*node->out));
	node->out->type = type;
	node->out->ref = ++node->ref;
	return node->out;
}

enum ht_err
node_send(struct ht_node *node)
{
	enum ht_err err;

	ht_buf_reset(&node->frame);
	err = ht_message_encode(node->out, &node->frame);
	if (err == HT_OK)
		err = ht_dealer_send(node->dealer, ht_buf_slice(&node->frame));
	return err;
}

static void
say_hello(struct ht_node *node)
{
	struct ht_message *m = node_message(node, HT_MSG_HELLO);
	bool newer = node->seen.size > node->kept.size;

	node->said = newer ? node->seen : node->kept;
	m->hello.n_versions = 1;
	m->hello.versions[0] = HT_PROTOCOL;
	m->hello.node = ht_slice_str(node->id);
	m->hello.checkpoint =
	    ht_buf_slice(newer ? &node->seen_note : &node->kept_note);
	m->hello.snapshot =
	    node->trust != NULL ? ht_trust_version(node->trust) : 0;
	m->hello.proofs = node->proofs;
	m->hello.serves = ht_map_count(node->servers) > 0;
	node->phase = NODE_HELLO;
	node->asked_ms = ht_clock_mono_ms();
	if (!node->clock_off)
		node_trouble(node,
		    "the broker at %s has not answered HELLO yet",
		    node->address);
	node->hello_due = node_send(node) != HT_OK;
}

/* ---- what became of the connection ---- */

static void
refused(struct ht_node *node)
{
	char key[HT_B64_SIZE(HT_PUB_SIZE)];
	struct ht_pub pub = ht_key_pub(node->transport);

	ht_b64(key, pub.at, sizeof(pub.at));
	node_trouble(node,
	    "the broker at %s does not admit this node's transport key %s: it "
	    "must stand in the directory entry of %s under node '%s', active "
	    "and within its period; have the entry signed and a snapshot "
	    "published",
	    node->address, key, node->member, node->name);
}

static void
wrong_server(struct ht_node *node)
{
	char key[HT_B64_SIZE(HT_PUB_SIZE)];

	ht_b64(key, node->root.broker_transport.at, HT_PUB_SIZE);
	node_trouble(node,
	    "the handshake with %s failed: it does not hold the transport key "
	    "%s that the anchor names, or is no broker; check the address, "
	    "and that the anchor file is the newest",
	    node->address, key);
}

static void
link_event(struct ht_node *node, enum ht_link link)
{
	switch (link) {
	case HT_LINK_NONE:
		return;
	case HT_LINK_UP:
		node->heard_ms = ht_clock_mono_ms();
		say_hello(node);
		return;
	case HT_LINK_DOWN:
		node_trouble(node,
		    "the connection to the broker at %s was lost; it is being "
		    "tried again",
		    node->address);
		break;
	case HT_LINK_UNREACHABLE:
		node_trouble(node,
		    "nobody listens at %s: start the broker, or mend the "
		    "address in the anchor or the node's configuration",
		    node->address);
		break;
	case HT_LINK_REFUSED:
		refused(node);
		node_watch_refused(node);
		break;
	case HT_LINK_WRONG_SERVER:
		wrong_server(node);
		break;
	}
	ht_log(HT_WARN, "node %s: %s", node->id, node->trouble);
	node->phase = NODE_DOWN;
}

/* A moment may be later than the time that this turn began with. */
static uint64_t
since(uint64_t then_ms, uint64_t now_ms)
{
	return now_ms > then_ms ? now_ms - then_ms : 0;
}

static void
ping(struct ht_node *node, uint64_t now_ms)
{
	if (since(node->asked_ms, now_ms) < NODE_PING_MS)
		return;
	node->asked_ms = now_ms;
	(void)node_message(node, HT_MSG_PING);
	(void)node_send(node);
}

static void
redial(struct ht_node *node, const char *why)
{
	ht_log(HT_WARN, "node %s: %s; connecting anew", node->id, why);
	if (node_link_open(node) != HT_OK)
		node_break(node, HT_ESYSTEM, "no new socket can be made");
}

/* The broker forgets who is silent, also while we load what it sent. */
static void
keep_alive(struct ht_node *node, uint64_t now_ms)
{
	if (since(node->heard_ms, now_ms) > NODE_LOST_MS)
		redial(node, "nothing came for 45 s");
	else if (since(node->heard_ms, now_ms) > NODE_PING_MS)
		ping(node, now_ms);
}

static void
ask_anew(struct ht_node *node)
{
	if (node->clock_off)
		say_hello(node);
	else
		redial(node, "no answer to HELLO");
}

void
node_link_turn(struct ht_node *node, uint64_t now_ms)
{
	enum ht_link link = ht_dealer_link(node->dealer);

	node_disk_turn(node);
	node_load_turn(node);
	if (node->phase == NODE_BROKEN)
		return;
	link_event(node, link);
	if (node->phase == NODE_FETCH || node->phase == NODE_READY)
		node_fetch_turn(node, now_ms);
	switch (node->phase) {
	case NODE_DOWN:
	case NODE_BROKEN:
		return;
	case NODE_HELLO:
	case NODE_FETCH:
		if (node->hello_due)
			say_hello(node);
		if (node_loading(node))
			keep_alive(node, now_ms);
		else if (since(node->asked_ms, now_ms) > HELLO_WAIT_MS)
			ask_anew(node);
		return;
	case NODE_READY:
		keep_alive(node, now_ms);
		node_ask_consistency(node, now_ms);
		return;
	}
}

/* ---- messages ---- */

static bool
clock_fits(struct ht_node *node, uint64_t theirs_ms)
{
	uint64_t ours_ms = ht_clock_wall_ms();
	uint64_t off_ms =
	    ours_ms > theirs_ms ? ours_ms - theirs_ms : theirs_ms - ours_ms;

	if (off_ms <= HT_SKEW_MS)
		return true;
	node_trouble(node,
	    "this machine's clock is %llu s %s the broker's, and 60 s are "
	    "allowed: set it (chrony), or the broker's",
	    (unsigned long long)((off_ms + 500) / 1000),
	    ours_ms > theirs_ms ? "ahead of" : "behind");
	ht_log(HT_ERROR, "node %s: %s", node->id, node->trouble);
	return false;
}

static void
welcome(struct ht_node *node)
{
	if (node->phase != NODE_HELLO)
		return;
	node->clock_off = !clock_fits(node, node->in->welcome.time_ms);
	if (node->clock_off)
		return; /* it says HELLO again in a while */
	if (node->in->welcome.life_ms > 0)
		node->life_max_ms = node->in->welcome.life_ms;
	if (!node_welcomed(node))
		return;
	node_out_again(node);
	node_witness_offer(node);
}

static void
on_error(struct ht_node *node)
{
	const struct ht_reason *reason = &node->in->error.reason;

	if (node->in->ref == node->consistency_ref)
		node->consistency_ref = 0;
	if (reason->code == HT_ST_ROLLED_BACK && node->phase == NODE_HELLO) {
		node_given_up(node);
		return;
	}
	if (node_fetch_refused(node))
		return;
	node_trouble(node, "the broker says %s (%s): %s",
	    ht_status_name(reason->code), ht_status_text(reason->code),
	    reason->detail[0] != '\0' ? reason->detail
	                              : ht_status_remedy(reason->code));
	ht_log(HT_WARN, "node %s: %s", node->id, node->trouble);
	node_refused(node);
	node_proof_refused(node);
	if (reason->code == HT_ST_HELLO_FIRST)
		say_hello(node);
}

static void
notice(struct ht_node *node)
{
	uint64_t version = node->in->notice.snapshot;
	bool newer =
	    node->trust == NULL || version != ht_trust_version(node->trust);

	if (node->phase >= NODE_FETCH && node->phase != NODE_BROKEN)
		node_fetch_noticed(node, newer);
}

static void
pong(struct ht_node *node)
{
	uint64_t ref = node->in->ref;
	struct ht_message *m = node_message(node, HT_MSG_PONG);

	m->ref = ref;
	m->pong.time_ms = ht_clock_wall_ms();
	(void)node_send(node);
}

static void
dispatch(struct ht_node *node, struct ht_slice frame)
{
	switch (node->in->type) {
	case HT_MSG_WELCOME:
		welcome(node);
		return;
	case HT_MSG_ACK:
		node_acked(node);
		return;
	case HT_MSG_DELIVER:
		node_delivered(node, frame);
		return;
	case HT_MSG_END:
		node_ended(node);
		return;
	case HT_MSG_PING:
		pong(node);
		return;
	case HT_MSG_SNAPSHOT:
		node_snapshot(node);
		return;
	case HT_MSG_PROOF:
		node_proof_came(node);
		return;
	case HT_MSG_CONSISTENCY:
		node_consistency(node);
		return;
	case HT_MSG_ERROR:
		on_error(node);
		return;
	case HT_MSG_NOTICE:
		notice(node);
		return;
	case HT_MSG_WITNESS:
		node_witness(node);
		return;
	case HT_MSG_PONG:
		(void)clock_fits(node, node->in->pong.time_ms);
		return;
	default:
		/* Ours to send, not to receive; or not asked for. */
		ht_log(HT_WARN, "node %s: unexpected message of type %d",
		    node->id, (int)node->in->type);
		return;
	}
}

void
node_frame(struct ht_node *node, struct ht_slice frame)
{
	const char *why = "";
	size_t at = 0;
	enum ht_err err;

	err = ht_message_decode(frame, node->in, &at, &why);
	if (err != HT_OK) {
		ht_log(HT_ERROR,
		    "node %s: a frame of the broker's cannot be read, offset "
		    "%zu: %s",
		    node->id, at, why);
		return;
	}
	ht_log(HT_DEBUG, "node %s: message of type %d, %zu bytes", node->id,
	    (int)node->in->type, frame.len);
	dispatch(node, frame);
}
