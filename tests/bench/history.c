/*
 * history.c -- what a node pays for remembering an exchange, beside keeping its
 * answer: in a state folder whose history is full, 64 exchanges a commit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/state.h"
#include "lib/base/fs.h"
#include "lib/base/panic.h"
#include "tests/bench/bench.h"

#define HISTORY 10000 /* as node.yaml has it, if nobody says otherwise */
#define GROUP   64
#define WINDOWS 40
#define NOTE    3000 /* bytes of an item's or a grant's note, about */
#define LIFE_MS 3600000

static void
keep(struct ht_state *state, uint64_t n)
{
	static uint8_t header[470], tag[90], body[1024];
	struct ht_answered answered = {.expires_ms = LIFE_MS + n,
	    .header = HT_SLICE(header, sizeof(header)),
	    .tag = HT_SLICE(tag, sizeof(tag)),
	    .body = HT_SLICE(body, sizeof(body))};
	struct ht_id record;

	ht_be64(header, n);
	ht_random(&record, sizeof(record));
	bench_must(ht_state_keep(state, ht_slice_str("tax.demo/state"), &record,
	               &answered),
	    "keeping an answer");
}

static void
text(char *out, size_t size, const char *from)
{
	HT_ASSERT(strlen(from) < size);
	memcpy(out, from, strlen(from) + 1);
}

/* The newest documents come by again and again, and are kept once. */
static void
tell(struct ht_state *state, uint64_t n)
{
	static struct ht_told told;
	static uint8_t note[NOTE] = {1};

	ht_random(&told.record, sizeof(told.record));
	ht_be64(told.exchange.at, n); /* in order of time, as they are */
	ht_random(told.exchange.at + 8, HT_ID_SIZE - 8);
	told.served = true;
	told.created_ms = told.ended_ms = n;
	text(told.consumer, sizeof(told.consumer), "tax.demo/state");
	text(told.node, sizeof(told.node), "main");
	text(told.provider, sizeof(told.provider), "scjg.demo/registry");
	text(told.item, sizeof(told.item), "gx.demo/SCZTDJ");
	text(told.purpose, sizeof(told.purpose), "tax-registration");
	text(told.basis, sizeof(told.basis), "ZGF-15");
	text(told.grant, sizeof(told.grant), "gx.demo/1");
	bench_must(
	    ht_state_note(state, HT_SLICE(note, sizeof(note)), &told.item_note),
	    "keeping a note");
	bench_must(ht_state_note(state, HT_SLICE(note, sizeof(note) / 2),
	               &told.grant_note),
	    "keeping a note");
	bench_must(ht_state_tell(state, &told), "remembering");
}

/* Processor time of a group, in us an exchange. */
static double
group(struct ht_state *state, bool tells, uint64_t *n)
{
	double from = bench_seconds(CLOCK_PROCESS_CPUTIME_ID);

	for (unsigned i = 0; i < GROUP; i++, ++*n) {
		keep(state, *n);
		if (tells)
			tell(state, *n);
	}
	if (tells)
		bench_must(
		    ht_state_untell(state, HISTORY, GROUP), "forgetting");
	bench_must(ht_state_commit(state), "a commit");
	return (bench_seconds(CLOCK_PROCESS_CPUTIME_ID) - from) * 1e6 / GROUP;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* With and without by turns: what disturbs one, disturbs both. */
void
bench_history(const char *dir, double *ret_keep, double *ret_history)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(dir, "history");
	struct ht_report *report = ht_report_new();
	double with[WINDOWS], without[WINDOWS];
	struct ht_state *state = NULL;
	uint64_t n = 0;

	HT_ASSERT(path != NULL);
	bench_must(ht_state_open(path, report, &state), path);
	while (n < HISTORY + GROUP)
		(void)group(state, true, &n);
	for (unsigned i = 0; i < WINDOWS; i++) {
		without[i] = group(state, false, &n);
		with[i] = group(state, true, &n);
	}
	qsort(with, WINDOWS, sizeof(*with), by_value);
	qsort(without, WINDOWS, sizeof(*without), by_value);
	*ret_keep = without[WINDOWS / 2];
	*ret_history = with[WINDOWS / 2] - without[WINDOWS / 2];
	ht_state_close(&state);
	ht_report_free(&report);
}
