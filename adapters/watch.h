/*
 * watch.h -- what a member's own node sees in the directory: keys of its
 * member that it does not hold, its own that are missing, over or about to
 * be, an identity that changed hands.
 *
 * Authority and broker together could replace a member's key (DESIGN, "the
 * broker cannot read"); it is here that the member sees it.  Pure: findings go
 * to a report, and the node says them aloud.
 */
#ifndef HT_ADAPTERS_WATCH_H
#define HT_ADAPTERS_WATCH_H

#include "lib/base/report.h"
#include "schemas/trust.h"

#define HT_WATCH_SEALING 8 /* sealing keys that a node holds at most */
/* So long a recovered identity is shown by every node. */
#define HT_RECOVERED_MS (UINT64_C(90) * 86400000)

/* The keys that this node holds. */
struct ht_own {
	const char *member;
	const char *node;
	struct ht_keyid signing;
	struct ht_keyid transport;
	unsigned n_sealing;
	struct ht_keyid sealing[HT_WATCH_SEALING];
	struct ht_pub identity; /* of the entry as it was last seen */
	bool has_identity;
	/*
	 * The directory is of an earlier run, and nobody has said yet that it
	 * is in force: keys made since then cannot stand in it.  What only
	 * differs is no alarm, then; a key that is over or revoked is.
	 */
	bool stored;
};

/*
 * Hold the member's entry in @trust against what the node holds: alarms go
 * to @alarms, what should be done within weeks to @warnings.
 */
void ht_watch_own(const struct ht_trust *trust, const struct ht_own *own,
    uint64_t now_ms, struct ht_report *alarms, struct ht_report *warnings);
/* Members whose identity was recovered lately, oneself included. */
void ht_watch_recovered(
    const struct ht_trust *trust, uint64_t now_ms, struct ht_report *warnings);
/*
 * The current note ran out: nobody freshens, or somebody withholds it.
 * Nothing while it is fresh.
 */
void ht_watch_current(
    const struct ht_trust *trust, uint64_t now_ms, struct ht_report *warnings);

#endif
