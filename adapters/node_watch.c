/*
 * node_watch.c -- saying aloud what the node sees of its own entry, of
 * recovered identities, and of a policy that nobody freshens (watch.h).
 */
#include <stdio.h>
#include <string.h>

#include "adapters/node.h"
#include "adapters/watch.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define FACT_IDENTITY "identity"
#define DAILY_MS      (UINT64_C(24) * 3600000)
#define STALE_MS      (UINT64_C(10) * 60000)

_Static_assert(NODE_SEALING_MAX <= HT_WATCH_SEALING, "all of them are shown");

static void
own_keys(struct ht_node *node, struct ht_own *own)
{
	HT_AUTO(ht_buf_fini) struct ht_buf fact = HT_BUF(HT_PUB_SIZE);

	own->member = node->member;
	own->node = node->name;
	own->signing = ht_key_id(node->signing);
	own->transport = ht_key_id(node->transport);
	own->n_sealing = node->n_sealing;
	for (unsigned i = 0; i < node->n_sealing; i++)
		own->sealing[i] = ht_key_id(node->sealing[i]);
	if (ht_state_get(node->state, FACT_IDENTITY, &fact) != HT_OK ||
	    fact.len != HT_PUB_SIZE)
		return;
	memcpy(own->identity.at, fact.at, HT_PUB_SIZE);
	own->has_identity = true;
}

/* From here on it is the one that a next one must be signed with. */
static void
keep_identity(struct ht_node *node, const struct ht_own *own)
{
	const struct ht_member *me =
	    ht_trust_member(node->trust, ht_slice_str(node->member));

	if (me == NULL ||
	    (own->has_identity && memcmp(&me->identity, &own->identity,
	                              sizeof(me->identity)) == 0))
		return;
	if (ht_state_put(node->state, FACT_IDENTITY,
	        HT_SLICE(me->identity.at, HT_PUB_SIZE)) != HT_OK)
		ht_log(
		    HT_WARN, "node %s: our identity key is not kept", node->id);
}

static void
tell(const struct ht_node *node, enum ht_level level, const char *mark,
    const struct ht_report *report)
{
	unsigned n = ht_report_count(report);

	for (unsigned i = 0; i < n && i < HT_FINDINGS_MAX; i++)
		ht_log(level, "node %s: %s%s", node->id, mark,
		    ht_report_text(report, i));
	if (n > HT_FINDINGS_MAX)
		ht_log(level, "node %s: ... and %u more", node->id,
		    n - HT_FINDINGS_MAX);
}

static void
look(struct ht_node *node, bool stored)
{
	HT_AUTO(ht_report_free) struct ht_report *alarms = ht_report_new();
	HT_AUTO(ht_report_free) struct ht_report *warnings = ht_report_new();
	struct ht_own own = {.stored = stored};
	uint64_t now_ms = ht_clock_wall_ms();
	char mark[64] = "";

	node->watch_ms = ht_clock_mono_ms() + DAILY_MS;
	own_keys(node, &own);
	ht_watch_own(node->trust, &own, now_ms, alarms, warnings);
	ht_watch_recovered(node->trust, now_ms, warnings);
	if (stored)
		(void)snprintf(mark, sizeof(mark), "by snapshot %llu, kept: ",
		    (unsigned long long)ht_trust_version(node->trust));
	tell(node, HT_ERROR, "ALARM: ", alarms);
	tell(node, HT_WARN, mark, warnings);
	if (!stored)
		keep_identity(node, &own);
}

void
node_watch(struct ht_node *node)
{
	node->watch = NODE_WATCHED;
	look(node, false);
}

void
node_watch_later(struct ht_node *node)
{
	node->watch_ms = ht_clock_mono_ms() + DAILY_MS;
	node->watch = NODE_UNWATCHED;
}

void
node_watch_due(struct ht_node *node)
{
	if (node->watch != NODE_WATCHED)
		node_watch(node);
}

void
node_watch_refused(struct ht_node *node)
{
	if (node->watch != NODE_UNWATCHED)
		return;
	node->watch = NODE_GLANCED;
	look(node, true);
}

void
node_watch_turn(struct ht_node *node, uint64_t now_ms)
{
	HT_AUTO(ht_report_free) struct ht_report *warnings = NULL;

	if (node->trust == NULL)
		return;
	if (now_ms >= node->watch_ms)
		look(node, node->watch != NODE_WATCHED);
	if (now_ms < node->stale_ms || node->phase != NODE_READY)
		return;
	warnings = ht_report_new();
	ht_watch_current(node->trust, ht_clock_wall_ms(), warnings);
	if (ht_report_count(warnings) == 0)
		return;
	node->stale_ms = now_ms + STALE_MS;
	tell(node, HT_WARN, "", warnings);
}
