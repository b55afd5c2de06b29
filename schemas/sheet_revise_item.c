/*
 * sheet_revise_item.c -- what a sheet says otherwise of a whole item, as edits
 * of its text.
 */
#include <string.h>

#include "lib/base/text.h"
#include "schemas/sheet_revise.h"

static struct ht_slice
cell(const struct ht_sheet_revising *r, size_t row, unsigned column)
{
	return ht_sheet_cell(r->sheet, row, column);
}

/* ---- what the item says as a whole ---- */

static const struct {
	const char *key;
	bool entry;  /* it stands there */
	bool titled; /* in its {zh: ...} */
} keys[HT_SHEET_COLUMNS] = {
    [HT_SHEET_KIND] = {"kind",            true,  false},
    [HT_SHEET_TITLE] = {"title",           false, true },
    [HT_SHEET_CODE] = {"code",            true,  false},
    [HT_SHEET_PROVIDER_CODE] = {"provider-code",   true,  false},
    [HT_SHEET_SUMMARY] = {"summary",         true,  true },
    [HT_SHEET_FORMAT] = {"format",          false, false},
    [HT_SHEET_METHODS] = {"methods",         false, false},
    [HT_SHEET_SCOPE] = {"scope",           false, true },
    [HT_SHEET_OPEN] = {"open",            true,  false},
    [HT_SHEET_OPEN_CONDITIONS] = {"open-conditions", true,  false},
    [HT_SHEET_CYCLE] = {"cycle",           false, true },
    [HT_SHEET_PUBLISHED] = {"published",       true,  false},
    [HT_SHEET_RELATED] = {"related",         true,  false},
};

static void
set(struct ht_sheet_revising *r, bool entry, const char *key,
    struct ht_slice yaml)
{
	struct ht_yaml *map =
	    entry ? ht_yaml_child(r->law.top, "entry") : r->law.top;
	HT_AUTO(ht_buf_fini) struct ht_buf line = HT_BUF(HT_DOC_MAX);

	if (map != NULL && (entry || ht_yaml_child(map, key) != NULL)) {
		ht_edit_set(&r->edits, map, key, yaml);
		return;
	}
	ht_buf_fmt(entry ? &r->entry : &line, "%s%s: %.*s\n", entry ? "  " : "",
	    key, (int)yaml.len, (const char *)yaml.at);
	if (!entry)
		ht_edit_before(&r->edits, ht_yaml_child(r->law.top, "request"),
		    ht_sheet_yaml(r, &line));
}

static void
set_titled(struct ht_sheet_revising *r, bool entry, const char *key,
    struct ht_slice yaml)
{
	struct ht_yaml *map =
	    entry ? ht_yaml_child(r->law.top, "entry") : r->law.top;
	struct ht_yaml *is = ht_yaml_child(map, key);
	HT_AUTO(ht_buf_fini) struct ht_buf value = HT_BUF(HT_SHEET_VALUE + 16);

	if (is != NULL) {
		ht_edit_set(&r->edits, is, "zh", yaml);
		return;
	}
	ht_buf_fmt(&value, "{zh: %.*s}", (int)yaml.len, (const char *)yaml.at);
	set(r, entry, key, ht_sheet_yaml(r, &value));
}

/* What no rule asks for may go; the rest was blanked by mistake. */
static void
blanked(struct ht_sheet_revising *r, unsigned column)
{
	if (keys[column].entry)
		ht_sheet_take_away(
		    r, ht_yaml_child(r->law.top, "entry"), keys[column].key);
	else
		ht_sheet_cannot(r, r->item->row, column,
		    "blank here, and an item needs it; fill it in");
}

static void
plain_cell(struct ht_sheet_revising *r, unsigned column)
{
	HT_AUTO(ht_buf_fini) struct ht_buf yaml = HT_BUF(HT_SHEET_VALUE);

	if (!ht_sheet_value(r->sheet, r->item, column, r->to.report, &yaml))
		return;
	if (keys[column].titled)
		set_titled(r, keys[column].entry, keys[column].key,
		    ht_sheet_yaml(r, &yaml));
	else
		set(r, keys[column].entry, keys[column].key,
		    ht_sheet_yaml(r, &yaml));
}

/* ---- sharing ---- */

static void
conditions(struct ht_sheet_revising *r)
{
	struct ht_slice text = cell(r, r->item->row, HT_SHEET_CONDITIONS);
	int share = ht_sheet_share(cell(r, r->item->row, HT_SHEET_SHARE));
	HT_AUTO(ht_buf_fini) struct ht_buf yaml = HT_BUF(HT_SHEET_VALUE);

	ht_sheet_quote(&yaml, text);
	if (share == HT_SHARE_NONE)
		set(r, false, "reason", ht_sheet_yaml(r, &yaml));
	else if (!ht_slice_is(text, "无条件"))
		set_titled(r, false, "conditions", ht_sheet_yaml(r, &yaml));
	else if (share == HT_SHARE_UNCONDITIONAL)
		ht_sheet_take_away(r, r->law.top, "conditions");
	else
		ht_sheet_cannot(r, r->item->row, HT_SHEET_CONDITIONS,
		    "what is shared on conditions says them here");
}

static void
share(struct ht_sheet_revising *r)
{
	int is = ht_sheet_share(cell(r, r->item->row, HT_SHEET_SHARE));

	if (is < 0)
		ht_sheet_cannot(r, r->item->row, HT_SHEET_SHARE,
		    "无条件共享, 有条件共享 or 不予共享 is expected");
	else if (is == HT_SHARE_NONE || r->with->item->share == HT_SHARE_NONE)
		ht_sheet_cannot(r, r->item->row, HT_SHEET_SHARE,
		    "whether it is shared at all is more than a cell: its "
		    "operations and grants go with it; change the document by "
		    "hand");
	else
		set(r, false, "share", ht_slice_str(ht_sheet_share_keys[is]));
}

/* ---- bases and purposes ---- */

static struct ht_yaml *
coded_of(struct ht_yaml *list, struct ht_slice code)
{
	for (size_t i = 0; i < ht_yaml_count(list); i++) {
		struct ht_yaml *at = ht_yaml_at(list, i);
		struct ht_yaml *is = ht_yaml_child(at, "code");

		if (is != NULL && ht_slice_eq(ht_yaml_scalar(is), code))
			return at;
	}
	return NULL;
}

/* One of them; what it says in other languages stays. */
static void
add_coded(struct ht_buf *out, struct ht_yaml *was, struct ht_slice code,
    struct ht_slice text)
{
	struct ht_yaml *zh = ht_yaml_child(was, "zh");
	struct ht_yaml *any = ht_yaml_child(was, "text");
	bool as_text = zh == NULL && any != NULL;

	ht_buf_fmt(
	    out, "{code: \"%.*s\"", (int)code.len, (const char *)code.at);
	if (text.len > 0) {
		ht_buf_str(out, as_text ? ", text: " : ", zh: ");
		ht_sheet_quote(out, text);
	}
	for (size_t i = 0; was != NULL && i < ht_yaml_count(was); i++) {
		const char *key = ht_yaml_key(was, i);
		struct ht_slice other = ht_yaml_scalar(ht_yaml_at(was, i));

		if (strcmp(key, "code") == 0 || strcmp(key, "zh") == 0 ||
		    (as_text && strcmp(key, "text") == 0))
			continue;
		ht_buf_fmt(out, ", %s: ", key);
		ht_sheet_quote(out, other);
	}
	ht_buf_u8(out, '}');
}

static void
coded(struct ht_sheet_revising *r, unsigned column, const char *key)
{
	struct ht_slice rest = cell(r, r->item->row, column), code, text;
	struct ht_yaml *list = ht_yaml_child(r->law.top, key);
	HT_AUTO(ht_buf_fini) struct ht_buf yaml = HT_BUF(HT_DOC_MAX);
	unsigned n = 0;

	ht_buf_u8(&yaml, '[');
	while (ht_sheet_coded(&rest, &code, &text)) {
		if (!ht_name_part(code)) {
			ht_sheet_cannot(
			    r, r->item->row, column, HT_SHEET_CODED);
			return;
		}
		ht_buf_str(&yaml, n++ > 0 ? ",\n    " : "");
		add_coded(&yaml, coded_of(list, code), code, text);
	}
	ht_buf_u8(&yaml, ']');
	ht_edit_replace(&r->edits, list, ht_sheet_yaml(r, &yaml));
}

void
ht_sheet_revise_item(struct ht_sheet_revising *r, unsigned column)
{
	switch (column) {
	case HT_SHEET_PROVIDER:
		ht_sheet_cannot(r, r->item->row, column,
		    "this is the provider's title in the directory; change it "
		    "there (directory amend), or leave it blank");
		return;
	case HT_SHEET_MEMBER:
		ht_sheet_cannot(r, r->item->row, column,
		    "an item keeps its provider in all versions; draft it "
		    "under a name of its own");
		return;
	case HT_SHEET_SHARE:
		share(r);
		return;
	default:
		break;
	}
	if (cell(r, r->item->row, column).len == 0)
		blanked(r, column);
	else if (column == HT_SHEET_CONDITIONS)
		conditions(r);
	else if (column == HT_SHEET_BASIS)
		coded(r, column, "basis");
	else if (column == HT_SHEET_PURPOSES)
		coded(r, column, "purposes");
	else
		plain_cell(r, column);
}
