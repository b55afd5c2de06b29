/*
 * A proof of a list, what INDEX_ROOT and DISCLOSE say, and a list of an
 * erasure: each is refused, or holds.  The first byte says which.
 */
#include "broker/audit/list.h"
#include "broker/log/disclose.h"
#include "broker/log/erasure.h"
#include "broker/log/remove.h"
#include "lib/base/panic.h"
#include "tests/fuzz/fuzz.h"

static enum ht_err
count(void *arg, uint64_t seq)
{
	(void)seq;
	++*(size_t *)arg;
	return HT_OK;
}

/* Against the empty roll, all that holds is that nothing is there. */
static void
try_roll(struct ht_slice in)
{
	struct ht_pseudonym subject = {{0}};
	struct ht_hash root;
	size_t n = 0;

	HT_ASSERT(ht_roll_root(NULL, 0, &root) == HT_OK);
	if (ht_roll_check(in, &root, 0, &subject, count, &n) == HT_OK)
		HT_ASSERT(n == 0);
	/* 32 bytes that nobody finds a roll for. */
	HT_ASSERT(ht_roll_check(in, &root, 5, &subject, count, &n) != HT_OK);
	HT_ASSERT(n == 0);
}

static enum ht_err
no_look(void *arg, const struct ht_row *row)
{
	(void)arg;
	(void)row;
	HT_NEVER("a row was proven against a root that nobody has");
}

/* A frame of a list, against 32 bytes that are the root of no tree. */
static void
try_list(struct ht_slice in)
{
	HT_AUTO(ht_list_free) struct ht_list *list = NULL;
	struct ht_pseudonym subject = {{0}};
	struct ht_hash root = {{0x5a}};
	const char *why = NULL;
	uint64_t bad = 0;

	HT_ASSERT(ht_list_new(&subject, 5000, 5000, &root, no_look, NULL,
	              &list) == HT_OK);
	HT_ASSERT(ht_list_take(list, in, &why, &bad) != HT_OK);
	HT_ASSERT(ht_list_end(list, &why, &bad) != HT_OK);
}

static void
try_roll_said(struct ht_slice in)
{
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(1 << 10);
	struct ht_roll_said said;

	if (ht_roll_said_decode(in, &said) != HT_OK)
		return;
	HT_ASSERT(said.from < said.to);
	ht_roll_said_encode(&said, &again);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), in));
}

static void
try_disclosed(struct ht_slice in)
{
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(1 << 16);
	struct ht_disclose_said said;

	if (ht_disclose_said_decode(in, &said) != HT_OK)
		return;
	HT_ASSERT(ht_disclose_said_encode(&said, &again) == HT_OK);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), in));
}

/* What decodes encodes to the same bytes. */
static void
try_erasure(struct ht_slice in)
{
	HT_AUTO(ht_erasure_free) struct ht_erasure *e = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(HT_ERASURE_BYTES);

	if (ht_erasure_decode(in, 0, &e) != HT_OK)
		return;
	HT_ASSERT(ht_erasure_encode(e, &again) == HT_OK);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), in));
}

static void
try_said(struct ht_slice in)
{
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(1 << 16);
	struct ht_erase_said said;

	if (ht_erase_said_decode(in, &said) != HT_OK)
		return;
	HT_ASSERT(ht_erase_said_encode(&said, &again) == HT_OK);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), in));
}

static void
try_removed(struct ht_slice in)
{
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(1 << 16);
	HT_AUTO(ht_doc_unref) struct ht_doc *order = NULL;
	struct ht_remove_said said;

	if (ht_remove_said_decode(in, &said) != HT_OK)
		return;
	HT_ASSERT(said.first < said.end);
	HT_ASSERT(ht_remove_said_encode(&said, &again) == HT_OK);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), in));
	if (ht_remove_order(&said, &order) == HT_OK)
		HT_ASSERT(order->erase->first == said.first);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	struct ht_slice rest;

	if (in_len == 0)
		return 0;
	rest = HT_SLICE(in + 1, in_len - 1);
	switch (in[0]) {
	case 'r':
		try_roll(rest);
		break;
	case 'l':
		try_list(rest);
		break;
	case 's':
		try_roll_said(rest);
		break;
	case 'd':
		try_disclosed(rest);
		break;
	case 'm':
		try_removed(rest);
		break;
	case 'e':
		try_erasure(rest);
		break;
	default:
		try_said(rest);
		break;
	}
	return 0;
}
