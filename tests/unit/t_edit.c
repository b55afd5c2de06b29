/*
 * A text with values changed: the table says what becomes of it, byte by byte.
 */
#include "lib/conf/edit.h"

#include "tests/lib/fault.h"
#include "tests/lib/test.h"

enum what { SET, APPEND, REMOVE, BEFORE };

static const struct edit_case {
	const char *why;
	const char *text;
	enum what what;
	const char *map; /* its key; NULL: the whole */
	const char *key;
	const char *yaml;
	const char *becomes;
} cases[] = {
    {"a plain value",                      "a: 1 # why\nb: 2\n",                   SET,    NULL, "a",  "7",
     "a: 7 # why\nb: 2\n"                                                                                                                                     },
    {"behind characters of several bytes", "题: 名 # 注\nb: 2\n",               SET,    NULL,
     "b",                                                                                              "\"值\"", "题: 名 # 注\nb: \"值\"\n"              },
    {"in braces",                          "m: {zh: \"名\", en: x}\n",            SET,    "m",  "zh", "\"别\"",
     "m: {zh: \"别\", en: x}\n"                                                                                                                              },
    {"new in braces",                      "m: {en: x}\n",                         SET,    "m",  "zh", "y",
     "m: {zh: y, en: x}\n"                                                                                                                                    },
    {"new in empty braces",                "m: {}\n",                              SET,    "m",  "zh", "y",       "m: {zh: y}\n"                              },
    {"new in a block",                     "m:\n  # first\n  en: x\nb: 1\n",       SET,    "m",  "zh", "y",
     "m:\n  # first\n  zh: y\n  en: x\nb: 1\n"                                                                                                                },
    {"text over lines",                    "m:\n  zh: |\n    a\n    b\n  en: x\n", SET,    "m",  "zh",
     "y",                                                                                                         "m:\n  zh: y\n  en: x\n"                    },
    {"a list in brackets over lines",      "m:\n  r: [a,\n    b]\n  en: x\n",      SET,
     "m",                                                                                        "r",  "[c]",     "m:\n  r: [c]\n  en: x\n"                   },
    {"a list of lines",                    "r:\n  - a\n  - {b: c}   # d\nb: 1\n",  SET,    NULL, "r",
     "[c]",                                                                                                       "r:\n  [c]   # d\nb: 1\n"                   },
    {"last of a block",                    "m:\n  a: {x: 1} # c\n\n# d\nb: 1\n",   APPEND, "m",  NULL,
     "z: 2",                                                                                                      "m:\n  a: {x: 1} # c\n  z: 2\n\n# d\nb: 1\n"},
    {"last of a block that is deep",       "m:\n  a:\n    x:\n      - 1",          APPEND, "m",
     NULL,                                                                                             "z: 2",    "m:\n  a:\n    x:\n      - 1\n  z: 2"       },
    {"last in braces",                     "m: {a: {x: 1}}\n",                     APPEND, "m",  NULL, "z: 2",
     "m: {a: {x: 1}, z: 2}\n"                                                                                                                                 },
    {"lines of a block go",                "m:\n  a:\n    x: 1\n  b: 2\n",         REMOVE, "m",  "a",
     NULL,                                                                                                        "m:\n  b: 2\n"                              },
    {"the first in braces goes",           "m: {a: 1, b: 2}\n",                    REMOVE, "m",  "a",  NULL,
     "m: {b: 2}\n"                                                                                                                                            },
    {"the last in braces goes",            "m: {a: 1, b: [2]}\n",                  REMOVE, "m",  "b",  NULL,
     "m: {a: 1}\n"                                                                                                                                            },
    {"a line before another",              "a: 1\n# c\nb: 2\n",                    BEFORE, NULL, "b",  "z: 3\n",
     "a: 1\n# c\nz: 3\nb: 2\n"                                                                                                                                },
};

static enum ht_err
edit(const struct edit_case *c, struct ht_buf *out)
{
	HT_AUTO(ht_conf_free) struct ht_conf *conf = NULL;
	HT_AUTO(ht_edits_fini)
	struct ht_edits edits = {.text = ht_slice_str(c->text)};
	enum ht_err err = ht_conf_parse(edits.text, "f", NULL, &conf);
	struct ht_yaml *map;

	if (err != HT_OK)
		return err;
	map = ht_conf_root(conf);
	if (c->map != NULL)
		map = ht_yaml_child(map, c->map);
	switch (c->what) {
	case SET:
		ht_edit_set(&edits, map, c->key, ht_slice_str(c->yaml));
		break;
	case APPEND:
		ht_edit_append(&edits, map, ht_slice_str(c->yaml));
		break;
	case BEFORE:
		ht_edit_before(
		    &edits, ht_yaml_child(map, c->key), ht_slice_str(c->yaml));
		break;
	case REMOVE:
		for (size_t i = 0; i < ht_yaml_count(map); i++)
			if (strcmp(ht_yaml_key(map, i), c->key) == 0)
				ht_edit_remove(&edits, map, i);
		break;
	}
	return ht_edits_apply(&edits, out);
}

static void
a_value_changes_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4096);

		assert_ok(edit(&cases[i], &out));
		if (!ht_slice_is(ht_buf_slice(&out), cases[i].becomes))
			fail_msg("%s:\n%s", cases[i].why, ht_buf_text(&out));
	}
}

static void
edits_survive_no_memory(void **state)
{
	enum ht_err err = HT_OK;

	(void)state;
	TORTURE(({
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4096);

		err = edit(&cases[3], &out);
	}))
	{
		assert_true(err == HT_ENOMEM || err == HT_OK);
	}
	assert_ok(err);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_value_changes_and_nothing_else),
    cmocka_unit_test(edits_survive_no_memory),
};

HT_TEST_MAIN(tests)
