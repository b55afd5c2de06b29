/*
 * order_tool.c -- hutong-audit erase and disclose: drafts of orders, for
 * officers to sign.  They do nothing: that is the broker's, on their word.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/audit/look.h"
#include "broker/cli/tool.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "schemas/doc.h"

#define VALID_MS UINT64_C(1209600000) /* two weeks, where no end is given */

struct draft {
	const struct ht_audit_opts *opts;
	const struct ht_erase_opts *erase;
	bool disclose;               /* hidden looks; else erase */
	struct ht_audit_opts search; /* for the entries */
	struct ht_audit_faith faith;
	struct ht_buf entries; /* "17, 203" */
	size_t n;
	struct ht_buf text;
};

/* ---- which entries ---- */

/* Nothing is to be erased on the broker's word: the tag must say whose. */
static enum ht_err
add_row(void *arg, const struct ht_row *row)
{
	struct draft *d = arg;
	enum ht_err err =
	    ht_look_is_about(row, &d->search.query.filter.subject);

	if (err != HT_OK)
		return err;
	if (d->n++ == HT_ERASE_ENTRIES)
		return HT_ETOOBIG;
	ht_buf_fmt(&d->entries, "%s%llu", d->n > 1 ? ", " : "",
	    (unsigned long long)row->seq);
	return d->entries.err;
}

static int
take_rows(struct draft *d, const struct ht_audit_result *r)
{
	uint64_t bad = 0;
	enum ht_err err = ht_audit_each(r, add_row, d, &bad);

	if (err == HT_ETOOBIG) {
		ht_audit_say("more entries match than one order may list "
		             "(%d); make several, with --from and --to",
		    HT_ERASE_ENTRIES);
		return HT_AUDIT_CUT;
	}
	return ht_audit_unproven(err, bad);
}

/* The entries about a subject: a search like any other, and logged as such. */
static int
find_entries(struct draft *d)
{
	struct ht_audit_opts *o = &d->search;
	struct ht_audit_result result;
	bool more = true;
	int code = ht_audit_subject(o, &d->faith);

	o->query.evidence = true; /* with the tags */
	while (more && code == HT_AUDIT_OK) {
		code = ht_audit_fetch(o, &d->faith, &result);
		if (code != HT_AUDIT_OK)
			return code;
		code = take_rows(d, &result);
		more = result.answer.more;
		o->query.filter.start_seq = result.answer.next_seq;
		ht_audit_result_fini(&result);
	}
	if (code == HT_AUDIT_OK && d->n == 0) {
		ht_audit_say("nothing was found that has a tag to erase");
		code = HT_AUDIT_NONE;
	}
	return code;
}

/* What the rules hide from the subject, and no order shows yet. */
static int
find_hidden(struct draft *d)
{
	HT_AUTO(ht_mem_free) uint64_t *entries = NULL;
	int code = ht_audit_hidden(d->opts, &entries, &d->n);

	if (code != HT_AUDIT_OK)
		return code;
	if (d->n == 0) {
		ht_audit_say("no look at this subject is hidden from it now");
		return HT_AUDIT_NONE;
	}
	if (d->n > HT_DISCLOSE_ENTRIES) {
		ht_audit_say("%zu looks are hidden, and one order lists %d at "
		             "most; make several, with --from and --to",
		    d->n, HT_DISCLOSE_ENTRIES);
		return HT_AUDIT_CUT;
	}
	for (size_t i = 0; i < d->n; i++)
		ht_buf_fmt(&d->entries, "%s%llu", i > 0 ? ", " : "",
		    (unsigned long long)entries[i]);
	return HT_AUDIT_OK;
}

/* ---- the document ---- */

/* A scalar in double quotes, where nothing needs to be escaped. */
static bool
quotable(const char *text)
{
	for (const char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == '"' || *at == '\\')
			return false;
	return true;
}

static void
add_scope(struct draft *d)
{
	const struct ht_erase_opts *e = d->erase;

	if (d->n > 0)
		ht_buf_fmt(&d->text, "entries: [%s]\n",
		    ht_buf_text(&d->entries) != NULL ? ht_buf_text(&d->entries)
		                                     : "");
	if (e->entries != NULL)
		ht_buf_fmt(&d->text, "entries: [%s]\n", e->entries);
	if (e->epoch != NULL)
		ht_buf_fmt(&d->text, "epoch: %s\n", e->epoch);
	if (e->before != NULL)
		ht_buf_fmt(&d->text, "before: %s\n", e->before);
	if (e->over != NULL)
		ht_buf_fmt(&d->text, "retention-over: %s\n", e->over);
}

static void
write_text(struct draft *d)
{
	const struct ht_erase_opts *e = d->erase;
	uint64_t now_ms = ht_clock_wall_ms();
	char issued[HT_TIME_SIZE], until[HT_TIME_SIZE];

	/* To the second: people read it. */
	ht_time_text(issued, now_ms / 1000 * 1000000);
	ht_time_text(until, (now_ms + VALID_MS) / 1000 * 1000000);
	ht_buf_fmt(&d->text,
	    "hutong: %s/v1\n"
	    "order: %s\n"
	    "log: %s\n"
	    "basis: \"%s\"\n",
	    d->disclose ? "disclose" : "erase", e->order, d->faith.vkey.name,
	    e->basis);
	if (!d->disclose)
		ht_buf_fmt(
		    &d->text, "what: %s\n", e->bodies ? "bodies" : "tags");
	ht_buf_fmt(&d->text,
	    "issued: %s\n"
	    "until: %s\n",
	    issued, e->until != NULL ? e->until : until);
	add_scope(d);
}

/* What officers are asked to sign must be what the broker will take. */
static int
check_text(struct draft *d)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	enum ht_err err = d->text.err;

	if (err == HT_OK)
		err =
		    ht_doc_parse(ht_buf_slice(&d->text), "order", report, &doc);
	if (err == HT_OK)
		return HT_AUDIT_OK;
	for (unsigned i = 0; i < ht_report_count(report) && i < HT_FINDINGS_MAX;
	     i++)
		ht_audit_say("%s: %s", ht_report_where(report, i),
		    ht_report_text(report, i));
	ht_audit_say("this would be no valid order: %s", ht_err_text(err));
	return HT_AUDIT_USAGE;
}

static int
put_out(struct draft *d)
{
	const char *out = d->opts->output;
	const char *verb = d->disclose ? "disclose" : "erase";
	int code = ht_audit_output(out, ht_buf_slice(&d->text));

	if (code != HT_AUDIT_OK || out == NULL)
		return code;
	printf("%s: the draft of an order; nothing is %sd yet\n"
	       "next: the officers sign it, each on their own machine:\n"
	       "        hutong catalog sign %s --key FILE\n"
	       "      and the operator of the broker hands it in:\n"
	       "        hutong-broker ctl %s %s\n",
	    out, verb, out, verb, out);
	return HT_AUDIT_OK;
}

static int
draft(struct draft *d)
{
	int code = ht_audit_faith(d->opts, &d->faith);

	if (code == HT_AUDIT_OK && !d->faith.has_vkey) {
		ht_audit_say("whose log is it? --root, --authority or --vkey "
		             "names it");
		code = HT_AUDIT_USAGE;
	}
	if (code == HT_AUDIT_OK && d->opts->subject != NULL)
		code = d->disclose ? find_hidden(d) : find_entries(d);
	if (code != HT_AUDIT_OK)
		return code;
	write_text(d);
	code = check_text(d);
	return code == HT_AUDIT_OK ? put_out(d) : code;
}

static int
order(const struct ht_audit_opts *opts, bool disclose)
{
	struct draft d = {.opts = opts,
	    .erase = &opts->erase,
	    .disclose = disclose,
	    .search = *opts,
	    .entries = HT_BUF(HT_DOC_MAX / 2),
	    .text = HT_BUF(HT_DOC_MAX)};
	int code;

	if (opts->erase.order == NULL || opts->erase.basis == NULL ||
	    !quotable(opts->erase.basis)) {
		ht_audit_say("%s needs --order NAME, and --basis TEXT: the "
		             "legal basis, without quotes and backslashes; it "
		             "will stand in the log",
		    disclose ? "disclose" : "erase");
		return HT_AUDIT_USAGE;
	}
	code = draft(&d);
	ht_audit_faith_fini(&d.faith);
	ht_buf_fini(&d.entries);
	ht_buf_fini(&d.text);
	return code;
}

int
ht_audit_erase(const struct ht_audit_opts *opts)
{
	return order(opts, false);
}

int
ht_audit_disclose(const struct ht_audit_opts *opts)
{
	return order(opts, true);
}
