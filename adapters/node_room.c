/*
 * node_room.c -- no room for an answer, which has to be kept for retries: one
 * asker's share is used up (ADR 49), or the disk is full (ADR 52).
 */
#include "adapters/node.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define SAY_MS 60000 /* a warning a minute tells as much as more */

void
node_no_room(
    struct ht_node *node, struct ht_slice asker, struct ht_reasons *reasons)
{
	uint64_t now_ms = ht_clock_mono_ms();

	ht_reasons_add(reasons, HT_ST_KEPT,
	    "each answer is kept until its request expires, and there is no "
	    "room for more of %.*s",
	    (int)asker.len, (const char *)asker.at);
	if (node->full_ms != 0 && now_ms - node->full_ms < SAY_MS)
		return;
	node->full_ms = now_ms;
	ht_log(HT_WARN,
	    "node %s: %.*s is refused: the answers kept for it have no more "
	    "room until some expire; others are served (\"answers\" in "
	    "hutong-adapter.conf(5))",
	    node->id, (int)asker.len, (const char *)asker.at);
}

/* Both its beginning and its end are said, once. */
bool
node_disk_full(struct ht_node *node)
{
	bool full = ht_state_full(node->state);

	if (full && !node->disk_full)
		ht_log(HT_ERROR,
		    "node %s: the disk of the state folder %s is full: the "
		    "%u MiB that should be set aside for the node there are "
		    "not; make room.  Until then requests are refused with "
		    "DISK_FULL; what was answered is kept",
		    node->id, ht_state_dir(node->state), HT_STATE_ASIDE >> 20);
	if (!full && node->disk_full)
		ht_log(HT_INFO,
		    "node %s: the disk of the state folder has room again; "
		    "requests are served",
		    node->id);
	node->disk_full = full;
	return full;
}

void
node_no_disk(struct ht_reasons *reasons)
{
	ht_reasons_add(reasons, HT_ST_DISK_FULL,
	    "an answer has to be kept for retries, and there is no room for "
	    "it");
}
