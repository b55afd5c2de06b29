#include "broker/commit_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/log/rollback.h"
#include "broker/pipe.h"
#include "broker/replay.h"
#include "broker/reply.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"

#define JOBS_MAX      65536
#define GROUP_JOBS    1024
#define GROUP_ENTRIES 3072 /* and ends: below HT_GROUP_MAX */
#define GROUP_ENDS    512  /* requests that end by the clock, of one group */
#define TICK_MS       100
#define GATHER_US     300           /* for what is being verified already, */
#define GATHER_NAPS   6             /* at most so often */
#define BUSY_ENTRIES  HT_BUNDLE_MAX /* a group as large: more is on its way, */
#define BUSY_US       5000          /* and is worth so long a wait, */
#define BUSY_NAPS     4             /* and again while it comes, */
#define BUSY_ENOUGH   1024          /* until what a group costs is shared */
#define PARTED_US     2000000 /* clocks that part by more pause the exchange */
#define ROOM_MS       1000    /* between two looks at the disk, and the month */
#define FORGET_MS     100     /* between two times that rows go */
#define OUT_MAX       ((size_t)1 << 28)
#define OUT_FADE      64 /* groups until a large one is half forgotten */
#define PAYLOAD_MAX   1024

void
ht_out_free(struct ht_out **out_p)
{
	struct ht_out *out = HT_TAKE(*out_p);

	if (out == NULL)
		return;
	ht_buf_fini(&out->bytes);
	free(out);
}

/* Nothing of the group has left; a process that cannot write must not serve. */
static _Noreturn void
die(const char *what, enum ht_err err)
{
	ht_log(HT_ERROR,
	    "broker: %s: %s; nothing of this group was sent; "
	    "stopping now",
	    what, ht_err_text(err));
	_exit(HT_BROKER_STORE);
}

static void
must(enum ht_err err, const char *what)
{
	if (err != HT_OK)
		die(what, err);
}

/* ---- time ---- */

int64_t
ht_log_clock_read(
    struct ht_log_clock *clock, uint64_t wall_us, uint64_t boot_us, bool resume)
{
	int64_t gap = (int64_t)(wall_us - boot_us);
	int64_t apart = gap - clock->gap_us;
	uint64_t now_us = wall_us;

	if (resume) {
		clock->parted = false;
		clock->gap_us = gap;
	} else if (apart > PARTED_US || apart < -PARTED_US) {
		clock->parted = true;
	}
	if (clock->parted)
		now_us = boot_us + (uint64_t)clock->gap_us;
	if (now_us > clock->now_us)
		clock->now_us = now_us;
	return apart;
}

static void
read_clock(struct ht_committer *c)
{
	bool before = c->clock.parted, resume;
	int64_t apart;

	HT_ASSERT(pthread_mutex_lock(&c->lock) == 0);
	resume = c->resume;
	c->resume = false;
	HT_ASSERT(pthread_mutex_unlock(&c->lock) == 0);
	apart = ht_log_clock_read(
	    &c->clock, ht_clock_wall_us(), ht_clock_boot_us(), resume);
	if (c->clock.parted && !before)
		ht_log(HT_ERROR,
		    "broker: the wall clock leapt by %.1f s; nothing new is "
		    "admitted until an operator has looked at it: "
		    "hutong-broker ctl resume",
		    (double)apart / 1e6);
}

static uint64_t
now_ms(const struct ht_committer *c)
{
	return c->clock.now_us / 1000;
}

struct ht_admission
ht_admission(bool parted, bool held, uint64_t room, uint64_t reserve)
{
	struct ht_admission a = {.status = HT_ST_PAUSED, .why = ""};

	if (parted)
		a.why = "the exchange's clock leapt, and its operator must "
		        "look at it";
	else if (held)
		a.why = "the exchange's log was put back from a copy, and "
		        "witnesses have not vouched for it yet";
	else if (room < reserve)
		a.why = "the disk of the exchange's log is nearly full";
	else
		a.status = HT_ST_OK;
	a.answers = !parted && !held && room >= reserve / 8;
	return a;
}

static struct ht_admission
admission(const struct ht_committer *c)
{
	return ht_admission(c->clock.parted, atomic_load(&c->held), c->room,
	    c->conf.disk_reserve);
}

/*
 * What cannot be set aside is not there, whatever the file system says is
 * free.
 */
static void
look_at_disk(struct ht_committer *c)
{
	uint64_t mono = ht_clock_mono_ms(), before = c->room;
	uint64_t reserve = c->conf.disk_reserve;

	if (mono < c->room_at_ms)
		return;
	c->room_at_ms = mono + ROOM_MS;
	c->room = ht_log_set_aside(c->conf.log) ? ht_log_room(c->conf.log) : 0;
	if (c->room < reserve && before >= reserve)
		ht_log(HT_ERROR,
		    "broker: the log's disk has %llu MiB left, less than the "
		    "reserve of %llu MiB; nothing new is admitted until there "
		    "is room.  What is logged can be read",
		    (unsigned long long)(c->room >> 20),
		    (unsigned long long)(reserve >> 20));
	if (c->room >= reserve && before < reserve)
		ht_log(HT_INFO, "broker: the log's disk has room again");
}

/* ---- entries ---- */

static void
append(struct ht_committer *c, struct ht_entry *e)
{
	e->snapshot = c->snapshot;
	e->time_us = c->clock.now_us;
	must(ht_log_append(c->conf.log, e, NULL), "append an entry");
	c->clock.now_us = e->time_us;
	c->appended++;
}

/* The broker's own: the lane did not count it. */
static uint64_t
append_own(struct ht_committer *c, unsigned type, struct ht_slice payload)
{
	struct ht_entry e = {.type = type, .payload = payload};

	append(c, &e);
	ht_lane_skip(c->lane);
	return e.seq;
}

static void
append_record(struct ht_committer *c, const struct ht_act *act)
{
	const struct ht_parcel *parcel = act->parcel;
	const struct ht_bundle_record *r = &parcel->bundle.records[act->record];
	struct ht_entry e = {
	    .type = act->entry,
	    .status = act->status,
	    .grant = parcel->headers[act->record].grant,
	    .bundle_seq = act->first,
	    .bundle_index = (uint16_t)r->index,
	    .bundle_count = (uint16_t)parcel->bundle.count,
	    .member = ht_slice_str(parcel->conn->member),
	    .node = ht_slice_str(parcel->conn->node),
	    .cites = act->cites,
	    .payload = r->header,
	};

	/* What may be delivered is kept until then, and for the proof. */
	if (act->status == HT_ST_OK)
		must(ht_log_vault(c->conf.log, r->tag, r->body, &e),
		    "keep a body");
	append(c, &e);
	HT_ASSERT(e.seq == act->place);
}

static void
pack_payload(const struct ht_act *act, struct ht_buf *out)
{
	switch (act->entry) {
	case HT_ENTRY_EXPIRED:
		ht_pack_map(out, 2);
		ht_pack_cstr(out, "record");
		ht_pack_bin(out, act->id.at, sizeof(act->id.at));
		ht_pack_cstr(out, "sender");
		ht_pack_cstr(out, act->member);
		break;
	case HT_ENTRY_REFUSALS:
		ht_pack_map(out, 3);
		ht_pack_cstr(out, "count");
		ht_pack_uint(out, act->len);
		ht_pack_cstr(out, "from");
		ht_pack_uint(out, act->from_ms);
		ht_pack_cstr(out, "member");
		ht_pack_cstr(out, act->member);
		break;
	default:
		HT_ASSERT(act->entry == HT_ENTRY_REJECT);
		ht_pack_map(out, 2);
		ht_pack_cstr(out, "hash");
		ht_pack_bin(out, act->hash.at, sizeof(act->hash.at));
		ht_pack_cstr(out, "len");
		ht_pack_uint(out, act->len);
		break;
	}
}

static void
append_other(struct ht_committer *c, const struct ht_act *act)
{
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(PAYLOAD_MAX);
	bool refused = act->entry == HT_ENTRY_REJECT;
	struct ht_entry e = {
	    .type = act->entry,
	    .status = act->status,
	    .member = ht_slice_str(refused ? act->member : ""),
	    .node = ht_slice_str(refused ? act->node : ""),
	    .cites = act->cites,
	};

	pack_payload(act, &payload);
	must(payload.err, "pack a payload");
	e.payload = ht_buf_slice(&payload);
	append(c, &e);
	HT_ASSERT(e.seq == act->place);
}

/* The evidence of a bundle: its signature, and what has no entry as hashes. */
static void
append_bundle(struct ht_committer *c, const struct ht_parcel *parcel,
    uint64_t first, const uint32_t *kept, size_t n)
{
	static struct ht_bundle part; /* large; there is one committer */

	if (n == parcel->bundle.n_records) {
		must(ht_log_bundle(c->conf.log, first, &parcel->bundle),
		    "keep a bundle");
		return;
	}
	must(ht_bundle_part(&parcel->bundle, kept, n, &part), "part a bundle");
	must(ht_log_bundle(c->conf.log, first, &part), "keep a bundle");
}

/* Carry out the appends that the last event has added. */
static void
carry_out(struct ht_committer *c)
{
	const struct ht_parcel *parcel = NULL;
	uint32_t kept[HT_BUNDLE_MAX];
	uint64_t first = 0;
	size_t n_acts, n = 0;
	const struct ht_act *acts = ht_lane_acts(c->lane, &n_acts);

	for (; c->acts_done < n_acts; c->acts_done++) {
		const struct ht_act *act = &acts[c->acts_done];

		if (act->type != HT_ACT_APPEND)
			continue;
		if (act->parcel == NULL) {
			append_other(c, act);
			continue;
		}
		/* One event settles one parcel. */
		HT_ASSERT(parcel == NULL || parcel == act->parcel);
		parcel = act->parcel;
		first = act->first;
		append_record(c, act);
		kept[n++] = act->record;
	}
	if (parcel != NULL)
		append_bundle(c, parcel, first, kept, n);
}

static uint64_t
append_snapshot(struct ht_committer *c)
{
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(PAYLOAD_MAX);
	struct ht_hash note = ht_trust_current_hash(c->trust);

	ht_pack_map(&payload, 4);
	ht_pack_cstr(&payload, "hash");
	ht_pack_bin(&payload, c->snapshot.at, sizeof(c->snapshot.at));
	ht_pack_cstr(&payload, "issued");
	ht_pack_uint(&payload, ht_trust_issued_ms(c->trust));
	ht_pack_cstr(&payload, "note");
	ht_pack_bin(&payload, note.at, sizeof(note.at));
	ht_pack_cstr(&payload, "version");
	ht_pack_uint(&payload, ht_trust_version(c->trust));
	must(payload.err, "pack a payload");
	return append_own(c, HT_ENTRY_SNAPSHOT, ht_buf_slice(&payload));
}

static void
append_start(struct ht_committer *c)
{
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(PAYLOAD_MAX);
	uint8_t random[32];

	/* So that no two continuations of a copied log are alike. */
	ht_random(random, sizeof(random));
	ht_pack_map(&payload, 3);
	ht_pack_cstr(&payload, "host");
	ht_pack_cstr(&payload, c->conf.host);
	ht_pack_cstr(&payload, "random");
	ht_pack_bin(&payload, random, sizeof(random));
	ht_pack_cstr(&payload, "version");
	ht_pack_cstr(&payload, c->conf.version);
	must(payload.err, "pack a payload");
	(void)append_own(c, HT_ENTRY_START, ht_buf_slice(&payload));
}

static void
append_rollback(struct ht_committer *c)
{
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(HT_LEAF_MAX);

	must(ht_log_rollback_payload(c->conf.log, &payload), "pack a payload");
	(void)append_own(c, HT_ENTRY_ROLLBACK_SEEN, ht_buf_slice(&payload));
}

static void
append_stop(struct ht_committer *c, const char *reason)
{
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(PAYLOAD_MAX);

	ht_pack_map(&payload, 1);
	ht_pack_cstr(&payload, "reason");
	ht_pack_cstr(&payload, reason);
	must(payload.err, "pack a payload");
	(void)append_own(c, HT_ENTRY_STOP, ht_buf_slice(&payload));
}

/* ---- volumes ---- */

/* Nothing of the group may come before it. */
static enum ht_err
close_volume(struct ht_committer *c, uint64_t *ret_seq)
{
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(PAYLOAD_MAX);
	enum ht_err err = ht_log_volume(c->conf.log, &payload);

	if (err == HT_EINVALID || err == HT_ETOOBIG)
		return err;
	must(err, "close a volume");
	*ret_seq = append_own(c, HT_ENTRY_VOLUME, ht_buf_slice(&payload));
	ht_log(HT_INFO, "broker: entry %llu closes a volume",
	    (unsigned long long)*ret_seq);
	return HT_OK;
}

static void
say_full(struct ht_committer *c, enum ht_err err)
{
	if (err == HT_ETOOBIG && !c->volumes_full)
		ht_log(HT_WARN,
		    "broker: the open range is due, but there are as many "
		    "volumes as a log may have (%d): it stays open, its "
		    "entries in the database, and all goes on",
		    HT_VOLUMES_MAX);
	c->volumes_full = err == HT_ETOOBIG;
}

/* Closing wants room for the file; on a full disk it waits. */
static void
look_at_month(struct ht_committer *c)
{
	const struct ht_root *root = ht_trust_root(c->trust);
	uint64_t mono = ht_clock_mono_ms(), first_us, seq;
	struct ht_volumes_state open;

	if (mono < c->month_at_ms || admission(c).status != HT_ST_OK ||
	    (!c->conf.volumes.monthly && c->conf.volumes.entries == 0))
		return;
	c->month_at_ms = mono + ROOM_MS;
	must(ht_log_open_range(c->conf.log, &open, &first_us),
	    "read the open range");
	if (ht_volumes_due(&c->conf.volumes, &open, ht_log_size(c->conf.log),
	        first_us, c->clock.now_us, (int)(root->zone_ms / 60000)))
		say_full(c, close_volume(c, &seq));
}

/* Rows that a file has, some at a time: nobody waits long for them. */
static void
forget_rows(struct ht_committer *c)
{
	uint64_t mono = ht_clock_mono_ms();
	bool more;

	if (mono < c->forget_at_ms)
		return;
	c->forget_at_ms = mono + FORGET_MS;
	must(ht_log_forget(c->conf.log, &more), "delete rows of a volume");
}

/* ---- a group ---- */

static void
install(struct ht_committer *c, struct ht_trust *trust)
{
	ht_trust_unref(&c->trust);
	c->trust = ht_trust_ref(trust);
	c->snapshot = ht_trust_hash(trust);
	c->new_trust = true;
	ht_lane_zone(c->lane, ht_trust_root(trust)->zone_ms);
	/* For a fresher note on the same snapshot, too: it may suspend. */
	c->snapshot_place = append_snapshot(c);
}

static void end_group(struct ht_committer *c);

static void
handle(struct ht_committer *c, struct job *job)
{
	struct ht_lane *lane = c->lane;
	enum ht_err err = HT_OK;

	switch (job->type) {
	case JOB_PARCEL:
		err = ht_lane_parcel(lane, c->trust, job->parcel, now_ms(c));
		break;
	case JOB_REFUSED:
		err = ht_lane_refused(lane, job->member, job->node, &job->hash,
		    job->len, job->status, now_ms(c));
		break;
	case JOB_UP:
		err = ht_lane_up(lane, job->conn, now_ms(c));
		break;
	case JOB_DOWN:
		err = ht_lane_down(lane, job->conn, now_ms(c));
		break;
	case JOB_GOT:
		err = ht_lane_got(lane, job->conn, job->places, job->n_places);
		break;
	case JOB_ENTRY:
		for (size_t i = 0; i < job->n_payloads; i++)
			job->waiter->seq =
			    append_own(c, job->status, job->payloads[i]);
		break;
	case JOB_TRUST:
		install(c, job->trust);
		break;
	case JOB_COSIGNED:
		must(ht_log_cosign(
		         c->conf.log, job->len, ht_buf_slice(&job->note)),
		    "store a cosigned checkpoint");
		c->stored = true;
		break;
	case JOB_VOLUME:
		if (c->appended > 0)
			end_group(c);
		job->waiter->err = close_volume(c, &job->waiter->seq);
		break;
	case JOB_KEEP:
		job->waiter->err = ht_log_keep(c->conf.log, job->len);
		c->stored |= job->waiter->err == HT_OK;
		break;
	}
	must(err, "decide");
	carry_out(c);
}

static void
commit(struct ht_committer *c)
{
	uint64_t began = ht_clock_mono_ms();
	struct ht_slice note;

	if (c->appended > 0 || c->stored) {
		must(ht_log_commit(c->conf.log, &note), "commit");
		ht_buf_reset(&c->note);
		ht_buf_add(&c->note, note.at, note.len);
		must(c->note.err, "keep the checkpoint");
	}
	HT_ASSERT(pthread_mutex_lock(&c->lock) == 0);
	if (c->appended > 0) {
		c->stats.groups++;
		c->stats.commit_us += (ht_clock_mono_ms() - began) * 1000;
	}
	c->stats.size = ht_log_size(c->conf.log);
	c->stats.admission = admission(c);
	c->stats.room = c->room;
	ht_lane_stats(c->lane, &c->stats.lane);
	HT_ASSERT(pthread_mutex_unlock(&c->lock) == 0);
	/* Receipts between two bundles are no lull. */
	if (c->appended > 0)
		c->busy = c->appended >= BUSY_ENTRIES;
	c->appended = 0;
	c->stored = false;
	if (c->new_trust)
		ht_box_set(c->conf.box, c->trust, c->snapshot_place);
	c->new_trust = false;
}

/* One that was written, if there is: fresh memory costs more than copying. */
static struct ht_out *
new_out(struct ht_committer *c)
{
	struct ht_out *out;
	void *spare;

	if (ht_queue_pop(c->conf.spares, &spare, 1, 0) == 0)
		spare = calloc(1, sizeof(*out));
	out = spare;
	must(out != NULL ? HT_OK : HT_ENOMEM, "answer");
	out->refill = true;
	out->bytes.max = OUT_MAX;
	/* As long as large ones were: growing would copy it all again. */
	ht_buf_reset(&out->bytes);
	(void)ht_buf_room(&out->bytes, c->out_len);
	ht_buf_reset(&out->bytes);
	return out;
}

static void
send_out(struct ht_committer *c)
{
	unsigned generation = atomic_load(c->conf.generation);
	size_t n;
	const struct ht_act *acts = ht_lane_acts(c->lane, &n);
	struct ht_out *out;

	if (n == 0)
		return;
	out = new_out(c);
	out->generation = generation;
	must(ht_reply(c->replier, acts, n, ht_buf_slice(&c->note), generation,
	         &out->bytes),
	    "answer");
	c->out_len -= c->out_len / OUT_FADE;
	if (out->bytes.len > c->out_len)
		c->out_len = out->bytes.len;
	if (out->bytes.len == 0 ||
	    ht_queue_push(c->conf.outs, out, out->bytes.len) != HT_OK)
		/*
		 * A front that takes nothing: what it missed is asked for, or
		 * sent again, once the nodes have another.
		 */
		ht_out_free(&out);
}

/* Make it durable, and only then let it go. */
static void
end_group(struct ht_committer *c)
{
	commit(c);
	send_out(c);
	ht_lane_clear(c->lane);
	c->acts_done = 0;
}

static void
drop_all(struct ht_committer *c, struct job **jobs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (jobs[i]->waiter != NULL)
			jobs[i]->waiter->dropped = true;
		job_done(c, jobs[i]);
	}
}

/* Everything of a group between taking it and letting it go. */
static void
run_group(struct ht_committer *c, struct job **jobs, size_t n)
{
	if (atomic_load(&c->halted)) {
		drop_all(c, jobs, n);
		return;
	}
	read_clock(c);
	look_at_disk(c);
	ht_lane_admit(c->lane, admission(c));
	look_at_month(c);
	must(ht_lane_tick(c->lane, now_ms(c), GROUP_ENDS, &c->more), "decide");
	carry_out(c);
	for (size_t i = 0; i < n; i++) {
		/* A late answer may take two entries: its own, and the end of
		 * its request. */
		if (c->appended > HT_GROUP_MAX - 2 * HT_BUNDLE_MAX)
			end_group(c);
		handle(c, jobs[i]);
	}
	end_group(c);
	for (size_t i = 0; i < n; i++)
		job_done(c, jobs[i]);
	forget_rows(c);
}

/* Records that the jobs taken so far may need entries for. */
static size_t
entries_of(void *const *jobs, size_t n)
{
	size_t entries = 0;

	for (size_t i = 0; i < n; i++) {
		const struct job *job = jobs[i];

		if (job->parcel != NULL && job->parcel->n > 1)
			entries += job->parcel->n;
		else
			entries += job->n_payloads > 1 ? job->n_payloads : 1;
	}
	return entries;
}

/* As many more as surely fit, whatever they are. */
static size_t
take_more(struct ht_committer *c, void **jobs, size_t n, int wait_ms)
{
	size_t entries = entries_of(jobs, n);
	size_t room = entries < GROUP_ENTRIES
	                  ? (GROUP_ENTRIES - entries) / HT_BUNDLE_MAX
	                  : 0;

	if (room > GROUP_JOBS - n)
		room = GROUP_JOBS - n;
	return room == 0 ? 0 : ht_queue_pop(c->jobs, &jobs[n], room, wait_ms);
}

/* How many more came. */
static size_t
take_rest(struct ht_committer *c, void **jobs, size_t n)
{
	size_t from = n, more;

	while ((more = take_more(c, jobs, n, 0)) > 0)
		n += more;
	return n - from;
}

/*
 * The next group.  A lone bundle waits for nobody; where others are being
 * verified it waits a moment for them to share the cost of the commit (asleep:
 * to be woken by each would cost more than they save).  When whole bundles
 * come one after the other the next group waits longer, also for what has not
 * come yet, so that they share flushes, signature and the pages that every
 * commit writes; no longer than something comes.
 */
static size_t
gather(struct ht_committer *c, void **jobs, size_t n)
{
	size_t more = 1;

	for (int i = 0;
	     !c->busy && i < GATHER_NAPS && atomic_load(&c->expected) > 0; i++)
		(void)usleep(GATHER_US);
	for (int i = 0; c->busy && i < BUSY_NAPS && more > 0 &&
	                entries_of(jobs, n) < BUSY_ENOUGH;
	     i++) {
		(void)usleep(BUSY_US);
		more = take_rest(c, jobs, n);
		n += more;
	}
	return n + take_rest(c, jobs, n);
}

static size_t
take_group(struct ht_committer *c, void *jobs[static GROUP_JOBS])
{
	size_t n = take_more(c, jobs, 0, c->more ? 0 : TICK_MS);

	return n == 0 ? 0 : gather(c, jobs, n);
}

static void *
run(void *arg)
{
	struct ht_committer *c = arg;
	void *jobs[GROUP_JOBS];

	(void)pthread_setname_np(pthread_self(), "committer");
	for (;;) {
		size_t n = take_group(c, jobs);

		if (n == 0 && ht_queue_closed(c->jobs))
			return NULL;
		run_group(c, (struct job **)jobs, n);
	}
}

/* ---- beginning and end ---- */

static enum ht_err
open_parts(struct ht_committer *c)
{
	uint64_t last_us, n = 0;
	enum ht_err err = ht_replay_last(c->conf.log, &last_us);

	if (err != HT_OK)
		return err;
	c->clock.now_us = ht_clock_wall_us();
	if (last_us > c->clock.now_us + HT_SKEW_MS * 1000u)
		ht_log(HT_WARN,
		    "broker: the log's last entry is %.0f s ahead of the "
		    "clock; entries keep its time until the clock is there",
		    (double)(last_us - c->clock.now_us) / 1e6);
	if (last_us > c->clock.now_us)
		c->clock.now_us = last_us;
	err = ht_queue_new(JOBS_MAX, JOBS_MAX, false, &c->jobs);
	if (err == HT_OK)
		err = ht_replier_new(c->conf.log, &c->replier);
	if (err == HT_OK)
		err = ht_lane_new(&c->conf.lane, now_ms(c),
		    ht_log_next(c->conf.log), &c->lane);
	if (err == HT_OK)
		err = ht_replay(c->conf.log, c->trust, c->lane, now_ms(c), &n);
	if (err == HT_OK && n > 0)
		ht_log(HT_INFO, "broker: read %llu entries again",
		    (unsigned long long)n);
	return err;
}

static void
free_committer(struct ht_committer **committer_p)
{
	struct ht_committer *c = HT_TAKE(*committer_p);

	ht_queue_free(&c->jobs, job_drop);
	ht_lane_free(&c->lane);
	ht_replier_free(&c->replier);
	ht_trust_unref(&c->trust);
	ht_buf_fini(&c->note);
	HT_ASSERT(pthread_mutex_destroy(&c->lock) == 0);
	free(c);
}

enum ht_err
ht_committer_start(
    const struct ht_committer_conf *conf, struct ht_committer **ret)
{
	struct ht_committer *c = calloc(1, sizeof(*c));
	enum ht_err err;

	if (c == NULL)
		return HT_ENOMEM;
	c->conf = *conf;
	c->note = HT_BUF(65536);
	c->room = UINT64_MAX;
	c->clock.gap_us = (int64_t)(ht_clock_wall_us() - ht_clock_boot_us());
	c->trust = ht_box_get(conf->box, NULL);
	c->snapshot = ht_trust_hash(c->trust);
	HT_ASSERT(pthread_mutex_init(&c->lock, NULL) == 0);
	err = open_parts(c);
	if (err != HT_OK) {
		free_committer(&c);
		return err;
	}
	if (ht_log_behind(conf->log))
		append_rollback(c);
	append_start(c);
	c->snapshot_place = append_snapshot(c);
	c->new_trust = true;
	commit(c);
	/* For whoever asks before the thread has looked at the disk. */
	c->stats.room = ht_log_room(conf->log);
	c->stats.admission = ht_admission(
	    c->clock.parted, false, c->stats.room, conf->disk_reserve);
	if (pthread_create(&c->thread, NULL, run, c) != 0) {
		free_committer(&c);
		return HT_ESYSTEM;
	}
	*ret = c;
	return HT_OK;
}

void
ht_committer_stop(struct ht_committer **committer_p, const char *reason)
{
	struct ht_committer *c = *committer_p;

	if (c == NULL)
		return;
	ht_queue_close(c->jobs);
	HT_ASSERT(pthread_join(c->thread, NULL) == 0);
	if (!atomic_load(&c->halted)) {
		append_stop(c, reason);
		commit(c);
	}
	free_committer(committer_p);
}
