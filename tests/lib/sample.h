/*
 * sample.h -- records to play with: the same bytes on every run.
 */
#ifndef HT_TESTS_LIB_SAMPLE_H
#define HT_TESTS_LIB_SAMPLE_H

#include "schemas/bundle.h"
#include "schemas/message.h"

#define HT_SAMPLE_MS                                                           \
	UINT64_C(1763949723000) /* created: 2025-11-24 02:02:03                \
	                         */

/* A header that is in order; its texts are constants, its ids patterns. */
struct ht_header ht_sample_request(void);
struct ht_header ht_sample_response(void);
/* Its bytes, appended to @out; h.envelope and h.raw are not set. */
void ht_sample_encode(const struct ht_header *h, struct ht_buf *out);
/*
 * @n records, unsigned: headers, bodies and tags that belong together, kept in
 * @arena (HT_BUF(HT_SAMPLE_ARENA), empty), which must outlive them.
 */
#define HT_SAMPLE_ARENA (1 << 20)
void ht_sample_bundle(struct ht_bundle *ret, uint32_t n, struct ht_buf *arena);
/* One of every type, with something in every element; texts are constants. */
void ht_sample_message(
    struct ht_message *ret, enum ht_message_type type, struct ht_buf *arena);
/* The signing key of the samples' sender, from a fixed seed. */
struct ht_key *ht_sample_signing(void);

/* A value of the strict profile, from hex; spaces are for the eye. */
void ht_sample_hex(struct ht_buf *out, const char *hex);
/*
 * Append the array at the front of @bytes (checked) with element @i put in
 * place of by @element; an @i of the array's length appends it, an empty
 * @element drops.
 */
void ht_sample_swap(struct ht_buf *out, struct ht_slice bytes, uint32_t i,
    struct ht_slice element);

#endif
