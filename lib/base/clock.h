/*
 * clock.h -- time, read at the edges only and passed into everything pure.
 *
 * Wall time is microseconds since 1970-01-01 UTC (_us) or milliseconds (_ms);
 * monotonic time is milliseconds since an arbitrary start.
 */
#ifndef HT_BASE_CLOCK_H
#define HT_BASE_CLOCK_H

#include <stdint.h>

#include "lib/base/bytes.h"

uint64_t ht_clock_wall_us(void);
uint64_t ht_clock_wall_ms(void);
uint64_t ht_clock_mono_ms(void); /* CLOCK_MONOTONIC */
uint64_t ht_clock_boot_us(void); /* CLOCK_BOOTTIME: also counts suspend */

#define HT_TIME_SIZE 28 /* "2026-11-24T01:02:03.123456Z" and NUL */
/* RFC 3339, UTC; with the fraction only where it is not zero. */
void ht_time_text(char out[static HT_TIME_SIZE], uint64_t us);
/*
 * RFC 3339 with "Z" (a date alone means midnight UTC); years 1970-9999.
 * Errors: HT_EMALFORMED, also for dates that do not exist.
 */
enum ht_err ht_time_parse(struct ht_slice text, uint64_t *ret_us) HT_MUST_USE;

/* "+08:00", "-03:30" or "Z", at most 14 hours.  HT_EMALFORMED. */
#define HT_ZONE_MAX  (14 * 60) /* minutes */
#define HT_ZONE_SIZE 8
enum ht_err ht_zone_parse(const char *text, int *ret_minutes) HT_MUST_USE;
void ht_zone_text(int minutes, char out[static HT_ZONE_SIZE]);

#endif
