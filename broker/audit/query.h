/*
 * query.h -- what an auditor asks, and the rows that answer it
 * (docs/audit-socket.md).
 *
 * The same question is put to a running broker through its socket, and to a
 * stopped or copied log; the same answer comes, with its proofs, and the same
 * code checks it.
 */
#ifndef HT_BROKER_AUDIT_QUERY_H
#define HT_BROKER_AUDIT_QUERY_H

#include "broker/index/index.h"
#include "broker/log/erasure.h"

#define HT_AUDIT_LABEL     "hutong-audit/v2\n"
#define HT_AUDIT_VERSION   2
#define HT_CHALLENGE_SIZE  32
#define HT_SALT_SIZE       16
#define HT_QUERY_MAX       4096  /* bytes of an encoded query */
#define HT_QUERY_ROWS      10000 /* rows of one answer; then ask on */
#define HT_QUERY_EVIDENCE  1000  /* the same with evidence: 5 KiB each */
#define HT_QUERY_WHY       200   /* bytes of a stated purpose */
#define HT_ROWS_FRAME      64    /* rows of a frame: one proof for all */
#define HT_AUDIT_FRAME_MAX (1 << 21)
#define HT_ANSWER_NOTE_MAX 16384 /* a checkpoint with all its cosignatures */
#define HT_AUDIT_ASK_MS    5000  /* from connecting to the whole question */
#define HT_AUDIT_SEND_MS   60000 /* for the whole answer */
/* Long answers (enum ht_query_mode: READ, FOLLOW, LIST). */
#define HT_AUDIT_LONG_MS                                                       \
	3600000                /* then ask again: another entry in the log     \
	                        */
#define HT_AUDIT_BEAT_MS 15000 /* an UPDATE at least so often */
#define HT_AUDIT_PAGE    640   /* rows that a follower is sent at a time */
/* At the socket at once; of these, with a long answer. */
#define HT_AUDIT_VISITS 8 /* each a thread with a few MiB at most */
#define HT_AUDIT_LONGS  4 /* so that a short question finds a place */

enum ht_query_mode {
	HT_QUERY_SEARCH = 0, /* what matches, up to a limit */
	HT_QUERY_READ = 1,   /* every entry of a period, and both neighbours */
	HT_QUERY_FOLLOW = 2, /* what matches, and what comes to match */
	HT_QUERY_LIST = 3,   /* all looks at a subject, and that they are all */
	HT_QUERY_WITNESSES = 4, /* who has cosigned what (vouch.h) */
};

struct ht_query {
	struct ht_slice why; /* the auditor's purpose, for the log */
	/* Random: the hash in the log must not be one of a few that can be
	 * guessed. */
	uint8_t salt[HT_SALT_SIZE];
	struct ht_filter filter;
	bool has_seq; /* the exchange of this entry, whatever else is asked */
	uint64_t seq;
	bool evidence; /* bundles and tags as well */
	enum ht_query_mode mode;
	uint32_t last;  /* the newest so many that match; 0: the oldest first */
	uint64_t since; /* prove that the tree of this size was continued */
};
#define HT_QUERY_ALL ((struct ht_query){.filter = HT_FILTER_ALL})

enum ht_err ht_query_encode(const struct ht_query *query, struct ht_buf *out)
    HT_MUST_USE;
/* Slices point into @bytes.  HT_EMALFORMED with *ret_why. */
enum ht_err ht_query_decode(struct ht_slice bytes, struct ht_query *ret,
    const char **ret_why) HT_MUST_USE;
/* One line for who asked: `search member=tax.demo/state limit=10`. */
void ht_query_text(const struct ht_query *query, struct ht_buf *out);
/*
 * The same for the log, which never forgets.  It says `subject=…`, and then
 * does not say where in the log the search goes on: that is a look at the same
 * subject's entry.
 */
void ht_query_trace(const struct ht_query *query, struct ht_buf *out);

/*
 * BLAKE2b-256 of what is asked, without purpose, limit and place: two runs
 * with the same go on with one another.
 */
enum ht_err ht_query_hash(const struct ht_query *query, struct ht_hash *ret)
    HT_MUST_USE;

/* An answer: frames of rows, ready to be sent or read here. */
struct ht_audit_answer {
	uint64_t size; /* as of */
	struct ht_buf checkpoint;
	size_t n_path;
	struct ht_hash path[HT_PROOF_MAX]; /* consistency from query->since */
	uint64_t scanned;
	uint64_t matched;
	bool more;         /* the limit cut it off ... */
	uint64_t next_seq; /* ... before this entry */
	size_t n_frames;
	struct ht_buf *frames; /* ROWS; a REMOVED may be the first */
};
void ht_audit_answer_fini(struct ht_audit_answer *answer);
/*
 * Ask a log.  Everything is as of its newest checkpoint.  Errors: HT_EINVALID
 * (limits; a size that is no longer or not yet there), HT_EGONE (query->seq is
 * not here), HT_EINTEGRITY.
 */
enum ht_err ht_audit_answer(struct ht_log *log, struct ht_index *index,
    const struct ht_query *query, struct ht_audit_answer *ret) HT_MUST_USE;

/*
 * Every entry of [from, to), frame by frame, its proofs leading to the tree of
 * @as_of.  Requests before @before, where the period begins, come with what
 * cites them.
 */
struct ht_audit_range;
enum ht_err ht_audit_range(struct ht_log *log, uint64_t from, uint64_t to,
    uint64_t as_of, uint64_t before, struct ht_audit_range **ret) HT_MUST_USE;
/* The next, appended to @out; how many rows it has, 0 when all have come. */
enum ht_err ht_audit_range_next(struct ht_audit_range *range,
    struct ht_buf *out, size_t *ret_rows) HT_MUST_USE;
void ht_audit_range_free(struct ht_audit_range **range_p);

/* A row, taken apart and proven; slices point into the frame. */
struct ht_row {
	uint64_t seq;
	struct ht_slice leaf;
	struct ht_hash hash;    /* of the leaf */
	struct ht_slice bundle; /* evidence for this record alone; or empty */
	struct ht_slice tag;    /* or empty */
	bool erased;            /* the tag was, and this ERASE entry names it */
	uint64_t erased_by;
	struct ht_erase_said erasure;
	struct ht_slice cited; /* the leaf of the request it cites; or empty */
	struct ht_slice cited_raw; /* that, with its path, as packed; or nil */
	struct ht_entry entry;
};
/* A ROWS frame; large, so keep it on the heap, for one frame after another. */
struct ht_rows {
	size_t n;
	struct ht_row at[HT_ROWS_FRAME];
	uint64_t places[HT_ROWS_FRAME];
	struct ht_hash hashes[HT_ROWS_FRAME]; /* of the leaves */
	size_t n_left;
	struct ht_hash left[HT_ROWS_FRAME * HT_COVER_MAX]; /* the gaps */
	struct ht_trail trail; /* of what rows cite */
};
/*
 * Take a ROWS frame apart and prove every row against @root of @size.  Errors:
 * HT_EMALFORMED; HT_EINTEGRITY (a proof fails: *ret_bad is the entry).
 */
enum ht_err ht_rows_open(struct ht_slice frame, uint64_t size,
    const struct ht_hash *root, struct ht_rows *ret, uint64_t *ret_bad)
    HT_MUST_USE;
/* The same, and each row to @each, whose errors pass through. */
enum ht_err ht_rows_each(struct ht_rows *rows, struct ht_slice frame,
    uint64_t size, const struct ht_hash *root,
    enum ht_err (*each)(void *arg, const struct ht_row *row), void *arg,
    uint64_t *ret_bad) HT_MUST_USE;
/* The same, of one frame alone. */
enum ht_err ht_rows_check(struct ht_slice frame, uint64_t size,
    const struct ht_hash *root,
    enum ht_err (*each)(void *arg, const struct ht_row *row), void *arg,
    uint64_t *ret_bad) HT_MUST_USE;

/*
 * A row that stands alone, in a file (docs/proofs.md): without its tag.  When
 * read, what it cites is proven; the row itself is the caller's to prove.
 */
void ht_row_encode(const struct ht_row *row, struct ht_buf *out);
enum ht_err ht_row_decode(struct ht_slice bytes, uint64_t size,
    const struct ht_hash *root, struct ht_row *ret) HT_MUST_USE;

/* ---- the socket ---- */

enum {
	HT_AUDIT_CHALLENGE = 1,
	HT_AUDIT_ASK = 2,
	HT_AUDIT_ANSWER = 3,
	HT_AUDIT_ROWS = 4,
	HT_AUDIT_END = 5,
	HT_AUDIT_REFUSED = 6,
	HT_AUDIT_UPDATE = 7,
	HT_AUDIT_ROLL = 8,
	HT_AUDIT_COSIGNED = 9,
	HT_AUDIT_REMOVED = 10, /* gone.h */
};

/* Why nothing was answered. */
enum {
	HT_AUDIT_BAD_FORM = 1,    /* the frame or the query */
	HT_AUDIT_NO_AUDITOR = 2,  /* no such auditor, or not their signature */
	HT_AUDIT_BAD_QUERY = 3,   /* well formed, but it asks for nonsense */
	HT_AUDIT_BROKEN_LOG = 4,  /* what is stored does not hold */
	HT_AUDIT_UNAVAILABLE = 5, /* the query could not be logged, or memory */
	HT_AUDIT_BUSY = 6,        /* too many auditors at once */
};

/* What the auditor signs: label, origin "\n", challenge, query. */
void ht_audit_signed(struct ht_slice origin,
    const uint8_t challenge[static HT_CHALLENGE_SIZE], struct ht_slice query,
    struct ht_buf *out);

/*
 * One frame: u32 length, then that many bytes.  Until @deadline_ms (monotonic)
 * or @stop_fd (-1: none) becomes readable.  Errors: HT_ETIMEOUT; HT_EAGAIN
 * (stopped); HT_EPROTOCOL (closed in the middle); HT_ETOOBIG; HT_ESYSTEM.
 */
enum ht_err ht_audit_send(int fd, struct ht_slice frame, uint64_t deadline_ms,
    int stop_fd) HT_MUST_USE;
enum ht_err ht_audit_recv(
    int fd, struct ht_buf *ret, uint64_t deadline_ms, int stop_fd) HT_MUST_USE;

/*
 * Ask a running broker.  @origin (may be NULL): the log that must be behind
 * the socket.  @query gets a fresh salt: who keeps it can prove what was asked.
 * *ret_place is the entry that this query became.  @why gets one sentence for
 * any error but HT_ENOMEM.  Errors: HT_ESYSTEM (no broker there), HT_EPROTOCOL,
 * HT_EDENIED, HT_EINVALID, HT_EINTEGRITY, HT_EAGAIN, HT_ETIMEOUT.
 */
enum ht_err ht_audit_ask(const char *path, const char *origin,
    const char *auditor, const struct ht_key *key, struct ht_query *query,
    struct ht_audit_answer *ret, uint64_t *ret_place, struct ht_buf *why)
    HT_MUST_USE;

/* A long answer, as it comes.  What a callback returns ends it. */
struct ht_audit_stream {
	/* A checkpoint; the rows after it are proven against its tree. */
	enum ht_err (*update)(void *arg, uint64_t size, struct ht_slice note,
	    const struct ht_hash *path, size_t n_path);
	/* For ht_rows_check(); LIST: ht_list_take(); WITNESSES:
	 * ht_vouch_check(). */
	enum ht_err (*rows)(void *arg, struct ht_slice frame);
	void *arg;
	int stop_fd; /* readable: ask for the end; -1: none */
	/* Rows go to standard output: when nobody reads it, ask for the end. */
	bool watch_output;
};
struct ht_audit_end {
	uint64_t place; /* the entry that the question became */
	uint64_t scanned, matched;
	bool more;
	uint64_t next_seq;
};
/* As ht_audit_ask(), for modes READ, FOLLOW, LIST and WITNESSES. */
enum ht_err ht_audit_ask_long(const char *path, const char *origin,
    const char *auditor, const struct ht_key *key, struct ht_query *query,
    const struct ht_audit_stream *stream, struct ht_audit_end *ret,
    struct ht_buf *why) HT_MUST_USE;

#endif
