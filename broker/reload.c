/*
 * reload.c -- the next trust, loaded by a thread beside the loop: exchanges go
 * on under the one in force, whether a grant changed or a whole directory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "broker/core_in.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"

enum ht_err
reload_open(struct core *core)
{
	core->reloader.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return core->reloader.event_fd == -1 ? HT_ESYSTEM : HT_OK;
}

bool
reload_busy(const struct core *core)
{
	return core->reloader.started && core->reloader.before != NULL;
}

/* ---- the thread ---- */

static void *
run(void *arg)
{
	struct reloader *r = arg;
	uint64_t one = 1;

	/* Either there is one to load, or one to take apart. */
	if (r->before == NULL) {
		ht_trust_unref(&r->old);
	} else {
		struct ht_root root = r->root;

		r->err = rule_load(
		    r->conf, &root, r->before, r->report, &r->root, &r->trust);
	}
	atomic_store(&r->ended, true);
	(void)!write(r->event_fd, &one, sizeof(one));
	return NULL;
}

static enum ht_err
start(struct reloader *r)
{
	atomic_store(&r->ended, false);
	if (pthread_create(&r->thread, NULL, run, r) != 0)
		return HT_ESYSTEM;
	r->started = true;
	return HT_OK;
}

static void
join(struct reloader *r)
{
	if (r->started)
		(void)pthread_join(r->thread, NULL);
	r->started = false;
}

/* ---- beginning and ending ---- */

static void
tell(struct core *core, enum ht_err err, bool changed)
{
	struct reloader *r = &core->reloader;

	for (unsigned i = 0; i < r->n_now; i++)
		ctl_reloaded(core, r->now[i], err, r->report, changed);
	r->n_now = 0;
}

static void
begin(struct core *core)
{
	struct reloader *r = &core->reloader;
	enum ht_err err;

	memcpy(r->now, r->next, sizeof(r->now));
	r->n_now = r->n_next;
	r->n_next = 0;
	r->again = false;
	r->conf = core->conf;
	r->root = core->root;
	r->report = ht_report_new();
	r->before = ht_box_get(&core->box, NULL);
	r->began_ms = ht_clock_mono_ms();
	rule_seen(core);
	/* From here on all of it is the thread's, r->err too. */
	err = start(r);
	if (err == HT_OK)
		return;
	tell(core, err, false);
	ht_trust_unref(&r->before);
	ht_report_free(&r->report);
}

bool
reload_begin(struct core *core, int fd)
{
	struct reloader *r = &core->reloader;

	if (r->n_next == HT_RELOAD_WAITERS)
		return false;
	r->next[r->n_next++] = fd;
	/* What runs may have read the folder as it was. */
	if (r->started)
		r->again = true;
	else
		begin(core);
	return true;
}

static void
loaded(struct core *core)
{
	struct reloader *r = &core->reloader;
	bool changed = false;

	if (r->err == HT_OK)
		r->err =
		    rule_take(core, &r->root, r->before, r->trust, &changed);
	if (r->err == HT_OK)
		ht_log(HT_DEBUG, "broker: the reload took %llu ms",
		    (unsigned long long)(ht_clock_mono_ms() - r->began_ms));
	tell(core, r->err, changed);
	ht_report_free(&r->report);
	/* Parcels at hand may still be judged by it. */
	if (changed && r->old == NULL)
		r->old = HT_TAKE(r->before);
	ht_trust_unref(&r->before);
	ht_trust_unref(&r->trust);
}

void
reload_tick(struct core *core)
{
	struct reloader *r = &core->reloader;
	uint64_t count;

	if (r->started && atomic_load(&r->ended)) {
		(void)!read(r->event_fd, &count, sizeof(count));
		join(r);
		if (r->before != NULL)
			loaded(core);
	}
	if (r->started)
		return;
	if (r->again)
		begin(core);
	else if (r->old != NULL && ht_trust_alone(r->old) && start(r) != HT_OK)
		ht_trust_unref(&r->old);
}

void
reload_close(struct core *core)
{
	struct reloader *r = &core->reloader;

	join(r);
	tell(core, HT_EAGAIN, false);
	for (unsigned i = 0; i < r->n_next; i++)
		ht_fd_close(&r->next[i]);
	r->n_next = 0;
	ht_report_free(&r->report);
	ht_trust_unref(&r->before);
	ht_trust_unref(&r->trust);
	ht_trust_unref(&r->old);
	ht_fd_close(&r->event_fd);
}
