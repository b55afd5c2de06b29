#include "lib/base/map.h"

#include "tests/lib/fault.h"
#include "tests/lib/test.h"

static void
free_map(struct ht_map **map_p)
{
	ht_map_free(map_p, NULL);
}

static struct ht_slice
key_of(uint64_t n, uint8_t room[static 8])
{
	ht_be64(room, n);
	return HT_SLICE(room, 8);
}

static void
what_is_put_is_got(void **state)
{
	HT_AUTO(free_map) struct ht_map *map = ht_map_new();
	int one = 1, two = 2;
	void *old = &one;

	(void)state;
	assert_non_null(map);
	assert_null(ht_map_get(map, ht_slice_str("a")));
	assert_ok(ht_map_put(map, ht_slice_str("a"), &one, &old));
	assert_null(old);
	assert_ptr_equal(ht_map_get(map, ht_slice_str("a")), &one);
	assert_ok(ht_map_put(map, ht_slice_str("a"), &two, &old));
	assert_ptr_equal(old, &one);
	assert_int_equal(ht_map_count(map), 1);
	assert_ptr_equal(ht_map_del(map, ht_slice_str("a")), &two);
	assert_null(ht_map_del(map, ht_slice_str("a")));
	assert_int_equal(ht_map_count(map), 0);
}

static void
keys_are_bytes_of_any_length(void **state)
{
	HT_AUTO(free_map) struct ht_map *map = ht_map_new();
	static char bytes[64];

	(void)state;
	/* Prefixes of zeroes differ by their length alone. */
	for (size_t len = 0; len < sizeof(bytes); len++)
		assert_ok(
		    ht_map_put(map, HT_SLICE(bytes, len), &bytes[len], NULL));
	assert_int_equal(ht_map_count(map), sizeof(bytes));
	for (size_t len = 0; len < sizeof(bytes); len++)
		assert_ptr_equal(
		    ht_map_get(map, HT_SLICE(bytes, len)), &bytes[len]);
}

/*
 * Against a table that cannot be wrong: thousands of seeded puts and dels,
 * which grow the map and shift its probes around.
 */
static void
it_agrees_with_a_plain_table(void **state)
{
	HT_AUTO(free_map) struct ht_map *map = ht_map_new();
	static char values[2000];
	static bool there[2000];
	size_t count = 0;
	uint64_t seed = 12345;
	uint8_t room[8];

	(void)state;
	for (int step = 0; step < 60000; step++) {
		size_t n;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		n = (seed >> 33) % HT_COUNT(values);
		if (seed >> 63) {
			assert_ok(
			    ht_map_put(map, key_of(n, room), &values[n], NULL));
			count += !there[n];
			there[n] = true;
		} else {
			assert_ptr_equal(ht_map_del(map, key_of(n, room)),
			    there[n] ? &values[n] : NULL);
			count -= there[n];
			there[n] = false;
		}
		assert_int_equal(ht_map_count(map), count);
	}
	for (size_t n = 0; n < HT_COUNT(values); n++)
		assert_ptr_equal(ht_map_get(map, key_of(n, room)),
		    there[n] ? &values[n] : NULL);
}

static void
a_walk_sees_each_once(void **state)
{
	HT_AUTO(free_map) struct ht_map *map = ht_map_new();
	static int seen[100];
	struct ht_slice key;
	uint8_t room[8];
	void *value;
	size_t at = 0;

	(void)state;
	for (size_t n = 0; n < HT_COUNT(seen); n++)
		assert_ok(ht_map_put(map, key_of(n, room), &seen[n], NULL));
	while (ht_map_next(map, &at, &key, &value)) {
		assert_int_equal(key.len, 8);
		assert_ptr_equal(value, &seen[ht_load64(key.at)]);
		++*(int *)value;
	}
	for (size_t n = 0; n < HT_COUNT(seen); n++)
		assert_int_equal(seen[n], 1);
}

static unsigned dropped;

static void
drop(void *value)
{
	++*(int *)value;
	dropped++;
}

static void
values_are_dropped_with_the_map(void **state)
{
	struct ht_map *map = ht_map_new();
	int a = 0, b = 0;

	(void)state;
	assert_ok(ht_map_put(map, ht_slice_str("a"), &a, NULL));
	assert_ok(ht_map_put(map, ht_slice_str("b"), &b, NULL));
	ht_map_free(&map, drop);
	assert_null(map);
	assert_int_equal(a, 1);
	assert_int_equal(b, 1);
	assert_int_equal(dropped, 2);
	ht_map_free(&map, drop);
}

static enum ht_err
fill(struct ht_map **ret_map, size_t n)
{
	HT_AUTO(free_map) struct ht_map *map = ht_map_new();
	static char value;
	uint8_t room[8];

	if (map == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < n; i++) {
		enum ht_err err =
		    ht_map_put(map, key_of(i, room), &value, NULL);

		if (err != HT_OK) {
			/* The failed one is out, the others are in. */
			assert_null(ht_map_get(map, key_of(i, room)));
			assert_int_equal(ht_map_count(map), i);
			return err;
		}
	}
	*ret_map = HT_TAKE(map);
	return HT_OK;
}

static void
a_map_survives_no_memory(void **state)
{
	struct ht_map *map = NULL;
	enum ht_err err = HT_OK;

	(void)state;
	TORTURE(err = fill(&map, 40))
	{
		assert_err(err, HT_ENOMEM);
		assert_null(map);
	}
	assert_ok(err);
	assert_int_equal(ht_map_count(map), 40);
	ht_map_free(&map, NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_put_is_got),
    cmocka_unit_test(keys_are_bytes_of_any_length),
    cmocka_unit_test(it_agrees_with_a_plain_table),
    cmocka_unit_test(a_walk_sees_each_once),
    cmocka_unit_test(values_are_dropped_with_the_map),
    cmocka_unit_test(a_map_survives_no_memory),
};

HT_TEST_MAIN(tests)
