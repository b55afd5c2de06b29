#include "adapters/conf_adapter.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"

#define TIMEOUT_MS     5000
#define TIMEOUT_MAX_MS 600000

static void
item_fini(struct ht_conf_item *item)
{
	if (item->query != NULL)
		item->from->ops->query_free(&item->query);
	free(item->name);
	free(item->where);
}

void
ht_conf_adapter_fini(struct ht_conf_adapter *adapter)
{
	/* Questions still open end here, and may look at their items. */
	for (size_t i = 0; i < adapter->n_sources; i++)
		if (adapter->sources[i].source != NULL)
			adapter->sources[i].ops->close(
			    &adapter->sources[i].source);
	for (size_t i = 0; i < adapter->n_items; i++)
		item_fini(&adapter->items[i]);
	for (size_t i = 0; i < adapter->n_sources; i++)
		free(adapter->sources[i].name);
	free(adapter->items);
	free(adapter->sources);
	ht_mailbox_fini(&adapter->mailbox);
	ht_conf_node_fini(&adapter->node);
	memset(adapter, 0, sizeof(*adapter));
}

static enum ht_err
read_source(struct ht_yaml *map, const char *name, const char *dir,
    struct ht_conf_source *source)
{
	source->name = strdup(name);
	if (source->name == NULL)
		return HT_ENOMEM;
	source->timeout_ms = TIMEOUT_MS;
	if (ht_yaml_as_map(map) == NULL)
		return HT_OK;
	(void)ht_yaml_as_ms(ht_yaml_get(map, "timeout"), 10, TIMEOUT_MAX_MS,
	    &source->timeout_ms);
	source->ops = ht_source_find(map);
	if (source->ops == NULL)
		return HT_OK;
	return source->ops->open(
	    name, dir, ht_yaml_get(map, source->ops->kind), &source->source);
}

static enum ht_err
read_sources(struct ht_yaml *map, struct ht_conf_adapter *adapter)
{
	size_t n = ht_yaml_count(ht_yaml_as_map(map));
	enum ht_err err = HT_OK;

	if (n > HT_SOURCES_MAX) {
		ht_yaml_complain(map, "at most %d sources", HT_SOURCES_MAX);
		return HT_OK;
	}
	adapter->sources = calloc(n + 1, sizeof(*adapter->sources));
	if (adapter->sources == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; err == HT_OK && ht_yaml_as_map(map) && i < n; i++)
		err = read_source(ht_yaml_at(map, i), ht_yaml_key(map, i),
		    adapter->node.dir, &adapter->sources[adapter->n_sources++]);
	return err;
}

static struct ht_conf_source *
find_source(struct ht_conf_adapter *adapter, struct ht_yaml *at)
{
	const char *name;

	if (!ht_yaml_as_str(at, 256, &name))
		return NULL;
	for (size_t i = 0; i < adapter->n_sources; i++)
		if (strcmp(adapter->sources[i].name, name) == 0)
			return &adapter->sources[i];
	ht_yaml_complain(at, "there is no source '%s' under 'sources'", name);
	return NULL;
}

/* "@2" behind a name: canonical, so that no version has two entries. */
static bool
read_version(const char *text, uint32_t *ret)
{
	uint64_t version = 0;

	if (text[0] < '1' || text[0] > '9')
		return false;
	for (; *text >= '0' && *text <= '9' && version <= UINT32_MAX; text++)
		version = version * 10 + (uint64_t)(*text - '0');
	*ret = (uint32_t)version;
	return *text == '\0' && version <= UINT32_MAX;
}

/* "catalog/CODE" for any version, or "catalog/CODE@2" for one. */
static enum ht_err
read_item_name(struct ht_yaml *map, const char *key, struct ht_conf_item *item)
{
	char where[HT_WHERE_SIZE];
	char *at;

	ht_yaml_where(map, where);
	item->name = strdup(key);
	item->where = strdup(where);
	if (item->name == NULL || item->where == NULL)
		return HT_ENOMEM;
	at = strchr(item->name, '@');
	if (at != NULL)
		*at++ = '\0';
	if (!ht_name_valid(ht_slice_str(item->name)) ||
	    (at != NULL && !read_version(at, &item->version)))
		ht_yaml_complain(map,
		    "an item is named catalog/CODE, as in its catalog entry, "
		    "or catalog/CODE@VERSION for one version of it; found '%s'",
		    key);
	return HT_OK;
}

static enum ht_err
read_item(struct ht_conf_adapter *adapter, struct ht_yaml *map,
    const char *name, struct ht_conf_item *item)
{
	enum ht_err err = read_item_name(map, name, item);

	if (err != HT_OK)
		return err;
	if (ht_yaml_as_map(map) == NULL)
		return HT_OK;
	item->from = find_source(adapter, ht_yaml_need(map, "source"));
	(void)ht_yaml_as_ms(
	    ht_yaml_get(map, "timeout"), 10, TIMEOUT_MAX_MS, &item->timeout_ms);
	if (item->from == NULL || item->from->source == NULL) {
		ht_yaml_take(map); /* nobody can say what belongs there */
		return HT_OK;
	}
	return item->from->ops->query(item->from->source, map, &item->query);
}

static enum ht_err
read_items(struct ht_yaml *map, struct ht_conf_adapter *adapter)
{
	size_t n = ht_yaml_count(ht_yaml_as_map(map));
	enum ht_err err = HT_OK;

	if (n > HT_ADAPTER_ITEMS_MAX) {
		ht_yaml_complain(map, "at most %d items", HT_ADAPTER_ITEMS_MAX);
		return HT_OK;
	}
	adapter->items = calloc(n + 1, sizeof(*adapter->items));
	if (adapter->items == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; err == HT_OK && ht_yaml_as_map(map) && i < n; i++)
		err = read_item(adapter, ht_yaml_at(map, i),
		    ht_yaml_key(map, i), &adapter->items[adapter->n_items++]);
	return err;
}

enum ht_err
ht_conf_adapter_load(
    const char *path, struct ht_report *report, struct ht_conf_adapter *ret)
{
	HT_AUTO(ht_conf_adapter_fini) struct ht_conf_adapter adapter = {0};
	HT_AUTO(ht_conf_free) struct ht_conf *conf = NULL;
	struct ht_yaml *root;
	enum ht_err err;

	err = ht_conf_load(path, report, &conf);
	if (err != HT_OK)
		return err;
	root = ht_conf_root(conf);
	err = ht_conf_node_read(root, path, &adapter.node);
	if (err == HT_OK)
		err = read_sources(ht_yaml_get(root, "sources"), &adapter);
	if (err == HT_OK)
		err = read_items(ht_yaml_get(root, "items"), &adapter);
	if (err == HT_OK)
		err = ht_mailbox_read(ht_yaml_get(root, "applications"),
		    adapter.node.dir, report, &adapter.mailbox);
	if (err == HT_OK)
		err = ht_conf_done(conf);
	if (err != HT_OK)
		return err;
	*ret = adapter;
	memset(&adapter, 0, sizeof(adapter));
	ht_conf_node_point(&ret->node);
	return HT_OK;
}

const struct ht_conf_item *
ht_conf_adapter_find(
    const struct ht_conf_adapter *adapter, const char *name, uint32_t version)
{
	const struct ht_conf_item *any = NULL;

	for (size_t i = 0; i < adapter->n_items; i++) {
		const struct ht_conf_item *at = &adapter->items[i];

		if (strcmp(at->name, name) != 0)
			continue;
		if (at->version == version)
			return at;
		if (at->version == 0)
			any = at;
	}
	return any;
}

/* Against one version of its item, if it is this entry that serves it. */
static void
check_version(const struct ht_conf_adapter *adapter,
    const struct ht_conf_item *at, const struct ht_item *item,
    struct ht_report *report)
{
	if (ht_conf_adapter_find(adapter, item->name, item->version) != at)
		return;
	if (strcmp(item->provider, adapter->node.member) != 0)
		ht_report_add(report, at->where,
		    "%s is provided by %s, not by %s", at->name, item->provider,
		    adapter->node.member);
	at->from->ops->check(at->query, item, at->where, report);
}

/* An old version is served beside the new one: each is looked at. */
static void
check_item(const struct ht_conf_adapter *adapter, const struct ht_conf_item *at,
    const struct ht_trust *trust, struct ht_report *report)
{
	const struct ht_item *item;
	bool there = false;

	for (size_t i = 0; (item = ht_trust_item_at(trust, i)) != NULL; i++) {
		if (strcmp(item->name, at->name) != 0)
			continue;
		there =
		    there || at->version == 0 || at->version == item->version;
		check_version(adapter, at, item, report);
	}
	if (there)
		return;
	if (at->version == 0)
		ht_report_add(report, at->where,
		    "%s is not in snapshot %llu of the catalog", at->name,
		    (unsigned long long)ht_trust_version(trust));
	else
		ht_report_add(report, at->where,
		    "%s version %u is not in snapshot %llu of the catalog; "
		    "if it was retired, take this entry away",
		    at->name, at->version,
		    (unsigned long long)ht_trust_version(trust));
}

/* The mailbox has the item that `hutong apply item` drafts, or as much. */
static void
check_mailbox(const struct ht_conf_adapter *adapter,
    const struct ht_trust *trust, struct ht_report *report)
{
	const char *name = adapter->mailbox.item;
	const struct ht_item *item =
	    ht_trust_item_newest(trust, ht_slice_str(name));

	if (item == NULL)
		ht_report_add(report, "applications",
		    "%s is not in snapshot %llu of the catalog; draft it with "
		    "`hutong apply item`",
		    name, (unsigned long long)ht_trust_version(trust));
	else if (strcmp(item->provider, adapter->node.member) != 0)
		ht_report_add(report, "applications",
		    "%s is provided by %s, not by %s", name, item->provider,
		    adapter->node.member);
}

void
ht_conf_adapter_check(const struct ht_conf_adapter *adapter,
    const struct ht_trust *trust, struct ht_report *report)
{
	for (size_t i = 0; i < adapter->n_items; i++)
		check_item(adapter, &adapter->items[i], trust, report);
	if (adapter->mailbox.item != NULL)
		check_mailbox(adapter, trust, report);
}
