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
	const struct ht_trust *before; /* not NULL: what it has is not read */
	struct ht_report *report;
	struct ht_buf snapshot;
	struct ht_buf list;
	struct ht_buf current;
	struct ht_list_line *lines;
	size_t n;
	struct ht_buf *notes;
	struct ht_slice *slices;
	char (*names)[HT_DOC_PATH_MAX];
	const char **name_at;
};

static void
folder_fini(struct folder *f)
{
	ht_buf_fini(&f->snapshot);
	ht_buf_fini(&f->list);
	ht_buf_fini(&f->current);
	for (size_t i = 0; f->notes != NULL && i < f->n; i++)
		ht_buf_fini(&f->notes[i]);
	free(f->lines);
	free(f->notes);
	free(f->slices);
	free(f->names);
	free(f->name_at);
}

static enum ht_err
read_file(struct folder *f, const char *name, struct ht_buf *ret)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(f->dir, name);
	enum ht_err err;

	if (path == NULL)
		return HT_ENOMEM;
	err = ht_fs_read(path, ret);
	if (err != HT_OK && err != HT_ENOMEM)
		ht_report_add(f->report, path, "cannot be read: %s",
		    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
	return err;
}

static enum ht_err
make_room(struct folder *f)
{
	f->notes = calloc(f->n + 1, sizeof(*f->notes));
	f->slices = calloc(f->n + 1, sizeof(*f->slices));
	f->names = calloc(f->n + 1, sizeof(*f->names));
	f->name_at = calloc(f->n + 1, sizeof(*f->name_at));
	return f->notes == NULL || f->slices == NULL || f->names == NULL ||
	               f->name_at == NULL
	           ? HT_ENOMEM
	           : HT_OK;
}

/* The hash of its text is the same: it is the document that we have. */
static bool
had_before(struct folder *f, size_t i)
{
	const struct ht_list_line *line = &f->lines[i];
	const struct ht_doc *doc;
	uint8_t room[HT_DOC_KEY_MAX];
	size_t old;

	if (f->before == NULL || !ht_index_get(f->before->base->by_doc,
	                             ht_doc_key(ht_doc_kind_text(line->kind),
	                                 ht_slice_str(line->name), room),
	                             &old))
		return false;
	doc = f->before->base->docs[old];
	if (!ht_hash_eq(&doc->hash, &line->hash))
		return false;
	f->slices[i] = doc->bytes;
	return true;
}

/* All that cannot be read is said, not the first alone. */
static enum ht_err
read_notes(struct folder *f)
{
	enum ht_err err, first = HT_OK;

	for (size_t i = 0; i < f->n; i++) {
		f->notes[i] = HT_BUF(HT_DOC_MAX + 1);
		ht_doc_path(f->lines[i].kind, f->lines[i].name, f->names[i]);
		f->name_at[i] = f->names[i];
		if (had_before(f, i))
			continue;
		err = read_file(f, f->names[i], &f->notes[i]);
		if (err == HT_ENOMEM)
			return err;
		if (first == HT_OK)
			first = err;
		f->slices[i] = ht_buf_slice(&f->notes[i]);
	}
	return first;
}

static enum ht_err
read_folder(struct folder *f)
{
	enum ht_err err;

	f->snapshot = HT_BUF(HT_DOC_MAX);
	f->current = HT_BUF(HT_DOC_MAX);
	f->list = HT_BUF(HT_LIST_MAX * (HT_DOC_NAME_MAX + 128));
	err = read_file(f, "snapshot.note", &f->snapshot);
	if (err == HT_OK)
		err = read_file(f, "snapshot.list", &f->list);
	if (err == HT_OK)
		err = read_file(f, "current.note", &f->current);
	if (err == HT_OK)
		err = ht_list_parse(ht_buf_slice(&f->list), "snapshot.list",
		    f->report, &f->lines, &f->n);
	if (err == HT_OK)
		err = make_room(f);
	return err == HT_OK ? read_notes(f) : err;
}

/* @known: documents that stand in it need not be read. */
static enum ht_err
load_folder(const struct ht_root *root, const char *dir,
    const struct ht_trust *before, const struct ht_trust *known,
    struct ht_report *report, struct ht_trust **ret_trust)
{
	HT_AUTO(folder_fini)
	struct folder f = {.dir = dir, .before = known, .report = report};
	struct ht_trust_docs docs;
	enum ht_err err = read_folder(&f);

	if (err != HT_OK)
		return err == HT_EMALFORMED ? HT_EINVALID : err;
	docs = (struct ht_trust_docs){
	    .snapshot = ht_buf_slice(&f.snapshot),
	    .list = ht_buf_slice(&f.list),
	    .current = ht_buf_slice(&f.current),
	    .n = f.n,
	    .notes = f.slices,
	    .names = f.name_at,
	    .in_order = true,
	};
	return ht_trust_load(root, &docs, before, report, ret_trust);
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
	    load_folder(root, dir, before, before, NULL, ret_trust) == HT_OK)
		return HT_OK;
	return load_folder(root, dir, before, NULL, report, ret_trust);
}
