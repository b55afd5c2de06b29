/*
 * column.h -- from a column of somebody's table to a field of an item: trim,
 * dates, decimals, codes.  Pure.
 *
 * A source hands every value over as text with the kind of its column; what a
 * field wants is said in the mapping ("as"), and a value that does not fit is
 * an error that names the field, never a guess.
 */
#ifndef HT_ADAPTERS_SQL_COLUMN_H
#define HT_ADAPTERS_SQL_COLUMN_H

#include "lib/base/bytes.h"
#include "schemas/json.h"

/* What the database says a column is. */
enum ht_column_kind {
	HT_COLUMN_TEXT = 0,
	HT_COLUMN_INTEGER = 1,
	HT_COLUMN_FLOAT = 2,
	HT_COLUMN_DECIMAL = 3,
	HT_COLUMN_BOOLEAN = 4,
	HT_COLUMN_DATE = 5,
};

/* What a field shall be: X(enum, "name in the mapping"). */
#define HT_AS_MAP(X)                                                           \
	X(HT_AS_AUTO, "auto") /* by the column's kind */                       \
	X(HT_AS_TEXT, "text")                                                  \
	X(HT_AS_INTEGER, "integer")                                            \
	X(HT_AS_NUMBER, "number")   /* a JSON number */                        \
	X(HT_AS_DECIMAL, "decimal") /* text such as "1200.50": money */        \
	X(HT_AS_BOOLEAN, "boolean") /* 1/0, t/f, true/false, y/n, yes/no */    \
	X(HT_AS_DATE, "date")       /* YYYY-MM-DD of several ways to write */  \
	X(HT_AS_JSON, "json")       /* text that is a JSON array or object */
enum ht_as {
#define HT_AS_ENUM(name, text) name,
	HT_AS_MAP(HT_AS_ENUM)
#undef HT_AS_ENUM
};
/* -1 if there is none of that name. */
int ht_as_parse(struct ht_slice name);
const char *ht_as_names(void); /* "auto, text, ...", for messages */

struct ht_sql_column {
	char *field;
	char *column; /* NULL: the constant */
	json_t *constant;
	enum ht_as as;
	bool keep_spaces;  /* default: cut white space at both ends */
	bool empty_absent; /* "" counts as no value */
	json_t *codes;     /* object: the table's code -> the item's; or NULL */
	char *codes_else;  /* for codes not listed; NULL: an error */
};
void ht_sql_column_fini(struct ht_sql_column *column);

/*
 * Convert one value.  @text NULL is SQL's NULL: *ret is NULL then (absent), as
 * for "" with empty_absent.  Errors: HT_EINVALID with *ret_why, which says
 * what was expected and never the value itself; HT_ENOMEM.
 */
enum ht_err ht_sql_column_convert(const struct ht_sql_column *column,
    enum ht_column_kind kind, const char *text, json_t **ret,
    const char **ret_why) HT_MUST_USE;

#endif
