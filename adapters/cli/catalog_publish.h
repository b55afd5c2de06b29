/*
 * catalog_publish.h -- what making a whole snapshot and adding to one have in
 * common: catalog_publish.c, catalog_add.c.
 */
#ifndef HT_ADAPTERS_CLI_CATALOG_PUBLISH_H
#define HT_ADAPTERS_CLI_CATALOG_PUBLISH_H

#include "adapters/cli/cli.h"
#include "adapters/cli/files.h"

/* The snapshot before this one; its list is taken as it lies there. */
struct ht_cli_old {
	bool there;
	uint64_t version;
	struct ht_doc *note; /* the snapshot's */
	size_t n;
	struct ht_list_line *lines; /* point into list */
	struct ht_buf list;
	struct ht_hash
	    *leaves; /* of the lines, once they are to be held to it */
};
void ht_cli_old_fini(struct ht_cli_old *old);
/* There may be none.  HT_CLI_GO, or an exit code, and why was said. */
int ht_cli_old_read(const char *dir, struct ht_cli_old *old);
/* A later revision than the line's, or the same text; else it is said. */
bool ht_cli_goes_forward(const struct ht_cli_old *old,
    const struct ht_list_line *line, const struct ht_doc *doc);

/*
 * catalog_add.c: read grants from @files and hold them against what they name,
 * which must lie in @dir as the old snapshot lists it.  That one has to be the
 * snapshot key's: who made it held all of it against all else.
 */
int ht_cli_add_read(const char *dir, const struct ht_root *root,
    struct ht_cli_old *old, const struct ht_args *files, struct ht_docs *ret);
/* The old list with theirs; its tree, and its lines. */
int ht_cli_add_list(const struct ht_cli_old *old, const struct ht_docs *docs,
    struct ht_buf *list, struct ht_hash *ret_tree, size_t *ret_n);
/* Put them in their places. */
int ht_cli_add_write(const char *dir, const struct ht_docs *docs);

#endif
