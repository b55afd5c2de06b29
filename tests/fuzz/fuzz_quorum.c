/*
 * A policy that we take lets the whole of its witnesses pass, unless nothing
 * does, and more witnesses never spoil what fewer had.
 */
#include "keys/quorum.h"

#include "lib/base/panic.h"
#include "tests/fuzz/fuzz.h"

static void
try_met(const struct ht_quorum *quorum)
{
	unsigned n = ht_quorum_witnesses(quorum);
	struct ht_slice name = {0};
	uint64_t set = 0;
	bool met = ht_quorum_met(quorum, 0);

	for (unsigned i = 0; i < n; i++) {
		HT_ASSERT(ht_quorum_witness(quorum, i, &name)->type ==
		          HT_VKEY_COSIGN);
		HT_ASSERT(name.len > 0 && name.len <= HT_QUORUM_NAME_MAX);
		set |= UINT64_C(1) << i;
		HT_ASSERT(ht_quorum_met(quorum, set) >= met);
		met = ht_quorum_met(quorum, set);
	}
	HT_ASSERT(met);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_quorum_free) struct ht_quorum *quorum = NULL;
	enum ht_err err;

	HT_ASSERT(ht_keys_init() == HT_OK);
	err = ht_quorum_parse("p", HT_SLICE(in, in_len), report, &quorum);
	HT_ASSERT((err == HT_OK) == (quorum != NULL));
	HT_ASSERT((err == HT_EINVALID) == (ht_report_count(report) > 0));
	if (quorum != NULL)
		try_met(quorum);
	return 0;
}
