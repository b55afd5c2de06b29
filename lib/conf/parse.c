/*
 * parse.c -- libyaml's events into a tree.
 *
 * libyaml stops at its first error; everything else that is wrong (anchors,
 * keys that stand twice, ...) becomes a finding, and the tree goes on.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "lib/base/fs.h"
#include "lib/base/limits.h"
#include "lib/base/panic.h"
#include "lib/base/text.h"
#include "lib/conf/tree.h"

/* ---- the document ---- */

static void
free_value(struct ht_yaml *value)
{
	free(value->key);
	free(value->children);
	free(value->asked);
	free(value);
}

void
ht_conf_free(struct ht_conf **conf_p)
{
	struct ht_conf *conf = *conf_p;

	if (conf == NULL)
		return;
	*conf_p = NULL;
	while (conf->all != NULL) {
		struct ht_yaml *value = conf->all;

		conf->all = value->next;
		free_value(value);
	}
	ht_map_free(&conf->index, NULL);
	free(conf->name);
	free(conf);
}

static enum ht_err
new_conf(const char *name, struct ht_report *report, struct ht_conf **ret_conf)
{
	HT_AUTO(ht_conf_free) struct ht_conf *conf = calloc(1, sizeof(*conf));

	if (conf == NULL)
		return HT_ENOMEM;
	conf->report = report;
	conf->name = strdup(name);
	conf->index = ht_map_new();
	if (conf->name == NULL || conf->index == NULL)
		return HT_ENOMEM;
	*ret_conf = HT_TAKE(conf);
	return HT_OK;
}

void
ht_conf_finding(
    struct ht_conf *conf, unsigned line, unsigned column, const char *fmt, ...)
{
	char where[HT_WHERE_SIZE], text[1024];
	va_list ap;

	conf->findings++;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)snprintf(
	    where, sizeof(where), "%.480s:%u:%u", conf->name, line, column);
	ht_report_add(conf->report, where, "%s", text);
}

bool
ht_conf_index_key(
    const struct ht_yaml *map, struct ht_slice key, struct index_key *ret)
{
	if (key.len > KEY_MAX)
		return false;
	ht_be32(ret->bytes, map->number);
	memcpy(ret->bytes + 4, key.at, key.len);
	ret->len = 4 + key.len;
	return true;
}

/* ---- building ---- */

/* An open map or list. */
struct frame {
	struct ht_yaml *value;
	bool has_key; /* MAP: a key was read, and its value is still to come */
	char *key;    /* that key, owned; NULL if it was refused */
	unsigned key_line, key_column;
	size_t key_start;
};

struct builder {
	struct ht_conf *conf;
	yaml_parser_t *parser;
	struct frame stack[HT_YAML_DEPTH];
	unsigned depth;
	unsigned documents;
};

#define AT(mark) (unsigned)(mark).line + 1, (unsigned)(mark).column + 1

static struct frame *
top(struct builder *b)
{
	return b->depth == 0 ? NULL : &b->stack[b->depth - 1];
}

/* Is what comes next a key? */
static bool
wants_key(struct builder *b)
{
	const struct frame *frame = top(b);

	return frame != NULL && frame->value->kind == MAP && !frame->has_key;
}

static enum ht_err
new_value(struct builder *b, enum kind kind, yaml_mark_t mark,
    struct ht_slice text, struct ht_yaml **ret)
{
	struct ht_conf *conf = b->conf;
	struct ht_yaml *value;

	if (conf->count == HT_YAML_NODES) {
		ht_conf_finding(conf, AT(mark),
		    "more than %d values; split the document", HT_YAML_NODES);
		return HT_ETOOBIG;
	}
	value = calloc(1, sizeof(*value) + text.len + 1);
	if (value == NULL)
		return HT_ENOMEM;
	value->conf = conf;
	value->kind = kind;
	value->line = (unsigned)mark.line + 1;
	value->column = (unsigned)mark.column + 1;
	value->start = mark.index;
	value->end = mark.index;
	value->number = conf->count++;
	value->len = text.len;
	if (text.len > 0)
		memcpy(value->text, text.at, text.len);
	value->next = conf->all;
	conf->all = value;
	*ret = value;
	return HT_OK;
}

static enum ht_err
add_child(struct ht_yaml *parent, struct ht_yaml *child)
{
	if (parent->count == parent->room) {
		size_t room = parent->room == 0 ? 8 : parent->room * 2;
		struct ht_yaml **children =
		    realloc(parent->children, room * sizeof(struct ht_yaml *));

		if (children == NULL)
			return HT_ENOMEM;
		parent->children = children;
		parent->room = room;
	}
	parent->children[parent->count++] = child;
	return HT_OK;
}

static enum ht_err
index_child(const struct ht_yaml *map, struct ht_yaml *child)
{
	struct ht_conf *conf = map->conf;
	const struct ht_yaml *first;
	struct index_key key;

	HT_ASSERT(ht_conf_index_key(map, ht_slice_str(child->key), &key));
	first = ht_map_get(conf->index, HT_SLICE(key.bytes, key.len));
	if (first == NULL)
		return ht_map_put(
		    conf->index, HT_SLICE(key.bytes, key.len), child, NULL);
	ht_yaml_take(child); /* one finding about it is enough */
	ht_conf_finding(conf, child->key_line, child->key_column,
	    "the key '%s' stands twice in this map, first on line %u; remove "
	    "one",
	    child->key, first->key_line);
	return HT_OK;
}

/* Put a value where it belongs: root, list, or behind its key. */
static enum ht_err
attach(struct builder *b, struct ht_yaml *value)
{
	struct frame *frame = top(b);
	enum ht_err err;

	if (frame == NULL) {
		b->conf->root = value;
		return HT_OK;
	}
	if (frame->value->kind == MAP) {
		HT_ASSERT(frame->has_key);
		frame->has_key = false;
		if (frame->key == NULL)
			return HT_OK; /* under a refused key: not in the tree */
		value->key = HT_TAKE(frame->key);
		value->key_line = frame->key_line;
		value->key_column = frame->key_column;
		value->key_start = frame->key_start;
		err = index_child(frame->value, value);
		if (err != HT_OK)
			return err;
	}
	return add_child(frame->value, value);
}

/* ---- events ---- */

static void
refuse_properties(struct builder *b, const yaml_event_t *event,
    const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL)
		ht_conf_finding(b->conf, AT(event->start_mark),
		    "anchors (&%.40s) are not allowed; write the value out",
		    (const char *)anchor);
	if (tag != NULL)
		ht_conf_finding(b->conf, AT(event->start_mark),
		    "tags (%.40s) are not allowed; quote text with \"...\"",
		    (const char *)tag);
}

/* What keeps a scalar from being a key, or NULL. */
static const char *
key_fault(const struct ht_yaml *key)
{
	if (key->len > KEY_MAX)
		return "is longer than 256 bytes; shorten it";
	if (memchr(key->text, '\0', key->len) != NULL)
		return "has a NUL character (\\0) in it; remove it";
	if (!key->quoted && strcmp(key->text, "<<") == 0)
		return "would merge maps, which is not allowed; write them out";
	if (ht_yaml_type(key) != HT_YAML_TEXT)
		return "is not text; quote it with \"...\"";
	return NULL;
}

static enum ht_err
take_key(struct builder *b, const struct ht_yaml *key)
{
	const char *fault = key_fault(key);
	struct frame *frame = top(b);

	frame->has_key = true;
	frame->key_line = key->line;
	frame->key_column = key->column;
	frame->key_start = key->start;
	if (fault != NULL) {
		ht_conf_finding(b->conf, key->line, key->column,
		    "the key '%.60s' %s", key->text, fault);
		return HT_OK;
	}
	frame->key = strdup(key->text);
	return frame->key == NULL ? HT_ENOMEM : HT_OK;
}

static enum ht_err
on_scalar(struct builder *b, const yaml_event_t *event)
{
	struct ht_slice text =
	    HT_SLICE(event->data.scalar.value, event->data.scalar.length);
	struct ht_yaml *value;
	enum ht_err err;

	refuse_properties(
	    b, event, event->data.scalar.anchor, event->data.scalar.tag);
	err = new_value(b, SCALAR, event->start_mark, text, &value);
	if (err != HT_OK)
		return err;
	value->end = event->end_mark.index;
	value->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (wants_key(b))
		return take_key(b, value);
	if (memchr(value->text, '\0', value->len) != NULL) {
		ht_conf_finding(b->conf, value->line, value->column,
		    "the text has a NUL character (\\0) in it; remove it");
		value->len = strlen(value->text);
	}
	return attach(b, value);
}

/* Reported, and nothing stands in its place. */
static enum ht_err
on_alias(struct builder *b, const yaml_event_t *event)
{
	struct ht_yaml *value;
	enum ht_err err;

	ht_conf_finding(b->conf, AT(event->start_mark),
	    "aliases (*%.40s) are not allowed; write the value out",
	    (const char *)event->data.alias.anchor);
	if (wants_key(b)) {
		top(b)->has_key = true;
		return HT_OK;
	}
	err =
	    new_value(b, SCALAR, event->start_mark, HT_SLICE(NULL, 0), &value);
	return err == HT_OK ? attach(b, value) : err;
}

static enum ht_err
open_value(struct builder *b, const yaml_event_t *event, enum kind kind)
{
	struct ht_yaml *value;
	enum ht_err err;

	if (b->depth == HT_YAML_DEPTH) {
		ht_conf_finding(b->conf, AT(event->start_mark),
		    "more than %d maps and lists within each other; flatten it",
		    HT_YAML_DEPTH);
		return HT_ETOOBIG;
	}
	err = new_value(b, kind, event->start_mark, HT_SLICE(NULL, 0), &value);
	if (err != HT_OK)
		return err;
	if (wants_key(b)) {
		ht_conf_finding(b->conf, AT(event->start_mark),
		    "a key must be text, not a map or a list; quote it if it "
		    "is text");
		top(b)->has_key = true;
	} else {
		err = attach(b, value);
	}
	value->flow =
	    kind == LIST
	        ? event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
	        : event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
	b->stack[b->depth++] = (struct frame){.value = value};
	return err;
}

static enum ht_err
on_document(struct builder *b, const yaml_event_t *event)
{
	if (b->documents++ == 0)
		return HT_OK;
	ht_conf_finding(b->conf, AT(event->start_mark),
	    "a second document begins here; a file holds one");
	return HT_EMALFORMED;
}

static enum ht_err
on_event(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return on_document(b, event);
	case YAML_SCALAR_EVENT:
		return on_scalar(b, event);
	case YAML_ALIAS_EVENT:
		return on_alias(b, event);
	case YAML_SEQUENCE_START_EVENT:
		refuse_properties(b, event, event->data.sequence_start.anchor,
		    event->data.sequence_start.tag);
		return open_value(b, event, LIST);
	case YAML_MAPPING_START_EVENT:
		refuse_properties(b, event, event->data.mapping_start.anchor,
		    event->data.mapping_start.tag);
		return open_value(b, event, MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		HT_ASSERT(b->depth > 0);
		b->stack[--b->depth].value->end = event->end_mark.index;
		return HT_OK;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return HT_OK;
	}
	HT_NEVER("libyaml has no other events");
}

/* ---- libyaml's own errors ---- */

/* The reader's errors have an offset in bytes, but no mark. */
static yaml_mark_t
mark_of_offset(struct ht_slice text, size_t offset)
{
	yaml_mark_t mark = {.index = offset};
	size_t start = 0;

	if (offset > text.len)
		offset = text.len;
	for (size_t i = 0; i < offset; i++) {
		if (text.at[i] != '\n')
			continue;
		mark.line++;
		start = i + 1;
	}
	mark.column = ht_utf8_count(HT_SLICE(text.at + start, offset - start));
	return mark;
}

static enum ht_err
from_libyaml(struct builder *b, struct ht_slice text)
{
	const yaml_parser_t *parser = b->parser;
	const char *problem = parser->problem;

	if (parser->error == YAML_MEMORY_ERROR)
		return HT_ENOMEM;
	if (problem == NULL)
		problem = "something unknown";
	if (strcmp(problem, "found character that cannot start any token") == 0)
		problem = "a character that cannot begin a value (a tab? "
		          "indent with spaces; quote text that begins with @ "
		          "or `)";
	if (parser->error == YAML_READER_ERROR)
		ht_conf_finding(b->conf,
		    AT(mark_of_offset(text, parser->problem_offset)),
		    "no YAML from here on: %s", problem);
	else if (parser->context != NULL)
		ht_conf_finding(b->conf, AT(parser->problem_mark),
		    "no YAML from here on: %s, %s that began on line %u",
		    problem, parser->context,
		    (unsigned)parser->context_mark.line + 1);
	else
		ht_conf_finding(b->conf, AT(parser->problem_mark),
		    "no YAML from here on: %s", problem);
	return HT_EMALFORMED;
}

/* ---- the whole ---- */

static enum ht_err
build(struct builder *b, struct ht_slice text)
{
	for (bool more = true; more;) {
		HT_AUTO(yaml_event_delete) yaml_event_t event = {0};
		enum ht_err err;

		if (yaml_parser_parse(b->parser, &event) == 0)
			return from_libyaml(b, text);
		more = event.type != YAML_STREAM_END_EVENT;
		err = on_event(b, &event);
		if (err != HT_OK)
			return err;
	}
	if (b->conf->root != NULL)
		return HT_OK;
	ht_conf_finding(b->conf, 1, 1, "there is nothing in it");
	return HT_EMALFORMED;
}

static enum ht_err
parse_into(struct ht_conf *conf, struct ht_slice text)
{
	HT_AUTO(yaml_parser_delete) yaml_parser_t parser = {0};
	struct builder b = {.conf = conf, .parser = &parser};
	enum ht_err err;

	if (yaml_parser_initialize(&parser) == 0)
		return HT_ENOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, text.at, text.len);
	err = build(&b, text);
	while (b.depth > 0)
		free(b.stack[--b.depth].key);
	return err;
}

enum ht_err
ht_conf_parse(struct ht_slice text, const char *name, struct ht_report *report,
    struct ht_conf **ret_conf)
{
	HT_AUTO(ht_conf_free) struct ht_conf *conf = NULL;
	enum ht_err err = new_conf(name, report, &conf);

	if (err != HT_OK)
		return err;
	if (text.len > HT_DOC_MAX) {
		ht_conf_finding(conf, 1, 1,
		    "the document has %zu bytes, and at most %d are read; "
		    "split it",
		    text.len, HT_DOC_MAX);
		return HT_ETOOBIG;
	}
	if (text.len == 0)
		text = ht_slice_str("");
	/* Some editors put a byte order mark in front; it says nothing. */
	if (text.len >= 3 && memcmp(text.at, "\xef\xbb\xbf", 3) == 0)
		text = HT_SLICE(text.at + 3, text.len - 3);
	err = parse_into(conf, text);
	if (err == HT_OK)
		*ret_conf = HT_TAKE(conf);
	return err;
}

static void
report_unread(struct ht_report *report, const char *path, enum ht_err err)
{
	if (err == HT_ETOOBIG)
		ht_report_add(report, path,
		    "it has more than %d bytes; split it", HT_DOC_MAX);
	else if (err == HT_ENOTFOUND)
		ht_report_add(
		    report, path, "there is no such file; check the path");
	else if (err == HT_ESYSTEM)
		ht_report_add(
		    report, path, "it cannot be read: %s", strerror(errno));
	else
		ht_report_add(report, path, "%s", ht_err_text(err));
}

enum ht_err
ht_conf_load(
    const char *path, struct ht_report *report, struct ht_conf **ret_conf)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);
	enum ht_err err = ht_fs_read(path, &text);

	if (err == HT_OK)
		return ht_conf_parse(
		    ht_buf_slice(&text), path, report, ret_conf);
	report_unread(report, path, err);
	return err;
}
