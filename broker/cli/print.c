/*
 * print.c -- rows for people and programs: a table, lines as they come, CSV,
 * JSON lines, OCSF.  Whatever the log says, a terminal gets nothing it obeys.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/cli/says.h"
#include "broker/cli/tool.h"
#include "lib/base/clock.h"
#include "lib/base/limits.h"
#include "lib/base/text.h"
#include "lib/term/table.h"
#include "schemas/json.h"
#include "schemas/status.h"

/* ---- standard output, hashed on its way ---- */

static ssize_t
out_write(void *cookie, const char *bytes, size_t len)
{
	struct ht_audit_out *out = cookie;

	if (fwrite(bytes, 1, len, stdout) != len)
		return 0;
	ht_sha256_add(&out->run, HT_SLICE(bytes, len));
	return (ssize_t)len;
}

enum ht_err
ht_audit_out_open(struct ht_audit_out *out)
{
	cookie_io_functions_t io = {.write = out_write};

	ht_sha256_begin(&out->run);
	out->file = fopencookie(out, "w", io);
	return out->file == NULL ? HT_ENOMEM : HT_OK;
}

enum ht_err
ht_audit_out_close(struct ht_audit_out *out, struct ht_hash *ret)
{
	int rc = out->file == NULL ? EOF : fclose(HT_TAKE(out->file));

	*ret = ht_sha256_end(&out->run);
	return rc == EOF || fflush(stdout) == EOF ? HT_ESYSTEM : HT_OK;
}

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
	COL_SAYS,
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
    {"says",     false},
};

struct ht_audit_print {
	enum ht_audit_format format;
	bool live; /* rows as they come */
	const char *origin;
	FILE *out;
	struct ht_table *table;
	struct ht_about about;
	struct ht_buf json, line;
};

/* Nobody knows yet how wide the columns will be: by experience. */
static enum ht_err
print_line(struct ht_audit_print *p, const struct ht_slice *cells)
{
	static const size_t widths[COLS] = {
	    8, 27, 11, 24, 24, 18, 20, 12, 32, 0};

	ht_buf_reset(&p->line);
	for (size_t i = 0; i < COLS; i++) {
		size_t start = p->line.len, pad = 0;

		if (cells[i].len < widths[i])
			pad = widths[i] - cells[i].len;
		if (columns[i].number)
			ht_buf_fmt(&p->line, "%*s", (int)pad, "");
		ht_text_safe(&p->line, cells[i]);
		if (!columns[i].number)
			ht_buf_fmt(&p->line, "%*s", (int)pad, "");
		if (i + 1 < COLS)
			ht_buf_str(&p->line, "  ");
		else if (p->line.len == start)
			break;
	}
	while (p->line.len > 0 && p->line.at[p->line.len - 1] == ' ')
		p->line.len--;
	ht_buf_u8(&p->line, '\n');
	if (p->line.err != HT_OK)
		return p->line.err;
	return fwrite(p->line.at, 1, p->line.len, p->out) == p->line.len
	           ? HT_OK
	           : HT_ESYSTEM;
}

static enum ht_err
print_row(struct ht_audit_print *p, const struct ht_slice *cells)
{
	if (p->format == HT_AUDIT_CSV)
		return ht_csv_row(p->out, cells, COLS);
	if (p->live)
		return print_line(p, cells);
	ht_table_add(p->table, cells);
	return HT_OK;
}

static enum ht_err
print_cells(struct ht_audit_print *p, const struct ht_row *row)
{
	const struct ht_about *a = &p->about;
	char seq[24], time[HT_TIME_SIZE], exchange[2 * HT_ID_SIZE + 1] = "";
	struct ht_slice cells[COLS];
	struct ht_says says;
	enum ht_err err = ht_says(&row->entry, &says);

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
	cells[COL_SAYS] = ht_buf_slice(&says.text);
	/* Its own doing, of which there is no record. */
	if (says.who[0] != '\0')
		cells[COL_FROM] = ht_slice_str(says.who);
	if (says.purpose[0] != '\0')
		cells[COL_PURPOSE] = ht_slice_str(says.purpose);
	if (err == HT_OK)
		err = print_row(p, cells);
	ht_buf_fini(&says.text);
	return err;
}

/* ---- rows for programs ---- */

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
	ht_json_set_hex(object, "record", h->record.at, HT_ID_SIZE);
	ht_json_set_text(object, "node", h->node);
	ht_json_set_uint(object, "item_version", h->item_version);
	ht_json_set_text(
	    object, "operation", ht_slice_str(ht_operation_text(h->operation)));
	ht_json_set_text(object, "basis", h->basis);
	ht_json_set_text(object, "grant", h->grant);
	set_time(object, "created", h->created_ms * 1000);
	set_time(object, "expires", h->expires_ms * 1000);
	ht_json_set_uint(object, "body_bytes", h->body_len);
	if (h->kind == HT_KIND_RESPONSE)
		ht_json_set_text(
		    object, "answer", ht_slice_str(ht_answer_text(h->status)));
	if (h->released.len > 0)
		ht_json_set_hex(
		    object, "released", h->released.at, h->released.len);
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
make_json(const struct ht_row *row, const struct ht_about *a, json_t *object)
{
	const struct ht_entry *e = &row->entry;
	enum ht_err err = HT_OK;

	ht_json_set_uint(object, "entry", row->seq);
	set_time(object, "time", e->time_us);
	ht_json_set_text(
	    object, "type", ht_slice_str(ht_entry_type_text(e->type)));
	ht_json_set_text(object, "sender", a->sender);
	ht_json_set_text(object, "recipient", a->recipient);
	ht_json_set_text(object, "item", a->item);
	ht_json_set_text(object, "purpose", a->purpose);
	ht_json_set_uint(object, "status", e->status);
	ht_json_set_text(
	    object, "status_text", ht_slice_str(ht_audit_status(e, a)));
	if (a->has_exchange)
		ht_json_set_hex(object, "exchange", a->exchange.at, HT_ID_SIZE);
	if (e->cites > 0)
		ht_json_set_uint(object, "request_entry", e->cites - 1);
	ht_json_set_text(object, "connected_member", e->member);
	ht_json_set_text(object, "connected_node", e->node);
	if (a->has_header)
		set_header(object, &a->header);
	else
		err = set_payload(object, e->payload);
	ht_json_set_hex(object, "snapshot", e->snapshot.at, HT_HASH_SIZE);
	ht_json_set_hex(object, "leaf_hash", row->hash.at, HT_HASH_SIZE);
	return err;
}

/* One line a row. */
enum ht_err
ht_audit_print_json(const json_t *object, struct ht_buf *scratch,
    struct ht_buf *line, FILE *out)
{
	enum ht_err err;

	ht_buf_reset(scratch);
	ht_buf_reset(line);
	err = ht_json_print(object, scratch);
	if (err != HT_OK)
		return err;
	ht_text_safe_json(line, ht_buf_slice(scratch));
	ht_buf_u8(line, '\n');
	if (line->err != HT_OK)
		return line->err;
	return fwrite(line->at, 1, line->len, out) == line->len ? HT_OK
	                                                        : HT_ESYSTEM;
}

static enum ht_err
print_object(struct ht_audit_print *p, const struct ht_row *row)
{
	HT_AUTO(ht_json_free) json_t *object = json_object();
	enum ht_err err;

	if (object == NULL)
		return HT_ENOMEM;
	err = p->format == HT_AUDIT_OCSF
	          ? ht_audit_ocsf(row, &p->about, p->origin, object)
	          : make_json(row, &p->about, object);
	if (err != HT_OK)
		return err;
	return ht_audit_print_json(object, &p->json, &p->line, p->out);
}

enum ht_err
ht_audit_print_row(void *print, const struct ht_row *row)
{
	struct ht_audit_print *p = print;
	enum ht_err err = ht_row_about(row, &p->about);

	if (err != HT_OK)
		return err;
	return p->format == HT_AUDIT_JSONL || p->format == HT_AUDIT_OCSF
	           ? print_object(p, row)
	           : print_cells(p, row);
}

/* ---- the beginning and the end ---- */

static enum ht_err
print_heads(struct ht_audit_print *p)
{
	struct ht_slice heads[COLS];

	for (size_t i = 0; i < COLS; i++)
		heads[i] = ht_slice_str(columns[i].name);
	if (p->format == HT_AUDIT_CSV ||
	    (p->format == HT_AUDIT_TABLE && p->live))
		return print_row(p, heads);
	return HT_OK;
}

void
ht_audit_print_free(struct ht_audit_print **print_p)
{
	struct ht_audit_print *p = HT_TAKE(*print_p);

	if (p == NULL)
		return;
	ht_table_free(&p->table);
	ht_buf_fini(&p->json);
	ht_buf_fini(&p->line);
	free(p);
}

enum ht_err
ht_audit_print_new(const struct ht_audit_opts *opts, const char *origin,
    FILE *out, bool live, struct ht_audit_print **ret)
{
	HT_AUTO(ht_audit_print_free)
	struct ht_audit_print *p = calloc(1, sizeof(*p));
	enum ht_err err;

	if (p == NULL)
		return HT_ENOMEM;
	p->format = opts->format;
	p->origin = origin;
	p->out = out;
	p->live = live;
	p->json = HT_BUF(8 * HT_LEAF_MAX);
	p->line = HT_BUF(HT_CELL_MAX);
	err = ht_table_new(columns, COLS, &p->table);
	if (err == HT_OK)
		err = print_heads(p);
	if (err == HT_OK)
		*ret = HT_TAKE(p);
	return err;
}

enum ht_err
ht_audit_print_end(struct ht_audit_print *p)
{
	if (p->format == HT_AUDIT_TABLE && !p->live)
		return ht_table_print(p->table, p->out);
	return fflush(p->out) == EOF ? HT_ESYSTEM : HT_OK;
}
