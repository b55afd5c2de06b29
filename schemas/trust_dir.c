/*
 * trust_dir.c -- an authority's folder (docs/trust.md, "On disk").  The list
 * says which files to read; what else lies there is nobody's business.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "schemas/trust_in.h"

struct folder {
	const char *dir;
	struct ht_report *report;
	enum ht_err err; /* the first file that could not be read */
	struct ht_buf snapshot;
	struct ht_buf list;
	struct ht_buf current;
	size_t n, room;
	struct file {
		struct ht_buf note;
		char name[HT_DOC_PATH_MAX];
	} * *files; /* documents, as far as they were asked for */
};

static void
folder_fini(struct folder *f)
{
	ht_buf_fini(&f->snapshot);
	ht_buf_fini(&f->list);
	ht_buf_fini(&f->current);
	for (size_t i = 0; i < f->n; i++) {
		ht_buf_fini(&f->files[i]->note);
		free(f->files[i]);
	}
	free(f->files);
}

static enum ht_err
read_file(struct folder *f, const char *name, struct ht_buf *ret)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(f->dir, name);
	enum ht_err err;

	if (path == NULL)
		return HT_ENOMEM;
	err = ht_fs_read(path, ret);
	if (err == HT_ETOOBIG)
		ht_report_add(f->report, path,
		    "larger than the %zu bytes that it may have", ret->max);
	else if (err != HT_OK && err != HT_ENOMEM)
		ht_report_add(f->report, path, "cannot be read: %s",
		    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
	return err;
}

static enum ht_err
new_file(struct folder *f, struct file **ret)
{
	struct file *file = calloc(1, sizeof(*file));

	if (f->n == f->room) {
		size_t room = f->room * 2 + 16;
		struct file **files =
		    realloc(f->files, room * sizeof(struct file *));

		if (files != NULL) {
			f->files = files;
			f->room = room;
		}
	}
	if (file == NULL || f->n == f->room) {
		free(file);
		return HT_ENOMEM;
	}
	file->note = HT_BUF(HT_DOC_MAX);
	*ret = f->files[f->n++] = file;
	return HT_OK;
}

/* All that cannot be read is said, not the first alone. */
static enum ht_err
read_note(void *arg, size_t i, const struct ht_list_line *line,
    struct ht_slice *ret_note, const char **ret_name)
{
	struct folder *f = arg;
	struct file *file;
	enum ht_err err = new_file(f, &file);

	(void)i;
	if (err != HT_OK)
		return err;
	ht_doc_path(line->kind, line->name, file->name);
	err = read_file(f, file->name, &file->note);
	if (err != HT_OK && f->err == HT_OK)
		f->err = err;
	*ret_note = ht_buf_slice(&file->note);
	*ret_name = file->name;
	return err;
}

static enum ht_err
read_folder(struct folder *f)
{
	enum ht_err err;

	f->snapshot = HT_BUF(HT_DOC_MAX);
	f->current = HT_BUF(HT_DOC_MAX);
	f->list = HT_BUF(HT_LIST_BYTES);
	err = read_file(f, "snapshot.note", &f->snapshot);
	if (err == HT_OK)
		err = read_file(f, "snapshot.list", &f->list);
	if (err == HT_OK)
		err = read_file(f, "current.note", &f->current);
	if (err != HT_OK || f->current.len > 0)
		return err;
	/* Without it nothing would be in force, and nothing suspended. */
	ht_report_add(f->report, "current.note",
	    "it is empty; make a new one: hutong catalog freshen");
	return HT_EINVALID;
}

/* @reuse: documents that stand in @before need not be read. */
static enum ht_err
load_folder(const struct ht_root *root, const char *dir,
    const struct ht_trust *before, bool reuse, struct ht_report *report,
    struct ht_trust **ret_trust)
{
	HT_AUTO(folder_fini)
	struct folder f = {.dir = dir, .report = report};
	struct ht_trust_docs docs = {
	    .note = read_note, .arg = &f, .reuse = reuse};
	enum ht_err err = read_folder(&f);

	if (err == HT_OK) {
		docs.snapshot = ht_buf_slice(&f.snapshot);
		docs.list = ht_buf_slice(&f.list);
		docs.taken = &f.list;
		docs.current = ht_buf_slice(&f.current);
		err = ht_trust_load(root, &docs, before, report, ret_trust);
	}
	/* What cannot be read is no contradiction of those who signed. */
	if (err != HT_OK && err != HT_ENOMEM && f.err != HT_OK)
		err = f.err;
	return err == HT_EMALFORMED ? HT_EINVALID : err;
}

/*
 * One document among a hundred thousand is read alone.  Where that does not
 * hold, all are: a text that stayed the same may have other signatures now.
 */
enum ht_err
ht_trust_load_dir(const struct ht_root *root, const char *dir,
    const struct ht_trust *before, struct ht_report *report,
    struct ht_trust **ret_trust)
{
	if (before != NULL &&
	    load_folder(root, dir, before, true, NULL, ret_trust) == HT_OK)
		return HT_OK;
	return load_folder(root, dir, before, false, report, ret_trust);
}
