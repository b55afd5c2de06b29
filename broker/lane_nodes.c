/*
 * lane_nodes.c -- members and their nodes, and what waits for them.
 *
 * A held record stands in exactly one list: its sender's turn in its node's
 * queue, its node's sent list, its member's waiting list, or (GOT, but not yet
 * answered) in none.
 */
#include "broker/lane_in.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/panic.h"

/* ---- lists ---- */

static void
append(struct list *list, struct held *held)
{
	HT_ASSERT(held->in == NULL);
	held->in = list;
	held->next = NULL;
	held->prev = list->last;
	if (list->last != NULL)
		list->last->next = held;
	else
		list->first = held;
	list->last = held;
	list->n++;
}

static void
prepend(struct list *list, struct held *held)
{
	HT_ASSERT(held->in == NULL);
	held->in = list;
	held->prev = NULL;
	held->next = list->first;
	if (list->first != NULL)
		list->first->prev = held;
	else
		list->last = held;
	list->first = held;
	list->n++;
}

static void
unlist(struct held *held)
{
	struct list *list = held->in;

	if (list == NULL)
		return;
	if (held->prev != NULL)
		held->prev->next = held->next;
	else
		list->first = held->next;
	if (held->next != NULL)
		held->next->prev = held->prev;
	else
		list->last = held->prev;
	if (held->to != NULL && list == &held->to->sent)
		held->to->sent_bytes -= held->bytes;
	if (held->queued)
		held->to->queued--;
	held->queued = false;
	held->in = NULL;
	held->prev = held->next = NULL;
	list->n--;
}

/* ---- members and nodes ---- */

struct member *
lane_member(struct ht_lane *lane, struct ht_slice name)
{
	struct member *member = ht_map_get(lane->members, name);

	if (member != NULL)
		return member;
	HT_ASSERT(name.len <= HT_NAME_MAX);
	member = calloc(1, sizeof(*member));
	if (member == NULL ||
	    ht_map_put(lane->members, name, member, NULL) != HT_OK) {
		free(member);
		lane->err = HT_ENOMEM;
		return NULL;
	}
	memcpy(member->name, name.at, name.len);
	member->serving_ms = lane->start_ms;
	member->next = lane->all;
	lane->all = member;
	return member;
}

struct node *
lane_node(struct ht_lane *lane, struct member *member, struct ht_slice name)
{
	struct node *node;

	for (node = member->nodes; node != NULL; node = node->next)
		if (ht_slice_is(name, node->name))
			return node;
	HT_ASSERT(name.len <= HT_NODE_MAX);
	node = calloc(1, sizeof(*node));
	if (node == NULL) {
		lane->err = HT_ENOMEM;
		return NULL;
	}
	memcpy(node->name, name.at, name.len);
	node->member = member;
	node->next = member->nodes;
	member->nodes = node;
	return node;
}

/* ---- turns ---- */

static void
drop_turn(struct node *node)
{
	struct turn *turn = node->turns;

	node->turns = turn->next;
	free(turn);
}

/* The first one's turn is over. */
static void
next_turn(struct node *node)
{
	struct turn *turn = node->turns, **at = &node->turns;

	while (*at != NULL)
		at = &(*at)->next;
	*at = turn;
	node->turns = turn->next;
	turn->next = NULL;
}

/* The sender's; made, as the last, when it has none.  NULL: out of memory. */
static struct turn *
turn_of(struct ht_lane *lane, struct node *node, struct member *sender)
{
	struct turn **at = &node->turns;

	while (*at != NULL && (*at)->sender != sender)
		at = &(*at)->next;
	if (*at != NULL)
		return *at;
	*at = calloc(1, sizeof(**at));
	if (*at == NULL)
		lane->err = HT_ENOMEM;
	else
		(*at)->sender = sender;
	return *at;
}

/* Into the queue of held->to: behind its sender's others, or before them. */
static void
enqueue(struct ht_lane *lane, struct held *held, bool first)
{
	struct turn *turn = turn_of(lane, held->to, held->rec->sender);

	if (turn == NULL)
		return;
	if (first)
		prepend(&turn->list, held);
	else
		append(&turn->list, held);
	held->queued = true;
	held->to->queued++;
}

/* The one whose turn it is; NULL: none waits. */
static struct held *
head_of(struct node *node)
{
	while (node->turns != NULL && node->turns->list.first == NULL)
		drop_turn(node);
	return node->turns == NULL ? NULL : node->turns->list.first;
}

void
lane_free_members(struct ht_lane *lane)
{
	struct member *member, *next;

	for (member = lane->all; member != NULL; member = next) {
		struct node *node, *next_node;

		next = member->next;
		for (node = member->nodes; node != NULL; node = next_node) {
			next_node = node->next;
			while (node->turns != NULL)
				drop_turn(node);
			ht_conn_unref(&node->conn);
			free(node);
		}
		free(member);
	}
	lane->all = NULL;
}

static bool
can_take(const struct node *node)
{
	return node->conn != NULL && node->serves;
}

bool
lane_serving(const struct member *member)
{
	for (const struct node *node = member->nodes; node != NULL;
	     node = node->next)
		if (can_take(node))
			return true;
	return false;
}

/* The one with least before it. */
static struct node *
choose(const struct member *member)
{
	struct node *best = NULL;

	for (struct node *node = member->nodes; node != NULL; node = node->next)
		if (can_take(node) &&
		    (best == NULL || node->queued + node->sent.n <
		                         best->queued + best->sent.n))
			best = node;
	return best;
}

/* ---- what is held ---- */

static void
rebase(struct ht_slice *slice, const uint8_t *from, const uint8_t *to)
{
	if (slice->at != NULL)
		slice->at = to + (slice->at - from);
}

/* The decoded header once more, of the copied bytes: decoding costs more. */
static void
keep(struct asked *asked, const struct ht_header *request, struct ht_slice tag)
{
	struct ht_header *h = &asked->header;
	struct ht_slice *slices[] = {&h->sender, &h->node, &h->recipient,
	    &h->item, &h->purpose, &h->basis, &h->grant, &h->released,
	    &h->envelope, &h->raw};
	const uint8_t *from = request->raw.at;

	*h = *request;
	memcpy(asked->bytes, from, request->raw.len);
	for (size_t i = 0; i < HT_COUNT(slices); i++)
		rebase(slices[i], from, asked->bytes);
	asked->tag = HT_SLICE(asked->bytes + request->raw.len, tag.len);
	if (tag.len > 0)
		memcpy(asked->bytes + request->raw.len, tag.at, tag.len);
}

struct held *
lane_hold(struct ht_lane *lane, struct rec *rec, uint64_t place,
    const struct ht_header *request, struct ht_slice tag, uint32_t bytes)
{
	size_t kept = request == NULL
	                  ? 0
	                  : sizeof(struct asked) + request->raw.len + tag.len;
	struct held *held = malloc(sizeof(*held) + kept);

	if (held == NULL) {
		lane->err = HT_ENOMEM;
		return NULL;
	}
	memset(held, 0, sizeof(*held));
	held->rec = rec;
	held->place = place;
	held->bytes = bytes;
	held->group = UINT64_MAX;
	if (request != NULL) {
		held->asked = (struct asked *)(void *)held->kept;
		keep(held->asked, request, tag);
	}
	held->next_place = lane->places[place % PLACES];
	lane->places[place % PLACES] = held;
	rec->held = held;
	return held;
}

void
lane_unhold(struct ht_lane *lane, struct held *held)
{
	struct held **at = &lane->places[held->place % PLACES];

	while (*at != held)
		at = &(*at)->next_place;
	*at = held->next_place;
	unlist(held);
	held->rec->held = NULL;
	if (held->request != NULL)
		held->request->answer = NULL;
	free(held);
}

static struct held *
find_held(const struct ht_lane *lane, uint64_t place)
{
	struct held *held = lane->places[place % PLACES];

	while (held != NULL && held->place != place)
		held = held->next_place;
	return held;
}

/* ---- on the way ---- */

static void
deliver(struct ht_lane *lane, struct node *node, struct held *held)
{
	struct ht_act *act = lane_act(lane, HT_ACT_DELIVER);

	unlist(held);
	append(&node->sent, held);
	held->sent = true;
	node->sent_bytes += held->bytes;
	lane->stats.delivered++;
	if (act == NULL)
		return;
	act->place = held->place;
	act->first = held->first;
	act->to = ht_conn_ref(node->conn);
	if (held->group == lane->group) {
		act->parcel = held->parcel;
		act->record = held->record;
	}
}

/*
 * A short message can bring a large record again, and again: HELLO all that is
 * on the way to its node, a repeated header what another node is to have.
 */
static bool
may_repeat(struct ht_lane *lane, struct node *wants, uint32_t bytes)
{
	uint64_t forgotten =
	    (lane->now_ms - wants->again_ms) * lane->conf.again_ms;

	wants->again = wants->again > forgotten ? wants->again - forgotten : 0;
	wants->again_ms = lane->now_ms;
	if (wants->again >= lane->conf.again_bytes)
		return false;
	wants->again += bytes;
	return true;
}

/* As much as the node's window lets through; one always. */
static void
pump(struct ht_lane *lane, struct node *node)
{
	struct held *held;

	while (node->conn != NULL && (held = head_of(node)) != NULL) {
		bool here = held->group == lane->group;

		if (node->sent.n > 0 &&
		    (node->sent.n >= lane->conf.window_records ||
		        node->sent_bytes + held->bytes >
		            lane->conf.window_bytes))
			return;
		if (!here && lane->log_bytes >= lane->conf.log_bytes) {
			lane->starved = true;
			return;
		}
		/* It comes when the next tick finds the budget better. */
		if (held->sent && !may_repeat(lane, node, held->bytes)) {
			lane->slowed = true;
			return;
		}
		if (!here)
			lane->log_bytes += held->bytes;
		deliver(lane, node, held);
		next_turn(node);
	}
}

void
lane_pump_all(struct ht_lane *lane)
{
	for (struct member *m = lane->all; m != NULL; m = m->next)
		for (struct node *node = m->nodes; node != NULL;
		     node = node->next)
			pump(lane, node);
}

void
lane_assign(struct ht_lane *lane, struct held *held)
{
	struct node *node = choose(held->to_member);

	held->to = node;
	if (node == NULL) {
		append(&held->to_member->waiting, held);
		return;
	}
	enqueue(lane, held, false);
	pump(lane, node);
}

void
lane_address(struct ht_lane *lane, struct held *held, struct node *to)
{
	held->to = to;
	held->to_member = to->member;
	enqueue(lane, held, false);
	pump(lane, to);
}

bool
lane_again(struct ht_lane *lane, struct held *held, struct node *wants)
{
	struct node *node = held->to;

	if (node == NULL || held->in != &node->sent)
		return true;
	if (!may_repeat(lane, wants, held->bytes))
		return false;
	unlist(held);
	held->sent = false; /* paid for */
	enqueue(lane, held, true);
	pump(lane, node);
	return true;
}

/* What was on the way to a connection that is no more is first again. */
static void
take_back(struct ht_lane *lane, struct node *node)
{
	while (node->sent.last != NULL) {
		struct held *held = node->sent.last;

		unlist(held);
		enqueue(lane, held, true);
	}
}

/* Requests can go to another node of the member; responses cannot. */
static void
reassign(struct ht_lane *lane, struct node *node)
{
	struct held *held, *next;

	for (struct turn *turn = node->turns; turn != NULL; turn = turn->next)
		for (held = turn->list.first; held != NULL; held = next) {
			next = held->next;
			if (held->rec->state != OPEN)
				continue;
			unlist(held);
			lane_assign(lane, held);
		}
}

enum ht_err
ht_lane_up(struct ht_lane *lane, struct ht_conn *conn, uint64_t now_ms)
{
	struct member *member = lane_member(lane, ht_slice_str(conn->member));
	struct node *node =
	    member == NULL ? NULL
	                   : lane_node(lane, member, ht_slice_str(conn->node));
	struct held *held;

	if (node == NULL)
		return lane->err;
	lane->now_ms = now_ms;
	take_back(lane, node);
	ht_conn_unref(&node->conn);
	node->conn = ht_conn_ref(conn);
	node->serves = conn->serves;
	if (!node->serves)
		reassign(lane, node);
	else
		member->serving_ms = now_ms;
	while (node->serves && (held = member->waiting.first) != NULL) {
		unlist(held);
		held->to = node;
		enqueue(lane, held, false);
	}
	pump(lane, node);
	return lane->err;
}

enum ht_err
ht_lane_down(struct ht_lane *lane, const struct ht_conn *conn, uint64_t now_ms)
{
	struct member *member = lane_member(lane, ht_slice_str(conn->member));
	struct node *node =
	    member == NULL ? NULL
	                   : lane_node(lane, member, ht_slice_str(conn->node));

	if (node == NULL)
		return lane->err;
	if (node->conn != conn)
		return HT_OK;
	lane->now_ms = now_ms;
	if (node->serves)
		member->serving_ms = now_ms;
	ht_conn_unref(&node->conn);
	take_back(lane, node);
	reassign(lane, node);
	return lane->err;
}

enum ht_err
ht_lane_got(struct ht_lane *lane, const struct ht_conn *conn,
    const uint64_t *places, size_t n)
{
	struct member *member = lane_member(lane, ht_slice_str(conn->member));
	struct node *node =
	    member == NULL ? NULL
	                   : lane_node(lane, member, ht_slice_str(conn->node));

	if (node == NULL)
		return lane->err;
	for (size_t i = 0; i < n; i++) {
		struct held *held = find_held(lane, places[i]);

		if (held == NULL || held->to != node || held->got)
			continue;
		unlist(held);
		held->got = true;
		lane->stats.got++;
		if (held->rec->state == HELD) {
			held->rec->state = FINAL;
			lane_unhold(lane, held);
		}
	}
	pump(lane, node);
	return lane->err;
}
