/*
 * doc_snapshot.c -- the notes that say which documents are in force: snapshot
 * and current; and where each kind of document lies in a folder.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/panic.h"
#include "lib/conf/conf.h"
#include "schemas/doc.h"

void
ht_read_snapshot(struct ht_read *r)
{
	struct ht_snapshot_doc *doc = r->doc->snapshot;
	struct ht_pub root = {{0}};

	ht_read_part(ht_yaml_need(r->top, "catalog"), doc->catalog);
	ht_yaml_as_u64(
	    ht_yaml_need(r->top, "version"), 1, HT_REVISION_MAX, &doc->version);
	ht_read_ms(ht_yaml_need(r->top, "created"), &doc->created_ms);
	ht_yaml_as_u64(
	    ht_yaml_need(r->top, "count"), 0, HT_LIST_MAX, &doc->count);
	ht_read_pub(ht_yaml_need(r->top, "root"), false, &root);
	memcpy(doc->root.at, root.at, sizeof(doc->root.at));
	r->doc->revision = doc->version;
	(void)snprintf(r->doc->name, sizeof(r->doc->name), "snapshot");
}
_Static_assert(HT_PUB_SIZE == HT_HASH_SIZE, "a root is read like a key");

#define SUSPENDED_MAX 10000

static void
read_suspended(struct ht_read *r, struct ht_yaml *value)
{
	struct ht_current_doc *doc = r->doc->current;
	struct ht_yaml *list = ht_yaml_as_list(value);
	size_t n = ht_yaml_count(list);
	const char *name;

	if (n > SUSPENDED_MAX) {
		ht_yaml_complain(list, "%d names at most", SUSPENDED_MAX);
		ht_yaml_take(list);
		return;
	}
	doc->suspended = ht_read_alloc(r, n, sizeof(*doc->suspended));
	if (doc->suspended == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		if (ht_yaml_as_name(ht_yaml_at(list, i), &name))
			doc->suspended[doc->n_suspended++] =
			    ht_read_dup(r, name);
}

void
ht_read_current(struct ht_read *r)
{
	struct ht_current_doc *doc = r->doc->current;
	struct ht_yaml *until;

	ht_read_part(ht_yaml_need(r->top, "catalog"), doc->catalog);
	ht_yaml_as_u64(ht_yaml_need(r->top, "snapshot"), 1, HT_REVISION_MAX,
	    &doc->snapshot);
	ht_read_hash(ht_yaml_need(r->top, "hash"), &doc->hash);
	ht_read_ms(ht_yaml_need(r->top, "issued"), &doc->issued_ms);
	until = ht_yaml_need(r->top, "until");
	ht_read_ms(until, &doc->until_ms);
	if (doc->until_ms <= doc->issued_ms)
		ht_yaml_complain(until, "it must be later than 'issued'");
	read_suspended(r, ht_yaml_get(r->top, "suspended"));
	(void)snprintf(r->doc->name, sizeof(r->doc->name), "current");
}

/* ---- on disk ---- */

void
ht_doc_path(
    enum ht_doc_kind kind, const char *name, char out[static HT_DOC_PATH_MAX])
{
	static const char *const folders[HT_DOC_KINDS] = {
	    [HT_DOC_ROOT] = "",
	    [HT_DOC_MEMBER] = "members/",
	    [HT_DOC_ITEM] = "items/",
	    [HT_DOC_GRANT] = "grants/",
	    [HT_DOC_EPOCH] = "epochs/",
	    [HT_DOC_SNAPSHOT] = "",
	    [HT_DOC_CURRENT] = "",
	    [HT_DOC_ERASE] = "erase/",
	    [HT_DOC_APPLICATION] = "applications/",
	    [HT_DOC_ANSWER] = "answers/",
	    [HT_DOC_EXTENSION] = "extensions/",
	    [HT_DOC_DISCLOSE] = "disclose/",
	    [HT_DOC_REMOVE] = "remove/",
	};

	HT_ASSERT((unsigned)kind < HT_DOC_KINDS);
	(void)snprintf(out, HT_DOC_PATH_MAX, "%s%s.note", folders[kind], name);
}
