/*
 * history.h -- a log with a life in it: exchanges between the members of a
 * world, answered, expired and refused, in bundles signed with their keys.
 *
 * Whatever fails in making it ends the test program with a message, unless the
 * test wants to see it.
 */
#ifndef HT_TESTS_LIB_HISTORY_H
#define HT_TESTS_LIB_HISTORY_H

#include "broker/log/log.h"
#include "schemas/doc.h"
#include "tests/lib/world.h"

struct ht_history {
	const struct ht_world *world;
	struct ht_log *log;
	uint64_t now_us;    /* of the next entry; each step adds a second */
	uint64_t answer_us; /* how much longer answers take than a second */
	uint64_t group;     /* entries of a commit; 0: of each bundle */
	uint64_t records;   /* made so far: ids and bodies follow from it */
	uint64_t counts[HT_ENTRY_REMOVED + 1]; /* entries by type */

	/* Who stands for subject number 0, in tags of answers, too; or NULL. */
	const struct ht_pseudonym *known;
	/* Once: what happens between requests and their answers; or NULL. */
	void (*between)(struct ht_history *h);

	/* Set after ht_history_init(), where a test wants to know. */
	void (*committed)(void *arg, struct ht_slice note);
	void (*failed)(void *arg, enum ht_err err); /* must not return */
	void *arg;
};

void ht_history_init(
    struct ht_history *h, const struct ht_world *world, struct ht_log *log);
/* START and SNAPSHOT. */
void ht_history_start(struct ht_history *h);
/*
 * tax.demo/state asks scjg.demo/registry @n times, in one bundle of which the
 * last record is left out of the log.  The first @answered get a response, in
 * bundles of at most three, the others expire.  Requests have tags of subject
 * number @subject.  *ret_first (may be NULL) is the first request's entry.
 */
void ht_history_exchanges(struct ht_history *h, unsigned n, unsigned answered,
    unsigned subject, uint64_t *ret_first);
/* tax.demo/local asks for what it was not granted: REJECT with @status. */
void ht_history_refused(struct ht_history *h, unsigned status);
/* So many more of a member's, beyond what it may be refused a minute. */
void ht_history_refusals(
    struct ht_history *h, const char *member, uint64_t count);
/* A signature that did not verify: REJECT by hash. */
void ht_history_stranger(struct ht_history *h);
void ht_history_stop(struct ht_history *h);
/* What ->group held back. */
void ht_history_commit(struct ht_history *h);
/* The open range is closed: a VOLUME entry, alone in its group. */
void ht_history_volume(struct ht_history *h);
/* Its file is written, and taken for its entries; no row goes yet. */
void ht_history_keep(struct ht_history *h);
/* The second half of that: the file that ends at @end is there. */
void ht_history_take(struct ht_history *h, uint64_t end);
/* All rows that are in files go. */
void ht_history_forget(struct ht_history *h);

/*
 * An order, signed by two officers, to erase the tags of entries @first ...
 * @first + @n - 1; @number makes its name.
 */
struct ht_doc *ht_history_order(
    const struct ht_world *world, unsigned number, uint64_t first, unsigned n);
#define HT_HISTORY_OFFICERS "gx.demo/officer-1, gx.demo/officer-2"
/* It is carried out, a day later; *the ERASE entry.  There is no index. */
uint64_t ht_history_erase(
    struct ht_history *h, unsigned number, uint64_t first, unsigned n);

/* An order of @kind by the same two, of the year 2030: terms are over then. */
struct ht_doc *ht_history_order_of(
    const struct ht_world *world, const char *kind, const char *scope);
#define HT_HISTORY_OVER "2030-01-01T00:00:00Z"
struct ht_doc *ht_history_removal(const struct ht_world *world, uint64_t first,
    uint64_t end, const char *over);
/* All "tags", or "bodies", of before; nothing, if there are none. */
void ht_history_erase_before(
    struct ht_history *h, const char *what, uint64_t before_us);
/* All tags and bodies of the oldest volume. */
void ht_history_erase_oldest(struct ht_history *h);
/* The oldest volume goes, erased before.  There is no index. */
void ht_history_remove(struct ht_history *h);

#define HT_HISTORY_ANNEX 64
/* What stands for the sealed annex in the tag of the record made before. */
void ht_history_annex(uint64_t record, uint8_t out[static HT_HISTORY_ANNEX]);
/* The pseudonym that stands in tags of subject number @subject. */
struct ht_pseudonym ht_history_subject(unsigned subject);

#endif
