/*
 * map.c -- open addressing, linear probing, deletion by shifting back, so
 * that no tombstones pile up.  The hash is SipHash-1-3 (Aumasson, Bernstein)
 * under a random key of the map.
 */
#include "lib/base/map.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/panic.h"

struct slot {
	uint64_t hash;
	uint8_t *key; /* NULL: empty */
	size_t key_len;
	void *value;
};

struct ht_map {
	uint64_t k0, k1;
	size_t count;
	size_t size; /* a power of two */
	struct slot *slots;
};

#define FIRST_SIZE 16

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t
rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void
sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 = rotl(s->v2, 32);
}

static void
sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

static uint64_t
hash(const struct ht_map *map, struct ht_slice key)
{
	struct sip s = {
	    map->k0 ^ 0x736f6d6570736575u,
	    map->k1 ^ 0x646f72616e646f6du,
	    map->k0 ^ 0x6c7967656e657261u,
	    map->k1 ^ 0x7465646279746573u,
	};
	uint64_t last = (uint64_t)key.len << 56;
	size_t i;

	for (i = 0; key.len - i >= 8; i += 8) {
		uint64_t word;

		memcpy(&word, key.at + i, 8);
		sip_word(&s, word);
	}
	for (unsigned shift = 0; i < key.len; i++, shift += 8)
		last |= (uint64_t)key.at[i] << shift;
	sip_word(&s, last);
	s.v2 ^= 0xff;
	for (int round = 0; round < 3; round++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

struct ht_map *
ht_map_new(void)
{
	struct ht_map *map = calloc(1, sizeof(*map));

	if (map == NULL)
		return NULL;
	map->size = FIRST_SIZE;
	map->slots = calloc(map->size, sizeof(*map->slots));
	if (map->slots == NULL) {
		free(map);
		return NULL;
	}
	ht_random(&map->k0, sizeof(map->k0));
	ht_random(&map->k1, sizeof(map->k1));
	return map;
}

void
ht_map_free(struct ht_map **map_p, void (*drop)(void *value))
{
	struct ht_map *map = *map_p;

	if (map == NULL)
		return;
	*map_p = NULL;
	for (size_t i = 0; i < map->size; i++) {
		if (map->slots[i].key == NULL)
			continue;
		if (drop != NULL)
			drop(map->slots[i].value);
		free(map->slots[i].key);
	}
	free(map->slots);
	free(map);
}

/* The slot of the key, or the empty one where it would go. */
static struct slot *
find(const struct ht_map *map, struct ht_slice key, uint64_t h)
{
	size_t i = h & (map->size - 1);

	HT_ASSERT(map->count < map->size);
	for (;; i = (i + 1) & (map->size - 1)) {
		struct slot *slot = &map->slots[i];

		if (slot->key == NULL)
			return slot;
		if (slot->hash == h &&
		    ht_slice_eq(HT_SLICE(slot->key, slot->key_len), key))
			return slot;
	}
}

void *
ht_map_get(const struct ht_map *map, struct ht_slice key)
{
	const struct slot *slot = find(map, key, hash(map, key));

	return slot->key == NULL ? NULL : slot->value;
}

static enum ht_err
grow(struct ht_map *map)
{
	struct slot *old = map->slots;
	size_t old_size = map->size;
	struct slot *slots;

	if (old_size > SIZE_MAX / 4 / sizeof(*slots))
		return HT_ETOOBIG;
	slots = calloc(old_size * 2, sizeof(*slots));
	if (slots == NULL)
		return HT_ENOMEM;
	map->slots = slots;
	map->size = old_size * 2;
	for (size_t i = 0; i < old_size; i++) {
		struct slot *from = &old[i];

		if (from->key != NULL)
			*find(map, HT_SLICE(from->key, from->key_len),
			    from->hash) = *from;
	}
	free(old);
	return HT_OK;
}

enum ht_err
ht_map_put(struct ht_map *map, struct ht_slice key, void *value, void **ret_old)
{
	uint64_t h = hash(map, key);
	struct slot *slot = find(map, key, h);
	uint8_t *copy;

	if (slot->key != NULL) {
		if (ret_old != NULL)
			*ret_old = slot->value;
		slot->value = value;
		return HT_OK;
	}
	/* A quarter stays empty: probes are short, and find() ends. */
	if (map->count + 1 > map->size / 4 * 3) {
		enum ht_err err = grow(map);

		if (err != HT_OK)
			return err;
		slot = find(map, key, h);
	}
	copy = (uint8_t *)ht_slice_dup(key);
	if (copy == NULL)
		return HT_ENOMEM;
	*slot = (struct slot){h, copy, key.len, value};
	map->count++;
	if (ret_old != NULL)
		*ret_old = NULL;
	return HT_OK;
}

/* Close the gap at `hole`: move back whatever probed past it. */
static void
shift_back(struct ht_map *map, size_t hole)
{
	size_t mask = map->size - 1;

	for (size_t i = (hole + 1) & mask; map->slots[i].key != NULL;
	     i = (i + 1) & mask) {
		size_t home = map->slots[i].hash & mask;

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		map->slots[hole] = map->slots[i];
		hole = i;
	}
	map->slots[hole] = (struct slot){0};
}

void *
ht_map_del(struct ht_map *map, struct ht_slice key)
{
	struct slot *slot = find(map, key, hash(map, key));
	void *value = slot->value;

	if (slot->key == NULL)
		return NULL;
	free(slot->key);
	shift_back(map, (size_t)(slot - map->slots));
	map->count--;
	return value;
}

size_t
ht_map_count(const struct ht_map *map)
{
	return map->count;
}

bool
ht_map_next(
    const struct ht_map *map, size_t *at, struct ht_slice *key, void **value)
{
	while (*at < map->size) {
		const struct slot *slot = &map->slots[(*at)++];

		if (slot->key == NULL)
			continue;
		if (key != NULL)
			*key = HT_SLICE(slot->key, slot->key_len);
		if (value != NULL)
			*value = slot->value;
		return true;
	}
	return false;
}
