#include "adapters/casebook.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/fs.h"

#define FOLDER_MODE 0750
#define FILE_MODE   0640
#define HASH_DIGITS 16
#define STAMP       "20261124T010203.123Z"
#define SUFFIX      ".note"

/* ---- receipts ---- */

static void
stamp(uint64_t ms, char out[static sizeof(STAMP)])
{
	char text[HT_TIME_SIZE];

	ht_time_text(text, ms * 1000);
	(void)snprintf(out, sizeof(STAMP), "%.4s%.2s%.2sT%.2s%.2s%.2s.%03uZ",
	    text, text + 5, text + 8, text + 11, text + 14, text + 17,
	    (unsigned)(ms % 1000));
}

enum ht_err
ht_receipt_parse(const char *t, uint64_t *ret_ms)
{
	char text[HT_TIME_SIZE], again[sizeof(STAMP)];
	uint64_t us;

	if (strlen(t) != HT_RECEIPT_SIZE - 1 || t[20] != '-' ||
	    strspn(t + 21, "0123456789abcdef") != HASH_DIGITS)
		return HT_EMALFORMED;
	(void)snprintf(text, sizeof(text),
	    "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s.%.3sZ", t, t + 4, t + 6, t + 9,
	    t + 11, t + 13, t + 16);
	if (ht_time_parse(ht_slice_str(text), &us) != HT_OK)
		return HT_EMALFORMED;
	stamp(us / 1000, again);
	if (strncmp(again, t, sizeof(STAMP) - 1) != 0)
		return HT_EMALFORMED;
	*ret_ms = us / 1000;
	return HT_OK;
}

void
ht_casebook_receipt(const struct ht_casebook *book, const struct ht_doc *doc,
    uint64_t now_ms, char out[static HT_RECEIPT_SIZE])
{
	char time[sizeof(STAMP)], hex[2 * HT_HASH_SIZE + 1];

	/* A clock that was set back must not hide a note from those who ask
	 * for what came after the last one. */
	if (book->n_notes > 0 &&
	    now_ms <= book->notes[book->n_notes - 1].received_ms)
		now_ms = book->notes[book->n_notes - 1].received_ms + 1;
	stamp(now_ms, time);
	ht_hex(hex, doc->hash.at, sizeof(doc->hash.at));
	(void)snprintf(out, HT_RECEIPT_SIZE, "%s-%.*s", time, HASH_DIGITS, hex);
}

/* ---- what is there ---- */

const struct ht_case_file *
ht_casebook_file(const struct ht_casebook *book, const char *name)
{
	for (size_t i = 0; i < book->n_files; i++)
		if (strcmp(book->files[i].name, name) == 0)
			return &book->files[i];
	return NULL;
}

const struct ht_case_note *
ht_casebook_note(const struct ht_casebook *book, const struct ht_doc *doc)
{
	for (size_t i = 0; i < book->n_notes; i++)
		if (ht_hash_eq(&book->notes[i].doc->hash, &doc->hash))
			return &book->notes[i];
	return NULL;
}

const struct ht_case_note *
ht_casebook_application(
    const struct ht_casebook *book, const struct ht_case_file *file)
{
	return file->now.application != NULL
	           ? ht_casebook_note(book, file->now.application)
	           : NULL;
}

/* ---- taking a note in ---- */

static enum ht_err
make_room(struct ht_casebook *book)
{
	struct ht_case_note *notes =
	    realloc(book->notes, (book->n_notes + 1) * sizeof(*book->notes));
	struct ht_case_file *files;

	if (notes == NULL)
		return HT_ENOMEM;
	book->notes = notes;
	files =
	    realloc(book->files, (book->n_files + 1) * sizeof(*book->files));
	if (files == NULL)
		return HT_ENOMEM;
	book->files = files;
	return HT_OK;
}

/* Its file, or a new one behind the last, which does not count yet. */
static struct ht_case_file *
file_for(struct ht_casebook *book, const struct ht_doc *doc)
{
	struct ht_case_file *file;

	for (size_t i = 0; i < book->n_files; i++)
		if (strcmp(book->files[i].name, doc->name) == 0)
			return &book->files[i];
	file = &book->files[book->n_files];
	*file = (struct ht_case_file){0};
	(void)snprintf(file->name, sizeof(file->name), "%s", doc->name);
	if (doc->kind != HT_DOC_APPLICATION)
		return file;
	(void)snprintf(file->applicant, sizeof(file->applicant), "%s",
	    doc->application->asks.grant.consumer);
	(void)snprintf(file->provider, sizeof(file->provider), "%s",
	    doc->application->asks.grant.provider);
	return file;
}

static void
file_note(struct ht_casebook *book, struct ht_case_file *file,
    const struct ht_case *now, struct ht_doc *doc, const char *receipt,
    uint64_t received_ms)
{
	struct ht_case_note *note = &book->notes[book->n_notes++];

	file->now = *now;
	note->doc = ht_doc_ref(doc);
	note->received_ms = received_ms;
	note->file = (size_t)(file - book->files);
	(void)snprintf(note->receipt, sizeof(note->receipt), "%s", receipt);
	if (note->file == book->n_files)
		book->n_files++;
}

static enum ht_err
check_receipt(const struct ht_casebook *book, const char *receipt,
    struct ht_report *report, uint64_t *ret_ms)
{
	if (ht_receipt_parse(receipt, ret_ms) != HT_OK) {
		ht_report_add(report, receipt,
		    "not a receipt, like " STAMP "-0123456789abcdef");
		return HT_EINVALID;
	}
	if (book->n_notes > 0 &&
	    strcmp(receipt, book->notes[book->n_notes - 1].receipt) <= 0) {
		ht_report_add(report, receipt,
		    "it does not come after %s, which is there already",
		    book->notes[book->n_notes - 1].receipt);
		return HT_EINVALID;
	}
	if (book->n_notes >= HT_CASEBOOK_NOTES) {
		ht_report_add(report, book->dir,
		    "it has %d notes and takes no more: put those of old "
		    "years aside",
		    HT_CASEBOOK_NOTES);
		return HT_ETOOBIG;
	}
	return HT_OK;
}

static enum ht_err
write_note(const struct ht_casebook *book, const struct ht_doc *doc,
    const char *receipt, struct ht_report *report)
{
	char name[HT_RECEIPT_SIZE + sizeof(SUFFIX)];
	HT_AUTO(ht_mem_free) char *dir = ht_fs_join(book->dir, doc->name);
	HT_AUTO(ht_mem_free) char *path = NULL;
	enum ht_err err;

	(void)snprintf(name, sizeof(name), "%s" SUFFIX, receipt);
	path = dir != NULL ? ht_fs_join(dir, name) : NULL;
	if (path == NULL)
		return HT_ENOMEM;
	err = ht_fs_mkdirs(dir, FOLDER_MODE);
	if (err == HT_OK)
		err = ht_fs_create(path, FILE_MODE, doc->bytes);
	if (err != HT_OK)
		ht_report_add(report, path, "cannot be written: %s",
		    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
	return err;
}

static enum ht_err
take(struct ht_casebook *book, struct ht_doc *doc, const char *receipt,
    enum ht_share share, const struct ht_calendar *calendar, bool write,
    struct ht_report *report)
{
	struct ht_case_file *file;
	struct ht_case now;
	uint64_t received_ms = 0;
	enum ht_err err = check_receipt(book, receipt, report, &received_ms);

	if (err == HT_OK)
		err = make_room(book);
	if (err != HT_OK)
		return err;
	file = file_for(book, doc);
	now = file->now;
	err = ht_case_take(&now, doc, received_ms, share, calendar, report);
	if (err == HT_OK && write)
		err = write_note(book, doc, receipt, report);
	if (err == HT_OK)
		file_note(book, file, &now, doc, receipt, received_ms);
	return err;
}

enum ht_err
ht_casebook_take(struct ht_casebook *book, struct ht_doc *doc,
    const char *receipt, enum ht_share share,
    const struct ht_calendar *calendar, struct ht_report *report)
{
	return take(book, doc, receipt, share, calendar, true, report);
}

/* ---- reading a folder ---- */

struct found {
	char receipt[HT_RECEIPT_SIZE];
	char *path;
	size_t dir_len; /* of the path: its application's folder */
	bool left_out;
};

struct reading {
	struct ht_report *report;
	size_t n;
	struct found *at;
	enum ht_err err;
};

static void
find_note(struct reading *r, const char *dir, const char *entry)
{
	size_t len = strlen(entry);
	struct found *more;

	if (len <= sizeof(SUFFIX) - 1 ||
	    strcmp(entry + len - (sizeof(SUFFIX) - 1), SUFFIX) != 0 ||
	    len - (sizeof(SUFFIX) - 1) >= HT_RECEIPT_SIZE)
		return; /* something of somebody else's */
	more = realloc(r->at, (r->n + 1) * sizeof(*more));
	if (more == NULL) {
		r->err = HT_ENOMEM;
		return;
	}
	r->at = more;
	more = &r->at[r->n];
	(void)snprintf(more->receipt, sizeof(more->receipt), "%.*s",
	    (int)(len - (sizeof(SUFFIX) - 1)), entry);
	more->path = ht_fs_join(dir, entry);
	more->dir_len = strlen(dir);
	more->left_out = false;
	if (more->path == NULL)
		r->err = HT_ENOMEM;
	else
		r->n++;
}

/* <domain>/<member>.<number>/<receipt>.note */
static void
find_notes(struct reading *r, const char *dir, unsigned depth)
{
	DIR *folder = opendir(dir);
	struct dirent *entry;

	if (folder == NULL) {
		if (depth > 0 && errno != ENOTDIR && errno != ENOENT) {
			ht_report_add(r->report, dir, "cannot be read: %s",
			    strerror(errno));
			r->err = HT_ESYSTEM;
		}
		return;
	}
	while (r->err == HT_OK && (entry = readdir(folder)) != NULL) {
		HT_AUTO(ht_mem_free) char *below = NULL;

		if (entry->d_name[0] == '.')
			continue;
		if (depth == 2) {
			find_note(r, dir, entry->d_name);
			continue;
		}
		below = ht_fs_join(dir, entry->d_name);
		if (below == NULL)
			r->err = HT_ENOMEM;
		else
			find_notes(r, below, depth + 1);
	}
	(void)closedir(folder);
}

static int
by_receipt(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return strcmp(x->receipt, y->receipt);
}

static enum ht_err
read_note(
    struct ht_casebook *book, const struct found *at, struct ht_report *report)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	enum ht_err err = ht_fs_read(at->path, &bytes);

	if (err != HT_OK) {
		ht_report_add(report, at->path, "cannot be read: %s",
		    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
		return err;
	}
	err = ht_doc_parse(ht_buf_slice(&bytes), at->path, report, &doc);
	if (err == HT_OK && !ht_doc_is_application(doc)) {
		ht_report_add(report, at->path,
		    "a %s has no place among applications",
		    ht_doc_kind_text(doc->kind));
		err = HT_EINVALID;
	}
	/* Its share class was looked at when it came. */
	if (err == HT_OK)
		err = take(book, doc, at->receipt, HT_SHARE_CONDITIONAL, NULL,
		    false, report);
	return err;
}

/* What follows on a note that was left out has nothing to stand on. */
static bool
follows_damage(const struct reading *r, size_t i)
{
	const struct found *at = &r->at[i];

	for (size_t k = 0; k < i; k++)
		if (r->at[k].left_out && r->at[k].dir_len == at->dir_len &&
		    strncmp(r->at[k].path, at->path, at->dir_len + 1) == 0)
			return true;
	return false;
}

/* The application whose folder it is: <dir>/<domain>/<member>.<number>. */
static void
mark_damaged(struct ht_casebook *book, const struct found *at)
{
	size_t skip = strlen(book->dir);
	struct ht_slice name;

	while (skip < at->dir_len && at->path[skip] == '/')
		skip++;
	name = HT_SLICE((const uint8_t *)at->path + skip, at->dir_len - skip);
	for (size_t i = 0; i < book->n_files; i++)
		if (ht_slice_is(name, book->files[i].name))
			book->files[i].damaged = true;
}

/* @ret_left_out NULL: the first that is wrong ends it. */
static enum ht_err
read_notes(
    struct ht_casebook *book, const struct reading *r, size_t *ret_left_out)
{
	size_t left_out = 0;

	for (size_t i = 0; i < r->n; i++) {
		enum ht_err err;

		if (left_out > 0 && follows_damage(r, i))
			continue;
		err = read_note(book, &r->at[i], r->report);
		if (err == HT_OK)
			continue;
		if (ret_left_out == NULL || err == HT_ENOMEM)
			return err;
		r->at[i].left_out = true;
		left_out++;
	}
	for (size_t i = 0; i < r->n; i++)
		if (r->at[i].left_out)
			mark_damaged(book, &r->at[i]);
	if (ret_left_out != NULL)
		*ret_left_out = left_out;
	return HT_OK;
}

static enum ht_err
open_book(const char *dir, struct ht_report *report, size_t *ret_left_out,
    struct ht_casebook **ret)
{
	HT_AUTO(ht_casebook_free)
	struct ht_casebook *book = calloc(1, sizeof(*book));
	struct reading r = {.report = report};

	if (book == NULL)
		return HT_ENOMEM;
	book->dir = strdup(dir);
	if (book->dir == NULL)
		return HT_ENOMEM;
	find_notes(&r, dir, 0);
	if (r.n > 0)
		qsort(r.at, r.n, sizeof(*r.at), by_receipt);
	if (r.err == HT_OK)
		r.err = read_notes(book, &r, ret_left_out);
	for (size_t i = 0; i < r.n; i++)
		free(r.at[i].path);
	free(r.at);
	if (r.err == HT_OK)
		*ret = HT_TAKE(book);
	return r.err;
}

enum ht_err
ht_casebook_open(
    const char *dir, struct ht_report *report, struct ht_casebook **ret)
{
	return open_book(dir, report, NULL, ret);
}

enum ht_err
ht_casebook_open_some(const char *dir, struct ht_report *report,
    size_t *ret_left_out, struct ht_casebook **ret)
{
	return open_book(dir, report, ret_left_out, ret);
}

void
ht_casebook_free(struct ht_casebook **book_p)
{
	struct ht_casebook *book = *book_p;

	if (book == NULL)
		return;
	*book_p = NULL;
	for (size_t i = 0; i < book->n_notes; i++)
		ht_doc_unref(&book->notes[i].doc);
	free(book->notes);
	free(book->files);
	free(book->dir);
	free(book);
}
