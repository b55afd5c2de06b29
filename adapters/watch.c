#include "adapters/watch.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "schemas/doc.h"
#include "schemas/due.h"

/* ---- keys ---- */

static bool
among(const struct ht_keyid *held, unsigned n, const struct ht_keyid *id)
{
	for (unsigned i = 0; i < n; i++)
		if (ht_keyid_eq(&held[i], id))
			return true;
	return false;
}

/* One of our keys, as the entry has it. */
static void
watch_key(const struct ht_own *own, const struct ht_keyinfo *keys, unsigned n,
    const struct ht_keyid *ours, const char *what, uint64_t now_ms,
    struct ht_report *alarms, struct ht_report *warnings)
{
	static const char *const why[] = {
	    [HT_KEY_EARLY] = "is not valid yet",
	    [HT_KEY_OVER] = "is past its period",
	    [HT_KEY_REVOKED] = "was revoked",
	};

	for (unsigned i = 0; i < n; i++) {
		enum ht_key_state state = ht_keyinfo_state(&keys[i], now_ms);

		if (!ht_keyid_eq(&keys[i].id, ours))
			continue;
		if (state != HT_KEY_OK)
			ht_report_add(alarms, own->member,
			    "this node's %s key %s; configure its successor",
			    what, why[state]);
		return;
	}
	if (own->stored) {
		ht_report_add(warnings, own->member,
		    "the directory that this node kept does not list its %s "
		    "key: if it was made since then, have the new entry put "
		    "in force (hutong catalog snapshot, freshen; hutong-broker "
		    "ctl reload), and this node goes on by itself",
		    what);
		return;
	}
	ht_report_add(alarms, own->member,
	    "the directory entry of %s does not list this node's %s key; if "
	    "nobody of yours changed the entry, tell the auditors and the "
	    "authority at once",
	    own->member, what);
}

/* Keys in our name that somebody else holds. */
static void
watch_strangers(const struct ht_own *own, const struct ht_keyinfo *keys,
    unsigned n, const struct ht_keyid *held, unsigned n_held, const char *what,
    const char *so, uint64_t now_ms, struct ht_report *report)
{
	char id[2 * HT_KEYID_SIZE + 1], from[HT_TIME_SIZE];

	for (unsigned i = 0; i < n; i++) {
		enum ht_key_state state = ht_keyinfo_state(&keys[i], now_ms);

		if (state == HT_KEY_OVER || state == HT_KEY_REVOKED ||
		    among(held, n_held, &keys[i].id))
			continue;
		ht_hex(id, keys[i].id.at, sizeof(keys[i].id.at));
		ht_time_text(from, keys[i].from_ms * 1000);
		ht_report_add(report, own->member,
		    "the directory entry of %s lists the %s key %s, valid from "
		    "%s, which this node does not hold: %s; if nobody of yours "
		    "made it, tell the auditors and the authority at once",
		    own->member, what, id, from, so);
	}
}

static void
watch_node(const struct ht_own *own, const struct ht_node_entry *entry,
    uint64_t now_ms, struct ht_report *alarms, struct ht_report *warnings)
{
	watch_key(own, entry->signing, entry->n_signing, &own->signing,
	    "signing", now_ms, alarms, warnings);
	watch_key(own, entry->transport, entry->n_transport, &own->transport,
	    "transport", now_ms, alarms, warnings);
	/* A node holds one of these, so a successor is a stranger to it. */
	watch_strangers(own, entry->signing, entry->n_signing, &own->signing, 1,
	    "signing", "while keys are rotated that is the successor", now_ms,
	    warnings);
	watch_strangers(own, entry->transport, entry->n_transport,
	    &own->transport, 1, "transport",
	    "while keys are rotated that is the successor", now_ms, warnings);
}

/* Whoever holds a sealing key of ours reads what is sent to us. */
static void
watch_sealing(const struct ht_own *own, const struct ht_member *me,
    uint64_t now_ms, struct ht_report *alarms, struct ht_report *warnings)
{
	const struct ht_keyinfo *newest = ht_member_seal_key(me, now_ms);
	/* It was told when it came into force; what came since is not here. */
	struct ht_report *to = own->stored ? warnings : alarms;

	watch_strangers(own, me->sealing, me->n_sealing, own->sealing,
	    own->n_sealing, "sealing",
	    "what is sealed to it can be read elsewhere, and not here; while "
	    "keys are rotated, give it to this node (keys: sealing) before it "
	    "is valid",
	    now_ms, to);
	if (newest == NULL)
		ht_report_add(to, own->member,
		    "the directory entry of %s has no sealing key that is "
		    "valid now: nothing can be sent to it",
		    own->member);
}

/* ---- the identity ---- */

static bool
signed_by(const struct ht_trust *trust, const struct ht_own *own)
{
	struct ht_slice bytes =
	    ht_trust_find_doc(trust, "member", ht_slice_str(own->member));
	struct ht_note note;
	struct ht_vkey vkey;
	uint64_t who = 0;

	return ht_vkey_make(own->member, &own->identity, &vkey) == HT_OK &&
	       ht_note_parse(bytes, &note) == HT_OK &&
	       ht_note_verify(&note, &vkey, 1, &who) == HT_OK && who != 0;
}

static void
watch_identity(const struct ht_trust *trust, const struct ht_own *own,
    const struct ht_member *me, struct ht_report *alarms)
{
	if (!own->has_identity ||
	    memcmp(&me->identity, &own->identity, sizeof(me->identity)) == 0 ||
	    signed_by(trust, own))
		return;
	ht_report_add(alarms, own->member,
	    "the identity key of %s was replaced, and the old one did not "
	    "sign: the authority alone vouches for the new one; if you did not "
	    "ask for a recovery, tell the auditors at once",
	    own->member);
}

/* ---- all of it ---- */

struct due {
	struct ht_report *warnings;
	uint64_t now_ms;
	const char *member, *node;
};

/* Of the member's nodes, this one: the others say theirs. */
static void
tell_due(void *arg, const struct ht_due *due)
{
	const struct due *d = arg;
	size_t len = strlen(d->member);
	char text[HT_DUE_TEXT];

	if (strncmp(due->whose, d->member, len) == 0 &&
	    due->whose[len] == '/' &&
	    strcmp(due->whose + len + 1, d->node) != 0)
		return;
	ht_due_text(due, d->now_ms, text);
	ht_report_add(d->warnings, due->whose, "%s", text);
}

void
ht_watch_own(const struct ht_trust *trust, const struct ht_own *own,
    uint64_t now_ms, struct ht_report *alarms, struct ht_report *warnings)
{
	struct due due = {warnings, now_ms, own->member, own->node};
	const struct ht_member *me =
	    ht_trust_member(trust, ht_slice_str(own->member));
	struct ht_report *absent = own->stored ? warnings : alarms;
	const struct ht_node_entry *entry;

	if (me == NULL) {
		ht_report_add(absent, own->member, "%s is not in the directory",
		    own->member);
		return;
	}
	watch_identity(trust, own, me, alarms);
	watch_sealing(own, me, now_ms, alarms, warnings);
	entry = ht_member_node(me, ht_slice_str(own->node));
	if (entry == NULL)
		ht_report_add(absent, own->member,
		    "the directory entry of %s has no node '%s'", own->member,
		    own->node);
	else
		watch_node(own, entry, now_ms, alarms, warnings);
	ht_due_member(me, now_ms, HT_DUE_MS, tell_due, &due);
	ht_due_epochs(trust, now_ms, HT_DUE_MS, tell_due, &due);
}

void
ht_watch_recovered(
    const struct ht_trust *trust, uint64_t now_ms, struct ht_report *warnings)
{
	const struct ht_member *member;
	char when[HT_TIME_SIZE];

	for (size_t i = 0; (member = ht_trust_member_at(trust, i)) != NULL;
	     i++) {
		if (member->recovered_ms == 0 ||
		    (now_ms > member->recovered_ms &&
		        now_ms - member->recovered_ms > HT_RECOVERED_MS))
			continue;
		ht_time_text(when, member->recovered_ms * 1000);
		ht_report_add(warnings, member->name,
		    "the identity of %s was recovered (%s): its old key did "
		    "not sign the new one, the authority's officers did; ask "
		    "it by another way whether that is so",
		    member->name, when);
	}
}

void
ht_watch_current(
    const struct ht_trust *trust, uint64_t now_ms, struct ht_report *warnings)
{
	uint64_t until_ms = ht_trust_until_ms(trust);
	char when[HT_TIME_SIZE];

	if (now_ms < until_ms)
		return;
	ht_time_text(when, until_ms * 1000);
	ht_report_add(warnings, "",
	    "the current note of snapshot %llu ran out %s, %llu minutes ago: "
	    "the authority does not freshen it (hutong catalog freshen), or "
	    "somebody withholds a newer one; items work on for their grace, "
	    "and are then refused (POLICY_STALE)",
	    (unsigned long long)ht_trust_version(trust), when,
	    (unsigned long long)((now_ms - until_ms) / 60000));
}
