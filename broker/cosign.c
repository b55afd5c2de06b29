/*
 * cosign.c -- the newest checkpoint goes to the witnesses, their cosignatures
 * go into the log; and whoever shows a checkpoint that this log does not
 * continue stops the broker (broker/round.h decides the rest).
 */
#include <inttypes.h>
#include <string.h>

#include "broker/core_in.h"
#include "broker/replay.h"
#include "keys/witness.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define STORED_MAX 64 /* looked at for what was cosigned in earlier runs */
#define NOTE_MAX   16384

enum ht_err
cosign_open(struct core *core)
{
	uint64_t below = UINT64_MAX;
	enum ht_err err;

	ht_round_init(&core->round, core->conf->witness_every_ms);
	core->quorum_ms = ht_clock_mono_ms();
	err = ht_round_set(&core->round, &core->root);
	for (int i = 0; i < STORED_MAX && err == HT_OK && core->round.n > 0 &&
	                core->round.met_size == 0;
	     i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(NOTE_MAX);

		err = ht_log_cosigned(core->log, below, &note, &below);
		if (err == HT_ENOTFOUND)
			return HT_OK;
		/* By a key that the root no longer lists: of no use here. */
		if (err == HT_OK)
			(void)!ht_round_note(&core->round, ht_buf_slice(&note));
	}
	return err;
}

void
cosign_close(struct core *core)
{
	ht_round_fini(&core->round);
}

void
cosign_root(struct core *core)
{
	if (ht_round_set(&core->round, &core->root) != HT_OK)
		ht_log(HT_ERROR, "broker: the root's witnesses cannot be taken "
		                 "over; those before are asked");
}

void
cosign_lost(struct core *core, const char *user)
{
	ht_round_lost(&core->round, user);
}

/* ---- asking ---- */

/* False: no such proof; said already. */
static bool
make_request(
    struct core *core, const struct ht_round_witness *w, struct ht_buf *out)
{
	struct ht_add_checkpoint add = {
	    .old = w->size, .note = ht_buf_slice(&core->round.note)};
	struct ht_hash proof[HT_PROOF_MAX];
	enum ht_err err = HT_OK;

	if (add.old > 0)
		err = ht_log_consistency(
		    core->log, add.old, core->round.size, proof, &add.n_proof);
	if (err == HT_OK && add.n_proof > HT_WITNESS_PROOF)
		err = HT_ETOOBIG;
	if (err == HT_OK) {
		memcpy(add.proof, proof, add.n_proof * sizeof(*proof));
		ht_add_checkpoint_text(&add, out);
		err = out->err;
	}
	if (err != HT_OK)
		ht_log(HT_ERROR,
		    "broker: no consistency proof from %" PRIu64 " to %" PRIu64
		    " for the witness %s: %s",
		    add.old, core->round.size, w->key.name, ht_err_text(err));
	return err == HT_OK;
}

static void
ask(struct core *core, const struct ht_round_witness *w)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_WITNESS_REQUEST);
	const struct ht_conn *conn =
	    ht_map_get(core->newest, ht_slice_str(w->user));

	if (conn == NULL || !make_request(core, w, &text))
		return;
	core->m.type = HT_MSG_WITNESS;
	core->m.ref = w->ref;
	core->m.witness.request = ht_buf_slice(&text);
	link_send(core, HT_SLICE(conn->handle, conn->handle_len));
}

/* Is it to be waited for, and has the operator said before not to? */
static bool
waits(const struct core *core)
{
	return core->rolled.anchor != 0 && core->round.needed > 0 &&
	       core->round.met_size <= core->rolled.place && !core->resumed;
}

enum ht_err
cosign_recall(struct core *core)
{
	enum ht_err err = HT_OK;

	if (waits(core))
		err = ht_replay_resumed(
		    core->log, core->rolled.place, &core->resumed);
	if (err == HT_OK)
		cosign_hold(core);
	return err;
}

/*
 * After an operator went on with an older log nothing new is admitted until
 * others vouch for what it is now.
 */
void
cosign_hold(struct core *core)
{
	const struct ht_round *round = &core->round;
	bool held = waits(core);

	if (held == core->held)
		return;
	core->held = held;
	ht_committer_hold(core->committer, held);
	if (held)
		ht_log(HT_WARN,
		    "broker: this log was put back by its operator (entry "
		    "%" PRIu64 "); nothing new is admitted before %u of %u "
		    "witnesses have cosigned it, or ctl resume",
		    core->rolled.place, round->needed, round->n);
	else
		ht_log(HT_INFO, "broker: the log that was put back is vouched "
		                "for; records are admitted again");
}

static void
ask_all(struct core *core, uint64_t now_ms)
{
	const struct ht_round_witness *w;

	while ((w = ht_round_next(&core->round, now_ms)) != NULL)
		ask(core, w);
}

/* A quorum that has not come for so long is worth a line, once each time. */
static void
warn_of_age(struct core *core, uint64_t now_ms)
{
	struct ht_round *round = &core->round;

	if (round->met_size != core->quorum_size) {
		core->quorum_size = round->met_size;
		core->quorum_ms = now_ms;
	}
	if (round->needed == 0 ||
	    now_ms - core->quorum_ms < core->conf->witness_warn_ms)
		return;
	core->quorum_ms = now_ms;
	if (ht_log_size(core->log) <= round->met_size)
		return;
	ht_log(HT_WARN,
	    "broker: for %" PRIu64 " s no checkpoint was cosigned by %u of the "
	    "%u witnesses (the last had %" PRIu64 " entries, the log has "
	    "%" PRIu64 "): exchanges go on, but nobody outside vouches for "
	    "their order; see hutong-broker ctl witnesses",
	    core->conf->witness_warn_ms / 1000, round->needed, round->n,
	    round->met_size, ht_log_size(core->log));
}

void
cosign_tick(struct core *core, uint64_t now_ms)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(NOTE_MAX);
	struct ht_checkpoint cp;

	if (now_ms < core->witness_ms)
		return;
	core->witness_ms = now_ms + 200;
	cosign_hold(core);
	if (core->round.n == 0)
		return;
	warn_of_age(core, now_ms);
	if (ht_log_checkpoint(core->log, &note) == HT_OK &&
	    ht_checkpoint_open(ht_buf_slice(&note), &core->root.log, &cp) ==
	        HT_OK &&
	    ht_round_begin(&core->round, now_ms, ht_buf_slice(&note), cp.size))
		ask_all(core, now_ms);
}

/* ---- answers ---- */

static void
store(struct core *core)
{
	if (ht_committer_cosigned(core->committer, core->round.size,
	        ht_buf_slice(&core->round.note)) != HT_OK)
		core->busy++; /* the next one is stored */
}

void
cosign_answer(struct core *core, const struct ht_conn *conn)
{
	const struct ht_message *m = &core->m;
	struct ht_round_witness *w = NULL;
	unsigned status = m->cosign.status;

	/* What it cosigned last, with the log's signature: ours to continue. */
	if (m->cosign.seen.len > 0 &&
	    talk_continues(core, conn->user, m->cosign.seen) != TALK_CONTINUED)
		return;
	if (m->ref == 0) {
		uint64_t size = 0;
		struct ht_slice body = m->cosign.body;

		if (body.len > 0)
			body.len--;
		if (ht_tree_size_parse(body, &size) == HT_OK &&
		    ht_round_offer(&core->round, m->cosign.name, conn->user,
		        conn->member, size) != NULL)
			ht_log(HT_INFO,
			    "broker: %s cosigns, and is at %" PRIu64 " entries",
			    conn->user, size);
		else
			ht_log(HT_WARN,
			    "broker: %s offers to cosign as a witness that the "
			    "root does not list for its member",
			    conn->user);
		return;
	}
	switch (ht_round_answer(
	    &core->round, conn->user, m->ref, status, m->cosign.body, &w)) {
	case HT_ROUND_COSIGNED:
		store(core);
		break;
	case HT_ROUND_ELSEWHERE:
		ask_all(core, ht_clock_mono_ms());
		break;
	case HT_ROUND_NO:
		ht_log(HT_ERROR,
		    "broker: the witness %s refuses to cosign (%u): %s",
		    w->key.name, status,
		    status == HT_WITNESS_REFUSED
		        ? "it says that this log does not continue what it "
		          "saw before; tell the auditors"
		        : "it holds another anchor, or speaks another "
		          "protocol");
		break;
	case HT_ROUND_FALSE:
		ht_log(HT_ERROR,
		    "broker: what %s sent is no cosignature by %s; it is not "
		    "asked again before it connects anew",
		    conn->user, w->key.name);
		break;
	case HT_ROUND_STRAY:
		break;
	}
}
