/*
 * count_how.h -- how a file's figures were counted: the options of `stats` and
 * `report` that its query has no place for (docs/proofs.md, "Figures").
 */
#ifndef HT_BROKER_CLI_COUNT_HOW_H
#define HT_BROKER_CLI_COUNT_HOW_H

#include "broker/cli/tool.h"

#define HT_HOW_TEXT 128 /* with its NUL: all fields of --by, by commas */
#define HT_HOW_MAX  1024

struct ht_count_how {
	char counts[HT_HOW_TEXT]; /* "stats", "report" */
	char by[HT_HOW_TEXT];
	char period[HT_HOW_TEXT];
	char month[HT_HOW_TEXT];
	int zone_minutes;
	bool chinese;
};
void ht_count_how_encode(const struct ht_audit_opts *opts, struct ht_buf *out);
/* Canonical: what is taken encodes to the same bytes.  HT_EMALFORMED. */
enum ht_err ht_count_how_decode(struct ht_slice bytes, struct ht_count_how *ret)
    HT_MUST_USE;
/* As options; @how is borrowed. */
void ht_count_how_apply(
    const struct ht_count_how *how, struct ht_audit_opts *opts);

#endif
