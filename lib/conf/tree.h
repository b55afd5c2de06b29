/*
 * tree.h -- the document's insides, for the files of this folder alone.
 */
#ifndef HT_CONF_TREE_H
#define HT_CONF_TREE_H

#include "lib/base/map.h"
#include "lib/conf/conf.h"

#define KEY_MAX 256 /* bytes of a key; a person's are shorter */

enum kind { SCALAR, LIST, MAP };

struct ht_yaml {
	struct ht_yaml *next; /* in the list of all, for freeing */
	struct ht_conf *conf;
	enum kind kind;
	bool quoted;  /* SCALAR */
	bool used;    /* somebody asked for it */
	bool refused; /* a finding about its form was made: once is enough */
	unsigned line, column;
	unsigned key_line, key_column; /* in a map */
	size_t start, end, key_start;  /* in characters of the text */
	bool flow;                     /* LIST, MAP: in brackets */
	uint32_t number;               /* of the value in the document */
	char *key;                     /* in a map; owned */
	struct ht_yaml **children;
	size_t count, room;
	const char **asked; /* MAP: the keys somebody asked for; borrowed */
	size_t asked_count, asked_room;
	size_t len; /* SCALAR: of its text */
	char text[];
};

struct ht_conf {
	char *name;
	struct ht_report *report;
	unsigned findings; /* also those that no report took */
	struct ht_yaml *all;
	uint32_t count;
	struct ht_yaml *root;
	struct ht_map *index; /* number of the map, then key -> value */
};

/* Add a finding of the document at a place. */
void ht_conf_finding(struct ht_conf *conf, unsigned line, unsigned column,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* A key of the index; false if it is longer than any key can be. */
struct index_key {
	uint8_t bytes[4 + KEY_MAX];
	size_t len;
};
bool ht_conf_index_key(
    const struct ht_yaml *map, struct ht_slice key, struct index_key *ret);

#endif
