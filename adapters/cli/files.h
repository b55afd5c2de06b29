/*
 * files.h -- the files that administrators work on: keys, documents, the
 * authority's folder.
 */
#ifndef HT_ADAPTERS_CLI_FILES_H
#define HT_ADAPTERS_CLI_FILES_H

#include "keys/keyfile.h"
#include "keys/note.h"
#include "schemas/doc.h"

/* Wipes and frees a passphrase. */
void ht_cli_secret_free(char **secret_p);
/* A passphrase from file, credential or terminal, saying so if there is none.
 */
int ht_cli_passphrase(const char *prompt, char **ret);

/*
 * Open a secret key of any purpose out of a set of 1u << purpose bits, asking
 * for its passphrase if it is locked.  HT_CLI_GO, or an exit code.
 */
int ht_cli_key(const char *path, unsigned purposes, struct ht_key **ret_key,
    struct ht_keyfile *ret_file);

/* Read and check a root note (--root). */
int ht_cli_root(const char *path, struct ht_root *ret);

/* Read a document, of any kind, signed or not; its place is @path. */
enum ht_err ht_doc_read(const char *path, struct ht_report *report,
    struct ht_doc **ret) HT_MUST_USE;
/* The same, and every mistake is printed. */
int ht_cli_doc(const char *path, struct ht_doc **ret);

/*
 * Sign the document in @path with the key in @key_path, which must be of a
 * purpose that may sign its kind.  In place, unless @out names another file.
 * Whose signature counts is looked at: ht_cli_counts().
 * An officer's key signs no member's entry whose keys have not proven
 * themselves: see ht_cli_proven() for @dir.
 */
int ht_cli_sign(
    const char *path, const char *key_path, const char *dir, const char *out);
/*
 * Does a signature of this key count on @doc, by the root and the members in
 * @dir?  Refused if not, and whose do is said.  Without @dir (NULL) it is a
 * warning, where the names alone tell.  HT_CLI_GO, or an exit code.
 */
int ht_cli_counts(const struct ht_doc *doc, const struct ht_key *key,
    const struct ht_keyfile *file, const char *dir);
/* A note with a line more: over @path, or as a new file. */
int ht_cli_write_signed(
    const char *path, const char *out, struct ht_slice note);

/*
 * Every key of a member's entry that does not stand in its entry in @dir (a
 * folder of the authority's; NULL: nothing is known) must have proven itself.
 * HT_CLI_GO, or an exit code, and all that is missing was said.
 */
int ht_cli_proven(const struct ht_doc *doc, const char *dir);

/* The documents of an authority's folder, in the list's order. */
struct ht_docs {
	size_t n;
	struct ht_doc **at;
};
void ht_docs_fini(struct ht_docs *docs);
/*
 * Read all documents under @dir: root.note, members/, items/, grants/,
 * epochs/.  Every mistake is printed, and the exit code is then not HT_CLI_GO.
 */
int ht_cli_docs(const char *dir, struct ht_docs *ret);
enum ht_docs_from {
	HT_DOCS_FILE,
	HT_DOCS_AUTHORITY, /* a folder with root.note */
	HT_DOCS_DRAFTS     /* any other: *.yaml, *.yml, *.note, and below */
};
/*
 * Add all that can be read of a file or a folder.  Every mistake is printed,
 * and the exit code is then not HT_CLI_GO.
 */
int ht_cli_docs_at(
    const char *path, struct ht_docs *to, enum ht_docs_from *ret);
/* Add a document, which is theirs from then on; HT_ENOMEM: it stays. */
enum ht_err ht_docs_add(struct ht_docs *docs, struct ht_doc *doc) HT_MUST_USE;
/* Into the list's order: by kind, then by name. */
void ht_docs_sort(struct ht_docs *docs);
/* Of a kind and name; NULL if there is none. */
const struct ht_doc *ht_docs_find(
    const struct ht_docs *docs, enum ht_doc_kind kind, const char *name);

/* "2026-11-24" or "2026-11-24T01:02:03Z"; @otherwise when NULL. */
int ht_cli_time(
    const char *option, const char *text, uint64_t otherwise, uint64_t *ret_ms);

#endif
