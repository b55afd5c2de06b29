#include "broker/log/period.h"

#include <stdio.h>
#include <string.h>

#define US_PER_MINUTE  UINT64_C(60000000)
#define MONTH_TEXT_LEN 7

static bool
two_digits(const char *text, int *ret)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return false;
	*ret = (text[0] - '0') * 10 + text[1] - '0';
	return true;
}

static enum ht_err
first_of(unsigned year, unsigned month, int zone, uint64_t *ret_us)
{
	char text[16];
	uint64_t us;
	enum ht_err err;

	(void)snprintf(text, sizeof(text), "%04u-%02u-01", year, month);
	err = ht_time_parse(ht_slice_str(text), &us);
	if (err == HT_OK && us < HT_ZONE_MAX * US_PER_MINUTE)
		err = HT_EMALFORMED;
	if (err == HT_OK)
		*ret_us = us - (uint64_t)((int64_t)US_PER_MINUTE * zone);
	return err;
}

enum ht_err
ht_month_parse(const char *text, int zone, uint64_t *ret_from, uint64_t *ret_to)
{
	int century, years, month;
	unsigned year;
	enum ht_err err;

	if (strlen(text) != MONTH_TEXT_LEN || text[4] != '-' ||
	    !two_digits(text, &century) || !two_digits(text + 2, &years) ||
	    !two_digits(text + 5, &month) || month < 1 || month > 12)
		return HT_EMALFORMED;
	year = (unsigned)(century * 100 + years);
	err = first_of(year, (unsigned)month, zone, ret_from);
	if (err != HT_OK)
		return err;
	return month == 12 ? first_of(year + 1, 1, zone, ret_to)
	                   : first_of(year, (unsigned)month + 1, zone, ret_to);
}

void
ht_day_text(uint64_t us, int zone, char out[static HT_DAY_SIZE])
{
	char text[HT_TIME_SIZE];
	int64_t shift = (int64_t)US_PER_MINUTE * zone;

	if (shift < 0 && us < (uint64_t)-shift)
		shift = 0; /* before 1970 there is no day */
	ht_time_text(text, us + (uint64_t)shift);
	memcpy(out, text, HT_DAY_SIZE - 1);
	out[HT_DAY_SIZE - 1] = '\0';
}
