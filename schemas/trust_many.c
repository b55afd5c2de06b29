/*
 * trust_many.c -- the first load of a hundred thousand grants is a matter of
 * Ed25519 alone, and every core may have its share of it.
 *
 * What is done here in parallel is silent: it can only find documents good.
 * The rest is done again, in order and with findings, by the caller.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "schemas/trust_in.h"

#define THREADS_MAX 8  /* more would only warm the room */
#define CHUNK       64 /* documents taken at a time */

struct many {
	ht_each_fn *each;
	void *arg;
	size_t n;
	_Atomic size_t next;
};

static void *
work(void *arg)
{
	struct many *many = arg;
	size_t at;

	while ((at = atomic_fetch_add(&many->next, CHUNK)) < many->n)
		for (size_t i = at; i < at + CHUNK && i < many->n; i++)
			many->each(many->arg, i);
	return NULL;
}

static size_t
helpers(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (cores <= 1)
		return 0;
	return cores > THREADS_MAX ? THREADS_MAX - 1 : (size_t)cores - 1;
}

/* A thread that cannot be had is one helper less, nothing worse. */
void
ht_each(size_t n, ht_each_fn *each, void *arg)
{
	struct many many = {.each = each, .arg = arg, .n = n};
	pthread_t threads[THREADS_MAX];
	sigset_t all, before;
	size_t started = 0, want = helpers();

	/* Signals belong to the program's own threads. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	while (started < want &&
	       pthread_create(&threads[started], NULL, work, &many) == 0)
		started++;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)work(&many);
	for (size_t i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
}
