/*
 * pack.c -- strict msgpack (docs/protocol.md section 2).
 *
 * Reading is ours: every value begins with a head (type, and a number, length
 * or count), and head_read() is the one place that takes a head apart and
 * knows its shortest form.  Checker and reader both stand on it.  Writing is
 * msgpack-c's packer, which picks the shortest forms.
 */
#include "schemas/pack.h"

#include <math.h>
#include <string.h>

#include <msgpack.h>

#include "lib/base/panic.h"
#include "lib/base/text.h"

/* ---- one head ---- */

struct head {
	enum ht_pack_type type;
	bool negative;
	uint64_t n;  /* value (bits of it), length of str and bin, or count */
	size_t size; /* bytes of the head itself; scalars have no more */
};

/* 0xc0 to 0xdf: what follows the first byte, and the least worth that form. */
struct form {
	enum ht_pack_type type;
	uint8_t width;    /* bytes of the number after the first byte */
	bool is_signed;   /* `bound` is then the lowest one too high */
	uint64_t bound;   /* lower numbers have a shorter form */
	const char *deny; /* not in the profile, and why */
};

#define PLAIN(type_)                                                           \
	{                                                                      \
		.type = (type_)                                                \
	}
#define SIZED(type_, w, low)                                                   \
	{                                                                      \
		.type = (type_), .width = (w), .bound = (low)                  \
	}
#define BELOW(w, high)                                                         \
	{                                                                      \
		.type = HT_PACK_INT, .width = (w), .is_signed = true,          \
		.bound = (uint64_t)(high)                                      \
	}
#define NOT(why)                                                               \
	{                                                                      \
		.deny = (why)                                                  \
	}
#define NO_EXT "ext types are not in the profile"

static const struct form forms[32] = {
    [0x00] = PLAIN(HT_PACK_NIL),
    [0x01] = NOT("0xc1 is no msgpack"),
    [0x02] = PLAIN(HT_PACK_BOOL),
    [0x03] = PLAIN(HT_PACK_BOOL),
    [0x04] = SIZED(HT_PACK_BIN, 1, 0),
    [0x05] = SIZED(HT_PACK_BIN, 2, 0x100),
    [0x06] = SIZED(HT_PACK_BIN, 4, 0x10000),
    [0x07] = NOT(NO_EXT),
    [0x08] = NOT(NO_EXT),
    [0x09] = NOT(NO_EXT),
    [0x0a] = NOT("float32 is not in the profile"),
    [0x0b] = SIZED(HT_PACK_FLOAT, 8, 0),
    [0x0c] = SIZED(HT_PACK_INT, 1, 0x80),
    [0x0d] = SIZED(HT_PACK_INT, 2, 0x100),
    [0x0e] = SIZED(HT_PACK_INT, 4, 0x10000),
    [0x0f] = SIZED(HT_PACK_INT, 8, 0x100000000),
    [0x10] = BELOW(1, -32),
    [0x11] = BELOW(2, INT8_MIN),
    [0x12] = BELOW(4, INT16_MIN),
    [0x13] = BELOW(8, INT32_MIN),
    [0x14] = NOT(NO_EXT),
    [0x15] = NOT(NO_EXT),
    [0x16] = NOT(NO_EXT),
    [0x17] = NOT(NO_EXT),
    [0x18] = NOT(NO_EXT),
    [0x19] = SIZED(HT_PACK_STR, 1, 32),
    [0x1a] = SIZED(HT_PACK_STR, 2, 0x100),
    [0x1b] = SIZED(HT_PACK_STR, 4, 0x10000),
    [0x1c] = SIZED(HT_PACK_ARRAY, 2, 16),
    [0x1d] = SIZED(HT_PACK_ARRAY, 4, 0x10000),
    [0x1e] = SIZED(HT_PACK_MAP, 2, 16),
    [0x1f] = SIZED(HT_PACK_MAP, 4, 0x10000),
};

static const char CUT[] = "the bytes end before the value does";
static const char LONGER[] = "not the shortest form";

/* Whole numbers up to here are exact in a double, and then are ints. */
#define EXACT 9007199254740992.0 /* 2^53 */

static double
float_of(uint64_t bits)
{
	double v;

	_Static_assert(sizeof(v) == sizeof(bits), "IEEE 754 binary64");
	memcpy(&v, &bits, sizeof(v));
	return v;
}

static bool
is_exact_int(double v)
{
	return fabs(v) <= EXACT && trunc(v) == v;
}

static const char *
float_check(uint64_t bits)
{
	double v = float_of(bits);

	if (!isfinite(v))
		return "NaN and infinity are not in the profile";
	if (is_exact_int(v)) /* -0 as well */
		return "a whole number is written as an int";
	return NULL;
}

static uint64_t
load(const uint8_t *at, unsigned width)
{
	switch (width) {
	case 1:
		return at[0];
	case 2:
		return ht_load16(at);
	case 4:
		return ht_load32(at);
	case 8:
		return ht_load64(at);
	default:
		return 0;
	}
}

/* The head behind a first byte of 0xc0 to 0xdf. */
static const char *
wide_read(const uint8_t *at, size_t left, struct head *ret)
{
	const struct form *form = &forms[at[0] - 0xc0];
	uint64_t n;

	if (form->deny != NULL)
		return form->deny;
	if (form->width > left - 1)
		return CUT;
	n = load(at + 1, form->width);
	if (form->is_signed) {
		unsigned spare = 64 - 8u * form->width;

		n = (uint64_t)((int64_t)(n << spare) >> spare);
		if ((int64_t)n >= (int64_t)form->bound)
			return LONGER;
	} else if (n < form->bound) {
		return LONGER;
	}
	if (form->type == HT_PACK_BOOL)
		n = at[0] & 1;
	*ret = (struct head){form->type, form->is_signed, n, 1u + form->width};
	return form->type == HT_PACK_FLOAT ? float_check(n) : NULL;
}

/* Take apart the head at @at.  NULL, or the rule that it breaks. */
static const char *
head_read(const uint8_t *at, size_t left, struct head *ret)
{
	uint8_t b;

	if (left == 0)
		return CUT;
	b = at[0];
	if (b >= 0xc0 && b <= 0xdf)
		return wide_read(at, left, ret);
	if (b <= 0x7f)
		*ret = (struct head){HT_PACK_INT, false, b, 1};
	else if (b <= 0x8f)
		*ret = (struct head){HT_PACK_MAP, false, b & 0x0fu, 1};
	else if (b <= 0x9f)
		*ret = (struct head){HT_PACK_ARRAY, false, b & 0x0fu, 1};
	else if (b <= 0xbf)
		*ret = (struct head){HT_PACK_STR, false, b & 0x1fu, 1};
	else
		*ret = (struct head){HT_PACK_INT, true, (uint64_t)(int8_t)b, 1};
	return NULL;
}

/* Bytes that belong to the head's value itself, elements not counted. */
static size_t
body_size(const struct head *h)
{
	return h->type == HT_PACK_STR || h->type == HT_PACK_BIN ? h->n : 0;
}

/* Values that follow as the head's elements. */
static uint64_t
children(const struct head *h)
{
	if (h->type == HT_PACK_ARRAY)
		return h->n;
	return h->type == HT_PACK_MAP ? 2 * h->n : 0;
}

/* ---- the check ---- */

struct level {
	uint64_t left; /* values still to come, keys among them */
	bool map;
	bool has_key;
	struct ht_slice key; /* the key before */
};

static const char *
key_check(struct level *level, const struct head *h, struct ht_slice text)
{
	if (h->type != HT_PACK_STR)
		return "a map's key must be a str";
	if (level->has_key && ht_slice_cmp(level->key, text) >= 0)
		return "map keys must increase, each once";
	level->has_key = true;
	level->key = text;
	return NULL;
}

/* The value that begins at @at with the head @h, within its @level. */
static const char *
value_check(
    struct level *level, const uint8_t *at, size_t left, const struct head *h)
{
	struct ht_slice text;

	left -= h->size;
	if (body_size(h) > left)
		return CUT;
	if (children(h) > left) /* each takes a byte at least */
		return "more elements than bytes";
	text = HT_SLICE(at + h->size, body_size(h));
	if (h->type == HT_PACK_STR && !ht_utf8_valid(text))
		return "a str must be UTF-8";
	if (level->map && level->left % 2 == 0)
		return key_check(level, h, text);
	return NULL;
}

enum ht_err
ht_pack_check(struct ht_slice bytes, size_t *ret_at, const char **ret_why)
{
	struct level stack[HT_PACK_DEPTH + 1];
	unsigned depth = 0;
	size_t at = 0;
	const char *why = NULL;

	stack[0] = (struct level){.left = 1};
	while (stack[depth].left > 0) {
		struct head h;
		size_t left = bytes.len - at;

		why = head_read(bytes.at + at, left, &h);
		if (why == NULL)
			why =
			    value_check(&stack[depth], bytes.at + at, left, &h);
		if (why != NULL)
			break;
		stack[depth].left--;
		if (h.type == HT_PACK_ARRAY || h.type == HT_PACK_MAP) {
			if (depth == HT_PACK_DEPTH) {
				why = "nested too deeply";
				break;
			}
			stack[++depth] = (struct level){
			    .left = children(&h), .map = h.type == HT_PACK_MAP};
		}
		at += h.size + body_size(&h);
		while (depth > 0 && stack[depth].left == 0)
			depth--;
	}
	if (why == NULL && at < bytes.len)
		why = "bytes after the value";
	if (why == NULL)
		return HT_OK;
	if (ret_at != NULL)
		*ret_at = at;
	if (ret_why != NULL)
		*ret_why = why;
	return HT_EMALFORMED;
}

/* ---- the reader ---- */

struct ht_unpack
ht_unpack(struct ht_slice checked)
{
	static const uint8_t none[1];

	if (checked.at == NULL)
		checked.at = none;
	return (struct ht_unpack){.start = checked.at,
	    .at = checked.at,
	    .end = checked.at + checked.len,
	    .want = ""};
}

void
ht_unpack_fail(struct ht_unpack *u, enum ht_err err)
{
	HT_ASSERT(err != HT_OK);
	if (u->err == HT_OK)
		u->err = err;
}

/* The head at the reader's place; false, and nothing changed, if none. */
static bool
look(const struct ht_unpack *u, struct head *h)
{
	size_t left = (size_t)(u->end - u->at);

	HT_ASSERT(u->at <= u->end);
	return u->err == HT_OK && head_read(u->at, left, h) == NULL &&
	       body_size(h) <= left - h->size;
}

/* Step over a head of that type; where its bytes or elements begin. */
static const uint8_t *
take(struct ht_unpack *u, enum ht_pack_type type, struct head *h)
{
	const uint8_t *at;

	if (!look(u, h) || h->type != type) {
		ht_unpack_fail(u, HT_EMALFORMED);
		*h = (struct head){.type = type};
		return NULL;
	}
	at = u->at + h->size;
	u->at = at + body_size(h);
	return at;
}

enum ht_pack_type
ht_unpack_peek(const struct ht_unpack *u)
{
	struct head h;

	return look(u, &h) ? h.type : HT_PACK_NIL;
}

bool
ht_unpack_is_nil(const struct ht_unpack *u)
{
	struct head h;

	return look(u, &h) && h.type == HT_PACK_NIL;
}

bool
ht_unpack_is_array(const struct ht_unpack *u)
{
	struct head h;

	return look(u, &h) && h.type == HT_PACK_ARRAY;
}

void
ht_unpack_nil(struct ht_unpack *u)
{
	struct head h;

	(void)take(u, HT_PACK_NIL, &h);
}

bool
ht_unpack_bool(struct ht_unpack *u)
{
	struct head h;

	(void)take(u, HT_PACK_BOOL, &h);
	return h.n != 0;
}

uint64_t
ht_unpack_uint(struct ht_unpack *u, uint64_t max)
{
	const uint8_t *start = u->at;
	struct head h;

	if (take(u, HT_PACK_INT, &h) == NULL)
		return 0;
	if (!h.negative && h.n <= max)
		return h.n;
	u->at = start;
	ht_unpack_fail(u, HT_EMALFORMED);
	return 0;
}

int64_t
ht_unpack_int(struct ht_unpack *u)
{
	const uint8_t *start = u->at;
	struct head h;

	if (take(u, HT_PACK_INT, &h) == NULL)
		return 0;
	if (h.negative || h.n <= INT64_MAX)
		return (int64_t)h.n;
	u->at = start;
	ht_unpack_fail(u, HT_EMALFORMED);
	return 0;
}

double
ht_unpack_float(struct ht_unpack *u)
{
	struct head h;

	if (ht_unpack_peek(u) == HT_PACK_INT)
		return (double)ht_unpack_int(u);
	(void)take(u, HT_PACK_FLOAT, &h);
	return float_of(h.n);
}

static struct ht_slice
take_bytes(struct ht_unpack *u, enum ht_pack_type type, size_t max)
{
	const uint8_t *start = u->at, *at;
	struct head h;

	at = take(u, type, &h);
	if (at == NULL)
		return HT_SLICE(NULL, 0);
	if (h.n <= max)
		return HT_SLICE(at, h.n);
	u->at = start;
	ht_unpack_fail(u, HT_ETOOBIG);
	return HT_SLICE(NULL, 0);
}

struct ht_slice
ht_unpack_str(struct ht_unpack *u, size_t max)
{
	return take_bytes(u, HT_PACK_STR, max);
}

struct ht_slice
ht_unpack_bin(struct ht_unpack *u, size_t max)
{
	return take_bytes(u, HT_PACK_BIN, max);
}

void
ht_unpack_fixed(struct ht_unpack *u, void *out, size_t len)
{
	const uint8_t *start = u->at, *at;
	struct head h;

	at = take(u, HT_PACK_BIN, &h);
	if (at != NULL && h.n == len) {
		memcpy(out, at, len);
		return;
	}
	u->at = start;
	ht_unpack_fail(u, HT_EMALFORMED);
	memset(out, 0, len);
}

static uint32_t
take_count(struct ht_unpack *u, enum ht_pack_type type, uint32_t max)
{
	const uint8_t *start = u->at;
	struct head h;

	if (take(u, type, &h) == NULL)
		return 0;
	if (h.n <= max)
		return (uint32_t)h.n;
	u->at = start;
	ht_unpack_fail(u, HT_ETOOBIG);
	return 0;
}

uint32_t
ht_unpack_array(struct ht_unpack *u, uint32_t max)
{
	return take_count(u, HT_PACK_ARRAY, max);
}

void
ht_unpack_array_of(struct ht_unpack *u, uint32_t n)
{
	const uint8_t *start = u->at;
	struct head h;

	if (take(u, HT_PACK_ARRAY, &h) != NULL && h.n == n)
		return;
	u->at = start;
	ht_unpack_fail(u, HT_EMALFORMED);
}

uint32_t
ht_unpack_map(struct ht_unpack *u, uint32_t max)
{
	return take_count(u, HT_PACK_MAP, max);
}

void
ht_unpack_key(struct ht_unpack *u, const char *key)
{
	const uint8_t *start = u->at;
	struct ht_slice text = ht_unpack_str(u, SIZE_MAX);

	if (u->err == HT_OK && ht_slice_is(text, key))
		return;
	u->at = start;
	ht_unpack_fail(u, HT_EMALFORMED);
}

struct ht_slice
ht_unpack_raw(struct ht_unpack *u)
{
	const uint8_t *start = u->at;
	uint64_t todo = 1;

	while (todo > 0) {
		struct head h;

		if (!look(u, &h)) {
			u->at = start;
			ht_unpack_fail(u, HT_EMALFORMED);
			return HT_SLICE(NULL, 0);
		}
		u->at += h.size + body_size(&h);
		todo = todo - 1 + children(&h);
	}
	return HT_SLICE(start, (size_t)(u->at - start));
}

enum ht_err
ht_unpack_end(const struct ht_unpack *u)
{
	if (u->err != HT_OK)
		return u->err;
	return u->at == u->end ? HT_OK : HT_EMALFORMED;
}

/* ---- the writer ---- */

static int
write_out(void *arg, const char *bytes, size_t len)
{
	struct ht_buf *b = arg;

	ht_buf_add(b, bytes, len);
	return b->err == HT_OK ? 0 : -1;
}

static msgpack_packer
packer(struct ht_buf *b)
{
	return (msgpack_packer){.data = b, .callback = write_out};
}

/* The buffer's sticky error says it all; the two must agree. */
static void
packed(const struct ht_buf *b, int rc)
{
	HT_ASSERT((rc == 0) == (b->err == HT_OK));
}

static void
refuse(struct ht_buf *b, enum ht_err err)
{
	if (b->err == HT_OK)
		b->err = err;
}

void
ht_pack_nil(struct ht_buf *b)
{
	msgpack_packer p = packer(b);

	packed(b, msgpack_pack_nil(&p));
}

void
ht_pack_bool(struct ht_buf *b, bool v)
{
	msgpack_packer p = packer(b);

	packed(b, v ? msgpack_pack_true(&p) : msgpack_pack_false(&p));
}

void
ht_pack_uint(struct ht_buf *b, uint64_t v)
{
	msgpack_packer p = packer(b);

	packed(b, msgpack_pack_uint64(&p, v));
}

void
ht_pack_int(struct ht_buf *b, int64_t v)
{
	msgpack_packer p = packer(b);

	packed(b, msgpack_pack_int64(&p, v));
}

void
ht_pack_float(struct ht_buf *b, double v)
{
	msgpack_packer p = packer(b);

	if (!isfinite(v))
		refuse(b, HT_EINVALID);
	else if (is_exact_int(v))
		ht_pack_int(b, (int64_t)v);
	else
		packed(b, msgpack_pack_double(&p, v));
}

void
ht_pack_str(struct ht_buf *b, struct ht_slice text)
{
	msgpack_packer p = packer(b);
	int rc;

	if (text.len > UINT32_MAX || !ht_utf8_valid(text)) {
		refuse(b, HT_EINVALID);
		return;
	}
	rc = msgpack_pack_str(&p, text.len);
	if (rc == 0)
		rc = msgpack_pack_str_body(&p, text.at, text.len);
	packed(b, rc);
}

void
ht_pack_cstr(struct ht_buf *b, const char *text)
{
	ht_pack_str(b, ht_slice_str(text));
}

void
ht_pack_bin(struct ht_buf *b, const void *bytes, size_t len)
{
	msgpack_packer p = packer(b);
	int rc;

	if (len > UINT32_MAX) {
		refuse(b, HT_ETOOBIG);
		return;
	}
	rc = msgpack_pack_bin(&p, len);
	if (rc == 0)
		rc = msgpack_pack_bin_body(&p, bytes, len);
	packed(b, rc);
}

void
ht_pack_array(struct ht_buf *b, uint32_t n)
{
	msgpack_packer p = packer(b);

	packed(b, msgpack_pack_array(&p, n));
}

void
ht_pack_map(struct ht_buf *b, uint32_t n)
{
	msgpack_packer p = packer(b);

	packed(b, msgpack_pack_map(&p, n));
}
