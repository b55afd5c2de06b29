/*
 * source.h -- where a department's data comes from, behind one table of
 * operations: a database (adapters/sql), a file of records (adapters/files).
 *
 * A source answers later, from step(); nothing here blocks.
 */
#ifndef HT_ADAPTERS_SOURCE_H
#define HT_ADAPTERS_SOURCE_H

#include "lib/conf/conf.h"
#include "schemas/json.h"
#include "schemas/trust.h"

struct ht_found {
	unsigned status;       /* HT_ST_OK, HT_ST_SOURCE_DOWN, ... */
	const char *detail;    /* may be told to the caller; never NULL */
	const json_t *records; /* array of objects, in the item's terms */
	bool more;             /* further ones exist beyond the limit */
};
/* Called once per question; everything is borrowed. */
typedef void ht_found_fn(void *arg, const struct ht_found *found);

struct ht_source; /* a source's own */
struct ht_query;  /* how one item is asked of it: its own, too */

struct ht_source_ops {
	const char *kind; /* the key that names it in the configuration */

	/*
	 * Read @map, the value under that key; findings go to the document's
	 * report.  @dir: relative paths start there.  HT_EINVALID; HT_ENOMEM.
	 */
	enum ht_err (*open)(const char *name, const char *dir,
	    struct ht_yaml *map, struct ht_source **ret);
	/* What is still open is answered first: SOURCE_DOWN. */
	void (*close)(struct ht_source **source_p);

	/* Read what an item's entry says to this kind. */
	enum ht_err (*query)(struct ht_source *source, struct ht_yaml *item,
	    struct ht_query **ret);
	void (*query_free)(struct ht_query **query_p);
	/* What of the mapping cannot serve this item: findings. */
	void (*check)(const struct ht_query *query, const struct ht_item *item,
	    const char *where, struct ht_report *report);

	/* @deadline_ms: ht_clock_mono_ms(). HT_EAGAIN: too many wait. */
	enum ht_err (*ask)(struct ht_source *source,
	    const struct ht_query *query, const json_t *params,
	    uint32_t rows_max, uint64_t deadline_ms, ht_found_fn *done,
	    void *arg);

	int (*fd)(const struct ht_source *source); /* -1: none */
	int (*wait_ms)(const struct ht_source *source, uint64_t now_ms);
	void (*step)(struct ht_source *source, uint64_t now_ms);
};

extern const struct ht_source_ops ht_source_odbc;
extern const struct ht_source_ops ht_source_file;

/*
 * How many rows to have looked at for an answer.  A grant with a row filter
 * needs more looked at than it lets out.  What then lies beyond may be the
 * grant's or not: no source can tell without its rows being looked at, too, so
 * `more` must be said (an answer must not pass for a whole one), and hints that
 * there are so many rows.  The number is therefore large, also for an item
 * that gives few records, and the same for every grant of it.
 */
uint32_t ht_source_rows(
    const struct ht_item *item, const struct ht_grant *grant);

/* The ops whose kind is a key of @map; NULL with a finding if none is. */
const struct ht_source_ops *ht_source_find(struct ht_yaml *map);

#endif
