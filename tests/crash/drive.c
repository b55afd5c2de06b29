/*
 * drive.c -- drive DIR SEED STEPS [BACKUP]: a life of a log, for the recorder
 * to watch.
 *
 * Opens DIR/log (which may be what a crash left), and does STEPS things that a
 * broker does: groups small and large, groups dropped, index, stops and
 * starts.  Each checkpoint that the log hands out is a mark in the trace and
 * a line "tree SIZE ROOT" on standard output.  Nothing is marked before the
 * log has said so.
 *
 * With BACKUP the log is copied to BACKUP/log now and then, as a broker's
 * backup does; each that ended well is a mark "backed SIZE".
 *
 * Exit codes: 0; 3 the log failed, and took no more work; 4 the index failed;
 * 5 an erasure did (the next start finishes it); 6 a volume's file could not
 * be written (the next attempt writes it); 9 the log failed, and went on
 * all the same.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/index/index.h"
#include "broker/log/copy.h"
#include "broker/log/erase.h"
#include "broker/log/volumes.h"
#include "lib/base/fs.h"
#include "schemas/status.h"
#include "tests/lib/history.h"

#define NOW_MS UINT64_C(1795482123000)
#define ORIGIN "gx.demo/log"

static struct {
	struct ht_world *world;
	char *log_dir, *index_dir;
	char *backup_dir; /* NULL: none */
	struct ht_report *report;
	struct ht_log *log;
	struct ht_index *index;
	struct ht_history history;
	struct ht_vkey vkey;
	void (*mark)(const char *text); /* the recorder's, if it watches */
	unsigned erased;                /* subjects of erased looks */
} d;

/* ---- what the log hands out ---- */

static void
promise(const char *text)
{
	if (d.mark != NULL)
		d.mark(text);
	printf("%s\n", text);
	fflush(stdout);
}

static void
told(void *arg, struct ht_slice note)
{
	struct ht_checkpoint cp;
	char root[2 * HT_HASH_SIZE + 1], text[128];

	(void)arg;
	if (ht_checkpoint_open(note, &d.vkey, &cp) != HT_OK) {
		fprintf(stderr, "drive: the log handed out a bad note\n");
		exit(9);
	}
	ht_hex(root, cp.root.at, HT_HASH_SIZE);
	(void)snprintf(text, sizeof(text), "tree %llu %s",
	    (unsigned long long)cp.size, root);
	promise(text);
}

/* A log that failed must not take one entry more. */
_Noreturn static void
failed(void *arg, enum ht_err err)
{
	struct ht_entry e = {.type = HT_ENTRY_STOP,
	    .payload = HT_SLICE("\x81\xa6reason\xa4limp", 13)};
	struct ht_slice note;

	(void)arg;
	fprintf(stderr, "drive: %s\n", ht_err_text(err));
	ht_report_print(d.report, stderr);
	if (d.log != NULL && ht_log_append(d.log, &e, NULL) == HT_OK &&
	    ht_log_commit(d.log, &note) == HT_OK) {
		told(NULL, note);
		_exit(9);
	}
	ht_log_close(&d.log);
	_exit(3);
}

static void
must(enum ht_err err)
{
	if (err != HT_OK)
		failed(NULL, err);
}

/* What is derived may fail, and the log be sound. */
static void
must_index(enum ht_err err)
{
	if (err == HT_OK)
		return;
	fprintf(stderr, "drive: index: %s\n", ht_err_text(err));
	_exit(4);
}

/* It has a descriptor of its own; the committer's will learn of a bad disk. */
static void
must_erase(enum ht_err err)
{
	if (err == HT_OK)
		return;
	fprintf(stderr, "drive: erasure: %s\n", ht_err_text(err));
	_exit(5);
}

/* A volume's file is not the log: its entries stay where they are. */
static void
must_write(enum ht_err err)
{
	if (err == HT_OK)
		return;
	fprintf(stderr, "drive: volume: %s\n", ht_err_text(err));
	_exit(6);
}

/* ---- steps ---- */

/* It hands out a checkpoint at once: that of a reader who asks. */
static void
start(void)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(4096);

	must(
	    ht_log_open(d.log_dir, ORIGIN, d.world->log_key, d.report, &d.log));
	must(ht_log_checkpoint(d.log, &note));
	told(NULL, ht_buf_slice(&note));
	d.history.log = d.log;
	must_index(ht_index_open(d.index_dir, d.log, &d.index));
}

static void
stop(void)
{
	ht_index_close(&d.index);
	ht_log_close(&d.log);
}

static void
restart(void)
{
	stop();
	start();
}

/* Something is begun, and nothing comes of it. */
static void
drop(void)
{
	struct ht_entry e = {.type = HT_ENTRY_STOP,
	    .payload = HT_SLICE("\x81\xa6reason\xa4none", 13)};
	uint8_t body[900] = {1, 2, 3};

	must(ht_log_vault(
	    d.log, HT_SLICE(NULL, 0), HT_SLICE(body, sizeof(body)), &e));
	e.segment = e.body_len = 0;
	e.offset = 0;
	must(ht_log_append(d.log, &e, NULL));
	ht_log_drop(d.log);
}

static void
catch_up(void)
{
	bool more;

	must_index(ht_index_catch_up(d.index, 40, &more));
}

/* ---- erasing ---- */

#define LATER (NOW_MS + UINT64_C(86400000))

static uint64_t
log_order(struct ht_erasure *plan, const struct ht_doc *order)
{
	struct ht_buf payload = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e = {.type = HT_ENTRY_ERASE};
	struct ht_slice note;

	must(ht_erase_payload(plan, order, HT_HISTORY_OFFICERS, &payload));
	e.payload = ht_buf_slice(&payload);
	must(ht_log_append(d.log, &e, NULL));
	must(ht_log_commit(d.log, &note));
	told(NULL, note);
	ht_buf_fini(&payload);
	return e.seq;
}

/* From here on the pseudonym may stand nowhere on the disk. */
static void
promise_gone(unsigned subject)
{
	struct ht_pseudonym gone = ht_history_subject(subject);
	char hex[2 * HT_PSEUDONYM_SIZE + 1], text[80];

	ht_hex(hex, gone.at, HT_PSEUDONYM_SIZE);
	(void)snprintf(text, sizeof(text), "gone %s", hex);
	promise(text);
}

/* Looks at somebody, found by the index, and erased: as the broker does it. */
static void
look_and_erase(unsigned n)
{
	static const atomic_bool never;
	unsigned subject =
	    5000 + (unsigned)(d.history.now_us / 1000000 % 1000000);
	struct ht_erasure *plan = NULL;
	struct ht_doc *order;
	uint64_t first, by;

	ht_history_exchanges(&d.history, n, n, subject, &first);
	catch_up();
	d.erased++;
	order = ht_history_order(d.world, d.erased, first, n);
	must(ht_erase_plan(d.log, order, NULL, LATER, &never, d.report, &plan));
	must_erase(ht_erase_promise(d.log, plan));
	must_index(ht_index_destroy(d.index));
	by = log_order(plan, order);
	must_erase(ht_erase_carry_out(d.log, plan, by));
	ht_index_go_on(d.index);
	promise_gone(subject);
	ht_erasure_free(&plan);
	ht_doc_unref(&order);
}

/* ---- volumes ---- */

/* Closed, written, taken, emptied; or not so far, for a later step. */
static void
volume(unsigned far)
{
	struct ht_volumes_now now;
	uint64_t end;

	must(ht_log_volumes_now(d.log, &now));
	if (ht_log_size(d.log) > now.state.first + 1)
		ht_history_volume(&d.history);
	must(ht_log_volumes_now(d.log, &now));
	if (far > 0 && now.state.kept < now.state.first) {
		must_write(ht_volumes_write(d.log, NULL, &end));
		ht_history_take(&d.history, end);
	}
	if (far > 1)
		ht_history_forget(&d.history);
}

/* ---- backups ---- */

static void
back_up(void)
{
	struct ht_copy copy = {.from = d.log,
	    .dir = d.backup_dir,
	    .kind = HT_COPY_BACKUP,
	    .vkey = &d.vkey};
	char text[40];

	must(ht_log_copy(&copy, d.report));
	(void)snprintf(
	    text, sizeof(text), "backed %llu", (unsigned long long)copy.size);
	promise(text);
}

static void
step(void)
{
	unsigned choice = (unsigned)random() % 100;
	unsigned n = 1 + (unsigned)random() % 6;

	if (choice < 50)
		ht_history_exchanges(
		    &d.history, n, (unsigned)random() % (n + 1), n, NULL);
	else if (choice < 58)
		ht_history_refused(&d.history, HT_ST_PURPOSE);
	else if (choice < 62)
		ht_history_stranger(&d.history);
	else if (choice < 66)
		ht_history_exchanges(&d.history, 40, 37, 7, NULL);
	else if (choice < 72)
		drop();
	else if (choice < 78)
		look_and_erase(n);
	else if (choice < 86)
		volume((unsigned)random() % 4);
	else if (choice < 92)
		catch_up();
	else
		restart();
}

int
main(int argc, char **argv)
{
	struct ht_pub pub;
	unsigned long steps;

	if (argc < 4 || argc > 5 || ht_keys_init() != HT_OK) {
		fprintf(stderr, "usage: drive DIR SEED STEPS [BACKUP]\n");
		return 2;
	}
	if (argc == 5)
		d.backup_dir = ht_fs_join(argv[4], "log");
	d.world = ht_world_new(NOW_MS);
	d.report = ht_report_new();
	d.log_dir = ht_fs_join(argv[1], "log");
	d.index_dir = ht_fs_join(d.log_dir, "index");
	*(void **)&d.mark = dlsym(RTLD_DEFAULT, "crash_mark");
	pub = ht_key_pub(d.world->log_key);
	must(ht_vkey_make(ORIGIN, &pub, &d.vkey));
	srandom((unsigned)strtoul(argv[2], NULL, 10));
	steps = strtoul(argv[3], NULL, 10);
	ht_history_init(&d.history, d.world, NULL);
	d.history.committed = told;
	d.history.failed = failed;
	/* Records of another life: other ids. */
	d.history.records = strtoull(argv[2], NULL, 10) * 1000000;
	start();
	ht_history_start(&d.history);
	for (unsigned long i = 0; i < steps; i++) {
		step();
		if (d.backup_dir != NULL && i % 3 == 2)
			back_up();
	}
	catch_up();
	ht_history_stop(&d.history);
	stop();
	free(d.log_dir);
	free(d.index_dir);
	free(d.backup_dir);
	ht_report_free(&d.report);
	ht_world_free(&d.world);
	return 0;
}
