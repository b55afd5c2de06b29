/*
 * verify_in.h -- parts of verifying a log.
 */
#ifndef HT_BROKER_AUDIT_VERIFY_IN_H
#define HT_BROKER_AUDIT_VERIFY_IN_H

#include "broker/audit/log.h"
#include "broker/audit/rolls.h"

/*
 * The roll of said->from ... said->to - 1 from the tags in the vault, without
 * those that an entry before @said_by erased.  *ret_gone: another was erased
 * since, so that its root cannot be made any more.
 */
enum ht_err ht_roll_remake(struct ht_log *log, const struct ht_roll_said *said,
    uint64_t said_by, struct ht_roll_said *ret, bool *ret_gone) HT_MUST_USE;

#endif
