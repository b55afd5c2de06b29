/* A cursor file that parses prints as the same bytes. */
#include "broker/cli/cursor.h"
#include "lib/base/panic.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(HT_CURSOR_MAX);
	struct ht_audit_cursor c;

	if (ht_cursor_parse(HT_SLICE(in, in_len), &c) != HT_OK)
		return 0;
	ht_cursor_text(&c, &again);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), HT_SLICE(in, in_len)));
	return 0;
}
