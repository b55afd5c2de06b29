/*
 * anchor.c -- two slots, written in turn (docs/log-format.md, "anchor").
 *
 *   "hutong-anchor/1\n"  counter u64  size u64  root 32
 *   length u16  note  zeroes to 992  BLAKE2b-256 of the first 992
 */
#include "broker/log/anchor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/panic.h"

#define MAGIC  "hutong-anchor/1\n"
#define BODY   (HT_ANCHOR_SLOT - HT_HASH_SIZE)
#define LENGTH (2 * HT_ANCHOR_STRIDE)

_Static_assert(sizeof(MAGIC) - 1 + 8 + 8 + 32 + 2 + HT_ANCHOR_NOTE_MAX == BODY,
    "a slot is full to the byte");

static struct ht_hash
slot_sum(const uint8_t slot[static HT_ANCHOR_SLOT])
{
	struct ht_slice body = HT_SLICE(slot, BODY);

	return ht_blake2b(&body, 1);
}

/* Take the slot into @anchor if it holds and is newer. */
static void
consider(struct ht_anchor *anchor, const uint8_t slot[static HT_ANCHOR_SLOT])
{
	struct ht_cur cur = ht_cur(HT_SLICE(slot, BODY));
	struct ht_hash sum = slot_sum(slot);
	struct ht_slice magic = ht_cur_take(&cur, sizeof(MAGIC) - 1);
	uint64_t counter = ht_cur_u64(&cur), size = ht_cur_u64(&cur);
	struct ht_hash root;
	struct ht_slice note;

	if (memcmp(sum.at, slot + BODY, HT_HASH_SIZE) != 0 ||
	    !ht_slice_is(magic, MAGIC) || counter <= anchor->counter)
		return;
	ht_cur_copy(&cur, root.at, sizeof(root.at));
	note = ht_cur_bytes16(&cur);
	if (cur.err != HT_OK)
		return;
	anchor->counter = counter;
	anchor->size = size;
	anchor->root = root;
	anchor->note_len = note.len;
	memcpy(anchor->note, note.at, note.len);
}

static enum ht_err
read_slots(struct ht_anchor *anchor)
{
	for (int i = 0; i < 2; i++) {
		uint8_t slot[HT_ANCHOR_SLOT];
		ssize_t n = pread(anchor->fd, slot, sizeof(slot),
		    (off_t)i * HT_ANCHOR_STRIDE);

		if (n == -1)
			return HT_ESYSTEM;
		if (n == sizeof(slot))
			consider(anchor, slot);
	}
	return HT_OK;
}

enum ht_err
ht_anchor_open(const char *path, bool write, struct ht_anchor *ret)
{
	struct ht_anchor a = {.fd = -1};
	enum ht_err err;

	a.fd = open(path,
	    write ? O_RDWR | O_CREAT | O_DSYNC | O_CLOEXEC
	          : O_RDONLY | O_CLOEXEC,
	    0600);
	if (a.fd == -1)
		return errno == ENOENT ? HT_ENOTFOUND : HT_ESYSTEM;
	/* Blocks now, so that no write later needs the file to grow. */
	if (write && posix_fallocate(a.fd, 0, LENGTH) != 0) {
		ht_fd_close(&a.fd);
		return HT_ESYSTEM;
	}
	err = read_slots(&a);
	if (err != HT_OK) {
		ht_fd_close(&a.fd);
		return err;
	}
	*ret = a;
	return HT_OK;
}

void
ht_anchor_close(struct ht_anchor *anchor)
{
	ht_fd_close(&anchor->fd);
}

enum ht_err
ht_anchor_write(struct ht_anchor *anchor, uint64_t size,
    const struct ht_hash *root, struct ht_slice note)
{
	uint8_t slot[HT_ANCHOR_SLOT] = MAGIC;
	uint8_t *at = slot + sizeof(MAGIC) - 1;
	uint64_t counter = anchor->counter + 1;
	struct ht_hash sum;

	HT_ASSERT(size >= anchor->size);
	if (note.len > HT_ANCHOR_NOTE_MAX)
		return HT_ETOOBIG;
	ht_be64(at, counter);
	ht_be64(at + 8, size);
	memcpy(at + 16, root->at, HT_HASH_SIZE);
	ht_be16(at + 48, (uint16_t)note.len);
	memcpy(at + 50, note.at, note.len);
	sum = slot_sum(slot);
	memcpy(slot + BODY, sum.at, sizeof(sum.at));
	if (pwrite(anchor->fd, slot, sizeof(slot),
	        (off_t)(counter & 1) * HT_ANCHOR_STRIDE) != sizeof(slot))
		return HT_ESYSTEM;
	anchor->counter = counter;
	anchor->size = size;
	anchor->root = *root;
	anchor->note_len = note.len;
	memcpy(anchor->note, note.at, note.len);
	return HT_OK;
}
