/*
 * verify_in.h -- parts of verifying a log.
 */
#ifndef HT_BROKER_CHECK_VERIFY_IN_H
#define HT_BROKER_CHECK_VERIFY_IN_H

#include "broker/check/recount.h"
#include "broker/check/verify.h"
#include "broker/index/rolls.h"
#include "broker/log/bundles.h"
#include "broker/log/erasure.h"
#include "broker/log/evidence.h"

/*
 * The roll of said->from ... said->to - 1 from the tags in the vault, without
 * those that an entry before @said_by erased.  *ret_gone: another was erased
 * since, so that its root cannot be made any more.
 */
enum ht_err ht_roll_remake(struct ht_log *log, const struct ht_roll_said *said,
    uint64_t said_by, struct ht_roll_said *ret, bool *ret_gone) HT_MUST_USE;

/* Closed ranges, as their entries come by. */
struct ht_ranges {
	uint64_t first;   /* of the open one */
	uint32_t segment; /* where its pieces may begin, */
	uint32_t newest;  /* and the last that has some, */
	bool used;        /* if any has */
	uint64_t n;       /* closed */
};
/* False: it stands in a segment of an earlier volume. */
bool ht_ranges_piece(struct ht_ranges *ranges, uint32_t segment) HT_MUST_USE;
/* False: that is not what the VOLUME entry at @seq must say. */
bool ht_ranges_volume(struct ht_ranges *ranges, uint64_t seq,
    struct ht_slice payload) HT_MUST_USE;
/* Rows of `bundles` that are of no volume's file. */
enum ht_err ht_ranges_bundles(
    struct ht_log *log, struct ht_txn *txn, uint64_t *ret) HT_MUST_USE;
/* The volume whose file ends where the tree has @size; NULL: none. */
struct ht_volume *ht_ranges_ended(struct ht_log *log, uint64_t size);

/* ---- one walk over all entries ---- */

struct verify {
	struct ht_verify *v;
	struct ht_log *log;
	struct ht_txn *txn;
	struct ht_stored rows;
	struct ht_seek *cps;
	struct ht_ranges ranges;
	/* Of what is in a volume's file: evidence, what an entry cites. */
	struct ht_buf scratch, cited;
	uint64_t next_cp; /* size of the checkpoint to come; 0: none */
	struct ht_slice cp_note;
	struct ht_frontier f;
	uint64_t seq;
	struct {
		bool older;            /* another may have been before it */
		uint64_t end;          /* of the newest REMOVED so far */
		uint64_t border_first; /* what the first entry closed */
	} removed;
	bool tree_bad;

	/* the bundle whose entries are passing by */
	struct ht_bundle bundle;
	uint64_t bundle_first;
	uint32_t bundle_seen; /* of its records; == n_records: none open */

	/* Erasures of the vault: their lists, and how much is gone. */
	struct erasure {
		struct ht_erasure *list;
		uint64_t gone;
	} * erasures;
	size_t n_erasures, cap_erasures;

	struct ht_recount recount; /* what DISCLOSE entries count */
	uint8_t *ended;            /* a bit a request: it had its end */
	struct ht_header header;
	struct ht_header request;
	struct ht_buf tag, body;
};

/*
 * The entry at hand is the first bad one, and why; or the log as a whole is.
 * HT_EINTEGRITY.
 */
enum ht_err verify_bad(struct verify *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
enum ht_err verify_bad_log(struct verify *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
enum ht_err verify_bad_hash(struct verify *s, const char *what,
    const struct ht_hash *expected, const struct ht_hash *found);

/* The next leaf of the tree; s->tree_bad, if that is not what is stored. */
void verify_grow(struct verify *s, const struct ht_hash *hash);

/* The entry at hand was removed; is the first that was not; says so. */
enum ht_err verify_gone(struct verify *s) HT_MUST_USE;
enum ht_err verify_border(struct verify *s, const struct ht_entry *e)
    HT_MUST_USE;
enum ht_err verify_removed(struct verify *s, const struct ht_entry *e)
    HT_MUST_USE;
/* After all entries: nothing is missing but what was removed. */
enum ht_err verify_removals(struct verify *s) HT_MUST_USE;
/* What it cites was removed: that is counted. */
bool verify_cites_gone(struct verify *s, const struct ht_entry *e);

/* Is a bundle's last record still to come? */
bool verify_bundle_open(const struct verify *s);
enum ht_err verify_bundle(struct verify *s, const struct ht_entry *e)
    HT_MUST_USE;

/* The header, into s->header; the request that it cites, into s->request. */
enum ht_err verify_header(struct verify *s, const struct ht_entry *e)
    HT_MUST_USE;
enum ht_err verify_cited(struct verify *s, const struct ht_entry *e)
    HT_MUST_USE;
enum ht_err verify_answer(struct verify *s, const struct ht_entry *e)
    HT_MUST_USE;
enum ht_err verify_expired(struct verify *s, const struct ht_entry *e)
    HT_MUST_USE;
/* Each accepted request ends once. */
enum ht_err verify_end(struct verify *s, const struct ht_entry *e) HT_MUST_USE;
/* Tag and body, of the header that is at hand. */
enum ht_err verify_vault(struct verify *s, const struct ht_entry *e)
    HT_MUST_USE;

/* The lists in the folder @vault, before all entries; and after them. */
enum ht_err verify_load_lists(struct verify *s, const char *vault) HT_MUST_USE;
enum ht_err verify_lists(struct verify *s) HT_MUST_USE;
enum ht_err verify_erase(struct verify *s, const struct ht_entry *entry)
    HT_MUST_USE;
/* The entry that an erased part names must have this entry on its list. */
enum ht_err verify_erased_part(struct verify *s, uint64_t by, const char *what)
    HT_MUST_USE;
/* Whatever list the entry is on: is that part gone? */
void verify_count_gone(struct verify *s, const struct ht_erased *erased);

/* Payloads; and, after all entries, what DISCLOSE entries count. */
enum ht_err verify_map(struct verify *s, const struct ht_entry *e) HT_MUST_USE;
enum ht_err verify_roll(struct verify *s, const struct ht_entry *e) HT_MUST_USE;
enum ht_err verify_disclose(struct verify *s, const struct ht_entry *e)
    HT_MUST_USE;
enum ht_err verify_claims(struct verify *s) HT_MUST_USE;
enum ht_err verify_volume(struct verify *s, const struct ht_entry *e)
    HT_MUST_USE;

#endif
