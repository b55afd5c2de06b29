/*
 * volumes.h -- the closed volumes of a log: which entries are in files, and by
 * which steps they get there (docs/log-format.md, "Volumes").
 *
 * The committer closes the open range by an entry (ht_log_volume()); another
 * thread writes the file beside it (ht_volumes_write()); the committer takes
 * it for what holds the entries (ht_log_keep()), and deletes their rows, some
 * at a time (ht_log_forget()).  Who reads the log does not notice.
 */
#ifndef HT_BROKER_LOG_VOLUMES_H
#define HT_BROKER_LOG_VOLUMES_H

#include <pthread.h>
#include <stdatomic.h>

#include "broker/log/volume.h"
#include "lib/store/store.h"

/*
 * Files of a log: each is held open, and a process may by default hold 1,024.
 * By months that is 42 years; closed by number, as many times that number.
 */
#define HT_VOLUMES_MAX    512
#define HT_VOLUMES_DIR    "volumes"
#define HT_VOLUMES_KEY    "volumes" /* in `state` */
#define HT_VOLUMES_FORGET 1024      /* rows of one transaction */

/* `state`/`volumes`. */
struct ht_volumes_state {
	uint64_t kept;    /* entries below are in files */
	uint64_t first;   /* of the open range: the last VOLUME entry; 0 none */
	uint64_t begin;   /* entries below were removed, */
	uint64_t removed; /* by this REMOVED entry */
};
/* All 0 where there is no row.  HT_EINTEGRITY. */
enum ht_err ht_volumes_get(struct ht_txn *txn, struct ht_volumes_state *ret)
    HT_MUST_USE;
enum ht_err ht_volumes_put(
    struct ht_txn *txn, const struct ht_volumes_state *state) HT_MUST_USE;

/* ---- for the committer ---- */

/*
 * When is the open range to be closed?  In words of docs/log-format.md: pure.
 * @entries 0: never by size.
 */
struct ht_volumes_conf {
	bool monthly;
	uint64_t entries;
};
bool ht_volumes_due(const struct ht_volumes_conf *conf,
    const struct ht_volumes_state *state, uint64_t size, uint64_t first_us,
    uint64_t now_us, int zone_minutes);

/* The open range, as committed: where it begins, and when. */
enum ht_err ht_log_open_range(struct ht_log *log,
    struct ht_volumes_state *ret_state, uint64_t *ret_first_us) HT_MUST_USE;

/* How it stands, for whoever asks.  Thread: any. */
struct ht_volumes_now {
	struct ht_volumes_state state;
	unsigned files;
	uint64_t first, end; /* of the oldest of these */
};
enum ht_err ht_log_volumes_now(struct ht_log *log, struct ht_volumes_now *ret)
    HT_MUST_USE;

/*
 * The open range ends here: the payload of the VOLUME entry, which must come
 * next, and first of its group.  HT_EINVALID: there is nothing to close, or
 * entries are in the group; HT_ETOOBIG: there are too many volumes.
 */
enum ht_err ht_log_volume(struct ht_log *log, struct ht_buf *payload)
    HT_MUST_USE;
/*
 * Entries below @end are in files, with the group that is open.  The file was
 * written by ht_volumes_write().  HT_EINVALID: it is not the next one;
 * HT_ETOOBIG: one too many; HT_EINTEGRITY: it is not of this log.
 */
enum ht_err ht_log_keep(struct ht_log *log, uint64_t end) HT_MUST_USE;
/* Between groups: delete some of the rows that are in files. */
enum ht_err ht_log_forget(struct ht_log *log, bool *ret_more) HT_MUST_USE;

/* ---- for the thread that writes ---- */

/*
 * Write the file of the oldest closed range that is in none; *ret_end is where
 * it ends, for ht_log_keep().  HT_ENOTFOUND: there is none; HT_ETOOBIG: there
 * are as many files as there may be, so its rows stay; HT_EAGAIN: stopped;
 * HT_EINTEGRITY: what was written does not read back, or the entries are not
 * those of the tree; HT_ESYSTEM.
 */
enum ht_err ht_volumes_write(
    struct ht_log *log, const atomic_bool *stop, uint64_t *ret_end) HT_MUST_USE;

/* ---- for the log's own files ---- */

struct ht_volumes {
	char *dir;
	_Atomic uint64_t begin; /* entries below are not here */
	_Atomic uint64_t kept;  /* everybody's; the two only grow */
	pthread_mutex_t lock;   /* over the four */
	struct ht_volume *at[HT_VOLUMES_MAX];
	unsigned n, max; /* files; max: HT_VOLUMES_MAX, less in a test */
	/* Removed; whoever reads in one may go on doing so. */
	struct ht_volume *gone[HT_VOLUMES_MAX];
	unsigned n_gone;

	/* the committer's */
	struct ht_volumes_state state; /* as committed */
	struct ht_volumes_state next;  /* with the open group */
	struct ht_volume *coming;      /* with the open group; NULL: none */
	uint64_t forget;               /* the lowest row; UINT64_MAX: none */
};

/*
 * What there is of files below `kept`: a missing one is no error here, but of
 * ht_volumes_check(), and of whoever wants an entry of it.
 */
enum ht_err ht_volumes_open(struct ht_log *log) HT_MUST_USE;
void ht_volumes_close(struct ht_volumes *volumes);
/* The one that has an entry; NULL: none. */
struct ht_volume *ht_volumes_find(struct ht_volumes *volumes, uint64_t seq);
/* As many as there are files; in order. */
unsigned ht_volumes_count(struct ht_volumes *volumes);
struct ht_volume *ht_volumes_at(struct ht_volumes *volumes, unsigned i);
/*
 * Files are there for all below `kept`, and of this tree.  HT_EINTEGRITY: and
 * in @ret, of @size bytes, what is wrong.
 */
enum ht_err ht_volumes_check(
    struct ht_log *log, struct ht_txn *txn, char *ret, size_t size) HT_MUST_USE;
/* The group is committed, and signed; or it is dropped. */
void ht_volumes_publish(struct ht_volumes *volumes);
void ht_volumes_drop(struct ht_volumes *volumes);
/* Of a copy, between groups: commit volumes.next, and delete its rows. */
enum ht_err ht_volumes_advance(struct ht_log *to) HT_MUST_USE;
/* The path of a file; NULL when out of memory.  Caller frees. */
char *ht_volumes_path(const char *dir, uint64_t first, const char *suffix);

/*
 * Every file of @from that ends before @size and that the copy @to does not
 * have, copied and read back; then @to keeps its entries there, and forgets
 * their rows.  HT_EAGAIN: stopped.  What is wrong goes to @report.
 */
enum ht_err ht_volumes_copy(struct ht_log *from, struct ht_log *to,
    uint64_t size, const atomic_bool *stop, struct ht_report *report)
    HT_MUST_USE;

/*
 * A row of `entries` (leaf and hash), or what stands in its place in a file,
 * with @scratch behind it.  HT_ENOTFOUND; HT_EINTEGRITY: of a file.
 */
enum ht_err ht_stored_at(struct ht_log *log, struct ht_txn *txn, uint64_t seq,
    struct ht_buf *scratch, struct ht_slice *ret) HT_MUST_USE;
/* The same of `bundles`. */
enum ht_err ht_stored_bundle(struct ht_log *log, struct ht_txn *txn,
    uint64_t first, struct ht_buf *scratch, struct ht_slice *ret) HT_MUST_USE;

/* Rows of `entries` one after the other, wherever they are. */
struct ht_stored {
	struct ht_log *log;
	struct ht_txn *txn;   /* borrowed */
	struct ht_seek *seek; /* over the rows */
	uint64_t next;        /* where it stands; UINT64_MAX: nowhere */
	struct ht_buf buf;
};
enum ht_err ht_stored_open(
    struct ht_log *log, struct ht_txn *txn, struct ht_stored *ret) HT_MUST_USE;
void ht_stored_close(struct ht_stored *s);
/* HT_ENOTFOUND: it is missing; HT_EINTEGRITY: of a file. */
enum ht_err ht_stored_next(
    struct ht_stored *s, uint64_t seq, struct ht_slice *ret) HT_MUST_USE;
/* Is there a row behind the last entry? */
bool ht_stored_behind(struct ht_stored *s, uint64_t size);

#endif
