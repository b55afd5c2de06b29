/*
 * progress.h -- one line on a terminal while a person waits.
 *
 * Only on a terminal, only after a second, and gone when the work is done.
 */
#ifndef HT_TERM_PROGRESS_H
#define HT_TERM_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct ht_progress {
	const char *what; /* "verifying entries"; borrowed */
	uint64_t total;   /* 0: unknown */
	uint64_t start_ms, shown_ms;
	int fd;
	bool tty;
	bool shown;
};

/* @fd is where to show it, usually STDERR_FILENO. */
void ht_progress_init(struct ht_progress *progress, const char *what,
    uint64_t total, int fd, uint64_t now_ms);
/* May be called for every item: it writes at most five times a second. */
void ht_progress_step(
    struct ht_progress *progress, uint64_t done, uint64_t now_ms);
/* Wipe the line; usable with HT_AUTO. */
void ht_progress_fini(struct ht_progress *progress);

/*
 * The same for who counts by itself: @arg is the progress.  The clock is looked
 * at for every 1024th only.
 */
void ht_progress_told(void *arg, uint64_t done, uint64_t total);

#endif
