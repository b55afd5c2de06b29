#include "broker/core_in.h"

#include "tests/lib/test.h"

#define ANSWERS 100 /* nodes that fetch a large catalog at the same moment */
#define DOC     (1 << 20)

/* However much is said between two looks at the front, it is no error. */
static void
many_large_answers_wait_for_the_front(void **state)
{
	static struct core core; /* large */
	uint8_t *doc = calloc(1, DOC);
	struct ht_message *m = &core.m;
	unsigned full_at = 0;

	(void)state;
	assert_non_null(doc);
	core.link.fd = -1;
	core.link.own = HT_BUF((size_t)64 << 20);
	for (unsigned i = 0; i < 2 * ANSWERS; i++) {
		m->type = HT_MSG_SNAPSHOT;
		m->snapshot.total = m->snapshot.n_docs = 1;
		m->snapshot.docs[0] = HT_SLICE(doc, DOC);
		link_send(&core, HT_SLICE("node", 4));
		assert_ok(core.link.own.err);
		if (full_at == 0 && link_full(&core))
			full_at = i;
	}
	assert_in_range(core.link.waiting + core.link.own.len,
	    (uint64_t)2 * ANSWERS * DOC, (uint64_t)3 * ANSWERS * DOC);
	assert_int_equal(core.link.said, core.link.waiting + core.link.own.len);
	/* Before that, questions are told to wait. */
	assert_in_range(full_at, ANSWERS, 2 * ANSWERS - 1);
	link_close(&core);
	assert_false(link_full(&core));
	assert_int_equal(core.link.waiting, 0);
	free(doc);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(many_large_answers_wait_for_the_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
