/*
 * reply.c -- results of one bundle become one ACK; deliveries of one bundle
 * to one node become one DELIVER, with hashes where records were left out.
 */
#include "broker/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/pipe.h"
#include "broker/recall.h"
#include "lib/base/panic.h"

#define BATCHES_MAX 64 /* deliveries being gathered at once */
#define HEAD_MAX    2048

/* Records of one bundle for one node. */
struct batch {
	struct ht_conn *to;
	struct ht_parcel *parcel; /* NULL: in memory no more */
	uint64_t first;           /* place of the bundle's first entry */
	uint32_t n;
	uint32_t keep[HT_BUNDLE_MAX];
	uint64_t places[HT_BUNDLE_MAX];
};

struct ht_replier {
	struct ht_log *log;
	struct ht_slice note;
	uint32_t generation;
	struct ht_buf *out;
	size_t n_batches;
	struct batch batches[BATCHES_MAX];
	struct ht_buf leaves; /* heads of a proof point into it */
	struct ht_recall *recall;
	struct ht_message m;
};

enum ht_err
ht_replier_new(struct ht_log *log, struct ht_replier **ret)
{
	HT_AUTO(ht_replier_free)
	struct ht_replier *r = calloc(1, sizeof(*r));
	enum ht_err err;

	if (r == NULL)
		return HT_ENOMEM;
	r->log = log;
	r->leaves = HT_BUF(HT_BUNDLE_MAX * HEAD_MAX);
	err = ht_recall_new(log, &r->recall);
	if (err == HT_OK)
		*ret = HT_TAKE(r);
	return err;
}

void
ht_replier_free(struct ht_replier **replier_p)
{
	struct ht_replier *r = HT_TAKE(*replier_p);

	if (r == NULL)
		return;
	ht_buf_fini(&r->leaves);
	ht_recall_free(&r->recall);
	free(r);
}

static bool
reachable(const struct ht_replier *r, const struct ht_conn *to)
{
	return to->generation == r->generation;
}

/* The message in r->m, to a connection. */
static enum ht_err
send(struct ht_replier *r, const struct ht_conn *to)
{
	struct ht_pipe_msg head = {
	    .generation = r->generation,
	    .type = HT_PIPE_SEND,
	    .handle = HT_SLICE(to->handle, to->handle_len),
	};
	size_t began = ht_pipe_begin(r->out, &head);
	enum ht_err err = ht_message_encode(&r->m, r->out);

	if (err == HT_OK)
		ht_pipe_end(r->out, began);
	return err;
}

/* ---- proofs ---- */

/*
 * The leaf up to its payload's length: the node has the rest.  Slices into
 * r->leaves, which must not grow: it is reserved whole.
 */
static enum ht_err
read_head(struct ht_replier *r, uint64_t place, struct ht_slice *ret)
{
	size_t from = r->leaves.len;
	struct ht_slice leaf;
	struct ht_entry e;
	enum ht_err err = ht_log_read(r->log, place, &r->leaves);

	if (err != HT_OK)
		return err;
	leaf = HT_SLICE(&r->leaves.at[from], r->leaves.len - from);
	err = ht_entry_decode(leaf, &e);
	if (err != HT_OK)
		return err;
	*ret = HT_SLICE(leaf.at, (size_t)(e.payload.at - leaf.at) - 2);
	return HT_OK;
}

static enum ht_err
prove(struct ht_replier *r, const uint64_t *places, size_t n,
    struct ht_range_proof *ret)
{
	enum ht_err err;

	ret->present = false;
	for (size_t i = 1; i < n; i++)
		/* A bundle that came twice in another order: asked singly. */
		if (places[i] <= places[i - 1])
			return HT_OK;
	if (n == 0)
		return HT_OK;
	ht_buf_reset(&r->leaves);
	if (ht_buf_room(&r->leaves, HT_BUNDLE_MAX * HEAD_MAX) == NULL)
		return HT_ENOMEM;
	ht_buf_reset(&r->leaves);
	ret->size = ht_log_size(r->log);
	ret->n_indexes = n;
	for (size_t i = 0; i < n; i++) {
		ret->indexes[i] = places[i];
		err = read_head(r, places[i], &ret->heads[i]);
		if (err != HT_OK)
			return err;
	}
	err = ht_log_batch_proof(r->log, places, n, ret->size, ret->hashes,
	    HT_COUNT(ret->hashes), &ret->n_hashes);
	ret->present = err == HT_OK;
	return err;
}

/* ---- answers ---- */

static void
add_result(struct ht_replier *r, const struct ht_act *act)
{
	struct ht_result *result = &r->m.ack.results[r->m.ack.n_results++];

	HT_ASSERT(r->m.ack.n_results <= HT_BUNDLE_MAX);
	result->record = act->parcel->headers[act->record].record;
	result->status = act->status;
	result->place = act->place;
	result->retry_ms = act->retry_ms;
	if (act->reasons != NULL)
		result->reasons = *act->reasons;
	else
		result->reasons.n = 0;
}

/* All results of the parcel that acts[0] is of; how many actions. */
static enum ht_err
answer_parcel(struct ht_replier *r, const struct ht_act *acts, size_t n)
{
	struct ht_parcel *parcel = acts[0].parcel;
	uint64_t places[HT_BUNDLE_MAX];
	size_t n_places = 0;

	if (!reachable(r, parcel->conn))
		return HT_OK;
	r->m.type = HT_MSG_ACK;
	r->m.ref = parcel->ref;
	r->m.ack.n_results = 0;
	r->m.ack.checkpoint = r->note;
	r->m.ack.proof.present = false;
	for (size_t i = 0; i < n && r->m.ack.n_results < parcel->n; i++) {
		if (acts[i].type != HT_ACT_RESULT || acts[i].parcel != parcel)
			continue;
		add_result(r, &acts[i]);
		if (acts[i].status == HT_ST_OK)
			places[n_places++] = acts[i].place;
	}
	if (parcel->conn->proofs) {
		enum ht_err err = prove(r, places, n_places, &r->m.ack.proof);

		if (err != HT_OK)
			return err;
	}
	return send(r, parcel->conn);
}

static enum ht_err
answer_refused(struct ht_replier *r, const struct ht_act *act)
{
	struct ht_reason *reason = &r->m.error.reason;

	if (!reachable(r, act->to))
		return HT_OK;
	r->m.type = HT_MSG_ERROR;
	r->m.ref = act->parcel->ref;
	r->m.error.retry_ms = 0;
	reason->code = act->status;
	snprintf(
	    reason->detail, sizeof(reason->detail), "%s", act->parcel->why);
	return send(r, act->to);
}

static enum ht_err
answer_end(struct ht_replier *r, const struct ht_act *act)
{
	if (!reachable(r, act->to))
		return HT_OK;
	r->m.type = HT_MSG_END;
	r->m.ref = 0;
	r->m.end.record = act->id;
	r->m.end.status = act->status;
	r->m.end.place = act->place;
	r->m.end.checkpoint = r->note;
	return send(r, act->to);
}

/* ---- deliveries ---- */

static enum ht_err
send_deliver(struct ht_replier *r, const struct ht_conn *to)
{
	r->m.type = HT_MSG_DELIVER;
	r->m.ref = 0;
	r->m.deliver.checkpoint = r->note;
	r->m.deliver.proof.present = false;
	if (to->proofs) {
		enum ht_err err = prove(r, r->m.deliver.places,
		    r->m.deliver.bundle.n_records, &r->m.deliver.proof);

		if (err != HT_OK)
			return err;
	}
	return send(r, to);
}

static enum ht_err
send_batch(struct ht_replier *r, const struct batch *batch)
{
	struct ht_bundle *part = &r->m.deliver.bundle;
	enum ht_err err = HT_OK;

	memcpy(r->m.deliver.places, batch->places,
	    batch->n * sizeof(batch->places[0]));
	if (batch->parcel == NULL)
		err = ht_recall(r->recall, batch->first, r->m.deliver.places,
		    batch->n, part);
	else if (batch->n == batch->parcel->bundle.n_records)
		*part = batch->parcel->bundle;
	else
		err = ht_bundle_part(
		    &batch->parcel->bundle, batch->keep, batch->n, part);
	/* Of what is damaged in the log nothing may be left. */
	if (err != HT_OK || part->n_records == 0)
		return err;
	return send_deliver(r, batch->to);
}

static enum ht_err
send_batches(struct ht_replier *r)
{
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < r->n_batches && err == HT_OK; i++)
		err = send_batch(r, &r->batches[i]);
	r->n_batches = 0;
	return err;
}

/* In the order of places, which is the bundle's. */
static void
insert(struct batch *batch, uint32_t record, uint64_t place)
{
	uint32_t at = batch->n;

	while (at > 0 && batch->places[at - 1] > place)
		at--;
	/* Sent twice in one group (a node came back): once is enough. */
	if (at > 0 && batch->places[at - 1] == place)
		return;
	HT_ASSERT(batch->n < HT_BUNDLE_MAX);
	memmove(&batch->keep[at + 1], &batch->keep[at],
	    (batch->n - at) * sizeof(batch->keep[0]));
	memmove(&batch->places[at + 1], &batch->places[at],
	    (batch->n - at) * sizeof(batch->places[0]));
	batch->keep[at] = record;
	batch->places[at] = place;
	batch->n++;
}

static bool
takes(const struct batch *batch, const struct ht_act *act)
{
	return batch->to == act->to && batch->parcel == act->parcel &&
	       batch->first == act->first;
}

static enum ht_err
gather(struct ht_replier *r, const struct ht_act *act)
{
	struct batch *batch = NULL;

	if (!reachable(r, act->to))
		return HT_OK; /* that front is gone; HELLO brings it again */
	for (size_t i = 0; i < r->n_batches; i++)
		if (takes(&r->batches[i], act))
			batch = &r->batches[i];
	if (batch == NULL) {
		if (r->n_batches == BATCHES_MAX) {
			enum ht_err err = send_batches(r);

			if (err != HT_OK)
				return err;
		}
		batch = &r->batches[r->n_batches++];
		batch->to = act->to;
		batch->parcel = act->parcel;
		batch->first = act->first;
		batch->n = 0;
	}
	insert(batch, act->record, act->place);
	return HT_OK;
}

enum ht_err
ht_reply(struct ht_replier *r, const struct ht_act *acts, size_t n,
    struct ht_slice note, uint32_t generation, struct ht_buf *out)
{
	const struct ht_parcel *answered = NULL;
	enum ht_err err = HT_OK;

	r->note = note;
	r->generation = generation;
	r->out = out;
	r->n_batches = 0;
	for (size_t i = 0; i < n && err == HT_OK; i++) {
		const struct ht_act *act = &acts[i];

		switch (act->type) {
		case HT_ACT_APPEND:
			break;
		case HT_ACT_RESULT:
			/* Its first result answers for the whole parcel. */
			if (act->parcel != answered)
				err = answer_parcel(r, act, n - i);
			answered = act->parcel;
			break;
		case HT_ACT_REFUSE:
			err = answer_refused(r, act);
			break;
		case HT_ACT_DELIVER:
			err = gather(r, act);
			break;
		case HT_ACT_END:
			err = answer_end(r, act);
			break;
		}
	}
	return err == HT_OK ? send_batches(r) : err;
}
