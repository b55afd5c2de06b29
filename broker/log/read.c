/*
 * read.c -- reading the log: entries, bundles, vault pieces, proofs.  Any
 * thread; only what is committed and signed.  Read transactions are short, for
 * while one lives LMDB can reuse no page.
 */
#include "broker/log/evidence.h"

#include <string.h>

#define WALK_BATCH 256 /* entries of one read transaction */

uint64_t
ht_log_size(const struct ht_log *log)
{
	return atomic_load(&log->size);
}

uint64_t
ht_log_begin(const struct ht_log *log)
{
	return atomic_load(&log->volumes.begin);
}

/* ---- what one read stands on ---- */

/* A transaction, or the one file that the log is; and the tree there. */
struct ground {
	struct ht_txn *txn; /* NULL: a file */
	ht_merkle_load_fn *load;
	void *arg;
};

static void
ground_end(struct ground *g)
{
	ht_txn_abort(&g->txn);
}

static enum ht_err
ground_begin(struct ht_log *log, struct ground *ret)
{
	enum ht_err err;

	*ret = (struct ground){.load = ht_lone_hash, .arg = log->lone};
	if (log->lone != NULL)
		return HT_OK;
	err = ht_txn_begin(log->store, false, &ret->txn);
	ret->load = ht_tree_get;
	ret->arg = ret->txn;
	return err;
}

/* ---- checkpoints ---- */

enum ht_err
ht_log_root(struct ht_log *log, uint64_t size, struct ht_hash *ret)
{
	HT_AUTO(ground_end) struct ground g = {0};
	enum ht_err err;

	if (size > ht_log_size(log))
		return HT_ENOTFOUND;
	err = ground_begin(log, &g);
	return err == HT_OK ? ht_tree_root(g.load, g.arg, size, ret) : err;
}

enum ht_err
ht_log_checkpoint(struct ht_log *log, struct ht_buf *ret)
{
	pthread_mutex_lock(&log->lock_note);
	ht_buf_add(
	    ret, log->notes[log->newest].at, log->notes[log->newest].len);
	pthread_mutex_unlock(&log->lock_note);
	return ret->err;
}

/* Who looks for cosignatures needs no key of theirs: a second line. */
static bool
is_cosigned(struct ht_slice value)
{
	struct ht_note note;

	return ht_note_parse(value, &note) == HT_OK && note.n_sigs > 1;
}

static enum ht_err
seek_cosigned(struct ht_seek *seek, uint64_t below, struct ht_buf *ret,
    uint64_t *ret_size)
{
	struct ht_slice key, value;
	enum ht_err err =
	    ht_seek_ge(seek, HT_SLICE(&below, sizeof(below)), &key, &value);

	err = err == HT_ENOTFOUND ? ht_seek_last(seek, &key, &value)
	      : err == HT_OK      ? ht_seek_prev(seek, &key, &value)
	                          : err;
	for (unsigned i = 0; err == HT_OK && i < HT_LOG_COSIGNED_LOOK; i++) {
		if (is_cosigned(value)) {
			memcpy(ret_size, key.at, sizeof(*ret_size));
			ht_buf_add(ret, value.at, value.len);
			return ret->err;
		}
		err = ht_seek_prev(seek, &key, &value);
	}
	return err == HT_OK ? HT_ENOTFOUND : err;
}

enum ht_err
ht_log_cosigned(
    struct ht_log *log, uint64_t below, struct ht_buf *ret, uint64_t *ret_size)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	HT_AUTO(ht_seek_close) struct ht_seek *seek = NULL;
	enum ht_err err = log->lone != NULL
	                      ? HT_ENOTFOUND
	                      : ht_txn_begin(log->store, false, &txn);

	if (err == HT_OK)
		err = ht_seek_open(txn, HT_EV_CPS, &seek);
	return err == HT_OK ? seek_cosigned(seek, below, ret, ret_size) : err;
}

/* ---- entries ---- */

/* Of a closed volume: the leaf, which must be the one of the tree. */
static enum ht_err
read_kept(struct ht_log *log, const struct ground *g, uint64_t seq,
    struct ht_buf *scratch, struct ht_slice *ret)
{
	struct ht_hash stored;
	struct ht_slice value;
	enum ht_err err = seq < ht_log_begin(log)
	                      ? HT_EGONE
	                      : ht_stored_at(log, g->txn, seq, scratch, &value);

	if (err == HT_OK && value.len <= HT_HASH_SIZE)
		err = HT_EINTEGRITY;
	if (err == HT_OK)
		err = g->load(g->arg, 0, seq, &stored);
	if (err != HT_OK)
		return err == HT_ENOTFOUND ? HT_EINTEGRITY : err;
	/* Its hash was made a moment ago: there is no row that has one. */
	*ret = HT_SLICE(value.at, value.len - HT_HASH_SIZE);
	return memcmp(value.at + ret->len, stored.at, HT_HASH_SIZE) == 0
	           ? HT_OK
	           : HT_EINTEGRITY;
}

enum ht_err
ht_log_read(struct ht_log *log, uint64_t seq, struct ht_buf *ret)
{
	HT_AUTO(ground_end) struct ground g = {0};
	HT_AUTO(ht_buf_fini)
	struct ht_buf scratch = HT_BUF(HT_LEAF_MAX + HT_HASH_SIZE);
	struct ht_slice value, leaf;
	struct ht_hash hash;
	enum ht_err err;

	if (seq >= ht_log_size(log))
		return HT_ENOTFOUND;
	err = ground_begin(log, &g);
	if (err == HT_OK && seq < atomic_load(&log->volumes.kept)) {
		err = read_kept(log, &g, seq, &scratch, &leaf);
	} else if (err == HT_OK) {
		err = ht_txn_get_u64(g.txn, HT_EV_ENTRIES, seq, &value);
		if (err == HT_OK)
			err = ht_stored_leaf(value, &leaf, &hash);
	}
	if (err != HT_OK)
		return err == HT_ENOTFOUND ? HT_EINTEGRITY : err;
	ht_buf_add(ret, leaf.at, leaf.len);
	return ret->err;
}

enum ht_err
ht_log_read_bundle(struct ht_log *log, uint64_t first_seq, struct ht_buf *ret)
{
	HT_AUTO(ground_end) struct ground g = {0};
	HT_AUTO(ht_buf_fini) struct ht_buf scratch = HT_BUF(HT_EVIDENCE_MAX);
	struct ht_slice value;
	enum ht_err err;

	if (first_seq >= ht_log_size(log))
		return HT_ENOTFOUND;
	err = ground_begin(log, &g);
	if (err == HT_OK && first_seq < ht_log_begin(log))
		return HT_EGONE;
	if (err == HT_OK)
		err = ht_stored_bundle(log, g.txn, first_seq, &scratch, &value);
	if (err != HT_OK)
		return err;
	ht_buf_add(ret, value.at, value.len);
	return ret->err;
}

/* ---- the vault ---- */

enum ht_err
ht_header_check_piece(const struct ht_header *h, const struct ht_slice *tag,
    const struct ht_slice *body)
{
	struct ht_hash hash;

	if (tag != NULL && tag->len > 0) {
		hash = ht_tag_hash(*tag);
		if (!h->has_tag || !ht_hash_eq(&hash, &h->tag))
			return HT_EINTEGRITY;
	}
	if (body != NULL && body->len > 0) {
		hash = ht_blake2b(body, 1);
		if (body->len != h->body_len ||
		    !ht_hash_eq(&hash, &h->body_hash))
			return HT_EINTEGRITY;
	}
	return HT_OK;
}

enum ht_err
ht_entry_check_piece(const struct ht_entry *e, const struct ht_slice *tag,
    const struct ht_slice *body)
{
	struct ht_header h;

	if (ht_header_decode(e->payload, &h, NULL, NULL) != HT_OK)
		return HT_EINTEGRITY;
	return ht_header_check_piece(&h, tag, body);
}

enum ht_err
ht_log_read_piece(struct ht_log *log, const struct ht_entry *e,
    const struct ht_header *h, struct ht_buf *ret_tag, struct ht_buf *ret_body)
{
	struct ht_vault_place place = {e->segment, e->offset};
	size_t tag_at = ret_tag != NULL ? ret_tag->len : 0;
	size_t body_at = ret_body != NULL ? ret_body->len : 0;
	struct ht_slice tag, body;
	enum ht_err err;

	if (e->tag_len == 0 && e->body_len == 0)
		return HT_OK;
	if (log->vault == NULL)
		return HT_ENOTFOUND;
	err = ht_vault_read(
	    log->vault, place, e->tag_len, e->body_len, ret_tag, ret_body);
	if (err != HT_OK)
		return err;
	if (ret_tag != NULL)
		tag = HT_SLICE(ret_tag->at + tag_at, e->tag_len);
	if (ret_body != NULL)
		body = HT_SLICE(ret_body->at + body_at, e->body_len);
	return ht_header_check_piece(
	    h, ret_tag != NULL ? &tag : NULL, ret_body != NULL ? &body : NULL);
}

enum ht_err
ht_log_read_vault(struct ht_log *log, const struct ht_entry *e,
    struct ht_buf *ret_tag, struct ht_buf *ret_body)
{
	struct ht_header h;

	if (e->tag_len == 0 && e->body_len == 0)
		return HT_OK;
	if (ht_header_decode(e->payload, &h, NULL, NULL) != HT_OK)
		return HT_EINTEGRITY;
	return ht_log_read_piece(log, e, &h, ret_tag, ret_body);
}

/* ---- walking ---- */

static enum ht_err
walk_kept(struct ht_log *log, const struct ground *g, uint64_t *seq,
    uint64_t to,
    enum ht_err (*each)(void *arg, uint64_t seq, struct ht_slice leaf),
    void *arg)
{
	HT_AUTO(ht_buf_fini)
	struct ht_buf scratch = HT_BUF(HT_LEAF_MAX + HT_HASH_SIZE);
	struct ht_slice leaf;
	enum ht_err err = HT_OK;

	for (unsigned i = 0; err == HT_OK && i < WALK_BATCH && *seq < to &&
	                     *seq < atomic_load(&log->volumes.kept);
	     i++) {
		err = read_kept(log, g, *seq, &scratch, &leaf);
		if (err == HT_OK)
			err = each(arg, *seq, leaf);
		if (err == HT_OK)
			++*seq;
	}
	return err;
}

/* @read: leaves below are hashed; the others were, when read back. */
static enum ht_err
walk_some(struct ht_log *log, uint64_t read, uint64_t *seq, uint64_t to,
    enum ht_err (*each)(void *arg, uint64_t seq, struct ht_slice leaf),
    void *arg)
{
	HT_AUTO(ground_end) struct ground g = {0};
	HT_AUTO(ht_seek_close) struct ht_seek *seek = NULL;
	struct ht_slice key, value, leaf;
	struct ht_hash hash;
	enum ht_err err = ground_begin(log, &g);

	if (err == HT_OK && *seq < atomic_load(&log->volumes.kept))
		return walk_kept(log, &g, seq, to, each, arg);
	if (err == HT_OK)
		err = ht_seek_open(g.txn, HT_EV_ENTRIES, &seek);
	if (err == HT_OK)
		err =
		    ht_seek_ge(seek, HT_SLICE(seq, sizeof(*seq)), &key, &value);
	for (unsigned i = 0; err == HT_OK && i < WALK_BATCH; i++) {
		if (memcmp(key.at, seq, sizeof(*seq)) != 0)
			return HT_EINTEGRITY;
		err = *seq < read ? ht_stored_leaf(value, &leaf, &hash)
		                  : ht_stored_leaf_read(value, &leaf);
		if (err == HT_OK)
			err = each(arg, *seq, leaf);
		if (err != HT_OK || ++*seq == to)
			return err;
		err = ht_seek_next(seek, &key, &value);
	}
	return err == HT_ENOTFOUND ? HT_EINTEGRITY : err;
}

static enum ht_err
walk(struct ht_log *log, uint64_t read, uint64_t from, uint64_t to,
    enum ht_err (*each)(void *arg, uint64_t seq, struct ht_slice leaf),
    void *arg)
{
	enum ht_err err = HT_OK;

	if (to > ht_log_size(log))
		return HT_ENOTFOUND;
	while (from < to && err == HT_OK)
		err = walk_some(log, read, &from, to, each, arg);
	return err;
}

enum ht_err
ht_log_walk(struct ht_log *log, uint64_t from, uint64_t to,
    enum ht_err (*each)(void *arg, uint64_t seq, struct ht_slice leaf),
    void *arg)
{
	return walk(log, UINT64_MAX, from, to, each, arg);
}

enum ht_err
ht_log_follow(struct ht_log *log, uint64_t from, uint64_t to,
    enum ht_err (*each)(void *arg, uint64_t seq, struct ht_slice leaf),
    void *arg)
{
	return walk(log, log->began, from, to, each, arg);
}

/* ---- proofs ---- */

enum ht_err
ht_log_inclusion_of_many(struct ht_log *log, struct ht_tree_memo *memo,
    uint64_t seq, uint64_t size, struct ht_hash out[static HT_PROOF_MAX],
    size_t *ret_n)
{
	HT_AUTO(ground_end) struct ground g = {0};
	enum ht_err err;

	if (size > ht_log_size(log) || seq >= size)
		return HT_ENOTFOUND;
	err = ground_begin(log, &g);
	if (err != HT_OK)
		return err;
	if (memo == NULL)
		return ht_prove_inclusion(g.load, g.arg, seq, size, out, ret_n);
	memo->load = g.load;
	memo->arg = g.arg;
	if (memo->trail.size != size) {
		memo->trail.size = size;
		memo->trail.any = false;
	}
	return ht_trail_prove(
	    &memo->trail, ht_tree_recall, memo, seq, out, ret_n);
}

enum ht_err
ht_log_inclusion(struct ht_log *log, uint64_t seq, uint64_t size,
    struct ht_hash out[static HT_PROOF_MAX], size_t *ret_n)
{
	return ht_log_inclusion_of_many(log, NULL, seq, size, out, ret_n);
}

enum ht_err
ht_log_consistency(struct ht_log *log, uint64_t m, uint64_t n,
    struct ht_hash out[static HT_PROOF_MAX], size_t *ret_n)
{
	HT_AUTO(ground_end) struct ground g = {0};
	enum ht_err err;

	if (n > ht_log_size(log) || m == 0 || m > n)
		return HT_ENOTFOUND;
	err = ground_begin(log, &g);
	if (err != HT_OK)
		return err;
	return ht_prove_consistency(g.load, g.arg, m, n, out, ret_n);
}

struct covers {
	ht_merkle_load_fn *load;
	void *arg;
	struct ht_hash *out;
	size_t max;
	size_t n;
};

static enum ht_err
add_cover(struct covers *c, uint64_t a, uint64_t b)
{
	struct ht_subtree cover[HT_COVER_MAX];
	size_t n = ht_cover(a, b, cover);
	enum ht_err err = HT_OK;

	if (n > c->max - c->n)
		return HT_ETOOBIG;
	for (size_t i = 0; i < n && err == HT_OK; i++)
		err = c->load(
		    c->arg, cover[i].level, cover[i].index, &c->out[c->n++]);
	return err;
}

enum ht_err
ht_log_batch_proof_of_many(struct ht_log *log, struct ht_tree_memo *memo,
    const uint64_t *places, size_t n, uint64_t size, struct ht_hash *out,
    size_t max, size_t *ret_n)
{
	HT_AUTO(ground_end) struct ground g = {0};
	struct covers c = {.out = out, .max = max};
	uint64_t at = 0;
	enum ht_err err;

	if (size > ht_log_size(log))
		return HT_ENOTFOUND;
	err = ground_begin(log, &g);
	c.load = g.load;
	c.arg = g.arg;
	if (memo != NULL) {
		memo->load = g.load;
		memo->arg = g.arg;
		c.load = ht_tree_recall;
		c.arg = memo;
	}
	for (size_t i = 0; i < n && err == HT_OK; i++) {
		if (places[i] < at || places[i] >= size)
			return HT_EINVALID;
		err = add_cover(&c, at, places[i]);
		at = places[i] + 1;
	}
	if (err == HT_OK)
		err = add_cover(&c, at, size);
	if (err == HT_OK)
		*ret_n = c.n;
	return err;
}

enum ht_err
ht_log_batch_proof(struct ht_log *log, const uint64_t *places, size_t n,
    uint64_t size, struct ht_hash *out, size_t max, size_t *ret_n)
{
	return ht_log_batch_proof_of_many(
	    log, NULL, places, n, size, out, max, ret_n);
}
