/*
 * What comes over the audit socket, or from a log that somebody gave us.  The
 * first byte says which decoder the rest is for.
 */
#include "broker/audit/query.h"
#include "broker/audit/vouch.h"
#include "broker/log/bundles.h"
#include "broker/log/evidence.h"
#include "lib/base/panic.h"
#include "tests/fuzz/fuzz.h"

static enum ht_err
ignore(void *arg, const struct ht_row *row)
{
	(void)arg;
	HT_ASSERT(row->entry.seq == row->seq);
	return HT_OK;
}

/* A query that decodes encodes to the same bytes. */
static void
query(struct ht_slice in)
{
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(HT_QUERY_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(16 * HT_QUERY_MAX);
	struct ht_query q;
	const char *why = NULL;

	if (ht_query_decode(in, &q, &why) != HT_OK) {
		HT_ASSERT(why != NULL);
		return;
	}
	HT_ASSERT(ht_query_encode(&q, &again) == HT_OK);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), in));
	ht_query_text(&q, &text);
}

static void
narrow(const struct ht_bundle *b, const uint32_t *indexes, uint32_t n)
{
	static struct ht_bundle part;

	HT_ASSERT(ht_evidence_narrow(b, indexes, n, &part) == HT_OK);
	HT_ASSERT(part.n_records == n);
	HT_ASSERT(ht_evidence_root(&part) == HT_OK);
	HT_ASSERT(ht_hash_eq(&part.root, &b->root));
}

/* Evidence too; any of its records can be taken, alone and as far as that. */
static void
evidence(struct ht_slice in)
{
	static struct ht_bundle b;
	uint32_t indexes[HT_BUNDLE_MAX];
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(2 * HT_EVIDENCE_MAX);

	if (ht_evidence_unpack(in, &b) != HT_OK)
		return;
	ht_evidence_pack(&b, &again);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), in));
	if (ht_evidence_root(&b) != HT_OK)
		return;
	for (uint32_t i = 0; i < b.n_records; i++) {
		indexes[i] = b.records[i].index;
		narrow(&b, &indexes[i], 1);
		narrow(&b, indexes, i + 1);
	}
}

static void
head(struct ht_slice in)
{
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(4096);
	static struct ht_head h;

	if (ht_head_decode(in, &h) != HT_OK)
		return;
	ht_head_encode(&h, &again);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), in));
}

/* A row alone, as in a proof; what it cites cannot hold against this root. */
static void
one_row(struct ht_slice in)
{
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(64 * 1024);
	struct ht_hash root = {{0}};
	struct ht_row row;

	if (ht_row_decode(in, 86, &root, &row) != HT_OK)
		return;
	HT_ASSERT(row.entry.seq == row.seq && row.cited.len == 0);
	ht_row_encode(&row, &again);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), in));
}

/* A cosigned checkpoint packs to the same bytes. */
static void
vouched(struct ht_slice in)
{
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(64 * 1024);
	struct ht_vouch_choice choice = {0};
	struct ht_vouched v;

	if (ht_vouched_unpack(in, &v) != HT_OK)
		return;
	ht_vouched_pack(&v, &again);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), in));
	(void)ht_vouch_choose(&choice, v.note);
	HT_ASSERT(!ht_vouch_choose(&choice, v.note)); /* it tells once */
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	struct ht_slice rest;
	struct ht_hash root = {{0}};
	uint64_t bad;

	if (in_len == 0)
		return 0;
	rest = HT_SLICE(in + 1, in_len - 1);
	switch (in[0]) {
	case 'q':
		query(rest);
		break;
	case 'e':
		evidence(rest);
		break;
	case 'h':
		head(rest);
		break;
	case 'w':
		one_row(rest);
		break;
	case 'v':
		vouched(rest);
		break;
	case 'r':
		HT_ASSERT(ht_rows_check(rest, 86, &root, ignore, NULL, &bad) !=
		          HT_OK);
		break;
	default:
		break;
	}
	return 0;
}
