/*
 * vouch.h -- who has cosigned a running broker's log: stored checkpoints with
 * the lines of others, each proven a beginning of the tree of the answer
 * (docs/audit-socket.md, "Witnesses").
 */
#ifndef HT_BROKER_AUDIT_VOUCH_H
#define HT_BROKER_AUDIT_VOUCH_H

#include "broker/audit/query.h"
#include "keys/quorum.h"

#define HT_VOUCH_NOTES 64   /* of an answer: a witness needs one, or two */
#define HT_VOUCH_LOOK  1000 /* cosigned ones looked at for them */

/* A COSIGNED frame; the note points into its bytes. */
struct ht_vouched {
	struct ht_slice note;
	size_t n_path; /* from the note's tree to the answer's */
	struct ht_hash path[HT_PROOF_MAX];
};
void ht_vouched_pack(const struct ht_vouched *vouched, struct ht_buf *out);
/* Strictly.  HT_EMALFORMED. */
enum ht_err ht_vouched_unpack(struct ht_slice frame, struct ht_vouched *ret)
    HT_MUST_USE;

/* ---- making ---- */

/* Of checkpoints, the newest first: is this one worth telling? */
struct ht_vouch_choice {
	size_t n;
	struct ht_hash seen[HT_SIGS_MAX * 4]; /* keys, by name and id */
	size_t most;                          /* lines of one that was told */
};
/*
 * It has a line of a key that none before had, or more lines than any had: so
 * each witness's newest is told, and the newest of any number of them.
 */
bool ht_vouch_choose(struct ht_vouch_choice *choice, struct ht_slice note);

/* The frames of an answer of @size, each to @each. */
enum ht_err ht_vouch_make(struct ht_log *log, uint64_t size,
    enum ht_err (*each)(void *arg, struct ht_slice frame), void *arg)
    HT_MUST_USE;

/* ---- checking ---- */

/*
 * A frame, of the tree that @cp names: a checkpoint smaller than *below (which
 * becomes its size), signed by a log that @policy knows, and a beginning of
 * that tree.  Errors: HT_EMALFORMED; those of ht_quorum_check();
 * HT_EINTEGRITY, when it is no beginning: then the log has two histories.
 */
enum ht_err ht_vouch_check(const struct ht_quorum *policy,
    const struct ht_checkpoint *cp, struct ht_slice frame, uint64_t *below,
    struct ht_vouched *ret, struct ht_quorum_seen *ret_seen) HT_MUST_USE;

#endif
