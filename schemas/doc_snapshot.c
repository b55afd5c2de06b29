/*
 * doc_snapshot.c -- which documents there are, and which of them are in force:
 * the snapshot, its list, and the current note.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/merkle.h"
#include "lib/base/panic.h"
#include "lib/base/text.h"
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

/* ---- the list ---- */

/* Cut @line at its next space; false if there is none. */
static bool
next_word(struct ht_slice *line, struct ht_slice *ret)
{
	const uint8_t *space =
	    line->len > 0 ? memchr(line->at, ' ', line->len) : NULL;
	size_t len;

	if (space == NULL || space == line->at)
		return false;
	len = (size_t)(space - line->at);
	*ret = HT_SLICE(line->at, len);
	*line = HT_SLICE(space + 1, line->len - len - 1);
	return true;
}

static bool
parse_revision(struct ht_slice text, uint64_t *ret)
{
	uint64_t v = 0;

	if (text.len == 0 || text.len > 13 || text.at[0] == '0')
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(text.at[i] - '0');
	}
	*ret = v;
	return v <= HT_REVISION_MAX;
}

/* "catalog/CODE@7": the version in the shortest decimal form. */
static bool
item_name(struct ht_slice name)
{
	const uint8_t *at = memchr(name.at, '@', name.len);
	uint64_t version;
	size_t len;

	if (at == NULL)
		return false;
	len = (size_t)(at - name.at);
	return ht_name_valid(HT_SLICE(name.at, len)) &&
	       parse_revision(HT_SLICE(at + 1, name.len - len - 1), &version) &&
	       version <= UINT32_MAX;
}

/* "root", or "root@7": one of the past. */
static bool
root_name(struct ht_slice name)
{
	uint64_t revision;

	if (ht_slice_is(name, "root"))
		return true;
	return name.len > 5 && memcmp(name.at, "root@", 5) == 0 &&
	       parse_revision(HT_SLICE(name.at + 5, name.len - 5), &revision);
}

static bool
name_fits(enum ht_doc_kind kind, struct ht_slice name)
{
	switch (kind) {
	case HT_DOC_ROOT:
		return root_name(name);
	case HT_DOC_ITEM:
		return item_name(name);
	case HT_DOC_MEMBER:
		return ht_name_valid(name);
	case HT_DOC_GRANT:
	case HT_DOC_EPOCH:
		return ht_name_valid(name) && name.len <= HT_GRANT_MAX;
	case HT_DOC_SNAPSHOT:
	case HT_DOC_CURRENT:
	case HT_DOC_ERASE:
	case HT_DOC_APPLICATION:
	case HT_DOC_ANSWER:
	case HT_DOC_EXTENSION:
	case HT_DOC_DISCLOSE:
	case HT_DOC_KINDS:
		break;
	}
	return false;
}

static bool
parse_line(struct ht_slice line, struct ht_list_line *ret)
{
	struct ht_slice rest = line, kind, name, revision;
	char hex[2 * HT_HASH_SIZE + 1], lower[2 * HT_HASH_SIZE + 1];

	ret->line = line;
	if (!next_word(&rest, &kind) || !next_word(&rest, &name) ||
	    !next_word(&rest, &revision) || rest.len != 2 * HT_HASH_SIZE)
		return false;
	if (ht_doc_kind_parse(kind, &ret->kind) != HT_OK ||
	    name.len > HT_DOC_NAME_MAX || !name_fits(ret->kind, name) ||
	    !parse_revision(revision, &ret->revision))
		return false;
	memcpy(ret->name, name.at, name.len);
	ret->name[name.len] = '\0';
	memcpy(hex, rest.at, rest.len);
	hex[rest.len] = '\0';
	if (ht_unhex(hex, ret->hash.at, sizeof(ret->hash.at)) != HT_OK)
		return false;
	ht_hex(lower, ret->hash.at, sizeof(ret->hash.at));
	return strcmp(hex, lower) == 0;
}

/* (kind, name) of two lines; the list is sorted by whole lines. */
static bool
same_document(const struct ht_list_line *a, const struct ht_list_line *b)
{
	return a->kind == b->kind && strcmp(a->name, b->name) == 0;
}

static enum ht_err
parse_lines(struct ht_slice list, const char *where, struct ht_report *report,
    struct ht_list_line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *end = memchr(list.at, '\n', list.len);
		size_t len;

		HT_ASSERT(end != NULL); /* they were counted */
		len = (size_t)(end - list.at);
		if (!parse_line(HT_SLICE(list.at, len), &lines[i])) {
			ht_report_add(report, where,
			    "line %zu is not \"kind name revision sha256\"",
			    i + 1);
			return HT_EMALFORMED;
		}
		list = HT_SLICE(end + 1, list.len - len - 1);
		if (i == 0)
			continue;
		if (ht_slice_cmp(lines[i - 1].line, lines[i].line) >= 0 ||
		    same_document(&lines[i - 1], &lines[i])) {
			ht_report_add(report, where,
			    "line %zu is out of order, or names a document "
			    "again",
			    i + 1);
			return HT_EMALFORMED;
		}
	}
	return HT_OK;
}

enum ht_err
ht_list_parse(struct ht_slice list, const char *where, struct ht_report *report,
    struct ht_list_line **ret_lines, size_t *ret_n)
{
	HT_AUTO(ht_mem_free) struct ht_list_line *lines = NULL;
	enum ht_err err;
	size_t n = 0;

	for (size_t i = 0; i < list.len; i++)
		n += list.at[i] == '\n';
	if (n > HT_LIST_MAX) {
		ht_report_add(
		    report, where, "more than %d documents", HT_LIST_MAX);
		return HT_ETOOBIG;
	}
	if (list.len > 0 && list.at[list.len - 1] != '\n') {
		ht_report_add(report, where, "the last line lacks its end");
		return HT_EMALFORMED;
	}
	lines = calloc(n + 1, sizeof(*lines));
	if (lines == NULL)
		return HT_ENOMEM;
	err = parse_lines(list, where, report, lines, n);
	if (err != HT_OK)
		return err;
	*ret_lines = HT_TAKE(lines);
	*ret_n = n;
	return HT_OK;
}

bool
ht_list_past_root(const struct ht_list_line *line)
{
	return line->kind == HT_DOC_ROOT && line->name[4] == '@';
}

void
ht_doc_past_root(struct ht_doc *doc)
{
	HT_ASSERT(atomic_load(&doc->refs) == 1);
	if (doc->kind == HT_DOC_ROOT)
		(void)snprintf(doc->name, sizeof(doc->name), "root@%llu",
		    (unsigned long long)doc->revision);
}

enum ht_err
ht_list_root(const struct ht_list_line *lines, size_t n, struct ht_hash *ret)
{
	HT_AUTO(ht_mem_free)
	struct ht_hash *leaves = calloc(n + 1, sizeof(*leaves));

	if (leaves == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < n; i++)
		leaves[i] = ht_leaf_hash(lines[i].line);
	*ret = ht_merkle_root(leaves, n);
	return HT_OK;
}

void
ht_list_add(struct ht_buf *out, const struct ht_doc *doc)
{
	char hex[2 * HT_HASH_SIZE + 1];

	ht_hex(hex, doc->hash.at, sizeof(doc->hash.at));
	ht_buf_fmt(out, "%s %s %llu %s\n", ht_doc_kind_text(doc->kind),
	    doc->name, (unsigned long long)doc->revision, hex);
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
	};

	HT_ASSERT((unsigned)kind < HT_DOC_KINDS);
	(void)snprintf(out, HT_DOC_PATH_MAX, "%s%s.note", folders[kind], name);
}
