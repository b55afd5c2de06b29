/*
 * biglog.c -- what a large audit log costs: appending to it, reading all of it,
 * checking its files, proving one entry, the first page of a search; next to
 * floors measured in the same run.
 *
 * usage: biglog make DIR ENTRIES      a log of that size in DIR/log
 *        biglog index DIR             its index, where the form is a new one
 *        biglog volume DIR            close all of it as one volume, and what
 *                                     that costs who appends meanwhile
 *        biglog DIR OUT.json [PART]   measure it, or that part of it: walk,
 *                                     export, prove, search, fsck, append
 *
 * Making is long and is no measurement.  Figures are of one core: processor
 * time of this process, unless they say otherwise.  To measure appending, some
 * thousand entries are appended, which stay.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "broker/audit/query.h"
#include "broker/check/fsck.h"
#include "broker/log/volumes.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/panic.h"
#include "schemas/json.h"
#include "schemas/status.h"
#include "tests/lib/history.h"

#define NOW_MS UINT64_C(1795482123000)
#define BATCH  60 /* requests of a bundle; two thirds are answered */
#define EARLY                                                                  \
	100000        /* entries of the log that the large one is held against \
	               */
#define WINDOW   1200 /* entries whose cost is taken at a time */
#define WINDOWS  9
#define SUBJECTS 5000
#define INDEXED  100000 /* entries between two fillings of the index */
#define GROUP    3000   /* entries of a commit, in making: the disk is slow */
#define FLOOR    200000
#define TRIES    200

_Noreturn static void
die(const char *doing, enum ht_err err)
{
	fprintf(stderr, "biglog: %s: %s\n", doing, ht_err_text(err));
	exit(1);
}

static void
must(enum ht_err err, const char *doing)
{
	if (err != HT_OK)
		die(doing, err);
}

static double
seconds(clockid_t clock)
{
	struct timespec t;

	HT_ASSERT(clock_gettime(clock, &t) == 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- making ---- */

static void
grow(struct ht_history *h, uint64_t to)
{
	while (ht_log_next(h->log) < to)
		ht_history_exchanges(h, BATCH, BATCH * 2 / 3,
		    (unsigned)(h->records / BATCH % SUBJECTS), NULL);
	ht_history_commit(h);
}

static void
fill_index(struct ht_index *index)
{
	bool more = true;

	while (more)
		must(ht_index_catch_up(index, INDEXED, &more), "the index");
}

static void
make(const char *dir, uint64_t entries)
{
	struct ht_report *report = ht_report_new();
	struct ht_world *world = ht_world_new(NOW_MS);
	char *log_dir = ht_fs_join(dir, "log");
	char *index_dir = ht_fs_join(dir, "log/index");
	struct ht_index *index = NULL;
	struct ht_log *log = NULL;
	struct ht_history h;

	ht_world_write(world, dir);
	must(ht_log_open(log_dir, "gx.demo/log", world->log_key, report, &log),
	    "the log");
	must(ht_index_open(index_dir, log, &index), "the index");
	ht_history_init(&h, world, log);
	h.group = GROUP;
	ht_history_start(&h);
	for (uint64_t at = 0; at + INDEXED < entries; at += INDEXED) {
		grow(&h, at + INDEXED);
		fill_index(index);
	}
	grow(&h, entries);
	ht_history_stop(&h);
	fill_index(index);
	ht_index_close(&index);
	ht_log_close(&log);
	ht_world_free(&world);
	ht_report_free(&report);
	free(log_dir);
	free(index_dir);
}

static void
index_again(const char *dir)
{
	struct ht_report *report = ht_report_new();
	struct ht_world *world = ht_world_new(NOW_MS);
	char *log_dir = ht_fs_join(dir, "log");
	char *index_dir = ht_fs_join(dir, "log/index");
	struct ht_index *index = NULL;
	struct ht_log *log = NULL;

	must(ht_log_open(log_dir, "gx.demo/log", world->log_key, report, &log),
	    "the log");
	must(ht_index_open(index_dir, log, &index), "the index");
	fill_index(index);
	ht_index_close(&index);
	ht_log_close(&log);
	ht_world_free(&world);
	ht_report_free(&report);
	free(log_dir);
	free(index_dir);
}

/* ---- measuring ---- */

static json_t *all;

static void
result(const char *name, double value, const char *unit)
{
	json_array_append_new(
	    all, json_pack("{s:s, s:f, s:s, s:n, s:n}", "name", name, "value",
	             value, "unit", unit, "against", "ratio"));
	fprintf(stderr, "biglog: %-36s %12.2f %s\n", name, value, unit);
}

static void
floor_hash(void)
{
	static uint8_t leaf[450]; /* as long as a request's */
	double from = seconds(CLOCK_PROCESS_CPUTIME_ID);
	uint8_t sum = 0;

	for (unsigned i = 0; i < FLOOR; i++) {
		struct ht_hash hash;

		ht_be32(leaf, i);
		hash = ht_leaf_hash(HT_SLICE(leaf, sizeof(leaf)));
		sum ^= hash.at[0];
	}
	HT_ASSERT(sum != 1 || from > 0); /* it is used */
	result("floor/sha256-450-bytes",
	    FLOOR / (seconds(CLOCK_PROCESS_CPUTIME_ID) - from), "entries/s");
}

struct walk {
	uint64_t n;
	uint8_t sum;
};

static enum ht_err
walk_one(void *arg, uint64_t seq, struct ht_slice leaf)
{
	struct walk *w = arg;

	(void)seq;
	w->sum ^= leaf.at[leaf.len - 1];
	w->n++;
	return HT_OK;
}

/* Each stored leaf, hashed and held against its hash: the least a reader does.
 */
static void
floor_walk(struct ht_log *log)
{
	struct walk w = {0};
	double from = seconds(CLOCK_PROCESS_CPUTIME_ID);

	must(ht_log_walk(log, 0, ht_log_size(log), walk_one, &w), "walking");
	result("floor/walk",
	    (double)w.n / (seconds(CLOCK_PROCESS_CPUTIME_ID) - from),
	    "entries/s");
}

static enum ht_err
take_row(void *arg, const struct ht_row *row)
{
	struct walk *w = arg;

	w->sum ^= row->leaf.at[0];
	w->n++;
	return HT_OK;
}

/*
 * Every entry in the frames that a mirror or a report is sent, each proven by
 * the reader: both sides of it, in one process.
 */
static void
measure_export(struct ht_log *log)
{
	HT_AUTO(ht_audit_range_free) struct ht_audit_range *range = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf frame = HT_BUF(HT_AUDIT_FRAME_MAX);
	struct ht_rows *rows = malloc(sizeof(*rows));
	uint64_t size = ht_log_size(log), bad;
	struct ht_hash root;
	struct walk w = {0};
	double from = seconds(CLOCK_PROCESS_CPUTIME_ID), checking = 0;
	size_t n = 1;

	HT_ASSERT(rows != NULL);
	must(ht_log_root(log, size, &root), "the root");
	must(ht_audit_range(log, 0, size, size, 0, &range), "the range");
	while (n > 0) {
		double begun;

		ht_buf_reset(&frame);
		must(ht_audit_range_next(range, &frame, &n), "a frame");
		begun = seconds(CLOCK_PROCESS_CPUTIME_ID);
		if (n > 0)
			must(ht_rows_each(rows, ht_buf_slice(&frame), size,
			         &root, take_row, &w, &bad),
			    "its proof");
		checking += seconds(CLOCK_PROCESS_CPUTIME_ID) - begun;
	}
	from = seconds(CLOCK_PROCESS_CPUTIME_ID) - from;
	HT_ASSERT(w.n == size);
	result("log/export", (double)size / from, "entries/s");
	result("log/export, making frames", (double)size / (from - checking),
	    "entries/s");
	result("log/export, checking frames", (double)size / checking,
	    "entries/s");
	free(rows);
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Median and worst of TRIES, of the wall's clock. */
static void
spread(const char *name, double took[static TRIES])
{
	char worst[80];

	qsort(took, TRIES, sizeof(*took), by_value);
	result(name, took[TRIES / 2] * 1e3, "ms");
	(void)snprintf(worst, sizeof(worst), "%s, 99 of 100", name);
	result(worst, took[TRIES * 99 / 100] * 1e3, "ms");
}

/* Leaf, path, and the check that it leads to the root. */
static void
measure_prove(struct ht_log *log)
{
	uint64_t size = ht_log_size(log), seq = 12345;
	struct ht_hash root, path[HT_PROOF_MAX], leaf;
	double took[TRIES];
	size_t n;

	must(ht_log_root(log, size, &root), "the root");
	for (int i = 0; i < TRIES; i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_LEAF_MAX);
		double from = seconds(CLOCK_MONOTONIC);

		seq = (seq * UINT64_C(6364136223846793005) + 1) % size;
		must(ht_log_read(log, seq, &bytes), "an entry");
		must(ht_log_inclusion(log, seq, size, path, &n), "a path");
		leaf = ht_leaf_hash(ht_buf_slice(&bytes));
		HT_ASSERT(ht_check_inclusion(seq, size, &leaf, path, n, &root));
		took[i] = seconds(CLOCK_MONOTONIC) - from;
	}
	spread("log/prove", took);
}

static void
measure_search(struct ht_log *log, struct ht_index *index, const char *name,
    const struct ht_query *q)
{
	double took[TRIES];

	for (int i = 0; i < TRIES; i++) {
		struct ht_audit_answer a = {0};
		double from = seconds(CLOCK_MONOTONIC);

		must(ht_audit_answer(log, index, q, &a), name);
		took[i] = seconds(CLOCK_MONOTONIC) - from;
		HT_ASSERT(a.matched > 0);
		ht_audit_answer_fini(&a);
	}
	spread(name, took);
}

static void
measure_searches(struct ht_log *log, struct ht_index *index)
{
	struct ht_query q = HT_QUERY_ALL;

	q.filter.limit = 50;
	q.filter.member = ht_slice_str("tax.demo/state");
	q.filter.item = ht_slice_str("gx.demo/SCZTDJ");
	q.filter.purpose = ht_slice_str("tax-registration");
	q.filter.start_seq = ht_log_size(log) / 2;
	measure_search(log, index, "log/search-member-item", &q);
	q = HT_QUERY_ALL;
	q.filter.limit = 50;
	q.filter.status = HT_ST_EXPIRED;
	measure_search(log, index, "log/search-status", &q);
	q = HT_QUERY_ALL;
	q.filter.limit = 50;
	q.filter.has_subject = true;
	q.filter.subject = ht_history_subject(77);
	measure_search(log, index, "log/search-subject", &q);
}

static void
found(void *arg, enum ht_fsck_part part, const char *what)
{
	(void)arg;
	fprintf(stderr, "biglog: %s: %s\n", ht_fsck_text(part), what);
	exit(1);
}

static void
measure_fsck(const char *log_dir)
{
	struct ht_fsck f = {.found = found};
	double from = seconds(CLOCK_PROCESS_CPUTIME_ID);

	must(ht_fsck_log(log_dir, &f), "fsck");
	result("log/fsck",
	    (double)f.size / (seconds(CLOCK_PROCESS_CPUTIME_ID) - from),
	    "entries/s");
}

/* A log that appending to is measured. */
struct grown {
	struct ht_log *log;
	struct ht_history h;
	uint64_t size;                      /* before */
	double cpu[WINDOWS], wall[WINDOWS]; /* us an entry */
};

/* Time and ids go on behind the last entry. */
static void
go_on(struct grown *g, const struct ht_world *world, const char *log_dir,
    struct ht_report *report)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	struct ht_entry last;

	must(ht_log_open(
	         log_dir, "gx.demo/log", world->log_key, report, &g->log),
	    "the log");
	g->size = ht_log_size(g->log);
	ht_history_init(&g->h, world, g->log);
	if (g->size == 0) {
		g->h.group = GROUP;
		ht_history_start(&g->h);
		grow(&g->h, EARLY);
		g->size = ht_log_size(g->log);
	} else {
		must(ht_log_read(g->log, g->size - 1, &leaf), "an entry");
		must(ht_entry_decode(ht_buf_slice(&leaf), &last), "an entry");
		g->h.now_us = last.time_us + 1000000;
		g->h.records = g->size;
	}
	g->h.group = 0; /* a commit for each bundle */
	grow(&g->h, g->size + WINDOW);
}

static void
append_window(struct grown *g, int i)
{
	double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	double wall = seconds(CLOCK_MONOTONIC);
	uint64_t from = ht_log_size(g->log);

	grow(&g->h, from + WINDOW);
	from = ht_log_size(g->log) - from;
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	wall = seconds(CLOCK_MONOTONIC) - wall;
	g->cpu[i] = cpu * 1e6 / (double)from;
	g->wall[i] = wall * 1e6 / (double)from;
}

/* Median of the windows. */
static double
appended(struct grown *g)
{
	char name[80];

	qsort(g->cpu, WINDOWS, sizeof(double), by_value);
	qsort(g->wall, WINDOWS, sizeof(double), by_value);
	(void)snprintf(name, sizeof(name), "log/append at %" PRIu64, g->size);
	result(name, g->cpu[WINDOWS / 2], "us");
	(void)snprintf(name, sizeof(name),
	    "log/append at %" PRIu64 ", with the disk", g->size);
	result(name, g->wall[WINDOWS / 2], "us");
	return g->cpu[WINDOWS / 2];
}

/* The large log and a small one, by turns: what disturbs one, disturbs both. */
static void
measure_append(const char *dir, const char *log_dir, const char *index_dir)
{
	struct ht_report *report = ht_report_new();
	struct ht_world *world = ht_world_new(NOW_MS);
	char *small_dir = ht_fs_join(dir, "small");
	static struct grown small, large;
	struct ht_index *index = NULL;
	double few;

	go_on(&small, world, small_dir, report);
	go_on(&large, world, log_dir, report);
	for (int i = 0; i < WINDOWS; i++) {
		append_window(&small, i);
		append_window(&large, i);
	}
	few = appended(&small);
	result(
	    "log/append, large against small", appended(&large) / few, "times");
	must(ht_index_open(index_dir, large.log, &index), "the index");
	fill_index(index);
	ht_index_close(&index);
	ht_log_close(&large.log);
	ht_log_close(&small.log);
	ht_world_free(&world);
	ht_report_free(&report);
	free(small_dir);
}

/* ---- closing a volume ---- */

#define WAITS 100000 /* groups whose time is taken, at most */

struct closing {
	struct ht_log *log;
	uint64_t end;
	double took;
	atomic_bool done;
};

static void *
write_volume(void *arg)
{
	struct closing *c = arg;
	double from = seconds(CLOCK_MONOTONIC);

	must(ht_volumes_write(c->log, NULL, &c->end), "a volume's file");
	c->took = seconds(CLOCK_MONOTONIC) - from;
	atomic_store(&c->done, true);
	return NULL;
}

/* Bundles, a commit each, until @done or @max of them; how long each took. */
static size_t
append_bundles(struct ht_history *h, const atomic_bool *done, size_t max,
    double took[static WAITS])
{
	size_t n = 0;

	while (n < max && (done == NULL || !atomic_load(done))) {
		double from = seconds(CLOCK_MONOTONIC);

		ht_history_exchanges(h, BATCH, 0, 1, NULL);
		took[n++] = seconds(CLOCK_MONOTONIC) - from;
	}
	return n;
}

static void
waits(const char *name, double *took, size_t n)
{
	char text[100];

	qsort(took, n, sizeof(*took), by_value);
	(void)snprintf(text, sizeof(text), "volume/%s", name);
	result(text, took[n / 2] * 1e3, "ms");
	(void)snprintf(text, sizeof(text), "volume/%s, 99 of 100", name);
	result(text, took[n * 99 / 100] * 1e3, "ms");
	(void)snprintf(text, sizeof(text), "volume/%s, the longest", name);
	result(text, took[n - 1] * 1e3, "ms");
}

static void
forget_rows(struct ht_log *log, double took[static WAITS])
{
	double begun = seconds(CLOCK_MONOTONIC);
	bool more = true;
	size_t n = 0;

	while (more) {
		double from = seconds(CLOCK_MONOTONIC);

		must(ht_log_forget(log, &more), "deleting rows");
		if (n < WAITS)
			took[n++] = seconds(CLOCK_MONOTONIC) - from;
	}
	result("volume/all rows deleted after",
	    seconds(CLOCK_MONOTONIC) - begun, "s");
	waits("deleting some rows", took, n);
}

static void
close_volume(const char *dir)
{
	static double took[WAITS];
	static struct grown g;
	struct ht_report *report = ht_report_new();
	struct ht_world *world = ht_world_new(NOW_MS);
	char *log_dir = ht_fs_join(dir, "log");
	struct closing c = {0};
	pthread_t thread;
	double from;
	size_t n;

	all = json_array();
	go_on(&g, world, log_dir, report);
	n = append_bundles(&g.h, NULL, 500, took);
	waits("a commit before", took, n);
	ht_history_volume(&g.h);
	c.log = g.log;
	HT_ASSERT(pthread_create(&thread, NULL, write_volume, &c) == 0);
	n = append_bundles(&g.h, &c.done, WAITS, took);
	HT_ASSERT(pthread_join(thread, NULL) == 0);
	waits("a commit meanwhile", took, n);
	result("volume/writing its file", (double)c.end / c.took, "entries/s");
	from = seconds(CLOCK_MONOTONIC);
	ht_history_take(&g.h, c.end);
	result(
	    "volume/taking it", (seconds(CLOCK_MONOTONIC) - from) * 1e3, "ms");
	forget_rows(g.log, took);
	ht_log_close(&g.log);
	ht_world_free(&world);
	ht_report_free(&report);
	free(log_dir);
	json_decref(all);
}

/* Is it to be measured? */
static bool
wanted(const char *part, const char *name)
{
	return part == NULL || strcmp(part, name) == 0;
}

static void
measure(const char *dir, const char *part, const char *out_path)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1 << 16);
	struct ht_report *report = ht_report_new();
	char *log_dir = ht_fs_join(dir, "log");
	char *index_dir = ht_fs_join(dir, "log/index");
	struct ht_index *index = NULL;
	struct ht_log *log = NULL;

	all = json_array();
	floor_hash();
	must(ht_log_open(log_dir, NULL, NULL, report, &log), "the log");
	must(ht_index_open(index_dir, log, &index), "the index");
	result("entries", (double)ht_log_size(log), "");
	if (wanted(part, "walk"))
		floor_walk(log);
	if (wanted(part, "export"))
		measure_export(log);
	if (wanted(part, "prove"))
		measure_prove(log);
	if (wanted(part, "search"))
		measure_searches(log, index);
	ht_index_close(&index);
	ht_log_close(&log);
	if (wanted(part, "fsck"))
		measure_fsck(log_dir);
	if (wanted(part, "append"))
		measure_append(dir, log_dir, index_dir);
	must(ht_json_print(all, &text), "printing");
	must(ht_fs_replace(out_path, 0644, ht_buf_slice(&text)), out_path);
	json_decref(all);
	ht_report_free(&report);
	free(log_dir);
	free(index_dir);
}

int
main(int argc, char **argv)
{
	must(ht_keys_init(), "keys");
	if (argc == 4 && strcmp(argv[1], "make") == 0)
		make(argv[2], strtoull(argv[3], NULL, 10));
	else if (argc == 3 && strcmp(argv[1], "index") == 0)
		index_again(argv[2]);
	else if (argc == 3 && strcmp(argv[1], "volume") == 0)
		close_volume(argv[2]);
	else if (argc == 3 || argc == 4)
		measure(argv[1], argc == 4 ? argv[3] : NULL, argv[2]);
	else
		return fprintf(stderr, "usage: biglog make DIR ENTRIES | "
		                       "biglog index DIR | "
		                       "biglog volume DIR | "
		                       "biglog DIR OUT.json [PART]\n"),
		       2;
	return 0;
}
