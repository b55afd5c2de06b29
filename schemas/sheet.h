/*
 * sheet.h -- the catalog as offices keep it: a table with a row a field and
 * the elements of the guide as columns (docs/catalog.md, "The spreadsheet").
 *
 * An item becomes rows, and rows a draft of an item.  What a table cannot hold
 * (lists of codes, rules over fields, a subject) stays with the item.
 */
#ifndef HT_SCHEMAS_SHEET_H
#define HT_SCHEMAS_SHEET_H

#include "lib/base/csv.h"
#include "schemas/doc.h"

/*
 * Append a sheet of the items among @docs, which may hold the members whose
 * titles it states; UTF-8, headings first, for a spreadsheet.
 */
enum ht_err ht_sheet_write(
    struct ht_doc *const *docs, size_t n, struct ht_buf *out) HT_MUST_USE;

/*
 * A file as a spreadsheet saves it: UTF-8 with or without a byte order mark,
 * else GB 18030.  HT_EMALFORMED with a finding for what is neither; HT_ENOMEM.
 */
enum ht_err ht_sheet_decode(struct ht_slice bytes, const char *name,
    struct ht_report *report, struct ht_buf *out) HT_MUST_USE;

struct ht_sheet; /* a sheet that was read */
/*
 * Take a decoded sheet apart into items.  Every mistake is a finding at its
 * line.  HT_EMALFORMED, HT_EINVALID, HT_ETOOBIG with findings; HT_ENOMEM.
 */
enum ht_err ht_sheet_read(struct ht_slice text, const char *name,
    struct ht_report *report, struct ht_sheet **ret) HT_MUST_USE;
void ht_sheet_free(struct ht_sheet **sheet_p);

size_t ht_sheet_items(const struct ht_sheet *sheet);
/* "gx.demo/SCZTDJ@1", as in a snapshot. */
void ht_sheet_name(const struct ht_sheet *sheet, size_t item,
    char out[static HT_DOC_NAME_MAX + 1]);
size_t ht_sheet_line(const struct ht_sheet *sheet, size_t item);
/*
 * Append the draft of an item, which reads as a document.  What is missing is
 * a finding: HT_EINVALID.
 */
enum ht_err ht_sheet_draft(const struct ht_sheet *sheet, size_t item,
    struct ht_report *report, struct ht_buf *out) HT_MUST_USE;

/* Reports of what was found. */
struct ht_sheet_says {
	struct ht_report *report; /* mistakes, and what a sheet cannot change */
	struct ht_report *said;   /* each cell that differs; may be NULL */
	struct ht_report *why;    /* what makes a new version of it */
};
struct ht_sheet_next {
	uint32_t version;
	uint64_t revision;
};
/*
 * Append the next state of @with as the sheet has it, nothing if it says the
 * same: its text with those values changed that differ, and as it was in all
 * that a table cannot say.  The next revision; where that would break who uses
 * it (ht_rules_revision(), or a grant of all its fields) the next version.
 * @with is of the sheet's version, or an older one: then a version it is.
 *
 * @docs: the catalog.  Errors: HT_EINVALID, HT_EMALFORMED with findings in
 * to->report; HT_ETOOBIG; HT_ENOMEM.
 */
enum ht_err ht_sheet_revise(const struct ht_sheet *sheet, size_t item,
    struct ht_doc *const *docs, size_t n, const struct ht_doc *with,
    const struct ht_sheet_says *to, struct ht_sheet_next *ret,
    struct ht_buf *out) HT_MUST_USE;

/* ---- inside schemas/ ---- */

enum ht_sheet_column {
	HT_SHEET_KIND,
	HT_SHEET_TITLE,
	HT_SHEET_CODE,
	HT_SHEET_PROVIDER,
	HT_SHEET_PROVIDER_CODE,
	HT_SHEET_SUMMARY,
	HT_SHEET_FORMAT,
	HT_SHEET_FIELD_TITLE,
	HT_SHEET_TYPE,
	HT_SHEET_LENGTH,
	HT_SHEET_SHARE,
	HT_SHEET_CONDITIONS,
	HT_SHEET_METHODS,
	HT_SHEET_SCOPE,
	HT_SHEET_PURPOSES,
	HT_SHEET_OPEN,
	HT_SHEET_OPEN_CONDITIONS,
	HT_SHEET_CYCLE,
	HT_SHEET_PUBLISHED,
	HT_SHEET_RELATED,
	HT_SHEET_LEVEL,
	HT_SHEET_BASIS,
	HT_SHEET_NAME,
	HT_SHEET_VERSION,
	HT_SHEET_MEMBER,
	HT_SHEET_FIELD,
	HT_SHEET_REQUIRED,
	HT_SHEET_PARAM,
	HT_SHEET_COLUMNS
};
extern const char *const ht_sheet_titles[HT_SHEET_COLUMNS];
/* Is it said of a field, or of the whole item? */
bool ht_sheet_of_field(unsigned column);
/* Chinese words for the words of items, by value; NULL ends. */
extern const char *const ht_sheet_kinds[];
extern const char *const ht_sheet_formats[];
extern const char *const ht_sheet_methods[];
extern const char *const ht_sheet_shares[];

struct ht_sheet_row {
	struct ht_buf cells[HT_SHEET_COLUMNS];
};
void ht_sheet_row_fini(struct ht_sheet_row *row); /* usable with HT_AUTO */
/* The i-th field of an item as a row. */
enum ht_err ht_sheet_row(const struct ht_doc *doc, size_t field,
    struct ht_doc *const *docs, size_t n, struct ht_sheet_row *ret) HT_MUST_USE;

#endif
