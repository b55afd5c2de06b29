#include "adapters/sql/statement.h"

#include "tests/lib/fault.h"
#include "tests/lib/test.h"

/* What a statement becomes; names joined by commas. */
static const struct good_case {
	const char *why;
	const char *text;
	const char *sql;
	const char *names;
} good_cases[] = {
    {"no parameter",         "SELECT 1",                                  "SELECT 1",                    ""     },
    {"one",                  "SELECT a FROM t WHERE b = :b",              "SELECT a FROM t WHERE b = ?", "b"    },
    {"twice is two markers", "SELECT :x, :x",                             "SELECT ?, ?",                 "x,x"  },
    {"no space needed",      "select a from t where b=:b_1;",
     "select a from t where b=?",                                                                        "b_1"  },
    {"not in a string",      "SELECT ':no', :yes",                        "SELECT ':no', ?",             "yes"  },
    {"a doubled quote",      "SELECT 'it''s :no', :yes",                  "SELECT 'it''s :no', ?",
     "yes"                                                                                                      },
    {"not in a name",        "SELECT \":no\", `:no`, [:no], :yes FROM t",
     "SELECT \":no\", `:no`, [:no], ? FROM t",                                                           "yes"  },
    {"an array's index",     "SELECT a[:i] FROM t",                       "SELECT a[?] FROM t",          "i"    },
    {"not in a comment",     "SELECT /* :no ' */ :yes -- :no '\n, :b",
     "SELECT /* :no ' */ ? -- :no '\n, ?",                                                               "yes,b"},
    {"a cast",               "SELECT a::text FROM t WHERE b = :b",
     "SELECT a::text FROM t WHERE b = ?",                                                                "b"    },
    {"a time is no name",    "SELECT a FROM t WHERE b > 1 :2",
     "SELECT a FROM t WHERE b > 1 :2",                                                                   ""     },
    {"WITH reads",           "WITH x AS (SELECT 1) SELECT * FROM x",
     "WITH x AS (SELECT 1) SELECT * FROM x",                                                             ""     },
    {"comments first",       "-- why\n /* so */ (SELECT 1)",
     "-- why\n /* so */ (SELECT 1)",                                                                     ""     },
    {"a note at the end",    "SELECT 1; -- done",                         "SELECT 1-- done",             ""     },
};

static void
names_become_markers(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(good_cases); i++) {
		const struct good_case *c = &good_cases[i];
		struct ht_statement made;
		char names[256] = "";
		const char *why;
		size_t at;

		if (ht_statement_parse(
		        ht_slice_str(c->text), &made, &at, &why) != HT_OK)
			fail_msg("%s: refused at %zu: %s", c->why, at, why);
		for (size_t n = 0; n < made.n_binds; n++) {
			strcat(names, n > 0 ? "," : "");
			strcat(names, made.names[n]);
		}
		if (strcmp(made.sql, c->sql) != 0 ||
		    strcmp(names, c->names) != 0)
			fail_msg("%s: \"%s\" with %s", c->why, made.sql, names);
		ht_statement_fini(&made);
	}
}

static const struct bad_case {
	const char *why;
	const char *text;
	size_t at;
} bad_cases[] = {
    {"nothing",               "",                            0 },
    {"a verb that writes",    "DELETE FROM t",               0 },
    {"a word that begins so", "SELECTED",                    0 },
    {"two statements",        "SELECT 1; DELETE FROM t",     8 },
    {"a bare marker",         "SELECT a FROM t WHERE b = ?", 26},
    {"an open string",        "SELECT 'a",                   7 },
    {"an open name",          "SELECT \"a",                  7 },
    {"an open comment",       "SELECT /* a",                 7 },
    {"a backslash in quotes", "SELECT 'a\\' OR :x --'",      9 },
    {"a comment alone",       "-- SELECT 1",                 0 },
};

static void
what_cannot_be_sure_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(bad_cases); i++) {
		const struct bad_case *c = &bad_cases[i];
		struct ht_statement made = {0};
		const char *why;
		size_t at;

		if (ht_statement_parse(
		        ht_slice_str(c->text), &made, &at, &why) != HT_EINVALID)
			fail_msg("%s: not refused", c->why);
		if (at != c->at || why[0] == '\0')
			fail_msg("%s: at %zu: \"%s\"", c->why, at, why);
		assert_null(made.sql);
	}
}

static void
limits_hold(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1 << 20);
	struct ht_statement made = {0};
	const char *why;
	size_t at;

	(void)state;
	ht_buf_str(&text, "SELECT 1");
	for (unsigned i = 0; i <= HT_STATEMENT_BINDS; i++)
		ht_buf_fmt(&text, ", :p%u", i);
	assert_err(ht_statement_parse(ht_buf_slice(&text), &made, &at, &why),
	    HT_EINVALID);
	ht_buf_reset(&text);
	ht_buf_fmt(&text, "SELECT :%065d", 1);
	text.at[8] = 'p';
	assert_err(ht_statement_parse(ht_buf_slice(&text), &made, &at, &why),
	    HT_EINVALID);
	ht_buf_reset(&text);
	ht_buf_fmt(&text, "SELECT '%0*d'", HT_STATEMENT_MAX, 1);
	assert_err(ht_statement_parse(ht_buf_slice(&text), &made, &at, &why),
	    HT_ETOOBIG);
}

static void
memory_may_fail(void **state)
{
	struct ht_statement made = {0};
	const char *why;
	enum ht_err err;
	size_t at;

	(void)state;
	TORTURE(err = ht_statement_parse(
	            ht_slice_str("SELECT :a"), &made, &at, &why))
	{
		assert_int_equal(err, HT_ENOMEM);
		assert_null(made.sql);
	}
	assert_ok(err);
	ht_statement_fini(&made);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(names_become_markers),
    cmocka_unit_test(what_cannot_be_sure_is_refused),
    cmocka_unit_test(limits_hold),
    cmocka_unit_test(memory_may_fail),
};

HT_TEST_MAIN(tests)
