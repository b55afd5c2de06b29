/*
 * reply.h -- from actions to frames: what leaves once a group is durable.
 */
#ifndef HT_BROKER_REPLY_H
#define HT_BROKER_REPLY_H

#include "broker/commit.h"
#include "schemas/message.h"

struct ht_replier;

enum ht_err ht_replier_new(struct ht_log *log, struct ht_replier **ret)
    HT_MUST_USE;
void ht_replier_free(struct ht_replier **replier_p);

/*
 * Append to @out the pipe messages for all actions that are no appends, in
 * order; those for connections of another generation are left out.
 * @note: the newest checkpoint.  Errors: of reading the log; HT_ENOMEM.
 */
enum ht_err ht_reply(struct ht_replier *replier, const struct ht_act *acts,
    size_t n, struct ht_slice note, uint32_t generation, struct ht_buf *out)
    HT_MUST_USE;

#endif
