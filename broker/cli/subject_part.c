/*
 * subject_part.c -- what a lone volume's archive cannot say of the looks at a
 * subject, and the footer's lines about it.
 */
#include "broker/cli/subject_part.h"

#include "broker/log/lone.h"

uint64_t
ht_subject_part_ends_ms(const struct ht_audit_opts *opts, uint64_t size)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e;

	if (ht_log_read(opts->log, size - 1, &leaf) != HT_OK ||
	    ht_entry_decode(ht_buf_slice(&leaf), &e) != HT_OK)
		return 0; /* then nothing has ended */
	return e.time_us / 1000;
}

static void
count_one(uint64_t seq, uint64_t *n, uint64_t *first)
{
	if ((*n)++ == 0 || seq < *first)
		*first = seq;
}

void
ht_subject_part_row(struct ht_audit_cut *cut, const struct ht_row *row)
{
	if (row->entry.cites > 0 && row->entry.cites <= cut->begin)
		count_one(row->seq, &cut->no_ask, &cut->first_ask);
}

void
ht_subject_part_looks(struct ht_audit_cut *cut, const struct ht_looks *looks)
{
	for (size_t i = 0; i < looks->n; i++)
		if (looks->at[i].asked && looks->at[i].end == HT_LOOK_OPEN)
			count_one(looks->at[i].ask_seq, &cut->no_end,
			    &cut->first_end);
}

/* The first order behind the volume of which the archive has the list. */
static uint64_t
order_behind(const struct ht_audit_opts *opts)
{
	struct ht_archive *archive = ht_log_archive(opts->log);
	uint64_t by, first = 0;

	for (size_t i = 0; archive != NULL && ht_archive_list(archive, i, &by);
	     i++)
		if (by >= ht_log_size(opts->log) && (first == 0 || by < first))
			first = by;
	return first;
}

void
ht_subject_part_footer(const struct ht_audit_opts *opts,
    const struct ht_audit_cut *cut, const struct ht_list_counts *list,
    bool hides, FILE *out)
{
	if (opts->volume == NULL)
		return;
	ht_audit_footer_cut(opts, cut, out);
	if (list->later > 0)
		fprintf(out,
		    "erased     the tags of %llu entries here, by orders that "
		    "stand after this volume, first entry %llu:\n           "
		    "whether they were about the subject nobody can tell; "
		    "hutong-audit verify says\n           how those orders are "
		    "proven\n",
		    (unsigned long long)list->later,
		    (unsigned long long)order_behind(opts));
	if (list->other > 0)
		fprintf(out,
		    "epochs     %llu tags here are of epochs whose tracker key "
		    "was not given: whether they are\n           about the "
		    "subject is not known\n",
		    (unsigned long long)list->other);
	if (hides)
		fprintf(out,
		    "hidden     by the items' rules alone: an order to "
		    "disclose "
		    "that stands elsewhere in the log\n           is not known "
		    "here\n");
}
