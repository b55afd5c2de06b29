#include "lib/base/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/panic.h"

struct item {
	void *what;
	size_t weight;
};

struct ht_queue {
	pthread_mutex_t lock;
	pthread_cond_t not_empty;
	pthread_cond_t not_full;
	int wake_fd; /* readable while there is something, or it is closed */
	bool closed;
	size_t max, weight_max;
	size_t head, count, weight;
	struct item ring[];
};

static void
lock(struct ht_queue *queue)
{
	HT_ASSERT(pthread_mutex_lock(&queue->lock) == 0);
}

static void
unlock(struct ht_queue *queue)
{
	HT_ASSERT(queue->count <= queue->max);
	HT_ASSERT(queue->weight <= queue->weight_max);
	HT_ASSERT(pthread_mutex_unlock(&queue->lock) == 0);
}

/* Waits are measured by a clock that nobody sets. */
static void
init_cond(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	HT_ASSERT(pthread_condattr_init(&attr) == 0);
	HT_ASSERT(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
	HT_ASSERT(pthread_cond_init(cond, &attr) == 0);
	HT_ASSERT(pthread_condattr_destroy(&attr) == 0);
}

enum ht_err
ht_queue_new(
    size_t max, size_t weight_max, bool wake, struct ht_queue **ret_queue)
{
	struct ht_queue *queue;

	HT_ASSERT(max > 0 && max < SIZE_MAX / 2 / sizeof(struct item));
	queue = calloc(1, sizeof(*queue) + max * sizeof(struct item));
	if (queue == NULL)
		return HT_ENOMEM;
	queue->max = max;
	queue->weight_max = weight_max;
	queue->wake_fd = -1;
	if (wake) {
		queue->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (queue->wake_fd == -1) {
			free(queue);
			return HT_ESYSTEM;
		}
	}
	HT_ASSERT(pthread_mutex_init(&queue->lock, NULL) == 0);
	init_cond(&queue->not_empty);
	init_cond(&queue->not_full);
	*ret_queue = queue;
	return HT_OK;
}

static void *
take_head(struct ht_queue *queue)
{
	struct item item = queue->ring[queue->head];

	HT_ASSERT(queue->count > 0);
	queue->head = (queue->head + 1) % queue->max;
	queue->count--;
	queue->weight -= item.weight;
	return item.what;
}

void
ht_queue_free(struct ht_queue **queue_p, void (*drop)(void *item))
{
	struct ht_queue *queue = *queue_p;

	if (queue == NULL)
		return;
	*queue_p = NULL;
	while (queue->count > 0) {
		void *item = take_head(queue);

		if (drop != NULL)
			drop(item);
	}
	HT_ASSERT(pthread_cond_destroy(&queue->not_empty) == 0);
	HT_ASSERT(pthread_cond_destroy(&queue->not_full) == 0);
	HT_ASSERT(pthread_mutex_destroy(&queue->lock) == 0);
	ht_fd_close(&queue->wake_fd);
	free(queue);
}

static void
wake(const struct ht_queue *queue)
{
	uint64_t one = 1;

	if (queue->wake_fd != -1)
		HT_ASSERT(write(queue->wake_fd, &one, sizeof(one)) ==
		          (ssize_t)sizeof(one));
}

static void
hush(const struct ht_queue *queue)
{
	uint64_t seen;

	if (queue->wake_fd != -1)
		HT_ASSERT(read(queue->wake_fd, &seen, sizeof(seen)) ==
		          (ssize_t)sizeof(seen));
}

static bool
fits(const struct ht_queue *queue, size_t weight)
{
	return queue->count < queue->max &&
	       weight <= queue->weight_max - queue->weight;
}

static void
put_tail(struct ht_queue *queue, void *item, size_t weight)
{
	size_t tail = (queue->head + queue->count) % queue->max;

	queue->ring[tail] = (struct item){item, weight};
	queue->weight += weight;
	if (queue->count++ == 0)
		wake(queue);
	HT_ASSERT(pthread_cond_signal(&queue->not_empty) == 0);
}

static enum ht_err
push(struct ht_queue *queue, void *item, size_t weight, bool wait)
{
	enum ht_err err = HT_OK;

	/* It would never fit, and waiting would never end. */
	if (weight > queue->weight_max)
		return HT_ETOOBIG;
	lock(queue);
	while (wait && !queue->closed && !fits(queue, weight))
		HT_ASSERT(
		    pthread_cond_wait(&queue->not_full, &queue->lock) == 0);
	if (queue->closed)
		err = HT_EDENIED;
	else if (!fits(queue, weight))
		err = HT_EAGAIN;
	else
		put_tail(queue, item, weight);
	unlock(queue);
	return err;
}

enum ht_err
ht_queue_push(struct ht_queue *queue, void *item, size_t weight)
{
	return push(queue, item, weight, false);
}

enum ht_err
ht_queue_push_wait(struct ht_queue *queue, void *item, size_t weight)
{
	return push(queue, item, weight, true);
}

static struct timespec
in_ms(int wait_ms)
{
	struct timespec at;

	HT_ASSERT(clock_gettime(CLOCK_MONOTONIC, &at) == 0);
	at.tv_sec += wait_ms / 1000;
	at.tv_nsec += wait_ms % 1000 * 1000000L;
	if (at.tv_nsec >= 1000000000L) {
		at.tv_nsec -= 1000000000L;
		at.tv_sec++;
	}
	return at;
}

/* Until there is an item, it is closed, or the time is over. */
static void
await_item(struct ht_queue *queue, int wait_ms)
{
	struct timespec until;
	int rc = 0;

	if (wait_ms == 0)
		return;
	if (wait_ms > 0)
		until = in_ms(wait_ms);
	while (queue->count == 0 && !queue->closed && rc != ETIMEDOUT) {
		if (wait_ms < 0)
			rc = pthread_cond_wait(&queue->not_empty, &queue->lock);
		else
			rc = pthread_cond_timedwait(
			    &queue->not_empty, &queue->lock, &until);
		HT_ASSERT(rc == 0 || rc == ETIMEDOUT);
	}
}

size_t
ht_queue_pop(struct ht_queue *queue, void **out, size_t max, int wait_ms)
{
	size_t n = 0;

	lock(queue);
	await_item(queue, wait_ms);
	while (n < max && queue->count > 0)
		out[n++] = take_head(queue);
	if (n > 0) {
		if (queue->count == 0 && !queue->closed)
			hush(queue);
		HT_ASSERT(pthread_cond_broadcast(&queue->not_full) == 0);
	}
	unlock(queue);
	return n;
}

void
ht_queue_close(struct ht_queue *queue)
{
	lock(queue);
	if (!queue->closed) {
		queue->closed = true;
		wake(queue);
		HT_ASSERT(pthread_cond_broadcast(&queue->not_empty) == 0);
		HT_ASSERT(pthread_cond_broadcast(&queue->not_full) == 0);
	}
	unlock(queue);
}

bool
ht_queue_closed(struct ht_queue *queue)
{
	bool closed;

	lock(queue);
	closed = queue->closed;
	unlock(queue);
	return closed;
}

size_t
ht_queue_depth(struct ht_queue *queue)
{
	size_t depth;

	lock(queue);
	depth = queue->count;
	unlock(queue);
	return depth;
}

int
ht_queue_fd(const struct ht_queue *queue)
{
	return queue->wake_fd;
}
