/*
 * restored.c -- restored SOURCE: does what a crash amid a backup left do for a
 * restore?  One state a line on standard input, one verdict a line on standard
 * output.
 *
 *   DIR LEAST     DIR/log is the state of the backup of the stopped log in
 *                 SOURCE; LEAST entries were in it when it last ended well
 *   -> ok SIZE | refused WHY | bad INVARIANT WHAT
 *
 * The state is restored as hutong-broker restore does, and verified.  Then the
 * backup goes on from it, and that is restored.  The state is changed by it.
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/check/verify.h"
#include "broker/log/copy.h"
#include "lib/base/fs.h"
#include "tests/lib/world.h"

#define NOW_MS UINT64_C(1795482123000)
#define ORIGIN "gx.demo/log"

struct state {
	const struct ht_world *world;
	struct ht_vkey vkey;
	struct ht_log *source;
	char *dir, *first, *second; /* the backup; what is made of it */
	uint64_t least;
	uint64_t found; /* entries of the first restore; 0: refused */
	char why[500];
};

static bool bad(struct state *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static bool
bad(struct state *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	for (char *at = s->why; *at != '\0'; at++)
		if (*at == '\n')
			*at = ' ';
	return false;
}

static const char *
words(const struct ht_report *report)
{
	return ht_report_count(report) > 0 ? ht_report_text(report, 0) : "";
}

/* ---- one restore, as the operator's ---- */

static enum ht_err
copy_from(struct state *s, const char *to, struct ht_report *report,
    struct ht_copy *ret)
{
	HT_AUTO(ht_log_close) struct ht_log *from = NULL;
	enum ht_err err = ht_log_open(s->dir, NULL, NULL, report, &from);

	if (err == HT_ENOTFOUND)
		ht_report_add(report, s->dir, "there is no log");
	if (err != HT_OK)
		return err;
	*ret = (struct ht_copy){
	    .from = from, .dir = to, .kind = HT_COPY_RESTORE, .vkey = &s->vkey};
	err = ht_log_copy(ret, report);
	ret->from = NULL;
	return err;
}

/* B2: it is the source as it was at a size, and signed for. */
static bool
is_of_source(struct state *s, const char *dir, const struct ht_copy *made)
{
	struct ht_verify v = {.vkey = &s->vkey, .trust = s->world->trust};
	struct ht_hash root;
	enum ht_err err = ht_verify_log(dir, &v);

	if (err != HT_OK)
		return bad(s, "B2 what was restored does not verify: %s: %s",
		    ht_err_text(err), v.bad);
	if (v.size != made->size || !v.anchored || v.no_key > 0 ||
	    v.size > ht_log_size(s->source))
		return bad(s,
		    "B2 %" PRIu64 " entries were restored, and %" PRIu64
		    " verify",
		    made->size, v.size);
	if (ht_log_root(s->source, v.size, &root) != HT_OK ||
	    !ht_hash_eq(&root, &v.root))
		return bad(s, "B2 what was restored is another tree than the "
		              "source's");
	return true;
}

/* B1: it holds, or it is refused in words. */
static bool
restores(struct state *s)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_copy made = {0};
	enum ht_err err = copy_from(s, s->first, report, &made);

	if (err == HT_OK) {
		s->found = made.size;
		return is_of_source(s, s->first, &made);
	}
	if (ht_report_count(report) == 0)
		return bad(
		    s, "B1 it is refused without a word: %s", ht_err_text(err));
	(void)bad(s, "%s: %s", ht_err_text(err), words(report));
	return true;
}

/* B4: the next backup goes on, and has everything. */
static bool
goes_on(struct state *s)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_copy made = {.from = s->source,
	    .dir = s->dir,
	    .kind = HT_COPY_BACKUP,
	    .vkey = &s->vkey};
	enum ht_err err = ht_log_copy(&made, report);

	if (err != HT_OK)
		return bad(s, "B4 the next backup does not go on: %s: %s",
		    ht_err_text(err), words(report));
	err = copy_from(s, s->second, report, &made);
	if (err != HT_OK)
		return bad(s, "B4 it went on, and is not restored: %s: %s",
		    ht_err_text(err), words(report));
	if (made.size != ht_log_size(s->source))
		return bad(
		    s, "B4 it went on, and has %" PRIu64 " entries", made.size);
	return is_of_source(s, s->second, &made);
}

static void
judge(struct state *s)
{
	if (!restores(s)) {
		printf("bad %s\n", s->why);
	} else if (s->found < s->least) {
		/* B3: what had ended well is not undone by the next. */
		printf("bad B3 %" PRIu64 " entries, and %" PRIu64
		       " were in it when it ended well: %s\n",
		    s->found, s->least, s->why);
	} else {
		char first[sizeof(s->why)];

		(void)snprintf(first, sizeof(first), "%s", s->why);
		if (!goes_on(s))
			printf("bad %s\n", s->why);
		else if (s->found > 0)
			printf("ok %" PRIu64 "\n", s->found);
		else
			printf("refused %s\n", first);
	}
	fflush(stdout);
}

static void
take_line(struct state *s, const char *line)
{
	char dir[4096];

	s->found = 0;
	s->why[0] = '\0';
	if (sscanf(line, "%4095s %" SCNu64, dir, &s->least) != 2) {
		printf("bad line\n");
		return;
	}
	s->dir = ht_fs_join(dir, "log");
	s->first = ht_fs_join(dir, "first");
	s->second = ht_fs_join(dir, "second");
	judge(s);
	free(s->dir);
	free(s->first);
	free(s->second);
}

int
main(int argc, char **argv)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_world *world;
	struct state s = {0};
	struct ht_pub pub;
	char line[8192];

	if (argc != 2 || ht_keys_init() != HT_OK) {
		fprintf(stderr, "usage: restored SOURCE\n");
		return 2;
	}
	/* LMDB wants megabytes for each opening: let them stay with us. */
	(void)mallopt(M_MMAP_THRESHOLD, 64 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 512 << 20);
	s.world = world = ht_world_new(NOW_MS);
	pub = ht_key_pub(world->log_key);
	if (ht_vkey_make(ORIGIN, &pub, &s.vkey) != HT_OK ||
	    ht_log_open(argv[1], NULL, NULL, report, &s.source) != HT_OK) {
		fprintf(stderr, "restored: %s: no log\n", argv[1]);
		return 2;
	}
	while (fgets(line, sizeof(line), stdin) != NULL)
		take_line(&s, line);
	ht_log_close(&s.source);
	ht_world_free(&world);
	return 0;
}
