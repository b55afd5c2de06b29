/*
 * counts.c -- does a signature count?  Said before it is given: who signs with
 * the wrong key learns it else days later, when the snapshot is made.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/files.h"
#include "lib/base/fs.h"

/* ---- by names alone ---- */

static bool
is_below(const char *name, const char *whose, size_t len)
{
	return strncmp(name, whose, len) == 0 && name[len] == '/';
}

/* Officers' names are below the catalog's or their member's (trust.md). */
static bool
may_count(const struct ht_doc *doc, const struct ht_keyfile *file)
{
	const char *signer = ht_doc_signer(doc);
	size_t catalog = strcspn(doc->name, "/");

	switch (doc->kind) {
	case HT_DOC_ITEM:
	case HT_DOC_GRANT:
		return is_below(file->name, doc->name, catalog) ||
		       is_below(file->name, signer, strlen(signer));
	case HT_DOC_APPLICATION:
	case HT_DOC_ANSWER:
		return is_below(file->name, signer, strlen(signer));
	case HT_DOC_EPOCH:
	case HT_DOC_ERASE:
	case HT_DOC_DISCLOSE:
	case HT_DOC_REMOVE:
		return is_below(file->name, doc->name, catalog);
	case HT_DOC_MEMBER:
		return file->what != HT_KEY_IDENTITY ||
		       strcmp(file->name, doc->name) == 0;
	case HT_DOC_EXTENSION: /* whose catalog it is does not stand in it */
	case HT_DOC_ROOT:
	case HT_DOC_SNAPSHOT:
	case HT_DOC_CURRENT:
	case HT_DOC_KINDS:
		break;
	}
	return true;
}

static void
warn_by_name(const struct ht_doc *doc, const struct ht_keyfile *file)
{
	const char *signer = ht_doc_signer(doc);

	if (may_count(doc, file))
		return;
	fprintf(stderr,
	    "hutong: %s: a signature of %s counts for nothing on the %s %s%s%s;"
	    " say --dir with your copy of the authority's folder to be told "
	    "whose do\n",
	    doc->where, file->name, ht_doc_kind_text(doc->kind), doc->name,
	    signer != NULL ? " of " : "", signer != NULL ? signer : "");
}

/* ---- by a folder ---- */

/* NULL: it is not there. */
static int
read_in(const char *dir, const char *name, struct ht_doc **ret)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(dir, name);

	if (path == NULL)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot read", dir);
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return HT_CLI_GO;
	return ht_cli_doc(path, ret);
}

static int
look(const struct ht_doc *doc, const struct ht_vkey *vkey, const char *dir)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_doc_unref) struct ht_doc *root = NULL;
	HT_AUTO(ht_doc_unref) struct ht_doc *member = NULL;
	const char *signer =
	    doc->kind == HT_DOC_MEMBER ? doc->name : ht_doc_signer(doc);
	char path[HT_DOC_PATH_MAX];
	enum ht_err err;
	int rc = read_in(dir, "root.note", &root);

	if (rc == HT_CLI_GO && (root == NULL || root->kind != HT_DOC_ROOT))
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s has no root.note, which says who the officers are; "
		    "name with --dir a copy of the authority's folder",
		    dir);
	if (rc == HT_CLI_GO && signer != NULL) {
		ht_doc_path(HT_DOC_MEMBER, signer, path);
		rc = read_in(dir, path, &member);
	}
	if (rc != HT_CLI_GO)
		return rc;
	if (member != NULL && member->kind != HT_DOC_MEMBER)
		ht_doc_unref(&member);
	err = ht_doc_counts(doc, root->root,
	    member != NULL ? member->member : NULL, vkey, report);
	return err == HT_OK
	           ? HT_CLI_GO
	           : ht_cli_error(err, report, "was not signed:", doc->where);
}

int
ht_cli_counts(const struct ht_doc *doc, const struct ht_key *key,
    const struct ht_keyfile *file, const char *dir)
{
	struct ht_pub pub = ht_key_pub(key);
	struct ht_vkey vkey;
	enum ht_err err;

	if (dir == NULL) {
		warn_by_name(doc, file);
		return HT_CLI_GO;
	}
	err = ht_vkey_make(file->name, &pub, &vkey);
	if (err != HT_OK)
		return ht_cli_error(err, NULL, "cannot sign as", file->name);
	return look(doc, &vkey, dir);
}
