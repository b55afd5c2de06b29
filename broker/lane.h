/*
 * lane.h -- what becomes of each record.  Pure: events and a time go in,
 * actions come out; no socket, clock or disk is touched.
 *
 * The rules (docs/protocol.md section 6): nothing is delivered that was not
 * appended; each accepted request ends exactly once, by RESPONSE, REJECT or
 * EXPIRED; a record id has one answer for as long as it may be repeated;
 * BUSY claims nothing.
 *
 * The committer gives a group of events, carries out the appends in order,
 * makes them durable, carries out the rest in order, and clears.  Time is the
 * log's: milliseconds, never going back.
 */
#ifndef HT_BROKER_LANE_H
#define HT_BROKER_LANE_H

#include "broker/log/log.h"
#include "broker/parcel.h"
#include "schemas/policy.h"

struct ht_lane;

/* The decisions, by which a test can put its own in. */
struct ht_lane_rules {
	void (*request)(const struct ht_trust *trust,
	    const struct ht_header *header, const struct ht_tag *tag,
	    const struct ht_usage *usage, uint64_t now_ms,
	    struct ht_verdict *ret);
	void (*response)(const struct ht_trust *trust,
	    const struct ht_header *request, const struct ht_tag *request_tag,
	    const struct ht_header *response, const struct ht_tag *response_tag,
	    uint64_t now_ms, struct ht_verdict *ret);
	unsigned (*signer)(const struct ht_trust *trust, struct ht_slice member,
	    struct ht_slice node, const struct ht_keyid *id, uint64_t now_ms,
	    const struct ht_pub **ret_pub);
};
extern const struct ht_lane_rules ht_lane_rules; /* the real ones */

struct ht_lane_conf {
	const struct ht_lane_rules *rules;
	uint64_t secret[2];       /* random */
	uint32_t ids_max;         /* records remembered at once */
	uint32_t open_max;        /* open requests, all together */
	uint32_t open_member_max; /* made to one member; by one: an eighth */
	uint32_t window_records;  /* on the way to one node, not GOT */
	uint32_t window_bytes;
	uint32_t log_bytes;       /* read from the log again, in one group */
	uint32_t again_bytes;     /* sent again for one node, at once, and */
	uint32_t again_ms;        /* then so many every millisecond */
	uint32_t refusals_minute; /* entries of one member */
	uint64_t away_ms;         /* so long a node's absence goes unnoticed */
};
#define HT_LANE_CONF                                                           \
	((struct ht_lane_conf){                                                \
	    .rules = &ht_lane_rules,                                           \
	    .ids_max = 8000000,                                                \
	    .open_max = 200000,                                                \
	    .open_member_max = 50000,                                          \
	    .window_records = 2048,                                            \
	    .window_bytes = 16 << 20,                                          \
	    .log_bytes = 8 << 20,                                              \
	    .again_bytes = 16 << 20,                                           \
	    .again_ms = 4096,                                                  \
	    .refusals_minute = 120,                                            \
	    .away_ms = 10000,                                                  \
	})

/* @next_place: the log's next seq. */
enum ht_err ht_lane_new(const struct ht_lane_conf *conf, uint64_t now_ms,
    uint64_t next_place, struct ht_lane **ret) HT_MUST_USE;
void ht_lane_free(struct ht_lane **lane_p);

/* ---- actions ---- */

enum ht_act_type {
	HT_ACT_APPEND,  /* before the commit; the others after it */
	HT_ACT_RESULT,  /* the answer to one record */
	HT_ACT_REFUSE,  /* the answer to a whole bundle */
	HT_ACT_DELIVER, /* hand a record to a node */
	HT_ACT_END,     /* tell a node that its request has ended */
};
struct ht_act {
	enum ht_act_type type;
	struct ht_parcel *parcel; /* of record; NULL: read it from the log */
	uint32_t record;          /* position in the parcel */
	unsigned entry;           /* APPEND: enum ht_entry_type */
	unsigned status;
	uint32_t retry_ms;
	uint64_t place; /* APPEND: the seq it must get; else the record's */
	uint64_t cites;
	uint64_t first;     /* APPEND, DELIVER: the first entry of its bundle */
	struct ht_conn *to; /* DELIVER, END, REFUSE: borrowed */
	struct ht_id id;    /* END, EXPIRED: the request's */
	const char *member, *node;  /* APPEND without parcel; borrowed */
	struct ht_hash hash;        /* REJECT of what was not verified */
	uint64_t len;               /* its bytes; REFUSALS: the count */
	uint64_t from_ms;           /* REFUSALS */
	struct ht_reasons *reasons; /* RESULT, REFUSE; NULL: status says all */
};
/* All of this group, in order; valid until cleared. */
const struct ht_act *ht_lane_acts(const struct ht_lane *lane, size_t *ret_n);
void ht_lane_clear(struct ht_lane *lane);

/*
 * Events.  HT_ENOMEM from any of them: the group must not be used, and the
 * process should end.
 */

/* Settle a checked parcel, under the trust in force. */
enum ht_err ht_lane_parcel(struct ht_lane *lane, const struct ht_trust *trust,
    struct ht_parcel *parcel, uint64_t now_ms) HT_MUST_USE;
/*
 * Something else of a member was refused: a strange frame, a strange key
 * (@conn NULL, member "").  Entry within its budget.
 */
enum ht_err ht_lane_refused(struct ht_lane *lane, const char *member,
    const char *node, const struct ht_hash *hash, uint64_t len, unsigned status,
    uint64_t now_ms) HT_MUST_USE;
/* A node said HELLO: from now on by this connection (counted once more). */
enum ht_err ht_lane_up(
    struct ht_lane *lane, struct ht_conn *conn, uint64_t now_ms) HT_MUST_USE;
/* That connection is no more; nothing if the node has a newer one. */
enum ht_err ht_lane_down(struct ht_lane *lane, const struct ht_conn *conn,
    uint64_t now_ms) HT_MUST_USE;
/* A node has and keeps these records. */
enum ht_err ht_lane_got(struct ht_lane *lane, const struct ht_conn *conn,
    const uint64_t *places, size_t n) HT_MUST_USE;
/*
 * Time passes.  At most @max ends at once, so that a group stays small;
 * *ret_more: call again in the next one.
 */
enum ht_err ht_lane_tick(struct ht_lane *lane, uint64_t now_ms, size_t max,
    bool *ret_more) HT_MUST_USE;
/* Is anything new admitted?  What is not is neither logged nor remembered. */
struct ht_admission {
	unsigned status; /* HT_ST_OK, or the answer (PAUSED, INTERNAL) */
	bool answers;    /* responses are: what was admitted before may end */
	const char *why; /* for who is refused, and the operator; static */
};
void ht_lane_admit(struct ht_lane *lane, struct ht_admission admission);
/* An entry of somebody else's (ADMIN, SNAPSHOT, ...) took the next place. */
void ht_lane_skip(struct ht_lane *lane);

/*
 * An entry of the log, read again at start, oldest first; @header is decoded
 * from its payload, NULL if it has none; @tag: of a REQUEST, from the vault.
 * Gives no actions; nodes get what is theirs when they say HELLO.
 */
enum ht_err ht_lane_replay(struct ht_lane *lane, const struct ht_entry *e,
    const struct ht_header *header, struct ht_slice tag, uint64_t now_ms)
    HT_MUST_USE;

/*
 * A REQUEST entry of today whose record lives no more: it is remembered for
 * its grant's quota alone.
 */
enum ht_err ht_lane_replay_use(struct ht_lane *lane, const struct ht_entry *e)
    HT_MUST_USE;
/* The zone by which days are counted, as the root says; 0 before. */
void ht_lane_zone(struct ht_lane *lane, int64_t zone_ms);

struct ht_lane_stats {
	uint64_t ids, open, accepted, answered, expired, rejected, conflicts,
	    late, refused_bundles, duplicates, delivered, got;
};
void ht_lane_stats(const struct ht_lane *lane, struct ht_lane_stats *ret);

#endif
