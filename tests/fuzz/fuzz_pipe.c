/*
 * fuzz_pipe.c -- whatever a front may say: messages are taken off as long as
 * there are any, and put again they are the same bytes.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "broker/pipe.h"
#include "lib/base/panic.h"

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(in_len + 1);
	struct ht_slice rest = HT_SLICE(in, in_len);
	struct ht_pipe_msg msg;
	size_t used;

	while (ht_pipe_take(rest, &msg, &used) == HT_OK) {
		HT_ASSERT(used >= HT_PIPE_HEAD && used <= rest.len);
		ht_buf_reset(&again);
		ht_pipe_put(&again, &msg);
		HT_ASSERT(again.err == HT_OK && again.len == used);
		HT_ASSERT(memcmp(again.at, rest.at, used) == 0);
		rest = HT_SLICE(rest.at + used, rest.len - used);
	}
	return 0;
}
