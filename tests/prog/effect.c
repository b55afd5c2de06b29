/*
 * effect.c -- how long after the officers' signatures a grant takes effect, or
 * ends, in a catalog made by bigcatalog: at the broker, at the provider's node
 * and at the consumer's; and what of it each step takes.
 *
 * usage: effect DIR BIN PUBLISH OUT.json      as tests/bench/run-grants does
 *
 * All of it runs on this machine, side by side.  A consumer asks all the time,
 * by a grant that stays: the latency of its answers while another grant changes
 * tells whether the exchange goes on meanwhile.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "adapters/hutong.h"
#include "keys/merkle.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/panic.h"
#include "schemas/doc.h"
#include "schemas/trust.h"
#include "tests/lib/world.h"

#define RESULTS  64
#define READY_MS 900000 /* on a busy machine */
#define PACE_MS  10     /* between two questions, unless $PACE says so */
#define ASKS_MAX 120000
#define CALM_MS  2000 /* before a change, and after it has come */
#define GIVE_UP  60.0 /* seconds */
#define SLOW     5.0  /* worth a word */
#define VERIFIES 2000

_Noreturn static void
die(const char *doing, enum ht_err err)
{
	fprintf(stderr, "effect: %s: %s\n", doing, ht_err_text(err));
	exit(1);
}

/* The script's clock, too. */
static double
seconds(void)
{
	struct timespec t;

	HT_ASSERT(clock_gettime(CLOCK_REALTIME, &t) == 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- results ---- */

static json_t *results;

static void
result(const char *of, const char *name, double value, const char *unit)
{
	char full[128];

	snprintf(full, sizeof(full), "%s/%s", of, name);
	fprintf(stderr, "%-34s %10.1f %s\n", full, value, unit);
	json_array_append_new(results, json_pack("{s:s, s:f, s:s}", "name",
	                                   full, "value", value, "unit", unit));
}

/* ---- processes ---- */

/* Of /proc/PID/status: "VmRSS:", "VmHWM:", in MiB. */
static double
memory_mib(pid_t pid, const char *what)
{
	char path[64], line[256];
	double kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, what, strlen(what)) == 0)
			kib = strtod(line + strlen(what), NULL);
	if (file != NULL)
		fclose(file);
	return kib / 1024;
}

/*
 * Not by fork(): it would have each page of this process, which is a node,
 * copied at its next write, and a second of that would be taken for the node's
 * own.
 */
static pid_t
start(const char *command)
{
	char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, NULL, NULL};
	pid_t pid;

	argv[2] = strdup(command);
	if (argv[2] == NULL ||
	    posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ) != 0)
		die(command, HT_ESYSTEM);
	free(argv[2]);
	return pid;
}

/* To its end; false if it failed. */
static bool
shell(const char *command)
{
	int status = 0;
	pid_t pid = start(command);

	return waitpid(pid, &status, 0) == pid && status == 0;
}

static void
stop(pid_t pid)
{
	kill(pid, SIGTERM);
	(void)waitpid(pid, NULL, 0);
}

/* ---- nodes ---- */

static struct ht_node *
open_node(const char *dir, const char *member)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	char root[512], sign[512], transport[512], seal[512], state[512];
	struct ht_node_conf conf = {
	    .root = root,
	    .member = member,
	    .node = "main",
	    .signing = sign,
	    .transport = transport,
	    .sealing = seal,
	    .state = state,
	};
	struct ht_node *node = NULL;
	enum ht_err err;

	snprintf(root, sizeof(root), "%s/authority/root.note", dir);
	snprintf(
	    sign, sizeof(sign), "%s/keys/%s/main-signing.key", dir, member);
	snprintf(transport, sizeof(transport), "%s/keys/%s/main-transport.key",
	    dir, member);
	snprintf(seal, sizeof(seal), "%s/keys/%s/sealing.key", dir, member);
	snprintf(state, sizeof(state), "%s/run/%s", dir, member);
	err = ht_node_open(&conf, report, &node);
	if (err != HT_OK) {
		ht_report_print(report, stderr);
		die("opening a node", err);
	}
	return node;
}

static void
wait_ready(struct ht_node *node)
{
	uint64_t until = ht_clock_mono_ms() + READY_MS;

	while (!ht_node_ready(node)) {
		enum ht_err err = ht_node_step(node, -1, 20, NULL);

		if (err != HT_OK)
			die("connecting", err);
		if (ht_clock_mono_ms() > until) {
			fprintf(stderr, "effect: not connected: %s\n",
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

	(void)!ht_node_answer(p->node, call->id, p->records, false, NULL);
}

/* The provider's process: it says when it is ready, and serves on. */
_Noreturn static void
provide(const char *dir, const char *said)
{
	struct provider p = {.records = json_pack("[{s:s}]", "data", "x")};
	double from = seconds();
	FILE *file;

	p.node = open_node(dir, "scjg.demo/registry");
	if (ht_node_serve(p.node, "gx.demo/BENCH", serve, &p) != HT_OK)
		die("serving", HT_ENOMEM);
	wait_ready(p.node);
	file = fopen(said, "w");
	if (file == NULL || fprintf(file, "%.3f\n", seconds() - from) < 0 ||
	    fclose(file) != 0)
		die(said, HT_ESYSTEM);
	while (ht_node_step(p.node, -1, 1000, NULL) == HT_OK)
		;
	exit(1);
}

static pid_t
start_provider(const char *dir, const char *said)
{
	pid_t pid = fork();

	if (pid == -1)
		die("starting the provider", HT_ESYSTEM);
	if (pid != 0)
		return pid;
	execl("/proc/self/exe", "effect", "--provide", dir, said, (char *)NULL);
	_exit(127);
}

/* ---- asking ---- */

enum way { STEADY, FORCED, OWN, WAYS }; /* OWN: if our own node agrees */

struct run {
	struct ht_node *node;
	char target[64];
	bool ends;       /* else it begins */
	double from;     /* the notes are signed */
	double broker;   /* it decides by the change; 0: not yet */
	double provider; /* the provider's node does, too */
	double consumer; /* and the one that asks */
	double has;      /* its snapshot is the new one */
	uint64_t before; /* the snapshot of before */
	unsigned in_flight;
	size_t n;
	struct sample {
		double at, took;
	} * samples; /* of the grant that stays */
};

struct one {
	struct run *run;
	enum way way;
	double from;
};

static void
note_first(double *at)
{
	if (*at == 0)
		*at = seconds();
}

/*
 * Only what was asked since the notes were signed counts: a question of an
 * earlier change may have gone on until its life was over.  And only a decision
 * about the grant does.
 */
static void
note_change(struct run *run, enum way way, double asked_at,
    const struct ht_asked *asked)
{
	bool allowed = asked->status == HT_ST_OK;

	if (asked_at < run->from ||
	    (!allowed && asked->status != HT_ST_GRANT_STATE &&
	        asked->status != HT_ST_NO_GRANT))
		return;
	if (way == OWN) {
		if (run->ends ? !allowed && asked->refused_by == HT_WHO_CALLER
		              : allowed)
			note_first(&run->consumer);
		return;
	}
	if (run->ends) {
		if (!allowed && asked->refused_by == HT_WHO_OPERATOR)
			note_first(&run->broker);
		return;
	}
	if (allowed || asked->refused_by == HT_WHO_PROVIDER)
		note_first(&run->broker);
	if (allowed)
		note_first(&run->provider);
}

static void
answered(void *arg, struct ht_asked *asked)
{
	struct one *one = arg;
	struct run *run = one->run;

	if (seconds() - one->from > SLOW)
		fprintf(stderr, "effect: a question took %.1f s: %s\n",
		    seconds() - one->from, ht_status_name(asked->status));
	if (one->way == STEADY && asked->status != HT_ST_OK)
		fprintf(stderr, "effect: a steady question was refused: %s\n",
		    ht_status_name(asked->status));
	if (one->way == STEADY && run->n < ASKS_MAX)
		run->samples[run->n++] =
		    (struct sample){one->from, seconds() - one->from};
	if (one->way != STEADY)
		note_change(run, one->way, one->from, asked);
	run->in_flight--;
	ht_asked_fini(asked);
	free(one);
}

static void
ask(struct run *run, enum way way)
{
	HT_AUTO(ht_json_free) json_t *params = json_pack("{s:s}", "id", "1");
	const struct ht_ask asks = {
	    .item = "gx.demo/BENCH",
	    .operation = HT_OP_QUERY,
	    .purpose = "tax-registration",
	    .grant = way == STEADY ? "gx.demo/900" : run->target,
	    .params = params,
	    .life_ms = 60000,
	    .despite_policy = way == FORCED,
	};
	struct one *one = malloc(sizeof(*one));

	HT_ASSERT(one != NULL && params != NULL);
	*one = (struct one){run, way, seconds()};
	run->in_flight++;
	if (ht_node_begin(run->node, &asks, answered, one) == HT_OK)
		return;
	run->in_flight--;
	free(one);
}

static double
pace_s(void)
{
	const char *given = getenv("PACE");
	int ms = given != NULL ? atoi(given) : PACE_MS;

	return (ms > 0 ? ms : PACE_MS) / 1e3;
}

/* Turn by turn, at a pace that leaves the machine some room. */
static void
play(struct run *run, double until)
{
	static unsigned turn;
	double next = seconds(), pace = pace_s();

	while (seconds() < until &&
	       (run->from == 0 || run->consumer == 0 || run->broker == 0 ||
	           (!run->ends && run->provider == 0))) {
		if (seconds() >= next) {
			next = seconds() + pace;
			turn++;
			ask(run, STEADY);
			if (run->from != 0)
				ask(run, turn % 2 ? FORCED : OWN);
		}
		if (ht_node_step(run->node, -1, 1, NULL) != HT_OK)
			die("asking", HT_ESYSTEM);
		if (run->from != 0 &&
		    ht_trust_version(ht_node_trust(run->node)) != run->before)
			note_first(&run->has);
	}
}

static int
by_took(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	return (x->took > y->took) - (x->took < y->took);
}

/* Of the samples since @from; sorts them. */
static void
tell_latency(struct run *run, size_t from, const char *of, const char *when)
{
	struct sample *at = run->samples + from;
	size_t n = run->n - from;
	char name[64];

	if (n == 0)
		return;
	qsort(at, n, sizeof(*at), by_took);
	snprintf(name, sizeof(name), "%s/p50", when);
	result(of, name, at[n / 2].took * 1e3, "ms");
	snprintf(name, sizeof(name), "%s/p99", when);
	result(of, name, at[n * 99 / 100].took * 1e3, "ms");
	snprintf(name, sizeof(name), "%s/longest", when);
	result(of, name, at[n - 1].took * 1e3, "ms");
}

/* ---- a change ---- */

/* What the script noted: "step seconds" a line. */
static void
tell_steps(const char *dir, const char *of, double from)
{
	char path[512], step[64];
	double at, before = from;
	FILE *file;

	snprintf(path, sizeof(path), "%s/run/steps", dir);
	file = fopen(path, "r");
	while (file != NULL && fscanf(file, "%63s %lf", step, &at) == 2) {
		result(of, step, (at - before) * 1e3, "ms");
		before = at;
	}
	if (file != NULL)
		fclose(file);
}

static double
since(const struct run *run, double at)
{
	return at == 0 ? -1 : (at - run->from) * 1e3;
}

/* @act: as the script knows it. */
static void
change(struct run *run, const char *dir, const char *publish, const char *act,
    const char *name)
{
	char command[2048];
	size_t before = run->n, during;
	pid_t pid;

	run->from = run->broker = run->provider = run->consumer = 0;
	run->has = 0;
	run->before = ht_trust_version(ht_node_trust(run->node));
	run->ends = strcmp(act, "end") == 0 || strcmp(act, "suspend") == 0;
	snprintf(command, sizeof(command), "%s sign %s %s %s", publish, dir,
	    act, run->target);
	if (!shell(command))
		die(command, HT_EINVALID);
	play(run, seconds() + CALM_MS / 1e3);
	tell_latency(run, before, name, "before");
	while (run->in_flight > 0)
		if (ht_node_step(run->node, -1, 1, NULL) != HT_OK)
			die("asking", HT_ESYSTEM);
	during = run->n;
	snprintf(command, sizeof(command),
	    "exec %s publish %s %s %s >%s/run/%s.log 2>&1", publish, dir, act,
	    run->target, dir, act);
	run->from = seconds();
	pid = start(command);
	play(run, run->from + GIVE_UP);
	(void)waitpid(pid, NULL, 0);
	tell_steps(dir, name, run->from);
	result(name, "broker-decides", since(run, run->broker), "ms");
	if (!run->ends)
		result(
		    name, "provider-decides", since(run, run->provider), "ms");
	if (run->has != 0)
		result(name, "consumer-has", since(run, run->has), "ms");
	result(name, "consumer-decides", since(run, run->consumer), "ms");
	tell_latency(run, during, name, "meanwhile");
}

/* ---- floors ---- */

static void
floor_verify(void)
{
	static uint8_t text[400];
	struct ht_key *key = ht_world_key(HT_KEY_SIGNING, "effect");
	struct ht_pub pub = ht_key_pub(key);
	struct ht_sig sig;
	double from;

	if (ht_sign(key, "hutong-bench/v1\n", HT_SLICE(text, sizeof(text)),
	        &sig) != HT_OK)
		die("signing", HT_ESYSTEM);
	from = seconds();
	for (int i = 0; i < VERIFIES; i++)
		if (ht_verify(&pub, "hutong-bench/v1\n",
		        HT_SLICE(text, sizeof(text)), &sig) != HT_OK)
			die("verifying", HT_EBADSIG);
	result("floor", "three-signatures", (seconds() - from) * 3e3 / VERIFIES,
	    "ms");
	ht_key_free(&key);
}

/* Whoever checks a list hashes it, once. */
static void
floor_list(const char *dir)
{
	HT_AUTO(ht_buf_fini) struct ht_buf list = HT_BUF(256 << 20);
	HT_AUTO(ht_mem_free)
	char *path = ht_fs_join(dir, "authority/snapshot.list");
	HT_AUTO(ht_mem_free) struct ht_list_line *lines = NULL;
	struct ht_hash root;
	size_t n = 0;
	double from;

	if (path == NULL || ht_fs_read(path, &list) != HT_OK ||
	    ht_list_parse(ht_buf_slice(&list), path, NULL, &lines, &n) != HT_OK)
		die("reading the list", HT_EINVALID);
	from = seconds();
	if (ht_list_root(lines, n, &root) != HT_OK)
		die("hashing the list", HT_ENOMEM);
	result("floor", "hash-the-list", (seconds() - from) * 1e3, "ms");
	result("size", "documents", (double)n, "");
}

/* ---- all of it ---- */

static pid_t
start_broker(const char *dir, const char *bin)
{
	char command[2048];
	double from = seconds();
	pid_t pid;

	snprintf(command, sizeof(command),
	    "exec %s/hutong-broker --config %s/broker.yaml "
	    "2>>%s/run/broker.log",
	    bin, dir, dir);
	pid = start(command);
	snprintf(command, sizeof(command),
	    "%s/hutong-broker ctl --config %s/broker.yaml status "
	    ">/dev/null 2>&1",
	    bin, dir);
	while (!shell(command)) {
		if (waitpid(pid, NULL, WNOHANG) == pid ||
		    seconds() - from > READY_MS / 1e3)
			die("starting the broker", HT_EINVALID);
		(void)usleep(20000);
	}
	result("broker", "start", (seconds() - from) * 1e3, "ms");
	result("broker", "memory", memory_mib(pid, "VmRSS:"), "MiB");
	result("broker", "memory-at-most", memory_mib(pid, "VmHWM:"), "MiB");
	return pid;
}

static pid_t
first_fetch(const char *dir)
{
	char said[512];
	double from = seconds();
	pid_t pid;

	snprintf(said, sizeof(said), "%s/run/ready", dir);
	pid = start_provider(dir, said);
	while (access(said, F_OK) != 0) {
		if (waitpid(pid, NULL, WNOHANG) == pid ||
		    seconds() - from > READY_MS / 1e3)
			die("the provider's node", HT_EINVALID);
		(void)usleep(10000);
	}
	result("node", "first-fetch", (seconds() - from) * 1e3, "ms");
	result("node", "memory", memory_mib(pid, "VmRSS:"), "MiB");
	result("node", "memory-at-most", memory_mib(pid, "VmHWM:"), "MiB");
	return pid;
}

static void
measure(const char *dir, const char *bin, const char *publish)
{
	struct run run = {.samples = calloc(ASKS_MAX, sizeof(*run.samples))};
	pid_t broker, provider;

	HT_ASSERT(run.samples != NULL);
	floor_verify();
	floor_list(dir);
	broker = start_broker(dir, bin);
	provider = first_fetch(dir);
	run.node = open_node(dir, "tax.demo/state");
	wait_ready(run.node);
	snprintf(run.target, sizeof(run.target), "gx.demo/9%llu",
	    (unsigned long long)ht_clock_wall_ms() / 1000);
	change(&run, dir, publish, "begin", "new-grant");
	change(&run, dir, publish, "end", "end-grant");
	change(&run, dir, publish, "again", "again");
	change(&run, dir, publish, "suspend", "suspend");
	result("broker", "memory-after", memory_mib(broker, "VmRSS:"), "MiB");
	result("node", "memory-after", memory_mib(provider, "VmRSS:"), "MiB");
	ht_node_close(&run.node);
	stop(provider);
	stop(broker);
	free(run.samples);
}

int
main(int argc, char **argv)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1 << 16);

	if (ht_keys_init() != HT_OK)
		die("starting", HT_ESYSTEM);
	if (argc == 4 && strcmp(argv[1], "--provide") == 0)
		provide(argv[2], argv[3]);
	if (argc != 5) {
		fprintf(stderr, "usage: effect DIR BIN PUBLISH OUT.json\n");
		return 2;
	}
	results = json_array();
	measure(argv[1], argv[2], argv[3]);
	if (ht_json_print(results, &text) != HT_OK)
		die("printing", text.err);
	ht_buf_str(&text, "\n");
	if (ht_fs_replace(argv[4], 0644, ht_buf_slice(&text)) != HT_OK)
		die(argv[4], HT_ESYSTEM);
	json_decref(results);
	return 0;
}
