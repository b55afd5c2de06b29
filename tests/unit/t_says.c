/* What entries without a record say: who did what, in a line. */
#include "tests/lib/test.h"

#include "broker/cli/says.h"
#include "schemas/json.h"
#include "schemas/pack.h"
#include "tests/lib/fault.h"

static void
pack(const char *json, struct ht_buf *out)
{
	HT_AUTO(ht_json_free) json_t *value = NULL;

	assert_ok(ht_json_parse(ht_slice_str(json), &value, NULL));
	assert_ok(ht_pack_from_json(value, out));
}

static void
an_entry_says_who_did_what(void **state)
{
	static const struct {
		unsigned type;
		const char *payload, *who, *purpose, *text;
	} rows[] = {
	    {HT_ENTRY_AUDIT_QUERY,
             "{\"auditor\":\"gx.demo/wang\",\"hash\":null,\"matched\":3,"
	        "\"purpose\":\"case 7\",\"query\":\"search type=REJECT\","
	        "\"size\":90}",	                                               "gx.demo/wang",   "case 7", "search type=REJECT, 3 rows"              },
 /* How many, could name a subject: it is not said. */
	    {HT_ENTRY_AUDIT_QUERY,
             "{\"auditor\":\"gx.demo/wang\",\"hash\":null,\"matched\":null,"
	        "\"purpose\":\"case 7\",\"query\":\"list subject=…\","
	        "\"size\":90}",	                                               "gx.demo/wang",   "case 7", "list subject=…"                        },
	    {HT_ENTRY_AUDIT_QUERY,
             "{\"auditor\":\"\",\"hash\":null,\"matched\":0,\"purpose\":"
	        "\"\","
	        "\"query\":\"refused\",\"size\":90}",	                         "",               "",       "refused, 0 rows"                         },
	    {HT_ENTRY_ADMIN,
             "{\"act\":\"pause\",\"by\":\"root\",\"detail\":\"for an "
	        "hour\"}",	                                                    "root",           "",       "pause: for an hour"                      },
	    {HT_ENTRY_ADMIN,
             "{\"act\":\"resume\",\"by\":\"root\",\"detail\":\"\"}",                  "root",
             "",	                                                                                          "resume"	                          },
	    {HT_ENTRY_SNAPSHOT,      "{\"hash\":{\"$bin\":\"AAAA\"},\"version\":12}",
             "",	                                                                                "",       "version 12"                              },
	    {HT_ENTRY_ERASE,
             "{\"basis\":\"PIPL 47\",\"by\":\"a, b\",\"count\":5,\"scope\":"
	        "\"entries\",\"what\":\"tags\"}",	                             "a, b",           "",       "5 erased: tags of entries, under PIPL 47"},
	    {HT_ENTRY_DISCLOSE,
             "{\"basis\":\"\",\"by\":\"\",\"count\":7,\"item\":"
	        "\"gx.demo/A@1\"}",	                                           "",               "",       "7 hidden no more: gx.demo/A@1"           },
	    {HT_ENTRY_DISCLOSE,
             "{\"basis\":\"PIPL "
	        "45\",\"by\":\"a\",\"count\":2,\"item\":\"\"}",	               "a",              "",       "2 hidden no more, under PIPL 45"         },
	    {HT_ENTRY_START,         "{\"host\":\"lane\",\"version\":\"1\"}",         "",               "",
             "lane, version 1"	                                                                                                                      },
	    {HT_ENTRY_STOP,          "{\"reason\":\"asked to\"}",                     "",               "",       "asked to"                                },
	    {HT_ENTRY_ROLLBACK_SEEN,
             "{\"anchor\":90,\"by\":\"root\",\"found\":80,\"why\":\"disk\"}",         "root",           "",       "80 entries found, 90 signed: disk"       },
	    {HT_ENTRY_INDEX_ROOT,    "{\"count\":9,\"from\":0,\"to\":1024}",          "",
             "",	                                                                                          "9 rows of entries from 0 to before 1024" },
	    {HT_ENTRY_REFUSALS,
             "{\"count\":40,\"from\":1,\"member\":\"tax.demo/local\"}",               "tax.demo/local", "",       "40 more, counted"                        },
	    {HT_ENTRY_VOLUME,        "{\"first\":1024,\"segment\":3}",                "",               "",
             "entries from 1024 closed"	                                                                                                             },
	    {HT_ENTRY_REJECT,        "{\"hash\":{\"$bin\":\"AAAA\"},\"len\":31}",     "",
             "",	                                                                                          "31 bytes, unread"                        },
	    {HT_ENTRY_EXPIRED,       "{\"sender\":\"tax.demo/local\"}",               "",               "",       ""                                        },
	    {HT_ENTRY_ADMIN,         "[1]",	                                   "",               "",       ""                                        },
	    {HT_ENTRY_ADMIN,         "{\"act\":[],\"by\":7}",                         "",               "",       ""                                        },
	    {HT_ENTRY_STOP,          "{}",	                                    "",               "",       ""                                        },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(4096);
		struct ht_entry e = {.type = rows[i].type};
		struct ht_says says;

		pack(rows[i].payload, &payload);
		e.payload = ht_buf_slice(&payload);
		assert_ok(ht_says(&e, &says));
		if (strcmp(says.who, rows[i].who) != 0 ||
		    strcmp(says.purpose, rows[i].purpose) != 0 ||
		    !ht_slice_is(ht_buf_slice(&says.text), rows[i].text))
			fail_msg("%s: '%s' '%s' '%s'", rows[i].payload,
			    says.who, says.purpose, ht_buf_text(&says.text));
		ht_buf_fini(&says.text);
	}
}

/* A record says it elsewhere; and what is no map says nothing. */
static void
others_say_nothing(void **state)
{
	struct ht_entry record = {.type = HT_ENTRY_REJECT,
	    .bundle_count = 1,
	    .payload = ht_slice_str("\x81\xa3len\x1f")};
	struct ht_entry torn = {
	    .type = HT_ENTRY_STOP, .payload = ht_slice_str("\x81\xa6rea")};
	struct ht_says says;

	(void)state;
	assert_ok(ht_says(&record, &says));
	assert_int_equal(says.text.len, 0);
	assert_ok(ht_says(&torn, &says));
	assert_int_equal(says.text.len, 0);
}

static void
without_memory_it_is_said(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(4096);
	struct ht_entry e = {.type = HT_ENTRY_STOP};
	struct ht_says says;
	enum ht_err err = HT_OK;

	(void)state;
	pack("{\"reason\":\"asked to\"}", &payload);
	e.payload = ht_buf_slice(&payload);
	TORTURE(err = ht_says(&e, &says))
	{
		assert_int_equal(err, HT_ENOMEM);
		ht_buf_fini(&says.text);
	}
	assert_ok(err);
	ht_buf_fini(&says.text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_entry_says_who_did_what),
    cmocka_unit_test(others_say_nothing),
    cmocka_unit_test(without_memory_it_is_said),
};

HT_TEST_MAIN(tests)
