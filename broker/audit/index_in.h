/*
 * index_in.h -- the index's inside: rows that lead to entries (index.c), and
 * the rolls of subjects (index_rolls.c).
 */
#ifndef HT_BROKER_AUDIT_INDEX_IN_H
#define HT_BROKER_AUDIT_INDEX_IN_H

#include <pthread.h>
#include <stdatomic.h>

#include "broker/audit/index.h"

enum {
	META,
	BY_EXCHANGE,
	BY_MEMBER,
	BY_ITEM,
	BY_STATUS,
	BY_TYPE,
	BY_SUBJECT,
	ROLLS,
	ROLL_ROOTS,
	ROLL_SAID,
	INDEX_DBS
};

struct ht_index {
	struct ht_log *log;
	struct ht_store *store; /* NULL: every entry is looked at */
	char *dir;              /* NULL when reading */
	char *boot;             /* path of the mark "open since this boot" */
	_Atomic uint64_t upto;
	/* Over the store: it is replaced when rows must be destroyed. */
	pthread_rwlock_t using;
	bool halted;

	/* NULL when reading; the thread's that fills */
	struct ht_rolls *rolls;
	uint64_t known;  /* INDEX_ROOTs that we did not append are below */
	uint64_t rooted; /* ranges that end below have theirs, or got one */
};

extern const struct ht_roll_dbs index_rolls;
/* A row of ROLL_SAID. */
enum ht_err index_put_said(struct ht_txn *txn, const struct ht_entry *e)
    HT_MUST_USE;

#endif
