#include "adapters/sql/column.h"

#include "tests/lib/test.h"

/* The text of a column, and the JSON of the field; NULL: refused. */
static const struct convert_case {
	const char *why;
	enum ht_as as;
	enum ht_column_kind kind;
	const char *text;
	const char *json;
} convert_cases[] = {
    {"text as it is",         HT_AS_AUTO,    HT_COLUMN_TEXT,    "a b",                 "\"a b\""       },
    {"spaces at the ends",    HT_AS_TEXT,    HT_COLUMN_TEXT,    "  a b \t",            "\"a b\""       },
    {"digits may be text",    HT_AS_TEXT,    HT_COLUMN_INTEGER, "007",                 "\"007\""       },
    {"by the column's kind",  HT_AS_AUTO,    HT_COLUMN_INTEGER, "42",                  "42"            },
    {"negative",              HT_AS_INTEGER, HT_COLUMN_TEXT,    "-3",                  "-3"            },
    {"a whole decimal",       HT_AS_INTEGER, HT_COLUMN_TEXT,    "12.00",               "12"            },
    {"not whole",             HT_AS_INTEGER, HT_COLUMN_TEXT,    "12.5",                NULL            },
    {"words are no number",   HT_AS_INTEGER, HT_COLUMN_TEXT,    "many",                NULL            },
    {"nothing is no number",  HT_AS_INTEGER, HT_COLUMN_TEXT,    "",                    NULL            },
    {"past 64 bits",          HT_AS_INTEGER, HT_COLUMN_TEXT,    "9223372036854775808",
     NULL                                                                                              },
    {"a hidden second value", HT_AS_INTEGER, HT_COLUMN_TEXT,    "1 2",                 NULL            },
    {"a float",               HT_AS_AUTO,    HT_COLUMN_FLOAT,   "1.5e3",               "1500"          },
    {"a fraction",            HT_AS_NUMBER,  HT_COLUMN_TEXT,    "0.25",                "0.25"          },
    {"no infinity",           HT_AS_NUMBER,  HT_COLUMN_TEXT,    "inf",                 NULL            },
    {"no number so large",    HT_AS_NUMBER,  HT_COLUMN_TEXT,    "1e999",               NULL            },
    {"no hexadecimal",        HT_AS_NUMBER,  HT_COLUMN_TEXT,    "0x10",                NULL            },
    {"money stays text",      HT_AS_AUTO,    HT_COLUMN_DECIMAL, "1200.50",
     "\"1200.50\""                                                                                     },
    {"a missing zero",        HT_AS_DECIMAL, HT_COLUMN_TEXT,    "-.5",                 "\"-0.5\""      },
    {"a lone point",          HT_AS_DECIMAL, HT_COLUMN_TEXT,    "5.",                  "\"5\""         },
    {"no exponent in money",  HT_AS_DECIMAL, HT_COLUMN_TEXT,    "1e3",                 NULL            },
    {"yes",                   HT_AS_AUTO,    HT_COLUMN_BOOLEAN, "1",                   "true"          },
    {"no",                    HT_AS_BOOLEAN, HT_COLUMN_TEXT,    "N",                   "false"         },
    {"neither",               HT_AS_BOOLEAN, HT_COLUMN_TEXT,    "perhaps",             NULL            },
    {"a list",                HT_AS_JSON,    HT_COLUMN_TEXT,    "[{\"a\":\"b\"}]",
     "[{\"a\": \"b\"}]"                                                                                },
    {"a broken list",         HT_AS_JSON,    HT_COLUMN_TEXT,    "[{\"a\":",            NULL            },
    {"no list at all",        HT_AS_JSON,    HT_COLUMN_TEXT,    "7",                   NULL            },
    {"a date",                HT_AS_DATE,    HT_COLUMN_TEXT,    "2026-11-24",          "\"2026-11-24\""},
    {"compact",               HT_AS_DATE,    HT_COLUMN_TEXT,    "20261124",            "\"2026-11-24\""},
    {"with slashes",          HT_AS_DATE,    HT_COLUMN_TEXT,    "2026/11/24",
     "\"2026-11-24\""                                                                                  },
    {"with a time",           HT_AS_DATE,    HT_COLUMN_TEXT,    "2026-11-24 10:00:00",
     "\"2026-11-24\""                                                                                  },
    {"a leap day",            HT_AS_DATE,    HT_COLUMN_TEXT,    "1900-02-28",          "\"1900-02-28\""},
    {"no leap year",          HT_AS_DATE,    HT_COLUMN_TEXT,    "1900-02-29",          NULL            },
    {"a leap year",           HT_AS_DATE,    HT_COLUMN_TEXT,    "20000229",            "\"2000-02-29\""},
    {"no such month",         HT_AS_DATE,    HT_COLUMN_TEXT,    "2026-13-01",          NULL            },
    {"mixed marks",           HT_AS_DATE,    HT_COLUMN_TEXT,    "2026-11/24",          NULL            },
    {"something after it",    HT_AS_DATE,    HT_COLUMN_TEXT,    "202611245",           NULL            },
    {"too short",             HT_AS_DATE,    HT_COLUMN_TEXT,    "2026-1-2",            NULL            },
};

static void
values_become_what_the_field_wants(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(convert_cases); i++) {
		const struct convert_case *c = &convert_cases[i];
		struct ht_sql_column column = {.as = c->as};
		json_t *got = NULL;
		const char *why;
		char *json;
		enum ht_err err;

		err = ht_sql_column_convert(
		    &column, c->kind, c->text, &got, &why);
		if (c->json == NULL) {
			if (err != HT_EINVALID || why[0] == '\0')
				fail_msg("%s: not refused", c->why);
			continue;
		}
		if (err != HT_OK)
			fail_msg("%s: %s", c->why, why);
		json = json_dumps(got, JSON_ENCODE_ANY);
		if (strcmp(json, c->json) != 0)
			fail_msg("%s: %s", c->why, json);
		free(json);
		json_decref(got);
	}
}

static void
null_is_absent(void **state)
{
	struct ht_sql_column column = {.as = HT_AS_INTEGER};
	json_t *got = json_true();
	const char *why;

	(void)state;
	assert_ok(ht_sql_column_convert(
	    &column, HT_COLUMN_INTEGER, NULL, &got, &why));
	assert_null(got);
	column.empty_absent = true;
	got = json_true();
	assert_ok(
	    ht_sql_column_convert(&column, HT_COLUMN_TEXT, "  ", &got, &why));
	assert_null(got);
}

static void
codes_are_translated(void **state)
{
	struct ht_sql_column column = {
	    .codes = json_pack("{s:s, s:s}", "A", "1", "B", "2")};
	json_t *got;
	const char *why;

	(void)state;
	assert_ok(ht_sql_column_convert(
	    &column, HT_COLUMN_INTEGER, "B ", &got, &why));
	assert_string_equal(json_string_value(got), "2");
	json_decref(got);
	assert_err(
	    ht_sql_column_convert(&column, HT_COLUMN_TEXT, "C", &got, &why),
	    HT_EINVALID);
	column.codes_else = strdup("9");
	assert_ok(
	    ht_sql_column_convert(&column, HT_COLUMN_TEXT, "C", &got, &why));
	assert_string_equal(json_string_value(got), "9");
	json_decref(got);
	ht_sql_column_fini(&column);
}

static void
names_of_conversions(void **state)
{
	(void)state;
	assert_int_equal(ht_as_parse(ht_slice_str("date")), HT_AS_DATE);
	assert_int_equal(ht_as_parse(ht_slice_str("dates")), -1);
	assert_non_null(strstr(ht_as_names(), "auto, text"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(values_become_what_the_field_wants),
    cmocka_unit_test(null_is_absent),
    cmocka_unit_test(codes_are_translated),
    cmocka_unit_test(names_of_conversions),
};

HT_TEST_MAIN(tests)
