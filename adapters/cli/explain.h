/*
 * explain.h -- one exchange of a node's own, and all that can be said of it.
 */
#ifndef HT_ADAPTERS_CLI_EXPLAIN_H
#define HT_ADAPTERS_CLI_EXPLAIN_H

#include "adapters/cli/reasons.h"
#include "adapters/state.h"
#include "schemas/doc.h"
#include "schemas/prospect.h"

/* A decision made again on one snapshot. */
struct cli_again {
	struct ht_trust *trust; /* NULL: that snapshot is not to be had */
	struct ht_verdict verdict;
};

struct cli_explained {
	const struct ht_told *told;
	struct ht_doc *item; /* as they were then; NULL: not kept */
	struct ht_doc *grant;
	struct cli_again then;
	struct cli_again now;
};

/* How it ended, in a few words. */
const char *cli_outcome(const struct ht_told *told);

/* On standard output: JSON, or a sheet with tables. HT_ENOMEM, HT_ESYSTEM. */
enum ht_err cli_explained_show(
    const struct cli_explained *e, enum cli_format format) HT_MUST_USE;
/* Exchanges in one line each, in any of the formats. */
enum ht_err cli_told_show(
    const struct ht_told *told, size_t n, enum cli_format format) HT_MUST_USE;

#endif
