/*
 * A calendar may be anything.  What is read counts forwards and back to the
 * same day, or says which year is missing; what is refused has a finding.
 */
#include "lib/base/panic.h"
#include "schemas/calendar.h"
#include "tests/fuzz/fuzz.h"

#define FROM_MS UINT64_C(1926000000000) /* 2031-01-12 */

static void
try_term(const struct ht_calendar *c, struct ht_term term)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	uint64_t due_ms = 0, back_ms = 0;
	char day[11], text[17];

	if (ht_calendar_due(c, FROM_MS, term, report, &due_ms) != HT_OK) {
		HT_ASSERT(ht_report_count(report) == 1);
		return;
	}
	HT_ASSERT(due_ms > FROM_MS);
	HT_ASSERT(due_ms == ht_calendar_day_end(c, due_ms - 1));
	ht_calendar_last_day(c, due_ms, day);
	ht_calendar_text(c, due_ms, text);
	if (ht_calendar_before(c, due_ms, term, report, &back_ms) == HT_OK)
		HT_ASSERT(back_ms < due_ms);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_calendar_free) struct ht_calendar *c = NULL;

	if (ht_calendar_parse(HT_SLICE(in, in_len), "in", report, &c) !=
	    HT_OK) {
		HT_ASSERT(c == NULL && ht_report_count(report) > 0);
		return 0;
	}
	for (enum ht_term_for i = 0; i < HT_TERMS; i++)
		try_term(c, ht_calendar_term(c, i));
	try_term(c, (struct ht_term){HT_TERM_DAYS_MAX, HT_DAYS_WORKING});
	return 0;
}
