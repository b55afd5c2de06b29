/*
 * period.h -- days and months, where the people of a report live.
 */
#ifndef HT_BROKER_LOG_PERIOD_H
#define HT_BROKER_LOG_PERIOD_H

#include "lib/base/clock.h"

/*
 * "2026-03": from its first moment to the first of the next month.
 * HT_EMALFORMED, also for months before 1970-02, which a zone could move
 * before the beginning of time.
 */
enum ht_err ht_month_parse(const char *text, int zone_minutes,
    uint64_t *ret_from_us, uint64_t *ret_to_us) HT_MUST_USE;

#define HT_DAY_SIZE 11 /* "2026-03-01" */
/* The day; cut to HT_MONTH_LEN bytes, the month. */
#define HT_MONTH_LEN 7
void ht_day_text(uint64_t us, int zone_minutes, char out[static HT_DAY_SIZE]);

#endif
