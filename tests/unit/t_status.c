#include "schemas/status.h"

#include "tests/lib/test.h"

static const struct {
	const char *name;
	unsigned number;
	enum ht_who who;
	const char *text;
	const char *remedy;
} table[] = {
#define ROW(name, number, who, text, remedy)                                   \
	{#name, number, HT_WHO_##who, text, remedy},
    HT_STATUS_MAP(ROW)
#undef ROW
};

static void
every_status_is_found_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(table); i++) {
		unsigned n = table[i].number;

		assert_string_equal(ht_status_name(n), table[i].name);
		assert_string_equal(ht_status_text(n), table[i].text);
		assert_string_equal(ht_status_remedy(n), table[i].remedy);
		assert_int_equal(ht_status_who(n), table[i].who);
		assert_int_equal(ht_status_parse(table[i].name), n);
	}
	assert_int_equal(ht_status_parse("no_grant"), HT_ST_NO_GRANT);
}

/* Numbers cross the wire in two bytes of an entry, and never change. */
static void
numbers_are_unique_and_small(void **state)
{
	(void)state;
	assert_int_equal(table[0].number, 0);
	for (size_t i = 1; i < HT_COUNT(table); i++) {
		assert_true(table[i].number > table[i - 1].number);
		assert_true(table[i].number <= UINT16_MAX);
	}
}

static void
every_refusal_says_who_must_do_what(void **state)
{
	(void)state;
	for (size_t i = 1; i < HT_COUNT(table); i++) {
		assert_int_not_equal(table[i].who, HT_WHO_NOBODY);
		assert_true(strlen(table[i].text) > 0);
		assert_true(strlen(table[i].remedy) > 0);
		assert_true(strlen(table[i].remedy) < 240);
	}
}

static void
an_unknown_status_has_texts_too(void **state)
{
	(void)state;
	assert_string_equal(ht_status_name(99), "UNKNOWN");
	assert_string_equal(ht_status_text(65535), "unknown status");
	assert_true(strlen(ht_status_remedy(1)) > 0);
	assert_int_equal(ht_status_parse("UNKNOWN"), -1);
	assert_int_equal(ht_status_parse(""), -1);
	assert_string_equal(ht_who_text(HT_WHO_AUTHORITY), "authority");
	assert_string_equal(ht_who_text(5), "unknown");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_status_is_found_both_ways),
    cmocka_unit_test(numbers_are_unique_and_small),
    cmocka_unit_test(every_refusal_says_who_must_do_what),
    cmocka_unit_test(an_unknown_status_has_texts_too),
};
HT_TEST_MAIN(tests)
