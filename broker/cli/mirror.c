/*
 * mirror.c -- hutong-audit mirror: a log as a folder of tiles that grows, and
 * the verification of one (docs/proofs.md, "A mirror").
 *
 * Every entry was proven by the checkpoint before a byte of it is written; the
 * tree that the folder had is continued, or nothing is; and the checkpoint is
 * replaced last, when all that it signs is on the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/cli/cursor.h"
#include "broker/cli/tiles.h"
#include "broker/cli/tool.h"
#include "lib/base/fs.h"

/* 256 entries, each behind its length. */
#define BUNDLE_MAX ((size_t)HT_TILE_WIDTH * (HT_LEAF_MAX + 2))

struct mirror {
	const char *dir;
	int fd; /* of the folder: locked, and synced in the end */
	bool hashes_only;
	bool checking; /* tiles are compared, and nothing is written */
	struct ht_tiles tiles;
	struct ht_buf bundle; /* entries of the one at hand */
	unsigned n_bundle;
	struct ht_checkpoint old; /* size 0: none */
	struct ht_buf file;       /* scratch */
	char where[HT_TILE_PATH]; /* the file at hand */
	uint64_t last_us;
};

static void
mirror_free(struct mirror **m_p)
{
	struct mirror *m = HT_TAKE(*m_p);

	if (m == NULL)
		return;
	if (m->fd != -1)
		close(m->fd);
	ht_buf_fini(&m->bundle);
	ht_buf_fini(&m->file);
	free(m);
}

/* ---- files ---- */

static enum ht_err
read_tile(struct mirror *m, unsigned level, uint64_t number, unsigned width)
{
	HT_AUTO(ht_mem_free) char *path = NULL;

	ht_tile_path(level, number, width, m->where);
	path = ht_fs_join(m->dir, m->where);
	ht_buf_reset(&m->file);
	return path == NULL ? HT_ENOMEM : ht_fs_read(path, &m->file);
}

static enum ht_err
make_folders(char *path)
{
	char *slash = strrchr(path, '/');
	enum ht_err err;

	*slash = '\0';
	err = mkdir(path, 0755) == 0 || errno == EEXIST
	          ? HT_OK
	          : (errno == ENOENT ? make_folders(path) : HT_ESYSTEM);
	if (err == HT_OK && mkdir(path, 0755) == -1 && errno != EEXIST)
		err = HT_ESYSTEM;
	*slash = '/';
	return err;
}

/* Not synced by itself: all are, before the checkpoint names them. */
static enum ht_err
write_plain(const char *path, struct ht_slice bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t n;
	int closed;

	if (fd == -1)
		return errno == ENOENT ? HT_ENOTFOUND : HT_ESYSTEM;
	n = write(fd, bytes.at, bytes.len); /* at most half a MiB */
	closed = close(fd);
	return n == (ssize_t)bytes.len && closed == 0 ? HT_OK : HT_ESYSTEM;
}

static enum ht_err
write_tile(struct mirror *m, unsigned level, uint64_t number, unsigned width,
    struct ht_slice bytes)
{
	HT_AUTO(ht_mem_free) char *path = NULL;
	enum ht_err err;

	ht_tile_path(level, number, width, m->where);
	path = ht_fs_join(m->dir, m->where);
	if (path == NULL)
		return HT_ENOMEM;
	err = write_plain(path, bytes);
	if (err == HT_ENOTFOUND) {
		err = make_folders(path);
		if (err == HT_OK)
			err = write_plain(path, bytes);
	}
	return err == HT_ENOTFOUND ? HT_ESYSTEM : err;
}

static enum ht_err
give_tile(void *arg, unsigned level, uint64_t number, unsigned width,
    struct ht_slice bytes)
{
	struct mirror *m = arg;
	enum ht_err err;

	if (!m->checking)
		return write_tile(m, level, number, width, bytes);
	err = read_tile(m, level, number, width);
	if (err == HT_OK && !ht_slice_eq(bytes, ht_buf_slice(&m->file)))
		err = HT_EINTEGRITY;
	return err;
}

/* ---- what is there ---- */

static enum ht_err
load_hashes(void *arg, unsigned level, uint64_t number, unsigned width,
    struct ht_hash *out)
{
	struct mirror *m = arg;
	enum ht_err err = read_tile(m, level, number, width);

	if (err == HT_OK && m->file.len != width * sizeof(*out))
		err = HT_EINTEGRITY;
	if (err == HT_OK)
		memcpy(out, m->file.at, m->file.len);
	return err;
}

/* The entries of a bundle, each to @each, just @width of them. */
static enum ht_err
each_entry(struct mirror *m, uint64_t number, unsigned width,
    enum ht_err (*each)(struct mirror *m, struct ht_slice leaf))
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(BUNDLE_MAX);
	enum ht_err err = read_tile(m, HT_TILE_ENTRIES, number, width);
	struct ht_cur cur;

	if (err != HT_OK)
		return err;
	ht_buf_add(&bytes, m->file.at, m->file.len);
	cur = ht_cur(ht_buf_slice(&bytes));
	for (unsigned i = 0; i < width && err == HT_OK; i++) {
		struct ht_slice leaf = ht_cur_bytes16(&cur);

		err = cur.err == HT_OK ? each(m, leaf) : HT_EINTEGRITY;
	}
	if (err == HT_OK && ht_cur_end(&cur) != HT_OK)
		err = HT_EINTEGRITY;
	return err == HT_OK ? bytes.err : err;
}

/* Of the bundle that goes on: its entries are those of the hashes' tile. */
static enum ht_err
take_again(struct mirror *m, struct ht_slice leaf)
{
	struct ht_hash hash = ht_leaf_hash(leaf);

	if (!ht_hash_eq(&hash, &m->tiles.level[0].at[m->n_bundle]))
		return HT_EINTEGRITY;
	m->n_bundle++;
	ht_buf_u16(&m->bundle, (uint16_t)leaf.len);
	ht_buf_add(&m->bundle, leaf.at, leaf.len);
	return m->bundle.err;
}

static enum ht_err
load_bundle(struct mirror *m)
{
	unsigned width = m->tiles.level[0].n;

	if (m->hashes_only || width == 0)
		return HT_OK;
	return each_entry(m, m->old.size / HT_TILE_WIDTH, width, take_again);
}

/* A folder that is not what its checkpoint signs must not be continued. */
static int
bad_mirror(const struct mirror *m, enum ht_err err)
{
	if (err == HT_ENOMEM || err == HT_ESYSTEM) {
		ht_audit_say("%s/%s: %s", m->dir, m->where,
		    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
		return HT_AUDIT_GONE;
	}
	ht_audit_say("BAD: %s/%s is %s: this mirror is not what its checkpoint "
	             "signs; make another, in a new folder",
	    m->dir, m->where,
	    err == HT_ENOTFOUND ? "missing" : "not as the tree has it");
	return HT_AUDIT_BAD;
}

/* The checkpoint in the folder; *ret_note is empty where there is none. */
static int
read_checkpoint(struct mirror *m, const struct ht_audit_faith *faith,
    struct ht_buf *note, struct ht_audit_judged *judged)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(m->dir, "checkpoint");
	enum ht_err err = path == NULL ? HT_ENOMEM : ht_fs_read(path, note);
	int code;

	*judged = (struct ht_audit_judged){0};
	if (err == HT_ENOTFOUND)
		return HT_AUDIT_OK;
	if (err != HT_OK) {
		ht_audit_say("%s/checkpoint cannot be read: %s", m->dir,
		    ht_err_text(err));
		return HT_AUDIT_GONE;
	}
	code = ht_audit_judge(faith, path, ht_buf_slice(note), judged);
	m->old = judged->cp;
	return code;
}

/* A mirror of hashes stays one: entries of before would be missing. */
static int
check_kind(const struct mirror *m)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(m->dir, "tile/entries");
	bool has = path != NULL && access(path, F_OK) == 0;

	if (m->old.size == 0 || has == !m->hashes_only)
		return HT_AUDIT_OK;
	ht_audit_say("%s was begun %s --hashes, and goes on so", m->dir,
	    has ? "without" : "with");
	return HT_AUDIT_USAGE;
}

static int
take_up(struct mirror *m, const struct ht_audit_faith *faith)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_ANSWER_NOTE_MAX);
	struct ht_audit_judged judged;
	struct ht_hash root;
	int code = read_checkpoint(m, faith, &note, &judged);
	enum ht_err err;

	if (code == HT_AUDIT_OK || code == HT_AUDIT_UNMET)
		code = check_kind(m);
	if (code != HT_AUDIT_OK)
		return code;
	err = ht_tiles_begin(&m->tiles, m->old.size, load_hashes);
	if (err == HT_OK)
		err = load_bundle(m);
	root = ht_frontier_root(&m->tiles.tree);
	if (err == HT_OK && m->old.size > 0 && !ht_hash_eq(&root, &m->old.root))
		err = HT_EINTEGRITY;
	return err == HT_OK ? HT_AUDIT_OK : bad_mirror(m, err);
}

/* ---- growing ---- */

static enum ht_err
give_bundle(struct mirror *m, uint64_t number)
{
	enum ht_err err = HT_OK;

	if (m->n_bundle > 0 && !m->hashes_only)
		err = write_tile(m, HT_TILE_ENTRIES, number, m->n_bundle,
		    ht_buf_slice(&m->bundle));
	ht_buf_reset(&m->bundle);
	m->n_bundle = 0;
	return err;
}

static enum ht_err
take_row(void *arg, const struct ht_row *row)
{
	struct mirror *m = arg;
	enum ht_err err;

	if (row->seq > m->tiles.tree.size) { /* it was proven that it may */
		ht_audit_say("%s: the entries from %" PRIu64 " to %" PRIu64
		             " were removed from the log, so this mirror "
		             "cannot have them; one that was made before can "
		             "go on",
		    m->dir, m->tiles.tree.size, row->seq - 1);
		return HT_EGONE;
	}
	if (row->seq != m->tiles.tree.size)
		return HT_EINTEGRITY;
	ht_buf_u16(&m->bundle, (uint16_t)row->leaf.len);
	ht_buf_add(&m->bundle, row->leaf.at, row->leaf.len);
	err = m->bundle.err;
	if (++m->n_bundle == HT_TILE_WIDTH && err == HT_OK)
		err = give_bundle(m, row->seq / HT_TILE_WIDTH);
	return err == HT_OK ? ht_tiles_add(&m->tiles, &row->hash) : err;
}

/* The partial tiles of the tree before are of no use any more. */
static void
drop_partial(struct mirror *m, uint64_t old, uint64_t now)
{
	for (unsigned level = 0; level <= HT_TILE_ENTRIES; level++) {
		unsigned shift = level == HT_TILE_ENTRIES ? 0 : 8 * level;
		unsigned width = (unsigned)((old >> shift) % HT_TILE_WIDTH);
		uint64_t number = (old >> shift) / HT_TILE_WIDTH;
		HT_AUTO(ht_mem_free) char *path = NULL;

		if (width == 0 || old >> shift == now >> shift)
			continue;
		ht_tile_path(level, number, width, m->where);
		path = ht_fs_join(m->dir, m->where);
		if (path == NULL)
			continue;
		(void)unlink(path);
		*strrchr(path, '/') = '\0';
		(void)rmdir(path); /* unless another is in it */
	}
}

static int
finish(struct mirror *m, const struct ht_audit_result *r)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(m->dir, "checkpoint");
	struct ht_hash root = ht_frontier_root(&m->tiles.tree);
	uint64_t size = m->tiles.tree.size;
	enum ht_err err;

	/* It was proven twice: by its consistency, and row by row. */
	if (size != r->checkpoint.size ||
	    !ht_hash_eq(&root, &r->checkpoint.root)) {
		ht_audit_say("BAD: the entries that came do not give the tree "
		             "of the checkpoint that came with them");
		return HT_AUDIT_BAD;
	}
	err = ht_tiles_end(&m->tiles);
	if (err == HT_OK)
		err = give_bundle(m, size / HT_TILE_WIDTH);
	if (err == HT_OK && syncfs(m->fd) == -1)
		err = HT_ESYSTEM;
	if (err == HT_OK)
		err = path == NULL ? HT_ENOMEM
		                   : ht_fs_replace(path, 0644,
		                         ht_buf_slice(&r->answer.checkpoint));
	if (err != HT_OK) {
		ht_audit_say("%s cannot be written: %s", m->dir,
		    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
		return HT_AUDIT_GONE;
	}
	drop_partial(m, m->old.size, size);
	printf("mirror     %s: %" PRIu64 " entries, %" PRIu64
	       " of them new%s\n",
	    m->dir, size, size - m->old.size,
	    m->hashes_only ? "; hashes alone" : "");
	return HT_AUDIT_OK;
}

static int
open_folder(struct mirror *m)
{
	enum ht_err err = ht_fs_mkdirs(m->dir, 0755);

	if (err == HT_OK)
		m->fd = open(m->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->fd != -1 && flock(m->fd, LOCK_EX | LOCK_NB) == 0)
		return HT_AUDIT_OK;
	ht_audit_say("%s: %s", m->dir,
	    errno == EWOULDBLOCK ? "another run is writing this mirror"
	                         : strerror(errno));
	return HT_AUDIT_GONE;
}

static struct mirror *
mirror_new(const char *dir)
{
	struct mirror *m = calloc(1, sizeof(*m));

	if (m == NULL) {
		ht_audit_say("out of memory");
		return NULL;
	}
	m->dir = dir;
	m->fd = -1;
	m->bundle = HT_BUF(BUNDLE_MAX);
	m->file = HT_BUF(BUNDLE_MAX);
	m->tiles.full = give_tile;
	m->tiles.arg = m;
	return m;
}

/* Volumes follow one another: a mirror grows by the one that goes on. */
static int
check_volume(const struct mirror *m, const struct ht_audit_opts *opts)
{
	uint64_t size = m->old.size;

	if (opts->volume == NULL ||
	    (size >= ht_log_begin(opts->log) && size <= ht_log_size(opts->log)))
		return HT_AUDIT_OK;
	ht_audit_say("%s has %llu entries, and this volume the entries %llu to "
	             "%llu: %s",
	    m->dir, (unsigned long long)size,
	    (unsigned long long)ht_log_begin(opts->log),
	    (unsigned long long)ht_log_size(opts->log) - 1,
	    size < ht_log_begin(opts->log)
	        ? "a mirror grows without a gap; first give the volumes "
	          "before it"
	        : "nothing of it is missing there, but whether the mirror "
	          "continues it the log alone can say (--dir, --socket)");
	return HT_AUDIT_NONE;
}

static int
grow(struct mirror *m, const struct ht_audit_opts *opts,
    const struct ht_audit_faith *faith)
{
	struct ht_audit_opts ask = *opts;
	struct ht_audit_cursor since = {
	    .size = m->old.size, .root = m->old.root};
	struct ht_audit_feed feed = {.each = take_row,
	    .arg = m,
	    .stop_fd = -1,
	    .what = "mirroring entries",
	    .since = &since};
	struct ht_audit_result r;
	int code;

	ask.query = HT_QUERY_ALL;
	ask.query.why = opts->query.why;
	ask.query.mode = HT_QUERY_READ;
	ask.query.filter.start_seq = ask.query.since = m->old.size;
	ask.cursor = m->dir; /* for messages: what the log must continue */
	memcpy(since.origin, m->old.origin, sizeof(since.origin));
	code = ht_audit_stream(&ask, faith, &feed, &r);
	if (code == HT_AUDIT_OK)
		code = finish(m, &r);
	ht_audit_result_fini(&r);
	return code;
}

static int
believe(const struct ht_audit_opts *opts, struct ht_audit_faith *faith)
{
	int code = ht_audit_faith(opts, faith);

	if (code != HT_AUDIT_OK || faith->has_vkey || faith->quorum != NULL)
		return code;
	ht_audit_say("a mirror is of a log that somebody signs: give --policy, "
	             "--vkey, --root or --authority");
	return HT_AUDIT_USAGE;
}

int
ht_audit_mirror(const struct ht_audit_opts *opts, const char *dir)
{
	HT_AUTO(mirror_free) struct mirror *m = mirror_new(dir);
	struct ht_audit_faith faith;
	int code = believe(opts, &faith);

	if (m == NULL)
		code = HT_AUDIT_GONE;
	if (code == HT_AUDIT_OK)
		code = open_folder(m);
	if (code == HT_AUDIT_OK) {
		m->hashes_only = opts->hashes;
		code = take_up(m, &faith);
	}
	if (code == HT_AUDIT_OK)
		code = check_volume(m, opts);
	if (code == HT_AUDIT_OK)
		code = grow(m, opts, &faith);
	ht_audit_faith_fini(&faith);
	return code;
}

/* ---- verifying ---- */

static enum ht_err
verify_entry(struct mirror *m, struct ht_slice leaf)
{
	struct ht_hash hash = ht_leaf_hash(leaf);
	struct ht_entry e;

	if (ht_entry_decode(leaf, &e) != HT_OK || e.seq != m->tiles.tree.size ||
	    e.time_us < m->last_us)
		return HT_EINTEGRITY;
	m->last_us = e.time_us;
	return ht_tiles_add(&m->tiles, &hash);
}

static enum ht_err
verify_hashes(struct mirror *m, uint64_t number, unsigned width)
{
	struct ht_hash hashes[HT_TILE_WIDTH];
	enum ht_err err = load_hashes(m, 0, number, width, hashes);

	for (unsigned i = 0; i < width && err == HT_OK; i++)
		err = ht_tiles_add(&m->tiles, &hashes[i]);
	return err;
}

static enum ht_err
verify_all(struct mirror *m, uint64_t size)
{
	enum ht_err err = HT_OK;

	for (uint64_t at = 0; at < size && err == HT_OK; at += HT_TILE_WIDTH) {
		unsigned width = size - at < HT_TILE_WIDTH
		                     ? (unsigned)(size - at)
		                     : HT_TILE_WIDTH;
		uint64_t number = at / HT_TILE_WIDTH;

		err = m->hashes_only
		          ? verify_hashes(m, number, width)
		          : each_entry(m, number, width, verify_entry);
	}
	return err == HT_OK ? ht_tiles_end(&m->tiles) : err;
}

static int
verify_mirror(struct mirror *m, const struct ht_audit_faith *faith)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_ANSWER_NOTE_MAX);
	HT_AUTO(ht_mem_free) char *entries = ht_fs_join(m->dir, "tile/entries");
	struct ht_audit_judged judged;
	char hex[2 * HT_HASH_SIZE + 1];
	struct ht_hash root;
	int code = read_checkpoint(m, faith, &note, &judged);
	enum ht_err err;

	if (code != HT_AUDIT_OK)
		return code;
	if (note.len == 0) {
		ht_audit_say("%s: there is no mirror: no checkpoint", m->dir);
		return HT_AUDIT_GONE;
	}
	m->checking = true;
	m->hashes_only = entries == NULL || access(entries, F_OK) == -1;
	err = verify_all(m, m->old.size);
	root = ht_frontier_root(&m->tiles.tree);
	if (err == HT_OK && !ht_hash_eq(&root, &m->old.root)) {
		(void)snprintf(m->where, sizeof(m->where), "checkpoint");
		err = HT_EINTEGRITY;
	}
	if (err != HT_OK)
		return bad_mirror(m, err);
	ht_hex(hex, root.at, HT_HASH_SIZE);
	printf("checkpoint %s\nverified   %" PRIu64 " entries%s, root %s\n",
	    judged.text, m->old.size,
	    m->hashes_only ? " by their hashes alone: they are not in this "
	                     "mirror"
	                   : "",
	    hex);
	return HT_AUDIT_OK;
}

int
ht_audit_verify_mirror(const struct ht_audit_opts *opts, const char *dir)
{
	HT_AUTO(mirror_free) struct mirror *m = mirror_new(dir);
	struct ht_audit_faith faith;
	int code = believe(opts, &faith);

	if (m == NULL)
		code = HT_AUDIT_GONE;
	if (code == HT_AUDIT_OK)
		code = verify_mirror(m, &faith);
	ht_audit_faith_fini(&faith);
	return code;
}
