/*
 * A proof that parses has one spelling, and its
 * parts can be asked for.
 */
#include "keys/proof.h"

#include "lib/base/panic.h"
#include "tests/fuzz/fuzz.h"

static void
entry(struct ht_slice in)
{
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(HT_PROOF_FILE_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf extra = HT_BUF(HT_PROOF_EXTRA_MAX);
	struct ht_checkpoint cp = {.size = 100};
	struct ht_hash leaf = {{0}};
	struct ht_proof proof;
	unsigned line = 0;

	if (ht_proof_parse(in, &proof, &line) != HT_OK) {
		HT_ASSERT(line > 0);
		return;
	}
	HT_ASSERT(ht_proof_extra(&proof, &extra) == HT_OK);
	HT_ASSERT(proof.has_extra == (extra.len > 0));
	HT_ASSERT(!ht_proof_holds(&proof, &leaf, &cp)); /* root of nothing */
	ht_proof_text(&proof, &again);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), in));
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	entry(HT_SLICE(in, in_len));
	return 0;
}
