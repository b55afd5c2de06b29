/*
 * volumes.c -- where the entries of closed volumes are, and reading them: a
 * reader begins its transaction, and then looks at `kept`; so what its
 * transaction does not have any more is below it.
 */
#include "broker/log/volumes.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/log/evidence.h"
#include "lib/base/fs.h"

/* The second version is of a log that a volume was removed from. */
#define STATE_VERSION 1
#define STATE_REMOVED 2
#define STATE_PLAIN   (1 + 8 + 8)
#define STATE_LONG    (STATE_PLAIN + 8 + 8)
#define STATE_MAX     (STATE_LONG + HT_HASH_SIZE)

/* ---- `state`/`volumes` ---- */

static bool
sum_fits(struct ht_slice row, size_t len)
{
	struct ht_slice body = HT_SLICE(row.at, len);
	struct ht_hash sum;

	if (row.len != len + HT_HASH_SIZE)
		return false;
	sum = ht_blake2b(&body, 1);
	return memcmp(sum.at, row.at + len, HT_HASH_SIZE) == 0;
}

enum ht_err
ht_volumes_get(struct ht_txn *txn, struct ht_volumes_state *ret)
{
	struct ht_slice row;
	bool removed;
	enum ht_err err =
	    ht_txn_get(txn, HT_EV_STATE, ht_slice_str(HT_VOLUMES_KEY), &row);

	*ret = (struct ht_volumes_state){0};
	if (err != HT_OK)
		return err == HT_ENOTFOUND ? HT_OK : err;
	removed = row.len > 0 && row.at[0] == STATE_REMOVED;
	if (!sum_fits(row, removed ? STATE_LONG : STATE_PLAIN) ||
	    (!removed && row.at[0] != STATE_VERSION))
		return HT_EINTEGRITY;
	ret->kept = ht_load64(row.at + 1);
	ret->first = ht_load64(row.at + 9);
	if (removed) {
		ret->begin = ht_load64(row.at + 17);
		ret->removed = ht_load64(row.at + 25);
	}
	return ret->begin > ret->kept || (removed && ret->begin == 0)
	           ? HT_EINTEGRITY
	           : HT_OK;
}

enum ht_err
ht_volumes_put(struct ht_txn *txn, const struct ht_volumes_state *state)
{
	bool removed = state->begin > 0;
	uint8_t row[STATE_MAX] = {removed ? STATE_REMOVED : STATE_VERSION};
	struct ht_slice body =
	    HT_SLICE(row, removed ? STATE_LONG : STATE_PLAIN);
	struct ht_hash sum;

	ht_be64(row + 1, state->kept);
	ht_be64(row + 9, state->first);
	if (removed) {
		ht_be64(row + 17, state->begin);
		ht_be64(row + 25, state->removed);
	}
	sum = ht_blake2b(&body, 1);
	memcpy(row + body.len, sum.at, HT_HASH_SIZE);
	return ht_txn_put(txn, HT_EV_STATE, ht_slice_str(HT_VOLUMES_KEY),
	    HT_SLICE(row, body.len + HT_HASH_SIZE));
}

/* ---- the files ---- */

char *
ht_volumes_path(const char *dir, uint64_t first, const char *suffix)
{
	char name[HT_VOLUME_NAME + 8], plain[HT_VOLUME_NAME];

	ht_volume_name(first, plain);
	(void)snprintf(name, sizeof(name), "%s%s", plain, suffix);
	return ht_fs_join(dir, name);
}

/* In order of their first entries. */
static void
insert(struct ht_volumes *v, struct ht_volume *volume)
{
	uint64_t first = ht_volume_head(volume)->first;
	unsigned i = v->n++;

	for (; i > 0 && ht_volume_head(v->at[i - 1])->first > first; i--)
		v->at[i] = v->at[i - 1];
	v->at[i] = volume;
}

/* Those of this log that `kept` speaks of; the rest is a crash's, or nothing.
 */
static enum ht_err
open_one(struct ht_log *log, const char *name)
{
	struct ht_volumes *v = &log->volumes;
	HT_AUTO(ht_volume_close) struct ht_volume *volume = NULL;
	HT_AUTO(ht_mem_free) char *path = NULL;
	const struct ht_volume_head *head;
	uint64_t first;
	enum ht_err err;

	if (ht_volume_name_parse(name, &first) != HT_OK ||
	    first >= v->state.kept || first < v->state.begin || v->n == v->max)
		return HT_OK;
	path = ht_fs_join(v->dir, name);
	if (path == NULL)
		return HT_ENOMEM;
	err = ht_volume_open_file(path, 0, 0, &volume);
	if (err != HT_OK) /* it will be missed */
		return err == HT_ENOMEM ? err : HT_OK;
	head = ht_volume_head(volume);
	if (head->first == first && head->end <= v->state.kept &&
	    memcmp(head->env, log->env, sizeof(head->env)) == 0)
		insert(v, HT_TAKE(volume));
	return HT_OK;
}

enum ht_err
ht_volumes_open(struct ht_log *log)
{
	struct ht_volumes *v = &log->volumes;
	struct dirent *at;
	enum ht_err err = HT_OK;
	DIR *dir;

	if (v->state.kept == 0)
		return HT_OK;
	dir = opendir(v->dir);
	if (dir == NULL)
		return errno == ENOENT ? HT_OK : HT_ESYSTEM;
	while (err == HT_OK && (at = readdir(dir)) != NULL)
		err = open_one(log, at->d_name);
	closedir(dir);
	return err;
}

void
ht_volumes_close(struct ht_volumes *v)
{
	ht_volume_close(&v->coming);
	for (unsigned i = 0; i < v->n; i++)
		ht_volume_close(&v->at[i]);
	for (unsigned i = 0; i < v->n_gone; i++)
		ht_volume_close(&v->gone[i]);
	free(v->dir);
}

struct ht_volume *
ht_volumes_find(struct ht_volumes *v, uint64_t seq)
{
	struct ht_volume *found = NULL;

	pthread_mutex_lock(&v->lock);
	for (unsigned i = v->n; i-- > 0 && found == NULL;)
		if (seq >= ht_volume_head(v->at[i])->first)
			found = v->at[i];
	pthread_mutex_unlock(&v->lock);
	return found != NULL && seq < ht_volume_head(found)->end ? found : NULL;
}

unsigned
ht_volumes_count(struct ht_volumes *v)
{
	unsigned n;

	pthread_mutex_lock(&v->lock);
	n = v->n;
	pthread_mutex_unlock(&v->lock);
	return n;
}

struct ht_volume *
ht_volumes_at(struct ht_volumes *v, unsigned i)
{
	struct ht_volume *volume;

	pthread_mutex_lock(&v->lock);
	volume = i < v->n ? v->at[i] : NULL;
	pthread_mutex_unlock(&v->lock);
	return volume;
}

/* Who has found one reads on in it, as far as it is still there. */
static void
part_with(struct ht_volumes *v)
{
	unsigned n = 0;

	v->forget = 0;
	atomic_store(&v->begin, v->state.begin);
	pthread_mutex_lock(&v->lock);
	while (n < v->n && ht_volume_head(v->at[n])->first < v->state.begin)
		v->gone[v->n_gone++] = v->at[n++];
	v->n -= n;
	memmove(v->at, v->at + n, v->n * sizeof(*v->at));
	pthread_mutex_unlock(&v->lock);
}

void
ht_volumes_publish(struct ht_volumes *v)
{
	bool removed = v->next.begin > v->state.begin;

	v->state = v->next;
	if (removed)
		part_with(v);
	if (v->coming == NULL) {
		atomic_store(&v->kept, v->state.kept);
		return;
	}
	pthread_mutex_lock(&v->lock);
	insert(v, HT_TAKE(v->coming));
	pthread_mutex_unlock(&v->lock);
	/* After it can be found: whoever sees the one finds the other. */
	atomic_store(&v->kept, v->state.kept);
	v->forget = 0;
}

void
ht_volumes_drop(struct ht_volumes *v)
{
	v->next = v->state;
	ht_volume_close(&v->coming);
}

/* ---- are they of this tree? ---- */

/* The subtrees it stands on are the log's, and so is the root of its note. */
static enum ht_err
check_tree(struct ht_txn *txn, const struct ht_volume *volume)
{
	const struct ht_volume_head *head = ht_volume_head(volume);
	struct ht_checkpoint cp;
	struct ht_hash hash;
	struct ht_note note;
	enum ht_err err = ht_note_parse(ht_volume_note(volume), &note);

	if (err == HT_OK)
		err = ht_checkpoint_parse(note.text, &cp);
	for (unsigned bit = 0; err == HT_OK && bit < HT_FRONTIER_MAX; bit++) {
		if (!(head->first >> bit & 1))
			continue;
		err = ht_tree_get(txn, bit, (head->first >> bit) - 1, &hash);
		if (err == HT_OK && !ht_hash_eq(&hash, &head->before.at[bit]))
			err = HT_EINTEGRITY;
	}
	if (err == HT_OK)
		err = ht_tree_root(ht_tree_get, txn, head->end, &hash);
	if (err == HT_OK && !ht_hash_eq(&hash, &cp.root))
		err = HT_EINTEGRITY;
	return err == HT_EMALFORMED ? HT_EINTEGRITY : err;
}

enum ht_err
ht_volumes_check(struct ht_log *log, struct ht_txn *txn, char *ret, size_t size)
{
	struct ht_volumes *v = &log->volumes;
	uint64_t at = v->state.begin;
	enum ht_err err = HT_OK;

	for (unsigned i = 0; i < v->n && err == HT_OK; i++) {
		const struct ht_volume_head *head = ht_volume_head(v->at[i]);

		if (head->first != at)
			break;
		/* A copy under way has files of entries that come later. */
		if (head->end <= log->head.frontier.size)
			err = check_tree(txn, v->at[i]);
		if (err == HT_EINTEGRITY)
			(void)snprintf(ret, size,
			    "%s/%016" PRIx64 ".vol is not of this tree; put "
			    "back the file that belongs to the evidence",
			    HT_VOLUMES_DIR, head->first);
		at = head->end;
	}
	if (err != HT_OK || at == v->state.kept)
		return err;
	(void)snprintf(ret, size,
	    "%s/%016" PRIx64 ".vol, with the entries from %" PRIu64
	    " on, is missing or damaged; put it back, from a backup or an "
	    "archive",
	    HT_VOLUMES_DIR, at, at);
	return HT_EINTEGRITY;
}

/* ---- rows, and what stands in their place ---- */

static enum ht_err
read_kept(struct ht_log *log, uint64_t seq, struct ht_buf *leaf,
    struct ht_buf *evidence)
{
	struct ht_volume *volume = ht_volumes_find(&log->volumes, seq);
	enum ht_err err = volume == NULL
	                      ? HT_ENOTFOUND
	                      : ht_volume_read(volume, seq, leaf, evidence);

	/* It may have been removed under this very read. */
	return err != HT_OK && seq < ht_log_begin(log) ? HT_EGONE : err;
}

enum ht_err
ht_stored_at(struct ht_log *log, struct ht_txn *txn, uint64_t seq,
    struct ht_buf *scratch, struct ht_slice *ret)
{
	struct ht_hash hash;
	enum ht_err err;

	if (seq >= atomic_load(&log->volumes.kept))
		return ht_txn_get_u64(txn, HT_EV_ENTRIES, seq, ret);
	if (seq < ht_log_begin(log))
		return HT_EGONE;
	ht_buf_reset(scratch);
	err = read_kept(log, seq, scratch, NULL);
	if (err != HT_OK)
		return err;
	hash = ht_leaf_hash(ht_buf_slice(scratch));
	ht_buf_add(scratch, hash.at, sizeof(hash.at));
	*ret = ht_buf_slice(scratch);
	return scratch->err;
}

enum ht_err
ht_stored_bundle(struct ht_log *log, struct ht_txn *txn, uint64_t first,
    struct ht_buf *scratch, struct ht_slice *ret)
{
	enum ht_err err;

	if (first >= atomic_load(&log->volumes.kept))
		return ht_txn_get_u64(txn, HT_EV_BUNDLES, first, ret);
	ht_buf_reset(scratch);
	err = read_kept(log, first, NULL, scratch);
	*ret = ht_buf_slice(scratch);
	return err == HT_OK && ret->len == 0 ? HT_ENOTFOUND : err;
}

enum ht_err
ht_stored_open(struct ht_log *log, struct ht_txn *txn, struct ht_stored *ret)
{
	*ret = (struct ht_stored){.log = log,
	    .txn = txn,
	    .next = UINT64_MAX,
	    .buf = HT_BUF(HT_LEAF_MAX + HT_HASH_SIZE)};
	return ht_seek_open(txn, HT_EV_ENTRIES, &ret->seek);
}

void
ht_stored_close(struct ht_stored *s)
{
	ht_seek_close(&s->seek);
	ht_buf_fini(&s->buf);
}

enum ht_err
ht_stored_next(struct ht_stored *s, uint64_t seq, struct ht_slice *ret)
{
	struct ht_slice key;
	enum ht_err err;

	if (seq < atomic_load(&s->log->volumes.kept))
		return ht_stored_at(s->log, s->txn, seq, &s->buf, ret);
	if (s->next == seq)
		err = ht_seek_next(s->seek, &key, ret);
	else
		err =
		    ht_seek_ge(s->seek, HT_SLICE(&seq, sizeof(seq)), &key, ret);
	if (err == HT_OK && memcmp(key.at, &seq, sizeof(seq)) != 0)
		err = HT_ENOTFOUND;
	s->next = err == HT_OK ? seq + 1 : UINT64_MAX;
	return err;
}

bool
ht_stored_behind(struct ht_stored *s, uint64_t size)
{
	struct ht_slice key, value;
	uint64_t last;

	s->next = UINT64_MAX;
	if (ht_seek_last(s->seek, &key, &value) != HT_OK)
		return false;
	memcpy(&last, key.at, sizeof(last));
	return last >= size;
}
