/*
 * tag.h -- the tag beside a header: whom a record is about, without saying it
 * (docs/protocol.md section 3.4).
 */
#ifndef HT_SCHEMAS_TAG_H
#define HT_SCHEMAS_TAG_H

#include "keys/pseudonym.h"
#include "schemas/envelope.h"

struct ht_tag {
	struct ht_slice epoch; /* "catalog/epoch" */
	uint8_t salt[16];
	unsigned n_subjects; /* 0 when bulk */
	struct ht_pseudonym subjects[HT_SUBJECTS_MAX];
	uint64_t bulk_count; /* 0: not bulk */
	struct ht_hash bulk_list;
	struct ht_hash commitment;
	struct ht_slice annex; /* enc || ciphertext */
	struct ht_slice raw;
};
enum ht_err ht_tag_decode(struct ht_slice bytes, struct ht_tag *ret,
    const char **ret_why) HT_MUST_USE;
enum ht_err ht_tag_encode(const struct ht_tag *tag, struct ht_buf *out)
    HT_MUST_USE;
/* BLAKE2b-256("hutong-tag/v1\n" || tag). */
struct ht_hash ht_tag_hash(struct ht_slice raw);
/* Every subject of @need stands in @has (or @has is bulk). */
bool ht_tag_covers(const struct ht_tag *has, const struct ht_tag *need);

/* What an annex says.  NULL fields are left out. */
struct ht_annex {
	uint8_t entry[32];   /* K_entry, random */
	const char *subject; /* "registry:id", several joined by "," */
	const char *officer;
	const char *casefile; /* field "case" */
	const char *purpose;
};

/* The keys of one epoch, as a node holds them. */
struct ht_epoch {
	char name[HT_NAME_MAX + 1];   /* "catalog/epoch" */
	struct ht_pub annex;          /* the auditors' public key */
	const struct ht_key *tracker; /* NULL at the broker */
};

/*
 * Make a tag: pseudonyms of the @n (registry, id) pairs under the epoch's
 * tracker key (bulk above HT_SUBJECTS_MAX), annex sealed, commitment made.
 * Appends the tag's bytes to @out.
 */
struct ht_subject {
	struct ht_slice registry;
	struct ht_slice id;
};
enum ht_err ht_tag_make(const struct ht_epoch *epoch,
    const struct ht_subject *subjects, size_t n, const struct ht_annex *annex,
    struct ht_buf *out) HT_MUST_USE;
/*
 * Check a tag against what its record's body opens: pseudonyms of exactly
 * these subjects, and the commitment of this annex.  HT_EINVALID if false.
 */
enum ht_err ht_tag_check(const struct ht_tag *tag, const struct ht_epoch *epoch,
    const struct ht_subject *subjects, size_t n, const struct ht_annex *annex,
    const char **ret_why) HT_MUST_USE;

/* The annex's opening as it stands in the content, and back. */

json_t *ht_annex_to_json(const struct ht_annex *annex);
/* Strings point into @json, which must outlive *ret. */
enum ht_err ht_annex_from_json(const json_t *json, struct ht_annex *ret)
    HT_MUST_USE;
/* The auditor opens a sealed annex: its plaintext map's bytes. */
enum ht_err ht_annex_open(const struct ht_tag *tag, const struct ht_key *annex,
    struct ht_buf *ret) HT_MUST_USE;

#endif
