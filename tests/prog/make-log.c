/*
 * make-log DIR -- a stopped log with a history in DIR/log, the authority's
 * folder in DIR/authority and every key in DIR/keys; prints the number of
 * entries.  With "late" as second argument some answers come late; with "long"
 * there are so many entries that a list of looks is proven by rolls, with
 * "past" as many, and the rolls are still to be made.  With "volumes" two
 * volumes of it are closed, and a third is, without its file yet; with "erased"
 * so, and something of the two is erased; with "split" so, exchanges begin in
 * one volume and end in the next, and all of them are about one firm.  With
 * "removed" so, and the first of the volumes is removed; with "aged" it is
 * as with "volumes", but four years ago, and all of the first is erased; with
 * "serve-removed" that, and "serve".  With "serve" as second argument it then
 * serves the audit socket DIR/audit until standard input ends; with
 * "serve-long" both.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/audit/server.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "schemas/status.h"
#include "tests/lib/history.h"

#define NOW_MS        UINT64_C(1795482123000)
#define FOUR_YEARS_US UINT64_C(126230400000000)
#define FIRM          "91999999MA00000079"
/* 2026-11-30T15:59:58Z */
#define BEFORE_MIDNIGHT_US UINT64_C(1796054398000000)

static struct ht_world *world;
static pthread_mutex_t committing = PTHREAD_MUTEX_INITIALIZER;

static void
done(enum ht_err err, const char *what)
{
	if (err == HT_OK)
		return;
	fprintf(stderr, "make-log: %s: %s\n", what, ht_err_text(err));
	exit(1);
}

static char *
under(const char *dir, const char *name)
{
	char *path = ht_fs_join(dir, name);

	done(path == NULL ? HT_ENOMEM : HT_OK, name);
	return path;
}

/* Answers past their promise, and past the end of a month in Beijing; then
 * refusals that are counted. */
static void
live_late(struct ht_history *h)
{
	h->answer_us = UINT64_C(9000000);
	ht_history_exchanges(h, 4, 4, 50, NULL);
	h->now_us = BEFORE_MIDNIGHT_US;
	h->answer_us = UINT64_C(5000000);
	ht_history_exchanges(h, 2, 2, 51, NULL);
	ht_history_refusals(h, "tax.demo/local", 40);
}

/* Looks at subjects 101 to 104, in turn. */
static void
live_long(struct ht_history *h)
{
	for (unsigned i = 0; i < 18; i++)
		ht_history_exchanges(h, 63, 1, 101 + i % 4, NULL);
}

/* One more is closed, and its entries are in a file. */
static void
close_volume(struct ht_history *h)
{
	ht_history_volume(h);
	ht_history_keep(h);
	ht_history_forget(h);
}

/*
 * Of the first volume some entries are erased by an order in the second, of
 * that one some by an order in the open range.
 */
static void
erase(struct ht_history *h, unsigned closed, uint64_t *of_second)
{
	if (closed == 1) {
		(void)ht_history_erase(h, 1, 2, 3);
		ht_history_exchanges(h, 5, 3, 40, of_second);
	} else {
		(void)ht_history_erase(h, 2, *of_second, 2);
	}
}

/* All are about this firm, by the world's tracker key. */
static void
know(struct ht_history *h)
{
	static struct ht_pseudonym firm;

	done(ht_pseudonym(world->tracker, ht_slice_str("uscc"),
	         ht_slice_str(FIRM), &firm),
	    "pseudonym");
	h->known = &firm;
}

static void
live_split(struct ht_history *h)
{
	know(h);
	ht_history_exchanges(h, 4, 3, 0, NULL);
	for (unsigned i = 0; i < 2; i++) {
		h->between = close_volume;
		ht_history_exchanges(h, 6, 4, 0, NULL);
		ht_history_exchanges(h, 3, 2, i, NULL);
	}
}

static void
live(struct ht_log *log, const char *how)
{
	bool late = strcmp(how, "late") == 0;
	bool is_long = strstr(how, "long") != NULL || strcmp(how, "past") == 0;
	bool erased = strcmp(how, "erased") == 0;
	bool aged = strcmp(how, "aged") == 0;
	bool removed = strstr(how, "removed") != NULL;
	bool split = removed || strcmp(how, "split") == 0;
	bool volumes = erased || aged || strcmp(how, "volumes") == 0;
	uint64_t of_second = 0;
	struct ht_history h;

	ht_history_init(&h, world, log);
	if (aged)
		h.now_us -= FOUR_YEARS_US;
	ht_history_start(&h);
	ht_history_exchanges(&h, 7, 5, 1, NULL);
	ht_history_refused(&h, HT_ST_PURPOSE);
	ht_history_stranger(&h);
	for (unsigned i = 0; i < 12; i++) {
		ht_history_exchanges(&h, 1 + i % 5, i % 2, 2 + i, NULL);
		if (volumes && (i == 3 || i == 7))
			close_volume(&h);
		if (erased && (i == 3 || i == 7))
			erase(&h, i == 3 ? 1 : 2, &of_second);
	}
	if (split)
		live_split(&h);
	if (volumes || split)
		ht_history_volume(&h);
	if (aged)
		ht_history_erase_oldest(&h);
	if (removed) {
		ht_history_start(&h);
		ht_history_remove(&h);
		ht_history_exchanges(&h, 3, 2, 0, NULL);
	}
	ht_history_refused(&h, HT_ST_NO_GRANT);
	if (late)
		live_late(&h);
	if (is_long)
		live_long(&h);
	ht_history_stop(&h);
}

static enum ht_err
append_roots(void *arg, const struct ht_slice *payloads, size_t n)
{
	struct ht_slice note;

	for (size_t i = 0; i < n; i++) {
		struct ht_entry e = {.type = HT_ENTRY_INDEX_ROOT,
		    .time_us = ht_clock_wall_us(),
		    .payload = payloads[i]};

		done(ht_log_append(arg, &e, NULL), "root");
	}
	return ht_log_commit(arg, &note);
}

static bool
find_auditor(void *arg, struct ht_slice name, struct ht_vkey *ret)
{
	const struct ht_root *root = ht_trust_root(world->trust);

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
	struct ht_entry e = {.type = HT_ENTRY_AUDIT_QUERY,
	    .time_us = ht_clock_wall_us(),
	    .payload = payload};
	struct ht_slice checkpoint;

	pthread_mutex_lock(&committing);
	done(ht_log_append(arg, &e, NULL), "note");
	done(ht_log_commit(arg, &checkpoint), "note");
	pthread_mutex_unlock(&committing);
	*ret_seq = e.seq;
	return HT_OK;
}

static void
serve(const char *dir, struct ht_log *log, struct ht_index *index)
{
	char *path = under(dir, "audit");
	struct ht_audit_config config = {.path = path,
	    .log = log,
	    .index = index,
	    .auditor = find_auditor,
	    .note = note,
	    .arg = log};
	struct ht_audit_server *server = NULL;
	char c;

	done(ht_audit_server_start(&config, &server), "server");
	printf("serving\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		continue;
	ht_audit_server_stop(&server);
	free(path);
}

int
main(int argc, char **argv)
{
	struct ht_report *report = ht_report_new();
	struct ht_log *log = NULL;
	struct ht_index *index = NULL;
	char *log_dir, *index_dir;
	const char *how = argc > 2 ? argv[2] : "";
	bool more = true;

	if (argc < 2) {
		fprintf(stderr,
		    "usage: make-log DIR "
		    "[late|long|past|volumes|erased|split|removed|aged|"
		    "serve|serve-long|serve-removed]\n");
		return 2;
	}
	done(ht_keys_init(), "keys");
	world = ht_world_new(NOW_MS);
	ht_world_write(world, argv[1]);
	log_dir = under(argv[1], "log");
	index_dir = under(log_dir, "index");
	done(ht_log_open(log_dir, "gx.demo/log", world->log_key, report, &log),
	    "log");
	live(log, how);
	done(ht_index_open(index_dir, log, &index), "index");
	while (more)
		done(ht_index_catch_up(index, 1000, &more), "index");
	if (strcmp(how, "past") != 0)
		done(ht_index_roots(index, append_roots, log), "roots");
	done(ht_index_catch_up(index, 1000, &more), "index");
	printf("%llu\n", (unsigned long long)ht_log_size(log));
	fflush(stdout);
	if (strncmp(how, "serve", 5) == 0)
		serve(argv[1], log, index);
	ht_index_close(&index);
	ht_log_close(&log);
	ht_world_free(&world);
	ht_report_free(&report);
	free(log_dir);
	free(index_dir);
	return 0;
}
