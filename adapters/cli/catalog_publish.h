/*
 * catalog_publish.h -- what making a snapshot, adding to one and putting one in
 * force have in common: catalog_publish.c, catalog_add.c, catalog_freshen.c.
 *
 * Functions that return int: HT_CLI_GO, or an exit code, and why was said.
 */
#ifndef HT_ADAPTERS_CLI_CATALOG_PUBLISH_H
#define HT_ADAPTERS_CLI_CATALOG_PUBLISH_H

#include "adapters/cli/cli.h"
#include "adapters/cli/files.h"
#include "schemas/doc_list.h"

/* A file of the folder; there may be none. */
int ht_cli_read_in(
    const char *dir, const char *name, struct ht_buf *ret, bool *ret_there);
int ht_cli_replace_in(
    const char *dir, const char *name, const struct ht_buf *bytes);
/* The anchor: the one given, or (NULL) the folder's own. */
int ht_cli_anchor(const char *dir, const char *root_path, struct ht_root *ret);
/* A note of @text, signed by the key of that name. */
int ht_cli_sign_text(struct ht_buf *text, const char *name,
    const struct ht_key *key, struct ht_buf *note);

/* The snapshot before this one; its list is taken as it lies there. */
struct ht_cli_old {
	bool there;
	uint64_t version;
	struct ht_doc *note;   /* the snapshot's */
	struct ht_lines lines; /* of the list */
	struct ht_buf list;
	struct ht_hash *leaves; /* of the lines; once it was held to its note */
};
void ht_cli_old_fini(struct ht_cli_old *old);
/* There may be none. */
int ht_cli_old_read(const char *dir, struct ht_cli_old *old);
/* Does it list that document, and as what? */
int ht_cli_old_line(const struct ht_cli_old *old, enum ht_doc_kind kind,
    const char *name, bool *ret_there, struct ht_list_line *ret);
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
