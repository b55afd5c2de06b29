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
	int rc = HT_CLI_GO;

	for (size_t i = 0; i < args->n && rc == HT_CLI_GO; i++)
		rc = ht_cli_docs_at(args->at[i], docs);
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

struct import {
	const char *path;
	const char *out;
	const char *dir;
	struct ht_docs docs;
	struct ht_sheet *sheet;
	struct ht_report *report; /* what is wrong with the sheet */
	struct ht_report *other;  /* where it and the catalog differ */
	size_t drafted;
};

static void
import_fini(struct import *m)
{
	ht_docs_fini(&m->docs);
	ht_sheet_free(&m->sheet);
	ht_report_free(&m->report);
	ht_report_free(&m->other);
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

/* All drafts are made before one is written: a sheet is taken whole or not. */
static int
draft_all(struct import *m, struct ht_buf *drafts)
{
	for (size_t i = 0; i < ht_sheet_items(m->sheet); i++) {
		char name[HT_DOC_NAME_MAX + 1];
		const struct ht_doc *with;
		enum ht_err err;

		drafts[i] = HT_BUF(HT_DOC_MAX);
		ht_sheet_name(m->sheet, i, name);
		with = ht_docs_find(&m->docs, HT_DOC_ITEM, name);
		if (with == NULL)
			err =
			    ht_sheet_draft(m->sheet, i, m->report, &drafts[i]);
		else
			err = ht_sheet_compare(
			    m->sheet, i, m->docs.at, m->docs.n, with, m->other);
		if (err == HT_ENOMEM || err == HT_ETOOBIG)
			return ht_cli_error(err, NULL, "cannot draft", name);
	}
	if (ht_report_count(m->report) == 0)
		return HT_CLI_GO;
	return ht_cli_error(HT_EINVALID, m->report, "cannot take", m->path);
}

static int
write_all(struct import *m, const struct ht_buf *drafts)
{
	for (size_t i = 0; i < ht_sheet_items(m->sheet); i++) {
		char name[HT_DOC_NAME_MAX + 1], file[HT_DOC_NAME_MAX + 8];
		HT_AUTO(ht_mem_free) char *path = NULL;
		int rc;

		if (drafts[i].len == 0)
			continue;
		ht_sheet_name(m->sheet, i, name);
		(void)snprintf(
		    file, sizeof(file), "%s.yaml", strchr(name, '/') + 1);
		path = ht_fs_join(m->out, file);
		if (path == NULL)
			return ht_cli_error(
			    HT_ENOMEM, NULL, "cannot write", file);
		rc = ht_cli_write_new(path, 0644, ht_buf_slice(&drafts[i]));
		if (rc != HT_CLI_GO)
			return rc;
		printf("%s: drafted from line %zu\n", path,
		    ht_sheet_line(m->sheet, i));
		m->drafted++;
	}
	return HT_CLI_GO;
}

static int
take(struct import *m)
{
	size_t n = ht_sheet_items(m->sheet);
	HT_AUTO(ht_mem_free)
	struct ht_buf *drafts = calloc(n + 1, sizeof(*drafts));
	int rc;

	if (drafts == NULL)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot draft", m->path);
	rc = draft_all(m, drafts);
	if (rc == HT_CLI_GO)
		rc = write_all(m, drafts);
	for (size_t i = 0; i < n; i++)
		ht_buf_fini(&drafts[i]);
	if (rc != HT_CLI_GO)
		return rc;
	printf("%zu items: %zu drafted, %zu in the catalog already\n", n,
	    m->drafted, n - m->drafted);
	if (ht_report_count(m->other) == 0)
		return HT_EXIT_OK;
	ht_cli_report(m->other);
	return ht_cli_fail(HT_EXIT_REFUSED,
	    "the sheet differs from %s at %u places: change the documents "
	    "there, with their next revision, or the sheet",
	    m->dir, ht_report_count(m->other));
}

static int
import(int argc, char **argv)
{
	HT_AUTO(import_fini)
	struct import m = {.report = ht_report_new(), .other = ht_report_new()};
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("out", "DIR", m.out,
	        "a folder for the drafts; nothing is overwritten"),
	    HT_OPT_MAY("dir", "DIR", m.dir,
	        "the authority's folder: what is there is compared instead"),
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
    .help = "drafts of the items of a spreadsheet; or where it differs",
    .run = import,
};
