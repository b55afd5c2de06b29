/*
 * A bundle that is accepted is written back byte for byte, and any part of it
 * has the same root.
 */
#include "lib/base/panic.h"
#include "schemas/bundle.h"
#include "tests/fuzz/fuzz.h"

static void
play_part(const struct ht_bundle *whole)
{
	static struct ht_bundle part, back;
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4 << 20);
	uint32_t keep[HT_BUNDLE_MAX], n = 0;
	struct ht_unpack u;

	for (uint32_t i = 0; i < whole->n_records; i++)
		if (whole->records[i].header.len % 2 == 0)
			keep[n++] = i;
	if (n == 0)
		return;
	HT_ASSERT(ht_bundle_part(whole, keep, n, &part) == HT_OK);
	ht_bundle_pack(&out, &part);
	u = ht_unpack(ht_buf_slice(&out));
	HT_ASSERT(ht_bundle_unpack(&u, &back, NULL) == HT_OK);
	HT_ASSERT(ht_hash_eq(&back.root, &whole->root));
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	static struct ht_bundle bundle;
	struct ht_slice bytes = HT_SLICE(in, in_len);
	struct ht_unpack u = ht_unpack(bytes);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(in_len);
	const char *why = NULL;
	enum ht_err err = ht_bundle_unpack(&u, &bundle, &why);

	HT_ASSERT(err == u.err);
	if (err != HT_OK) {
		HT_ASSERT(why != NULL);
		return 0;
	}
	if (ht_unpack_end(&u) != HT_OK ||
	    ht_pack_check(bytes, NULL, NULL) != HT_OK)
		return 0;
	ht_bundle_pack(&out, &bundle);
	HT_ASSERT(ht_slice_eq(bytes, ht_buf_slice(&out)));
	if (bundle.n_left == 0)
		play_part(&bundle);
	return 0;
}
