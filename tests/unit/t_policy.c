/*
 * The decision, by a table that reaches every reason.  t_small_world.c plays
 * all requests against all sets of grants.
 */
#include "tests/lib/test.h"

#include "schemas/prospect.h"
#include "tests/lib/world.h"

#define NOW_MS UINT64_C(1795491723000) /* 2026-11-24T03:02:03Z */
#define DAY_MS INT64_C(86400000)

static struct ht_world *world;
static bool seen[1000]; /* codes that some test brought about */

/* ---- a request that is allowed, and one thing changed ---- */

struct ask {
	const char *sender, *recipient, *item, *purpose, *basis, *grant;
	unsigned version, operation, kind;
	int64_t later_ms; /* than NOW_MS */
	bool no_tag, other_key;
	const char *epoch;
	uint64_t used;
	uint64_t used_minute;
};

static const struct ask usual = {
    .sender = "tax.demo/state",
    .recipient = "scjg.demo/registry",
    .item = "gx.demo/SCZTDJ",
    .purpose = "tax-registration",
    .basis = "ZGF-15",
    .grant = "gx.demo/1",
    .version = 1,
    .operation = HT_OP_QUERY,
    .kind = HT_KIND_REQUEST,
    .epoch = "gx.demo/e1",
};

#define OR(field) (a->field != 0 ? a->field : usual.field)

static struct ask
filled(const struct ask *a)
{
	struct ask all = *a;

	all.sender = OR(sender);
	all.recipient = OR(recipient);
	all.item = OR(item);
	all.purpose = OR(purpose);
	all.basis = OR(basis);
	all.grant = OR(grant);
	all.version = OR(version);
	all.operation = OR(operation);
	all.kind = OR(kind);
	all.epoch = OR(epoch);
	return all;
}

static struct ht_keyid
seal_key_of(const char *member, uint64_t now_ms)
{
	const struct ht_member *m =
	    ht_trust_member(world->trust, ht_slice_str(member));
	const struct ht_keyinfo *key =
	    m != NULL ? ht_member_seal_key(m, now_ms) : NULL;
	struct ht_keyid none = {{0}};

	return key != NULL ? key->id : none;
}

static struct ht_header
header_of(const struct ask *a, uint64_t now_ms)
{
	struct ht_header h = {
	    .version = 1,
	    .suite = 1,
	    .kind = a->kind,
	    .sender = ht_slice_str(a->sender),
	    .node = ht_slice_str("main"),
	    .recipient = ht_slice_str(a->recipient),
	    .item = ht_slice_str(a->item),
	    .item_version = a->version,
	    .operation = a->operation,
	    .purpose = ht_slice_str(a->purpose),
	    .basis = ht_slice_str(a->basis),
	    .grant = ht_slice_str(a->grant),
	    .created_ms = now_ms,
	    .expires_ms = now_ms + 30000,
	    .seal_key = seal_key_of(a->recipient, NOW_MS),
	};

	if (a->other_key)
		h.seal_key.at[0] ^= 1;
	return h;
}

static struct ht_tag
tag_of(const char *epoch, uint8_t subject)
{
	struct ht_tag tag = {.epoch = ht_slice_str(epoch), .n_subjects = 1};

	tag.subjects[0].at[0] = subject;
	return tag;
}

static void
decide(const struct ht_trust *trust, const struct ask *given,
    struct ht_verdict *ret)
{
	struct ask a = filled(given);
	uint64_t now_ms = (uint64_t)((int64_t)NOW_MS + a.later_ms);
	struct ht_header h = header_of(&a, now_ms);
	struct ht_tag tag = tag_of(a.epoch, 1);
	struct ht_usage usage = {a.used, a.used_minute};
	bool tagged = strcmp(a.item, "gx.demo/ZXTJ") != 0 && !a.no_tag;

	ht_decide_request(trust, &h, tagged ? &tag : NULL, &usage, now_ms, ret);
}

/* ---- comparing reasons ---- */

#define WANT_MAX 4

static void
check_codes(const char *why, const struct ht_verdict *v,
    const unsigned want[static WANT_MAX])
{
	unsigned n = 0;

	while (n < WANT_MAX && want[n] != 0)
		n++;
	for (unsigned i = 0; i < v->reasons.n; i++) {
		bool found = false;

		for (unsigned k = 0; k < n; k++)
			found = found || want[k] == v->reasons.at[i].code;
		seen[v->reasons.at[i].code] = true;
		if (!found)
			fail_msg("%s: not expected: %s (%s)", why,
			    ht_status_name(v->reasons.at[i].code),
			    v->reasons.at[i].detail);
	}
	for (unsigned k = 0; k < n; k++) {
		bool found = false;

		for (unsigned i = 0; i < v->reasons.n; i++)
			found = found || want[k] == v->reasons.at[i].code;
		if (!found)
			fail_msg(
			    "%s: %s is missing", why, ht_status_name(want[k]));
	}
	if (v->allow != (n == 0))
		fail_msg("%s: allow is %d", why, v->allow);
}

static void
requests_get_all_their_reasons(void **state)
{
	static const struct {
		const char *why;
		struct ask ask;
		unsigned want[WANT_MAX];
	} cases[] = {
	    {"a live grant allows",                    {0},                               {0}                 },
	    {"and verification",                       {.operation = HT_OP_VERIFY},       {0}                 },
	    {"the other bureau by its own grant",
             {.sender = "tax.demo/local", .grant = "gx.demo/2"},                          {0}                 },
	    {"an item without a subject",
             {.sender = "tax.demo/local",
	            .recipient = "tax.demo/state",
	            .item = "gx.demo/ZXTJ",
	            .purpose = "planning",
	            .basis = "TJF-20",
	            .grant = "gx.demo/3"},
             {0}	                                                                                      },
	    {"only requests ask",                      {.kind = HT_KIND_PUSH},            {HT_ST_MALFORMED}   },
	    {"an unknown sender",                      {.sender = "tax.demo/nobody"},
             {HT_ST_UNKNOWN_MEMBER, HT_ST_GRANT_OTHER}                                                        },
	    {"an unknown recipient",                   {.recipient = "tax.demo/nobody"},
             {HT_ST_UNKNOWN_MEMBER, HT_ST_NOT_PROVIDER}                                                       },
	    {"a recipient that provides it not",
             {.recipient = "police.demo/residents"},                                      {HT_ST_NOT_PROVIDER}},
	    {"an unknown item",                        {.item = "gx.demo/NOSUCH"},
             {HT_ST_NO_ITEM, HT_ST_GRANT_OTHER}	                                                       },
	    {"an unknown version",                     {.version = 7},
             {HT_ST_ITEM_VERSION, HT_ST_GRANT_OTHER}	                                                  },
	    {"an operation not offered",               {.operation = HT_OP_PUSH},
             {HT_ST_OPERATION, HT_ST_GRANT_OPERATION}	                                                 },
	    {"an operation there is not",              {.operation = 77},
             {HT_ST_OPERATION, HT_ST_GRANT_OPERATION}	                                                 },
	    {"an unknown grant",                       {.grant = "gx.demo/99"},           {HT_ST_NO_GRANT}    },
	    {"another's grant",                        {.grant = "gx.demo/2"},            {HT_ST_GRANT_OTHER} },
	    {"a grant of another item",
             {.sender = "tax.demo/local", .grant = "gx.demo/3"},
             {HT_ST_GRANT_OTHER, HT_ST_PURPOSE, HT_ST_BASIS}                                                  },
	    {"a grant that is over",                   {.grant = "gx.demo/4"},
             {HT_ST_GRANT_PERIOD}	                                                                     },
	    {"a suspended grant",
             {.sender = "tax.demo/local", .grant = "gx.demo/5"},
             {HT_ST_GRANT_STATE}	                                                                      },
	    {"an operation not granted",
             {.sender = "tax.demo/local",
	            .grant = "gx.demo/5",
	            .operation = HT_OP_VERIFY},
             {HT_ST_GRANT_STATE, HT_ST_GRANT_OPERATION}                                                       },
	    {"a purpose not granted, though listed",   {.purpose = "tax-audit"},
             {HT_ST_PURPOSE}	                                                                          },
	    {"a purpose there is not",                 {.purpose = "curiosity"},
             {HT_ST_PURPOSE}	                                                                          },
	    {"another basis",                          {.basis = "ZGF-6"},                {HT_ST_BASIS}       },
	    {"no tag",	                         {.no_tag = true},                  {HT_ST_TAG_MISSING} },
	    {"a tag of no epoch",                      {.epoch = "gx.demo/e0"},           {HT_ST_TAG_EPOCH}   },
	    {"another sealing key",                    {.other_key = true},               {HT_ST_SEAL_KEY}    },
	    {"within the quota",
             {.sender = "tax.demo/local", .grant = "gx.demo/2", .used = 99},
             {0}	                                                                                      },
	    {"beyond the quota",
             {.sender = "tax.demo/local", .grant = "gx.demo/2", .used = 100},
             {HT_ST_QUOTA}	                                                                            },
	    {"the last moment of freshness and grace",
             {.later_ms = DAY_MS / 2 + DAY_MS - 1000},                                    {0}                 },
	    {"and past it",	                    {.later_ms = DAY_MS / 2 + DAY_MS},
             {HT_ST_POLICY_STALE}	                                                                     },
	    {"no grace where none was given",
             {.sender = "tax.demo/local",
	            .recipient = "tax.demo/state",
	            .item = "gx.demo/ZXTJ",
	            .purpose = "planning",
	            .basis = "TJF-20",
	            .grant = "gx.demo/3",
	            .later_ms = DAY_MS / 2},
             {HT_ST_POLICY_STALE}	                                                                     },
	    {"the sealing key is past its period",     {.later_ms = 61 * DAY_MS},
             {HT_ST_SEAL_KEY, HT_ST_POLICY_STALE}	                                                     },
	    {"the epoch is over",                      {.later_ms = 91 * DAY_MS},
             {HT_ST_SEAL_KEY, HT_ST_POLICY_STALE, HT_ST_TAG_EPOCH}                                            },
	    {"before the grant begins",                {.later_ms = -2 * DAY_MS},
             {HT_ST_GRANT_PERIOD, HT_ST_SEAL_KEY, HT_ST_TAG_EPOCH}                                            },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct ht_verdict v;

		decide(world->trust, &cases[i].ask, &v);
		check_codes(cases[i].why, &v, cases[i].want);
	}
}

static void
a_tag_where_none_belongs(void **state)
{
	struct ask a = filled(&(struct ask){.sender = "tax.demo/local",
	    .recipient = "tax.demo/state",
	    .item = "gx.demo/ZXTJ",
	    .purpose = "planning",
	    .basis = "TJF-20",
	    .grant = "gx.demo/3"});
	struct ht_header h = header_of(&a, NOW_MS);
	struct ht_tag tag = tag_of("gx.demo/e1", 1);
	struct ht_verdict v;

	(void)state;
	ht_decide_request(world->trust, &h, &tag, NULL, NOW_MS, &v);
	check_codes("a tag for an item without a subject", &v,
	    (unsigned[WANT_MAX]){HT_ST_TAG_FALSE});
}

/* A day and a minute; and the day is told in which it goes on. */
static void
quotas_are_kept(void **state)
{
	static const struct {
		const char *why;
		uint64_t used, used_minute;
		unsigned want[WANT_MAX];
	} cases[] = {
	    {"room in both",   6, 2, {0}                      },
	    {"the day is out", 7, 0, {HT_ST_QUOTA}            },
	    {"the minute is",  6, 3, {HT_ST_RATE}             },
	    {"both are",       8, 4, {HT_ST_QUOTA, HT_ST_RATE}},
	};
	struct ht_world *w = ht_world_new(NOW_MS);

	(void)state;
	ht_world_edit(w, HT_DOC_GRANT, "gx.demo/2", "per-day: 100",
	    "per-day: 7, per-minute: 3");
	ht_world_edit(
	    w, HT_DOC_GRANT, "gx.demo/2", "revision: 1", "revision: 2");
	ht_world_renew(w);
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct ask a = {.sender = "tax.demo/local",
		    .grant = "gx.demo/2",
		    .used = cases[i].used,
		    .used_minute = cases[i].used_minute};
		struct ht_verdict v;

		decide(w->trust, &a, &v);
		check_codes(cases[i].why, &v, cases[i].want);
		if (cases[i].want[0] == HT_ST_QUOTA)
			assert_non_null(strstr(v.reasons.at[0].detail,
			    "the next day begins 2026-11-25T00:00:00Z"));
	}
	ht_world_free(&w);
}

static void
days_have_a_zone(void **state)
{
	static const int64_t east = 8 * 3600000, west = -5 * 3600000;
	uint64_t noon = NOW_MS / DAY_MS * DAY_MS;

	(void)state;
	assert_int_equal(ht_day(0, noon), ht_day(0, noon + DAY_MS - 1));
	assert_int_equal(ht_day(0, noon) + 1, ht_day(0, noon + DAY_MS));
	assert_int_equal(ht_day(east, noon), ht_day(0, noon));
	assert_int_equal(
	    ht_day(east, noon + 16 * 3600000), ht_day(0, noon) + 1);
	assert_int_equal(
	    ht_day(east, noon + 16 * 3600000 - 1), ht_day(0, noon));
	assert_int_equal(ht_day(west, noon), ht_day(0, noon) - 1);
	assert_int_equal(ht_day(west, 3600000), 0);
	assert_int_equal(ht_day_ms(east, 0), 0);
	for (int64_t zone = west; zone <= east; zone += 3600000) {
		uint64_t day = ht_day(zone, NOW_MS);
		uint64_t from = ht_day_ms(zone, day);

		assert_true(from <= NOW_MS && NOW_MS < from + DAY_MS);
		assert_int_equal(ht_day(zone, from), day);
		assert_int_equal(ht_day(zone, from - 1), day - 1);
	}
}

static void
a_zeroed_verdict_denies(void **state)
{
	struct ht_verdict v;

	(void)state;
	memset(&v, 0, sizeof(v));
	assert_false(v.allow);
}

/* ---- the current note suspends ---- */

static void
suspensions_deny(void **state)
{
	static const struct {
		const char *name;
		const char *sender;
		const char *grant;
		unsigned want[WANT_MAX];
	} cases[] = {
	    {"gx.demo/1",          "tax.demo/state", "gx.demo/1", {HT_ST_GRANT_STATE}},
	    {"tax.demo/state",     "tax.demo/state", "gx.demo/1",
             {HT_ST_MEMBER_SUSPENDED}	                                        },
	    {"scjg.demo/registry", "tax.demo/state", "gx.demo/1",
             {HT_ST_MEMBER_SUSPENDED}	                                        },
	    {"gx.demo/1",          "tax.demo/local", "gx.demo/2", {0}                },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct ask a = {
		    .sender = cases[i].sender, .grant = cases[i].grant};
		struct ht_verdict v;

		world->suspended = cases[i].name;
		ht_world_renew(world);
		decide(world->trust, &a, &v);
		check_codes(cases[i].name, &v, cases[i].want);
	}
	world->suspended = NULL;
	ht_world_renew(world);
}

/* ---- responses ---- */

struct reply {
	const char *grant, *purpose;
	unsigned operation, kind, status, version;
	const char *released; /* digits of fields: "0134" */
	bool same_way, no_tag, other_subject, other_epoch, other_exchange;
	bool other_key;
	int64_t later_ms;
};

static void
reply_to(
    const struct ht_trust *trust, const struct reply *r, struct ht_verdict *ret)
{
	uint64_t now_ms = (uint64_t)((int64_t)NOW_MS + r->later_ms);
	struct ask a = filled(&(struct ask){0});
	struct ht_header q = header_of(&a, NOW_MS), h = q;
	struct ht_tag tag = tag_of("gx.demo/e1", 1);
	struct ht_tag back =
	    tag_of(r->other_epoch ? "gx.demo/e0" : "gx.demo/e1",
	        r->other_subject ? 2 : 1);
	uint8_t released[HT_RELEASED_MAX] = {0};
	size_t len = 0;

	if (!r->same_way) {
		h.sender = q.recipient;
		h.recipient = q.sender;
	}
	h.kind = r->kind != 0 ? r->kind : HT_KIND_RESPONSE;
	h.status = r->status != 0 ? r->status : HT_ANSWER_ANSWERED;
	h.seal_key = seal_key_of(a.sender, NOW_MS);
	h.seal_key.at[0] ^= r->other_key;
	if (r->grant != NULL)
		h.grant = ht_slice_str(r->grant);
	if (r->purpose != NULL)
		h.purpose = ht_slice_str(r->purpose);
	if (r->operation != 0)
		h.operation = r->operation;
	if (r->version != 0)
		h.item_version = r->version;
	h.exchange.at[0] ^= r->other_exchange;
	for (const char *f = r->released; f != NULL && *f != '\0'; f++)
		ht_released_set(released, &len, (size_t)(*f - '0'));
	h.released = HT_SLICE(released, len);
	ht_decide_response(
	    trust, &q, &tag, &h, r->no_tag ? NULL : &back, now_ms, ret);
}

static void
responses_keep_to_their_request(void **state)
{
	static const struct {
		const char *why;
		struct reply reply;
		unsigned want[WANT_MAX];
	} cases[] = {
	    {"granted fields may be released", {.released = "0124"},          {0}                },
	    {"or fewer",                       {.released = "1"},             {0}                },
	    {"or none",	                {0},                           {0}                },
	    {"a field that is not granted",    {.released = "013"},
             {HT_ST_RELEASED}	                                                            },
	    {"a field there is not",           {.released = "07"},            {HT_ST_RELEASED}   },
	    {"a refusal",                      {.status = HT_ANSWER_REFUSED}, {0}                },
	    {"a refusal needs no tag",
             {.status = HT_ANSWER_FAILED, .no_tag = true},                    {0}                },
	    {"a refusal releases nothing",
             {.status = HT_ANSWER_REFUSED, .released = "0"},
             {HT_ST_RELEASED}	                                                            },
	    {"not a response",                 {.kind = HT_KIND_EVENT},       {HT_ST_MALFORMED}  },
	    {"the way of the request",         {.same_way = true},
             {HT_ST_NO_REQUEST, HT_ST_SEAL_KEY}	                                          },
	    {"another grant",                  {.grant = "gx.demo/2"},        {HT_ST_NO_REQUEST} },
	    {"another purpose",                {.purpose = "tax-audit"},      {HT_ST_NO_REQUEST} },
	    {"another operation",              {.operation = HT_OP_VERIFY},
             {HT_ST_NO_REQUEST}	                                                          },
	    {"another version",                {.version = 2},                {HT_ST_NO_REQUEST} },
	    {"another exchange",               {.other_exchange = true},      {HT_ST_NO_REQUEST} },
	    {"no tag",	                 {.no_tag = true},              {HT_ST_TAG_MISSING}},
	    {"another subject",                {.other_subject = true},       {HT_ST_TAG_SUBJECT}},
	    {"another epoch",                  {.other_epoch = true},         {HT_ST_TAG_EPOCH}  },
	    {"not the consumer's key",         {.other_key = true},           {HT_ST_SEAL_KEY}   },
	    {"data, after the policy ran out", {.later_ms = 2 * DAY_MS},
             {HT_ST_POLICY_STALE}	                                                        },
	    {"a no, after the policy ran out",
             {.later_ms = 2 * DAY_MS, .status = HT_ANSWER_REFUSED},           {0}                },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct ht_verdict v;

		reply_to(world->trust, &cases[i].reply, &v);
		check_codes(cases[i].why, &v, cases[i].want);
	}
}

static void
a_grant_that_ended_meanwhile_has_ended(void **state)
{
	struct ht_verdict v;

	(void)state;
	world->suspended = "gx.demo/1";
	ht_world_renew(world);
	reply_to(world->trust, &(struct reply){.released = "0"}, &v);
	check_codes("data under a suspended grant", &v,
	    (unsigned[WANT_MAX]){HT_ST_GRANT_STATE});
	reply_to(
	    world->trust, &(struct reply){.status = HT_ANSWER_REFUSED}, &v);
	check_codes("a no under it", &v, (unsigned[WANT_MAX]){0});
	world->suspended = NULL;
	ht_world_renew(world);
}

/* ---- content ---- */

static json_t *
json_of(const char *text)
{
	json_t *json = NULL;

	if (text != NULL)
		assert_ok(ht_json_parse(ht_slice_str(text), &json, NULL));
	return json;
}

static void
content_is_held_against_header_and_grant(void **state)
{
	static const char ours[] = "{\"shxydm\": \"91999999000000019D\"}";
	static const struct {
		const char *why;
		const char *grant;
		const char *item;
		unsigned version, operation; /* of the body */
		const char *params, *fields, *claims;
		unsigned want[WANT_MAX];
	} cases[] = {
	    {"as the header says",       "gx.demo/1", "gx.demo/SCZTDJ", 1,
             HT_OP_QUERY,	                                                       ours,	                           NULL,                   NULL,                {0}                    },
	    {"some granted fields",      "gx.demo/1", "gx.demo/SCZTDJ", 1,
             HT_OP_QUERY,	                                                       ours,	                           "[\"ztmc\", \"xzqh\"]", NULL,                {0}                    },
	    {"another item",             "gx.demo/1", "gx.demo/ZXTJ",   1, HT_OP_QUERY, ours,
             NULL,	                                                                                                                              NULL,                {HT_ST_HEADER_BODY}    },
	    {"another version",          "gx.demo/1", "gx.demo/SCZTDJ", 2, HT_OP_QUERY,
             ours,	                                                                                                      NULL,                   NULL,                {HT_ST_HEADER_BODY}    },
	    {"another operation",        "gx.demo/1", "gx.demo/SCZTDJ", 1,
             HT_OP_VERIFY,	                                                      ours,                                   NULL,                   "{\"ztmc\": \"x\"}",
             {HT_ST_HEADER_BODY}	                                                                                                                                                            },
	    {"a field not granted",      "gx.demo/1", "gx.demo/SCZTDJ", 1,
             HT_OP_QUERY,	                                                       ours,	                           "[\"fddbr_xm\"]",       NULL,                {HT_ST_FIELDS}         },
	    {"a field there is not",     "gx.demo/1", "gx.demo/SCZTDJ", 1,
             HT_OP_QUERY,	                                                       ours,	                           "[\"nosuch\"]",         NULL,                {HT_ST_FIELDS}         },
	    {"fields that are no names", "gx.demo/1", "gx.demo/SCZTDJ", 1,
             HT_OP_QUERY,	                                                       ours,	                           "[1]",                  NULL,                {HT_ST_REQUEST_INVALID}},
	    {"fields that are no list",  "gx.demo/1", "gx.demo/SCZTDJ", 1,
             HT_OP_QUERY,	                                                       ours,	                           "{}",                   NULL,                {HT_ST_REQUEST_INVALID}},
	    {"a parameter is missing",   "gx.demo/1", "gx.demo/SCZTDJ", 1,
             HT_OP_QUERY,	                                                       "{}",	                           NULL,                   NULL,                {HT_ST_REQUEST_INVALID}},
	    {"a wrong check digit",      "gx.demo/1", "gx.demo/SCZTDJ", 1,
             HT_OP_QUERY,	                                                       "{\"shxydm\": \"91999999000000019E\"}", NULL,                   NULL,
             {HT_ST_REQUEST_INVALID}	                                                                                                                                                        },
	    {"parameters that are none", "gx.demo/1", "gx.demo/SCZTDJ", 1,
             HT_OP_QUERY,	                                                       "[]",	                           NULL,                   NULL,                {HT_ST_REQUEST_INVALID}},
	    {"claims in a query",        "gx.demo/1", "gx.demo/SCZTDJ", 1, HT_OP_QUERY,
             ours,	                                                                                                      NULL,                   "{\"ztmc\": \"x\"}", {HT_ST_REQUEST_INVALID}},
	    {"inside the rows",          "gx.demo/2", "gx.demo/SCZTDJ", 1, HT_OP_QUERY,
             "{\"shxydm\": \"91999999000000019D\", \"xzqh\": \"999901\"}",	                                              NULL,                   NULL,                {0}                    },
	    {"outside the rows",         "gx.demo/2", "gx.demo/SCZTDJ", 1, HT_OP_QUERY,
             "{\"shxydm\": \"91999999000000019D\", \"xzqh\": \"110101\"}",	                                              NULL,                   NULL,                {HT_ST_ROWS}           },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct ask a = filled(&(struct ask){.grant = cases[i].grant});
		struct ht_header h = header_of(&a, NOW_MS);
		struct ht_request request = {
		    .params = json_of(cases[i].params),
		    .fields = json_of(cases[i].fields),
		    .claims = json_of(cases[i].claims),
		    .operation = cases[i].operation,
		    .version = cases[i].version,
		};
		struct ht_verdict v = {.allow = true};

		(void)snprintf(
		    request.item, sizeof(request.item), "%s", cases[i].item);
		ht_decide_content(ht_trust_item(world->trust, h.item, 1),
		    ht_trust_grant(world->trust, h.grant), &h, &request, &v);
		check_codes(cases[i].why, &v, cases[i].want);
		ht_request_fini(&request);
	}
}

static void
claims_must_fit(void **state)
{
	static const struct {
		const char *claims;
		unsigned want[WANT_MAX];
	} cases[] = {
	    {"{\"ztmc\": \"x\"}",     {0}                    },
	    {"{\"jyzt_dm\": \"1\"}",  {0}                    },
	    {"{\"jyzt_dm\": \"8\"}",  {HT_ST_REQUEST_INVALID}},
	    {"{\"fddbr_xm\": \"x\"}", {HT_ST_FIELDS}         },
	    {"{\"nosuch\": \"x\"}",   {HT_ST_FIELDS}         },
	    {"{}",	            {HT_ST_REQUEST_INVALID}},
	    {"[]",	            {HT_ST_REQUEST_INVALID}},
	    {NULL,	            {HT_ST_REQUEST_INVALID}},
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct ask a = filled(&(struct ask){.operation = HT_OP_VERIFY});
		struct ht_header h = header_of(&a, NOW_MS);
		struct ht_request request = {
		    .params = json_of("{\"shxydm\": \"91999999000000019D\"}"),
		    .claims = json_of(cases[i].claims),
		    .operation = HT_OP_VERIFY,
		    .version = 1,
		};
		struct ht_verdict v = {.allow = true};

		(void)snprintf(
		    request.item, sizeof(request.item), "%s", a.item);
		ht_decide_content(ht_trust_item(world->trust, h.item, 1),
		    ht_trust_grant(world->trust, h.grant), &h, &request, &v);
		check_codes(cases[i].claims != NULL ? cases[i].claims : "none",
		    &v, cases[i].want);
		ht_request_fini(&request);
	}
}

static void
a_no_stays_a_no(void **state)
{
	struct ask a = filled(&(struct ask){0});
	struct ht_header h = header_of(&a, NOW_MS);
	struct ht_request request = {
	    .params = json_of("{\"shxydm\": \"91999999000000019D\"}"),
	    .operation = HT_OP_QUERY,
	    .version = 1,
	};
	struct ht_verdict v = {0}; /* denied */

	(void)state;
	(void)snprintf(request.item, sizeof(request.item), "%s", a.item);
	ht_decide_content(ht_trust_item(world->trust, h.item, 1),
	    ht_trust_grant(world->trust, h.grant), &h, &request, &v);
	assert_false(v.allow);
	ht_request_fini(&request);
}

static void
rows_are_filtered(void **state)
{
	static const struct {
		const char *record;
		bool pass;
	} cases[] = {
	    {"{\"xzqh\": \"999901\"}", true },
	    {"{\"xzqh\": \"9999\"}",   true },
	    {"{\"xzqh\": \"999\"}",    false},
	    {"{\"xzqh\": \"110101\"}", false},
	    {"{\"xzqh\": 999901}",     false},
	    {"{\"xzqh\": null}",       false},
	    {"{}",	             false},
	};
	const struct ht_grant *filtered =
	    ht_trust_grant(world->trust, ht_slice_str("gx.demo/2"));
	const struct ht_grant *free_of_it =
	    ht_trust_grant(world->trust, ht_slice_str("gx.demo/1"));

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		json_t *record = json_of(cases[i].record);

		assert_int_equal(ht_grant_row(filtered, record), cases[i].pass);
		assert_true(ht_grant_row(free_of_it, record));
		json_decref(record);
	}
}

/* ---- finding a grant ---- */

static void
grants_are_found(void **state)
{
	static const struct {
		const char *consumer, *item;
		unsigned operation;
		const char *purpose;
		const char *grant; /* NULL: none at all */
		unsigned want[WANT_MAX];
	} cases[] = {
	    {"tax.demo/state",        "gx.demo/SCZTDJ", HT_OP_QUERY,  "",          "gx.demo/1",
             {0}	                                                                                       },
	    {"tax.demo/state",        "gx.demo/SCZTDJ", HT_OP_QUERY,
             "tax-registration",	                                           "gx.demo/1", {0}            },
	    {"tax.demo/local",        "gx.demo/SCZTDJ", HT_OP_VERIFY, "",          "gx.demo/2",
             {0}	                                                                                       },
	    {"tax.demo/local",        "gx.demo/ZXTJ",   HT_OP_QUERY,  "planning",
             "gx.demo/3",	                                                               {0}            },
	    {"tax.demo/state",        "gx.demo/SCZTDJ", HT_OP_QUERY,  "tax-audit",
             "gx.demo/1",	                                                               {HT_ST_PURPOSE}},
	    {"tax.demo/state",        "gx.demo/ZXTJ",   HT_OP_QUERY,  "",          NULL,
             {HT_ST_NO_GRANT}	                                                                          },
	    {"tax.demo/local",        "gx.demo/ZXTJ",   HT_OP_VERIFY, "",          "gx.demo/3",
             {HT_ST_OPERATION, HT_ST_GRANT_OPERATION}	                                                  },
	    {"police.demo/residents", "gx.demo/SCZTDJ", HT_OP_QUERY,  "",          NULL,
             {HT_ST_NO_GRANT}	                                                                          },
	    {"tax.demo/nobody",       "gx.demo/NOSUCH", HT_OP_QUERY,  "",          NULL,
             {HT_ST_UNKNOWN_MEMBER, HT_ST_NO_ITEM, HT_ST_NO_GRANT}                                             },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct ht_verdict v;
		struct ht_prospect prospect = {
		    .consumer = ht_slice_str(cases[i].consumer),
		    .item = ht_slice_str(cases[i].item),
		    .operation = cases[i].operation,
		    .purpose = ht_slice_str(cases[i].purpose),
		    .now_ms = NOW_MS,
		};
		const struct ht_grant *grant =
		    ht_find_grant(world->trust, &prospect, &v);

		check_codes(cases[i].consumer, &v, cases[i].want);
		if (cases[i].grant == NULL)
			assert_null(grant);
		else
			assert_string_equal(grant->name, cases[i].grant);
	}
}

/* In a grant's text, as its next revision. */
static void
revise(struct ht_world *w, const char *grant, const char *from, const char *to)
{
	ht_world_edit(w, HT_DOC_GRANT, grant, from, to);
	ht_world_edit(w, HT_DOC_GRANT, grant, "revision: 1", "revision: 2");
}

/* Of two grants the one that was in use, whichever stands first. */
static void
a_suspended_grant_is_blamed_itself(void **state)
{
	static const char *const suspended[] = {"gx.demo/2", "gx.demo/5"};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(suspended); i++) {
		struct ht_world *w = ht_world_new(NOW_MS);
		struct ht_prospect prospect = {
		    .consumer = ht_slice_str("tax.demo/local"),
		    .item = ht_slice_str("gx.demo/SCZTDJ"),
		    .operation = HT_OP_QUERY,
		    .purpose = ht_slice_str("tax-registration"),
		    .now_ms = NOW_MS,
		};
		const struct ht_grant *grant;
		struct ht_verdict v;

		if (i == 0) {
			revise(w, "gx.demo/5", "[query]", "[verify]");
			ht_world_edit(w, HT_DOC_GRANT, "gx.demo/5",
			    "state: suspended", "state: active");
		} else {
			revise(w, "gx.demo/2", "[query, verify]", "[verify]");
		}
		w->suspended = suspended[i];
		ht_world_renew(w);
		grant = ht_find_grant(w->trust, &prospect, &v);
		assert_non_null(grant);
		assert_string_equal(grant->name, suspended[i]);
		check_codes(
		    suspended[i], &v, (unsigned[WANT_MAX]){HT_ST_GRANT_STATE});
		ht_world_free(&w);
	}
}

/* ---- who signs ---- */

static void
a_key_signs_in_its_time(void **state)
{
	const struct ht_member *me =
	    ht_trust_member(world->trust, ht_slice_str("tax.demo/state"));
	const struct ht_node_entry *main =
	    ht_member_node(me, ht_slice_str("main"));
	struct ht_keyid id = main->signing[0].id;
	struct ht_keyid transport = main->transport[0].id;
	const struct ht_pub *pub = NULL;
	const struct {
		const char *member, *node;
		const struct ht_keyid *id;
		uint64_t now_ms;
		unsigned want;
	} cases[] = {
	    {"tax.demo/state",  "main",  &id,        NOW_MS,                HT_ST_OK            },
	    {"tax.demo/state",  "shell", &id,        NOW_MS,                HT_ST_KEY_UNKNOWN   },
	    {"tax.demo/state",  "none",  &id,        NOW_MS,                HT_ST_KEY_UNKNOWN   },
	    {"tax.demo/state",  "main",  &transport, NOW_MS,                HT_ST_KEY_UNKNOWN   },
	    {"tax.demo/nobody", "main",  &id,        NOW_MS,                HT_ST_UNKNOWN_MEMBER},
	    {"tax.demo/state",  "main",  &id,        NOW_MS - 2 * DAY_MS,
             HT_ST_KEY_EXPIRED	                                                          },
	    {"tax.demo/state",  "main",  &id,        NOW_MS + 400 * DAY_MS,
             HT_ST_KEY_EXPIRED	                                                          },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++)
		assert_int_equal(cases[i].want,
		    ht_signer_check(world->trust, ht_slice_str(cases[i].member),
		        ht_slice_str(cases[i].node), cases[i].id,
		        cases[i].now_ms, &pub));
	assert_ptr_equal(pub, &main->signing[0].pub);
}

/* ---- every reason was reached ---- */

static void
every_reason_was_reached(void **state)
{
	static const unsigned codes[] = {HT_ST_MALFORMED, HT_ST_UNKNOWN_MEMBER,
	    HT_ST_MEMBER_SUSPENDED, HT_ST_SEAL_KEY, HT_ST_NO_REQUEST,
	    HT_ST_NO_ITEM, HT_ST_ITEM_VERSION, HT_ST_NOT_PROVIDER,
	    HT_ST_OPERATION, HT_ST_NO_GRANT, HT_ST_GRANT_OTHER,
	    HT_ST_GRANT_STATE, HT_ST_GRANT_PERIOD, HT_ST_GRANT_OPERATION,
	    HT_ST_PURPOSE, HT_ST_BASIS, HT_ST_FIELDS, HT_ST_ROWS, HT_ST_QUOTA,
	    HT_ST_RATE, HT_ST_TAG_MISSING, HT_ST_TAG_EPOCH, HT_ST_TAG_SUBJECT,
	    HT_ST_RELEASED, HT_ST_POLICY_STALE, HT_ST_REQUEST_INVALID,
	    HT_ST_HEADER_BODY, HT_ST_TAG_FALSE};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(codes); i++)
		if (!seen[codes[i]])
			fail_msg("no test brings about %s",
			    ht_status_name(codes[i]));
}

static int
make_world(void **state)
{
	(void)state;
	world = ht_world_new(NOW_MS);
	return 0;
}

static int
end_world(void **state)
{
	(void)state;
	ht_world_free(&world);
	return 0;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(requests_get_all_their_reasons),
    cmocka_unit_test(a_tag_where_none_belongs),
    cmocka_unit_test(quotas_are_kept),
    cmocka_unit_test(days_have_a_zone),
    cmocka_unit_test(a_zeroed_verdict_denies),
    cmocka_unit_test(suspensions_deny),
    cmocka_unit_test(responses_keep_to_their_request),
    cmocka_unit_test(a_grant_that_ended_meanwhile_has_ended),
    cmocka_unit_test(content_is_held_against_header_and_grant),
    cmocka_unit_test(claims_must_fit),
    cmocka_unit_test(a_no_stays_a_no),
    cmocka_unit_test(rows_are_filtered),
    cmocka_unit_test(grants_are_found),
    cmocka_unit_test(a_suspended_grant_is_blamed_itself),
    cmocka_unit_test(a_key_signs_in_its_time),
    cmocka_unit_test(every_reason_was_reached),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, make_world, end_world);
}
