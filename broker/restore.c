/*
 * restore.c -- a log made of a backup (hutong-broker(8), "BACKUP"): copied,
 * then read anew from the disk and recomputed whole, then held against what
 * was given out since the backup was made.
 */
#include "broker/restore.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/check/verify.h"
#include "broker/core_in.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/term/progress.h"

#define EVERY    1024 /* entries between looks at the clock */
#define SEEN_MAX 65536

struct restore {
	const struct ht_broker_conf *conf;
	const char *from, *dir;
	struct ht_report *report;
	struct ht_root root;
	struct ht_trust *trust;
	struct ht_buf seen;
	struct ht_progress progress;
	struct ht_copy copy;
	struct ht_verify verify;
};

static void
step(void *arg, uint64_t done, uint64_t total)
{
	struct ht_progress *p = arg;

	p->total = total;
	if (done % EVERY == 0 || done == total)
		ht_progress_step(p, done, ht_clock_mono_ms());
}

static void
begin(struct restore *r, const char *what, uint64_t total)
{
	ht_progress_init(
	    &r->progress, what, total, STDERR_FILENO, ht_clock_mono_ms());
}

static int
code_of(enum ht_err err)
{
	switch (err) {
	case HT_EINTEGRITY:
	case HT_EROLLBACK:
	case HT_EBADSIG:
		return HT_BROKER_INTEGRITY;
	case HT_EINVALID:
		return HT_BROKER_REFUSED;
	case HT_ESTORE:
		return HT_BROKER_STORE;
	default:
		return HT_BROKER_UNAVAILABLE;
	}
}

static int
fail(struct restore *r, const char *what, enum ht_err err)
{
	const char *text =
	    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err);

	ht_report_print(r->report, stderr);
	fprintf(stderr, "hutong-broker: %s: %s\n", what, text);
	return code_of(err);
}

static enum ht_err
load(struct restore *r, const char *seen)
{
	enum ht_err err =
	    rule_load(r->conf, NULL, NULL, r->report, &r->root, &r->trust);

	if (err != HT_OK || seen == NULL)
		return err;
	err = ht_fs_read(seen, &r->seen);
	if (err != HT_OK)
		ht_report_add(r->report, seen, "cannot be read");
	else if (r->seen.len == 0)
		/* What a shell leaves of a command that failed. */
		ht_report_add(r->report, seen,
		    "is empty, and no checkpoint; get the one that a member "
		    "keeps once more (hutong checkpoint), or leave --seen out");
	return err == HT_OK && r->seen.len == 0 ? HT_EINVALID : err;
}

static enum ht_err
copy(struct restore *r)
{
	HT_AUTO(ht_log_close) struct ht_log *from = NULL;
	enum ht_err err = ht_log_open(r->from, NULL, NULL, r->report, &from);

	if (err == HT_ENOTFOUND)
		ht_report_add(r->report, r->from, "there is no log");
	if (err != HT_OK)
		return err;
	r->copy = (struct ht_copy){
	    .from = from,
	    .dir = r->dir,
	    .kind = HT_COPY_RESTORE,
	    .vkey = &r->root.log,
	    .seen = ht_buf_slice(&r->seen),
	    .progress = step,
	    .arg = &r->progress,
	};
	begin(r, "copying", ht_log_size(from));
	err = ht_log_copy(&r->copy, r->report);
	ht_progress_fini(&r->progress);
	return err;
}

/* Of what was written now no piece is believed: all of it is recomputed. */
static enum ht_err
verify(struct restore *r)
{
	enum ht_err err;

	r->verify = (struct ht_verify){
	    .vkey = &r->root.log,
	    .trust = r->trust,
	    .progress = step,
	    .arg = &r->progress,
	};
	begin(r, "verifying", r->copy.size);
	err = ht_verify_log(r->dir, &r->verify);
	ht_progress_fini(&r->progress);
	if (err != HT_OK)
		ht_report_add(r->report, r->dir, "%s", r->verify.bad);
	else if (!ht_hash_eq(&r->verify.root, &r->copy.root))
		err = HT_EINTEGRITY;
	return err;
}

static void
print_good(const struct restore *r)
{
	char hex[2 * HT_HASH_SIZE + 1], last[HT_TIME_SIZE];

	ht_hex(hex, r->verify.root.at, HT_HASH_SIZE);
	ht_time_text(last, r->verify.last_us);
	printf("restored   %llu entries into %s\n",
	    (unsigned long long)r->verify.size, r->dir);
	printf("root       %s\n", hex);
	printf("last entry %s\n", last);
	printf("verified   every entry and hash, %llu checkpoints, %llu bundle "
	       "signatures, %llu vault pieces, %llu erasures\n",
	    (unsigned long long)r->verify.checkpoints,
	    (unsigned long long)r->verify.signatures,
	    (unsigned long long)r->verify.pieces,
	    (unsigned long long)r->verify.erasures);
	if (r->verify.no_key > 0)
		printf("           %llu bundles are signed by keys that the "
		       "directory does not have any more\n",
		    (unsigned long long)r->verify.no_key);
}

/* What stands between this and starting the broker. */
static int
print_next(const struct restore *r)
{
	unsigned long long ahead = r->copy.ahead;

	if (ahead == 0 && r->seen.len > 0) {
		printf("held up to the checkpoint given: nothing that it has "
		       "is missing\nnext       start the broker\n");
		return HT_BROKER_DONE;
	}
	if (ahead == 0) {
		printf("not held up to any newer checkpoint: what was logged "
		       "after the backup is missing, if there was anything; "
		       "--seen FILE takes one that a member kept\n"
		       "next       start the broker; it stops by itself when "
		       "a member has seen more\n");
		return HT_BROKER_DONE;
	}
	printf("BEHIND     a checkpoint of %llu entries was given out, and "
	       "this log does not continue it\n"
	       "next       look for a newer copy; the broker does not start "
	       "on this one without --accept-rollback %llu (ROLLBACK in "
	       "hutong-broker(8))\n",
	    ahead, ahead);
	return HT_BROKER_INTEGRITY;
}

static int
run(struct restore *r, const char *seen)
{
	enum ht_err err = ht_keys_init();

	if (err == HT_OK)
		err = load(r, seen);
	if (err != HT_OK)
		return fail(r,
		    "what the log must be held against cannot be "
		    "had",
		    err);
	err = copy(r);
	if (err != HT_OK)
		return fail(r, "nothing usable was restored", err);
	err = verify(r);
	if (err != HT_OK)
		return fail(r,
		    "what was restored does not hold, and no broker "
		    "will start on it",
		    err);
	err = ht_log_copy_done(r->dir);
	if (err != HT_OK)
		return fail(r, r->dir, err);
	print_good(r);
	return print_next(r);
}

int
ht_restore(const struct ht_broker_conf *conf, const char *from, const char *dir,
    const char *seen)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	static struct restore r; /* large: a root */
	int code;

	r = (struct restore){
	    .conf = conf,
	    .from = from,
	    .dir = dir != NULL ? dir : conf->log_dir,
	    .report = report,
	    .seen = HT_BUF(SEEN_MAX),
	};
	code = run(&r, seen);
	ht_trust_unref(&r.trust);
	ht_buf_fini(&r.seen);
	return code;
}
