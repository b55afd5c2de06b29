/*
 * node_out.c -- what leaves.  A lone record leaves at once; while a bundle
 * waits for its acknowledgement, what comes piles up into the next one: an
 * idle node pays nothing, a busy one a 64th of a signature.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/node.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"

#define BUSY_MS 200 /* when the broker names no time */

void
node_list_init(struct node_list *list)
{
	list->head = NULL;
	list->tail = &list->head;
	list->n = 0;
}

void
node_list_add(struct node_list *list, struct node_out *out)
{
	out->next = NULL;
	*list->tail = out;
	list->tail = &out->next;
	list->n++;
}

static void
unlink_after(struct node_list *list, struct node_out **at)
{
	struct node_out *out = *at;

	*at = out->next;
	if (list->tail == &out->next)
		list->tail = at;
	out->next = NULL;
	list->n--;
}

struct node_out *
node_out_new(void)
{
	struct node_out *out = calloc(1, sizeof(*out));

	if (out == NULL)
		return NULL;
	out->header = HT_BUF(HT_HEADER_MAX);
	out->body = HT_BUF(HT_BODY_MAX);
	out->tag = HT_BUF(HT_TAG_MAX);
	return out;
}

void
node_out_free(struct node_out **out_p)
{
	struct node_out *out = HT_TAKE(*out_p);

	if (out == NULL)
		return;
	ht_buf_fini(&out->header);
	ht_buf_fini(&out->body);
	ht_buf_fini(&out->tag);
	free(out);
}

static void
drop_list(struct node_list *list)
{
	while (list->head != NULL) {
		struct node_out *out = list->head;

		unlink_after(list, &list->head);
		node_out_free(&out);
	}
}

void
node_out_fini(struct ht_node *node)
{
	for (unsigned i = 0; i < NODE_FLIGHTS_MAX; i++)
		for (unsigned k = 0; k < node->flights[i].n; k++)
			node_out_free(&node->flights[i].outs[k]);
	if (node->waiting.tail != NULL)
		drop_list(&node->waiting);
}

/* ---- bundles ---- */

static struct node_flight *
free_flight(struct ht_node *node, bool *ret_idle)
{
	struct node_flight *found = NULL;

	*ret_idle = true;
	for (unsigned i = 0; i < NODE_FLIGHTS_MAX; i++) {
		if (node->flights[i].ref != 0)
			*ret_idle = false;
		else if (found == NULL)
			found = &node->flights[i];
	}
	return found;
}

/* Move what may leave now, in order, into the flight. */
static void
load(struct ht_node *node, struct node_flight *flight, uint64_t now_ms)
{
	struct node_out **at = &node->waiting.head;
	uint64_t wall_ms = ht_clock_wall_ms();
	size_t bytes = 0;

	flight->n = 0;
	while (*at != NULL && flight->n < node->bundle_max) {
		struct node_out *out = *at;

		if (out->expires_ms <= wall_ms) {
			/* An ask that waits for it gives up by itself. */
			unlink_after(&node->waiting, at);
			node_out_free(&out);
			continue;
		}
		if (out->not_before_ms > now_ms) {
			at = &out->next;
			continue;
		}
		if (bytes + out->body.len > HT_BUNDLE_BYTES)
			break;
		bytes += out->body.len;
		unlink_after(&node->waiting, at);
		flight->outs[flight->n++] = out;
	}
}

static void
unload(struct ht_node *node, struct node_flight *flight)
{
	for (unsigned i = 0; i < flight->n; i++)
		node_list_add(&node->waiting, flight->outs[i]);
	flight->n = 0;
	flight->ref = 0;
}

static enum ht_err
send_flight(struct ht_node *node, struct node_flight *flight)
{
	struct ht_message *m = node_message(node, HT_MSG_BUNDLE);
	struct ht_bundle *bundle = &m->bundle;
	enum ht_err err;

	bundle->suite = 1;
	bundle->sender = ht_slice_str(node->member);
	bundle->node = ht_slice_str(node->name);
	bundle->key = node->signing_id;
	bundle->count = flight->n;
	bundle->n_records = flight->n;
	for (unsigned i = 0; i < flight->n; i++) {
		struct node_out *out = flight->outs[i];

		bundle->records[i] = (struct ht_bundle_record){
		    .index = i,
		    .header = ht_buf_slice(&out->header),
		    .body = ht_buf_slice(&out->body),
		    .tag = ht_buf_slice(&out->tag),
		    .hash = out->hash,
		};
	}
	err = ht_bundle_sign(bundle, node->signing);
	if (err == HT_OK) {
		flight->ref = m->ref;
		err = node_send(node);
	}
	ht_log(HT_DEBUG, "node %s: bundle of %u records: %s", node->id,
	    flight->n, err == HT_OK ? "sent" : ht_err_text(err));
	return err;
}

static unsigned
ready_count(const struct ht_node *node, uint64_t now_ms)
{
	unsigned n = 0;

	for (const struct node_out *out = node->waiting.head;
	     out != NULL && n < node->bundle_max; out = out->next)
		n += out->not_before_ms <= now_ms;
	return n;
}

static enum ht_err
flush_places(struct ht_node *node)
{
	struct ht_message *m;

	if (node->n_places == 0)
		return HT_OK;
	m = node_message(node, HT_MSG_GOT);
	m->ref = 0;
	m->got.n_places = node->n_places;
	memcpy(m->got.places, node->places,
	    node->n_places * sizeof(node->places[0]));
	/* Lost with the connection, it only means one more delivery. */
	node->n_places = 0;
	return node_send(node);
}

enum ht_err
node_flush(struct ht_node *node, uint64_t now_ms)
{
	enum ht_err err = HT_OK;

	if (node->phase != NODE_READY)
		return HT_OK;
	while (err == HT_OK) {
		unsigned n = ready_count(node, now_ms);
		struct node_flight *flight;
		bool idle;

		flight = free_flight(node, &idle);
		if (flight == NULL || n == 0 || (!idle && n < node->bundle_max))
			break;
		load(node, flight, now_ms);
		if (flight->n == 0)
			break;
		err = send_flight(node, flight);
		if (err != HT_OK)
			unload(node, flight);
	}
	if (err == HT_OK)
		err = flush_places(node);
	return err == HT_EAGAIN ? HT_OK : err;
}

void
node_got(struct ht_node *node, uint64_t place)
{
	if (node->n_places == HT_BUNDLE_MAX)
		(void)flush_places(node);
	if (node->n_places < HT_BUNDLE_MAX)
		node->places[node->n_places++] = place;
}

/* ---- acknowledgements ---- */

static struct node_flight *
find_flight(struct ht_node *node, uint64_t ref)
{
	for (unsigned i = 0; i < NODE_FLIGHTS_MAX; i++)
		if (ref != 0 && node->flights[i].ref == ref)
			return &node->flights[i];
	return NULL;
}

static void
response_result(struct ht_node *node, const struct node_out *out,
    const struct ht_result *result)
{
	char id[2 * HT_ID_SIZE + 1];

	if (result->status != HT_ST_OK) {
		ht_hex(id, out->record.at, HT_ID_SIZE);
		ht_log(HT_ERROR,
		    "node %s: the broker refused our answer %s: %s %s",
		    node->id, id, ht_status_name(result->status),
		    result->reasons.n > 0 ? result->reasons.at[0].detail : "");
	}
	/* Now the request need not be delivered again. */
	node_got(node, out->request_place);
}

static void
one_result(struct ht_node *node, struct node_out *out,
    const struct ht_result *result, bool proven)
{
	if (result->status == HT_ST_BUSY || result->status == HT_ST_PAUSED) {
		uint32_t wait_ms =
		    result->retry_ms > 0 ? result->retry_ms : BUSY_MS;

		out->not_before_ms = ht_clock_mono_ms() + wait_ms;
		node_list_add(&node->waiting, out);
		return;
	}
	if (out->is_response)
		response_result(node, out, result);
	else
		node_ask_result(node, result, proven);
	node_out_free(&out);
}

/* The records that were accepted, proven to stand where the broker says. */
static bool
check_places(struct ht_node *node, const struct node_flight *flight)
{
	const struct ht_message *m = node->in;
	uint64_t places[HT_BUNDLE_MAX];
	struct ht_slice headers[HT_BUNDLE_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < flight->n; i++) {
		if (m->ack.results[i].status != HT_ST_OK)
			continue;
		places[n] = m->ack.results[i].place;
		headers[n++] = ht_buf_slice(&flight->outs[i]->header);
	}
	if (n == 0 || !m->ack.proof.present)
		return false;
	return node_proof(
	    node, &m->ack.proof, places, headers, n, m->ack.checkpoint);
}

void
node_acked(struct ht_node *node)
{
	struct node_flight *flight = find_flight(node, node->in->ref);
	struct node_flight landed;
	bool proven;

	if (flight == NULL)
		return; /* of a connection before */
	if (node->in->ack.n_results != flight->n) {
		node_break(node, HT_EPROTOCOL,
		    "the broker acknowledged %u records of a bundle of %u",
		    node->in->ack.n_results, flight->n);
		return;
	}
	for (unsigned i = 0; i < flight->n; i++)
		if (!ht_id_eq(&node->in->ack.results[i].record,
		        &flight->outs[i]->record)) {
			node_break(node, HT_EPROTOCOL,
			    "the broker acknowledged another record than "
			    "was sent");
			return;
		}
	if (node->in->ack.checkpoint.len > 0 &&
	    !node_checkpoint(node, node->in->ack.checkpoint))
		return;
	proven = check_places(node, flight);
	if (node->phase == NODE_BROKEN)
		return;
	landed = *flight;
	flight->ref = 0;
	flight->n = 0;
	for (unsigned i = 0; i < landed.n; i++)
		one_result(
		    node, landed.outs[i], &node->in->ack.results[i], proven);
}

/* An ERROR for a whole bundle: each of its records has the same answer. */
void
node_refused(struct ht_node *node)
{
	struct node_flight *flight = find_flight(node, node->in->ref);
	struct node_flight landed;
	struct ht_result result;

	if (flight == NULL)
		return;
	if (node->in->error.reason.code == HT_ST_HELLO_FIRST) {
		unload(node, flight); /* it goes again after WELCOME */
		return;
	}
	result.status = node->in->error.reason.code;
	result.place = 0;
	result.retry_ms = node->in->error.retry_ms;
	result.reasons.n = 1;
	result.reasons.at[0] = node->in->error.reason;
	landed = *flight;
	flight->ref = 0;
	flight->n = 0;
	for (unsigned i = 0; i < landed.n; i++) {
		result.record = landed.outs[i]->record;
		one_result(node, landed.outs[i], &result, false);
	}
}

void
node_out_again(struct ht_node *node)
{
	for (unsigned i = 0; i < NODE_FLIGHTS_MAX; i++)
		if (node->flights[i].ref != 0)
			unload(node, &node->flights[i]);
}
