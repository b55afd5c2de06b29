/*
 * directory.c -- hutong directory: the members' own documents.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/catalog.h"
#include "adapters/cli/cli.h"
#include "adapters/cli/files.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"

#define DAY_MS UINT64_C(86400000)

/* ---- a draft from key files ---- */

struct draft {
	const char *member;
	const char *zh;
	const char *en;
	bool auditor;
	uint64_t from_ms;
	uint64_t until_ms; /* signing and transport keys */
	size_t n;
	struct ht_keyfile keys[HT_ARGS_MAX];
};

/* The key belongs to the member, or to something below it. */
static bool
is_of(const struct ht_keyfile *key, const char *member)
{
	size_t len = strlen(member);

	return strncmp(key->name, member, len) == 0 &&
	       (key->name[len] == '\0' || key->name[len] == '/');
}

static const char *
node_of(const struct ht_keyfile *key, const struct draft *d)
{
	size_t len = strlen(d->member);

	return key->name[len] == '/' ? key->name + len + 1 : "";
}

static int
look_at_keys(const struct ht_args *paths, struct draft *d)
{
	for (size_t i = 0; i < paths->n; i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		struct ht_keyfile *key = &d->keys[d->n];
		enum ht_err err = ht_keyfile_look(paths->at[i], key, report);

		if (err != HT_OK)
			return ht_cli_error(
			    err, report, "cannot read", paths->at[i]);
		if (!is_of(key, d->member))
			return ht_cli_fail(HT_EXIT_REFUSED,
			    "%s is the key of %s, not of %s", paths->at[i],
			    key->name, d->member);
		d->n++;
	}
	return HT_CLI_GO;
}

static size_t
count_of(const struct draft *d, enum ht_key_for what)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		n += d->keys[i].what == what;
	return n;
}

static int
check_keys(const struct draft *d)
{
	for (size_t i = 0; i < d->n; i++)
		switch (d->keys[i].what) {
		case HT_KEY_IDENTITY:
		case HT_KEY_OFFICER:
		case HT_KEY_SIGNING:
		case HT_KEY_TRANSPORT:
		case HT_KEY_SEALING:
			break;
		default:
			return ht_cli_fail(HT_EXIT_REFUSED,
			    "a member has no key for %s; give its identity, "
			    "officer, signing, transport and sealing keys",
			    ht_key_for_text(d->keys[i].what));
		}
	if (count_of(d, HT_KEY_IDENTITY) != 1)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "exactly one --key must be the identity key; make one with "
		    "`hutong key new --for identity --name %s`",
		    d->member);
	return HT_CLI_GO;
}

static void
add_key(struct ht_buf *out, const struct ht_keyfile *key, uint64_t from_ms,
    uint64_t until_ms)
{
	char public[HT_B64_SIZE(HT_PUB_SIZE)];
	char from[HT_TIME_SIZE], until[HT_TIME_SIZE];

	ht_b64(public, key->pub.at, sizeof(key->pub.at));
	ht_time_text(from, from_ms * 1000);
	ht_time_text(until, until_ms * 1000);
	ht_buf_fmt(out, "{key: %s, from: %s, until: %s, state: active}\n",
	    public, from, until);
}

static void
add_officers(struct ht_buf *out, const struct draft *d)
{
	char text[HT_VKEY_MAX];
	struct ht_vkey vkey;

	if (count_of(d, HT_KEY_OFFICER) > 0)
		ht_buf_str(out, "officers:\n");
	for (size_t i = 0; i < d->n; i++) {
		if (d->keys[i].what != HT_KEY_OFFICER ||
		    ht_vkey_make(d->keys[i].name, &d->keys[i].pub, &vkey) !=
		        HT_OK)
			continue;
		ht_vkey_text(&vkey, text);
		ht_buf_fmt(out, "  - %s\n", text);
	}
}

static void
add_node_keys(struct ht_buf *out, const struct draft *d, const char *node,
    enum ht_key_for what)
{
	ht_buf_fmt(out, "    %s:\n", ht_key_for_text(what));
	for (size_t i = 0; i < d->n; i++) {
		if (d->keys[i].what != what ||
		    strcmp(node_of(&d->keys[i], d), node) != 0)
			continue;
		ht_buf_str(out, "      - ");
		add_key(out, &d->keys[i], d->from_ms, d->until_ms);
	}
}

/* A node for each name that a signing key has, in the order given. */
static void
add_nodes(struct ht_buf *out, const struct draft *d)
{
	if (count_of(d, HT_KEY_SIGNING) > 0)
		ht_buf_str(out, "nodes:\n");
	for (size_t i = 0; i < d->n; i++) {
		const char *node = node_of(&d->keys[i], d);
		bool seen = false;

		for (size_t k = 0; k < i; k++)
			seen = seen ||
			       (d->keys[k].what == HT_KEY_SIGNING &&
			           strcmp(node, node_of(&d->keys[k], d)) == 0);
		if (d->keys[i].what != HT_KEY_SIGNING || seen)
			continue;
		ht_buf_fmt(out, "  - node: %s\n", node);
		add_node_keys(out, d, node, HT_KEY_SIGNING);
		add_node_keys(out, d, node, HT_KEY_TRANSPORT);
	}
}

static void
add_sealing(struct ht_buf *out, const struct draft *d)
{
	uint64_t until = d->until_ms;

	if (until - d->from_ms > HT_SEALING_MS)
		until = d->from_ms + HT_SEALING_MS;
	if (count_of(d, HT_KEY_SEALING) > 0)
		ht_buf_str(out, "sealing:\n");
	for (size_t i = 0; i < d->n; i++) {
		if (d->keys[i].what != HT_KEY_SEALING)
			continue;
		ht_buf_str(out, "  - ");
		add_key(out, &d->keys[i], d->from_ms, until);
	}
}

static void
add_title(struct ht_buf *out, const struct draft *d)
{
	if (d->zh == NULL && d->en == NULL)
		return;
	ht_buf_str(out, "title: {");
	if (d->zh != NULL) {
		ht_buf_str(out, "zh: ");
		ht_cli_quote(out, d->zh);
	}
	if (d->en != NULL) {
		ht_buf_fmt(out, "%sen: ", d->zh != NULL ? ", " : "");
		ht_cli_quote(out, d->en);
	}
	ht_buf_str(out, "}\n");
}

static int
write_member(const struct draft *d, const char *path)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_DOC_MAX);
	char public[HT_B64_SIZE(HT_PUB_SIZE)];

	ht_buf_fmt(
	    &out, "hutong: member/v1\nmember: %s\nrevision: 1\n", d->member);
	add_title(&out, d);
	if (d->auditor)
		ht_buf_str(&out, "role: auditor\n");
	for (size_t i = 0; i < d->n; i++) {
		if (d->keys[i].what != HT_KEY_IDENTITY)
			continue;
		ht_b64(public, d->keys[i].pub.at, sizeof(d->keys[i].pub.at));
		ht_buf_fmt(&out, "identity: %s\n", public);
	}
	add_officers(&out, d);
	add_nodes(&out, d);
	add_sealing(&out, d);
	return ht_cli_write_draft(path, &out);
}

static int
new_member(int argc, char **argv)
{
	static struct draft d;
	struct ht_args keys = {0};
	const char *out = NULL, *from = NULL, *life = "365d";
	const char *given_life = NULL;
	uint64_t life_ms;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("member", "NAME", d.member, "the member, domain/name"),
	    HT_OPT_NEED_LIST("key", "FILE", keys,
	        "a key file of the member: identity, officer, signing, "
	        "transport, sealing; again for each"),
	    HT_OPT_MAY("zh", "TEXT", d.zh, "its title in Chinese"),
	    HT_OPT_MAY("en", "TEXT", d.en, "its title in English"),
	    HT_OPT_MAY("from", "TIME", from,
	        "from when the keys are valid; else from now"),
	    HT_OPT_MAY("for", "TIME", given_life,
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
	if (!ht_name_valid(ht_slice_str(d.member)))
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--member %s: a name like tax.demo/state is expected",
		    d.member);
	life = given_life != NULL ? given_life : life;
	if (!ht_cli_duration(life, &life_ms) || life_ms < 1000)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--for %s: a time like 365d is expected", life);
	rc = ht_cli_time(
	    "--from", from, ht_clock_wall_ms() / 1000 * 1000, &d.from_ms);
	if (rc != HT_CLI_GO)
		return rc;
	d.until_ms = d.from_ms + life_ms;
	rc = look_at_keys(&keys, &d);
	if (rc == HT_CLI_GO)
		rc = check_keys(&d);
	return rc == HT_CLI_GO ? write_member(&d, out) : rc;
}

/* ---- checking one entry ---- */

static int
verify(int argc, char **argv)
{
	const char *root_path = NULL;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("root", "FILE", root_path, "the anchor file"),
	};
	const struct ht_usage_of takes = {
	    "hutong directory verify FILE --root FILE", opts, HT_COUNT(opts), 1,
	    1};
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
	    "hutong directory sign FILE --key FILE [--out FILE]", argc, argv);
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
    .synopsis = "FILE --key FILE [--out FILE]",
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
    .synopsis = "FILE --root FILE",
    .help = "check the signatures of one entry",
    .run = verify,
};

static int
directory(int argc, char **argv)
{
	static const struct ht_verb *const verbs[] = {
	    &verb_new, &verb_sign, &verb_show, &verb_verify};

	return ht_cli_dispatch(
	    "hutong directory", verbs, HT_COUNT(verbs), argc, argv);
}

const struct ht_verb ht_verb_directory = {
    .name = "directory",
    .synopsis = "new|sign|show|verify ...",
    .help = "members and their keys",
    .run = directory,
};
