/*
 * log.h -- the audit log: entries as leaves of an RFC 6962 tree, kept in one
 * durable LMDB transaction per group, with a signed checkpoint each
 * (docs/log-format.md).
 *
 * One thread, the committer, writes; any thread may read.
 */
#ifndef HT_BROKER_LOG_LOG_H
#define HT_BROKER_LOG_LOG_H

#include "keys/merkle.h"
#include "keys/note.h"
#include "lib/base/report.h"
#include "schemas/bundle.h"
#include "schemas/tag.h"

#define HT_LEAF_MAX  1980 /* with its hash it still shares an LMDB page */
#define HT_GROUP_MAX 4096 /* entries of one commit: LMDB's dirty pages */

enum ht_entry_type {
	HT_ENTRY_REQUEST = 1,
	HT_ENTRY_RESPONSE = 2,
	HT_ENTRY_PUSH = 3,
	HT_ENTRY_EVENT = 4,
	HT_ENTRY_RECEIPT = 5,
	HT_ENTRY_REJECT = 6,
	HT_ENTRY_EXPIRED = 7,
	HT_ENTRY_LATE = 8,
	HT_ENTRY_CONFLICT = 9,
	HT_ENTRY_ADMIN = 10,
	HT_ENTRY_SNAPSHOT = 11,
	HT_ENTRY_AUDIT_QUERY = 12,
	HT_ENTRY_ERASE = 13,
	HT_ENTRY_DISCLOSE = 14,
	HT_ENTRY_START = 15,
	HT_ENTRY_STOP = 16,
	HT_ENTRY_ROLLBACK_SEEN = 17,
	HT_ENTRY_INDEX_ROOT = 18,
	HT_ENTRY_REFUSALS = 19,
	HT_ENTRY_VOLUME = 20,  /* volumes.h */
	HT_ENTRY_REMOVED = 21, /* remove.h */
};
const char *ht_entry_type_text(unsigned type);
int ht_entry_type_parse(struct ht_slice text); /* -1: none */

/* An entry, in memory.  Slices are borrowed. */
struct ht_entry {
	unsigned type;
	uint64_t seq;     /* set by append */
	uint64_t time_us; /* append raises it to the entry before, if lower */
	struct ht_hash snapshot;
	unsigned status;
	struct ht_slice grant;
	uint64_t bundle_seq;
	uint16_t bundle_index;
	uint16_t bundle_count; /* 0: no bundle */
	struct ht_slice member;
	struct ht_slice node;
	uint64_t cites; /* seq + 1 of the REQUEST, or 0 */
	uint32_t segment;
	uint64_t offset;
	uint32_t tag_len;
	uint32_t body_len;
	struct ht_slice payload;
};
/*
 * Append the leaf.  HT_EINVALID: a field is out of its range, or the payload
 * is not of the type's kind; HT_ETOOBIG.
 */
enum ht_err ht_entry_encode(const struct ht_entry *e, struct ht_buf *out)
    HT_MUST_USE;
/* Slices of *ret point into @leaf.  HT_EMALFORMED; HT_ETOOBIG. */
enum ht_err ht_entry_decode(struct ht_slice leaf, struct ht_entry *ret)
    HT_MUST_USE;
/*
 * The payload is a record's header, and its signature had verified: then the
 * entry names its bundle (of a REJECT, exactly these have a header).
 */
bool ht_entry_has_header(const struct ht_entry *e);

/*
 * Tag and body (either NULL: not at hand) have the hashes of its header, or of
 * @h, which is that.  HT_EINTEGRITY.
 */
enum ht_err ht_header_check_piece(const struct ht_header *h,
    const struct ht_slice *tag, const struct ht_slice *body) HT_MUST_USE;
enum ht_err ht_entry_check_piece(const struct ht_entry *e,
    const struct ht_slice *tag, const struct ht_slice *body) HT_MUST_USE;

struct ht_log;

/*
 * Open or create the log in @dir and run the checks of "Checks at start";
 * findings go to @report.  @key signs checkpoints under @origin; NULL opens
 * for reading only (a stopped or copied log): then nothing is written, @origin
 * is not looked at, and no signature is checked, for want of a key.
 * Errors: HT_EINTEGRITY; HT_EROLLBACK; HT_ESTORE; HT_ENOTFOUND (no log there);
 * HT_EAGAIN (a broker is writing it); HT_ESYSTEM; HT_ENOMEM.
 */
enum ht_err ht_log_open(const char *dir, const char *origin,
    const struct ht_key *key, struct ht_report *report, struct ht_log **ret)
    HT_MUST_USE;
void ht_log_close(struct ht_log **log_p);

/* ---- writing: the committer's thread only ---- */

/*
 * Append a tag and body to the vault; fills segment and offset of @e and its
 * lengths.  Not durable before ht_log_commit(), which syncs the vault first.
 */
enum ht_err ht_log_vault(struct ht_log *log, struct ht_slice tag,
    struct ht_slice body, struct ht_entry *e) HT_MUST_USE;
/*
 * Add @e to the group; sets e->seq and e->time_us.  *ret_hash (may be NULL)
 * is the leaf hash.  Nothing is durable before ht_log_commit().
 */
enum ht_err ht_log_append(struct ht_log *log, struct ht_entry *e,
    struct ht_hash *ret_hash) HT_MUST_USE;
/*
 * Keep a bundle's evidence, for the entry at @first_seq.  The entries of its
 * records follow one another: record i of @bundle is entry @first_seq + i.
 * Call it once per bundle, in the group of its entries, in their order.
 */
enum ht_err ht_log_bundle(struct ht_log *log, uint64_t first_seq,
    const struct ht_bundle *bundle) HT_MUST_USE;
/* The seq that the next append will get. */
uint64_t ht_log_next(const struct ht_log *log);
/*
 * Make the group durable: vault fdatasync, LMDB commit, read back and re-hash
 * by another path, sign, anchor.  An error means: stop now, send nothing of
 * this group.  *ret_note is the checkpoint note, valid until the next commit.
 */
enum ht_err ht_log_commit(struct ht_log *log, struct ht_slice *ret_note)
    HT_MUST_USE;
/*
 * Store the checkpoint of @size with the cosignatures it has come to, in the
 * open group or in one of its own.  HT_EINVALID: of a size past the log's.
 */
enum ht_err ht_log_cosign(
    struct ht_log *log, uint64_t size, struct ht_slice note) HT_MUST_USE;
/*
 * The place of the last SNAPSHOT entry, of which there may be many under one
 * snapshot.  HT_ENOTFOUND: none since logs keep it.
 */
enum ht_err ht_log_last_snapshot(struct ht_log *log, uint64_t *ret_seq)
    HT_MUST_USE;
/* Drop the group (nothing was sent of it).  The vault's tail is cut. */
void ht_log_drop(struct ht_log *log);
/* Bytes free on the log's disks, for the operator's reserve. */
uint64_t ht_log_room(const struct ht_log *log);
/*
 * Keep HT_LOG_ASIDE bytes behind evidence and vault allocated, so that what
 * must be written on a full disk can be, after a restart as well.  False: there
 * are not so many.  A file system that cannot do it is not asked again.
 */
#define HT_LOG_ASIDE ((uint64_t)4 << 20) /* each: thousands of entries */
bool ht_log_set_aside(struct ht_log *log);

/* ---- reading: any thread; only what is committed ---- */

uint64_t ht_log_size(const struct ht_log *log);
/*
 * Entries below this are of this tree, but are not here: whoever asks for one
 * gets HT_EGONE.  0, but for a lone volume, and for a log that a volume was
 * removed from (remove.h), which can prove them still.
 */
uint64_t ht_log_begin(const struct ht_log *log);
/* The root of the tree as it was at @size. */
enum ht_err ht_log_root(struct ht_log *log, uint64_t size, struct ht_hash *ret)
    HT_MUST_USE;
/* The newest checkpoint note, appended to @ret. */
enum ht_err ht_log_checkpoint(struct ht_log *log, struct ht_buf *ret)
    HT_MUST_USE;
/*
 * The newest stored checkpoint of a size below @below that somebody beside the
 * log has signed, appended to @ret; *ret_size may be asked below next.
 * HT_ENOTFOUND: there is none among the last HT_LOG_COSIGNED_LOOK.
 */
#define HT_LOG_COSIGNED_LOOK 86400 /* stored ones: a day at one a second */
enum ht_err ht_log_cosigned(struct ht_log *log, uint64_t below,
    struct ht_buf *ret, uint64_t *ret_size) HT_MUST_USE;
/* Leaf bytes of an entry, appended to @ret. */
enum ht_err ht_log_read(struct ht_log *log, uint64_t seq, struct ht_buf *ret)
    HT_MUST_USE;
/* Evidence of the bundle whose first entry is @first_seq (raw msgpack). */
enum ht_err ht_log_read_bundle(
    struct ht_log *log, uint64_t first_seq, struct ht_buf *ret) HT_MUST_USE;
/*
 * Tag and body of an entry, appended to the two buffers (either NULL).  Both
 * are checked against the hashes in the entry's header: HT_EINTEGRITY.
 * HT_EERASED when one of those asked for was erased; whether that is in order
 * erase.h tells.
 */
enum ht_err ht_log_read_vault(struct ht_log *log, const struct ht_entry *e,
    struct ht_buf *ret_tag, struct ht_buf *ret_body) HT_MUST_USE;
/* The same for who has taken its header apart: @h. */
enum ht_err ht_log_read_piece(struct ht_log *log, const struct ht_entry *e,
    const struct ht_header *h, struct ht_buf *ret_tag, struct ht_buf *ret_body)
    HT_MUST_USE;
/*
 * Walk entries [from, to): each leaf's bytes to @each, until it returns not
 * HT_OK.  Read transactions are kept short.
 */
enum ht_err ht_log_walk(struct ht_log *log, uint64_t from, uint64_t to,
    enum ht_err (*each)(void *arg, uint64_t seq, struct ht_slice leaf),
    void *arg) HT_MUST_USE;
/*
 * The same, for the index, which comes right after the committer: what this
 * process has committed was hashed when it was read back, and is not again.
 */
enum ht_err ht_log_follow(struct ht_log *log, uint64_t from, uint64_t to,
    enum ht_err (*each)(void *arg, uint64_t seq, struct ht_slice leaf),
    void *arg) HT_MUST_USE;

/* @memo (may be NULL) is one thread's, for one proof after another: tree.h. */
struct ht_tree_memo;
enum ht_err ht_log_inclusion(struct ht_log *log, uint64_t seq, uint64_t size,
    struct ht_hash out[static HT_PROOF_MAX], size_t *ret_n) HT_MUST_USE;
enum ht_err ht_log_inclusion_of_many(struct ht_log *log,
    struct ht_tree_memo *memo, uint64_t seq, uint64_t size,
    struct ht_hash out[static HT_PROOF_MAX], size_t *ret_n) HT_MUST_USE;
enum ht_err ht_log_consistency(struct ht_log *log, uint64_t m, uint64_t n,
    struct ht_hash out[static HT_PROOF_MAX], size_t *ret_n) HT_MUST_USE;
/* The batch proof of docs/protocol.md: covers of the gaps between places. */
enum ht_err ht_log_batch_proof(struct ht_log *log, const uint64_t *places,
    size_t n, uint64_t size, struct ht_hash *out, size_t max, size_t *ret_n)
    HT_MUST_USE;
enum ht_err ht_log_batch_proof_of_many(struct ht_log *log,
    struct ht_tree_memo *memo, const uint64_t *places, size_t n, uint64_t size,
    struct ht_hash *out, size_t max, size_t *ret_n) HT_MUST_USE;

#endif
