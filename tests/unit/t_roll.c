/* The roll of subjects: lists that are whole, against a naive model. */
#include "tests/lib/test.h"

#include "broker/index/roll.h"
#include "tests/lib/fault.h"

#define ROWS_MAX 200

/* Small numbers, so that subjects meet and neighbours are near. */
static uint64_t seed;

static unsigned
dice(unsigned sides)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % sides;
}

static struct ht_pseudonym
subject_no(unsigned n)
{
	struct ht_pseudonym p;

	memset(p.at, 0x55, sizeof(p.at));
	p.at[7] = (uint8_t)n;
	return p;
}

struct roll {
	size_t n;
	struct ht_roll_row rows[ROWS_MAX];
	struct ht_hash root;
};

/* A history: @n looks at subjects 1, 3, 5, ...; evens were never looked at. */
static void
make_roll(struct roll *r, size_t n, unsigned subjects)
{
	r->n = n;
	for (size_t i = 0; i < n; i++) {
		r->rows[i].subject = subject_no(2 * dice(subjects) + 1);
		r->rows[i].seq = 10 * i + dice(10);
		ht_be64(r->rows[i].salt, dice(1000000));
		ht_be64(r->rows[i].salt + 8, i);
	}
	assert_ok(ht_roll_sort(r->rows, n));
	assert_ok(ht_roll_root(r->rows, n, &r->root));
}

struct found {
	size_t n;
	uint64_t seqs[ROWS_MAX];
};

static enum ht_err
take(void *arg, uint64_t seq)
{
	struct found *f = arg;

	f->seqs[f->n++] = seq;
	return HT_OK;
}

/* By looking at everything. */
static struct found
model(const struct roll *r, const struct ht_pseudonym *subject)
{
	struct found f = {0};

	for (size_t i = 0; i < r->n; i++)
		if (memcmp(&r->rows[i].subject, subject, sizeof(*subject)) == 0)
			f.seqs[f.n++] = r->rows[i].seq;
	return f;
}

static enum ht_err
check(const struct roll *r, struct ht_slice proof,
    const struct ht_pseudonym *subject, struct found *f)
{
	*f = (struct found){0};
	return ht_roll_check(proof, &r->root, r->n, subject, take, f);
}

static void
every_list_is_whole(void **state)
{
	static struct roll r;

	(void)state;
	for (size_t n = 0; n <= 70; n++)
		for (unsigned subjects = 1; subjects <= 12; subjects += 3) {
			make_roll(&r, n, subjects);
			/* Present and absent, before the first, after all. */
			for (unsigned s = 0; s <= 2 * subjects + 1; s++) {
				struct ht_pseudonym p = subject_no(s);
				struct found want = model(&r, &p), got;
				struct ht_buf proof = HT_BUF(1 << 16);

				assert_ok(
				    ht_roll_prove(r.rows, r.n, &p, &proof));
				assert_ok(
				    check(&r, ht_buf_slice(&proof), &p, &got));
				assert_int_equal(got.n, want.n);
				assert_memory_equal(got.seqs, want.seqs,
				    want.n * sizeof(want.seqs[0]));
				ht_buf_fini(&proof);
			}
		}
}

/* The proof of a roll that lacks one row, against the roll that has it. */
static void
an_omission_is_found(void **state)
{
	static struct roll whole, part;

	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		size_t gone;
		struct ht_pseudonym p;
		struct found got;
		struct ht_buf proof = HT_BUF(1 << 16);

		make_roll(&whole, 3 + dice(60), 6);
		gone = dice((unsigned)whole.n);
		part = whole;
		part.n--;
		memmove(&part.rows[gone], &part.rows[gone + 1],
		    (part.n - gone) * sizeof(part.rows[0]));
		p = whole.rows[gone].subject;
		assert_ok(ht_roll_prove(part.rows, part.n, &p, &proof));
		assert_err(check(&whole, ht_buf_slice(&proof), &p, &got),
		    HT_EINTEGRITY);
		assert_int_equal(got.n, 0); /* nothing of it is told */
		ht_buf_fini(&proof);
	}
}

/* Another's list, or a list of the same without an end, is none. */
static void
a_list_is_of_its_subject(void **state)
{
	static struct roll r;
	struct ht_pseudonym a = subject_no(3), b = subject_no(5), none;
	struct ht_buf proof = HT_BUF(1 << 16);
	struct found got;

	(void)state;
	make_roll(&r, 60, 5);
	assert_true(model(&r, &a).n > 1 && model(&r, &b).n > 1);
	assert_ok(ht_roll_prove(r.rows, r.n, &a, &proof));
	assert_err(check(&r, ht_buf_slice(&proof), &b, &got), HT_EINTEGRITY);
	none = subject_no(0);
	assert_err(check(&r, ht_buf_slice(&proof), &none, &got), HT_EINTEGRITY);
	none = subject_no(255);
	assert_err(check(&r, ht_buf_slice(&proof), &none, &got), HT_EINTEGRITY);
	/* Of a longer roll. */
	r.n++;
	assert_err(check(&r, ht_buf_slice(&proof), &a, &got), HT_EINTEGRITY);
	ht_buf_fini(&proof);
}

/* No byte of a proof can be another, unless it proves the same. */
static void
a_proof_bent_anywhere_proves_nothing_else(void **state)
{
	static struct roll r;
	uint8_t copy[1 << 14];

	(void)state;
	for (unsigned s = 0; s <= 9; s++) {
		struct ht_pseudonym p = subject_no(s);
		struct ht_buf proof = HT_BUF(sizeof(copy));
		struct found want, got;

		make_roll(&r, 33, 4);
		want = model(&r, &p);
		assert_ok(ht_roll_prove(r.rows, r.n, &p, &proof));
		for (size_t i = 0; i < 8 * proof.len; i++) {
			memcpy(copy, proof.at, proof.len);
			copy[i / 8] ^= (uint8_t)(1 << i % 8);
			if (check(&r, HT_SLICE(copy, proof.len), &p, &got) ==
			    HT_OK)
				fail_msg("bit %zu of the proof of %u", i, s);
			assert_int_equal(got.n, 0);
		}
		(void)want;
		ht_buf_fini(&proof);
	}
}

static void
a_row_stands_once(void **state)
{
	struct ht_roll_row rows[2] = {
	    {.subject = subject_no(1), .seq = 4},
	    {.subject = subject_no(1), .seq = 4}
        };

	(void)state;
	assert_err(ht_roll_sort(rows, 2), HT_EINVALID);
	rows[1].seq = 3;
	assert_ok(ht_roll_sort(rows, 2));
	assert_int_equal(rows[0].seq, 3);
}

/* With another salt the leaf is another: no guess without it. */
static void
a_leaf_hides_its_subject(void **state)
{
	struct ht_roll_row a = {.subject = subject_no(1), .seq = 4}, b = a;
	struct ht_hash x = ht_roll_leaf(&a), y;

	(void)state;
	b.salt[15] ^= 1;
	y = ht_roll_leaf(&b);
	assert_false(ht_hash_eq(&x, &y));
}

static void
a_roll_survives_no_memory(void **state)
{
	static struct roll r;
	struct ht_pseudonym p = subject_no(3);
	struct ht_buf proof = HT_BUF(1 << 16);
	struct found got = {0};
	enum ht_err err = HT_OK;

	(void)state;
	make_roll(&r, 20, 4);
	TORTURE((ht_buf_fini(&proof), proof = HT_BUF(1 << 16),
	    err = ht_roll_prove(r.rows, r.n, &p, &proof)))
	assert_err(err, HT_ENOMEM);
	assert_ok(err);
	TORTURE(err = check(&r, ht_buf_slice(&proof), &p, &got))
	{
		assert_err(err, HT_ENOMEM);
		assert_int_equal(got.n, 0);
	}
	assert_ok(err);
	ht_buf_fini(&proof);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_list_is_whole),
	    cmocka_unit_test(an_omission_is_found),
	    cmocka_unit_test(a_list_is_of_its_subject),
	    cmocka_unit_test(a_proof_bent_anywhere_proves_nothing_else),
	    cmocka_unit_test(a_row_stands_once),
	    cmocka_unit_test(a_leaf_hides_its_subject),
	    cmocka_unit_test(a_roll_survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
