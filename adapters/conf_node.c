#include "adapters/conf_node.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/state.h"
#include "keys/keyfile.h"
#include "lib/base/fs.h"

#define PATH_BYTES 4096

void
ht_conf_node_fini(struct ht_conf_node *node)
{
	free(node->dir);
	free(node->root);
	free(node->member);
	free(node->node);
	free(node->signing);
	free(node->transport);
	for (size_t i = 0; i < HT_COUNT(node->sealing); i++)
		free(node->sealing[i]);
	free(node->witness);
	free(node->state);
	free(node->address);
	memset(node, 0, sizeof(*node));
}

char *
ht_conf_dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return slash == path ? strdup("/")
	                     : strndup(path, (size_t)(slash - path));
}

char *
ht_conf_beside(const char *dir, const char *path)
{
	if (path[0] == '/' || strcmp(dir, ".") == 0 ||
	    ht_keyfile_is_credential(path))
		return strdup(path);
	return ht_fs_join(dir, path);
}

/* A path, made to start at the file's folder; a finding leaves NULL. */
static void
read_path(struct ht_yaml *at, const char *dir, char **ret, enum ht_err *err)
{
	const char *path;

	if (!ht_yaml_as_str(at, PATH_BYTES, &path))
		return;
	*ret = ht_conf_beside(dir, path);
	if (*ret == NULL)
		*err = HT_ENOMEM;
}

static void
copy(const char *text, char **ret, enum ht_err *err)
{
	*ret = strdup(text);
	if (*ret == NULL)
		*err = HT_ENOMEM;
}

static void
read_sealing(struct ht_yaml *at, struct ht_conf_node *node, enum ht_err *err)
{
	if (at == NULL)
		return;
	if (ht_yaml_type(at) != HT_YAML_LIST) {
		read_path(at, node->dir, &node->sealing[0], err);
		return;
	}
	if (ht_yaml_count(at) < 1 || ht_yaml_count(at) > HT_CONF_SEALING_MAX) {
		ht_yaml_complain(at, "one to %d sealing keys, newest first",
		    HT_CONF_SEALING_MAX);
		return;
	}
	for (size_t i = 0; i < ht_yaml_count(at); i++)
		read_path(ht_yaml_at(at, i), node->dir, &node->sealing[i], err);
}

void
ht_conf_node_point(struct ht_conf_node *node)
{
	node->conf.root = node->root;
	node->conf.member = node->member;
	node->conf.node = node->node;
	node->conf.signing = node->signing;
	node->conf.transport = node->transport;
	node->conf.sealing = node->sealing[0];
	node->conf.sealing_more =
	    (const char *const *)(void *)&node->sealing[1];
	node->conf.witness = node->witness;
	node->conf.state = node->state;
	node->conf.address = node->address;
}

enum ht_err
ht_conf_node_read(
    struct ht_yaml *root, const char *path, struct ht_conf_node *ret)
{
	struct ht_conf_node node = {.conf.proofs = true};
	uint64_t history = HT_CONF_HISTORY;
	uint64_t answers = HT_STATE_ANSWERS;
	struct ht_yaml *map = ht_yaml_as_map(root), *keys;
	enum ht_err err = HT_OK;
	const char *text;

	node.dir = ht_conf_dir_of(path);
	if (node.dir == NULL)
		return HT_ENOMEM;
	read_path(ht_yaml_need(map, "root"), node.dir, &node.root, &err);
	if (ht_yaml_as_name(ht_yaml_need(map, "member"), &text))
		copy(text, &node.member, &err);
	if (ht_yaml_as_part(ht_yaml_need(map, "node"), &text))
		copy(text, &node.node, &err);
	keys = ht_yaml_as_map(ht_yaml_need(map, "keys"));
	read_path(ht_yaml_need(keys, "signing"), node.dir, &node.signing, &err);
	read_path(
	    ht_yaml_need(keys, "transport"), node.dir, &node.transport, &err);
	read_sealing(ht_yaml_need(keys, "sealing"), &node, &err);
	read_path(ht_yaml_get(keys, "witness"), node.dir, &node.witness, &err);
	read_path(ht_yaml_need(map, "state"), node.dir, &node.state, &err);
	if (ht_yaml_as_str(ht_yaml_get(map, "address"), 255, &text))
		copy(text, &node.address, &err);
	(void)ht_yaml_as_bool(ht_yaml_get(map, "proofs"), &node.conf.proofs);
	(void)ht_yaml_as_u64(
	    ht_yaml_get(map, "history"), 0, HT_CONF_HISTORY_MAX, &history);
	node.conf.history = (uint32_t)history;
	(void)ht_yaml_as_size(ht_yaml_get(map, "answers"), HT_STATE_ANSWERS_MIN,
	    HT_STATE_ANSWERS_MAX, &answers);
	node.conf.answers = answers;
	if (err != HT_OK) {
		ht_conf_node_fini(&node);
		return err;
	}
	*ret = node;
	ht_conf_node_point(ret);
	return HT_OK;
}

enum ht_err
ht_conf_node_load(
    const char *path, struct ht_report *report, struct ht_conf_node *ret)
{
	HT_AUTO(ht_conf_free) struct ht_conf *conf = NULL;
	struct ht_conf_node node;
	struct ht_yaml *root;
	enum ht_err err;

	err = ht_conf_load(path, report, &conf);
	if (err != HT_OK)
		return err;
	root = ht_conf_root(conf);
	err = ht_conf_node_read(root, path, &node);
	if (err != HT_OK)
		return err;
	/* An adapter's file will do as well: its own parts are not ours. */
	ht_yaml_take(ht_yaml_get(root, "sources"));
	ht_yaml_take(ht_yaml_get(root, "items"));
	err = ht_conf_done(conf);
	if (err != HT_OK) {
		ht_conf_node_fini(&node);
		return err;
	}
	*ret = node;
	ht_conf_node_point(ret);
	return HT_OK;
}
