#include "adapters/cli/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/cli/cli.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"

void
ht_cli_secret_free(char **secret_p)
{
	char *secret = *secret_p;

	if (secret == NULL)
		return;
	*secret_p = NULL;
	ht_wipe(secret, strlen(secret));
	free(secret);
}

int
ht_cli_passphrase(const char *prompt, char **ret)
{
	enum ht_err err = ht_passphrase_get(prompt, ret);

	if (err == HT_OK)
		return HT_CLI_GO;
	if (err == HT_EINVALID)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "the passphrase is empty, or its file is open to others "
		    "than its owner (chmod 600)");
	if (err == HT_ENOTFOUND)
		return ht_cli_fail(HT_EXIT_UNAVAILABLE,
		    "there is no terminal to ask for the passphrase; name a "
		    "file that holds it in HUTONG_PASSPHRASE_FILE");
	return ht_cli_error(err, NULL, "cannot get", "the passphrase");
}

/* ---- keys ---- */

static int
wrong_purpose(
    const char *path, const struct ht_keyfile *file, unsigned purposes)
{
	HT_AUTO(ht_buf_fini) struct ht_buf wanted = HT_BUF(512);

	for (unsigned i = 0; i < 32; i++)
		if (purposes & (1u << i))
			ht_buf_fmt(&wanted, "%s%s",
			    wanted.len > 0 ? " or " : "",
			    ht_key_for_text((enum ht_key_for)i));
	return ht_cli_fail(HT_EXIT_REFUSED,
	    "%s is a key for %s, and this takes one for %s; no key has two "
	    "purposes",
	    path, ht_key_for_text(file->what), ht_buf_text(&wanted));
}

int
ht_cli_key(const char *path, unsigned purposes, struct ht_key **ret_key,
    struct ht_keyfile *ret_file)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_cli_secret_free) char *passphrase = NULL;
	char prompt[512];
	enum ht_err err = ht_keyfile_look(path, ret_file, report);
	int rc;

	if (err == HT_OK && !(purposes & (1u << ret_file->what)))
		return wrong_purpose(path, ret_file, purposes);
	if (err == HT_OK && ret_file->locked) {
		(void)snprintf(
		    prompt, sizeof(prompt), "Passphrase of %s: ", path);
		rc = ht_cli_passphrase(prompt, &passphrase);
		if (rc != HT_CLI_GO)
			return rc;
	}
	if (err == HT_OK)
		err = ht_keyfile_read(path, ret_file->what, passphrase, ret_key,
		    ret_file, report);
	if (err == HT_OK)
		return HT_CLI_GO;
	if (err == HT_EDENIED)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s: this is not its passphrase; nothing was done", path);
	return ht_cli_error(err, report, "cannot open the key", path);
}

/* ---- documents ---- */

int
ht_cli_root(const char *path, struct ht_root *ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	enum ht_err err;
	int rc = ht_cli_read(path, &note);

	if (rc != HT_CLI_GO)
		return rc;
	err = ht_root_parse(ht_buf_slice(&note), path, report, ret);
	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(err, report, "cannot trust", path);
}

enum ht_err
ht_doc_read(const char *path, struct ht_report *report, struct ht_doc **ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_DOC_MAX + 1);
	enum ht_err err = ht_fs_read(path, &bytes);

	if (err == HT_OK)
		return ht_doc_parse(ht_buf_slice(&bytes), path, report, ret);
	if (err == HT_ETOOBIG) {
		ht_report_add(report, path,
		    "larger than the %d bytes that a document may have",
		    HT_DOC_MAX);
		return err;
	}
	ht_report_add(report, path, "cannot be read: %s",
	    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
	return err;
}

int
ht_cli_doc(const char *path, struct ht_doc **ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	enum ht_err err = ht_doc_read(path, report, ret);

	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(err, report, "cannot read", path);
}

/* ---- signing ---- */

#define FOR(what) (1u << (what))

static const unsigned signers[HT_DOC_KINDS] = {
    [HT_DOC_ROOT] = FOR(HT_KEY_OFFICER),
    [HT_DOC_MEMBER] = FOR(HT_KEY_OFFICER) | FOR(HT_KEY_IDENTITY),
    [HT_DOC_ITEM] = FOR(HT_KEY_OFFICER),
    [HT_DOC_GRANT] = FOR(HT_KEY_OFFICER),
    [HT_DOC_EPOCH] = FOR(HT_KEY_AUDITOR),
    [HT_DOC_SNAPSHOT] = FOR(HT_KEY_SNAPSHOT),
    [HT_DOC_CURRENT] = FOR(HT_KEY_CURRENT),
    [HT_DOC_ERASE] = FOR(HT_KEY_OFFICER),
    [HT_DOC_APPLICATION] = FOR(HT_KEY_OFFICER),
    [HT_DOC_ANSWER] = FOR(HT_KEY_OFFICER),
    [HT_DOC_EXTENSION] = FOR(HT_KEY_OFFICER),
    [HT_DOC_DISCLOSE] = FOR(HT_KEY_OFFICER),
    [HT_DOC_REMOVE] = FOR(HT_KEY_OFFICER),
};

static int
add_signature(const struct ht_doc *doc, const struct ht_key *key,
    const char *name, struct ht_buf *out)
{
	bool is_note = doc->bytes.len > doc->text.len;
	enum ht_err err = ht_note_sign(doc->bytes, is_note, name, key, out);

	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(err, NULL, "cannot sign", doc->where);
}

int
ht_cli_write_signed(const char *path, const char *out, struct ht_slice note)
{
	enum ht_err err;

	if (out != NULL)
		return ht_cli_write_new(out, 0644, note);
	/* The text stays; a line comes to it. */
	err = ht_fs_replace(path, 0644, note);
	return err == HT_OK ? HT_CLI_GO
	                    : ht_cli_error(err, NULL, "cannot write", path);
}

int
ht_cli_sign(
    const char *path, const char *key_path, const char *dir, const char *out)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	struct ht_keyfile file;
	int rc = ht_cli_doc(path, &doc);

	if (rc == HT_CLI_GO)
		rc = ht_cli_key(key_path, signers[doc->kind], &key, &file);
	if (rc == HT_CLI_GO)
		rc = ht_cli_counts(doc, key, &file, dir);
	if (rc == HT_CLI_GO && doc->kind == HT_DOC_MEMBER &&
	    file.what == HT_KEY_OFFICER)
		rc = ht_cli_proven(doc, dir);
	if (rc == HT_CLI_GO)
		rc = add_signature(doc, key, file.name, &note);
	if (rc == HT_CLI_GO)
		rc = ht_cli_write_signed(path, out, ht_buf_slice(&note));
	if (rc != HT_CLI_GO)
		return rc;
	fprintf(stderr, "signed by %s: %s %s revision %llu\n", file.name,
	    ht_doc_kind_text(doc->kind), doc->name,
	    (unsigned long long)doc->revision);
	return HT_EXIT_OK;
}

/* ---- options ---- */

int
ht_cli_time(
    const char *option, const char *text, uint64_t otherwise, uint64_t *ret_ms)
{
	uint64_t us;

	if (text == NULL) {
		*ret_ms = otherwise;
		return HT_CLI_GO;
	}
	if (ht_time_parse(ht_slice_str(text), &us) != HT_OK)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "%s %s: a time like 2026-11-24T01:02:03Z is expected",
		    option, text);
	*ret_ms = us / 1000;
	return HT_CLI_GO;
}
