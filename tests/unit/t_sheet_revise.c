/*
 * An item in force, its sheet with something changed in it, and the draft:
 * just that, in the same text; or why a sheet cannot say it.
 */
#include "schemas/sheet.h"

#include <stdlib.h>

#include "tests/lib/fault.h"
#include "tests/lib/test.h"

static const char item[] =
    "hutong: item/v1\n"
    "item: gx.demo/AB\n"
    "version: 1\n"
    "revision: 4\n"
    "title: {zh: \"名称\", en: Name}\n"
    "provider: a.demo/one\n"
    "share: conditional\n"
    "basis:\n"
    "  - {code: L-1, zh: 法, en: Law}\n"
    "operations: [query]\n"
    "purposes:\n"
    "  - code: p\n"
    "    zh: 用途\n"
    "    en: purpose\n"
    "cycle: {zh: 每年, en: yearly}\n"
    "conditions: {zh: 仅核查, en: checks}\n"
    "format: database\n"
    "methods: [interface]\n"
    "once: [{code: JE, field: je, collector: a.demo/one, where: 表}]\n"
    "until: 2030-01-01T00:00:00Z\n"
    "subject: {param: dm, field: dm, registry: uscc}\n"
    "entry:\n"
    "  kind: base # why\n"
    "  summary: {zh: 摘要}\n"
    "  open: false\n"
    "request:\n"
    "  type: object\n"
    "  required: [dm]\n"
    "  properties:\n"
    "    dm: {title: 代码, type: string}\n"
    "  additionalProperties: false\n"
    "record:\n"
    "  type: object\n"
    "  $defs:\n"
    "    code: {type: string, x-bytes: 18}\n"
    "  required: [dm, zt] # both\n"
    "  properties:\n"
    "    dm: {title: 代码, x-level: 0, $ref: \"#/$defs/code\"}\n"
    "    zt:\n"
    "      title: 状态\n"
    "      description: State\n"
    "      x-level: 0\n"
    "      type: string\n"
    "      enum: [\"1\", \"2\"] # of the list\n"
    "      x-bytes: 1\n"
    "    je:\n"
    "      title: 金额\n"
    "      description: \"Sum: \\\"all\\\"\"\n"
    "      x-level: 2\n"
    "      type: string\n"
    "      x-bytes: 20\n"
    "    lb: {title: 列表, x-level: 1, type: array, items: {type: string}}\n"
    "  additionalProperties: false\n";

#define LB "列表,数组A,"
#define JE "金额,字符型C,20,"

/* A change of the sheet: each @from becomes @to. */
static const struct revise_case {
	const char *why;
	const char *from, *to;   /* @to NULL: the row that begins so goes */
	const char *gone, *come; /* of the draft's text; NULL: nothing is */
	unsigned version;        /* of the draft; 0: it cannot be said */
	const char *words; /* then why; else NULL, or why it is a version */
} cases[] = {
    {"nothing",                                 "",                                                                     "",                              NULL,                         NULL,                                            1, NULL                                },
    {"another way to write the same",           "字符型C",                                                           "C",                             NULL,                         NULL,                                            1, NULL                                },
    {"a title",                                 ",名称,",                                                             ",别名,",                      "{zh: \"名称\", en: Name}",
     "{zh: \"别名\", en: Name}",                                                                                                                                                                                                      1, NULL                                },
    {"a field's title",                         "金额",                                                               "\"总\"\"额\"",                "title: 金额",
     "title: \"总\\\"额\"",                                                                                                                                                                                                           1, NULL                                },
    {"a word",                                  ",数据库,",                                                          ",电子表格,",                "format: database",           "format: sheet",                                 1,
     NULL                                                                                                                                                                                                                                                                      },
    {"a list of words",                         ",服务接口,",                                                       ",批量交换，服务接口,",
     "methods: [interface]",                                                                                                                                                           "methods: [batch, interface]",                   1, NULL                                },
    {"in the entry, beside a comment",          "基础,",                                                              "主题,",                       "kind: base # why",
     "kind: theme # why",                                                                                                                                                                                                               1, NULL                                },
    {"new in the entry",                        ",名称,,",                                                            ",名称,307/000001,",           "  kind: base # why\n",
     "  code: \"307/000001\"\n  kind: base # why\n",                                                                                                                                                                                    1, NULL                                },
    {"gone from the entry",                     ",摘要,",                                                             ",,",                            "  summary: {zh: 摘要}\n",  "",                                              1,
     NULL                                                                                                                                                                                                                                                                      },
    {"a day as spreadsheets have it",           "否,,每年,,",                                                        "否,,每年,2026/1/8,",
     "  kind: base # why\n",                                                                                                                                                           "  published: 2026-01-08\n  kind: base # why\n",
     1,                                                                                                                                                                                                                                    NULL                                },
    {"a scope there was none of",               ",仅核查,服务接口,,",
     ",仅核查,服务接口,税务,",                                                                                                                  "request:\n",
     "scope: {zh: \"税务\"}\nrequest:\n",                                                                                                                                                                                             1, NULL                                },
    {"a purpose more",                          ",p 用途,",                                                           ",p 用途；q 另,",
     "  - code: p\n    zh: 用途\n    en: purpose\n",                                                                                                                                 "  [{code: \"p\", zh: \"用途\", en: \"purpose\"},\n"
        "    {code: \"q\", zh: \"另\"}]\n",                                                                                                                                      1, NULL                                },
    {"a purpose less",                          ",p 用途,",                                                           ",q 另,",
     "  - code: p\n    zh: 用途\n    en: purpose\n",                                                                                                                                 "  [{code: \"q\", zh: \"另\"}]\n",              2, "the purpose p is gone"             },
    {"a level",                                 "20,有条件共享,仅核查,服务接口,,p 用途,否,,每年,,,2,",
     "20,有条件共享,仅核查,服务接口,,p 用途,否,,每年,,,3,",                                                                             "x-level: 2",
     "x-level: 3",                                                                                                                                                                                                                      1, NULL                                },
    {"a longer text",                           JE,                                                                     "金额,字符型C,40,",         "x-bytes: 20",                "x-bytes: 40",                                   2,
     "the values that record je may have"                                                                                                                                                                                                                                      },
    {"another type, and the description stays", JE,                                                                     "金额,日期型D,,",
     "\n      title: 金额\n      description: \"Sum: \\\"all\\\"\"\n"
        "      x-level: 2\n      type: string\n      x-bytes: 20\n",                                                                                                                   "\n      {title: \"金额\", x-level: 2, type: string, format: date, "
        "description: \"Sum: \\\"all\\\"\"}\n",                                                                                                                     2, "may have were others"              },
    {"a field that is needed no more",          ",zt,是,否",                                                          ",zt,否,否",
     "required: [dm, zt] # both",                                                                                                                                                      "required: [dm] # both",                         2, "'required'"                        },
    {"a field that is needed now",              ",je,否,否",                                                          ",je,1,",                        "[dm, zt]",
     "[dm, zt, je]",                                                                                                                                                                                                                    2, "'required'"                        },
    {"a field goes",                            LB,                                                                     NULL,
     "    lb: {title: 列表, x-level: 1, type: array, items: {type: "
        "string}}\n",                                                                                                                                                                  "",                                              2, "record lb is gone"                 },
    {"a version that the sheet asks for",       ",gx.demo/AB,1,",                                                       ",gx.demo/AB,3,",
     "entry:",                                                                                                                                                                         "entry:",                                        3, NULL                                },
    {"a type with a list of its own",           "状态,字符型C",                                                    "状态,数值型N",             NULL,
     NULL,                                                                                                                                                                                                                              0, "rules and lists"                   },
    {"a type that is shared",                   "代码,字符型C,18",                                                 "代码,字符型C,30",          NULL,                         NULL,
     0,                                                                                                                                                                                                                                    "definition that other fields share"},
    {"a list's type",                           LB,                                                                     "列表,字符型C,",            NULL,                         NULL,                                            0, "rules and lists"                   },
    {"a field that is collected once goes",     JE,                                                                     NULL,                            NULL,                         NULL,                                            0,
     "f:2 gx.demo/AB cannot be drafted"                                                                                                                                                                                                                                        },
    {"by what one asks",                        ",zt,是,否",                                                          ",zt,是,是",                   NULL,                         NULL,                                            0,
     "查询参数: by what one asks is more than a cell"                                                                                                                                                                                                                      },
    {"another provider",                        ",a.demo/one,",                                                         ",b.demo/two,",                  NULL,                         NULL,                                            0,
     "keeps its provider"                                                                                                                                                                                                                                                      },
    {"not shared any more",                     "有条件共享",                                                      "不予共享",                  NULL,                         NULL,                                            0,
     "more than a cell"                                                                                                                                                                                                                                                        },
    {"what an item needs is blank",             ",每年,",                                                             ",,",                            NULL,                         NULL,                                            0,
     "更新周期: blank here"                                                                                                                                                                                                                                                },
    {"no word",                                 ",je,否,否",                                                          ",je,也许,否",                NULL,                         NULL,                                            0, "是 or 否"                        },
    {"a level there is none of",                "每年,,,2,",                                                          "每年,,,7,",                   NULL,                         NULL,                                            0,
     "a level from 0"                                                                                                                                                                                                                                                          },
};

/* @text with each @from made @to. */
static void
change(const char *text, const char *from, const char *to, struct ht_buf *out)
{
	size_t len = strlen(from);

	while (*text != '\0') {
		if (len > 0 && to == NULL && strncmp(text, ",", 1) != 0 &&
		    strncmp(text, "\n", 1) == 0) {
			const char *end = strchr(text + 1, '\n');
			const char *at = strstr(text + 1, from);

			if (end != NULL && at != NULL && at < end) {
				text = end;
				continue;
			}
		}
		if (len > 0 && to != NULL && strncmp(text, from, len) == 0) {
			ht_buf_str(out, to);
			text += len;
			continue;
		}
		ht_buf_u8(out, (uint8_t)*text++);
	}
}

struct outcome {
	enum ht_err err;
	struct ht_sheet_next next;
	struct ht_buf draft;
	struct ht_report *report, *said, *why;
};

static void
outcome_fini(struct outcome *o)
{
	ht_buf_fini(&o->draft);
	ht_report_free(&o->report);
	ht_report_free(&o->said);
	ht_report_free(&o->why);
}

static void
revise(const char *csv, struct ht_doc *doc, struct outcome *o)
{
	HT_AUTO(ht_sheet_free) struct ht_sheet *sheet = NULL;
	struct ht_sheet_says to = {o->report = ht_report_new(),
	    o->said = ht_report_new(), o->why = ht_report_new()};

	o->draft = HT_BUF(HT_DOC_MAX);
	o->err = ht_sheet_read(ht_slice_str(csv), "f", o->report, &sheet);
	if (o->err == HT_OK)
		o->err = ht_sheet_revise(
		    sheet, 0, &doc, 1, doc, &to, &o->next, &o->draft);
}

static struct ht_doc *
in_force(void)
{
	HT_AUTO(ht_report_free) struct ht_report *r = ht_report_new();
	struct ht_doc *doc = NULL;
	enum ht_err err = ht_doc_parse(ht_slice_str(item), "w", r, &doc);

	if (err != HT_OK)
		ht_report_print(r, stderr);
	assert_ok(err);
	return doc;
}

static bool
found(const struct ht_report *report, const char *words)
{
	for (unsigned i = 0; i < ht_report_count(report); i++) {
		char line[2048];

		(void)snprintf(line, sizeof(line), "%s %s",
		    ht_report_where(report, i), ht_report_text(report, i));
		if (strstr(line, words) != NULL)
			return true;
	}
	return false;
}

/* The text in force, with the numbers and the one change of the case. */
static void
expect(const struct revise_case *c, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf a = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf b = HT_BUF(HT_DOC_MAX);
	char version[32];

	(void)snprintf(version, sizeof(version), "version: %u\n", c->version);
	change(item, "version: 1\n", version, &a);
	change(ht_buf_text(&a), "revision: 4\n",
	    c->version == 1 ? "revision: 5\n" : "revision: 1\n", &b);
	ht_buf_reset(&a);
	change(ht_buf_text(&b), "until: 2030-01-01T00:00:00Z\n",
	    c->version == 1 ? "until: 2030-01-01T00:00:00Z\n" : "", &a);
	change(ht_buf_text(&a), c->gone, c->come, out);
}

static void
play(const struct revise_case *c, const char *sheet, struct ht_doc *doc)
{
	HT_AUTO(ht_buf_fini) struct ht_buf csv = HT_BUF(HT_CSV_BYTES);
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);
	HT_AUTO(outcome_fini) struct outcome o = {0};

	change(sheet, c->from, c->to, &csv);
	revise(ht_buf_text(&csv), doc, &o);
	if ((o.err == HT_OK) != (c->version > 0)) {
		ht_report_print(o.report, stderr);
		fail_msg("%s", c->why);
	}
	if (c->words != NULL &&
	    !found(c->version > 0 ? o.why : o.report, c->words)) {
		ht_report_print(o.report, stderr);
		ht_report_print(o.why, stderr);
		fail_msg("%s: not told", c->why);
	}
	if (o.err != HT_OK)
		return;
	if (c->gone == NULL) {
		if (o.draft.len > 0)
			fail_msg("%s: %s", c->why, ht_buf_text(&o.draft));
		return;
	}
	expect(c, &text);
	assert_int_equal(o.next.version, c->version);
	if (!ht_slice_eq(ht_buf_slice(&o.draft), ht_buf_slice(&text)))
		fail_msg("%s:\n%s", c->why, ht_buf_text(&o.draft));
}

static void
what_differs_is_drafted_and_nothing_else(void **state)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = in_force();
	HT_AUTO(ht_buf_fini) struct ht_buf sheet = HT_BUF(HT_CSV_BYTES);

	(void)state;
	assert_ok(ht_sheet_write(&doc, 1, &sheet));
	for (size_t i = 0; i < HT_COUNT(cases); i++)
		play(&cases[i], ht_buf_text(&sheet), doc);
}

/* ---- what a table does not show ---- */

static void
a_cell_is_told_once_however_many_rows(void **state)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = in_force();
	HT_AUTO(ht_buf_fini) struct ht_buf sheet = HT_BUF(HT_CSV_BYTES);
	HT_AUTO(ht_buf_fini) struct ht_buf csv = HT_BUF(HT_CSV_BYTES);
	HT_AUTO(outcome_fini) struct outcome o = {0};

	(void)state;
	assert_ok(ht_sheet_write(&doc, 1, &sheet));
	change(ht_buf_text(&sheet), ",名称,", ",别名,", &csv);
	revise(ht_buf_text(&csv), doc, &o);
	assert_ok(o.err);
	assert_int_equal(ht_report_count(o.said), 1);
	assert_true(found(o.said,
	    "f:2 信息资源名称: \"名称\" in the catalog, \"别名\" here"));
}

/* Rows that were sorted are the same item; a field that is new goes last. */
static void
a_new_field_is_the_last_wherever_its_row_is(void **state)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = in_force();
	HT_AUTO(ht_buf_fini) struct ht_buf sheet = HT_BUF(HT_CSV_BYTES);
	HT_AUTO(ht_buf_fini) struct ht_buf csv = HT_BUF(HT_CSV_BYTES);
	HT_AUTO(outcome_fini) struct outcome o = {0};
	const char *second;

	(void)state;
	assert_ok(ht_sheet_write(&doc, 1, &sheet));
	second = strchr(ht_buf_text(&sheet), '\n') + 1;
	second = strchr(second, '\n') + 1;
	ht_buf_add(&csv, sheet.at, (size_t)(second - (char *)sheet.at));
	ht_buf_str(&csv, ",,,,,,,备注,C,9,,,,,,,,,,,1,,,,,bz,,\r\n");
	ht_buf_str(&csv, second);
	revise(ht_buf_text(&csv), doc, &o);
	assert_ok(o.err);
	assert_int_equal(o.next.version, 1);
	assert_non_null(strstr(ht_buf_text(&o.draft),
	    "items: {type: string}}\n"
	    "    bz: {title: \"备注\", x-level: 1, type: string, x-bytes: 9}\n"
	    "  additionalProperties: false\n"));
}

static void
a_grant_of_all_fields_makes_it_a_version(void **state)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = in_force();
	HT_AUTO(ht_buf_fini) struct ht_buf sheet = HT_BUF(HT_CSV_BYTES);
	HT_AUTO(ht_sheet_free) struct ht_sheet *read = NULL;
	HT_AUTO(ht_report_free) struct ht_report *why = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf draft = HT_BUF(HT_DOC_MAX);
	const struct ht_sheet_says to = {why, NULL, why};
	struct ht_grant_doc all = {
	    .grant = {.name = "gx.demo/7",
	              .item = "gx.demo/AB",
	              .version = 1,
	              .all_fields = true}
        };
	struct ht_doc grant = {.kind = HT_DOC_GRANT, .grant = &all};
	struct ht_doc *docs[2] = {&grant, doc};
	struct ht_sheet_next next;

	(void)state;
	assert_ok(ht_sheet_write(&doc, 1, &sheet));
	ht_buf_str(&sheet, ",,,,,,,备注,C,9,,,,,,,,,,,1,,,,,bz,,\r\n");
	assert_ok(ht_sheet_read(ht_buf_slice(&sheet), "f", NULL, &read));
	assert_ok(ht_sheet_revise(read, 0, docs, 2, doc, &to, &next, &draft));
	assert_int_equal(next.version, 2);
	assert_true(found(why, "the grant gx.demo/7 lets out all fields"));
	all.grant.state = HT_GRANT_TERMINATED;
	ht_buf_reset(&draft);
	assert_ok(ht_sheet_revise(read, 0, docs, 2, doc, &to, &next, &draft));
	assert_int_equal(next.version, 1);
}

static void
revising_survives_no_memory(void **state)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = in_force();
	HT_AUTO(ht_buf_fini) struct ht_buf sheet = HT_BUF(HT_CSV_BYTES);
	HT_AUTO(ht_buf_fini) struct ht_buf csv = HT_BUF(HT_CSV_BYTES);
	HT_AUTO(ht_sheet_free) struct ht_sheet *read = NULL;
	HT_AUTO(ht_report_free) struct ht_report *r = ht_report_new();
	const struct ht_sheet_says to = {r, NULL, r};
	HT_AUTO(ht_buf_fini) struct ht_buf want = HT_BUF(HT_DOC_MAX);
	struct ht_sheet_next next;
	bool same = true;
	enum ht_err err = HT_OK;

	(void)state;
	assert_ok(ht_sheet_write(&doc, 1, &sheet));
	change(ht_buf_text(&sheet), ",名称,", ",别名,", &csv);
	assert_ok(ht_sheet_read(ht_buf_slice(&csv), "f", NULL, &read));
	assert_ok(ht_sheet_revise(read, 0, &doc, 1, doc, &to, &next, &want));
	TORTURE(({
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_DOC_MAX);

		err = ht_sheet_revise(read, 0, &doc, 1, doc, &to, &next, &out);
		same = ht_slice_eq(ht_buf_slice(&out), ht_buf_slice(&want));
	}))
	{
		/* Refused (a schema may say why in other words), or whole. */
		assert_true(err != HT_OK || same);
	}
	assert_ok(err);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_differs_is_drafted_and_nothing_else),
    cmocka_unit_test(a_cell_is_told_once_however_many_rows),
    cmocka_unit_test(a_new_field_is_the_last_wherever_its_row_is),
    cmocka_unit_test(a_grant_of_all_fields_makes_it_a_version),
    cmocka_unit_test(revising_survives_no_memory),
};

HT_TEST_MAIN(tests)
