#include "schemas/codes.h"

#include "tests/lib/test.h"

/*
 * Values printed in the standards, or synthetic ones of the region 999999,
 * which nobody can own.
 */
static const struct {
	const char *why;
	const char *format;
	const char *value;
	bool valid;
} cases[] = {
    {"GB 32100 annex B",                  "uscc",          "91350100M000100Y43",        true },
    {"a company",                         "uscc",          "91999999000000019D",        true },
    {"a sole trader",                     "uscc",          "92999999000000019A",        true },
    {"an office",                         "uscc",          "11999999000000019M",        true },
    {"an institution",                    "uscc",          "12999999000000019J",        true },
    {"a society",                         "uscc",          "51999999000000019H",        true },
    {"a cooperative",                     "uscc",          "939999990000000197",        true },
    {"a village collective",              "uscc",          "N19999990000000190",        true },
    {"check 0",                           "uscc",          "919999990000002110",        true },
    {"check X",                           "uscc",          "91999999000000043X",        true },
    {"check Y",                           "uscc",          "91999999000000166Y",        true },
    {"wrong check",                       "uscc",          "91350100M000100Y44",        false},
    {"letter O",                          "uscc",          "9135010OM000100Y43",        false},
    {"letter O in the body",              "uscc",          "91350100MO00100Y43",        false},
    {"lower case is refused, not mended", "uscc",          "91350100m000100y43",        false},
    {"17 characters",                     "uscc",          "91350100M000100Y4",         false},
    {"19 characters",                     "uscc",          "91350100M000100Y433",       false},
    {"all zeros pass the arithmetic",     "uscc",          "000000000000000000",        false},
    {"full-width 9",                      "uscc",          "９1350100M000100Y43",      false},
    {"a space after it",                  "uscc",          "91999999000000019D ",       false},
    {"nothing",                           "uscc",          "",                          false},

    {"its organisation code",             "uscc-org-code", "91350100M000100Y43",        true },
    {"which may be wrong",                "uscc-org-code", "91350100M000100Y53",        false},

    {"GB 11643",                          "citizen-id",    "11010519491231002X",        true },
    {"GB 11643, born 1880",               "citizen-id",    "440524188001010014",        true },
    {"check 0",                           "citizen-id",    "110101190001010030",        true },
    {"check X",                           "citizen-id",    "11010119000101009X",        true },
    {"check 1",                           "citizen-id",    "110101190001010081",        true },
    {"check 2",                           "citizen-id",    "110101190001010022",        true },
    {"residence permit",                  "citizen-id",    "810000190001010018",        true },
    {"foreigner's card",                  "citizen-id",    "910000190001010011",        true },
    {"the region is not judged here",     "citizen-id",    "999999190001010015",        true },
    {"1900-02-29",                        "citizen-id",    "110101190002290011",        false},
    {"lower-case x",                      "citizen-id",    "11010519491231002x",        false},
    {"15 digits",                         "citizen-id",    "110105491231002",           false},
    {"wrong check",                       "citizen-id",    "110105194912310021",        false},
    {"X in the body",                     "citizen-id",    "1101051949123100XX",        false},
    {"full-width digits",                 "citizen-id",    "１10101190001010030",      false},

    {"GB 11714 annex",                    "org-code",      "D2143569-X",                true },
    {"a sample",                          "org-code",      "12345678-8",                true },
    {"check X",                           "org-code",      "00000006-X",                true },
    {"check 0",                           "org-code",      "00000019-0",                true },
    {"letters",                           "org-code",      "TESTORG1-4",                true },
    {"inside GB 32100's sample",          "org-code",      "M000100Y-4",                true },
    {"wrong check",                       "org-code",      "D2143569-0",                false},
    {"7 before the hyphen",               "org-code",      "1234567-8",                 false},
    {"no hyphen",                         "org-code",      "D2143569X",                 false},
    {"lower case",                        "org-code",      "d2143569-X",                false},

    {"a public sample",                   "vin",           "1M8GDM9AXKP042788",         true },
    {"all ones",                          "vin",           "11111111111111111",         true },
    {"synthetic",                         "vin",           "LTES000010T000001",         true },
    {"synthetic",                         "vin",           "LTES000120T000002",         true },
    {"synthetic",                         "vin",           "LTES000230T000003",         true },
    {"wrong check",                       "vin",           "LTES000020T000001",         false},
    {"letter I",                          "vin",           "LTES0000I0T000001",         false},
    {"letter I elsewhere",                "vin",           "LTESI00010T000001",         false},
    {"16 characters",                     "vin",           "LTES000010T00000",          false},

    {"a leap day",                        "date",          "2024-02-29",                true },
    {"2000 had one",                      "date",          "2000-02-29",                true },
    {"1900 had none",                     "date",          "1900-02-29",                false},
    {"month 13",                          "date",          "2024-13-01",                false},
    {"day 0",                             "date",          "2024-01-00",                false},
    {"April 31",                          "date",          "2024-04-31",                false},
    {"compact",                           "date",          "20240101",                  false},
    {"slashes",                           "date",          "2024/01/01",                false},
    {"one digit",                         "date",          "2024-1-1",                  false},
    {"a time after it",                   "date",          "2024-01-01T00:00:00Z",      false},
    {"compact",                           "date-compact",  "20260108",                  true },
    {"1900-02-29",                        "date-compact",  "19000229",                  false},
    {"with hyphens",                      "date-compact",  "2026-01-08",                false},
    {"a month",                           "month-compact", "202612",                    true },
    {"month 13",                          "month-compact", "202613",                    false},
    {"month 00",                          "month-compact", "202600",                    false},
    {"seven digits",                      "month-compact", "2026012",                   false},

    {"China's zone",                      "date-time",     "2024-06-04T10:00:00+08:00", true },
    {"UTC",                               "date-time",     "2024-06-04T10:00:00Z",      true },
    {"parts of a second",                 "date-time",     "2024-06-04T10:00:00.125Z",  true },
    {"a leap second in UTC",              "date-time",     "1998-12-31T23:59:60Z",      true },
    {"the same in China",                 "date-time",     "1999-01-01T07:59:60+08:00", true },
    {"a 60th second elsewhere",           "date-time",     "2024-06-04T10:00:60Z",      false},
    {"no zone",                           "date-time",     "2024-06-04T10:00:00",       false},
    {"a space for T",                     "date-time",     "2024-06-04 10:00:00Z",      false},
    {"24 o'clock",                        "date-time",     "2024-06-04T24:00:00Z",      false},
    {"no such day",                       "date-time",     "2023-02-29T10:00:00Z",      false},
    {"a point and nothing",               "date-time",     "2024-06-04T10:00:00.Z",     false},
    {"zone of 24 hours",                  "date-time",     "2024-06-04T10:00:00+24:00", false},

    {"a region",                          "region6",       "110101",                    true },
    {"nobody's",                          "region6",       "999999",                    true },
    {"five digits",                       "region6",       "11010",                     false},
    {"a letter",                          "region6",       "11010A",                    false},
    {"synthetic",                         "tax-authority", "11101010000",               true },
    {"ten digits",                        "tax-authority", "1110101000",                false},
    {"a letter",                          "tax-authority", "1110101000A",               false},
};

static void
valid_and_wrong_values_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		const char *why = "unset";
		bool known = false;
		bool valid = ht_format_check(cases[i].format,
		    ht_slice_str(cases[i].value), &why, &known);

		assert_true(known);
		assert_int_equal(valid, why == NULL);
		if (valid != cases[i].valid)
			fail_msg("%s '%s' (%s): %s", cases[i].format,
			    cases[i].value, cases[i].why,
			    valid ? "taken" : why);
	}
}

static void
the_zeros_fail_on_the_first_position(void **state)
{
	const char *why = NULL;

	(void)state;
	assert_false(ht_format_check(
	    "uscc", ht_slice_str("000000000000000000"), &why, NULL));
	assert_non_null(strstr(why, "position 1"));
	/* ... and it is a trap: the arithmetic has nothing against them. */
	assert_int_equal(ht_uscc_check("00000000000000000"), '0');
}

static bool
valid(const char *format, const char *value)
{
	return ht_format_check(format, ht_slice_str(value), NULL, NULL);
}

static void
every_single_error_is_caught(
    const char *format, const char *good, const char *alphabet)
{
	char text[24];
	size_t len = strlen(good);

	assert_true(valid(format, good));
	for (size_t i = 0; i < len; i++)
		for (const char *a = alphabet; *a != '\0'; a++) {
			if (*a == good[i])
				continue;
			(void)snprintf(text, sizeof(text), "%s", good);
			text[i] = *a;
			if (valid(format, text))
				fail_msg("%s passes as %s", text, format);
		}
}

static void
every_swap_is_caught(const char *format, const char *good)
{
	char text[24];

	for (size_t i = 0; i + 1 < strlen(good); i++) {
		if (good[i] == good[i + 1])
			continue;
		(void)snprintf(text, sizeof(text), "%s", good);
		text[i] = good[i + 1];
		text[i + 1] = good[i];
		if (valid(format, text))
			fail_msg("%s passes as %s", text, format);
	}
}

static void
a_typing_error_is_caught(void **state)
{
	static const char uscc[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";

	(void)state;
	every_single_error_is_caught("uscc", "91350100M000100Y43", uscc);
	every_swap_is_caught("uscc", "91350100M000100Y43");
	every_single_error_is_caught(
	    "citizen-id", "11010519491231002X", "0123456789X");
	every_swap_is_caught("citizen-id", "11010519491231002X");
	/* Letters repeat the digits modulo 11: a promise for digits only. */
	every_single_error_is_caught("org-code", "12345678-8", "0123456789");
}

static void
check_characters_are_those_of_the_standards(void **state)
{
	(void)state;
	assert_int_equal(ht_uscc_check("91350100M000100Y4"), '3');
	assert_int_equal(ht_uscc_check("9135010IM000100Y4"), 0);
	assert_int_equal(ht_citizen_id_check("11010519491231002"), 'X');
	assert_int_equal(ht_citizen_id_check("1101051949123100A"), 0);
	assert_int_equal(ht_org_code_check("D2143569"), 'X');
	assert_int_equal(ht_org_code_check("d2143569"), 0);
	assert_int_equal(ht_vin_check("1M8GDM9A?KP042788"), 'X');
	assert_int_equal(ht_vin_check("1M8GDM9A?KP04278O"), 0);
}

static void
a_stranger_is_no_format(void **state)
{
	bool known = true;

	(void)state;
	assert_true(ht_format_check("email", ht_slice_str("x"), NULL, &known));
	assert_false(known);
	assert_string_equal(ht_format_name(0), "citizen-id");
	assert_null(ht_format_name(1000));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(valid_and_wrong_values_are_told_apart),
    cmocka_unit_test(the_zeros_fail_on_the_first_position),
    cmocka_unit_test(a_typing_error_is_caught),
    cmocka_unit_test(check_characters_are_those_of_the_standards),
    cmocka_unit_test(a_stranger_is_no_format),
};

HT_TEST_MAIN(tests)
