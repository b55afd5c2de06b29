/*
 * bench.h -- what is measured beside the exchanges: one source each.
 */
#ifndef HT_TESTS_BENCH_H
#define HT_TESTS_BENCH_H

#include <time.h>

#include "lib/base/err.h"

struct ht_key;

/* What a clock says, in seconds. */
double bench_seconds(clockid_t clock);
/* End the program if that did not go well. */
void bench_must(enum ht_err err, const char *doing);

/*
 * append.c: what the audit log costs the committer's processor for one
 * exchange, in us, beyond two leaf hashes, and beyond the commit: two entries,
 * their tags and 1 KiB bodies, and their share of two bundles' evidence.  The
 * log is made in @dir and signed with @key.
 */
double bench_append(const char *dir, const struct ht_key *key);

/*
 * history.c: what keeping an answer costs a node's processor, in us, where 64
 * share a commit; and what remembering the exchange adds to that.
 */
void bench_history(const char *dir, double *ret_keep, double *ret_history);

#endif
