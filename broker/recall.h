/*
 * recall.h -- records that left the memory, read from the log again: as many
 * of a bundle as are wanted, under its one signature.
 */
#ifndef HT_BROKER_RECALL_H
#define HT_BROKER_RECALL_H

#include "broker/log/log.h"
#include "schemas/bundle.h"

struct ht_recall;

enum ht_err ht_recall_new(struct ht_log *log, struct ht_recall **ret)
    HT_MUST_USE;
void ht_recall_free(struct ht_recall **recall_p);

/*
 * Of the bundle whose entries begin at @first the @n records at @places
 * (increasing): headers from their entries, tags and bodies from the vault,
 * hashes for the others from the evidence.  What is damaged is told to the
 * operator and left out: of @places those stay that *ret has, which may be
 * none.  Slices live until the next call.  Errors: HT_ENOMEM, HT_ESYSTEM,
 * HT_ESTORE.
 */
enum ht_err ht_recall(struct ht_recall *recall, uint64_t first,
    uint64_t *places, size_t n, struct ht_bundle *ret) HT_MUST_USE;

#endif
