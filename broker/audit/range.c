/*
 * range.c -- every entry from one place to another, in proven frames: what a
 * report, a mirror and an export are made of.  No search: nothing is left out.
 */
#include <stdlib.h>

#include "broker/audit/answer_in.h"

struct ht_audit_range {
	struct answer_frames *frames;
	uint64_t next, to;
};

void
ht_audit_range_free(struct ht_audit_range **range_p)
{
	struct ht_audit_range *r = HT_TAKE(*range_p);

	if (r == NULL)
		return;
	answer_frames_free(&r->frames);
	free(r);
}

enum ht_err
ht_audit_range(struct ht_log *log, uint64_t from, uint64_t to, uint64_t as_of,
    uint64_t before, struct ht_audit_range **ret)
{
	HT_AUTO(ht_audit_range_free)
	struct ht_audit_range *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return HT_ENOMEM;
	r->frames = answer_frames_new(log, as_of, false, false, before);
	if (r->frames == NULL)
		return HT_ENOMEM;
	r->next = from;
	r->to = to;
	*ret = HT_TAKE(r);
	return HT_OK;
}

enum ht_err
ht_audit_range_next(
    struct ht_audit_range *r, struct ht_buf *out, size_t *ret_rows)
{
	uint64_t seqs[HT_ROWS_FRAME];
	size_t n = 0;
	enum ht_err err = HT_OK;

	while (n < HT_ROWS_FRAME && r->next < r->to)
		seqs[n++] = r->next++;
	if (n > 0)
		err = answer_frame(r->frames, seqs, n, out);
	if (err == HT_OK)
		*ret_rows = n;
	return err;
}
