/*
 * note.c -- C2SP signed notes and checkpoints, byte for byte.
 */
#include "keys/note.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "keys/cosign.h"
#include "lib/base/panic.h"
#include "lib/base/text.h"

/* "— " in UTF-8: U+2014 and a space. */
#define DASH     "\xe2\x80\x94 "
#define DASH_LEN 4
/* A line's bytes: an ML-DSA-44 signature has 2,420.  Unknown ones are read. */
#define BLOB_MAX   4096
#define VKEY_BYTES (1 + HT_PUB_SIZE)

_Static_assert(
    HT_VKEY_NAME_MAX + 1 + 8 + 1 + HT_B64_SIZE(VKEY_BYTES) <= HT_VKEY_MAX,
    "a verifier key's text fits");

enum ht_vkey_type
ht_vkey_type_for(enum ht_key_for what)
{
	return what == HT_KEY_WITNESS ? HT_VKEY_COSIGN : HT_VKEY_NOTE;
}

static uint32_t
vkey_id(const char *name, enum ht_vkey_type type_of, const struct ht_pub *pub)
{
	const uint8_t type[] = {'\n', (uint8_t)type_of};
	struct ht_hash hash = ht_sha256_parts(
	    (struct ht_slice[]){
	        ht_slice_str(name),
	        HT_SLICE(type, sizeof(type)),
	        HT_SLICE(pub->at, HT_PUB_SIZE),
	    },
	    3);

	return ht_load32(hash.at);
}

/*
 * The code point at @at, of @len bytes of valid UTF-8 (RFC 3629); how many
 * bytes it has.
 */
static size_t
code_point(const uint8_t *at, uint32_t *ret)
{
	static const uint8_t mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	size_t len = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;

	*ret = at[0] & mask[len];
	for (size_t i = 1; i < len; i++)
		*ret = *ret << 6 | (at[i] & 0x3f);
	return len;
}

/* Unicode's White_Space, of which control characters are already refused. */
static bool
is_space(uint32_t c)
{
	return c == ' ' || c == 0xa0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	       c == 0x202f || c == 0x205f || c == 0x3000;
}

static bool
is_control(uint32_t c)
{
	return c < ' ' || (c >= 0x7f && c < 0xa0);
}

/* Not empty, no space of Unicode's, no control character, no "+". */
static bool
key_name_ok(struct ht_slice name)
{
	uint32_t c;

	if (name.len == 0 || !ht_utf8_valid(name))
		return false;
	for (size_t i = 0; i < name.len;) {
		i += code_point(name.at + i, &c);
		if (is_control(c) || is_space(c) || c == '+')
			return false;
	}
	return true;
}

enum ht_err
ht_vkey_make_as(const char *name, enum ht_vkey_type type,
    const struct ht_pub *pub, struct ht_vkey *ret)
{
	size_t len = strlen(name);

	if (len >= sizeof(ret->name) || !key_name_ok(HT_SLICE(name, len)))
		return HT_EMALFORMED;
	memcpy(ret->name, name, len + 1);
	ret->type = type;
	ret->pub = *pub;
	ret->id = vkey_id(name, type, pub);
	return HT_OK;
}

enum ht_err
ht_vkey_make(const char *name, const struct ht_pub *pub, struct ht_vkey *ret)
{
	return ht_vkey_make_as(name, HT_VKEY_NOTE, pub, ret);
}

/* The three fields of "name+1234abcd+base64", cut at their "+". */
static enum ht_err
vkey_split(struct ht_slice text, char name[static HT_VKEY_NAME_MAX],
    uint8_t id[static 4], uint8_t key[static VKEY_BYTES])
{
	const uint8_t *plus = memchr(text.at, '+', text.len);
	size_t name_len, key_len;
	char hex[9];

	if (plus == NULL)
		return HT_EMALFORMED;
	name_len = (size_t)(plus - text.at);
	if (name_len >= HT_VKEY_NAME_MAX || text.len - name_len < 10 ||
	    plus[9] != '+')
		return HT_EMALFORMED;
	memcpy(name, text.at, name_len);
	name[name_len] = '\0';
	memcpy(hex, plus + 1, 8);
	hex[8] = '\0';
	if (ht_unhex(hex, id, 4) != HT_OK ||
	    ht_unb64(HT_SLICE(plus + 10, text.len - name_len - 10), key,
	        VKEY_BYTES, &key_len) != HT_OK)
		return HT_EMALFORMED;
	return key_len == VKEY_BYTES ? HT_OK : HT_EMALFORMED;
}

enum ht_err
ht_vkey_parse_as(
    struct ht_slice text, enum ht_vkey_type type, struct ht_vkey *ret)
{
	char name[HT_VKEY_NAME_MAX], again[HT_VKEY_MAX];
	uint8_t id[4], key[VKEY_BYTES];
	struct ht_vkey vkey;
	struct ht_pub pub;
	enum ht_err err = vkey_split(text, name, id, key);

	if (err != HT_OK)
		return err;
	if (key[0] != type)
		return HT_EMALFORMED;
	memcpy(pub.at, key + 1, HT_PUB_SIZE);
	err = ht_vkey_make_as(name, type, &pub, &vkey);
	if (err != HT_OK)
		return err;
	if (vkey.id != ht_load32(id) || ht_pub_check_sign(&pub) != HT_OK)
		return HT_EINVALID;
	/* Upper-case digits or a NUL in the name: one key, one spelling. */
	ht_vkey_text(&vkey, again);
	if (!ht_slice_is(text, again))
		return HT_EMALFORMED;
	*ret = vkey;
	return HT_OK;
}

enum ht_err
ht_vkey_parse(struct ht_slice text, struct ht_vkey *ret)
{
	return ht_vkey_parse_as(text, HT_VKEY_NOTE, ret);
}

void
ht_vkey_text(const struct ht_vkey *vkey, char out[static HT_VKEY_MAX])
{
	uint8_t key[VKEY_BYTES];
	char b64[HT_B64_SIZE(VKEY_BYTES)];

	key[0] = (uint8_t)vkey->type;
	memcpy(key + 1, vkey->pub.at, HT_PUB_SIZE);
	ht_b64(b64, key, sizeof(key));
	snprintf(
	    out, HT_VKEY_MAX, "%s+%08" PRIx32 "+%s", vkey->name, vkey->id, b64);
}

/* Text of a note: UTF-8, no control character but "\n", "\n" at its end. */
static bool
text_ok(struct ht_slice text)
{
	uint32_t c;

	if (text.len == 0 || text.at[text.len - 1] != '\n' ||
	    !ht_utf8_valid(text))
		return false;
	for (size_t i = 0; i < text.len;) {
		i += code_point(text.at + i, &c);
		if (is_control(c) && c != '\n')
			return false;
	}
	return true;
}

/* One line without its "\n": "— name base64". */
static enum ht_err
sig_parse(struct ht_slice line, struct ht_note_sig *ret)
{
	uint8_t blob[BLOB_MAX];
	const uint8_t *space;
	struct ht_slice b64;
	size_t len;

	if (line.len < DASH_LEN || memcmp(line.at, DASH, DASH_LEN) != 0)
		return HT_EMALFORMED;
	line = HT_SLICE(line.at + DASH_LEN, line.len - DASH_LEN);
	space = memchr(line.at, ' ', line.len);
	if (space == NULL)
		return HT_EMALFORMED;
	ret->name = HT_SLICE(line.at, (size_t)(space - line.at));
	b64 = HT_SLICE(space + 1, line.len - ret->name.len - 1);
	if (!key_name_ok(ret->name) ||
	    ht_unb64(b64, blob, sizeof(blob), &len) != HT_OK || len < 5)
		return HT_EMALFORMED;
	ret->id = ht_load32(blob);
	ret->sig = b64; /* still base64: decoded again where it is checked */
	return HT_OK;
}

/* Where the signatures begin: after the last empty line; 0 if none. */
static size_t
signatures_at(struct ht_slice bytes)
{
	for (size_t i = bytes.len; i-- > 1;)
		if (bytes.at[i] == '\n' && bytes.at[i - 1] == '\n')
			return i + 1;
	return 0;
}

enum ht_err
ht_note_parse(struct ht_slice bytes, struct ht_note *ret)
{
	size_t at = signatures_at(bytes);
	size_t n = 0;

	if (bytes.len > HT_DOC_MAX)
		return HT_ETOOBIG;
	if (at < 2 || !text_ok(bytes) || !text_ok(HT_SLICE(bytes.at, at - 1)))
		return HT_EMALFORMED;
	while (at < bytes.len) {
		const uint8_t *line = bytes.at + at;
		const uint8_t *end = memchr(line, '\n', bytes.len - at);
		enum ht_err err;

		if (n == HT_SIGS_MAX)
			return HT_ETOOBIG;
		err = sig_parse(
		    HT_SLICE(line, (size_t)(end - line)), &ret->sigs[n]);
		if (err != HT_OK)
			return err;
		n++;
		at += (size_t)(end - line) + 1;
	}
	if (n == 0)
		return HT_EMALFORMED;
	ret->text = HT_SLICE(bytes.at, signatures_at(bytes) - 1);
	ret->n_sigs = n;
	return HT_OK;
}

static enum ht_err
sig_verify(struct ht_slice text, const struct ht_note_sig *line,
    const struct ht_vkey *key)
{
	uint8_t blob[BLOB_MAX];
	uint64_t time_s;
	struct ht_sig sig;
	size_t len;

	if (key->type == HT_VKEY_COSIGN)
		return ht_cosign_verify(text, line, key, &time_s);
	if (ht_unb64(line->sig, blob, sizeof(blob), &len) != HT_OK ||
	    len != 4 + HT_SIG_SIZE)
		return HT_EBADSIG;
	memcpy(sig.at, blob + 4, HT_SIG_SIZE);
	return ht_verify(&key->pub, "", text, &sig);
}

bool
ht_note_by(const struct ht_note_sig *line, const struct ht_vkey *key)
{
	return line->id == key->id && ht_slice_is(line->name, key->name);
}

enum ht_err
ht_note_verify(const struct ht_note *note, const struct ht_vkey *keys, size_t n,
    uint64_t *ret_signed)
{
	uint64_t has = 0;

	if (n > 64)
		return HT_ETOOBIG;
	for (size_t s = 0; s < note->n_sigs; s++) {
		const struct ht_note_sig *line = &note->sigs[s];

		for (size_t k = 0; k < n; k++) {
			if (!ht_note_by(line, &keys[k]))
				continue;
			if (sig_verify(note->text, line, &keys[k]) != HT_OK)
				return HT_EBADSIG;
			has |= UINT64_C(1) << k;
		}
	}
	*ret_signed = has;
	return HT_OK;
}

void
ht_note_line(const struct ht_note_sig *line, struct ht_buf *out)
{
	ht_buf_str(out, DASH);
	ht_buf_add(out, line->name.at, line->name.len);
	ht_buf_u8(out, ' ');
	ht_buf_add(out, line->sig.at, line->sig.len);
	ht_buf_u8(out, '\n');
}

/* All signature lines but those of this name and id; how many. */
static size_t
keep_lines(const struct ht_note *note, const char *name, uint32_t id,
    struct ht_buf *out)
{
	size_t kept = 0;

	for (size_t i = 0; i < note->n_sigs; i++) {
		if (note->sigs[i].id == id &&
		    ht_slice_is(note->sigs[i].name, name))
			continue;
		ht_note_line(&note->sigs[i], out);
		kept++;
	}
	return kept;
}

/* "— name base64(id || signature)\n" */
static void
add_line(struct ht_buf *out, const char *name, uint32_t id, struct ht_slice sig)
{
	uint8_t blob[HT_POSSESSION_BLOB];
	char b64[HT_B64_SIZE(sizeof(blob))];

	HT_ASSERT(sig.len <= sizeof(blob) - 4);
	ht_be32(blob, id);
	memcpy(blob + 4, sig.at, sig.len);
	ht_b64(b64, blob, 4 + sig.len);
	ht_buf_fmt(out, DASH "%s %s\n", name, b64);
}

/* What is to be signed: a bare text, or the text of a note. */
static enum ht_err
take_text(struct ht_slice bytes, bool is_note, struct ht_note *ret)
{
	if (is_note)
		return ht_note_parse(bytes, ret);
	ret->text = bytes;
	ret->n_sigs = 0;
	if (bytes.len > HT_DOC_MAX)
		return HT_ETOOBIG;
	return text_ok(bytes) ? HT_OK : HT_EMALFORMED;
}

enum ht_err
ht_note_add(struct ht_slice bytes, bool is_note, const char *name, uint32_t id,
    struct ht_slice sig, struct ht_buf *out)
{
	size_t kept, start = out->len;
	struct ht_note note;
	enum ht_err err = take_text(bytes, is_note, &note);

	if (err != HT_OK)
		return err;
	if (!key_name_ok(ht_slice_str(name)))
		return HT_EMALFORMED;
	ht_buf_add(out, note.text.at, note.text.len);
	ht_buf_u8(out, '\n');
	kept = keep_lines(&note, name, id, out);
	add_line(out, name, id, sig);
	/* What no reader would take is not written. */
	if (out->err == HT_OK &&
	    (kept == HT_SIGS_MAX || out->len - start > HT_DOC_MAX)) {
		out->len = start;
		return HT_ETOOBIG;
	}
	return out->err;
}

enum ht_err
ht_note_sign(struct ht_slice bytes, bool is_note, const char *key_name,
    const struct ht_key *key, struct ht_buf *out)
{
	struct ht_pub pub = ht_key_pub(key);
	struct ht_vkey vkey;
	struct ht_note note;
	struct ht_sig sig;
	enum ht_err err = ht_vkey_make(key_name, &pub, &vkey);

	HT_ASSERT(ht_vkey_type_for(ht_key_what(key)) == HT_VKEY_NOTE);
	if (err == HT_OK)
		err = take_text(bytes, is_note, &note);
	if (err == HT_OK)
		err = ht_sign(key, "", note.text, &sig);
	if (err != HT_OK)
		return err;
	return ht_note_add(bytes, is_note, key_name, vkey.id,
	    HT_SLICE(sig.at, HT_SIG_SIZE), out);
}

enum ht_err
ht_tree_size_parse(struct ht_slice text, uint64_t *ret)
{
	uint64_t v = 0;

	if (text.len == 0 || (text.at[0] == '0' && text.len > 1))
		return HT_EMALFORMED;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)text.at[i] - '0';

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return HT_EMALFORMED;
		v = v * 10 + digit;
	}
	*ret = v;
	return HT_OK;
}

enum ht_err
ht_checkpoint_parse(struct ht_slice text, struct ht_checkpoint *ret)
{
	struct ht_slice origin, size, root;
	struct ht_checkpoint cp;
	size_t len;

	if (!text_ok(text) || !ht_text_line(&text, &origin) ||
	    !ht_text_line(&text, &size) || !ht_text_line(&text, &root) ||
	    text.len != 0)
		return HT_EMALFORMED;
	if (origin.len == 0 || origin.len >= sizeof(cp.origin) ||
	    ht_tree_size_parse(size, &cp.size) != HT_OK)
		return HT_EMALFORMED;
	if (ht_unb64(root, cp.root.at, HT_HASH_SIZE, &len) != HT_OK ||
	    len != HT_HASH_SIZE)
		return HT_EMALFORMED;
	memcpy(cp.origin, origin.at, origin.len);
	cp.origin[origin.len] = '\0';
	if (cp.size == 0) {
		struct ht_hash empty = ht_sha256(HT_SLICE("", 0));

		if (!ht_hash_eq(&cp.root, &empty))
			return HT_EMALFORMED;
	}
	*ret = cp;
	return HT_OK;
}

void
ht_checkpoint_text(const struct ht_checkpoint *cp, struct ht_buf *out)
{
	char b64[HT_B64_SIZE(HT_HASH_SIZE)];

	ht_b64(b64, cp->root.at, HT_HASH_SIZE);
	ht_buf_fmt(out, "%s\n%" PRIu64 "\n%s\n", cp->origin, cp->size, b64);
}

enum ht_err
ht_checkpoint_open(
    struct ht_slice bytes, const struct ht_vkey *log, struct ht_checkpoint *ret)
{
	struct ht_checkpoint cp;
	struct ht_note note;
	uint64_t has = 0;
	enum ht_err err = ht_note_parse(bytes, &note);

	if (err == HT_OK)
		err = ht_note_verify(&note, log, 1, &has);
	if (err == HT_OK && has == 0)
		err = HT_EBADSIG;
	if (err == HT_OK)
		err = ht_checkpoint_parse(note.text, &cp);
	if (err == HT_OK && strcmp(cp.origin, log->name) != 0)
		err = HT_EBADSIG;
	if (err == HT_OK)
		*ret = cp;
	return err;
}
