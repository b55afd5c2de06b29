/*
 * explain.c -- hutong explain: what became of an exchange of this node's own,
 * by which rule and documents of then, and what would be decided now.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/copy.h"
#include "adapters/cli/explain.h"
#include "lib/base/clock.h"

#define RECORDS_MAX 64 /* of one exchange */
#define LIST_MAX    20

struct explaining {
	const char *then; /* options */
	const char *format_name;
	enum cli_format format;
	struct cli_copy copy;
	struct ht_state *state;
	size_t n;
	size_t max;
	struct ht_told *told;
};

static void
explaining_fini(struct explaining *x)
{
	cli_copy_fini(&x->copy);
	ht_state_close(&x->state);
	free(x->told);
}

static void
explained_fini(struct cli_explained *e)
{
	ht_doc_unref(&e->item);
	ht_doc_unref(&e->grant);
	ht_trust_unref(&e->then.trust);
	ht_trust_unref(&e->now.trust);
}

/* ---- the documents of then ---- */

static void
find_doc(struct ht_state *state, const struct ht_hash *hash, const char *where,
    struct ht_doc **ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);

	/* What does not stand there any more is said to be missing. */
	if (ht_state_noted(state, hash, &note) != HT_OK ||
	    ht_doc_parse(ht_buf_slice(&note), where, report, ret) != HT_OK)
		*ret = NULL;
}

/* ---- decided again ---- */

/* As it was asked, but for the time and the keys of it. */
static void
decide_again(
    const struct ht_told *told, uint64_t now_ms, struct cli_again *again)
{
	struct ht_prospect prospect = {
	    .consumer = ht_slice_str(told->consumer),
	    .item = ht_slice_str(told->item),
	    .version = told->version,
	    .operation = told->operation,
	    .purpose = ht_slice_str(told->purpose),
	    .now_ms = now_ms,
	};
	const struct ht_grant *grant =
	    ht_trust_grant(again->trust, ht_slice_str(told->grant));

	/* Where none was found, none could be named. */
	if (grant == NULL)
		(void)ht_find_grant(again->trust, &prospect, &again->verdict);
	else
		ht_prospect_judge(
		    again->trust, &prospect, grant, NULL, &again->verdict);
}

static int
explain_one(struct explaining *x, const struct ht_told *told)
{
	HT_AUTO(explained_fini) struct cli_explained e = {.told = told};
	enum ht_err err;
	int rc = cli_copy_then(&x->copy, x->then, told->snapshot,
	    &told->snapshot_hash, &e.then.trust);

	if (rc != HT_CLI_GO)
		return rc;
	find_doc(x->state, &told->item_note, told->item, &e.item);
	find_doc(x->state, &told->grant_note, told->grant, &e.grant);
	e.now.trust = ht_trust_ref(x->copy.trust);
	decide_again(told, ht_clock_wall_ms(), &e.now);
	if (e.then.trust != NULL)
		decide_again(told, told->created_ms, &e.then);
	err = cli_explained_show(&e, x->format);
	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(err, NULL, "cannot write", "standard output");
}

/* ---- finding it ---- */

static bool
collect(void *arg, const struct ht_told *told)
{
	struct explaining *x = arg;

	if (x->n < x->max)
		x->told[x->n++] = *told;
	return x->n < x->max;
}

static int
show_rows(const struct explaining *x)
{
	enum ht_err err = cli_told_show(x->told, x->n, x->format);

	if (err != HT_OK)
		return ht_cli_error(
		    err, NULL, "cannot write", "standard output");
	return HT_EXIT_OK;
}

static int
list_last(struct explaining *x)
{
	enum ht_err err = ht_state_told_last(x->state, collect, x);

	if (err != HT_OK)
		return ht_cli_error(
		    err, NULL, "cannot read", ht_state_dir(x->state));
	return show_rows(x);
}

static int
explain_all(struct explaining *x, const char *text)
{
	struct ht_id id;
	enum ht_err err;
	int rc = HT_CLI_GO;

	if (strlen(text) != (size_t)2 * HT_ID_SIZE ||
	    ht_unhex(text, id.at, HT_ID_SIZE) != HT_OK)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "an exchange's id is %d hexadecimal digits, as query and "
		    "verify print it; not \"%s\"",
		    2 * HT_ID_SIZE, text);
	err = ht_state_told(x->state, &id, collect, x);
	if (err == HT_ENOTFOUND)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s remembers no exchange %s: a node knows those it asked "
		    "or served itself, the newest %u of them (history, in "
		    "%s); others are for the auditors",
		    x->copy.conf.state, text, x->copy.conf.conf.history,
		    x->copy.config);
	if (err != HT_OK)
		return ht_cli_error(
		    err, NULL, "cannot read", ht_state_dir(x->state));
	if (x->format == CLI_CSV)
		return show_rows(x);
	for (size_t i = 0; i < x->n && rc == HT_CLI_GO; i++)
		rc = explain_one(x, &x->told[i]);
	return rc == HT_CLI_GO ? HT_EXIT_OK : rc;
}

/* ---- the verb ---- */

static int
open_state(struct explaining *x)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	enum ht_err err;
	int rc = cli_copy_open(&x->copy);

	if (rc != HT_CLI_GO)
		return rc;
	err = ht_state_look(x->copy.conf.state, report, &x->state);
	if (err != HT_OK)
		return ht_cli_error(
		    err, report, "cannot read", x->copy.conf.state);
	x->told = calloc(x->max, sizeof(*x->told));
	return x->told != NULL
	           ? HT_CLI_GO
	           : ht_cli_error(HT_ENOMEM, NULL, "cannot", "explain");
}

static int
explain(int argc, char **argv)
{
	HT_AUTO(explaining_fini) struct explaining x = {.max = RECORDS_MAX};
	struct ht_args args;
	const struct ht_opt opts[] = {
	    HT_OPT_MAY("config", "FILE", x.copy.config,
	        "the node that asked or served; else $HUTONG_CONFIG"),
	    HT_OPT_MAY(
	        "then", "DIR", x.then, "a copy of the trust documents of then"),
	    HT_OPT_MAY("format", "FORMAT", x.format_name,
	        "table (default), jsonl or csv"),
	};
	const struct ht_usage_of takes = {
	    "hutong explain [EXCHANGE-ID] [--config FILE] [--then DIR] "
	    "[--format FORMAT]",
	    opts, HT_COUNT(opts), 0, 1};
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = ht_cli_format(x.format_name, &x.format);
	if (rc == HT_CLI_GO && args.n == 0)
		x.max = LIST_MAX;
	if (rc == HT_CLI_GO)
		rc = open_state(&x);
	if (rc != HT_CLI_GO)
		return rc;
	return args.n == 0 ? list_last(&x) : explain_all(&x, args.at[0]);
}

const struct ht_verb ht_verb_explain = {
    .name = "explain",
    .synopsis = "[EXCHANGE-ID] [--config FILE] [--then DIR]",
    .help = "what became of an exchange of ours, by which rule, and why",
    .run = explain,
};
