/* Months and zones: where a report begins and ends. */
#include "tests/lib/test.h"

#include "broker/log/period.h"

static void
zones_have_one_form(void **state)
{
	static const struct {
		const char *text;
		int want;
		enum ht_err err;
	} rows[] = {
	    {"Z",       0,    HT_OK        },
	    {"+00:00",  0,    HT_OK        },
	    {"+08:00",  480,  HT_OK        },
	    {"-03:30",  -210, HT_OK        },
	    {"+14:00",  840,  HT_OK        },
	    {"+14:15",  0,    HT_EMALFORMED},
	    {"08:00",   0,    HT_EMALFORMED},
	    {"+8:00",   0,    HT_EMALFORMED},
	    {"+08:01",  0,    HT_EMALFORMED},
	    {"+08:60",  0,    HT_EMALFORMED},
	    {"+08:00 ", 0,    HT_EMALFORMED},
	    {"",        0,    HT_EMALFORMED},
	    {"+ab:cd",  0,    HT_EMALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		int minutes = 0;

		if (ht_zone_parse(rows[i].text, &minutes) != rows[i].err ||
		    minutes != rows[i].want)
			fail_msg("'%s': %d", rows[i].text, minutes);
	}
}

static void
a_month_ends_where_the_next_begins(void **state)
{
	static const struct {
		const char *why, *month;
		int zone;
		const char *from, *to; /* NULL: refused */
	} rows[] = {
	    {"in UTC",            "2026-03",   0,    "2026-03-01T00:00:00Z",
             "2026-04-01T00:00:00Z"	                                      },
	    {"in Beijing",        "2026-03",   480,  "2026-02-28T16:00:00Z",
             "2026-03-31T16:00:00Z"	                                      },
	    {"west of Greenwich", "2026-03",   -210, "2026-03-01T03:30:00Z",
             "2026-04-01T03:30:00Z"	                                      },
	    {"over the new year", "2026-12",   480,  "2026-11-30T16:00:00Z",
             "2026-12-31T16:00:00Z"	                                      },
	    {"a leap February",   "2028-02",   0,    "2028-02-01T00:00:00Z",
             "2028-03-01T00:00:00Z"	                                      },
	    {"no such month",     "2026-13",   0,    NULL,                   NULL},
	    {"month nought",      "2026-00",   0,    NULL,                   NULL},
	    {"one digit",         "2026-3",    0,    NULL,                   NULL},
	    {"a day",             "2026-03-1", 0,    NULL,                   NULL},
	    {"before all time",   "1970-01",   0,    NULL,                   NULL},
	    {"the last of all",   "9999-12",   0,    NULL,                   NULL},
	    {"nothing",           "",          0,    NULL,                   NULL},
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		uint64_t from, to;
		char text[HT_TIME_SIZE];
		enum ht_err err =
		    ht_month_parse(rows[i].month, rows[i].zone, &from, &to);

		if ((err == HT_OK) != (rows[i].from != NULL))
			fail_msg("%s", rows[i].why);
		if (err != HT_OK)
			continue;
		ht_time_text(text, from);
		assert_string_equal(text, rows[i].from);
		ht_time_text(text, to);
		assert_string_equal(text, rows[i].to);
	}
}

static void
a_day_is_where_people_are(void **state)
{
	uint64_t us;
	char day[HT_DAY_SIZE];

	(void)state;
	assert_ok(ht_time_parse(ht_slice_str("2026-03-31T17:30:00Z"), &us));
	ht_day_text(us, 0, day);
	assert_string_equal(day, "2026-03-31");
	ht_day_text(us, 480, day);
	assert_string_equal(day, "2026-04-01");
	ht_day_text(0, -60, day);
	assert_string_equal(day, "1970-01-01");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(zones_have_one_form),
    cmocka_unit_test(a_month_ends_where_the_next_begins),
    cmocka_unit_test(a_day_is_where_people_are),
};

HT_TEST_MAIN(tests)
