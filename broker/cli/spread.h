/*
 * spread.h -- how durations are spread: median and the like in fixed memory,
 * however many there are.
 *
 * Values are counted in steps of at most 1/32 of themselves; what is read out
 * is the upper end of a step, so never too good, and at most 1/32 too large.
 */
#ifndef HT_BROKER_CLI_SPREAD_H
#define HT_BROKER_CLI_SPREAD_H

#include <stdint.h>

#define HT_SPREAD_BITS  5  /* 32 steps to each power of two */
#define HT_SPREAD_POWER 42 /* of us: 50 days; beyond is in the last step */
#define HT_SPREAD_STEPS                                                        \
	((HT_SPREAD_POWER - HT_SPREAD_BITS + 1) << HT_SPREAD_BITS)

struct ht_spread {
	uint64_t n;
	uint64_t max; /* exact */
	uint32_t at[HT_SPREAD_STEPS];
};

void ht_spread_add(struct ht_spread *spread, uint64_t value);
/* At most so large are @permille of all values; 0 if there is none. */
uint64_t ht_spread_at(const struct ht_spread *spread, unsigned permille);

#endif
