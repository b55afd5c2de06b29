/*
 * fetch.c -- snapshots for nodes, page by page; and what one node may ask for.
 *
 * Two accounts: all of a catalog, which is a hundred MiB, is paid from one, and
 * what changed in it, with all else, from the other.  Who has just fetched all
 * of it still hears at once of the grant that ended since.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/core_in.h"
#include "lib/base/clock.h"

/* What one user may have answered at once, and then every millisecond. */
#define TOLD_MAX    ((uint64_t)16 << 20)
#define TOLD_PER_MS ((uint64_t)4096)
#define RETRY_MIN   50
#define RETRY_MAX   5000
#define DOCS_BYTES  (HT_FRAME_MAX - 65536) /* of documents, in one answer */
#define READING_MS                                                             \
	60000 /* between two pages of a snapshot that was replaced             \
	       */

/* ---- accounts ---- */

/* NULL: out of memory.  It outlives connections, or a new one would be free. */
struct told *
fetch_told(struct core *core, struct ht_slice user)
{
	struct told *told = ht_map_get(core->told, user);

	if (told != NULL)
		return told;
	told = calloc(1, sizeof(*told));
	if (told == NULL)
		return NULL;
	told->whole.per_ms = core->conf->fetch_rate / 1000;
	told->other.per_ms = TOLD_PER_MS;
	if (ht_map_put(core->told, user, told, NULL) == HT_OK)
		return told;
	free(told);
	return NULL;
}

/* The snapshot that is asked for; NULL: it is not served. */
static struct ht_trust *
asked_for(struct core *core, struct told *told, uint64_t *ret_place)
{
	uint64_t asked = core->m.get_snapshot.version;
	struct ht_trust *trust = ht_box_get(&core->box, ret_place);

	if (asked == 0 || asked == ht_trust_version(trust))
		return trust;
	ht_trust_unref(&trust);
	if (told->reading == NULL || asked != ht_trust_version(told->reading))
		return NULL;
	*ret_place = told->place;
	return ht_trust_ref(told->reading);
}

struct account *
fetch_account(struct core *core, struct told *told)
{
	HT_AUTO(ht_trust_unref) struct ht_trust *trust = NULL;
	uint64_t place;

	if (core->m.type != HT_MSG_GET_SNAPSHOT)
		return &told->other;
	trust = asked_for(core, told, &place);
	return trust != NULL &&
	               ht_trust_since(trust, core->m.get_snapshot.have) == 0
	           ? &told->whole
	           : &told->other;
}

/*
 * A short question, HELLO too, may have a long answer.  Who asks faster than
 * it may is told when to go on; who does not wait is not answered, so that it
 * can fill no queue.
 */
bool
fetch_may(struct core *core, const struct ht_pipe_msg *msg, struct account *at)
{
	uint64_t now = ht_clock_mono_ms();
	uint64_t forgotten = (now - at->at_ms) * at->per_ms, wait_ms;

	at->bytes = at->bytes > forgotten ? at->bytes - forgotten : 0;
	at->at_ms = now;
	if (at->bytes < TOLD_MAX && !link_full(core))
		return true;
	core->busy++;
	if (at->bytes >= 2 * TOLD_MAX)
		return false;
	wait_ms = at->bytes < TOLD_MAX
	              ? RETRY_MIN
	              : (at->bytes - TOLD_MAX) / at->per_ms + RETRY_MIN;
	talk_error(core, msg->handle, core->m.ref, HT_ST_BUSY,
	    wait_ms < RETRY_MAX ? (uint32_t)wait_ms : RETRY_MAX,
	    "too much was asked for at once");
	return false;
}

void
fetch_told_free(void *value)
{
	struct told *told = value;

	ht_trust_unref(&told->reading);
	free(told);
}

/* Who has broken off reads no further. */
void
fetch_sweep(struct core *core, uint64_t now_ms)
{
	struct ht_slice user;
	size_t at = 0;
	void *value;

	while (ht_map_next(core->told, &at, &user, &value)) {
		struct told *told = value;

		if (now_ms - told->read_ms > READING_MS)
			ht_trust_unref(&told->reading);
	}
}

/* ---- pages ---- */

/* As many documents from the offset on as one message holds. */
static void
put_docs(struct ht_message *m, const struct ht_trust *trust)
{
	size_t bytes = m->snapshot.gone.len;
	size_t at = (size_t)m->snapshot.offset;
	struct ht_slice line, note;

	while (
	    m->snapshot.n_docs < HT_DOCS_MAX &&
	    ht_trust_next_since(trust, m->snapshot.since, &at, &line, &note)) {
		bytes += line.len + note.len + 16;
		if (bytes > DOCS_BYTES)
			break;
		m->snapshot.lines[m->snapshot.n_docs] = line;
		m->snapshot.docs[m->snapshot.n_docs++] = note;
	}
}

/* What who has @have lacks, from @offset on. */
static void
put_news(struct ht_message *m, const struct ht_trust *trust, uint64_t have,
    uint64_t offset, struct ht_buf *gone)
{
	m->type = HT_MSG_SNAPSHOT;
	m->snapshot.version = ht_trust_version(trust);
	m->snapshot.since = ht_trust_since(trust, have);
	m->snapshot.offset = offset;
	m->snapshot.total = ht_trust_n_since(trust, m->snapshot.since);
	m->snapshot.note = ht_trust_snapshot(trust);
	if (offset == 0)
		ht_trust_gone_since(trust, m->snapshot.since, gone);
	m->snapshot.gone = ht_buf_slice(gone);
	m->snapshot.n_docs = 0;
	m->snapshot.current = ht_trust_current(trust);
	put_docs(m, trust);
}

/*
 * Who is in the middle of one goes on with it, also when another has come into
 * force: it has what it fetched, and asks for what changed since afterwards.
 */
static void
note_reading(struct core *core, struct told *told, struct ht_trust *trust,
    uint64_t place)
{
	const struct ht_message *m = &core->m;
	bool more = m->snapshot.offset + m->snapshot.n_docs < m->snapshot.total;

	told->read_ms = ht_clock_mono_ms();
	if (told->reading != trust)
		ht_trust_unref(&told->reading);
	if (!more)
		ht_trust_unref(&told->reading);
	else if (told->reading == NULL)
		told->reading = ht_trust_ref(trust);
	told->place = place;
}

void
fetch_snapshot(struct core *core, const struct ht_conn *conn, struct told *told)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(65536);
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf gone = HT_BUF(HT_GONE_MAX);
	HT_AUTO(ht_trust_unref) struct ht_trust *trust = NULL;
	struct ht_slice handle = HT_SLICE(conn->handle, conn->handle_len);
	struct ht_message *m = &core->m;
	uint64_t size = 0, place = 0;

	trust = asked_for(core, told, &place);
	if (trust == NULL) {
		talk_error(core, handle, m->ref, HT_ST_MALFORMED, 0,
		    "only the snapshot in force is served: ask for 0");
		return;
	}
	put_news(m, trust, m->get_snapshot.have, m->get_snapshot.offset, &gone);
	m->snapshot.place = place;
	if (gone.err != HT_OK || talk_note(core, &note, &size) != HT_OK ||
	    ht_log_read(core->log, place, &leaf) != HT_OK ||
	    ht_log_inclusion(core->log, place, size, m->snapshot.path,
	        &m->snapshot.n_path) != HT_OK ||
	    (m->snapshot.n_docs == 0 &&
	        m->snapshot.offset < m->snapshot.total)) {
		talk_error(core, handle, m->ref, HT_ST_INTERNAL, 0,
		    "the snapshot cannot be shown");
		return;
	}
	m->snapshot.leaf = ht_buf_slice(&leaf);
	m->snapshot.checkpoint = ht_buf_slice(&note);
	note_reading(core, told, trust, place);
	link_send(core, handle);
}
