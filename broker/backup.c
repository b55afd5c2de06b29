/*
 * backup.c -- a copy of the log while it is written, by a thread of its own,
 * at the operator's word (hutong-broker(8), "BACKUP").
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "broker/core_in.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"
#include "lib/base/text.h"

static void
ended(struct backup *b, enum backup_state state, const char *why)
{
	HT_ASSERT(pthread_mutex_lock(&b->lock) == 0);
	b->state = state;
	snprintf(b->why, sizeof(b->why), "%s", why);
	if (state == BACKUP_DONE) {
		b->good_size = b->copy.size;
		b->good_s = ht_clock_wall_ms() / 1000;
		b->good_same_disk = why[0] != '\0';
	}
	HT_ASSERT(pthread_mutex_unlock(&b->lock) == 0);
}

static void
failed(struct backup *b, enum ht_err err, const struct ht_report *report)
{
	char why[sizeof(b->why)];
	unsigned n = ht_report_count(report);
	const char *text = err == HT_ESYSTEM  ? strerror(errno)
	                   : err == HT_EAGAIN ? "the broker is stopping"
	                                      : ht_err_text(err);

	if (n > 0)
		snprintf(why, sizeof(why), "%s: %s",
		    ht_report_where(report, n - 1),
		    ht_report_text(report, n - 1));
	else
		snprintf(why, sizeof(why), "%s", text);
	ht_log(HT_ERROR, "broker: the backup into %s did not end well: %s",
	    b->dir, why);
	ended(b, BACKUP_FAILED, why);
}

/* A folder under which no disk was mounted is on the log's own. */
static bool
on_one_disk(const char *a, const char *b)
{
	struct stat of_a, of_b;

	return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 &&
	       of_a.st_dev == of_b.st_dev;
}

static void
done(struct core *core)
{
	struct backup *b = &core->backup;
	const char *why = "";

	ht_log(HT_INFO,
	    "broker: backup into %s: %llu entries, %llu of them new", b->dir,
	    (unsigned long long)b->copy.size,
	    (unsigned long long)(b->copy.size - b->copy.had));
	if (on_one_disk(b->dir, core->conf->log_dir)) {
		why = "it is on the log's own disk, and would be lost with "
		      "it; is the other disk mounted?";
		ht_log(HT_WARN, "broker: the backup in %s: %s", b->dir, why);
	}
	ended(b, BACKUP_DONE, why);
}

static void *
run(void *arg)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct core *core = arg;
	struct backup *b = &core->backup;
	enum ht_err err;

	(void)pthread_setname_np(pthread_self(), "backup");
	err = ht_log_copy(&b->copy, report);
	if (err == HT_OK) {
		done(core);
	} else {
		failed(b, err, report);
	}
	atomic_store(&b->busy, false);
	return NULL;
}

static void
join(struct backup *b)
{
	if (b->started)
		HT_ASSERT(pthread_join(b->thread, NULL) == 0);
	b->started = false;
}

/* As it is in the log, and in messages: one line, seen from the root. */
static bool
is_path(struct ht_slice dir)
{
	if (dir.len == 0 || dir.len > HT_BACKUP_PATH_MAX || dir.at[0] != '/')
		return false;
	for (size_t i = 0; i < dir.len; i++)
		if (dir.at[i] < ' ' || dir.at[i] == 0x7f)
			return false;
	return ht_utf8_valid(dir);
}

bool
backup_may(const struct core *core, struct ht_slice dir, const char **ret_why)
{
	*ret_why = NULL;
	if (!is_path(dir))
		*ret_why = "the folder must be named from the root, in at "
		           "most 500 bytes of one line";
	else if (atomic_load(&core->backup.busy))
		*ret_why = "another backup is going on";
	else if (atomic_load(&core->eraser.busy))
		*ret_why = "an erasure is going on; let it end first";
	return *ret_why == NULL;
}

enum ht_err
backup_take(struct core *core, struct ht_slice dir)
{
	struct backup *b = &core->backup;

	join(b);
	HT_ASSERT(pthread_mutex_lock(&b->lock) == 0);
	snprintf(
	    b->dir, sizeof(b->dir), "%.*s", (int)dir.len, (const char *)dir.at);
	b->copy = (struct ht_copy){
	    .from = core->log,
	    .dir = b->dir,
	    .kind = HT_COPY_BACKUP,
	    .vkey = &core->root.log,
	    .stop = &b->stop,
	};
	b->state = BACKUP_RUNS;
	b->why[0] = '\0';
	HT_ASSERT(pthread_mutex_unlock(&b->lock) == 0);
	atomic_store(&b->busy, true);
	if (pthread_create(&b->thread, NULL, run, core) != 0) {
		atomic_store(&b->busy, false);
		ended(b, BACKUP_FAILED, "no thread can be started");
		return HT_ESYSTEM;
	}
	b->started = true;
	return HT_OK;
}

json_t *
backup_json(struct core *core)
{
	static const char *const states[] = {
	    [BACKUP_NONE] = "none",
	    [BACKUP_RUNS] = "runs",
	    [BACKUP_DONE] = "done",
	    [BACKUP_FAILED] = "failed",
	};
	struct backup *b = &core->backup;
	json_t *json;

	HT_ASSERT(pthread_mutex_lock(&b->lock) == 0);
	json = json_pack("{ss ss sI sI ss}", "dir", b->dir, "state",
	    states[b->state], "entries", (json_int_t)atomic_load(&b->copy.at),
	    "of", (json_int_t)ht_log_size(core->log), "why", b->why);
	HT_ASSERT(pthread_mutex_unlock(&b->lock) == 0);
	return json;
}

json_t *
backup_age_json(struct core *core)
{
	struct backup *b = &core->backup;
	uint64_t now_s = ht_clock_wall_ms() / 1000;
	json_t *json;

	HT_ASSERT(pthread_mutex_lock(&b->lock) == 0);
	if (b->good_s == 0)
		json = json_string("none since the start");
	else
		json = json_pack("{ss sI sI sb}", "dir", b->dir, "entries",
		    (json_int_t)b->good_size, "age-s",
		    (json_int_t)(now_s > b->good_s ? now_s - b->good_s : 0),
		    "same-disk", b->good_same_disk);
	HT_ASSERT(pthread_mutex_unlock(&b->lock) == 0);
	return json;
}

void
backup_open(struct core *core)
{
	HT_ASSERT(pthread_mutex_init(&core->backup.lock, NULL) == 0);
}

void
backup_close(struct core *core)
{
	atomic_store(&core->backup.stop, true);
	join(&core->backup);
}
