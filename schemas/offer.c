/*
 * offer.c -- does an item offer what a grant, or an application for one, says?
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "schemas/doc.h"

struct offer {
	const struct ht_doc *doc;
	const struct ht_grant_doc *says;
	const struct ht_item *item;
	struct ht_report *report; /* may be NULL */
	unsigned found; /* what is wrong, whether or not anybody is told */
};

/* At a value of the document, see ht_doc_place(). */
static void __attribute__((format(printf, 3, 4)))
say(struct offer *o, const char *path, const char *fmt, ...)
{
	char text[1024], where[HT_WHERE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ht_doc_place(o->doc, o->report, where, "%s", path);
	ht_report_add(o->report, where, "%s", text);
	o->found++;
}

static bool
among(const char (*codes)[HT_PURPOSE_MAX + 1], unsigned n, const char *code)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(codes[i], code) == 0)
			return true;
	return false;
}

static bool
above_level(const struct offer *o, size_t field)
{
	return o->says->grant.has_level &&
	       ht_schema_field_level(o->item->record, field) >
	           (int)o->says->grant.level;
}

static void
check_fields(struct offer *o, uint8_t *fields)
{
	const struct ht_grant *grant = &o->says->grant;
	size_t len = 0;

	for (unsigned i = 0; i < o->says->n_fields; i++) {
		char path[32];
		int field =
		    ht_schema_field_index(o->item->record, o->says->fields[i]);

		(void)snprintf(path, sizeof(path), "fields/%u", i);
		if (field < 0)
			say(o, path,
			    "it grants the field %s, and %s version %u has "
			    "none; see `hutong catalog show`",
			    o->says->fields[i], o->item->name,
			    o->item->version);
		else if (above_level(o, (size_t)field))
			say(o, path,
			    "it grants the field %s of level %d, and no level "
			    "above %u",
			    o->says->fields[i],
			    ht_schema_field_level(
			        o->item->record, (size_t)field),
			    grant->level);
		else if (fields != NULL)
			ht_released_set(fields, &len, (size_t)field);
	}
	if (grant->row_field != NULL &&
	    ht_schema_field_index(o->item->record, grant->row_field) < 0)
		say(o, "rows/field",
		    "its rows are chosen by the field %s, and %s version %u "
		    "has none",
		    grant->row_field, o->item->name, o->item->version);
}

static void
check_codes(struct offer *o)
{
	const struct ht_grant *grant = &o->says->grant;
	const struct ht_item *item = o->item;

	for (unsigned i = 0; i < grant->n_purposes; i++)
		if (!among((const char(*)[HT_PURPOSE_MAX + 1]) item->purposes,
		        item->n_purposes, grant->purposes[i]))
			say(o, "purposes",
			    "it grants the purpose %s, which %s does not list",
			    grant->purposes[i], item->name);
	if (!among((const char(*)[HT_PURPOSE_MAX + 1]) item->bases,
	        item->n_bases, grant->basis))
		say(o, "basis",
		    "it rests on the basis %s, which %s does not list",
		    grant->basis, item->name);
}

static void
check_share(struct offer *o)
{
	const struct ht_grant *grant = &o->says->grant;
	const struct ht_item *item = o->item;

	if (strcmp(item->provider, grant->provider) != 0)
		say(o, "provider",
		    "it names the provider %s, but %s is provided by %s",
		    grant->provider, item->name, item->provider);
	for (unsigned op = HT_OP_QUERY; op <= HT_OP_TRANSFER; op++)
		if ((grant->operations & HT_OPS(op)) != 0 &&
		    (item->operations & HT_OPS(op)) == 0)
			say(o, "operations",
			    "it grants %s, which %s does not offer",
			    ht_operation_text(op), item->name);
	if (item->share == HT_SHARE_NONE)
		say(o, "item",
		    "%s is not shared (share: none), so nobody can be granted "
		    "it",
		    item->name);
}

enum ht_err
ht_grant_offered(const struct ht_doc *doc, const struct ht_grant_doc *says,
    const struct ht_item *item, struct ht_report *report, uint8_t *ret_fields)
{
	struct offer o = {doc, says, item, report, 0};

	check_share(&o);
	check_fields(&o, ret_fields);
	check_codes(&o);
	return o.found > 0 ? HT_EINVALID : HT_OK;
}
