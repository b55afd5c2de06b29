/*
 * apply.c -- hutong apply: applications for grants, and what is answered
 * (docs/applications.md).  Here: what is written; apply_send.c: what travels;
 * apply_list.c: what is due.
 */
#include "adapters/cli/apply.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/cli/asks.h"
#include "adapters/cli/catalog.h"

/* ---- what the verbs share ---- */

int
ht_cli_casebook(const char *dir, struct ht_casebook **ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	enum ht_err err = ht_casebook_open(dir, report, ret);

	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(err, report, "cannot read", dir);
}

int
ht_cli_case(const struct ht_casebook *book, const char *name,
    const struct ht_case_file **ret)
{
	*ret = ht_casebook_file(book, name);
	if (*ret != NULL)
		return HT_CLI_GO;
	return ht_cli_fail(HT_EXIT_REFUSED,
	    "%s has no application %s; `hutong apply list` has those it has, "
	    "`hutong apply fetch` gets what came since",
	    book->dir, name);
}

int
ht_cli_application(const char *path, bool answers, struct ht_doc **ret)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	int rc = ht_cli_doc(path, &doc);

	if (rc != HT_CLI_GO)
		return rc;
	if (doc->kind != HT_DOC_APPLICATION &&
	    !(answers && ht_doc_is_application(doc)))
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s is a %s, and an application%s is expected", path,
		    ht_doc_kind_text(doc->kind),
		    answers ? ", an answer or an extension" : "");
	*ret = HT_TAKE(doc);
	return HT_CLI_GO;
}

/* ---- draft ---- */

struct application_draft {
	const char *number, *revision, *scene, *scope, *out;
	struct ht_asks_words asks;
};

static void
add_text(struct ht_buf *out, const char *key, const char *text)
{
	ht_buf_fmt(out, "%s: ", key);
	ht_cli_quote(out, text);
	ht_buf_str(out, "\n");
}

static int
write_application(const struct application_draft *d)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_DOC_MAX);
	int rc;

	ht_buf_fmt(&out,
	    "hutong: application/v1\napplication: %s.%s\nrevision: %s\n",
	    d->asks.consumer, d->number,
	    d->revision != NULL ? d->revision : "1");
	add_text(&out, "scene", d->scene);
	add_text(&out, "scope", d->scope);
	rc = ht_cli_add_asks(&out, "applicant", &d->asks);
	return rc == HT_CLI_GO ? ht_cli_write_draft(d->out, &out) : rc;
}

static int
draft(int argc, char **argv)
{
	static struct application_draft d;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("number", "NUMBER", d.number,
	        "your own, without dots, like 2026-7"),
	    HT_OPT_MAY("revision", "N", d.revision,
	        "1 if not said; 2 when it was returned"),
	    HT_OPT_NEED("scene", "TEXT", d.scene, "scene of use, in words"),
	    HT_OPT_NEED(
	        "scope", "TEXT", d.scope, "scope of use: who will use it"),
	    HT_ASKS_OPTIONS(d.asks, "applicant"),
	    HT_OPT_NEED("out", "FILE", d.out, "the draft; never overwritten"),
	};
	const struct ht_usage_of takes = {
	    "hutong apply draft --number NUMBER --applicant MEMBER --item NAME "
	    "--provider MEMBER --basis CODE --scene TEXT --scope TEXT "
	    "--purposes LIST --fields LIST --operations LIST --out FILE",
	    opts, HT_COUNT(opts), 0, 0};
	int rc = ht_cli_options(&takes, argc, argv, NULL);

	return rc == HT_CLI_GO ? write_application(&d) : rc;
}

static int
sign(int argc, char **argv)
{
	return ht_cli_sign_verb(
	    "hutong apply sign FILE --key FILE [--dir DIR] [--out FILE]", argc,
	    argv);
}

/* ---- answer, extend ---- */

static void
begin_answer(
    struct ht_buf *out, const char *kind, const struct ht_case_file *file)
{
	const struct ht_doc *to = file->now.application;
	char hex[2 * HT_HASH_SIZE + 1];

	ht_hex(hex, to->hash.at, sizeof(to->hash.at));
	ht_buf_fmt(out,
	    "hutong: %s/v1\napplication: %s\nrevision: %llu\nhash: \"%s\"\n"
	    "provider: %s\n",
	    kind, file->name, (unsigned long long)to->revision, hex,
	    file->provider);
}

/* What cannot be answered so should not be signed first. */
static int
check_turn(const struct ht_case_file *file, enum ht_case_event event)
{
	const char *bar = ht_case_bar(&file->now, event);

	if (bar == NULL)
		return HT_CLI_GO;
	return ht_cli_fail(HT_EXIT_REFUSED, "%s is %s: %s", file->name,
	    ht_case_state_text(file->now.state), bar);
}

/* The application @name in the folder, if @event may come next. */
static int
take_case(const char *dir, const char *name, enum ht_case_event event,
    struct ht_casebook **ret_book, const struct ht_case_file **ret)
{
	int rc = ht_cli_casebook(dir, ret_book);

	if (rc == HT_CLI_GO)
		rc = ht_cli_case(*ret_book, name, ret);
	return rc == HT_CLI_GO ? check_turn(*ret, event) : rc;
}

struct answer_draft {
	const char *dir, *name, *says, *grant, *out;
	struct ht_args missing, reasons;
};

static const struct says {
	const char *word;
	enum ht_case_event event;
	bool missing, reasons, grant; /* what it needs, and nothing else */
} words[] = {
    {"accept",  HT_CASE_ACCEPT,  false, false, false},
    {"return",  HT_CASE_RETURN,  true,  false, false},
    {"approve", HT_CASE_APPROVE, false, false, true },
    {"refuse",  HT_CASE_REFUSE,  false, true,  false},
};

static const struct says *
find_word(const char *word)
{
	for (size_t i = 0; i < HT_COUNT(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return &words[i];
	(void)ht_cli_fail(HT_EXIT_USAGE,
	    "the answer is accept, return, approve or refuse, not \"%s\"",
	    word);
	return NULL;
}

static int
check_words(const struct says *says, const struct answer_draft *d)
{
	if (says->missing != (d->missing.n > 0))
		return ht_cli_fail(HT_EXIT_USAGE,
		    "return names all that is missing, each with --missing; "
		    "nothing else does");
	if (says->reasons != (d->reasons.n > 0))
		return ht_cli_fail(HT_EXIT_USAGE,
		    "refuse gives its reasons, each with --reason; nothing "
		    "else does");
	if (says->grant != (d->grant != NULL))
		return ht_cli_fail(HT_EXIT_USAGE,
		    "approve names the grant that is to follow, with --grant; "
		    "nothing else does");
	return HT_CLI_GO;
}

static int
write_answer(const struct says *says, const struct answer_draft *d)
{
	HT_AUTO(ht_casebook_free) struct ht_casebook *book = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_DOC_MAX);
	const struct ht_case_file *file = NULL;
	int rc = take_case(d->dir, d->name, says->event, &book, &file);

	if (rc != HT_CLI_GO)
		return rc;
	begin_answer(&out, "answer", file);
	ht_buf_fmt(&out, "answer: %s\n", says->word);
	if (says->missing)
		ht_cli_add_texts(&out, "missing", d->missing.at, d->missing.n);
	if (says->reasons)
		ht_cli_add_texts(&out, "reasons", d->reasons.at, d->reasons.n);
	if (says->grant)
		ht_buf_fmt(&out, "grant: %s\n", d->grant);
	return ht_cli_write_draft(d->out, &out);
}

static int
answer(int argc, char **argv)
{
	static struct answer_draft d;
	const struct ht_opt opts[] = {
	    HT_OPT_LIST("missing", "TEXT", d.missing,
	        "return: what is missing; again for each"),
	    HT_OPT_LIST(
	        "reason", "TEXT", d.reasons, "refuse: why; again for each"),
	    HT_OPT_MAY("grant", "NAME", d.grant,
	        "approve: the grant that is to follow"),
	    HT_OPT_NEED("out", "FILE", d.out, "the draft; never overwritten"),
	};
	const struct ht_usage_of takes = {
	    "hutong apply answer DIR APPLICATION accept|return|approve|refuse "
	    "[--missing TEXT ...] [--reason TEXT ...] [--grant NAME] --out "
	    "FILE",
	    opts, HT_COUNT(opts), 3, 3};
	const struct says *says;
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc != HT_CLI_GO)
		return rc;
	d.dir = args.at[0];
	d.name = args.at[1];
	says = find_word(args.at[2]);
	rc = says != NULL ? check_words(says, &d) : HT_EXIT_USAGE;
	return rc == HT_CLI_GO ? write_answer(says, &d) : rc;
}

/* What every node refuses should not be signed first. */
static int
check_days(const char *text, const char *calendar_path)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_calendar_free) struct ht_calendar *calendar = NULL;
	enum ht_err err = HT_OK;
	unsigned long long most;

	if (calendar_path != NULL)
		err = ht_calendar_load(calendar_path, report, &calendar);
	if (err != HT_OK)
		return ht_cli_error(err, report, "cannot read", calendar_path);
	most = ht_calendar_term(calendar, HT_TERM_EXTENSION).days;
	/* What is no number of days is told with the draft. */
	if (strtoull(text, NULL, 10) <= most)
		return HT_CLI_GO;
	return ht_cli_fail(HT_EXIT_REFUSED,
	    "--days %s: an extension is for %llu days at most%s", text, most,
	    calendar_path != NULL ? ""
	                          : ", unless the authority's calendar says "
	                            "more: name it with --calendar");
}

static int
extend(int argc, char **argv)
{
	HT_AUTO(ht_casebook_free) struct ht_casebook *book = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);
	const struct ht_case_file *file = NULL;
	const char *days = "", *reason = NULL, *calendar = NULL, *out = NULL;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("days", "N", days, "so many more"),
	    HT_OPT_NEED("reason", "TEXT", reason, "why"),
	    HT_OPT_MAY("calendar", "FILE", calendar,
	        "the authority's, when its term is not ten days"),
	    HT_OPT_NEED("out", "FILE", out, "the draft; never overwritten"),
	};
	const struct ht_usage_of takes = {
	    "hutong apply extend DIR APPLICATION --days N --reason TEXT "
	    "[--calendar FILE] --out FILE",
	    opts, HT_COUNT(opts), 2, 2};
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = check_days(days, calendar);
	if (rc == HT_CLI_GO)
		rc = take_case(
		    args.at[0], args.at[1], HT_CASE_EXTEND, &book, &file);
	if (rc != HT_CLI_GO)
		return rc;
	begin_answer(&text, "extension", file);
	ht_buf_fmt(&text, "days: %s\n", days);
	add_text(&text, "reason", reason);
	return ht_cli_write_draft(out, &text);
}

/* ---- withdraw ---- */

/* The text that was received, one revision on, with the reason. */
static int
write_withdrawal(
    const struct ht_case_file *file, const char *reason, const char *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);
	const struct ht_doc *last = file->now.application;

	ht_buf_fmt(&text,
	    "hutong: application/v1\napplication: %s\nrevision: %llu\n",
	    file->name, (unsigned long long)last->revision + 1);
	add_text(&text, "withdrawn", reason);
	add_text(&text, "scene", last->application->scene);
	add_text(&text, "scope", last->application->scope);
	ht_cli_add_asked(&text, "applicant", &last->application->asks);
	return ht_cli_write_draft(out, &text);
}

static int
withdraw(int argc, char **argv)
{
	HT_AUTO(ht_casebook_free) struct ht_casebook *book = NULL;
	const struct ht_case_file *file = NULL;
	const char *reason = NULL, *out = NULL;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("reason", "TEXT", reason, "why"),
	    HT_OPT_NEED("out", "FILE", out, "the draft; never overwritten"),
	};
	const struct ht_usage_of takes = {
	    "hutong apply withdraw DIR APPLICATION --reason TEXT --out FILE",
	    opts, HT_COUNT(opts), 2, 2};
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = take_case(
		    args.at[0], args.at[1], HT_CASE_WITHDRAW, &book, &file);
	return rc == HT_CLI_GO ? write_withdrawal(file, reason, out) : rc;
}

/* ---- grant, item ---- */

static int
grant(int argc, char **argv)
{
	HT_AUTO(ht_casebook_free) struct ht_casebook *book = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);
	const struct ht_case_file *file = NULL;
	const char *out = NULL;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("out", "FILE", out, "the draft; never overwritten"),
	};
	const struct ht_usage_of takes = {
	    "hutong apply grant DIR APPLICATION --out FILE", opts,
	    HT_COUNT(opts), 2, 2};
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = ht_cli_casebook(args.at[0], &book);
	if (rc == HT_CLI_GO)
		rc = ht_cli_case(book, args.at[1], &file);
	if (rc != HT_CLI_GO)
		return rc;
	if (file->now.state != HT_CASE_APPROVED)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s is %s: a grant is drafted from what was approved",
		    file->name, ht_case_state_text(file->now.state));
	ht_buf_fmt(&text,
	    "hutong: grant/v1\ngrant: %s\nrevision: 1\nstate: active\n",
	    file->now.answer->answer->grant);
	ht_cli_add_asked(
	    &text, "consumer", &file->now.application->application->asks);
	return ht_cli_write_draft(out, &text);
}

static int
item(int argc, char **argv)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);
	const char *catalog = NULL, *provider = NULL, *out = NULL;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("catalog", "NAME", catalog, "like gx.demo"),
	    HT_OPT_NEED(
	        "provider", "MEMBER", provider, "the authority's own member"),
	    HT_OPT_NEED("out", "FILE", out, "the draft; never overwritten"),
	};
	const struct ht_usage_of takes = {
	    "hutong apply item --catalog NAME --provider MEMBER --out FILE",
	    opts, HT_COUNT(opts), 0, 0};
	int rc = ht_cli_options(&takes, argc, argv, NULL);

	if (rc != HT_CLI_GO)
		return rc;
	ht_application_item(catalog, provider, &text);
	return ht_cli_write_draft(out, &text);
}

/* ---- the table ---- */

static const struct ht_verb verb_draft = {
    .name = "draft",
    .synopsis = "--number NUMBER --applicant MEMBER ... --out FILE",
    .help = "write an application: the five things it must state",
    .run = draft,
};
static const struct ht_verb verb_sign = {
    .name = "sign",
    .synopsis = "FILE --key FILE [--dir DIR] [--out FILE]",
    .help = "sign an application, an answer or an extension",
    .run = sign,
};
static const struct ht_verb verb_answer = {
    .name = "answer",
    .synopsis = "DIR APPLICATION accept|return|approve|refuse ... --out FILE",
    .help = "write the provider's answer",
    .run = answer,
};
static const struct ht_verb verb_extend = {
    .name = "extend",
    .synopsis = "DIR APPLICATION --days N --reason TEXT --out FILE",
    .help = "write an extension of the term, once, for the authority's consent",
    .run = extend,
};
static const struct ht_verb verb_withdraw = {
    .name = "withdraw",
    .synopsis = "DIR APPLICATION --reason TEXT --out FILE",
    .help = "take an application back that is not decided yet",
    .run = withdraw,
};
static const struct ht_verb verb_grant = {
    .name = "grant",
    .synopsis = "DIR APPLICATION --out FILE",
    .help = "draft the grant of what was approved",
    .run = grant,
};
static const struct ht_verb verb_item = {
    .name = "item",
    .synopsis = "--catalog NAME --provider MEMBER --out FILE",
    .help = "draft the item through which applications travel",
    .run = item,
};

static int
apply(int argc, char **argv)
{
	static const struct ht_verb *const verbs[] = {&verb_draft, &verb_sign,
	    &ht_apply_send, &ht_apply_fetch, &ht_apply_list, &ht_apply_show,
	    &verb_answer, &verb_extend, &verb_withdraw, &verb_grant,
	    &verb_item};

	return ht_cli_dispatch(
	    "hutong apply", verbs, HT_COUNT(verbs), argc, argv);
}

const struct ht_verb ht_verb_apply = {
    .name = "apply",
    .synopsis =
        "draft|sign|send|fetch|list|show|answer|extend|withdraw|grant|item "
        "...",
    .help = "applications for grants, and what is answered",
    .run = apply,
};
