/*
 * cani.c -- hutong can-i: would it be allowed, by which grant, or why not?
 */
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/files.h"
#include "lib/base/clock.h"
#include "schemas/policy.h"

struct question {
	const char *root;
	const char *dir;
	const char *from;
	const char *item;
	const char *operation;
	const char *purpose;
	const char *at;
};

static void
say_fields(const struct ht_item *item, const struct ht_grant *grant)
{
	const char *comma = "";

	printf("fields   ");
	for (size_t i = 0; i < ht_schema_fields(item->record); i++) {
		if (!ht_grant_field(grant, i))
			continue;
		printf("%s%s", comma, ht_schema_field(item->record, i));
		comma = ",";
	}
	putchar('\n');
}

static void
say_yes(const struct ht_verdict *v)
{
	char until[HT_TIME_SIZE];

	ht_time_text(until, v->grant->until_ms * 1000);
	printf("yes, by grant %s\n", v->grant->name);
	printf("item     %s version %u, of %s\n", v->item->name,
	    v->item->version, v->item->provider);
	printf("purposes ");
	for (unsigned i = 0; i < v->grant->n_purposes; i++)
		printf("%s%s", i > 0 ? "," : "", v->grant->purposes[i]);
	printf("\nbasis    %s\n", v->grant->basis);
	say_fields(v->item, v->grant);
	if (v->grant->row_field != NULL) {
		printf("rows     %s begins with", v->grant->row_field);
		for (unsigned i = 0; i < v->grant->n_row_prefixes; i++)
			printf("%s %s", i > 0 ? " or" : "",
			    v->grant->row_prefixes[i]);
		putchar('\n');
	}
	printf("until    %s\n", until);
}

static void
say_no(const struct ht_verdict *v)
{
	if (v->grant != NULL)
		printf("no; nearest is grant %s\n", v->grant->name);
	else
		printf("no\n");
	for (unsigned i = 0; i < v->reasons.n; i++) {
		unsigned code = v->reasons.at[i].code;

		printf("  %s: %s: %s\n      %s must act: %s\n",
		    ht_status_name(code), ht_status_text(code),
		    v->reasons.at[i].detail, ht_who_text(ht_status_who(code)),
		    ht_status_remedy(code));
	}
}

static int
answer(const struct question *q, unsigned operation, uint64_t at_ms)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_trust_unref) struct ht_trust *trust = NULL;
	struct ht_verdict verdict = {0};
	struct ht_root root;
	enum ht_err err;
	int rc = ht_cli_root(q->root, &root);

	if (rc != HT_CLI_GO)
		return rc;
	err = ht_trust_load_dir(&root, q->dir, NULL, report, &trust);
	if (err != HT_OK)
		return ht_cli_error(err, report, "cannot trust", q->dir);
	(void)ht_find_grant(trust, ht_slice_str(q->from), ht_slice_str(q->item),
	    operation, ht_slice_str(q->purpose != NULL ? q->purpose : ""),
	    at_ms, &verdict);
	if (verdict.allow)
		say_yes(&verdict);
	else
		say_no(&verdict);
	return verdict.allow ? HT_EXIT_OK : HT_EXIT_REFUSED;
}

static int
can_i(int argc, char **argv)
{
	struct question q = {0};
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("root", "FILE", q.root, "the anchor file"),
	    HT_OPT_NEED(
	        "dir", "DIR", q.dir, "a copy of the authority's folder"),
	    HT_OPT_NEED("from", "MEMBER", q.from, "who would ask"),
	    HT_OPT_NEED("item", "NAME", q.item, "what for: catalog/CODE"),
	    HT_OPT_NEED("operation", "WORD", q.operation, "query, verify ..."),
	    HT_OPT_MAY("purpose", "CODE", q.purpose, "any, if not said"),
	    HT_OPT_MAY("at", "TIME", q.at, "now, if not said"),
	};
	const struct ht_usage_of takes = {
	    "hutong can-i --root FILE --dir DIR --from MEMBER --item NAME "
	    "--operation WORD [--purpose CODE] [--at TIME]",
	    opts, HT_COUNT(opts), 0, 0};
	unsigned operation;
	uint64_t at_ms;
	int rc = ht_cli_options(&takes, argc, argv, NULL);

	if (rc == HT_CLI_GO)
		rc = ht_cli_time("--at", q.at, ht_clock_wall_ms(), &at_ms);
	if (rc != HT_CLI_GO)
		return rc;
	if (ht_operation_parse(ht_slice_str(q.operation), &operation) != HT_OK)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--operation %s: query, verify, push, subscribe or "
		    "transfer is expected",
		    q.operation);
	return answer(&q, operation, at_ms);
}

const struct ht_verb ht_verb_can_i = {
    .name = "can-i",
    .synopsis = "--root FILE --dir DIR --from MEMBER --item NAME --operation "
                "WORD [--purpose CODE]",
    .help = "would it be allowed, by which grant, or why not",
    .run = can_i,
};
