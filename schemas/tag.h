/*
 * tag.h -- the tag beside a header: whom a record is about, without saying it
 * (docs/protocol.md section 3.4).
 */
#ifndef HT_SCHEMAS_TAG_H
#define HT_SCHEMAS_TAG_H

#include "keys/pseudonym.h"
#include "schemas/envelope.h"

#define HT_EPOCH_MAX 80 /* "catalog/epoch" */

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
/*
 * Check and decode; on error *ret is untouched and *ret_why (may be NULL) says
 * what was expected.  Errors: HT_EMALFORMED; HT_ETOOBIG; HT_EPROTOCOL for
 * another version.
 */
enum ht_err ht_tag_decode(struct ht_slice bytes, struct ht_tag *ret,
    const char **ret_why) HT_MUST_USE;
/* Append its bytes.  HT_EINVALID for what ht_tag_decode() would refuse. */
enum ht_err ht_tag_encode(const struct ht_tag *tag, struct ht_buf *out)
    HT_MUST_USE;
/* BLAKE2b-256("hutong-tag/v1\n" || tag). */
struct ht_hash ht_tag_hash(struct ht_slice raw);
/* Every subject of @need stands in @has (or @has is bulk). */
bool ht_tag_covers(const struct ht_tag *has, const struct ht_tag *need);

/*
 * What an annex says.  NULL fields are left out, but the subject, which a tag
 * must have; in a bulk tag it says what was asked for.
 */
struct ht_annex {
	uint8_t entry[32];   /* K_entry, random */
	const char *subject; /* "registry:id", several joined by "," */
	const char *officer;
	const char *casefile; /* field "case" */
	const char *purpose;
};

/* Bytes of `officer` and of `case` (docs/protocol.md section 3.4). */
#define HT_ANNEX_TEXT_MAX 512
/*
 * People write `officer` and `case`, auditors read them: one line of text that
 * reads as it is.  False, and what is wrong in @why, if one does not.
 */
bool ht_annex_reads(const struct ht_annex *annex, struct ht_buf *why);
/* One of them; @name stands in @why. */
bool ht_annex_text_reads(
    const char *name, const char *text, struct ht_buf *why);

#define HT_ANNEX_FIELDS 4
/* The fields there are, in the order of their names; how many. */
size_t ht_annex_fields(const struct ht_annex *annex,
    struct ht_annex_field out[static HT_ANNEX_FIELDS]);

/* The keys of one epoch, as a node holds them. */
struct ht_epoch {
	char name[HT_NAME_MAX + 1];   /* "catalog/epoch" */
	struct ht_pub annex;          /* the auditors' public key */
	const struct ht_key *tracker; /* NULL at the broker */
};

/*
 * Make a tag: pseudonyms of the @n (registry, id) pairs under the epoch's
 * tracker key (bulk above HT_SUBJECTS_MAX), annex sealed, commitment made.
 * Appends the tag's bytes to @out.  A subject given twice counts once.
 * Errors: HT_EINVALID (no subject, or others than the annex names);
 * HT_ETOOBIG; HT_ENOMEM.
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
 * these subjects, an annex that names them, and its commitment.  HT_EINVALID
 * if false.
 */
enum ht_err ht_tag_check(const struct ht_tag *tag, const struct ht_epoch *epoch,
    const struct ht_subject *subjects, size_t n, const struct ht_annex *annex,
    const char **ret_why) HT_MUST_USE;

/*
 * The annex's opening as it stands in the content; NULL when out of memory, or
 * for text that is not UTF-8.
 */
json_t *ht_annex_to_json(const struct ht_annex *annex);
/*
 * And back.  Strings point into @json, which must outlive *ret.  HT_EINVALID
 * for anything else than entry and known fields: what is not known could not
 * be checked against the commitment.
 */
enum ht_err ht_annex_from_json(const json_t *json, struct ht_annex *ret)
    HT_MUST_USE;
/* The auditor opens a sealed annex: its plaintext map's bytes. */
enum ht_err ht_annex_open(const struct ht_tag *tag, const struct ht_key *annex,
    struct ht_buf *ret) HT_MUST_USE;

#endif
