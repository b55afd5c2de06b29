/*
 * evidence.h -- the log's inside, shared by its files and by nobody else.
 */
#ifndef HT_BROKER_LOG_EVIDENCE_H
#define HT_BROKER_LOG_EVIDENCE_H

#include <pthread.h>
#include <stdatomic.h>

#include "broker/log/anchor.h"
#include "broker/log/log.h"
#include "broker/log/lone.h"
#include "broker/log/rollback.h"
#include "broker/log/tree.h"
#include "broker/log/vault.h"
#include "broker/log/volumes.h"

#define HT_EV_MAP     ((size_t)256 << 30) /* address space; never resized */
#define HT_TAIL_CHECK 1024                /* entries hashed again at start */
/* Files of a folder that is a copy, and that no broker may write (yet). */
#define HT_BACKUP_MARK  "backup"
#define HT_RESTORE_MARK "restoring"
#define HT_HEAD_KEY     "head" /* in `state` */

/* `state`/`head`: all that the next commit builds on. */
struct ht_head {
	uint8_t env[HT_ENV_ID_SIZE];
	struct ht_frontier frontier; /* with the size */
	struct ht_hash root;
	uint64_t last_us;
	struct ht_vault_place vault;
};
void ht_head_encode(const struct ht_head *head, struct ht_buf *out);
/* HT_EINTEGRITY: the checksum does not hold, or the form is another. */
enum ht_err ht_head_decode(struct ht_slice bytes, struct ht_head *ret)
    HT_MUST_USE;
/* From a transaction; HT_ENOTFOUND in an empty environment. */
enum ht_err ht_head_get(struct ht_txn *txn, struct ht_head *ret) HT_MUST_USE;
/* @buf is scratch. */
enum ht_err ht_head_put(struct ht_txn *txn, const struct ht_head *head,
    struct ht_buf *buf) HT_MUST_USE;

struct ht_log {
	char *dir;
	char *origin;             /* NULL when reading */
	const struct ht_key *key; /* borrowed; NULL when reading */
	struct ht_vkey vkey;
	int lock; /* flock()ed: one writer, or readers of a stopped log */
	struct ht_store *store; /* NULL: lone */
	struct ht_lone *lone;   /* NULL, or the one file that this log is */
	struct ht_vault *vault;
	struct ht_anchor anchor;
	struct ht_volumes volumes;

	/* what this log is behind, and the act by which it goes on */
	uint64_t ahead; /* size of a checkpoint it does not continue; 0 none */
	struct ht_buf ahead_note;
	const struct ht_rollback *act; /* borrowed; NULL once it is logged */

	/* the committer's */
	bool poisoned;       /* a commit failed: no more work */
	struct ht_txn *txn;  /* the open group; NULL between groups */
	struct ht_head head; /* as committed */
	struct ht_head next; /* with the open group */
	struct ht_tree tree;
	struct ht_buf leaf; /* scratch */
	uint64_t cps_size;  /* the newest checkpoint in `cps` */
	uint64_t cps_ms;    /* when it was put there (monotonic) */

	/* everybody's */
	uint8_t env[HT_ENV_ID_SIZE]; /* the head's, which is rewritten */
	uint64_t began;              /* the size when it was opened */
	_Atomic uint64_t size;
	pthread_mutex_t lock_note; /* over the two */
	struct ht_buf notes[2];    /* newest and the one before */
	unsigned newest;
};

/*
 * The open group's transaction, which it begins if there is none, in log->txn;
 * and what follows from an error: no more work.
 */
enum ht_err ht_log_group(struct ht_log *log) HT_MUST_USE;
enum ht_err ht_log_poison(struct ht_log *log, enum ht_err err);

/* The names and key kinds of HT_EV_*. */
extern const struct ht_store_db ht_ev_dbs[HT_EV_COUNT];

/* One that nothing of is open yet; @origin and @key as in ht_log_open(). */
enum ht_err ht_log_new(const char *dir, const char *origin,
    const struct ht_key *key, struct ht_log **ret) HT_MUST_USE;

/*
 * Lock, evidence, head and anchor; no check but the head's own, and the vault
 * stays closed.  For ht_log_open(), and for `verify`, which checks by itself
 * and names what is bad.  With a NULL @key for reading.
 */
enum ht_err ht_log_open_raw(const char *dir, const char *origin,
    const struct ht_key *key, struct ht_report *report, struct ht_log **ret)
    HT_MUST_USE;

/*
 * The same, to write a copy of the log whose environment id is @env: without
 * key or signature, and over nothing but an earlier copy (copy.h).
 */
enum ht_err ht_log_open_copy(const char *dir,
    const uint8_t env[static HT_ENV_ID_SIZE], struct ht_report *report,
    struct ht_log **ret) HT_MUST_USE;

/* The checks at start, in order; the first that fails ends them. */
enum ht_err ht_log_check(struct ht_log *log, struct ht_report *report)
    HT_MUST_USE;

/* Of these, what is stored: tree and last entries.  HT_EINTEGRITY. */
enum ht_err ht_log_check_tail(struct ht_log *log, struct ht_report *report)
    HT_MUST_USE;

/*
 * The group just committed, read from the store and hashed again by another
 * path than the one that wrote it: from log->head, to log->next.
 */
enum ht_err ht_log_readback(struct ht_log *log) HT_MUST_USE;

/* An entry's stored value: leaf and its hash, which must fit. */
enum ht_err ht_stored_leaf(struct ht_slice value, struct ht_slice *ret_leaf,
    struct ht_hash *ret_hash) HT_MUST_USE;
/* The leaf alone, not hashed again: of a value that was, not long ago. */
enum ht_err ht_stored_leaf_read(
    struct ht_slice value, struct ht_slice *ret_leaf) HT_MUST_USE;

#endif
