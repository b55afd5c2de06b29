/*
 * queue.h -- the one way threads hand work over: a bounded queue of pointers
 * under one mutex.  Sockets and descriptors only wake.
 */
#ifndef HT_BASE_QUEUE_H
#define HT_BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/own.h"

struct ht_queue;

/*
 * @max items; @weight_max bytes (the sum of the weights given to push).
 * @wake: if true the queue has an eventfd, readable while it is not empty.
 */
enum ht_err ht_queue_new(size_t max, size_t weight_max, bool wake,
    struct ht_queue **ret_queue) HT_MUST_USE;
/* Calls @drop on what is left. */
void ht_queue_free(struct ht_queue **queue_p, void (*drop)(void *item));
/* Never blocks.  HT_EAGAIN when full (the item stays the caller's). */
enum ht_err ht_queue_push(struct ht_queue *queue, void *item, size_t weight)
    HT_MUST_USE;
/* Blocks while full; HT_EDENIED once closed. */
enum ht_err ht_queue_push_wait(
    struct ht_queue *queue, void *item, size_t weight) HT_MUST_USE;
/*
 * Up to @max items into @out.  Waits at most @wait_ms (-1: for ever, 0: not)
 * for the first; 0 on time-out, or once closed and empty.
 */
size_t ht_queue_pop(
    struct ht_queue *queue, void **out, size_t max, int wait_ms);
/* No more pushes; poppers drain what is there, then get 0. */
void ht_queue_close(struct ht_queue *queue);
bool ht_queue_closed(struct ht_queue *queue);
size_t ht_queue_depth(struct ht_queue *queue);
int ht_queue_fd(const struct ht_queue *queue); /* -1 without wake */

#endif
