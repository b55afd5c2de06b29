/*
 * docs.c -- many documents: an authority's folder, or a folder of drafts.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/files.h"
#include "lib/base/fs.h"

void
ht_docs_fini(struct ht_docs *docs)
{
	for (size_t i = 0; i < docs->n; i++)
		ht_doc_unref(&docs->at[i]);
	free(docs->at);
	docs->at = NULL;
	docs->n = 0;
}

const struct ht_doc *
ht_docs_find(
    const struct ht_docs *docs, enum ht_doc_kind kind, const char *name)
{
	for (size_t i = 0; i < docs->n; i++)
		if (docs->at[i]->kind == kind &&
		    strcmp(docs->at[i]->name, name) == 0)
			return docs->at[i];
	return NULL;
}

struct walk {
	const char *dir;
	struct ht_report *report;
	struct ht_docs *docs;
	bool failed;
	enum ht_err err;
};

/* The file's place must be the one its name gives it. */
static void
check_place(struct walk *w, const char *name, const struct ht_doc *doc)
{
	char path[HT_DOC_PATH_MAX], where[HT_WHERE_SIZE];

	ht_doc_path(doc->kind, doc->name, path);
	if (strcmp(path, name) == 0)
		return;
	ht_doc_place(doc, w->report, where, "%s", ht_doc_kind_text(doc->kind));
	ht_report_add(w->report, where,
	    "this is the %s %s, whose place is %s; move it there",
	    ht_doc_kind_text(doc->kind), doc->name, path);
	w->failed = true;
}

static bool
ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len > end_len && strcmp(text + len - end_len, end) == 0;
}

static struct ht_doc *
take_path(struct walk *w, const char *path)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;

	if (ht_doc_read(path, w->report, &doc) != HT_OK) {
		w->failed = true;
		return NULL;
	}
	if (ht_docs_add(w->docs, doc) != HT_OK) {
		w->err = HT_ENOMEM;
		return NULL;
	}
	return HT_TAKE(doc);
}

static void
take_file(struct walk *w, const char *name)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(w->dir, name);
	struct ht_doc *doc;

	if (path == NULL) {
		w->err = HT_ENOMEM;
		return;
	}
	doc = take_path(w, path);
	if (doc == NULL)
		return;
	if (name[0] == 'r' && strchr(name, '@') != NULL)
		ht_doc_past_root(doc);
	check_place(w, name, doc);
}

/* root@1.note and so on: what members who were away follow. */
static void
take_past_roots(struct walk *w)
{
	struct dirent **entries = NULL;
	int n = scandir(w->dir, &entries, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		const char *entry = entries[i]->d_name;

		if (strncmp(entry, "root@", 5) == 0 && ends_in(entry, ".note"))
			take_file(w, entry);
		free(entries[i]);
	}
	free(entries);
}

/* Two levels: <kind>/<domain>/<name>.note. */
static void
take_folder(struct walk *w, const char *name, unsigned depth)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(w->dir, name);
	struct dirent **entries = NULL;
	int n = path == NULL ? -1 : scandir(path, &entries, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		const char *entry = entries[i]->d_name;
		HT_AUTO(ht_mem_free) char *below = ht_fs_join(name, entry);

		if (below == NULL)
			w->err = HT_ENOMEM;
		else if (entry[0] != '.' && depth == 0)
			take_folder(w, below, 1);
		else if (entry[0] != '.' && ends_in(entry, ".note"))
			take_file(w, below);
		free(entries[i]);
	}
	free(entries);
}

static int
by_line(const void *a, const void *b)
{
	const struct ht_doc *const *x = a, *const *y = b;
	int order =
	    strcmp(ht_doc_kind_text((*x)->kind), ht_doc_kind_text((*y)->kind));

	return order != 0 ? order : strcmp((*x)->name, (*y)->name);
}

void
ht_docs_sort(struct ht_docs *docs)
{
	if (docs->n > 0)
		qsort(docs->at, docs->n, sizeof(*docs->at), by_line);
}

enum ht_err
ht_docs_add(struct ht_docs *docs, struct ht_doc *doc)
{
	struct ht_doc **more =
	    realloc(docs->at, (docs->n + 1) * sizeof(*docs->at));

	if (more == NULL)
		return HT_ENOMEM;
	docs->at = more;
	docs->at[docs->n++] = doc;
	return HT_OK;
}

static bool
has_root(const char *dir)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(dir, "root.note");

	return path == NULL || access(path, F_OK) == 0 || errno != ENOENT;
}

static void
take_authority(struct walk *w)
{
	static const char *const folders[] = {
	    "epochs", "grants", "items", "members"};

	take_file(w, "root.note");
	take_past_roots(w);
	for (size_t i = 0; i < HT_COUNT(folders); i++)
		take_folder(w, folders[i], 0);
}

int
ht_cli_docs(const char *dir, struct ht_docs *ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_docs_fini) struct ht_docs docs = {0, NULL};
	struct walk walk = {.dir = dir, .report = report, .docs = &docs};

	if (!has_root(dir))
		return ht_cli_fail(HT_EXIT_UNAVAILABLE,
		    "%s: it has no root.note, so it is not an authority's "
		    "folder (root.note, members/, items/, grants/, epochs/); "
		    "drafts are for `hutong catalog check`, `sign`, `diff` "
		    "and `export`",
		    dir);
	take_authority(&walk);
	if (walk.err != HT_OK)
		return ht_cli_error(walk.err, NULL, "cannot read", dir);
	if (walk.failed) {
		ht_cli_report(report);
		return HT_EXIT_REFUSED;
	}
	ht_docs_sort(&docs);
	*ret = docs;
	docs = (struct ht_docs){0, NULL};
	return HT_CLI_GO;
}

/* ---- a folder of drafts ---- */

#define DRAFT_HEAD  65536 /* bytes that a document's label is looked for in */
#define DRAFT_DEPTH 4     /* folders in folders: an authority's has three */

/*
 * YAML is written for other things, too: configurations lie beside drafts.  A
 * document has a line "hutong: ...", well written or not; in UTF-16 nothing is
 * found, and it is told that this is no UTF-8.
 */
static bool
is_document(const char *path)
{
	HT_AUTO(ht_buf_fini) struct ht_buf head = HT_BUF(DRAFT_HEAD);
	struct ht_slice text;

	if (ends_in(path, ".note") || ht_fs_read(path, &head) != HT_OK)
		return true;
	text = ht_buf_slice(&head);
	if (memmem(text.at, text.len, "\0", 1) != NULL)
		return true;
	return text.len >= 7 &&
	       (memmem(text.at, text.len < 10 ? text.len : 10, "hutong:", 7) !=
	               NULL ||
	           memmem(text.at, text.len, "\nhutong:", 8) != NULL);
}

static void
take_draft(struct walk *w, const char *path)
{
	if (!ends_in(path, ".yaml") && !ends_in(path, ".yml") &&
	    !ends_in(path, ".note"))
		return;
	if (is_document(path))
		(void)take_path(w, path);
	else
		(void)ht_cli_fail(0,
		    "%s: passed over: it has no line \"hutong: <kind>/v1\", so "
		    "it is no document",
		    path);
}

static void
take_drafts(struct walk *w, const char *dir, unsigned depth)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, NULL, alphasort);
	struct stat st;

	if (n < 0 || depth == DRAFT_DEPTH) {
		ht_report_add(w->report, dir, "cannot be read: %s",
		    n < 0 ? strerror(errno)
		          : "folders too deep within each other");
		w->failed = true;
	}
	for (int i = 0; i < n; i++) {
		HT_AUTO(ht_mem_free)
		char *path = ht_fs_join(dir, entries[i]->d_name);

		if (path == NULL)
			w->err = HT_ENOMEM;
		else if (entries[i]->d_name[0] == '.' || depth == DRAFT_DEPTH ||
		         stat(path, &st) != 0)
			; /* hidden, or gone */
		else if (S_ISDIR(st.st_mode))
			take_drafts(w, path, depth + 1);
		else
			take_draft(w, path);
		free(entries[i]);
	}
	free(entries);
}

static int
take_dir(struct walk *w, enum ht_docs_from *ret)
{
	size_t before = w->docs->n;

	*ret = has_root(w->dir) ? HT_DOCS_AUTHORITY : HT_DOCS_DRAFTS;
	if (*ret == HT_DOCS_AUTHORITY)
		take_authority(w);
	else
		take_drafts(w, w->dir, 0);
	if (w->err != HT_OK)
		return ht_cli_error(w->err, NULL, "cannot read", w->dir);
	ht_cli_report(w->report);
	if (w->failed)
		return HT_EXIT_REFUSED;
	if (w->docs->n > before)
		return HT_CLI_GO;
	return ht_cli_fail(HT_EXIT_UNAVAILABLE,
	    "%s: there is no document in it: neither root.note, as in an "
	    "authority's folder, nor a draft (*.yaml, *.note) that begins "
	    "with \"hutong: <kind>/v1\"",
	    w->dir);
}

int
ht_cli_docs_at(const char *path, struct ht_docs *to, enum ht_docs_from *ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	struct walk walk = {.dir = path, .report = report, .docs = to};
	enum ht_err err;
	struct stat st;
	int rc;

	*ret = HT_DOCS_FILE;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return take_dir(&walk, ret);
	rc = ht_cli_doc(path, &doc);
	if (rc != HT_CLI_GO)
		return rc;
	err = ht_docs_add(to, doc);
	if (err != HT_OK)
		return ht_cli_error(err, NULL, "cannot read", path);
	doc = NULL;
	return HT_CLI_GO;
}
