/*
 * t_lane.c -- the lane, played through thousands of seeded histories: records
 * doubled, dropped and in conflict, nodes that come and go, crashes before and
 * after the commit.  What must always hold is checked after every group.
 */
#include "broker/lane.h"

#include "tests/lib/test.h"

#include "lib/base/fs.h"
#include "lib/base/limits.h"
#include "schemas/tag.h"

#define START_MS    UINT64_C(1795485600000)
#define RECORDS     160 /* of one history */
#define ENTRIES     4096
#define STEPS       220
#define HISTORIES   1500
#define NODES       5
#define MAX_BUNDLE  4
#define REFUSALS    3
#define AGAIN_BYTES 4000 /* some twelve records */
#define AGAIN_MS    20
#define TAG_ROOM    256
#define SUBJECTS    3 /* few: answers about the same one are usual */

/* ---- a world of its own: who, and what may flow ---- */

static const struct {
	const char *member, *node;
	bool serves;
} nodes[NODES] = {
    {"tax.t/asker",  "main",  false},
    {"tax.t/asker",  "shell", false},
    {"reg.t/asked",  "one",   true },
    {"reg.t/asked",  "two",   true },
    {"land.t/other", "main",  true },
};
#define ASKERS 2 /* the first nodes ask, the rest are asked */

static uint64_t used; /* of the grant that day, as last decided by */
static uint64_t used_minute;

static void
decide_request(const struct ht_trust *trust, const struct ht_header *h,
    const struct ht_tag *tag, const struct ht_usage *usage, uint64_t now_ms,
    struct ht_verdict *ret)
{
	(void)trust;
	(void)tag;
	(void)now_ms;
	used = usage->day_count;
	used_minute = usage->minute_count;
	ret->reasons.n = 0;
	ret->allow = ht_slice_is(h->purpose, "good");
	if (!ret->allow)
		ht_reasons_add(&ret->reasons, HT_ST_PURPOSE, "%s", "bad");
}

static void
decide_response(const struct ht_trust *trust, const struct ht_header *request,
    const struct ht_tag *request_tag, const struct ht_header *h,
    const struct ht_tag *tag, uint64_t now_ms, struct ht_verdict *ret)
{
	(void)trust;
	(void)now_ms;
	ret->reasons.n = 0;
	ret->allow = ht_slice_is(h->purpose, "good") &&
	             ht_id_eq(&h->exchange, &request->exchange);
	/* Both tags, also when the request's was read from the log again. */
	assert_non_null(request_tag);
	assert_non_null(tag);
	if (!ht_tag_covers(tag, request_tag)) {
		ret->allow = false;
		ht_reasons_add(&ret->reasons, HT_ST_TAG_SUBJECT, "%s", "bad");
	} else if (!ret->allow) {
		ht_reasons_add(&ret->reasons, HT_ST_RELEASED, "%s", "bad");
	}
}

static unsigned
signer(const struct ht_trust *trust, struct ht_slice member,
    struct ht_slice node, const struct ht_keyid *id, uint64_t now_ms,
    const struct ht_pub **ret_pub)
{
	(void)trust;
	(void)member;
	(void)node;
	(void)id;
	(void)now_ms;
	*ret_pub = NULL;
	return HT_ST_OK;
}

static const struct ht_lane_rules rules = {
    decide_request, decide_response, signer};

/* ---- a history ---- */

struct record {
	uint8_t raw[HT_HEADER_MAX];
	size_t len;
	struct ht_header h;
	struct ht_hash hash;
	unsigned subject;
	uint8_t tag[TAG_ROOM];
	size_t tag_len;
	int from;    /* node */
	int answers; /* the record asked, or -1 */
	bool known;  /* it has its answer: */
	unsigned status;
	uint64_t place;
};

struct entry {
	unsigned type, status;
	uint64_t cites, time_ms;
	uint64_t first;  /* of its bundle */
	int record;      /* -1: none */
	struct ht_id id; /* EXPIRED */
	char sender[HT_NAME_MAX + 1];
};

struct play {
	uint64_t seed, now_ms;
	bool dying; /* the process does, now and then */
	struct ht_lane *lane;
	struct ht_conn *conns[NODES]; /* NULL: down */
	int n_records;
	struct record records[RECORDS];
	size_t n_entries, committed;
	struct entry entries[ENTRIES];
	/* What each node holds: the entries it was handed on this link. */
	bool handed[NODES][ENTRIES];
	bool got[ENTRIES];
	unsigned ended[RECORDS]; /* how many times a request ended */
	unsigned delivered, busy;
};

static uint64_t
dice(struct play *p, uint64_t sides)
{
	p->seed =
	    p->seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (p->seed >> 33) % sides;
}

static struct ht_lane_conf
lane_conf(void)
{
	struct ht_lane_conf conf = HT_LANE_CONF;

	conf.rules = &rules;
	conf.secret[0] = 1;
	conf.secret[1] = 2;
	conf.refusals_minute = REFUSALS;
	conf.window_records = 6;
	conf.log_bytes = 2600; /* six records, and no more */
	conf.again_bytes = AGAIN_BYTES;
	conf.again_ms = AGAIN_MS;
	return conf;
}

static void
new_lane(struct play *p)
{
	struct ht_lane_conf conf = lane_conf();

	assert_ok(ht_lane_new(&conf, p->now_ms, p->n_entries, &p->lane));
}

/* ---- records ---- */

static struct ht_id
random_id(struct play *p)
{
	struct ht_id id;

	for (int i = 0; i < HT_ID_SIZE; i++)
		id.at[i] = (uint8_t)dice(p, 256);
	return id;
}

static void
make_tag(struct record *r)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(TAG_ROOM);
	uint8_t annex[49] = {0};
	struct ht_tag tag = {.epoch = ht_slice_str("c/e"),
	    .n_subjects = 1,
	    .annex = HT_SLICE(annex, sizeof(annex))};

	memset(tag.subjects[0].at, (int)r->subject, HT_PSEUDONYM_SIZE);
	assert_ok(ht_tag_encode(&tag, &out));
	memcpy(r->tag, out.at, out.len);
	r->tag_len = out.len;
	r->h.has_tag = true;
	r->h.tag = ht_tag_hash(ht_buf_slice(&out));
}

static void
encode(struct record *r)
{
	HT_AUTO(ht_buf_fini) struct ht_buf envelope = HT_BUF(HT_HEADER_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf header = HT_BUF(HT_HEADER_MAX);

	make_tag(r);
	assert_ok(ht_envelope_encode(&r->h, &envelope));
	assert_ok(ht_header_encode(&r->h, ht_buf_slice(&envelope), &header));
	r->len = header.len;
	memcpy(r->raw, header.at, header.len);
	assert_ok(
	    ht_header_decode(HT_SLICE(r->raw, r->len), &r->h, NULL, NULL));
	r->hash = ht_header_hash(HT_SLICE(r->raw, r->len));
}

static struct record *
new_record(struct play *p, int from)
{
	struct record *r = &p->records[p->n_records++];

	memset(r, 0, sizeof(*r));
	r->from = from;
	r->answers = -1;
	r->subject = (unsigned)dice(p, SUBJECTS);
	r->h = (struct ht_header){
	    .version = 1,
	    .suite = 1,
	    .record = random_id(p),
	    .exchange = random_id(p),
	    .kind = HT_KIND_REQUEST,
	    .sender = ht_slice_str(nodes[from].member),
	    .node = ht_slice_str(nodes[from].node),
	    .recipient = ht_slice_str(nodes[ASKERS + dice(p, 3)].member),
	    .item = ht_slice_str("c/X"),
	    .item_version = 1,
	    .operation = HT_OP_QUERY,
	    .purpose = ht_slice_str(dice(p, 8) == 0 ? "bad" : "good"),
	    .basis = ht_slice_str("b"),
	    .grant = ht_slice_str("c/1"),
	    .created_ms = p->now_ms,
	    .expires_ms = p->now_ms + 1000 + dice(p, 120000),
	    .body_len = 100,
	};
	return r;
}

/* A parcel of some records of one node, as a verifier would hand it on. */
static struct ht_parcel *
parcel_of(struct play *p, int from, const int *records, uint32_t n)
{
	struct ht_conn *conn = p->conns[from];
	struct ht_parcel *parcel = ht_parcel_new(conn, HT_SLICE("frame", 5));

	assert_non_null(parcel);
	memset(&parcel->bundle, 0, sizeof(parcel->bundle));
	parcel->bundle.sender = ht_slice_str(nodes[from].member);
	parcel->bundle.node = ht_slice_str(nodes[from].node);
	parcel->bundle.count = parcel->bundle.n_records = parcel->n = n;
	for (uint32_t i = 0; i < n; i++) {
		const struct record *r = &p->records[records[i]];

		parcel->bundle.records[i].index = i;
		parcel->bundle.records[i].header = HT_SLICE(r->raw, r->len);
		parcel->bundle.records[i].hash = r->hash;
		parcel->bundle.records[i].tag = HT_SLICE(r->tag, r->tag_len);
		parcel->headers[i] = r->h;
		parcel->faults[i] = (struct ht_fault){HT_ST_OK, ""};
	}
	return parcel;
}

/* ---- what the actions did ---- */

static int
node_of(const struct play *p, const struct ht_conn *conn)
{
	for (int i = 0; i < NODES; i++)
		if (p->conns[i] == conn)
			return i;
	return -1; /* an older connection */
}

static int
request_of(const struct play *p, uint64_t cites)
{
	assert_in_range(cites, 1, p->n_entries);
	return p->entries[cites - 1].record;
}

static void
on_append(struct play *p, const struct ht_act *act, const int *records)
{
	struct entry *e = &p->entries[p->n_entries];

	assert_int_equal(act->place, p->n_entries);
	assert_true(p->n_entries < ENTRIES);
	p->n_entries++;
	memset(e, 0, sizeof(*e));
	e->type = act->entry;
	e->status = act->status;
	e->cites = act->cites;
	e->first = act->first;
	e->time_ms = p->now_ms;
	e->record = act->parcel == NULL ? -1 : records[act->record];
	e->id = act->id;
	if (act->member != NULL)
		snprintf(e->sender, sizeof(e->sender), "%s", act->member);
	if (act->cites > 0 && act->entry != HT_ENTRY_LATE) {
		int request = request_of(p, act->cites);

		p->ended[request]++;
		assert_int_equal(p->ended[request], 1);
	}
	/* What is not allowed has no entry that could be handed on. */
	if (act->entry == HT_ENTRY_REQUEST || act->entry == HT_ENTRY_RESPONSE)
		assert_true(
		    ht_slice_is(p->records[e->record].h.purpose, "good"));
	/* Nor what hides the look that it answers. */
	if (act->entry == HT_ENTRY_RESPONSE)
		assert_int_equal(p->records[e->record].subject,
		    p->records[request_of(p, act->cites)].subject);
}

static void
on_result(struct play *p, const struct ht_act *act, const int *records)
{
	struct record *r = &p->records[records[act->record]];

	p->busy += act->status == HT_ST_BUSY;
	if (act->status == HT_ST_BUSY || act->status == HT_ST_CONFLICT ||
	    act->status == HT_ST_PAUSED)
		return;
	/* What is final has an entry, so that a restart changes nothing. */
	assert_true(act->place < p->n_entries);
	assert_int_equal(p->entries[act->place].record, records[act->record]);
	/* A retry has the same answer, as long as it can be a retry. */
	if (r->known && p->now_ms < r->h.expires_ms) {
		assert_int_equal(act->status, r->status);
		assert_int_equal(act->place, r->place);
	}
	r->known = true;
	r->status = act->status;
	r->place = act->place;
}

static void
on_deliver(struct play *p, const struct ht_act *act)
{
	int node = node_of(p, act->to);
	const struct entry *e = &p->entries[act->place];
	const struct record *r;

	p->delivered++;
	assert_true(act->place < p->n_entries);
	assert_true(e->record >= 0);
	/* By which who reads it from the log finds its bundle. */
	assert_int_equal(act->first, e->first);
	r = &p->records[e->record];
	if (e->type == HT_ENTRY_REQUEST) {
		assert_true(ht_slice_is(r->h.recipient, act->to->member));
		assert_true(act->to->serves);
	} else {
		const struct record *asked = &p->records[r->answers];

		assert_int_equal(e->type, HT_ENTRY_RESPONSE);
		assert_string_equal(act->to->member, nodes[asked->from].member);
		assert_string_equal(act->to->node, nodes[asked->from].node);
	}
	if (node >= 0)
		p->handed[node][act->place] = true;
}

static void
carry_out(struct play *p, const int *records, size_t *done)
{
	size_t n;
	const struct ht_act *acts = ht_lane_acts(p->lane, &n);

	for (; *done < n; (*done)++)
		if (acts[*done].type == HT_ACT_APPEND)
			on_append(p, &acts[*done], records);
}

/* After the commit: @records are those of the one parcel, if there was one. */
static void
let_out_of(struct play *p, const int *records)
{
	size_t n;
	const struct ht_act *acts = ht_lane_acts(p->lane, &n);

	p->committed = p->n_entries;
	for (size_t i = 0; i < n; i++) {
		if (acts[i].type == HT_ACT_DELIVER)
			on_deliver(p, &acts[i]);
		else if (acts[i].type == HT_ACT_RESULT)
			on_result(p, &acts[i], records);
	}
	ht_lane_clear(p->lane);
}

static void
let_out(struct play *p)
{
	let_out_of(p, NULL);
}

static void
tick(struct play *p, size_t *done)
{
	bool more;

	assert_ok(ht_lane_tick(p->lane, p->now_ms, 8, &more));
	carry_out(p, NULL, done);
}

/* ---- events ---- */

static void crash(struct play *p);

static void
send_bundle(struct play *p, int from, const int *records, uint32_t n)
{
	struct ht_parcel *parcel;
	size_t done = 0;

	if (p->conns[from] == NULL)
		return;
	parcel = parcel_of(p, from, records, n);
	tick(p, &done);
	assert_ok(ht_lane_parcel(p->lane, NULL, parcel, p->now_ms));
	carry_out(p, records, &done);
	switch (p->dying ? dice(p, 50) : 2) {
	case 0: /* before the commit: the group never was */
		p->n_entries = p->committed;
		ht_parcel_free(&parcel);
		crash(p);
		return;
	case 1: /* after it: nobody heard */
		p->committed = p->n_entries;
		ht_parcel_free(&parcel);
		crash(p);
		return;
	default:
		let_out_of(p, records);
		ht_parcel_free(&parcel);
		return;
	}
}

static void
ask(struct play *p)
{
	int from = (int)dice(p, ASKERS), records[MAX_BUNDLE];
	uint32_t n = 1 + (uint32_t)dice(p, MAX_BUNDLE);

	if (p->n_records + MAX_BUNDLE >= RECORDS)
		return;
	for (uint32_t i = 0; i < n; i++) {
		struct record *r = new_record(p, from);

		encode(r);
		records[i] = p->n_records - 1;
	}
	send_bundle(p, from, records, n);
}

static void
again(struct play *p)
{
	int record;

	if (p->n_records == 0)
		return;
	record = (int)dice(p, (uint64_t)p->n_records);
	send_bundle(p, p->records[record].from, &record, 1);
}

/* Another record under an id that is taken. */
static void
conflict(struct play *p)
{
	const struct record *old;
	struct record *r;
	int record;
	uint64_t before;

	if (p->n_records == 0 || p->n_records + 1 >= RECORDS)
		return;
	old = &p->records[dice(p, (uint64_t)p->n_records)];
	if (!old->known || old->h.expires_ms <= p->now_ms)
		return;
	r = new_record(p, old->from);
	r->h.record = old->h.record;
	encode(r);
	record = p->n_records - 1;
	before = p->n_entries;
	send_bundle(p, r->from, &record, 1);
	for (uint64_t i = before; i < p->n_entries; i++)
		if (p->entries[i].record == record)
			assert_int_equal(p->entries[i].type, HT_ENTRY_CONFLICT);
}

static void
answer_to(struct play *p, int node, int asked)
{
	struct record *r = new_record(p, node);
	int record;

	r->answers = asked;
	if (dice(p, 4) > 0) /* else about anybody */
		r->subject = p->records[asked].subject;
	r->h.kind = HT_KIND_RESPONSE;
	r->h.recipient = p->records[asked].h.sender;
	r->h.exchange = p->records[asked].h.exchange;
	r->h.has_reply_to = true;
	r->h.reply_to = p->records[asked].hash;
	r->h.status = HT_ANSWER_ANSWERED;
	encode(r);
	record = p->n_records - 1;
	send_bundle(p, node, &record, 1);
}

static void
answer(struct play *p)
{
	int node = ASKERS + (int)dice(p, NODES - ASKERS);
	uint64_t place;
	int asked;

	if (p->committed == 0 || p->n_records + 1 >= RECORDS)
		return;
	place = dice(p, p->committed);
	asked = p->entries[place].record;
	if (!p->handed[node][place] ||
	    p->entries[place].type != HT_ENTRY_REQUEST)
		return;
	answer_to(p, node, asked);
}

/* From a member that was not asked. */
static void
meddle(struct play *p)
{
	int record, asked;
	struct record *r;
	uint64_t before = p->n_entries;

	if (p->n_records == 0 || p->n_records + 1 >= RECORDS)
		return;
	asked = (int)dice(p, (uint64_t)p->n_records);
	r = new_record(p, NODES - 1);
	if (ht_slice_is(p->records[asked].h.recipient, nodes[NODES - 1].member))
		r->h.record = random_id(p);
	else
		r->answers = asked;
	r->h.kind = HT_KIND_RESPONSE;
	r->h.recipient = p->records[asked].h.sender;
	r->h.has_reply_to = true;
	r->h.reply_to = p->records[asked].hash;
	r->h.status = HT_ANSWER_ANSWERED;
	if (r->answers == -1)
		r->h.reply_to.at[0] ^= 1;
	encode(r);
	record = p->n_records - 1;
	send_bundle(p, NODES - 1, &record, 1);
	for (uint64_t i = before; i < p->n_entries; i++)
		if (p->entries[i].record == record)
			assert_int_equal(p->entries[i].type, HT_ENTRY_REJECT);
}

static void
node_up(struct play *p, int node)
{
	char user[300];
	struct ht_conn *old = p->conns[node];

	snprintf(user, sizeof(user), "%s/%s#0011223344556677",
	    nodes[node].member, nodes[node].node);
	p->conns[node] = ht_conn_new(1, HT_SLICE("h", 1), ht_slice_str(user));
	assert_non_null(p->conns[node]);
	p->conns[node]->serves = nodes[node].serves;
	memset(p->handed[node], 0, sizeof(p->handed[node]));
	assert_ok(ht_lane_up(p->lane, p->conns[node], p->now_ms));
	let_out(p);
	ht_conn_unref(&old);
}

static void
node_down(struct play *p, int node)
{
	if (p->conns[node] == NULL)
		return;
	assert_ok(ht_lane_down(p->lane, p->conns[node], p->now_ms));
	let_out(p);
	ht_conn_unref(&p->conns[node]);
	memset(p->handed[node], 0, sizeof(p->handed[node]));
}

static void
got(struct play *p, int node)
{
	uint64_t places[HT_BUNDLE_MAX];
	size_t n = 0;

	if (p->conns[node] == NULL)
		return;
	for (uint64_t i = 0; i < p->n_entries && n < HT_BUNDLE_MAX; i++)
		if (p->handed[node][i] && !p->got[i]) {
			p->got[i] = true;
			places[n++] = i;
		}
	places[n > 0 ? n - 1 : 0] += n > 0 ? 0 : 7777; /* and nonsense */
	assert_ok(ht_lane_got(p->lane, p->conns[node], places, n));
	let_out(p);
}

static void
replay_entry(struct play *p, size_t i)
{
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(1024);
	const struct entry *from = &p->entries[i];
	struct ht_entry e = {
	    .type = from->type,
	    .seq = i,
	    .time_us = from->time_ms * 1000,
	    .status = from->status,
	    .cites = from->cites,
	};
	const struct ht_header *h = NULL;
	struct ht_slice tag = HT_SLICE(NULL, 0);

	if (from->record >= 0) {
		const struct record *r = &p->records[from->record];

		e.member = ht_slice_str(nodes[r->from].member);
		e.grant = r->h.grant;
		e.payload = HT_SLICE(r->raw, r->len);
		e.body_len = 100;
		e.bundle_seq = from->first;
		e.bundle_count = 1;
		h = &r->h;
		tag = HT_SLICE(r->tag, r->tag_len);
	} else if (from->type == HT_ENTRY_EXPIRED) {
		ht_pack_map(&payload, 2);
		ht_pack_cstr(&payload, "record");
		ht_pack_bin(&payload, from->id.at, sizeof(from->id.at));
		ht_pack_cstr(&payload, "sender");
		ht_pack_cstr(&payload, from->sender);
		e.payload = ht_buf_slice(&payload);
	}
	assert_ok(ht_lane_replay(p->lane, &e, h, tag, p->now_ms));
}

/* kill -9: memory is gone, what was committed is read again. */
static void
crash(struct play *p)
{
	for (int i = 0; i < NODES; i++)
		ht_conn_unref(&p->conns[i]);
	memset(p->handed, 0, sizeof(p->handed));
	memset(p->got, 0, sizeof(p->got));
	ht_lane_free(&p->lane);
	new_lane(p);
	memset(p->ended, 0, sizeof(p->ended));
	for (size_t i = 0; i < p->n_entries; i++) {
		const struct entry *e = &p->entries[i];

		replay_entry(p, i);
		if (e->cites > 0 && e->type != HT_ENTRY_LATE)
			p->ended[request_of(p, e->cites)]++;
	}
}

/* ---- the end of a history ---- */

static void
all_is_handed_on(struct play *p)
{
	for (int round = 0; round < 400; round++) {
		size_t done = 0;

		for (int node = 0; node < NODES; node++)
			got(p, node);
		p->now_ms += 10;
		tick(p, &done);
		let_out(p);
	}
	for (size_t i = 0; i < p->n_entries; i++) {
		const struct entry *e = &p->entries[i];
		const struct record *r;

		if (e->record < 0)
			continue;
		r = &p->records[e->record];
		if ((e->type == HT_ENTRY_REQUEST && p->ended[e->record] == 0) ||
		    (e->type == HT_ENTRY_RESPONSE &&
		        r->h.expires_ms > p->now_ms))
			assert_true(p->got[i]);
	}
}

static void
all_has_ended(struct play *p)
{
	struct ht_lane_stats stats;

	for (int i = 0; i < 60; i++) {
		size_t done = 0;

		p->now_ms += 10000;
		tick(p, &done);
		let_out(p);
	}
	for (size_t i = 0; i < p->n_entries; i++)
		if (p->entries[i].type == HT_ENTRY_REQUEST)
			assert_int_equal(p->ended[p->entries[i].record], 1);
	ht_lane_stats(p->lane, &stats);
	assert_int_equal(stats.open, 0);
	assert_int_equal(stats.ids, 0);
}

static void
step(struct play *p)
{
	uint64_t which = dice(p, 100);
	int node = (int)dice(p, NODES);

	if (which < 25)
		ask(p);
	else if (which < 50)
		answer(p);
	else if (which < 60)
		again(p);
	else if (which < 63)
		conflict(p);
	else if (which < 66)
		meddle(p);
	else if (which < 80)
		got(p, node);
	else if (which < 88)
		node_up(p, node);
	else if (which < 91)
		node_down(p, node);
	else if (which < 93)
		crash(p);
	else
		p->now_ms += dice(p, 15000);
}

static void
play(struct play *p, uint64_t seed)
{
	memset(p, 0, sizeof(*p));
	p->seed = seed;
	p->now_ms = START_MS;
	new_lane(p);
	for (int i = 0; i < NODES; i++)
		node_up(p, i);
	p->dying = true;
	for (int i = 0; i < STEPS; i++)
		step(p);
	p->dying = false;
	for (int i = 0; i < NODES; i++)
		node_up(p, i);
	all_is_handed_on(p);
	all_has_ended(p);
	for (int i = 0; i < NODES; i++)
		ht_conn_unref(&p->conns[i]);
	ht_lane_free(&p->lane);
}

static uint64_t playing;

static void
histories_keep_the_rules(void **state)
{
	static struct play p;
	uint64_t answered = 0, expired = 0, late = 0, conflicts = 0, busy = 0;

	(void)state;
	for (playing = 1; playing <= HISTORIES; playing++) {
		play(&p, playing);
		busy += p.busy;
		for (size_t i = 0; i < p.n_entries; i++) {
			answered += p.entries[i].type == HT_ENTRY_RESPONSE;
			expired += p.entries[i].type == HT_ENTRY_EXPIRED;
			late += p.entries[i].type == HT_ENTRY_LATE;
			conflicts += p.entries[i].type == HT_ENTRY_CONFLICT;
		}
	}
	/* The dice did bring all of it about. */
	assert_true(answered > HISTORIES);
	assert_true(expired > HISTORIES);
	assert_true(late > HISTORIES / 10);
	assert_true(conflicts > HISTORIES / 10);
	assert_true(busy > HISTORIES);
}

/* ---- single rules ---- */

static void
begin(struct play *p)
{
	memset(p, 0, sizeof(*p));
	p->seed = 7;
	p->now_ms = START_MS;
	new_lane(p);
	for (int i = 0; i < NODES; i++)
		node_up(p, i);
}

static void
end(struct play *p)
{
	for (int i = 0; i < NODES; i++)
		ht_conn_unref(&p->conns[i]);
	ht_lane_free(&p->lane);
}

static int
ask_one(struct play *p, const char *purpose, uint64_t life_ms)
{
	struct record *r = new_record(p, 0);
	int record = p->n_records - 1;

	r->h.purpose = ht_slice_str(purpose);
	r->h.recipient = ht_slice_str("reg.t/asked");
	r->h.expires_ms = p->now_ms + life_ms;
	encode(r);
	send_bundle(p, 0, &record, 1);
	return record;
}

static void
refusals_beyond_the_budget_are_counted(void **state)
{
	static struct play p;
	unsigned rejects = 0, counted = 0;
	size_t done = 0;
	int last = 0, good;

	(void)state;
	begin(&p);
	for (int i = 0; i < 30; i++)
		last = ask_one(&p, "bad", 90000);
	for (size_t i = 0; i < p.n_entries; i++)
		rejects += p.entries[i].type == HT_ENTRY_REJECT;
	assert_int_equal(rejects, REFUSALS);
	/* Of the rest nothing is decided; one that is good would be taken. */
	assert_int_equal(p.busy, 30 - REFUSALS);
	assert_false(p.records[last].known);
	good = ask_one(&p, "good", 90000);
	assert_int_equal(p.records[good].status, HT_ST_OK);
	p.now_ms += 60000;
	tick(&p, &done);
	let_out(&p);
	for (size_t i = 0; i < p.n_entries; i++)
		counted += p.entries[i].type == HT_ENTRY_REFUSALS;
	assert_int_equal(counted, 1);
	send_bundle(&p, 0, &last, 1);
	assert_int_equal(p.records[last].status, HT_ST_PURPOSE);
	end(&p);
}

/* Until the commit nothing may say so: results come as actions, not sooner. */
static void
nothing_is_admitted_while_paused(void **state)
{
	static struct play p;
	int before, during;

	(void)state;
	begin(&p);
	before = ask_one(&p, "good", 60000);
	ht_lane_admit(p.lane, (struct ht_admission){HT_ST_PAUSED, false, ""});
	during = ask_one(&p, "good", 60000);
	assert_false(p.records[during].known);
	assert_int_equal(p.n_entries, 1);
	/* What is known already keeps its answer. */
	send_bundle(&p, 0, &before, 1);
	assert_int_equal(p.records[before].status, HT_ST_OK);
	ht_lane_admit(p.lane, (struct ht_admission){HT_ST_OK, false, ""});
	send_bundle(&p, 0, &during, 1);
	assert_int_equal(p.records[during].status, HT_ST_OK);
	end(&p);
}

static void
a_full_disk_lets_answers_through(void **state)
{
	static struct play p;
	int asked, during, node = ASKERS;

	(void)state;
	begin(&p);
	asked = ask_one(&p, "good", 60000);
	ht_lane_admit(
	    p.lane, (struct ht_admission){HT_ST_PAUSED, true, "full"});
	during = ask_one(&p, "good", 60000);
	assert_false(p.records[during].known);
	while (!ht_slice_is(p.records[asked].h.recipient, nodes[node].member))
		node++;
	answer_to(&p, node, asked);
	assert_int_equal(p.n_entries, 2);
	assert_int_equal(p.entries[1].type, HT_ENTRY_RESPONSE);
	end(&p);
}

static void
a_member_long_away_is_offline(void **state)
{
	static struct play p;
	int soon, later;

	(void)state;
	begin(&p);
	node_down(&p, 2);
	node_down(&p, 3);
	p.now_ms += 5000;
	soon = ask_one(&p, "good", 60000);
	assert_int_equal(p.records[soon].status, HT_ST_OK);
	p.now_ms += 6000;
	later = ask_one(&p, "good", 60000);
	assert_int_equal(p.records[later].status, HT_ST_OFFLINE);
	/* What was taken meanwhile is there when it comes back. */
	node_up(&p, 3);
	assert_true(p.handed[3][p.records[soon].place]);
	end(&p);
}

/* Who asks a lot waits for its own answers; others do not. */
static void
askers_take_turns(void **state)
{
	static struct play p;
	struct record *r;
	uint64_t place;
	int record = 0;

	(void)state;
	begin(&p);
	node_down(&p, 3);
	for (int i = 0; i < 60; i++)
		(void)ask_one(&p, "good", 60000);
	r = new_record(&p, 4);
	record = p.n_records - 1;
	r->h.purpose = ht_slice_str("good");
	r->h.recipient = ht_slice_str("reg.t/asked");
	encode(r);
	send_bundle(&p, 4, &record, 1);
	assert_int_equal(r->status, HT_ST_OK);
	place = r->place;
	assert_int_equal(place, 60);
	assert_int_equal(p.delivered, 6); /* the window */
	assert_false(p.handed[2][place]);
	/* As soon as there is room it is one of the next two. */
	got(&p, 2);
	assert_true(p.handed[2][place]);
	assert_true(p.handed[2][10]);
	assert_false(p.handed[2][11]);
	end(&p);
}

static void
another_node_takes_over(void **state)
{
	static struct play p;
	uint64_t place;
	int first, record;

	(void)state;
	begin(&p);
	record = ask_one(&p, "good", 60000);
	place = p.records[record].place;
	first = p.handed[2][place] ? 2 : 3;
	assert_true(p.handed[first][place]);
	node_down(&p, first);
	assert_true(p.handed[first == 2 ? 3 : 2][place]);
	end(&p);
}

/* A header alone, its body never mind, would bring the whole record again. */
static void
what_is_sent_again_is_paid_for(void **state)
{
	static struct play p;
	struct ht_lane_stats stats;
	uint64_t place;
	int record;

	(void)state;
	begin(&p);
	record = ask_one(&p, "good", 60000);
	place = p.records[record].place;
	assert_int_equal(p.delivered, 1);
	for (int i = 0; i < 200; i++)
		send_bundle(&p, 0, &record, 1);
	assert_in_range(p.delivered, 2, 2 + AGAIN_BYTES / 250);
	assert_int_equal(p.delivered - 1 + p.busy, 200);
	ht_lane_stats(p.lane, &stats);
	assert_int_equal(stats.duplicates, 200);
	/* BUSY was no answer: it has the one it had. */
	p.now_ms += 1000;
	p.delivered = 0;
	send_bundle(&p, 0, &record, 1);
	assert_int_equal(p.delivered, 1);
	assert_int_equal(p.records[record].place, place);
	end(&p);
}

static void
a_node_that_keeps_coming_back_waits(void **state)
{
	static struct play p;
	size_t done = 0;
	int record;

	(void)state;
	begin(&p);
	node_down(&p, 3);
	record = ask_one(&p, "good", 60000);
	for (int i = 0; i < 200; i++)
		node_up(&p, 2);
	assert_in_range(p.delivered, 2, 2 + AGAIN_BYTES / 250);
	assert_false(p.handed[2][p.records[record].place]);
	/* And yet nothing is lost. */
	p.now_ms += 1000;
	tick(&p, &done);
	let_out(&p);
	assert_true(p.handed[2][p.records[record].place]);
	end(&p);
}

static void
a_refused_bundle_leaves_its_hash_alone(void **state)
{
	static struct play p;
	struct ht_parcel *parcel;
	size_t n;
	const struct ht_act *acts;

	(void)state;
	begin(&p);
	parcel = parcel_of(&p, 0, NULL, 0);
	parcel->refused = HT_ST_BAD_SIGNATURE;
	assert_ok(ht_lane_parcel(p.lane, NULL, parcel, p.now_ms));
	acts = ht_lane_acts(p.lane, &n);
	assert_int_equal(n, 2);
	assert_int_equal(acts[0].type, HT_ACT_APPEND);
	assert_int_equal(acts[0].entry, HT_ENTRY_REJECT);
	assert_null(acts[0].parcel);
	assert_string_equal(acts[0].member, "tax.t/asker");
	assert_string_equal(acts[0].node, "main");
	assert_int_equal(acts[0].len, 5);
	assert_int_equal(acts[1].type, HT_ACT_REFUSE);
	assert_int_equal(acts[1].status, HT_ST_BAD_SIGNATURE);
	ht_lane_clear(p.lane);
	ht_parcel_free(&parcel);
	end(&p);
}

static void
limits_say_busy_and_claim_nothing(void **state)
{
	static struct play p;
	struct ht_lane_conf conf = lane_conf();
	int first, second;

	(void)state;
	begin(&p);
	ht_lane_free(&p.lane);
	conf.open_member_max = 1;
	assert_ok(ht_lane_new(&conf, p.now_ms, 0, &p.lane));
	node_up(&p, 0);
	first = ask_one(&p, "good", 2000);
	second = ask_one(&p, "good", 60000);
	assert_int_equal(p.records[first].status, HT_ST_OK);
	assert_false(p.records[second].known);
	p.now_ms += 3000; /* the first one's life is over */
	send_bundle(&p, 0, &second, 1);
	assert_true(p.records[second].known);
	assert_int_equal(p.records[second].status, HT_ST_OK);
	end(&p);
}

/* The rest of what a provider may have open is for others. */
static void
no_asker_fills_a_provider(void **state)
{
	static struct play p;
	struct ht_lane_conf conf = lane_conf();
	struct record *r;
	int record = 0;

	(void)state;
	begin(&p);
	ht_lane_free(&p.lane);
	conf.open_member_max = 16;
	assert_ok(ht_lane_new(&conf, p.now_ms, 0, &p.lane));
	node_up(&p, 0);
	for (int i = 0; i < 20; i++)
		record = ask_one(&p, "good", 60000);
	assert_int_equal(p.busy, 18);
	assert_false(p.records[record].known);
	r = new_record(&p, 4);
	record = p.n_records - 1;
	r->h.purpose = ht_slice_str("good");
	r->h.recipient = ht_slice_str("reg.t/asked");
	encode(r);
	send_bundle(&p, 4, &record, 1);
	assert_true(r->known);
	assert_int_equal(r->status, HT_ST_OK);
	end(&p);
}

/* Yesterday's is not of today; an answer is no use. */
static void
a_days_use_is_counted_without_its_records(void **state)
{
	static const struct {
		unsigned type;
		uint64_t ago_ms;
	} of[] = {
	    {HT_ENTRY_REQUEST,  UINT64_C(86400000)},
	    {HT_ENTRY_REQUEST,  2000              },
	    {HT_ENTRY_RESPONSE, 2000              },
	    {HT_ENTRY_REQUEST,  1000              },
	};
	static struct play p;
	struct ht_lane_stats stats;

	(void)state;
	begin(&p);
	for (size_t i = 0; i < HT_COUNT(of); i++) {
		struct ht_entry e = {
		    .type = of[i].type,
		    .time_us = (p.now_ms - of[i].ago_ms) * 1000,
		    .grant = ht_slice_str("c/1"),
		};

		assert_ok(ht_lane_replay_use(p.lane, &e));
	}
	ht_lane_stats(p.lane, &stats);
	assert_int_equal(stats.ids, 0);
	(void)ask_one(&p, "good", 60000);
	assert_int_equal(used, 2);
	crash(&p);
	node_up(&p, 0);
	(void)ask_one(&p, "good", 60000);
	assert_int_equal(used, 1); /* the log has that one alone */
	end(&p);
}

/* The exchange's day turns where its zone says, not at midnight UTC. */
static void
a_day_is_one_of_the_exchange(void **state)
{
	static const uint64_t day_ms = 86400000, hour_ms = 3600000;
	static struct play p;
	uint64_t midnight;

	(void)state;
	begin(&p);
	midnight = (p.now_ms / day_ms + 1) * day_ms;
	ht_lane_zone(p.lane, 8 * (int64_t)hour_ms);
	p.now_ms = midnight - 8 * hour_ms - 1; /* 23:59:59.999 at +08:00 */
	node_up(&p, 0);
	(void)ask_one(&p, "good", 60000);
	(void)ask_one(&p, "good", 60000);
	assert_int_equal(used, 1);
	assert_int_equal(used_minute, 1);
	p.now_ms++;
	(void)ask_one(&p, "good", 60000);
	assert_int_equal(used, 0);
	assert_int_equal(used_minute, 0);
	/* What is refused uses nothing. */
	(void)ask_one(&p, "bad", 60000);
	p.now_ms += 60000;
	(void)ask_one(&p, "good", 60000);
	assert_int_equal(used, 1);
	assert_int_equal(used_minute, 0);
	p.now_ms = midnight; /* in Greenwich */
	(void)ask_one(&p, "good", 60000);
	assert_int_equal(used, 2);
	end(&p);
}

/* Whoever takes an old id of its own again has a request like any other. */
static void
an_id_of_the_past_is_free_after_a_restart_too(void **state)
{
	static struct play p;
	struct record *r;
	size_t done = 0;
	int first, second;

	(void)state;
	begin(&p);
	first = ask_one(&p, "good", 1000);
	p.now_ms += 1000 + HT_SKEW_MS;
	tick(&p, &done); /* it ends, and is forgotten */
	let_out(&p);
	r = new_record(&p, 0);
	second = p.n_records - 1;
	r->h.record = p.records[first].h.record;
	r->h.purpose = ht_slice_str("good");
	r->h.recipient = ht_slice_str("reg.t/asked");
	r->h.expires_ms = p.now_ms + 1000;
	encode(r);
	send_bundle(&p, 0, &second, 1);
	assert_int_equal(p.records[second].status, HT_ST_OK);
	crash(&p);
	node_up(&p, 2);
	assert_true(p.handed[2][p.records[second].place]);
	all_has_ended(&p);
	end(&p);
}

/* A header with somebody else's name is its sender's, after a restart too. */
static void
a_borrowed_name_takes_no_id_of_its_owner(void **state)
{
	static struct play p;
	struct ht_parcel *parcel;
	struct record *r;
	size_t done = 0;
	int record;

	(void)state;
	begin(&p);
	(void)ask_one(&p, "good", 60000); /* an entry before it */
	r = new_record(&p, 4);
	record = p.n_records - 1;
	r->h.sender = ht_slice_str("tax.t/asker");
	encode(r);
	for (int i = 0; i < 2; i++) {
		parcel = parcel_of(&p, 4, &record, 1);
		parcel->faults[0] = (struct ht_fault){HT_ST_NOT_SENDER, ""};
		assert_ok(ht_lane_parcel(p.lane, NULL, parcel, p.now_ms));
		carry_out(&p, &record, &done);
		let_out_of(&p, &record); /* the same answer, or it fails */
		ht_parcel_free(&parcel);
		done = 0;
		assert_int_equal(p.n_entries, 2);
		if (i == 0)
			crash(&p);
		node_up(&p, 4);
	}
	assert_int_equal(r->status, HT_ST_NOT_SENDER);
	end(&p);
}

static int
say_seed(void **state)
{
	(void)state;
	if (playing > 0 && playing <= HISTORIES)
		print_message(
		    "# history with seed %llu\n", (unsigned long long)playing);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(histories_keep_the_rules, say_seed),
	    cmocka_unit_test(refusals_beyond_the_budget_are_counted),
	    cmocka_unit_test(nothing_is_admitted_while_paused),
	    cmocka_unit_test(a_full_disk_lets_answers_through),
	    cmocka_unit_test(a_member_long_away_is_offline),
	    cmocka_unit_test(askers_take_turns),
	    cmocka_unit_test(another_node_takes_over),
	    cmocka_unit_test(what_is_sent_again_is_paid_for),
	    cmocka_unit_test(a_node_that_keeps_coming_back_waits),
	    cmocka_unit_test(a_refused_bundle_leaves_its_hash_alone),
	    cmocka_unit_test(limits_say_busy_and_claim_nothing),
	    cmocka_unit_test(no_asker_fills_a_provider),
	    cmocka_unit_test(a_days_use_is_counted_without_its_records),
	    cmocka_unit_test(a_day_is_one_of_the_exchange),
	    cmocka_unit_test(an_id_of_the_past_is_free_after_a_restart_too),
	    cmocka_unit_test(a_borrowed_name_takes_no_id_of_its_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
