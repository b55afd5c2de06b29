/*
 * explain_show.c -- an exchange explained: a sheet and its reasons, a line of
 * JSON, or a row of CSV.
 */
#include <string.h>

#include "adapters/cli/explain.h"
#include "adapters/cli/sheet.h"
#include "lib/base/clock.h"

const char *
cli_outcome(const struct ht_told *told)
{
	if (told->status == HT_ST_OK && told->answer == HT_ANSWER_ANSWERED)
		return "answered";
	if (told->served)
		return told->answer == HT_ANSWER_FAILED
		           ? "failed here, at the provider's"
		           : "refused here, by the provider";
	if (!told->sent)
		return "not sent: our own node's decision was no";
	switch (told->by) {
	case HT_WHO_CALLER:
		return "an answer came that does not hold; it was not shown";
	case HT_WHO_PROVIDER:
		return told->answer == HT_ANSWER_FAILED
		           ? "the provider could not answer"
		           : "the provider refused";
	case HT_WHO_OPERATOR:
		return "the broker refused, or ended it";
	default:
		return "no answer came";
	}
}

/* ---- words ---- */

static void
add_time(struct ht_buf *out, uint64_t ms)
{
	char when[HT_TIME_SIZE];

	ht_time_text(when, ms * 1000);
	ht_buf_str(out, when);
}

static void
add_hex(struct ht_buf *out, const void *at, size_t len)
{
	char hex[2 * HT_HASH_SIZE + 1];

	ht_hex(hex, at, len);
	ht_buf_str(out, hex);
}

static bool
is_zero(const void *at, size_t len)
{
	static const uint8_t zeros[HT_HASH_SIZE];

	return memcmp(at, zeros, len) == 0;
}

/* Fields have names in the item's document of then, else numbers. */
static void
add_released(struct ht_buf *out, const struct cli_explained *e)
{
	const struct ht_told *told = e->told;
	struct ht_slice bits = HT_SLICE(told->released, told->released_len);
	size_t from = out->len;

	for (size_t i = 0; i < told->released_len * 8; i++) {
		if (!ht_released_get(bits, i))
			continue;
		if (out->len > from)
			ht_buf_str(out, ", ");
		if (e->item != NULL &&
		    i < ht_schema_fields(e->item->item->record))
			ht_buf_str(
			    out, ht_schema_field(e->item->item->record, i));
		else
			ht_buf_fmt(out, "field %zu", i);
	}
	if (told->released_len > 0 && out->len == from)
		ht_buf_str(out, "none");
}

static void
add_places(struct ht_buf *out, const struct ht_told *told)
{
	if (told->request_place > 0)
		ht_buf_fmt(out, "request at %llu",
		    (unsigned long long)told->request_place);
	if (told->response_place > 0)
		ht_buf_fmt(out, "%sits end at %llu", out->len > 0 ? ", " : "",
		    (unsigned long long)told->response_place);
	if (out->len > 0 && told->proven)
		ht_buf_str(out, "; proven");
}

/* ---- whose signatures ---- */

/* Whoever may sign such a document, as far as today's copy knows them. */
static bool
is_signer(const struct cli_explained *e, const struct ht_doc *doc,
    const struct ht_note_sig *sig)
{
	const struct ht_root *root = ht_trust_root(e->now.trust);
	const struct ht_member *provider =
	    ht_trust_member(e->now.trust, ht_slice_str(e->told->provider));

	for (unsigned i = 0; i < root->n_officers; i++)
		if (ht_note_by(sig, &root->officers[i]))
			return ht_doc_signed_by(doc, &root->officers[i]);
	for (unsigned i = 0; provider != NULL && i < provider->n_officers; i++)
		if (ht_note_by(sig, &provider->officers[i]))
			return ht_doc_signed_by(doc, &provider->officers[i]);
	return false;
}

static void
add_signers(
    struct ht_buf *out, const struct cli_explained *e, const struct ht_doc *doc)
{
	struct ht_note note;

	if (ht_note_parse(doc->bytes, &note) != HT_OK)
		return;
	ht_buf_str(out, ", signed by ");
	for (size_t i = 0; i < note.n_sigs; i++) {
		const struct ht_note_sig *sig = &note.sigs[i];

		ht_buf_fmt(out, "%s%.*s%s", i > 0 ? ", " : "",
		    (int)sig->name.len, (const char *)sig->name.at,
		    is_signer(e, doc, sig) ? ""
		                           : " (a key not in force today)");
	}
}

static void
add_doc(struct ht_buf *out, const struct cli_explained *e,
    const struct ht_doc *doc, const char *name, uint64_t today)
{
	if (doc == NULL) {
		ht_buf_fmt(out, "%s: not in that snapshot", name);
		return;
	}
	ht_buf_fmt(out, "%s revision %llu", doc->name,
	    (unsigned long long)doc->revision);
	if (today != doc->revision)
		ht_buf_fmt(out, " (today %llu)", (unsigned long long)today);
	add_signers(out, e, doc);
}

static uint64_t
item_today(const struct cli_explained *e)
{
	const struct ht_item *item = ht_trust_item(
	    e->now.trust, ht_slice_str(e->told->item), e->told->version);

	return item != NULL ? item->revision : 0;
}

static uint64_t
grant_today(const struct cli_explained *e)
{
	const struct ht_grant *grant =
	    ht_trust_grant(e->now.trust, ht_slice_str(e->told->grant));

	return grant != NULL ? grant->revision : 0;
}

static void
add_keys(struct ht_buf *out, const struct ht_told *told)
{
	ht_buf_str(out, "sealed to ");
	add_hex(out, told->sealed_to.at, HT_KEYID_SIZE);
	ht_buf_fmt(out, " of %s", told->provider);
	if (is_zero(told->signed_by.at, HT_KEYID_SIZE))
		return;
	ht_buf_fmt(out, "; %s signed by ", told->served ? "request" : "answer");
	add_hex(out, told->signed_by.at, HT_KEYID_SIZE);
	if (told->served)
		ht_buf_fmt(out, " of %s/%s", told->consumer, told->node);
	else
		ht_buf_fmt(out, " of %s/%s", told->provider, told->answerer);
}

/* ---- for people ---- */

static void
fill_sheet(struct cli_sheet *sheet, const struct cli_explained *e)
{
	const struct ht_told *t = e->told;
	struct ht_buf *out = &sheet->text;

	add_hex(out, t->exchange.at, HT_ID_SIZE);
	cli_sheet_line(sheet, "exchange");
	ht_buf_fmt(out, "%s/%s, of %s, ", t->consumer, t->node, t->provider);
	add_time(out, t->created_ms);
	cli_sheet_line(sheet, "asked by");
	ht_buf_fmt(out, "%s %s version %u, for %s, on %s, by grant %s",
	    ht_operation_text(t->operation), t->item, t->version,
	    t->purpose[0] != '\0' ? t->purpose : "no purpose", t->basis,
	    t->grant);
	cli_sheet_line(sheet, "what");
	ht_buf_fmt(out, "%s, ", cli_outcome(t));
	add_time(out, t->ended_ms);
	cli_sheet_line(sheet, "outcome");
	add_released(out, e);
	cli_sheet_line(sheet, "released");
	add_places(out, t);
	cli_sheet_line(sheet, "log");
	ht_buf_fmt(out, "%llu, ", (unsigned long long)t->snapshot);
	add_hex(out, t->snapshot_hash.at, HT_HASH_SIZE);
	cli_sheet_line(sheet, "snapshot");
	add_doc(out, e, e->item, t->item, item_today(e));
	cli_sheet_line(sheet, "item");
	add_doc(out, e, e->grant, t->grant, grant_today(e));
	cli_sheet_line(sheet, "grant");
	if (t->sent)
		add_keys(out, t);
	cli_sheet_line(sheet, "keys");
}

static enum ht_err
print_reasons(const struct ht_reasons *reasons, const char *under)
{
	HT_AUTO(cli_reasons_fini) struct cli_reasons rows = {0};
	enum ht_err err = cli_reasons_add(&rows, under, reasons);

	return err == HT_OK ? cli_reasons_table(&rows) : err;
}

static bool
same(const struct ht_reasons *a, const struct ht_reasons *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (a->at[i].code != b->at[i].code ||
		    strcmp(a->at[i].detail, b->at[i].detail) != 0)
			return false;
	return true;
}

/* What the decision on the header says, on one snapshot. */
static enum ht_err
print_again(const struct cli_explained *e, const struct cli_again *again,
    const char *when)
{
	const struct ht_verdict *v = &again->verdict;
	const char *name = v->grant != NULL ? v->grant->name : "";

	printf("\n%s, on snapshot %llu: ", when,
	    (unsigned long long)ht_trust_version(again->trust));
	if (v->allow) {
		printf("its header is allowed, by grant %s\n", name);
		return HT_OK;
	}
	if (same(&v->reasons, &e->told->reasons)) {
		printf("no, for the same reason%s\n",
		    v->reasons.n == 1 ? "" : "s");
		return HT_OK;
	}
	printf("no, for %u reason%s\n", v->reasons.n,
	    v->reasons.n == 1 ? "" : "s");
	return print_reasons(&v->reasons, name);
}

static enum ht_err
show_table(const struct cli_explained *e)
{
	HT_AUTO(cli_sheet_fini) struct cli_sheet sheet = {0};
	enum ht_err err = cli_sheet_open(&sheet, "WHAT", "OF THIS EXCHANGE");

	if (err != HT_OK)
		return err;
	fill_sheet(&sheet, e);
	err = cli_sheet_print(&sheet);
	if (err == HT_OK && e->told->reasons.n > 0) {
		printf("\nwhat was said then\n");
		err = print_reasons(&e->told->reasons, e->told->grant);
	}
	if (err == HT_OK && e->then.trust != NULL)
		err = print_again(e, &e->then, "decided again as of then");
	else if (err == HT_OK)
		printf("\nsnapshot %llu is not kept here any more, to decide "
		       "again as of then: --then names a copy of it\n",
		    (unsigned long long)e->told->snapshot);
	if (err == HT_OK)
		err = print_again(e, &e->now, "decided now");
	return err;
}

/* ---- for programs ---- */

static void
set_time(json_t *o, const char *name, uint64_t ms)
{
	char when[HT_TIME_SIZE];

	ht_time_text(when, ms * 1000);
	ht_json_set_text(o, name, ht_slice_str(when));
}

static json_t *
reasons_json(const struct ht_reasons *reasons)
{
	HT_AUTO(cli_reasons_fini) struct cli_reasons rows = {0};

	if (cli_reasons_add(&rows, "", reasons) != HT_OK)
		return NULL;
	return cli_reasons_json(&rows);
}

static json_t *
told_json(const struct ht_told *t)
{
	json_t *o = json_object();

	ht_json_set_hex(o, "exchange", t->exchange.at, HT_ID_SIZE);
	ht_json_set_hex(o, "record", t->record.at, HT_ID_SIZE);
	ht_json_set_text(
	    o, "role", ht_slice_str(t->served ? "served" : "asked"));
	set_time(o, "created", t->created_ms);
	set_time(o, "ended", t->ended_ms);
	ht_json_set_text(o, "consumer", ht_slice_str(t->consumer));
	ht_json_set_text(o, "node", ht_slice_str(t->node));
	ht_json_set_text(o, "provider", ht_slice_str(t->provider));
	ht_json_set_text(o, "item", ht_slice_str(t->item));
	ht_json_set_uint(o, "version", t->version);
	ht_json_set_text(
	    o, "operation", ht_slice_str(ht_operation_text(t->operation)));
	ht_json_set_text(o, "purpose", ht_slice_str(t->purpose));
	ht_json_set_text(o, "basis", ht_slice_str(t->basis));
	ht_json_set_text(o, "grant", ht_slice_str(t->grant));
	(void)json_object_set_new(o, "sent", json_boolean(t->sent));
	if (t->sent)
		ht_json_set_hex(o, "header", t->request.at, HT_HASH_SIZE);
	ht_json_set_text(o, "outcome", ht_slice_str(cli_outcome(t)));
	ht_json_set_uint(o, "status", t->status);
	ht_json_set_uint(o, "request_place", t->request_place);
	ht_json_set_uint(o, "response_place", t->response_place);
	(void)json_object_set_new(o, "proven", json_boolean(t->proven));
	ht_json_set_uint(o, "snapshot", t->snapshot);
	ht_json_set_hex(o, "snapshot_hash", t->snapshot_hash.at, HT_HASH_SIZE);
	(void)json_object_set_new(o, "reasons", reasons_json(&t->reasons));
	return o;
}

static json_t *
again_json(const struct cli_again *again)
{
	json_t *o;

	if (again->trust == NULL)
		return json_null();
	o = json_object();
	(void)json_object_set_new(
	    o, "allow", json_boolean(again->verdict.allow));
	ht_json_set_uint(o, "snapshot", ht_trust_version(again->trust));
	(void)json_object_set_new(
	    o, "reasons", reasons_json(&again->verdict.reasons));
	return o;
}

static enum ht_err
show_jsonl(const struct cli_explained *e)
{
	HT_AUTO(ht_json_free) json_t *o = told_json(e->told);
	HT_AUTO(ht_buf_fini) struct ht_buf released = HT_BUF(65536);

	add_released(&released, e);
	ht_json_set_text(o, "released", ht_buf_slice(&released));
	if (e->item != NULL)
		ht_json_set_uint(o, "item_revision", e->item->revision);
	if (e->grant != NULL)
		ht_json_set_uint(o, "grant_revision", e->grant->revision);
	(void)json_object_set_new(o, "then", again_json(&e->then));
	(void)json_object_set_new(o, "now", again_json(&e->now));
	return cli_json_line(o);
}

/* ---- one line each ---- */

#define COLUMNS 10
static const struct ht_column columns[COLUMNS] = {
    {"EXCHANGE",  false},
    {"ENDED",     false},
    {"CONSUMER",  false},
    {"PROVIDER",  false},
    {"ITEM",      false},
    {"OPERATION", false},
    {"GRANT",     false},
    {"OUTCOME",   false},
    {"REASONS",   false},
    {"ENTRY",     true }
};

static enum ht_err
add_row(struct ht_table *table, const struct ht_told *t)
{
	HT_AUTO(ht_buf_fini) struct ht_buf id = HT_BUF(64);
	HT_AUTO(ht_buf_fini) struct ht_buf when = HT_BUF(64);
	HT_AUTO(ht_buf_fini) struct ht_buf codes = HT_BUF(1024);
	HT_AUTO(ht_buf_fini) struct ht_buf place = HT_BUF(64);
	struct ht_slice cells[COLUMNS];

	add_hex(&id, t->exchange.at, HT_ID_SIZE);
	add_time(&when, t->ended_ms);
	for (unsigned i = 0; i < t->reasons.n; i++)
		ht_buf_fmt(&codes, "%s%s", i > 0 ? " " : "",
		    ht_status_name(t->reasons.at[i].code));
	if (t->request_place > 0)
		ht_buf_fmt(
		    &place, "%llu", (unsigned long long)t->request_place);
	cells[0] = ht_buf_slice(&id);
	cells[1] = ht_buf_slice(&when);
	cells[2] = ht_slice_str(t->consumer);
	cells[3] = ht_slice_str(t->provider);
	cells[4] = ht_slice_str(t->item);
	cells[5] = ht_slice_str(ht_operation_text(t->operation));
	cells[6] = ht_slice_str(t->grant);
	cells[7] = ht_slice_str(cli_outcome(t));
	cells[8] = ht_buf_slice(&codes);
	cells[9] = ht_buf_slice(&place);
	ht_table_add(table, cells);
	return codes.err;
}

enum ht_err
cli_told_show(const struct ht_told *told, size_t n, enum cli_format format)
{
	HT_AUTO(ht_table_free) struct ht_table *table = NULL;
	enum ht_err err = HT_OK;

	for (size_t i = 0; format == CLI_JSONL && i < n && err == HT_OK; i++) {
		HT_AUTO(ht_json_free) json_t *o = told_json(&told[i]);

		err = cli_json_line(o);
	}
	if (format == CLI_JSONL)
		return err;
	err = ht_table_new(columns, COLUMNS, &table);
	for (size_t i = 0; i < n && err == HT_OK; i++)
		err = add_row(table, &told[i]);
	if (err != HT_OK)
		return err;
	return format == CLI_CSV ? ht_table_csv(table, stdout)
	                         : ht_table_print(table, stdout);
}

enum ht_err
cli_explained_show(const struct cli_explained *e, enum cli_format format)
{
	enum ht_err err;

	err = format == CLI_JSONL ? show_jsonl(e) : show_table(e);
	if (err == HT_OK && fflush(stdout) != 0)
		err = HT_ESYSTEM;
	return err;
}
