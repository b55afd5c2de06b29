/*
 * catalog_show.c -- what an authority's folder holds, as tables, or one
 * document as it stands.
 */
#include <string.h>

#include "adapters/cli/catalog.h"
#include "adapters/cli/cli.h"
#include "lib/base/clock.h"
#include "lib/term/table.h"

#define CELLS_MAX 8

/* One row: texts printed into one buffer, cut into cells. */
struct row {
	size_t n;
	struct ht_buf cells[CELLS_MAX];
};

static struct ht_buf *
cell(struct row *row)
{
	struct ht_buf *buf = &row->cells[row->n++];

	if (buf->max == 0)
		*buf = HT_BUF(1 << 16);
	ht_buf_reset(buf);
	return buf;
}

static void
row_fini(struct row *row)
{
	for (size_t i = 0; i < CELLS_MAX; i++)
		ht_buf_fini(&row->cells[i]);
}

static void
add_operations(struct ht_buf *out, unsigned operations)
{
	for (unsigned op = HT_OP_QUERY; op <= HT_OP_TRANSFER; op++)
		if (operations & HT_OPS(op))
			ht_buf_fmt(out, "%s%s", out->len > 0 ? "," : "",
			    ht_operation_text(op));
}

static void
add_title(struct ht_buf *out, const char *zh, const char *en)
{
	if (zh != NULL)
		ht_buf_str(out, zh);
	if (en != NULL)
		ht_buf_fmt(out, "%s%s", zh != NULL ? " " : "", en);
}

static void
add_day(struct ht_buf *out, uint64_t ms)
{
	char when[HT_TIME_SIZE];

	ht_time_text(when, ms * 1000);
	ht_buf_add(out, when, strlen("2026-11-24"));
}

/* ---- the kinds ---- */

static void
item_row(const struct ht_doc *doc, struct row *row)
{
	static const char *const shares[] = {
	    [HT_SHARE_UNCONDITIONAL] = "unconditional",
	    [HT_SHARE_CONDITIONAL] = "conditional",
	    [HT_SHARE_NONE] = "none",
	};
	const struct ht_item *item = doc->item;

	ht_buf_str(cell(row), item->name);
	ht_buf_fmt(cell(row), "%u", item->version);
	ht_buf_str(cell(row), item->provider);
	ht_buf_str(cell(row), shares[item->share]);
	add_operations(cell(row), item->operations);
	ht_buf_fmt(cell(row), "%zu", ht_schema_fields(item->record));
	add_title(cell(row), item->title_zh, item->title_en);
}

static void
grant_row(const struct ht_doc *doc, struct row *row)
{
	static const char *const states[] = {
	    [HT_GRANT_ACTIVE] = "active",
	    [HT_GRANT_SUSPENDED] = "suspended",
	    [HT_GRANT_TERMINATED] = "terminated",
	};
	const struct ht_grant *grant = &doc->grant->grant;
	struct ht_buf *purposes;

	ht_buf_str(cell(row), grant->name);
	ht_buf_str(cell(row), states[grant->state]);
	ht_buf_str(cell(row), grant->consumer);
	ht_buf_fmt(cell(row), "%s@%u", grant->item, grant->version);
	add_operations(cell(row), grant->operations);
	purposes = cell(row);
	for (unsigned i = 0; i < grant->n_purposes; i++)
		ht_buf_fmt(
		    purposes, "%s%s", i > 0 ? "," : "", grant->purposes[i]);
	add_day(cell(row), grant->until_ms);
}

static void
member_row(const struct ht_doc *doc, struct row *row)
{
	const struct ht_member *member = doc->member;
	uint64_t sealing_ms = 0;
	struct ht_buf *nodes;

	for (unsigned i = 0; i < member->n_sealing; i++)
		if (member->sealing[i].until_ms > sealing_ms)
			sealing_ms = member->sealing[i].until_ms;
	ht_buf_str(cell(row), member->name);
	ht_buf_fmt(cell(row), "%llu", (unsigned long long)member->revision);
	nodes = cell(row);
	for (unsigned i = 0; i < member->n_nodes; i++)
		ht_buf_fmt(
		    nodes, "%s%s", i > 0 ? "," : "", member->nodes[i].name);
	if (sealing_ms != 0)
		add_day(cell(row), sealing_ms);
	else
		ht_buf_str(cell(row), "-");
	add_title(cell(row), member->title_zh, member->title_en);
}

static void
epoch_row(const struct ht_doc *doc, struct row *row)
{
	ht_buf_str(cell(row), doc->epoch->name);
	add_day(cell(row), doc->epoch->from_ms);
	add_day(cell(row), doc->epoch->until_ms);
	ht_buf_fmt(cell(row), "%u", doc->epoch->n_trackers);
}

static const struct kind {
	const char *word;
	enum ht_doc_kind kind;
	size_t n;
	struct ht_column columns[CELLS_MAX];
	void (*row)(const struct ht_doc *doc, struct row *row);
} kinds[] = {
    {"items",   HT_DOC_ITEM,   7,
     {{"ITEM", false}, {"VERSION", true}, {"PROVIDER", false},
            {"SHARE", false}, {"OPERATIONS", false}, {"FIELDS", true},
            {"TITLE", false}},
     item_row  },
    {"grants",  HT_DOC_GRANT,  7,
     {{"GRANT", false}, {"STATE", false}, {"CONSUMER", false},
            {"ITEM", false}, {"OPERATIONS", false}, {"PURPOSES", false},
            {"UNTIL", false}},
     grant_row },
    {"members", HT_DOC_MEMBER, 5,
     {{"MEMBER", false}, {"REVISION", true}, {"NODES", false},
            {"SEALING UNTIL", false}, {"TITLE", false}},
     member_row},
    {"epochs",  HT_DOC_EPOCH,  4,
     {{"EPOCH", false}, {"FROM", false}, {"UNTIL", false},
            {"TRACKERS", true}},
     epoch_row },
};

static int
show_kind(const struct ht_docs *docs, const struct kind *kind)
{
	HT_AUTO(ht_table_free) struct ht_table *table = NULL;
	HT_AUTO(row_fini) struct row row = {0};
	struct ht_slice cells[CELLS_MAX];
	enum ht_err err = ht_table_new(kind->columns, kind->n, &table);

	for (size_t i = 0; i < docs->n && err == HT_OK; i++) {
		if (docs->at[i]->kind != kind->kind)
			continue;
		row.n = 0;
		kind->row(docs->at[i], &row);
		for (size_t k = 0; k < kind->n; k++)
			cells[k] = ht_buf_slice(&row.cells[k]);
		ht_table_add(table, cells);
	}
	if (err == HT_OK)
		err = ht_table_print(table, stdout);
	if (err != HT_OK)
		return ht_cli_error(err, NULL, "cannot show", kind->word);
	return HT_EXIT_OK;
}

/* ---- one document ---- */

/* "gx.demo/SCZTDJ" also stands for its newest version. */
static bool
is_named(const struct ht_doc *doc, const char *name)
{
	return strcmp(doc->name, name) == 0 ||
	       (doc->kind == HT_DOC_ITEM && strcmp(doc->item->name, name) == 0);
}

static int
show_name(const struct ht_docs *docs, const char *name)
{
	const struct ht_doc *best = NULL;

	for (size_t i = 0; i < docs->n; i++) {
		const struct ht_doc *doc = docs->at[i];

		if (is_named(doc, name) &&
		    (best == NULL || doc->kind != HT_DOC_ITEM ||
		        doc->item->version > best->item->version))
			best = doc;
	}
	if (best == NULL)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "there is no item, grant, member or epoch %s in the folder",
		    name);
	/* The note parser let no control character but new lines in. */
	if (fwrite(best->bytes.at, 1, best->bytes.len, stdout) !=
	    best->bytes.len)
		return ht_cli_error(
		    HT_ESYSTEM, NULL, "cannot write", "standard output");
	return HT_EXIT_OK;
}

int
ht_cli_show_verb(const char *usage, const char *what, int argc, char **argv)
{
	const struct ht_usage_of takes = {usage, NULL, 0, 1, 2};
	HT_AUTO(ht_docs_fini) struct ht_docs docs = {0, NULL};
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = ht_cli_docs(args.at[0], &docs);
	if (rc != HT_CLI_GO)
		return rc;
	if (args.n == 2)
		what = args.at[1];
	for (size_t i = 0; i < HT_COUNT(kinds); i++)
		if (strcmp(kinds[i].word, what) == 0)
			return show_kind(&docs, &kinds[i]);
	return show_name(&docs, what);
}
