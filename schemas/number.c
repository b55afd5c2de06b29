#include "schemas/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/panic.h"

#define DIGITS_MAX 18 /* before the point, and after it: fits in 126 bits */

static int
cmp_real(double a, double b)
{
	return a < b ? -1 : a > b;
}

/* No cast of the integer to double, which would round it. */
static int
cmp_mixed(json_int_t a, double b)
{
	json_int_t whole;

	if (b >= 9223372036854775808.0)
		return -1;
	if (b < -9223372036854775808.0)
		return 1;
	whole = (json_int_t)b;
	if (a != whole)
		return a < whole ? -1 : 1;
	return cmp_real(0, b - (double)whole);
}

int
ht_number_cmp(const json_t *a, const json_t *b)
{
	HT_ASSERT(json_is_number(a) && json_is_number(b));
	if (json_is_integer(a) && json_is_integer(b)) {
		json_int_t x = json_integer_value(a);
		json_int_t y = json_integer_value(b);

		return x < y ? -1 : x > y;
	}
	if (json_is_integer(a))
		return cmp_mixed(json_integer_value(a), json_real_value(b));
	if (json_is_integer(b))
		return -cmp_mixed(json_integer_value(b), json_real_value(a));
	return cmp_real(json_real_value(a), json_real_value(b));
}

bool
ht_number_whole(const json_t *number)
{
	double v;

	if (json_is_integer(number))
		return true;
	v = json_real_value(number);
	return isfinite(v) && floor(v) == v;
}

/* mantissa * 10^power, the mantissa with no zero at its end. */
struct scientific {
	uint64_t mantissa;
	int power;
};

static struct scientific
scientific_trim(uint64_t mantissa, int power)
{
	while (mantissa != 0 && mantissa % 10 == 0) {
		mantissa /= 10;
		power++;
	}
	return (struct scientific){mantissa, mantissa != 0 ? power : 0};
}

int
ht_number_digits(const json_t *real)
{
	double v = json_real_value(real);
	char text[40];
	int digits = 15; /* so many do for every decimal of so few */

	if (fpclassify(v) == FP_SUBNORMAL)
		digits = 1;

	for (; digits < 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	return digits;
}

/* The shortest decimal that reads back as the same double; sign dropped. */
static struct scientific
scientific_of(const json_t *number)
{
	char text[40];
	uint64_t mantissa = 0;
	int power, places = 0;
	const char *at;

	if (json_is_integer(number)) {
		json_int_t v = json_integer_value(number);

		return scientific_trim(
		    v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 0);
	}
	(void)snprintf(text, sizeof(text), "%.*e", ht_number_digits(number) - 1,
	    fabs(json_real_value(number)));
	/* d.ddde+xx, with whatever the locale has for a point */
	for (at = text; *at != 'e' && *at != '\0'; at++) {
		if (*at < '0' || *at > '9')
			continue;
		mantissa = mantissa * 10 + (uint64_t)(*at - '0');
		places++;
	}
	power = *at == 'e' ? atoi(at + 1) : 0;
	return scientific_trim(mantissa, power - (places - 1));
}

static uint64_t
power_mod(int power, uint64_t modulus)
{
	unsigned __int128 result = 1 % modulus, base = 10 % modulus;

	for (; power > 0; power >>= 1) {
		if ((power & 1) != 0)
			result = result * base % modulus;
		base = base * base % modulus;
	}
	return (uint64_t)result;
}

bool
ht_number_multiple(const json_t *number, const json_t *of)
{
	struct scientific a = scientific_of(number), b = scientific_of(of);
	unsigned __int128 product, divisor = b.mantissa;
	int shift = a.power - b.power;

	if (a.mantissa == 0)
		return true;
	if (b.mantissa == 0)
		return false;
	if (shift >= 0) {
		product = (unsigned __int128)(a.mantissa % b.mantissa) *
		          power_mod(shift, b.mantissa);
		return product % b.mantissa == 0;
	}
	/* The divisor has the larger power: past 10^18 it exceeds a. */
	for (; shift < 0; shift++) {
		divisor *= 10;
		if (divisor > a.mantissa)
			return false;
	}
	return a.mantissa % divisor == 0;
}

static const __int128 decimal_one = 1000000000000000000;

static bool
decimal_text(const char *at, size_t len, struct ht_decimal *ret)
{
	bool minus = len > 0 && at[0] == '-';
	size_t i = minus ? 1 : 0, whole = 0, places = 0;
	__int128 units = 0;

	for (; i < len && at[i] >= '0' && at[i] <= '9'; i++, whole++) {
		if (whole == DIGITS_MAX)
			return false;
		units = units * 10 + (at[i] - '0');
	}
	if (i < len && at[i] == '.') {
		for (i++; i < len && at[i] >= '0' && at[i] <= '9'; i++) {
			if (++places > DIGITS_MAX)
				return false;
			units = units * 10 + (at[i] - '0');
		}
		if (places == 0)
			return false;
	}
	if (i < len || whole == 0)
		return false;
	for (; places < DIGITS_MAX; places++)
		units *= 10;
	ret->units = minus ? -units : units;
	return true;
}

bool
ht_decimal_parse(const json_t *json, struct ht_decimal *ret)
{
	if (json_is_string(json))
		return decimal_text(
		    json_string_value(json), json_string_length(json), ret);
	if (!json_is_integer(json))
		return false;
	/* 64 and 60 bits: still short of 127. */
	ret->units = (__int128)json_integer_value(json) * decimal_one;
	return true;
}
