/* Index, answers, verification, and the socket, over one log with a history. */
#include "tests/lib/logged.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker/audit/server.h"
#include "broker/check/verify.h"
#include "broker/log/bundles.h"
#include "broker/log/evidence.h"
#include "keys/proof.h"
#include "lib/base/fs.h"
#include "schemas/status.h"
#include "tests/lib/fault.h"

struct fixture {
	struct ht_logged l;
	uint64_t first; /* of the first bundle of requests */
};

/* START, SNAPSHOT, 7 requests (5 answered, 2 expired), refusals, and more. */
static void
start(struct fixture *f)
{
	ht_logged_start(&f->l);
	ht_history_exchanges(&f->l.h, 7, 5, 1, &f->first);
	ht_history_refused(&f->l.h, HT_ST_PURPOSE);
	ht_history_stranger(&f->l.h);
	for (unsigned i = 0; i < 9; i++)
		ht_history_exchanges(&f->l.h, 1 + i, i % 2, 2 + i, NULL);
	ht_history_refused(&f->l.h, HT_ST_NO_GRANT);
	ht_history_stop(&f->l.h);
}

static void
finish(struct fixture *f)
{
	ht_logged_finish(&f->l);
}

/* ---- searching ---- */

struct hits {
	uint64_t n;
	uint64_t seqs[1000];
};

static enum ht_err
hit(void *arg, const struct ht_entry *e)
{
	struct hits *hits = arg;

	assert_in_range(hits->n, 0, HT_COUNT(hits->seqs) - 1);
	if (hits->n > 0)
		assert_true(e->seq > hits->seqs[hits->n - 1]);
	hits->seqs[hits->n++] = e->seq;
	return HT_OK;
}

static struct hits
search(struct fixture *f, const struct ht_filter *filter, uint64_t *scanned)
{
	struct hits hits = {0};

	assert_ok(ht_index_search(f->l.index, filter, hit, &hits, scanned));
	return hits;
}

/* What is not said is no condition. */
/* clang-format off */
static const struct search_case {
	const char *why;
	const char *member, *peer, *item, *purpose;
	bool by_status;
	int status;
	unsigned type, operation;
	bool subject;
	uint64_t from_s, to_s; /* after the world's now */
	uint64_t start, size;
	uint32_t limit;
	uint64_t want; /* 0: only equal to the search without index */
} searches[] = {
    {.why = "everything"},
    {.why = "by member", .member = "tax.demo/state"},
    {.why = "by pair",
        .member = "tax.demo/state",
        .peer = "scjg.demo/registry"},
    {.why = "by transport identity alone",
        .member = "police.demo/residents",
        .want = 1},
    {.why = "by refused sender", .member = "tax.demo/local", .want = 2},
    {.why = "by item", .item = "gx.demo/SCZTDJ"},
#define NOBODY_ASKED 6
    {.why = "by an item nobody asked", .item = "gx.demo/NONE"},
#define BY_STATUS 7
    {.why = "by status",
        .by_status = true,
        .status = HT_ST_PURPOSE,
        .want = 1},
    {.why = "by any refusal", .by_status = true, .status = -2},
    {.why = "by no status", .by_status = true, .status = 0},
#define BY_TYPE 10
    {.why = "by type", .type = HT_ENTRY_EXPIRED},
#define BY_OTHER_TYPE 11
    {.why = "by a type without rows", .type = HT_ENTRY_RESPONSE},
    {.why = "by subject", .subject = true, .want = 7},
    {.why = "by time", .from_s = 3, .to_s = 9},
    {.why = "by time and item",
        .from_s = 3,
        .to_s = 9,
        .item = "gx.demo/SCZTDJ"},
    {.why = "by purpose and type",
        .purpose = "tax-registration",
        .type = HT_ENTRY_RESPONSE},
    {.why = "by operation, also of what is cited",
        .operation = HT_OP_QUERY},
    {.why = "by an operation nobody used", .operation = HT_OP_VERIFY},
    {.why = "at most three",
        .member = "tax.demo/state",
        .limit = 3,
        .want = 3},
    {.why = "a part of the log",
        .item = "gx.demo/SCZTDJ",
        .start = 10,
        .size = 20},
};
/* clang-format on */

static struct ht_slice
said(const char *text)
{
	return ht_slice_str(text == NULL ? "" : text);
}

static uint64_t
after(uint64_t seconds)
{
	return seconds == 0 ? 0 : (HT_LOGGED_NOW_MS + seconds * 1000) * 1000;
}

static struct ht_filter
filter_of(const struct search_case *c)
{
	return (struct ht_filter){
	    .member = said(c->member),
	    .peer = said(c->peer),
	    .item = said(c->item),
	    .purpose = said(c->purpose),
	    .status = c->by_status ? c->status : -1,
	    .type = c->type == 0 ? -1 : (int)c->type,
	    .operation = c->operation == 0 ? -1 : (int)c->operation,
	    .has_subject = c->subject,
	    .subject = ht_history_subject(1),
	    .from_us = after(c->from_s),
	    .to_us = after(c->to_s),
	    .start_seq = c->start,
	    .size = c->size,
	    .limit = c->limit,
	};
}

static void
search_all(struct fixture *f, struct hits hits[static HT_COUNT(searches)])
{
	uint64_t scanned;

	for (size_t i = 0; i < HT_COUNT(searches); i++) {
		struct ht_filter filter = filter_of(&searches[i]);

		hits[i] = search(f, &filter, &scanned);
		if (searches[i].want != 0 && hits[i].n != searches[i].want)
			fail_msg("%s: %lu", searches[i].why,
			    (unsigned long)hits[i].n);
	}
}

static void
a_search_needs_no_index(void **state)
{
	static struct hits without[HT_COUNT(searches)];
	static struct hits with[HT_COUNT(searches)];
	struct ht_filter filter = filter_of(&searches[BY_STATUS]);
	struct fixture f;
	uint64_t scanned, size;
	bool more;

	(void)state;
	start(&f);
	size = ht_log_size(f.l.log);
	search_all(&f, without);
	assert_int_equal(without[0].n, size);
	assert_int_equal(without[NOBODY_ASKED].n, 0);
	assert_int_equal(without[BY_TYPE].n, f.l.h.counts[HT_ENTRY_EXPIRED]);
	assert_int_equal(
	    without[BY_OTHER_TYPE].n, f.l.h.counts[HT_ENTRY_RESPONSE]);
	/* Half indexed, then all: the same hits. */
	for (int round = 0; round < 2; round++) {
		if (round == 0)
			assert_ok(
			    ht_index_catch_up(f.l.index, size / 2, &more));
		else
			ht_logged_index(&f.l, 17);
		search_all(&f, with);
		for (size_t i = 0; i < HT_COUNT(searches); i++)
			if (with[i].n != without[i].n ||
			    memcmp(with[i].seqs, without[i].seqs,
			        with[i].n * sizeof(with[i].seqs[0])) != 0)
				fail_msg("%s: differs with an index",
				    searches[i].why);
	}
	/* And it saves work. */
	(void)search(&f, &filter, &scanned);
	assert_int_equal(scanned, 1);
	finish(&f);
}

static void
an_exchange_is_found_whole(void **state)
{
	struct ht_filter filter = HT_FILTER_ALL;
	struct ht_about *about = malloc(sizeof(*about));
	struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e;
	struct fixture f;
	struct hits hits;
	uint64_t scanned;

	(void)state;
	assert_non_null(about);
	start(&f);
	ht_logged_index(&f.l, 17);
	for (unsigned i = 0; i < 7; i++) {
		ht_buf_reset(&leaf);
		assert_ok(ht_log_read(f.l.log, f.first + i, &leaf));
		assert_ok(ht_entry_decode(ht_buf_slice(&leaf), &e));
		assert_ok(ht_entry_about(f.l.log, &e, about));
		filter.has_exchange = true;
		filter.exchange = about->exchange;
		hits = search(&f, &filter, &scanned);
		assert_int_equal(hits.n, 2); /* and its answer, or its end */
		assert_int_equal(hits.seqs[0], f.first + i);
		assert_int_equal(scanned, 2);
		ht_buf_reset(&leaf);
		assert_ok(ht_log_read(f.l.log, hits.seqs[1], &leaf));
		assert_ok(ht_entry_decode(ht_buf_slice(&leaf), &e));
		assert_int_equal(
		    e.type, i < 5 ? HT_ENTRY_RESPONSE : HT_ENTRY_EXPIRED);
	}
	ht_buf_fini(&leaf);
	free(about);
	finish(&f);
}

static void
an_index_of_another_log_is_wiped(void **state)
{
	struct fixture f;
	char path[HT_TEST_PATH_MAX + 64];
	struct ht_buf bytes = HT_BUF((size_t)16 << 20);

	(void)state;
	start(&f);
	ht_logged_index(&f.l, 17);
	ht_logged_close(&f.l);
	ht_logged_open(&f.l, ht_logged_world->log_key);
	assert_int_equal(ht_index_upto(f.l.index), ht_log_size(f.l.log));
	ht_logged_close(&f.l);

	/* One that was open when the machine went down. */
	(void)snprintf(path, sizeof(path), "%s/boot", f.l.index_dir);
	assert_ok(ht_fs_replace(path, 0600, ht_slice_str("another boot\n")));
	ht_logged_open(&f.l, NULL);
	assert_int_equal(ht_index_upto(f.l.index), 0); /* left alone */
	ht_logged_close(&f.l);
	ht_logged_open(&f.l, ht_logged_world->log_key);
	assert_int_equal(ht_index_upto(f.l.index), 0);
	ht_logged_index(&f.l, 17);
	ht_logged_close(&f.l);

	/* One of a log that is no more. */
	(void)snprintf(path, sizeof(path), "%s/data.mdb", f.l.index_dir);
	assert_ok(ht_fs_read(path, &bytes));
	ht_test_dir_remove(f.l.log_dir);
	start(&f);
	(void)snprintf(path, sizeof(path), "%s/data.mdb", f.l.index_dir);
	ht_index_close(&f.l.index);
	assert_ok(ht_fs_replace(path, 0600, ht_buf_slice(&bytes)));
	assert_ok(ht_index_open(f.l.index_dir, f.l.log, &f.l.index));
	assert_int_equal(ht_index_upto(f.l.index), 0);
	/* And one that is no database at all. */
	ht_index_close(&f.l.index);
	assert_ok(ht_fs_replace(path, 0600, ht_slice_str("rubbish")));
	assert_ok(ht_index_open(f.l.index_dir, f.l.log, &f.l.index));
	ht_logged_index(&f.l, 17);
	ht_buf_fini(&bytes);
	finish(&f);
}

/* ---- bundles ---- */

static void
each_record_is_proven_alone(void **state)
{
	static struct ht_bundle whole, alone;
	struct ht_buf bytes = HT_BUF(HT_EVIDENCE_MAX);
	const struct ht_keyinfo *key;
	struct fixture f;

	(void)state;
	start(&f);
	assert_ok(ht_evidence_load(f.l.log, f.first, &bytes, &whole, NULL));
	assert_int_equal(whole.count, 8);
	assert_int_equal(whole.n_records, 7);
	assert_int_equal(whole.n_left, 1);
	key = ht_trust_bundle_key(ht_logged_world->trust, &whole);
	assert_non_null(key);
	assert_ok(ht_bundle_verify(&whole, &key->pub));
	for (uint32_t i = 0; i < 7; i++) {
		assert_ok(ht_evidence_narrow(&whole, &i, 1, &alone));
		assert_int_equal(alone.n_records, 1);
		assert_int_equal(alone.n_left, 3);
		assert_ok(ht_evidence_root(&alone));
		assert_true(ht_hash_eq(&alone.root, &whole.root));
		assert_ok(ht_bundle_verify(&alone, &key->pub));
		alone.records[0].hash.at[0] ^= 1;
		assert_ok(ht_evidence_root(&alone));
		assert_err(ht_bundle_verify(&alone, &key->pub), HT_EBADSIG);
	}
	assert_err(ht_evidence_narrow(&whole, &(uint32_t){7}, 1, &alone),
	    HT_ENOTFOUND);
	assert_err(ht_evidence_load(f.l.log, f.first + 1, &bytes, &whole, NULL),
	    HT_ENOTFOUND);
	ht_buf_fini(&bytes);
	finish(&f);
}

/* Every choice of them: the cover is the one of docs/protocol.md section 4. */
static void
any_records_are_proven_together(void **state)
{
	static struct ht_bundle whole, some;
	struct ht_buf bytes = HT_BUF(HT_EVIDENCE_MAX);
	struct fixture f;

	(void)state;
	start(&f);
	assert_ok(ht_evidence_load(f.l.log, f.first, &bytes, &whole, NULL));
	for (uint32_t set = 1; set < 1u << 7; set++) {
		uint32_t indexes[7];
		size_t n = 0;

		for (uint32_t i = 0; i < 7; i++)
			if (set >> i & 1)
				indexes[n++] = i;
		assert_ok(ht_evidence_narrow(&whole, indexes, n, &some));
		assert_int_equal(some.n_records, n);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(some.records[i].index, indexes[i]);
		assert_ok(ht_evidence_root(&some));
		assert_true(ht_hash_eq(&some.root, &whole.root));
	}
	assert_err(ht_evidence_narrow(&whole, (uint32_t[]){2, 7}, 2, &some),
	    HT_ENOTFOUND);
	assert_err(ht_evidence_narrow(&whole, (uint32_t[]){3, 2}, 2, &some),
	    HT_ENOTFOUND);
	assert_err(ht_evidence_narrow(&whole, NULL, 0, &some), HT_ENOTFOUND);
	ht_buf_fini(&bytes);
	finish(&f);
}

static void
evidence_has_one_form(void **state)
{
	static struct ht_bundle b, again;
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_EVIDENCE_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf copy = HT_BUF(HT_EVIDENCE_MAX);
	struct fixture f;

	(void)state;
	start(&f);
	assert_ok(ht_evidence_load(f.l.log, f.first, &bytes, &b, NULL));
	ht_evidence_pack(&b, &copy);
	assert_true(ht_slice_eq(ht_buf_slice(&bytes), ht_buf_slice(&copy)));
	for (size_t len = 0; len < bytes.len; len++)
		assert_err(ht_evidence_unpack(HT_SLICE(bytes.at, len), &again),
		    HT_EMALFORMED);
	b.records[1].index = b.records[0].index;
	ht_buf_reset(&copy);
	ht_evidence_pack(&b, &copy);
	assert_err(
	    ht_evidence_unpack(ht_buf_slice(&copy), &again), HT_EMALFORMED);
	finish(&f);
}

/* ---- answers ---- */

struct rows {
	uint64_t n;
	uint64_t seqs[1000];
	uint64_t bundles, tags, cited;
};

static enum ht_err
row(void *arg, const struct ht_row *r)
{
	static struct ht_bundle alone;
	struct rows *rows = arg;
	const struct ht_keyinfo *key;

	assert_in_range(rows->n, 0, HT_COUNT(rows->seqs) - 1);
	rows->seqs[rows->n++] = r->seq;
	assert_int_equal(r->entry.seq, r->seq);
	if (r->bundle.len > 0) {
		assert_ok(ht_evidence_unpack(r->bundle, &alone));
		assert_int_equal(alone.n_records, 1);
		alone.records[0].hash = ht_header_hash(r->entry.payload);
		assert_ok(ht_evidence_root(&alone));
		key = ht_trust_bundle_key(ht_logged_world->trust, &alone);
		assert_non_null(key);
		assert_ok(ht_bundle_verify(&alone, &key->pub));
		rows->bundles++;
	}
	rows->tags += r->tag.len > 0;
	rows->cited += r->cited.len > 0;
	return HT_OK;
}

static struct rows
check_answer(const struct ht_audit_answer *a)
{
	struct rows rows = {0};
	struct ht_checkpoint cp;
	uint64_t bad;

	assert_ok(ht_checkpoint_open(
	    ht_buf_slice(&a->checkpoint), &ht_logged_vkey, &cp));
	assert_int_equal(cp.size, a->size);
	for (size_t i = 0; i < a->n_frames; i++)
		assert_ok(ht_rows_check(ht_buf_slice(&a->frames[i]), a->size,
		    &cp.root, row, &rows, &bad));
	assert_int_equal(rows.n, a->matched);
	return rows;
}

static struct rows
ask(struct fixture *f, const struct ht_query *q)
{
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};

	assert_ok(ht_audit_answer(f->l.log, f->l.index, q, &a));
	return check_answer(&a);
}

static void
every_row_of_an_answer_is_proven(void **state)
{
	struct ht_query q = HT_QUERY_ALL;
	struct fixture f;
	struct rows rows;

	(void)state;
	start(&f);
	ht_logged_index(&f.l, 17);
	rows = ask(&f, &q);
	assert_int_equal(rows.n, ht_log_size(f.l.log));
	assert_int_equal(rows.bundles + rows.tags, 0);
	q.evidence = true;
	rows = ask(&f, &q);
	assert_int_equal(rows.n, ht_log_size(f.l.log));
	assert_int_equal(rows.bundles, f.l.h.counts[HT_ENTRY_REQUEST] +
	                                   f.l.h.counts[HT_ENTRY_RESPONSE] + 2);
	assert_int_equal(rows.tags, f.l.h.counts[HT_ENTRY_REQUEST]);
	assert_int_equal(rows.cited, f.l.h.counts[HT_ENTRY_EXPIRED]);
	q.has_seq = true;
	q.seq = f.first + 6;
	rows = ask(&f, &q);
	assert_int_equal(rows.n, 2);
	assert_int_equal(rows.seqs[0], f.first + 6);
	q.seq = 0; /* START is of no exchange */
	rows = ask(&f, &q);
	assert_int_equal(rows.n, 1);
	q.seq = ht_log_size(f.l.log);
	rows = ask(&f, &q);
	assert_int_equal(rows.n, 0);
	finish(&f);
}

static void
a_limit_says_where_to_go_on(void **state)
{
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};
	struct ht_query q = HT_QUERY_ALL;
	struct fixture f;

	(void)state;
	start(&f);
	q.filter.limit = 10;
	assert_ok(ht_audit_answer(f.l.log, f.l.index, &q, &a));
	assert_int_equal(a.matched, 10);
	assert_true(a.more);
	assert_int_equal(a.next_seq, 10);
	ht_audit_answer_fini(&a);
	q.filter.limit = 0;
	q.filter.start_seq = 10;
	assert_ok(ht_audit_answer(f.l.log, f.l.index, &q, &a));
	assert_false(a.more);
	assert_int_equal(a.matched, ht_log_size(f.l.log) - 10);
	q.filter.size = ht_log_size(f.l.log) + 1;
	ht_audit_answer_fini(&a);
	assert_err(ht_audit_answer(f.l.log, f.l.index, &q, &a), HT_EINVALID);
	finish(&f);
}

static enum ht_err
ignore_row(void *arg, const struct ht_row *r)
{
	(void)arg;
	(void)r;
	return HT_OK;
}

/* One bit anywhere in a frame, and nothing of it is believed. */
/* The newest rows, however far back they stand; the older ones not. */
static void
the_last_rows_are_the_newest(void **state)
{
	struct fixture f;
	struct ht_query q = HT_QUERY_ALL;
	struct hits all;
	uint64_t scanned;

	(void)state;
	start(&f);
	for (unsigned i = 0; i < 30; i++) /* past the first look back */
		ht_history_exchanges(&f.l.h, 40, 40, 3, NULL);
	q.filter.status = -2;
	all = search(&f, &q.filter, &scanned);
	assert_int_equal(all.n, 3);
	for (int indexed = 0; indexed < 2; indexed++) {
		for (uint32_t last = 1; last < 5; last++) {
			HT_AUTO(ht_audit_answer_fini)
			struct ht_audit_answer a = {0};
			struct rows rows;

			q.last = last;
			assert_ok(ht_audit_answer(f.l.log, f.l.index, &q, &a));
			rows = check_answer(&a);
			assert_int_equal(rows.n, last < 3 ? last : 3);
			assert_int_equal(rows.seqs[0], all.seqs[3 - rows.n]);
			assert_false(a.more);
		}
		ht_logged_index(&f.l, 17);
	}
	finish(&f);
}

/* Between two runs the log must have gone on, and nothing else. */
static void
an_answer_continues_an_earlier_one(void **state)
{
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};
	struct fixture f;
	struct ht_query q = HT_QUERY_ALL;
	struct ht_hash before, now;

	(void)state;
	start(&f);
	q.since = 20;
	assert_ok(ht_log_root(f.l.log, q.since, &before));
	assert_ok(ht_audit_answer(f.l.log, f.l.index, &q, &a));
	assert_ok(ht_log_root(f.l.log, a.size, &now));
	assert_true(ht_check_consistency(
	    q.since, a.size, &before, &now, a.path, a.n_path));
	before.at[7] ^= 1;
	assert_false(ht_check_consistency(
	    q.since, a.size, &before, &now, a.path, a.n_path));
	ht_audit_answer_fini(&a);
	q.since = a.size + 9; /* the log shrank: the asker sees it by size */
	assert_ok(ht_audit_answer(f.l.log, f.l.index, &q, &a));
	assert_int_equal(a.n_path, 0);
	finish(&f);
}

static void
a_changed_answer_is_refused(void **state)
{
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};
	struct ht_query q = HT_QUERY_ALL;
	struct ht_checkpoint cp;
	struct fixture f;
	struct ht_buf *frame;
	uint64_t bad;

	(void)state;
	start(&f);
	q.has_seq = true;
	q.seq = f.first + 6; /* request and its end, which cites it */
	assert_ok(ht_audit_answer(f.l.log, f.l.index, &q, &a));
	assert_ok(ht_checkpoint_open(
	    ht_buf_slice(&a.checkpoint), &ht_logged_vkey, &cp));
	assert_int_equal(a.n_frames, 1);
	frame = &a.frames[0];
	for (size_t i = 0; i < frame->len; i++) {
		enum ht_err err;

		frame->at[i] ^= (uint8_t)(1u << (i % 8));
		err = ht_rows_check(ht_buf_slice(frame), a.size, &cp.root,
		    ignore_row, NULL, &bad);
		if (err != HT_EMALFORMED && err != HT_EINTEGRITY)
			fail_msg("byte %zu: %s", i, ht_err_text(err));
		frame->at[i] ^= (uint8_t)(1u << (i % 8));
	}
	assert_ok(ht_rows_check(
	    ht_buf_slice(frame), a.size, &cp.root, ignore_row, NULL, &bad));
	finish(&f);
}

static enum ht_err
count_cited(void *arg, const struct ht_row *row)
{
	*(unsigned *)arg += row->cited.len > 0;
	return HT_OK;
}

/* Neighbours share their proofs, on both ends, and are checked as each alone */
static void
a_changed_range_is_refused(void **state)
{
	HT_AUTO(ht_audit_range_free) struct ht_audit_range *range = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf frame = HT_BUF(HT_AUDIT_FRAME_MAX);
	struct ht_rows *rows = malloc(sizeof(*rows));
	unsigned cited = 0;
	struct ht_hash root;
	struct fixture f;
	uint64_t size, bad;
	size_t n;

	(void)state;
	assert_non_null(rows);
	start(&f);
	size = ht_log_size(f.l.log);
	assert_ok(ht_log_root(f.l.log, size, &root));
	/* Two expired, with requests side by side; each answer brings its own
	 */
	assert_ok(ht_audit_range(
	    f.l.log, f.first + 7, f.first + 14, size, f.first + 7, &range));
	assert_ok(ht_audit_range_next(range, &frame, &n));
	assert_int_equal(n, 7);
	assert_ok(ht_rows_each(rows, ht_buf_slice(&frame), size, &root,
	    count_cited, &cited, &bad));
	assert_int_equal(cited, 7);
	for (size_t i = 0; i < frame.len; i++) {
		enum ht_err err;

		frame.at[i] ^= (uint8_t)(1u << (i % 8));
		err = ht_rows_each(rows, ht_buf_slice(&frame), size, &root,
		    ignore_row, NULL, &bad);
		if (err != HT_EMALFORMED && err != HT_EINTEGRITY)
			fail_msg("byte %zu: %s", i, ht_err_text(err));
		frame.at[i] ^= (uint8_t)(1u << (i % 8));
	}
	assert_ok(ht_audit_range_next(range, &frame, &n));
	assert_int_equal(n, 0);
	free(rows);
	finish(&f);
}

static enum ht_err
alone(void *arg, const struct ht_row *r)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_PROOF_EXTRA_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(HT_PROOF_EXTRA_MAX);
	const struct ht_checkpoint *cp = arg;
	struct ht_hash other = cp->root;
	struct ht_row got;

	ht_row_encode(r, &bytes);
	assert_ok(
	    ht_row_decode(ht_buf_slice(&bytes), cp->size, &cp->root, &got));
	assert_true(ht_slice_eq(got.leaf, r->leaf));
	assert_true(ht_slice_eq(got.bundle, r->bundle));
	assert_true(ht_slice_eq(got.cited, r->cited));
	assert_int_equal(got.tag.len, 0);
	ht_row_encode(&got, &again);
	assert_true(ht_slice_eq(ht_buf_slice(&bytes), ht_buf_slice(&again)));
	/* What it cites is proven there and then. */
	other.at[31] ^= 1;
	assert_err(ht_row_decode(ht_buf_slice(&bytes), cp->size, &other, &got),
	    r->cited.len > 0 ? HT_EINTEGRITY : HT_OK);
	for (size_t len = 0; len < bytes.len; len++)
		assert_err(ht_row_decode(HT_SLICE(bytes.at, len), cp->size,
		               &cp->root, &got),
		    HT_EMALFORMED);
	return HT_OK;
}

static void
a_row_stands_alone_without_its_tag(void **state)
{
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};
	struct ht_query q = HT_QUERY_ALL;
	struct ht_checkpoint cp;
	struct fixture f;
	uint64_t bad;

	(void)state;
	start(&f);
	q.evidence = true;
	assert_ok(ht_audit_answer(f.l.log, f.l.index, &q, &a));
	assert_ok(ht_checkpoint_open(
	    ht_buf_slice(&a.checkpoint), &ht_logged_vkey, &cp));
	for (size_t i = 0; i < a.n_frames; i++)
		assert_ok(ht_rows_check(ht_buf_slice(&a.frames[i]), a.size,
		    &cp.root, alone, &cp, &bad));
	finish(&f);
}

static void
a_query_has_one_form(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_QUERY_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_QUERY_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(HT_QUERY_MAX);
	struct ht_query q = HT_QUERY_ALL, got;
	const char *why = NULL;

	(void)state;
	q.why = ht_slice_str("case 12");
	q.filter.member = ht_slice_str("tax.demo/state");
	q.filter.from_us = UINT64_C(1795482123000000);
	q.filter.status = -2;
	q.filter.type = HT_ENTRY_REJECT;
	q.filter.has_exchange = true;
	q.filter.limit = 7;
	q.filter.operation = HT_OP_QUERY;
	q.last = 4;
	q.mode = HT_QUERY_FOLLOW;
	q.since = 1;
	q.has_seq = true;
	q.seq = 9;
	assert_ok(ht_query_encode(&q, &bytes));
	assert_ok(ht_pack_check(ht_buf_slice(&bytes), NULL, NULL));
	assert_ok(ht_query_decode(ht_buf_slice(&bytes), &got, &why));
	assert_ok(ht_query_encode(&got, &again));
	assert_true(ht_slice_eq(ht_buf_slice(&bytes), ht_buf_slice(&again)));
	ht_query_text(&got, &text);
	assert_string_equal(ht_buf_text(&text),
	    "follow seq=9 exchange=00000000000000000000000000000000 "
	    "from=2026-11-24T01:02:03Z member=tax.demo/state "
	    "operation=query status=refused type=REJECT limit=7 last=4");
	for (size_t len = 0; len < bytes.len; len++) {
		why = NULL;
		assert_err(ht_query_decode(HT_SLICE(bytes.at, len), &got, &why),
		    HT_EMALFORMED);
		assert_non_null(why);
	}
	q.filter.status = 65536;
	ht_buf_reset(&bytes);
	assert_ok(ht_query_encode(&q, &bytes));
	assert_err(
	    ht_query_decode(ht_buf_slice(&bytes), &got, &why), HT_EMALFORMED);
}

/* ---- the socket ---- */

struct serving {
	struct fixture f;
	char path[HT_TEST_PATH_MAX + 64];
	struct ht_audit_server *server;
	pthread_mutex_t lock; /* the committer's place */
	bool fail;
	unsigned notes;
};

static bool
find_auditor(void *arg, struct ht_slice name, struct ht_vkey *ret)
{
	const struct ht_root *root = ht_trust_root(ht_logged_world->trust);

	(void)arg;
	for (unsigned i = 0; i < root->n_auditors; i++) {
		if (!ht_slice_is(name, root->auditors[i].name))
			continue;
		*ret = root->auditors[i];
		return true;
	}
	return false;
}

static enum ht_err
note(void *arg, struct ht_slice payload, uint64_t *ret_seq)
{
	struct serving *s = arg;
	struct ht_entry e = {.type = HT_ENTRY_AUDIT_QUERY, .payload = payload};
	struct ht_slice checkpoint;

	if (s->fail)
		return HT_ESTORE;
	pthread_mutex_lock(&s->lock);
	assert_ok(ht_log_append(s->f.l.log, &e, NULL));
	assert_ok(ht_log_commit(s->f.l.log, &checkpoint));
	s->notes++;
	pthread_mutex_unlock(&s->lock);
	*ret_seq = e.seq;
	return HT_OK;
}

static void
serve(struct serving *s)
{
	struct ht_audit_config config;

	memset(s, 0, sizeof(*s));
	start(&s->f);
	ht_logged_index(&s->f.l, 17);
	(void)snprintf(s->path, sizeof(s->path), "%s/audit", s->f.l.log_dir);
	config = (struct ht_audit_config){.path = s->path,
	    .log = s->f.l.log,
	    .index = s->f.l.index,
	    .auditor = find_auditor,
	    .note = note,
	    .arg = s};
	assert_ok(ht_audit_server_start(&config, &s->server));
}

static void
stop(struct serving *s)
{
	ht_audit_server_stop(&s->server);
	assert_null(s->server);
	assert_int_equal(access(s->path, F_OK), -1);
	finish(&s->f);
}

static enum ht_err
ask_socket(struct serving *s, const char *auditor, const struct ht_key *key,
    const char *origin, struct ht_audit_answer *a, uint64_t *place,
    const char *expect)
{
	HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(2000);
	struct ht_query q = HT_QUERY_ALL;
	enum ht_err err;

	q.why = ht_slice_str("a test");
	q.filter.item = ht_slice_str("gx.demo/SCZTDJ");
	q.evidence = true;
	err = ht_audit_ask(s->path, origin, auditor, key, &q, a, place, &why);
	if (expect != NULL && strstr(ht_buf_text(&why), expect) == NULL)
		fail_msg("'%s' is not in: %s", expect, ht_buf_text(&why));
	return err;
}

#define AUDITOR (ht_trust_root(ht_logged_world->trust)->auditors[0].name)

static void
an_auditor_is_answered_and_noted(void **state)
{
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};
	struct serving s;
	struct ht_entry e;
	struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	struct rows rows;
	struct stat st;
	uint64_t size, place = 0;

	(void)state;
	serve(&s);
	assert_int_equal(stat(s.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	size = ht_log_size(s.f.l.log);
	assert_ok(ask_socket(&s, AUDITOR, ht_logged_world->auditor,
	    HT_LOGGED_ORIGIN, &a, &place, NULL));
	rows = check_answer(&a);
	assert_int_equal(rows.n, s.f.l.h.counts[HT_ENTRY_REQUEST] +
	                             s.f.l.h.counts[HT_ENTRY_RESPONSE] +
	                             s.f.l.h.counts[HT_ENTRY_EXPIRED] + 2);
	assert_int_equal(rows.bundles, rows.n - rows.cited);
	assert_int_equal(place, size); /* the entry comes after all it saw */
	assert_int_equal(a.size, size);
	assert_int_equal(s.notes, 1);
	assert_ok(ht_log_read(s.f.l.log, place, &leaf));
	assert_ok(ht_entry_decode(ht_buf_slice(&leaf), &e));
	assert_int_equal(e.type, HT_ENTRY_AUDIT_QUERY);
	ht_buf_fini(&leaf);
	stop(&s);
}

/* What stands in the log for good of a question about a subject. */
static struct ht_hash
trace_of_subject(struct serving *s, uint64_t start, struct ht_query *q)
{
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};
	HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(2000);
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	struct ht_hash hash;
	struct ht_unpack u;
	struct ht_entry e;
	uint64_t place;

	*q = HT_QUERY_ALL;
	q->why = ht_slice_str("a complaint");
	q->filter.has_subject = true;
	q->filter.subject = ht_history_subject(1);
	q->filter.start_seq = start;
	assert_ok(ht_audit_ask(s->path, HT_LOGGED_ORIGIN, AUDITOR,
	    ht_logged_world->auditor, q, &a, &place, &why));
	assert_in_range(a.matched, 1, 100);
	assert_ok(ht_log_read(s->f.l.log, place, &leaf));
	assert_ok(ht_entry_decode(ht_buf_slice(&leaf), &e));
	u = ht_unpack(e.payload);
	assert_int_equal(ht_unpack_map(&u, 6), 6);
	ht_unpack_key(&u, "auditor");
	assert_true(ht_slice_is(ht_unpack_str(&u, 100), AUDITOR));
	ht_unpack_key(&u, "hash");
	ht_unpack_fixed(&u, hash.at, sizeof(hash.at));
	ht_unpack_key(&u, "matched");
	ht_unpack_nil(&u);
	ht_unpack_key(&u, "purpose");
	assert_true(ht_slice_is(ht_unpack_str(&u, 100), "a complaint"));
	ht_unpack_key(&u, "query");
	assert_true(ht_slice_is(ht_unpack_str(&u, 100), "search subject=…"));
	ht_unpack_key(&u, "size");
	(void)ht_unpack_uint(&u, UINT64_MAX);
	assert_ok(ht_unpack_end(&u));
	return hash;
}

static void
whom_an_auditor_asks_about_is_not_in_the_log(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_QUERY_MAX);
	struct serving s;
	struct ht_query q;
	struct ht_hash first, second, opened;

	(void)state;
	serve(&s);
	first = trace_of_subject(&s, 3, &q);
	second = trace_of_subject(&s, 3, &q);
	/* Not one of a few million that could be tried, ... */
	assert_false(ht_hash_eq(&first, &second));
	/* ... and yet who kept the salt can show what was asked. */
	assert_ok(ht_query_encode(&q, &bytes));
	opened = ht_sha256(ht_buf_slice(&bytes));
	assert_true(ht_hash_eq(&opened, &second));
	stop(&s);
}

/* Whoever runs the exchange or signs its rules has no key for this door. */
static void
no_other_power_opens_the_audit(void **state)
{
	const struct ht_key *const keys[] = {ht_logged_world->officers[0],
	    ht_logged_world->snapshot_key, ht_logged_world->current_key,
	    ht_logged_world->log_key, ht_logged_world->witness,
	    ht_logged_world->members[0].identity,
	    ht_logged_world->members[0].nodes[0].signing};
	struct ht_audit_answer a = {0};
	struct serving s;
	uint64_t size, place = 0;

	(void)state;
	serve(&s);
	size = ht_log_size(s.f.l.log);
	for (size_t i = 0; i < HT_COUNT(keys); i++)
		assert_err(ask_socket(&s, AUDITOR, keys[i], NULL, &a, &place,
		               "no auditor of this name and key"),
		    HT_EDENIED);
	assert_int_equal(s.notes, 1); /* once a minute */
	assert_int_equal(ht_log_size(s.f.l.log), size + 1);
	stop(&s);
}

/*
 * A question adds its entry and changes nothing else: the log before it is
 * the log after it, to the root.
 */
static void
an_auditor_changes_nothing(void **state)
{
	struct ht_audit_answer a = {0};
	struct serving s;
	struct ht_hash before, after;
	struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e;
	uint64_t size, place = 0;

	(void)state;
	serve(&s);
	size = ht_log_size(s.f.l.log);
	assert_ok(ht_log_root(s.f.l.log, size, &before));
	for (unsigned i = 0; i < 3; i++) {
		assert_ok(ask_socket(&s, AUDITOR, ht_logged_world->auditor,
		    NULL, &a, &place, NULL));
		ht_audit_answer_fini(&a);
	}
	assert_ok(ht_log_root(s.f.l.log, size, &after));
	assert_true(ht_hash_eq(&before, &after));
	assert_int_equal(ht_log_size(s.f.l.log), size + 3);
	for (uint64_t seq = size; seq < size + 3; seq++) {
		ht_buf_reset(&leaf);
		assert_ok(ht_log_read(s.f.l.log, seq, &leaf));
		assert_ok(ht_entry_decode(ht_buf_slice(&leaf), &e));
		assert_int_equal(e.type, HT_ENTRY_AUDIT_QUERY);
	}
	ht_buf_fini(&leaf);
	stop(&s);
}

static void
who_is_no_auditor_is_refused_and_noted_once(void **state)
{
	struct ht_audit_answer a = {0};
	struct serving s;
	uint64_t place = 0;

	(void)state;
	serve(&s);
	assert_err(ask_socket(&s, AUDITOR, ht_logged_world->witness, NULL, &a,
	               &place, "no auditor of this name and key"),
	    HT_EDENIED);
	assert_err(ask_socket(&s, "gx.demo/nobody", ht_logged_world->auditor,
	               NULL, &a, &place, "no auditor of this name and key"),
	    HT_EDENIED);
	assert_int_equal(s.notes, 1);
	assert_err(
	    ask_socket(&s, AUDITOR, ht_logged_world->auditor, "gx.demo/other",
	        &a, &place, "is gx.demo/log, not gx.demo/other"),
	    HT_EDENIED);
	stop(&s);
}

/* No entry, no answer. */
static void
what_cannot_be_noted_is_not_answered(void **state)
{
	struct ht_audit_answer a = {0};
	struct serving s;
	uint64_t place = 0;

	(void)state;
	serve(&s);
	s.fail = true;
	assert_err(ask_socket(&s, AUDITOR, ht_logged_world->auditor, NULL, &a,
	               &place, "could not be logged"),
	    HT_EAGAIN);
	assert_null(a.frames);
	stop(&s);
	assert_err(ask_socket(&s, AUDITOR, ht_logged_world->auditor, NULL, &a,
	               &place, "cannot reach a broker"),
	    HT_ESYSTEM);
}

static int
connect_raw(const struct serving *s)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_not_equal(fd, -1);
	assert_true(strlen(s->path) < sizeof(at.sun_path));
	memcpy(at.sun_path, s->path, strlen(s->path) + 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void
rubbish_on_the_socket_harms_nobody(void **state)
{
	static const struct {
		const char *why;
		const char *bytes;
		size_t len;
	} rows[] = {
	    {"nothing at all",        "",                           0},
	    {"half a length",         "\0\0",                       2},
	    {"a length of 4 GiB",     "\xff\xff\xff\xff",           4},
	    {"a frame of no msgpack", "\0\0\0\3\xc1\xc1\xc1",       7},
	    {"another frame",         "\0\0\0\2\x91\x03",           6},
	    {"an ask of nobody",      "\0\0\0\5\x94\x02\xa0\xc4\0", 9},
	};
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};
	struct serving s;
	uint64_t place = 0;

	(void)state;
	serve(&s);
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		int fd = connect_raw(&s);

		assert_int_equal(
		    send(fd, rows[i].bytes, rows[i].len, 0), rows[i].len);
		assert_int_equal(close(fd), 0);
	}
	assert_ok(ask_socket(
	    &s, AUDITOR, ht_logged_world->auditor, NULL, &a, &place, NULL));
	assert_int_equal(s.notes, 1);
	stop(&s);
}

/* ---- long answers ---- */

struct listener {
	struct serving *s;
	struct ht_checkpoint cp;
	unsigned updates;
	struct rows rows;
	uint64_t enough; /* rows */
	int stop[2];     /* a pipe */
	sem_t heard;     /* rows, each time */
};

static enum ht_err
hear_update(void *arg, uint64_t size, struct ht_slice note_bytes,
    const struct ht_hash *path, size_t n)
{
	struct listener *l = arg;
	struct ht_checkpoint before = l->cp;

	assert_ok(ht_checkpoint_open(note_bytes, &ht_logged_vkey, &l->cp));
	assert_int_equal(l->cp.size, size);
	if (l->updates++ > 0)
		assert_true(ht_check_consistency(
		    before.size, size, &before.root, &l->cp.root, path, n));
	return HT_OK;
}

static enum ht_err
hear_rows(void *arg, struct ht_slice frame)
{
	struct listener *l = arg;
	uint64_t bad;

	assert_ok(
	    ht_rows_check(frame, l->cp.size, &l->cp.root, row, &l->rows, &bad));
	assert_int_equal(sem_post(&l->heard), 0);
	if (l->enough > 0 && l->rows.n >= l->enough)
		assert_int_equal(write(l->stop[1], "x", 1), 1);
	return HT_OK;
}

static enum ht_err
listen_to(struct listener *l, struct ht_query q, struct ht_audit_end *end,
    struct ht_buf *why)
{
	const struct ht_audit_stream stream = {.update = hear_update,
	    .rows = hear_rows,
	    .arg = l,
	    .stop_fd = l->stop[0]};

	q.why = ht_slice_str("a test");
	return ht_audit_ask_long(l->s->path, HT_LOGGED_ORIGIN, AUDITOR,
	    ht_logged_world->auditor, &q, &stream, end, why);
}

static void
listener_init(struct listener *l, struct serving *s)
{
	*l = (struct listener){.s = s};
	assert_int_equal(pipe(l->stop), 0);
	assert_int_equal(sem_init(&l->heard, 0, 0), 0);
}

static void
listener_fini(struct listener *l)
{
	assert_int_equal(close(l->stop[0]), 0);
	assert_int_equal(close(l->stop[1]), 0);
	assert_int_equal(sem_destroy(&l->heard), 0);
}

/* Once the follower is there. */
static void *
grow_log(void *arg)
{
	struct listener *l = arg;
	struct serving *s = l->s;

	while (sem_wait(&l->heard) != 0)
		;
	for (unsigned i = 0; i < 5; i++) {
		pthread_mutex_lock(&s->lock);
		ht_history_exchanges(&s->f.l.h, 3, 3, 40 + i, NULL);
		pthread_mutex_unlock(&s->lock);
		(void)usleep(150000); /* more than one look of the server's */
	}
	return NULL;
}

/* Rows come as they are made, none twice; two entries in all. */
static void
a_follower_sees_what_comes(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(2000);
	struct ht_query q = HT_QUERY_ALL;
	struct ht_audit_end end;
	struct listener l;
	struct serving s;
	pthread_t grower;
	uint64_t size;

	(void)state;
	serve(&s);
	listener_init(&l, &s);
	size = ht_log_size(s.f.l.log);
	q.mode = HT_QUERY_FOLLOW;
	q.last = 2;
	q.filter.type = HT_ENTRY_RESPONSE;
	l.enough = 2 + 15;
	assert_int_equal(pthread_create(&grower, NULL, grow_log, &l), 0);
	assert_ok(listen_to(&l, q, &end, &why));
	assert_int_equal(pthread_join(grower, NULL), 0);
	assert_int_equal(l.rows.n, 17);
	for (size_t i = 1; i < l.rows.n; i++)
		assert_true(l.rows.seqs[i] > l.rows.seqs[i - 1]);
	assert_true(l.rows.seqs[1] < size && l.rows.seqs[2] >= size);
	assert_true(l.updates > 2);
	assert_true(end.more);
	assert_int_equal(end.matched, 17);
	assert_int_equal(end.next_seq, l.rows.seqs[16] + 1);
	listener_fini(&l);
	stop(&s);
	assert_int_equal(s.notes, 2);
}

/* A period is read with both neighbours, whole. */
static void
a_period_is_read_whole(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(2000);
	struct ht_query q = HT_QUERY_ALL;
	struct ht_audit_end end;
	struct listener l;
	struct serving s;
	uint64_t lo, hi;

	(void)state;
	serve(&s);
	for (unsigned i = 0; i < 40; i++) /* more than a page */
		ht_history_exchanges(&s.f.l.h, 20, 20, 40 + i, NULL);
	listener_init(&l, &s);
	q.mode = HT_QUERY_READ;
	q.filter.from_us = (HT_LOGGED_NOW_MS + 3000) * 1000;
	q.filter.to_us = (HT_LOGGED_NOW_MS + 62000) * 1000;
	assert_ok(ht_index_bounds(s.f.l.index, &q.filter, &lo, &hi));
	assert_true(lo > 0 && hi < ht_log_size(s.f.l.log));
	assert_true(hi - lo > HT_AUDIT_PAGE);
	assert_ok(listen_to(&l, q, &end, &why));
	assert_int_equal(l.rows.n, hi - lo + 2);
	assert_int_equal(l.rows.seqs[0], lo - 1);
	assert_int_equal(l.rows.seqs[l.rows.n - 1], hi);
	assert_false(end.more);
	assert_int_equal(l.updates, 1);
	q.filter.item = ht_slice_str("gx.demo/SCZTDJ");
	assert_err(listen_to(&l, q, &end, &why), HT_EINVALID);
	listener_fini(&l);
	stop(&s);
	assert_int_equal(s.notes, 2);
}

/* Nobody has cosigned here; and no other condition goes with the question. */
static void
who_vouches_is_asked_alone(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(2000);
	struct ht_query q = HT_QUERY_ALL;
	struct ht_audit_end end;
	struct listener l;
	struct serving s;

	(void)state;
	serve(&s);
	listener_init(&l, &s);
	q.mode = HT_QUERY_WITNESSES;
	assert_ok(listen_to(&l, q, &end, &why));
	assert_int_equal(l.rows.n, 0);
	assert_int_equal(l.updates, 1);
	assert_int_equal(end.matched, 0);
	assert_int_equal(s.notes, 1); /* it ends at once: one entry */
	q.filter.item = ht_slice_str("gx.demo/SCZTDJ");
	assert_err(listen_to(&l, q, &end, &why), HT_EINVALID);
	q.filter = HT_FILTER_ALL;
	q.filter.size = 3;
	assert_err(listen_to(&l, q, &end, &why), HT_EINVALID);
	q.filter = HT_FILTER_ALL;
	q.filter.has_subject = true;
	assert_err(listen_to(&l, q, &end, &why), HT_EINVALID);
	assert_int_equal(s.notes, 1);
	listener_fini(&l);
	stop(&s);
}

static void *
follow_on(void *arg)
{
	struct ht_buf why = HT_BUF(2000);
	struct ht_query q = HT_QUERY_ALL;
	struct ht_audit_end end;
	enum ht_err err;

	q.mode = HT_QUERY_FOLLOW;
	q.last = 1;
	err = listen_to(arg, q, &end, &why);
	assert_true(err == HT_OK || err == HT_EAGAIN);
	ht_buf_fini(&why);
	return err == HT_OK ? arg : NULL;
}

/* Four follow, a fifth is told; a question is answered beside them. */
static void
followers_shut_nobody_out(void **state)
{
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};
	struct listener l[HT_AUDIT_LONGS + 1];
	pthread_t threads[HT_AUDIT_LONGS + 1];
	struct serving s;
	unsigned served = 0;
	uint64_t place;

	(void)state;
	serve(&s);
	for (size_t i = 0; i < HT_COUNT(l); i++) {
		listener_init(&l[i], &s);
		assert_int_equal(
		    pthread_create(&threads[i], NULL, follow_on, &l[i]), 0);
	}
	/* Each of the four has its entry when its first row has come. */
	for (unsigned notes = 0; notes < HT_AUDIT_LONGS;) {
		pthread_mutex_lock(&s.lock);
		notes = s.notes;
		pthread_mutex_unlock(&s.lock);
		(void)usleep(1000);
	}
	assert_ok(ask_socket(&s, AUDITOR, ht_logged_world->auditor,
	    HT_LOGGED_ORIGIN, &a, &place, NULL));
	for (size_t i = 0; i < HT_COUNT(l); i++)
		assert_int_equal(write(l[i].stop[1], "x", 1), 1);
	for (size_t i = 0; i < HT_COUNT(l); i++) {
		void *arg;

		assert_int_equal(pthread_join(threads[i], &arg), 0);
		served += arg != NULL;
		listener_fini(&l[i]);
	}
	assert_int_equal(served, HT_AUDIT_LONGS);
	stop(&s);
}

/* The ninth is told at once, and finds a place when one has left. */
static void
too_many_visitors_are_told(void **state)
{
	HT_AUTO(ht_audit_answer_fini) struct ht_audit_answer a = {0};
	int fds[HT_AUDIT_VISITS];
	struct serving s;
	uint64_t place;
	uint8_t byte;

	(void)state;
	serve(&s);
	for (size_t i = 0; i < HT_COUNT(fds); i++) {
		fds[i] = connect_raw(&s);
		/* Its challenge has come: it has its place. */
		assert_int_equal(recv(fds[i], &byte, 1, 0), 1);
	}
	assert_err(
	    ask_socket(&s, AUDITOR, ht_logged_world->auditor, HT_LOGGED_ORIGIN,
	        &a, &place, "as many auditors are here as may"),
	    HT_EAGAIN);
	for (size_t i = 0; i < HT_COUNT(fds); i++)
		assert_int_equal(close(fds[i]), 0);
	while (ask_socket(&s, AUDITOR, ht_logged_world->auditor,
	           HT_LOGGED_ORIGIN, &a, &place, NULL) == HT_EAGAIN)
		(void)usleep(1000);
	assert_true(a.matched > 0);
	stop(&s);
}

static void *
stop_soon(void *arg)
{
	struct serving *s = arg;
	unsigned notes = 0;

	while (notes == 0) {
		pthread_mutex_lock(&s->lock);
		notes = s->notes;
		pthread_mutex_unlock(&s->lock);
		(void)usleep(1000);
	}
	ht_audit_server_stop(&s->server);
	return NULL;
}

/* The end of the broker is the end of the answer, and says so. */
static void
a_stop_ends_a_follower(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(2000);
	struct ht_query q = HT_QUERY_ALL;
	struct ht_audit_end end;
	struct listener l;
	struct serving s;
	pthread_t stopper;

	(void)state;
	serve(&s);
	listener_init(&l, &s);
	q.mode = HT_QUERY_FOLLOW;
	q.last = 3;
	assert_int_equal(pthread_create(&stopper, NULL, stop_soon, &s), 0);
	assert_ok(listen_to(&l, q, &end, &why));
	assert_true(end.more);
	assert_int_equal(end.matched, l.rows.n);
	assert_int_equal(pthread_join(stopper, NULL), 0);
	assert_int_equal(s.notes, 2);
	listener_fini(&l);
	stop(&s);
}

/* A stop does not wait for an auditor who says nothing. */
static void
a_stop_interrupts_a_silent_visitor(void **state)
{
	struct serving s;
	int fd;

	(void)state;
	serve(&s);
	fd = connect_raw(&s);
	stop(&s);
	assert_int_equal(close(fd), 0);
}

/* ---- verify ---- */

static struct ht_verify
verify(struct fixture *f, enum ht_err want)
{
	struct ht_verify v = {
	    .vkey = &ht_logged_vkey, .trust = ht_logged_world->trust};

	ht_logged_close(&f->l);
	assert_err(ht_verify_log(f->l.log_dir, &v), want);
	return v;
}

static void
a_whole_log_verifies(void **state)
{
	struct ht_verify v;
	struct fixture f;
	struct ht_hash root;
	uint64_t size;

	(void)state;
	start(&f);
	size = ht_log_size(f.l.log);
	assert_ok(ht_log_root(f.l.log, size, &root));
	v = verify(&f, HT_OK);
	assert_int_equal(v.size, size);
	assert_true(ht_hash_eq(&v.root, &root));
	for (unsigned type = 1; type <= HT_ENTRY_VOLUME; type++)
		assert_int_equal(v.by_type[type], f.l.h.counts[type]);
	assert_int_equal(v.signatures, v.bundles);
	assert_int_equal(v.no_key, 0);
	assert_true(v.bundles > 15);
	assert_true(v.checkpoints >= 2); /* cps, and the anchor's */
	assert_int_equal(v.pieces,
	    f.l.h.counts[HT_ENTRY_REQUEST] + f.l.h.counts[HT_ENTRY_RESPONSE]);
	assert_true(v.anchored && !v.no_vault && !v.has_bad_seq);
	ht_logged_open(&f.l, ht_logged_world->log_key);
	finish(&f);
}

/* Change one stored value; what verify says must have @text. */
static void
tamper(struct fixture *f, unsigned db, struct ht_slice k,
    void (*change)(uint8_t *value, size_t len))
{
	char path[HT_TEST_PATH_MAX + 64];
	struct ht_store *store = NULL;
	struct ht_txn *txn = NULL;
	struct ht_slice v;
	uint8_t copy[4096];

	(void)snprintf(path, sizeof(path), "%s/evidence", f->l.log_dir);
	assert_ok(ht_store_open(
	    path, HT_STORE_DURABLE, HT_EV_MAP, ht_ev_dbs, HT_EV_COUNT, &store));
	assert_ok(ht_txn_begin(store, true, &txn));
	if (change == NULL) {
		assert_ok(ht_txn_del(txn, db, k));
	} else {
		assert_ok(ht_txn_get(txn, db, k, &v));
		memcpy(copy, v.at, v.len);
		change(copy, v.len);
		assert_ok(ht_txn_put(txn, db, k, HT_SLICE(copy, v.len)));
	}
	assert_ok(ht_txn_commit(&txn));
	ht_store_close(&store);
}

static void
flip_early(uint8_t *value, size_t len)
{
	(void)len;
	value[12] ^= 1;
}

static void
flip_last(uint8_t *value, size_t len)
{
	value[len - 1] ^= 0x80;
}

/* Leaf and hash agree, as a careful forger would leave them. */
static void
forge(uint8_t *value, size_t len)
{
	struct ht_hash hash;

	value[len - 40] ^= 1;
	hash = ht_leaf_hash(HT_SLICE(value, len - 32));
	memcpy(value + len - 32, hash.at, 32);
}

static void
the_first_bad_entry_is_named(void **state)
{
	static const struct {
		const char *why;
		unsigned db;
		uint64_t key; /* from the first request on */
		void (*change)(uint8_t *value, size_t len);
		uint64_t bad; /* likewise */
		const char *text;
	} rows[] = {
	    {"a leaf's bit",         HT_EV_ENTRIES, 3,  flip_early, 3,
             "its leaf hash: expected"	                                         },
	    {"a hash's bit",         HT_EV_ENTRIES, 0,  flip_last,  0,
             "its leaf hash: expected"	                                         },
	    {"leaf and hash",        HT_EV_ENTRIES, 12, forge,      12,
             "the stored tree hash of level 0"                                         },
	    {"a missing entry",      HT_EV_ENTRIES, 2,  NULL,       2,  "it is missing"},
	    {"a missing signature",  HT_EV_BUNDLES, 0,  NULL,       0,
             "its bundle's signature is missing"                                       },
	    {"a bundle's left hash", HT_EV_BUNDLES, 0,  flip_last,  6,
             "the signature of the bundle of entries"                                  },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		struct ht_verify v;
		uint64_t key;

		start(&f);
		ht_logged_close(&f.l);
		key = f.first + rows[i].key;
		tamper(&f, rows[i].db, HT_SLICE(&key, sizeof(key)),
		    rows[i].change);
		v = verify(&f, HT_EINTEGRITY);
		if (!v.has_bad_seq || v.bad_seq != f.first + rows[i].bad ||
		    strstr(v.bad, rows[i].text) == NULL)
			fail_msg("%s: entry %lu: %s", rows[i].why,
			    (unsigned long)v.bad_seq, v.bad);
		ht_test_dir_remove(f.l.log_dir);
	}
}

static void
the_log_as_a_whole_is_checked(void **state)
{
	uint64_t chunk = 0;
	uint8_t up[9] = {4, 0, 0, 0, 0, 0, 0, 0, 0};
	struct ht_verify v;
	struct fixture f;

	(void)state;
	start(&f);
	ht_logged_close(&f.l);
	tamper(&f, HT_EV_N0, HT_SLICE(&chunk, sizeof(chunk)), flip_early);
	v = verify(&f, HT_EINTEGRITY);
	assert_int_equal(v.bad_seq, 0);
	tamper(&f, HT_EV_N0, HT_SLICE(&chunk, sizeof(chunk)), flip_early);
	tamper(&f, HT_EV_NUP, HT_SLICE(up, sizeof(up)), flip_early);
	v = verify(&f, HT_EINTEGRITY);
	assert_int_equal(v.bad_seq, 15); /* completes the first chunk */
	assert_non_null(strstr(v.bad, "level 4, number 0"));
	tamper(&f, HT_EV_NUP, HT_SLICE(up, sizeof(up)), flip_early);
	v = verify(&f, HT_OK);
	tamper(&f, HT_EV_STATE, ht_slice_str("head"), flip_early);
	v = verify(&f, HT_EINTEGRITY);
	assert_non_null(strstr(v.bad, "checksum of state/head"));
	ht_test_dir_remove(f.l.log_dir);
}

/* Without keys it says what it could not check, and checks the rest. */
static void
without_keys_less_is_claimed(void **state)
{
	struct ht_verify v = {0};
	struct fixture f;

	(void)state;
	start(&f);
	ht_logged_close(&f.l);
	assert_ok(ht_verify_log(f.l.log_dir, &v));
	assert_int_equal(v.signatures, 0);
	assert_true(v.bundles > 0);
	ht_test_dir_remove(f.l.log_dir);
	v = (struct ht_verify){0};
	assert_err(ht_verify_log(f.l.log_dir, &v), HT_ENOTFOUND);
}

static void
a_body_changed_in_the_vault_is_named(void **state)
{
	char path[HT_TEST_PATH_MAX + 64];
	struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e;
	struct ht_verify v;
	struct fixture f;
	FILE *file;
	int c;

	(void)state;
	start(&f);
	assert_ok(ht_log_read(f.l.log, f.first + 4, &leaf));
	assert_ok(ht_entry_decode(ht_buf_slice(&leaf), &e));
	(void)snprintf(
	    path, sizeof(path), "%s/vault/0000000000000000.seg", f.l.log_dir);
	file = fopen(path, "r+");
	assert_non_null(file);
	assert_int_equal(
	    fseek(file, (long)(e.offset + HT_VAULT_PIECE_MIN + e.tag_len + 20),
	        SEEK_SET),
	    0);
	c = fgetc(file);
	assert_int_equal(fseek(file, -1, SEEK_CUR), 0);
	assert_int_not_equal(fputc(c ^ 4, file), EOF);
	assert_int_equal(fclose(file), 0);
	v = verify(&f, HT_EINTEGRITY);
	assert_int_equal(v.bad_seq, f.first + 4);
	assert_non_null(strstr(v.bad, "its tag or body"));
	ht_buf_fini(&leaf);
	ht_test_dir_remove(f.l.log_dir);
}

/* ---- every allocation may fail ---- */

static enum ht_err
try_answer(struct fixture *f, struct ht_audit_answer *a)
{
	struct ht_index *index = NULL;
	struct ht_query q = HT_QUERY_ALL;
	enum ht_err err = ht_index_open(NULL, f->l.log, &index);

	q.evidence = true;
	q.filter.member = ht_slice_str("tax.demo/state");
	q.filter.limit = 5;
	if (err == HT_OK)
		err = ht_audit_answer(f->l.log, index, &q, a);
	ht_index_close(&index);
	return err;
}

static enum ht_err
try_verify(struct fixture *f)
{
	struct ht_verify v = {
	    .vkey = &ht_logged_vkey, .trust = ht_logged_world->trust};

	return ht_verify_log(f->l.log_dir, &v);
}

static enum ht_err
try_range(struct fixture *f, struct ht_buf *frame)
{
	HT_AUTO(ht_audit_range_free) struct ht_audit_range *range = NULL;
	uint64_t size = ht_log_size(f->l.log);
	size_t n;
	enum ht_err err = ht_audit_range(f->l.log, 0, size, size, 0, &range);

	if (err == HT_OK)
		err = ht_audit_range_next(range, frame, &n);
	return err;
}

static void
an_allocation_that_fails_is_said(void **state)
{
	struct ht_audit_answer a = {0};
	struct ht_buf frame = HT_BUF(HT_AUDIT_FRAME_MAX);
	struct fixture f;
	bool more = false;
	enum ht_err err = HT_OK;

	(void)state;
	start(&f);
	TORTURE(err = try_range(&f, &frame))
	{
		assert_int_equal(err, HT_ENOMEM);
		ht_buf_fini(&frame);
		frame = HT_BUF(HT_AUDIT_FRAME_MAX);
	}
	assert_ok(err);
	ht_buf_fini(&frame);
	TORTURE(err = try_answer(&f, &a))
	{
		assert_int_equal(err, HT_ENOMEM);
		assert_null(a.frames);
	}
	assert_ok(err);
	assert_int_equal(a.matched, 5);
	ht_audit_answer_fini(&a);
	TORTURE(err = ht_index_catch_up(f.l.index, 30, &more))
	{
		assert_int_equal(err, HT_ENOMEM);
	}
	assert_ok(err);
	assert_int_equal(ht_index_upto(f.l.index), 30);
	ht_logged_close(&f.l);
	TORTURE(err = try_verify(&f))
	{
		if (err != HT_OK) /* else the report alone was lost */
			assert_int_equal(err, HT_ENOMEM);
	}
	assert_ok(err);
	ht_test_dir_remove(f.l.log_dir);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_search_needs_no_index),
    cmocka_unit_test(an_exchange_is_found_whole),
    cmocka_unit_test(an_index_of_another_log_is_wiped),
    cmocka_unit_test(each_record_is_proven_alone),
    cmocka_unit_test(any_records_are_proven_together),
    cmocka_unit_test(evidence_has_one_form),
    cmocka_unit_test(every_row_of_an_answer_is_proven),
    cmocka_unit_test(a_limit_says_where_to_go_on),
    cmocka_unit_test(the_last_rows_are_the_newest),
    cmocka_unit_test(an_answer_continues_an_earlier_one),
    cmocka_unit_test(a_changed_answer_is_refused),
    cmocka_unit_test(a_changed_range_is_refused),
    cmocka_unit_test(a_row_stands_alone_without_its_tag),
    cmocka_unit_test(a_query_has_one_form),
    cmocka_unit_test(an_auditor_is_answered_and_noted),
    cmocka_unit_test(whom_an_auditor_asks_about_is_not_in_the_log),
    cmocka_unit_test(no_other_power_opens_the_audit),
    cmocka_unit_test(an_auditor_changes_nothing),
    cmocka_unit_test(who_is_no_auditor_is_refused_and_noted_once),
    cmocka_unit_test(what_cannot_be_noted_is_not_answered),
    cmocka_unit_test(rubbish_on_the_socket_harms_nobody),
    cmocka_unit_test(a_follower_sees_what_comes),
    cmocka_unit_test(a_period_is_read_whole),
    cmocka_unit_test(who_vouches_is_asked_alone),
    cmocka_unit_test(followers_shut_nobody_out),
    cmocka_unit_test(too_many_visitors_are_told),
    cmocka_unit_test(a_stop_ends_a_follower),
    cmocka_unit_test(a_stop_interrupts_a_silent_visitor),
    cmocka_unit_test(a_whole_log_verifies),
    cmocka_unit_test(the_first_bad_entry_is_named),
    cmocka_unit_test(the_log_as_a_whole_is_checked),
    cmocka_unit_test(without_keys_less_is_claimed),
    cmocka_unit_test(a_body_changed_in_the_vault_is_named),
    cmocka_unit_test(an_allocation_that_fails_is_said),
};

int
main(void)
{
	return cmocka_run_group_tests(
	    tests, ht_logged_make_world, ht_logged_drop_world);
}
