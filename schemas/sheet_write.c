/*
 * sheet_write.c -- items as the rows of a spreadsheet.
 */
#include <stdio.h>
#include <string.h>

#include "schemas/entry.h"
#include "schemas/rules.h"
#include "schemas/sheet.h"

const char *const ht_sheet_titles[HT_SHEET_COLUMNS] = {
    [HT_SHEET_KIND] = "信息资源分类",
    [HT_SHEET_TITLE] = "信息资源名称",
    [HT_SHEET_CODE] = "信息资源代码",
    [HT_SHEET_PROVIDER] = "信息资源提供方",
    [HT_SHEET_PROVIDER_CODE] = "信息资源提供方代码",
    [HT_SHEET_SUMMARY] = "信息资源摘要",
    [HT_SHEET_FORMAT] = "信息资源格式",
    [HT_SHEET_FIELD_TITLE] = "信息项名称",
    [HT_SHEET_TYPE] = "数据类型",
    [HT_SHEET_LENGTH] = "数据长度",
    [HT_SHEET_SHARE] = "共享类型",
    [HT_SHEET_CONDITIONS] = "共享条件",
    [HT_SHEET_METHODS] = "共享方式",
    [HT_SHEET_SCOPE] = "共享范围",
    [HT_SHEET_PURPOSES] = "使用用途",
    [HT_SHEET_OPEN] = "是否向社会开放",
    [HT_SHEET_OPEN_CONDITIONS] = "开放条件",
    [HT_SHEET_CYCLE] = "更新周期",
    [HT_SHEET_PUBLISHED] = "发布日期",
    [HT_SHEET_RELATED] = "关联资源代码",
    [HT_SHEET_LEVEL] = "数据分级",
    [HT_SHEET_BASIS] = "共享依据",
    [HT_SHEET_NAME] = "事项编码",
    [HT_SHEET_VERSION] = "版本",
    [HT_SHEET_MEMBER] = "提供方标识",
    [HT_SHEET_FIELD] = "字段",
    [HT_SHEET_REQUIRED] = "是否必填",
    [HT_SHEET_PARAM] = "查询参数",
};

const char *const ht_sheet_kinds[] = {"基础", "主题", "部门", NULL};
const char *const ht_sheet_formats[] = {"电子文件", "电子表格", "数据库",
    "图形图像", "流媒体", "自描述格式", "服务接口", NULL};
const char *const ht_sheet_methods[] = {
    "服务接口", "批量交换", "文件下载", NULL};
const char *const ht_sheet_shares[] = {
    "无条件共享", "有条件共享", "不予共享", NULL};

bool
ht_sheet_of_field(unsigned column)
{
	switch (column) {
	case HT_SHEET_FIELD_TITLE:
	case HT_SHEET_TYPE:
	case HT_SHEET_LENGTH:
	case HT_SHEET_LEVEL:
	case HT_SHEET_FIELD:
	case HT_SHEET_REQUIRED:
	case HT_SHEET_PARAM:
		return true;
	default:
		return false;
	}
}

void
ht_sheet_row_fini(struct ht_sheet_row *row)
{
	for (size_t i = 0; i < HT_SHEET_COLUMNS; i++)
		ht_buf_fini(&row->cells[i]);
}

/* ---- the item's cells ---- */

struct writing {
	struct ht_law law;
	struct ht_sheet_row *row;
};

/* The scalar at a path of the item's text; nothing if there is none. */
#define AT(w, ...) scalar(ht_law_at(&(w)->law, __VA_ARGS__))

static struct ht_slice
scalar(struct ht_yaml *value)
{
	switch (value != NULL ? ht_yaml_type(value) : HT_YAML_MAP) {
	case HT_YAML_MAP:
	case HT_YAML_LIST:
	case HT_YAML_NULL:
		return HT_SLICE("", 0);
	default:
		return ht_yaml_scalar(value);
	}
}

static void
set(struct writing *w, unsigned column, struct ht_slice text)
{
	ht_buf_add(&w->row->cells[column], text.at, text.len);
}

static void
set_word(struct writing *w, unsigned column, struct ht_slice text,
    const struct ht_word *words, const char *const *names)
{
	for (size_t i = 0; words[i].word != NULL; i++)
		if (ht_slice_is(text, words[i].word)) {
			if (w->row->cells[column].len > 0)
				ht_buf_str(&w->row->cells[column], "、");
			ht_buf_str(
			    &w->row->cells[column], names[words[i].value]);
		}
}

static void
set_methods(struct writing *w)
{
	struct ht_yaml *list = ht_law_at(&w->law, "methods");

	if (ht_yaml_type(list) != HT_YAML_LIST)
		return;
	for (size_t i = 0; i < ht_yaml_count(list); i++)
		set_word(w, HT_SHEET_METHODS, scalar(ht_yaml_at(list, i)),
		    ht_entry_methods, ht_sheet_methods);
}

static struct ht_slice
child(struct ht_yaml *map, const char *key)
{
	if (ht_yaml_type(map) != HT_YAML_MAP)
		return HT_SLICE("", 0);
	for (size_t i = 0; i < ht_yaml_count(map); i++)
		if (strcmp(ht_yaml_key(map, i), key) == 0)
			return scalar(ht_yaml_at(map, i));
	return HT_SLICE("", 0);
}

/* "code text；code text" of bases and purposes. */
static void
set_coded(struct writing *w, unsigned column, const char *key)
{
	struct ht_yaml *list = ht_law_at(&w->law, key);
	struct ht_buf *cell = &w->row->cells[column];

	if (ht_yaml_type(list) != HT_YAML_LIST)
		return;
	for (size_t i = 0; i < ht_yaml_count(list); i++) {
		struct ht_yaml *at = ht_yaml_at(list, i);
		struct ht_slice code = child(at, "code");
		struct ht_slice text = child(at, "zh");

		if (text.len == 0)
			text = child(at, "text");
		if (ht_yaml_type(at) != HT_YAML_MAP)
			code = scalar(at);
		ht_buf_fmt(cell, "%s%.*s%s%.*s", i > 0 ? "；" : "",
		    (int)code.len, (const char *)code.at,
		    text.len > 0 ? " " : "", (int)text.len,
		    (const char *)text.at);
	}
}

static void
set_related(struct writing *w)
{
	struct ht_yaml *list = ht_law_at(&w->law, "entry", "related");
	struct ht_buf *cell = &w->row->cells[HT_SHEET_RELATED];

	if (ht_yaml_type(list) != HT_YAML_LIST)
		return;
	for (size_t i = 0; i < ht_yaml_count(list); i++) {
		struct ht_slice text = scalar(ht_yaml_at(list, i));

		ht_buf_fmt(cell, "%s%.*s", i > 0 ? "、" : "", (int)text.len,
		    (const char *)text.at);
	}
}

static void
set_conditions(struct writing *w)
{
	struct ht_slice text = AT(w, "conditions", "zh");

	if (w->law.item->share == HT_SHARE_NONE)
		text = AT(w, "reason");
	else if (text.len == 0 && w->law.item->share == HT_SHARE_UNCONDITIONAL)
		text = ht_slice_str("无条件");
	set(w, HT_SHEET_CONDITIONS, text);
}

static void
set_provider(struct writing *w, struct ht_doc *const *docs, size_t n)
{
	const char *name = w->law.item->provider;

	set(w, HT_SHEET_MEMBER, ht_slice_str(name));
	for (size_t i = 0; i < n; i++)
		if (docs[i]->kind == HT_DOC_MEMBER &&
		    strcmp(docs[i]->name, name) == 0 &&
		    docs[i]->member->title_zh != NULL)
			set(w, HT_SHEET_PROVIDER,
			    ht_slice_str(docs[i]->member->title_zh));
}

static void
set_item(struct writing *w, struct ht_doc *const *docs, size_t n)
{
	const struct ht_item *item = w->law.item;
	struct ht_slice open = AT(w, "entry", "open");

	set_word(w, HT_SHEET_KIND, AT(w, "entry", "kind"), ht_entry_kinds,
	    ht_sheet_kinds);
	set(w, HT_SHEET_TITLE, AT(w, "title", "zh"));
	set(w, HT_SHEET_CODE, AT(w, "entry", "code"));
	set_provider(w, docs, n);
	set(w, HT_SHEET_PROVIDER_CODE, AT(w, "entry", "provider-code"));
	set(w, HT_SHEET_SUMMARY, AT(w, "entry", "summary", "zh"));
	set_word(w, HT_SHEET_FORMAT, AT(w, "format"), ht_entry_formats,
	    ht_sheet_formats);
	set(w, HT_SHEET_SHARE, ht_slice_str(ht_sheet_shares[item->share]));
	set_conditions(w);
	set_methods(w);
	set(w, HT_SHEET_SCOPE, AT(w, "scope", "zh"));
	set_coded(w, HT_SHEET_PURPOSES, "purposes");
	set_coded(w, HT_SHEET_BASIS, "basis");
	if (open.len > 0)
		set(w, HT_SHEET_OPEN,
		    ht_slice_str(ht_slice_is(open, "true") ? "是" : "否"));
	set(w, HT_SHEET_OPEN_CONDITIONS, AT(w, "entry", "open-conditions"));
	set(w, HT_SHEET_CYCLE, AT(w, "cycle", "zh"));
	set(w, HT_SHEET_PUBLISHED, AT(w, "entry", "published"));
	set_related(w);
	set(w, HT_SHEET_NAME, ht_slice_str(item->name));
	ht_buf_fmt(&w->row->cells[HT_SHEET_VERSION], "%u", item->version);
}

/* ---- a field's cells ---- */

/* The field's schema, or what its $ref names under $defs. */
static const json_t *
schema_of(const json_t *record, const char *name)
{
	const json_t *is =
	    json_object_get(json_object_get(record, "properties"), name);
	const char *ref = json_string_value(json_object_get(is, "$ref"));
	const json_t *def = NULL;

	if (ref != NULL && strncmp(ref, "#/$defs/", 8) == 0)
		def =
		    json_object_get(json_object_get(record, "$defs"), ref + 8);
	return def != NULL ? def : is;
}

static const char *
text_of(const json_t *schema, const char *key)
{
	const char *text = json_string_value(json_object_get(schema, key));

	return text != NULL ? text : "";
}

#define WHOLE   "^(0|[1-9][0-9]{0,%u})$%n"
#define DECIMAL "^(0|[1-9][0-9]{0,%u})([.][0-9]{1,%u})?$%n"

/* "18,6" or "18" of the pattern that a draft has for decimals. */
static bool
is_decimal(const char *pattern, unsigned *ret_p, unsigned *ret_s)
{
	int end = 0;

	*ret_s = 0;
	if (sscanf(pattern, WHOLE, ret_p, &end) == 1 && end > 0 &&
	    pattern[end] == '\0') {
		*ret_p += 1;
		return true;
	}
	end = 0;
	if (sscanf(pattern, DECIMAL, ret_p, ret_s, &end) != 2 || end == 0 ||
	    pattern[end] != '\0')
		return false;
	*ret_p += 1 + *ret_s;
	return true;
}

static void
set_type(struct writing *w, const json_t *schema)
{
	struct ht_buf *type = &w->row->cells[HT_SHEET_TYPE];
	struct ht_buf *length = &w->row->cells[HT_SHEET_LENGTH];
	const char *is = text_of(schema, "type");
	const char *format = text_of(schema, "format");
	const json_t *bytes = json_object_get(schema, "x-bytes");
	unsigned p, s;

	if (strcmp(is, "integer") == 0)
		ht_buf_str(type, "整型I");
	else if (strcmp(is, "number") == 0)
		ht_buf_str(type, "双精度型B");
	else if (strcmp(is, "boolean") == 0)
		ht_buf_str(type, "逻辑型L");
	else if (strcmp(is, "array") == 0)
		ht_buf_str(type, "数组A");
	else if (strcmp(is, "object") == 0)
		ht_buf_str(type, "对象O");
	else if (strcmp(format, "date") == 0)
		ht_buf_str(type, "日期型D");
	else if (strcmp(format, "date-time") == 0)
		ht_buf_str(type, "日期时间型T");
	else if (is_decimal(text_of(schema, "pattern"), &p, &s)) {
		ht_buf_str(type, "数值型N");
		ht_buf_fmt(length, "%u", p);
		if (s > 0)
			ht_buf_fmt(length, ",%u", s);
	} else {
		ht_buf_str(type, "字符型C");
		if (json_is_integer(bytes))
			ht_buf_fmt(length, "%lld",
			    (long long)json_integer_value(bytes));
	}
}

static bool
lists(const json_t *list, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (json_is_string(one) &&
		    strcmp(json_string_value(one), name) == 0)
			return true;
	}
	return false;
}

static void
set_field(struct writing *w, size_t i)
{
	const struct ht_schema *schema = w->law.item->record;
	const json_t *record = ht_schema_json(schema);
	const char *name = ht_schema_field(schema, i);
	const char *title = ht_schema_field_title(schema, i);

	set(w, HT_SHEET_FIELD, ht_slice_str(name));
	set(w, HT_SHEET_FIELD_TITLE, ht_slice_str(title != NULL ? title : ""));
	set_type(w, schema_of(record, name));
	ht_buf_fmt(&w->row->cells[HT_SHEET_LEVEL], "%d",
	    ht_schema_field_level(schema, i));
	set(w, HT_SHEET_REQUIRED,
	    ht_slice_str(lists(json_object_get(record, "required"), name)
	                     ? "是"
	                     : "否"));
	set(w, HT_SHEET_PARAM,
	    ht_slice_str(ht_schema_field_index(w->law.item->request, name) >= 0
	                     ? "是"
	                     : "否"));
}

enum ht_err
ht_sheet_row(const struct ht_doc *doc, size_t field, struct ht_doc *const *docs,
    size_t n, struct ht_sheet_row *ret)
{
	struct writing w = {.row = ret};
	struct ht_rules none = {NULL, NULL};
	enum ht_err err = ht_law_open(&w.law, doc, &none);

	for (size_t i = 0; i < HT_SHEET_COLUMNS; i++) {
		ret->cells[i].max = HT_CSV_CELL;
		ht_buf_reset(&ret->cells[i]);
	}
	if (err == HT_OK) {
		set_item(&w, docs, n);
		set_field(&w, field);
	}
	for (size_t i = 0; i < HT_SHEET_COLUMNS && err == HT_OK; i++)
		err = ret->cells[i].err;
	ht_law_close(&w.law);
	return err;
}

enum ht_err
ht_sheet_write(struct ht_doc *const *docs, size_t n, struct ht_buf *out)
{
	HT_AUTO(ht_sheet_row_fini) struct ht_sheet_row row = {{{0}}};
	struct ht_slice cells[HT_SHEET_COLUMNS];
	enum ht_err err = HT_OK;

	for (size_t c = 0; c < HT_SHEET_COLUMNS; c++)
		cells[c] = ht_slice_str(ht_sheet_titles[c]);
	ht_csv_sheet_row(out, cells, HT_SHEET_COLUMNS);
	for (size_t i = 0; i < n && err == HT_OK; i++) {
		if (docs[i]->kind != HT_DOC_ITEM)
			continue;
		for (size_t f = 0; f < ht_schema_fields(docs[i]->item->record);
		     f++) {
			err = ht_sheet_row(docs[i], f, docs, n, &row);
			if (err != HT_OK)
				break;
			for (size_t c = 0; c < HT_SHEET_COLUMNS; c++)
				cells[c] = ht_buf_slice(&row.cells[c]);
			ht_csv_sheet_row(out, cells, HT_SHEET_COLUMNS);
		}
	}
	return err == HT_OK ? out->err : err;
}
