/*
 * number.h -- numbers without rounding: JSON's integers and reals compared
 * exactly, and the decimal texts in which money travels.
 */
#ifndef HT_SCHEMAS_NUMBER_H
#define HT_SCHEMAS_NUMBER_H

#include "schemas/json.h"

/* <0, 0, >0.  Both are JSON numbers. */
int ht_number_cmp(const json_t *a, const json_t *b);
/* The fewest digits, 15 to 17, with which a real prints and reads back. */
int ht_number_digits(const json_t *real);
/* 1.0 is an integer too (JSON Schema 2020-12, 6.1.1). */
bool ht_number_whole(const json_t *number);
/*
 * @number is a whole multiple of @of, reckoned in the decimals in which both
 * print: 0.3 is a multiple of 0.1, whatever binary fractions say.  @of > 0.
 */
bool ht_number_multiple(const json_t *number, const json_t *of);

/* A decimal text, in units of 10^-18. */
struct ht_decimal {
	__int128 units;
};
/*
 * "-12.30", or a JSON integer: at most 18 digits before the point and 18 after
 * it.  False for anything else.
 */
bool ht_decimal_parse(const json_t *json, struct ht_decimal *ret);

#endif
