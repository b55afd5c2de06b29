/*
 * kept.h -- the files in which an answer is kept: a report, signed as a note,
 * a zero byte, and the data that it says what it says of, in pieces behind
 * their length (docs/proofs.md).
 *
 * The report follows from the data, all but its last three lines: who made it,
 * when, and with what.
 */
#ifndef HT_BROKER_CLI_KEPT_H
#define HT_BROKER_CLI_KEPT_H

#include "broker/cli/tool.h"

/* A file taken apart; borrowed. */
struct ht_kept {
	const char *path;
	struct ht_slice report; /* a note */
	struct ht_slice data;
	struct ht_cur rest; /* of the data: pieces that were not taken yet */
};
/* An exit code; says what is wrong. */
int ht_kept_open(const char *path, struct ht_slice bytes, struct ht_kept *ret);
/* The next piece; an error sticks in rest.err. */
struct ht_slice ht_kept_piece(struct ht_kept *kept);
/* "BAD: FILE: what is wrong": exit code 4. */
int ht_kept_bad(const struct ht_kept *kept, const char *what);
/*
 * Does the report say @want, and then the three lines?  And, with the root, is
 * it signed by the auditor that it names?  Both are printed, with the words
 * about the checkpoint between.  An exit code; says what is wrong.
 */
int ht_kept_check(const struct ht_kept *kept, struct ht_slice want,
    const struct ht_audit_faith *faith, const struct ht_audit_result *result);

/* ---- making one ---- */

void ht_kept_add(struct ht_buf *out, struct ht_slice piece);
/* Lines that more than one kind of report has. */
void ht_kept_add_hash(
    struct ht_buf *out, const char *name, const struct ht_hash *hash);
/* "log", @query, "size", "root", "range", "scanned". */
struct ht_kept_range {
	struct ht_slice query; /* as text */
	uint64_t first, next;
	uint64_t scanned;
};
void ht_kept_add_head(struct ht_buf *out, const char *label,
    const struct ht_checkpoint *cp, const struct ht_kept_range *range);
/* "part", of a lone volume: from where on, and what is not known there. */
void ht_kept_add_part(struct ht_buf *out, const struct ht_audit_result *result);
/*
 * @report with its last lines, signed with opts->key, and @data, to
 * opts->output.  An exit code; says what is wrong.
 */
int ht_kept_write(const struct ht_audit_opts *opts, struct ht_buf *report,
    struct ht_slice data);

#endif
