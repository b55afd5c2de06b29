#include "lib/term/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"

#define PATIENCE_MS 1000 /* shorter work needs no line */
#define PAUSE_MS    200  /* between two, so that it can be read */
#define CLOCK_EVERY 1024 /* of what is counted, between looks at the clock */
#define WIPE        "\r\033[K"

void
ht_progress_init(struct ht_progress *progress, const char *what, uint64_t total,
    int fd, uint64_t now_ms)
{
	*progress = (struct ht_progress){
	    .what = what,
	    .total = total,
	    .start_ms = now_ms,
	    .fd = fd,
	    .tty = isatty(fd) == 1,
	};
}

static void
show(const struct ht_progress *progress, const char *text)
{
	/* A terminal that takes no text has nobody before it. */
	ssize_t unused = write(progress->fd, text, strlen(text));

	(void)unused;
}

/* Seconds left at the speed so far. */
static uint64_t
seconds_left(const struct ht_progress *progress, uint64_t done, uint64_t now_ms)
{
	double spent_ms = (double)(now_ms - progress->start_ms);
	double left = (double)(progress->total - done);

	return (uint64_t)(spent_ms * left / (double)done / 1000.0 + 0.5);
}

void
ht_progress_step(struct ht_progress *progress, uint64_t done, uint64_t now_ms)
{
	char line[200];

	if (!progress->tty || now_ms < progress->start_ms + PATIENCE_MS ||
	    now_ms < progress->shown_ms + PAUSE_MS)
		return;
	progress->shown = true;
	progress->shown_ms = now_ms;
	if (progress->total == 0 || done == 0 || done > progress->total)
		(void)snprintf(line, sizeof(line), WIPE "%.80s: %ju",
		    progress->what, (uintmax_t)done);
	else
		(void)snprintf(line, sizeof(line),
		    WIPE "%.80s: %ju of %ju (%u %%), %ju s left",
		    progress->what, (uintmax_t)done, (uintmax_t)progress->total,
		    (unsigned)((double)done * 100.0 / (double)progress->total),
		    (uintmax_t)seconds_left(progress, done, now_ms));
	show(progress, line);
}

void
ht_progress_fini(struct ht_progress *progress)
{
	if (progress->shown)
		show(progress, WIPE);
	progress->shown = false;
}

void
ht_progress_told(void *arg, uint64_t done, uint64_t total)
{
	struct ht_progress *p = arg;

	p->total = total;
	if (done % CLOCK_EVERY == 0)
		ht_progress_step(p, done, ht_clock_mono_ms());
}
