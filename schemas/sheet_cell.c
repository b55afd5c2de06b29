/*
 * sheet_cell.c -- what one may write in a cell for what export writes there:
 * "1" for 是, "C" for 字符型C, 2026/1/8 for 2026-01-08.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "schemas/sheet_in.h"

/* ---- words ---- */

const char *const ht_sheet_kind_keys[] = {"base", "theme", "department"};
const char *const ht_sheet_format_keys[] = {"document", "sheet", "database",
    "image", "stream", "self-describing", "interface"};
const char *const ht_sheet_method_keys[] = {"interface", "batch", "file"};
const char *const ht_sheet_share_keys[] = {
    "unconditional", "conditional", "none"};

int
ht_sheet_word(struct ht_slice text, const char *const *names)
{
	for (int i = 0; names[i] != NULL; i++)
		if (ht_slice_is(text, names[i]))
			return i;
	return -1;
}

int
ht_sheet_yes(struct ht_slice cell)
{
	if (ht_slice_is(cell, "是") || ht_slice_is(cell, "1"))
		return 1;
	return cell.len == 0 || ht_slice_is(cell, "否") ||
	               ht_slice_is(cell, "0")
	           ? 0
	           : -1;
}

int
ht_sheet_share(struct ht_slice cell)
{
	static const char *const digits[] = {"1", "2", "3", NULL};
	int i = ht_sheet_word(cell, ht_sheet_shares);

	return i >= 0 ? i : ht_sheet_word(cell, digits);
}

/* ---- types ---- */

static const struct {
	char letter;
	const char *word;
} types[] = {
    {'C', "字符型"      },
    {'M', "备注型"      },
    {'N', "数值型"      },
    {'Y', "货币型"      },
    {'F', "浮点型"      },
    {'D', "日期型"      },
    {'T', "日期时间型"},
    {'I', "整型"         },
    {'B', "双精度型"   },
    {'L', "逻辑型"      },
    {'A', "数组"         },
    {'O', "对象"         },
};

char
ht_sheet_letter(struct ht_slice cell)
{
	struct ht_slice word;
	char letter = '\0';

	if (cell.len == 0)
		return '\0';
	word = HT_SLICE(cell.at, cell.len - 1);
	/* INT ends in T, and is no time: the letter stands alone. */
	if (word.len > 0 && word.at[word.len - 1] < 0x80)
		return '\0';
	for (size_t i = 0; i < HT_COUNT(types); i++) {
		if (cell.at[cell.len - 1] == (uint8_t)types[i].letter)
			letter = types[i].letter;
		else if (ht_slice_is(word, types[i].word))
			return '\0'; /* the word of another letter */
	}
	return letter;
}

/* Letters that a draft does not tell apart are one. */
static char
same_letter(char letter)
{
	switch (letter) {
	case 'M':
		return 'C';
	case 'Y':
	case 'F':
		return 'N';
	default:
		return letter;
	}
}

/* ---- days ---- */

bool
ht_sheet_day(struct ht_slice cell, char out[static HT_SHEET_DAY])
{
	unsigned y = 0, m = 0, day = 0;
	char copy[16], sep = 0, sep2 = 0;
	int end = 0;

	if (cell.len >= sizeof(copy))
		return false;
	memcpy(copy, cell.at, cell.len);
	copy[cell.len] = '\0';
	(void)sscanf(copy, "%4u%c%2u%c%2u%n", &y, &sep, &m, &sep2, &day, &end);
	if (end == 0 || (size_t)end != cell.len || sep != sep2 ||
	    (sep != '-' && sep != '/') || !ht_day_exists(y, m, day))
		return false;
	(void)snprintf(
	    out, HT_SHEET_DAY, "%04u-%02u-%02u", y % 10000, m % 100, day % 100);
	return true;
}

/* ---- lists in a cell ---- */

static const char *const semicolons[] = {";", "；", NULL};
static const char *const commas[] = {"、", ",", "，", ";", "；", NULL};

/* The next part of a list, and what separates it is gone. */
static bool
next_part(struct ht_slice *rest, const char *const *marks, struct ht_slice *ret)
{
	for (size_t i = 0; i < rest->len; i++)
		for (const char *const *m = marks; *m != NULL; m++) {
			size_t len = strlen(*m);

			if (rest->len - i < len ||
			    memcmp(rest->at + i, *m, len) != 0)
				continue;
			*ret = HT_SLICE(rest->at, i);
			*rest =
			    HT_SLICE(rest->at + i + len, rest->len - i - len);
			return true;
		}
	*ret = *rest;
	*rest = HT_SLICE(rest->at + rest->len, 0);
	return ret->len > 0;
}

bool
ht_sheet_part(struct ht_slice *rest, struct ht_slice *ret)
{
	return next_part(rest, commas, ret);
}

bool
ht_sheet_coded(
    struct ht_slice *rest, struct ht_slice *ret_code, struct ht_slice *ret_text)
{
	const uint8_t *space;
	struct ht_slice part;
	size_t code;

	if (!next_part(rest, semicolons, &part))
		return false;
	while (part.len > 0 && part.at[0] == ' ')
		part = HT_SLICE(part.at + 1, part.len - 1);
	space = part.len > 0 ? memchr(part.at, ' ', part.len) : NULL;
	code = space != NULL ? (size_t)(space - part.at) : part.len;
	*ret_code = HT_SLICE(part.at, code);
	*ret_text = space != NULL ? HT_SLICE(space + 1, part.len - code - 1)
	                          : HT_SLICE("", 0);
	return true;
}

/* ---- as export writes it ---- */

static void
usual_list(struct ht_slice cell, unsigned column, struct ht_buf *out)
{
	struct ht_slice part, text;
	unsigned n = 0;

	if (column == HT_SHEET_METHODS || column == HT_SHEET_RELATED) {
		while (ht_sheet_part(&cell, &part))
			ht_buf_fmt(out, "%s%.*s", n++ > 0 ? "、" : "",
			    (int)part.len, (const char *)part.at);
		return;
	}
	while (ht_sheet_coded(&cell, &part, &text))
		ht_buf_fmt(out, "%s%.*s%s%.*s", n++ > 0 ? "；" : "",
		    (int)part.len, (const char *)part.at,
		    text.len > 0 ? " " : "", (int)text.len,
		    (const char *)text.at);
}

static const char *
usual_type(struct ht_slice cell, char as_letter[static 32])
{
	char letter = same_letter(ht_sheet_letter(cell));

	for (size_t i = 0; i < HT_COUNT(types); i++)
		if (types[i].letter == letter) {
			(void)snprintf(
			    as_letter, 32, "%s%c", types[i].word, letter);
			return as_letter;
		}
	return NULL;
}

/* NULL: it is as it is. */
static const char *
usual_word(unsigned column, struct ht_slice cell, char space[static 32])
{
	int i;

	switch (column) {
	case HT_SHEET_REQUIRED:
	case HT_SHEET_PARAM:
	case HT_SHEET_OPEN:
		i = ht_sheet_yes(cell);
		if (column == HT_SHEET_OPEN && cell.len == 0)
			return NULL;
		return i < 0 ? NULL : i > 0 ? "是" : "否";
	case HT_SHEET_SHARE:
		i = ht_sheet_share(cell);
		return i < 0 ? NULL : ht_sheet_shares[i];
	case HT_SHEET_TYPE:
		return usual_type(cell, space);
	case HT_SHEET_PUBLISHED:
		return ht_sheet_day(cell, space) ? space : NULL;
	default:
		return NULL;
	}
}

void
ht_sheet_usual(unsigned column, struct ht_slice cell, struct ht_buf *out)
{
	char space[32];
	const char *word = usual_word(column, cell, space);

	switch (column) {
	case HT_SHEET_METHODS:
	case HT_SHEET_RELATED:
	case HT_SHEET_PURPOSES:
	case HT_SHEET_BASIS:
		usual_list(cell, column, out);
		return;
	default:
		if (word != NULL)
			ht_buf_str(out, word);
		else
			ht_buf_add(out, cell.at, cell.len);
	}
}
