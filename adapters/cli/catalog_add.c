/*
 * catalog_add.c -- hutong catalog snapshot --add: the next snapshot is the one
 * before, and some grants.  A hundred thousand documents are not read for the
 * sake of one: the list of the snapshot before, which its key signed, vouches
 * for their texts, and each still carries its own signatures, which every
 * broker and node looks at.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/cli/catalog_publish.h"
#include "keys/merkle.h"
#include "lib/base/fs.h"

/* ---- the snapshot before ---- */

/* Is the list the one that its note was signed over? */
static int
check_tree(struct ht_cli_old *old)
{
	const struct ht_snapshot_doc *says = old->note->snapshot;
	struct ht_hash tree;

	old->leaves = calloc(old->lines.n + 1, sizeof(*old->leaves));
	if (old->leaves == NULL)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot read", "the list");
	for (size_t i = 0; i < old->lines.n; i++)
		old->leaves[i] = ht_leaf_hash(ht_lines_at(&old->lines, i));
	tree = ht_merkle_root(old->leaves, old->lines.n);
	if (old->lines.n == says->count && ht_hash_eq(&tree, &says->root))
		return HT_CLI_GO;
	return ht_cli_fail(HT_EXIT_REFUSED,
	    "snapshot.list is not the list that snapshot.note was signed over: "
	    "make a snapshot of the whole folder, without --add");
}

static int
check_old(const struct ht_root *root, struct ht_cli_old *old)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	enum ht_err err;

	if (!old->there)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "there is no snapshot yet to add to: make one of the whole "
		    "folder, without --add");
	err = ht_doc_check_signed(old->note, root, NULL, report);
	if (err == HT_OK)
		return check_tree(old);
	return ht_cli_error(
	    err, report, "cannot add to", "the snapshot before");
}

/* ---- what the grants stand on ---- */

struct part {
	const char *dir;
	const struct ht_cli_old *old;
	struct ht_docs docs; /* in no order */
	struct ht_buf list;
};

static void
part_fini(struct part *part)
{
	ht_docs_fini(&part->docs);
	ht_buf_fini(&part->list);
}

static int
take(struct part *part, struct ht_doc **doc_p)
{
	if (ht_docs_add(&part->docs, *doc_p) != HT_OK)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot check", "them");
	*doc_p = NULL;
	return HT_CLI_GO;
}

/* As the snapshot before has it; what it does not have is blamed later. */
static int
take_listed(struct part *part, enum ht_doc_kind kind, const char *name)
{
	struct ht_list_line line;
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	HT_AUTO(ht_mem_free) char *path = NULL;
	char place[HT_DOC_PATH_MAX];
	bool there;
	int rc = ht_cli_old_line(part->old, kind, name, &there, &line);

	if (rc != HT_CLI_GO || !there ||
	    ht_docs_find(&part->docs, kind, name) != NULL)
		return rc;
	ht_doc_path(kind, name, place);
	path = ht_fs_join(part->dir, place);
	if (path == NULL)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot read", place);
	rc = ht_cli_doc(path, &doc);
	if (rc != HT_CLI_GO)
		return rc;
	if (doc->kind != kind || !ht_hash_eq(&doc->hash, &line.hash))
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s: it is not as snapshot %llu lists it: make a snapshot "
		    "of the whole folder, without --add",
		    place, (unsigned long long)part->old->version);
	return take(part, &doc);
}

/* The grant's parties, its item, and whose that is. */
static int
take_named(struct part *part, const struct ht_grant *grant)
{
	char item[HT_DOC_NAME_MAX + 1];
	const struct ht_doc *doc;
	int rc = take_listed(part, HT_DOC_MEMBER, grant->provider);

	(void)snprintf(
	    item, sizeof(item), "%s@%u", grant->item, grant->version);
	if (rc == HT_CLI_GO)
		rc = take_listed(part, HT_DOC_MEMBER, grant->consumer);
	if (rc == HT_CLI_GO)
		rc = take_listed(part, HT_DOC_ITEM, item);
	doc = ht_docs_find(&part->docs, HT_DOC_ITEM, item);
	if (rc == HT_CLI_GO && doc != NULL)
		rc = take_listed(part, HT_DOC_MEMBER, doc->item->provider);
	return rc;
}

static enum ht_err
note_of(void *arg, size_t i, const struct ht_list_line *line,
    struct ht_slice *ret_note, const char **ret_name)
{
	const struct part *part = arg;

	(void)line;
	*ret_note = part->docs.at[i]->bytes;
	*ret_name = part->docs.at[i]->where;
	return HT_OK;
}

/* What a node would refuse is not published at all. */
static int
check_part(struct part *part, const struct ht_root *root)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_trust_docs given = {.note = note_of, .arg = part};
	enum ht_err err;

	ht_docs_sort(&part->docs);
	for (size_t i = 0; i < part->docs.n; i++)
		ht_list_add(&part->list, part->docs.at[i]);
	err = part->list.err;
	given.list = ht_buf_slice(&part->list);
	if (err == HT_OK)
		err = ht_trust_check_some(root, &given, report);
	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(
	    err, report, "cannot make a snapshot with", "these grants");
}

/* ---- the grants ---- */

static int
read_grant(const struct ht_cli_old *old, const char *path, struct ht_docs *docs)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	struct ht_list_line line;
	bool there;
	int rc = ht_cli_doc(path, &doc);

	if (rc != HT_CLI_GO)
		return rc;
	if (doc->kind != HT_DOC_GRANT)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s: only grants are added so, and this is a %s, on which "
		    "others may stand: make a snapshot of the whole folder, "
		    "without --add",
		    path, ht_doc_kind_text(doc->kind));
	if (ht_docs_find(docs, doc->kind, doc->name) != NULL)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s: the grant %s is added twice; name one file", path,
		    doc->name);
	rc = ht_cli_old_line(old, HT_DOC_GRANT, doc->name, &there, &line);
	if (rc != HT_CLI_GO)
		return rc;
	if (there && !ht_cli_goes_forward(old, &line, doc))
		return HT_EXIT_REFUSED;
	if (ht_docs_add(docs, doc) != HT_OK)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot read", path);
	(void)HT_TAKE(doc);
	return HT_CLI_GO;
}

/* From here, or else from the folder that it goes to. */
static int
read_grant_at(const struct ht_cli_old *old, const char *dir, const char *path,
    struct ht_docs *docs)
{
	HT_AUTO(ht_mem_free) char *below = ht_fs_join(dir, path);

	if (below == NULL)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot read", path);
	if (path[0] == '/' || access(path, F_OK) == 0 ||
	    access(below, F_OK) != 0)
		return read_grant(old, path, docs);
	return read_grant(old, below, docs);
}

int
ht_cli_add_read(const char *dir, const struct ht_root *root,
    struct ht_cli_old *old, const struct ht_args *files, struct ht_docs *ret)
{
	HT_AUTO(part_fini)
	struct part part = {
	    .dir = dir, .old = old, .list = HT_BUF(HT_LIST_BYTES)};
	int rc = check_old(root, old);

	for (size_t i = 0; i < files->n && rc == HT_CLI_GO; i++)
		rc = read_grant_at(old, dir, files->at[i], ret);
	ht_docs_sort(ret);
	if (rc == HT_CLI_GO)
		rc = take_listed(&part, HT_DOC_ROOT, "root");
	for (size_t i = 0; i < ret->n && rc == HT_CLI_GO; i++) {
		struct ht_doc *doc = ht_doc_ref(ret->at[i]);

		rc = take(&part, &doc);
		ht_doc_unref(&doc);
		if (rc == HT_CLI_GO)
			rc = take_named(&part, &ret->at[i]->grant->grant);
	}
	return rc == HT_CLI_GO ? check_part(&part, root) : rc;
}

/* ---- the list ---- */

struct merge {
	const struct ht_cli_old *old;
	struct ht_buf *list;
	struct ht_frontier tree;
	size_t at; /* lines before that are dealt with */
};

/* Lines as they stood, up to @to. */
static void
keep_lines(struct merge *m, size_t to)
{
	const struct ht_lines *lines = &m->old->lines;
	size_t from = lines->starts[m->at];

	ht_buf_add(m->list, lines->bytes.at + from, lines->starts[to] - from);
	for (; m->at < to; m->at++)
		ht_frontier_append(
		    &m->tree, &m->old->leaves[m->at], NULL, NULL);
}

/* Among them, or in place of the one of that name. */
static void
put_line(struct merge *m, const struct ht_doc *doc)
{
	size_t from, place;
	bool there = ht_lines_find(&m->old->lines, "grant", doc->name, &place);
	struct ht_hash leaf;

	keep_lines(m, place);
	m->at += there;
	from = m->list->len;
	ht_list_add(m->list, doc);
	if (m->list->err != HT_OK)
		return;
	leaf =
	    ht_leaf_hash(HT_SLICE(m->list->at + from, m->list->len - from - 1));
	ht_frontier_append(&m->tree, &leaf, NULL, NULL);
}

int
ht_cli_add_list(const struct ht_cli_old *old, const struct ht_docs *docs,
    struct ht_buf *list, struct ht_hash *ret_tree, size_t *ret_n)
{
	struct merge m = {.old = old, .list = list};
	enum ht_err err;

	/* Of megabytes; what does not fit is said when it comes to that. */
	(void)ht_buf_room(
	    list, old->list.len + docs->n * (HT_LIST_BYTES / HT_LIST_MAX));
	ht_buf_reset(list);
	/* Both are in the list's order. */
	for (size_t i = 0; i < docs->n; i++)
		put_line(&m, docs->at[i]);
	keep_lines(&m, old->lines.n);
	err = list->err;
	if (err == HT_OK && m.tree.size > HT_LIST_MAX)
		err = HT_ETOOBIG;
	if (err != HT_OK)
		return ht_cli_error(err, NULL, "cannot make", "the list");
	*ret_tree = ht_frontier_root(&m.tree);
	*ret_n = m.tree.size;
	return HT_CLI_GO;
}

/* ---- their places ---- */

static bool
lies_there(const char *path, const struct ht_doc *doc)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_DOC_MAX);

	return ht_fs_read(path, &bytes) == HT_OK &&
	       ht_slice_eq(ht_buf_slice(&bytes), doc->bytes);
}

static enum ht_err
write_doc(const char *path, const struct ht_doc *doc)
{
	HT_AUTO(ht_mem_free) char *parent = strdup(path);
	enum ht_err err;

	if (parent == NULL)
		return HT_ENOMEM;
	*strrchr(parent, '/') = '\0';
	err = ht_fs_mkdirs(parent, 0755);
	return err == HT_OK ? ht_fs_replace(path, 0644, doc->bytes) : err;
}

int
ht_cli_add_write(const char *dir, const struct ht_docs *docs)
{
	for (size_t i = 0; i < docs->n; i++) {
		HT_AUTO(ht_mem_free) char *path = NULL;
		char place[HT_DOC_PATH_MAX];
		enum ht_err err = HT_ENOMEM;

		ht_doc_path(docs->at[i]->kind, docs->at[i]->name, place);
		path = ht_fs_join(dir, place);
		if (path != NULL && lies_there(path, docs->at[i]))
			continue;
		if (path != NULL)
			err = write_doc(path, docs->at[i]);
		if (err != HT_OK)
			return ht_cli_error(err, NULL, "cannot write", place);
	}
	return HT_CLI_GO;
}
