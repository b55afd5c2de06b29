/*
 * catalog_publish.c -- hutong catalog snapshot and freshen: what puts
 * documents in force, and keeps them there.
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

static int
read_in(const char *dir, const char *name, struct ht_buf *ret, bool *ret_there)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(dir, name);
	enum ht_err err = path == NULL ? HT_ENOMEM : ht_fs_read(path, ret);

	*ret_there = err == HT_OK;
	if (err == HT_OK || err == HT_ENOTFOUND)
		return HT_CLI_GO;
	return ht_cli_error(
	    err, NULL, "cannot read", path != NULL ? path : name);
}

static int
replace_in(const char *dir, const char *name, const struct ht_buf *bytes)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(dir, name);
	enum ht_err err = path == NULL ? HT_ENOMEM : bytes->err;

	if (err == HT_OK)
		err = ht_fs_replace(path, 0644, ht_buf_slice(bytes));
	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(
	    err, NULL, "cannot write", path != NULL ? path : name);
}

/* The anchor: the one given, or the folder's own. */
static int
read_root(const char *dir, const char *root_path, struct ht_root *ret)
{
	HT_AUTO(ht_mem_free) char *own = ht_fs_join(dir, "root.note");

	if (own == NULL)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot read", dir);
	return ht_cli_root(root_path != NULL ? root_path : own, ret);
}

static int
sign_text(struct ht_buf *text, const char *name, const struct ht_key *key,
    struct ht_buf *note)
{
	enum ht_err err = text->err;

	if (err == HT_OK)
		err = ht_note_sign(ht_buf_slice(text), false, name, key, note);
	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(err, NULL, "cannot sign with the key", name);
}

/* ---- the snapshot before this one ---- */

void
ht_cli_old_fini(struct ht_cli_old *old)
{
	ht_doc_unref(&old->note);
	free(old->leaves);
	free(old->lines);
	ht_buf_fini(&old->list);
}

int
ht_cli_old_read(const char *dir, struct ht_cli_old *old)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	bool list_there = false;
	enum ht_err err;
	int rc = read_in(dir, "snapshot.note", &note, &old->there);

	if (rc == HT_CLI_GO && old->there)
		rc = read_in(dir, "snapshot.list", &old->list, &list_there);
	if (rc != HT_CLI_GO || !old->there)
		return rc;
	err = ht_doc_parse(ht_buf_slice(&note), "snapshot.note", report, &doc);
	if (err == HT_OK && doc->kind != HT_DOC_SNAPSHOT)
		err = HT_EINVALID;
	if (err == HT_OK && list_there)
		err = ht_list_parse(ht_buf_slice(&old->list), "snapshot.list",
		    report, &old->lines, &old->n);
	if (err != HT_OK)
		return ht_cli_error(
		    err, report, "cannot read the old snapshot in", dir);
	old->version = doc->snapshot->version;
	old->note = HT_TAKE(doc);
	return HT_CLI_GO;
}

/* Without it, members who trust that one could not follow the new one. */
static bool
root_is_kept(const struct ht_cli_old *old, const struct ht_docs *docs)
{
	const struct ht_doc *now = ht_docs_find(docs, HT_DOC_ROOT, "root");
	char past[HT_DOC_NAME_MAX + 1];

	for (size_t i = 0; i < old->n; i++) {
		const struct ht_list_line *line = &old->lines[i];

		if (line->kind != HT_DOC_ROOT || ht_list_past_root(line) ||
		    now == NULL || now->revision <= line->revision)
			continue;
		(void)snprintf(past, sizeof(past), "root@%llu",
		    (unsigned long long)line->revision);
		if (ht_docs_find(docs, HT_DOC_ROOT, past) != NULL)
			continue;
		(void)ht_cli_fail(0,
		    "root.note: the root before, of revision %llu, must be "
		    "kept as %s.note; put it back, and let `hutong catalog "
		    "adopt` put the new one in its place",
		    (unsigned long long)line->revision, past);
		return false;
	}
	return true;
}

bool
ht_cli_goes_forward(const struct ht_cli_old *old,
    const struct ht_list_line *line, const struct ht_doc *doc)
{
	if (doc->revision > line->revision ||
	    ht_hash_eq(&doc->hash, &line->hash))
		return true;
	(void)ht_cli_fail(0,
	    "%s: it changed since snapshot %llu, where it had revision "
	    "%llu; give it revision %llu and have it signed again",
	    doc->where, (unsigned long long)old->version,
	    (unsigned long long)line->revision,
	    (unsigned long long)line->revision + 1);
	return false;
}

/* A revision never falls, and never stands for two texts. */
static bool
goes_forward(const struct ht_cli_old *old, const struct ht_docs *docs)
{
	bool ok = true;
	size_t k = 0;

	/* Both are in the list's order; documents may leave. */
	for (size_t i = 0; i < old->n; i++) {
		const struct ht_list_line *line = &old->lines[i];
		const char *kind = ht_doc_kind_text(line->kind);
		int order = -1;

		while (
		    k < docs->n &&
		    (order = ht_doc_order(ht_doc_kind_text(docs->at[k]->kind),
		         docs->at[k]->name, kind, line->name)) < 0)
			k++;
		if (k < docs->n && order == 0 &&
		    !ht_cli_goes_forward(old, line, docs->at[k]))
			ok = false;
	}
	return ok;
}

/* ---- snapshot ---- */

static int
make_list(
    const struct ht_docs *docs, struct ht_buf *list, struct ht_hash *ret_root)
{
	HT_AUTO(ht_mem_free) struct ht_list_line *lines = NULL;
	enum ht_err err;
	size_t n;

	for (size_t i = 0; i < docs->n; i++)
		ht_list_add(list, docs->at[i]);
	err = list->err;
	if (err == HT_OK)
		err = ht_list_parse(
		    ht_buf_slice(list), "snapshot.list", NULL, &lines, &n);
	if (err == HT_OK)
		err = ht_list_root(lines, n, ret_root);
	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(err, NULL, "cannot make", "the list");
}

static void
snapshot_text(struct ht_buf *out, const char *catalog, uint64_t version,
    size_t count, const struct ht_hash *root)
{
	char when[HT_TIME_SIZE], b64[HT_B64_SIZE(HT_HASH_SIZE)];

	ht_time_text(when, ht_clock_wall_us() / 1000000 * 1000000);
	ht_b64(b64, root->at, sizeof(root->at));
	ht_buf_fmt(out,
	    "hutong: snapshot/v1\n"
	    "catalog: %s\n"
	    "version: %llu\n"
	    "created: %s\n"
	    "count: %zu\n"
	    "root: %s\n",
	    catalog, (unsigned long long)version, when, count, b64);
}

/* The list was made of them, in this order. */
static enum ht_err
note_of(void *arg, size_t i, const struct ht_list_line *line,
    struct ht_slice *ret_note, const char **ret_name)
{
	const struct ht_docs *docs = arg;

	(void)line;
	*ret_note = docs->at[i]->bytes;
	*ret_name = docs->at[i]->where;
	return HT_OK;
}

/* What a node would refuse is not published at all. */
static int
check_all(const struct ht_root *root, struct ht_docs *docs,
    const struct ht_buf *list, const struct ht_buf *note)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_trust_unref) struct ht_trust *trust = NULL;
	const struct ht_trust_docs given = {
	    .snapshot = ht_buf_slice(note),
	    .list = ht_buf_slice(list),
	    .note = note_of,
	    .arg = docs,
	};
	enum ht_err err = ht_trust_load(root, &given, NULL, report, &trust);

	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(
	    err, report, "cannot make a snapshot of", "these documents");
}

/*
 * Two files cannot change at once: a reader in between sees a list that does
 * not fit its note, refuses it and looks again.
 */
static int
write_both(
    const char *dir, const struct ht_buf *list, const struct ht_buf *note)
{
	int rc = replace_in(dir, "snapshot.list", list);

	return rc == HT_CLI_GO ? replace_in(dir, "snapshot.note", note) : rc;
}

static void
tell(const char *dir, const char *catalog, uint64_t version, size_t n)
{
	printf("snapshot %llu of %s: %zu documents\n",
	    (unsigned long long)version, catalog, n);
	fprintf(stderr,
	    "Put it in force with `hutong catalog freshen %s --key ... --for "
	    "12h`.\n",
	    dir);
}

static int
publish(const char *dir, const char *key_path, const struct ht_root *root)
{
	HT_AUTO(ht_docs_fini) struct ht_docs docs = {0, NULL};
	HT_AUTO(ht_cli_old_fini)
	struct ht_cli_old old = {.list = HT_BUF(HT_LIST_BYTES)};
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf list = HT_BUF(HT_LIST_BYTES);
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	struct ht_keyfile file;
	struct ht_hash tree;
	int rc = ht_cli_docs(dir, &docs);

	if (rc == HT_CLI_GO)
		rc = ht_cli_old_read(dir, &old);
	if (rc == HT_CLI_GO &&
	    (!goes_forward(&old, &docs) || !root_is_kept(&old, &docs)))
		rc = HT_EXIT_REFUSED;
	if (rc == HT_CLI_GO)
		rc = ht_cli_key(key_path, 1u << HT_KEY_SNAPSHOT, &key, &file);
	if (rc == HT_CLI_GO)
		rc = make_list(&docs, &list, &tree);
	if (rc != HT_CLI_GO)
		return rc;
	snapshot_text(&text, root->catalog, old.version + 1, docs.n, &tree);
	rc = sign_text(&text, file.name, key, &note);
	if (rc == HT_CLI_GO)
		rc = check_all(root, &docs, &list, &note);
	if (rc == HT_CLI_GO)
		rc = write_both(dir, &list, &note);
	if (rc != HT_CLI_GO)
		return rc;
	tell(dir, root->catalog, old.version + 1, docs.n);
	return HT_EXIT_OK;
}

/* The snapshot before, and some grants: the rest is not read again. */
static int
publish_added(const char *dir, const char *key_path, const struct ht_root *root,
    const struct ht_args *files)
{
	HT_AUTO(ht_docs_fini) struct ht_docs docs = {0, NULL};
	HT_AUTO(ht_cli_old_fini)
	struct ht_cli_old old = {.list = HT_BUF(HT_LIST_BYTES)};
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf list = HT_BUF(HT_LIST_BYTES);
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	struct ht_keyfile file;
	struct ht_hash tree;
	size_t n = 0;
	int rc = ht_cli_old_read(dir, &old);

	if (rc == HT_CLI_GO)
		rc = ht_cli_add_read(dir, root, &old, files, &docs);
	if (rc == HT_CLI_GO)
		rc = ht_cli_add_list(&old, &docs, &list, &tree, &n);
	if (rc == HT_CLI_GO)
		rc = ht_cli_key(key_path, 1u << HT_KEY_SNAPSHOT, &key, &file);
	if (rc != HT_CLI_GO)
		return rc;
	snapshot_text(&text, root->catalog, old.version + 1, n, &tree);
	rc = sign_text(&text, file.name, key, &note);
	if (rc == HT_CLI_GO)
		rc = ht_cli_add_write(dir, &docs);
	if (rc == HT_CLI_GO)
		rc = write_both(dir, &list, &note);
	if (rc != HT_CLI_GO)
		return rc;
	tell(dir, root->catalog, old.version + 1, n);
	return HT_EXIT_OK;
}

static int
snapshot(int argc, char **argv)
{
	const char *key = NULL, *root_path = NULL;
	struct ht_args added = {0};
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("key", "FILE", key, "the snapshot key"),
	    HT_OPT_MAY("root", "FILE", root_path,
	        "the anchor, if not the folder's own root.note"),
	    HT_OPT_LIST("add", "FILE", added,
	        "the snapshot before, and this grant; again for each"),
	};
	const struct ht_usage_of takes = {
	    "hutong catalog snapshot DIR --key FILE [--root FILE] [--add FILE "
	    "...]",
	    opts, HT_COUNT(opts), 1, 1};
	struct ht_args args;
	struct ht_root root;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = read_root(args.at[0], root_path, &root);
	if (rc != HT_CLI_GO)
		return rc;
	return added.n > 0 ? publish_added(args.at[0], key, &root, &added)
	                   : publish(args.at[0], key, &root);
}

const struct ht_verb ht_catalog_snapshot = {
    .name = "snapshot",
    .synopsis = "DIR --key FILE [--root FILE] [--add FILE ...]",
    .help = "check all documents of a folder; make its next snapshot",
    .run = snapshot,
};

/* ---- current ---- */

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
	int rc = read_in(f->dir, "current.note", &note, &there);

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

/* What is suspended must be in the snapshot: a slip would suspend nothing. */
static int
check_names(struct freshen *f)
{
	HT_AUTO(ht_mem_free) struct ht_list_line *lines = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf list = HT_BUF(HT_LIST_BYTES);
	bool there, found;
	size_t n = 0;
	int rc;

	if (f->n == 0)
		return HT_CLI_GO;
	rc = read_in(f->dir, "snapshot.list", &list, &there);
	if (rc != HT_CLI_GO)
		return rc;
	if (!there || ht_list_parse(ht_buf_slice(&list), "snapshot.list", NULL,
	                  &lines, &n) != HT_OK)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "snapshot.list cannot be read; make the snapshot again");
	for (size_t i = 0; i < f->n; i++) {
		found = false;
		for (size_t k = 0; k < n && !found; k++)
			found = (lines[k].kind == HT_DOC_GRANT ||
			            lines[k].kind == HT_DOC_MEMBER) &&
			        strcmp(lines[k].name, f->names[i]) == 0;
		if (found)
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
		rc = sign_text(&text, f->file.name, f->key, &note);
	if (rc == HT_CLI_GO)
		rc = replace_in(f->dir, "current.note", &note);
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
	rc = read_root(f.dir, f.root_path, &f.root);
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
