/*
 * cani_own.c -- the asker's own keys: would the broker let it in, take what it
 * signs, and could it read the answer?
 */
#include <stdio.h>

#include "adapters/cli/cani.h"
#include "adapters/cli/cli.h"
#include "keys/keyfile.h"

struct own {
	const struct ht_trust *trust;
	const struct ht_conf_node *conf;
	const struct ht_member *member;
	uint64_t now_ms;
	struct ht_reasons reasons;
};

static int
look(const char *path, struct ht_keyfile *ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	enum ht_err err = ht_keyfile_look(path, ret, report);

	return err == HT_OK ? HT_CLI_GO
	                    : ht_cli_error(err, report, "cannot read", path);
}

static int
judge_signing(struct own *own)
{
	const struct ht_conf_node *conf = own->conf;
	struct ht_keyfile file;
	const struct ht_pub *pub;
	struct ht_keyid id;
	unsigned status;
	int rc = look(conf->signing, &file);

	if (rc != HT_CLI_GO)
		return rc;
	id = ht_keyid(HT_KEY_SIGNING, &file.pub);
	status = ht_signer_check(own->trust, ht_slice_str(conf->member),
	    ht_slice_str(conf->node), &id, own->now_ms, &pub);
	if (status != HT_ST_OK)
		ht_reasons_add(&own->reasons, status,
		    "signing key %s of node %s/%s", conf->signing, conf->member,
		    conf->node);
	return HT_CLI_GO;
}

/* As the broker's door has it (docs/protocol.md, "Transport"). */
static unsigned
transport_status(const struct own *own, const struct ht_pub *pub)
{
	const struct ht_member *member;
	const struct ht_node_entry *node;
	const struct ht_keyinfo *key;

	if (!ht_trust_by_transport(own->trust, pub, &member, &node, &key) ||
	    member != own->member ||
	    node != ht_member_node(member, ht_slice_str(own->conf->node)))
		return HT_ST_KEY_UNKNOWN;
	return ht_key_status(key, own->now_ms);
}

static int
judge_transport(struct own *own)
{
	struct ht_keyfile file;
	unsigned status;
	int rc = look(own->conf->transport, &file);

	if (rc != HT_CLI_GO)
		return rc;
	status = transport_status(own, &file.pub);
	if (status != HT_ST_OK)
		ht_reasons_add(&own->reasons, status,
		    "transport key %s of node %s/%s: the broker does not let "
		    "it in",
		    own->conf->transport, own->conf->member, own->conf->node);
	return HT_CLI_GO;
}

/* Answers are sealed to the newest key of the entry: is it among ours? */
static int
judge_sealing(struct own *own)
{
	const struct ht_keyinfo *to =
	    ht_member_seal_key(own->member, own->now_ms);
	char hex[2 * HT_KEYID_SIZE + 1];
	struct ht_keyfile file;
	int rc;

	if (to == NULL) {
		ht_reasons_add(&own->reasons, HT_ST_SEAL_KEY,
		    "%s has no sealing key that is valid: no answer can be "
		    "sealed to it",
		    own->conf->member);
		return HT_CLI_GO;
	}
	for (unsigned i = 0; own->conf->sealing[i] != NULL; i++) {
		struct ht_keyid id;

		rc = look(own->conf->sealing[i], &file);
		if (rc != HT_CLI_GO)
			return rc;
		id = ht_keyid(HT_KEY_SEALING, &file.pub);
		if (ht_keyid_eq(&id, &to->id))
			return HT_CLI_GO;
	}
	ht_hex(hex, to->id.at, sizeof(to->id.at));
	ht_reasons_add(&own->reasons, HT_ST_SEAL_KEY,
	    "answers are sealed to %s of %s, which is not among this node's "
	    "sealing keys: it could not read them",
	    hex, own->conf->member);
	return HT_CLI_GO;
}

int
cli_can_own(const struct cli_copy *copy, struct cli_can *can)
{
	struct own own = {.trust = copy->trust,
	    .conf = &copy->conf,
	    .member =
	        ht_trust_member(copy->trust, ht_slice_str(copy->conf.member)),
	    .now_ms = can->prospect->now_ms};
	enum ht_err err;
	int rc;

	/* Of a member that is not there, or suspended, it was said. */
	if (own.member == NULL || own.member->suspended)
		return HT_CLI_GO;
	rc = judge_signing(&own);
	if (rc == HT_CLI_GO)
		rc = judge_transport(&own);
	if (rc == HT_CLI_GO)
		rc = judge_sealing(&own);
	if (rc != HT_CLI_GO || own.reasons.n == 0)
		return rc;
	can->allowed = false;
	err = cli_reasons_add(&can->reasons, "", &own.reasons);
	return err == HT_OK ? HT_CLI_GO
	                    : ht_cli_error(err, NULL, "cannot", "decide");
}
