#include "schemas/pack.h"

#include <math.h>

#include <jansson.h>

#include "lib/base/fs.h"
#include "tests/lib/fault.h"
#include "tests/lib/test.h"

/* "81 a1 61" to bytes; spaces and dashes are for the eye. */
static struct ht_slice
unhex(const char *hex)
{
	static uint8_t out[4096];
	char digits[2 * sizeof(out) + 1];
	size_t n = 0;

	for (; *hex != '\0'; hex++)
		if (*hex != ' ' && *hex != '-')
			digits[n++] = *hex;
	digits[n] = '\0';
	assert_ok(ht_unhex(digits, out, n / 2));
	return HT_SLICE(out, n / 2);
}

/* ---- the check ---- */

static void
what_the_profile_has_is_accepted(void **state)
{
	static const char *const cases[] = {
	    "c0", "c2", "c3", "00", "7f", "cc80", "ccff", "cd0100", "cdffff",
	    "ce00010000", "ceffffffff", "cf0000000100000000",
	    "cfffffffffffffffff", "ff", "e0", "d0df", "d080", "d1ff7f",
	    "d18000", "d2ffff7fff", "d280000000", "d3ffffffff7fffffff",
	    "d38000000000000000", "cb3fe0000000000000", "cb0000000000000001",
	    "cb4340000000000001", /* 2^53 + 2: past what ints take over */
	    "cbc340000000000001", "cb7fefffffffffffff", "a0", "a161",
	    "a3e2 9da4", "c400", "c401ff", "90", "9101", "80", "81a16101",
	    "82a161c0a162c0", "82a161c0a26161c0", /* the shorter first */
	    "82a0c0a100c0", "81a0c0", "82a17ac0a3e4bda0c0",
	    "81a161 82a162c0a163c0", "9390 80 c0",
	    "919191919191 919191919190", /* 12 deep */
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		const char *why = "";
		size_t at = 0;

		if (ht_pack_check(unhex(cases[i]), &at, &why) != HT_OK)
			fail_msg("%s: at %zu: %s", cases[i], at, why);
	}
}

#define CUT    "the bytes end before the value does"
#define LONGER "not the shortest form"
#define MORE   "more elements than bytes"
#define ORDER  "map keys must increase, each once"
#define EXT    "ext types are not in the profile"
#define WHOLE  "a whole number is written as an int"
#define NAN_   "NaN and infinity are not in the profile"
#define UTF8   "a str must be UTF-8"
#define DEEP   "nested too deeply"

static void
what_breaks_the_profile_is_refused(void **state)
{
	static const struct {
		const char *hex;
		size_t at;
		const char *why;
	} cases[] = {
	    {"",	                     0,  CUT	                    },
	    {"c1",	                   0,  "0xc1 is no msgpack"           },
	    {"91c1",	                 1,  "0xc1 is no msgpack"           },
 /* longer than need be */
	    {"cc7f",	                 0,  LONGER                         },
	    {"cd00ff",	               0,  LONGER                         },
	    {"ce0000ffff",                   0,  LONGER                         },
	    {"cf00000000ffffffff",           0,  LONGER                         },
	    {"d000",	                 0,  LONGER                         },
	    {"d07f",	                 0,  LONGER                         },
	    {"d0e0",	                 0,  LONGER                         },
	    {"d1ff80",	               0,  LONGER                         },
	    {"d10080",	               0,  LONGER                         },
	    {"d2ffff8000",                   0,  LONGER                         },
	    {"d3ffffffff80000000",           0,  LONGER                         },
	    {"d37fffffffffffffff",           0,  LONGER                         },
	    {"d90161",	               0,  LONGER                         },
	    {"da000161",                     0,  LONGER                         },
	    {"db0000000161",                 0,  LONGER                         },
	    {"c50001ff",                     0,  LONGER                         },
	    {"c600000001ff",                 0,  LONGER                         },
	    {"dc000101",                     0,  LONGER                         },
	    {"dd0000000101",                 0,  LONGER                         },
	    {"de0001a16101",                 0,  LONGER                         },
	    {"df00000001a16101",             0,  LONGER                         },
 /* floats */
	    {"ca3f000000",                   0,  "float32 is not in the profile"},
	    {"cb3ff0000000000000",           0,  WHOLE                          },
	    {"cb0000000000000000",           0,  WHOLE                          },
	    {"cb8000000000000000",           0,  WHOLE                          },
	    {"cb4340000000000000",           0,  WHOLE                          },
	    {"cbc340000000000000",           0,  WHOLE                          },
	    {"cb7ff0000000000000",           0,  NAN_                           },
	    {"cbfff0000000000000",           0,  NAN_                           },
	    {"cb7ff8000000000000",           0,  NAN_                           },
	    {"cb7ff0000000000001",           0,  NAN_                           },
 /* ext */
	    {"c7000161",                     0,  EXT                            },
	    {"c8000001",                     0,  EXT                            },
	    {"c90000000001",                 0,  EXT                            },
	    {"d40110",	               0,  EXT                            },
	    {"d5012021",                     0,  EXT                            },
	    {"d6ff00000000",                 0,  EXT                            },
	    {"d7ff0000000000000000",         0,  EXT                            },
	    {"d8010000",                     0,  EXT                            },
 /* text */
	    {"a1ff",	                 0,  UTF8                           },
	    {"a2c080",	               0,  UTF8                           },
	    {"a3eda080",                     0,  UTF8                           },
	    {"a4f4908080",                   0,  UTF8                           },
	    {"81a1ff01",                     1,  UTF8                           },
 /* maps */
	    {"8101c0",	               1,  "a map's key must be a str"    },
	    {"81c40161c0",                   1,  "a map's key must be a str"    },
	    {"8190c0",	               1,  "a map's key must be a str"    },
	    {"82a161c0a161c0",               4,  ORDER                          },
	    {"82a162c0a161c0",               4,  ORDER                          },
	    {"82a26161c0a161c0",             5,  ORDER                          },
	    {"82a3e4bda0c0a17ac0",           6,  ORDER                          },
	    {"82a161 82a162c0a162c0 a163c0", 7,  ORDER                          },
 /* claims */
	    {"ddffffffff",                   0,  MORE                           },
	    {"dfffffffff",                   0,  MORE                           },
	    {"dfffffffffa161c0",             0,  MORE                           },
	    {"dbffffffff61",                 0,  CUT                            },
	    {"c6ffffffff61",                 0,  CUT                            },
	    {"92c0",	                 0,  MORE                           },
	    {"82a161c0",                     0,  MORE                           },
	    {"9192c0",	               1,  MORE                           },
	    {"91ddffffffff",                 1,  MORE                           },
 /* truncated */
	    {"cd01",	                 0,  CUT	                    },
	    {"cb3fe00000000000",             0,  CUT                            },
	    {"a361",	                 0,  CUT	                    },
	    {"c403ff",	               0,  CUT                            },
	    {"d9",	                   0,  CUT	                    },
	    {"9201cd",	               2,  CUT                            },
 /* more after it */
	    {"0000",	                 1,  "bytes after the value"        },
	    {"90c0",	                 1,  "bytes after the value"        },
	    {"a16161",	               2,  "bytes after the value"        },
 /* depth */
	    {"91919191919191919191919190",   12, DEEP                           },
	    {"91919191919191919191919180",   12, DEEP                           },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		const char *why = "";
		size_t at = SIZE_MAX;
		enum ht_err err = ht_pack_check(unhex(cases[i].hex), &at, &why);

		if (err != HT_EMALFORMED || at != cases[i].at ||
		    strcmp(why, cases[i].why) != 0)
			fail_msg("%s: %s at %zu: %s; not at %zu: %s",
			    cases[i].hex, ht_err_text(err), at, why,
			    cases[i].at, cases[i].why);
		assert_err(ht_pack_check(unhex(cases[i].hex), NULL, NULL),
		    HT_EMALFORMED);
	}
}

/* A megabyte of "91": an attacker's depth costs us no stack. */
static void
depth_costs_nothing(void **state)
{
	HT_AUTO(ht_mem_free) uint8_t *deep = malloc(1 << 20);
	size_t at = 0;

	(void)state;
	memset(deep, 0x91, 1 << 20);
	assert_err(
	    ht_pack_check(HT_SLICE(deep, 1 << 20), &at, NULL), HT_EMALFORMED);
	assert_int_equal(at, HT_PACK_DEPTH);
}

/* ---- the public suite, in its strict reading ---- */

static bool
is_float(const char *hex)
{
	return strncmp(hex, "ca", 2) == 0 || strncmp(hex, "cb", 2) == 0;
}

static bool
has_int_form(const json_t *forms)
{
	const json_t *form;
	size_t i;

	json_array_foreach(
	    forms, i, form) if (!is_float(json_string_value(form))) return true;
	return false;
}

/* The one form of the profile: NULL for ext and timestamps. */
static const char *
strict_form(const json_t *entry)
{
	const json_t *forms = json_object_get(entry, "msgpack"), *form;
	const char *best = NULL;
	bool number = json_object_get(entry, "number") != NULL ||
	              json_object_get(entry, "bignum") != NULL;
	bool ints = number && has_int_form(forms);
	size_t i;

	if (json_object_get(entry, "ext") != NULL ||
	    json_object_get(entry, "timestamp") != NULL)
		return NULL;
	json_array_foreach(forms, i, form)
	{
		const char *hex = json_string_value(form);

		if (number && (is_float(hex) ? ints : false))
			continue;
		if (strncmp(hex, "ca", 2) == 0)
			continue;
		if (best == NULL || strlen(hex) < strlen(best) ||
		    (strlen(hex) == strlen(best) && hex[0] == 'c'))
			best = hex;
	}
	assert_non_null(best);
	return best;
}

static unsigned
suite_group(const char *group, const json_t *entries)
{
	const json_t *entry, *form;
	unsigned n = 0;
	size_t i, j;

	json_array_foreach(entries, i, entry)
	{
		const char *strict = strict_form(entry);

		json_array_foreach(json_object_get(entry, "msgpack"), j, form)
		{
			const char *hex = json_string_value(form);
			bool want = strict != NULL && strcmp(hex, strict) == 0;
			const char *why = "accepted";
			enum ht_err err = ht_pack_check(unhex(hex), NULL, &why);

			if ((err == HT_OK) != want)
				fail_msg("%s: %s: %s", group, hex, why);
			n++;
		}
	}
	return n;
}

static void
the_public_suite_is_read_strictly(void **state)
{
	HT_AUTO(ht_json_free) json_t *suite = NULL;
	char path[HT_TEST_PATH_MAX];
	const char *group;
	const json_t *entries;
	unsigned n = 0;

	(void)state;
	if (ht_test_shared(path, "msgpack/dist/msgpack-test-suite.json") ==
	    NULL)
		return;
	suite = json_load_file(path, 0, NULL);
	assert_non_null(suite);
	json_object_foreach(suite, group, entries) n +=
	    suite_group(group, entries);
	assert_true(n > 200);
}

/* ---- the reader ---- */

static void
a_reader_reads_what_a_writer_wrote(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf b = HT_BUF(1000);
	struct ht_slice text;
	struct ht_unpack u;
	uint8_t id[4];

	(void)state;
	ht_pack_array(&b, 12);
	ht_pack_nil(&b);
	ht_pack_bool(&b, true);
	ht_pack_uint(&b, UINT64_MAX);
	ht_pack_int(&b, INT64_MIN);
	ht_pack_float(&b, 0.25);
	ht_pack_float(&b, -3.0);
	ht_pack_cstr(&b, "胡同");
	ht_pack_bin(&b, "\1\2\3\4", 4);
	ht_pack_bin(&b, "\5", 1);
	ht_pack_map(&b, 1);
	ht_pack_cstr(&b, "k");
	ht_pack_array(&b, 2);
	ht_pack_uint(&b, 1);
	ht_pack_uint(&b, 2);
	ht_pack_str(&b, HT_SLICE(NULL, 0));
	ht_pack_uint(&b, 7);
	assert_ok(b.err);
	assert_ok(ht_pack_check(ht_buf_slice(&b), NULL, NULL));

	u = ht_unpack(ht_buf_slice(&b));
	assert_int_equal(ht_unpack_peek(&u), HT_PACK_ARRAY);
	ht_unpack_array_of(&u, 12);
	assert_true(ht_unpack_is_nil(&u));
	ht_unpack_nil(&u);
	assert_false(ht_unpack_is_nil(&u));
	assert_true(ht_unpack_bool(&u));
	assert_true(ht_unpack_uint(&u, UINT64_MAX) == UINT64_MAX);
	assert_true(ht_unpack_int(&u) == INT64_MIN);
	assert_true(ht_unpack_float(&u) == 0.25);
	assert_int_equal(ht_unpack_peek(&u), HT_PACK_INT);
	assert_true(ht_unpack_float(&u) == -3.0);
	text = ht_unpack_str(&u, 6);
	assert_true(ht_slice_is(text, "胡同"));
	ht_unpack_fixed(&u, id, sizeof(id));
	assert_memory_equal(id, "\1\2\3\4", 4);
	assert_int_equal(ht_unpack_bin(&u, 10).len, 1);
	text = ht_unpack_raw(&u);
	assert_true(ht_slice_eq(text, HT_SLICE("\x81\xa1k\x92\x01\x02", 6)));
	assert_int_equal(ht_unpack_str(&u, 0).len, 0);
	assert_int_equal(ht_unpack_end(&u), HT_EMALFORMED); /* one is left */
	assert_int_equal(ht_unpack_uint(&u, 7), 7);
	assert_ok(ht_unpack_end(&u));
	assert_int_equal(ht_unpack_peek(&u), HT_PACK_NIL);
	assert_false(ht_unpack_is_nil(&u));
}

/* Each read fails on each of these, at once and for good. */
static void
a_wrong_read_sticks(void **state)
{
	static const struct {
		char read;
		const char *hex;
		enum ht_err want;
	} cases[] = {
	    {'n', "00",                 HT_EMALFORMED},
	    {'n', "",                   HT_EMALFORMED},
	    {'b', "00",                 HT_EMALFORMED},
	    {'b', "c0",                 HT_EMALFORMED},
	    {'u', "ff",                 HT_EMALFORMED},
	    {'u', "cd0101",             HT_EMALFORMED},
	    {'u', "a100",               HT_EMALFORMED},
	    {'u', "cd01",               HT_EMALFORMED},
	    {'i', "cf8000000000000000", HT_EMALFORMED},
	    {'i', "cb3fe0000000000000", HT_EMALFORMED},
	    {'f', "a0",                 HT_EMALFORMED},
	    {'f', "cb3fe0",             HT_EMALFORMED},
	    {'s', "c401 61",            HT_EMALFORMED},
	    {'s', "a5 6162636465",      HT_ETOOBIG   },
	    {'s', "a5 61",              HT_EMALFORMED},
	    {'B', "a161",               HT_EMALFORMED},
	    {'B', "c4056162636465",     HT_ETOOBIG   },
	    {'x', "c40361 62 63",       HT_EMALFORMED},
	    {'x', "c4056162636465",     HT_EMALFORMED},
	    {'a', "80",                 HT_EMALFORMED},
	    {'a', "95c0c0c0c0c0",       HT_ETOOBIG   },
	    {'A', "93c0c0c0",           HT_EMALFORMED},
	    {'A', "c0",                 HT_EMALFORMED},
	    {'m', "90",                 HT_EMALFORMED},
	    {'m', "85",                 HT_ETOOBIG   },
	    {'k', "a162",               HT_EMALFORMED},
	    {'k', "00",                 HT_EMALFORMED},
	    {'r', "",                   HT_EMALFORMED},
	    {'r', "92c0",               HT_EMALFORMED},
	};
	uint8_t out[4];

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct ht_slice bytes = unhex(cases[i].hex);
		struct ht_unpack u = ht_unpack(bytes);
		uint64_t got = 0;

		switch (cases[i].read) {
		case 'n':
			ht_unpack_nil(&u);
			break;
		case 'b':
			got = ht_unpack_bool(&u);
			break;
		case 'u':
			got = ht_unpack_uint(&u, 0x100);
			break;
		case 'i':
			got = (uint64_t)ht_unpack_int(&u);
			break;
		case 'f':
			got = ht_unpack_float(&u) != 0;
			break;
		case 's':
			got = ht_unpack_str(&u, 4).len;
			break;
		case 'B':
			got = ht_unpack_bin(&u, 4).len;
			break;
		case 'x':
			memset(out, 1, sizeof(out));
			ht_unpack_fixed(&u, out, sizeof(out));
			got = out[0] | out[3];
			break;
		case 'a':
			got = ht_unpack_array(&u, 4);
			break;
		case 'A':
			ht_unpack_array_of(&u, 4);
			break;
		case 'm':
			got = ht_unpack_map(&u, 4);
			break;
		case 'k':
			ht_unpack_key(&u, "a");
			break;
		default:
			got = ht_unpack_raw(&u).len;
			break;
		}
		if (u.err != cases[i].want || got != 0 || u.at != u.start)
			fail_msg("%c %s: %s", cases[i].read, cases[i].hex,
			    ht_err_text(u.err));
		ht_unpack_fail(&u, HT_EBADSIG); /* the first one stays */
		assert_err(ht_unpack_end(&u), cases[i].want);
		assert_int_equal(ht_unpack_uint(&u, 9), 0);
		assert_err(ht_unpack_end(&u), cases[i].want);
	}
}

/* ---- the writer ---- */

static void
the_writer_takes_the_shortest_form(void **state)
{
	static const uint64_t edges[] = {0, 0x20, 0x7f, 0x80, 0xff, 0x100,
	    0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
	    0x100000000, INT64_MAX};
	static const size_t lens[] = {
	    0, 15, 16, 31, 32, 255, 256, 65535, 65536};
	HT_AUTO(ht_buf_fini) struct ht_buf b = HT_BUF(1 << 20);
	HT_AUTO(ht_mem_free) char *blank = calloc(1, 65537);

	(void)state;
	memset(blank, ' ', 65536);
	ht_pack_array(&b, (uint32_t)(3 * HT_COUNT(edges) + 4 * HT_COUNT(lens)));
	for (size_t i = 0; i < HT_COUNT(edges); i++) {
		ht_pack_uint(&b, edges[i]);
		ht_pack_int(&b, (int64_t)edges[i]);
		ht_pack_int(&b, -(int64_t)edges[i]);
	}
	for (size_t i = 0; i < HT_COUNT(lens); i++) {
		ht_pack_str(&b, HT_SLICE(blank, lens[i]));
		ht_pack_bin(&b, blank, lens[i]);
		ht_pack_array(&b, (uint32_t)lens[i]);
		for (size_t j = 0; j < lens[i]; j++)
			ht_pack_bool(&b, false);
		ht_pack_map(&b, lens[i] > 0);
		for (size_t j = 0; j < (lens[i] > 0); j++) {
			ht_pack_str(&b, HT_SLICE(blank, lens[i]));
			ht_pack_float(&b, (double)lens[i]);
		}
	}
	assert_ok(b.err);
	assert_ok(ht_pack_check(ht_buf_slice(&b), NULL, NULL));
}

static void
the_writer_refuses_what_the_profile_lacks(void **state)
{
	static const double doubles[] = {NAN, INFINITY, -INFINITY};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(doubles); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf b = HT_BUF(100);

		ht_pack_float(&b, doubles[i]);
		assert_err(b.err, HT_EINVALID);
	}
	{
		HT_AUTO(ht_buf_fini) struct ht_buf b = HT_BUF(100);

		ht_pack_cstr(&b, "\xff");
		assert_err(b.err, HT_EINVALID);
		ht_pack_nil(&b); /* after an error nothing is written */
		assert_int_equal(b.len, 0);
	}
	{
		HT_AUTO(ht_buf_fini) struct ht_buf b = HT_BUF(4);

		ht_pack_cstr(&b, "text");
		assert_err(b.err, HT_ETOOBIG);
	}
}

/* ---- msgpack and JSON ---- */

static void
json_and_msgpack_say_the_same(void **state)
{
	static const struct {
		const char *hex;
		const char *json;
	} cases[] = {
	    {"c0",	               "null"	                  },
	    {"93c2c300",                 "[false,true,0]"                },
	    {"cf7fffffffffffffff",       "9223372036854775807"           },
	    {"d38000000000000000",       "-9223372036854775808"          },
	    {"cb3fe0000000000000",       "0.5"                           },
	    {"cb3fb999999999999a",       "0.1"                           },
	    {"a3302e31",                 "\"0.1\""                       }, /* text stays text */
	    {"a6e883a1e5908c",           "\"胡同\""                    },
	    {"81a161c402ff00",           "{\"a\":{\"$bin\":\"/wA=\"}}"   },
	    {"c400",	             "{\"$bin\":\"\"}"               },
	    {"a0",	               "\"\""	                  },
	    {"81a0a0",                   "{\"\":\"\"}"                   },
	    {"80",	               "{}"	                    },
	    {"82a16101a26161 91 81a0c0", "{\"a\":1,\"aa\":[{\"\":null}]}"},
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_json_free) json_t *json = NULL, *parsed = NULL;
		HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1000);
		HT_AUTO(ht_buf_fini) struct ht_buf back = HT_BUF(1000);

		assert_ok(ht_pack_to_json(unhex(cases[i].hex), &json));
		assert_ok(ht_json_print(json, &text));
		assert_string_equal(ht_buf_text(&text), cases[i].json);
		assert_ok(
		    ht_json_parse(ht_slice_str(cases[i].json), &parsed, NULL));
		assert_true(json_equal(json, parsed));
		assert_ok(ht_pack_from_json(parsed, &back));
		assert_true(
		    ht_slice_eq(ht_buf_slice(&back), unhex(cases[i].hex)));
	}
}

static void
json_is_put_into_the_profile(void **state)
{
	static const struct {
		const char *json;
		const char *hex;
	} cases[] = {
	    {"{\"b\":1,\"a\":2,\"aa\":3,\"\":4}",
             "84 a004 a16102 a2616103 a16201"                         },
	    {"1.0",	                       "01"                },
	    {"-0.0",	                      "00"                },
	    {"9007199254740992.0",                "cf0020000000000000"},
	    {"1e300",	                     "cb7e37e43c8800759c"},
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_json_free) json_t *json = NULL;
		HT_AUTO(ht_buf_fini) struct ht_buf b = HT_BUF(1000);

		assert_ok(
		    ht_json_parse(ht_slice_str(cases[i].json), &json, NULL));
		assert_ok(ht_pack_from_json(json, &b));
		assert_ok(ht_pack_check(ht_buf_slice(&b), NULL, NULL));
		assert_true(ht_slice_eq(ht_buf_slice(&b), unhex(cases[i].hex)));
	}
}

static void
what_json_cannot_say_is_refused(void **state)
{
	static const struct {
		const char *hex;
		enum ht_err want;
	} cases[] = {
	    {"cf8000000000000000",   HT_EINVALID  },
	    {"91cfffffffffffffffff", HT_EINVALID  },
	    {"a100",                 HT_EINVALID  },
	    {"81a100c0",             HT_EINVALID  },
	    {"81a424 62696e a0",     HT_EINVALID  },
	    {"ddffffffff",           HT_EMALFORMED}, /* never to msgpack-c */
	    {"c7000161",             HT_EMALFORMED},
	    {"",	             HT_EMALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		json_t *json = NULL;

		assert_err(
		    ht_pack_to_json(unhex(cases[i].hex), &json), cases[i].want);
		assert_null(json);
	}
}

static void
what_msgpack_cannot_say_is_refused(void **state)
{
	static const char *const cases[] = {"{\"$bin\":1}", "{\"$bin\":\"?\"}",
	    "{\"$bin\":\"\",\"a\":1}", "[1,{\"$bin\":\"/wB=\"}]"};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_json_free) json_t *json = NULL;
		HT_AUTO(ht_buf_fini) struct ht_buf b = HT_BUF(1000);

		ht_pack_uint(&b, 1);
		assert_ok(ht_json_parse(ht_slice_str(cases[i]), &json, NULL));
		assert_err(ht_pack_from_json(json, &b), HT_EINVALID);
		assert_int_equal(b.len, 1); /* nothing half-said */
		assert_err(b.err, HT_EINVALID);
	}
	{
		HT_AUTO(ht_json_free) json_t *json = json_stringn("a\0b", 3);
		HT_AUTO(ht_buf_fini) struct ht_buf b = HT_BUF(1000);

		assert_err(ht_pack_from_json(json, &b), HT_EINVALID);
	}
}

/* As deep as the profile goes, bin at the bottom too; and one deeper. */
static void
depth_is_the_same_on_both_sides(void **state)
{
	(void)state;
	for (unsigned depth = 1; depth <= HT_PACK_DEPTH + 1; depth++) {
		HT_AUTO(ht_json_free)
		json_t *json = json_pack("{s:s}", "$bin", "/w==");
		HT_AUTO(ht_buf_fini) struct ht_buf b = HT_BUF(1000);
		enum ht_err want = depth <= HT_PACK_DEPTH ? HT_OK : HT_ETOOBIG;

		for (unsigned i = 0; i < depth; i++)
			json = json_pack("[o]", json);
		assert_err(ht_pack_from_json(json, &b), want);
		if (want == HT_OK)
			assert_ok(ht_pack_check(ht_buf_slice(&b), NULL, NULL));
	}
}

static void *
torture_malloc(size_t size)
{
	return malloc(size); /* ours, so that faults reach jansson */
}

static void
conversion_survives_no_memory(void **state)
{
	static const char *const hex =
	    "84 a161 93c001cb3fe0000000000000 a162 c403ff0102"
	    "a163 a6e883a1e5908c a164 81a165c3";
	HT_AUTO(ht_json_free) json_t *json = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf b = {0};
	enum ht_err err = HT_OK;

	(void)state;
	json_set_alloc_funcs(torture_malloc, free);
	TORTURE(err = ht_pack_to_json(unhex(hex), &json))
	{
		assert_err(err, HT_ENOMEM);
		assert_null(json);
	}
	assert_ok(err);
	TORTURE((ht_buf_fini(&b), b = HT_BUF(1000),
	    err = ht_pack_from_json(json, &b)))
	{
		assert_err(err, HT_ENOMEM);
		assert_int_equal(b.len, 0);
	}
	assert_ok(err);
	assert_true(ht_slice_eq(ht_buf_slice(&b), unhex(hex)));
	json_set_alloc_funcs(malloc, free);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_the_profile_has_is_accepted),
    cmocka_unit_test(what_breaks_the_profile_is_refused),
    cmocka_unit_test(depth_costs_nothing),
    cmocka_unit_test(the_public_suite_is_read_strictly),
    cmocka_unit_test(a_reader_reads_what_a_writer_wrote),
    cmocka_unit_test(a_wrong_read_sticks),
    cmocka_unit_test(the_writer_takes_the_shortest_form),
    cmocka_unit_test(the_writer_refuses_what_the_profile_lacks),
    cmocka_unit_test(json_and_msgpack_say_the_same),
    cmocka_unit_test(json_is_put_into_the_profile),
    cmocka_unit_test(what_json_cannot_say_is_refused),
    cmocka_unit_test(what_msgpack_cannot_say_is_refused),
    cmocka_unit_test(depth_is_the_same_on_both_sides),
    cmocka_unit_test(conversion_survives_no_memory),
};
HT_TEST_MAIN(tests)
