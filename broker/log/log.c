/*
 * log.c -- opening, appending and committing (docs/log-format.md).
 *
 * The order of a commit is the promise of the whole exchange: the vault is
 * synced, the evidence is committed, what was committed is read back, then it
 * is signed, the anchor is written, and only then may anything leave.  After
 * any error the log refuses all further work: the restart, with its checks,
 * finds out what the disk holds.
 */
#include "broker/log/bundles.h"
#include "broker/log/erase.h"
#include "broker/log/evidence.h"
#include "broker/log/remove.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"

#define CPS_MS   1000 /* at most one stored checkpoint a second */
#define NOTE_MAX 2048

const struct ht_store_db ht_ev_dbs[HT_EV_COUNT] = {
    [HT_EV_ENTRIES] = {"entries", HT_STORE_U64  },
    [HT_EV_N0] = {"n0",      HT_STORE_U64  },
    [HT_EV_NUP] = {"nup",     HT_STORE_BYTES},
    [HT_EV_BUNDLES] = {"bundles", HT_STORE_U64  },
    [HT_EV_CPS] = {"cps",     HT_STORE_U64  },
    [HT_EV_STATE] = {"state",   HT_STORE_BYTES},
};

/* ---- opening ---- */

enum ht_err
ht_log_new(const char *dir, const char *origin, const struct ht_key *key,
    struct ht_log **ret)
{
	HT_AUTO(ht_log_close) struct ht_log *log = NULL;
	struct ht_pub pub;
	enum ht_err err = HT_OK;

	log = calloc(1, sizeof(*log));
	if (log == NULL)
		return HT_ENOMEM;
	pthread_mutex_init(&log->lock_note, NULL);
	pthread_mutex_init(&log->volumes.lock, NULL);
	log->lock = log->anchor.fd = -1;
	log->volumes.max = HT_VOLUMES_MAX;
	log->leaf = HT_BUF(64 * 1024); /* leaf or bundle */
	log->notes[0] = HT_BUF(NOTE_MAX);
	log->notes[1] = HT_BUF(NOTE_MAX);
	log->ahead_note = HT_BUF(HT_ANCHOR_NOTE_MAX);
	log->dir = strdup(dir);
	log->volumes.dir = ht_fs_join(dir, HT_VOLUMES_DIR);
	if (log->dir == NULL || log->volumes.dir == NULL)
		return HT_ENOMEM;
	if (key != NULL) {
		pub = ht_key_pub(key);
		log->origin = strdup(origin);
		if (log->origin == NULL)
			return HT_ENOMEM;
		err = ht_vkey_make(origin, &pub, &log->vkey);
	}
	if (err != HT_OK)
		return err;
	log->key = key;
	*ret = HT_TAKE(log);
	return HT_OK;
}

/*
 * One writer, or readers of a log that nobody writes: LMDB without its lock
 * file must not be read beside a writer.
 */
static enum ht_err
take_lock(struct ht_log *log, bool write, struct ht_report *report)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(log->dir, "lock");

	if (path == NULL)
		return HT_ENOMEM;
	log->lock = open(path,
	    write ? O_RDWR | O_CREAT | O_CLOEXEC : O_RDONLY | O_CLOEXEC, 0600);
	if (log->lock == -1) /* a copy may lack it */
		return !write && errno == ENOENT ? HT_OK : HT_ESYSTEM;
	if (flock(log->lock, (write ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
		return HT_OK;
	ht_report_add(report, path,
	    write ? "another process has this log open; stop it first"
	          : "a broker is writing this log; ask it through its audit "
	            "socket, or stop it, or copy the folder once it is "
	            "stopped");
	return HT_EAGAIN;
}

static enum ht_err
open_anchor(struct ht_log *log, bool write)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(log->dir, "anchor");
	enum ht_err err;

	if (path == NULL)
		return HT_ENOMEM;
	ht_anchor_close(&log->anchor);
	err = ht_anchor_open(path, write, &log->anchor);
	if (err == HT_ENOTFOUND) {
		log->anchor = (struct ht_anchor){.fd = -1};
		return HT_OK;
	}
	return err;
}

/* Evidence that is gone while its anchor stands is no new log. */
static enum ht_err
check_gone(struct ht_log *log, const char *path, struct ht_report *report)
{
	HT_AUTO(ht_mem_free) char *data = ht_fs_join(path, "data.mdb");

	if (data == NULL)
		return HT_ENOMEM;
	if (access(data, F_OK) == 0)
		return HT_OK;
	if (log->anchor.counter > 0 && log->anchor.size > 0) {
		ht_report_add(report, path,
		    "the evidence is gone, but a checkpoint of size %llu was "
		    "given out; restore the newest copy",
		    (unsigned long long)log->anchor.size);
		return HT_EROLLBACK;
	}
	return log->key == NULL ? HT_ENOTFOUND : HT_OK;
}

/* A new log: an environment id, and a head of size 0. */
static enum ht_err
first_head(struct ht_log *log)
{
	struct ht_txn *txn = NULL;
	enum ht_err err;

	ht_random(log->head.env, sizeof(log->head.env));
	log->head.root = ht_frontier_root(&log->head.frontier);
	err = ht_txn_begin(log->store, true, &txn);
	if (err != HT_OK)
		return err;
	err = ht_head_put(txn, &log->head, &log->leaf);
	if (err != HT_OK) {
		ht_txn_abort(&txn);
		return err;
	}
	return ht_txn_commit(&txn);
}

static enum ht_err
read_head(struct ht_log *log, const char *path, struct ht_report *report)
{
	struct ht_txn *txn = NULL;
	const char *what = "state/head";
	enum ht_err err = ht_txn_begin(log->store, false, &txn);

	if (err != HT_OK)
		return err;
	err = ht_head_get(txn, &log->head);
	if (err == HT_OK) {
		what = "state/volumes";
		err = ht_volumes_get(txn, &log->volumes.state);
	}
	ht_txn_abort(&txn);
	if (err == HT_ENOTFOUND && log->key != NULL)
		return first_head(log);
	if (err == HT_EINTEGRITY)
		ht_report_add(report, path,
		    "the checksum of %s does not hold; restore a good copy",
		    what);
	return err;
}

static bool
has_mark(const struct ht_log *log, const char *name)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(log->dir, name);

	return path == NULL || access(path, F_OK) == 0;
}

/* Who writes into a backup ends it; what is half restored is no log yet. */
static enum ht_err
check_marks(struct ht_log *log, struct ht_report *report)
{
	if (log->key == NULL)
		return HT_OK;
	if (has_mark(log, HT_BACKUP_MARK))
		ht_report_add(report, log->dir,
		    "this folder is a backup, which no broker may write; make "
		    "a log of it elsewhere: hutong-broker restore --from %s",
		    log->dir);
	else if (has_mark(log, HT_RESTORE_MARK))
		ht_report_add(report, log->dir,
		    "a restore into this folder has not ended well; run "
		    "hutong-broker restore once more, and see what it says");
	else
		return HT_OK;
	return HT_EINVALID;
}

static enum ht_err
open_parts(struct ht_log *log, bool write, struct ht_report *report)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(log->dir, "evidence");
	enum ht_err err = path == NULL ? HT_ENOMEM : HT_OK;

	if (err == HT_OK && write)
		err = ht_fs_mkdirs(log->dir, 0700);
	if (err == HT_OK)
		err = take_lock(log, write, report);
	if (err == HT_OK)
		err = check_marks(log, report);
	if (err == HT_OK)
		err = open_anchor(log, false);
	/* A copy is made where the evidence is gone, too. */
	if (err == HT_OK && (log->key != NULL || !write))
		err = check_gone(log, path, report);
	if (err == HT_OK)
		err = ht_store_open(path,
		    write ? HT_STORE_DURABLE : HT_STORE_READONLY, HT_EV_MAP,
		    ht_ev_dbs, HT_EV_COUNT, &log->store);
	return err == HT_OK ? read_head(log, path, report) : err;
}

/* The environment's id and size; and the files of volumes, by that id. */
static enum ht_err
take_head(struct ht_log *log)
{
	memcpy(log->env, log->head.env, sizeof(log->env));
	atomic_store(&log->size, log->head.frontier.size);
	log->began = log->head.frontier.size;
	log->volumes.next = log->volumes.state;
	atomic_store(&log->volumes.begin, log->volumes.state.begin);
	atomic_store(&log->volumes.kept, log->volumes.state.kept);
	return ht_volumes_open(log);
}

enum ht_err
ht_log_open_raw(const char *dir, const char *origin, const struct ht_key *key,
    struct ht_report *report, struct ht_log **ret)
{
	HT_AUTO(ht_log_close) struct ht_log *log = NULL;
	enum ht_err err = ht_log_new(dir, origin, key, &log);

	if (err == HT_OK)
		err = open_parts(log, key != NULL, report);
	if (err == HT_OK)
		err = take_head(log);
	if (err != HT_OK)
		return err;
	*ret = HT_TAKE(log);
	return HT_OK;
}

enum ht_err
ht_log_open_copy(const char *dir, const uint8_t env[static HT_ENV_ID_SIZE],
    struct ht_report *report, struct ht_log **ret)
{
	HT_AUTO(ht_log_close) struct ht_log *log = NULL;
	enum ht_err err = ht_log_new(dir, NULL, NULL, &log);

	if (err == HT_OK)
		err = open_parts(log, true, report);
	if (err == HT_ENOTFOUND) { /* nothing was copied yet */
		memcpy(log->head.env, env, sizeof(log->head.env));
		log->head.root = ht_frontier_root(&log->head.frontier);
		err = HT_OK;
	}
	if (err == HT_OK)
		err = take_head(log);
	if (err != HT_OK)
		return err;
	*ret = HT_TAKE(log);
	return HT_OK;
}

static enum ht_err
open_vault(struct ht_log *log, struct ht_report *report)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(log->dir, "vault");

	if (path == NULL)
		return HT_ENOMEM;
	return ht_vault_open(path, log->head.env, log->head.vault,
	    log->key != NULL, report, &log->vault);
}

/* ---- signing ---- */

/* Sign log->next into the note that is not the newest. */
static enum ht_err
sign_next(struct ht_log *log)
{
	struct ht_buf *note = &log->notes[!log->newest];
	struct ht_checkpoint cp = {
	    .size = log->next.frontier.size, .root = log->next.root};

	if (strlen(log->origin) >= sizeof(cp.origin))
		return HT_EINVALID;
	memcpy(cp.origin, log->origin, strlen(log->origin) + 1);
	ht_buf_reset(&log->leaf);
	ht_checkpoint_text(&cp, &log->leaf);
	if (log->leaf.err != HT_OK)
		return log->leaf.err;
	ht_buf_reset(note);
	return ht_note_sign(
	    ht_buf_slice(&log->leaf), false, log->origin, log->key, note);
}

static void
publish(struct ht_log *log)
{
	pthread_mutex_lock(&log->lock_note);
	log->newest = !log->newest;
	pthread_mutex_unlock(&log->lock_note);
	log->head = log->next;
	atomic_store(&log->size, log->head.frontier.size);
	ht_volumes_publish(&log->volumes);
}

static enum ht_err
sign_and_anchor(struct ht_log *log)
{
	enum ht_err err = sign_next(log);

	/* The entry of the act is durable: now its anchor is another. */
	if (err == HT_OK && log->act != NULL)
		err = ht_rollback_retire(log);
	else if (err == HT_OK)
		err = ht_anchor_write(&log->anchor, log->next.frontier.size,
		    &log->next.root, ht_buf_slice(&log->notes[!log->newest]));
	if (err == HT_OK)
		publish(log);
	return err;
}

/* All checks have passed: from here on the log may write. */
static enum ht_err
start_writing(struct ht_log *log, struct ht_report *report)
{
	struct ht_txn *txn = NULL;
	enum ht_err err = open_anchor(log, true);

	/* The names of anchor, evidence and vault, before anything leaves. */
	if (err == HT_OK)
		err = ht_fs_sync_dir(log->dir);
	if (err == HT_OK)
		err = ht_txn_begin(log->store, false, &txn);
	if (err == HT_OK)
		err = ht_tree_load(&log->tree, txn, log->head.frontier.size);
	ht_txn_abort(&txn);
	if (err != HT_OK)
		return err;
	log->next = log->head;
	log->next.vault = ht_vault_next(log->vault);
	/* Behind its anchor: nothing is signed before the act is logged. */
	if (log->act != NULL)
		return HT_OK;
	/* A crash may have come between commit and anchor. */
	err = sign_and_anchor(log);
	/* Or in the middle of an erasure, or of a removal. */
	if (err == HT_OK)
		err = ht_erase_resume(log, report);
	return err == HT_OK ? ht_remove_files(log) : err;
}

/* Reading: the newest checkpoint is the one that was given out last. */
static enum ht_err
take_note(struct ht_log *log)
{
	struct ht_buf *note = &log->notes[log->newest];

	ht_buf_add(note, log->anchor.note, log->anchor.note_len);
	return note->err;
}

enum ht_err
ht_log_open(const char *dir, const char *origin, const struct ht_key *key,
    struct ht_report *report, struct ht_log **ret)
{
	return ht_log_open_behind(dir, origin, key, NULL, report, ret);
}

enum ht_err
ht_log_open_behind(const char *dir, const char *origin,
    const struct ht_key *key, const struct ht_rollback *act,
    struct ht_report *report, struct ht_log **ret)
{
	HT_AUTO(ht_log_close) struct ht_log *log = NULL;
	enum ht_err err = ht_log_open_raw(dir, origin, key, report, &log);

	HT_ASSERT(act == NULL || key != NULL);
	if (log != NULL)
		log->act = act;
	if (err == HT_OK)
		err = ht_log_check(log, report);
	if (err == HT_OK)
		err = open_vault(log, report);
	if (err == HT_OK)
		err = key != NULL ? start_writing(log, report) : take_note(log);
	if (err != HT_OK) {
		if (log != NULL)
			log->poisoned = true;
		return err;
	}
	*ret = HT_TAKE(log);
	return HT_OK;
}

/* The last checkpoint of a stop is kept, whatever the second says. */
static void
keep_last_checkpoint(struct ht_log *log)
{
	struct ht_txn *txn = NULL;
	enum ht_err err;

	if (log->key == NULL || log->poisoned || log->vault == NULL ||
	    log->act != NULL || log->head.frontier.size == log->cps_size)
		return;
	err = ht_txn_begin(log->store, true, &txn);
	if (err == HT_OK)
		err = ht_txn_append_u64(txn, HT_EV_CPS, log->head.frontier.size,
		    ht_buf_slice(&log->notes[log->newest]));
	if (err == HT_OK)
		err = ht_txn_commit(&txn);
	ht_txn_abort(&txn);
	if (err != HT_OK)
		ht_log(HT_ERROR, "log: the last checkpoint was not stored: %s",
		    ht_err_text(err));
}

void
ht_log_close(struct ht_log **log_p)
{
	struct ht_log *log = HT_TAKE(*log_p);

	if (log == NULL)
		return;
	if (log->txn != NULL)
		ht_log_drop(log);
	keep_last_checkpoint(log);
	ht_vault_close(&log->vault);
	ht_lone_free(&log->lone);
	ht_anchor_close(&log->anchor);
	ht_volumes_close(&log->volumes);
	ht_store_close(&log->store);
	ht_fd_close(&log->lock);
	ht_buf_fini(&log->leaf);
	ht_buf_fini(&log->notes[0]);
	ht_buf_fini(&log->notes[1]);
	ht_buf_fini(&log->ahead_note);
	pthread_mutex_destroy(&log->lock_note);
	pthread_mutex_destroy(&log->volumes.lock);
	free(log->origin);
	free(log->dir);
	free(log);
}

/* ---- writing ---- */

enum ht_err
ht_log_poison(struct ht_log *log, enum ht_err err)
{
	if (err != HT_OK)
		log->poisoned = true;
	return err;
}

/* Its ground is what the disk says. */
enum ht_err
ht_log_group(struct ht_log *log)
{
	struct ht_head found;
	enum ht_err err;

	HT_ASSERT(log->key != NULL);
	if (log->poisoned)
		return HT_ESTORE;
	if (log->txn != NULL)
		return HT_OK;
	err = ht_txn_begin(log->store, true, &log->txn);
	if (err == HT_OK)
		err = ht_head_get(log->txn, &found);
	if (err == HT_OK && (found.frontier.size != log->head.frontier.size ||
	                        !ht_hash_eq(&found.root, &log->head.root)))
		err = HT_EINTEGRITY;
	if (err != HT_OK)
		return ht_log_poison(log, err);
	log->tree.txn = log->txn;
	return HT_OK;
}

enum ht_err
ht_log_vault(struct ht_log *log, struct ht_slice tag, struct ht_slice body,
    struct ht_entry *e)
{
	struct ht_vault_place place;
	enum ht_err err;

	if (log->poisoned)
		return HT_ESTORE;
	if (tag.len == 0 && body.len == 0)
		return HT_OK;
	err = ht_vault_append(log->vault, tag, body, &place);
	if (err != HT_OK)
		return ht_log_poison(log, err);
	e->segment = place.segment;
	e->offset = place.offset;
	e->tag_len = (uint32_t)tag.len;
	e->body_len = (uint32_t)body.len;
	return HT_OK;
}

/* `state`/`snapshot`: where the last one is, in the group of its entry. */
static enum ht_err
put_last_snapshot(struct ht_log *log, uint64_t seq)
{
	uint8_t be[8];

	ht_be64(be, seq);
	return ht_txn_put(log->txn, HT_EV_STATE, ht_slice_str("snapshot"),
	    HT_SLICE(be, sizeof(be)));
}

enum ht_err
ht_log_last_snapshot(struct ht_log *log, uint64_t *ret_seq)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	struct ht_slice be;
	enum ht_err err = ht_txn_begin(log->store, false, &txn);

	if (err == HT_OK)
		err =
		    ht_txn_get(txn, HT_EV_STATE, ht_slice_str("snapshot"), &be);
	if (err == HT_OK && be.len != 8)
		err = HT_EINTEGRITY;
	if (err == HT_OK)
		*ret_seq = ht_load64(be.at);
	return err;
}

/* What an entry of its type leaves in `state`, in the group of the entry. */
static enum ht_err
put_state(struct ht_log *log, const struct ht_entry *e)
{
	switch (e->type) {
	case HT_ENTRY_ROLLBACK_SEEN:
		return ht_rollback_put(log, e->seq);
	case HT_ENTRY_SNAPSHOT:
		return put_last_snapshot(log, e->seq);
	case HT_ENTRY_VOLUME:
		log->volumes.next.first = e->seq;
		return ht_volumes_put(log->txn, &log->volumes.next);
	case HT_ENTRY_REMOVED:
		return ht_remove_put(log, e);
	default:
		return HT_OK;
	}
}

enum ht_err
ht_log_append(struct ht_log *log, struct ht_entry *e, struct ht_hash *ret_hash)
{
	struct ht_hash hash;
	enum ht_err err = ht_log_group(log);

	if (err != HT_OK)
		return err;
	if (ht_log_next(log) - log->head.frontier.size >= HT_GROUP_MAX)
		return HT_ETOOBIG;
	e->seq = ht_log_next(log);
	if (e->time_us < log->next.last_us)
		e->time_us = log->next.last_us;
	ht_buf_reset(&log->leaf);
	err = ht_entry_encode(e, &log->leaf);
	if (err != HT_OK)
		return err;
	hash = ht_leaf_hash(ht_buf_slice(&log->leaf));
	ht_buf_add(&log->leaf, hash.at, sizeof(hash.at));
	if (log->leaf.err != HT_OK)
		return log->leaf.err;
	/* An act comes first, or nothing does. */
	HT_ASSERT(log->act == NULL ||
	          ht_log_next(log) > log->head.frontier.size ||
	          e->type == HT_ENTRY_ROLLBACK_SEEN);
	err = ht_txn_append_u64(
	    log->txn, HT_EV_ENTRIES, e->seq, ht_buf_slice(&log->leaf));
	if (err != HT_OK)
		return ht_log_poison(log, err);
	ht_frontier_append(
	    &log->next.frontier, &hash, ht_tree_store, &log->tree);
	log->next.last_us = e->time_us;
	err = put_state(log, e);
	if (err != HT_OK)
		return ht_log_poison(log, err);
	if (ret_hash != NULL)
		*ret_hash = hash;
	return ht_log_poison(log, log->tree.err);
}

enum ht_err
ht_log_bundle(
    struct ht_log *log, uint64_t first_seq, const struct ht_bundle *bundle)
{
	enum ht_err err = ht_log_group(log);

	if (err != HT_OK)
		return err;
	HT_ASSERT(first_seq >= log->head.frontier.size);
	ht_buf_reset(&log->leaf);
	ht_evidence_pack(bundle, &log->leaf);
	if (log->leaf.err != HT_OK)
		return log->leaf.err;
	return ht_log_poison(log, ht_txn_append_u64(log->txn, HT_EV_BUNDLES,
	                              first_seq, ht_buf_slice(&log->leaf)));
}

enum ht_err
ht_log_cosign(struct ht_log *log, uint64_t size, struct ht_slice note)
{
	enum ht_err err = ht_log_group(log);

	if (err != HT_OK)
		return err;
	if (size > log->head.frontier.size)
		return HT_EINVALID;
	err = ht_txn_put_u64(log->txn, HT_EV_CPS, size, note);
	/* A bare one must not be put in its place, nor before it. */
	if (err == HT_OK && size > log->cps_size) {
		log->cps_size = size;
		log->cps_ms = ht_clock_mono_ms();
	}
	return ht_log_poison(log, err);
}

uint64_t
ht_log_next(const struct ht_log *log)
{
	return log->next.frontier.size;
}

/* The checkpoint of the group before, now and then: proofs to old sizes. */
static enum ht_err
store_checkpoint(struct ht_log *log)
{
	uint64_t size = log->head.frontier.size, now = ht_clock_mono_ms();
	enum ht_err err;

	/* Nothing was signed yet of a log that goes on by an act. */
	if (size <= log->cps_size || now - log->cps_ms < CPS_MS ||
	    log->act != NULL)
		return HT_OK;
	err = ht_txn_append_u64(
	    log->txn, HT_EV_CPS, size, ht_buf_slice(&log->notes[log->newest]));
	if (err == HT_OK) {
		log->cps_size = size;
		log->cps_ms = now;
	}
	return err;
}

static enum ht_err
commit(struct ht_log *log)
{
	enum ht_err err = ht_vault_sync(log->vault);

	if (err == HT_OK)
		err = store_checkpoint(log);
	if (err == HT_OK)
		err = ht_tree_flush(&log->tree);
	if (err != HT_OK)
		return err;
	log->next.root = ht_frontier_root(&log->next.frontier);
	log->next.vault = ht_vault_next(log->vault);
	err = ht_head_put(log->txn, &log->next, &log->leaf);
	if (err == HT_OK)
		err = ht_txn_commit(&log->txn);
	if (err == HT_OK)
		err = ht_log_readback(log);
	if (err == HT_OK)
		err = sign_and_anchor(log);
	return err;
}

enum ht_err
ht_log_commit(struct ht_log *log, struct ht_slice *ret_note)
{
	enum ht_err err = HT_OK;

	if (log->poisoned)
		return HT_ESTORE;
	if (log->txn != NULL)
		err = commit(log);
	if (err != HT_OK)
		return ht_log_poison(log, err);
	*ret_note = ht_buf_slice(&log->notes[log->newest]);
	return HT_OK;
}

void
ht_log_drop(struct ht_log *log)
{
	struct ht_txn *txn = NULL;
	enum ht_err err;

	ht_txn_abort(&log->txn);
	if (log->poisoned)
		return;
	log->next = log->head;
	ht_volumes_drop(&log->volumes);
	err = ht_vault_cut(log->vault, log->head.vault);
	if (err == HT_OK)
		err = ht_txn_begin(log->store, false, &txn);
	if (err == HT_OK)
		err = ht_tree_load(&log->tree, txn, log->head.frontier.size);
	ht_txn_abort(&txn);
	(void)ht_log_poison(log, err);
}

uint64_t
ht_log_room(const struct ht_log *log)
{
	uint64_t vault = ht_vault_room(log->vault);
	struct statvfs st;
	uint64_t room;

	if (fstatvfs(log->lock, &st) == -1)
		return 0;
	room = (uint64_t)st.f_bavail * st.f_frsize;
	return room < vault ? room : vault;
}

bool
ht_log_set_aside(struct ht_log *log)
{
	return ht_store_set_aside(log->store, HT_LOG_ASIDE) &&
	       ht_vault_set_aside(log->vault, HT_LOG_ASIDE);
}
