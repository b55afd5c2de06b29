/*
 * catalog.c -- hutong catalog: items, grants, and what puts them in force.
 */
#include "adapters/cli/catalog.h"

#include <string.h>

#include "adapters/cli/cli.h"
#include "lib/base/clock.h"
#include "schemas/due.h"

/* ---- drafts ---- */

void
ht_cli_quote(struct ht_buf *out, const char *text)
{
	ht_buf_u8(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			ht_buf_u8(out, '\\');
		if ((unsigned char)*text < ' ')
			ht_buf_fmt(out, "\\x%02x", (unsigned char)*text);
		else
			ht_buf_u8(out, (uint8_t)*text);
	}
	ht_buf_u8(out, '"');
}

int
ht_cli_write_draft(const char *path, struct ht_buf *text)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	enum ht_err err = text->err;
	int rc;

	if (err == HT_OK)
		err = ht_doc_parse(ht_buf_slice(text), path, report, &doc);
	if (err != HT_OK)
		return ht_cli_error(err, report, "cannot draft", path);
	rc = ht_cli_write_new(path, 0644, ht_buf_slice(text));
	return rc == HT_CLI_GO ? HT_EXIT_OK : rc;
}

/* ---- signing ---- */

int
ht_cli_sign_verb(const char *usage, int argc, char **argv)
{
	const char *key = NULL, *dir = NULL, *out = NULL;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("key", "FILE", key, "the key to sign with"),
	    HT_OPT_MAY("dir", "DIR", dir,
	        "your copy of the authority's folder: whose signatures count, "
	        "and which keys of an entry need no new proof"),
	    HT_OPT_MAY("out", "FILE", out,
	        "a new file for the signed document; else the line is "
	        "added to FILE itself"),
	};
	const struct ht_usage_of takes = {usage, opts, HT_COUNT(opts), 1, 1};
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	return rc == HT_CLI_GO ? ht_cli_sign(args.at[0], key, dir, out) : rc;
}

static int
sign(int argc, char **argv)
{
	return ht_cli_sign_verb(
	    "hutong catalog sign FILE --key FILE [--dir DIR] [--out FILE]",
	    argc, argv);
}

/* ---- verifying ---- */

static void
tell(const struct ht_trust *trust)
{
	char hex[2 * HT_HASH_SIZE + 1], until[HT_TIME_SIZE];
	struct ht_hash hash = ht_trust_hash(trust);
	bool fresh = ht_clock_wall_ms() < ht_trust_until_ms(trust);

	ht_hex(hex, hash.at, sizeof(hash.at));
	ht_time_text(until, ht_trust_until_ms(trust) * 1000);
	printf("snapshot %llu of %s holds: %zu documents, every signature "
	       "checked\n",
	    (unsigned long long)ht_trust_version(trust),
	    ht_trust_root(trust)->catalog, ht_trust_n_docs(trust) - 2);
	printf("hash     %s\n", hex);
	printf("in force until %s%s\n", until,
	    fresh ? "" : " -- OVER: freshen it, `hutong catalog freshen`");
}

static int
verify(int argc, char **argv)
{
	const char *root_path = NULL;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("root", "FILE", root_path,
	        "the anchor file, from where you trust it"),
	};
	const struct ht_usage_of takes = {
	    "hutong catalog verify DIR --root FILE", opts, HT_COUNT(opts), 1,
	    1};
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_trust_unref) struct ht_trust *trust = NULL;
	struct ht_root root;
	struct ht_args args;
	enum ht_err err;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = ht_cli_root(root_path, &root);
	if (rc != HT_CLI_GO)
		return rc;
	err = ht_trust_load_dir(&root, args.at[0], NULL, report, &trust);
	if (err != HT_OK)
		return ht_cli_error(err, report, "cannot trust", args.at[0]);
	tell(trust);
	(void)ht_cli_due(trust, ht_clock_wall_ms(), HT_DUE_MS, stderr);
	return HT_EXIT_OK;
}

/* ---- the table ---- */

static int
show(int argc, char **argv)
{
	return ht_cli_show_verb(
	    "hutong catalog show DIR [items|grants|members|epochs|NAME]",
	    "items", argc, argv);
}

static const struct ht_verb verb_sign = {
    .name = "sign",
    .synopsis = "FILE --key FILE [--dir DIR] [--out FILE]",
    .help = "sign a document: k officers, and one of the provider's",
    .run = sign,
};
static const struct ht_verb verb_show = {
    .name = "show",
    .synopsis = "DIR [items|grants|members|epochs|NAME]",
    .help = "what an authority's folder holds",
    .run = show,
};
static const struct ht_verb verb_verify = {
    .name = "verify",
    .synopsis = "DIR --root FILE",
    .help = "check a snapshot with all its documents and signatures",
    .run = verify,
};

static int
catalog(int argc, char **argv)
{
	static const struct ht_verb *const verbs[] = {&ht_catalog_draft,
	    &ht_catalog_check, &ht_catalog_export, &ht_catalog_import,
	    &verb_sign, &ht_catalog_snapshot, &ht_catalog_freshen,
	    &ht_catalog_adopt, &ht_catalog_diff, &ht_catalog_due, &verb_show,
	    &verb_verify};

	return ht_cli_dispatch(
	    "hutong catalog", verbs, HT_COUNT(verbs), argc, argv);
}

const struct ht_verb ht_verb_catalog = {
    .name = "catalog",
    .synopsis =
        "draft|check|export|import|sign|snapshot|freshen|adopt|diff|due|show|"
        "verify ...",
    .help = "items, grants, and the snapshot in force",
    .run = catalog,
};
