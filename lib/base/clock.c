#include "lib/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/panic.h"

#define US_PER_S 1000000u

static uint64_t
clock_us(clockid_t id)
{
	struct timespec now;

	HT_ASSERT(clock_gettime(id, &now) == 0);
	HT_ASSERT(now.tv_sec >= 0);
	return (uint64_t)now.tv_sec * US_PER_S + (uint64_t)now.tv_nsec / 1000;
}

uint64_t
ht_clock_wall_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

uint64_t
ht_clock_wall_ms(void)
{
	return clock_us(CLOCK_REALTIME) / 1000;
}

uint64_t
ht_clock_mono_ms(void)
{
	return clock_us(CLOCK_MONOTONIC) / 1000;
}

uint64_t
ht_clock_boot_us(void)
{
	return clock_us(CLOCK_BOOTTIME);
}

/* 9999-12-31T23:59:59Z: RFC 3339 has four digits for the year. */
#define LAST_SECOND 253402300799u

void
ht_time_text(char out[static HT_TIME_SIZE], uint64_t us)
{
	uint64_t seconds = us / US_PER_S;
	unsigned fraction = (unsigned)(us % US_PER_S);
	struct tm tm;
	time_t when;
	size_t len;

	if (seconds > LAST_SECOND) {
		seconds = LAST_SECOND;
		fraction = US_PER_S - 1;
	}
	when = (time_t)seconds;
	HT_ASSERT(gmtime_r(&when, &tm) != NULL);
	len = strftime(out, HT_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	HT_ASSERT(len == 19);
	if (fraction != 0)
		(void)snprintf(
		    out + len, HT_TIME_SIZE - len, ".%06uZ", fraction);
	else
		(void)snprintf(out + len, HT_TIME_SIZE - len, "Z");
}

/* `n` digits from the cursor; anything else makes it fail. */
static unsigned
digits(struct ht_cur *cur, unsigned n)
{
	unsigned v = 0;

	while (n-- > 0) {
		uint8_t c = ht_cur_u8(cur);

		if (cur->err == HT_OK && (c < '0' || c > '9'))
			cur->err = HT_EMALFORMED;
		v = v * 10 + (c - '0');
	}
	return cur->err == HT_OK ? v : 0;
}

static void
mark(struct ht_cur *cur, char want)
{
	if (ht_cur_u8(cur) != (uint8_t)want)
		cur->err = HT_EMALFORMED;
}

/* Microseconds of ".1" to ".123456"; more digits would be lost, so: no. */
static unsigned
fraction_us(struct ht_cur *cur)
{
	unsigned us = 0, n = 0;

	if (cur->err != HT_OK || cur->at == cur->end || *cur->at != '.')
		return 0;
	mark(cur, '.');
	while (cur->at < cur->end && *cur->at != 'Z' && n < 6) {
		us = us * 10 + digits(cur, 1);
		n++;
	}
	if (n == 0)
		cur->err = HT_EMALFORMED;
	for (; n < 6; n++)
		us *= 10;
	return us;
}

static unsigned
days_in(unsigned year, unsigned month)
{
	static const uint8_t days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	HT_ASSERT(month >= 1 && month <= 12);
	return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* Days from 1970-01-01 to the given date of the Gregorian calendar. */
static uint64_t
days_since_1970(unsigned year, unsigned month, unsigned day)
{
	unsigned y = year - 1;
	uint64_t days = 365ull * (year - 1970) + y / 4 - y / 100 + y / 400 -
	                (1969 / 4 - 1969 / 100 + 1969 / 400);

	for (unsigned m = 1; m < month; m++)
		days += days_in(year, m);
	return days + day - 1;
}

static enum ht_err
time_of_day(struct ht_cur *cur, uint64_t *ret_us)
{
	unsigned hour, minute, second, us;

	mark(cur, 'T');
	hour = digits(cur, 2);
	mark(cur, ':');
	minute = digits(cur, 2);
	mark(cur, ':');
	second = digits(cur, 2);
	us = fraction_us(cur);
	mark(cur, 'Z');
	/* No leap second: it would have no number of its own. */
	if (ht_cur_end(cur) != HT_OK || hour > 23 || minute > 59 || second > 59)
		return HT_EMALFORMED;
	*ret_us = ((hour * 60ull + minute) * 60 + second) * US_PER_S + us;
	return HT_OK;
}

enum ht_err
ht_time_parse(struct ht_slice text, uint64_t *ret_us)
{
	struct ht_cur cur = ht_cur(text);
	unsigned year, month, day;
	uint64_t us = 0;
	enum ht_err err = HT_OK;

	year = digits(&cur, 4);
	mark(&cur, '-');
	month = digits(&cur, 2);
	mark(&cur, '-');
	day = digits(&cur, 2);
	if (cur.err != HT_OK || year < 1970 || month < 1 || month > 12 ||
	    day < 1 || day > days_in(year, month))
		return HT_EMALFORMED;
	if (cur.at != cur.end)
		err = time_of_day(&cur, &us);
	if (err == HT_OK)
		*ret_us =
		    days_since_1970(year, month, day) * 86400 * US_PER_S + us;
	return err;
}

/* ---- zones ---- */

#define ZONE_STEP 15 /* minutes: no zone is finer */

enum ht_err
ht_zone_parse(const char *text, int *ret)
{
	struct ht_cur cur = ht_cur(ht_slice_str(text + (text[0] != '\0')));
	unsigned hours, minutes;

	if (strcmp(text, "Z") == 0) {
		*ret = 0;
		return HT_OK;
	}
	hours = digits(&cur, 2);
	mark(&cur, ':');
	minutes = digits(&cur, 2);
	if (ht_cur_end(&cur) != HT_OK || (text[0] != '+' && text[0] != '-') ||
	    minutes > 59 || minutes % ZONE_STEP != 0 ||
	    hours * 60 + minutes > HT_ZONE_MAX)
		return HT_EMALFORMED;
	*ret = (text[0] == '-' ? -1 : 1) * (int)(hours * 60 + minutes);
	return HT_OK;
}

void
ht_zone_text(int minutes, char out[static HT_ZONE_SIZE])
{
	unsigned n = (unsigned)(minutes < 0 ? -minutes : minutes);

	(void)snprintf(out, HT_ZONE_SIZE, "%c%02u:%02u",
	    minutes < 0 ? '-' : '+', n / 60 % 100, n % 60);
}
