/*
 * node_disk.c -- the snapshot in force, on the node's own disk: a restart
 * needs no broker to know what it may do.
 *
 * The folder of the snapshot before the last becomes the newest one's: what
 * changed since is written, and the rest lies there.  A thread does it, while
 * the node decides by the snapshot already: a trust never changes, and the
 * thread has its own reference and paths.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "adapters/node.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "schemas/doc.h"

#define FACT_SNAPSHOT "snapshot"
#define SAVER_NICE    10
#define MAKING        ".new" /* behind a folder's name, until it is whole */

static char *
snapshot_dir(const char *state, uint64_t version)
{
	char *dir;

	return asprintf(&dir, "%s/trust-%llu", state,
	           (unsigned long long)version) >= 0
	           ? dir
	           : NULL;
}

static enum ht_err
write_named(const char *dir, const char *name, struct ht_slice bytes)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(dir, name);

	return path != NULL ? ht_fs_replace(path, 0600, bytes) : HT_ENOMEM;
}

static enum ht_err
make_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	HT_AUTO(ht_mem_free) char *dir = NULL;

	dir = strndup(path, slash != NULL ? (size_t)(slash - path) : 0);
	return dir != NULL ? ht_fs_mkdirs(dir, 0700) : HT_ENOMEM;
}

/*
 * Not synced: a document that a power cut tears has another hash than its
 * list says, and the snapshot is fetched again.
 */
static enum ht_err
write_doc(const char *path, struct ht_slice bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool written;

	if (fd == -1 && errno == ENOENT) {
		enum ht_err err = make_parent(path);

		if (err != HT_OK)
			return err;
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	}
	if (fd == -1)
		return HT_ESYSTEM;
	written = write(fd, bytes.at, bytes.len) == (ssize_t)bytes.len;
	return close(fd) == 0 && written ? HT_OK : HT_ESYSTEM;
}

/* The file of the snapshot before, where it is the same document. */
static bool
link_doc(const char *older, const char *name, const char *path)
{
	HT_AUTO(ht_mem_free) char *from = ht_fs_join(older, name);

	if (from == NULL)
		return false;
	if (link(from, path) == 0)
		return true;
	return errno == ENOENT && access(from, F_OK) == 0 &&
	       make_parent(path) == HT_OK && link(from, path) == 0;
}

/*
 * @older: the folder of snapshot @before, or NULL.  One document among a
 * hundred thousand is written; the others get another name.
 */
static enum ht_err
write_docs(const struct ht_trust *trust, const char *dir, const char *older,
    uint64_t before)
{
	HT_AUTO(ht_mem_free) struct ht_list_line *lines = NULL;
	char name[HT_DOC_PATH_MAX];
	size_t n = 0;
	enum ht_err err;

	err = ht_list_parse(ht_trust_doc(trust, 1), "", NULL, &lines, &n);
	if (err == HT_OK && n + 2 != ht_trust_n_docs(trust))
		err = HT_EMALFORMED;
	for (size_t i = 0; err == HT_OK && i < n; i++) {
		HT_AUTO(ht_mem_free) char *path = NULL;

		ht_doc_path(lines[i].kind, lines[i].name, name);
		path = ht_fs_join(dir, name);
		if (path == NULL)
			return HT_ENOMEM;
		if (older != NULL && ht_trust_doc_since(trust, i) <= before &&
		    link_doc(older, name, path))
			continue;
		/* A name of an interrupted run may be another document's. */
		(void)unlink(path);
		err = write_doc(path, ht_trust_doc(trust, i + 2));
	}
	return err;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

/* The snapshot before stays, in case this one is not kept after all. */
static void
remove_older(const char *state, uint64_t before)
{
	DIR *dir = opendir(state);
	const struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		HT_AUTO(ht_mem_free) char *path = NULL;
		char *end;

		if (strncmp(entry->d_name, "trust-", 6) != 0)
			continue;
		/* Or one that a kill left half made. */
		if ((strtoull(entry->d_name + 6, &end, 10) >= before ||
		        *end != '\0') &&
		    strcmp(end, MAKING) != 0)
			continue;
		path = ht_fs_join(state, entry->d_name);
		if (path != NULL)
			(void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

/* ---- the thread ---- */

/* The list and the notes; that of the snapshot last: with it it is whole. */
static enum ht_err
write_heads(const struct node_saver *s, const char *dir)
{
	HT_AUTO(ht_mem_free) char *list = ht_fs_join(dir, "snapshot.list");
	enum ht_err err = HT_ENOMEM;

	/* Megabytes, and no more to be synced than the documents are. */
	if (list != NULL)
		(void)unlink(list);
	if (list != NULL)
		err = write_doc(list, ht_trust_doc(s->trust, 1));
	if (err == HT_OK)
		err = write_named(
		    dir, "current.note", ht_trust_current(s->trust));
	if (err == HT_OK)
		err = write_named(
		    dir, "snapshot.note", ht_trust_doc(s->trust, 0));
	return err;
}

/* A folder like the authority's: git, diff and sha256sum work on it. */
static enum ht_err
save_all(const struct node_saver *s, const char *dir)
{
	HT_AUTO(ht_mem_free) char *older = NULL;
	enum ht_err err = ht_fs_mkdirs(dir, 0700);

	if (err == HT_OK && s->before != 0)
		older = snapshot_dir(s->state, s->before);
	if (err == HT_OK)
		err = write_docs(s->trust, dir, older, s->before);
	return err == HT_OK ? write_heads(s, dir) : err;
}

/* "kind name", a line each. */
static enum ht_err
remove_gone(const struct node_saver *s, const char *dir)
{
	HT_AUTO(ht_buf_fini) struct ht_buf gone = HT_BUF(HT_GONE_MAX);
	char *line, *rest, *name, path[HT_DOC_PATH_MAX];
	enum ht_doc_kind kind;

	ht_trust_gone_since(s->trust, s->older, &gone);
	if (gone.err != HT_OK)
		return gone.err;
	for (line = strtok_r((char *)ht_buf_text(&gone), "\n", &rest);
	     line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		HT_AUTO(ht_mem_free) char *file = NULL;

		name = strchr(line, ' ');
		if (name == NULL ||
		    ht_doc_kind_parse(
		        HT_SLICE(line, (size_t)(name - line)), &kind) != HT_OK)
			return HT_EMALFORMED;
		ht_doc_path(kind, name + 1, path);
		file = ht_fs_join(dir, path);
		if (file == NULL)
			return HT_ENOMEM;
		if (ht_trust_find_doc(s->trust, ht_doc_kind_text(kind),
		        ht_slice_str(name + 1))
		        .len == 0)
			(void)unlink(file);
	}
	return HT_OK;
}

static enum ht_err
write_since(const struct node_saver *s, const char *dir)
{
	struct ht_slice line, note;
	size_t at = 0;
	enum ht_err err = HT_OK;

	while (err == HT_OK &&
	       ht_trust_next_since(s->trust, s->older, &at, &line, &note)) {
		HT_AUTO(ht_mem_free) struct ht_list_line *parsed = NULL;
		HT_AUTO(ht_mem_free) char *file = NULL;
		char path[HT_DOC_PATH_MAX];
		size_t n;

		err = ht_list_parse(
		    HT_SLICE(line.at, line.len + 1), "", NULL, &parsed, &n);
		if (err != HT_OK)
			break;
		ht_doc_path(parsed->kind, parsed->name, path);
		file = ht_fs_join(dir, path);
		/* Another folder may have a name of the same file. */
		if (file != NULL)
			(void)unlink(file);
		err = file != NULL ? write_doc(file, note) : HT_ENOMEM;
	}
	return err;
}

/* Of the snapshot before the last only what changed since is written. */
static enum ht_err
save_onto(const struct node_saver *s, const char *dir)
{
	HT_AUTO(ht_mem_free) char *from = NULL;
	HT_AUTO(ht_mem_free) char *making = NULL;
	enum ht_err err;

	if (s->older == 0 || ht_trust_since(s->trust, s->older) != s->older)
		return HT_ENOTFOUND;
	from = snapshot_dir(s->state, s->older);
	if (from == NULL || asprintf(&making, "%s" MAKING, dir) < 0)
		return HT_ENOMEM;
	if (rename(from, making) != 0)
		return HT_ENOTFOUND;
	err = remove_gone(s, making);
	if (err == HT_OK)
		err = write_since(s, making);
	if (err == HT_OK)
		err = write_heads(s, making);
	if (err == HT_OK && rename(making, dir) != 0)
		err = HT_ESYSTEM;
	return err;
}

static void *
save(void *arg)
{
	struct node_saver *s = arg;
	HT_AUTO(ht_mem_free)
	char *dir = NULL;

	/* A hundred thousand names may wait; who answers, and who loads the
	 * next snapshot, may not. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), SAVER_NICE);
	dir = snapshot_dir(s->state, ht_trust_version(s->trust));
	s->err = dir != NULL ? save_onto(s, dir) : HT_ENOMEM;
	if (s->err != HT_OK && dir != NULL)
		s->err = save_all(s, dir);
	s->why = errno;
	if (s->err == HT_OK)
		remove_older(s->state, s->before);
	atomic_store(&s->ended, true);
	return NULL;
}

/* Not fatal: it is fetched again after a restart. */
static void
not_kept(const struct ht_node *node, enum ht_err err, int why)
{
	ht_log(HT_WARN, "node %s: the snapshot is not kept: %s", node->id,
	    err == HT_ESYSTEM ? strerror(why) : ht_err_text(err));
}

static void
begin(struct ht_node *node)
{
	struct node_saver *s = &node->saver;
	sigset_t all, before;

	s->trust = ht_trust_ref(node->trust);
	s->state = ht_state_dir(node->state);
	s->again = false;
	atomic_store(&s->ended, false);
	/* Signals belong to the program's own threads. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	s->started = pthread_create(&s->thread, NULL, save, s) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (s->started)
		return;
	not_kept(node, HT_ESYSTEM, EAGAIN);
	ht_trust_unref(&s->trust);
}

static enum ht_err
save_current(struct ht_node *node)
{
	HT_AUTO(ht_mem_free)
	char *dir = snapshot_dir(
	    ht_state_dir(node->state), ht_trust_version(node->trust));

	return dir != NULL ? write_named(dir, "current.note",
	                         ht_trust_current(node->trust))
	                   : HT_ENOMEM;
}

/* The next start takes it from there; its current note may be newer. */
static void
saved(struct ht_node *node)
{
	struct node_saver *s = &node->saver;
	uint8_t version[8];

	if (s->err == HT_OK) {
		s->older = s->before;
		s->before = ht_trust_version(s->trust);
		ht_be64(version, s->before);
		s->err = ht_state_put(
		    node->state, FACT_SNAPSHOT, HT_SLICE(version, 8));
	}
	if (s->err == HT_OK && s->before == ht_trust_version(node->trust))
		s->err = save_current(node);
	if (s->err != HT_OK)
		not_kept(node, s->err, s->why);
}

static void
join(struct ht_node *node)
{
	struct node_saver *s = &node->saver;

	if (!s->started)
		return;
	(void)pthread_join(s->thread, NULL);
	s->started = false;
	saved(node);
	ht_trust_unref(&s->trust);
}

void
node_disk_turn(struct ht_node *node)
{
	struct node_saver *s = &node->saver;

	if (s->started && !atomic_load(&s->ended))
		return;
	join(node);
	if (s->again && ht_clock_mono_ms() >= s->due_ms)
		begin(node);
}

void
node_disk_close(struct ht_node *node)
{
	if (!node->saver.started && !node->saver.again)
		return;
	join(node);
	if (node->saver.again)
		begin(node);
	join(node);
	if (ht_state_commit(node->state) != HT_OK)
		ht_log(HT_WARN, "node %s: the snapshot is not kept", node->id);
}

void
node_disk_save(struct ht_node *node, bool whole)
{
	struct node_saver *s = &node->saver;
	enum ht_err err;

	if (whole) {
		if (!s->again)
			s->due_ms = ht_clock_mono_ms() + NODE_SAVE_MS;
		if (s->before == 0) /* a restart would know nothing */
			s->due_ms = 0;
		s->again = true;
		node_disk_turn(node);
		return;
	}
	if (s->started || s->again)
		return; /* the newest note is kept when that has ended */
	err = save_current(node);
	if (err != HT_OK)
		not_kept(node, err, errno);
}

/* ---- at the start ---- */

struct ht_trust *
node_disk_load(struct ht_node *node)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf version = HT_BUF(8);
	HT_AUTO(ht_mem_free) char *dir = NULL;
	struct ht_trust *trust = NULL;

	if (ht_state_get(node->state, FACT_SNAPSHOT, &version) != HT_OK ||
	    version.len != 8)
		return NULL;
	dir = snapshot_dir(ht_state_dir(node->state), ht_load64(version.at));
	if (dir == NULL)
		return NULL;
	if (ht_trust_load_dir(&node->root, dir, NULL, report, &trust) ==
	    HT_OK) {
		node->saver.before = ht_trust_version(trust);
		return trust;
	}
	ht_log(HT_WARN, "node %s: %s is not used: %s; a new one is fetched",
	    node->id, dir,
	    ht_report_count(report) > 0 ? ht_report_text(report, 0) : "");
	return NULL;
}
