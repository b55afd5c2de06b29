/*
 * volumes_write.c -- the file of a closed range, beside the committer; and of
 * a volume that a copy does not have yet.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/log/evidence.h"
#include "broker/log/volume_new.h"
#include "lib/base/fs.h"

struct closing {
	struct ht_log *log;
	const atomic_bool *stop;
	struct ht_volume_head head;
	struct ht_buf note;
	struct ht_volume_new file;
	struct ht_buf evidence;
};

/* ---- which ---- */

static enum ht_err
read_said(struct ht_log *log, uint64_t seq, struct ht_volume_said *ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e;
	enum ht_err err = ht_log_read(log, seq, &leaf);

	if (err == HT_OK)
		err = ht_entry_decode(ht_buf_slice(&leaf), &e);
	if (err == HT_OK && e.type != HT_ENTRY_VOLUME)
		err = HT_EINTEGRITY;
	if (err == HT_OK)
		err = ht_volume_said_decode(e.payload, ret);
	return err == HT_EMALFORMED ? HT_EINTEGRITY : err;
}

/* From the newest VOLUME entry back to the one that ends what comes next. */
static enum ht_err
find_end(
    struct ht_log *log, const struct ht_volumes_state *state, uint64_t *ret)
{
	struct ht_volume_said said = {.first = state->first};
	uint64_t end = state->first;
	enum ht_err err = HT_OK;

	while (err == HT_OK && said.first > state->kept) {
		end = said.first;
		err = read_said(log, end, &said);
		if (err == HT_OK && said.first >= end)
			err = HT_EINTEGRITY;
	}
	if (err == HT_OK && said.first != state->kept)
		err = HT_EINTEGRITY;
	*ret = end;
	return err;
}

/* The tree before it, and the checkpoint that it ends with. */
static enum ht_err
read_tree(struct closing *c, struct ht_txn *txn)
{
	struct ht_volume_head *head = &c->head;
	struct ht_slice note;
	enum ht_err err = HT_OK;

	head->before.size = head->first;
	for (unsigned bit = 0; err == HT_OK && bit < HT_FRONTIER_MAX; bit++)
		if (head->first >> bit & 1)
			err = ht_tree_get(txn, bit, (head->first >> bit) - 1,
			    &head->before.at[bit]);
	if (err == HT_OK)
		err = ht_txn_get_u64(txn, HT_EV_CPS, head->end, &note);
	if (err != HT_OK)
		return err == HT_ENOTFOUND ? HT_EINTEGRITY : err;
	ht_buf_add(&c->note, note.at, note.len);
	return c->note.err;
}

static enum ht_err
find(struct closing *c)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	struct ht_volumes_state state;
	enum ht_err err = ht_txn_begin(c->log->store, false, &txn);

	if (err == HT_OK)
		err = ht_volumes_get(txn, &state);
	/* What is committed is signed a moment later. */
	if (err == HT_OK &&
	    (state.kept == state.first || state.first >= ht_log_size(c->log)))
		return HT_ENOTFOUND;
	if (err != HT_OK)
		return err;
	if (ht_volumes_count(&c->log->volumes) >= c->log->volumes.max)
		return HT_ETOOBIG;
	memcpy(c->head.env, c->log->env, sizeof(c->head.env));
	c->head.first = state.kept;
	err = find_end(c->log, &state, &c->head.end);
	return err == HT_OK ? read_tree(c, txn) : err;
}

/* ---- writing ---- */

static bool
stopped(const atomic_bool *stop)
{
	return stop != NULL && atomic_load(stop);
}

static enum ht_err
add(void *arg, uint64_t seq, struct ht_slice leaf)
{
	struct closing *c = arg;
	struct ht_volume_entry entry = {.leaf = leaf};
	struct ht_entry e;
	enum ht_err err = ht_entry_decode(leaf, &e);

	if (stopped(c->stop))
		return HT_EAGAIN;
	if (err != HT_OK)
		return HT_EINTEGRITY;
	if (ht_entry_has_header(&e) && e.bundle_seq == seq) {
		ht_buf_reset(&c->evidence);
		err = ht_log_read_bundle(c->log, seq, &c->evidence);
		entry.evidence = ht_buf_slice(&c->evidence);
	}
	if (err == HT_ENOTFOUND)
		err = HT_EINTEGRITY;
	return err == HT_OK ? ht_volume_add(c->file.writer, &entry) : err;
}

enum ht_err
ht_volumes_write(struct ht_log *log, const atomic_bool *stop, uint64_t *ret_end)
{
	struct closing c = {
	    .log = log,
	    .stop = stop,
	    .note = HT_BUF(HT_VOLUME_NOTE_MAX),
	    .file.fd = -1,
	    .evidence = HT_BUF(HT_EVIDENCE_MAX),
	};
	enum ht_err err = find(&c);

	if (err == HT_OK)
		err = ht_volume_new_begin(log->volumes.dir, &c.head, &c.file);
	if (err == HT_OK)
		err = ht_log_walk(log, c.head.first, c.head.end, add, &c);
	if (err == HT_OK)
		err = ht_volume_new_end(&c.file, ht_buf_slice(&c.note),
		    log->key != NULL ? &log->vkey : NULL, stop);
	*ret_end = c.head.end;
	ht_volume_new_fini(&c.file);
	ht_buf_fini(&c.note);
	ht_buf_fini(&c.evidence);
	return err;
}

/* ---- of a copy ---- */

/* The same entries, again; what they are of is looked at on the way. */
static enum ht_err
add_again(void *arg, uint64_t seq, const struct ht_volume_entry *entry)
{
	struct closing *c = arg;

	(void)seq;
	return stopped(c->stop) ? HT_EAGAIN
	                        : ht_volume_add(c->file.writer, entry);
}

static enum ht_err
copy_file(struct ht_volume *from, struct ht_log *to, const atomic_bool *stop,
    uint64_t *ret_bad)
{
	struct closing c = {.stop = stop, .file.fd = -1};
	enum ht_err err =
	    ht_volume_new_begin(to->volumes.dir, ht_volume_head(from), &c.file);

	if (err == HT_OK)
		err = ht_volume_check(from, &to->vkey, add_again, &c, ret_bad);
	if (err == HT_OK)
		err = ht_volume_new_end(
		    &c.file, ht_volume_note(from), &to->vkey, stop);
	ht_volume_new_fini(&c.file);
	return err;
}

enum ht_err
ht_volumes_advance(struct ht_log *to)
{
	struct ht_volumes *v = &to->volumes;
	struct ht_txn *txn = NULL;
	bool more = true;
	enum ht_err err = ht_txn_begin(to->store, true, &txn);

	if (err == HT_OK)
		err = ht_volumes_put(txn, &v->next);
	if (err == HT_OK)
		err = ht_txn_commit(&txn);
	ht_txn_abort(&txn);
	if (err != HT_OK) {
		ht_volumes_drop(v);
		return err;
	}
	ht_volumes_publish(v);
	while (err == HT_OK && more)
		err = ht_log_forget(to, &more);
	return err;
}

/* From now on its entries are there, and rows of them go. */
static enum ht_err
keep_file(struct ht_log *to, const struct ht_volume_head *head)
{
	struct ht_volumes *v = &to->volumes;
	HT_AUTO(ht_mem_free)
	char *path = ht_volumes_path(v->dir, head->first, "");
	enum ht_err err = path == NULL ? HT_ENOMEM : HT_OK;

	if (err == HT_OK)
		err = ht_volume_open_file(path, 0, 0, &v->coming);
	v->next.kept = head->end;
	if (err == HT_OK)
		return ht_volumes_advance(to);
	ht_volumes_drop(v);
	return err;
}

enum ht_err
ht_volumes_copy(struct ht_log *from, struct ht_log *to, uint64_t size,
    const atomic_bool *stop, struct ht_report *report)
{
	struct ht_volume *volume;
	uint64_t bad = 0;
	enum ht_err err = HT_OK;

	for (unsigned i = 0; err == HT_OK && (volume = ht_volumes_at(
	                                          &from->volumes, i)) != NULL;
	     i++) {
		const struct ht_volume_head *head = ht_volume_head(volume);

		if (head->end >= size)
			break; /* its VOLUME entry is not in this copy */
		if (head->first < to->volumes.state.kept)
			continue;
		if (head->first > to->volumes.state.kept)
			err = HT_EINTEGRITY; /* one is missing */
		if (err == HT_OK)
			err = copy_file(volume, to, stop, &bad);
		if (err == HT_OK)
			err = keep_file(to, head);
		if (err == HT_EINTEGRITY || err == HT_EBADSIG)
			ht_report_add(report, from->volumes.dir,
			    "the file of the volume that begins at entry "
			    "%" PRIu64 " does not hold, at entry %" PRIu64
			    "; put back the one of a backup or an archive",
			    head->first, bad);
	}
	return err == HT_EBADSIG ? HT_EINTEGRITY : err;
}
