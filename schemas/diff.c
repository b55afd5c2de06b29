/*
 * diff.c -- sections of the text that changed; for each the words that fit,
 * and the lines where words do not say all.
 */
#include "schemas/diff.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/text.h"

#define SAY_MAX   4096
#define LINES_MAX 4000 /* of one section: beyond that all of it is shown */

struct change {
	const struct ht_diff *d;
	const struct ht_doc *old, *new;
	char who[320], what[480]; /* of a grant: consumer, item */
	unsigned n;               /* sentences so far */
};

static void say(struct change *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void
say(struct change *c, const char *fmt, ...)
{
	char text[SAY_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->n++;
	c->d->say(c->d->arg, text);
}

/* "Public security (police.demo/residents)", or the name alone. */
static void
title(const struct ht_diff *d, enum ht_doc_kind kind, const char *name,
    const char *shown, char *out, size_t size)
{
	const struct ht_doc *doc = d->find(d->arg, kind, name);
	const char *text = NULL;

	if (doc != NULL && kind == HT_DOC_MEMBER)
		text = doc->member->title_en != NULL ? doc->member->title_en
		                                     : doc->member->title_zh;
	if (doc != NULL && kind == HT_DOC_ITEM)
		text = doc->item->title_en != NULL ? doc->item->title_en
		                                   : doc->item->title_zh;
	if (text == NULL)
		(void)snprintf(out, size, "%s", shown);
	else
		(void)snprintf(out, size, "%s (%s)", text, shown);
}

/* ---- lists of words ---- */

struct words {
	size_t n;
	const char **at;
};

static bool
has(const struct words *words, const char *word)
{
	for (size_t i = 0; i < words->n; i++)
		if (strcmp(words->at[i], word) == 0)
			return true;
	return false;
}

/* How many of @a are not in @b, and which, with commas. */
static size_t
beyond(const struct words *a, const struct words *b, struct ht_buf *out)
{
	size_t n = 0;

	ht_buf_reset(out);
	for (size_t i = 0; i < a->n; i++)
		if (!has(b, a->at[i]))
			ht_buf_fmt(out, "%s%s", n++ > 0 ? ", " : "", a->at[i]);
	return n;
}

static struct words
purposes_of(const struct ht_grant *g)
{
	struct words w = {0, calloc(g->n_purposes + 1, sizeof(*w.at))};

	for (unsigned i = 0; w.at != NULL && i < g->n_purposes; i++)
		w.at[w.n++] = g->purposes[i];
	return w;
}

static struct words
operations_of(const struct ht_grant *g)
{
	struct words w = {0, calloc(HT_OP_TRANSFER + 1, sizeof(*w.at))};

	for (unsigned op = HT_OP_QUERY; w.at != NULL && op <= HT_OP_TRANSFER;
	     op++)
		if (g->operations & HT_OPS(op))
			w.at[w.n++] = ht_operation_text(op);
	return w;
}

static void
say_more_or_fewer(struct change *c, const struct words *old,
    const struct words *new, const char *verb, const char *one,
    const char *many)
{
	HT_AUTO(ht_buf_fini) struct ht_buf list = HT_BUF(SAY_MAX / 2);
	size_t n = beyond(new, old, &list);

	if (n > 0)
		say(c, "%s may now %s %zu more %s of %s: %s", c->who, verb, n,
		    n == 1 ? one : many, c->what, ht_buf_text(&list));
	n = beyond(old, new, &list);
	if (n > 0)
		say(c, "%s may no longer %s %zu %s of %s: %s", c->who, verb, n,
		    n == 1 ? one : many, c->what, ht_buf_text(&list));
}

/* ---- grants ---- */

static void
grant_fields(struct change *c)
{
	const struct ht_grant_doc *o = c->old->grant, *n = c->new->grant;
	const struct words old = {
	    o->n_fields, (const char **)(void *)o->fields};
	const struct words new = {
	    n->n_fields, (const char **)(void *)n->fields};

	if (n->grant.all_fields != o->grant.all_fields)
		say(c,
		    n->grant.all_fields
		        ? "%s may now read ALL fields of %s, those of the "
		          "future too"
		        : "%s may no longer read all fields of %s, but these "
		          "alone:",
		    c->who, c->what);
	say_more_or_fewer(c, &old, &new, "read", "field", "fields");
}

static void
grant_purposes(struct change *c)
{
	struct words old = purposes_of(&c->old->grant->grant);
	struct words new = purposes_of(&c->new->grant->grant);
	HT_AUTO(ht_buf_fini) struct ht_buf list = HT_BUF(SAY_MAX / 2);

	if (beyond(&new, &old, &list) > 0)
		say(c, "%s may now ask for %s for these purposes too: %s",
		    c->who, c->what, ht_buf_text(&list));
	if (beyond(&old, &new, &list) > 0)
		say(c, "%s may no longer ask for %s for these purposes: %s",
		    c->who, c->what, ht_buf_text(&list));
	free(old.at);
	free(new.at);
}

static void
grant_operations(struct change *c)
{
	struct words old = operations_of(&c->old->grant->grant);
	struct words new = operations_of(&c->new->grant->grant);
	HT_AUTO(ht_buf_fini) struct ht_buf list = HT_BUF(SAY_MAX / 2);

	if (beyond(&new, &old, &list) > 0)
		say(c, "%s may now also %s %s", c->who, ht_buf_text(&list),
		    c->what);
	if (beyond(&old, &new, &list) > 0)
		say(c, "%s may no longer %s %s", c->who, ht_buf_text(&list),
		    c->what);
	free(old.at);
	free(new.at);
}

static void
grant_state(struct change *c)
{
	switch (c->new->grant->grant.state) {
	case HT_GRANT_ACTIVE:
		say(c, "%s may again use the grant for %s", c->who, c->what);
		return;
	case HT_GRANT_SUSPENDED:
		say(c, "%s may not use the grant for %s: it is suspended",
		    c->who, c->what);
		return;
	case HT_GRANT_TERMINATED:
		say(c, "%s loses the grant for %s: it is terminated", c->who,
		    c->what);
		return;
	}
}

static void
grant_until(struct change *c)
{
	char old[HT_TIME_SIZE], new[HT_TIME_SIZE];
	uint64_t was = c->old->grant->grant.until_ms;
	uint64_t is = c->new->grant->grant.until_ms;

	ht_time_text(old, was * 1000);
	ht_time_text(new, is * 1000);
	say(c, "%s has the grant for %s until %s, %s %s", c->who, c->what, new,
	    is > was ? "longer than until" : "and no longer until", old);
}

static void
grant_rows(struct change *c)
{
	const struct ht_grant *n = &c->new->grant->grant;
	HT_AUTO(ht_buf_fini) struct ht_buf list = HT_BUF(SAY_MAX / 2);

	if (n->row_field == NULL) {
		say(c, "%s may now read ALL rows of %s", c->who, c->what);
		return;
	}
	for (unsigned i = 0; i < n->n_row_prefixes; i++)
		ht_buf_fmt(
		    &list, "%s%s", i > 0 ? ", " : "", n->row_prefixes[i]);
	say(c, "%s reads rows of %s whose %s begins with %s", c->who, c->what,
	    n->row_field, ht_buf_text(&list));
}

static void
grant_quota(struct change *c)
{
	uint64_t was = c->old->grant->grant.quota_day;
	uint64_t is = c->new->grant->grant.quota_day;

	if (is == 0)
		say(c, "%s may now ask for %s without a limit a day", c->who,
		    c->what);
	else
		say(c, "%s may ask for %s %llu times a day (%s%llu)", c->who,
		    c->what, (unsigned long long)is,
		    was == 0 ? "no limit before: " : "before: ",
		    (unsigned long long)was);
}

static void
grant_consumer(struct change *c)
{
	say(c, "the grant for %s passes from %s to %s", c->what,
	    c->old->grant->grant.consumer, c->who);
}

/* ---- items ---- */

static void
item_record(struct change *c)
{
	const struct ht_schema *o = c->old->item->record;
	const struct ht_schema *n = c->new->item->record;

	for (size_t i = 0; i < ht_schema_fields(n); i++) {
		const char *field = ht_schema_field(n, i);
		int was = ht_schema_field_index(o, field);

		if (was < 0)
			say(c, "the item has a new field %s, of level %d",
			    field, ht_schema_field_level(n, i));
		else if (ht_schema_field_level(o, (size_t)was) !=
		         ht_schema_field_level(n, i))
			say(c, "the field %s is of level %d, and was of %d",
			    field, ht_schema_field_level(n, i),
			    ht_schema_field_level(o, (size_t)was));
	}
	for (size_t i = 0; i < ht_schema_fields(o); i++)
		if (ht_schema_field_index(n, ht_schema_field(o, i)) < 0)
			say(c, "the item has no field %s any more",
			    ht_schema_field(o, i));
}

/* ---- members ---- */

static void
member_identity(struct change *c)
{
	say(c,
	    "the IDENTITY KEY of %s changes: it must be signed with the old "
	    "one as well, or be a recovery that you have verified by another "
	    "way",
	    c->new->name);
}

static void
member_recovered(struct change *c)
{
	if (c->new->member->recovered_ms != 0)
		say(c,
		    "this is a RECOVERY of %s, whose identity key is lost: see "
		    "the person, and their papers, before you sign",
		    c->new->name);
}

static void
say_keys(struct change *c, const char *what, const char *whose,
    const struct ht_keyinfo *old, unsigned n_old, const struct ht_keyinfo *new,
    unsigned n_new)
{
	char id[2 * HT_KEYID_SIZE + 1], from[HT_TIME_SIZE], until[HT_TIME_SIZE];

	for (unsigned i = 0; i < n_new; i++) {
		const struct ht_keyinfo *was = NULL;

		for (unsigned k = 0; k < n_old; k++)
			if (ht_keyid_eq(&old[k].id, &new[i].id))
				was = &old[k];
		ht_hex(id, new[i].id.at, sizeof(new[i].id.at));
		ht_time_text(from, new[i].from_ms * 1000);
		ht_time_text(until, new[i].until_ms * 1000);
		if (was == NULL)
			say(c, "%s has a new %s key %s, from %s until %s",
			    whose, what, id, from, until);
		else if (new[i].revoked && !was->revoked)
			say(c, "the %s key %s of %s is REVOKED", what, id,
			    whose);
		else if (new[i].from_ms != was->from_ms ||
		         new[i].until_ms != was->until_ms ||
		         new[i].revoked != was->revoked)
			say(c, "the %s key %s of %s is valid from %s until %s",
			    what, id, whose, from, until);
	}
	for (unsigned k = 0; k < n_old; k++) {
		bool there = false;

		for (unsigned i = 0; i < n_new; i++)
			there = there || ht_keyid_eq(&old[k].id, &new[i].id);
		ht_hex(id, old[k].id.at, sizeof(old[k].id.at));
		if (!there)
			say(c, "the %s key %s of %s is taken out", what, id,
			    whose);
	}
}

static void
member_sealing(struct change *c)
{
	const struct ht_member *o = c->old->member, *n = c->new->member;

	say_keys(c, "sealing", n->name, o->sealing, o->n_sealing, n->sealing,
	    n->n_sealing);
}

static void
member_nodes(struct change *c)
{
	static const struct ht_node_entry none;
	const struct ht_member *o = c->old->member, *n = c->new->member;

	for (unsigned i = 0; i < n->n_nodes; i++) {
		const struct ht_node_entry *is = &n->nodes[i];
		const struct ht_node_entry *was =
		    ht_member_node(o, ht_slice_str(is->name));
		char whose[HT_NAME_MAX + HT_NODE_MAX + 2];

		(void)snprintf(
		    whose, sizeof(whose), "%s/%s", n->name, is->name);
		if (was == NULL) {
			say(c, "%s has a new node, %s", n->name, is->name);
			was = &none;
		}
		say_keys(c, "signing", whose, was->signing, was->n_signing,
		    is->signing, is->n_signing);
		say_keys(c, "transport", whose, was->transport,
		    was->n_transport, is->transport, is->n_transport);
	}
	for (unsigned i = 0; i < o->n_nodes; i++)
		if (ht_member_node(n, ht_slice_str(o->nodes[i].name)) == NULL)
			say(c, "%s has no node %s any more", n->name,
			    o->nodes[i].name);
}

static void
say_vkeys(struct change *c, const char *what, const struct ht_vkey *old,
    unsigned n_old, const struct ht_vkey *new, unsigned n_new)
{
	for (unsigned i = 0; i < n_new; i++) {
		const struct ht_vkey *was = NULL;

		for (unsigned k = 0; k < n_old; k++)
			if (strcmp(old[k].name, new[i].name) == 0)
				was = &old[k];
		if (was == NULL)
			say(c, "%s becomes %s", new[i].name, what);
		else if (memcmp(&was->pub, &new[i].pub, sizeof(was->pub)) != 0)
			say(c, "%s, %s, has another key", new[i].name, what);
	}
	for (unsigned k = 0; k < n_old; k++) {
		bool there = false;

		for (unsigned i = 0; i < n_new; i++)
			there = there || strcmp(old[k].name, new[i].name) == 0;
		if (!there)
			say(c, "%s is no longer %s", old[k].name, what);
	}
}

static void
member_officers(struct change *c)
{
	const struct ht_member *o = c->old->member, *n = c->new->member;

	say_vkeys(c, "an officer of the member", o->officers, o->n_officers,
	    n->officers, n->n_officers);
}

/* ---- roots ---- */

static void
root_threshold(struct change *c)
{
	say(c, "%u officers must sign from now on, and %u did",
	    c->new->root->threshold, c->old->root->threshold);
}

static void
root_officers(struct change *c)
{
	const struct ht_root *o = c->old->root, *n = c->new->root;

	say_vkeys(c, "an officer of the authority", o->officers, o->n_officers,
	    n->officers, n->n_officers);
}

static void
root_auditors(struct change *c)
{
	const struct ht_root *o = c->old->root, *n = c->new->root;

	say_vkeys(c, "an auditor", o->auditors, o->n_auditors, n->auditors,
	    n->n_auditors);
}

static void
root_witnesses(struct change *c)
{
	const struct ht_root *o = c->old->root, *n = c->new->root;

	say_vkeys(c, "a witness", o->witnesses, o->n_witnesses, n->witnesses,
	    n->n_witnesses);
}

/* ---- sections ---- */

/* Words for a top-level key; @lines: they do not say all. */
static const struct section {
	enum ht_doc_kind kind;
	const char *key;
	void (*words)(struct change *c);
	bool lines;
} sections[] = {
    {HT_DOC_GRANT,  "fields",     grant_fields,     false},
    {HT_DOC_GRANT,  "purposes",   grant_purposes,   false},
    {HT_DOC_GRANT,  "operations", grant_operations, false},
    {HT_DOC_GRANT,  "state",      grant_state,      false},
    {HT_DOC_GRANT,  "until",      grant_until,      false},
    {HT_DOC_GRANT,  "rows",       grant_rows,       true },
    {HT_DOC_GRANT,  "quota",      grant_quota,      false},
    {HT_DOC_GRANT,  "consumer",   grant_consumer,   false},
    {HT_DOC_ITEM,   "record",     item_record,      true },
    {HT_DOC_MEMBER, "identity",   member_identity,  true },
    {HT_DOC_MEMBER, "recovered",  member_recovered, true },
    {HT_DOC_MEMBER, "sealing",    member_sealing,   false},
    {HT_DOC_MEMBER, "nodes",      member_nodes,     false},
    {HT_DOC_MEMBER, "officers",   member_officers,  false},
    {HT_DOC_ROOT,   "threshold",  root_threshold,   false},
    {HT_DOC_ROOT,   "officers",   root_officers,    false},
    {HT_DOC_ROOT,   "auditors",   root_auditors,    false},
    {HT_DOC_ROOT,   "witnesses",  root_witnesses,   false},
};

static const struct section *
section_of(enum ht_doc_kind kind, struct ht_slice key)
{
	for (size_t i = 0; i < HT_COUNT(sections); i++)
		if (sections[i].kind == kind &&
		    ht_slice_is(key, sections[i].key))
			return &sections[i];
	return NULL;
}

/* A line that begins a top-level key: "fields: ..." */
static bool
begins(struct ht_slice line, struct ht_slice *ret_key)
{
	const uint8_t *colon;

	if (line.len == 0 || strchr(" \t#-", line.at[0]) != NULL)
		return false;
	colon = memchr(line.at, ':', line.len);
	if (colon == NULL)
		return false;
	*ret_key = HT_SLICE(line.at, (size_t)(colon - line.at));
	return true;
}

/* The lines of a key, from its own on; @rest goes behind them. */
static bool
next_section(
    struct ht_slice *rest, struct ht_slice *ret_key, struct ht_slice *ret)
{
	struct ht_slice line, key, before = *rest;

	if (!ht_text_line(rest, &line))
		return false;
	if (!begins(line, ret_key))
		*ret_key = HT_SLICE(line.at, 0); /* a comment at the top */
	for (;;) {
		struct ht_slice at = *rest;

		if (!ht_text_line(rest, &line) || begins(line, &key)) {
			*rest = at;
			break;
		}
	}
	*ret = HT_SLICE(before.at, (size_t)(rest->at - before.at));
	return true;
}

static struct ht_slice
find_section(struct ht_slice text, struct ht_slice key)
{
	struct ht_slice at, found;

	while (next_section(&text, &at, &found))
		if (ht_slice_eq(at, key))
			return found;
	return HT_SLICE(NULL, 0);
}

/* ---- changed lines ---- */

struct lines {
	size_t n;
	struct ht_slice *at;
};

static struct lines
lines_of(struct ht_slice text)
{
	struct lines lines = {0, calloc(text.len + 1, sizeof(*lines.at))};
	struct ht_slice line;

	while (lines.at != NULL && ht_text_line(&text, &line))
		lines.at[lines.n++] = line;
	return lines;
}

/* Longest common subsequence, by a table: sections have some dozen lines. */
static void
show_lines(const struct ht_diff *d, struct ht_slice old, struct ht_slice new)
{
	struct lines a = lines_of(old), b = lines_of(new);
	size_t i = 0, j = 0, wide = b.n + 1;
	bool small = a.n <= LINES_MAX && b.n <= LINES_MAX;
	HT_AUTO(ht_mem_free)
	uint16_t *common =
	    small ? calloc((a.n + 1) * wide, sizeof(*common)) : NULL;

	for (size_t x = a.n; common != NULL && x-- > 0;)
		for (size_t y = b.n; y-- > 0;) {
			uint16_t down = common[(x + 1) * wide + y];
			uint16_t right = common[x * wide + y + 1];

			common[x * wide + y] =
			    ht_slice_eq(a.at[x], b.at[y])
			        ? (uint16_t)(common[(x + 1) * wide + y + 1] + 1)
			    : down > right ? down
			                   : right;
		}
	while (a.at != NULL && b.at != NULL && (i < a.n || j < b.n)) {
		if (i < a.n && j < b.n && ht_slice_eq(a.at[i], b.at[j])) {
			i++, j++;
		} else if (j == b.n ||
		           (i < a.n && (common == NULL ||
		                           common[(i + 1) * wide + j] >=
		                               common[i * wide + j + 1]))) {
			d->line(d->arg, '-', a.at[i++]);
		} else {
			d->line(d->arg, '+', b.at[j++]);
		}
	}
	free(a.at);
	free(b.at);
}

/* ---- a document ---- */

static void
section_changed(struct change *c, struct ht_slice key, struct ht_slice old,
    struct ht_slice new)
{
	const struct section *s = section_of(c->new->kind, key);
	unsigned before = c->n;

	if (s != NULL)
		s->words(c);
	/* Where there are no words: it may be spelt otherwise, or be a rule. */
	if (c->n == before)
		say(c, "'%.*s' %s", (int)key.len, (const char *)key.at,
		    old.len == 0   ? "is new:"
		    : new.len == 0 ? "is gone:"
		                   : "changes:");
	else if (s != NULL && !s->lines)
		return;
	show_lines(c->d, old, new);
}

static void
compare(struct change *c)
{
	struct ht_slice rest = c->new->text, key, is, was;

	while (next_section(&rest, &key, &is)) {
		was = find_section(c->old->text, key);
		if (!ht_slice_is(key, "revision") && !ht_slice_eq(is, was))
			section_changed(c, key, was, is);
	}
	rest = c->old->text;
	while (next_section(&rest, &key, &was))
		if (find_section(c->new->text, key).len == 0)
			section_changed(c, key, was, HT_SLICE(was.at, 0));
}

static void
name_grant(struct change *c, const struct ht_doc *doc)
{
	const struct ht_grant *g = &doc->grant->grant;
	char item[HT_DOC_NAME_MAX + 1];

	(void)snprintf(item, sizeof(item), "%s@%u", g->item, g->version);
	title(c->d, HT_DOC_MEMBER, g->consumer, g->consumer, c->who,
	    sizeof(c->who));
	title(c->d, HT_DOC_ITEM, item, g->item, c->what, sizeof(c->what));
}

static void
say_new_grant(struct change *c)
{
	const struct ht_grant_doc *g = c->new->grant;
	struct words purposes = purposes_of(&g->grant);
	struct words operations = operations_of(&g->grant);
	const struct words fields = {
	    g->n_fields, (const char **)(void *)g->fields};
	const struct words none = {0, NULL};
	HT_AUTO(ht_buf_fini) struct ht_buf a = HT_BUF(SAY_MAX / 4);
	HT_AUTO(ht_buf_fini) struct ht_buf b = HT_BUF(SAY_MAX / 4);
	HT_AUTO(ht_buf_fini) struct ht_buf f = HT_BUF(SAY_MAX / 4);
	char until[HT_TIME_SIZE];

	(void)beyond(&operations, &none, &a);
	(void)beyond(&purposes, &none, &b);
	(void)beyond(&fields, &none, &f);
	ht_time_text(until, g->grant.until_ms * 1000);
	say(c, "%s may now %s %s of %s for %s, until %s%s", c->who,
	    ht_buf_text(&a),
	    g->grant.all_fields ? "ALL fields" : ht_buf_text(&f), c->what,
	    ht_buf_text(&b), until,
	    g->grant.row_field == NULL ? ", all rows" : "");
	free(purposes.at);
	free(operations.at);
}

static void
say_whole(struct change *c, const struct ht_doc *doc, bool gone)
{
	if (doc->kind == HT_DOC_GRANT && gone)
		say(c, "%s loses the grant for %s: it is taken out", c->who,
		    c->what);
	else if (doc->kind == HT_DOC_GRANT)
		say_new_grant(c);
	else
		say(c, "the %s %s is %s", ht_doc_kind_text(doc->kind),
		    doc->name, gone ? "taken out" : "new: read all of it");
}

void
ht_diff_doc(const struct ht_diff *diff, const struct ht_doc *old,
    const struct ht_doc *new)
{
	const struct ht_doc *any = new != NULL ? new : old;
	struct change c = {.d = diff, .old = old, .new = new};

	if (old != NULL && new != NULL && ht_slice_eq(old->text, new->text))
		return;
	if (any->kind == HT_DOC_GRANT)
		name_grant(&c, any);
	if (old == NULL || new == NULL) {
		say_whole(&c, any, new == NULL);
		return;
	}
	if (new->revision <= old->revision)
		say(&c,
		    "its revision is %llu, and must be higher than %llu: "
		    "nobody "
		    "will take it",
		    (unsigned long long)new->revision,
		    (unsigned long long)old->revision);
	compare(&c);
}
