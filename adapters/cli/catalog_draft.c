/*
 * catalog_draft.c -- hutong catalog draft: a root or a grant from options.
 * Items are written by hand, since their schemas are.
 */
#include <string.h>

#include "adapters/cli/asks.h"
#include "adapters/cli/catalog.h"
#include "adapters/cli/cli.h"

/* ---- root ---- */

struct root_draft {
	const char *quorum;
	const char *catalog;
	const char *threshold;
	const char *address;
	const char *revision;
	const char *zone;
	struct ht_args keys; /* files or vkeys */
	const char *transport;
	const char *out;
};

struct named {
	enum ht_key_for what;
	char vkey[HT_VKEY_MAX];
};

/* A key file's public half, which says what it is for. */
static int
vkey_of(const char *path, struct named *ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_keyfile file;
	struct ht_vkey vkey;
	enum ht_err err = ht_keyfile_look(path, &file, report);

	if (err != HT_OK)
		return ht_cli_error(err, report, "cannot read", path);
	switch (file.what) {
	case HT_KEY_OFFICER:
	case HT_KEY_SNAPSHOT:
	case HT_KEY_CURRENT:
	case HT_KEY_LOG:
	case HT_KEY_AUDITOR:
	case HT_KEY_WITNESS:
	case HT_KEY_SYSTEM_ADMIN:
	case HT_KEY_SECURITY_ADMIN:
	case HT_KEY_AUDIT_ADMIN:
		break;
	default:
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s: a root names officer, snapshot, current, log, "
		    "auditor, witness and administrators' keys, not one for %s",
		    path, ht_key_for_text(file.what));
	}
	err = ht_vkey_make_as(
	    file.name, ht_vkey_type_for(file.what), &file.pub, &vkey);
	if (err != HT_OK)
		return ht_cli_error(err, NULL, "cannot name", path);
	ret->what = file.what;
	ht_vkey_text(&vkey, ret->vkey);
	return HT_CLI_GO;
}

/* "officer=VKEY" for keys that are somewhere else, as they should be. */
static int
vkey_given(const char *text, struct named *ret)
{
	const char *equals = strchr(text, '=');
	struct ht_vkey vkey;

	if (ht_key_for_parse(
	        HT_SLICE(text, (size_t)(equals - text)), &ret->what) != HT_OK ||
	    ht_vkey_parse_as(ht_slice_str(equals + 1),
	        ht_vkey_type_for(ret->what), &vkey) != HT_OK)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--key %s: a key file is expected, or PURPOSE=VKEY, as in "
		    "officer=gx.demo/officer-1+...",
		    text);
	(void)snprintf(ret->vkey, sizeof(ret->vkey), "%s", equals + 1);
	return HT_CLI_GO;
}

/* A vkey has a '+' and base64; "officer=" before it has not. */
static bool
is_given(const char *text)
{
	const char *equals = strchr(text, '=');

	return equals != NULL && strchr(equals, '+') != NULL;
}

static void
add_list(struct ht_buf *out, const char *title, enum ht_key_for what,
    const struct named *keys, size_t n)
{
	ht_buf_fmt(out, "%s:\n", title);
	for (size_t i = 0; i < n; i++)
		if (keys[i].what == what)
			ht_buf_fmt(out, "  - %s\n", keys[i].vkey);
}

static bool
has(enum ht_key_for what, const struct named *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (keys[i].what == what)
			return true;
	return false;
}

/* None, or all three roles: the reader says which is missing. */
static void
add_admins(struct ht_buf *out, const struct named *keys, size_t n)
{
	if (!has(HT_KEY_SYSTEM_ADMIN, keys, n) &&
	    !has(HT_KEY_SECURITY_ADMIN, keys, n) &&
	    !has(HT_KEY_AUDIT_ADMIN, keys, n))
		return;
	ht_buf_str(out, "administrators:\n");
	add_list(out, "  system", HT_KEY_SYSTEM_ADMIN, keys, n);
	add_list(out, "  security", HT_KEY_SECURITY_ADMIN, keys, n);
	add_list(out, "  audit", HT_KEY_AUDIT_ADMIN, keys, n);
}

static int
add_single(struct ht_buf *out, const char *title, enum ht_key_for what,
    const struct named *keys, size_t n)
{
	const char *vkey = NULL;

	for (size_t i = 0; i < n; i++) {
		if (keys[i].what != what)
			continue;
		if (vkey != NULL)
			return ht_cli_fail(HT_EXIT_USAGE,
			    "two --key are for %s, and a root has one", title);
		vkey = keys[i].vkey;
	}
	if (vkey == NULL)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "a --key for %s is missing; make one with `hutong key new "
		    "--for %s`",
		    title, title);
	ht_buf_fmt(out, "%s: %s\n", title, vkey);
	return HT_CLI_GO;
}

/* The broker's transport key: its file, or base64. */
static int
add_broker(struct ht_buf *out, const struct root_draft *d)
{
	char public[HT_B64_SIZE(HT_PUB_SIZE)];
	struct ht_keyfile file;
	struct ht_pub pub;
	size_t len;

	if (ht_unb64(ht_slice_str(d->transport), pub.at, sizeof(pub.at),
	        &len) != HT_OK ||
	    len != sizeof(pub.at)) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		enum ht_err err = ht_keyfile_look(d->transport, &file, report);

		if (err != HT_OK)
			return ht_cli_error(
			    err, report, "cannot read", d->transport);
		if (file.what != HT_KEY_TRANSPORT)
			return ht_cli_fail(HT_EXIT_REFUSED,
			    "%s is a key for %s, not for transport",
			    d->transport, ht_key_for_text(file.what));
		pub = file.pub;
	}
	ht_b64(public, pub.at, sizeof(pub.at));
	ht_buf_fmt(out, "broker:\n  transport: %s\n  address: %s\n", public,
	    d->address);
	return HT_CLI_GO;
}

static int
write_root(const struct root_draft *d)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_DOC_MAX);
	static struct named keys[HT_ARGS_MAX];
	size_t n = d->keys.n;
	int rc = HT_CLI_GO;

	for (size_t i = 0; i < n && rc == HT_CLI_GO; i++)
		rc = is_given(d->keys.at[i])
		         ? vkey_given(d->keys.at[i], &keys[i])
		         : vkey_of(d->keys.at[i], &keys[i]);
	if (rc != HT_CLI_GO)
		return rc;
	ht_buf_fmt(&out,
	    "hutong: root/v1\ncatalog: %s\nrevision: %s\nthreshold: %s\n",
	    d->catalog, d->revision, d->threshold);
	add_list(&out, "officers", HT_KEY_OFFICER, keys, n);
	rc = add_single(&out, "snapshot", HT_KEY_SNAPSHOT, keys, n);
	if (rc == HT_CLI_GO)
		rc = add_single(&out, "current", HT_KEY_CURRENT, keys, n);
	if (rc == HT_CLI_GO)
		rc = add_single(&out, "log", HT_KEY_LOG, keys, n);
	if (rc != HT_CLI_GO)
		return rc;
	add_list(&out, "auditors", HT_KEY_AUDITOR, keys, n);
	if (has(HT_KEY_WITNESS, keys, n))
		add_list(&out, "witnesses", HT_KEY_WITNESS, keys, n);
	add_admins(&out, keys, n);
	if (d->quorum != NULL)
		ht_buf_fmt(&out, "quorum: %s\n", d->quorum);
	if (d->zone != NULL) {
		ht_buf_str(&out, "zone: ");
		ht_cli_quote(&out, d->zone);
		ht_buf_str(&out, "\n");
	}
	rc = add_broker(&out, d);
	return rc == HT_CLI_GO ? ht_cli_write_draft(d->out, &out) : rc;
}

static int
draft_root(int argc, char **argv)
{
	static struct root_draft d;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("catalog", "NAME", d.catalog,
	        "the exchange's name, like gx.demo"),
	    HT_OPT_NEED(
	        "threshold", "K", d.threshold, "how many officers must sign"),
	    HT_OPT_NEED_LIST("key", "KEY", d.keys,
	        "a key file, or PURPOSE=VKEY: officers, auditors, "
	        "witnesses, administrators, snapshot, current, log"),
	    HT_OPT_MAY("quorum", "K", d.quorum,
	        "how many witnesses must cosign; 2 if not said"),
	    HT_OPT_NEED("transport", "KEY", d.transport,
	        "the broker's transport key: file or base64"),
	    HT_OPT_NEED("address", "ADDRESS", d.address,
	        "the broker's, like tcp://127.0.0.1:5600"),
	    HT_OPT_MAY("revision", "N", d.revision, "1 if not said"),
	    HT_OPT_MAY("zone", "ZONE", d.zone,
	        "when the exchange's day begins: +08:00; UTC if not said"),
	    HT_OPT_NEED("out", "FILE", d.out,
	        "the draft, to be signed; never overwritten"),
	};
	const struct ht_usage_of takes = {
	    "hutong catalog draft root --catalog NAME --threshold K --key KEY "
	    "... --transport KEY --address ADDRESS --out FILE",
	    opts, HT_COUNT(opts), 0, 0};
	int rc = ht_cli_options(&takes, argc, argv, NULL);

	if (rc != HT_CLI_GO)
		return rc;
	if (d.revision == NULL)
		d.revision = "1";
	return write_root(&d);
}

/* ---- grant ---- */

struct grant_draft {
	const char *grant;
	struct ht_asks_words asks;
	const char *out;
};

static int
write_grant(const struct grant_draft *d)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_DOC_MAX);
	int rc;

	ht_buf_fmt(&out,
	    "hutong: grant/v1\ngrant: %s\nrevision: 1\nstate: active\n",
	    d->grant);
	rc = ht_cli_add_asks(&out, "consumer", &d->asks);
	return rc == HT_CLI_GO ? ht_cli_write_draft(d->out, &out) : rc;
}

static int
draft_grant(int argc, char **argv)
{
	static struct grant_draft d;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("grant", "NAME", d.grant, "its name, like gx.demo/17"),
	    HT_ASKS_OPTIONS(d.asks, "consumer"),
	    HT_OPT_NEED("out", "FILE", d.out, "the draft; never overwritten"),
	};
	const struct ht_usage_of takes = {
	    "hutong catalog draft grant --grant NAME --item NAME --provider "
	    "MEMBER --consumer MEMBER --operations LIST --fields LIST "
	    "--purposes LIST --basis CODE --out FILE",
	    opts, HT_COUNT(opts), 0, 0};
	int rc = ht_cli_options(&takes, argc, argv, NULL);

	return rc == HT_CLI_GO ? write_grant(&d) : rc;
}

static const struct ht_verb verb_root = {
    .name = "root",
    .synopsis = "--catalog NAME --threshold K --key KEY ... --transport KEY "
                "--address ADDRESS --out FILE",
    .help = "the anchor: officers, keys of the exchange, the broker",
    .run = draft_root,
};
static const struct ht_verb verb_grant = {
    .name = "grant",
    .synopsis = "--grant NAME --item NAME ... --out FILE",
    .help = "who may ask an item, for what",
    .run = draft_grant,
};

static int
draft(int argc, char **argv)
{
	static const struct ht_verb *const verbs[] = {&verb_root, &verb_grant};

	return ht_cli_dispatch(
	    "hutong catalog draft", verbs, HT_COUNT(verbs), argc, argv);
}

const struct ht_verb ht_catalog_draft = {
    .name = "draft",
    .synopsis = "root|grant ...",
    .help = "write an unsigned document from options",
    .run = draft,
};
