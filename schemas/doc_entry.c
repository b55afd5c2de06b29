/*
 * doc_entry.c -- of an item, what the catalog of an office says beside the
 * schemas: how it is kept and shared, to whom, its place in the directory of
 * resources, and what in it is collected once.  Form alone; what law asks of
 * it is in rules.h.
 */
#include <string.h>

#include "schemas/doc.h"
#include "schemas/entry.h"

#define TEXT_MAX    1000
#define CODE_MAX    64
#define RELATED_MAX 100
#define ONCE_MAX    512 /* an item has no more fields */

const struct ht_word ht_entry_formats[] = {
    {"document",        HT_ENTRY_DOCUMENT },
    {"sheet",           HT_ENTRY_SHEET    },
    {"database",        HT_ENTRY_DATABASE },
    {"image",           HT_ENTRY_IMAGE    },
    {"stream",          HT_ENTRY_STREAM   },
    {"self-describing", HT_ENTRY_SELF     },
    {"interface",       HT_ENTRY_INTERFACE},
    {NULL,              0                 },
};

const struct ht_word ht_entry_methods[] = {
    {"interface", HT_ENTRY_BY_INTERFACE},
    {"batch",     HT_ENTRY_BY_BATCH    },
    {"file",      HT_ENTRY_BY_FILE     },
    {NULL,        0                    },
};

const struct ht_word ht_entry_kinds[] = {
    {"base",       HT_ENTRY_BASE      },
    {"theme",      HT_ENTRY_THEME     },
    {"department", HT_ENTRY_DEPARTMENT},
    {NULL,         0                  },
};

static void
read_methods(struct ht_yaml *value)
{
	struct ht_yaml *list = ht_yaml_as_list(value);
	unsigned seen = 0;
	int method;

	for (size_t i = 0; i < ht_yaml_count(list); i++) {
		struct ht_yaml *at = ht_yaml_at(list, i);

		if (!ht_yaml_as_word(at, ht_entry_methods, &method))
			continue;
		if (seen & (1u << method))
			ht_yaml_complain(at, "it stands twice; remove one");
		seen |= 1u << method;
	}
}

static void
read_text(struct ht_yaml *value, size_t max)
{
	const char *text;

	(void)ht_yaml_as_str(value, max, &text);
}

static void
read_title(struct ht_read *r, struct ht_yaml *value)
{
	char *zh, *en;

	ht_read_title(r, value, &zh, &en);
}

static void
read_day(struct ht_yaml *value)
{
	const char *text, *why = "";

	if (ht_yaml_as_str(value, 10, &text) &&
	    !ht_format_check("date", ht_slice_str(text), &why, NULL))
		ht_yaml_complain(value, "a day like 2026-11-24 is expected");
}

static void
read_related(struct ht_yaml *value)
{
	struct ht_yaml *list = ht_yaml_as_list(value);
	size_t n = ht_yaml_count(list);

	if (n > RELATED_MAX)
		ht_yaml_complain(list, "at most %d are expected", RELATED_MAX);
	for (size_t i = 0; i < n; i++)
		read_text(ht_yaml_at(list, i), HT_NAME_MAX);
}

/* State and work secrets have no place on this exchange, however marked. */
static void
read_secret(struct ht_yaml *value)
{
	bool secret = false;

	if (ht_yaml_as_bool(value, &secret) && secret)
		ht_yaml_complain(value,
		    "what is a state or work secret is not shared here; take "
		    "the item out of the catalog");
}

static void
read_place(struct ht_read *r, struct ht_yaml *map)
{
	struct ht_yaml *assessed;
	bool is_open;
	int kind;

	read_text(ht_yaml_get(map, "code"), CODE_MAX);
	ht_yaml_as_word(ht_yaml_get(map, "kind"), ht_entry_kinds, &kind);
	read_text(ht_yaml_get(map, "provider-code"), CODE_MAX);
	read_title(r, ht_yaml_get(map, "summary"));
	read_secret(ht_yaml_get(map, "secret"));
	ht_yaml_as_bool(ht_yaml_get(map, "open"), &is_open);
	read_text(ht_yaml_get(map, "open-conditions"), TEXT_MAX);
	read_day(ht_yaml_get(map, "published"));
	read_related(ht_yaml_get(map, "related"));
	assessed = ht_yaml_as_map(ht_yaml_get(map, "assessed"));
	read_day(ht_yaml_get(assessed, "secrecy"));
	read_day(ht_yaml_get(assessed, "personal"));
}

/* ---- collected once ---- */

static void
read_once(struct ht_read *r, struct ht_yaml *map, struct ht_once *once)
{
	const struct ht_item *item = r->doc->item;
	struct ht_yaml *field;
	const char *text;
	int i;

	if (ht_yaml_as_map(map) == NULL)
		return;
	if (ht_yaml_as_part(ht_yaml_need(map, "code"), &text))
		once->code = ht_read_dup(r, text);
	field = ht_yaml_need(map, "field");
	if (ht_yaml_as_str(field, HT_NAME_MAX, &text) && item->record != NULL) {
		i = ht_schema_field_index(item->record, text);
		if (i < 0)
			ht_yaml_complain(
			    field, "the record has no field of this name");
		else
			once->field = (unsigned)i;
	}
	ht_read_name(ht_yaml_need(map, "collector"), once->collector);
	if (ht_yaml_as_str(ht_yaml_get(map, "where"), TEXT_MAX, &text))
		once->where = ht_read_dup(r, text);
	ht_yaml_as_ms(
	    ht_yaml_get(map, "valid"), 1, HT_NOTIFY_MAX_MS, &once->valid_ms);
}

static void
read_onces(struct ht_read *r, struct ht_yaml *value)
{
	struct ht_item *item = r->doc->item;
	struct ht_yaml *list = ht_yaml_as_list(value);
	size_t n = ht_yaml_count(list);

	if (n > ONCE_MAX) {
		ht_yaml_complain(list, "at most %d are expected", ONCE_MAX);
		ht_yaml_take(list);
		return;
	}
	item->once = ht_read_alloc(r, n + 1, sizeof(*item->once));
	if (item->once == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		read_once(r, ht_yaml_at(list, i), &item->once[i]);
	item->n_once = (unsigned)n;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (item->once[i].code != NULL &&
			    item->once[k].code != NULL &&
			    strcmp(item->once[i].code, item->once[k].code) == 0)
				ht_yaml_complain(ht_yaml_at(list, i),
				    "this code is in the list already; remove "
				    "one");
}

void
ht_read_entry(struct ht_read *r)
{
	int format;

	read_title(r, ht_yaml_get(r->top, "cycle"));
	read_title(r, ht_yaml_get(r->top, "conditions"));
	read_title(r, ht_yaml_get(r->top, "scope"));
	ht_yaml_as_word(
	    ht_yaml_get(r->top, "format"), ht_entry_formats, &format);
	read_methods(ht_yaml_get(r->top, "methods"));
	read_place(r, ht_yaml_as_map(ht_yaml_get(r->top, "entry")));
	read_onces(r, ht_yaml_get(r->top, "once"));
}
