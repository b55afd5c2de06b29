/*
 * Two versions of one item: both are served until the old one's day, each to
 * whom it was granted.
 */
#include "schemas/prospect.h"
#include "tests/lib/test.h"
#include "tests/lib/world.h"

#define NOW_MS UINT64_C(1795500000000) /* 2026-11-24 */
#define DAY_MS UINT64_C(86400000)
#define UNTIL  "until: 2026-12-31T00:00:00Z\n"
#define END_MS UINT64_C(1798675200000)

static struct ht_world *world;

/* gx.demo/1 and 2 are of version 1; tax.demo/local has 6, of version 2. */
static int
set_up(void **state)
{
	char item[8192], grant[2048];
	const char *text;

	(void)state;
	world = ht_world_new(NOW_MS);
	text = ht_world_text(world, HT_DOC_ITEM, "gx.demo/SCZTDJ@1");
	(void)snprintf(item, sizeof(item), "%s", text);
	ht_world_put(world, HT_DOC_ITEM, "gx.demo/SCZTDJ@2", item);
	ht_world_edit(world, HT_DOC_ITEM, "gx.demo/SCZTDJ@2", "version: 1\n",
	    "version: 2\n");
	ht_world_edit(world, HT_DOC_ITEM, "gx.demo/SCZTDJ@1", "revision: 1\n",
	    "revision: 2\n" UNTIL);
	text = ht_world_text(world, HT_DOC_GRANT, "gx.demo/2");
	(void)snprintf(grant, sizeof(grant), "%s", text);
	ht_world_put(world, HT_DOC_GRANT, "gx.demo/6", grant);
	ht_world_edit(
	    world, HT_DOC_GRANT, "gx.demo/6", "gx.demo/2\n", "gx.demo/6\n");
	ht_world_edit(
	    world, HT_DOC_GRANT, "gx.demo/6", "version: 1\n", "version: 2\n");
	ht_world_renew(world);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	ht_world_free(&world);
	return 0;
}

static struct ht_prospect
prospect(const char *consumer, uint64_t now_ms)
{
	return (struct ht_prospect){
	    .consumer = ht_slice_str(consumer),
	    .item = ht_slice_str("gx.demo/SCZTDJ"),
	    .operation = HT_OP_QUERY,
	    .now_ms = now_ms,
	};
}

/* @code 0: allowed. */
static const struct find_case {
	const char *why;
	const char *consumer;
	uint32_t version; /* 0: any */
	uint64_t at_ms;
	const char *grant;
	uint32_t gets;
	unsigned code;
} find_cases[] = {
    {"a grant of the old version still works", "tax.demo/state", 0, NOW_MS,
     "gx.demo/1",                                                                            1, 0                },
    {"of two versions granted, the newest",    "tax.demo/local", 0, NOW_MS,
     "gx.demo/6",                                                                            2, 0                },
    {"or the one that was named",              "tax.demo/local", 1, NOW_MS,     "gx.demo/2", 1,
     0                                                                                                           },
    {"a version that was not granted",         "tax.demo/state", 2, NOW_MS,     "gx.demo/1",
     2,                                                                                         HT_ST_GRANT_OTHER},
    {"to the last moment",                     "tax.demo/state", 0, END_MS - 1, "gx.demo/1", 1, 0                },
    {"and no longer",                          "tax.demo/state", 0, END_MS,     "gx.demo/1", 1,
     HT_ST_ITEM_VERSION                                                                                          },
    {"the new one goes on",                    "tax.demo/local", 0, END_MS,     "gx.demo/6", 2, 0                },
};

static void
the_current_note_lasts(uint64_t until_ms)
{
	world->issued_ms = until_ms - world->life_ms;
	ht_world_renew(world);
}

static void
each_is_served_to_whom_it_was_granted(void **state)
{
	(void)state;
	the_current_note_lasts(END_MS + DAY_MS);
	for (size_t i = 0; i < HT_COUNT(find_cases); i++) {
		const struct find_case *c = &find_cases[i];
		struct ht_prospect p = prospect(c->consumer, c->at_ms);
		const struct ht_grant *grant;
		struct ht_verdict v;

		p.version = c->version;
		grant = ht_find_grant(world->trust, &p, &v);

		if (grant == NULL || strcmp(grant->name, c->grant) != 0 ||
		    v.item == NULL || v.item->version != c->gets ||
		    v.allow != (c->code == 0) ||
		    (c->code != 0 && v.reasons.at[0].code != c->code))
			fail_msg("%s: %s, %s", c->why,
			    grant != NULL ? grant->name : "no grant",
			    v.reasons.n > 0 ? v.reasons.at[0].detail : "");
	}
}

static const struct item_case {
	const char *why;
	const char *consumer;
	const char *grant;
	uint64_t at_ms;
	uint32_t gets;
} item_cases[] = {
    {"what is granted",                 "tax.demo/state",        "",           NOW_MS, 1},
    {"the newest that is granted",      "tax.demo/local",        "",           NOW_MS, 2},
    {"the grant's that is named",       "tax.demo/local",        "gx.demo/2",  NOW_MS, 1},
    {"of no grant, the newest",         "police.demo/residents", "",           NOW_MS, 2},
    {"of a grant that is not there",    "tax.demo/local",        "gx.demo/99", NOW_MS, 2},
    {"of another item's grant",         "tax.demo/local",        "gx.demo/3",  NOW_MS, 2},
    {"what is over is refused as such", "tax.demo/state",        "",           END_MS, 1},
};

static void
who_names_no_version_gets_one_that_works(void **state)
{
	struct ht_prospect nowhere;

	(void)state;
	for (size_t i = 0; i < HT_COUNT(item_cases); i++) {
		const struct item_case *c = &item_cases[i];
		struct ht_prospect p = prospect(c->consumer, c->at_ms);
		const struct ht_item *item =
		    ht_find_item(world->trust, &p, ht_slice_str(c->grant));

		if (item == NULL || item->version != c->gets)
			fail_msg("%s: version %u, not %u", c->why,
			    item != NULL ? item->version : 0, c->gets);
	}
	nowhere = prospect("tax.demo/state", NOW_MS);
	nowhere.item = ht_slice_str("gx.demo/NOSUCH");
	assert_null(ht_find_item(world->trust, &nowhere, HT_SLICE("", 0)));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_is_served_to_whom_it_was_granted),
    cmocka_unit_test(who_names_no_version_gets_one_that_works),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
