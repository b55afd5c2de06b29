/*
 * identity.c -- "REGISTRY:ID", as an auditor types it.  Of a mistyped one the
 * log would prove, truly, that nobody looked: so it is held first against the
 * items, whose requests carry such ids, or against the registry's format.
 */
#include <string.h>

#include "broker/cli/tool.h"
#include "schemas/codes.h"

#define SHOW(slice) (int)(slice).len, (const char *)(slice).at

/* What the requests of an item may have where the subject is named. */
static bool
item_takes(
    const struct ht_item *item, const json_t *id, struct ht_report *report)
{
	int i = ht_schema_field_index(item->request, item->subject_param);

	return i < 0 ||
	       ht_schema_check_field(item->request, (size_t)i, id, report);
}

/* "uscc, citizen-id": each once, in the order of the items. */
static void
add_registries(const struct ht_trust *trust, struct ht_buf *out)
{
	const struct ht_item *item, *before;

	for (size_t i = 0; (item = ht_trust_item_at(trust, i)) != NULL; i++) {
		bool had = !item->has_subject;

		for (size_t j = 0; j < i && !had; j++) {
			before = ht_trust_item_at(trust, j);
			had = before->has_subject &&
			      strcmp(before->subject_registry,
			          item->subject_registry) == 0;
		}
		if (!had)
			ht_buf_fmt(out, "%s%s", out->len > 0 ? ", " : "",
			    item->subject_registry);
	}
}

static int
no_registry(const struct ht_trust *trust, struct ht_slice registry)
{
	HT_AUTO(ht_buf_fini) struct ht_buf known = HT_BUF(16 * 1024);
	const char *text;

	add_registries(trust, &known);
	text = ht_buf_text(&known);
	ht_audit_say("no item of --authority is about a '%.*s'; the registries "
	             "it knows: %s",
	    SHOW(registry), text != NULL && text[0] != '\0' ? text : "none");
	return HT_AUDIT_USAGE;
}

/* An id that no item takes stood in no request. */
static int
by_items(const struct ht_trust *trust, struct ht_slice registry, json_t *id)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	const struct ht_item *item;
	bool known = false;

	for (size_t i = 0; (item = ht_trust_item_at(trust, i)) != NULL; i++) {
		if (!item->has_subject ||
		    !ht_slice_is(registry, item->subject_registry))
			continue;
		known = true;
		if (item_takes(item, id, report))
			return HT_AUDIT_OK;
	}
	if (!known)
		return no_registry(trust, registry);
	ht_audit_say("this id is no %.*s: no item of --authority takes it%s%s; "
	             "nobody could have asked for it",
	    SHOW(registry), ht_report_count(report) > 0 ? ": it " : "",
	    ht_report_count(report) > 0 ? ht_report_text(report, 0) : "");
	return HT_AUDIT_USAGE;
}

/* A registry's word is that of a format, where there is one. */
static int
by_format(struct ht_slice registry, struct ht_slice id)
{
	char format[HT_PURPOSE_MAX + 1];
	const char *why = "";
	bool known = false;

	if (registry.len > HT_PURPOSE_MAX)
		return HT_AUDIT_OK;
	memcpy(format, registry.at, registry.len);
	format[registry.len] = '\0';
	if (ht_format_check(format, id, &why, &known) || !known)
		return HT_AUDIT_OK;
	ht_audit_say("this id is no valid %s: %s; if an item has other ones, "
	             "--authority says so",
	    format, why);
	return HT_AUDIT_USAGE;
}

int
ht_audit_identity(const struct ht_audit_faith *faith, const char *subject)
{
	const char *colon = strchr(subject, ':');
	struct ht_slice registry, id;
	json_t *value;
	int code;

	if (colon == NULL || colon == subject || colon[1] == '\0') {
		ht_audit_say("a subject is REGISTRY:ID, such as uscc:9111...");
		return HT_AUDIT_USAGE;
	}
	registry = HT_SLICE(subject, (size_t)(colon - subject));
	id = ht_slice_str(colon + 1);
	if (faith->trust == NULL)
		return by_format(registry, id);
	value = json_stringn((const char *)id.at, id.len);
	if (value == NULL) {
		ht_audit_say("the id is no UTF-8");
		return HT_AUDIT_USAGE;
	}
	code = by_items(faith->trust, registry, value);
	json_decref(value);
	return code;
}
