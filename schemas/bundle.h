/*
 * bundle.h -- 1 to 64 records of one node under one signature
 * (docs/protocol.md section 4).
 */
#ifndef HT_SCHEMAS_BUNDLE_H
#define HT_SCHEMAS_BUNDLE_H

#include "keys/merkle.h"
#include "schemas/envelope.h"

#define HT_BUNDLE_LABEL "hutong-bundle/v1\n"
/* Covers of the gaps: no more than there are leaves in them. */
#define HT_LEFT_MAX 64

struct ht_bundle_record {
	uint32_t index;
	struct ht_slice header;
	struct ht_slice body;
	struct ht_slice tag; /* empty: none */
	struct ht_hash hash; /* header hash, filled by decode */
};

struct ht_bundle {
	unsigned suite;
	struct ht_slice sender;
	struct ht_slice node;
	struct ht_keyid key;
	uint32_t count; /* leaves of the tree */
	struct ht_sig sig;
	uint32_t n_records; /* present */
	struct ht_bundle_record records[HT_BUNDLE_MAX];
	uint32_t n_left;
	struct ht_hash left[HT_LEFT_MAX];
	struct ht_hash root; /* recomputed by decode; set by sign */
};

/*
 * Decode from a reader over a checked message: form, limits, and the root
 * recomputed.  Headers are not yet decoded, nor compared with the bundle,
 * bodies and tags.  On error *ret is half filled.  Errors: HT_EMALFORMED;
 * HT_ETOOBIG; HT_EPROTOCOL (suite); in @u's sticky error as well.
 */
enum ht_err ht_bundle_unpack(struct ht_unpack *u, struct ht_bundle *ret,
    const char **ret_why) HT_MUST_USE;
void ht_bundle_pack(struct ht_buf *out, const struct ht_bundle *bundle);

/* Fill hashes, root and signature over @bundle's records (nothing left). */
enum ht_err ht_bundle_sign(struct ht_bundle *bundle, const struct ht_key *key)
    HT_MUST_USE;
/* HT_EBADSIG if the signature over the recomputed root does not verify. */
enum ht_err ht_bundle_verify(
    const struct ht_bundle *bundle, const struct ht_pub *pub) HT_MUST_USE;
/* The signed bytes after the label: [suite, sender, node, key, count, root]. */
void ht_bundle_signed(struct ht_buf *out, const struct ht_bundle *bundle);

/*
 * A part of a bundle: only the records at the given positions of
 * @from->records (increasing), the others turned into left-out hashes.
 * @from must be whole (n_left == 0).
 */
enum ht_err ht_bundle_part(const struct ht_bundle *from, const uint32_t *keep,
    size_t n_keep, struct ht_bundle *ret) HT_MUST_USE;

/* Body and tag are those of the header: HT_ST_OK, _BODY_HASH or _TAG_HASH. */
unsigned ht_record_check(
    const struct ht_bundle_record *record, const struct ht_header *header);

#endif
