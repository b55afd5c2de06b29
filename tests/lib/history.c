#include "tests/lib/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/log/erase.h"
#include "broker/log/evidence.h"
#include "broker/log/remove.h"
#include "broker/log/volumes.h"
#include "lib/base/clock.h"
#include "schemas/status.h"

#define BODY_MIN 60

static void
done(enum ht_err err, const char *what)
{
	if (err == HT_OK)
		return;
	fprintf(stderr, "history: %s: %s\n", what, ht_err_text(err));
	abort();
}

/* The log refused something. */
static void
logged(struct ht_history *h, enum ht_err err, const char *what)
{
	if (err != HT_OK && h->failed != NULL)
		h->failed(h->arg, err);
	done(err, what);
}

void
ht_history_init(
    struct ht_history *h, const struct ht_world *world, struct ht_log *log)
{
	*h = (struct ht_history){
	    .world = world, .log = log, .now_us = world->now_ms * 1000};
}

struct ht_pseudonym
ht_history_subject(unsigned subject)
{
	struct ht_pseudonym p;

	memset(p.at, 0x40, sizeof(p.at));
	ht_be32(p.at, subject);
	return p;
}

void
ht_history_annex(uint64_t record, uint8_t out[static HT_HISTORY_ANNEX])
{
	for (size_t i = 0; i < HT_HISTORY_ANNEX; i++)
		out[i] = (uint8_t)(record * 13 + 3 * i);
}

/* ---- entries ---- */

static void
append(struct ht_history *h, struct ht_entry *e)
{
	e->time_us = h->now_us;
	e->snapshot = ht_trust_hash(h->world->trust);
	logged(h, ht_log_append(h->log, e, NULL), "append");
	h->counts[e->type]++;
}

void
ht_history_commit(struct ht_history *h)
{
	struct ht_slice note;

	logged(h, ht_log_commit(h->log, &note), "commit");
	if (h->committed != NULL)
		h->committed(h->arg, note);
}

static void
commit(struct ht_history *h)
{
	if (ht_log_next(h->log) - ht_log_size(h->log) >= h->group)
		ht_history_commit(h);
	h->now_us += 1000000;
}

static void
append_map(struct ht_history *h, struct ht_entry *e, struct ht_buf *payload)
{
	done(payload->err, "payload");
	e->payload = ht_buf_slice(payload);
	append(h, e);
	ht_buf_fini(payload);
}

void
ht_history_start(struct ht_history *h)
{
	struct ht_entry start = {.type = HT_ENTRY_START};
	struct ht_entry snapshot = {.type = HT_ENTRY_SNAPSHOT};
	struct ht_hash hash = ht_trust_hash(h->world->trust);
	struct ht_buf p = HT_BUF(1000);

	ht_pack_map(&p, 3);
	ht_pack_cstr(&p, "host");
	ht_pack_cstr(&p, "lane.demo");
	ht_pack_cstr(&p, "random");
	ht_pack_bin(&p, hash.at, sizeof(hash.at));
	ht_pack_cstr(&p, "version");
	ht_pack_cstr(&p, "1");
	append_map(h, &start, &p);
	p = HT_BUF(1000);
	ht_pack_map(&p, 2);
	ht_pack_cstr(&p, "hash");
	ht_pack_bin(&p, hash.at, sizeof(hash.at));
	ht_pack_cstr(&p, "version");
	ht_pack_uint(&p, ht_trust_version(h->world->trust));
	append_map(h, &snapshot, &p);
	commit(h);
}

void
ht_history_stop(struct ht_history *h)
{
	struct ht_entry e = {.type = HT_ENTRY_STOP};
	struct ht_buf p = HT_BUF(1000);

	ht_pack_map(&p, 1);
	ht_pack_cstr(&p, "reason");
	ht_pack_cstr(&p, "the end of the day");
	append_map(h, &e, &p);
	ht_history_commit(h);
}

void
ht_history_volume(struct ht_history *h)
{
	struct ht_entry e = {.type = HT_ENTRY_VOLUME};
	struct ht_buf p = HT_BUF(100);

	logged(h, ht_log_volume(h->log, &p), "close a volume");
	append_map(h, &e, &p);
	commit(h);
}

void
ht_history_take(struct ht_history *h, uint64_t end)
{
	logged(h, ht_log_keep(h->log, end), "keep a volume");
	commit(h);
}

void
ht_history_keep(struct ht_history *h)
{
	uint64_t end;

	logged(h, ht_volumes_write(h->log, NULL, &end), "write a volume");
	ht_history_take(h, end);
}

void
ht_history_forget(struct ht_history *h)
{
	bool more = true;

	while (more)
		logged(h, ht_log_forget(h->log, &more), "forget rows");
}

void
ht_history_stranger(struct ht_history *h)
{
	struct ht_entry e = {.type = HT_ENTRY_REJECT,
	    .status = HT_ST_BAD_SIGNATURE,
	    .member = ht_slice_str("police.demo/residents"),
	    .node = ht_slice_str("main")};
	struct ht_hash hash = ht_sha256(ht_slice_str("what came"));
	struct ht_buf p = HT_BUF(1000);

	ht_pack_map(&p, 2);
	ht_pack_cstr(&p, "hash");
	ht_pack_bin(&p, hash.at, sizeof(hash.at));
	ht_pack_cstr(&p, "len");
	ht_pack_uint(&p, 9);
	append_map(h, &e, &p);
	commit(h);
}

/* ---- records ---- */

/* What a record was made of. */
struct record {
	struct ht_header h;
	struct ht_buf raw, tag;
	uint8_t body[BODY_MIN + 64];
	uint64_t seq;
};

static void
record_fini(struct record *r)
{
	ht_buf_fini(&r->raw);
	ht_buf_fini(&r->tag);
}

static void
make_tag(struct ht_history *h, struct record *r, unsigned subject)
{
	uint8_t annex[HT_HISTORY_ANNEX];
	struct ht_epoch epoch = ht_world_epoch(h->world);
	struct ht_tag tag = {.epoch = ht_slice_str(epoch.name),
	    .n_subjects = 1,
	    .annex = HT_SLICE(annex, sizeof(annex))};

	ht_history_annex(h->records, annex);
	tag.subjects[0] = subject == 0 && h->known != NULL
	                      ? *h->known
	                      : ht_history_subject(subject);
	ht_be64(tag.salt, h->records);
	r->tag = HT_BUF(HT_TAG_MAX);
	done(ht_tag_encode(&tag, &r->tag), "tag");
	r->h.has_tag = true;
	r->h.tag = ht_tag_hash(ht_buf_slice(&r->tag));
}

/* Ids, times and body follow from the count of records. */
static void
make_record(struct ht_history *h, struct record *r)
{
	struct ht_slice body = HT_SLICE(r->body, 0);
	HT_AUTO(ht_buf_fini) struct ht_buf envelope = HT_BUF(HT_HEADER_MAX);
	uint64_t n = ++h->records;

	body.len = BODY_MIN + n % 64;
	for (size_t i = 0; i < body.len; i++)
		r->body[i] = (uint8_t)(n * 31 + i);
	ht_be64(r->body, n); /* part of no other */
	r->h.version = r->h.suite = 1;
	ht_be64(r->h.record.at, n);
	r->h.item = ht_slice_str("gx.demo/SCZTDJ");
	r->h.item_version = 1;
	r->h.operation = HT_OP_QUERY;
	r->h.purpose = ht_slice_str("tax-registration");
	r->h.basis = ht_slice_str("ZGF-15");
	r->h.grant = ht_slice_str("gx.demo/1");
	r->h.created_ms = h->now_us / 1000;
	r->h.expires_ms = r->h.created_ms + 60000;
	r->h.counter = n;
	r->h.body_len = (uint32_t)body.len;
	r->h.body_hash = ht_blake2b(&body, 1);
	r->raw = HT_BUF(HT_HEADER_MAX);
	done(ht_envelope_encode(&r->h, &envelope), "envelope");
	done(ht_header_encode(&r->h, ht_buf_slice(&envelope), &r->raw),
	    "header");
}

static void
make_request(struct ht_history *h, struct record *r, const char *sender,
    unsigned subject)
{
	*r = (struct record){
	    .h = {.kind = HT_KIND_REQUEST,
	          .sender = ht_slice_str(sender),
	          .node = ht_slice_str("main"),
	          .recipient = ht_slice_str("scjg.demo/registry")}
        };
	ht_be64(r->h.exchange.at, h->now_us);
	ht_be64(r->h.exchange.at + 8, h->records);
	make_tag(h, r, subject);
	make_record(h, r);
}

static void
make_response(struct ht_history *h, struct record *r, const struct record *q)
{
	*r = (struct record){
	    .h = {.kind = HT_KIND_RESPONSE,
	          .sender = q->h.recipient,
	          .node = ht_slice_str("main"),
	          .recipient = q->h.sender,
	          .exchange = q->h.exchange,
	          .has_reply_to = true,
	          .released = HT_SLICE("\x03", 1),
	          .status = HT_ANSWER_ANSWERED}
        };
	r->h.reply_to = ht_header_hash(ht_buf_slice(&q->raw));
	if (h->known != NULL)
		make_tag(h, r, 0);
	make_record(h, r);
}

/* ---- bundles ---- */

static const struct ht_key *
signing_key(const struct ht_history *h, struct ht_slice member)
{
	for (size_t i = 0; i < HT_W_MEMBERS; i++)
		if (ht_slice_is(member, h->world->members[i].name))
			return h->world->members[i].nodes[0].signing;
	done(HT_ENOTFOUND, "signing key");
	return NULL;
}

/*
 * Sign @n records as one bundle, and log the first @kept of them.  @cites: the
 * requests they answer, or NULL.
 */
static void
log_bundle(struct ht_history *h, struct record *records, unsigned n,
    unsigned kept, unsigned type, unsigned status, const struct record *cites)
{
	static struct ht_bundle whole, part;
	uint32_t keep[HT_BUNDLE_MAX];
	uint64_t first = ht_log_next(h->log);

	whole = (struct ht_bundle){.suite = 1,
	    .sender = records[0].h.sender,
	    .node = records[0].h.node,
	    .count = n,
	    .n_records = n};
	for (unsigned i = 0; i < n; i++) {
		whole.records[i].index = keep[i] = i;
		whole.records[i].header = ht_buf_slice(&records[i].raw);
	}
	done(ht_bundle_sign(&whole, signing_key(h, whole.sender)), "sign");
	done(ht_bundle_part(&whole, keep, kept, &part), "part");
	for (unsigned i = 0; i < kept; i++) {
		struct record *r = &records[i];
		struct ht_entry e = {.type = type,
		    .status = status,
		    .grant = r->h.grant,
		    .bundle_seq = first,
		    .bundle_index = (uint16_t)i,
		    .bundle_count = (uint16_t)n,
		    .member = r->h.sender,
		    .node = r->h.node,
		    .cites = cites == NULL ? 0 : cites[i].seq + 1,
		    .payload = ht_buf_slice(&r->raw)};

		if (status == 0)
			logged(h,
			    ht_log_vault(h->log, ht_buf_slice(&r->tag),
			        HT_SLICE(r->body, r->h.body_len), &e),
			    "vault");
		append(h, &e);
		r->seq = e.seq;
	}
	logged(h, ht_log_bundle(h->log, first, &part), "bundle");
}

static void
expire(struct ht_history *h, const struct record *q)
{
	struct ht_entry e = {.type = HT_ENTRY_EXPIRED,
	    .status = HT_ST_EXPIRED,
	    .cites = q->seq + 1};
	struct ht_buf p = HT_BUF(1000);

	ht_pack_map(&p, 2);
	ht_pack_cstr(&p, "record");
	ht_pack_bin(&p, q->h.record.at, HT_ID_SIZE);
	ht_pack_cstr(&p, "sender");
	ht_pack_str(&p, q->h.sender);
	append_map(h, &e, &p);
}

void
ht_history_exchanges(struct ht_history *h, unsigned n, unsigned answered,
    unsigned subject, uint64_t *ret_first)
{
	static struct record requests[HT_BUNDLE_MAX], responses[HT_BUNDLE_MAX];

	for (unsigned i = 0; i <= n; i++)
		make_request(h, &requests[i], "tax.demo/state", subject);
	log_bundle(h, requests, n + 1, n, HT_ENTRY_REQUEST, 0, NULL);
	commit(h);
	h->now_us += h->answer_us;
	if (h->between != NULL)
		h->between(h);
	h->between = NULL;
	for (unsigned at = 0; at < answered;) {
		unsigned some = answered - at < 3 ? answered - at : 3;

		for (unsigned i = 0; i < some; i++)
			make_response(h, &responses[i], &requests[at + i]);
		log_bundle(h, responses, some, some, HT_ENTRY_RESPONSE, 0,
		    requests + at);
		for (unsigned i = 0; i < some; i++)
			record_fini(&responses[i]);
		at += some;
	}
	for (unsigned i = answered; i < n; i++)
		expire(h, &requests[i]);
	commit(h);
	if (ret_first != NULL)
		*ret_first = requests[0].seq;
	for (unsigned i = 0; i <= n; i++)
		record_fini(&requests[i]);
}

void
ht_history_refused(struct ht_history *h, unsigned status)
{
	struct record r;

	make_request(h, &r, "tax.demo/local", 99);
	log_bundle(h, &r, 1, 1, HT_ENTRY_REJECT, status, NULL);
	commit(h);
	record_fini(&r);
}

void
ht_history_refusals(struct ht_history *h, const char *member, uint64_t count)
{
	struct ht_entry e = {.type = HT_ENTRY_REFUSALS};
	struct ht_buf p = HT_BUF(1000);

	ht_pack_map(&p, 3);
	ht_pack_cstr(&p, "count");
	ht_pack_uint(&p, count);
	ht_pack_cstr(&p, "from");
	ht_pack_uint(&p, h->now_us / 1000);
	ht_pack_cstr(&p, "member");
	ht_pack_cstr(&p, member);
	append_map(h, &e, &p);
	commit(h);
}

/* ---- erasing ---- */

/* Signed by two officers. */
static struct ht_doc *
sign_order(const struct ht_world *world, struct ht_buf *text)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf one = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	struct ht_doc *doc = NULL;

	done(ht_note_sign(ht_buf_slice(text), false, "gx.demo/officer-1",
	         world->officers[0], &one),
	    "sign an order");
	done(ht_note_sign(ht_buf_slice(&one), true, "gx.demo/officer-2",
	         world->officers[1], &note),
	    "sign an order");
	done(ht_doc_parse(ht_buf_slice(&note), "order", report, &doc), "order");
	return doc;
}

struct ht_doc *
ht_history_order(
    const struct ht_world *world, unsigned number, uint64_t first, unsigned n)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);

	ht_buf_fmt(&text,
	    "hutong: erase/v1\norder: gx.demo/%u\nlog: gx.demo/log"
	    "\nbasis: PIPL 47\nwhat: tags\nissued: 2026-11-24T00:00:00Z\n"
	    "until: 2026-12-24T00:00:00Z\nentries: [%llu",
	    number, (unsigned long long)first);
	for (unsigned i = 1; i < n; i++)
		ht_buf_fmt(&text, ", %llu", (unsigned long long)first + i);
	ht_buf_fmt(&text, "]\n");
	return sign_order(world, &text);
}

struct ht_doc *
ht_history_order_of(
    const struct ht_world *world, const char *kind, const char *scope)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);

	ht_buf_fmt(&text,
	    "hutong: %s/v1\norder: gx.demo/7\nlog: gx.demo/log\n"
	    "basis: PIPL 47\nissued: 2030-11-24T00:00:00Z\n"
	    "until: 2030-12-24T00:00:00Z\n%s\n",
	    kind, scope);
	return sign_order(world, &text);
}

static const atomic_bool never;

static struct ht_erasure *
plan_of(struct ht_history *h, const struct ht_doc *order)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_erasure *plan = NULL;
	enum ht_err err = ht_erase_plan(h->log, order, NULL,
	    h->world->now_ms + UINT64_C(86400000), &never, report, &plan);

	done(err == HT_ENOTFOUND ? HT_OK : err, "plan an erasure");
	return plan;
}

static uint64_t
carry_out(
    struct ht_history *h, const struct ht_doc *order, struct ht_erasure *plan)
{
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e = {.type = HT_ENTRY_ERASE};

	logged(h, ht_erase_promise(h->log, plan), "promise an erasure");
	done(ht_erase_payload(plan, order, HT_HISTORY_OFFICERS, &payload),
	    "an ERASE entry");
	e.payload = ht_buf_slice(&payload);
	append(h, &e);
	commit(h);
	logged(h, ht_erase_carry_out(h->log, plan, e.seq), "erase");
	return e.seq;
}

uint64_t
ht_history_erase(
    struct ht_history *h, unsigned number, uint64_t first, unsigned n)
{
	HT_AUTO(ht_doc_unref)
	struct ht_doc *order = ht_history_order(h->world, number, first, n);
	HT_AUTO(ht_erasure_free) struct ht_erasure *plan = plan_of(h, order);

	done(plan == NULL ? HT_ENOTFOUND : HT_OK, "plan an erasure");
	return carry_out(h, order, plan);
}

/* ---- removing ---- */

void
ht_history_erase_before(
    struct ht_history *h, const char *what, uint64_t before_us)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *order = NULL;
	HT_AUTO(ht_erasure_free) struct ht_erasure *plan = NULL;
	char time[HT_TIME_SIZE], scope[100];

	ht_time_text(time, before_us);
	(void)snprintf(
	    scope, sizeof(scope), "what: %s\nbefore: %s", what, time);
	order = ht_history_order_of(h->world, "erase", scope);
	plan = plan_of(h, order);
	if (plan != NULL)
		(void)carry_out(h, order, plan);
}

struct ht_doc *
ht_history_removal(const struct ht_world *world, uint64_t first, uint64_t end,
    const char *over)
{
	char scope[200];

	(void)snprintf(scope, sizeof(scope),
	    "first: %llu\nlast: %llu\nretention-over: %s",
	    (unsigned long long)first, (unsigned long long)end - 1, over);
	return ht_history_order_of(world, "remove", scope);
}

static void
append_removed(struct ht_history *h, uint64_t first, uint64_t end)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(HT_LEAF_MAX);
	HT_AUTO(ht_doc_unref)
	struct ht_doc *order =
	    ht_history_removal(h->world, first, end, HT_HISTORY_OVER);
	struct ht_entry e = {.type = HT_ENTRY_REMOVED};

	done(ht_remove_check(
	         h->log, order, h->world->trust, &never, report, &payload),
	    "remove a volume");
	e.payload = ht_buf_slice(&payload);
	append(h, &e);
	commit(h);
}

void
ht_history_erase_oldest(struct ht_history *h)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	struct ht_volume *oldest = ht_volumes_at(&h->log->volumes, 0);
	const struct ht_volume_head *head = ht_volume_head(oldest);
	struct ht_entry e;

	done(ht_log_read(h->log, head->end, &leaf), "read a VOLUME");
	done(ht_entry_decode(ht_buf_slice(&leaf), &e), "decode a VOLUME");
	ht_history_erase_before(h, "tags", e.time_us);
	ht_history_erase_before(h, "bodies", e.time_us);
}

void
ht_history_remove(struct ht_history *h)
{
	struct ht_volume *oldest = ht_volumes_at(&h->log->volumes, 0);
	const struct ht_volume_head *head = ht_volume_head(oldest);

	ht_history_erase_oldest(h);
	append_removed(h, head->first, head->end);
	logged(h, ht_remove_files(h->log), "remove files");
}
