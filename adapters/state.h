/*
 * state.h -- what a node must not forget: the newest checkpoint it saw, its
 * counters, which requests it has handled and what it answered.
 *
 * One folder, one process: a lock says so.  Writes gather in one transaction;
 * nothing that rests on them leaves before ht_state_commit().
 */
#ifndef HT_ADAPTERS_STATE_H
#define HT_ADAPTERS_STATE_H

#include "adapters/told.h"
#include "lib/base/report.h"
#include "schemas/envelope.h"

/* How long to wait for another process that holds the folder. */
#define HT_STATE_WAIT_MS 30000

/*
 * Room for answers that are kept, if nobody says otherwise: 2 million of the
 * usual size, or 2000 of the largest; half of it for one asker alone.
 */
#define HT_STATE_ANSWERS     ((uint64_t)2 << 30)
#define HT_STATE_ANSWERS_MIN ((uint64_t)16 << 20)
#define HT_STATE_ANSWERS_MAX ((uint64_t)8 << 30)

struct ht_state;

/*
 * Open or create.  Errors: HT_EAGAIN: another process holds it, still after
 * HT_STATE_WAIT_MS; HT_ESTORE, HT_ESYSTEM; with a finding.
 */
enum ht_err ht_state_open(const char *dir, struct ht_report *report,
    struct ht_state **ret) HT_MUST_USE;
/*
 * To be read alone, beside the process that holds it; what that one has not
 * committed is not seen.  HT_ENOTFOUND if there is none.
 */
enum ht_err ht_state_look(const char *dir, struct ht_report *report,
    struct ht_state **ret) HT_MUST_USE;
void ht_state_close(struct ht_state **state_p); /* drops what is gathered */
const char *ht_state_dir(const struct ht_state *state);

/* Make everything gathered durable.  An error means: stop. */
enum ht_err ht_state_commit(struct ht_state *state) HT_MUST_USE;

/* Checkpoints, as signed notes: proven consistent; newer, but not yet; last
 * cosigned by this witness. */
#define HT_FACT_CHECKPOINT "checkpoint"
#define HT_FACT_SEEN       "seen"
#define HT_FACT_COSIGNED   "cosigned"
/* A small named fact, such as those.  HT_ENOTFOUND. */
enum ht_err ht_state_get(
    struct ht_state *state, const char *name, struct ht_buf *ret) HT_MUST_USE;
enum ht_err ht_state_put(struct ht_state *state, const char *name,
    struct ht_slice value) HT_MUST_USE;

/*
 * The next number for (recipient, item): increasing for ever, durable in
 * blocks, so that a restart leaves a gap.
 */
enum ht_err ht_state_counter(struct ht_state *state, struct ht_slice recipient,
    struct ht_slice item, uint64_t *ret) HT_MUST_USE;

/* A record that was answered; slices live until the next call. */
struct ht_answered {
	uint64_t expires_ms;
	struct ht_hash request; /* header hash */
	struct ht_slice header; /* the answer's bytes, as they were sent */
	struct ht_slice tag;
	struct ht_slice body;
};
/* By authenticated sender and record id.  HT_ENOTFOUND. */
enum ht_err ht_state_find(struct ht_state *state, struct ht_slice sender,
    const struct ht_id *record, struct ht_answered *ret) HT_MUST_USE;
/*
 * HT_EAGAIN: there is no room for one more of this sender's, or, as
 * ht_state_full() says, of anybody's.
 */
enum ht_err ht_state_keep(struct ht_state *state, struct ht_slice sender,
    const struct ht_id *record, const struct ht_answered *answered) HT_MUST_USE;
/* Is there room for an answer of @len bytes to @sender? */
bool ht_state_room(
    const struct ht_state *state, struct ht_slice sender, size_t len);
/* So much for all; at first HT_STATE_ANSWERS. */
void ht_state_bound(struct ht_state *state, uint64_t bytes);
/*
 * The disk has so little room that nothing should begin that is to be kept.
 * What is small and replaces what is there can still be written: some of
 * HT_STATE_ASIDE, which was set aside when there was room, is for that.  Looks
 * once a second, and when much was kept since.
 */
#define HT_STATE_ASIDE (16u << 20)
bool ht_state_full(struct ht_state *state);
/* Forget up to @max answers whose time is over. */
enum ht_err ht_state_sweep(
    struct ht_state *state, uint64_t now_ms, unsigned max) HT_MUST_USE;

/* ---- what became of exchanges (told.h) ---- */

enum ht_err ht_state_tell(struct ht_state *state, const struct ht_told *told)
    HT_MUST_USE;
/* Forget the oldest beyond the newest @keep, at most @max of them. */
enum ht_err ht_state_untell(struct ht_state *state, uint64_t keep, unsigned max)
    HT_MUST_USE;
/* Called with each; false ends the walk. */
typedef bool ht_told_fn(void *arg, const struct ht_told *told);
/* The records of an exchange.  None at all: HT_ENOTFOUND. */
enum ht_err ht_state_told(struct ht_state *state, const struct ht_id *exchange,
    ht_told_fn *fn, void *arg) HT_MUST_USE;
/* All of them, the newest first. */
enum ht_err ht_state_told_last(
    struct ht_state *state, ht_told_fn *fn, void *arg) HT_MUST_USE;

/* Keep a document, by the hash of its note, once; *ret_hash names it. */
enum ht_err ht_state_note(struct ht_state *state, struct ht_slice note,
    struct ht_hash *ret_hash) HT_MUST_USE;
/* Appends it.  HT_ENOTFOUND. */
enum ht_err ht_state_noted(struct ht_state *state, const struct ht_hash *hash,
    struct ht_buf *ret) HT_MUST_USE;

#endif
