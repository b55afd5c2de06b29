/*
 * fsck.h -- the files of a stopped or copied log: does every part of them fit
 * the entries?  What `verify` believes or does not is none of its business: it
 * needs no key, and goes on after what is wrong.
 */
#ifndef HT_BROKER_CHECK_FSCK_H
#define HT_BROKER_CHECK_FSCK_H

#include "broker/log/log.h"

/* What is hurt, and so what is to be done. */
enum ht_fsck_part {
	HT_FSCK_ENTRIES, /* the evidence itself: a good copy is needed */
	HT_FSCK_VAULT,   /* tags and bodies: the same */
	HT_FSCK_TREE,    /* the stored tree; derived, but nobody rebuilds it */
	HT_FSCK_HEAD,
	HT_FSCK_SIGNED,  /* checkpoints, anchor */
	HT_FSCK_INDEX,   /* derived: wiped, it is made anew */
	HT_FSCK_REMAINS, /* of a crash: harmless */
	HT_FSCK_PARTS
};
const char *ht_fsck_text(enum ht_fsck_part part);

#define HT_FSCK_SHOWN 10 /* findings of a part that are told one by one */

struct ht_fsck {
	/* in */
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	/* A finding: in which part, where, what. */
	void (*found)(void *arg, enum ht_fsck_part part, const char *what);
	void *arg;

	/* out */
	uint64_t size;
	uint64_t findings[HT_FSCK_PARTS];
	uint64_t pieces;  /* of the vault, hashed */
	uint64_t unseen;  /* that a vault which is not there should have */
	uint64_t indexed; /* entries that the index goes to */
	uint64_t rows;    /* of the index, compared */
	bool no_vault, no_index;
	bool rolled_back; /* the anchor is ahead of the entries */
};

/*
 * Errors: HT_ENOTFOUND (no log there); HT_EAGAIN (a broker is writing it);
 * HT_ESTORE; HT_ENOMEM.  What is wrong is no error but a finding.
 */
enum ht_err ht_fsck_log(const char *dir, struct ht_fsck *fsck) HT_MUST_USE;

#endif
