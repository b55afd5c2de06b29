/*
 * vault.c -- segments and pieces (docs/log-format.md, "vault/").
 *
 *   segment   "hutong-vault/v1\n"  environment id 16  pieces
 *   piece     tag length u32  body length u32  check 16  tag  body
 *   check     BLAKE2b-128( environment id  segment u32  offset u64
 *                          both lengths  tag )
 *   erased    the length's top bit; in place of the part the seq of the ERASE
 *             entry, u64, then zeros
 *
 * The check binds a piece to its place and its tag to its lengths; the body's
 * own hash stands in the header, inside the tree, and is not made twice.
 */
#include "broker/log/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/limits.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"

#define MAGIC "hutong-vault/v1\n"
/* Small pieces are gathered: one system call for a whole group. */
#define STAGE_MAX (1 << 20)
#define READ_BACK (16 << 10) /* bytes at once, on the stack */
/* Read at once of a stopped log: a few dozen small pieces, or one larger. */
#define WINDOW_MAX (16 << 10)
#define ERASED     (UINT32_C(1) << 31) /* in a length: the part is erased */
#define BY_SIZE    8                   /* what it begins with: who by */

_Static_assert(HT_TAG_MAX < ERASED && HT_BODY_MAX < ERASED,
    "no length has the bit that says erased");
_Static_assert(sizeof(MAGIC) - 1 + HT_ENV_ID_SIZE == HT_SEGMENT_HEAD,
    "a segment's head is magic and environment id");

struct ht_vault {
	char *dir;
	uint8_t env[HT_ENV_ID_SIZE];
	struct ht_vault_place next;
	int fd;           /* the segment being written; -1 when reading */
	bool dirty;       /* written, not synced */
	uint64_t written; /* offset up to which the file was written */
	size_t staged;    /* bytes of the stage behind it */
	uint8_t *stage;

	pthread_mutex_t reading; /* over the two, and while they are used */
	uint32_t read_segment;
	int read_fd;                   /* -1: none is open */
	uint64_t read_base;            /* where the segment begins in it */
	struct ht_vault_source source; /* locate NULL: files of the folder */
	/* What was read last, of a vault that nobody writes; else NULL. */
	uint8_t *window;
	uint64_t window_at;
	size_t window_len;

	uint32_t erase_segment; /* of the one that erases */
	int erase_fd;
};

void
ht_segment_name(uint32_t segment, char out[static HT_SEGMENT_NAME])
{
	(void)snprintf(out, HT_SEGMENT_NAME, "%016x.seg", segment);
}

static char *
segment_path(const struct ht_vault *vault, uint32_t segment)
{
	char name[HT_SEGMENT_NAME];

	ht_segment_name(segment, name);
	return ht_fs_join(vault->dir, name);
}

/* ---- writing ---- */

static enum ht_err
write_at(int fd, uint64_t offset, struct ht_slice bytes)
{
	while (bytes.len > 0) {
		ssize_t n = pwrite(fd, bytes.at, bytes.len, (off_t)offset);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return HT_ESYSTEM;
		bytes = HT_SLICE(bytes.at + n, bytes.len - (size_t)n);
		offset += (uint64_t)n;
	}
	return HT_OK;
}

/* Exactly len bytes, or HT_EINTEGRITY: the entry promised them. */
static enum ht_err
read_at(int fd, uint64_t offset, void *out, size_t len)
{
	uint8_t *at = out;

	while (len > 0) {
		ssize_t n = pread(fd, at, len, (off_t)offset);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return HT_ESYSTEM;
		if (n == 0)
			return HT_EINTEGRITY;
		at += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return HT_OK;
}

/* What stands there is what was to be written: nobody could ask for it again.
 */
static enum ht_err
read_back(struct ht_vault *vault, uint64_t offset, struct ht_slice bytes)
{
	uint8_t found[READ_BACK];

	while (bytes.len > 0) {
		size_t some = bytes.len < READ_BACK ? bytes.len : READ_BACK;
		enum ht_err err = read_at(vault->fd, offset, found, some);

		if (err == HT_OK && memcmp(found, bytes.at, some) != 0)
			err = HT_EINTEGRITY;
		if (err == HT_EINTEGRITY)
			ht_log(HT_ERROR,
			    "log: bytes %llu to %llu of the vault's segment "
			    "%016x do not read back as they were written (bad "
			    "memory or disk); nothing of them was sent",
			    (unsigned long long)offset,
			    (unsigned long long)offset + some - 1,
			    vault->next.segment);
		if (err != HT_OK)
			return err;
		bytes = HT_SLICE(bytes.at + some, bytes.len - some);
		offset += some;
	}
	return HT_OK;
}

static enum ht_err
write_on(struct ht_vault *vault, struct ht_slice bytes)
{
	enum ht_err err;

	vault->dirty = true;
	err = write_at(vault->fd, vault->written, bytes);
	return err == HT_OK ? read_back(vault, vault->written, bytes) : err;
}

static enum ht_err
flush_stage(struct ht_vault *vault)
{
	enum ht_err err;

	if (vault->staged == 0)
		return HT_OK;
	err = write_on(vault, HT_SLICE(vault->stage, vault->staged));
	if (err != HT_OK)
		return err;
	vault->written += vault->staged;
	vault->staged = 0;
	return HT_OK;
}

static enum ht_err
stage(struct ht_vault *vault, const void *bytes, size_t len)
{
	enum ht_err err;

	if (len > STAGE_MAX - vault->staged) {
		err = flush_stage(vault);
		if (err != HT_OK)
			return err;
	}
	if (len <= STAGE_MAX) {
		memcpy(vault->stage + vault->staged, bytes, len);
		vault->staged += len;
		return HT_OK;
	}
	err = write_on(vault, HT_SLICE(bytes, len));
	if (err == HT_OK)
		vault->written += len;
	return err;
}

/* Make the file of segment next.segment, and write its head. */
static enum ht_err
start_segment(struct ht_vault *vault)
{
	HT_AUTO(ht_mem_free)
	char *path = segment_path(vault, vault->next.segment);
	uint8_t head[HT_SEGMENT_HEAD];
	enum ht_err err;

	if (path == NULL)
		return HT_ENOMEM;
	ht_fd_close(&vault->fd);
	/* O_TRUNC: what has this name is an orphan that a crash left. */
	vault->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (vault->fd == -1)
		return HT_ESYSTEM;
	memcpy(head, MAGIC, sizeof(MAGIC) - 1);
	memcpy(head + sizeof(MAGIC) - 1, vault->env, HT_ENV_ID_SIZE);
	err = write_at(vault->fd, 0, HT_SLICE(head, sizeof(head)));
	if (err == HT_OK && fsync(vault->fd) == -1)
		err = HT_ESYSTEM;
	if (err == HT_OK)
		err = ht_fs_sync_dir(vault->dir);
	vault->next.offset = vault->written = HT_SEGMENT_HEAD;
	vault->dirty = false;
	return err;
}

static enum ht_err
next_segment(struct ht_vault *vault)
{
	enum ht_err err = ht_vault_sync(vault);

	if (err != HT_OK)
		return err;
	if (vault->next.segment == UINT32_MAX)
		return HT_ETOOBIG;
	vault->next.segment++;
	return start_segment(vault);
}

enum ht_err
ht_vault_part(struct ht_vault *vault)
{
	return vault->next.offset <= HT_SEGMENT_HEAD ? HT_OK
	                                             : next_segment(vault);
}

static void
piece_head(const struct ht_vault *vault, struct ht_vault_place place,
    uint32_t tag_len, uint32_t body_len, struct ht_slice tag,
    uint8_t out[static HT_VAULT_PIECE_MIN])
{
	uint8_t where[12];
	struct ht_slice parts[] = {HT_SLICE(vault->env, HT_ENV_ID_SIZE),
	    HT_SLICE(where, sizeof(where)), HT_SLICE(out, 8), tag};

	ht_be32(where, place.segment);
	ht_be64(where + 4, place.offset);
	ht_be32(out, tag_len);
	ht_be32(out + 4, body_len);
	ht_blake2b_keyed(
	    HT_SLICE(NULL, 0), parts, HT_COUNT(parts), out + 8, 16);
}

enum ht_err
ht_vault_append(struct ht_vault *vault, struct ht_slice tag,
    struct ht_slice body, struct ht_vault_place *ret)
{
	uint8_t head[HT_VAULT_PIECE_MIN];
	struct ht_vault_place place;
	enum ht_err err = HT_OK;

	HT_ASSERT(tag.len <= HT_TAG_MAX && body.len <= HT_BODY_MAX);
	if (vault->next.offset >= HT_SEGMENT_MAX)
		err = next_segment(vault);
	if (err != HT_OK)
		return err;
	place = vault->next;
	piece_head(
	    vault, place, (uint32_t)tag.len, (uint32_t)body.len, tag, head);
	err = stage(vault, head, sizeof(head));
	if (err == HT_OK && tag.len > 0)
		err = stage(vault, tag.at, tag.len);
	if (err == HT_OK && body.len > 0)
		err = stage(vault, body.at, body.len);
	if (err != HT_OK)
		return err;
	vault->next.offset += sizeof(head) + tag.len + body.len;
	*ret = place;
	return HT_OK;
}

enum ht_err
ht_vault_sync(struct ht_vault *vault)
{
	enum ht_err err = flush_stage(vault);

	if (err != HT_OK)
		return err;
	if (vault->dirty && fdatasync(vault->fd) == -1)
		return HT_ESYSTEM;
	vault->dirty = false;
	return HT_OK;
}

struct ht_vault_place
ht_vault_next(const struct ht_vault *vault)
{
	return vault->next;
}

uint64_t
ht_vault_room(const struct ht_vault *vault)
{
	struct statvfs st;

	if (fstatvfs(vault->fd, &st) == -1)
		return 0;
	return (uint64_t)st.f_bavail * st.f_frsize;
}

bool
ht_vault_set_aside(struct ht_vault *vault, uint64_t bytes)
{
	return ht_fs_set_aside(vault->fd, vault->written, bytes);
}

/* ---- opening, and cutting off ---- */

/* Segments above `segment` hold nothing that any entry names. */
static enum ht_err
remove_above(const struct ht_vault *vault, uint32_t segment)
{
	for (uint32_t i = segment + 1; i != 0; i++) {
		HT_AUTO(ht_mem_free) char *path = segment_path(vault, i);

		if (path == NULL)
			return HT_ENOMEM;
		if (unlink(path) == -1)
			return errno == ENOENT ? HT_OK : HT_ESYSTEM;
	}
	return HT_OK;
}

static enum ht_err
open_segment(struct ht_vault *vault, uint32_t segment, int flags)
{
	HT_AUTO(ht_mem_free) char *path = segment_path(vault, segment);

	if (path == NULL)
		return HT_ENOMEM;
	ht_fd_close(&vault->fd);
	vault->fd = open(path, flags | O_CLOEXEC);
	if (vault->fd == -1)
		return errno == ENOENT ? HT_ENOTFOUND : HT_ESYSTEM;
	return HT_OK;
}

enum ht_err
ht_vault_cut(struct ht_vault *vault, struct ht_vault_place place)
{
	enum ht_err err = HT_OK;

	vault->staged = 0;
	if (vault->next.segment != place.segment) {
		err = open_segment(vault, place.segment, O_RDWR);
		if (err == HT_OK)
			err = remove_above(vault, place.segment);
	}
	if (err != HT_OK)
		return err;
	if (ftruncate(vault->fd, (off_t)place.offset) == -1)
		return HT_ESYSTEM;
	vault->next = place;
	vault->written = place.offset;
	vault->dirty = true;
	return HT_OK;
}

/* The segment at `place` is ours and reaches so far. */
static enum ht_err
check_segment(struct ht_vault *vault, struct ht_vault_place place,
    struct ht_report *report)
{
	HT_AUTO(ht_mem_free) char *path = segment_path(vault, place.segment);
	uint8_t head[HT_SEGMENT_HEAD];
	struct stat st;
	ssize_t n = pread(vault->fd, head, sizeof(head), 0);

	if (n == -1 || fstat(vault->fd, &st) == -1)
		return HT_ESYSTEM;
	if (n != sizeof(head) || memcmp(head, MAGIC, sizeof(MAGIC) - 1) != 0 ||
	    memcmp(head + sizeof(MAGIC) - 1, vault->env, HT_ENV_ID_SIZE) != 0) {
		ht_report_add(report, path == NULL ? vault->dir : path,
		    "this is no segment of this log; put back the file that "
		    "belongs to the evidence");
		return HT_EINTEGRITY;
	}
	if ((uint64_t)st.st_size < place.offset) {
		ht_report_add(report, path == NULL ? vault->dir : path,
		    "the file ends at byte %lld, but entries name pieces up "
		    "to byte %llu; tags or bodies were lost: restore the file",
		    (long long)st.st_size, (unsigned long long)place.offset);
		return HT_EINTEGRITY;
	}
	return HT_OK;
}

static enum ht_err
open_at(struct ht_vault *vault, struct ht_vault_place place, bool write,
    struct ht_report *report)
{
	enum ht_err err;

	vault->next = place;
	if (place.offset == 0) /* a log without a commit yet */
		return write ? start_segment(vault) : HT_OK;
	err = open_segment(vault, place.segment, write ? O_RDWR : O_RDONLY);
	if (err == HT_ENOTFOUND) {
		ht_report_add(report, vault->dir,
		    "segment %016x.seg is missing; restore it", place.segment);
		return HT_EINTEGRITY;
	}
	if (err == HT_OK)
		err = check_segment(vault, place, report);
	if (err != HT_OK || !write)
		return err;
	err = remove_above(vault, place.segment);
	return err == HT_OK ? ht_vault_cut(vault, place) : err;
}

enum ht_err
ht_vault_open(const char *dir, const uint8_t env[static HT_ENV_ID_SIZE],
    struct ht_vault_place place, bool write, struct ht_report *report,
    struct ht_vault **ret)
{
	HT_AUTO(ht_vault_close) struct ht_vault *vault = NULL;
	enum ht_err err = HT_OK;

	vault = calloc(1, sizeof(*vault));
	if (vault == NULL)
		return HT_ENOMEM;
	vault->fd = vault->read_fd = vault->erase_fd = -1;
	pthread_mutex_init(&vault->reading, NULL);
	memcpy(vault->env, env, HT_ENV_ID_SIZE);
	vault->dir = strdup(dir);
	vault->stage = write ? malloc(STAGE_MAX) : NULL;
	vault->window = write ? NULL : malloc(WINDOW_MAX);
	if (vault->dir == NULL || (write && vault->stage == NULL) ||
	    (!write && vault->window == NULL))
		return HT_ENOMEM;
	if (write)
		err = ht_fs_mkdirs(dir, 0700);
	if (err == HT_OK)
		err = open_at(vault, place, write, report);
	/* A name that a killed process made may not be on the disk yet. */
	if (err == HT_OK && write)
		err = ht_fs_sync_dir(dir);
	if (err != HT_OK)
		return err;
	*ret = HT_TAKE(vault);
	return HT_OK;
}

enum ht_err
ht_vault_open_source(const uint8_t env[static HT_ENV_ID_SIZE],
    const struct ht_vault_source *source, struct ht_vault **ret)
{
	HT_AUTO(ht_vault_close)
	struct ht_vault *vault = calloc(1, sizeof(*vault));

	if (vault == NULL)
		return HT_ENOMEM;
	vault->fd = vault->read_fd = vault->erase_fd = -1;
	pthread_mutex_init(&vault->reading, NULL);
	memcpy(vault->env, env, HT_ENV_ID_SIZE);
	vault->source = *source;
	vault->window = malloc(WINDOW_MAX);
	if (vault->window == NULL)
		return HT_ENOMEM;
	*ret = HT_TAKE(vault);
	return HT_OK;
}

void
ht_vault_close(struct ht_vault **vault_p)
{
	struct ht_vault *vault = HT_TAKE(*vault_p);

	if (vault == NULL)
		return;
	ht_fd_close(&vault->fd);
	ht_fd_close(&vault->read_fd);
	ht_fd_close(&vault->erase_fd);
	pthread_mutex_destroy(&vault->reading);
	free(vault->stage);
	free(vault->window);
	free(vault->dir);
	free(vault);
}

/* ---- reading ---- */

/* Refill the window from @offset on; a file's end makes it shorter. */
static enum ht_err
fill_window(struct ht_vault *vault, uint64_t offset)
{
	ssize_t n;

	vault->window_len = 0;
	do
		n = pread(vault->read_fd, vault->window, WINDOW_MAX,
		    (off_t)(vault->read_base + offset));
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return HT_ESYSTEM;
	vault->window_at = offset;
	vault->window_len = (size_t)n;
	return HT_OK;
}

static bool
in_window(const struct ht_vault *vault, uint64_t offset, size_t len)
{
	uint64_t skip = offset - vault->window_at;

	return offset >= vault->window_at && skip <= vault->window_len &&
	       len <= vault->window_len - skip;
}

/* From the segment open to be read: who reads one piece reads the next. */
static enum ht_err
read_near(struct ht_vault *vault, uint64_t offset, void *out, size_t len)
{
	enum ht_err err = HT_OK;

	if (vault->window == NULL || len > WINDOW_MAX)
		return read_at(
		    vault->read_fd, vault->read_base + offset, out, len);
	if (!in_window(vault, offset, len))
		err = fill_window(vault, offset);
	if (err == HT_OK && !in_window(vault, offset, len))
		err = HT_EINTEGRITY;
	if (err == HT_OK && len > 0)
		memcpy(out, vault->window + (offset - vault->window_at), len);
	return err;
}

static uint32_t
length(uint32_t stored)
{
	return stored & ~ERASED;
}

/* The piece's head and its tag, or what stands in its place; both as stored. */
static enum ht_err
read_head(struct ht_vault *vault, struct ht_vault_place place, uint32_t tag_len,
    uint32_t body_len, uint8_t *tag, uint32_t ret_stored[2])
{
	uint8_t found[HT_VAULT_PIECE_MIN], want[HT_VAULT_PIECE_MIN];
	enum ht_err err = read_near(vault, place.offset, found, sizeof(found));

	if (err == HT_OK)
		err = read_near(
		    vault, place.offset + sizeof(found), tag, tag_len);
	if (err != HT_OK)
		return err;
	ret_stored[0] = ht_load32(found);
	ret_stored[1] = ht_load32(found + 4);
	if (length(ret_stored[0]) != tag_len ||
	    length(ret_stored[1]) != body_len)
		return HT_EINTEGRITY;
	piece_head(vault, place, ret_stored[0], ret_stored[1],
	    HT_SLICE(tag, tag_len), want);
	return memcmp(found, want, sizeof(want)) == 0 ? HT_OK : HT_EINTEGRITY;
}

/* From elsewhere than a folder. */
static enum ht_err
locate(struct ht_vault *vault, uint32_t segment)
{
	enum ht_err err;

	ht_fd_close(&vault->read_fd);
	vault->window_len = 0;
	err = vault->source.locate(
	    vault->source.arg, segment, &vault->read_fd, &vault->read_base);
	vault->read_segment = segment;
	return err == HT_ENOTFOUND ? HT_EINTEGRITY : err;
}

/* The segment last read stays open: readers come for what is near. */
static enum ht_err
open_to_read(struct ht_vault *vault, uint32_t segment)
{
	HT_AUTO(ht_mem_free) char *path = NULL;

	if (vault->read_fd != -1 && vault->read_segment == segment)
		return HT_OK;
	if (vault->source.locate != NULL)
		return locate(vault, segment);
	path = segment_path(vault, segment);
	if (path == NULL)
		return HT_ENOMEM;
	ht_fd_close(&vault->read_fd);
	vault->window_len = 0;
	vault->read_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (vault->read_fd == -1)
		return errno == ENOENT ? HT_EINTEGRITY : HT_ESYSTEM;
	vault->read_segment = segment;
	return HT_OK;
}

static enum ht_err
read_piece(struct ht_vault *vault, struct ht_vault_place place,
    uint32_t tag_len, uint32_t body_len, uint8_t *tag, bool want_tag,
    struct ht_buf *ret_body)
{
	uint8_t *body;
	uint32_t stored[2];
	enum ht_err err = open_to_read(vault, place.segment);

	if (err == HT_OK)
		err = read_head(vault, place, tag_len, body_len, tag, stored);
	if (err == HT_OK && ((want_tag && stored[0] & ERASED) ||
	                        (ret_body != NULL && stored[1] & ERASED)))
		err = HT_EERASED;
	if (err != HT_OK || ret_body == NULL)
		return err;
	body = ht_buf_room(ret_body, body_len);
	if (body == NULL)
		return ret_body->err;
	return read_near(
	    vault, place.offset + HT_VAULT_PIECE_MIN + tag_len, body, body_len);
}

enum ht_err
ht_vault_read(struct ht_vault *vault, struct ht_vault_place place,
    uint32_t tag_len, uint32_t body_len, struct ht_buf *ret_tag,
    struct ht_buf *ret_body)
{
	uint8_t tag[HT_TAG_MAX];
	enum ht_err err;

	if (tag_len > HT_TAG_MAX || body_len > HT_BODY_MAX)
		return HT_EINTEGRITY;
	pthread_mutex_lock(&vault->reading);
	err = read_piece(
	    vault, place, tag_len, body_len, tag, ret_tag != NULL, ret_body);
	pthread_mutex_unlock(&vault->reading);
	if (err != HT_OK || ret_tag == NULL)
		return err;
	ht_buf_add(ret_tag, tag, tag_len);
	return ret_tag->err;
}

/* ---- erasing ---- */

/* The seq it names, then nothing but zeros. */
static enum ht_err
read_by(const uint8_t *part, size_t len, uint64_t *ret)
{
	if (len < BY_SIZE)
		return HT_EINTEGRITY;
	for (size_t i = BY_SIZE; i < len; i++)
		if (part[i] != 0)
			return HT_EINTEGRITY;
	*ret = ht_load64(part);
	return HT_OK;
}

static enum ht_err
look(struct ht_vault *vault, struct ht_vault_place place, uint32_t tag_len,
    uint32_t body_len, struct ht_buf *body, struct ht_erased *ret)
{
	uint8_t tag[HT_TAG_MAX], *at;
	uint32_t stored[2];
	enum ht_err err = open_to_read(vault, place.segment);

	if (err == HT_OK)
		err = read_head(vault, place, tag_len, body_len, tag, stored);
	if (err != HT_OK)
		return err;
	ret->tag = (stored[0] & ERASED) != 0;
	ret->body = (stored[1] & ERASED) != 0;
	if (ret->tag)
		err = read_by(tag, tag_len, &ret->tag_by);
	if (err != HT_OK || !ret->body)
		return err;
	at = ht_buf_room(body, body_len);
	if (at == NULL)
		return body->err;
	err = read_near(
	    vault, place.offset + HT_VAULT_PIECE_MIN + tag_len, at, body_len);
	return err == HT_OK ? read_by(at, body_len, &ret->body_by) : err;
}

enum ht_err
ht_vault_erased(struct ht_vault *vault, struct ht_vault_place place,
    uint32_t tag_len, uint32_t body_len, struct ht_erased *ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf body = HT_BUF(HT_BODY_MAX);
	struct ht_erased found = {0};
	enum ht_err err;

	if (tag_len > HT_TAG_MAX || body_len > HT_BODY_MAX)
		return HT_EINTEGRITY;
	pthread_mutex_lock(&vault->reading);
	err = look(vault, place, tag_len, body_len, &body, &found);
	pthread_mutex_unlock(&vault->reading);
	if (err == HT_OK)
		*ret = found;
	return err;
}

enum ht_err
ht_vault_erase_sync(struct ht_vault *vault)
{
	if (vault->erase_fd != -1 && fdatasync(vault->erase_fd) == -1)
		return HT_ESYSTEM;
	ht_fd_close(&vault->erase_fd);
	return HT_OK;
}

static enum ht_err
open_to_erase(struct ht_vault *vault, uint32_t segment)
{
	HT_AUTO(ht_mem_free) char *path = NULL;
	enum ht_err err;

	if (vault->erase_fd != -1 && vault->erase_segment == segment)
		return HT_OK;
	err = ht_vault_erase_sync(vault);
	if (err != HT_OK)
		return err;
	path = segment_path(vault, segment);
	if (path == NULL)
		return HT_ENOMEM;
	vault->erase_fd = open(path, O_RDWR | O_CLOEXEC);
	if (vault->erase_fd == -1)
		return errno == ENOENT ? HT_EINTEGRITY : HT_ESYSTEM;
	vault->erase_segment = segment;
	return HT_OK;
}

/*
 * All of a piece that changes, one after the other: a crash may leave any part
 * of it, and the next attempt writes all of it again, whatever it finds.
 */
static enum ht_err
overwrite(struct ht_vault *vault, struct ht_vault_place place, uint32_t tag_len,
    uint32_t body_len, bool erase_tag, uint64_t by)
{
	uint8_t head[HT_VAULT_PIECE_MIN + HT_TAG_MAX] = {0};
	uint8_t *tag = head + HT_VAULT_PIECE_MIN;
	uint64_t body_at = place.offset + HT_VAULT_PIECE_MIN + tag_len;
	HT_AUTO(ht_mem_free) uint8_t *zeros = calloc(1, body_len + 1);
	uint32_t tag_stored = tag_len, body_stored = body_len;
	enum ht_err err = HT_OK;

	if (zeros == NULL)
		return HT_ENOMEM;
	if (tag_len > 0 && erase_tag) {
		tag_stored |= ERASED;
		ht_be64(tag, by);
	} else {
		err = read_at(vault->erase_fd,
		    place.offset + HT_VAULT_PIECE_MIN, tag, tag_len);
	}
	if (body_len > 0) {
		body_stored |= ERASED;
		ht_be64(zeros, by);
	}
	piece_head(vault, place, tag_stored, body_stored,
	    HT_SLICE(tag, tag_len), head);
	if (err == HT_OK)
		err = write_at(vault->erase_fd, place.offset,
		    HT_SLICE(head, HT_VAULT_PIECE_MIN + tag_len));
	if (err == HT_OK && body_len > 0)
		err = write_at(
		    vault->erase_fd, body_at, HT_SLICE(zeros, body_len));
	return err;
}

enum ht_err
ht_vault_erase(struct ht_vault *vault, struct ht_vault_place place,
    uint32_t tag_len, uint32_t body_len, bool tag, uint64_t by)
{
	enum ht_err err;

	if (tag_len > HT_TAG_MAX || body_len > HT_BODY_MAX)
		return HT_EINTEGRITY;
	if ((tag && tag_len > 0 && tag_len < BY_SIZE) ||
	    (body_len > 0 && body_len < BY_SIZE))
		return HT_EINVALID;
	err = open_to_erase(vault, place.segment);
	if (err != HT_OK)
		return err;
	pthread_mutex_lock(&vault->reading);
	err = overwrite(vault, place, tag_len, body_len, tag, by);
	pthread_mutex_unlock(&vault->reading);
	return err;
}
