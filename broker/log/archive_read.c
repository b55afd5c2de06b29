/*
 * archive_read.c -- the members of an archive, and its list of sums.
 */
#include "broker/log/archive_read.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/log/archive.h"
#include "broker/log/tar.h"

#define BITE      ((size_t)1 << 20)
#define SUMS_MAX  ((size_t)64 << 20)
#define FILES_MAX 100000 /* 25 TB of segments */

struct member {
	char name[HT_TAR_NAME]; /* below HT_ARCHIVE_DIR */
	uint64_t at, len;
	struct ht_hash sum;
};

struct ht_archive {
	const char *path;
	struct ht_report *report;
	int fd;
	size_t n, cap;
	struct member *members; /* the list itself is none of them */
	struct ht_buf sums;
	bool ended;
};

enum ht_err
ht_archive_bad(struct ht_archive *a, const char *what, const char *name)
{
	ht_report_add(a->report, a->path, "%s%s%s", name,
	    name[0] != '\0' ? ": " : "", what);
	return HT_EINTEGRITY;
}

/* ---- members ---- */

static enum ht_err
read_at(struct ht_archive *a, uint64_t at, void *out, size_t len)
{
	uint8_t *to = out;

	while (len > 0) {
		ssize_t n = pread(a->fd, to, len, (off_t)at);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return HT_ESYSTEM;
		if (n == 0)
			return ht_archive_bad(a, "it is cut off", "");
		to += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return HT_OK;
}

static enum ht_err
sum_up(struct ht_archive *a, struct member *m)
{
	HT_AUTO(ht_mem_free) uint8_t *bite = malloc(BITE);
	struct ht_sha256_run run;
	uint64_t done = 0;
	enum ht_err err = bite == NULL ? HT_ENOMEM : HT_OK;

	ht_sha256_begin(&run);
	while (done < m->len && err == HT_OK) {
		size_t some =
		    m->len - done < BITE ? (size_t)(m->len - done) : BITE;

		err = read_at(a, m->at + done, bite, some);
		if (err == HT_OK)
			ht_sha256_add(&run, HT_SLICE(bite, some));
		done += some;
	}
	m->sum = ht_sha256_end(&run);
	return err;
}

static enum ht_err
keep_member(struct ht_archive *a, const struct member *m)
{
	if (a->n == FILES_MAX)
		return ht_archive_bad(a, "there are too many files in it", "");
	if (a->n == a->cap) {
		size_t cap = a->cap == 0 ? 16 : 2 * a->cap;
		struct member *more = realloc(a->members, cap * sizeof(*more));

		if (more == NULL)
			return HT_ENOMEM;
		a->members = more;
		a->cap = cap;
	}
	a->members[a->n++] = *m;
	return HT_OK;
}

static enum ht_err
take_member(struct ht_archive *a, const char *name, uint64_t at, uint64_t len)
{
	struct member m = {.at = at, .len = len};
	uint8_t *room;
	enum ht_err err;

	if (strcmp(name, HT_ARCHIVE_SUMS) == 0) {
		a->ended = true;
		if (len > SUMS_MAX)
			return ht_archive_bad(a, "its list is too long", "");
		room = ht_buf_room(&a->sums, (size_t)len);
		return room == NULL ? a->sums.err
		                    : read_at(a, at, room, (size_t)len);
	}
	if (strncmp(name, HT_ARCHIVE_DIR, strlen(HT_ARCHIVE_DIR)) != 0)
		return ht_archive_bad(a, "this is no file of an archive", name);
	(void)snprintf(
	    m.name, sizeof(m.name), "%s", name + strlen(HT_ARCHIVE_DIR));
	err = sum_up(a, &m);
	return err == HT_OK ? keep_member(a, &m) : err;
}

static enum ht_err
read_members(struct ht_archive *a)
{
	uint8_t block[HT_TAR_BLOCK];
	char name[HT_TAR_NAME] = "";
	uint64_t at = 0, len;
	enum ht_err err = HT_OK;

	while (err == HT_OK) {
		err = read_at(a, at, block, sizeof(block));
		if (err == HT_OK)
			err = ht_tar_parse(block, name, &len);
		if (err == HT_ENOTFOUND)
			break;
		if (err == HT_EMALFORMED || (err == HT_OK && a->ended))
			return ht_archive_bad(
			    a, "this is not as an archive is written", name);
		if (err == HT_OK)
			err = take_member(a, name, at + HT_TAR_BLOCK, len);
		at += HT_TAR_BLOCK + len + HT_TAR_PAD(len);
	}
	if (err == HT_ENOTFOUND && !a->ended)
		return ht_archive_bad(a, "its list of sums is missing", "");
	return err == HT_ENOTFOUND ? HT_OK : err;
}

/* The list, made anew, is the list. */
static enum ht_err
compare_sums(struct ht_archive *a)
{
	HT_AUTO(ht_buf_fini) struct ht_buf want = HT_BUF(SUMS_MAX);
	char hex[2 * HT_HASH_SIZE + 1];
	size_t at = 0;

	for (size_t i = 0; i < a->n; i++) {
		size_t from = want.len;

		ht_hex(hex, a->members[i].sum.at, HT_HASH_SIZE);
		ht_buf_fmt(&want, "%s  %s\n", hex, a->members[i].name);
		if (want.err != HT_OK)
			return want.err;
		if (want.len > a->sums.len ||
		    memcmp(want.at + from, a->sums.at + from,
		        want.len - from) != 0)
			return ht_archive_bad(a,
			    "it is not what the list of sums says",
			    a->members[i].name);
		at = want.len;
	}
	return at == a->sums.len
	           ? HT_OK
	           : ht_archive_bad(
	                 a, "a file that its list names is missing", "");
}

static const struct member *
find_member(const struct ht_archive *a, const char *name)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->members[i].name, name) == 0)
			return &a->members[i];
	return NULL;
}

/* ---- opening ---- */

static enum ht_err
read_all(struct ht_archive *a)
{
	enum ht_err err = read_members(a);

	if (err == HT_OK)
		err = compare_sums(a);
	if (err == HT_OK &&
	    (a->n == 0 || strncmp(a->members[0].name, "volumes/", 8) != 0))
		return ht_archive_bad(a, "there is no volume in it", "");
	return err;
}

enum ht_err
ht_archive_open(
    const char *path, struct ht_report *report, struct ht_archive **ret)
{
	HT_AUTO(ht_archive_close)
	struct ht_archive *a = calloc(1, sizeof(*a));
	enum ht_err err;

	if (a == NULL)
		return HT_ENOMEM;
	a->path = path;
	a->report = report;
	a->sums = HT_BUF(SUMS_MAX);
	a->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (a->fd == -1)
		return errno == ENOENT ? HT_ENOTFOUND : HT_ESYSTEM;
	err = read_all(a);
	if (err == HT_OK)
		*ret = HT_TAKE(a);
	return err;
}

void
ht_archive_close(struct ht_archive **archive_p)
{
	struct ht_archive *a = HT_TAKE(*archive_p);

	if (a == NULL)
		return;
	ht_fd_close(&a->fd);
	ht_buf_fini(&a->sums);
	free(a->members);
	free(a);
}

/* ---- what is in it ---- */

uint64_t
ht_archive_files(const struct ht_archive *a)
{
	return a->n;
}

uint64_t
ht_archive_bytes(const struct ht_archive *a)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < a->n; i++)
		bytes += a->members[i].len;
	return bytes;
}

const char *
ht_archive_volume_name(const struct ht_archive *a)
{
	return a->members[0].name;
}

enum ht_err
ht_archive_volume(const struct ht_archive *a, struct ht_volume **ret)
{
	return ht_volume_open_file(
	    a->path, a->members[0].at, a->members[0].len, ret);
}

static enum ht_err
locate(void *arg, uint32_t segment, int *ret_fd, uint64_t *ret_base)
{
	struct ht_archive *a = arg;
	char name[HT_TAR_NAME] = "vault/";
	const struct member *m;

	ht_segment_name(segment, name + strlen(name));
	m = find_member(a, name);
	if (m == NULL)
		return HT_ENOTFOUND;
	*ret_base = m->at;
	*ret_fd = open(a->path, O_RDONLY | O_CLOEXEC);
	return *ret_fd == -1 ? HT_ESYSTEM : HT_OK;
}

enum ht_err
ht_archive_vault(struct ht_archive *a, const uint8_t env[static HT_ENV_ID_SIZE],
    struct ht_vault **ret)
{
	struct ht_vault_source source = {locate, a};

	return ht_vault_open_source(env, &source, ret);
}

/* A small member, whole, appended.  HT_ENOTFOUND. */
static enum ht_err
read_member(struct ht_archive *a, const char *name, struct ht_buf *ret)
{
	char below[HT_TAR_NAME];
	const struct member *m;
	uint8_t *room;

	(void)snprintf(below, sizeof(below), "vault/%s", name);
	m = find_member(a, below);
	if (m == NULL)
		return HT_ENOTFOUND;
	if (m->len > ret->max - ret->len)
		return HT_EINTEGRITY;
	room = ht_buf_room(ret, (size_t)m->len);
	return room == NULL ? HT_ENOMEM : read_at(a, m->at, room, m->len);
}

enum ht_err
ht_archive_erasure(struct ht_archive *a, uint64_t by, struct ht_erasure **ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_ERASURE_BYTES);
	char name[HT_ERASURE_NAME];
	enum ht_err err;

	ht_erasure_name(by, name);
	err = read_member(a, name, &bytes);
	return err == HT_OK ? ht_erasure_decode(ht_buf_slice(&bytes), by, ret)
	                    : err;
}

/* By its name: "vault/0000000000000051.erased". */
static bool
is_list(const struct member *m, uint64_t *ret_by)
{
	char name[HT_ERASURE_NAME];

	if (strncmp(m->name, "vault/", 6) != 0)
		return false;
	*ret_by = strtoull(m->name + 6, NULL, 16);
	ht_erasure_name(*ret_by, name);
	return *ret_by != HT_ERASURE_PENDING && strcmp(m->name + 6, name) == 0;
}

bool
ht_archive_list(const struct ht_archive *a, size_t i, uint64_t *ret_by)
{
	for (size_t at = 0; at < a->n; at++)
		if (is_list(&a->members[at], ret_by) && i-- == 0)
			return true;
	return false;
}

void
ht_archive_proof_name(uint64_t by, char out[static HT_ARCHIVE_PROOF])
{
	(void)snprintf(out, HT_ARCHIVE_PROOF, "%016" PRIx64 ".proof", by);
}

enum ht_err
ht_archive_proof(struct ht_archive *a, uint64_t by, struct ht_buf *ret)
{
	char name[HT_ARCHIVE_PROOF];

	ht_archive_proof_name(by, name);
	return read_member(a, name, ret);
}
