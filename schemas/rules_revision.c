/*
 * rules_revision.c -- may this be the next revision of the same version, or
 * does it break those who use it?
 *
 * Compared is what consumers and providers build on: fields in their order,
 * parameters, rules.  Texts, levels, examples and warnings may change.  What
 * only loosens a rule is told apart from nothing: a consumer may rely on it.
 */
#include <string.h>

#include "lib/conf/conf.h"
#include "schemas/rules.h"

/* ---- what of a schema matters ---- */

static bool
is_text(const char *key)
{
	static const char *const texts[] = {"title", "description", "$comment",
	    "examples", "default", "deprecated", "readOnly", "writeOnly",
	    "$schema", "x-level", NULL};

	for (size_t i = 0; texts[i] != NULL; i++)
		if (strcmp(key, texts[i]) == 0)
			return true;
	return false;
}

static bool
warns(const json_t *schema)
{
	return json_is_true(json_object_get(schema, "x-warn"));
}

static json_t *essence(const json_t *value, bool names);

static json_t *
essence_of_list(const json_t *list)
{
	HT_AUTO(ht_json_free) json_t *out = json_array();
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (warns(one))
			continue;
		if (json_array_append_new(out, essence(one, false)) != 0)
			return NULL;
	}
	return HT_TAKE(out);
}

/* Keys whose values map names to schemas: the names are no keywords. */
static bool
holds_names(const char *key)
{
	return strcmp(key, "properties") == 0 || strcmp(key, "$defs") == 0 ||
	       strcmp(key, "patternProperties") == 0 ||
	       strcmp(key, "dependentSchemas") == 0;
}

/* Schemas are HT_SCHEMA_DEPTH deep at most: they were compiled. */
static json_t *
essence(const json_t *value, bool names)
{
	HT_AUTO(ht_json_free) json_t *out = NULL;
	const char *key;
	json_t *one, *kept;

	if (json_is_array(value))
		return essence_of_list(value);
	if (!json_is_object(value))
		return json_deep_copy(value);
	out = json_object();
	json_object_foreach((json_t *)(uintptr_t)value, key, one)
	{
		if (!names && is_text(key))
			continue;
		kept = essence(one, !names && holds_names(key));
		/* A list of warnings alone is no rule. */
		if (json_is_array(kept) && json_array_size(kept) == 0 &&
		    json_array_size(one) > 0) {
			json_decref(kept);
			continue;
		}
		if (json_object_set_new(out, key, kept) != 0)
			return NULL;
	}
	return HT_TAKE(out);
}

/* ---- fields and parameters ---- */

struct change {
	struct ht_law law; /* of the new one */
	const char *part;  /* "record", "request" */
	const struct ht_schema *was;
	const struct ht_schema *is;
	json_t *was_json; /* their essences */
	json_t *is_json;
};

static struct ht_yaml *
place(const struct change *c, const char *name)
{
	return ht_law_at(&c->law, c->part, "properties", name);
}

#define REMEDY "make it a new version, and give the old one its day ('until')"

/* How many of @a's first @n fields are in @b, too. */
static size_t
shared_before(const struct ht_schema *a, size_t n, const struct ht_schema *b)
{
	size_t shared = 0;

	for (size_t i = 0; i < n; i++)
		if (ht_schema_field_index(b, ht_schema_field(a, i)) >= 0)
			shared++;
	return shared;
}

/*
 * What was released is logged by numbers.  Each is told its own mistake: who
 * moved, not who only has another number since somebody else is gone or new.
 */
static void
check_order(const struct change *c, size_t i)
{
	const char *name = ht_schema_field(c->was, i);
	int now = ht_schema_field_index(c->is, name);

	if (now < 0)
		ht_law_breaks(&c->law, place(c, NULL), "compat",
		    "%s %s is gone; " REMEDY, c->part, name);
	else if (strcmp(c->part, "record") == 0 &&
	         shared_before(c->was, i, c->is) !=
	             shared_before(c->is, (size_t)now, c->was))
		ht_law_breaks(&c->law, place(c, name), "compat",
		    "the field %s was number %zu and is number %d, and what "
		    "was released is logged by numbers; put it back",
		    name, i + 1, now + 1);
}

static void
check_new(const struct change *c, size_t i)
{
	const char *name = ht_schema_field(c->is, i);

	if (strcmp(c->part, "record") == 0 &&
	    ht_schema_field_index(c->was, name) < 0 &&
	    shared_before(c->is, i, c->was) <
	        shared_before(c->is, ht_schema_fields(c->is), c->was))
		ht_law_breaks(&c->law, place(c, name), "compat",
		    "the field %s is new and stands before older ones, and "
		    "what was released is logged by numbers; append it at the "
		    "end",
		    name);
}

static void
check_value(const struct change *c, const char *name)
{
	const json_t *was =
	    json_object_get(json_object_get(c->was_json, "properties"), name);
	const json_t *is =
	    json_object_get(json_object_get(c->is_json, "properties"), name);

	if (is != NULL && !json_equal(was, is))
		ht_law_breaks(&c->law, place(c, name), "compat",
		    "the values that %s %s may have were others; " REMEDY,
		    c->part, name);
}

static void
check_level(const struct change *c, size_t i)
{
	const char *name = ht_schema_field(c->was, i);
	int now = ht_schema_field_index(c->is, name);

	if (now >= 0 && ht_schema_field_level(c->is, (size_t)now) <
	                    ht_schema_field_level(c->was, i))
		ht_law_advises(&c->law, place(c, name), "level",
		    "the level of %s falls from %d to %d: it needs the "
		    "provider's reasons, and nobody will be asked again",
		    name, ht_schema_field_level(c->was, i),
		    ht_schema_field_level(c->is, (size_t)now));
}

/* ---- the rules around them ---- */

static void
check_keyword(const struct change *c, const char *key, const json_t *was,
    const json_t *is)
{
	const char *name;
	json_t *def;

	if (strcmp(key, "properties") == 0)
		return; /* one by one */
	if (strcmp(key, "$defs") != 0) {
		if (!json_equal(was, is))
			ht_law_breaks(&c->law, ht_law_at(&c->law, c->part, key),
			    "compat",
			    "the rule '%s' of the %s is another; " REMEDY, key,
			    c->part);
		return;
	}
	/* More definitions hurt nobody. */
	json_object_foreach((json_t *)(uintptr_t)was, name, def)
	{
		if (!json_equal(def, json_object_get(is, name)))
			ht_law_breaks(&c->law,
			    ht_law_at(&c->law, c->part, key, name), "compat",
			    "the definition '%s' is another; " REMEDY, name);
	}
}

static void
check_keywords(const struct change *c)
{
	const char *key;
	json_t *value;

	json_object_foreach(c->was_json, key, value)
	    check_keyword(c, key, value, json_object_get(c->is_json, key));
	json_object_foreach(c->is_json, key, value)
	{
		if (json_object_get(c->was_json, key) == NULL &&
		    strcmp(key, "$defs") != 0)
			check_keyword(c, key, NULL, value);
	}
}

static enum ht_err
check_part(struct change *c)
{
	HT_AUTO(ht_json_free)
	json_t *was = essence(ht_schema_json(c->was), false);
	HT_AUTO(ht_json_free)
	json_t *is = essence(ht_schema_json(c->is), false);

	if (was == NULL || is == NULL)
		return HT_ENOMEM;
	c->was_json = was;
	c->is_json = is;
	for (size_t i = 0; i < ht_schema_fields(c->was); i++) {
		check_order(c, i);
		check_value(c, ht_schema_field(c->was, i));
		check_level(c, i);
	}
	for (size_t i = 0; i < ht_schema_fields(c->is); i++)
		check_new(c, i);
	check_keywords(c);
	return HT_OK;
}

/* ---- the rest of the item ---- */

static bool
listed(const char (*codes)[HT_PURPOSE_MAX + 1], unsigned n, const char *code)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(codes[i], code) == 0)
			return true;
	return false;
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
check_number(const struct ht_law *law, uint64_t was)
{
	if (law->item->revision <= was)
		ht_law_breaks(law, ht_law_at(law, "revision"), "revision",
		    "it changed, and its revision is %llu where %llu stood "
		    "before; give it revision %llu",
		    (unsigned long long)law->item->revision,
		    (unsigned long long)was, (unsigned long long)was + 1);
}

static void
check_item(const struct ht_law *law, const struct ht_item *was)
{
	const struct ht_item *is = law->item;

	if (strcmp(was->provider, is->provider) != 0)
		ht_law_breaks(law, ht_law_at(law, "provider"), "compat",
		    "the provider was %s; " REMEDY, was->provider);
	if ((was->operations & ~is->operations) != 0)
		ht_law_breaks(law, ht_law_at(law, "operations"), "compat",
		    "an operation is gone; " REMEDY);
	if (was->has_subject != is->has_subject ||
	    !same_text(was->subject_param, is->subject_param) ||
	    !same_text(was->subject_registry, is->subject_registry))
		ht_law_breaks(law, ht_law_at(law, "subject"), "compat",
		    "the subject is another, and nodes of the old one could "
		    "not be answered; " REMEDY);
	for (unsigned i = 0; i < was->n_purposes; i++)
		if (!listed((const char(*)[HT_PURPOSE_MAX + 1]) is->purposes,
		        is->n_purposes, was->purposes[i]))
			ht_law_breaks(law, ht_law_at(law, "purposes"), "compat",
			    "the purpose %s is gone; " REMEDY,
			    was->purposes[i]);
}

/* A promise that others plan by is kept, or moved with their knowledge. */
static void
check_end(const struct ht_law *law, const struct ht_item *was)
{
	if (was->until_ms != 0 && law->item->until_ms != 0 &&
	    law->item->until_ms < was->until_ms)
		ht_law_advises(law, ht_law_at(law, "until"), "until",
		    "its last day comes earlier than was said before");
}

enum ht_err
ht_rules_revision(const struct ht_doc *before, const struct ht_doc *now,
    const struct ht_rules *to)
{
	struct change c = {.part = "request",
	    .was = before->item->request,
	    .is = now->item->request};
	HT_AUTO(ht_law_close) struct ht_law law = {0};
	enum ht_err err = ht_law_open(&law, now, to);

	if (err != HT_OK)
		return err;
	if (!ht_hash_eq(&before->hash, &now->hash))
		check_number(&law, before->revision);
	check_item(&law, before->item);
	check_end(&law, before->item);
	c.law = law;
	err = check_part(&c);
	c.part = "record";
	c.was = before->item->record;
	c.is = now->item->record;
	return err == HT_OK ? check_part(&c) : err;
}

enum ht_err
ht_rules_gone(
    const struct ht_doc *before, uint64_t now_ms, const struct ht_rules *to)
{
	const struct ht_item *was = before->item;
	HT_AUTO(ht_law_close) struct ht_law law = {0};
	enum ht_err err;

	if (was->share == HT_SHARE_NONE ||
	    (was->until_ms != 0 && was->until_ms <= now_ms))
		return HT_OK;
	err = ht_law_open(&law, before, to);
	if (err == HT_OK)
		ht_law_breaks(&law,
		    ht_law_at(&law, was->until_ms != 0 ? "until" : "item"),
		    "compat",
		    "version %u of %s is there no more, and %s; keep it until "
		    "its last day",
		    was->version, was->name,
		    was->until_ms != 0 ? "its last day is still to come"
		                       : "it was never given its last day "
		                         "('until')");
	return err;
}
