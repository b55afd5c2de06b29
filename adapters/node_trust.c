/*
 * node_trust.c -- what a node believes: checkpoints of the log that follow
 * from one another, and snapshots of the trust documents that stand in it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/node.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "schemas/doc.h"

#define CONSISTENCY_MS 1000 /* how often the newest is tied to the kept */

/* ---- checkpoints ---- */

static enum ht_err
set_note(struct ht_buf *to, struct ht_slice note)
{
	ht_buf_reset(to);
	ht_buf_add(to, note.at, note.len);
	return to->err;
}

/* From here on it is the log that we hold the broker to, restarts included. */
static bool
keep_checkpoint(
    struct ht_node *node, const struct ht_checkpoint *cp, struct ht_slice note)
{
	enum ht_err err;

	node->kept = *cp;
	err = set_note(&node->kept_note, note);
	if (err == HT_OK)
		err = ht_state_put(node->state, HT_FACT_CHECKPOINT, note);
	if (err == HT_OK)
		return true;
	node_break(node, err, "the newest checkpoint cannot be kept: %s",
	    ht_err_text(err));
	return false;
}

static bool
same_size_same_root(struct ht_node *node, const struct ht_checkpoint *a,
    const struct ht_checkpoint *b)
{
	if (a->size != b->size || ht_hash_eq(&a->root, &b->root))
		return true;
	node_break(node, HT_EROLLBACK,
	    "the log %s has two faces: two signed checkpoints of %llu entries "
	    "differ; keep the state folder %s as evidence and tell the "
	    "auditors",
	    node->root.log.name, (unsigned long long)a->size,
	    ht_state_dir(node->state));
	return false;
}

bool
node_checkpoint(struct ht_node *node, struct ht_slice note)
{
	struct ht_checkpoint cp;
	enum ht_err err;

	if (ht_slice_eq(note, ht_buf_slice(&node->seen_note)))
		return true;
	err = ht_checkpoint_open(note, &node->root.log, &cp);
	if (err != HT_OK) {
		node_break(node, HT_EINTEGRITY,
		    "the broker sent a checkpoint that the log key %s has not "
		    "signed (%s)",
		    node->root.log.name, ht_err_text(err));
		return false;
	}
	if (!same_size_same_root(node, &cp, &node->seen) ||
	    !same_size_same_root(node, &cp, &node->kept))
		return false;
	if (cp.size > node->seen.size) {
		node->seen = cp;
		if (set_note(&node->seen_note, note) != HT_OK)
			node->seen.size = 0;
	}
	return true;
}

/* WELCOME's checkpoint must follow from the one that HELLO named. */
static bool
follows(struct ht_node *node)
{
	const struct ht_message *m = node->in;
	struct ht_checkpoint cp;

	if (!node_checkpoint(node, m->welcome.checkpoint))
		return false;
	if (ht_checkpoint_open(m->welcome.checkpoint, &node->root.log, &cp) !=
	    HT_OK)
		return false;
	if (cp.size < node->kept.size || cp.size < node->seen.size) {
		node_break(node, HT_EROLLBACK,
		    "the log %s has gone back: %llu entries now, %llu were "
		    "seen and signed; keep the state folder %s as evidence and "
		    "tell the operator and the auditors",
		    node->root.log.name, (unsigned long long)cp.size,
		    (unsigned long long)(node->kept.size > node->seen.size
		                             ? node->kept.size
		                             : node->seen.size),
		    ht_state_dir(node->state));
		return false;
	}
	if (node->said.size > 0 &&
	    !ht_check_consistency(node->said.size, cp.size, &node->said.root,
	        &cp.root, m->welcome.path, m->welcome.n_path)) {
		node_break(node, HT_EROLLBACK,
		    "the log %s was rewritten: its %llu entries do not follow "
		    "from the %llu seen before; keep the state folder %s as "
		    "evidence and tell the operator and the auditors",
		    node->root.log.name, (unsigned long long)cp.size,
		    (unsigned long long)node->said.size,
		    ht_state_dir(node->state));
		return false;
	}
	/* That this follows from the one kept as well is asked for next. */
	if (node->kept.size > 0 && node->said.size != node->kept.size)
		return true;
	return keep_checkpoint(node, &cp, m->welcome.checkpoint);
}

void
node_given_up(struct ht_node *node)
{
	node_break(node, HT_EROLLBACK,
	    "the operator of the log %s went on with an older copy: the %llu "
	    "entries seen and signed before are not in it (its ROLLBACK_SEEN "
	    "entry says who decided so, and why); keep the state folder %s as "
	    "evidence, and ask operator and auditors what was lost; to go on "
	    "with that log, move the folder away and start again",
	    node->root.log.name, (unsigned long long)node->said.size,
	    ht_state_dir(node->state));
}

void
node_ask_consistency(struct ht_node *node, uint64_t now_ms)
{
	struct ht_message *m;

	if (node->consistency_ref != 0 || node->seen.size <= node->kept.size ||
	    now_ms - node->consistency_ms < CONSISTENCY_MS)
		return;
	if (node->kept.size == 0) {
		(void)keep_checkpoint(
		    node, &node->seen, ht_buf_slice(&node->seen_note));
		return;
	}
	m = node_message(node, HT_MSG_GET_CONSISTENCY);
	m->get_consistency.old_size = node->kept.size;
	m->get_consistency.new_size = node->seen.size;
	node->consistency_ms = now_ms;
	if (node_send(node) == HT_OK) {
		node->consistency_ref = m->ref;
		node->tied = node->seen;
		(void)set_note(
		    &node->tied_note, ht_buf_slice(&node->seen_note));
	}
}

void
node_consistency(struct ht_node *node)
{
	const struct ht_message *m = node->in;

	if (m->ref == 0 || m->ref != node->consistency_ref)
		return;
	node->consistency_ref = 0;
	if (!ht_check_consistency(node->kept.size, node->tied.size,
	        &node->kept.root, &node->tied.root, m->consistency.path,
	        m->consistency.n_path)) {
		node_break(node, HT_EROLLBACK,
		    "the log %s was rewritten: no proof that its %llu entries "
		    "follow from %llu; keep the state folder %s as evidence "
		    "and tell the operator and the auditors",
		    node->root.log.name, (unsigned long long)node->tied.size,
		    (unsigned long long)node->kept.size,
		    ht_state_dir(node->state));
		return;
	}
	(void)keep_checkpoint(
	    node, &node->tied, ht_buf_slice(&node->tied_note));
}

/* ---- proofs of places ---- */

/* leaf = head, u16 length of the header, header (docs/log-format.md). */
static struct ht_hash
leaf_of(struct ht_slice head, struct ht_slice header)
{
	uint8_t zero = 0, len[2];
	struct ht_slice parts[] = {
	    {&zero, 1          },
            head, {len,   sizeof(len)},
            header
        };

	ht_be16(len, (uint16_t)header.len);
	return ht_sha256_parts(parts, HT_COUNT(parts));
}

/* The head itself says at which place it stands. */
static bool
head_fits(struct ht_slice head, uint64_t place)
{
	struct ht_cur cur = ht_cur(head);

	(void)ht_cur_u8(&cur);
	(void)ht_cur_u8(&cur);
	return ht_cur_u64(&cur) == place && cur.err == HT_OK;
}

bool
node_proof(struct ht_node *node, const struct ht_range_proof *proof,
    const uint64_t *places, const struct ht_slice *headers, unsigned n,
    struct ht_slice checkpoint)
{
	struct ht_hash leaves[HT_BUNDLE_MAX], root;
	struct ht_checkpoint cp;
	enum ht_err err;

	if (proof->n_indexes != n ||
	    ht_checkpoint_open(checkpoint, &node->root.log, &cp) != HT_OK ||
	    cp.size != proof->size) {
		node_break(node, HT_EINTEGRITY,
		    "the broker's proof does not fit its checkpoint");
		return false;
	}
	for (unsigned i = 0; i < n; i++) {
		if (proof->indexes[i] != places[i] ||
		    !head_fits(proof->heads[i], places[i])) {
			node_break(node, HT_EINTEGRITY,
			    "the broker proved another place than it said");
			return false;
		}
		leaves[i] = leaf_of(proof->heads[i], headers[i]);
	}
	err = ht_sparse_root(proof->size, proof->indexes, leaves, n,
	    proof->hashes, proof->n_hashes, &root);
	if (err == HT_OK && ht_hash_eq(&root, &cp.root))
		return true;
	node_break(node, HT_EINTEGRITY,
	    "a record does not stand in the log where the broker says (place "
	    "%llu, log of %llu); tell the auditors",
	    (unsigned long long)places[0], (unsigned long long)proof->size);
	return false;
}

void
node_install(struct ht_node *node, struct ht_trust *trust)
{
	bool newer = node->trust == NULL ||
	             ht_trust_version(trust) != ht_trust_version(node->trust);

	node_load_old(node, HT_TAKE(node->trust));
	node->trust = trust;
	if (!newer)
		return;
	ht_log(HT_INFO, "node %s: snapshot %llu is in force", node->id,
	    (unsigned long long)ht_trust_version(trust));
	ht_key_free(&node->tracker);
	node->tracker_epoch[0] = '\0';
	node_root_take(node);
}

/* Our entry in it is looked at once the broker says that it is in force. */
static void
install_kept(struct ht_node *node)
{
	struct ht_trust *trust = node_disk_load(node);

	if (trust == NULL)
		return;
	node_install(node, trust);
	node_watch_later(node);
}

/* A checkpoint of an earlier run; absent is fine. */
static enum ht_err
load_checkpoint(struct ht_node *node, const char *fact, struct ht_buf *note,
    struct ht_checkpoint *cp, struct ht_report *report)
{
	enum ht_err err = ht_state_get(node->state, fact, note);

	if (err == HT_ENOTFOUND)
		return HT_OK;
	if (err == HT_OK)
		err =
		    ht_checkpoint_open(ht_buf_slice(note), &node->root.log, cp);
	if (err != HT_OK)
		ht_report_add(report, ht_state_dir(node->state),
		    "its checkpoint is not of the log %s that the anchor "
		    "names: this state belongs to another exchange",
		    node->root.log.name);
	return err;
}

enum ht_err
node_trust_open(struct ht_node *node, struct ht_report *report)
{
	enum ht_err err;

	err = load_checkpoint(
	    node, HT_FACT_CHECKPOINT, &node->kept_note, &node->kept, report);
	if (err == HT_OK)
		err = load_checkpoint(
		    node, HT_FACT_SEEN, &node->seen_note, &node->seen, report);
	if (err == HT_OK)
		install_kept(node);
	return err;
}

void
node_trust_close(struct ht_node *node)
{
	if (node->state != NULL)
		node_disk_close(node);
	if (node->state == NULL || node->seen.size <= node->kept.size ||
	    node->phase == NODE_BROKEN)
		return;
	/* The next run holds the broker to it. */
	if (ht_state_put(node->state, HT_FACT_SEEN,
	        ht_buf_slice(&node->seen_note)) != HT_OK ||
	    ht_state_commit(node->state) != HT_OK)
		ht_log(HT_WARN,
		    "node %s: the newest checkpoint could not be kept",
		    node->id);
}

bool
node_welcomed(struct ht_node *node)
{
	uint64_t version = node->in->welcome.snapshot;

	if (!follows(node))
		return false;
	node->consistency_ref = 0;
	node->phase = NODE_FETCH;
	node_trouble(node, "the trust snapshot %llu is being fetched",
	    (unsigned long long)version);
	if (node->trust == NULL || version > ht_trust_version(node->trust)) {
		node_fetch_begin(node, true);
	} else if (version < ht_trust_version(node->trust)) {
		node_break(node, HT_EROLLBACK,
		    "the broker is at snapshot %llu, and %llu was in force "
		    "before: a restored copy? Tell the operator and the "
		    "authority",
		    (unsigned long long)version,
		    (unsigned long long)ht_trust_version(node->trust));
		return false;
	} else {
		node_freshen(node, node->in->welcome.current);
	}
	return node->phase != NODE_BROKEN;
}

/* ---- the tracker key ---- */

static bool
open_tracker(struct ht_node *node, const struct ht_epoch_entry *entry)
{
	enum ht_err err = HT_ENOTFOUND;

	if (node->tracker != NULL &&
	    strcmp(node->tracker_epoch, entry->name) == 0)
		return true;
	ht_key_free(&node->tracker);
	for (unsigned i = 0; err != HT_OK && i < node->n_sealing; i++)
		err = ht_tracker_open(entry, ht_slice_str(node->member),
		    node->sealing[i], &node->tracker);
	if (err != HT_OK) {
		ht_log(HT_ERROR,
		    "node %s: the tracker key of epoch %s is not sealed to "
		    "us: the auditors must seal it anew (hutong epoch seal)",
		    node->id, entry->name);
		return false;
	}
	(void)snprintf(node->tracker_epoch, sizeof(node->tracker_epoch), "%s",
	    entry->name);
	return true;
}

bool
node_epoch(struct ht_node *node, const struct ht_epoch_entry *entry,
    struct ht_epoch *ret)
{
	if (entry == NULL || !open_tracker(node, entry))
		return false;
	(void)snprintf(ret->name, sizeof(ret->name), "%s", entry->name);
	ret->annex = entry->annex;
	ret->tracker = node->tracker;
	return true;
}
