#include "schemas/due.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

#define DAY_MS  UINT64_C(86400000)
#define HOUR_MS UINT64_C(3600000)

/* When the key stops counting. */
static uint64_t
end_of(const struct ht_keyinfo *key)
{
	return key->revoked && key->revoked_ms < key->until_ms ? key->revoked_ms
	                                                       : key->until_ms;
}

uint64_t
ht_keys_cover(const struct ht_keyinfo *keys, unsigned n, uint64_t now_ms)
{
	uint64_t until_ms = now_ms;
	bool longer = true;

	while (longer) {
		longer = false;
		for (unsigned i = 0; i < n; i++) {
			if (keys[i].from_ms > until_ms ||
			    end_of(&keys[i]) <= until_ms)
				continue;
			until_ms = end_of(&keys[i]);
			longer = true;
		}
	}
	return until_ms;
}

struct look {
	uint64_t now_ms;
	uint64_t ahead_ms;
	ht_due_fn *say;
	void *arg;
};

static void
say(const struct look *look, enum ht_due_what what, uint64_t until_ms,
    const char *name, const char *node)
{
	struct ht_due due = {.what = what, .until_ms = until_ms};

	if (until_ms > look->now_ms && until_ms - look->now_ms > look->ahead_ms)
		return;
	due.over = until_ms <= look->now_ms;
	(void)snprintf(due.whose, sizeof(due.whose), "%s%s%s", name,
	    node != NULL ? "/" : "", node != NULL ? node : "");
	look->say(look->arg, &due);
}

void
ht_due_member(const struct ht_member *member, uint64_t now_ms,
    uint64_t ahead_ms, ht_due_fn *fn, void *arg)
{
	const struct look look = {now_ms, ahead_ms, fn, arg};

	for (unsigned i = 0; i < member->n_nodes; i++) {
		const struct ht_node_entry *node = &member->nodes[i];

		say(&look, HT_DUE_SIGNING,
		    ht_keys_cover(node->signing, node->n_signing, now_ms),
		    member->name, node->name);
		say(&look, HT_DUE_TRANSPORT,
		    ht_keys_cover(node->transport, node->n_transport, now_ms),
		    member->name, node->name);
	}
	/* Who has no node receives nothing. */
	if (member->n_nodes > 0)
		say(&look, HT_DUE_SEALING,
		    ht_keys_cover(member->sealing, member->n_sealing, now_ms),
		    member->name, NULL);
}

void
ht_due_epochs(const struct ht_trust *trust, uint64_t now_ms, uint64_t ahead_ms,
    ht_due_fn *fn, void *arg)
{
	const struct look look = {now_ms, ahead_ms, fn, arg};
	const struct ht_epoch_entry *epoch = ht_trust_epoch(trust, now_ms);
	const struct ht_epoch_entry *last = NULL;

	/* A catalog without any has items without subjects. */
	while (epoch != NULL) {
		last = epoch;
		epoch = ht_trust_epoch(trust, last->until_ms);
	}
	if (last != NULL) {
		say(&look, HT_DUE_EPOCH, last->until_ms, last->name, NULL);
		return;
	}
	last = ht_trust_epoch_last(trust);
	if (last != NULL)
		say(&look, HT_DUE_EPOCH, now_ms, last->name, NULL);
}

void
ht_due_all(const struct ht_trust *trust, uint64_t now_ms, uint64_t ahead_ms,
    ht_due_fn *fn, void *arg)
{
	const struct look look = {now_ms, ahead_ms, fn, arg};
	const struct ht_member *member;
	const struct ht_grant *grant;

	for (size_t i = 0; (member = ht_trust_member_at(trust, i)) != NULL; i++)
		ht_due_member(member, now_ms, ahead_ms, fn, arg);
	for (size_t i = 0; (grant = ht_trust_grant_at(trust, i)) != NULL; i++)
		/* What has ended is history, and no news. */
		if (grant->state == HT_GRANT_ACTIVE && grant->until_ms > now_ms)
			say(&look, HT_DUE_GRANT, grant->until_ms, grant->name,
			    NULL);
	ht_due_epochs(trust, now_ms, ahead_ms, fn, arg);
}

void
ht_due_current(const struct ht_trust *trust, uint64_t now_ms, uint64_t ahead_ms,
    ht_due_fn *fn, void *arg)
{
	const struct look look = {now_ms, ahead_ms, fn, arg};
	char name[40];

	(void)snprintf(name, sizeof(name), "%llu",
	    (unsigned long long)ht_trust_version(trust));
	say(&look, HT_DUE_CURRENT, ht_trust_until_ms(trust), name, NULL);
}

static const struct {
	const char *subject;
	const char *remedy;
} words[] = {
    [HT_DUE_SIGNING] = {"the signing key of",
                        "make the next one, `hutong key new --for signing`, "
        "and have the entry signed with both"                                  },
    [HT_DUE_TRANSPORT] = {"the transport key of",
                        "make the next one, `hutong key new --for transport`, "
        "and have the entry signed with both"                                  },
    [HT_DUE_SEALING] = {"the sealing key of",
                        "make the next one, `hutong key new --for sealing`, "
        "give it to every node, and have the entry signed with both"           },
    [HT_DUE_GRANT] = {"the grant",
                        "if it shall go on, have a later revision of it signed"},
    [HT_DUE_EPOCH] = {"the epoch",
                        "without a next one nothing about a subject can be asked: "
        "the auditors make it, `hutong epoch new`"                             },
    [HT_DUE_CURRENT] = {"the current note of snapshot",
                        "after it items work on for their grace alone: "
        "`hutong catalog freshen`"                                             },
};

/* Days, or hours where there are few. */
static void
how_long(char *out, size_t size, uint64_t ms)
{
	bool days = ms >= 2 * DAY_MS;

	(void)snprintf(out, size, "%llu %s",
	    (unsigned long long)(ms / (days ? DAY_MS : HOUR_MS)),
	    days ? "days" : "hours");
}

void
ht_due_text(
    const struct ht_due *due, uint64_t now_ms, char out[static HT_DUE_TEXT])
{
	char when[HT_TIME_SIZE], left[40] = "";

	if (due->over && due->until_ms == now_ms) {
		(void)snprintf(out, HT_DUE_TEXT, "%s %s: none is valid now; %s",
		    words[due->what].subject, due->whose,
		    words[due->what].remedy);
		return;
	}
	ht_time_text(when, due->until_ms / 1000 * 1000000);
	if (due->over) {
		(void)snprintf(out, HT_DUE_TEXT, "%s %s ended %s; %s",
		    words[due->what].subject, due->whose, when,
		    words[due->what].remedy);
		return;
	}
	how_long(left, sizeof(left), due->until_ms - now_ms);
	(void)snprintf(out, HT_DUE_TEXT,
	    "%s %s ends in %s (%s), and nothing follows it; %s",
	    words[due->what].subject, due->whose, left, when,
	    words[due->what].remedy);
}
