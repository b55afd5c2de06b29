/*
 * node_root.c -- the anchor, and the roots that followed it.
 *
 * The anchor file is what the node was configured with; the newest root that
 * a chain of signatures led to from there is kept in the state folder, so that
 * a member need not be given a new file each time an officer changes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/node.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"

#define FACT_ROOT "root" /* hash of the anchor's note, then the kept note */

static enum ht_err
read_anchor(const char *path, struct ht_buf *note, struct ht_report *report,
    struct ht_root *ret)
{
	enum ht_err err = ht_fs_read(path, note);

	if (err == HT_OK)
		return ht_root_parse(ht_buf_slice(note), path, report, ret);
	ht_report_add(report, path,
	    "the anchor file cannot be read: %s; the authority gives it out",
	    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
	return err;
}

/* What came of another anchor file is not ours to believe. */
void
node_root_kept(struct ht_node *node)
{
	HT_AUTO(ht_buf_fini)
	struct ht_buf fact = HT_BUF(HT_HASH_SIZE + HT_DOC_MAX);
	struct ht_root kept;

	if (ht_state_get(node->state, FACT_ROOT, &fact) != HT_OK ||
	    fact.len <= HT_HASH_SIZE ||
	    memcmp(fact.at, node->anchor.at, HT_HASH_SIZE) != 0)
		return;
	if (ht_root_parse(
	        HT_SLICE(fact.at + HT_HASH_SIZE, fact.len - HT_HASH_SIZE),
	        "root", NULL, &kept) == HT_OK &&
	    kept.revision > node->root.revision)
		node->root = kept;
}

enum ht_err
node_root_read(struct ht_node *node, const char *path, struct ht_report *report)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	enum ht_err err = read_anchor(path, &note, report, &node->root);

	if (err == HT_OK)
		node->anchor = ht_sha256(ht_buf_slice(&note));
	return err;
}

enum ht_err
node_root_address(struct ht_node *node, const char *configured)
{
	char *address =
	    strdup(configured != NULL ? configured : node->root.broker_address);

	if (address == NULL)
		return HT_ENOMEM;
	free(node->address);
	node->address = address;
	node->address_fixed = configured != NULL;
	return HT_OK;
}

static enum ht_err
keep(struct ht_node *node)
{
	HT_AUTO(ht_buf_fini)
	struct ht_buf fact = HT_BUF(HT_HASH_SIZE + HT_DOC_MAX);
	struct ht_slice note =
	    ht_trust_find_doc(node->trust, "root", ht_slice_str("root"));

	ht_buf_add(&fact, node->anchor.at, HT_HASH_SIZE);
	ht_buf_add(&fact, note.at, note.len);
	return fact.err == HT_OK
	           ? ht_state_put(node->state, FACT_ROOT, ht_buf_slice(&fact))
	           : fact.err;
}

void
node_root_take(struct ht_node *node)
{
	const struct ht_root *now = ht_trust_root(node->trust);

	if (now->revision <= node->root.revision)
		return;
	node->root = *now;
	ht_log(HT_INFO, "node %s: root revision %llu is trusted from now on",
	    node->id, (unsigned long long)now->revision);
	if (keep(node) != HT_OK ||
	    (!node->address_fixed && node_root_address(node, NULL) != HT_OK))
		ht_log(HT_WARN,
		    "node %s: the new root is not kept; it is "
		    "fetched again after a start",
		    node->id);
}
