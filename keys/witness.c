/*
 * witness.c -- C2SP tlog-witness, the judgement alone.
 */
#include "keys/witness.h"

#include <inttypes.h>
#include <string.h>

/* The next line of @rest without its "\n"; false: there is none. */
static bool
take_line(struct ht_slice *rest, struct ht_slice *ret)
{
	const uint8_t *end =
	    rest->len > 0 ? memchr(rest->at, '\n', rest->len) : NULL;

	if (end == NULL)
		return false;
	*ret = HT_SLICE(rest->at, (size_t)(end - rest->at));
	*rest = HT_SLICE(end + 1, rest->len - ret->len - 1);
	return true;
}

/* "old 123", no zero before it. */
static enum ht_err
read_old(struct ht_slice line, uint64_t *ret)
{
	if (line.len < 5 || memcmp(line.at, "old ", 4) != 0)
		return HT_EMALFORMED;
	return ht_tree_size_parse(HT_SLICE(line.at + 4, line.len - 4), ret);
}

enum ht_err
ht_add_checkpoint_parse(struct ht_slice text, struct ht_add_checkpoint *ret)
{
	struct ht_slice line;
	size_t len;

	if (text.len > HT_WITNESS_REQUEST)
		return HT_ETOOBIG;
	if (!take_line(&text, &line) || read_old(line, &ret->old) != HT_OK)
		return HT_EMALFORMED;
	ret->n_proof = 0;
	while (take_line(&text, &line)) {
		if (line.len == 0) {
			ret->note = text;
			return text.len > 0 ? HT_OK : HT_EMALFORMED;
		}
		if (ret->n_proof == HT_WITNESS_PROOF)
			return HT_EMALFORMED;
		if (ht_unb64(line, ret->proof[ret->n_proof].at, HT_HASH_SIZE,
		        &len) != HT_OK ||
		    len != HT_HASH_SIZE)
			return HT_EMALFORMED;
		ret->n_proof++;
	}
	return HT_EMALFORMED;
}

void
ht_add_checkpoint_text(const struct ht_add_checkpoint *add, struct ht_buf *out)
{
	char b64[HT_B64_SIZE(HT_HASH_SIZE)];

	ht_buf_fmt(out, "old %" PRIu64 "\n", add->old);
	for (size_t i = 0; i < add->n_proof; i++) {
		ht_b64(b64, add->proof[i].at, HT_HASH_SIZE);
		ht_buf_fmt(out, "%s\n", b64);
	}
	ht_buf_str(out, "\n");
	ht_buf_add(out, add->note.at, add->note.len);
}

/* ---- the judgement ---- */

/* 404, 403: is it this log's word at all? */
static enum ht_witness_status
check_log(const struct ht_vkey *log, const struct ht_note *note)
{
	struct ht_slice rest = note->text, origin;
	uint64_t has = 0;

	if (!take_line(&rest, &origin) || !ht_slice_is(origin, log->name))
		return HT_WITNESS_UNKNOWN;
	if (ht_note_verify(note, log, 1, &has) != HT_OK || has == 0)
		return HT_WITNESS_UNSIGNED;
	return HT_WITNESS_OK;
}

/* No checkpoint: 422 for an empty tree of another root, as C2SP has it. */
static enum ht_witness_status
why_none(struct ht_slice text)
{
	struct ht_slice line;

	(void)take_line(&text, &line);
	return take_line(&text, &line) && ht_slice_is(line, "0")
	           ? HT_WITNESS_REFUSED
	           : HT_WITNESS_MALFORMED;
}

static enum ht_witness_status
check_sizes(const struct ht_add_checkpoint *add,
    const struct ht_checkpoint *last, const struct ht_checkpoint *cp)
{
	if (add->old > cp->size)
		return HT_WITNESS_MALFORMED;
	if (add->old != last->size)
		return HT_WITNESS_CONFLICT;
	if (add->old == 0)
		return add->n_proof == 0 ? HT_WITNESS_OK : HT_WITNESS_REFUSED;
	return ht_check_consistency(last->size, cp->size, &last->root,
	           &cp->root, add->proof, add->n_proof)
	           ? HT_WITNESS_OK
	           : HT_WITNESS_REFUSED;
}

void
ht_witness_judge(const struct ht_vkey *log, const struct ht_checkpoint *last,
    struct ht_slice request, struct ht_witness_verdict *ret)
{
	struct ht_add_checkpoint add;
	struct ht_note note;

	*ret = (struct ht_witness_verdict){.status = HT_WITNESS_MALFORMED};
	if (ht_add_checkpoint_parse(request, &add) != HT_OK ||
	    ht_note_parse(add.note, &note) != HT_OK)
		return;
	ret->status = check_log(log, &note);
	if (ret->status != HT_WITNESS_OK)
		return;
	if (ht_checkpoint_parse(note.text, &ret->cp) != HT_OK) {
		ret->status = why_none(note.text);
		return;
	}
	ret->signed_by_log = true;
	ret->note = add.note;
	ret->status = check_sizes(&add, last, &ret->cp);
}
