#include "lib/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/panic.h"

static enum ht_err
from_errno(void)
{
	switch (errno) {
	case ENOENT:
		return HT_ENOTFOUND;
	case ENOMEM:
		return HT_ENOMEM;
	default:
		return HT_ESYSTEM;
	}
}

/* ---- reading ---- */

#define READ_CHUNK 16384

/* What comes, up to @max; -1 and errno. */
static ssize_t
read_some(int fd, uint8_t *to, size_t max)
{
	ssize_t n;

	do
		n = read(fd, to, max);
	while (n == -1 && errno == EINTR);
	return n;
}

/* Of megabytes nothing is copied twice. */
static enum ht_err
read_sized(int fd, struct ht_buf *buf, size_t size)
{
	size_t before = buf->len, have = 0;
	uint8_t *room = ht_buf_room(buf, size);
	ssize_t n = 1;

	if (room == NULL)
		return buf->err;
	while (have < size && n > 0) {
		n = read_some(fd, room + have, size - have);
		if (n > 0)
			have += (size_t)n;
	}
	buf->len = before + have;
	return n == -1 ? HT_ESYSTEM : HT_OK;
}

/*
 * Until the end; one byte past the limit is asked for, to know of it.  @size is
 * what it was a moment ago, and may have changed since.
 */
static enum ht_err
read_all(int fd, struct ht_buf *buf, size_t size)
{
	uint8_t chunk[READ_CHUNK];
	enum ht_err err = size > 0 ? read_sized(fd, buf, size) : HT_OK;

	while (err == HT_OK) {
		ssize_t n = read_some(fd, chunk, sizeof(chunk));

		if (n == -1)
			return HT_ESYSTEM;
		if (n == 0)
			break;
		ht_buf_add(buf, chunk, (size_t)n);
		err = buf->err;
	}
	return err;
}

enum ht_err
ht_fs_read(const char *path, struct ht_buf *ret)
{
	HT_AUTO(ht_fd_close) int fd = -1;
	struct stat st;

	/* O_NONBLOCK: a pipe put there must not hang us at open. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1)
		return from_errno();
	if (fstat(fd, &st) == -1)
		return HT_ESYSTEM;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return HT_ESYSTEM;
	}
	/* What claims gigabytes is not read up to the limit first. */
	if (st.st_size > 0 && (uint64_t)st.st_size > ret->max - ret->len)
		return HT_ETOOBIG;
	return read_all(fd, ret, st.st_size > 0 ? (size_t)st.st_size : 0);
}

/* ---- destroying ---- */

static enum ht_err
zero_all(int fd, off_t size)
{
	static const uint8_t zeros[1 << 16];
	off_t at = 0;

	while (at < size) {
		size_t some = size - at < (off_t)sizeof(zeros)
		                  ? (size_t)(size - at)
		                  : sizeof(zeros);
		ssize_t n = pwrite(fd, zeros, some, at);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return HT_ESYSTEM;
		at += n;
	}
	return fsync(fd) == -1 ? HT_ESYSTEM : HT_OK;
}

enum ht_err
ht_fs_shred(const char *path)
{
	HT_AUTO(ht_fd_close) int fd = -1;
	struct stat st;
	enum ht_err err;

	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd == -1)
		return from_errno();
	if (fstat(fd, &st) == -1)
		return HT_ESYSTEM;
	err = zero_all(fd, st.st_size);
	if (err == HT_OK && unlink(path) == -1)
		err = HT_ESYSTEM;
	return err;
}

/* ---- writing ---- */

char *
ht_fs_join(const char *dir, const char *name)
{
	size_t len = strlen(dir);
	const char *slash = len > 0 && dir[len - 1] == '/' ? "" : "/";
	char *path;

	return asprintf(&path, "%s%s%s", dir, slash, name) == -1 ? NULL : path;
}

/* The folder a path is in; caller frees. */
static char *
parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	if (slash == path)
		return strdup("/");
	return strndup(path, (size_t)(slash - path));
}

enum ht_err
ht_fs_sync_dir(const char *path)
{
	HT_AUTO(ht_fd_close) int fd = -1;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return from_errno();
	return fsync(fd) == -1 ? HT_ESYSTEM : HT_OK;
}

static enum ht_err
write_all(int fd, struct ht_slice bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.at, bytes.len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return HT_ESYSTEM;
		bytes = HT_SLICE(bytes.at + n, bytes.len - (size_t)n);
	}
	return HT_OK;
}

/*
 * Everything in a new file beside `path`, on disk.  *ret_tmp is its name; the
 * caller unlinks (if it is still there) and frees it.
 */
static enum ht_err
write_beside(
    const char *path, mode_t mode, struct ht_slice bytes, char **ret_tmp)
{
	HT_AUTO(ht_fd_close) int fd = -1;
	HT_AUTO(ht_mem_free) char *tmp = NULL;
	enum ht_err err;

	if (asprintf(&tmp, "%s.XXXXXX", path) == -1) {
		tmp = NULL;
		return HT_ENOMEM;
	}
	fd = mkostemp(tmp, O_CLOEXEC); /* 0600 until all is in it */
	if (fd == -1)
		return from_errno();
	err = write_all(fd, bytes);
	if (err == HT_OK && (fchmod(fd, mode) == -1 || fsync(fd) == -1))
		err = HT_ESYSTEM;
	if (err != HT_OK) {
		int why = errno;

		(void)unlink(tmp);
		errno = why;
		return err;
	}
	*ret_tmp = HT_TAKE(tmp);
	return HT_OK;
}

static enum ht_err
sync_parent(const char *path)
{
	HT_AUTO(ht_mem_free) char *dir = parent(path);

	return dir == NULL ? HT_ENOMEM : ht_fs_sync_dir(dir);
}

enum ht_err
ht_fs_create(const char *path, mode_t mode, struct ht_slice bytes)
{
	HT_AUTO(ht_mem_free) char *tmp = NULL;
	enum ht_err err = write_beside(path, mode, bytes, &tmp);
	int rc, why;

	if (err != HT_OK)
		return err;
	/* link(2), unlike rename(2), fails if the name is taken. */
	rc = link(tmp, path);
	why = errno;
	(void)unlink(tmp);
	errno = why;
	if (rc == -1)
		return why == EEXIST ? HT_EEXISTS : HT_ESYSTEM;
	return sync_parent(path);
}

enum ht_err
ht_fs_replace(const char *path, mode_t mode, struct ht_slice bytes)
{
	HT_AUTO(ht_mem_free) char *tmp = NULL;
	enum ht_err err = write_beside(path, mode, bytes, &tmp);

	if (err != HT_OK)
		return err;
	if (rename(tmp, path) == -1) {
		int why = errno;

		(void)unlink(tmp);
		errno = why;
		return HT_ESYSTEM;
	}
	return sync_parent(path);
}

/*
 * One folder, whose name outlives a power cut; an existing one is fine, an
 * existing file is not.
 */
static enum ht_err
make_dir(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return sync_parent(path);
	if (errno != EEXIST)
		return from_errno();
	if (stat(path, &st) == -1)
		return from_errno();
	if (S_ISDIR(st.st_mode))
		return HT_OK;
	errno = ENOTDIR;
	return HT_ESYSTEM;
}

enum ht_err
ht_fs_mkdirs(const char *path, mode_t mode)
{
	HT_AUTO(ht_mem_free) char *walk = strdup(path);

	if (walk == NULL)
		return HT_ENOMEM;
	for (char *at = walk + 1; walk[0] != '\0' && *at != '\0'; at++) {
		enum ht_err err;

		if (*at != '/')
			continue;
		*at = '\0';
		err = make_dir(walk, mode);
		*at = '/';
		if (err != HT_OK)
			return err;
	}
	return make_dir(path, mode);
}

/* ---- randomness ---- */

void
ht_random(void *out, size_t len)
{
	uint8_t *at = out;

	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);

		if (n == -1 && errno == EINTR)
			continue;
		HT_ASSERT(n > 0);
		at += n;
		len -= (size_t)n;
	}
}

bool
ht_fs_set_aside(int fd, uint64_t end, uint64_t bytes)
{
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)end, (off_t)bytes) == 0)
		return true;
	return errno != ENOSPC && errno != EDQUOT && errno != EFBIG;
}
