/*
 * map.h -- a hash map from byte strings to pointers.
 *
 * Keys are copied; values are the caller's.  The hash is keyed with a random
 * number per map (SipHash-like strength is not needed, unguessability is: keys
 * come from peers).
 */
#ifndef HT_BASE_MAP_H
#define HT_BASE_MAP_H

#include "lib/base/bytes.h"

struct ht_map;

struct ht_map *ht_map_new(void); /* NULL when out of memory */
/* Calls @drop (may be NULL) on every value first. */
void ht_map_free(struct ht_map **map_p, void (*drop)(void *value));
void *ht_map_get(const struct ht_map *map, struct ht_slice key);
/* Insert or replace; *ret_old (may be NULL) gets what was there. */
enum ht_err ht_map_put(struct ht_map *map, struct ht_slice key, void *value,
    void **ret_old) HT_MUST_USE;
/* Remove; returns the value or NULL. */
void *ht_map_del(struct ht_map *map, struct ht_slice key);
size_t ht_map_count(const struct ht_map *map);
/* Walk: start with *at = 0; false at the end.  No change while walking. */
bool ht_map_next(
    const struct ht_map *map, size_t *at, struct ht_slice *key, void **value);

#endif
