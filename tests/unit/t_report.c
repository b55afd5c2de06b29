#include "lib/base/report.h"

#include "tests/lib/fault.h"
#include "tests/lib/test.h"

/* What ht_report_print() writes; the caller frees. */
static char *
printed(const struct ht_report *report)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	ht_report_print(report, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void
findings_are_kept_in_order(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_mem_free) char *text = NULL;

	(void)state;
	assert_int_equal(ht_report_count(report), 0);
	ht_report_add(report, "a.yaml:3:1", "wants %d, found %s", 3, "four");
	ht_report_add(report, "", "nowhere in particular");
	assert_int_equal(ht_report_count(report), 2);
	assert_string_equal(ht_report_where(report, 0), "a.yaml:3:1");
	assert_string_equal(ht_report_text(report, 0), "wants 3, found four");
	text = printed(report);
	assert_string_equal(text, "a.yaml:3:1: wants 3, found four\n"
	                          "nowhere in particular\n");
}

static void
a_hostile_text_is_printed_harmlessly(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_mem_free) char *text = NULL;

	(void)state;
	ht_report_add(report, "a\nb", "unknown key '%s'", "\x1b[2J");
	text = printed(report);
	assert_string_equal(text, "a\\x0ab: unknown key '\\x1b[2J'\n");
}

static void
past_the_limit_they_are_counted(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_mem_free) char *text = NULL;

	(void)state;
	for (unsigned i = 0; i < HT_FINDINGS_MAX + 5; i++)
		ht_report_add(report, "x", "finding %u", i);
	assert_int_equal(ht_report_count(report), HT_FINDINGS_MAX + 5);
	assert_string_equal(
	    ht_report_text(report, HT_FINDINGS_MAX - 1), "finding 199");
	text = printed(report);
	assert_non_null(strstr(text, "x: finding 199\n... and 5 more\n"));
}

static void
without_a_report_nothing_happens(void **state)
{
	HT_AUTO(ht_mem_free) char *text = NULL;
	struct ht_report *none = NULL;

	(void)state;
	ht_report_add(none, "x", "y");
	assert_int_equal(ht_report_count(none), 0);
	text = printed(none);
	assert_string_equal(text, "");
	ht_report_free(&none);
}

static void
no_memory_loses_no_count(void **state)
{
	struct ht_report *report = NULL;

	(void)state;
	TORTURE((ht_report_free(&report), report = ht_report_new(),
	    ht_report_add(report, "x", "y")))
	{
		/* A check that found something never looks like one that
		 * found nothing. */
		if (report != NULL)
			assert_int_equal(ht_report_count(report), 1);
	}
	assert_string_equal(ht_report_text(report, 0), "y");
	ht_report_free(&report);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(findings_are_kept_in_order),
    cmocka_unit_test(a_hostile_text_is_printed_harmlessly),
    cmocka_unit_test(past_the_limit_they_are_counted),
    cmocka_unit_test(without_a_report_nothing_happens),
    cmocka_unit_test(no_memory_loses_no_count),
};

HT_TEST_MAIN(tests)
