/*
 * t_round.c -- rounds of cosigning: who is asked for what, what an answer
 * does, and when a quorum is met.
 */
#include "tests/lib/test.h"

#include "broker/round.h"
#include "keys/witness.h"

#define LOG  "gx.demo/log"
#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="

static const char *const names[] = {
    "tax.demo/a/witness", "tax.demo/b/witness", "tax.demo/c/witness"};
static const char *const members[] = {"tax.demo/a", "tax.demo/b", "tax.demo/c"};
static const char *const users[] = {
    "tax.demo/a/main#1", "tax.demo/b/main#2", "tax.demo/c/main#3"};

static struct ht_key *
key_of(enum ht_key_for what, unsigned byte)
{
	struct ht_key *key;
	uint8_t seed[32];

	memset(seed, (int)byte, sizeof(seed));
	assert_ok(ht_key_from_seed(what, seed, &key));
	return key;
}

static struct ht_vkey
vkey_of(enum ht_key_for what, unsigned byte, const char *name)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_of(what, byte);
	struct ht_pub pub = ht_key_pub(key);
	struct ht_vkey vkey;

	assert_ok(ht_vkey_make_as(name, ht_vkey_type_for(what), &pub, &vkey));
	return vkey;
}

/* The log's note of that size. */
static void
note_of(uint64_t size, struct ht_buf *out)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_of(HT_KEY_LOG, 1);
	char text[200];

	(void)snprintf(text, sizeof(text), "%s\n%llu\n%s\n", LOG,
	    (unsigned long long)size, ROOT);
	ht_buf_reset(out);
	assert_ok(ht_note_sign(ht_slice_str(text), false, LOG, key, out));
}

/* What the i-th witness answers to the round's note. */
static void
line_of(const struct ht_round *round, unsigned i, uint64_t time_s,
    struct ht_buf *out)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_of(HT_KEY_WITNESS, 2 + i);
	struct ht_note note;

	assert_ok(ht_note_parse(ht_buf_slice(&round->note), &note));
	ht_buf_reset(out);
	assert_ok(ht_cosign(note.text, names[i], key, time_s, out));
}

/* Three witnesses, two of which suffice. */
static void
set_up(struct ht_round *round)
{
	struct ht_root root = {.n_witnesses = 3, .quorum = 2};

	root.log = vkey_of(HT_KEY_LOG, 1, LOG);
	for (unsigned i = 0; i < 3; i++)
		root.witnesses[i] = vkey_of(HT_KEY_WITNESS, 2 + i, names[i]);
	ht_round_init(round, 1000);
	assert_ok(ht_round_set(round, &root));
}

static struct ht_round_witness *
offer(struct ht_round *round, unsigned i, uint64_t size)
{
	return ht_round_offer(
	    round, ht_slice_str(names[i]), users[i], members[i], size);
}

static bool
begin(struct ht_round *round, uint64_t now_ms, uint64_t size)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(4096);

	note_of(size, &note);
	return ht_round_begin(round, now_ms, ht_buf_slice(&note), size);
}

static enum ht_round_said
answer(struct ht_round *round, unsigned i, uint64_t ref, unsigned status,
    struct ht_slice body)
{
	struct ht_round_witness *who = NULL;

	return ht_round_answer(round, users[i], ref, status, body, &who);
}

static void
two_of_three_are_a_quorum(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf line = HT_BUF(4096);
	HT_AUTO(ht_round_fini) struct ht_round round = {0};
	struct ht_round_witness *a, *b;

	(void)state;
	set_up(&round);
	assert_false(begin(&round, 1000, 10)); /* nobody is here */
	assert_non_null(offer(&round, 0, 0));
	assert_non_null(offer(&round, 1, 7));
	assert_true(begin(&round, 2000, 10));
	a = ht_round_next(&round, 2000);
	b = ht_round_next(&round, 2000);
	assert_null(ht_round_next(&round, 2000));
	assert_string_equal(a->user, users[0]);
	assert_int_equal(a->size, 0);
	assert_int_equal(b->size, 7); /* asked from where it is */
	line_of(&round, 0, 100, &line);
	assert_int_equal(answer(&round, 0, a->ref, 200, ht_buf_slice(&line)),
	    HT_ROUND_COSIGNED);
	assert_int_equal(round.met_size, 0);
	line_of(&round, 1, 105, &line);
	assert_int_equal(answer(&round, 1, b->ref, 200, ht_buf_slice(&line)),
	    HT_ROUND_COSIGNED);
	assert_int_equal(round.met_size, 10);
	assert_int_equal(round.met_s, 105);
	assert_int_equal(b->cosigned, 10);
	assert_false(begin(&round, 9000, 10)); /* no growth, no round */
	assert_true(begin(&round, 9000, 11));
}

/* A third that comes later signs the same checkpoint; both others stay. */
static void
who_comes_late_adds_its_line(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf line = HT_BUF(4096);
	HT_AUTO(ht_round_fini) struct ht_round round = {0};
	struct ht_round_witness *w;
	struct ht_note note;

	(void)state;
	set_up(&round);
	for (unsigned i = 0; i < 3; i++) {
		assert_non_null(offer(&round, i, 0));
		assert_true(begin(&round, 1000 + 2000 * i, 10));
		w = ht_round_next(&round, 1000 + 2000 * i);
		line_of(&round, i, 100 + i, &line);
		assert_int_equal(
		    answer(&round, i, w->ref, 200, ht_buf_slice(&line)),
		    HT_ROUND_COSIGNED);
	}
	assert_ok(ht_note_parse(ht_buf_slice(&round.note), &note));
	assert_int_equal(note.n_sigs, 4);
}

static void
a_conflict_tells_the_size(void **state)
{
	HT_AUTO(ht_round_fini) struct ht_round round = {0};
	struct ht_round_witness *w;

	(void)state;
	set_up(&round);
	assert_non_null(offer(&round, 0, 0));
	assert_true(begin(&round, 1000, 10));
	for (unsigned i = 0; i < HT_ROUND_CONFLICTS; i++) {
		w = ht_round_next(&round, 1000);
		assert_non_null(w);
		assert_int_equal(
		    answer(&round, 0, w->ref, 409, ht_slice_str("7\n")),
		    HT_ROUND_ELSEWHERE);
		assert_int_equal(w->size, 7);
	}
	/* It contradicts itself: enough for this round. */
	assert_null(ht_round_next(&round, 1000));
	assert_true(begin(&round, 2000, 12));
	assert_non_null(ht_round_next(&round, 2000));
}

static void
a_false_answer_ends_it(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf line = HT_BUF(4096);
	HT_AUTO(ht_round_fini) struct ht_round round = {0};
	struct ht_round_witness *w;

	(void)state;
	set_up(&round);
	assert_non_null(offer(&round, 0, 0));
	assert_true(begin(&round, 1000, 10));
	w = ht_round_next(&round, 1000);
	line_of(&round, 1, 100, &line); /* another's */
	assert_int_equal(answer(&round, 0, w->ref, 200, ht_buf_slice(&line)),
	    HT_ROUND_FALSE);
	assert_false(begin(&round, 9000, 20));
	assert_non_null(offer(&round, 0, 0)); /* it connects anew */
	assert_true(begin(&round, 9000, 20));
	w = ht_round_next(&round, 9000);
	assert_int_equal(
	    answer(&round, 0, w->ref, 422, HT_SLICE("", 0)), HT_ROUND_NO);
	assert_int_equal(w->refused, 422);
	assert_false(begin(&round, 19000, 30));
}

static void
strays_change_nothing(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf line = HT_BUF(4096);
	HT_AUTO(ht_round_fini) struct ht_round round = {0};
	struct ht_round_witness *w;

	(void)state;
	set_up(&round);
	assert_non_null(offer(&round, 0, 0));
	assert_non_null(offer(&round, 1, 0));
	assert_true(begin(&round, 1000, 10));
	w = ht_round_next(&round, 1000);
	line_of(&round, 0, 100, &line);
	assert_int_equal(
	    answer(&round, 0, 0, 200, ht_buf_slice(&line)), HT_ROUND_STRAY);
	assert_int_equal(
	    answer(&round, 0, 99, 200, ht_buf_slice(&line)), HT_ROUND_STRAY);
	/* Another's ref: only the one who was asked may answer. */
	assert_int_equal(answer(&round, 1, w->ref, 200, ht_buf_slice(&line)),
	    HT_ROUND_STRAY);
	/* Twice. */
	assert_int_equal(answer(&round, 0, w->ref, 200, ht_buf_slice(&line)),
	    HT_ROUND_COSIGNED);
	assert_int_equal(
	    answer(&round, 0, 1, 200, ht_buf_slice(&line)), HT_ROUND_STRAY);
}

static void
only_its_own_member_speaks_for_it(void **state)
{
	HT_AUTO(ht_round_fini) struct ht_round round = {0};

	(void)state;
	set_up(&round);
	assert_null(ht_round_offer(
	    &round, ht_slice_str(names[0]), users[1], members[1], 0));
	/* A part of the name is no member of it. */
	assert_null(ht_round_offer(
	    &round, ht_slice_str(names[0]), "u", "tax.demo/", 0));
	assert_null(ht_round_offer(
	    &round, ht_slice_str("nobody/x/w"), users[0], members[0], 0));
}

static void
who_is_silent_is_asked_again(void **state)
{
	HT_AUTO(ht_round_fini) struct ht_round round = {0};

	(void)state;
	set_up(&round);
	assert_non_null(offer(&round, 0, 0));
	assert_true(begin(&round, 1000, 10));
	assert_non_null(ht_round_next(&round, 1000));
	assert_false(begin(&round, 1000 + HT_ROUND_WAIT_MS - 1, 20));
	assert_true(begin(&round, 1000 + HT_ROUND_WAIT_MS, 20));
	assert_non_null(ht_round_next(&round, 1000 + HT_ROUND_WAIT_MS));
	ht_round_lost(&round, users[0]);
	assert_false(begin(&round, 50000, 30));
}

/* A new root: who stays keeps what is known, who is gone is asked no more. */
static void
another_root_is_taken_over(void **state)
{
	HT_AUTO(ht_round_fini) struct ht_round round = {0};
	struct ht_root root = {.n_witnesses = 1, .quorum = 1};

	(void)state;
	set_up(&round);
	assert_non_null(offer(&round, 0, 3));
	assert_non_null(offer(&round, 1, 4));
	root.log = vkey_of(HT_KEY_LOG, 1, LOG);
	root.witnesses[0] = vkey_of(HT_KEY_WITNESS, 3, names[1]);
	assert_ok(ht_round_set(&round, &root));
	assert_int_equal(round.n, 1);
	assert_int_equal(round.at[0].size, 4);
	assert_string_equal(round.at[0].user, users[1]);
	root.n_witnesses = root.quorum = 0;
	assert_ok(ht_round_set(&round, &root));
	assert_null(round.policy);
	assert_false(begin(&round, 1000, 10));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(two_of_three_are_a_quorum),
	    cmocka_unit_test(who_comes_late_adds_its_line),
	    cmocka_unit_test(a_conflict_tells_the_size),
	    cmocka_unit_test(a_false_answer_ends_it),
	    cmocka_unit_test(strays_change_nothing),
	    cmocka_unit_test(only_its_own_member_speaks_for_it),
	    cmocka_unit_test(who_is_silent_is_asked_again),
	    cmocka_unit_test(another_root_is_taken_over),
	};

	if (ht_keys_init() != HT_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
