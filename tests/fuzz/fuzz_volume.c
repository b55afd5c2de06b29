/*
 * A volume that holds, written again, is the same bytes: there is one form.
 * The first byte says what the rest is: a file, the head of a member of an
 * archive, or a block of as many entries.
 */
#include <string.h>

#include "broker/log/tar.h"
#include "broker/log/volume.h"
#include "lib/base/panic.h"
#include "tests/fuzz/fuzz.h"

#define FILE_BYTE 0
#define TAR_BYTE  255

static enum ht_err
from_slice(void *arg, uint64_t at, void *out, size_t len)
{
	const struct ht_slice *bytes = arg;

	if (at > bytes->len || len > bytes->len - at)
		return HT_EINTEGRITY;
	memcpy(out, bytes->at + at, len);
	return HT_OK;
}

static enum ht_err
to_buf(void *arg, struct ht_slice bytes)
{
	struct ht_buf *out = arg;

	ht_buf_add(out, bytes.at, bytes.len);
	return out->err;
}

static enum ht_err
add(void *arg, uint64_t seq, const struct ht_volume_entry *entry)
{
	(void)seq;
	return ht_volume_add(arg, entry);
}

static void
write_again(struct ht_volume *v, struct ht_slice bytes)
{
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(bytes.len);
	HT_AUTO(ht_volume_writer_free) struct ht_volume_writer *w = NULL;
	struct ht_volume_sink sink = {to_buf, &again};
	uint64_t bad;

	HT_ASSERT(ht_volume_begin(ht_volume_head(v), &sink, &w) == HT_OK);
	HT_ASSERT(ht_volume_check(v, NULL, add, w, &bad) == HT_OK);
	HT_ASSERT(ht_volume_finish(w, ht_volume_note(v)) == HT_OK);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), bytes));
}

static void
read_file(struct ht_slice bytes)
{
	HT_AUTO(ht_volume_close) struct ht_volume *v = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	struct ht_volume_source source = {
	    .read = from_slice, .arg = &bytes, .len = bytes.len};
	uint64_t bad;

	if (ht_volume_open(&source, &v) != HT_OK)
		return;
	(void)!ht_volume_read(v, ht_volume_head(v)->end - 1, &leaf, NULL);
	if (ht_volume_check(v, NULL, NULL, NULL, &bad) == HT_OK)
		write_again(v, bytes);
}

static void
read_block(unsigned n, struct ht_slice bytes)
{
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(bytes.len);
	struct ht_volume_entry entries[HT_VOLUME_BLOCK];

	if (ht_volume_block(bytes, n, entries) != HT_OK)
		return;
	for (unsigned i = 0; i < n; i++) {
		ht_buf_u16(&again, (uint16_t)entries[i].leaf.len);
		ht_buf_add(&again, entries[i].leaf.at, entries[i].leaf.len);
		ht_buf_u16(&again, (uint16_t)entries[i].evidence.len);
		if (entries[i].evidence.len > 0)
			ht_buf_add(&again, entries[i].evidence.at,
			    entries[i].evidence.len);
	}
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), bytes));
}

/* Whatever is taken can be written, and is then read as the same. */
static void
read_tar(struct ht_slice bytes)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_TAR_BLOCK);
	uint8_t block[HT_TAR_BLOCK] = {0};
	char name[HT_TAR_NAME], again[HT_TAR_NAME];
	uint64_t len, same;

	memcpy(block, bytes.at,
	    bytes.len < sizeof(block) ? bytes.len : sizeof(block));
	if (ht_tar_parse(block, name, &len) != HT_OK)
		return;
	HT_ASSERT(ht_tar_head(&out, name, 0600, 0, len) == HT_OK);
	HT_ASSERT(ht_tar_parse(out.at, again, &same) == HT_OK);
	HT_ASSERT(same == len && strcmp(name, again) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	struct ht_volume_said said;

	if (in_len == 0)
		return 0;
	(void)!ht_volume_said_decode(HT_SLICE(in + 1, in_len - 1), &said);
	if (in[0] == FILE_BYTE)
		read_file(HT_SLICE(in + 1, in_len - 1));
	else if (in[0] == TAR_BYTE)
		read_tar(HT_SLICE(in + 1, in_len - 1));
	else
		read_block(in[0] % (HT_VOLUME_BLOCK + 1),
		    HT_SLICE(in + 1, in_len - 1));
	return 0;
}
