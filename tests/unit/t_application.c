/*
 * What becomes of an application: every order of events, and every reason
 * against one.
 */
#include "tests/lib/test.h"

#include "lib/base/clock.h"
#include "schemas/application.h"
#include "tests/lib/fault.h"
#include "tests/lib/world.h"

#define APPLICATION(revision, more)                                            \
	"hutong: application/v1\n"                                             \
	"application: tax.demo/state.2031-7\n"                                 \
	"revision: " revision "\n"                                             \
	"applicant: tax.demo/state\n"                                          \
	"item: gx.demo/SCZTDJ\n"                                               \
	"version: 1\n"                                                         \
	"provider: scjg.demo/registry\n"                                       \
	"basis: ZGF-15\n"                                                      \
	"scene: 新办纳税人登记信息核验\n"                           \
	"purposes: [tax-registration]\n"                                       \
	"scope: 登记岗\n"                                                   \
	"fields: [shxydm, ztmc]\n"                                             \
	"operations: [query]\n"                                                \
	"from: 2031-02-01T00:00:00Z\n"                                         \
	"until: 2032-02-01T00:00:00Z\n" more

static struct ht_doc *
doc_of(const char *text)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_doc *doc = NULL;

	if (ht_doc_parse(ht_slice_str(text), "doc", report, &doc) != HT_OK) {
		ht_report_print(report, stderr);
		fail_msg("not read: %s", text);
	}
	return doc;
}

/* What answers an application: "answer/v1", and what follows the provider. */
static struct ht_doc *
answer_to(const struct ht_doc *to, const char *kind, const char *more)
{
	char hex[2 * HT_HASH_SIZE + 1], text[2048];

	ht_hex(hex, to->hash.at, sizeof(to->hash.at));
	(void)snprintf(text, sizeof(text),
	    "hutong: %s\napplication: %s\nrevision: %llu\nhash: '%s'\n"
	    "provider: scjg.demo/registry\n%s",
	    kind, to->name, (unsigned long long)to->revision, hex, more);
	return doc_of(text);
}

/* Every note there is, to the first revision and to the second. */
static struct ht_doc *notes[2][HT_CASE_EVENTS];

static int
make_notes(void **state)
{
	static const char *const texts[] = {
	    APPLICATION("1", ""), APPLICATION("2", "quota: {per-day: 9}\n")};
	static const char *const taken_back[] = {
	    APPLICATION("2", "withdrawn: 不再需要\n"),
	    APPLICATION("3", "withdrawn: 不再需要\n")};

	(void)state;
	assert_ok(ht_keys_init());
	for (size_t r = 0; r < 2; r++) {
		struct ht_doc *to = notes[r][HT_CASE_SUBMIT] = doc_of(texts[r]);

		notes[r][HT_CASE_ACCEPT] =
		    answer_to(to, "answer/v1", "answer: accept\n");
		notes[r][HT_CASE_RETURN] = answer_to(
		    to, "answer/v1", "answer: return\nmissing: [scope]\n");
		notes[r][HT_CASE_EXTEND] = answer_to(
		    to, "extension/v1", "days: 10\nreason: much to do\n");
		notes[r][HT_CASE_APPROVE] = answer_to(
		    to, "answer/v1", "answer: approve\ngrant: gx.demo/7\n");
		notes[r][HT_CASE_REFUSE] = answer_to(
		    to, "answer/v1", "answer: refuse\nreasons: [no]\n");
		notes[r][HT_CASE_WITHDRAW] = doc_of(taken_back[r]);
	}
	return 0;
}

static int
drop_notes(void **state)
{
	(void)state;
	for (size_t r = 0; r < 2; r++)
		for (size_t e = 0; e < HT_CASE_EVENTS; e++)
			ht_doc_unref(&notes[r][e]);
	return 0;
}

/* ---- every order ---- */

/*
 * The specification: what each event makes of each state, "" where it may not
 * come.  Events: submit accept return extend approve refuse withdraw.
 */
#define OUT "withdrawn"
static const struct {
	const char *state;
	bool returned, extended;
	const char *to[HT_CASE_EVENTS];
} table[] = {
    {"none",      false, false, {"submitted", "", "", "", "", "", ""}       },
    {"submitted", false, false,
     {"", "accepted", "returned", "submitted", "approved", "", OUT}         },
    {"submitted", false, true,
     {"", "accepted", "returned", "", "approved", "", OUT}                  },
    {"submitted", true,  false,
     {"", "accepted", "", "submitted", "approved", "refused", OUT}          },
    {"submitted", true,  true,
     {"", "accepted", "", "", "approved", "refused", OUT}                   },
    {"accepted",  false, false,
     {"", "", "", "accepted", "approved", "refused", OUT}                   },
    {"accepted",  false, true,  {"", "", "", "", "approved", "refused", OUT}},
    {"accepted",  true,  false,
     {"", "", "", "accepted", "approved", "refused", OUT}                   },
    {"accepted",  true,  true,  {"", "", "", "", "approved", "refused", OUT}},
    {"returned",  true,  false, {"submitted", "", "", "", "", "", OUT}      },
    {"returned",  true,  true,  {"submitted", "", "", "", "", "", OUT}      },
};

static const char *
specified(const struct ht_case *c, enum ht_case_event event)
{
	for (size_t i = 0; i < HT_COUNT(table); i++)
		if (strcmp(table[i].state, ht_case_state_text(c->state)) == 0 &&
		    table[i].returned == c->returned &&
		    table[i].extended == c->extended)
			return table[i].to[event];
	return ""; /* approved, refused, withdrawn: the end */
}

static unsigned long played;

static void
play(const struct ht_case *before, unsigned left, uint64_t now_ms)
{
	played++;
	for (unsigned e = 0; left > 0 && e < HT_CASE_EVENTS; e++) {
		struct ht_case c = *before;
		const char *to = specified(before, (enum ht_case_event)e);
		/* The second revision comes, and is answered, after a return */
		bool second =
		    (c.state == HT_CASE_RETURNED && e != HT_CASE_WITHDRAW) ||
		    (c.application != NULL && c.application->revision == 2);
		enum ht_err err = ht_case_take(&c, notes[second][e], now_ms,
		    HT_SHARE_CONDITIONAL, NULL, NULL);

		if ((err == HT_OK) != (to[0] != '\0') ||
		    (err == HT_OK &&
		        strcmp(to, ht_case_state_text(c.state)) != 0))
			fail_msg("%s%s%s, event %u: %s",
			    ht_case_state_text(before->state),
			    before->returned ? ", returned" : "",
			    before->extended ? ", extended" : "", e,
			    err == HT_OK ? ht_case_state_text(c.state)
			                 : "not possible");
		if (err != HT_OK)
			assert_memory_equal(&c, before, sizeof(c));
		play(&c, left - 1, now_ms + 1);
	}
}

static void
every_order_is_played(void **state)
{
	struct ht_case none = {0};

	(void)state;
	play(&none, 7, 1000);
	assert_true(played == (7ul * 7 * 7 * 7 * 7 * 7 * 7 * 7 - 1) / 6);
}

/* ---- reasons ---- */

static void
takes(struct ht_case *c, const struct ht_doc *doc)
{
	assert_ok(ht_case_take(c, doc, 1000, HT_SHARE_CONDITIONAL, NULL, NULL));
}

static void
bars(const struct ht_case *before, const struct ht_doc *doc, const char *says)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_case c = *before;

	assert_err(
	    ht_case_take(&c, doc, 1000, HT_SHARE_CONDITIONAL, NULL, report),
	    HT_EINVALID);
	if (ht_report_count(report) == 0 ||
	    strstr(ht_report_text(report, 0), says) == NULL)
		fail_msg("no word of '%s': %s", says,
		    ht_report_count(report) > 0 ? ht_report_text(report, 0)
		                                : "nothing");
}

static void
what_may_not_be_is_told(void **state)
{
	struct ht_case c = {0};
	HT_AUTO(ht_doc_unref) struct ht_doc *other = NULL;

	(void)state;
	bars(&c, notes[0][HT_CASE_ACCEPT], "not known here");
	bars(&c, notes[1][HT_CASE_SUBMIT], "revision 1 is expected");
	takes(&c, notes[0][HT_CASE_SUBMIT]);
	bars(&c, notes[0][HT_CASE_REFUSE], "not refused outright");
	bars(&c, notes[1][HT_CASE_ACCEPT], "answers another text");
	takes(&c, notes[0][HT_CASE_EXTEND]);
	bars(&c, notes[0][HT_CASE_EXTEND], "once already");
	takes(&c, notes[0][HT_CASE_RETURN]);
	bars(&c, notes[0][HT_CASE_SUBMIT], "revision 2 is expected");
	other = doc_of("hutong: application/v1\n"
	               "application: tax.demo/state.2031-7\nrevision: 2\n"
	               "applicant: tax.demo/state\nitem: gx.demo/ZXTJ\n"
	               "version: 1\nprovider: scjg.demo/registry\n"
	               "basis: b\nscene: s\npurposes: [p]\nscope: s\n"
	               "fields: all\noperations: [query]\n"
	               "from: 2031-02-01\nuntil: 2032-02-01\n");
	bars(&c, other, "under another number");
	takes(&c, notes[1][HT_CASE_SUBMIT]);
	bars(&c, notes[1][HT_CASE_RETURN], "returned once");
	takes(&c, notes[1][HT_CASE_REFUSE]);
	bars(&c, notes[1][HT_CASE_APPROVE], "refused");
	bars(&c, notes[1][HT_CASE_WITHDRAW], "not decided yet");
}

static void
what_is_withdrawn_is_over(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_case_due due = {.turn = HT_TURN_PROVIDER};
	struct ht_case c = {0};

	(void)state;
	bars(&c, notes[0][HT_CASE_WITHDRAW], "not known here");
	takes(&c, notes[0][HT_CASE_SUBMIT]);
	bars(&c, notes[1][HT_CASE_WITHDRAW], "revision 2 is expected");
	takes(&c, notes[0][HT_CASE_WITHDRAW]);
	assert_string_equal(c.application->application->withdrawn, "不再需要");
	assert_int_equal(c.ended_ms, 1000);
	/* No term runs, so no calendar is needed either. */
	assert_ok(
	    ht_case_due(&c, HT_SHARE_CONDITIONAL, false, NULL, report, &due));
	assert_int_equal(due.turn, HT_TURN_NOBODY);
	assert_int_equal(due.due_ms, 0);
	bars(&c, notes[0][HT_CASE_APPROVE], "is withdrawn");
	bars(&c, notes[1][HT_CASE_SUBMIT], "under another number");
	c = (struct ht_case){0};
	takes(&c, notes[0][HT_CASE_SUBMIT]);
	takes(&c, notes[0][HT_CASE_APPROVE]);
	bars(&c, notes[0][HT_CASE_WITHDRAW], "state: terminated");
}

/* ---- terms ---- */

static const char calendar_text[] =
    "hutong: calendar/v1\nzone: Z0\nyears:\n"
    "  - {year: 2031, notice: an example, holidays: [2031-01-01]}\n";

static struct ht_calendar *
calendar(void)
{
	struct ht_calendar *c = NULL;
	char text[sizeof(calendar_text) + 16];
	const char *zone = strstr(calendar_text, "Z0");

	(void)snprintf(text, sizeof(text), "%.*s\"+00:00\"%s",
	    (int)(zone - calendar_text), calendar_text, zone + 2);
	assert_ok(ht_calendar_parse(ht_slice_str(text), "cal", NULL, &c));
	return c;
}

static uint64_t
ms_of(const char *text)
{
	uint64_t us = 0;

	assert_ok(ht_time_parse(ht_slice_str(text), &us));
	return us / 1000;
}

static void
due_is(const struct ht_case *c, enum ht_share share, bool granted,
    enum ht_turn turn, const char *due, const char *remind)
{
	HT_AUTO(ht_calendar_free) struct ht_calendar *cal = calendar();
	struct ht_case_due got;

	assert_ok(ht_case_due(c, share, granted, cal, NULL, &got));
	assert_int_equal(got.turn, turn);
	assert_true(got.due_ms == (due != NULL ? ms_of(due) : 0));
	assert_true(got.remind_ms == (remind != NULL ? ms_of(remind) : 0));
}

/* 2031-03-03 is a Monday. */
static void
terms_are_kept(void **state)
{
	HT_AUTO(ht_calendar_free) struct ht_calendar *cal = calendar();
	struct ht_case c = {0};
	uint64_t at = ms_of("2031-03-03T09:00:00Z");

	(void)state;
	due_is(&c, HT_SHARE_CONDITIONAL, false, HT_TURN_NOBODY, NULL, NULL);
	assert_ok(ht_case_take(
	    &c, notes[0][HT_CASE_SUBMIT], at, HT_SHARE_CONDITIONAL, cal, NULL));
	due_is(&c, HT_SHARE_UNCONDITIONAL, false, HT_TURN_PROVIDER,
	    "2031-03-05", "2031-02-28");
	due_is(&c, HT_SHARE_CONDITIONAL, false, HT_TURN_PROVIDER, "2031-03-18",
	    "2031-03-13");
	assert_ok(ht_case_take(&c, notes[0][HT_CASE_EXTEND], at + 1,
	    HT_SHARE_CONDITIONAL, cal, NULL));
	due_is(&c, HT_SHARE_CONDITIONAL, false, HT_TURN_PROVIDER, "2031-04-01",
	    "2031-03-27");
	assert_ok(ht_case_take(&c, notes[0][HT_CASE_RETURN], at + 2,
	    HT_SHARE_CONDITIONAL, cal, NULL));
	due_is(&c, HT_SHARE_CONDITIONAL, false, HT_TURN_APPLICANT, NULL, NULL);
	/* It comes again a week later: the term is whole again. */
	assert_ok(ht_case_take(&c, notes[1][HT_CASE_SUBMIT],
	    ms_of("2031-03-10T09:00:00Z"), HT_SHARE_CONDITIONAL, cal, NULL));
	due_is(&c, HT_SHARE_CONDITIONAL, false, HT_TURN_PROVIDER, "2031-03-25",
	    "2031-03-20");
	assert_ok(ht_case_take(&c, notes[1][HT_CASE_APPROVE],
	    ms_of("2031-03-11T09:00:00Z"), HT_SHARE_CONDITIONAL, cal, NULL));
	due_is(&c, HT_SHARE_CONDITIONAL, false, HT_TURN_PROVIDER, "2031-04-09",
	    "2031-04-04");
	due_is(&c, HT_SHARE_CONDITIONAL, true, HT_TURN_NOBODY, NULL, NULL);
}

static void
an_extension_comes_in_time(void **state)
{
	HT_AUTO(ht_calendar_free) struct ht_calendar *cal = calendar();
	HT_AUTO(ht_doc_unref)
	struct ht_doc *long_one = answer_to(
	    notes[0][HT_CASE_SUBMIT], "extension/v1", "days: 11\nreason: r\n");
	const struct {
		const char *why;
		const struct ht_doc *doc;
		const char *at;
		enum ht_share share;
		bool taken;
	} rows[] = {
	    {"on the last day",          notes[0][HT_CASE_EXTEND],
             "2031-03-17T23:59:59Z",	                                               HT_SHARE_CONDITIONAL,   true },
	    {"a day late",               notes[0][HT_CASE_EXTEND], "2031-03-18T00:00:00Z",
             HT_SHARE_CONDITIONAL,	                                                                         false},
	    {"too many days",            long_one,                 "2031-03-04T00:00:00Z",
             HT_SHARE_CONDITIONAL,	                                                                         false},
	    {"of what needs no consent", notes[0][HT_CASE_EXTEND],
             "2031-03-04T00:00:00Z",	                                               HT_SHARE_UNCONDITIONAL, false},
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		struct ht_case c = {0};
		enum ht_err err;

		assert_ok(ht_case_take(&c, notes[0][HT_CASE_SUBMIT],
		    ms_of("2031-03-03T09:00:00Z"), rows[i].share, cal, NULL));
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		err = ht_case_take(&c, rows[i].doc, ms_of(rows[i].at),
		    rows[i].share, cal, report);
		if ((err == HT_OK) != rows[i].taken)
			fail_msg("%s", rows[i].why);
	}
}

/* ---- documents ---- */

static void
documents_are_strict(void **state)
{
	static const struct {
		const char *from, *to; /* replaced in a good application */
		const char *says;
	} rows[] = {
	    {"tax.demo/state.2031-7",                      "tax.demo/state2031-7",
             "named by its applicant"	                                                         },
	    {"tax.demo/state.2031-7",                      "tax.demo/state.2031.7",
             "named by its applicant"	                                                         },
	    {"tax.demo/state.2031-7",                      "tax.demo/local.2031-7",
             "named by its applicant"	                                                         },
	    {"provider: scjg.demo/registry",               "provider: tax.demo/state",
             "nobody applies to itself"	                                                       },
	    {"basis: ZGF-15\n",                            "",                         "basis"        },
	    {"scene: 新办纳税人登记信息核验\n", "",                         "scene"        },
	    {"scope: 登记岗\n",                         "",                         "scope"        },
	    {"operations: [query]\n",                      "",                         "operations"   },
	    {"operations: [query]\n",                      "operations: []\n",         "one operation"},
	    {"until: 2032",	                        "until: 2030",              "later than"   },
	    {"fields: [shxydm, ztmc]\n",                   "",                         "fields"       },
	    {"purposes: [tax-registration]\n",             "purposes: []\n",
             "codes are expected"	                                                             },
	};
	static const char good[] = APPLICATION("1", "");

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		struct ht_doc *doc = NULL;
		const char *at = strstr(good, rows[i].from);
		char text[2048];

		assert_non_null(at);
		(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good),
		    good, rows[i].to, at + strlen(rows[i].from));
		assert_err(
		    ht_doc_parse(ht_slice_str(text), "doc", report, &doc),
		    HT_EINVALID);
		if (strstr(ht_report_text(report, 0), rows[i].says) == NULL)
			fail_msg("row %zu: %s", i, ht_report_text(report, 0));
	}
}

/* All that is missing, at once: not the first alone. */
static void
everything_missing_is_told_at_once(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_doc *doc = NULL;

	(void)state;
	assert_err(
	    ht_doc_parse(ht_slice_str("hutong: application/v1\n"
	                              "application: tax.demo/state.1\n"
	                              "revision: 1\n"
	                              "applicant: tax.demo/state\n"
	                              "item: gx.demo/SCZTDJ\nversion: 1\n"
	                              "provider: scjg.demo/registry\n"),
	        "doc", report, &doc),
	    HT_EINVALID);
	/* basis, scene, purposes, scope, fields, operations, from, until */
	assert_int_equal(ht_report_count(report), 8);
}

static void
the_catalog_must_have_it(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_doc_unref)
	struct ht_doc *wrong =
	    doc_of("hutong: application/v1\n"
	           "application: tax.demo/state.8\nrevision: 1\n"
	           "applicant: tax.demo/state\nitem: gx.demo/SCZTDJ\n"
	           "version: 1\nprovider: police.demo/residents\n"
	           "basis: NONE-1\nscene: s\npurposes: [hobby]\nscope: s\n"
	           "fields: [shoe-size]\noperations: [push]\n"
	           "from: 2031-02-01\nuntil: 2032-02-01\n");
	struct ht_world *world = ht_world_new(ms_of("2031-01-15T00:00:00Z"));

	(void)state;
	assert_ok(ht_application_check(
	    notes[0][HT_CASE_SUBMIT], world->trust, report));
	assert_err(
	    ht_application_check(wrong, world->trust, report), HT_EINVALID);
	/* provider, operation, field, purpose, basis */
	assert_int_equal(ht_report_count(report), 5);
	ht_world_free(&world);
}

static void
the_item_is_well_formed(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;

	(void)state;
	ht_application_item("gx.demo", "gx.demo/office", &text);
	doc = doc_of(ht_buf_text(&text));
	assert_string_equal(doc->name, "gx.demo/GXSQ@1");
	assert_int_equal(doc->item->operations, HT_OPS(HT_OP_QUERY));
}

static void
survives(const char *text)
{
	struct ht_doc *doc = NULL;
	enum ht_err err = HT_OK;
	unsigned failures = 0;

	TORTURE(err = ht_doc_parse(ht_slice_str(text), "doc", NULL, &doc))
	{
		/* Without memory for hints it is still read. */
		failures += err == HT_ENOMEM;
		assert_true(err == HT_ENOMEM || err == HT_OK);
		assert_true((err == HT_OK) == (doc != NULL));
		ht_doc_unref(&doc);
	}
	assert_ok(err);
	assert_true(failures > 20);
	ht_doc_unref(&doc);
}

static void
reading_survives_no_memory(void **state)
{
	(void)state;
	survives(APPLICATION("1", ""));
	survives("hutong: answer/v1\napplication: tax.demo/state.1\n"
	         "revision: 1\nhash: '0000000000000000000000000000000000000000"
	         "000000000000000000000000'\n"
	         "provider: a.b/c\nanswer: return\nmissing: [x, y]\n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_order_is_played),
    cmocka_unit_test(what_may_not_be_is_told),
    cmocka_unit_test(what_is_withdrawn_is_over),
    cmocka_unit_test(terms_are_kept),
    cmocka_unit_test(an_extension_comes_in_time),
    cmocka_unit_test(documents_are_strict),
    cmocka_unit_test(everything_missing_is_told_at_once),
    cmocka_unit_test(the_catalog_must_have_it),
    cmocka_unit_test(the_item_is_well_formed),
    cmocka_unit_test(reading_survives_no_memory),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, make_notes, drop_notes);
}
