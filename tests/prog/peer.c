/*
 * peer.c -- peer ADDRESS MEMBER NODE < script: a node that does as it is told,
 * also what no node should.  The keys are those of tests/lib/world.h.
 *
 * One command a line; each prints what came of it, and ends at the latest
 * after WAIT_MS.
 *
 *   key random | key MEMBER NODE   transport key for the next open
 *   open [HEX]        connect, with that routing id
 *   hello [serves]    -> welcome SNAPSHOT | error STATUS | nothing
 *   ask N [MOD...]    a bundle of N requests -> ack STATUS PLACE, each
 *   again             the same bundle once more
 *   next [MS]         -> deliver N PLACE | end STATUS | ack ... | nothing
 *   answer [MOD...]   a response to each record of the last deliver -> ack
 *   got               of the last deliver
 *   frame HEX | random N SIZE | parts N SIZE | flood MIB
 *   ping              -> pong
 *   prove PLACE       -> proof PLACE, and the entry's length, 0 if it is kept
 *   drain MS          take what comes for so long -> drained N
 *   sleep MS | close
 *   keep              show the newest checkpoint in the next hello
 *   newest            -> newest SIZE ROOT, of the checkpoint that came last
 *
 * MODs: purpose= grant= item= recipient= sender= op= version= created= life=
 * (ms, from now), and the flags same-id no-tag bad-body bad-tag bad-sig
 * other-key bad-seal push reply-to-none trunc long.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "schemas/message.h"
#include "tests/lib/world.h"

#define WAIT_MS   6000
#define BODY_SIZE 300
#define WORDS_MAX 24

struct peer {
	void *ctx, *sock;
	const char *address;
	struct ht_world *world;
	const struct ht_world_member *member;
	const struct ht_world_node *node;
	const struct ht_key *transport; /* NULL: random */
	uint64_t ref, counter;
	bool keeps;
	struct ht_buf newest; /* checkpoint, of the last ACK */
	/* The last bundle made, and the frame that carried it. */
	struct ht_bundle bundle;
	struct ht_buf headers[HT_BUNDLE_MAX], tags[HT_BUNDLE_MAX];
	uint8_t body[BODY_SIZE];
	struct ht_id ids[HT_BUNDLE_MAX];
	struct ht_buf frame;
	/* The last message received. */
	uint8_t in[2 * HT_FRAME_MAX];
	struct ht_message m;
	/* The last DELIVER. */
	uint8_t delivered_bytes[HT_FRAME_MAX];
	struct ht_message delivered;
};

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "peer: %s\n", what);
	exit(2);
}

static void
must(enum ht_err err, const char *what)
{
	if (err != HT_OK) {
		fprintf(stderr, "peer: %s: %s\n", what, ht_err_text(err));
		exit(2);
	}
}

/* ---- words ---- */

static const char *
mod(char **words, const char *name)
{
	size_t len = strlen(name);

	for (; *words != NULL; words++)
		if (strncmp(*words, name, len) == 0 && (*words)[len] == '=')
			return *words + len + 1;
	return NULL;
}

static bool
flag(char **words, const char *name)
{
	for (; *words != NULL; words++)
		if (strcmp(*words, name) == 0)
			return true;
	return false;
}

static const struct ht_world_member *
find_member(const struct ht_world *world, const char *name)
{
	for (size_t i = 0; i < HT_W_MEMBERS; i++)
		if (strcmp(world->members[i].name, name) == 0)
			return &world->members[i];
	die("no such member");
}

static const struct ht_world_node *
find_node(const struct ht_world_member *member, const char *name)
{
	for (size_t i = 0; i < 2 && member->nodes[i].name != NULL; i++)
		if (strcmp(member->nodes[i].name, name) == 0)
			return &member->nodes[i];
	die("no such node");
}

/* ---- the connection ---- */

static void
set(void *sock, int option, const void *value, size_t len)
{
	if (zmq_setsockopt(sock, option, value, len) != 0)
		die("zmq_setsockopt");
}

static void
close_it(struct peer *p)
{
	if (p->sock != NULL)
		zmq_close(p->sock);
	p->sock = NULL;
}

static void
open_it(struct peer *p, char **words)
{
	struct ht_pub server = ht_key_pub(p->world->broker);
	char pub[41], sec[41];
	int zero = 0, ivl = 200;
	uint8_t id[64];

	close_it(p);
	p->sock = zmq_socket(p->ctx, ZMQ_DEALER);
	set(p->sock, ZMQ_LINGER, &zero, sizeof(zero));
	set(p->sock, ZMQ_RECONNECT_IVL, &ivl, sizeof(ivl));
	set(p->sock, ZMQ_CURVE_SERVERKEY, server.at, 32);
	if (p->transport == NULL) {
		if (zmq_curve_keypair(pub, sec) != 0)
			die("zmq_curve_keypair");
		set(p->sock, ZMQ_CURVE_PUBLICKEY, pub, 41);
		set(p->sock, ZMQ_CURVE_SECRETKEY, sec, 41);
	} else {
		struct ht_pub own = ht_key_pub(p->transport);

		set(p->sock, ZMQ_CURVE_PUBLICKEY, own.at, 32);
		set(p->sock, ZMQ_CURVE_SECRETKEY, ht_key_open(p->transport),
		    32);
		ht_key_shut(p->transport);
	}
	if (words[1] != NULL) {
		size_t len = strlen(words[1]) / 2;

		must(ht_unhex(words[1], id, len), "routing id");
		set(p->sock, ZMQ_ROUTING_ID, id, len);
	}
	if (zmq_connect(p->sock, p->address) != 0)
		die("zmq_connect");
}

static void
send_frame(struct peer *p, struct ht_slice frame)
{
	if (p->sock == NULL)
		die("open first");
	if (zmq_send(p->sock, frame.at, frame.len, ZMQ_DONTWAIT) < 0)
		printf("not sent\n");
}

static void
send_message(struct peer *p, struct ht_message *m)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_FRAME_MAX);

	must(ht_message_encode(m, &out), "encode");
	send_frame(p, ht_buf_slice(&out));
}

static void
remember(struct peer *p, struct ht_slice note)
{
	ht_buf_reset(&p->newest);
	ht_buf_add(&p->newest, note.at, note.len);
	must(p->newest.err, "checkpoint");
}

/* False: nothing in time. */
static bool
receive(struct peer *p, uint64_t until_ms)
{
	for (;;) {
		zmq_pollitem_t item = {p->sock, -1, ZMQ_POLLIN, 0};
		uint64_t now = ht_clock_mono_ms();
		int len;

		if (zmq_poll(&item, 1,
		        now < until_ms ? (long)(until_ms - now) : 0) <= 0)
			return false;
		len = zmq_recv(p->sock, p->in, sizeof(p->in), ZMQ_DONTWAIT);
		if (len < 0)
			continue;
		must(ht_message_decode(
		         HT_SLICE(p->in, (size_t)len), &p->m, NULL, NULL),
		    "what the broker sent");
		if (p->m.type == HT_MSG_ACK)
			remember(p, p->m.ack.checkpoint);
		if (p->m.type == HT_MSG_DELIVER) {
			memcpy(p->delivered_bytes, p->in, (size_t)len);
			must(ht_message_decode(
			         HT_SLICE(p->delivered_bytes, (size_t)len),
			         &p->delivered, NULL, NULL),
			    "DELIVER");
		}
		return true;
	}
}

static void
show(const struct ht_message *m)
{
	switch (m->type) {
	case HT_MSG_WELCOME:
		printf(
		    "welcome %llu\n", (unsigned long long)m->welcome.snapshot);
		break;
	case HT_MSG_ACK:
		for (unsigned i = 0; i < m->ack.n_results; i++)
			printf("ack %s %llu\n",
			    ht_status_name(m->ack.results[i].status),
			    (unsigned long long)m->ack.results[i].place);
		break;
	case HT_MSG_DELIVER:
		printf("deliver %u %llu\n", m->deliver.bundle.n_records,
		    (unsigned long long)m->deliver.places[0]);
		break;
	case HT_MSG_END:
		printf("end %s %llu\n", ht_status_name(m->end.status),
		    (unsigned long long)m->end.place);
		break;
	case HT_MSG_PROOF:
		printf("proof %llu %zu\n", (unsigned long long)m->proof.place,
		    m->proof.row.len);
		break;
	case HT_MSG_PONG:
		printf("pong\n");
		break;
	case HT_MSG_ERROR:
		printf("error %s %s\n", ht_status_name(m->error.reason.code),
		    m->error.reason.detail);
		break;
	case HT_MSG_NOTICE:
		printf("notice %llu\n", (unsigned long long)m->notice.snapshot);
		break;
	default:
		printf("message %d\n", (int)m->type);
		break;
	}
}

/* The answer with that ref, or any error; others are shown on the way. */
static void
await(struct peer *p, uint64_t ref)
{
	uint64_t until = ht_clock_mono_ms() + WAIT_MS;

	while (receive(p, until)) {
		show(&p->m);
		if (p->m.ref == ref || p->m.type == HT_MSG_ERROR)
			return;
	}
	printf("nothing\n");
}

/* ---- commands ---- */

static void
hello(struct peer *p, char **words)
{
	struct ht_message *m = &p->m;
	char name[256];

	snprintf(name, sizeof(name), "%s/%s", p->member->name, p->node->name);
	m->type = HT_MSG_HELLO;
	m->ref = ++p->ref;
	m->hello.n_versions = 1;
	m->hello.versions[0] = HT_PROTOCOL;
	m->hello.node = ht_slice_str(name);
	m->hello.checkpoint =
	    HT_SLICE(p->newest.at, p->keeps ? p->newest.len : 0);
	m->hello.snapshot = 0;
	m->hello.proofs = flag(words, "proofs");
	m->hello.serves = flag(words, "serves");
	send_message(p, m);
	await(p, p->ref);
}

static void
make_tag(struct peer *p, struct ht_buf *out)
{
	struct ht_epoch epoch = ht_world_epoch(p->world);
	struct ht_subject subject = {
	    ht_slice_str("uscc"), ht_slice_str("91999999000000019D")};
	struct ht_annex annex = {.subject = "uscc:91999999000000019D"};

	ht_random(annex.entry, sizeof(annex.entry));
	ht_buf_reset(out);
	must(ht_tag_make(&epoch, &subject, 1, &annex, out), "tag");
}

static void
seal_to(struct peer *p, struct ht_header *h, const char *recipient)
{
	const struct ht_world_member *to = find_member(p->world, recipient);

	h->seal_key = ht_key_id(to->sealing);
	h->body_len = BODY_SIZE;
	ht_random(h->enc, sizeof(h->enc));
	h->body_hash = ht_blake2b(&(struct ht_slice){p->body, BODY_SIZE}, 1);
}

static uint64_t
number(char **words, const char *name, uint64_t otherwise)
{
	const char *text = mod(words, name);

	return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static struct ht_slice
text(char **words, const char *name, struct ht_slice otherwise)
{
	const char *given = mod(words, name);

	return given == NULL ? otherwise : ht_slice_str(given);
}

/* Envelope, seal, tag and body of record i of the bundle. */
static void
add_record(struct peer *p, uint32_t i, struct ht_header *h, char **words)
{
	HT_AUTO(ht_buf_fini) struct ht_buf envelope = HT_BUF(HT_HEADER_MAX);
	struct ht_bundle_record *r = &p->bundle.records[i];

	if (!flag(words, "no-tag")) {
		make_tag(p, &p->tags[i]);
		h->has_tag = true;
		h->tag = ht_tag_hash(ht_buf_slice(&p->tags[i]));
	} else {
		ht_buf_reset(&p->tags[i]);
	}
	if (flag(words, "bad-tag"))
		h->tag.at[0] ^= 1;
	if (flag(words, "bad-seal"))
		h->seal_key.at[0] ^= 1;
	if (!flag(words, "same-id"))
		p->ids[i] = ht_id_random();
	h->record = p->ids[i];
	h->counter = ++p->counter;
	ht_buf_reset(&p->headers[i]);
	must(ht_envelope_encode(h, &envelope), "envelope");
	must(ht_header_encode(h, ht_buf_slice(&envelope), &p->headers[i]),
	    "header");
	r->index = i;
	r->header = ht_buf_slice(&p->headers[i]);
	r->tag = ht_buf_slice(&p->tags[i]);
	r->body = HT_SLICE(p->body, BODY_SIZE);
}

static void
send_bundle(struct peer *p, uint32_t n, char **words)
{
	static struct ht_message m;
	const struct ht_key *key = p->node->signing;
	struct ht_slice frame;

	if (flag(words, "other-key"))
		key = p->world->members[HT_W_POLICE].nodes[0].signing;
	p->bundle.suite = 1;
	p->bundle.sender = ht_slice_str(p->member->name);
	p->bundle.node = ht_slice_str(p->node->name);
	p->bundle.count = p->bundle.n_records = n;
	p->bundle.n_left = 0;
	must(ht_bundle_sign(&p->bundle, key), "sign");
	if (flag(words, "bad-sig"))
		p->bundle.sig.at[0] ^= 1;
	if (flag(words, "bad-body"))
		p->body[7] ^= 1;
	m.type = HT_MSG_BUNDLE;
	m.ref = ++p->ref;
	m.bundle = p->bundle;
	ht_buf_reset(&p->frame);
	must(ht_message_encode(&m, &p->frame), "encode");
	frame = ht_buf_slice(&p->frame);
	if (flag(words, "trunc"))
		frame.len -= 10;
	if (flag(words, "long"))
		ht_buf_u8(&p->frame, 0xc0), frame.len++;
	send_frame(p, frame);
	await(p, p->ref);
}

static void
ask(struct peer *p, char **words)
{
	uint32_t n = (uint32_t)strtoul(words[1], NULL, 10);
	uint64_t now = ht_clock_wall_ms();
	const char *recipient = mod(words, "recipient");

	if (recipient == NULL)
		recipient = "scjg.demo/registry";
	ht_random(p->body, sizeof(p->body));
	for (uint32_t i = 0; i < n && i < HT_BUNDLE_MAX; i++) {
		struct ht_header h = {
		    .version = 1,
		    .suite = 1,
		    .exchange = ht_id_exchange(now),
		    .kind =
		        flag(words, "push") ? HT_KIND_PUSH : HT_KIND_REQUEST,
		    .sender =
		        text(words, "sender", ht_slice_str(p->member->name)),
		    .node = ht_slice_str(p->node->name),
		    .recipient = ht_slice_str(recipient),
		    .item = text(words, "item", ht_slice_str("gx.demo/SCZTDJ")),
		    .item_version = (uint32_t)number(words, "version", 1),
		    .operation = (unsigned)number(words, "op", HT_OP_QUERY),
		    .purpose = text(
		        words, "purpose", ht_slice_str("tax-registration")),
		    .basis = ht_slice_str("ZGF-15"),
		    .grant = text(words, "grant", ht_slice_str("gx.demo/1")),
		};
		const char *created = mod(words, "created");

		h.created_ms =
		    now + (uint64_t)(created == NULL ? 0 : atoll(created));
		h.expires_ms = h.created_ms + number(words, "life", 20000);
		seal_to(p, &h, recipient);
		add_record(p, i, &h, words);
	}
	send_bundle(p, n, words);
}

/* The same answer to each record that the last DELIVER brought. */
static void
answer(struct peer *p, char **words)
{
	const struct ht_bundle *asked = &p->delivered.deliver.bundle;
	uint64_t now = ht_clock_wall_ms();

	ht_random(p->body, sizeof(p->body));
	for (uint32_t i = 0; i < asked->n_records; i++) {
		struct ht_header h, q;
		char recipient[HT_NAME_MAX + 1];

		must(ht_header_decode(asked->records[i].header, &q, NULL, NULL),
		    "request");
		snprintf(recipient, sizeof(recipient), "%.*s",
		    (int)q.sender.len, (const char *)q.sender.at);
		h = q;
		h.kind = HT_KIND_RESPONSE;
		h.sender = ht_slice_str(p->member->name);
		h.node = ht_slice_str(p->node->name);
		h.recipient = q.sender;
		h.purpose = text(words, "purpose", q.purpose);
		h.created_ms = now;
		h.expires_ms = now + number(words, "life", 20000);
		h.has_reply_to = true;
		h.reply_to = asked->records[i].hash;
		if (flag(words, "reply-to-none"))
			h.reply_to.at[0] ^= 1;
		h.released = HT_SLICE("\x01", 1);
		h.status = HT_ANSWER_ANSWERED;
		seal_to(p, &h, recipient);
		add_record(p, i, &h, words);
	}
	send_bundle(p, asked->n_records, words);
}

static void
got(struct peer *p)
{
	static struct ht_message m;

	m.type = HT_MSG_GOT;
	m.ref = 0;
	m.got.n_places = p->delivered.deliver.bundle.n_records;
	memcpy(m.got.places, p->delivered.deliver.places,
	    m.got.n_places * sizeof(m.got.places[0]));
	send_message(p, &m);
}

static void
next(struct peer *p, char **words)
{
	uint64_t ms = words[1] == NULL ? WAIT_MS : strtoull(words[1], NULL, 10);

	if (receive(p, ht_clock_mono_ms() + ms))
		show(&p->m);
	else
		printf("nothing\n");
}

static void
drain(struct peer *p, char **words)
{
	uint64_t ms = strtoull(words[1], NULL, 10);
	unsigned n = 0;

	while (receive(p, ht_clock_mono_ms() + ms)) {
		show(&p->m);
		n++;
	}
	printf("drained %u\n", n);
}

static void
ping(struct peer *p)
{
	p->m.type = HT_MSG_PING;
	p->m.ref = ++p->ref;
	send_message(p, &p->m);
	await(p, p->ref);
}

static void
prove(struct peer *p, const char *place)
{
	p->m.type = HT_MSG_GET_PROOF;
	p->m.ref = ++p->ref;
	p->m.get_proof.place = strtoull(place, NULL, 10);
	p->m.get_proof.size = 0; /* the newest */
	send_message(p, &p->m);
	await(p, p->ref);
}

static void
raw_frame(struct peer *p, const char *hex)
{
	uint8_t bytes[4096];
	size_t len = strlen(hex) / 2;

	if (len > sizeof(bytes) || ht_unhex(hex, bytes, len) != HT_OK)
		die("frame: hex digits");
	send_frame(p, HT_SLICE(bytes, len));
}

static void
random_frames(struct peer *p, char **words)
{
	size_t n = strtoul(words[1], NULL, 10), size;
	uint8_t *bytes = malloc(HT_FRAME_MAX + 4096);

	size = strtoul(words[2], NULL, 10);
	if (bytes == NULL || size > HT_FRAME_MAX + 4096)
		die("random: size");
	for (size_t i = 0; i < n; i++) {
		ht_random(bytes, size);
		send_frame(p, HT_SLICE(bytes, size));
	}
	free(bytes);
}

static void
parts(struct peer *p, char **words)
{
	size_t n = strtoul(words[1], NULL, 10);
	size_t size = strtoul(words[2], NULL, 10);
	static uint8_t bytes[65536];

	if (size > sizeof(bytes))
		die("parts: size");
	for (size_t i = 0; i < n; i++)
		(void)zmq_send(p->sock, bytes, size,
		    ZMQ_DONTWAIT | (i + 1 < n ? ZMQ_SNDMORE : 0));
}

/*
 * A message that does not end before it is far too large.  (libzmq sends none
 * of it before it has all of it.)
 */
static void
flood(struct peer *p, char **words)
{
	size_t mib = strtoul(words[1], NULL, 10);
	static uint8_t bytes[65536];
	size_t sent = 0;

	while (sent < mib << 20) {
		if (zmq_send(p->sock, bytes, sizeof(bytes),
		        ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
			break;
		sent += sizeof(bytes);
	}
	(void)zmq_send(p->sock, bytes, 1, ZMQ_DONTWAIT);
	printf("flooded %zu MiB\n", sent >> 20);
}

static void
newest(struct peer *p)
{
	struct ht_checkpoint cp;
	struct ht_note note;
	char root[2 * HT_HASH_SIZE + 1];

	if (p->newest.len == 0) {
		printf("newest none\n");
		return;
	}
	must(ht_note_parse(ht_buf_slice(&p->newest), &note), "checkpoint");
	must(ht_checkpoint_parse(note.text, &cp), "checkpoint");
	ht_hex(root, cp.root.at, HT_HASH_SIZE);
	printf("newest %llu %s\n", (unsigned long long)cp.size, root);
}

static void
run(struct peer *p, char **words)
{
	const char *verb = words[0];

	if (strcmp(verb, "key") == 0)
		p->transport =
		    strcmp(words[1], "random") == 0
		        ? NULL
		        : find_node(find_member(p->world, words[1]), words[2])
		              ->transport;
	else if (strcmp(verb, "open") == 0)
		open_it(p, words);
	else if (strcmp(verb, "close") == 0)
		close_it(p);
	else if (strcmp(verb, "hello") == 0)
		hello(p, words);
	else if (strcmp(verb, "ask") == 0)
		ask(p, words);
	else if (strcmp(verb, "again") == 0) {
		send_frame(p, ht_buf_slice(&p->frame));
		await(p, p->ref);
	} else if (strcmp(verb, "answer") == 0)
		answer(p, words);
	else if (strcmp(verb, "got") == 0)
		got(p);
	else if (strcmp(verb, "next") == 0)
		next(p, words);
	else if (strcmp(verb, "drain") == 0)
		drain(p, words);
	else if (strcmp(verb, "ping") == 0)
		ping(p);
	else if (strcmp(verb, "prove") == 0)
		prove(p, words[1]);
	else if (strcmp(verb, "frame") == 0)
		raw_frame(p, words[1]);
	else if (strcmp(verb, "random") == 0)
		random_frames(p, words);
	else if (strcmp(verb, "parts") == 0)
		parts(p, words);
	else if (strcmp(verb, "flood") == 0)
		flood(p, words);
	else if (strcmp(verb, "sleep") == 0)
		(void)usleep((useconds_t)atoi(words[1]) * 1000);
	else if (strcmp(verb, "keep") == 0)
		p->keeps = true;
	else if (strcmp(verb, "newest") == 0)
		newest(p);
	else
		die("no such command");
}

int
main(int argc, char **argv)
{
	static struct peer p;
	char line[4096];

	if (argc != 4 || ht_keys_init() != HT_OK)
		die("usage: peer ADDRESS MEMBER NODE < script");
	p.world = ht_world_new(ht_clock_wall_ms());
	p.address = argv[1];
	p.member = find_member(p.world, argv[2]);
	p.node = find_node(p.member, argv[3]);
	p.transport = p.node->transport;
	p.ctx = zmq_ctx_new();
	p.newest = HT_BUF(65536);
	p.frame = HT_BUF(HT_FRAME_MAX + 16);
	for (size_t i = 0; i < HT_BUNDLE_MAX; i++) {
		p.headers[i] = HT_BUF(HT_HEADER_MAX);
		p.tags[i] = HT_BUF(HT_TAG_MAX);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		char *words[WORDS_MAX + 1] = {NULL}, *save = NULL;
		char *word = strtok_r(line, " \n", &save);

		for (size_t n = 0; word != NULL && n < WORDS_MAX; n++) {
			words[n] = word;
			word = strtok_r(NULL, " \n", &save);
		}
		if (words[0] != NULL && words[0][0] != '#')
			run(&p, words);
	}
	close_it(&p);
	zmq_ctx_term(p.ctx);
	for (size_t i = 0; i < HT_BUNDLE_MAX; i++) {
		ht_buf_fini(&p.headers[i]);
		ht_buf_fini(&p.tags[i]);
	}
	ht_buf_fini(&p.frame);
	ht_buf_fini(&p.newest);
	ht_world_free(&p.world);
	return 0;
}
