/*
 * casebook.h -- a folder of applications and what was answered
 * (docs/applications.md, "The folder"): one folder an application, one file a
 * note, named by its receipt.
 *
 * It is read whole, and every note is held against the order of events again,
 * so a folder that somebody touched is found out.  Signatures are checked by
 * whoever takes a note in, who has the keys of that moment.
 */
#ifndef HT_ADAPTERS_CASEBOOK_H
#define HT_ADAPTERS_CASEBOOK_H

#include "schemas/application.h"

#define HT_CASEBOOK_NOTES 100000 /* some 500 MB of memory; then archive it */
#define HT_RECEIPT_SIZE   38     /* "20261124T010203.123Z-0123456789abcdef" */

struct ht_case_note {
	char receipt[HT_RECEIPT_SIZE];
	uint64_t received_ms;
	struct ht_doc *doc;
	size_t file;
};

struct ht_case_file {
	char name[HT_DOC_NAME_MAX + 1];
	char applicant[HT_NAME_MAX + 1];
	char provider[HT_NAME_MAX + 1];
	struct ht_case now;
	bool damaged; /* a note of it could not be read: see open_some() */
};

struct ht_casebook {
	char *dir;
	size_t n_notes;
	struct ht_case_note *notes; /* by receipt */
	size_t n_files;
	struct ht_case_file *files; /* by the first receipt */
};

/*
 * Read a folder; one that is not there yet is empty.
 * Errors: HT_EINVALID and others of ht_doc_parse(), with findings; HT_ENOMEM.
 */
enum ht_err ht_casebook_open(const char *dir, struct ht_report *report,
    struct ht_casebook **ret) HT_MUST_USE;
/*
 * The same, for looking alone: an application with a note that cannot be read
 * or has no place is left behind as @damaged (or is not there at all), and all
 * others are as they would be.  *ret_left_out such notes are in @report.
 */
enum ht_err ht_casebook_open_some(const char *dir, struct ht_report *report,
    size_t *ret_left_out, struct ht_casebook **ret) HT_MUST_USE;
void ht_casebook_free(struct ht_casebook **book_p);

/* NULL if there is none. */
const struct ht_case_file *ht_casebook_file(
    const struct ht_casebook *book, const char *name);
/* A note of the same text; NULL if there is none. */
const struct ht_case_note *ht_casebook_note(
    const struct ht_casebook *book, const struct ht_doc *doc);
/* Of the application's newest revision. */
const struct ht_case_note *ht_casebook_application(
    const struct ht_casebook *book, const struct ht_case_file *file);

/* A receipt for a note that comes now: later than all that are there. */
void ht_casebook_receipt(const struct ht_casebook *book,
    const struct ht_doc *doc, uint64_t now_ms,
    char out[static HT_RECEIPT_SIZE]);
/* The time in it.  HT_EMALFORMED. */
enum ht_err ht_receipt_parse(const char *text, uint64_t *ret_ms) HT_MUST_USE;

/*
 * Hold a note against the order of events (ht_case_take()), and keep it: it
 * is on the disk when this returns.  @receipt must be later than all others.
 * Errors: HT_EINVALID with findings; HT_ETOOBIG, HT_ESYSTEM with a finding;
 * HT_ENOMEM.
 */
enum ht_err ht_casebook_take(struct ht_casebook *book, struct ht_doc *doc,
    const char *receipt, enum ht_share share,
    const struct ht_calendar *calendar, struct ht_report *report) HT_MUST_USE;

#endif
