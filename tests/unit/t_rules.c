/*
 * The rules of a catalog: each table row breaks one, and it is told at its
 * line with its word; what is in order is left in peace.
 */
#include "schemas/rules.h"

#include "tests/lib/fault.h"
#include "tests/lib/test.h"

static const char good[] =
    "hutong: item/v1\n"                                           /* 1 */
    "item: gx.demo/AB\n"                                          /* 2 */
    "version: 1\n"                                                /* 3 */
    "revision: 1\n"                                               /* 4 */
    "title: {zh: 事项, en: Item}\n"                               /* 5 */
    "provider: a.demo/one\n"                                      /* 6 */
    "share: conditional\n"                                        /* 7 */
    "basis: [{code: L-1, text: 法}]\n"                            /* 8 */
    "operations: [query]\n"                                       /* 9 */
    "purposes: [{code: p, zh: 用途}]\n"                           /* 10 */
    "format: database\n"                                          /* 11 */
    "methods: [interface]\n"                                      /* 12 */
    "cycle: {zh: 每日}\n"                                         /* 13 */
    "conditions: {zh: 仅用于核查}\n"                              /* 14 */
    "scope: {zh: 税务机关}\n"                                     /* 15 */
    "entry:\n"                                                    /* 16 */
    "  code: 307021022100/000009\n"                               /* 17 */
    "  kind: department\n"                                        /* 18 */
    "  provider-code: X\n"                                        /* 19 */
    "  summary: {zh: 摘要}\n"                                     /* 20 */
    "  open: false\n"                                             /* 21 */
    "  published: 2026-11-24\n"                                   /* 22 */
    "  assessed: {secrecy: 2026-10-01, personal: 2026-10-01}\n"   /* 23 */
    "once:\n"                                                     /* 24 */
    "  - {code: C1, field: b, collector: a.demo/one}\n"           /* 25 */
    "request:\n"                                                  /* 26 */
    "  type: object\n"                                            /* 27 */
    "  required: [k]\n"                                           /* 28 */
    "  properties:\n"                                             /* 29 */
    "    k: {type: string, title: 键}\n"                          /* 30 */
    "record:\n"                                                   /* 31 */
    "  type: object\n"                                            /* 32 */
    "  required: [a]\n"                                           /* 33 */
    "  properties:\n"                                             /* 34 */
    "    a: {type: string, x-level: 0, title: 甲}\n"              /* 35 */
    "    b: {type: string, x-level: 2, x-bytes: 30, title: 乙}\n" /* 36 */
    "  additionalProperties: false\n";                            /* 37 */

/* Edits are "from\1to\1from\1to": the first of each is replaced. */
static struct ht_doc *
edited(const char *where, const char *text, const char *edits)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	char now[8192], copy[2048], next[8192];
	struct ht_doc *doc = NULL;

	(void)snprintf(now, sizeof(now), "%s", text);
	(void)snprintf(copy, sizeof(copy), "%s", edits);
	for (char *from = copy; *from != '\0';) {
		char *to = strchr(from, '\1'), *end, *at;

		assert_non_null(to);
		*to++ = '\0';
		end = strchrnul(to, '\1');
		at = strstr(now, from);
		if (at == NULL)
			fail_msg("the text has no \"%s\"", from);
		(void)snprintf(next, sizeof(next), "%.*s%.*s%s",
		    (int)(at - now), now, (int)(end - to), to,
		    at + strlen(from));
		memcpy(now, next, sizeof(now));
		from = *end == '\0' ? end : end + 1;
	}
	if (ht_doc_parse(ht_slice_str(now), where, report, &doc) != HT_OK) {
		ht_report_print(report, stderr);
		fail_msg("%s", edits);
	}
	return doc;
}

/* One finding, that begins and ends so; or none, for NULL. */
static void
check_one(const char *why, const struct ht_report *report, const char *where,
    const char *rule)
{
	char end[64], line[2048];
	size_t len;

	if (where == NULL) {
		if (ht_report_count(report) > 0) {
			ht_report_print(report, stderr);
			fail_msg("%s: nothing was expected", why);
		}
		return;
	}
	if (ht_report_count(report) != 1) {
		ht_report_print(report, stderr);
		fail_msg("%s: one finding was expected", why);
	}
	(void)snprintf(end, sizeof(end), " [%s]", rule);
	(void)snprintf(line, sizeof(line), "%s", ht_report_text(report, 0));
	len = strlen(line);
	if (strcmp(ht_report_where(report, 0), where) != 0 ||
	    len < strlen(end) || strcmp(line + len - strlen(end), end) != 0)
		fail_msg("%s: %s: %s", why, ht_report_where(report, 0), line);
}

/* ---- one item ---- */

#define KEEP ""

static const struct item_case {
	const char *why;
	const char *edits;
	const char *breaks; /* where a violation is, or NULL */
	const char *advises;
	const char *rule;
} item_cases[] = {
    {"all is there",                   KEEP,                                    NULL,      NULL,      NULL        },
    {"no Chinese name",                "{zh: 事项, en: Item}\1{en: Item}",    "i:5:8",   NULL,
     "name"                                                                                                       },
    {"no form of the data",            "format: database\n\1",                  "i:2:7",   NULL,      "format"    },
    {"no cycle",                       "cycle: {zh: 每日}\n\1",               "i:2:7",   NULL,      "cycle"     },
    {"no way of sharing",              "methods: [interface]\n\1",              "i:2:7",   NULL,      "methods"   },
    {"conditional, and no conditions", "conditions: {zh: 仅用于核查}\n\1",
     "i:7:8",                                                                              NULL,      "conditions"},
    {"conditional, and with nobody",   "scope: {zh: 税务机关}\n\1",         "i:7:8",   NULL,
     "scope"                                                                                                      },
    {"unconditional needs neither",
     "conditional\1unconditional\1conditions: {zh: 仅用于核查}\n\1\1scope: "
        "{zh: 税务机关}\n\1",                                               NULL,      NULL,      NULL        },
    {"a reason not to share, shared",  "format\1reason: x\nformat",             "i:11:9",
     NULL,                                                                                            "reason"    },
    {"not shared, and asked",          "conditional\1none\nreason: 法",        "i:10:13", NULL,
     "operations"                                                                                                 },
    {"not shared: no way is needed",
     "conditional\1none\nreason: 法\1[query]\1[]\1methods: [interface]\n\1",   NULL,      NULL,      NULL        },
    {"a field without a name",         ", title: 甲\1",                        "i:35:8",  NULL,      "field-name"},
    {"queries are an interface",       "[interface]\1[batch]",                  NULL,      "i:12:10",
     "methods"                                                                                                    },
    {"files go as files",              "database\1sheet",                       NULL,      "i:12:10", "methods"   },
    {"a database does not",            "[interface]\1[interface, file]",        NULL,      "i:12:10",
     "methods"                                                                                                    },
    {"an element of the guide",        "  kind: department\n\1",                NULL,      "i:16:1",
     "guide"                                                                                                      },
    {"secrecy was not assessed",       "secrecy: 2026-10-01, \1",               NULL,      "i:23:13",
     "assessed"                                                                                                   },
    {"nor the impact on people",       ", personal: 2026-10-01\1",              NULL,      "i:23:13",
     "assessed"                                                                                                   },
    {"which matters from level 2 on",
     ", personal: 2026-10-01\1\1x-level: 2\1x-level: 1",                        NULL,      NULL,      NULL        },
};

static void
an_item_is_held_to_the_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(item_cases); i++) {
		const struct item_case *c = &item_cases[i];
		HT_AUTO(ht_report_free) struct ht_report *v = ht_report_new();
		HT_AUTO(ht_report_free) struct ht_report *a = ht_report_new();
		HT_AUTO(ht_doc_unref)
		struct ht_doc *doc = edited("i", good, c->edits);
		struct ht_rules to = {v, a};

		assert_ok(ht_rules_item(doc, &to));
		check_one(c->why, v, c->breaks, c->rule);
		check_one(c->why, a, c->advises, c->rule);
	}
}

/* ---- what is not even an item ---- */

static const struct form_case {
	const char *why;
	const char *from;
	const char *to;
	const char *where;
	const char *words;
} form_cases[] = {
    {"secrets have no place here",  "  open: false",       "  secret: true",       "i:21:11",
     "state or work secret"                                                                               },
    {"a form there is none of",     "database",            "cloud",                "i:11:9",  "database"  },
    {"a way twice",                 "[interface]",         "[batch, batch]",       "i:12:18", "twice"     },
    {"a day that is none",          "2026-11-24",          "2026-02-30",           "i:22:14", "2026-11-24"},
    {"a field there is none of",    "field: b",            "field: c",             "i:25:23", "no field"  },
    {"a collector that is no name", "a.demo/one}",         "somebody}",            "i:25:37",
     "name"                                                                                               },
    {"the code twice",              "{code: C1, field: b",
     "{code: C1, field: a, collector: a.demo/one}\n"
        "  - {code: C1, field: b",                                                 "i:26:5",  "already"   },
    {"text turned around",          "事项",              "事\xe2\x80\xae项",   "i:5:14",  "U+202E"    },
    {"what is not seen",            "item: gx",            "item: \xe2\x80\x8bgx", "i:2:7",   "U+200B"    },
    {"another encoding",            "事项",              "\xca\xc2",             "i:5:13",  "UTF-8"     },
    {"a letter of another script",  "gx.demo/AB",
     "gx.demo/\xd0\x90"
        "B",                                                                       "i:2:7",   "name"      },
};

static void
what_is_no_item_is_told_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(form_cases); i++) {
		const struct form_case *c = &form_cases[i];
		HT_AUTO(ht_report_free) struct ht_report *r = ht_report_new();
		HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);
		const char *at = strstr(good, c->from);
		struct ht_doc *doc = NULL;
		bool found = false;

		assert_non_null(at);
		ht_buf_fmt(&text, "%.*s%s%s", (int)(at - good), good, c->to,
		    at + strlen(c->from));
		if (ht_doc_parse(ht_buf_slice(&text), "i", r, &doc) == HT_OK)
			fail_msg("%s: was taken", c->why);
		assert_null(doc);
		for (unsigned f = 0; f < ht_report_count(r); f++)
			found =
			    found ||
			    (strcmp(ht_report_where(r, f), c->where) == 0 &&
			        strstr(ht_report_text(r, f), c->words) != NULL);
		if (!found) {
			ht_report_print(r, stderr);
			fail_msg("%s: not at %s", c->why, c->where);
		}
	}
}

/* ---- mistakes inside a schema, each at its own line ---- */

static const struct schema_case {
	const char *why;
	const char *from;
	const char *to;
	const char *finding; /* "where: text" begins so */
} schema_cases[] = {
    {"a keyword there is none of: its key",  "    b: {type",
     "    b: {max: 3, type",                                                                         "i:36:9: /record/properties/b/max: the keyword"                 },
    {"one whose value stands below it",      "  additionalProperties",
     "  contents:\n    a: 1\n  additionalProperties",                                                "i:37:3: /record/contents: the keyword"                         },
    {"a type that is none: its value",       "b: {type: string",       "b: {type: text",
     "i:36:15: /record/properties/b/type: expected null"                                                                                                             },
    {"one of a list of types",               "b: {type: string",       "b: {type: [string, 'nil']",
     "i:36:24: /record/properties/b/type/1: expected null"                                                                                                           },
    {"a level that is none",                 "x-level: 2",             "x-level: 4",
     "i:36:32: /record/properties/b/x-level: expected 0"                                                                                                             },
    {"a level that is missing: the field",   "x-level: 2, ",           "",
     "i:36:8: the field b needs its level"                                                                                                                           },
    {"the same, where the field is a block",
     "    b: {type: string, x-level: 2, x-bytes: 30, title: 乙}",     "    b:\n      type: string", "i:36:5: the field b needs its level"                           },
    {"a length that is none",                "x-bytes: 30",            "x-bytes: many",
     "i:36:44: /record/properties/b/x-bytes: expected a whole"                                                                                                       },
    {"a number that no machine holds",       "x-bytes: 30",            "x-bytes: 1e999",
     "i:36:44: this number is out of range"                                                                                                                          },
    {"a format there is none of",            "title: 乙",             "format: usc",
     "i:36:56: /record/properties/b/format: 'usc' is no format"                                                                                                      },
    {"a pattern that is none",               "title: 乙",             "pattern: '(['",
     "i:36:57: /record/properties/b/pattern: the pattern"                                                                                                            },
    {"a name that is a number",              "required: [a]",          "required: [a, 7]",
     "i:33:17: /record/required/1: expected names only"                                                                                                              },
    {"a reference to nowhere",               "title: 乙",             "$ref: '#/$defs/x'",
     "i:36:54: /record/properties/b/$ref: $ref '#/$defs/x'"                                                                                                          },
    {"a circle: the schema that begins it",  "title: 乙",
     "$ref: '#/properties/b'",                                                                       "i:36:8: /record/properties/b: a $ref leads back"               },
    {"an alternative",                       "  additionalProperties",
     "  allOf:\n    - {required: [a]}\n    - {requird: [b]}\n  "
        "additionalProperties",                                                                      "i:39:8: /record/allOf/1/requird: the keyword"                  },
    {"a sum of nothing",                     "  additionalProperties",
     "  x-sum:\n    - [a, b]\n    - [a]\n  additionalProperties",                                    "i:39:7: /record/x-sum/1: expected lists of a total's"          },
    {"what is needed with it",               "  additionalProperties",
     "  dependentRequired: {a: b}\n  additionalProperties",                                          "i:37:26: /record/dependentRequired/a: expected a list of names"},
    {"a key's pattern",                      "  additionalProperties",
     "  patternProperties:\n    '([': true\n  additionalProperties",                                 "i:38:11: /record/patternProperties/([: the pattern"            },
    {"the dialect",                          "  additionalProperties",
     "  $schema: draft-07\n  additionalProperties",                                                  "i:37:12: /record/$schema: expected"                            },
    {"no fields",
     "  properties:\n    a: {type: string, x-level: 0, title: 甲}\n    b: "
        "{type: string, x-level: 2, x-bytes: 30, title: 乙}\n",       "",                           "i:31:1: a record has 1 to"                                     },
    {"in the request",                       "k: {type: string",       "k: {type: strng",
     "i:30:15: /request/properties/k/type: expected null"                                                                                                            },
};

static bool
told_as(const struct ht_report *r, const char *finding)
{
	for (unsigned i = 0; i < ht_report_count(r); i++) {
		char line[2048];

		(void)snprintf(line, sizeof(line), "%s: %s",
		    ht_report_where(r, i), ht_report_text(r, i));
		if (strncmp(line, finding, strlen(finding)) == 0)
			return true;
	}
	return false;
}

/* The schema's own mistakes alone: those of what hangs on it are others. */
static unsigned
about_schemas(const struct ht_report *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ht_report_count(r); i++)
		if (strstr(ht_report_text(r, i), " name") == NULL ||
		    ht_report_text(r, i)[0] == '/')
			n++;
	return n;
}

static void
mistakes_in_schemas_stand_at_their_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(schema_cases); i++) {
		const struct schema_case *c = &schema_cases[i];
		HT_AUTO(ht_report_free) struct ht_report *r = ht_report_new();
		HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);
		const char *at = strstr(good, c->from);
		struct ht_doc *doc = NULL;

		assert_non_null(at);
		ht_buf_fmt(&text, "%.*s%s%s", (int)(at - good), good, c->to,
		    at + strlen(c->from));
		assert_err(ht_doc_parse(ht_buf_slice(&text), "i", r, &doc),
		    HT_EINVALID);
		if (!told_as(r, c->finding) || about_schemas(r) != 1) {
			ht_report_print(r, stderr);
			fail_msg("%s: not '%s' alone", c->why, c->finding);
		}
	}
}

/* Of two schemas, and what was never compiled for them. */
static void
all_mistakes_in_schemas_come_at_once(void **state)
{
	static const char *const edits[][2] = {
	    {"k: {type: string", "k: {type: strng"},
	    {"title: 甲",       "titel: 甲"     },
	    {"x-level: 2",       "level: 2"       },
	};
	static const char *const told[] = {
	    "i:30:15: /request/properties/k/type: ",
	    "i:35:35: /record/properties/a/titel: ",
	    "i:36:23: /record/properties/b/level: ",
	    "i:36:8: the field b needs its level",
	};
	HT_AUTO(ht_report_free) struct ht_report *r = ht_report_new();
	char now[8192], next[8192];
	struct ht_doc *doc = NULL;

	(void)state;
	(void)snprintf(now, sizeof(now), "%s", good);
	for (size_t i = 0; i < HT_COUNT(edits); i++) {
		char *at = strstr(now, edits[i][0]);

		assert_non_null(at);
		(void)snprintf(next, sizeof(next), "%.*s%s%s", (int)(at - now),
		    now, edits[i][1], at + strlen(edits[i][0]));
		memcpy(now, next, sizeof(now));
	}
	assert_err(ht_doc_parse(ht_slice_str(now), "i", r, &doc), HT_EINVALID);
	assert_int_equal(ht_report_count(r), HT_COUNT(told));
	for (size_t i = 0; i < HT_COUNT(told); i++)
		if (!told_as(r, told[i])) {
			ht_report_print(r, stderr);
			fail_msg("not told: %s", told[i]);
		}
}

/* ---- a catalog ---- */

static const char member[] =
    "hutong: member/v1\nmember: %s\nrevision: 1\nidentity: "
    "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\nofficers: []\nnodes: []\n"
    "sealing:\n  - {key: 3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=, from: "
    "2026-11-01T00:00:00Z, until: 2026-12-01T00:00:00Z, state: active}\n";

/* Two items, as edited, and what is told of the second (or first). */
static const struct catalog_case {
	const char *why;
	const char *first;
	const char *second;
	const char *where;
	const char *rule;
} catalog_cases[] = {
    {"two things, two codes",                     KEEP,
     "gx.demo/AB\1gx.demo/CD\1"
        "000009\1"
        "000010",                                                                                                                                                       NULL,     NULL        },
    {"two things, one code",                      KEEP,                                          "gx.demo/AB\1gx.demo/CD",                                              "2:17:9", "code"      },
    {"capitals alone",                            KEEP,
     "gx.demo/AB\1gx.demo/aB\1"
        "000009\1"
        "000010",                                                                                                                                                       "2:2:7",  "look-alike"},
    {"a digit drawn as a letter",                 "gx.demo/AB\1gx.demo/AO",
     "gx.demo/AB\1gx.demo/A0\1"
        "000009\1"
        "000010",                                                                                                                                                       "2:2:7",  "look-alike"},
    {"one and l",                                 "gx.demo/AB\1gx.demo/A1",
     "gx.demo/AB\1gx.demo/AI\1"
        "000009\1"
        "000010",                                                                                                                                                       "2:2:7",  "look-alike"},
    {"the same document twice",                   KEEP,                                          KEEP,                                                                  "2:2:7",  "name-once" },
    {"a second version, and no end of the first", KEEP,
     "version: 1\1version: 2",                                                                                                                                          "1:3:10", "until"     },
    {"with its end",                              "format\1until: 2027-01-01T00:00:00Z\nformat",
     "version: 1\1version: 2",                                                                                                                                          NULL,     NULL        },
    {"the next one ends before it",
     "format\1until: 2027-01-01T00:00:00Z\nformat",                                              "version: 1\1version: 2\1format\1until: 2026-12-31T00:00:00Z\nformat",
     "1:11:8",                                                                                                                                                                    "until"     },
    {"version 10 comes after 9",                  "version: 1\1version: 9",
     "version: 1\1version: 10",                                                                                                                                         "1:3:10", "until"     },
    {"two sources",                               "format\1until: 2027-01-01T00:00:00Z\nformat",
     "version: 1\1version: 2\1provider: a.demo/one\1provider: a.demo/two",                                                                                              "1:6:11", "one-source"},
    {"collected twice",                           KEEP,
     "gx.demo/AB\1gx.demo/CD\1"
        "000009\1"
        "000010\1collector: a.demo/one\1collector:"
        " a.demo/two",                                                                                                                                                  "2:25:5", "once"      },
    {"given by two items",                        KEEP,
     "gx.demo/AB\1gx.demo/CD\1"
        "000009\1"
        "000010",                                                                                                                                                       NULL,     NULL        },
    {"a collector that nobody knows",             KEEP,
     "gx.demo/AB\1gx.demo/CD\1"
        "000009\1"
        "000010\1C1\1C2\1collector: a.demo/one\1"
        "collector: a.demo/three",                                                                                                                                      "2:25:5", "collector" },
};

static struct ht_doc *
member_of(const char *name)
{
	char text[1024], where[64];

	(void)snprintf(text, sizeof(text), member, name);
	(void)snprintf(where, sizeof(where), "m-%s", name);
	return edited(where, text, KEEP);
}

static void
a_catalog_is_held_against_itself(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(catalog_cases); i++) {
		const struct catalog_case *c = &catalog_cases[i];
		HT_AUTO(ht_report_free) struct ht_report *v = ht_report_new();
		HT_AUTO(ht_report_free) struct ht_report *a = ht_report_new();
		struct ht_rules to = {v, a};
		struct ht_doc *docs[] = {edited("1", good, c->first),
		    edited("2", good, c->second), member_of("a.demo/one"),
		    member_of("a.demo/two")};

		assert_ok(ht_rules_catalog(docs, HT_COUNT(docs), &to));
		check_one(c->why, v, c->where, c->rule);
		check_one(c->why, a, NULL, NULL);
		for (size_t d = 0; d < HT_COUNT(docs); d++)
			ht_doc_unref(&docs[d]);
	}
}

static const char grant[] =
    "hutong: grant/v1\ngrant: gx.demo/1\nrevision: 1\nstate: active\n"
    "item: gx.demo/AB\nversion: 1\nprovider: a.demo/one\n"
    "consumer: a.demo/two\noperations: [query]\nfields: [a]\npurposes: [p]\n"
    "basis: L-1\nfrom: 2026-01-01T00:00:00Z\nuntil: 2027-06-01T00:00:00Z\n";

static void
a_grant_that_outlives_its_item_is_told(void **state)
{
	static const char *const ends[] = {
	    "format\1until: 2027-05-31T00:00:00Z\nformat",
	    "format\1until: 2027-06-01T00:00:00Z\nformat", KEEP};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(ends); i++) {
		HT_AUTO(ht_report_free) struct ht_report *v = ht_report_new();
		HT_AUTO(ht_report_free) struct ht_report *a = ht_report_new();
		struct ht_rules to = {v, a};
		struct ht_doc *docs[] = {
		    edited("g", grant, KEEP), edited("1", good, ends[i])};

		assert_ok(ht_rules_catalog(docs, HT_COUNT(docs), &to));
		check_one(ends[i], a, i == 0 ? "g:14:8" : NULL, "outlives");
		check_one(ends[i], v, NULL, NULL);
		ht_doc_unref(&docs[0]);
		ht_doc_unref(&docs[1]);
	}
}

static const struct {
	const char *why;
	const char *edits;
	const char *where;
} grant_cases[] = {
    {"all of it",                       KEEP,                                         NULL     },
    {"another provider",                "provider: a.demo/one\1provider: a.demo/two",
     "g:7:11"                                                                                  },
    {"an operation there is none of",   "[query]\1[query, verify]",                   "g:9:13" },
    {"a field there is none of",        "[a]\1[a, c]",                                "g:10:13"},
    {"a field above its level",         "fields: [a]\1level: 1\nfields: [a, b]",
     "g:11:13"                                                                                 },
    {"rows by a field there is not",
     "fields: [a]\1fields: [a]\nrows: {field: c, prefix: ['99']}",                    "g:11:15"},
    {"a purpose there is none of",      "[p]\1[q]",                                   "g:11:11"},
    {"a basis there is none of",        "L-1\1L-2",                                   "g:12:8" },
    {"of another item: nobody can say", "gx.demo/AB\1gx.demo/CD",                     NULL     },
};

static void
a_grant_is_of_what_its_item_offers(void **state)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *item = edited("1", good, KEEP);

	(void)state;
	for (size_t i = 0; i < HT_COUNT(grant_cases); i++) {
		HT_AUTO(ht_report_free) struct ht_report *v = ht_report_new();
		HT_AUTO(ht_report_free) struct ht_report *a = ht_report_new();
		HT_AUTO(ht_doc_unref)
		struct ht_doc *one = edited("g", grant, grant_cases[i].edits);
		struct ht_rules to = {v, a};
		struct ht_doc *docs[] = {one, item};

		assert_ok(ht_rules_catalog(docs, HT_COUNT(docs), &to));
		check_one(
		    grant_cases[i].why, v, grant_cases[i].where, "offered");
	}
}

static void
what_is_gone_was_given_its_last_day(void **state)
{
	static const struct {
		const char *edits;
		const char *where;
	} cases[] = {
	    {KEEP,	                                  "i:2:7" },
	    {"format\1until: 2027-05-31T00:00:00Z\nformat", "i:11:8"},
	    {"format\1until: 2026-05-31T00:00:00Z\nformat", NULL    },
	    {"conditional\1none\nreason: 法\1[query]\1[]", NULL    },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_report_free) struct ht_report *v = ht_report_new();
		HT_AUTO(ht_doc_unref)
		struct ht_doc *doc = edited("i", good, cases[i].edits);
		struct ht_rules to = {v, NULL};

		/* 2026-11-29 */
		assert_ok(ht_rules_gone(doc, UINT64_C(1795910400000), &to));
		check_one(cases[i].edits, v, cases[i].where, "compat");
	}
}

/* ---- the next revision ---- */

static const struct change_case {
	const char *why;
	const char *edits;
	const char *breaks;
	const char *advises;
	const char *rule;
} change_cases[] = {
    {"nothing",                          KEEP,                                                               NULL,      NULL,     NULL    },
    {"texts",                            "甲\1别的\1每日\1每月\1title: {zh: 事项\1title: {zh: 名", NULL,
     NULL,                                                                                                                        NULL    },
    {"a warning",
     "x-bytes: 30\1x-bytes: 30, allOf: [{x-warn: true, minLength: 1}]",                                      NULL,
     NULL,                                                                                                                        NULL    },
    {"a field at the end",
     "  additionalProperties\1    c: {type: string, x-level: 0, title: "
        "丙}\n  additionalProperties",                                                                      NULL,      NULL,     NULL    },
    {"a parameter that may be left out",
     "record:\1    n: {type: integer, title: 数}\nrecord:",                                                 NULL,      NULL,
     NULL                                                                                                                                 },
    {"one that may not",
     "required: [k]\1required: [k, n]\1record:\1    n: {type: "
        "integer}\nrecord:",                                                                                 "i:28:13", NULL,     "compat"},
    {"a field is gone",
     "    a: {type: string, x-level: 0, title: 甲}\n\1\1required: [a]\1"
        "required: [b]\1k: {\1k: {",                                                                         "two",     NULL,     "compat"},
    {"a field before older ones",
     "    a: {\1    c: {type: string, x-level: 0, title: 丙}\n    a: {",                                    "i:35:8",  NULL,     "compat"},
    {"two fields changed places",
     "    a: {type: string, x-level: 0, title: 甲}\n\1\1  "
        "additionalProperties\1    a: {type: string, x-level: 0, title: 甲}\n  "
        "additionalProperties",                                                                              "both",    NULL,     "compat"},
    {"a field that may be absent now",   "  required: [a]\n\1",                                              "i:31:1",  NULL,
     "compat"                                                                                                                             },
    {"a shorter value",                  "x-bytes: 30\1x-bytes: 20",                                         "i:36:8",  NULL,     "compat"},
    {"a longer one",                     "x-bytes: 30\1x-bytes: 40",                                         "i:36:8",  NULL,     "compat"},
    {"another type",                     "k: {type: string\1k: {type: integer",                              "i:30:8",  NULL,
     "compat"                                                                                                                             },
    {"more than is described",           "  additionalProperties: false\n\1",                                "i:31:1",
     NULL,                                                                                                                        "compat"},
    {"a lower level",                    "x-level: 2\1x-level: 1",                                           NULL,      "i:36:8", "level" },
    {"a higher one",                     "x-level: 0\1x-level: 1",                                           NULL,      NULL,     NULL    },
    {"another provider",                 "provider: a.demo/one\1provider: a.demo/two",                       "i:6:11",
     NULL,                                                                                                                        "compat"},
    {"an operation less",                "[query]\1[verify]",                                                "i:9:13",  NULL,     "compat"},
    {"one more",                         "[query]\1[query, verify]",                                         NULL,      NULL,     NULL    },
    {"a purpose less",                   "code: p\1code: q",                                                 "i:10:11", NULL,     "compat"},
    {"a subject",                        "request:\1subject: {param: k, registry: x}\nrequest:",
     "i:26:10",                                                                                                         NULL,     "compat"},
};

static struct ht_doc *
next_revision(const char *edits)
{
	char all[2048];

	(void)snprintf(all, sizeof(all), "revision: 1\1revision: 2%s%s",
	    *edits != '\0' ? "\1" : "", edits);
	return edited("i", good, all);
}

static void
a_changed_text_has_another_number(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *v = ht_report_new();
	HT_AUTO(ht_report_free) struct ht_report *none = ht_report_new();
	HT_AUTO(ht_doc_unref) struct ht_doc *before = edited("b", good, KEEP);
	HT_AUTO(ht_doc_unref)
	struct ht_doc *now = edited("i", good, "每日\1每月");
	struct ht_rules to = {v, NULL};

	(void)state;
	assert_ok(ht_rules_revision(before, now, &to));
	check_one("the same number", v, "i:4:11", "revision");
	to.violations = none;
	assert_ok(ht_rules_revision(before, before, &to));
	assert_int_equal(ht_report_count(none), 0);
}

static void
the_next_revision_breaks_nobody(void **state)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *before = edited("b", good, KEEP);

	(void)state;
	for (size_t i = 0; i < HT_COUNT(change_cases); i++) {
		const struct change_case *c = &change_cases[i];
		HT_AUTO(ht_report_free) struct ht_report *v = ht_report_new();
		HT_AUTO(ht_report_free) struct ht_report *a = ht_report_new();
		HT_AUTO(ht_doc_unref)
		struct ht_doc *now = next_revision(c->edits);
		struct ht_rules to = {v, a};

		assert_ok(ht_rules_revision(before, now, &to));
		if (c->breaks != NULL && strchr(c->breaks, ':') == NULL) {
			/* The field, and `required`; or each of two fields. */
			assert_int_equal(ht_report_count(v), 2);
			continue;
		}
		check_one(c->why, v, c->breaks, c->rule);
		check_one(c->why, a, c->advises, c->rule);
	}
}

static void
rules_survive_no_memory(void **state)
{
	struct ht_doc *docs[] = {
	    edited("1", good, KEEP), edited("2", good,
	                                 "gx.demo/AB\1gx.demo/CD\1"
	                                 "000009\1"
	                                 "000010")};
	struct ht_rules to = {NULL, NULL};
	enum ht_err err = HT_OK;

	(void)state;
	TORTURE(err = ht_rules_catalog(docs, HT_COUNT(docs), &to))
	assert_int_equal(err, HT_ENOMEM);
	assert_ok(err);
	TORTURE(err = ht_rules_item(docs[0], &to))
	assert_int_equal(err, HT_ENOMEM);
	assert_ok(err);
	ht_doc_unref(&docs[0]);
	ht_doc_unref(&docs[1]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_item_is_held_to_the_rules),
    cmocka_unit_test(what_is_no_item_is_told_with_its_line),
    cmocka_unit_test(mistakes_in_schemas_stand_at_their_lines),
    cmocka_unit_test(all_mistakes_in_schemas_come_at_once),
    cmocka_unit_test(a_catalog_is_held_against_itself),
    cmocka_unit_test(a_grant_that_outlives_its_item_is_told),
    cmocka_unit_test(a_grant_is_of_what_its_item_offers),
    cmocka_unit_test(what_is_gone_was_given_its_last_day),
    cmocka_unit_test(a_changed_text_has_another_number),
    cmocka_unit_test(the_next_revision_breaks_nobody),
    cmocka_unit_test(rules_survive_no_memory),
};

HT_TEST_MAIN(tests)
