/*
 * doc_member.c -- a member of the exchange: its identity, its officers, its
 * nodes and their keys.
 */
#include <stdio.h>
#include <string.h>

#include "lib/conf/conf.h"
#include "schemas/doc.h"

static void
read_state(struct ht_yaml *map, struct ht_keyinfo *key)
{
	enum { ACTIVE, REVOKED };
	static const struct ht_word words[] = {
	    {"active",  ACTIVE },
	    {"revoked", REVOKED},
	    {NULL,      0      },
	};
	struct ht_yaml *since = ht_yaml_get(map, "since");
	int state = ACTIVE;

	ht_yaml_as_word(ht_yaml_need(map, "state"), words, &state);
	key->revoked = state == REVOKED;
	ht_read_ms(since, &key->revoked_ms);
	if (state == REVOKED && since == NULL)
		ht_yaml_complain(map,
		    "a revoked key needs 'since': a time from which on "
		    "nothing made with it counts");
	if (state == ACTIVE && since != NULL)
		ht_yaml_complain(since, "only a revoked key has 'since'");
}

static void
read_key(struct ht_yaml *value, enum ht_key_for what, struct ht_keyinfo *key)
{
	struct ht_yaml *map = ht_yaml_as_map(value);

	if (map == NULL)
		return;
	ht_read_pub(
	    ht_yaml_need(map, "key"), what == HT_KEY_SIGNING, &key->pub);
	key->id = ht_keyid(what, &key->pub);
	ht_read_period(map, &key->from_ms, &key->until_ms);
	read_state(map, key);
	if (what == HT_KEY_SEALING && key->until_ms > key->from_ms &&
	    key->until_ms - key->from_ms > HT_SEALING_MS)
		ht_yaml_complain(map,
		    "a sealing key lives 90 days at most; make a new one with "
		    "`hutong key new --for sealing`");
}

/* One key, or a list of up to HT_KEYS_MAX. */
static void
read_keys(struct ht_yaml *value, enum ht_key_for what,
    struct ht_keyinfo out[static HT_KEYS_MAX], unsigned *ret_n)
{
	size_t n;

	if (value == NULL)
		return;
	if (ht_yaml_type(value) == HT_YAML_MAP) {
		read_key(value, what, &out[0]);
		*ret_n = 1;
		return;
	}
	n = ht_yaml_count(ht_yaml_as_list(value));
	if (n == 0 || n > HT_KEYS_MAX) {
		ht_yaml_complain(
		    value, "1 to %d keys are expected", HT_KEYS_MAX);
		ht_yaml_take(value);
		return;
	}
	for (size_t i = 0; i < n; i++)
		read_key(ht_yaml_at(value, i), what, &out[i]);
	*ret_n = (unsigned)n;
}

static void
read_nodes(struct ht_read *r, struct ht_yaml *list)
{
	struct ht_member *member = r->doc->member;
	size_t n = ht_yaml_count(ht_yaml_as_list(list));

	if (n > HT_NODES_MAX) {
		ht_yaml_complain(
		    list, "%d nodes at most are expected", HT_NODES_MAX);
		ht_yaml_take(list);
		return;
	}
	member->nodes = ht_read_alloc(r, n, sizeof(*member->nodes));
	if (member->nodes == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		struct ht_yaml *map = ht_yaml_as_map(ht_yaml_at(list, i));
		struct ht_node_entry *node = &member->nodes[i];
		struct ht_yaml *name = ht_yaml_need(map, "node");

		ht_read_part(name, node->name);
		for (size_t j = 0; j < i; j++)
			if (strcmp(node->name, member->nodes[j].name) == 0)
				ht_yaml_complain(name,
				    "the node %s stands twice", node->name);
		read_keys(ht_yaml_need(map, "signing"), HT_KEY_SIGNING,
		    node->signing, &node->n_signing);
		read_keys(ht_yaml_need(map, "transport"), HT_KEY_TRANSPORT,
		    node->transport, &node->n_transport);
	}
	member->n_nodes = (unsigned)n;
}

void
ht_read_member(struct ht_read *r)
{
	static const struct ht_word roles[] = {
	    {"member",  0},
	    {"auditor", 1},
	    {NULL,      0},
	};
	struct ht_member *member = r->doc->member;
	int role = 0;

	ht_read_name(ht_yaml_need(r->top, "member"), member->name);
	ht_yaml_as_u64(ht_yaml_need(r->top, "revision"), 1, HT_REVISION_MAX,
	    &member->revision);
	ht_read_title(r, ht_yaml_get(r->top, "title"), &member->title_zh,
	    &member->title_en);
	ht_yaml_as_word(ht_yaml_get(r->top, "role"), roles, &role);
	member->auditor = role == 1;
	ht_read_pub(ht_yaml_need(r->top, "identity"), true, &member->identity);
	ht_read_ms(ht_yaml_get(r->top, "recovered"), &member->recovered_ms);
	ht_read_vkeys(ht_yaml_get(r->top, "officers"), member->name,
	    member->officers, &member->n_officers);
	read_nodes(r, ht_yaml_get(r->top, "nodes"));
	read_keys(ht_yaml_get(r->top, "sealing"), HT_KEY_SEALING,
	    member->sealing, &member->n_sealing);
	r->doc->revision = member->revision;
	(void)snprintf(r->doc->name, sizeof(r->doc->name), "%s", member->name);
}
