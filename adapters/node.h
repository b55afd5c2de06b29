/*
 * node.h -- the insides of a node, for the node_*.c files alone.
 *
 *	node.c         opening, closing, the turn
 *	node_link.c    the connection, HELLO and WELCOME, messages
 *	node_trust.c   checkpoints, the snapshot in force, tracker keys
 *	node_fetch.c   the next snapshot, from the broker
 *	node_load.c    loading it, in a thread
 *	node_disk.c    keeping it, in a thread
 *	node_root.c    the anchor, and the roots that followed
 *	node_watch.c   our own entry in the directory, and what runs out
 *	node_witness.c cosigning checkpoints
 *	node_out.c     what leaves: bundles, their acknowledgement, again
 *	node_record.c  making records, opening records
 *	node_ask.c     the consumer's side
 *	node_serve.c   the provider's side
 *	node_room.c    no room for an answer
 *	node_prove.c   a proof of an entry, as a file
 *	node_told.c    remembering what became of exchanges
 *	claims.c       verify: claims against records (pure)
 *
 * One thread.  Frames are handled as they come; what must be durable gathers
 * in the state's transaction; after its commit, and not before, things leave.
 */
#ifndef HT_ADAPTERS_NODE_H
#define HT_ADAPTERS_NODE_H

#include <pthread.h>
#include <stdatomic.h>

#include "adapters/hutong.h"
#include "adapters/state.h"
#include "keys/proof.h"
#include "lib/base/map.h"
#include "lib/net/net.h"
#include "schemas/bundle.h"
#include "schemas/doc.h"
#include "schemas/message.h"

#define NODE_SEALING_MAX 5
#define NODE_FLIGHTS_MAX 8    /* bundles that wait for their ACK */
#define NODE_OPENERS_MAX 1024 /* consumers' contexts, one each a process */
#define NODE_SEALERS_MAX 1024
#define NODE_CALLS_MAX   4096  /* requests being served */
#define NODE_FRAMES_TURN 64    /* frames handled before something leaves */
#define NODE_PARKED_MAX  64    /* deliveries waiting for a new snapshot */
#define NODE_WAITS_MAX   3     /* snapshots that a refusal waits for */
#define NODE_SAVE_MS     1000  /* news that come together are kept together */
#define NODE_PING_MS     15000 /* docs/protocol.md section 5 */
#define NODE_LOST_MS     45000
#define NODE_LIFE_MS     30000 /* of an ask, when nothing is said */
#define NODE_SWEEP_MS    1000
#define NODE_GRACE_MS    3000 /* the broker's END may be on its way */
#define NODE_TOLD_MS     5000 /* how far a long fetch is, is said so often */

enum node_phase {
	NODE_DOWN,   /* no connection, or none that was welcomed */
	NODE_HELLO,  /* HELLO is out */
	NODE_FETCH,  /* welcomed; a snapshot is being fetched */
	NODE_READY,  /* one may ask and serve */
	NODE_BROKEN, /* the log or the trust was caught lying: for good */
};

/* A record on its way to the broker, kept until it is acknowledged. */
struct node_out {
	struct node_out *next;
	struct ht_buf header;
	struct ht_buf body;
	struct ht_buf tag;
	struct ht_hash hash; /* of the header */
	struct ht_id record;
	uint64_t expires_ms;
	uint64_t not_before_ms; /* after BUSY; mono */
	uint64_t request_place; /* responses: GOT once this is acknowledged */
	bool is_response;
};
struct node_list {
	struct node_out *head, **tail;
	unsigned n;
};

/* A bundle that is out. */
struct node_flight {
	uint64_t ref; /* 0: free */
	unsigned n;
	struct node_out *outs[HT_BUNDLE_MAX];
};

/* An ask that has not ended. */
struct node_ask {
	struct node_ask *next; /* of the list of all */
	struct node_ask **prev_p;
	struct ht_id exchange;
	struct ht_id record;
	struct ht_hash hash;
	struct ht_buf raw;       /* the request's header */
	struct ht_header header; /* decoded from raw */
	struct ht_buf tag_raw;
	struct ht_tag tag;
	struct ht_trust *trust; /* under which it was asked */
	struct ht_told *told;   /* NULL: not to be remembered */
	bool keep_opening;
	bool accepted;
	bool proven; /* the request's place, so far */
	uint64_t place;
	uint64_t end_ms; /* wall: given up then */
	ht_asked_fn *done;
	void *arg;
};

/* A request being served. */
struct node_call {
	uint64_t id;
	struct ht_trust *trust;
	const struct ht_item *item;
	const struct ht_grant *grant;
	struct ht_buf raw;
	struct ht_header header;
	struct ht_buf tag_raw;
	struct ht_tag tag; /* when header.has_tag */
	struct ht_request request;
	struct ht_hash hash;
	struct ht_keyid signed_by;
	uint64_t place;
	struct ht_slice key; /* sender 0 record, in key_bytes */
	uint8_t key_bytes[HT_NAME_MAX + 1 + HT_ID_SIZE];
};

struct node_server {
	ht_serve_fn *serve;
	void *arg;
};

/* node_disk.c: the thread that keeps a snapshot on disk. */
struct node_saver {
	pthread_t thread;
	bool started; /* to be joined */
	atomic_bool ended;
	bool again;             /* a newer one came meanwhile */
	uint64_t due_ms;        /* mono: it is kept then */
	struct ht_trust *trust; /* being kept */
	const char *state;      /* the folder of the state */
	uint64_t before;        /* the snapshot that was kept last; or 0 */
	uint64_t older;         /* and the one before that */
	enum ht_err err;
	int why; /* errno */
};

/* What came of a snapshot: all that is new since another, or all of it. */
struct node_news {
	uint64_t since;     /* 0: all */
	struct ht_buf note; /* the snapshot's */
	struct ht_buf current;
	struct ht_buf gone;
	size_t bytes; /* of all documents so far */
	size_t n;
	struct node_news_doc {
		struct ht_buf line;
		struct ht_buf note;
	} * docs;
};

struct node_fetch {
	bool on;
	uint64_t version;
	bool newer;    /* than the snapshot in force here */
	uint64_t have; /* the snapshot we have; 0: none, or we want all */
	bool first;    /* the first page came; it said what follows: */
	uint64_t total;
	struct node_news news;
	uint64_t ref;
	uint64_t again_ms; /* mono: BUSY; asked again then */
	uint64_t told_ms;  /* mono: how far it is was said */
	bool again; /* a newer one was heard of: what changed, after it */
};

/* node_load.c: the thread that loads, or takes an old one apart. */
struct node_loader {
	pthread_t thread;
	bool started; /* to be joined */
	atomic_bool ended;
	int event_fd; /* readable when it has */
	bool loading; /* these are the thread's then: */
	struct node_news news;
	struct ht_root root;
	struct ht_trust *before;
	struct ht_report *report;
	enum ht_err err;
	struct ht_trust *trust;
	bool again;           /* something newer was heard of meanwhile */
	struct ht_trust *old; /* taken apart once nobody decides by it */
};

/* A delivery, or some of its records, until a newer snapshot is there. */
struct node_parked {
	struct ht_buf frame;
	uint64_t records; /* a bit each: those that wait */
	unsigned waits;
};

/* A proof that is waited for, on the stack of who waits. */
struct node_proving {
	uint64_t ref;
	const struct ht_id *exchange;
	uint64_t place;
	struct ht_buf *out;
	enum ht_err err;
};

struct ht_node {
	/* who we are */
	char member[HT_NAME_MAX + 1];
	char name[HT_NODE_MAX + 1];
	char id[HT_NAME_MAX + HT_NODE_MAX + 2]; /* member/node */
	struct ht_hash anchor; /* of the file that was configured */
	struct ht_root root;   /* it, or a later one that follows from it */
	struct ht_key *signing;
	struct ht_key *transport;
	struct ht_keyid signing_id;
	unsigned n_sealing;
	struct ht_key *sealing[NODE_SEALING_MAX];
	bool proofs;
	unsigned bundle_max; /* records a bundle at most */
	uint32_t history;    /* exchanges that are remembered */
	uint64_t full_ms;    /* when it was said that somebody has no room */
	bool disk_full;      /* that was said */
	bool told_due;       /* something of them is to be committed */

	/* the connection */
	struct ht_net *net;
	char *address;
	bool address_fixed; /* configured: the root's does not matter */
	struct ht_dealer *dealer;
	bool turning; /* inside ht_node_step() */
	enum node_phase phase;
	enum ht_err broken; /* why, when NODE_BROKEN */
	char trouble[512];
	bool hello_due;    /* HELLO could not be sent yet */
	bool clock_off;    /* WELCOME came, with another time than ours */
	uint64_t heard_ms; /* mono: the last frame */
	uint64_t asked_ms; /* mono: the last PING or HELLO */
	uint64_t ref;
	uint64_t life_max_ms; /* of WELCOME */
	struct ht_message *in;
	struct ht_message *out;
	struct ht_buf frame;

	/* trust and log */
	struct ht_trust *trust;
	struct node_saver saver;
	struct node_fetch fetch;
	struct node_loader loader;
	struct node_parked parked[NODE_PARKED_MAX];
	unsigned n_parked;
	struct ht_buf kept_note; /* newest checkpoint proven consistent */
	struct ht_checkpoint kept;
	struct ht_buf seen_note; /* newest seen, its signature checked */
	struct ht_checkpoint seen;
	struct ht_checkpoint said; /* the newer of the two, as HELLO named it */
	struct ht_buf tied_note;   /* the one whose consistency is asked for */
	struct ht_checkpoint tied;
	uint64_t consistency_ref; /* outstanding GET_CONSISTENCY; 0 none */
	uint64_t consistency_ms;
	struct ht_key *witness; /* NULL: this node is none */
	char witness_name[HT_VKEY_NAME_MAX];
	struct ht_checkpoint cosigned; /* last; of size 0 when none was */
	struct ht_buf cosigned_note;
	unsigned n_refused; /* kept as evidence, in this run */
	struct ht_key *tracker;
	char tracker_epoch[HT_NAME_MAX + 1];

	struct ht_state *state;
	uint64_t swept_ms;
	uint64_t watch_ms; /* mono: the next look at our own entry */
	enum {
		NODE_WATCHED = 0,
		NODE_UNWATCHED, /* the snapshot is of an earlier run */
		NODE_GLANCED    /* so it is, and what it tells was said */
	} watch;
	uint64_t stale_ms; /* mono: not before then is it said again */

	/* records */
	struct ht_map *sealers; /* key id -> struct ht_sealer */
	struct ht_map *openers; /* key id, enc -> struct ht_opener */
	struct node_list waiting;
	struct node_flight flights[NODE_FLIGHTS_MAX];
	unsigned n_places; /* GOT that is being gathered */
	uint64_t places[HT_BUNDLE_MAX];

	struct node_proving *proving; /* NULL: none */

	/* asks and calls */
	struct node_ask *asks;
	unsigned n_asks;
	struct ht_map *by_record; /* record id -> struct node_ask */
	struct ht_map *by_hash;   /* header hash -> struct node_ask */
	struct ht_map *servers;   /* item -> struct node_server */
	struct ht_map *calls;     /* u64 id -> struct node_call */
	struct ht_map *calls_by_key;
	uint64_t call_id;
};

/* ---- node.c ---- */

/* Stop for good: the log or the trust does not hold.  Alarms loudly. */
void node_break(struct ht_node *node, enum ht_err err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void node_trouble(struct ht_node *node, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- node_link.c ---- */

enum ht_err node_link_open(struct ht_node *node);
void node_link_turn(struct ht_node *node, uint64_t now_ms);
void node_frame(struct ht_node *node, struct ht_slice frame);
/* Encode node->out and send it.  HT_EAGAIN: not now. */
enum ht_err node_send(struct ht_node *node);
/* A cleared node->out of that type with a fresh ref. */
struct ht_message *node_message(
    struct ht_node *node, enum ht_message_type type);

/* ---- node_leaf.c ---- */

struct node_leaf {
	unsigned type;
	uint64_t seq;
	struct ht_slice payload; /* into the bytes */
};
/* HT_EMALFORMED. */
enum ht_err node_leaf(struct ht_slice bytes, struct node_leaf *ret) HT_MUST_USE;

/* ---- node_trust.c ---- */

enum ht_err node_trust_open(struct ht_node *node, struct ht_report *report);
/* Keep for the next run what has not been kept yet. */
void node_trust_close(struct ht_node *node);
/* Check a checkpoint note's signature and remember it; false: broken. */
bool node_checkpoint(struct ht_node *node, struct ht_slice note);
bool node_welcomed(struct ht_node *node);
/* The broker's operator went on with a log that lacks what we have seen. */
void node_given_up(struct ht_node *node);
void node_consistency(struct ht_node *node);
void node_ask_consistency(struct ht_node *node, uint64_t now_ms);
/* From now on it is decided by @trust, which is taken. */
void node_install(struct ht_node *node, struct ht_trust *trust);
/* Every record at its place: checked against the message's checkpoint. */
bool node_proof(struct ht_node *node, const struct ht_range_proof *proof,
    const uint64_t *places, const struct ht_slice *headers, unsigned n,
    struct ht_slice checkpoint);
/* The epoch's keys; tracker NULL when we cannot open it. */
bool node_epoch(struct ht_node *node, const struct ht_epoch_entry *entry,
    struct ht_epoch *ret);

/* ---- node_fetch.c ---- */

void node_news_fini(struct node_news *news);
void node_fetch_fini(struct ht_node *node);
/*
 * What we lack of the snapshot in force; its current note at least.  @newer:
 * it is another than ours, and deliveries may rest on it.
 */
void node_fetch_begin(struct ht_node *node, bool newer);
/* NOTICE: the same, but what was fetched so far is not thrown away. */
void node_fetch_noticed(struct ht_node *node, bool newer);
/* There is a newer one, and it will be ours soon. */
bool node_newer_coming(const struct ht_node *node);
/*
 * The ERROR just received is about it, and no trouble: the broker has given us
 * so much that the rest is asked for when it said.
 */
bool node_fetch_refused(struct ht_node *node);
/* At most so long until something is to be asked for. */
int node_fetch_wait_ms(const struct ht_node *node, int wait_ms);
void node_fetch_turn(struct ht_node *node, uint64_t now_ms);
void node_snapshot(struct ht_node *node);
/* The broker's current note, of the snapshot that we have: ready, if it is. */
void node_freshen(struct ht_node *node, struct ht_slice current);
/* What the thread made of @n news since snapshot @since; may take *trust_p. */
void node_loaded(struct ht_node *node, enum ht_err err, uint64_t since,
    size_t n, struct ht_report *report, struct ht_trust **trust_p);

/* ---- node_load.c ---- */

enum ht_err node_load_open(struct ht_node *node);
/* Takes the news, and calls node_loaded() from a later turn. */
void node_load(struct ht_node *node, struct node_news *news);
bool node_loading(const struct ht_node *node);
/* Nobody decides by it from now on; NULL is fine. */
void node_load_old(struct ht_node *node, struct ht_trust *old);
void node_load_turn(struct ht_node *node);
void node_load_close(struct ht_node *node);

/* ---- node_root.c ---- */

/* The configured anchor file. */
enum ht_err node_root_read(
    struct ht_node *node, const char *path, struct ht_report *report);
/* The root that followed it, as the state folder has it. */
void node_root_kept(struct ht_node *node);
/* The address of the broker: the configured one, or the root's. */
enum ht_err node_root_address(struct ht_node *node, const char *configured);
/* The trust in force may have a later root: it is ours from now on. */
void node_root_take(struct ht_node *node);

/* ---- node_disk.c ---- */

/* @whole: not the current note alone.  What cannot be kept is said. */
void node_disk_save(struct ht_node *node, bool whole);
/* Has the thread ended?  Then what it did is taken note of. */
void node_disk_turn(struct ht_node *node);
/* Wait for it. */
void node_disk_close(struct ht_node *node);
/* What was in force before; NULL if there is nothing to go on with. */
struct ht_trust *node_disk_load(struct ht_node *node);

/* ---- node_watch.c ---- */

/* Hold our entry against our keys, and say what does not fit. */
void node_watch(struct ht_node *node);
/* What is in force may be another one: not before the broker has said. */
void node_watch_later(struct ht_node *node);
void node_watch_due(struct ht_node *node);
/* The broker does not admit us: what we have may tell why.  Once. */
void node_watch_refused(struct ht_node *node);
/* The same daily; and a stale current note, every ten minutes. */
void node_watch_turn(struct ht_node *node, uint64_t now_ms);

/* ---- node_witness.c ---- */

/* What was cosigned last; a finding when it is not of this log. */
enum ht_err node_witness_open(struct ht_node *node, struct ht_report *report);
/* Tell a broker that has welcomed us that we cosign, and from where on. */
void node_witness_offer(struct ht_node *node);
/* WITNESS came: judge, keep, answer. */
void node_witness(struct ht_node *node);

/* ---- node_out.c ---- */

void node_list_init(struct node_list *list);
void node_list_add(struct node_list *list, struct node_out *out);
struct node_out *node_out_new(void);
void node_out_free(struct node_out **out_p);
/* Send what may leave now. */
enum ht_err node_flush(struct ht_node *node, uint64_t now_ms);
void node_acked(struct ht_node *node);
/* The ERROR just received, if it answers a bundle. */
void node_refused(struct ht_node *node);
/* Tell the broker that the record at a place was received and kept. */
void node_got(struct ht_node *node, uint64_t place);
/* After a new WELCOME: what was not acknowledged goes again. */
void node_out_again(struct ht_node *node);
void node_out_fini(struct ht_node *node);

/* ---- node_record.c ---- */

/*
 * Finish a record: @h has all but commitment, tag hash, counter, id and seal;
 * @content is sealed to the recipient's key @to.
 */
enum ht_err node_record_make(struct ht_node *node, struct ht_header *h,
    const struct ht_keyinfo *to, struct ht_slice content, size_t fixed,
    struct node_out *out);
/*
 * Open a body in place (@body is copied into @plain): content inside @plain.
 * HT_EBADSIG; HT_ENOTFOUND: not sealed to a key of ours; HT_EINVALID:
 * commitment.
 */
enum ht_err node_record_open(struct ht_node *node, const struct ht_header *h,
    struct ht_slice body, struct ht_buf *plain, struct ht_slice *ret_content);
void node_record_fini(struct ht_node *node);

/* ---- node_ask.c ---- */

/* False: it does not hold by the snapshot that we have, and @may_wait. */
bool node_response(struct ht_node *node, const struct ht_bundle_record *record,
    const struct ht_header *h, uint64_t place, bool proven, bool may_wait);
void node_ask_result(
    struct ht_node *node, const struct ht_result *result, bool proven);
void node_ended(struct ht_node *node);
void node_ask_expire(struct ht_node *node, uint64_t now_ms);
void node_ask_fini(struct ht_node *node);

/* ---- node_prove.c ---- */

void node_proof_came(struct ht_node *node);
/* The ERROR just received, if it answers that. */
void node_proof_refused(struct ht_node *node);

/* ---- node_told.c ---- */

/* An ask is being made; @h has its words, as far as they are known. */
void node_told_begin(
    struct ht_node *node, struct node_ask *ask, const struct ht_header *h);
/* It has become a record. */
void node_told_sent(struct node_ask *ask);
/* The answer's header, before it is judged. */
void node_told_answer(const struct ht_node *node, struct node_ask *ask,
    const struct ht_header *answer);
void node_told_asked(struct ht_node *node, const struct node_ask *ask,
    const struct ht_asked *asked);
void node_told_served(struct ht_node *node, const struct node_call *call,
    unsigned answer, struct ht_slice released,
    const struct ht_reasons *reasons);
enum ht_err node_told_sweep(struct ht_node *node);
/* Make durable what no turn has. */
void node_told_close(struct ht_node *node);

/* ---- node_room.c ---- */

/* The asker has no room for one more answer: say so, and to the operator. */
void node_no_room(
    struct ht_node *node, struct ht_slice asker, struct ht_reasons *reasons);
/* The disk is full, so nothing new is served; the operator has been told. */
bool node_disk_full(struct ht_node *node);
void node_no_disk(struct ht_reasons *reasons);

/* ---- node_serve.c ---- */

void node_delivered(struct ht_node *node, struct ht_slice frame);
/* What waited for a newer snapshot is looked at again. */
void node_unpark(struct ht_node *node);
/* Calls whose requests are over end without an answer. */
void node_serve_expire(struct ht_node *node, uint64_t now_ms);
void node_serve_fini(struct ht_node *node);

#endif
