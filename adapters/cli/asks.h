/*
 * asks.h -- what a grant and an application for one have in common, on its
 * way from a command line, or from a document, to YAML.
 */
#ifndef HT_ADAPTERS_CLI_ASKS_H
#define HT_ADAPTERS_CLI_ASKS_H

#include "adapters/cli/cli.h"
#include "schemas/doc.h"

/* Lists are "a,b,c"; NULL: not given. */
struct ht_asks_words {
	const char *item, *version, *provider, *consumer;
	const char *operations, *fields, *purposes, *basis;
	const char *row_field, *row_prefix, *row_area, *row_except;
	const char *level, *per_day, *per_minute;
	const char *from, *life;
};

/* Its options, to be joined with others; @role: what the consumer is called */
#define HT_ASKS_OPTIONS(w, role)                                               \
	HT_OPT_NEED("item", "NAME", (w).item, "the item, catalog/CODE"),       \
	    HT_OPT_MAY(                                                        \
	        "version", "N", (w).version, "of the item; 1 if not said"),    \
	    HT_OPT_NEED(                                                       \
	        "provider", "MEMBER", (w).provider, "who provides it"),        \
	    HT_OPT_NEED(role, "MEMBER", (w).consumer, "who may ask"),          \
	    HT_OPT_NEED("operations", "LIST", (w).operations, "query,verify"), \
	    HT_OPT_NEED("fields", "LIST", (w).fields, "field,field or all"),   \
	    HT_OPT_NEED(                                                       \
	        "purposes", "LIST", (w).purposes, "codes of the item"),        \
	    HT_OPT_NEED(                                                       \
	        "basis", "CODE", (w).basis, "of the item's legal bases"),      \
	    HT_OPT_MAY(                                                        \
	        "row-field", "FIELD", (w).row_field, "choose rows by it"),     \
	    HT_OPT_MAY(                                                        \
	        "row-prefix", "LIST", (w).row_prefix, "its values begin so"),  \
	    HT_OPT_MAY("row-area", "LIST", (w).row_area,                       \
	        "or: they are in these divisions, like 210000"),               \
	    HT_OPT_MAY(                                                        \
	        "row-except", "LIST", (w).row_except, "but not in these"),     \
	    HT_OPT_MAY("level", "0-3", (w).level, "no field above it"),        \
	    HT_OPT_MAY("per-day", "N", (w).per_day, "quota"),                  \
	    HT_OPT_MAY("per-minute", "N", (w).per_minute, "rate"),             \
	    HT_OPT_MAY("from", "TIME", (w).from, "else from now"),             \
	    HT_OPT_MAY("for", "TIME", (w).life, "365d if not said")

/* Append the keys `item` to `quota`.  HT_CLI_GO, or an exit code. */
int ht_cli_add_asks(
    struct ht_buf *out, const char *role, const struct ht_asks_words *words);
/* The same from a document that was read. */
void ht_cli_add_asked(
    struct ht_buf *out, const char *role, const struct ht_grant_doc *doc);
/* "key: ["a", "b"]\n" */
void ht_cli_add_texts(
    struct ht_buf *out, const char *key, const char *const *texts, size_t n);

#endif
