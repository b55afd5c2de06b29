/*
 * core.h -- the broker's own process: the loop that reads from the front,
 * hands bundles to verifiers and committer, answers what needs no entry, and
 * does what the operator says.
 */
#ifndef HT_BROKER_CORE_H
#define HT_BROKER_CORE_H

#include "broker/conf.h"

/*
 * Is there a usable policy, do the keys fit it?  Findings go to @report;
 * nothing is written, no socket is opened.  A `struct ht_broker_exit`.
 */
int ht_core_check(const struct ht_broker_conf *conf, struct ht_report *report);
struct ht_rollback;
/*
 * Run until told to stop; the exit code.  @act (NULL: none): go on with an
 * older log, by the operator's word.
 */
int ht_core_run(
    const struct ht_broker_conf *conf, const struct ht_rollback *act);

#endif
