/*
 * catalog_publish.c -- hutong catalog snapshot: the next snapshot of a folder,
 * of all that lies there, or of the one before and some grants.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/catalog.h"
#include "adapters/cli/catalog_publish.h"
#include "adapters/cli/cli.h"
#include "keys/merkle.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"

int
ht_cli_read_in(
    const char *dir, const char *name, struct ht_buf *ret, bool *ret_there)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(dir, name);
	enum ht_err err = path == NULL ? HT_ENOMEM : ht_fs_read(path, ret);

	*ret_there = err == HT_OK;
	if (err == HT_OK || err == HT_ENOTFOUND)
		return HT_CLI_GO;
	return ht_cli_error(
	    err, NULL, "cannot read", path != NULL ? path : name);
}

int
ht_cli_replace_in(const char *dir, const char *name, const struct ht_buf *bytes)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(dir, name);
	enum ht_err err = path == NULL ? HT_ENOMEM : bytes->err;

	if (err == HT_OK)
		err = ht_fs_replace(path, 0644, ht_buf_slice(bytes));
	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(
	    err, NULL, "cannot write", path != NULL ? path : name);
}

int
ht_cli_anchor(const char *dir, const char *root_path, struct ht_root *ret)
{
	HT_AUTO(ht_mem_free) char *own = ht_fs_join(dir, "root.note");

	if (own == NULL)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot read", dir);
	return ht_cli_root(root_path != NULL ? root_path : own, ret);
}

int
ht_cli_sign_text(struct ht_buf *text, const char *name,
    const struct ht_key *key, struct ht_buf *note)
{
	enum ht_err err = text->err;

	if (err == HT_OK)
		err = ht_note_sign(ht_buf_slice(text), false, name, key, note);
	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(err, NULL, "cannot sign with the key", name);
}

/* ---- the snapshot before this one ---- */

void
ht_cli_old_fini(struct ht_cli_old *old)
{
	ht_doc_unref(&old->note);
	free(old->leaves);
	ht_lines_fini(&old->lines);
	ht_buf_fini(&old->list);
}

int
ht_cli_old_read(const char *dir, struct ht_cli_old *old)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	bool list_there = false;
	enum ht_err err;
	int rc = ht_cli_read_in(dir, "snapshot.note", &note, &old->there);

	if (rc == HT_CLI_GO && old->there)
		rc = ht_cli_read_in(
		    dir, "snapshot.list", &old->list, &list_there);
	if (rc != HT_CLI_GO || !old->there)
		return rc;
	err = ht_doc_parse(ht_buf_slice(&note), "snapshot.note", report, &doc);
	if (err == HT_OK && doc->kind != HT_DOC_SNAPSHOT)
		err = HT_EINVALID;
	if (err == HT_OK && list_there)
		err = ht_lines_cut(ht_buf_slice(&old->list), "snapshot.list",
		    report, &old->lines);
	if (err != HT_OK)
		return ht_cli_error(
		    err, report, "cannot read the old snapshot in", dir);
	old->version = doc->snapshot->version;
	old->note = HT_TAKE(doc);
	return HT_CLI_GO;
}

int
ht_cli_old_line(const struct ht_cli_old *old, enum ht_doc_kind kind,
    const char *name, bool *ret_there, struct ht_list_line *ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	enum ht_err err;
	size_t i;

	*ret_there =
	    ht_lines_find(&old->lines, ht_doc_kind_text(kind), name, &i);
	if (!*ret_there)
		return HT_CLI_GO;
	err = ht_lines_parse(&old->lines, i, "snapshot.list", report, ret);
	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(err, report, "cannot read", "the list");
}

/* Without it, members who trust that one could not follow the new one. */
static int
check_root_kept(const struct ht_cli_old *old, const struct ht_docs *docs)
{
	const struct ht_doc *now = ht_docs_find(docs, HT_DOC_ROOT, "root");
	char past[HT_DOC_NAME_MAX + 1];
	struct ht_list_line line;
	bool there;
	int rc = ht_cli_old_line(old, HT_DOC_ROOT, "root", &there, &line);

	if (rc != HT_CLI_GO || !there || now == NULL ||
	    now->revision <= line.revision)
		return rc;
	(void)snprintf(
	    past, sizeof(past), "root@%llu", (unsigned long long)line.revision);
	if (ht_docs_find(docs, HT_DOC_ROOT, past) != NULL)
		return HT_CLI_GO;
	return ht_cli_fail(HT_EXIT_REFUSED,
	    "root.note: the root before, of revision %llu, must be "
	    "kept as %s.note; put it back, and let `hutong catalog "
	    "adopt` put the new one in its place",
	    (unsigned long long)line.revision, past);
}

bool
ht_cli_goes_forward(const struct ht_cli_old *old,
    const struct ht_list_line *line, const struct ht_doc *doc)
{
	if (doc->revision > line->revision ||
	    ht_hash_eq(&doc->hash, &line->hash))
		return true;
	(void)ht_cli_fail(0,
	    "%s: it changed since snapshot %llu, where it had revision "
	    "%llu; give it revision %llu and have it signed again",
	    doc->where, (unsigned long long)old->version,
	    (unsigned long long)line->revision,
	    (unsigned long long)line->revision + 1);
	return false;
}

/* A revision never falls, and never stands for two texts.  All are said. */
static int
check_forward(const struct ht_cli_old *old, const struct ht_docs *docs)
{
	int ret = HT_CLI_GO;

	for (size_t i = 0; i < docs->n; i++) {
		const struct ht_doc *doc = docs->at[i];
		struct ht_list_line line;
		bool there;
		int rc =
		    ht_cli_old_line(old, doc->kind, doc->name, &there, &line);

		if (rc != HT_CLI_GO)
			return rc;
		if (there && !ht_cli_goes_forward(old, &line, doc))
			ret = HT_EXIT_REFUSED;
	}
	return ret;
}

/* ---- the next one ---- */

struct edition {
	const char *dir;
	struct ht_root root;
	struct ht_args added; /* files of grants; none: the whole folder */
	struct ht_cli_old old;
	struct ht_docs docs; /* those that are looked at */
	struct ht_buf list;
	struct ht_buf note;
	struct ht_hash tree; /* of the list */
	size_t n;            /* its lines */
};

static void
edition_fini(struct edition *e)
{
	ht_docs_fini(&e->docs);
	ht_cli_old_fini(&e->old);
	ht_buf_fini(&e->list);
	ht_buf_fini(&e->note);
}

static int
make_list(struct edition *e)
{
	struct ht_frontier tree = {0};
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < e->docs.n && err == HT_OK; i++) {
		size_t from = e->list.len;
		struct ht_hash leaf;

		ht_list_add(&e->list, e->docs.at[i]);
		err = e->list.err;
		if (err != HT_OK)
			break;
		leaf = ht_leaf_hash(
		    HT_SLICE(e->list.at + from, e->list.len - from - 1));
		ht_frontier_append(&tree, &leaf, NULL, NULL);
	}
	if (err != HT_OK)
		return ht_cli_error(err, NULL, "cannot make", "the list");
	e->tree = ht_frontier_root(&tree);
	e->n = e->docs.n;
	return HT_CLI_GO;
}

/* All that lies in the folder. */
static int
gather_all(struct edition *e)
{
	int rc = ht_cli_docs(e->dir, &e->docs);

	if (rc == HT_CLI_GO)
		rc = ht_cli_old_read(e->dir, &e->old);
	if (rc == HT_CLI_GO)
		rc = check_forward(&e->old, &e->docs);
	if (rc == HT_CLI_GO)
		rc = check_root_kept(&e->old, &e->docs);
	return rc == HT_CLI_GO ? make_list(e) : rc;
}

/* The snapshot before, and some grants: the rest is not read again. */
static int
gather_added(struct edition *e)
{
	int rc = ht_cli_old_read(e->dir, &e->old);

	if (rc == HT_CLI_GO)
		rc = ht_cli_add_read(
		    e->dir, &e->root, &e->old, &e->added, &e->docs);
	return rc == HT_CLI_GO ? ht_cli_add_list(&e->old, &e->docs, &e->list,
	                             &e->tree, &e->n)
	                       : rc;
}

/* ---- its note ---- */

static void
snapshot_text(const struct edition *e, struct ht_buf *out)
{
	char when[HT_TIME_SIZE], b64[HT_B64_SIZE(HT_HASH_SIZE)];

	ht_time_text(when, ht_clock_wall_us() / 1000000 * 1000000);
	ht_b64(b64, e->tree.at, sizeof(e->tree.at));
	ht_buf_fmt(out,
	    "hutong: snapshot/v1\n"
	    "catalog: %s\n"
	    "version: %llu\n"
	    "created: %s\n"
	    "count: %zu\n"
	    "root: %s\n",
	    e->root.catalog, (unsigned long long)e->old.version + 1, when, e->n,
	    b64);
}

static int
sign(struct edition *e, const struct ht_key *key, const char *name)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);

	snapshot_text(e, &text);
	return ht_cli_sign_text(&text, name, key, &e->note);
}

/* ---- holding it against itself, and writing ---- */

/* The list was made of them, in this order. */
static enum ht_err
note_of(void *arg, size_t i, const struct ht_list_line *line,
    struct ht_slice *ret_note, const char **ret_name)
{
	const struct ht_docs *docs = arg;

	(void)line;
	*ret_note = docs->at[i]->bytes;
	*ret_name = docs->at[i]->where;
	return HT_OK;
}

/* What a node would refuse is not published at all. */
static int
check_all(struct edition *e)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_trust_unref) struct ht_trust *trust = NULL;
	const struct ht_trust_docs given = {
	    .snapshot = ht_buf_slice(&e->note),
	    .list = ht_buf_slice(&e->list),
	    .note = note_of,
	    .arg = &e->docs,
	};
	enum ht_err err = ht_trust_load(&e->root, &given, NULL, report, &trust);

	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(
	    err, report, "cannot make a snapshot of", "these documents");
}

/*
 * Two files cannot change at once: a reader in between sees a list that does
 * not fit its note, refuses it and looks again.
 */
static int
write_both(const struct edition *e)
{
	int rc = ht_cli_replace_in(e->dir, "snapshot.list", &e->list);

	return rc == HT_CLI_GO
	           ? ht_cli_replace_in(e->dir, "snapshot.note", &e->note)
	           : rc;
}

static void
tell(const struct edition *e)
{
	printf("snapshot %llu of %s: %zu documents\n",
	    (unsigned long long)e->old.version + 1, e->root.catalog, e->n);
	fprintf(stderr,
	    "Put it in force with `hutong catalog freshen %s --key ... --for "
	    "12h`.\n",
	    e->dir);
}

static int
publish(struct edition *e, const char *key_path)
{
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	bool whole = e->added.n == 0;
	struct ht_keyfile file;
	int rc = whole ? gather_all(e) : gather_added(e);

	if (rc == HT_CLI_GO)
		rc = ht_cli_key(key_path, 1u << HT_KEY_SNAPSHOT, &key, &file);
	if (rc == HT_CLI_GO)
		rc = sign(e, key, file.name);
	/* Those that were added are checked, and may lie elsewhere. */
	if (rc == HT_CLI_GO)
		rc = whole ? check_all(e) : ht_cli_add_write(e->dir, &e->docs);
	if (rc == HT_CLI_GO)
		rc = write_both(e);
	if (rc != HT_CLI_GO)
		return rc;
	tell(e);
	return HT_EXIT_OK;
}

static int
snapshot(int argc, char **argv)
{
	HT_AUTO(edition_fini)
	struct edition e = {
	    .old = {.list = HT_BUF(HT_LIST_BYTES)},
	    .list = HT_BUF(HT_LIST_BYTES),
	    .note = HT_BUF(HT_DOC_MAX),
	};
	const char *key = NULL, *root_path = NULL;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("key", "FILE", key, "the snapshot key"),
	    HT_OPT_MAY("root", "FILE", root_path,
	        "the anchor, if not the folder's own root.note"),
	    HT_OPT_LIST("add", "FILE", e.added,
	        "the snapshot before, and this grant; again for each"),
	};
	const struct ht_usage_of takes = {
	    "hutong catalog snapshot DIR --key FILE [--root FILE] [--add FILE "
	    "...]",
	    opts, HT_COUNT(opts), 1, 1};
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc != HT_CLI_GO)
		return rc;
	e.dir = args.at[0];
	rc = ht_cli_anchor(e.dir, root_path, &e.root);
	return rc == HT_CLI_GO ? publish(&e, key) : rc;
}

const struct ht_verb ht_catalog_snapshot = {
    .name = "snapshot",
    .synopsis = "DIR --key FILE [--root FILE] [--add FILE ...]",
    .help = "check all documents of a folder; make its next snapshot",
    .run = snapshot,
};
