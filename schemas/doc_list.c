/*
 * doc_list.c -- the list of a snapshot: a line for each document, sorted, under
 * a Merkle root that the snapshot key signs.
 *
 * Who takes a whole snapshot in needs every line taken apart (ht_list_parse);
 * who looks for one among a hundred thousand, or puts one there, needs to know
 * where they begin (ht_lines_cut), which is fifty times less work.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/merkle.h"
#include "lib/base/panic.h"
#include "lib/base/text.h"
#include "schemas/doc.h"
#include "schemas/doc_list.h"

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
	case HT_DOC_REMOVE:
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

static void
blame_form(struct ht_report *report, const char *where, size_t i)
{
	ht_report_add(report, where,
	    "line %zu is not \"kind name revision sha256\"", i + 1);
}

static void
blame_order(struct ht_report *report, const char *where, size_t i)
{
	ht_report_add(report, where,
	    "line %zu is out of order, or names a document again", i + 1);
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
			blame_form(report, where, i);
			return HT_EMALFORMED;
		}
		list = HT_SLICE(end + 1, list.len - len - 1);
		if (i == 0)
			continue;
		if (ht_slice_cmp(lines[i - 1].line, lines[i].line) >= 0 ||
		    same_document(&lines[i - 1], &lines[i])) {
			blame_order(report, where, i);
			return HT_EMALFORMED;
		}
	}
	return HT_OK;
}

static enum ht_err
count_lines(struct ht_slice list, const char *where, struct ht_report *report,
    size_t *ret)
{
	const uint8_t *at = list.at, *end = list.at + list.len;
	size_t n = 0;

	for (; at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL;
	     at++)
		n++;
	if (n > HT_LIST_MAX) {
		ht_report_add(
		    report, where, "more than %d documents", HT_LIST_MAX);
		return HT_ETOOBIG;
	}
	if (list.len > 0 && end[-1] != '\n') {
		ht_report_add(report, where, "the last line lacks its end");
		return HT_EMALFORMED;
	}
	*ret = n;
	return HT_OK;
}

enum ht_err
ht_list_parse(struct ht_slice list, const char *where, struct ht_report *report,
    struct ht_list_line **ret_lines, size_t *ret_n)
{
	HT_AUTO(ht_mem_free) struct ht_list_line *lines = NULL;
	size_t n = 0;
	enum ht_err err = count_lines(list, where, report, &n);

	if (err != HT_OK)
		return err;
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

/* ---- by its lines alone ---- */

void
ht_lines_fini(struct ht_lines *lines)
{
	free(lines->starts);
	*lines = (struct ht_lines){0};
}

struct ht_slice
ht_lines_at(const struct ht_lines *lines, size_t i)
{
	return HT_SLICE(lines->bytes.at + lines->starts[i],
	    lines->starts[i + 1] - lines->starts[i] - 1);
}

/* "kind name " with both spaces; empty if it has none. */
static struct ht_slice
key_of(struct ht_slice line)
{
	struct ht_slice rest = line, word;

	if (!next_word(&rest, &word) || !next_word(&rest, &word))
		return HT_SLICE(line.at, 0);
	return HT_SLICE(line.at, (size_t)(rest.at - line.at));
}

/* Behind the one before, and of another document. */
static bool
follows(struct ht_slice before, struct ht_slice line, struct ht_slice key)
{
	return ht_slice_cmp(before, line) < 0 &&
	       (before.len < key.len ||
	           memcmp(before.at, key.at, key.len) != 0);
}

static enum ht_err
check_lines(
    const struct ht_lines *lines, const char *where, struct ht_report *report)
{
	for (size_t i = 0; i < lines->n; i++) {
		struct ht_slice line = ht_lines_at(lines, i);
		struct ht_slice key = key_of(line);

		if (key.len == 0) {
			blame_form(report, where, i);
			return HT_EMALFORMED;
		}
		if (i > 0 && !follows(ht_lines_at(lines, i - 1), line, key)) {
			blame_order(report, where, i);
			return HT_EMALFORMED;
		}
	}
	return HT_OK;
}

enum ht_err
ht_lines_cut(struct ht_slice list, const char *where, struct ht_report *report,
    struct ht_lines *ret)
{
	HT_AUTO(ht_lines_fini) struct ht_lines lines = {.bytes = list};
	const uint8_t *at = list.at, *end = list.at + list.len;
	enum ht_err err = count_lines(list, where, report, &lines.n);

	if (err == HT_OK && list.len > HT_LIST_BYTES)
		err = HT_ETOOBIG;
	if (err != HT_OK)
		return err;
	lines.starts = calloc(lines.n + 1, sizeof(*lines.starts));
	if (lines.starts == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < lines.n; i++) {
		at = memchr(at, '\n', (size_t)(end - at));
		HT_ASSERT(at != NULL); /* they were counted */
		lines.starts[i + 1] = (uint32_t)(++at - list.at);
	}
	err = check_lines(&lines, where, report);
	if (err != HT_OK)
		return err;
	*ret = lines;
	lines.starts = NULL;
	return HT_OK;
}

/* The order of ht_doc_order(), of a line's own words. */
static int
line_order(struct ht_slice line, struct ht_slice kind, struct ht_slice name)
{
	struct ht_slice rest = line, its_kind, its_name;
	int order;

	HT_ASSERT(next_word(&rest, &its_kind) && next_word(&rest, &its_name));
	order = ht_slice_cmp(its_kind, kind);
	return order != 0 ? order : ht_slice_cmp(its_name, name);
}

bool
ht_lines_find(const struct ht_lines *lines, const char *kind, const char *name,
    size_t *ret)
{
	struct ht_slice k = ht_slice_str(kind), n = ht_slice_str(name);
	size_t low = 0, high = lines->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = line_order(ht_lines_at(lines, mid), k, n);

		if (order == 0) {
			*ret = mid;
			return true;
		}
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*ret = low;
	return false;
}

enum ht_err
ht_lines_parse(const struct ht_lines *lines, size_t i, const char *where,
    struct ht_report *report, struct ht_list_line *ret)
{
	if (parse_line(ht_lines_at(lines, i), ret))
		return HT_OK;
	blame_form(report, where, i);
	return HT_EMALFORMED;
}
