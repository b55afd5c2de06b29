/*
 * node_witness.c -- a node that is a witness as well: it cosigns checkpoints
 * of the log that continue what it cosigned before, and nothing else.
 *
 * The judgement is keys/witness.c's.  Here the last checkpoint is compared and
 * stored in one durable step, before the cosignature leaves; and what the log
 * signed although it does not fit is kept, for it may be the proof of a fork.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "adapters/node.h"
#include "keys/witness.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"

#define REFUSED_MAX                                                            \
	64 /* files of one run: evidence, not a way to fill disks              \
	    */

static bool
listed(const struct ht_node *node, const struct ht_vkey *vkey)
{
	const struct ht_root *root = &node->root;

	for (unsigned i = 0; i < root->n_witnesses; i++)
		if (strcmp(root->witnesses[i].name, vkey->name) == 0 &&
		    root->witnesses[i].id == vkey->id)
			return true;
	return false;
}

static enum ht_err
check_name(struct ht_node *node, struct ht_report *report)
{
	struct ht_pub pub = ht_key_pub(node->witness);
	char text[HT_VKEY_MAX];
	struct ht_vkey vkey;
	enum ht_err err =
	    ht_vkey_make_as(node->witness_name, HT_VKEY_COSIGN, &pub, &vkey);

	if (err != HT_OK) {
		ht_report_add(report, "",
		    "the witness key's name '%s' cannot stand in a note; make "
		    "the key again under another",
		    node->witness_name);
		return HT_EINVALID;
	}
	ht_vkey_text(&vkey, text);
	if (!listed(node, &vkey))
		ht_log(HT_WARN,
		    "node %s: the anchor does not list this node's witness "
		    "key, so nobody will ask it; have the officers add this "
		    "line under 'witnesses' of the root: %s",
		    node->id, text);
	return HT_OK;
}

enum ht_err
node_witness_open(struct ht_node *node, struct ht_report *report)
{
	struct ht_buf *note = &node->cosigned_note;
	enum ht_err err;

	if (node->witness == NULL)
		return HT_OK;
	err = check_name(node, report);
	if (err == HT_OK)
		err = ht_state_get(node->state, HT_FACT_COSIGNED, note);
	if (err == HT_ENOTFOUND)
		return HT_OK;
	if (err == HT_OK)
		err = ht_checkpoint_open(
		    ht_buf_slice(note), &node->root.log, &node->cosigned);
	if (err != HT_OK)
		ht_report_add(report, ht_state_dir(node->state),
		    "the checkpoint that it cosigned last is not of the log "
		    "%s that the anchor names: this state belongs to another "
		    "exchange",
		    node->root.log.name);
	/* The broker must continue this one, too. */
	else if (!node_checkpoint(node, ht_buf_slice(note)))
		err = node->broken;
	return err;
}

/* ---- answers ---- */

static void
answer(
    struct ht_node *node, uint64_t ref, unsigned status, struct ht_slice body)
{
	struct ht_message *m = node_message(node, HT_MSG_COSIGN);

	m->ref = ref;
	m->cosign.name = ht_slice_str(node->witness_name);
	m->cosign.status = status;
	m->cosign.body = body;
	if (status == HT_WITNESS_CONFLICT || status == HT_WITNESS_REFUSED)
		m->cosign.seen = ht_buf_slice(&node->cosigned_note);
	/* Lost, it is asked for again, and tells the size that we are at. */
	(void)node_send(node);
}

static void
answer_size(struct ht_node *node, uint64_t ref)
{
	char text[24];
	int len =
	    snprintf(text, sizeof(text), "%" PRIu64 "\n", node->cosigned.size);

	answer(node, ref, HT_WITNESS_CONFLICT, HT_SLICE(text, (size_t)len));
}

void
node_witness_offer(struct ht_node *node)
{
	if (node->witness != NULL)
		answer_size(node, 0);
}

/*
 * Durable first.  HT_ESTORE ends the node: a witness that may forget what it
 * said must say nothing more.
 */
static enum ht_err
keep(struct ht_node *node, const struct ht_witness_verdict *v)
{
	enum ht_err err;

	ht_buf_reset(&node->cosigned_note);
	ht_buf_add(&node->cosigned_note, v->note.at, v->note.len);
	err = node->cosigned_note.err;
	if (err == HT_OK)
		err = ht_state_put(node->state, HT_FACT_COSIGNED, v->note);
	if (err == HT_OK)
		err = ht_state_commit(node->state);
	if (err == HT_OK)
		node->cosigned = v->cp;
	else
		node_break(node, err,
		    "what was cosigned cannot be kept in %s: %s; make room or "
		    "mend the disk, then start again",
		    ht_state_dir(node->state), ht_err_text(err));
	return err;
}

static void
cosign(struct ht_node *node, uint64_t ref, const struct ht_witness_verdict *v)
{
	uint8_t bytes[1024];
	struct ht_buf line = HT_BUF_ON(bytes);
	struct ht_note note;

	if (ht_note_parse(v->note, &note) != HT_OK ||
	    ht_cosign(note.text, node->witness_name, node->witness,
	        ht_clock_wall_ms() / 1000, &line) != HT_OK) {
		answer(node, ref, HT_WITNESS_MALFORMED,
		    ht_slice_str("this cannot be cosigned\n"));
		return;
	}
	if (keep(node, v) == HT_OK)
		answer(node, ref, HT_WITNESS_OK, ht_buf_slice(&line));
}

/* A checkpoint by the log's own key that does not continue what it signed. */
static void
keep_refused(struct ht_node *node, const struct ht_witness_verdict *v)
{
	HT_AUTO(ht_mem_free) char *path = NULL;
	char hex[17];
	enum ht_err err = HT_ETOOBIG;

	ht_hex(hex, v->cp.root.at, 8);
	if (asprintf(&path, "%s/refused/%" PRIu64 "-%s.note",
	        ht_state_dir(node->state), v->cp.size, hex) == -1) {
		path = NULL;
		return;
	}
	if (node->n_refused < REFUSED_MAX) {
		*strrchr(path, '/') = '\0';
		err = ht_fs_mkdirs(path, 0700);
		path[strlen(path)] = '/';
		if (err == HT_OK)
			err = ht_fs_create(path, 0600, v->note);
		node->n_refused++;
	}
	ht_log(HT_ERROR,
	    "node %s: ALARM: the log %s signed a checkpoint of %" PRIu64
	    " entries without proof that it continues the %" PRIu64
	    " cosigned here; %s%s; tell the operator and the auditors",
	    node->id, node->root.log.name, v->cp.size, node->cosigned.size,
	    err == HT_OK || err == HT_EEXISTS ? "it is kept in "
	                                      : "it could not be kept in ",
	    path);
}

void
node_witness(struct ht_node *node)
{
	struct ht_witness_verdict v;
	uint64_t ref = node->in->ref;

	if (node->witness == NULL) {
		ht_log(HT_WARN,
		    "node %s: asked to cosign, but no witness key "
		    "is configured here",
		    node->id);
		return;
	}
	ht_witness_judge(
	    &node->root.log, &node->cosigned, node->in->witness.request, &v);
	if (v.signed_by_log && v.status == HT_WITNESS_REFUSED)
		keep_refused(node, &v);
	/* Whatever the log's key has signed, this node holds it to. */
	if (v.signed_by_log && !node_checkpoint(node, v.note))
		return;
	if (v.status == HT_WITNESS_OK)
		cosign(node, ref, &v);
	else if (v.status == HT_WITNESS_CONFLICT)
		answer_size(node, ref);
	else
		answer(node, ref, v.status, HT_SLICE("", 0));
}
