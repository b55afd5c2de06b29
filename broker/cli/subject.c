/*
 * subject.c -- hutong-audit subject: who looked at one person or unit, when,
 * why and on what basis, over as many epochs as there are keys for.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/audit/look.h"
#include "broker/cli/subject_part.h"
#include "broker/log/disclose.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/term/table.h"
#include "schemas/json.h"

struct subject {
	const struct ht_audit_opts *opts;
	struct ht_audit_faith faith;
	/* Of each epoch: the key's file, and who the subject is in it. */
	struct ht_keyfile trackers[HT_AUDIT_KEYS];
	struct ht_pseudonym pseudonyms[HT_AUDIT_KEYS];
	unsigned epoch; /* the one being asked for */
	struct ht_looks looks;
	struct ht_audit_cut cut; /* of a lone volume */

	struct ht_look_key keys[HT_AUDIT_KEYS];
	struct ht_keyfile files[HT_AUDIT_KEYS];
	struct ht_key *opened[HT_AUDIT_KEYS];

	FILE *out; /* for rows: hashed on its way */
	struct ht_buf json, line;

	/* of the first answer: all are as of that size */
	bool began;
	uint64_t size;
	struct ht_audit_result first; /* without the answer itself */
	/* of all */
	uint64_t rows, scanned, questions;
	bool noted;
	uint64_t last_place;
	struct ht_list_counts list; /* of all epochs */
	/* What is left out of a report to the subject. */
	size_t hidden;
	size_t shown;       /* would be left out, but for an order */
	uint64_t hidden_us; /* until then, at the latest; 0: no date */
	/* DISCLOSE entries: what the officers ordered to be shown */
	size_t n_disclosed, cap_disclosed;
	uint64_t *disclosed;
	/* ERASE entries */
	uint64_t erasures;
	struct ht_buf erased; /* lines */
};

static void
subject_fini(struct subject *s)
{
	for (unsigned i = 0; i < HT_AUDIT_KEYS; i++)
		ht_key_free(&s->opened[i]);
	ht_looks_fini(&s->looks);
	ht_audit_faith_fini(&s->faith);
	ht_buf_fini(&s->erased);
	ht_buf_fini(&s->json);
	ht_buf_fini(&s->line);
	free(s->disclosed);
}

/* ---- asking ---- */

static void
take_result(struct subject *s, const struct ht_audit_result *r)
{
	if (!s->began) {
		s->size = r->answer.size;
		s->first = *r;
		s->first.answer = (struct ht_audit_answer){0};
	}
	s->began = true;
	s->scanned += r->answer.scanned;
	s->noted = r->noted;
	s->last_place = r->place;
	s->list.rolls += r->list.rolls;
	s->list.rolled += r->list.rolled;
	s->list.whole += r->list.whole;
	if (r->list.whole > 0) { /* the same of each epoch's list */
		s->list.later = r->list.later;
		s->list.other = r->list.other;
	}
	s->questions++;
}

static int
prove_rows(struct subject *s, const struct ht_audit_result *r,
    enum ht_err (*each)(void *arg, const struct ht_row *row))
{
	uint64_t bad = 0;
	enum ht_err err = ht_audit_each(r, each, s, &bad);

	return ht_audit_unproven(err, bad);
}

/* All pages of a question, each as of the size of the first answer. */
static int
ask(struct subject *s, struct ht_audit_opts *opts,
    enum ht_err (*each)(void *arg, const struct ht_row *row))
{
	struct ht_audit_result result;
	bool more = true;
	int code = HT_AUDIT_OK;

	opts->subject = NULL;
	while (more && code == HT_AUDIT_OK) {
		if (s->began)
			opts->query.filter.size = s->size;
		code = ht_audit_fetch(opts, &s->faith, &result);
		if (code != HT_AUDIT_OK)
			return code;
		take_result(s, &result);
		code = prove_rows(s, &result, each);
		more = result.answer.more;
		opts->query.filter.start_seq = result.answer.next_seq;
		ht_audit_result_fini(&result);
	}
	return code;
}

static unsigned
annexes(const struct subject *s)
{
	return s->opts->n_annexes;
}

static enum ht_err
add_look(void *arg, const struct ht_row *row)
{
	struct subject *s = arg;

	s->rows++;
	ht_subject_part_row(&s->cut, row);
	return ht_looks_add(
	    &s->looks, row, &s->pseudonyms[s->epoch], s->keys, annexes(s));
}

/* All keys, before a question is put to anybody. */
static int
open_trackers(struct subject *s)
{
	int code = HT_AUDIT_OK;

	for (unsigned i = 0; i < s->opts->n_trackers && code == HT_AUDIT_OK;
	     i++)
		code = ht_audit_pseudonym(s->opts->subject,
		    s->opts->trackers[i], &s->trackers[i], &s->pseudonyms[i]);
	return code;
}

/* One epoch: its tracker key made the pseudonym. */
static int
ask_epoch(struct subject *s, unsigned epoch)
{
	struct ht_audit_opts opts = *s->opts;
	struct ht_audit_result result;
	int code;

	s->epoch = epoch;
	opts.subject = NULL;
	opts.query.filter.has_subject = true;
	opts.query.filter.subject = s->pseudonyms[epoch];
	for (unsigned i = 0; i < s->opts->n_trackers; i++)
		opts.epochs[opts.n_epochs++] = s->trackers[i].name;
	ht_audit_narrow(&opts);
	if (s->began)
		opts.query.filter.size = s->size;
	code = ht_audit_list(&opts, &s->faith, add_look, s, &result);
	if (code == HT_AUDIT_OK)
		take_result(s, &result);
	ht_audit_result_fini(&result);
	return code;
}

/* What was erased can be found by nobody: that much is said. */
static enum ht_err
add_erasure(void *arg, const struct ht_row *row)
{
	struct subject *s = arg;
	struct ht_erase_said said;

	if (ht_erase_said_decode(row->entry.payload, &said) != HT_OK)
		return HT_EINTEGRITY;
	if (said.bodies)
		return HT_OK;
	s->erasures++;
	ht_buf_fmt(&s->erased, "erased     entry %llu: %llu tags (",
	    (unsigned long long)row->seq, (unsigned long long)said.count);
	ht_text_safe(&s->erased, said.scope);
	ht_buf_str(&s->erased, "), under ");
	ht_text_safe(&s->erased, said.basis);
	ht_buf_str(&s->erased, "\n");
	return s->erased.err;
}

static enum ht_err
add_disclosed(void *arg, const struct ht_row *row)
{
	struct subject *s = arg;
	struct ht_disclose_said said;

	if (ht_disclose_said_decode(row->entry.payload, &said) != HT_OK)
		return HT_EINTEGRITY;
	while (s->n_disclosed + said.n > s->cap_disclosed) {
		size_t cap = s->cap_disclosed == 0 ? 128 : 2 * s->cap_disclosed;
		uint64_t *more = realloc(s->disclosed, cap * sizeof(*more));

		if (more == NULL)
			return HT_ENOMEM;
		s->disclosed = more;
		s->cap_disclosed = cap;
	}
	for (size_t i = 0; i < said.n; i++)
		s->disclosed[s->n_disclosed++] = said.entries[i];
	return HT_OK;
}

/* All entries of a type, in a question of its own. */
static int
ask_type(struct subject *s, int type,
    enum ht_err (*each)(void *arg, const struct ht_row *row))
{
	struct ht_audit_opts opts = *s->opts;
	struct ht_slice why = opts.query.why;

	opts.query = HT_QUERY_ALL;
	opts.query.why = why;
	opts.query.filter.type = type;
	return ask(s, &opts, each);
}

/* An item is hidden from its subject by a rule, until an order says else. */
static int
ask_disclosed(struct subject *s)
{
	return s->faith.trust == NULL
	           ? HT_AUDIT_OK
	           : ask_type(s, HT_ENTRY_DISCLOSE, add_disclosed);
}

static int
open_annexes(struct subject *s)
{
	int code = HT_AUDIT_OK;

	for (unsigned i = 0; i < annexes(s) && code == HT_AUDIT_OK; i++) {
		code = ht_audit_open_key(s->opts->annexes[i], HT_KEY_ANNEX,
		    &s->opened[i], &s->files[i]);
		s->keys[i] = (struct ht_look_key){
		    .epoch = s->files[i].name, .annex = s->opened[i]};
	}
	return code;
}

/* In a lone volume time ends where it does. */
static void
end_looks(struct subject *s)
{
	uint64_t size = s->opts->query.filter.size;

	if (s->opts->volume == NULL) {
		ht_looks_end(&s->looks, ht_clock_wall_ms());
		return;
	}
	s->cut.size = s->size;
	ht_looks_end(&s->looks,
	    ht_subject_part_ends_ms(s->opts, size > 0 ? size : s->size));
	ht_subject_part_looks(&s->cut, &s->looks);
}

static int
ask_all(struct subject *s)
{
	int code = ht_audit_faith(s->opts, &s->faith);

	if (code == HT_AUDIT_OK)
		code = ht_audit_identity(&s->faith, s->opts->subject);
	if (code == HT_AUDIT_OK)
		code = open_annexes(s);
	if (code == HT_AUDIT_OK)
		code = open_trackers(s);
	if (s->opts->volume != NULL)
		s->cut.begin = ht_log_begin(s->opts->log);
	for (unsigned i = 0; i < s->opts->n_trackers && code == HT_AUDIT_OK;
	     i++)
		code = ask_epoch(s, i);
	if (code == HT_AUDIT_OK)
		code = ask_type(s, HT_ENTRY_ERASE, add_erasure);
	if (code == HT_AUDIT_OK)
		code = ask_disclosed(s);
	end_looks(s);
	return code;
}

/* ---- what the subject may not know yet ---- */

/* By an order: its request, or its answer. */
static bool
is_disclosed(const struct subject *s, const struct ht_look *look)
{
	for (size_t i = 0; i < s->n_disclosed; i++)
		if ((look->asked && s->disclosed[i] == look->ask_seq) ||
		    (look->answered && s->disclosed[i] == look->answer_seq))
			return true;
	return false;
}

/*
 * By the item's rule.  An item that the documents at hand do not have could
 * have any rule, so its looks are hidden.
 */
static bool
is_hidden(const struct subject *s, const struct ht_look *look, uint64_t *ret_us,
    const char **ret_why)
{
	const struct ht_item *item =
	    s->faith.trust == NULL
	        ? NULL
	        : ht_trust_item(s->faith.trust, ht_slice_str(look->item),
	              look->item_version);

	*ret_us = 0;
	*ret_why = "";
	if (item == NULL)
		return true;
	if (item->notify == HT_NOTIFY_NOW)
		return false;
	*ret_why = item->notify_reason;
	if (item->notify == HT_NOTIFY_NEVER)
		return true;
	*ret_us = look->time_us + item->notify_ms * 1000;
	return *ret_us > ht_clock_wall_us();
}

/* A report to the subject: what is hidden is counted, and left out. */
static void
leave_out(struct subject *s)
{
	struct ht_looks *looks = &s->looks;
	bool no_date = false;
	size_t kept = 0;

	for (size_t i = 0; i < looks->n; i++) {
		const char *why;
		uint64_t us;

		bool hidden = is_hidden(s, &looks->at[i], &us, &why);
		bool ordered = hidden && is_disclosed(s, &looks->at[i]);

		s->shown += ordered;
		if (!hidden || ordered) {
			looks->at[kept++] = looks->at[i];
			continue;
		}
		s->hidden++;
		no_date |= us == 0;
		if (us > s->hidden_us)
			s->hidden_us = us;
	}
	looks->n = kept;
	if (no_date)
		s->hidden_us = 0;
}

/* ---- what a look says ---- */

/* Names where the catalog is at hand, else numbers of fields. */
static void
released_text(
    const struct subject *s, const struct ht_look *look, struct ht_buf *out)
{
	struct ht_slice bits = HT_SLICE(look->released, look->released_len);
	const struct ht_item *item =
	    s->faith.trust == NULL
	        ? NULL
	        : ht_trust_item(s->faith.trust, ht_slice_str(look->item),
	              look->item_version);
	size_t fields =
	    item == NULL ? bits.len * 8 : ht_schema_fields(item->record);

	for (size_t i = 0; i < fields; i++) {
		if (!ht_released_get(bits, i))
			continue;
		ht_buf_str(out, out->len > 0 ? " " : "");
		if (item != NULL)
			ht_buf_str(out, ht_schema_field(item->record, i));
		else
			ht_buf_fmt(out, "field-%zu", i);
	}
}

static uint64_t
entry_of(const struct ht_look *look)
{
	return look->asked ? look->ask_seq : look->answer_seq;
}

/* ---- rows for people ---- */

static const struct ht_column columns[] = {
    {"entry",     true },
    {"time",      false},
    {"who",       false},
    {"officer",   false},
    {"case",      false},
    {"from",      false},
    {"item",      false},
    {"operation", false},
    {"purpose",   false},
    {"basis",     false},
    {"released",  false},
    {"outcome",   false},
};
#define COLS HT_COUNT(columns)

/* An annex that nobody opened is not an empty one. */
static struct ht_slice
annex_text(const struct ht_look *look, const char *text)
{
	return ht_slice_str(look->opened ? text : look->asked ? "sealed" : "");
}

static enum ht_err
print_cells(
    const struct subject *s, const struct ht_look *look, struct ht_table *table)
{
	HT_AUTO(ht_buf_fini) struct ht_buf released = HT_BUF(64 * 1024);
	char seq[24], time[HT_TIME_SIZE];
	struct ht_slice cells[COLS];

	released_text(s, look, &released);
	(void)snprintf(
	    seq, sizeof(seq), "%llu", (unsigned long long)entry_of(look));
	ht_time_text(time, look->time_us);
	cells[0] = ht_slice_str(seq);
	cells[1] = ht_slice_str(time);
	cells[2] = ht_slice_str(look->asker);
	cells[3] = annex_text(look, look->officer);
	cells[4] = annex_text(look, look->casefile);
	cells[5] = ht_slice_str(look->provider);
	cells[6] = ht_slice_str(look->item);
	cells[7] = ht_slice_str(ht_operation_text(look->operation));
	cells[8] = ht_slice_str(look->purpose);
	cells[9] = ht_slice_str(look->basis);
	cells[10] = ht_buf_slice(&released);
	cells[11] = ht_slice_str(ht_look_end_text(look->end));
	if (table == NULL)
		return ht_csv_row(s->out, cells, COLS);
	ht_table_add(table, cells);
	return released.err;
}

static enum ht_err
print_table(const struct subject *s)
{
	HT_AUTO(ht_table_free) struct ht_table *table = NULL;
	enum ht_err err = ht_table_new(columns, COLS, &table);

	for (size_t i = 0; i < s->looks.n && err == HT_OK; i++)
		err = print_cells(s, &s->looks.at[i], table);
	return err == HT_OK ? ht_table_print(table, s->out) : err;
}

static enum ht_err
print_csv(const struct subject *s)
{
	struct ht_slice heads[COLS];
	enum ht_err err;

	for (size_t i = 0; i < COLS; i++)
		heads[i] = ht_slice_str(columns[i].name);
	err = ht_csv_row(s->out, heads, COLS);
	for (size_t i = 0; i < s->looks.n && err == HT_OK; i++)
		err = print_cells(s, &s->looks.at[i], NULL);
	return err;
}

/* ---- rows for programs ---- */

static enum ht_err
print_json(struct subject *s, const json_t *json)
{
	return json == NULL
	           ? HT_ENOMEM
	           : ht_audit_print_json(json, &s->json, &s->line, s->out);
}

/* json_object_set_new() takes the value over, and refuses NULL. */
static void
set_text(json_t *object, const char *name, const char *text)
{
	if (text[0] != '\0')
		(void)json_object_set_new(object, name, json_string(text));
}

static void
set_id(json_t *object, const char *name, const struct ht_id *id)
{
	char hex[2 * HT_ID_SIZE + 1];

	ht_hex(hex, id->at, HT_ID_SIZE);
	set_text(object, name, hex);
}

static void
set_time(json_t *object, const char *name, uint64_t us)
{
	char text[HT_TIME_SIZE];

	ht_time_text(text, us);
	set_text(object, name, text);
}

static void
set_seq(json_t *object, const char *name, uint64_t seq)
{
	(void)json_object_set_new(object, name, json_integer((json_int_t)seq));
}

static json_t *
look_json(const struct subject *s, const struct ht_look *look)
{
	HT_AUTO(ht_buf_fini) struct ht_buf released = HT_BUF(64 * 1024);
	json_t *o = json_object();

	if (o == NULL)
		return NULL;
	released_text(s, look, &released);
	set_time(o, "time", look->time_us);
	set_text(o, "who", look->asker);
	set_text(o, "officer", look->officer);
	set_text(o, "case", look->casefile);
	set_text(o, "provider", look->provider);
	set_text(o, "item", look->item);
	set_seq(o, "item_version", look->item_version);
	set_text(o, "operation", ht_operation_text(look->operation));
	set_text(o, "purpose", look->purpose);
	set_text(o, "basis", look->basis);
	if (released.len > 0)
		set_text(o, "released", ht_buf_text(&released));
	set_text(o, "outcome", ht_look_end_text(look->end));
	set_id(o, "exchange", &look->exchange);
	if (look->asked)
		set_seq(o, "request_entry", look->ask_seq);
	if (look->answered)
		set_seq(o, "answer_entry", look->answer_seq);
	return o;
}

static enum ht_err
print_jsonl(struct subject *s)
{
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < s->looks.n && err == HT_OK; i++) {
		HT_AUTO(ht_json_free)
		json_t *json = look_json(s, &s->looks.at[i]);

		err = print_json(s, json);
	}
	return err;
}

/* ---- the tracker's form ---- */

static void
set_null(json_t *object, const char *name)
{
	(void)json_object_set_new(object, name, json_null());
}

static void
set_hidden(const struct subject *s, const struct ht_look *look, json_t *o)
{
	const char *why = "";
	uint64_t us = 0;
	bool hidden = s->faith.trust != NULL && !is_disclosed(s, look) &&
	              is_hidden(s, look, &us, &why);

	if (hidden && us > 0)
		set_time(o, "hiddenUntil", us);
	else
		set_null(o, "hiddenUntil");
	if (hidden && why[0] != '\0')
		set_text(o, "hiddenReason", why);
	else
		set_null(o, "hiddenReason");
}

static json_t *
usage(const struct subject *s, const struct ht_look *look, bool answer)
{
	json_t *o = json_object();

	if (o == NULL)
		return NULL;
	set_time(o, "logTime", answer ? look->answer_us : look->ask_us);
	set_text(o, "purpose", look->purpose);
	set_text(o, "initiatorOrg", look->asker);
	set_text(o, "initiatorPerson", look->officer);
	set_text(o, "target", look->provider);
	set_id(o, "queryId", answer ? &look->answer_record : &look->ask_record);
	set_id(o, "queryGroupId", &look->exchange);
	set_text(o, "legalBasis", look->basis);
	set_null(o, "consentReference");
	(void)json_object_set_new(o, "bulkProcessing", json_false());
	set_hidden(s, look, o);
	return o;
}

static enum ht_err
print_tracker(struct subject *s)
{
	HT_AUTO(ht_json_free) json_t *all = json_object();
	json_t *asks = json_array(), *answers = json_array();
	size_t n = 0;

	for (size_t i = 0; i < s->looks.n; i++) {
		const struct ht_look *look = &s->looks.at[i];

		if (look->asked)
			(void)json_array_append_new(
			    asks, usage(s, look, false));
		if (look->answered)
			(void)json_array_append_new(
			    answers, usage(s, look, true));
		n += look->asked + look->answered;
	}
	if (all == NULL || asks == NULL || answers == NULL ||
	    json_array_size(asks) + json_array_size(answers) != n) {
		json_decref(asks);
		json_decref(answers);
		return HT_ENOMEM;
	}
	set_seq(all, "totalUsages", n);
	set_seq(all, "returnedUsages", n);
	(void)json_object_set_new(all, "dataRequests", asks);
	(void)json_object_set_new(all, "dataResponses", answers);
	(void)json_object_set_new(all, "dataProcessings", json_array());
	(void)json_object_set_new(all, "internalProcessings", json_array());
	return print_json(s, all);
}

/* ---- the verb ---- */

static void
print_hidden(const struct subject *s, FILE *out)
{
	char until[HT_TIME_SIZE];

	if (s->shown > 0)
		fprintf(out,
		    "disclosed  %zu looks before their time, by order\n",
		    s->shown);
	if (s->hidden == 0)
		return;
	ht_time_text(until, s->hidden_us);
	fprintf(out, "hidden     %zu looks are hidden from the subject%s%s\n",
	    s->hidden, s->hidden_us > 0 ? ", at the latest until " : "",
	    s->hidden_us > 0 ? until : ", some without a date");
}

/* Each epoch's list covers the log once. */
static void
print_complete(const struct subject *s, FILE *out)
{
	fprintf(out, "complete   proven: ");
	if (s->list.rolls == 0)
		fprintf(out, "every entry of the range was looked at\n");
	else
		fprintf(out,
		    "no look is missing. %llu rolls say so of %llu entries, "
		    "which hutong-audit verify makes anew; %llu were looked "
		    "at themselves\n",
		    (unsigned long long)s->list.rolls,
		    (unsigned long long)s->list.rolled,
		    (unsigned long long)s->list.whole);
	if (s->opts->output != NULL)
		fprintf(out,
		    "kept       in %s, which hutong-audit verify "
		    "checks with no log at hand\n",
		    s->opts->output);
}

/* As it was asked, with the conditions that a look must meet. */
static void
print_question(const struct subject *s, FILE *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(16 * 1024);
	HT_AUTO(ht_buf_fini) struct ht_buf line = HT_BUF(16 * 1024);
	const char *rest;

	ht_query_text(&s->opts->query, &text);
	rest = ht_buf_text(&text);
	ht_text_safe(&line, ht_slice_str(s->opts->subject));
	ht_buf_fmt(&line, "%s%s", s->opts->for_subject ? " for-subject" : "",
	    rest != NULL ? rest + strcspn(rest, " ") : "");
	fprintf(out, "query      subject %s\n",
	    ht_buf_text(&line) != NULL ? ht_buf_text(&line) : "");
}

/* Whoever finds nothing must see that it was asked of a part of the time. */
static void
print_period(const struct subject *s, FILE *out)
{
	const struct ht_filter *f = &s->opts->query.filter;
	char from[HT_TIME_SIZE], to[HT_TIME_SIZE];
	uint64_t start = f->start_seq;

	ht_time_text(from, f->from_us);
	ht_time_text(to, f->to_us);
	fprintf(out, "period     %s%s%s%s%s\n",
	    f->from_us > 0 || f->to_us > 0 ? "" : "all time",
	    f->from_us > 0 ? "from " : "", f->from_us > 0 ? from : "",
	    f->to_us == 0    ? ""
	    : f->from_us > 0 ? " to before "
	                     : "before ",
	    f->to_us > 0 ? to : "");
	if (s->cut.begin > start)
		start = s->cut.begin;
	if (s->size > start)
		fprintf(out, "range      entries %llu to %llu\n",
		    (unsigned long long)start, (unsigned long long)s->size - 1);
	else
		fprintf(out, "range      no entry\n");
}

static void
print_head(const struct subject *s, FILE *out)
{
	char root[2 * HT_HASH_SIZE + 1];

	ht_hex(root, s->first.checkpoint.root.at, HT_HASH_SIZE);
	ht_audit_footer_by(&s->first, out);
	print_question(s, out);
	print_period(s, out);
	ht_audit_footer_removed(&s->first, out);
	fprintf(out, "as of      %llu entries, root %s\n",
	    (unsigned long long)s->size, root);
	ht_audit_footer_at(s->opts, &s->first, out);
	fprintf(out, "checkpoint %s\n", s->first.judged.text);
}

static void
print_footer(const struct subject *s, FILE *out)
{
	print_head(s, out);
	fprintf(out,
	    "looks      %zu, from %llu entries, each proven to be in that log "
	    "and about this subject; %u epochs asked for\n",
	    s->looks.n, (unsigned long long)s->rows, s->opts->n_trackers);
	print_complete(s, out);
	print_hidden(s, out);
	ht_subject_part_footer(s->opts, &s->cut, &s->list, s->hidden > 0, out);
	if (s->erased.len > 0)
		fwrite(s->erased.at, 1, s->erased.len, out);
	if (s->looks.n_false > 0)
		fprintf(out,
		    "FALSE      %llu annexes do not say what their senders "
		    "committed to, first in entry %llu\n",
		    (unsigned long long)s->looks.n_false,
		    (unsigned long long)s->looks.false_seq);
	if (s->noted)
		fprintf(out,
		    "logged     these %llu questions are entries %llu to "
		    "%llu\n",
		    (unsigned long long)s->questions,
		    (unsigned long long)s->first.place,
		    (unsigned long long)s->last_place);
	ht_audit_footer_hash(&s->first.output, out);
}

static enum ht_err
print_rows(struct subject *s)
{
	switch (s->opts->format) {
	case HT_AUDIT_JSONL:
		return print_jsonl(s);
	case HT_AUDIT_CSV:
		return print_csv(s);
	case HT_AUDIT_TRACKER:
		return print_tracker(s);
	default:
		return print_table(s);
	}
}

static int
print_looks(struct subject *s)
{
	struct ht_audit_out out;
	enum ht_err err = ht_audit_out_open(&out), end;

	s->out = out.file;
	if (err == HT_OK)
		err = print_rows(s);
	end = ht_audit_out_close(&out, &s->first.output);
	if (err == HT_OK)
		err = end;
	if (err == HT_OK && s->opts->format == HT_AUDIT_TABLE && s->looks.n > 0)
		putchar('\n');
	if (err == HT_OK)
		return HT_AUDIT_OK;
	ht_audit_say("the looks could not be printed: %s", ht_err_text(err));
	return HT_AUDIT_GONE;
}

int
ht_audit_look(const struct ht_audit_opts *opts)
{
	HT_AUTO(ht_mem_free) struct subject *s = calloc(1, sizeof(*s));
	int code;

	if (s == NULL) {
		ht_audit_say("out of memory");
		return HT_AUDIT_GONE;
	}
	s->opts = opts;
	s->json =
	    HT_BUF((size_t)64 << 20); /* the tracker's form is one object */
	s->line = HT_BUF((size_t)256 << 20);
	s->erased = HT_BUF((size_t)1 << 20);
	code = ask_all(s);
	if (code == HT_AUDIT_OK && opts->for_subject)
		leave_out(s);
	if (code == HT_AUDIT_OK)
		code = print_looks(s);
	if (code == HT_AUDIT_OK) {
		print_footer(
		    s, opts->format == HT_AUDIT_TABLE ? stdout : stderr);
		if (s->looks.n_false > 0)
			code = HT_AUDIT_BAD;
		else if (s->looks.n == 0 && s->hidden == 0)
			code = HT_AUDIT_NONE;
	}
	subject_fini(s);
	return code;
}

static int
by_entry(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int
pick_hidden(const struct subject *s, uint64_t **ret, size_t *ret_n)
{
	uint64_t *entries = calloc(s->looks.n + 1, sizeof(*entries));
	size_t n = 0;

	if (entries == NULL) {
		ht_audit_say("out of memory");
		return HT_AUDIT_GONE;
	}
	for (size_t i = 0; i < s->looks.n; i++) {
		const struct ht_look *look = &s->looks.at[i];
		const char *why;
		uint64_t us;

		if (is_hidden(s, look, &us, &why) && !is_disclosed(s, look))
			entries[n++] =
			    look->asked ? look->ask_seq : look->answer_seq;
	}
	qsort(entries, n, sizeof(*entries), by_entry);
	*ret = entries;
	*ret_n = n;
	return HT_AUDIT_OK;
}

int
ht_audit_hidden(const struct ht_audit_opts *opts, uint64_t **ret, size_t *ret_n)
{
	HT_AUTO(ht_mem_free) struct subject *s = calloc(1, sizeof(*s));
	struct ht_audit_opts own = *opts;
	int code;

	if (s == NULL) {
		ht_audit_say("out of memory");
		return HT_AUDIT_GONE;
	}
	own.output = NULL; /* the draft's, not a proof's */
	s->opts = &own;
	s->erased = HT_BUF((size_t)1 << 20);
	code = ask_all(s);
	if (code == HT_AUDIT_OK)
		code = pick_hidden(s, ret, ret_n);
	subject_fini(s);
	return code;
}
