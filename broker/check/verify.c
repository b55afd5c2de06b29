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

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/check/recount.h"
#include "broker/check/verify_in.h"
#include "broker/log/bundles.h"
#include "broker/log/disclose.h"
#include "broker/log/erase.h"
#include "broker/log/evidence.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"

struct verify {
	struct ht_verify *v;
	struct ht_log *log;
	struct ht_txn *txn;
	struct ht_stored rows;
	struct ht_seek *cps;
	struct ht_ranges ranges;
	/* Of what is in a volume's file: evidence, what an entry cites. */
	struct ht_buf scratch, cited;
	uint64_t next_cp; /* size of the checkpoint to come; 0: none */
	struct ht_slice cp_note;
	struct ht_frontier f;
	uint64_t seq;
	bool tree_bad;

	/* the bundle whose entries are passing by */
	struct ht_bundle bundle;
	uint64_t bundle_first;
	uint32_t bundle_seen; /* of its records; == n_records: none open */

	/* Erasures of the vault: their lists, and how much is gone. */
	struct erasure {
		struct ht_erasure *list;
		uint64_t gone;
	} * erasures;
	size_t n_erasures, cap_erasures;

	struct ht_recount recount; /* what DISCLOSE entries count */
	uint8_t *ended;            /* a bit a request: it had its end */
	struct ht_header header;
	struct ht_header request;
	struct ht_buf tag, body;
};

/* ---- findings ---- */

static enum ht_err bad(struct verify *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The entry at hand is the first bad one, and why. */
static enum ht_err
bad(struct verify *s, const char *fmt, ...)
{
	va_list ap;

	s->v->has_bad_seq = true;
	s->v->bad_seq = s->seq;
	va_start(ap, fmt);
	(void)vsnprintf(s->v->bad, sizeof(s->v->bad), fmt, ap);
	va_end(ap);
	return HT_EINTEGRITY;
}

static enum ht_err bad_log(struct verify *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Not an entry, but the log as a whole. */
static enum ht_err
bad_log(struct verify *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(s->v->bad, sizeof(s->v->bad), fmt, ap);
	va_end(ap);
	return HT_EINTEGRITY;
}

#define HEX (2 * HT_HASH_SIZE + 1)

static enum ht_err
bad_hash(struct verify *s, const char *what, const struct ht_hash *expected,
    const struct ht_hash *found)
{
	char want[HEX], have[HEX];

	ht_hex(want, expected->at, HT_HASH_SIZE);
	ht_hex(have, found->at, HT_HASH_SIZE);
	return bad(s, "%s: expected %s, found %s", what, want, have);
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
		(void)bad(s, "%s is missing", what);
	} else if (!ht_hash_eq(&stored, hash)) {
		s->tree_bad = true;
		(void)bad_hash(s, what, hash, &stored);
	}
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
		return bad(s, "%s of size %llu does not verify: %s", what,
		    (unsigned long long)s->f.size, ht_err_text(err));
	if (cp.size != s->f.size)
		return bad(s, "%s says size %llu, and stands at %llu", what,
		    (unsigned long long)cp.size, (unsigned long long)s->f.size);
	if (!ht_hash_eq(&cp.root, &root))
		return bad_hash(s, what, &cp.root, &root);
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
			return bad_hash(
			    s, "the anchor's root", &a->root, &root);
		err = check_signed(s, HT_SLICE(a->note, a->note_len),
		    "the checkpoint in the anchor");
		s->v->anchored = true;
	}
	return err;
}

/* ---- bundles ---- */

static bool
bundle_open(const struct verify *s)
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
		return bad(s, "its bundle's signature is missing");
	if (err != HT_OK)
		return err;
	if (ht_evidence_unpack(bytes, &s->bundle) != HT_OK ||
	    s->bundle.n_records == 0)
		return bad(s, "its bundle's evidence is malformed");
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
		return bad(s, "its bundle's left-out hashes do not fit");
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
		return bad(s,
		    "the signature of the bundle of entries %llu to %llu does "
		    "not verify",
		    (unsigned long long)s->bundle_first,
		    (unsigned long long)s->seq);
	s->v->signatures++;
	return HT_OK;
}

static enum ht_err
check_bundle(struct verify *s, const struct ht_entry *e)
{
	struct ht_bundle_record *record;
	enum ht_err err = HT_OK;

	if (bundle_open(s) &&
	    (e->bundle_count == 0 || e->bundle_seq != s->bundle_first))
		return bad(s, "the bundle of entry %llu lacks records here",
		    (unsigned long long)s->bundle_first);
	if (e->bundle_count == 0)
		return HT_OK;
	if (!bundle_open(s) && e->bundle_seq == e->seq)
		err = start_bundle(s);
	if (err != HT_OK)
		return err;
	if (!bundle_open(s))
		return bad(s, "it names a bundle that it is not part of");
	record = &s->bundle.records[s->bundle_seen++];
	if (e->bundle_index != record->index ||
	    e->bundle_count != s->bundle.count)
		return bad(s, "its place in its bundle is another");
	record->hash = ht_header_hash(e->payload);
	/* A REJECT may be just because of that. */
	if (e->type != HT_ENTRY_REJECT &&
	    (!ht_slice_eq(s->header.sender, s->bundle.sender) ||
	        !ht_slice_eq(s->header.node, s->bundle.node)))
		return bad(s, "its header's sender did not sign its bundle");
	return bundle_open(s) ? HT_OK : check_signature(s);
}

/* ---- records ---- */

static unsigned
kind_of(unsigned type)
{
	switch (type) {
	case HT_ENTRY_REQUEST:
		return HT_KIND_REQUEST;
	case HT_ENTRY_RESPONSE:
	case HT_ENTRY_LATE:
		return HT_KIND_RESPONSE;
	case HT_ENTRY_PUSH:
		return HT_KIND_PUSH;
	case HT_ENTRY_EVENT:
		return HT_KIND_EVENT;
	case HT_ENTRY_RECEIPT:
		return HT_KIND_RECEIPT;
	default:
		return 0; /* any */
	}
}

static enum ht_err
check_header(struct verify *s, const struct ht_entry *e)
{
	const char *why = NULL;
	size_t at = 0;
	unsigned kind = kind_of(e->type);

	if (ht_header_decode(e->payload, &s->header, &at, &why) != HT_OK)
		return bad(s, "its header is malformed at byte %zu: %s", at,
		    why != NULL ? why : "");
	if (kind != 0 && s->header.kind != kind)
		return bad(
		    s, "its header is a %s", ht_kind_text(s->header.kind));
	/* What was refused or conflicts may claim another sender. */
	if (kind != 0 && (!ht_slice_eq(s->header.sender, e->member) ||
	                     !ht_slice_eq(s->header.node, e->node)))
		return bad(s, "its sender is not the node that was connected");
	return HT_OK;
}

/* The request an entry cites, into s->request. */
static enum ht_err
cited_request(struct verify *s, const struct ht_entry *e)
{
	struct ht_slice value, leaf;
	struct ht_hash hash;
	struct ht_entry cited;

	if (e->cites == 0)
		return bad(s, "it cites no request");
	if (e->cites > s->seq)
		return bad(s, "it cites entry %llu, which comes later",
		    (unsigned long long)e->cites - 1);
	if (ht_stored_at(s->log, s->txn, e->cites - 1, &s->cited, &value) !=
	        HT_OK ||
	    ht_stored_leaf(value, &leaf, &hash) != HT_OK ||
	    ht_entry_decode(leaf, &cited) != HT_OK ||
	    cited.type != HT_ENTRY_REQUEST ||
	    ht_header_decode(cited.payload, &s->request, NULL, NULL) != HT_OK)
		return bad(s, "entry %llu, which it cites, is no request",
		    (unsigned long long)e->cites - 1);
	return HT_OK;
}

static enum ht_err
check_answer(struct verify *s, const struct ht_entry *e)
{
	const struct ht_header *h = &s->header, *q = &s->request;
	enum ht_err err = cited_request(s, e);
	struct ht_hash hash;

	if (err != HT_OK)
		return err;
	hash = ht_header_hash(q->raw);
	if (!h->has_reply_to)
		return bad(s, "it answers nothing");
	if (!ht_hash_eq(&h->reply_to, &hash))
		return bad_hash(
		    s, "the request it answers", &h->reply_to, &hash);
	if (!ht_id_eq(&h->exchange, &q->exchange) ||
	    !ht_slice_eq(h->sender, q->recipient) ||
	    !ht_slice_eq(h->recipient, q->sender) ||
	    !ht_slice_eq(h->item, q->item) ||
	    h->item_version != q->item_version)
		return bad(s,
		    "it is of another exchange than the request it cites "
		    "(entry %llu)",
		    (unsigned long long)e->cites - 1);
	return HT_OK;
}

/* Each accepted request ends once. */
static enum ht_err
check_end(struct verify *s, const struct ht_entry *e)
{
	uint64_t request = e->cites - 1;
	uint8_t bit = (uint8_t)(1u << (request % 8));

	if (s->ended[request / 8] & bit)
		return bad(s, "the request at entry %llu had ended already",
		    (unsigned long long)request);
	s->ended[request / 8] |= bit;
	return HT_OK;
}

static enum ht_err
check_expired(struct verify *s, const struct ht_entry *e)
{
	struct ht_unpack u = ht_unpack(e->payload);
	struct ht_id record;
	struct ht_slice sender;
	enum ht_err err = cited_request(s, e);

	if (err != HT_OK)
		return err;
	ht_unpack_map(&u, 2);
	(void)ht_unpack_str(&u, 8);
	ht_unpack_fixed(&u, record.at, sizeof(record.at));
	(void)ht_unpack_str(&u, 8);
	sender = ht_unpack_str(&u, HT_NAME_MAX);
	if (!ht_id_eq(&record, &s->request.record) ||
	    !ht_slice_eq(sender, s->request.sender))
		return bad(s, "it is not about the request it cites");
	return HT_OK;
}

/* ---- erasures ---- */

static struct erasure *
erasure_by(const struct verify *s, uint64_t by)
{
	for (size_t i = 0; i < s->n_erasures; i++)
		if (s->erasures[i].list->by == by)
			return &s->erasures[i];
	return NULL;
}

/* The entry that an erased part names must have this entry on its list. */
static enum ht_err
check_erased_part(struct verify *s, uint64_t by, const char *what)
{
	struct erasure *e = erasure_by(s, by);
	size_t place;

	if (e == NULL || !ht_erasure_find(e->list, s->seq, &place))
		return bad(s,
		    "its %s was destroyed in the name of entry %llu, and no "
		    "list of an erasure says that it was to be",
		    what, (unsigned long long)by);
	return HT_OK;
}

/* Whatever list the entry is on: is that part gone? */
static void
count_gone(struct verify *s, const struct ht_erased *erased)
{
	size_t place;

	for (size_t i = 0; i < s->n_erasures; i++) {
		struct erasure *e = &s->erasures[i];

		if (ht_erasure_find(e->list, s->seq, &place) &&
		    (e->list->bodies ? erased->body : erased->tag))
			e->gone++;
	}
}

/* Is it by those whom the authority's folder names?  They may be new ones. */
static void
check_order(struct verify *s, const struct ht_doc *order)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();

	if (s->v->trust == NULL)
		return;
	if (ht_doc_check_signed(
	        order, ht_trust_root(s->v->trust), NULL, report) == HT_OK)
		s->v->orders++;
	else
		s->v->orders_unknown++;
}

static enum ht_err
check_list(
    struct verify *s, struct erasure *e, const struct ht_erase_said *said)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *order = NULL;
	enum ht_err err = ht_erase_fits(e->list, said, &order);

	if (err == HT_EINTEGRITY)
		return bad(s, "the list in the vault is not the one it names");
	if (err == HT_ENOMEM)
		return err;
	if (e->gone != said->count)
		return bad(s,
		    "it says that the %s of %llu entries are destroyed, and "
		    "of %llu they are; start the broker on this log, which "
		    "finishes an erasure",
		    said->bodies ? "bodies" : "tags",
		    (unsigned long long)said->count,
		    (unsigned long long)e->gone);
	if (err != HT_OK)
		return bad(s, "the order in the vault is not the one it names");
	check_order(s, order);
	return HT_OK;
}

static enum ht_err
check_erase(struct verify *s, const struct ht_entry *entry)
{
	struct ht_erase_said said;
	struct erasure *e = erasure_by(s, s->seq);

	if (ht_erase_said_decode(entry->payload, &said) != HT_OK)
		return bad(s, "its payload is not that of ERASE");
	s->v->erasures++;
	if (s->v->no_vault)
		return HT_OK;
	if (e == NULL)
		return bad(s,
		    "the list of what it erased is missing from the vault: put "
		    "back the file %016llx.erased",
		    (unsigned long long)s->seq);
	s->v->erased += said.count;
	return check_list(s, e, &said);
}

/* Lists of no entry: somebody made one up. */
static enum ht_err
check_lists(struct verify *s)
{
	if (s->v->no_vault || s->n_erasures == s->v->erasures)
		return HT_OK;
	return bad_log(s,
	    "there are %zu lists of erasures in the vault, and %llu ERASE "
	    "entries",
	    s->n_erasures, (unsigned long long)s->v->erasures);
}

static enum ht_err
keep_list(struct verify *s, uint64_t by)
{
	struct erasure e = {0};
	enum ht_err err = ht_log_erasure(s->log, by, &e.list);

	if (err == HT_EINTEGRITY)
		return bad_log(s,
		    "the list of an erasure in the vault is damaged: %016llx",
		    (unsigned long long)by);
	if (err == HT_ENOTFOUND && by == HT_ERASURE_PENDING)
		return HT_OK; /* it was never promised */
	if (err != HT_OK)
		return err;
	if (s->n_erasures == s->cap_erasures) {
		size_t cap = s->cap_erasures == 0 ? 16 : 2 * s->cap_erasures;
		struct erasure *more =
		    realloc(s->erasures, cap * sizeof(*more));

		if (more == NULL) {
			ht_erasure_free(&e.list);
			return HT_ENOMEM;
		}
		s->erasures = more;
		s->cap_erasures = cap;
	}
	s->erasures[s->n_erasures++] = e;
	return HT_OK;
}

/* "%016x.erased", or that of the one under way. */
static bool
list_name(const char *name, uint64_t *ret)
{
	uint8_t be[8];
	char hex[2 * sizeof(be) + 1];

	*ret = HT_ERASURE_PENDING;
	if (strcmp(name, "erasure.pending") == 0)
		return true;
	if (strlen(name) != 16 + strlen(".erased") ||
	    strcmp(name + 16, ".erased") != 0)
		return false;
	memcpy(hex, name, 16);
	hex[16] = '\0';
	if (ht_unhex(hex, be, sizeof(be)) != HT_OK)
		return false;
	*ret = ht_load64(be);
	return true;
}

static enum ht_err
load_lists(struct verify *s, const char *vault)
{
	DIR *dir = opendir(vault);
	struct dirent *at;
	uint64_t by;
	enum ht_err err = HT_OK;

	if (dir == NULL)
		return HT_ESYSTEM;
	while (err == HT_OK && (at = readdir(dir)) != NULL)
		if (list_name(at->d_name, &by))
			err = keep_list(s, by);
	closedir(dir);
	return err;
}

/* ---- payloads of our own ---- */

/* The keys of each map, and their types: s str, i int, b bin,
 * h hash, d id; I and H:
 * or nil. */
static const struct {
	unsigned type;
	const char *keys[6];
	const char *types;
} maps[] = {
    {HT_ENTRY_REJECT,        {"hash", "len"},                                "hi"    },
    {HT_ENTRY_EXPIRED,       {"record", "sender"},                           "ds"    },
    {HT_ENTRY_ADMIN,         {"act", "by", "detail"},                        "sss"   },
    {HT_ENTRY_SNAPSHOT,      {"hash", "issued", "note", "version"},          "hihi"  },
    {HT_ENTRY_SNAPSHOT,      {"hash", "version"},                            "hi"    }, /* before that */
    {HT_ENTRY_AUDIT_QUERY,
     {"auditor", "hash", "matched", "purpose", "query", "size"},             "sHIssi"},
    {HT_ENTRY_START,         {"host", "random", "version"},                  "shs"   },
    {HT_ENTRY_STOP,          {"reason"},                                     "s"     },
    {HT_ENTRY_ROLLBACK_SEEN, {"anchor", "by", "checkpoint", "found", "why"},
     "isbis"                                                                         },
    {HT_ENTRY_REFUSALS,      {"count", "from", "member"},                    "iis"   },
};

static void
take_value(struct ht_unpack *u, char type)
{
	uint8_t bytes[HT_HASH_SIZE];

	if ((type == 'I' || type == 'H') && ht_unpack_is_nil(u)) {
		ht_unpack_nil(u);
		return;
	}
	switch (type) {
	case 's':
		(void)ht_unpack_str(u, HT_LEAF_MAX);
		break;
	case 'b':
		(void)ht_unpack_bin(u, HT_LEAF_MAX);
		break;
	case 'i':
	case 'I':
		(void)ht_unpack_uint(u, UINT64_MAX);
		break;
	case 'h':
	case 'H':
		ht_unpack_fixed(u, bytes, HT_HASH_SIZE);
		break;
	default:
		ht_unpack_fixed(u, bytes, HT_ID_SIZE);
		break;
	}
}

/* Is it a map of these keys, and nothing else? */
static bool
fits_map(struct ht_slice payload, size_t i)
{
	struct ht_unpack u = ht_unpack(payload);
	uint32_t n = (uint32_t)strlen(maps[i].types);

	if (ht_unpack_map(&u, n) != n)
		return false;
	for (uint32_t k = 0; k < n; k++) {
		if (!ht_slice_is(ht_unpack_str(&u, 16), maps[i].keys[k]))
			return false;
		take_value(&u, maps[i].types[k]);
	}
	return ht_unpack_end(&u) == HT_OK;
}

static enum ht_err
check_map(struct verify *s, const struct ht_entry *e)
{
	const char *why = NULL;
	bool known = false;
	size_t at = 0;

	if (ht_pack_check(e->payload, &at, &why) != HT_OK)
		return bad(s, "its payload is malformed at byte %zu: %s", at,
		    why != NULL ? why : "");
	for (size_t i = 0; i < HT_COUNT(maps); i++) {
		if (maps[i].type != e->type)
			continue;
		known = true;
		if (fits_map(e->payload, i))
			return HT_OK;
	}
	return known ? bad(s, "its payload is not that of %s",
	                   ht_entry_type_text(e->type))
	             : bad(s, "entries of type %s do not exist in this version",
	                   ht_entry_type_text(e->type));
}

/* ---- rolls ---- */

/* Whatever a list of looks was proven by must be what the tags give. */
static enum ht_err
check_roll(struct verify *s, const struct ht_entry *e)
{
	struct ht_roll_said said, made;
	bool gone;
	enum ht_err err;

	if (ht_roll_said_decode(e->payload, &said) != HT_OK || said.to > s->seq)
		return bad(s, "its payload is not that of INDEX_ROOT");
	s->v->rolls++;
	if (s->v->no_vault)
		return HT_OK;
	err = ht_roll_remake(s->log, &said, s->seq, &made, &gone);
	if (err != HT_OK)
		return err;
	if (gone) {
		s->v->rolls_gone++;
		return HT_OK;
	}
	if (made.count != said.count)
		return bad(s,
		    "it says that the tags of entries %llu to %llu name %llu "
		    "subjects; they name %llu",
		    (unsigned long long)said.from,
		    (unsigned long long)said.to - 1,
		    (unsigned long long)said.count,
		    (unsigned long long)made.count);
	return ht_hash_eq(&made.root, &said.root)
	           ? HT_OK
	           : bad_hash(
	                 s, "the root of its roll", &made.root, &said.root);
}

/* ---- looks that are hidden no more ---- */

/* Counted again once all entries are known to be good. */
static enum ht_err
take_claim(struct verify *s, const struct ht_entry *e,
    const struct ht_disclose_said *said)
{
	enum ht_err err;

	if (said->to_us > e->time_us)
		return bad(s, "it counts looks of a time to come");
	err = ht_recount_add(&s->recount, s->seq, said);
	return err == HT_EINVALID
	           ? bad(s, "its item is none, or its time is not behind that "
	                    "of the DISCLOSE before")
	           : err;
}

static enum ht_err
check_disclose(struct verify *s, const struct ht_entry *e)
{
	struct ht_disclose_said said;

	if (ht_disclose_said_decode(e->payload, &said) != HT_OK)
		return bad(s, "its payload is not that of DISCLOSE");
	if (said.n > 0 && said.entries[said.n - 1] >= s->seq)
		return bad(s, "it names entry %llu, which comes later",
		    (unsigned long long)said.entries[said.n - 1]);
	s->v->disclosures++;
	s->v->disclosed += said.count;
	return said.ordered ? HT_OK : take_claim(s, e, &said);
}

/* All that was said by time, in one more walk. */
static enum ht_err
check_claims(struct verify *s)
{
	const struct ht_recount_claim *wrong;
	enum ht_err err =
	    ht_recount_run(&s->recount, s->log, s->log->head.frontier.size);

	if (err != HT_OK)
		return err;
	wrong = ht_recount_wrong(&s->recount);
	if (wrong == NULL)
		return HT_OK;
	s->seq = wrong->seq;
	return bad(s,
	    "it says that %llu looks are hidden no more, and the log has %llu "
	    "of that item in that time",
	    (unsigned long long)wrong->said, (unsigned long long)wrong->found);
}

/* ---- closed volumes ---- */

static enum ht_err
check_volume(struct verify *s, const struct ht_entry *e)
{
	if (!ht_ranges_volume(&s->ranges, s->seq, e->payload))
		return bad(s,
		    "it does not close the volume that begins at entry %llu",
		    (unsigned long long)s->ranges.first);
	s->v->volumes++;
	return HT_OK;
}

/* ---- the vault ---- */

static enum ht_err
check_vault(struct verify *s, const struct ht_entry *e)
{
	struct ht_erased erased = {0};
	enum ht_err err;

	/* It would stand on no roll. */
	if (e->status == 0 && s->header.has_tag && e->tag_len == 0)
		return bad(s, "its header has a tag, which was never kept");
	if (e->tag_len == 0 && e->body_len == 0)
		return HT_OK;
	if (!ht_ranges_piece(&s->ranges, e->segment))
		return bad(s,
		    "its tag or body is in vault segment %u, which is an "
		    "earlier volume's",
		    e->segment);
	if (s->v->no_vault) {
		s->v->unseen++;
		return HT_OK;
	}
	ht_buf_reset(&s->tag);
	ht_buf_reset(&s->body);
	err = ht_log_erased(s->log, e, &erased);
	if (err == HT_OK && erased.tag)
		err = check_erased_part(s, erased.tag_by, "tag");
	if (err == HT_OK && erased.body)
		err = check_erased_part(s, erased.body_by, "body");
	if (s->v->has_bad_seq)
		return err;
	count_gone(s, &erased);
	if (err == HT_OK)
		err = ht_log_read_piece(s->log, e, &s->header,
		    erased.tag ? NULL : &s->tag, erased.body ? NULL : &s->body);
	if (err == HT_EINTEGRITY)
		return bad(s,
		    "its tag or body in vault segment %u at byte %llu is not "
		    "the one of its header",
		    e->segment, (unsigned long long)e->offset);
	if (err == HT_OK)
		s->v->pieces++;
	return err;
}

/* ---- an entry ---- */

static enum ht_err
check_record(struct verify *s, const struct ht_entry *e)
{
	enum ht_err err = check_header(s, e);

	if (err == HT_OK)
		err = check_bundle(s, e);
	if (err == HT_OK &&
	    (e->type == HT_ENTRY_RESPONSE || e->type == HT_ENTRY_LATE))
		err = check_answer(s, e);
	else if (err == HT_OK && e->cites > 0)
		err = cited_request(s, e);
	if (err == HT_OK && e->type == HT_ENTRY_RESPONSE)
		err = check_end(s, e);
	return err == HT_OK ? check_vault(s, e) : err;
}

static enum ht_err
check_own(struct verify *s, const struct ht_entry *e)
{
	enum ht_err err = e->type == HT_ENTRY_ERASE        ? check_erase(s, e)
	                  : e->type == HT_ENTRY_INDEX_ROOT ? check_roll(s, e)
	                  : e->type == HT_ENTRY_DISCLOSE ? check_disclose(s, e)
	                  : e->type == HT_ENTRY_VOLUME   ? check_volume(s, e)
	                                                 : check_map(s, e);

	if (err == HT_OK)
		err = check_bundle(s, e);
	if (err == HT_OK && e->type == HT_ENTRY_EXPIRED)
		err = check_expired(s, e);
	if (err == HT_OK && e->type == HT_ENTRY_EXPIRED)
		err = check_end(s, e);
	return err;
}

static enum ht_err
check_leaf(struct verify *s, struct ht_slice leaf)
{
	struct ht_entry e;
	char then[HT_TIME_SIZE], now[HT_TIME_SIZE];

	if (ht_entry_decode(leaf, &e) != HT_OK)
		return bad(s, "its leaf is malformed");
	if (e.seq != s->seq)
		return bad(s, "it says that it is entry %llu",
		    (unsigned long long)e.seq);
	if (e.time_us < s->v->last_us) {
		ht_time_text(then, s->v->last_us);
		ht_time_text(now, e.time_us);
		return bad(s,
		    "its time %s is before that of the entry "
		    "before, %s",
		    now, then);
	}
	if (s->seq == 0)
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
		return bad(s, "it has only %zu bytes", value.len);
	leaf = HT_SLICE(value.at, value.len - HT_HASH_SIZE);
	memcpy(stored.at, value.at + leaf.len, HT_HASH_SIZE);
	hash = ht_leaf_hash(leaf);
	if (!ht_hash_eq(&hash, &stored))
		return bad_hash(s, "its leaf hash", &stored, &hash);
	ht_frontier_append(&s->f, &hash, compare_stored, s);
	if (s->tree_bad)
		return HT_EINTEGRITY;
	err = check_leaf(s, leaf);
	return err == HT_OK ? check_checkpoints(s) : err;
}

static enum ht_err
check_entries(struct verify *s)
{
	uint64_t size = s->log->head.frontier.size;
	struct ht_slice value;
	enum ht_err err = HT_OK;

	for (s->seq = 0; s->seq < size && err == HT_OK; s->seq++) {
		if (s->v->progress != NULL)
			s->v->progress(s->v->arg, s->seq, size);
		err = ht_stored_next(&s->rows, s->seq, &value);
		if (err == HT_ENOTFOUND)
			return bad(s, "it is missing");
		if (err == HT_EINTEGRITY)
			return bad(s, "its volume's file is damaged there");
		if (err == HT_OK)
			err = check_value(s, value);
	}
	if (err != HT_OK)
		return err;
	if (bundle_open(s))
		return bad_log(s,
		    "the last bundle, of entry %llu on, lacks records",
		    (unsigned long long)s->bundle_first);
	if (size > 0 && ht_stored_behind(&s->rows, size))
		return bad_log(s, "entries stand behind the last, %llu",
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
		return bad_log(s, "the root: head says %s, the entries give %s",
		    want, have);
	for (unsigned bit = 0; bit < HT_FRONTIER_MAX; bit++)
		if (s->f.size >> bit & 1 &&
		    !ht_hash_eq(&s->f.at[bit], &head->frontier.at[bit]))
			return bad_log(s,
			    "the frontier in head is not that of the entries");
	if (head->last_us != s->v->last_us)
		return bad_log(s, "head has another time than the last entry");
	if (s->next_cp != 0)
		return bad_log(s,
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
		return bad_log(s, "the stored tree has rows of no entry");
	if (bundles != s->v->bundles - s->v->kept_bundles)
		return bad_log(s,
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
		           : bad_log(s,
		                 "there is no valid anchor beside the "
		                 "evidence, so nobody can say whether an older "
		                 "log was put back");
	if (a->size <= s->log->head.frontier.size)
		return HT_OK;
	(void)bad_log(s,
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
	return err == HT_EINTEGRITY ? bad_log(s, "%s", what) : err;
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
		err = check_claims(s);
	if (err == HT_OK)
		err = check_lists(s);
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
		return bad_log(s, "%s: %s", ht_report_where(report, 0),
		    ht_report_text(report, 0));
	return err == HT_OK ? load_lists(s, path) : err;
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
		(void)bad_log(s, "%s: %s", ht_report_where(report, 0),
		    ht_report_text(report, 0));
	if (err != HT_OK)
		return err;
	s->ended = calloc(s->log->head.frontier.size / 8 + 1, 1);
	if (s->ended == NULL)
		return HT_ENOMEM;
	err = open_vault(s);
	return err == HT_OK ? run(s) : err;
}
