/*
 * doc.h -- one trust document (docs/trust.md): a note, read strictly, with
 * every mistake named by file, line and column.
 *
 * A document never changes once read.  It is counted, since the same one
 * stands in every snapshot until it gets a new revision.
 */
#ifndef HT_SCHEMAS_DOC_H
#define HT_SCHEMAS_DOC_H

#include "lib/conf/conf.h"
#include "schemas/trust.h"

#define HT_DOC_MAP(X)                                                          \
	X(HT_DOC_ROOT, "root")                                                 \
	X(HT_DOC_MEMBER, "member")                                             \
	X(HT_DOC_ITEM, "item")                                                 \
	X(HT_DOC_GRANT, "grant")                                               \
	X(HT_DOC_EPOCH, "epoch")                                               \
	X(HT_DOC_SNAPSHOT, "snapshot")                                         \
	X(HT_DOC_CURRENT, "current")                                           \
	X(HT_DOC_ERASE, "erase")                                               \
	X(HT_DOC_APPLICATION, "application")                                   \
	X(HT_DOC_ANSWER, "answer")                                             \
	X(HT_DOC_EXTENSION, "extension")                                       \
	X(HT_DOC_DISCLOSE, "disclose")                                         \
	X(HT_DOC_REMOVE, "remove")
enum ht_doc_kind {
#define HT_DOC_ENUM(name, text) name,
	HT_DOC_MAP(HT_DOC_ENUM)
#undef HT_DOC_ENUM
	    HT_DOC_KINDS
};
const char *ht_doc_kind_text(enum ht_doc_kind kind);
enum ht_err ht_doc_kind_parse(struct ht_slice text, enum ht_doc_kind *ret)
    HT_MUST_USE;

/* The longest name in a snapshot: an item's "catalog/CODE@4294967295". */
#define HT_DOC_NAME_MAX (HT_NAME_MAX + 11)
#define HT_REVISION_MAX UINT64_C(1000000000000)
#define HT_NOTIFY_MAX_MS                                                       \
	(UINT64_C(3652) * 86400000) /* ten years; beyond that, say never */
#define HT_SEALING_MS (UINT64_C(90) * 86400000) /* a sealing key's life */

/*
 * A grant as it was written.  Once a trust has held it against its item it is
 * `linked`: `grant.fields` are set, and `all_fields` says whether they matter.
 */
struct ht_grant_doc {
	struct ht_grant grant;
	bool linked;
	unsigned n_fields;
	char **fields;
};

struct ht_doc;

/*
 * Does the item offer all that @doc says?  Sets the bits of its fields
 * (@ret_fields of HT_RELEASED_MAX bytes, zeroed; may be NULL). Errors:
 * HT_EINVALID with findings.
 */
enum ht_err ht_grant_offered(const struct ht_doc *doc,
    const struct ht_grant_doc *says, const struct ht_item *item,
    struct ht_report *report, uint8_t *ret_fields) HT_MUST_USE;

struct ht_snapshot_doc {
	char catalog[HT_NODE_MAX + 1];
	uint64_t version;
	uint64_t created_ms;
	uint64_t count;
	struct ht_hash root;
};

struct ht_current_doc {
	char catalog[HT_NODE_MAX + 1];
	uint64_t snapshot;
	struct ht_hash hash;
	uint64_t issued_ms;
	uint64_t until_ms;
	unsigned n_suspended;
	char **suspended; /* grants, members */
};

#define HT_ERASE_BASIS   200   /* bytes of a legal basis, in the log */
#define HT_ERASE_ENTRIES 10000 /* of one order: people sign its list */
#define HT_DISCLOSE_ENTRIES                                                    \
	100 /* of one order: they stand in the entry that it becomes */

/*
 * An order to destroy tags or bodies of the log; or (DISCLOSE, always with
 * entries) to show looks to their subjects before the time; or (REMOVE, by
 * first, last and over_ms) to remove a closed volume.
 */
struct ht_erase_doc {
	char log[HT_VKEY_NAME_MAX];
	const char *basis;
	bool bodies; /* these alone; else tags, with the bodies beside them */
	uint64_t issued_ms;
	uint64_t until_ms;
	size_t n; /* entries that are listed; 0: by those below */
	uint64_t *entries;
	char epoch[HT_NAME_MAX + 1]; /* or "" */
	uint64_t before_ms;          /* or 0 */
	/* or 0: what its item's term of retention was over for at that time */
	uint64_t over_ms;
	uint64_t first, last; /* REMOVE: the entries of the volume */
};

/* ---- applications (docs/applications.md) ---- */

#define HT_APPLICATION_TEXT 1000 /* bytes of a scene, a scope, a reason */
#define HT_ANSWER_POINTS    50   /* missing things, reasons */
#define HT_EXTENSION_DAYS   366

struct ht_application_doc {
	struct ht_grant_doc asks; /* as the grant that it asks for */
	const char *scene;
	const char *scope;
	const char *withdrawn; /* why it is taken back; NULL: it is not */
};

enum ht_answer_word {
	HT_SAYS_ACCEPT,
	HT_SAYS_RETURN,
	HT_SAYS_APPROVE,
	HT_SAYS_REFUSE,
};

/* An answer, or an extension, to one revision of an application. */
struct ht_answer_doc {
	char provider[HT_NAME_MAX + 1];
	struct ht_hash to; /* the application's */
	enum ht_answer_word says;
	unsigned n_points; /* what is missing, or why it is refused */
	char **points;
	char grant[HT_GRANT_MAX + 1]; /* approve: its name to be */
	uint64_t days;                /* extension */
	const char *reason;           /* extension */
};

struct ht_doc {
	_Atomic unsigned refs;
	enum ht_doc_kind kind;
	char name[HT_DOC_NAME_MAX + 1]; /* as in the snapshot */
	uint64_t revision;              /* snapshot: version; current: 0 */
	struct ht_hash hash;            /* of the text */
	struct ht_slice bytes;          /* the whole note; owned */
	struct ht_slice text;           /* the signed part of it */
	char *where;                    /* where it came from */
	union {                         /* owned */
		struct ht_root *root;
		struct ht_member *member;
		struct ht_item *item;
		struct ht_grant_doc *grant;
		struct ht_epoch_entry *epoch;
		struct ht_snapshot_doc *snapshot;
		struct ht_current_doc *current;
		struct ht_erase_doc *erase;
		struct ht_application_doc *application;
		struct ht_answer_doc *answer; /* extension, too */
	};
	struct ht_doc_mem *mem; /* what the above points at */
};

/*
 * The text of a note, or of a draft that nobody signed yet.  *ret_signed (may
 * be NULL) tells which.  HT_EMALFORMED for neither.
 */
enum ht_err ht_doc_text(struct ht_slice bytes, struct ht_slice *ret_text,
    bool *ret_signed) HT_MUST_USE;
/* The kind that the first line states. */
enum ht_err ht_doc_peek(struct ht_slice text, enum ht_doc_kind *ret)
    HT_MUST_USE;

/*
 * Read a document of any kind, signed or not: its form alone, no signature
 * and nothing outside it.  @where is its file's name, for findings.
 * Errors: HT_EMALFORMED, HT_EINVALID, HT_ETOOBIG, with findings; HT_ENOMEM.
 */
enum ht_err ht_doc_parse(struct ht_slice bytes, const char *where,
    struct ht_report *report, struct ht_doc **ret_doc) HT_MUST_USE;
struct ht_doc *ht_doc_ref(struct ht_doc *doc);
void ht_doc_unref(struct ht_doc **doc_p);

/*
 * Check the signatures that docs/trust.md asks of the kind.  @signer: for an
 * item or grant its provider (so for an answer or extension), for an
 * application its applicant, for a member the member itself (of an older
 * revision too: see there), NULL where the kind needs none. Errors: HT_EBADSIG
 * with findings.
 */
enum ht_err ht_doc_check_signed(const struct ht_doc *doc,
    const struct ht_root *root, const struct ht_member *signer,
    struct ht_report *report) HT_MUST_USE;
/*
 * Whose signatures count on @doc, by the same table: does one of @vkey?  A
 * @signer that is not known (NULL) has no officers; a new root is signed by
 * those of @root and by its own, a member's by the identity before, too.
 * Errors: HT_EDENIED with a finding that names all that count.
 */
enum ht_err ht_doc_counts(const struct ht_doc *doc, const struct ht_root *root,
    const struct ht_member *signer, const struct ht_vkey *vkey,
    struct ht_report *report) HT_MUST_USE;
/*
 * Who signs an application, answer, extension, item or grant beside (or
 * instead of) the authority; NULL for other kinds.
 */
const char *ht_doc_signer(const struct ht_doc *doc);
/* Did this key sign?  A signature of it that fails is a no. */
bool ht_doc_signed_by(const struct ht_doc *doc, const struct ht_vkey *vkey);

/* ---- the list of a snapshot ---- */

struct ht_list_line {
	enum ht_doc_kind kind;
	char name[HT_DOC_NAME_MAX + 1];
	uint64_t revision;
	struct ht_hash hash;
	struct ht_slice line; /* without newline, in the caller's bytes */
};
/*
 * Take a list apart: form, order, no duplicates.  *ret_lines is the caller's,
 * to be freed.  Errors: HT_EMALFORMED, HT_ETOOBIG with a finding; HT_ENOMEM.
 */
enum ht_err ht_list_parse(struct ht_slice list, const char *where,
    struct ht_report *report, struct ht_list_line **ret_lines, size_t *ret_n)
    HT_MUST_USE;
/* The list's order: by the kinds' words, then by name. */
int ht_doc_order(
    const char *kind_a, const char *a, const char *kind_b, const char *b);
/* A root that another one followed: "root root@7 7 ...". */
bool ht_list_past_root(const struct ht_list_line *line);
/* Its document has that name, too; nobody else may hold it yet. */
void ht_doc_past_root(struct ht_doc *doc);
/* The Merkle root over the lines. */
enum ht_err ht_list_root(const struct ht_list_line *lines, size_t n,
    struct ht_hash *ret) HT_MUST_USE;
/* Append a document's line, with newline. */
void ht_list_add(struct ht_buf *out, const struct ht_doc *doc);

/*
 * Where a value of a document stands: "file:line:column".  @path is its keys
 * and its places in lists, as "rows/field" or "fields/3"; what is not there
 * stands where it would.  The text is read again for it, which is slow: the
 * file alone when @report is full, or memory is short.
 */
void ht_doc_place(const struct ht_doc *doc, const struct ht_report *report,
    char out[static HT_WHERE_SIZE], const char *path, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- a folder of documents ("On disk") ---- */

#define HT_DOC_PATH_MAX 400
/* "members/tax.demo/state.note"; the name must be well formed. */
void ht_doc_path(
    enum ht_doc_kind kind, const char *name, char out[static HT_DOC_PATH_MAX]);

/* ---- inside schemas/: what the files that read the kinds share ---- */

struct ht_yaml;

struct ht_read {
	struct ht_doc *doc;
	struct ht_yaml *top;
	struct ht_report *report;
	bool no_memory; /* sticks */
};
/* Zeroed memory that lives as long as the document; NULL sticks. */
void *ht_read_alloc(struct ht_read *r, size_t n, size_t size);
char *ht_read_dup(struct ht_read *r, const char *text);
/* Each takes NULL (absent; said already if it was needed) in silence. */
void ht_read_name(struct ht_yaml *value, char out[static HT_NAME_MAX + 1]);
void ht_read_part(struct ht_yaml *value, char out[static HT_NODE_MAX + 1]);
void ht_read_ms(struct ht_yaml *value, uint64_t *ret);
void ht_read_hash(struct ht_yaml *value, struct ht_hash *ret);
void ht_read_vkey(struct ht_yaml *value, struct ht_vkey *ret);
/* A witness's, which cosigns. */
void ht_read_witness(struct ht_yaml *value, struct ht_vkey *ret);
/* Base64 of 32 bytes; a point of Ed25519 if @sign. */
void ht_read_pub(struct ht_yaml *value, bool sign, struct ht_pub *ret);
/* {zh: ..., en: ...}; both are optional, one is needed. */
void ht_read_title(
    struct ht_read *r, struct ht_yaml *value, char **ret_zh, char **ret_en);
/* [query, verify]: HT_OPS() bits. */
void ht_read_operations(struct ht_yaml *value, unsigned *ret);
/* A list of codes, none twice; one at least. */
void ht_read_codes(struct ht_read *r, struct ht_yaml *value,
    char (**ret)[HT_PURPOSE_MAX + 1], unsigned *ret_n);
/* from and until, in this order. */
void ht_read_period(struct ht_yaml *map, uint64_t *from_ms, uint64_t *until_ms);
/* A list of vkeys of distinct names and keys, each name below @prefix. */
void ht_read_vkeys(struct ht_yaml *list, const char *prefix,
    struct ht_vkey *out, unsigned *ret_n);
/* HT_ROOT's catalog, or the name's: "gx.demo/17" is in "gx.demo". */
bool ht_in_catalog(const char *name, const char *catalog);

void ht_read_root(struct ht_read *r);
void ht_read_member(struct ht_read *r);
void ht_read_item(struct ht_read *r);
/* A JSON Schema, and of `record` the fields; *ret NULL with a mistake. */
void ht_read_schema(
    struct ht_read *r, const char *name, struct ht_schema **ret);
void ht_read_entry(struct ht_read *r); /* of an item, after its schemas */
void ht_read_grant(struct ht_read *r);
/* What grants and applications have in common; @consumer: its key. */
void ht_read_asks(
    struct ht_read *r, const char *consumer, struct ht_grant_doc *doc);
/* A list of 1 to @max texts of at most @bytes each. */
char **ht_read_texts(struct ht_read *r, struct ht_yaml *value, size_t max,
    size_t bytes, unsigned *ret);
void ht_read_epoch(struct ht_read *r);
void ht_read_snapshot(struct ht_read *r);
void ht_read_current(struct ht_read *r);
void ht_read_erase(struct ht_read *r);
void ht_read_application(struct ht_read *r);
void ht_read_answer(struct ht_read *r);
void ht_read_extension(struct ht_read *r);
void ht_read_disclose(struct ht_read *r);
void ht_read_remove(struct ht_read *r);

#endif
