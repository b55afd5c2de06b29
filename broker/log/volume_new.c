#include "broker/log/volume_new.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/fs.h"

#define STAGE_MAX ((size_t)1 << 20)
/*
 * Gigabytes that are synced at once hold up whoever syncs another file of that
 * disk, and the committer does so all the time.
 */
#define UNSYNCED_MAX ((size_t)32 << 20)

static enum ht_err
flush(struct ht_volume_new *f)
{
	const uint8_t *at = f->stage.at;
	size_t left = f->stage.len;

	while (left > 0) {
		ssize_t n = write(f->fd, at, left);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return HT_ESYSTEM;
		at += n;
		left -= (size_t)n;
	}
	f->unsynced += f->stage.len;
	ht_buf_reset(&f->stage);
	if (f->unsynced < UNSYNCED_MAX)
		return HT_OK;
	f->unsynced = 0;
	return fdatasync(f->fd) == -1 ? HT_ESYSTEM : HT_OK;
}

static enum ht_err
sink(void *arg, struct ht_slice bytes)
{
	struct ht_volume_new *f = arg;
	enum ht_err err = HT_OK;

	while (bytes.len > 0 && err == HT_OK) {
		size_t room = STAGE_MAX - f->stage.len;
		size_t some = bytes.len < room ? bytes.len : room;

		ht_buf_add(&f->stage, bytes.at, some);
		bytes = HT_SLICE(bytes.at + some, bytes.len - some);
		err = f->stage.err;
		if (err == HT_OK && f->stage.len == STAGE_MAX)
			err = flush(f);
	}
	return err;
}

static char *
path_of(const char *dir, uint64_t first, const char *suffix)
{
	char name[HT_VOLUME_NAME], *path = NULL;

	ht_volume_name(first, name);
	return asprintf(&path, "%s/%s%s", dir, name, suffix) == -1 ? NULL
	                                                           : path;
}

enum ht_err
ht_volume_new_begin(const char *dir, const struct ht_volume_head *head,
    struct ht_volume_new *ret)
{
	struct ht_volume_sink to = {sink, ret};
	enum ht_err err;

	*ret = (struct ht_volume_new){
	    .dir = ht_fs_join(dir, ""),
	    .path = path_of(dir, head->first, ""),
	    .fresh = path_of(dir, head->first, HT_VOLUME_FRESH),
	    .fd = -1,
	    .stage = HT_BUF(STAGE_MAX),
	};
	if (ret->dir == NULL || ret->path == NULL || ret->fresh == NULL)
		return HT_ENOMEM;
	err = ht_fs_mkdirs(dir, 0700);
	if (err != HT_OK)
		return err;
	ret->fd =
	    open(ret->fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (ret->fd == -1)
		return HT_ESYSTEM;
	return ht_volume_begin(head, &to, &ret->writer);
}

/* ---- reading back ---- */

static enum ht_err
go_on(void *arg, uint64_t seq, const struct ht_volume_entry *entry)
{
	const atomic_bool *stop = arg;

	(void)seq;
	(void)entry;
	return stop != NULL && atomic_load(stop) ? HT_EAGAIN : HT_OK;
}

static enum ht_err
read_back(const struct ht_volume_new *f, const struct ht_vkey *vkey,
    const atomic_bool *stop)
{
	HT_AUTO(ht_volume_close) struct ht_volume *volume = NULL;
	uint64_t bad;
	enum ht_err err = ht_volume_open_file(f->fresh, 0, 0, &volume);

	if (err == HT_OK)
		err = ht_volume_check(
		    volume, vkey, go_on, (void *)(uintptr_t)stop, &bad);
	return err == HT_EBADSIG || err == HT_ENOTFOUND ? HT_EINTEGRITY : err;
}

enum ht_err
ht_volume_new_end(struct ht_volume_new *f, struct ht_slice note,
    const struct ht_vkey *vkey, const atomic_bool *stop)
{
	enum ht_err err = ht_volume_finish(f->writer, note);

	if (err == HT_OK)
		err = flush(f);
	if (err == HT_OK && fsync(f->fd) == -1)
		err = HT_ESYSTEM;
	if (err != HT_OK)
		return err;
	/* Who reads it back should read what is on the disk. */
	(void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
	err = read_back(f, vkey, stop);
	if (err == HT_OK && rename(f->fresh, f->path) == -1)
		err = HT_ESYSTEM;
	if (err != HT_OK)
		return err;
	f->named = true;
	return ht_fs_sync_dir(f->dir);
}

void
ht_volume_new_fini(struct ht_volume_new *f)
{
	int failed = errno;

	/* Its room is needed more than what was written of it. */
	if (f->fd != -1 && !f->named)
		(void)unlink(f->fresh);
	ht_fd_close(&f->fd);
	ht_volume_writer_free(&f->writer);
	ht_buf_fini(&f->stage);
	free(f->dir);
	free(f->path);
	free(f->fresh);
	errno = failed;
}
