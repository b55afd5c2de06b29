#include "lib/store/store.h"

#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"

struct ht_store {
	MDB_env *env;
	char *dir;
	enum ht_store_mode mode;
	bool dead; /* a durable commit failed: what is on the disk is unknown */
	dev_t dev; /* of data.mdb, while it stands in the table below */
	ino_t ino;
	unsigned n;
	MDB_dbi dbs[HT_STORE_DBS];
	enum ht_store_key keys[HT_STORE_DBS];
};

struct ht_txn {
	struct ht_store *store;
	MDB_txn *txn;
	bool write;
	enum ht_err err; /* the first write that failed */
};

struct ht_seek {
	MDB_cursor *cursor;
};

/* ---- errors ---- */

static enum ht_err
from_lmdb(int rc)
{
	switch (rc) {
	case 0:
		return HT_OK;
	case MDB_NOTFOUND:
	case ENOENT:
		return HT_ENOTFOUND;
	case MDB_KEYEXIST: /* an append out of order */
	case MDB_BAD_VALSIZE:
		return HT_EINVALID;
	case ENOMEM:
		return HT_ENOMEM;
	default:
		return HT_ESTORE;
	}
}

/* Translate, and say LMDB's own words once where they would be lost. */
static enum ht_err
store_err(const struct ht_store *store, const char *what, int rc)
{
	enum ht_err err = from_lmdb(rc);

	if (err == HT_ESTORE)
		ht_log(HT_ERROR, "store: %s: %s: %s", store->dir, what,
		    mdb_strerror(rc));
	return err;
}

/* ---- one environment, once per process ---- */

/*
 * LMDB's locks are fcntl locks, which closing any descriptor of the file
 * drops: a second environment on the same file would undo the first.
 */
#define OPEN_MAX_STORES 64

static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static const struct ht_store *open_stores[OPEN_MAX_STORES];

static enum ht_err
claim(struct ht_store *store)
{
	enum ht_err err = HT_ETOOBIG;
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(store->dir, "data.mdb");
	struct stat st;
	size_t spare = OPEN_MAX_STORES;

	if (path == NULL)
		return HT_ENOMEM;
	if (stat(path, &st) == -1) /* new, or missing: LMDB will say */
		st.st_ino = 0;
	pthread_mutex_lock(&open_lock);
	for (size_t i = 0; i < OPEN_MAX_STORES; i++) {
		const struct ht_store *other = open_stores[i];

		if (other == NULL)
			spare = i;
		else if (other->ino == st.st_ino && st.st_ino != 0 &&
		         other->dev == st.st_dev) {
			spare = OPEN_MAX_STORES;
			err = HT_EEXISTS;
			break;
		}
	}
	if (spare < OPEN_MAX_STORES) {
		open_stores[spare] = store;
		err = HT_OK;
	}
	pthread_mutex_unlock(&open_lock);
	return err;
}

/* Once open, the file surely exists: note which it is. */
static void
claim_file(struct ht_store *store)
{
	mdb_filehandle_t fd;
	struct stat st;

	if (mdb_env_get_fd(store->env, &fd) != 0 || fstat(fd, &st) == -1)
		return;
	pthread_mutex_lock(&open_lock);
	store->dev = st.st_dev;
	store->ino = st.st_ino;
	pthread_mutex_unlock(&open_lock);
}

static void
disclaim(const struct ht_store *store)
{
	pthread_mutex_lock(&open_lock);
	for (size_t i = 0; i < OPEN_MAX_STORES; i++)
		if (open_stores[i] == store)
			open_stores[i] = NULL;
	pthread_mutex_unlock(&open_lock);
}

/* ---- opening ---- */

/*
 * Never MDB_WRITEMAP: a stray pointer would be silent tampering, and a full
 * disk a SIGBUS.  MDB_NOTLS: read transactions belong to no thread.
 */
static unsigned
env_flags(enum ht_store_mode mode)
{
	switch (mode) {
	case HT_STORE_DURABLE:
		return MDB_NOTLS;
	case HT_STORE_DERIVED:
		return MDB_NOTLS | MDB_NOSYNC;
	case HT_STORE_READONLY:
		return MDB_NOTLS | MDB_RDONLY | MDB_NOLOCK;
	}
	HT_NEVER("no such store mode");
}

static enum ht_err
open_dbs(struct ht_store *store, const struct ht_store_db *dbs)
{
	bool write = store->mode != HT_STORE_READONLY;
	MDB_txn *txn;
	int rc = mdb_txn_begin(store->env, NULL, write ? 0 : MDB_RDONLY, &txn);

	if (rc != 0)
		return store_err(store, "begin", rc);
	for (unsigned i = 0; i < store->n; i++) {
		unsigned flags = write ? MDB_CREATE : 0;

		if (dbs[i].key == HT_STORE_U64)
			flags |= MDB_INTEGERKEY;
		store->keys[i] = dbs[i].key;
		rc = mdb_dbi_open(txn, dbs[i].name, flags, &store->dbs[i]);
		if (rc != 0) {
			mdb_txn_abort(txn);
			return store_err(store, dbs[i].name, rc);
		}
	}
	return store_err(store, "open", mdb_txn_commit(txn));
}

static enum ht_err
open_file(
    struct ht_store *store, const char *path, unsigned flags, size_t map_size)
{
	int dead_readers;
	int rc = mdb_env_create(&store->env);

	if (rc == 0)
		rc = mdb_env_set_maxdbs(store->env, HT_STORE_DBS);
	if (rc == 0)
		rc = mdb_env_set_mapsize(store->env, map_size);
	if (rc == 0)
		rc = mdb_env_open(
		    store->env, path, env_flags(store->mode) | flags, 0600);
	if (rc == 0)
		rc = mdb_reader_check(store->env, &dead_readers);
	return store_err(store, "open", rc);
}

static enum ht_err
open_env(struct ht_store *store, size_t map_size, const struct ht_store_db *dbs)
{
	enum ht_err err = open_file(store, store->dir, 0, map_size);

	if (err != HT_OK)
		return err;
	claim_file(store);
	return open_dbs(store, dbs);
}

/* ---- making ---- */

static enum ht_err
remove_file(const char *path)
{
	return unlink(path) == 0 || errno == ENOENT ? HT_OK : HT_ESYSTEM;
}

/*
 * LMDB does not sync the first pages of a new file: a power cut may leave a
 * file that it takes for none of its own.  So the file has another name until
 * its first commit is on the disk.
 */
static enum ht_err
make_beside(struct ht_store *store, const char *path, size_t map_size,
    const struct ht_store_db *dbs)
{
	HT_AUTO(ht_mem_free) char *lock = NULL;
	enum ht_err err;

	if (asprintf(&lock, "%s-lock", path) == -1) {
		lock = NULL;
		return HT_ENOMEM;
	}
	err = remove_file(path);
	if (err == HT_OK)
		err = open_file(store, path, MDB_NOSUBDIR, map_size);
	if (err == HT_OK)
		err = open_dbs(store, dbs);
	mdb_env_close(store->env);
	store->env = NULL;
	return err == HT_OK ? remove_file(lock) : err;
}

/* A durable environment is there whole, or not at all. */
static enum ht_err
make_env(struct ht_store *store, size_t map_size, const struct ht_store_db *dbs)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(store->dir, "data.mdb");
	HT_AUTO(ht_mem_free) char *new = ht_fs_join(store->dir, "data.mdb.new");
	enum ht_err err;

	if (path == NULL || new == NULL)
		return HT_ENOMEM;
	if (access(path, F_OK) == 0)
		return HT_OK;
	err = make_beside(store, new, map_size, dbs);
	if (err == HT_OK && rename(new, path) == -1)
		err = HT_ESYSTEM;
	return err;
}

enum ht_err
ht_store_open(const char *dir, enum ht_store_mode mode, size_t map_size,
    const struct ht_store_db *dbs, unsigned n, struct ht_store **ret)
{
	HT_AUTO(ht_store_close) struct ht_store *store = NULL;
	enum ht_err err;

	HT_ASSERT(n <= HT_STORE_DBS);
	store = calloc(1, sizeof(*store));
	if (store == NULL)
		return HT_ENOMEM;
	store->mode = mode;
	store->n = n;
	store->dir = strdup(dir);
	if (store->dir == NULL)
		return HT_ENOMEM;
	if (mode != HT_STORE_READONLY) {
		err = ht_fs_mkdirs(dir, 0700);
		if (err != HT_OK)
			return err;
	}
	err = claim(store);
	if (err == HT_OK && mode == HT_STORE_DURABLE)
		err = make_env(store, map_size, dbs);
	if (err == HT_OK)
		err = open_env(store, map_size, dbs);
	/* The file's name, too, even if a process was killed before this. */
	if (err == HT_OK && mode == HT_STORE_DURABLE)
		err = ht_fs_sync_dir(dir);
	if (err != HT_OK)
		return err;
	*ret = HT_TAKE(store);
	return HT_OK;
}

void
ht_store_close(struct ht_store **store_p)
{
	struct ht_store *store = HT_TAKE(*store_p);

	if (store == NULL)
		return;
	mdb_env_close(store->env);
	disclaim(store);
	free(store->dir);
	free(store);
}

enum ht_err
ht_store_sync(struct ht_store *store)
{
	return store_err(store, "sync", mdb_env_sync(store->env, 1));
}

bool
ht_store_set_aside(struct ht_store *store, uint64_t bytes)
{
	mdb_filehandle_t fd;
	struct stat st;

	return mdb_env_get_fd(store->env, &fd) == 0 && fstat(fd, &st) == 0 &&
	       ht_fs_set_aside(fd, (uint64_t)st.st_size, bytes);
}

/* ---- transactions ---- */

enum ht_err
ht_txn_begin(struct ht_store *store, bool write, struct ht_txn **ret)
{
	struct ht_txn *txn;
	int rc;

	HT_ASSERT(!write || store->mode != HT_STORE_READONLY);
	if (write && store->dead)
		return HT_ESTORE;
	txn = malloc(sizeof(*txn));
	if (txn == NULL)
		return HT_ENOMEM;
	*txn = (struct ht_txn){.store = store, .write = write};
	rc = mdb_txn_begin(store->env, NULL, write ? 0 : MDB_RDONLY, &txn->txn);
	if (rc != 0) {
		free(txn);
		return store_err(store, "begin", rc);
	}
	*ret = txn;
	return HT_OK;
}

enum ht_err
ht_txn_commit(struct ht_txn **txn_p)
{
	struct ht_txn *txn = HT_TAKE(*txn_p);
	struct ht_store *store = txn->store;
	enum ht_err err = txn->err;
	int rc;

	if (err != HT_OK) {
		mdb_txn_abort(txn->txn);
		free(txn);
		return err;
	}
	rc = mdb_txn_commit(txn->txn);
	/*
	 * After a failed fsync the kernel marks pages clean: nobody knows what
	 * the disk holds.  Only opening anew, with its checks, can tell.
	 */
	if (rc != 0 && txn->write && store->mode == HT_STORE_DURABLE)
		store->dead = true;
	free(txn);
	if (rc == 0)
		return HT_OK;
	(void)store_err(store, "commit", rc);
	return HT_ESTORE;
}

void
ht_txn_abort(struct ht_txn **txn_p)
{
	struct ht_txn *txn = HT_TAKE(*txn_p);

	if (txn == NULL)
		return;
	mdb_txn_abort(txn->txn);
	free(txn);
}

static MDB_val
val(struct ht_slice s)
{
	return (MDB_val){.mv_size = s.len, .mv_data = (void *)(uintptr_t)s.at};
}

static struct ht_slice
slice(MDB_val v)
{
	return HT_SLICE(v.mv_data, v.mv_size);
}

/* LMDB believes what it is told: a U64 database takes 8-byte keys only. */
static void
check_key(const struct ht_txn *txn, unsigned db, struct ht_slice key)
{
	HT_ASSERT(db < txn->store->n);
	HT_ASSERT(txn->store->keys[db] == HT_STORE_BYTES ||
	          key.len == sizeof(uint64_t));
}

enum ht_err
ht_txn_get(
    struct ht_txn *txn, unsigned db, struct ht_slice key, struct ht_slice *ret)
{
	MDB_val k = val(key), v;
	int rc;

	check_key(txn, db, key);
	rc = mdb_get(txn->txn, txn->store->dbs[db], &k, &v);
	if (rc != 0)
		return store_err(txn->store, "get", rc);
	*ret = slice(v);
	return HT_OK;
}

enum ht_err
ht_txn_get_u64(
    struct ht_txn *txn, unsigned db, uint64_t key, struct ht_slice *ret)
{
	return ht_txn_get(txn, db, HT_SLICE(&key, sizeof(key)), ret);
}

static enum ht_err
wrote(struct ht_txn *txn, const char *what, int rc)
{
	enum ht_err err = store_err(txn->store, what, rc);

	if (txn->err == HT_OK)
		txn->err = err;
	return err;
}

static enum ht_err
put(struct ht_txn *txn, unsigned db, struct ht_slice key, struct ht_slice value,
    unsigned flags)
{
	MDB_val k = val(key), v = val(value);

	HT_ASSERT(txn->write);
	check_key(txn, db, key);
	if (txn->err != HT_OK)
		return txn->err;
	return wrote(
	    txn, "put", mdb_put(txn->txn, txn->store->dbs[db], &k, &v, flags));
}

enum ht_err
ht_txn_put(
    struct ht_txn *txn, unsigned db, struct ht_slice key, struct ht_slice value)
{
	return put(txn, db, key, value, 0);
}

enum ht_err
ht_txn_put_u64(
    struct ht_txn *txn, unsigned db, uint64_t key, struct ht_slice value)
{
	return put(txn, db, HT_SLICE(&key, sizeof(key)), value, 0);
}

enum ht_err
ht_txn_append_u64(
    struct ht_txn *txn, unsigned db, uint64_t key, struct ht_slice value)
{
	return put(txn, db, HT_SLICE(&key, sizeof(key)), value, MDB_APPEND);
}

enum ht_err
ht_txn_del(struct ht_txn *txn, unsigned db, struct ht_slice key)
{
	MDB_val k = val(key);
	int rc;

	HT_ASSERT(txn->write);
	check_key(txn, db, key);
	if (txn->err != HT_OK)
		return txn->err;
	rc = mdb_del(txn->txn, txn->store->dbs[db], &k, NULL);
	if (rc == MDB_NOTFOUND) /* an answer, not a failure */
		return HT_ENOTFOUND;
	return wrote(txn, "delete", rc);
}

enum ht_err
ht_txn_clear(struct ht_txn *txn, unsigned db)
{
	HT_ASSERT(txn->write && db < txn->store->n);
	if (txn->err != HT_OK)
		return txn->err;
	return wrote(txn, "clear", mdb_drop(txn->txn, txn->store->dbs[db], 0));
}

enum ht_err
ht_txn_count(struct ht_txn *txn, unsigned db, uint64_t *ret)
{
	MDB_stat stat;
	int rc;

	HT_ASSERT(db < txn->store->n);
	rc = mdb_stat(txn->txn, txn->store->dbs[db], &stat);
	if (rc != 0)
		return store_err(txn->store, "count", rc);
	*ret = stat.ms_entries;
	return HT_OK;
}

/* ---- cursors ---- */

enum ht_err
ht_seek_open(struct ht_txn *txn, unsigned db, struct ht_seek **ret)
{
	struct ht_seek *seek;
	int rc;

	HT_ASSERT(db < txn->store->n);
	seek = malloc(sizeof(*seek));
	if (seek == NULL)
		return HT_ENOMEM;
	rc = mdb_cursor_open(txn->txn, txn->store->dbs[db], &seek->cursor);
	if (rc != 0) {
		free(seek);
		return store_err(txn->store, "cursor", rc);
	}
	*ret = seek;
	return HT_OK;
}

void
ht_seek_close(struct ht_seek **seek_p)
{
	struct ht_seek *seek = HT_TAKE(*seek_p);

	if (seek == NULL)
		return;
	mdb_cursor_close(seek->cursor);
	free(seek);
}

static enum ht_err
move(struct ht_seek *seek, MDB_cursor_op op, struct ht_slice key,
    struct ht_slice *ret_key, struct ht_slice *ret_value)
{
	MDB_val k = val(key), v = {0};
	int rc = mdb_cursor_get(seek->cursor, &k, &v, op);

	if (rc != 0)
		return from_lmdb(rc);
	*ret_key = slice(k);
	*ret_value = slice(v);
	return HT_OK;
}

enum ht_err
ht_seek_ge(struct ht_seek *seek, struct ht_slice key, struct ht_slice *ret_key,
    struct ht_slice *ret_value)
{
	return move(seek, MDB_SET_RANGE, key, ret_key, ret_value);
}

enum ht_err
ht_seek_next(
    struct ht_seek *seek, struct ht_slice *ret_key, struct ht_slice *ret_value)
{
	return move(seek, MDB_NEXT, HT_SLICE(NULL, 0), ret_key, ret_value);
}

enum ht_err
ht_seek_prev(
    struct ht_seek *seek, struct ht_slice *ret_key, struct ht_slice *ret_value)
{
	return move(seek, MDB_PREV, HT_SLICE(NULL, 0), ret_key, ret_value);
}

enum ht_err
ht_seek_last(
    struct ht_seek *seek, struct ht_slice *ret_key, struct ht_slice *ret_value)
{
	return move(seek, MDB_LAST, HT_SLICE(NULL, 0), ret_key, ret_value);
}
