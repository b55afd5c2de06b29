/*
 * report.h -- every mistake, not the first alone.
 *
 * Checks of what a person wrote (configuration, catalog, requests) add their
 * findings to a report: where, what is wrong, and what to do.
 */
#ifndef HT_BASE_REPORT_H
#define HT_BASE_REPORT_H

#include <stdio.h>

#include "lib/base/err.h"
#include "lib/base/own.h"

#define HT_FINDINGS_MAX 200 /* a screenful or ten; more helps nobody */

struct ht_report;

/* NULL when out of memory; every function below then does nothing. */
struct ht_report *ht_report_new(void);
void ht_report_free(struct ht_report **report_p);

/*
 * Add a finding.  @where is "file:line:column", "/path/in/record" or "".
 * Past HT_FINDINGS_MAX it only counts.
 */
void ht_report_add(struct ht_report *report, const char *where, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));
unsigned ht_report_count(const struct ht_report *report);
/* The i-th finding; borrowed.  i < min(count, HT_FINDINGS_MAX). */
const char *ht_report_where(const struct ht_report *report, unsigned i);
const char *ht_report_text(const struct ht_report *report, unsigned i);
/* "where: text" a line; then "... and N more" if some were only counted. */
void ht_report_print(const struct ht_report *report, FILE *out);

#endif
