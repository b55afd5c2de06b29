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

#include "broker/audit/index.h"

#define HT_AUDIT_LABEL     "hutong-audit/v1\n"
#define HT_AUDIT_VERSION   1
#define HT_CHALLENGE_SIZE  32
#define HT_QUERY_MAX       4096    /* bytes of an encoded query */
#define HT_QUERY_ROWS      10000   /* rows of one answer; then ask on */
#define HT_QUERY_EVIDENCE  1000    /* the same with evidence: 5 KiB each */
#define HT_QUERY_WHY       200     /* bytes of a stated purpose */
#define HT_ROWS_FRAME      64      /* rows of a frame: one proof for all */
#define HT_AUDIT_FRAME_MAX (1 << 21)

struct ht_query {
	struct ht_slice why; /* the auditor's purpose, for the log */
	struct ht_filter filter;
	bool has_seq; /* the exchange of this entry, whatever else is asked */
	uint64_t seq;
	bool evidence; /* bundles and tags as well */
};
#define HT_QUERY_ALL ((struct ht_query){.filter = HT_FILTER_ALL})

enum ht_err ht_query_encode(
    const struct ht_query *query, struct ht_buf *out) HT_MUST_USE;
/* Slices point into @bytes.  HT_EMALFORMED with *ret_why. */
enum ht_err ht_query_decode(struct ht_slice bytes, struct ht_query *ret,
    const char **ret_why) HT_MUST_USE;
/* One line for the log and the footer: `member=tax.demo/state limit=10`. */
void ht_query_text(const struct ht_query *query, struct ht_buf *out);

/* An answer: frames of rows, ready to be sent or read here. */
struct ht_answer {
	uint64_t size; /* as of */
	struct ht_buf checkpoint;
	uint64_t scanned;
	uint64_t matched;
	bool more;         /* the limit cut it off ... */
	uint64_t next_seq; /* ... before this entry */
	size_t n_frames;
	struct ht_buf *frames; /* ROWS */
};
void ht_answer_fini(struct ht_answer *answer);
/*
 * Ask a log.  Everything is as of its newest checkpoint.  Errors: HT_EINVALID
 * (limits; a size that is no longer or not yet there), HT_EINTEGRITY.
 */
enum ht_err ht_answer(struct ht_log *log, struct ht_index *index,
    const struct ht_query *query, struct ht_answer *ret) HT_MUST_USE;

/* A row, taken apart and proven; slices point into the frame. */
struct ht_row {
	uint64_t seq;
	struct ht_slice leaf;
	struct ht_slice bundle; /* evidence for this record alone; or empty */
	struct ht_slice tag;    /* or empty */
	struct ht_slice cited;  /* the leaf of the request it cites; or empty */
	struct ht_entry entry;
};
/*
 * Take a ROWS frame apart and prove every row against @root of @size; each to
 * @each.  Errors: HT_EMALFORMED; HT_EINTEGRITY (a proof fails: *ret_bad is the
 * entry); what @each returns.
 */
enum ht_err ht_rows_check(struct ht_slice frame, uint64_t size,
    const struct ht_hash *root,
    enum ht_err (*each)(void *arg, const struct ht_row *row), void *arg,
    uint64_t *ret_bad) HT_MUST_USE;

/* ---- frames of the socket ---- */

enum {
	HT_AUDIT_CHALLENGE = 1,
	HT_AUDIT_ASK = 2,
	HT_AUDIT_ANSWER = 3,
	HT_AUDIT_ROWS = 4,
	HT_AUDIT_END = 5,
	HT_AUDIT_REFUSED = 6,
};

#endif
