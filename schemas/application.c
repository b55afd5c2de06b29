#include "schemas/application.h"

#include <string.h>

#include "lib/base/panic.h"

/* ---- the table ---- */

static const char *const state_texts[HT_CASE_STATES] = {
    [HT_CASE_NONE] = "none",
    [HT_CASE_SUBMITTED] = "submitted",
    [HT_CASE_ACCEPTED] = "accepted",
    [HT_CASE_RETURNED] = "returned",
    [HT_CASE_APPROVED] = "approved",
    [HT_CASE_REFUSED] = "refused",
    [HT_CASE_WITHDRAWN] = "withdrawn",
};

const char *
ht_case_state_text(enum ht_case_state state)
{
	HT_ASSERT((unsigned)state < HT_CASE_STATES);
	return state_texts[state];
}

bool
ht_doc_is_application(const struct ht_doc *doc)
{
	return doc->kind == HT_DOC_APPLICATION || doc->kind == HT_DOC_ANSWER ||
	       doc->kind == HT_DOC_EXTENSION;
}

enum ht_case_event
ht_case_event_of(const struct ht_doc *doc)
{
	if (doc->kind == HT_DOC_APPLICATION)
		return doc->application->withdrawn != NULL ? HT_CASE_WITHDRAW
		                                           : HT_CASE_SUBMIT;
	if (doc->kind == HT_DOC_EXTENSION)
		return HT_CASE_EXTEND;
	HT_ASSERT(doc->kind == HT_DOC_ANSWER);
	switch (doc->answer->says) {
	case HT_SAYS_ACCEPT:
		return HT_CASE_ACCEPT;
	case HT_SAYS_RETURN:
		return HT_CASE_RETURN;
	case HT_SAYS_APPROVE:
		return HT_CASE_APPROVE;
	case HT_SAYS_REFUSE:
		break;
	}
	return HT_CASE_REFUSE;
}

#define IN(state) (1u << (state))
#define WITH_THEM (IN(HT_CASE_SUBMITTED) | IN(HT_CASE_ACCEPTED))
#define OUTRIGHT                                                               \
	"what is incomplete is not refused outright: accept it as complete "   \
	"first, or return it with all that is missing"

#define DECIDED                                                                \
	"only what is not decided yet can be withdrawn; what was approved is " \
	"ended with its grant: have a revision of the grant signed with "      \
	"state: terminated"

static const struct row {
	unsigned from; /* the states in which it may come */
	enum ht_case_state to;
	const char *else_; /* said in all others */
} rows[HT_CASE_EVENTS] = {
    [HT_CASE_SUBMIT] = {IN(HT_CASE_NONE) | IN(HT_CASE_RETURNED),
                        HT_CASE_SUBMITTED,                                          "the application is with the provider, or was answered; apply again "
        "under another number"                },
    [HT_CASE_ACCEPT] = {IN(HT_CASE_SUBMITTED),                   HT_CASE_ACCEPTED,
                        "only what was submitted can be accepted, once"                 },
    [HT_CASE_RETURN] = {IN(HT_CASE_SUBMITTED),                   HT_CASE_RETURNED,
                        "only what was submitted, and not yet accepted, can be returned"},
    [HT_CASE_EXTEND] = {WITH_THEM,                               HT_CASE_STATES,
                        "only the answer to what is with the provider can take longer"  },
    [HT_CASE_APPROVE] = {WITH_THEM,                               HT_CASE_APPROVED,
                        "only what is with the provider can be approved"                },
    [HT_CASE_REFUSE] = {WITH_THEM,                               HT_CASE_REFUSED,
                        "only what is with the provider can be refused"                 },
    [HT_CASE_WITHDRAW] = {WITH_THEM | IN(HT_CASE_RETURNED),        HT_CASE_WITHDRAWN,
                        DECIDED                                                         },
};

const char *
ht_case_bar(const struct ht_case *c, enum ht_case_event event)
{
	if (!(rows[event].from & IN(c->state)))
		return rows[event].else_;
	if (event == HT_CASE_RETURN && c->returned)
		return "it was returned once, and all that is missing was to "
		       "be said then: approve or refuse it";
	if (event == HT_CASE_EXTEND && c->extended)
		return "its term was extended once already";
	if (event == HT_CASE_REFUSE && c->state == HT_CASE_SUBMITTED &&
	    !c->returned)
		return OUTRIGHT;
	return NULL;
}

static void
step(struct ht_case *c, const struct ht_doc *doc, enum ht_case_event event,
    uint64_t received_ms)
{
	if (event == HT_CASE_EXTEND) {
		c->extended = true;
		c->more_days = doc->answer->days;
		c->answer = doc;
		return;
	}
	c->state = rows[event].to;
	if (event == HT_CASE_WITHDRAW) {
		c->application = doc;
		c->ended_ms = received_ms;
		return;
	}
	if (event == HT_CASE_SUBMIT) {
		/* It is complete, or said to be, from now on. */
		c->application = doc;
		c->from_ms = received_ms;
		c->more_days = 0;
		c->ended_ms = 0;
		return;
	}
	c->answer = doc;
	if (event == HT_CASE_RETURN)
		c->returned = true;
	if (event != HT_CASE_ACCEPT)
		c->ended_ms = received_ms;
}

/* ---- terms ---- */

static enum ht_err
answer_due(const struct ht_case *c, enum ht_share share,
    const struct ht_calendar *calendar, struct ht_report *report,
    uint64_t *ret_ms)
{
	struct ht_term term = ht_calendar_term(
	    calendar, share == HT_SHARE_UNCONDITIONAL ? HT_TERM_UNCONDITIONAL
	                                              : HT_TERM_CONDITIONAL);
	struct ht_term more = ht_calendar_term(calendar, HT_TERM_EXTENSION);
	enum ht_err err =
	    ht_calendar_due(calendar, c->from_ms, term, report, ret_ms);

	more.days = (uint32_t)c->more_days;
	if (err == HT_OK && more.days > 0)
		err = ht_calendar_due(
		    calendar, *ret_ms - 1, more, report, ret_ms);
	return err;
}

enum ht_err
ht_case_due(const struct ht_case *c, enum ht_share share, bool granted,
    const struct ht_calendar *calendar, struct ht_report *report,
    struct ht_case_due *ret)
{
	struct ht_case_due due = {0};
	enum ht_err err = HT_OK;

	if (c->state == HT_CASE_RETURNED)
		due.turn = HT_TURN_APPLICANT;
	if (IN(c->state) & WITH_THEM) {
		due.turn = HT_TURN_PROVIDER;
		err = answer_due(c, share, calendar, report, &due.due_ms);
	}
	if (c->state == HT_CASE_APPROVED && !granted) {
		due.turn = HT_TURN_PROVIDER;
		err = ht_calendar_due(calendar, c->ended_ms,
		    ht_calendar_term(calendar, HT_TERM_SUPPLY), report,
		    &due.due_ms);
	}
	if (err == HT_OK && due.due_ms > 0)
		err = ht_calendar_before(calendar, due.due_ms,
		    ht_calendar_term(calendar, HT_TERM_REMIND), report,
		    &due.remind_ms);
	if (err == HT_OK)
		*ret = due;
	return err;
}

/* ---- a note, held against the case ---- */

static void
check_submitted(
    const struct ht_case *c, const struct ht_doc *doc, struct ht_report *report)
{
	const struct ht_grant *asks = &doc->application->asks.grant;
	const struct ht_grant *before;

	if (doc->revision !=
	    (c->application != NULL ? c->application->revision + 1 : 1))
		ht_report_add(report, doc->where,
		    "revision %llu is expected: 1 at first, and one more each "
		    "time it comes again, or is withdrawn",
		    (unsigned long long)(c->application != NULL
		                             ? c->application->revision + 1
		                             : 1));
	if (c->application == NULL)
		return;
	before = &c->application->application->asks.grant;
	if (strcmp(asks->item, before->item) != 0 ||
	    strcmp(asks->provider, before->provider) != 0)
		ht_report_add(report, doc->where,
		    "it was for %s of %s; for something else apply under "
		    "another number",
		    before->item, before->provider);
}

static void
check_answered(
    const struct ht_case *c, const struct ht_doc *doc, struct ht_report *report)
{
	const char *provider = c->application->application->asks.grant.provider;

	if (doc->revision != c->application->revision ||
	    !ht_hash_eq(&doc->answer->to, &c->application->hash))
		ht_report_add(report, doc->where,
		    "it answers another text than revision %llu, the one that "
		    "was received; draft it from that one",
		    (unsigned long long)c->application->revision);
	if (strcmp(doc->answer->provider, provider) != 0)
		ht_report_add(report, doc->where, "%s is to answer, not %s",
		    provider, doc->answer->provider);
}

static void
check_extension(const struct ht_case *c, const struct ht_doc *doc,
    uint64_t received_ms, enum ht_share share,
    const struct ht_calendar *calendar, struct ht_report *report)
{
	struct ht_term most = ht_calendar_term(calendar, HT_TERM_EXTENSION);
	char day[11];
	uint64_t due_ms;

	if (share == HT_SHARE_UNCONDITIONAL)
		ht_report_add(report, doc->where,
		    "what is shared unconditionally is answered in its term");
	if (doc->answer->days > most.days)
		ht_report_add(report, doc->where,
		    "an extension is for %u days at most", most.days);
	if (answer_due(c, share, calendar, report, &due_ms) != HT_OK ||
	    received_ms < due_ms)
		return;
	ht_calendar_last_day(calendar, due_ms, day);
	ht_report_add(report, doc->where,
	    "the answer was due on %s; an extension comes before", day);
}

enum ht_err
ht_case_take(struct ht_case *c, const struct ht_doc *doc, uint64_t received_ms,
    enum ht_share share, const struct ht_calendar *calendar,
    struct ht_report *report)
{
	enum ht_case_event event = ht_case_event_of(doc);
	const char *bar = ht_case_bar(c, event);
	unsigned before = ht_report_count(report);

	if (bar != NULL) {
		ht_report_add(report, doc->where, "%s is %s: %s", doc->name,
		    c->state == HT_CASE_NONE ? "not known here"
		                             : ht_case_state_text(c->state),
		    bar);
		return HT_EINVALID;
	}
	if (doc->kind == HT_DOC_APPLICATION)
		check_submitted(c, doc, report);
	else
		check_answered(c, doc, report);
	if (event == HT_CASE_EXTEND && calendar != NULL)
		check_extension(c, doc, received_ms, share, calendar, report);
	if (ht_report_count(report) > before)
		return HT_EINVALID;
	step(c, doc, event, received_ms);
	return HT_OK;
}

/* ---- against the catalog ---- */

enum ht_err
ht_application_check(const struct ht_doc *doc, const struct ht_trust *trust,
    struct ht_report *report)
{
	const struct ht_grant *asks = &doc->application->asks.grant;
	const struct ht_item *item =
	    ht_trust_item(trust, ht_slice_str(asks->item), asks->version);
	char where[HT_WHERE_SIZE];

	if (item != NULL)
		return ht_grant_offered(
		    doc, &doc->application->asks, item, report, NULL);
	ht_doc_place(doc, report, where, "item");
	ht_report_add(report, where,
	    "it is for %s version %u, and there is no such item in the catalog",
	    asks->item, asks->version);
	return HT_EINVALID;
}

/* ---- the item through which notes travel ---- */

/* 20 notes of 32 KiB fit an answer of a mebibyte. */
static const char item_text[] =
    "title: {zh: 政务数据共享申请, en: Applications for shared data}\n"
    "share: unconditional\n"
    "basis:\n"
    "  - {code: GXTL-20, zh: 政务数据共享条例 第二十条,\n"
    "      en: 'Regulation on government data sharing, article 20'}\n"
    "operations: [query]\n"
    "purposes:\n"
    "  - {code: " HT_APPLICATION_PURPOSE ", zh: 共享申请与答复,\n"
    "      en: Applying and answering}\n"
    "cycle: {zh: 实时, en: real time}\n"
    "limits: {records: 20}\n"
    "answer-within: 5s\n"
    "grace: 24h\n"
    "request:\n"
    "  type: object\n"
    "  properties:\n"
    "    note: {type: string, title: 申请、答复或延期文书,\n"
    "        description: A note to hand in, x-bytes: 32768}\n"
    "    after: {type: string, title: 上次回执号,\n"
    "        description: The last receipt had, x-bytes: 64}\n"
    "  additionalProperties: false\n"
    "record:\n"
    "  type: object\n"
    "  required: [receipt, application, kind, note]\n"
    "  properties:\n"
    "    receipt: {type: string, title: 回执号, description: Receipt,\n"
    "        x-level: 1, x-bytes: 64}\n"
    "    application: {type: string, title: 申请编号,\n"
    "        description: Application, x-level: 1, x-bytes: 129}\n"
    "    kind: {type: string, title: 文书种类, description: Kind,\n"
    "        enum: [application, answer, extension], x-level: 1}\n"
    "    note: {type: string, title: 文书, description: The note,\n"
    "        x-level: 1, x-bytes: 32768}\n"
    "  additionalProperties: false\n";

void
ht_application_item(
    const char *catalog, const char *provider, struct ht_buf *out)
{
	ht_buf_fmt(out,
	    "hutong: item/v1\nitem: %s/" HT_APPLICATION_CODE
	    "\nversion: 1\nrevision: 1\nprovider: %s\n",
	    catalog, provider);
	ht_buf_str(out, item_text);
}
