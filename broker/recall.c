#include "broker/recall.h"

#include <stdlib.h>

#include "broker/log/bundles.h"
#include "lib/base/limits.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"
#include "schemas/tag.h"

/* Where a record's parts begin in the buffers: these move while they grow. */
struct found {
	uint32_t index; /* in its bundle */
	size_t header, header_len;
	size_t tag, tag_len;
	size_t body, body_len;
};

struct ht_recall {
	struct ht_log *log;
	struct ht_buf evidence;
	struct ht_bundle whole; /* in evidence: of the bundle asked for last, */
	uint64_t whole_first;   /* which begins there, */
	bool has_whole;         /* if there was one */
	struct ht_buf leaves, tags, bodies;
	struct found found[HT_BUNDLE_MAX];
};

enum ht_err
ht_recall_new(struct ht_log *log, struct ht_recall **ret)
{
	struct ht_recall *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return HT_ENOMEM;
	r->log = log;
	r->evidence = HT_BUF(HT_EVIDENCE_MAX);
	r->leaves = HT_BUF(HT_BUNDLE_MAX * HT_LEAF_MAX);
	r->tags = HT_BUF(HT_BUNDLE_MAX * HT_TAG_MAX);
	r->bodies = HT_BUF(HT_BUNDLE_BYTES);
	*ret = r;
	return HT_OK;
}

void
ht_recall_free(struct ht_recall **recall_p)
{
	struct ht_recall *r = HT_TAKE(*recall_p);

	if (r == NULL)
		return;
	ht_buf_fini(&r->evidence);
	ht_buf_fini(&r->leaves);
	ht_buf_fini(&r->tags);
	ht_buf_fini(&r->bodies);
	free(r);
}

/* One damaged record is not sent; the others are. */
static bool
is_damage(enum ht_err err)
{
	return err == HT_EINTEGRITY || err == HT_ENOTFOUND ||
	       err == HT_EERASED || err == HT_ETOOBIG || err == HT_EMALFORMED;
}

static void
say_damaged(uint64_t place, enum ht_err err)
{
	ht_log(HT_ERROR, "broker: entry %llu cannot be delivered: %s",
	    (unsigned long long)place, ht_err_text(err));
}

/* Its neighbours were asked for just before, as often as not. */
static enum ht_err
load_whole(struct ht_recall *r, uint64_t first)
{
	enum ht_err err;

	if (r->has_whole && r->whole_first == first)
		return HT_OK;
	err = ht_evidence_load(r->log, first, &r->evidence, &r->whole, NULL);
	r->has_whole = err == HT_OK;
	r->whole_first = first;
	return err;
}

/* Add to the buffers what is at @place. */
static enum ht_err
find(struct ht_recall *r, uint64_t first, uint64_t place, struct found *ret)
{
	size_t leaf_at = r->leaves.len;
	struct ht_entry e;
	enum ht_err err = ht_log_read(r->log, place, &r->leaves);

	ret->tag = r->tags.len;
	ret->body = r->bodies.len;
	if (err == HT_OK)
		err = ht_entry_decode(
		    HT_SLICE(r->leaves.at + leaf_at, r->leaves.len - leaf_at),
		    &e);
	if (err == HT_OK && e.bundle_seq != first)
		err = HT_EINTEGRITY;
	if (err == HT_OK)
		err = ht_log_read_vault(r->log, &e, &r->tags, &r->bodies);
	if (err != HT_OK)
		return err;
	ret->index = e.bundle_index;
	ret->header = (size_t)(e.payload.at - r->leaves.at);
	ret->header_len = e.payload.len;
	ret->tag_len = r->tags.len - ret->tag;
	ret->body_len = r->bodies.len - ret->body;
	return HT_OK;
}

/* Those of @places that are whole come to its beginning; how many. */
static enum ht_err
find_all(struct ht_recall *r, uint64_t first, uint64_t *places, size_t n,
    size_t *ret_n)
{
	*ret_n = 0;
	for (size_t i = 0; i < n; i++) {
		enum ht_err err = find(r, first, places[i], &r->found[*ret_n]);

		if (err == HT_OK)
			places[(*ret_n)++] = places[i];
		else if (is_damage(err))
			say_damaged(places[i], err);
		else
			return err;
	}
	return HT_OK;
}

static void
fill(const struct ht_recall *r, struct ht_bundle *part)
{
	for (uint32_t i = 0; i < part->n_records; i++) {
		const struct found *f = &r->found[i];
		struct ht_bundle_record *to = &part->records[i];

		to->header = HT_SLICE(r->leaves.at + f->header, f->header_len);
		to->tag = HT_SLICE(r->tags.at + f->tag, f->tag_len);
		to->body = HT_SLICE(r->bodies.at + f->body, f->body_len);
	}
}

enum ht_err
ht_recall(struct ht_recall *r, uint64_t first, uint64_t *places, size_t n,
    struct ht_bundle *ret)
{
	uint32_t indexes[HT_BUNDLE_MAX];
	size_t found;
	enum ht_err err;

	HT_ASSERT(n <= HT_BUNDLE_MAX);
	ht_buf_reset(&r->leaves);
	ht_buf_reset(&r->tags);
	ht_buf_reset(&r->bodies);
	ret->n_records = 0;
	err = find_all(r, first, places, n, &found);
	if (err != HT_OK || found == 0)
		return err;
	for (size_t i = 0; i < found; i++)
		indexes[i] = r->found[i].index;
	err = load_whole(r, first);
	if (err == HT_OK)
		err = ht_evidence_narrow(&r->whole, indexes, found, ret);
	if (is_damage(err)) {
		for (size_t i = 0; i < found; i++)
			say_damaged(places[i], err);
		ret->n_records = 0;
		return HT_OK;
	}
	if (err == HT_OK)
		fill(r, ret);
	return err;
}
