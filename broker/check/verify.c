/*
 * verify.c -- the log from its first entry to its last.
 *
 * Nothing the log says of itself is taken on trust: leaves are hashed, the
 * tree is grown again and compared with every stored hash, root and
 * checkpoint; each bundle's signature is recomputed from entries and left-out
 * hashes; each answer must cite its question; tags and bodies must have the
 * hashes of their headers.
 */
#include "broker/check/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/check/verify_in.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"

#define HEX (2 * HT_HASH_SIZE + 1)

/* ---- findings ---- */

/* The entry at hand is the first bad one, and why. */
enum ht_err
verify_bad(struct verify *s, const char *fmt, ...)
{
	va_list ap;

	s->v->has_bad_seq = true;
	s->v->bad_seq = s->seq;
	va_start(ap, fmt);
	(void)vsnprintf(s->v->bad, sizeof(s->v->bad), fmt, ap);
	va_end(ap);
	return HT_EINTEGRITY;
}

/* Not an entry, but the log as a whole. */
enum ht_err
verify_bad_log(struct verify *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(s->v->bad, sizeof(s->v->bad), fmt, ap);
	va_end(ap);
	return HT_EINTEGRITY;
}

enum ht_err
verify_bad_hash(struct verify *s, const char *what,
    const struct ht_hash *expected, const struct ht_hash *found)
{
	char want[HEX], have[HEX];

	ht_hex(want, expected->at, HT_HASH_SIZE);
	ht_hex(have, found->at, HT_HASH_SIZE);
	return verify_bad(s, "%s: expected %s, found %s", what, want, have);
}

/* ---- the tree ---- */

/* Each subtree that completes must be the one that is stored. */
static void
compare_stored(
    void *arg, unsigned level, uint64_t index, const struct ht_hash *hash)
{
	struct verify *s = arg;
	struct ht_hash stored;
	char what[80];

	if (level % 4 != 0 || s->tree_bad)
		return;
	(void)snprintf(what, sizeof(what),
	    "the stored tree hash of level %u, number %llu", level,
	    (unsigned long long)index);
	if (ht_tree_get(s->txn, level, index, &stored) != HT_OK) {
		s->tree_bad = true;
		(void)verify_bad(s, "%s is missing", what);
	} else if (!ht_hash_eq(&stored, hash)) {
		s->tree_bad = true;
		(void)verify_bad_hash(s, what, hash, &stored);
	}
}

void
verify_grow(struct verify *s, const struct ht_hash *hash)
{
	ht_frontier_append(&s->f, hash, compare_stored, s);
}

/* ---- checkpoints ---- */

static enum ht_err
next_checkpoint(struct verify *s, bool first)
{
	struct ht_slice key;
	uint64_t zero = 0;
	enum ht_err err;

	if (first)
		err = ht_seek_ge(
		    s->cps, HT_SLICE(&zero, sizeof(zero)), &key, &s->cp_note);
	else
		err = ht_seek_next(s->cps, &key, &s->cp_note);
	s->next_cp = 0;
	if (err == HT_OK)
		memcpy(&s->next_cp, key.at, sizeof(s->next_cp));
	return err == HT_ENOTFOUND ? HT_OK : err;
}

/* A note that was signed at this size: form, signature, root. */
static enum ht_err
check_signed(struct verify *s, struct ht_slice bytes, const char *what)
{
	struct ht_hash root = ht_frontier_root(&s->f);
	struct ht_checkpoint cp;
	struct ht_note note;
	enum ht_err err;

	if (s->v->vkey != NULL) {
		err = ht_checkpoint_open(bytes, s->v->vkey, &cp);
	} else {
		err = ht_note_parse(bytes, &note);
		if (err == HT_OK)
			err = ht_checkpoint_parse(note.text, &cp);
	}
	if (err == HT_ENOMEM)
		return err;
	if (err != HT_OK)
		return verify_bad(s, "%s of size %llu does not verify: %s",
		    what, (unsigned long long)s->f.size, ht_err_text(err));
	if (cp.size != s->f.size)
		return verify_bad(s, "%s says size %llu, and stands at %llu",
		    what, (unsigned long long)cp.size,
		    (unsigned long long)s->f.size);
	if (!ht_hash_eq(&cp.root, &root))
		return verify_bad_hash(s, what, &cp.root, &root);
	s->v->checkpoints++;
	return HT_OK;
}

/* Whatever was signed when the tree had this size. */
static enum ht_err
check_checkpoints(struct verify *s)
{
	const struct ht_anchor *a = &s->log->anchor;
	struct ht_volume *ended = ht_ranges_ended(s->log, s->f.size);
	enum ht_err err = HT_OK;

	if (ended != NULL)
		err = check_signed(s, ht_volume_note(ended),
		    "the checkpoint in the volume's file");
	if (err == HT_OK && s->next_cp == s->f.size && s->f.size > 0) {
		err = check_signed(s, s->cp_note, "the checkpoint in cps");
		if (err == HT_OK)
			err = next_checkpoint(s, false);
	}
	if (err == HT_OK && a->counter > 0 && a->size == s->f.size) {
		struct ht_hash root = ht_frontier_root(&s->f);

		if (!ht_hash_eq(&a->root, &root))
			return verify_bad_hash(
			    s, "the anchor's root", &a->root, &root);
		err = check_signed(s, HT_SLICE(a->note, a->note_len),
		    "the checkpoint in the anchor");
		s->v->anchored = true;
	}
	return err;
}

/* ---- an entry ---- */

static enum ht_err
check_record(struct verify *s, const struct ht_entry *e)
{
	enum ht_err err = verify_header(s, e);

	if (err == HT_OK)
		err = verify_bundle(s, e);
	if (err == HT_OK &&
	    (e->type == HT_ENTRY_RESPONSE || e->type == HT_ENTRY_LATE))
		err = verify_answer(s, e);
	else if (err == HT_OK && e->cites > 0)
		err = verify_cited(s, e);
	if (err == HT_OK && e->type == HT_ENTRY_RESPONSE)
		err = verify_end(s, e);
	return err == HT_OK ? verify_vault(s, e) : err;
}

static enum ht_err
check_own(struct verify *s, const struct ht_entry *e)
{
	enum ht_err err = e->type == HT_ENTRY_ERASE        ? verify_erase(s, e)
	                  : e->type == HT_ENTRY_INDEX_ROOT ? verify_roll(s, e)
	                  : e->type == HT_ENTRY_DISCLOSE ? verify_disclose(s, e)
	                  : e->type == HT_ENTRY_VOLUME   ? verify_volume(s, e)
	                  : e->type == HT_ENTRY_REMOVED  ? verify_removed(s, e)
	                                                 : verify_map(s, e);

	if (err == HT_OK)
		err = verify_bundle(s, e);
	if (err == HT_OK && e->type == HT_ENTRY_EXPIRED)
		err = verify_expired(s, e);
	if (err == HT_OK && e->type == HT_ENTRY_EXPIRED)
		err = verify_end(s, e);
	return err;
}

static enum ht_err
check_leaf(struct verify *s, struct ht_slice leaf)
{
	struct ht_entry e;
	char then[HT_TIME_SIZE], now[HT_TIME_SIZE];

	if (ht_entry_decode(leaf, &e) != HT_OK)
		return verify_bad(s, "its leaf is malformed");
	if (e.seq != s->seq)
		return verify_bad(s, "it says that it is entry %llu",
		    (unsigned long long)e.seq);
	if (e.time_us < s->v->last_us) {
		ht_time_text(then, s->v->last_us);
		ht_time_text(now, e.time_us);
		return verify_bad(s,
		    "its time %s is before that of the entry "
		    "before, %s",
		    now, then);
	}
	if (s->seq == ht_log_begin(s->log))
		s->v->first_us = e.time_us;
	s->v->last_us = e.time_us;
	s->v->by_type[e.type]++;
	return ht_entry_has_header(&e) ? check_record(s, &e) : check_own(s, &e);
}

/* The value as stored: leaf and hash. */
static enum ht_err
check_value(struct verify *s, struct ht_slice value)
{
	struct ht_slice leaf;
	struct ht_hash hash, stored;
	enum ht_err err;

	if (value.len <= HT_HASH_SIZE)
		return verify_bad(s, "it has only %zu bytes", value.len);
	leaf = HT_SLICE(value.at, value.len - HT_HASH_SIZE);
	memcpy(stored.at, value.at + leaf.len, HT_HASH_SIZE);
	hash = ht_leaf_hash(leaf);
	if (!ht_hash_eq(&hash, &stored))
		return verify_bad_hash(s, "its leaf hash", &stored, &hash);
	verify_grow(s, &hash);
	if (s->tree_bad)
		return HT_EINTEGRITY;
	err = check_leaf(s, leaf);
	return err == HT_OK ? check_checkpoints(s) : err;
}

static enum ht_err
check_removed(struct verify *s)
{
	uint64_t begin = ht_log_begin(s->log);
	enum ht_err err = HT_OK;

	for (; s->seq < begin && err == HT_OK; s->seq++) {
		err = verify_gone(s);
		if (err == HT_OK)
			err = check_checkpoints(s);
	}
	return err;
}

static enum ht_err
check_entries(struct verify *s)
{
	uint64_t size = s->log->head.frontier.size;
	struct ht_slice value;
	enum ht_err err = check_removed(s);

	for (; s->seq < size && err == HT_OK; s->seq++) {
		if (s->v->progress != NULL)
			s->v->progress(s->v->arg, s->seq, size);
		err = ht_stored_next(&s->rows, s->seq, &value);
		if (err == HT_ENOTFOUND)
			return verify_bad(s, "it is missing");
		if (err == HT_EINTEGRITY)
			return verify_bad(
			    s, "its volume's file is damaged there");
		if (err == HT_OK)
			err = check_value(s, value);
	}
	if (err != HT_OK)
		return err;
	if (verify_bundle_open(s))
		return verify_bad_log(s,
		    "the last bundle, of entry %llu on, lacks records",
		    (unsigned long long)s->bundle_first);
	if (size > 0 && ht_stored_behind(&s->rows, size))
		return verify_bad_log(s, "entries stand behind the last, %llu",
		    (unsigned long long)size - 1);
	return HT_OK;
}

/* ---- the log ---- */

static enum ht_err
check_head(struct verify *s)
{
	const struct ht_head *head = &s->log->head;
	char want[HEX], have[HEX];

	s->v->root = ht_frontier_root(&s->f);
	s->v->size = s->f.size;
	ht_hex(want, head->root.at, HT_HASH_SIZE);
	ht_hex(have, s->v->root.at, HT_HASH_SIZE);
	if (!ht_hash_eq(&s->v->root, &head->root))
		return verify_bad_log(s,
		    "the root: head says %s, the entries give %s", want, have);
	for (unsigned bit = 0; bit < HT_FRONTIER_MAX; bit++)
		if (s->f.size >> bit & 1 &&
		    !ht_hash_eq(&s->f.at[bit], &head->frontier.at[bit]))
			return verify_bad_log(s,
			    "the frontier in head is not that of the entries");
	if (head->last_us != s->v->last_us)
		return verify_bad_log(
		    s, "head has another time than the last entry");
	if (s->next_cp != 0)
		return verify_bad_log(s,
		    "a checkpoint of size %llu was signed, but there are only "
		    "%llu entries",
		    (unsigned long long)s->next_cp,
		    (unsigned long long)s->f.size);
	return HT_OK;
}

/* As many rows as there must be, no more. */
static enum ht_err
check_counts(struct verify *s)
{
	uint64_t size = s->f.size, n0, nup = 0, bundles, chunks = 0;
	enum ht_err err = ht_txn_count(s->txn, HT_EV_N0, &n0);

	if (err == HT_OK)
		err = ht_txn_count(s->txn, HT_EV_NUP, &nup);
	if (err == HT_OK)
		err = ht_ranges_bundles(s->log, s->txn, &bundles);
	if (err != HT_OK)
		return err;
	for (unsigned level = 4; level < 64; level += 4)
		chunks += ((size >> level) + HT_CHUNK - 1) / HT_CHUNK;
	if (n0 != (size + HT_CHUNK - 1) / HT_CHUNK || nup != chunks)
		return verify_bad_log(
		    s, "the stored tree has rows of no entry");
	if (bundles != s->v->bundles - s->v->kept_bundles)
		return verify_bad_log(s,
		    "there is evidence of %llu bundles, but "
		    "entries of %llu",
		    (unsigned long long)bundles,
		    (unsigned long long)(s->v->bundles - s->v->kept_bundles));
	return HT_OK;
}

static enum ht_err
check_anchor(struct verify *s)
{
	const struct ht_anchor *a = &s->log->anchor;

	if (a->counter == 0)
		return s->log->head.frontier.size == 0
		           ? HT_OK
		           : verify_bad_log(s,
		                 "there is no valid anchor beside the "
		                 "evidence, so nobody can say whether an older "
		                 "log was put back");
	if (a->size <= s->log->head.frontier.size)
		return HT_OK;
	(void)verify_bad_log(s,
	    "a checkpoint of size %llu was given out, but this log has only "
	    "%llu entries: an older log was put back",
	    (unsigned long long)a->size,
	    (unsigned long long)s->log->head.frontier.size);
	return HT_EROLLBACK;
}

/* Those of volumes: there, and of this tree as it is stored. */
static enum ht_err
check_files(struct verify *s)
{
	char what[200];
	enum ht_err err = ht_volumes_check(s->log, s->txn, what, sizeof(what));

	s->v->kept = atomic_load(&s->log->volumes.kept);
	return err == HT_EINTEGRITY ? verify_bad_log(s, "%s", what) : err;
}

static enum ht_err
run(struct verify *s)
{
	enum ht_err err = check_anchor(s);

	if (err == HT_OK)
		err = ht_txn_begin(s->log->store, false, &s->txn);
	if (err == HT_OK)
		err = check_files(s);
	if (err == HT_OK)
		err = ht_stored_open(s->log, s->txn, &s->rows);
	if (err == HT_OK)
		err = ht_seek_open(s->txn, HT_EV_CPS, &s->cps);
	if (err == HT_OK)
		err = next_checkpoint(s, true);
	if (err == HT_OK)
		err = check_checkpoints(s); /* the empty tree's */
	if (err == HT_OK)
		err = check_entries(s);
	if (err == HT_OK)
		err = check_head(s);
	if (err == HT_OK)
		err = verify_removals(s);
	if (err == HT_OK)
		err = verify_claims(s);
	if (err == HT_OK)
		err = verify_lists(s);
	return err == HT_OK ? check_counts(s) : err;
}

/* The vault may be missing whole; what is there must hold. */
static enum ht_err
open_vault(struct verify *s)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(s->log->dir, "vault");
	enum ht_err err;

	if (path == NULL)
		return HT_ENOMEM;
	if (access(path, F_OK) == -1) {
		s->v->no_vault = true;
		return HT_OK;
	}
	err = ht_vault_open(path, s->log->head.env, s->log->head.vault, false,
	    report, &s->log->vault);
	if (err == HT_EINTEGRITY)
		return verify_bad_log(s, "%s: %s", ht_report_where(report, 0),
		    ht_report_text(report, 0));
	return err == HT_OK ? verify_load_lists(s, path) : err;
}

static void
verify_free(struct verify **s_p)
{
	struct verify *s = HT_TAKE(*s_p);

	if (s == NULL)
		return;
	ht_stored_close(&s->rows);
	ht_buf_fini(&s->scratch);
	ht_buf_fini(&s->cited);
	ht_seek_close(&s->cps);
	ht_txn_abort(&s->txn);
	ht_log_close(&s->log);
	ht_buf_fini(&s->tag);
	ht_buf_fini(&s->body);
	for (size_t i = 0; i < s->n_erasures; i++)
		ht_erasure_free(&s->erasures[i].list);
	free(s->erasures);
	free(s->ended);
	ht_recount_fini(&s->recount);
	free(s);
}

enum ht_err
ht_verify_log(const char *dir, struct ht_verify *v)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(verify_free) struct verify *s = calloc(1, sizeof(*s));
	enum ht_err err;

	if (s == NULL)
		return HT_ENOMEM;
	s->v = v;
	s->tag = HT_BUF(HT_TAG_MAX);
	s->body = HT_BUF(HT_BODY_MAX);
	s->scratch = HT_BUF(HT_EVIDENCE_MAX);
	s->cited = HT_BUF(HT_LEAF_MAX + HT_HASH_SIZE);
	err = ht_log_open_raw(dir, NULL, NULL, report, &s->log);
	if (err != HT_OK && ht_report_count(report) > 0)
		(void)verify_bad_log(s, "%s: %s", ht_report_where(report, 0),
		    ht_report_text(report, 0));
	if (err != HT_OK)
		return err;
	s->ended = calloc(s->log->head.frontier.size / 8 + 1, 1);
	if (s->ended == NULL)
		return HT_ENOMEM;
	err = open_vault(s);
	return err == HT_OK ? run(s) : err;
}
