/*
 * doc_schema.c -- JSON Schema written in YAML: the request and the record of an
 * item.  What is wrong with a schema is told at its own line.
 */
#include <string.h>

#include "lib/conf/conf.h"
#include "lib/conf/edit.h"
#include "schemas/doc.h"

/* ---- YAML as JSON ---- */

static json_t *to_json(struct ht_yaml *value);

/* Numbers and words are read as JSON reads them; conf.h promises the form. */
static json_t *
scalar_to_json(struct ht_yaml *value)
{
	struct ht_slice text = ht_yaml_scalar(value);
	json_t *json;

	switch (ht_yaml_type(value)) {
	case HT_YAML_NULL:
		return json_null();
	case HT_YAML_TEXT:
		return json_stringn((const char *)text.at, text.len);
	default:
		break;
	}
	json =
	    json_loadb((const char *)text.at, text.len, JSON_DECODE_ANY, NULL);
	if (json != NULL)
		return json;
	/* Whatever stands in its place: the document is refused. */
	ht_yaml_complain(value, "this number is out of range");
	return json_integer(1);
}

static json_t *
list_to_json(struct ht_yaml *list)
{
	HT_AUTO(ht_json_free) json_t *json = json_array();

	for (size_t i = 0; json != NULL && i < ht_yaml_count(list); i++)
		if (json_array_append_new(json, to_json(ht_yaml_at(list, i))) !=
		    0)
			return NULL;
	return HT_TAKE(json);
}

/* jansson keeps the order in which keys were put in: it is the fields'. */
static json_t *
map_to_json(struct ht_yaml *map)
{
	HT_AUTO(ht_json_free) json_t *json = json_object();

	for (size_t i = 0; json != NULL && i < ht_yaml_count(map); i++)
		if (json_object_set_new(json, ht_yaml_key(map, i),
		        to_json(ht_yaml_at(map, i))) != 0)
			return NULL;
	return HT_TAKE(json);
}

/* As deep as HT_YAML_DEPTH, no deeper. */
static json_t *
to_json(struct ht_yaml *value)
{
	switch (ht_yaml_type(value)) {
	case HT_YAML_LIST:
		return list_to_json(value);
	case HT_YAML_MAP:
		return map_to_json(value);
	default:
		return scalar_to_json(value);
	}
}

/* ---- mistakes at their own lines ---- */

struct teller {
	struct ht_yaml *top; /* the schema's map */
	const char *name;
	struct ht_report *report;
};

/* As deep as HT_YAML_DEPTH, no deeper. */
static struct ht_yaml *
find(struct ht_yaml *top, const struct ht_step *step)
{
	struct ht_yaml *up, *at = NULL;

	if (step == NULL)
		return top;
	up = find(top, step->up);
	if (step->key != NULL)
		at = ht_yaml_child(up, step->key);
	else if (ht_yaml_type(up) == HT_YAML_LIST &&
	         step->index < ht_yaml_count(up))
		at = ht_yaml_at(up, step->index);
	return at != NULL ? at : up;
}

/* Where what is only counted stands is not looked for: it is slow. */
static struct ht_yaml *
place_of(const struct teller *t, const struct ht_step *at)
{
	return ht_report_count(t->report) < HT_FINDINGS_MAX ? find(t->top, at)
	                                                    : t->top;
}

/* "/record/properties/a/type"; cut where it is too long for anybody. */
static const char *
pointer(const struct ht_step *at, struct ht_buf *room)
{
	const char *text;

	ht_step_print(at, room);
	text = ht_buf_text(room);
	return text != NULL ? text : "/...";
}

static void
tell(void *arg, const struct ht_step *at, const char *text)
{
	const struct teller *t = arg;
	HT_AUTO(ht_buf_fini) struct ht_buf room = HT_BUF(2048);

	ht_yaml_complain(
	    place_of(t, at), "/%s%s: %s", t->name, pointer(at, &room), text);
}

static void
tell_key(void *arg, const struct ht_step *at, const char *text)
{
	const struct teller *t = arg;
	HT_AUTO(ht_buf_fini) struct ht_buf room = HT_BUF(2048);

	ht_yaml_complain_key(
	    place_of(t, at), "/%s%s: %s", t->name, pointer(at, &room), text);
}

/* ---- fields ---- */

#define FIELDS_MAX (HT_RELEASED_MAX * 8) /* bits of `released` */

/* Of the text, not of what was compiled: also where a schema has mistakes. */
static void
check_fields(struct ht_yaml *record)
{
	struct ht_yaml *fields = ht_yaml_child(record, "properties");
	size_t n = 0;

	if (fields != NULL && ht_yaml_type(fields) == HT_YAML_MAP)
		n = ht_yaml_count(fields);
	if (n == 0 || n > FIELDS_MAX)
		ht_yaml_complain(fields != NULL ? fields : record,
		    "a record has 1 to %d fields, not %zu", FIELDS_MAX, n);
	for (size_t i = 0; i < n; i++) {
		struct ht_yaml *field = ht_yaml_at(fields, i);

		if (ht_yaml_child(field, "x-level") == NULL)
			ht_yaml_complain(field,
			    "the field %.64s needs its level, x-level: 0 "
			    "public, 1 internal, 2 personal or business "
			    "secret, 3 sensitive",
			    ht_yaml_key(fields, i));
	}
}

/* ---- the whole ---- */

void
ht_read_schema(struct ht_read *r, const char *name, struct ht_schema **ret)
{
	HT_AUTO(ht_json_free) json_t *json = NULL;
	struct ht_yaml *map = ht_yaml_as_map(ht_yaml_need(r->top, name));
	struct teller teller = {map, name, r->report};
	const struct ht_schema_told told = {tell, tell_key, &teller};

	if (map == NULL)
		return;
	json = to_json(map);
	ht_yaml_take(map);
	if (json == NULL ||
	    ht_schema_compile_told(json, &told, ret) == HT_ENOMEM)
		r->no_memory = true;
	if (strcmp(name, "record") == 0)
		check_fields(map);
}
