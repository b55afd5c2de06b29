/*
 * count_file.h -- counts with all that they were made of, in a file of which
 * every figure can be made again (docs/proofs.md, "Figures").
 */
#ifndef HT_BROKER_CLI_COUNT_FILE_H
#define HT_BROKER_CLI_COUNT_FILE_H

#include "broker/cli/count.h"
#include "broker/cli/kept.h"

#define HT_COUNTS_LABEL "hutong-counts/v1"

/* One that was taken apart; borrowed. */
struct ht_count_file {
	struct ht_kept kept;
	struct ht_slice rows, note, query, how, papers, frames;
};
/* An exit code; says what is wrong. */
int ht_count_file_open(
    const char *path, struct ht_slice bytes, struct ht_count_file *ret);
/*
 * What was counted, with @rows as JSON lines, to opts->output.  An exit code;
 * says what is wrong.
 */
int ht_count_file_write(const struct ht_count *count, struct ht_slice rows);
/*
 * Before anything is shown of count->file: is it what was counted again, with
 * @rows, and nothing else?  An exit code; says what is wrong.
 */
int ht_count_file_compare(const struct ht_count *count, struct ht_slice rows);
/* Behind the rows: the report, who signed it, whose word the papers are. */
int ht_count_file_end(const struct ht_count *count, struct ht_slice rows);

#endif
