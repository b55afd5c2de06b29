/*
 * codes.c -- check digits, and the table of formats.
 *
 * A format is one function from the value to the reason why not (NULL: valid).
 * Reasons are fixed sentences, because values may be personal.
 */
#include "schemas/codes.h"

#include <string.h>

/* GB 32100: 31 characters; I, O, S, V, Z are left out as too like digits. */
static const char uscc_alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
/* 3^i mod 31 */
static const unsigned uscc_weights[17] = {
    1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28};
static const unsigned citizen_weights[17] = {
    7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
static const unsigned org_weights[8] = {3, 7, 9, 10, 5, 8, 4, 2};
/* The ninth place is the check itself. */
static const unsigned vin_weights[17] = {
    8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2};

#define VIN_CHECK_AT 8

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
all_digits(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!digit(at[i]))
			return false;
	return true;
}

static unsigned
number(const char *at, size_t len)
{
	unsigned n = 0;

	for (size_t i = 0; i < len; i++)
		n = n * 10 + (unsigned)(at[i] - '0');
	return n;
}

char
ht_uscc_check(const char body[static 17])
{
	unsigned sum = 0;

	for (size_t i = 0; i < 17; i++) {
		const char *at =
		    body[i] == '\0' ? NULL : strchr(uscc_alphabet, body[i]);

		if (at == NULL)
			return 0;
		sum += (unsigned)(at - uscc_alphabet) * uscc_weights[i];
	}
	return uscc_alphabet[(31 - sum % 31) % 31];
}

/* ISO 7064 MOD 11-2. */
char
ht_citizen_id_check(const char body[static 17])
{
	unsigned sum = 0;

	if (!all_digits(body, 17))
		return 0;
	for (size_t i = 0; i < 17; i++)
		sum += (unsigned)(body[i] - '0') * citizen_weights[i];
	return "10X98765432"[sum % 11];
}

char
ht_org_code_check(const char body[static 8])
{
	unsigned sum = 0;

	for (size_t i = 0; i < 8; i++) {
		unsigned v;

		if (digit(body[i]))
			v = (unsigned)(body[i] - '0');
		else if (body[i] >= 'A' && body[i] <= 'Z')
			v = (unsigned)(body[i] - 'A') + 10;
		else
			return 0;
		sum += v * org_weights[i];
	}
	/* 11 - sum mod 11: ten is X, eleven is 0 */
	return "0X987654321"[sum % 11];
}

/* 0 to 9; 10 for a letter or sign that no VIN has. */
static unsigned
vin_value(char c)
{
	/* from A: I, O and Q stand for nothing */
	static const unsigned char values[26] = {1, 2, 3, 4, 5, 6, 7, 8, 10, 1,
	    2, 3, 4, 5, 10, 7, 10, 9, 2, 3, 4, 5, 6, 7, 8, 9};

	if (digit(c))
		return (unsigned)(c - '0');
	return c >= 'A' && c <= 'Z' ? values[c - 'A'] : 10;
}

char
ht_vin_check(const char vin[static 17])
{
	unsigned sum = 0;

	for (size_t i = 0; i < 17; i++) {
		unsigned v = i == VIN_CHECK_AT ? 0 : vin_value(vin[i]);

		if (v == 10)
			return 0;
		sum += v * vin_weights[i];
	}
	return "0123456789X"[sum % 11];
}

bool
ht_day_exists(unsigned year, unsigned month, unsigned day)
{
	static const unsigned char days[12] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (month < 1 || month > 12 || day < 1)
		return false;
	return day <= days[month - 1] || (leap && month == 2 && day == 29);
}

/* ---- the formats: NULL, or why not ---- */

static const char *
uscc(const char *at, size_t len)
{
	char check;

	if (len != 18)
		return "a unified social credit code has 18 characters";
	/*
	 * No registrar has the code 0; and eighteen zeros would pass the
	 * arithmetic.
	 */
	if (at[0] == '0')
		return "position 1, the registrar, cannot be 0";
	if (!all_digits(at + 2, 6))
		return "positions 3 to 8, the region, must be digits";
	check = ht_uscc_check(at);
	if (check == 0)
		return "only 0-9 and A-Z without I, O, S, V, Z are allowed";
	return check == at[17] ? NULL : "the check character (18) is wrong";
}

static const char *
citizen_id(const char *at, size_t len)
{
	char check;

	if (len != 18)
		return "a citizen identity number has 18 characters";
	check = ht_citizen_id_check(at);
	if (check == 0)
		return "positions 1 to 17 must be digits";
	if (!ht_day_exists(
	        number(at + 6, 4), number(at + 10, 2), number(at + 12, 2)))
		return "positions 7 to 14 are no day that exists";
	if (at[17] == 'x')
		return "the check character is an upper-case X";
	return check == at[17] ? NULL : "the check character (18) is wrong";
}

static const char *
org_code(const char *at, size_t len)
{
	char check;

	if (len != 10 || at[8] != '-')
		return "an organisation code is 8 characters, -, 1 character";
	check = ht_org_code_check(at);
	if (check == 0)
		return "only 0-9 and A-Z are allowed before the hyphen";
	return check == at[9] ? NULL : "the check character is wrong";
}

/* Of old units it may fail by right: for warnings (x-warn) only. */
static const char *
uscc_org_code(const char *at, size_t len)
{
	if (len != 18)
		return "a unified social credit code has 18 characters";
	return ht_org_code_check(at + 8) == at[16]
	           ? NULL
	           : "the organisation code in it (9 to 17) has a wrong check";
}

static const char *
vin(const char *at, size_t len)
{
	char check;

	if (len != 17)
		return "a vehicle identification number has 17 characters";
	check = ht_vin_check(at);
	if (check == 0)
		return "only 0-9 and A-Z without I, O, Q are allowed";
	return check == at[VIN_CHECK_AT] ? NULL
	                                 : "the check character (9) is wrong";
}

static const char *
date(const char *at, size_t len)
{
	if (len != 10 || at[4] != '-' || at[7] != '-' || !all_digits(at, 4) ||
	    !all_digits(at + 5, 2) || !all_digits(at + 8, 2))
		return "a date is written YYYY-MM-DD";
	return ht_day_exists(
	           number(at, 4), number(at + 5, 2), number(at + 8, 2))
	           ? NULL
	           : "no such day exists";
}

static const char *
date_compact(const char *at, size_t len)
{
	if (len != 8 || !all_digits(at, 8))
		return "a compact date is written YYYYMMDD";
	return ht_day_exists(
	           number(at, 4), number(at + 4, 2), number(at + 6, 2))
	           ? NULL
	           : "no such day exists";
}

static const char *
month_compact(const char *at, size_t len)
{
	if (len != 6 || !all_digits(at, 6))
		return "a month is written YYYYMM";
	return ht_day_exists(number(at, 4), number(at + 4, 2), 1)
	           ? NULL
	           : "no such month exists";
}

/* Minutes that the zone "Z", "+hh:mm" or "-hh:mm" is ahead of UTC. */
static bool
zone(const char *at, size_t len, int *ret_min)
{
	unsigned hours, minutes;

	*ret_min = 0;
	if (len == 1)
		return at[0] == 'Z' || at[0] == 'z';
	if (len != 6 || (at[0] != '+' && at[0] != '-') || at[3] != ':' ||
	    !all_digits(at + 1, 2) || !all_digits(at + 4, 2))
		return false;
	hours = number(at + 1, 2);
	minutes = number(at + 4, 2);
	*ret_min = (int)(hours * 60 + minutes) * (at[0] == '-' ? -1 : 1);
	return hours < 24 && minutes < 60;
}

/* RFC 3339 section 5.6: hh:mm:ss[.frac]zone. */
static const char *
clock_time(const char *at, size_t len)
{
	static const char form[] = "a time is written hh:mm:ss and its zone";
	unsigned hour, minute, second;
	size_t used = 8;
	int ahead, utc;

	if (len < 9 || at[2] != ':' || at[5] != ':' || !all_digits(at, 2) ||
	    !all_digits(at + 3, 2) || !all_digits(at + 6, 2))
		return form;
	if (at[used] == '.') {
		do
			used++;
		while (used < len && digit(at[used]));
		if (used == 9)
			return form;
	}
	if (!zone(at + used, len - used, &ahead))
		return "the zone is Z, +hh:mm or -hh:mm";
	hour = number(at, 2);
	minute = number(at + 3, 2);
	second = number(at + 6, 2);
	if (hour > 23 || minute > 59 || second > 60)
		return "no such time of day exists";
	/* A leap second is the last of a day in UTC (section 5.7). */
	utc = ((int)(hour * 60 + minute) - ahead + 2 * 1440) % 1440;
	if (second == 60 && utc != 1439)
		return "a 60th second exists only at 23:59 UTC";
	return NULL;
}

static const char *
date_time(const char *at, size_t len)
{
	const char *why;

	if (len < 20 || (at[10] != 'T' && at[10] != 't'))
		return "a time is written YYYY-MM-DDThh:mm:ss and its zone";
	why = date(at, 10);
	return why != NULL ? why : clock_time(at + 11, len - 11);
}

static const char *
region6(const char *at, size_t len)
{
	return len == 6 && all_digits(at, 6) ? NULL
	                                     : "a region code has 6 digits";
}

static const char *
tax_authority(const char *at, size_t len)
{
	return len == 11 && all_digits(at, 11)
	           ? NULL
	           : "a tax authority's code has 11 digits";
}

static const struct format {
	const char *name;
	const char *(*check)(const char *at, size_t len);
} formats[] = {
    {"citizen-id",    citizen_id   },
    {"date",          date         },
    {"date-compact",  date_compact },
    {"date-time",     date_time    },
    {"month-compact", month_compact},
    {"org-code",      org_code     },
    {"region6",       region6      },
    {"tax-authority", tax_authority},
    {"time",          clock_time   },
    {"uscc",          uscc         },
    {"uscc-org-code", uscc_org_code},
    {"vin",           vin          },
};

const char *
ht_format_name(size_t i)
{
	return i < HT_COUNT(formats) ? formats[i].name : NULL;
}

bool
ht_format_check(const char *format, struct ht_slice value, const char **ret_why,
    bool *ret_known)
{
	const struct format *f = NULL;
	const char *why = NULL;

	for (size_t i = 0; i < HT_COUNT(formats) && f == NULL; i++)
		if (strcmp(formats[i].name, format) == 0)
			f = &formats[i];
	if (f != NULL)
		why = f->check(
		    value.len > 0 ? (const char *)value.at : "", value.len);
	if (ret_known != NULL)
		*ret_known = f != NULL;
	if (ret_why != NULL)
		*ret_why = why;
	return why == NULL;
}
