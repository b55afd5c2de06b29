/*
 * state_disk.c -- a disk that may be full.
 *
 * A store whose commit failed is dead: nobody knows what the disk holds.  So
 * no commit may come to that.  Behind the store's end some room is set aside,
 * which nobody else can take, and what is kept goes no further than that
 * before it has been set aside anew.  Where that fails the disk counts as
 * full: nothing that grows is kept, and what is left of the room is for what
 * must be written all the same, like checkpoints and cosignatures, which take
 * the place of older ones.
 */
#include "adapters/state_in.h"
#include "lib/base/clock.h"

/* Of HT_STATE_ASIDE what is kept may take so much between two looks. */
#define AHEAD   ((uint64_t)8 << 20)
#define LOOK_MS 1000
/* Pages on the way to a value, in two trees, and one that had to be parted. */
#define BESIDE ((uint64_t)3 * 4096)

static void
look(struct ht_state *state)
{
	state->looked_ms = ht_clock_mono_ms();
	state->full =
	    !ht_store_set_aside(state->store, state->aside + state->gathered);
	state->ahead = state->full ? 0 : AHEAD;
}

bool
ht_state_full(struct ht_state *state)
{
	if (state->looked_ms == 0 ||
	    ht_clock_mono_ms() - state->looked_ms >= LOOK_MS)
		look(state);
	return state->full;
}

bool
state_disk_holds(struct ht_state *state, size_t len)
{
	uint64_t cost = len + BESIDE;

	if (!ht_state_full(state) && state->ahead < cost)
		look(state);
	if (state->full)
		return false;
	state->ahead -= cost;
	state->gathered += cost;
	return true;
}
