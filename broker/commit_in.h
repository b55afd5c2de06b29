/*
 * commit_in.h -- the committer's inside: its thread (commit.c), and what the
 * others hand to it (commit_jobs.c).
 */
#ifndef HT_BROKER_COMMIT_IN_H
#define HT_BROKER_COMMIT_IN_H

#include "broker/commit.h"

enum job_type {
	JOB_PARCEL,
	JOB_REFUSED,
	JOB_UP,
	JOB_DOWN,
	JOB_GOT,
	JOB_ENTRY,
	JOB_TRUST,
	JOB_COSIGNED,
	JOB_VOLUME,
	JOB_KEEP,
};

/* Somebody who waits until an entry is durable. */
struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t done_cond;
	bool done;
	bool dropped;    /* halted: it is in no log */
	enum ht_err err; /* it cannot be done, and was not */
	uint64_t seq;
};

struct job {
	enum job_type type;
	struct ht_parcel *parcel;
	struct ht_conn *conn;
	struct ht_trust *trust;
	struct waiter *waiter;
	unsigned status; /* REFUSED; ENTRY: its type */
	struct ht_hash hash;
	uint64_t len;
	const struct ht_slice *payloads; /* the waiter's */
	size_t n_payloads;
	struct ht_buf note; /* COSIGNED */
	size_t n_places;
	uint64_t places[HT_BUNDLE_MAX];
	char member[HT_NAME_MAX + 1];
	char node[HT_NODE_MAX + 1];
};

struct ht_committer {
	struct ht_committer_conf conf;
	struct ht_queue *jobs;
	atomic_bool halted, held;
	atomic_uint expected; /* parcels that are being verified */
	pthread_t thread;
	bool running;
	struct ht_lane *lane;
	struct ht_replier *replier;
	struct ht_trust *trust;
	struct ht_hash snapshot; /* of trust */
	bool new_trust;          /* to be shown to the others */
	uint64_t snapshot_place;
	struct ht_log_clock clock;
	uint64_t room; /* bytes free on the log's disk */
	bool more;     /* the lane has more to do at once */
	uint64_t room_at_ms;
	size_t appended;       /* entries of this group */
	bool busy;             /* the group before was a large one */
	bool stored;           /* it has something beside entries */
	uint64_t month_at_ms;  /* the next look at the open range, */
	uint64_t forget_at_ms; /* and at the rows of closed ones */
	bool volumes_full;     /* no more can be closed: said once */
	size_t acts_done;      /* of the lane's actions, appends carried out */
	size_t out_len;     /* bytes that a group may send, as the last did */
	struct ht_buf note; /* the newest checkpoint */

	pthread_mutex_t lock; /* the two below */
	struct ht_committer_stats stats;
	bool resume;
};

/* It was not taken, or never handled: all that it holds goes. */
void job_drop(void *job);
/* It was handled: its sender has its credit back, who waits is told. */
void job_done(struct ht_committer *c, struct job *job);

#endif
