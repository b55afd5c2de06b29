/*
 * once.c -- hutong once-only: what an office may no longer ask of a taxpayer,
 * who collects it, and by which item to obtain it.
 */
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/copy.h"
#include "lib/base/clock.h"
#include "lib/term/table.h"
#include "schemas/prospect.h"

struct once_list {
	struct cli_copy copy;
	const char *office;
	const char *format_name;
	enum cli_format format;
	uint64_t now_ms;
	struct ht_table *table;
	size_t n;
};

enum { CODE, NAME, COLLECTOR, WHERE, ITEM, FIELD, GRANT, VALID, CELLS };

static const struct ht_column columns[CELLS] = {
    [CODE] = {.name = "code"},
    [NAME] = {.name = "name"},
    [COLLECTOR] = {.name = "collector"},
    [WHERE] = {.name = "where"},
    [ITEM] = {.name = "item"},
    [FIELD] = {.name = "field"},
    [GRANT] = {.name = "grant"},
    [VALID] = {.name = "valid"},
};

/* The grant by which this office has the field; NULL: it must apply for one. */
static const struct ht_grant *
grant_of(const struct once_list *l, const struct ht_item *item, unsigned field)
{
	const struct ht_trust *trust = l->copy.trust;
	struct ht_prospect p = {
	    .consumer = ht_slice_str(l->office),
	    .item = ht_slice_str(item->name),
	    .version = item->version,
	    .now_ms = l->now_ms,
	};
	const struct ht_grant *const *grants;
	struct ht_verdict v;
	size_t n;

	grants = ht_trust_grants_of(trust, p.consumer, p.item, &n);
	for (size_t i = 0; i < n; i++) {
		if (!ht_grant_field(grants[i], field))
			continue;
		/* Records, or at least a verification. */
		p.operation = (grants[i]->operations & HT_OPS(HT_OP_QUERY)) != 0
		                  ? HT_OP_QUERY
		                  : HT_OP_VERIFY;
		ht_prospect_judge(trust, &p, grants[i], NULL, &v);
		if (v.allow)
			return grants[i];
	}
	return NULL;
}

static void
add_json(const char *const cells[static CELLS])
{
	HT_AUTO(ht_buf_fini) struct ht_buf line = HT_BUF(1 << 16);
	HT_AUTO(ht_json_free) json_t *o = json_object();

	for (size_t i = 0; i < CELLS; i++)
		ht_json_set_text(o, columns[i].name, ht_slice_str(cells[i]));
	if (ht_json_print(o, &line) == HT_OK)
		printf("%s\n", ht_buf_text(&line));
}

static void
add_row(
    struct once_list *l, const struct ht_item *item, const struct ht_once *once)
{
	const struct ht_grant *grant = grant_of(l, item, once->field);
	const char *title = ht_schema_field_title(item->record, once->field);
	char name[HT_NAME_MAX + 16], days[32] = "";
	const char *cells[CELLS] = {
	    [CODE] = once->code,
	    [NAME] = title != NULL ? title : "",
	    [COLLECTOR] = once->collector,
	    [WHERE] = once->where != NULL ? once->where : "",
	    [ITEM] = name,
	    [FIELD] = ht_schema_field(item->record, once->field),
	    [GRANT] = grant != NULL                  ? grant->name
	              : item->share == HT_SHARE_NONE ? "not shared"
	                                             : "apply",
	    [VALID] = days,
	};
	struct ht_slice slices[CELLS];

	(void)snprintf(name, sizeof(name), "%s@%u", item->name, item->version);
	if (once->valid_ms > 0)
		(void)snprintf(days, sizeof(days), "%llud",
		    (unsigned long long)(once->valid_ms / 86400000));
	l->n++;
	if (l->format == CLI_JSONL) {
		add_json(cells);
		return;
	}
	for (size_t i = 0; i < CELLS; i++)
		slices[i] = ht_slice_str(cells[i]);
	ht_table_add(l->table, slices);
}

/* Versions that are over give nothing; what one collects, one may ask. */
static void
add_item(struct once_list *l, const struct ht_item *item)
{
	if (item->until_ms != 0 && l->now_ms >= item->until_ms)
		return;
	for (unsigned i = 0; i < item->n_once; i++)
		if (strcmp(item->once[i].collector, l->office) != 0)
			add_row(l, item, &item->once[i]);
}

static int
print(struct once_list *l)
{
	enum ht_err err = HT_OK;

	if (l->format == CLI_CSV)
		err = ht_table_csv(l->table, stdout);
	else if (l->format == CLI_TABLE)
		err = ht_table_print(l->table, stdout);
	if (err == HT_OK && fflush(stdout) != 0)
		err = HT_ESYSTEM;
	if (err != HT_OK)
		return ht_cli_error(
		    err, NULL, "cannot write", "standard output");
	if (l->format == CLI_TABLE)
		printf("%s%s must not ask a taxpayer for %zu of the things "
		       "that the catalog has\n",
		    l->n > 0 ? "\n" : "", l->office, l->n);
	return HT_EXIT_OK;
}

static int
list(struct once_list *l)
{
	const struct ht_trust *trust = l->copy.trust;
	const struct ht_item *item;

	if (l->office == NULL && l->copy.has_node)
		l->office = l->copy.conf.member;
	if (l->office == NULL)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "for which office? Name the member with --for");
	if (ht_trust_member(trust, ht_slice_str(l->office)) == NULL)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "--for %s: there is no such member in snapshot %llu",
		    l->office, (unsigned long long)ht_trust_version(trust));
	l->now_ms = ht_clock_wall_ms();
	if (ht_table_new(columns, CELLS, &l->table) != HT_OK)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot make", "a table");
	for (size_t i = 0; (item = ht_trust_item_at(trust, i)) != NULL; i++)
		add_item(l, item);
	return print(l);
}

static int
once_only(int argc, char **argv)
{
	struct once_list l = {0};
	const struct ht_opt opts[] = {
	    HT_OPT_MAY("for", "MEMBER", l.office,
	        "the office; else the member of --config"),
	    CLI_COPY_OPTIONS(l.copy),
	    HT_OPT_MAY("format", "FORMAT", l.format_name,
	        "table (default), jsonl or csv"),
	};
	const struct ht_usage_of takes = {
	    "hutong once-only [--for MEMBER] [--config FILE | --root FILE "
	    "--dir DIR] [--format table|jsonl|csv]",
	    opts, HT_COUNT(opts), 0, 0};
	int rc = ht_cli_options(&takes, argc, argv, NULL);

	if (rc == HT_CLI_GO)
		rc = ht_cli_format(l.format_name, &l.format);
	if (rc == HT_CLI_GO)
		rc = cli_copy_open(&l.copy);
	if (rc == HT_CLI_GO)
		rc = list(&l);
	ht_table_free(&l.table);
	cli_copy_fini(&l.copy);
	return rc;
}

const struct ht_verb ht_verb_once_only = {
    .name = "once-only",
    .synopsis = "[--for MEMBER] [--config FILE | --root FILE --dir DIR] ...",
    .help = "what an office may no longer ask, and where to obtain it",
    .run = once_only,
};
