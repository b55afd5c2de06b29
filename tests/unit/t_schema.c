#include "schemas/schema.h"

#include <jansson.h>

#include "lib/base/limits.h"
#include "schemas/number.h"
#include "tests/lib/fault.h"
#include "tests/lib/test.h"

/* ---- the public suite ---- */

/* Files whose every case must hold. */
static const char *const whole_files[] = {
    "additionalProperties",
    "allOf",
    "anyOf",
    "boolean_schema",
    "const",
    "contains",
    "default",
    "dependentRequired",
    "dependentSchemas",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "if-then-else",
    "infinite-loop-detection",
    "items",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "oneOf",
    "prefixItems",
    "properties",
    "propertyNames",
    "required",
    "type",
    "uniqueItems",
    "optional/float-overflow",
    "optional/non-bmp-regex",
    "optional/format/date",
    "optional/format/date-time",
    "optional/format/time",
};

#define NO_ID      "$id: documents have one base, and nothing is fetched"
#define NO_UNEV    "unevaluated*: additionalProperties says it without annotations"
#define LONG_NAMES "\\p{Letter}: PCRE2 has the short names, as \\p{L}"
#define NO_FETCH   "a reference to another document: nothing is fetched"

/* Files of which some cases are out of what an item may say: a compile error.
 */
static const struct skipped {
	const char *file;
	const char *group;
	const char *reason;
} skipped[] = {
    {"anchor",            "Location-independent identifier with absolute URI",          NO_ID   },
    {"anchor",
     "Location-independent identifier with base URI change in subschema",               NO_ID   },
    {"anchor",            "same $anchor with different base uri",                       NO_ID   },
    {"defs",              "validate definition against metaschema",                     NO_FETCH},
    {"not",
     "collect annotations inside a 'not', even if collection is disabled",              NO_UNEV },
    {"patternProperties", "patternProperties with Unicode property escape",
     LONG_NAMES                                                                                 },
    {"pattern",           "pattern with Unicode property escape requires unicode mode",
     LONG_NAMES                                                                                 },
    {"ref",               "remote ref, containing refs itself",                         NO_FETCH},
    {"ref",               "Recursive references between schemas",                       NO_ID   },
    {"ref",               "ref creates new scope when adjacent to keywords",            NO_UNEV },
    {"ref",               "refs with relative uris and defs",                           NO_ID   },
    {"ref",               "relative refs with absolute uris and defs",                  NO_ID   },
    {"ref",
     "$id must be resolved against nearest parent, not just immediate "
        "parent",                                                                       NO_ID   },
    {"ref",               "order of evaluation: $id and $ref",                          NO_ID   },
    {"ref",               "order of evaluation: $id and $anchor and $ref",              NO_ID   },
    {"ref",               "order of evaluation: $id and $ref on nested schema",         NO_ID   },
    {"ref",               "simple URN base URI with $ref via the URN",                  NO_ID   },
    {"ref",               "simple URN base URI with JSON pointer",                      NO_ID   },
    {"ref",               "URN base URI with NSS",                                      NO_ID   },
    {"ref",               "URN base URI with r-component",                              NO_ID   },
    {"ref",               "URN base URI with q-component",                              NO_ID   },
    {"ref",               "URN base URI with URN and JSON pointer ref",                 NO_ID   },
    {"ref",               "URN base URI with URN and anchor ref",                       NO_ID   },
    {"ref",               "URN ref with nested pointer ref",                            NO_ID   },
    {"ref",               "ref to if",                                                  NO_ID   },
    {"ref",               "ref to then",                                                NO_ID   },
    {"ref",               "ref to else",                                                NO_ID   },
    {"ref",               "ref with absolute-path-reference",                           NO_ID   },
    {"ref",               "$id with file URI still resolves pointers - *nix",           NO_ID   },
    {"ref",               "$id with file URI still resolves pointers - windows",        NO_ID   },
};
static const char *const part_files[] = {
    "anchor", "defs", "not", "pattern", "patternProperties", "ref"};

/*
 * Not claimed at all, and so a compile error: content*, $dynamicRef,
 * refRemote, unevaluated*, vocabulary; format.json (its formats are others,
 * and annotations only).
 */
static const char *const refused_files[] = {"content", "dynamicRef",
    "refRemote", "unevaluatedItems", "unevaluatedProperties", "vocabulary"};

static json_t *
load(const char *file)
{
	char name[128], path[HT_TEST_PATH_MAX];
	json_error_t error;
	json_t *json;

	(void)snprintf(
	    name, sizeof(name), "json-schema/tests/draft2020-12/%s.json", file);
	if (ht_test_shared(path, name) == NULL)
		return NULL;
	json = json_load_file(
	    path, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (json == NULL)
		fail_msg("%s: %s", path, error.text);
	return json;
}

/* cmocka's skip() is "not ok" in TAP: a message, and nothing more. */
static bool
have_suite(void)
{
	json_t *json = load("allOf");

	json_decref(json);
	return json != NULL;
}

static const char *
text_of(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

static bool
is_skipped(const char *file, const char *group)
{
	for (size_t i = 0; i < HT_COUNT(skipped); i++)
		if (strcmp(skipped[i].file, file) == 0 &&
		    strcmp(skipped[i].group, group) == 0)
			return true;
	return false;
}

static unsigned
play_group(const char *file, const json_t *group)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_schema_free) struct ht_schema *schema = NULL;
	const json_t *cases = json_object_get(group, "tests"), *one;
	size_t i;

	if (ht_schema_compile(json_object_get(group, "schema"), "", report,
	        &schema) != HT_OK) {
		ht_report_print(report, stderr);
		fail_msg("%s: '%s' does not compile", file,
		    text_of(group, "description"));
	}
	json_array_foreach(cases, i, one)
	{
		HT_AUTO(ht_report_free)
		struct ht_report *found = ht_report_new();
		bool want = json_is_true(json_object_get(one, "valid"));
		bool got = ht_schema_check(
		    schema, json_object_get(one, "data"), found, NULL);

		if (got != want)
			fail_msg("%s: '%s': '%s' is %s", file,
			    text_of(group, "description"),
			    text_of(one, "description"),
			    got ? "taken" : "refused");
		/* Refused with a reason, taken with none. */
		assert_int_equal(got, ht_report_count(found) == 0);
	}
	return (unsigned)json_array_size(cases);
}

/* What is left out is an error that says so, never silence. */
static void
refuse_group(const json_t *group)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_schema *schema = NULL;

	assert_err(ht_schema_compile(
	               json_object_get(group, "schema"), "", report, &schema),
	    HT_EINVALID);
	assert_null(schema);
	assert_true(ht_report_count(report) > 0);
}

static unsigned
play_file(const char *file, unsigned *left_out)
{
	json_t *groups = load(file), *group;
	unsigned played = 0;
	size_t i;

	assert_non_null(groups);
	json_array_foreach(groups, i, group)
	{
		if (is_skipped(file, text_of(group, "description"))) {
			refuse_group(group);
			(*left_out)++;
		} else {
			played += play_group(file, group);
		}
	}
	json_decref(groups);
	return played;
}

static void
the_public_suite_holds(void **state)
{
	unsigned played = 0, left_out = 0;

	(void)state;
	if (!have_suite())
		return;
	for (size_t i = 0; i < HT_COUNT(whole_files); i++)
		played += play_file(whole_files[i], &left_out);
	assert_int_equal(left_out, 0);
	for (size_t i = 0; i < HT_COUNT(part_files); i++)
		played += play_file(part_files[i], &left_out);
	/* A row of the table that names nothing is a mistake. */
	assert_int_equal(left_out, HT_COUNT(skipped));
	print_message("# %u cases of the public suite, %u groups left out\n",
	    played, left_out);
	assert_true(played > 700);
}

static void
what_is_not_claimed_does_not_compile(void **state)
{
	(void)state;
	if (!have_suite())
		return;
	for (size_t f = 0; f < HT_COUNT(refused_files); f++) {
		json_t *groups = load(refused_files[f]), *group;
		size_t i;

		json_array_foreach(groups, i, group) refuse_group(group);
		json_decref(groups);
	}
}

/* ---- what is refused when compiling ---- */

static json_t *
parse(const char *text)
{
	json_error_t error;
	json_t *json =
	    json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);

	if (json == NULL)
		fail_msg("%s: %s", text, error.text);
	return json;
}

static const struct {
	const char *why;
	const char *schema;
	const char *finding; /* "place: text" has this in it */
} wrong_schemas[] = {
    {"an unknown keyword",               "{\"minlength\": 3}",
     "x.yaml: /record/minlength: the keyword 'minlength'"                                                         },
    {"one further in",                   "{\"properties\": {\"a/b\": {\"nope\": 1}}}",
     "/record/properties/a~1b/nope: "                                                                             },
    {"an unknown format",                "{\"format\": \"email\"}",                    "no format known here"     },
    {"a wrong pattern",                  "{\"pattern\": \"([a\"}",                     "/record/pattern: "        },
    {"a pattern with settings",          "{\"pattern\": \"(*UCP)a\"}",                 "ECMA-262"                 },
    {"a remote reference",               "{\"$ref\": \"http://x/y\"}",                 "nothing is fetched"       },
    {"a reference to nowhere",           "{\"$ref\": \"#/$defs/a\"}",                  "points at no"             },
    {"a reference to no schema",
     "{\"enum\": [{\"type\": \"null\"}], \"not\": {\"$ref\": "
        "\"#/enum/0\"}}",                                                              "points at no"             },
    {"a reference with a broken escape", "{\"$ref\": \"#/$defs/~2\"}",
     "points at no"                                                                                               },
    {"an unknown anchor",                "{\"$ref\": \"#there\"}",                     "points at no"             },
    {"an anchor twice",
     "{\"allOf\": [{\"$anchor\": \"a\"}, {\"$anchor\": \"a\"}]}",                      "stands twice"             },
    {"a circle of one",                  "{\"$ref\": \"#\"}",                          "leads back"               },
    {"a circle of two, aside",
     "{\"$defs\": {\"a\": {\"allOf\": [{\"$ref\": \"#/$defs/b\"}]}, "
        "\"b\": {\"anyOf\": [{\"$ref\": \"#/$defs/a\"}]}}}",                           "leads back"               },
    {"a type that is none",              "{\"type\": \"text\"}",                       "/record/type: expected"   },
    {"no type",                          "{\"type\": []}",                             "/record/type: expected"   },
    {"a negative length",                "{\"minLength\": -1}",                        "a whole number"           },
    {"half a length",                    "{\"maxItems\": 1.5}",                        "a whole number"           },
    {"a multiple of nothing",            "{\"multipleOf\": 0}",                        "above 0"                  },
    {"a level that is none",             "{\"x-level\": 4}",                           "/record/x-level: expected"},
    {"required is no list",              "{\"required\": \"a\"}",                      "a list of names"          },
    {"required has a number",            "{\"required\": [1]}",                        "names only"               },
    {"no alternatives",                  "{\"anyOf\": []}",                            "a list of schemas"        },
    {"a schema is a number",             "{\"not\": 7}",                               "expected a schema"        },
    {"an order of three",                "{\"x-order\": [[\"a\", \"b\", \"c\"]]}",     "pairs"                    },
    {"a sum of nothing",                 "{\"x-sum\": [[\"a\"]]}",                     "a total's name"           },
    {"another dialect",
     "{\"$schema\": \"http://json-schema.org/draft-07/schema#\"}",                     "one dialect"              },
    {"$dynamicRef",                      "{\"$dynamicRef\": \"#\"}",                   "not supported here"       },
    {"unevaluatedProperties",            "{\"unevaluatedProperties\": false}",
     "not supported here"                                                                                         },
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

static void
mistakes_in_schemas_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(wrong_schemas); i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		json_t *json = parse(wrong_schemas[i].schema);
		struct ht_schema *schema = NULL;

		assert_err(
		    ht_schema_compile(json, "x.yaml: /record", report, &schema),
		    HT_EINVALID);
		assert_null(schema);
		if (!says(report, wrong_schemas[i].finding)) {
			ht_report_print(report, stderr);
			fail_msg("%s: no finding has '%s'",
			    wrong_schemas[i].why, wrong_schemas[i].finding);
		}
		json_decref(json);
	}
}

static void
all_mistakes_come_at_once(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	json_t *json = parse("{\"type\": \"text\", \"nope\": 1, "
	                     "\"properties\": {\"a\": {\"format\": \"?\"}, "
	                     "\"b\": {\"$ref\": \"#/x\"}}}");
	struct ht_schema *schema = NULL;

	(void)state;
	assert_err(ht_schema_compile(json, "", report, &schema), HT_EINVALID);
	assert_int_equal(ht_report_count(report), 4);
	json_decref(json);
}

/* ---- what is said about a value ---- */

static struct ht_schema *
compiled(const char *text)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_schema *schema = NULL;
	json_t *json = parse(text);

	if (ht_schema_compile(json, "", report, &schema) != HT_OK) {
		ht_report_print(report, stderr);
		fail_msg("does not compile: %s", text);
	}
	json_decref(json);
	return schema;
}

static const struct {
	const char *schema;
	const char *value;
	const char *finding; /* NULL: valid */
} values[] = {
    {"{\"format\": \"uscc\"}",                    "\"91999999000000019D\"",            NULL                                       },
    {"{\"format\": \"uscc\"}",                    "\"91999999000000019E\"",
     ": is no valid uscc: the check character (18) is wrong"                                                                      },
    {"{\"x-bytes\": 6}",                          "\"互通\"",                        NULL                                       },
    {"{\"x-bytes\": 6}",                          "\"互通!\"",                       "longer than 6 bytes"                      },
    {"{\"maxLength\": 2}",                        "\"互通\"",                        NULL                                       },
    {"{\"type\": [\"string\", \"null\"]}",        "7",
     ": expected null or string, not number"                                                                                      },
    {"{\"enum\": [\"01\", \"02\", 3]}",           "\"04\"",                            "is not one of: 01, 02, 3"                 },
    {"{\"required\": [\"a\", \"b\"]}",            "{\"b\": 1}",                        "/a: is missing"                           },
    {"{\"dependentRequired\": {\"b\": [\"c\"]}}", "{\"b\": 1}",
     "/c: is missing; 'b' needs it"                                                                                               },
    {"{\"additionalProperties\": false}",         "{\"a~/b\": 1}",
     "/a~0~1b: is no field known here"                                                                                            },
    {"{\"additionalProperties\": false}",         "{\"a\\u001b[2J\": 1}",
     "/a\\x1b[2J: "                                                                                                               },
    {"{\"items\": {\"type\": \"integer\"}}",      "[1, 2, \"x\"]",
     "/2: expected integer"                                                                                                       },
    {"{\"anyOf\": [{\"title\": \"one\", \"required\": [\"a\"]}, {\"title\": "
     "\"two\", \"required\": [\"b\"]}]}",    "{}",                                "fits none of the 2 alternatives: one; two"},
    {"{\"not\": {\"title\": \"a code on a digital invoice\", \"required\": "
     "[\"a\"]}}",                            "{\"a\": 1}",                        "must not be: a code on a digital invoice" },
    {"{\"pattern\": \"^[0-9]{2}$\"}",             "\"12\\n\"",                         "does not match"                           },
    {"{\"pattern\": \"^\\\\d$\"}",                "\"\\u0663\"",                       "does not match"                           },
    {"{\"pattern\": \"^\\\\u4e92.$\"}",           "\"互通\"",                        NULL                                       },
    {"{\"x-order\": [[\"a\", \"b\"]]}",
     "{\"a\": \"2024-03-01\", \"b\": \"2024-02-29\"}",                                 "'a' is after or above 'b'"                },
    {"{\"x-order\": [[\"a\", \"b\"]]}",
     "{\"a\": \"2024-03-01\", \"b\": \"2024-03-01\"}",                                 NULL                                       },
    {"{\"x-order\": [[\"a\", \"b\"]]}",           "{\"a\": \"9.5\", \"b\": \"10\"}",
     NULL                                                                                                                         },
    {"{\"x-order\": [[\"a\", \"b\"]]}",           "{\"a\": \"10.01\", \"b\": \"10\"}",
     "'a' is after or above 'b'"                                                                                                  },
    {"{\"x-order\": [[\"a\", \"b\"]]}",           "{\"a\": \"10\"}",                   NULL                                       },
    {"{\"x-sum\": [[\"t\", \"a\", \"b\"]]}",
     "{\"t\": \"0.30\", \"a\": \"0.1\", \"b\": \"0.20\"}",                             NULL                                       },
    {"{\"x-sum\": [[\"t\", \"a\", \"b\"]]}",      "{\"t\": \"0.1\", \"a\": \"0.1\"}",
     NULL                                                                                                                         },
    {"{\"x-sum\": [[\"t\", \"a\", \"b\"]]}",
     "{\"t\": \"0.31\", \"a\": \"0.1\", \"b\": \"0.20\"}",                             "not the sum"                              },
    {"{\"x-sum\": [[\"t\", \"a\", \"b\"]]}",      "{\"t\": \"0.31\"}",                 NULL                                       },
    {"{\"x-prefix\": [[\"a\", \"b\"]]}",          "{\"a\": \"1234\", \"b\": \"12\"}",
     NULL                                                                                                                         },
    {"{\"x-prefix\": [[\"a\", \"b\"]]}",          "{\"a\": \"1234\", \"b\": \"13\"}",
     "'a' does not begin with 'b'"                                                                                                },
    {"{\"x-prefix\": [[\"a\", \"b\"]]}",          "{\"a\": \"1\", \"b\": \"12\"}",
     "'a' does not begin with 'b'"                                                                                                },
    {"{\"multipleOf\": 0.01}",                    "4.35",                              NULL                                       },
    {"{\"multipleOf\": 0.01}",                    "4.351",                             "not a multiple of 0.01"                   },
    {"{\"maximum\": 9007199254740992}",           "9007199254740993",                  "is more than"                             },
    {"{\"minimum\": 0.5}",                        "0",                                 "is less than 0.5"                         },
};

static void
findings_say_where_and_what(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(values); i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		HT_AUTO(ht_schema_free)
		struct ht_schema *schema = compiled(values[i].schema);
		json_t *value = parse(values[i].value);
		bool good = ht_schema_check(schema, value, report, NULL);

		if (good != (values[i].finding == NULL) ||
		    (!good && !says(report, values[i].finding))) {
			ht_report_print(report, stderr);
			fail_msg(
			    "%s against %s", values[i].value, values[i].schema);
		}
		json_decref(value);
	}
}

static const char record_schema[] =
    "{\"type\": \"object\", \"required\": [\"id\", \"name\", \"kind\"],"
    " \"properties\": {"
    "  \"id\": {\"type\": \"string\", \"format\": \"uscc\", \"title\": "
    "\"代码\", \"description\": \"Code\", \"x-level\": 0},"
    "  \"name\": {\"type\": \"string\", \"maxLength\": 4, \"x-level\": 2},"
    "  \"kind\": {\"enum\": [\"1\", \"2\"], \"x-level\": 1},"
    "  \"why\": {\"type\": \"string\"}},"
    " \"if\": {\"properties\": {\"kind\": {\"const\": \"2\"}}, "
    "\"required\": [\"kind\"]},"
    " \"then\": {\"required\": [\"why\"]},"
    " \"allOf\": [{\"x-warn\": true, \"properties\": {\"id\": "
    "{\"pattern\": \"^9\"}}}],"
    " \"additionalProperties\": false}";

static void
every_violation_is_listed_and_no_value(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_schema_free)
	struct ht_schema *schema = compiled(record_schema);
	json_t *value = parse("{\"id\": \"SECRET-1\", \"name\": \"SECRET-2\", "
	                      "\"kind\": \"2\", \"other\": \"SECRET-3\"}");

	(void)state;
	assert_false(ht_schema_check(schema, value, report, NULL));
	assert_int_equal(ht_report_count(report), 4);
	assert_true(says(report, "/id: "));
	assert_true(says(report, "/name: is longer than 4 characters"));
	assert_true(says(report, "/other: is no field known here"));
	assert_true(says(report, "/why: is missing"));
	assert_false(says(report, "SECRET"));
	json_decref(value);
}

static void
a_warning_refuses_nothing(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_report_free) struct ht_report *warnings = ht_report_new();
	HT_AUTO(ht_schema_free)
	struct ht_schema *schema = compiled(record_schema);
	json_t *value = parse("{\"id\": \"11999999000000019M\", \"name\": "
	                      "\"x\", \"kind\": \"1\"}");

	(void)state;
	assert_true(ht_schema_check(schema, value, report, warnings));
	assert_int_equal(ht_report_count(report), 0);
	assert_int_equal(ht_report_count(warnings), 1);
	assert_true(says(warnings, "/id: does not match the pattern ^9"));
	assert_true(ht_schema_check(schema, value, NULL, NULL));
	json_decref(value);
}

static void
fields_stand_in_the_order_written(void **state)
{
	static const char *const names[] = {"id", "name", "kind", "why"};
	static const int levels[] = {0, 2, 1, -1};
	HT_AUTO(ht_schema_free)
	struct ht_schema *schema = compiled(record_schema);

	(void)state;
	assert_int_equal(ht_schema_fields(schema), HT_COUNT(names));
	for (size_t i = 0; i < HT_COUNT(names); i++) {
		assert_string_equal(ht_schema_field(schema, i), names[i]);
		assert_int_equal(ht_schema_field_index(schema, names[i]), i);
		assert_int_equal(ht_schema_field_level(schema, i), levels[i]);
	}
	assert_int_equal(ht_schema_field_index(schema, "other"), -1);
	assert_string_equal(ht_schema_field_title(schema, 0), "代码");
	assert_string_equal(ht_schema_field_about(schema, 0), "Code");
	assert_null(ht_schema_field_title(schema, 1));
}

static void
a_field_is_checked_alone(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_schema_free)
	struct ht_schema *schema = compiled(record_schema);
	json_t *value = json_string("9");

	(void)state;
	assert_true(ht_schema_check_field(schema, 1, value, report));
	assert_false(ht_schema_check_field(schema, 0, value, report));
	assert_int_equal(ht_report_count(report), 1);
	assert_true(says(report, "/id: is no valid uscc"));
	json_decref(value);
}

static const struct {
	const char *why;
	const char *value;
	uint8_t released;
	const char *finding; /* NULL: valid */
} parts[] = {
    {"two fields",                "{\"name\": \"x\", \"kind\": \"2\"}", 6, NULL                        },
    {"a required one lacks",      "{\"name\": \"x\"}",                  6, "/kind: is missing"         },
    {"one that was not released", "{\"name\": \"x\", \"why\": \"y\"}",  2,
     "/why: is there, but was not released"                                                            },
    {"a stranger",                "{\"x\": 1}",                         0, "/x: is no field known here"},
    {"a wrong value",             "{\"kind\": \"3\"}",                  4, "/kind: is not one of"      },
    {"an optional one lacks",     "{}",                                 8, NULL                        },
    {"no object",                 "[]",                                 0, "expected object, not array"},
};

static void
a_part_of_a_record_is_checked_as_a_part(void **state)
{
	HT_AUTO(ht_schema_free)
	struct ht_schema *schema = compiled(record_schema);

	(void)state;
	for (size_t i = 0; i < HT_COUNT(parts); i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		json_t *value = parse(parts[i].value);
		bool good = ht_schema_check_part(schema, value,
		    HT_SLICE(&parts[i].released, 1), report, NULL);

		if (good != (parts[i].finding == NULL) ||
		    (!good && !says(report, parts[i].finding)))
			fail_msg("%s", parts[i].why);
		json_decref(value);
	}
}

/* ---- hostile input ---- */

static void
a_bomb_of_a_pattern_meets_its_limits(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_schema_free)
	struct ht_schema *schema =
	    compiled("{\"items\": {\"pattern\": \"^(a+)+$\"}}");
	json_t *value = json_array();

	(void)state;
	for (int i = 0; i < 1000; i++)
		(void)json_array_append_new(value,
		    json_string("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"));
	assert_false(ht_schema_check(schema, value, report, NULL));
	assert_int_equal(ht_report_count(report), 1);
	assert_true(says(report, "/0: a pattern could not be decided"));
	json_decref(value);
}

/* Giving up is no answer that `not` may turn into a yes. */
static void
giving_up_is_never_a_yes(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_schema_free)
	struct ht_schema *schema =
	    compiled("{\"not\": {\"pattern\": \"^(a+)+$\"}}");
	HT_AUTO(ht_schema_free)
	struct ht_schema *warning =
	    compiled("{\"x-warn\": true, \"pattern\": \"^(a+)+$\"}");
	json_t *value = json_string("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");

	(void)state;
	assert_false(ht_schema_check(schema, value, report, NULL));
	assert_int_equal(ht_report_count(report), 1);
	assert_false(ht_schema_check(warning, value, NULL, NULL));
	json_decref(value);
}

static void
work_has_an_end(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_schema_free)
	struct ht_schema *unique = compiled("{\"uniqueItems\": true}");
	HT_AUTO(ht_schema_free)
	struct ht_schema *doubling = compiled(
	    "{\"items\": {\"anyOf\": [{\"$ref\": \"#\"}, {\"$ref\": \"#\"}, "
	    "{\"$ref\": \"#\"}, {\"$ref\": \"#\"}]}, \"type\": \"array\"}");
	json_t *list = json_array(), *deep = json_integer(1);

	(void)state;
	for (int i = 0; i < 100000; i++)
		(void)json_array_append_new(list, json_integer(i));
	assert_false(ht_schema_check(unique, list, report, NULL));
	assert_true(says(report, "more work than any record should"));
	for (int i = 0; i < 12; i++)
		deep = json_pack("[o]", deep);
	assert_false(ht_schema_check(doubling, deep, report, NULL));
	json_decref(list);
	json_decref(deep);
}

static json_t *
nested(const char *key, unsigned depth)
{
	json_t *json = json_object();

	for (unsigned i = 0; i < depth; i++)
		json = json_pack("{s:o}", key, json);
	return json;
}

static void
depth_has_an_end(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_schema_free)
	struct ht_schema *tree =
	    compiled("{\"additionalProperties\": {\"$ref\": \"#\"}}");
	struct ht_schema *schema = NULL;
	json_t *edge = nested("not", HT_SCHEMA_DEPTH - 1);
	json_t *over = nested("not", HT_SCHEMA_DEPTH);
	json_t *far = nested("not", 1000);
	json_t *value = nested("a", 500);

	(void)state;
	assert_ok(ht_schema_compile(edge, "", report, &schema));
	ht_schema_free(&schema);
	assert_err(ht_schema_compile(over, "", report, &schema), HT_EINVALID);
	assert_err(ht_schema_compile(far, "", report, &schema), HT_EINVALID);
	assert_int_equal(ht_report_count(report), 2);
	assert_false(ht_schema_check(tree, value, report, NULL));
	assert_true(says(report, "too deep for its schema"));
	json_decref(edge);
	json_decref(over);
	json_decref(far);
	json_decref(value);
}

static void
a_crowd_of_schemas_is_refused(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_schema *schema = NULL;
	json_t *list = json_array(), *json;

	(void)state;
	for (int i = 0; i < HT_SCHEMA_NODES; i++)
		(void)json_array_append_new(list, json_object());
	json = json_pack("{s:o}", "allOf", list);
	assert_err(ht_schema_compile(json, "", report, &schema), HT_EINVALID);
	assert_int_equal(ht_report_count(report), 1);
	json_decref(json);
}

static void
memory_may_run_out_at_any_moment(void **state)
{
	json_t *json = parse(record_schema);
	json_t *value = parse("{\"id\": \"11999999000000019M\"}");
	struct ht_schema *schema = NULL;
	struct ht_report *report = ht_report_new();
	enum ht_err err = HT_OK;
	bool good = true;

	(void)state;
	TORTURE(err = ht_schema_compile(json, "x", report, &schema))
	{
		assert_int_equal(err, HT_ENOMEM);
		assert_null(schema);
	}
	assert_ok(err);
	TORTURE(good = ht_schema_check(schema, value, report, NULL))
	assert_false(good);
	assert_false(good);
	ht_schema_free(&schema);
	ht_report_free(&report);
	json_decref(json);
	json_decref(value);
}

/* ---- decimals ---- */

static const struct {
	const char *json;
	bool valid;
	long long thousandths;
} decimals[] = {
    {"\"0\"",                     true,  0                   },
    {"\"12.345\"",                true,  12345               },
    {"\"-12.30\"",                true,  -12300              },
    {"\"007\"",                   true,  7000                },
    {"7",                         true,  7000                },
    {"-7",                        true,  -7000               },
    {"\"999999999999999.999\"",   true,  999999999999999999LL},
    {"7.5",                       false, 0                   },
    {"\"\"",                      false, 0                   },
    {"\"-\"",                     false, 0                   },
    {"\".5\"",                    false, 0                   },
    {"\"5.\"",                    false, 0                   },
    {"\"1e3\"",                   false, 0                   },
    {"\" 1\"",                    false, 0                   },
    {"\"1 \"",                    false, 0                   },
    {"\"1,000\"",                 false, 0                   },
    {"\"１\"",                   false, 0                   },
    {"\"1234567890123456789\"",   false, 0                   },
    {"\"0.1234567890123456789\"", false, 0                   },
    {"true",                      false, 0                   },
};

static void
decimal_texts_are_read_exactly(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(decimals); i++) {
		json_t *json = parse(decimals[i].json);
		struct ht_decimal d = {0};
		bool valid = ht_decimal_parse(json, &d);

		if (valid != decimals[i].valid ||
		    d.units !=
		        (__int128)decimals[i].thousandths * 1000000000000000)
			fail_msg("%s", decimals[i].json);
		json_decref(json);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_public_suite_holds),
    cmocka_unit_test(what_is_not_claimed_does_not_compile),
    cmocka_unit_test(mistakes_in_schemas_are_named),
    cmocka_unit_test(all_mistakes_come_at_once),
    cmocka_unit_test(findings_say_where_and_what),
    cmocka_unit_test(every_violation_is_listed_and_no_value),
    cmocka_unit_test(a_warning_refuses_nothing),
    cmocka_unit_test(fields_stand_in_the_order_written),
    cmocka_unit_test(a_field_is_checked_alone),
    cmocka_unit_test(a_part_of_a_record_is_checked_as_a_part),
    cmocka_unit_test(a_bomb_of_a_pattern_meets_its_limits),
    cmocka_unit_test(giving_up_is_never_a_yes),
    cmocka_unit_test(work_has_an_end),
    cmocka_unit_test(depth_has_an_end),
    cmocka_unit_test(a_crowd_of_schemas_is_refused),
    cmocka_unit_test(memory_may_run_out_at_any_moment),
    cmocka_unit_test(decimal_texts_are_read_exactly),
};

HT_TEST_MAIN(tests)
