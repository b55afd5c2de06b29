#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "broker/log/log.h"
#include "lib/base/fs.h"
#include "lib/base/panic.h"
#include "tests/lib/sample.h"

#define GROUPS   64
#define BUNDLES  4 /* of requests, and of their answers, in a group */
#define BODY     1008
#define LEAF     450 /* bytes, in the run of exchanges */
#define HASHES   20000
#define FIRST_US UINT64_C(1795482123000000)

static void
append_record(
    struct ht_log *log, const struct ht_bundle *bundle, uint32_t i, bool answer)
{
	static uint8_t body[BODY];
	static uint64_t now_us = FIRST_US;
	const struct ht_bundle_record *r = &bundle->records[i];
	uint64_t seq = ht_log_next(log);
	struct ht_entry e = {
	    .type = answer ? HT_ENTRY_RESPONSE : HT_ENTRY_REQUEST,
	    .time_us = now_us++,
	    .grant = ht_slice_str("gx.demo/900"),
	    .bundle_seq = seq - i,
	    .bundle_index = (uint16_t)i,
	    .bundle_count = (uint16_t)bundle->count,
	    .member = bundle->sender,
	    .node = bundle->node,
	    .cites = answer ? seq - HT_BUNDLE_MAX + 1 : 0,
	    .payload = r->header,
	};

	bench_must(
	    ht_log_vault(log, r->tag, HT_SLICE(body, BODY), &e), "the vault");
	bench_must(ht_log_append(log, &e, NULL), "appending");
}

static void
append_bundle(struct ht_log *log, const struct ht_bundle *bundle, bool answer)
{
	uint64_t first = ht_log_next(log);

	for (uint32_t i = 0; i < bundle->n_records; i++)
		append_record(log, bundle, i, answer);
	bench_must(ht_log_bundle(log, first, bundle), "keeping a bundle");
}

/* Seconds of @clock for a group, without its commit. */
static double
group(struct ht_log *log, const struct ht_bundle *bundle)
{
	double from = bench_seconds(CLOCK_THREAD_CPUTIME_ID), took;
	struct ht_slice note;

	for (int i = 0; i < BUNDLES; i++) {
		append_bundle(log, bundle, false);
		append_bundle(log, bundle, true);
	}
	took = bench_seconds(CLOCK_THREAD_CPUTIME_ID) - from;
	bench_must(ht_log_commit(log, &note), "committing");
	return took;
}

/* Seconds for the hash of a leaf. */
static double
leaf_hash(void)
{
	static uint8_t leaf[LEAF];
	double from = bench_seconds(CLOCK_THREAD_CPUTIME_ID);

	for (int i = 0; i < HASHES; i++) {
		struct ht_hash hash = ht_leaf_hash(HT_SLICE(leaf, LEAF));

		leaf[0] = hash.at[0]; /* so that each is made */
	}
	return (bench_seconds(CLOCK_THREAD_CPUTIME_ID) - from) / HASHES;
}

double
bench_append(const char *dir, const struct ht_key *key)
{
	static struct ht_bundle bundle; /* large */
	HT_AUTO(ht_buf_fini) struct ht_buf arena = HT_BUF(HT_SAMPLE_ARENA);
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_log_close) struct ht_log *log = NULL;
	HT_AUTO(ht_key_free) struct ht_key *signing = ht_sample_signing();
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(dir, "append");
	double took = 0;

	bench_must(path == NULL ? HT_ENOMEM : HT_OK, "a path");
	ht_sample_bundle(&bundle, HT_BUNDLE_MAX, &arena);
	bench_must(ht_bundle_sign(&bundle, signing), "signing");
	bench_must(
	    ht_log_open(path, "gx.demo/log", key, report, &log), "a log");
	(void)group(log, &bundle); /* pages touched */
	for (int i = 0; i < GROUPS; i++)
		took += group(log, &bundle);
	return (took / (GROUPS * BUNDLES * HT_BUNDLE_MAX) - 2 * leaf_hash()) *
	       1e6;
}
