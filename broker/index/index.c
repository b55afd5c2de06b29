/*
 * index.c -- the index on the disk: opened, wiped where it does not fit, and
 * destroyed; and how far it goes (docs/log-format.md, "index/").
 *
 * Keys end in the seq (or, where many entries share a name, in that of a block
 * of them), so a walk along one prefix is in order of the log.
 * Time needs no rows: it never goes back, so bisection over the entries finds
 * where a period begins.
 */
#include "broker/index/index_in.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/log/evidence.h"
#include "lib/base/fs.h"
#include "lib/base/panic.h"

#define INDEX_MAP     ((size_t)256 << 30)
#define INDEX_VERSION 3

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/*
 * The index is not synced: a process may die under it, a machine may not.  A
 * mark of this boot stands beside it while it is open.
 */
static bool
machine_went_down(const char *mark)
{
	HT_AUTO(ht_buf_fini) struct ht_buf then = HT_BUF(256);
	HT_AUTO(ht_buf_fini) struct ht_buf now = HT_BUF(256);

	if (ht_fs_read(mark, &then) == HT_ENOTFOUND)
		return false;
	return ht_fs_read(BOOT_ID, &now) != HT_OK ||
	       !ht_slice_eq(ht_buf_slice(&then), ht_buf_slice(&now));
}

/* One that stands already takes no room: a full disk may have none. */
static enum ht_err
set_mark(const char *mark)
{
	HT_AUTO(ht_buf_fini) struct ht_buf then = HT_BUF(256);
	HT_AUTO(ht_buf_fini) struct ht_buf now = HT_BUF(256);
	enum ht_err err = ht_fs_read(BOOT_ID, &now);

	if (err != HT_OK && err != HT_ENOTFOUND)
		return err;
	if (ht_fs_read(mark, &then) == HT_OK &&
	    ht_slice_eq(ht_buf_slice(&then), ht_buf_slice(&now)))
		return HT_OK;
	return ht_fs_replace(mark, 0600, ht_buf_slice(&now));
}

#define OLD_NAME "old.mdb" /* rows that are being destroyed */

/* What a removed file held stays on the disk until something is put there. */
static enum ht_err
shred(const char *dir)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(dir, OLD_NAME);
	enum ht_err err;

	if (path == NULL)
		return HT_ENOMEM;
	err = ht_fs_shred(path);
	return err == HT_ENOTFOUND ? HT_OK : err;
}

static enum ht_err
wipe(const char *dir)
{
	static const char *const names[] = {"data.mdb", "lock.mdb"};

	for (size_t i = 0; i < HT_COUNT(names); i++) {
		HT_AUTO(ht_mem_free) char *path = ht_fs_join(dir, names[i]);

		if (path == NULL)
			return HT_ENOMEM;
		if (unlink(path) == -1 && errno != ENOENT)
			return HT_ESYSTEM;
	}
	return HT_OK;
}

/* meta/upto: version u8, environment id, upto u64 */
void
index_meta_bytes(const struct ht_log *log, uint64_t upto,
    uint8_t out[static INDEX_META_SIZE])
{
	out[0] = INDEX_VERSION;
	memcpy(out + 1, log->env, HT_ENV_ID_SIZE);
	ht_be64(out + 1 + HT_ENV_ID_SIZE, upto);
}

enum ht_err
index_meta(struct ht_store *store, struct ht_log *log, uint64_t *ret_upto)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	uint8_t want[INDEX_META_SIZE];
	struct ht_slice meta;
	uint64_t upto;
	enum ht_err err = ht_txn_begin(store, false, &txn);

	*ret_upto = 0;
	if (err == HT_OK)
		err = ht_txn_get(txn, META, ht_slice_str("upto"), &meta);
	if (err != HT_OK)
		return err == HT_ENOTFOUND ? HT_OK : HT_EINTEGRITY;
	if (meta.len != INDEX_META_SIZE)
		return HT_EINTEGRITY;
	upto = ht_load64(meta.at + 1 + HT_ENV_ID_SIZE);
	index_meta_bytes(log, upto, want);
	if (memcmp(meta.at, want, INDEX_META_SIZE) != 0 ||
	    upto > ht_log_size(log))
		return HT_EINTEGRITY;
	*ret_upto = upto;
	return HT_OK;
}

/* Is this the index of this log?  An empty one is of any. */
static bool
fits(struct ht_index *index)
{
	uint64_t upto;

	if (index_meta(index->store, index->log, &upto) != HT_OK)
		return false;
	if (upto > 0)
		atomic_store(&index->upto, upto);
	return true;
}

static enum ht_err
open_store(struct ht_index *index, const char *dir, enum ht_store_mode mode)
{
	return ht_store_open(
	    dir, mode, INDEX_MAP, index_dbs, INDEX_DBS, &index->store);
}

static enum ht_err
open_to_write(struct ht_index *index, const char *dir)
{
	enum ht_err err;

	index->boot = ht_fs_join(dir, "boot");
	if (index->boot == NULL)
		return HT_ENOMEM;
	index->dir = strdup(dir);
	if (index->dir == NULL)
		return HT_ENOMEM;
	err = ht_fs_mkdirs(dir, 0700);
	if (err == HT_OK)
		err = shred(dir); /* a crash may have left it */
	if (err == HT_OK && machine_went_down(index->boot))
		err = wipe(dir);
	if (err == HT_OK)
		err = set_mark(index->boot);
	if (err == HT_OK)
		err = open_store(index, dir, HT_STORE_DERIVED);
	if (err == HT_OK && fits(index))
		return HT_OK;
	if (err != HT_OK && err != HT_ESTORE && err != HT_EINVALID)
		return err;
	ht_store_close(&index->store);
	err = wipe(dir);
	return err == HT_OK ? open_store(index, dir, HT_STORE_DERIVED) : err;
}

static void
open_to_read(struct ht_index *index, const char *dir)
{
	HT_AUTO(ht_mem_free) char *mark = ht_fs_join(dir, "boot");

	/* A copy is of no boot; the mark alone says it was not closed. */
	if (mark == NULL || access(mark, F_OK) == 0 ||
	    open_store(index, dir, HT_STORE_READONLY) != HT_OK)
		return;
	if (!fits(index))
		ht_store_close(&index->store);
}

enum ht_err
ht_index_open(const char *dir, struct ht_log *log, struct ht_index **ret)
{
	HT_AUTO(ht_index_close) struct ht_index *index = NULL;
	enum ht_err err = HT_OK;

	index = calloc(1, sizeof(*index));
	if (index == NULL)
		return HT_ENOMEM;
	index->log = log;
	HT_ASSERT(pthread_rwlock_init(&index->using, NULL) == 0);
	if (dir != NULL && log->key != NULL)
		err = ht_rolls_new(
		    HT_ROLL_SMALL, HT_ROLL_LARGE, index_rolls, &index->rolls);
	if (dir != NULL && log->key != NULL && err == HT_OK)
		err = open_to_write(index, dir);
	else if (dir != NULL)
		open_to_read(index, dir);
	if (err != HT_OK)
		return err;
	index->known = ht_log_size(log);
	*ret = HT_TAKE(index);
	return HT_OK;
}

void
ht_index_close(struct ht_index **index_p)
{
	struct ht_index *index = HT_TAKE(*index_p);

	if (index == NULL)
		return;
	/* What could not be synced keeps its mark: another boot wipes it. */
	if (index->store != NULL && index->boot != NULL &&
	    ht_store_sync(index->store) == HT_OK)
		(void)unlink(index->boot);
	ht_store_close(&index->store);
	HT_ASSERT(pthread_rwlock_destroy(&index->using) == 0);
	ht_rolls_free(&index->rolls);
	free(index->boot);
	free(index->dir);
	free(index);
}

/* The store is closed; its file is put aside, and another begun. */
static enum ht_err
begin_anew(struct ht_index *index)
{
	HT_AUTO(ht_mem_free) char *data = ht_fs_join(index->dir, "data.mdb");
	HT_AUTO(ht_mem_free) char *old = ht_fs_join(index->dir, OLD_NAME);
	enum ht_err err;

	if (data == NULL || old == NULL)
		return HT_ENOMEM;
	if (rename(data, old) == -1 && errno != ENOENT)
		return HT_ESYSTEM;
	err = ht_fs_sync_dir(index->dir);
	atomic_store(&index->upto, 0);
	return err == HT_OK ? open_store(index, index->dir, HT_STORE_DERIVED)
	                    : err;
}

enum ht_err
ht_index_destroy(struct ht_index *index)
{
	enum ht_err err;

	HT_ASSERT(index->log->key != NULL);
	if (index->dir == NULL)
		return HT_OK;
	HT_ASSERT(pthread_rwlock_wrlock(&index->using) == 0);
	index->halted = true;
	ht_store_close(&index->store);
	ht_rolls_forget(index->rolls);
	index->rooted = 0;
	index->known = ht_log_size(index->log);
	err = begin_anew(index);
	HT_ASSERT(pthread_rwlock_unlock(&index->using) == 0);
	return err == HT_OK ? shred(index->dir) : err;
}

void
ht_index_go_on(struct ht_index *index)
{
	HT_ASSERT(pthread_rwlock_wrlock(&index->using) == 0);
	index->halted = false;
	HT_ASSERT(pthread_rwlock_unlock(&index->using) == 0);
}

uint64_t
ht_index_upto(const struct ht_index *index)
{
	return atomic_load(&index->upto);
}
