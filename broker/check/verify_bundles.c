/*
 * verify_bundles.c -- bundles as their entries pass by: whole, in order, and
 * signed by the node that they name.
 */
#include "broker/check/verify_in.h"

#include "broker/check/verify.h"

bool
verify_bundle_open(const struct verify *s)
{
	return s->bundle_seen < s->bundle.n_records;
}

static enum ht_err
start_bundle(struct verify *s)
{
	struct ht_slice bytes;
	enum ht_err err =
	    ht_stored_bundle(s->log, s->txn, s->seq, &s->scratch, &bytes);

	if (err == HT_ENOTFOUND)
		return verify_bad(s, "its bundle's signature is missing");
	if (err != HT_OK)
		return err;
	if (ht_evidence_unpack(bytes, &s->bundle) != HT_OK ||
	    s->bundle.n_records == 0)
		return verify_bad(s, "its bundle's evidence is malformed");
	s->bundle_first = s->seq;
	s->bundle_seen = 0;
	s->v->bundles++;
	if (s->seq < s->v->kept)
		s->v->kept_bundles++;
	return HT_OK;
}

const struct ht_keyinfo *
ht_trust_bundle_key(
    const struct ht_trust *trust, const struct ht_bundle *bundle)
{
	const struct ht_member *member = ht_trust_member(trust, bundle->sender);
	const struct ht_node_entry *node =
	    member == NULL ? NULL : ht_member_node(member, bundle->node);

	for (unsigned i = 0; node != NULL && i < node->n_signing; i++)
		if (ht_keyid_eq(&node->signing[i].id, &bundle->key))
			return &node->signing[i];
	return NULL;
}

static enum ht_err
check_signature(struct verify *s)
{
	const struct ht_keyinfo *key;
	enum ht_err err;

	if (ht_evidence_root(&s->bundle) != HT_OK)
		return verify_bad(s, "its bundle's left-out hashes do not fit");
	if (s->v->trust == NULL)
		return HT_OK;
	key = ht_trust_bundle_key(s->v->trust, &s->bundle);
	if (key == NULL) {
		s->v->no_key++;
		return HT_OK;
	}
	err = ht_bundle_verify(&s->bundle, &key->pub);
	if (err == HT_ENOMEM)
		return err;
	if (err != HT_OK)
		return verify_bad(s,
		    "the signature of the bundle of entries %llu to %llu does "
		    "not verify",
		    (unsigned long long)s->bundle_first,
		    (unsigned long long)s->seq);
	s->v->signatures++;
	return HT_OK;
}

enum ht_err
verify_bundle(struct verify *s, const struct ht_entry *e)
{
	struct ht_bundle_record *record;
	enum ht_err err = HT_OK;

	if (verify_bundle_open(s) &&
	    (e->bundle_count == 0 || e->bundle_seq != s->bundle_first))
		return verify_bad(s,
		    "the bundle of entry %llu lacks records here",
		    (unsigned long long)s->bundle_first);
	if (e->bundle_count == 0)
		return HT_OK;
	if (!verify_bundle_open(s) && e->bundle_seq == e->seq)
		err = start_bundle(s);
	if (err != HT_OK)
		return err;
	if (!verify_bundle_open(s))
		return verify_bad(
		    s, "it names a bundle that it is not part of");
	record = &s->bundle.records[s->bundle_seen++];
	if (e->bundle_index != record->index ||
	    e->bundle_count != s->bundle.count)
		return verify_bad(s, "its place in its bundle is another");
	record->hash = ht_header_hash(e->payload);
	/* A REJECT may be just because of that. */
	if (e->type != HT_ENTRY_REJECT &&
	    (!ht_slice_eq(s->header.sender, s->bundle.sender) ||
	        !ht_slice_eq(s->header.node, s->bundle.node)))
		return verify_bad(
		    s, "its header's sender did not sign its bundle");
	return verify_bundle_open(s) ? HT_OK : check_signature(s);
}
