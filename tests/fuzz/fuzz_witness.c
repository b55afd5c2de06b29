/*
 * Whatever a broker asks, a witness cosigns nothing but a checkpoint that the
 * log's key signed, of the size asked from or more; and what is read as a
 * request is that request and no other.
 */
#include "keys/witness.h"

#include "lib/base/panic.h"
#include "tests/fuzz/fuzz.h"

/* The log of tests/vectors/. */
static const char known[] =
    "log.example+1cc758f9+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(2 * HT_DOC_MAX);
	struct ht_slice request = HT_SLICE(in, in_len);
	struct ht_checkpoint last = {.size = 0};
	struct ht_add_checkpoint add;
	struct ht_witness_verdict v;
	struct ht_vkey log;

	HT_ASSERT(ht_keys_init() == HT_OK);
	HT_ASSERT(ht_vkey_parse(ht_slice_str(known), &log) == HT_OK);
	for (last.size = 0; last.size < 3; last.size++) {
		ht_witness_judge(&log, &last, request, &v);
		if (v.status == HT_WITNESS_OK)
			HT_ASSERT(v.signed_by_log && v.cp.size >= last.size);
	}
	if (ht_add_checkpoint_parse(request, &add) != HT_OK)
		return 0;
	ht_add_checkpoint_text(&add, &again);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), request));
	return 0;
}
