/*
 * prove.c -- hutong directory prove: keys show that somebody holds them; and
 * what an officer's signature under an entry asks of it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "adapters/cli/entry.h"
#include "adapters/cli/files.h"
#include "keys/possession.h"
#include "lib/base/fs.h"
#include "schemas/proven.h"

/* All but the identity: it signs the entry, and that is its proof. */
#define PROVING                                                                \
	(1u << HT_KEY_OFFICER | 1u << HT_KEY_SIGNING |                         \
	    1u << HT_KEY_TRANSPORT | 1u << HT_KEY_SEALING)

/* ---- proving ---- */

static int
find_key(const struct ht_doc *doc, const char *path, const struct ht_key *key,
    struct ht_member_key *ret)
{
	struct ht_pub pub = ht_key_pub(key);

	for (size_t i = 0; ht_member_key(doc->member, i, ret); i++)
		if (ret->what == ht_key_what(key) &&
		    memcmp(ret->pub, &pub, sizeof(pub)) == 0)
			return HT_CLI_GO;
	return ht_cli_fail(HT_EXIT_REFUSED,
	    "%s: the entry %s names no such %s key, so there is nothing to "
	    "prove; compare with `hutong key show`, or add the key with "
	    "`hutong directory amend`",
	    path, doc->where, ht_key_for_text(ht_key_what(key)));
}

/* A line more in @note, which holds the document, signed or not. */
static int
add_proof(const struct ht_doc *doc, const char *path, struct ht_buf *note)
{
	HT_AUTO(ht_buf_fini) struct ht_buf more = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	bool is_note = note->len > doc->text.len;
	struct ht_member_key at;
	struct ht_keyfile file;
	enum ht_err err;
	int rc = ht_cli_key(path, PROVING, &key, &file);

	if (rc == HT_CLI_GO)
		rc = find_key(doc, path, key, &at);
	if (rc != HT_CLI_GO)
		return rc;
	err =
	    ht_possession_add(ht_buf_slice(note), is_note, at.name, key, &more);
	if (err == HT_ETOOBIG)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s: a note has room for %d lines; take in some of the "
		    "nodes now, and the others in the next revision",
		    doc->where, HT_SIGS_MAX);
	if (err != HT_OK)
		return ht_cli_error(err, NULL, "cannot prove", path);
	note->len = 0;
	ht_buf_add(note, more.at, more.len);
	fprintf(stderr, "proven: the %s key of %s, for %s revision %llu\n",
	    ht_key_for_text(at.what), at.name, doc->name,
	    (unsigned long long)doc->revision);
	return HT_CLI_GO;
}

static int
take_entry(const char *path, struct ht_doc **ret)
{
	int rc = ht_cli_doc(path, ret);

	if (rc == HT_CLI_GO && (*ret)->kind != HT_DOC_MEMBER)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s is a %s, not a member's entry", path,
		    ht_doc_kind_text((*ret)->kind));
	return rc;
}

static int
prove(int argc, char **argv)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	struct ht_args keys = {0}, args;
	const char *out = NULL;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED_LIST("key", "FILE", keys,
	        "a key that the entry names: officer, signing, transport, "
	        "sealing; again for each"),
	    HT_OPT_MAY("out", "FILE", out,
	        "a new file for the entry; else the lines are added to FILE "
	        "itself"),
	};
	const struct ht_usage_of takes = {
	    "hutong directory prove FILE --key FILE ... [--out FILE]", opts,
	    HT_COUNT(opts), 1, 1};
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = take_entry(args.at[0], &doc);
	if (rc == HT_CLI_GO)
		ht_buf_add(&note, doc->bytes.at, doc->bytes.len);
	for (size_t i = 0; i < keys.n && rc == HT_CLI_GO; i++)
		rc = add_proof(doc, keys.at[i], &note);
	if (rc == HT_CLI_GO)
		rc = ht_cli_write_signed(args.at[0], out, ht_buf_slice(&note));
	return rc == HT_CLI_GO ? HT_EXIT_OK : rc;
}

const struct ht_verb ht_directory_prove = {
    .name = "prove",
    .synopsis = "FILE --key FILE ... [--out FILE]",
    .help = "let the keys of an entry prove that you hold them",
    .run = prove,
};

/* ---- what officers check ---- */

/*
 * The root that the folder's own follows.  After a change of officers entries
 * are signed anew, one by one, and until then they hold by the root before.
 */
static bool
root_before(const char *dir, struct ht_root *root)
{
	HT_AUTO(ht_buf_fini) struct ht_buf now = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_mem_free) char *own = ht_fs_join(dir, "root.note");

	if (own == NULL || ht_fs_read(own, &now) != HT_OK)
		return false;
	for (uint64_t n = 1; n < root->revision && n <= HT_ROOTS_MAX; n++) {
		HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
		HT_AUTO(ht_mem_free) char *path = NULL;
		char name[40];
		struct ht_root old;

		(void)snprintf(name, sizeof(name), "root@%llu.note",
		    (unsigned long long)(root->revision - n));
		path = ht_fs_join(dir, name);
		if (path == NULL || ht_fs_read(path, &note) != HT_OK)
			continue;
		if (ht_root_parse(ht_buf_slice(&note), path, NULL, &old) !=
		        HT_OK ||
		    ht_root_follows(&old, ht_buf_slice(&now), NULL) != HT_OK)
			return false;
		*root = old;
		return true;
	}
	return false;
}

/* Signed as the folder's root asks, or the root before. */
static int
is_in_force(const char *dir, const struct ht_doc *doc, struct ht_report *report,
    bool *ret)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(dir, "root.note");
	struct ht_root root;
	int rc;

	if (path == NULL)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot read", dir);
	rc = ht_cli_root(path, &root);
	if (rc != HT_CLI_GO)
		return rc;
	*ret = ht_doc_check_signed(doc, &root, NULL, report) == HT_OK ||
	       (root_before(dir, &root) &&
	           ht_doc_check_signed(doc, &root, NULL, NULL) == HT_OK);
	return HT_CLI_GO;
}

/*
 * The member's entry in the folder, with its signatures; NULL: none, or it is
 * the very text that is being signed there, and makes nothing known yet.
 */
static int
read_before(const char *dir, const struct ht_doc *doc, struct ht_doc **ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_mem_free) char *path = NULL;
	char name[HT_DOC_PATH_MAX];
	bool in_force = false;
	int rc;

	ht_doc_path(HT_DOC_MEMBER, doc->name, name);
	path = ht_fs_join(dir, name);
	if (path == NULL)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot read", dir);
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return HT_CLI_GO;
	rc = take_entry(path, ret);
	if (rc == HT_CLI_GO && strcmp((*ret)->name, doc->name) != 0)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s is the entry of %s; put the folder in order, `hutong "
		    "catalog verify`",
		    path, (*ret)->name);
	if (rc == HT_CLI_GO)
		rc = is_in_force(dir, *ret, report, &in_force);
	if (rc != HT_CLI_GO || in_force)
		return rc;
	if (!ht_hash_eq(&(*ret)->hash, &doc->hash))
		return ht_cli_error(HT_EBADSIG, report, "cannot trust", path);
	ht_doc_unref(ret);
	return HT_CLI_GO;
}

int
ht_cli_proven(const struct ht_doc *doc, const char *dir)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_doc_unref) struct ht_doc *before = NULL;
	unsigned n = 0;
	enum ht_err err;
	int rc = dir != NULL ? read_before(dir, doc, &before) : HT_CLI_GO;

	if (rc != HT_CLI_GO)
		return rc;
	err = ht_member_proven(doc, before, report, &n);
	if (err != HT_OK) {
		rc = ht_cli_error(err, report, "cannot vouch for", doc->where);
		if (err == HT_EBADSIG && dir == NULL && doc->revision > 1)
			fprintf(stderr,
			    "Keys that are in force already need no new "
			    "proof: say --dir with your copy of the "
			    "authority's folder.\n");
		return rc;
	}
	fprintf(stderr, "%s: %u new key%s%s\n", doc->name, n, n == 1 ? "" : "s",
	    n == 0 ? "" : ", proven to be held");
	return HT_CLI_GO;
}
