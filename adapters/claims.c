#include "adapters/claims.h"

#include <string.h>

/* Numbers are equal by value, however they were written. */
static bool
same_value(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b) &&
	    json_typeof(a) != json_typeof(b))
		return json_number_value(a) == json_number_value(b);
	return json_equal(a, b) != 0;
}

static enum ht_match
judge_one(const json_t *claim, const json_t *has)
{
	if (has == NULL || json_is_null(has))
		return HT_UNKNOWN;
	return same_value(claim, has) ? HT_MATCH : HT_NO_MATCH;
}

static unsigned
count_matches(const json_t *claims, const json_t *record)
{
	unsigned n = 0;
	const char *field;
	json_t *claim;

	json_object_foreach((json_t *)(uintptr_t)claims, field, claim) n +=
	    judge_one(claim, json_object_get(record, field)) == HT_MATCH;
	return n;
}

static const json_t *
best(const json_t *claims, const json_t *records)
{
	const json_t *found = NULL;
	unsigned most = 0;

	for (size_t i = 0; i < json_array_size(records); i++) {
		const json_t *record = json_array_get(records, i);
		unsigned n = count_matches(claims, record);

		if (found == NULL || n > most) {
			found = record;
			most = n;
		}
	}
	return found;
}

json_t *
ht_claims_judge(const json_t *claims, const json_t *records)
{
	const json_t *record = best(claims, records);
	HT_AUTO(ht_json_free) json_t *results = json_object();
	const char *field;
	json_t *claim;

	json_object_foreach((json_t *)(uintptr_t)claims, field, claim)
	{
		enum ht_match match =
		    judge_one(claim, json_object_get(record, field));

		if (json_object_set_new(results, field, json_integer(match)) !=
		    0)
			return NULL;
	}
	return HT_TAKE(results);
}

static bool
wanted(const json_t *fields, const char *name)
{
	if (!json_is_array(fields))
		return true;
	for (size_t i = 0; i < json_array_size(fields); i++) {
		const char *field =
		    json_string_value(json_array_get(fields, i));

		if (field != NULL && strcmp(field, name) == 0)
			return true;
	}
	return false;
}

json_t *
ht_release(const struct ht_item *item, const struct ht_grant *grant,
    const json_t *fields, const json_t *record,
    uint8_t bitmap[static HT_RELEASED_MAX], size_t *bitmap_len)
{
	HT_AUTO(ht_json_free) json_t *released = json_object();

	for (size_t i = 0; i < ht_schema_fields(item->record); i++) {
		const char *name = ht_schema_field(item->record, i);
		json_t *value = json_object_get(record, name);

		if (value == NULL || !ht_grant_field(grant, i) ||
		    !wanted(fields, name))
			continue;
		if (json_object_set(released, name, value) != 0)
			return NULL;
		ht_released_set(bitmap, bitmap_len, i);
	}
	return HT_TAKE(released);
}
