/*
 * vault_copy.c -- segments, byte by byte, into the folder of a copy: pieces
 * are bound to their places, so they keep them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/log/vault.h"
#include "lib/base/fs.h"

#define BITE ((size_t)1 << 20)

static int
open_in(const char *dir, uint32_t segment, int flags)
{
	HT_AUTO(ht_mem_free) char *path = NULL;
	char name[HT_SEGMENT_NAME];

	ht_segment_name(segment, name);
	path = ht_fs_join(dir, name);
	if (path == NULL) {
		errno = ENOMEM;
		return -1;
	}
	return open(path, flags | O_CLOEXEC, 0600);
}

static enum ht_err
write_all(int fd, const uint8_t *bytes, size_t len, uint64_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, bytes, len, (off_t)at);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return HT_ESYSTEM;
		bytes += n;
		len -= (size_t)n;
		at += (uint64_t)n;
	}
	return HT_OK;
}

static enum ht_err
copy_bytes(int from, int to, uint64_t at, uint64_t end)
{
	HT_AUTO(ht_mem_free) uint8_t *bite = malloc(BITE);
	enum ht_err err = bite == NULL ? HT_ENOMEM : HT_OK;

	while (at < end && err == HT_OK) {
		size_t want = end - at < BITE ? (size_t)(end - at) : BITE;
		ssize_t n = pread(from, bite, want, (off_t)at);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? HT_EINTEGRITY : HT_ESYSTEM;
		err = write_all(to, bite, (size_t)n, at);
		at += (uint64_t)n;
	}
	return err;
}

/*
 * On the disk, and out of the cache, as far as the kernel agrees: who reads it
 * back to verify it should read what is there.
 */
static enum ht_err
settle(int fd, uint64_t end)
{
	if (ftruncate(fd, (off_t)end) == -1 || fsync(fd) == -1)
		return HT_ESYSTEM;
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return HT_OK;
}

/* Of one segment, from @at up to @end, or with 0 to the end of its file. */
static enum ht_err
copy_segment(const char *from, const char *to, struct ht_vault_place at,
    uint64_t end, uint64_t *bytes)
{
	HT_AUTO(ht_fd_close) int source = open_in(from, at.segment, O_RDONLY);
	HT_AUTO(ht_fd_close) int copy = -1;
	bool fresh = at.offset == 0;
	struct stat st;
	enum ht_err err;

	/* Who needs a piece of it will say so. */
	if (source == -1)
		return errno == ENOENT ? HT_OK : HT_ESYSTEM;
	if (end == 0) {
		if (fstat(source, &st) == -1)
			return HT_ESYSTEM;
		end = (uint64_t)st.st_size;
	}
	if (end <= at.offset)
		return HT_OK;
	copy =
	    open_in(to, at.segment, O_RDWR | O_CREAT | (fresh ? O_TRUNC : 0));
	if (copy == -1)
		return HT_ESYSTEM;
	err = copy_bytes(source, copy, at.offset, end);
	if (err == HT_OK)
		err = settle(copy, end);
	*bytes += end - at.offset;
	return err == HT_OK && fresh ? ht_fs_sync_dir(to) : err;
}

enum ht_err
ht_vault_copy(const char *from, const char *to, struct ht_vault_place *at,
    struct ht_vault_place upto, uint64_t *bytes)
{
	enum ht_err err = HT_OK;

	while (err == HT_OK && at->segment < upto.segment) {
		err = copy_segment(from, to, *at, 0, bytes);
		*at = (struct ht_vault_place){at->segment + 1, 0};
	}
	if (err == HT_OK && at->offset < upto.offset) {
		err = copy_segment(from, to, *at, upto.offset, bytes);
		*at = upto;
	}
	return err;
}
