/* Quantiles in fixed memory: never too good, and at most 1/32 too bad. */
#include "tests/lib/test.h"

#include <stdlib.h>

#include "broker/cli/spread.h"

static void
nothing_has_no_quantile(void **state)
{
	static struct ht_spread s;

	(void)state;
	assert_int_equal(ht_spread_at(&s, 500), 0);
	ht_spread_add(&s, 7);
	assert_int_equal(ht_spread_at(&s, 0), 7);
	assert_int_equal(ht_spread_at(&s, 500), 7);
	assert_int_equal(ht_spread_at(&s, 1000), 7);
}

static int
by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Against sorting them, over nine powers of ten. */
static void
a_quantile_is_close_from_above(void **state)
{
	static const unsigned permilles[] = {1, 10, 250, 500, 950, 990, 1000};
	static struct ht_spread s;
	static uint64_t values[10007];
	uint64_t x = 1;

	(void)state;
	for (size_t i = 0; i < HT_COUNT(values); i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		values[i] = (x >> 33) >> (i % 31);
		ht_spread_add(&s, values[i]);
	}
	qsort(values, HT_COUNT(values), sizeof(values[0]), by_size);
	for (size_t i = 0; i < HT_COUNT(permilles); i++) {
		size_t rank = (HT_COUNT(values) * permilles[i] + 999) / 1000;
		uint64_t want = values[rank - 1];
		uint64_t got = ht_spread_at(&s, permilles[i]);

		assert_true(got >= want);
		assert_true(got <= want + want / 32);
	}
	assert_int_equal(s.max, values[HT_COUNT(values) - 1]);
}

static void
the_longest_are_told_exactly(void **state)
{
	static struct ht_spread s;

	(void)state;
	ht_spread_add(&s, UINT64_MAX);
	ht_spread_add(&s, UINT64_C(1) << 42);
	assert_int_equal(s.max, UINT64_MAX);
	assert_true(ht_spread_at(&s, 500) > 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(nothing_has_no_quantile),
    cmocka_unit_test(a_quantile_is_close_from_above),
    cmocka_unit_test(the_longest_are_told_exactly),
};

HT_TEST_MAIN(tests)
