/*
 * schema_check.c -- hold a value against a compiled schema, and say everything
 * that is wrong with it.
 *
 * Findings name the place in the value and what the schema wants; they never
 * hold anything of the value but the names on the way to it.  Alternatives
 * (anyOf, oneOf, not, if, contains) are tried in silence.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/base/panic.h"
#include "lib/base/text.h"
#include "schemas/number.h"
#include "schemas/schema_node.h"

struct check {
	struct ht_report *sink; /* NULL: in silence */
	struct ht_report *warnings;
	struct ht_matcher *matcher; /* made at the first pattern */
	uint64_t steps;
	unsigned depth;
	const char *gave_up; /* why nothing more can be said; final */
};

static bool holds(struct check *c, const struct ht_schema_node *node,
    const json_t *value, const struct ht_step *at);

/* ---- places and findings ---- */

#define STEP_SHOWN 64 /* bytes of a name: it may come from a stranger */

void
ht_step_print(const struct ht_step *step, struct ht_buf *out)
{
	struct ht_slice name;

	if (step == NULL)
		return;
	ht_step_print(step->up, out);
	if (step->key == NULL) {
		ht_buf_fmt(out, "/%zu", step->index);
		return;
	}
	ht_buf_str(out, "/");
	name = HT_SLICE(step->key, step->key_len);
	name.len = ht_utf8_cut(name, STEP_SHOWN);
	for (size_t i = 0, from = 0; i <= name.len; i++) {
		if (i < name.len && name.at[i] != '~' && name.at[i] != '/')
			continue;
		ht_text_safe(out, HT_SLICE(name.at + from, i - from));
		if (i < name.len)
			ht_buf_str(out, name.at[i] == '~' ? "~0" : "~1");
		from = i + 1;
	}
	if (name.len < step->key_len)
		ht_buf_str(out, "...");
}

static bool complain(struct check *c, const struct ht_step *at, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* Always false, so that a rule can end with it. */
static bool
complain(struct check *c, const struct ht_step *at, const char *fmt, ...)
{
	struct ht_buf where = HT_BUF(4096), text = HT_BUF(2048);
	char line[600];
	va_list ap;

	if (c->sink == NULL || c->gave_up != NULL)
		return false;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	ht_step_print(at, &where);
	ht_text_safe(&text, ht_slice_str(line));
	ht_report_add(c->sink,
	    ht_buf_text(&where) != NULL ? ht_buf_text(&where) : "/...", "%s",
	    ht_buf_text(&text) != NULL ? ht_buf_text(&text) : "out of memory");
	ht_buf_fini(&where);
	ht_buf_fini(&text);
	return false;
}

static bool
give_up(struct check *c, const struct ht_step *at, const char *why)
{
	if (c->gave_up == NULL)
		(void)complain(c, at, "%s", why);
	c->gave_up = why;
	return false;
}

/* Pay for work; false when the budget is spent. */
static bool
pay(struct check *c, const struct ht_step *at, uint64_t steps)
{
	if (c->gave_up != NULL)
		return false;
	if (steps >= c->steps)
		return give_up(c, at,
		    "checking this takes more work than any record should");
	c->steps -= steps;
	return true;
}

/* Try in silence. */
static bool
would_hold(struct check *c, const struct ht_schema_node *node,
    const json_t *value, const struct ht_step *at)
{
	struct ht_report *sink = c->sink;
	bool yes;

	c->sink = NULL;
	yes = holds(c, node, value, at);
	c->sink = sink;
	return yes;
}

/* ---- equality: 1 is 1.0, and false is not 0 ---- */

static bool equal(struct check *c, const struct ht_step *at, const json_t *a,
    const json_t *b, unsigned depth);

static bool
equal_arrays(struct check *c, const struct ht_step *at, const json_t *a,
    const json_t *b, unsigned depth)
{
	if (json_array_size(a) != json_array_size(b))
		return false;
	for (size_t i = 0; i < json_array_size(a); i++)
		if (!equal(c, at, json_array_get(a, i), json_array_get(b, i),
		        depth))
			return false;
	return true;
}

static bool
equal_objects(struct check *c, const struct ht_step *at, const json_t *a,
    const json_t *b, unsigned depth)
{
	const char *key;
	size_t len;
	json_t *one;

	if (json_object_size(a) != json_object_size(b))
		return false;
	json_object_keylen_foreach((json_t *)(uintptr_t)a, key, len, one)
	{
		const json_t *other = json_object_getn(b, key, len);

		if (other == NULL || !equal(c, at, one, other, depth))
			return false;
	}
	return true;
}

static bool
equal(struct check *c, const struct ht_step *at, const json_t *a,
    const json_t *b, unsigned depth)
{
	if (!pay(c, at, 1))
		return false;
	if (depth == HT_CHECK_DEPTH)
		return give_up(c, at, "this value is too deep");
	if (json_is_number(a) && json_is_number(b))
		return ht_number_cmp(a, b) == 0;
	if (json_typeof(a) != json_typeof(b))
		return false;
	switch (json_typeof(a)) {
	case JSON_ARRAY:
		return equal_arrays(c, at, a, b, depth + 1);
	case JSON_OBJECT:
		return equal_objects(c, at, a, b, depth + 1);
	case JSON_STRING:
		return json_string_length(a) == json_string_length(b) &&
		       memcmp(json_string_value(a), json_string_value(b),
		           json_string_length(a)) == 0;
	case JSON_INTEGER:
	case JSON_REAL:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		return true;
	}
	HT_NEVER("a JSON type of its own");
}

/* ---- any value ---- */

const char *
ht_json_type_text(unsigned type)
{
	switch ((enum ht_json_type)type) {
	case HT_JSON_NULL:
		return "null";
	case HT_JSON_BOOLEAN:
		return "boolean";
	case HT_JSON_INTEGER:
		return "integer";
	case HT_JSON_NUMBER:
		return "number";
	case HT_JSON_STRING:
		return "string";
	case HT_JSON_ARRAY:
		return "array";
	case HT_JSON_OBJECT:
		return "object";
	}
	return "value";
}

unsigned
ht_json_type_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return HT_JSON_OBJECT;
	case JSON_ARRAY:
		return HT_JSON_ARRAY;
	case JSON_STRING:
		return HT_JSON_STRING;
	case JSON_INTEGER:
	case JSON_REAL:
		return HT_JSON_NUMBER |
		       (ht_number_whole(value) ? HT_JSON_INTEGER : 0U);
	case JSON_TRUE:
	case JSON_FALSE:
		return HT_JSON_BOOLEAN;
	case JSON_NULL:
		return HT_JSON_NULL;
	}
	HT_NEVER("a JSON type of its own");
}

static bool
type_holds(struct check *c, const struct ht_schema_node *node,
    const json_t *value, const struct ht_step *at)
{
	unsigned has = ht_json_type_of(value);
	struct ht_buf wanted = HT_BUF(256);

	if (node->types == 0 || (node->types & has) != 0)
		return true;
	for (unsigned bit = HT_JSON_NULL; bit <= HT_JSON_OBJECT; bit <<= 1)
		if ((node->types & bit) != 0)
			ht_buf_fmt(&wanted, "%s%s",
			    wanted.len > 0 ? " or " : "",
			    ht_json_type_text(bit));
	(void)complain(c, at, "expected %s, not %s",
	    ht_buf_text(&wanted) != NULL ? ht_buf_text(&wanted)
	                                 : "another type",
	    ht_json_type_text(has & ~(unsigned)HT_JSON_INTEGER));
	ht_buf_fini(&wanted);
	return false;
}

#define LIST_SHOWN 300 /* bytes of an enum's values in a finding */

/* The schema's own values, never the record's. */
static void
list_values(const json_t *values, struct ht_buf *out)
{
	json_t *one;
	size_t i;

	json_array_foreach(values, i, one)
	{
		if (i > 0)
			ht_buf_str(out, ", ");
		if (out->len > LIST_SHOWN) {
			ht_buf_str(out, "...");
			return;
		}
		if (json_is_string(one))
			ht_buf_add(out, json_string_value(one),
			    json_string_length(one));
		else if (json_is_integer(one))
			ht_buf_fmt(out, "%" JSON_INTEGER_FORMAT,
			    json_integer_value(one));
		else
			ht_buf_str(out, "...");
	}
}

static bool
among_holds(struct check *c, const struct ht_schema_node *node,
    const json_t *value, const struct ht_step *at)
{
	struct ht_buf wanted = HT_BUF(4 * LIST_SHOWN);
	json_t *one;
	size_t i;

	json_array_foreach(
	    node->among, i, one) if (equal(c, at, one, value, 0)) return true;
	list_values(node->among, &wanted);
	(void)complain(c, at, "is not one of: %s",
	    ht_buf_text(&wanted) != NULL ? ht_buf_text(&wanted) : "...");
	ht_buf_fini(&wanted);
	return false;
}

static bool
any_holds(struct check *c, const struct ht_schema_node *node,
    const json_t *value, const struct ht_step *at)
{
	bool good = type_holds(c, node, value, at);

	if (node->among != NULL)
		good = among_holds(c, node, value, at) && good;
	if (node->constant != NULL && !equal(c, at, node->constant, value, 0))
		good = complain(c, at, "is not the one value allowed");
	return good;
}

/* ---- numbers ---- */

static bool
number_holds(struct check *c, const struct ht_schema_node *node,
    const json_t *value, const struct ht_step *at)
{
	bool good = true;

	if (node->minimum != NULL && ht_number_cmp(value, node->minimum) < 0)
		good = complain(c, at, "is less than %.15g",
		    json_number_value(node->minimum));
	if (node->maximum != NULL && ht_number_cmp(value, node->maximum) > 0)
		good = complain(c, at, "is more than %.15g",
		    json_number_value(node->maximum));
	if (node->above != NULL && ht_number_cmp(value, node->above) <= 0)
		good = complain(c, at, "is not more than %.15g",
		    json_number_value(node->above));
	if (node->below != NULL && ht_number_cmp(value, node->below) >= 0)
		good = complain(c, at, "is not less than %.15g",
		    json_number_value(node->below));
	if (node->multiple != NULL &&
	    !ht_number_multiple(value, node->multiple))
		good = complain(c, at, "is not a multiple of %.15g",
		    json_number_value(node->multiple));
	return good;
}

/* ---- strings ---- */

static enum ht_err
match(struct check *c, const struct ht_pattern *pattern, struct ht_slice text,
    const struct ht_step *at)
{
	enum ht_err err;

	if (!pay(c, at, 4 + text.len / 16))
		return HT_ETOOBIG;
	if (c->matcher == NULL)
		c->matcher = ht_matcher_new();
	if (c->matcher == NULL) {
		(void)give_up(c, at, "out of memory");
		return HT_ENOMEM;
	}
	err = ht_pattern_match(pattern, c->matcher, text);
	if (err != HT_OK && err != HT_ENOTFOUND)
		(void)give_up(
		    c, at, "a pattern could not be decided within its limits");
	return err;
}

static bool
string_holds(struct check *c, const struct ht_schema_node *node,
    const json_t *value, const struct ht_step *at)
{
	struct ht_slice text =
	    HT_SLICE(json_string_value(value), json_string_length(value));
	size_t points = ht_utf8_count(text);
	const char *why;
	bool good = true;

	if (points < node->min_length)
		good = complain(
		    c, at, "is shorter than %zu characters", node->min_length);
	if (points > node->max_length)
		good = complain(
		    c, at, "is longer than %zu characters", node->max_length);
	if (text.len > node->max_bytes)
		good = complain(
		    c, at, "is longer than %zu bytes", node->max_bytes);
	if (node->pattern != NULL && match(c, node->pattern, text, at) != HT_OK)
		good = complain(c, at, "does not match the pattern %s",
		    ht_pattern_text(node->pattern));
	if (node->format != NULL &&
	    !ht_format_check(node->format, text, &why, NULL))
		good = complain(c, at, "is no valid %s: %s", node->format, why);
	return good;
}

/* ---- arrays ---- */

static bool
contains_holds(struct check *c, const struct ht_schema_node *node,
    const json_t *value, const struct ht_step *at)
{
	size_t found = 0;
	json_t *one;
	size_t i;

	json_array_foreach(value, i, one)
	{
		struct ht_step step = {.up = at, .index = i};

		found += would_hold(c, node->contains, one, &step);
	}
	if (found < node->min_contains)
		return complain(c, at,
		    "has fewer than %zu elements of the kind it must contain",
		    node->min_contains);
	if (found > node->max_contains)
		return complain(c, at,
		    "has more than %zu elements of the kind it may contain",
		    node->max_contains);
	return true;
}

/* Each pair once: the budget is what bounds a long list. */
static bool
unique_holds(struct check *c, const json_t *value, const struct ht_step *at)
{
	for (size_t i = 1; i < json_array_size(value); i++)
		for (size_t j = 0; j < i; j++) {
			if (equal(c, at, json_array_get(value, i),
			        json_array_get(value, j), 0))
				return complain(c, at,
				    "elements %zu and %zu are the same", j, i);
			if (c->gave_up != NULL)
				return false;
		}
	return true;
}

static bool
elements_hold(struct check *c, const struct ht_schema_node *node,
    const json_t *value, const struct ht_step *at)
{
	bool good = true;
	json_t *one;
	size_t i;

	json_array_foreach(value, i, one)
	{
		struct ht_step step = {.up = at, .index = i};
		const struct ht_schema_node *of =
		    i < node->prefix.n ? node->prefix.at[i] : node->items;

		if (of != NULL)
			good = holds(c, of, one, &step) && good;
	}
	return good;
}

static bool
array_holds(struct check *c, const struct ht_schema_node *node,
    const json_t *value, const struct ht_step *at)
{
	size_t n = json_array_size(value);
	bool good = elements_hold(c, node, value, at);

	if (n < node->min_items)
		good = complain(
		    c, at, "has fewer than %zu elements", node->min_items);
	if (n > node->max_items)
		good = complain(
		    c, at, "has more than %zu elements", node->max_items);
	if (node->contains != NULL)
		good = contains_holds(c, node, value, at) && good;
	if (node->unique)
		good = unique_holds(c, value, at) && good;
	return good;
}

/* ---- objects ---- */

static bool
names_hold(struct check *c, const struct ht_names *names, const json_t *value,
    const struct ht_step *at)
{
	bool good = true;

	for (size_t i = 0; i < names->n; i++) {
		struct ht_step step = {.up = at,
		    .key = names->at[i],
		    .key_len = strlen(names->at[i])};

		if (json_object_get(value, names->at[i]) != NULL)
			continue;
		if (names->key != NULL)
			good = complain(
			    c, &step, "is missing; '%s' needs it", names->key);
		else
			good = complain(c, &step, "is missing");
	}
	return good;
}

/* One property against patternProperties and additionalProperties. */
static bool
other_property_holds(struct check *c, const struct ht_schema_node *node,
    const json_t *one, const struct ht_step *step)
{
	struct ht_slice name = HT_SLICE(step->key, step->key_len);
	bool known = json_object_getn(node->property_names_json, step->key,
	                 step->key_len) != NULL;
	bool good = true;

	for (size_t i = 0; i < node->patterns.n; i++) {
		if (match(c, node->patterns.at[i].pattern, name, step) != HT_OK)
			continue;
		known = true;
		good = holds(c, node->patterns.at[i].node, one, step) && good;
	}
	if (known || node->additional == NULL)
		return good;
	if (node->additional->never)
		return complain(c, step, "is no field known here");
	return holds(c, node->additional, one, step) && good;
}

static bool
name_holds(struct check *c, const struct ht_schema_node *names,
    const struct ht_step *step)
{
	json_t *name = json_stringn(step->key, step->key_len);
	bool good;

	if (name == NULL)
		return give_up(c, step, "out of memory, or not UTF-8");
	good = would_hold(c, names, name, step) ||
	       complain(c, step, "is not allowed as a name");
	json_decref(name);
	return good;
}

static bool
properties_hold(struct check *c, const struct ht_schema_node *node,
    const json_t *value, const struct ht_step *at)
{
	bool good = true;
	const char *key;
	size_t len;
	json_t *one;

	for (size_t i = 0; i < node->properties.n; i++) {
		const char *name = node->properties.at[i].name;
		struct ht_step step = {
		    .up = at, .key = name, .key_len = strlen(name)};

		one = json_object_get(value, name);
		if (one != NULL)
			good =
			    holds(c, node->properties.at[i].node, one, &step) &&
			    good;
	}
	if (node->patterns.n == 0 && node->additional == NULL &&
	    node->names == NULL)
		return good;
	json_object_keylen_foreach((json_t *)(uintptr_t)value, key, len, one)
	{
		struct ht_step step = {.up = at, .key = key, .key_len = len};

		good = pay(c, &step, 1) &&
		       other_property_holds(c, node, one, &step) && good;
		if (node->names != NULL)
			good = name_holds(c, node->names, &step) && good;
	}
	return good;
}

static bool
dependents_hold(struct check *c, const struct ht_schema_node *node,
    const json_t *value, const struct ht_step *at)
{
	bool good = true;

	for (size_t i = 0; i < node->needs.n; i++)
		if (json_object_get(value, node->needs.at[i].key) != NULL)
			good = names_hold(c, &node->needs.at[i], value, at) &&
			       good;
	for (size_t i = 0; i < node->dependent.n; i++)
		if (json_object_get(value, node->dependent.at[i].name) != NULL)
			good =
			    holds(c, node->dependent.at[i].node, value, at) &&
			    good;
	return good;
}

/* x-order: the first is not more than the second, when both are there. */
static bool
order_holds(struct check *c, const struct ht_names *pair, const json_t *value,
    const struct ht_step *at)
{
	const json_t *a = json_object_get(value, pair->at[0]);
	const json_t *b = json_object_get(value, pair->at[1]);
	struct ht_decimal x, y;
	bool more;

	if (ht_decimal_parse(a, &x) && ht_decimal_parse(b, &y))
		more = x.units > y.units;
	else if (json_is_string(a) && json_is_string(b))
		more = strcmp(json_string_value(a), json_string_value(b)) > 0;
	else
		return true;
	return !more || complain(c, at, "'%s' is after or above '%s'",
	                    pair->at[0], pair->at[1]);
}

/* x-prefix: the first begins with the second, when both are texts. */
static bool
start_holds(struct check *c, const struct ht_names *pair, const json_t *value,
    const struct ht_step *at)
{
	const json_t *whole = json_object_get(value, pair->at[0]);
	const json_t *start = json_object_get(value, pair->at[1]);

	if (!json_is_string(whole) || !json_is_string(start))
		return true;
	return (json_string_length(start) <= json_string_length(whole) &&
	           memcmp(json_string_value(whole), json_string_value(start),
	               json_string_length(start)) == 0) ||
	       complain(c, at, "'%s' does not begin with '%s'", pair->at[0],
	           pair->at[1]);
}

/*
 * x-sum: the first is the sum of the others; an absent part counts as nothing,
 * but without the first part there is no sum to check.
 */
static bool
sum_holds(struct check *c, const struct ht_names *names, const json_t *value,
    const struct ht_step *at)
{
	struct ht_decimal total, part, sum = {0};

	if (!ht_decimal_parse(json_object_get(value, names->at[0]), &total) ||
	    json_object_get(value, names->at[1]) == NULL)
		return true;
	for (size_t i = 1; i < names->n; i++) {
		const json_t *one = json_object_get(value, names->at[i]);

		if (one == NULL)
			continue;
		if (!ht_decimal_parse(one, &part))
			return true; /* another rule says so */
		sum.units += part.units;
	}
	return sum.units == total.units ||
	       complain(c, at, "'%s' is not the sum of its parts ('%s' ...)",
	           names->at[0], names->at[1]);
}

static bool
groups_hold(struct check *c, const struct ht_schema_node *node,
    const json_t *value, const struct ht_step *at)
{
	bool good = true;

	for (size_t i = 0; i < node->order.n; i++)
		good = order_holds(c, &node->order.at[i], value, at) && good;
	for (size_t i = 0; i < node->starts.n; i++)
		good = start_holds(c, &node->starts.at[i], value, at) && good;
	for (size_t i = 0; i < node->sums.n; i++)
		good = sum_holds(c, &node->sums.at[i], value, at) && good;
	return good;
}

static bool
object_holds(struct check *c, const struct ht_schema_node *node,
    const json_t *value, const struct ht_step *at)
{
	size_t n = json_object_size(value);
	bool good = names_hold(c, &node->required, value, at);

	good = properties_hold(c, node, value, at) && good;
	good = dependents_hold(c, node, value, at) && good;
	good = groups_hold(c, node, value, at) && good;
	if (n < node->min_properties)
		good = complain(
		    c, at, "has fewer than %zu fields", node->min_properties);
	if (n > node->max_properties)
		good = complain(
		    c, at, "has more than %zu fields", node->max_properties);
	return good;
}

/* ---- schemas for the same value ---- */

/* "; ; " of the titles that alternatives have. */
static void
list_titles(const struct ht_node_list *list, struct ht_buf *out)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->at[i]->title != NULL)
			ht_buf_fmt(out, "%s%s", out->len > 0 ? "; " : ": ",
			    list->at[i]->title);
}

static bool
choice_holds(struct check *c, const struct ht_node_list *list,
    const json_t *value, const struct ht_step *at, bool one_only)
{
	struct ht_buf titles = HT_BUF(400);
	size_t fits = 0;

	for (size_t i = 0; i < list->n; i++)
		fits += would_hold(c, list->at[i], value, at);
	if (fits == 1 || (fits > 1 && !one_only))
		return true;
	list_titles(list, &titles);
	(void)complain(c, at, "fits %s of the %zu alternatives%s",
	    fits == 0 ? "none" : "more than one", list->n,
	    ht_buf_text(&titles) != NULL ? ht_buf_text(&titles) : "");
	ht_buf_fini(&titles);
	return false;
}

static bool
condition_holds(struct check *c, const struct ht_schema_node *node,
    const json_t *value, const struct ht_step *at)
{
	const struct ht_schema_node *then =
	    would_hold(c, node->if_, value, at) ? node->then_ : node->else_;

	return then == NULL || holds(c, then, value, at);
}

static bool
in_place_holds(struct check *c, const struct ht_schema_node *node,
    const json_t *value, const struct ht_step *at)
{
	bool good = true;

	if (node->ref != NULL)
		good = holds(c, node->ref, value, at);
	for (size_t i = 0; i < node->all_of.n; i++)
		good = holds(c, node->all_of.at[i], value, at) && good;
	if (node->any_of.n > 0)
		good = choice_holds(c, &node->any_of, value, at, false) && good;
	if (node->one_of.n > 0)
		good = choice_holds(c, &node->one_of, value, at, true) && good;
	if (node->not_ != NULL && would_hold(c, node->not_, value, at))
		good = complain(c, at, "is what must not be%s%s",
		    node->not_->title != NULL ? ": " : "",
		    node->not_->title != NULL ? node->not_->title : "");
	if (node->if_ != NULL)
		good = condition_holds(c, node, value, at) && good;
	return good;
}

/* ---- one node ---- */

static bool
rules_hold(struct check *c, const struct ht_schema_node *node,
    const json_t *value, const struct ht_step *at)
{
	bool good = true;

	if (node->never)
		return complain(c, at, "is not allowed here");
	good = any_holds(c, node, value, at);
	if (json_is_number(value))
		good = number_holds(c, node, value, at) && good;
	else if (json_is_string(value))
		good = string_holds(c, node, value, at) && good;
	else if (json_is_array(value))
		good = array_holds(c, node, value, at) && good;
	else if (json_is_object(value))
		good = object_holds(c, node, value, at) && good;
	return in_place_holds(c, node, value, at) && good;
}

static bool
holds(struct check *c, const struct ht_schema_node *node, const json_t *value,
    const struct ht_step *at)
{
	struct ht_report *sink = c->sink;
	bool good;

	if (!pay(c, at, 1))
		return false;
	if (c->depth == HT_CHECK_DEPTH)
		return give_up(c, at, "this value is too deep for its schema");
	c->depth++;
	/* What may only warn is said elsewhere, and refuses nothing. */
	if (node->warn && sink != NULL)
		c->sink = c->warnings;
	good = rules_hold(c, node, value, at);
	c->sink = sink;
	c->depth--;
	return (node->warn && c->gave_up == NULL) || good;
}

static struct check
start(struct ht_report *violations, struct ht_report *warnings)
{
	return (struct check){
	    .sink = violations, .warnings = warnings, .steps = HT_CHECK_STEPS};
}

/* Inside `not`, giving up turned into a yes: it never is one. */
static bool
finish(struct check *c, bool good)
{
	if (c->gave_up != NULL) {
		if (good)
			ht_report_add(c->sink, "", "%s", c->gave_up);
		good = false;
	}
	ht_matcher_free(&c->matcher);
	return good;
}

bool
ht_schema_check(const struct ht_schema *schema, const json_t *value,
    struct ht_report *violations, struct ht_report *warnings)
{
	struct check c = start(violations, warnings);

	return finish(&c, holds(&c, schema->root, value, NULL));
}

bool
ht_schema_check_field(const struct ht_schema *schema, size_t i,
    const json_t *value, struct ht_report *violations)
{
	struct check c = start(violations, NULL);
	struct ht_step step = {0};

	HT_ASSERT(i < schema->root->properties.n);
	step.key = schema->root->properties.at[i].name;
	step.key_len = strlen(step.key);
	return finish(
	    &c, holds(&c, schema->root->properties.at[i].node, value, &step));
}

static bool
released_bit(struct ht_slice released, size_t i)
{
	return i / 8 < released.len && (released.at[i / 8] >> i % 8 & 1) != 0;
}

static bool
required(const struct ht_schema *schema, const char *name)
{
	const struct ht_names *names = &schema->root->required;

	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->at[i], name) == 0)
			return true;
	return false;
}

static bool
released_holds(struct check *c, const struct ht_schema *schema, size_t i,
    const json_t *value, bool released)
{
	const char *name = schema->root->properties.at[i].name;
	const json_t *one = json_object_get(value, name);
	struct ht_step step = {.key = name, .key_len = strlen(name)};

	if (one != NULL && !released)
		return complain(c, &step, "is there, but was not released");
	if (one != NULL)
		return holds(
		    c, schema->root->properties.at[i].node, one, &step);
	return !released || !required(schema, name) ||
	       complain(c, &step, "is missing");
}

bool
ht_schema_check_part(const struct ht_schema *schema, const json_t *value,
    struct ht_slice released, struct ht_report *violations,
    struct ht_report *warnings)
{
	struct check c = start(violations, warnings);
	bool good = true;
	const char *key;
	size_t len;
	json_t *one;

	if (!json_is_object(value))
		return complain(&c, NULL, "expected object, not %s",
		    ht_json_type_text(
		        ht_json_type_of(value) & ~(unsigned)HT_JSON_INTEGER));
	for (size_t i = 0; i < schema->root->properties.n; i++)
		good = released_holds(
		           &c, schema, i, value, released_bit(released, i)) &&
		       good;
	json_object_keylen_foreach((json_t *)(uintptr_t)value, key, len, one)
	{
		struct ht_step step = {.key = key, .key_len = len};

		if (json_object_getn(
		        schema->root->property_names_json, key, len) == NULL)
			good = complain(&c, &step, "is no field known here");
	}
	return finish(&c, good);
}
