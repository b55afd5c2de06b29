#include "tests/lib/fake_broker.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/log/log.h"
#include "keys/witness.h"
#include "lib/base/clock.h"
#include "lib/net/net.h"
#include "schemas/message.h"
#include "tests/lib/lies.h"
#include "tests/lib/test.h"

#define PEERS_MAX   8
#define PENDING_MAX 1024
#define PAGE_DOCS   3 /* few, so that fetching takes several turns */

struct peer {
	char node[256]; /* member/node */
	uint8_t handle[HT_HANDLE_MAX];
	size_t handle_len;
	bool proofs;
};

/* Who asked what: its answer goes there. */
struct pending {
	struct ht_hash hash;
	unsigned peer;
	uint64_t place;
};

struct fake {
	struct ht_fake *ctl;
	const struct ht_world *world;
	struct ht_router *router;
	struct ht_log *log;
	uint64_t snapshot_place;
	int noticed; /* the lie that nodes were told of */
	bool renewed;
	unsigned n_withheld;
	struct withheld {
		unsigned peer;
		uint64_t ref, version, have, skip;
	} withheld[PEERS_MAX];
	struct ht_trust *before; /* midway: what a fetch began with */
	uint64_t before_place;
	unsigned n_peers;
	struct peer peers[PEERS_MAX];
	unsigned n_pending;
	struct pending pending[PENDING_MAX];
	struct ht_message *in, *out;
	struct ht_buf frame;
	struct ht_buf note;
	uint64_t size; /* of the note */
	struct ht_buf heads[HT_BUNDLE_MAX];
};

#define MUST(expr)                                                             \
	do {                                                                   \
		enum ht_err must_ = (expr);                                    \
		if (must_ != HT_OK) {                                          \
			fprintf(stderr, "fake broker: %s: %s\n", #expr,        \
			    ht_err_text(must_));                               \
			_exit(9);                                              \
		}                                                              \
	} while (0)

static void
commit(struct fake *f)
{
	struct ht_slice note;

	MUST(ht_log_commit(f->log, &note));
	ht_buf_reset(&f->note);
	ht_buf_add(&f->note, note.at, note.len);
	f->size = ht_log_size(f->log);
}

static void
log_snapshot(struct fake *f, struct ht_hash hash, uint64_t version)
{
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(256);
	struct ht_entry e = {.type = HT_ENTRY_SNAPSHOT,
	    .time_us = ht_clock_wall_us(),
	    .snapshot = hash};

	ht_pack_map(&payload, 2);
	ht_pack_cstr(&payload, "hash");
	ht_pack_bin(&payload, hash.at, sizeof(hash.at));
	ht_pack_cstr(&payload, "version");
	ht_pack_uint(&payload, version);
	e.payload = ht_buf_slice(&payload);
	MUST(ht_log_append(f->log, &e, NULL));
	f->snapshot_place = e.seq;
	commit(f);
}

static struct ht_message *
fresh(struct fake *f, enum ht_message_type type, uint64_t ref)
{
	memset(f->out, 0, sizeof(*f->out));
	f->out->type = type;
	f->out->ref = ref;
	return f->out;
}

static void
send_to(struct fake *f, unsigned peer)
{
	struct peer *p = &f->peers[peer];

	ht_buf_reset(&f->frame);
	MUST(ht_message_encode(f->out, &f->frame));
	(void)!ht_router_send(f->router, HT_SLICE(p->handle, p->handle_len),
	    ht_buf_slice(&f->frame));
}

/* ---- the log's words ---- */

static struct ht_slice
checkpoint(struct fake *f)
{
	static struct ht_buf forged = {.max = 8192};
	struct ht_checkpoint cp = {.size = f->size};
	struct ht_buf text = HT_BUF(4096);

	if (!atomic_load(&f->ctl->two_faces))
		return ht_buf_slice(&f->note);
	(void)snprintf(
	    cp.origin, sizeof(cp.origin), "%.128s", f->world->root.log.name);
	memset(cp.root.at, 0x5a, sizeof(cp.root.at));
	ht_checkpoint_text(&cp, &text);
	ht_buf_reset(&forged);
	MUST(ht_note_sign(ht_buf_slice(&text), false, f->world->root.log.name,
	    f->world->log_key, &forged));
	ht_buf_fini(&text);
	return ht_buf_slice(&forged);
}

/* The leaf up to its payload's length. */
static struct ht_slice
head_of(struct fake *f, unsigned i, uint64_t place, size_t header_len)
{
	ht_buf_reset(&f->heads[i]);
	MUST(ht_log_read(f->log, place, &f->heads[i]));
	return HT_SLICE(f->heads[i].at, f->heads[i].len - header_len - 2);
}

static void
prove(struct fake *f, struct ht_range_proof *proof, const uint64_t *places,
    const size_t *header_lens, unsigned n)
{
	proof->present = true;
	proof->size = f->size;
	proof->n_indexes = n;
	for (unsigned i = 0; i < n; i++) {
		proof->indexes[i] = places[i];
		proof->heads[i] = head_of(f, i, places[i], header_lens[i]);
	}
	MUST(ht_log_batch_proof(f->log, places, n, f->size, proof->hashes,
	    HT_COUNT(proof->hashes), &proof->n_hashes));
	if (atomic_load(&f->ctl->bad_proof) && proof->n_hashes > 0)
		proof->hashes[0].at[0] ^= 1;
}

/* ---- messages ---- */

static void
hello(struct fake *f, const struct ht_received *r)
{
	const struct ht_message *in = f->in;
	struct ht_message *m = fresh(f, HT_MSG_WELCOME, in->ref);
	struct ht_checkpoint cp;
	struct peer *p = NULL;
	unsigned i;

	for (i = 0; i < f->n_peers; i++)
		if (strcmp(f->peers[i].node, r->user_id) == 0)
			break;
	if (i == f->n_peers && f->n_peers++ == PEERS_MAX)
		_exit(9);
	p = &f->peers[i];
	(void)snprintf(p->node, sizeof(p->node), "%s", r->user_id);
	memcpy(p->handle, r->handle.at, r->handle.len);
	p->handle_len = r->handle.len;
	p->proofs = in->hello.proofs;
	m->welcome.version = HT_PROTOCOL;
	m->welcome.checkpoint = checkpoint(f);
	if (in->hello.checkpoint.len > 0 &&
	    ht_checkpoint_open(
	        in->hello.checkpoint, &f->world->root.log, &cp) == HT_OK &&
	    cp.size > 0 && cp.size <= f->size)
		MUST(ht_log_consistency(f->log, cp.size, f->size,
		    m->welcome.path, &m->welcome.n_path));
	m->welcome.snapshot = ht_trust_version(f->world->trust);
	m->welcome.current = ht_trust_current(f->world->trust);
	m->welcome.time_ms =
	    ht_clock_wall_ms() +
	    (uint64_t)(1000 * (int64_t)atomic_load(&f->ctl->time_off_s));
	m->welcome.body = HT_BODY_MAX;
	m->welcome.bundle = HT_BUNDLE_MAX;
	m->welcome.frame = HT_FRAME_MAX;
	m->welcome.life_ms = HT_LIFE_MS;
	m->welcome.skew_ms = HT_SKEW_MS;
	send_to(f, i);
}

/* All of a later snapshot; who lies may well have it in the log. */
static void
put_lie(struct fake *f, unsigned lie)
{
	struct ht_message *m = f->out;
	struct ht_trust_news news;
	struct ht_note note;

	ht_lie_tell(f->world, lie, &news);
	if (ht_note_parse(news.snapshot, &note) == HT_OK)
		log_snapshot(f, ht_sha256(note.text),
		    ht_trust_version(f->world->trust) + 1);
	m->snapshot.version = ht_trust_version(f->world->trust) + 1;
	m->snapshot.since = 0;
	m->snapshot.offset = 0;
	m->snapshot.total = news.n;
	m->snapshot.note = news.snapshot;
	m->snapshot.gone = news.gone;
	m->snapshot.current = news.current;
	m->snapshot.n_docs = (unsigned)news.n;
	for (size_t i = 0; i < news.n; i++) {
		m->snapshot.lines[i] = news.lines[i];
		m->snapshot.docs[i] = news.notes[i];
	}
	atomic_fetch_add(&f->ctl->lied, 1);
}

/* Whoever is connected is told that there is another snapshot. */
static void
notice_lie(struct fake *f)
{
	int lie = atomic_load(&f->ctl->lie);

	if (lie == f->noticed)
		return;
	f->noticed = lie;
	for (unsigned i = 0; i < f->n_peers && lie != 0; i++) {
		struct ht_message *m = fresh(f, HT_MSG_NOTICE, 0);

		m->notice.snapshot = ht_trust_version(f->world->trust) + 1;
		send_to(f, i);
	}
}

static void
tell_newer(struct fake *f)
{
	for (unsigned i = 0; i < f->n_peers; i++) {
		struct ht_message *m = fresh(f, HT_MSG_NOTICE, 0);

		m->notice.snapshot = ht_trust_version(f->world->trust);
		send_to(f, i);
	}
}

/* gx.demo/4, which was over, grants what gx.demo/1 does. */
static void
make_newer(struct fake *f)
{
	struct ht_world *w = (struct ht_world *)(uintptr_t)f->world;

	if (f->renewed || atomic_load(&f->ctl->newer) == 0)
		return;
	f->renewed = true;
	ht_world_put(w, HT_DOC_GRANT, "gx.demo/4",
	    ht_world_text(w, HT_DOC_GRANT, "gx.demo/1"));
	ht_world_edit(w, HT_DOC_GRANT, "gx.demo/4", "gx.demo/1", "gx.demo/4");
	ht_world_edit(
	    w, HT_DOC_GRANT, "gx.demo/4", "revision: 1", "revision: 2");
	ht_world_renew(w);
	log_snapshot(f, ht_trust_hash(w->trust), ht_trust_version(w->trust));
	tell_newer(f);
}

static void
say(struct fake *f, unsigned peer, uint64_t ref, unsigned status,
    uint32_t retry_ms)
{
	struct ht_message *m = fresh(f, HT_MSG_ERROR, ref);

	m->error.reason.code = status;
	m->error.retry_ms = retry_ms;
	send_to(f, peer);
}

static void
put_snapshot(struct fake *f, const struct withheld *w)
{
	static struct ht_buf leaf = {.max = 4096};
	bool before =
	    f->before != NULL && w->version == ht_trust_version(f->before);
	const struct ht_trust *trust = before ? f->before : f->world->trust;
	uint64_t place = before ? f->before_place : f->snapshot_place;
	uint64_t skip = w->skip;
	struct ht_message *m = fresh(f, HT_MSG_SNAPSHOT, w->ref);
	HT_AUTO(ht_buf_fini) struct ht_buf gone = HT_BUF(HT_GONE_MAX);
	struct ht_slice line, note;
	size_t at = 0;

	m->snapshot.version = ht_trust_version(trust);
	m->snapshot.since = ht_trust_since(trust, w->have);
	m->snapshot.offset = skip;
	m->snapshot.total = ht_trust_n_since(trust, m->snapshot.since);
	m->snapshot.note = ht_trust_snapshot(trust);
	ht_trust_gone_since(trust, m->snapshot.since, &gone);
	m->snapshot.gone = ht_buf_slice(&gone);
	while (
	    m->snapshot.n_docs < PAGE_DOCS &&
	    ht_trust_next_since(trust, m->snapshot.since, &at, &line, &note)) {
		if (skip > 0) {
			skip--;
			continue;
		}
		m->snapshot.lines[m->snapshot.n_docs] = line;
		m->snapshot.docs[m->snapshot.n_docs++] = note;
	}
	m->snapshot.current = ht_trust_current(trust);
	if (atomic_load(&f->ctl->lie) != 0)
		put_lie(f, (unsigned)atomic_load(&f->ctl->lie) - 1);
	/* A lie has just been logged. */
	if (!before)
		place = f->snapshot_place;
	m->snapshot.place = place;
	ht_buf_reset(&leaf);
	MUST(ht_log_read(f->log, place, &leaf));
	if (atomic_load(&f->ctl->unlogged) != 0)
		leaf.at[leaf.len - 1] ^= 1;
	m->snapshot.leaf = ht_buf_slice(&leaf);
	MUST(ht_log_inclusion(
	    f->log, place, f->size, m->snapshot.path, &m->snapshot.n_path));
	m->snapshot.checkpoint = checkpoint(f);
	send_to(f, w->peer);
}

/* Another one comes into force, while somebody fetches this one. */
static void
go_midway(struct fake *f)
{
	if (f->before != NULL || atomic_load(&f->ctl->midway) == 0)
		return;
	f->before = ht_trust_ref(f->world->trust);
	f->before_place = f->snapshot_place;
	atomic_store(&f->ctl->newer, 1);
	make_newer(f);
}

static void
get_snapshot(struct fake *f, unsigned peer)
{
	struct withheld w = {peer, f->in->ref, f->in->get_snapshot.version,
	    f->in->get_snapshot.have, f->in->get_snapshot.offset};

	if (w.have == 0 && w.skip == 0)
		atomic_fetch_add(&f->ctl->wholes, 1);
	if (atomic_load(&f->ctl->paces) > 0) {
		atomic_fetch_sub(&f->ctl->paces, 1);
		say(f, peer, w.ref, HT_ST_BUSY, 30);
	} else if (f->before != NULL && atomic_load(&f->ctl->forgets) != 0 &&
	           w.version == ht_trust_version(f->before)) {
		say(f, peer, w.ref, HT_ST_MALFORMED, 0);
	} else if (atomic_load(&f->ctl->withhold) == 0) {
		put_snapshot(f, &w);
		go_midway(f);
	} else if (f->n_withheld < PEERS_MAX) {
		f->withheld[f->n_withheld++] = w;
		atomic_fetch_add(&f->ctl->withheld, 1);
	}
}

static void
let_go(struct fake *f)
{
	if (atomic_load(&f->ctl->withhold) != 0)
		return;
	for (unsigned i = 0; i < f->n_withheld; i++)
		put_snapshot(f, &f->withheld[i]);
	f->n_withheld = 0;
}

static void
get_consistency(struct fake *f, unsigned peer)
{
	uint64_t from = f->in->get_consistency.old_size;
	uint64_t to = f->in->get_consistency.new_size;
	struct ht_message *m = fresh(f, HT_MSG_CONSISTENCY, f->in->ref);

	MUST(ht_log_consistency(
	    f->log, from, to, m->consistency.path, &m->consistency.n_path));
	m->consistency.checkpoint = checkpoint(f);
	send_to(f, peer);
}

/* The entry, with no evidence: that is the real broker's. */
static void
get_proof(struct fake *f, unsigned peer)
{
	struct ht_buf leaf = HT_BUF(HT_LEAF_MAX), row = HT_BUF(4096);
	uint64_t place = f->in->get_proof.place;
	struct ht_message *m = fresh(f, HT_MSG_PROOF, f->in->ref);

	if (place >= f->size) {
		m = fresh(f, HT_MSG_ERROR, f->in->ref);
		m->error.reason.code = HT_ST_MALFORMED;
		send_to(f, peer);
		return;
	}
	MUST(ht_log_read(f->log, place, &leaf));
	MUST(ht_log_inclusion(
	    f->log, place, f->size, m->proof.path, &m->proof.n_path));
	if (atomic_load(&f->ctl->bad_proof))
		m->proof.path[0].at[0] ^= 1;
	ht_pack_array(&row, 5);
	ht_pack_uint(&row, place);
	ht_pack_bin(&row, leaf.at, leaf.len);
	for (unsigned i = 0; i < 3; i++)
		ht_pack_nil(&row);
	m->proof.place = place;
	m->proof.checkpoint = checkpoint(f);
	if (!atomic_load(&f->ctl->no_row))
		m->proof.row = ht_buf_slice(&row);
	send_to(f, peer);
	ht_buf_fini(&leaf);
	ht_buf_fini(&row);
}

/* Cosign the newest, from where you are. */
static void
ask_to_cosign(struct fake *f, unsigned peer, uint64_t old)
{
	static struct ht_buf text = {.max = HT_WITNESS_REQUEST};
	struct ht_hash proof[HT_PROOF_MAX];
	struct ht_add_checkpoint add = {.old = old, .note = checkpoint(f)};
	struct ht_message *m = fresh(f, HT_MSG_WITNESS, 1 + old);

	if (old > 0)
		MUST(ht_log_consistency(
		    f->log, old, f->size, proof, &add.n_proof));
	memcpy(add.proof, proof, add.n_proof * sizeof(*proof));
	ht_buf_reset(&text);
	ht_add_checkpoint_text(&add, &text);
	m->witness.request = ht_buf_slice(&text);
	send_to(f, peer);
}

static void
cosign(struct fake *f, unsigned peer)
{
	struct ht_slice body = f->in->cosign.body;
	uint64_t size;

	if (f->in->ref != 0) {
		atomic_store(&f->ctl->cosigned, (int)f->in->cosign.status);
		if (atomic_load(&f->ctl->fork_cosign)) {
			atomic_store(&f->ctl->two_faces, 1);
			ask_to_cosign(f, peer, f->size);
		}
		return;
	}
	MUST(ht_tree_size_parse(HT_SLICE(body.at, body.len - 1), &size));
	atomic_store(&f->ctl->offered, (int)size + 1);
	ask_to_cosign(f, peer, size);
}

/* The peer a record goes to; PEERS_MAX if there is none. */
static unsigned
recipient(struct fake *f, const struct ht_header *h)
{
	char name[256];

	for (unsigned i = 0; h->has_reply_to && i < f->n_pending; i++)
		if (ht_hash_eq(&f->pending[i].hash, &h->reply_to))
			return f->pending[i].peer;
	(void)snprintf(name, sizeof(name), "%.*s/main", (int)h->recipient.len,
	    (const char *)h->recipient.at);
	for (unsigned i = 0; i < f->n_peers; i++)
		if (!h->has_reply_to && strcmp(f->peers[i].node, name) == 0)
			return i;
	return PEERS_MAX;
}

static uint64_t
cited(const struct fake *f, const struct ht_header *h)
{
	for (unsigned i = 0; h->has_reply_to && i < f->n_pending; i++)
		if (ht_hash_eq(&f->pending[i].hash, &h->reply_to))
			return f->pending[i].place + 1;
	return 0;
}

static uint64_t
append(struct fake *f, const struct ht_bundle *b, unsigned i, uint64_t first,
    const struct ht_header *h)
{
	struct ht_entry e = {
	    .type = h->kind == HT_KIND_REQUEST ? HT_ENTRY_REQUEST
	                                       : HT_ENTRY_RESPONSE,
	    .time_us = ht_clock_wall_us(),
	    .snapshot = ht_trust_hash(f->world->trust),
	    .grant = h->grant,
	    .bundle_seq = first,
	    .bundle_index = (uint16_t)b->records[i].index,
	    .bundle_count = (uint16_t)b->count,
	    .member = h->sender,
	    .node = h->node,
	    .cites = cited(f, h),
	    .payload = b->records[i].header,
	};

	MUST(ht_log_append(f->log, &e, NULL));
	return e.seq;
}

static void
deliver(struct fake *f, const struct ht_bundle *from, uint32_t i,
    uint64_t place, unsigned peer)
{
	struct ht_message *m = fresh(f, HT_MSG_DELIVER, 0);
	size_t len = from->records[i].header.len;
	uint8_t *body;

	MUST(ht_bundle_part(from, &i, 1, &m->deliver.bundle));
	m->deliver.places[0] = place;
	m->deliver.checkpoint = checkpoint(f);
	if (f->peers[peer].proofs)
		prove(f, &m->deliver.proof, &place, &len, 1);
	if (atomic_load(&f->ctl->tamper_body)) {
		body =
		    (uint8_t *)(uintptr_t)m->deliver.bundle.records[0].body.at;
		body[0] ^= 1;
	}
	send_to(f, peer);
	if (atomic_load(&f->ctl->deliver_twice))
		send_to(f, peer);
}

static bool
refuse_busy(struct fake *f, unsigned peer)
{
	const struct ht_bundle *b = &f->in->bundle;
	struct ht_message *m;

	if (atomic_load(&f->ctl->busy) <= 0)
		return false;
	atomic_fetch_sub(&f->ctl->busy, 1);
	m = fresh(f, HT_MSG_ACK, f->in->ref);
	m->ack.n_results = b->n_records;
	for (unsigned i = 0; i < b->n_records; i++) {
		struct ht_header h;

		MUST(ht_header_decode(b->records[i].header, &h, NULL, NULL));
		m->ack.results[i].record = h.record;
		m->ack.results[i].status = HT_ST_BUSY;
		m->ack.results[i].retry_ms = 50;
	}
	send_to(f, peer);
	return true;
}

static void
bundle(struct fake *f, unsigned peer)
{
	const struct ht_bundle *b = &f->in->bundle;
	struct ht_header h[HT_BUNDLE_MAX];
	uint64_t places[HT_BUNDLE_MAX], first = ht_log_next(f->log);
	size_t lens[HT_BUNDLE_MAX];
	struct ht_message *m;

	atomic_fetch_add(&f->ctl->bundles, 1);
	if (atomic_load(&f->ctl->mute) || refuse_busy(f, peer))
		return;
	for (unsigned i = 0; i < b->n_records; i++) {
		MUST(ht_header_decode(b->records[i].header, &h[i], NULL, NULL));
		places[i] = append(f, b, i, first, &h[i]);
		lens[i] = b->records[i].header.len;
	}
	MUST(ht_log_bundle(f->log, first, b));
	commit(f);
	atomic_fetch_add(&f->ctl->records, (int)b->n_records);
	m = fresh(f, HT_MSG_ACK, f->in->ref);
	m->ack.n_results = b->n_records;
	for (unsigned i = 0; i < b->n_records; i++) {
		m->ack.results[i].record = h[i].record;
		m->ack.results[i].place = places[i];
	}
	m->ack.checkpoint = checkpoint(f);
	if (f->peers[peer].proofs)
		prove(f, &m->ack.proof, places, lens, b->n_records);
	send_to(f, peer);
	for (unsigned i = 0; i < b->n_records; i++) {
		unsigned to = recipient(f, &h[i]);

		if (h[i].kind == HT_KIND_REQUEST && f->n_pending < PENDING_MAX)
			f->pending[f->n_pending++] = (struct pending){
			    b->records[i].hash, peer, places[i]};
		if (to != PEERS_MAX && !atomic_load(&f->ctl->swallow))
			deliver(f, b, i, places[i], to);
	}
}

static void
handle(struct fake *f, const struct ht_received *r)
{
	const char *why = "";
	unsigned peer;

	MUST(ht_message_decode(r->frame, f->in, NULL, &why));
	if (f->in->type == HT_MSG_HELLO) {
		hello(f, r);
		return;
	}
	for (peer = 0; peer < f->n_peers; peer++)
		if (f->peers[peer].handle_len == r->handle.len &&
		    memcmp(f->peers[peer].handle, r->handle.at,
		        r->handle.len) == 0)
			break;
	if (peer == f->n_peers)
		return;
	notice_lie(f);
	make_newer(f);
	let_go(f);
	switch (f->in->type) {
	case HT_MSG_GET_SNAPSHOT:
		get_snapshot(f, peer);
		return;
	case HT_MSG_GET_CONSISTENCY:
		get_consistency(f, peer);
		return;
	case HT_MSG_GET_PROOF:
		get_proof(f, peer);
		return;
	case HT_MSG_BUNDLE:
		bundle(f, peer);
		return;
	case HT_MSG_COSIGN:
		cosign(f, peer);
		return;
	case HT_MSG_GOT:
		atomic_fetch_add(&f->ctl->gots, (int)f->in->got.n_places);
		return;
	default:
		return;
	}
}

static bool
admit(void *arg, const uint8_t key[static HT_CURVE_SIZE], struct ht_slice host,
    char user_id[static HT_USERID_MAX + 1])
{
	const struct ht_trust *trust = arg;
	const struct ht_member *member;
	const struct ht_node_entry *node;
	const struct ht_keyinfo *info;
	struct ht_pub pub;

	(void)host;
	memcpy(pub.at, key, sizeof(pub.at));
	if (!ht_trust_by_transport(trust, &pub, &member, &node, &info))
		return false;
	(void)snprintf(
	    user_id, HT_USERID_MAX + 1, "%s/%s", member->name, node->name);
	return true;
}

static void
run(struct ht_fake *ctl, const struct ht_world *world, const char *dir)
{
	static struct fake f;
	struct ht_report *report = ht_report_new();
	struct ht_net *net;
	struct ht_router_conf conf = {.address = "tcp://127.0.0.1:0",
	    .frame_max = HT_FRAME_MAX,
	    .rcvhwm = 256,
	    .sndhwm = 256,
	    .admit = admit,
	    /* The first one, for the thread that asks: make_newer() changes
	     * the world, but nobody's keys. */
	    .admit_arg = ht_trust_ref(world->trust)};

	f.ctl = ctl;
	f.world = world;
	f.in = calloc(1, sizeof(*f.in));
	f.out = calloc(1, sizeof(*f.out));
	f.frame = HT_BUF(HT_FRAME_MAX);
	f.note = HT_BUF(8192);
	for (unsigned i = 0; i < HT_BUNDLE_MAX; i++)
		f.heads[i] = HT_BUF(HT_LEAF_MAX);
	MUST(ht_log_open(
	    dir, world->root.log.name, world->log_key, report, &f.log));
	log_snapshot(&f, ht_trust_hash(f.world->trust),
	    ht_trust_version(f.world->trust));
	MUST(ht_net_open(&net));
	conf.secret = ht_key_open(world->broker);
	MUST(ht_router_open(net, &conf, &f.router));
	(void)snprintf(ctl->address, sizeof(ctl->address), "%s",
	    ht_router_address(f.router));
	atomic_store(&ctl->up, 1);
	for (;;) {
		struct ht_wait wait = {.router = f.router, .fd = -1};
		struct ht_received r;
		size_t ready;

		MUST(ht_net_wait(&wait, 1, -1, &ready));
		while (ht_router_recv(f.router, &r) == HT_OK)
			if (r.dropped_parts == 0)
				handle(&f, &r);
	}
}

void
ht_fake_start(struct ht_fake_broker *broker, const struct ht_world *world,
    const char *log_dir)
{
	struct ht_fake *ctl = mmap(NULL, sizeof(*ctl), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (ctl == MAP_FAILED)
		fail_msg("no shared memory");
	broker->ctl = ctl;
	broker->pid = fork();
	if (broker->pid < 0)
		fail_msg("no process");
	if (broker->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		run(ctl, world, log_dir);
		_exit(0);
	}
	for (unsigned i = 0; !atomic_load(&ctl->up); i++) {
		if (i > 2000)
			fail_msg("the fake broker does not come up");
		(void)usleep(5000);
	}
}

void
ht_fake_stop(struct ht_fake_broker *broker)
{
	if (broker->pid <= 0)
		return;
	(void)kill(broker->pid, SIGKILL);
	(void)waitpid(broker->pid, NULL, 0);
	(void)munmap(broker->ctl, sizeof(*broker->ctl));
	broker->pid = 0;
}
