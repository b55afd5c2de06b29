/*
 * disclose.h -- the DISCLOSE entry: hidden looks that are hidden no more
 * (docs/log-format.md, "Disclosing").
 */
#ifndef HT_BROKER_LOG_DISCLOSE_H
#define HT_BROKER_LOG_DISCLOSE_H

#include "broker/log/log.h"
#include "schemas/doc.h"

#define HT_DISCLOSE_ITEM_MAX (HT_NAME_MAX + 12) /* "catalog/CODE@version" */

struct ht_disclose_said {
	/* by order: these entries */
	bool ordered;
	struct ht_hash order; /* SHA-256 of its text */
	struct ht_slice basis, by;
	size_t n;
	uint64_t entries[HT_DISCLOSE_ENTRIES]; /* increasing */
	/* by time: looks by this item that were logged before to_us */
	struct ht_slice item;
	uint64_t to_us;
	uint64_t count; /* of either */
};
enum ht_err ht_disclose_said_encode(
    const struct ht_disclose_said *said, struct ht_buf *out) HT_MUST_USE;
/* Slices point into @payload.  HT_EMALFORMED. */
enum ht_err ht_disclose_said_decode(
    struct ht_slice payload, struct ht_disclose_said *ret) HT_MUST_USE;

/*
 * What the entry of an order says, whose signatures are checked; @by: who
 * signed.  HT_EINVALID, with words in @report: an entry it names is no look.
 */
enum ht_err ht_disclose_payload(struct ht_log *log, const struct ht_doc *order,
    const char *by, struct ht_report *report, struct ht_buf *out) HT_MUST_USE;

#endif
