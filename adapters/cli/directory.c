/*
 * directory.c -- hutong directory: the members' own documents.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/catalog.h"
#include "adapters/cli/cli.h"
#include "adapters/cli/entry.h"
#include "adapters/cli/files.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"

/* ---- a draft from key files ---- */

static int
new_member(int argc, char **argv)
{
	HT_AUTO(ht_entry_fini) struct ht_entry_draft d = {.revision = 1};
	struct ht_args keys = {0};
	const char *out = NULL, *name = NULL;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("member", "NAME", name, "the member, domain/name"),
	    HT_OPT_NEED_LIST("key", "FILE", keys,
	        "a key file of the member: identity, officer, signing, "
	        "transport, sealing; again for each"),
	    HT_OPT_MAY("zh", "TEXT", d.zh, "its title in Chinese"),
	    HT_OPT_MAY("en", "TEXT", d.en, "its title in English"),
	    HT_OPT_MAY("from", "TIME", d.from,
	        "from when the keys are valid; else from now"),
	    HT_OPT_MAY("for", "TIME", d.life,
	        "how long, 365d if not said; sealing keys 90d at most"),
	    HT_OPT_FLAG("auditor", d.auditor,
	        "it audits, and is no party of exchanges"),
	    HT_OPT_NEED("out", "FILE", out,
	        "the draft, to be signed; never overwritten"),
	};
	const struct ht_usage_of takes = {
	    "hutong directory new --member NAME --key FILE ... --out FILE",
	    opts, HT_COUNT(opts), 0, 0};
	int rc = ht_cli_options(&takes, argc, argv, NULL);

	if (rc != HT_CLI_GO)
		return rc;
	if (!ht_name_valid(ht_slice_str(name)))
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--member %s: a name like tax.demo/state is expected",
		    name);
	(void)snprintf(d.member, sizeof(d.member), "%s", name);
	rc = ht_entry_keys(&d, &keys);
	if (rc == HT_CLI_GO && !d.has_identity)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "exactly one --key must be the identity key; make one with "
		    "`hutong key new --for identity --name %s`",
		    name);
	return rc == HT_CLI_GO ? ht_entry_write(&d, out) : rc;
}

/* ---- checking one entry ---- */

static int
verify(int argc, char **argv)
{
	const char *root_path = NULL, *dir = NULL;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("root", "FILE", root_path, "the anchor file"),
	    HT_OPT_MAY("dir", "DIR", dir,
	        "a folder of the authority's: keys that are new against it "
	        "must have proven themselves"),
	};
	const struct ht_usage_of takes = {
	    "hutong directory verify FILE --root FILE [--dir DIR]", opts,
	    HT_COUNT(opts), 1, 1};
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	struct ht_root root;
	struct ht_args args;
	enum ht_err err;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = ht_cli_root(root_path, &root);
	if (rc == HT_CLI_GO)
		rc = ht_cli_doc(args.at[0], &doc);
	if (rc != HT_CLI_GO)
		return rc;
	if (doc->kind != HT_DOC_MEMBER)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s is a %s, not a member's entry; `hutong catalog verify` "
		    "checks a whole folder",
		    args.at[0], ht_doc_kind_text(doc->kind));
	err = ht_doc_check_signed(doc, &root, NULL, report);
	if (err != HT_OK)
		return ht_cli_error(err, report, "cannot trust", args.at[0]);
	rc = dir != NULL ? ht_cli_proven(doc, dir) : HT_CLI_GO;
	if (rc != HT_CLI_GO)
		return rc;
	printf("%s revision %llu: signed by itself and by %u officers of %s\n",
	    doc->name, (unsigned long long)doc->revision, root.threshold,
	    root.catalog);
	return HT_EXIT_OK;
}

/* ---- the table ---- */

static int
sign(int argc, char **argv)
{
	return ht_cli_sign_verb(
	    "hutong directory sign FILE --key FILE [--dir DIR] [--out FILE]",
	    argc, argv);
}

static int
show(int argc, char **argv)
{
	return ht_cli_show_verb(
	    "hutong directory show DIR [NAME]", "members", argc, argv);
}

static const struct ht_verb verb_new = {
    .name = "new",
    .synopsis = "--member NAME --key FILE ... --out FILE",
    .help = "draft a member's entry from its key files",
    .run = new_member,
};
static const struct ht_verb verb_sign = {
    .name = "sign",
    .synopsis = "FILE --key FILE [--dir DIR] [--out FILE]",
    .help = "sign an entry: the member's identity key, then officers",
    .run = sign,
};
static const struct ht_verb verb_show = {
    .name = "show",
    .synopsis = "DIR [NAME]",
    .help = "the members of an authority's folder",
    .run = show,
};
static const struct ht_verb verb_verify = {
    .name = "verify",
    .synopsis = "FILE --root FILE [--dir DIR]",
    .help = "check the signatures of one entry",
    .run = verify,
};

static int
directory(int argc, char **argv)
{
	static const struct ht_verb *const verbs[] = {&verb_new,
	    &ht_directory_amend, &ht_directory_prove, &verb_sign, &verb_show,
	    &verb_verify};

	return ht_cli_dispatch(
	    "hutong directory", verbs, HT_COUNT(verbs), argc, argv);
}

const struct ht_verb ht_verb_directory = {
    .name = "directory",
    .synopsis = "new|amend|prove|sign|show|verify ...",
    .help = "members and their keys",
    .run = directory,
};
