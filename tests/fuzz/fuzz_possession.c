/*
 * Whatever lines stand under a text, a key is proven by its own alone: the
 * input is a note, and the only proof of the key that nobody holds would be
 * a forgery.  A key that is held proves itself under any text, whatever lines
 * were there.
 */
#include "keys/possession.h"

#include <string.h>

#include "lib/base/panic.h"
#include "tests/fuzz/fuzz.h"

#define NAME "tax.demo/state"

static struct ht_pub
pub_of(uint8_t byte, struct ht_key **ret)
{
	uint8_t seed[32];

	memset(seed, byte, sizeof(seed));
	HT_ASSERT(ht_key_from_seed(HT_KEY_SEALING, seed, ret) == HT_OK);
	return ht_key_pub(*ret);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_key_free) struct ht_key *seeds = NULL, *own = NULL;
	struct ht_slice bytes = HT_SLICE(in, in_len);
	struct ht_pub seeds_pub, own_pub;
	struct ht_note note, after;
	enum ht_err err;

	HT_ASSERT(ht_keys_init() == HT_OK);
	if (ht_note_parse(bytes, &note) != HT_OK)
		return 0;
	/* The seeds' key proves one text, and no mutation of it. */
	seeds_pub = pub_of(1, &seeds);
	if (ht_possession_find(&note, NAME, HT_KEY_SEALING, &seeds_pub) ==
	    HT_OK)
		HT_ASSERT(ht_slice_is(
		    note.text, "hutong: member/v1\nmember: tax.demo/state\n"));
	own_pub = pub_of(7, &own);
	HT_ASSERT(
	    ht_possession_find(&note, NAME, HT_KEY_SEALING, &own_pub) != HT_OK);
	err = ht_possession_add(bytes, true, NAME, own, &out);
	if (err != HT_OK) {
		HT_ASSERT(out.len == 0);
		return 0;
	}
	HT_ASSERT(ht_note_parse(ht_buf_slice(&out), &after) == HT_OK);
	HT_ASSERT(ht_slice_eq(note.text, after.text));
	HT_ASSERT(ht_possession_find(&after, NAME, HT_KEY_SEALING, &own_pub) ==
	          HT_OK);
	return 0;
}
