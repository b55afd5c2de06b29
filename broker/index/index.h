/*
 * index.h -- finding entries: a derived index, filled behind the log.
 *
 * Wipe it at will: what it lacks is looked up in the entries themselves, so a
 * search is complete whatever the index has reached.
 */
#ifndef HT_BROKER_INDEX_INDEX_H
#define HT_BROKER_INDEX_INDEX_H

#include "broker/index/rolls.h"
#include "broker/log/log.h"

/*
 * Whom and what an entry is about: from its header, or, when it has none, from
 * the request it cites.  Slices point into the entry or into `cited`.
 */
struct ht_about {
	bool has_header; /* the entry's own */
	struct ht_header header;
	bool has_exchange;
	struct ht_id exchange;
	struct ht_slice sender;
	struct ht_slice recipient;
	struct ht_slice item;
	struct ht_slice purpose;
	unsigned operation; /* 0: unknown */
	uint8_t cited[HT_LEAF_MAX];
};
/*
 * HT_EINTEGRITY for a header that does not decode; @log may be NULL.  Of what
 * cites an entry that is not here, only its own fields are known.
 */
enum ht_err ht_entry_about(struct ht_log *log, const struct ht_entry *e,
    struct ht_about *ret) HT_MUST_USE;
/*
 * The same for an entry without a header, from the leaf it cites; slices point
 * into @leaf.  HT_EINTEGRITY: it has no header, either.
 */
enum ht_err ht_about_cited(struct ht_slice leaf, struct ht_about *about)
    HT_MUST_USE;
/* Refused by the broker, or by the provider in its response. */
bool ht_entry_refused(const struct ht_entry *e, const struct ht_about *about);

struct ht_index;

/*
 * Open or create; wiped when it does not fit the log, or when the machine went
 * down under it.  With a log open for reading nothing is written, and an index
 * that does not fit is left alone: then every entry is looked at.
 * @dir may be NULL: no index at all.  @log must outlive the index.
 */
enum ht_err ht_index_open(
    const char *dir, struct ht_log *log, struct ht_index **ret) HT_MUST_USE;
void ht_index_close(struct ht_index **index_p);
/*
 * Take in at most @max new entries; *ret_more says whether some are left.
 * Thread: one at a time; searches may run beside it.
 */
enum ht_err ht_index_catch_up(
    struct ht_index *index, size_t max, bool *ret_more) HT_MUST_USE;
/*
 * Destroy every row: a new index is begun, the old one's file overwritten and
 * removed.  Nothing is filled in before ht_index_go_on().  Searches go on, by
 * looking at the entries.
 */
enum ht_err ht_index_destroy(struct ht_index *index) HT_MUST_USE;
void ht_index_go_on(struct ht_index *index);
/* Entries below this are in the index. */
uint64_t ht_index_upto(const struct ht_index *index);

/* ---- rolls (docs/log-format.md, "Rolls") ---- */

/*
 * Ranges whose tags have another root than the log has an INDEX_ROOT of, or
 * none, get one: their payloads to @append, at most HT_ROLLS_ONCE at a time.
 * It may wait until they are durable; no rows are destroyed meanwhile, so that
 * each is true where it stands.  Thread: the one of ht_index_catch_up().
 */
#define HT_ROLLS_ONCE 64
enum ht_err ht_index_roots(struct ht_index *index,
    enum ht_err (*append)(void *arg, const struct ht_slice *payloads, size_t n),
    void *arg) HT_MUST_USE;

/* Which rolls cover entries from the first on, as few as can be, in order. */
struct ht_roll_plan {
	size_t n;
	struct ht_roll_part {
		struct ht_roll_said roll;
		uint64_t said_by; /* its INDEX_ROOT */
	} * parts;
	uint64_t whole; /* entries that no roll covers */
};
void ht_roll_plan_fini(struct ht_roll_plan *plan);
/* Of entries below @end, with INDEX_ROOTs below @size. */
enum ht_err ht_index_plan(struct ht_index *index, uint64_t end, uint64_t size,
    struct ht_roll_plan *ret) HT_MUST_USE;
/* The rows of one of them; HT_EAGAIN: they were destroyed since. */
enum ht_err ht_index_roll(struct ht_index *index,
    const struct ht_roll_said *roll, struct ht_roll_row **ret) HT_MUST_USE;

/* What to look for; empty slices and zeroes: no condition. */
struct ht_filter {
	uint64_t from_us;
	uint64_t to_us;         /* exclusive; 0: no end */
	struct ht_slice member; /* as sender, recipient or transport */
	struct ht_slice peer;   /* the other side */
	struct ht_slice item;
	struct ht_slice purpose;
	int operation; /* -1: any */
	int status;    /* -1: any; -2: any refusal */
	int type;      /* -1: any */
	bool has_exchange;
	struct ht_id exchange;
	bool has_subject;
	struct ht_pseudonym subject;
	uint64_t start_seq; /* go on from here */
	uint64_t size;      /* pin: only entries below; 0: all committed */
	uint32_t limit;     /* rows at most; 0: no limit */
};
#define HT_FILTER_ALL                                                          \
	((struct ht_filter){.operation = -1, .status = -1, .type = -1})

/*
 * What can be said without the log: everything but subject, period and place.
 */
bool ht_filter_matches(const struct ht_filter *filter, const struct ht_entry *e,
    const struct ht_about *about);
/*
 * The entries [*ret_lo, *ret_hi) of the filter's period, start and size, of
 * those that are here.
 * Errors: HT_ENOTFOUND (a size beyond the log); HT_EINTEGRITY.
 */
enum ht_err ht_index_bounds(struct ht_index *index,
    const struct ht_filter *filter, uint64_t *ret_lo, uint64_t *ret_hi)
    HT_MUST_USE;

/*
 * Entries that match, in order of the log, through the best index; each entry
 * to @each, which may stop it with an error of its own.  *ret_scanned counts
 * the entries looked at.
 */
enum ht_err ht_index_search(struct ht_index *index,
    const struct ht_filter *filter,
    enum ht_err (*each)(void *arg, const struct ht_entry *e), void *arg,
    uint64_t *ret_scanned) HT_MUST_USE;

#endif
