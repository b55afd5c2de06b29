#include "adapters/cli/asks.h"

#include <string.h>

#include "adapters/cli/catalog.h"
#include "lib/base/clock.h"
#include "schemas/rows.h"

/* What is written, each list as YAML already. */
struct text {
	const char *item, *version, *provider, *consumer;
	const char *operations, *fields, *purposes, *basis;
	const char *level, *row_field, *row_except; /* or NULL */
	bool row_area;
	const char *rows;
	const char *per_day, *per_minute;
	uint64_t from_ms, until_ms;
};

static void
write_rows(struct ht_buf *out, const struct text *t)
{
	ht_buf_str(out, "rows:\n  field: ");
	ht_cli_quote(out, t->row_field);
	ht_buf_fmt(
	    out, "\n  %s: %s\n", t->row_area ? "area" : "prefix", t->rows);
	if (t->row_except != NULL)
		ht_buf_fmt(out, "  except: %s\n", t->row_except);
}

static void
write_text(struct ht_buf *out, const char *role, const struct text *t)
{
	char from[HT_TIME_SIZE], until[HT_TIME_SIZE];

	ht_buf_fmt(out, "item: %s\nversion: %s\nprovider: %s\n%s: %s\n",
	    t->item, t->version, t->provider, role, t->consumer);
	ht_buf_fmt(
	    out, "operations: %s\nfields: %s\n", t->operations, t->fields);
	if (t->level != NULL)
		ht_buf_fmt(out, "level: %s\n", t->level);
	if (t->row_field != NULL)
		write_rows(out, t);
	ht_time_text(from, t->from_ms * 1000);
	ht_time_text(until, t->until_ms * 1000);
	ht_buf_fmt(out, "purposes: %s\nbasis: %s\nfrom: %s\nuntil: %s\n",
	    t->purposes, t->basis, from, until);
	if (t->per_day != NULL || t->per_minute != NULL)
		ht_buf_str(out, "quota:\n");
	if (t->per_day != NULL)
		ht_buf_fmt(out, "  per-day: %s\n", t->per_day);
	if (t->per_minute != NULL)
		ht_buf_fmt(out, "  per-minute: %s\n", t->per_minute);
}

static void
list_texts(struct ht_buf *out, const char *const *texts, size_t n)
{
	ht_buf_u8(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			ht_buf_str(out, ", ");
		ht_cli_quote(out, texts[i]);
	}
	ht_buf_u8(out, ']');
}

void
ht_cli_add_texts(
    struct ht_buf *out, const char *key, const char *const *texts, size_t n)
{
	ht_buf_fmt(out, "%s: ", key);
	list_texts(out, texts, n);
	ht_buf_str(out, "\n");
}

/* ---- from a command line ---- */

/* "a,b" as a YAML list. */
static const char *
list_words(struct ht_buf *out, const char *words)
{
	ht_buf_u8(out, '[');
	for (const char *at = words; at != NULL;) {
		const char *comma = strchrnul(at, ',');
		HT_AUTO(ht_mem_free)
		char *word = ht_slice_dup(HT_SLICE(at, (size_t)(comma - at)));

		if (at != words)
			ht_buf_str(out, ", ");
		if (word != NULL)
			ht_cli_quote(out, word);
		at = *comma == ',' ? comma + 1 : NULL;
	}
	ht_buf_u8(out, ']');
	return ht_buf_text(out);
}

static int
read_period(const struct ht_asks_words *w, struct text *t)
{
	const char *life = w->life != NULL ? w->life : "365d";
	uint64_t life_ms;
	int rc = ht_cli_time(
	    "--from", w->from, ht_clock_wall_ms() / 1000 * 1000, &t->from_ms);

	if (rc != HT_CLI_GO)
		return rc;
	if (!ht_cli_duration(life, &life_ms))
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--for %s: a time like 365d is expected", life);
	t->until_ms = t->from_ms + life_ms;
	return HT_CLI_GO;
}

int
ht_cli_add_asks(
    struct ht_buf *out, const char *role, const struct ht_asks_words *w)
{
	HT_AUTO(ht_buf_fini) struct ht_buf ops = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf fields = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf purposes = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf rows = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf except = HT_BUF(HT_DOC_MAX);
	const char *rows_given = w->row_area != NULL     ? w->row_area
	                         : w->row_prefix != NULL ? w->row_prefix
	                                                 : "";
	struct text t = {
	    .item = w->item,
	    .version = w->version != NULL ? w->version : "1",
	    .provider = w->provider,
	    .consumer = w->consumer,
	    .operations = list_words(&ops, w->operations),
	    .fields = strcmp(w->fields, "all") == 0
	                  ? "all"
	                  : list_words(&fields, w->fields),
	    .purposes = list_words(&purposes, w->purposes),
	    .basis = w->basis,
	    .level = w->level,
	    .row_field = w->row_field,
	    .row_area = w->row_area != NULL,
	    .rows = list_words(&rows, rows_given),
	    .row_except = w->row_except != NULL
	                      ? list_words(&except, w->row_except)
	                      : NULL,
	    .per_day = w->per_day,
	    .per_minute = w->per_minute,
	};
	int rc = read_period(w, &t);

	if (rc != HT_CLI_GO)
		return rc;
	if (t.operations == NULL || t.fields == NULL || t.purposes == NULL ||
	    t.rows == NULL || except.err != HT_OK)
		out->err = HT_ENOMEM;
	else
		write_text(out, role, &t);
	return HT_CLI_GO;
}

/* ---- from a document ---- */

static const char *
list_operations(struct ht_buf *out, unsigned operations)
{
	const char *names[HT_OP_TRANSFER];
	size_t n = 0;

	for (unsigned op = HT_OP_QUERY; op <= HT_OP_TRANSFER; op++)
		if ((operations & HT_OPS(op)) != 0)
			names[n++] = ht_operation_text(op);
	list_texts(out, names, n);
	return ht_buf_text(out);
}

static const char *
list_purposes(struct ht_buf *out, const struct ht_grant *grant)
{
	ht_buf_u8(out, '[');
	for (unsigned i = 0; i < grant->n_purposes; i++)
		ht_buf_fmt(out, "%s%s", i > 0 ? ", " : "", grant->purposes[i]);
	ht_buf_u8(out, ']');
	return ht_buf_text(out);
}

static const char *
list_of(struct ht_buf *out, char *const *texts, unsigned n)
{
	list_texts(out, (const char *const *)texts, n);
	return ht_buf_text(out);
}

/* Areas as the whole codes that they were written as. */
static const char *
list_rows(struct ht_buf *out, bool area, char *const *values, unsigned n)
{
	if (!area)
		return list_of(out, values, n);
	ht_buf_u8(out, '[');
	for (unsigned i = 0; i < n; i++) {
		char code[HT_REGION_SIZE + 1];

		ht_area_code(values[i], code);
		if (i > 0)
			ht_buf_str(out, ", ");
		ht_cli_quote(out, code);
	}
	ht_buf_u8(out, ']');
	return ht_buf_text(out);
}

void
ht_cli_add_asked(
    struct ht_buf *out, const char *role, const struct ht_grant_doc *doc)
{
	HT_AUTO(ht_buf_fini) struct ht_buf ops = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf fields = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf purposes = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf rows = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf except = HT_BUF(HT_DOC_MAX);
	const struct ht_grant *g = &doc->grant;
	char version[16], per_day[24], per_minute[24], level[8];
	struct text t = {
	    .item = g->item,
	    .version = version,
	    .provider = g->provider,
	    .consumer = g->consumer,
	    .operations = list_operations(&ops, g->operations),
	    .fields = g->all_fields
	                  ? "all"
	                  : list_of(&fields, doc->fields, doc->n_fields),
	    .purposes = list_purposes(&purposes, g),
	    .basis = g->basis,
	    .level = g->has_level ? level : NULL,
	    .row_field = g->row_field,
	    .row_area = g->row_area,
	    .rows = list_rows(
	        &rows, g->row_area, g->row_prefixes, g->n_row_prefixes),
	    .row_except = g->n_row_except > 0
	                      ? list_rows(&except, g->row_area, g->row_except,
	                            g->n_row_except)
	                      : NULL,
	    .per_day = g->quota_day > 0 ? per_day : NULL,
	    .per_minute = g->quota_minute > 0 ? per_minute : NULL,
	    .from_ms = g->from_ms,
	    .until_ms = g->until_ms,
	};

	(void)snprintf(version, sizeof(version), "%u", g->version);
	(void)snprintf(
	    per_day, sizeof(per_day), "%llu", (unsigned long long)g->quota_day);
	(void)snprintf(per_minute, sizeof(per_minute), "%llu",
	    (unsigned long long)g->quota_minute);
	(void)snprintf(level, sizeof(level), "%u", g->level);
	if (t.operations == NULL || t.fields == NULL || t.purposes == NULL ||
	    t.rows == NULL || except.err != HT_OK)
		out->err = HT_ENOMEM;
	else
		write_text(out, role, &t);
}
