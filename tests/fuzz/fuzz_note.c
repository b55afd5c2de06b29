/*
 * Whatever we take for a note is that note and no other: put together again
 * from its parts it has the same bytes.  The same for checkpoints and keys.
 */
#include "keys/note.h"

#include "lib/base/panic.h"
#include "tests/fuzz/fuzz.h"

/* The key of C2SP's example, which is among the seeds. */
static const char known[] =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

static void
note_again(const struct ht_note *note, struct ht_slice in)
{
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(HT_DOC_MAX);

	HT_ASSERT(note->n_sigs > 0 && note->n_sigs <= HT_SIGS_MAX);
	ht_buf_add(&again, note->text.at, note->text.len);
	ht_buf_u8(&again, '\n');
	for (size_t i = 0; i < note->n_sigs; i++) {
		const struct ht_note_sig *line = &note->sigs[i];

		ht_buf_str(&again, "\xe2\x80\x94 ");
		ht_buf_add(&again, line->name.at, line->name.len);
		ht_buf_u8(&again, ' ');
		ht_buf_add(&again, line->sig.at, line->sig.len);
		ht_buf_u8(&again, '\n');
	}
	HT_ASSERT(again.err == HT_OK);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), in));
}

static void
try_note(struct ht_slice in)
{
	struct ht_note note;
	struct ht_vkey vkey;
	uint64_t has = 0;

	if (ht_note_parse(in, &note) != HT_OK)
		return;
	note_again(&note, in);
	HT_ASSERT(ht_vkey_parse(ht_slice_str(known), &vkey) == HT_OK);
	if (ht_note_verify(&note, &vkey, 1, &has) == HT_OK)
		HT_ASSERT(has <= 1);
}

static void
try_checkpoint(struct ht_slice in)
{
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(HT_DOC_MAX);
	struct ht_checkpoint cp;

	if (ht_checkpoint_parse(in, &cp) != HT_OK)
		return;
	ht_checkpoint_text(&cp, &again);
	HT_ASSERT(ht_slice_eq(ht_buf_slice(&again), in));
}

static void
try_vkey(struct ht_slice in)
{
	char again[HT_VKEY_MAX];
	struct ht_vkey vkey;

	if (ht_vkey_parse(in, &vkey) != HT_OK)
		return;
	ht_vkey_text(&vkey, again);
	HT_ASSERT(ht_slice_is(in, again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	HT_ASSERT(ht_keys_init() == HT_OK);
	try_note(HT_SLICE(in, in_len));
	try_checkpoint(HT_SLICE(in, in_len));
	try_vkey(HT_SLICE(in, in_len));
	return 0;
}
