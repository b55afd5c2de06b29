/*
 * calendar.h -- working days and calendar days, and terms counted in them
 * (docs/applications.md, "Terms").
 *
 * Working days are not weekdays: which days are free and which weekend is
 * worked is said anew for each year, in a file.  Nothing is guessed for a year
 * that is not in it.
 */
#ifndef HT_SCHEMAS_CALENDAR_H
#define HT_SCHEMAS_CALENDAR_H

#include "lib/base/bytes.h"
#include "lib/base/report.h"

#define HT_YEARS_MAX     50  /* of one file: a working life of an officer */
#define HT_YEAR_DAYS_MAX 366 /* listed days of one year */
#define HT_TERM_DAYS_MAX 3660

enum ht_days { HT_DAYS_WORKING, HT_DAYS_CALENDAR };

struct ht_term {
	uint32_t days;
	enum ht_days of;
};

enum ht_term_for {
	HT_TERM_UNCONDITIONAL,
	HT_TERM_CONDITIONAL,
	HT_TERM_EXTENSION,
	HT_TERM_SUPPLY,
	HT_TERM_REMIND,
	HT_TERMS
};

struct ht_calendar;

/*
 * Read a calendar file; every mistake goes to @report.  @name stands in what
 * is said of it later, too.
 * Errors: HT_EMALFORMED, HT_EINVALID, HT_ETOOBIG with findings; HT_ENOMEM.
 */
enum ht_err ht_calendar_parse(struct ht_slice text, const char *name,
    struct ht_report *report, struct ht_calendar **ret) HT_MUST_USE;
/* The same from a file; also HT_ENOTFOUND, HT_ESYSTEM. */
enum ht_err ht_calendar_load(const char *path, struct ht_report *report,
    struct ht_calendar **ret) HT_MUST_USE;
void ht_calendar_free(struct ht_calendar **calendar_p);

/* Without a calendar (NULL) those that hold where it says nothing. */
struct ht_term ht_calendar_term(
    const struct ht_calendar *calendar, enum ht_term_for what);

/* The first moment of the day after the one that holds @ms, in its zone. */
uint64_t ht_calendar_day_end(const struct ht_calendar *calendar, uint64_t ms);
/*
 * The first moment after a term that begins at @from_ms: that day does not
 * count, and the last one counts to its end.  A term that follows on another
 * one begins at the last millisecond of that, one before its due moment.
 * Errors: HT_EINVALID, with a finding that names the missing year.
 */
enum ht_err ht_calendar_due(const struct ht_calendar *calendar,
    uint64_t from_ms, struct ht_term term, struct ht_report *report,
    uint64_t *ret_ms) HT_MUST_USE;
/* The first moment of the day so many days before the one that @due_ms ends. */
enum ht_err ht_calendar_before(const struct ht_calendar *calendar,
    uint64_t due_ms, struct ht_term term, struct ht_report *report,
    uint64_t *ret_ms) HT_MUST_USE;

/* "2026-11-24", in the calendar's zone: the last day of what ends at @end_ms */
void ht_calendar_last_day(
    const struct ht_calendar *calendar, uint64_t end_ms, char out[static 11]);
/* "2026-11-24 09:02", in the calendar's zone. */
void ht_calendar_text(
    const struct ht_calendar *calendar, uint64_t ms, char out[static 17]);

#endif
