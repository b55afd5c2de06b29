/*
 * What a node remembers of an exchange: what is accepted is written back as it
 * was, but for reasons, whose words are ours.
 */
#include "adapters/told.h"
#include "lib/base/panic.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	static struct ht_told told, back;
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4 * HT_TOLD_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(4 * HT_TOLD_MAX);

	if (ht_told_decode(HT_SLICE(in, in_len), &told) != HT_OK)
		return 0;
	HT_ASSERT(ht_told_encode(&told, &out) == HT_OK);
	HT_ASSERT(ht_told_decode(ht_buf_slice(&out), &back) == HT_OK);
	HT_ASSERT(ht_told_encode(&back, &again) == HT_OK);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&out), ht_buf_slice(&again)));
	return 0;
}
