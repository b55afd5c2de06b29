/*
 * node_fetch.c -- the snapshot in force at the broker: what changed since ours
 * is fetched page by page, held against the audit log, and loaded beside the
 * loop (node_load.c), while the node decides by the one that it has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/node.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "schemas/doc.h"

/* Of all documents: a country's are some 100 MiB, and this is memory. */
#define FETCH_BYTES_MAX ((size_t)512 << 20)
#define ENTRY_SNAPSHOT  11   /* docs/log-format.md */
#define ANEW_MS         1000 /* a fetch that broke off */

void
node_news_fini(struct node_news *news)
{
	for (size_t i = 0; i < news->n; i++) {
		ht_buf_fini(&news->docs[i].line);
		ht_buf_fini(&news->docs[i].note);
	}
	free(news->docs);
	ht_buf_fini(&news->note);
	ht_buf_fini(&news->gone);
	ht_buf_fini(&news->current);
	memset(news, 0, sizeof(*news));
}

void
node_fetch_fini(struct ht_node *node)
{
	node_news_fini(&node->fetch.news);
	memset(&node->fetch, 0, sizeof(node->fetch));
}

/* ---- asking ---- */

/* What we lack of the snapshot in force; of a fetch begun, the rest. */
static void
fetch_more(struct ht_node *node)
{
	struct ht_message *m = node_message(node, HT_MSG_GET_SNAPSHOT);

	m->get_snapshot.version = node->fetch.version;
	m->get_snapshot.have = node->fetch.have;
	m->get_snapshot.offset = node->fetch.news.n;
	node->fetch.ref = m->ref;
	node->asked_ms = ht_clock_mono_ms();
	if (node_send(node) != HT_OK)
		node->fetch.on = false; /* asked again by the next WELCOME */
}

/* A country's catalog takes its time, and somebody may wait for it. */
static void
tell_progress(struct ht_node *node)
{
	struct node_fetch *f = &node->fetch;
	uint64_t now_ms = ht_clock_mono_ms();

	if (!f->first || now_ms - f->told_ms < NODE_TOLD_MS)
		return;
	f->told_ms = now_ms;
	ht_log(HT_INFO,
	    "node %s: snapshot %llu: %zu of %llu documents are fetched",
	    node->id, (unsigned long long)f->version, f->news.n,
	    (unsigned long long)f->total);
	if (node->phase == NODE_FETCH)
		node_trouble(node,
		    "the trust snapshot %llu is being fetched: %zu of %llu "
		    "documents are here",
		    (unsigned long long)f->version, f->news.n,
		    (unsigned long long)f->total);
}

int
node_fetch_wait_ms(const struct ht_node *node, int wait_ms)
{
	uint64_t now_ms = ht_clock_mono_ms();

	if (!node->fetch.on || node->fetch.again_ms == 0)
		return wait_ms;
	if (node->fetch.again_ms <= now_ms)
		return 0;
	return node->fetch.again_ms - now_ms < (uint64_t)wait_ms
	           ? (int)(node->fetch.again_ms - now_ms)
	           : wait_ms;
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

/* @have: the snapshot we have; 0: we want all of it. */
static void
fetch_anew(struct ht_node *node, bool newer, uint64_t have)
{
	node_fetch_fini(node);
	node->fetch.on = true;
	node->fetch.newer = newer;
	node->fetch.have = have;
}

bool
node_fetch_refused(struct ht_node *node)
{
	struct node_fetch *f = &node->fetch;
	uint32_t retry_ms = node->in->error.retry_ms;

	if (!f->on || node->in->ref != f->ref || (retry_ms == 0 && !f->first))
		return false;
	if (retry_ms == 0) {
		/* The broker does not have that one any more. */
		fetch_anew(node, f->newer, f->have);
		retry_ms = ANEW_MS;
	}
	f->again_ms = ht_clock_mono_ms() + retry_ms;
	return true;
}

static void
fetch_begin(struct ht_node *node, bool newer, bool whole)
{
	fetch_anew(node, newer,
	    whole || node->trust == NULL ? 0 : ht_trust_version(node->trust));
	fetch_more(node);
}

void
node_fetch_begin(struct ht_node *node, bool newer)
{
	/* What has changed since the one that is being loaded. */
	if (node_loading(node))
		node->loader.again = true;
	else
		fetch_begin(node, newer, false);
}

void
node_fetch_noticed(struct ht_node *node, bool newer)
{
	/* What is here stays: the rest, and then what has changed since. */
	if (node->fetch.on && node->fetch.first)
		node->fetch.again = true;
	else
		node_fetch_begin(node, newer);
}

bool
node_newer_coming(const struct ht_node *node)
{
	return node_loading(node) || (node->fetch.on && node->fetch.newer);
}

/* ---- what became of it ---- */

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
	node_watch_due(node);
	node_unpark(node);
}

/* Are we where a fetch may go on, or has the connection gone meanwhile? */
static bool
connected(const struct ht_node *node)
{
	return node->phase == NODE_FETCH || node->phase == NODE_READY;
}

/* Keep the old one, say why, and go on with it if there is one. */
static void
fetch_failed(struct ht_node *node, const char *why)
{
	bool again = node->fetch.again;

	node_fetch_fini(node);
	ht_log(HT_ERROR, "node %s: the broker's snapshot is refused: %s",
	    node->id, why);
	/* Another connection since then has its own say. */
	if (node->phase == NODE_FETCH)
		node_trouble(node, "the broker's snapshot is refused: %s", why);
	if (again && connected(node))
		node_fetch_begin(node, true);
	if (node->phase == NODE_READY)
		node_unpark(node);
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

void
node_freshen(struct ht_node *node, struct ht_slice current)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_trust *fresh = NULL;
	enum ht_err err;

	/* The one being loaded stands on ours as it is. */
	if (node_loading(node)) {
		node->loader.again = true;
		return;
	}
	if (!ht_slice_eq(current, ht_trust_current(node->trust))) {
		err = ht_trust_freshen(node->trust, current, report, &fresh);
		if (err != HT_OK) {
			report_failed(node, err, report);
			return;
		}
		node_install(node, fresh);
		node_disk_save(node, false);
	}
	ready(node);
}

/* News that do not fit what we have; all of it may. */
static bool
try_whole(struct ht_node *node, uint64_t since, const struct ht_report *report)
{
	if (since == 0)
		return false;
	ht_log(HT_WARN,
	    "node %s: what changed since snapshot %llu does not fit (%s); all "
	    "of it is fetched",
	    node->id, (unsigned long long)since,
	    ht_report_count(report) > 0 ? ht_report_text(report, 0) : "");
	fetch_begin(node, true, true);
	return true;
}

/* Else the next WELCOME fetches what there is then. */
static void
load_failed(struct ht_node *node, enum ht_err err, uint64_t since, bool again,
    struct ht_report *report)
{
	if (connected(node) && try_whole(node, since, report))
		return;
	report_failed(node, err, report);
	if (connected(node) && again)
		node_fetch_begin(node, true);
}

static void
tell_came(const struct ht_node *node, uint64_t since, size_t n,
    const struct ht_trust *trust)
{
	char what[64] = "which is all of it";

	if (since != 0)
		(void)snprintf(what, sizeof(what),
		    "what changed since snapshot %llu",
		    (unsigned long long)since);
	ht_log(HT_INFO, "node %s: snapshot %llu: %zu documents came, %s",
	    node->id, (unsigned long long)ht_trust_version(trust), n, what);
}

void
node_loaded(struct ht_node *node, enum ht_err err, uint64_t since, size_t n,
    struct ht_report *report, struct ht_trust **trust_p)
{
	bool again = node->loader.again;

	node->loader.again = false;
	if (err != HT_OK) {
		load_failed(node, err, since, again, report);
		return;
	}
	tell_came(node, since, n, *trust_p);
	node_install(node, HT_TAKE(*trust_p));
	node_watch(node);
	node_disk_save(node, true);
	if (!connected(node))
		return;
	if (!again) {
		ready(node);
		return;
	}
	node_fetch_begin(node, true);
	if (node->phase == NODE_READY)
		node_unpark(node); /* some may have to wait for that one, too */
}

/* ---- is it in the log? ---- */

static enum ht_err
hash_of(const struct node_news *news, struct ht_hash *ret)
{
	struct ht_note note;
	enum ht_err err = ht_note_parse(ht_buf_slice(&news->note), &note);

	if (err == HT_OK)
		*ret = ht_sha256(note.text);
	return err;
}

/* Its leaf stands in the log, and names this very snapshot. */
static bool
snapshot_logged(struct ht_node *node, const struct ht_hash *snapshot)
{
	const struct ht_message *m = node->in;
	struct ht_hash hash = ht_leaf_hash(m->snapshot.leaf), said = {{0}};
	struct ht_checkpoint cp;
	struct node_leaf leaf;
	struct ht_unpack u;

	if (ht_checkpoint_open(m->snapshot.checkpoint, &node->root.log, &cp) !=
	        HT_OK ||
	    !ht_check_inclusion(m->snapshot.place, cp.size, &hash,
	        m->snapshot.path, m->snapshot.n_path, &cp.root))
		return false;
	if (node_leaf(m->snapshot.leaf, &leaf) != HT_OK ||
	    leaf.type != ENTRY_SNAPSHOT || leaf.seq != m->snapshot.place ||
	    ht_pack_check(leaf.payload, NULL, NULL) != HT_OK)
		return false;
	u = ht_unpack(leaf.payload);
	(void)ht_unpack_map(&u, 16);
	ht_unpack_key(&u, "hash");
	ht_unpack_fixed(&u, said.at, sizeof(said.at));
	return u.err == HT_OK && ht_hash_eq(&said, snapshot);
}

/* ---- pages ---- */

/* The first page says what there will be. */
static enum ht_err
take_first(struct ht_node *node)
{
	const struct ht_message *m = node->in;
	struct node_fetch *f = &node->fetch;
	struct node_news *news = &f->news;

	if (m->snapshot.total > HT_LIST_MAX)
		return HT_ETOOBIG;
	if (m->snapshot.since != 0 && m->snapshot.since != f->have)
		return HT_EPROTOCOL;
	f->first = true;
	f->told_ms = ht_clock_mono_ms();
	f->total = m->snapshot.total;
	f->version = m->snapshot.version;
	news->since = m->snapshot.since;
	news->docs = calloc(f->total + 1, sizeof(*news->docs));
	news->note = HT_BUF(HT_DOC_MAX);
	news->gone = HT_BUF(HT_GONE_MAX);
	news->current = HT_BUF(HT_DOC_MAX);
	if (news->docs == NULL)
		return HT_ENOMEM;
	ht_buf_add(&news->note, m->snapshot.note.at, m->snapshot.note.len);
	ht_buf_add(&news->gone, m->snapshot.gone.at, m->snapshot.gone.len);
	return news->note.err != HT_OK ? news->note.err : news->gone.err;
}

static enum ht_err
take_doc(struct node_news *news, struct ht_slice line, struct ht_slice note)
{
	struct node_news_doc *doc = &news->docs[news->n++];

	news->bytes += line.len + note.len;
	if (news->bytes > FETCH_BYTES_MAX)
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
	    m->snapshot.since != f->news.since ||
	    m->snapshot.offset != f->news.n ||
	    m->snapshot.n_docs > f->total - f->news.n ||
	    (m->snapshot.n_docs == 0 && f->total > 0))
		return HT_EPROTOCOL;
	for (unsigned i = 0; i < m->snapshot.n_docs && err == HT_OK; i++)
		err = take_doc(
		    &f->news, m->snapshot.lines[i], m->snapshot.docs[i]);
	return err;
}

/* All is there.  What is not in the log is not worth a look. */
static void
finish_fetch(struct ht_node *node)
{
	struct node_news *news = &node->fetch.news;
	struct ht_slice current = node->in->snapshot.current;
	struct ht_hash hash;

	if (!node_checkpoint(node, node->in->snapshot.checkpoint))
		return;
	if (hash_of(news, &hash) != HT_OK) {
		fetch_failed(node, "its note cannot be read");
		return;
	}
	if (!snapshot_logged(node, &hash)) {
		fetch_failed(node,
		    "nothing proves that it is in the audit log; tell the "
		    "auditors");
		return;
	}
	ht_buf_add(&news->current, current.at, current.len);
	node->fetch.on = false;
	node_load(node, news);
	node->loader.again = node->fetch.again;
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
		node_freshen(node, node->in->snapshot.current);
		return;
	}
	err = take_docs(node);
	if (err == HT_EPROTOCOL && f->news.n > 0) {
		/* A newer one came in between: from the beginning. */
		node_fetch_begin(node, true);
		return;
	}
	if (err != HT_OK)
		fetch_failed(node, ht_err_text(err));
	if (err != HT_OK)
		return;
	tell_progress(node);
	if (f->news.n < f->total)
		fetch_more(node);
	else
		finish_fetch(node);
}
