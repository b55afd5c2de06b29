#include "lib/base/text.h"

#include "lib/base/limits.h"
#include "tests/lib/fault.h"
#include "tests/lib/test.h"

#define TEXT(literal) HT_SLICE(literal, sizeof(literal) - 1)

/* RFC 3629: what is a character, and how many there are. */
static const struct utf8_case {
	const char *why;
	struct ht_slice text;
	bool valid;
	size_t count;
} utf8_cases[] = {
    {"nothing",                {NULL, 0},                    true,  0},
    {"ASCII",                  TEXT("tax"),                  true,  3},
    {"a NUL is a character",   TEXT("a\0b"),                 true,  3},
    {"Chinese",                TEXT("互通"),               true,  2},
    {"four bytes",             TEXT("\xf0\xa0\x80\x80"),     true,  1},
    {"the last of all",        TEXT("\xf4\x8f\xbf\xbf"),     true,  1},
    {"past the last",          TEXT("\xf4\x90\x80\x80"),     false, 0},
    {"five bytes",             TEXT("\xf8\x88\x80\x80\x80"), false, 0},
    {"a lone continuation",    TEXT("\x80"),                 false, 0},
    {"NUL in two bytes",       TEXT("\xc0\x80"),             false, 0},
    {"slash in two bytes",     TEXT("\xc0\xaf"),             false, 0},
    {"long form of three",     TEXT("\xe0\x80\xaf"),         false, 0},
    {"long form of four",      TEXT("\xf0\x80\x80\xaf"),     false, 0},
    {"the first surrogate",    TEXT("\xed\xa0\x80"),         false, 0},
    {"the last surrogate",     TEXT("\xed\xbf\xbf"),         false, 0},
    {"before surrogates",      TEXT("\xed\x9f\xbf"),         true,  1},
    {"after surrogates",       TEXT("\xee\x80\x80"),         true,  1},
    {"cut after one of two",   TEXT("\xc3"),                 false, 0},
    {"cut after two of three", TEXT("\xe4\xba"),             false, 0},
    {"cut by another start",   TEXT("\xe4\xba\x61"),         false, 0},
    {"0xff",                   TEXT("ok\xff"),               false, 0},
};

static void
utf8_is_told_from_other_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(utf8_cases); i++) {
		const struct utf8_case *c = &utf8_cases[i];

		if (ht_utf8_valid(c->text) != c->valid ||
		    ht_utf8_count(c->text) != c->count)
			fail_msg("%s: valid %d, %zu points", c->why,
			    ht_utf8_valid(c->text), ht_utf8_count(c->text));
	}
}

static void
a_cut_falls_between_characters(void **state)
{
	struct ht_slice text = TEXT("a互\xf0\xa0\x80\x80z");
	static const size_t want[] = {0, 1, 1, 1, 4, 4, 4, 4, 8, 9, 9};

	(void)state;
	for (size_t max = 0; max < HT_COUNT(want); max++)
		assert_int_equal(ht_utf8_cut(text, max), want[max]);
}

static const struct {
	const char *why;
	struct ht_slice in;
	const char *want;
} safe_cases[] = {
    {"plain text stays",    TEXT("tax.sh/互通"),    "tax.sh/互通"},
    {"escape sequences",    TEXT("\x1b[2J"),          "\\x1b[2J"     },
    {"tab and newline",     TEXT("a\tb\n"),           "a\\x09b\\x0a" },
    {"NUL",                 TEXT("a\0b"),             "a\\x00b"      },
    {"C1",
     TEXT("\xc2\x9b"
             "31m"),
     "\\u{009b}31m"                                                  },
    {"right to left",
     TEXT("\xe2\x80\xae"
             "x"),
     "\\u{202e}x"                                                    },
    {"isolates",            TEXT("\xe2\x81\xa6"),     "\\u{2066}"    },
    {"line separator",      TEXT("\xe2\x80\xa8"),     "\\u{2028}"    },
    {"zero width",
     TEXT("a\xe2\x80\x8b"
             "b"),
     "a\\u{200b}b"                                                   },
    {"byte order mark",     TEXT("\xef\xbb\xbf"),     "\\u{feff}"    },
    {"tags",                TEXT("\xf3\xa0\x81\x81"), "\\u{e0041}"   },
    {"invalid bytes",       TEXT("\xff\xc3(ok"),      "\\xff\\xc3(ok"},
    {"a character cut off", TEXT("\xe4\xba"),         "\\xe4\\xba"   },
};

static void
text_plays_no_tricks_on_a_terminal(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(safe_cases); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(200);

		ht_text_safe(&out, safe_cases[i].in);
		assert_ok(out.err);
		assert_string_equal(ht_buf_text(&out), safe_cases[i].want);
	}
}

/* What JSON says stays the same; how it is written changes. */
static void
json_plays_no_tricks_on_a_terminal(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
	    {"{\"a\":\"互通 1\"}",    "{\"a\":\"互通 1\"}"   },
	    {"\"\xe2\x80\xae\"",        "\"\\u202e\""            },
	    {"\"x\x7f\"",               "\"x\\u007f\""           },
	    {"\"\xc2\x9b\"",            "\"\\u009b\""            },
	    {"\"\xf3\xa0\x80\x81\"",    "\"\\udb40\\udc01\""     },
	    {"\"\\u001b stays as is\"", "\"\\u001b stays as is\""},
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(200);

		ht_text_safe_json(&out, ht_slice_str(rows[i].in));
		assert_ok(out.err);
		assert_string_equal(ht_buf_text(&out), rows[i].want);
	}
}

/* ---- GB 18030 ---- */

static const struct {
	const char *why;
	struct ht_slice utf8, gb;
} gb_cases[] = {
    {"nothing",                TEXT(""),                 TEXT("")                },
    {"ASCII",                  TEXT("a/1"),              TEXT("a/1")             },
    {"two bytes",              TEXT("互通"),           TEXT("\xbb\xa5\xcd\xa8")},
    {"GBK's, past GB 2312",    TEXT("镕"),              TEXT("\xe9\x46")        },
    {"four bytes, in the BMP", TEXT("㐀"),              TEXT("\x81\x39\xee\x39")},
    {"four bytes, a name's",   TEXT("\xf0\xa0\x80\x80"),
     TEXT("\x95\x32\x82\x36")                                                    },
};

static void
gb18030_goes_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(gb_cases); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf gb = HT_BUF(100);
		HT_AUTO(ht_buf_fini) struct ht_buf utf8 = HT_BUF(100);
		size_t bad = 99;

		assert_ok(ht_text_to_gb18030(gb_cases[i].utf8, &gb, &bad));
		if (!ht_slice_eq(ht_buf_slice(&gb), gb_cases[i].gb))
			fail_msg("%s: wrong bytes", gb_cases[i].why);
		assert_ok(ht_text_from_gb18030(gb_cases[i].gb, &utf8, &bad));
		assert_true(ht_slice_eq(ht_buf_slice(&utf8), gb_cases[i].utf8));
		assert_int_equal(bad, 99);
	}
}

static void
long_text_goes_both_ways(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf in = HT_BUF(100000);
	HT_AUTO(ht_buf_fini) struct ht_buf gb = HT_BUF(100000);
	HT_AUTO(ht_buf_fini) struct ht_buf back = HT_BUF(100000);
	size_t bad;

	(void)state;
	for (int i = 0; i < 5000; i++)
		ht_buf_str(&in, i % 3 == 0 ? "互" : i % 3 == 1 ? "㐀" : "x");
	assert_ok(ht_text_to_gb18030(ht_buf_slice(&in), &gb, &bad));
	assert_ok(ht_text_from_gb18030(ht_buf_slice(&gb), &back, &bad));
	assert_true(ht_slice_eq(ht_buf_slice(&in), ht_buf_slice(&back)));
}

static void
bad_text_is_refused_by_its_place(void **state)
{
	static const struct {
		struct ht_slice in;
		bool to_gb;
		size_t bad;
	} cases[] = {
	    {TEXT("ab\xff"
	          "cd"),
             false,	                  2},
	    {TEXT("\xbb\xa5\xcd"),    false, 2}, /* cut off */
	    {TEXT("a\x81\x30\x81"),   false, 1},
	    {TEXT("ab\xff"
	          "cd"),
             true,	                   2},
	    {TEXT("互\xe4\xba"),     true,  3}, /* cut off */
	    {TEXT("x\xed\xa0\x80"),   true,  1}, /* a surrogate */
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(100);
		size_t bad = 99;

		if (cases[i].to_gb)
			assert_err(ht_text_to_gb18030(cases[i].in, &out, &bad),
			    HT_EMALFORMED);
		else
			assert_err(
			    ht_text_from_gb18030(cases[i].in, &out, &bad),
			    HT_EMALFORMED);
		assert_int_equal(bad, cases[i].bad);
	}
}

static void
the_limit_of_the_output_holds(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(5);
	size_t bad;

	(void)state;
	assert_err(ht_text_from_gb18030(TEXT("\xbb\xa5\xcd\xa8"), &out, &bad),
	    HT_ETOOBIG);
}

/* ---- names ---- */

#define S64 "abcdefghijklmnopqrstuvwxyz.ABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789"

static const struct {
	const char *name;
	bool valid;
} name_cases[] = {
    {"tax.sh/first-branch", true },
    {"a/b",                 true },
    {"9/0",                 true },
    {S64 "/" S64,           true },
    {"",                    false},
    {"/",                   false},
    {"a/",                  false},
    {"/b",                  false},
    {"ab",                  false},
    {"a/b/c",               false},
    {".a/b",                false},
    {"a/-b",                false},
    {"a_b/c",               false},
    {"a b/c",               false},
    {"a/b\n",               false},
    {"税/局",             false},
    {"t\xd0\xb0x/a",        false}, /* a Cyrillic letter that looks like a */
    {S64 "x/a",             false},
    {"a/" S64 "x",          false},
};

static void
names_have_one_spelling(void **state)
{
	(void)state;
	assert_int_equal(strlen(S64), 64);
	for (size_t i = 0; i < HT_COUNT(name_cases); i++)
		if (ht_name_valid(ht_slice_str(name_cases[i].name)) !=
		    name_cases[i].valid)
			fail_msg("'%s'", name_cases[i].name);
	assert_false(ht_name_valid(TEXT("a/b\0c")));
	assert_true(ht_name_part(TEXT("first-branch")));
	assert_false(ht_name_part(TEXT("a/b")));
	assert_false(ht_name_part(HT_SLICE(NULL, 0)));
}

/* Wherever it stands: eight bytes are looked at together. */
static void
one_bad_byte_is_found_anywhere(void **state)
{
	char text[41];

	(void)state;
	for (size_t len = 1; len <= sizeof(text); len++) {
		for (size_t at = 0; at < len; at++) {
			memset(text, 'a', sizeof(text));
			assert_true(ht_utf8_valid(HT_SLICE(text, len)));
			text[at] = '\xff';
			assert_false(ht_utf8_valid(HT_SLICE(text, len)));
			text[at] = '\x80';
			assert_false(ht_utf8_valid(HT_SLICE(text, len)));
			if (at + 2 > len)
				continue;
			memcpy(text + at, "\xc3\xa9", 2); /* in order again */
			assert_true(ht_utf8_valid(HT_SLICE(text, len)));
		}
	}
}

static void
lines_end_in_a_newline(void **state)
{
	struct ht_slice rest = TEXT("one\n\nthree"), line;

	(void)state;
	assert_true(ht_text_line(&rest, &line) && ht_slice_is(line, "one"));
	assert_true(ht_text_line(&rest, &line) && line.len == 0);
	assert_false(ht_text_line(&rest, &line));
	assert_true(ht_slice_is(rest, "three"));
	rest = HT_SLICE(NULL, 0);
	assert_false(ht_text_line(&rest, &line));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(lines_end_in_a_newline),
    cmocka_unit_test(one_bad_byte_is_found_anywhere),
    cmocka_unit_test(utf8_is_told_from_other_bytes),
    cmocka_unit_test(a_cut_falls_between_characters),
    cmocka_unit_test(text_plays_no_tricks_on_a_terminal),
    cmocka_unit_test(json_plays_no_tricks_on_a_terminal),
    cmocka_unit_test(gb18030_goes_both_ways),
    cmocka_unit_test(long_text_goes_both_ways),
    cmocka_unit_test(bad_text_is_refused_by_its_place),
    cmocka_unit_test(the_limit_of_the_output_holds),
    cmocka_unit_test(names_have_one_spelling),
};

HT_TEST_MAIN(tests)
