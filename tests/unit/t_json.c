#include "schemas/json.h"

#include "lib/base/limits.h"
#include "tests/lib/fault.h"
#include "tests/lib/test.h"

static void
strict_json_is_printed_as_it_was_read(void **state)
{
	static const char *const cases[] = {"null", "true", "-1", "0.5", "\"\"",
	    "[]", "{}", "{\"b\":[1,{\"a\":null}],\"a\":\"胡同\"}",
	    "\"\\n\\\"\\\\\"", "9223372036854775807"};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_json_free) json_t *json = NULL;
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(1000);

		assert_ok(ht_json_parse(ht_slice_str(cases[i]), &json, NULL));
		assert_ok(ht_json_print(json, &out));
		assert_string_equal(ht_buf_text(&out), cases[i]);
	}
}

/* As few digits as read back the same, wherever they stand. */
static void
reals_are_printed_short(void **state)
{
	static const char *const cases[] = {"0.1", "-0.3", "3.14", "1e300",
	    "1e-7", "2.5e-10", "123456.789", "99.99", "0.30000000000000004",
	    "1.7976931348623157e308", "5e-324", "9007199254740993.0",
	    "[0.1,[],0.2]", "{\"a\":{\"b\":[0.7,1,\"0.7\"]},\"\\\"\":1.1}"};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_json_free) json_t *json = NULL, *again = NULL;
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(1000);

		assert_ok(ht_json_parse(ht_slice_str(cases[i]), &json, NULL));
		assert_ok(ht_json_print(json, &out));
		if (i != 10 && i != 11) /* not as they were written here */
			assert_string_equal(ht_buf_text(&out), cases[i]);
		assert_ok(ht_json_parse(ht_buf_slice(&out), &again, NULL));
		assert_true(json_equal(json, again));
	}
}

static void
what_is_not_strict_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text;
		const char *why; /* how it begins */
	} cases[] = {
	    {"",	                   "line 1, column 0: "},
	    {"{\"a\":1,\n\"a\":2}",        "line 2, column 3: "},
	    {"[1] 2",	              "line 1, column 5: "},
	    {"[1,]",	               "line 1, column 4: "},
	    {"{'a':1}",                    "line 1, column 2: "},
	    {"\"\\u0000\"",                "line 1, "          },
	    {"\"\xff\"",                   "line 1, "          },
	    {"NaN",	                "line 1, "          },
	    {"01",	                 "line 1, "          },
	    {"9223372036854775808",        "line 1, "          },
	    {"[[[[[[[[[[[[[]]]]]]]]]]]]]",
             "more than 12 arrays and objects in one another"  },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		const char *why = "";
		json_t *json = NULL;

		assert_err(
		    ht_json_parse(ht_slice_str(cases[i].text), &json, &why),
		    HT_EMALFORMED);
		assert_null(json);
		if (strncmp(why, cases[i].why, strlen(cases[i].why)) != 0)
			fail_msg("%s: %s", cases[i].text, why);
		assert_err(
		    ht_json_parse(ht_slice_str(cases[i].text), &json, NULL),
		    HT_EMALFORMED);
	}
}

static void
printing_keeps_to_the_limit(void **state)
{
	HT_AUTO(ht_json_free) json_t *json = json_pack("[i,i]", 12345, 67890);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(9);

	(void)state;
	ht_buf_str(&out, "x");
	assert_err(ht_json_print(json, &out), HT_ETOOBIG);
	assert_int_equal(out.len, 1);
}

static void *
torture_malloc(size_t size)
{
	return malloc(size); /* ours, so that faults reach jansson */
}

static void
parsing_survives_no_memory(void **state)
{
	HT_AUTO(ht_json_free) json_t *json = NULL;
	enum ht_err err = HT_OK;

	(void)state;
	json_set_alloc_funcs(torture_malloc, free);
	TORTURE(err = ht_json_parse(
	            ht_slice_str("{\"a\":[1,0.5,\"t\",null],\"b\":{}}"), &json,
	            NULL))
	{
		/* jansson does not always say that it was memory. */
		assert_int_not_equal(err, HT_OK);
		assert_null(json);
	}
	assert_ok(err);
	json_set_alloc_funcs(malloc, free);
}

/* With a real in it, names are printed one by one. */
static void
printing_survives_no_memory(void **state)
{
	HT_AUTO(ht_json_free) json_t *json = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(1000);
	enum ht_err err = HT_OK;

	(void)state;
	assert_ok(ht_json_parse(
	    ht_slice_str("{\"a\":[1,0.1],\"b\":{\"c\":0.2}}"), &json, NULL));
	json_set_alloc_funcs(torture_malloc, free);
	TORTURE((ht_buf_fini(&out), out = HT_BUF(1000),
	    err = ht_json_print(json, &out)))
	{
		assert_err(err, HT_ENOMEM);
		assert_int_equal(out.len, 0);
	}
	assert_ok(err);
	assert_string_equal(
	    ht_buf_text(&out), "{\"a\":[1,0.1],\"b\":{\"c\":0.2}}");
	json_set_alloc_funcs(malloc, free);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(strict_json_is_printed_as_it_was_read),
    cmocka_unit_test(what_is_not_strict_is_refused_with_its_place),
    cmocka_unit_test(reals_are_printed_short),
    cmocka_unit_test(printing_keeps_to_the_limit),
    cmocka_unit_test(parsing_survives_no_memory),
    cmocka_unit_test(printing_survives_no_memory),
};
HT_TEST_MAIN(tests)
