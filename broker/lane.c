#include "broker/lane.h"

#include <stdlib.h>
#include <string.h>

#include "broker/lane_in.h"
#include "lib/base/panic.h"
#include "schemas/tag.h"

#define MINUTE_MS     60000u
#define RETRY_BUSY_MS 500
#define ASKERS_SHARE  8     /* of what a provider may have open */
#define FORGET_MAX    20000 /* ids forgotten a tick: a few ms */

const struct ht_lane_rules ht_lane_rules = {
    ht_decide_request,
    ht_decide_response,
    ht_signer_check,
};

/* ---- beginning and end ---- */

enum ht_err
ht_lane_new(const struct ht_lane_conf *conf, uint64_t now_ms,
    uint64_t next_place, struct ht_lane **ret)
{
	struct ht_lane *lane = calloc(1, sizeof(*lane));
	enum ht_err err;

	if (lane == NULL)
		return HT_ENOMEM;
	lane->conf = *conf;
	lane->next_place = next_place;
	lane->start_ms = lane->minute_ms = lane->now_ms = now_ms;
	lane->members = ht_map_new();
	lane->usage = ht_map_new();
	err = ht_ids_new(conf->secret, now_ms, &lane->ids);
	if (err != HT_OK || lane->members == NULL || lane->usage == NULL) {
		ht_lane_free(&lane);
		return HT_ENOMEM;
	}
	*ret = lane;
	return HT_OK;
}

static void
drop_rec(struct ht_ided *ided)
{
	struct rec *rec = (struct rec *)ided;

	free(rec->held);
	free(rec);
}

void
ht_lane_free(struct ht_lane **lane_p)
{
	struct ht_lane *lane = HT_TAKE(*lane_p);

	if (lane == NULL)
		return;
	ht_lane_clear(lane);
	free(lane->acts);
	ht_ids_free(&lane->ids, drop_rec);
	lane_free_members(lane);
	ht_map_free(&lane->members, NULL);
	ht_map_free(&lane->usage, free);
	free(lane);
}

void
ht_lane_admit(struct ht_lane *lane, struct ht_admission admission)
{
	lane->admission = admission;
}

static bool
admits(const struct ht_lane *lane, unsigned kind)
{
	const struct ht_admission *a = &lane->admission;

	return a->status == HT_ST_OK ||
	       (a->answers && kind == HT_KIND_RESPONSE);
}

void
ht_lane_skip(struct ht_lane *lane)
{
	lane->next_place++;
}

void
ht_lane_stats(const struct ht_lane *lane, struct ht_lane_stats *ret)
{
	*ret = lane->stats;
	ret->ids = ht_ids_count(lane->ids);
	ret->open = lane->open;
}

/* ---- actions ---- */

const struct ht_act *
ht_lane_acts(const struct ht_lane *lane, size_t *ret_n)
{
	*ret_n = lane->n_acts;
	return lane->acts;
}

void
ht_lane_clear(struct ht_lane *lane)
{
	for (size_t i = 0; i < lane->n_acts; i++) {
		ht_conn_unref(&lane->acts[i].to);
		free(lane->acts[i].reasons);
	}
	lane->n_acts = 0;
	lane->log_bytes = 0;
	lane->group++;
}

struct ht_act *
lane_act(struct ht_lane *lane, enum ht_act_type type)
{
	if (lane->n_acts == lane->cap_acts) {
		size_t cap = lane->cap_acts == 0 ? 256 : 2 * lane->cap_acts;
		struct ht_act *acts = realloc(lane->acts, cap * sizeof(*acts));

		if (acts == NULL) {
			lane->err = HT_ENOMEM;
			return NULL;
		}
		lane->acts = acts;
		lane->cap_acts = cap;
	}
	lane->acts[lane->n_acts] = (struct ht_act){.type = type};
	return &lane->acts[lane->n_acts++];
}

/* The record of a parcel that is being settled. */
struct now {
	struct ht_parcel *parcel;
	uint32_t i;
	uint64_t first; /* place of the parcel's first entry */
	uint64_t ms;
	struct member *sender;
};

static uint64_t
add_entry(struct ht_lane *lane, const struct now *now, unsigned entry,
    unsigned status, uint64_t cites)
{
	struct ht_act *act = lane_act(lane, HT_ACT_APPEND);
	uint64_t place = lane->next_place++;

	if (act == NULL)
		return place;
	act->parcel = now->parcel;
	act->record = now->i;
	act->entry = entry;
	act->status = status;
	act->cites = cites;
	act->first = now->first;
	act->place = place;
	return place;
}

static void
add_result(struct ht_lane *lane, const struct now *now, unsigned status,
    uint64_t place, uint32_t retry_ms, const struct ht_reasons *reasons)
{
	struct ht_act *act = lane_act(lane, HT_ACT_RESULT);

	if (act == NULL)
		return;
	act->parcel = now->parcel;
	act->record = now->i;
	act->status = status;
	act->place = place;
	act->retry_ms = retry_ms;
	if (reasons == NULL || reasons->n == 0)
		return;
	act->reasons = malloc(sizeof(*reasons));
	if (act->reasons == NULL)
		lane->err = HT_ENOMEM;
	else
		*act->reasons = *reasons;
}

static void
add_end(struct ht_lane *lane, struct ht_conn *to, const struct rec *request)
{
	struct ht_act *act;

	if (to == NULL)
		return;
	act = lane_act(lane, HT_ACT_END);
	if (act == NULL)
		return;
	act->to = ht_conn_ref(to);
	act->id = request->ided.id;
	act->status = request->end_status;
	act->place = request->end_place;
}

/* ---- budgets ---- */

/*
 * An entry for one more refusal of this member?  Beyond its budget refusals
 * are only counted, so that they are no weapon against the log.
 */
static bool
budget(struct ht_lane *lane, struct member *member, uint64_t now_ms)
{
	uint64_t minute = now_ms - now_ms % MINUTE_MS;

	if (member->minute_ms != minute) {
		member->minute_ms = minute;
		member->refusals = 0;
	}
	if (member->refusals < lane->conf.refusals_minute) {
		member->refusals++;
		return true;
	}
	if (member->excess++ == 0)
		member->excess_ms = now_ms;
	return false;
}

static void
tell_excess(struct ht_lane *lane)
{
	for (struct member *m = lane->all; m != NULL; m = m->next) {
		struct ht_act *act;

		if (m->excess == 0)
			continue;
		act = lane_act(lane, HT_ACT_APPEND);
		if (act == NULL)
			return;
		act->entry = HT_ENTRY_REFUSALS;
		act->place = lane->next_place++;
		act->member = m->name;
		act->node = "";
		act->len = m->excess;
		act->from_ms = m->excess_ms;
		m->excess = 0;
	}
}

/* ---- records and their ends ---- */

/* What was refused for its times may claim any. */
static uint64_t
life_of(const struct ht_header *h, uint64_t now_ms)
{
	uint64_t most = now_ms + HT_LIFE_MS + HT_SKEW_MS;

	return h->expires_ms < most ? h->expires_ms : most;
}

static struct rec *
claim(struct ht_lane *lane, const struct ht_header *h,
    const struct ht_hash *hash, struct member *sender, uint64_t now_ms)
{
	struct rec *rec = calloc(1, sizeof(*rec));

	if (rec == NULL) {
		lane->err = HT_ENOMEM;
		return NULL;
	}
	rec->ided.sender = sender;
	rec->ided.id = h->record;
	rec->ided.hash = *hash;
	rec->ided.cited = h->kind == HT_KIND_REQUEST;
	rec->sender = sender;
	rec->until_ms = life_of(h, now_ms);
	rec->ided.due_ms = rec->until_ms;
	if (ht_ids_add(lane->ids, &rec->ided) != HT_OK) {
		lane->err = HT_ENOMEM;
		free(rec);
		return NULL;
	}
	return rec;
}

/* The request is over; nobody waits for it any more. */
static void
end_request(
    struct ht_lane *lane, struct rec *request, unsigned status, uint64_t place)
{
	HT_ASSERT(request->state == OPEN && request->held != NULL);
	lane_unhold(lane, request->held);
	request->state = ENDED;
	request->end_status = (uint16_t)status;
	request->end_place = place;
	HT_ASSERT(request->sender->open_asked > 0 &&
	          request->recipient->open_served > 0 && lane->open > 0);
	request->sender->open_asked--;
	request->recipient->open_served--;
	lane->open--;
}

static void
expire(struct ht_lane *lane, struct rec *request)
{
	struct ht_act *act = lane_act(lane, HT_ACT_APPEND);
	struct node *asker = request->held->asker;
	uint64_t place = lane->next_place++;

	if (act == NULL)
		return;
	act->entry = HT_ENTRY_EXPIRED;
	act->status = HT_ST_EXPIRED;
	act->place = place;
	act->cites = request->place + 1;
	act->id = request->ided.id;
	act->member = request->sender->name;
	act->node = asker->name;
	lane->stats.expired++;
	end_request(lane, request, HT_ST_EXPIRED, place);
	add_end(lane, asker->conn, request);
}

static struct rec *
find_request(const struct ht_lane *lane, const struct ht_header *h)
{
	struct rec *rec = h->has_reply_to ? (struct rec *)ht_ids_find_hash(
	                                        lane->ids, &h->reply_to)
	                                  : NULL;

	return rec != NULL && (rec->state == OPEN || rec->state == ENDED)
	           ? rec
	           : NULL;
}

/* ---- refusing ---- */

static void
not_now(struct ht_lane *lane, const struct now *now, unsigned status,
    uint32_t retry_ms, const char *detail)
{
	struct ht_reasons *reasons = &lane->verdict.reasons;

	reasons->n = 0;
	ht_reasons_add(reasons, status, "%s", detail);
	add_result(lane, now, status, 0, retry_ms, reasons);
}

/*
 * No entry for it before the minute is over, so nothing that would stay after
 * a restart: then nothing is decided.
 */
static void
refuse_later(struct ht_lane *lane, const struct now *now, unsigned status)
{
	char detail[120];

	snprintf(detail, sizeof(detail),
	    "%u refusals of this member are in the log for this minute; this "
	    "would be another: %s",
	    lane->conf.refusals_minute, ht_status_name(status));
	not_now(lane, now, HT_ST_BUSY,
	    (uint32_t)(MINUTE_MS - now->ms % MINUTE_MS), detail);
}

/*
 * Final: the id has its answer.  @force: the entry also ends a request, so it
 * must be there.  A CONFLICT claims nothing: the id had its answer before.
 */
static uint64_t
reject(struct ht_lane *lane, const struct now *now, unsigned entry,
    unsigned status, uint64_t cites, bool force,
    const struct ht_reasons *reasons)
{
	const struct ht_header *h = &now->parcel->headers[now->i];
	struct rec *rec;
	uint64_t place;

	lane->stats.rejected++;
	if (!budget(lane, now->sender, now->ms) && !force) {
		if (entry == HT_ENTRY_CONFLICT)
			add_result(lane, now, status, 0, 0, reasons);
		else
			refuse_later(lane, now, status);
		return 0;
	}
	place = add_entry(lane, now, entry, status, cites);
	if (entry != HT_ENTRY_CONFLICT) {
		rec = claim(lane, h, &now->parcel->bundle.records[now->i].hash,
		    now->sender, now->ms);
		if (rec == NULL)
			return place;
		rec->state = FINAL;
		rec->status = (uint16_t)status;
		rec->place = place;
	}
	add_result(lane, now, status, place, 0, reasons);
	return place;
}

static void
reject_one(struct ht_lane *lane, const struct now *now, unsigned status,
    const char *detail)
{
	struct ht_reasons *reasons = &lane->verdict.reasons;

	reasons->n = 0;
	ht_reasons_add(reasons, status, "%s", detail);
	(void)reject(lane, now, HT_ENTRY_REJECT, status, 0, false, reasons);
}

/* ---- requests ---- */

/* False: and the record has been refused. */
static bool
read_tag(struct ht_lane *lane, const struct now *now, struct ht_tag *tag,
    const struct ht_tag **ret)
{
	const char *why = "";

	*ret = NULL;
	if (!now->parcel->headers[now->i].has_tag)
		return true;
	if (ht_tag_decode(now->parcel->bundle.records[now->i].tag, tag, &why) ==
	    HT_OK) {
		*ret = tag;
		return true;
	}
	reject_one(lane, now, HT_ST_MALFORMED, why);
	return false;
}

static bool
too_much(const struct ht_lane *lane, const struct member *sender,
    const struct member *recipient)
{
	uint32_t most = lane->conf.open_member_max;

	/* No asker alone can fill a provider, nor a few of them the broker. */
	return lane->open >= lane->conf.open_max ||
	       sender->open_asked >= (most + ASKERS_SHARE - 1) / ASKERS_SHARE ||
	       recipient->open_served >= most;
}

static bool
away(
    const struct ht_lane *lane, const struct member *recipient, uint64_t now_ms)
{
	return !lane_serving(recipient) &&
	       now_ms > recipient->serving_ms + lane->conf.away_ms;
}

static void
open_request(struct ht_lane *lane, struct rec *rec, struct held *held,
    struct member *recipient, struct node *asker)
{
	rec->state = OPEN;
	rec->recipient = recipient;
	held->to_member = recipient;
	held->asker = asker;
	rec->sender->open_asked++;
	recipient->open_served++;
	lane->open++;
}

/* Bytes that a record will take of its node's window. */
static uint32_t
weight(struct ht_slice header, struct ht_slice tag, uint32_t body_len)
{
	return (uint32_t)(header.len + tag.len) + body_len;
}

static void
accept_request(
    struct ht_lane *lane, const struct now *now, struct member *recipient)
{
	const struct ht_bundle_record *r = &now->parcel->bundle.records[now->i];
	const struct ht_header *h = &now->parcel->headers[now->i];
	struct node *asker = lane_node(lane, now->sender, h->node);
	struct usage *usage = lane_usage(lane, h->grant);
	struct rec *rec = claim(lane, h, &r->hash, now->sender, now->ms);
	struct held *held;

	if (asker == NULL || usage == NULL || rec == NULL)
		return;
	rec->place = add_entry(lane, now, HT_ENTRY_REQUEST, HT_ST_OK, 0);
	held = lane_hold(lane, rec, rec->place, h, r->tag,
	    weight(r->header, r->tag, h->body_len));
	if (held == NULL)
		return;
	held->first = now->first;
	held->parcel = now->parcel;
	held->record = now->i;
	held->group = lane->group;
	lane_use(lane, usage, now->ms);
	lane->stats.accepted++;
	open_request(lane, rec, held, recipient, asker);
	add_result(lane, now, HT_ST_OK, rec->place, 0, NULL);
	lane_assign(lane, held);
}

static void
settle_request(
    struct ht_lane *lane, const struct ht_trust *trust, const struct now *now)
{
	const struct ht_header *h = &now->parcel->headers[now->i];
	struct ht_verdict *verdict = &lane->verdict;
	struct ht_usage used = lane_used(lane, h->grant, now->ms);
	struct member *recipient;
	const struct ht_tag *tag;
	struct ht_tag space;

	if (!read_tag(lane, now, &space, &tag))
		return;
	lane->conf.rules->request(trust, h, tag, &used, now->ms, verdict);
	if (!verdict->allow) {
		unsigned status = verdict->reasons.n > 0
		                      ? verdict->reasons.at[0].code
		                      : HT_ST_INTERNAL;

		(void)reject(lane, now, HT_ENTRY_REJECT, status, 0, false,
		    &verdict->reasons);
		return;
	}
	recipient = lane_member(lane, h->recipient);
	if (recipient == NULL)
		return;
	if (too_much(lane, now->sender, recipient))
		not_now(lane, now, HT_ST_BUSY, RETRY_BUSY_MS,
		    "too many requests are open");
	else if (away(lane, recipient, now->ms))
		reject_one(lane, now, HT_ST_OFFLINE, recipient->name);
	else
		accept_request(lane, now, recipient);
}

/* ---- responses ---- */

static void
accept_response(
    struct ht_lane *lane, const struct now *now, struct rec *request)
{
	const struct ht_bundle_record *r = &now->parcel->bundle.records[now->i];
	const struct ht_header *h = &now->parcel->headers[now->i];
	struct rec *rec = claim(lane, h, &r->hash, now->sender, now->ms);
	struct node *asker = request->held->asker;
	struct held *held;

	if (rec == NULL)
		return;
	rec->place = add_entry(
	    lane, now, HT_ENTRY_RESPONSE, HT_ST_OK, request->place + 1);
	end_request(lane, request, HT_ST_OK, rec->place);
	held = lane_hold(lane, rec, rec->place, NULL, (struct ht_slice){0},
	    weight(r->header, r->tag, h->body_len));
	if (held == NULL)
		return;
	rec->state = HELD;
	held->request = request;
	request->answer = held;
	held->first = now->first;
	held->parcel = now->parcel;
	held->record = now->i;
	held->group = lane->group;
	lane->stats.answered++;
	add_result(lane, now, HT_ST_OK, rec->place, 0, NULL);
	lane_address(lane, held, asker);
}

/* The provider's last word did not pass: the asker must not wait for more. */
static void
reject_response(
    struct ht_lane *lane, const struct now *now, struct rec *request)
{
	const struct ht_reasons *reasons = &lane->verdict.reasons;
	unsigned status = reasons->n > 0 ? reasons->at[0].code : HT_ST_INTERNAL;
	struct node *asker = request->held->asker;
	uint64_t place = reject(lane, now, HT_ENTRY_REJECT, status,
	    request->place + 1, true, reasons);

	end_request(lane, request, status, place);
	add_end(lane, asker->conn, request);
}

static void
judge_response(struct ht_lane *lane, const struct ht_trust *trust,
    const struct now *now, struct rec *request)
{
	const struct asked *asked = request->held->asked;
	const struct ht_tag *tag, *asked_tag = NULL;
	struct ht_tag space, asked_space;
	const char *why;

	if (!read_tag(lane, now, &space, &tag))
		return;
	if (asked->tag.len > 0) {
		/* It was decoded when the request was accepted. */
		HT_ASSERT(
		    ht_tag_decode(asked->tag, &asked_space, &why) == HT_OK);
		asked_tag = &asked_space;
	}
	lane->conf.rules->response(trust, &asked->header, asked_tag,
	    &now->parcel->headers[now->i], tag, now->ms, &lane->verdict);
	if (lane->verdict.allow)
		accept_response(lane, now, request);
	else
		reject_response(lane, now, request);
}

static void
settle_response(
    struct ht_lane *lane, const struct ht_trust *trust, const struct now *now)
{
	const struct ht_header *h = &now->parcel->headers[now->i];
	struct rec *request = find_request(lane, h);

	if (request == NULL) {
		reject_one(lane, now, HT_ST_NO_REQUEST,
		    "no request has the header hash that is cited");
	} else if (request->recipient != now->sender) {
		reject_one(lane, now, HT_ST_NO_REQUEST,
		    "the request cited was made to another member");
	} else if (request->state == ENDED) {
		struct ht_reasons *reasons = &lane->verdict.reasons;

		reasons->n = 0;
		ht_reasons_add(reasons, HT_ST_LATE, "its end is entry %llu",
		    (unsigned long long)request->end_place);
		lane->stats.late++;
		(void)reject(lane, now, HT_ENTRY_LATE, HT_ST_LATE,
		    request->place + 1, false, reasons);
	} else {
		judge_response(lane, trust, now, request);
	}
}

/* ---- parcels ---- */

static void
settle_known(struct ht_lane *lane, const struct now *now, struct rec *rec)
{
	struct node *wants;

	if (!ht_hash_eq(
	        &rec->ided.hash, &now->parcel->bundle.records[now->i].hash)) {
		struct ht_reasons *reasons = &lane->verdict.reasons;

		reasons->n = 0;
		ht_reasons_add(reasons, HT_ST_CONFLICT,
		    "the other record is entry %llu",
		    (unsigned long long)rec->place);
		lane->stats.conflicts++;
		(void)reject(lane, now, HT_ENTRY_CONFLICT, HT_ST_CONFLICT, 0,
		    false, reasons);
		return;
	}
	lane->stats.duplicates++;
	if (rec->status != HT_ST_OK) {
		struct ht_reasons *reasons = &lane->verdict.reasons;

		reasons->n = 0;
		ht_reasons_add(reasons, rec->status, "%s",
		    "as it was answered the first time");
		add_result(lane, now, rec->status, rec->place, 0, reasons);
		return;
	}
	wants =
	    lane_node(lane, now->sender, ht_slice_str(now->parcel->conn->node));
	if (wants == NULL)
		return;
	if ((rec->held != NULL && !lane_again(lane, rec->held, wants)) ||
	    (rec->answer != NULL && !lane_again(lane, rec->answer, wants))) {
		not_now(lane, now, HT_ST_BUSY, RETRY_BUSY_MS,
		    "too much was sent again for this node");
		return;
	}
	add_result(lane, now, HT_ST_OK, rec->place, 0, NULL);
	if (rec->state == ENDED && rec->end_status != HT_ST_OK)
		add_end(lane, now->parcel->conn, rec);
}

static void
settle(
    struct ht_lane *lane, const struct ht_trust *trust, const struct now *now)
{
	const struct ht_header *h = &now->parcel->headers[now->i];
	const struct ht_fault *fault = &now->parcel->faults[now->i];
	struct rec *known =
	    (struct rec *)ht_ids_find(lane->ids, now->sender, &h->record);

	if (known != NULL)
		settle_known(lane, now, known);
	else if (!admits(lane, h->kind))
		not_now(lane, now, lane->admission.status, RETRY_BUSY_MS,
		    lane->admission.why);
	else if (ht_ids_count(lane->ids) >= lane->conf.ids_max)
		not_now(lane, now, HT_ST_BUSY, RETRY_BUSY_MS,
		    "too many records are alive");
	else if (fault->status != HT_ST_OK)
		reject_one(lane, now, fault->status, fault->detail);
	else if (h->expires_ms <= now->ms)
		reject_one(lane, now, HT_ST_EXPIRED, "its life is over");
	else if (h->kind == HT_KIND_REQUEST)
		settle_request(lane, trust, now);
	else if (h->kind == HT_KIND_RESPONSE)
		settle_response(lane, trust, now);
	else
		reject_one(lane, now, HT_ST_OPERATION,
		    "only requests and responses are exchanged so far");
}

static enum ht_err
refuse_parcel(
    struct ht_lane *lane, const struct ht_parcel *parcel, uint64_t now_ms)
{
	struct ht_hash hash =
	    ht_sha256(HT_SLICE(parcel->frame, parcel->frame_len));
	struct ht_act *act;
	enum ht_err err =
	    ht_lane_refused(lane, parcel->conn->member, parcel->conn->node,
	        &hash, parcel->frame_len, parcel->refused, now_ms);

	act = err == HT_OK ? lane_act(lane, HT_ACT_REFUSE) : NULL;
	if (act == NULL)
		return lane->err;
	act->parcel = (struct ht_parcel *)parcel;
	act->status = parcel->refused;
	act->to = ht_conn_ref(parcel->conn);
	return HT_OK;
}

/* Requests that ended by the clock end before their late answers are judged:
 * the entries of a bundle follow one another. */
static void
expire_answered(
    struct ht_lane *lane, const struct ht_parcel *parcel, uint64_t now_ms)
{
	for (uint32_t i = 0; i < parcel->n; i++) {
		struct rec *request;

		if (parcel->headers[i].kind != HT_KIND_RESPONSE)
			continue;
		request = find_request(lane, &parcel->headers[i]);
		if (request != NULL && request->state == OPEN &&
		    request->until_ms <= now_ms)
			expire(lane, request);
	}
}

static void
warm(const struct ht_lane *lane, const struct now *now)
{
	for (uint32_t i = 0; i < now->parcel->n; i++) {
		const struct ht_header *h = &now->parcel->headers[i];

		ht_ids_warm(lane->ids, now->sender, &h->record,
		    h->has_reply_to ? &h->reply_to : NULL);
	}
}

enum ht_err
ht_lane_parcel(struct ht_lane *lane, const struct ht_trust *trust,
    struct ht_parcel *parcel, uint64_t now_ms)
{
	const struct ht_pub *pub;
	struct now now = {.parcel = parcel, .ms = now_ms};

	lane->now_ms = now_ms;
	/* What was decided under an older snapshot is decided again. */
	if (parcel->refused == HT_ST_OK && parcel->trust != trust)
		parcel->refused =
		    lane->conf.rules->signer(trust, parcel->bundle.sender,
		        parcel->bundle.node, &parcel->bundle.key, now_ms, &pub);
	if (parcel->refused != HT_ST_OK)
		return refuse_parcel(lane, parcel, now_ms);
	now.sender = lane_member(lane, parcel->bundle.sender);
	if (now.sender == NULL)
		return lane->err;
	warm(lane, &now);
	expire_answered(lane, parcel, now_ms);
	now.first = lane->next_place;
	for (now.i = 0; now.i < parcel->n && lane->err == HT_OK; now.i++)
		settle(lane, trust, &now);
	return lane->err;
}

enum ht_err
ht_lane_refused(struct ht_lane *lane, const char *member_name, const char *node,
    const struct ht_hash *hash, uint64_t len, unsigned status, uint64_t now_ms)
{
	struct member *member = lane_member(lane, ht_slice_str(member_name));
	struct node *from;
	struct ht_act *act;

	if (member == NULL)
		return lane->err;
	lane->stats.refused_bundles++;
	if (!budget(lane, member, now_ms))
		return HT_OK;
	/* The caller's names may not live as long as the action. */
	from = lane_node(lane, member, ht_slice_str(node));
	act = lane_act(lane, HT_ACT_APPEND);
	if (act == NULL || from == NULL)
		return lane->err;
	act->entry = HT_ENTRY_REJECT;
	act->status = status;
	act->place = lane->next_place++;
	act->member = member->name;
	act->node = from->name;
	act->hash = *hash;
	act->len = len;
	return lane->err;
}

/* ---- time ---- */

static void
forget(struct ht_lane *lane, struct rec *rec)
{
	if (rec->answer != NULL)
		rec->answer->request = NULL;
	if (rec->held != NULL)
		lane_unhold(lane, rec->held);
	ht_ids_del(lane->ids, &rec->ided);
	free(rec);
}

/* The end of a record's life, and later the end of its memory. */
static void
come_due(struct ht_lane *lane, struct rec *rec, uint64_t now_ms)
{
	uint64_t kept_until = rec->until_ms + HT_SKEW_MS;

	if (rec->state == OPEN && rec->until_ms <= now_ms)
		expire(lane, rec);
	if (rec->state == HELD && rec->until_ms <= now_ms) {
		lane_unhold(lane, rec->held);
		rec->state = FINAL;
	}
	if (kept_until <= now_ms)
		forget(lane, rec);
	else
		ht_ids_again(lane->ids, &rec->ided,
		    rec->until_ms > now_ms ? rec->until_ms : kept_until);
}

enum ht_err
ht_lane_tick(struct ht_lane *lane, uint64_t now_ms, size_t max, bool *ret_more)
{
	uint64_t ends = lane->stats.expired + max;
	struct ht_ided *due;
	int n = 0;

	*ret_more = false;
	lane->now_ms = now_ms;
	while ((due = ht_ids_due(lane->ids, now_ms)) != NULL) {
		come_due(lane, (struct rec *)due, now_ms);
		if (lane->err != HT_OK)
			return lane->err;
		if (lane->stats.expired >= ends || ++n >= FORGET_MAX) {
			*ret_more = true;
			break;
		}
	}
	if (now_ms >= lane->minute_ms + MINUTE_MS) {
		lane->minute_ms = now_ms;
		tell_excess(lane);
	}
	if (lane->starved || lane->slowed) {
		lane->starved = lane->slowed = false;
		lane_pump_all(lane);
		*ret_more = *ret_more || lane->starved;
	}
	return lane->err;
}

/* ---- starting again ---- */

static void
replay_request(struct ht_lane *lane, const struct ht_entry *e,
    const struct ht_header *h, struct ht_slice tag, struct rec *rec)
{
	struct member *recipient = lane_member(lane, h->recipient);
	struct node *asker = lane_node(lane, rec->sender, h->node);
	struct held *held = lane_hold(lane, rec, e->seq, h, tag,
	    e->body_len + e->tag_len + (uint32_t)e->payload.len);

	if (recipient == NULL || asker == NULL || held == NULL)
		return;
	held->first = e->bundle_seq;
	open_request(lane, rec, held, recipient, asker);
	lane_assign(lane, held);
}

static void
replay_end(
    struct ht_lane *lane, struct rec *request, unsigned status, uint64_t place)
{
	if (request != NULL && request->state == OPEN)
		end_request(lane, request, status, place);
}

static void
replay_response(struct ht_lane *lane, const struct ht_entry *e,
    const struct ht_header *h, struct rec *rec, uint64_t now_ms)
{
	struct rec *request = find_request(lane, h);
	struct node *asker;
	struct held *held;

	if (request == NULL || request->state != OPEN)
		return;
	asker = request->held->asker;
	end_request(lane, request, HT_ST_OK, e->seq);
	if (rec->until_ms <= now_ms)
		return;
	held = lane_hold(lane, rec, e->seq, NULL, (struct ht_slice){0},
	    e->body_len + e->tag_len + (uint32_t)e->payload.len);
	if (held == NULL)
		return;
	rec->state = HELD;
	held->first = e->bundle_seq;
	held->request = request;
	request->answer = held;
	lane_address(lane, held, asker);
}

/* map {"record": bin 16, "sender": str} */
static void
replay_expired(struct ht_lane *lane, const struct ht_entry *e)
{
	struct ht_unpack u = ht_unpack(e->payload);
	struct ht_slice sender;
	struct member *member;
	struct ht_id id;

	if (ht_unpack_map(&u, 2) != 2)
		return;
	(void)ht_unpack_str(&u, 16);
	ht_unpack_fixed(&u, id.at, sizeof(id.at));
	(void)ht_unpack_str(&u, 16);
	sender = ht_unpack_str(&u, HT_NAME_MAX);
	if (ht_unpack_end(&u) != HT_OK)
		return;
	member = ht_map_get(lane->members, sender);
	if (member != NULL)
		replay_end(lane,
		    (struct rec *)ht_ids_find(lane->ids, member, &id),
		    HT_ST_EXPIRED, e->seq);
}

static void
count_use(struct ht_lane *lane, const struct ht_entry *e)
{
	struct usage *usage = lane_usage(lane, e->grant);

	if (usage != NULL)
		lane_use(lane, usage, e->time_us / 1000);
}

/*
 * The id of a record that had been forgotten by @then_ms, when it was taken
 * again, for another.  False: it was not free.
 */
static bool
take_again(struct ht_lane *lane, struct rec *rec, const struct ht_header *h,
    const struct ht_hash *hash, uint64_t then_ms)
{
	if (rec->state == OPEN || rec->until_ms + HT_SKEW_MS > then_ms)
		return false;
	if (rec->answer != NULL)
		rec->answer->request = NULL;
	if (rec->held != NULL)
		lane_unhold(lane, rec->held);
	rec->answer = NULL;
	ht_ids_rehash(lane->ids, &rec->ided, hash, h->kind == HT_KIND_REQUEST);
	rec->state = FINAL;
	rec->until_ms = life_of(h, then_ms);
	rec->recipient = NULL;
	rec->end_place = 0;
	rec->end_status = 0;
	return true; /* its timer is set anew when it comes due */
}

static void
replay_record(struct ht_lane *lane, const struct ht_entry *e,
    const struct ht_header *h, struct ht_slice tag, uint64_t now_ms)
{
	/* Who sent it, not whom a refused header may have named. */
	struct member *sender = lane_member(lane, e->member);
	struct ht_hash hash = ht_header_hash(e->payload);
	struct rec *rec;

	if (sender == NULL)
		return;
	rec = (struct rec *)ht_ids_find(lane->ids, sender, &h->record);
	if (rec == NULL)
		rec = claim(lane, h, &hash, sender, now_ms);
	else if (!take_again(lane, rec, h, &hash, e->time_us / 1000))
		return;
	if (rec == NULL)
		return;
	rec->place = e->seq;
	rec->status = (uint16_t)e->status;
	if (e->type == HT_ENTRY_RESPONSE)
		replay_response(lane, e, h, rec, now_ms);
	if (e->type == HT_ENTRY_REJECT && e->cites > 0)
		replay_end(lane, find_request(lane, h), e->status, e->seq);
	if (e->type != HT_ENTRY_REQUEST)
		return;
	replay_request(lane, e, h, tag, rec);
	count_use(lane, e);
}

enum ht_err
ht_lane_replay_use(struct ht_lane *lane, const struct ht_entry *e)
{
	if (e->type == HT_ENTRY_REQUEST)
		count_use(lane, e);
	return lane->err;
}

enum ht_err
ht_lane_replay(struct ht_lane *lane, const struct ht_entry *e,
    const struct ht_header *header, struct ht_slice tag, uint64_t now_ms)
{
	switch (e->type) {
	case HT_ENTRY_REQUEST:
	case HT_ENTRY_RESPONSE:
	case HT_ENTRY_REJECT:
	case HT_ENTRY_LATE:
		if (header != NULL)
			replay_record(lane, e, header, tag, now_ms);
		break;
	case HT_ENTRY_EXPIRED:
		replay_expired(lane, e);
		break;
	default:
		break;
	}
	return lane->err;
}
