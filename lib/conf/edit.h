/*
 * edit.h -- a YAML text with some values changed, and every other byte of it
 * as it was: comments, order, the way it is written.
 *
 * Edits are collected against the text that a document was parsed from, and
 * applied at once.  They must not touch one another's values.
 */
#ifndef HT_CONF_EDIT_H
#define HT_CONF_EDIT_H

#include "lib/conf/conf.h"

struct ht_edit;
struct ht_edits {
	struct ht_slice text; /* borrowed */
	size_t n, room;
	struct ht_edit *at;
	enum ht_err err; /* HT_ENOMEM sticks, and is told by ht_edits_apply() */
};
void ht_edits_fini(struct ht_edits *edits); /* usable with HT_AUTO */

/* @yaml, YAML of one line, in the place of the value. */
void ht_edit_replace(
    struct ht_edits *edits, const struct ht_yaml *value, struct ht_slice yaml);
/* The value of a key of @map: replaced, or set where the map begins. */
void ht_edit_set(struct ht_edits *edits, struct ht_yaml *map, const char *key,
    struct ht_slice yaml);
/* "key: value" as the last of a map that is not empty. */
void ht_edit_append(
    struct ht_edits *edits, struct ht_yaml *map, struct ht_slice yaml);
/* Lines, with their ends, before that of a top-level value's key. */
void ht_edit_before(
    struct ht_edits *edits, const struct ht_yaml *value, struct ht_slice lines);
/* The i-th of @map is gone, with its key. */
void ht_edit_remove(struct ht_edits *edits, struct ht_yaml *map, size_t i);

/* Append the text as it is now.  HT_ENOMEM; @out's errors. */
enum ht_err ht_edits_apply(const struct ht_edits *edits, struct ht_buf *out)
    HT_MUST_USE;

/* The value of a key; NULL: there is none, or @map is no map. */
struct ht_yaml *ht_yaml_child(struct ht_yaml *map, const char *key);

#endif
