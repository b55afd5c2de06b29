/* A leaf that decodes encodes to the same bytes: there is one form. */
#include "broker/log/log.h"
#include "lib/base/panic.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(HT_LEAF_MAX);
	struct ht_slice leaf = HT_SLICE(in, in_len);
	struct ht_entry e;

	if (ht_entry_decode(leaf, &e) != HT_OK)
		return 0;
	HT_ASSERT(ht_entry_encode(&e, &again) == HT_OK);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), leaf));
	return 0;
}
