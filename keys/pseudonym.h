/*
 * pseudonym.h -- whom a record is about, without saying it, and single fields
 * of an annex shown without the others (docs/protocol.md, "Tag").
 *
 * A person's code has too few values to be hashed plainly: a pseudonym is
 * keyed with the epoch's tracker key, and a commitment is salted.
 */
#ifndef HT_KEYS_PSEUDONYM_H
#define HT_KEYS_PSEUDONYM_H

#include "keys/sign.h"

#define HT_PSEUDONYM_SIZE 16
struct ht_pseudonym {
	uint8_t at[HT_PSEUDONYM_SIZE];
};

/*
 * BLAKE2b-128(key = tracker key, "hutong-pseudonym/v1\n" || registry || "\n"
 * || id).  @tracker is a HT_KEY_TRACKER key; @registry is a word of the
 * catalog ("uscc").  HT_EINVALID for a registry that is empty or has a
 * newline, since another registry and id would then have the same bytes, and
 * for an empty id, which would be everybody's.
 */
enum ht_err ht_pseudonym(const struct ht_key *tracker, struct ht_slice registry,
    struct ht_slice id, struct ht_pseudonym *ret) HT_MUST_USE;
/* Bytewise order, as a tag lists them: <0, 0, >0. */
int ht_pseudonym_cmp(
    const struct ht_pseudonym *a, const struct ht_pseudonym *b);

#define HT_ENTRY_KEY_SIZE   32 /* K_entry: random, inside the annex */
#define HT_SALT_SIZE        16
#define HT_ANNEX_FIELDS_MAX 16 /* four are in use; a tag holds 2 KiB */
#define HT_ANNEX_FIELD_MAX  64 /* bytes of a field's name */

struct ht_annex_field {
	struct ht_slice name;
	struct ht_slice value;
};

/* BLAKE2b-128(key = K_entry, name): what opens one field, and only that. */
void ht_annex_salt(const uint8_t entry[static HT_ENTRY_KEY_SIZE],
    struct ht_slice name, uint8_t ret[static HT_SALT_SIZE]);

/*
 * One field's commitment: SHA-256("ht1" || u8 length of name || name || salt
 * || u32 length of value || value).  Whoever is shown name, salt and value
 * can compute it too.  Errors: HT_EINVALID for a name that is empty or longer
 * than HT_ANNEX_FIELD_MAX.
 */
enum ht_err ht_annex_commit(const struct ht_annex_field *field,
    const uint8_t salt[static HT_SALT_SIZE], struct ht_hash *ret) HT_MUST_USE;

/*
 * SHA-256("ht1" || every commitment, by field || SHA-256(sealed annex)): the
 * commitment in the tag, from those of the fields.
 */
struct ht_hash ht_annex_join(const struct ht_hash *commitments, size_t n,
    const struct ht_hash *sealed_hash);

/*
 * The same from the fields themselves, given in any order.  Errors:
 * HT_EINVALID for a bad name or one given twice; HT_ETOOBIG for more than
 * HT_ANNEX_FIELDS_MAX fields.
 */
enum ht_err ht_annex_commitment(const uint8_t entry[static HT_ENTRY_KEY_SIZE],
    const struct ht_annex_field *fields, size_t n, struct ht_slice sealed,
    struct ht_hash *ret) HT_MUST_USE;

#endif
