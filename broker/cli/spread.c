#include "broker/cli/spread.h"

#define STEPS (1u << HT_SPREAD_BITS)

/* Below 32 each value has its step; then 32 steps to each power of two. */
static unsigned
step_of(uint64_t value)
{
	unsigned power, step;

	if (value < STEPS)
		return (unsigned)value;
	power = 63u - (unsigned)__builtin_clzll(value);
	if (power >= HT_SPREAD_POWER)
		return HT_SPREAD_STEPS - 1;
	step = (unsigned)(value >> (power - HT_SPREAD_BITS)) & (STEPS - 1);
	return (power - HT_SPREAD_BITS + 1) * STEPS + step;
}

/* The largest value of a step. */
static uint64_t
end_of(unsigned i)
{
	unsigned power = i / STEPS;

	if (power == 0)
		return i;
	return ((uint64_t)(STEPS + i % STEPS + 1) << (power - 1)) - 1;
}

void
ht_spread_add(struct ht_spread *spread, uint64_t value)
{
	uint32_t *count = &spread->at[step_of(value)];

	if (*count < UINT32_MAX)
		++*count;
	spread->n++;
	if (value > spread->max)
		spread->max = value;
}

uint64_t
ht_spread_at(const struct ht_spread *spread, unsigned permille)
{
	uint64_t want = spread->n / 1000 * permille +
	                (spread->n % 1000 * permille + 999) / 1000;
	uint64_t seen = 0;

	if (spread->n == 0)
		return 0;
	for (unsigned i = 0; i < HT_SPREAD_STEPS; i++) {
		seen += spread->at[i];
		if (seen >= want && seen > 0)
			return end_of(i) < spread->max ? end_of(i)
			                               : spread->max;
	}
	return spread->max;
}
