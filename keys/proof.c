#include "keys/proof.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/panic.h"
#include "lib/base/text.h"

#define EXTRA "extra "
#define INDEX "index "

/* ---- reading ---- */

struct reader {
	struct ht_slice rest;
	unsigned line;
};

static bool
next(struct reader *r, struct ht_slice *ret)
{
	r->line++;
	return ht_text_line(&r->rest, ret);
}

static bool
take_prefix(struct ht_slice *line, const char *prefix)
{
	size_t len = strlen(prefix);

	if (line->len < len || memcmp(line->at, prefix, len) != 0)
		return false;
	*line = HT_SLICE(line->at + len, line->len - len);
	return true;
}

static enum ht_err
take_extra(struct ht_slice b64, struct ht_proof *p)
{
	uint8_t bytes[HT_PROOF_EXTRA_MAX];
	size_t len;
	enum ht_err err = ht_unb64(b64, bytes, sizeof(bytes), &len);

	if (err == HT_OK && len == 0)
		return HT_EMALFORMED; /* without data there is no such line */
	p->has_extra = true;
	p->extra = b64;
	return err;
}

/* Hashes, to the empty line behind them. */
static enum ht_err
take_path(struct reader *r, size_t max, struct ht_hash *path, size_t *n)
{
	struct ht_slice line;
	size_t len;

	for (;;) {
		if (!next(r, &line))
			return HT_EMALFORMED;
		if (line.len == 0)
			return HT_OK;
		if (*n == max)
			return HT_ETOOBIG;
		if (ht_unb64(line, path[*n].at, HT_HASH_SIZE, &len) != HT_OK ||
		    len != HT_HASH_SIZE)
			return HT_EMALFORMED;
		++*n;
	}
}

/* The path, and all that follows it: there must be something. */
static enum ht_err
take_end(struct reader *r, size_t max, struct ht_hash *path, size_t *n,
    struct ht_slice *ret_checkpoint)
{
	enum ht_err err = take_path(r, max, path, n);

	*ret_checkpoint = r->rest;
	if (err != HT_OK || r->rest.len > 0)
		return err;
	r->line++;
	return HT_EMALFORMED;
}

static enum ht_err
take_proof(struct reader *r, struct ht_proof *p)
{
	struct ht_slice line;
	enum ht_err err = HT_OK;

	if (!next(r, &line) || !ht_slice_is(line, HT_PROOF_LABEL) ||
	    !next(r, &line))
		return HT_EMALFORMED;
	if (take_prefix(&line, EXTRA)) {
		err = take_extra(line, p);
		if (err != HT_OK)
			return err;
		if (!next(r, &line))
			return HT_EMALFORMED;
	}
	if (!take_prefix(&line, INDEX) ||
	    ht_tree_size_parse(line, &p->index) != HT_OK)
		return HT_EMALFORMED;
	return take_end(r, HT_PROOF_MAX, p->path, &p->n_path, &p->checkpoint);
}

enum ht_err
ht_proof_parse(struct ht_slice bytes, struct ht_proof *ret, unsigned *ret_line)
{
	struct ht_proof proof = {0};
	struct reader r = {.rest = bytes};
	enum ht_err err;

	if (bytes.len > HT_PROOF_FILE_MAX) {
		r.line = 1;
		err = HT_ETOOBIG;
	} else {
		err = take_proof(&r, &proof);
	}
	if (ret_line != NULL)
		*ret_line = r.line;
	if (err == HT_OK)
		*ret = proof;
	return err;
}

enum ht_err
ht_proof_extra(const struct ht_proof *proof, struct ht_buf *out)
{
	uint8_t bytes[HT_PROOF_EXTRA_MAX];
	size_t len = 0;
	enum ht_err err = HT_OK;

	if (proof->has_extra)
		err = ht_unb64(proof->extra, bytes, sizeof(bytes), &len);
	if (err != HT_OK)
		return err;
	ht_buf_add(out, bytes, len);
	return out->err;
}

/* ---- writing ---- */

static void
add_end(struct ht_buf *out, const struct ht_hash *path, size_t n,
    struct ht_slice checkpoint)
{
	char b64[HT_B64_SIZE(HT_HASH_SIZE)];

	for (size_t i = 0; i < n; i++) {
		ht_b64(b64, path[i].at, HT_HASH_SIZE);
		ht_buf_fmt(out, "%s\n", b64);
	}
	ht_buf_u8(out, '\n');
	ht_buf_add(out, checkpoint.at, checkpoint.len);
}

void
ht_proof_text(const struct ht_proof *p, struct ht_buf *out)
{
	ht_buf_str(out, HT_PROOF_LABEL "\n");
	if (p->has_extra) {
		ht_buf_str(out, EXTRA);
		ht_buf_add(out, p->extra.at, p->extra.len);
		ht_buf_u8(out, '\n');
	}
	ht_buf_fmt(out, INDEX "%" PRIu64 "\n", p->index);
	add_end(out, p->path, p->n_path, p->checkpoint);
}

bool
ht_proof_holds(const struct ht_proof *proof, const struct ht_hash *leaf,
    const struct ht_checkpoint *cp)
{
	return ht_check_inclusion(proof->index, cp->size, leaf, proof->path,
	    proof->n_path, &cp->root);
}

/* ---- consistency ---- */

bool
ht_consistency_holds(const struct ht_add_checkpoint *c,
    const struct ht_checkpoint *old, const struct ht_checkpoint *cp)
{
	if (c->old != old->size)
		return false;
	if (old->size == 0)
		return c->n_proof == 0;
	return ht_check_consistency(
	    old->size, cp->size, &old->root, &cp->root, c->proof, c->n_proof);
}

/* ---- what is known of a tree ---- */

enum ht_err
ht_known_cover(struct ht_known *known, uint64_t a, uint64_t b,
    const struct ht_hash *hashes, size_t n, size_t *ret_used)
{
	struct ht_subtree cover[HT_COVER_MAX];
	size_t used = ht_cover(a, b, cover);

	if (used > n)
		return HT_EMALFORMED;
	if (used > HT_KNOWN_MAX - known->n)
		return HT_ETOOBIG;
	for (size_t i = 0; i < used; i++) {
		known->at[known->n].where = cover[i];
		known->at[known->n++].hash = hashes[i];
	}
	*ret_used = used;
	return HT_OK;
}

/* At most 64 levels deep: the leftmost leaf that is not known ends it. */
enum ht_err
ht_known_load(void *arg, unsigned level, uint64_t index, struct ht_hash *ret)
{
	const struct ht_known *known = arg;
	struct ht_hash left, right;
	enum ht_err err;

	for (size_t i = 0; i < known->n; i++) {
		if (known->at[i].where.level != level ||
		    known->at[i].where.index != index)
			continue;
		*ret = known->at[i].hash;
		return HT_OK;
	}
	if (level == 0)
		return HT_ENOTFOUND;
	err = ht_known_load(arg, level - 1, 2 * index, &left);
	if (err == HT_OK)
		err = ht_known_load(arg, level - 1, 2 * index + 1, &right);
	if (err == HT_OK)
		*ret = ht_node_hash(&left, &right);
	return err;
}

enum ht_err
ht_known_root(const struct ht_known *known, uint64_t size, struct ht_hash *ret)
{
	struct ht_subtree cover[HT_COVER_MAX];
	struct ht_known *k = (struct ht_known *)(uintptr_t)known;
	size_t n = ht_cover(0, size, cover);
	struct ht_hash root, left;
	enum ht_err err;

	HT_ASSERT(size > 0);
	err = ht_known_load(k, cover[n - 1].level, cover[n - 1].index, &root);
	for (size_t i = n - 1; i-- > 0 && err == HT_OK;) {
		err = ht_known_load(k, cover[i].level, cover[i].index, &left);
		if (err == HT_OK)
			root = ht_node_hash(&left, &root);
	}
	if (err == HT_OK)
		*ret = root;
	return err;
}
