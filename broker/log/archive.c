/*
 * archive.c -- writing the archive of a volume: from files alone, so that
 * neither a lock nor a database is needed.
 */
#include "broker/log/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/log/archive_in.h"
#include "broker/log/tar.h"
#include "keys/proof.h"
#include "lib/base/fs.h"

#define BITE ((size_t)1 << 20)

struct writing {
	const char *dir;
	const struct ht_archive_prover *prover; /* NULL: none */
	struct ht_report *report;
	char *volumes, *vault;
	struct ht_volume *volume;
	struct ht_archive_wants wants;
	int fd;
	struct ht_buf bite, sums;
};

/* ---- which ---- */

static enum ht_err
try_file(struct writing *w, const char *name, uint64_t seq)
{
	HT_AUTO(ht_volume_close) struct ht_volume *volume = NULL;
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(w->volumes, name);
	uint64_t first;
	enum ht_err err;

	if (path == NULL)
		return HT_ENOMEM;
	if (ht_volume_name_parse(name, &first) != HT_OK || first > seq)
		return HT_OK;
	err = ht_volume_open_file(path, 0, 0, &volume);
	if (err == HT_EINTEGRITY)
		ht_report_add(w->report, path,
		    "this is not the file that was written; put back the one "
		    "of a backup");
	if (err == HT_OK && seq < ht_volume_head(volume)->end)
		w->volume = HT_TAKE(volume);
	return err;
}

static enum ht_err
find(struct writing *w, uint64_t seq)
{
	DIR *dir = opendir(w->volumes);
	struct dirent *at;
	enum ht_err err = HT_OK;

	while (dir != NULL && err == HT_OK && w->volume == NULL &&
	       (at = readdir(dir)) != NULL)
		err = try_file(w, at->d_name, seq);
	if (dir != NULL)
		closedir(dir);
	if (err != HT_OK || w->volume != NULL)
		return err;
	ht_report_add(w->report, w->volumes,
	    "no closed volume has entry %" PRIu64
	    "; hutong-broker ctl volumes says how far they go",
	    seq);
	return HT_ENOTFOUND;
}

/* ---- members ---- */

static enum ht_err
write_all(int fd, const uint8_t *at, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return HT_ESYSTEM;
		at += n;
		len -= (size_t)n;
	}
	return HT_OK;
}

static enum ht_err
put_bite(struct writing *w)
{
	enum ht_err err = w->bite.err;

	if (err == HT_OK)
		err = write_all(w->fd, w->bite.at, w->bite.len);
	ht_buf_reset(&w->bite);
	return err;
}

/* Exactly as long as its head said, whatever is appended meanwhile. */
static enum ht_err
put_bytes(struct writing *w, int from, uint64_t len, struct ht_sha256_run *run)
{
	static const uint8_t zeros[HT_TAR_BLOCK];
	uint64_t left = len;
	enum ht_err err = HT_OK;

	while (left > 0 && err == HT_OK) {
		size_t want = left < BITE ? (size_t)left : BITE;
		uint8_t *room = ht_buf_room(&w->bite, want);
		ssize_t n = room == NULL ? -1 : read(from, room, want);

		if (n <= 0)
			return room == NULL ? HT_ENOMEM
			       : n == 0     ? HT_EINTEGRITY
			                    : HT_ESYSTEM;
		w->bite.len = (size_t)n;
		ht_sha256_add(run, ht_buf_slice(&w->bite));
		left -= (uint64_t)n;
		err = put_bite(w);
	}
	return err == HT_OK ? write_all(w->fd, zeros, HT_TAR_PAD(len)) : err;
}

static enum ht_err
put_file(
    struct writing *w, const char *folder, const char *below, const char *name)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(folder, name);
	HT_AUTO(ht_fd_close) int fd = -1;
	char member[HT_TAR_NAME], hex[2 * HT_HASH_SIZE + 1];
	struct ht_sha256_run run;
	struct ht_hash sum;
	struct stat st;
	enum ht_err err;

	if (path == NULL)
		return HT_ENOMEM;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1) {
		ht_report_add(w->report, path, "%s", strerror(errno));
		return HT_ESYSTEM;
	}
	(void)snprintf(
	    member, sizeof(member), HT_ARCHIVE_DIR "%s/%s", below, name);
	err = ht_tar_head(&w->bite, member, 0600, (uint64_t)st.st_mtime,
	    (uint64_t)st.st_size);
	if (err == HT_OK)
		err = put_bite(w);
	ht_sha256_begin(&run);
	if (err == HT_OK)
		err = put_bytes(w, fd, (uint64_t)st.st_size, &run);
	sum = ht_sha256_end(&run);
	ht_hex(hex, sum.at, HT_HASH_SIZE);
	ht_buf_fmt(&w->sums, "%s  %s\n", hex, member + strlen(HT_ARCHIVE_DIR));
	return err == HT_OK ? w->sums.err : err;
}

static enum ht_err
put_segments(struct writing *w)
{
	char name[HT_SEGMENT_NAME];
	enum ht_err err = HT_OK;

	for (uint64_t s = w->wants.low;
	     w->wants.used && s <= w->wants.high && err == HT_OK; s++) {
		ht_segment_name((uint32_t)s, name);
		err = put_file(w, w->vault, "vault", name);
	}
	return err;
}

static enum ht_err
put_lists(struct writing *w)
{
	char name[HT_ERASURE_NAME];
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < w->wants.n_lists && err == HT_OK; i++) {
		ht_erasure_name(w->wants.lists[i], name);
		err = put_file(w, w->vault, "vault", name);
	}
	return err;
}

/* A small member that is in no file: a line of the list, too. */
static enum ht_err
put_made(struct writing *w, const char *name, struct ht_slice bytes)
{
	char member[HT_TAR_NAME], hex[2 * HT_HASH_SIZE + 1];
	struct ht_hash sum = ht_sha256(bytes);
	enum ht_err err;

	(void)snprintf(member, sizeof(member), HT_ARCHIVE_DIR "vault/%s", name);
	ht_hex(hex, sum.at, HT_HASH_SIZE);
	ht_buf_fmt(&w->sums, "%s  %s\n", hex, member + strlen(HT_ARCHIVE_DIR));
	err = ht_tar_add(&w->bite, member, 0600, 0, bytes);
	if (err == HT_OK)
		err = w->sums.err;
	return err == HT_OK ? put_bite(w) : err;
}

static enum ht_err
put_proofs(struct writing *w)
{
	enum ht_err err = HT_OK;

	for (size_t i = 0;
	     w->prover != NULL && i < w->wants.n_lists && err == HT_OK; i++) {
		HT_AUTO(ht_buf_fini)
		struct ht_buf proof = HT_BUF(HT_PROOF_FILE_MAX);
		char name[HT_ARCHIVE_PROOF];

		err =
		    w->prover->prove(w->prover->arg, w->wants.lists[i], &proof);
		ht_archive_proof_name(w->wants.lists[i], name);
		if (err == HT_OK)
			err = put_made(w, name, ht_buf_slice(&proof));
		else if (err == HT_ENOTFOUND)
			err = HT_OK;
	}
	return err;
}

static enum ht_err
put_all(struct writing *w)
{
	char name[HT_VOLUME_NAME];
	enum ht_err err;

	ht_volume_name(ht_volume_head(w->volume)->first, name);
	err = put_file(w, w->volumes, "volumes", name);
	if (err == HT_OK)
		err = put_segments(w);
	if (err == HT_OK)
		err = put_lists(w);
	if (err == HT_OK)
		err = put_proofs(w);
	if (err == HT_OK)
		err = ht_tar_add(
		    &w->bite, HT_ARCHIVE_SUMS, 0600, 0, ht_buf_slice(&w->sums));
	if (err == HT_OK)
		err = ht_tar_end(&w->bite);
	if (err == HT_OK)
		err = put_bite(w);
	if (err == HT_OK && fsync(w->fd) == -1)
		err = HT_ESYSTEM;
	if (err == HT_OK)
		(void)posix_fadvise(w->fd, 0, 0, POSIX_FADV_DONTNEED);
	return err;
}

/* ---- all of it ---- */

/* What of the vault belongs to it, by its entries. */
static enum ht_err
look(struct writing *w)
{
	HT_AUTO(ht_vault_close) struct ht_vault *vault = NULL;
	uint64_t bad = 0;
	enum ht_err err =
	    ht_archive_folder(w->vault, ht_volume_head(w->volume)->env, &vault);

	w->wants.vault = vault;
	if (err == HT_OK)
		err = ht_volume_check(
		    w->volume, NULL, ht_archive_want, &w->wants, &bad);
	w->wants.vault = NULL;
	if (err == HT_EINTEGRITY)
		ht_report_add(w->report, w->dir,
		    "entry %" PRIu64 ", or what the vault has of it, does not "
		    "hold; see hutong-audit verify.  While an erasure is "
		    "under way that may be so for a moment: try again",
		    bad);
	return err;
}

static void
writing_fini(struct writing *w)
{
	ht_volume_close(&w->volume);
	ht_archive_wants_fini(&w->wants);
	ht_fd_close(&w->fd);
	ht_buf_fini(&w->bite);
	ht_buf_fini(&w->sums);
	free(w->volumes);
	free(w->vault);
}

static enum ht_err
run(struct writing *w, uint64_t seq, const char *path)
{
	enum ht_err err =
	    w->volumes == NULL || w->vault == NULL ? HT_ENOMEM : find(w, seq);

	if (err == HT_OK)
		err = look(w);
	if (err != HT_OK)
		return err;
	w->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (w->fd == -1)
		return errno == EEXIST ? HT_EEXISTS : HT_ESYSTEM;
	err = put_all(w);
	if (err == HT_OK)
		return HT_OK;
	(void)unlink(path);
	return err;
}

enum ht_err
ht_archive_write(const char *dir, uint64_t seq, const char *path,
    const struct ht_archive_prover *prover, struct ht_report *report)
{
	struct writing w = {
	    .dir = dir,
	    .prover = prover,
	    .report = report,
	    .volumes = ht_fs_join(dir, "volumes"),
	    .vault = ht_fs_join(dir, "vault"),
	    .fd = -1,
	    .bite = HT_BUF(BITE + (size_t)16 * HT_TAR_BLOCK),
	    .sums = HT_BUF((size_t)64 << 20),
	};
	enum ht_err err = run(&w, seq, path);
	int failed = errno;

	writing_fini(&w);
	errno = failed;
	return err;
}
