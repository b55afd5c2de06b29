/*
 * stats.c -- hutong-audit stats: how many entries of which kind, by what is
 * asked for; the whole period is read, and that it is whole is checked.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/cli/count.h"
#include "broker/log/period.h"
#include "schemas/status.h"

enum field {
	FIELD_PERIOD,
	FIELD_MEMBER,
	FIELD_PEER,
	FIELD_ITEM,
	FIELD_PURPOSE,
	FIELD_OPERATION,
	FIELD_TYPE,
	FIELD_STATUS,
	FIELDS
};

static const struct ht_grid_column field_columns[FIELDS] = {
    [FIELD_PERIOD] = {"period",    "period",    "时段",    HT_GRID_TEXT},
    [FIELD_MEMBER] = {"member",    "from",      "发送方", HT_GRID_TEXT},
    [FIELD_PEER] = {"peer",      "to",        "接收方", HT_GRID_TEXT},
    [FIELD_ITEM] = {"item",      "item",      "事项",    HT_GRID_TEXT},
    [FIELD_PURPOSE] = {"purpose",   "purpose",   "用途",    HT_GRID_TEXT},
    [FIELD_OPERATION] = {"operation", "operation", "操作",    HT_GRID_TEXT},
    [FIELD_TYPE] = {"type",      "type",      "类型",    HT_GRID_TEXT},
    [FIELD_STATUS] = {"status",    "status",    "状态",    HT_GRID_TEXT},
};

static const struct ht_grid_column count_columns[] = {
    {"entries",  "entries",  "记录数", HT_GRID_NUMBER},
    {"requests", "requests", "请求",    HT_GRID_NUMBER},
    {"answers",  "answers",  "应答",    HT_GRID_NUMBER},
    {"refused",  "refused",  "拒绝",    HT_GRID_NUMBER},
    {"expired",  "expired",  "超时",    HT_GRID_NUMBER},
    {"late",     "too late", "迟到",    HT_GRID_NUMBER},
};
#define COUNTS  HT_COUNT(count_columns)
#define COLUMNS (FIELDS + 3 + COUNTS) /* three of the fields have names */

struct group {
	uint64_t counts[COUNTS];
};

struct stats {
	struct ht_count count;
	enum field fields[FIELDS];
	size_t n;
	size_t period_len; /* of a day's text; 0: no period */
	struct ht_buf key;
};

/* ---- counting ---- */

static struct ht_slice
value(const struct stats *s, enum field field, const struct ht_entry *e,
    const char day[static HT_DAY_SIZE])
{
	const struct ht_about *a = &s->count.about;

	switch (field) {
	case FIELD_PERIOD:
		return HT_SLICE(day, s->period_len);
	case FIELD_MEMBER:
		return a->sender;
	case FIELD_PEER:
		return a->recipient;
	case FIELD_ITEM:
		return a->item;
	case FIELD_PURPOSE:
		return a->purpose;
	case FIELD_OPERATION:
		return a->operation == 0
		           ? HT_SLICE(NULL, 0)
		           : ht_slice_str(ht_operation_text(a->operation));
	case FIELD_TYPE:
		return ht_slice_str(ht_entry_type_text(e->type));
	default:
		return ht_slice_str(ht_audit_status(e, a));
	}
}

static enum ht_err
count_row(struct ht_count *count, const struct ht_row *row)
{
	struct stats *s = (struct stats *)count;
	const struct ht_entry *e = &row->entry;
	char day[HT_DAY_SIZE];
	struct group *g;
	void *group;
	enum ht_err err;

	ht_day_text(e->time_us, count->opts->zone_minutes, day);
	ht_buf_reset(&s->key);
	for (size_t i = 0; i < s->n; i++) {
		struct ht_slice part = value(s, s->fields[i], e, day);

		if (i > 0)
			ht_buf_u8(&s->key, HT_KEY_SEP);
		ht_buf_add(&s->key, part.at, part.len);
	}
	err = s->key.err;
	if (err == HT_OK)
		err = ht_count_group(count, ht_buf_slice(&s->key), &group);
	if (err != HT_OK)
		return err;
	g = group;
	g->counts[0]++;
	g->counts[1] += e->type == HT_ENTRY_REQUEST;
	g->counts[2] += e->type == HT_ENTRY_RESPONSE;
	g->counts[3] += ht_entry_refused(e, &count->about);
	g->counts[4] += e->type == HT_ENTRY_EXPIRED;
	g->counts[5] += e->type == HT_ENTRY_LATE;
	return HT_OK;
}

/* ---- printing ---- */

/* A name stands behind what it names, where the documents say it. */
static const struct ht_grid_column *
name_of(const struct stats *s, enum field field)
{
	static const struct ht_grid_column names[FIELDS] = {
	    [FIELD_MEMBER] = {"member_name", "name",  "发送方名称",
	                      HT_GRID_TEXT	                                   },
	    [FIELD_PEER] = {"peer_name",   "name",  "接收方名称", HT_GRID_TEXT},
	    [FIELD_ITEM] = {"title",       "title", "事项名称",    HT_GRID_TEXT},
	};

	return ht_papers_snapshot(s->count.papers) != NULL &&
	               names[field].key != NULL
	           ? &names[field]
	           : NULL;
}

static size_t
set_columns(const struct stats *s, struct ht_grid_column *columns)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct ht_grid_column *name = name_of(s, s->fields[i]);

		columns[n++] = field_columns[s->fields[i]];
		if (name != NULL)
			columns[n++] = *name;
	}
	memcpy(columns + n, count_columns, sizeof(count_columns));
	return n + COUNTS;
}

static enum ht_err
print_group(struct stats *s, struct ht_grid *grid, struct ht_slice key)
{
	const struct group *g = ht_map_get(s->count.groups, key);
	struct ht_slice cells[COLUMNS];
	char text[COUNTS][24];
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct ht_slice part = ht_count_part(&key);

		cells[n++] = part;
		if (name_of(s, s->fields[i]) != NULL)
			cells[n++] = s->fields[i] == FIELD_ITEM
			                 ? ht_count_title(&s->count, part)
			                 : ht_count_member(&s->count, part);
	}
	for (size_t i = 0; i < COUNTS; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "%llu",
		    (unsigned long long)g->counts[i]);
		cells[n++] = ht_slice_str(text[i]);
	}
	return ht_grid_row(grid, cells);
}

static enum ht_err
print_groups(struct ht_count *count, enum ht_audit_format format, FILE *out)
{
	struct stats *s = (struct stats *)count;
	struct ht_grid_column columns[COLUMNS];
	HT_AUTO(ht_grid_free) struct ht_grid *grid = NULL;
	HT_AUTO(ht_mem_free) struct ht_slice *keys = NULL;
	size_t n = 0;
	enum ht_err err = ht_grid_new(format, count->opts->chinese, columns,
	    set_columns(s, columns), out, &grid);

	if (err == HT_OK)
		err = ht_count_keys(count, &keys, &n);
	for (size_t i = 0; i < n && err == HT_OK; i++)
		err = print_group(s, grid, keys[i]);
	return err == HT_OK ? ht_grid_end(grid) : err;
}

/* ---- the verb ---- */

static bool
take_field(struct stats *s, struct ht_slice name)
{
	for (unsigned f = FIELD_MEMBER; f < FIELDS; f++) {
		if (!ht_slice_is(name, field_columns[f].key))
			continue;
		for (size_t i = 0; i < s->n; i++)
			if (s->fields[i] == f)
				return false;
		s->fields[s->n++] = (enum field)f;
		return true;
	}
	return false;
}

/* "member,item" */
static bool
take_fields(struct stats *s, const char *by)
{
	const char *at = by;

	while (at != NULL) {
		const char *comma = strchr(at, ',');
		size_t len = comma == NULL ? strlen(at) : (size_t)(comma - at);

		if (!take_field(s, HT_SLICE(at, len)))
			return false;
		at = comma == NULL ? NULL : comma + 1;
	}
	return true;
}

int
ht_count_stats(const struct ht_audit_opts *opts,
    const struct ht_count_file *file, const struct ht_audit_faith *faith)
{
	static struct stats s;
	int code;

	s = (struct stats){
	    .count = {.opts = opts,
	              .file = file,
	              .faith = faith,
	              .filter = opts->query.filter,
	              .group_size = sizeof(struct group),
	              .each = count_row,
	              .print = print_groups}
        };
	s.key = HT_BUF(16 * HT_NAME_MAX);
	if (opts->period != NULL) {
		s.fields[s.n++] = FIELD_PERIOD;
		s.period_len = strcmp(opts->period, "month") == 0
		                   ? HT_MONTH_LEN
		                   : HT_DAY_SIZE - 1;
	}
	if (opts->by != NULL && !take_fields(&s, opts->by)) {
		ht_audit_say("--by: '%s' is not a list of member, peer, item, "
		             "purpose, operation, type, status, each once",
		    opts->by);
		return HT_AUDIT_USAGE;
	}
	if (s.n == 0)
		s.fields[s.n++] = FIELD_TYPE;
	code = ht_count_run(&s.count);
	ht_buf_fini(&s.key);
	return code;
}

int
ht_audit_stats(const struct ht_audit_opts *opts)
{
	return ht_count_stats(opts, NULL, NULL);
}
