/*
 * verify.h -- the pool: what costs a core's time, done on all of them.
 */
#ifndef HT_BROKER_VERIFY_H
#define HT_BROKER_VERIFY_H

#include "broker/commit.h"

struct ht_verifier;

enum ht_err ht_verifier_start(size_t threads, struct ht_trust_box *box,
    struct ht_committer *committer, struct ht_verifier **ret) HT_MUST_USE;
/* Lets what is queued be verified first. */
void ht_verifier_stop(struct ht_verifier **verifier_p);
/* HT_EAGAIN: full; the parcel stays the caller's. */
enum ht_err ht_verifier_push(
    struct ht_verifier *verifier, struct ht_parcel **parcel_p) HT_MUST_USE;
size_t ht_verifier_depth(const struct ht_verifier *verifier);

#endif
