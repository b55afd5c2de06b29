/*
 * copy.h -- a log, copied into another folder and verified as it is written:
 * the backup of a running broker, and the log made of one again
 * (docs/log-format.md, "Copies").
 *
 * A copy has the form of a log.  It goes on where an earlier one ended, reads
 * the log in small bites, and carries out the erasures that it comes past.
 */
#ifndef HT_BROKER_LOG_COPY_H
#define HT_BROKER_LOG_COPY_H

#include <stdatomic.h>

#include "broker/log/log.h"

enum ht_copy_kind {
	HT_COPY_BACKUP,  /* of a log that may be written meanwhile */
	HT_COPY_RESTORE, /* to be a log again */
};

struct ht_copy {
	/* in */
	struct ht_log *from;
	const char *dir;
	enum ht_copy_kind kind;
	const struct ht_vkey *vkey; /* the log's */
	/* RESTORE: a checkpoint that somebody has seen; empty: none */
	struct ht_slice seen;
	const atomic_bool *stop; /* NULL: nothing stops it */
	/* NULL, or called after each batch */
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	void *arg;

	/* out; @at while it runs, too */
	atomic_ullong at; /* entries in the copy */
	uint64_t had;     /* of these before */
	uint64_t size;    /* at its end, */
	struct ht_hash root;
	uint64_t bytes;  /* of the vault, copied now */
	uint64_t erased; /* entries that erasures were carried out on */
	/* RESTORE: size of the largest checkpoint of this log's key that the
	 * copy does not continue; it is kept, and stops the broker.  0: none */
	uint64_t ahead;
};

/*
 * Copy all up to the newest checkpoint.  One at a time for a folder, and not
 * beside an erasure.  What is wrong, and what to do, goes to @report.
 * Errors: HT_EINVALID (the folder has something else); HT_EROLLBACK (BACKUP:
 * the folder has more than the log, or something else); HT_EINTEGRITY;
 * HT_EAGAIN (stopped, or somebody has the folder open); HT_ENOTFOUND;
 * HT_ESTORE; HT_ESYSTEM; HT_ENOMEM.  The next attempt goes on.
 */
enum ht_err ht_log_copy(struct ht_copy *copy, struct ht_report *report)
    HT_MUST_USE;
/* RESTORE: it was verified; from now on a broker may open it. */
enum ht_err ht_log_copy_done(const char *dir) HT_MUST_USE;

#endif
