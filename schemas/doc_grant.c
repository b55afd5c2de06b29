/*
 * doc_grant.c -- who may ask an item, for what, of which rows and fields.
 */
#include <stdio.h>
#include <string.h>

#include "lib/conf/conf.h"
#include "schemas/doc.h"
#include "schemas/rows.h"

char **
ht_read_texts(struct ht_read *r, struct ht_yaml *value, size_t max,
    size_t bytes, unsigned *ret)
{
	struct ht_yaml *list = ht_yaml_as_list(value);
	size_t n = ht_yaml_count(list);
	const char *text;
	char **texts;

	if (list == NULL)
		return NULL;
	if (n == 0 || n > max) {
		ht_yaml_complain(list, "1 to %zu values are expected", max);
		ht_yaml_take(list);
		return NULL;
	}
	texts = ht_read_alloc(r, n, sizeof(*texts));
	for (size_t i = 0; texts != NULL && i < n; i++) {
		/* Never NULL, also where a value is wrong: it is read on. */
		texts[i] = ht_read_dup(r, "");
		if (ht_yaml_as_str(ht_yaml_at(list, i), bytes, &text))
			texts[i] = ht_read_dup(r, text);
	}
	*ret = texts != NULL ? (unsigned)n : 0;
	return texts;
}

static void
read_fields(struct ht_read *r, struct ht_yaml *value, struct ht_grant_doc *doc)
{
	if (value == NULL)
		return;
	if (ht_yaml_type(value) == HT_YAML_TEXT &&
	    ht_slice_is(ht_yaml_scalar(value), "all"))
		doc->grant.all_fields = true;
	else if (ht_yaml_type(value) != HT_YAML_LIST)
		ht_yaml_complain(
		    value, "a list of field names is expected, or: all");
	else
		doc->fields = ht_read_texts(
		    r, value, HT_RELEASED_MAX * 8, HT_NAME_MAX, &doc->n_fields);
}

#define PREFIXES_MAX 1000

/* Whole codes of divisions, kept as the digits that their rows share. */
static void
to_digits(struct ht_yaml *list, char **codes, unsigned n)
{
	char digits[HT_REGION_SIZE + 1];

	for (unsigned i = 0; i < n; i++) {
		if (codes[i] == NULL)
			continue; /* no memory: said elsewhere */
		if (ht_area_digits(codes[i], digits))
			memcpy(codes[i], digits, strlen(digits) + 1);
		else
			ht_yaml_complain(ht_yaml_at(list, i),
			    "the six digits of a division are expected, like "
			    "210000 or 210200");
	}
}

/* What takes nothing away is a slip of the pen. */
static void
check_except(const struct ht_grant *grant, struct ht_yaml *list)
{
	for (unsigned i = 0; i < grant->n_row_except; i++) {
		const char *except = grant->row_except[i];
		bool within = false;

		for (unsigned k = 0; k < grant->n_row_prefixes; k++) {
			const char *prefix = grant->row_prefixes[k];

			if (except != NULL && prefix != NULL)
				within =
				    within || (strncmp(except, prefix,
				                   strlen(prefix)) == 0 &&
				                  strcmp(except, prefix) != 0);
		}
		if (!within)
			ht_yaml_complain(ht_yaml_at(list, i),
			    "it lies in none of the rows granted, or is all "
			    "of one");
	}
}

static void
read_rows(struct ht_read *r, struct ht_yaml *value, struct ht_grant *grant)
{
	struct ht_yaml *map = ht_yaml_as_map(value), *of, *except;
	const char *field;

	if (map == NULL)
		return;
	if (ht_yaml_as_str(ht_yaml_need(map, "field"), HT_NAME_MAX, &field))
		grant->row_field = ht_read_dup(r, field);
	of = ht_yaml_get(map, "area");
	except = ht_yaml_get(map, "except");
	grant->row_area = of != NULL;
	if (of == NULL)
		of = ht_yaml_need(map, "prefix");
	grant->row_prefixes = ht_read_texts(
	    r, of, PREFIXES_MAX, HT_NAME_MAX, &grant->n_row_prefixes);
	if (except != NULL)
		grant->row_except = ht_read_texts(
		    r, except, PREFIXES_MAX, HT_NAME_MAX, &grant->n_row_except);
	if (grant->row_area) {
		to_digits(of, grant->row_prefixes, grant->n_row_prefixes);
		to_digits(except, grant->row_except, grant->n_row_except);
	}
	check_except(grant, except);
}

static void
read_quota(struct ht_yaml *value, struct ht_grant *grant)
{
	struct ht_yaml *map = ht_yaml_as_map(value), *day, *minute;

	if (map == NULL)
		return;
	day = ht_yaml_get(map, "per-day");
	minute = ht_yaml_get(map, "per-minute");
	if (day == NULL && minute == NULL)
		ht_yaml_complain(map, "per-day, per-minute or both");
	ht_yaml_as_u64(day, 1, UINT32_MAX, &grant->quota_day);
	ht_yaml_as_u64(minute, 1, UINT32_MAX, &grant->quota_minute);
}

static void
read_level(struct ht_yaml *value, struct ht_grant *grant)
{
	uint64_t level = 0;

	if (value == NULL)
		return;
	grant->has_level = true;
	ht_yaml_as_u64(value, 0, 3, &level);
	grant->level = (uint8_t)level;
}

static void
read_header(struct ht_read *r)
{
	static const struct ht_word states[] = {
	    {"active",     HT_GRANT_ACTIVE    },
	    {"suspended",  HT_GRANT_SUSPENDED },
	    {"terminated", HT_GRANT_TERMINATED},
	    {NULL,         0                  },
	};
	struct ht_grant *grant = &r->doc->grant->grant;
	struct ht_yaml *at = ht_yaml_need(r->top, "grant");
	const char *name;
	int state = HT_GRANT_TERMINATED;

	if (ht_yaml_as_name(at, &name)) {
		if (strlen(name) > HT_GRANT_MAX)
			ht_yaml_complain(at,
			    "%d bytes at most, like gx.demo/17", HT_GRANT_MAX);
		else
			(void)snprintf(
			    grant->name, sizeof(grant->name), "%s", name);
	}
	ht_yaml_as_u64(ht_yaml_need(r->top, "revision"), 1, HT_REVISION_MAX,
	    &grant->revision);
	ht_yaml_as_word(ht_yaml_need(r->top, "state"), states, &state);
	grant->state = (unsigned)state;
	r->doc->revision = grant->revision;
	(void)snprintf(r->doc->name, sizeof(r->doc->name), "%s", grant->name);
}

void
ht_read_asks(struct ht_read *r, const char *consumer, struct ht_grant_doc *doc)
{
	struct ht_grant *grant = &doc->grant;
	struct ht_yaml *operations;
	uint64_t version = 0;

	ht_read_name(ht_yaml_need(r->top, "item"), grant->item);
	ht_yaml_as_u64(
	    ht_yaml_need(r->top, "version"), 1, UINT32_MAX, &version);
	grant->version = (uint32_t)version;
	ht_read_name(ht_yaml_need(r->top, "provider"), grant->provider);
	ht_read_name(ht_yaml_need(r->top, consumer), grant->consumer);
	operations = ht_yaml_need(r->top, "operations");
	ht_read_operations(operations, &grant->operations);
	if (operations != NULL && grant->operations == 0)
		ht_yaml_complain(operations, "one operation at least");
	read_fields(r, ht_yaml_need(r->top, "fields"), doc);
	read_level(ht_yaml_get(r->top, "level"), grant);
	read_rows(r, ht_yaml_get(r->top, "rows"), grant);
	ht_read_codes(r, ht_yaml_need(r->top, "purposes"), &grant->purposes,
	    &grant->n_purposes);
	ht_read_part(ht_yaml_need(r->top, "basis"), grant->basis);
	ht_read_period(r->top, &grant->from_ms, &grant->until_ms);
	read_quota(ht_yaml_get(r->top, "quota"), grant);
}

void
ht_read_grant(struct ht_read *r)
{
	read_header(r);
	ht_read_asks(r, "consumer", r->doc->grant);
}
