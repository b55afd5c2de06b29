/*
 * schema_node.h -- a compiled schema from inside: what schema.c builds and
 * schema_check.c walks.  Nobody else includes it.
 */
#ifndef HT_SCHEMAS_SCHEMA_NODE_H
#define HT_SCHEMAS_SCHEMA_NODE_H

#include <stddef.h>

#include "schemas/pattern.h"
#include "schemas/schema.h"

#define HT_NO_BOUND SIZE_MAX

enum ht_json_type {
	HT_JSON_NULL = 1,
	HT_JSON_BOOLEAN = 2,
	HT_JSON_INTEGER = 4,
	HT_JSON_NUMBER = 8,
	HT_JSON_STRING = 16,
	HT_JSON_ARRAY = 32,
	HT_JSON_OBJECT = 64,
};
/* "string", ...; for one bit. */
const char *ht_json_type_text(unsigned type);
/* The bits that hold for a value: an integer is a number as well. */
unsigned ht_json_type_of(const json_t *value);

/* Names and values borrow from the schema's own copy of the JSON. */
struct ht_node_list {
	size_t n;
	struct ht_schema_node **at;
};
struct ht_node_named {
	const char *name;
	struct ht_pattern *pattern; /* patternProperties only */
	struct ht_schema_node *node;
};
struct ht_node_map {
	size_t n;
	struct ht_node_named *at;
};
struct ht_names {
	const char *key; /* dependentRequired: when this one is there */
	size_t n;
	const char **at;
};
struct ht_names_list {
	size_t n;
	struct ht_names *at;
};

struct ht_schema_node {
	/* annotations and our own */
	const char *title;
	const char *about; /* description */
	int level;         /* -1: none */
	bool warn;
	bool never; /* the schema `false` */

	/* any value */
	unsigned types;      /* enum ht_json_type bits; 0: any */
	const json_t *among; /* enum */
	const json_t *constant;

	const json_t *minimum;
	const json_t *maximum;
	const json_t *above; /* exclusiveMinimum */
	const json_t *below; /* exclusiveMaximum */
	const json_t *multiple;

	size_t min_length; /* code points */
	size_t max_length;
	size_t max_bytes;
	struct ht_pattern *pattern;
	const char *format;

	struct ht_node_list prefix;
	struct ht_schema_node *items;
	struct ht_schema_node *contains;
	size_t min_contains;
	size_t max_contains;
	size_t min_items;
	size_t max_items;
	bool unique;

	struct ht_node_map properties;     /* in the order written */
	const json_t *property_names_json; /* the same, to look one up */
	struct ht_node_map patterns;
	struct ht_schema_node *additional;
	struct ht_schema_node *names; /* propertyNames */
	struct ht_names required;
	struct ht_names_list needs;   /* dependentRequired */
	struct ht_node_map dependent; /* dependentSchemas */
	size_t min_properties;
	size_t max_properties;

	struct ht_names_list order;  /* x-order: pairs */
	struct ht_names_list starts; /* x-prefix: pairs */
	struct ht_names_list sums;   /* x-sum: total, then its parts */

	/* in place */
	struct ht_node_list all_of;
	struct ht_node_list any_of;
	struct ht_node_list one_of;
	struct ht_schema_node *not_;
	struct ht_schema_node *if_;
	struct ht_schema_node *then_;
	struct ht_schema_node *else_;
	struct ht_schema_node *ref;

	unsigned colour;             /* of the search for circles */
	struct ht_schema_node *next; /* all of them, while compiling */
	const struct ht_step *place; /* while compiling */
};

struct ht_block {
	struct ht_block *next;
	_Alignas(max_align_t) unsigned char at[];
};
struct ht_pattern_owned {
	struct ht_pattern_owned *next;
	struct ht_pattern *pattern;
};

struct ht_schema {
	json_t *json; /* our copy: names and constants live in it */
	struct ht_schema_node *root;
	struct ht_block *blocks; /* all nodes and arrays */
	struct ht_pattern_owned *patterns;
};

#endif
