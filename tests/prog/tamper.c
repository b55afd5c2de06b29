/*
 * tamper.c -- a node with good keys and bad manners: it makes one correct
 * record, spoils it in the way it is told, sends it, and prints what the
 * exchange says.
 *
 * usage: tamper NODE.yaml AUTHORITY RECIPIENT ITEM GRANT PURPOSE BASIS HOW
 *
 * HOW: none       nothing is spoiled
 *      body       a bit of the sealed body, after its hash was taken
 *      header     a bit of the header, after the bundle was signed
 *      signature  a bit of the signature
 *      moved      another record's body under this header
 *      sender     another member's name in the header
 *      clock      made two minutes ago
 *      future     made in two minutes
 *      version    another version of the item
 *      operation  an operation that the item does not offer
 *      expired    its life is over
 *      life       it would live for two hours
 *      replay     sent twice
 *      conflict   another record under the same record id
 *      tag        nothing; the item has a subject, and the record its tag
 *      tag-subject, tag-annex, tag-field
 *                 the pseudonym is another's; the annex names another; the
 *                 annex says another officer than the tag commits to
 *
 *      many:FILE:N   N good records, each sent at once; kept in FILE first
 *      resend:FILE   the very same bytes again
 *
 * Prints a line for each answer: "STATUS place detail".  Exit: 0 if the first
 * answer was acceptance, 1 if it was a refusal, 3 if none came.  For many and
 * resend: "RECORD STATUS place", in any order; 0 if all were answered.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/conf_node.h"
#include "keys/keyfile.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/net/net.h"
#include "schemas/content.h"
#include "schemas/message.h"
#include "schemas/trust.h"

#define ANSWER_MS 10000

struct tamper {
	struct ht_conf_node conf;
	struct ht_trust *trust;
	struct ht_key *signing;
	struct ht_key *transport;
	struct ht_net *net;
	struct ht_dealer *dealer;
	const char *recipient, *item, *grant, *purpose, *basis, *how;
	struct ht_message message; /* large: one for the program */
};

_Noreturn static void
die(const char *doing, enum ht_err err)
{
	fprintf(stderr, "tamper: %s: %s\n", doing, ht_err_text(err));
	exit(3);
}

static bool
is(const struct tamper *t, const char *how)
{
	return strcmp(t->how, how) == 0;
}

/* ---- connecting ---- */

static void
load(struct tamper *t, const char *node, const char *authority)
{
	struct ht_report *report = ht_report_new();
	struct ht_buf note = HT_BUF(HT_DOC_MAX);
	struct ht_root root;
	struct ht_keyfile file;
	enum ht_err err;

	err = ht_conf_node_load(node, report, &t->conf);
	if (err == HT_OK)
		err = ht_fs_read(t->conf.root, &note);
	if (err == HT_OK)
		err = ht_root_parse(
		    ht_buf_slice(&note), t->conf.root, report, &root);
	if (err == HT_OK)
		err = ht_trust_load_dir(
		    &root, authority, NULL, report, &t->trust);
	if (err == HT_OK)
		err = ht_keyfile_read(t->conf.signing, HT_KEY_SIGNING, NULL,
		    &t->signing, &file, report);
	if (err == HT_OK)
		err = ht_keyfile_read(t->conf.transport, HT_KEY_TRANSPORT, NULL,
		    &t->transport, &file, report);
	if (err != HT_OK) {
		ht_report_print(report, stderr);
		die("reading", err);
	}
	ht_buf_fini(&note);
	ht_report_free(&report);
}

static void
wait_for(struct tamper *t)
{
	struct ht_wait wait = {.dealer = t->dealer, .fd = -1};
	size_t ready;

	if (ht_net_wait(&wait, 1, 100, &ready) != HT_OK)
		die("waiting", HT_ESYSTEM);
}

/* Answers to what earlier runs asked come whenever they like. */
static bool
is_answer(enum ht_message_type type)
{
	return type == HT_MSG_WELCOME || type == HT_MSG_ACK ||
	       type == HT_MSG_ERROR;
}

/* The next answer; false after ANSWER_MS. */
static bool
next(struct tamper *t)
{
	uint64_t until = ht_clock_mono_ms() + ANSWER_MS;
	struct ht_slice frame;
	const char *why;
	size_t at;

	while (ht_clock_mono_ms() < until) {
		if (ht_dealer_recv(t->dealer, &frame) != HT_OK) {
			wait_for(t);
			continue;
		}
		if (ht_message_decode(frame, &t->message, &at, &why) != HT_OK)
			die("reading an answer", HT_EMALFORMED);
		if (is_answer(t->message.type))
			return true;
	}
	return false;
}

static void
send_frame(struct tamper *t, struct ht_slice frame)
{
	uint64_t until = ht_clock_mono_ms() + ANSWER_MS;

	while (ht_dealer_send(t->dealer, frame) == HT_EAGAIN) {
		if (ht_clock_mono_ms() > until)
			die("sending", HT_ETIMEOUT);
		wait_for(t);
	}
}

static void
send_message(struct tamper *t)
{
	struct ht_buf out = HT_BUF(HT_FRAME_MAX);
	enum ht_err err = ht_message_encode(&t->message, &out);

	if (err != HT_OK)
		die("encoding", err);
	send_frame(t, ht_buf_slice(&out));
	ht_buf_fini(&out);
}

static void
connect_node(struct tamper *t)
{
	const struct ht_root *root = ht_trust_root(t->trust);
	struct ht_pub pub = ht_key_pub(t->transport);
	struct ht_dealer_conf conf = {
	    .address = root->broker_address,
	    .server_key = root->broker_transport.at,
	    .public_key = pub.at,
	    .secret = ht_key_open(t->transport),
	    .frame_max = HT_FRAME_MAX,
	};
	uint64_t until = ht_clock_mono_ms() + ANSWER_MS;
	enum ht_link link = HT_LINK_NONE;

	if (ht_net_open(&t->net) != HT_OK ||
	    ht_dealer_open(t->net, &conf, &t->dealer) != HT_OK)
		die("connecting", HT_ESYSTEM);
	ht_key_shut(t->transport);
	while (link != HT_LINK_UP) {
		if (ht_clock_mono_ms() > until)
			die("connecting", HT_ETIMEOUT);
		wait_for(t);
		link = ht_dealer_link(t->dealer);
		if (link == HT_LINK_REFUSED) {
			printf("REFUSED - the key is not in the directory\n");
			exit(1);
		}
	}
}

static void
hello(struct tamper *t)
{
	char name[HT_NAME_MAX + HT_NODE_MAX + 2];

	snprintf(name, sizeof(name), "%s/%s", t->conf.member, t->conf.node);
	t->message.type = HT_MSG_HELLO;
	t->message.ref = 1;
	t->message.hello.n_versions = 1;
	t->message.hello.versions[0] = HT_PROTOCOL;
	t->message.hello.node = ht_slice_str(name);
	t->message.hello.checkpoint = HT_SLICE(NULL, 0);
	t->message.hello.snapshot = ht_trust_version(t->trust);
	t->message.hello.proofs = false;
	t->message.hello.serves = false;
	send_message(t);
	if (!next(t) || t->message.type != HT_MSG_WELCOME)
		die("saying hello", HT_EPROTOCOL);
}

/* ---- a tag ---- */

#define SUBJECT "91999999000000019D"
#define OTHER   "91999998MA00000079"

/* The epoch of now, and its tracker key, which every member holds. */
static struct ht_epoch
open_epoch(struct tamper *t, struct ht_key **ret_tracker)
{
	const struct ht_epoch_entry *entry =
	    ht_trust_epoch(t->trust, ht_clock_wall_ms());
	struct ht_report *report = ht_report_new();
	struct ht_key *sealing = NULL, *tracker = NULL;
	struct ht_keyfile file;
	struct ht_epoch epoch = {.name = ""};
	enum ht_err err = entry == NULL ? HT_ENOTFOUND : HT_OK;

	if (err == HT_OK)
		err = ht_keyfile_read(t->conf.sealing[0], HT_KEY_SEALING, NULL,
		    &sealing, &file, report);
	if (err == HT_OK)
		err = ht_tracker_open(
		    entry, ht_slice_str(t->conf.member), sealing, &tracker);
	if (err != HT_OK)
		die("opening the tracker key", err);
	snprintf(epoch.name, sizeof(epoch.name), "%s", entry->name);
	epoch.annex = entry->annex;
	epoch.tracker = *ret_tracker = tracker;
	ht_key_free(&sealing);
	ht_report_free(&report);
	return epoch;
}

/*
 * The tag, and the annex's opening for the content: true in themselves, but
 * for what @t->how says.  ht_tag_make() makes no false one, so one is made of
 * two true ones.
 */
static json_t *
make_tag(struct tamper *t, struct ht_buf *tag)
{
	HT_AUTO(ht_key_free) struct ht_key *tracker = NULL;
	struct ht_epoch epoch = open_epoch(t, &tracker);
	bool other = is(t, "tag-subject") || is(t, "tag-annex");
	const char *id = other ? OTHER : SUBJECT;
	char subject[64];
	struct ht_subject one = {ht_slice_str("uscc"), ht_slice_str(id)};
	struct ht_annex annex = {.subject = subject, .officer = "7"};
	struct ht_tag made;
	enum ht_err err;

	snprintf(subject, sizeof(subject), "uscc:%s", id);
	ht_random(annex.entry, sizeof(annex.entry));
	err = ht_tag_make(&epoch, &one, 1, &annex, tag);
	if (err == HT_OK && is(t, "tag-annex")) {
		/* The right pseudonym beside the annex of another. */
		err = ht_tag_decode(ht_buf_slice(tag), &made, NULL);
		if (err == HT_OK)
			err = ht_pseudonym(epoch.tracker, one.registry,
			    ht_slice_str(SUBJECT), &made.subjects[0]);
		struct ht_buf bent = HT_BUF(HT_TAG_MAX);

		if (err == HT_OK)
			err = ht_tag_encode(&made, &bent);
		ht_buf_fini(tag);
		*tag = bent;
	}
	if (err != HT_OK)
		die("making a tag", err);
	if (is(t, "tag-field"))
		annex.officer = "8";
	if (is(t, "tag-subject"))
		snprintf(subject, sizeof(subject), "uscc:%s", SUBJECT);
	return ht_annex_to_json(&annex);
}

/* What is asked, and, with a tag, the opening of its annex. */
static void
make_content(struct tamper *t, const struct ht_item *item, struct ht_buf *tag,
    struct ht_buf *out)
{
	struct ht_request req = {.operation = HT_OP_QUERY};
	enum ht_err err;

	if (strncmp(t->how, "tag", 3) != 0) {
		ht_buf_str(out, "\x80");
		return;
	}
	if (item == NULL)
		die("finding the item", HT_ENOTFOUND);
	snprintf(req.item, sizeof(req.item), "%s", t->item);
	req.version = item->version;
	req.params = json_pack("{s:s}", "shxydm", SUBJECT);
	req.annex = make_tag(t, tag);
	err = ht_request_encode(&req, out);
	if (err != HT_OK)
		die("making the content", err);
	ht_request_fini(&req);
}

/* ---- one record ---- */

struct record {
	struct ht_id id;
	struct ht_buf envelope, header, body, tag;
};

static const struct ht_keyinfo *
seal_key(struct tamper *t, uint64_t now_ms)
{
	const struct ht_member *to =
	    ht_trust_member(t->trust, ht_slice_str(t->recipient));
	const struct ht_keyinfo *key =
	    to != NULL ? ht_member_seal_key(to, now_ms) : NULL;

	if (key == NULL)
		die("finding the recipient's key", HT_ENOTFOUND);
	return key;
}

static void
record_fini(struct record *r)
{
	ht_buf_fini(&r->envelope);
	ht_buf_fini(&r->header);
	ht_buf_fini(&r->body);
	ht_buf_fini(&r->tag);
}

/* Sealed as it must be: only what @t->how says is wrong. */
static void
make_record(struct tamper *t, const struct ht_id *id, struct record *r)
{
	uint64_t now_ms = ht_clock_wall_ms();
	const struct ht_keyinfo *to = seal_key(t, now_ms);
	const struct ht_item *item =
	    ht_trust_item_newest(t->trust, ht_slice_str(t->item));
	uint8_t info[HT_SEAL_INFO_SIZE];
	struct ht_buf content = HT_BUF(HT_BODY_MAX);
	struct ht_sealer *sealer;
	uint64_t seq;
	enum ht_err err;
	struct ht_header h = {
	    .version = 1,
	    .suite = 1,
	    .record = *id,
	    .exchange = ht_id_exchange(now_ms),
	    .kind = HT_KIND_REQUEST,
	    .sender =
	        ht_slice_str(is(t, "sender") ? t->recipient : t->conf.member),
	    .node = ht_slice_str(t->conf.node),
	    .recipient = ht_slice_str(t->recipient),
	    .item = ht_slice_str(t->item),
	    .item_version = item != NULL ? item->version : 1,
	    .operation = HT_OP_QUERY,
	    .purpose = ht_slice_str(t->purpose),
	    .basis = ht_slice_str(t->basis),
	    .grant = ht_slice_str(t->grant),
	    .created_ms = now_ms,
	    .counter = now_ms,
	};

	if (is(t, "clock"))
		h.created_ms -= 120000;
	if (is(t, "future"))
		h.created_ms += 120000;
	if (is(t, "version"))
		h.item_version = 99;
	if (is(t, "operation"))
		h.operation = HT_OP_PUSH;
	h.expires_ms = h.created_ms + (is(t, "life") ? 7200000u : 150000u);
	if (is(t, "expired")) {
		h.created_ms -= 30000;
		h.expires_ms = h.created_ms + 10000;
	}
	r->id = *id;
	r->envelope = HT_BUF(HT_HEADER_MAX);
	r->header = HT_BUF(2 * HT_HEADER_MAX);
	r->body = HT_BUF(HT_BODY_MAX);
	r->tag = HT_BUF(HT_TAG_MAX);
	make_content(t, item, &r->tag, &content);
	h.has_tag = r->tag.len > 0;
	h.tag = ht_tag_hash(ht_buf_slice(&r->tag));
	err =
	    ht_content_wrap(ht_buf_slice(&content), 0, &r->body, &h.commitment);
	if (err == HT_OK)
		err = ht_envelope_encode(&h, &r->envelope);
	ht_seal_info(&to->id, info);
	if (err == HT_OK)
		err = ht_sealer_new(
		    &to->pub, HT_SLICE(info, sizeof(info)), &sealer);
	if (err != HT_OK)
		die("making a record", err);
	h.body_len = (uint32_t)r->body.len + HT_AEAD_TAG;
	if (ht_buf_room(&r->body, HT_AEAD_TAG) == NULL)
		die("making a record", HT_ENOMEM);
	err = ht_seal(sealer, ht_buf_slice(&r->envelope), r->body.at,
	    r->body.len - HT_AEAD_TAG, &seq);
	memcpy(h.enc, ht_sealer_enc(sealer), HT_ENC_SIZE);
	h.seal_key = to->id;
	h.seal_seq = seq;
	h.body_hash =
	    ht_blake2b((struct ht_slice[]){ht_buf_slice(&r->body)}, 1);
	if (err == HT_OK)
		err = ht_header_encode(
		    &h, ht_buf_slice(&r->envelope), &r->header);
	if (err != HT_OK)
		die("sealing a record", err);
	ht_sealer_free(&sealer);
	ht_buf_fini(&content);
}

/* A bundle of one, signed. */
static void
make_bundle(struct tamper *t, struct record *r)
{
	struct ht_bundle *b = &t->message.bundle;
	enum ht_err err;

	t->message.type = HT_MSG_BUNDLE;
	t->message.ref = 2;
	b->suite = 1;
	b->sender = ht_slice_str(t->conf.member);
	b->node = ht_slice_str(t->conf.node);
	b->count = b->n_records = 1;
	b->n_left = 0;
	b->records[0] = (struct ht_bundle_record){
	    .header = ht_buf_slice(&r->header),
	    .body = ht_buf_slice(&r->body),
	    .tag = ht_buf_slice(&r->tag),
	};
	err = ht_bundle_sign(b, t->signing);
	if (err != HT_OK)
		die("signing", err);
}

/* The same, spoiled after it was signed. */
static void
send_bundle(struct tamper *t, struct record *r)
{
	struct ht_bundle *b = &t->message.bundle;

	make_bundle(t, r);
	if (is(t, "body"))
		r->body.at[r->body.len / 2] ^= 1;
	if (is(t, "header"))
		r->header.at[40] ^= 1;
	if (is(t, "signature"))
		b->sig.at[10] ^= 1;
	send_message(t);
}

static int
print_answer(struct tamper *t)
{
	const struct ht_message *m = &t->message;

	if (!next(t)) {
		printf("SILENCE\n");
		return 3;
	}
	if (m->type == HT_MSG_ERROR) {
		printf("%s - %s\n", ht_status_name(m->error.reason.code),
		    m->error.reason.detail);
		return 1;
	}
	if (m->type != HT_MSG_ACK || m->ack.n_results < 1) {
		printf("UNEXPECTED message %d\n", (int)m->type);
		return 3;
	}
	printf("%s %" PRIu64 " %s\n", ht_status_name(m->ack.results[0].status),
	    m->ack.results[0].place,
	    m->ack.results[0].reasons.n > 0
	        ? m->ack.results[0].reasons.at[0].detail
	        : "");
	return m->ack.results[0].status == HT_ST_OK ? 0 : 1;
}

static int
play(struct tamper *t)
{
	struct ht_id id = ht_id_random(), other = ht_id_random();
	struct record first, second;
	int rc;

	make_record(t, &id, &first);
	make_record(t, is(t, "conflict") ? &id : &other, &second);
	if (is(t, "moved")) {
		struct ht_buf body = first.body;

		first.body = second.body;
		second.body = body;
	}
	send_bundle(t, &first);
	rc = print_answer(t);
	if (is(t, "replay") || is(t, "conflict")) {
		send_bundle(t, is(t, "replay") ? &first : &second);
		rc = print_answer(t);
	}
	record_fini(&first);
	record_fini(&second);
	return rc;
}

/* ---- many ---- */

/* Frames, each behind its length: on disk before the first is sent. */
static void
keep_many(struct tamper *t, const char *file, unsigned n)
{
	struct ht_buf all = HT_BUF((size_t)n * 8192);
	enum ht_err err;

	for (unsigned i = 0; i < n; i++) {
		struct ht_id id = ht_id_random();
		struct ht_buf frame = HT_BUF(HT_FRAME_MAX);
		struct record r;

		make_record(t, &id, &r);
		make_bundle(t, &r);
		t->message.ref = i + 2;
		err = ht_message_encode(&t->message, &frame);
		if (err != HT_OK)
			die("encoding", err);
		ht_buf_u32(&all, (uint32_t)frame.len);
		ht_buf_add(&all, frame.at, frame.len);
		ht_buf_fini(&frame);
		record_fini(&r);
	}
	err = all.err != HT_OK ? all.err
	                       : ht_fs_replace(file, 0600, ht_buf_slice(&all));
	if (err != HT_OK)
		die("keeping", err);
	ht_buf_fini(&all);
}

static int
send_many(struct tamper *t, const char *file)
{
	struct ht_buf all = HT_BUF(64 << 20);
	unsigned sent = 0, answered = 0;
	enum ht_err err = ht_fs_read(file, &all);
	struct ht_cur cur = ht_cur(ht_buf_slice(&all));

	if (err != HT_OK)
		die("reading what was kept", err);
	while (cur.at < cur.end) {
		uint32_t len = ht_cur_u32(&cur);

		send_frame(t, ht_cur_take(&cur, len));
		sent++;
	}
	while (answered < sent && next(t)) {
		const struct ht_result *result = &t->message.ack.results[0];
		char hex[2 * HT_ID_SIZE + 1];

		if (t->message.type != HT_MSG_ACK)
			break;
		ht_hex(hex, result->record.at, HT_ID_SIZE);
		printf("%s %s %" PRIu64 "\n", hex,
		    ht_status_name(result->status), result->place);
		fflush(stdout);
		answered++;
	}
	ht_buf_fini(&all);
	return answered == sent ? 0 : 3;
}

static int
play_many(struct tamper *t)
{
	HT_AUTO(ht_mem_free) char *words = strdup(t->how);
	char *rest = words, *how, *file, *n;

	if (words == NULL)
		die("starting", HT_ENOMEM);
	how = strsep(&rest, ":");
	file = strsep(&rest, ":");
	n = strsep(&rest, ":");
	if (file == NULL)
		die("reading HOW", HT_EINVALID);
	if (strcmp(how, "many") == 0)
		keep_many(t, file, n != NULL ? (unsigned)atoi(n) : 1);
	return send_many(t, file);
}

int
main(int argc, char **argv)
{
	static struct tamper t;

	if (argc != 9) {
		fprintf(stderr, "usage: tamper NODE.yaml AUTHORITY RECIPIENT "
		                "ITEM GRANT PURPOSE BASIS HOW\n");
		return 2;
	}
	if (ht_keys_init() != HT_OK)
		die("starting", HT_ESYSTEM);
	t.recipient = argv[3];
	t.item = argv[4];
	t.grant = argv[5];
	t.purpose = argv[6];
	t.basis = argv[7];
	t.how = argv[8];
	load(&t, argv[1], argv[2]);
	connect_node(&t);
	hello(&t);
	return strchr(t.how, ':') != NULL ? play_many(&t) : play(&t);
}
