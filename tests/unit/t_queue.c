#include "lib/base/queue.h"

#include <poll.h>
#include <pthread.h>

#include "lib/base/clock.h"
#include "tests/lib/fault.h"
#include "tests/lib/test.h"

static void
free_queue(struct ht_queue **queue_p)
{
	ht_queue_free(queue_p, NULL);
}

static bool
readable(const struct ht_queue *queue)
{
	struct pollfd at = {ht_queue_fd(queue), POLLIN, 0};

	return poll(&at, 1, 0) == 1;
}

static void
items_come_out_in_order(void **state)
{
	HT_AUTO(free_queue) struct ht_queue *queue = NULL;
	static int items[5];
	void *out[5];

	(void)state;
	assert_ok(ht_queue_new(3, 100, false, &queue));
	assert_int_equal(ht_queue_fd(queue), -1);
	/* Several times round the ring. */
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 3; i++)
			assert_ok(ht_queue_push(queue, &items[i], 1));
		assert_err(ht_queue_push(queue, &items[3], 1), HT_EAGAIN);
		assert_int_equal(ht_queue_depth(queue), 3);
		assert_int_equal(ht_queue_pop(queue, out, 2, 0), 2);
		assert_ptr_equal(out[0], &items[0]);
		assert_ptr_equal(out[1], &items[1]);
		assert_ok(ht_queue_push(queue, &items[4], 1));
		assert_int_equal(ht_queue_pop(queue, out, 5, 0), 2);
		assert_ptr_equal(out[0], &items[2]);
		assert_ptr_equal(out[1], &items[4]);
	}
	assert_int_equal(ht_queue_pop(queue, out, 5, 0), 0);
}

static void
weight_is_limited_too(void **state)
{
	HT_AUTO(free_queue) struct ht_queue *queue = NULL;
	int item = 0;
	void *out[1];

	(void)state;
	assert_ok(ht_queue_new(100, 10, false, &queue));
	assert_err(ht_queue_push(queue, &item, 11), HT_ETOOBIG);
	assert_err(ht_queue_push_wait(queue, &item, 11), HT_ETOOBIG);
	assert_ok(ht_queue_push(queue, &item, 6));
	assert_err(ht_queue_push(queue, &item, 5), HT_EAGAIN);
	assert_err(ht_queue_push(queue, &item, SIZE_MAX), HT_ETOOBIG);
	assert_ok(ht_queue_push(queue, &item, 4));
	assert_ok(ht_queue_push(queue, &item, 0));
	assert_int_equal(ht_queue_pop(queue, out, 1, 0), 1);
	assert_ok(ht_queue_push(queue, &item, 6));
}

static void
the_descriptor_is_readable_while_not_empty(void **state)
{
	HT_AUTO(free_queue) struct ht_queue *queue = NULL;
	int item = 0;
	void *out[1];

	(void)state;
	assert_ok(ht_queue_new(10, 10, true, &queue));
	assert_false(readable(queue));
	assert_ok(ht_queue_push(queue, &item, 1));
	assert_ok(ht_queue_push(queue, &item, 1));
	assert_true(readable(queue));
	assert_int_equal(ht_queue_pop(queue, out, 1, 0), 1);
	assert_true(readable(queue));
	assert_int_equal(ht_queue_pop(queue, out, 1, 0), 1);
	assert_false(readable(queue));
	ht_queue_close(queue);
	assert_true(readable(queue)); /* so that the popper hears of it */
	assert_int_equal(ht_queue_pop(queue, out, 1, -1), 0);
	assert_true(readable(queue));
}

static void
a_closed_queue_is_drained(void **state)
{
	HT_AUTO(free_queue) struct ht_queue *queue = NULL;
	int item = 0;
	void *out[3];

	(void)state;
	assert_ok(ht_queue_new(10, 10, false, &queue));
	assert_ok(ht_queue_push(queue, &item, 1));
	assert_false(ht_queue_closed(queue));
	ht_queue_close(queue);
	ht_queue_close(queue);
	assert_true(ht_queue_closed(queue));
	assert_err(ht_queue_push(queue, &item, 1), HT_EDENIED);
	assert_err(ht_queue_push_wait(queue, &item, 1), HT_EDENIED);
	assert_int_equal(ht_queue_pop(queue, out, 3, -1), 1);
	assert_int_equal(ht_queue_pop(queue, out, 3, -1), 0);
}

static void
a_wait_ends_in_time(void **state)
{
	HT_AUTO(free_queue) struct ht_queue *queue = NULL;
	uint64_t before = ht_clock_mono_ms();
	void *out[1];

	(void)state;
	assert_ok(ht_queue_new(10, 10, false, &queue));
	assert_int_equal(ht_queue_pop(queue, out, 1, 30), 0);
	assert_true(ht_clock_mono_ms() - before >= 29);
}

static void
count_drop(void *item)
{
	++*(int *)item;
}

static void
what_is_left_is_dropped(void **state)
{
	struct ht_queue *queue = NULL;
	int a = 0, b = 0;

	(void)state;
	assert_ok(ht_queue_new(10, 10, true, &queue));
	assert_ok(ht_queue_push(queue, &a, 1));
	assert_ok(ht_queue_push(queue, &b, 1));
	ht_queue_free(&queue, count_drop);
	assert_null(queue);
	assert_int_equal(a, 1);
	assert_int_equal(b, 1);
	ht_queue_free(&queue, count_drop);
}

/* ---- threads: all that went in comes out, once, in each pusher's order ----
 */

#define PUSHERS 3
#define POPPERS 2
#define EACH    5000

static struct {
	struct ht_queue *queue;
	int items[PUSHERS][EACH];
} work;

static void *
push_all(void *arg)
{
	int *items = arg;

	for (int i = 0; i < EACH; i++)
		if (ht_queue_push_wait(work.queue, &items[i], 1) != HT_OK)
			return NULL;
	return arg;
}

static void *
pop_all(void *arg)
{
	void *out[16];
	size_t n;

	while ((n = ht_queue_pop(work.queue, out, 16, -1)) > 0)
		for (size_t i = 0; i < n; i++)
			++*(int *)out[i];
	return arg;
}

static void
threads_hand_over_everything_once(void **state)
{
	pthread_t pushers[PUSHERS], poppers[POPPERS];

	(void)state;
	assert_ok(ht_queue_new(7, 7, true, &work.queue));
	for (int i = 0; i < POPPERS; i++)
		assert_int_equal(
		    pthread_create(&poppers[i], NULL, pop_all, NULL), 0);
	for (int i = 0; i < PUSHERS; i++)
		assert_int_equal(
		    pthread_create(&pushers[i], NULL, push_all, work.items[i]),
		    0);
	for (int i = 0; i < PUSHERS; i++) {
		void *done = NULL;

		assert_int_equal(pthread_join(pushers[i], &done), 0);
		assert_ptr_equal(done, work.items[i]);
	}
	ht_queue_close(work.queue);
	for (int i = 0; i < POPPERS; i++)
		assert_int_equal(pthread_join(poppers[i], NULL), 0);
	for (int i = 0; i < PUSHERS; i++)
		for (int j = 0; j < EACH; j++)
			assert_int_equal(work.items[i][j], 1);
	ht_queue_free(&work.queue, NULL);
}

static void *
push_one_more(void *arg)
{
	static int item;
	enum ht_err *err = arg;

	*err = ht_queue_push_wait(work.queue, &item, 1);
	return NULL;
}

static void
closing_frees_a_waiting_pusher(void **state)
{
	enum ht_err err = HT_OK;
	pthread_t pusher;
	int item = 0;

	(void)state;
	assert_ok(ht_queue_new(1, 1, false, &work.queue));
	assert_ok(ht_queue_push(work.queue, &item, 1));
	assert_int_equal(pthread_create(&pusher, NULL, push_one_more, &err), 0);
	ht_queue_close(work.queue);
	assert_int_equal(pthread_join(pusher, NULL), 0);
	assert_err(err, HT_EDENIED);
	ht_queue_free(&work.queue, NULL);
}

static void
a_queue_survives_no_memory(void **state)
{
	struct ht_queue *queue = NULL;
	enum ht_err err = HT_OK;

	(void)state;
	TORTURE(err = ht_queue_new(10, 10, true, &queue))
	{
		assert_err(err, HT_ENOMEM);
		assert_null(queue);
	}
	assert_ok(err);
	ht_queue_free(&queue, NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(items_come_out_in_order),
    cmocka_unit_test(weight_is_limited_too),
    cmocka_unit_test(the_descriptor_is_readable_while_not_empty),
    cmocka_unit_test(a_closed_queue_is_drained),
    cmocka_unit_test(a_wait_ends_in_time),
    cmocka_unit_test(what_is_left_is_dropped),
    cmocka_unit_test(threads_hand_over_everything_once),
    cmocka_unit_test(closing_frees_a_waiting_pusher),
    cmocka_unit_test(a_queue_survives_no_memory),
};

HT_TEST_MAIN(tests)
