/*
 * trust_in.h -- the insides of a trust, for the trust_*.c files alone.
 *
 * A trust is a snapshot (`struct ht_base`: documents and indexes, never
 * changed, shared by all trusts of it) under one current note.  What the
 * current note suspends is copied and marked; all else is pointed at.
 */
#ifndef HT_SCHEMAS_TRUST_IN_H
#define HT_SCHEMAS_TRUST_IN_H

#include "lib/base/map.h"
#include "schemas/doc.h"

struct ht_holder { /* of a transport key: indexes */
	uint32_t member;
	uint32_t node;
	uint32_t key;
};

struct ht_base {
	_Atomic unsigned refs;
	struct ht_root root; /* the list's: may be newer than the anchor */
	struct ht_doc *snapshot;
	struct ht_buf list;
	struct ht_list_line *lines; /* point into list */
	size_t n_docs;
	struct ht_doc **docs; /* one a line, in the list's order */

	/* Documents by kind, in the list's order, which is by name. */
	size_t n_members, n_items, n_grants, n_epochs;
	struct ht_doc **members;
	struct ht_doc **items;
	struct ht_doc **grants;
	struct ht_doc **epochs;
	struct ht_grant *linked; /* the grants, fields resolved */
	uint32_t *by_consumer;   /* grants by (consumer, item, name) */
	size_t n_holders;
	struct ht_holder *holders;

	/* Values are an index + 1. */
	struct ht_map *by_doc; /* "kind name" -> docs */
	struct ht_map *by_member;
	struct ht_map *by_item; /* name, u32 version -> items */
	struct ht_map *by_newest;
	struct ht_map *by_grant;
	struct ht_map *by_epoch;
	struct ht_map *by_transport; /* public key -> holders */

	/* trust_delta.c: what changed, as far back as snapshot @floor. */
	uint64_t floor;
	uint64_t *since; /* a document -> the snapshot that brought it */
	size_t n_gone;
	struct ht_gone {
		uint64_t version; /* the snapshot that dropped it */
		char name[HT_DOC_NAME_MAX + 16]; /* "kind name" */
	} * gone;
};
void ht_base_unref(struct ht_base **base_p);

struct ht_trust {
	_Atomic unsigned refs;
	struct ht_base *base;
	struct ht_doc *current; /* NULL: nothing is in force */
	const struct ht_member **members;
	const struct ht_grant **grants;
	const struct ht_grant **by_consumer;
	/* Copies of the suspended ones. */
	size_t n_own_members, n_own_grants;
	struct ht_member *own_members;
	struct ht_grant *own_grants;
};

/* One load: what was given, what came of it, what was wrong. */
struct ht_load {
	const struct ht_root *anchor;
	const struct ht_trust_docs *given;
	const struct ht_trust *before; /* may be NULL */
	struct ht_report *report;
	struct ht_base *base;
	struct ht_map *notes; /* hash of text -> index of note + 1 */
	size_t *note_of;      /* line -> index of note + 1; 0: missing */
	bool *signed_well;    /* line -> its signatures are known to hold */
	unsigned n_missing;
	enum ht_err worst;
};
/* Add a finding; of all errors the worst is what the load returns. */
void ht_load_blame(struct ht_load *load, enum ht_err err, const char *where,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Remember an error whose findings stand in the report already. */
void ht_load_fail(struct ht_load *load, enum ht_err err);

/* Read document @i of the list, and hold it against its line. */
enum ht_err ht_load_doc(struct ht_load *load, size_t i) HT_MUST_USE;

/* trust_root.c: all roots of the list; base->root is the one in force. */
enum ht_err ht_load_root(struct ht_load *load) HT_MUST_USE;
bool ht_root_same(const struct ht_root *a, const struct ht_root *b);

/* Index -> map value and back; 0 when absent. */
enum ht_err ht_index_put(struct ht_map *map, struct ht_slice key, size_t i)
    HT_MUST_USE;
bool ht_index_get(const struct ht_map *map, struct ht_slice key, size_t *ret);
#define HT_ITEM_KEY_MAX (HT_NAME_MAX + 4)
/* name, u32 version; empty for a name that is too long. */
struct ht_slice ht_item_key(struct ht_slice name, uint32_t version,
    uint8_t out[static HT_ITEM_KEY_MAX]);
#define HT_DOC_KEY_MAX (HT_DOC_NAME_MAX + 16)
struct ht_slice ht_doc_key(
    const char *kind, struct ht_slice name, uint8_t out[static HT_DOC_KEY_MAX]);

/*
 * trust_many.c: call @each for 0 .. n-1, on all cores and in no order; worth
 * it from HT_MANY on.
 */
#define HT_MANY 256
typedef void ht_each_fn(void *arg, size_t i);
void ht_each(size_t n, ht_each_fn *each, void *arg);

/* trust_link.c: index base->docs, then hold them against one another. */
enum ht_err ht_base_index(struct ht_load *load) HT_MUST_USE;
enum ht_err ht_base_link(struct ht_load *load) HT_MUST_USE;
/* trust_delta.c: since when each document is what it is.  Indexed before. */
enum ht_err ht_base_news(struct ht_load *load) HT_MUST_USE;

#endif
