/*
 * removal.c -- an order of the authority to remove the log's oldest volume,
 * carried out by the thread that erases: one act of destruction at a time.
 */
#include "broker/log/remove.h"

#include "broker/core_in.h"
#include "lib/base/log.h"

/* The entry is the point of no return; the next start does what is left. */
static enum ht_err
carry_out(struct core *core, struct ht_slice payload)
{
	struct eraser *e = &core->eraser;
	const struct ht_erase_doc *order = e->order->erase;
	uint64_t count = order->last + 1 - order->first, entry = 0;
	enum ht_err err = ht_committer_entry(
	    core->committer, HT_ENTRY_REMOVED, payload, &entry);

	if (err != HT_OK)
		return err;
	err = ht_remove_files(core->log);
	if (err != HT_OK) {
		erase_broke(e, err, entry, count);
		return HT_OK; /* said */
	}
	ht_log(HT_INFO,
	    "broker: removed the volume of entries %llu to %llu, "
	    "entry %llu",
	    (unsigned long long)order->first, (unsigned long long)order->last,
	    (unsigned long long)entry);
	erase_ended(e, ERASE_DONE, entry, count, "");
	return HT_OK;
}

enum ht_err
removal(struct core *core, struct ht_report *report)
{
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(HT_LEAF_MAX);
	struct eraser *e = &core->eraser;
	struct ht_trust *trust = ht_box_get(&core->box, NULL);
	enum ht_err err = ht_remove_check(
	    core->log, e->order, trust, &e->stop, report, &payload);

	ht_trust_unref(&trust);
	if (err != HT_OK)
		return err;
	/* Rows that lead to its entries lead nowhere from now on. */
	err = ht_index_destroy(core->index);
	if (err == HT_OK)
		err = carry_out(core, ht_buf_slice(&payload));
	ht_index_go_on(core->index);
	return err;
}
