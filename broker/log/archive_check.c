/*
 * archive_check.c -- an archive, read as somebody who has nothing else: its
 * list, its volume, and what the volume's entries say of the rest.
 */
#include "broker/log/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/log/archive_in.h"
#include "broker/log/tar.h"

#define BITE      ((size_t)1 << 20)
#define SUMS_MAX  ((size_t)64 << 20)
#define FILES_MAX 100000 /* 25 TB of segments */

struct member {
	char name[HT_TAR_NAME]; /* below HT_ARCHIVE_DIR */
	uint64_t at, len;
	struct ht_hash sum;
};

struct checking {
	const char *path;
	struct ht_report *report;
	int fd;
	size_t n, cap;
	struct member *members; /* the list itself is none of them */
	struct ht_buf sums;
	bool ended;
	struct ht_erasure *list; /* the one looked at last */
};

static enum ht_err
bad(struct checking *c, const char *what, const char *name)
{
	ht_report_add(c->report, c->path, "%s%s%s", name,
	    name[0] != '\0' ? ": " : "", what);
	return HT_EINTEGRITY;
}

/* ---- members ---- */

static enum ht_err
read_at(struct checking *c, uint64_t at, void *out, size_t len)
{
	uint8_t *to = out;

	while (len > 0) {
		ssize_t n = pread(c->fd, to, len, (off_t)at);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return HT_ESYSTEM;
		if (n == 0)
			return bad(c, "it is cut off", "");
		to += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return HT_OK;
}

static enum ht_err
sum_up(struct checking *c, struct member *m)
{
	HT_AUTO(ht_mem_free) uint8_t *bite = malloc(BITE);
	struct ht_sha256_run run;
	uint64_t done = 0;
	enum ht_err err = bite == NULL ? HT_ENOMEM : HT_OK;

	ht_sha256_begin(&run);
	while (done < m->len && err == HT_OK) {
		size_t some =
		    m->len - done < BITE ? (size_t)(m->len - done) : BITE;

		err = read_at(c, m->at + done, bite, some);
		if (err == HT_OK)
			ht_sha256_add(&run, HT_SLICE(bite, some));
		done += some;
	}
	m->sum = ht_sha256_end(&run);
	return err;
}

static enum ht_err
keep_member(struct checking *c, const struct member *m)
{
	if (c->n == FILES_MAX)
		return bad(c, "there are too many files in it", "");
	if (c->n == c->cap) {
		size_t cap = c->cap == 0 ? 16 : 2 * c->cap;
		struct member *more = realloc(c->members, cap * sizeof(*more));

		if (more == NULL)
			return HT_ENOMEM;
		c->members = more;
		c->cap = cap;
	}
	c->members[c->n++] = *m;
	return HT_OK;
}

static enum ht_err
take_member(struct checking *c, const char *name, uint64_t at, uint64_t len)
{
	struct member m = {.at = at, .len = len};
	uint8_t *room;
	enum ht_err err;

	if (strcmp(name, HT_ARCHIVE_SUMS) == 0) {
		c->ended = true;
		room =
		    len > SUMS_MAX ? NULL : ht_buf_room(&c->sums, (size_t)len);
		return room == NULL ? bad(c, "its list is too long", "")
		                    : read_at(c, at, room, (size_t)len);
	}
	if (strncmp(name, HT_ARCHIVE_DIR, strlen(HT_ARCHIVE_DIR)) != 0)
		return bad(c, "this is no file of an archive", name);
	(void)snprintf(
	    m.name, sizeof(m.name), "%s", name + strlen(HT_ARCHIVE_DIR));
	err = sum_up(c, &m);
	return err == HT_OK ? keep_member(c, &m) : err;
}

static enum ht_err
read_members(struct checking *c)
{
	uint8_t block[HT_TAR_BLOCK];
	char name[HT_TAR_NAME] = "";
	uint64_t at = 0, len;
	enum ht_err err = HT_OK;

	while (err == HT_OK) {
		err = read_at(c, at, block, sizeof(block));
		if (err == HT_OK)
			err = ht_tar_parse(block, name, &len);
		if (err == HT_ENOTFOUND)
			break;
		if (err == HT_EMALFORMED || (err == HT_OK && c->ended))
			return bad(
			    c, "this is not as an archive is written", name);
		if (err == HT_OK)
			err = take_member(c, name, at + HT_TAR_BLOCK, len);
		at += HT_TAR_BLOCK + len + HT_TAR_PAD(len);
	}
	if (err == HT_ENOTFOUND && !c->ended)
		return bad(c, "its list of sums is missing", "");
	return err == HT_ENOTFOUND ? HT_OK : err;
}

/* The list, made anew, is the list. */
static enum ht_err
compare_sums(struct checking *c)
{
	HT_AUTO(ht_buf_fini) struct ht_buf want = HT_BUF(SUMS_MAX);
	char hex[2 * HT_HASH_SIZE + 1];
	size_t at = 0;

	for (size_t i = 0; i < c->n; i++) {
		size_t from = want.len;

		ht_hex(hex, c->members[i].sum.at, HT_HASH_SIZE);
		ht_buf_fmt(&want, "%s  %s\n", hex, c->members[i].name);
		if (want.err != HT_OK)
			return want.err;
		if (want.len > c->sums.len ||
		    memcmp(want.at + from, c->sums.at + from,
		        want.len - from) != 0)
			return bad(c, "it is not what the list of sums says",
			    c->members[i].name);
		at = want.len;
	}
	return at == c->sums.len
	           ? HT_OK
	           : bad(c, "a file that its list names is missing", "");
}

static const struct member *
find_member(const struct checking *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->members[i].name, name) == 0)
			return &c->members[i];
	return NULL;
}

/* ---- the volume, and what it says of the vault ---- */

static enum ht_err
in_archive(void *arg, uint32_t segment, int *ret_fd, uint64_t *ret_base)
{
	struct checking *c = arg;
	char name[HT_TAR_NAME] = "vault/";
	const struct member *m;

	ht_segment_name(segment, name + strlen(name));
	m = find_member(c, name);
	if (m == NULL)
		return HT_ENOTFOUND;
	*ret_base = m->at;
	*ret_fd = open(c->path, O_RDONLY | O_CLOEXEC);
	return *ret_fd == -1 ? HT_ESYSTEM : HT_OK;
}

static enum ht_err
load_list(struct checking *c, uint64_t by)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_ERASURE_BYTES);
	char name[HT_TAR_NAME] = "vault/";
	const struct member *m;
	uint8_t *room;
	enum ht_err err;

	ht_erasure_free(&c->list);
	ht_erasure_name(by, name + strlen(name));
	m = find_member(c, name);
	if (m == NULL || m->len > HT_ERASURE_BYTES)
		return HT_EINTEGRITY;
	room = ht_buf_room(&bytes, (size_t)m->len);
	err = room == NULL ? HT_ENOMEM : read_at(c, m->at, room, m->len);
	return err == HT_OK
	           ? ht_erasure_decode(ht_buf_slice(&bytes), by, &c->list)
	           : err;
}

static bool
listed(void *arg, uint64_t by, uint64_t seq)
{
	struct checking *c = arg;
	size_t place;

	if (by <= seq)
		return false; /* nothing is erased before it is logged */
	if (c->list == NULL || c->list->by != by)
		if (load_list(c, by) != HT_OK)
			return false;
	return ht_erasure_find(c->list, seq, &place);
}

static enum ht_err
check_volume(struct checking *c, const struct member *m,
    const struct ht_vkey *vkey, struct ht_archive_seen *ret)
{
	HT_AUTO(ht_volume_close) struct ht_volume *volume = NULL;
	HT_AUTO(ht_vault_close) struct ht_vault *vault = NULL;
	struct ht_vault_source source = {in_archive, c};
	struct ht_archive_wants wants = {.listed = listed, .arg = c};
	struct ht_checkpoint cp;
	struct ht_note note;
	uint64_t entry = 0;
	char text[100];
	enum ht_err err = ht_volume_open_file(c->path, m->at, m->len, &volume);

	if (err == HT_OK)
		err = ht_vault_open_source(
		    ht_volume_head(volume)->env, &source, &vault);
	wants.vault = vault;
	if (err == HT_OK)
		err = ht_volume_check(
		    volume, vkey, ht_archive_want, &wants, &entry);
	if (err == HT_OK)
		err = ht_note_parse(ht_volume_note(volume), &note);
	if (err == HT_OK)
		err = ht_checkpoint_parse(note.text, &cp);
	ht_archive_wants_fini(&wants);
	if (err == HT_EBADSIG)
		(void)bad(c, "its checkpoint is not signed by the log's key",
		    m->name);
	(void)snprintf(text, sizeof(text),
	    "entry %" PRIu64 ", or its tag or body, does not hold", entry);
	if (err == HT_EINTEGRITY)
		return bad(c, text, m->name);
	if (err != HT_OK)
		return err;
	ret->first = ht_volume_head(volume)->first;
	ret->end = ht_volume_head(volume)->end;
	ret->root = cp.root;
	ret->pieces = wants.pieces;
	ret->erased = wants.erased;
	return HT_OK;
}

/* ---- all of it ---- */

static enum ht_err
run(struct checking *c, const struct ht_vkey *vkey, struct ht_archive_seen *ret)
{
	enum ht_err err = read_members(c);

	if (err == HT_OK)
		err = compare_sums(c);
	if (err != HT_OK)
		return err;
	if (c->n == 0 || strncmp(c->members[0].name, "volumes/", 8) != 0)
		return bad(c, "there is no volume in it", "");
	ret->files = c->n;
	for (size_t i = 0; i < c->n; i++)
		ret->bytes += c->members[i].len;
	return check_volume(c, &c->members[0], vkey, ret);
}

enum ht_err
ht_archive_check(const char *path, const struct ht_vkey *vkey,
    struct ht_report *report, struct ht_archive_seen *ret)
{
	struct checking c = {.path = path,
	    .report = report,
	    .fd = open(path, O_RDONLY | O_CLOEXEC),
	    .sums = HT_BUF(SUMS_MAX)};
	enum ht_err err = HT_ESYSTEM;

	*ret = (struct ht_archive_seen){0};
	if (c.fd != -1)
		err = run(&c, vkey, ret);
	else if (errno == ENOENT)
		err = HT_ENOTFOUND;
	ht_fd_close(&c.fd);
	ht_buf_fini(&c.sums);
	ht_erasure_free(&c.list);
	free(c.members);
	return err;
}
