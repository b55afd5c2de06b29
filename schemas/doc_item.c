/*
 * doc_item.c -- an item of the catalog: what it is, who provides it, what its
 * records look like.
 */
#include <stdio.h>
#include <string.h>

#include "lib/conf/conf.h"
#include "schemas/doc.h"

static void
read_subject(struct ht_read *r, struct ht_yaml *value)
{
	struct ht_item *item = r->doc->item;
	struct ht_yaml *map = ht_yaml_as_map(value);
	struct ht_yaml *param, *field;
	const char *text;

	if (map == NULL)
		return;
	item->has_subject = true;
	param = ht_yaml_need(map, "param");
	field = ht_yaml_get(map, "field");
	if (ht_yaml_as_str(param, HT_NAME_MAX, &text)) {
		item->subject_param = ht_read_dup(r, text);
		if (item->request != NULL &&
		    ht_schema_field_index(item->request, text) < 0)
			ht_yaml_complain(
			    param, "the request has no parameter of this name");
	}
	if (ht_yaml_as_str(field, HT_NAME_MAX, &text)) {
		item->subject_field = ht_read_dup(r, text);
		if (item->record != NULL &&
		    ht_schema_field_index(item->record, text) < 0)
			ht_yaml_complain(
			    field, "the record has no field of this name");
	}
	if (ht_yaml_as_part(ht_yaml_need(map, "registry"), &text))
		item->subject_registry = ht_read_dup(r, text);
}

#define VERIFY_MIN 256
#define VERIFY_MAX 65536

static void
read_limits(struct ht_read *r, struct ht_yaml *map)
{
	struct ht_item *item = r->doc->item;
	struct ht_yaml *at = ht_yaml_get(map, "verify-size");
	uint64_t records = 50, size = 1024;

	ht_yaml_as_u64(ht_yaml_get(map, "records"), 1, 10000, &records);
	ht_yaml_as_u64(at, VERIFY_MIN, VERIFY_MAX, &size);
	/* Few sizes, so that sizes tell little. */
	if ((size & (size - 1)) != 0)
		ht_yaml_complain(at, "a power of two is expected, like 1024");
	item->records_max = (uint32_t)records;
	item->verify_size = (uint32_t)size;
}

static void
read_share(struct ht_read *r)
{
	static const struct ht_word words[] = {
	    {"unconditional", HT_SHARE_UNCONDITIONAL},
	    {"conditional",   HT_SHARE_CONDITIONAL  },
	    {"none",          HT_SHARE_NONE         },
	    {NULL,            0	             },
	};
	struct ht_yaml *share = ht_yaml_need(r->top, "share");
	struct ht_yaml *reason = ht_yaml_get(r->top, "reason");
	const char *text;
	int which = HT_SHARE_NONE;

	if (!ht_yaml_as_word(share, words, &which))
		return;
	r->doc->item->share = (enum ht_share)which;
	ht_yaml_as_str(reason, 1000, &text);
	if (which == HT_SHARE_NONE && reason == NULL)
		ht_yaml_complain(share,
		    "what is not shared needs its legal basis; add 'reason'");
}

/*
 * notify: {subject: now|delayed|never, by: 365d, reason: ...}.  What is kept
 * from a person is kept for a reason that everybody can read.
 */
static void
read_notify(struct ht_read *r, struct ht_yaml *map)
{
	static const struct ht_word words[] = {
	    {"now",     HT_NOTIFY_NOW    },
	    {"delayed", HT_NOTIFY_DELAYED},
	    {"never",   HT_NOTIFY_NEVER  },
	    {NULL,      0                },
	};
	struct ht_item *item = r->doc->item;
	struct ht_yaml *by = ht_yaml_get(map, "by");
	struct ht_yaml *reason = ht_yaml_get(map, "reason");
	const char *text;
	int when = HT_NOTIFY_NOW;

	if (map == NULL)
		return;
	ht_yaml_as_word(ht_yaml_need(map, "subject"), words, &when);
	item->notify = (enum ht_notify)when;
	ht_yaml_as_ms(by, 1, HT_NOTIFY_MAX_MS, &item->notify_ms);
	if (ht_yaml_as_str(reason, 1000, &text))
		item->notify_reason = ht_read_dup(r, text);
	if ((by != NULL) != (item->notify == HT_NOTIFY_DELAYED))
		ht_yaml_complain(
		    map, "'by' says how long what is delayed is hidden");
	if ((reason != NULL) != (item->notify != HT_NOTIFY_NOW))
		ht_yaml_complain(
		    map, "'reason' says why it is hidden, if it is");
	if (!item->has_subject)
		ht_yaml_complain(map, "it has no subject to be told");
}

/* What stands beside the codes of bases and purposes. */
static void
read_beside(struct ht_yaml *list)
{
	static const char *const keys[] = {"text", "zh", "en"};
	const char *text;

	if (list == NULL || ht_yaml_type(list) != HT_YAML_LIST)
		return;
	for (size_t i = 0; i < ht_yaml_count(list); i++) {
		struct ht_yaml *at = ht_yaml_at(list, i);

		if (ht_yaml_type(at) != HT_YAML_MAP)
			continue;
		for (size_t k = 0; k < HT_COUNT(keys); k++)
			ht_yaml_as_str(ht_yaml_get(at, keys[k]), 1000, &text);
	}
}

static void
read_codes(struct ht_read *r)
{
	struct ht_item *item = r->doc->item;
	struct ht_yaml *basis = ht_yaml_need(r->top, "basis");
	struct ht_yaml *purposes = ht_yaml_need(r->top, "purposes");

	ht_read_codes(r, basis, &item->bases, &item->n_bases);
	ht_read_codes(r, purposes, &item->purposes, &item->n_purposes);
	read_beside(basis);
	read_beside(purposes);
}

static void
read_header(struct ht_read *r)
{
	struct ht_item *item = r->doc->item;
	uint64_t version = 0;

	ht_read_name(ht_yaml_need(r->top, "item"), item->name);
	ht_yaml_as_u64(
	    ht_yaml_need(r->top, "version"), 1, UINT32_MAX, &version);
	item->version = (uint32_t)version;
	ht_yaml_as_u64(ht_yaml_need(r->top, "revision"), 1, HT_REVISION_MAX,
	    &item->revision);
	ht_read_title(
	    r, ht_yaml_need(r->top, "title"), &item->title_zh, &item->title_en);
	ht_read_name(ht_yaml_need(r->top, "provider"), item->provider);
	r->doc->revision = item->revision;
	(void)snprintf(r->doc->name, sizeof(r->doc->name), "%s@%u", item->name,
	    item->version);
}

void
ht_read_item(struct ht_read *r)
{
	struct ht_item *item = r->doc->item;
	struct ht_yaml *operations;

	read_header(r);
	read_share(r);
	read_codes(r);
	operations = ht_yaml_need(r->top, "operations");
	ht_read_operations(operations, &item->operations);
	if (operations != NULL && item->operations == 0 &&
	    item->share != HT_SHARE_NONE)
		ht_yaml_complain(operations, "one operation at least");
	read_limits(r, ht_yaml_as_map(ht_yaml_get(r->top, "limits")));
	item->answer_ms = 10000;
	ht_yaml_as_ms(ht_yaml_get(r->top, "answer-within"), 1, HT_LIFE_MS,
	    &item->answer_ms);
	ht_yaml_as_ms(ht_yaml_get(r->top, "grace"), 0, UINT64_C(30) * 86400000,
	    &item->grace_ms);
	ht_read_ms(ht_yaml_get(r->top, "until"), &item->until_ms);
	item->retention_ms = HT_RETENTION_MS;
	ht_yaml_as_ms(ht_yaml_get(r->top, "retention"), HT_RETENTION_MIN_MS,
	    HT_RETENTION_MAX_MS, &item->retention_ms);
	ht_read_schema(r, "request", &item->request);
	ht_read_schema(r, "record", &item->record);
	ht_read_entry(r);
	read_subject(r, ht_yaml_get(r->top, "subject"));
	read_notify(r, ht_yaml_as_map(ht_yaml_get(r->top, "notify")));
	item->text = ht_read_alloc(r, r->doc->text.len + 1, 1);
	if (item->text != NULL)
		memcpy(item->text, r->doc->text.at, r->doc->text.len);
}
