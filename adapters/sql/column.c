#include "adapters/sql/column.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int
ht_as_parse(struct ht_slice name)
{
#define AS_PARSE(value, text)                                                  \
	if (ht_slice_is(name, text))                                           \
		return value;
	HT_AS_MAP(AS_PARSE)
#undef AS_PARSE
	return -1;
}

const char *
ht_as_names(void)
{
#define AS_NAME(value, text) ", " text
	static const char names[] = HT_AS_MAP(AS_NAME);
#undef AS_NAME
	return names + 2;
}

void
ht_sql_column_fini(struct ht_sql_column *column)
{
	free(column->field);
	free(column->column);
	free(column->codes_else);
	json_decref(column->constant);
	json_decref(column->codes);
	memset(column, 0, sizeof(*column));
}

static struct ht_slice
trim(struct ht_slice text)
{
	while (text.len > 0 && isspace(text.at[text.len - 1]))
		text.len--;
	while (text.len > 0 && isspace(text.at[0])) {
		text.at++;
		text.len--;
	}
	return text;
}

static enum ht_err
give(json_t *made, json_t **ret)
{
	if (made == NULL)
		return HT_ENOMEM;
	*ret = made;
	return HT_OK;
}

static enum ht_err
wrong(const char *why, const char **ret_why)
{
	*ret_why = why;
	return HT_EINVALID;
}

static enum ht_err
to_text(const char *text, json_t **ret, const char **ret_why)
{
	(void)ret_why; /* the worker has checked that it is UTF-8 */
	return give(json_string(text), ret);
}

/* "12", "-3", and "12.0", as some drivers write whole numbers. */
static enum ht_err
to_integer(const char *text, json_t **ret, const char **ret_why)
{
	static const char why[] = "a whole number was expected";
	const char *digits = text + (*text == '-' || *text == '+');
	char *end;
	long long value;

	if (!isdigit((unsigned char)*digits))
		return wrong(why, ret_why);
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0)
		return wrong(why, ret_why);
	if (*end == '.')
		end += 1 + strspn(end + 1, "0");
	if (*end != '\0')
		return wrong(why, ret_why);
	return give(json_integer(value), ret);
}

static bool
number_form(const char *text)
{
	size_t whole, part = 0;

	text += (*text == '-' || *text == '+');
	whole = strspn(text, "0123456789");
	text += whole;
	if (*text == '.') {
		part = strspn(++text, "0123456789");
		text += part;
	}
	if (whole + part == 0)
		return false;
	if (*text == 'e' || *text == 'E') {
		text++;
		text += (*text == '-' || *text == '+');
		if (!isdigit((unsigned char)*text))
			return false;
		text += strspn(text, "0123456789");
	}
	return *text == '\0';
}

static enum ht_err
to_number(const char *text, json_t **ret, const char **ret_why)
{
	double value;

	if (!number_form(text))
		return wrong("a number was expected", ret_why);
	/* The C locale: nobody in these programs calls setlocale(). */
	value = strtod(text, NULL);
	if (!isfinite(value))
		return wrong("the number is too large", ret_why);
	if (value == trunc(value) && fabs(value) <= 9007199254740992.0)
		return give(json_integer((json_int_t)value), ret);
	return give(json_real(value), ret);
}

/* Decimal text, as it stands but for a "+" and a missing zero: ".5". */
static enum ht_err
to_decimal(const char *text, json_t **ret, const char **ret_why)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(256);
	const char *digits = text + (*text == '-' || *text == '+');
	const char *made;

	if (!number_form(text) || strpbrk(text, "eE") != NULL)
		return wrong("a decimal number was expected", ret_why);
	if (*text == '-')
		ht_buf_u8(&out, '-');
	if (*digits == '.')
		ht_buf_u8(&out, '0');
	ht_buf_str(&out, digits);
	if (out.len > 0 && out.at[out.len - 1] == '.')
		out.len--;
	made = ht_buf_text(&out);
	if (made == NULL)
		return wrong("a decimal number of this length", ret_why);
	return give(json_string(made), ret);
}

static enum ht_err
to_boolean(const char *text, json_t **ret, const char **ret_why)
{
	static const char *const yes[] = {"1", "t", "true", "y", "yes"};
	static const char *const no[] = {"0", "f", "false", "n", "no"};

	for (size_t i = 0; i < HT_COUNT(yes); i++) {
		if (strcasecmp(text, yes[i]) == 0)
			return give(json_true(), ret);
		if (strcasecmp(text, no[i]) == 0)
			return give(json_false(), ret);
	}
	return wrong(
	    "yes or no (1/0, t/f, true/false, y/n) was expected", ret_why);
}

/* A day of the calendar, in the form YYYY-MM-DD. */
static bool
is_day(const char date[static 10])
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day;

	for (size_t i = 0; i < 10; i++)
		if (i == 4 || i == 7 ? date[i] != '-'
		                     : !isdigit((unsigned char)date[i]))
			return false;
	year = atoi(date);
	month = atoi(date + 5);
	day = atoi(date + 8);
	if (month < 1 || month > 12 || day < 1)
		return false;
	if (month == 2 && day == 29)
		return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return day <= days[month - 1];
}

/* Lists within a record: databases make them with their JSON functions. */
static enum ht_err
to_json(const char *text, json_t **ret, const char **ret_why)
{
	HT_AUTO(ht_json_free) json_t *json = NULL;
	enum ht_err err = ht_json_parse(ht_slice_str(text), &json, NULL);

	if (err == HT_ENOMEM)
		return err;
	if (err != HT_OK || !(json_is_array(json) || json_is_object(json))) {
		*ret_why = "a JSON array or object was expected";
		return HT_EINVALID;
	}
	*ret = HT_TAKE(json);
	return HT_OK;
}

/* YYYY-MM-DD, YYYY/MM/DD or YYYYMMDD, with a time of day after it or not. */
static enum ht_err
to_date(const char *text, json_t **ret, const char **ret_why)
{
	static const char why[] =
	    "a date was expected: YYYY-MM-DD, YYYY/MM/DD or YYYYMMDD";
	char date[] = "YYYY-MM-DD";
	const char *rest;

	if (strspn(text, "0123456789") >= 8) {
		memcpy(date, text, 4);
		memcpy(date + 5, text + 4, 2);
		memcpy(date + 8, text + 6, 2);
		rest = text + 8;
	} else {
		if (strlen(text) < 10 || text[4] != text[7] ||
		    (text[4] != '-' && text[4] != '/'))
			return wrong(why, ret_why);
		memcpy(date, text, 10);
		date[4] = date[7] = '-';
		rest = text + 10;
	}
	if (*rest != '\0' && *rest != ' ' && *rest != 'T')
		return wrong(why, ret_why);
	if (!is_day(date))
		return wrong("no such day in the calendar", ret_why);
	return give(json_string(date), ret);
}

static enum ht_as
by_kind(enum ht_column_kind kind)
{
	switch (kind) {
	case HT_COLUMN_INTEGER:
		return HT_AS_INTEGER;
	case HT_COLUMN_FLOAT:
		return HT_AS_NUMBER;
	case HT_COLUMN_DECIMAL:
		return HT_AS_DECIMAL;
	case HT_COLUMN_BOOLEAN:
		return HT_AS_BOOLEAN;
	case HT_COLUMN_DATE:
		return HT_AS_DATE;
	case HT_COLUMN_TEXT:
		break;
	}
	return HT_AS_TEXT;
}

static enum ht_err
convert(enum ht_as as, const char *text, json_t **ret, const char **ret_why)
{
	switch (as) {
	case HT_AS_INTEGER:
		return to_integer(text, ret, ret_why);
	case HT_AS_NUMBER:
		return to_number(text, ret, ret_why);
	case HT_AS_DECIMAL:
		return to_decimal(text, ret, ret_why);
	case HT_AS_BOOLEAN:
		return to_boolean(text, ret, ret_why);
	case HT_AS_DATE:
		return to_date(text, ret, ret_why);
	case HT_AS_JSON:
		return to_json(text, ret, ret_why);
	case HT_AS_AUTO:
	case HT_AS_TEXT:
		break;
	}
	return to_text(text, ret, ret_why);
}

/* The item's code for one of the table's; NULL when nothing says. */
static const char *
look_up(const struct ht_sql_column *column, const char *code)
{
	const char *mapped =
	    json_string_value(json_object_get(column->codes, code));

	return mapped != NULL ? mapped : column->codes_else;
}

enum ht_err
ht_sql_column_convert(const struct ht_sql_column *column,
    enum ht_column_kind kind, const char *text, json_t **ret,
    const char **ret_why)
{
	HT_AUTO(ht_mem_free) char *own = NULL;
	struct ht_slice cut;
	enum ht_as as = column->as;

	*ret_why = "";
	if (text == NULL) {
		*ret = NULL;
		return HT_OK;
	}
	cut = ht_slice_str(text);
	if (!column->keep_spaces)
		cut = trim(cut);
	if (cut.len == 0 && column->empty_absent) {
		*ret = NULL;
		return HT_OK;
	}
	own = ht_slice_dup(cut);
	if (own == NULL)
		return HT_ENOMEM;
	text = own;
	if (column->codes != NULL) {
		text = look_up(column, own);
		if (text == NULL)
			return wrong(
			    "a code that the mapping does not list", ret_why);
		if (as == HT_AS_AUTO)
			as = HT_AS_TEXT;
	}
	return convert(
	    as == HT_AS_AUTO ? by_kind(kind) : as, text, ret, ret_why);
}
