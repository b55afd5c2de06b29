/*
 * ids.h -- which records are known: by (sender, record id), by header hash,
 * and by when something is due for them.  Pure memory.
 *
 * The caller's struct embeds `struct ht_ided` as its first member; the tables
 * link through it, so that a record costs no allocation but its own.
 */
#ifndef HT_BROKER_IDS_H
#define HT_BROKER_IDS_H

#include "schemas/envelope.h"

struct ht_ided {
	struct ht_ided *next_id, *next_hash, *next_due; /* the tables' */
	const void *sender; /* compared by address */
	struct ht_id id;
	struct ht_hash hash;
	uint64_t due_ms;
	bool cited; /* found by its hash as well */
};

struct ht_ids;

/* @secret: random; peers choose ids, and must not choose their collisions. */
enum ht_err ht_ids_new(const uint64_t secret[static 2], uint64_t now_ms,
    struct ht_ids **ret) HT_MUST_USE;
/* Calls @drop on everything. */
void ht_ids_free(struct ht_ids **ids_p, void (*drop)(struct ht_ided *));
size_t ht_ids_count(const struct ht_ids *ids);
/* Needs due_ms to be set.  HT_ENOMEM. */
enum ht_err ht_ids_add(struct ht_ids *ids, struct ht_ided *one) HT_MUST_USE;
/*
 * These will be looked for soon: the tables are far larger than a cache, and
 * the waits for memory of a whole bundle can overlap.  @reply_to: NULL, none.
 */
void ht_ids_warm(const struct ht_ids *ids, const void *sender,
    const struct ht_id *id, const struct ht_hash *reply_to);
struct ht_ided *ht_ids_find(
    const struct ht_ids *ids, const void *sender, const struct ht_id *id);
/* Of those that are cited. */
struct ht_ided *ht_ids_find_hash(
    const struct ht_ids *ids, const struct ht_hash *hash);
/*
 * The next one that is due at @now, out of the timer but still known: give it
 * a new time with ht_ids_again(), or forget it with ht_ids_del().  NULL: none
 * (any more).  The clock may stand, and never goes back.
 */
struct ht_ided *ht_ids_due(struct ht_ids *ids, uint64_t now_ms);
void ht_ids_again(struct ht_ids *ids, struct ht_ided *one, uint64_t due_ms);
/* The same (sender, id) for another record; its timer stays. */
void ht_ids_rehash(struct ht_ids *ids, struct ht_ided *one,
    const struct ht_hash *hash, bool cited);
void ht_ids_del(struct ht_ids *ids, struct ht_ided *one);

#endif
