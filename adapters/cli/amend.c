/*
 * amend.c -- hutong directory amend: the next revision of a member's entry,
 * with keys added beside the old ones, revoked, or taken out.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/entry.h"
#include "adapters/cli/files.h"
#include "lib/base/clock.h"

struct amend {
	struct ht_entry_draft draft;
	struct ht_args keys, revoke, drop;
	const char *since;
	bool recovered;
	const char *out;
};

static void
amend_fini(struct amend *a)
{
	ht_entry_fini(&a->draft);
}

/* By its id, or an officer by name; NULL after having said so. */
static struct ht_entry_key *
find(struct ht_entry_draft *d, const char *option, const char *which)
{
	for (size_t i = 0; i < d->n; i++) {
		struct ht_entry_key *key = &d->keys[i];
		char id[2 * HT_KEYID_SIZE + 1];

		ht_hex(id, key->info.id.at, sizeof(key->info.id.at));
		if (key->what == HT_KEY_OFFICER
		        ? strcmp(key->vkey.name, which) == 0
		        : strcmp(id, which) == 0)
			return key;
	}
	(void)ht_cli_fail(0,
	    "%s %s: the entry has no key of this id, and no officer of this "
	    "name; `hutong key show` tells the id",
	    option, which);
	return NULL;
}

static int
revoke_keys(struct amend *a)
{
	uint64_t since_ms;
	int rc = ht_cli_time(
	    "--since", a->since, ht_clock_wall_ms() / 1000 * 1000, &since_ms);

	for (size_t i = 0; i < a->revoke.n && rc == HT_CLI_GO; i++) {
		struct ht_entry_key *key =
		    find(&a->draft, "--revoke", a->revoke.at[i]);

		if (key == NULL)
			return HT_EXIT_REFUSED;
		if (key->what == HT_KEY_OFFICER)
			return ht_cli_fail(HT_EXIT_REFUSED,
			    "--revoke %s: an officer is taken out (--drop); "
			    "what counts is who is one when a document is "
			    "taken",
			    a->revoke.at[i]);
		key->info.revoked = true;
		key->info.revoked_ms = since_ms;
	}
	for (size_t i = 0; i < a->drop.n && rc == HT_CLI_GO; i++) {
		struct ht_entry_key *key =
		    find(&a->draft, "--drop", a->drop.at[i]);

		if (key == NULL)
			return HT_EXIT_REFUSED;
		key->gone = true;
	}
	return rc;
}

/* Who has the old key signs with both; who lost it says so. */
static int
check_identity(struct amend *a, const struct ht_pub *old)
{
	bool other = memcmp(&a->draft.identity, old, sizeof(*old)) != 0;

	if (a->recovered && !other)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--recovered: for a new identity key (--key) when the old "
		    "one is lost");
	if (a->recovered)
		a->draft.recovered_ms = ht_clock_wall_ms() / 1000 * 1000;
	if (other && !a->recovered)
		fprintf(stderr, "Have it signed with the old identity key and "
		                "the new one.\n");
	return HT_CLI_GO;
}

static int
amend_entry(struct amend *a, const struct ht_doc *doc)
{
	int rc;

	if (doc->kind != HT_DOC_MEMBER)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s is a %s, not a member's entry", doc->where,
		    ht_doc_kind_text(doc->kind));
	rc = ht_entry_take(&a->draft, doc->member);
	if (rc == HT_CLI_GO)
		rc = revoke_keys(a);
	a->draft.revision++;
	if (rc == HT_CLI_GO)
		rc = ht_entry_keys(&a->draft, &a->keys);
	if (rc == HT_CLI_GO)
		rc = check_identity(a, &doc->member->identity);
	return rc == HT_CLI_GO ? ht_entry_write(&a->draft, a->out) : rc;
}

static int
amend(int argc, char **argv)
{
	HT_AUTO(amend_fini) struct amend a = {.out = NULL};
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	const struct ht_opt opts[] = {
	    HT_OPT_LIST("key", "FILE", a.keys,
	        "a new key of the member, beside the old ones; again for each"),
	    HT_OPT_LIST("revoke", "ID", a.revoke,
	        "from --since on, nothing made with this key counts"),
	    HT_OPT_MAY("since", "TIME", a.since, "now if not said"),
	    HT_OPT_LIST("drop", "ID", a.drop,
	        "take out a key whose time is over, or an officer by name"),
	    HT_OPT_MAY("from", "TIME", a.draft.from,
	        "from when the new keys are valid; else from now"),
	    HT_OPT_MAY("for", "TIME", a.draft.life,
	        "how long, 365d if not said; sealing keys 90d at most"),
	    HT_OPT_FLAG("recovered", a.recovered,
	        "the old identity key is lost: every node will show that"),
	    HT_OPT_NEED("out", "FILE", a.out,
	        "the draft, to be signed; never overwritten"),
	};
	const struct ht_usage_of takes = {
	    "hutong directory amend FILE [--key FILE ...] [--revoke ID ...] "
	    "[--drop ID ...] --out FILE",
	    opts, HT_COUNT(opts), 1, 1};
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = ht_cli_doc(args.at[0], &doc);
	return rc == HT_CLI_GO ? amend_entry(&a, doc) : rc;
}

const struct ht_verb ht_directory_amend = {
    .name = "amend",
    .synopsis = "FILE [--key FILE ...] [--revoke ID ...] --out FILE",
    .help = "the next revision of an entry: keys added, revoked, taken out",
    .run = amend,
};
