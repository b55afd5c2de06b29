/*
 * sheet_in.h -- the insides of a sheet, for the sheet_*.c files alone.
 */
#ifndef HT_SCHEMAS_SHEET_IN_H
#define HT_SCHEMAS_SHEET_IN_H

#include "schemas/sheet.h"

#define HT_SHEET_ITEMS 2000 /* of one file; a catalog may have several */

struct ht_sheet_item {
	char name[HT_NAME_MAX + 1];
	uint32_t version;
	size_t row; /* the first of its n */
	size_t n;
};

struct ht_sheet {
	char *name;
	struct ht_csv *csv;
	int at[HT_SHEET_COLUMNS]; /* where a column stands; -1: nowhere */
	size_t n_items;
	struct ht_sheet_item *items;
};
struct ht_slice ht_sheet_cell(
    const struct ht_sheet *sheet, size_t row, unsigned column);
/* A finding at a cell. */
void ht_sheet_blame(const struct ht_sheet *sheet, size_t row, unsigned column,
    struct ht_report *report, const char *text);

/* ---- cells: sheet_cell.c ---- */

/* The words of documents for those of ht_sheet_kinds and so on. */
extern const char *const ht_sheet_kind_keys[];
extern const char *const ht_sheet_format_keys[];
extern const char *const ht_sheet_method_keys[];
extern const char *const ht_sheet_share_keys[];
/* Which of the words; -1: none. */
int ht_sheet_word(struct ht_slice text, const char *const *names);
int ht_sheet_yes(struct ht_slice cell);     /* 1, 0 (also blank); -1 */
int ht_sheet_share(struct ht_slice cell);   /* as enum ht_share; -1 */
char ht_sheet_letter(struct ht_slice cell); /* of a type; NUL: none */
#define HT_SHEET_DAY sizeof("2026-11-24")
/* Also 2026/1/8, as spreadsheets rewrite it. */
bool ht_sheet_day(struct ht_slice cell, char out[static HT_SHEET_DAY]);
/* The next of what commas separate; false: no more. */
bool ht_sheet_part(struct ht_slice *rest, struct ht_slice *ret);
/* The next of "code text；code text". */
bool ht_sheet_coded(struct ht_slice *rest, struct ht_slice *ret_code,
    struct ht_slice *ret_text);
/* Append what export writes for it; of what is no word, the cell. */
void ht_sheet_usual(unsigned column, struct ht_slice cell, struct ht_buf *out);

/* ---- against what there is: sheet_compare.c ---- */

/*
 * The rows of an item against @with: whoever compares is called for each cell
 * that says otherwise, of the whole item first, then of fields in the record's
 * order; for each field without a row; and for each row of a field that the
 * record has not.
 */
struct ht_sheet_against {
	const struct ht_sheet *sheet;
	const struct ht_sheet_item *item;
	struct ht_doc *const *docs; /* for titles */
	size_t n;
	const struct ht_doc *with;
	void (*cell)(
	    void *arg, size_t row, unsigned column, struct ht_slice has);
	void (*gone)(void *arg, const char *field);
	void (*come)(void *arg, size_t row);
	void *arg;
};
enum ht_err ht_sheet_against(const struct ht_sheet_against *against)
    HT_MUST_USE;
/* The row of a field; -1: it has none. */
int ht_sheet_row_of(const struct ht_sheet *sheet,
    const struct ht_sheet_item *item, const char *field);

/* ---- values: sheet_value.c ---- */

/* A scalar in double quotes; cells hold no line ends and no controls. */
void ht_sheet_quote(struct ht_buf *out, struct ht_slice text);
/* What the item's cell is in YAML; false with a finding: none of its words. */
bool ht_sheet_value(const struct ht_sheet *sheet,
    const struct ht_sheet_item *item, unsigned column, struct ht_report *report,
    struct ht_buf *out);

/* ---- drafts: sheet_draft.c ---- */

/*
 * A field as "name: {title: ..., x-level: ..., type: ...}\n", without a level
 * in a request; false with a finding where its cells cannot be that.
 */
bool ht_sheet_field_line(const struct ht_sheet *sheet, size_t row, bool record,
    struct ht_report *report, struct ht_buf *out);
/* Every cell of a field that is wrong by itself. */
void ht_sheet_check_fields(const struct ht_sheet *sheet,
    const struct ht_sheet_item *item, struct ht_report *report);
/* Findings that two files make. */
#define HT_SHEET_YES_OR_NO "是 or 否 is expected"
#define HT_SHEET_CODED                                                         \
	"a code in ASCII, a space and the text are expected, and ； between " \
	"them: ZGF-15 税收征收管理法 第十五条；..."
/* Read a draft; what is wrong with it is told at the item's line. */
enum ht_err ht_sheet_parse(const struct ht_sheet *sheet,
    const struct ht_sheet_item *item, struct ht_slice text,
    struct ht_report *report, struct ht_doc **ret) HT_MUST_USE;

#endif
