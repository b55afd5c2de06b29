/*
 * Any header that is accepted is written back byte for byte, because the
 * bytes are what was signed and what is sealed to.
 */
#include "lib/base/panic.h"
#include "schemas/envelope.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	struct ht_slice bytes = HT_SLICE(in, in_len);
	HT_AUTO(ht_buf_fini) struct ht_buf envelope = HT_BUF(HT_HEADER_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_HEADER_MAX);
	struct ht_header h;
	const char *why = NULL;
	size_t at = SIZE_MAX;

	if (ht_header_decode(bytes, &h, &at, &why) != HT_OK) {
		HT_ASSERT(why != NULL && at <= in_len);
		return 0;
	}
	HT_ASSERT(ht_pack_check(bytes, NULL, NULL) == HT_OK);
	HT_ASSERT(ht_envelope_encode(&h, &envelope) == HT_OK);
	HT_ASSERT(ht_slice_eq(h.envelope, ht_buf_slice(&envelope)));
	HT_ASSERT(ht_header_encode(&h, h.envelope, &out) == HT_OK);
	HT_ASSERT(ht_slice_eq(bytes, ht_buf_slice(&out)));
	return 0;
}
