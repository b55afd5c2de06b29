#include "adapters/cli/entry.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/cli/catalog.h"
#include "lib/base/clock.h"

void
ht_entry_fini(struct ht_entry_draft *draft)
{
	free(draft->keys);
	draft->keys = NULL;
	draft->n = 0;
}

static int
add(struct ht_entry_draft *d, const struct ht_entry_key *key)
{
	if (d->keys == NULL)
		d->keys = calloc(HT_ENTRY_KEYS, sizeof(*d->keys));
	if (d->keys == NULL)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot draft", d->member);
	if (d->n == HT_ENTRY_KEYS)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "more than %d keys; take old ones out (--drop)",
		    HT_ENTRY_KEYS);
	d->keys[d->n++] = *key;
	return HT_CLI_GO;
}

/* ---- from key files ---- */

/* The key belongs to the member, or to something below it. */
static bool
is_of(const struct ht_keyfile *key, const char *member)
{
	size_t len = strlen(member);

	return strncmp(key->name, member, len) == 0 &&
	       (key->name[len] == '\0' || key->name[len] == '/');
}

static int
periods(const struct ht_entry_draft *d, uint64_t *from_ms, uint64_t *life_ms)
{
	const char *life = d->life != NULL ? d->life : "365d";

	if (!ht_cli_duration(life, life_ms) || *life_ms < 1000)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--for %s: a time like 365d is expected", life);
	return ht_cli_time(
	    "--from", d->from, ht_clock_wall_ms() / 1000 * 1000, from_ms);
}

static int
take_identity(struct ht_entry_draft *d, const struct ht_keyfile *file)
{
	if (d->has_identity)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "exactly one --key must be the identity key");
	d->has_identity = true;
	d->identity = file->pub;
	return HT_CLI_GO;
}

static int
take_key(struct ht_entry_draft *d, const char *path,
    const struct ht_keyfile *file, uint64_t from_ms, uint64_t life_ms)
{
	struct ht_entry_key key = {.what = file->what};
	size_t len = strlen(d->member);

	switch (file->what) {
	case HT_KEY_IDENTITY:
		return take_identity(d, file);
	case HT_KEY_OFFICER:
		if (ht_vkey_make(file->name, &file->pub, &key.vkey) != HT_OK)
			return ht_cli_fail(HT_EXIT_REFUSED,
			    "%s: its name cannot be an officer's", path);
		return add(d, &key);
	case HT_KEY_SEALING:
		if (life_ms > HT_SEALING_MS)
			life_ms = HT_SEALING_MS;
		break;
	case HT_KEY_SIGNING:
	case HT_KEY_TRANSPORT:
		if (file->name[len] == '/')
			(void)snprintf(key.node, sizeof(key.node), "%s",
			    file->name + len + 1);
		break;
	default:
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "a member has no key for %s; give its identity, officer, "
		    "signing, transport and sealing keys",
		    ht_key_for_text(file->what));
	}
	key.info.pub = file->pub;
	key.info.id = ht_keyid(file->what, &file->pub);
	key.info.from_ms = from_ms;
	key.info.until_ms = from_ms + life_ms;
	return add(d, &key);
}

int
ht_entry_keys(struct ht_entry_draft *d, const struct ht_args *paths)
{
	uint64_t from_ms = 0, life_ms = 0;
	int rc = periods(d, &from_ms, &life_ms);

	for (size_t i = 0; i < paths->n && rc == HT_CLI_GO; i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		struct ht_keyfile file;
		enum ht_err err = ht_keyfile_look(paths->at[i], &file, report);

		if (err != HT_OK)
			return ht_cli_error(
			    err, report, "cannot read", paths->at[i]);
		if (!is_of(&file, d->member))
			return ht_cli_fail(HT_EXIT_REFUSED,
			    "%s is the key of %s, not of %s", paths->at[i],
			    file.name, d->member);
		rc = take_key(d, paths->at[i], &file, from_ms, life_ms);
	}
	return rc;
}

/* ---- from an entry ---- */

static int
take_infos(struct ht_entry_draft *d, enum ht_key_for what, const char *node,
    const struct ht_keyinfo *infos, unsigned n)
{
	int rc = HT_CLI_GO;

	for (unsigned i = 0; i < n && rc == HT_CLI_GO; i++) {
		struct ht_entry_key key = {.what = what, .info = infos[i]};

		(void)snprintf(key.node, sizeof(key.node), "%s", node);
		rc = add(d, &key);
	}
	return rc;
}

int
ht_entry_take(struct ht_entry_draft *d, const struct ht_member *m)
{
	int rc = HT_CLI_GO;

	(void)snprintf(d->member, sizeof(d->member), "%s", m->name);
	d->revision = m->revision;
	d->zh = m->title_zh;
	d->en = m->title_en;
	d->auditor = m->auditor;
	d->identity = m->identity;
	for (unsigned i = 0; i < m->n_officers && rc == HT_CLI_GO; i++) {
		struct ht_entry_key key = {
		    .what = HT_KEY_OFFICER, .vkey = m->officers[i]};

		rc = add(d, &key);
	}
	for (unsigned i = 0; i < m->n_nodes && rc == HT_CLI_GO; i++) {
		const struct ht_node_entry *node = &m->nodes[i];

		rc = take_infos(d, HT_KEY_SIGNING, node->name, node->signing,
		    node->n_signing);
		if (rc == HT_CLI_GO)
			rc = take_infos(d, HT_KEY_TRANSPORT, node->name,
			    node->transport, node->n_transport);
	}
	return rc == HT_CLI_GO
	           ? take_infos(d, HT_KEY_SEALING, "", m->sealing, m->n_sealing)
	           : rc;
}

/* ---- writing ---- */

static void
add_key(struct ht_buf *out, const struct ht_keyinfo *key)
{
	char public[HT_B64_SIZE(HT_PUB_SIZE)];
	char from[HT_TIME_SIZE], until[HT_TIME_SIZE], since[HT_TIME_SIZE];

	ht_b64(public, key->pub.at, sizeof(key->pub.at));
	ht_time_text(from, key->from_ms * 1000);
	ht_time_text(until, key->until_ms * 1000);
	ht_buf_fmt(
	    out, "{key: %s, from: %s, until: %s, state: ", public, from, until);
	ht_time_text(since, key->revoked_ms * 1000);
	if (key->revoked)
		ht_buf_fmt(out, "revoked, since: %s}\n", since);
	else
		ht_buf_str(out, "active}\n");
}

static size_t
count_of(const struct ht_entry_draft *d, enum ht_key_for what)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		n += d->keys[i].what == what && !d->keys[i].gone;
	return n;
}

static void
add_officers(struct ht_buf *out, const struct ht_entry_draft *d)
{
	char text[HT_VKEY_MAX];

	if (count_of(d, HT_KEY_OFFICER) > 0)
		ht_buf_str(out, "officers:\n");
	for (size_t i = 0; i < d->n; i++) {
		if (d->keys[i].what != HT_KEY_OFFICER || d->keys[i].gone)
			continue;
		ht_vkey_text(&d->keys[i].vkey, text);
		ht_buf_fmt(out, "  - %s\n", text);
	}
}

static void
add_list(struct ht_buf *out, const struct ht_entry_draft *d,
    enum ht_key_for what, const char *node, const char *indent)
{
	for (size_t i = 0; i < d->n; i++) {
		if (d->keys[i].what != what || d->keys[i].gone ||
		    strcmp(d->keys[i].node, node) != 0)
			continue;
		ht_buf_fmt(out, "%s- ", indent);
		add_key(out, &d->keys[i].info);
	}
}

/* A node for each name that a signing key has, in the order given. */
static void
add_nodes(struct ht_buf *out, const struct ht_entry_draft *d)
{
	if (count_of(d, HT_KEY_SIGNING) > 0)
		ht_buf_str(out, "nodes:\n");
	for (size_t i = 0; i < d->n; i++) {
		const char *node = d->keys[i].node;
		bool seen = false;

		for (size_t k = 0; k < i; k++)
			seen = seen || (d->keys[k].what == HT_KEY_SIGNING &&
			                   !d->keys[k].gone &&
			                   strcmp(node, d->keys[k].node) == 0);
		if (d->keys[i].what != HT_KEY_SIGNING || d->keys[i].gone ||
		    seen)
			continue;
		ht_buf_fmt(out, "  - node: %s\n    signing:\n", node);
		add_list(out, d, HT_KEY_SIGNING, node, "      ");
		ht_buf_str(out, "    transport:\n");
		add_list(out, d, HT_KEY_TRANSPORT, node, "      ");
	}
}

static void
add_title(struct ht_buf *out, const struct ht_entry_draft *d)
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

int
ht_entry_write(const struct ht_entry_draft *d, const char *path)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_DOC_MAX);
	char public[HT_B64_SIZE(HT_PUB_SIZE)], when[HT_TIME_SIZE];
	int rc;

	ht_buf_fmt(&out, "hutong: member/v1\nmember: %s\nrevision: %llu\n",
	    d->member, (unsigned long long)d->revision);
	add_title(&out, d);
	if (d->auditor)
		ht_buf_str(&out, "role: auditor\n");
	ht_b64(public, d->identity.at, sizeof(d->identity.at));
	ht_buf_fmt(&out, "identity: %s\n", public);
	ht_time_text(when, d->recovered_ms * 1000);
	if (d->recovered_ms != 0)
		ht_buf_fmt(&out, "recovered: %s\n", when);
	add_officers(&out, d);
	add_nodes(&out, d);
	if (count_of(d, HT_KEY_SEALING) > 0)
		ht_buf_str(&out, "sealing:\n");
	add_list(&out, d, HT_KEY_SEALING, "", "  ");
	rc = ht_cli_write_draft(path, &out);
	if (rc == HT_EXIT_OK)
		fprintf(stderr,
		    "Next: each new key proves itself (hutong directory prove "
		    "%s --key FILE ...), the identity key signs (hutong "
		    "directory sign), then the officers do.\n",
		    path);
	return rc;
}
