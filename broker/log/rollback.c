#include "broker/log/rollback.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/log/evidence.h"
#include "lib/base/fs.h"
#include "schemas/pack.h"

#define KEY      "rollback"
#define VERSION  1
#define NOTE_MAX 16384

/* ---- how it is known ---- */

/* Is this checkpoint of the tree we have? */
static enum ht_err
continued(struct ht_log *log, struct ht_txn *txn,
    const struct ht_checkpoint *cp, bool *ret)
{
	struct ht_hash root;
	enum ht_err err;

	*ret = false;
	if (cp->size > log->head.frontier.size)
		return HT_OK;
	err = ht_tree_root(ht_tree_get, txn, cp->size, &root);
	if (err == HT_OK)
		*ret = ht_hash_eq(&root, &cp->root);
	return err;
}

/* The larger of what we are behind is the one that counts. */
static void
take(struct ht_log *log, uint64_t size, struct ht_slice note)
{
	if (log->ahead != 0 && size <= log->ahead)
		return;
	log->ahead = size;
	ht_buf_reset(&log->ahead_note);
	ht_buf_add(&log->ahead_note, note.at, note.len);
}

static enum ht_err
read_ahead(struct ht_log *log, struct ht_buf *note)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(log->dir, "ahead");

	return path != NULL ? ht_fs_read(path, note) : HT_ENOMEM;
}

static enum ht_err
look_at_ahead(struct ht_log *log, struct ht_txn *txn)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(NOTE_MAX);
	struct ht_checkpoint cp;
	bool ours = false;
	enum ht_err err = read_ahead(log, &note);

	if (err == HT_ENOTFOUND)
		return HT_OK;
	/* Of another key it proves nothing: anybody could have put it there. */
	if (err != HT_OK || log->key == NULL ||
	    ht_checkpoint_open(ht_buf_slice(&note), &log->vkey, &cp) != HT_OK)
		return err;
	err = continued(log, txn, &cp, &ours);
	if (err == HT_OK && !ours)
		take(log, cp.size, ht_buf_slice(&note));
	return err;
}

static void
say_behind(struct ht_log *log, struct ht_report *report)
{
	unsigned long long ahead = log->ahead;

	ht_report_add(report, log->dir,
	    "a checkpoint of size %llu was signed and given out, but this log "
	    "of %llu entries does not continue it: it is an older one; "
	    "nothing was written.  Look for a newer copy first.  Only if "
	    "there is none: hutong-broker --accept-rollback %llu --why TEXT; "
	    "see ROLLBACK in hutong-broker(8)",
	    ahead, (unsigned long long)log->head.frontier.size, ahead);
}

enum ht_err
ht_rollback_check(
    struct ht_log *log, struct ht_txn *txn, struct ht_report *report)
{
	const struct ht_rollback *act = log->act;
	struct ht_anchor *a = &log->anchor;
	enum ht_err err;

	if (a->counter > 0 && a->size > log->head.frontier.size)
		take(log, a->size, HT_SLICE(a->note, a->note_len));
	err = look_at_ahead(log, txn);
	if (err == HT_OK)
		err = log->ahead_note.err;
	if (err != HT_OK)
		return err;
	if (act != NULL && log->ahead != act->size) {
		if (log->ahead == 0)
			ht_report_add(report, log->dir,
			    "this log is behind nothing that is known here: "
			    "start without --accept-rollback");
		else
			say_behind(log, report);
		return HT_EINVALID;
	}
	if (act != NULL || log->ahead == 0)
		return HT_OK;
	say_behind(log, report);
	return HT_EROLLBACK;
}

/* Without cosignatures: it must fit into an entry. */
static enum ht_err
bare(const struct ht_log *log, struct ht_slice bytes, struct ht_buf *out)
{
	struct ht_note note;
	enum ht_err err = ht_note_parse(bytes, &note);

	if (err != HT_OK)
		return err;
	ht_buf_add(out, note.text.at, note.text.len);
	ht_buf_u8(out, '\n');
	for (size_t i = 0; i < note.n_sigs; i++)
		if (ht_note_by(&note.sigs[i], &log->vkey))
			ht_note_line(&note.sigs[i], out);
	return out->err;
}

enum ht_err
ht_log_keep_ahead(struct ht_log *log, struct ht_slice note)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(log->dir, "ahead");
	HT_AUTO(ht_buf_fini) struct ht_buf old = HT_BUF(NOTE_MAX);
	struct ht_checkpoint cp, had;
	enum ht_err err = ht_checkpoint_open(note, &log->vkey, &cp);

	if (path == NULL)
		return HT_ENOMEM;
	if (err != HT_OK)
		return err;
	if (read_ahead(log, &old) == HT_OK &&
	    ht_checkpoint_open(ht_buf_slice(&old), &log->vkey, &had) == HT_OK &&
	    had.size >= cp.size)
		return HT_OK;
	ht_buf_reset(&old);
	err = bare(log, note, &old);
	return err == HT_OK ? ht_fs_replace(path, 0600, ht_buf_slice(&old))
	                    : err;
}

/* ---- going on ---- */

bool
ht_log_behind(const struct ht_log *log)
{
	return log->act != NULL;
}

enum ht_err
ht_log_rollback_payload(const struct ht_log *log, struct ht_buf *out)
{
	ht_pack_map(out, 5);
	ht_pack_cstr(out, "anchor");
	ht_pack_uint(out, log->ahead);
	ht_pack_cstr(out, "by");
	ht_pack_cstr(out, log->act->by);
	ht_pack_cstr(out, "checkpoint");
	ht_pack_bin(out, log->ahead_note.at, log->ahead_note.len);
	ht_pack_cstr(out, "found");
	ht_pack_uint(out, log->head.frontier.size);
	ht_pack_cstr(out, "why");
	ht_pack_cstr(out, log->act->why);
	return out->err;
}

/* version u8, anchor u64, place u64, BLAKE2b-256 of all before. */
enum ht_err
ht_rollback_put(struct ht_log *log, uint64_t place)
{
	uint8_t bytes[128];
	struct ht_buf out = HT_BUF_ON(bytes);
	struct ht_slice body;
	struct ht_hash sum;

	ht_buf_u8(&out, VERSION);
	ht_buf_u64(&out, log->ahead);
	ht_buf_u64(&out, place);
	body = ht_buf_slice(&out);
	sum = ht_blake2b(&body, 1);
	ht_buf_add(&out, sum.at, sizeof(sum.at));
	return ht_txn_put(
	    log->txn, HT_EV_STATE, ht_slice_str(KEY), ht_buf_slice(&out));
}

static enum ht_err
decode(struct ht_slice bytes, struct ht_rolled_back *ret)
{
	struct ht_cur cur = ht_cur(bytes);
	struct ht_slice body;
	struct ht_hash sum;

	if (ht_cur_u8(&cur) != VERSION)
		return HT_EINTEGRITY;
	ret->anchor = ht_cur_u64(&cur);
	ret->place = ht_cur_u64(&cur);
	body = HT_SLICE(bytes.at, 1 + 8 + 8);
	if (bytes.len != body.len + HT_HASH_SIZE)
		return HT_EINTEGRITY;
	sum = ht_blake2b(&body, 1);
	return memcmp(sum.at, bytes.at + body.len, HT_HASH_SIZE) == 0
	           ? HT_OK
	           : HT_EINTEGRITY;
}

enum ht_err
ht_log_rolled_back(struct ht_log *log, struct ht_rolled_back *ret)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	struct ht_slice bytes;
	enum ht_err err = ht_txn_begin(log->store, false, &txn);

	*ret = (struct ht_rolled_back){0};
	if (err == HT_OK)
		err = ht_txn_get(txn, HT_EV_STATE, ht_slice_str(KEY), &bytes);
	if (err == HT_ENOTFOUND)
		return HT_OK;
	return err == HT_OK ? decode(bytes, ret) : err;
}

/* @name, kept as @name.SIZE; the place is then another's. */
static enum ht_err
put_aside(struct ht_log *log, const char *name, bool gone)
{
	HT_AUTO(ht_mem_free) char *from = ht_fs_join(log->dir, name);
	HT_AUTO(ht_mem_free) char *to = NULL;

	if (from == NULL ||
	    asprintf(&to, "%s.%" PRIu64, from, log->ahead) == -1) {
		to = NULL;
		return HT_ENOMEM;
	}
	if (link(from, to) == -1 && errno != EEXIST && errno != ENOENT)
		return HT_ESYSTEM;
	if (gone && unlink(from) == -1 && errno != ENOENT)
		return HT_ESYSTEM;
	return HT_OK;
}

/*
 * The new anchor comes in the old one's place by one rename, so that at no
 * moment the log has none.
 */
enum ht_err
ht_rollback_retire(struct ht_log *log)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(log->dir, "anchor");
	HT_AUTO(ht_mem_free) char *fresh = ht_fs_join(log->dir, "anchor.new");
	struct ht_anchor anchor = {.fd = -1};
	enum ht_err err = put_aside(log, "anchor", false);

	if (err == HT_OK && (path == NULL || fresh == NULL))
		err = HT_ENOMEM;
	if (err != HT_OK)
		return err;
	(void)unlink(fresh);
	err = ht_anchor_open(fresh, true, &anchor);
	if (err == HT_OK)
		err = ht_anchor_write(&anchor, log->next.frontier.size,
		    &log->next.root, ht_buf_slice(&log->notes[!log->newest]));
	if (err == HT_OK && rename(fresh, path) == -1)
		err = HT_ESYSTEM;
	if (err == HT_OK)
		err = put_aside(log, "ahead", true);
	if (err == HT_OK)
		err = ht_fs_sync_dir(log->dir);
	if (err != HT_OK) {
		ht_anchor_close(&anchor);
		return err;
	}
	ht_anchor_close(&log->anchor);
	log->anchor = anchor;
	log->act = NULL;
	return HT_OK;
}
