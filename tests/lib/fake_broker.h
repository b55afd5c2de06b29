/*
 * fake_broker.h -- a broker that keeps a true log and otherwise does what a
 * test wants: deliver twice, lie about places, forget.  It decides nothing.
 *
 * It runs in a process of its own, since ZeroMQ is opened once a process.
 */
#ifndef HT_TESTS_LIB_FAKE_BROKER_H
#define HT_TESTS_LIB_FAKE_BROKER_H

#include <stdatomic.h>
#include <sys/types.h>

#include "tests/lib/world.h"

/* Shared with the process; the test writes what is to happen. */
struct ht_fake {
	/* told by the test */
	atomic_int deliver_twice;
	atomic_int bad_proof;   /* the hash of another entry */
	atomic_int no_row;      /* an entry that is none of the asker's */
	atomic_int two_faces;   /* sign a checkpoint of another tree */
	atomic_int tamper_body; /* flip a bit on the way */
	atomic_int swallow;     /* acknowledge, deliver nothing */
	atomic_int mute;        /* take bundles without a word */
	atomic_int busy;        /* so many records are refused with BUSY */
	atomic_int time_off_s;  /* WELCOME's clock */
	atomic_int fork_cosign; /* then ask to cosign another face */
	atomic_int lie;         /* a snapshot is this of lies.h, plus 1 */
	atomic_int unlogged;    /* show another leaf for the snapshot's */
	atomic_int newer;    /* a snapshot more, where gx.demo/4 is not over */
	atomic_int withhold; /* answer no GET_SNAPSHOT, until it is 0 */
	atomic_int midway;   /* newer comes after a fetch's first page ... */
	atomic_int forgets;  /* ... and the one before is not served any more */
	atomic_int paces;    /* so many GET_SNAPSHOT are answered BUSY */

	/* told by the process */
	atomic_int up; /* bound; address is set */
	char address[200];
	atomic_int bundles;
	atomic_int records;
	atomic_int gots;
	atomic_int lied;     /* so many snapshots were lies */
	atomic_int withheld; /* so many GET_SNAPSHOT wait */
	atomic_int wholes;   /* so often all was asked for from the beginning */
	atomic_int offered;  /* COSIGN of its own accord: the size, plus 1 */
	atomic_int cosigned; /* its last answer's status */
};

struct ht_fake_broker {
	struct ht_fake *ctl;
	pid_t pid;
};

/* Start one on @dir/log with the world's keys and trust; ends the test if
 * it cannot. */
void ht_fake_start(struct ht_fake_broker *broker, const struct ht_world *world,
    const char *log_dir);
void ht_fake_stop(struct ht_fake_broker *broker); /* SIGKILL */

#endif
