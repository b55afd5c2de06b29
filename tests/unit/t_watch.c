/*
 * What a member's own node sees: a false key slipped in, a true one taken
 * out, an identity that changed hands, a policy that nobody freshens.
 */
#include "adapters/watch.h"

#include "lib/base/clock.h"
#include "tests/lib/test.h"
#include "tests/lib/world.h"

#define NOW_MS UINT64_C(1795491723000) /* 2026-11-24T03:02:03Z */
#define DAY_MS UINT64_C(86400000)
#define STATE  "tax.demo/state"

struct seen {
	struct ht_report *alarms;
	struct ht_report *warnings;
};

static void
seen_fini(struct seen *seen)
{
	ht_report_free(&seen->alarms);
	ht_report_free(&seen->warnings);
}

static struct ht_own
own_of(const struct ht_world *w)
{
	const struct ht_world_member *m = &w->members[HT_W_STATE];

	return (struct ht_own){
	    .member = m->name,
	    .node = "main",
	    .signing = ht_key_id(m->nodes[0].signing),
	    .transport = ht_key_id(m->nodes[0].transport),
	    .n_sealing = 1,
	    .sealing = {ht_key_id(m->sealing)},
	    .identity = ht_key_pub(m->identity),
	    .has_identity = true,
	};
}

static struct seen
look(const struct ht_world *w, const struct ht_own *own, uint64_t now_ms)
{
	struct seen seen = {ht_report_new(), ht_report_new()};

	ht_watch_own(w->trust, own, now_ms, seen.alarms, seen.warnings);
	return seen;
}

static bool
says(const struct ht_report *report, const char *words)
{
	for (unsigned i = 0; i < ht_report_count(report); i++)
		if (strstr(ht_report_text(report, i), words) != NULL)
			return true;
	return false;
}

/* Add a list entry after @before in the member's text, and publish. */
static void
slip_in(struct ht_world *w, enum ht_key_for what, const char *before,
    const char *indent, uint64_t from_ms, const char *state)
{
	struct ht_key *key = ht_world_key(what, "of a stranger");
	struct ht_pub pub = ht_key_pub(key);
	char b64[HT_B64_SIZE(HT_PUB_SIZE)], to[512];
	char from[HT_TIME_SIZE], until[HT_TIME_SIZE];

	ht_b64(b64, pub.at, sizeof(pub.at));
	ht_time_text(from, from_ms * 1000);
	ht_time_text(until, (from_ms + 30 * DAY_MS) * 1000);
	(void)snprintf(to, sizeof(to),
	    "%s\n%s- {key: %s, from: %s, until: %s, state: %s}", before, indent,
	    b64, from, until, state);
	ht_world_edit(w, HT_DOC_MEMBER, STATE, before, to);
	ht_world_edit(w, HT_DOC_MEMBER, STATE, "revision: 1", "revision: 2");
	ht_world_renew(w);
	ht_key_free(&key);
}

static void
an_honest_directory_alarms_nobody(void **state)
{
	struct ht_world *w = ht_world_new(NOW_MS);
	struct ht_own own = own_of(w);
	HT_AUTO(seen_fini) struct seen seen = look(w, &own, NOW_MS);

	(void)state;
	assert_int_equal(ht_report_count(seen.alarms), 0);
	assert_int_equal(ht_report_count(seen.warnings), 0);
	ht_world_free(&w);
}

static const struct slip_case {
	const char *why;
	uint64_t from_ms;
	const char *state;
	bool alarm;
} slips[] = {
    {"a false one that is valid now", NOW_MS - DAY_MS,      "active",                     true },
    {"one that will be",              NOW_MS + 2 * DAY_MS,  "active",                     true },
    {"one that was",                  NOW_MS - 31 * DAY_MS, "active",                     false},
    {"one that was revoked",          NOW_MS - DAY_MS,      "revoked, since: 2026-11-23",
     false                                                                                     },
};

static void
a_false_sealing_key_is_seen_by_its_member(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(slips); i++) {
		struct ht_world *w = ht_world_new(NOW_MS);
		struct ht_own own = own_of(w);
		HT_AUTO(seen_fini) struct seen seen = {NULL, NULL};

		slip_in(w, HT_KEY_SEALING, "sealing:", "  ", slips[i].from_ms,
		    slips[i].state);
		seen = look(w, &own, NOW_MS);
		if (says(seen.alarms, "which this node does not hold") !=
		    slips[i].alarm)
			fail_msg("%s", slips[i].why);
		ht_world_free(&w);
	}
}

static void
keys_that_are_missing_or_over_are_seen(void **state)
{
	struct ht_world *w = ht_world_new(NOW_MS);
	struct ht_own own = own_of(w);
	struct ht_keyid right = own.signing;
	HT_AUTO(seen_fini) struct seen seen = {NULL, NULL};

	(void)state;
	own.signing = own.transport;
	seen = look(w, &own, NOW_MS);
	assert_true(says(seen.alarms, "does not list this node's signing key"));
	/* And the entry's own is a stranger's now. */
	assert_true(says(seen.warnings, "lists the signing key"));
	seen_fini(&seen);
	own.signing = right;
	seen = look(w, &own, NOW_MS + 400 * DAY_MS);
	assert_true(says(seen.alarms, "signing key is past its period"));
	assert_true(says(seen.alarms, "no sealing key that is valid now"));
	seen_fini(&seen);
	seen = look(w, &own, NOW_MS + 40 * DAY_MS);
	assert_int_equal(ht_report_count(seen.alarms), 0);
	assert_true(says(seen.warnings, "the sealing key of " STATE " ends"));
	seen_fini(&seen);
	own.node = "shell2";
	seen = look(w, &own, NOW_MS);
	assert_true(says(seen.alarms, "has no node 'shell2'"));
	seen_fini(&seen);
	own.member = "tax.demo/nobody";
	seen = look(w, &own, NOW_MS);
	assert_true(says(seen.alarms, "is not in the directory"));
	ht_world_free(&w);
}

/* A node with new keys, and the directory that it kept from before them. */
static void
what_came_after_a_kept_directory_is_no_alarm(void **state)
{
	struct ht_world *w = ht_world_new(NOW_MS);
	struct ht_own own = own_of(w);
	struct ht_own old = own;
	HT_AUTO(seen_fini) struct seen seen = {NULL, NULL};

	(void)state;
	old.stored = own.stored = true;
	own.signing = own.transport;
	memset(&own.transport, 7, sizeof(own.transport));
	own.sealing[0] = own.transport;
	seen = look(w, &own, NOW_MS + 400 * DAY_MS);
	assert_int_equal(ht_report_count(seen.alarms), 0);
	assert_true(says(seen.warnings, "does not list its signing key"));
	assert_true(says(seen.warnings, "does not list its transport key"));
	assert_true(says(seen.warnings, "goes on by itself"));
	seen_fini(&seen);
	/* Not over yet: what the node gave up on its own is no false key. */
	seen = look(w, &own, NOW_MS);
	assert_int_equal(ht_report_count(seen.alarms), 0);
	assert_true(says(seen.warnings, "lists the sealing key"));
	seen_fini(&seen);
	/* What is over stays over. */
	seen = look(w, &old, NOW_MS + 400 * DAY_MS);
	assert_true(says(seen.alarms, "signing key is past its period"));
	assert_true(says(seen.alarms, "transport key is past its period"));
	seen_fini(&seen);
	own.node = "new";
	seen = look(w, &own, NOW_MS);
	assert_int_equal(ht_report_count(seen.alarms), 0);
	assert_true(says(seen.warnings, "has no node 'new'"));
	ht_world_free(&w);
}

/* Each node of a member tells of its own keys, not of the other's. */
static void
another_node_s_keys_are_its_own_business(void **state)
{
	struct ht_world *w = ht_world_new(NOW_MS);
	struct ht_own own = own_of(w);
	HT_AUTO(seen_fini)
	struct seen seen = look(w, &own, NOW_MS + 350 * DAY_MS);

	(void)state;
	assert_true(says(seen.warnings, STATE "/main"));
	assert_false(says(seen.warnings, STATE "/shell"));
	ht_world_free(&w);
}

static void
replace_identity(struct ht_world *w, const char *recovered)
{
	struct ht_world_member *m = &w->members[HT_W_STATE];
	struct ht_key *new = ht_world_key(HT_KEY_IDENTITY, "the next one");
	struct ht_pub old_pub = ht_key_pub(m->identity);
	struct ht_pub new_pub = ht_key_pub(new);
	char from[HT_B64_SIZE(HT_PUB_SIZE)], to[HT_B64_SIZE(HT_PUB_SIZE)];

	ht_b64(from, old_pub.at, sizeof(old_pub.at));
	ht_b64(to, new_pub.at, sizeof(new_pub.at));
	ht_key_free(&m->identity);
	m->identity = new;
	ht_world_edit(w, HT_DOC_MEMBER, STATE, from, to);
	ht_world_edit(w, HT_DOC_MEMBER, STATE, "revision: 1", recovered);
	ht_world_renew(w);
}

static void
a_recovered_identity_is_shown_for_90_days(void **state)
{
	struct ht_world *w = ht_world_new(NOW_MS);
	struct ht_own own = own_of(w);
	struct ht_report *shown = ht_report_new();
	HT_AUTO(seen_fini) struct seen seen = {NULL, NULL};

	(void)state;
	replace_identity(w, "revision: 2\nrecovered: 2026-11-24T00:00:00Z");
	seen = look(w, &own, NOW_MS);
	assert_true(says(seen.alarms, "the old one did not sign"));
	/* Every other node shows it, too. */
	ht_watch_recovered(w->trust, NOW_MS + 89 * DAY_MS, shown);
	assert_true(says(shown, "the identity of " STATE " was recovered"));
	ht_report_free(&shown);
	shown = ht_report_new();
	ht_watch_recovered(w->trust, NOW_MS + 91 * DAY_MS, shown);
	assert_int_equal(ht_report_count(shown), 0);
	ht_report_free(&shown);
	ht_world_free(&w);
}

static void
a_stale_policy_is_said_aloud(void **state)
{
	struct ht_world *w = ht_world_new(NOW_MS);
	struct ht_report *said = ht_report_new();
	uint64_t until_ms = ht_trust_until_ms(w->trust);

	(void)state;
	ht_watch_current(w->trust, until_ms - 1, said);
	assert_int_equal(ht_report_count(said), 0);
	ht_watch_current(w->trust, until_ms + 90 * 60000, said);
	assert_true(says(said, "90 minutes ago"));
	ht_report_free(&said);
	ht_world_free(&w);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_honest_directory_alarms_nobody),
    cmocka_unit_test(a_false_sealing_key_is_seen_by_its_member),
    cmocka_unit_test(keys_that_are_missing_or_over_are_seen),
    cmocka_unit_test(what_came_after_a_kept_directory_is_no_alarm),
    cmocka_unit_test(another_node_s_keys_are_its_own_business),
    cmocka_unit_test(a_recovered_identity_is_shown_for_90_days),
    cmocka_unit_test(a_stale_policy_is_said_aloud),
};

HT_TEST_MAIN(tests)
