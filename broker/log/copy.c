/*
 * copy.c -- the vault's bytes, then the entries that name them in one durable
 * transaction, as a log is written; each piece and each hash is read back.
 *
 * A batch of entries ends at an ERASE: the copy then does what the log did, by
 * the same steps, so that no copy keeps what was destroyed.
 */
#include "broker/log/copy.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/log/erase.h"
#include "broker/log/evidence.h"
#include "broker/log/remove.h"
#include "lib/base/fs.h"
#include "lib/base/panic.h"

/* Entries of one transaction: what did not read back is seen again. */
#define BATCH    HT_TAIL_CHECK
#define NOTE_MAX 65536
#define SEEN_AGO                                                               \
	3600 /* stored checkpoints that may have been cosigned since           \
	      */
#define FOLDER_OK ((const char *[]){"lock", "anchor", "ahead", "index", NULL})

struct copy {
	struct ht_copy *c;
	struct ht_log *from, *to;
	struct ht_report *report;
	struct ht_buf note; /* the checkpoint that it is a copy up to */
	struct ht_checkpoint cp;
	char *from_vault, *to_vault;

	/* the batch at hand */
	struct ht_buf leaves; /* u32 length, leaf */
	size_t n;
	bool gone;                 /* hashes alone, of what was removed */
	bool erases;               /* its last is an ERASE, */
	struct ht_erasure *owed;   /* whose list is to be carried out */
	uint64_t owed_by;          /* as the log did; NULL: none is */
	struct ht_vault_place end; /* behind its last piece */

	uint64_t bad, first_bad; /* pieces that are not their entries' */
	struct ht_buf tag, body;
};

static enum ht_err
say(struct copy *s, enum ht_err err, const char *text)
{
	ht_report_add(s->report, s->c->dir, "%s", text);
	return err;
}

/* ---- whose folder it is ---- */

static const char *
mark_of(const struct ht_copy *c)
{
	return c->kind == HT_COPY_BACKUP ? HT_BACKUP_MARK : HT_RESTORE_MARK;
}

static bool
has(const char *dir, const char *name)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(dir, name);

	return path != NULL && access(path, F_OK) == 0;
}

/* "backup.Ab12Cd": the mark, before it had its name when somebody crashed. */
static bool
is_half_mark(const char *name, const char *mark)
{
	size_t len = strlen(mark), rest = 0;

	if (strncmp(name, mark, len) != 0 || name[len] != '.')
		return false;
	while (isalnum((unsigned char)name[len + 1 + rest]))
		rest++;
	return rest == HT_FS_BESIDE && name[len + 1 + rest] == '\0';
}

/* What a lost log may have left, and a copy can live beside. */
static bool
may_stand(const char *name, const char *mark)
{
	for (size_t i = 0; FOLDER_OK[i] != NULL; i++)
		if (strcmp(name, FOLDER_OK[i]) == 0)
			return true;
	return strncmp(name, "anchor.", 7) == 0 ||
	       strncmp(name, "ahead.", 6) == 0 || name[0] == '.' ||
	       is_half_mark(name, mark);
}

static enum ht_err
check_free(struct copy *s)
{
	struct dirent *entry;
	DIR *dir = opendir(s->c->dir);
	enum ht_err err = HT_OK;

	if (dir == NULL)
		return errno == ENOENT ? HT_OK : HT_ESYSTEM;
	while (err == HT_OK && (entry = readdir(dir)) != NULL)
		if (!may_stand(entry->d_name, mark_of(s->c)))
			err = HT_EINVALID;
	(void)closedir(dir);
	if (err == HT_OK)
		return HT_OK;
	return say(s, err,
	    s->c->kind == HT_COPY_BACKUP
	        ? "this folder has something else than a backup; name one "
	          "that is empty, or that a backup made"
	        : "this folder has a log, or something else; nothing is "
	          "written over it: move it away, and keep it");
}

static enum ht_err
take_folder(struct copy *s)
{
	HT_AUTO(ht_mem_free) char *mark = NULL;
	const char *text =
	    s->c->kind == HT_COPY_BACKUP
	        ? "A backup of a log of hutong-broker(8).\n"
	        : "hutong-broker restore has not ended yet; run it again.\n";
	enum ht_err err = HT_OK;

	if (has(s->c->dir, mark_of(s->c)))
		return HT_OK;
	err = check_free(s);
	if (err == HT_OK)
		err = ht_fs_mkdirs(s->c->dir, 0700);
	if (err != HT_OK)
		return err;
	mark = ht_fs_join(s->c->dir, mark_of(s->c));
	if (mark == NULL)
		return HT_ENOMEM;
	return ht_fs_create(mark, 0600, ht_slice_str(text));
}

/* What was copied before is of this log, up to where it had come. */
static enum ht_err
check_earlier(struct copy *s)
{
	uint64_t size = s->to->head.frontier.size;
	struct ht_hash root;
	enum ht_err err;

	if (memcmp(s->to->env, s->from->env, sizeof(s->to->env)) != 0)
		return say(s, HT_EINVALID,
		    "this is a copy of another log; name another folder");
	if (size <= s->cp.size) {
		err = ht_log_root(s->from, size, &root);
		if (err != HT_OK)
			return err;
		if (ht_hash_eq(&root, &s->to->head.root))
			return HT_OK;
	}
	ht_report_add(s->report, s->c->dir,
	    "this copy has %" PRIu64 " entries, and the log, of %" PRIu64
	    ", does not continue it: an older log was put back, or another; "
	    "keep this folder, and see ROLLBACK in hutong-broker(8)",
	    size, s->cp.size);
	return HT_EROLLBACK;
}

static enum ht_err
open_copy(struct copy *s)
{
	struct ht_txn *txn = NULL;
	enum ht_err err = take_folder(s);

	if (err == HT_OK)
		err = ht_log_open_copy(
		    s->c->dir, s->from->env, s->report, &s->to);
	if (err == HT_OK)
		err = check_earlier(s);
	if (err == HT_OK)
		err = ht_fs_mkdirs(s->to_vault, 0700);
	if (err == HT_OK && s->to->head.frontier.size > 0)
		err = ht_log_check_tail(s->to, s->report);
	if (err == HT_OK) /* for reading: its bytes are written beside it */
		err = ht_vault_open(s->to_vault, s->to->env, s->to->head.vault,
		    false, s->report, &s->to->vault);
	if (err == HT_OK)
		err = ht_txn_begin(s->to->store, false, &txn);
	if (err == HT_OK)
		err =
		    ht_tree_load(&s->to->tree, txn, s->to->head.frontier.size);
	ht_txn_abort(&txn);
	if (err != HT_OK)
		return err;
	s->to->vkey = *s->c->vkey;
	s->to->next = s->to->head;
	s->c->had = s->to->head.frontier.size;
	atomic_store(&s->c->at, s->c->had);
	return ht_erase_resume(s->to, s->report);
}

/* ---- a batch ---- */

/* What comes behind it begins a segment, and a range. */
static enum ht_err
pass_volume(struct copy *s, const struct ht_entry *e)
{
	struct ht_volume_said said;
	enum ht_err err = ht_volume_said_decode(e->payload, &said);

	if (err != HT_OK)
		return err;
	if (said.segment > s->end.segment)
		s->end = (struct ht_vault_place){said.segment, HT_SEGMENT_HEAD};
	s->to->volumes.next.first = e->seq;
	return HT_OK;
}

/* HT_EAGAIN: enough. */
static enum ht_err
gather_one(void *arg, uint64_t seq, struct ht_slice leaf)
{
	struct copy *s = arg;
	struct ht_entry e;
	enum ht_err err = ht_entry_decode(leaf, &e);

	if (err != HT_OK || e.seq != seq)
		return HT_EINTEGRITY;
	ht_buf_u32(&s->leaves, (uint32_t)leaf.len);
	ht_buf_add(&s->leaves, leaf.at, leaf.len);
	s->n++;
	if (e.tag_len > 0 || e.body_len > 0)
		s->end = (struct ht_vault_place){e.segment,
		    e.offset + HT_VAULT_PIECE_MIN + e.tag_len + e.body_len};
	if (e.type == HT_ENTRY_VOLUME)
		err = pass_volume(s, &e);
	if (err != HT_OK)
		return HT_EINTEGRITY;
	s->erases = e.type == HT_ENTRY_ERASE;
	if (s->leaves.err != HT_OK)
		return s->leaves.err;
	return s->erases ? HT_EAGAIN : HT_OK;
}

/* Of what was removed from the log there are its leaves' hashes. */
static enum ht_err
gather_gone(struct copy *s, uint64_t at, uint64_t to)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	struct ht_hash hash;
	enum ht_err err = ht_txn_begin(s->from->store, false, &txn);

	for (; err == HT_OK && at < to; at++) {
		err = ht_tree_get(txn, 0, at, &hash);
		if (err == HT_OK)
			ht_buf_add(&s->leaves, hash.at, sizeof(hash.at));
		s->n++;
	}
	return err == HT_OK ? s->leaves.err : err;
}

static enum ht_err
gather(struct copy *s)
{
	uint64_t at = s->to->head.frontier.size;
	uint64_t to = s->cp.size - at > BATCH ? at + BATCH : s->cp.size;
	uint64_t begin = ht_log_begin(s->from);
	enum ht_err err;

	ht_buf_reset(&s->leaves);
	s->n = 0;
	s->gone = at < begin;
	s->erases = false;
	s->end = s->to->head.vault;
	if (s->gone)
		return gather_gone(s, at, to < begin ? to : begin);
	err = ht_log_walk(s->from, at, to, gather_one, s);
	if (err == HT_EINTEGRITY) {
		ht_report_add(s->report, s->from->dir,
		    "entry %" PRIu64 " is not the one that was logged; what "
		    "is before it was copied.  Run hutong-audit verify on a "
		    "copy, and keep the backups there are",
		    at + s->n);
		return err;
	}
	return err == HT_EAGAIN ? HT_OK : err;
}

static struct ht_slice
next_leaf(struct ht_cur *cur)
{
	uint32_t len = ht_cur_u32(cur);

	return ht_cur_take(cur, len);
}

/* ---- pieces ---- */

/* An erased part names an ERASE entry that is in the copy, or will be. */
static enum ht_err
check_erased(struct copy *s, const struct ht_entry *e)
{
	struct ht_erased erased;
	enum ht_err err = ht_log_erased(s->to, e, &erased);

	if (err != HT_OK)
		return err;
	if ((erased.tag && erased.tag_by >= s->cp.size) ||
	    (erased.body && erased.body_by >= s->cp.size))
		return HT_EINTEGRITY;
	return erased.tag ? HT_OK : ht_log_read_vault(s->to, e, &s->tag, NULL);
}

static enum ht_err
check_pieces(struct copy *s)
{
	struct ht_cur cur = ht_cur(ht_buf_slice(&s->leaves));

	for (size_t i = 0; i < s->n && !s->gone; i++) {
		struct ht_entry e;
		enum ht_err err = ht_entry_decode(next_leaf(&cur), &e);

		ht_buf_reset(&s->tag);
		ht_buf_reset(&s->body);
		if (err == HT_OK)
			err = ht_log_read_vault(s->to, &e, &s->tag, &s->body);
		if (err == HT_EERASED)
			err = check_erased(s, &e);
		if (err == HT_EINTEGRITY && s->bad++ == 0)
			s->first_bad = e.seq;
		if (err != HT_OK && err != HT_EINTEGRITY)
			return err;
	}
	return HT_OK;
}

/* ---- evidence ---- */

static enum ht_err
put_leaf(struct ht_log *to, struct ht_txn *txn, uint64_t seq,
    struct ht_slice leaf, const struct ht_hash *hash)
{
	ht_buf_reset(&to->leaf);
	ht_buf_add(&to->leaf, leaf.at, leaf.len);
	ht_buf_add(&to->leaf, hash->at, sizeof(hash->at));
	if (to->leaf.err != HT_OK)
		return to->leaf.err;
	return ht_txn_append_u64(
	    txn, HT_EV_ENTRIES, seq, ht_buf_slice(&to->leaf));
}

static enum ht_err
put_hashes(struct copy *s)
{
	struct ht_cur cur = ht_cur(ht_buf_slice(&s->leaves));
	struct ht_log *to = s->to;
	struct ht_hash hash;

	for (size_t i = 0; i < s->n; i++) {
		ht_cur_copy(&cur, hash.at, sizeof(hash.at));
		ht_frontier_append(
		    &to->next.frontier, &hash, ht_tree_store, &to->tree);
	}
	return ht_tree_flush(&to->tree);
}

static enum ht_err
put_leaves(struct copy *s, struct ht_txn *txn)
{
	struct ht_cur cur = ht_cur(ht_buf_slice(&s->leaves));
	struct ht_log *to = s->to;
	enum ht_err err = HT_OK;

	to->tree.txn = txn;
	if (s->gone)
		return put_hashes(s);
	for (size_t i = 0; i < s->n && err == HT_OK; i++) {
		struct ht_slice leaf = next_leaf(&cur);
		struct ht_hash hash = ht_leaf_hash(leaf);
		struct ht_entry e;

		err = ht_entry_decode(leaf, &e);
		if (err != HT_OK)
			return err;
		if (e.seq >= to->volumes.state.kept)
			err = put_leaf(to, txn, e.seq, leaf, &hash);
		ht_frontier_append(
		    &to->next.frontier, &hash, ht_tree_store, &to->tree);
		to->next.last_us = e.time_us;
	}
	return err == HT_OK ? ht_tree_flush(&to->tree) : err;
}

/*
 * The evidence of bundles that begin in the batch, wherever the log has it: a
 * backup that was interrupted may have it in the file of a volume that ends
 * behind what it is a copy of.
 */
static enum ht_err
put_bundles(struct copy *s, struct ht_txn *txn)
{
	struct ht_cur cur = ht_cur(ht_buf_slice(&s->leaves));
	struct ht_buf *bytes = &s->to->leaf;
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < s->n && err == HT_OK && !s->gone; i++) {
		struct ht_entry e;

		err = ht_entry_decode(next_leaf(&cur), &e);
		if (err != HT_OK || !ht_entry_has_header(&e) ||
		    e.bundle_seq != e.seq || e.seq < s->to->volumes.state.kept)
			continue;
		ht_buf_reset(bytes);
		err = ht_log_read_bundle(s->from, e.seq, bytes);
		if (err == HT_OK)
			err = ht_txn_put_u64(
			    txn, HT_EV_BUNDLES, e.seq, ht_buf_slice(bytes));
		else if (err == HT_ENOTFOUND) /* verify will miss it */
			err = HT_OK;
	}
	return err;
}

/* Rows of @db from @first on, below @end. */
static enum ht_err
put_rows(struct copy *s, struct ht_txn *to, unsigned db, uint64_t first,
    uint64_t end)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	HT_AUTO(ht_seek_close) struct ht_seek *seek = NULL;
	struct ht_slice key, value;
	uint64_t at;
	enum ht_err err = ht_txn_begin(s->from->store, false, &txn);

	if (err == HT_OK)
		err = ht_seek_open(txn, db, &seek);
	if (err == HT_OK)
		err = ht_seek_ge(
		    seek, HT_SLICE(&first, sizeof(first)), &key, &value);
	while (err == HT_OK) {
		memcpy(&at, key.at, sizeof(at));
		if (at >= end)
			return HT_OK;
		err = ht_txn_put_u64(to, db, at, value);
		if (err == HT_OK)
			err = ht_seek_next(seek, &key, &value);
	}
	return err == HT_ENOTFOUND ? HT_OK : err;
}

/* The first stored checkpoint that may be another than the copy's. */
static enum ht_err
first_checkpoint(struct ht_txn *txn, uint64_t *ret)
{
	HT_AUTO(ht_seek_close) struct ht_seek *seek = NULL;
	struct ht_slice key, value;
	enum ht_err err = ht_seek_open(txn, HT_EV_CPS, &seek);

	*ret = 0;
	if (err == HT_OK)
		err = ht_seek_last(seek, &key, &value);
	for (unsigned i = 0; err == HT_OK && i < SEEN_AGO; i++)
		err = ht_seek_prev(seek, &key, &value);
	if (err == HT_OK)
		memcpy(ret, key.at, sizeof(*ret));
	return err == HT_ENOTFOUND ? HT_OK : err;
}

/* `state`, but for the head: what else the log remembers. */
static enum ht_err
put_state(struct copy *s, struct ht_txn *to)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	HT_AUTO(ht_seek_close) struct ht_seek *seek = NULL;
	struct ht_slice key, value;
	enum ht_err err = ht_txn_begin(s->from->store, false, &txn);

	if (err == HT_OK)
		err = ht_seek_open(txn, HT_EV_STATE, &seek);
	if (err == HT_OK)
		err = ht_seek_ge(seek, HT_SLICE("", 1), &key, &value);
	while (err == HT_OK) {
		if (!ht_slice_is(key, HT_HEAD_KEY) &&
		    !ht_slice_is(key, HT_VOLUMES_KEY))
			err = ht_txn_put(to, HT_EV_STATE, key, value);
		if (err == HT_OK)
			err = ht_seek_next(seek, &key, &value);
	}
	return err == HT_ENOTFOUND ? HT_OK : err;
}

static enum ht_err
put_batch(struct copy *s, struct ht_txn *txn)
{
	struct ht_log *to = s->to;
	uint64_t old = to->head.frontier.size, cps;
	enum ht_err err = put_leaves(s, txn);

	if (err == HT_OK)
		err = put_bundles(s, txn);
	if (err == HT_OK &&
	    (to->volumes.next.first > 0 || to->volumes.next.begin > 0))
		err = ht_volumes_put(txn, &to->volumes.next);
	if (err == HT_OK)
		err = first_checkpoint(txn, &cps);
	if (err == HT_OK)
		err = put_rows(s, txn, HT_EV_CPS, cps, old + s->n + 1);
	if (err == HT_OK && old + s->n == s->cp.size)
		err = put_state(s, txn);
	if (err != HT_OK)
		return err;
	to->next.root = ht_frontier_root(&to->next.frontier);
	to->next.vault = s->end;
	return ht_head_put(txn, &to->next, &to->leaf);
}

/* The tree that came of the leaves is the one that the log has there. */
static enum ht_err
check_root(struct copy *s)
{
	uint64_t size = s->to->next.frontier.size;
	struct ht_hash root;
	enum ht_err err = ht_log_root(s->from, size, &root);

	if (err == HT_OK && !ht_hash_eq(&root, &s->to->next.root))
		err = HT_EINTEGRITY;
	if (err == HT_OK && size == s->cp.size &&
	    !ht_hash_eq(&s->cp.root, &root))
		err = HT_EINTEGRITY;
	if (err == HT_EINTEGRITY)
		ht_report_add(s->report, s->from->dir,
		    "the entries up to %" PRIu64 " do not give the root that "
		    "the log has there; run hutong-audit verify on a copy",
		    size);
	return err;
}

static enum ht_err
commit(struct copy *s)
{
	struct ht_txn *txn = NULL;
	enum ht_err err = ht_txn_begin(s->to->store, true, &txn);

	if (err == HT_OK)
		err = put_batch(s, txn);
	if (err == HT_OK)
		err = check_root(s);
	if (err != HT_OK) {
		ht_txn_abort(&txn);
		return err;
	}
	err = ht_txn_commit(&txn);
	if (err == HT_OK)
		err = ht_log_readback(s->to);
	if (err != HT_OK)
		return err;
	s->to->head = s->to->next;
	ht_volumes_publish(&s->to->volumes);
	atomic_store(&s->to->size, s->to->head.frontier.size);
	atomic_store(&s->c->at, s->to->head.frontier.size);
	return HT_OK;
}

/* ---- erasures ---- */

/*
 * What is destroyed must have its order in whatever is made of this copy: it
 * waits for a checkpoint behind that, or for the end.  If another ERASE comes
 * first, it cannot.
 */
static enum ht_err
carry_out(struct copy *s)
{
	HT_AUTO(ht_erasure_free) struct ht_erasure *list = HT_TAKE(s->owed);

	if (list == NULL)
		return HT_OK;
	s->c->erased += list->n;
	return ht_erase_carry_out(s->to, list, s->owed_by);
}

static enum ht_err
last_checkpoint(struct ht_log *log, struct ht_buf *ret, uint64_t *ret_size)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	HT_AUTO(ht_seek_close) struct ht_seek *seek = NULL;
	struct ht_slice key, value;
	enum ht_err err = ht_txn_begin(log->store, false, &txn);

	*ret_size = 0;
	if (err == HT_OK)
		err = ht_seek_open(txn, HT_EV_CPS, &seek);
	if (err == HT_OK)
		err = ht_seek_last(seek, &key, &value);
	if (err != HT_OK)
		return err == HT_ENOTFOUND ? HT_OK : err;
	memcpy(ret_size, key.at, sizeof(*ret_size));
	if (ret == NULL)
		return HT_OK;
	ht_buf_add(ret, value.at, value.len);
	return ret->err;
}

static enum ht_err
carry_out_covered(struct copy *s)
{
	uint64_t size = 0;
	enum ht_err err =
	    s->owed == NULL ? HT_OK : last_checkpoint(s->to, NULL, &size);

	return err == HT_OK && s->owed != NULL && size > s->owed_by
	           ? carry_out(s)
	           : err;
}

static enum ht_err
promise(struct copy *s, uint64_t by)
{
	enum ht_err err = carry_out(s);

	if (err == HT_OK)
		err = ht_log_erasure(s->from, by, &s->owed);
	s->owed_by = by;
	return err == HT_OK ? ht_erase_promise(s->to, s->owed) : err;
}

static enum ht_err
copy_one(struct copy *s)
{
	struct ht_vault_place at = s->to->head.vault;
	uint64_t last;
	enum ht_err err = gather(s);

	if (err != HT_OK)
		return err;
	last = s->to->head.frontier.size + s->n - 1;
	err = ht_vault_copy(
	    s->from_vault, s->to_vault, &at, s->end, &s->c->bytes);
	if (err == HT_OK)
		err = check_pieces(s);
	if (err == HT_OK && s->erases)
		err = promise(s, last);
	if (err == HT_OK)
		err = commit(s);
	return err == HT_OK ? carry_out_covered(s) : err;
}

/* ---- what else was signed ---- */

/*
 * A checkpoint that somebody has: the copy continues it, or it is kept as what
 * the copy is behind.
 */
static enum ht_err
consider(struct copy *s, const char *whose, struct ht_slice note)
{
	struct ht_checkpoint cp;
	struct ht_hash root;
	enum ht_err err;

	if (note.len == 0)
		return HT_OK;
	if (ht_checkpoint_open(note, s->c->vkey, &cp) != HT_OK) {
		ht_report_add(s->report, whose,
		    "this is no checkpoint that %s has signed",
		    s->c->vkey->name);
		return HT_EINVALID;
	}
	if (cp.size <= s->cp.size) {
		err = ht_log_root(s->to, cp.size, &root);
		if (err != HT_OK || ht_hash_eq(&root, &cp.root))
			return err;
	}
	if (cp.size > s->c->ahead)
		s->c->ahead = cp.size;
	return ht_log_keep_ahead(s->to, note);
}

static enum ht_err
consider_file(struct copy *s, const char *name)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(NOTE_MAX);
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(s->c->dir, name);
	enum ht_err err = path == NULL ? HT_ENOMEM : ht_fs_read(path, &note);

	if (err == HT_ENOTFOUND)
		return HT_OK;
	return err == HT_OK ? consider(s, path, ht_buf_slice(&note)) : err;
}

/* The anchor of the log that stood here stays, under its size's name. */
static enum ht_err
put_anchor_aside(struct copy *s, const char *path)
{
	HT_AUTO(ht_mem_free) char *aside = NULL;

	if (asprintf(&aside, "%s.%" PRIu64, path, s->to->anchor.size) == -1) {
		aside = NULL;
		return HT_ENOMEM;
	}
	return link(path, aside) == -1 && errno != EEXIST ? HT_ESYSTEM : HT_OK;
}

static enum ht_err
new_anchor(struct copy *s)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(s->c->dir, "anchor");
	HT_AUTO(ht_mem_free) char *fresh = ht_fs_join(s->c->dir, "anchor.new");
	struct ht_anchor anchor = {.fd = -1};
	struct ht_slice note = ht_buf_slice(&s->note);
	enum ht_err err = path == NULL || fresh == NULL ? HT_ENOMEM : HT_OK;

	if (err == HT_OK && s->to->anchor.size > s->cp.size)
		err = put_anchor_aside(s, path);
	if (err != HT_OK)
		return err;
	(void)unlink(fresh);
	err = ht_anchor_open(fresh, true, &anchor);
	if (err == HT_OK)
		err = ht_anchor_write(&anchor, s->cp.size, &s->cp.root, note);
	ht_anchor_close(&anchor);
	if (err == HT_OK && rename(fresh, path) == -1)
		err = HT_ESYSTEM;
	return err == HT_OK ? ht_fs_sync_dir(s->c->dir) : err;
}

/*
 * Only a folder that is to be a log again may have seen more than the copy: in
 * a backup's that was found out before anything was written.
 */
static enum ht_err
end(struct copy *s)
{
	struct ht_anchor *a = &s->to->anchor;
	enum ht_err err = HT_OK;

	if (s->c->kind == HT_COPY_RESTORE && a->counter > 0)
		err = consider(s, s->c->dir, HT_SLICE(a->note, a->note_len));
	if (err == HT_OK && s->c->kind == HT_COPY_RESTORE)
		err = consider_file(s, "ahead");
	if (err == HT_OK)
		err = consider(s, "the checkpoint given", s->c->seen);
	return err == HT_OK ? new_anchor(s) : err;
}

/* ---- what was removed ---- */

/*
 * From now on the copy begins where the log does.  One that has what was
 * removed keeps it up to its end, when it has the entry that says so, too: so
 * a copy that is cut holds as it did before.
 */
static enum ht_err
begin_later(struct copy *s)
{
	const struct ht_volumes_state *from = &s->from->volumes.state;
	struct ht_volumes *v = &s->to->volumes;

	if (v->state.begin >= from->begin)
		return HT_OK;
	v->next.begin = from->begin;
	v->next.removed = from->removed;
	if (v->next.kept < from->begin)
		v->next.kept = from->begin;
	return ht_volumes_advance(s->to);
}

static bool
lacks_removed(const struct copy *s)
{
	uint64_t begin = ht_log_begin(s->from);

	return s->to->head.frontier.size < begin ||
	       s->to->volumes.state.kept < begin;
}

/* ---- all of it ---- */

/*
 * A backup that was interrupted has more than the checkpoint says that it was
 * of: up to the last one that it stored, what it has is signed for, too.
 */
static enum ht_err
take_later(struct copy *s)
{
	HT_AUTO(ht_buf_fini) struct ht_buf later = HT_BUF(NOTE_MAX);
	struct ht_checkpoint cp;
	struct ht_hash root;
	uint64_t size;
	enum ht_err err = last_checkpoint(s->from, &later, &size);

	if (err != HT_OK || size <= s->cp.size || size > ht_log_size(s->from))
		return err;
	err = ht_checkpoint_open(ht_buf_slice(&later), s->c->vkey, &cp);
	if (err == HT_OK)
		err = ht_log_root(s->from, size, &root);
	if (err != HT_OK || cp.size != size || !ht_hash_eq(&root, &cp.root))
		return err == HT_ENOMEM ? err : HT_OK; /* it is not used */
	ht_buf_reset(&s->note);
	ht_buf_add(&s->note, later.at, later.len);
	s->cp = cp;
	return s->note.err;
}

static enum ht_err
open_source(struct copy *s)
{
	struct ht_note note;
	enum ht_err err = ht_log_checkpoint(s->from, &s->note);

	if (err == HT_OK)
		err = ht_note_parse(ht_buf_slice(&s->note), &note);
	if (err == HT_OK)
		err = ht_checkpoint_parse(note.text, &s->cp);
	if (err == HT_OK && s->c->kind == HT_COPY_RESTORE)
		err = take_later(s);
	if (err != HT_OK || has(s->from_vault, "."))
		return err;
	ht_report_add(s->report, s->from->dir,
	    "its vault is missing, and with it every tag and body; copy from "
	    "another one");
	return HT_ENOTFOUND;
}

static enum ht_err
copy_all(struct copy *s)
{
	enum ht_err err = lacks_removed(s) ? begin_later(s) : HT_OK;

	if (err == HT_OK)
		err = ht_volumes_copy(
		    s->from, s->to, s->cp.size, s->c->stop, s->report);
	while (err == HT_OK && s->to->head.frontier.size < s->cp.size) {
		if (s->c->stop != NULL && atomic_load(s->c->stop))
			return HT_EAGAIN;
		err = copy_one(s);
		if (s->c->progress != NULL)
			s->c->progress(
			    s->c->arg, s->to->head.frontier.size, s->cp.size);
	}
	if (err == HT_OK)
		err = end(s);
	if (err == HT_OK)
		err = carry_out(s);
	if (err == HT_OK)
		err = begin_later(s);
	if (err == HT_OK)
		err = ht_remove_files(s->to);
	if (err != HT_OK || s->bad == 0)
		return err;
	ht_report_add(s->report, s->from->dir,
	    "all was copied, but %" PRIu64 " tags or bodies are not what "
	    "their entries say, the first that of entry %" PRIu64
	    ": look for an older copy that still has them",
	    s->bad, s->first_bad);
	return HT_EINTEGRITY;
}

static void
copy_fini(struct copy *s)
{
	ht_log_close(&s->to);
	ht_erasure_free(&s->owed);
	ht_buf_fini(&s->note);
	ht_buf_fini(&s->leaves);
	ht_buf_fini(&s->tag);
	ht_buf_fini(&s->body);
	free(s->from_vault);
	free(s->to_vault);
}

enum ht_err
ht_log_copy(struct ht_copy *c, struct ht_report *report)
{
	struct copy s = {
	    .c = c,
	    .from = c->from,
	    .report = report,
	    .note = HT_BUF(NOTE_MAX),
	    .leaves = HT_BUF((size_t)BATCH * (HT_LEAF_MAX + 4)),
	    .tag = HT_BUF(HT_TAG_MAX),
	    .body = HT_BUF(HT_BODY_MAX),
	    .from_vault = ht_fs_join(c->from->dir, "vault"),
	    .to_vault = ht_fs_join(c->dir, "vault"),
	};
	enum ht_err err =
	    s.from_vault == NULL || s.to_vault == NULL ? HT_ENOMEM : HT_OK;
	int failed;

	if (err == HT_OK)
		err = open_source(&s);
	if (err == HT_OK)
		err = open_copy(&s);
	if (err == HT_OK)
		err = copy_all(&s);
	if (s.to != NULL) {
		c->size = s.to->head.frontier.size;
		c->root = s.to->head.root;
	}
	failed = errno;
	copy_fini(&s);
	errno = failed;
	return err;
}

enum ht_err
ht_log_copy_done(const char *dir)
{
	HT_AUTO(ht_mem_free) char *mark = ht_fs_join(dir, HT_RESTORE_MARK);

	if (mark == NULL)
		return HT_ENOMEM;
	if (unlink(mark) == -1)
		return HT_ESYSTEM;
	return ht_fs_sync_dir(dir);
}
