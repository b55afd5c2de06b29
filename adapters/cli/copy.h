/*
 * copy.h -- the trust documents as somebody has them: a folder like the
 * authority's, or what a node keeps in its state.  No broker is asked.
 */
#ifndef HT_ADAPTERS_CLI_COPY_H
#define HT_ADAPTERS_CLI_COPY_H

#include "adapters/cli/cli.h"
#include "adapters/conf_node.h"

struct cli_copy {
	/* options: config alone, or root and dir */
	const char *config; /* else $HUTONG_CONFIG */
	const char *root;
	const char *dir;

	/* read from them */
	bool has_node; /* conf is set */
	struct ht_conf_node conf;
	struct ht_trust *trust;
};

#define CLI_COPY_OPTIONS(c)                                                    \
	HT_OPT_MAY("config", "FILE", (c).config,                               \
	    "the node whose own copy to read; else $HUTONG_CONFIG"),           \
	    HT_OPT_MAY("root", "FILE", (c).root, "or the anchor file, and"),   \
	    HT_OPT_MAY(                                                        \
	        "dir", "DIR", (c).dir, "a copy of the authority's folder")

void cli_copy_fini(struct cli_copy *copy);
/*
 * Read and check it.  A node's state is read beside a node that runs.
 * HT_CLI_GO, or an exit code with everything said.
 */
int cli_copy_open(struct cli_copy *copy);
/*
 * The snapshot of then: out of @dir, or, if that is NULL, of what the node
 * still keeps.  *ret is NULL when it is not to be had; a @dir that holds
 * another one, or does not hold, is an exit code.
 */
int cli_copy_then(const struct cli_copy *copy, const char *dir,
    uint64_t version, const struct ht_hash *hash, struct ht_trust **ret);

#endif
