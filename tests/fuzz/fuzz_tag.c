/*
 * Any tag that is accepted is written back byte for byte: its hash stands in
 * the header.
 */
#include "lib/base/panic.h"
#include "schemas/tag.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	struct ht_slice bytes = HT_SLICE(in, in_len);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_TAG_MAX);
	const char *why = NULL;
	struct ht_tag tag;

	if (ht_tag_decode(bytes, &tag, &why) != HT_OK) {
		HT_ASSERT(why != NULL);
		return 0;
	}
	HT_ASSERT(ht_tag_covers(&tag, &tag));
	HT_ASSERT(ht_tag_encode(&tag, &out) == HT_OK);
	HT_ASSERT(ht_slice_eq(bytes, ht_buf_slice(&out)));
	return 0;
}
