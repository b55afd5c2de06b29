#include "adapters/source.h"

#include "tests/lib/test.h"

static const struct {
	const char *why;
	uint32_t limit;
	bool filter;
	uint32_t rows;
} table[] = {
    {"the item's own",                                         50,    false, 50   },
    {"one says one",                                           1,     false, 1    },
    {"no limit: a usual one",                                  0,     false, 100  },
    {"a filter: more to choose from",                          100,   true,  2000 },
    {"never so few that `more` tells of a few rows of others", 1,     true,  1000 },
    {"nor with fifty",                                         50,    true,  1000 },
    {"no limit, and a filter",                                 0,     true,  2000 },
    {"never too many",                                         5000,  true,  10000},
    {"but what the item promises",                             20000, true,  20000},
};

static void
rows_to_look_at(void **state)
{
	char field[] = "xzqh";

	(void)state;
	for (size_t i = 0; i < HT_COUNT(table); i++) {
		struct ht_item item = {.records_max = table[i].limit};
		struct ht_grant grant = {
		    .row_field = table[i].filter ? field : NULL};

		if (ht_source_rows(&item, &grant) != table[i].rows)
			fail_msg("%s: %u", table[i].why,
			    ht_source_rows(&item, &grant));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_to_look_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
