/*
 * doc_list.h -- a snapshot's list by its lines alone: where each begins, and
 * which document's it is.  For who looks one up among a hundred thousand, or
 * puts one there; ht_list_parse() takes every line apart.
 */
#ifndef HT_SCHEMAS_DOC_LIST_H
#define HT_SCHEMAS_DOC_LIST_H

#include "schemas/doc.h"

struct ht_lines {
	struct ht_slice bytes; /* the caller's, and longer-lived */
	size_t n;
	uint32_t *starts; /* n + 1: where each begins; the end */
};
/*
 * Cut a list.  Every line begins with a kind and a name, they are in order and
 * none is there twice; revision and hash are not looked at.
 * Errors: HT_EMALFORMED, HT_ETOOBIG with a finding; HT_ENOMEM.
 *
 * Ownership: *ret is given to ht_lines_fini().
 */
enum ht_err ht_lines_cut(struct ht_slice list, const char *where,
    struct ht_report *report, struct ht_lines *ret) HT_MUST_USE;
void ht_lines_fini(struct ht_lines *lines);
/* Line @i, without its newline. */
struct ht_slice ht_lines_at(const struct ht_lines *lines, size_t i);
/* Where a document's line stands, or would: false. */
bool ht_lines_find(const struct ht_lines *lines, const char *kind,
    const char *name, size_t *ret);
/* Take one apart; HT_EMALFORMED with a finding. */
enum ht_err ht_lines_parse(const struct ht_lines *lines, size_t i,
    const char *where, struct ht_report *report, struct ht_list_line *ret)
    HT_MUST_USE;

#endif
