/*
 * node_serve.c -- the provider's side, and the door for whatever is
 * delivered: signature first, then everything the header cannot show.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/claims.h"
#include "adapters/node.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"

#define SUBJECTS_LIST_MAX HT_TAG_MAX /* the annex has to fit, too */

/* ---- calls ---- */

static void
call_free(struct node_call *call)
{
	ht_request_fini(&call->request);
	ht_buf_fini(&call->raw);
	ht_buf_fini(&call->tag_raw);
	ht_trust_unref(&call->trust);
	free(call);
}

static void
drop_call(void *value)
{
	call_free(value);
}

static struct ht_slice
call_id_key(const struct node_call *call)
{
	return HT_SLICE(&call->id, sizeof(call->id));
}

static void
call_end(struct ht_node *node, struct node_call *call)
{
	(void)ht_map_del(node->calls, call_id_key(call));
	(void)ht_map_del(node->calls_by_key, call->key);
	call_free(call);
}

void
node_serve_fini(struct ht_node *node)
{
	if (node->calls_by_key != NULL)
		ht_map_free(&node->calls_by_key, NULL);
	if (node->calls != NULL)
		ht_map_free(&node->calls, drop_call);
	if (node->servers != NULL)
		ht_map_free(&node->servers, free);
}

/* A server that never answers must not fill the room for those that do. */
void
node_serve_expire(struct ht_node *node, uint64_t now_ms)
{
	struct node_call *over[64];
	struct ht_slice key;
	unsigned n;

	do {
		size_t at = 0;
		void *call;

		n = 0;
		while (n < HT_COUNT(over) &&
		       ht_map_next(node->calls, &at, &key, &call))
			if (((struct node_call *)call)->header.expires_ms <=
			    now_ms)
				over[n++] = call;
		for (unsigned i = 0; i < n; i++) {
			ht_log(HT_WARN,
			    "node %s: the request at place %llu was not "
			    "answered in its life",
			    node->id, (unsigned long long)over[i]->place);
			call_end(node, over[i]);
		}
	} while (n == HT_COUNT(over));
}

enum ht_err
ht_node_serve(
    struct ht_node *node, const char *item, ht_serve_fn *serve, void *arg)
{
	struct node_server *server = malloc(sizeof(*server));
	void *old = NULL;
	enum ht_err err;

	if (server == NULL)
		return HT_ENOMEM;
	*server = (struct node_server){serve, arg};
	err = ht_map_put(node->servers, ht_slice_str(item), server, &old);
	free(err == HT_OK ? old : server);
	return err;
}

/* ---- the answer ---- */

struct answering {
	struct ht_node *node;
	struct node_call *call;
	struct ht_response response;
	unsigned status; /* enum ht_answer */
	uint8_t released[HT_RELEASED_MAX];
	size_t released_len;
	json_t *subjects; /* array: ids that are in what is released */
};

static void
fill_response_header(const struct answering *a, struct ht_header *h)
{
	const struct ht_header *q = &a->call->header;

	h->kind = HT_KIND_RESPONSE;
	h->suite = 1;
	h->exchange = q->exchange;
	h->sender = ht_slice_str(a->node->member);
	h->node = ht_slice_str(a->node->name);
	h->recipient = q->sender;
	h->item = q->item;
	h->item_version = q->item_version;
	h->operation = q->operation;
	h->purpose = q->purpose;
	h->basis = q->basis;
	h->grant = q->grant;
	h->created_ms = ht_clock_wall_ms();
	h->expires_ms = q->expires_ms;
	h->has_reply_to = true;
	h->reply_to = a->call->hash;
	h->released = HT_SLICE(a->released, a->released_len);
	h->status = a->status;
}

/* The body opens the annex that the tag has. */
static enum ht_err
keep_annex(struct answering *a, const struct ht_annex *annex)
{
	json_decref(a->response.annex);
	a->response.annex = ht_annex_to_json(annex);
	return a->response.annex != NULL ? HT_OK : HT_ENOMEM;
}

/*
 * An answer to somebody whose tag does not fit: its pseudonyms are repeated,
 * so that the broker lets the refusal pass, under an annex of our own.
 */
static enum ht_err
echo_tag(struct answering *a, const struct ht_epoch *epoch,
    struct ht_annex *annex, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf made = HT_BUF(HT_TAG_MAX);
	struct ht_subject nobody = {ht_slice_str("none"), ht_slice_str("none")};
	struct ht_tag tag;
	enum ht_err err;

	annex->subject = "none:none";
	err = ht_tag_make(epoch, &nobody, 1, annex, &made);
	if (err == HT_OK)
		err = ht_tag_decode(ht_buf_slice(&made), &tag, NULL);
	if (err != HT_OK)
		return err;
	tag.n_subjects = a->call->tag.n_subjects;
	memcpy(tag.subjects, a->call->tag.subjects, sizeof(tag.subjects));
	tag.bulk_count = a->call->tag.bulk_count;
	tag.bulk_list = a->call->tag.bulk_list;
	err = ht_tag_encode(&tag, out);
	return err == HT_OK ? keep_annex(a, annex) : err;
}

/*
 * "registry:a,registry:b".  More than a tag lists is bulk: then the one that
 * was asked for, the first, stands for all.
 */
static void
name_subjects(const struct ht_item *item, const json_t *ids, struct ht_buf *out)
{
	size_t n = json_array_size(ids);

	for (size_t i = 0; i < (n > HT_SUBJECTS_MAX ? 1 : n); i++)
		ht_buf_fmt(out, "%s%s:%s", i > 0 ? "," : "",
		    item->subject_registry,
		    json_string_value(json_array_get(ids, i)));
}

static enum ht_err
make_own_tag(struct answering *a, const struct ht_epoch *epoch,
    struct ht_annex *annex, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini)
	struct ht_buf named = HT_BUF(SUBJECTS_LIST_MAX);
	size_t n = json_array_size(a->subjects);
	HT_AUTO(ht_mem_free)
	struct ht_subject *subjects = calloc(n, sizeof(*subjects));
	enum ht_err err;

	if (subjects == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < n; i++)
		subjects[i] = (struct ht_subject){
		    ht_slice_str(a->call->item->subject_registry),
		    ht_slice_str(
		        json_string_value(json_array_get(a->subjects, i)))};
	name_subjects(a->call->item, a->subjects, &named);
	annex->subject = ht_buf_text(&named);
	if (annex->subject == NULL)
		return named.err;
	err = ht_tag_make(epoch, subjects, n, annex, out);
	return err == HT_OK ? keep_annex(a, annex) : err;
}

/* Who was looked at: the request's subject, and every one released. */
static enum ht_err
make_response_tag(struct answering *a, struct ht_buf *out)
{
	struct ht_annex annex = {0};
	struct ht_epoch epoch;
	char purpose[HT_PURPOSE_MAX + 1];

	if (!a->call->header.has_tag)
		return HT_OK;
	if (!node_epoch(a->node,
	        ht_trust_epoch_named(a->call->trust, a->call->tag.epoch),
	        &epoch))
		/* A no goes without a tag; data does not. */
		return a->status == HT_ANSWER_ANSWERED ? HT_ENOTFOUND : HT_OK;
	ht_random(annex.entry, sizeof(annex.entry));
	(void)snprintf(purpose, sizeof(purpose), "%.*s",
	    (int)a->call->header.purpose.len,
	    (const char *)a->call->header.purpose.at);
	annex.purpose = purpose;
	return json_array_size(a->subjects) == 0
	           ? echo_tag(a, &epoch, &annex, out)
	           : make_own_tag(a, &epoch, &annex, out);
}

static size_t
padding_of(const struct node_call *call)
{
	return call->header.operation == HT_OP_VERIFY && call->item != NULL
	           ? call->item->verify_size
	           : 0;
}

/* Keep it for retries, then let it leave. */
static enum ht_err
keep_and_queue(struct answering *a, struct node_out **out_p)
{
	struct node_out *out = *out_p;
	struct ht_answered answered = {
	    .expires_ms = a->call->header.expires_ms,
	    .request = a->call->hash,
	    .header = ht_buf_slice(&out->header),
	    .tag = ht_buf_slice(&out->tag),
	    .body = ht_buf_slice(&out->body),
	};
	enum ht_err err;

	err = ht_state_keep(a->node->state, a->call->header.sender,
	    &a->call->header.record, &answered);
	/* A refusal can be made again, and takes no more room than it. */
	if (err == HT_EAGAIN && a->status != HT_ANSWER_ANSWERED)
		err = HT_OK;
	if (err != HT_OK)
		return err;
	out->is_response = true;
	out->request_place = a->call->place;
	node_list_add(&a->node->waiting, HT_TAKE(*out_p));
	return HT_OK;
}

static enum ht_err
seal_response(struct answering *a, struct node_out *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf content = HT_BUF(HT_BODY_MAX);
	const struct ht_member *consumer;
	const struct ht_keyinfo *to = NULL;
	struct ht_header h = {0};
	enum ht_err err;

	consumer = ht_trust_member(a->node->trust, a->call->header.sender);
	if (consumer != NULL)
		to = ht_member_seal_key(consumer, ht_clock_wall_ms());
	if (to == NULL)
		return HT_ENOTFOUND;
	err = make_response_tag(a, &out->tag);
	fill_response_header(a, &h);
	if (err == HT_OK && h.created_ms >= h.expires_ms)
		err = HT_EEXPIRED;
	if (err == HT_OK)
		err = ht_response_encode(&a->response, &content);
	if (err == HT_OK)
		err = node_record_make(a->node, &h, to, ht_buf_slice(&content),
		    padding_of(a->call), out);
	ht_wipe(content.at, content.len);
	return err;
}

static void
clear_data(struct answering *a)
{
	json_decref(a->response.records);
	json_decref(a->response.results);
	a->response.records = NULL;
	a->response.results = NULL;
	a->response.more = false;
	a->released_len = 0;
	memset(a->released, 0, sizeof(a->released));
}

/* Turn whatever was prepared into a refusal or failure with these reasons. */
static void
turn_down(
    struct answering *a, unsigned status, const struct ht_reasons *reasons)
{
	clear_data(a);
	a->status = status;
	a->response.reasons = *reasons;
}

static enum ht_err
seal_and_keep(struct answering *a)
{
	HT_AUTO(node_out_free) struct node_out *out = node_out_new();
	enum ht_err err;

	if (out == NULL)
		return HT_ENOMEM;
	err = seal_response(a, out);
	return err == HT_OK ? keep_and_queue(a, &out) : err;
}

/* One too large for a record, for the asker's room or the disk, says so. */
static enum ht_err
send_response(struct answering *a)
{
	struct ht_reasons reasons = {0};
	enum ht_err err = seal_and_keep(a);

	if (err == HT_ETOOBIG) {
		ht_reasons_add(&reasons, HT_ST_TOO_BIG,
		    "the answer is larger than one record may be; ask for "
		    "fewer fields or fewer records");
		turn_down(a, HT_ANSWER_FAILED, &reasons);
	} else if (err == HT_EAGAIN && node_disk_full(a->node)) {
		node_no_disk(&reasons);
		turn_down(a, HT_ANSWER_FAILED, &reasons);
	} else if (err == HT_EAGAIN) {
		node_no_room(a->node, a->call->header.sender, &reasons);
		turn_down(a, HT_ANSWER_REFUSED, &reasons);
	} else {
		return err;
	}
	return seal_and_keep(a);
}

static void
answer_and_end(struct answering *a)
{
	struct ht_node *node = a->node;
	enum ht_err err;

	(void)snprintf(a->response.item, sizeof(a->response.item), "%.*s",
	    (int)a->call->header.item.len,
	    (const char *)a->call->header.item.at);
	a->response.operation = a->call->header.operation;
	a->response.version = a->call->header.item_version;
	err = send_response(a);
	if (err == HT_OK)
		node_told_served(node, a->call, a->status,
		    HT_SLICE(a->released, a->released_len),
		    &a->response.reasons);
	if (err == HT_ESTORE)
		node_break(node, err, "the state folder %s cannot be written",
		    ht_state_dir(node->state));
	else if (err != HT_OK)
		ht_log(HT_ERROR,
		    "node %s: a request at place %llu gets no answer: %s",
		    node->id, (unsigned long long)a->call->place,
		    ht_err_text(err));
	ht_response_fini(&a->response);
	json_decref(a->subjects);
	call_end(node, a->call);
}

static void
refuse(struct ht_node *node, struct node_call *call,
    const struct ht_reasons *reasons)
{
	struct answering a = {.node = node, .call = call};

	/* Whose fault: the caller's is a refusal, ours a failure. */
	turn_down(&a,
	    reasons->n > 0 &&
	            ht_status_who(reasons->at[0].code) == HT_WHO_PROVIDER
	        ? HT_ANSWER_FAILED
	        : HT_ANSWER_REFUSED,
	    reasons);
	answer_and_end(&a);
}

/* ---- releasing ---- */

/* The subject's own id once; then those of the records, each once. */
static enum ht_err
add_subject(json_t *subjects, const char *id)
{
	if (id == NULL)
		return HT_OK;
	for (size_t i = 0; i < json_array_size(subjects); i++)
		if (strcmp(json_string_value(json_array_get(subjects, i)),
		        id) == 0)
			return HT_OK;
	return json_array_append_new(subjects, json_string(id)) == 0
	           ? HT_OK
	           : HT_ENOMEM;
}

static const char *
asked_subject(const struct node_call *call)
{
	return json_string_value(
	    json_object_get(call->request.params, call->item->subject_param));
}

static enum ht_err
start_subjects(struct answering *a)
{
	a->subjects = json_array();
	if (a->subjects == NULL)
		return HT_ENOMEM;
	return a->call->item->has_subject
	           ? add_subject(a->subjects, asked_subject(a->call))
	           : HT_OK;
}

/*
 * Every record is whole and right before anything of it leaves.  One outside
 * the grant's rows is as if it were not there, mistakes and all.
 */
static void
check_source(const struct node_call *call, const json_t *records,
    struct ht_reasons *reasons)
{
	const struct ht_item *item = call->item;

	for (size_t i = 0; i < json_array_size(records); i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		const json_t *record = json_array_get(records, i);
		unsigned n;

		if (!ht_grant_row(call->grant, record) ||
		    ht_schema_check(item->record, record, report, NULL))
			continue;
		n = ht_report_count(report);
		for (unsigned k = 0; k < n && k < HT_FINDINGS_MAX; k++) {
			ht_reasons_add(reasons, HT_ST_SOURCE_INVALID,
			    "record %zu %s: %s", i, ht_report_where(report, k),
			    ht_report_text(report, k));
			ht_log(HT_ERROR, "item %s: record %zu %s: %s",
			    item->name, i, ht_report_where(report, k),
			    ht_report_text(report, k));
		}
	}
}

/* Only rows of the grant's area, and no more than the item allows. */
static json_t *
select_rows(const struct node_call *call, const json_t *records, bool *more)
{
	HT_AUTO(ht_json_free) json_t *selected = json_array();

	for (size_t i = 0; i < json_array_size(records); i++) {
		json_t *record = json_array_get(records, i);

		if (!ht_grant_row(call->grant, record))
			continue;
		if (call->item->records_max > 0 &&
		    json_array_size(selected) == call->item->records_max) {
			*more = true;
			break;
		}
		if (json_array_append(selected, record) != 0)
			return NULL;
	}
	return HT_TAKE(selected);
}

static enum ht_err
release_records(struct answering *a, const json_t *selected)
{
	const struct node_call *call = a->call;
	enum ht_err err = HT_OK;

	a->response.records = json_array();
	for (size_t i = 0; err == HT_OK && i < json_array_size(selected); i++) {
		const json_t *record = json_array_get(selected, i);

		if (json_array_append_new(a->response.records,
		        ht_release(call->item, call->grant,
		            call->request.fields, record, a->released,
		            &a->released_len)) != 0)
			return HT_ENOMEM;
		if (call->item->has_subject &&
		    call->item->subject_field != NULL)
			err = add_subject(a->subjects,
			    json_string_value(json_object_get(
			        record, call->item->subject_field)));
	}
	return err;
}

/*
 * Claims are compared at the provider's.  What was compared is said in the
 * header; the results, and whether there was a record at all, are sealed.
 */
static enum ht_err
judge_claims(struct answering *a, const json_t *selected)
{
	const struct node_call *call = a->call;
	const char *field;
	json_t *claim;

	a->response.results = ht_claims_judge(call->request.claims, selected);
	if (a->response.results == NULL)
		return HT_ENOMEM;
	json_object_foreach(call->request.claims, field, claim)
	{
		int i = ht_schema_field_index(call->item->record, field);

		if (i >= 0)
			ht_released_set(
			    a->released, &a->released_len, (size_t)i);
	}
	return HT_OK;
}

static enum ht_err
prepare_answer(struct answering *a, const json_t *records, bool more)
{
	HT_AUTO(ht_json_free) json_t *selected = NULL;
	enum ht_err err = start_subjects(a);

	if (err != HT_OK)
		return err;
	a->status = HT_ANSWER_ANSWERED;
	a->response.more = more;
	selected = select_rows(a->call, records, &a->response.more);
	if (selected == NULL)
		return HT_ENOMEM;
	if (a->call->header.operation == HT_OP_VERIFY) {
		a->response.more = false;
		return judge_claims(a, selected);
	}
	return release_records(a, selected);
}

/*
 * Rights may have ended, or become less, while the source was thinking: what
 * is released is released under the snapshot in force.
 */
static void
decide_again(
    struct ht_node *node, struct node_call *call, struct ht_reasons *reasons)
{
	struct ht_verdict verdict = {0};

	if (node->trust == call->trust)
		return;
	ht_decide_request(node->trust, &call->header,
	    call->header.has_tag ? &call->tag : NULL, NULL, ht_clock_wall_ms(),
	    &verdict);
	if (verdict.item != NULL && verdict.grant != NULL)
		ht_decide_content(verdict.item, verdict.grant, &call->header,
		    &call->request, &verdict);
	if (!verdict.allow) {
		*reasons = verdict.reasons;
		return;
	}
	ht_trust_unref(&call->trust);
	call->trust = ht_trust_ref(node->trust);
	call->item = verdict.item;
	call->grant = verdict.grant;
}

enum ht_err
ht_node_answer(struct ht_node *node, uint64_t id, const json_t *records,
    bool more, const struct ht_reasons *reasons)
{
	struct node_call *call =
	    ht_map_get(node->calls, HT_SLICE(&id, sizeof(id)));
	struct answering a = {.node = node, .call = call};
	struct ht_reasons wrong = {0};
	enum ht_err err;

	if (call == NULL)
		return HT_ENOTFOUND;
	if (reasons != NULL && reasons->n > 0)
		wrong = *reasons;
	else
		decide_again(node, call, &wrong);
	if (wrong.n == 0)
		check_source(call, records, &wrong);
	err = prepare_answer(&a, wrong.n == 0 ? records : NULL, more);
	if (err == HT_OK && wrong.n > 0)
		turn_down(&a,
		    ht_status_who(wrong.at[0].code) == HT_WHO_PROVIDER
		        ? HT_ANSWER_FAILED
		        : HT_ANSWER_REFUSED,
		    &wrong);
	if (err != HT_OK) {
		ht_response_fini(&a.response);
		json_decref(a.subjects);
		return err;
	}
	answer_and_end(&a);
	return HT_OK;
}

/* ---- a request that came ---- */

static void
check_tag(struct ht_node *node, const struct node_call *call,
    struct ht_reasons *reasons)
{
	const char *id = asked_subject(call), *why = "";
	struct ht_subject subject = {ht_slice_str(call->item->subject_registry),
	    ht_slice_str(id != NULL ? id : "")};
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1024);
	struct ht_annex annex;
	struct ht_epoch epoch;

	if (!node_epoch(node,
	        ht_trust_epoch_named(call->trust, call->tag.epoch), &epoch)) {
		ht_reasons_add(reasons, HT_ST_TAG_EPOCH,
		    "the provider has no tracker key of that epoch");
		return;
	}
	if (ht_annex_from_json(call->request.annex, &annex) != HT_OK) {
		ht_reasons_add(reasons, HT_ST_TAG_FALSE,
		    "the body does not open the annex");
		return;
	}
	if (ht_tag_check(&call->tag, &epoch, &subject, 1, &annex, &why) !=
	    HT_OK)
		ht_reasons_add(reasons, HT_ST_TAG_FALSE, "%s", why);
	if (!ht_annex_reads(&annex, &text))
		ht_reasons_add(reasons, HT_ST_REQUEST_INVALID, "%s",
		    ht_buf_text(&text) != NULL ? ht_buf_text(&text) : "");
}

static void
open_request(struct ht_node *node, struct node_call *call, struct ht_slice body,
    struct ht_verdict *verdict)
{
	HT_AUTO(ht_buf_fini) struct ht_buf plain = HT_BUF(HT_BODY_MAX);
	struct ht_slice content;
	const char *why = "";
	enum ht_err err;

	err = node_record_open(node, &call->header, body, &plain, &content);
	if (err != HT_OK) {
		ht_reasons_add(&verdict->reasons,
		    err == HT_EINVALID ? HT_ST_COMMITMENT : HT_ST_SEAL_BROKEN,
		    "%s", ht_err_text(err));
		return;
	}
	err = ht_request_decode(content, &call->request, &why);
	ht_wipe(plain.at, plain.len);
	if (err != HT_OK) {
		ht_reasons_add(
		    &verdict->reasons, HT_ST_MALFORMED, "the body: %s", why);
		return;
	}
	if (verdict->item == NULL || verdict->grant == NULL)
		return;
	ht_decide_content(verdict->item, verdict->grant, &call->header,
	    &call->request, verdict);
	if (call->item->has_subject && call->header.has_tag)
		check_tag(node, call, &verdict->reasons);
}

static void
serve(struct ht_node *node, struct node_call *call)
{
	const struct node_server *server =
	    ht_map_get(node->servers, call->header.item);
	struct ht_reasons reasons = {0};
	struct ht_call given = {
	    .id = call->id,
	    .item = call->item,
	    .grant = call->grant,
	    .request = &call->request,
	    .consumer = call->header.sender,
	    .deadline_ms = call->header.expires_ms,
	};

	if (server != NULL) {
		server->serve(server->arg, &given);
		return;
	}
	ht_reasons_add(&reasons, HT_ST_NOT_SERVED, "%s has no %s", node->id,
	    call->item->name);
	refuse(node, call, &reasons);
}

static struct node_call *
call_new(
    struct ht_node *node, const struct ht_bundle_record *record, uint64_t place)
{
	struct node_call *call = calloc(1, sizeof(*call));
	enum ht_err err;

	if (call == NULL)
		return NULL;
	call->raw = HT_BUF(HT_HEADER_MAX);
	call->tag_raw = HT_BUF(HT_TAG_MAX);
	call->id = ++node->call_id;
	call->trust = ht_trust_ref(node->trust);
	call->hash = record->hash;
	call->place = place;
	call->signed_by = node->in->deliver.bundle.key;
	ht_buf_add(&call->raw, record->header.at, record->header.len);
	ht_buf_add(&call->tag_raw, record->tag.at, record->tag.len);
	err = ht_header_decode(
	    ht_buf_slice(&call->raw), &call->header, NULL, NULL);
	if (err == HT_OK && call->header.has_tag)
		err = ht_tag_decode(
		    ht_buf_slice(&call->tag_raw), &call->tag, NULL);
	if (err != HT_OK) {
		call_free(call);
		return NULL;
	}
	memcpy(
	    call->key_bytes, call->header.sender.at, call->header.sender.len);
	call->key_bytes[call->header.sender.len] = 0;
	memcpy(call->key_bytes + call->header.sender.len + 1,
	    call->header.record.at, HT_ID_SIZE);
	call->key =
	    HT_SLICE(call->key_bytes, call->header.sender.len + 1 + HT_ID_SIZE);
	return call;
}

static enum ht_err
call_begin(struct ht_node *node, struct node_call *call)
{
	enum ht_err err;

	err = ht_map_put(node->calls, call_id_key(call), call, NULL);
	if (err != HT_OK)
		return err;
	err = ht_map_put(node->calls_by_key, call->key, call, NULL);
	if (err != HT_OK)
		(void)ht_map_del(node->calls, call_id_key(call));
	return err;
}

/* The same record again: the same answer, the very bytes. */
static void
answer_again(
    struct ht_node *node, const struct ht_answered *answered, uint64_t place)
{
	HT_AUTO(node_out_free) struct node_out *out = node_out_new();
	struct ht_header h;

	if (out == NULL)
		return;
	ht_buf_add(&out->header, answered->header.at, answered->header.len);
	ht_buf_add(&out->tag, answered->tag.at, answered->tag.len);
	ht_buf_add(&out->body, answered->body.at, answered->body.len);
	if (out->header.err != HT_OK || out->body.err != HT_OK ||
	    ht_header_decode(ht_buf_slice(&out->header), &h, NULL, NULL) !=
	        HT_OK)
		return;
	out->record = h.record;
	out->hash = ht_header_hash(ht_buf_slice(&out->header));
	out->expires_ms = h.expires_ms;
	out->is_response = true;
	out->request_place = place;
	node_list_add(&node->waiting, HT_TAKE(out));
}

/* True if the request was handled already, or is being handled. */
static bool
seen_before(struct ht_node *node, const struct node_call *call)
{
	const struct node_call *other =
	    ht_map_get(node->calls_by_key, call->key);
	struct ht_answered answered;
	enum ht_err err;

	if (other != NULL)
		return true; /* its answer is on the way */
	err = ht_state_find(
	    node->state, call->header.sender, &call->header.record, &answered);
	if (err == HT_ENOTFOUND)
		return false;
	if (err != HT_OK) {
		node_break(node, err, "the state folder %s cannot be read",
		    ht_state_dir(node->state));
		return true;
	}
	if (ht_hash_eq(&answered.request, &call->hash))
		answer_again(node, &answered, call->place);
	else
		ht_log(HT_ERROR,
		    "node %s: two records under one id from %.*s; the second "
		    "one is not served",
		    node->id, (int)call->header.sender.len,
		    (const char *)call->header.sender.at);
	return true;
}

/* False: it would be refused, and @may_wait for a newer snapshot. */
static bool
request(struct ht_node *node, const struct ht_bundle_record *record,
    uint64_t place, bool may_wait)
{
	struct node_call *call = call_new(node, record, place);
	uint64_t now_ms = ht_clock_wall_ms();
	struct ht_verdict verdict = {0};

	if (call == NULL || seen_before(node, call) ||
	    call->header.expires_ms <= now_ms ||
	    call_begin(node, call) != HT_OK) {
		if (call != NULL)
			call_free(call);
		return true;
	}
	ht_decide_request(node->trust, &call->header,
	    call->header.has_tag ? &call->tag : NULL, NULL, now_ms, &verdict);
	call->item = verdict.item;
	call->grant = verdict.grant;
	open_request(node, call, record->body, &verdict);
	if (verdict.reasons.n > 0 && may_wait) {
		call_end(node, call);
		return false;
	}
	if (ht_map_count(node->calls) > NODE_CALLS_MAX)
		ht_reasons_add(&verdict.reasons, HT_ST_SOURCE_SLOW,
		    "the provider is answering %d requests already",
		    NODE_CALLS_MAX);
	/* Before its source is asked: the least answer would have no room. */
	if (node_disk_full(node))
		node_no_disk(&verdict.reasons);
	else if (!ht_state_room(
	             node->state, call->header.sender, HT_HEADER_MAX))
		node_no_room(node, call->header.sender, &verdict.reasons);
	if (verdict.reasons.n > 0)
		refuse(node, call, &verdict.reasons);
	else
		serve(node, call);
	return true;
}

/* ---- the door ---- */

/* The sender's key of that id, and whether it may sign now. */
static const struct ht_keyinfo *
signing_key(const struct ht_node *node, const struct ht_bundle *bundle)
{
	const struct ht_member *member =
	    ht_trust_member(node->trust, bundle->sender);
	const struct ht_node_entry *entry =
	    member != NULL ? ht_member_node(member, bundle->node) : NULL;

	for (unsigned i = 0; entry != NULL && i < entry->n_signing; i++)
		if (ht_keyid_eq(&entry->signing[i].id, &bundle->key) &&
		    ht_keyinfo_state(&entry->signing[i], ht_clock_wall_ms()) ==
		        HT_KEY_OK)
			return &entry->signing[i];
	return NULL;
}

static bool
bundle_holds(struct ht_node *node, const struct ht_bundle *bundle,
    const struct ht_keyinfo *key)
{
	if (key != NULL && ht_bundle_verify(bundle, &key->pub) == HT_OK)
		return true;
	ht_log(HT_ERROR, "node %s: a delivery of %.*s/%.*s is dropped: %s",
	    node->id, (int)bundle->sender.len, (const char *)bundle->sender.at,
	    (int)bundle->node.len, (const char *)bundle->node.at,
	    key == NULL ? "no such signing key in force"
	                : "its signature does not verify");
	return false;
}

static bool
record_holds(const struct ht_node *node, const struct ht_bundle *bundle,
    const struct ht_bundle_record *record, struct ht_header *ret)
{
	return ht_header_decode(record->header, ret, NULL, NULL) == HT_OK &&
	       ht_slice_eq(ret->sender, bundle->sender) &&
	       ht_slice_eq(ret->node, bundle->node) &&
	       ht_slice_is(ret->recipient, node->member) &&
	       ht_record_check(record, ret) == HT_ST_OK;
}

/*
 * The broker may have decided by a newer snapshot than ours.  What ours allows
 * is done at once: it was in force a moment ago, and the answer is decided by
 * the one in force then, here and at the broker.  What ours refuses waits for
 * the newer one, which may allow it.
 */
struct delivery {
	struct ht_slice frame;
	uint64_t records; /* a bit each: those to be handled */
	unsigned waits;   /* how often it did */
};

static bool
may_wait(const struct ht_node *node, const struct delivery *d)
{
	return node_newer_coming(node) && d->waits < NODE_WAITS_MAX &&
	       node->n_parked < NODE_PARKED_MAX;
}

/* What there is no memory for comes again with the next connection. */
static void
park(struct ht_node *node, const struct delivery *d, uint64_t records)
{
	struct node_parked *to = &node->parked[node->n_parked];

	*to = (struct node_parked){
	    .frame = HT_BUF(HT_FRAME_MAX),
	    .records = records,
	    .waits = d->waits + 1,
	};
	ht_buf_add(&to->frame, d->frame.at, d->frame.len);
	if (to->frame.err == HT_OK)
		node->n_parked++;
	else
		ht_buf_fini(&to->frame);
}

static bool
delivery_proven(struct ht_node *node, const struct ht_message *m)
{
	struct ht_slice headers[HT_BUNDLE_MAX];

	if (!m->deliver.proof.present)
		return false;
	for (unsigned i = 0; i < m->deliver.bundle.n_records; i++)
		headers[i] = m->deliver.bundle.records[i].header;
	return node_proof(node, &m->deliver.proof, m->deliver.places, headers,
	    m->deliver.bundle.n_records, m->deliver.checkpoint);
}

static bool
handle_record(struct ht_node *node, unsigned i, bool proven, bool may_wait)
{
	const struct ht_message *m = node->in;
	const struct ht_bundle *bundle = &m->deliver.bundle;
	const struct ht_bundle_record *record = &bundle->records[i];
	uint64_t place = m->deliver.places[i];
	struct ht_header h;

	if (!record_holds(node, bundle, record, &h)) {
		ht_log(HT_ERROR,
		    "node %s: a record at place %llu does not hold; dropped",
		    node->id, (unsigned long long)place);
		return true;
	}
	if (h.kind == HT_KIND_REQUEST)
		return request(node, record, place, may_wait);
	return h.kind != HT_KIND_RESPONSE ||
	       node_response(node, record, &h, place, proven, may_wait);
}

/* node->in is the delivery's. */
static void
deliver(struct ht_node *node, const struct delivery *d)
{
	const struct ht_message *m = node->in;
	const struct ht_bundle *bundle = &m->deliver.bundle;
	const struct ht_keyinfo *key;
	uint64_t later = 0;
	bool wait = may_wait(node, d), proven;

	if (!node_checkpoint(node, m->deliver.checkpoint))
		return;
	key = signing_key(node, bundle);
	if (key == NULL && wait) {
		park(node, d, d->records);
		return;
	}
	if (!bundle_holds(node, bundle, key))
		return;
	proven = delivery_proven(node, m);
	for (unsigned i = 0;
	     i < bundle->n_records && node->phase != NODE_BROKEN; i++)
		if ((d->records >> i & 1) != 0 &&
		    !handle_record(node, i, proven, wait))
			later |= UINT64_C(1) << i;
	if (later != 0)
		park(node, d, later);
}
_Static_assert(HT_BUNDLE_MAX <= 64, "a bit for each record");

void
node_delivered(struct ht_node *node, struct ht_slice frame)
{
	struct delivery d = {.frame = frame, .records = UINT64_MAX};

	if (node->phase == NODE_READY)
		deliver(node, &d);
	/* It comes before we know what is in force. */
	else if (node->n_parked < NODE_PARKED_MAX)
		park(node, &d, d.records);
	else if (node->trust != NULL)
		deliver(node, &d);
}

void
node_unpark(struct ht_node *node)
{
	unsigned n = node->n_parked;

	/* Some may wait once more: theirs is a place before those to come. */
	node->n_parked = 0;
	for (unsigned i = 0; i < n; i++) {
		struct node_parked parked = node->parked[i];
		struct delivery d = {.frame = ht_buf_slice(&parked.frame),
		    .records = parked.records,
		    .waits = parked.waits};

		if (node->phase != NODE_BROKEN &&
		    ht_message_decode(d.frame, node->in, NULL, NULL) == HT_OK)
			deliver(node, &d);
		ht_buf_fini(&parked.frame);
	}
}
