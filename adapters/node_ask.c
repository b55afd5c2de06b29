/*
 * node_ask.c -- the consumer's side: make a request, wait for what ends it,
 * check the answer as if the broker were not to be trusted.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/node.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"

#define SETTLE_MS 2000 /* a blocking ask waits so long for consistency */

void
ht_asked_fini(struct ht_asked *asked)
{
	ht_response_fini(&asked->response);
	if (asked->opening.at != NULL)
		ht_wipe(asked->opening.at, asked->opening.len);
	ht_buf_fini(&asked->opening);
	memset(asked, 0, sizeof(*asked));
}

/* ---- the list of asks ---- */

static void
ask_free(struct node_ask *ask)
{
	ht_buf_fini(&ask->raw);
	ht_buf_fini(&ask->tag_raw);
	ht_trust_unref(&ask->trust);
	free(ask->told);
	free(ask);
}

static void
forget(struct ht_node *node, struct node_ask *ask)
{
	if (ask->prev_p != NULL) {
		*ask->prev_p = ask->next;
		if (ask->next != NULL)
			ask->next->prev_p = ask->prev_p;
		node->n_asks--;
		(void)ht_map_del(
		    node->by_record, HT_SLICE(ask->record.at, HT_ID_SIZE));
		(void)ht_map_del(
		    node->by_hash, HT_SLICE(ask->hash.at, HT_HASH_SIZE));
	}
	ask_free(ask);
}

void
node_ask_fini(struct ht_node *node)
{
	while (node->asks != NULL)
		forget(node, node->asks);
	if (node->by_record != NULL)
		ht_map_free(&node->by_record, NULL);
	if (node->by_hash != NULL)
		ht_map_free(&node->by_hash, NULL);
}

static enum ht_err
remember(struct ht_node *node, struct node_ask *ask)
{
	enum ht_err err;

	err = ht_map_put(
	    node->by_record, HT_SLICE(ask->record.at, HT_ID_SIZE), ask, NULL);
	if (err == HT_OK)
		err = ht_map_put(node->by_hash,
		    HT_SLICE(ask->hash.at, HT_HASH_SIZE), ask, NULL);
	if (err != HT_OK) {
		(void)ht_map_del(
		    node->by_record, HT_SLICE(ask->record.at, HT_ID_SIZE));
		return err;
	}
	ask->next = node->asks;
	ask->prev_p = &node->asks;
	if (ask->next != NULL)
		ask->next->prev_p = &ask->next;
	node->asks = ask;
	node->n_asks++;
	return HT_OK;
}

/* ---- the end of an ask ---- */

static void
finish(struct ht_node *node, struct node_ask *ask, struct ht_asked *asked)
{
	ht_asked_fn *done = ask->done;
	void *arg = ask->arg;

	asked->record = ask->record;
	asked->exchange = ask->exchange;
	if (ask->accepted)
		asked->request_place = ask->place;
	if (asked->status == HT_ST_OK && asked->reasons.n > 0)
		asked->status = asked->reasons.at[0].code;
	if (asked->status != HT_ST_OK && asked->reasons.n == 0)
		ht_reasons_add(&asked->reasons, asked->status, "%s",
		    ht_status_text(asked->status));
	node_told_asked(node, ask, asked);
	forget(node, ask);
	done(arg, asked);
}

static void
refuse_here(struct ht_node *node, struct node_ask *ask,
    const struct ht_reasons *reasons)
{
	struct ht_asked asked = {
	    .reasons = *reasons, .refused_by = HT_WHO_CALLER};

	finish(node, ask, &asked);
}

/* ---- checks before anything leaves ---- */

static void
add_findings(struct ht_reasons *reasons, unsigned code, const char *what,
    const struct ht_report *report)
{
	unsigned n = ht_report_count(report);

	for (unsigned i = 0; i < n && i < HT_FINDINGS_MAX; i++)
		ht_reasons_add(reasons, code, "%s%s: %s", what,
		    ht_report_where(report, i), ht_report_text(report, i));
}

static void
check_names(const struct ht_item *item, const struct ht_ask *ask,
    struct ht_reasons *reasons)
{
	for (size_t i = 0; i < json_array_size(ask->fields); i++) {
		const char *field =
		    json_string_value(json_array_get(ask->fields, i));

		if (field == NULL ||
		    ht_schema_field_index(item->record, field) < 0)
			ht_reasons_add(reasons, HT_ST_FIELDS,
			    "%s has no field '%s'", item->name,
			    field != NULL ? field : "");
	}
}

static void
check_claims(const struct ht_item *item, const json_t *claims,
    struct ht_reasons *reasons)
{
	const char *field;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)claims, field, value)
	{
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		int i = ht_schema_field_index(item->record, field);

		if (i < 0)
			ht_reasons_add(reasons, HT_ST_FIELDS,
			    "%s has no field '%s'", item->name, field);
		else if (!ht_schema_check_field(
		             item->record, (size_t)i, value, report))
			add_findings(
			    reasons, HT_ST_REQUEST_INVALID, "claim ", report);
	}
}

/* Whether or not the item has a subject, and so an annex for them. */
static void
check_texts(const struct ht_ask *ask, struct ht_reasons *reasons)
{
	const struct ht_annex annex = {
	    .officer = ask->officer, .casefile = ask->casefile};
	HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(1024);

	if (!ht_annex_reads(&annex, &why))
		ht_reasons_add(reasons, HT_ST_REQUEST_INVALID, "%s",
		    ht_buf_text(&why) != NULL ? ht_buf_text(&why) : "");
}

static void
check_ask(const struct ht_item *item, const struct ht_ask *ask,
    struct ht_reasons *reasons)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();

	if (!ht_schema_check(item->request, ask->params, report, NULL))
		add_findings(
		    reasons, HT_ST_REQUEST_INVALID, "parameter ", report);
	if (ask->operation == HT_OP_QUERY)
		check_names(item, ask, reasons);
	if (ask->operation == HT_OP_VERIFY) {
		if (json_object_size(ask->claims) == 0)
			ht_reasons_add(reasons, HT_ST_REQUEST_INVALID,
			    "verify needs at least one claim");
		check_claims(item, ask->claims, reasons);
	}
}

/* ---- making the request ---- */

/* What a request is made from. */
struct making {
	struct ht_node *node;
	const struct ht_ask *ask;
	struct node_ask *to;
	struct ht_reasons reasons;
	const struct ht_item *item;   /* NULL: only despite the policy */
	const struct ht_grant *grant; /* likewise */
	const struct ht_member *recipient;
	const struct ht_keyinfo *seal_to;
	json_t *annex;
	uint64_t now_ms;
};

static struct ht_slice
or_empty(const char *text)
{
	return ht_slice_str(text != NULL ? text : "");
}

static struct ht_prospect
prospect_of(const struct making *m)
{
	return (struct ht_prospect){
	    .consumer = ht_slice_str(m->node->member),
	    .item = ht_slice_str(m->ask->item),
	    .version = m->ask->version,
	    .operation = m->ask->operation,
	    .purpose = or_empty(m->ask->purpose),
	    .now_ms = m->now_ms,
	};
}

static void
find_item(struct making *m)
{
	struct ht_slice name = ht_slice_str(m->ask->item);
	struct ht_prospect prospect = prospect_of(m);

	m->item =
	    ht_find_item(m->node->trust, &prospect, or_empty(m->ask->grant));
	if (m->item == NULL)
		ht_reasons_add(&m->reasons,
		    ht_trust_item_newest(m->node->trust, name) != NULL
		        ? HT_ST_ITEM_VERSION
		        : HT_ST_NO_ITEM,
		    "%s in snapshot %llu", m->ask->item,
		    (unsigned long long)ht_trust_version(m->node->trust));
}

static void
find_grant(struct making *m)
{
	struct ht_verdict verdict = {0};
	struct ht_prospect prospect = prospect_of(m);

	if (m->item != NULL)
		prospect.version = m->item->version;
	if (m->ask->grant != NULL)
		m->grant =
		    ht_trust_grant(m->node->trust, ht_slice_str(m->ask->grant));
	else if (m->item != NULL)
		m->grant = ht_find_grant(m->node->trust, &prospect, &verdict);
	if (m->grant == NULL && verdict.reasons.n > 0)
		for (unsigned i = 0; i < verdict.reasons.n; i++)
			ht_reasons_add(&m->reasons, verdict.reasons.at[i].code,
			    "%s", verdict.reasons.at[i].detail);
	else if (m->grant == NULL)
		ht_reasons_add(&m->reasons, HT_ST_NO_GRANT,
		    "%s has no grant %s of %s", m->node->member,
		    m->ask->grant != NULL ? m->ask->grant : "", m->ask->item);
}

/* Without an item there is nobody to address: it goes to ourselves. */
static void
find_recipient(struct making *m)
{
	const char *name = m->item != NULL    ? m->item->provider
	                   : m->grant != NULL ? m->grant->provider
	                                      : m->node->member;

	m->recipient = ht_trust_member(m->node->trust, ht_slice_str(name));
	if (m->recipient != NULL)
		m->seal_to = ht_member_seal_key(m->recipient, m->now_ms);
	if (m->seal_to == NULL)
		ht_reasons_add(&m->reasons, HT_ST_SEAL_KEY,
		    "%s has no sealing key in force", name);
}

/* One purpose is granted: then it is that one. */
static const char *
purpose_of(const struct making *m)
{
	if (m->ask->purpose != NULL)
		return m->ask->purpose;
	if (m->grant != NULL && m->grant->n_purposes == 1)
		return m->grant->purposes[0];
	return NULL;
}

static void
fill_header(struct making *m, struct ht_header *h)
{
	uint64_t life_ms = m->ask->life_ms > 0 ? m->ask->life_ms : NODE_LIFE_MS;
	const char *purpose = purpose_of(m);

	if (life_ms > m->node->life_max_ms)
		life_ms = m->node->life_max_ms;
	h->kind = HT_KIND_REQUEST;
	h->suite = 1;
	h->exchange = m->to->exchange;
	h->sender = ht_slice_str(m->node->member);
	h->node = ht_slice_str(m->node->name);
	h->recipient = m->recipient != NULL ? ht_slice_str(m->recipient->name)
	                                    : ht_slice_str(m->node->member);
	h->item = ht_slice_str(m->ask->item);
	h->item_version = m->item != NULL        ? m->item->version
	                  : m->ask->version != 0 ? m->ask->version
	                                         : 1;
	h->operation = m->ask->operation;
	h->purpose = or_empty(purpose); /* the decision says what is allowed */
	h->basis = ht_slice_str(m->grant != NULL ? m->grant->basis : "none");
	h->grant = ht_slice_str(m->grant != NULL        ? m->grant->name
	                        : m->ask->grant != NULL ? m->ask->grant
	                                                : "none/0");
	h->created_ms = m->now_ms;
	h->expires_ms = m->now_ms + life_ms;
	if (m->seal_to != NULL)
		h->seal_key = m->seal_to->id;
}

/* ---- the tag ---- */

static enum ht_err
make_tag(struct making *m, struct ht_buf *out)
{
	const char *id = json_string_value(
	    json_object_get(m->ask->params, m->item->subject_param));
	struct ht_subject subject = {ht_slice_str(m->item->subject_registry),
	    ht_slice_str(id != NULL ? id : "")};
	HT_AUTO(ht_buf_fini) struct ht_buf named = HT_BUF(1024);
	struct ht_annex annex = {.officer = m->ask->officer,
	    .casefile = m->ask->casefile,
	    .purpose = purpose_of(m)};
	struct ht_epoch epoch;
	enum ht_err err;

	if (!node_epoch(
	        m->node, ht_trust_epoch(m->node->trust, m->now_ms), &epoch)) {
		ht_reasons_add(&m->reasons, HT_ST_TAG_EPOCH,
		    "no epoch of the catalog is in force whose tracker key is "
		    "sealed to %s; the auditors make one: hutong epoch new",
		    m->node->member);
		return HT_OK;
	}
	ht_buf_fmt(
	    &named, "%s:%s", m->item->subject_registry, id != NULL ? id : "");
	annex.subject = ht_buf_text(&named);
	if (annex.subject == NULL)
		return named.err;
	ht_random(annex.entry, sizeof(annex.entry));
	err = ht_tag_make(&epoch, &subject, 1, &annex, out);
	if (err != HT_OK)
		return err;
	m->annex = ht_annex_to_json(&annex);
	return m->annex != NULL ? HT_OK : HT_ENOMEM;
}

static enum ht_err
encode_request(struct making *m, const struct ht_header *h, struct ht_buf *out)
{
	struct ht_request request = {
	    .annex = m->annex,
	    .claims = m->ask->operation == HT_OP_VERIFY
	                  ? (json_t *)(uintptr_t)m->ask->claims
	                  : NULL,
	    .fields = m->ask->operation == HT_OP_QUERY
	                  ? (json_t *)(uintptr_t)m->ask->fields
	                  : NULL,
	    .operation = h->operation,
	    .params = (json_t *)(uintptr_t)m->ask->params,
	    .version = h->item_version,
	};

	if (strlen(m->ask->item) > HT_NAME_MAX)
		return HT_ETOOBIG;
	memcpy(request.item, m->ask->item, strlen(m->ask->item) + 1);
	return ht_request_encode(&request, out);
}

/* Of a subject that is none no tag can be made; that it lacks is no news. */
static bool
tag_of(const struct making *m, struct ht_slice raw, bool no_subject,
    struct ht_tag *ret)
{
	const struct ht_epoch_entry *epoch;

	if (!no_subject)
		return raw.len > 0 && ht_tag_decode(raw, ret, NULL) == HT_OK;
	epoch = ht_trust_epoch(m->node->trust, m->now_ms);
	memset(ret, 0, sizeof(*ret));
	ret->epoch = or_empty(epoch != NULL ? epoch->name : NULL);
	return true;
}

/* Our own decision: what will surely be refused is not sent. */
static void
decide(struct making *m, const struct ht_header *h, struct ht_slice tag_raw,
    bool no_subject)
{
	struct ht_verdict verdict = {0};
	struct ht_tag tag;
	bool has_tag = tag_of(m, tag_raw, no_subject, &tag);

	ht_decide_request(m->node->trust, h, has_tag ? &tag : NULL, NULL,
	    m->now_ms, &verdict);
	for (unsigned i = 0; i < verdict.reasons.n; i++)
		ht_reasons_add(&m->reasons, verdict.reasons.at[i].code, "%s",
		    verdict.reasons.at[i].detail);
}

static enum ht_err
take_record(struct node_ask *ask, const struct node_out *out)
{
	enum ht_err err;

	ask->record = out->record;
	ask->hash = out->hash;
	ht_buf_add(&ask->raw, out->header.at, out->header.len);
	ht_buf_add(&ask->tag_raw, out->tag.at, out->tag.len);
	if (ask->raw.err != HT_OK || ask->tag_raw.err != HT_OK)
		return HT_ENOMEM;
	err =
	    ht_header_decode(ht_buf_slice(&ask->raw), &ask->header, NULL, NULL);
	if (err == HT_OK && ask->tag_raw.len > 0)
		err =
		    ht_tag_decode(ht_buf_slice(&ask->tag_raw), &ask->tag, NULL);
	return err;
}

/* The lookups, and every reason against it. */
static enum ht_err
prepare(struct making *m, struct ht_header *h, struct node_out *out)
{
	bool no_subject = false;
	enum ht_err err = HT_OK;

	find_item(m);
	find_grant(m);
	find_recipient(m);
	check_texts(m->ask, &m->reasons);
	if (m->item != NULL)
		check_ask(m->item, m->ask, &m->reasons);
	fill_header(m, h);
	if (m->item != NULL && m->item->has_subject)
		err = make_tag(m, &out->tag);
	if (err == HT_EINVALID || err == HT_ETOOBIG) {
		/* The schema and the rules say better than that what is wrong.
		 */
		no_subject = true;
		if (m->reasons.n == 0)
			ht_reasons_add(&m->reasons, HT_ST_REQUEST_INVALID,
			    "parameter /%s: no %s that a tag can be made of",
			    m->item->subject_param, m->item->subject_registry);
		err = HT_OK;
	}
	/* Lookups that failed say it better than the decision could. */
	if (err == HT_OK && m->item != NULL && m->grant != NULL &&
	    m->seal_to != NULL)
		decide(m, h, ht_buf_slice(&out->tag), no_subject);
	return err;
}

static enum ht_err
make_request(struct making *m, struct node_out *out, bool *ret_refused)
{
	HT_AUTO(ht_buf_fini) struct ht_buf content = HT_BUF(HT_BODY_MAX);
	struct ht_header h = {0};
	enum ht_err err;

	*ret_refused = false;
	err = prepare(m, &h, out);
	if (err != HT_OK)
		return err;
	node_told_begin(m->node, m->to, &h);
	/* Nothing can be sealed without a key, whatever is asked for. */
	if (m->seal_to == NULL ||
	    (m->reasons.n > 0 && !m->ask->despite_policy)) {
		*ret_refused = true;
		return HT_OK;
	}
	err = encode_request(m, &h, &content);
	if (err == HT_OK)
		err = node_record_make(
		    m->node, &h, m->seal_to, ht_buf_slice(&content), 0, out);
	if (err == HT_OK)
		err = take_record(m->to, out);
	if (err == HT_OK) {
		m->to->end_ms = h.expires_ms + NODE_GRACE_MS;
		node_told_sent(m->to);
	}
	return err;
}

static struct node_ask *
ask_new(struct ht_node *node, ht_asked_fn *done, void *arg)
{
	struct node_ask *ask = calloc(1, sizeof(*ask));

	if (ask == NULL)
		return NULL;
	ask->raw = HT_BUF(HT_HEADER_MAX);
	ask->tag_raw = HT_BUF(HT_TAG_MAX);
	ask->trust = ht_trust_ref(node->trust);
	ask->exchange = ht_id_exchange(ht_clock_wall_ms());
	ask->done = done;
	ask->arg = arg;
	return ask;
}

enum ht_err
ht_node_begin(struct ht_node *node, const struct ht_ask *ask, ht_asked_fn *done,
    void *arg)
{
	HT_AUTO(node_out_free) struct node_out *out = NULL;
	HT_AUTO(ht_json_free) json_t *none = json_object();
	struct ht_ask filled = *ask;
	struct making m = {
	    .node = node, .ask = &filled, .now_ms = ht_clock_wall_ms()};
	enum ht_err err;
	bool refused;

	if (node->trust == NULL || node->n_asks == HT_ASKS_MAX)
		return HT_EAGAIN;
	if (filled.params == NULL)
		filled.params = none;
	m.to = ask_new(node, done, arg);
	out = node_out_new();
	if (m.to == NULL || out == NULL || none == NULL) {
		if (m.to != NULL)
			ask_free(m.to);
		return HT_ENOMEM;
	}
	m.to->keep_opening = ask->keep_opening;
	err = make_request(&m, out, &refused);
	json_decref(m.annex);
	if (err == HT_OK && refused) {
		refuse_here(node, m.to, &m.reasons);
		return HT_OK;
	}
	if (err == HT_OK)
		err = remember(node, m.to);
	if (err != HT_OK) {
		ask_free(m.to);
		return err;
	}
	node_list_add(&node->waiting, HT_TAKE(out));
	return HT_OK;
}

/* ---- what ends it, but an answer ---- */

static struct node_ask *
by_record(struct ht_node *node, const struct ht_id *record)
{
	return ht_map_get(node->by_record, HT_SLICE(record->at, HT_ID_SIZE));
}

void
node_ask_result(
    struct ht_node *node, const struct ht_result *result, bool proven)
{
	struct node_ask *ask = by_record(node, &result->record);
	struct ht_asked asked = {.status = result->status,
	    .reasons = result->reasons,
	    .refused_by = HT_WHO_OPERATOR};

	if (ask == NULL)
		return;
	if (result->status == HT_ST_OK) {
		ask->accepted = true;
		ask->proven = proven;
		ask->place = result->place;
		return;
	}
	asked.request_place = result->place;
	finish(node, ask, &asked);
}

void
node_ended(struct ht_node *node)
{
	const struct ht_message *m = node->in;
	struct node_ask *ask = by_record(node, &m->end.record);
	struct ht_asked asked = {.status = m->end.status,
	    .response_place = m->end.place,
	    .refused_by = HT_WHO_OPERATOR};

	if (m->end.checkpoint.len > 0 &&
	    !node_checkpoint(node, m->end.checkpoint))
		return;
	if (ask == NULL)
		return;
	if (asked.status == HT_ST_OK)
		asked.status = HT_ST_EXPIRED;
	finish(node, ask, &asked);
}

void
node_ask_expire(struct ht_node *node, uint64_t now_ms)
{
	struct node_ask *next;

	for (struct node_ask *ask = node->asks; ask != NULL; ask = next) {
		struct ht_asked asked = {
		    .status = HT_ST_EXPIRED, .refused_by = HT_WHO_NOBODY};

		next = ask->next;
		if (now_ms < ask->end_ms)
			continue;
		ht_reasons_add(&asked.reasons, HT_ST_EXPIRED, "%s",
		    ask->accepted
		        ? "the request was accepted and logged, but no answer "
		          "came in its life"
		        : "the broker never acknowledged the request");
		finish(node, ask, &asked);
		next = node->asks; /* the callback may have asked anew */
	}
}

/* ---- the answer ---- */

/* A record with some fields left out: each one by its own rule. */
static void
check_record(const struct ht_item *item, const struct ht_header *h,
    const json_t *record, size_t number, struct ht_reasons *reasons)
{
	const char *field;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)record, field, value)
	{
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		char what[64];
		int i = ht_schema_field_index(item->record, field);

		(void)snprintf(what, sizeof(what), "record %zu ", number);
		if (i < 0 || !ht_released_get(h->released, (size_t)i))
			ht_reasons_add(reasons, HT_ST_RELEASED,
			    "%sfield '%s' is not among those that the answer "
			    "says it releases",
			    what, field);
		else if (!ht_schema_check_field(
		             item->record, (size_t)i, value, report))
			add_findings(
			    reasons, HT_ST_SOURCE_INVALID, what, report);
	}
}

/* One result for each claim, 0, 1 or 2, and nothing else. */
static void
check_results(const struct node_ask *ask, const struct ht_item *item,
    const struct ht_header *h, const json_t *results,
    struct ht_reasons *reasons)
{
	const char *field;
	json_t *value;

	(void)ask;
	if (json_object_size(results) == 0)
		ht_reasons_add(
		    reasons, HT_ST_SOURCE_INVALID, "no result at all");
	json_object_foreach((json_t *)(uintptr_t)results, field, value)
	{
		json_int_t match = json_integer_value(value);
		int i = ht_schema_field_index(item->record, field);

		if (!json_is_integer(value) || match < HT_NO_MATCH ||
		    match > HT_UNKNOWN || i < 0 ||
		    !ht_released_get(h->released, (size_t)i))
			ht_reasons_add(reasons, HT_ST_SOURCE_INVALID,
			    "result for '%s' makes no sense", field);
	}
}

/* Rows outside the grant are none of ours, whoever let them out. */
static void
check_row(const struct ht_grant *grant, const json_t *record, size_t number,
    struct ht_reasons *reasons)
{
	const char *value = NULL;

	if (grant != NULL && grant->row_field != NULL)
		value = json_string_value(
		    json_object_get(record, grant->row_field));
	if (value != NULL && !ht_grant_row(grant, record))
		ht_reasons_add(reasons, HT_ST_RELEASED,
		    "record %zu is outside the rows that %s grants", number,
		    grant->name);
}

static void
check_response(const struct node_ask *ask, const struct ht_header *h,
    const struct ht_response *response, struct ht_reasons *reasons)
{
	const struct ht_grant *grant =
	    ht_trust_grant(ask->trust, ask->header.grant);
	const struct ht_item *item = ht_trust_item(
	    ask->trust, ask->header.item, ask->header.item_version);

	if (!ht_slice_is(ask->header.item, response->item) ||
	    response->version != ask->header.item_version ||
	    response->operation != ask->header.operation)
		ht_reasons_add(reasons, HT_ST_HEADER_BODY,
		    "the answer's body is for %s version %u", response->item,
		    response->version);
	if (h->status != HT_ANSWER_ANSWERED || item == NULL)
		return;
	if (response->operation == HT_OP_VERIFY)
		check_results(ask, item, h, response->results, reasons);
	for (size_t i = 0; i < json_array_size(response->records); i++) {
		const json_t *record = json_array_get(response->records, i);

		check_record(item, h, record, i, reasons);
		check_row(grant, record, i, reasons);
	}
}

static void
decide_answer(struct ht_node *node, const struct node_ask *ask,
    const struct ht_bundle_record *record, const struct ht_header *h,
    struct ht_reasons *reasons)
{
	struct ht_verdict verdict = {0};
	struct ht_tag tag;
	bool has_tag = record->tag.len > 0 &&
	               ht_tag_decode(record->tag, &tag, NULL) == HT_OK;

	ht_decide_response(node->trust, &ask->header,
	    ask->tag_raw.len > 0 ? &ask->tag : NULL, h, has_tag ? &tag : NULL,
	    ht_clock_wall_ms(), &verdict);
	for (unsigned i = 0; i < verdict.reasons.n; i++)
		ht_reasons_add(reasons, verdict.reasons.at[i].code, "%s",
		    verdict.reasons.at[i].detail);
}

/* r stands first in the plaintext (docs/protocol.md section 3.3). */
static enum ht_err
keep_opening(struct ht_buf *out, const uint8_t *r, struct ht_slice content)
{
	*out = HT_BUF(HT_BODY_MAX);
	ht_buf_add(out, r, HT_CONTENT_R);
	ht_buf_add(out, content.at, content.len);
	return out->err;
}

static void
open_answer(struct ht_node *node, const struct node_ask *ask,
    const struct ht_bundle_record *record, const struct ht_header *h,
    struct ht_asked *asked)
{
	HT_AUTO(ht_buf_fini) struct ht_buf plain = HT_BUF(HT_BODY_MAX);
	struct ht_slice content;
	const char *why = "";
	enum ht_err err;

	decide_answer(node, ask, record, h, &asked->reasons);
	err = node_record_open(node, h, record->body, &plain, &content);
	if (err != HT_OK) {
		ht_reasons_add(&asked->reasons,
		    err == HT_EINVALID ? HT_ST_COMMITMENT : HT_ST_SEAL_BROKEN,
		    "the answer cannot be opened: %s", ht_err_text(err));
		return;
	}
	err = ht_response_decode(content, &asked->response, &why);
	if (err == HT_OK && ask->keep_opening)
		err = keep_opening(&asked->opening, plain.at, content);
	ht_wipe(plain.at, plain.len);
	if (err == HT_ENOMEM)
		why = "out of memory";
	if (err != HT_OK) {
		ht_reasons_add(&asked->reasons, HT_ST_MALFORMED,
		    "the answer's body: %s", why);
		return;
	}
	check_response(ask, h, &asked->response, &asked->reasons);
}

bool
node_response(struct ht_node *node, const struct ht_bundle_record *record,
    const struct ht_header *h, uint64_t place, bool proven, bool may_wait)
{
	struct node_ask *ask;
	struct ht_asked asked = {.response_place = place};

	ask = h->has_reply_to ? ht_map_get(node->by_hash,
	                            HT_SLICE(h->reply_to.at, HT_HASH_SIZE))
	                      : NULL;
	if (ask == NULL) {
		node_got(node, place);
		return true; /* ended, or asked by a process before this one */
	}
	asked.answer = h->status;
	asked.proven = proven && ask->proven;
	open_answer(node, ask, record, h, &asked);
	if (asked.reasons.n > 0 && may_wait) {
		ht_asked_fini(&asked);
		return false;
	}
	node_got(node, place);
	node_told_answer(node, ask, h);
	if (asked.reasons.n > 0) {
		/* Something does not hold: nothing of it is shown. */
		asked.refused_by = HT_WHO_CALLER;
		ht_response_fini(&asked.response);
		memset(&asked.response, 0, sizeof(asked.response));
	} else if (h->status != HT_ANSWER_ANSWERED) {
		asked.refused_by = HT_WHO_PROVIDER;
		asked.reasons = asked.response.reasons;
		if (asked.reasons.n == 0)
			asked.status = HT_ST_INTERNAL;
	}
	finish(node, ask, &asked);
	return true;
}

/* ---- the blocking form ---- */

struct blocking {
	bool over;
	struct ht_asked *ret;
};

static void
take_asked(void *arg, struct ht_asked *asked)
{
	struct blocking *blocking = arg;

	*blocking->ret = *asked;
	blocking->over = true;
}

static enum ht_err
until_ready(struct ht_node *node, uint64_t end_ms)
{
	enum ht_err err = HT_OK;

	while (err == HT_OK && !ht_node_ready(node)) {
		if (ht_clock_mono_ms() >= end_ms)
			return HT_ETIMEOUT;
		err = ht_node_step(node, -1, 200, NULL);
	}
	return err;
}

/*
 * A place is proven under the newest checkpoint; that this one follows from
 * all that was seen before is asked for before the answer is given out.
 */
static enum ht_err
until_consistent(struct ht_node *node)
{
	uint64_t end_ms = ht_clock_mono_ms() + SETTLE_MS;
	enum ht_err err = HT_OK;

	node->consistency_ms = 0;
	while (err == HT_OK && ht_node_ready(node) &&
	       node->seen.size > node->kept.size && ht_clock_mono_ms() < end_ms)
		err = ht_node_step(node, -1, 10, NULL);
	return err;
}

/* Nobody waits any more: an answer that still comes is dropped. */
static void
cancel(struct ht_node *node, const void *arg)
{
	struct node_ask *next;

	for (struct node_ask *ask = node->asks; ask != NULL; ask = next) {
		next = ask->next;
		if (ask->arg == arg)
			forget(node, ask);
	}
}

enum ht_err
ht_node_ask(
    struct ht_node *node, const struct ht_ask *ask, struct ht_asked *ret)
{
	struct ht_asked asked = {0};
	struct blocking blocking = {.ret = &asked};
	uint64_t life_ms = ask->life_ms > 0 ? ask->life_ms : NODE_LIFE_MS;
	enum ht_err err;

	err = until_ready(node, ht_clock_mono_ms() + life_ms);
	if (err == HT_OK)
		err = ht_node_begin(node, ask, take_asked, &blocking);
	while (err == HT_OK && !blocking.over)
		err = ht_node_step(node, -1, 1000, NULL);
	if (err == HT_OK && asked.proven) {
		err = until_consistent(node);
		asked.proven = node->seen.size <= node->kept.size;
	}
	if (err != HT_OK) {
		cancel(node, &blocking);
		ht_asked_fini(&asked);
		return err;
	}
	*ret = asked;
	return HT_OK;
}
