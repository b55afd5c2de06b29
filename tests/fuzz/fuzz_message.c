/*
 * Any frame from the network.  One that is accepted is written back byte for
 * byte; those with reasons, whose words are ours, do not change again.
 */
#include "lib/base/panic.h"
#include "schemas/message.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	static struct ht_message message, back;
	struct ht_slice bytes = HT_SLICE(in, in_len);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4 << 20);
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(4 << 20);
	const char *why = NULL;
	size_t at = SIZE_MAX;

	if (ht_message_decode(bytes, &message, &at, &why) != HT_OK) {
		HT_ASSERT(at <= in_len && why != NULL);
		return 0;
	}
	HT_ASSERT(ht_message_encode(&message, &out) == HT_OK);
	if (message.type != HT_MSG_ACK && message.type != HT_MSG_ERROR)
		HT_ASSERT(ht_slice_eq(bytes, ht_buf_slice(&out)));
	HT_ASSERT(
	    ht_message_decode(ht_buf_slice(&out), &back, NULL, NULL) == HT_OK);
	HT_ASSERT(ht_message_encode(&back, &again) == HT_OK);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&out), ht_buf_slice(&again)));
	return 0;
}
