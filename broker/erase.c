/*
 * erase.c -- an order of the authority to destroy tags or bodies, or to remove
 * a volume (removal.c), brought by the operator: checked at once, carried out
 * by a thread of its own, since a scope of a year is a long walk.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "broker/core_in.h"
#include "broker/replay.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"

/* ---- carrying it out ---- */

void
erase_ended(struct eraser *e, enum erase_state state, uint64_t entry,
    uint64_t count, const char *why)
{
	HT_ASSERT(pthread_mutex_lock(&e->lock) == 0);
	e->state = state;
	e->entry = entry;
	e->count = count;
	snprintf(e->why, sizeof(e->why), "%s", why);
	HT_ASSERT(pthread_mutex_unlock(&e->lock) == 0);
}

/* It is logged; what the disk holds is for the next start to put right. */
void
erase_broke(struct eraser *e, enum ht_err err, uint64_t entry, uint64_t count)
{
	ht_log(HT_ERROR,
	    "broker: what entry %llu says did not end: %s; what the disk "
	    "holds is not known; stopping now.  The next start finishes it",
	    (unsigned long long)entry,
	    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
	erase_ended(e, ERASE_FAILED, entry, count,
	    "it is logged, but did not end; start the broker again, which "
	    "finishes it");
	atomic_store(&e->broken, true);
}

static void
failed(struct eraser *e, enum ht_err err, const struct ht_report *report)
{
	const char *why = ht_report_count(report) > 0
	                      ? ht_report_text(report, 0)
	                  : err == HT_EAGAIN ? "the broker is stopping"
	                                     : ht_err_text(err);

	ht_log(HT_ERROR, "broker: the order %s was not carried out: %s",
	    e->order->name, why);
	erase_ended(e, ERASE_FAILED, 0, 0, why);
}

/*
 * The entry is the point of no return: before it everything can be forgotten,
 * after it everything must be done.
 */
static enum ht_err
log_entry(struct core *core, struct ht_erasure *plan, uint64_t *ret_entry)
{
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(HT_LEAF_MAX);
	enum ht_err err = ht_erase_payload(
	    plan, core->eraser.order, core->eraser.by, &payload);

	if (err != HT_OK)
		return err;
	return ht_committer_entry(
	    core->committer, HT_ENTRY_ERASE, ht_buf_slice(&payload), ret_entry);
}

static void
do_it(struct core *core, struct ht_erasure *plan, uint64_t entry)
{
	struct eraser *e = &core->eraser;
	enum ht_err err = ht_erase_carry_out(core->log, plan, entry);

	if (err == HT_OK) {
		ht_log(HT_INFO, "broker: erased of %zu entries, entry %llu",
		    plan->n, (unsigned long long)entry);
		erase_ended(e, ERASE_DONE, entry, plan->n, "");
		return;
	}
	erase_broke(e, err, entry, plan->n);
}

static enum ht_err
erase(struct core *core, struct ht_report *report)
{
	HT_AUTO(ht_erasure_free) struct ht_erasure *plan = NULL;
	struct eraser *e = &core->eraser;
	struct ht_trust *trust = ht_box_get(&core->box, NULL);
	uint64_t last_us, entry = 0;
	enum ht_err err = ht_replay_last(core->log, &last_us);

	if (err == HT_OK)
		err = ht_erase_plan(core->log, e->order, trust, last_us / 1000,
		    &e->stop, report, &plan);
	ht_trust_unref(&trust);
	if (err == HT_OK)
		err = ht_erase_promise(core->log, plan);
	if (err == HT_OK) {
		err = ht_index_destroy(core->index);
		if (err == HT_OK)
			err = log_entry(core, plan, &entry);
		if (err == HT_OK)
			do_it(core, plan, entry);
		else if (ht_erase_forget(core->log) != HT_OK)
			ht_log(HT_WARN, "broker: the list of an erasure that "
			                "was not logged stays until the start");
		ht_index_go_on(core->index);
	}
	return err;
}

static void *
run(void *arg)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct core *core = arg;
	struct eraser *e = &core->eraser;
	enum ht_err err;

	(void)pthread_setname_np(pthread_self(), "eraser");
	err = e->order->kind == HT_DOC_REMOVE ? removal(core, report)
	                                      : erase(core, report);
	if (err != HT_OK)
		failed(e, err, report);
	atomic_store(&core->eraser.busy, false);
	return NULL;
}

static void
join(struct eraser *e)
{
	if (e->started)
		HT_ASSERT(pthread_join(e->thread, NULL) == 0);
	e->started = false;
	ht_doc_unref(&e->order);
}

enum ht_err
erase_take(struct core *core, struct ht_slice note, enum ht_doc_kind kind,
    struct ht_report *report)
{
	struct eraser *e = &core->eraser;
	enum ht_err err;

	if (atomic_load(&e->busy) || atomic_load(&core->backup.busy))
		return HT_EAGAIN;
	join(e);
	err = order_check(core, note, kind, report, &e->order, e->by);
	if (err != HT_OK)
		return err;
	erase_ended(e, ERASE_RUNS, 0, 0, "");
	atomic_store(&e->busy, true);
	if (pthread_create(&e->thread, NULL, run, core) != 0) {
		atomic_store(&e->busy, false);
		return HT_ESYSTEM;
	}
	e->started = true;
	return HT_OK;
}

json_t *
erase_json(struct core *core)
{
	static const char *const states[] = {
	    [ERASE_NONE] = "none",
	    [ERASE_RUNS] = "runs",
	    [ERASE_DONE] = "done",
	    [ERASE_FAILED] = "failed",
	};
	struct eraser *e = &core->eraser;
	json_t *json;

	HT_ASSERT(pthread_mutex_lock(&e->lock) == 0);
	json = json_pack("{ss ss sI sI ss}", "order",
	    e->order != NULL ? e->order->name : "", "state", states[e->state],
	    "entry", (json_int_t)e->entry, "count", (json_int_t)e->count, "why",
	    e->why);
	HT_ASSERT(pthread_mutex_unlock(&e->lock) == 0);
	return json;
}

void
erase_open(struct core *core)
{
	HT_ASSERT(pthread_mutex_init(&core->eraser.lock, NULL) == 0);
}

void
erase_close(struct core *core)
{
	atomic_store(&core->eraser.stop, true);
	join(&core->eraser);
}
