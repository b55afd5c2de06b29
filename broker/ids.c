#include "broker/ids.h"

#include <stdlib.h>

#include "lib/base/limits.h"
#include "lib/base/panic.h"

/*
 * A wheel of time: a slot is 256 ms, and all of them together are longer than
 * anything lives (an hour, and twice the skew).
 */
#define SLOT_SHIFT 8
#define SLOTS      16384
_Static_assert(((uint64_t)SLOTS << SLOT_SHIFT) > HT_LIFE_MS + 3 * HT_SKEW_MS,
    "the wheel must not meet its own tail");
#define FIRST_SIZE 4096

struct ht_ids {
	uint64_t secret[2];
	size_t count;
	size_t size; /* of both tables: a power of two */
	struct ht_ided **by_id;
	struct ht_ided **by_hash;
	uint64_t slot; /* the oldest that may still hold something */
	struct ht_ided *wheel[SLOTS];
};

/* Both words take part, each under its own secret (as wyhash mixes). */
static uint64_t
mix(const struct ht_ids *ids, const uint8_t at[static 16], uint64_t salt)
{
	__extension__ typedef unsigned __int128 wide;
	wide w = (wide)(ht_load64(at) ^ ids->secret[0] ^ salt) *
	         (ht_load64(at + 8) ^ ids->secret[1]);

	return (uint64_t)w ^ (uint64_t)(w >> 64);
}

static size_t
id_bucket(const struct ht_ids *ids, const void *sender, const struct ht_id *id)
{
	uint64_t salt = (uint64_t)(uintptr_t)sender * 0x9e3779b97f4a7c15u;

	return mix(ids, id->at, salt) & (ids->size - 1);
}

static size_t
hash_bucket(const struct ht_ids *ids, const struct ht_hash *hash)
{
	return mix(ids, hash->at, 0) & (ids->size - 1);
}

enum ht_err
ht_ids_new(
    const uint64_t secret[static 2], uint64_t now_ms, struct ht_ids **ret)
{
	struct ht_ids *ids = calloc(1, sizeof(*ids));

	if (ids == NULL)
		return HT_ENOMEM;
	ids->secret[0] = secret[0];
	ids->secret[1] = secret[1];
	ids->size = FIRST_SIZE;
	ids->slot = now_ms >> SLOT_SHIFT;
	ids->by_id = calloc(FIRST_SIZE, sizeof(*ids->by_id));
	ids->by_hash = calloc(FIRST_SIZE, sizeof(*ids->by_hash));
	if (ids->by_id == NULL || ids->by_hash == NULL) {
		ht_ids_free(&ids, NULL);
		return HT_ENOMEM;
	}
	*ret = ids;
	return HT_OK;
}

void
ht_ids_free(struct ht_ids **ids_p, void (*drop)(struct ht_ided *))
{
	struct ht_ids *ids = HT_TAKE(*ids_p);

	if (ids == NULL)
		return;
	for (size_t i = 0; drop != NULL && i < ids->size; i++)
		for (struct ht_ided *one = ids->by_id[i], *next; one != NULL;
		     one = next) {
			next = one->next_id;
			drop(one);
		}
	free(ids->by_id);
	free(ids->by_hash);
	free(ids);
}

size_t
ht_ids_count(const struct ht_ids *ids)
{
	return ids->count;
}

/* ---- the tables ---- */

static void
link_hash(struct ht_ids *ids, struct ht_ided *one)
{
	size_t at = hash_bucket(ids, &one->hash);

	if (!one->cited)
		return;
	one->next_hash = ids->by_hash[at];
	ids->by_hash[at] = one;
}

static void
link_in(struct ht_ids *ids, struct ht_ided *one)
{
	size_t at = id_bucket(ids, one->sender, &one->id);

	one->next_id = ids->by_id[at];
	ids->by_id[at] = one;
	link_hash(ids, one);
}

static enum ht_err
grow(struct ht_ids *ids)
{
	size_t old_size = ids->size, size = 2 * old_size;
	struct ht_ided **old = ids->by_id;
	struct ht_ided **by_id = calloc(size, sizeof(*by_id));
	struct ht_ided **by_hash = calloc(size, sizeof(*by_hash));

	if (by_id == NULL || by_hash == NULL) {
		free(by_id);
		free(by_hash);
		return HT_ENOMEM;
	}
	free(ids->by_hash);
	ids->by_id = by_id;
	ids->by_hash = by_hash;
	ids->size = size;
	for (size_t i = 0; i < old_size; i++)
		for (struct ht_ided *one = old[i], *next; one != NULL;
		     one = next) {
			next = one->next_id;
			link_in(ids, one);
		}
	free(old);
	return HT_OK;
}

void
ht_ids_warm(const struct ht_ids *ids, const void *sender,
    const struct ht_id *id, const struct ht_hash *reply_to)
{
	__builtin_prefetch(&ids->by_id[id_bucket(ids, sender, id)]);
	if (reply_to != NULL)
		__builtin_prefetch(&ids->by_hash[hash_bucket(ids, reply_to)]);
}

struct ht_ided *
ht_ids_find(
    const struct ht_ids *ids, const void *sender, const struct ht_id *id)
{
	struct ht_ided *one = ids->by_id[id_bucket(ids, sender, id)];

	while (
	    one != NULL && !(one->sender == sender && ht_id_eq(&one->id, id)))
		one = one->next_id;
	return one;
}

struct ht_ided *
ht_ids_find_hash(const struct ht_ids *ids, const struct ht_hash *hash)
{
	struct ht_ided *one = ids->by_hash[hash_bucket(ids, hash)];

	while (one != NULL && !ht_hash_eq(&one->hash, hash))
		one = one->next_hash;
	return one;
}

/* ---- the wheel ---- */

static void
set_timer(struct ht_ids *ids, struct ht_ided *one)
{
	uint64_t slot = one->due_ms >> SLOT_SHIFT;

	/*
	 * What is overdue goes where the clock looks first.  When it lags far
	 * behind, the last slot is looked at in time, if a little early.
	 */
	if (slot < ids->slot)
		slot = ids->slot;
	if (slot >= ids->slot + SLOTS)
		slot = ids->slot + SLOTS - 1;
	one->next_due = ids->wheel[slot % SLOTS];
	ids->wheel[slot % SLOTS] = one;
}

struct ht_ided *
ht_ids_due(struct ht_ids *ids, uint64_t now_ms)
{
	uint64_t last = now_ms >> SLOT_SHIFT;

	/* A leap past the whole wheel: every slot once is enough. */
	if (last >= ids->slot + SLOTS)
		last = ids->slot + SLOTS - 1;
	for (;;) {
		struct ht_ided **at = &ids->wheel[ids->slot % SLOTS];

		for (; *at != NULL; at = &(*at)->next_due) {
			struct ht_ided *one = *at;

			if (one->due_ms > now_ms)
				continue;
			*at = one->next_due;
			one->next_due = NULL;
			return one;
		}
		if (ids->slot >= last)
			return NULL;
		ids->slot++;
	}
}

void
ht_ids_again(struct ht_ids *ids, struct ht_ided *one, uint64_t due_ms)
{
	one->due_ms = due_ms;
	set_timer(ids, one);
}

enum ht_err
ht_ids_add(struct ht_ids *ids, struct ht_ided *one)
{
	if (ids->count >= ids->size) {
		enum ht_err err = grow(ids);

		if (err != HT_OK)
			return err;
	}
	link_in(ids, one);
	set_timer(ids, one);
	ids->count++;
	return HT_OK;
}

static void
unlink_hash(struct ht_ids *ids, const struct ht_ided *one)
{
	struct ht_ided **at = &ids->by_hash[hash_bucket(ids, &one->hash)];

	while (*at != one)
		at = &(*at)->next_hash;
	*at = one->next_hash;
}

void
ht_ids_rehash(struct ht_ids *ids, struct ht_ided *one,
    const struct ht_hash *hash, bool cited)
{
	if (one->cited)
		unlink_hash(ids, one);
	one->hash = *hash;
	one->cited = cited;
	link_hash(ids, one);
}

/* Only what ht_ids_due() gave: it stands in no slot. */
void
ht_ids_del(struct ht_ids *ids, struct ht_ided *one)
{
	struct ht_ided **at =
	    &ids->by_id[id_bucket(ids, one->sender, &one->id)];

	while (*at != one)
		at = &(*at)->next_id;
	*at = one->next_id;
	if (one->cited)
		unlink_hash(ids, one);
	ids->count--;
}
