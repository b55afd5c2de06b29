/*
 * policy.c -- the one decision.  Each rule is a function that adds reasons;
 * none of them can allow, so that their order and number never matter: a
 * record is allowed when all of them looked and none had anything to say.
 */
#include "schemas/policy.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "schemas/rows.h"

/* What is asked, as the rules on item and grant look at it. */
struct ask {
	struct ht_slice consumer;
	struct ht_slice item;
	uint32_t version;
	unsigned operation;
	struct ht_slice purpose;
	struct ht_slice basis;
};

static struct ask
ask_of(const struct ht_header *h)
{
	return (struct ask){
	    .consumer = h->sender,
	    .item = h->item,
	    .version = h->item_version,
	    .operation = h->operation,
	    .purpose = h->purpose,
	    .basis = h->basis,
	};
}

#define SHOW(slice) (int)(slice).len, (const char *)(slice).at

static bool
among(const char (*codes)[HT_PURPOSE_MAX + 1], unsigned n, struct ht_slice code)
{
	for (unsigned i = 0; i < n; i++)
		if (ht_slice_is(code, codes[i]))
			return true;
	return false;
}

/* Bits of ours only: a shift by what a peer wrote would be undefined. */
static bool
offers(unsigned operations, unsigned operation)
{
	return operation >= HT_OP_QUERY && operation <= HT_OP_TRANSFER &&
	       (operations & HT_OPS(operation)) != 0;
}

/* ---- members and keys ---- */

static const struct ht_member *
check_member(const struct ht_trust *trust, struct ht_slice name,
    struct ht_reasons *reasons)
{
	const struct ht_member *member = ht_trust_member(trust, name);

	if (member == NULL)
		ht_reasons_add(reasons, HT_ST_UNKNOWN_MEMBER,
		    "%.*s is not in snapshot %llu", SHOW(name),
		    (unsigned long long)ht_trust_version(trust));
	else if (member->suspended)
		ht_reasons_add(reasons, HT_ST_MEMBER_SUSPENDED,
		    "%s is suspended by the current note", member->name);
	return member;
}

static void
check_seal_key(const struct ht_member *recipient, const struct ht_keyid *id,
    uint64_t now_ms, struct ht_reasons *reasons)
{
	static const char *const why[] = {
	    [HT_KEY_OK] = "",
	    [HT_KEY_EARLY] = "is not valid yet",
	    [HT_KEY_OVER] = "is past its period",
	    [HT_KEY_REVOKED] = "was revoked",
	};
	char hex[2 * HT_KEYID_SIZE + 1];

	if (recipient == NULL)
		return; /* said already */
	if (ht_member_seal_key(recipient, now_ms) == NULL) {
		ht_reasons_add(reasons, HT_ST_SEAL_KEY,
		    "%s has no sealing key in force; it must publish one",
		    recipient->name);
		return;
	}
	ht_hex(hex, id->at, sizeof(id->at));
	for (unsigned i = 0; i < recipient->n_sealing; i++) {
		enum ht_key_state state;

		if (!ht_keyid_eq(&recipient->sealing[i].id, id))
			continue;
		state = ht_keyinfo_state(&recipient->sealing[i], now_ms);
		if (state != HT_KEY_OK)
			ht_reasons_add(reasons, HT_ST_SEAL_KEY,
			    "sealing key %s of %s %s", hex, recipient->name,
			    why[state]);
		return;
	}
	ht_reasons_add(reasons, HT_ST_SEAL_KEY,
	    "%s has no sealing key %s in the directory", recipient->name, hex);
}

/* ---- who signs ---- */

static const struct ht_keyinfo *
find_signing(const struct ht_node_entry *node, const struct ht_keyid *id)
{
	for (unsigned i = 0; i < node->n_signing; i++)
		if (ht_keyid_eq(&node->signing[i].id, id))
			return &node->signing[i];
	return NULL;
}

unsigned
ht_key_status(const struct ht_keyinfo *key, uint64_t now_ms)
{
	switch (ht_keyinfo_state(key, now_ms)) {
	case HT_KEY_OK:
		return HT_ST_OK;
	case HT_KEY_REVOKED:
		return HT_ST_KEY_REVOKED;
	case HT_KEY_EARLY:
	case HT_KEY_OVER:
		break;
	}
	return HT_ST_KEY_EXPIRED;
}

unsigned
ht_signer_check(const struct ht_trust *trust, struct ht_slice member_name,
    struct ht_slice node_name, const struct ht_keyid *id, uint64_t now_ms,
    const struct ht_pub **ret_pub)
{
	const struct ht_member *member = ht_trust_member(trust, member_name);
	const struct ht_node_entry *node;
	const struct ht_keyinfo *key;
	unsigned status;

	if (member == NULL)
		return HT_ST_UNKNOWN_MEMBER;
	if (member->suspended)
		return HT_ST_MEMBER_SUSPENDED;
	node = ht_member_node(member, node_name);
	key = node == NULL ? NULL : find_signing(node, id);
	if (key == NULL)
		return HT_ST_KEY_UNKNOWN;
	status = ht_key_status(key, now_ms);
	if (status == HT_ST_OK)
		*ret_pub = &key->pub;
	return status;
}

/* ---- item and grant ---- */

/* An old version is served beside the new one until its day has come. */
static void
check_served(const struct ht_item *item, const struct ht_item *newest,
    uint64_t now_ms, struct ht_reasons *reasons)
{
	char when[HT_TIME_SIZE];

	if (item->until_ms == 0 || now_ms < item->until_ms)
		return;
	ht_time_text(when, item->until_ms * 1000);
	if (newest->version > item->version)
		ht_reasons_add(reasons, HT_ST_ITEM_VERSION,
		    "%s version %u was served until %s; the newest is %u",
		    item->name, item->version, when, newest->version);
	else
		ht_reasons_add(reasons, HT_ST_ITEM_VERSION,
		    "%s version %u was served until %s, and nothing replaces "
		    "it",
		    item->name, item->version, when);
}

static const struct ht_item *
check_item(const struct ht_trust *trust, const struct ask *ask, uint64_t now_ms,
    struct ht_reasons *reasons)
{
	const struct ht_item *item =
	    ht_trust_item(trust, ask->item, ask->version);
	const struct ht_item *newest = ht_trust_item_newest(trust, ask->item);

	if (item == NULL) {
		if (newest == NULL)
			ht_reasons_add(
			    reasons, HT_ST_NO_ITEM, "%.*s", SHOW(ask->item));
		else
			ht_reasons_add(reasons, HT_ST_ITEM_VERSION,
			    "%s has no version %u; the newest is %u",
			    newest->name, ask->version, newest->version);
		return NULL;
	}
	check_served(item, newest, now_ms, reasons);
	if (!offers(item->operations, ask->operation))
		ht_reasons_add(reasons, HT_ST_OPERATION, "%s does not offer %s",
		    item->name, ht_operation_text(ask->operation));
	return item;
}

static void
check_whose(const struct ht_grant *grant, const struct ask *ask,
    struct ht_reasons *reasons)
{
	if (!ht_slice_is(ask->consumer, grant->consumer))
		ht_reasons_add(reasons, HT_ST_GRANT_OTHER,
		    "%s is made out to %s, not %.*s", grant->name,
		    grant->consumer, SHOW(ask->consumer));
	if (!ht_slice_is(ask->item, grant->item))
		ht_reasons_add(reasons, HT_ST_GRANT_OTHER,
		    "%s is for %s, not %.*s", grant->name, grant->item,
		    SHOW(ask->item));
	else if (grant->version != ask->version)
		ht_reasons_add(reasons, HT_ST_GRANT_OTHER,
		    "%s is for version %u of %s, not %u", grant->name,
		    grant->version, grant->item, ask->version);
}

static void
check_in_force(
    const struct ht_grant *grant, uint64_t now_ms, struct ht_reasons *reasons)
{
	char when[HT_TIME_SIZE];

	if (grant->state != HT_GRANT_ACTIVE)
		ht_reasons_add(reasons, HT_ST_GRANT_STATE, "%s is %s",
		    grant->name,
		    grant->state == HT_GRANT_SUSPENDED ? "suspended"
		                                       : "terminated");
	else if (grant->suspended)
		ht_reasons_add(reasons, HT_ST_GRANT_STATE,
		    "%s is suspended by the current note", grant->name);
	if (now_ms < grant->from_ms) {
		ht_time_text(when, grant->from_ms * 1000);
		ht_reasons_add(reasons, HT_ST_GRANT_PERIOD, "%s begins %s",
		    grant->name, when);
	} else if (now_ms >= grant->until_ms) {
		ht_time_text(when, grant->until_ms * 1000);
		ht_reasons_add(reasons, HT_ST_GRANT_PERIOD, "%s ended %s",
		    grant->name, when);
	}
}

/* What one could have said instead, as far as a reason has room. */
static void
check_purpose(const struct ht_grant *grant, struct ht_slice purpose,
    struct ht_reasons *reasons)
{
	uint8_t room[160];
	struct ht_buf allowed = HT_BUF_ON(room);
	int len =
	    purpose.len < HT_PURPOSE_MAX ? (int)purpose.len : HT_PURPOSE_MAX;

	if (among((const char(*)[HT_PURPOSE_MAX + 1]) grant->purposes,
	        grant->n_purposes, purpose))
		return;
	for (unsigned i = 0; i < grant->n_purposes; i++)
		ht_buf_fmt(
		    &allowed, "%s%s", i > 0 ? ", " : "", grant->purposes[i]);
	if (purpose.len == 0)
		ht_reasons_add(reasons, HT_ST_PURPOSE,
		    "say what for: %s allows %.*s", grant->name,
		    SHOW(ht_buf_slice(&allowed)));
	else
		ht_reasons_add(reasons, HT_ST_PURPOSE,
		    "%s does not allow the purpose %.*s; it allows %.*s",
		    grant->name, len, (const char *)purpose.at,
		    SHOW(ht_buf_slice(&allowed)));
}

static void
check_use(const struct ht_grant *grant, const struct ask *ask,
    struct ht_reasons *reasons)
{
	if (!offers(grant->operations, ask->operation))
		ht_reasons_add(reasons, HT_ST_GRANT_OPERATION,
		    "%s does not allow %s", grant->name,
		    ht_operation_text(ask->operation));
	check_purpose(grant, ask->purpose, reasons);
	if (!ht_slice_is(ask->basis, grant->basis))
		ht_reasons_add(reasons, HT_ST_BASIS,
		    "%s rests on %s, not on %.*s", grant->name, grant->basis,
		    SHOW(ask->basis));
}

static void
check_grant(const struct ht_grant *grant, const struct ask *ask,
    uint64_t now_ms, struct ht_reasons *reasons)
{
	check_whose(grant, ask, reasons);
	check_in_force(grant, now_ms, reasons);
	check_use(grant, ask, reasons);
}

/* A policy that nobody freshened any more cannot say who was suspended. */
static void
check_fresh(const struct ht_trust *trust, const struct ht_item *item,
    uint64_t now_ms, struct ht_reasons *reasons)
{
	uint64_t until_ms = ht_trust_until_ms(trust);
	char when[HT_TIME_SIZE];

	if (item == NULL || now_ms < until_ms ||
	    now_ms - until_ms < item->grace_ms)
		return;
	ht_time_text(when, until_ms * 1000);
	ht_reasons_add(reasons, HT_ST_POLICY_STALE,
	    "the current note ran out %s, and %s works on for %llu s at most",
	    when, item->name, (unsigned long long)(item->grace_ms / 1000));
}

/*
 * What must hold for a request at its time, and still hold when its answer
 * comes back with data in it.
 */
static void
check_rights(const struct ht_trust *trust, const struct ht_header *request,
    uint64_t now_ms, struct ht_verdict *v)
{
	struct ask ask = ask_of(request);

	v->item = check_item(trust, &ask, now_ms, &v->reasons);
	v->grant = ht_trust_grant(trust, request->grant);
	if (v->item != NULL &&
	    !ht_slice_is(request->recipient, v->item->provider))
		ht_reasons_add(&v->reasons, HT_ST_NOT_PROVIDER,
		    "%s is provided by %s, not by %.*s", v->item->name,
		    v->item->provider, SHOW(request->recipient));
	if (v->grant == NULL)
		ht_reasons_add(&v->reasons, HT_ST_NO_GRANT,
		    "%.*s is not in snapshot %llu", SHOW(request->grant),
		    (unsigned long long)ht_trust_version(trust));
	else
		check_grant(v->grant, &ask, now_ms, &v->reasons);
	check_fresh(trust, v->item, now_ms, &v->reasons);
}

/* ---- tags ---- */

static bool
within(const struct ht_epoch_entry *epoch, uint64_t at_ms)
{
	return at_ms >= epoch->from_ms && at_ms < epoch->until_ms;
}

/* A record made in the last second of an epoch is of that epoch. */
static void
check_request_tag(const struct ht_trust *trust, const struct ht_item *item,
    const struct ht_header *request, const struct ht_tag *tag, uint64_t now_ms,
    struct ht_reasons *reasons)
{
	const struct ht_epoch_entry *epoch;

	if (item == NULL)
		return;
	if (!item->has_subject) {
		/* Nobody could check it, and it would enter the index. */
		if (tag != NULL)
			ht_reasons_add(reasons, HT_ST_TAG_FALSE,
			    "%s has no subject, so it takes no tag",
			    item->name);
		return;
	}
	if (tag == NULL) {
		ht_reasons_add(reasons, HT_ST_TAG_MISSING, "%s is about a %s",
		    item->name, item->subject_registry);
		return;
	}
	epoch = ht_trust_epoch_named(trust, tag->epoch);
	if (epoch == NULL && tag->epoch.len == 0)
		ht_reasons_add(reasons, HT_ST_TAG_EPOCH,
		    "no epoch of the catalog is in force; the auditors make "
		    "one: hutong epoch new");
	else if (epoch == NULL)
		ht_reasons_add(reasons, HT_ST_TAG_EPOCH,
		    "there is no epoch %.*s", SHOW(tag->epoch));
	else if (!within(epoch, now_ms) && !within(epoch, request->created_ms))
		ht_reasons_add(reasons, HT_ST_TAG_EPOCH,
		    "epoch %s is over, or has not begun", epoch->name);
}

static void
check_response_tag(const struct ht_item *item, const struct ht_tag *request,
    const struct ht_tag *response, struct ht_reasons *reasons)
{
	if (item == NULL || !item->has_subject)
		return;
	if (response == NULL || request == NULL) {
		ht_reasons_add(reasons, HT_ST_TAG_MISSING,
		    "%s is about a %s: the answer needs a tag, too", item->name,
		    item->subject_registry);
		return;
	}
	/* Pseudonyms of two epochs cannot be compared. */
	if (!ht_slice_eq(request->epoch, response->epoch))
		ht_reasons_add(reasons, HT_ST_TAG_EPOCH,
		    "the answer's tag is of %.*s, the request's of %.*s",
		    SHOW(response->epoch), SHOW(request->epoch));
	else if (!ht_tag_covers(response, request))
		ht_reasons_add(reasons, HT_ST_TAG_SUBJECT,
		    "a subject of the request is missing in the answer's tag");
}

/* ---- how much ---- */

#define DAY_MS UINT64_C(86400000)

uint64_t
ht_day(int64_t zone_ms, uint64_t ms)
{
	if (zone_ms < 0 && ms < (uint64_t)-zone_ms)
		return 0;
	return (ms + (uint64_t)zone_ms) / DAY_MS;
}

uint64_t
ht_day_ms(int64_t zone_ms, uint64_t day)
{
	uint64_t ms = day * DAY_MS;

	if (zone_ms > 0 && ms < (uint64_t)zone_ms)
		return 0;
	return ms - (uint64_t)zone_ms;
}

static void
check_quota(const struct ht_trust *trust, const struct ht_grant *grant,
    const struct ht_usage *usage, uint64_t now_ms, struct ht_reasons *reasons)
{
	int64_t zone_ms = ht_trust_root(trust)->zone_ms;
	char when[HT_TIME_SIZE];

	if (grant->quota_day != 0 && usage->day_count >= grant->quota_day) {
		ht_time_text(when,
		    ht_day_ms(zone_ms, ht_day(zone_ms, now_ms) + 1) * 1000);
		ht_reasons_add(reasons, HT_ST_QUOTA,
		    "%s allows %llu a day; the next day begins %s", grant->name,
		    (unsigned long long)grant->quota_day, when);
	}
	if (grant->quota_minute != 0 &&
	    usage->minute_count >= grant->quota_minute)
		ht_reasons_add(reasons, HT_ST_RATE, "%s allows %llu a minute",
		    grant->name, (unsigned long long)grant->quota_minute);
}

/* ---- the decision on a request ---- */

static void
settle(struct ht_verdict *v)
{
	v->allow = v->reasons.n == 0;
}

void
ht_decide_request(const struct ht_trust *trust, const struct ht_header *header,
    const struct ht_tag *tag, const struct ht_usage *usage, uint64_t now_ms,
    struct ht_verdict *ret)
{
	const struct ht_member *recipient;

	memset(ret, 0, sizeof(*ret));
	if (header->kind != HT_KIND_REQUEST)
		ht_reasons_add(&ret->reasons, HT_ST_MALFORMED,
		    "the record is a %s, not a request",
		    ht_kind_text(header->kind));
	(void)check_member(trust, header->sender, &ret->reasons);
	recipient = check_member(trust, header->recipient, &ret->reasons);
	check_rights(trust, header, now_ms, ret);
	check_seal_key(recipient, &header->seal_key, now_ms, &ret->reasons);
	check_request_tag(trust, ret->item, header, tag, now_ms, &ret->reasons);
	if (ret->grant != NULL && usage != NULL)
		check_quota(trust, ret->grant, usage, now_ms, &ret->reasons);
	settle(ret);
}

/* ---- the decision on a response ---- */

static void
check_same(bool same, const char *what, struct ht_reasons *reasons)
{
	if (!same)
		ht_reasons_add(reasons, HT_ST_NO_REQUEST,
		    "the answer's %s is not what its request says", what);
}

static void
check_answers(const struct ht_header *request, const struct ht_header *response,
    struct ht_reasons *reasons)
{
	const struct ht_header *q = request, *a = response;

	if (a->kind != HT_KIND_RESPONSE)
		ht_reasons_add(reasons, HT_ST_MALFORMED,
		    "the record is a %s, not a response",
		    ht_kind_text(a->kind));
	check_same(ht_slice_eq(q->recipient, a->sender), "sender", reasons);
	check_same(ht_slice_eq(q->sender, a->recipient), "recipient", reasons);
	check_same(ht_id_eq(&q->exchange, &a->exchange), "exchange", reasons);
	check_same(ht_slice_eq(q->item, a->item), "item", reasons);
	check_same(q->item_version == a->item_version, "version", reasons);
	check_same(q->operation == a->operation, "operation", reasons);
	check_same(ht_slice_eq(q->purpose, a->purpose), "purpose", reasons);
	check_same(ht_slice_eq(q->basis, a->basis), "basis", reasons);
	check_same(ht_slice_eq(q->grant, a->grant), "grant", reasons);
}

static void
check_released(const struct ht_verdict *v, const struct ht_header *response,
    struct ht_reasons *reasons)
{
	size_t bits = response->released.len * 8;
	size_t n_fields;

	if (response->status != HT_ANSWER_ANSWERED) {
		if (bits > 0)
			ht_reasons_add(reasons, HT_ST_RELEASED,
			    "nothing is released by an answer that %s",
			    ht_answer_text(response->status));
		return;
	}
	if (v->item == NULL || v->grant == NULL)
		return;
	n_fields = ht_schema_fields(v->item->record);
	for (size_t i = 0; i < bits; i++) {
		if (!ht_released_get(response->released, i))
			continue;
		if (i >= n_fields)
			ht_reasons_add(reasons, HT_ST_RELEASED,
			    "%s has no field number %zu", v->item->name, i);
		else if (!ht_grant_field(v->grant, i))
			ht_reasons_add(reasons, HT_ST_RELEASED,
			    "%s does not cover the field %s", v->grant->name,
			    ht_schema_field(v->item->record, i));
	}
}

/*
 * An answer with data must be allowed now: a grant that ended while the
 * provider worked has ended.  One that only says no may always come back.
 */
void
ht_decide_response(const struct ht_trust *trust,
    const struct ht_header *request, const struct ht_tag *request_tag,
    const struct ht_header *response, const struct ht_tag *response_tag,
    uint64_t now_ms, struct ht_verdict *ret)
{
	const struct ht_member *recipient;

	memset(ret, 0, sizeof(*ret));
	check_answers(request, response, &ret->reasons);
	(void)check_member(trust, response->sender, &ret->reasons);
	recipient = check_member(trust, response->recipient, &ret->reasons);
	check_seal_key(recipient, &response->seal_key, now_ms, &ret->reasons);
	if (response->status == HT_ANSWER_ANSWERED) {
		check_rights(trust, request, now_ms, ret);
		check_response_tag(
		    ret->item, request_tag, response_tag, &ret->reasons);
	} else {
		ret->item =
		    ht_trust_item(trust, request->item, request->item_version);
		ret->grant = ht_trust_grant(trust, request->grant);
	}
	check_released(ret, response, &ret->reasons);
	settle(ret);
}

/* ---- what the header cannot show ---- */

static void
check_asked_field(const struct ht_item *item, const struct ht_grant *grant,
    const char *name, struct ht_reasons *reasons)
{
	int i = ht_schema_field_index(item->record, name);

	if (i < 0)
		ht_reasons_add(reasons, HT_ST_FIELDS, "%s has no field %s",
		    item->name, name);
	else if (!ht_grant_field(grant, (size_t)i))
		ht_reasons_add(reasons, HT_ST_FIELDS,
		    "%s does not cover the field %s", grant->name, name);
}

static void
check_fields(const struct ht_item *item, const struct ht_grant *grant,
    const json_t *fields, struct ht_reasons *reasons)
{
	const json_t *name;
	size_t i;

	if (fields == NULL || json_is_null(fields))
		return;
	if (!json_is_array(fields)) {
		ht_reasons_add(reasons, HT_ST_REQUEST_INVALID,
		    "/fields: a list of names is expected");
		return;
	}
	json_array_foreach(fields, i, name)
	{
		if (json_is_string(name))
			check_asked_field(
			    item, grant, json_string_value(name), reasons);
		else
			ht_reasons_add(reasons, HT_ST_REQUEST_INVALID,
			    "/fields/%zu: a name is expected", i);
	}
}

/* Findings of a schema check, each a reason of its own. */
static void
add_findings(const struct ht_report *report, const char *under,
    struct ht_reasons *reasons)
{
	unsigned n = ht_report_count(report);

	if (n == 0) /* no memory to say why: still a no */
		ht_reasons_add(
		    reasons, HT_ST_REQUEST_INVALID, "%s: not valid", under);
	for (unsigned i = 0; i < n && i < HT_FINDINGS_MAX; i++)
		ht_reasons_add(reasons, HT_ST_REQUEST_INVALID, "%s%s: %s",
		    under, ht_report_where(report, i),
		    ht_report_text(report, i));
}

static void
check_claims(const struct ht_item *item, const struct ht_grant *grant,
    const json_t *claims, struct ht_reasons *reasons)
{
	const json_t *value;
	const char *name;

	if (!json_is_object(claims) || json_object_size(claims) == 0) {
		ht_reasons_add(reasons, HT_ST_REQUEST_INVALID,
		    "/claims: fields with the values claimed are expected");
		return;
	}
	json_object_foreach((json_t *)(uintptr_t)claims, name, value)
	{
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		int i = ht_schema_field_index(item->record, name);

		check_asked_field(item, grant, name, reasons);
		if (i >= 0 && !ht_schema_check_field(
		                  item->record, (size_t)i, value, report))
			add_findings(report, "/claims", reasons);
	}
}

static void
check_params(const struct ht_item *item, const struct ht_grant *grant,
    const json_t *params, struct ht_reasons *reasons)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();

	if (!json_is_object(params)) {
		ht_reasons_add(reasons, HT_ST_REQUEST_INVALID,
		    "/params: names with values are expected");
		return;
	}
	if (!ht_schema_check(item->request, params, report, NULL))
		add_findings(report, "/params", reasons);
	/* Asking outright for other rows; what comes is filtered as well. */
	if (grant->row_field != NULL &&
	    json_object_get(params, grant->row_field) != NULL &&
	    !ht_grant_row(grant, params))
		ht_reasons_add(reasons, HT_ST_ROWS,
		    "%s covers other values of %s", grant->name,
		    grant->row_field);
}

void
ht_decide_content(const struct ht_item *item, const struct ht_grant *grant,
    const struct ht_header *header, const struct ht_request *request,
    struct ht_verdict *ret)
{
	struct ht_reasons *reasons = &ret->reasons;

	if (!ht_slice_is(header->item, request->item))
		ht_reasons_add(reasons, HT_ST_HEADER_BODY,
		    "the header names item %.*s", SHOW(header->item));
	if (header->item_version != request->version)
		ht_reasons_add(reasons, HT_ST_HEADER_BODY,
		    "the header names version %u, the body %u",
		    header->item_version, request->version);
	if (header->operation != request->operation)
		ht_reasons_add(reasons, HT_ST_HEADER_BODY,
		    "the header names %s, the body %s",
		    ht_operation_text(header->operation),
		    ht_operation_text(request->operation));
	check_params(item, grant, request->params, reasons);
	check_fields(item, grant, request->fields, reasons);
	if (request->operation == HT_OP_VERIFY)
		check_claims(item, grant, request->claims, reasons);
	else if (request->claims != NULL && !json_is_null(request->claims))
		ht_reasons_add(reasons, HT_ST_REQUEST_INVALID,
		    "/claims: only verify takes claims");
	ret->allow = ret->allow && reasons->n == 0;
}

/* ---- fields and rows ---- */

bool
ht_grant_row(const struct ht_grant *grant, const json_t *record)
{
	const char *value;

	if (grant->row_field == NULL)
		return true;
	value = json_string_value(json_object_get(record, grant->row_field));
	/* What cannot be placed is not granted. */
	return value != NULL && ht_rows_value(grant, value);
}

bool
ht_grant_field(const struct ht_grant *grant, size_t field)
{
	if (grant->all_fields)
		return true;
	return ht_released_get(
	    HT_SLICE(grant->fields, sizeof(grant->fields)), field);
}
