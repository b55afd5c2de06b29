/*
 * erasure.h -- what one erasure destroyed: the list in the vault's folder, and
 * the ERASE entry that commits to it (docs/log-format.md, "Erasing").
 */
#ifndef HT_BROKER_LOG_ERASURE_H
#define HT_BROKER_LOG_ERASURE_H

#include "broker/log/log.h"
#include "broker/log/vault.h"

#define HT_ERASURE_MAX 1000000 /* entries of one: its list is 8 MB */
#define HT_ERASURE_BYTES                                                       \
	((size_t)HT_ERASURE_MAX * 8 + HT_DOC_MAX + 1024) /* of its file */
#define HT_ERASE_BY_MAX    400 /* bytes of the signers' names in an entry */
#define HT_ERASE_SCOPE_MAX 200

/* ---- the list ---- */

struct ht_erasure {
	uint64_t by; /* the ERASE entry; HT_ERASURE_PENDING: not known yet */
	uint8_t env[HT_ENV_ID_SIZE];
	uint64_t size; /* of the log when it was made */
	bool bodies;   /* these alone; else tags, and the bodies with them */
	size_t n;
	uint64_t *seqs;      /* increasing */
	struct ht_buf order; /* the signed note */

	/* of ht_erasure_root() and _prove() */
	struct ht_hash *tree[HT_FRONTIER_MAX]; /* perfect subtrees by level */
};
#define HT_ERASURE_PENDING UINT64_MAX

void ht_erasure_free(struct ht_erasure **erasure_p);
/* Append the file's bytes; its pointers must fit the limits above. */
enum ht_err ht_erasure_encode(
    const struct ht_erasure *erasure, struct ht_buf *out) HT_MUST_USE;
/* HT_EMALFORMED; HT_EINTEGRITY (the checksum); HT_ETOOBIG; HT_ENOMEM. */
enum ht_err ht_erasure_decode(
    struct ht_slice bytes, uint64_t by, struct ht_erasure **ret) HT_MUST_USE;

/* "%016x.erased", or the pending one's name. */
#define HT_ERASURE_NAME 32
void ht_erasure_name(uint64_t by, char out[static HT_ERASURE_NAME]);
/* From the vault's folder @dir; also HT_ENOTFOUND, HT_ESYSTEM. */
enum ht_err ht_erasure_load(
    const char *dir, uint64_t by, struct ht_erasure **ret) HT_MUST_USE;

/* The place of an entry in the list; false: it is not there. */
bool ht_erasure_find(
    const struct ht_erasure *erasure, uint64_t seq, size_t *ret_place);
struct ht_hash ht_erasure_leaf(uint64_t seq);
enum ht_err ht_erasure_root(struct ht_erasure *erasure, struct ht_hash *ret)
    HT_MUST_USE;
enum ht_err ht_erasure_prove(struct ht_erasure *erasure, size_t place,
    struct ht_hash out[static HT_PROOF_MAX], size_t *ret_n) HT_MUST_USE;

/* ---- the entry ---- */

struct ht_erase_said {
	struct ht_slice basis;
	struct ht_slice by;
	uint64_t count;
	struct ht_hash list;
	struct ht_hash order;
	struct ht_slice scope;
	bool bodies;
};
/* Append an ERASE entry's payload.  HT_ETOOBIG. */
enum ht_err ht_erase_said_encode(
    const struct ht_erase_said *said, struct ht_buf *out) HT_MUST_USE;
/* Slices point into @payload.  HT_EMALFORMED. */
enum ht_err ht_erase_said_decode(
    struct ht_slice payload, struct ht_erase_said *ret) HT_MUST_USE;

#endif
