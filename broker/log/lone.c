/*
 * lone.c -- one volume as a log.  Reading it whole gives the hashes that its
 * entries' proofs are made of: those of subtrees of 32 entries and more are
 * kept, smaller ones are made again from the leaves.
 */
#include "broker/log/lone.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "broker/log/archive_in.h"
#include "broker/log/evidence.h"
#include "lib/base/panic.h"

#define LOW       5 /* levels below are made again: 2 bytes an entry */
#define LEVEL_MAX ((size_t)(HT_VOLUME_ENTRIES >> LOW) * HT_HASH_SIZE + 64)

struct ht_lone {
	struct ht_archive *archive; /* NULL: a volume's file alone */
	struct ht_volume *volume;   /* borrowed: the log closes it */
	struct ht_frontier tree;    /* while it is read */
	uint64_t lost;              /* entries; ht_log_lost() */
	enum ht_err err;
	struct ht_buf levels[HT_FRONTIER_MAX]; /* from first >> level on */
};

enum ht_lone_kind
ht_lone_kind(const char *path)
{
	static const char *const labels[] = {
	    [HT_LONE_VOLUME] = HT_VOLUME_LABEL,
	    [HT_LONE_ARCHIVE] = HT_ARCHIVE_DIR,
	};
	char found[32] = "";
	FILE *file = fopen(path, "re");
	enum ht_lone_kind kind = HT_LONE_NONE;

	if (file == NULL)
		return kind;
	if (fread(found, 1, sizeof(found), file) == sizeof(found))
		for (unsigned i = HT_LONE_VOLUME; i < HT_COUNT(labels); i++)
			if (memcmp(found, labels[i], strlen(labels[i])) == 0)
				kind = (enum ht_lone_kind)i;
	(void)fclose(file);
	return kind;
}

/* ---- its tree ---- */

static void
keep_hash(void *arg, unsigned level, uint64_t index, const struct ht_hash *hash)
{
	struct ht_lone *lone = arg;

	(void)index; /* they come in order */
	if (level < LOW)
		return;
	HT_ASSERT(level < HT_FRONTIER_MAX);
	/* cppcheck-suppress arrayIndexOutOfBoundsCond */
	ht_buf_add(&lone->levels[level], hash->at, HT_HASH_SIZE);
	if (lone->err == HT_OK)
		lone->err = lone->levels[level].err;
}

static bool
is_lost(const struct ht_lone *lone, const struct ht_entry *e)
{
	return e->cites > 0 &&
	       e->cites <= ht_volume_head(lone->volume)->first &&
	       !ht_entry_has_header(e);
}

static enum ht_err
take_entry(void *arg, uint64_t seq, const struct ht_volume_entry *entry)
{
	struct ht_lone *lone = arg;
	struct ht_hash hash = ht_leaf_hash(entry->leaf);
	struct ht_entry e;

	(void)seq;
	if (ht_entry_decode(entry->leaf, &e) != HT_OK)
		return HT_EINTEGRITY;
	lone->lost += is_lost(lone, &e);
	ht_frontier_append(&lone->tree, &hash, keep_hash, lone);
	return lone->err;
}

uint64_t
ht_log_lost(const struct ht_log *log)
{
	return log->lone == NULL ? 0 : log->lone->lost;
}

struct ht_archive *
ht_log_archive(const struct ht_log *log)
{
	return log->lone == NULL ? NULL : log->lone->archive;
}

static enum ht_err
hash_leaf(struct ht_lone *lone, uint64_t seq, struct ht_hash *ret)
{
	uint8_t room[HT_LEAF_MAX + 1];
	struct ht_buf leaf = HT_BUF_ON(room);
	enum ht_err err = ht_volume_read(lone->volume, seq, &leaf, NULL);

	if (err == HT_OK)
		*ret = ht_leaf_hash(ht_buf_slice(&leaf));
	return err == HT_ENOTFOUND ? HT_EINTEGRITY : err;
}

static enum ht_err
kept_hash(const struct ht_lone *lone, unsigned level, uint64_t index,
    struct ht_hash *ret)
{
	const struct ht_buf *kept = &lone->levels[level];
	uint64_t first = ht_volume_head(lone->volume)->first;
	uint64_t place = index - (first >> level);

	if (place >= kept->len / HT_HASH_SIZE)
		return HT_EINTEGRITY; /* no subtree of this tree */
	memcpy(ret->at, kept->at + place * HT_HASH_SIZE, HT_HASH_SIZE);
	return HT_OK;
}

/* A subtree that began before the volume, and ended there. */
static enum ht_err
hash_before(const struct ht_volume_head *head, unsigned level, uint64_t index,
    struct ht_hash *ret)
{
	if (!(head->first >> level & 1) || index + 1 != head->first >> level)
		return HT_EGONE;
	*ret = head->before.at[level];
	return HT_OK;
}

enum ht_err
ht_lone_hash(void *arg, unsigned level, uint64_t index, struct ht_hash *ret)
{
	struct ht_lone *lone = arg;
	const struct ht_volume_head *head = ht_volume_head(lone->volume);
	struct ht_hash left, right;
	enum ht_err err;

	if (index < head->first >> level)
		return hash_before(head, level, index, ret);
	if (level >= LOW)
		return kept_hash(lone, level, index, ret);
	if (level == 0)
		return hash_leaf(lone, index, ret);
	err = ht_lone_hash(lone, level - 1, 2 * index, &left);
	if (err == HT_OK)
		err = ht_lone_hash(lone, level - 1, 2 * index + 1, &right);
	if (err == HT_OK)
		*ret = ht_node_hash(&left, &right);
	return err;
}

enum ht_err
ht_lone_erasure(struct ht_lone *lone, uint64_t by, struct ht_erasure **ret)
{
	return lone->archive == NULL
	           ? HT_ENOTFOUND
	           : ht_archive_erasure(lone->archive, by, ret);
}

void
ht_lone_free(struct ht_lone **lone_p)
{
	struct ht_lone *lone = HT_TAKE(*lone_p);

	if (lone == NULL)
		return;
	ht_archive_close(&lone->archive);
	for (unsigned level = 0; level < HT_FRONTIER_MAX; level++)
		ht_buf_fini(&lone->levels[level]);
	free(lone);
}

/* ---- opening ---- */

static enum ht_err
bad(struct ht_report *report, const char *path, const char *what)
{
	ht_report_add(report, path, "%s", what);
	return HT_EINTEGRITY;
}

static enum ht_err
check_file(struct ht_log *log, const char *path, struct ht_report *report)
{
	struct ht_lone *lone = log->lone;
	uint64_t at = 0;
	enum ht_err err =
	    ht_volume_check(lone->volume, NULL, take_entry, lone, &at);

	if (err != HT_EINTEGRITY)
		return err;
	if (at == ht_volume_head(lone->volume)->end)
		return bad(report, path,
		    "its entries do not give the root of its checkpoint");
	ht_report_add(report, path,
	    "entry %" PRIu64 " is not the one that was logged", at);
	return err;
}

static enum ht_err
check_archive(struct ht_log *log)
{
	struct ht_archive_visit visit = {take_entry, log->lone};
	struct ht_archive_seen seen;

	return ht_archive_check_volume(log->lone->archive, log->lone->volume,
	    log->vault, NULL, &visit, &seen);
}

/* The log has one volume, and keeps all of its entries there. */
static void
take_volume(struct ht_log *log, struct ht_volume *volume)
{
	const struct ht_volume_head *head = ht_volume_head(volume);
	struct ht_volumes *v = &log->volumes;

	log->lone->volume = volume;
	log->lone->tree = head->before;
	memcpy(log->env, head->env, sizeof(log->env));
	v->at[v->n++] = volume;
	atomic_store(&v->begin, head->first);
	atomic_store(&v->kept, head->end);
	atomic_store(&log->size, head->end);
}

static enum ht_err
open_volume(struct ht_log *log, const char *path, bool is_archive,
    struct ht_report *report)
{
	struct ht_volume *volume = NULL;
	enum ht_err err = HT_OK;

	if (is_archive)
		err = ht_archive_open(path, report, &log->lone->archive);
	if (err == HT_OK)
		err = is_archive
		          ? ht_archive_volume(log->lone->archive, &volume)
		          : ht_volume_open_file(path, 0, 0, &volume);
	if (err == HT_EINTEGRITY && ht_report_count(report) == 0)
		return bad(
		    report, path, "this is not a volume as it was written");
	if (err == HT_OK)
		take_volume(log, volume);
	if (err == HT_OK && is_archive)
		err =
		    ht_archive_vault(log->lone->archive, log->env, &log->vault);
	return err;
}

static enum ht_err
take_note(struct ht_log *log)
{
	struct ht_buf *note = &log->notes[log->newest];
	struct ht_slice bytes = ht_volume_note(log->lone->volume);

	*note = HT_BUF(HT_VOLUME_NOTE_MAX);
	ht_buf_add(note, bytes.at, bytes.len);
	return note->err;
}

static enum ht_err
lone_new(struct ht_lone **ret)
{
	struct ht_lone *lone = calloc(1, sizeof(*lone));

	if (lone == NULL)
		return HT_ENOMEM;
	for (unsigned level = 0; level < HT_FRONTIER_MAX; level++)
		lone->levels[level] = HT_BUF(LEVEL_MAX);
	*ret = lone;
	return HT_OK;
}

enum ht_err
ht_log_open_lone(
    const char *path, struct ht_report *report, struct ht_log **ret)
{
	HT_AUTO(ht_log_close) struct ht_log *log = NULL;
	enum ht_lone_kind kind = ht_lone_kind(path);
	bool is_archive = kind == HT_LONE_ARCHIVE;
	enum ht_err err = ht_log_new(path, NULL, NULL, &log);

	if (err == HT_OK)
		err = lone_new(&log->lone);
	/* What is none is opened all the same: for why it cannot be. */
	if (err == HT_OK)
		err = open_volume(log, path, is_archive, report);
	if (err == HT_OK)
		err = is_archive ? check_archive(log)
		                 : check_file(log, path, report);
	if (err == HT_OK)
		err = take_note(log);
	if (err == HT_OK)
		*ret = HT_TAKE(log);
	return err;
}
