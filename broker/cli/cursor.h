/*
 * cursor.h -- where the last run of a search ended, in a small file.
 *
 * A cursor belongs to one log and one question: one that is given to another
 * is refused, so that nothing is skipped in silence.
 */
#ifndef HT_BROKER_CLI_CURSOR_H
#define HT_BROKER_CLI_CURSOR_H

#include "broker/cli/tool.h"

#define HT_CURSOR_MAX  1024 /* bytes of the file */
#define HT_CURSOR_SALT 16

struct ht_audit_cursor {
	char origin[HT_NAME_MAX + 64];
	uint64_t size;       /* as of; 0: the first run, nothing below counts */
	struct ht_hash root; /* of the tree of that size */
	uint64_t next;       /* the entry to go on with */
	/*
	 * Of the question, under a salt of the file's own: two files do not
	 * tell that they ask the same, and no table made beforehand tells what.
	 */
	struct ht_hash query;
	bool salted; /* not in files of before, version 1 */
	uint8_t salt[HT_CURSOR_SALT];
};

void ht_cursor_text(const struct ht_audit_cursor *cursor, struct ht_buf *out);
/* HT_EMALFORMED: not in exactly the form that ht_cursor_text() writes. */
enum ht_err ht_cursor_parse(struct ht_slice text, struct ht_audit_cursor *ret)
    HT_MUST_USE;

/* The three are exit codes, and say what is wrong. */

/* Read opts->cursor, if the file is there; the query then starts at its end. */
int ht_audit_cursor_open(
    struct ht_audit_opts *opts, struct ht_audit_cursor *ret);
/* Is the answer from the same log, and a later one? */
int ht_audit_cursor_check(const struct ht_audit_opts *opts,
    const struct ht_audit_cursor *cursor, const struct ht_audit_result *result);
/* Keep where this answer ended; @code (OK, NONE or CUT) if that works. */
int ht_audit_cursor_save(const struct ht_audit_opts *opts,
    struct ht_audit_cursor *cursor, const struct ht_audit_result *result,
    int code);

#endif
