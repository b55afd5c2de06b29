#include "broker/cli/papers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/cli/kept.h"
#include "lib/base/map.h"

struct ht_papers {
	const struct ht_trust *trust; /* NULL: of a file, or none at all */
	struct ht_report *report;     /* what the readers of documents find */
	struct ht_doc *snapshot;
	struct ht_slice list;
	size_t n;
	struct ht_list_line *lines;
	struct ht_doc **docs; /* of the lines; NULL: not read */
	bool *used;
	/* "item NAME@VERSION", "item NAME" (its newest), "member NAME": the
	 * number of the line, from 1 on. */
	struct ht_map *places;
	enum ht_err err;
	const char *bad; /* the document */
};

void
ht_papers_free(struct ht_papers **papers_p)
{
	struct ht_papers *p = HT_TAKE(*papers_p);

	if (p == NULL)
		return;
	for (size_t i = 0; p->docs != NULL && i < p->n; i++)
		ht_doc_unref(&p->docs[i]);
	ht_doc_unref(&p->snapshot);
	ht_map_free(&p->places, NULL);
	ht_report_free(&p->report);
	free(p->lines);
	free(p->docs);
	free(p->used);
	free(p);
}

/* ---- which there are ---- */

struct key {
	char text[HT_DOC_NAME_MAX + 16];
	size_t len;
};

static struct ht_slice
key_of(enum ht_doc_kind kind, struct ht_slice name, struct key *key)
{
	int len = snprintf(key->text, sizeof(key->text), "%s %.*s",
	    ht_doc_kind_text(kind), (int)name.len, (const char *)name.at);

	return HT_SLICE(key->text, len > 0 ? (size_t)len : 0);
}

/* The number of its line; false: there is none. */
static bool
find(const struct ht_papers *p, enum ht_doc_kind kind, struct ht_slice name,
    size_t *ret)
{
	struct key key;
	uintptr_t at;

	if (p->places == NULL || name.len == 0 || name.len > HT_DOC_NAME_MAX)
		return false;
	at = (uintptr_t)ht_map_get(p->places, key_of(kind, name, &key));
	*ret = at - 1;
	return at > 0;
}

static enum ht_err
put(struct ht_papers *p, enum ht_doc_kind kind, struct ht_slice name, size_t i)
{
	struct key key;

	return ht_map_put(p->places, key_of(kind, name, &key),
	    (void *)(uintptr_t)(i + 1), NULL);
}

/* The list has checked its form. */
static uint64_t
version_of(const char *name)
{
	return strtoull(strchr(name, '@') + 1, NULL, 10);
}

static enum ht_err
put_item(struct ht_papers *p, size_t i)
{
	const char *name = p->lines[i].name;
	struct ht_slice bare =
	    HT_SLICE(name, (size_t)(strchr(name, '@') - name));
	enum ht_err err = put(p, HT_DOC_ITEM, ht_slice_str(name), i);
	size_t newest;

	if (err == HT_OK && find(p, HT_DOC_ITEM, bare, &newest) &&
	    version_of(p->lines[newest].name) > version_of(name))
		return HT_OK;
	return err == HT_OK ? put(p, HT_DOC_ITEM, bare, i) : err;
}

static enum ht_err
put_all(struct ht_papers *p)
{
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < p->n && err == HT_OK; i++) {
		if (p->lines[i].kind == HT_DOC_ITEM)
			err = put_item(p, i);
		else if (p->lines[i].kind == HT_DOC_MEMBER)
			err = put(p, HT_DOC_MEMBER,
			    ht_slice_str(p->lines[i].name), i);
	}
	return err;
}

/* A document of ours; whatever is wrong with it is the file's. */
static enum ht_err
parse(struct ht_papers *p, struct ht_slice note, struct ht_doc **ret)
{
	enum ht_err err = ht_doc_parse(note, "papers", p->report, ret);

	return err == HT_OK || err == HT_ENOMEM ? err : HT_EINTEGRITY;
}

static enum ht_err
read_list(struct ht_papers *p, struct ht_slice snapshot, struct ht_slice list)
{
	struct ht_hash root;
	enum ht_err err = parse(p, snapshot, &p->snapshot);

	if (err == HT_OK && p->snapshot->kind != HT_DOC_SNAPSHOT)
		err = HT_EINTEGRITY;
	if (err == HT_OK)
		err =
		    ht_list_parse(list, "papers", p->report, &p->lines, &p->n);
	if (err == HT_OK)
		err = ht_list_root(p->lines, p->n, &root);
	if (err != HT_OK)
		return err == HT_ENOMEM ? err : HT_EINTEGRITY;
	if (p->n != p->snapshot->snapshot->count ||
	    !ht_hash_eq(&root, &p->snapshot->snapshot->root))
		return HT_EINTEGRITY;
	p->list = list;
	p->docs = calloc(p->n + 1, sizeof(struct ht_doc *));
	p->used = calloc(p->n + 1, sizeof(*p->used));
	p->places = ht_map_new();
	return p->docs == NULL || p->used == NULL || p->places == NULL
	           ? HT_ENOMEM
	           : put_all(p);
}

/* ---- from where ---- */

static struct ht_papers *
papers_new(void)
{
	HT_AUTO(ht_papers_free) struct ht_papers *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->report = ht_report_new();
	return p->report == NULL ? NULL : HT_TAKE(p);
}

enum ht_err
ht_papers_of_trust(const struct ht_trust *trust, struct ht_papers **ret)
{
	HT_AUTO(ht_papers_free) struct ht_papers *p = papers_new();
	enum ht_err err = p == NULL ? HT_ENOMEM : HT_OK;

	if (err == HT_OK && trust != NULL) {
		p->trust = trust;
		err = read_list(
		    p, ht_trust_doc(trust, 0), ht_trust_doc(trust, 1));
	}
	if (err == HT_OK)
		*ret = HT_TAKE(p);
	return err;
}

/* It is that of a line behind those before. */
static enum ht_err
take_note(struct ht_papers *p, struct ht_slice note, size_t *next)
{
	struct ht_doc *doc = NULL;
	enum ht_err err = parse(p, note, &doc);
	size_t i = *next;

	if (err != HT_OK)
		return err;
	while (i < p->n && !ht_hash_eq(&p->lines[i].hash, &doc->hash))
		i++;
	*next = i + 1;
	if (i == p->n || p->lines[i].kind != doc->kind ||
	    strcmp(p->lines[i].name, doc->name) != 0) {
		ht_doc_unref(&doc);
		return HT_EINTEGRITY;
	}
	p->docs[i] = doc;
	return HT_OK;
}

static enum ht_err
read_file(struct ht_papers *p, struct ht_slice bytes, const char **ret_why)
{
	struct ht_cur cur = ht_cur(bytes);
	struct ht_slice snapshot = ht_cur_take(&cur, ht_cur_u32(&cur));
	struct ht_slice list = ht_cur_take(&cur, ht_cur_u32(&cur));
	enum ht_err err = cur.err == HT_OK ? HT_OK : HT_EINTEGRITY;
	size_t next = 0;

	*ret_why = "its papers are cut off";
	if (err != HT_OK)
		return err;
	*ret_why = "the list of its papers is not that of their snapshot";
	err = read_list(p, snapshot, list);
	if (err != HT_OK)
		return err;
	*ret_why = "one of its papers is not on their list, or out of order";
	while (err == HT_OK && cur.at < cur.end) {
		struct ht_slice note = ht_cur_take(&cur, ht_cur_u32(&cur));

		err = cur.err == HT_OK ? take_note(p, note, &next)
		                       : HT_EINTEGRITY;
	}
	return err;
}

enum ht_err
ht_papers_open(
    struct ht_slice bytes, struct ht_papers **ret, const char **ret_why)
{
	HT_AUTO(ht_papers_free) struct ht_papers *p = papers_new();
	enum ht_err err = p == NULL ? HT_ENOMEM : HT_OK;

	if (err == HT_OK && bytes.len > 0)
		err = read_file(p, bytes, ret_why);
	if (err == HT_OK)
		*ret = HT_TAKE(p);
	return err;
}

enum ht_err
ht_papers_pack(const struct ht_papers *p, struct ht_buf *out)
{
	if (p->snapshot == NULL)
		return out->err;
	ht_kept_add(out, p->snapshot->bytes);
	ht_kept_add(out, p->list);
	for (size_t i = 0; i < p->n; i++)
		if (p->used[i] && p->docs[i] != NULL)
			ht_kept_add(out, p->docs[i]->bytes);
	return out->err;
}

/* ---- asking ---- */

const struct ht_doc *
ht_papers_snapshot(const struct ht_papers *p)
{
	return p->snapshot;
}

static const struct ht_doc *
ask(struct ht_papers *p, enum ht_doc_kind kind, struct ht_slice name)
{
	enum ht_err err = HT_OK;
	size_t i;

	if (!find(p, kind, name, &i))
		return NULL;
	p->used[i] = true;
	if (p->docs[i] == NULL && p->trust != NULL)
		err = parse(p, ht_trust_doc(p->trust, 2 + i), &p->docs[i]);
	if (p->docs[i] == NULL && p->err == HT_OK) {
		p->err = err == HT_OK ? HT_EINTEGRITY : err;
		p->bad = p->lines[i].name;
	}
	return p->docs[i];
}

const struct ht_item *
ht_papers_item(struct ht_papers *p, struct ht_slice name, uint32_t version)
{
	char text[HT_DOC_NAME_MAX + 1];
	const struct ht_doc *doc;

	if (name.len > HT_NAME_MAX)
		return NULL;
	(void)snprintf(text, sizeof(text), "%.*s@%u", (int)name.len,
	    (const char *)name.at, version);
	doc = ask(p, HT_DOC_ITEM, ht_slice_str(text));
	return doc == NULL ? NULL : doc->item;
}

const struct ht_item *
ht_papers_item_newest(struct ht_papers *p, struct ht_slice name)
{
	const struct ht_doc *doc = ask(p, HT_DOC_ITEM, name);

	return doc == NULL ? NULL : doc->item;
}

const struct ht_member *
ht_papers_member(struct ht_papers *p, struct ht_slice name)
{
	const struct ht_doc *doc = ask(p, HT_DOC_MEMBER, name);

	return doc == NULL ? NULL : doc->member;
}

enum ht_err
ht_papers_err(const struct ht_papers *p, const char **ret_what)
{
	*ret_what = p->bad;
	return p->err;
}

const char *
ht_papers_unused(const struct ht_papers *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->docs[i] != NULL && !p->used[i])
			return p->lines[i].name;
	return NULL;
}

const char *
ht_papers_title(const char *zh, const char *en, bool chinese)
{
	const char *first = chinese ? zh : en, *second = chinese ? en : zh;

	return first != NULL ? first : second != NULL ? second : "";
}
