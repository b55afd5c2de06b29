#include "broker/replay.h"

#include "lib/base/limits.h"

/* How far the ends of requests may have lagged behind the clock. */
#define LAG_MS   300000u
#define LEAF_MAX 2048

/* Slices of *ret point into @leaf, which is emptied first. */
static enum ht_err
read_entry(
    struct ht_log *log, uint64_t seq, struct ht_buf *leaf, struct ht_entry *ret)
{
	enum ht_err err;

	ht_buf_reset(leaf);
	err = ht_log_read(log, seq, leaf);
	return err == HT_OK ? ht_entry_decode(ht_buf_slice(leaf), ret) : err;
}

static enum ht_err
time_of(struct ht_log *log, uint64_t seq, uint64_t *ret_us)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(LEAF_MAX);
	struct ht_entry e;
	enum ht_err err = read_entry(log, seq, &leaf, &e);

	if (err == HT_OK)
		*ret_us = e.time_us;
	return err;
}

enum ht_err
ht_replay_last(struct ht_log *log, uint64_t *ret_us)
{
	uint64_t size = ht_log_size(log);

	*ret_us = 0;
	return size == 0 ? HT_OK : time_of(log, size - 1, ret_us);
}

/* The first entry not before @from_ms: times never fall. */
static enum ht_err
find_from(struct ht_log *log, uint64_t from_ms, uint64_t *ret)
{
	uint64_t low = ht_log_begin(log), high = ht_log_size(log);

	while (low < high) {
		uint64_t mid = low + (high - low) / 2, us;
		enum ht_err err = time_of(log, mid, &us);

		if (err != HT_OK)
			return err;
		if (us / 1000 < from_ms)
			low = mid + 1;
		else
			high = mid;
	}
	*ret = low;
	return HT_OK;
}

/* ---- the snapshot in force ---- */

/*
 * map {"hash": bin 32, "issued": int, "note": bin 32, "version": int}, and
 * without the two in the middle in logs of before.
 */
static enum ht_err
unpack_snapshot(const struct ht_entry *e, struct ht_replay_snapshot *ret)
{
	struct ht_unpack u = ht_unpack(e->payload);
	uint32_t n = ht_unpack_map(&u, 4);
	struct ht_hash note;

	ht_unpack_demand(&u, n == 2 || n == 4);
	ht_unpack_key(&u, "hash");
	ht_unpack_fixed(&u, ret->hash.at, sizeof(ret->hash.at));
	ret->issued_ms = 0;
	ret->issued_place = e->seq;
	if (n == 4) {
		ht_unpack_key(&u, "issued");
		ret->issued_ms = ht_unpack_uint(&u, UINT64_MAX);
		ht_unpack_key(&u, "note");
		ht_unpack_fixed(&u, note.at, sizeof(note.at));
	}
	ht_unpack_key(&u, "version");
	ret->version = ht_unpack_uint(&u, UINT64_MAX);
	ret->place = e->seq;
	return ht_unpack_end(&u);
}

/*
 * The first of the entries that are under the same snapshot as the last.  If
 * that snapshot had been in force before, and another in between, it may be
 * the first of an earlier time of its: they all begin alike.
 */
static enum ht_err
find_under(struct ht_log *log, const struct ht_hash *snapshot, uint64_t last,
    uint64_t *ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(LEAF_MAX);
	uint64_t low = ht_log_begin(log), high = last;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;
		struct ht_entry e;
		enum ht_err err = read_entry(log, mid, &leaf, &e);

		if (err != HT_OK)
			return err;
		if (ht_hash_eq(&e.snapshot, snapshot))
			high = mid;
		else
			low = mid + 1;
	}
	*ret = low;
	return HT_OK;
}

/*
 * Notes on one snapshot are many, each with an entry; the log says which is
 * the last.  What another version of ours wrote since is not in it: then the
 * time is not known, and the snapshot is.
 */
static enum ht_err
find_issued(struct ht_log *log, struct ht_replay_snapshot *ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(LEAF_MAX);
	struct ht_replay_snapshot last;
	struct ht_entry e;
	uint64_t at;
	enum ht_err err = ht_log_last_snapshot(log, &at);

	ret->issued_ms = 0;
	if (err == HT_ENOTFOUND)
		return HT_OK;
	if (err == HT_OK)
		err = read_entry(log, at, &leaf, &e);
	if (err != HT_OK)
		return err;
	if (e.type != HT_ENTRY_SNAPSHOT || unpack_snapshot(&e, &last) != HT_OK)
		return HT_EINTEGRITY;
	if (!ht_hash_eq(&last.hash, &ret->hash))
		return HT_OK;
	ret->issued_ms = last.issued_ms;
	ret->issued_place = at;
	return HT_OK;
}

/* What a start writes before its SNAPSHOT. */
static bool
before_snapshot(unsigned type)
{
	return type == HT_ENTRY_ROLLBACK_SEEN || type == HT_ENTRY_START;
}

/*
 * Every entry names the hash of its snapshot, and the SNAPSHOT entry, which
 * alone has the version, is the first with that hash (at a start START is
 * before it, and ROLLBACK_SEEN where there was one).  So bisection finds it,
 * and needs neither the index, which may be wiped, nor one more place on the
 * disk that could be wrong.
 */
enum ht_err
ht_replay_snapshot(struct ht_log *log, struct ht_replay_snapshot *ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(LEAF_MAX);
	uint64_t size = ht_log_size(log), at;
	struct ht_hash snapshot;
	struct ht_entry e;
	enum ht_err err;

	if (size == 0)
		return HT_ENOTFOUND;
	err = read_entry(log, size - 1, &leaf, &e);
	if (err != HT_OK)
		return err;
	snapshot = e.snapshot;
	err = find_under(log, &snapshot, size - 1, &at);
	/* It may be older than the log is now; then a later one is not. */
	if (err == HT_OK && at > 0 && at == ht_log_begin(log))
		err = ht_log_last_snapshot(log, &at);
	if (err == HT_OK)
		err = read_entry(log, at, &leaf, &e);
	while (err == HT_OK && before_snapshot(e.type) && at + 1 < size)
		err = read_entry(log, ++at, &leaf, &e);
	if (err != HT_OK)
		return err;
	if (e.type != HT_ENTRY_SNAPSHOT || unpack_snapshot(&e, ret) != HT_OK ||
	    !ht_hash_eq(&ret->hash, &snapshot))
		return HT_EINTEGRITY;
	return find_issued(log, ret);
}

/* ---- a log put back that is waited for no more ---- */

/* map {"act": str, "by": str, "detail": str}.  HT_EEXISTS ends the walk. */
static enum ht_err
look_for_resume(void *arg, uint64_t seq, struct ht_slice leaf)
{
	struct ht_unpack u;
	struct ht_slice act, detail;
	struct ht_entry e;
	enum ht_err err = ht_entry_decode(leaf, &e);

	(void)arg;
	(void)seq;
	if (err != HT_OK || e.type != HT_ENTRY_ADMIN)
		return err;
	u = ht_unpack(e.payload);
	(void)ht_unpack_map(&u, 3);
	ht_unpack_key(&u, "act");
	act = ht_unpack_str(&u, LEAF_MAX);
	ht_unpack_key(&u, "by");
	(void)ht_unpack_str(&u, LEAF_MAX);
	ht_unpack_key(&u, "detail");
	detail = ht_unpack_str(&u, LEAF_MAX);
	if (ht_unpack_end(&u) != HT_OK)
		return HT_EINTEGRITY;
	return ht_slice_is(act, "resume") &&
	               ht_slice_is(detail, HT_REPLAY_RESUMED)
	           ? HT_EEXISTS
	           : HT_OK;
}

enum ht_err
ht_replay_resumed(struct ht_log *log, uint64_t from, bool *ret)
{
	enum ht_err err =
	    ht_log_walk(log, from, ht_log_size(log), look_for_resume, NULL);

	*ret = err == HT_EEXISTS;
	return err == HT_EEXISTS ? HT_OK : err;
}

/* ---- the records that may still live ---- */

static bool
any_quota(const struct ht_trust *trust)
{
	const struct ht_grant *grant;

	for (size_t i = 0; (grant = ht_trust_grant_at(trust, i)) != NULL; i++)
		if (grant->quota_day > 0)
			return true;
	return false;
}

struct walk {
	struct ht_log *log;
	struct ht_lane *lane;
	uint64_t now_ms;
	uint64_t live_ms; /* what came before has ended, and is forgotten */
	uint64_t n;
	struct ht_buf tag;
};

static enum ht_err
replay_one(void *arg, uint64_t seq, struct ht_slice leaf)
{
	struct walk *walk = arg;
	struct ht_header header, *h = NULL;
	struct ht_entry e;
	enum ht_err err = ht_entry_decode(leaf, &e);

	if (err != HT_OK)
		return err;
	e.seq = seq;
	walk->n++;
	/* A day's records are too many to remember for their number alone. */
	if (e.time_us / 1000 < walk->live_ms)
		return ht_lane_replay_use(walk->lane, &e);
	ht_buf_reset(&walk->tag);
	if (ht_entry_has_header(&e)) {
		err = ht_header_decode(e.payload, &header, NULL, NULL);
		if (err != HT_OK)
			return err;
		h = &header;
	}
	/* By its tag an answer is judged, and dead requests get none. */
	if (e.type == HT_ENTRY_REQUEST && e.tag_len > 0 &&
	    header.expires_ms > walk->now_ms)
		err =
		    ht_log_read_piece(walk->log, &e, &header, &walk->tag, NULL);
	if (err != HT_OK)
		return err;
	return ht_lane_replay(
	    walk->lane, &e, h, ht_buf_slice(&walk->tag), walk->now_ms);
}

enum ht_err
ht_replay(struct ht_log *log, const struct ht_trust *trust,
    struct ht_lane *lane, uint64_t now_ms, uint64_t *ret_n)
{
	const uint64_t tail = HT_LIFE_MS + HT_SKEW_MS + LAG_MS;
	struct walk walk = {
	    .log = log,
	    .lane = lane,
	    .now_ms = now_ms,
	    .tag = HT_BUF(HT_TAG_MAX),
	};
	const int64_t zone_ms = ht_trust_root(trust)->zone_ms;
	uint64_t last_us, from_ms, day_ms, from;
	enum ht_err err = ht_replay_last(log, &last_us);

	if (err != HT_OK)
		return err;
	from_ms = last_us / 1000;
	from_ms = from_ms > tail ? from_ms - tail : 0;
	walk.live_ms = from_ms;
	ht_lane_zone(lane, zone_ms);
	day_ms = ht_day_ms(zone_ms, ht_day(zone_ms, now_ms));
	if (any_quota(trust) && from_ms > day_ms)
		from_ms = day_ms;
	err = find_from(log, from_ms, &from);
	if (err == HT_OK)
		err =
		    ht_log_walk(log, from, ht_log_size(log), replay_one, &walk);
	ht_buf_fini(&walk.tag);
	if (err == HT_OK)
		*ret_n = walk.n;
	return err;
}
