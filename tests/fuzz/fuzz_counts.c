/*
 * What a file of counts says of how it was counted, and the papers in it: what
 * is taken encodes to the same bytes, and papers that are all asked for, too.
 */
#include <string.h>

#include "broker/cli/count_how.h"
#include "broker/cli/papers.h"
#include "lib/base/panic.h"
#include "tests/fuzz/fuzz.h"

static void
fuzz_how(struct ht_slice in)
{
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(HT_HOW_MAX);
	struct ht_audit_opts opts = {0};
	struct ht_count_how how;

	if (ht_count_how_decode(in, &how) != HT_OK)
		return;
	ht_count_how_apply(&how, &opts);
	ht_count_how_encode(&opts, &again);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), in));
}

/* As an item of a version, and as a member. */
static void
ask(struct ht_papers *papers, const char *name)
{
	const char *at = strchr(name, '@');

	if (at != NULL)
		(void)ht_papers_item(papers,
		    HT_SLICE(name, (size_t)(at - name)),
		    (uint32_t)strtoul(at + 1, NULL, 10));
	else
		(void)ht_papers_member(papers, ht_slice_str(name));
}

static void
fuzz_papers(struct ht_slice in)
{
	HT_AUTO(ht_papers_free) struct ht_papers *papers = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(in.len + 1);
	const char *why = NULL, *name, *last = NULL;

	if (ht_papers_open(in, &papers, &why) != HT_OK) {
		HT_ASSERT(why != NULL);
		return;
	}
	while ((name = ht_papers_unused(papers)) != NULL && name != last) {
		ask(papers, name);
		last = name;
	}
	if (name != NULL)
		return; /* of a kind that nobody asks for */
	HT_ASSERT(ht_papers_err(papers, &name) == HT_OK);
	HT_ASSERT(ht_papers_pack(papers, &again) == HT_OK);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), in));
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	fuzz_how(HT_SLICE(in, in_len));
	fuzz_papers(HT_SLICE(in, in_len));
	return 0;
}
