/*
 * cani_show.c -- the answer of can-i as a table, a line of JSON, or CSV.
 */
#include <string.h>

#include "adapters/cli/cani.h"
#include "adapters/cli/sheet.h"
#include "lib/base/clock.h"
#include "schemas/rows.h"

#define DAY_MS      UINT64_C(86400000)
#define CELL_MAX_   ((size_t)1 << 20)
#define SHOW(slice) (int)(slice).len, (const char *)(slice).at

/* ---- words ---- */

/* The fields that are released, or those that are not. */
static void
add_fields(struct ht_buf *out, const struct cli_can *can, bool released,
    const char *between)
{
	size_t from = out->len;

	for (size_t i = 0; i < ht_schema_fields(can->item->record); i++)
		if (ht_grant_field(can->grant, i) == released)
			ht_buf_fmt(out, "%s%s", out->len > from ? between : "",
			    ht_schema_field(can->item->record, i));
}

static void
add_purposes(
    struct ht_buf *out, const struct ht_grant *grant, const char *between)
{
	for (unsigned i = 0; i < grant->n_purposes; i++)
		ht_buf_fmt(
		    out, "%s%s", i > 0 ? between : "", grant->purposes[i]);
}

static void
add_time(struct ht_buf *out, uint64_t ms)
{
	char when[HT_TIME_SIZE];

	ht_time_text(when, ms * 1000);
	ht_buf_str(out, when);
}

static uint64_t
days_left(const struct cli_can *can)
{
	return (can->grant->until_ms - can->prospect->now_ms) / DAY_MS;
}

static void
add_period(struct ht_buf *out, const struct cli_can *can)
{
	ht_buf_fmt(
	    out, "%llu days left, until ", (unsigned long long)days_left(can));
	add_time(out, can->grant->until_ms);
}

static void
add_quota(struct ht_buf *out, const struct ht_grant *grant)
{
	if (grant->quota_day == 0 && grant->quota_minute == 0)
		ht_buf_str(out, "none");
	if (grant->quota_day > 0)
		ht_buf_fmt(out, "%llu a day; what is used, the broker counts",
		    (unsigned long long)grant->quota_day);
	if (grant->quota_minute > 0)
		ht_buf_fmt(out, "%s%llu a minute",
		    grant->quota_day > 0 ? "; " : "",
		    (unsigned long long)grant->quota_minute);
}

static void
add_rule(struct ht_buf *out, const struct cli_can *can)
{
	ht_buf_fmt(out, "%s revision %llu, %s@%u revision %llu, snapshot %llu",
	    can->grant->name, (unsigned long long)can->grant->revision,
	    can->item->name, can->item->version,
	    (unsigned long long)can->item->revision,
	    (unsigned long long)ht_trust_version(can->trust));
}

static void
add_fresh(struct ht_buf *out, const struct cli_can *can)
{
	ht_buf_str(out, "until ");
	add_time(out, ht_trust_until_ms(can->trust));
	ht_buf_fmt(out, ", then %llu s of grace",
	    (unsigned long long)(can->item->grace_ms / 1000));
}

/* ---- for people ---- */

static void
fill_sheet(struct cli_sheet *sheet, const struct cli_can *can)
{
	const struct ht_item *item = can->item;
	const struct ht_grant *grant = can->grant;
	struct ht_buf *out = &sheet->text;

	ht_buf_fmt(out, "%s version %u, of %s", item->name, item->version,
	    item->provider);
	cli_sheet_line(sheet, "item");
	add_fields(out, can, true, ", ");
	cli_sheet_line(sheet, "fields");
	add_fields(out, can, false, ", ");
	cli_sheet_line(sheet, "withheld");
	ht_rows_text(grant, out);
	cli_sheet_line(sheet, "rows");
	add_purposes(out, grant, ", ");
	cli_sheet_line(sheet, "purposes");
	ht_buf_str(out, grant->basis);
	cli_sheet_line(sheet, "basis");
	add_period(out, can);
	cli_sheet_line(sheet, "period");
	add_quota(out, grant);
	cli_sheet_line(sheet, "quota");
	if (item->records_max > 0)
		ht_buf_fmt(out, "%u at most in one answer", item->records_max);
	cli_sheet_line(sheet, "records");
	if (item->has_subject)
		ht_buf_fmt(out, "%s, named by %s: each look is tagged",
		    item->subject_registry, item->subject_param);
	cli_sheet_line(sheet, "subject");
	add_rule(out, can);
	cli_sheet_line(sheet, "rule");
	add_fresh(out, can);
	cli_sheet_line(sheet, "fresh");
}

/* As of when: what was suspended since then is not known here. */
static void
show_as_of(const struct cli_can *can)
{
	char when[HT_TIME_SIZE];

	ht_time_text(when, ht_trust_issued_ms(can->trust) * 1000);
	printf("decided by snapshot %llu and its current note of %s; what "
	       "changed since is not known here\n",
	    (unsigned long long)ht_trust_version(can->trust), when);
}

static enum ht_err
show_yes(const struct cli_can *can)
{
	HT_AUTO(cli_sheet_fini) struct cli_sheet sheet = {0};
	enum ht_err err = cli_sheet_open(&sheet, "WHAT", "GRANTED");

	if (err != HT_OK)
		return err;
	fill_sheet(&sheet, can);
	printf("yes, by grant %s: %.*s may %s %s\n", can->grant->name,
	    SHOW(can->prospect->consumer),
	    ht_operation_text(can->prospect->operation), can->item->name);
	err = cli_sheet_print(&sheet);
	if (err == HT_OK)
		show_as_of(can);
	return err;
}

static enum ht_err
show_no(const struct cli_can *can)
{
	enum ht_err err;

	printf("no: %.*s may not %s %.*s, for %zu reason%s\n",
	    SHOW(can->prospect->consumer),
	    ht_operation_text(can->prospect->operation),
	    SHOW(can->prospect->item), can->reasons.n,
	    can->reasons.n == 1 ? "" : "s");
	err = cli_reasons_table(&can->reasons);
	if (err == HT_OK)
		show_as_of(can);
	return err;
}

/* ---- for programs ---- */

static void
set_time(json_t *object, const char *name, uint64_t ms)
{
	char when[HT_TIME_SIZE];

	ht_time_text(when, ms * 1000);
	ht_json_set_text(object, name, ht_slice_str(when));
}

static json_t *
field_names(const struct cli_can *can, bool released)
{
	json_t *names = json_array();

	for (size_t i = 0; i < ht_schema_fields(can->item->record); i++)
		if (ht_grant_field(can->grant, i) == released)
			(void)json_array_append_new(names,
			    json_string(ht_schema_field(can->item->record, i)));
	return names;
}

static json_t *
values_of(const struct ht_grant *grant, char *const *values, unsigned n)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < n; i++) {
		char code[HT_REGION_SIZE + 1];

		if (grant->row_area)
			ht_area_code(values[i], code);
		(void)json_array_append_new(
		    all, json_string(grant->row_area ? code : values[i]));
	}
	return all;
}

static json_t *
rows_of(const struct ht_grant *grant)
{
	json_t *rows;

	if (grant->row_field == NULL)
		return json_null();
	rows = json_object();
	ht_json_set_text(rows, "field", ht_slice_str(grant->row_field));
	(void)json_object_set_new(rows, grant->row_area ? "area" : "prefix",
	    values_of(grant, grant->row_prefixes, grant->n_row_prefixes));
	(void)json_object_set_new(rows, "except",
	    values_of(grant, grant->row_except, grant->n_row_except));
	return rows;
}

static void
set_granted(json_t *o, const struct cli_can *can)
{
	const struct ht_grant *grant = can->grant;
	json_t *purposes = json_array();

	for (unsigned i = 0; i < grant->n_purposes; i++)
		(void)json_array_append_new(
		    purposes, json_string(grant->purposes[i]));
	ht_json_set_uint(o, "version", can->item->version);
	ht_json_set_text(o, "provider", ht_slice_str(can->item->provider));
	ht_json_set_text(o, "grant", ht_slice_str(grant->name));
	ht_json_set_uint(o, "grant_revision", grant->revision);
	ht_json_set_uint(o, "item_revision", can->item->revision);
	(void)json_object_set_new(o, "fields", field_names(can, true));
	(void)json_object_set_new(o, "withheld", field_names(can, false));
	(void)json_object_set_new(o, "rows", rows_of(grant));
	(void)json_object_set_new(o, "purposes", purposes);
	ht_json_set_text(o, "basis", ht_slice_str(grant->basis));
	set_time(o, "from_time", grant->from_ms);
	set_time(o, "until", grant->until_ms);
	ht_json_set_uint(o, "days_left", days_left(can));
	if (grant->quota_day > 0)
		ht_json_set_uint(o, "per_day", grant->quota_day);
	if (grant->quota_minute > 0)
		ht_json_set_uint(o, "per_minute", grant->quota_minute);
	if (can->item->records_max > 0)
		ht_json_set_uint(o, "records", can->item->records_max);
}

static enum ht_err
show_jsonl(const struct cli_can *can)
{
	HT_AUTO(ht_json_free) json_t *o = json_object();
	struct ht_hash hash = ht_trust_hash(can->trust);

	(void)json_object_set_new(o, "allow", json_boolean(can->allowed));
	ht_json_set_text(o, "from", can->prospect->consumer);
	ht_json_set_text(o, "item", can->prospect->item);
	ht_json_set_text(o, "operation",
	    ht_slice_str(ht_operation_text(can->prospect->operation)));
	ht_json_set_text(o, "purpose", can->prospect->purpose);
	set_time(o, "at", can->prospect->now_ms);
	ht_json_set_uint(o, "snapshot", ht_trust_version(can->trust));
	ht_json_set_hex(o, "snapshot_hash", hash.at, sizeof(hash.at));
	set_time(o, "current_issued", ht_trust_issued_ms(can->trust));
	set_time(o, "current_until", ht_trust_until_ms(can->trust));
	if (can->allowed)
		set_granted(o, can);
	(void)json_object_set_new(
	    o, "reasons", cli_reasons_json(&can->reasons));
	return cli_json_line(o);
}

/* The columns: what was asked, what is granted, why not. */
static const char *const csv_names[] = {"allow", "from", "item", "operation",
    "purpose", "grant", "version", "fields", "rows", "purposes", "basis",
    "until", "per_day", "code", "name", "detail", "who", "remedy",
    "current_issued"};
#define CSV_N HT_COUNT(csv_names)

struct csv {
	size_t n;
	struct ht_buf cells[CSV_N];
};

static struct ht_buf *
next(struct csv *csv)
{
	struct ht_buf *cell = &csv->cells[csv->n++];

	*cell = HT_BUF(CELL_MAX_);
	return cell;
}

/* What is not said stays empty. */
static enum ht_err
csv_end(struct csv *csv, const struct cli_can *can)
{
	struct ht_slice cells[CSV_N] = {{0}};
	enum ht_err err = HT_OK;

	while (csv->n + 1 < CSV_N)
		(void)next(csv);
	add_time(next(csv), ht_trust_issued_ms(can->trust));
	for (size_t i = 0; i < csv->n; i++) {
		cells[i] = ht_buf_slice(&csv->cells[i]);
		if (err == HT_OK)
			err = csv->cells[i].err;
	}
	if (err == HT_OK)
		err = ht_csv_row(stdout, cells, CSV_N);
	for (size_t i = 0; i < csv->n; i++)
		ht_buf_fini(&csv->cells[i]);
	return err;
}

static void
csv_begin(struct csv *csv, const struct cli_can *can)
{
	const struct ht_prospect *p = can->prospect;

	csv->n = 0;
	ht_buf_str(next(csv), can->allowed ? "yes" : "no");
	ht_buf_fmt(next(csv), "%.*s", SHOW(p->consumer));
	ht_buf_fmt(next(csv), "%.*s", SHOW(p->item));
	ht_buf_str(next(csv), ht_operation_text(p->operation));
	ht_buf_fmt(next(csv), "%.*s", SHOW(p->purpose));
}

static enum ht_err
csv_yes(const struct cli_can *can)
{
	const struct ht_grant *grant = can->grant;
	struct csv csv;
	struct ht_buf *quota;

	csv_begin(&csv, can);
	ht_buf_str(next(&csv), grant->name);
	ht_buf_fmt(next(&csv), "%u", can->item->version);
	add_fields(next(&csv), can, true, " ");
	ht_rows_text(grant, next(&csv));
	add_purposes(next(&csv), grant, " ");
	ht_buf_str(next(&csv), grant->basis);
	add_time(next(&csv), grant->until_ms);
	quota = next(&csv);
	if (grant->quota_day > 0)
		ht_buf_fmt(quota, "%llu", (unsigned long long)grant->quota_day);
	return csv_end(&csv, can);
}

static enum ht_err
csv_no(const struct cli_can *can, const struct cli_reason *row)
{
	unsigned code = row->reason.code;
	struct csv csv;

	csv_begin(&csv, can);
	ht_buf_str(next(&csv), row->under);
	while (strcmp(csv_names[csv.n], "code") != 0)
		(void)next(&csv);
	ht_buf_fmt(next(&csv), "%u", code);
	ht_buf_str(next(&csv), ht_status_name(code));
	ht_buf_str(next(&csv), row->reason.detail);
	ht_buf_str(next(&csv), ht_who_text(ht_status_who(code)));
	ht_buf_str(next(&csv), ht_status_remedy(code));
	return csv_end(&csv, can);
}

static enum ht_err
show_csv(const struct cli_can *can)
{
	struct ht_slice names[CSV_N];
	enum ht_err err;

	for (size_t i = 0; i < CSV_N; i++)
		names[i] = ht_slice_str(csv_names[i]);
	err = ht_csv_row(stdout, names, CSV_N);
	if (err == HT_OK && can->allowed)
		err = csv_yes(can);
	for (size_t i = 0; i < can->reasons.n && err == HT_OK; i++)
		err = csv_no(can, &can->reasons.at[i]);
	return err;
}

enum ht_err
cli_can_show(const struct cli_can *can)
{
	enum ht_err err;

	if (can->format == CLI_JSONL)
		err = show_jsonl(can);
	else if (can->format == CLI_CSV)
		err = show_csv(can);
	else
		err = can->allowed ? show_yes(can) : show_no(can);
	if (err == HT_OK && fflush(stdout) != 0)
		err = HT_ESYSTEM;
	return err;
}
