/*
 * A document may hold anything, and so may a list of documents.  What is read
 * is the same when read again, has a name that gives it a safe place on disk,
 * and keeps its limits; what is refused has a finding.
 */
#include <string.h>

#include "lib/base/panic.h"
#include "schemas/doc.h"
#include "tests/fuzz/fuzz.h"

/* Inside its folder, whatever the name. */
static void
check_path(enum ht_doc_kind kind, const char *name)
{
	char path[HT_DOC_PATH_MAX];

	ht_doc_path(kind, name, path);
	HT_ASSERT(path[0] != '/' && strlen(path) < HT_DOC_PATH_MAX - 1);
	HT_ASSERT(strstr(path, "..") == NULL || strstr(path, "/..") == NULL);
	HT_ASSERT(strstr(path, "//") == NULL);
}

static void
check_keys(const struct ht_keyinfo *keys, unsigned n)
{
	HT_ASSERT(n <= HT_KEYS_MAX);
	for (unsigned i = 0; i < n; i++)
		HT_ASSERT(keys[i].from_ms < keys[i].until_ms);
}

static void
check_member(const struct ht_member *m)
{
	HT_ASSERT(m->n_officers <= HT_OFFICERS_MAX);
	HT_ASSERT(m->n_nodes <= HT_NODES_MAX);
	check_keys(m->sealing, m->n_sealing);
	for (unsigned i = 0; i < m->n_sealing; i++)
		HT_ASSERT(m->sealing[i].until_ms - m->sealing[i].from_ms <=
		          HT_SEALING_MS);
	for (unsigned i = 0; i < m->n_nodes; i++) {
		HT_ASSERT(m->nodes[i].n_signing > 0);
		check_keys(m->nodes[i].signing, m->nodes[i].n_signing);
		check_keys(m->nodes[i].transport, m->nodes[i].n_transport);
	}
}

static void
check_item(const struct ht_item *item)
{
	HT_ASSERT(item->request != NULL && item->record != NULL);
	HT_ASSERT(item->n_purposes > 0 && item->n_bases > 0);
	HT_ASSERT(item->operations != 0 || item->share == HT_SHARE_NONE);
	HT_ASSERT(ht_schema_fields(item->record) <= HT_RELEASED_MAX * 8);
	if (item->has_subject)
		HT_ASSERT(ht_schema_field_index(
		              item->request, item->subject_param) >= 0);
}

static void
check_grant(const struct ht_grant_doc *doc)
{
	const struct ht_grant *g = &doc->grant;

	HT_ASSERT(g->from_ms < g->until_ms && g->operations != 0);
	HT_ASSERT(g->all_fields == (doc->n_fields == 0));
	for (unsigned i = 0; i < doc->n_fields; i++)
		HT_ASSERT(doc->fields[i][0] != '\0');
	HT_ASSERT((g->row_field != NULL) == (g->n_row_prefixes > 0));
}

static void
check_doc(const struct ht_doc *doc)
{
	HT_ASSERT(doc->name[0] != '\0');
	HT_ASSERT(doc->text.len <= doc->bytes.len);
	check_path(doc->kind, doc->name);
	switch (doc->kind) {
	case HT_DOC_ROOT:
		HT_ASSERT(doc->root->threshold >= 1 &&
		          doc->root->threshold <= doc->root->n_officers);
		break;
	case HT_DOC_MEMBER:
		check_member(doc->member);
		break;
	case HT_DOC_ITEM:
		check_item(doc->item);
		break;
	case HT_DOC_GRANT:
		check_grant(doc->grant);
		break;
	case HT_DOC_EPOCH:
		HT_ASSERT(doc->epoch->from_ms < doc->epoch->until_ms);
		break;
	case HT_DOC_ERASE:
		HT_ASSERT(
		    (doc->erase->n > 0) != (doc->erase->epoch[0] != '\0' ||
		                               doc->erase->before_ms != 0));
		HT_ASSERT(doc->erase->basis != NULL);
		break;
	case HT_DOC_APPLICATION:
		check_grant(&doc->application->asks);
		HT_ASSERT(doc->application->scene != NULL);
		HT_ASSERT(doc->application->scope != NULL);
		break;
	case HT_DOC_ANSWER:
		HT_ASSERT((doc->answer->says == HT_SAYS_RETURN ||
		              doc->answer->says == HT_SAYS_REFUSE) ==
		          (doc->answer->n_points > 0));
		HT_ASSERT((doc->answer->says == HT_SAYS_APPROVE) ==
		          (doc->answer->grant[0] != '\0'));
		break;
	case HT_DOC_EXTENSION:
		HT_ASSERT(doc->answer->days > 0);
		HT_ASSERT(doc->answer->reason != NULL);
		break;
	case HT_DOC_DISCLOSE:
		HT_ASSERT(
		    doc->erase->n > 0 && doc->erase->n <= HT_DISCLOSE_ENTRIES);
		HT_ASSERT(doc->erase->basis != NULL);
		break;
	case HT_DOC_REMOVE:
		HT_ASSERT(doc->erase->first <= doc->erase->last);
		HT_ASSERT(doc->erase->basis != NULL);
		break;
	case HT_DOC_SNAPSHOT:
	case HT_DOC_CURRENT:
	case HT_DOC_KINDS:
		break;
	}
}

static void
try_doc(struct ht_slice in)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL, *again = NULL;
	struct ht_root root;

	if (ht_doc_parse(in, "in", report, &doc) != HT_OK) {
		HT_ASSERT(doc == NULL);
		HT_ASSERT(ht_report_count(report) > 0);
		return;
	}
	HT_ASSERT(ht_report_count(report) == 0);
	check_doc(doc);
	/* The text alone, without signatures, is the same document. */
	HT_ASSERT(ht_doc_parse(doc->text, "in", report, &again) == HT_OK);
	HT_ASSERT(ht_hash_eq(&doc->hash, &again->hash));
	HT_ASSERT(strcmp(doc->name, again->name) == 0);
	if (doc->kind == HT_DOC_ROOT)
		(void)!ht_root_parse(in, "in", report, &root);
}

static void
try_list(struct ht_slice in)
{
	HT_AUTO(ht_mem_free) struct ht_list_line *lines = NULL;
	struct ht_hash root;
	size_t n = 0, len = 0;

	if (ht_list_parse(in, "in", NULL, &lines, &n) != HT_OK) {
		HT_ASSERT(lines == NULL);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		check_path(lines[i].kind, lines[i].name);
		len += lines[i].line.len + 1;
	}
	HT_ASSERT(len == in.len);
	HT_ASSERT(ht_list_root(lines, n, &root) == HT_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	static bool ready;

	if (!ready)
		HT_ASSERT(ht_keys_init() == HT_OK);
	ready = true;
	try_doc(HT_SLICE(in, in_len));
	try_list(HT_SLICE(in, in_len));
	return 0;
}
