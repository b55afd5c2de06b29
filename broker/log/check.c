/*
 * check.c -- the checks at start (docs/log-format.md): cheap, and no tree is
 * signed that has not passed them.  The head's checksum, the first of the
 * five, was checked when it was read.
 */
#include "broker/log/evidence.h"

#include <stdio.h>
#include <string.h>

#define REMEDY                                                                 \
	"nothing was written; restore a good copy, or run hutong-audit "       \
	"verify to see how far it holds"

static void
finding(struct ht_log *log, struct ht_report *report, const char *part,
    const char *what)
{
	HT_AUTO(ht_mem_free) char *where = NULL;

	if (asprintf(&where, "%s/%s", log->dir, part) == -1)
		where = NULL;
	ht_report_add(
	    report, where != NULL ? where : log->dir, "%s; %s", what, REMEDY);
}

/* ---- 2: root, frontier and stored hashes are one ---- */

static enum ht_err
check_tree(struct ht_log *log, struct ht_txn *txn, struct ht_report *report)
{
	const struct ht_frontier *f = &log->head.frontier;
	struct ht_hash root = ht_frontier_root(f);

	if (!ht_hash_eq(&root, &log->head.root)) {
		finding(log, report, "evidence",
		    "the root in head is not that of its frontier");
		return HT_EINTEGRITY;
	}
	for (unsigned bit = 0; bit < HT_FRONTIER_MAX; bit++) {
		struct ht_hash hash;
		enum ht_err err;

		if (!(f->size >> bit & 1))
			continue;
		err = ht_tree_get(txn, bit, (f->size >> bit) - 1, &hash);
		if (err == HT_OK && ht_hash_eq(&hash, &f->at[bit]))
			continue;
		if (err != HT_OK && err != HT_EINTEGRITY)
			return err;
		finding(log, report, "evidence",
		    "the frontier in head is not that of the stored hashes "
		    "(n0, nup)");
		return HT_EINTEGRITY;
	}
	return HT_OK;
}

/* ---- 3: the last entries hash to what is stored ---- */

static enum ht_err
check_entry(
    struct ht_txn *txn, uint64_t seq, struct ht_slice value, uint64_t *last_us)
{
	struct ht_slice leaf;
	struct ht_entry e;
	struct ht_hash hash, stored;
	enum ht_err err;

	err = ht_stored_leaf(value, &leaf, &hash);
	if (err == HT_OK)
		err = ht_tree_get(txn, 0, seq, &stored);
	if (err != HT_OK)
		return err;
	if (!ht_hash_eq(&hash, &stored) || ht_entry_decode(leaf, &e) != HT_OK ||
	    e.seq != seq || e.time_us < *last_us)
		return HT_EINTEGRITY;
	*last_us = e.time_us;
	return HT_OK;
}

static enum ht_err
check_tail(struct ht_log *log, struct ht_txn *txn, struct ht_stored *rows,
    uint64_t *ret_bad)
{
	uint64_t size = log->head.frontier.size, last_us = 0;
	uint64_t seq = size > HT_TAIL_CHECK ? size - HT_TAIL_CHECK : 0;
	uint64_t begin = ht_log_begin(log);
	struct ht_slice value;
	enum ht_err err = HT_OK;

	for (seq = seq < begin ? begin : seq; seq < size && err == HT_OK;
	     seq++) {
		*ret_bad = seq;
		err = ht_stored_next(rows, seq, &value);
		if (err == HT_OK)
			err = check_entry(txn, seq, value, &last_us);
	}
	if (err != HT_OK)
		return err == HT_ENOTFOUND ? HT_EINTEGRITY : err;
	*ret_bad = size;
	/*
	 * Nothing may stand behind the last, and head knows its time.  (A copy
	 * may be under way in what was removed.)
	 */
	return ht_stored_behind(rows, size) ||
	               (size > begin && last_us != log->head.last_us)
	           ? HT_EINTEGRITY
	           : HT_OK;
}

static enum ht_err
check_entries(struct ht_log *log, struct ht_txn *txn, struct ht_report *report)
{
	struct ht_stored rows;
	uint64_t bad = 0;
	char what[80];
	enum ht_err err = ht_stored_open(log, txn, &rows);

	if (err == HT_OK)
		err = check_tail(log, txn, &rows, &bad);
	ht_stored_close(&rows);
	if (err != HT_EINTEGRITY)
		return err;
	(void)snprintf(what, sizeof(what),
	    "entry %llu is not the one that was logged",
	    (unsigned long long)bad);
	finding(log, report, "evidence", what);
	return err;
}

/* ---- 9: the files of volumes ---- */

static enum ht_err
check_volumes(struct ht_log *log, struct ht_txn *txn, struct ht_report *report)
{
	char what[200];
	enum ht_err err = ht_volumes_check(log, txn, what, sizeof(what));

	if (err == HT_EINTEGRITY)
		ht_report_add(report, log->dir, "%s; %s", what, REMEDY);
	return err;
}

/* ---- 4 and 5: what was signed before ---- */

/* Open @note: signed by this log if its key is known, and of its tree. */
static enum ht_err
check_note(struct ht_log *log, struct ht_txn *txn, struct ht_slice bytes,
    struct ht_checkpoint *ret)
{
	struct ht_note note;
	struct ht_hash root;
	enum ht_err err;

	if (log->key != NULL) {
		err = ht_checkpoint_open(bytes, &log->vkey, ret);
	} else {
		err = ht_note_parse(bytes, &note);
		if (err == HT_OK)
			err = ht_checkpoint_parse(note.text, ret);
	}
	if (err == HT_ENOMEM)
		return err;
	if (err != HT_OK || ret->size > log->head.frontier.size)
		return HT_EINTEGRITY;
	err = ht_tree_root(ht_tree_get, txn, ret->size, &root);
	if (err != HT_OK)
		return err;
	return ht_hash_eq(&root, &ret->root) ? HT_OK : HT_EINTEGRITY;
}

static enum ht_err
check_cps(struct ht_log *log, struct ht_txn *txn, struct ht_report *report)
{
	HT_AUTO(ht_seek_close) struct ht_seek *seek = NULL;
	struct ht_slice key, value;
	struct ht_checkpoint cp;
	enum ht_err err = ht_seek_open(txn, HT_EV_CPS, &seek);

	if (err == HT_OK)
		err = ht_seek_last(seek, &key, &value);
	if (err != HT_OK)
		return err == HT_ENOTFOUND ? HT_OK : err; /* none yet */
	memcpy(&log->cps_size, key.at, sizeof(log->cps_size));
	err = check_note(log, txn, value, &cp);
	if (err == HT_OK && cp.size != log->cps_size)
		err = HT_EINTEGRITY;
	if (err == HT_EINTEGRITY)
		finding(log, report, "evidence",
		    "the newest checkpoint in cps is not one that this log's "
		    "key signed for this tree");
	return err;
}

static enum ht_err
check_anchor(struct ht_log *log, struct ht_txn *txn, struct ht_report *report)
{
	struct ht_anchor *a = &log->anchor;
	struct ht_checkpoint cp;
	enum ht_err err;

	if (a->counter == 0) {
		if (log->head.frontier.size == 0)
			return HT_OK;
		finding(log, report, "anchor",
		    "there is no valid anchor, so nobody can say whether an "
		    "older log was put back");
		return HT_EINTEGRITY;
	}
	if (a->size > log->head.frontier.size)
		return HT_OK; /* the act has named it */
	err = check_note(log, txn, HT_SLICE(a->note, a->note_len), &cp);
	if (err == HT_OK &&
	    (cp.size != a->size || !ht_hash_eq(&cp.root, &a->root)))
		err = HT_EINTEGRITY;
	if (err == HT_EINTEGRITY)
		finding(log, report, "anchor",
		    "the checkpoint given out last is not one that this log's "
		    "key signed for this tree: the log is another one");
	return err;
}

enum ht_err
ht_log_check_tail(struct ht_log *log, struct ht_report *report)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	enum ht_err err = ht_txn_begin(log->store, false, &txn);

	if (err == HT_OK)
		err = check_tree(log, txn, report);
	return err == HT_OK ? check_entries(log, txn, report) : err;
}

enum ht_err
ht_log_check(struct ht_log *log, struct ht_report *report)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	enum ht_err err = ht_txn_begin(log->store, false, &txn);

	/* First: an older log is known by what was signed after it. */
	if (err == HT_OK)
		err = ht_rollback_check(log, txn, report);
	if (err == HT_OK)
		err = check_tree(log, txn, report);
	if (err == HT_OK) /* before any entry of them is wanted */
		err = check_volumes(log, txn, report);
	if (err == HT_OK)
		err = check_entries(log, txn, report);
	if (err == HT_OK)
		err = check_cps(log, txn, report);
	if (err == HT_OK)
		err = check_anchor(log, txn, report);
	return err;
}
