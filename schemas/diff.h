/*
 * diff.h -- what a new revision of a trust document changes, in words that an
 * officer signs by: "Public security may now read 2 more fields of ...".
 *
 * Pure.  Nothing is passed over in silence: each top-level key whose text
 * changed gets a sentence of its own, and where words are not enough its
 * changed lines, too.
 */
#ifndef HT_SCHEMAS_DIFF_H
#define HT_SCHEMAS_DIFF_H

#include "schemas/doc.h"

struct ht_diff {
	/* One sentence, or one changed line ("+ ..." or "- ...") below it. */
	void (*say)(void *arg, const char *sentence);
	void (*line)(void *arg, char sign, struct ht_slice line);
	/* A document for its title, of the new state; NULL: not known. */
	const struct ht_doc *(*find)(
	    void *arg, enum ht_doc_kind kind, const char *name);
	void *arg;
};

/* @old NULL: it is new; @new NULL: it is gone.  Of one kind and name. */
void ht_diff_doc(const struct ht_diff *diff, const struct ht_doc *old,
    const struct ht_doc *new);

#endif
