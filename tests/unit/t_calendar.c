/* Working days: what the file says, and nothing where it says nothing. */
#include "tests/lib/test.h"

#include "lib/base/clock.h"
#include "schemas/calendar.h"
#include "tests/lib/fault.h"

/* An invented year: 2031-01-01 is a Wednesday. */
#define YEARS                                                                  \
	"years:\n"                                                             \
	"  - year: 2031\n"                                                     \
	"    notice: an example\n"                                             \
	"    holidays: [2031-01-01, 2031-01-23..2031-01-29]\n"                 \
	"    workdays: [2031-01-19, 2031-02-08]\n"
#define HEAD "hutong: calendar/v1\nzone: \"+08:00\"\n"

static uint64_t
ms_of(const char *text)
{
	uint64_t us = 0;

	assert_ok(ht_time_parse(ht_slice_str(text), &us));
	return us / 1000;
}

static struct ht_calendar *
calendar(const char *text)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_calendar *c = NULL;

	if (ht_calendar_parse(ht_slice_str(text), "cal.yaml", report, &c) !=
	    HT_OK) {
		ht_report_print(report, stderr);
		fail_msg("the calendar is not read");
	}
	return c;
}

static void
terms_end_with_a_day(void **state)
{
	static const struct {
		const char *why;
		const char *from; /* UTC */
		struct ht_term term;
		const char *last; /* day, in +08:00 */
		const char *due;  /* UTC: the first moment after it */
	} rows[] = {
	    {"the next day",                         "2031-01-02T01:00:00Z",     {1, HT_DAYS_WORKING},
             "2031-01-03",	                                                                                    "2031-01-03T16:00:00Z"},
	    {"a weekend does not count",             "2031-01-03T01:00:00Z",
             {1, HT_DAYS_WORKING},	                                                              "2031-01-06", "2031-01-06T16:00:00Z"},
	    {"a Sunday that is worked does",         "2031-01-17T01:00:00Z",
             {1, HT_DAYS_WORKING},	                                                              "2031-01-19", "2031-01-19T16:00:00Z"},
	    {"holidays do not",                      "2031-01-22T01:00:00Z",     {1, HT_DAYS_WORKING},
             "2031-01-30",	                                                                                    "2031-01-30T16:00:00Z"},
	    {"ten of them",                          "2031-01-17T01:00:00Z",     {10, HT_DAYS_WORKING},
             "2031-02-06",	                                                                                    "2031-02-06T16:00:00Z"},
	    {"came on a holiday",                    "2031-01-01T01:00:00Z",     {1, HT_DAYS_WORKING},
             "2031-01-02",	                                                                                    "2031-01-02T16:00:00Z"},
	    {"evening in UTC is the next day there", "2031-01-02T16:00:00Z",
             {1, HT_DAYS_WORKING},	                                                              "2031-01-06", "2031-01-06T16:00:00Z"},
	    {"the last moment of a day",             "2031-01-02T15:59:59.999Z",
             {1, HT_DAYS_WORKING},	                                                              "2031-01-03", "2031-01-03T16:00:00Z"},
	    {"calendar days: each counts",           "2031-01-22T01:00:00Z",
             {10, HT_DAYS_CALENDAR},	                                                            "2031-02-01", "2031-02-01T16:00:00Z"},
	    {"they need no year",                    "2031-12-31T01:00:00Z",
             {15, HT_DAYS_CALENDAR},	                                                            "2032-01-15", "2032-01-15T16:00:00Z"},
	    {"no days: the same day",                "2031-01-02T01:00:00Z",
             {0, HT_DAYS_WORKING},	                                                              "2031-01-02", "2031-01-02T16:00:00Z"},
	};
	HT_AUTO(ht_calendar_free)
	struct ht_calendar *c = calendar(HEAD YEARS);

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		uint64_t due = 0;
		char last[11];

		assert_ok(ht_calendar_due(
		    c, ms_of(rows[i].from), rows[i].term, NULL, &due));
		ht_calendar_last_day(c, due, last);
		if (due != ms_of(rows[i].due) ||
		    strcmp(last, rows[i].last) != 0)
			fail_msg("%s: %s", rows[i].why, last);
	}
}

static void
reminders_count_back(void **state)
{
	HT_AUTO(ht_calendar_free)
	struct ht_calendar *c = calendar(HEAD YEARS);
	uint64_t at = 0;

	(void)state;
	/* Due on the 31st: the 30th, and over the holidays the 22nd. */
	assert_ok(ht_calendar_before(c, ms_of("2031-01-31T16:00:00Z"),
	    (struct ht_term){2, HT_DAYS_WORKING}, NULL, &at));
	assert_true(at == ms_of("2031-01-21T16:00:00Z"));
	assert_ok(ht_calendar_before(c, ms_of("2031-01-31T16:00:00Z"),
	    (struct ht_term){2, HT_DAYS_CALENDAR}, NULL, &at));
	assert_true(at == ms_of("2031-01-28T16:00:00Z"));
}

static void
nothing_is_computed_past_its_end(void **state)
{
	static const struct {
		const char *from;
		const char *year;
	} rows[] = {
	    {"2031-12-30T01:00:00Z", "add the year 2032"},
	    {"2032-05-01T01:00:00Z", "add the year 2032"},
	    {"2030-12-01T01:00:00Z", "add the year 2030"},
	};
	HT_AUTO(ht_calendar_free)
	struct ht_calendar *c = calendar(HEAD YEARS);

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		uint64_t due = 7;

		assert_err(
		    ht_calendar_due(c, ms_of(rows[i].from),
		        (struct ht_term){3, HT_DAYS_WORKING}, report, &due),
		    HT_EINVALID);
		assert_true(due == 7);
		assert_int_equal(ht_report_count(report), 1);
		assert_string_equal(ht_report_where(report, 0), "cal.yaml");
		assert_non_null(
		    strstr(ht_report_text(report, 0), rows[i].year));
	}
}

static void
terms_have_defaults(void **state)
{
	HT_AUTO(ht_calendar_free)
	struct ht_calendar *c =
	    calendar(HEAD "terms:\n"
	                  "  conditional: {days: 5, of: calendar}\n" YEARS);
	struct ht_term t = ht_calendar_term(c, HT_TERM_CONDITIONAL);

	(void)state;
	assert_int_equal(t.days, 5);
	assert_int_equal(t.of, HT_DAYS_CALENDAR);
	t = ht_calendar_term(c, HT_TERM_UNCONDITIONAL);
	assert_int_equal(t.days, 1);
	assert_int_equal(t.of, HT_DAYS_WORKING);
	assert_int_equal(ht_calendar_term(c, HT_TERM_EXTENSION).days, 10);
	assert_int_equal(ht_calendar_term(c, HT_TERM_SUPPLY).days, 20);
}

#define YEAR(more)                                                             \
	HEAD "years:\n  - year: 2031\n    notice: n\n    holidays: []\n" more

static void
mistakes_are_named(void **state)
{
	static const struct {
		const char *text;
		const char *says; /* NULL: it is read */
	} rows[] = {
	    {YEAR(""),	                                                             NULL                   },
	    {YEAR("    workdays: [2031-01-19]\n"),                                         NULL                   },
	    {YEAR("    workdays: [2031-01-20]\n"),                                         "no Saturday or Sunday"},
	    {YEAR("    workdays: [2032-01-18]\n"),                                         "not of the year 2031" },
	    {YEAR("    workdays: [2031-02-30]\n"),                                         "a day is expected"    },
	    {YEAR("    workdays: [2031-01-19, 2031-01-19]\n"),
             "stands here twice"	                                                                          },
	    {YEAR("    workdays: [2031-01-19..2031-01-18]\n"),
             "a day is expected"	                                                                          },
	    {YEAR("    sundays: [2031-01-19]\n"),                                          "sundays"              },
	    {YEAR("  - year: 2031\n    notice: n\n    holidays: []\n"),
             "the year stands here twice"	                                                                 },
	    {HEAD "years:\n  - year: 2031\n    holidays: []\n",                            "notice"               },
	    {HEAD "years:\n  - year: 2031\n    notice: n\n",                               "holidays"             },
	    {HEAD "years:\n  - year: 2031\n    notice: n\n"
	          "    holidays: [2031-01-18]\n    workdays: [2031-01-18]\n", "stands here twice"    },
	    {"hutong: calendar/v1\nyears: []\n",                                           "zone"                 },
	    {"hutong: calendar/v1\nzone: \"8\"\nyears: []\n",
             "a zone is expected"	                                                                         },
	    {"hutong: calendar/v1\nzone: \"+15:00\"\nyears: []\n",
             "a zone is expected"	                                                                         },
	    {"hutong: calendar/v2\nzone: \"+08:00\"\nyears: []\n",                         "hutong"               },
	    {HEAD "terms: {soon: {days: 1, of: working}}\nyears: []\n",                    "soon"                 },
	    {HEAD "terms: {supply: {days: 1, of: week}}\nyears: []\n",                     "'of'"                 },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		HT_AUTO(ht_calendar_free) struct ht_calendar *c = NULL;
		enum ht_err err = ht_calendar_parse(
		    ht_slice_str(rows[i].text), "cal.yaml", report, &c);

		if (rows[i].says == NULL) {
			assert_ok(err);
			continue;
		}
		assert_err(err, HT_EINVALID);
		assert_null(c);
		if (strstr(ht_report_text(report, 0), rows[i].says) == NULL)
			fail_msg("row %zu: %s", i, ht_report_text(report, 0));
	}
}

static void
it_survives_no_memory(void **state)
{
	struct ht_calendar *c = NULL;
	enum ht_err err = HT_OK;
	unsigned failures = 0;

	(void)state;
	TORTURE(err = ht_calendar_parse(
	            ht_slice_str(HEAD YEARS), "cal.yaml", NULL, &c))
	{
		/* Without memory for hints ("did you mean") it is still read */
		failures += err == HT_ENOMEM;
		assert_true(err == HT_ENOMEM || err == HT_OK);
		assert_true((err == HT_OK) == (c != NULL));
		ht_calendar_free(&c);
	}
	assert_ok(err);
	assert_true(failures > 20);
	ht_calendar_free(&c);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(terms_end_with_a_day),
    cmocka_unit_test(reminders_count_back),
    cmocka_unit_test(nothing_is_computed_past_its_end),
    cmocka_unit_test(terms_have_defaults),
    cmocka_unit_test(mistakes_are_named),
    cmocka_unit_test(it_survives_no_memory),
};

HT_TEST_MAIN(tests)
