/*
 * bundles.h -- a bundle's evidence as the log keeps it (docs/log-format.md,
 * `bundles`): whose signature, over which root, and what stands at the places
 * that have no entry.
 *
 * It is carried in a `struct ht_bundle` whose records have index and hash, and
 * neither body nor tag.
 */
#ifndef HT_BROKER_LOG_BUNDLES_H
#define HT_BROKER_LOG_BUNDLES_H

#include "broker/log/log.h"

#define HT_EVIDENCE_MAX 8192 /* bytes: names, and at most 128 hashes */

void ht_evidence_pack(const struct ht_bundle *bundle, struct ht_buf *out);
/*
 * Strictly; slices of *ret point into @bytes, the records' hashes are not
 * known yet.  Errors: HT_EMALFORMED.
 */
enum ht_err ht_evidence_unpack(struct ht_slice bytes, struct ht_bundle *ret)
    HT_MUST_USE;
/* Recompute the root from the records' hashes.  HT_EMALFORMED. */
enum ht_err ht_evidence_root(struct ht_bundle *bundle) HT_MUST_USE;

/*
 * The evidence of the bundle that begins at @first, with hashes and root from
 * its entries.  @bytes backs it.  HT_ENOTFOUND: no such bundle; HT_EINTEGRITY:
 * the entries are not those of the bundle, and *ret_bad (may be NULL) is the
 * first that is not.
 */
enum ht_err ht_evidence_load(struct ht_log *log, uint64_t first,
    struct ht_buf *bytes, struct ht_bundle *ret, uint64_t *ret_bad) HT_MUST_USE;

/*
 * The evidence for the records of these indexes (increasing) alone: the others
 * of @from (with hashes) become left-out subtrees.  HT_ENOTFOUND if it lacks
 * one of them.
 */
enum ht_err ht_evidence_narrow(const struct ht_bundle *from,
    const uint32_t *indexes, size_t n, struct ht_bundle *ret) HT_MUST_USE;

#endif
