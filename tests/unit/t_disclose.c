/* DISCLOSE: what is hidden no more, by an order or by time, in one form. */
#include "tests/lib/test.h"

#include "broker/check/recount.h"
#include "broker/check/verify.h"
#include "broker/log/disclose.h"
#include "tests/lib/fault.h"
#include "tests/lib/history.h"

#define ORIGIN "gx.demo/log"
#define NOW_MS UINT64_C(1795482123000)

static struct ht_world *world;

static int
make_world(void **state)
{
	(void)state;
	assert_ok(ht_keys_init());
	world = ht_world_new(NOW_MS);
	return 0;
}

static int
drop_world(void **state)
{
	(void)state;
	ht_world_free(&world);
	return 0;
}

/* ---- the entry ---- */

static struct ht_disclose_said
by_order(size_t n)
{
	struct ht_disclose_said said = {.ordered = true,
	    .basis = ht_slice_str("PIPL 18"),
	    .by = ht_slice_str("gx.demo/officer-1, gx.demo/officer-2"),
	    .n = n,
	    .count = n};

	memset(said.order.at, 0x77, HT_HASH_SIZE);
	for (size_t i = 0; i < n; i++)
		said.entries[i] = 3 * i + 1;
	return said;
}

static struct ht_disclose_said
by_time(void)
{
	return (struct ht_disclose_said){.item = ht_slice_str("gx.demo/X@1"),
	    .to_us = NOW_MS * 1000,
	    .count = 12};
}

static void
what_it_says_has_one_form(void **state)
{
	const struct ht_disclose_said goods[] = {
	    by_order(1), by_order(HT_DISCLOSE_ENTRIES), by_time()};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(goods); i++) {
		struct ht_buf out = HT_BUF(HT_LEAF_MAX);
		struct ht_disclose_said got;

		assert_ok(ht_disclose_said_encode(&goods[i], &out));
		assert_ok(ht_disclose_said_decode(ht_buf_slice(&out), &got));
		assert_int_equal(got.ordered, goods[i].ordered);
		assert_int_equal(got.count, goods[i].count);
		assert_int_equal(got.n, goods[i].n);
		assert_memory_equal(
		    got.entries, goods[i].entries, got.n * sizeof(uint64_t));
		assert_true(ht_slice_eq(got.item, goods[i].item));
		assert_int_equal(got.to_us, goods[i].to_us);
		for (size_t len = 0; len < out.len; len++)
			assert_err(ht_disclose_said_decode(
			               HT_SLICE(out.at, len), &got),
			    HT_EMALFORMED);
		ht_buf_fini(&out);
	}
}

/* Half of an order and half of a time are neither. */
static void
it_is_either_an_order_or_a_time(void **state)
{
	struct {
		const char *why;
		struct ht_disclose_said said;
	} bads[] = {
	    {"an order with no entries",         by_order(0)},
	    {"an order with another count",      by_order(2)},
	    {"an order and an item",             by_order(2)},
	    {"an order and a time",              by_order(2)},
	    {"an order of no basis",             by_order(2)},
	    {"entries that go back",             by_order(2)},
	    {"an entry twice",                   by_order(2)},
	    {"a time without an item",           by_time()  },
	    {"a time that is none",              by_time()  },
	    {"a time for nothing",               by_time()  },
	    {"a time by somebody",               by_time()  },
	    {"a time with entries and no order", by_time()  },
	};

	(void)state;
	bads[1].said.count = 3;
	bads[2].said.item = ht_slice_str("gx.demo/X@1");
	bads[3].said.to_us = 1;
	bads[4].said.basis = ht_slice_str("");
	bads[5].said.entries[0] = 9;
	bads[6].said.entries[0] = bads[6].said.entries[1];
	bads[7].said.item = ht_slice_str("");
	bads[8].said.to_us = 0;
	bads[9].said.count = 0;
	bads[10].said.by = ht_slice_str("gx.demo/officer-1");
	bads[11].said.n = 1;
	for (size_t i = 0; i < HT_COUNT(bads); i++) {
		struct ht_buf out = HT_BUF(HT_LEAF_MAX);
		struct ht_disclose_said got;

		assert_ok(ht_disclose_said_encode(&bads[i].said, &out));
		if (ht_disclose_said_decode(ht_buf_slice(&out), &got) !=
		    HT_EMALFORMED)
			fail_msg("taken: %s", bads[i].why);
		ht_buf_fini(&out);
	}
}

/* ---- the order ---- */

static enum ht_err
parse(const char *entries, struct ht_report *report, struct ht_doc **ret)
{
	struct ht_buf text = HT_BUF(HT_DOC_MAX);
	enum ht_err err;

	ht_buf_fmt(&text,
	    "hutong: disclose/v1\norder: gx.demo/8\nlog: " ORIGIN
	    "\nbasis: PIPL 18\nissued: 2026-11-24T00:00:00Z\n"
	    "until: 2026-12-24T00:00:00Z\n%s\n",
	    entries);
	err = ht_doc_parse(ht_buf_slice(&text), "order", report, ret);
	ht_buf_fini(&text);
	return err;
}

static void
an_order_has_a_form(void **state)
{
	static const struct {
		const char *why;
		const char *entries;
		enum ht_err want;
	} rows[] = {
	    {"one",	            "entries: [3]",             HT_OK      },
	    {"two",	            "entries: [3, 4]",          HT_OK      },
	    {"none",                   "entries: []",              HT_EINVALID},
	    {"which",                  "",                         HT_EINVALID},
	    {"they go back",           "entries: [4, 3]",          HT_EINVALID},
	    {"no scope of an erasure", "epoch: gx.demo/e1",        HT_EINVALID},
	    {"nothing is destroyed",   "what: tags\nentries: [3]", HT_EINVALID},
	};
	char many[2000] = "entries: [0";

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
		enum ht_err err = parse(rows[i].entries, report, &doc);

		if ((err == HT_OK) != (rows[i].want == HT_OK))
			fail_msg("%s: %s", rows[i].why, ht_err_text(err));
		if (err == HT_OK)
			assert_int_equal(doc->kind, HT_DOC_DISCLOSE);
	}
	for (int i = 1; i <= HT_DISCLOSE_ENTRIES; i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
		char all[2100];

		(void)snprintf(all, sizeof(all), "%s]", many);
		assert_ok(parse(all, report, &doc));
		(void)snprintf(many + strlen(many), sizeof(many) - strlen(many),
		    ", %d", i);
	}
	{
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;

		(void)snprintf(
		    many + strlen(many), sizeof(many) - strlen(many), "]");
		assert_int_not_equal(parse(many, report, &doc), HT_OK);
	}
}

/* ---- in a log ---- */

struct fixture {
	char dir[HT_TEST_PATH_MAX];
	struct ht_log *log;
	uint64_t first; /* look */
};

static void
start(struct fixture *f)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_history h;

	assert_ok(ht_log_open(
	    ht_test_dir(f->dir), ORIGIN, world->log_key, report, &f->log));
	ht_history_init(&h, world, f->log);
	ht_history_start(&h);
	ht_history_exchanges(&h, 3, 3, 1, &f->first);
}

static enum ht_err
payload_of(struct fixture *f, uint64_t a, uint64_t b, struct ht_buf *out)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_doc_unref) struct ht_doc *order = NULL;
	char entries[60];
	enum ht_err err;

	(void)snprintf(entries, sizeof(entries), "entries: [%llu, %llu]",
	    (unsigned long long)a, (unsigned long long)b);
	assert_ok(parse(entries, report, &order));
	err = ht_disclose_payload(
	    f->log, order, "gx.demo/officer-1", report, out);
	/* Whoever signed is told which. */
	assert_int_equal(ht_report_count(report) > 0, err == HT_EINVALID);
	return err;
}

static void
append(struct fixture *f, const struct ht_buf *payload)
{
	struct ht_entry e = {.type = HT_ENTRY_DISCLOSE,
	    .payload = HT_SLICE(payload->at, payload->len)};
	struct ht_slice note;

	assert_ok(ht_log_append(f->log, &e, NULL));
	assert_ok(ht_log_commit(f->log, &note));
}

static void
only_looks_are_disclosed(void **state)
{
	struct ht_buf out = HT_BUF(HT_LEAF_MAX);
	struct ht_disclose_said said;
	struct ht_verify v = {.trust = world->trust};
	struct fixture f;

	(void)state;
	start(&f);
	assert_err(payload_of(&f, 0, f.first, &out), HT_EINVALID); /* START */
	assert_err(payload_of(&f, f.first, 5000, &out), HT_EINVALID);
	ht_buf_reset(&out);
	assert_ok(payload_of(&f, f.first, f.first + 2, &out));
	assert_ok(ht_disclose_said_decode(ht_buf_slice(&out), &said));
	assert_int_equal(said.count, 2);
	assert_int_equal(said.entries[1], f.first + 2);
	append(&f, &out);
	ht_log_close(&f.log);
	assert_ok(ht_verify_log(f.dir, &v));
	assert_int_equal(v.disclosures, 1);
	assert_int_equal(v.disclosed, 2);
	ht_buf_fini(&out);
	ht_test_dir_remove(f.dir);
}

static void
one_of_a_time_to_come_is_named(void **state)
{
	struct ht_buf out = HT_BUF(HT_LEAF_MAX);
	struct ht_disclose_said said = by_order(1);
	struct ht_verify v = {.trust = world->trust};
	struct fixture f;
	uint64_t seq;

	(void)state;
	start(&f);
	seq = ht_log_next(f.log);
	said.entries[0] = seq;
	assert_ok(ht_disclose_said_encode(&said, &out));
	append(&f, &out);
	ht_log_close(&f.log);
	assert_err(ht_verify_log(f.dir, &v), HT_EINTEGRITY);
	assert_int_equal(v.bad_seq, seq);
	ht_buf_fini(&out);
	ht_test_dir_remove(f.dir);
}

/* ---- by time: the broker's count, counted again ---- */

/* A broker's entry: looks by the item of the history, up to @to_us. */
static void
claim(struct ht_history *h, const char *item, uint64_t to_us, uint64_t count)
{
	struct ht_buf out = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e = {.type = HT_ENTRY_DISCLOSE, .time_us = h->now_us};
	struct ht_disclose_said said = {
	    .item = ht_slice_str(item), .to_us = to_us, .count = count};
	struct ht_slice note;

	assert_ok(ht_disclose_said_encode(&said, &out));
	e.payload = ht_buf_slice(&out);
	assert_ok(ht_log_append(h->log, &e, NULL));
	assert_ok(ht_log_commit(h->log, &note));
	h->now_us += 1000000;
	ht_buf_fini(&out);
}

#define SHOP "gx.demo/SCZTDJ@1"

/*
 * Five looks, then four, then three, and after each an entry that counts them.
 */
static const struct {
	const char *why;
	const char *item[3]; /* NULL: no entry */
	uint64_t count[3];
	bool early; /* the first ends before the five */
	bool ok;
	unsigned bad; /* which of the three */
} claims[] = {
    {"all are counted",           {SHOP, SHOP, SHOP},               {5, 4, 3},  false, true,  0},
    {"together, later",           {NULL, NULL, SHOP},               {0, 0, 12}, false, true,  0},
    {"one between says nothing",  {SHOP, NULL, SHOP},               {5, 0, 7},  false, true,  0},
    {"one too many",              {SHOP, SHOP, SHOP},               {6, 4, 3},  false, false, 0},
    {"one too few",               {SHOP, SHOP, SHOP},               {5, 3, 3},  false, false, 1},
    {"the last is wrong",         {SHOP, SHOP, SHOP},               {5, 4, 2},  false, false, 2},
    {"counted twice",             {SHOP, SHOP, SHOP},               {5, 9, 3},  false, false, 1},
    {"of before the first look",  {SHOP, SHOP, SHOP},               {5, 4, 3},  true,  false, 0},
    {"of another version",        {"gx.demo/SCZTDJ@2", SHOP, SHOP}, {5, 9, 3},  false,
     false,                                                                                   0},
    {"of another item",           {"gx.demo/Y@1", SHOP, SHOP},      {1, 9, 3},  false, false,
     0                                                                                         },
    {"an item without a version", {"gx.demo/SCZTDJ", NULL, NULL},   {5, 0, 0},
     false,                                                                            false, 0},
};

static void
what_time_discloses_is_counted_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(claims); i++) {
		struct ht_verify v = {.trust = world->trust};
		uint64_t seqs[3] = {0};
		struct ht_history h;
		struct fixture f;
		enum ht_err err;

		start(&f);
		ht_history_init(&h, world, f.log);
		h.now_us = (NOW_MS + 100000) * 1000;
		h.records = 1000;
		claim(&h, SHOP, h.now_us, 3);
		for (unsigned k = 0; k < 3; k++) {
			uint64_t before_us = h.now_us;

			ht_history_exchanges(&h, 5 - k, 1, 1, NULL);
			seqs[k] = ht_log_size(f.log);
			if (claims[i].item[k] != NULL)
				claim(&h, claims[i].item[k],
				    claims[i].early && k == 0 ? before_us
				                              : h.now_us,
				    claims[i].count[k]);
		}
		ht_log_close(&f.log);
		err = ht_verify_log(f.dir, &v);
		if ((err == HT_OK) != claims[i].ok)
			fail_msg("%s: %s", claims[i].why, v.bad);
		if (err != HT_OK && v.bad_seq != seqs[claims[i].bad])
			fail_msg("%s: entry %ju is named", claims[i].why,
			    (uintmax_t)v.bad_seq);
		ht_test_dir_remove(f.dir);
	}
}

/* Nor do times go back, or lie ahead. */
static void
the_time_of_a_claim_is_held(void **state)
{
	for (unsigned ahead = 0; ahead < 2; ahead++) {
		struct ht_verify v = {.trust = world->trust};
		struct ht_history h;
		struct fixture f;
		uint64_t seq;

		(void)state;
		start(&f);
		ht_history_init(&h, world, f.log);
		h.now_us = (NOW_MS + 100000) * 1000;
		claim(&h, SHOP, h.now_us, 3);
		seq = ht_log_size(f.log);
		claim(&h, SHOP, ahead ? h.now_us + 1 : (NOW_MS + 100000) * 1000,
		    1);
		ht_log_close(&f.log);
		assert_err(ht_verify_log(f.dir, &v), HT_EINTEGRITY);
		assert_int_equal(v.bad_seq, seq);
		assert_non_null(
		    strstr(v.bad, ahead ? "time to come" : "not behind"));
		ht_test_dir_remove(f.dir);
	}
}

static enum ht_err
try_recount(struct ht_log *log)
{
	HT_AUTO(ht_recount_fini) struct ht_recount r = {0};
	struct ht_disclose_said said = by_time();
	enum ht_err err = ht_recount_add(&r, 7, &said);

	said.item = ht_slice_str("gx.demo/Y@3");
	if (err == HT_OK)
		err = ht_recount_add(&r, 8, &said);
	return err == HT_OK ? ht_recount_run(&r, log, ht_log_size(log)) : err;
}

static void
an_allocation_that_fails_is_said(void **state)
{
	struct fixture f;
	enum ht_err err = HT_OK;

	(void)state;
	start(&f);
	TORTURE(err = try_recount(f.log))
	{
		assert_int_equal(err, HT_ENOMEM);
	}
	assert_ok(err);
	ht_log_close(&f.log);
	ht_test_dir_remove(f.dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_it_says_has_one_form),
	    cmocka_unit_test(it_is_either_an_order_or_a_time),
	    cmocka_unit_test(an_order_has_a_form),
	    cmocka_unit_test(only_looks_are_disclosed),
	    cmocka_unit_test(one_of_a_time_to_come_is_named),
	    cmocka_unit_test(what_time_discloses_is_counted_again),
	    cmocka_unit_test(the_time_of_a_claim_is_held),
	    cmocka_unit_test(an_allocation_that_fails_is_said),
	};

	return cmocka_run_group_tests(tests, make_world, drop_world);
}
