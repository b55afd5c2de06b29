/*
 * bench.c -- request/response exchanges of 1 KiB sealed bodies between two
 * nodes through a real broker, next to floors measured in the same run.
 *
 * usage: bench DIR BROKER OUT.json
 *
 * Everything runs on this machine: consumer, provider, front and core share
 * its processors, as they would not in earnest.  What counts are the ratios.
 * Nothing here passes or fails by the clock.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "adapters/hutong.h"
#include "keys/note.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/panic.h"
#include "lib/store/store.h"
#include "lib/term/table.h"
#include "tests/bench/bench.h"
#include "tests/lib/world.h"

#define BODY_DATA 860  /* content that seals to 1 KiB, padding included */
#define WINDOW    1024 /* asks in flight */
#define WIDE      4096 /* more than a node is handed at once: through the log */
#define ALONE     2000
#define MANY_64   40000
#define MANY_1    8000
#define VERIFIES  1000
#define FLOORS    7 /* times; the median counts: another guest may disturb */
#define COMMITS   300
#define SYSCALLS  100000
#define RESULTS   24
#define CHILDREN  2
#define READY_MS  20000

/* ---- results ---- */

static struct result {
	const char *name;
	double value;
	const char *unit;
	const char *against; /* NULL: a floor */
	double ratio;
} results[RESULTS];
static unsigned n_results;

static double
value_of(const char *name)
{
	for (unsigned i = 0; i < n_results; i++)
		if (strcmp(results[i].name, name) == 0)
			return results[i].value;
	HT_NEVER("a result is compared with one that was not measured");
}

static void
result(const char *name, double value, const char *unit, const char *against)
{
	struct result *r = &results[n_results++];

	HT_ASSERT(n_results <= RESULTS);
	*r = (struct result){name, value, unit, against, 0};
	if (against != NULL)
		r->ratio = value / value_of(against);
	fprintf(stderr, "bench: %-36s %12.2f %s\n", name, value, unit);
}

_Noreturn static void
die(const char *doing, enum ht_err err)
{
	fprintf(stderr, "bench: %s: %s\n", doing, ht_err_text(err));
	exit(1);
}

void
bench_must(enum ht_err err, const char *doing)
{
	if (err != HT_OK)
		die(doing, err);
}

double
bench_seconds(clockid_t clock)
{
	struct timespec t;

	HT_ASSERT(clock_gettime(clock, &t) == 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- floors ---- */

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
floor_verify(void)
{
	static uint8_t text[400]; /* as long as the text a bundle signs */
	struct ht_key *key = ht_world_key(HT_KEY_SIGNING, "bench");
	struct ht_pub pub = ht_key_pub(key);
	struct ht_sig sig;
	double took[FLOORS];

	if (ht_sign(key, "hutong-bench/v1\n", HT_SLICE(text, sizeof(text)),
	        &sig) != HT_OK)
		die("signing", HT_ESYSTEM);
	for (int k = 0; k < FLOORS; k++) {
		double from = bench_seconds(CLOCK_PROCESS_CPUTIME_ID);

		for (int i = 0; i < VERIFIES; i++)
			if (ht_verify(&pub, "hutong-bench/v1\n",
			        HT_SLICE(text, sizeof(text)), &sig) != HT_OK)
				die("verifying", HT_EBADSIG);
		took[k] = bench_seconds(CLOCK_PROCESS_CPUTIME_ID) - from;
	}
	qsort(took, FLOORS, sizeof(double), by_value);
	result("floor/ed25519-verify", took[FLOORS / 2] * 1e6 / VERIFIES, "us",
	    NULL);
	ht_key_free(&key);
}

/* What a broker pays before anything is done: it moves each byte four times. */
static void
floor_syscall(void)
{
	double took[FLOORS];

	for (int k = 0; k < FLOORS; k++) {
		double from = bench_seconds(CLOCK_PROCESS_CPUTIME_ID);

		for (int i = 0; i < SYSCALLS; i++)
			(void)getppid();
		took[k] = bench_seconds(CLOCK_PROCESS_CPUTIME_ID) - from;
	}
	qsort(took, FLOORS, sizeof(double), by_value);
	result(
	    "floor/system-call", took[FLOORS / 2] * 1e6 / SYSCALLS, "us", NULL);
}

static void
floor_commit(const char *dir)
{
	static const struct ht_store_db dbs[] = {
	    {"entries", HT_STORE_U64}
        };
	static uint8_t entry[600];
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(dir, "floor");
	struct ht_store *store;
	double from;
	enum ht_err err;

	err = ht_store_open(
	    path, HT_STORE_DURABLE, 1 << 28, dbs, HT_COUNT(dbs), &store);
	if (err != HT_OK)
		die("opening the floor's store", err);
	from = bench_seconds(CLOCK_MONOTONIC);
	for (uint64_t i = 0; i < COMMITS; i++) {
		struct ht_txn *txn;

		err = ht_txn_begin(store, true, &txn);
		if (err == HT_OK)
			err = ht_txn_append_u64(
			    txn, 0, i, HT_SLICE(entry, sizeof(entry)));
		if (err == HT_OK)
			err = ht_txn_commit(&txn);
		if (err != HT_OK)
			die("committing", err);
	}
	result("floor/lmdb-commit",
	    (bench_seconds(CLOCK_MONOTONIC) - from) * 1e6 / COMMITS, "us",
	    NULL);
	ht_store_close(&store);
}

/* ---- the world: one more item, of plain bytes ---- */

static const char bench_item[] =
    "hutong: item/v1\n"
    "item: gx.demo/BENCH\n"
    "version: 1\n"
    "revision: 1\n"
    "title: {zh: 测速, en: Speed}\n"
    "provider: scjg.demo/registry\n"
    "share: conditional\n"
    "basis:\n"
    "  - {code: ZGF-15, text: 税收征收管理法 第十五条}\n"
    "operations: [query]\n"
    "purposes:\n"
    "  - {code: tax-registration, zh: 测速, en: Measuring}\n"
    "limits: {records: 10}\n"
    "request:\n"
    "  type: object\n"
    "  required: [id]\n"
    "  properties:\n"
    "    id: {type: string, title: 编号}\n"
    "  additionalProperties: false\n"
    "record:\n"
    "  type: object\n"
    "  required: [data]\n"
    "  properties:\n"
    "    data: {type: string, title: 内容, x-level: 0, x-bytes: 4096}\n"
    "  additionalProperties: false\n";

static const char bench_grant[] = "hutong: grant/v1\n"
                                  "grant: gx.demo/900\n"
                                  "revision: 1\n"
                                  "state: active\n"
                                  "item: gx.demo/BENCH\n"
                                  "version: 1\n"
                                  "provider: scjg.demo/registry\n"
                                  "consumer: tax.demo/state\n"
                                  "operations: [query]\n"
                                  "fields: all\n"
                                  "purposes: [tax-registration]\n"
                                  "basis: ZGF-15\n"
                                  "from: 2020-01-01T00:00:00Z\n"
                                  "until: 2099-01-01T00:00:00Z\n";

static struct ht_world *
make_world(const char *dir, const char *address)
{
	struct ht_world *world = ht_world_new(ht_clock_wall_ms());

	ht_world_address(world, address);
	ht_world_put(world, HT_DOC_ITEM, "gx.demo/BENCH@1", bench_item);
	ht_world_put(world, HT_DOC_GRANT, "gx.demo/900", bench_grant);
	ht_world_renew(world);
	ht_world_write(world, dir);
	return world;
}

/* ---- processes ---- */

static pid_t children[CHILDREN]; /* 0: none */

static void
started(pid_t pid)
{
	for (int i = 0; i < CHILDREN; i++)
		if (children[i] == 0) {
			children[i] = pid;
			return;
		}
	HT_NEVER("more children than are counted");
}

static void
stop(pid_t pid)
{
	int status;

	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	for (int i = 0; i < CHILDREN; i++)
		if (children[i] == pid)
			children[i] = 0;
}

/* However it ends, nobody is left running behind it. */
static void
stop_all(void)
{
	for (int i = 0; i < CHILDREN; i++)
		if (children[i] != 0)
			stop(children[i]);
}

static pid_t
start_broker(const char *program, const char *dir)
{
	HT_AUTO(ht_mem_free) char *conf = ht_fs_join(dir, "broker.yaml");
	pid_t pid = fork();

	if (pid == -1)
		die("starting the broker", HT_ESYSTEM);
	if (pid == 0) {
		execl(program, program, "--config", conf, (char *)NULL);
		fprintf(stderr, "bench: %s: %s\n", program, strerror(errno));
		_exit(127);
	}
	started(pid);
	return pid;
}

/* Seconds of a processor. */
struct cpu {
	double all, kernel;
};

/* Parent, and ticks in the program and in the kernel; false: no such process.
 */
static bool
stat_of(pid_t pid, int *ret_parent, unsigned long *ret_user,
    unsigned long *ret_kernel)
{
	char path[64], line[1024] = "", *at;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (f == NULL)
		return false;
	at = fgets(line, sizeof(line), f) != NULL ? strrchr(line, ')') : NULL;
	fclose(f);
	return at != NULL && sscanf(at,
	                         ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u "
	                         "%*u %lu %lu",
	                         ret_parent, ret_user, ret_kernel) == 3;
}

/*
 * The sum is the clock's: the ticks of /proc charge a whole one to whoever is
 * hit by it.  They only tell which share of it the kernel had.
 */
static void
add_cpu(pid_t pid, struct cpu *sum)
{
	int parent;
	unsigned long user, kernel;
	clockid_t clock;
	double all;

	if (clock_getcpuclockid(pid, &clock) != 0 ||
	    !stat_of(pid, &parent, &user, &kernel))
		return;
	all = bench_seconds(clock);
	sum->all += all;
	if (user + kernel > 0)
		sum->kernel += all * (double)kernel / (double)(user + kernel);
}

/* The broker's core and its front, which is the core's child. */
static struct cpu
broker_cpu(pid_t core)
{
	struct cpu sum = {0, 0};
	int parent;
	unsigned long user, kernel;

	add_cpu(core, &sum);
	for (pid_t pid = core + 1; pid < core + 2000; pid++)
		if (stat_of(pid, &parent, &user, &kernel) && parent == core)
			add_cpu(pid, &sum);
	return sum;
}

/* ---- nodes ---- */

static struct ht_node *
open_node(const char *dir, const char *member, unsigned bundle_max)
{
	static unsigned n_states;
	struct ht_report *report = ht_report_new();
	char root[512], sign[512], transport[512], seal[512], state[512];
	struct ht_node_conf conf = {
	    .root = root,
	    .member = member,
	    .node = "main",
	    .signing = sign,
	    .transport = transport,
	    .sealing = seal,
	    .state = state,
	    .bundle_max = bundle_max,
	};
	struct ht_node *node = NULL;
	enum ht_err err;

	snprintf(root, sizeof(root), "%s/authority/root.note", dir);
	snprintf(
	    sign, sizeof(sign), "%s/keys/%s/main-signing.key", dir, member);
	snprintf(transport, sizeof(transport), "%s/keys/%s/main-transport.key",
	    dir, member);
	snprintf(seal, sizeof(seal), "%s/keys/%s/sealing.key", dir, member);
	snprintf(state, sizeof(state), "%s/state-%d-%u", dir, (int)getpid(),
	    n_states++);
	err = ht_node_open(&conf, report, &node);
	if (err != HT_OK) {
		ht_report_print(report, stderr);
		die("opening a node", err);
	}
	ht_report_free(&report);
	return node;
}

static void
wait_ready(struct ht_node *node)
{
	uint64_t until = ht_clock_mono_ms() + READY_MS;

	while (!ht_node_ready(node)) {
		enum ht_err err = ht_node_step(node, -1, 50, NULL);

		if (err != HT_OK)
			die("connecting", err);
		if (ht_clock_mono_ms() > until) {
			fprintf(stderr, "bench: not connected: %s\n",
			    ht_node_trouble(node));
			exit(1);
		}
	}
}

struct provider {
	struct ht_node *node;
	json_t *records;
};

static void
serve(void *arg, const struct ht_call *call)
{
	struct provider *p = arg;

	if (ht_node_answer(p->node, call->id, p->records, false, NULL) != HT_OK)
		fprintf(stderr, "bench: an answer was not taken\n");
}

static json_t *
plain_text(const char *key)
{
	char text[BODY_DATA + 1];

	memset(text, 'x', BODY_DATA);
	text[BODY_DATA] = '\0';
	return json_pack("{s:s}", key, text);
}

/* The provider's process: until it is told to stop. */
_Noreturn static void
provide(const char *dir, unsigned bundle_max)
{
	struct provider p = {.records = json_pack("[o]", plain_text("data"))};

	p.node = open_node(dir, "scjg.demo/registry", bundle_max);
	if (ht_node_serve(p.node, "gx.demo/BENCH", serve, &p) != HT_OK)
		die("serving", HT_ENOMEM);
	while (ht_node_step(p.node, -1, 1000, NULL) == HT_OK)
		;
	exit(1);
}

/* A program anew: sockets and stores do not survive a fork. */
static pid_t
start_provider(const char *dir, unsigned bundle_max)
{
	char number[16];
	pid_t pid = fork();

	if (pid == -1)
		die("starting the provider", HT_ESYSTEM);
	if (pid != 0) {
		started(pid);
		return pid;
	}
	snprintf(number, sizeof(number), "%u", bundle_max);
	execl(
	    "/proc/self/exe", "bench", "--provide", dir, number, (char *)NULL);
	_exit(127);
}

/* ---- a run ---- */

struct run {
	struct ht_node *node;
	unsigned in_flight;
	unsigned begun;
	unsigned done;
	unsigned refused;
	double *latency; /* seconds, in order of completion */
};

struct one {
	struct run *run;
	double from;
};

static void
answered(void *arg, struct ht_asked *asked)
{
	struct one *one = arg;
	struct run *run = one->run;

	if (asked->status != HT_ST_OK && run->refused++ == 0)
		fprintf(stderr, "bench: refused: %s %s\n",
		    ht_status_name(asked->status),
		    asked->reasons.n > 0 ? asked->reasons.at[0].detail : "");
	run->latency[run->done++] = bench_seconds(CLOCK_MONOTONIC) - one->from;
	run->in_flight--;
	ht_asked_fini(asked);
	free(one);
}

static void
begin(struct run *run, const json_t *params)
{
	const struct ht_ask ask = {
	    .item = "gx.demo/BENCH",
	    .operation = HT_OP_QUERY,
	    .purpose = "tax-registration",
	    .grant = "gx.demo/900",
	    .params = params,
	    .life_ms = 60000,
	};
	struct one *one = malloc(sizeof(*one));
	enum ht_err err;

	HT_ASSERT(one != NULL);
	*one = (struct one){run, bench_seconds(CLOCK_MONOTONIC)};
	run->begun++;
	run->in_flight++;
	err = ht_node_begin(run->node, &ask, answered, one);
	if (err != HT_OK)
		die("asking", err);
}

static double
percentile_ms(struct run *run, double p)
{
	size_t i = (size_t)(p * (double)(run->done - 1));

	qsort(run->latency, run->done, sizeof(double), by_value);
	return run->latency[i] * 1e3;
}

/* @total exchanges, at most @window of them in flight; wall seconds. */
static double
play(struct run *run, unsigned total, unsigned window)
{
	json_t *params = plain_text("id");
	double from = bench_seconds(CLOCK_MONOTONIC);

	run->begun = run->done = run->refused = 0;
	run->latency = calloc(total, sizeof(double));
	HT_ASSERT(run->latency != NULL && params != NULL);
	while (run->done < total) {
		enum ht_err err;

		while (run->in_flight < window && run->begun < total)
			begin(run, params);
		err = ht_node_step(run->node, -1, 1000, NULL);
		if (err != HT_OK)
			die("running", err);
	}
	json_decref(params);
	if (run->refused > 0) {
		fprintf(stderr, "bench: %u of %u exchanges were refused\n",
		    run->refused, total);
		exit(1);
	}
	return bench_seconds(CLOCK_MONOTONIC) - from;
}

static void
alone(const char *dir)
{
	pid_t provider = start_provider(dir, 0);
	struct run run = {.node = open_node(dir, "tax.demo/state", 0)};

	wait_ready(run.node);
	(void)play(&run, 50, 1); /* contexts set up, pages touched */
	free(run.latency);
	(void)play(&run, ALONE, 1);
	result("exchange/one-at-a-time/p50", percentile_ms(&run, 0.50), "ms",
	    NULL);
	results[n_results - 1].against = "floor/lmdb-commit";
	results[n_results - 1].ratio =
	    percentile_ms(&run, 0.50) * 1e3 / value_of("floor/lmdb-commit");
	result("exchange/one-at-a-time/p99", percentile_ms(&run, 0.99), "ms",
	    "exchange/one-at-a-time/p50");
	free(run.latency);
	ht_node_close(&run.node);
	stop(provider);
}

/* Many in flight, at most so many records a bundle on both sides. */
struct load {
	unsigned bundle, window, total;
	const char *names[5]; /* throughput, processor, kernel's part of it,
	                         two latencies */
	const char *against;  /* for throughput */
};

static void
together(const char *dir, pid_t broker, const struct load *load)
{
	pid_t provider = start_provider(dir, load->bundle);
	struct run run = {
	    .node = open_node(dir, "tax.demo/state", load->bundle)};
	struct cpu from, to;
	double wall;

	wait_ready(run.node);
	(void)play(&run, 500, load->window);
	free(run.latency);
	from = broker_cpu(broker);
	wall = play(&run, load->total, load->window);
	to = broker_cpu(broker);
	result(
	    load->names[0], load->total / wall, "exchanges/s", load->against);
	result(load->names[1], (to.all - from.all) * 1e6 / load->total, "us",
	    "floor/ed25519-verify");
	result(load->names[2], (to.kernel - from.kernel) * 1e6 / load->total,
	    "us", load->names[1]);
	result(load->names[3], percentile_ms(&run, 0.50), "ms",
	    "exchange/one-at-a-time/p50");
	result(load->names[4], percentile_ms(&run, 0.99), "ms",
	    "exchange/one-at-a-time/p50");
	free(run.latency);
	ht_node_close(&run.node);
	stop(provider);
}

static const struct load loads[] = {
    {1,  WINDOW, MANY_1,
     {"exchange/bundle-1/throughput", "exchange/bundle-1/broker-cpu",
            "exchange/bundle-1/broker-cpu/kernel", "exchange/bundle-1/p50",
            "exchange/bundle-1/p99"},
     NULL                           },
    {64, WINDOW, MANY_64,
     {"exchange/bundle-64/throughput", "exchange/bundle-64/broker-cpu",
            "exchange/bundle-64/broker-cpu/kernel", "exchange/bundle-64/p50",
            "exchange/bundle-64/p99"},
     "exchange/bundle-1/throughput" },
    {64, WIDE,   MANY_64,
     {"exchange/4096-asked/throughput", "exchange/4096-asked/broker-cpu",
            "exchange/4096-asked/broker-cpu/kernel", "exchange/4096-asked/p50",
            "exchange/4096-asked/p99"},
     "exchange/bundle-64/throughput"},
};

/* ---- saying it ---- */

static void
write_json(const char *path)
{
	json_t *all = json_array();
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1 << 16);

	for (unsigned i = 0; i < n_results; i++) {
		const struct result *r = &results[i];

		json_array_append_new(
		    all, json_pack("{s:s, s:f, s:s, s:s?, s:o}", "name",
		             r->name, "value", r->value, "unit", r->unit,
		             "against", r->against, "ratio",
		             r->against != NULL ? json_real(r->ratio)
		                                : json_null()));
	}
	if (ht_json_print(all, &text) != HT_OK)
		die("printing", text.err);
	ht_buf_str(&text, "\n");
	if (ht_fs_replace(path, 0644, ht_buf_slice(&text)) != HT_OK)
		die(path, HT_ESYSTEM);
	json_decref(all);
}

int
main(int argc, char **argv)
{
	double keep, history;
	struct ht_world *world;
	char address[64];
	pid_t broker;

	if (ht_keys_init() != HT_OK)
		die("starting", HT_ESYSTEM);
	if (argc == 4 && strcmp(argv[1], "--provide") == 0)
		provide(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
	if (argc != 4) {
		fprintf(stderr, "usage: bench DIR BROKER OUT.json\n");
		return 2;
	}
	snprintf(address, sizeof(address), "tcp://127.0.0.1:%s",
	    getenv("HT_BENCH_PORT") != NULL ? getenv("HT_BENCH_PORT") : "5699");
	HT_ASSERT(atexit(stop_all) == 0);
	floor_verify();
	floor_syscall();
	floor_commit(argv[1]);
	world = make_world(argv[1], address);
	result("log/append/cpu", bench_append(argv[1], world->log_key), "us",
	    "floor/ed25519-verify");
	bench_history(argv[1], &keep, &history);
	result("node/keep-answer/cpu", keep, "us", NULL);
	result("node/history/cpu", history, "us", "node/keep-answer/cpu");
	broker = start_broker(argv[2], argv[1]);
	alone(argv[1]);
	for (size_t i = 0; i < HT_COUNT(loads); i++)
		together(argv[1], broker, &loads[i]);
	stop(broker);
	ht_world_free(&world);
	write_json(argv[3]);
	return 0;
}
