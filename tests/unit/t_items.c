/*
 * The items of schemas/items: every one reads and compiles, its fields are
 * those of the domain's list, the samples hold, and what must fail fails where
 * it should.
 */
#include <dirent.h>

#include <jansson.h>

#include "lib/base/fs.h"
#include "lib/base/limits.h"
#include "schemas/doc.h"
#include "tests/lib/test.h"

#define ITEMS_DIR "schemas/items"

static const char *const codes[] = {"BDCDJ", "CLGZS", "FPCY", "HBPW", "HGJKS",
    "KQYSSSX", "QSWS", "QSZM", "RKHY", "SBJF", "SCZTDJ", "ZDSSWF"};

static struct ht_doc *
load_doc(const char *path)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);
	struct ht_doc *doc = NULL;

	assert_ok(ht_fs_read(path, &text));
	if (ht_doc_parse(ht_buf_slice(&text), path, report, &doc) != HT_OK) {
		ht_report_print(report, stderr);
		fail_msg("%s is not to be read", path);
	}
	return doc;
}

static struct ht_doc *
load(const char *code)
{
	char path[128];
	struct ht_doc *doc;

	(void)snprintf(path, sizeof(path), ITEMS_DIR "/%s.yaml", code);
	doc = load_doc(path);
	assert_int_equal(doc->kind, HT_DOC_ITEM);
	return doc;
}

static void
there_are_these_twelve(void **state)
{
	DIR *dir = opendir(ITEMS_DIR);
	unsigned n = 0;

	(void)state;
	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		n += strstr(e->d_name, ".yaml") != NULL;
	(void)closedir(dir);
	assert_int_equal(n, HT_COUNT(codes));
	assert_int_equal(n, 12);
}

static void
every_field_has_level_and_two_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(codes); i++) {
		struct ht_doc *doc = load(codes[i]);
		const struct ht_item *item = doc->item;

		assert_non_null(item->title_zh);
		assert_non_null(item->title_en);
		for (size_t f = 0; f < ht_schema_fields(item->record); f++) {
			const char *name = ht_schema_field(item->record, f);

			if (ht_schema_field_level(item->record, f) < 0 ||
			    ht_schema_field_title(item->record, f) == NULL ||
			    ht_schema_field_about(item->record, f) == NULL)
				fail_msg(
				    "%s: %s lacks something", codes[i], name);
		}
		for (size_t f = 0; f < ht_schema_fields(item->request); f++)
			assert_non_null(
			    ht_schema_field_title(item->request, f));
		ht_doc_unref(&doc);
	}
}

/* ---- against the domain's list ---- */

static json_t *
domain(void)
{
	char path[HT_TEST_PATH_MAX];
	json_error_t error;
	json_t *json;

	if (ht_test_shared(path, "../domain/catalog-items.json") == NULL)
		return NULL;
	json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL)
		fail_msg("%s: %s", path, error.text);
	return json;
}

static const char *
text_of(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

/* Settled otherwise than listed: docs/adr/0005-catalog-open-points.md. */
static const struct {
	const char *code;
	const char *field;
	json_int_t level;
} raised[] = {
    {"SCZTDJ", "fddbr_zjhm", 3},
    {"SCZTDJ", "tzr",        3},
    {"QSWS",   "mx",         3},
};

static json_int_t
level_of(const char *code, const json_t *field)
{
	for (size_t i = 0; i < HT_COUNT(raised); i++)
		if (strcmp(raised[i].code, code) == 0 &&
		    strcmp(raised[i].field, text_of(field, "name")) == 0)
			return raised[i].level;
	return json_integer_value(json_object_get(field, "level"));
}

/* Same fields, same order, same levels; mandatory means required. */
static void
compare_fields(
    const char *code, const struct ht_schema *schema, const json_t *fields)
{
	HT_AUTO(ht_report_free) struct ht_report *missing = ht_report_new();
	json_t *empty = json_object(), *field;
	unsigned mandatory = 0;
	size_t i, at = 0;

	json_array_foreach(fields, i, field)
	{
		const char *name = text_of(field, "name");

		if (strstr(name, "[]") != NULL)
			continue;
		assert_true(at < ht_schema_fields(schema));
		assert_string_equal(ht_schema_field(schema, at), name);
		if (ht_schema_field_level(schema, at) != level_of(code, field))
			fail_msg("%s.%s: level", code, name);
		mandatory += strcmp(text_of(field, "req"), "M") == 0;
		at++;
	}
	assert_int_equal(at, ht_schema_fields(schema));
	/* Of nothing, what is required is missing, and `anyOf` may speak. */
	(void)ht_schema_check(schema, empty, missing, NULL);
	for (unsigned m = 0; m < ht_report_count(missing); m++)
		mandatory -=
		    strcmp(ht_report_text(missing, m), "is missing") == 0;
	assert_int_equal(mandatory, 0);
	json_decref(empty);
}

static void
must_hold(const char *code, const struct ht_schema *schema, const json_t *value)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();

	if (!ht_schema_check(schema, value, report, report) ||
	    ht_report_count(report) > 0) {
		ht_report_print(report, stderr);
		fail_msg("%s: the sample does not hold", code);
	}
}

static void
fields_and_samples_are_the_domain_s(void **state)
{
	json_t *all = domain(), *one;
	size_t i;

	(void)state;
	if (all == NULL)
		return;
	assert_int_equal(json_array_size(all), HT_COUNT(codes));
	json_array_foreach(all, i, one)
	{
		const char *code = text_of(one, "id");
		struct ht_doc *doc = load(code);
		const struct ht_item *item = doc->item;
		bool asks = json_is_array(json_object_get(one, "resp"));
		const json_t *sample = json_object_get(one, "sample");

		compare_fields(code, asks ? item->request : item->record,
		    json_object_get(one, "fields"));
		must_hold(code, asks ? item->request : item->record, sample);
		if (asks) {
			compare_fields(
			    code, item->record, json_object_get(one, "resp"));
			must_hold(code, item->record,
			    json_object_get(one, "rsample"));
		}
		ht_doc_unref(&doc);
	}
	json_decref(all);
}

/* ---- what must fail, and what may only warn ---- */

enum part { REQUEST, RECORD };
enum verdict { WRONG, WARNED, FINE };

/* The sample, with @change merged into it; a null takes the field away. */
static const struct variant {
	const char *code;
	enum part part;
	const char *change;
	enum verdict verdict;
	const char *finding;
} variants[] = {
    {"SCZTDJ",  RECORD,  "{\"shxydm\": null}",                                   WRONG,  "/shxydm: is missing"       },
    {"SCZTDJ",  RECORD,  "{\"shxydm\": \"91350100M000100Y44\"}",                 WRONG,
     "/shxydm: is no valid uscc"                                                                                     },
    {"SCZTDJ",  RECORD,  "{\"shxydm\": \"000000000000000000\"}",                 WRONG,
     "position 1"                                                                                                    },
    {"SCZTDJ",  RECORD,  "{\"shxydm\": \"919999990000002110\"}",                 FINE,   NULL                        },
    {"SCZTDJ",  RECORD,  "{\"fddbr_zjhm\": \"110101190002290011\"}",             WRONG,
     "/fddbr_zjhm: is no valid citizen-id"                                                                           },
    {"SCZTDJ",  RECORD,
     "{\"fddbr_zjhm\": \"E12345678\", \"fddbr_zjlx\": \"208\"}",                 FINE,   NULL                        },
    {"SCZTDJ",  RECORD,  "{\"fddbr_zjhm\": \"X\", \"fddbr_zjlx\": \"777\"}",
     WARNED,                                                                             "/fddbr_zjlx: is not one of"},
    {"SCZTDJ",  RECORD,  "{\"hzrq\": \"2024-02-29\"}",                           WRONG,
     "'clrq' is after or above 'hzrq'"                                                                               },
    {"SCZTDJ",  RECORD,  "{\"clrq\": \"20240301\"}",                             WRONG,  "/clrq: "                   },
    {"SCZTDJ",  RECORD,  "{\"djlx\": \"02\"}",                                   WRONG,  "/bgsx: is missing"         },
    {"SCZTDJ",  RECORD,  "{\"djlx\": \"03\"}",                                   WRONG,  "/zxyy: is missing"         },
    {"SCZTDJ",  RECORD,  "{\"djlx\": \"07\"}",                                   WRONG,  "/djlx: is not one of"      },
    {"SCZTDJ",  RECORD,  "{\"hy_dm\": \"I6510\"}",                               FINE,   NULL                        },
    {"SCZTDJ",  RECORD,  "{\"zczb\": null}",                                     WARNED, "/zczb: is missing"         },
    {"SCZTDJ",  RECORD,  "{\"zczb\": \"1.0000001\"}",                            WRONG,  "/zczb: "                   },
    {"SCZTDJ",  RECORD,  "{\"zczb\": 100}",                                      WRONG,  "/zczb: expected string"    },
    {"SCZTDJ",  RECORD,  "{\"ztmc\": \"\"}",                                     WRONG,  "/ztmc: is shorter"         },
    {"SCZTDJ",  RECORD,  "{\"ztmc\": \"测试𠀀·有限公司\"}",             FINE,   NULL                        },
    {"SCZTDJ",  RECORD,  "{\"nope\": \"1\"}",                                    WRONG,  "/nope: is no field"        },
    {"SCZTDJ",  RECORD,
     "{\"tzr\": [{\"tzr_mc\": \"测试甲\", \"tzr_zjlx\": \"201\", "
        "\"tzr_zjhm\": \"11010519491231002x\", \"czbl\": \"100.5\"}]}",          WRONG,  "/tzr/0/czbl: "             },
    {"QSZM",    RECORD,  "{\"qsjl_dm\": \"2\"}",                                 WRONG,  "/wjqsy: is missing"        },
    {"QSZM",    RECORD,  "{\"cjrq\": \"2024-06-02\"}",                           WRONG,  "'sqrq' is after"           },
    {"QSZM",    RECORD,  "{\"swjg_dm\": \"1110101000\"}",                        WRONG,  "/swjg_dm: "                },
    {"QSZM",    RECORD,  "{\"swjg_dm\": \"1110101000A\"}",                       WRONG,  "/swjg_dm: "                },
    {"RKHY",    REQUEST, "{\"gmsfhm\": \"11010519491231002x\"}",                 WRONG,
     "/gmsfhm: is no valid citizen-id"                                                                               },
    {"RKHY",    REQUEST, "{\"xm\": \"阿依古丽·买买提\"}",                FINE,   NULL                        },
    {"RKHY",    REQUEST, "{\"qqyw_dm\": \"OTHER\"}",                             WRONG,  "/qqyw_dm: "                },
    {"RKHY",    REQUEST, "{\"qqr_zjhm\": null}",                                 WRONG,  "/qqr_zjhm: is missing"     },
    {"RKHY",    RECORD,  "{\"hyjg_dm\": \"5\"}",                                 WRONG,  "/hyjg_dm: "                },
    {"RKHY",    RECORD,  "{\"hysj\": \"2024-06-04T02:00:00Z\"}",                 WRONG,  "/hysj: "                   },
    {"RKHY",    RECORD,  "{\"xm\": \"测试乙\"}",                              WRONG,  "/xm: is no field"          },
    {"BDCDJ",   RECORD,  "{\"tnmj\": \"100.00\"}",                               WRONG,  "'tnmj' is after"           },
    {"BDCDJ",   RECORD,  "{\"jzmj\": \"0.00\"}",                                 WRONG,  "/jzmj: "                   },
    {"BDCDJ",   RECORD,  "{\"htbh\": null}",                                     WRONG,  "/htbh: is missing"         },
    {"BDCDJ",   RECORD,  "{\"htbh\": null, \"qdfs_dm\": \"03\"}",                FINE,   NULL                        },
    {"BDCDJ",   RECORD,  "{\"bdcqzh\": null}",                                   WRONG,  "/bdcqzh: is missing"       },
    {"BDCDJ",   RECORD,  "{\"bdcqzh\": null, \"djlx_dm\": \"0100\"}",            FINE,   NULL                        },
    {"BDCDJ",   RECORD,  "{\"sfhs\": \"1\"}",                                    WRONG,  "/sfhs: expected boolean"   },
    {"BDCDJ",   RECORD,  "{\"qlr\": []}",                                        WRONG,  "/qlr: has fewer than 2"    },
    {"BDCDJ",   RECORD,
     "{\"qlr\": [{\"rylb\": \"1\", \"xm\": \"甲\", \"zjlx\": \"201\", "
        "\"zjhm\": \"110101190001010030\", \"gyqk\": \"2\"}, {\"rylb\": "
        "\"2\", \"xm\": \"乙\", \"zjlx\": \"201\", \"zjhm\": \"1\", "
        "\"gyqk\": \"0\"}]}",                                                    WRONG,  "/qlr/0/gybl: is missing"   },
    {"QSWS",    RECORD,  "{\"mx\": null}",                                       WRONG,  "/mx: is missing"           },
    {"QSWS",    RECORD,  "{\"wsqk_dm\": \"4\"}",                                 WRONG,  "/kz: is not the one"       },
    {"QSWS",    RECORD,  "{\"wsqk_dm\": \"2\"}",                                 WRONG,  "/jmxz_dm: is missing"      },
    {"QSWS",    RECORD,  "{\"ywslh\": null, \"htbh\": null}",                    WRONG,
     "fits none of the 3 alternatives: ywslh; htbh; bdcdyh"                                                          },
    {"CLGZS",   RECORD,  "{\"clsbdh\": \"LTES000020T000001\"}",                  WARNED,
     "/clsbdh: is no valid vin"                                                                                      },
    {"CLGZS",   RECORD,  "{\"clsbdh\": \"LTES0000I0T000001\"}",                  WARNED,
     "/clsbdh: is no valid vin"                                                                                      },
    {"CLGZS",   RECORD,  "{\"clsbdh\": \"LTES000010T00000\"}",                   WRONG,
     "/clsbdh: is shorter"                                                                                           },
    {"CLGZS",   RECORD,  "{\"fpdm\": \"011002600111\"}",                         WRONG,
     "a fully digital invoice"                                                                                       },
    {"CLGZS",   RECORD,  "{\"wsbz\": \"2\"}",                                    WRONG,  "/mslx_dm: is missing"      },
    {"CLGZS",   RECORD,  "{\"sjse\": \"10000.01\"}",                             WRONG,  "'sjse' is after"           },
    {"CLGZS",   RECORD,  "{\"jsjg\": \"0\"}",                                    WRONG,  "/jsjg: "                   },
    {"KQYSSSX", RECORD,  "{\"nsrsbh\": \"91999999000000019E\"}",                 WRONG,
     "/nsrsbh: fits none of the 3 alternatives"                                                                      },
    {"KQYSSSX", RECORD,  "{\"nsrsbh\": \"999999000000019\"}",                    FINE,   NULL                        },
    {"KQYSSSX", RECORD,  "{\"ywhj_dm\": \"02\"}",                                WRONG,  "/byrq: is missing"         },
    {"KQYSSSX", RECORD,  "{\"ywhj_dm\": \"04\"}",                                WRONG,  "/fk_yjsk: is missing"      },
    {"KQYSSSX", RECORD,  "{\"htyxq_z\": \"2024-05-31\"}",                        WRONG,
     "'htyxq_q' is after"                                                                                            },
    {"FPCY",    REQUEST, "{\"fpdm\": \"1100261130\"}",                           WRONG,
     "a fully digital invoice"                                                                                       },
    {"FPCY",    REQUEST, "{\"fphm\": \"00000018\"}",                             WRONG,  "/fpdm: is missing"         },
    {"FPCY",    REQUEST, "{\"fphm\": \"00000018\", \"fpdm\": \"1100261130\"}",
     FINE,                                                                               NULL                        },
    {"FPCY",    REQUEST, "{\"fphm\": \"00000018\", \"fpdm\": \"011002600111\"}",
     FINE,                                                                               NULL                        },
    {"FPCY",    REQUEST, "{\"fphm\": \"00000000000000000001\"}",                 FINE,   NULL                        },
    {"FPCY",    REQUEST, "{\"fphm\": \"0000018\"}",                              WRONG,  "/fphm: "                   },
    {"FPCY",    REQUEST, "{\"fphm\": \"2611000000000000001\"}",                  WRONG,  "/fphm: "                   },
    {"FPCY",    REQUEST, "{\"kprq\": \"2026-01-08\"}",                           WRONG,
     "/kprq: is no valid date-compact"                                                                               },
    {"FPCY",    RECORD,  "{\"se\": \"13.01\"}",                                  WRONG,  "'jshj' is not the sum"     },
    {"FPCY",    RECORD,  "{\"cycs\": 1.5}",                                      WRONG,  "/cycs: expected integer"   },
    {"HGJKS",   RECORD,  "{\"bgdh\": \"99992026100000001\"}",                    WRONG,  "/bgdh: "                   },
    {"HGJKS",   RECORD,  "{\"jkshm\": \"999920261000000001-B02\"}",              WARNED,
     "/jkshm: does not match"                                                                                        },
    {"HGJKS",   RECORD,  "{\"bgkb_dm\": \"0100\"}",                              WARNED,
     "'bgdh' does not begin with 'bgkb_dm'"                                                                          },
    {"HGJKS",   RECORD,  "{\"sl\": \"1.1\"}",                                    WRONG,  "/sl: "                     },
    {"HGJKS",   RECORD,  "{\"skje\": \"0.00\"}",                                 WRONG,  "/skje: "                   },
    {"SBJF",    RECORD,  "{\"jfny_z\": \"202513\"}",                             WRONG,  "/jfny_z: "                 },
    {"SBJF",    RECORD,  "{\"jfny_z\": \"202512\"}",                             WRONG,  "'jfny_q' is after"         },
    {"SBJF",    RECORD,  "{\"yjje\": \"500.00\"}",                               WRONG,  "'yjje' is not the sum"     },
    {"SBJF",    RECORD,  "{\"yjje\": \"400.50\", \"znj\": \"0.50\"}",            FINE,   NULL                        },
    {"SBJF",    RECORD,  "{\"jfrlx_dm\": \"1\"}",                                WRONG,  "/dwbh: is missing"         },
    {"SBJF",    RECORD,  "{\"zjlx\": null}",                                     WRONG,
     "/zjlx: is missing; 'zjhm' needs it"                                                                            },
    {"ZDSSWF",  RECORD,  "{\"gbqx_z\": \"2023-01-15\"}",                         WARNED,
     "'gbrq' is after or above 'gbqx_z'"                                                                             },
    {"ZDSSWF",  RECORD,  "{\"gbrq\": \"2024-01-09\"}",                           WRONG,  "'qdrq' is after"           },
    {"ZDSSWF",  RECORD,  "{\"fr_xb\": \"3\"}",                                   WARNED, "/fr_xb: "                  },
    {"HBPW",    RECORD,  "{\"ndz\": null}",                                      WRONG,  "/ndz: is missing"          },
    {"HBPW",    RECORD,  "{\"pfklx_dm\": \"3\", \"ndz\": null}",                 FINE,   NULL                        },
    {"HBPW",    RECORD,  "{\"pfl\": \"-1\"}",                                    WRONG,  "/pfl: "                    },
    {"HBPW",    RECORD,  "{\"xkzbh\": \"91999999000000043X001P\"}",              WARNED,
     "'xkzbh' does not begin with 'shxydm'"                                                                          },
};

static bool
says(const struct ht_report *report, const char *finding)
{
	for (unsigned i = 0; i < ht_report_count(report); i++) {
		char line[2048];

		(void)snprintf(line, sizeof(line), "%s: %s",
		    ht_report_where(report, i), ht_report_text(report, i));
		if (strstr(line, finding) != NULL)
			return true;
	}
	return false;
}

static json_t *
changed(const json_t *all, const struct variant *v)
{
	json_t *value = NULL, *change = json_loads(v->change, 0, NULL), *one;
	const char *key;
	size_t i;

	assert_non_null(change);
	json_array_foreach(all, i, one)
	{
		bool asks = json_is_array(json_object_get(one, "resp"));

		if (strcmp(text_of(one, "id"), v->code) == 0)
			value = json_deep_copy(json_object_get(one,
			    asks && v->part == RECORD ? "rsample" : "sample"));
	}
	assert_non_null(value);
	json_object_foreach(change, key, one)
	{
		if (json_is_null(one))
			assert_int_equal(json_object_del(value, key), 0);
		else
			assert_int_equal(json_object_set(value, key, one), 0);
	}
	json_decref(change);
	return value;
}

static void
check_variant(const json_t *all, const struct variant *v)
{
	HT_AUTO(ht_report_free) struct ht_report *wrong = ht_report_new();
	HT_AUTO(ht_report_free) struct ht_report *warned = ht_report_new();
	struct ht_doc *doc = load(v->code);
	const struct ht_item *item = doc->item;
	json_t *value = changed(all, v);
	bool good =
	    ht_schema_check(v->part == REQUEST ? item->request : item->record,
	        value, wrong, warned);
	const struct ht_report *report = v->verdict == WRONG ? wrong : warned;

	if (good != (v->verdict != WRONG) ||
	    (v->verdict == FINE && ht_report_count(warned) > 0) ||
	    (v->finding != NULL && !says(report, v->finding))) {
		ht_report_print(wrong, stderr);
		ht_report_print(warned, stderr);
		fail_msg("%s with %s", v->code, v->change);
	}
	json_decref(value);
	ht_doc_unref(&doc);
}

static void
what_must_fail_fails_and_says_why(void **state)
{
	json_t *all = domain();

	(void)state;
	if (all == NULL)
		return;
	for (size_t i = 0; i < HT_COUNT(variants); i++)
		check_variant(all, &variants[i]);
	json_decref(all);
}

/* ---- the grants of the demo ---- */

#define GRANTS_DIR "tests/demo/grants"

static const struct ht_item *
item_of(const struct ht_grant *grant, struct ht_doc **ret_doc)
{
	assert_int_equal(strncmp(grant->item, "gx.demo/", 8), 0);
	*ret_doc = load(grant->item + 8);
	assert_string_equal((*ret_doc)->item->name, grant->item);
	return (*ret_doc)->item;
}

static bool
listed(const char (*codes_of)[HT_PURPOSE_MAX + 1], unsigned n, const char *code)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(codes_of[i], code) == 0)
			return true;
	return false;
}

/* ADR 5: what is above level 1 of an unconditional item stands by name. */
static void
check_released(const struct ht_grant_doc *doc, const struct ht_item *item)
{
	if (doc->grant.all_fields && item->share == HT_SHARE_UNCONDITIONAL)
		fail_msg("%s: grants all of %s", doc->grant.name, item->name);
	for (unsigned i = 0; i < doc->n_fields; i++)
		if (ht_schema_field_index(item->record, doc->fields[i]) < 0)
			fail_msg("%s: %s has no field %s", doc->grant.name,
			    item->name, doc->fields[i]);
	if (doc->grant.row_field != NULL)
		assert_true(ht_schema_field_index(
		                item->record, doc->grant.row_field) >= 0);
}

static void
check_grant(const struct ht_grant_doc *doc)
{
	const struct ht_grant *grant = &doc->grant;
	struct ht_doc *item_doc = NULL;
	const struct ht_item *item = item_of(grant, &item_doc);

	assert_string_equal(grant->provider, item->provider);
	assert_int_equal(grant->version, item->version);
	assert_int_equal(grant->operations & ~item->operations, 0);
	assert_true(listed(item->bases, item->n_bases, grant->basis));
	for (unsigned i = 0; i < grant->n_purposes; i++)
		assert_true(listed(
		    item->purposes, item->n_purposes, grant->purposes[i]));
	check_released(doc, item);
	ht_doc_unref(&item_doc);
}

static void
the_grants_fit_the_items(void **state)
{
	unsigned expired = 0, ended = 0, resting = 0, counted = 0, rows = 0;
	char path[128];

	(void)state;
	for (int n = 1; n <= 18; n++) {
		struct ht_doc *doc;
		const struct ht_grant *grant;
		char name[32];

		(void)snprintf(path, sizeof(path), GRANTS_DIR "/%02d.yaml", n);
		doc = load_doc(path);
		assert_int_equal(doc->kind, HT_DOC_GRANT);
		grant = &doc->grant->grant;
		(void)snprintf(name, sizeof(name), "gx.demo/%d", n);
		assert_string_equal(grant->name, name);
		check_grant(doc->grant);
		expired += grant->until_ms < 1735700000000; /* 2025 */
		ended += grant->state == HT_GRANT_TERMINATED;
		resting += grant->state == HT_GRANT_SUSPENDED;
		counted += grant->quota_day > 0;
		rows += grant->row_field != NULL;
		ht_doc_unref(&doc);
	}
	/* The demo needs one of each to be refused by. */
	assert_int_equal(expired, 1);
	assert_int_equal(ended, 1);
	assert_int_equal(resting, 1);
	assert_true(counted > 0 && rows > 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(there_are_these_twelve),
    cmocka_unit_test(every_field_has_level_and_two_names),
    cmocka_unit_test(fields_and_samples_are_the_domain_s),
    cmocka_unit_test(what_must_fail_fails_and_says_why),
    cmocka_unit_test(the_grants_fit_the_items),
};

HT_TEST_MAIN(tests)
