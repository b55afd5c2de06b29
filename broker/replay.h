/*
 * replay.h -- what the lane must remember, read from the log at start.
 */
#ifndef HT_BROKER_REPLAY_H
#define HT_BROKER_REPLAY_H

#include "broker/lane.h"

/*
 * Give the lane every entry whose record may still live, and all of today's
 * if a grant of @trust has a quota.  *ret_last_us: the time of the last
 * entry, 0 if there is none; *ret_n: how many entries were read.
 */
enum ht_err ht_replay(struct ht_log *log, const struct ht_trust *trust,
    struct ht_lane *lane, uint64_t now_ms, uint64_t *ret_n) HT_MUST_USE;
/* The time of the log's last entry; 0 for an empty log. */
enum ht_err ht_replay_last(struct ht_log *log, uint64_t *ret_us) HT_MUST_USE;

/* The trust snapshot under which the log's last entry was made. */
struct ht_replay_snapshot {
	uint64_t place; /* of the SNAPSHOT entry that put it in force */
	uint64_t version;
	struct ht_hash hash;
	uint64_t issued_ms; /* of its newest current note; 0: not known */
	uint64_t issued_place;
};
/*
 * Found with some 30 reads in any log.  HT_ENOTFOUND: the log is empty;
 * HT_EINTEGRITY: its last entries are under a snapshot that no SNAPSHOT entry
 * put in force.
 */
enum ht_err ht_replay_snapshot(
    struct ht_log *log, struct ht_replay_snapshot *ret) HT_MUST_USE;

/* What `ctl resume` says of itself when it does not wait for witnesses. */
#define HT_REPLAY_RESUMED                                                      \
	"the operator does not wait for witnesses of the log that was put "    \
	"back"
/*
 * Has an operator said so in an entry from @from on?  The log is the memory:
 * where nobody has, nothing was admitted either, and there is little to read.
 */
enum ht_err ht_replay_resumed(struct ht_log *log, uint64_t from, bool *ret)
    HT_MUST_USE;

#endif
