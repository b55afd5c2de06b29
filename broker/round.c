#include "broker/round.h"

#include <string.h>

#include "keys/witness.h"
#include "lib/base/panic.h"

#define NOTE_MAX   16384 /* as on the wire */
#define POLICY_MAX HT_QUORUM_FILE_MAX

void
ht_round_init(struct ht_round *round, uint64_t every_ms)
{
	memset(round, 0, sizeof(*round));
	round->every_ms = every_ms;
	round->note = HT_BUF(NOTE_MAX);
}

void
ht_round_fini(struct ht_round *round)
{
	ht_quorum_free(&round->policy);
	ht_buf_fini(&round->note);
}

/* ---- who there is ---- */

static struct ht_round_witness *
find(struct ht_round *round, const struct ht_vkey *key)
{
	for (unsigned i = 0; i < round->n; i++)
		if (strcmp(round->at[i].key.name, key->name) == 0 &&
		    memcmp(&round->at[i].key.pub, &key->pub,
		        sizeof(key->pub)) == 0)
			return &round->at[i];
	return NULL;
}

enum ht_err
ht_round_set(struct ht_round *round, const struct ht_root *root)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(POLICY_MAX);
	struct ht_round_witness now[HT_WITNESSES_MAX] = {0};
	struct ht_quorum *policy = NULL;
	enum ht_err err = HT_OK;

	ht_quorum_text(&root->log, root->witnesses, root->n_witnesses,
	    root->quorum, &text);
	err = text.err;
	if (err == HT_OK && root->n_witnesses > 0)
		err =
		    ht_quorum_parse("root", ht_buf_slice(&text), NULL, &policy);
	if (err != HT_OK)
		return err;
	for (unsigned i = 0; i < root->n_witnesses; i++) {
		const struct ht_round_witness *old =
		    find(round, &root->witnesses[i]);

		if (old != NULL)
			now[i] = *old;
		now[i].key = root->witnesses[i];
	}
	memcpy(round->at, now, sizeof(now));
	round->n = root->n_witnesses;
	round->needed = root->quorum;
	ht_quorum_free(&round->policy);
	round->policy = policy;
	return HT_OK;
}

enum ht_err
ht_round_note(struct ht_round *round, struct ht_slice note)
{
	struct ht_quorum_seen seen;
	uint64_t latest_s = 0;
	enum ht_err err;

	if (round->policy == NULL)
		return HT_OK;
	err = ht_quorum_check(round->policy, note, &seen);
	if (err != HT_OK)
		return err;
	for (unsigned i = 0; i < round->n; i++) {
		struct ht_round_witness *w = &round->at[i];

		if (seen.time_s[i] > latest_s)
			latest_s = seen.time_s[i];
		if (seen.time_s[i] == 0 || seen.cp.size < w->cosigned)
			continue;
		w->cosigned = seen.cp.size;
		w->time_s = seen.time_s[i];
	}
	if (seen.met && seen.n_signed > 0 && seen.cp.size >= round->met_size) {
		round->met_size = seen.cp.size;
		round->met_s = latest_s;
	}
	return HT_OK;
}

/* "tax.demo/state/witness" is a witness of the member tax.demo/state. */
static bool
is_of(const struct ht_vkey *key, const char *member)
{
	size_t len = strlen(member);

	return strncmp(key->name, member, len) == 0 && key->name[len] == '/';
}

struct ht_round_witness *
ht_round_offer(struct ht_round *round, struct ht_slice name, const char *user,
    const char *member, uint64_t size)
{
	for (unsigned i = 0; i < round->n; i++) {
		struct ht_round_witness *w = &round->at[i];

		if (!ht_slice_is(name, w->key.name) || !is_of(&w->key, member))
			continue;
		(void)snprintf(w->user, sizeof(w->user), "%s", user);
		w->size = size;
		w->ref = 0;
		w->conflicts = w->refused = 0;
		return w;
	}
	return NULL;
}

void
ht_round_lost(struct ht_round *round, const char *user)
{
	for (unsigned i = 0; i < round->n; i++)
		if (strcmp(round->at[i].user, user) == 0) {
			round->at[i].user[0] = '\0';
			round->at[i].ref = 0;
		}
}

/* ---- asking ---- */

static bool
here(const struct ht_round_witness *w)
{
	return w->user[0] != '\0' && w->refused == 0;
}

static bool
waits(const struct ht_round_witness *w, uint64_t now_ms)
{
	return w->ref != 0 && now_ms - w->asked_ms < HT_ROUND_WAIT_MS;
}

bool
ht_round_begin(struct ht_round *round, uint64_t now_ms, struct ht_slice note,
    uint64_t size)
{
	bool behind = false;

	if (round->begun_ms != 0 && now_ms - round->begun_ms < round->every_ms)
		return false;
	for (unsigned i = 0; i < round->n; i++) {
		if (waits(&round->at[i], now_ms))
			return false;
		behind |= here(&round->at[i]) && round->at[i].size < size;
	}
	if (!behind)
		return false;
	/* The same size once more: what others said of it stays. */
	if (size != round->size) {
		ht_buf_reset(&round->note);
		ht_buf_add(&round->note, note.at, note.len);
		round->size = round->note.err == HT_OK ? size : 0;
	}
	for (unsigned i = 0; i < round->n; i++)
		round->at[i].conflicts = 0;
	round->begun_ms = now_ms;
	return round->size != 0;
}

struct ht_round_witness *
ht_round_next(struct ht_round *round, uint64_t now_ms)
{
	for (unsigned i = 0; i < round->n; i++) {
		struct ht_round_witness *w = &round->at[i];

		if (!here(w) || w->size >= round->size || waits(w, now_ms) ||
		    w->conflicts >= HT_ROUND_CONFLICTS)
			continue;
		w->ref = ++round->ref;
		w->asked_ms = now_ms;
		return w;
	}
	return NULL;
}

/* ---- answers ---- */

/* "123\n" */
static bool
read_size(struct ht_slice body, uint64_t *ret)
{
	return body.len > 1 && body.at[body.len - 1] == '\n' &&
	       ht_tree_size_parse(HT_SLICE(body.at, body.len - 1), ret) ==
	           HT_OK;
}

static enum ht_round_said
cosigned(
    struct ht_round *round, struct ht_round_witness *w, struct ht_slice lines)
{
	HT_AUTO(ht_buf_fini) struct ht_buf merged = HT_BUF(NOTE_MAX);

	if (ht_cosign_merge(
	        ht_buf_slice(&round->note), lines, &w->key, &merged) != HT_OK) {
		w->refused = HT_WITNESS_UNSIGNED;
		return HT_ROUND_FALSE;
	}
	w->size = round->size;
	ht_buf_reset(&round->note);
	ht_buf_add(&round->note, merged.at, merged.len);
	if (round->note.err != HT_OK ||
	    ht_round_note(round, ht_buf_slice(&round->note)) != HT_OK) {
		round->size = 0;
		return HT_ROUND_STRAY;
	}
	return HT_ROUND_COSIGNED;
}

enum ht_round_said
ht_round_answer(struct ht_round *round, const char *user, uint64_t ref,
    unsigned status, struct ht_slice body, struct ht_round_witness **ret_who)
{
	struct ht_round_witness *w = NULL;

	for (unsigned i = 0; i < round->n && ref != 0; i++)
		if (round->at[i].ref == ref &&
		    strcmp(round->at[i].user, user) == 0)
			w = &round->at[i];
	if (w == NULL || round->size == 0)
		return HT_ROUND_STRAY;
	*ret_who = w;
	w->ref = 0;
	if (status == HT_WITNESS_OK)
		return cosigned(round, w, body);
	if (status == HT_WITNESS_CONFLICT && read_size(body, &w->size)) {
		w->conflicts++;
		return HT_ROUND_ELSEWHERE;
	}
	w->refused = status;
	return HT_ROUND_NO;
}
