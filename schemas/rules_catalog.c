/*
 * rules_catalog.c -- a catalog against itself: one code, one thing, one
 * source; versions that end; nothing collected twice.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/conf/conf.h"
#include "schemas/rules.h"

/* A kind, a name with its version: it always has room. */
#define KEY_MAX (HT_DOC_NAME_MAX + 32)

struct seen {
	const struct ht_rules *to;
	struct ht_map *at; /* what was seen -> the document it was seen in */
	bool any_member;
};

/* What stands under @key already; else @doc does from now on. */
static enum ht_err
find_or_put(struct seen *seen, const struct ht_buf *key,
    const struct ht_doc *doc, const struct ht_doc **ret)
{
	if (key->err != HT_OK)
		return key->err;
	*ret = ht_map_get(seen->at, ht_buf_slice(key));
	if (*ret != NULL)
		return HT_OK;
	return ht_map_put(
	    seen->at, ht_buf_slice(key), (void *)(uintptr_t)doc, NULL);
}

/* The line that names the document: its kind's word is its key. */
static struct ht_yaml *
name_of(const struct ht_law *law, const struct ht_doc *doc)
{
	return ht_law_at(law, ht_doc_kind_text(doc->kind));
}

/* ---- names that look alike ---- */

/*
 * Names are ASCII, so no letter of another script can pose as one of theirs.
 * What is left: capitals, and digits that are drawn as letters are.
 */
static void
add_skeleton(struct ht_buf *out, const char *name)
{
	for (; *name != '\0' && *name != '@'; name++) {
		char c = *name;

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c == '0')
			c = 'o';
		else if (c == '1' || c == 'i')
			c = 'l';
		else if (c == '5')
			c = 's';
		ht_buf_u8(out, (uint8_t)c);
	}
}

static bool
same_name(const char *a, const char *b)
{
	size_t n = strcspn(a, "@");

	return n == strcspn(b, "@") && strncmp(a, b, n) == 0;
}

static enum ht_err
check_name(struct seen *seen, const struct ht_doc *doc)
{
	HT_AUTO(ht_law_close) struct ht_law law = {0};
	HT_AUTO(ht_buf_fini) struct ht_buf key = HT_BUF(512);
	const struct ht_doc *other = NULL;
	enum ht_err err;

	if (doc->kind != HT_DOC_ITEM && doc->kind != HT_DOC_MEMBER)
		return HT_OK;
	ht_buf_fmt(&key, "look %d ", (int)doc->kind);
	add_skeleton(&key, doc->name);
	err = find_or_put(seen, &key, doc, &other);
	if (err != HT_OK || other == NULL || same_name(doc->name, other->name))
		return err;
	err = ht_law_open(&law, doc, seen->to);
	if (err == HT_OK)
		ht_law_breaks(&law, name_of(&law, doc), "look-alike",
		    "the name %s looks like %s, and people would take one for "
		    "the other; choose another",
		    doc->name, other->name);
	return err;
}

/* ---- the code of a resource is one item's ---- */

static enum ht_err
check_code(struct seen *seen, const struct ht_doc *doc)
{
	HT_AUTO(ht_law_close) struct ht_law law = {0};
	HT_AUTO(ht_buf_fini) struct ht_buf key = HT_BUF(512);
	enum ht_err err = ht_law_open(&law, doc, seen->to);
	const struct ht_doc *other = NULL;
	struct ht_yaml *code, *entry;

	if (err != HT_OK)
		return err;
	entry = ht_law_at(&law, "entry");
	code = ht_law_at(&law, "entry", "code");
	if (code == entry || ht_yaml_type(code) == HT_YAML_MAP)
		return HT_OK;
	ht_buf_str(&key, "code ");
	ht_buf_add(&key, ht_yaml_scalar(code).at, ht_yaml_scalar(code).len);
	err = find_or_put(seen, &key, doc, &other);
	if (err == HT_OK && other != NULL && !same_name(doc->name, other->name))
		ht_law_breaks(&law, code, "code",
		    "this code of a resource is that of %s, too; one code, one "
		    "thing",
		    other->where);
	return err;
}

/* ---- versions ---- */

/* Versions of one item are neighbours in the list's order, but 10 before 2. */
static const struct ht_doc *
next_version(struct ht_doc *const *docs, size_t n, size_t i)
{
	const struct ht_doc *best = NULL;
	size_t from = i;

	while (from > 0 && docs[from - 1]->kind == HT_DOC_ITEM &&
	       same_name(docs[from - 1]->name, docs[i]->name))
		from--;
	for (; from < n && docs[from]->kind == HT_DOC_ITEM &&
	       same_name(docs[from]->name, docs[i]->name);
	     from++)
		if (docs[from]->item->version > docs[i]->item->version &&
		    (best == NULL ||
		        docs[from]->item->version < best->item->version))
			best = docs[from];
	return best;
}

static enum ht_err
check_versions(
    struct ht_doc *const *docs, size_t n, size_t i, const struct ht_rules *to)
{
	const struct ht_doc *doc = docs[i], *next = next_version(docs, n, i);
	HT_AUTO(ht_law_close) struct ht_law law = {0};
	enum ht_err err;

	if (next == NULL)
		return HT_OK;
	err = ht_law_open(&law, doc, to);
	if (err != HT_OK)
		return err;
	if (doc->item->until_ms == 0)
		ht_law_breaks(&law, ht_law_at(&law, "version"), "until",
		    "version %u is there to replace it, and nobody knows when: "
		    "say how long this one is served, with 'until'",
		    next->item->version);
	else if (next->item->until_ms != 0 &&
	         next->item->until_ms < doc->item->until_ms)
		ht_law_breaks(&law, ht_law_at(&law, "until"), "until",
		    "version %u, which replaces it, ends before it",
		    next->item->version);
	if (strcmp(doc->item->provider, next->item->provider) != 0)
		ht_law_breaks(&law, ht_law_at(&law, "provider"), "one-source",
		    "version %u is provided by %s; one item has one source",
		    next->item->version, next->item->provider);
	return HT_OK;
}

/* ---- collected once ---- */

/* In a folder of items alone, nobody can say. */
static bool
is_member(const struct seen *seen, const char *name)
{
	uint8_t room[KEY_MAX];
	struct ht_buf key = HT_BUF_ON(room);

	ht_buf_fmt(&key, "%s %s", ht_doc_kind_text(HT_DOC_MEMBER), name);
	return !seen->any_member ||
	       ht_map_get(seen->at, ht_buf_slice(&key)) != NULL;
}

static const struct ht_once *
once_of(const struct ht_doc *doc, const char *code)
{
	for (unsigned i = 0; i < doc->item->n_once; i++)
		if (strcmp(doc->item->once[i].code, code) == 0)
			return &doc->item->once[i];
	return NULL;
}

static enum ht_err
check_once(struct seen *seen, const struct ht_doc *doc)
{
	HT_AUTO(ht_law_close) struct ht_law law = {0};
	enum ht_err err = ht_law_open(&law, doc, seen->to);
	struct ht_yaml *list;

	if (err != HT_OK)
		return err;
	list = ht_law_at(&law, "once");
	for (unsigned i = 0; i < doc->item->n_once && err == HT_OK; i++) {
		const struct ht_once *once = &doc->item->once[i];
		HT_AUTO(ht_buf_fini) struct ht_buf key = HT_BUF(512);
		const struct ht_doc *other = NULL;
		struct ht_yaml *at = ht_yaml_at(list, i);

		if (!is_member(seen, once->collector))
			ht_law_breaks(&law, at, "collector",
			    "%s, which collects it, has no entry in the "
			    "directory",
			    once->collector);
		ht_buf_fmt(&key, "once %s", once->code);
		err = find_or_put(seen, &key, doc, &other);
		if (err == HT_OK && other != NULL &&
		    strcmp(once_of(other, once->code)->collector,
		        once->collector) != 0)
			ht_law_breaks(&law, at, "once",
			    "%s is collected by %s here, and by %s in %s; one "
			    "department collects it, the others take it from "
			    "there",
			    once->code, once->collector,
			    once_of(other, once->code)->collector,
			    other->where);
	}
	return err;
}

/* ---- grants: between members, of what there is, and no longer ---- */

/* Grants are many: the text is read again for findings alone. */
static void
check_party(const struct seen *seen, const struct ht_doc *doc, const char *role,
    const char *name)
{
	char where[HT_WHERE_SIZE];

	if (is_member(seen, name))
		return;
	ht_doc_place(doc, seen->to->violations, where, "%s", role);
	ht_report_add(seen->to->violations, where,
	    "its %s %s has no entry in the directory [parties]", role, name);
}

/* What a snapshot would refuse, before it is signed. */
static void
check_offered(const struct seen *seen, const struct ht_doc *doc,
    const struct ht_item *item)
{
	HT_AUTO(ht_report_free) struct ht_report *found = ht_report_new();
	unsigned n;

	if (ht_grant_offered(doc, doc->grant, item, found, NULL) == HT_OK)
		return;
	n = ht_report_count(found);
	for (unsigned i = 0; i < n && i < HT_FINDINGS_MAX; i++)
		ht_report_add(seen->to->violations, ht_report_where(found, i),
		    "%s [offered]", ht_report_text(found, i));
}

static void
check_grant(const struct seen *seen, const struct ht_doc *doc)
{
	const struct ht_grant *grant = &doc->grant->grant;
	char where[HT_WHERE_SIZE];
	uint8_t room[KEY_MAX];
	struct ht_buf key = HT_BUF_ON(room);
	const struct ht_doc *item;

	check_party(seen, doc, "provider", grant->provider);
	check_party(seen, doc, "consumer", grant->consumer);
	ht_buf_fmt(&key, "%s %s@%u", ht_doc_kind_text(HT_DOC_ITEM), grant->item,
	    grant->version);
	item = ht_map_get(seen->at, ht_buf_slice(&key));
	if (item == NULL)
		return;
	check_offered(seen, doc, item->item);
	if (item->item->until_ms == 0 ||
	    grant->until_ms <= item->item->until_ms)
		return;
	ht_doc_place(doc, seen->to->advice, where, "until");
	ht_report_add(seen->to->advice, where,
	    "it runs longer than version %u of %s is served; grant the next "
	    "version in time [outlives]",
	    grant->version, grant->item);
}

/* ---- all of them ---- */

static enum ht_err
index_doc(struct seen *seen, const struct ht_doc *doc)
{
	HT_AUTO(ht_law_close) struct ht_law law = {0};
	HT_AUTO(ht_buf_fini) struct ht_buf key = HT_BUF(512);
	const struct ht_doc *other = NULL;
	enum ht_err err;

	seen->any_member = seen->any_member || doc->kind == HT_DOC_MEMBER;
	ht_buf_fmt(&key, "%s %s", ht_doc_kind_text(doc->kind), doc->name);
	err = find_or_put(seen, &key, doc, &other);
	if (err != HT_OK || other == NULL)
		return err;
	err = ht_law_open(&law, doc, seen->to);
	if (err == HT_OK)
		ht_law_breaks(&law, name_of(&law, doc), "name-once",
		    "%s %s stands in %s as well; one name, one document",
		    ht_doc_kind_text(doc->kind), doc->name, other->where);
	return err;
}

/* By name, for what others say of them; grants, that none stands twice. */
static enum ht_err
index_docs(struct seen *seen, struct ht_doc *const *docs, size_t n)
{
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < n && err == HT_OK; i++)
		if (docs[i]->kind == HT_DOC_ITEM ||
		    docs[i]->kind == HT_DOC_MEMBER ||
		    docs[i]->kind == HT_DOC_GRANT)
			err = index_doc(seen, docs[i]);
	return err;
}

static enum ht_err
check_doc(struct seen *seen, struct ht_doc *const *docs, size_t n, size_t i)
{
	enum ht_err err = check_name(seen, docs[i]);

	if (docs[i]->kind == HT_DOC_GRANT)
		check_grant(seen, docs[i]);
	if (docs[i]->kind != HT_DOC_ITEM || err != HT_OK)
		return err;
	err = check_code(seen, docs[i]);
	if (err == HT_OK)
		err = check_versions(docs, n, i, seen->to);
	if (err == HT_OK && docs[i]->item->n_once > 0)
		err = check_once(seen, docs[i]);
	return err;
}

enum ht_err
ht_rules_catalog(
    struct ht_doc *const *docs, size_t n, const struct ht_rules *to)
{
	struct seen seen = {.to = to, .at = ht_map_new()};
	enum ht_err err;

	if (seen.at == NULL)
		return HT_ENOMEM;
	err = index_docs(&seen, docs, n);
	for (size_t i = 0; i < n && err == HT_OK; i++)
		err = check_doc(&seen, docs, n, i);
	ht_map_free(&seen.at, NULL);
	return err;
}
