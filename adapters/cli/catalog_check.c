/*
 * catalog_check.c -- hutong catalog check: every mistake of form, then every
 * rule that a catalog breaks, with line and rule.
 */
#include <string.h>

#include "adapters/cli/catalog.h"
#include "schemas/rules.h"

/* ---- reading ---- */

static void
say_form(const char *path, const struct ht_docs *docs, size_t from)
{
	const struct ht_doc *doc = docs->n > from ? docs->at[from] : NULL;

	if (docs->n == from + 1 && strcmp(doc->where, path) == 0)
		printf("%s: %s %s revision %llu, well formed\n", path,
		    ht_doc_kind_text(doc->kind), doc->name,
		    (unsigned long long)doc->revision);
	else
		printf("%s: %zu documents, all well formed\n", path,
		    docs->n - from);
}

/* All that can be read; the worst exit code of what cannot. */
static int
read_paths(const struct ht_args *paths, struct ht_docs *to)
{
	int worst = HT_CLI_GO, rc;

	for (size_t i = 0; i < paths->n; i++) {
		size_t before = to->n;

		rc = ht_cli_docs_at(paths->at[i], to);
		if (rc == HT_CLI_GO)
			say_form(paths->at[i], to, before);
		if (rc != HT_CLI_GO && rc > worst)
			worst = rc;
	}
	ht_docs_sort(to);
	return worst;
}

/* ---- the rules ---- */

static enum ht_err
check_items(const struct ht_docs *docs, const struct ht_rules *to)
{
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < docs->n && err == HT_OK; i++)
		if (docs->at[i]->kind == HT_DOC_ITEM)
			err = ht_rules_item(docs->at[i], to);
	return err;
}

/* What is new, by a higher revision, against what stood before. */
static enum ht_err
check_changes(const struct ht_docs *before, const struct ht_docs *docs,
    const struct ht_rules *to)
{
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < docs->n && err == HT_OK; i++) {
		const struct ht_doc *doc = docs->at[i], *old;

		if (doc->kind != HT_DOC_ITEM)
			continue;
		old = ht_docs_find(before, doc->kind, doc->name);
		if (old == NULL || ht_hash_eq(&old->hash, &doc->hash))
			continue;
		err = ht_rules_revision(old, doc, to);
	}
	return err;
}

static void
say_advice(const struct ht_report *advice)
{
	unsigned n = ht_report_count(advice);

	for (unsigned i = 0; i < n && i < HT_FINDINGS_MAX; i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf line = HT_BUF(1 << 16);

		ht_buf_fmt(&line, "%s: advice: %s", ht_report_where(advice, i),
		    ht_report_text(advice, i));
		(void)ht_cli_fail(0, "%s", ht_buf_text(&line));
	}
	if (n > HT_FINDINGS_MAX)
		(void)ht_cli_fail(0, "... and %u more", n - HT_FINDINGS_MAX);
}

static int
check_rules(
    const struct ht_docs *docs, const struct ht_docs *before, bool quiet)
{
	HT_AUTO(ht_report_free) struct ht_report *violations = ht_report_new();
	HT_AUTO(ht_report_free) struct ht_report *advice = ht_report_new();
	struct ht_rules to = {violations, advice};
	enum ht_err err = check_items(docs, &to);

	if (err == HT_OK)
		err = ht_rules_catalog(docs->at, docs->n, &to);
	if (err == HT_OK)
		err = check_changes(before, docs, &to);
	if (err != HT_OK)
		return ht_cli_error(
		    err, violations, "cannot check", "these documents");
	if (!quiet)
		say_advice(advice);
	ht_cli_report(violations);
	if (ht_report_count(violations) == 0)
		return HT_EXIT_OK;
	return ht_cli_fail(HT_EXIT_REFUSED,
	    "%u rules are broken; docs/catalog.md tells each by the word in "
	    "brackets",
	    ht_report_count(violations));
}

/* ---- the verb ---- */

static int
check(int argc, char **argv)
{
	HT_AUTO(ht_docs_fini) struct ht_docs docs = {0, NULL};
	HT_AUTO(ht_docs_fini) struct ht_docs before = {0, NULL};
	const char *since = NULL;
	bool quiet = false;
	const struct ht_opt opts[] = {
	    HT_OPT_MAY("since", "DIR", since,
	        "the folder as it was: what breaks consumers is told"),
	    HT_OPT_FLAG("quiet", quiet, "violations alone, no advice"),
	};
	const struct ht_usage_of takes = {
	    "hutong catalog check FILE|DIR ... [--since DIR] [--quiet]", opts,
	    HT_COUNT(opts), 1, HT_ARGS_MAX};
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args), worst;

	if (rc == HT_CLI_GO && since != NULL)
		rc = ht_cli_docs(since, &before);
	if (rc != HT_CLI_GO)
		return rc;
	worst = read_paths(&args, &docs);
	rc = check_rules(&docs, &before, quiet);
	return worst != HT_CLI_GO && worst > rc ? worst : rc;
}

const struct ht_verb ht_catalog_check = {
    .name = "check",
    .synopsis = "FILE|DIR ... [--since DIR] [--quiet]",
    .help = "every mistake in documents, and every rule a catalog breaks",
    .run = check,
};
