/*
 * proving.c -- an entry of the log for a member that has a part in it: the row
 * that a proof in one file carries (docs/proofs.md).
 */
#include "broker/audit/query.h"
#include "broker/core_in.h"
#include "broker/log/bundles.h"

/*
 * Who sent it, and, when it was accepted, whom it was for.  All that others may
 * have of an entry is its hash.
 */
static bool
has_part(const struct ht_entry *e, const char *member)
{
	struct ht_header h;

	if (!ht_entry_has_header(e) ||
	    ht_header_decode(e->payload, &h, NULL, NULL) != HT_OK)
		return false;
	return ht_slice_is(h.sender, member) ||
	       (ht_slice_is(h.recipient, member) &&
	           (e->type == HT_ENTRY_REQUEST ||
	               e->type == HT_ENTRY_RESPONSE));
}

/* Its bundle's signature, with what that needs beside this record. */
static enum ht_err
load_evidence(struct ht_log *log, const struct ht_entry *e, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_EVIDENCE_MAX);
	struct ht_bundle bundle, alone;
	uint32_t index = e->bundle_index;
	enum ht_err err =
	    ht_evidence_load(log, e->bundle_seq, &bytes, &bundle, NULL);

	if (err == HT_OK)
		err = ht_evidence_narrow(&bundle, &index, 1, &alone);
	if (err != HT_OK)
		return err;
	ht_evidence_pack(&alone, out);
	return out->err;
}

enum ht_err
proving_row(
    struct core *core, const char *member, uint64_t place, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf evidence = HT_BUF(HT_EVIDENCE_MAX);
	static const uint8_t nil = 0xc0;
	struct ht_row row = {.seq = place, .cited_raw = HT_SLICE(&nil, 1)};
	enum ht_err err = ht_log_read(core->log, place, &leaf);

	if (err == HT_OK)
		err = ht_entry_decode(ht_buf_slice(&leaf), &row.entry);
	if (err != HT_OK || !has_part(&row.entry, member))
		return err;
	err = load_evidence(core->log, &row.entry, &evidence);
	if (err != HT_OK)
		return err;
	row.leaf = ht_buf_slice(&leaf);
	row.bundle = ht_buf_slice(&evidence);
	ht_row_encode(&row, out);
	return out->err;
}
