/*
 * apply_send.c -- hutong apply send and fetch: notes to and from the
 * authority's node, as records of the exchange.
 */
#include <string.h>

#include "adapters/cli/apply.h"
#include "adapters/cli/ask.h"

struct travel {
	struct cli_asking asking;
	char item[HT_NAME_MAX + 8]; /* "catalog/GXSQ" */
	bool unverified;
};

#define TRAVEL_OPTIONS(a)                                                      \
	HT_OPT_MAY("config", "FILE", (a).config,                               \
	    "whose node: node.yaml; else $HUTONG_CONFIG"),                     \
	    HT_OPT_MAY("grant", "NAME", (a).grant,                             \
	        "the grant to rely on; else the first that fits"),             \
	    HT_OPT_MAY("timeout", "TIME", (a).timeout,                         \
	        "how long to wait: 30s (default), 5m"),                        \
	    HT_OPT_FLAG("quiet", (a).quiet, "nothing but the result")

static int
travel_open(struct travel *t)
{
	int rc = cli_asking_open(&t->asking, NULL);

	if (rc != HT_CLI_GO)
		return rc;
	t->asking.operation = HT_OP_QUERY;
	t->asking.purpose = HT_APPLICATION_PURPOSE;
	(void)snprintf(t->item, sizeof(t->item), "%s/" HT_APPLICATION_CODE,
	    ht_trust_root(ht_node_trust(t->asking.node))->catalog);
	return cli_asking_item(&t->asking, t->item);
}

/* Ask the authority's node; one parameter or none. */
static int
travel_ask(struct travel *t, const char *name, struct ht_slice value,
    struct ht_asked *ret)
{
	HT_AUTO(ht_json_free) json_t *params = json_object();
	struct ht_ask ask = {.operation = HT_OP_QUERY, .params = params};

	if (value.len > 0)
		(void)json_object_set_new(params, name,
		    json_stringn((const char *)value.at, value.len));
	return cli_ask(&t->asking, &ask, ret);
}

static const char *
text_of(const json_t *record, const char *name)
{
	const char *text = json_string_value(json_object_get(record, name));

	return text != NULL ? text : "";
}

/* ---- send ---- */

static int
check_note(const char *path, struct ht_doc **ret)
{
	int rc = ht_cli_application(path, true, ret);

	if (rc != HT_CLI_GO)
		return rc;
	if ((*ret)->bytes.len == (*ret)->text.len)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s: nobody has signed it yet: hutong apply sign %s --key "
		    "...",
		    path, path);
	if ((*ret)->bytes.len > HT_APPLICATION_NOTE)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s: longer than the %d bytes that a note may have", path,
		    HT_APPLICATION_NOTE);
	return HT_CLI_GO;
}

static int
send_note(struct travel *t, const struct ht_doc *doc)
{
	HT_AUTO(ht_asked_fini) struct ht_asked asked = {0};
	int rc = travel_ask(t, "note", doc->bytes, &asked);
	const json_t *record;

	if (rc != HT_CLI_GO)
		return rc;
	record = json_array_get(asked.response.records, 0);
	printf("%s\t%s %s revision %llu\n", text_of(record, "receipt"),
	    ht_doc_kind_text(doc->kind), doc->name,
	    (unsigned long long)doc->revision);
	cli_footer(&t->asking, &asked, "");
	return HT_EXIT_OK;
}

static int
send(int argc, char **argv)
{
	static struct travel t;
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	const struct ht_opt opts[] = {TRAVEL_OPTIONS(t.asking)};
	const struct ht_usage_of takes = {
	    "hutong apply send FILE [--config FILE]", opts, HT_COUNT(opts), 1,
	    1};
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = check_note(args.at[0], &doc);
	if (rc == HT_CLI_GO)
		rc = travel_open(&t);
	if (rc == HT_CLI_GO)
		rc = send_note(&t, doc);
	cli_asking_fini(&t.asking);
	return rc;
}

/* ---- fetch ---- */

/* Signed as it must be, by keys in force now: the mailbox may lie. */
static enum ht_err
check_signed(
    struct travel *t, const struct ht_doc *doc, struct ht_report *report)
{
	const struct ht_trust *trust = ht_node_trust(t->asking.node);
	const char *signer = doc->kind == HT_DOC_APPLICATION
	                         ? doc->application->asks.grant.consumer
	                         : doc->answer->provider;
	const struct ht_member *member =
	    ht_trust_member(trust, ht_slice_str(signer));

	if (member != NULL)
		return ht_doc_check_signed(
		    doc, ht_trust_root(trust), member, report);
	ht_report_add(report, doc->where, "%s is no member any more", signer);
	return HT_EBADSIG;
}

static int
keep(struct travel *t, struct ht_casebook *book, const json_t *record)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	const char *receipt = text_of(record, "receipt");
	const char *note = text_of(record, "note");
	enum ht_err err =
	    ht_doc_parse(ht_slice_str(note), receipt, report, &doc);

	if (err == HT_OK && !ht_doc_is_application(doc))
		err = HT_EMALFORMED;
	if (err == HT_OK)
		err = check_signed(t, doc, report);
	if (err == HT_EBADSIG && t->unverified) {
		ht_cli_report(report);
		err = HT_OK;
	}
	if (err == HT_OK)
		err = ht_casebook_take(
		    book, doc, receipt, HT_SHARE_CONDITIONAL, NULL, report);
	if (err != HT_OK)
		return ht_cli_error(err, report, "cannot keep", receipt);
	printf("%s\t%s %s revision %llu\n", receipt,
	    ht_doc_kind_text(doc->kind), doc->name,
	    (unsigned long long)doc->revision);
	return HT_CLI_GO;
}

static int
fetch_some(struct travel *t, struct ht_casebook *book, bool *ret_more)
{
	HT_AUTO(ht_asked_fini) struct ht_asked asked = {0};
	const char *after =
	    book->n_notes > 0 ? book->notes[book->n_notes - 1].receipt : "";
	int rc = travel_ask(t, "after", ht_slice_str(after), &asked);
	const json_t *records = asked.response.records;

	for (size_t i = 0; rc == HT_CLI_GO && i < json_array_size(records); i++)
		rc = keep(t, book, json_array_get(records, i));
	/* A node that says "more" and brings nothing is not asked forever. */
	*ret_more = rc == HT_CLI_GO && asked.response.more &&
	            json_array_size(records) > 0;
	if (rc == HT_CLI_GO && !*ret_more)
		cli_footer(&t->asking, &asked, "");
	return rc;
}

static int
fetch(int argc, char **argv)
{
	static struct travel t;
	HT_AUTO(ht_casebook_free) struct ht_casebook *book = NULL;
	const struct ht_opt opts[] = {
	    TRAVEL_OPTIONS(t.asking),
	    HT_OPT_FLAG("unverified", t.unverified,
	        "keep also, and say, what keys in force did not sign"),
	};
	const struct ht_usage_of takes = {
	    "hutong apply fetch DIR [--config FILE]", opts, HT_COUNT(opts), 1,
	    1};
	struct ht_args args;
	bool more = true;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = ht_cli_casebook(args.at[0], &book);
	if (rc == HT_CLI_GO)
		rc = travel_open(&t);
	while (rc == HT_CLI_GO && more)
		rc = fetch_some(&t, book, &more);
	cli_asking_fini(&t.asking);
	return rc == HT_CLI_GO ? HT_EXIT_OK : rc;
}

const struct ht_verb ht_apply_send = {
    .name = "send",
    .synopsis = "FILE [--config FILE]",
    .help = "hand a signed note in at the authority's node",
    .run = send,
};
const struct ht_verb ht_apply_fetch = {
    .name = "fetch",
    .synopsis = "DIR [--config FILE]",
    .help = "get what came since: your applications, and those to you",
    .run = fetch,
};
