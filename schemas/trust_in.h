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

/*
 * What grants stand on: directory, items, epochs.  Shared by all snapshots that
 * differ in grants alone; the documents are those of any of these.
 */
struct ht_ground {
	_Atomic unsigned refs;
	/* Documents by kind, in the list's order, which is by name. */
	size_t n_members, n_items, n_epochs;
	struct ht_doc **members;
	struct ht_doc **items;
	struct ht_doc **epochs;
	size_t n_holders;
	struct ht_holder *holders;

	/* Values are an index + 1. */
	struct ht_map *by_member;
	struct ht_map *by_item; /* name, u32 version -> items */
	struct ht_map *by_newest;
	struct ht_map *by_epoch;
	struct ht_map *by_transport; /* public key -> holders */
};
void ht_ground_unref(struct ht_ground **ground_p);

struct ht_base {
	_Atomic unsigned refs;
	struct ht_root root; /* the list's: may be newer than the anchor */
	struct ht_doc *snapshot;
	struct ht_buf list;
	size_t n_docs;
	uint32_t *starts;       /* of the list's lines; one more, its end */
	struct ht_hash *leaves; /* of the list's lines */
	struct ht_doc **docs;   /* one a line: by kind, then by name */
	struct ht_ground *ground;

	/* The grants among the documents, which are linked (trust_link.c). */
	size_t first_grant, n_grants;
	const struct ht_grant **grants;      /* by name, as in docs */
	const struct ht_grant **by_consumer; /* by (consumer, item, name) */

	/* trust_delta.c: what changed, as far back as snapshot @floor. */
	uint64_t floor;
	uint64_t *since;    /* a document -> the snapshot that brought it */
	uint32_t *by_since; /* documents, the newest last */
	size_t n_gone;
	struct ht_gone {
		uint64_t version; /* the snapshot that dropped it */
		char name[HT_DOC_NAME_MAX + 16]; /* "kind name" */
	} * gone;
	struct ht_trust_work work;
};
void ht_base_unref(struct ht_base **base_p);

struct ht_trust {
	_Atomic unsigned refs;
	struct ht_base *base;
	struct ht_doc *current; /* NULL: nothing is in force */
	const struct ht_member **members;
	/* The base's own, as long as no grant is suspended. */
	const struct ht_grant *const *grants;
	const struct ht_grant *const *by_consumer;
	const struct ht_grant **own_lists; /* else: room for both */
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
	struct ht_list_line *lines; /* point into base->list */
	struct ht_slice *notes;     /* line -> its note; empty: missing */
	const char **names;         /* line -> where that came from, or NULL */
	uint32_t *old;    /* line -> its place in the list before + 1, or 0 */
	size_t n_dropped; /* documents before that have no line any more */
	const struct ht_doc **dropped;
	bool *signed_well; /* line -> its signatures are known to hold */
	_Atomic size_t n_read, n_verified;
	enum ht_err worst;
};
static inline struct ht_doc *
ht_load_old(const struct ht_load *load, size_t i)
{
	uint32_t at = load->old[i];

	return at == 0 ? NULL : load->before->base->docs[at - 1];
}
/* Add a finding; of all errors the worst is what the load returns. */
void ht_load_blame(struct ht_load *load, enum ht_err err, const char *where,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Remember an error whose findings stand in the report already. */
void ht_load_fail(struct ht_load *load, enum ht_err err);

/* Read document @i of the list, and hold it against its line. */
enum ht_err ht_load_doc(struct ht_load *load, size_t i) HT_MUST_USE;
/* Is the new revision one, of this line and after the old one (or NULL)? */
void ht_load_check_line(struct ht_load *load, const struct ht_list_line *line,
    const struct ht_doc *doc, const struct ht_doc *old);
/* As many and whose signatures as its kind asks for. */
enum ht_err ht_load_check_signed(struct ht_load *load, const struct ht_doc *doc,
    const struct ht_doc *old, struct ht_report *report) HT_MUST_USE;
void ht_load_check_snapshot(struct ht_load *load);
/* The list's root is what the snapshot says; leaves are there. */
enum ht_err ht_load_check_list(struct ht_load *load) HT_MUST_USE;
enum ht_err ht_base_new(struct ht_base **ret) HT_MUST_USE;
/* trust_now.c: the base that was loaded, under this current note (if any). */
enum ht_err ht_trust_over(struct ht_load *load, struct ht_slice current,
    struct ht_trust **ret) HT_MUST_USE;

/*
 * trust_graft.c: where nothing but grants differs from the snapshot before,
 * all else is taken over from it.  *ret_done false: something else differs.
 */
enum ht_err ht_graft(struct ht_load *load, bool *ret_done) HT_MUST_USE;

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

/* Where it stands, or would: false. */
bool ht_base_find(const struct ht_base *base, const char *kind,
    const char *name, size_t *ret);
struct ht_slice ht_base_line(const struct ht_base *base, size_t i);
/* The order of by_consumer. */
int ht_grant_order(const struct ht_grant *a, const struct ht_grant *b);
/* Room for n_grants of them, in both orders. */
enum ht_err ht_base_room(struct ht_base *base) HT_MUST_USE;

/*
 * trust_many.c: call @each for 0 .. n-1, on all cores and in no order; worth
 * it from HT_MANY on.
 */
#define HT_MANY 256
typedef void ht_each_fn(void *arg, size_t i);
void ht_each(size_t n, ht_each_fn *each, void *arg);

/*
 * trust_link.c: index base->docs, then hold them against one another.  A grant
 * is linked once what it grants is known field by field, by its item.
 */
enum ht_err ht_base_index(struct ht_load *load) HT_MUST_USE;
enum ht_err ht_base_link(struct ht_load *load) HT_MUST_USE;
enum ht_err ht_link_grant(struct ht_load *load, size_t i) HT_MUST_USE;
/* trust_delta.c: since when each document is what it is.  All are there. */
enum ht_err ht_base_news(struct ht_load *load) HT_MUST_USE;
/* What was dropped, now and before. */
enum ht_err ht_base_gone(struct ht_load *load) HT_MUST_USE;

#endif
