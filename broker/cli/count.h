/*
 * count.h -- what `stats` and `report` share: a whole period read, groups that
 * count, and an end with a footer; or all of it again, from a file.
 */
#ifndef HT_BROKER_CLI_COUNT_H
#define HT_BROKER_CLI_COUNT_H

#include "broker/cli/grid.h"
#include "broker/cli/papers.h"
#include "lib/base/map.h"

#define HT_GROUPS_MAX 100000 /* as many rows as a table may have */
#define HT_KEY_SEP    '\x1f' /* between the parts of a group's key */

struct ht_count_file;

struct ht_count {
	const struct ht_audit_opts *opts;
	const struct ht_count_file *file; /* NULL: the log is asked */
	struct ht_filter filter; /* what counts; its period is the question's */
	const struct ht_audit_faith *faith; /* NULL: its own, by the options */
	struct ht_audit_faith own;
	struct ht_papers *papers;
	struct ht_audit_result result;
	struct ht_map *groups;
	size_t group_size;
	uint64_t scanned;
	uint64_t matched;
	uint64_t named; /* of these, entries that name the papers' snapshot */
	bool too_many;  /* groups */
	struct ht_about about;
	struct ht_buf frames; /* for a file */
	/* An entry that the filter lets through. */
	enum ht_err (*each)(struct ht_count *count, const struct ht_row *row);
	/* The rows, sorted by key. */
	enum ht_err (*print)(
	    struct ht_count *count, enum ht_audit_format format, FILE *out);
};

/* The group of this key, zeroed when new.  HT_ENOMEM; HT_ETOOBIG. */
enum ht_err ht_count_group(
    struct ht_count *count, struct ht_slice key, void **ret) HT_MUST_USE;
/* All keys, sorted; *ret is the caller's, the keys are the map's. */
enum ht_err ht_count_keys(const struct ht_count *count, struct ht_slice **ret,
    size_t *ret_n) HT_MUST_USE;
/* The part of a key up to the next separator, which is cut off with it. */
struct ht_slice ht_count_part(struct ht_slice *key);
/* What a member or an item is called; empty: nobody says. */
struct ht_slice ht_count_member(struct ht_count *count, struct ht_slice member);
struct ht_slice ht_count_title(struct ht_count *count, struct ht_slice item);
/*
 * Read, count, print, footer, file; of a file: count, compare, print.  An exit
 * code.
 */
int ht_count_run(struct ht_count *count);

/* The verbs, of the log; or with @file (and then @faith) again from one. */
int ht_count_stats(const struct ht_audit_opts *opts,
    const struct ht_count_file *file, const struct ht_audit_faith *faith);
int ht_count_report(const struct ht_audit_opts *opts,
    const struct ht_count_file *file, const struct ht_audit_faith *faith);

#endif
