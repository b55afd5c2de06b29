#include "tests/lib/sample.h"

#include <string.h>

#include "lib/base/panic.h"
#include "schemas/tag.h"

static void
fill(void *at, size_t len, uint8_t with)
{
	uint8_t *bytes = at;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(with + i);
}

struct ht_header
ht_sample_request(void)
{
	struct ht_header h = {
	    .version = 1,
	    .suite = 1,
	    .kind = HT_KIND_REQUEST,
	    .sender = ht_slice_str("tax.demo/state"),
	    .node = ht_slice_str("main"),
	    .recipient = ht_slice_str("scjg.demo/registry"),
	    .item = ht_slice_str("gx.demo/SCZTDJ"),
	    .item_version = 1,
	    .operation = HT_OP_QUERY,
	    .purpose = ht_slice_str("tax-registration"),
	    .basis = ht_slice_str("ZGF-15"),
	    .grant = ht_slice_str("gx.demo/17"),
	    .created_ms = HT_SAMPLE_MS,
	    .expires_ms = HT_SAMPLE_MS + 60000,
	    .counter = 7,
	    .has_tag = true,
	    .seal_seq = 300,
	    .body_len = 400,
	};

	fill(h.record.at, sizeof(h.record.at), 0x10);
	fill(h.exchange.at, sizeof(h.exchange.at), 0x20);
	fill(h.tag.at, sizeof(h.tag.at), 0x30);
	fill(h.commitment.at, sizeof(h.commitment.at), 0x50);
	fill(h.seal_key.at, sizeof(h.seal_key.at), 0x70);
	fill(h.enc, sizeof(h.enc), 0x80);
	fill(h.body_hash.at, sizeof(h.body_hash.at), 0xa0);
	return h;
}

struct ht_header
ht_sample_response(void)
{
	struct ht_header h = ht_sample_request();
	struct ht_slice sender = h.sender;

	h.kind = HT_KIND_RESPONSE;
	h.sender = h.recipient;
	h.recipient = sender;
	h.has_tag = false;
	fill(h.record.at, sizeof(h.record.at), 0x11);
	h.has_reply_to = true;
	fill(h.reply_to.at, sizeof(h.reply_to.at), 0xc0);
	h.released = HT_SLICE("\x05", 1);
	h.status = HT_ANSWER_ANSWERED;
	return h;
}

void
ht_sample_encode(const struct ht_header *h, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf envelope = HT_BUF(HT_HEADER_MAX);

	HT_ASSERT(ht_envelope_encode(h, &envelope) == HT_OK);
	HT_ASSERT(ht_header_encode(h, ht_buf_slice(&envelope), out) == HT_OK);
}

void
ht_sample_hex(struct ht_buf *out, const char *hex)
{
	char digits[3] = "";

	for (unsigned n = 0; *hex != '\0'; hex++) {
		uint8_t byte;

		if (*hex == ' ')
			continue;
		digits[n++] = *hex;
		if (n < 2)
			continue;
		n = 0;
		HT_ASSERT(ht_unhex(digits, &byte, 1) == HT_OK);
		ht_buf_u8(out, byte);
	}
}

void
ht_sample_swap(struct ht_buf *out, struct ht_slice bytes, uint32_t i,
    struct ht_slice element)
{
	struct ht_unpack u = ht_unpack(bytes);
	uint32_t n = ht_unpack_array(&u, UINT32_MAX);

	ht_pack_array(out, i == n ? n + 1 : element.len == 0 ? n - 1 : n);
	for (uint32_t k = 0; k < n; k++) {
		struct ht_slice raw = ht_unpack_raw(&u);

		if (k == i)
			raw = element;
		ht_buf_add(out, raw.at, raw.len);
	}
	if (i == n)
		ht_buf_add(out, element.at, element.len);
	HT_ASSERT(u.err == HT_OK && out->err == HT_OK);
}

/* ---- bundles ---- */

struct ht_key *
ht_sample_signing(void)
{
	struct ht_key *key = NULL;
	uint8_t seed[32];

	fill(seed, sizeof(seed), 0x40);
	HT_ASSERT(ht_keys_init() == HT_OK);
	HT_ASSERT(ht_key_from_seed(HT_KEY_SIGNING, seed, &key) == HT_OK);
	return key;
}

/* What was appended to the arena since @start. */
static struct ht_slice
since(const struct ht_buf *arena, size_t start)
{
	return HT_SLICE(arena->at + start, arena->len - start);
}

static struct ht_slice
sample_tag(uint32_t i, struct ht_buf *arena)
{
	static const uint8_t annex[64];
	struct ht_tag tag = {.epoch = ht_slice_str("gx.demo/2025Q4"),
	    .n_subjects = 1,
	    .annex = HT_SLICE(annex, sizeof(annex))};
	size_t start = arena->len;

	fill(tag.subjects[0].at, HT_PSEUDONYM_SIZE, (uint8_t)i);
	HT_ASSERT(ht_tag_encode(&tag, arena) == HT_OK);
	return since(arena, start);
}

static void
sample_record(struct ht_bundle_record *r, uint32_t i, struct ht_buf *arena)
{
	struct ht_header h = ht_sample_request();
	size_t start = arena->len;

	r->index = i;
	fill(ht_buf_room(arena, HT_BODY_MIN + i), HT_BODY_MIN + i, (uint8_t)i);
	r->body = since(arena, start);
	r->tag = i % 2 == 0 ? sample_tag(i, arena) : HT_SLICE(NULL, 0);
	h.record.at[0] = (uint8_t)i;
	h.body_len = (uint32_t)r->body.len;
	h.body_hash = ht_blake2b(&r->body, 1);
	h.has_tag = r->tag.len > 0;
	if (h.has_tag)
		h.tag = ht_tag_hash(r->tag);
	start = arena->len;
	ht_sample_encode(&h, arena);
	r->header = since(arena, start);
}

void
ht_sample_bundle(struct ht_bundle *ret, uint32_t n, struct ht_buf *arena)
{
	/* All of it at once: growing would move what slices point at. */
	HT_ASSERT(ht_buf_room(arena, HT_SAMPLE_ARENA) != NULL);
	ht_buf_reset(arena);
	memset(ret, 0, sizeof(*ret));
	ret->suite = 1;
	ret->sender = ht_slice_str("tax.demo/state");
	ret->node = ht_slice_str("main");
	ret->count = ret->n_records = n;
	for (uint32_t i = 0; i < n; i++)
		sample_record(&ret->records[i], i, arena);
}

/* ---- messages ---- */

#define CHECKPOINT                                                             \
	"gx.demo/log\n8\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"     \
	"\xe2\x80\x94 gx.demo/log AAAA\n"
#define CURRENT "hutong: current/v1\n"

static size_t
hashes(struct ht_hash *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fill(at[i].at, HT_HASH_SIZE, (uint8_t)(0x11 * i));
	return n;
}

static void
range_proof(struct ht_range_proof *p)
{
	p->present = true;
	p->size = 300;
	p->n_indexes = 2;
	p->indexes[0] = 100;
	p->indexes[1] = 255;
	p->heads[0] = ht_slice_str("head of the first leaf");
	p->heads[1] = ht_slice_str("head of the second");
	p->n_hashes = hashes(p->hashes, 3);
}

static void
deliver(struct ht_message *m, struct ht_buf *arena)
{
	static const uint32_t keep[] = {1, 4};
	HT_AUTO(ht_key_free) struct ht_key *key = ht_sample_signing();
	static struct ht_bundle whole;

	ht_sample_bundle(&whole, 5, arena);
	HT_ASSERT(ht_bundle_sign(&whole, key) == HT_OK);
	HT_ASSERT(ht_bundle_part(&whole, keep, 2, &m->deliver.bundle) == HT_OK);
	m->deliver.places[0] = 100;
	m->deliver.places[1] = 255;
	m->deliver.checkpoint = ht_slice_str(CHECKPOINT);
	range_proof(&m->deliver.proof);
}

static void
ack(struct ht_message *m)
{
	struct ht_result *r = m->ack.results;

	m->ack.n_results = 2;
	fill(r[0].record.at, HT_ID_SIZE, 1);
	r[0].place = 100;
	fill(r[1].record.at, HT_ID_SIZE, 2);
	r[1].status = HT_ST_NO_GRANT;
	r[1].place = 101;
	r[1].retry_ms = 5000;
	ht_reasons_add(&r[1].reasons, HT_ST_NO_GRANT, "gx.demo/17");
	ht_reasons_add(&r[1].reasons, HT_ST_CLOCK, "61 s");
	m->ack.checkpoint = ht_slice_str(CHECKPOINT);
	range_proof(&m->ack.proof);
}

static void
snapshot(struct ht_message *m)
{
	m->snapshot.version = 12;
	m->snapshot.since = 11;
	m->snapshot.total = 2;
	m->snapshot.note = ht_slice_str("hutong: snapshot/v1\n");
	m->snapshot.gone = ht_slice_str("grant gx.demo/16\n");
	m->snapshot.n_docs = 2;
	m->snapshot.lines[0] = ht_slice_str("grant gx.demo/17 2 aa");
	m->snapshot.docs[0] = ht_slice_str("hutong: grant/v1\n");
	m->snapshot.lines[1] = ht_slice_str("root root 1 bb");
	m->snapshot.docs[1] = ht_slice_str("hutong: root/v1\n");
	m->snapshot.current = ht_slice_str(CURRENT);
	m->snapshot.place = 7;
	m->snapshot.leaf = ht_slice_str("leaf");
	m->snapshot.n_path = hashes(m->snapshot.path, 2);
	m->snapshot.checkpoint = ht_slice_str(CHECKPOINT);
}

static void
welcome(struct ht_message *m)
{
	m->welcome.version = 1;
	m->welcome.checkpoint = ht_slice_str(CHECKPOINT);
	m->welcome.n_path = hashes(m->welcome.path, 2);
	m->welcome.snapshot = 12;
	m->welcome.current = ht_slice_str(CURRENT);
	m->welcome.time_ms = HT_SAMPLE_MS;
	m->welcome.body = HT_BODY_MAX;
	m->welcome.bundle = HT_BUNDLE_MAX;
	m->welcome.frame = HT_FRAME_MAX;
	m->welcome.life_ms = HT_LIFE_MS;
	m->welcome.skew_ms = HT_SKEW_MS;
}

static void
small_message(struct ht_message *m)
{
	switch (m->type) {
	case HT_MSG_GOT:
		m->got.n_places = 2;
		m->got.places[0] = 100;
		m->got.places[1] = UINT64_MAX;
		break;
	case HT_MSG_END:
		fill(m->end.record.at, HT_ID_SIZE, 3);
		m->end.status = HT_ST_EXPIRED;
		m->end.place = 400;
		m->end.checkpoint = ht_slice_str(CHECKPOINT);
		break;
	case HT_MSG_PONG:
		m->pong.time_ms = HT_SAMPLE_MS;
		break;
	case HT_MSG_GET_SNAPSHOT:
		m->get_snapshot.version = 12;
		m->get_snapshot.have = 11;
		m->get_snapshot.offset = 512;
		break;
	case HT_MSG_GET_PROOF:
		m->get_proof.place = 100;
		m->get_proof.size = 300;
		break;
	case HT_MSG_GET_CONSISTENCY:
		m->get_consistency.old_size = 100;
		m->get_consistency.new_size = 300;
		break;
	case HT_MSG_ERROR:
		m->error.reason.code = HT_ST_BUSY;
		strcpy(m->error.reason.detail, "256 frames are waiting");
		m->error.retry_ms = 1000;
		break;
	case HT_MSG_NOTICE:
		m->notice.snapshot = 13;
		break;
	case HT_MSG_WITNESS:
		m->witness.request = ht_slice_str("old 0\n\nnote\n");
		break;
	case HT_MSG_COSIGN:
		m->cosign.name = ht_slice_str("tax.demo/state/witness");
		m->cosign.status = 409;
		m->cosign.body = ht_slice_str("123\n");
		m->cosign.seen = ht_slice_str("checkpoint");
		break;
	default: /* PING says nothing more */
		break;
	}
}

static void
proofs(struct ht_message *m)
{
	if (m->type == HT_MSG_PROOF) {
		m->proof.place = 100;
		m->proof.n_path = hashes(m->proof.path, 2);
		m->proof.checkpoint = ht_slice_str(CHECKPOINT);
		m->proof.row = ht_slice_str("a row");
	} else {
		m->consistency.n_path = hashes(m->consistency.path, 2);
		m->consistency.checkpoint = ht_slice_str(CHECKPOINT);
	}
}

static void
hello(struct ht_message *m)
{
	m->hello.n_versions = 2;
	m->hello.versions[0] = 1;
	m->hello.versions[1] = 2;
	m->hello.node = ht_slice_str("tax.demo/state/main");
	m->hello.checkpoint = ht_slice_str(CHECKPOINT);
	m->hello.snapshot = 11;
	m->hello.proofs = true;
	m->hello.serves = true;
}

void
ht_sample_message(
    struct ht_message *ret, enum ht_message_type type, struct ht_buf *arena)
{
	HT_AUTO(ht_key_free) struct ht_key *key = ht_sample_signing();

	memset(ret, 0, sizeof(*ret));
	ret->type = type;
	ret->ref = 77;
	switch (type) {
	case HT_MSG_HELLO:
		hello(ret);
		return;
	case HT_MSG_WELCOME:
		welcome(ret);
		return;
	case HT_MSG_BUNDLE:
		ht_sample_bundle(&ret->bundle, 3, arena);
		HT_ASSERT(ht_bundle_sign(&ret->bundle, key) == HT_OK);
		return;
	case HT_MSG_ACK:
		ack(ret);
		return;
	case HT_MSG_DELIVER:
		deliver(ret, arena);
		return;
	case HT_MSG_SNAPSHOT:
		snapshot(ret);
		return;
	case HT_MSG_PROOF:
	case HT_MSG_CONSISTENCY:
		proofs(ret);
		return;
	default:
		small_message(ret);
		return;
	}
}
