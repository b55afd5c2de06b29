/*
 * trust.h -- the trust documents (docs/trust.md), and the snapshot in force:
 * members with their keys, items, grants, epochs, indexed for decisions.
 *
 * A `struct ht_trust` never changes once loaded; a newer snapshot is a new
 * one.  It is counted (ref/unref), so threads decide on theirs while it is
 * being replaced.
 */
#ifndef HT_SCHEMAS_TRUST_H
#define HT_SCHEMAS_TRUST_H

#include "keys/note.h"
#include "schemas/envelope.h"
#include "schemas/schema.h"
#include "schemas/tag.h"

#define HT_MEMBERS_MAX  10000  /* a country's departments and bureaus */
#define HT_GRANTS_MAX   200000 /* 3.2 KiB each, in broker and node */
#define HT_ITEMS_MAX    10000
#define HT_LIST_MAX     300000 /* documents of a snapshot */
#define HT_LIST_BYTES   ((size_t)HT_LIST_MAX * (HT_NAME_MAX + 139)) /* its */
#define HT_OFFICERS_MAX 16
#define HT_ROOTS_MAX    64 /* of the past: some a year, for decades */
/* C2SP asks judges for 32; their lines leave room in a note of 64. */
#define HT_WITNESSES_MAX 32
#define HT_NODES_MAX     32 /* nodes of one member */
#define HT_KEYS_MAX      4  /* keys of one purpose and node: rotation overlap */
#define HT_OPS(op)       (1u << (op))
/*
 * The longest life of a current note.  Hours is what it should have; a week is
 * room for a machine that must be replaced over holidays.  Whoever keeps newer
 * notes from a reader gains no more than that, and the items' grace.
 */
#define HT_CURRENT_MAX_MS  (UINT64_C(7) * 86400000)
#define HT_CURRENT_MAX_TXT "7d"

struct ht_keyinfo {
	struct ht_pub pub;
	struct ht_keyid id;
	uint64_t from_ms;
	uint64_t until_ms;
	bool revoked;
	uint64_t revoked_ms;
};
enum ht_key_state { HT_KEY_OK, HT_KEY_EARLY, HT_KEY_OVER, HT_KEY_REVOKED };
enum ht_key_state ht_keyinfo_state(
    const struct ht_keyinfo *key, uint64_t now_ms);

struct ht_node_entry {
	char name[HT_NODE_MAX + 1];
	unsigned n_signing;
	struct ht_keyinfo signing[HT_KEYS_MAX];
	unsigned n_transport;
	struct ht_keyinfo transport[HT_KEYS_MAX];
};

struct ht_member {
	char name[HT_NAME_MAX + 1];
	uint64_t revision;
	char *title_zh; /* may be NULL */
	char *title_en;
	bool suspended; /* by the current note */
	bool auditor;   /* it audits, and is no party of exchanges */
	struct ht_pub identity;
	uint64_t recovered_ms; /* the identity was replaced without it; or 0 */
	unsigned n_officers;
	struct ht_vkey officers[HT_OFFICERS_MAX];
	unsigned n_nodes;
	struct ht_node_entry *nodes;
	unsigned n_sealing;
	struct ht_keyinfo sealing[HT_KEYS_MAX];
};

/* When a subject may learn of a look by this item. */
enum ht_notify { HT_NOTIFY_NOW, HT_NOTIFY_DELAYED, HT_NOTIFY_NEVER };
enum ht_share { HT_SHARE_UNCONDITIONAL, HT_SHARE_CONDITIONAL, HT_SHARE_NONE };

/* A field that one department collects, and all others take from here. */
struct ht_once {
	char *code; /* of what is asked of people, the same in all items */
	unsigned field;
	char collector[HT_NAME_MAX + 1]; /* a member */
	char *where;                     /* service item, form; may be NULL */
	uint64_t valid_ms; /* how old a copy may be; 0: not said */
};

/*
 * How long the tags and bodies of a look stay in the log: three years, unless
 * the item says something else; never less than the six months (184 days at
 * most) that logs must be kept.
 */
#define HT_DAY_MS           UINT64_C(86400000)
#define HT_RETENTION_MIN_MS (184 * HT_DAY_MS)
#define HT_RETENTION_MS     (1096 * HT_DAY_MS) /* with a leap day */
#define HT_RETENTION_MAX_MS (36525 * HT_DAY_MS)

struct ht_item {
	char name[HT_NAME_MAX + 1]; /* "catalog/CODE" */
	uint32_t version;
	uint64_t revision;
	char *title_zh;
	char *title_en;
	char provider[HT_NAME_MAX + 1];
	enum ht_share share;
	unsigned operations; /* HT_OPS() bits */
	unsigned n_purposes;
	char (*purposes)[HT_PURPOSE_MAX + 1];
	unsigned n_bases;
	char (*bases)[HT_PURPOSE_MAX + 1];
	bool has_subject;
	char *subject_param;    /* request parameter that names the subject */
	char *subject_field;    /* record field; may be NULL */
	char *subject_registry; /* "uscc", "citizen-id", ... */
	enum ht_notify notify;
	uint64_t notify_ms;  /* delayed: so long after the look */
	char *notify_reason; /* NULL: now */
	uint32_t records_max;
	uint32_t verify_size;
	uint64_t answer_ms;
	uint64_t grace_ms;
	uint64_t until_ms; /* this version is served until then; 0: no end */
	unsigned n_once;
	struct ht_once *once;
	uint64_t retention_ms; /* tags and bodies stay in the log so long */
	struct ht_schema *request;
	struct ht_schema *record;
	char *text; /* the document, for showing */
};

struct ht_grant {
	char name[HT_GRANT_MAX + 1]; /* "catalog/number" */
	uint64_t revision;
	enum { HT_GRANT_ACTIVE, HT_GRANT_SUSPENDED, HT_GRANT_TERMINATED } state;
	bool suspended; /* by the current note */
	char item[HT_NAME_MAX + 1];
	uint32_t version;
	char provider[HT_NAME_MAX + 1];
	char consumer[HT_NAME_MAX + 1];
	unsigned operations;
	bool all_fields;
	bool has_level;
	uint8_t level;                   /* no field above it */
	uint8_t fields[HT_RELEASED_MAX]; /* bitmap over the item's fields */
	char *row_field;                 /* NULL: no row filter */
	bool row_area;                   /* by division code: rows.h */
	unsigned n_row_prefixes;
	char **row_prefixes; /* of an area: the digits in common */
	unsigned n_row_except;
	char **row_except; /* and not these */
	unsigned n_purposes;
	char (*purposes)[HT_PURPOSE_MAX + 1];
	char basis[HT_PURPOSE_MAX + 1];
	uint64_t from_ms;
	uint64_t until_ms;
	uint64_t quota_day;    /* 0: none */
	uint64_t quota_minute; /* likewise */
};

struct ht_epoch_entry {
	char name[HT_NAME_MAX + 1];
	uint64_t from_ms;
	uint64_t until_ms;
	struct ht_pub annex;
	struct ht_keyid annex_id;
	unsigned n_trackers;
	struct ht_tracker {
		char member[HT_NAME_MAX + 1];
		struct ht_keyid key;
		struct ht_slice sealed; /* in the trust's memory */
	} * trackers;
};
/* Seal the tracker key of an epoch to a member; appends enc || ciphertext. */
enum ht_err ht_tracker_seal(const char *epoch, const struct ht_keyinfo *to,
    const struct ht_key *tracker, struct ht_buf *ret) HT_MUST_USE;
/*
 * A member opens the epoch's tracker key with one of its sealing keys.
 * Errors: HT_ENOTFOUND: none is sealed to this key; HT_EBADSIG; HT_ENOMEM.
 */
enum ht_err ht_tracker_open(const struct ht_epoch_entry *epoch,
    struct ht_slice member, const struct ht_key *sealing, struct ht_key **ret)
    HT_MUST_USE;

/* Who administers the broker (docs/roles.md); nobody holds two. */
enum ht_role { HT_ROLE_SYSTEM, HT_ROLE_SECURITY, HT_ROLE_AUDIT, HT_ROLES };
const char *ht_role_text(enum ht_role role); /* "system" */
#define HT_ADMINS_MAX 8 /* of one role: shifts and deputies */

struct ht_root {
	char catalog[HT_NAME_MAX + 1];
	uint64_t revision;
	unsigned threshold;
	unsigned n_officers;
	struct ht_vkey officers[HT_OFFICERS_MAX];
	struct ht_vkey snapshot;
	struct ht_vkey current;
	struct ht_vkey log;
	unsigned n_auditors;
	struct ht_vkey auditors[HT_OFFICERS_MAX];
	unsigned n_witnesses;
	struct ht_vkey witnesses[HT_WITNESSES_MAX]; /* type HT_VKEY_COSIGN */
	unsigned quorum; /* so many must cosign; 0 where there are none */
	int64_t zone_ms; /* east of UTC: when the exchange's day begins */
	bool parted;     /* the root names administrators, of all three roles */
	unsigned n_admins[HT_ROLES];
	struct ht_vkey admins[HT_ROLES][HT_ADMINS_MAX];
	struct ht_pub broker_transport;
	char broker_address[256];
};
/*
 * Parse and check a root note: signed by `threshold` of the officers it
 * names.  The caller decides why to believe it: by configuration, or by
 * ht_root_follows().
 */
enum ht_err ht_root_parse(struct ht_slice note, const char *where,
    struct ht_report *report, struct ht_root *ret) HT_MUST_USE;
/* A new root note is also signed by k of @old's officers, revision higher. */
enum ht_err ht_root_follows(const struct ht_root *old, struct ht_slice note,
    struct ht_report *report) HT_MUST_USE;

struct ht_trust;

/*
 * The documents of a snapshot, as a folder or a SNAPSHOT message gives them.
 * Borrowed during the call.
 */
struct ht_list_line;
/*
 * Give the note of the list's line @i; *ret_name (where it came from) may stay
 * NULL.  No note, or an error other than HT_ENOMEM: it is missing.
 */
typedef enum ht_err ht_note_fn(void *arg, size_t i,
    const struct ht_list_line *line, struct ht_slice *ret_note,
    const char **ret_name);
struct ht_trust_docs {
	struct ht_slice snapshot; /* note */
	struct ht_slice list;     /* snapshot.list */
	struct ht_buf *taken; /* NULL, or its memory, which may be taken over */
	struct ht_slice current; /* note */
	ht_note_fn *note;
	void *arg;
	bool reuse; /* a text that the trust before has is not asked for */
};

/*
 * Check everything of docs/trust.md ("snapshot and its list") and index it.
 * @before: the trust in force, or NULL; versions, revisions and `issued` must
 * not fall behind it.  Every mistake goes to @report, and the old one stays.
 * Errors: HT_EINVALID, HT_EBADSIG, HT_EROLLBACK, HT_ETOOBIG, HT_ENOMEM.
 *
 * Ownership: *ret_trust is counted; give it to ht_trust_unref().
 */
enum ht_err ht_trust_load(const struct ht_root *root,
    const struct ht_trust_docs *docs, const struct ht_trust *before,
    struct ht_report *report, struct ht_trust **ret_trust) HT_MUST_USE;
/*
 * Some documents, the root among them, before there is a snapshot of them: are
 * they signed, and does each find what it names among them?  docs->list has
 * their lines; snapshot and current are not looked at.  Errors as above.
 */
enum ht_err ht_trust_check_some(const struct ht_root *root,
    const struct ht_trust_docs *docs, struct ht_report *report) HT_MUST_USE;
/* A whole snapshot from an authority's folder (docs/trust.md, "On disk"). */
enum ht_err ht_trust_load_dir(const struct ht_root *root, const char *dir,
    const struct ht_trust *before, struct ht_report *report,
    struct ht_trust **ret_trust) HT_MUST_USE;
/* A newer current note for the same snapshot: a new trust, sharing all else. */
enum ht_err ht_trust_freshen(struct ht_trust *trust, struct ht_slice current,
    struct ht_report *report, struct ht_trust **ret_trust) HT_MUST_USE;

/*
 * What changed from one snapshot to another, as SNAPSHOT messages carry it
 * (docs/protocol.md): the documents that are new or other, with their lines of
 * the list, and a line "kind name" for each that is gone.  Borrowed.
 */
struct ht_trust_news {
	struct ht_slice snapshot; /* note */
	struct ht_slice current;  /* note */
	bool whole;               /* all of it, whatever we have */
	struct ht_slice gone;
	size_t n;
	const struct ht_slice *lines; /* without newline */
	const struct ht_slice *notes;
};
/*
 * Load what results from @before (nothing, when @news is whole) and @news.
 * The list is made anew, and the signed root decides whether it is right; so
 * news that were cut or mixed are refused like any other false snapshot.
 * Errors: as ht_trust_load().
 */
enum ht_err ht_trust_patch(const struct ht_root *root,
    const struct ht_trust_news *news, const struct ht_trust *before,
    struct ht_report *report, struct ht_trust **ret_trust) HT_MUST_USE;
struct ht_slice ht_trust_snapshot(const struct ht_trust *trust); /* note */

/* What a load was: of a new grant among many, one and one. */
struct ht_trust_work {
	size_t n_read;     /* documents read: their text was not there before */
	size_t n_verified; /* documents whose signatures were verified */
};
struct ht_trust_work ht_trust_work(const struct ht_trust *trust);
/* From which snapshot on news can be told to who has @have: that, or 0: all. */
uint64_t ht_trust_since(const struct ht_trust *trust, uint64_t have);
/* The snapshot that brought the document of the list's line @i. */
uint64_t ht_trust_doc_since(const struct ht_trust *trust, size_t i);
/* How many documents are newer than snapshot @since. */
size_t ht_trust_n_since(const struct ht_trust *trust, uint64_t since);
/* The next of them from *at on, which begins at 0; false at the end. */
bool ht_trust_next_since(const struct ht_trust *trust, uint64_t since,
    size_t *at, struct ht_slice *ret_line, struct ht_slice *ret_note);
/* Append the lines of those that are gone since. */
void ht_trust_gone_since(
    const struct ht_trust *trust, uint64_t since, struct ht_buf *out);

struct ht_trust *ht_trust_ref(struct ht_trust *trust);
void ht_trust_unref(struct ht_trust **trust_p);
/* Nobody else holds it: what follows is only work. */
bool ht_trust_alone(const struct ht_trust *trust);

const struct ht_root *ht_trust_root(const struct ht_trust *trust);
uint64_t ht_trust_version(const struct ht_trust *trust);
/* SHA-256 of the snapshot's text: what entries name. */
struct ht_hash ht_trust_hash(const struct ht_trust *trust);
uint64_t ht_trust_until_ms(const struct ht_trust *trust); /* of current */
uint64_t ht_trust_issued_ms(const struct ht_trust *trust);
/* SHA-256 of the current note's text; zeroes where there is none. */
struct ht_hash ht_trust_current_hash(const struct ht_trust *trust);
/* The raw documents, for SNAPSHOT messages: snapshot, list, then the notes. */
size_t ht_trust_n_docs(const struct ht_trust *trust);
struct ht_slice ht_trust_doc(const struct ht_trust *trust, size_t i);
struct ht_slice ht_trust_current(const struct ht_trust *trust);
/* One document by kind and name (its whole note); empty if none. */
struct ht_slice ht_trust_find_doc(
    const struct ht_trust *trust, const char *kind, struct ht_slice name);

const struct ht_member *ht_trust_member(
    const struct ht_trust *trust, struct ht_slice name);
const struct ht_node_entry *ht_member_node(
    const struct ht_member *member, struct ht_slice node);
/* Who holds a transport key, whatever its state; false if nobody. */
bool ht_trust_by_transport(const struct ht_trust *trust,
    const struct ht_pub *pub, const struct ht_member **ret_member,
    const struct ht_node_entry **ret_node, const struct ht_keyinfo **ret_key);
const struct ht_item *ht_trust_item(
    const struct ht_trust *trust, struct ht_slice name, uint32_t version);
/* The newest version of an item; NULL if there is none. */
const struct ht_item *ht_trust_item_newest(
    const struct ht_trust *trust, struct ht_slice name);
/*
 * How long tags and bodies of an item stay in the log: the longest that one of
 * its versions says; HT_RETENTION_MS if there is none, or no @trust.
 */
uint64_t ht_trust_retention_ms(
    const struct ht_trust *trust, struct ht_slice item);
const struct ht_grant *ht_trust_grant(
    const struct ht_trust *trust, struct ht_slice name);
/* The *ret_n grants of a consumer for an item, any version, sorted by name. */
const struct ht_grant *const *ht_trust_grants_of(const struct ht_trust *trust,
    struct ht_slice consumer, struct ht_slice item, size_t *ret_n);
/* The epoch whose period holds @now_ms; NULL if none. */
const struct ht_epoch_entry *ht_trust_epoch(
    const struct ht_trust *trust, uint64_t now_ms);
/* The one that ends last, over or not; NULL: a catalog without any. */
const struct ht_epoch_entry *ht_trust_epoch_last(const struct ht_trust *trust);
const struct ht_epoch_entry *ht_trust_epoch_named(
    const struct ht_trust *trust, struct ht_slice name);
/* Walks: i from 0 while the result is not NULL; sorted by name. */
const struct ht_member *ht_trust_member_at(const struct ht_trust *t, size_t i);
const struct ht_item *ht_trust_item_at(const struct ht_trust *t, size_t i);
const struct ht_grant *ht_trust_grant_at(const struct ht_trust *t, size_t i);
/* The sealing key to seal to now: the newest active one; NULL if none. */
const struct ht_keyinfo *ht_member_seal_key(
    const struct ht_member *member, uint64_t now_ms);

#endif
