/*
 * node_record.c -- making records and opening them.
 *
 * One sealing context a process and recipient's key: set up once, then one
 * cheap seal a record.  Openers are kept by enc, up to a bound; a stranger's
 * fresh contexts cost us one X25519 each and push out older ones.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/node.h"
#include "lib/base/fs.h"

static void
drop_sealer(void *value)
{
	struct ht_sealer *sealer = value;

	ht_sealer_free(&sealer);
}

static void
drop_opener(void *value)
{
	struct ht_opener *opener = value;

	ht_opener_free(&opener);
}

void
node_record_fini(struct ht_node *node)
{
	if (node->sealers != NULL)
		ht_map_free(&node->sealers, drop_sealer);
	if (node->openers != NULL)
		ht_map_free(&node->openers, drop_opener);
}

/* A full cache is begun anew: rare, and cheap enough. */
static enum ht_err
make_room(struct ht_map **map_p, size_t max, void (*drop)(void *))
{
	if (ht_map_count(*map_p) < max)
		return HT_OK;
	ht_map_free(map_p, drop);
	*map_p = ht_map_new();
	return *map_p != NULL ? HT_OK : HT_ENOMEM;
}

static enum ht_err
get_sealer(
    struct ht_node *node, const struct ht_keyinfo *to, struct ht_sealer **ret)
{
	struct ht_slice key = HT_SLICE(to->id.at, sizeof(to->id.at));
	uint8_t info[HT_SEAL_INFO_SIZE];
	struct ht_sealer *sealer = ht_map_get(node->sealers, key);
	enum ht_err err;

	if (sealer != NULL) {
		*ret = sealer;
		return HT_OK;
	}
	err = make_room(&node->sealers, NODE_SEALERS_MAX, drop_sealer);
	if (err != HT_OK)
		return err;
	ht_seal_info(&to->id, info);
	err = ht_sealer_new(&to->pub, HT_SLICE(info, sizeof(info)), &sealer);
	if (err == HT_OK)
		err = ht_map_put(node->sealers, key, sealer, NULL);
	if (err != HT_OK) {
		ht_sealer_free(&sealer);
		return err;
	}
	*ret = sealer;
	return HT_OK;
}

/* The body, sealed in place under the envelope's bytes. */
static enum ht_err
seal_body(struct ht_sealer *sealer, struct ht_header *h,
    struct ht_slice envelope, struct ht_buf *body)
{
	size_t plain_len = body->len;
	struct ht_slice sealed;
	enum ht_err err;

	if (ht_buf_room(body, HT_AEAD_TAG) == NULL)
		return body->err;
	err = ht_seal(sealer, envelope, body->at, plain_len, &h->seal_seq);
	if (err != HT_OK)
		return err;
	memcpy(h->enc, ht_sealer_enc(sealer), HT_ENC_SIZE);
	sealed = ht_buf_slice(body);
	h->seal_mode = 0;
	h->body_len = (uint32_t)sealed.len;
	h->body_hash = ht_blake2b(&sealed, 1);
	return HT_OK;
}

enum ht_err
node_record_make(struct ht_node *node, struct ht_header *h,
    const struct ht_keyinfo *to, struct ht_slice content, size_t fixed,
    struct node_out *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf envelope = HT_BUF(HT_HEADER_MAX);
	struct ht_sealer *sealer;
	enum ht_err err;

	h->version = HT_PROTOCOL;
	h->suite = 1;
	h->record = ht_id_random();
	h->seal_key = to->id;
	h->has_tag = out->tag.len > 0;
	if (h->has_tag)
		h->tag = ht_tag_hash(ht_buf_slice(&out->tag));
	err = get_sealer(node, to, &sealer);
	if (err == HT_OK)
		err = ht_state_counter(
		    node->state, h->recipient, h->item, &h->counter);
	if (err == HT_OK)
		err =
		    ht_content_wrap(content, fixed, &out->body, &h->commitment);
	if (err == HT_OK)
		err = ht_envelope_encode(h, &envelope);
	if (err == HT_OK)
		err = seal_body(sealer, h, ht_buf_slice(&envelope), &out->body);
	if (err == HT_OK)
		err =
		    ht_header_encode(h, ht_buf_slice(&envelope), &out->header);
	if (err != HT_OK)
		return err;
	out->record = h->record;
	out->expires_ms = h->expires_ms;
	out->hash = ht_header_hash(ht_buf_slice(&out->header));
	return HT_OK;
}

static const struct ht_key *
our_sealing_key(const struct ht_node *node, const struct ht_keyid *id)
{
	for (unsigned i = 0; i < node->n_sealing; i++) {
		struct ht_keyid ours = ht_key_id(node->sealing[i]);

		if (ht_keyid_eq(&ours, id))
			return node->sealing[i];
	}
	return NULL;
}

static enum ht_err
get_opener(
    struct ht_node *node, const struct ht_header *h, struct ht_opener **ret)
{
	const struct ht_key *key = our_sealing_key(node, &h->seal_key);
	uint8_t id[HT_KEYID_SIZE + HT_ENC_SIZE], info[HT_SEAL_INFO_SIZE];
	struct ht_opener *opener;
	enum ht_err err;

	if (key == NULL || h->seal_mode != 0)
		return HT_ENOTFOUND;
	memcpy(id, h->seal_key.at, HT_KEYID_SIZE);
	memcpy(id + HT_KEYID_SIZE, h->enc, HT_ENC_SIZE);
	opener = ht_map_get(node->openers, HT_SLICE(id, sizeof(id)));
	if (opener != NULL) {
		*ret = opener;
		return HT_OK;
	}
	err = make_room(&node->openers, NODE_OPENERS_MAX, drop_opener);
	if (err != HT_OK)
		return err;
	ht_seal_info(&h->seal_key, info);
	err = ht_opener_new(key, h->enc, HT_SLICE(info, sizeof(info)), &opener);
	if (err == HT_OK)
		err = ht_map_put(
		    node->openers, HT_SLICE(id, sizeof(id)), opener, NULL);
	if (err != HT_OK) {
		ht_opener_free(&opener);
		return err;
	}
	*ret = opener;
	return HT_OK;
}

enum ht_err
node_record_open(struct ht_node *node, const struct ht_header *h,
    struct ht_slice body, struct ht_buf *plain, struct ht_slice *ret_content)
{
	struct ht_opener *opener = NULL;
	struct ht_slice r;
	enum ht_err err;

	if (body.len < HT_BODY_MIN)
		return HT_EBADSIG;
	err = get_opener(node, h, &opener);
	if (err != HT_OK)
		return err;
	ht_buf_add(plain, body.at, body.len);
	if (plain->err != HT_OK)
		return plain->err;
	err = ht_open(opener, h->seal_seq, h->envelope, plain->at, plain->len);
	if (err != HT_OK)
		return err;
	plain->len -= HT_AEAD_TAG;
	err = ht_content_unwrap(
	    ht_buf_slice(plain), &h->commitment, &r, ret_content);
	return err == HT_OK ? HT_OK : HT_EINVALID;
}
