/*
 * conf_adapter.h -- hutong-adapter.yaml: a node, its sources, its items
 * (hutong-adapter.conf(5)).
 */
#ifndef HT_ADAPTERS_CONF_ADAPTER_H
#define HT_ADAPTERS_CONF_ADAPTER_H

#include "adapters/conf_node.h"
#include "adapters/mailbox.h"
#include "adapters/source.h"

#define HT_SOURCES_MAX       64
#define HT_ADAPTER_ITEMS_MAX 1000

struct ht_conf_source {
	char *name;
	const struct ht_source_ops *ops;
	struct ht_source *source;
	uint64_t timeout_ms; /* for each question */
};

struct ht_conf_item {
	char *name;       /* "catalog/CODE" */
	uint32_t version; /* 0: each version that has no entry of its own */
	char *where;      /* "file:line:column", for findings later on */
	struct ht_conf_source *from;
	struct ht_query *query;
	uint64_t timeout_ms; /* 0: the source's */
};

struct ht_conf_adapter {
	struct ht_conf_node node;
	size_t n_sources;
	struct ht_conf_source *sources;
	size_t n_items;
	struct ht_conf_item *items;
	struct ht_mailbox mailbox; /* of the authority's node; else no item */
};
void ht_conf_adapter_fini(struct ht_conf_adapter *adapter);

/* The entry for a version of an item: its own, else the one for any; NULL. */
const struct ht_conf_item *ht_conf_adapter_find(
    const struct ht_conf_adapter *adapter, const char *name, uint32_t version);
/* Every mistake goes to @report.  HT_EINVALID; HT_ENOMEM; HT_ENOTFOUND. */
enum ht_err ht_conf_adapter_load(const char *path, struct ht_report *report,
    struct ht_conf_adapter *ret) HT_MUST_USE;
/*
 * Compare the mappings with the catalog: items that are not there, not ours,
 * fields and parameters they do not have.
 */
void ht_conf_adapter_check(const struct ht_conf_adapter *adapter,
    const struct ht_trust *trust, struct ht_report *report);

#endif
