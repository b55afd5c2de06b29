/*
 * rules_item.c -- what is asked of one item: the elements of the regulation of
 * 2025 (articles 3, 13, 14, 15, 22), then those of the guide of 2017.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/conf/edit.h"
#include "schemas/entry.h"
#include "schemas/rules.h"

/* ---- places and findings ---- */

enum ht_err
ht_law_open(
    struct ht_law *law, const struct ht_doc *doc, const struct ht_rules *to)
{
	enum ht_err err;

	*law = (struct ht_law){.item = doc->item, .to = to};
	err = ht_conf_parse(doc->text, doc->where, to->violations, &law->conf);
	if (err == HT_OK)
		law->top = ht_yaml_as_map(ht_conf_root(law->conf));
	return err;
}

void
ht_law_close(struct ht_law *law)
{
	ht_conf_free(&law->conf);
}

struct ht_yaml *
ht_law_find(const struct ht_law *law, ...)
{
	struct ht_yaml *at = law->top, *next;
	const char *key;
	va_list keys;

	va_start(keys, law);
	while ((key = va_arg(keys, const char *)) != NULL) {
		next = ht_yaml_child(at, key);
		if (next == NULL)
			break;
		at = next;
	}
	va_end(keys);
	return at;
}

#define FINDING_MAX 1024

void
ht_law_breaks(const struct ht_law *law, struct ht_yaml *value, const char *rule,
    const char *fmt, ...)
{
	char text[FINDING_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	ht_conf_set_report(law->conf, law->to->violations);
	ht_yaml_complain(value, "%s [%s]", text, rule);
}

void
ht_law_advises(const struct ht_law *law, struct ht_yaml *value,
    const char *rule, const char *fmt, ...)
{
	char text[FINDING_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	ht_conf_set_report(law->conf, law->to->advice);
	ht_yaml_complain(value, "%s [%s]", text, rule);
}

/* ---- the regulation of 2025 ---- */

static bool
has(const struct ht_law *law, const char *key)
{
	return ht_yaml_child(law->top, key) != NULL;
}

/* Elements that are missing have no place: they are told at the item's name. */
static void
need(const struct ht_law *law, const char *key, const char *rule,
    const char *what)
{
	if (!has(law, key))
		ht_law_breaks(law, ht_law_at(law, "item"), rule,
		    "the entry does not say %s; add '%s'", what, key);
}

static void
check_elements(const struct ht_law *law)
{
	bool shared = law->item->share != HT_SHARE_NONE;

	if (law->item->title_zh == NULL)
		ht_law_breaks(law, ht_law_at(law, "title"), "name",
		    "the name is missing in Chinese; add 'zh'");
	need(law, "format", "format",
	    "in which form the data is kept (database, interface, document, "
	    "sheet, ...)");
	need(law, "cycle", "cycle", "how often the data is renewed");
	if (shared)
		need(law, "methods", "methods",
		    "how it is shared (interface, batch, file)");
}

static void
check_share(const struct ht_law *law)
{
	struct ht_yaml *share = ht_law_at(law, "share");

	if (law->item->share == HT_SHARE_CONDITIONAL) {
		if (!has(law, "conditions"))
			ht_law_breaks(law, share, "conditions",
			    "what is shared on conditions states them; add "
			    "'conditions'");
		if (!has(law, "scope"))
			ht_law_breaks(law, share, "scope",
			    "what is shared on conditions states with whom; "
			    "add 'scope'");
	}
	if (law->item->share != HT_SHARE_NONE && has(law, "reason"))
		ht_law_breaks(law, ht_law_at(law, "reason"), "reason",
		    "a reason not to share, for what is shared; remove it, or "
		    "set 'share: none'");
	if (law->item->share == HT_SHARE_NONE && law->item->operations != 0)
		ht_law_breaks(law, ht_law_at(law, "operations"), "operations",
		    "what is not shared offers no operation; write []");
}

/* Data items are named for those who read the catalog. */
static void
check_fields(const struct ht_law *law)
{
	const struct ht_schema *record = law->item->record;

	for (size_t i = 0; i < ht_schema_fields(record); i++) {
		const char *name = ht_schema_field(record, i);

		if (ht_schema_field_title(record, i) == NULL)
			ht_law_breaks(law,
			    ht_law_at(law, "record", "properties", name),
			    "field-name",
			    "the field %s has no name; add "
			    "'title'",
			    name);
	}
}

/* ---- the guide of 2017, and custom ---- */

static bool
is_one_of(struct ht_yaml *value, const struct ht_word *words, int *ret)
{
	struct ht_slice text;

	if (value == NULL || ht_yaml_type(value) != HT_YAML_TEXT)
		return false;
	text = ht_yaml_scalar(value);
	for (; words->word != NULL; words++)
		if (ht_slice_is(text, words->word)) {
			*ret = words->value;
			return true;
		}
	return false;
}

static bool
shared_by(const struct ht_law *law, int method)
{
	struct ht_yaml *list = ht_yaml_child(law->top, "methods");
	int is;

	for (size_t i = 0; list != NULL && i < ht_yaml_count(list); i++)
		if (is_one_of(ht_yaml_at(list, i), ht_entry_methods, &is) &&
		    is == method)
			return true;
	return false;
}

/* A file is shared as a file; a database as a batch or by an interface. */
static void
check_methods(const struct ht_law *law)
{
	struct ht_yaml *methods = ht_yaml_child(law->top, "methods");
	unsigned asked = HT_OPS(HT_OP_QUERY) | HT_OPS(HT_OP_VERIFY);
	int format;
	bool file;

	if (methods == NULL)
		return;
	if ((law->item->operations & asked) != 0 &&
	    !shared_by(law, HT_ENTRY_BY_INTERFACE))
		ht_law_advises(law, methods, "methods",
		    "query and verify are an interface; list it");
	if (!is_one_of(
	        ht_yaml_child(law->top, "format"), ht_entry_formats, &format))
		return;
	file = format != HT_ENTRY_DATABASE && format != HT_ENTRY_INTERFACE &&
	       format != HT_ENTRY_SELF;
	if (file && !shared_by(law, HT_ENTRY_BY_FILE))
		ht_law_advises(law, methods, "methods",
		    "what is kept in files is shared as files; list 'file', "
		    "or look at 'format'");
	if (format == HT_ENTRY_DATABASE && shared_by(law, HT_ENTRY_BY_FILE))
		ht_law_advises(law, methods, "methods",
		    "a database is shared as a batch or by an interface, not "
		    "as a file");
}

static void
check_guide(const struct ht_law *law)
{
	static const char *const elements[] = {
	    "code", "kind", "provider-code", "summary", "open", "published"};
	struct ht_yaml *entry = ht_yaml_child(law->top, "entry");
	HT_AUTO(ht_buf_fini) struct ht_buf missing = HT_BUF(256);

	for (size_t i = 0; i < HT_COUNT(elements); i++)
		if (entry == NULL || ht_yaml_child(entry, elements[i]) == NULL)
			ht_buf_fmt(&missing, "%s%s",
			    missing.len > 0 ? ", " : "", elements[i]);
	if (missing.len > 0)
		ht_law_advises(law,
		    entry != NULL ? entry : ht_law_at(law, "item"), "guide",
		    "the guide's elements lack, under 'entry': %s",
		    ht_buf_text(&missing));
}

/* Both come before cataloguing; the entry says on which days. */
static void
check_assessed(const struct ht_law *law)
{
	const struct ht_schema *record = law->item->record;
	struct ht_yaml *at = ht_law_at(law, "item");
	struct ht_yaml *entry = ht_yaml_child(law->top, "entry");
	struct ht_yaml *days =
	    entry != NULL ? ht_yaml_child(entry, "assessed") : NULL;
	bool personal = false;

	for (size_t i = 0; i < ht_schema_fields(record); i++)
		personal = personal || ht_schema_field_level(record, i) >= 2;
	if (days == NULL || ht_yaml_child(days, "secrecy") == NULL)
		ht_law_advises(law, days != NULL ? days : at, "assessed",
		    "no day of the assessment of secrecy risks; add 'entry: "
		    "{assessed: {secrecy: ...}}'");
	if (personal &&
	    (days == NULL || ht_yaml_child(days, "personal") == NULL))
		ht_law_advises(law, days != NULL ? days : at, "assessed",
		    "fields of level 2 or 3, and no day of the assessment of "
		    "the impact on personal information; add 'entry: "
		    "{assessed: {personal: ...}}'");
}

enum ht_err
ht_rules_item(const struct ht_doc *item, const struct ht_rules *to)
{
	HT_AUTO(ht_law_close) struct ht_law law = {0};
	enum ht_err err = ht_law_open(&law, item, to);

	if (err != HT_OK)
		return err;
	check_elements(&law);
	check_share(&law);
	check_fields(&law);
	check_methods(&law);
	check_guide(&law);
	check_assessed(&law);
	return HT_OK;
}
