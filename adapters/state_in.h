/*
 * state_in.h -- the insides of a node's state, shared by state.c (facts,
 * counters, answers), state_kept.c (their room), state_disk.c (the disk's) and
 * state_told.c (what became of exchanges).
 */
#ifndef HT_ADAPTERS_STATE_IN_H
#define HT_ADAPTERS_STATE_IN_H

#include "adapters/state.h"
#include "lib/base/map.h"
#include "lib/store/store.h"

enum { FACTS, ANSWERS, EXPIRY, TOLD, TOLD_AGE, NOTES };

struct ht_state {
	char *dir;
	int lock_fd;
	struct ht_store *store;
	struct ht_txn *txn; /* the group of writes; NULL: none yet */
	struct ht_map *counters;
	struct ht_buf found; /* what ht_state_find() gave out */
	struct ht_map *kept; /* sender -> uint64_t, bytes of its answers */
	uint64_t kept_bytes, kept_max;
	uint64_t aside;     /* HT_STATE_ASIDE; a test wants what no disk has */
	uint64_t looked_ms; /* at the disk; 0: never */
	uint64_t ahead;     /* what may be kept before the next look */
	uint64_t gathered;  /* kept in the group: the file has not grown yet */
	bool full;          /* that found no room */
};

/* Begin the group of writes, unless it has begun. */
enum ht_err state_group(struct ht_state *state);
/* A transaction to read in: the group, or *ret_own. */
enum ht_err state_reading(
    struct ht_state *state, struct ht_txn **ret_own, struct ht_txn **ret);
/* Append a value to @ret, seeing what the group has written. */
enum ht_err state_read(struct ht_state *state, unsigned db, struct ht_slice key,
    struct ht_buf *ret);

/* ---- room (state_kept.c): values of "answers" and their senders ---- */

enum ht_err state_kept_load(struct ht_state *state);
enum ht_err state_kept_add(
    struct ht_state *state, struct ht_slice sender, size_t len);
void state_kept_drop(
    struct ht_state *state, struct ht_slice sender, size_t len);
uint64_t state_kept_by(const struct ht_state *state, struct ht_slice sender);
/* The sender in a key of "answers". */
struct ht_slice state_kept_sender(struct ht_slice key);

/* ---- the disk (state_disk.c) ---- */

/* Is there surely room on it for a value of @len bytes? */
bool state_disk_holds(struct ht_state *state, size_t len);

#endif
