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

/* Of all documents: a country's are some 100 MiB, and this is memory. */
#define FETCH_BYTES_MAX ((size_t)512 << 20)
#define CONSISTENCY_MS  1000 /* how often the newest is tied to the kept */
#define ENTRY_SNAPSHOT  11   /* docs/log-format.md */

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

static void
install(struct ht_node *node, struct ht_trust *trust)
{
	bool newer = node->trust == NULL ||
	             ht_trust_version(trust) != ht_trust_version(node->trust);

	ht_trust_unref(&node->trust);
	node->trust = trust;
	if (!newer)
		return;
	ht_log(HT_INFO, "node %s: snapshot %llu is in force", node->id,
	    (unsigned long long)ht_trust_version(trust));
	ht_key_free(&node->tracker);
	node->tracker_epoch[0] = '\0';
	node_root_take(node);
	node_watch(node);
}

static void
install_kept(struct ht_node *node)
{
	struct ht_trust *trust = node_disk_load(node);

	if (trust != NULL)
		install(node, trust);
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

/* ---- fetching ---- */

void
node_fetch_fini(struct ht_node *node)
{
	struct node_fetch *f = &node->fetch;

	for (size_t i = 0; i < f->n; i++) {
		ht_buf_fini(&f->docs[i].line);
		ht_buf_fini(&f->docs[i].note);
	}
	free(f->docs);
	ht_buf_fini(&f->note);
	ht_buf_fini(&f->gone);
	memset(f, 0, sizeof(*f));
}

/* What we lack of the snapshot in force; of a fetch begun, the rest. */
static void
fetch_more(struct ht_node *node)
{
	struct ht_message *m = node_message(node, HT_MSG_GET_SNAPSHOT);

	m->get_snapshot.version = node->fetch.version;
	m->get_snapshot.have = node->fetch.have;
	m->get_snapshot.offset = node->fetch.n;
	node->fetch.ref = m->ref;
	node->asked_ms = ht_clock_mono_ms();
	if (node_send(node) != HT_OK)
		node->fetch.on = false; /* asked again by the next WELCOME */
}

void
node_fetch_busy(struct ht_node *node)
{
	if (node->fetch.on && node->in->ref == node->fetch.ref &&
	    node->in->error.retry_ms > 0)
		node->fetch.again_ms =
		    ht_clock_mono_ms() + node->in->error.retry_ms;
}

void
node_fetch_turn(struct ht_node *node, uint64_t now_ms)
{
	if (!node->fetch.on || node->fetch.again_ms == 0 ||
	    now_ms < node->fetch.again_ms)
		return;
	node->fetch.again_ms = 0;
	fetch_more(node);
}

/* @whole: whatever we have. */
static void
fetch_begin(struct ht_node *node, bool newer, bool whole)
{
	node_fetch_fini(node);
	node->fetch.on = true;
	node->fetch.newer = newer;
	if (!whole && node->trust != NULL)
		node->fetch.have = ht_trust_version(node->trust);
	fetch_more(node);
}

void
node_fetch_begin(struct ht_node *node, bool newer)
{
	fetch_begin(node, newer, false);
}

/* Deliveries that waited for the snapshot are handled under it. */
static void
unpark(struct ht_node *node)
{
	unsigned n = node->n_parked;

	node->n_parked = 0;
	for (unsigned i = 0; i < n; i++) {
		struct ht_buf frame = node->parked[i];

		node_frame(node, ht_buf_slice(&frame));
		ht_buf_fini(&frame);
	}
}

static void
ready(struct ht_node *node)
{
	bool first = node->phase != NODE_READY;

	node_fetch_fini(node);
	node->phase = NODE_READY;
	node->trouble[0] = '\0';
	if (first)
		ht_log(HT_INFO, "node %s: connected to %s, snapshot %llu",
		    node->id, node->address,
		    (unsigned long long)ht_trust_version(node->trust));
	unpark(node);
}

/* Keep the old one, say why, and go on with it if there is one. */
static void
fetch_failed(struct ht_node *node, const char *why)
{
	node_fetch_fini(node);
	ht_log(HT_ERROR, "node %s: the broker's snapshot is refused: %s",
	    node->id, why);
	if (node->phase == NODE_READY) {
		unpark(node);
		return;
	}
	node_trouble(node, "the broker's snapshot is refused: %s", why);
	node->phase = NODE_FETCH;
}

static void
report_failed(struct ht_node *node, enum ht_err err, struct ht_report *report)
{
	for (unsigned i = 0; i < ht_report_count(report) && i < 20; i++)
		ht_log(HT_ERROR, "node %s: snapshot: %s: %s", node->id,
		    ht_report_where(report, i), ht_report_text(report, i));
	fetch_failed(node, ht_report_count(report) > 0
	                       ? ht_report_text(report, 0)
	                       : ht_err_text(err));
}

/* Its leaf stands in the log, and names this very snapshot. */
static bool
snapshot_logged(struct ht_node *node, const struct ht_hash *snapshot)
{
	const struct ht_message *m = node->in;
	struct ht_cur cur = ht_cur(m->snapshot.leaf);
	struct ht_hash leaf = ht_leaf_hash(m->snapshot.leaf), said = {{0}};
	struct ht_checkpoint cp;
	struct ht_slice payload;
	struct ht_unpack u;

	if (ht_checkpoint_open(m->snapshot.checkpoint, &node->root.log, &cp) !=
	        HT_OK ||
	    !ht_check_inclusion(m->snapshot.place, cp.size, &leaf,
	        m->snapshot.path, m->snapshot.n_path, &cp.root))
		return false;
	(void)ht_cur_u8(&cur);
	if (ht_cur_u8(&cur) != ENTRY_SNAPSHOT ||
	    ht_cur_u64(&cur) != m->snapshot.place)
		return false;
	(void)ht_cur_take(&cur, 8 + 32 + 2); /* time, snapshot, status */
	(void)ht_cur_str8(&cur);             /* grant */
	(void)ht_cur_take(&cur, 8 + 2 + 2);  /* bundle */
	(void)ht_cur_str8(&cur);             /* member */
	(void)ht_cur_str8(&cur);             /* node */
	(void)ht_cur_take(&cur, 8 + 4 + 8 + 4 + 4);
	payload = ht_cur_bytes16(&cur);
	if (ht_cur_end(&cur) != HT_OK ||
	    ht_pack_check(payload, NULL, NULL) != HT_OK)
		return false;
	u = ht_unpack(payload);
	(void)ht_unpack_map(&u, 16);
	ht_unpack_key(&u, "hash");
	ht_unpack_fixed(&u, said.at, sizeof(said.at));
	return u.err == HT_OK && ht_hash_eq(&said, snapshot);
}

static void
freshen(struct ht_node *node, struct ht_slice current)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_trust *fresh = NULL;
	enum ht_err err;

	if (!ht_slice_eq(current, ht_trust_current(node->trust))) {
		err = ht_trust_freshen(node->trust, current, report, &fresh);
		if (err != HT_OK) {
			report_failed(node, err, report);
			return;
		}
		install(node, fresh);
		node_disk_save(node, false);
	}
	ready(node);
}

/* The first page says what there will be. */
static enum ht_err
take_first(struct ht_node *node)
{
	const struct ht_message *m = node->in;
	struct node_fetch *f = &node->fetch;

	if (m->snapshot.total > HT_LIST_MAX)
		return HT_ETOOBIG;
	if (m->snapshot.since != 0 && m->snapshot.since != f->have)
		return HT_EPROTOCOL;
	f->first = true;
	f->total = m->snapshot.total;
	f->version = m->snapshot.version;
	f->since = m->snapshot.since;
	f->docs = calloc(f->total + 1, sizeof(*f->docs));
	f->note = HT_BUF(HT_DOC_MAX);
	f->gone = HT_BUF(HT_GONE_MAX);
	if (f->docs == NULL)
		return HT_ENOMEM;
	ht_buf_add(&f->note, m->snapshot.note.at, m->snapshot.note.len);
	ht_buf_add(&f->gone, m->snapshot.gone.at, m->snapshot.gone.len);
	return f->note.err != HT_OK ? f->note.err : f->gone.err;
}

static enum ht_err
take_doc(struct node_fetch *f, struct ht_slice line, struct ht_slice note)
{
	struct node_fetch_doc *doc = &f->docs[f->n++];

	f->bytes += line.len + note.len;
	if (f->bytes > FETCH_BYTES_MAX)
		return HT_ETOOBIG;
	doc->line = HT_BUF(HT_HEADER_MAX);
	doc->note = HT_BUF(HT_FRAME_MAX);
	ht_buf_add(&doc->line, line.at, line.len);
	ht_buf_add(&doc->note, note.at, note.len);
	return doc->line.err != HT_OK ? doc->line.err : doc->note.err;
}

static enum ht_err
take_docs(struct ht_node *node)
{
	const struct ht_message *m = node->in;
	struct node_fetch *f = &node->fetch;
	enum ht_err err = f->first ? HT_OK : take_first(node);

	if (err != HT_OK)
		return err;
	if (m->snapshot.total != f->total ||
	    m->snapshot.version != f->version ||
	    m->snapshot.since != f->since || m->snapshot.offset != f->n ||
	    m->snapshot.n_docs > f->total - f->n ||
	    (m->snapshot.n_docs == 0 && f->total > 0))
		return HT_EPROTOCOL;
	for (unsigned i = 0; i < m->snapshot.n_docs && err == HT_OK; i++)
		err = take_doc(f, m->snapshot.lines[i], m->snapshot.docs[i]);
	return err;
}

static enum ht_err
load_docs(struct ht_node *node, struct ht_report *report, struct ht_trust **ret)
{
	struct node_fetch *f = &node->fetch;
	HT_AUTO(ht_mem_free)
	struct ht_slice *both = calloc(2 * f->n + 1, sizeof(*both));
	struct ht_trust_news news = {
	    .snapshot = ht_buf_slice(&f->note),
	    .current = node->in->snapshot.current,
	    .whole = f->since == 0,
	    .gone = ht_buf_slice(&f->gone),
	    .n = f->n,
	    .lines = both,
	    .notes = both != NULL ? both + f->n : NULL,
	};

	if (both == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < f->n; i++) {
		both[i] = ht_buf_slice(&f->docs[i].line);
		both[f->n + i] = ht_buf_slice(&f->docs[i].note);
	}
	return ht_trust_patch(&node->root, &news, node->trust, report, ret);
}

/* News that do not fit what we have; all of it may. */
static bool
try_whole(struct ht_node *node, const struct ht_report *report)
{
	if (node->fetch.since == 0)
		return false;
	ht_log(HT_WARN,
	    "node %s: what changed since snapshot %llu does not fit (%s); all "
	    "of it is fetched",
	    node->id, (unsigned long long)node->fetch.since,
	    ht_report_count(report) > 0 ? ht_report_text(report, 0) : "");
	fetch_begin(node, true, true);
	return true;
}

static void
finish_fetch(struct ht_node *node)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_trust *trust = NULL;
	struct ht_hash hash;
	enum ht_err err;

	if (!node_checkpoint(node, node->in->snapshot.checkpoint))
		return;
	err = load_docs(node, report, &trust);
	if (err != HT_OK) {
		if (!try_whole(node, report))
			report_failed(node, err, report);
		return;
	}
	hash = ht_trust_hash(trust);
	if (!snapshot_logged(node, &hash)) {
		ht_trust_unref(&trust);
		fetch_failed(node,
		    "nothing proves that it is in the audit log; tell the "
		    "auditors");
		return;
	}
	install(node, trust);
	node_disk_save(node, true);
	ready(node);
}

void
node_snapshot(struct ht_node *node)
{
	struct node_fetch *f = &node->fetch;
	enum ht_err err;

	if (!f->on)
		return;
	if (!f->first && node->trust != NULL &&
	    node->in->snapshot.version == ht_trust_version(node->trust)) {
		freshen(node, node->in->snapshot.current);
		return;
	}
	err = take_docs(node);
	if (err == HT_EPROTOCOL && f->n > 0) {
		/* A newer one came in between: from the beginning. */
		node_fetch_begin(node, true);
		return;
	}
	if (err != HT_OK)
		fetch_failed(node, ht_err_text(err));
	else if (f->n < f->total)
		fetch_more(node);
	else
		finish_fetch(node);
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
		freshen(node, node->in->welcome.current);
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
