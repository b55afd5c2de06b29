/*
 * catalog_sheet.c -- hutong catalog export and import: the catalog as a
 * spreadsheet, and back as drafts.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "adapters/cli/catalog.h"
#include "lib/base/fs.h"
#include "lib/base/text.h"
#include "schemas/sheet.h"

#define SHEET_MAX (2 * HT_CSV_BYTES) /* GB 18030 may need more than UTF-8 */

/* ---- export ---- */

static int
encode(const char *encoding, const struct ht_buf *text, struct ht_buf *out)
{
	size_t bad;
	enum ht_err err;

	if (encoding != NULL && strcmp(encoding, "gb18030") == 0) {
		err = ht_text_to_gb18030(ht_buf_slice(text), out, &bad);
		return err == HT_OK
		           ? HT_CLI_GO
		           : ht_cli_error(err, NULL, "cannot write", encoding);
	}
	if (encoding != NULL && strcmp(encoding, "utf-8") != 0)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--encoding is utf-8 (with a byte order mark, which "
		    "spreadsheets want) or gb18030, not \"%s\"",
		    encoding);
	ht_buf_str(out, "\xef\xbb\xbf");
	ht_buf_add(out, text->at, text->len);
	return out->err == HT_OK
	           ? HT_CLI_GO
	           : ht_cli_error(out->err, NULL, "cannot write", "the sheet");
}

static int
read_all(const struct ht_args *args, struct ht_docs *docs)
{
	enum ht_docs_from from;
	int rc = HT_CLI_GO;

	for (size_t i = 0; i < args->n && rc == HT_CLI_GO; i++)
		rc = ht_cli_docs_at(args->at[i], docs, &from);
	ht_docs_sort(docs);
	return rc;
}

static int export(int argc, char **argv)
{
	HT_AUTO(ht_docs_fini) struct ht_docs docs = {0, NULL};
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_CSV_BYTES);
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(SHEET_MAX);
	const char *encoding = NULL, *out = "-";
	const struct ht_opt opts[] = {
	    HT_OPT_MAY("encoding", "NAME", encoding,
	        "utf-8 (default, with a byte order mark) or gb18030"),
	    HT_OPT_MAY("out", "FILE", out, "a new file; else standard output"),
	};
	const struct ht_usage_of takes = {
	    "hutong catalog export FILE|DIR ... [--encoding utf-8|gb18030] "
	    "[--out FILE]",
	    opts, HT_COUNT(opts), 1, HT_ARGS_MAX};
	struct ht_args args;
	enum ht_err err;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = read_all(&args, &docs);
	if (rc != HT_CLI_GO)
		return rc;
	err = ht_sheet_write(docs.at, docs.n, &text);
	if (err != HT_OK)
		return ht_cli_error(err, NULL, "cannot make", "the sheet");
	rc = encode(encoding, &text, &bytes);
	if (rc == HT_CLI_GO)
		rc = ht_cli_write_new(out, 0644, ht_buf_slice(&bytes));
	return rc == HT_CLI_GO ? HT_EXIT_OK : rc;
}

const struct ht_verb ht_catalog_export = {
    .name = "export",
    .synopsis = "FILE|DIR ... [--encoding utf-8|gb18030] [--out FILE]",
    .help = "the items as a spreadsheet, a row a field",
    .run = export,
};

/* ---- import ---- */

/* What becomes of an item of the sheet. */
struct fate {
	const struct ht_doc *with; /* the one there is; NULL: it is new */
	struct ht_sheet_next next;
	struct ht_buf draft;    /* empty: nothing is to be done */
	struct ht_report *said; /* where it differs */
	struct ht_report *why;  /* it is a new version */
};

struct import {
	const char *path;
	const char *out;
	const char *dir;
	struct ht_docs docs;
	struct ht_sheet *sheet;
	struct ht_report *report; /* what is wrong with the sheet */
	struct fate *fates;
	size_t drafted, revised;
};

static void
import_fini(struct import *m)
{
	for (size_t i = 0; m->fates != NULL && i < ht_sheet_items(m->sheet);
	     i++) {
		ht_buf_fini(&m->fates[i].draft);
		ht_report_free(&m->fates[i].said);
		ht_report_free(&m->fates[i].why);
	}
	free(m->fates);
	ht_docs_fini(&m->docs);
	ht_sheet_free(&m->sheet);
	ht_report_free(&m->report);
}

static int
read_sheet(struct import *m)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(SHEET_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(SHEET_MAX);
	enum ht_err err;
	int rc = ht_cli_read(m->path, &bytes);

	if (rc != HT_CLI_GO)
		return rc;
	err = ht_sheet_decode(ht_buf_slice(&bytes), m->path, m->report, &text);
	if (err == HT_OK)
		err = ht_sheet_read(
		    ht_buf_slice(&text), m->path, m->report, &m->sheet);
	if (err != HT_OK)
		return ht_cli_error(err, m->report, "cannot read", m->path);
	if (ht_sheet_items(m->sheet) == 0)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s has headings and no items: fill in a row for each "
		    "field of an item",
		    m->path);
	return HT_CLI_GO;
}

/* Before anything is read: a path that was mistyped costs no work. */
static int
check_out(const char *out)
{
	struct stat st;

	if (stat(out, &st) == 0 && S_ISDIR(st.st_mode))
		return HT_CLI_GO;
	return ht_cli_fail(HT_EXIT_REFUSED,
	    "%s, where the drafts are to go, is no folder: make it first "
	    "(mkdir %s), or name another with --out",
	    out, out);
}

/* The item of that name and version, or the newest before it. */
static const struct ht_doc *
find_before(const struct import *m, const char *name)
{
	const struct ht_doc *found = ht_docs_find(&m->docs, HT_DOC_ITEM, name);
	size_t len = strcspn(name, "@");
	unsigned long version = strtoul(name + len + 1, NULL, 10);

	for (size_t i = 0; found == NULL && i < m->docs.n; i++) {
		const struct ht_doc *doc = m->docs.at[i];

		if (doc->kind == HT_DOC_ITEM &&
		    strlen(doc->item->name) == len &&
		    strncmp(doc->item->name, name, len) == 0 &&
		    doc->item->version < version)
			found = doc;
	}
	for (size_t i = 0; found != NULL && i < m->docs.n; i++) {
		const struct ht_doc *doc = m->docs.at[i];

		if (doc->kind == HT_DOC_ITEM &&
		    strcmp(doc->item->name, found->item->name) == 0 &&
		    doc->item->version > found->item->version &&
		    doc->item->version <= version)
			found = doc;
	}
	return found;
}

static enum ht_err
draft_one(struct import *m, size_t i, const char *name)
{
	struct fate *f = &m->fates[i];
	const struct ht_sheet_says to = {
	    m->report, f->said = ht_report_new(), f->why = ht_report_new()};

	f->draft = HT_BUF(HT_DOC_MAX);
	f->with = find_before(m, name);
	if (f->with == NULL)
		return ht_sheet_draft(m->sheet, i, m->report, &f->draft);
	return ht_sheet_revise(m->sheet, i, m->docs.at, m->docs.n, f->with, &to,
	    &f->next, &f->draft);
}

/* All drafts are made before one is written: a sheet is taken whole or not. */
static int
draft_all(struct import *m)
{
	for (size_t i = 0; i < ht_sheet_items(m->sheet); i++) {
		char name[HT_DOC_NAME_MAX + 1];
		enum ht_err err;

		ht_sheet_name(m->sheet, i, name);
		err = draft_one(m, i, name);
		if (err != HT_OK && err != HT_EINVALID && err != HT_EMALFORMED)
			return ht_cli_error(err, NULL, "cannot draft", name);
	}
	if (ht_report_count(m->report) == 0)
		return HT_CLI_GO;
	return ht_cli_error(HT_EINVALID, m->report, "cannot take", m->path);
}

/* ---- what was drafted ---- */

static void
say_fate(const struct import *m, size_t i, const char *path)
{
	const struct fate *f = &m->fates[i];
	const char *name = f->with != NULL ? f->with->item->name : "";

	if (f->with == NULL) {
		printf("%s: drafted from line %zu\n", path,
		    ht_sheet_line(m->sheet, i));
		return;
	}
	ht_report_print(f->said, stdout);
	if (f->next.version == f->with->item->version) {
		printf("%s: drafted as revision %llu of %s@%u\n", path,
		    (unsigned long long)f->next.revision, name,
		    f->next.version);
		return;
	}
	printf("%s: drafted as version %u of %s, after version %u\n", path,
	    f->next.version, name, f->with->item->version);
	for (unsigned w = 0; w < ht_report_count(f->why) && w < HT_FINDINGS_MAX;
	     w++)
		printf("  %s\n", ht_report_text(f->why, w));
	printf("  say in the next revision of %s@%u until when it is served "
	       "('until')\n",
	    name, f->with->item->version);
}

static int
write_one(struct import *m, size_t i)
{
	struct fate *f = &m->fates[i];
	char name[HT_DOC_NAME_MAX + 1], file[HT_DOC_NAME_MAX + 24];
	HT_AUTO(ht_mem_free) char *path = NULL;
	int rc;

	ht_sheet_name(m->sheet, i, name);
	if (f->with != NULL)
		(void)snprintf(name, sizeof(name), "%s@%u", f->with->item->name,
		    f->next.version);
	(void)snprintf(file, sizeof(file), "%s.yaml", strchr(name, '/') + 1);
	path = ht_fs_join(m->out, file);
	if (path == NULL)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot write", file);
	rc = ht_cli_write_new(path, 0644, ht_buf_slice(&f->draft));
	if (rc == HT_CLI_GO)
		say_fate(m, i, path);
	return rc;
}

static int
write_all(struct import *m)
{
	for (size_t i = 0; i < ht_sheet_items(m->sheet); i++) {
		int rc = HT_CLI_GO;

		if (m->fates[i].draft.len == 0)
			continue;
		rc = write_one(m, i);
		if (rc != HT_CLI_GO)
			return rc;
		if (m->fates[i].with == NULL)
			m->drafted++;
		else
			m->revised++;
	}
	return HT_CLI_GO;
}

static int
take(struct import *m)
{
	size_t n = ht_sheet_items(m->sheet);
	int rc;

	m->fates = calloc(n, sizeof(*m->fates));
	if (m->fates == NULL)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot draft", m->path);
	rc = draft_all(m);
	if (rc == HT_CLI_GO)
		rc = write_all(m);
	if (rc != HT_CLI_GO)
		return rc;
	printf("%zu items: %zu drafted, %zu changed, %zu as they are in the "
	       "catalog\n",
	    n, m->drafted, m->revised, n - m->drafted - m->revised);
	if (m->drafted + m->revised == 0)
		printf("nothing is to be done\n");
	return HT_EXIT_OK;
}

static int
import(int argc, char **argv)
{
	HT_AUTO(import_fini)
	struct import m = {.report = ht_report_new()};
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("out", "DIR", m.out,
	        "a folder for the drafts; nothing is overwritten"),
	    HT_OPT_MAY("dir", "DIR", m.dir,
	        "the authority's folder: what is there is changed, not drafted "
	        "anew"),
	};
	const struct ht_usage_of takes = {
	    "hutong catalog import FILE --out DIR [--dir DIR]", opts,
	    HT_COUNT(opts), 1, 1};
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc != HT_CLI_GO)
		return rc;
	m.path = args.at[0];
	rc = check_out(m.out);
	if (rc == HT_CLI_GO && m.dir != NULL)
		rc = ht_cli_docs(m.dir, &m.docs);
	if (rc == HT_CLI_GO)
		rc = read_sheet(&m);
	return rc == HT_CLI_GO ? take(&m) : rc;
}

const struct ht_verb ht_catalog_import = {
    .name = "import",
    .synopsis = "FILE --out DIR [--dir DIR]",
    .help = "drafts of the items of a spreadsheet that are new or changed",
    .run = import,
};
