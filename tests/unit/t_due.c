/*
 * What runs out: the table is the specification.
 */
#include "schemas/due.h"

#include "tests/lib/test.h"
#include "tests/lib/world.h"

#define NOW_MS UINT64_C(1795491723000) /* 2026-11-24T03:02:03Z */
#define DAY_MS UINT64_C(86400000)
#define D(n)   (NOW_MS + (uint64_t)(n)*DAY_MS)

static const struct cover_case {
	const char *why;
	unsigned n;
	struct {
		int from, until, revoked; /* days from now; 0: not revoked */
	} keys[HT_KEYS_MAX];
	int want; /* days */
} cover_cases[] = {
    {"one key covers its period",       1, {{-1, 30, 0}},                           30},
    {"none covers nothing",             0, {{0, 0, 0}},                             0 },
    {"one that is over covers nothing", 1, {{-9, -1, 0}},                           0 },
    {"one to come covers nothing yet",  1, {{1, 30, 0}},                            0 },
    {"a successor goes on",             2, {{-1, 30, 0}, {20, 90, 0}},              90},
    {"in any order",                    2, {{20, 90, 0}, {-1, 30, 0}},              90},
    {"one that begins where it ends",   2, {{-1, 30, 0}, {30, 60, 0}},              60},
    {"but not after a gap",             2, {{-1, 30, 0}, {31, 60, 0}},              30},
    {"a revoked one ends when revoked", 1, {{-1, 30, 5}},                           5 },
    {"... and now if it was",           1, {{-9, 30, -1}},                          0 },
    {"a shorter one changes nothing",   2, {{-1, 30, 0}, {-1, 10, 0}},              30},
    {"three in a row",                  3, {{40, 80, 0}, {-1, 30, 0}, {29, 41, 0}}, 80},
};

static void
keys_cover_until_the_first_gap(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(cover_cases); i++) {
		const struct cover_case *c = &cover_cases[i];
		struct ht_keyinfo keys[HT_KEYS_MAX] = {{.revoked = false}};
		uint64_t got;

		for (unsigned k = 0; k < c->n; k++) {
			keys[k].from_ms = D(c->keys[k].from);
			keys[k].until_ms = D(c->keys[k].until);
			keys[k].revoked = c->keys[k].revoked != 0;
			keys[k].revoked_ms = D(c->keys[k].revoked);
		}
		got = ht_keys_cover(keys, c->n, NOW_MS);
		if (got != D(c->want))
			fail_msg("%s: %lld days", c->why,
			    (long long)(got - NOW_MS) / (long long)DAY_MS);
	}
}

/* ---- a whole world ---- */

struct heard {
	unsigned n[HT_DUE_CURRENT + 1];
	uint64_t now_ms;
	char last[HT_DUE_TEXT];
	bool over;
};

static void
hear(void *arg, const struct ht_due *due)
{
	struct heard *heard = arg;

	heard->n[due->what]++;
	heard->over = heard->over || due->over;
	ht_due_text(due, heard->now_ms, heard->last);
}

static struct heard
all(const struct ht_world *w, uint64_t now_ms)
{
	struct heard heard = {.now_ms = now_ms};

	ht_due_all(w->trust, now_ms, HT_DUE_MS, hear, &heard);
	return heard;
}

/* Keys live a year, sealing keys 60 days, the epoch 90. */
static void
a_world_runs_out_bit_by_bit(void **state)
{
	struct ht_world *w = ht_world_new(NOW_MS);
	struct heard h = all(w, NOW_MS);

	(void)state;
	assert_int_equal(h.n[HT_DUE_SIGNING], 0);
	assert_int_equal(h.n[HT_DUE_SEALING], 0);
	assert_int_equal(h.n[HT_DUE_EPOCH], 0);
	assert_false(h.over);
	h = all(w, D(40));
	assert_int_equal(h.n[HT_DUE_SEALING], HT_W_MEMBERS);
	assert_int_equal(h.n[HT_DUE_EPOCH], 0);
	assert_false(h.over);
	assert_non_null(strstr(h.last, "the sealing key of"));
	assert_non_null(strstr(h.last, " days ("));
	assert_non_null(strstr(h.last, "hutong key new --for sealing"));
	h = all(w, D(70));
	assert_int_equal(h.n[HT_DUE_SEALING], HT_W_MEMBERS);
	assert_int_equal(h.n[HT_DUE_EPOCH], 1);
	assert_true(h.over);
	/* After it, too: until there is another, that is what is wrong. */
	h = all(w, D(91));
	assert_int_equal(h.n[HT_DUE_EPOCH], 1);
	assert_non_null(
	    strstr(h.last, "the epoch gx.demo/e1: none is valid now"));
	h = all(w, D(350));
	/* Every node's: one each, and the state bureau's shell. */
	assert_int_equal(h.n[HT_DUE_SIGNING], HT_W_MEMBERS + 1);
	assert_int_equal(h.n[HT_DUE_TRANSPORT], HT_W_MEMBERS + 1);
	assert_true(h.n[HT_DUE_GRANT] > 0);
	ht_world_free(&w);
}

static void
a_successor_is_enough(void **state)
{
	struct ht_world *w = ht_world_new(NOW_MS);
	struct ht_member member = *ht_trust_member(
	    w->trust, ht_slice_str(w->members[HT_W_LOCAL].name));
	struct heard h = {.now_ms = D(40)};

	(void)state;
	ht_due_member(&member, D(40), HT_DUE_MS, hear, &h);
	assert_int_equal(h.n[HT_DUE_SEALING], 1);
	member.sealing[1] = member.sealing[0];
	member.sealing[1].from_ms = D(50);
	member.sealing[1].until_ms = D(130);
	member.n_sealing = 2;
	h = (struct heard){.now_ms = D(40)};
	ht_due_member(&member, D(40), HT_DUE_MS, hear, &h);
	assert_int_equal(h.n[HT_DUE_SEALING], 0);
	ht_world_free(&w);
}

/* It lives 12 hours, and is for who asks about it. */
static void
the_current_note_runs_out(void **state)
{
	static const struct {
		uint64_t at_ms, ahead_ms;
		unsigned n;
		bool over;
		const char *text;
	} cases[] = {
	    {NOW_MS,              DAY_MS,         1, false, "1 ends in 12 hours (2026-"},
	    {NOW_MS,              DAY_MS / 2,     1, false, "ends in 12 hours"         },
	    {NOW_MS,              DAY_MS / 2 - 1, 0, false, ""                         },
	    {NOW_MS + DAY_MS / 2, 0,              1, true,  "none is valid now"        },
	    {NOW_MS + DAY_MS,     0,              1, true,
             "the current note of snapshot 1 ended 2026-11-24T"                        },
	};
	struct ht_world *w = ht_world_new(NOW_MS);

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct heard h = {.now_ms = cases[i].at_ms};

		ht_due_current(
		    w->trust, cases[i].at_ms, cases[i].ahead_ms, hear, &h);
		assert_int_equal(h.n[HT_DUE_CURRENT], cases[i].n);
		assert_int_equal(h.over, cases[i].over);
		assert_non_null(strstr(h.last, cases[i].text));
	}
	assert_int_equal(all(w, NOW_MS).n[HT_DUE_CURRENT], 0);
	ht_world_free(&w);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(keys_cover_until_the_first_gap),
    cmocka_unit_test(a_world_runs_out_bit_by_bit),
    cmocka_unit_test(a_successor_is_enough),
    cmocka_unit_test(the_current_note_runs_out),
};

HT_TEST_MAIN(tests)
