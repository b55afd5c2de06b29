/*
 * Anything may arrive.  Whatever the check accepts, msgpack-c accepts as well
 * (so that nothing of ours is a dialect), a walk with the reader comes to its
 * end, and reading and writing it anew gives the same bytes: the profile
 * leaves one encoding for every value.
 */
#include <string.h>

#include <msgpack.h>

#include "lib/base/panic.h"
#include "schemas/pack.h"
#include "tests/fuzz/fuzz.h"

static void
copy(struct ht_unpack *u, struct ht_buf *out)
{
	uint32_t n;

	switch (ht_unpack_peek(u)) {
	case HT_PACK_NIL:
		ht_unpack_nil(u);
		ht_pack_nil(out);
		return;
	case HT_PACK_BOOL:
		ht_pack_bool(out, ht_unpack_bool(u));
		return;
	case HT_PACK_INT:
		if (u->at[0] == 0xcf)
			ht_pack_uint(out, ht_unpack_uint(u, UINT64_MAX));
		else
			ht_pack_int(out, ht_unpack_int(u));
		return;
	case HT_PACK_FLOAT:
		ht_pack_float(out, ht_unpack_float(u));
		return;
	case HT_PACK_STR:
		ht_pack_str(out, ht_unpack_str(u, SIZE_MAX));
		return;
	case HT_PACK_BIN: {
		struct ht_slice bin = ht_unpack_bin(u, SIZE_MAX);

		ht_pack_bin(out, bin.at, bin.len);
		return;
	}
	case HT_PACK_ARRAY:
		n = ht_unpack_array(u, UINT32_MAX);
		ht_pack_array(out, n);
		for (; n > 0; n--)
			copy(u, out);
		return;
	case HT_PACK_MAP:
		n = 2 * ht_unpack_map(u, UINT32_MAX / 2);
		ht_pack_map(out, n / 2);
		for (; n > 0; n--)
			copy(u, out);
		return;
	}
}

static void
check_differential(struct ht_slice in)
{
	msgpack_unpacked unpacked;
	size_t off = 0;

	msgpack_unpacked_init(&unpacked);
	HT_ASSERT(msgpack_unpack_next(&unpacked, (const char *)in.at, in.len,
	              &off) == MSGPACK_UNPACK_SUCCESS);
	HT_ASSERT(off == in.len);
	msgpack_unpacked_destroy(&unpacked);
}

static void
check_json(struct ht_slice in)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(in.len);
	HT_AUTO(ht_json_free) json_t *json = NULL;
	enum ht_err err = ht_pack_to_json(in, &json);

	if (err != HT_OK) {
		HT_ASSERT(err == HT_EINVALID && json == NULL);
		return;
	}
	HT_ASSERT(ht_pack_from_json(json, &out) == HT_OK);
	HT_ASSERT(ht_slice_eq(in, ht_buf_slice(&out)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	struct ht_slice bytes = HT_SLICE(in, in_len);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(in_len);
	size_t at = SIZE_MAX;
	const char *why = NULL;
	struct ht_unpack u = ht_unpack(bytes);
	struct ht_unpack skip = ht_unpack(bytes);

	/* The reader is safe on bytes that nobody checked, too. */
	(void)ht_unpack_raw(&skip);
	if (ht_pack_check(bytes, &at, &why) != HT_OK) {
		HT_ASSERT(at <= in_len && why != NULL);
		return 0;
	}
	HT_ASSERT(ht_unpack_end(&skip) == HT_OK);
	copy(&u, &out);
	HT_ASSERT(ht_unpack_end(&u) == HT_OK);
	HT_ASSERT(out.err == HT_OK);
	HT_ASSERT(ht_slice_eq(bytes, ht_buf_slice(&out)));
	check_differential(bytes);
	check_json(bytes);
	return 0;
}
