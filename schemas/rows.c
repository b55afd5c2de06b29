#include "schemas/rows.h"

#include <string.h>

static size_t
digits_in(const char *text)
{
	return strspn(text, "0123456789");
}

bool
ht_area_digits(const char *code, char out[static HT_REGION_SIZE + 1])
{
	size_t len = HT_REGION_SIZE;

	if (digits_in(code) != len || code[len] != '\0')
		return false;
	while (len > 0 && memcmp(&code[len - 2], "00", 2) == 0)
		len -= 2;
	if (len == 0)
		return false;
	memcpy(out, code, len);
	out[len] = '\0';
	return true;
}

void
ht_area_code(const char *digits, char out[static HT_REGION_SIZE + 1])
{
	size_t len = strnlen(digits, HT_REGION_SIZE);

	memset(out, '0', HT_REGION_SIZE);
	memcpy(out, digits, len);
	out[HT_REGION_SIZE] = '\0';
}

/*
 * The division code within a value: of a division (6 digits; 9 or 12 below
 * the county) it begins it, of a tax authority (11) it follows the first.
 * What is neither cannot be placed: NULL.
 */
static const char *
region_of(const char *value)
{
	size_t len = digits_in(value);

	if (value[len] != '\0')
		return NULL;
	switch (len) {
	case 6:
	case 9:
	case 12:
		return value;
	case 11:
		return value + 1;
	default:
		return NULL;
	}
}

static bool
begins(const char *value, char *const *prefixes, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (strncmp(value, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

bool
ht_rows_value(const struct ht_grant *grant, const char *value)
{
	const char *at = grant->row_area ? region_of(value) : value;

	if (grant->row_field == NULL)
		return true;
	return at != NULL &&
	       begins(at, grant->row_prefixes, grant->n_row_prefixes) &&
	       !begins(at, grant->row_except, grant->n_row_except);
}

static void
add_values(const struct ht_grant *grant, char *const *values, unsigned n,
    struct ht_buf *out)
{
	for (unsigned i = 0; i < n; i++) {
		char code[HT_REGION_SIZE + 1];

		if (grant->row_area)
			ht_area_code(values[i], code);
		ht_buf_fmt(out, "%s%s", i > 0 ? " or " : "",
		    grant->row_area ? code : values[i]);
	}
}

void
ht_rows_text(const struct ht_grant *grant, struct ht_buf *out)
{
	if (grant->row_field == NULL) {
		ht_buf_str(out, "all");
		return;
	}
	ht_buf_fmt(out, "%s %s ", grant->row_field,
	    grant->row_area ? "in" : "begins with");
	add_values(grant, grant->row_prefixes, grant->n_row_prefixes, out);
	if (grant->n_row_except > 0)
		ht_buf_str(out, ", but not ");
	add_values(grant, grant->row_except, grant->n_row_except, out);
}
