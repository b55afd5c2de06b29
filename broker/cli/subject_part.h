/*
 * subject_part.h -- the looks at a subject that one volume's archive has, and
 * what it cannot say of them.
 */
#ifndef HT_BROKER_CLI_SUBJECT_PART_H
#define HT_BROKER_CLI_SUBJECT_PART_H

#include "broker/audit/look.h"
#include "broker/cli/tool.h"

/*
 * When entry @size - 1 was logged: what had no end by then may have it in the
 * next volume.  0: that cannot be read.
 */
uint64_t ht_subject_part_ends_ms(
    const struct ht_audit_opts *opts, uint64_t size);

/* Halves of exchanges: of a row, and, when all have their end, of looks. */
void ht_subject_part_row(struct ht_audit_cut *cut, const struct ht_row *row);
void ht_subject_part_looks(
    struct ht_audit_cut *cut, const struct ht_looks *looks);

/* Nothing without opts->volume.  @hides: some looks are hidden by rule. */
void ht_subject_part_footer(const struct ht_audit_opts *opts,
    const struct ht_audit_cut *cut, const struct ht_list_counts *list,
    bool hides, FILE *out);

#endif
