/* Lists of looks: whole, with the rolls or without, and never quietly less. */
#include "tests/lib/logged.h"

#include "broker/audit/answer_in.h"
#include "broker/audit/list.h"
#include "broker/audit/look.h"
#include "broker/check/verify.h"
#include "broker/log/erase.h"
#include "tests/lib/fault.h"

#define LATER    (HT_LOGGED_NOW_MS + UINT64_C(86400000))
#define SUBJECTS 5    /* 1 ... 5 are looked at, in turn */
#define ENTRIES  2300 /* at least: two small rolls and a tail */
#define LOOKS    3000
#define FRAMES   200

static const atomic_bool never;

/* One history for all tests: it takes a second to make. */
static struct ht_logged fix;

/* ---- the log ---- */

static enum ht_err
append_roots(void *arg, const struct ht_slice *payloads, size_t n)
{
	struct ht_logged *f = arg;
	struct ht_slice note;

	assert_in_range(n, 1, HT_ROLLS_ONCE);
	for (size_t i = 0; i < n; i++) {
		struct ht_entry e = {
		    .type = HT_ENTRY_INDEX_ROOT, .payload = payloads[i]};

		assert_ok(ht_log_append(f->log, &e, NULL));
	}
	return ht_log_commit(f->log, &note);
}

static void
index_all(struct ht_logged *f)
{
	bool more = true;

	/* Batches that do not end where rolls do. */
	while (more)
		assert_ok(ht_index_catch_up(f->index, 700, &more));
	assert_ok(ht_index_roots(f->index, append_roots, f));
	assert_ok(ht_index_catch_up(f->index, 1000, &more));
}

static uint64_t
count_roots(struct ht_logged *f)
{
	struct ht_verify v = {
	    .vkey = &ht_logged_vkey, .trust = ht_logged_world->trust};

	ht_logged_close(f);
	assert_ok(ht_verify_log(f->log_dir, &v));
	ht_logged_open(f, ht_logged_world->log_key);
	return v.rolls;
}

static int
make_log(void **state)
{
	unsigned subject = 0;

	ht_logged_make_world(state);
	ht_logged_start(&fix);
	while (ht_log_size(fix.log) < ENTRIES)
		ht_history_exchanges(
		    &fix.h, 63, 1, 1 + subject++ % SUBJECTS, NULL);
	return 0;
}

static int
drop_log(void **state)
{
	ht_logged_finish(&fix);
	return ht_logged_drop_world(state);
}

/* ---- lists ---- */

struct seqs {
	size_t n;
	uint64_t at[LOOKS];
};

static enum ht_err
take(void *arg, const struct ht_row *row)
{
	struct seqs *seqs = arg;

	assert_in_range(seqs->n, 0, LOOKS - 1);
	seqs->at[seqs->n++] = row->seq;
	return HT_OK;
}

/* By looking at every entry. */
static enum ht_err
scan(void *arg, const struct ht_entry *e)
{
	struct seqs *seqs = arg;

	seqs->at[seqs->n++] = e->seq;
	return HT_OK;
}

static void
model(const struct ht_pseudonym *subject, uint64_t end, struct seqs *ret)
{
	HT_AUTO(ht_index_close) struct ht_index *none = NULL;
	struct ht_filter f = HT_FILTER_ALL;
	uint64_t scanned;

	f.has_subject = true;
	f.subject = *subject;
	f.size = end;
	ret->n = 0;
	assert_ok(ht_index_open(NULL, fix.log, &none));
	assert_ok(ht_index_search(none, &f, scan, ret, &scanned));
}

struct frames {
	size_t n;
	struct ht_buf at[FRAMES];
};

static void
frames_fini(struct frames *frames)
{
	for (size_t i = 0; i < frames->n; i++)
		ht_buf_fini(&frames->at[i]);
	frames->n = 0;
}

static enum ht_err
try_make(const struct ht_pseudonym *subject, uint64_t end,
    struct ht_index *index, struct frames *ret)
{
	HT_AUTO(ht_list_make_free) struct ht_list_make *make = NULL;
	bool more = true;
	enum ht_err err = ht_list_make(fix.log, index, subject, end,
	    ht_log_size(fix.log), UINT64_MAX, &make);

	ret->n = 0;
	while (err == HT_OK && more) {
		assert_in_range(ret->n, 0, FRAMES - 1);
		ret->at[ret->n] = HT_BUF(HT_AUDIT_FRAME_MAX);
		err = ht_list_next(make, &ret->at[ret->n++], &more);
	}
	if (ret->n > 0 && (err != HT_OK || !more))
		ht_buf_fini(&ret->at[--ret->n]);
	if (err != HT_OK)
		frames_fini(ret);
	return err;
}

/* What the lists to be checked are said to be of; all of the log. */
static struct ht_list_part of_part;
static struct ht_list_counts counts; /* of the one checked last */

static enum ht_err
check_against(const struct ht_hash *root, uint64_t size,
    const struct ht_pseudonym *subject, uint64_t end,
    const struct frames *frames, struct seqs *ret, const char **ret_why)
{
	HT_AUTO(ht_list_free) struct ht_list *list = NULL;
	uint64_t bad;
	enum ht_err err =
	    ht_list_new(subject, end, size, root, take, ret, &list);

	if (err != HT_OK)
		return err;
	ht_list_of_part(list, &of_part);
	ret->n = 0;
	*ret_why = NULL;
	for (size_t i = 0; i < frames->n && err == HT_OK; i++)
		err = ht_list_take(
		    list, ht_buf_slice(&frames->at[i]), ret_why, &bad);
	counts = ht_list_counts(list);
	return err == HT_OK ? ht_list_end(list, ret_why, &bad) : err;
}

static enum ht_err
check(const struct ht_pseudonym *subject, uint64_t end,
    const struct frames *frames, struct seqs *ret, const char **ret_why)
{
	uint64_t size = ht_log_size(fix.log);
	struct ht_hash root;

	assert_ok(ht_log_root(fix.log, size, &root));
	return check_against(&root, size, subject, end, frames, ret, ret_why);
}

/* ---- the tests ---- */

static void
each_range_gets_one_root(void **state)
{
	HT_AUTO(ht_index_close) struct ht_index *fresh = NULL;
	uint64_t size;

	(void)state;
	index_all(&fix);
	size = ht_log_size(fix.log);
	assert_int_equal(count_roots(&fix), 2);
	index_all(&fix);
	assert_int_equal(ht_log_size(fix.log), size);
	/* An index made anew finds them. */
	assert_ok(ht_index_destroy(fix.index));
	ht_index_go_on(fix.index);
	index_all(&fix);
	assert_int_equal(ht_log_size(fix.log), size);
}

static void
a_list_has_every_look(void **state)
{
	static struct seqs want, got;
	static struct frames frames;
	uint64_t size = ht_log_size(fix.log);
	const uint64_t ends[] = {0, 1, 100, 1023, 1024, 1025, 2047, 2048, size};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(ends); i++)
		for (unsigned s = 0; s <= SUBJECTS + 1; s++) {
			struct ht_pseudonym subject = ht_history_subject(s);
			const char *why;

			assert_ok(
			    try_make(&subject, ends[i], fix.index, &frames));
			assert_ok(
			    check(&subject, ends[i], &frames, &got, &why));
			want.n = 0;
			if (ends[i] > 0)
				model(&subject, ends[i], &want);
			assert_int_equal(got.n, want.n);
			assert_memory_equal(
			    got.at, want.at, want.n * sizeof(*want.at));
			/* Two rolls, and the rest in frames of rows. */
			if (s == 0 && ends[i] == size)
				assert_int_equal(
				    frames.n, 2 + (size - 2048 + 63) / 64);
			frames_fini(&frames);
		}
}

static void
without_rolls_every_entry_is_shown(void **state)
{
	HT_AUTO(ht_index_close) struct ht_index *none = NULL;
	struct ht_pseudonym subject = ht_history_subject(3);
	struct ht_list_make *make = NULL;
	uint64_t size = ht_log_size(fix.log);
	static struct seqs want, got;
	static struct frames frames;
	const char *why;

	(void)state;
	assert_ok(ht_index_open(NULL, fix.log, &none));
	assert_ok(try_make(&subject, size, none, &frames));
	assert_int_equal(frames.n, (size + 63) / 64);
	assert_ok(check(&subject, size, &frames, &got, &why));
	model(&subject, size, &want);
	assert_int_equal(got.n, want.n);
	frames_fini(&frames);
	assert_err(
	    ht_list_make(fix.log, none, &subject, size, size, size - 1, &make),
	    HT_EAGAIN);
	assert_null(make);
}

/* ---- who would hide a look ---- */

/* The frame at @i made again without its row @row: what it has is proven. */
static void
drop_row(struct frames *frames, size_t i, size_t row)
{
	HT_AUTO(answer_frames_free) struct answer_frames *maker = NULL;
	HT_AUTO(ht_mem_free) struct ht_rows *rows = malloc(sizeof(*rows));
	uint64_t size = ht_log_size(fix.log), bad;
	struct ht_hash root;

	assert_ok(ht_log_root(fix.log, size, &root));
	assert_ok(ht_rows_open(
	    ht_buf_slice(&frames->at[i]), size, &root, rows, &bad));
	memmove(&rows->places[row], &rows->places[row + 1],
	    (rows->n - row - 1) * sizeof(rows->places[0]));
	maker = answer_frames_new(fix.log, size, false, true, 0);
	ht_buf_reset(&frames->at[i]);
	assert_ok(
	    answer_frame(maker, rows->places, rows->n - 1, &frames->at[i]));
}

static void
drop_frame(struct frames *frames, size_t i)
{
	ht_buf_fini(&frames->at[i]);
	frames->n--;
	memmove(&frames->at[i], &frames->at[i + 1],
	    (frames->n - i) * sizeof(frames->at[0]));
}

static void
a_list_of_a_part_begins_where_looks_are_asked_for(void **state)
{
	static const struct {
		uint64_t start;
		enum ht_err want;
	} cases[] = {
	    {0,   HT_EINTEGRITY},
            {63,  HT_EINTEGRITY},
            {64,  HT_OK        },
            {100, HT_OK        }
        };
	HT_AUTO(ht_index_close) struct ht_index *none = NULL;
	struct ht_pseudonym subject = ht_history_subject(3);
	uint64_t size = ht_log_size(fix.log);
	static struct frames frames;
	static struct seqs got;
	const char *why;

	(void)state;
	assert_ok(ht_index_open(NULL, fix.log, &none));
	assert_ok(try_make(&subject, size, none, &frames));
	drop_frame(&frames, 0);
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		of_part.start = cases[i].start;
		assert_err(
		    check(&subject, size, &frames, &got, &why), cases[i].want);
		assert_int_equal(counts.from, cases[i].want == HT_OK ? 64 : 0);
	}
	/* But with its first entry, and no other. */
	drop_frame(&frames, 1);
	assert_err(check(&subject, size, &frames, &got, &why), HT_EINTEGRITY);
	of_part = (struct ht_list_part){0};
	frames_fini(&frames);
}

/* All tags of the log are of the world's one epoch. */
static void
tags_of_other_epochs_are_counted(void **state)
{
	static const char *const epochs[] = {"gx.demo/e0", "gx.demo/e1"};
	HT_AUTO(ht_index_close) struct ht_index *none = NULL;
	struct ht_pseudonym subject = ht_history_subject(3);
	uint64_t size = ht_log_size(fix.log);
	static struct frames frames;
	static struct seqs got;
	const char *why;

	(void)state;
	assert_ok(ht_index_open(NULL, fix.log, &none));
	assert_ok(try_make(&subject, size, none, &frames));
	of_part.epochs = epochs;
	for (of_part.n = 0; of_part.n <= HT_COUNT(epochs); of_part.n++) {
		assert_ok(check(&subject, size, &frames, &got, &why));
		if (of_part.n == 1)
			assert_in_range(counts.other, 1, size - 1);
		else
			assert_int_equal(counts.other, 0);
	}
	of_part = (struct ht_list_part){0};
	frames_fini(&frames);
}

static void
swap_frames(struct frames *frames, size_t i, size_t j)
{
	struct ht_buf kept = frames->at[i];

	frames->at[i] = frames->at[j];
	frames->at[j] = kept;
}

static void
repeat_frame(struct frames *frames, size_t i)
{
	struct ht_buf *last = &frames->at[frames->n++];

	*last = HT_BUF(HT_AUDIT_FRAME_MAX);
	ht_buf_add(last, frames->at[i].at, frames->at[i].len);
}

static void
less_than_all_is_refused(void **state)
{
	static const char *const hows[] = {"a row of a roll", "a whole row",
	    "the last row", "a roll", "both rolls", "a frame", "the last frame",
	    "rolls in another order", "rows before rolls", "a frame twice",
	    "a roll twice", "a roll of another", "a list of another"};
	struct ht_pseudonym me = ht_history_subject(1);
	struct ht_pseudonym other = ht_history_subject(2);
	uint64_t size = ht_log_size(fix.log);
	static struct frames frames, others;
	static struct seqs got;

	(void)state;
	for (size_t how = 0; how < HT_COUNT(hows); how++) {
		const char *why;

		print_message("%s\n", hows[how]);
		assert_ok(try_make(&me, size, fix.index, &frames));
		assert_ok(try_make(&other, size, fix.index, &others));
		switch (how) {
		case 0:
			drop_row(&frames, 2, 5);
			break;
		case 1:
			drop_row(&frames, frames.n - 2, 0);
			break;
		case 2:
			drop_row(&frames, frames.n - 1, 0);
			break;
		case 3:
			drop_frame(&frames, 0);
			break;
		case 4:
			drop_frame(&frames, 0);
			drop_frame(&frames, 0);
			break;
		case 5:
			drop_frame(&frames, 3);
			break;
		case 6:
			drop_frame(&frames, frames.n - 1);
			break;
		case 7:
			swap_frames(&frames, 0, 1);
			break;
		case 8:
			swap_frames(&frames, 1, 2);
			break;
		case 9:
			repeat_frame(&frames, frames.n - 1);
			break;
		case 10:
			ht_buf_fini(&frames.at[2]);
			frames.at[2] = frames.at[--frames.n];
			repeat_frame(&frames, 1);
			swap_frames(&frames, 2, frames.n - 1);
			break;
		case 11:
			ht_buf_reset(&frames.at[0]);
			ht_buf_add(
			    &frames.at[0], others.at[0].at, others.at[0].len);
			break;
		default:
			frames_fini(&frames);
			assert_ok(try_make(&other, size, fix.index, &frames));
			break;
		}
		assert_int_not_equal(
		    check(&me, size, &frames, &got, &why), HT_OK);
		frames_fini(&frames);
		frames_fini(&others);
	}
}

/* Every byte counts: none can be another and all still hold. */
static void
no_byte_of_a_roll_can_be_another(void **state)
{
	struct ht_pseudonym me = ht_history_subject(4);
	uint64_t size = ht_log_size(fix.log);
	static struct frames frames;
	static struct seqs got;
	const char *why;

	(void)state;
	assert_ok(try_make(&me, size, fix.index, &frames));
	for (size_t at = 0; at < frames.at[0].len; at++) {
		frames.at[0].at[at] ^= 1;
		assert_int_not_equal(
		    check(&me, size, &frames, &got, &why), HT_OK);
		frames.at[0].at[at] ^= 1;
	}
	assert_ok(check(&me, size, &frames, &got, &why));
	frames_fini(&frames);
}

static uint64_t
append_root(const struct ht_roll_said *said)
{
	struct ht_buf payload = HT_BUF(HT_LEAF_MAX);
	struct ht_slice part;
	uint64_t seq = ht_log_next(fix.log);

	ht_roll_said_encode(said, &payload);
	part = ht_buf_slice(&payload);
	assert_ok(append_roots(&fix, &part, 1));
	ht_buf_fini(&payload);
	return seq;
}

/* ---- erasing ---- */

static struct ht_doc *
order_about(uint64_t seq, unsigned n)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_buf text = HT_BUF(HT_DOC_MAX), one = HT_BUF(HT_DOC_MAX),
	              note = HT_BUF(HT_DOC_MAX);
	struct ht_doc *doc = NULL;

	ht_buf_fmt(&text,
	    "hutong: erase/v1\norder: gx.demo/7\nlog: " HT_LOGGED_ORIGIN
	    "\nbasis: PIPL 47\nwhat: tags\nissued: 2026-11-24T00:00:00Z\n"
	    "until: 2026-12-24T00:00:00Z\nentries: [%llu",
	    (unsigned long long)seq);
	for (unsigned i = 1; i < n; i++)
		ht_buf_fmt(&text, ", %llu", (unsigned long long)seq + i);
	ht_buf_str(&text, "]\n");
	assert_ok(ht_note_sign(ht_buf_slice(&text), false, "gx.demo/officer-1",
	    ht_logged_world->officers[0], &one));
	assert_ok(ht_note_sign(ht_buf_slice(&one), true, "gx.demo/officer-2",
	    ht_logged_world->officers[1], &note));
	assert_ok(ht_doc_parse(ht_buf_slice(&note), "order", report, &doc));
	ht_buf_fini(&text);
	ht_buf_fini(&one);
	ht_buf_fini(&note);
	return doc;
}

/* As the broker does it. */
static void
erase(uint64_t seq, unsigned n)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_doc_unref) struct ht_doc *order = order_about(seq, n);
	HT_AUTO(ht_erasure_free) struct ht_erasure *plan = NULL;
	struct ht_buf payload = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e = {.type = HT_ENTRY_ERASE};
	struct ht_slice note;

	assert_ok(
	    ht_erase_plan(fix.log, order, NULL, LATER, &never, report, &plan));
	assert_ok(ht_erase_promise(fix.log, plan));
	assert_ok(ht_index_destroy(fix.index));
	assert_ok(ht_erase_payload(plan, order, "gx.demo/officer-1", &payload));
	e.payload = ht_buf_slice(&payload);
	assert_ok(ht_log_append(fix.log, &e, NULL));
	assert_ok(ht_log_commit(fix.log, &note));
	/* Nothing is said about what is being erased. */
	assert_ok(ht_index_roots(fix.index, append_roots, &fix));
	assert_int_equal(ht_log_size(fix.log), e.seq + 1);
	assert_ok(ht_erase_carry_out(fix.log, plan, e.seq));
	ht_index_go_on(fix.index);
	ht_buf_fini(&payload);
}

static void
what_was_erased_leaves_the_roll(void **state)
{
	struct ht_pseudonym me = ht_history_subject(1);
	static struct frames before, after;
	static struct seqs looks, got;
	uint64_t size = ht_log_size(fix.log);
	struct ht_hash root;
	struct ht_verify v = {
	    .vkey = &ht_logged_vkey, .trust = ht_logged_world->trust};
	const char *why;

	(void)state;
	model(&me, size, &looks);
	assert_ok(try_make(&me, size, fix.index, &before));
	assert_ok(ht_log_root(fix.log, size, &root));
	erase(looks.at[0], 10);
	/* No roll fits yet: everything is shown, the erased with the order. */
	assert_ok(try_make(&me, size, fix.index, &after));
	assert_true(after.n > 30);
	assert_ok(check(&me, size, &after, &got, &why));
	assert_int_equal(got.n, looks.n - 10);
	frames_fini(&after);
	/* A new root of the one range; the other's is the same. */
	index_all(&fix);
	assert_int_equal(ht_log_size(fix.log), size + 2);
	assert_ok(try_make(&me, size, fix.index, &after));
	assert_ok(check(&me, size, &after, &got, &why));
	assert_int_equal(got.n, looks.n - 10);
	assert_memory_equal(got.at, &looks.at[10], got.n * sizeof(*got.at));
	frames_fini(&after);
	/* What was proven before still is. */
	assert_ok(check_against(&root, size, &me, size, &before, &got, &why));
	assert_int_equal(got.n, looks.n);
	frames_fini(&before);
	ht_logged_close(&fix);
	assert_ok(ht_verify_log(fix.log_dir, &v));
	assert_int_equal(v.rolls, 3);
	assert_int_equal(v.rolls_gone, 1);
	ht_logged_open(&fix, ht_logged_world->log_key);
	index_all(&fix);
}

static void
an_allocation_that_fails_is_said(void **state)
{
	struct ht_pseudonym me = ht_history_subject(2);
	uint64_t size = ht_log_size(fix.log);
	static struct frames frames;
	static struct seqs got;
	struct ht_hash root;
	const char *why;
	enum ht_err err = HT_OK;

	(void)state;
	assert_ok(ht_log_root(fix.log, size, &root));
	TORTURE(err = try_make(&me, 1088, fix.index, &frames))
	{
		assert_int_equal(err, HT_ENOMEM);
		assert_int_equal(frames.n, 0);
	}
	assert_ok(err);
	TORTURE(
	    err = check_against(&root, size, &me, 1088, &frames, &got, &why))
	{
		assert_int_equal(err, HT_ENOMEM);
	}
	assert_ok(err);
	frames_fini(&frames);
}

/*
 * The broker can write down whatever it likes; `verify` names the entry, and
 * a list that leads to it is evidence against the broker.
 */
static void
a_false_root_is_named(void **state)
{
	struct ht_roll_said said = {.from = 0, .to = 1024, .count = 0};
	struct ht_verify v = {
	    .vkey = &ht_logged_vkey, .trust = ht_logged_world->trust};
	char text[100];
	uint64_t seq;

	(void)state;
	assert_ok(ht_roll_root(NULL, 0, &said.root));
	seq = append_root(&said);
	ht_logged_close(&fix);
	assert_err(ht_verify_log(fix.log_dir, &v), HT_EINTEGRITY);
	assert_true(v.has_bad_seq);
	assert_int_equal(v.bad_seq, seq);
	(void)snprintf(text, sizeof(text), "of entries 0 to 1023 name 0");
	assert_non_null(strstr(v.bad, text));
	ht_logged_open(&fix, ht_logged_world->log_key);
	/* And no other follows it, for nothing was erased since. */
	index_all(&fix);
	assert_int_equal(ht_log_size(fix.log), seq + 1);
}

static void
what_an_index_root_says_has_one_form(void **state)
{
	struct ht_roll_said said = {.from = 1024, .to = 2048, .count = 7}, got;
	struct ht_buf out = HT_BUF(1000);

	(void)state;
	memset(said.root.at, 0x11, HT_HASH_SIZE);
	ht_roll_said_encode(&said, &out);
	assert_ok(ht_roll_said_decode(ht_buf_slice(&out), &got));
	assert_memory_equal(&got, &said, sizeof(got));
	for (size_t len = 0; len < out.len; len++)
		assert_err(ht_roll_said_decode(HT_SLICE(out.at, len), &got),
		    HT_EMALFORMED);
	said.to = said.from;
	ht_buf_reset(&out);
	ht_roll_said_encode(&said, &out);
	assert_err(
	    ht_roll_said_decode(ht_buf_slice(&out), &got), HT_EMALFORMED);
	said.to = said.from + HT_ROLL_LARGE + 1;
	ht_buf_reset(&out);
	ht_roll_said_encode(&said, &out);
	assert_err(
	    ht_roll_said_decode(ht_buf_slice(&out), &got), HT_EMALFORMED);
	ht_buf_fini(&out);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_an_index_root_says_has_one_form),
    cmocka_unit_test(each_range_gets_one_root),
    cmocka_unit_test(a_list_has_every_look),
    cmocka_unit_test(without_rolls_every_entry_is_shown),
    cmocka_unit_test(a_list_of_a_part_begins_where_looks_are_asked_for),
    cmocka_unit_test(tags_of_other_epochs_are_counted),
    cmocka_unit_test(less_than_all_is_refused),
    cmocka_unit_test(no_byte_of_a_roll_can_be_another),
    cmocka_unit_test(what_was_erased_leaves_the_roll),
    cmocka_unit_test(an_allocation_that_fails_is_said),
    cmocka_unit_test(a_false_root_is_named),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, make_log, drop_log);
}
