#include "adapters/state_in.h"

#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/test.h"

static char dir[HT_TEST_PATH_MAX];

static int
set_up(void **state)
{
	(void)state;
	return ht_test_dir(dir) != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	ht_test_dir_remove(dir);
	return 0;
}

static struct ht_state *
open_state(void)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_state *state = NULL;

	assert_ok(ht_state_open(dir, report, &state));
	return state;
}

#define MEMBER ht_slice_str("tax.demo/state")
#define ITEM   ht_slice_str("gx.demo/X")

static void
counters_never_fall(void **unused)
{
	struct ht_state *state = open_state();
	uint64_t first, n = 0;

	(void)unused;
	assert_ok(ht_state_counter(state, MEMBER, ITEM, &first));
	assert_int_equal(first, 1);
	for (unsigned i = 0; i < 3000; i++) {
		assert_ok(ht_state_counter(state, MEMBER, ITEM, &n));
		assert_int_equal(n, first + 1 + i);
	}
	assert_ok(ht_state_counter(state, ITEM, MEMBER, &first));
	assert_int_equal(first, 1);
	assert_ok(ht_state_commit(state));
	ht_state_close(&state);
	state = open_state();
	assert_ok(ht_state_counter(state, MEMBER, ITEM, &first));
	assert_true(first > n);
	assert_true(first <= n + 1024);
	ht_state_close(&state);
}

#define SMALLEST (16u << 20) /* HT_STATE_ANSWERS_MIN */

/* How many answers of @len bytes are kept for @sender, until it is refused. */
static unsigned
fill(struct ht_state *state, const char *sender, size_t len, uint64_t until_ms)
{
	static uint8_t bytes[HT_BODY_MAX];
	struct ht_answered in = {
	    .expires_ms = until_ms,
	    .header = ht_slice_str("header"),
	    .tag = {NULL, 0},
	    .body = HT_SLICE(bytes, len),
	};
	struct ht_id record = {{0}};
	enum ht_err err = HT_OK;
	unsigned n = 0;

	for (; err == HT_OK && n < 100000; n++) {
		ht_be64(record.at, (until_ms << 32) + n);
		err = ht_state_keep(state, ht_slice_str(sender), &record, &in);
	}
	assert_err(err, HT_EAGAIN);
	return n - 1;
}

/*
 * The table is the rule: whoever comes has half of what is free, whatever the
 * size of its answers, and after a restart it is known who has what.
 */
static void
no_asker_takes_all_the_room(void **unused)
{
	static const struct {
		const char *sender;
		size_t len;
	} rows[] = {
	    {"a.demo/greedy", 1 << 19 },
	    {"b.demo/greedy", 64 << 10},
	    {"c.demo/modest", 100     },
	};
	struct ht_state *state = open_state();
	uint64_t before;

	(void)unused;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		ht_state_bound(state, SMALLEST);
		before = state->kept_bytes;
		assert_true(fill(state, rows[i].sender, rows[i].len, 5000) > 0);
		assert_in_range(state->kept_bytes - before,
		    (SMALLEST - before) / 2 - rows[i].len - 5000,
		    (SMALLEST - before) / 2);
		before = state->kept_bytes;
		assert_ok(ht_state_commit(state));
		ht_state_close(&state);
		state = open_state();
		assert_int_equal(state->kept_bytes, before);
	}
	ht_state_bound(state, SMALLEST);
	assert_false(ht_state_room(state, ht_slice_str("a.demo/greedy"), 100));
	assert_true(ht_state_room(state, ht_slice_str("d.demo/new"), 100));
	/* What has expired makes room. */
	assert_ok(ht_state_sweep(state, 5000, UINT32_MAX));
	assert_int_equal(state->kept_bytes, 0);
	assert_int_equal(ht_map_count(state->kept), 0);
	assert_true(ht_state_room(state, ht_slice_str("a.demo/greedy"), 100));
	ht_state_close(&state);
}

static void
answers_last_until_they_expire(void **unused)
{
	struct ht_state *state = open_state();
	struct ht_id record = {{1}}, other = {{2}};
	struct ht_answered in = {
	    .expires_ms = 5000,
	    .request = {{1, 2}},
	    .header = ht_slice_str("header"),
	    .tag = { NULL,     0},
	    .body = ht_slice_str("body")
        };
	struct ht_answered out;

	(void)unused;
	assert_err(ht_state_find(state, MEMBER, &record, &out), HT_ENOTFOUND);
	assert_ok(ht_state_keep(state, MEMBER, &record, &in));
	/* Seen before it is durable, gone if it never was. */
	assert_ok(ht_state_find(state, MEMBER, &record, &out));
	ht_state_close(&state);
	state = open_state();
	assert_err(ht_state_find(state, MEMBER, &record, &out), HT_ENOTFOUND);
	assert_ok(ht_state_keep(state, MEMBER, &record, &in));
	assert_ok(ht_state_commit(state));
	ht_state_close(&state);
	state = open_state();
	assert_ok(ht_state_find(state, MEMBER, &record, &out));
	assert_int_equal(out.expires_ms, 5000);
	assert_true(ht_hash_eq(&out.request, &in.request));
	assert_true(ht_slice_is(out.header, "header"));
	assert_int_equal(out.tag.len, 0);
	assert_true(ht_slice_is(out.body, "body"));
	assert_err(ht_state_find(state, ITEM, &record, &out), HT_ENOTFOUND);
	in.expires_ms = 9000;
	assert_ok(ht_state_keep(state, MEMBER, &other, &in));
	assert_ok(ht_state_sweep(state, 4999, 10));
	assert_ok(ht_state_find(state, MEMBER, &record, &out));
	assert_ok(ht_state_sweep(state, 5000, 10));
	assert_err(ht_state_find(state, MEMBER, &record, &out), HT_ENOTFOUND);
	assert_ok(ht_state_find(state, MEMBER, &other, &out));
	assert_ok(ht_state_commit(state));
	ht_state_close(&state);
}

/* As after the next look. */
static bool
full_for(struct ht_state *state, uint64_t aside)
{
	state->aside = aside;
	state->looked_ms = 0;
	return ht_state_full(state);
}

/* No disk has so much: it cannot be set aside, as on one that is full. */
static void
a_full_disk_keeps_what_it_has_and_goes_on(void **unused)
{
	struct ht_state *state = open_state();
	struct ht_id first = {{'a'}}, second = {{'b'}};
	struct ht_answered in = {.expires_ms = 5000,
	                       .header = ht_slice_str("header"),
	                       .body = ht_slice_str("body")},
	                   out;
	uint64_t n;

	(void)unused;
	assert_ok(ht_state_keep(state, MEMBER, &first, &in));
	assert_ok(ht_state_commit(state));
	assert_true(full_for(state, UINT64_C(1) << 50));
	assert_err(ht_state_keep(state, MEMBER, &second, &in), HT_EAGAIN);
	assert_err(ht_state_find(state, MEMBER, &second, &out), HT_ENOTFOUND);
	assert_ok(ht_state_find(state, MEMBER, &first, &out));
	/* What takes the place of something else is written all the same. */
	assert_ok(ht_state_put(state, "checkpoint", ht_slice_str("note")));
	assert_ok(ht_state_counter(state, MEMBER, ITEM, &n));
	assert_ok(ht_state_sweep(state, 5000, 10));
	assert_ok(ht_state_commit(state));
	assert_false(full_for(state, HT_STATE_ASIDE));
	assert_ok(ht_state_keep(state, MEMBER, &second, &in));
	assert_ok(ht_state_commit(state));
	ht_state_close(&state);
}

/* A group that grows is looked after before a second has passed. */
static void
what_is_gathered_is_counted(void **unused)
{
	static uint8_t body[1 << 20];
	struct ht_state *state = open_state();
	struct ht_id record = {{'c'}};
	struct ht_answered in = {.expires_ms = 5000,
	    .header = ht_slice_str("header"),
	    .body = HT_SLICE(body, sizeof(body))};
	unsigned kept = 0;
	enum ht_err err = HT_OK;

	(void)unused;
	assert_false(full_for(state, HT_STATE_ASIDE));
	state->aside = UINT64_C(1) << 50; /* at the next look */
	for (; err == HT_OK && kept < 100; kept++) {
		record.at[1] = (uint8_t)kept;
		err = ht_state_keep(state, MEMBER, &record, &in);
	}
	assert_err(err, HT_EAGAIN);
	assert_in_range(kept, 1, 9); /* half of what is set aside */
	assert_ok(ht_state_commit(state));
	assert_int_equal(state->gathered, 0);
	ht_state_close(&state);
}

static void
facts_are_kept(void **unused)
{
	struct ht_state *state = open_state();
	struct ht_buf value = HT_BUF(64);

	(void)unused;
	assert_err(ht_state_get(state, "checkpoint", &value), HT_ENOTFOUND);
	assert_ok(ht_state_put(state, "checkpoint", ht_slice_str("note one")));
	assert_ok(ht_state_put(state, "checkpoint", ht_slice_str("note two")));
	assert_ok(ht_state_commit(state));
	ht_state_close(&state);
	state = open_state();
	assert_ok(ht_state_get(state, "checkpoint", &value));
	assert_true(ht_slice_is(ht_buf_slice(&value), "note two"));
	ht_buf_fini(&value);
	ht_state_close(&state);
}

/* The second process waits for the first one's end. */
static void
one_process_at_a_time(void **unused)
{
	int ready[2], status;
	char byte;
	pid_t pid;

	(void)unused;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct ht_state *state = NULL;
		enum ht_err err = ht_state_open(dir, NULL, &state);

		if (write(ready[1], "x", 1) != 1)
			_exit(9);
		(void)usleep(200000);
		ht_state_close(&state);
		_exit(err == HT_OK ? 0 : 1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	{
		struct ht_state *state = open_state();

		/* It could be opened: so the other one has let go. */
		assert_ok(ht_state_put(state, "fact", ht_slice_str("mine")));
		ht_state_close(&state);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

/* ---- what became of exchanges ---- */

static struct ht_told
sample(uint8_t exchange, uint8_t record, uint64_t ended_ms)
{
	struct ht_told told = {
	    .exchange = {{exchange}},
	    .record = {{record}},
	    .created_ms = 7,
	    .ended_ms = ended_ms,
	    .consumer = "tax.demo/state",
	    .node = "main",
	    .provider = "scjg.demo/registry",
	    .item = "gx.demo/SCZTDJ",
	    .version = 1,
	    .operation = HT_OP_QUERY,
	    .purpose = "tax-registration",
	    .basis = "ZGF-15",
	    .grant = "gx.demo/1",
	    .sent = true,
	    .request = {{3}},
	    .status = HT_ST_OFFLINE,
	    .by = HT_WHO_OPERATOR,
	    .request_place = 17,
	    .released_len = 1,
	    .released = {5},
	    .snapshot = 4,
	};

	ht_reasons_add(&told.reasons, HT_ST_OFFLINE, "scjg.demo/registry");
	return told;
}

struct seen {
	unsigned n;
	struct ht_told first, last;
};

static bool
see(void *arg, const struct ht_told *told)
{
	struct seen *seen = arg;

	if (seen->n++ == 0)
		seen->first = *told;
	seen->last = *told;
	return true;
}

static void
what_was_told_is_kept(void **unused)
{
	struct ht_state *state = open_state(), *other = NULL;
	struct ht_told in = sample(1, 1, 100), more = sample(1, 2, 101);
	struct ht_id none = {{9}};
	struct seen seen = {0};

	(void)unused;
	assert_ok(ht_state_tell(state, &in));
	assert_ok(ht_state_tell(state, &more));
	assert_ok(ht_state_told(state, &in.exchange, see, &seen));
	assert_int_equal(seen.n, 2);
	assert_memory_equal(&seen.first, &in, sizeof(in));
	assert_memory_equal(&seen.last, &more, sizeof(in));
	assert_err(ht_state_told(state, &none, see, &seen), HT_ENOTFOUND);
	assert_ok(ht_state_commit(state));
	ht_state_close(&state);
	/* Another process reads beside the one that holds it. */
	assert_ok(ht_state_look(dir, NULL, &other));
	seen.n = 0;
	assert_ok(ht_state_told_last(other, see, &seen));
	assert_int_equal(seen.n, 2);
	assert_memory_equal(&seen.first, &more, sizeof(in));
	ht_state_close(&other);
	assert_err(ht_state_look("/nonexistent", NULL, &other), HT_ENOTFOUND);
}

static void
the_oldest_are_forgotten(void **unused)
{
	struct ht_state *state = open_state();
	struct seen seen = {0};

	(void)unused;
	for (uint8_t i = 1; i <= 5; i++) {
		/* An exchange's own time counts for nothing. */
		struct ht_told told = sample((uint8_t)(9 - i), i, 100u + i);

		assert_ok(ht_state_tell(state, &told));
	}
	assert_ok(ht_state_untell(state, 3, 1));
	assert_ok(ht_state_told_last(state, see, &seen));
	assert_int_equal(seen.n, 4);
	assert_ok(ht_state_untell(state, 3, 100));
	seen.n = 0;
	assert_ok(ht_state_told_last(state, see, &seen));
	assert_int_equal(seen.n, 3);
	assert_int_equal(seen.first.ended_ms, 105);
	assert_int_equal(seen.last.ended_ms, 103);
	assert_ok(ht_state_untell(state, 0, 100));
	seen.n = 0;
	assert_ok(ht_state_told_last(state, see, &seen));
	assert_int_equal(seen.n, 0);
	ht_state_close(&state);
}

static void
documents_are_kept_once(void **unused)
{
	struct ht_state *state = open_state();
	struct ht_buf note = HT_BUF(64);
	struct ht_hash hash, again, none = {{1}};

	(void)unused;
	assert_ok(ht_state_note(state, ht_slice_str("a note"), &hash));
	assert_ok(ht_state_note(state, ht_slice_str("a note"), &again));
	assert_true(ht_hash_eq(&hash, &again));
	assert_ok(ht_state_commit(state));
	assert_ok(ht_state_noted(state, &hash, &note));
	assert_true(ht_slice_is(ht_buf_slice(&note), "a note"));
	assert_err(ht_state_noted(state, &none, &note), HT_ENOTFOUND);
	ht_buf_fini(&note);
	ht_state_close(&state);
}

/* What the disk gives back is not believed. */
static void
a_spoiled_one_is_refused(void **unused)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_TOLD_MAX);
	struct ht_told in = sample(1, 1, 100), out;

	(void)unused;
	assert_ok(ht_told_encode(&in, &bytes));
	for (size_t len = 0; len < bytes.len; len++)
		assert_err(ht_told_decode(HT_SLICE(bytes.at, len), &out),
		    HT_EMALFORMED);
	assert_ok(ht_told_decode(ht_buf_slice(&bytes), &out));
	assert_memory_equal(&in, &out, sizeof(in));
	bytes.at[3] = 2; /* another form */
	assert_err(ht_told_decode(ht_buf_slice(&bytes), &out), HT_EMALFORMED);
}

#define STATE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    STATE_TEST(counters_never_fall),
    STATE_TEST(no_asker_takes_all_the_room),
    STATE_TEST(answers_last_until_they_expire),
    STATE_TEST(a_full_disk_keeps_what_it_has_and_goes_on),
    STATE_TEST(what_is_gathered_is_counted),
    STATE_TEST(facts_are_kept),
    STATE_TEST(one_process_at_a_time),
    STATE_TEST(what_was_told_is_kept),
    STATE_TEST(the_oldest_are_forgotten),
    STATE_TEST(documents_are_kept_once),
    STATE_TEST(a_spoiled_one_is_refused),
};

HT_TEST_MAIN(tests)
