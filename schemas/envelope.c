/*
 * envelope.c -- the header of a record (docs/protocol.md section 3.1).
 *
 * Two tables are the format: what stands in them is read, written and checked
 * in that order, by one function each.  Their last column is what a peer is
 * told when a field is not as it should be.
 */
#include "schemas/envelope.h"

#include <stddef.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/panic.h"
#include "lib/base/text.h"

/* ---- the words ---- */

const char *
ht_kind_text(unsigned kind)
{
	static const char *const texts[] = {
	    "unknown", "request", "response", "push", "event", "receipt"};

	return texts[kind < HT_COUNT(texts) ? kind : 0];
}

static const char *const operations[] = {
    "unknown", "query", "verify", "push", "subscribe", "transfer"};

const char *
ht_operation_text(unsigned operation)
{
	return operations[operation < HT_COUNT(operations) ? operation : 0];
}

enum ht_err
ht_operation_parse(struct ht_slice text, unsigned *ret)
{
	for (unsigned i = 1; i < HT_COUNT(operations); i++) {
		if (ht_slice_is(text, operations[i])) {
			*ret = i;
			return HT_OK;
		}
	}
	return HT_EINVALID;
}

const char *
ht_answer_text(unsigned answer)
{
	static const char *const texts[] = {
	    "no answer", "answered", "refused", "failed"};

	return answer < HT_COUNT(texts) ? texts[answer] : "unknown";
}

/* ---- ids ---- */

bool
ht_id_eq(const struct ht_id *a, const struct ht_id *b)
{
	return memcmp(a->at, b->at, HT_ID_SIZE) == 0;
}

struct ht_id
ht_id_random(void)
{
	struct ht_id id;

	ht_random(id.at, sizeof(id.at));
	return id;
}

struct ht_id
ht_id_exchange(uint64_t now_ms)
{
	struct ht_id id;

	ht_be64(id.at, now_ms << 16); /* the lower 16 bits are written over */
	ht_random(id.at + 6, sizeof(id.at) - 6);
	return id;
}

/* ---- the format ---- */

enum shape {
	SHAPE_U32,
	SHAPE_U64,
	SHAPE_BYTES,  /* bin of exactly `high` bytes, copied */
	SHAPE_NAME,   /* str: domain/name, borrowed */
	SHAPE_CODE,   /* str: one part of a name, borrowed */
	SHAPE_HASH,   /* bin 32, or nil: has_... is false */
	SHAPE_BITMAP, /* bin, borrowed, or nil: empty */
};
struct field {
	enum shape shape;
	uint16_t at;        /* offset in struct ht_header */
	uint16_t flag;      /* SHAPE_HASH: offset of its has_... */
	uint64_t low, high; /* of a number; high: most bytes of the others */
	const char *want;
};

#define FIELD(shape_, member, low_, high_, want_)                              \
	{                                                                      \
		.shape = (shape_), .at = offsetof(struct ht_header, member),   \
		.low = (low_), .high = (high_), .want = (want_)                \
	}
#define U32(member, low, high, want) FIELD(SHAPE_U32, member, low, high, want)
#define U64(member, want)            FIELD(SHAPE_U64, member, 0, UINT64_MAX, want)
#define BYTES(member, want)                                                    \
	FIELD(SHAPE_BYTES, member, 0,                                          \
	    sizeof(((struct ht_header *)NULL)->member), want)
#define NAME(member, high, want) FIELD(SHAPE_NAME, member, 1, high, want)
#define CODE(member, high, want) FIELD(SHAPE_CODE, member, 1, high, want)
#define HASH_OR_NIL(member, flag_, want_)                                      \
	{                                                                      \
		.shape = SHAPE_HASH, .at = offsetof(struct ht_header, member), \
		.flag = offsetof(struct ht_header, flag_),                     \
		.high = HT_HASH_SIZE, .want = (want_)                          \
	}

_Static_assert(sizeof(unsigned) == 4, "SHAPE_U32 is stored in unsigned");
_Static_assert(sizeof(struct ht_header) < UINT16_MAX, "offsets fit");

static const struct field envelope_fields[] = {
    U32(version, 1, 1, "version (0): 1 is expected"),
    U32(suite, 1, 1, "suite (1): 1 is expected"),
    BYTES(record, "record (2): bin of 16 is expected"),
    BYTES(exchange, "exchange (3): bin of 16 is expected"),
    U32(kind, HT_KIND_REQUEST, HT_KIND_RECEIPT, "kind (4): 1 to 5 is expected"),
    NAME(sender, HT_NAME_MAX, "sender (5): a domain/name is expected"),
    CODE(node, HT_NODE_MAX, "node (6): a node's name is expected"),
    NAME(recipient, HT_NAME_MAX, "recipient (7): a domain/name is expected"),
    NAME(item, HT_NAME_MAX, "item (8): a catalog/CODE is expected"),
    U32(item_version, 0, UINT32_MAX, "item_version (9): u32 is expected"),
    U32(operation, HT_OP_QUERY, HT_OP_TRANSFER,
        "operation (10): 1 to 5 is expected"),
    CODE(purpose, HT_PURPOSE_MAX, "purpose (11): a code is expected"),
    CODE(basis, HT_PURPOSE_MAX, "basis (12): a code is expected"),
    NAME(grant, HT_GRANT_MAX, "grant (13): a catalog/number is expected"),
    U64(created_ms, "created (14): u64 is expected"),
    U64(expires_ms, "expires (15): u64 is expected"),
    HASH_OR_NIL(reply_to, has_reply_to,
        "in_reply_to (16): nil or bin of 32 is expected"),
    U64(counter, "counter (17): u64 is expected"),
    HASH_OR_NIL(tag, has_tag, "tag (18): nil or bin of 32 is expected"),
    BYTES(commitment, "commitment (19): bin of 32 is expected"),
    FIELD(SHAPE_BITMAP, released, 1, HT_RELEASED_MAX,
        "released (20): nil, or bin of 1 to 64 without a zero byte at "
        "the end, is expected"),
    U32(status, HT_ANSWER_NONE, HT_ANSWER_FAILED,
        "status (21): 0 to 3 is expected"),
};

static const struct field seal_fields[] = {
    U32(seal_mode, 0, 0, "seal mode (0): 0 is expected"),
    BYTES(seal_key, "seal key (1): bin of 8 is expected"),
    BYTES(enc, "seal enc (2): bin of 32 is expected"),
    U64(seal_seq, "seal sequence (3): u64 is expected"),
    U32(body_len, HT_BODY_MIN, HT_BODY_MAX,
        "seal body_len (4): 52 to 1048576 is expected"),
    BYTES(body_hash, "seal body_hash (5): bin of 32 is expected"),
};

_Static_assert(HT_COUNT(envelope_fields) == 22, "the envelope's fields");
_Static_assert(HT_COUNT(seal_fields) == 6, "the seal's fields");

static bool
number_fits(const struct field *f, uint64_t n)
{
	return n >= f->low && n <= f->high;
}

static bool
text_fits(const struct field *f, struct ht_slice text)
{
	if (text.len > f->high)
		return false;
	return f->shape == SHAPE_NAME ? ht_name_valid(text)
	                              : ht_name_part(text);
}

/* One bitmap, one form: no zero byte at the end, but for "none at all". */
static bool
bitmap_fits(const struct field *f, struct ht_slice bits)
{
	return bits.len >= 1 && bits.len <= f->high &&
	       (bits.len == 1 || bits.at[bits.len - 1] != 0);
}

/* What one field cannot know of another.  NULL if all is well. */
static const char *
header_rules(const struct ht_header *h)
{
	bool answer = h->kind == HT_KIND_RESPONSE;

	if (h->expires_ms <= h->created_ms)
		return "expires (15): later than created is expected";
	if (h->kind == HT_KIND_REQUEST && h->has_reply_to)
		return "in_reply_to (16): nil is expected in a request";
	if ((answer || h->kind == HT_KIND_RECEIPT) && !h->has_reply_to)
		return "in_reply_to (16): a hash is expected in an answer";
	if (h->kind == HT_KIND_REQUEST && h->released.len > 0)
		return "released (20): nil is expected in a request";
	if (answer != (h->status != HT_ANSWER_NONE))
		return "status (21): 1 to 3 in responses, else 0, is expected";
	return NULL;
}

/* ---- reading ---- */

static void
number_read(struct ht_unpack *u, const struct field *f, void *at)
{
	uint64_t n = ht_unpack_uint(u, f->high);
	uint32_t n32 = (uint32_t)n;

	ht_unpack_demand(u, number_fits(f, n));
	if (f->shape == SHAPE_U32)
		memcpy(at, &n32, sizeof(n32));
	else
		memcpy(at, &n, sizeof(n));
}

static void
text_read(struct ht_unpack *u, const struct field *f, struct ht_slice *at)
{
	*at = ht_unpack_str(u, f->high);
	ht_unpack_demand(u, text_fits(f, *at));
}

static void
hash_read(struct ht_unpack *u, bool *has, uint8_t *at)
{
	*has = !ht_unpack_is_nil(u);
	if (*has)
		ht_unpack_fixed(u, at, HT_HASH_SIZE);
	else
		ht_unpack_nil(u);
}

static void
bitmap_read(struct ht_unpack *u, const struct field *f, struct ht_slice *at)
{
	*at = HT_SLICE(NULL, 0);
	if (ht_unpack_is_nil(u)) {
		ht_unpack_nil(u);
		return;
	}
	*at = ht_unpack_bin(u, f->high);
	ht_unpack_demand(u, bitmap_fits(f, *at));
}

static void
field_read(struct ht_unpack *u, const struct field *f, struct ht_header *h)
{
	void *at = (uint8_t *)h + f->at;

	switch (f->shape) {
	case SHAPE_U32:
	case SHAPE_U64:
		number_read(u, f, at);
		return;
	case SHAPE_BYTES:
		ht_unpack_fixed(u, at, f->high);
		return;
	case SHAPE_NAME:
	case SHAPE_CODE:
		text_read(u, f, at);
		return;
	case SHAPE_HASH:
		hash_read(u, (bool *)((uint8_t *)h + f->flag), at);
		return;
	case SHAPE_BITMAP:
		bitmap_read(u, f, at);
		return;
	}
}

/* The fields, in order; stops at the first wrong one. */
static void
fields_read(struct ht_unpack *u, const struct field *fields, uint32_t n,
    struct ht_header *h)
{
	if (u->err != HT_OK)
		return;
	ht_unpack_array_of(u, n);
	for (uint32_t i = 0; i < n && u->err == HT_OK; i++) {
		const uint8_t *at = u->at;

		u->want = fields[i].want;
		field_read(u, &fields[i], h);
		if (u->err != HT_OK) {
			u->err = HT_EMALFORMED; /* "too big" is the whole */
			u->at = at;
		}
	}
}

/* Another version may look different from here on: say so, and no more. */
static void
version_read(struct ht_unpack *u)
{
	struct ht_unpack ahead = *u;
	uint64_t version, suite;

	(void)ht_unpack_array(&ahead, UINT32_MAX);
	version = ht_unpack_uint(&ahead, UINT32_MAX);
	suite = ht_unpack_uint(&ahead, UINT32_MAX);
	if (ahead.err != HT_OK || (version == 1 && suite == 1))
		return;
	ht_unpack_expect(u, version != 1
	                        ? "a version of the envelope not known here"
	                        : "a suite not known here");
	ht_unpack_fail(u, HT_EPROTOCOL);
}

static void
header_read(struct ht_unpack *u, struct ht_header *h)
{
	const uint8_t *start;
	const char *broken;

	ht_unpack_expect(u, "header: an array of 2 is expected");
	ht_unpack_array_of(u, 2);
	start = u->at;
	ht_unpack_expect(u, "envelope: an array of 22 is expected");
	version_read(u);
	fields_read(u, envelope_fields, HT_COUNT(envelope_fields), h);
	h->envelope = HT_SLICE(start, (size_t)(u->at - start));
	ht_unpack_expect(u, "seal: an array of 6 is expected");
	fields_read(u, seal_fields, HT_COUNT(seal_fields), h);
	if (u->err != HT_OK)
		return;
	broken = header_rules(h);
	ht_unpack_expect(u, broken);
	ht_unpack_demand(u, broken == NULL);
}

enum ht_err
ht_header_decode(struct ht_slice bytes, struct ht_header *ret, size_t *ret_at,
    const char **ret_why)
{
	struct ht_unpack u = ht_unpack(bytes);
	struct ht_header h = {.raw = bytes};
	const char *why = "a header has at most 1024 bytes";
	size_t at = HT_HEADER_MAX;
	enum ht_err err = HT_ETOOBIG;

	if (bytes.len <= HT_HEADER_MAX) {
		/* Every byte of it is read, and by the rules of the profile. */
		header_read(&u, &h);
		err = ht_unpack_end(&u);
		if (err == HT_OK) {
			*ret = h;
			return HT_OK;
		}
		/* A broken rule of the profile is told before a wrong field. */
		if (ht_pack_check(bytes, &at, &why) != HT_OK) {
			err = HT_EMALFORMED;
		} else {
			at = (size_t)(u.at - u.start);
			why = u.want;
		}
	}
	if (ret_at != NULL)
		*ret_at = at;
	if (ret_why != NULL)
		*ret_why = why;
	return err;
}

/* ---- writing ---- */

static void
number_write(struct ht_buf *out, const struct field *f, const void *at)
{
	uint64_t n = 0;
	uint32_t n32 = 0;

	if (f->shape == SHAPE_U32) {
		memcpy(&n32, at, sizeof(n32));
		n = n32;
	} else {
		memcpy(&n, at, sizeof(n));
	}
	if (number_fits(f, n))
		ht_pack_uint(out, n);
	else if (out->err == HT_OK)
		out->err = HT_EINVALID;
}

static void
text_write(
    struct ht_buf *out, const struct field *f, const struct ht_slice *text)
{
	if (text_fits(f, *text))
		ht_pack_str(out, *text);
	else if (out->err == HT_OK)
		out->err = HT_EINVALID;
}

static void
bitmap_write(
    struct ht_buf *out, const struct field *f, const struct ht_slice *bits)
{
	if (bits->len == 0)
		ht_pack_nil(out);
	else if (bitmap_fits(f, *bits))
		ht_pack_bin(out, bits->at, bits->len);
	else if (out->err == HT_OK)
		out->err = HT_EINVALID;
}

static void
field_write(
    struct ht_buf *out, const struct field *f, const struct ht_header *h)
{
	const uint8_t *base = (const uint8_t *)h;
	const void *at = base + f->at;

	switch (f->shape) {
	case SHAPE_U32:
	case SHAPE_U64:
		number_write(out, f, at);
		return;
	case SHAPE_BYTES:
		ht_pack_bin(out, at, f->high);
		return;
	case SHAPE_NAME:
	case SHAPE_CODE:
		text_write(out, f, at);
		return;
	case SHAPE_HASH:
		if (*(const bool *)(base + f->flag))
			ht_pack_bin(out, at, HT_HASH_SIZE);
		else
			ht_pack_nil(out);
		return;
	case SHAPE_BITMAP:
		bitmap_write(out, f, at);
		return;
	}
}

static void
fields_write(struct ht_buf *out, const struct field *fields, uint32_t n,
    const struct ht_header *h)
{
	ht_pack_array(out, n);
	for (uint32_t i = 0; i < n; i++)
		field_write(out, &fields[i], h);
}

enum ht_err
ht_envelope_encode(const struct ht_header *h, struct ht_buf *out)
{
	if (header_rules(h) != NULL)
		return HT_EINVALID;
	fields_write(out, envelope_fields, HT_COUNT(envelope_fields), h);
	return out->err;
}

enum ht_err
ht_header_encode(
    const struct ht_header *h, struct ht_slice envelope, struct ht_buf *out)
{
	size_t start = out->len;

	ht_pack_array(out, 2);
	ht_buf_add(out, envelope.at, envelope.len);
	fields_write(out, seal_fields, HT_COUNT(seal_fields), h);
	if (out->err == HT_OK && out->len - start > HT_HEADER_MAX)
		out->err = HT_ETOOBIG;
	return out->err;
}

/* ---- around it ---- */

struct ht_hash
ht_header_hash(struct ht_slice raw)
{
	return ht_leaf_hash(raw);
}

bool
ht_released_get(struct ht_slice bitmap, size_t field)
{
	return field / 8 < bitmap.len &&
	       (bitmap.at[field / 8] & 1u << field % 8) != 0;
}

void
ht_released_set(
    uint8_t bitmap[static HT_RELEASED_MAX], size_t *len, size_t field)
{
	HT_ASSERT(field / 8 < HT_RELEASED_MAX);
	bitmap[field / 8] |= (uint8_t)(1u << field % 8);
	if (*len <= field / 8)
		*len = field / 8 + 1;
}

void
ht_seal_info(const struct ht_keyid *key, uint8_t out[static HT_SEAL_INFO_SIZE])
{
	static const char label[] = "hutong-seal/v1\n";

	_Static_assert(
	    sizeof(label) - 1 + 1 + HT_KEYID_SIZE == HT_SEAL_INFO_SIZE,
	    "label, suite, key id");
	memcpy(out, label, sizeof(label) - 1);
	out[sizeof(label) - 1] = 1; /* the suite */
	memcpy(out + sizeof(label), key->at, HT_KEYID_SIZE);
}
