/*
 * schema.h -- JSON Schema 2020-12, the part that catalog items use, and the
 * check-digit formats.
 *
 * Compiled once per item version; validation allocates only for findings (and
 * scratch for patterns) and lists *every* violation.  Keywords outside the
 * supported set (docs/catalog.md) are an error when compiling, never ignored
 * in silence.  Hostile schemas and values meet limits: depth, nodes, steps, and
 * the backtracking of patterns.
 *
 * Thread: a compiled schema never changes and may be shared.
 */
#ifndef HT_SCHEMAS_SCHEMA_H
#define HT_SCHEMAS_SCHEMA_H

#include "lib/base/bytes.h"
#include "lib/base/report.h"
#include "schemas/codes.h"
#include "schemas/json.h"

struct ht_schema;

/* Where we are in a value or in a schema; the chain ends at the top: NULL. */
struct ht_step {
	const struct ht_step *up;
	const char *key; /* NULL: index */
	size_t key_len;
	size_t index;
};
/* A JSON pointer (RFC 6901), made safe for terminals. */
void ht_step_print(const struct ht_step *step, struct ht_buf *out);

/* Who hears of the mistakes in a schema, each with its place. */
struct ht_schema_told {
	void (*tell)(void *arg, const struct ht_step *at, const char *text);
	/* The key at this place is what is wrong, not its value. */
	void (*tell_key)(void *arg, const struct ht_step *at, const char *text);
	void *arg;
};

/*
 * Compile.  @schema is borrowed only during the call.
 * Errors: HT_EINVALID, and every mistake was told; HT_ENOMEM.
 */
enum ht_err ht_schema_compile_told(const json_t *schema,
    const struct ht_schema_told *told, struct ht_schema **ret) HT_MUST_USE;

/* The same, into a report.  @where prefixes findings ("x.json: /record"). */
enum ht_err ht_schema_compile(const json_t *schema, const char *where,
    struct ht_report *report, struct ht_schema **ret) HT_MUST_USE;
void ht_schema_free(struct ht_schema **schema_p);

/*
 * Validate @value.  Findings are "/path: what is wrong, what was expected";
 * warnings (x-warn) go to @warnings (may be NULL).  True if no violation.
 * Values themselves never stand in a finding (they may be personal).
 */
bool ht_schema_check(const struct ht_schema *schema, const json_t *value,
    struct ht_report *violations, struct ht_report *warnings);

/* As it was given; borrowed. */
const json_t *ht_schema_json(const struct ht_schema *schema);
/* Top-level properties in the order they were written. */
size_t ht_schema_fields(const struct ht_schema *schema);
const char *ht_schema_field(const struct ht_schema *schema, size_t i);
/* -1 if there is no such top-level property. */
int ht_schema_field_index(const struct ht_schema *schema, const char *name);
/* x-level, 0 to 3; -1 if it has none. */
int ht_schema_field_level(const struct ht_schema *schema, size_t i);
/* NULL if it has none; borrowed. */
const char *ht_schema_field_title(const struct ht_schema *schema, size_t i);
/* `description`: what the field is, in English; NULL if it has none. */
const char *ht_schema_field_about(const struct ht_schema *schema, size_t i);
/* The property's own schema alone, e.g. for one claimed value. */
bool ht_schema_check_field(const struct ht_schema *schema, size_t i,
    const json_t *value, struct ht_report *violations);

/*
 * What a grant lets out of a record: an object with some of its fields.  Each
 * property must be a field whose bit is set in @released (bit i of byte i/8 is
 * field i), each required one of those must be there, and each value must
 * satisfy its property's schema.  Rules over several fields are left out: the
 * other half may have stayed at home, and the provider has checked them.
 */
bool ht_schema_check_part(const struct ht_schema *schema, const json_t *value,
    struct ht_slice released, struct ht_report *violations,
    struct ht_report *warnings);

#endif
