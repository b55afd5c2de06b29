/*
 * pseudonym.c -- pseudonyms of subjects and commitments to an annex.
 *
 * Every input is of a fixed length, ends at a byte it cannot hold, or has its
 * length before it: no two inputs share their bytes.  Commitments start with
 * "h", so none can pose as a leaf (0x00) or a node (0x01) of a tree.
 */
#include "keys/pseudonym.h"

#include <string.h>

#include "lib/base/panic.h"

#define COMMITMENT "ht1"

enum ht_err
ht_pseudonym(const struct ht_key *tracker, struct ht_slice registry,
    struct ht_slice id, struct ht_pseudonym *ret)
{
	const struct ht_slice parts[] = {
	    ht_slice_str("hutong-pseudonym/v1\n"),
	    registry,
	    ht_slice_str("\n"),
	    id,
	};

	HT_ASSERT(ht_key_what(tracker) == HT_KEY_TRACKER);
	if (registry.len == 0 || id.len == 0 ||
	    memchr(registry.at, '\n', registry.len) != NULL)
		return HT_EINVALID;
	ht_blake2b_keyed(HT_SLICE(ht_key_open(tracker), 32), parts,
	    HT_COUNT(parts), ret->at, HT_PSEUDONYM_SIZE);
	ht_key_shut(tracker);
	return HT_OK;
}

int
ht_pseudonym_cmp(const struct ht_pseudonym *a, const struct ht_pseudonym *b)
{
	return memcmp(a->at, b->at, HT_PSEUDONYM_SIZE);
}

void
ht_annex_salt(const uint8_t entry[static HT_ENTRY_KEY_SIZE],
    struct ht_slice name, uint8_t ret[static HT_SALT_SIZE])
{
	ht_blake2b_keyed(
	    HT_SLICE(entry, HT_ENTRY_KEY_SIZE), &name, 1, ret, HT_SALT_SIZE);
}

enum ht_err
ht_annex_commit(const struct ht_annex_field *field,
    const uint8_t salt[static HT_SALT_SIZE], struct ht_hash *ret)
{
	uint8_t name_len, value_len[4];

	if (field->name.len == 0 || field->name.len > HT_ANNEX_FIELD_MAX ||
	    field->value.len > UINT32_MAX)
		return HT_EINVALID;
	name_len = (uint8_t)field->name.len;
	ht_be32(value_len, (uint32_t)field->value.len);
	*ret = ht_sha256_parts(
	    (struct ht_slice[]){
	        ht_slice_str(COMMITMENT),
	        HT_SLICE(&name_len, 1),
	        field->name,
	        HT_SLICE(salt, HT_SALT_SIZE),
	        HT_SLICE(value_len, sizeof(value_len)),
	        field->value,
	    },
	    6);
	return HT_OK;
}

struct ht_hash
ht_annex_join(const struct ht_hash *commitments, size_t n,
    const struct ht_hash *sealed_hash)
{
	return ht_sha256_parts(
	    (struct ht_slice[]){
	        ht_slice_str(COMMITMENT),
	        HT_SLICE(commitments, n * sizeof(*commitments)),
	        HT_SLICE(sealed_hash->at, HT_HASH_SIZE),
	    },
	    3);
}

/* How many fields stand before this one; n if another has its name. */
static size_t
place_of(const struct ht_annex_field *fields, size_t n, size_t i)
{
	size_t place = 0;

	for (size_t k = 0; k < n; k++) {
		int cmp = ht_slice_cmp(fields[k].name, fields[i].name);

		if (cmp == 0 && k != i)
			return n;
		place += cmp < 0;
	}
	return place;
}

enum ht_err
ht_annex_commitment(const uint8_t entry[static HT_ENTRY_KEY_SIZE],
    const struct ht_annex_field *fields, size_t n, struct ht_slice sealed,
    struct ht_hash *ret)
{
	struct ht_hash sorted[HT_ANNEX_FIELDS_MAX];
	struct ht_hash sealed_hash;

	if (n > HT_ANNEX_FIELDS_MAX)
		return HT_ETOOBIG;
	for (size_t i = 0; i < n; i++) {
		size_t place = place_of(fields, n, i);
		uint8_t salt[HT_SALT_SIZE];
		enum ht_err err;

		if (place == n)
			return HT_EINVALID;
		ht_annex_salt(entry, fields[i].name, salt);
		err = ht_annex_commit(&fields[i], salt, &sorted[place]);
		ht_wipe(salt, sizeof(salt));
		if (err != HT_OK)
			return err;
	}
	sealed_hash = ht_sha256(sealed);
	*ret = ht_annex_join(sorted, n, &sealed_hash);
	return HT_OK;
}
