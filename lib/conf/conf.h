/*
 * conf.h -- YAML that people write, every value with its line and column.
 *
 * A document is parsed into a tree; the caller asks for the keys it knows, by
 * the type it expects, and whatever is wrong becomes a finding in the report:
 * "broker.yaml:12:9: 'life' must be from 1s to 1h, a number with its unit, like
 * 500ms, 30s, 5m, 2h or 90d; found '5'".  All mistakes are found, not the first
 * alone, so reading goes on after each; ht_conf_done() then says whether the
 * document may be used.
 *
 *	HT_AUTO(ht_conf_free) struct ht_conf *conf = NULL;
 *	uint64_t life_ms = 60000;
 *	const char *name = NULL;
 *
 *	err = ht_conf_load(path, report, &conf);
 *	if (err != HT_OK)
 *		return err;
 *	root = ht_yaml_as_map(ht_conf_root(conf));
 *	ht_yaml_as_name(ht_yaml_need(root, "member"), &name);
 *	ht_yaml_as_ms(ht_yaml_get(root, "life"), 1000, HT_LIFE_MS, &life_ms);
 *	return ht_conf_done(conf);
 *
 * The YAML is a strict part of 1.2: one document, in UTF-8, keys that are text
 * and stand once in their map; no anchors, aliases or tags.  Plain scalars are
 * read as JSON reads them: null (also ~ and nothing), true and false, numbers
 * in JSON's grammar; all else is text, `01`, `yes` and `0x1f` too.
 */
#ifndef HT_CONF_CONF_H
#define HT_CONF_CONF_H

#include "lib/base/bytes.h"
#include "lib/base/report.h"

struct ht_conf; /* a document; owns all its values */
struct ht_yaml; /* a value in it: a map, a list or a scalar */

/*
 * Parse @text; @name stands in the findings as the file's.  At most
 * HT_DOC_MAX bytes, HT_YAML_DEPTH levels, HT_YAML_NODES values.
 *
 * HT_OK means that there is a tree to read, not that it is free of mistakes
 * (a key that stands twice, say): only ht_conf_done() says that.
 *
 * Ownership: @text and @name are copied where needed; @report is borrowed and
 *            must live as long as anything is asked of the document (or until
 *            ht_conf_set_report()).  It may be NULL.
 * Errors:    HT_EMALFORMED if it is no YAML; HT_ETOOBIG past a limit; both
 *            with a finding.  HT_ENOMEM.
 */
enum ht_err ht_conf_parse(struct ht_slice text, const char *name,
    struct ht_report *report, struct ht_conf **ret_conf) HT_MUST_USE;

/* Read and parse a file; also HT_ENOTFOUND and HT_ESYSTEM, with a finding. */
enum ht_err ht_conf_load(const char *path, struct ht_report *report,
    struct ht_conf **ret_conf) HT_MUST_USE;

void ht_conf_free(struct ht_conf **conf_p);
struct ht_yaml *ht_conf_root(const struct ht_conf *conf);
void ht_conf_set_report(struct ht_conf *conf, struct ht_report *report);

/*
 * To be called when all has been asked: adds a finding for every key that
 * nobody asked for, then tells whether there was any finding at all, in
 * parsing, in asking or through ht_yaml_complain().
 *
 * Errors: HT_EINVALID: do not use what was read.
 */
enum ht_err ht_conf_done(struct ht_conf *conf) HT_MUST_USE;

/* ---- walking: a tree as it is ---- */

/* What a value is, as JSON would have it (see above). */
enum ht_yaml_type {
	HT_YAML_NULL,
	HT_YAML_BOOL,
	HT_YAML_INT,     /* a number without fraction and exponent, any size */
	HT_YAML_DECIMAL, /* any other number */
	HT_YAML_TEXT,
	HT_YAML_LIST,
	HT_YAML_MAP,
};
enum ht_yaml_type ht_yaml_type(const struct ht_yaml *value);
/* The characters of a scalar; NUL-ended, with no other NUL in them. */
struct ht_slice ht_yaml_scalar(const struct ht_yaml *value);
bool ht_yaml_quoted(const struct ht_yaml *value); /* or a block: | and > */
/* Children of a map or list, in the order written; 0 for scalars and NULL. */
size_t ht_yaml_count(const struct ht_yaml *value);
/* The i-th child, which from now on counts as asked for.  i < count. */
struct ht_yaml *ht_yaml_at(struct ht_yaml *value, size_t i);
/* The key of the i-th child of a map; borrowed. */
const char *ht_yaml_key(const struct ht_yaml *map, size_t i);
/* All below it counts as asked for: the caller takes the subtree as it is. */
void ht_yaml_take(struct ht_yaml *value);

#define HT_WHERE_SIZE 512
/*
 * "name:line:column", both from 1, columns in characters.  A map or list that
 * begins on a line below its key stands at the key.
 */
void ht_yaml_where(const struct ht_yaml *value, char out[static HT_WHERE_SIZE]);
/*
 * Add a finding at this value; nothing if it is NULL.  The text tells what is
 * wrong and what to write instead.
 */
void ht_yaml_complain(struct ht_yaml *value, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same at its key, when that is what is wrong. */
void ht_yaml_complain_key(struct ht_yaml *value, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- asking by key ---- */

/*
 * The value of @key, or NULL: absent, or @map is NULL.  "key:" with nothing
 * behind it counts as absent.  A @map that is none is a finding, once.
 * @key must live as long as the document (a literal does).
 */
struct ht_yaml *ht_yaml_get(struct ht_yaml *map, const char *key);
/* The same, and an absent key is a finding. */
struct ht_yaml *ht_yaml_need(struct ht_yaml *map, const char *key);

/* ---- by type: false, and @ret untouched, for NULL or with a finding ---- */

struct ht_yaml *ht_yaml_as_map(struct ht_yaml *value);
struct ht_yaml *ht_yaml_as_list(struct ht_yaml *value);
/* Text of 1 to max bytes.  Borrowed from the document. */
bool ht_yaml_as_str(struct ht_yaml *value, size_t max, const char **ret);
bool ht_yaml_as_bool(struct ht_yaml *value, bool *ret);
bool ht_yaml_as_u64(
    struct ht_yaml *value, uint64_t min, uint64_t max, uint64_t *ret);
/* "500ms", "30s", "5m", "2h", "90d": milliseconds. */
bool ht_yaml_as_ms(
    struct ht_yaml *value, uint64_t min, uint64_t max, uint64_t *ret);
/* "512B", "64KiB", "1MiB", "2GiB": bytes. */
bool ht_yaml_as_size(
    struct ht_yaml *value, uint64_t min, uint64_t max, uint64_t *ret);
/* RFC 3339, see ht_time_parse(): microseconds since 1970. */
bool ht_yaml_as_time(struct ht_yaml *value, uint64_t *ret_us);
/* "domain/name" / one part of a name, see ht_name_valid(). */
bool ht_yaml_as_name(struct ht_yaml *value, const char **ret);
/* Like "+08:00", or Z: from UTC, in ms. */
bool ht_yaml_as_zone(struct ht_yaml *value, int64_t *ret_ms);
bool ht_yaml_as_part(struct ht_yaml *value, const char **ret);

struct ht_word {
	const char *word;
	int value;
};
/* One of the words of a table that ends with {NULL, 0}. */
bool ht_yaml_as_word(
    struct ht_yaml *value, const struct ht_word *words, int *ret);

/* The same forms, for options of commands.  HT_EMALFORMED; HT_ETOOBIG. */
enum ht_err ht_conf_parse_ms(struct ht_slice text, uint64_t *ret) HT_MUST_USE;
enum ht_err ht_conf_parse_size(struct ht_slice text, uint64_t *ret) HT_MUST_USE;

#endif
