/*
 * Any bytes as text, time, hex and base64: what is accepted means one thing,
 * and goes back to what it was.
 */
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/limits.h"
#include "lib/base/panic.h"
#include "lib/base/text.h"
#include "tests/fuzz/fuzz.h"

static void
text_is_safe(struct ht_slice in)
{
	HT_AUTO(ht_buf_fini) struct ht_buf safe = HT_BUF(16 << 20);
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(16 << 20);

	ht_text_safe(&safe, in);
	HT_ASSERT(safe.err == HT_OK);
	HT_ASSERT(ht_utf8_valid(ht_buf_slice(&safe)));
	for (size_t i = 0; i < safe.len; i++)
		HT_ASSERT(safe.at[i] >= ' ' && safe.at[i] != 0x7f);
	/* Nothing is left to escape. */
	ht_text_safe(&again, ht_buf_slice(&safe));
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&safe), ht_buf_slice(&again)));
}

static void
cuts_are_between_characters(struct ht_slice in)
{
	bool valid = ht_utf8_valid(in);

	HT_ASSERT((ht_utf8_count(in) > 0) == (valid && in.len > 0));
	for (size_t max = 0; max < in.len && max < 64; max++) {
		size_t cut = ht_utf8_cut(in, max);

		HT_ASSERT(cut <= max && max - cut <= 3);
		if (valid)
			HT_ASSERT(ht_utf8_valid(HT_SLICE(in.at, cut)));
	}
}

static void
gb18030_becomes_text(struct ht_slice in)
{
	HT_AUTO(ht_buf_fini) struct ht_buf utf8 = HT_BUF(16 << 20);
	HT_AUTO(ht_buf_fini) struct ht_buf gb = HT_BUF(16 << 20);
	size_t bad = 0;

	if (ht_text_from_gb18030(in, &utf8, &bad) != HT_OK) {
		HT_ASSERT(bad < in.len);
		return;
	}
	HT_ASSERT(ht_utf8_valid(ht_buf_slice(&utf8)));
	HT_ASSERT(ht_text_to_gb18030(ht_buf_slice(&utf8), &gb, &bad) == HT_OK);
}

static void
a_time_has_one_meaning(struct ht_slice in)
{
	char text[HT_TIME_SIZE];
	uint64_t us = 0, again = 1;

	if (ht_time_parse(in, &us) != HT_OK)
		return;
	ht_time_text(text, us);
	HT_ASSERT(ht_time_parse(ht_slice_str(text), &again) == HT_OK);
	HT_ASSERT(us == again);
}

static void
base64_has_one_form(struct ht_slice in)
{
	uint8_t bytes[3000];
	char text[HT_B64_SIZE(sizeof(bytes))];
	size_t len = 0;

	if (ht_unb64(in, bytes, sizeof(bytes), &len) != HT_OK)
		return;
	ht_b64(text, bytes, len);
	HT_ASSERT(ht_slice_is(in, text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	struct ht_slice text = HT_SLICE(in, in_len);

	text_is_safe(text);
	cuts_are_between_characters(text);
	gb18030_becomes_text(text);
	a_time_has_one_meaning(text);
	base64_has_one_form(text);
	if (ht_name_valid(text))
		HT_ASSERT(in_len <= HT_NAME_MAX && ht_utf8_valid(text));
	return 0;
}
