/*
 * lane_use.c -- how much of each grant was used, in the exchange's day and in
 * the minute.  Nothing of it is stored: the log's entries say it again at a
 * start.
 */
#include <stdlib.h>

#include "broker/lane_in.h"

#define MINUTE_MS 60000u

static uint64_t
day_of(const struct ht_lane *lane, uint64_t ms)
{
	return ht_day(lane->zone_ms, ms);
}

void
ht_lane_zone(struct ht_lane *lane, int64_t zone_ms)
{
	lane->zone_ms = zone_ms;
}

struct usage *
lane_usage(struct ht_lane *lane, struct ht_slice grant)
{
	struct usage *usage = ht_map_get(lane->usage, grant);

	if (usage != NULL)
		return usage;
	usage = calloc(1, sizeof(*usage));
	if (usage == NULL ||
	    ht_map_put(lane->usage, grant, usage, NULL) != HT_OK) {
		free(usage);
		lane->err = HT_ENOMEM;
		return NULL;
	}
	return usage;
}

void
lane_use(const struct ht_lane *lane, struct usage *usage, uint64_t at_ms)
{
	uint64_t day = day_of(lane, at_ms), minute = at_ms / MINUTE_MS;

	if (usage->day != day)
		usage->day_count = 0;
	if (usage->minute != minute)
		usage->minute_count = 0;
	usage->day = day;
	usage->minute = minute;
	usage->day_count++;
	usage->minute_count++;
}

struct ht_usage
lane_used(const struct ht_lane *lane, struct ht_slice grant, uint64_t now_ms)
{
	const struct usage *usage = ht_map_get(lane->usage, grant);
	struct ht_usage used = {0};

	if (usage == NULL)
		return used;
	if (usage->day == day_of(lane, now_ms))
		used.day_count = usage->day_count;
	if (usage->minute == now_ms / MINUTE_MS)
		used.minute_count = usage->minute_count;
	return used;
}
