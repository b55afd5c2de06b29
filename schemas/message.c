/*
 * message.c -- one frame, one message (docs/protocol.md section 5).
 *
 * Each type is a pair of functions in one table; what is written by the one
 * is read back by the other, field by field in the same order.
 */
#include "schemas/message.h"

#include <string.h>

#include "keys/witness.h"
#include "lib/base/panic.h"
#include "lib/base/text.h"

#define NOTE_MAX   16384 /* a checkpoint or current note with cosignatures */
#define LEAF_MAX   2048
#define ROW_MAX    16384 /* an entry and its bundle's evidence */
#define LINE_MAX   400   /* of a snapshot's list */
#define COSIGN_MAX 4096  /* cosignatures of one witness, or a few words */
#define PLACE      UINT64_MAX

/* ---- pieces that several messages share ---- */

static void
pack_opt(struct ht_buf *b, struct ht_slice bytes)
{
	if (bytes.len == 0)
		ht_pack_nil(b);
	else
		ht_pack_bin(b, bytes.at, bytes.len);
}

/* "None" has one form, nil: an empty bin is a mistake. */
static struct ht_slice
unpack_opt(struct ht_unpack *u, size_t max)
{
	struct ht_slice bytes = HT_SLICE(NULL, 0);

	if (ht_unpack_is_nil(u)) {
		ht_unpack_nil(u);
		return bytes;
	}
	bytes = ht_unpack_bin(u, max);
	ht_unpack_demand(u, bytes.len > 0);
	return bytes;
}

static void
pack_hashes(struct ht_buf *b, const struct ht_hash *at, size_t n)
{
	ht_pack_array(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		ht_pack_bin(b, at[i].at, HT_HASH_SIZE);
}

static size_t
unpack_hashes(struct ht_unpack *u, struct ht_hash *at, uint32_t max)
{
	uint32_t n = ht_unpack_array(u, max);

	for (uint32_t i = 0; i < n && u->err == HT_OK; i++)
		ht_unpack_fixed(u, at[i].at, HT_HASH_SIZE);
	return n;
}

static void
pack_places(struct ht_buf *b, const uint64_t *at, size_t n)
{
	ht_pack_array(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		ht_pack_uint(b, at[i]);
}

static uint32_t
unpack_places(struct ht_unpack *u, uint64_t *at, uint32_t max)
{
	uint32_t n = ht_unpack_array(u, max);

	for (uint32_t i = 0; i < n && u->err == HT_OK; i++)
		at[i] = ht_unpack_uint(u, PLACE);
	return n;
}

static void
pack_proof(struct ht_buf *b, const struct ht_range_proof *p)
{
	if (!p->present) {
		ht_pack_nil(b);
		return;
	}
	ht_pack_array(b, 4);
	ht_pack_uint(b, p->size);
	pack_places(b, p->indexes, p->n_indexes);
	ht_pack_array(b, (uint32_t)p->n_indexes);
	for (size_t i = 0; i < p->n_indexes; i++)
		ht_pack_bin(b, p->heads[i].at, p->heads[i].len);
	pack_hashes(b, p->hashes, p->n_hashes);
}

static void
unpack_proof(struct ht_unpack *u, struct ht_range_proof *p)
{
	p->present = !ht_unpack_is_nil(u);
	p->n_indexes = p->n_hashes = 0;
	if (!p->present) {
		ht_unpack_nil(u);
		return;
	}
	ht_unpack_array_of(u, 4);
	p->size = ht_unpack_uint(u, PLACE);
	p->n_indexes = unpack_places(u, p->indexes, HT_BUNDLE_MAX);
	ht_unpack_array_of(u, (uint32_t)p->n_indexes);
	for (size_t i = 0; i < p->n_indexes && u->err == HT_OK; i++)
		p->heads[i] = ht_unpack_bin(u, LEAF_MAX);
	p->n_hashes = unpack_hashes(u, p->hashes, HT_COUNT(p->hashes));
}

/* ---- HELLO, WELCOME ---- */

static void
pack_hello(struct ht_buf *b, const struct ht_message *m)
{
	ht_pack_array(b, m->hello.n_versions);
	for (unsigned i = 0; i < m->hello.n_versions; i++)
		ht_pack_uint(b, m->hello.versions[i]);
	ht_pack_str(b, m->hello.node);
	pack_opt(b, m->hello.checkpoint);
	ht_pack_uint(b, m->hello.snapshot);
	ht_pack_bool(b, m->hello.proofs);
	ht_pack_bool(b, m->hello.serves);
}

/* member/node, which is domain/name/node. */
static bool
node_name_valid(struct ht_slice name)
{
	const uint8_t *slash =
	    name.len == 0 ? NULL : memrchr(name.at, '/', name.len);
	size_t member = slash == NULL ? 0 : (size_t)(slash - name.at);

	return slash != NULL && ht_name_valid(HT_SLICE(name.at, member)) &&
	       ht_name_part(HT_SLICE(slash + 1, name.len - member - 1));
}

static void
unpack_hello(struct ht_unpack *u, struct ht_message *m)
{
	m->hello.n_versions = ht_unpack_array(u, HT_COUNT(m->hello.versions));
	ht_unpack_demand(u, m->hello.n_versions > 0);
	for (unsigned i = 0; i < m->hello.n_versions && u->err == HT_OK; i++)
		m->hello.versions[i] = (unsigned)ht_unpack_uint(u, 65535);
	m->hello.node = ht_unpack_str(u, HT_NAME_MAX + 1 + HT_NODE_MAX);
	ht_unpack_demand(u, node_name_valid(m->hello.node));
	m->hello.checkpoint = unpack_opt(u, NOTE_MAX);
	m->hello.snapshot = ht_unpack_uint(u, PLACE);
	m->hello.proofs = ht_unpack_bool(u);
	m->hello.serves = ht_unpack_bool(u);
}

/* The map of limits, in the order of its keys. */
static void
pack_limits(struct ht_buf *b, const struct ht_message *m)
{
	ht_pack_map(b, 5);
	ht_pack_cstr(b, "body");
	ht_pack_uint(b, m->welcome.body);
	ht_pack_cstr(b, "bundle");
	ht_pack_uint(b, m->welcome.bundle);
	ht_pack_cstr(b, "frame");
	ht_pack_uint(b, m->welcome.frame);
	ht_pack_cstr(b, "life_ms");
	ht_pack_uint(b, m->welcome.life_ms);
	ht_pack_cstr(b, "skew_ms");
	ht_pack_uint(b, m->welcome.skew_ms);
}

static void
unpack_limits(struct ht_unpack *u, struct ht_message *m)
{
	ht_unpack_demand(u, ht_unpack_map(u, 5) == 5);
	ht_unpack_key(u, "body");
	m->welcome.body = ht_unpack_uint(u, UINT32_MAX);
	ht_unpack_key(u, "bundle");
	m->welcome.bundle = ht_unpack_uint(u, UINT32_MAX);
	ht_unpack_key(u, "frame");
	m->welcome.frame = ht_unpack_uint(u, UINT32_MAX);
	ht_unpack_key(u, "life_ms");
	m->welcome.life_ms = ht_unpack_uint(u, UINT32_MAX);
	ht_unpack_key(u, "skew_ms");
	m->welcome.skew_ms = ht_unpack_uint(u, UINT32_MAX);
}

static void
pack_welcome(struct ht_buf *b, const struct ht_message *m)
{
	ht_pack_uint(b, m->welcome.version);
	ht_pack_bin(b, m->welcome.checkpoint.at, m->welcome.checkpoint.len);
	pack_hashes(b, m->welcome.path, m->welcome.n_path);
	ht_pack_uint(b, m->welcome.snapshot);
	ht_pack_bin(b, m->welcome.current.at, m->welcome.current.len);
	ht_pack_uint(b, m->welcome.time_ms);
	pack_limits(b, m);
}

static void
unpack_welcome(struct ht_unpack *u, struct ht_message *m)
{
	m->welcome.version = (unsigned)ht_unpack_uint(u, 65535);
	m->welcome.checkpoint = ht_unpack_bin(u, NOTE_MAX);
	m->welcome.n_path = unpack_hashes(u, m->welcome.path, HT_PROOF_MAX);
	m->welcome.snapshot = ht_unpack_uint(u, PLACE);
	m->welcome.current = ht_unpack_bin(u, NOTE_MAX);
	m->welcome.time_ms = ht_unpack_uint(u, PLACE);
	unpack_limits(u, m);
}

/* ---- BUNDLE, ACK, DELIVER, GOT, END ---- */

static void
pack_bundle(struct ht_buf *b, const struct ht_message *m)
{
	ht_bundle_pack(b, &m->bundle);
}

static void
unpack_bundle(struct ht_unpack *u, struct ht_message *m)
{
	if (ht_bundle_unpack(u, &m->bundle, NULL) != HT_OK)
		return;
	ht_unpack_expect(u, "a bundle comes to the broker whole");
	ht_unpack_demand(u, m->bundle.n_records == m->bundle.count);
}

static void
pack_ack(struct ht_buf *b, const struct ht_message *m)
{
	ht_pack_array(b, m->ack.n_results);
	for (unsigned i = 0; i < m->ack.n_results; i++) {
		const struct ht_result *r = &m->ack.results[i];

		ht_pack_array(b, 5);
		ht_pack_bin(b, r->record.at, HT_ID_SIZE);
		ht_pack_uint(b, r->status);
		ht_pack_uint(b, r->place);
		ht_reasons_pack(b, &r->reasons);
		ht_pack_uint(b, r->retry_ms);
	}
	pack_opt(b, m->ack.checkpoint);
	pack_proof(b, &m->ack.proof);
}

static void
unpack_ack(struct ht_unpack *u, struct ht_message *m)
{
	m->ack.n_results = ht_unpack_array(u, HT_BUNDLE_MAX);
	for (unsigned i = 0; i < m->ack.n_results && u->err == HT_OK; i++) {
		struct ht_result *r = &m->ack.results[i];

		ht_unpack_array_of(u, 5);
		ht_unpack_fixed(u, r->record.at, HT_ID_SIZE);
		r->status = (unsigned)ht_unpack_uint(u, 65535);
		r->place = ht_unpack_uint(u, PLACE);
		ht_reasons_unpack(u, &r->reasons);
		r->retry_ms = (uint32_t)ht_unpack_uint(u, UINT32_MAX);
	}
	m->ack.checkpoint = unpack_opt(u, NOTE_MAX);
	unpack_proof(u, &m->ack.proof);
}

static void
pack_deliver(struct ht_buf *b, const struct ht_message *m)
{
	ht_bundle_pack(b, &m->deliver.bundle);
	pack_places(b, m->deliver.places, m->deliver.bundle.n_records);
	ht_pack_bin(b, m->deliver.checkpoint.at, m->deliver.checkpoint.len);
	pack_proof(b, &m->deliver.proof);
}

static void
unpack_deliver(struct ht_unpack *u, struct ht_message *m)
{
	const char *form = u->want;
	uint32_t n;

	if (ht_bundle_unpack(u, &m->deliver.bundle, NULL) != HT_OK)
		return;
	ht_unpack_expect(u, form);
	n = unpack_places(u, m->deliver.places, HT_BUNDLE_MAX);
	ht_unpack_demand(u, n == m->deliver.bundle.n_records);
	m->deliver.checkpoint = ht_unpack_bin(u, NOTE_MAX);
	unpack_proof(u, &m->deliver.proof);
}

static void
pack_got(struct ht_buf *b, const struct ht_message *m)
{
	pack_places(b, m->got.places, m->got.n_places);
}

static void
unpack_got(struct ht_unpack *u, struct ht_message *m)
{
	m->got.n_places = unpack_places(u, m->got.places, HT_BUNDLE_MAX);
}

static void
pack_end(struct ht_buf *b, const struct ht_message *m)
{
	ht_pack_bin(b, m->end.record.at, HT_ID_SIZE);
	ht_pack_uint(b, m->end.status);
	ht_pack_uint(b, m->end.place);
	ht_pack_bin(b, m->end.checkpoint.at, m->end.checkpoint.len);
}

static void
unpack_end(struct ht_unpack *u, struct ht_message *m)
{
	ht_unpack_fixed(u, m->end.record.at, HT_ID_SIZE);
	m->end.status = (unsigned)ht_unpack_uint(u, 65535);
	m->end.place = ht_unpack_uint(u, PLACE);
	m->end.checkpoint = ht_unpack_bin(u, NOTE_MAX);
}

/* ---- PING, PONG ---- */

static void
pack_nothing(struct ht_buf *b, const struct ht_message *m)
{
	(void)b;
	(void)m;
}

static void
unpack_nothing(struct ht_unpack *u, struct ht_message *m)
{
	(void)u;
	(void)m;
}

static void
pack_pong(struct ht_buf *b, const struct ht_message *m)
{
	ht_pack_uint(b, m->pong.time_ms);
}

static void
unpack_pong(struct ht_unpack *u, struct ht_message *m)
{
	m->pong.time_ms = ht_unpack_uint(u, PLACE);
}

/* ---- snapshots and proofs ---- */

static void
pack_get_snapshot(struct ht_buf *b, const struct ht_message *m)
{
	ht_pack_uint(b, m->get_snapshot.version);
	ht_pack_uint(b, m->get_snapshot.have);
	ht_pack_uint(b, m->get_snapshot.offset);
}

static void
unpack_get_snapshot(struct ht_unpack *u, struct ht_message *m)
{
	m->get_snapshot.version = ht_unpack_uint(u, PLACE);
	m->get_snapshot.have = ht_unpack_uint(u, PLACE);
	m->get_snapshot.offset = ht_unpack_uint(u, PLACE);
}

static void
pack_snapshot(struct ht_buf *b, const struct ht_message *m)
{
	ht_pack_uint(b, m->snapshot.version);
	ht_pack_uint(b, m->snapshot.since);
	ht_pack_uint(b, m->snapshot.offset);
	ht_pack_uint(b, m->snapshot.total);
	ht_pack_bin(b, m->snapshot.note.at, m->snapshot.note.len);
	pack_opt(b, m->snapshot.gone);
	ht_pack_array(b, m->snapshot.n_docs);
	for (unsigned i = 0; i < m->snapshot.n_docs; i++) {
		ht_pack_array(b, 2);
		ht_pack_str(b, m->snapshot.lines[i]);
		ht_pack_bin(b, m->snapshot.docs[i].at, m->snapshot.docs[i].len);
	}
	ht_pack_bin(b, m->snapshot.current.at, m->snapshot.current.len);
	ht_pack_uint(b, m->snapshot.place);
	ht_pack_bin(b, m->snapshot.leaf.at, m->snapshot.leaf.len);
	pack_hashes(b, m->snapshot.path, m->snapshot.n_path);
	ht_pack_bin(b, m->snapshot.checkpoint.at, m->snapshot.checkpoint.len);
}

static void
unpack_snapshot(struct ht_unpack *u, struct ht_message *m)
{
	m->snapshot.version = ht_unpack_uint(u, PLACE);
	m->snapshot.since = ht_unpack_uint(u, PLACE);
	m->snapshot.offset = ht_unpack_uint(u, PLACE);
	m->snapshot.total = ht_unpack_uint(u, PLACE);
	m->snapshot.note = ht_unpack_bin(u, NOTE_MAX);
	m->snapshot.gone = unpack_opt(u, HT_GONE_MAX);
	m->snapshot.n_docs = ht_unpack_array(u, HT_DOCS_MAX);
	for (unsigned i = 0; i < m->snapshot.n_docs && u->err == HT_OK; i++) {
		ht_unpack_array_of(u, 2);
		m->snapshot.lines[i] = ht_unpack_str(u, LINE_MAX);
		m->snapshot.docs[i] = ht_unpack_bin(u, HT_FRAME_MAX);
	}
	m->snapshot.current = ht_unpack_bin(u, NOTE_MAX);
	m->snapshot.place = ht_unpack_uint(u, PLACE);
	m->snapshot.leaf = ht_unpack_bin(u, LEAF_MAX);
	m->snapshot.n_path = unpack_hashes(u, m->snapshot.path, HT_PROOF_MAX);
	m->snapshot.checkpoint = ht_unpack_bin(u, NOTE_MAX);
}

static void
pack_get_proof(struct ht_buf *b, const struct ht_message *m)
{
	ht_pack_uint(b, m->get_proof.place);
	ht_pack_uint(b, m->get_proof.size);
}

static void
unpack_get_proof(struct ht_unpack *u, struct ht_message *m)
{
	m->get_proof.place = ht_unpack_uint(u, PLACE);
	m->get_proof.size = ht_unpack_uint(u, PLACE);
}

static void
pack_proof_message(struct ht_buf *b, const struct ht_message *m)
{
	ht_pack_uint(b, m->proof.place);
	pack_hashes(b, m->proof.path, m->proof.n_path);
	ht_pack_bin(b, m->proof.checkpoint.at, m->proof.checkpoint.len);
	pack_opt(b, m->proof.row);
}

static void
unpack_proof_message(struct ht_unpack *u, struct ht_message *m)
{
	m->proof.place = ht_unpack_uint(u, PLACE);
	m->proof.n_path = unpack_hashes(u, m->proof.path, HT_PROOF_MAX);
	m->proof.checkpoint = ht_unpack_bin(u, NOTE_MAX);
	m->proof.row = unpack_opt(u, ROW_MAX);
}

static void
pack_get_consistency(struct ht_buf *b, const struct ht_message *m)
{
	ht_pack_uint(b, m->get_consistency.old_size);
	ht_pack_uint(b, m->get_consistency.new_size);
}

static void
unpack_get_consistency(struct ht_unpack *u, struct ht_message *m)
{
	m->get_consistency.old_size = ht_unpack_uint(u, PLACE);
	m->get_consistency.new_size = ht_unpack_uint(u, PLACE);
}

static void
pack_consistency(struct ht_buf *b, const struct ht_message *m)
{
	pack_hashes(b, m->consistency.path, m->consistency.n_path);
	ht_pack_bin(
	    b, m->consistency.checkpoint.at, m->consistency.checkpoint.len);
}

static void
unpack_consistency(struct ht_unpack *u, struct ht_message *m)
{
	m->consistency.n_path =
	    unpack_hashes(u, m->consistency.path, HT_PROOF_MAX);
	m->consistency.checkpoint = ht_unpack_bin(u, NOTE_MAX);
}

/* ---- ERROR, NOTICE ---- */

static void
pack_error(struct ht_buf *b, const struct ht_message *m)
{
	ht_reason_pack(b, &m->error.reason);
	ht_pack_uint(b, m->error.retry_ms);
}

static void
unpack_error(struct ht_unpack *u, struct ht_message *m)
{
	ht_reason_unpack(u, &m->error.reason);
	m->error.retry_ms = (uint32_t)ht_unpack_uint(u, UINT32_MAX);
}

static void
pack_notice(struct ht_buf *b, const struct ht_message *m)
{
	ht_pack_uint(b, m->notice.snapshot);
}

static void
unpack_notice(struct ht_unpack *u, struct ht_message *m)
{
	m->notice.snapshot = ht_unpack_uint(u, PLACE);
}

/* ---- WITNESS, COSIGN ---- */

static void
pack_witness(struct ht_buf *b, const struct ht_message *m)
{
	ht_pack_bin(b, m->witness.request.at, m->witness.request.len);
}

static void
unpack_witness(struct ht_unpack *u, struct ht_message *m)
{
	m->witness.request = ht_unpack_bin(u, HT_WITNESS_REQUEST);
}

static void
pack_cosign(struct ht_buf *b, const struct ht_message *m)
{
	ht_pack_str(b, m->cosign.name);
	ht_pack_uint(b, m->cosign.status);
	ht_pack_bin(b, m->cosign.body.at, m->cosign.body.len);
	pack_opt(b, m->cosign.seen);
}

static void
unpack_cosign(struct ht_unpack *u, struct ht_message *m)
{
	m->cosign.name = ht_unpack_str(u, HT_VKEY_NAME_MAX - 1);
	m->cosign.status = (unsigned)ht_unpack_uint(u, 999);
	m->cosign.body = ht_unpack_bin(u, COSIGN_MAX);
	m->cosign.seen = unpack_opt(u, NOTE_MAX);
}

/* ---- the table ---- */

struct form {
	uint32_t n; /* elements of the array: version, type, ref, and its own */
	void (*pack)(struct ht_buf *, const struct ht_message *);
	void (*unpack)(struct ht_unpack *, struct ht_message *);
	const char *want;
};
#define FORM(n_, what, name)                                                   \
	{                                                                      \
		.n = (n_), .pack = pack_##what, .unpack = unpack_##what,       \
		.want = name ": the elements of section 5 are expected"        \
	}

static const struct form forms[] = {
    [HT_MSG_HELLO] = FORM(9, hello, "HELLO"),
    [HT_MSG_WELCOME] = FORM(10, welcome, "WELCOME"),
    [HT_MSG_BUNDLE] = FORM(4, bundle, "BUNDLE"),
    [HT_MSG_ACK] = FORM(6, ack, "ACK"),
    [HT_MSG_DELIVER] = FORM(7, deliver, "DELIVER"),
    [HT_MSG_GOT] = FORM(4, got, "GOT"),
    [HT_MSG_END] = FORM(7, end, "END"),
    [HT_MSG_PING] = FORM(3, nothing, "PING"),
    [HT_MSG_PONG] = FORM(4, pong, "PONG"),
    [HT_MSG_GET_SNAPSHOT] = FORM(6, get_snapshot, "GET_SNAPSHOT"),
    [HT_MSG_SNAPSHOT] = FORM(15, snapshot, "SNAPSHOT"),
    [HT_MSG_GET_PROOF] = FORM(5, get_proof, "GET_PROOF"),
    [HT_MSG_PROOF] = FORM(7, proof_message, "PROOF"),
    [HT_MSG_GET_CONSISTENCY] = FORM(5, get_consistency, "GET_CONSISTENCY"),
    [HT_MSG_CONSISTENCY] = FORM(5, consistency, "CONSISTENCY"),
    [HT_MSG_ERROR] = FORM(5, error, "ERROR"),
    [HT_MSG_NOTICE] = FORM(4, notice, "NOTICE"),
    [HT_MSG_WITNESS] = FORM(4, witness, "WITNESS"),
    [HT_MSG_COSIGN] = FORM(7, cosign, "COSIGN"),
};

/* [version, type, ref, ...]: the form that follows, or NULL. */
static const struct form *
read_start(struct ht_unpack *u, struct ht_message *ret)
{
	uint64_t type;
	uint32_t n;

	ht_unpack_expect(u, "a message is an array [version, type, ref, ...]");
	n = ht_unpack_array(u, 16);
	if (ht_unpack_uint(u, UINT32_MAX) != HT_PROTOCOL && u->err == HT_OK) {
		ht_unpack_expect(u, "another protocol version");
		ht_unpack_fail(u, HT_EPROTOCOL);
	}
	type = ht_unpack_uint(u, UINT32_MAX);
	if (u->err == HT_OK && (type == 0 || type >= HT_COUNT(forms))) {
		ht_unpack_expect(u, "an unknown message type");
		ht_unpack_fail(u, HT_ENOTFOUND);
	}
	if (u->err != HT_OK)
		return NULL;
	ht_unpack_expect(u, forms[type].want);
	ht_unpack_demand(u, n == forms[type].n);
	ret->type = (enum ht_message_type)type;
	ret->ref = ht_unpack_uint(u, UINT64_MAX);
	return u->err == HT_OK ? &forms[type] : NULL;
}

enum ht_err
ht_message_decode(struct ht_slice frame, struct ht_message *ret, size_t *ret_at,
    const char **ret_why)
{
	struct ht_unpack u = ht_unpack(frame);
	const struct form *form;
	const char *why = "the frame is longer than a message may be";
	size_t at = HT_FRAME_MAX;
	enum ht_err err = HT_ETOOBIG;

	if (frame.len <= HT_FRAME_MAX)
		err = ht_pack_check(frame, &at, &why);
	if (err == HT_OK) {
		form = read_start(&u, ret);
		if (form != NULL)
			form->unpack(&u, ret);
		err = ht_unpack_end(&u);
		at = (size_t)(u.at - u.start);
		why = u.want;
	}
	if (err != HT_OK && ret_at != NULL)
		*ret_at = at;
	if (err != HT_OK && ret_why != NULL)
		*ret_why = why;
	return err;
}

unsigned
ht_decode_status(enum ht_err err)
{
	switch (err) {
	case HT_ETOOBIG:
		return HT_ST_TOO_BIG;
	case HT_EPROTOCOL:
		return HT_ST_VERSION;
	case HT_ENOTFOUND:
		return HT_ST_UNKNOWN_TYPE;
	default:
		return HT_ST_MALFORMED;
	}
}

enum ht_err
ht_message_encode(const struct ht_message *m, struct ht_buf *out)
{
	size_t start = out->len;

	HT_ASSERT(m->type > 0 && m->type < HT_COUNT(forms));
	ht_pack_array(out, forms[m->type].n);
	ht_pack_uint(out, HT_PROTOCOL);
	ht_pack_uint(out, m->type);
	ht_pack_uint(out, m->ref);
	forms[m->type].pack(out, m);
	if (out->err == HT_OK && out->len - start > HT_FRAME_MAX)
		out->err = HT_ETOOBIG;
	return out->err;
}
