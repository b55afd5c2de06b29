/*
 * node_load.c -- loading what was fetched, in a thread beside the loop: the
 * node answers meanwhile, by the snapshot in force until now.  The one that was
 * replaced is taken apart by the thread as well.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "adapters/node.h"
#include "lib/base/fs.h"

enum ht_err
node_load_open(struct ht_node *node)
{
	node->loader.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return node->loader.event_fd == -1 ? HT_ESYSTEM : HT_OK;
}

bool
node_loading(const struct ht_node *node)
{
	return node->loader.loading;
}

/* ---- the thread ---- */

static enum ht_err
patch(struct node_loader *l)
{
	struct node_news *f = &l->news;
	HT_AUTO(ht_mem_free)
	struct ht_slice *both = calloc(2 * f->n + 1, sizeof(*both));
	struct ht_trust_news news = {
	    .snapshot = ht_buf_slice(&f->note),
	    .current = ht_buf_slice(&f->current),
	    .whole = f->since == 0,
	    .gone = ht_buf_slice(&f->gone),
	    .n = f->n,
	    .lines = both,
	    .notes = both != NULL ? both + f->n : NULL,
	};

	if (both == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < f->n; i++) {
		both[i] = ht_buf_slice(&f->docs[i].line);
		both[f->n + i] = ht_buf_slice(&f->docs[i].note);
	}
	return ht_trust_patch(&l->root, &news, l->before, l->report, &l->trust);
}

static void *
run(void *arg)
{
	struct node_loader *l = arg;
	uint64_t one = 1;

	/* Either there is one to load, or one to take apart. */
	if (l->loading)
		l->err = patch(l);
	else
		ht_trust_unref(&l->old);
	atomic_store(&l->ended, true);
	(void)!write(l->event_fd, &one, sizeof(one));
	return NULL;
}

static enum ht_err
start(struct node_loader *l)
{
	sigset_t all, before;

	atomic_store(&l->ended, false);
	/* Signals belong to the program's own threads. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	l->started = pthread_create(&l->thread, NULL, run, l) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return l->started ? HT_OK : HT_ESYSTEM;
}

static void
join(struct node_loader *l)
{
	if (l->started)
		(void)pthread_join(l->thread, NULL);
	l->started = false;
}

/* ---- beginning and ending ---- */

void
node_load(struct ht_node *node, struct node_news *news)
{
	struct node_loader *l = &node->loader;

	join(l); /* one that was being taken apart: some milliseconds */
	l->news = *news;
	memset(news, 0, sizeof(*news));
	l->root = node->root;
	l->report = ht_report_new();
	l->before = node->trust != NULL ? ht_trust_ref(node->trust) : NULL;
	l->again = false;
	l->loading = true;
	/* Without a thread the loop has to do it. */
	if (start(l) != HT_OK)
		(void)run(l);
}

static void
loaded(struct ht_node *node)
{
	struct node_loader *l = &node->loader;
	HT_AUTO(ht_report_free) struct ht_report *report = HT_TAKE(l->report);
	HT_AUTO(ht_trust_unref) struct ht_trust *trust = HT_TAKE(l->trust);
	uint64_t since = l->news.since;
	size_t n = l->news.n;

	l->loading = false;
	node_news_fini(&l->news);
	ht_trust_unref(&l->before);
	if (node->phase != NODE_BROKEN)
		node_loaded(node, l->err, since, n, report, &trust);
}

void
node_load_old(struct ht_node *node, struct ht_trust *old)
{
	struct node_loader *l = &node->loader;

	/* One waits already, or is at work: this one is on us. */
	if (!l->started && l->old == NULL)
		l->old = old;
	else
		ht_trust_unref(&old);
}

void
node_load_turn(struct ht_node *node)
{
	struct node_loader *l = &node->loader;
	uint64_t count;

	if (node_loading(node) || l->started) {
		if (!atomic_load(&l->ended))
			return;
		(void)!read(l->event_fd, &count, sizeof(count));
		join(l);
		if (node_loading(node))
			loaded(node);
	}
	if (!l->started && !node_loading(node) && l->old != NULL &&
	    ht_trust_alone(l->old) && start(l) != HT_OK)
		ht_trust_unref(&l->old);
}

void
node_load_close(struct ht_node *node)
{
	struct node_loader *l = &node->loader;

	join(l);
	node_news_fini(&l->news);
	ht_report_free(&l->report);
	ht_trust_unref(&l->before);
	ht_trust_unref(&l->trust);
	ht_trust_unref(&l->old);
	ht_fd_close(&l->event_fd);
}
