#include "schemas/calendar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/conf/conf.h"

#define DAY_MS   UINT64_C(86400000)
#define TEXT_MAX 300 /* of a notice, a file's name */
#define CAL_MAX  (256 * 1024)

/* A day is its number since 1970-01-01, a Thursday. */
static bool
is_weekend(uint64_t day)
{
	return day % 7 == 2 || day % 7 == 3;
}

struct year {
	uint64_t year;
	uint64_t first; /* 1 January */
	uint64_t end;   /* the next one's */
	bool works[366];
	bool listed[366];
};

struct ht_calendar {
	char name[TEXT_MAX];
	int64_t zone_ms;
	struct ht_term terms[HT_TERMS];
	size_t n;
	struct year *years;
};

/* ---- days ---- */

static uint64_t
day_at(const struct ht_calendar *c, uint64_t ms)
{
	return (uint64_t)((int64_t)ms + c->zone_ms) / DAY_MS;
}

static uint64_t
start_of(const struct ht_calendar *c, uint64_t day)
{
	return (uint64_t)((int64_t)(day * DAY_MS) - c->zone_ms);
}

static bool
parse_day(struct ht_slice text, uint64_t *ret)
{
	uint64_t us;

	if (text.len != 10 || ht_time_parse(text, &us) != HT_OK)
		return false;
	*ret = us / 1000 / DAY_MS;
	return true;
}

static void
day_text(uint64_t day, char out[static 11])
{
	char text[HT_TIME_SIZE];

	ht_time_text(text, day * DAY_MS * 1000);
	(void)snprintf(out, 11, "%.10s", text);
}

/* ---- reading ---- */

static const struct ht_word kinds[] = {
    {"working",  HT_DAYS_WORKING },
    {"calendar", HT_DAYS_CALENDAR},
    {NULL,       0               },
};

static void
read_terms(struct ht_yaml *map, struct ht_calendar *c)
{
	static const char *const names[HT_TERMS] = {
	    [HT_TERM_UNCONDITIONAL] = "unconditional",
	    [HT_TERM_CONDITIONAL] = "conditional",
	    [HT_TERM_EXTENSION] = "extension",
	    [HT_TERM_SUPPLY] = "supply",
	    [HT_TERM_REMIND] = "remind",
	};

	for (size_t i = 0; i < HT_TERMS; i++) {
		struct ht_yaml *term =
		    ht_yaml_as_map(ht_yaml_get(map, names[i]));
		uint64_t days = c->terms[i].days;
		int of = (int)c->terms[i].of;

		if (term == NULL)
			continue;
		ht_yaml_as_u64(
		    ht_yaml_need(term, "days"), 0, HT_TERM_DAYS_MAX, &days);
		ht_yaml_as_word(ht_yaml_need(term, "of"), kinds, &of);
		c->terms[i] =
		    (struct ht_term){(uint32_t)days, (enum ht_days)of};
	}
}

/* "2026-01-01", or "2026-02-16..2026-02-22". */
static bool
read_days(struct ht_yaml *at, uint64_t *ret_from, uint64_t *ret_to)
{
	struct ht_slice text;
	const char *word;

	if (!ht_yaml_as_str(at, 22, &word))
		return false;
	text = ht_slice_str(word);
	if (parse_day(text, ret_from)) {
		*ret_to = *ret_from;
		return true;
	}
	if (text.len == 22 && memcmp(text.at + 10, "..", 2) == 0 &&
	    parse_day(HT_SLICE(text.at, 10), ret_from) &&
	    parse_day(HT_SLICE(text.at + 12, 10), ret_to) &&
	    *ret_from < *ret_to)
		return true;
	ht_yaml_complain(at,
	    "a day is expected, like 2026-01-01, or days from one to a later "
	    "one, like 2026-02-16..2026-02-22");
	return false;
}

static void
list_day(struct ht_yaml *at, struct year *y, uint64_t day, bool works)
{
	char text[11];

	day_text(day, text);
	if (day < y->first || day >= y->end)
		ht_yaml_complain(at, "%s is not of the year %llu", text,
		    (unsigned long long)y->year);
	else if (y->listed[day - y->first])
		ht_yaml_complain(at, "%s stands here twice", text);
	else if (works && !is_weekend(day))
		ht_yaml_complain(at,
		    "%s is no Saturday or Sunday: it is worked unless it is a "
		    "holiday",
		    text);
	else {
		y->listed[day - y->first] = true;
		y->works[day - y->first] = works;
	}
}

static void
list_days(struct ht_yaml *list, struct year *y, bool works)
{
	size_t n = ht_yaml_count(ht_yaml_as_list(list));
	uint64_t from, to;

	for (size_t i = 0; i < n; i++) {
		struct ht_yaml *at = ht_yaml_at(list, i);

		if (!read_days(at, &from, &to))
			continue;
		if (to - from > HT_YEAR_DAYS_MAX)
			ht_yaml_complain(at, "this is longer than a year");
		else
			for (uint64_t day = from; day <= to; day++)
				list_day(at, y, day, works);
	}
}

static bool
first_day(uint64_t year, uint64_t *ret)
{
	char text[24];

	(void)snprintf(
	    text, sizeof(text), "%04llu-01-01", (unsigned long long)year);
	return parse_day(ht_slice_str(text), ret);
}

static void
read_year(struct ht_yaml *map, struct ht_calendar *c)
{
	struct ht_yaml *at = ht_yaml_need(map, "year");
	struct year *y = &c->years[c->n];
	const char *notice;

	if (!ht_yaml_as_u64(at, 1970, 9998, &y->year) ||
	    !first_day(y->year, &y->first) ||
	    !first_day(y->year + 1, &y->end)) {
		ht_yaml_take(map);
		return;
	}
	for (size_t i = 0; i < c->n; i++)
		if (c->years[i].year == y->year)
			ht_yaml_complain(at, "the year stands here twice");
	for (uint64_t day = y->first; day < y->end; day++)
		y->works[day - y->first] = !is_weekend(day);
	/* Whoever doubts a day must know where to look. */
	(void)ht_yaml_as_str(ht_yaml_need(map, "notice"), TEXT_MAX, &notice);
	list_days(ht_yaml_need(map, "holidays"), y, false);
	list_days(ht_yaml_get(map, "workdays"), y, true);
	c->n++;
}

static enum ht_err
read_years(struct ht_yaml *list, struct ht_calendar *c)
{
	size_t n = ht_yaml_count(ht_yaml_as_list(list));

	if (n > HT_YEARS_MAX) {
		ht_yaml_complain(list, "at most %d years", HT_YEARS_MAX);
		ht_yaml_take(list);
		return HT_OK;
	}
	c->years = calloc(n + 1, sizeof(*c->years));
	if (c->years == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; ht_yaml_as_list(list) != NULL && i < n; i++)
		read_year(ht_yaml_at(list, i), c);
	return HT_OK;
}

/* 政务数据共享条例, articles 21 and 22; the last is our own. */
static const struct ht_term defaults[HT_TERMS] = {
    [HT_TERM_UNCONDITIONAL] = {1,  HT_DAYS_WORKING},
    [HT_TERM_CONDITIONAL] = {10, HT_DAYS_WORKING},
    [HT_TERM_EXTENSION] = {10, HT_DAYS_WORKING},
    [HT_TERM_SUPPLY] = {20, HT_DAYS_WORKING},
    [HT_TERM_REMIND] = {2,  HT_DAYS_WORKING},
};

enum ht_err
ht_calendar_parse(struct ht_slice text, const char *name,
    struct ht_report *report, struct ht_calendar **ret)
{
	static const struct ht_word labels[] = {
	    {"calendar/v1", 1},
	    {NULL,          0},
	};
	HT_AUTO(ht_conf_free) struct ht_conf *conf = NULL;
	HT_AUTO(ht_calendar_free) struct ht_calendar *c = NULL;
	struct ht_yaml *top;
	int label;
	enum ht_err err = ht_conf_parse(text, name, report, &conf);

	if (err != HT_OK)
		return err;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return HT_ENOMEM;
	(void)snprintf(c->name, sizeof(c->name), "%s", name);
	memcpy(c->terms, defaults, sizeof(defaults));
	top = ht_yaml_as_map(ht_conf_root(conf));
	ht_yaml_as_word(ht_yaml_need(top, "hutong"), labels, &label);
	(void)ht_yaml_as_zone(ht_yaml_need(top, "zone"), &c->zone_ms);
	read_terms(ht_yaml_get(top, "terms"), c);
	err = read_years(ht_yaml_need(top, "years"), c);
	if (err == HT_OK)
		err = ht_conf_done(conf);
	if (err == HT_OK)
		*ret = HT_TAKE(c);
	return err;
}

enum ht_err
ht_calendar_load(
    const char *path, struct ht_report *report, struct ht_calendar **ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(CAL_MAX);
	enum ht_err err = ht_fs_read(path, &text);

	if (err == HT_OK)
		return ht_calendar_parse(
		    ht_buf_slice(&text), path, report, ret);
	ht_report_add(report, path,
	    "the calendar file cannot be read: %s; docs/applications.md says "
	    "what stands in it",
	    ht_err_text(err));
	return err;
}

void
ht_calendar_free(struct ht_calendar **calendar_p)
{
	struct ht_calendar *c = *calendar_p;

	if (c == NULL)
		return;
	*calendar_p = NULL;
	free(c->years);
	free(c);
}

struct ht_term
ht_calendar_term(const struct ht_calendar *c, enum ht_term_for what)
{
	return c != NULL ? c->terms[what] : defaults[what];
}

/* ---- counting ---- */

static enum ht_err
does_work(const struct ht_calendar *c, uint64_t day, struct ht_report *report,
    bool *ret)
{
	char text[11];

	for (size_t i = 0; i < c->n; i++) {
		const struct year *y = &c->years[i];

		if (day < y->first || day >= y->end)
			continue;
		*ret = y->works[day - y->first];
		return HT_OK;
	}
	day_text(day, text);
	ht_report_add(report, c->name,
	    "it does not say whether %s is worked: add the year %.4s under "
	    "'years', with the holidays and workdays of that year's notice",
	    text, text);
	return HT_EINVALID;
}

/* Step over @n days that count, forwards or back. */
static enum ht_err
step(const struct ht_calendar *c, struct ht_term term, int by,
    struct ht_report *report, uint64_t *day)
{
	uint32_t left = term.days;
	enum ht_err err = HT_OK;

	while (left > 0 && err == HT_OK) {
		bool counts = true;

		*day += (uint64_t)(int64_t)by;
		if (term.of == HT_DAYS_WORKING)
			err = does_work(c, *day, report, &counts);
		left -= counts;
	}
	return err;
}

uint64_t
ht_calendar_day_end(const struct ht_calendar *c, uint64_t ms)
{
	return start_of(c, day_at(c, ms) + 1);
}

enum ht_err
ht_calendar_due(const struct ht_calendar *c, uint64_t from_ms,
    struct ht_term term, struct ht_report *report, uint64_t *ret_ms)
{
	uint64_t day = day_at(c, from_ms);
	enum ht_err err = step(c, term, 1, report, &day);

	if (err == HT_OK)
		*ret_ms = start_of(c, day + 1);
	return err;
}

enum ht_err
ht_calendar_before(const struct ht_calendar *c, uint64_t due_ms,
    struct ht_term term, struct ht_report *report, uint64_t *ret_ms)
{
	uint64_t day = day_at(c, due_ms - 1);
	enum ht_err err = step(c, term, -1, report, &day);

	if (err == HT_OK)
		*ret_ms = start_of(c, day);
	return err;
}

void
ht_calendar_last_day(
    const struct ht_calendar *c, uint64_t end_ms, char out[static 11])
{
	day_text(day_at(c, end_ms - 1), out);
}

void
ht_calendar_text(const struct ht_calendar *c, uint64_t ms, char out[static 17])
{
	char text[HT_TIME_SIZE];

	ht_time_text(text, (uint64_t)((int64_t)ms + c->zone_ms) * 1000);
	(void)snprintf(out, 17, "%.10s %.5s", text, text + 11);
}
