/*
 * rules.h -- what law, guide and good order ask of a catalog, beyond the form
 * of its documents (docs/catalog.md, "The rules").
 *
 * Every rule has a word, which stands at the end of its findings in brackets:
 * "items/x.note:7:8: ... [scope]".  Violations are of rules whose text was
 * read; what rests on second-hand texts, or on custom, is advice.
 */
#ifndef HT_SCHEMAS_RULES_H
#define HT_SCHEMAS_RULES_H

#include "schemas/doc.h"

struct ht_rules {
	struct ht_report *violations;
	struct ht_report *advice;
};

/* An item by itself. */
enum ht_err ht_rules_item(const struct ht_doc *item, const struct ht_rules *to)
    HT_MUST_USE;
/*
 * All documents of a catalog against one another: codes, names that look
 * alike, versions, what is collected twice.  In the list's order.
 */
enum ht_err ht_rules_catalog(struct ht_doc *const *docs, size_t n,
    const struct ht_rules *to) HT_MUST_USE;
/*
 * A later revision of the same item and version against the one before: what
 * breaks those who use it is a violation.  Findings are at places of @now.
 */
enum ht_err ht_rules_revision(const struct ht_doc *before,
    const struct ht_doc *now, const struct ht_rules *to) HT_MUST_USE;
/* An item that is there no more: who uses it was told its last day. */
enum ht_err ht_rules_gone(const struct ht_doc *before, uint64_t now_ms,
    const struct ht_rules *to) HT_MUST_USE;

/* ---- inside schemas/: what the files of rules share ---- */

/* A document's text again, for the places of its values. */
struct ht_law {
	const struct ht_item *item;
	struct ht_conf *conf;
	struct ht_yaml *top;
	const struct ht_rules *to;
};
enum ht_err ht_law_open(struct ht_law *law, const struct ht_doc *doc,
    const struct ht_rules *to) HT_MUST_USE;
void ht_law_close(struct ht_law *law); /* usable with HT_AUTO */
/* The value at a path of keys, or the deepest there is. */
#define ht_law_at(law, ...) ht_law_find((law), __VA_ARGS__, (char *)NULL)
struct ht_yaml *ht_law_find(const struct ht_law *law, ...)
    __attribute__((sentinel));
/* Findings at @value, with the rule's word. */
void ht_law_breaks(const struct ht_law *law, struct ht_yaml *value,
    const char *rule, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void ht_law_advises(const struct ht_law *law, struct ht_yaml *value,
    const char *rule, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
