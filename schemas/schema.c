/*
 * schema.c -- compile a JSON Schema into nodes.
 *
 * One table of keywords: a name is in it with the function that reads its
 * value, or it is an error.  References are resolved at the end, when every
 * place that holds a schema is known; a circle of schemas that look at the same
 * value for ever is refused.
 */
#include "schemas/schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/base/map.h"
#include "lib/base/panic.h"
#include "lib/base/text.h"
#include "schemas/number.h"
#include "schemas/schema_node.h"

struct compiler {
	struct ht_schema *schema;
	const struct ht_schema_told *told;
	const struct ht_step *at; /* the schema or keyword being read */
	struct ht_block *steps;   /* all of them: mistakes come late, too */
	unsigned depth;
	unsigned nodes;
	unsigned mistakes;
	enum ht_err err; /* HT_ENOMEM sticks */
	/* the JSON's address -> node; "$anchor" -> node */
	struct ht_map *places;
	struct ht_map *anchors;
	struct reference *references;
	struct ht_schema_node *all;
};

struct reference {
	struct reference *next;
	struct ht_schema_node *from;
	const struct ht_step *place;
	const char *target;
};

static struct ht_schema_node *compile(struct compiler *c, const json_t *json);

/* ---- helpers ---- */

static void *
take_from(struct compiler *c, struct ht_block **blocks, size_t size)
{
	struct ht_block *block = calloc(1, sizeof(*block) + size);

	if (block == NULL) {
		c->err = HT_ENOMEM;
		return NULL;
	}
	block->next = *blocks;
	*blocks = block;
	return block->at;
}

static void *
take(struct compiler *c, size_t count, size_t size)
{
	return take_from(c, &c->schema->blocks, count * size);
}

static void
free_blocks(struct ht_block **blocks)
{
	while (*blocks != NULL) {
		struct ht_block *next = (*blocks)->next;

		free(*blocks);
		*blocks = next;
	}
}

#define MISTAKE_SIZE 512

static void mistake(struct compiler *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
mistake(struct compiler *c, const char *fmt, ...)
{
	char text[MISTAKE_SIZE];
	va_list ap;

	c->mistakes++;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->told->tell(c->told->arg, c->at, text);
}

/* A step down, to what stands at a key or index; @up undoes it. */
static const struct ht_step *
step_to(struct compiler *c, const char *key, size_t index)
{
	struct ht_step *step = take_from(c, &c->steps, sizeof(*step));
	const struct ht_step *up = c->at;

	if (step == NULL)
		return up;
	*step = (struct ht_step){.up = up,
	    .key = key,
	    .key_len = key != NULL ? strlen(key) : 0,
	    .index = index};
	c->at = step;
	return up;
}

/* A mistake at a member of the list that we are at. */
static void
mistake_at(struct compiler *c, size_t index, const char *text)
{
	const struct ht_step *up = step_to(c, NULL, index);

	mistake(c, "%s", text);
	c->at = up;
}

/* Compile @json as the schema at key or index below the place we are at. */
static struct ht_schema_node *
compile_at(
    struct compiler *c, const char *key, size_t index, const json_t *json)
{
	const struct ht_step *up = step_to(c, key, index);
	struct ht_schema_node *node = compile(c, json);

	c->at = up;
	return node;
}

/* ---- one function per form of a keyword's value ---- */

/* What a keyword's function writes to, `field` being the offset in the node. */
struct keyword {
	const char *name;
	void (*read)(struct compiler *c, void *out, const json_t *value);
	size_t field;
};

static void
read_ignored(struct compiler *c, void *out, const json_t *value)
{
	(void)c;
	(void)out;
	(void)value;
}

static void
read_text(struct compiler *c, void *out, const json_t *value)
{
	const char **text = out;

	if (json_is_string(value))
		*text = json_string_value(value);
	else
		mistake(c, "expected a text");
}

static void
read_bool(struct compiler *c, void *out, const json_t *value)
{
	bool *flag = out;

	if (json_is_boolean(value))
		*flag = json_is_true(value);
	else
		mistake(c, "expected true or false");
}

static void
read_number(struct compiler *c, void *out, const json_t *value)
{
	const json_t **number = out;

	if (json_is_number(value))
		*number = value;
	else
		mistake(c, "expected a number");
}

static void
read_multiple(struct compiler *c, void *out, const json_t *value)
{
	read_number(c, out, value);
	if (json_is_number(value) && json_number_value(value) <= 0)
		mistake(c, "expected a number above 0");
}

/* 2020-12 allows 2.0 for 2. */
static void
read_count(struct compiler *c, void *out, const json_t *value)
{
	size_t *count = out;
	double v = json_is_number(value) ? json_number_value(value) : -1;

	if (!json_is_number(value) || !ht_number_whole(value) || v < 0 ||
	    v > 1e9)
		mistake(c, "expected a whole number from 0 to 10^9");
	else
		*count = (size_t)v;
}

static void
read_level(struct compiler *c, void *out, const json_t *value)
{
	int *level = out;
	json_int_t v = json_is_integer(value) ? json_integer_value(value) : -1;

	if (v < 0 || v > 3)
		mistake(c, "expected 0 (public), 1 (internal), 2 (personal or "
		           "business secret) or 3 (sensitive)");
	else
		*level = (int)v;
}

static void
read_value(struct compiler *c, void *out, const json_t *value)
{
	const json_t **at = out;

	(void)c;
	*at = value;
}

static void
read_array_of_values(struct compiler *c, void *out, const json_t *value)
{
	const json_t **at = out;

	if (json_is_array(value))
		*at = value;
	else
		mistake(c, "expected a list of values");
}

static unsigned
type_named(const char *name)
{
	for (unsigned bit = HT_JSON_NULL; bit <= HT_JSON_OBJECT; bit <<= 1)
		if (strcmp(ht_json_type_text(bit), name) == 0)
			return bit;
	return 0;
}

#define TYPE_EXPECTED                                                          \
	"expected null, boolean, integer, number, string, array or object"

static void
read_type(struct compiler *c, void *out, const json_t *value)
{
	unsigned *types = out;
	size_t n = json_is_array(value) ? json_array_size(value) : 1;

	if (n == 0)
		mistake(c, "expected a type or a list of types");
	for (size_t i = 0; i < n; i++) {
		const json_t *one =
		    json_is_array(value) ? json_array_get(value, i) : value;
		unsigned bit = json_is_string(one)
		                   ? type_named(json_string_value(one))
		                   : 0;

		if (bit == 0 && json_is_array(value))
			mistake_at(c, i, TYPE_EXPECTED);
		else if (bit == 0)
			mistake(c, "%s", TYPE_EXPECTED);
		*types |= bit;
	}
}

static void
read_format(struct compiler *c, void *out, const json_t *value)
{
	const char **format = out;
	struct ht_buf names = HT_BUF(512);
	bool known = false;

	read_text(c, out, value);
	if (!json_is_string(value))
		return;
	(void)ht_format_check(*format, ht_slice_str(""), NULL, &known);
	if (known)
		return;
	for (size_t i = 0; ht_format_name(i) != NULL; i++) {
		ht_buf_str(&names, i > 0 ? ", " : "");
		ht_buf_str(&names, ht_format_name(i));
	}
	mistake(c, "'%s' is no format known here; there are: %s", *format,
	    ht_buf_text(&names) != NULL ? ht_buf_text(&names) : "");
	ht_buf_fini(&names);
}

static struct ht_pattern *
new_pattern(struct compiler *c, const char *text)
{
	struct ht_pattern_owned *owned = take(c, 1, sizeof(*owned));
	const char *why = "";
	enum ht_err err;

	if (owned == NULL)
		return NULL;
	err = ht_pattern_new(text, &why, &owned->pattern);
	if (err == HT_ENOMEM)
		c->err = err;
	else if (err != HT_OK)
		mistake(c, "the pattern '%.100s' is wrong %s", text, why);
	if (err != HT_OK)
		return NULL;
	owned->next = c->schema->patterns;
	c->schema->patterns = owned;
	return owned->pattern;
}

static void
read_pattern(struct compiler *c, void *out, const json_t *value)
{
	struct ht_pattern **pattern = out;

	if (json_is_string(value))
		*pattern = new_pattern(c, json_string_value(value));
	else
		mistake(c, "expected a regular expression");
}

static void
read_schema(struct compiler *c, void *out, const json_t *value)
{
	struct ht_schema_node **node = out;

	*node = compile(c, value);
}

static void
read_schemas(struct compiler *c, void *out, const json_t *value)
{
	struct ht_node_list *list = out;

	if (!json_is_array(value) || json_array_size(value) == 0) {
		mistake(c, "expected a list of schemas");
		return;
	}
	list->at = take(c, json_array_size(value), sizeof(*list->at));
	if (list->at == NULL)
		return;
	list->n = json_array_size(value);
	for (size_t i = 0; i < list->n; i++)
		list->at[i] = compile_at(c, NULL, i, json_array_get(value, i));
}

static void
read_map(struct compiler *c, void *out, const json_t *value)
{
	struct ht_node_map *map = out;
	const char *name;
	json_t *one;

	if (!json_is_object(value)) {
		mistake(c, "expected names with a schema each");
		return;
	}
	map->at = take(c, json_object_size(value), sizeof(*map->at));
	if (map->at == NULL)
		return;
	json_object_foreach((json_t *)(uintptr_t)value, name, one)
	{
		map->at[map->n].name = name;
		map->at[map->n++].node = compile_at(c, name, 0, one);
	}
}

static void
read_properties(struct compiler *c, void *out, const json_t *value)
{
	struct ht_schema_node *node = out;

	read_map(c, &node->properties, value);
	if (json_is_object(value))
		node->property_names_json = value;
}

static void
read_patterns(struct compiler *c, void *out, const json_t *value)
{
	struct ht_node_map *map = out;

	read_map(c, map, value);
	for (size_t i = 0; i < map->n; i++) {
		const struct ht_step *up = step_to(c, map->at[i].name, 0);

		map->at[i].pattern = new_pattern(c, map->at[i].name);
		c->at = up;
	}
}

static void
read_names(struct compiler *c, void *out, const json_t *value)
{
	struct ht_names *names = out;

	if (!json_is_array(value)) {
		mistake(c, "expected a list of names");
		return;
	}
	names->at = take(c, json_array_size(value), sizeof(*names->at));
	if (names->at == NULL)
		return;
	for (size_t i = 0; i < json_array_size(value); i++) {
		const json_t *one = json_array_get(value, i);
		const char *name = json_string_value(one);

		/* No name has a NUL in it. */
		if (name == NULL || strlen(name) != json_string_length(one))
			mistake_at(c, i, "expected names only");
		else
			names->at[names->n++] = name;
	}
}

static void
read_needs(struct compiler *c, void *out, const json_t *value)
{
	struct ht_names_list *list = out;
	const char *name;
	json_t *one;

	if (!json_is_object(value)) {
		mistake(c, "expected names, and for each the names it needs");
		return;
	}
	list->at = take(c, json_object_size(value), sizeof(*list->at));
	if (list->at == NULL)
		return;
	json_object_foreach((json_t *)(uintptr_t)value, name, one)
	{
		const struct ht_step *up = step_to(c, name, 0);

		list->at[list->n].key = name;
		read_names(c, &list->at[list->n++], one);
		c->at = up;
	}
}

/* x-order, x-prefix: a list of pairs; x-sum: of a total and its parts. */
static void
read_groups(struct compiler *c, struct ht_names_list *list, const json_t *value,
    size_t most, const char *expected)
{
	if (!json_is_array(value)) {
		mistake(c, "expected %s", expected);
		return;
	}
	list->at = take(c, json_array_size(value), sizeof(*list->at));
	if (list->at == NULL)
		return;
	for (size_t i = 0; i < json_array_size(value); i++) {
		const struct ht_step *up = step_to(c, NULL, i);
		unsigned before = c->mistakes;
		struct ht_names names = {0};

		read_names(c, &names, json_array_get(value, i));
		if (c->mistakes == before && (names.n < 2 || names.n > most))
			mistake(c, "expected %s", expected);
		else
			list->at[list->n++] = names;
		c->at = up;
	}
}

static void
read_pairs(struct compiler *c, void *out, const json_t *value)
{
	read_groups(c, out, value, 2, "a list of pairs of names");
}

static void
read_sums(struct compiler *c, void *out, const json_t *value)
{
	read_groups(
	    c, out, value, 32, "lists of a total's name and its parts'");
}

static void
read_anchor(struct compiler *c, void *out, const json_t *value)
{
	const char *name = json_string_value(value);
	void *old = NULL;

	if (name == NULL || *name == '\0' || strpbrk(name, "/#% ") != NULL) {
		mistake(c, "expected a plain name");
		return;
	}
	if (ht_map_put(c->anchors, ht_slice_str(name), out, &old) != HT_OK)
		c->err = HT_ENOMEM;
	else if (old != NULL)
		mistake(c, "the anchor '%s' stands twice", name);
}

static void
read_ref(struct compiler *c, void *out, const json_t *value)
{
	struct reference *r;

	if (!json_is_string(value) || json_string_value(value)[0] != '#') {
		mistake(c, "expected a reference within this schema, as "
		           "'#/$defs/name': nothing is fetched");
		return;
	}
	r = take(c, 1, sizeof(*r));
	if (r == NULL)
		return;
	r->from = out;
	r->place = c->at;
	r->target = json_string_value(value);
	r->next = c->references;
	c->references = r;
}

static void
read_dialect(struct compiler *c, void *out, const json_t *value)
{
	static const char want[] =
	    "https://json-schema.org/draft/2020-12/schema";

	(void)out;
	if (!json_is_string(value) ||
	    strcmp(json_string_value(value), want) != 0)
		mistake(c, "expected '%s': the one dialect known here", want);
}

/* $defs: compiled, so that references find them; kept by nobody. */
static void
read_defs(struct compiler *c, void *out, const json_t *value)
{
	struct ht_node_map map = {0};

	(void)out;
	read_map(c, &map, value);
}

#define AT(field)   offsetof(struct ht_schema_node, field)
#define NODE_ITSELF 0

static const struct keyword keywords[] = {
    {"$anchor",              read_anchor,          NODE_ITSELF       },
    {"$comment",             read_ignored,         NODE_ITSELF       },
    {"$defs",                read_defs,            NODE_ITSELF       },
    {"$ref",                 read_ref,             NODE_ITSELF       },
    {"$schema",              read_dialect,         NODE_ITSELF       },
    {"additionalProperties", read_schema,          AT(additional)    },
    {"allOf",                read_schemas,         AT(all_of)        },
    {"anyOf",                read_schemas,         AT(any_of)        },
    {"const",                read_value,           AT(constant)      },
    {"contains",             read_schema,          AT(contains)      },
    {"default",              read_ignored,         NODE_ITSELF       },
    {"dependentRequired",    read_needs,           AT(needs)         },
    {"dependentSchemas",     read_map,             AT(dependent)     },
    {"deprecated",           read_ignored,         NODE_ITSELF       },
    {"description",          read_text,            AT(about)         },
    {"else",                 read_schema,          AT(else_)         },
    {"enum",                 read_array_of_values, AT(among)         },
    {"examples",             read_ignored,         NODE_ITSELF       },
    {"exclusiveMaximum",     read_number,          AT(below)         },
    {"exclusiveMinimum",     read_number,          AT(above)         },
    {"format",               read_format,          AT(format)        },
    {"if",                   read_schema,          AT(if_)           },
    {"items",                read_schema,          AT(items)         },
    {"maxContains",          read_count,           AT(max_contains)  },
    {"maxItems",             read_count,           AT(max_items)     },
    {"maxLength",            read_count,           AT(max_length)    },
    {"maxProperties",        read_count,           AT(max_properties)},
    {"maximum",              read_number,          AT(maximum)       },
    {"minContains",          read_count,           AT(min_contains)  },
    {"minItems",             read_count,           AT(min_items)     },
    {"minLength",            read_count,           AT(min_length)    },
    {"minProperties",        read_count,           AT(min_properties)},
    {"minimum",              read_number,          AT(minimum)       },
    {"multipleOf",           read_multiple,        AT(multiple)      },
    {"not",                  read_schema,          AT(not_)          },
    {"oneOf",                read_schemas,         AT(one_of)        },
    {"pattern",              read_pattern,         AT(pattern)       },
    {"patternProperties",    read_patterns,        AT(patterns)      },
    {"prefixItems",          read_schemas,         AT(prefix)        },
    {"properties",           read_properties,      NODE_ITSELF       },
    {"propertyNames",        read_schema,          AT(names)         },
    {"readOnly",             read_ignored,         NODE_ITSELF       },
    {"required",             read_names,           AT(required)      },
    {"then",                 read_schema,          AT(then_)         },
    {"title",                read_text,            AT(title)         },
    {"type",                 read_type,            AT(types)         },
    {"uniqueItems",          read_bool,            AT(unique)        },
    {"writeOnly",            read_ignored,         NODE_ITSELF       },
    {"x-bytes",              read_count,           AT(max_bytes)     },
    {"x-level",              read_level,           AT(level)         },
    {"x-order",              read_pairs,           AT(order)         },
    {"x-prefix",             read_pairs,           AT(starts)        },
    {"x-sum",                read_sums,            AT(sums)          },
    {"x-warn",               read_bool,            AT(warn)          },
};

/* ---- compile ---- */

static struct ht_schema_node *
new_node(struct compiler *c, const json_t *json)
{
	struct ht_schema_node *node;
	struct ht_slice place = HT_SLICE(&json, sizeof(json));

	if (++c->nodes > HT_SCHEMA_NODES) {
		if (c->nodes == HT_SCHEMA_NODES + 1)
			mistake(
			    c, "more than %d schemas in one", HT_SCHEMA_NODES);
		return NULL;
	}
	node = take(c, 1, sizeof(*node));
	if (node == NULL)
		return NULL;
	node->next = c->all;
	node->place = c->at;
	c->all = node;
	node->level = -1;
	node->max_length = HT_NO_BOUND;
	node->max_bytes = HT_NO_BOUND;
	node->max_items = HT_NO_BOUND;
	node->max_properties = HT_NO_BOUND;
	node->min_contains = 1;
	node->max_contains = HT_NO_BOUND;
	/* jansson shares its true and false: no places of their own. */
	if (json_is_object(json) &&
	    ht_map_put(c->places, place, node, NULL) != HT_OK)
		c->err = HT_ENOMEM;
	return node;
}

static void
unknown(struct compiler *c, const char *name)
{
	char text[MISTAKE_SIZE];

	c->mistakes++;
	(void)snprintf(text, sizeof(text),
	    "the keyword '%.64s' is not supported here (docs/catalog.md lists "
	    "those that are)",
	    name);
	c->told->tell_key(c->told->arg, c->at, text);
}

static void
read_keyword(struct compiler *c, struct ht_schema_node *node, const char *name,
    const json_t *value)
{
	const struct ht_step *up = step_to(c, name, 0);
	const struct keyword *k = NULL;

	for (size_t i = 0; i < HT_COUNT(keywords) && k == NULL; i++)
		if (strcmp(keywords[i].name, name) == 0)
			k = &keywords[i];
	if (k != NULL)
		k->read(c, (char *)node + k->field, value);
	else
		unknown(c, name);
	c->at = up;
}

static struct ht_schema_node *
compile(struct compiler *c, const json_t *json)
{
	struct ht_schema_node *node;
	const char *name;
	json_t *value;

	if (c->err != HT_OK)
		return NULL;
	if (c->depth == HT_SCHEMA_DEPTH) {
		mistake(c, "deeper than %d schemas inside each other",
		    HT_SCHEMA_DEPTH);
		return NULL;
	}
	node = new_node(c, json);
	if (node == NULL)
		return NULL;
	if (json_is_boolean(json)) {
		node->never = json_is_false(json);
		return node;
	}
	if (!json_is_object(json)) {
		mistake(c, "expected a schema: keywords, or true or false");
		return node;
	}
	c->depth++;
	json_object_foreach((json_t *)(uintptr_t)json, name, value)
	    read_keyword(c, node, name, value);
	c->depth--;
	return node;
}

/* ---- circles ---- */

enum { WHITE, GREY, BLACK };

static bool circular(struct ht_schema_node *node);

static bool
list_circular(const struct ht_node_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (circular(list->at[i]))
			return true;
	return false;
}

/* The schemas that a node applies to the value it looks at itself. */
static bool
in_place_circular(const struct ht_schema_node *node)
{
	for (size_t i = 0; i < node->dependent.n; i++)
		if (circular(node->dependent.at[i].node))
			return true;
	return circular(node->ref) || circular(node->not_) ||
	       circular(node->if_) || circular(node->then_) ||
	       circular(node->else_) || list_circular(&node->all_of) ||
	       list_circular(&node->any_of) || list_circular(&node->one_of);
}

static bool
circular(struct ht_schema_node *node)
{
	bool found;

	if (node == NULL || node->colour == BLACK)
		return false;
	if (node->colour == GREY)
		return true;
	node->colour = GREY;
	found = in_place_circular(node);
	/* Of a circle it is told once. */
	node->colour = BLACK;
	return found;
}

/* ---- references ---- */

/* One "/token" of a JSON pointer in a URI fragment, undone (RFC 6901, 6). */
static bool
next_token(const char **at, struct ht_buf *token)
{
	const char *p = *at;

	ht_buf_reset(token);
	if (*p != '/')
		return false;
	for (p++; *p != '\0' && *p != '/'; p++) {
		uint8_t byte = (uint8_t)*p;

		if (byte == '%') {
			char hex[3] = {p[1], p[1] != '\0' ? p[2] : '\0', '\0'};

			if (ht_unhex(hex, &byte, 1) != HT_OK)
				return false;
			p += 2;
		}
		/* ~01 is "~1": the tilde's escapes come after the %. */
		if (token->len > 0 && token->at[token->len - 1] == '\x01') {
			if (byte != '0' && byte != '1')
				return false;
			token->at[token->len - 1] = byte == '0' ? '~' : '/';
			continue;
		}
		ht_buf_u8(token, byte == '~' ? '\x01' : byte);
	}
	*at = p;
	return token->len == 0 || token->at[token->len - 1] != '\x01';
}

static const json_t *
child(const json_t *json, const char *token)
{
	char *end;
	unsigned long i;

	if (json_is_object(json))
		return json_object_get(json, token);
	if (!json_is_array(json) || *token < '0' || *token > '9')
		return NULL;
	i = strtoul(token, &end, 10);
	return *end == '\0' ? json_array_get(json, i) : NULL;
}

static const json_t *
walk(const json_t *json, const char *pointer)
{
	struct ht_buf token = HT_BUF(1024);

	while (json != NULL && *pointer != '\0') {
		const char *text =
		    next_token(&pointer, &token) ? ht_buf_text(&token) : NULL;

		json = text != NULL ? child(json, text) : NULL;
	}
	ht_buf_fini(&token);
	return json;
}

static struct ht_schema_node *
find_target(struct compiler *c, const char *target)
{
	const json_t *json;

	if (target[1] != '\0' && target[1] != '/')
		return ht_map_get(c->anchors, ht_slice_str(target + 1));
	json = walk(c->schema->json, target + 1);
	if (json == NULL)
		return NULL;
	if (json_is_boolean(json))
		return compile(c, json);
	return ht_map_get(c->places, HT_SLICE(&json, sizeof(json)));
}

static void
resolve(struct compiler *c)
{
	for (struct reference *r = c->references; r != NULL && c->err == HT_OK;
	     r = r->next) {
		c->at = r->place;
		r->from->ref = find_target(c, r->target);
		if (r->from->ref == NULL && c->err == HT_OK)
			mistake(c,
			    "$ref '%.100s' points at no schema of this "
			    "document",
			    r->target);
	}
	c->at = NULL;
}

static bool
shallow(const json_t *json, unsigned depth)
{
	const char *name;
	json_t *value;
	size_t i;

	if (depth == 0)
		return false;
	json_object_foreach((json_t *)(uintptr_t)json, name,
	    value) if (!shallow(value, depth - 1)) return false;
	json_array_foreach(
	    json, i, value) if (!shallow(value, depth - 1)) return false;
	return true;
}

static void
compile_all(struct compiler *c)
{
	c->schema->root = compile(c, c->schema->json);
	resolve(c);
	if (c->err != HT_OK || c->mistakes > 0)
		return;
	for (struct ht_schema_node *n = c->all; n != NULL; n = n->next) {
		c->at = n->place;
		if (circular(n))
			mistake(c, "a $ref leads back to its own schema "
			           "without stepping into the value");
	}
}

enum ht_err
ht_schema_compile_told(const json_t *schema, const struct ht_schema_told *told,
    struct ht_schema **ret)
{
	struct compiler c = {.told = told};
	HT_AUTO(ht_schema_free)
	struct ht_schema *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return HT_ENOMEM;
	c.schema = made;
	/* Twice: a schema inside a keyword inside a schema. */
	if (!shallow(schema, 2 * HT_SCHEMA_DEPTH)) {
		mistake(&c, "deeper than %d levels", 2 * HT_SCHEMA_DEPTH);
		return HT_EINVALID;
	}
	made->json = json_deep_copy(schema);
	c.places = ht_map_new();
	c.anchors = ht_map_new();
	if (made->json == NULL || c.places == NULL || c.anchors == NULL)
		c.err = HT_ENOMEM;
	else
		compile_all(&c);
	free_blocks(&c.steps);
	ht_map_free(&c.places, NULL);
	ht_map_free(&c.anchors, NULL);
	if (c.err != HT_OK)
		return c.err;
	if (c.mistakes > 0)
		return HT_EINVALID;
	*ret = HT_TAKE(made);
	return HT_OK;
}

struct into {
	const char *where;
	struct ht_report *report;
};

/* Names come from the schema, and go to a terminal. */
static void
tell_report(void *arg, const struct ht_step *at, const char *line)
{
	const struct into *into = arg;
	HT_AUTO(ht_buf_fini) struct ht_buf where = HT_BUF(2048);
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(2048);

	ht_buf_str(&where, into->where);
	ht_step_print(at, &where);
	ht_text_safe(&text, ht_slice_str(line));
	if (ht_buf_text(&where) != NULL && ht_buf_text(&text) != NULL)
		ht_report_add(into->report, ht_buf_text(&where), "%s",
		    ht_buf_text(&text));
	else
		ht_report_add(into->report, into->where, "%s", line);
}

enum ht_err
ht_schema_compile(const json_t *schema, const char *where,
    struct ht_report *report, struct ht_schema **ret)
{
	struct into into = {where, report};
	const struct ht_schema_told told = {tell_report, tell_report, &into};

	return ht_schema_compile_told(schema, &told, ret);
}

void
ht_schema_free(struct ht_schema **schema_p)
{
	struct ht_schema *schema = *schema_p;

	if (schema == NULL)
		return;
	*schema_p = NULL;
	for (; schema->patterns != NULL;
	     schema->patterns = schema->patterns->next)
		ht_pattern_free(&schema->patterns->pattern);
	free_blocks(&schema->blocks);
	json_decref(schema->json);
	free(schema);
}

/* ---- fields ---- */

const json_t *
ht_schema_json(const struct ht_schema *schema)
{
	return schema->json;
}

size_t
ht_schema_fields(const struct ht_schema *schema)
{
	return schema->root->properties.n;
}

static const struct ht_node_named *
field(const struct ht_schema *schema, size_t i)
{
	HT_ASSERT(i < schema->root->properties.n);
	return &schema->root->properties.at[i];
}

const char *
ht_schema_field(const struct ht_schema *schema, size_t i)
{
	return field(schema, i)->name;
}

int
ht_schema_field_index(const struct ht_schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->root->properties.n; i++)
		if (strcmp(schema->root->properties.at[i].name, name) == 0)
			return (int)i;
	return -1;
}

int
ht_schema_field_level(const struct ht_schema *schema, size_t i)
{
	return field(schema, i)->node->level;
}

const char *
ht_schema_field_title(const struct ht_schema *schema, size_t i)
{
	return field(schema, i)->node->title;
}

const char *
ht_schema_field_about(const struct ht_schema *schema, size_t i)
{
	return field(schema, i)->node->about;
}
