/*
 * report.c -- hutong-audit report: a month, by department and item: how much
 * was asked, refused and why, and how fast the answers came against what the
 * catalog promises.
 *
 * Each record counts on both sides: in a row of who serves, and in one of who
 * asks.  Time is the log's, from the request's entry to the answer's.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/cli/count.h"
#include "broker/cli/spread.h"
#include "broker/log/period.h"
#include "schemas/status.h"

#define REASONS 24 /* kinds of refusal told apart in one row; then "others" */

enum side { SERVES, ASKS };

struct reason {
	uint16_t status;
	uint64_t n;
};

struct group {
	uint64_t requests, answered, declined, failed, refused, expired, late;
	uint64_t over;          /* the promise */
	uint64_t promise_ms;    /* of the last entry */
	struct ht_spread times; /* us */
	size_t n_reasons;
	struct reason reasons[REASONS];
	uint64_t others;
	uint64_t counted; /* refusals that stand in REFUSALS */
};

struct report {
	struct ht_count count;
	struct ht_slice member; /* empty: all */
	struct ht_map *open;    /* requests by seq: their time */
	struct ht_buf key;
};

/* ---- requests that wait for their answer ---- */

static enum ht_err
open_request(struct report *r, const struct ht_entry *e)
{
	uint8_t key[8];

	ht_be64(key, e->seq);
	return ht_map_put(r->open, HT_SLICE(key, sizeof(key)),
	    (void *)(uintptr_t)e->time_us, NULL);
}

/* When the request that a row cites was made; 0: nobody knows. */
static uint64_t
close_request(struct report *r, const struct ht_row *row)
{
	struct ht_entry cited;
	uint8_t key[8];

	if (row->entry.cites == 0)
		return 0;
	if (row->cited.len > 0)
		return ht_entry_decode(row->cited, &cited) == HT_OK
		           ? cited.time_us
		           : 0;
	ht_be64(key, row->entry.cites - 1);
	return (uint64_t)(uintptr_t)ht_map_del(
	    r->open, HT_SLICE(key, sizeof(key)));
}

/* ---- counting ---- */

static void
add_reason(struct group *g, unsigned status)
{
	size_t i = 0;

	while (i < g->n_reasons && g->reasons[i].status != status)
		i++;
	if (i == REASONS) {
		g->others++;
		return;
	}
	if (i == g->n_reasons)
		g->reasons[g->n_reasons++].status = (uint16_t)status;
	g->reasons[i].n++;
}

static void
add_answer(struct group *g, const struct ht_row *row, const struct ht_header *h,
    uint64_t asked_us, uint64_t promise_ms)
{
	uint64_t us;

	g->answered += h->status == HT_ANSWER_ANSWERED;
	g->declined += h->status == HT_ANSWER_REFUSED;
	g->failed += h->status == HT_ANSWER_FAILED;
	if (asked_us == 0 || row->entry.time_us < asked_us)
		return;
	us = row->entry.time_us - asked_us;
	ht_spread_add(&g->times, us);
	g->over += promise_ms > 0 && us > promise_ms * 1000;
}

/* {"count", "from", "member"} */
static bool
take_refusals(const struct ht_entry *e, uint64_t *ret_n, struct ht_slice *ret)
{
	struct ht_unpack u;

	if (ht_pack_check(e->payload, NULL, NULL) != HT_OK)
		return false;
	u = ht_unpack(e->payload);
	(void)ht_unpack_map(&u, 3);
	(void)ht_unpack_str(&u, 16);
	*ret_n = ht_unpack_uint(&u, UINT64_MAX);
	(void)ht_unpack_str(&u, 16);
	(void)ht_unpack_uint(&u, UINT64_MAX);
	(void)ht_unpack_str(&u, 16);
	*ret = ht_unpack_str(&u, HT_NAME_MAX);
	return ht_unpack_end(&u) == HT_OK;
}

static void
add_entry(struct group *g, const struct ht_row *row, const struct ht_about *a,
    uint64_t asked_us, uint64_t promise_ms, uint64_t counted)
{
	switch (row->entry.type) {
	case HT_ENTRY_REQUEST:
		g->requests++;
		break;
	case HT_ENTRY_RESPONSE:
		add_answer(g, row, &a->header, asked_us, promise_ms);
		break;
	case HT_ENTRY_REJECT:
	case HT_ENTRY_CONFLICT:
		g->refused++;
		add_reason(g, row->entry.status);
		break;
	case HT_ENTRY_REFUSALS:
		g->refused += counted;
		g->counted += counted;
		break;
	case HT_ENTRY_EXPIRED:
		g->expired++;
		break;
	default:
		g->late++;
		break;
	}
}

/* Of the version that was asked for, if the documents have it. */
static uint64_t
promise(struct report *r, const struct ht_about *a)
{
	struct ht_papers *papers = r->count.papers;
	const struct ht_item *item = NULL;

	if (a->has_header)
		item = ht_papers_item(papers, a->item, a->header.item_version);
	if (item == NULL)
		item = ht_papers_item_newest(papers, a->item);
	return item == NULL ? 0 : item->answer_ms;
}

static enum ht_err
add_side(struct report *r, enum side side, struct ht_slice who,
    const struct ht_row *row, uint64_t asked_us, uint64_t counted)
{
	const struct ht_about *a = &r->count.about;
	struct group *g;
	void *group;
	uint64_t promise_ms;
	enum ht_err err;

	if (who.len == 0 || (r->member.len > 0 && !ht_slice_eq(who, r->member)))
		return HT_OK;
	ht_buf_reset(&r->key);
	ht_buf_u8(&r->key, (uint8_t)('0' + side));
	ht_buf_u8(&r->key, HT_KEY_SEP);
	ht_buf_add(&r->key, who.at, who.len);
	ht_buf_u8(&r->key, HT_KEY_SEP);
	ht_buf_add(&r->key, a->item.at, a->item.len);
	err = r->key.err;
	if (err == HT_OK)
		err = ht_count_group(&r->count, ht_buf_slice(&r->key), &group);
	if (err != HT_OK)
		return err;
	g = group;
	promise_ms = promise(r, a);
	if (promise_ms > 0)
		g->promise_ms = promise_ms;
	add_entry(g, row, a, asked_us, promise_ms, counted);
	return HT_OK;
}

static bool
is_counted(unsigned type)
{
	return type == HT_ENTRY_REQUEST || type == HT_ENTRY_RESPONSE ||
	       type == HT_ENTRY_REJECT || type == HT_ENTRY_CONFLICT ||
	       type == HT_ENTRY_REFUSALS || type == HT_ENTRY_EXPIRED ||
	       type == HT_ENTRY_LATE;
}

static enum ht_err
count_row(struct ht_count *count, const struct ht_row *row)
{
	struct report *r = (struct report *)count;
	const struct ht_entry *e = &row->entry;
	const struct ht_about *a = &count->about;
	struct ht_slice asks = a->sender, serves = a->recipient;
	uint64_t asked_us = 0, counted = 0;
	enum ht_err err = HT_OK;

	if (!is_counted(e->type))
		return HT_OK;
	if (a->has_header && a->header.kind == HT_KIND_RESPONSE) {
		asks = a->recipient;
		serves = a->sender;
	}
	if (e->type == HT_ENTRY_REFUSALS && !take_refusals(e, &counted, &asks))
		return HT_EINTEGRITY;
	if (e->type == HT_ENTRY_REQUEST)
		err = open_request(r, e);
	if (e->type == HT_ENTRY_RESPONSE || e->type == HT_ENTRY_EXPIRED)
		asked_us = close_request(r, row);
	if (e->type == HT_ENTRY_RESPONSE && asked_us == 0)
		count->result.untimed++;
	if (err == HT_OK)
		err = add_side(r, SERVES, serves, row, asked_us, counted);
	if (err == HT_OK)
		err = add_side(r, ASKS, asks, row, asked_us, counted);
	return err;
}

/* ---- printing ---- */

enum {
	COL_SIDE,
	COL_MEMBER,
	COL_NAME,
	COL_ITEM,
	COL_TITLE,
	COL_REQUESTS,
	COL_ANSWERED,
	COL_DECLINED,
	COL_FAILED,
	COL_REFUSED,
	COL_EXPIRED,
	COL_LATE,
	COL_P50,
	COL_P95,
	COL_MAX,
	COL_PROMISE,
	COL_OVER,
	COL_REASONS,
	COLS
};

static const struct ht_grid_column columns[COLS] = {
    {"side",       "side",        "角色",          HT_GRID_TEXT  },
    {"member",     "department",  "部门",          HT_GRID_TEXT  },
    {"name",       "name",        "部门名称",    HT_GRID_TEXT  },
    {"item",       "item",        "事项编码",    HT_GRID_TEXT  },
    {"title",      "title",       "事项名称",    HT_GRID_TEXT  },
    {"requests",   "requests",    "请求",          HT_GRID_NUMBER},
    {"answered",   "answered",    "已应答",       HT_GRID_NUMBER},
    {"declined",   "declined",    "提供方拒绝", HT_GRID_NUMBER},
    {"failed",     "failed",      "失败",          HT_GRID_NUMBER},
    {"refused",    "refused",     "平台拒绝",    HT_GRID_NUMBER},
    {"expired",    "expired",     "超时未答",    HT_GRID_NUMBER},
    {"late",       "too late",    "过期应答",    HT_GRID_NUMBER},
    {"p50_ms",     "p50 ms",      "中位毫秒",    HT_GRID_NUMBER},
    {"p95_ms",     "p95 ms",      "95%毫秒",       HT_GRID_NUMBER},
    {"max_ms",     "max ms",      "最长毫秒",    HT_GRID_NUMBER},
    {"promise_ms", "promised ms", "承诺毫秒",    HT_GRID_NUMBER},
    {"over",       "over",        "超出承诺",    HT_GRID_NUMBER},
    {"reasons",    "refused for", "拒绝原因",    HT_GRID_COUNTS},
};

#define NUMBER_SIZE 24

static struct ht_slice
digits(char text[static NUMBER_SIZE], uint64_t n)
{
	(void)snprintf(text, NUMBER_SIZE, "%llu", (unsigned long long)n);
	return ht_slice_str(text);
}

/* Up, so that no answer looks faster than it was. */
static struct ht_slice
ms(char text[static NUMBER_SIZE], const struct group *g, uint64_t us)
{
	return g->times.n == 0 ? HT_SLICE(NULL, 0)
	                       : digits(text, (us + 999) / 1000);
}

static int
by_number(const void *a, const void *b)
{
	const struct reason *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	return (x->status > y->status) - (x->status < y->status);
}

static void
add_count(struct ht_buf *out, const char *name, uint64_t n)
{
	if (n > 0)
		ht_buf_fmt(out, "%s%s %llu", out->len > 0 ? ", " : "", name,
		    (unsigned long long)n);
}

/* The most frequent first. */
static void
reasons_text(struct group *g, struct ht_buf *out)
{
	qsort(g->reasons, g->n_reasons, sizeof(g->reasons[0]), by_number);
	for (size_t i = 0; i < g->n_reasons; i++)
		add_count(
		    out, ht_status_name(g->reasons[i].status), g->reasons[i].n);
	add_count(out, "BUDGET", g->counted);
	add_count(out, "OTHERS", g->others);
}

static void
set_counts(
    const struct group *g, struct ht_slice *cells, char text[][NUMBER_SIZE])
{
	const uint64_t counts[] = {g->requests, g->answered, g->declined,
	    g->failed, g->refused, g->expired, g->late};

	for (size_t i = 0; i < HT_COUNT(counts); i++)
		cells[COL_REQUESTS + i] =
		    digits(text[COL_REQUESTS + i], counts[i]);
	cells[COL_P50] = ms(text[COL_P50], g, ht_spread_at(&g->times, 500));
	cells[COL_P95] = ms(text[COL_P95], g, ht_spread_at(&g->times, 950));
	cells[COL_MAX] = ms(text[COL_MAX], g, g->times.max);
	cells[COL_PROMISE] = cells[COL_OVER] = HT_SLICE(NULL, 0);
	if (g->promise_ms == 0)
		return;
	cells[COL_PROMISE] = digits(text[COL_PROMISE], g->promise_ms);
	cells[COL_OVER] = digits(text[COL_OVER], g->over);
}

static enum ht_err
print_group(
    struct report *r, struct ht_grid *grid, bool chinese, struct ht_slice key)
{
	static const char *const sides[2][2] = {
	    {"serves", "asks"  },
            {"提供", "请求"}
        };
	HT_AUTO(ht_buf_fini) struct ht_buf reasons = HT_BUF(4096);
	struct group *g = ht_map_get(r->count.groups, key);
	struct ht_slice cells[COLS], part = ht_count_part(&key);
	char text[COLS][NUMBER_SIZE];

	cells[COL_SIDE] = ht_slice_str(sides[chinese][part.at[0] - '0']);
	cells[COL_MEMBER] = ht_count_part(&key);
	cells[COL_NAME] = ht_count_member(&r->count, cells[COL_MEMBER]);
	cells[COL_ITEM] = ht_count_part(&key);
	cells[COL_TITLE] = ht_count_title(&r->count, cells[COL_ITEM]);
	set_counts(g, cells, text);
	reasons_text(g, &reasons);
	cells[COL_REASONS] = ht_buf_slice(&reasons);
	return reasons.err == HT_OK ? ht_grid_row(grid, cells) : reasons.err;
}

static void
print_title(const struct ht_count *c, FILE *out)
{
	char zone[HT_ZONE_SIZE];

	ht_zone_text(c->opts->zone_minutes, zone);
	fprintf(out,
	    c->opts->chinese ? "共享交换情况通报  %s（UTC%s）\n\n"
	                     : "Exchanges in %s (UTC%s)\n\n",
	    c->opts->month, zone);
}

static enum ht_err
print_groups(struct ht_count *count, enum ht_audit_format format, FILE *out)
{
	struct report *r = (struct report *)count;
	HT_AUTO(ht_grid_free) struct ht_grid *grid = NULL;
	HT_AUTO(ht_mem_free) struct ht_slice *keys = NULL;
	bool chinese = count->opts->chinese;
	size_t n = 0;
	enum ht_err err;

	if (format == HT_AUDIT_TABLE)
		print_title(count, out);
	err = ht_grid_new(format, chinese, columns, COLS, out, &grid);
	if (err == HT_OK)
		err = ht_count_keys(count, &keys, &n);
	/* Programs read the same words in every language. */
	for (size_t i = 0; i < n && err == HT_OK; i++)
		err = print_group(
		    r, grid, chinese && format != HT_AUDIT_JSONL, keys[i]);
	return err == HT_OK ? ht_grid_end(grid) : err;
}

/* ---- the verb ---- */

int
ht_count_report(const struct ht_audit_opts *opts,
    const struct ht_count_file *file, const struct ht_audit_faith *faith)
{
	static struct report r;
	struct ht_audit_opts o = *opts;
	struct ht_filter *f = &o.query.filter;
	int code;

	r = (struct report){
	    .count = {.opts = &o,
	              .file = file,
	              .faith = faith,
	              .group_size = sizeof(struct group),
	              .each = count_row,
	              .print = print_groups},
	    .member = f->member
        };
	if (ht_month_parse(o.month, o.zone_minutes, &f->from_us, &f->to_us) !=
	    HT_OK) {
		ht_audit_say(
		    "--month: '%s' is no month such as 2026-03", o.month);
		return HT_AUDIT_USAGE;
	}
	/* REFUSALS name their member inside, where no filter looks. */
	r.count.filter = *f;
	r.count.filter.member = HT_SLICE(NULL, 0);
	r.key = HT_BUF(4 * HT_NAME_MAX);
	r.open = ht_map_new();
	if (r.open == NULL) {
		ht_audit_say("out of memory");
		return HT_AUDIT_GONE;
	}
	code = ht_count_run(&r.count);
	ht_map_free(&r.open, NULL);
	ht_buf_fini(&r.key);
	return code;
}

int
ht_audit_report(const struct ht_audit_opts *opts)
{
	return ht_count_report(opts, NULL, NULL);
}
