#include "broker/strike.h"

#include "tests/lib/test.h"

#define MIN UINT64_C(60000)

static const struct {
	const char *why;
	uint64_t at_min[5]; /* floods; 0: no more */
	bool out;
} rows[] = {
    {"one is an accident",              {1},                 false},
    {"two at once are none",            {1, 1},              true },
    {"nor within ten minutes",          {1, 10},             true },
    {"one of the day before is over",   {1, 1440},           false},
    {"one every ten minutes is, each",  {1, 11, 21, 31, 41}, false},
    {"and two after that are too many", {1, 11, 21, 31, 32}, true },
    {"who is out stays out",            {1, 2, 1440},        true },
};

static void
floods_are_forgotten_in_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		struct ht_strike strike = {0};
		unsigned times = 0;

		for (size_t k = 0; k < 5 && rows[i].at_min[k] > 0; k++)
			times +=
			    ht_strike_add(&strike, rows[i].at_min[k] * MIN);
		if (strike.out != rows[i].out || times != rows[i].out)
			fail_msg("%s", rows[i].why);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(floods_are_forgotten_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
