#include "broker/replay.h"

#include "lib/base/limits.h"

#define DAY_MS 86400000u
/* How far the ends of requests may have lagged behind the clock. */
#define LAG_MS   300000u
#define LEAF_MAX 2048

static enum ht_err
time_of(struct ht_log *log, uint64_t seq, uint64_t *ret_us)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(LEAF_MAX);
	struct ht_entry e;
	enum ht_err err = ht_log_read(log, seq, &leaf);

	if (err == HT_OK)
		err = ht_entry_decode(ht_buf_slice(&leaf), &e);
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
	uint64_t low = 0, high = ht_log_size(log);

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
		return ht_lane_replay_use(walk->lane, &e, walk->now_ms);
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
		err = ht_log_read_vault(walk->log, &e, &walk->tag, NULL);
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
	uint64_t last_us, from_ms, from;
	enum ht_err err = ht_replay_last(log, &last_us);

	if (err != HT_OK)
		return err;
	from_ms = last_us / 1000;
	from_ms = from_ms > tail ? from_ms - tail : 0;
	walk.live_ms = from_ms;
	if (any_quota(trust) && from_ms > now_ms - now_ms % DAY_MS)
		from_ms = now_ms - now_ms % DAY_MS;
	err = find_from(log, from_ms, &from);
	if (err == HT_OK)
		err =
		    ht_log_walk(log, from, ht_log_size(log), replay_one, &walk);
	ht_buf_fini(&walk.tag);
	if (err == HT_OK)
		*ret_n = walk.n;
	return err;
}
