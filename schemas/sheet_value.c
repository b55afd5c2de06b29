/*
 * sheet_value.c -- a cell of the whole item as the YAML that a document has
 * for it, whether the document is new or has another value there.
 */
#include "schemas/sheet_in.h"

void
ht_sheet_quote(struct ht_buf *out, struct ht_slice text)
{
	ht_buf_u8(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '"' || text.at[i] == '\\')
			ht_buf_u8(out, '\\');
		if (text.at[i] == '\t')
			ht_buf_str(out, "\\t");
		else
			ht_buf_u8(out, text.at[i]);
	}
	ht_buf_u8(out, '"');
}

/* What is wrong with it, or NULL. */
static const char *
word(struct ht_slice cell, const char *const *names, const char *const *keys,
    struct ht_buf *out)
{
	int i = ht_sheet_word(cell, names);

	if (i < 0)
		return "none of the words of this column; docs/catalog.md has "
		       "them";
	ht_buf_str(out, keys[i]);
	return NULL;
}

static const char *
methods(struct ht_slice rest, struct ht_buf *out)
{
	struct ht_slice part;
	unsigned seen = 0;

	ht_buf_u8(out, '[');
	while (ht_sheet_part(&rest, &part)) {
		int i = ht_sheet_word(part, ht_sheet_methods);

		if (i < 0)
			return "服务接口, 批量交换 and 文件下载 are expected, "
			       "with 、 between them";
		if (seen & (1u << i))
			return "one of them stands twice";
		ht_buf_fmt(out, "%s%s", seen != 0 ? ", " : "",
		    ht_sheet_method_keys[i]);
		seen |= 1u << i;
	}
	ht_buf_u8(out, ']');
	return NULL;
}

static const char *
related(struct ht_slice rest, struct ht_buf *out)
{
	struct ht_slice part;
	unsigned n = 0;

	ht_buf_u8(out, '[');
	while (ht_sheet_part(&rest, &part)) {
		ht_buf_str(out, n++ > 0 ? ", " : "");
		ht_sheet_quote(out, part);
	}
	ht_buf_u8(out, ']');
	return NULL;
}

static const char *
open(struct ht_slice cell, struct ht_buf *out)
{
	int yes = ht_sheet_yes(cell);

	if (yes < 0)
		return HT_SHEET_YES_OR_NO;
	ht_buf_str(out, yes ? "true" : "false");
	return NULL;
}

static const char *
published(struct ht_slice cell, struct ht_buf *out)
{
	char day[HT_SHEET_DAY];

	if (!ht_sheet_day(cell, day))
		return "a day like 2026-11-24 is expected";
	ht_buf_str(out, day);
	return NULL;
}

static const char *
value(unsigned column, struct ht_slice cell, struct ht_buf *out)
{
	switch (column) {
	case HT_SHEET_KIND:
		return word(cell, ht_sheet_kinds, ht_sheet_kind_keys, out);
	case HT_SHEET_FORMAT:
		return word(cell, ht_sheet_formats, ht_sheet_format_keys, out);
	case HT_SHEET_METHODS:
		return methods(cell, out);
	case HT_SHEET_RELATED:
		return related(cell, out);
	case HT_SHEET_OPEN:
		return open(cell, out);
	case HT_SHEET_PUBLISHED:
		return published(cell, out);
	default:
		ht_sheet_quote(out, cell);
		return NULL;
	}
}

bool
ht_sheet_value(const struct ht_sheet *sheet, const struct ht_sheet_item *item,
    unsigned column, struct ht_report *report, struct ht_buf *out)
{
	const char *fault =
	    value(column, ht_sheet_cell(sheet, item->row, column), out);

	if (fault != NULL)
		ht_sheet_blame(sheet, item->row, column, report, fault);
	return fault == NULL;
}
