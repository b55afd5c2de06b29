#include "adapters/claims.h"

#include "tests/lib/test.h"

static json_t *
parse(const char *text)
{
	json_t *value = NULL;

	assert_ok(ht_json_parse(ht_slice_str(text), &value, NULL));
	return value;
}

/* Claims, the records found, and the judgement. */
static const struct judge_case {
	const char *why;
	const char *claims;
	const char *records;
	const char *results;
} judge_cases[] = {
    {"the same",                  "{\"a\":\"x\"}",             "[{\"a\":\"x\"}]",         "{\"a\":1}"        },
    {"another",                   "{\"a\":\"x\"}",             "[{\"a\":\"y\"}]",         "{\"a\":0}"        },
    {"no record",                 "{\"a\":\"x\"}",             "[]",                      "{\"a\":2}"        },
    {"no value in it",            "{\"a\":\"x\"}",             "[{\"b\":\"x\"}]",         "{\"a\":2}"        },
    {"null is no value",          "{\"a\":\"x\"}",             "[{\"a\":null}]",          "{\"a\":2}"        },
    {"text is no number",         "{\"a\":\"1\"}",             "[{\"a\":1}]",             "{\"a\":0}"        },
    {"numbers by value",          "{\"a\":1}",                 "[{\"a\":1.0}]",           "{\"a\":1}"        },
    {"capitals matter",           "{\"a\":\"X\"}",             "[{\"a\":\"x\"}]",         "{\"a\":0}"        },
    {"each on its own",           "{\"a\":\"x\",\"b\":\"y\"}",
     "[{\"a\":\"x\",\"b\":\"n\"}]",                                                       "{\"a\":1,\"b\":0}"},
    {"not put together from two", "{\"a\":\"x\",\"b\":\"y\"}",
     "[{\"a\":\"x\",\"b\":\"n\"},{\"a\":\"n\",\"b\":\"y\"}]",                             "{\"a\":1,\"b\":0}"},
    {"the one that fits best",    "{\"a\":\"x\",\"b\":\"y\"}",
     "[{\"a\":\"x\",\"b\":\"n\"},{\"a\":\"x\",\"b\":\"y\"}]",                             "{\"a\":1,\"b\":1}"},
    {"objects as a whole",        "{\"a\":{\"k\":[1,2]}}",     "[{\"a\":{\"k\":[1,2]}}]",
     "{\"a\":1}"                                                                                             },
};

static void
claims_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(judge_cases); i++) {
		const struct judge_case *c = &judge_cases[i];
		json_t *claims = parse(c->claims), *records = parse(c->records);
		json_t *want = parse(c->results);
		json_t *got = ht_claims_judge(claims, records);

		if (!json_equal(got, want)) {
			char *text = json_dumps(got, 0);

			fail_msg("%s: %s", c->why, text);
		}
		json_decref(claims);
		json_decref(records);
		json_decref(want);
		json_decref(got);
	}
}

static struct ht_schema *
four_fields(void)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_schema *schema = NULL;
	json_t *json = parse("{\"type\":\"object\",\"properties\":{"
	                     "\"d\":{\"type\":\"string\",\"x-level\":0},"
	                     "\"c\":{\"type\":\"string\",\"x-level\":0},"
	                     "\"b\":{\"type\":\"string\",\"x-level\":0},"
	                     "\"a\":{\"type\":\"string\",\"x-level\":0}}}");

	assert_ok(ht_schema_compile(json, "test", report, &schema));
	json_decref(json);
	return schema;
}

/* The grant covers d, b and a: bits 0, 2 and 3 in the order written. */
static const struct release_case {
	const char *why;
	const char *fields; /* NULL: all */
	const char *record;
	const char *released;
	uint8_t bits;
} release_cases[] = {
    {"what is granted",                    NULL,
     "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\",\"d\":\"4\"}",                               "{\"a\":\"1\",\"b\":\"2\",\"d\":\"4\"}", 0x0d},
    {"what is there",                      NULL,      "{\"a\":\"1\",\"c\":\"3\"}",      "{\"a\":\"1\"}",                         0x08},
    {"what is wanted",                     "[\"b\"]",
     "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\",\"d\":\"4\"}",                               "{\"b\":\"2\"}",
     0x04                                                                                                                            },
    {"not what is wanted but not granted", "[\"c\"]",
     "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\",\"d\":\"4\"}",                               "{}",                                    0   },
    {"nothing the schema does not have",   NULL,      "{\"a\":\"1\",\"secret\":\"2\"}",
     "{\"a\":\"1\"}",                                                                                                            0x08},
};

static void
only_granted_fields_leave(void **state)
{
	struct ht_schema *schema = four_fields();
	struct ht_item item = {.record = schema};
	struct ht_grant grant = {.fields = {0x0d}};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(release_cases); i++) {
		const struct release_case *c = &release_cases[i];
		uint8_t bitmap[HT_RELEASED_MAX] = {0};
		size_t len = 0;
		json_t *fields = c->fields != NULL ? parse(c->fields) : NULL;
		json_t *record = parse(c->record), *want = parse(c->released);
		json_t *got =
		    ht_release(&item, &grant, fields, record, bitmap, &len);

		if (!json_equal(got, want) || bitmap[0] != c->bits)
			fail_msg("%s: bits 0x%02x", c->why, bitmap[0]);
		json_decref(fields);
		json_decref(record);
		json_decref(want);
		json_decref(got);
	}
	ht_schema_free(&schema);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(claims_are_judged),
    cmocka_unit_test(only_granted_fields_leave),
};

HT_TEST_MAIN(tests)
