/*
 * Two nodes, a real connection, and a broker that does what the test wants.
 */
#include "adapters/node.h"

#include <unistd.h>

#include "adapters/state_in.h"
#include "keys/keyfile.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "tests/lib/fake_broker.h"
#include "tests/lib/lies.h"
#include "tests/lib/test.h"

#include <dirent.h>

#define ITEM       "gx.demo/SCZTDJ"
#define PATIENCE_S 20

struct fixture {
	char dir[HT_TEST_PATH_MAX];
	struct ht_world *world;
	struct ht_fake_broker broker;
	struct ht_report *report;
	struct ht_node *consumer; /* tax.demo/state */
	struct ht_node *provider; /* scjg.demo/registry */
	/* what the provider's server does */
	const char *records;
	unsigned reason; /* fails with it */
	bool holds;      /* does not answer at all */
	bool fills;      /* the disk, before it answers */
	unsigned calls;
	uint64_t call;    /* the last one's id */
	char params[256]; /* of the last call */
	bool witness;     /* the next node is one */
	uint64_t answers; /* the next node's room for them */
};

/* ---- setting up ---- */

static const char *
path_of(const struct fixture *f, const char *folder, const char *member,
    const char *name)
{
	static char paths[16][HT_TEST_PATH_MAX];
	static unsigned n;
	char *path = paths[n++ % 16];

	(void)snprintf(path, HT_TEST_PATH_MAX, "%.3000s/%.300s%.300s%.300s",
	    f->dir, folder, member, name);
	return path;
}

static enum ht_err
try_open(struct fixture *f, const char *member, const char *node,
    const char *state, struct ht_node **ret)
{
	char signing[64], transport[64];
	struct ht_node_conf conf = {.member = member,
	    .node = node,
	    .root = path_of(f, "authority/root.note", "", ""),
	    .address = f->broker.ctl != NULL ? f->broker.ctl->address
	                                     : "tcp://127.0.0.1:1",
	    .state = path_of(f, "state-", state, ""),
	    .proofs = true,
	    .answers = f->answers};

	(void)snprintf(signing, sizeof(signing), "/%s-signing.key", node);
	(void)snprintf(transport, sizeof(transport), "/%s-transport.key", node);
	conf.signing = path_of(f, "keys/", member, signing);
	conf.transport = path_of(f, "keys/", member, transport);
	conf.sealing = path_of(f, "keys/", member, "/sealing.key");
	if (f->witness)
		conf.witness = path_of(f, "keys/witness.key", "", "");
	return ht_node_open(&conf, f->report, ret);
}

static struct ht_node *
open_node(
    struct fixture *f, const char *member, const char *node, const char *state)
{
	struct ht_node *made = NULL;

	if (try_open(f, member, node, state, &made) != HT_OK) {
		ht_report_print(f->report, stderr);
		fail_msg("%s/%s cannot be opened", member, node);
	}
	return made;
}

/* The provider's disk, as its node finds it at its next look. */
static void
set_disk(struct fixture *f, uint64_t aside)
{
	f->provider->state->aside = aside;
	f->provider->state->looked_ms = 0;
}

static void
serve(void *arg, const struct ht_call *call)
{
	struct fixture *f = arg;
	struct ht_reasons reasons = {0};
	json_t *records = NULL;
	char *text = json_dumps(call->request->params, JSON_COMPACT);

	f->calls++;
	f->call = call->id;
	(void)snprintf(f->params, sizeof(f->params), "%s", text);
	free(text);
	if (f->holds)
		return;
	if (f->fills)
		set_disk(f, UINT64_C(1) << 50);
	if (f->reason != 0)
		ht_reasons_add(&reasons, f->reason, "as the test wants");
	else
		assert_ok(
		    ht_json_parse(ht_slice_str(f->records), &records, NULL));
	assert_ok(ht_node_answer(f->provider, call->id, records, false,
	    f->reason != 0 ? &reasons : NULL));
	json_decref(records);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	assert_non_null(ht_test_dir(f->dir));
	assert_ok(ht_keys_init());
	f->report = ht_report_new();
	f->world = ht_world_new(ht_clock_wall_ms());
	ht_world_write(f->world, f->dir);
	f->records = "[{\"shxydm\":\"91999999MA00000079\","
	             "\"ztmc\":\"测试有限公司\",\"jyzt_dm\":\"1\","
	             "\"fddbr_xm\":\"某人\",\"xzqh\":\"999901\"}]";
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	ht_node_close(&f->consumer);
	ht_node_close(&f->provider);
	ht_fake_stop(&f->broker);
	ht_world_free(&f->world);
	ht_report_free(&f->report);
	ht_test_dir_remove(f->dir);
	free(f);
	return 0;
}

static void
start_broker(struct fixture *f, const char *log)
{
	char path[HT_TEST_PATH_MAX];

	(void)snprintf(path, sizeof(path), "%.3000s/%s", f->dir, log);
	ht_fake_start(&f->broker, f->world, path);
}

static void
until_ready(struct ht_node *node)
{
	uint64_t end_ms = ht_clock_mono_ms() + PATIENCE_S * 1000;

	while (!ht_node_ready(node)) {
		assert_ok(ht_node_step(node, -1, 5, NULL));
		if (ht_clock_mono_ms() > end_ms)
			fail_msg("not ready: %s", ht_node_trouble(node));
	}
}

/* Broker, provider and consumer, all connected. */
static void
start_all(struct fixture *f)
{
	start_broker(f, "log");
	f->provider = open_node(f, "scjg.demo/registry", "main", "provider");
	f->consumer = open_node(f, "tax.demo/state", "main", "consumer");
	assert_ok(ht_node_serve(f->provider, ITEM, serve, f));
	until_ready(f->provider);
	until_ready(f->consumer);
}

/* ---- asking ---- */

struct got {
	unsigned n;
	struct ht_asked asked;
};

static void
take(void *arg, struct ht_asked *asked)
{
	struct got *got = arg;

	if (got->n++ > 0)
		ht_asked_fini(&got->asked);
	got->asked = *asked;
}

static json_t *
params(void)
{
	return json_pack("{s:s}", "shxydm", "91999999MA00000079");
}

static struct ht_ask
query_ask(json_t *with)
{
	return (struct ht_ask){.item = ITEM,
	    .operation = HT_OP_QUERY,
	    .purpose = "tax-registration",
	    .params = with,
	    .officer = "officer 7",
	    .casefile = "2026-1"};
}

/* Turn both nodes until @n answers are there; the first error ends it. */
static enum ht_err
drive(struct fixture *f, const struct got *got, unsigned n)
{
	uint64_t end_ms = ht_clock_mono_ms() + PATIENCE_S * 1000;
	enum ht_err err = HT_OK;

	while (err == HT_OK && got->n < n) {
		err = ht_node_step(f->consumer, -1, 2, NULL);
		if (err == HT_OK && f->provider != NULL)
			err = ht_node_step(f->provider, -1, 2, NULL);
		if (ht_clock_mono_ms() > end_ms)
			fail_msg("no answer: %u of %u", got->n, n);
	}
	return err;
}

static struct got
ask(struct fixture *f, struct ht_ask what)
{
	json_t *with = what.params != NULL ? NULL : params();
	struct got got = {0};

	if (with != NULL)
		what.params = with;
	assert_ok(ht_node_begin(f->consumer, &what, take, &got));
	assert_ok(drive(f, &got, 1));
	json_decref(with);
	return got;
}

static void
assert_json(const json_t *got, const char *want)
{
	char *text = json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS);

	if (text == NULL || strcmp(text, want) != 0)
		fail_msg("%s, not %s", text, want);
	free(text);
}

static void
assert_reason(const struct ht_asked *asked, unsigned code)
{
	for (unsigned i = 0; i < asked->reasons.n; i++)
		if (asked->reasons.at[i].code == code)
			return;
	fail_msg("no %s: status %s, %u reasons, first %s: %s",
	    ht_status_name(code), ht_status_name(asked->status),
	    asked->reasons.n,
	    asked->reasons.n > 0 ? ht_status_name(asked->reasons.at[0].code)
	                         : "none",
	    asked->reasons.n > 0 ? asked->reasons.at[0].detail : "");
}

/* ---- answers ---- */

static void
a_query_is_answered_and_proven(void **state)
{
	struct fixture *f = *state;
	struct got got;

	start_all(f);
	got = ask(f, query_ask(NULL));
	assert_int_equal(got.asked.status, HT_ST_OK);
	assert_int_equal(got.asked.answer, HT_ANSWER_ANSWERED);
	/* fddbr_xm is not granted. */
	assert_json(got.asked.response.records,
	    "[{\"jyzt_dm\":\"1\",\"shxydm\":\"91999999MA00000079\","
	    "\"xzqh\":\"999901\",\"ztmc\":\"测试有限公司\"}]");
	assert_true(got.asked.proven);
	assert_true(got.asked.request_place > 0);
	assert_true(got.asked.response_place > got.asked.request_place);
	assert_string_equal(f->params, "{\"shxydm\":\"91999999MA00000079\"}");
	ht_asked_fini(&got.asked);
}

static void
only_wanted_fields_come(void **state)
{
	struct fixture *f = *state;
	struct ht_ask what = query_ask(NULL);
	struct got got;

	start_all(f);
	what.fields = json_pack("[s]", "ztmc");
	got = ask(f, what);
	assert_json(
	    got.asked.response.records, "[{\"ztmc\":\"测试有限公司\"}]");
	json_decref((json_t *)(uintptr_t)what.fields);
	ht_asked_fini(&got.asked);
}

static void
verify_says_match_and_no_more(void **state)
{
	struct fixture *f = *state;
	struct ht_ask what = query_ask(NULL);
	struct got got;

	start_all(f);
	what.operation = HT_OP_VERIFY;
	what.claims =
	    json_pack("{s:s, s:s}", "ztmc", "测试有限公司", "jyzt_dm", "4");
	got = ask(f, what);
	assert_int_equal(got.asked.status, HT_ST_OK);
	assert_json(got.asked.response.results, "{\"jyzt_dm\":0,\"ztmc\":1}");
	assert_null(got.asked.response.records);
	ht_asked_fini(&got.asked);
	f->records = "[]";
	got = ask(f, what);
	assert_json(got.asked.response.results, "{\"jyzt_dm\":2,\"ztmc\":2}");
	json_decref((json_t *)(uintptr_t)what.claims);
	ht_asked_fini(&got.asked);
}

/* Outside the grant's area nothing is there: no record, and no mistake. */
static void
other_rows_are_as_if_not_there(void **state)
{
	struct fixture *f = *state;
	struct ht_ask what = query_ask(NULL);
	struct got got;

	start_broker(f, "log");
	f->provider = open_node(f, "scjg.demo/registry", "main", "provider");
	f->consumer = open_node(f, "tax.demo/local", "main", "consumer");
	assert_ok(ht_node_serve(f->provider, ITEM, serve, f));
	until_ready(f->provider);
	until_ready(f->consumer);
	f->records = "[{\"shxydm\":\"91999999MA00000079\",\"jyzt_dm\":7,"
	             "\"xzqh\":\"110101\"}]";
	got = ask(f, what);
	assert_int_equal(got.asked.status, HT_ST_OK);
	assert_json(got.asked.response.records, "[]");
	ht_asked_fini(&got.asked);
	what.operation = HT_OP_VERIFY;
	what.claims = json_pack("{s:s}", "ztmc", "测试有限公司");
	got = ask(f, what);
	assert_int_equal(got.asked.status, HT_ST_OK);
	assert_json(got.asked.response.results, "{\"ztmc\":2}");
	json_decref((json_t *)(uintptr_t)what.claims);
	ht_asked_fini(&got.asked);
}

static void
many_at_once_travel_in_bundles(void **state)
{
	struct fixture *f = *state;
	json_t *with = params();
	struct ht_ask what = query_ask(with);
	struct got got = {0};

	start_all(f);
	for (unsigned i = 0; i < 300; i++)
		assert_ok(ht_node_begin(f->consumer, &what, take, &got));
	assert_ok(drive(f, &got, 300));
	assert_int_equal(got.asked.status, HT_ST_OK);
	assert_int_equal(f->calls, 300);
	assert_int_equal(atomic_load(&f->broker.ctl->records), 600);
	/* 300 requests in 5 bundles, the answers in a few more. */
	assert_true(atomic_load(&f->broker.ctl->bundles) < 100);
	json_decref(with);
	ht_asked_fini(&got.asked);
}

/* ---- refusals ---- */

static void
what_will_be_refused_does_not_leave(void **state)
{
	struct fixture *f = *state;
	struct ht_ask what = query_ask(NULL);
	struct got got;

	start_all(f);
	what.purpose = "tax-audit";
	got = ask(f, what);
	assert_int_equal(got.asked.refused_by, HT_WHO_CALLER);
	assert_reason(&got.asked, HT_ST_PURPOSE);
	ht_asked_fini(&got.asked);
	what.purpose = "tax-registration";
	what.params = json_pack("{s:s, s:i}", "shxydm", "not one", "more", 1);
	got = ask(f, what);
	assert_reason(&got.asked, HT_ST_REQUEST_INVALID);
	assert_true(got.asked.reasons.n >= 2); /* every violation */
	json_decref((json_t *)(uintptr_t)what.params);
	ht_asked_fini(&got.asked);
	what.params = NULL;
	what.item = "gx.demo/NOTHING";
	got = ask(f, what);
	assert_reason(&got.asked, HT_ST_NO_ITEM);
	ht_asked_fini(&got.asked);
	what.item = ITEM;
	what.fields = json_pack("[s]", "nothing");
	got = ask(f, what);
	assert_reason(&got.asked, HT_ST_FIELDS);
	json_decref((json_t *)(uintptr_t)what.fields);
	ht_asked_fini(&got.asked);
	assert_int_equal(atomic_load(&f->broker.ctl->bundles), 0);
}

static bool
says(const struct ht_asked *asked, unsigned code, const char *words)
{
	for (unsigned i = 0; i < asked->reasons.n; i++)
		if (asked->reasons.at[i].code == code &&
		    strstr(asked->reasons.at[i].detail, words) != NULL)
			return true;
	return false;
}

/* The commonest mistakes, where no tag could be made: told by their names. */
static void
what_is_missing_is_named(void **state)
{
	static const struct {
		const char *name, *value, *purpose;
		unsigned code;
		const char *words;
	} cases[] = {
	    {NULL,     NULL,  "tax-registration", HT_ST_REQUEST_INVALID,
             "parameter /shxydm: is missing"	                                              },
	    {"shxydm", "",    "tax-registration", HT_ST_REQUEST_INVALID,
             "parameter /shxydm: "	                                                        },
	    {"foo",    "bar", "tax-registration", HT_ST_REQUEST_INVALID,
             "parameter /shxydm: is missing"	                                              },
	    {"shxydm", NULL,  "tax audit",        HT_ST_PURPOSE,
             "purpose tax audit; it allows tax-registration"                                      },
	    {"shxydm", NULL,  "",                 HT_ST_PURPOSE,         "allows tax-registration"},
	    {"foo",    "bar", "",                 HT_ST_PURPOSE,         "allows tax-registration"},
	};
	struct fixture *f = *state;

	start_all(f);
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct ht_ask what = query_ask(NULL);
		HT_AUTO(ht_json_free) json_t *params = json_object();
		struct got got;

		if (cases[i].value != NULL)
			(void)json_object_set_new(
			    params, cases[i].name, json_string(cases[i].value));
		if (cases[i].name == NULL || cases[i].value != NULL)
			what.params = params;
		what.purpose = cases[i].purpose;
		got = ask(f, what);
		assert_int_equal(got.asked.refused_by, HT_WHO_CALLER);
		if (!says(&got.asked, cases[i].code, cases[i].words))
			fail_msg(
			    "case %zu: %s", i, got.asked.reasons.at[0].detail);
		/* One mistake is told once, and none that was not made. */
		assert_false(says(&got.asked, HT_ST_TAG_MISSING, ""));
		ht_asked_fini(&got.asked);
	}
	assert_int_equal(atomic_load(&f->broker.ctl->bundles), 0);
}

/* Both have heard that there is a newer snapshot, and wait for it. */
static void
hear_of_newer(struct fixture *f)
{
	struct ht_fake *ctl = f->broker.ctl;
	uint64_t end_ms = ht_clock_mono_ms() + PATIENCE_S * 1000;

	atomic_store(&ctl->withhold, 1);
	atomic_store(&ctl->newer, 1);
	while (atomic_load(&ctl->withheld) < 2) {
		struct got got = ask(f, query_ask(NULL));

		ht_asked_fini(&got.asked);
		if (ht_clock_mono_ms() > end_ms)
			fail_msg("no NOTICE");
	}
}

/* By our own node; and by the provider's, of a node that sent it all the same.
 */
static void
an_officer_s_name_that_plays_tricks_is_refused(void **state)
{
	struct fixture *f = *state;
	struct ht_ask what = query_ask(NULL);
	struct got got;

	start_all(f);
	what.officer = "x\033[31m";
	got = ask(f, what);
	assert_reason(&got.asked, HT_ST_REQUEST_INVALID);
	assert_int_equal(got.asked.request_place, 0);
	ht_asked_fini(&got.asked);
	what.despite_policy = true;
	got = ask(f, what);
	assert_reason(&got.asked, HT_ST_REQUEST_INVALID);
	assert_int_equal(got.asked.answer, HT_ANSWER_REFUSED);
	ht_asked_fini(&got.asked);
	what.officer = "officer 7";
	what.casefile = "1\xe2\x80\xae"
	                "7";
	got = ask(f, what);
	assert_reason(&got.asked, HT_ST_REQUEST_INVALID);
	ht_asked_fini(&got.asked);
}

/*
 * What the broker allowed by a newer snapshot is not refused by the older one;
 * and what that one allows does not wait.
 */
static void
a_newer_snapshot_is_waited_for_where_it_matters(void **state)
{
	struct fixture *f = *state;
	struct ht_ask what = query_ask(NULL);
	struct got got, later = {0};
	json_t *with = params();

	start_all(f);
	what.despite_policy = true;
	what.grant = "gx.demo/4";
	got = ask(f, what);
	assert_reason(&got.asked, HT_ST_GRANT_PERIOD);
	ht_asked_fini(&got.asked);
	hear_of_newer(f);
	what.params = with;
	assert_ok(ht_node_begin(f->consumer, &what, take, &later));
	for (unsigned i = 0; i < 5; i++) {
		got = ask(f, query_ask(NULL));
		assert_int_equal(got.asked.status, HT_ST_OK);
		ht_asked_fini(&got.asked);
	}
	assert_int_equal(later.n, 0);
	atomic_store(&f->broker.ctl->withhold, 0);
	got = ask(f, query_ask(NULL));
	ht_asked_fini(&got.asked);
	assert_ok(drive(f, &later, 1));
	assert_int_equal(later.asked.status, HT_ST_OK);
	ht_asked_fini(&later.asked);
	/* No more: a refusal is one, at once. */
	what.params = NULL;
	what.grant = "gx.demo/5";
	got = ask(f, what);
	assert_reason(&got.asked, HT_ST_GRANT_STATE);
	ht_asked_fini(&got.asked);
	json_decref(with);
}

/* What was fetched of one snapshot stays when another comes meanwhile. */
static void
a_newer_snapshot_does_not_undo_a_fetch(void **state)
{
	struct fixture *f = *state;

	start_broker(f, "log");
	atomic_store(&f->broker.ctl->midway, 1);
	atomic_store(&f->broker.ctl->paces, 1);
	f->consumer = open_node(f, "tax.demo/state", "main", "consumer");
	until_ready(f->consumer);
	assert_int_equal(ht_trust_version(ht_node_trust(f->consumer)), 2);
	/* Once for BUSY, once for its first page. */
	assert_int_equal(atomic_load(&f->broker.ctl->wholes), 2);
}

/* A broker that started again in between no longer has it: from nothing. */
static void
a_fetch_begins_again_where_it_has_to(void **state)
{
	struct fixture *f = *state;

	start_broker(f, "log");
	atomic_store(&f->broker.ctl->midway, 1);
	atomic_store(&f->broker.ctl->forgets, 1);
	f->consumer = open_node(f, "tax.demo/state", "main", "consumer");
	until_ready(f->consumer);
	assert_int_equal(ht_trust_version(ht_node_trust(f->consumer)), 2);
	assert_int_equal(atomic_load(&f->broker.ctl->wholes), 2);
}

/* Pages that come when the broker says are no trouble, and are not late. */
static void
a_fetch_keeps_the_brokers_pace(void **state)
{
	struct fixture *f = *state;
	uint64_t end_ms = ht_clock_mono_ms() + PATIENCE_S * 1000;

	start_broker(f, "log");
	atomic_store(&f->broker.ctl->paces, 20);
	f->consumer = open_node(f, "tax.demo/state", "main", "consumer");
	while (!ht_node_ready(f->consumer)) {
		assert_ok(ht_node_step(f->consumer, -1, 1000, NULL));
		assert_null(strstr(ht_node_trouble(f->consumer), "BUSY"));
		assert_true(ht_clock_mono_ms() < end_ms);
	}
	assert_int_equal(atomic_load(&f->broker.ctl->paces), 0);
}

/* An exchange of ours, as a file; and what is no proof of it. */
static void
what_we_asked_is_proven_to_others(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf file = HT_BUF(HT_PROOF_FILE_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf row = HT_BUF(HT_PROOF_EXTRA_MAX);
	struct fixture *f = *state;
	struct ht_checkpoint cp;
	struct ht_proof proof;
	struct ht_asked asked;
	struct got got;

	start_all(f);
	got = ask(f, query_ask(NULL));
	asked = got.asked;
	assert_ok(ht_node_prove(
	    f->consumer, &asked.exchange, asked.response_place, 5000, &file));
	assert_ok(ht_proof_parse(ht_buf_slice(&file), &proof, NULL));
	assert_int_equal(proof.index, asked.response_place);
	assert_ok(
	    ht_checkpoint_open(proof.checkpoint, &f->world->root.log, &cp));
	assert_ok(ht_proof_extra(&proof, &row));
	assert_true(cp.size > asked.response_place);
	file.len = 0;
	assert_int_equal(
	    ht_node_prove(f->consumer, &asked.exchange, 1000, 5000, &file),
	    HT_ENOTFOUND);
	atomic_store(&f->broker.ctl->no_row, 1);
	assert_int_equal(ht_node_prove(f->consumer, &asked.exchange,
	                     asked.request_place, 5000, &file),
	    HT_EDENIED);
	atomic_store(&f->broker.ctl->no_row, 0);
	assert_int_equal(file.len, 0);
	atomic_store(&f->broker.ctl->bad_proof, 1);
	assert_int_equal(ht_node_prove(f->consumer, &asked.exchange,
	                     asked.request_place, 5000, &file),
	    HT_EINTEGRITY);
	assert_non_null(strstr(ht_node_trouble(f->consumer), "cannot prove"));
	assert_int_equal(file.len, 0);
	ht_asked_fini(&got.asked);
}

/* Another entry of the log, rightly proven, is no proof of this exchange. */
static void
another_exchange_is_no_proof(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf file = HT_BUF(HT_PROOF_FILE_MAX);
	struct fixture *f = *state;
	struct ht_id other = ht_id_random();
	struct got got;

	start_all(f);
	got = ask(f, query_ask(NULL));
	assert_int_equal(ht_node_prove(f->consumer, &other,
	                     got.asked.request_place, 5000, &file),
	    HT_EINTEGRITY);
	assert_int_equal(file.len, 0);
	ht_asked_fini(&got.asked);
}

/* A broker that lets everything pass does not open the provider's door. */
static void
the_provider_decides_for_itself(void **state)
{
	struct fixture *f = *state;
	struct ht_ask what = query_ask(NULL);
	struct got got;

	start_all(f);
	what.despite_policy = true;
	what.purpose = "tax-audit";
	got = ask(f, what);
	assert_int_equal(got.asked.answer, HT_ANSWER_REFUSED);
	assert_int_equal(got.asked.refused_by, HT_WHO_PROVIDER);
	assert_reason(&got.asked, HT_ST_PURPOSE);
	ht_asked_fini(&got.asked);
	what.purpose = "tax-registration";
	what.grant = "gx.demo/4"; /* over */
	got = ask(f, what);
	assert_reason(&got.asked, HT_ST_GRANT_PERIOD);
	ht_asked_fini(&got.asked);
	what.grant = NULL;
	what.fields = json_pack("[s]", "fddbr_xm");
	got = ask(f, what);
	assert_reason(&got.asked, HT_ST_FIELDS);
	json_decref((json_t *)(uintptr_t)what.fields);
	ht_asked_fini(&got.asked);
	what.fields = NULL;
	what.params = json_pack("{s:s}", "shxydm", "wrong");
	got = ask(f, what);
	assert_reason(&got.asked, HT_ST_REQUEST_INVALID);
	json_decref((json_t *)(uintptr_t)what.params);
	ht_asked_fini(&got.asked);
	assert_int_equal(f->calls, 0);
}

/* No more records than the item allows, and it is said that there are more. */
static void
an_answer_has_so_many_records(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf records = HT_BUF(65536);
	struct fixture *f = *state;
	struct got got;

	start_all(f);
	for (unsigned n = 50; n <= 51; n++) {
		ht_buf_reset(&records);
		for (unsigned i = 0; i < n; i++)
			ht_buf_fmt(&records,
			    "%s{\"shxydm\":\"91999999MA00000079\","
			    "\"ztmc\":\"%u\",\"jyzt_dm\":\"1\","
			    "\"fddbr_xm\":\"某人\",\"xzqh\":\"999901\"}",
			    i == 0 ? "[" : ",", i);
		ht_buf_str(&records, "]");
		f->records = ht_buf_text(&records);
		got = ask(f, query_ask(NULL));
		assert_int_equal(got.asked.status, HT_ST_OK);
		assert_int_equal(
		    json_array_size(got.asked.response.records), 50);
		assert_int_equal(got.asked.response.more, n > 50);
		ht_asked_fini(&got.asked);
	}
}

/* A provider that lets out other rows than were granted is not believed. */
static void
rows_of_others_are_not_taken(void **state)
{
	static char field[] = "xzqh", area[] = "2102", theirs[] = "9999";
	static char *mine[] = {area}, *its[] = {theirs};
	struct fixture *f = *state;
	struct ht_grant *grant;
	struct got got;

	start_all(f);
	/* Ours is a copy of its own: the provider's grants all rows. */
	grant = (struct ht_grant *)(uintptr_t)ht_trust_grant(
	    ht_node_trust(f->consumer), ht_slice_str("gx.demo/1"));
	grant->row_field = field;
	grant->row_area = true;
	grant->row_prefixes = mine;
	grant->n_row_prefixes = 1;
	got = ask(f, query_ask(NULL));
	assert_int_equal(got.asked.refused_by, HT_WHO_CALLER);
	assert_reason(&got.asked, HT_ST_RELEASED);
	assert_null(got.asked.response.records);
	ht_asked_fini(&got.asked);
	grant->row_prefixes = its;
	got = ask(f, query_ask(NULL));
	assert_int_equal(got.asked.status, HT_ST_OK);
	ht_asked_fini(&got.asked);
}

static void
a_source_that_fails_is_said_so(void **state)
{
	struct fixture *f = *state;
	struct got got;

	start_all(f);
	f->reason = HT_ST_SOURCE_SLOW;
	got = ask(f, query_ask(NULL));
	assert_int_equal(got.asked.answer, HT_ANSWER_FAILED);
	assert_reason(&got.asked, HT_ST_SOURCE_SLOW);
	ht_asked_fini(&got.asked);
	f->reason = 0;
	f->records = "[{\"shxydm\":\"91999999MA00000079\",\"jyzt_dm\":7}]";
	got = ask(f, query_ask(NULL));
	assert_int_equal(got.asked.answer, HT_ANSWER_FAILED);
	assert_reason(&got.asked, HT_ST_SOURCE_INVALID);
	/* ztmc is missing, jyzt_dm is of another type. */
	assert_true(got.asked.reasons.n >= 2);
	ht_asked_fini(&got.asked);
}

/* Half of so much is one asker's: enough for nothing, a refusal, an answer. */
static void
an_asker_without_room_is_refused_and_the_node_goes_on(void **state)
{
	static const struct {
		const char *why;
		uint64_t room;
		unsigned calls; /* of the source, in two questions */
		unsigned first, second;
	} rows[] = {
	    {"before the source is asked", 2000,  0, HT_ST_KEPT, HT_ST_KEPT},
	    {"when the answer is there",   6000,  2, HT_ST_KEPT, HT_ST_KEPT},
	    {"by the second answer",       12000, 2, HT_ST_OK,   HT_ST_KEPT},
	    {"not at all",                 0,     2, HT_ST_OK,   HT_ST_OK  },
	};
	struct fixture *f = *state;
	static char records[4096];

	/* Some 4 KiB with all that is kept. */
	for (size_t n = 0; n < 8; n++)
		(void)snprintf(records + strlen(records),
		    sizeof(records) - strlen(records),
		    "%c{\"shxydm\":\"91999999MA00000079\",\"ztmc\":\"%0250d\"}",
		    n == 0 ? '[' : ',', 1);
	(void)strncat(records, "]", 2);
	f->records = records;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		f->answers = rows[i].room;
		f->calls = 0;
		if (i == 0) {
			start_all(f);
		} else {
			ht_node_close(&f->provider);
			f->provider = open_node(
			    f, "scjg.demo/registry", "main", rows[i].why);
			assert_ok(ht_node_serve(f->provider, ITEM, serve, f));
			until_ready(f->provider);
		}
		for (unsigned n = 0; n < 2; n++) {
			unsigned want = n == 0 ? rows[i].first : rows[i].second;
			struct got got = ask(f, query_ask(NULL));

			if (got.asked.status != want)
				fail_msg("%s, %u: %s", rows[i].why, n,
				    ht_status_name(got.asked.status));
			if (want == HT_ST_KEPT)
				assert_int_equal(
				    got.asked.answer, HT_ANSWER_REFUSED);
			ht_asked_fini(&got.asked);
		}
		assert_int_equal(f->calls, rows[i].calls);
	}
}

/* It refuses, asks its source nothing, and goes on when there is room. */
static void
a_node_on_a_full_disk_refuses_and_goes_on(void **state)
{
	struct fixture *f = *state;
	struct got got;

	start_all(f);
	set_disk(f, UINT64_C(1) << 50);
	got = ask(f, query_ask(NULL));
	assert_int_equal(got.asked.status, HT_ST_DISK_FULL);
	assert_int_equal(got.asked.answer, HT_ANSWER_FAILED);
	assert_int_equal(got.asked.refused_by, HT_WHO_PROVIDER);
	assert_int_equal(f->calls, 0);
	ht_asked_fini(&got.asked);
	set_disk(f, HT_STATE_ASIDE);
	got = ask(f, query_ask(NULL));
	assert_int_equal(got.asked.status, HT_ST_OK);
	assert_int_equal(f->calls, 1);
	ht_asked_fini(&got.asked);
}

/* Its disk is full by the time the source has answered. */
static void
a_disk_full_at_the_answer_is_told(void **state)
{
	struct fixture *f = *state;
	struct got got;

	start_all(f);
	f->fills = true;
	got = ask(f, query_ask(NULL));
	assert_int_equal(got.asked.status, HT_ST_DISK_FULL);
	assert_int_equal(got.asked.answer, HT_ANSWER_FAILED);
	assert_int_equal(f->calls, 1);
	ht_asked_fini(&got.asked);
}

/* One that forgets to answer does not fill the room of all others. */
static void
a_call_nobody_answers_ends(void **state)
{
	struct fixture *f = *state;
	json_t *with = params(), *none = json_array();
	struct ht_ask what = query_ask(with);
	struct got got = {0};

	start_all(f);
	f->holds = true;
	what.life_ms = 1500; /* it has to get there first, on a busy machine */
	assert_ok(ht_node_begin(f->consumer, &what, take, &got));
	/* The consumer gives up after the request's end, and a grace. */
	assert_ok(drive(f, &got, 1));
	assert_int_equal(f->calls, 1);
	assert_int_equal(
	    ht_node_answer(f->provider, f->call, none, false, NULL),
	    HT_ENOTFOUND);
	json_decref(none);
	json_decref(with);
	ht_asked_fini(&got.asked);
}

/* A provider that cannot make a tag still says no, and why. */
static void
no_tracker_key_is_said_so(void **state)
{
	struct fixture *f = *state;
	struct got got;

	ht_world_edit(
	    f->world, HT_DOC_EPOCH, "gx.demo/e1", "revision: 1", "revision: 2");
	ht_world_edit(f->world, HT_DOC_EPOCH, "gx.demo/e1",
	    "{member: scjg.demo/registry,", "{member: police.demo/residents,");
	ht_world_renew(f->world);
	ht_test_dir_remove(f->dir);
	assert_non_null(ht_test_dir(f->dir));
	ht_world_write(f->world, f->dir);
	start_all(f);
	got = ask(f, query_ask(NULL));
	assert_int_equal(got.asked.answer, HT_ANSWER_REFUSED);
	assert_int_equal(got.asked.refused_by, HT_WHO_PROVIDER);
	assert_reason(&got.asked, HT_ST_TAG_EPOCH);
	ht_asked_fini(&got.asked);
}

/* Another tracker key for one member: its pseudonyms are nobody's. */
static void
forge_tracker(struct ht_world *w, const struct ht_world_member *m)
{
	HT_AUTO(ht_key_free)
	struct ht_key *other = ht_world_key(HT_KEY_TRACKER, "another");
	HT_AUTO(ht_buf_fini) struct ht_buf sealed = HT_BUF(256);
	struct ht_keyinfo to = {
	    .pub = ht_key_pub(m->sealing), .id = ht_key_id(m->sealing)};
	char mark[HT_NAME_MAX + 16], text[HT_B64_SIZE(256)], *old, *at, *end;

	assert_ok(ht_tracker_seal("gx.demo/e1", &to, other, &sealed));
	ht_b64(text, sealed.at, sealed.len);
	(void)snprintf(mark, sizeof(mark), "{member: %s,", m->name);
	old = strdup(ht_world_text(w, HT_DOC_EPOCH, "gx.demo/e1"));
	at = strstr(old, mark);
	assert_non_null(at);
	at = strstr(at, "sealed: ");
	assert_non_null(at);
	at += strlen("sealed: ");
	end = strchr(at, '}');
	assert_non_null(end);
	*end = '\0';
	ht_world_edit(w, HT_DOC_EPOCH, "gx.demo/e1", at, text);
	ht_world_edit(
	    w, HT_DOC_EPOCH, "gx.demo/e1", "revision: 1", "revision: 2");
	free(old);
}

/* Who asks about one and tags another would never be found. */
static void
a_false_pseudonym_is_refused(void **state)
{
	struct fixture *f = *state;
	struct got got;

	forge_tracker(f->world, &f->world->members[HT_W_STATE]);
	ht_world_renew(f->world);
	ht_test_dir_remove(f->dir);
	assert_non_null(ht_test_dir(f->dir));
	ht_world_write(f->world, f->dir);
	start_all(f);
	got = ask(f, query_ask(NULL));
	assert_int_equal(got.asked.answer, HT_ANSWER_REFUSED);
	assert_int_equal(got.asked.refused_by, HT_WHO_PROVIDER);
	assert_reason(&got.asked, HT_ST_TAG_FALSE);
	assert_int_equal(f->calls, 0); /* no look was had */
	ht_asked_fini(&got.asked);
}

static void
nobody_serves_it(void **state)
{
	struct fixture *f = *state;
	struct got got;

	start_all(f);
	ht_node_close(&f->provider);
	f->provider = open_node(f, "scjg.demo/registry", "main", "provider");
	until_ready(f->provider);
	got = ask(f, query_ask(NULL));
	assert_reason(&got.asked, HT_ST_NOT_SERVED);
	ht_asked_fini(&got.asked);
}

/* ---- what goes wrong on the way ---- */

static void
a_second_delivery_has_no_second_effect(void **state)
{
	struct fixture *f = *state;
	struct got got;

	start_all(f);
	atomic_store(&f->broker.ctl->deliver_twice, 1);
	got = ask(f, query_ask(NULL));
	assert_int_equal(got.asked.status, HT_ST_OK);
	ht_asked_fini(&got.asked);
	got = ask(f, query_ask(NULL));
	assert_int_equal(got.asked.status, HT_ST_OK);
	assert_int_equal(f->calls, 2);
	assert_int_equal(got.n, 1);
	ht_asked_fini(&got.asked);
}

static void
busy_is_waited_out(void **state)
{
	struct fixture *f = *state;
	struct got got;

	start_all(f);
	atomic_store(&f->broker.ctl->busy, 3);
	got = ask(f, query_ask(NULL));
	assert_int_equal(got.asked.status, HT_ST_OK);
	assert_true(atomic_load(&f->broker.ctl->bundles) >= 5);
	ht_asked_fini(&got.asked);
}

static void
what_is_never_answered_expires(void **state)
{
	struct fixture *f = *state;
	struct ht_ask what = query_ask(NULL);
	struct got got;

	start_all(f);
	what.life_ms = 300;
	atomic_store(&f->broker.ctl->swallow, 1);
	got = ask(f, what);
	assert_int_equal(got.asked.status, HT_ST_EXPIRED);
	assert_true(got.asked.request_place > 0);
	ht_asked_fini(&got.asked);
	atomic_store(&f->broker.ctl->mute, 1);
	got = ask(f, what);
	assert_int_equal(got.asked.status, HT_ST_EXPIRED);
	assert_int_equal(got.asked.request_place, 0);
	ht_asked_fini(&got.asked);
}

static void
a_body_changed_on_the_way_is_not_served(void **state)
{
	struct fixture *f = *state;
	struct ht_ask what = query_ask(NULL);
	struct got got;

	start_all(f);
	what.life_ms = 500;
	atomic_store(&f->broker.ctl->tamper_body, 1);
	got = ask(f, what);
	assert_int_equal(got.asked.status, HT_ST_EXPIRED);
	assert_int_equal(f->calls, 0);
	ht_asked_fini(&got.asked);
}

/* ---- a broker that lies ---- */

/* The provider may be the first to notice: it is the consumer we look at. */
static enum ht_err
ask_until_broken(struct fixture *f)
{
	uint64_t end_ms = ht_clock_mono_ms() + PATIENCE_S * 1000;
	json_t *with = params();
	struct ht_ask what = query_ask(with);
	struct got got = {0};
	enum ht_err err;

	assert_ok(ht_node_begin(f->consumer, &what, take, &got));
	do {
		(void)!ht_node_step(f->provider, -1, 2, NULL);
		err = ht_node_step(f->consumer, -1, 2, NULL);
	} while (err == HT_OK && ht_clock_mono_ms() < end_ms);
	json_decref(with);
	assert_int_equal(got.n, 0);
	return err;
}

static void
a_false_proof_is_an_alarm(void **state)
{
	struct fixture *f = *state;

	start_all(f);
	atomic_store(&f->broker.ctl->bad_proof, 1);
	assert_err(ask_until_broken(f), HT_EINTEGRITY);
	/* For good. */
	assert_false(ht_node_ready(f->consumer));
	assert_err(ht_node_step(f->consumer, -1, 0, NULL), HT_EINTEGRITY);
}

static void
a_log_with_two_faces_is_an_alarm(void **state)
{
	struct fixture *f = *state;
	struct got got;

	start_all(f);
	got = ask(f, query_ask(NULL));
	ht_asked_fini(&got.asked);
	atomic_store(&f->broker.ctl->two_faces, 1);
	assert_err(ask_until_broken(f), HT_EINTEGRITY);
}

/* ---- witnesses ---- */

static int
answers_to(struct fixture *f, atomic_int *what)
{
	uint64_t end_ms = ht_clock_mono_ms() + PATIENCE_S * 1000;

	while (atomic_load(what) == 0 && ht_clock_mono_ms() < end_ms)
		if (ht_node_step(f->consumer, -1, 5, NULL) != HT_OK)
			break;
	return atomic_load(what);
}

static void
a_witness_cosigns_and_remembers(void **state)
{
	struct fixture *f = *state;
	int size;

	f->witness = true;
	start_broker(f, "log");
	f->consumer = open_node(f, "tax.demo/state", "main", "consumer");
	assert_int_equal(answers_to(f, &f->broker.ctl->cosigned), 200);
	assert_int_equal(atomic_load(&f->broker.ctl->offered), 1);
	/* Killed right after the answer: what it cosigned is on the disk. */
	ht_node_close(&f->consumer);
	atomic_store(&f->broker.ctl->cosigned, 0);
	atomic_store(&f->broker.ctl->offered, 0);
	f->consumer = open_node(f, "tax.demo/state", "main", "consumer");
	size = answers_to(f, &f->broker.ctl->offered);
	assert_true(size > 1);
	assert_int_equal(answers_to(f, &f->broker.ctl->cosigned), 200);
}

static void
a_witness_never_cosigns_a_fork(void **state)
{
	struct fixture *f = *state;
	char path[HT_TEST_PATH_MAX];
	enum ht_err err = HT_OK;
	struct dirent *at;
	unsigned kept = 0;
	DIR *dir;

	f->witness = true;
	start_broker(f, "log");
	atomic_store(&f->broker.ctl->fork_cosign, 1);
	f->consumer = open_node(f, "tax.demo/state", "main", "consumer");
	for (unsigned i = 0; i < 500 && err == HT_OK; i++)
		err = ht_node_step(f->consumer, -1, 10, NULL);
	assert_int_equal(err, HT_EROLLBACK);
	assert_non_null(strstr(ht_node_trouble(f->consumer), "two faces"));
	/* It cosigned the first, kept the second, and said nothing more. */
	assert_int_equal(atomic_load(&f->broker.ctl->cosigned), 200);
	(void)snprintf(path, sizeof(path), "%s/refused",
	    path_of(f, "state-", "consumer", ""));
	dir = opendir(path);
	assert_non_null(dir);
	while ((at = readdir(dir)) != NULL)
		kept += strstr(at->d_name, ".note") != NULL;
	closedir(dir);
	assert_int_equal(kept, 1);
}

/* The log was restored from an old copy, or begun anew under the same key. */
static void
a_log_that_went_back_is_an_alarm(void **state)
{
	struct fixture *f = *state;
	struct got got;
	enum ht_err err = HT_OK;

	start_all(f);
	got = ask(f, query_ask(NULL));
	ht_asked_fini(&got.asked);
	ht_node_close(&f->consumer);
	ht_node_close(&f->provider);
	ht_fake_stop(&f->broker);
	start_broker(f, "other-log");
	f->consumer = open_node(f, "tax.demo/state", "main", "consumer");
	for (unsigned i = 0; i < 500 && err == HT_OK; i++)
		err = ht_node_step(f->consumer, -1, 10, NULL);
	assert_int_equal(err, HT_EROLLBACK);
	assert_non_null(strstr(ht_node_trouble(f->consumer), "as evidence"));
}

/* Between what was tied to the log and what was only seen of it. */
static void
a_log_that_forked_is_an_alarm(void **state)
{
	struct fixture *f = *state;
	uint64_t until_ms;
	struct got got;
	char command[3 * HT_TEST_PATH_MAX];
	enum ht_err err = HT_OK;

	start_all(f);
	got = ask(f, query_ask(NULL));
	ht_asked_fini(&got.asked);
	until_ms = ht_clock_mono_ms() + 1300;
	while (ht_clock_mono_ms() < until_ms) {
		assert_ok(ht_node_step(f->consumer, -1, 10, NULL));
		assert_ok(ht_node_step(f->provider, -1, 10, NULL));
	}
	(void)snprintf(command, sizeof(command),
	    "cp -r %.3000s/log %.3000s/fork", f->dir, f->dir);
	assert_int_equal(system(command), 0);
	got = ask(f, query_ask(NULL));
	ht_asked_fini(&got.asked);
	ht_node_close(&f->consumer);
	ht_node_close(&f->provider);
	for (unsigned i = 0; i < 4; i++) { /* each start is an entry */
		ht_fake_stop(&f->broker);
		start_broker(f, "fork");
	}
	f->consumer = open_node(f, "tax.demo/state", "main", "consumer");
	for (unsigned i = 0; i < 300 && err == HT_OK; i++)
		err = ht_node_step(f->consumer, -1, 10, NULL);
	assert_int_equal(err, HT_EROLLBACK);
	assert_non_null(strstr(ht_node_trouble(f->consumer), "was rewritten"));
}

/* ---- a false policy, whose entry stands in the log ---- */

/* What the node has kept is the world's; what it meets then is @trust. */
static void
meets(struct fixture *f, struct ht_trust *trust, const char *words)
{
	struct ht_trust *kept = f->world->trust;
	uint64_t end_ms = ht_clock_mono_ms() + PATIENCE_S * 1000;
	enum ht_err err = HT_OK;

	start_broker(f, "log");
	f->consumer = open_node(f, "tax.demo/state", "main", "consumer");
	until_ready(f->consumer);
	ht_node_close(&f->consumer);
	ht_fake_stop(&f->broker);
	f->world->trust = trust;
	start_broker(f, "log");
	f->world->trust = kept;
	f->consumer = open_node(f, "tax.demo/state", "main", "consumer");
	while (err == HT_OK && ht_clock_mono_ms() < end_ms &&
	       strstr(ht_node_trouble(f->consumer), words) == NULL)
		err = ht_node_step(f->consumer, -1, 10, NULL);
	if (strstr(ht_node_trouble(f->consumer), words) == NULL)
		fail_msg("nothing says \"%s\": %s", words,
		    ht_node_trouble(f->consumer));
	assert_false(ht_node_ready(f->consumer));
	ht_trust_unref(&trust);
}

/* As another reader, who knows nothing of before, would take it. */
static struct ht_trust *
published(struct ht_world *w)
{
	struct ht_trust *trust = NULL;

	ht_world_publish(w);
	assert_ok(ht_world_load(w, NULL, NULL, &trust));
	return trust;
}

static void
a_policy_that_went_back_is_an_alarm(void **state)
{
	struct fixture *f = *state;
	struct ht_trust *old = ht_trust_ref(f->world->trust);

	ht_world_renew(f->world);
	meets(f, old, "the broker is at snapshot 1, and 2 was in force before");
}

static void
another_policy_of_the_same_version_is_refused(void **state)
{
	struct fixture *f = *state;
	struct ht_trust *fork;

	ht_world_edit(f->world, HT_DOC_GRANT, "gx.demo/1",
	    "revision: 1\nstate: active", "revision: 2\nstate: terminated");
	fork = published(f->world);
	meets(f, fork, "and this is not that snapshot");
}

/* Whoever withholds a suspension so must be seen. */
static void
an_older_current_note_is_refused(void **state)
{
	struct fixture *f = *state;
	struct ht_trust *older;

	f->world->issued_ms -= 5000;
	older = published(f->world);
	meets(f, older, "issued before the one in force");
}

/* ---- not let in ---- */

static void wait_for_trouble(struct ht_node *node, const char *words);

/* Well signed, by everybody who must; but who has seen it? */
static void
a_policy_that_is_not_in_the_log_is_refused(void **state)
{
	struct fixture *f = *state;

	start_broker(f, "log");
	atomic_store(&f->broker.ctl->unlogged, 1);
	f->consumer = open_node(f, "tax.demo/state", "main", "consumer");
	wait_for_trouble(
	    f->consumer, "nothing proves that it is in the audit log");
}

static void
wait_for_trouble(struct ht_node *node, const char *words)
{
	uint64_t end_ms = ht_clock_mono_ms() + PATIENCE_S * 1000;

	while (strstr(ht_node_trouble(node), words) == NULL) {
		assert_ok(ht_node_step(node, -1, 20, NULL));
		if (ht_clock_mono_ms() > end_ms)
			fail_msg("nothing says \"%s\": %s", words,
			    ht_node_trouble(node));
	}
	assert_false(ht_node_ready(node));
}

/* Ask, until the lie was told to both; each asks once more for all of it. */
static void
ask_while_lied_to(struct fixture *f, unsigned lie, uint64_t version)
{
	int told = atomic_load(&f->broker.ctl->lied);
	uint64_t end_ms = ht_clock_mono_ms() + PATIENCE_S * 1000;

	atomic_store(&f->broker.ctl->lie, (int)lie + 1);
	do {
		struct got got = ask(f, query_ask(NULL));

		assert_int_equal(got.asked.status, HT_ST_OK);
		ht_asked_fini(&got.asked);
		if (ht_clock_mono_ms() > end_ms)
			fail_msg("nobody asks for: %s", ht_lies[lie].what);
	} while (atomic_load(&f->broker.ctl->lied) < told + 2);
	assert_true(ht_trust_version(ht_node_trust(f->consumer)) == version);
	assert_true(ht_trust_version(ht_node_trust(f->provider)) == version);
}

/* Whatever a broker says a snapshot is: the one in force stays, and serves. */
static void
a_node_that_is_lied_to_goes_on(void **state)
{
	struct fixture *f = *state;
	uint64_t version;

	start_all(f);
	version = ht_trust_version(ht_node_trust(f->consumer));
	for (unsigned i = 0; i < ht_n_lies; i++)
		ask_while_lied_to(f, i, version);
	assert_true(ht_node_ready(f->consumer));
	assert_true(ht_node_ready(f->provider));
}

static void
a_node_that_knows_nothing_takes_no_lie(void **state)
{
	struct fixture *f = *state;

	start_broker(f, "log");
	atomic_store(&f->broker.ctl->lie, 7); /* a Cyrillic letter */
	f->consumer = open_node(f, "tax.demo/state", "main", "consumer");
	wait_for_trouble(f->consumer, "the broker's snapshot is refused");
	assert_null(ht_node_trust(f->consumer));
}

static void
a_key_that_is_not_in_the_directory_is_refused(void **state)
{
	struct fixture *f = *state;
	struct ht_key *key = NULL;
	char path[HT_TEST_PATH_MAX];

	assert_ok(ht_key_new(HT_KEY_TRANSPORT, &key));
	(void)snprintf(path, sizeof(path),
	    "%.3000s/keys/tax.demo/state/main-transport.key", f->dir);
	assert_int_equal(unlink(path), 0);
	assert_ok(ht_keyfile_write(path, "tax.demo/state/main", key, NULL));
	ht_key_free(&key);
	start_broker(f, "log");
	f->consumer = open_node(f, "tax.demo/state", "main", "consumer");
	wait_for_trouble(f->consumer, "does not admit this node's transport");
}

static void
another_broker_is_not_taken_for_ours(void **state)
{
	struct fixture *f = *state;
	struct ht_key *key = NULL, *ours = f->world->broker;

	assert_ok(ht_key_new(HT_KEY_TRANSPORT, &key));
	f->world->broker = key;
	start_broker(f, "log");
	f->world->broker = ours;
	ht_key_free(&key);
	f->consumer = open_node(f, "tax.demo/state", "main", "consumer");
	wait_for_trouble(f->consumer, "does not hold the transport key");
}

static void
nobody_listens(void **state)
{
	struct fixture *f = *state;

	f->consumer = open_node(f, "tax.demo/state", "main", "consumer");
	wait_for_trouble(f->consumer, "nobody listens at");
}

static void
a_wrong_clock_is_said(void **state)
{
	struct fixture *f = *state;
	unsigned off_s = 0;

	start_broker(f, "log");
	atomic_store(&f->broker.ctl->time_off_s, 300);
	f->consumer = open_node(f, "tax.demo/state", "main", "consumer");
	wait_for_trouble(f->consumer, " s behind the broker's");
	/* Less what the broker's word took to come. */
	assert_int_equal(sscanf(ht_node_trouble(f->consumer),
	                     "this machine's clock is %u", &off_s),
	    1);
	assert_in_range(off_s, 300 - PATIENCE_S, 300);
}

static void
keys_are_looked_at_before_anything(void **state)
{
	struct fixture *f = *state;
	struct ht_node *node = NULL;
	char path[HT_TEST_PATH_MAX];

	(void)snprintf(path, sizeof(path),
	    "%.3000s/keys/tax.demo/state/main-signing.key", f->dir);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path),
	    "%.3000s/keys/tax.demo/state/main-transport.key", f->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_not_equal(
	    try_open(f, "tax.demo/state", "main", "x", &node), HT_OK);
	assert_true(ht_report_count(f->report) >= 2);
	assert_null(node);
}

#define NODE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    NODE_TEST(a_query_is_answered_and_proven),
    NODE_TEST(only_wanted_fields_come),
    NODE_TEST(verify_says_match_and_no_more),
    NODE_TEST(other_rows_are_as_if_not_there),
    NODE_TEST(many_at_once_travel_in_bundles),
    NODE_TEST(what_will_be_refused_does_not_leave),
    NODE_TEST(an_officer_s_name_that_plays_tricks_is_refused),
    NODE_TEST(what_is_missing_is_named),
    NODE_TEST(a_newer_snapshot_is_waited_for_where_it_matters),
    NODE_TEST(a_newer_snapshot_does_not_undo_a_fetch),
    NODE_TEST(a_fetch_begins_again_where_it_has_to),
    NODE_TEST(a_fetch_keeps_the_brokers_pace),
    NODE_TEST(what_we_asked_is_proven_to_others),
    NODE_TEST(another_exchange_is_no_proof),
    NODE_TEST(the_provider_decides_for_itself),
    NODE_TEST(an_answer_has_so_many_records),
    NODE_TEST(rows_of_others_are_not_taken),
    NODE_TEST(a_source_that_fails_is_said_so),
    NODE_TEST(an_asker_without_room_is_refused_and_the_node_goes_on),
    NODE_TEST(a_node_on_a_full_disk_refuses_and_goes_on),
    NODE_TEST(a_disk_full_at_the_answer_is_told),
    NODE_TEST(a_call_nobody_answers_ends),
    NODE_TEST(no_tracker_key_is_said_so),
    NODE_TEST(a_false_pseudonym_is_refused),
    NODE_TEST(nobody_serves_it),
    NODE_TEST(a_second_delivery_has_no_second_effect),
    NODE_TEST(busy_is_waited_out),
    NODE_TEST(what_is_never_answered_expires),
    NODE_TEST(a_body_changed_on_the_way_is_not_served),
    NODE_TEST(a_false_proof_is_an_alarm),
    NODE_TEST(a_log_with_two_faces_is_an_alarm),
    NODE_TEST(a_witness_cosigns_and_remembers),
    NODE_TEST(a_witness_never_cosigns_a_fork),
    NODE_TEST(a_log_that_went_back_is_an_alarm),
    NODE_TEST(a_log_that_forked_is_an_alarm),
    NODE_TEST(a_policy_that_went_back_is_an_alarm),
    NODE_TEST(another_policy_of_the_same_version_is_refused),
    NODE_TEST(an_older_current_note_is_refused),
    NODE_TEST(a_node_that_is_lied_to_goes_on),
    NODE_TEST(a_node_that_knows_nothing_takes_no_lie),
    NODE_TEST(a_policy_that_is_not_in_the_log_is_refused),
    NODE_TEST(a_key_that_is_not_in_the_directory_is_refused),
    NODE_TEST(another_broker_is_not_taken_for_ours),
    NODE_TEST(nobody_listens),
    NODE_TEST(a_wrong_clock_is_said),
    NODE_TEST(keys_are_looked_at_before_anything),
};

HT_TEST_MAIN(tests)
