/*
 * t_doc_list.c -- a snapshot's list, cut into its lines: what is refused, and
 * where a document stands or would stand.
 */
#include <string.h>

#include "schemas/doc_list.h"
#include "tests/lib/fault.h"
#include "tests/lib/test.h"

#define HEX       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LINE(key) key " 1 " HEX "\n"

static const char *const good = LINE("epoch gx.demo/2026Q1")
    LINE("grant gx.demo/17") LINE("grant gx.demo/170") LINE("grant gx.demo/18")
        LINE("member tax.demo/state") LINE("root root");

static const struct {
	const char *why;
	const char *list;
	enum ht_err err;
	const char *finding;
} rows[] = {
    {"no line at all is a list",           "",                                   HT_OK,         NULL                          },
    {"the newline belongs to the line",    "grant a/1 1 x",                      HT_EMALFORMED,
     "list: the last line lacks its end"                                                                                      },
    {"a line has a kind",                  "\n",                                 HT_EMALFORMED, "list: line 1 is not"         },
    {"a line has a name",                  "grant\n",                            HT_EMALFORMED, "list: line 1 is not"         },
    {"which ends",                         "grant a/1\n",                        HT_EMALFORMED, "list: line 1 is not"         },
    {"and is not empty",                   "grant  1 x\n",                       HT_EMALFORMED, "list: line 1 is not"         },
    {"nothing stands before the kind",     " grant a/1 1\n",                     HT_EMALFORMED,
     "list: line 1 is not"                                                                                                    },
    {"lines are in order",                 LINE("grant a/2") LINE("grant a/1"),  HT_EMALFORMED,
     "list: line 2 is out of order"                                                                                           },
    {"none stands there twice",            LINE("grant a/1") LINE("grant a/1"),
     HT_EMALFORMED,                                                                             "list: line 2 is out of order"},
    {"nor does a document",                "grant a/1 1 x\ngrant a/1 2 x\n",     HT_EMALFORMED,
     "list: line 2 is out of order"                                                                                           },
    {"a name that goes on is another one", LINE("grant a/1") LINE("grant a/10"),
     HT_OK,                                                                                     NULL                          },
    {"the same name of another kind, too", LINE("grant a/1") LINE("item a/1"),
     HT_OK,                                                                                     NULL                          },
};

static void
what_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		struct ht_lines lines = {0};
		char said[512] = "";

		print_message("# %s\n", rows[i].why);
		assert_int_equal(ht_lines_cut(ht_slice_str(rows[i].list),
		                     "list", report, &lines),
		    rows[i].err);
		ht_lines_fini(&lines);
		if (rows[i].finding == NULL)
			continue;
		snprintf(said, sizeof(said), "%s: %s",
		    ht_report_where(report, 0), ht_report_text(report, 0));
		assert_non_null(strstr(said, rows[i].finding));
	}
}

static const struct {
	const char *kind, *name;
	bool there;
	size_t at;
} sought[] = {
    {"epoch",  "gx.demo/2026Q1", true,  0},
    {"grant",  "gx.demo/17",     true,  1},
    {"grant",  "gx.demo/170",    true,  2},
    {"grant",  "gx.demo/18",     true,  3},
    {"root",   "root",           true,  5},
    {"cat",    "x",              false, 0},
    {"grant",  "gx.demo/1",      false, 1},
    {"grant",  "gx.demo/171",    false, 3},
    {"grant",  "gx.demo/2",      false, 4},
    {"member", "gx.demo/17",     false, 4},
    {"root",   "root@2",         false, 6},
    {"zoo",    "",               false, 6},
};

static void
each_is_found(void **state)
{
	HT_AUTO(ht_lines_fini) struct ht_lines lines = {0};
	size_t at;

	(void)state;
	assert_int_equal(
	    ht_lines_cut(ht_slice_str(good), "list", NULL, &lines), HT_OK);
	assert_int_equal(lines.n, 6);
	for (size_t i = 0; i < HT_COUNT(sought); i++) {
		assert_int_equal(
		    ht_lines_find(&lines, sought[i].kind, sought[i].name, &at),
		    sought[i].there);
		assert_int_equal(at, sought[i].at);
	}
}

/* A line that is found is one of ht_list_parse()'s. */
static void
a_line_is_taken_apart(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_lines_fini) struct ht_lines lines = {0};
	HT_AUTO(ht_lines_fini) struct ht_lines bad = {0};
	HT_AUTO(ht_mem_free) struct ht_list_line *all = NULL;
	struct ht_list_line one;
	size_t n = 0;

	(void)state;
	assert_int_equal(
	    ht_lines_cut(ht_slice_str(good), "list", NULL, &lines), HT_OK);
	assert_int_equal(
	    ht_list_parse(ht_slice_str(good), "list", NULL, &all, &n), HT_OK);
	assert_int_equal(n, lines.n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(
		    ht_lines_parse(&lines, i, "list", report, &one), HT_OK);
		assert_int_equal(one.kind, all[i].kind);
		assert_string_equal(one.name, all[i].name);
		assert_true(ht_slice_eq(one.line, all[i].line));
		assert_true(ht_hash_eq(&one.hash, &all[i].hash));
	}
	assert_int_equal(ht_lines_cut(ht_slice_str("grant gx.demo/1 0 x\n"),
	                     "list", NULL, &bad),
	    HT_OK);
	assert_int_equal(
	    ht_lines_parse(&bad, 0, "list", report, &one), HT_EMALFORMED);
	assert_int_equal(ht_report_count(report), 1);
}

static void
memory_may_run_out(void **state)
{
	struct ht_lines lines = {0};
	enum ht_err err;

	(void)state;
	TORTURE(err = ht_lines_cut(ht_slice_str(good), "list", NULL, &lines))
	{
		assert_int_equal(err, HT_ENOMEM);
		assert_null(lines.starts);
	}
	assert_ok(err);
	ht_lines_fini(&lines);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_refused),
	    cmocka_unit_test(each_is_found),
	    cmocka_unit_test(a_line_is_taken_apart),
	    cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
