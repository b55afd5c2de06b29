/*
 * round.h -- who has cosigned which checkpoint, whom to ask next, and what an
 * answer means.  Pure: messages and times go in; sockets and the log are the
 * caller's (broker/cosign.c).
 *
 * Every so often, while the log grows, the newest checkpoint is put before
 * the witnesses that are connected.  Exchanges never wait for them.
 */
#ifndef HT_BROKER_ROUND_H
#define HT_BROKER_ROUND_H

#include "keys/quorum.h"
#include "lib/net/net.h"
#include "schemas/trust.h"

#define HT_ROUND_WAIT_MS   10000 /* for an answer; then it is asked again */
#define HT_ROUND_CONFLICTS 3     /* 409s of one round: then the next one */

struct ht_round_witness {
	struct ht_vkey key;
	char user[HT_USERID_MAX + 1]; /* whose connection; "": not here */
	uint64_t size;                /* it says that it cosigned so much */
	uint64_t ref;                 /* asked, and not answered yet; 0: no */
	uint64_t asked_ms;
	unsigned conflicts;
	unsigned refused;  /* its last answer, if it was no 200 or 409 */
	uint64_t cosigned; /* the largest checkpoint with a line of its */
	uint64_t time_s;   /* of that line */
};

struct ht_round {
	unsigned n;
	unsigned needed; /* the quorum's k */
	struct ht_round_witness at[HT_WITNESSES_MAX];
	struct ht_quorum *policy; /* NULL: no witnesses */
	uint64_t every_ms;
	uint64_t begun_ms;
	uint64_t ref;
	uint64_t size;      /* of the checkpoint at hand; 0: none */
	struct ht_buf note; /* with the cosignatures so far */
	uint64_t met_size;  /* the largest that a quorum has cosigned */
	uint64_t met_s;     /* since when: its latest cosignature */
};

void ht_round_init(struct ht_round *round, uint64_t every_ms);
void ht_round_fini(struct ht_round *round);
/* The witnesses that a root lists; who stays keeps what is known of it. */
enum ht_err ht_round_set(struct ht_round *round, const struct ht_root *root)
    HT_MUST_USE;
/* A checkpoint with cosignatures, of an earlier run or just made. */
enum ht_err ht_round_note(struct ht_round *round, struct ht_slice note)
    HT_MUST_USE;

/*
 * "I cosign as @name, and am at @size": from a node of that name's member.
 * NULL: the root lists no such witness, or it is not this member's.
 */
struct ht_round_witness *ht_round_offer(struct ht_round *round,
    struct ht_slice name, const char *user, const char *member, uint64_t size);
void ht_round_lost(struct ht_round *round, const char *user);

/*
 * Begin a round with the newest checkpoint, if it is time and somebody who is
 * here has not cosigned so much.  True: ask.  HT_ENOMEM shows as false.
 */
bool ht_round_begin(struct ht_round *round, uint64_t now_ms,
    struct ht_slice note, uint64_t size);
/* The next one to be asked for round->note: marks it; NULL: nobody. */
struct ht_round_witness *ht_round_next(struct ht_round *round, uint64_t now_ms);

enum ht_round_said {
	HT_ROUND_STRAY,     /* nobody asked that */
	HT_ROUND_COSIGNED,  /* round->note has its line */
	HT_ROUND_ELSEWHERE, /* it is at another size, and is asked from there */
	HT_ROUND_NO,        /* it refuses (witness->refused says how) */
	HT_ROUND_FALSE,     /* its cosignature is none; it is not asked again */
};
/* An answer to @ref.  *ret_who: whose, unless STRAY. */
enum ht_round_said ht_round_answer(struct ht_round *round, const char *user,
    uint64_t ref, unsigned status, struct ht_slice body,
    struct ht_round_witness **ret_who);

#endif
