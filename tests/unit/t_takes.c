/* Which verb takes which option: all of them, option by option. */
#include "tests/lib/test.h"

#include <string.h>

#include "broker/cli/options.h"
#include "broker/cli/takes.h"
#include "broker/cli/usage.h"

#define LOGS                                                                   \
	"|search|search complete|tail|tail follow|stats|report|show|prove|"    \
	"export|consistency|mirror|subject|erase subject|disclose subject|"    \
	"witness|"
#define SIDES                                                                  \
	"|search|search complete|search volume|tail|tail follow|stats|"        \
	"stats volume|report|report volume|subject|subject volume|"            \
	"erase subject|"                                                       \
	"disclose subject|"
#define ROWS                                                                   \
	"|search|search complete|search volume|tail|tail follow|stats|"        \
	"stats volume|subject|subject volume|erase subject|disclose subject|"
#define ENDED                                                                  \
	"|search|search complete|search volume|tail|stats|stats volume|"       \
	"subject|subject volume|erase subject|disclose subject|"
#define VOLUMES                                                                \
	"|search volume|stats volume|report volume|show volume|prove volume|"  \
	"export volume|subject volume|"
#define BELIEF                                                                 \
	LOGS VOLUMES "verify|verify dir|archive|pseudonym|erase|disclose|"
#define COUNTS "|stats|stats volume|report|report volume|"
#define EXPORT "|export|export volume|"
#define ABOUT                                                                  \
	"|search|search complete|search volume|tail|tail follow|"              \
	"erase subject|disclose subject|"
#define ORDERS "|erase|erase subject|disclose|disclose subject|"

static const struct {
	const char *option, *forms;
} takers[] = {
    {"dir",            LOGS "verify dir|archive|fsck|"                                   },
    {"socket",         LOGS                                                              },
    {"key",            LOGS "export volume|stats volume|report volume|subject volume|"   },
    {"why",            LOGS                                                              },
    {"volume",         VOLUMES "search complete|consistency|mirror|"                     },
    {"root",           BELIEF                                                            },
    {"vkey",           BELIEF                                                            },
    {"authority",      BELIEF                                                            },
    {"policy",         BELIEF                                                            },
    {"from",           ROWS                                                              },
    {"to",             ENDED                                                             },
    {"zone",           SIDES                                                             },
    {"member",         SIDES                                                             },
    {"peer",           SIDES                                                             },
    {"item",           SIDES                                                             },
    {"purpose",        SIDES                                                             },
    {"operation",      SIDES                                                             },
    {"status",         ROWS                                                              },
    {"type",           ROWS                                                              },
    {"exchange",       ROWS                                                              },
    {"subject",        ABOUT                                                             },
    {"tracker",        ABOUT "subject|subject volume|pseudonym|"                         },
    {"start",          "|search|search complete|search volume|stats|stats "
              "volume|subject|subject volume|"
              "erase subject|disclose subject|"                             },
    {"at",             ENDED "report|report volume|"                                     },
    {"scan",           "|search|search complete|tail|show|prove|export|subject|"
             "erase subject|disclose subject|"                               },
    {"limit",          "|search|search volume|"                                          },
    {"cursor-file",    "|search|tail follow|"                                            },
    {"lines",          "|tail|tail follow|"                                              },
    {"follow",         "|tail follow|"                                                   },
    {"complete",       "|search complete|"                                               },
    {"by",             "|stats|stats volume|"                                            },
    {"period",         "|stats|stats volume|"                                            },
    {"month",          "|report|report volume|"                                          },
    {"lang",           COUNTS                                                            },
    {"then",           EXPORT                                                            },
    {"show",           EXPORT                                                            },
    {"opening",        EXPORT                                                            },
    {"annex",          EXPORT "subject|subject volume|"                                  },
    {"for-subject",    "|subject|subject volume|"                                        },
    {"hashes",         "|mirror|"                                                        },
    {"order",          ORDERS                                                            },
    {"basis",          ORDERS                                                            },
    {"until",          ORDERS                                                            },
    {"entries",        "|erase|disclose|"                                                },
    {"epoch",          "|erase|"                                                         },
    {"before",         "|erase|"                                                         },
    {"retention-over", "|erase|"                                                         },
    {"bodies",         "|erase|erase subject|"                                           },
    {"out",            ORDERS EXPORT COUNTS "search complete|prove|prove volume|"
                                 "consistency|archive|subject|subject volume|"},
    {"format",
     COUNTS "|search|search volume|tail|tail follow|"
               "show|show volume|verify|subject|subject volume|witness|"                 },
};

static bool
in(const char *forms, const struct ht_takes *t)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "|%s%s%s|", t->verb,
	    t->with != NULL ? " " : "", t->with != NULL ? t->with : "");
	return strstr(forms, name) != NULL;
}

/* An option may be what makes a verb another one, which takes it. */
static void
every_verb_takes_what_it_uses_and_nothing_else(void **state)
{
	const struct ht_takes *t;

	(void)state;
	for (size_t i = 0; (t = ht_takes_at(i)) != NULL; i++) {
		for (size_t j = 0; j < HT_COUNT(takers); j++) {
			HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(4096);
			const char *given[] = {t->with, takers[j].option};
			size_t skip = t->with == NULL;
			const struct ht_takes *form = ht_takes_find(
			    t->verb, given + skip, HT_COUNT(given) - skip);
			bool takes = ht_takes_all(form, given + skip,
			    HT_COUNT(given) - skip, NULL, &why);

			if (form == t && takes != in(takers[j].forms, t))
				fail_msg("%s, --%s", t->verb, takers[j].option);
			if (!takes)
				assert_non_null(strstr(
				    ht_buf_text(&why), takers[j].option));
		}
	}
}

/* No word of the table is one that the program does not know. */
static void
the_table_knows_no_other_options(void **state)
{
	const struct ht_takes *t;

	(void)state;
	for (size_t i = 0; (t = ht_takes_at(i)) != NULL; i++) {
		char words[1024], *rest = words, *word;

		assert_true(strlen(t->options) < sizeof(words));
		memcpy(words, t->options, strlen(t->options) + 1);
		while ((word = strsep(&rest, " ")) != NULL) {
			bool known = *word == '\0';

			for (size_t j = 0; j < HT_COUNT(takers); j++)
				known |= strcmp(word, takers[j].option) == 0;
			if (!known)
				fail_msg("%s: %s", t->verb, word);
		}
	}
}

/* The program's options are those above, no more and no fewer. */
static void
every_option_has_a_taker(void **state)
{
	const char *name;
	size_t n = 0;

	(void)state;
	for (; (name = ht_audit_option_at(n)) != NULL; n++) {
		bool known = false;

		for (size_t j = 0; j < HT_COUNT(takers); j++)
			known |= strcmp(name, takers[j].option) == 0;
		if (!known)
			fail_msg("--%s", name);
	}
	assert_int_equal(n, HT_COUNT(takers));
}

/* "--option" in a text, and no longer word. */
static bool
names(const char *text, const char *option)
{
	size_t len = strlen(option);

	for (const char *at = text; (at = strstr(at, "--")) != NULL; at++)
		if (strncmp(at + 2, option, len) == 0 &&
		    strchr("abcdefghijklmnopqrstuvwxyz-", at[2 + len]) == NULL)
			return true;
	return false;
}

static bool
any_form_takes(const char *verb, const char *option)
{
	const struct ht_takes *t;

	for (size_t i = 0; (t = ht_takes_at(i)) != NULL; i++)
		if (strcmp(t->verb, verb) == 0 && ht_takes_option(t, option))
			return true;
	return false;
}

/* What VERB --help tells is what the verb takes, whichever form it has. */
static void
help_tells_what_a_verb_takes(void **state)
{
	const struct ht_audit_verb *verb;

	(void)state;
	for (size_t i = 0; (verb = ht_audit_verb_at(i)) != NULL; i++) {
		char text[8192] = "";
		FILE *out = fmemopen(text, sizeof(text), "w");

		assert_non_null(out);
		ht_audit_usage(verb, out);
		assert_int_equal(fclose(out), 0);
		for (size_t j = 0; j < HT_COUNT(takers); j++) {
			const char *option = takers[j].option;
			bool told = names(text, option);

			if (strcmp(option, "out") == 0)
				told |= strstr(text, "-o FILE") != NULL;
			if (told != any_form_takes(verb->name, option))
				fail_msg("%s, --%s", verb->name, option);
		}
	}
}

/* Neither table has a verb that the other has not. */
static void
both_tables_have_the_same_verbs(void **state)
{
	const struct ht_audit_verb *verb;
	const struct ht_takes *t;

	(void)state;
	for (size_t i = 0; (verb = ht_audit_verb_at(i)) != NULL; i++)
		assert_non_null(ht_takes_find(verb->name, NULL, 0));
	for (size_t i = 0; (t = ht_takes_at(i)) != NULL; i++)
		assert_non_null(ht_audit_verb(t->verb));
}

static void
a_format_is_one_that_the_verb_has(void **state)
{
	static const struct {
		const char *verb, *formats;
	} cases[] = {
	    {"search",  "table jsonl csv ocsf"   },
	    {"tail",    "table jsonl csv ocsf"   },
	    {"stats",   "table jsonl csv"        },
	    {"report",  "table jsonl csv"        },
	    {"show",    "table jsonl"            },
	    {"verify",  "table jsonl csv ocsf"   },
	    {"subject", "table jsonl csv tracker"},
	    {"witness", "table csv"              },
	};
	static const char *const formats[] = {
	    "table", "jsonl", "csv", "ocsf", "tracker"};
	static const char *const given[] = {"format"};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++)
		for (size_t j = 0; j < HT_COUNT(formats); j++) {
			HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(4096);

			assert_int_equal(
			    ht_takes_all(ht_takes_find(cases[i].verb, given, 1),
			        given, 1, formats[j], &why),
			    strstr(cases[i].formats, formats[j]) != NULL);
		}
}

static void
what_takes_it_is_told(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(4096);
	static const char *const given[] = {"complete", "limit"};

	(void)state;
	assert_null(ht_takes_find("nope", NULL, 0));
	assert_false(ht_takes_all(
	    ht_takes_find("search", given, 2), given, 2, NULL, &why));
	assert_string_equal(ht_buf_text(&why),
	    "search --complete takes no --limit; it is for search --volume, "
	    "search");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_verb_takes_what_it_uses_and_nothing_else),
    cmocka_unit_test(the_table_knows_no_other_options),
    cmocka_unit_test(every_option_has_a_taker),
    cmocka_unit_test(help_tells_what_a_verb_takes),
    cmocka_unit_test(both_tables_have_the_same_verbs),
    cmocka_unit_test(a_format_is_one_that_the_verb_has),
    cmocka_unit_test(what_takes_it_is_told),
};

HT_TEST_MAIN(tests)
