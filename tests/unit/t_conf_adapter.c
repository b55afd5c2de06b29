#include "adapters/conf_adapter.h"

#include "lib/base/fs.h"
#include "tests/lib/test.h"

static char dir[HT_TEST_PATH_MAX];
static char path[HT_TEST_PATH_MAX + 16];

static int
set_up(void **state)
{
	(void)state;
	if (ht_test_dir(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/a.yaml", dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	ht_test_dir_remove(dir);
	return 0;
}

static enum ht_err
load(const char *text, struct ht_report *report, struct ht_conf_adapter *ret)
{
	assert_ok(ht_fs_replace(path, 0600, ht_slice_str(text)));
	return ht_conf_adapter_load(path, report, ret);
}

#define NODE                                                                   \
	"root: root.note\n"                                                    \
	"member: a.demo/b\n"                                                   \
	"node: main\n"                                                         \
	"keys: {signing: s.key, transport: t.key, sealing: [e.key, f.key]}\n"  \
	"state: /var/lib/x\n"

static const char good[] =
    NODE "sources:\n"
         "  register:\n"
         "    odbc:\n"
         "      connect: Driver=X\n"
         "      workers: 3\n"
         "      charset: gb18030\n"
         "    timeout: 2s\n"
         "  list: {file: list.json}\n"
         "items:\n"
         "  gx.demo/P:\n"
         "    source: register\n"
         "    statement: SELECT id, name FROM p WHERE id = :pid\n"
         "    params: {pid: id}\n"
         "    columns:\n"
         "      id: id\n"
         "      name: {column: name, as: text, empty-is-absent: true}\n"
         "      state: {column: st, codes: {\"1\": A, \"2\": B}, else: Z}\n"
         "      unit: {value: \"156\"}\n"
         "  gx.demo/L:\n"
         "    source: list\n"
         "    match: {id: number}\n"
         "    timeout: 1s\n";

static void
a_good_file_is_read(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_conf_adapter conf;
	char want[HT_TEST_PATH_MAX + 32];

	(void)state;
	if (load(good, report, &conf) != HT_OK) {
		ht_report_print(report, stderr);
		fail();
	}
	assert_string_equal(conf.node.conf.member, "a.demo/b");
	(void)snprintf(want, sizeof(want), "%s/root.note", dir);
	assert_string_equal(conf.node.conf.root, want);
	assert_string_equal(conf.node.conf.state, "/var/lib/x");
	(void)snprintf(want, sizeof(want), "%s/f.key", dir);
	assert_string_equal(conf.node.conf.sealing_more[0], want);
	assert_null(conf.node.conf.sealing_more[1]);
	assert_true(conf.node.conf.proofs);
	assert_int_equal(conf.n_sources, 2);
	assert_int_equal(conf.n_items, 2);
	assert_int_equal(conf.sources[0].timeout_ms, 2000);
	assert_ptr_equal(conf.items[0].from, &conf.sources[0]);
	assert_string_equal(conf.items[1].from->ops->kind, "file");
	assert_int_equal(conf.items[1].timeout_ms, 1000);
	ht_conf_adapter_fini(&conf);
}

/* What is wrong, and words that some finding must have. */
static const struct bad_case {
	const char *why;
	const char *text;
	const char *finds[3];
} bad_cases[] = {
    {"every mistake, not the first alone",
     "root: 5\nmember: nobody\nnode: a/b\nkeys: {signing: s}\nstate: x\n",        {":2:9: ", ":3:7: ", "transport"}},
    {"a misspelt key",                      NODE "sorces: {}\n",                  {"sorces", NULL, NULL}           },
    {"a source of no kind",                 NODE "sources: {a: {timeout: 1s}}\n",
     {"odbc", NULL, NULL}                                                                                          },
    {"a source of two kinds",
     NODE "sources: {a: {file: x, odbc: {connect: y}}}\n",
     {"one kind", NULL, NULL}                                                                                      },
    {"an item with no such source",
     NODE "sources: {a: {file: x}}\nitems: {gx.demo/P: {source: b}}\n",
     {"no source 'b'", NULL, NULL}                                                                                 },
    {"an item's name",
     NODE "sources: {a: {file: x}}\nitems: {P: {source: a}}\n",
     {"catalog/CODE", NULL, NULL}                                                                                  },
    {"a statement that writes, no columns",
     NODE "sources: {a: {odbc: {connect: x}}}\nitems:\n  gx.demo/P:\n"
             "    source: a\n    statement: DROP TABLE x\n",                      {"only read", "columns", NULL}   },
    {"a conversion there is none of",
     NODE "sources: {a: {odbc: {connect: x}}}\nitems:\n  gx.demo/P:\n"
             "    source: a\n    statement: SELECT 1\n"
             "    columns: {f: {column: c, as: money}}\n",                        {"'as' is one of", NULL, NULL}   },
    {"a parameter the statement has not",
     NODE "sources: {a: {odbc: {connect: x}}}\nitems:\n  gx.demo/P:\n"
             "    source: a\n    statement: SELECT 1\n    params: {x: y}\n"
             "    columns: {f: c}\n",                                             {"'x'", NULL, NULL}              },
    {"a password file that is not there",
     NODE "sources: {a: {odbc: {connect: x, password-file: nope}}}\n",
     {"holds the password", NULL, NULL}                                                                            },
};

static bool
finds(const struct ht_report *report, const char *words)
{
	char line[1024];

	for (unsigned i = 0; i < ht_report_count(report); i++) {
		(void)snprintf(line, sizeof(line), "%s: %s",
		    ht_report_where(report, i), ht_report_text(report, i));
		if (strstr(line, words) != NULL)
			return true;
	}
	return false;
}

static void
mistakes_are_found_where_they_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(bad_cases); i++) {
		const struct bad_case *c = &bad_cases[i];
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		struct ht_conf_adapter conf;

		if (load(c->text, report, &conf) != HT_EINVALID)
			fail_msg("%s: not found", c->why);
		for (size_t k = 0; k < 3 && c->finds[k] != NULL; k++)
			if (!finds(report, c->finds[k])) {
				ht_report_print(report, stderr);
				fail_msg("%s: nothing says \"%s\"", c->why,
				    c->finds[k]);
			}
	}
}

static void
no_file_no_start(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_conf_adapter conf;

	(void)state;
	assert_err(
	    ht_conf_adapter_load("/no/such/file", report, &conf), HT_ENOTFOUND);
	assert_int_equal(ht_report_count(report), 1);
}

/* Where the catalog's word stands against the mapping's. */
static struct ht_schema *
schema_of(const char *field)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_schema *schema = NULL;
	json_t *json = json_pack("{s:s, s:{s:{s:s, s:i}}}", "type", "object",
	    "properties", field, "type", "string", "x-level", 0);

	assert_ok(ht_schema_compile(json, "test", report, &schema));
	json_decref(json);
	return schema;
}

static void
mappings_are_held_against_the_catalog(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_conf_adapter conf;
	struct ht_item item = {.name = "gx.demo/P",
	    .version = 1,
	    .record = schema_of("name"),
	    .request = schema_of("ident")};

	(void)state;
	assert_ok(load(good, report, &conf));
	conf.items[0].from->ops->check(
	    conf.items[0].query, &item, "here", report);
	assert_true(finds(report, "no field 'id'"));
	assert_true(finds(report, "no field 'state'"));
	assert_true(finds(report, "no parameter 'id'"));
	assert_false(finds(report, "no field 'name'"));
	ht_conf_adapter_fini(&conf);
	ht_schema_free(&item.record);
	ht_schema_free(&item.request);
}

#define CONF_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* ---- versions: each its own entry, or one for all others ---- */

#define ENTRY(name)                                                            \
	"  " name ":\n    source: list\n    match: {shxydm: shxydm}\n"
#define LIST NODE "sources:\n  list: {file: l.json}\nitems:\n"

static void
a_version_finds_its_entry(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_conf_adapter conf;

	(void)state;
	assert_ok(load(LIST ENTRY("gx.demo/P@2") ENTRY("gx.demo/P")
	                   ENTRY("gx.demo/Q@4294967295"),
	    report, &conf));
	assert_ptr_equal(
	    ht_conf_adapter_find(&conf, "gx.demo/P", 1), &conf.items[1]);
	assert_ptr_equal(
	    ht_conf_adapter_find(&conf, "gx.demo/P", 2), &conf.items[0]);
	assert_ptr_equal(
	    ht_conf_adapter_find(&conf, "gx.demo/P", 3), &conf.items[1]);
	assert_ptr_equal(ht_conf_adapter_find(&conf, "gx.demo/Q", UINT32_MAX),
	    &conf.items[2]);
	assert_null(ht_conf_adapter_find(&conf, "gx.demo/Q", 1));
	ht_conf_adapter_fini(&conf);
}

static void
a_version_is_written_in_one_way(void **state)
{
	static const char *const names[] = {"gx.demo/P@", "gx.demo/P@0",
	    "gx.demo/P@01", "gx.demo/P@4294967296", "gx.demo/P@-1",
	    "gx.demo/P@2x", "gx.demo/P@2@3", "@2"};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(names); i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		struct ht_conf_adapter conf;
		char text[1024];

		(void)snprintf(text, sizeof(text),
		    LIST "  \"%s\":\n    source: list\n", names[i]);
		assert_int_equal(load(text, report, &conf), HT_EINVALID);
		if (!finds(report, "catalog/CODE@VERSION"))
			fail_msg("%s", names[i]);
	}
}

static const struct CMUnitTest tests[] = {
    CONF_TEST(a_good_file_is_read),
    CONF_TEST(mistakes_are_found_where_they_are),
    CONF_TEST(no_file_no_start),
    CONF_TEST(mappings_are_held_against_the_catalog),
    CONF_TEST(a_version_finds_its_entry),
    CONF_TEST(a_version_is_written_in_one_way),
};

HT_TEST_MAIN(tests)
