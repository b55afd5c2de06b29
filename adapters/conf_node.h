/*
 * conf_node.h -- who a node is, as its configuration file says: the part that
 * hutong-adapter.yaml and the node.yaml of hutong(1) have in common.
 *
 *	root: root.note                # the anchor file
 *	member: tax.demo/state
 *	node: main
 *	keys:
 *	  signing: keys/main.signing.key
 *	  transport: keys/main.transport.key
 *	  sealing: keys/sealing.key    # or a list, newest first
 *	  witness: keys/witness.key    # optional: cosign checkpoints, too
 *	state: state
 *	address: tcp://127.0.0.1:5600  # optional: other than the anchor's
 *	proofs: true                   # optional: demand proofs of the log
 *	history: 10000                 # optional: exchanges to remember
 *	answers: 2GiB                  # optional: kept for retries, at most
 *
 * Relative paths start at the file's own folder; a key may be
 * "credential:NAME" (keys/keyfile.h).
 */
#ifndef HT_ADAPTERS_CONF_NODE_H
#define HT_ADAPTERS_CONF_NODE_H

#include "adapters/hutong.h"
#include "lib/conf/conf.h"

#define HT_CONF_HISTORY     10000   /* enough to ask why, days later */
#define HT_CONF_HISTORY_MAX 1000000 /* at most 16 KiB each: HT_TOLD_MAX */
#define HT_CONF_SEALING_MAX 4       /* keys in rotation; see HT_KEYS_MAX */

struct ht_conf_node {
	struct ht_node_conf conf; /* points into the strings below */
	char *dir;                /* the file's folder */
	char *root;
	char *member;
	char *node;
	char *signing;
	char *transport;
	char *sealing[HT_CONF_SEALING_MAX + 1]; /* NULL-ended */
	char *witness;
	char *state;
	char *address;
};
void ht_conf_node_fini(struct ht_conf_node *node);
/* Let @node->conf point into @node, after it was moved. */
void ht_conf_node_point(struct ht_conf_node *node);

/* The folder of a path: "." for a bare name. NULL: out of memory. */
char *ht_conf_dir_of(const char *path);
/* @path itself if absolute or a credential, else below @dir.  NULL: out of
 * memory. */
char *ht_conf_beside(const char *dir, const char *path);

/*
 * Take the node's keys out of a document's root map; findings go to the
 * document's report.  @path is the file's.  HT_ENOMEM.
 */
enum ht_err ht_conf_node_read(struct ht_yaml *root, const char *path,
    struct ht_conf_node *ret) HT_MUST_USE;
/* A file that holds a node and nothing else.  HT_EINVALID, with findings. */
enum ht_err ht_conf_node_load(const char *path, struct ht_report *report,
    struct ht_conf_node *ret) HT_MUST_USE;

#endif
