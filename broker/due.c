/*
 * due.c -- what runs out, said by the broker once a day: keys that nothing
 * follows, grants, epochs (schemas/due.h); and every ten minutes that the
 * current note has run out.
 */
#include "schemas/due.h"

#include "broker/core_in.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define DAILY_MS  (UINT64_C(24) * 3600000)
#define STALE_MS  (UINT64_C(10) * 60000)
#define LINES_MAX 50 /* of a day; `hutong catalog due` has them all */

struct telling {
	uint64_t now_ms;
	unsigned n;
};

static void
tell(void *arg, const struct ht_due *due)
{
	struct telling *telling = arg;
	char text[HT_DUE_TEXT];

	if (telling->n++ >= LINES_MAX)
		return;
	ht_due_text(due, telling->now_ms, text);
	ht_log(HT_WARN, "broker: %s", text);
}

static unsigned
tell_all(const struct ht_trust *trust, uint64_t now_ms)
{
	struct telling telling = {now_ms, 0};

	ht_due_all(trust, now_ms, HT_DUE_MS, tell, &telling);
	if (telling.n > LINES_MAX)
		ht_log(HT_WARN,
		    "broker: ... and %u more; `hutong catalog due` lists them",
		    telling.n - LINES_MAX);
	return telling.n;
}

static void
tell_stale(const struct ht_trust *trust, uint64_t now_ms)
{
	ht_log(HT_WARN,
	    "broker: the current note of snapshot %llu ran out %llu minutes "
	    "ago: items work on for their grace, and are then refused "
	    "(POLICY_STALE); freshen it: hutong catalog freshen",
	    (unsigned long long)ht_trust_version(trust),
	    (unsigned long long)((now_ms - ht_trust_until_ms(trust)) / 60000));
}

void
due_tick(struct core *core, uint64_t now_ms)
{
	struct ht_trust *trust;
	uint64_t wall_ms = ht_clock_wall_ms();

	if (now_ms < core->due_ms && now_ms < core->stale_ms)
		return;
	trust = ht_box_get(&core->box, NULL);
	if (now_ms >= core->due_ms) {
		core->due_ms = now_ms + DAILY_MS;
		core->n_due = tell_all(trust, wall_ms);
	}
	if (now_ms >= core->stale_ms) {
		/* Soon after it has run out, then again and again. */
		core->stale_ms = now_ms + 1000;
		if (wall_ms >= ht_trust_until_ms(trust)) {
			core->stale_ms = now_ms + STALE_MS;
			tell_stale(trust, wall_ms);
		}
	}
	ht_trust_unref(&trust);
}
