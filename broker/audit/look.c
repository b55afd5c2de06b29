/*
 * look.c -- from rows to looks.  The broker is not believed: a row is about
 * the subject only if the tag whose hash stands in the signed header says so.
 */
#include "broker/audit/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/json.h"

const char *
ht_look_end_text(enum ht_look_end end)
{
	static const char *const texts[] = {
	    [HT_LOOK_OPEN] = "open",
	    [HT_LOOK_SILENT] = "no answer",
	    [HT_LOOK_ANSWERED] = "answered",
	    [HT_LOOK_REFUSED] = "refused by the provider",
	    [HT_LOOK_FAILED] = "failed",
	    [HT_LOOK_LATE] = "too late, not handed on",
	    [HT_LOOK_PUSHED] = "sent",
	};

	return texts[end];
}

void
ht_looks_fini(struct ht_looks *looks)
{
	free(looks->at);
	*looks = (struct ht_looks){0};
}

static enum ht_err
add(struct ht_looks *looks, struct ht_look **ret)
{
	if (looks->n == looks->cap) {
		size_t cap = looks->cap == 0 ? 16 : looks->cap * 2;
		struct ht_look *at = realloc(looks->at, cap * sizeof(*at));

		if (at == NULL)
			return HT_ENOMEM;
		looks->at = at;
		looks->cap = cap;
	}
	*ret = &looks->at[looks->n++];
	**ret = (struct ht_look){.end = HT_LOOK_OPEN};
	return HT_OK;
}

/* An answer follows its request closely: looked for from the end. */
static struct ht_look *
find(const struct ht_looks *looks, const struct ht_id *exchange)
{
	for (size_t i = looks->n; i-- > 0;)
		if (ht_id_eq(&looks->at[i].exchange, exchange))
			return &looks->at[i];
	return NULL;
}

#define COPY(out, slice)                                                       \
	(void)snprintf((out), sizeof(out), "%.*s", (int)(slice).len,           \
	    (const char *)(slice).at)

static void
fill(struct ht_look *look, const struct ht_row *row, const struct ht_header *h,
    bool from_asker)
{
	look->exchange = h->exchange;
	look->time_us = row->entry.time_us;
	look->expires_ms = h->expires_ms;
	COPY(look->asker, from_asker ? h->sender : h->recipient);
	COPY(look->provider, from_asker ? h->recipient : h->sender);
	COPY(look->item, h->item);
	look->item_version = h->item_version;
	look->operation = h->operation;
	COPY(look->purpose, h->purpose);
	COPY(look->basis, h->basis);
}

static enum ht_look_end
end_of(const struct ht_row *row, const struct ht_header *h)
{
	if (row->entry.type == HT_ENTRY_LATE)
		return HT_LOOK_LATE;
	if (h->kind != HT_KIND_RESPONSE)
		return HT_LOOK_PUSHED;
	return h->status == HT_ANSWER_ANSWERED  ? HT_LOOK_ANSWERED
	       : h->status == HT_ANSWER_REFUSED ? HT_LOOK_REFUSED
	                                        : HT_LOOK_FAILED;
}

static void
take_answer(
    struct ht_look *look, const struct ht_row *row, const struct ht_header *h)
{
	look->answered = true;
	look->answer_seq = row->seq;
	look->answer_us = row->entry.time_us;
	look->answer_record = h->record;
	look->end = end_of(row, h);
	look->released_len = h->released.len;
	if (h->released.len > 0)
		memcpy(look->released, h->released.at, h->released.len);
}

static void
take_ask(
    struct ht_look *look, const struct ht_row *row, const struct ht_header *h)
{
	look->asked = true;
	look->ask_seq = row->seq;
	look->ask_us = row->entry.time_us;
	look->ask_record = h->record;
}

/* ---- the tag ---- */

static enum ht_err
check_tag(const struct ht_row *row, const struct ht_header *h,
    const struct ht_pseudonym *subject, struct ht_tag *ret)
{
	struct ht_hash hash = ht_tag_hash(row->tag);

	if (row->tag.len == 0 || !h->has_tag || !ht_hash_eq(&hash, &h->tag) ||
	    ht_tag_decode(row->tag, ret, NULL) != HT_OK)
		return HT_EINTEGRITY;
	for (unsigned i = 0; i < ret->n_subjects; i++)
		if (ht_pseudonym_cmp(&ret->subjects[i], subject) == 0)
			return HT_OK;
	return HT_EINTEGRITY;
}

enum ht_err
ht_look_is_about(const struct ht_row *row, const struct ht_pseudonym *subject)
{
	struct ht_header h;
	struct ht_tag tag;

	if (!ht_entry_has_header(&row->entry) ||
	    ht_header_decode(row->entry.payload, &h, NULL, NULL) != HT_OK)
		return HT_EINTEGRITY;
	return check_tag(row, &h, subject, &tag);
}

/* What the sealed annex says is what the tag commits to, field by field. */
static bool
is_committed(const struct ht_tag *tag, const struct ht_annex *annex)
{
	struct ht_annex_field fields[HT_ANNEX_FIELDS];
	size_t n = ht_annex_fields(annex, fields);
	struct ht_hash commitment;

	return ht_annex_commitment(
	           annex->entry, fields, n, tag->annex, &commitment) == HT_OK &&
	       ht_hash_eq(&commitment, &tag->commitment);
}

enum ht_err
ht_look_annex(const struct ht_tag *tag, const struct ht_key *key,
    json_t **ret_json, struct ht_annex *ret, bool *ret_good)
{
	HT_AUTO(ht_buf_fini) struct ht_buf plain = HT_BUF(HT_TAG_MAX);
	HT_AUTO(ht_json_free) json_t *json = NULL;
	enum ht_err err = ht_annex_open(tag, key, &plain);

	*ret_good = false;
	if (err == HT_OK)
		err = ht_pack_check(ht_buf_slice(&plain), NULL, NULL);
	if (err == HT_OK)
		err = ht_pack_to_json(ht_buf_slice(&plain), &json);
	if (err == HT_OK)
		err = ht_annex_from_json(json, ret);
	if (err != HT_OK)
		return err == HT_ENOMEM ? err : HT_OK;
	*ret_good = is_committed(tag, ret);
	if (*ret_good)
		*ret_json = HT_TAKE(json);
	return HT_OK;
}

static enum ht_err
read_annex(struct ht_look *look, const struct ht_tag *tag,
    const struct ht_key *key, bool *ret_good)
{
	HT_AUTO(ht_json_free) json_t *json = NULL;
	struct ht_annex annex = {0};
	enum ht_err err = ht_look_annex(tag, key, &json, &annex, ret_good);

	ht_wipe(annex.entry, sizeof(annex.entry));
	if (err != HT_OK || !*ret_good)
		return err;
	look->opened = true;
	(void)snprintf(look->officer, sizeof(look->officer), "%s",
	    annex.officer != NULL ? annex.officer : "");
	(void)snprintf(look->casefile, sizeof(look->casefile), "%s",
	    annex.casefile != NULL ? annex.casefile : "");
	return HT_OK;
}

static enum ht_err
open_annex(struct ht_looks *looks, struct ht_look *look,
    const struct ht_row *row, const struct ht_tag *tag,
    const struct ht_look_key *keys, size_t n_keys)
{
	for (size_t i = 0; i < n_keys; i++) {
		bool good;
		enum ht_err err;

		if (!ht_slice_is(tag->epoch, keys[i].epoch))
			continue;
		err = read_annex(look, tag, keys[i].annex, &good);
		if (err != HT_OK)
			return err;
		if (!good && looks->n_false++ == 0)
			looks->false_seq = row->seq;
	}
	return HT_OK;
}

/* ---- a row ---- */

enum ht_err
ht_looks_add(struct ht_looks *looks, const struct ht_row *row,
    const struct ht_pseudonym *subject, const struct ht_look_key *keys,
    size_t n_keys)
{
	bool asks = row->entry.type == HT_ENTRY_REQUEST;
	struct ht_header h;
	struct ht_look *look;
	struct ht_tag tag;
	enum ht_err err;

	if (!ht_entry_has_header(&row->entry) ||
	    ht_header_decode(row->entry.payload, &h, NULL, NULL) != HT_OK)
		return HT_EINTEGRITY;
	err = check_tag(row, &h, subject, &tag);
	if (err != HT_OK)
		return err;
	look = find(looks, &h.exchange);
	if (look == NULL) {
		err = add(looks, &look);
		if (err != HT_OK)
			return err;
		fill(look, row, &h, asks);
	}
	if (!asks) {
		take_answer(look, row, &h);
		return HT_OK;
	}
	take_ask(look, row, &h);
	return open_annex(looks, look, row, &tag, keys, n_keys);
}

static int
by_time(const void *a, const void *b)
{
	const struct ht_look *x = a, *y = b;
	uint64_t i = x->asked ? x->ask_seq : x->answer_seq;
	uint64_t j = y->asked ? y->ask_seq : y->answer_seq;

	return i < j ? -1 : i > j;
}

void
ht_looks_end(struct ht_looks *looks, uint64_t now_ms)
{
	for (size_t i = 0; i < looks->n; i++)
		if (looks->at[i].end == HT_LOOK_OPEN &&
		    looks->at[i].expires_ms < now_ms)
			looks->at[i].end = HT_LOOK_SILENT;
	if (looks->n > 0)
		qsort(looks->at, looks->n, sizeof(*looks->at), by_time);
}
