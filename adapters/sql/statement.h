/*
 * statement.h -- a SQL statement with named parameters, as an operator writes
 * it, turned into the `?` that every ODBC driver takes.
 *
 *	SELECT ent_name FROM t_ent WHERE uscc = :shxydm AND note <> ':no'
 *
 * Values never become part of the text: they are bound.  Quoted text,
 * quoted names and comments are left as they are.
 */
#ifndef HT_ADAPTERS_SQL_STATEMENT_H
#define HT_ADAPTERS_SQL_STATEMENT_H

#include "lib/base/bytes.h"

#define HT_STATEMENT_MAX   (64 * 1024) /* bytes: a person wrote it */
#define HT_STATEMENT_PARAM 64          /* bytes of a parameter's name */
#define HT_STATEMENT_BINDS 64          /* markers in one statement */

struct ht_statement {
	char *sql; /* with markers */
	size_t n_binds;
	char names[HT_STATEMENT_BINDS][HT_STATEMENT_PARAM + 1]; /* by marker */
};
void ht_statement_fini(struct ht_statement *statement);

/*
 * Take @text apart.  It must be one statement that reads (SELECT, WITH,
 * VALUES); a second one, a bare `?`, a backslash inside quotes (drivers
 * disagree on it) and anything left open are errors.
 *
 * Ownership: ht_statement_fini() releases *ret, set only on success.
 * Errors: HT_EINVALID with *ret_at (byte offset) and *ret_why; HT_ETOOBIG;
 * HT_ENOMEM.
 */
enum ht_err ht_statement_parse(struct ht_slice text, struct ht_statement *ret,
    size_t *ret_at, const char **ret_why) HT_MUST_USE;

#endif
