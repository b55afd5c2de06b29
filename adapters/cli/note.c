/*
 * note.c -- hutong note: sign any text, and say who signed one.
 */
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/files.h"
#include "lib/base/fs.h"

/* Not a witness's: it cosigns checkpoints, and its node does that. */
#define NOTE_KEYS                                                              \
	(1u << HT_KEY_IDENTITY | 1u << HT_KEY_OFFICER |                        \
	    1u << HT_KEY_SNAPSHOT | 1u << HT_KEY_CURRENT | 1u << HT_KEY_LOG |  \
	    1u << HT_KEY_AUDITOR)

/* ---- signing ---- */

/* What an officer vouches for there is checked where entries are signed. */
static bool
is_entry(struct ht_slice text)
{
	enum ht_doc_kind kind;

	return ht_doc_peek(text, &kind) == HT_OK && kind == HT_DOC_MEMBER;
}

static int
sign_bytes(struct ht_slice bytes, const char *key_path, struct ht_buf *out)
{
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	struct ht_keyfile file;
	struct ht_note note;
	bool is_note = ht_note_parse(bytes, &note) == HT_OK;
	enum ht_err err;
	int rc = ht_cli_key(key_path, NOTE_KEYS, &key, &file);

	if (rc != HT_CLI_GO)
		return rc;
	if (file.what == HT_KEY_OFFICER && is_entry(bytes))
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "this is a member's entry: an officer signs it with "
		    "`hutong directory sign`, which checks that its keys have "
		    "proven themselves; a member's own officer proves his key "
		    "with `hutong directory prove`");
	err = ht_note_sign(bytes, is_note, file.name, key, out);
	if (err == HT_EMALFORMED)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "this cannot be signed as a note: it must be UTF-8 text "
		    "that ends in a new line, without control characters");
	if (err != HT_OK)
		return ht_cli_error(err, NULL, "cannot sign", "the text");
	return HT_CLI_GO;
}

static int
sign(int argc, char **argv)
{
	const char *key = NULL, *out = NULL;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("key", "FILE", key, "the key to sign with"),
	    HT_OPT_MAY("out", "FILE", out,
	        "a new file for the note; else the signature is added "
	        "to FILE itself"),
	};
	const struct ht_usage_of takes = {
	    "hutong note sign FILE --key FILE [--out FILE]", opts,
	    HT_COUNT(opts), 1, 1};
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(1 << 20);
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(1 << 20);
	struct ht_args args;
	enum ht_err err;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = ht_cli_read(args.at[0], &bytes);
	if (rc == HT_CLI_GO)
		rc = sign_bytes(ht_buf_slice(&bytes), key, &note);
	if (rc != HT_CLI_GO)
		return rc;
	if (out == NULL && strcmp(args.at[0], "-") == 0)
		out = "-";
	if (out != NULL) {
		rc = ht_cli_write_new(out, 0644, ht_buf_slice(&note));
		return rc == HT_CLI_GO ? HT_EXIT_OK : rc;
	}
	err = ht_fs_replace(args.at[0], 0644, ht_buf_slice(&note));
	if (err != HT_OK)
		return ht_cli_error(err, NULL, "cannot write", args.at[0]);
	return HT_EXIT_OK;
}

/* ---- verifying ---- */

#define KEYS_MAX 64 /* that ht_note_verify() takes */

struct keys {
	size_t n;
	struct ht_vkey at[KEYS_MAX];
};

static void
add_keys(struct keys *keys, const struct ht_vkey *vkeys, size_t n)
{
	for (size_t i = 0; i < n && keys->n < KEYS_MAX; i++)
		keys->at[keys->n++] = vkeys[i];
}

/* A key that signs texts, or a witness's. */
static bool
any_vkey(const char *text, struct ht_vkey *ret)
{
	struct ht_slice slice = ht_slice_str(text);

	return ht_vkey_parse(slice, ret) == HT_OK ||
	       ht_vkey_parse_as(slice, HT_VKEY_COSIGN, ret) == HT_OK;
}

static int
collect_keys(
    const struct ht_args *vkeys, const char *root_path, struct keys *keys)
{
	struct ht_root root;
	struct ht_vkey vkey;
	int rc;

	for (size_t i = 0; i < vkeys->n; i++) {
		if (!any_vkey(vkeys->at[i], &vkey))
			return ht_cli_fail(HT_EXIT_USAGE,
			    "--vkey %s: no verifier key; take the line of "
			    "`hutong key show`",
			    vkeys->at[i]);
		if (keys->n == KEYS_MAX)
			return ht_cli_fail(HT_EXIT_USAGE,
			    "more than %d keys at once", KEYS_MAX);
		add_keys(keys, &vkey, 1);
	}
	if (root_path != NULL) {
		rc = ht_cli_root(root_path, &root);
		if (rc != HT_CLI_GO)
			return rc;
		add_keys(keys, root.officers, root.n_officers);
		add_keys(keys, root.auditors, root.n_auditors);
		add_keys(keys, &root.snapshot, 1);
		add_keys(keys, &root.current, 1);
		add_keys(keys, &root.log, 1);
		add_keys(keys, root.witnesses, root.n_witnesses);
	}
	if (keys->n == 0)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "whose signatures count? give --vkey, --root or both");
	return HT_CLI_GO;
}

static int
verify_bytes(const char *path, struct ht_slice bytes, const struct keys *keys)
{
	struct ht_note note;
	uint64_t signed_by = 0;

	if (ht_note_parse(bytes, &note) != HT_OK)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s is not a signed note: text, an empty line, signature "
		    "lines",
		    path);
	if (ht_note_verify(&note, keys->at, keys->n, &signed_by) != HT_OK)
		return ht_cli_fail(HT_EXIT_INTEGRITY,
		    "%s: a signature does not verify: the text was changed "
		    "after it was signed, or another key signed it",
		    path);
	if (signed_by == 0)
		return ht_cli_fail(HT_EXIT_INTEGRITY,
		    "%s: none of the keys given has signed it", path);
	for (size_t i = 0; i < keys->n; i++)
		if (signed_by & (UINT64_C(1) << i))
			printf("signed by %s\n", keys->at[i].name);
	return HT_EXIT_OK;
}

static int
verify(int argc, char **argv)
{
	struct ht_args vkeys = {0}, args;
	const char *root = NULL;
	const struct ht_opt opts[] = {
	    HT_OPT_LIST("vkey", "KEY", vkeys,
	        "a verifier key, name+hash+base64; may be repeated"),
	    HT_OPT_MAY(
	        "root", "FILE", root, "all keys that this anchor file names"),
	};
	const struct ht_usage_of takes = {
	    "hutong note verify FILE [--vkey KEY ...] [--root FILE]", opts,
	    HT_COUNT(opts), 1, 1};
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(1 << 20);
	struct keys keys = {0};
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = collect_keys(&vkeys, root, &keys);
	if (rc == HT_CLI_GO)
		rc = ht_cli_read(args.at[0], &bytes);
	if (rc != HT_CLI_GO)
		return rc;
	return verify_bytes(args.at[0], ht_buf_slice(&bytes), &keys);
}

static const struct ht_verb verb_sign = {
    .name = "sign",
    .synopsis = "FILE --key FILE [--out FILE]",
    .help = "add a signature line to a text or a note",
    .run = sign,
};
static const struct ht_verb verb_verify = {
    .name = "verify",
    .synopsis = "FILE [--vkey KEY ...] [--root FILE]",
    .help = "say which of the given keys signed a note",
    .run = verify,
};

static int
note(int argc, char **argv)
{
	static const struct ht_verb *const verbs[] = {&verb_sign, &verb_verify};

	return ht_cli_dispatch(
	    "hutong note", verbs, HT_COUNT(verbs), argc, argv);
}

const struct ht_verb ht_verb_note = {
    .name = "note",
    .synopsis = "sign|verify ...",
    .help = "sign texts, and check who signed them",
    .run = note,
};
