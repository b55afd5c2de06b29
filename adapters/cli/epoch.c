/*
 * epoch.c -- hutong epoch: run by the auditors.  An epoch has a key pair for
 * annexes, whose public half is published, and a tracker key, sealed to every
 * member that has a sealing key.
 */
#include <string.h>

#include "adapters/cli/catalog.h"
#include "adapters/cli/cli.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/text.h"

struct epoch {
	const char *dir;
	const char *name;
	const char *key_path;
	const char *annex_path;
	const char *tracker_path;
	uint64_t revision;
	uint64_t from_ms;
	uint64_t until_ms;
	uint64_t now_ms;
	struct ht_docs docs;
	struct ht_key *annex;
	struct ht_key *tracker;
	struct ht_key *auditor;
	struct ht_keyfile auditor_file;
	size_t sealed;
};

static void
epoch_fini(struct epoch *e)
{
	ht_docs_fini(&e->docs);
	ht_key_free(&e->annex);
	ht_key_free(&e->tracker);
	ht_key_free(&e->auditor);
}

/* ---- the text ---- */

static enum ht_err
add_tracker(struct epoch *e, const struct ht_member *member, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf sealed = HT_BUF(256);
	char hex[2 * HT_KEYID_SIZE + 1], b64[HT_B64_SIZE(256)];
	const struct ht_keyinfo *to = ht_member_seal_key(member, e->now_ms);
	enum ht_err err;

	if (to == NULL) {
		fprintf(stderr,
		    "%s has no sealing key that is valid now: left out\n",
		    member->name);
		return HT_OK;
	}
	err = ht_tracker_seal(e->name, to, e->tracker, &sealed);
	if (err != HT_OK)
		return err;
	ht_hex(hex, to->id.at, sizeof(to->id.at));
	ht_b64(b64, sealed.at, sealed.len);
	ht_buf_fmt(out, "  - {member: %s, key: '%s', sealed: %s}\n",
	    member->name, hex, b64);
	e->sealed++;
	return out->err;
}

static enum ht_err
epoch_text(struct epoch *e, struct ht_buf *out)
{
	char public[HT_B64_SIZE(HT_PUB_SIZE)];
	char from[HT_TIME_SIZE], until[HT_TIME_SIZE];
	struct ht_pub annex = ht_key_pub(e->annex);
	enum ht_err err = HT_OK;

	ht_b64(public, annex.at, sizeof(annex.at));
	ht_time_text(from, e->from_ms * 1000);
	ht_time_text(until, e->until_ms * 1000);
	ht_buf_fmt(out,
	    "hutong: epoch/v1\n"
	    "epoch: %s\n"
	    "revision: %llu\n"
	    "from: %s\n"
	    "until: %s\n"
	    "annex: %s\n"
	    "trackers:\n",
	    e->name, (unsigned long long)e->revision, from, until, public);
	for (size_t i = 0; i < e->docs.n && err == HT_OK; i++)
		if (e->docs.at[i]->kind == HT_DOC_MEMBER)
			err = add_tracker(e, e->docs.at[i]->member, out);
	return err == HT_OK ? out->err : err;
}

static int
sign_epoch(struct epoch *e, struct ht_buf *note)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);
	enum ht_err err = epoch_text(e, &text);

	if (err == HT_OK)
		err = ht_doc_parse(ht_buf_slice(&text), e->name, report, &doc);
	if (err == HT_OK)
		err = ht_note_sign(ht_buf_slice(&text), false,
		    e->auditor_file.name, e->auditor, note);
	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(err, report, "cannot make the epoch", e->name);
}

static int
doc_path(const struct epoch *e, char **ret)
{
	char name[HT_DOC_PATH_MAX];
	char *slash;
	enum ht_err err;

	ht_doc_path(HT_DOC_EPOCH, e->name, name);
	*ret = ht_fs_join(e->dir, name);
	if (*ret == NULL)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot write", name);
	slash = strrchr(*ret, '/');
	*slash = '\0';
	err = ht_fs_mkdirs(*ret, 0755);
	*slash = '/';
	if (err != HT_OK)
		return ht_cli_error(
		    err, NULL, "cannot make the folder of", *ret);
	return HT_CLI_GO;
}

/* ---- new ---- */

static int
make_keys(struct epoch *e)
{
	enum ht_err err = ht_key_new(HT_KEY_ANNEX, &e->annex);

	if (err == HT_OK)
		err = ht_key_new(HT_KEY_TRACKER, &e->tracker);
	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(err, NULL, "cannot make", "the epoch's keys");
}

static int
write_key(const char *path, const char *name, const struct ht_key *key)
{
	enum ht_err err = ht_keyfile_write(path, name, key, NULL);

	if (err == HT_OK)
		return HT_CLI_GO;
	if (err == HT_EEXISTS)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s exists, and no key is ever overwritten; name another "
		    "file",
		    path);
	return ht_cli_error(err, NULL, "cannot write", path);
}

static int
tell(const struct epoch *e, const char *path)
{
	char until[HT_TIME_SIZE];

	ht_time_text(until, e->until_ms * 1000);
	printf("%s: epoch %s until %s, its tracker key sealed to %zu members\n",
	    path, e->name, until, e->sealed);
	fprintf(stderr, "It is in force with the next `hutong catalog "
	                "snapshot`.\n");
	return HT_EXIT_OK;
}

/* The keys first: a published epoch without its keys could not be read. */
static int
new_epoch(struct epoch *e)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_mem_free) char *path = NULL;
	int rc = ht_cli_docs(e->dir, &e->docs);

	if (rc == HT_CLI_GO)
		rc = ht_cli_key(e->key_path, 1u << HT_KEY_AUDITOR, &e->auditor,
		    &e->auditor_file);
	if (rc == HT_CLI_GO && ht_docs_find(&e->docs, HT_DOC_EPOCH, e->name))
		rc = ht_cli_fail(HT_EXIT_REFUSED,
		    "the epoch %s is there already; `hutong epoch seal` seals "
		    "its tracker key to new members",
		    e->name);
	if (rc == HT_CLI_GO)
		rc = make_keys(e);
	if (rc == HT_CLI_GO)
		rc = sign_epoch(e, &note);
	if (rc == HT_CLI_GO)
		rc = doc_path(e, &path);
	if (rc == HT_CLI_GO)
		rc = write_key(e->annex_path, e->name, e->annex);
	if (rc == HT_CLI_GO)
		rc = write_key(e->tracker_path, e->name, e->tracker);
	if (rc == HT_CLI_GO)
		rc = ht_cli_write_new(path, 0644, ht_buf_slice(&note));
	return rc == HT_CLI_GO ? tell(e, path) : rc;
}

static int
run_new(int argc, char **argv)
{
	HT_AUTO(epoch_fini) struct epoch e = {.revision = 1};
	const char *from = NULL, *until = NULL;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("name", "NAME", e.name, "like gx.demo/2026Q4"),
	    HT_OPT_MAY("from", "TIME", from, "else from now"),
	    HT_OPT_NEED("until", "TIME", until, "where the next one begins"),
	    HT_OPT_NEED("key", "FILE", e.key_path, "the auditor's key"),
	    HT_OPT_NEED("annex", "FILE", e.annex_path,
	        "where to put the annex key; the auditors keep it"),
	    HT_OPT_NEED("tracker", "FILE", e.tracker_path,
	        "where to put the tracker key; the auditors keep it"),
	};
	const struct ht_usage_of takes = {
	    "hutong epoch new DIR --name NAME [--from TIME] --until TIME --key "
	    "FILE --annex FILE --tracker FILE",
	    opts, HT_COUNT(opts), 1, 1};
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc != HT_CLI_GO)
		return rc;
	if (!ht_name_valid(ht_slice_str(e.name)))
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--name %s: a name like gx.demo/2026Q4 is expected",
		    e.name);
	e.dir = args.at[0];
	e.now_ms = ht_clock_wall_ms();
	rc = ht_cli_time("--from", from, e.now_ms / 1000 * 1000, &e.from_ms);
	if (rc == HT_CLI_GO)
		rc = ht_cli_time("--until", until, 0, &e.until_ms);
	return rc == HT_CLI_GO ? new_epoch(&e) : rc;
}

/* ---- seal: the same epoch, for the members of today ---- */

static int
take_old(struct epoch *e)
{
	const struct ht_doc *old =
	    ht_docs_find(&e->docs, HT_DOC_EPOCH, e->name);
	struct ht_pub annex;

	if (old == NULL)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "there is no epoch %s in the folder", e->name);
	annex = ht_key_pub(e->annex);
	if (memcmp(&annex, &old->epoch->annex, sizeof(annex)) != 0)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s is not the annex key of %s", e->annex_path, e->name);
	e->revision = old->revision + 1;
	e->from_ms = old->epoch->from_ms;
	e->until_ms = old->epoch->until_ms;
	return HT_CLI_GO;
}

static int
seal_epoch(struct epoch *e)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_mem_free) char *path = NULL;
	struct ht_keyfile file;
	enum ht_err err;
	int rc = ht_cli_docs(e->dir, &e->docs);

	if (rc == HT_CLI_GO)
		rc = ht_cli_key(e->key_path, 1u << HT_KEY_AUDITOR, &e->auditor,
		    &e->auditor_file);
	if (rc == HT_CLI_GO)
		rc = ht_cli_key(
		    e->annex_path, 1u << HT_KEY_ANNEX, &e->annex, &file);
	if (rc == HT_CLI_GO)
		rc = ht_cli_key(
		    e->tracker_path, 1u << HT_KEY_TRACKER, &e->tracker, &file);
	if (rc == HT_CLI_GO)
		rc = take_old(e);
	if (rc == HT_CLI_GO)
		rc = sign_epoch(e, &note);
	if (rc == HT_CLI_GO)
		rc = doc_path(e, &path);
	if (rc != HT_CLI_GO)
		return rc;
	err = ht_fs_replace(path, 0644, ht_buf_slice(&note));
	if (err != HT_OK)
		return ht_cli_error(err, NULL, "cannot write", path);
	return tell(e, path);
}

static int
run_seal(int argc, char **argv)
{
	HT_AUTO(epoch_fini) struct epoch e = {0};
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("name", "NAME", e.name, "the epoch"),
	    HT_OPT_NEED("key", "FILE", e.key_path, "the auditor's key"),
	    HT_OPT_NEED("annex", "FILE", e.annex_path, "its annex key"),
	    HT_OPT_NEED("tracker", "FILE", e.tracker_path, "its tracker key"),
	};
	const struct ht_usage_of takes = {
	    "hutong epoch seal DIR --name NAME --key FILE --annex FILE "
	    "--tracker FILE",
	    opts, HT_COUNT(opts), 1, 1};
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc != HT_CLI_GO)
		return rc;
	e.dir = args.at[0];
	e.now_ms = ht_clock_wall_ms();
	return seal_epoch(&e);
}

static const struct ht_verb verb_new = {
    .name = "new",
    .synopsis = "DIR --name NAME [--from TIME] --until TIME --key FILE "
                "--annex FILE --tracker FILE",
    .help = "make an epoch's keys, and its signed document",
    .run = run_new,
};
static const struct ht_verb verb_seal = {
    .name = "seal",
    .synopsis = "DIR --name NAME --key FILE --annex FILE --tracker FILE",
    .help = "seal its tracker key anew, to the members there are now",
    .run = run_seal,
};

static int
epoch(int argc, char **argv)
{
	static const struct ht_verb *const verbs[] = {&verb_new, &verb_seal};

	return ht_cli_dispatch(
	    "hutong epoch", verbs, HT_COUNT(verbs), argc, argv);
}

const struct ht_verb ht_verb_epoch = {
    .name = "epoch",
    .synopsis = "new|seal ...",
    .help = "the auditors' keys of a time: annex and tracker",
    .run = epoch,
};
