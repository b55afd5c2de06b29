/*
 * index.h -- finding entries: a derived index, filled behind the log.
 */
#ifndef HT_BROKER_AUDIT_INDEX_H
#define HT_BROKER_AUDIT_INDEX_H

#include "broker/audit/log.h"
#include "schemas/tag.h"

struct ht_index;

/* Open or create; wiped and rebuilt when it does not fit the log. */
enum ht_err ht_index_open(
    const char *dir, struct ht_log *log, struct ht_index **ret) HT_MUST_USE;
void ht_index_close(struct ht_index **index_p);
/* Take in at most @max new entries; *ret_more says whether some are left. */
enum ht_err ht_index_catch_up(
    struct ht_index *index, size_t max, bool *ret_more) HT_MUST_USE;
uint64_t ht_index_upto(const struct ht_index *index);

/* What to look for; empty slices and zeroes: no condition. */
struct ht_filter {
	uint64_t from_us;
	uint64_t to_us;         /* exclusive; 0: no end */
	struct ht_slice member; /* as sender, recipient or transport */
	struct ht_slice peer;   /* the other side */
	struct ht_slice item;
	struct ht_slice purpose;
	int status; /* -1: any; -2: any refusal */
	int type;   /* -1: any */
	bool has_exchange;
	struct ht_id exchange;
	bool has_subject;
	struct ht_pseudonym subject;
	uint64_t start_seq; /* go on from here */
	uint64_t size;      /* pin: only entries below; 0: all committed */
	uint32_t limit;     /* rows at most; 0: no limit */
};
/*
 * Entries that match, in order of the log, through the best index; each leaf
 * to @each.  *ret_scanned counts the leaves looked at.
 */
enum ht_err ht_index_search(struct ht_index *index,
    const struct ht_filter *filter,
    enum ht_err (*each)(void *arg, const struct ht_entry *e), void *arg,
    uint64_t *ret_scanned) HT_MUST_USE;

#endif
