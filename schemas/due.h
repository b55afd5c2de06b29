/*
 * due.h -- what runs out soon: keys of members and epochs that nothing
 * follows, grants, the current note; told weeks ahead, by every program that
 * sees the trust documents (docs/trust.md, "Before something runs out").
 *
 * Pure.  A key that another one of its purpose takes over in time is not due:
 * the rotation is under way.
 */
#ifndef HT_SCHEMAS_DUE_H
#define HT_SCHEMAS_DUE_H

#include "schemas/trust.h"

#define HT_DUE_MS (UINT64_C(28) * 86400000) /* four weeks: holidays happen */

enum ht_due_what {
	HT_DUE_SIGNING,
	HT_DUE_TRANSPORT,
	HT_DUE_SEALING,
	HT_DUE_GRANT,
	HT_DUE_EPOCH,
	HT_DUE_CURRENT, /* by ht_due_current() alone */
};

struct ht_due {
	enum ht_due_what what;
	/* The member, or member/node; the grant; the last epoch. */
	char whose[HT_NAME_MAX + HT_NODE_MAX + 2];
	uint64_t until_ms; /* nothing is there from then on */
	bool over;         /* or from now on already */
};
typedef void ht_due_fn(void *arg, const struct ht_due *due);

/*
 * Until when @keys, taken together, leave no gap; @now_ms itself if none is
 * valid now.
 */
uint64_t ht_keys_cover(
    const struct ht_keyinfo *keys, unsigned n, uint64_t now_ms);

/* A member's keys that are over within @ahead_ms, and nothing follows. */
void ht_due_member(const struct ht_member *member, uint64_t now_ms,
    uint64_t ahead_ms, ht_due_fn *say, void *arg);
/* The epochs, which must follow one another. */
void ht_due_epochs(const struct ht_trust *trust, uint64_t now_ms,
    uint64_t ahead_ms, ht_due_fn *say, void *arg);
/* The current note, which is freshened all along; @ahead_ms as all others. */
void ht_due_current(const struct ht_trust *trust, uint64_t now_ms,
    uint64_t ahead_ms, ht_due_fn *say, void *arg);
/* All members, all grants that are in force now, the epochs. */
void ht_due_all(const struct ht_trust *trust, uint64_t now_ms,
    uint64_t ahead_ms, ht_due_fn *say, void *arg);

/* One sentence: what, when, and what to do about it. */
#define HT_DUE_TEXT 512
void ht_due_text(
    const struct ht_due *due, uint64_t now_ms, char out[static HT_DUE_TEXT]);

#endif
