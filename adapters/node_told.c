/*
 * node_told.c -- remembering what became of our own exchanges, as far as the
 * configuration says so, for those who will ask why.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/node.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define UNTELL_MAX 10000 /* forgotten in one sweep */

/* Names of a checked header fit; what an application asked for may not. */
static void
copy(char *out, size_t size, struct ht_slice text)
{
	size_t len = text.len < size ? text.len : size - 1;

	if (len > 0)
		memcpy(out, text.at, len);
	out[len] = '\0';
}

static void
fill_words(struct ht_told *told, const struct ht_header *h)
{
	told->exchange = h->exchange;
	told->record = h->record;
	told->created_ms = h->created_ms;
	copy(told->consumer, sizeof(told->consumer), h->sender);
	copy(told->node, sizeof(told->node), h->node);
	copy(told->provider, sizeof(told->provider), h->recipient);
	copy(told->item, sizeof(told->item), h->item);
	told->version = h->item_version;
	told->operation = h->operation;
	copy(told->purpose, sizeof(told->purpose), h->purpose);
	copy(told->basis, sizeof(told->basis), h->basis);
	copy(told->grant, sizeof(told->grant), h->grant);
	told->sealed_to = h->seal_key;
}

static enum ht_err
note_doc(struct ht_node *node, const struct ht_trust *trust,
    enum ht_doc_kind kind, const char *name, struct ht_hash *ret)
{
	struct ht_slice note = ht_trust_find_doc(
	    trust, ht_doc_kind_text(kind), ht_slice_str(name));

	return note.len > 0 ? ht_state_note(node->state, note, ret) : HT_OK;
}

/* The documents it went by are kept with it: they will change. */
static enum ht_err
fill_documents(
    struct ht_node *node, const struct ht_trust *trust, struct ht_told *told)
{
	char item[HT_DOC_NAME_MAX + 1];
	enum ht_err err;

	told->snapshot = ht_trust_version(trust);
	told->snapshot_hash = ht_trust_hash(trust);
	(void)snprintf(item, sizeof(item), "%s@%u", told->item, told->version);
	err = note_doc(node, trust, HT_DOC_ITEM, item, &told->item_note);
	if (err == HT_OK)
		err = note_doc(
		    node, trust, HT_DOC_GRANT, told->grant, &told->grant_note);
	return err;
}

static void
tell(struct ht_node *node, const struct ht_trust *trust, struct ht_told *told)
{
	enum ht_err err;

	if (ht_state_full(node->state))
		return; /* nothing that grows */
	err = fill_documents(node, trust, told);
	told->ended_ms = ht_clock_wall_ms();
	if (err == HT_OK)
		err = ht_state_tell(node->state, told);
	if (err == HT_OK)
		node->told_due = true;
	else
		ht_log(HT_WARN,
		    "node %s: what became of an exchange is not remembered: %s",
		    node->id, ht_err_text(err));
}

/* ---- what we asked ---- */

void
node_told_begin(
    struct ht_node *node, struct node_ask *ask, const struct ht_header *h)
{
	if (node->history == 0)
		return;
	ask->told = calloc(1, sizeof(*ask->told));
	if (ask->told == NULL)
		return; /* it is asked all the same */
	fill_words(ask->told, h);
	ask->told->record = ht_id_random();
}

void
node_told_sent(struct node_ask *ask)
{
	if (ask->told == NULL)
		return;
	fill_words(ask->told, &ask->header);
	ask->told->sent = true;
	ask->told->request = ask->hash;
}

void
node_told_answer(const struct ht_node *node, struct node_ask *ask,
    const struct ht_header *answer)
{
	struct ht_told *told = ask->told;

	if (told == NULL)
		return;
	copy(told->answerer, sizeof(told->answerer), answer->node);
	told->signed_by = node->in->deliver.bundle.key;
	told->released_len = answer->released.len;
	if (answer->released.len > 0)
		memcpy(
		    told->released, answer->released.at, answer->released.len);
}

void
node_told_asked(struct ht_node *node, const struct node_ask *ask,
    const struct ht_asked *asked)
{
	struct ht_told *told = ask->told;

	if (told == NULL)
		return;
	told->status = asked->status;
	told->answer = asked->answer;
	told->by = asked->refused_by;
	told->proven = asked->proven;
	told->request_place = asked->request_place;
	told->response_place = asked->response_place;
	told->reasons = asked->reasons;
	tell(node, ask->trust, told);
}

/* ---- what we served ---- */

void
node_told_served(struct ht_node *node, const struct node_call *call,
    unsigned answer, struct ht_slice released, const struct ht_reasons *reasons)
{
	struct ht_told told = {.served = true, .sent = true};

	if (node->history == 0)
		return;
	fill_words(&told, &call->header);
	told.request = call->hash;
	told.request_place = call->place;
	told.signed_by = call->signed_by;
	told.answer = answer;
	copy(told.answerer, sizeof(told.answerer), ht_slice_str(node->name));
	told.released_len = released.len;
	if (released.len > 0)
		memcpy(told.released, released.at, released.len);
	told.reasons = *reasons;
	if (reasons->n > 0) {
		told.status = reasons->at[0].code;
		told.by = HT_WHO_PROVIDER;
	}
	tell(node, call->trust, &told);
}

/* ---- keeping and forgetting ---- */

enum ht_err
node_told_sweep(struct ht_node *node)
{
	return node->history == 0
	           ? HT_OK
	           : ht_state_untell(node->state, node->history, UNTELL_MAX);
}

void
node_told_close(struct ht_node *node)
{
	if (!node->told_due || node->state == NULL ||
	    node->phase == NODE_BROKEN)
		return;
	if (ht_state_commit(node->state) != HT_OK)
		ht_log(HT_WARN,
		    "node %s: what became of the last exchanges is not "
		    "remembered",
		    node->id);
}
