/*
 * search.c -- hutong-audit search: rows as a table, JSON lines or CSV.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/audit/tool.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/term/table.h"
#include "schemas/json.h"
#include "schemas/status.h"

const char *
ht_audit_status(const struct ht_entry *e, const struct ht_about *about)
{
	if (e->status != 0)
		return ht_status_name(e->status);
	if (about->has_header && about->header.kind == HT_KIND_RESPONSE)
		return ht_answer_text(about->header.status);
	return ht_entry_has_header(e) ? "accepted" : "";
}

/* ---- rows for people ---- */

enum {
	COL_SEQ,
	COL_TIME,
	COL_TYPE,
	COL_FROM,
	COL_TO,
	COL_ITEM,
	COL_PURPOSE,
	COL_STATUS,
	COL_EXCHANGE,
	COLS
};

static const struct ht_column columns[COLS] = {
    {"entry",    true },
    {"time",     false},
    {"type",     false},
    {"from",     false},
    {"to",       false},
    {"item",     false},
    {"purpose",  false},
    {"status",   false},
    {"exchange", false},
};

struct print {
	const struct ht_audit_opts *opts;
	struct ht_table *table;
	struct ht_about about;
	struct ht_buf json;
	enum ht_err err;
};

static enum ht_err
print_cells(struct print *p, const struct ht_row *row)
{
	const struct ht_about *a = &p->about;
	char seq[24], time[HT_TIME_SIZE], exchange[2 * HT_ID_SIZE + 1] = "";
	struct ht_slice cells[COLS];

	(void)snprintf(seq, sizeof(seq), "%llu", (unsigned long long)row->seq);
	ht_time_text(time, row->entry.time_us);
	if (a->has_exchange)
		ht_hex(exchange, a->exchange.at, HT_ID_SIZE);
	cells[COL_SEQ] = ht_slice_str(seq);
	cells[COL_TIME] = ht_slice_str(time);
	cells[COL_TYPE] = ht_slice_str(ht_entry_type_text(row->entry.type));
	cells[COL_FROM] = a->sender;
	cells[COL_TO] = a->recipient;
	cells[COL_ITEM] = a->item;
	cells[COL_PURPOSE] = a->purpose;
	cells[COL_STATUS] = ht_slice_str(ht_audit_status(&row->entry, a));
	cells[COL_EXCHANGE] = ht_slice_str(exchange);
	if (p->opts->format == HT_AUDIT_CSV)
		return ht_csv_row(stdout, cells, COLS);
	ht_table_add(p->table, cells);
	return HT_OK;
}

/* ---- rows for programs ---- */

static void
set_text(json_t *object, const char *name, struct ht_slice text)
{
	if (text.len > 0)
		(void)json_object_set_new(object, name,
		    json_stringn((const char *)text.at, text.len));
}

static void
set_hex(json_t *object, const char *name, const void *at, size_t len)
{
	char hex[2 * HT_HASH_SIZE + 1];

	ht_hex(hex, at, len);
	(void)json_object_set_new(object, name, json_string(hex));
}

static void
set_number(json_t *object, const char *name, uint64_t n)
{
	(void)json_object_set_new(object, name, json_integer((json_int_t)n));
}

static void
set_time(json_t *object, const char *name, uint64_t us)
{
	char text[HT_TIME_SIZE];

	ht_time_text(text, us);
	(void)json_object_set_new(object, name, json_string(text));
}

static void
set_header(json_t *object, const struct ht_header *h)
{
	set_hex(object, "record", h->record.at, HT_ID_SIZE);
	set_text(object, "node", h->node);
	set_number(object, "item_version", h->item_version);
	set_text(
	    object, "operation", ht_slice_str(ht_operation_text(h->operation)));
	set_text(object, "basis", h->basis);
	set_text(object, "grant", h->grant);
	set_time(object, "created", h->created_ms * 1000);
	set_time(object, "expires", h->expires_ms * 1000);
	set_number(object, "body_bytes", h->body_len);
	if (h->kind == HT_KIND_RESPONSE)
		set_text(
		    object, "answer", ht_slice_str(ht_answer_text(h->status)));
	if (h->released.len > 0)
		set_hex(object, "released", h->released.at,
		    h->released.len > HT_HASH_SIZE ? HT_HASH_SIZE
		                                   : h->released.len);
}

static enum ht_err
set_payload(json_t *object, struct ht_slice payload)
{
	json_t *value = NULL;
	enum ht_err err;

	if (ht_pack_check(payload, NULL, NULL) != HT_OK)
		return HT_EINTEGRITY;
	err = ht_pack_to_json(payload, &value);
	if (err == HT_OK)
		(void)json_object_set_new(object, "payload", value);
	return err;
}

static enum ht_err
print_json(struct print *p, const struct ht_row *row)
{
	HT_AUTO(ht_json_free) json_t *object = json_object();
	const struct ht_entry *e = &row->entry;
	const struct ht_about *a = &p->about;
	struct ht_hash leaf = ht_leaf_hash(row->leaf);
	enum ht_err err = HT_OK;

	if (object == NULL)
		return HT_ENOMEM;
	set_number(object, "entry", row->seq);
	set_time(object, "time", e->time_us);
	set_text(object, "type", ht_slice_str(ht_entry_type_text(e->type)));
	set_text(object, "sender", a->sender);
	set_text(object, "recipient", a->recipient);
	set_text(object, "item", a->item);
	set_text(object, "purpose", a->purpose);
	set_number(object, "status", e->status);
	set_text(object, "status_text", ht_slice_str(ht_audit_status(e, a)));
	if (a->has_exchange)
		set_hex(object, "exchange", a->exchange.at, HT_ID_SIZE);
	if (e->cites > 0)
		set_number(object, "request_entry", e->cites - 1);
	set_text(object, "connected_member", e->member);
	set_text(object, "connected_node", e->node);
	if (a->has_header)
		set_header(object, &a->header);
	else
		err = set_payload(object, e->payload);
	set_hex(object, "snapshot", e->snapshot.at, HT_HASH_SIZE);
	set_hex(object, "leaf_hash", leaf.at, HT_HASH_SIZE);
	ht_buf_reset(&p->json);
	if (err == HT_OK)
		err = ht_json_print(object, &p->json);
	if (err != HT_OK)
		return err;
	/* One line a row; a terminal gets nothing it could obey. */
	if (isatty(STDOUT_FILENO)) {
		HT_AUTO(ht_buf_fini)
		struct ht_buf safe = HT_BUF(8 * HT_LEAF_MAX);

		ht_text_safe(&safe, ht_buf_slice(&p->json));
		return puts(ht_buf_text(&safe)) == EOF ? HT_ESYSTEM : HT_OK;
	}
	return puts(ht_buf_text(&p->json)) == EOF ? HT_ESYSTEM : HT_OK;
}

static enum ht_err
print_row(void *arg, const struct ht_row *row)
{
	struct print *p = arg;
	enum ht_err err = ht_row_about(row, &p->about);

	if (err == HT_OK)
		err = p->opts->format == HT_AUDIT_JSONL ? print_json(p, row)
		                                        : print_cells(p, row);
	p->err = err;
	return err;
}

/* ---- the footer ---- */

void
ht_audit_footer(const struct ht_audit_opts *opts,
    const struct ht_audit_result *r, FILE *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(16 * 1024);
	char root[2 * HT_HASH_SIZE + 1], salt[2 * HT_SALT_SIZE + 1];

	ht_hex(salt, r->salt, HT_SALT_SIZE);
	ht_hex(root, r->checkpoint.root.at, HT_HASH_SIZE);
	ht_query_text(&opts->query, &text);
	fprintf(out, "query      %s\n",
	    ht_buf_text(&text) != NULL ? ht_buf_text(&text) : "");
	fprintf(out, "as of      %llu entries, root %s\n",
	    (unsigned long long)r->answer.size, root);
	fprintf(out, "checkpoint %s\n",
	    r->signature_checked
	        ? "signed by the log's key"
	        : "signature NOT CHECKED: give --root, --authority or --vkey");
	fprintf(out,
	    "rows       %llu matched, %llu looked at%s; each proven "
	    "to be in that tree\n",
	    (unsigned long long)r->answer.matched,
	    (unsigned long long)r->answer.scanned,
	    r->indexed && !opts->scan && opts->dir != NULL
	        ? " through the index (--scan looks at all)"
	        : "");
	if (r->answer.more)
		fprintf(out,
		    "more       cut off here: go on with --start %llu\n",
		    (unsigned long long)r->answer.next_seq);
	if (r->behind > 0)
		fprintf(out,
		    "behind     %llu entries follow the checkpoint and are "
		    "not shown\n",
		    (unsigned long long)r->behind);
	if (r->noted)
		fprintf(out,
		    "logged     this query is entry %llu, with the salt %s\n",
		    (unsigned long long)r->place, salt);
}

/* ---- the verb ---- */

static int
print_rows(struct print *p, const struct ht_audit_result *r)
{
	uint64_t bad = 0;
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < r->answer.n_frames && err == HT_OK; i++)
		err = ht_rows_check(ht_buf_slice(&r->answer.frames[i]),
		    r->answer.size, &r->checkpoint.root, print_row, p, &bad);
	if (err == HT_OK && p->opts->format == HT_AUDIT_TABLE)
		err = ht_table_print(p->table, stdout);
	if (err == HT_OK && fflush(stdout) == EOF)
		err = HT_ESYSTEM;
	if (err == HT_OK)
		return HT_AUDIT_OK;
	if (err == HT_EINTEGRITY || err == HT_EMALFORMED) {
		ht_audit_say("entry %llu, or one near it, is not proven by "
		             "the checkpoint: do not rely on this answer",
		    (unsigned long long)bad);
		return HT_AUDIT_BAD;
	}
	ht_audit_say("the rows could not be printed: %s", ht_err_text(err));
	return HT_AUDIT_GONE;
}

static int
print_result(const struct ht_audit_opts *opts, const struct ht_audit_result *r)
{
	HT_AUTO(ht_mem_free) struct print *p = calloc(1, sizeof(*p));
	struct ht_slice heads[COLS];
	int code = HT_AUDIT_GONE;

	if (p == NULL)
		return HT_AUDIT_GONE;
	p->opts = opts;
	p->json = HT_BUF(8 * HT_LEAF_MAX);
	for (size_t i = 0; i < COLS; i++)
		heads[i] = ht_slice_str(columns[i].name);
	if (ht_table_new(columns, COLS, &p->table) == HT_OK &&
	    (opts->format != HT_AUDIT_CSV ||
	        ht_csv_row(stdout, heads, COLS) == HT_OK))
		code = print_rows(p, r);
	ht_table_free(&p->table);
	ht_buf_fini(&p->json);
	return code;
}

int
ht_audit_search(const struct ht_audit_opts *opts)
{
	struct ht_audit_faith faith;
	struct ht_audit_result result;
	int code = ht_audit_faith(opts, &faith);

	if (code == HT_AUDIT_OK)
		code = ht_audit_fetch(opts, &faith, &result);
	ht_audit_faith_fini(&faith);
	if (code != HT_AUDIT_OK)
		return code;
	code = print_result(opts, &result);
	if (code == HT_AUDIT_OK) {
		FILE *out = opts->format == HT_AUDIT_TABLE ? stdout : stderr;

		if (opts->format == HT_AUDIT_TABLE && result.answer.matched > 0)
			putc('\n', out);
		ht_audit_footer(opts, &result, out);
		if (result.answer.matched == 0)
			code = HT_AUDIT_NONE;
		else if (result.answer.more && opts->query.filter.limit == 0)
			code = HT_AUDIT_CUT;
	}
	ht_audit_result_fini(&result);
	return code;
}
