/*
 * edit.c -- where values stand in their text, and the text put together anew.
 */
#include "lib/conf/edit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/conf/tree.h"

/* ---- places ---- */

/* libyaml counts characters; this is where the n-th of the text begins. */
static size_t
byte_of(const struct ht_edits *edits, size_t n)
{
	const struct ht_slice text = edits->text;
	size_t i = 0;

	while (i < text.len && n > 0) {
		i++;
		while (i < text.len && (text.at[i] & 0xc0) == 0x80)
			i++;
		n--;
	}
	return i;
}

static size_t
start_of(const struct ht_edits *edits, const struct ht_yaml *value)
{
	return byte_of(edits, value->start);
}

static size_t
key_of(const struct ht_edits *edits, const struct ht_yaml *value)
{
	return byte_of(edits, value->key_start);
}

/* Behind its last character: a block ends where the last value in it does. */
static size_t
end_of(const struct ht_edits *edits, const struct ht_yaml *value)
{
	size_t at, end;

	while (value->kind != SCALAR && !value->flow && value->count > 0)
		value = value->children[value->count - 1];
	at = start_of(edits, value);
	end = byte_of(edits, value->end);
	while (end > at && (edits->text.at[end - 1] == '\n' ||
	                       edits->text.at[end - 1] == ' '))
		end--;
	return end;
}

static size_t
line_start(const struct ht_edits *edits, size_t at)
{
	while (at > 0 && edits->text.at[at - 1] != '\n')
		at--;
	return at;
}

static size_t
line_end(const struct ht_edits *edits, size_t at)
{
	while (at < edits->text.len && edits->text.at[at] != '\n')
		at++;
	return at;
}

/* ---- edits ---- */

struct ht_edit {
	size_t at, gone;    /* bytes that go, from there */
	struct ht_buf come; /* and what comes in their place */
};

void
ht_edits_fini(struct ht_edits *edits)
{
	for (size_t i = 0; i < edits->n; i++)
		ht_buf_fini(&edits->at[i].come);
	free(edits->at);
	*edits = (struct ht_edits){.text = edits->text};
}

/* The edit's buffer, empty, or NULL without memory. */
static struct ht_buf *
add(struct ht_edits *edits, size_t at, size_t end)
{
	size_t room = edits->room == 0 ? 16 : edits->room * 2, i;
	struct ht_edit *grown;

	if (edits->n == edits->room) {
		grown = realloc(edits->at, room * sizeof(*grown));
		if (grown == NULL) {
			edits->err = HT_ENOMEM;
			return NULL;
		}
		edits->at = grown;
		edits->room = room;
	}
	/* Sorted, and of one place in the order in which they were asked for.
	 */
	for (i = edits->n++; i > 0 && edits->at[i - 1].at > at; i--)
		edits->at[i] = edits->at[i - 1];
	edits->at[i] = (struct ht_edit){at, end - at, HT_BUF(HT_DOC_MAX)};
	return &edits->at[i].come;
}

static void
indent(struct ht_buf *out, unsigned column)
{
	for (unsigned i = 1; i < column; i++)
		ht_buf_u8(out, ' ');
}

void
ht_edit_replace(
    struct ht_edits *edits, const struct ht_yaml *value, struct ht_slice yaml)
{
	struct ht_buf *come =
	    add(edits, start_of(edits, value), end_of(edits, value));

	if (come != NULL)
		ht_buf_add(come, yaml.at, yaml.len);
}

void
ht_edit_append(
    struct ht_edits *edits, struct ht_yaml *map, struct ht_slice yaml)
{
	const struct ht_yaml *last = map->children[map->count - 1];
	size_t at = end_of(edits, last);
	struct ht_buf *come;

	if (!map->flow)
		at = line_end(edits, at);
	come = add(edits, at, at);
	if (come == NULL)
		return;
	if (map->flow) {
		ht_buf_str(come, ", ");
	} else {
		ht_buf_u8(come, '\n');
		indent(come, last->key_column);
	}
	ht_buf_add(come, yaml.at, yaml.len);
}

void
ht_edit_set(struct ht_edits *edits, struct ht_yaml *map, const char *key,
    struct ht_slice yaml)
{
	const struct ht_yaml *is = ht_yaml_child(map, key);
	size_t at = start_of(edits, map) + (map->flow ? 1 : 0);
	struct ht_buf *come;

	if (is != NULL) {
		ht_edit_replace(edits, is, yaml);
		return;
	}
	come = add(edits, at, at);
	if (come == NULL)
		return;
	ht_buf_fmt(come, "%s: ", key);
	ht_buf_add(come, yaml.at, yaml.len);
	if (!map->flow) {
		ht_buf_u8(come, '\n');
		indent(come, map->column);
	} else if (map->count > 0) {
		ht_buf_str(come, ", ");
	}
}

void
ht_edit_before(
    struct ht_edits *edits, const struct ht_yaml *value, struct ht_slice lines)
{
	size_t at = line_start(edits, key_of(edits, value));
	struct ht_buf *come = add(edits, at, at);

	if (come != NULL)
		ht_buf_add(come, lines.at, lines.len);
}

void
ht_edit_remove(struct ht_edits *edits, struct ht_yaml *map, size_t i)
{
	size_t at = key_of(edits, map->children[i]);
	size_t end = end_of(edits, map->children[i]);

	if (!map->flow) {
		at = line_start(edits, at);
		end = line_end(edits, end);
		end += end < edits->text.len;
	} else if (i + 1 < map->count) {
		end = key_of(edits, map->children[i + 1]);
	} else if (i > 0) {
		at = end_of(edits, map->children[i - 1]);
	}
	(void)add(edits, at, end);
}

enum ht_err
ht_edits_apply(const struct ht_edits *edits, struct ht_buf *out)
{
	size_t done = 0;

	if (edits->err != HT_OK)
		return edits->err;
	for (size_t i = 0; i < edits->n; i++) {
		const struct ht_edit *e = &edits->at[i];

		if (e->come.err != HT_OK)
			return e->come.err;
		if (e->at > done)
			ht_buf_add(out, edits->text.at + done, e->at - done);
		ht_buf_add(out, e->come.at, e->come.len);
		if (e->at + e->gone > done)
			done = e->at + e->gone;
	}
	ht_buf_add(out, edits->text.at + done, edits->text.len - done);
	return out->err;
}

struct ht_yaml *
ht_yaml_child(struct ht_yaml *map, const char *key)
{
	if (map == NULL || map->kind != MAP)
		return NULL;
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->children[i]->key, key) == 0)
			return map->children[i];
	return NULL;
}
