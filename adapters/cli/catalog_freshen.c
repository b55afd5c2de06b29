/*
 * catalog_freshen.c -- hutong catalog freshen: the current note, which puts a
 * snapshot in force for some hours, keeps it there, and suspends.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "adapters/cli/catalog.h"
#include "adapters/cli/catalog_publish.h"
#include "adapters/cli/cli.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"

/* ---- the note ---- */

#define NAMES_MAX 1024

struct freshen {
	const char *dir;
	const char *root_path;
	const char *key_path;
	uint64_t life_ms;
	uint64_t every_ms; /* 0: once */
	struct ht_args suspend;
	struct ht_args resume;
	struct ht_root root;
	struct ht_key *key;
	struct ht_keyfile file;
	/* What stays suspended: strings of the old note, or of the options. */
	struct ht_doc *old;
	size_t n;
	const char *names[NAMES_MAX];
};

static void
freshen_fini(struct freshen *f)
{
	ht_key_free(&f->key);
	ht_doc_unref(&f->old);
}

static bool
among(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static int
add_name(struct freshen *f, const char *name)
{
	if (among(f->names, f->n, name))
		return HT_CLI_GO;
	if (f->n == NAMES_MAX)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "more than %d are suspended; end grants by a new snapshot",
		    NAMES_MAX);
	f->names[f->n++] = name;
	return HT_CLI_GO;
}

/* A suspension lasts until it is lifted, however often one freshens. */
static int
carry_over(struct freshen *f)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	bool there;
	enum ht_err err;
	int rc = ht_cli_read_in(f->dir, "current.note", &note, &there);

	f->n = 0;
	ht_doc_unref(&f->old);
	if (rc == HT_CLI_GO && there) {
		err = ht_doc_parse(
		    ht_buf_slice(&note), "current.note", report, &f->old);
		if (err == HT_OK && f->old->kind != HT_DOC_CURRENT)
			err = HT_EINVALID;
		if (err != HT_OK)
			return ht_cli_error(err, report,
			    "cannot read the current note in", f->dir);
		for (unsigned i = 0; i < f->old->current->n_suspended; i++) {
			const char *name = f->old->current->suspended[i];

			if (!among(f->resume.at, f->resume.n, name))
				rc = add_name(f, name);
		}
	}
	for (size_t i = 0; i < f->suspend.n && rc == HT_CLI_GO; i++)
		rc = add_name(f, f->suspend.at[i]);
	return rc;
}

static int
current_text(struct freshen *f, const struct ht_doc *snapshot, uint64_t now_ms,
    struct ht_buf *out)
{
	char hex[2 * HT_HASH_SIZE + 1];
	char issued[HT_TIME_SIZE], until[HT_TIME_SIZE];

	if (f->old != NULL && f->old->current->issued_ms > now_ms)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "the note in force was issued in the future; set this "
		    "machine's clock");
	ht_hex(hex, snapshot->hash.at, sizeof(snapshot->hash.at));
	ht_time_text(issued, now_ms * 1000);
	ht_time_text(until, (now_ms + f->life_ms) * 1000);
	ht_buf_fmt(out,
	    "hutong: current/v1\n"
	    "catalog: %s\n"
	    "snapshot: %llu\n"
	    "hash: '%s'\n"
	    "issued: %s\n"
	    "until: %s\n",
	    f->root.catalog, (unsigned long long)snapshot->revision, hex,
	    issued, until);
	if (f->n > 0)
		ht_buf_str(out, "suspended:\n");
	for (size_t i = 0; i < f->n; i++)
		ht_buf_fmt(out, "  - %s\n", f->names[i]);
	return HT_CLI_GO;
}

static int
read_snapshot(struct freshen *f, struct ht_doc **ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(f->dir, "snapshot.note");
	enum ht_err err;
	int rc;

	if (path == NULL)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot read", f->dir);
	rc = ht_cli_doc(path, ret);
	if (rc != HT_CLI_GO)
		return rc;
	if ((*ret)->kind != HT_DOC_SNAPSHOT)
		return ht_cli_fail(
		    HT_EXIT_REFUSED, "%s is not a snapshot", path);
	err = ht_doc_check_signed(*ret, &f->root, NULL, report);
	if (err != HT_OK)
		return ht_cli_error(err, report, "cannot trust", path);
	return HT_CLI_GO;
}

static bool
listed(const struct ht_lines *lines, const char *name)
{
	size_t at;

	return ht_lines_find(lines, "grant", name, &at) ||
	       ht_lines_find(lines, "member", name, &at);
}

/* What is suspended must be in the snapshot: a slip would suspend nothing. */
static int
check_names(struct freshen *f)
{
	HT_AUTO(ht_buf_fini) struct ht_buf list = HT_BUF(HT_LIST_BYTES);
	HT_AUTO(ht_lines_fini) struct ht_lines lines = {0};
	bool there;
	int rc;

	if (f->n == 0)
		return HT_CLI_GO;
	rc = ht_cli_read_in(f->dir, "snapshot.list", &list, &there);
	if (rc != HT_CLI_GO)
		return rc;
	if (!there || ht_lines_cut(ht_buf_slice(&list), "snapshot.list", NULL,
	                  &lines) != HT_OK)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "snapshot.list cannot be read; make the snapshot again");
	for (size_t i = 0; i < f->n; i++) {
		if (listed(&lines, f->names[i]))
			continue;
		if (among(f->suspend.at, f->suspend.n, f->names[i]))
			return ht_cli_fail(HT_EXIT_REFUSED,
			    "--suspend %s: there is no such grant or member",
			    f->names[i]);
		/* Suspended, and gone since: nothing is left to suspend. */
		f->names[i--] = f->names[--f->n];
	}
	return HT_CLI_GO;
}

static int
freshen_once(struct freshen *f)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	uint64_t now_ms = ht_clock_wall_ms();
	char until[HT_TIME_SIZE];
	int rc = read_snapshot(f, &doc);

	if (rc == HT_CLI_GO)
		rc = carry_over(f);
	if (rc == HT_CLI_GO)
		rc = check_names(f);
	if (rc == HT_CLI_GO)
		rc = current_text(f, doc, now_ms, &text);
	if (rc == HT_CLI_GO)
		rc = ht_cli_sign_text(&text, f->file.name, f->key, &note);
	if (rc == HT_CLI_GO)
		rc = ht_cli_replace_in(f->dir, "current.note", &note);
	if (rc != HT_CLI_GO)
		return rc;
	ht_time_text(until, (now_ms + f->life_ms) * 1000);
	printf("snapshot %llu is in force until %s, %zu suspended\n",
	    (unsigned long long)doc->revision, until, f->n);
	(void)fflush(stdout);
	return HT_EXIT_OK;
}

/* Keep it alive until told to stop. */
static int
freshen_always(struct freshen *f)
{
	struct timespec wait = {.tv_sec = (time_t)(f->every_ms / 1000),
	    .tv_nsec = (long)(f->every_ms % 1000) * 1000000};
	sigset_t stop;
	int rc;

	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGTERM);
	(void)sigaddset(&stop, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &stop, NULL);
	do {
		rc = freshen_once(f);
		if (rc != HT_EXIT_OK)
			return rc;
		/* Once; afterwards they stand in the note itself. */
		f->suspend.n = 0;
		f->resume.n = 0;
	} while (sigtimedwait(&stop, NULL, &wait) < 0);
	return HT_EXIT_OK;
}

static int
check_times(struct freshen *f, const char *life, const char *every)
{
	if (!ht_cli_duration(life, &f->life_ms) || f->life_ms < 1000)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--for %s: a time like 12h is expected", life);
	if (f->life_ms > HT_CURRENT_MAX_MS)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--for %s: " HT_CURRENT_MAX_TXT " is the most, and no "
		    "broker or node takes a longer one; some hours are better, "
		    "with --every to go on",
		    life);
	if (every == NULL)
		return HT_CLI_GO;
	if (!ht_cli_duration(every, &f->every_ms) || f->every_ms == 0)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--every %s: a time like 1h is expected", every);
	if (f->every_ms >= f->life_ms)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--every %s: shorter than --for %s, or it runs out in "
		    "between",
		    every, life);
	return HT_CLI_GO;
}

static int
freshen(int argc, char **argv)
{
	HT_AUTO(freshen_fini) struct freshen f = {0};
	const char *life = NULL, *every = NULL;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("key", "FILE", f.key_path, "the current key"),
	    HT_OPT_NEED("for", "TIME", life,
	        "how long the snapshot is in force, like 12h"),
	    HT_OPT_LIST("suspend", "NAME", f.suspend,
	        "a grant or member, from now on; may be repeated"),
	    HT_OPT_LIST("resume", "NAME", f.resume,
	        "lift a suspension; may be repeated"),
	    HT_OPT_MAY("every", "TIME", every,
	        "go on, and do it again each time, until stopped"),
	    HT_OPT_MAY("root", "FILE", f.root_path,
	        "the anchor, if not the folder's own root.note"),
	};
	const struct ht_usage_of takes = {
	    "hutong catalog freshen DIR --key FILE --for TIME [--suspend NAME] "
	    "[--resume NAME] [--every TIME]",
	    opts, HT_COUNT(opts), 1, 1};
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = check_times(&f, life, every);
	if (rc != HT_CLI_GO)
		return rc;
	f.dir = args.at[0];
	rc = ht_cli_anchor(f.dir, f.root_path, &f.root);
	if (rc == HT_CLI_GO)
		rc = ht_cli_key(
		    f.key_path, 1u << HT_KEY_CURRENT, &f.key, &f.file);
	if (rc != HT_CLI_GO)
		return rc;
	return f.every_ms != 0 ? freshen_always(&f) : freshen_once(&f);
}

const struct ht_verb ht_catalog_freshen = {
    .name = "freshen",
    .synopsis = "DIR --key FILE --for TIME [--suspend NAME] [--resume NAME] "
                "[--every TIME]",
    .help = "put the snapshot in force for some hours; suspend grants",
    .run = freshen,
};
