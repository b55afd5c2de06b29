/*
 * rows.h -- a grant's row filter: which values of its field are granted.
 *
 * A prefix of a division code is not an area of authority: some cities stand
 * apart from the province whose digits they have, with a tax authority of
 * their own.  So a filter names areas by whole codes, and what is left out.
 */
#ifndef HT_SCHEMAS_ROWS_H
#define HT_SCHEMAS_ROWS_H

#include "schemas/trust.h"

#define HT_REGION_SIZE 6 /* digits of a division code, GB/T 2260 */

/*
 * The digits that an area has in common: "210000" gives "21", "210200"
 * "2102", "210203" all of it.  False for what is no such code.
 */
bool ht_area_digits(const char *code, char out[static HT_REGION_SIZE + 1]);
/* And back: "21" is "210000". */
void ht_area_code(const char *digits, char out[static HT_REGION_SIZE + 1]);

/* Is this value granted?  Any is, where the grant has no row filter. */
bool ht_rows_value(const struct ht_grant *grant, const char *value);
/* "xzqh in 210000 but not 210200": for people. */
void ht_rows_text(const struct ht_grant *grant, struct ht_buf *out);

#endif
