/*
 * protocol -- the worked examples of the protocol, from fixed keys.
 *
 *   protocol examples    docs/protocol-examples.md
 *   protocol codes       the table of codes in docs/protocol.md
 *
 * Everything goes through the code that nodes and broker use; what is random
 * there (r, salt, ephemeral keys) is put in place here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/log/log.h"
#include "keys/witness.h"
#include "lib/base/panic.h"
#include "schemas/message.h"
#include "schemas/tag.h"

#define MUST(call) HT_ASSERT((call) == HT_OK)

#define CONSUMER "tax.demo/state"
#define PROVIDER "scjg.demo/registry"
#define LOCAL    "tax.demo/local"
#define WITNESS  CONSUMER "/witness"
#define ITEM     "gx.demo/SCZTDJ"
#define EPOCH    "gx.demo/2025Q4"
#define LOG      "gx.demo/log"
#define USCC     "91999999000000019D"
#define NOW_MS   UINT64_C(1763949723000) /* 2025-11-24T02:02:03Z */

/* ---- writing the page ---- */

static void
hex_block(const char *name, struct ht_slice bytes)
{
	printf("### %s\n\n%zu bytes\n\n```hex\n", name, bytes.len);
	for (size_t i = 0; i < bytes.len; i++)
		printf("%02x%s", bytes.at[i],
		    i + 1 == bytes.len || i % 40 == 39 ? "\n" : "");
	printf("```\n\n");
}

static void
hex_of(const char *name, const void *bytes, size_t len)
{
	hex_block(name, HT_SLICE(bytes, len));
}

static void
raw_hex(struct ht_slice bytes)
{
	for (size_t i = 0; i < bytes.len && i < 20; i++)
		printf("%02x", bytes.at[i]);
	if (bytes.len > 20)
		printf("…");
}

static void dump_value(struct ht_unpack *u, unsigned depth);

static void
dump_many(struct ht_unpack *u, unsigned depth, uint32_t n)
{
	printf("\n");
	for (uint32_t i = 0; i < n; i++)
		dump_value(u, depth + 1);
}

/* A value a line: where, what. */
static void
dump_value(struct ht_unpack *u, unsigned depth)
{
	struct ht_slice text;

	printf("%4zu  %*s", (size_t)(u->at - u->start), (int)(2 * depth), "");
	switch (ht_unpack_peek(u)) {
	case HT_PACK_NIL:
		ht_unpack_nil(u);
		printf("nil\n");
		return;
	case HT_PACK_BOOL:
		printf("%s\n", ht_unpack_bool(u) ? "true" : "false");
		return;
	case HT_PACK_INT:
		printf("%lld\n", (long long)ht_unpack_int(u));
		return;
	case HT_PACK_FLOAT:
		printf("%.17g\n", ht_unpack_float(u));
		return;
	case HT_PACK_STR:
		text = ht_unpack_str(u, SIZE_MAX);
		printf("\"%.*s\"\n", (int)text.len, (const char *)text.at);
		return;
	case HT_PACK_BIN:
		text = ht_unpack_bin(u, SIZE_MAX);
		printf("bin %zu: ", text.len);
		raw_hex(text);
		printf("\n");
		return;
	case HT_PACK_ARRAY: {
		uint32_t n = ht_unpack_array(u, UINT32_MAX);

		printf("array of %u", (unsigned)n);
		dump_many(u, depth, n);
		return;
	}
	case HT_PACK_MAP: {
		uint32_t n = ht_unpack_map(u, UINT32_MAX);

		printf("map of %u", (unsigned)n);
		dump_many(u, depth, 2 * n);
		return;
	}
	}
}

/* The bytes, and what they say. */
static void
value_block(const char *name, struct ht_slice bytes)
{
	struct ht_unpack u = ht_unpack(bytes);

	MUST(ht_pack_check(bytes, NULL, NULL));
	hex_block(name, bytes);
	printf("```text\n");
	dump_value(&u, 0);
	printf("```\n\n");
	MUST(ht_unpack_end(&u));
}

/* ---- keys ---- */

enum {
	CONSUMER_SIGN,
	CONSUMER_SEAL,
	PROVIDER_SIGN,
	PROVIDER_SEAL,
	LOCAL_SEAL,
	ANNEX,
	TRACKER,
	LOG_KEY,
	CURRENT_KEY,
	WITNESS_KEY,
	N_KEYS,
};
static const struct {
	const char *name;
	enum ht_key_for what;
	const char *whose;
} key_names[N_KEYS] = {
    [CONSUMER_SIGN] = {"consumer-signing", HT_KEY_SIGNING, CONSUMER "/main" },
    [CONSUMER_SEAL] = {"consumer-sealing", HT_KEY_SEALING, CONSUMER         },
    [PROVIDER_SIGN] = {"provider-signing", HT_KEY_SIGNING, PROVIDER "/main" },
    [PROVIDER_SEAL] = {"provider-sealing", HT_KEY_SEALING, PROVIDER         },
    [LOCAL_SEAL] = {"local-sealing",    HT_KEY_SEALING, LOCAL            },
    [ANNEX] = {"annex",            HT_KEY_ANNEX,   EPOCH            },
    [TRACKER] = {"tracker",          HT_KEY_TRACKER, EPOCH            },
    [LOG_KEY] = {"log",              HT_KEY_LOG,     LOG              },
    [CURRENT_KEY] = {"current",          HT_KEY_CURRENT, "gx.demo/current"},
    [WITNESS_KEY] = {"witness",          HT_KEY_WITNESS, WITNESS          },
};
static struct ht_key *keys[N_KEYS];

static void
fill(void *at, size_t len, uint8_t with)
{
	memset(at, with, len);
}

static void
keys_make(void)
{
	for (size_t i = 0; i < N_KEYS; i++) {
		uint8_t seed[32];

		fill(seed, sizeof(seed), (uint8_t)(i + 1));
		MUST(ht_key_from_seed(key_names[i].what, seed, &keys[i]));
	}
}

static void
keys_show(void)
{
	printf("## 1. Keys\n\n"
	       "A secret key is 32 times one byte: the seed of an Ed25519 key "
	       "(RFC 8032), the scalar of an X25519 key (RFC 7748), or the "
	       "tracker key itself.\n\n"
	       "| name | of | byte | public key | key id |\n"
	       "| --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < N_KEYS; i++) {
		struct ht_pub pub = ht_key_pub(keys[i]);
		struct ht_keyid id = ht_key_id(keys[i]);
		char hex[65], id_hex[17];

		ht_hex(hex, pub.at, sizeof(pub.at));
		ht_hex(id_hex, id.at, sizeof(id.at));
		if (i == TRACKER) /* symmetric: nothing of it is public */
			printf("| %s | %s | %02zx | – | – |\n",
			    key_names[i].name, key_names[i].whose, i + 1);
		else
			printf("| %s | %s | %02zx | `%s` | `%s` |\n",
			    key_names[i].name, key_names[i].whose, i + 1, hex,
			    id_hex);
	}
	printf("\n");
}

static void
keys_free(void)
{
	for (size_t i = 0; i < N_KEYS; i++)
		ht_key_free(&keys[i]);
}

/* ---- what the examples are made of ---- */

/* A record, from its content to its bytes on the wire. */
struct example {
	struct ht_header header;
	struct ht_buf content;
	struct ht_buf frame; /* plaintext, then sealed in place: the body */
	struct ht_buf tag;
	struct ht_buf envelope;
	struct ht_buf bytes; /* the header */
};

static void
example_fini(struct example *e)
{
	ht_buf_fini(&e->content);
	ht_buf_fini(&e->frame);
	ht_buf_fini(&e->tag);
	ht_buf_fini(&e->envelope);
	ht_buf_fini(&e->bytes);
}

static struct example
example(void)
{
	struct example e = {
	    .header =
	        {
	                 .version = 1,
	                 .suite = 1,
	                 .sender = ht_slice_str(CONSUMER),
	                 .node = ht_slice_str("main"),
	                 .recipient = ht_slice_str(PROVIDER),
	                 .item = ht_slice_str(ITEM),
	                 .item_version = 1,
	                 .operation = HT_OP_QUERY,
	                 .purpose = ht_slice_str("tax-registration"),
	                 .basis = ht_slice_str("ZGF-15"),
	                 .grant = ht_slice_str("gx.demo/17"),
	                 .created_ms = NOW_MS,
	                 .expires_ms = NOW_MS + 60000,
	                 },
	    .content = HT_BUF(HT_BODY_MAX),
	    .frame = HT_BUF(HT_BODY_MAX),
	    .tag = HT_BUF(HT_TAG_MAX),
	    .envelope = HT_BUF(HT_HEADER_MAX),
	    .bytes = HT_BUF(HT_HEADER_MAX),
	};

	fill(e.header.exchange.at, HT_ID_SIZE, 0xe0);
	ht_be64(e.header.exchange.at, NOW_MS << 16 | 0xe0e0);
	return e;
}

static json_t *
json(const char *text)
{
	json_t *value = NULL;

	MUST(ht_json_parse(ht_slice_str(text), &value, NULL));
	return value;
}

/* Frame the content with a known r. */
static void
frame(struct example *e, uint8_t r)
{
	MUST(ht_content_wrap(
	    ht_buf_slice(&e->content), 0, &e->frame, &e->header.commitment));
	fill(e->frame.at, 32, r);
	e->header.commitment =
	    ht_content_commit(e->frame.at, ht_buf_slice(&e->content));
}

/* Seal with a known ephemeral key, and write the header. */
static void
seal(struct example *e, int to, uint8_t ikm_byte, bool show)
{
	HT_AUTO(ht_sealer_free) struct ht_sealer *sealer = NULL;
	struct ht_pub pub = ht_key_pub(keys[to]);
	struct ht_slice body;
	uint8_t info[HT_SEAL_INFO_SIZE], ikm[32];
	size_t len = e->frame.len;

	e->header.seal_key = ht_key_id(keys[to]);
	ht_seal_info(&e->header.seal_key, info);
	fill(ikm, sizeof(ikm), ikm_byte);
	MUST(ht_sealer_from_seed(
	    &pub, HT_SLICE(info, sizeof(info)), ikm, &sealer));
	memcpy(e->header.enc, ht_sealer_enc(sealer), HT_ENC_SIZE);
	MUST(ht_envelope_encode(&e->header, &e->envelope));
	HT_ASSERT(ht_buf_room(&e->frame, HT_AEAD_TAG) != NULL);
	MUST(ht_seal(sealer, ht_buf_slice(&e->envelope), e->frame.at, len,
	    &e->header.seal_seq));
	body = ht_buf_slice(&e->frame);
	e->header.body_len = (uint32_t)body.len;
	e->header.body_hash = ht_blake2b(&body, 1);
	MUST(ht_header_encode(
	    &e->header, ht_buf_slice(&e->envelope), &e->bytes));
	if (show)
		hex_of("seal-info", info, sizeof(info));
}

/* ---- the tag ---- */

static struct ht_annex
annex(uint8_t entry)
{
	struct ht_annex a = {.subject = "uscc:" USCC,
	    .officer = "officer-0007",
	    .casefile = "2025-001",
	    .purpose = "tax-registration"};

	fill(a.entry, sizeof(a.entry), entry);
	return a;
}

/* What ht_tag_make() does, with a known ephemeral key and salt. */
static void
annex_seal(const struct ht_annex *a, uint8_t ikm_byte, struct ht_buf *plain,
    struct ht_buf *ret)
{
	HT_AUTO(ht_sealer_free) struct ht_sealer *sealer = NULL;
	HT_AUTO(ht_json_free) json_t *opening = ht_annex_to_json(a);
	HT_AUTO(ht_buf_fini) struct ht_buf info = HT_BUF(100);
	struct ht_keyid id = ht_key_id(keys[ANNEX]);
	struct ht_pub pub = ht_key_pub(keys[ANNEX]);
	uint8_t ikm[32];
	uint64_t seq;

	MUST(ht_pack_from_json(opening, plain));
	ht_buf_str(&info, "hutong-annex/v1\n");
	ht_buf_u8(&info, 1);
	ht_buf_add(&info, id.at, sizeof(id.at));
	fill(ikm, sizeof(ikm), ikm_byte);
	MUST(ht_sealer_from_seed(&pub, ht_buf_slice(&info), ikm, &sealer));
	ht_buf_add(ret, ht_sealer_enc(sealer), HT_ENC_SIZE);
	ht_buf_add(ret, plain->at, plain->len);
	HT_ASSERT(ht_buf_room(ret, HT_AEAD_TAG) != NULL);
	MUST(ht_seal(sealer, ht_slice_str("hutong-annex/v1\n" EPOCH),
	    ret->at + HT_ENC_SIZE, plain->len, &seq));
}

static void
tag_show(const struct ht_tag *tag, const struct ht_buf *plain,
    const struct example *e)
{
	printf("## 2. The tag of a request\n\n"
	       "The subject is `uscc`, `" USCC "`; the salt is 16 times 5a, "
	       "K_entry 32 times a1. "
	       "The annex is sealed with the ephemeral seed (`ikm` of RFC 9180 "
	       "section 7.1.3) 32 times 92.\n\n");
	hex_of("pseudonym", tag->subjects[0].at, HT_PSEUDONYM_SIZE);
	value_block("annex-plain", ht_buf_slice(plain));
	hex_block("annex-sealed", tag->annex);
	hex_of("annex-commitment", tag->commitment.at, HT_HASH_SIZE);
	value_block("tag", ht_buf_slice(&e->tag));
	hex_of("tag-hash", e->header.tag.at, HT_HASH_SIZE);
}

static void
tag_make(struct example *e, uint8_t salt, uint8_t entry, uint8_t ikm, bool show)
{
	HT_AUTO(ht_buf_fini) struct ht_buf plain = HT_BUF(HT_TAG_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf sealed = HT_BUF(HT_TAG_MAX);
	struct ht_annex a = annex(entry);
	struct ht_annex_field fields[HT_ANNEX_FIELDS];
	struct ht_subject subject = {ht_slice_str("uscc"), ht_slice_str(USCC)};
	struct ht_epoch epoch = {.name = EPOCH, .tracker = keys[TRACKER]};
	struct ht_tag tag = {.epoch = ht_slice_str(EPOCH), .n_subjects = 1};

	epoch.annex = ht_key_pub(keys[ANNEX]);
	annex_seal(&a, ikm, &plain, &sealed);
	tag.annex = ht_buf_slice(&sealed);
	fill(tag.salt, sizeof(tag.salt), salt);
	MUST(ht_pseudonym(
	    keys[TRACKER], subject.registry, subject.id, &tag.subjects[0]));
	MUST(ht_annex_commitment(a.entry, fields, ht_annex_fields(&a, fields),
	    tag.annex, &tag.commitment));
	MUST(ht_tag_check(&tag, &epoch, &subject, 1, &a, NULL));
	MUST(ht_tag_encode(&tag, &e->tag));
	e->header.has_tag = true;
	e->header.tag = ht_tag_hash(ht_buf_slice(&e->tag));
	if (show)
		tag_show(&tag, &plain, e);
}

/* ---- a request and its response ---- */

static void
request_content(struct example *e)
{
	struct ht_annex a = annex(0xa1);
	HT_AUTO(ht_request_fini)
	struct ht_request req = {
	    .annex = ht_annex_to_json(&a),
	    .fields = json("[\"shxydm\",\"ztmc\"]"),
	    .item = ITEM,
	    .operation = HT_OP_QUERY,
	    .params = json("{\"shxydm\":\"" USCC "\"}"),
	    .version = 1,
	};

	MUST(ht_request_encode(&req, &e->content));
}

static void
request_make(struct example *e)
{
	*e = example();
	tag_make(e, 0x5a, 0xa1, 0x92, true);
	e->header.kind = HT_KIND_REQUEST;
	e->header.counter = 7;
	fill(e->header.record.at, HT_ID_SIZE, 0x10);
	printf("## 3. A request\n\n"
	       "`" CONSUMER "` asks `" PROVIDER "` for two fields of one "
	       "enterprise. r is 32 times c0; the ephemeral seed is 32 times "
	       "91; the sequence number is 0.\n\n");
	request_content(e);
	value_block("request-content", ht_buf_slice(&e->content));
	frame(e, 0xc0);
	hex_block("request-plaintext", ht_buf_slice(&e->frame));
	hex_of("request-commitment", e->header.commitment.at, HT_HASH_SIZE);
	seal(e, PROVIDER_SEAL, 0x91, true);
	printf("The envelope is the AAD of the seal:\n\n");
	hex_block("request-envelope", ht_buf_slice(&e->envelope));
	hex_block("request-body", ht_buf_slice(&e->frame));
	value_block("request-header", ht_buf_slice(&e->bytes));
}

static void
request_hash(const struct example *e)
{
	struct ht_hash hash = ht_header_hash(ht_buf_slice(&e->bytes));

	hex_of("request-header-hash", hash.at, HT_HASH_SIZE);
}

static void
response_make(struct example *e, const struct example *request)
{
	static const uint8_t released[] = {0x03};
	struct ht_annex a = annex(0xa2);
	HT_AUTO(ht_response_fini)
	struct ht_response resp = {
	    .annex = ht_annex_to_json(&a),
	    .item = ITEM,
	    .operation = HT_OP_QUERY,
	    .records = json(
	        "[{\"shxydm\":\"" USCC "\",\"ztmc\":\"胡同示例有限公司\"}]"),
	    .version = 1,
	};

	*e = example();
	tag_make(e, 0x5b, 0xa2, 0x95, false);
	e->header.kind = HT_KIND_RESPONSE;
	e->header.sender = ht_slice_str(PROVIDER);
	e->header.recipient = ht_slice_str(CONSUMER);
	e->header.created_ms = NOW_MS + 250;
	e->header.expires_ms = NOW_MS + 60000;
	e->header.counter = 1;
	e->header.has_reply_to = true;
	e->header.reply_to = ht_header_hash(ht_buf_slice(&request->bytes));
	e->header.released = HT_SLICE(released, sizeof(released));
	e->header.status = HT_ANSWER_ANSWERED;
	fill(e->header.record.at, HT_ID_SIZE, 0x11);
	MUST(ht_response_encode(&resp, &e->content));
	frame(e, 0xc1);
	seal(e, CONSUMER_SEAL, 0x93, false);
	printf("## 4. Its response\n\n"
	       "Fields 0 and 1 of the item were released; `in_reply_to` is "
	       "the request's header hash. The tag has the request's "
	       "pseudonym, but its own salt (5b), K_entry (a2) and annex "
	       "(ephemeral seed 95). r is 32 times c1, the ephemeral seed 32 "
	       "times 93.\n\n");
	value_block("response-content", ht_buf_slice(&e->content));
	value_block("response-header", ht_buf_slice(&e->bytes));
	hex_block("response-body", ht_buf_slice(&e->frame));
	hex_block("response-tag", ht_buf_slice(&e->tag));
}

/* ---- bundles ---- */

static struct ht_message message;

static struct ht_bundle_record
record_of(const struct example *e, uint32_t index)
{
	return (struct ht_bundle_record){
	    .index = index,
	    .header = ht_buf_slice(&e->bytes),
	    .body = ht_buf_slice(&e->frame),
	    .tag = ht_buf_slice(&e->tag),
	};
}

static void
bundle_begin(struct ht_bundle *b)
{
	memset(b, 0, sizeof(*b));
	b->suite = 1;
	b->sender = ht_slice_str(CONSUMER);
	b->node = ht_slice_str("main");
}

static void
message_show(const char *name, bool whole)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_FRAME_MAX);

	MUST(ht_message_encode(&message, &out));
	if (whole)
		value_block(name, ht_buf_slice(&out));
	else
		hex_block(name, ht_buf_slice(&out));
}

static void
bundle_show(const struct example *request)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1000);
	struct ht_bundle *b = &message.bundle;

	printf("## 5. A bundle of one\n\n"
	       "The root of one leaf is the leaf's hash: here the request's "
	       "header hash. What is signed is `hutong-bundle/v1\\n` and "
	       "these bytes:\n\n");
	memset(&message, 0, sizeof(message));
	message.type = HT_MSG_BUNDLE;
	message.ref = 2;
	bundle_begin(b);
	b->count = b->n_records = 1;
	b->records[0] = record_of(request, 0);
	MUST(ht_bundle_sign(b, keys[CONSUMER_SIGN]));
	ht_bundle_signed(&text, b);
	value_block("bundle-signed", ht_buf_slice(&text));
	hex_of("bundle-signature", b->sig.at, HT_SIG_SIZE);
	printf("The message that carries it:\n\n");
	message_show("bundle-message", true);
}

/* ---- a log of three entries ---- */

static struct {
	struct ht_buf leaves[3];
	struct ht_hash hashes[3];
	struct ht_buf checkpoint; /* note of size 3 */
	struct ht_hash snapshot;
} log_;

static void
log_add(unsigned i, const struct ht_entry *e)
{
	log_.leaves[i] = HT_BUF(4096);
	MUST(ht_entry_encode(e, &log_.leaves[i]));
	log_.hashes[i] = ht_leaf_hash(ht_buf_slice(&log_.leaves[i]));
}

static void
log_payloads(struct ht_buf *start, struct ht_buf *snapshot)
{
	struct ht_hash random;

	fill(random.at, HT_HASH_SIZE, 0x77);
	ht_pack_map(start, 3);
	ht_pack_cstr(start, "host");
	ht_pack_cstr(start, "exchange-1");
	ht_pack_cstr(start, "random");
	ht_pack_bin(start, random.at, HT_HASH_SIZE);
	ht_pack_cstr(start, "version");
	ht_pack_cstr(start, "1.0");
	ht_pack_map(snapshot, 2);
	ht_pack_cstr(snapshot, "hash");
	ht_pack_bin(snapshot, log_.snapshot.at, HT_HASH_SIZE);
	ht_pack_cstr(snapshot, "version");
	ht_pack_uint(snapshot, 12);
}

static void
log_make(const struct example *request)
{
	HT_AUTO(ht_buf_fini) struct ht_buf start = HT_BUF(1000);
	HT_AUTO(ht_buf_fini) struct ht_buf snapshot = HT_BUF(1000);
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1000);
	struct ht_checkpoint cp = {.origin = LOG, .size = 3};
	struct ht_entry e = {.time_us = NOW_MS * 1000 + 1500};

	fill(log_.snapshot.at, HT_HASH_SIZE, 0x55);
	log_payloads(&start, &snapshot);
	e.type = HT_ENTRY_START;
	e.payload = ht_buf_slice(&start);
	log_add(0, &e);
	e.seq = 1;
	e.type = HT_ENTRY_SNAPSHOT;
	e.snapshot = log_.snapshot;
	e.payload = ht_buf_slice(&snapshot);
	log_add(1, &e);
	e.seq = 2;
	e.type = HT_ENTRY_REQUEST;
	e.grant = ht_slice_str("gx.demo/17");
	e.bundle_seq = 2;
	e.bundle_count = 1;
	e.member = ht_slice_str(CONSUMER);
	e.node = ht_slice_str("main");
	e.offset = 32;
	e.tag_len = (uint32_t)request->tag.len;
	e.body_len = (uint32_t)request->frame.len;
	e.payload = ht_buf_slice(&request->bytes);
	log_add(2, &e);
	cp.root = ht_merkle_root(log_.hashes, 3);
	ht_checkpoint_text(&cp, &text);
	log_.checkpoint = HT_BUF(4096);
	MUST(ht_note_sign(
	    ht_buf_slice(&text), false, LOG, keys[LOG_KEY], &log_.checkpoint));
}

static void
log_free(void)
{
	for (unsigned i = 0; i < 3; i++)
		ht_buf_fini(&log_.leaves[i]);
	ht_buf_fini(&log_.checkpoint);
}

/* ---- the messages ---- */

static void
message_begin(enum ht_message_type type, uint64_t ref)
{
	memset(&message, 0, sizeof(message));
	message.type = type;
	message.ref = ref;
}

static void
hello_show(void)
{
	HT_AUTO(ht_buf_fini) struct ht_buf current = HT_BUF(4096);

	printf("## 6. HELLO and WELCOME\n\n"
	       "The node knows nothing yet; the broker's log has three "
	       "entries.\n\n");
	message_begin(HT_MSG_HELLO, 1);
	message.hello.n_versions = 1;
	message.hello.versions[0] = 1;
	message.hello.node = ht_slice_str(CONSUMER "/main");
	message.hello.proofs = true;
	message_show("hello", true);

	MUST(ht_note_sign(
	    ht_slice_str("hutong: current/v1\ncatalog: gx.demo\nsnapshot: 12\n"
	                 "hash: 5555555555555555555555555555555555555555555555"
	                 "555555555555555555\nissued: 2025-11-24T02:00:00Z\n"
	                 "until: 2025-11-24T14:00:00Z\n"),
	    false, "gx.demo/current", keys[CURRENT_KEY], &current));
	message_begin(HT_MSG_WELCOME, 1);
	message.welcome.version = 1;
	message.welcome.checkpoint = ht_buf_slice(&log_.checkpoint);
	message.welcome.snapshot = 12;
	message.welcome.current = ht_buf_slice(&current);
	message.welcome.time_ms = NOW_MS;
	message.welcome.body = HT_BODY_MAX;
	message.welcome.bundle = HT_BUNDLE_MAX;
	message.welcome.frame = HT_FRAME_MAX;
	message.welcome.life_ms = HT_LIFE_MS;
	message.welcome.skew_ms = HT_SKEW_MS;
	message_show("welcome", false);
	printf("The checkpoint in it, and in all that follow:\n\n"
	       "```text\n%s```\n\n",
	    ht_buf_text(&log_.checkpoint));
}

/* The leaf's bytes before the u16 length of its header. */
static struct ht_slice
head_of(unsigned i, const struct example *e)
{
	return HT_SLICE(
	    log_.leaves[i].at, log_.leaves[i].len - 2 - e->bytes.len);
}

static void
proof_of_two(struct ht_range_proof *proof, const struct example *request)
{
	proof->present = true;
	proof->size = 3;
	proof->n_indexes = 1;
	proof->indexes[0] = 2;
	proof->heads[0] = head_of(2, request);
	proof->n_hashes = 1;
	proof->hashes[0] = ht_node_hash(&log_.hashes[0], &log_.hashes[1]);
}

static void
ack_show(const struct example *request)
{
	struct ht_result *r = message.ack.results;

	printf("## 7. ACK\n\n"
	       "Accepted as entry 2 of the log, with the proof: leaf = head ‖ "
	       "u16 length of header ‖ header, and the one hash covers entries "
	       "0 and 1.\n\n");
	message_begin(HT_MSG_ACK, 2);
	message.ack.n_results = 1;
	r[0].record = request->header.record;
	r[0].place = 2;
	message.ack.checkpoint = ht_buf_slice(&log_.checkpoint);
	proof_of_two(&message.ack.proof, request);
	message_show("ack", true);
	hex_block("log-leaf", ht_buf_slice(&log_.leaves[2]));
	printf("Refused, for two reasons, as entry 3, without checkpoint and "
	       "proof:\n\n");
	message.ack.checkpoint = HT_SLICE(NULL, 0);
	message.ack.proof.present = false;
	r[0].place = 3;
	r[0].status = HT_ST_GRANT_PERIOD;
	ht_reasons_add(
	    &r[0].reasons, HT_ST_GRANT_PERIOD, "gx.demo/17 has ended");
	ht_reasons_add(&r[0].reasons, HT_ST_PURPOSE,
	    "tax-registration is not among its purposes");
	message_show("ack-refused", true);
}

/* Another recipient's record before it: the provider gets its hash alone. */
static void
deliver_show(const struct example *request)
{
	static struct ht_bundle whole;
	static const uint32_t keep[] = {1};
	struct example other = example();

	other.header.kind = HT_KIND_REQUEST;
	other.header.recipient = ht_slice_str(LOCAL);
	other.header.item = ht_slice_str("gx.demo/QSXX");
	other.header.counter = 1;
	fill(other.header.record.at, HT_ID_SIZE, 0x12);
	request_content(&other);
	frame(&other, 0xc2);
	seal(&other, LOCAL_SEAL, 0x94, false);
	bundle_begin(&whole);
	whole.count = whole.n_records = 2;
	whole.records[0] = record_of(&other, 0);
	whole.records[1] = record_of(request, 1);
	MUST(ht_bundle_sign(&whole, keys[CONSUMER_SIGN]));
	message_begin(HT_MSG_DELIVER, 0);
	MUST(ht_bundle_part(&whole, keep, 1, &message.deliver.bundle));
	message.deliver.places[0] = 2;
	message.deliver.checkpoint = ht_buf_slice(&log_.checkpoint);
	printf("## 8. DELIVER with a record left out\n\n"
	       "Had the same request been the second of a bundle of two, the "
	       "first for `" LOCAL "`, the provider would get this: `left` has "
	       "the hash of the first header, and the signature is over the "
	       "root of both.\n\n");
	message_show("deliver", true);
	example_fini(&other);
}

static void
small_show(const struct example *request)
{
	printf("## 9. Small messages\n\n");
	message_begin(HT_MSG_GOT, 0);
	message.got.n_places = 1;
	message.got.places[0] = 2;
	message_show("got", true);
	message_begin(HT_MSG_END, 0);
	message.end.record = request->header.record;
	message.end.status = HT_ST_EXPIRED;
	message.end.place = 9;
	message.end.checkpoint = ht_buf_slice(&log_.checkpoint);
	message_show("end", true);
	message_begin(HT_MSG_PING, 3);
	message_show("ping", true);
	message_begin(HT_MSG_PONG, 3);
	message.pong.time_ms = NOW_MS + 15000;
	message_show("pong", true);
	message_begin(HT_MSG_ERROR, 4);
	message.error.reason.code = HT_ST_HELLO_FIRST;
	strcpy(message.error.reason.detail, "BUNDLE came before HELLO");
	message_show("error", true);
}

/* It has cosigned the tree of one entry, and is asked for that of three. */
static void
witness_show(void)
{
	HT_AUTO(ht_buf_fini) struct ht_buf asked = HT_BUF(HT_WITNESS_REQUEST);
	HT_AUTO(ht_buf_fini) struct ht_buf line = HT_BUF(1000);
	struct ht_add_checkpoint add = {.old = 1, .n_proof = 2};
	struct ht_note note;

	printf(
	    "## 10. WITNESS and COSIGN\n\n"
	    "The witness cosigned the tree of one entry, and offers to go on "
	    "from there:\n\n");
	message_begin(HT_MSG_COSIGN, 0);
	message.cosign.name = ht_slice_str(WITNESS);
	message.cosign.status = HT_WITNESS_CONFLICT;
	message.cosign.body = ht_slice_str("1\n");
	message_show("offer", true);
	hex_of("old-root", log_.hashes[0].at, HT_HASH_SIZE);
	printf(
	    "It is asked for the checkpoint of three, with the proof that this "
	    "continues what it saw, and cosigns at %" PRIu64 " s:\n\n",
	    NOW_MS / 1000);
	add.proof[0] = log_.hashes[1];
	add.proof[1] = log_.hashes[2];
	add.note = ht_buf_slice(&log_.checkpoint);
	ht_add_checkpoint_text(&add, &asked);
	message_begin(HT_MSG_WITNESS, 5);
	message.witness.request = ht_buf_slice(&asked);
	message_show("witness", true);
	printf("```text\n%s```\n\n", ht_buf_text(&asked));
	MUST(ht_note_parse(ht_buf_slice(&log_.checkpoint), &note));
	MUST(ht_cosign(
	    note.text, WITNESS, keys[WITNESS_KEY], NOW_MS / 1000, &line));
	message_begin(HT_MSG_COSIGN, 5);
	message.cosign.name = ht_slice_str(WITNESS);
	message.cosign.status = HT_WITNESS_OK;
	message.cosign.body = ht_buf_slice(&line);
	message_show("cosign", true);
}

static void
examples(void)
{
	struct example request, response;

	printf("# The protocol's worked examples\n\n"
	       "Made by the code that nodes and broker use, from fixed keys; "
	       "`make examples` writes this page anew, a test compares it byte "
	       "for byte, and another checks it with nothing but Python's "
	       "hashlib, PyNaCl and msgpack (`tests/cli/protocol-examples.t`). "
	       "Beside the hex stands the offset of each value and what it "
	       "says.\n\n");
	keys_make();
	keys_show();
	request_make(&request);
	request_hash(&request);
	response_make(&response, &request);
	log_make(&request);
	bundle_show(&request);
	hello_show();
	ack_show(&request);
	deliver_show(&request);
	small_show(&request);
	witness_show();
	example_fini(&request);
	example_fini(&response);
	log_free();
	keys_free();
}

/* ---- the codes ---- */

static void
codes(void)
{
	printf("| code | name | who | meaning | what to do |\n"
	       "| --- | --- | --- | --- | --- |\n");
#define ROW(name, number, who, text, remedy)                                   \
	printf("| %d | `%s` | %s | %s | %s |\n", number, #name,                \
	    number == 0 ? "–" : ht_who_text(HT_WHO_##who), text,               \
	    number == 0 ? "–" : remedy);
	HT_STATUS_MAP(ROW)
#undef ROW
}

int
main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	MUST(ht_keys_init());
	if (strcmp(what, "examples") == 0)
		examples();
	else if (strcmp(what, "codes") == 0)
		codes();
	else
		return fprintf(stderr, "usage: protocol examples|codes\n"), 2;
	return 0;
}
