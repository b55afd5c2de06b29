/*
 * store.h -- LMDB behind one door.
 *
 * An environment with named databases; write transactions with a sticky
 * error; read transactions that any thread may hold for a short while.
 */
#ifndef HT_STORE_STORE_H
#define HT_STORE_STORE_H

#include "lib/base/bytes.h"

struct ht_store;
struct ht_txn;

#define HT_STORE_DBS 16

enum ht_store_key {
	HT_STORE_BYTES, /* bytewise order */
	HT_STORE_U64,   /* MDB_INTEGERKEY: uint64_t in native order */
};
struct ht_store_db {
	const char *name;
	enum ht_store_key key;
};

enum ht_store_mode {
	HT_STORE_DURABLE,  /* a commit that returned is on the disk */
	HT_STORE_DERIVED,  /* NOSYNC: may vanish, is rebuilt */
	HT_STORE_READONLY, /* a closed or copied environment, no writer alive */
};

/*
 * Open, creating folder and databases (not when READONLY).  @dbs has @n
 * entries; a database is named by its position.  Also checks for stale
 * readers.  Opening one folder twice in a process is refused: LMDB would lose
 * its locks.  READONLY writes nothing at all, not even a lock, so nobody may
 * be writing.  Errors: HT_ESTORE (logged once, with LMDB's text);
 * HT_ENOTFOUND; HT_EEXISTS (open already); HT_ENOMEM.
 */
enum ht_err ht_store_open(const char *dir, enum ht_store_mode mode,
    size_t map_size, const struct ht_store_db *dbs, unsigned n,
    struct ht_store **ret) HT_MUST_USE;
void ht_store_close(struct ht_store **store_p);
/* All that was committed is on the disk, whatever the mode.  HT_ESTORE. */
enum ht_err ht_store_sync(struct ht_store *store) HT_MUST_USE;

/* ht_fs_set_aside() behind the environment's end. */
bool ht_store_set_aside(struct ht_store *store, uint64_t bytes);

enum ht_err ht_txn_begin(
    struct ht_store *store, bool write, struct ht_txn **ret) HT_MUST_USE;
/*
 * Commit and consume.  A write that failed before makes this fail too, and
 * then nothing of the transaction is kept.  HT_ESTORE: stop, nothing may be
 * acknowledged; a durable store takes no further write transaction.
 */
enum ht_err ht_txn_commit(struct ht_txn **txn_p) HT_MUST_USE;
void ht_txn_abort(struct ht_txn **txn_p); /* NULL is fine */

/* The value lives until the transaction ends or writes.  HT_ENOTFOUND. */
enum ht_err ht_txn_get(struct ht_txn *txn, unsigned db, struct ht_slice key,
    struct ht_slice *ret) HT_MUST_USE;
enum ht_err ht_txn_get_u64(struct ht_txn *txn, unsigned db, uint64_t key,
    struct ht_slice *ret) HT_MUST_USE;
enum ht_err ht_txn_put(struct ht_txn *txn, unsigned db, struct ht_slice key,
    struct ht_slice value) HT_MUST_USE;
enum ht_err ht_txn_put_u64(struct ht_txn *txn, unsigned db, uint64_t key,
    struct ht_slice value) HT_MUST_USE;
/* Keys must increase: MDB_APPEND fills pages whole. */
enum ht_err ht_txn_append_u64(struct ht_txn *txn, unsigned db, uint64_t key,
    struct ht_slice value) HT_MUST_USE;
enum ht_err ht_txn_del(struct ht_txn *txn, unsigned db, struct ht_slice key)
    HT_MUST_USE;
/* Empty a database. */
enum ht_err ht_txn_clear(struct ht_txn *txn, unsigned db) HT_MUST_USE;
/* How many keys a database has. */
enum ht_err ht_txn_count(struct ht_txn *txn, unsigned db, uint64_t *ret)
    HT_MUST_USE;

/* A cursor over one database; to be closed before its transaction ends. */
struct ht_seek;
enum ht_err ht_seek_open(struct ht_txn *txn, unsigned db, struct ht_seek **ret)
    HT_MUST_USE;
void ht_seek_close(struct ht_seek **seek_p);
/* The first key >= @key (u64 databases: pass the 8 native bytes). */
enum ht_err ht_seek_ge(struct ht_seek *seek, struct ht_slice key,
    struct ht_slice *ret_key, struct ht_slice *ret_value) HT_MUST_USE;
enum ht_err ht_seek_next(struct ht_seek *seek, struct ht_slice *ret_key,
    struct ht_slice *ret_value) HT_MUST_USE;
enum ht_err ht_seek_prev(struct ht_seek *seek, struct ht_slice *ret_key,
    struct ht_slice *ret_value) HT_MUST_USE;
enum ht_err ht_seek_last(struct ht_seek *seek, struct ht_slice *ret_key,
    struct ht_slice *ret_value) HT_MUST_USE;

#endif
