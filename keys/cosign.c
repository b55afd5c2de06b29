/*
 * cosign.c -- C2SP cosignature/v1, byte for byte.
 */
#include "keys/cosign.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/panic.h"

#define LABEL "cosignature/v1\n"
/* "time " and 20 digits, and a checkpoint: an origin, 20 digits, a hash. */
#define MESSAGE_MAX 512

_Static_assert(
    sizeof(struct ht_checkpoint) + HT_B64_SIZE(HT_HASH_SIZE) + 64 < MESSAGE_MAX,
    "what is signed fits");

/*
 * What is signed behind the label.  HT_EMALFORMED: the text is no checkpoint,
 * and a witness has nothing to say about it.
 */
static enum ht_err
message(struct ht_slice text, uint64_t time_s, struct ht_buf *out)
{
	struct ht_checkpoint cp;
	enum ht_err err = ht_checkpoint_parse(text, &cp);

	if (err != HT_OK)
		return err;
	ht_buf_fmt(out, "time %" PRIu64 "\n", time_s);
	ht_buf_add(out, text.at, text.len);
	return out->err;
}

enum ht_err
ht_cosign(struct ht_slice text, const char *name, const struct ht_key *key,
    uint64_t time_s, struct ht_buf *out)
{
	uint8_t said_at[MESSAGE_MAX], blob[4 + HT_COSIG_SIZE];
	struct ht_buf said = HT_BUF_ON(said_at);
	char b64[HT_B64_SIZE(sizeof(blob))];
	struct ht_pub pub = ht_key_pub(key);
	struct ht_vkey vkey;
	struct ht_sig sig;
	enum ht_err err = ht_vkey_make_as(name, HT_VKEY_COSIGN, &pub, &vkey);

	HT_ASSERT(ht_vkey_type_for(ht_key_what(key)) == HT_VKEY_COSIGN);
	if (err == HT_OK && (time_s == 0 || time_s > HT_COSIG_TIME_MAX))
		err = HT_EINVALID;
	if (err == HT_OK)
		err = message(text, time_s, &said);
	if (err == HT_OK)
		err = ht_sign(key, LABEL, ht_buf_slice(&said), &sig);
	if (err != HT_OK)
		return err;
	ht_be32(blob, vkey.id);
	ht_be64(blob + 4, time_s);
	memcpy(blob + 12, sig.at, HT_SIG_SIZE);
	ht_b64(b64, blob, sizeof(blob));
	ht_note_line(&(struct ht_note_sig){ht_slice_str(name), vkey.id,
	                 ht_slice_str(b64)},
	    out);
	return out->err;
}

enum ht_err
ht_cosign_verify(struct ht_slice text, const struct ht_note_sig *line,
    const struct ht_vkey *witness, uint64_t *ret_time_s)
{
	uint8_t said_at[MESSAGE_MAX], blob[4 + HT_COSIG_SIZE];
	struct ht_buf said = HT_BUF_ON(said_at);
	struct ht_sig sig;
	uint64_t time_s;
	size_t len;

	if (ht_unb64(line->sig, blob, sizeof(blob), &len) != HT_OK ||
	    len != sizeof(blob))
		return HT_EBADSIG;
	time_s = ht_load64(blob + 4);
	memcpy(sig.at, blob + 12, HT_SIG_SIZE);
	/* A witness must give a time: it is half of what it says. */
	if (time_s == 0 || time_s > HT_COSIG_TIME_MAX ||
	    message(text, time_s, &said) != HT_OK ||
	    ht_verify(&witness->pub, LABEL, ht_buf_slice(&said), &sig) != HT_OK)
		return HT_EBADSIG;
	*ret_time_s = time_s;
	return HT_OK;
}

/* The latest line of @witness: its place, n_sigs when there is none. */
static enum ht_err
latest(const struct ht_note *note, const struct ht_vkey *witness,
    size_t *ret_at, uint64_t *ret_time_s)
{
	uint64_t best = 0, time_s;

	*ret_at = note->n_sigs;
	for (size_t i = 0; i < note->n_sigs; i++) {
		enum ht_err err;

		if (!ht_note_by(&note->sigs[i], witness))
			continue;
		err = ht_cosign_verify(
		    note->text, &note->sigs[i], witness, &time_s);
		if (err != HT_OK)
			return err;
		if (time_s > best) {
			best = time_s;
			*ret_at = i;
		}
	}
	*ret_time_s = best;
	return HT_OK;
}

enum ht_err
ht_cosign_find(const struct ht_note *note, const struct ht_vkey *witness,
    uint64_t *ret_time_s)
{
	uint64_t time_s;
	size_t at;
	enum ht_err err = latest(note, witness, &at, &time_s);

	if (err == HT_OK && at == note->n_sigs)
		err = HT_ENOTFOUND;
	if (err == HT_OK)
		*ret_time_s = time_s;
	return err;
}

/* Did one of the lines from @first on come from @witness? */
static bool
answered(
    const struct ht_note *note, size_t first, const struct ht_vkey *witness)
{
	for (size_t i = first; i < note->n_sigs; i++)
		if (ht_note_by(&note->sigs[i], witness))
			return true;
	return false;
}

/* The first @n lines but those of @witness, and then line @at. */
static void
write_merged(const struct ht_note *note, size_t n,
    const struct ht_vkey *witness, size_t at, struct ht_buf *out)
{
	ht_buf_add(out, note->text.at, note->text.len);
	ht_buf_u8(out, '\n');
	for (size_t i = 0; i < n; i++)
		if (!ht_note_by(&note->sigs[i], witness))
			ht_note_line(&note->sigs[i], out);
	ht_note_line(&note->sigs[at], out);
}

enum ht_err
ht_cosign_merge(struct ht_slice bytes, struct ht_slice lines,
    const struct ht_vkey *witness, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf joined = HT_BUF(HT_DOC_MAX);
	size_t at, before, start = out->len;
	struct ht_note note, both;
	uint64_t time_s;
	enum ht_err err = ht_note_parse(bytes, &note);

	if (err != HT_OK)
		return err;
	before = note.n_sigs;
	ht_buf_add(&joined, bytes.at, bytes.len);
	ht_buf_add(&joined, lines.at, lines.len);
	err = joined.err;
	if (err == HT_OK)
		err = ht_note_parse(ht_buf_slice(&joined), &both);
	/* An empty line in the answer would make a text of signatures. */
	if (err == HT_OK && both.text.len != note.text.len)
		err = HT_EMALFORMED;
	if (err == HT_OK && !answered(&both, before, witness))
		err = HT_ENOTFOUND;
	if (err == HT_OK)
		err = latest(&both, witness, &at, &time_s);
	if (err != HT_OK)
		return err;
	write_merged(&both, before, witness, at, out);
	if (out->err != HT_OK)
		out->len = start;
	return out->err;
}
