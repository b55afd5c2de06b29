/*
 * note -- signed notes from a shell test.
 *
 *   note vkey SEED NAME              print the verifier key of a seed (hex)
 *   note sign SEED NAME <text        sign a text
 *   note add SEED NAME <note         add a signature to a note
 *   note witness SEED NAME           print a witness's verifier key
 *   note cosign SEED NAME TIME <note the line of a cosignature, at that second
 *   note check VKEY <note            exit 0 if VKEY signed it, else 1
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keys/cosign.h"

static enum ht_err
read_all(struct ht_buf *buf)
{
	uint8_t chunk[4096];
	ssize_t n;

	while ((n = read(STDIN_FILENO, chunk, sizeof(chunk))) > 0)
		ht_buf_add(buf, chunk, (size_t)n);
	return n < 0 ? HT_ESYSTEM : buf->err;
}

static enum ht_err
print_vkey(const char *name, enum ht_vkey_type type, const struct ht_key *key)
{
	struct ht_pub pub = ht_key_pub(key);
	char text[HT_VKEY_MAX];
	struct ht_vkey vkey;
	enum ht_err err = ht_vkey_make_as(name, type, &pub, &vkey);

	if (err != HT_OK)
		return err;
	ht_vkey_text(&vkey, text);
	puts(text);
	return HT_OK;
}

static enum ht_err
cosign(struct ht_slice bytes, const char *name, const struct ht_key *key,
    const char *time, struct ht_buf *out)
{
	struct ht_note note;
	enum ht_err err = ht_note_parse(bytes, &note);

	if (err != HT_OK || time == NULL)
		return err == HT_OK ? HT_EINVALID : err;
	return ht_cosign(note.text, name, key, strtoull(time, NULL, 10), out);
}

static enum ht_err
with_key(
    const char *verb, const char *seed_hex, const char *name, const char *time)
{
	HT_AUTO(ht_buf_fini) struct ht_buf in = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(2 * HT_DOC_MAX);
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	uint8_t seed[32];
	enum ht_err err = ht_unhex(seed_hex, seed, sizeof(seed));

	if (err == HT_OK)
		err = ht_key_from_seed(strcmp(verb, "cosign") == 0
		                           ? HT_KEY_WITNESS
		                           : HT_KEY_OFFICER,
		    seed, &key);
	if (err != HT_OK)
		return err;
	if (strcmp(verb, "vkey") == 0)
		return print_vkey(name, HT_VKEY_NOTE, key);
	if (strcmp(verb, "witness") == 0)
		return print_vkey(name, HT_VKEY_COSIGN, key);
	err = read_all(&in);
	if (err == HT_OK && strcmp(verb, "cosign") == 0)
		err = cosign(ht_buf_slice(&in), name, key, time, &out);
	else if (err == HT_OK)
		err = ht_note_sign(ht_buf_slice(&in), strcmp(verb, "add") == 0,
		    name, key, &out);
	if (err == HT_OK && fwrite(out.at, 1, out.len, stdout) != out.len)
		err = HT_ESYSTEM;
	return err;
}

static enum ht_err
check(const char *text)
{
	HT_AUTO(ht_buf_fini) struct ht_buf in = HT_BUF(HT_DOC_MAX);
	struct ht_vkey vkey;
	struct ht_note note;
	uint64_t has = 0;
	enum ht_err err = ht_vkey_parse(ht_slice_str(text), &vkey);

	if (err == HT_OK)
		err = read_all(&in);
	if (err == HT_OK)
		err = ht_note_parse(ht_buf_slice(&in), &note);
	if (err == HT_OK)
		err = ht_note_verify(&note, &vkey, 1, &has);
	return err == HT_OK && has == 0 ? HT_EBADSIG : err;
}

int
main(int argc, char **argv)
{
	enum ht_err err = ht_keys_init();

	if (argc < 3) {
		fputs("usage: note vkey|sign|add|witness SEED NAME, cosign "
		      "SEED NAME TIME, check VKEY\n",
		    stderr);
		return 2;
	}
	if (err == HT_OK)
		err = argc > 3 ? with_key(argv[1], argv[2], argv[3], argv[4])
		               : check(argv[2]);
	if (err != HT_OK)
		fprintf(stderr, "note: %s\n", ht_err_text(err));
	return err == HT_OK ? 0 : 1;
}
