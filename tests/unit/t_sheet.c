/*
 * Tables of text, and the catalog in one: what a spreadsheet writes is read,
 * what it spoils is told at its line, and what we write comes back.
 */
#include "schemas/sheet.h"

#include "lib/base/fs.h"
#include "tests/lib/fault.h"
#include "tests/lib/test.h"

/* ---- CSV ---- */

static const struct csv_case {
	const char *why;
	const char *text;
	size_t rows, columns; /* 0: refused */
	const char *last;     /* cell; or the finding's place */
} csv_cases[] = {
    {"a row",                      "a,b\r\n",              1, 2, "b"           },
    {"no end of line at the end",  "a,b",                  1, 2, "b"           },
    {"LF alone",                   "a\nb\n",               2, 1, "b"           },
    {"quotes",                     "\"a,\"\"b\"\"\r\nc\"", 1, 1, "a,\"b\"\r\nc"},
    {"an empty cell",              "a,\n",                 1, 2, ""            },
    {"empty rows are nothing",     "a,b\n,\n\n",           1, 2, "b"           },
    {"nothing",                    "",                     0, 1, ""            },
    {"an open quote, at its line", "a\n\"b\nc\nd",         0, 0, "f:2"         },
    {"text behind a quote",        "\"a\nb\"c",            0, 0, "f:2"         },
    {"a quote inside",             "a\nb\"c\n",            0, 0, "f:2"         },
    {"a carriage return alone",    "a\rb\n",               0, 0, "f:1"         },
    {"more cells than headings",   "a,b\n1,2\n1,2,3\n",    0, 0, "f:3"         },
    {"fewer",                      "a,b\n\"1\n\",2\n3\n",  0, 0, "f:4"         },
    {"semicolons and commas",      "a;b\n1,2\n",           0, 0, "f:2"         },
};

static void
a_table_is_read_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(csv_cases); i++) {
		const struct csv_case *c = &csv_cases[i];
		HT_AUTO(ht_report_free) struct ht_report *r = ht_report_new();
		HT_AUTO(ht_csv_free) struct ht_csv *csv = NULL;
		enum ht_err err =
		    ht_csv_parse(ht_slice_str(c->text), "f", r, &csv);

		if ((err == HT_OK) != (c->columns > 0))
			fail_msg("%s", c->why);
		if (err != HT_OK) {
			assert_string_equal(ht_report_where(r, 0), c->last);
			continue;
		}
		assert_int_equal(ht_csv_rows(csv), c->rows);
		if (c->rows == 0)
			continue;
		assert_int_equal(ht_csv_columns(csv), c->columns);
		assert_true(ht_slice_is(
		    ht_csv_cell(csv, c->rows - 1, c->columns - 1), c->last));
	}
}

static void
no_cell_is_a_formula_and_all_come_back(void **state)
{
	static const char *const texts[] = {"=1+1", "+1", "-x", "@x", "\t=x",
	    "'=x", "'", "'a", "a", "", "=", "a\"b,c", " a ", "'\"", "-", "-1+1",
	    "-.", "-1.2.3", "'-1", "'-12.5"};
	static const char *const numbers[] = {"-1", "-12.50", "-.5"};
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4096);
	HT_AUTO(ht_csv_free) struct ht_csv *csv = NULL;
	struct ht_slice cells[HT_COUNT(texts)];

	(void)state;
	for (size_t i = 0; i < HT_COUNT(texts); i++)
		cells[i] = ht_slice_str(texts[i]);
	ht_csv_sheet_row(&out, cells, HT_COUNT(texts));
	assert_ok(ht_csv_parse(ht_buf_slice(&out), "f", NULL, &csv));
	for (size_t i = 0; i < HT_COUNT(texts); i++) {
		struct ht_slice cell = ht_csv_cell(csv, 0, i);

		assert_true(
		    cell.len == 0 || strchr("=+-@\t", cell.at[0]) == NULL);
		assert_true(ht_slice_is(ht_csv_plain(cell), texts[i]));
	}
	for (size_t i = 0; i < HT_COUNT(numbers); i++) {
		struct ht_slice number = ht_slice_str(numbers[i]);

		ht_buf_reset(&out);
		ht_csv_sheet_row(&out, &number, 1);
		assert_memory_equal(out.at, numbers[i], number.len);
	}
}

/* ---- encodings ---- */

static void
it_is_read_as_it_was_saved(void **state)
{
	static const struct {
		const char *bytes;
		const char *text; /* NULL: refused */
		const char *where;
	} cases[] = {
	    {"\xef\xbb\xbf名",   "名",          NULL },
            {"名",               "名",          NULL },
	    {"\xc3\xfb",          "名",          NULL },
	    {"\x82\x30\xa3\x39",  "\xe3\x98\x81", NULL }, /* four bytes */
	    {"a\n\xc3\xfb\n\xff", NULL,           "f:3"},
	    {"\xff\xfe\x61",      NULL,           "f:1"}, /* UTF-16 */
	    {"\xc3",              NULL,           "f:1"}, /* cut in a character */
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_report_free) struct ht_report *r = ht_report_new();
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4096);
		enum ht_err err =
		    ht_sheet_decode(ht_slice_str(cases[i].bytes), "f", r, &out);

		assert_int_equal(
		    err, cases[i].text != NULL ? HT_OK : HT_EMALFORMED);
		if (cases[i].text != NULL)
			assert_true(
			    ht_slice_is(ht_buf_slice(&out), cases[i].text));
		else
			assert_string_equal(
			    ht_report_where(r, 0), cases[i].where);
	}
}

/* ---- sheets ---- */

#define HEAD                                                                                      \
	"信息资源名称,信息项名称,数据类型,数据长度,共享类型,共享条件," \
	"使用用途,数据分级,共享依据,事项编码,提供方标识,字段,"             \
	"是否必填,查询参数,发布日期\n"
#define ROW1                                                                   \
	"名称,代码,字符型C,18,有条件共享,仅核查,p 用途,0,"    \
	"L-1 法,gx.demo/AB,a.demo/one,dm,是,是,2026/1/8\n"
#define ROW2 ",金额,N,\"18,2\",,,,2,,,,je,否,否,\n"

static const struct sheet_case {
	const char *why;
	const char *text;
	const char *where; /* NULL: it is drafted */
	const char *words;
} sheet_cases[] = {
    {"an item of two fields",                                 HEAD ROW1 ROW2,                                         NULL,  NULL                },
    {"a heading that nobody knows",                           "信息资源名称,=x\n",                              "f:1",
     "\"=x\" is not known"                                                                                                                       },
    {"no heading for what is needed",                         "信息资源名称,信息项名称\n",                 "f:1",
     "字段 is missing"                                                                                                                         },
    {"a heading twice",                                       "信息资源名称,信息资源名称\n",              "f:1", "stands twice"      },
    {"a code of another script",
     HEAD "名,代码,C,18,1,,p 用,0,L 法,gx.demo/АB,a.demo/one,dm,是,是,\n",
     "f:2",                                                                                                                  "ASCII"             },
    {"a number made of a code",
     HEAD "名,代码,C,18,1,,p 用,0,L 法,9.1E+17,a.demo/one,dm,是,是,\n",
     "f:2",                                                                                                                  "digits are lost"   },
    {"the same item, said otherwise",
     HEAD ROW1 "别名,金额,N,\"18,2\",,,,2,,,,je,否,否,\n",                                                      "f:3",
     "line 2 says otherwise"                                                                                                                     },
    {"18,2 that became 182",                                  HEAD ROW1 ",金额,N,182,,,,2,,,,je,否,否,\n",        "f:3",
     "makes 182 of it"                                                                                                                           },
    {"a word that is neither yes nor no",
     HEAD ROW1 ",金额,N,\"18,2\",,,,2,,,,je,也许,否,\n",                                                         "f:3",
     "是否必填: 是 or 否 is expected"                                                                                                      },
    {"nor in English, of a parameter",
     HEAD ROW1 ",金额,N,\"18,2\",,,,2,,,,je,否,yes,\n",                                                            "f:3",
     "查询参数: 是 or 否 is expected"                                                                                                      },
    {"yes and no in digits, and nothing",
     HEAD ROW1 ",金额,N,\"18,2\",,,,2,,,,je,1,,\n"
                  ",额,N,9,,,,2,,,,e,0,0,\n",                                                                        NULL,  NULL                },
    {"INT is no time of day",                                 HEAD ROW1 ",数,INT,,,,,2,,,,je,否,否,\n",            "f:3",
     "one of the letters"                                                                                                                        },
    {"a word of another letter",                              HEAD ROW1 ",数,日期型N,9,,,,2,,,,je,否,否,\n",
     "f:3",                                                                                                                  "one of the letters"},
    {"a length that is not kept",                             HEAD ROW1 ",数,I,4,,,,2,,,,je,否,否,\n",
     "f:3",                                                                                                                  "has no length"     },
    {"a field twice",                                         HEAD ROW1 ",金额,C,1,,,,2,,,,dm,否,否,\n",          "f:3",
     "line 2 has a field of this name"                                                                                                           },
    {"conditions that are none",
     HEAD
        "名,代码,C,18,2,无条件,p 用,0,L 法,gx.demo/AB,a.demo/one,dm,是,是,\n",
     "f:2",                                                                                                                  "says them here"    },
    {"what the document's form refuses, at the sheet's line",
     HEAD "名,代码,C,18,2,核查,p 用；p 用,0,L "
             "法,gx.demo/AB,a.demo/one,dm,是,是,\n",                                                               "f:2", "cannot be drafted" },
    {"no level",                                              HEAD ROW1 ",金额,N,\"18,2\",,,,,,,,je,否,否,\n",    "f:3",
     "a level from 0"                                                                                                                            },
    {"a name of a field",                                     HEAD ROW1 ",金额,N,\"18,2\",,,,2,,,,JE,否,否,\n",
     "f:3",                                                                                                                  "small ASCII"       },
    {"a type there is none of",                               HEAD ROW1 ",金额,X,,,,,2,,,,je,否,否,\n",           "f:3",
     "one of the letters"                                                                                                                        },
    {"a list has no place",                                   HEAD ROW1 ",表,数组A,,,,,2,,,,je,否,否,\n",        "f:3",
     "by hand"                                                                                                                                   },
    {"two lines in a cell",                                   HEAD ROW1 ",\"金\n额\",C,1,,,,2,,,,je,否,否,\n",
     "f:3",                                                                                                                  "more than one line"},
    {"text turned around",                                    HEAD ROW1 ",金\xe2\x80\xae,C,1,,,,2,,,,je,否,否,\n",
     "f:3",                                                                                                                  "turns text around" },
    {"rows that stand apart",
     HEAD ROW1
        "名,代码,C,1,1,,p 用,0,L 法,gx.demo/CD,a.demo/one,dm,是,是,\n" ROW1,
     "f:4",                                                                                                                  "stand apart"       },
    {"nothing to ask by",
     HEAD "名,代码,C,18,1,,p 用,0,L 法,gx.demo/AB,a.demo/one,dm,是,否,\n",
     "f:2",                                                                                                                  "nothing to ask by" },
    {"not shared, and no basis",
     HEAD
        "名,代码,C,18,不予共享,,p 用,0,L 法,gx.demo/AB,a.demo/one,dm,是,是,\n",
     "f:2",                                                                                                                  "legal basis"       },
    {"a day that is none",
     HEAD "名,代码,C,18,1,,p 用,0,L "
             "法,gx.demo/AB,a.demo/one,dm,是,是,2026-2-30\n",                                                      "f:2", "a day like"        },
    {"a basis without a code",
     HEAD "名,代码,C,18,1,,p 用,0,法,gx.demo/AB,a.demo/one,dm,是,是,\n",
     "f:2",                                                                                                                  "a code in ASCII"   },
    {"a text that would be YAML",
     HEAD "\"a\"\"}\\, b: \",代码,C,18,1,,p 用,0,L "
             "法,gx.demo/AB,a.demo/one,dm,是,是,\n",                                                               NULL,  NULL                },
};

static enum ht_err
take(const char *text, struct ht_report *r, struct ht_buf *out)
{
	HT_AUTO(ht_sheet_free) struct ht_sheet *sheet = NULL;
	enum ht_err err = ht_sheet_read(ht_slice_str(text), "f", r, &sheet);

	for (size_t i = 0; err == HT_OK && i < ht_sheet_items(sheet); i++)
		err = ht_sheet_draft(sheet, i, r, out);
	return err;
}

static void
a_sheet_is_drafted_or_told_at_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(sheet_cases); i++) {
		const struct sheet_case *c = &sheet_cases[i];
		HT_AUTO(ht_report_free) struct ht_report *r = ht_report_new();
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_DOC_MAX);
		enum ht_err err = take(c->text, r, &out);
		bool found = false;

		if ((err == HT_OK) != (c->where == NULL)) {
			ht_report_print(r, stderr);
			fail_msg("%s", c->why);
		}
		for (unsigned f = 0; c->where != NULL && f < ht_report_count(r);
		     f++)
			found =
			    found ||
			    (strcmp(ht_report_where(r, f), c->where) == 0 &&
			        strstr(ht_report_text(r, f), c->words) != NULL);
		if (c->where != NULL && !found) {
			ht_report_print(r, stderr);
			fail_msg("%s: %s", c->why, c->words);
		}
	}
}

/* ---- there and back ---- */

/* A draft's own sheet says the same again. */
static void
a_draft_exports_to_what_it_came_from(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf csv = HT_BUF(HT_CSV_BYTES);
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_report_free) struct ht_report *r = ht_report_new();
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	HT_AUTO(ht_sheet_free) struct ht_sheet *sheet = NULL;

	(void)state;
	assert_ok(take(HEAD ROW1 ROW2, r, &out));
	assert_ok(ht_doc_parse(ht_buf_slice(&out), "d", r, &doc));
	assert_ok(ht_sheet_write(&doc, 1, &csv));
	assert_ok(ht_sheet_read(ht_buf_slice(&csv), "s", r, &sheet));
	assert_ok(ht_sheet_draft(sheet, 0, r, &again));
	assert_true(ht_slice_eq(ht_buf_slice(&out), ht_buf_slice(&again)));
}

static void
a_sheet_survives_no_memory(void **state)
{
	enum ht_err err = HT_OK;

	(void)state;
	TORTURE(({
		HT_AUTO(ht_sheet_free) struct ht_sheet *sheet = NULL;

		err = ht_sheet_read(
		    ht_slice_str(HEAD ROW1 ROW2), "f", NULL, &sheet);
	}))
	{
		/* Without memory a heading may be told as "?". */
		assert_true(err == HT_ENOMEM || err == HT_OK);
	}
	assert_ok(err);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_table_is_read_strictly),
    cmocka_unit_test(no_cell_is_a_formula_and_all_come_back),
    cmocka_unit_test(it_is_read_as_it_was_saved),
    cmocka_unit_test(a_sheet_is_drafted_or_told_at_its_line),
    cmocka_unit_test(a_draft_exports_to_what_it_came_from),
    cmocka_unit_test(a_sheet_survives_no_memory),
};

HT_TEST_MAIN(tests)
