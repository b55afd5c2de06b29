/*
 * commit.h -- the committer: one thread that owns the lane and the log's
 * write transaction.
 *
 * It takes what has arrived, lets the lane decide, appends, commits once, and
 * only then lets anything out.  While it waits for the disk the next group is
 * being verified.  If a commit fails the process ends at once: nothing of
 * that group has left it.
 */
#ifndef HT_BROKER_COMMIT_H
#define HT_BROKER_COMMIT_H

#include "broker/box.h"
#include "broker/conf.h"
#include "broker/lane.h"
#include "broker/log/volumes.h"
#include "lib/base/queue.h"
#include "lib/base/report.h"

/* What was committed, ready for the front: pipe messages of one generation. */
struct ht_out {
	struct ht_out *next; /* the reader's */
	uint32_t generation;
	bool refill; /* once written it goes to the spares */
	size_t at;   /* written so far */
	struct ht_buf bytes;
};
void ht_out_free(struct ht_out **out_p);

struct ht_committer_conf {
	struct ht_log *log;
	struct ht_trust_box *box;
	struct ht_queue *outs; /* of struct ht_out, for the core's loop */
	struct ht_queue
	    *spares; /* of those that were written, to be refilled */
	atomic_uint *generation; /* of the front that is up */
	atomic_ullong *credit;   /* bytes of its frames that are settled */
	struct ht_lane_conf lane;
	uint64_t disk_reserve;          /* bytes that must stay free */
	struct ht_volumes_conf volumes; /* when the open range is closed */
	const char *host;
	const char *version;
};
struct ht_committer;

/*
 * Read the log's tail into the lane, append START and SNAPSHOT, commit, and
 * start the thread.  Everything in @conf is borrowed.
 */
enum ht_err ht_committer_start(const struct ht_committer_conf *conf,
    struct ht_committer **ret) HT_MUST_USE;
/*
 * Settle what was given before, append STOP with @reason, commit, end the
 * thread, free.  After ht_committer_halt() nothing is settled or appended.
 */
void ht_committer_stop(struct ht_committer **committer_p, const char *reason);

/*
 * This log is behind another that its key has signed: from now on nothing is
 * appended.  What is under way ends without an answer.
 */
void ht_committer_halt(struct ht_committer *committer);
/* Admit nothing new (@held), without a word in the log; or again. */
void ht_committer_hold(struct ht_committer *committer, bool held);

/* ---- events, from any thread; HT_EAGAIN or HT_ENOMEM: not taken ---- */

/* A parcel is being verified and will come: its group waits a moment. */
void ht_committer_expect(struct ht_committer *committer);
/* It will not. */
void ht_committer_forget(struct ht_committer *committer);
/* It is here; expected before. */
enum ht_err ht_committer_parcel(
    struct ht_committer *committer, struct ht_parcel **parcel_p) HT_MUST_USE;
enum ht_err ht_committer_refused(struct ht_committer *committer,
    const char *member, const char *node, const struct ht_hash *hash,
    uint64_t len, unsigned status) HT_MUST_USE;
/*
 * These two wait for room, as a parcel does: a connection that ended unseen
 * would be handed requests.  The committer waits for nobody.
 */
enum ht_err ht_committer_up(
    struct ht_committer *committer, struct ht_conn *conn) HT_MUST_USE;
enum ht_err ht_committer_down(
    struct ht_committer *committer, struct ht_conn *conn) HT_MUST_USE;
enum ht_err ht_committer_got(struct ht_committer *committer,
    struct ht_conn *conn, const uint64_t *places, size_t n) HT_MUST_USE;

/* ---- entries of the operator's and the auditors'; wait until durable ---- */

/* @payload as docs/log-format.md wants it for @type. */
enum ht_err ht_committer_entry(struct ht_committer *committer, unsigned type,
    struct ht_slice payload, uint64_t *ret_seq) HT_MUST_USE;
/* Up to HT_BUNDLE_MAX of them, one after the other. */
enum ht_err ht_committer_entries(struct ht_committer *committer, unsigned type,
    const struct ht_slice *payloads, size_t n, uint64_t *ret_last) HT_MUST_USE;
enum ht_err ht_committer_admin(struct ht_committer *committer, const char *act,
    const char *by, const char *detail) HT_MUST_USE;
/* A checkpoint with cosignatures: to be stored with a later commit. */
enum ht_err ht_committer_cosigned(struct ht_committer *committer, uint64_t size,
    struct ht_slice note) HT_MUST_USE;
/* A new trust is in force from its SNAPSHOT entry on. */
enum ht_err ht_committer_trust(
    struct ht_committer *committer, struct ht_trust *trust) HT_MUST_USE;
/*
 * Close the open range now; *ret_seq is the VOLUME entry.  HT_EINVALID: there
 * is nothing in it; HT_ETOOBIG: there are too many volumes.
 */
enum ht_err ht_committer_volume(
    struct ht_committer *committer, uint64_t *ret_seq) HT_MUST_USE;
/*
 * The file of the volume that ends at @end is on the disk: its entries are
 * there from now on, and their rows go, a few at a time.  As ht_log_keep().
 */
enum ht_err ht_committer_keep(struct ht_committer *committer, uint64_t end)
    HT_MUST_USE;
/* Admit again after the clocks had parted; by the operator's act alone. */
void ht_committer_resume(struct ht_committer *committer);

/*
 * The log's time.  It follows the wall clock until that parts from
 * CLOCK_BOOTTIME by more than 2 s; from then on it goes on by the latter, so
 * that a wrong wall clock ends nobody's requests and is not in the log for
 * good, until the operator agrees (@resume).  Pure; never goes back.
 */
struct ht_log_clock {
	uint64_t now_us;
	int64_t gap_us; /* wall minus boot time, as last agreed */
	bool parted;
};
/* How far the two have parted, in us. */
int64_t ht_log_clock_read(struct ht_log_clock *clock, uint64_t wall_us,
    uint64_t boot_us, bool resume);

/*
 * What is admitted with so much room on the log's disk.  Below the reserve
 * nothing new; below an eighth of it no answers either, so that there is room
 * to write down that it stopped, who looked, and what was erased.  Pure.
 */
struct ht_admission ht_admission(
    bool parted, bool held, uint64_t room, uint64_t reserve);

struct ht_committer_stats {
	struct ht_lane_stats lane;
	uint64_t size;      /* entries */
	uint64_t groups;    /* commits */
	uint64_t commit_us; /* spent in them */
	struct ht_admission admission;
	uint64_t room; /* bytes free on the log's disk, as last looked */
};
void ht_committer_stats(
    struct ht_committer *committer, struct ht_committer_stats *ret);

#endif
