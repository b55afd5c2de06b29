/* The cursor of a search: one form, and everything else refused. */
#include "tests/lib/test.h"

#include "broker/cli/cursor.h"
#include "tests/lib/fault.h"

#define ROOT  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define QUERY "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"
#define SALT  "000102030405060708090a0b0c0d0e0f"
#define BODY                                                                   \
	"log gx.demo/log\nsize 86 " ROOT "\nnext 57\nsalt " SALT               \
	"\nquery " QUERY "\n"
#define GOOD "hutong-cursor/2\n" BODY
#define OLD                                                                    \
	"hutong-cursor/1\nlog gx.demo/log\nsize 86 " ROOT                      \
	"\nnext 57\nquery " QUERY "\n"

static void
a_cursor_has_one_form(void **state)
{
	static const struct {
		const char *why;
		const char *text;
		enum ht_err want;
	} rows[] = {
	    {"as it is written",                 GOOD,                           HT_OK        },
	    {"nothing",	                  "",	                     HT_EMALFORMED},
	    {"another version",                  "hutong-cursor/3\n" BODY,       HT_EMALFORMED},
	    {"without the salt",
             "hutong-cursor/2\nlog gx.demo/log\nsize 86 " ROOT
	        "\nnext 57\nquery " QUERY "\n",
             HT_EMALFORMED	                                                            },
	    {"a salt cut short",
             "hutong-cursor/2\nlog gx.demo/log\nsize 86 " ROOT
	        "\nnext 57\nsalt 0011\nquery " QUERY "\n",
             HT_EMALFORMED	                                                            },
	    {"a salt in the form that had none", "hutong-cursor/1\n" BODY,
             HT_EMALFORMED	                                                            },
	    {"of before, without a salt",        OLD,                            HT_OK        },
	    {"no log",
             "hutong-cursor/2\nlog \nsize 86 " ROOT "\nnext 57\nsalt " SALT
	        "\nquery " QUERY "\n",
             HT_EMALFORMED	                                                            },
	    {"a number with a zero before",
             "hutong-cursor/2\nlog gx.demo/log\nsize 086 " ROOT
	        "\nnext 57\nsalt " SALT "\nquery " QUERY "\n",
             HT_EMALFORMED	                                                            },
	    {"a number that overflows",
             "hutong-cursor/2\nlog gx.demo/log\nsize 86 " ROOT
	        "\nnext 18446744073709551616\nsalt " SALT "\nquery " QUERY "\n",
             HT_EMALFORMED	                                                            },
	    {"a letter for a digit",
             "hutong-cursor/2\nlog gx.demo/log\nsize 8a " ROOT
	        "\nnext 57\nsalt " SALT "\nquery " QUERY "\n",
             HT_EMALFORMED	                                                            },
	    {"a hash cut short",
             "hutong-cursor/2\nlog gx.demo/log\nsize 86 0011"
	        "\nnext 57\nsalt " SALT "\nquery " QUERY "\n",
             HT_EMALFORMED	                                                            },
	    {"upper-case hex",
             "hutong-cursor/2\nlog gx.demo/log\nsize 86 "
	        "AA112233445566778899aabbccddeeff00112233445566778899aabbc"
	        "cddeeff\nnext 57\nsalt " SALT "\nquery " QUERY "\n",
             HT_EMALFORMED	                                                            },
	    {"no newline at the end",
             "hutong-cursor/2\nlog gx.demo/log\nsize 86 " ROOT
	        "\nnext 57\nsalt " SALT "\nquery " QUERY,
             HT_EMALFORMED	                                                            },
	    {"something after it",               GOOD "\n",                      HT_EMALFORMED},
	};
	struct ht_audit_cursor c;

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++)
		if (ht_cursor_parse(ht_slice_str(rows[i].text), &c) !=
		    rows[i].want)
			fail_msg("%s", rows[i].why);
	assert_ok(ht_cursor_parse(ht_slice_str(GOOD), &c));
	assert_string_equal(c.origin, "gx.demo/log");
	assert_int_equal(c.size, 86);
	assert_int_equal(c.next, 57);
	assert_int_equal(c.root.at[1], 0x11);
	assert_int_equal(c.query.at[0], 0xff);
	assert_true(c.salted);
	assert_int_equal(c.salt[15], 15);
}

static void
a_cut_cursor_is_refused(void **state)
{
	struct ht_audit_cursor c;

	(void)state;
	for (size_t len = 0; len < strlen(GOOD); len++)
		assert_err(
		    ht_cursor_parse(HT_SLICE(GOOD, len), &c), HT_EMALFORMED);
}

static void
a_cursor_without_memory_is_said(void **state)
{
	struct ht_audit_cursor c;
	enum ht_err err = HT_OK;

	(void)state;
	TORTURE(err = ht_cursor_parse(ht_slice_str(GOOD), &c))
	{
		assert_int_equal(err, HT_ENOMEM);
	}
	assert_ok(err);
}

/* What counts for going on: the conditions, not purpose, place and limit. */
static void
a_question_is_known_again(void **state)
{
	struct ht_query q = HT_QUERY_ALL, other;
	struct ht_hash one, two;

	(void)state;
	q.filter.item = ht_slice_str("gx.demo/SCZTDJ");
	assert_ok(ht_query_hash(&q, &one));
	other = q;
	other.why = ht_slice_str("another day");
	other.filter.start_seq = 7;
	other.filter.size = 80;
	other.filter.limit = 3;
	other.since = 70;
	assert_ok(ht_query_hash(&other, &two));
	assert_true(ht_hash_eq(&one, &two));
	other.filter.operation = HT_OP_VERIFY;
	assert_ok(ht_query_hash(&other, &two));
	assert_false(ht_hash_eq(&one, &two));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_cursor_has_one_form),
    cmocka_unit_test(a_cut_cursor_is_refused),
    cmocka_unit_test(a_cursor_without_memory_is_said),
    cmocka_unit_test(a_question_is_known_again),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
