/*
 * codes.h -- the check digits of the national codes, and the formats that rest
 * on them (docs/catalog.md, "Formats").
 *
 * What is wrong is refused, never mended: a lower-case x, a full-width digit or
 * a space is another byte string than the one that was signed, so a reader who
 * "knows what was meant" would store something nobody sent.
 */
#ifndef HT_SCHEMAS_CODES_H
#define HT_SCHEMAS_CODES_H

#include "lib/base/bytes.h"

/*
 * The check character over the characters before it (the VIN's: over all 17,
 * its own place, the ninth, weighing nothing).  0 if one of them is not in the
 * code's alphabet.
 */
char ht_uscc_check(const char body[static 17]);       /* GB 32100-2015 */
char ht_citizen_id_check(const char body[static 17]); /* GB 11643-1999 */
char ht_org_code_check(const char body[static 8]);    /* GB 11714 */
char ht_vin_check(const char vin[static 17]);         /* GB 16735 */

/* A day that exists, of the proleptic Gregorian calendar. */
bool ht_day_exists(unsigned year, unsigned month, unsigned day);

/*
 * True if @value is a valid @format; else *ret_why (may be NULL) is a fixed
 * sentence that holds nothing of the value.  *ret_known (may be NULL) is false
 * for a name that is no format of ours (and the answer is true then).
 */
bool ht_format_check(const char *format, struct ht_slice value,
    const char **ret_why, bool *ret_known);
/* The names, for messages: i from 0 until NULL. */
const char *ht_format_name(size_t i);

#endif
