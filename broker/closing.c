/*
 * closing.c -- the files of closed volumes, written by a thread of its own
 * beside everything else; the committer does the little that must be in order
 * (docs/log-format.md, "Volumes").
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "broker/core_in.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"

#define NAP_MS   250   /* between looks at whether there is one */
#define AGAIN_MS 60000 /* after one that could not be written */

static void
rest(struct closer *c, unsigned ms)
{
	for (unsigned i = 0; i < ms && !atomic_load(&c->stop); i += NAP_MS)
		(void)usleep(NAP_MS * 1000);
}

/* One volume.  HT_ENOTFOUND: there is none to be written. */
static enum ht_err
close_one(struct core *core)
{
	struct ht_committer_stats stats;
	uint64_t end;
	enum ht_err err;

	/* Its room comes back only by and by. */
	ht_committer_stats(core->committer, &stats);
	if (stats.room < core->conf->disk_reserve)
		return HT_ENOTFOUND;
	err = ht_volumes_write(core->log, &core->closer.stop, &end);
	if (err == HT_OK)
		err = ht_committer_keep(core->committer, end);
	if (err == HT_OK)
		ht_log(HT_INFO,
		    "broker: the entries below %llu are in volumes' files",
		    (unsigned long long)end);
	return err;
}

static void *
run(void *arg)
{
	struct core *core = arg;
	struct closer *c = &core->closer;

	(void)pthread_setname_np(pthread_self(), "volumes");
	while (!atomic_load(&c->stop)) {
		enum ht_err err = close_one(core);
		bool none = err == HT_ENOTFOUND || err == HT_EAGAIN;

		if (err != HT_OK && !none && !atomic_load(&c->failing))
			ht_log(HT_ERROR,
			    "broker: a closed volume cannot be written in %s: "
			    "%s; its entries stay where they are, and it is "
			    "tried again",
			    core->conf->log_dir,
			    err == HT_ESYSTEM ? strerror(errno)
			                      : ht_err_text(err));
		if (!none)
			atomic_store(&c->failing, err != HT_OK);
		if (err != HT_OK)
			rest(c, none ? NAP_MS : AGAIN_MS);
	}
	return NULL;
}

enum ht_err
closing_open(struct core *core)
{
	if (pthread_create(&core->closer.thread, NULL, run, core) != 0)
		return HT_ESYSTEM;
	core->closer.started = true;
	return HT_OK;
}

void
closing_close(struct core *core)
{
	atomic_store(&core->closer.stop, true);
	if (core->closer.started)
		HT_ASSERT(pthread_join(core->closer.thread, NULL) == 0);
	core->closer.started = false;
}

json_t *
volumes_json(struct core *core)
{
	struct ht_volumes_now now = {0};
	enum ht_err err = ht_log_volumes_now(core->log, &now);
	json_t *oldest = NULL;

	if (err != HT_OK)
		return json_pack("{ss}", "state", ht_err_text(err));
	/* What an order to remove it must name. */
	if (now.files > 0)
		oldest = json_sprintf("entries %llu to %llu",
		    (unsigned long long)now.first,
		    (unsigned long long)now.end - 1);
	return json_pack("{si so* sI sI sI ss}", "files", (int)now.files,
	    "oldest", oldest, "kept", (json_int_t)now.state.kept, "open-since",
	    (json_int_t)now.state.first, "entries",
	    (json_int_t)ht_log_size(core->log), "state",
	    now.state.kept == now.state.first    ? "all written"
	    : atomic_load(&core->closer.failing) ? "failing"
	                                         : "being written");
}
