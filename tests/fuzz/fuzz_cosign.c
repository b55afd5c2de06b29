/*
 * Whatever a witness answers, the note that comes out of merging it is a note
 * of the same text, in which the witness has one line, and a true one.  The
 * input: a checkpoint's note, with cosignatures, or an answer to one.
 */
#include "keys/cosign.h"

#include "lib/base/panic.h"
#include "tests/fuzz/fuzz.h"

/* The seeds' witness, and the note of theirs that it answers. */
static const char known[] = "witness.example/w1+f65f8fd1+"
                            "BNBKsjJ0K7SrOhNovUYV5ObQIkq3GgFrr4UgozLJd4c3";
static const char note_of_log[] =
    "log.example\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "\xe2\x80\x94 log.example HMdY+SdRyHQs3Uuqa08zSp/rx0c2x/6CwcHUXsRD5D6Pn1+"
    "SILDEG8juJBFnX9J4jtw9EdTQQX+KLWu6Lgeg1t4ATgc=\n";

static void
try_note(struct ht_slice in, const struct ht_vkey *witness)
{
	uint64_t time_s = 0, has = 0;
	struct ht_note note;
	enum ht_err err;

	if (ht_note_parse(in, &note) != HT_OK)
		return;
	err = ht_cosign_find(&note, witness, &time_s);
	HT_ASSERT((err == HT_OK) == (time_s != 0));
	if (err == HT_EBADSIG)
		HT_ASSERT(ht_note_verify(&note, witness, 1, &has) == err);
	else
		HT_ASSERT(ht_note_verify(&note, witness, 1, &has) == HT_OK);
	HT_ASSERT((has != 0) == (err == HT_OK));
}

static void
try_answer(struct ht_slice in, const struct ht_vkey *witness)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(2 * HT_DOC_MAX);
	struct ht_note before, after;
	uint64_t time_s;
	unsigned theirs = 0;

	if (ht_cosign_merge(ht_slice_str(note_of_log), in, witness, &out) !=
	    HT_OK) {
		HT_ASSERT(out.len == 0);
		return;
	}
	HT_ASSERT(ht_note_parse(ht_slice_str(note_of_log), &before) == HT_OK);
	HT_ASSERT(ht_note_parse(ht_buf_slice(&out), &after) == HT_OK);
	HT_ASSERT(ht_slice_eq(before.text, after.text));
	HT_ASSERT(ht_cosign_find(&after, witness, &time_s) == HT_OK);
	for (size_t i = 0; i < after.n_sigs; i++)
		theirs += ht_note_by(&after.sigs[i], witness);
	HT_ASSERT(theirs == 1 && after.n_sigs == before.n_sigs + 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	struct ht_vkey witness;

	HT_ASSERT(ht_keys_init() == HT_OK);
	HT_ASSERT(ht_vkey_parse_as(
	              ht_slice_str(known), HT_VKEY_COSIGN, &witness) == HT_OK);
	try_note(HT_SLICE(in, in_len), &witness);
	try_answer(HT_SLICE(in, in_len), &witness);
	return 0;
}
