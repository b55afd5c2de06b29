/*
 * key.c -- hutong key: make a key of any purpose, and show what is public of
 * one.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/files.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"

/* ---- showing ---- */

/* Kinds that sign notes; their public half is given as a verifier key. */
static bool
signs_notes(enum ht_key_for what)
{
	switch (what) {
	case HT_KEY_IDENTITY:
	case HT_KEY_OFFICER:
	case HT_KEY_SNAPSHOT:
	case HT_KEY_CURRENT:
	case HT_KEY_LOG:
	case HT_KEY_WITNESS:
	case HT_KEY_AUDITOR:
	case HT_KEY_SYSTEM_ADMIN:
	case HT_KEY_SECURITY_ADMIN:
	case HT_KEY_AUDIT_ADMIN:
		return true;
	case HT_KEY_SIGNING:
	case HT_KEY_SEALING:
	case HT_KEY_TRANSPORT:
	case HT_KEY_ANNEX:
	case HT_KEY_TRACKER:
		return false;
	}
	return false;
}

struct facts {
	char public[HT_B64_SIZE(HT_PUB_SIZE)];
	char id[2 * HT_KEYID_SIZE + 1];
	char vkey[HT_VKEY_MAX]; /* empty: none */
	char created[HT_TIME_SIZE];
};

static int
facts_of(const struct ht_keyfile *file, struct facts *ret)
{
	struct ht_keyid id = ht_keyid(file->what, &file->pub);
	struct ht_vkey vkey;

	memset(ret, 0, sizeof(*ret));
	ht_b64(ret->public, file->pub.at, sizeof(file->pub.at));
	ht_hex(ret->id, id.at, sizeof(id.at));
	ht_time_text(ret->created, file->created_us);
	if (!signs_notes(file->what))
		return HT_CLI_GO;
	if (ht_vkey_make_as(file->name, ht_vkey_type_for(file->what),
	        &file->pub, &vkey) != HT_OK)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s cannot be a key's name; make the key again under "
		    "another",
		    file->name);
	ht_vkey_text(&vkey, ret->vkey);
	return HT_CLI_GO;
}

static int
show_one(const struct ht_keyfile *file, const char *only)
{
	struct facts facts;
	int rc = facts_of(file, &facts);

	if (rc != HT_CLI_GO)
		return rc;
	if (only == NULL) {
		printf("for      %s\n", ht_key_for_text(file->what));
		printf("name     %s\n", file->name);
		printf("public   %s\n", facts.public);
		printf("id       %s\n", facts.id);
		if (facts.vkey[0] != '\0')
			printf("vkey     %s\n", facts.vkey);
		printf("created  %s\n", facts.created);
		printf("secret   %s%s\n",
		    file->token[0] != '\0' ? "in the token "
		    : file->locked         ? "locked with a passphrase"
		                           : "not locked",
		    file->token);
		return HT_EXIT_OK;
	}
	if (strcmp(only, "public") == 0)
		puts(facts.public);
	else if (strcmp(only, "id") == 0)
		puts(facts.id);
	else if (strcmp(only, "vkey") == 0 && facts.vkey[0] != '\0')
		puts(facts.vkey);
	else
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--only %s: public or id are expected, or vkey for a key "
		    "that signs notes",
		    only);
	return HT_EXIT_OK;
}

static int
show(int argc, char **argv)
{
	const char *only = NULL;
	const struct ht_opt opts[] = {
	    HT_OPT_MAY(
	        "only", "WHAT", only, "print this alone: public, id or vkey"),
	};
	const struct ht_usage_of takes = {
	    "hutong key show FILE [--only WHAT]", opts, HT_COUNT(opts), 1, 1};
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_keyfile file;
	struct ht_args args;
	enum ht_err err;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc != HT_CLI_GO)
		return rc;
	err = ht_keyfile_look(args.at[0], &file, report);
	if (err != HT_OK)
		return ht_cli_error(err, report, "cannot read", args.at[0]);
	return show_one(&file, only);
}

/* ---- making ---- */

struct in_token {
	const char *label; /* NULL: in a file */
	const char *module;
	const char *id;
};

/* How many parts a name of this kind may have, and an example. */
static const struct {
	unsigned min, max;
	const char *example;
} names[] = {
    [HT_KEY_IDENTITY] = {2, 2, "the member, tax.demo/state"            },
    [HT_KEY_SIGNING] = {3, 3, "the member's node, tax.demo/state/main"},
    [HT_KEY_SEALING] = {2, 2, "the member, tax.demo/state"            },
    [HT_KEY_TRANSPORT] = {2, 3,
                         "the member's node, tax.demo/state/main, or "
        "the broker, gx.demo/broker"                                   },
    [HT_KEY_OFFICER] = {2, 3,
                         "the officer, gx.demo/officer-1, or the "
        "member's, tax.demo/state/wang"                                },
    [HT_KEY_SNAPSHOT] = {2, 2, "gx.demo/snapshot"                      },
    [HT_KEY_CURRENT] = {2, 2, "gx.demo/current"                       },
    [HT_KEY_LOG] = {2, 2, "the log's origin, gx.demo/log"         },
    [HT_KEY_WITNESS] = {2, 3, "gx.demo/witness-1"                     },
    [HT_KEY_AUDITOR] = {2, 2, "gx.demo/auditor-1"                     },
    [HT_KEY_ANNEX] = {2, 2, "the epoch, gx.demo/2026Q4"             },
    [HT_KEY_TRACKER] = {2, 2, "the epoch, gx.demo/2026Q4"             },
    [HT_KEY_SYSTEM_ADMIN] = {2, 2, "gx.demo/sys-1"                         },
    [HT_KEY_SECURITY_ADMIN] = {2, 2, "gx.demo/sec-1"                         },
    [HT_KEY_AUDIT_ADMIN] = {2, 2, "gx.demo/audit-admin-1"                 },
};

static bool
name_fits(enum ht_key_for what, const char *name)
{
	unsigned parts = 0;

	for (const char *at = name; at != NULL; parts++) {
		const char *slash = strchrnul(at, '/');

		if (!ht_name_part(HT_SLICE(at, (size_t)(slash - at))))
			return false;
		at = *slash == '/' ? slash + 1 : NULL;
	}
	return parts >= names[what].min && parts <= names[what].max;
}

static int
ask_passphrase(bool wanted, char **ret)
{
	HT_AUTO(ht_cli_secret_free) char *first = NULL, *again = NULL;
	int rc;

	if (!wanted)
		return HT_CLI_GO;
	rc = ht_cli_passphrase("Passphrase for the new key: ", &first);
	if (rc == HT_CLI_GO)
		rc = ht_cli_passphrase("The same once more: ", &again);
	if (rc != HT_CLI_GO)
		return rc;
	if (strcmp(first, again) != 0)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "the two passphrases differ; nothing was made");
	*ret = HT_TAKE(first);
	return HT_CLI_GO;
}

static int
make(enum ht_key_for what, const char *name, const char *out, bool lock)
{
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	HT_AUTO(ht_cli_secret_free) char *passphrase = NULL;
	struct ht_keyfile file;
	enum ht_err err;
	int rc = ask_passphrase(lock, &passphrase);

	if (rc != HT_CLI_GO)
		return rc;
	err = ht_key_new(what, &key);
	if (err != HT_OK)
		return ht_cli_error(err, NULL, "cannot make", "a key");
	err = ht_keyfile_write(out, name, key, passphrase);
	if (err == HT_EEXISTS)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s exists, and no key is ever overwritten; name another "
		    "file",
		    out);
	if (err == HT_OK)
		err = ht_keyfile_look(out, &file, NULL);
	if (err != HT_OK)
		return ht_cli_error(err, NULL, "cannot write", out);
	return show_one(&file, NULL);
}

/* In a token, which is asked for its PIN as a file for its passphrase. */
static int
make_in_token(enum ht_key_for what, const char *name, const char *out,
    const struct in_token *in)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_cli_secret_free) char *pin = NULL;
	struct ht_keyfile file;
	enum ht_err err;
	int rc;

	if (!signs_notes(what) && what != HT_KEY_SIGNING)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--token: a %s key does not sign, and cannot be in a token",
		    ht_key_for_text(what));
	rc = ht_cli_passphrase("PIN of the token: ", &pin);
	if (rc != HT_CLI_GO)
		return rc;
	err = ht_keyfile_write_token(
	    out, what, name, in->module, in->label, in->id, pin, report);
	if (err == HT_OK)
		err = ht_keyfile_look(out, &file, report);
	if (err != HT_OK)
		return ht_cli_error(err, report, "cannot make", out);
	return show_one(&file, NULL);
}

static int
new_key(int argc, char **argv)
{
	const char *purpose = NULL, *name = NULL, *out = NULL;
	struct in_token in = {NULL, NULL, NULL};
	bool lock = false;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("for", "PURPOSE", purpose,
	        "identity, signing, sealing, transport, officer, "
	        "snapshot, current, log, witness, auditor, annex or "
	        "tracker"),
	    HT_OPT_NEED("name", "NAME", name,
	        "whose: a member, its node, an officer ..."),
	    HT_OPT_NEED("out", "FILE", out, "where; never overwritten"),
	    HT_OPT_FLAG(
	        "passphrase", lock, "ask for one and lock the secret with it"),
	    HT_OPT_MAY("token", "LABEL", in.label,
	        "in this PKCS#11 token, which keeps the secret; its PIN is "
	        "asked for"),
	    HT_OPT_MAY("module", "FILE", in.module,
	        "the library that the token's maker gives"),
	    HT_OPT_MAY("id", "HEX", in.id,
	        "a key that is in the token already; else one is made"),
	};
	const struct ht_usage_of takes = {
	    "hutong key new --for PURPOSE --name NAME --out FILE "
	    "[--passphrase | --token LABEL --module FILE [--id HEX]]",
	    opts, HT_COUNT(opts), 0, 0};
	enum ht_key_for what;
	int rc = ht_cli_options(&takes, argc, argv, NULL);

	if (rc != HT_CLI_GO)
		return rc;
	if (ht_key_for_parse(ht_slice_str(purpose), &what) != HT_OK)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--for %s: there is no such purpose; see `hutong key new "
		    "--help`",
		    purpose);
	if (!name_fits(what, name))
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--name %s: for a %s key, name %s", name, purpose,
		    names[what].example);
	if ((in.label == NULL) != (in.module == NULL) ||
	    (in.id != NULL && in.label == NULL) || (in.label != NULL && lock))
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--token and --module go together, without --passphrase");
	return in.label != NULL ? make_in_token(what, name, out, &in)
	                        : make(what, name, out, lock);
}

static const struct ht_verb verb_new = {
    .name = "new",
    .synopsis = "--for PURPOSE --name NAME --out FILE [--passphrase | --token "
                "LABEL --module FILE]",
    .help = "make a key; its file is never overwritten",
    .run = new_key,
};
static const struct ht_verb verb_show = {
    .name = "show",
    .synopsis = "FILE [--only public|id|vkey]",
    .help = "what is public of a key",
    .run = show,
};

static int
key(int argc, char **argv)
{
	static const struct ht_verb *const verbs[] = {&verb_new, &verb_show};

	return ht_cli_dispatch(
	    "hutong key", verbs, HT_COUNT(verbs), argc, argv);
}

const struct ht_verb ht_verb_key = {
    .name = "key",
    .synopsis = "new|show ...",
    .help = "make keys of every purpose",
    .run = key,
};
