#include "lib/base/clock.h"

#include "tests/lib/test.h"

#define DAY_US 86400000000u

static const struct {
	const char *text;
	uint64_t us;
} both_ways[] = {
    {"1970-01-01T00:00:00Z",        0                 },
    {"1970-01-01T00:00:00.000001Z", 1                 },
    {"1970-03-01T00:00:00Z",        59ull * DAY_US    },
    {"2000-02-29T12:00:00Z",        951825600000000   },
    {"2000-03-01T00:00:00Z",        951868800000000   },
    {"2026-11-24T01:02:03.123456Z", 1795482123123456  },
    {"2100-03-01T00:00:00Z",        4107542400000000  },
    {"9999-12-31T23:59:59.999999Z", 253402300799999999},
};

static void
times_go_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(both_ways); i++) {
		char text[HT_TIME_SIZE];
		uint64_t us = 1;

		ht_time_text(text, both_ways[i].us);
		assert_string_equal(text, both_ways[i].text);
		assert_ok(ht_time_parse(ht_slice_str(both_ways[i].text), &us));
		assert_int_equal(us, both_ways[i].us);
	}
}

static void
every_day_of_the_calendar_goes_both_ways(void **state)
{
	(void)state;
	/* To the year 2500: all kinds of leap years are in there. */
	for (uint64_t day = 0; day < 193600; day++) {
		char text[HT_TIME_SIZE];
		uint64_t us = 0;

		ht_time_text(text, day * DAY_US);
		text[10] = '\0'; /* a date alone is its midnight */
		assert_ok(ht_time_parse(ht_slice_str(text), &us));
		if (us != day * DAY_US)
			fail_msg("%s is another day", text);
	}
}

static void
what_no_clock_shows_is_refused(void **state)
{
	static const char *const bad[] = {"", "2026", "2026-11", "2026-1-24",
	    "26-11-24", "2026-00-10", "2026-13-01", "2026-11-00", "2026-11-31",
	    "2026-02-29", "2100-02-29", "1969-12-31", "0000-01-01",
	    "2026-11-24T", "2026-11-24Z", "2026-11-24T01:02Z",
	    "2026-11-24T01:02:03", "2026-11-24T24:00:00Z",
	    "2026-11-24T01:60:00Z", "2026-11-24T01:02:60Z",
	    "2026-11-24T01:02:03.Z", "2026-11-24T01:02:03.1234567Z",
	    "2026-11-24T01:02:03+08:00", "2026-11-24T01:02:03z",
	    "2026-11-24 01:02:03Z", "2026-11-24T01:02:03Z ",
	    " 2026-11-24T01:02:03Z", "2026-11-24T01:02:0-3Z",
	    "2026/11/24T01:02:03Z", "2026-11-24T01:02:03.12x4Z"};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(bad); i++) {
		uint64_t us = 42;

		if (ht_time_parse(ht_slice_str(bad[i]), &us) != HT_EMALFORMED)
			fail_msg("'%s' was accepted", bad[i]);
		assert_int_equal(us, 42);
	}
}

static void
a_short_fraction_is_a_fraction(void **state)
{
	uint64_t us = 0;

	(void)state;
	assert_ok(ht_time_parse(ht_slice_str("1970-01-01T00:00:00.5Z"), &us));
	assert_int_equal(us, 500000);
}

static void
a_time_past_the_calendar_is_its_end(void **state)
{
	char text[HT_TIME_SIZE];

	(void)state;
	ht_time_text(text, UINT64_MAX); /* peers send such numbers */
	assert_string_equal(text, "9999-12-31T23:59:59.999999Z");
}

static void
clocks_tell_the_time(void **state)
{
	uint64_t mono = ht_clock_mono_ms(), boot = ht_clock_boot_us();
	uint64_t ms = ht_clock_wall_ms(), us = ht_clock_wall_us();

	(void)state;
	assert_true(ms > 1577836800000); /* 2020 */
	assert_in_range(us / 1000 - ms, 0, 60000);
	assert_true(ht_clock_mono_ms() >= mono);
	assert_true(ht_clock_boot_us() >= boot);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(times_go_both_ways),
    cmocka_unit_test(every_day_of_the_calendar_goes_both_ways),
    cmocka_unit_test(what_no_clock_shows_is_refused),
    cmocka_unit_test(a_short_fraction_is_a_fraction),
    cmocka_unit_test(a_time_past_the_calendar_is_its_end),
    cmocka_unit_test(clocks_tell_the_time),
};

HT_TEST_MAIN(tests)
