/*
 * What a sender put inside a seal.  A request that is accepted is written back
 * byte for byte; so is a response, but for the words of its reasons, which
 * are written anew: from then on nothing changes.
 */
#include <string.h>

#include "lib/base/panic.h"
#include "schemas/content.h"
#include "tests/fuzz/fuzz.h"

static void
play_request(struct ht_slice in)
{
	HT_AUTO(ht_request_fini) struct ht_request req = {0};
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(in.len);
	const char *why = NULL;

	if (ht_request_decode(in, &req, &why) != HT_OK) {
		HT_ASSERT(why != NULL && req.params == NULL);
		return;
	}
	HT_ASSERT(ht_request_encode(&req, &out) == HT_OK);
	HT_ASSERT(ht_slice_eq(in, ht_buf_slice(&out)));
}

static void
play_response(struct ht_slice in)
{
	HT_AUTO(ht_response_fini) struct ht_response resp = {0};
	HT_AUTO(ht_response_fini) struct ht_response back = {0};
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(in.len + 16384);
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(in.len + 16384);
	const char *why = NULL;

	if (ht_response_decode(in, &resp, &why) != HT_OK) {
		HT_ASSERT(why != NULL && resp.records == NULL);
		return;
	}
	HT_ASSERT(ht_response_encode(&resp, &out) == HT_OK);
	if (resp.reasons.n == 0)
		HT_ASSERT(ht_slice_eq(in, ht_buf_slice(&out)));
	HT_ASSERT(ht_response_decode(ht_buf_slice(&out), &back, NULL) == HT_OK);
	HT_ASSERT(ht_response_encode(&back, &again) == HT_OK);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&out), ht_buf_slice(&again)));
}

/* The commitment is taken as it is claimed: what is left are the lengths. */
static void
play_frame(struct ht_slice in)
{
	struct ht_slice r, content;
	struct ht_hash commit = {{0}};
	enum ht_err err;

	err = ht_content_unwrap(in, &commit, &r, &content);
	HT_ASSERT(err == HT_EMALFORMED || err == HT_EBADSIG);
	if (err == HT_EMALFORMED)
		return;
	content = HT_SLICE(in.at + HT_CONTENT_OFFSET, ht_load32(in.at + 32));
	commit = ht_content_commit(in.at, content);
	HT_ASSERT(ht_content_unwrap(in, &commit, &r, &content) == HT_OK);
	HT_ASSERT(content.at + content.len <= in.at + in.len);
	play_request(content);
	play_response(content);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	play_request(HT_SLICE(in, in_len));
	play_response(HT_SLICE(in, in_len));
	play_frame(HT_SLICE(in, in_len));
	return 0;
}
