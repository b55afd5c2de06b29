/*
 * log.h -- one line a fact, on standard error, for the operator.
 *
 *   2026-11-24T01:02:03Z warn  broker: front restarted pid=712 after=1.2s
 *
 * Programs log; libraries return errors and do not log above debug.  Never a
 * secret, never anything personal.  Control characters are escaped.
 */
#ifndef HT_BASE_LOG_H
#define HT_BASE_LOG_H

enum ht_level { HT_DEBUG, HT_INFO, HT_WARN, HT_ERROR };

/* The program's name in each line, and the lowest level that is printed. */
void ht_log_init(const char *program, enum ht_level level);
void ht_log(enum ht_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
