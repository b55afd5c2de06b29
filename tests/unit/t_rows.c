/*
 * Whose rows: prefixes, areas and what is left out of them.  The traps are the
 * cities that stand apart from the province whose digits they have.
 */
#include "tests/lib/test.h"

#include "schemas/rows.h"

static char liaoning[] = "21", dalian[] = "2102", county[] = "210203";
static char qingdao[] = "3702", open_text[] = "A";

struct filter {
	const char *name;
	bool area;
	char *of[2], *except[2];
};
static const struct filter province = {"all of 210000", true, {liaoning}, {0}};
static const struct filter apart = {
    "210000 but not 210200", true, {liaoning}, {dalian}};
static const struct filter city = {"210200 alone", true, {dalian}, {0}};
static const struct filter two = {
    "210000 or 370200", true, {liaoning, qingdao},
      {dalian       }
};
static const struct filter one_county = {"a county", true, {county}, {0}};
static const struct filter prefix = {
    "begins with 21, not 2102", false, {liaoning}, {dalian}};
static const struct filter text = {"begins with A", false, {open_text}, {0}};

static struct ht_grant
grant_of(const struct filter *f)
{
	struct ht_grant grant = {
	    .row_field = (char *)(uintptr_t) "xzqh",
	    .row_area = f->area,
	    .row_prefixes = (char **)(uintptr_t)f->of,
	    .row_except = (char **)(uintptr_t)f->except,
	};

	for (unsigned i = 0; i < 2; i++) {
		grant.n_row_prefixes += f->of[i] != NULL;
		grant.n_row_except += f->except[i] != NULL;
	}
	return grant;
}

static void
rows_are_granted_by_area(void **state)
{
	static const struct {
		const char *why;
		const struct filter *filter;
		const char *value;
		bool granted;
	} cases[] = {
	    {"a county of the province",         &province,   "210102",       true },
	    {"the province itself",              &province,   "210000",       true },
	    {"with a city apart, if it is said", &province,   "210203",       true },
	    {"another province",                 &province,   "220102",       false},
	    {"digits further on do not count",   &province,   "112100",       false},
	    {"the rest of the province",         &apart,      "210102",       true },
	    {"the province's own level",         &apart,      "210000",       true },
	    {"a city apart is none of it",       &apart,      "210200",       false},
	    {"nor are its counties",             &apart,      "210203",       false},
	    {"nor its streets",                  &apart,      "210203005",    false},
	    {"the city next to it is",           &apart,      "210302",       true },
	    {"the city alone",                   &city,       "210203",       true },
	    {"not the province's level",         &city,       "210000",       false},
	    {"not the rest of it",               &city,       "210102",       false},
	    {"a tax authority of the province",  &apart,      "12101020000",  true },
	    {"one of the city apart",            &apart,      "12102000000",  false},
	    {"a district's of that city",        &apart,      "12102030000",  false},
	    {"an old local one",                 &apart,      "22101020000",  true },
	    {"the kind is no region",            &apart,      "21010200000",  false},
	    {"the city's own authority",         &city,       "12102030000",  true },
	    {"two areas: in the first",          &two,        "210102",       true },
	    {"... left out of the first",        &two,        "210203",       false},
	    {"... in the second",                &two,        "370203",       true },
	    {"... in neither",                   &two,        "370102",       false},
	    {"a county, to the digit",           &one_county, "210203",       true },
	    {"not its neighbour",                &one_county, "210204",       false},
	    {"a street of it",                   &one_county, "210203005",    true },
	    {"twelve digits",                    &one_county, "210203005001", true },
	    {"seven digits are no code",         &province,   "2101020",      false},
	    {"too short to be placed",           &province,   "21",           false},
	    {"nothing",	                  &province,   "",             false},
	    {"no digits",                        &province,   "21010X",       false},
	    {"a space at the end",               &province,   "210102 ",      false},
	    {"prefixes are bytes: in",           &prefix,     "2101",         true },
	    {"... and left out",                 &prefix,     "210203",       false},
	    {"... of any text",                  &text,       "A7",           true },
	    {"... or not",                       &text,       "B7",           false},
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct ht_grant grant = grant_of(cases[i].filter);

		if (ht_rows_value(&grant, cases[i].value) != cases[i].granted)
			fail_msg("%s: %s under %s is %sgranted", cases[i].why,
			    cases[i].value, cases[i].filter->name,
			    cases[i].granted ? "not " : "");
	}
}

static void
without_a_filter_all_rows(void **state)
{
	struct ht_grant grant = {0};

	(void)state;
	assert_true(ht_rows_value(&grant, "anything"));
}

static void
areas_are_whole_codes(void **state)
{
	static const struct {
		const char *code, *digits;
	} cases[] = {
	    {"210000",  "21"    },
	    {"210200",  "2102"  },
	    {"210203",  "210203"},
	    {"200000",  "20"    },
	    {"210010",  "210010"},
	    {"000000",  NULL    },
	    {"21",      NULL    },
	    {"2102",    NULL    },
	    {"21020",   NULL    },
	    {"2102000", NULL    },
	    {"21020X",  NULL    },
	    {"",        NULL    },
	};
	char digits[HT_REGION_SIZE + 1], code[HT_REGION_SIZE + 1];

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		bool is = ht_area_digits(cases[i].code, digits);

		assert_int_equal(is, cases[i].digits != NULL);
		if (!is)
			continue;
		assert_string_equal(digits, cases[i].digits);
		ht_area_code(digits, code);
		assert_string_equal(code, cases[i].code);
	}
}

static void
filters_are_told(void **state)
{
	static const struct {
		const struct filter *filter;
		const char *text;
	} cases[] = {
	    {&province, "xzqh in 210000"                          },
	    {&two,      "xzqh in 210000 or 370200, but not 210200"},
	    {&prefix,   "xzqh begins with 21, but not 2102"       },
	};
	struct ht_grant none = {0};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(200);
		struct ht_grant grant = grant_of(cases[i].filter);

		ht_rows_text(&grant, &out);
		assert_string_equal(ht_buf_text(&out), cases[i].text);
	}
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(200);

	ht_rows_text(&none, &out);
	assert_string_equal(ht_buf_text(&out), "all");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rows_are_granted_by_area),
    cmocka_unit_test(without_a_filter_all_rows),
    cmocka_unit_test(areas_are_whole_codes),
    cmocka_unit_test(filters_are_told),
};

HT_TEST_MAIN(tests)
