/*
 * talk.c -- messages of nodes.  Bundles go to the verifiers; the rest is
 * answered here, from the log and the trust in force.
 *
 * A connection exists for us from its HELLO on.  Whose it is, ZAP has said
 * with every frame: a handle that turns up with another name is another
 * connection.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/core_in.h"
#include "keys/proof.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define SILENT_MS     60000 /* a node sends something every 15 s */
#define SWEEP_MS      5000
#define IN_FLIGHT_MAX 256 /* bundles of a connection: one cannot starve all */
#define RETRY_MS      250
#define HELLO_COST    16384 /* bytes: it makes the committer work, too */
#define OTHER_MAX     65536 /* bytes of a message that is no bundle */

void
talk_error(struct core *core, struct ht_slice handle, uint64_t ref,
    unsigned status, uint32_t retry_ms, const char *detail)
{
	struct ht_message *m = &core->m;

	m->type = HT_MSG_ERROR;
	m->ref = ref;
	m->error.reason.code = status;
	snprintf(m->error.reason.detail, sizeof(m->error.reason.detail), "%s",
	    detail);
	m->error.retry_ms = retry_ms;
	link_send(core, handle);
}

/* ---- connections ---- */

static void
down(struct core *core, struct ht_conn *conn)
{
	if (ht_committer_down(core->committer, conn) != HT_OK)
		core->busy++;
	if (ht_map_get(core->newest, ht_slice_str(conn->user)) != conn)
		return;
	(void)ht_map_del(core->newest, ht_slice_str(conn->user));
	cosign_lost(core, conn->user);
}

static void
forget(struct core *core, struct ht_conn *conn)
{
	struct ht_conn *known =
	    ht_map_del(core->conns, HT_SLICE(conn->handle, conn->handle_len));

	down(core, known);
	ht_conn_unref(&known);
}

void
talk_lost(struct core *core, struct ht_slice handle)
{
	struct ht_conn *conn = ht_map_get(core->conns, handle);

	if (conn != NULL)
		forget(core, conn);
}

/* Those that @which says; the map does not like to change while walked. */
static void
forget_each(struct core *core,
    bool (*which)(struct core *core, const struct ht_conn *conn))
{
	bool again = true;

	while (again) {
		struct ht_conn *found[64];
		struct ht_slice handle;
		size_t at = 0, n = 0;
		void *value;

		while (n < HT_COUNT(found) &&
		       ht_map_next(core->conns, &at, &handle, &value))
			if (which(core, value))
				found[n++] = value;
		again = n == HT_COUNT(found);
		for (size_t i = 0; i < n; i++)
			forget(core, found[i]);
	}
}

static bool
every(struct core *core, const struct ht_conn *conn)
{
	(void)core;
	(void)conn;
	return true;
}

static bool
gone_or_silent(struct core *core, const struct ht_conn *conn)
{
	return ht_clock_mono_ms() - conn->heard_ms > SILENT_MS ||
	       ht_map_get(core->admitted, ht_slice_str(conn->user)) == NULL;
}

void
talk_lost_all(struct core *core)
{
	forget_each(core, every);
}

void
talk_sweep(struct core *core, uint64_t now_ms)
{
	if (now_ms < core->sweep_ms)
		return;
	core->sweep_ms = now_ms + SWEEP_MS;
	fetch_sweep(core, now_ms);
	forget_each(core, gone_or_silent);
}

void
talk_notice(struct core *core)
{
	struct ht_slice handle;
	size_t at = 0;
	void *value;

	/* Whose key is no longer admitted hears nothing more. */
	forget_each(core, gone_or_silent);
	while (ht_map_next(core->conns, &at, &handle, &value)) {
		struct ht_trust *trust = ht_box_get(&core->box, NULL);

		core->m.type = HT_MSG_NOTICE;
		core->m.ref = 0;
		core->m.notice.snapshot = ht_trust_version(trust);
		ht_trust_unref(&trust);
		link_send(core, handle);
	}
}

/* ---- HELLO ---- */

enum ht_err
talk_note(struct core *core, struct ht_buf *note, uint64_t *ret_size)
{
	struct ht_note parsed;
	struct ht_checkpoint cp;
	enum ht_err err = ht_log_checkpoint(core->log, note);

	if (err == HT_OK)
		err = ht_note_parse(ht_buf_slice(note), &parsed);
	if (err == HT_OK)
		err = ht_checkpoint_parse(parsed.text, &cp);
	if (err == HT_OK)
		*ret_size = cp.size;
	return err;
}

/*
 * A checkpoint with our signature that we do not have: this log is an older
 * copy, or another.  Going on would make two histories.
 */
static void
stop_behind(struct core *core, const char *user,
    const struct ht_checkpoint *seen, uint64_t size)
{
	ht_log(HT_ERROR,
	    "broker: %s has seen a checkpoint of ours of %llu entries that "
	    "this log of %llu entries does not continue: it was rolled back "
	    "or replaced. Stopping, and nothing more is written; restore the "
	    "newest copy of the log, or see ROLLBACK in hutong-broker(8)",
	    user, (unsigned long long)seen->size, (unsigned long long)size);
	ht_committer_halt(core->committer);
	core_stop(core, HT_BROKER_INTEGRITY, "rollback seen");
}

enum talk_seen
talk_continues(struct core *core, const char *user, struct ht_slice seen_note)
{
	struct ht_checkpoint seen;
	struct ht_hash root;
	uint64_t size = ht_log_size(core->log);

	if (ht_checkpoint_open(seen_note, &core->root.log, &seen) != HT_OK)
		return TALK_NONE;
	if (seen.size == 0)
		return TALK_CONTINUED;
	if (seen.size <= size &&
	    ht_log_root(core->log, seen.size, &root) == HT_OK &&
	    ht_hash_eq(&root, &seen.root))
		return TALK_CONTINUED;
	/* The operator has answered for what stood up to there. */
	if (seen.size <= core->rolled.anchor) {
		ht_log(HT_WARN,
		    "broker: %s has seen %llu entries of the log that was "
		    "given up at entry %llu; it must be told by its operator "
		    "what to do",
		    user, (unsigned long long)seen.size,
		    (unsigned long long)core->rolled.place);
		return TALK_GIVEN_UP;
	}
	if (ht_log_keep_ahead(core->log, seen_note) != HT_OK)
		ht_log(HT_ERROR, "broker: that checkpoint could not be kept");
	stop_behind(core, user, &seen, size);
	return TALK_BEHIND;
}

/* False: answered already, or stopping. */
static bool
prove_continuation(struct core *core, const struct ht_conn *conn,
    struct ht_slice seen_note, uint64_t size, uint64_t ref)
{
	struct ht_message *m = &core->m;
	struct ht_checkpoint seen;

	m->welcome.n_path = 0;
	if (seen_note.len == 0)
		return true;
	if (ht_checkpoint_open(seen_note, &core->root.log, &seen) != HT_OK) {
		talk_error(core, HT_SLICE(conn->handle, conn->handle_len), ref,
		    HT_ST_MALFORMED, 0,
		    "the checkpoint is not one of this log's");
		return false;
	}
	switch (talk_continues(core, conn->user, seen_note)) {
	case TALK_CONTINUED:
		break;
	case TALK_GIVEN_UP:
		talk_error(core, HT_SLICE(conn->handle, conn->handle_len), ref,
		    HT_ST_ROLLED_BACK, 0, "");
		return false;
	default:
		return false;
	}
	if (seen.size == 0)
		return true;
	/* Committed since the note was read: the proof is of the note. */
	if (seen.size >= size)
		return true;
	return ht_log_consistency(core->log, seen.size, size, m->welcome.path,
	           &m->welcome.n_path) == HT_OK;
}

static void
welcome(struct core *core, const struct ht_conn *conn, uint64_t ref,
    struct ht_slice seen_note)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(65536);
	HT_AUTO(ht_buf_fini) struct ht_buf seen = HT_BUF(65536);
	struct ht_trust *trust;
	struct ht_message *m = &core->m;
	uint64_t size = 0;

	/* HELLO stands in the union that WELCOME will fill. */
	ht_buf_add(&seen, seen_note.at, seen_note.len);
	if (seen.err != HT_OK || talk_note(core, &note, &size) != HT_OK) {
		ht_log(HT_ERROR, "broker: no checkpoint to show");
		return;
	}
	if (!prove_continuation(core, conn, ht_buf_slice(&seen), size, ref))
		return;
	trust = ht_box_get(&core->box, NULL);
	m->type = HT_MSG_WELCOME;
	m->ref = ref;
	m->welcome.version = HT_PROTOCOL;
	m->welcome.checkpoint = ht_buf_slice(&note);
	m->welcome.snapshot = ht_trust_version(trust);
	m->welcome.current = ht_trust_current(trust);
	m->welcome.time_ms = ht_clock_wall_ms();
	m->welcome.body = HT_BODY_MAX;
	m->welcome.bundle = HT_BUNDLE_MAX;
	m->welcome.frame = HT_FRAME_MAX;
	m->welcome.life_ms = HT_LIFE_MS;
	m->welcome.skew_ms = HT_SKEW_MS;
	link_send(core, HT_SLICE(conn->handle, conn->handle_len));
	ht_trust_unref(&trust);
}

static bool
speaks(const struct ht_message *m)
{
	for (unsigned i = 0; i < m->hello.n_versions; i++)
		if (m->hello.versions[i] == HT_PROTOCOL)
			return true;
	return false;
}

/* One connection of a key at a time: the newest. */
static enum ht_err
install(struct core *core, struct ht_conn *conn)
{
	struct ht_slice handle = HT_SLICE(conn->handle, conn->handle_len);
	struct ht_conn *old =
	    ht_map_get(core->newest, ht_slice_str(conn->user));
	enum ht_err err;

	if (old != NULL)
		forget(core, old);
	talk_lost(core, handle);
	err = ht_map_put(core->conns, handle, ht_conn_ref(conn), NULL);
	if (err == HT_OK)
		err = ht_map_put(
		    core->newest, ht_slice_str(conn->user), conn, NULL);
	return err;
}

static void
hello(struct core *core, const struct ht_pipe_msg *msg)
{
	struct ht_message *m = &core->m;
	struct ht_slice seen = m->hello.checkpoint;
	uint64_t ref = m->ref;
	struct ht_conn *conn =
	    ht_conn_new(msg->generation, msg->handle, msg->user);
	char name[HT_NAME_MAX + HT_NODE_MAX + 2];

	if (conn == NULL)
		return;
	core->hellos++;
	snprintf(name, sizeof(name), "%s/%s", conn->member, conn->node);
	if (!ht_slice_is(m->hello.node, name)) {
		talk_error(core, msg->handle, ref, HT_ST_NOT_SENDER, 0, name);
	} else if (!speaks(m)) {
		talk_error(core, msg->handle, ref, HT_ST_VERSION, 0,
		    "version 1 is spoken here");
	} else {
		conn->proofs = m->hello.proofs;
		conn->serves = m->hello.serves;
		conn->heard_ms = ht_clock_mono_ms();
		/* WELCOME goes before what waits for the node. */
		welcome(core, conn, ref, seen);
		if (core->m.type == HT_MSG_WELCOME &&
		    (install(core, conn) != HT_OK ||
		        ht_committer_up(core->committer, conn) != HT_OK))
			talk_error(core, msg->handle, 0, HT_ST_BUSY, RETRY_MS,
			    "say HELLO again");
	}
	ht_conn_unref(&conn);
}

/* ---- questions ---- */

static void
get_proof(struct core *core, const struct ht_conn *conn)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(65536);
	HT_AUTO(ht_buf_fini) struct ht_buf row = HT_BUF(HT_PROOF_EXTRA_MAX);
	struct ht_slice handle = HT_SLICE(conn->handle, conn->handle_len);
	struct ht_message *m = &core->m;
	uint64_t place = m->get_proof.place, asked = m->get_proof.size;
	uint64_t size = 0;

	if (talk_note(core, &note, &size) != HT_OK || asked > size ||
	    place >= (asked != 0 ? asked : size) ||
	    ht_log_inclusion(core->log, place, asked != 0 ? asked : size,
	        m->proof.path, &m->proof.n_path) != HT_OK) {
		talk_error(core, handle, m->ref, HT_ST_MALFORMED, 0,
		    "no such place in a tree of that size");
		return;
	}
	if (proving_row(core, conn->member, place, &row) != HT_OK) {
		talk_error(core, handle, m->ref, HT_ST_INTERNAL, 0,
		    "the entry cannot be read");
		return;
	}
	m->type = HT_MSG_PROOF;
	m->proof.place = place;
	m->proof.row = ht_buf_slice(&row);
	m->proof.checkpoint = ht_buf_slice(&note);
	link_send(core, handle);
}

static void
get_consistency(struct core *core, const struct ht_conn *conn)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(65536);
	struct ht_slice handle = HT_SLICE(conn->handle, conn->handle_len);
	struct ht_message *m = &core->m;
	uint64_t from = m->get_consistency.old_size;
	uint64_t to = m->get_consistency.new_size, size = 0;

	if (talk_note(core, &note, &size) != HT_OK)
		to = 0;
	else if (to == 0)
		to = size;
	if (from == 0 || from > to || to > size ||
	    ht_log_consistency(core->log, from, to, m->consistency.path,
	        &m->consistency.n_path) != HT_OK) {
		talk_error(core, handle, m->ref, HT_ST_MALFORMED, 0,
		    "sizes must be 0 < old <= new <= the log's");
		return;
	}
	m->type = HT_MSG_CONSISTENCY;
	m->consistency.checkpoint = ht_buf_slice(&note);
	link_send(core, handle);
}

static void
got(struct core *core, struct ht_conn *conn)
{
	/* Refused, it comes again: those records are sent once more. */
	if (ht_committer_got(core->committer, conn, core->m.got.places,
	        core->m.got.n_places) != HT_OK)
		core->busy++;
}

static void
pong(struct core *core, struct ht_slice handle)
{
	core->m.type = HT_MSG_PONG;
	core->m.pong.time_ms = ht_clock_wall_ms();
	link_send(core, handle);
}

/* ---- frames ---- */

static void
credit(struct core *core, size_t len)
{
	atomic_fetch_add(&core->credit, len);
}

static void
bundle(struct core *core, struct ht_conn *conn, struct ht_slice frame)
{
	struct ht_parcel *parcel = NULL;
	struct ht_slice handle = HT_SLICE(conn->handle, conn->handle_len);
	struct ht_unpack u;
	uint64_t ref = 0;

	if (atomic_load(&conn->in_flight) < IN_FLIGHT_MAX)
		parcel = ht_parcel_new(conn, frame);
	if (parcel != NULL) {
		atomic_fetch_add(&conn->in_flight, 1);
		if (ht_verifier_push(core->verifier, &parcel) == HT_OK)
			return; /* the committer gives its credit back */
		atomic_fetch_sub(&conn->in_flight, 1);
		ht_parcel_free(&parcel);
	}
	credit(core, frame.len);
	core->busy++;
	/* The ref is worth the look: the sender waits for this answer. */
	if (ht_pack_check(frame, NULL, NULL) == HT_OK) {
		u = ht_unpack(frame);
		ht_unpack_array_of(&u, 4);
		(void)ht_unpack_uint(&u, UINT64_MAX);
		(void)ht_unpack_uint(&u, UINT64_MAX);
		ref = ht_unpack_uint(&u, UINT64_MAX);
	}
	talk_error(core, handle, ref, HT_ST_BUSY, RETRY_MS,
	    "too many bundles of this node are being worked on");
}

static void
refuse(struct core *core, const struct ht_pipe_msg *msg, unsigned status,
    const char *detail)
{
	struct ht_hash hash = ht_sha256(msg->body);
	struct ht_slice member, node, key;
	char member_text[HT_NAME_MAX + 1], node_text[HT_NODE_MAX + 1];

	talk_error(core, msg->handle, 0, status, 0, detail);
	if (!ht_user_split(msg->user, &member, &node, &key))
		return;
	snprintf(member_text, sizeof(member_text), "%.*s", (int)member.len,
	    (const char *)member.at);
	snprintf(node_text, sizeof(node_text), "%.*s", (int)node.len,
	    (const char *)node.at);
	if (ht_committer_refused(core->committer, member_text, node_text, &hash,
	        msg->body.len, status) != HT_OK)
		core->busy++;
}

static void
other(struct core *core, struct ht_conn *conn, const struct ht_pipe_msg *msg,
    struct told *told)
{
	switch (core->m.type) {
	case HT_MSG_PING:
		pong(core, msg->handle);
		break;
	case HT_MSG_GET_SNAPSHOT:
		fetch_snapshot(core, conn, told);
		break;
	case HT_MSG_GET_PROOF:
		get_proof(core, conn);
		break;
	case HT_MSG_GET_CONSISTENCY:
		get_consistency(core, conn);
		break;
	case HT_MSG_COSIGN:
		cosign_answer(core, conn);
		break;
	default:
		refuse(core, msg, HT_ST_UNKNOWN_TYPE,
		    "that message goes from the broker to a node");
		break;
	}
}

static void
question(struct core *core, struct ht_conn *conn, const struct ht_pipe_msg *msg)
{
	struct told *told = fetch_told(core, msg->user);
	uint64_t before = core->link.said;
	struct account *account;

	if (told == NULL)
		return;
	account = fetch_account(core, told);
	if (core->m.type == HT_MSG_GOT) {
		got(core, conn);
	} else if (!fetch_may(core, msg, account)) {
		; /* said so already */
	} else if (core->m.type == HT_MSG_HELLO) {
		account->bytes += HELLO_COST;
		hello(core, msg);
	} else {
		other(core, conn, msg, told);
	}
	account->bytes += core->link.said - before;
}

static void
decoded(struct core *core, struct ht_conn *conn, const struct ht_pipe_msg *msg)
{
	char detail[160];
	const char *why = "";
	size_t at = 0;
	enum ht_err err;

	if (msg->body.len > OTHER_MAX) {
		refuse(core, msg, HT_ST_TOO_BIG, "only a BUNDLE is so large");
		return;
	}
	err = ht_message_decode(msg->body, &core->m, &at, &why);
	if (err != HT_OK) {
		snprintf(detail, sizeof(detail), "offset %zu: %s", at, why);
		refuse(core, msg, ht_decode_status(err), detail);
	} else if (conn == NULL && core->m.type != HT_MSG_HELLO) {
		talk_error(core, msg->handle, core->m.ref, HT_ST_HELLO_FIRST, 0,
		    "this connection has not said it");
	} else {
		question(core, conn, msg);
	}
}

/* [1, BUNDLE, ...: told from the rest without reading on. */
static bool
is_bundle(struct ht_slice frame)
{
	return frame.len > 3 && frame.at[1] == HT_PROTOCOL &&
	       frame.at[2] == HT_MSG_BUNDLE;
}

void
talk_frame(struct core *core, const struct ht_pipe_msg *msg)
{
	struct ht_conn *conn = ht_map_get(core->conns, msg->handle);

	/* A handle may be chosen by a client; a name may not. */
	if (conn != NULL && !ht_slice_is(msg->user, conn->user)) {
		forget(core, conn);
		conn = NULL;
	}
	if (conn != NULL)
		conn->heard_ms = ht_clock_mono_ms();
	if (ht_map_get(core->admitted, msg->user) == NULL) {
		credit(core, msg->body.len);
		refuse(core, msg, HT_ST_KEY_REVOKED,
		    "the transport key is no longer admitted");
	} else if (conn != NULL && is_bundle(msg->body)) {
		bundle(core, conn, msg->body);
	} else if (is_bundle(msg->body)) {
		credit(core, msg->body.len);
		talk_error(core, msg->handle, 0, HT_ST_HELLO_FIRST, 0,
		    "this connection has not said it");
	} else {
		credit(core, msg->body.len);
		decoded(core, conn, msg);
	}
}

void
talk_parts(struct core *core, const struct ht_pipe_msg *msg)
{
	core->parts++;
	refuse(core, msg, HT_ST_MALFORMED,
	    "a message has one frame; one with several came");
}
