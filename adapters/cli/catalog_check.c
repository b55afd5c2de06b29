/*
 * catalog_check.c -- hutong catalog check: every mistake of form, then every
 * rule that a catalog breaks, with line and rule.
 */
#include <string.h>

#include "adapters/cli/catalog.h"
#include "lib/base/clock.h"
#include "schemas/rules.h"

struct checking {
	struct ht_docs docs;
	struct ht_docs before; /* --since */
	bool whole; /* an authority's folder is among what is checked */
};

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
		printf("%s: %zu document%s well formed\n", path, docs->n - from,
		    docs->n - from == 1 ? "," : "s, all");
}

/* All that can be read; the worst exit code of what cannot. */
static int
read_paths(struct checking *c, const struct ht_args *paths)
{
	int worst = HT_CLI_GO, rc;

	for (size_t i = 0; i < paths->n; i++) {
		enum ht_docs_from from;
		size_t before = c->docs.n;

		rc = ht_cli_docs_at(paths->at[i], &c->docs, &from);
		c->whole = c->whole || from == HT_DOCS_AUTHORITY;
		if (rc == HT_CLI_GO)
			say_form(paths->at[i], &c->docs, before);
		if (rc != HT_CLI_GO && rc > worst)
			worst = rc;
	}
	ht_docs_sort(&c->docs);
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
check_changes(const struct checking *c, const struct ht_rules *to)
{
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < c->docs.n && err == HT_OK; i++) {
		const struct ht_doc *doc = c->docs.at[i], *old;

		if (doc->kind != HT_DOC_ITEM)
			continue;
		old = ht_docs_find(&c->before, doc->kind, doc->name);
		if (old == NULL || ht_hash_eq(&old->hash, &doc->hash))
			continue;
		err = ht_rules_revision(old, doc, to);
	}
	return err;
}

/* An item may go when its last day is over; drafts do not say what goes. */
static enum ht_err
check_gone(const struct checking *c, const struct ht_rules *to)
{
	enum ht_err err = HT_OK;
	uint64_t now_ms = ht_clock_wall_ms();

	for (size_t i = 0; c->whole && i < c->before.n && err == HT_OK; i++) {
		const struct ht_doc *old = c->before.at[i];

		if (old->kind == HT_DOC_ITEM &&
		    ht_docs_find(&c->docs, old->kind, old->name) == NULL)
			err = ht_rules_gone(old, now_ms, to);
	}
	return err;
}

/* ---- against one another ---- */

/* The catalog as it will be: drafts in the place of what they replace. */
static enum ht_err
overlay(const struct checking *c, struct ht_docs *ret)
{
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < c->docs.n && err == HT_OK; i++) {
		err = ht_docs_add(ret, ht_doc_ref(c->docs.at[i]));
		if (err != HT_OK)
			ht_doc_unref(&(struct ht_doc *){c->docs.at[i]});
	}
	for (size_t i = 0; !c->whole && i < c->before.n && err == HT_OK; i++) {
		struct ht_doc *old = c->before.at[i];

		if (ht_docs_find(&c->docs, old->kind, old->name) != NULL)
			continue;
		err = ht_docs_add(ret, ht_doc_ref(old));
		if (err != HT_OK)
			ht_doc_unref(&old);
	}
	ht_docs_sort(ret);
	return err;
}

static bool
has_finding(const struct ht_report *report, const char *where, const char *text)
{
	for (unsigned i = 0; i < ht_report_count(report) && i < HT_FINDINGS_MAX;
	     i++)
		if (strcmp(ht_report_where(report, i), where) == 0 &&
		    strcmp(ht_report_text(report, i), text) == 0)
			return true;
	return false;
}

static void
add_new(struct ht_report *to, const struct ht_report *found,
    const struct ht_report *known)
{
	unsigned n = ht_report_count(found);

	for (unsigned i = 0; i < n && i < HT_FINDINGS_MAX; i++) {
		const char *where = ht_report_where(found, i);
		const char *text = ht_report_text(found, i);

		if (!has_finding(known, where, text))
			ht_report_add(to, where, "%s", text);
	}
}

/* What was told of the catalog as it was is no news of the drafts. */
static enum ht_err
check_together(const struct checking *c, const struct ht_rules *to)
{
	HT_AUTO(ht_docs_fini) struct ht_docs all = {0, NULL};
	HT_AUTO(ht_report_free) struct ht_report *was = ht_report_new();
	HT_AUTO(ht_report_free) struct ht_report *was_advice = ht_report_new();
	HT_AUTO(ht_report_free) struct ht_report *is = ht_report_new();
	HT_AUTO(ht_report_free) struct ht_report *is_advice = ht_report_new();
	const struct ht_rules old = {was, was_advice}, new = {is, is_advice};
	enum ht_err err = overlay(c, &all);

	if (err == HT_OK && !c->whole && c->before.n > 0)
		err = ht_rules_catalog(c->before.at, c->before.n, &old);
	if (err == HT_OK)
		err = ht_rules_catalog(all.at, all.n, &new);
	add_new(to->violations, is, was);
	add_new(to->advice, is_advice, was_advice);
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
check_rules(const struct checking *c, bool quiet)
{
	HT_AUTO(ht_report_free) struct ht_report *violations = ht_report_new();
	HT_AUTO(ht_report_free) struct ht_report *advice = ht_report_new();
	struct ht_rules to = {violations, advice};
	enum ht_err err = check_items(&c->docs, &to);

	if (err == HT_OK)
		err = check_together(c, &to);
	if (err == HT_OK)
		err = check_changes(c, &to);
	if (err == HT_OK)
		err = check_gone(c, &to);
	if (err != HT_OK)
		return ht_cli_error(
		    err, violations, "cannot check", "these documents");
	if (!quiet)
		say_advice(advice);
	ht_cli_report(violations);
	if (ht_report_count(violations) == 0)
		return HT_EXIT_OK;
	if (ht_report_count(violations) == 1)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "1 rule is broken; docs/catalog.md tells it by the word in "
		    "brackets");
	return ht_cli_fail(HT_EXIT_REFUSED,
	    "%u rules are broken; docs/catalog.md tells each by the word in "
	    "brackets",
	    ht_report_count(violations));
}

/* ---- the verb ---- */

static void
checking_fini(struct checking *c)
{
	ht_docs_fini(&c->docs);
	ht_docs_fini(&c->before);
}

static int
check(int argc, char **argv)
{
	HT_AUTO(checking_fini) struct checking c = {.whole = false};
	const char *since = NULL;
	bool quiet = false;
	const struct ht_opt opts[] = {
	    HT_OPT_MAY("since", "DIR", since,
	        "the catalog as it was: what breaks consumers is told"),
	    HT_OPT_FLAG("quiet", quiet, "violations alone, no advice"),
	};
	const struct ht_usage_of takes = {
	    "hutong catalog check FILE|DIR ... [--since DIR] [--quiet]", opts,
	    HT_COUNT(opts), 1, HT_ARGS_MAX};
	enum ht_docs_from from;
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args), worst;

	if (rc == HT_CLI_GO && since != NULL)
		rc = ht_cli_docs_at(since, &c.before, &from);
	if (rc != HT_CLI_GO)
		return rc;
	ht_docs_sort(&c.before);
	worst = read_paths(&c, &args);
	if (c.docs.n > 0)
		rc = check_rules(&c, quiet);
	if (rc == HT_CLI_GO)
		rc = HT_EXIT_OK;
	if (worst != HT_CLI_GO && c.docs.n > 0)
		(void)ht_cli_fail(0,
		    "the rules were looked at in what could be read; what "
		    "could not, and stands above, may break others");
	return worst != HT_CLI_GO && worst > rc ? worst : rc;
}

const struct ht_verb ht_catalog_check = {
    .name = "check",
    .synopsis = "FILE|DIR ... [--since DIR] [--quiet]",
    .help = "every mistake in documents, and every rule a catalog breaks",
    .run = check,
};
