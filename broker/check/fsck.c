/*
 * fsck.c -- every stored part of a log against its entries, to the end.
 */
#include "broker/check/fsck.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/index/index_in.h"
#include "broker/log/erase.h"
#include "broker/log/evidence.h"
#include "broker/log/remove.h"
#include "lib/base/fs.h"

struct fsck {
	struct ht_fsck *f;
	struct ht_log *log;
	struct ht_txn *txn;
	struct ht_stored rows;
	struct ht_seek *cps;
	uint64_t next_cp; /* size of the checkpoint to come; 0: none */
	struct ht_slice cp_note;
	struct ht_frontier tree;
	uint32_t segment; /* of the vault: the first of this log */
	uint64_t removed; /* entries below were, says a REMOVED entry */
	bool lost; /* an entry is not there: no tree can be grown over it */
	uint64_t seq, last_us;
	struct ht_slice chunks[HT_CHUNK_LEVELS]; /* at hand */
	struct ht_buf tag, body, cited;
	struct ht_store *index;
	struct index_sum sum;
	bool sum_spoiled; /* rows of an entry could not be told */
	struct ht_about about;
};

const char *
ht_fsck_text(enum ht_fsck_part part)
{
	static const char *const texts[HT_FSCK_PARTS] = {
	    [HT_FSCK_ENTRIES] = "entries",
	    [HT_FSCK_VAULT] = "vault",
	    [HT_FSCK_TREE] = "tree",
	    [HT_FSCK_HEAD] = "head",
	    [HT_FSCK_SIGNED] = "signed",
	    [HT_FSCK_INDEX] = "index",
	    [HT_FSCK_REMAINS] = "remains",
	};

	return texts[part];
}

static void found(struct fsck *s, enum ht_fsck_part part, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
found(struct fsck *s, enum ht_fsck_part part, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	if (s->f->findings[part]++ >= HT_FSCK_SHOWN)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s->f->found(s->f->arg, part, text);
}

/* ---- the stored tree ---- */

/* Sixteen hashes to a chunk: one look at the database for all of them. */
static bool
stored_hash(
    struct fsck *s, unsigned level, uint64_t index, struct ht_slice *ret)
{
	struct ht_slice *chunk = &s->chunks[level / 4];
	uint64_t at = index % HT_CHUNK;

	if (at == 0 &&
	    ht_tree_chunk(s->txn, level, index / HT_CHUNK, chunk) != HT_OK)
		*chunk = HT_SLICE(NULL, 0);
	if (chunk->len < (at + 1) * HT_HASH_SIZE)
		return false;
	*ret = HT_SLICE(chunk->at + at * HT_HASH_SIZE, HT_HASH_SIZE);
	return true;
}

static void
compare(void *arg, unsigned level, uint64_t index, const struct ht_hash *hash)
{
	struct fsck *s = arg;
	struct ht_slice stored;
	bool there;

	if (level % 4 != 0)
		return;
	there = stored_hash(s, level, index, &stored);
	if (!there || memcmp(stored.at, hash->at, HT_HASH_SIZE) != 0)
		found(s, HT_FSCK_TREE,
		    "the stored hash of level %u, number %" PRIu64 ", is %s",
		    level, index,
		    there ? "not that of the entries" : "missing");
}

/* ---- what was signed ---- */

static enum ht_err
next_checkpoint(struct fsck *s, bool first)
{
	struct ht_slice key;
	uint64_t zero = 0;
	enum ht_err err =
	    first ? ht_seek_ge(s->cps, HT_SLICE(&zero, sizeof(zero)), &key,
	                &s->cp_note)
	          : ht_seek_next(s->cps, &key, &s->cp_note);

	s->next_cp = 0;
	if (err == HT_OK)
		memcpy(&s->next_cp, key.at, sizeof(s->next_cp));
	return err == HT_ENOTFOUND ? HT_OK : err;
}

static void
check_note(struct fsck *s, struct ht_slice bytes, const char *what)
{
	struct ht_hash root = ht_frontier_root(&s->tree);
	struct ht_checkpoint cp;
	struct ht_note note;

	if (ht_note_parse(bytes, &note) != HT_OK ||
	    ht_checkpoint_parse(note.text, &cp) != HT_OK)
		found(s, HT_FSCK_SIGNED, "%s of size %" PRIu64 " is no note",
		    what, s->tree.size);
	else if (cp.size != s->tree.size || !ht_hash_eq(&cp.root, &root))
		found(s, HT_FSCK_SIGNED,
		    "%s of size %" PRIu64 " is not of these entries", what,
		    s->tree.size);
}

static enum ht_err
check_signed(struct fsck *s)
{
	const struct ht_anchor *a = &s->log->anchor;

	if (a->counter > 0 && a->size == s->tree.size && a->size > 0 &&
	    !s->lost)
		check_note(s, HT_SLICE(a->note, a->note_len), "the anchor");
	if (s->next_cp != s->tree.size || s->tree.size == 0)
		return HT_OK;
	if (!s->lost)
		check_note(s, s->cp_note, "the checkpoint in cps");
	return next_checkpoint(s, false);
}

/* ---- the vault ---- */

static void
check_piece(struct fsck *s, const struct ht_entry *e)
{
	const struct ht_header *h = &s->about.header;
	struct ht_erased erased = {0};
	enum ht_err err;

	ht_buf_reset(&s->tag);
	ht_buf_reset(&s->body);
	if (e->tag_len == 0 && e->body_len == 0)
		return;
	if (s->f->no_vault) {
		s->f->unseen++;
		return;
	}
	err = ht_log_read_piece(s->log, e, h, &s->tag, &s->body);
	if (err == HT_EERASED) {
		err = ht_log_erased(s->log, e, &erased);
		if (err == HT_OK)
			err = ht_log_read_piece(s->log, e, h,
			    erased.tag ? NULL : &s->tag,
			    erased.body ? NULL : &s->body);
	}
	if (err == HT_OK) {
		s->f->pieces++;
		return;
	}
	s->sum_spoiled = true; /* whom it is about cannot be told */
	found(s, HT_FSCK_VAULT,
	    "entry %" PRIu64 ": its tag or body, in segment %" PRIu32
	    " at byte %" PRIu64 ", is not the one of its header",
	    s->seq, e->segment, e->offset);
}

/* ---- entries ---- */

/* The entry it cites has passed by: it is read where it stands. */
static enum ht_err
about_cited(struct fsck *s, const struct ht_entry *e)
{
	struct ht_slice value;
	enum ht_err err =
	    ht_stored_at(s->log, s->txn, e->cites - 1, &s->cited, &value);

	if (err == HT_OK && value.len <= HT_HASH_SIZE)
		err = HT_EINTEGRITY;
	return err == HT_OK ? ht_about_cited(
	                          HT_SLICE(value.at, value.len - HT_HASH_SIZE),
	                          &s->about)
	                    : err;
}

/*
 * Whom and what it is about, for vault and index: its header is taken apart
 * once.  HT_EINTEGRITY: that cannot be told, which is a finding.
 */
static enum ht_err
tell_about(struct fsck *s, const struct ht_entry *e)
{
	enum ht_err err = ht_entry_about(NULL, e, &s->about);

	if (err != HT_OK) {
		found(s, HT_FSCK_ENTRIES,
		    "entry %" PRIu64 ": its header is malformed", s->seq);
		return HT_EINTEGRITY;
	}
	if (s->index == NULL || s->about.has_header || e->cites == 0)
		return HT_OK;
	err = about_cited(s, e);
	if (err == HT_EGONE) /* it was removed: nobody knows */
		return HT_OK;
	if (err != HT_EINTEGRITY && err != HT_ENOTFOUND)
		return err;
	found(s, HT_FSCK_ENTRIES,
	    "entry %" PRIu64 " cites entry %" PRIu64 ", which has no header",
	    s->seq, e->cites - 1);
	return HT_EINTEGRITY;
}

/* Its tag is at hand, unless it is erased, or in no vault of this copy. */
static enum ht_err
check_rows(struct fsck *s, const struct ht_entry *e)
{
	struct ht_tag tag;
	bool there = s->tag.len > 0 &&
	             ht_tag_decode(ht_buf_slice(&s->tag), &tag, NULL) == HT_OK;

	if (s->index == NULL || s->sum_spoiled)
		return HT_OK;
	return index_rows(
	    e, &s->about, there ? &tag : NULL, index_sum_row, &s->sum);
}

static void
take_removed(struct fsck *s, const struct ht_entry *e)
{
	struct ht_remove_said said;

	if (ht_remove_said_decode(e->payload, &said) != HT_OK)
		found(s, HT_FSCK_ENTRIES,
		    "entry %" PRIu64 ": its payload is not that of REMOVED",
		    s->seq);
	else if (s->seq == s->log->volumes.state.removed)
		s->removed = said.end;
}

static enum ht_err
check_leaf(struct fsck *s, struct ht_slice leaf)
{
	struct ht_entry e;
	enum ht_err err;

	if (ht_entry_decode(leaf, &e) != HT_OK) {
		found(s, HT_FSCK_ENTRIES, "entry %" PRIu64 " is malformed",
		    s->seq);
		s->sum_spoiled = true;
		return HT_OK;
	}
	if (e.seq != s->seq)
		found(s, HT_FSCK_ENTRIES,
		    "entry %" PRIu64 " says that it is entry %" PRIu64, s->seq,
		    e.seq);
	if (e.type == HT_ENTRY_REMOVED)
		take_removed(s, &e);
	e.seq = s->seq; /* its rows are those of its place */
	if (e.time_us < s->last_us)
		found(s, HT_FSCK_ENTRIES,
		    "entry %" PRIu64 " is older than the one before", s->seq);
	s->last_us = e.time_us;
	err = tell_about(s, &e);
	if (err == HT_EINTEGRITY) {
		s->sum_spoiled = true;
		return HT_OK;
	}
	if (err != HT_OK)
		return err;
	check_piece(s, &e);
	return check_rows(s, &e);
}

static enum ht_err
check_value(struct fsck *s, struct ht_slice value)
{
	struct ht_slice leaf = HT_SLICE(value.at, 0);
	struct ht_hash hash;

	if (value.len > HT_HASH_SIZE)
		leaf.len = value.len - HT_HASH_SIZE;
	hash = ht_leaf_hash(leaf);
	if (value.len <= HT_HASH_SIZE ||
	    memcmp(hash.at, value.at + leaf.len, HT_HASH_SIZE) != 0)
		found(s, HT_FSCK_ENTRIES,
		    "entry %" PRIu64 " is not the one that was logged: its "
		    "hash is another",
		    s->seq);
	ht_frontier_append(&s->tree, &hash, compare, s);
	return check_leaf(s, leaf);
}

/* Of what was removed the tree has hashes, which its upper ones must fit. */
static enum ht_err
check_removed(struct fsck *s)
{
	uint64_t begin = ht_log_begin(s->log);
	struct ht_slice stored;
	struct ht_hash hash;
	enum ht_err err = HT_OK;

	for (; s->seq < begin && err == HT_OK; s->seq++) {
		s->lost = !stored_hash(s, 0, s->seq, &stored);
		if (s->lost) {
			found(s, HT_FSCK_TREE,
			    "the stored hash of entry %" PRIu64
			    ", which was removed, is missing",
			    s->seq);
			return HT_OK;
		}
		memcpy(hash.at, stored.at, sizeof(hash.at));
		ht_frontier_append(&s->tree, &hash, compare, s);
		err = check_signed(s);
	}
	return err;
}

static void
check_removal(struct fsck *s)
{
	uint64_t begin = ht_log_begin(s->log);

	if (s->removed != begin)
		found(s, HT_FSCK_ENTRIES,
		    "the entries below %" PRIu64
		    " are not here, and no REMOVED entry says so",
		    begin);
}

/* What follows a hole has no place in a tree: nothing more can be said. */
static enum ht_err
check_entries(struct fsck *s)
{
	uint64_t size = s->log->head.frontier.size;
	struct ht_slice value;
	enum ht_err err = check_removed(s);

	if (s->lost)
		return err;
	for (; s->seq < size && err == HT_OK; s->seq++) {
		if (s->f->progress != NULL)
			s->f->progress(s->f->arg, s->seq, size);
		err = ht_stored_next(&s->rows, s->seq, &value);
		if (err == HT_ENOTFOUND || err == HT_EINTEGRITY) {
			found(s, HT_FSCK_ENTRIES,
			    "entry %" PRIu64 " is %s, of %" PRIu64
			    "; what follows was not looked at",
			    s->seq,
			    err == HT_ENOTFOUND
			        ? "missing"
			        : "damaged in its volume's file",
			    size);
			s->lost = true;
			return HT_OK;
		}
		if (err == HT_OK)
			err = check_value(s, value);
		if (err == HT_OK)
			err = check_signed(s);
	}
	if (err == HT_OK)
		check_removal(s);
	if (err == HT_OK && size > 0 && ht_stored_behind(&s->rows, size))
		found(s, HT_FSCK_ENTRIES,
		    "entries stand behind the last, %" PRIu64, size - 1);
	return err;
}

/* ---- the head, and how much there is ---- */

static void
check_head(struct fsck *s)
{
	const struct ht_head *head = &s->log->head;
	struct ht_hash root = ht_frontier_root(&s->tree);

	if (!ht_hash_eq(&root, &head->root))
		found(s, HT_FSCK_HEAD,
		    "the root in head is not that of the entries");
	for (unsigned bit = 0; bit < HT_FRONTIER_MAX; bit++)
		if (s->tree.size >> bit & 1 &&
		    !ht_hash_eq(&s->tree.at[bit], &head->frontier.at[bit]))
			found(s, HT_FSCK_HEAD,
			    "the frontier in head, of level %u, is not that of "
			    "the entries",
			    bit);
	if (head->last_us != s->last_us)
		found(s, HT_FSCK_HEAD,
		    "head has another time than the last entry");
	if (s->next_cp != 0)
		found(s, HT_FSCK_SIGNED,
		    "a checkpoint of size %" PRIu64 " was signed, and there "
		    "are %" PRIu64 " entries",
		    s->next_cp, s->tree.size);
}

static enum ht_err
check_counts(struct fsck *s)
{
	uint64_t size = s->tree.size, n0 = 0, nup = 0, chunks = 0;
	enum ht_err err = ht_txn_count(s->txn, HT_EV_N0, &n0);

	if (err == HT_OK)
		err = ht_txn_count(s->txn, HT_EV_NUP, &nup);
	for (unsigned level = 4; level < 64; level += 4)
		chunks += ((size >> level) + HT_CHUNK - 1) / HT_CHUNK;
	if (err == HT_OK &&
	    (n0 != (size + HT_CHUNK - 1) / HT_CHUNK || nup != chunks))
		found(s, HT_FSCK_TREE, "the stored tree has rows of no entry");
	return err;
}

static void
check_anchor(struct fsck *s)
{
	const struct ht_anchor *a = &s->log->anchor;
	uint64_t size = s->log->head.frontier.size;

	if (a->counter == 0 && size > 0)
		found(s, HT_FSCK_SIGNED, "there is no valid anchor");
	if (a->counter > 0 && a->size > size) {
		s->f->rolled_back = true;
		found(s, HT_FSCK_SIGNED,
		    "a checkpoint of size %" PRIu64 " was given out, and there "
		    "are %" PRIu64 " entries: an older log was put back",
		    a->size, size);
	}
}

static enum ht_err
check_volumes(struct fsck *s)
{
	char what[200];
	enum ht_err err = ht_volumes_check(s->log, s->txn, what, sizeof(what));

	if (err != HT_EINTEGRITY)
		return err;
	found(s, HT_FSCK_ENTRIES, "%s", what);
	return HT_OK;
}

/* ---- remains ---- */

/* A file that no entry is read from; the next closing writes it anew. */
static void
look_at_volume(struct fsck *s, const char *name)
{
	struct ht_volume *volume;
	uint64_t first;

	if (name[0] == '.')
		return;
	if (ht_volume_name_parse(name, &first) == HT_OK) {
		volume = ht_volumes_find(&s->log->volumes, first);
		if (volume != NULL && ht_volume_head(volume)->first == first)
			return;
	}
	found(s, HT_FSCK_REMAINS,
	    HT_VOLUMES_DIR "/%s: a file that no entry is read from", name);
}

static void
look_at_volumes(struct fsck *s)
{
	DIR *dir = opendir(s->log->volumes.dir);
	struct dirent *at;

	while (dir != NULL && (at = readdir(dir)) != NULL)
		look_at_volume(s, at->d_name);
	if (dir != NULL)
		closedir(dir);
}

static void
look_at_segment(struct fsck *s, const char *vault, const char *name)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(vault, name);
	struct ht_vault_place end = s->log->head.vault;
	unsigned long long n = strtoull(name, NULL, 16);
	struct stat st;

	if (path == NULL || stat(path, &st) == -1)
		return;
	if (n < s->segment)
		found(s, HT_FSCK_REMAINS,
		    "vault/%s: a segment of a volume that was removed", name);
	else if (n > end.segment)
		found(s, HT_FSCK_REMAINS,
		    "vault/%s: a segment that no entry uses", name);
	else if (n == end.segment && (uint64_t)st.st_size > end.offset)
		found(s, HT_FSCK_REMAINS,
		    "vault/%s: %" PRIu64 " bytes behind the last piece", name,
		    (uint64_t)st.st_size - end.offset);
}

static void
look_at(struct fsck *s, const char *vault, const char *name)
{
	size_t len = strlen(name);

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return;
	if (len == 20 && strcmp(name + 16, ".seg") == 0)
		look_at_segment(s, vault, name);
	else if (strcmp(name, "erasure.pending") == 0)
		found(s, HT_FSCK_REMAINS,
		    "vault/%s: an erasure is not finished", name);
	else if (len != 23 || strcmp(name + 16, ".erased") != 0)
		found(s, HT_FSCK_REMAINS, "vault/%s: no file of a log", name);
}

static enum ht_err
look_for_remains(struct fsck *s)
{
	HT_AUTO(ht_mem_free) char *vault = ht_fs_join(s->log->dir, "vault");
	DIR *dir = vault == NULL ? NULL : opendir(vault);
	struct dirent *at;

	if (vault == NULL)
		return HT_ENOMEM;
	/* If it cannot be told, that is a finding already. */
	(void)!ht_remove_segment(s->log, &s->segment);
	while (dir != NULL && (at = readdir(dir)) != NULL)
		look_at(s, vault, at->d_name);
	if (dir != NULL)
		closedir(dir);
	look_at_volumes(s);
	return HT_OK;
}

/* ---- the index ---- */

static enum ht_err
begin_index(struct fsck *s)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(s->log->dir, "index");
	enum ht_err err;

	if (path == NULL)
		return HT_ENOMEM;
	err = index_sum_begin(path, s->log, &s->sum, &s->index);
	if (err == HT_ENOMEM)
		return err;
	s->f->no_index = err == HT_ENOTFOUND;
	if (err != HT_OK && err != HT_ENOTFOUND)
		found(s, HT_FSCK_INDEX,
		    "it is of another log or form, or cannot be read");
	if (err != HT_OK)
		ht_store_close(&s->index);
	s->f->indexed = s->index == NULL ? 0 : s->sum.upto;
	return HT_OK;
}

static enum ht_err
check_index(struct fsck *s)
{
	unsigned db = INDEX_DBS;
	enum ht_err err;

	if (s->index == NULL || s->lost || s->sum_spoiled)
		return HT_OK;
	err = index_sum_found(&s->sum, s->index, &db);
	if (err == HT_ENOMEM)
		return err;
	if (err != HT_OK) {
		found(s, HT_FSCK_INDEX, "%s has a row of another form",
		    index_dbs[db].name);
		return HT_OK;
	}
	for (unsigned i = 0; i < ROLLS; i++)
		s->f->rows += s->sum.have[i].rows;
	if (s->f->no_vault) /* no tag says whom an entry is about */
		s->sum.want[BY_SUBJECT] = s->sum.have[BY_SUBJECT];
	db = index_sum_differs(&s->sum);
	if (db != INDEX_DBS)
		found(s, HT_FSCK_INDEX,
		    "%s is not made of these entries: %" PRIu64
		    " rows, where there must be %" PRIu64,
		    index_dbs[db].name, s->sum.have[db].rows,
		    s->sum.want[db].rows);
	return HT_OK;
}

/* ---- the log ---- */

static enum ht_err
open_vault(struct fsck *s)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(s->log->dir, "vault");
	enum ht_err err;

	if (path == NULL)
		return HT_ENOMEM;
	s->f->no_vault = access(path, F_OK) == -1;
	if (s->f->no_vault)
		return HT_OK;
	err = ht_vault_open(path, s->log->head.env, s->log->head.vault, false,
	    report, &s->log->vault);
	if (err != HT_EINTEGRITY)
		return err;
	found(s, HT_FSCK_VAULT, "%s: %s", ht_report_where(report, 0),
	    ht_report_text(report, 0));
	s->f->no_vault = true;
	return HT_OK;
}

/* The folder may be absent where no entry names anything in it. */
static void
check_vault_there(struct fsck *s)
{
	if (s->f->unseen > 0 && s->f->findings[HT_FSCK_VAULT] == 0)
		found(s, HT_FSCK_VAULT,
		    "the folder vault is not there, and %" PRIu64
		    " entries have a tag or body in it",
		    s->f->unseen);
}

static enum ht_err
run(struct fsck *s)
{
	enum ht_err err = open_vault(s);

	check_anchor(s);
	if (err == HT_OK)
		err = begin_index(s);
	if (err == HT_OK)
		err = ht_txn_begin(s->log->store, false, &s->txn);
	if (err == HT_OK)
		err = check_volumes(s);
	if (err == HT_OK)
		err = ht_stored_open(s->log, s->txn, &s->rows);
	if (err == HT_OK)
		err = ht_seek_open(s->txn, HT_EV_CPS, &s->cps);
	if (err == HT_OK)
		err = next_checkpoint(s, true);
	if (err == HT_OK)
		err = check_entries(s);
	check_vault_there(s);
	if (err == HT_OK && !s->lost) {
		check_head(s);
		err = check_counts(s);
	}
	if (err == HT_OK)
		err = check_index(s);
	s->f->size = s->tree.size;
	return err == HT_OK ? look_for_remains(s) : err;
}

static void
fsck_free(struct fsck **s_p)
{
	struct fsck *s = HT_TAKE(*s_p);

	if (s == NULL)
		return;
	ht_stored_close(&s->rows);
	ht_seek_close(&s->cps);
	ht_txn_abort(&s->txn);
	ht_store_close(&s->index);
	ht_log_close(&s->log);
	ht_buf_fini(&s->tag);
	ht_buf_fini(&s->body);
	ht_buf_fini(&s->cited);
	index_sum_fini(&s->sum);
	free(s);
}

enum ht_err
ht_fsck_log(const char *dir, struct ht_fsck *f)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(fsck_free) struct fsck *s = calloc(1, sizeof(*s));
	enum ht_err err;

	if (s == NULL)
		return HT_ENOMEM;
	s->f = f;
	s->tag = HT_BUF(HT_TAG_MAX);
	s->body = HT_BUF(HT_BODY_MAX);
	s->cited = HT_BUF(HT_LEAF_MAX + HT_HASH_SIZE);
	err = ht_log_open_raw(dir, NULL, NULL, report, &s->log);
	if (err == HT_EINTEGRITY || err == HT_EROLLBACK) {
		found(s, HT_FSCK_HEAD, "%s: %s", ht_report_where(report, 0),
		    ht_report_text(report, 0));
		return HT_OK;
	}
	return err == HT_OK ? run(s) : err;
}
