#include "schemas/proven.h"

#include <stdio.h>
#include <string.h>

#include "keys/possession.h"
#include "lib/base/panic.h"

static bool
of_node(const char *member, const struct ht_node_entry *node, size_t i,
    struct ht_member_key *ret)
{
	bool signing = i < node->n_signing;

	if (i >= node->n_signing + node->n_transport)
		return false;
	ret->what = signing ? HT_KEY_SIGNING : HT_KEY_TRANSPORT;
	ret->pub = signing ? &node->signing[i].pub
	                   : &node->transport[i - node->n_signing].pub;
	(void)snprintf(
	    ret->name, sizeof(ret->name), "%s/%s", member, node->name);
	return true;
}

bool
ht_member_key(
    const struct ht_member *member, size_t i, struct ht_member_key *ret)
{
	(void)snprintf(ret->name, sizeof(ret->name), "%s", member->name);
	ret->what = HT_KEY_IDENTITY;
	ret->pub = &member->identity;
	if (i-- == 0)
		return true;
	if (i < member->n_officers) {
		ret->what = HT_KEY_OFFICER;
		ret->pub = &member->officers[i].pub;
		(void)snprintf(ret->name, sizeof(ret->name), "%s",
		    member->officers[i].name);
		return true;
	}
	i -= member->n_officers;
	if (i < member->n_sealing) {
		ret->what = HT_KEY_SEALING;
		ret->pub = &member->sealing[i].pub;
		return true;
	}
	i -= member->n_sealing;
	for (unsigned n = 0; n < member->n_nodes; n++) {
		const struct ht_node_entry *node = &member->nodes[n];

		if (of_node(member->name, node, i, ret))
			return true;
		i -= node->n_signing + node->n_transport;
	}
	return false;
}

/* For the same purpose: a key that seals is not known as one of CURVE's. */
static bool
is_known(const struct ht_member_key *key, const struct ht_doc *before)
{
	struct ht_member_key old;

	if (before == NULL)
		return false;
	for (size_t i = 0; ht_member_key(before->member, i, &old); i++)
		if (old.what == key->what &&
		    memcmp(old.pub, key->pub, sizeof(*key->pub)) == 0)
			return true;
	return false;
}

/* An identity key signs the entry; that is its proof. */
static void
tell(const struct ht_doc *doc, const struct ht_member_key *key, bool is_false,
    struct ht_report *report)
{
	const char *verb = key->what == HT_KEY_IDENTITY ? "sign" : "prove";
	struct ht_keyid id = ht_keyid(key->what, key->pub);
	char hex[2 * HT_KEYID_SIZE + 1];

	ht_hex(hex, id.at, sizeof(id.at));
	if (is_false)
		ht_report_add(report, doc->where,
		    "the proof of the %s key %s of %s is not for this text: "
		    "it was taken from elsewhere, or the entry was changed "
		    "since; who holds the key proves it anew, `hutong "
		    "directory %s FILE --key KEYFILE`",
		    ht_key_for_text(key->what), hex, key->name, verb);
	else
		ht_report_add(report, doc->where,
		    "nobody has proven to hold the %s key %s of %s; who holds "
		    "it does so with `hutong directory %s FILE --key KEYFILE`",
		    ht_key_for_text(key->what), hex, key->name, verb);
}

static enum ht_err
check_before(const struct ht_doc *doc, const struct ht_doc *before,
    struct ht_report *report)
{
	HT_ASSERT(strcmp(doc->name, before->name) == 0);
	if (doc->revision > before->revision ||
	    ht_hash_eq(&doc->hash, &before->hash))
		return HT_OK;
	ht_report_add(report, doc->where,
	    "it is revision %llu, and revision %llu is in force with another "
	    "text; draft it from that one, `hutong directory amend`",
	    (unsigned long long)doc->revision,
	    (unsigned long long)before->revision);
	return HT_EROLLBACK;
}

enum ht_err
ht_member_proven(const struct ht_doc *doc, const struct ht_doc *before,
    struct ht_report *report, unsigned *ret_new)
{
	struct ht_note note = {.n_sigs = 0};
	struct ht_member_key key;
	unsigned n = 0;
	enum ht_err err = HT_OK;

	HT_ASSERT(doc->kind == HT_DOC_MEMBER);
	if (before != NULL)
		err = check_before(doc, before, report);
	if (err != HT_OK)
		return err;
	if (ht_note_parse(doc->bytes, &note) != HT_OK)
		note.n_sigs = 0; /* nobody signed it yet */
	for (size_t i = 0; ht_member_key(doc->member, i, &key); i++) {
		enum ht_err found;

		if (is_known(&key, before))
			continue;
		n++;
		found = ht_possession_find(&note, key.name, key.what, key.pub);
		if (found == HT_OK)
			continue;
		tell(doc, &key, found == HT_EBADSIG, report);
		err = HT_EBADSIG;
	}
	if (ret_new != NULL)
		*ret_new = n;
	return err;
}
