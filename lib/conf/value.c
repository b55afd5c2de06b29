/*
 * value.c -- asking a document for what one expects (see conf.h).
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/limits.h"
#include "lib/base/panic.h"
#include "lib/base/text.h"
#include "lib/conf/tree.h"

struct ht_yaml *
ht_conf_root(const struct ht_conf *conf)
{
	return conf->root;
}

void
ht_conf_set_report(struct ht_conf *conf, struct ht_report *report)
{
	conf->report = report;
}

/* ---- what a value is ---- */

static struct ht_slice
text_of(const struct ht_yaml *value)
{
	return HT_SLICE(value->text, value->len);
}

static size_t
skip_digits(struct ht_slice text, size_t at)
{
	while (at < text.len && text.at[at] >= '0' && text.at[at] <= '9')
		at++;
	return at;
}

static bool
stands_at(struct ht_slice text, size_t at, const char *any)
{
	return at < text.len && text.at[at] != '\0' &&
	       strchr(any, text.at[at]) != NULL;
}

/* RFC 8259 section 6; HT_YAML_TEXT if it is no number. */
static enum ht_yaml_type
number_type(struct ht_slice text)
{
	size_t at = stands_at(text, 0, "-") ? 1 : 0;
	size_t end = skip_digits(text, at);
	enum ht_yaml_type type = HT_YAML_INT;

	if (end == at || (text.at[at] == '0' && end > at + 1))
		return HT_YAML_TEXT;
	if (stands_at(text, end, ".")) {
		type = HT_YAML_DECIMAL;
		at = end + 1;
		end = skip_digits(text, at);
		if (end == at)
			return HT_YAML_TEXT;
	}
	if (stands_at(text, end, "eE")) {
		type = HT_YAML_DECIMAL;
		at = end + (stands_at(text, end + 1, "+-") ? 2 : 1);
		end = skip_digits(text, at);
		if (end == at)
			return HT_YAML_TEXT;
	}
	return end == text.len ? type : HT_YAML_TEXT;
}

enum ht_yaml_type
ht_yaml_type(const struct ht_yaml *value)
{
	struct ht_slice text = text_of(value);

	if (value->kind == MAP)
		return HT_YAML_MAP;
	if (value->kind == LIST)
		return HT_YAML_LIST;
	if (value->quoted)
		return HT_YAML_TEXT;
	if (text.len == 0 || ht_slice_is(text, "~") ||
	    ht_slice_is(text, "null"))
		return HT_YAML_NULL;
	if (ht_slice_is(text, "true") || ht_slice_is(text, "false"))
		return HT_YAML_BOOL;
	return number_type(text);
}

struct ht_slice
ht_yaml_scalar(const struct ht_yaml *value)
{
	HT_ASSERT(value->kind == SCALAR);
	return text_of(value);
}

bool
ht_yaml_quoted(const struct ht_yaml *value)
{
	return value->quoted;
}

size_t
ht_yaml_count(const struct ht_yaml *value)
{
	return value == NULL ? 0 : value->count;
}

struct ht_yaml *
ht_yaml_at(struct ht_yaml *value, size_t i)
{
	HT_ASSERT(i < value->count);
	value->children[i]->used = true;
	return value->children[i];
}

const char *
ht_yaml_key(const struct ht_yaml *map, size_t i)
{
	HT_ASSERT(map->kind == MAP && i < map->count);
	return map->children[i]->key;
}

void
ht_yaml_take(struct ht_yaml *value)
{
	if (value == NULL)
		return;
	value->used = true;
	/* As deep as HT_YAML_DEPTH, no deeper. */
	for (size_t i = 0; i < value->count; i++)
		ht_yaml_take(value->children[i]);
}

/* ---- findings ---- */

/* What begins a line after its key is looked for at its key. */
static bool
stands_below(const struct ht_yaml *value)
{
	return value->key != NULL && value->kind != SCALAR && !value->flow &&
	       value->line > value->key_line;
}

void
ht_yaml_where(const struct ht_yaml *value, char out[static HT_WHERE_SIZE])
{
	bool below = stands_below(value);

	(void)snprintf(out, HT_WHERE_SIZE, "%.480s:%u:%u", value->conf->name,
	    below ? value->key_line : value->line,
	    below ? value->key_column : value->column);
}

#define FINDING_SIZE 1024

static void
complain_at(const struct ht_yaml *value, bool at_key, const char *text)
{
	if (at_key && value->key != NULL)
		ht_conf_finding(value->conf, value->key_line, value->key_column,
		    "%s", text);
	else
		ht_conf_finding(
		    value->conf, value->line, value->column, "%s", text);
}

void
ht_yaml_complain(struct ht_yaml *value, const char *fmt, ...)
{
	char text[FINDING_SIZE];
	va_list ap;

	if (value == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	complain_at(value, stands_below(value), text);
}

void
ht_yaml_complain_key(struct ht_yaml *value, const char *fmt, ...)
{
	char text[FINDING_SIZE];
	va_list ap;

	if (value == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	complain_at(value, true, text);
}

#define FOUND_MAX  40 /* bytes quoted of what was found */
#define FOUND_SIZE (FOUND_MAX + 32)

/* What stands there, for "...; found ...". */
static const char *
found(const struct ht_yaml *value, char out[static FOUND_SIZE])
{
	int cut = (int)ht_utf8_cut(text_of(value), FOUND_MAX);
	const char *more = (size_t)cut < value->len ? "..." : "";

	if (value->kind == MAP)
		return "a map";
	if (value->kind == LIST)
		return "a list";
	if (ht_yaml_type(value) == HT_YAML_NULL)
		return "nothing";
	if (value->quoted)
		(void)snprintf(out, FOUND_SIZE, "the text \"%.*s%s\"", cut,
		    value->text, more);
	else
		(void)snprintf(
		    out, FOUND_SIZE, "'%.*s%s'", cut, value->text, more);
	return out;
}

/* "'port' must be <what>; found ...", once per value; false for the caller. */
static bool must_be(struct ht_yaml *value, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static bool
must_be(struct ht_yaml *value, const char *fmt, ...)
{
	char what[600], room[FOUND_SIZE];
	va_list ap;

	ht_yaml_take(value); /* its insides need no findings of their own */
	if (value->refused)
		return false;
	value->refused = true;
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (value->key != NULL)
		ht_yaml_complain(value, "'%s' must be %s; found %s", value->key,
		    what, found(value, room));
	else
		ht_yaml_complain(value, "this must be %s; found %s", what,
		    found(value, room));
	return false;
}

/* ---- by key ---- */

/* Remembered for "did you mean"; without memory there is no such hint. */
static void
remember_asked(struct ht_yaml *map, const char *key)
{
	if (map->asked_count == map->asked_room) {
		size_t room = map->asked_room == 0 ? 8 : map->asked_room * 2;
		const char **asked =
		    realloc(map->asked, room * sizeof(const char *));

		if (asked == NULL)
			return;
		map->asked = asked;
		map->asked_room = room;
	}
	map->asked[map->asked_count++] = key;
}

struct ht_yaml *
ht_yaml_get(struct ht_yaml *map, const char *key)
{
	struct ht_yaml *value;
	struct index_key at;

	if (ht_yaml_as_map(map) == NULL)
		return NULL;
	remember_asked(map, key);
	if (!ht_conf_index_key(map, ht_slice_str(key), &at))
		return NULL;
	value = ht_map_get(map->conf->index, HT_SLICE(at.bytes, at.len));
	if (value == NULL)
		return NULL;
	value->used = true;
	return ht_yaml_type(value) == HT_YAML_NULL ? NULL : value;
}

struct ht_yaml *
ht_yaml_need(struct ht_yaml *map, const char *key)
{
	struct ht_yaml *value = ht_yaml_get(map, key);

	if (map == NULL || map->kind != MAP || value != NULL)
		return value;
	if (map->key != NULL)
		ht_yaml_complain(
		    map, "'%s' lacks the key '%s'; add it", map->key, key);
	else
		ht_yaml_complain(map, "the key '%s' is missing; add it", key);
	return NULL;
}

/* ---- by type ---- */

struct ht_yaml *
ht_yaml_as_map(struct ht_yaml *value)
{
	if (value == NULL || value->kind == MAP)
		return value;
	must_be(value, "a map (lines of 'key: value')");
	return NULL;
}

struct ht_yaml *
ht_yaml_as_list(struct ht_yaml *value)
{
	if (value == NULL || value->kind == LIST)
		return value;
	must_be(value, "a list (lines of '- value')");
	return NULL;
}

static bool
is_text(const struct ht_yaml *value)
{
	return value->kind == SCALAR && ht_yaml_type(value) != HT_YAML_NULL;
}

bool
ht_yaml_as_str(struct ht_yaml *value, size_t max, const char **ret)
{
	if (value == NULL)
		return false;
	if (!is_text(value) || value->len == 0 || value->len > max)
		return must_be(value, "text of 1 to %zu bytes", max);
	*ret = value->text;
	return true;
}

bool
ht_yaml_as_bool(struct ht_yaml *value, bool *ret)
{
	if (value == NULL)
		return false;
	if (ht_yaml_type(value) != HT_YAML_BOOL)
		return must_be(value, "true or false");
	*ret = value->text[0] == 't';
	return true;
}

/* Digits alone. */
static enum ht_err
parse_digits(struct ht_slice text, uint64_t *ret)
{
	uint64_t v = 0;

	if (text.len == 0 || skip_digits(text, 0) != text.len)
		return HT_EMALFORMED;
	for (size_t i = 0; i < text.len; i++)
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(text.at[i] - '0'), &v))
			return HT_ETOOBIG;
	*ret = v;
	return HT_OK;
}

bool
ht_yaml_as_u64(struct ht_yaml *value, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (value == NULL)
		return false;
	if (ht_yaml_type(value) != HT_YAML_INT ||
	    parse_digits(text_of(value), &v) != HT_OK || v < min || v > max)
		return must_be(value, "a whole number from %ju to %ju",
		    (uintmax_t)min, (uintmax_t)max);
	*ret = v;
	return true;
}

/* ---- numbers with a unit ---- */

struct unit {
	const char *name;
	uint64_t factor;
};

/* The largest first; the last is 1. */
static const struct unit time_units[] = {
    {"d",  86400000},
    {"h",  3600000 },
    {"m",  60000   },
    {"s",  1000    },
    {"ms", 1       },
    {NULL, 0       },
};

static const struct unit size_units[] = {
    {"GiB", 1u << 30},
    {"MiB", 1u << 20},
    {"KiB", 1u << 10},
    {"B",   1       },
    {NULL,  0       },
};

static enum ht_err
parse_unit(struct ht_slice text, const struct unit *units, uint64_t *ret)
{
	size_t n = skip_digits(text, 0);
	struct ht_slice name = HT_SLICE(text.at + n, text.len - n);
	uint64_t v = 0;
	enum ht_err err = parse_digits(HT_SLICE(text.at, n), &v);

	if (err != HT_OK)
		return err;
	while (units->name != NULL && !ht_slice_is(name, units->name))
		units++;
	if (units->name == NULL)
		return HT_EMALFORMED;
	if (__builtin_mul_overflow(v, units->factor, &v))
		return HT_ETOOBIG;
	*ret = v;
	return HT_OK;
}

enum ht_err
ht_conf_parse_ms(struct ht_slice text, uint64_t *ret)
{
	return parse_unit(text, time_units, ret);
}

enum ht_err
ht_conf_parse_size(struct ht_slice text, uint64_t *ret)
{
	return parse_unit(text, size_units, ret);
}

#define UNIT_SIZE 32

/* In the largest unit that loses nothing: 90000 ms are "90s". */
static const char *
unit_text(uint64_t v, const struct unit *units, char out[static UNIT_SIZE])
{
	while (units->factor != 1 && (v == 0 || v % units->factor != 0))
		units++;
	(void)snprintf(out, UNIT_SIZE, "%ju%s", (uintmax_t)(v / units->factor),
	    units->name);
	return out;
}

static bool
as_unit(struct ht_yaml *value, const struct unit *units, const char *like,
    uint64_t min, uint64_t max, uint64_t *ret)
{
	char least[UNIT_SIZE], most[UNIT_SIZE];
	uint64_t v = 0;

	if (value == NULL)
		return false;
	if (value->kind != SCALAR ||
	    parse_unit(text_of(value), units, &v) != HT_OK || v < min ||
	    v > max)
		return must_be(value,
		    "from %s to %s, a number with its unit, "
		    "like %s",
		    unit_text(min, units, least), unit_text(max, units, most),
		    like);
	*ret = v;
	return true;
}

bool
ht_yaml_as_ms(struct ht_yaml *value, uint64_t min, uint64_t max, uint64_t *ret)
{
	return as_unit(
	    value, time_units, "500ms, 30s, 5m, 2h or 90d", min, max, ret);
}

bool
ht_yaml_as_size(
    struct ht_yaml *value, uint64_t min, uint64_t max, uint64_t *ret)
{
	return as_unit(
	    value, size_units, "512B, 64KiB, 1MiB or 2GiB", min, max, ret);
}

bool
ht_yaml_as_time(struct ht_yaml *value, uint64_t *ret_us)
{
	if (value == NULL)
		return false;
	if (value->kind != SCALAR ||
	    ht_time_parse(text_of(value), ret_us) != HT_OK)
		return must_be(value,
		    "a time in UTC, like 2026-11-24 or 2026-11-24T01:02:03Z");
	return true;
}

bool
ht_yaml_as_name(struct ht_yaml *value, const char **ret)
{
	if (value == NULL)
		return false;
	if (!is_text(value) || !ht_name_valid(text_of(value)))
		return must_be(value,
		    "a name like domain/name (ASCII letters, digits, '.' and "
		    "'-'; each part at most 64 long)");
	*ret = value->text;
	return true;
}

bool
ht_yaml_as_part(struct ht_yaml *value, const char **ret)
{
	if (value == NULL)
		return false;
	if (!is_text(value) || !ht_name_part(text_of(value)))
		return must_be(value,
		    "a short name (ASCII letters, digits, '.' and '-'; at most "
		    "64 long)");
	*ret = value->text;
	return true;
}

/* ---- hints ---- */

#define HINT_MAX 40 /* bytes; longer words are not compared */

/* Levenshtein's distance; both at most HINT_MAX long. */
static size_t
distance(struct ht_slice a, struct ht_slice b)
{
	size_t row[HINT_MAX + 1];

	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t cost = diagonal + (a.at[i - 1] != b.at[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < cost)
				cost = row[j] + 1;
			if (row[j - 1] + 1 < cost)
				cost = row[j - 1] + 1;
			row[j] = cost;
		}
	}
	return row[b.len];
}

#define ANOTHER_WORD 3 /* slips, from which on it is no slip */

/* A slip, and a smaller one than *best, which it then sets. */
static bool
is_closer(struct ht_slice text, const char *word, size_t *best)
{
	struct ht_slice want = ht_slice_str(word);
	size_t d;

	if (text.len > HINT_MAX || want.len > HINT_MAX)
		return false;
	d = distance(text, want);
	if (d >= *best || d > want.len / 2)
		return false;
	*best = d;
	return true;
}

static const char *
word_hint(struct ht_slice text, const struct ht_word *words)
{
	const char *hint = NULL;
	size_t best = ANOTHER_WORD;

	for (; words->word != NULL; words++)
		if (is_closer(text, words->word, &best))
			hint = words->word;
	return hint;
}

bool
ht_yaml_as_word(struct ht_yaml *value, const struct ht_word *words, int *ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf list = HT_BUF(300);
	const char *hint, *all;

	if (value == NULL)
		return false;
	for (const struct ht_word *w = words; w->word != NULL; w++) {
		if (value->kind == SCALAR &&
		    ht_slice_is(text_of(value), w->word)) {
			*ret = w->value;
			return true;
		}
		ht_buf_fmt(&list, "%s%s", w == words ? "" : ", ", w->word);
	}
	all = ht_buf_text(&list);
	if (all == NULL)
		all = "the words in the manual";
	hint = word_hint(text_of(value), words);
	if (hint != NULL)
		return must_be(
		    value, "one of %s (did you mean %s?)", all, hint);
	return must_be(value, "one of %s", all);
}

/* ---- the end ---- */

static void
report_unknown(const struct ht_yaml *map, struct ht_yaml *child)
{
	const char *hint = NULL;
	size_t best = ANOTHER_WORD;

	for (size_t i = 0; i < map->asked_count; i++)
		if (is_closer(ht_slice_str(child->key), map->asked[i], &best))
			hint = map->asked[i];
	if (hint != NULL)
		ht_conf_finding(child->conf, child->key_line, child->key_column,
		    "the key '%s' is unknown here; did you mean '%s'?",
		    child->key, hint);
	else
		ht_conf_finding(child->conf, child->key_line, child->key_column,
		    "the key '%s' is unknown here; remove it", child->key);
}

static void
check_asked(struct ht_yaml *value)
{
	for (size_t i = 0; i < value->count; i++) {
		struct ht_yaml *child = value->children[i];

		if (child->used) {
			check_asked(child);
			continue;
		}
		if (value->kind == MAP)
			report_unknown(value, child);
		else
			ht_yaml_complain(
			    child, "this value is of no use here; remove it");
		ht_yaml_take(child); /* told once */
	}
}

enum ht_err
ht_conf_done(struct ht_conf *conf)
{
	check_asked(conf->root);
	return conf->findings == 0 ? HT_OK : HT_EINVALID;
}

bool
ht_yaml_as_zone(struct ht_yaml *value, int64_t *ret_ms)
{
	const char *text = NULL;
	int minutes;

	if (!ht_yaml_as_str(value, 6, &text))
		return false;
	if (ht_zone_parse(text, &minutes) != HT_OK) {
		ht_yaml_complain(
		    value, "a zone is expected, like \"+08:00\" or Z (UTC)");
		return false;
	}
	*ret_ms = (int64_t)minutes * 60000;
	return true;
}
