/*
 * verify.h -- everything in a stopped or copied log, recomputed.
 */
#ifndef HT_BROKER_CHECK_VERIFY_H
#define HT_BROKER_CHECK_VERIFY_H

#include "broker/log/log.h"
#include "schemas/trust.h"

#define HT_VERIFY_TYPES 32

struct ht_verify {
	/* in */
	const struct ht_vkey *vkey;   /* NULL: checkpoints not verified */
	const struct ht_trust *trust; /* NULL: bundles not verified */
	/* Called for every entry, before anything of it is read. */
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	void *arg;

	/* out */
	uint64_t size;
	struct ht_hash root;
	uint64_t first_us, last_us;
	uint64_t by_type[HT_VERIFY_TYPES];
	uint64_t bundles, signatures, no_key; /* no_key: not in the trust */
	uint64_t checkpoints;
	uint64_t pieces;           /* of the vault, with tag and body hashed */
	uint64_t erasures, erased; /* ERASE entries; of how many entries */
	uint64_t orders, orders_unknown; /* signed by officers at hand; not */
	uint64_t disclosures, disclosed; /* DISCLOSE entries; of looks */
	uint64_t rolls, rolls_gone; /* INDEX_ROOTs; of these, not to be made
	                               anew, for tags were erased since */
	uint64_t volumes;           /* closed ranges */
	uint64_t kept;              /* entries below are in their files, or */
	uint64_t begin;             /* were removed; */
	uint64_t removals;          /* by these REMOVED entries, */
	uint64_t removals_known;    /* of these, with officers at hand */
	uint64_t removed_by;        /* the newest of them */
	uint64_t cites_gone;        /* entries that cite what was removed */
	uint64_t kept_bundles;      /* of the bundles, those in files */
	bool no_vault;              /* the copy has none, */
	uint64_t unseen;            /* and so many tags and bodies of it */
	bool anchored;

	bool has_bad_seq;
	uint64_t bad_seq; /* the first bad entry */
	char bad[400];    /* what is wrong: expected, found */
};

/*
 * Walk the log in @dir and stop at the first thing that is wrong.  Errors:
 * HT_EINTEGRITY, HT_EROLLBACK (with ret->bad); HT_ENOTFOUND (no log there);
 * HT_EAGAIN (a broker is writing it); HT_ESTORE; HT_ENOMEM.
 */
enum ht_err ht_verify_log(const char *dir, struct ht_verify *v) HT_MUST_USE;

/* The signing key of a bundle's node, if the trust knows it; else NULL. */
const struct ht_keyinfo *ht_trust_bundle_key(
    const struct ht_trust *trust, const struct ht_bundle *bundle);

#endif
