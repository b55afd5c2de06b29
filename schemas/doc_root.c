/*
 * doc_root.c -- the anchor: who may say what, and where the broker is.
 */
#include <stdio.h>
#include <string.h>

#include "lib/conf/conf.h"
#include "schemas/doc.h"

static void
read_broker(struct ht_read *r, struct ht_yaml *broker)
{
	struct ht_root *root = r->doc->root;
	struct ht_yaml *at = ht_yaml_need(broker, "address");
	const char *address;

	ht_read_pub(
	    ht_yaml_need(broker, "transport"), false, &root->broker_transport);
	if (!ht_yaml_as_str(at, sizeof(root->broker_address) - 1, &address))
		return;
	if (strncmp(address, "tcp://", 6) != 0 &&
	    strncmp(address, "ipc://", 6) != 0)
		ht_yaml_complain(at, "an address is expected, like "
		                     "tcp://exchange.example:5600");
	(void)snprintf(
	    root->broker_address, sizeof(root->broker_address), "%s", address);
}

/* A key with two jobs could have its signatures taken for the other's. */
static void
check_apart(struct ht_read *r)
{
	const struct ht_root *root = r->doc->root;
	const struct ht_vkey *keys[2 * HT_OFFICERS_MAX + HT_WITNESSES_MAX +
	                           HT_ROLES * HT_ADMINS_MAX + 3];
	size_t n = 0;

	for (unsigned i = 0; i < root->n_officers; i++)
		keys[n++] = &root->officers[i];
	for (unsigned i = 0; i < root->n_auditors; i++)
		keys[n++] = &root->auditors[i];
	for (unsigned i = 0; i < root->n_witnesses; i++)
		keys[n++] = &root->witnesses[i];
	for (enum ht_role role = 0; role < HT_ROLES; role++)
		for (unsigned i = 0; i < root->n_admins[role]; i++)
			keys[n++] = &root->admins[role][i];
	keys[n++] = &root->snapshot;
	keys[n++] = &root->current;
	keys[n++] = &root->log;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (keys[i]->name[0] != '\0' &&
			    (strcmp(keys[i]->name, keys[j]->name) == 0 ||
			        memcmp(&keys[i]->pub, &keys[j]->pub,
			            sizeof(keys[i]->pub)) == 0))
				ht_yaml_complain(r->top,
				    "%s has two offices; each needs a name and "
				    "a key of its own",
				    keys[i]->name);
}

/*
 * Who cosigns checkpoints, and how many suffice: two, where nothing is said,
 * so that one machine's fault or one department's favour is not enough.
 */
static void
read_witnesses(struct ht_read *r)
{
	struct ht_root *root = r->doc->root;
	struct ht_yaml *list = ht_yaml_get(r->top, "witnesses");
	struct ht_yaml *quorum = ht_yaml_get(r->top, "quorum");
	size_t n = list != NULL ? ht_yaml_count(ht_yaml_as_list(list)) : 0;
	uint64_t k;

	if (n > HT_WITNESSES_MAX) {
		ht_yaml_complain(list, "%d witnesses at most are expected",
		    HT_WITNESSES_MAX);
		ht_yaml_take(list);
		n = 0;
	}
	for (size_t i = 0; i < n; i++)
		ht_read_witness(ht_yaml_at(list, i), &root->witnesses[i]);
	root->n_witnesses = (unsigned)n;
	k = n < 2 ? n : 2;
	if (quorum != NULL && ht_yaml_as_u64(quorum, 1, HT_WITNESSES_MAX, &k) &&
	    k > n)
		ht_yaml_complain(
		    quorum, "there are only %zu witnesses to cosign", n);
	root->quorum = (unsigned)k;
}

static const char *const roles[HT_ROLES] = {
    [HT_ROLE_SYSTEM] = "system",
    [HT_ROLE_SECURITY] = "security",
    [HT_ROLE_AUDIT] = "audit",
};

const char *
ht_role_text(enum ht_role role)
{
	return (unsigned)role < HT_ROLES ? roles[role] : "";
}

/* All three or none: what one of them has nobody else must have. */
static void
read_admins(struct ht_read *r)
{
	struct ht_root *root = r->doc->root;
	struct ht_yaml *map =
	    ht_yaml_as_map(ht_yaml_get(r->top, "administrators"));
	struct ht_vkey vkeys[HT_OFFICERS_MAX];

	root->parted = map != NULL;
	for (enum ht_role role = 0; map != NULL && role < HT_ROLES; role++) {
		struct ht_yaml *list = ht_yaml_need(map, roles[role]);
		unsigned n = 0;

		memset(vkeys, 0, sizeof(vkeys));
		ht_read_vkeys(list, root->catalog, vkeys, &n);
		if (list != NULL && (n == 0 || n > HT_ADMINS_MAX)) {
			ht_yaml_complain(
			    list, "1 to %d keys are expected", HT_ADMINS_MAX);
			n = 0;
		}
		memcpy(root->admins[role], vkeys, n * sizeof(*vkeys));
		root->n_admins[role] = n;
	}
}

void
ht_read_root(struct ht_read *r)
{
	struct ht_root *root = r->doc->root;
	struct ht_yaml *threshold;
	uint64_t k = 0;

	ht_read_part(ht_yaml_need(r->top, "catalog"), root->catalog);
	ht_yaml_as_u64(ht_yaml_need(r->top, "revision"), 1, HT_REVISION_MAX,
	    &root->revision);
	threshold = ht_yaml_need(r->top, "threshold");
	ht_yaml_as_u64(threshold, 1, HT_OFFICERS_MAX, &k);
	ht_read_vkeys(ht_yaml_need(r->top, "officers"), root->catalog,
	    root->officers, &root->n_officers);
	if (k > root->n_officers)
		ht_yaml_complain(threshold,
		    "there are only %u officers to sign", root->n_officers);
	root->threshold = (unsigned)k;
	ht_read_vkey(ht_yaml_need(r->top, "snapshot"), &root->snapshot);
	ht_read_vkey(ht_yaml_need(r->top, "current"), &root->current);
	ht_read_vkey(ht_yaml_need(r->top, "log"), &root->log);
	ht_read_vkeys(ht_yaml_need(r->top, "auditors"), root->catalog,
	    root->auditors, &root->n_auditors);
	read_witnesses(r);
	(void)ht_yaml_as_zone(ht_yaml_get(r->top, "zone"), &root->zone_ms);
	read_admins(r);
	read_broker(r, ht_yaml_as_map(ht_yaml_need(r->top, "broker")));
	check_apart(r);
	r->doc->revision = root->revision;
	(void)snprintf(r->doc->name, sizeof(r->doc->name), "root");
}
