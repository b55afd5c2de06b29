/*
 * state_kept.c -- whose answers take how much room in the state folder.
 *
 * An answer is kept until its request expires, and how long that is, the asker
 * says: so one that may ask can have kept as much as it likes.  A member may
 * have no more than is still free.  One alone gets half of all, two a third
 * each, and there is always room for another: no asker can end the serving of
 * others (ADR 49).
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/state_in.h"

#define PAGE   4096
#define SMALL  2000 /* larger values have pages of their own */
#define BESIDE 300  /* keys, the expiry, and what trees cost */

/* The room that a value takes on the disk, near enough. */
static uint64_t
room_of(size_t len)
{
	return len <= SMALL ? len + BESIDE
	                    : (len + 16 + PAGE - 1) / PAGE * PAGE + BESIDE;
}

uint64_t
state_kept_by(const struct ht_state *state, struct ht_slice sender)
{
	const uint64_t *bytes = ht_map_get(state->kept, sender);

	return bytes != NULL ? *bytes : 0;
}

bool
ht_state_room(const struct ht_state *state, struct ht_slice sender, size_t len)
{
	uint64_t own = state_kept_by(state, sender) + room_of(len);
	uint64_t all = state->kept_bytes + room_of(len);

	return all <= state->kept_max && own <= state->kept_max - all;
}

enum ht_err
state_kept_add(struct ht_state *state, struct ht_slice sender, size_t len)
{
	uint64_t *bytes = ht_map_get(state->kept, sender);
	enum ht_err err;

	if (bytes == NULL) {
		bytes = calloc(1, sizeof(*bytes));
		err = bytes != NULL
		          ? ht_map_put(state->kept, sender, bytes, NULL)
		          : HT_ENOMEM;
		if (err != HT_OK) {
			free(bytes);
			return err;
		}
	}
	*bytes += room_of(len);
	state->kept_bytes += room_of(len);
	return HT_OK;
}

void
state_kept_drop(struct ht_state *state, struct ht_slice sender, size_t len)
{
	uint64_t *bytes = ht_map_get(state->kept, sender);

	if (bytes == NULL)
		return;
	*bytes -= room_of(len);
	state->kept_bytes -= room_of(len);
	if (*bytes == 0)
		free(ht_map_del(state->kept, sender));
}

struct ht_slice
state_kept_sender(struct ht_slice key)
{
	const uint8_t *end = key.len > 0 ? memchr(key.at, 0, key.len) : NULL;

	return HT_SLICE(key.at, end != NULL ? (size_t)(end - key.at) : 0);
}

/* What an earlier process has kept.  Large values are not read for it. */
enum ht_err
state_kept_load(struct ht_state *state)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	HT_AUTO(ht_seek_close) struct ht_seek *seek = NULL;
	struct ht_slice key, value;
	enum ht_err err = ht_txn_begin(state->store, false, &txn);

	if (err == HT_OK)
		err = ht_seek_open(txn, ANSWERS, &seek);
	if (err == HT_OK)
		err = ht_seek_ge(seek, HT_SLICE("", 1), &key, &value);
	while (err == HT_OK) {
		err = state_kept_add(state, state_kept_sender(key), value.len);
		if (err == HT_OK)
			err = ht_seek_next(seek, &key, &value);
	}
	return err == HT_ENOTFOUND ? HT_OK : err;
}
