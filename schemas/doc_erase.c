/*
 * doc_erase.c -- orders about entries of the audit log: to destroy what is
 * personal in it, to disclose looks before their time, and to remove a closed
 * volume (docs/trust.md, "erase", "disclose" and "remove").
 */
#include <stdio.h>
#include <string.h>

#include "lib/conf/conf.h"
#include "schemas/doc.h"

static void
read_log(struct ht_yaml *value, struct ht_erase_doc *doc)
{
	const char *name;

	if (ht_yaml_as_str(value, sizeof(doc->log) - 1, &name))
		(void)snprintf(doc->log, sizeof(doc->log), "%s", name);
}

/*
 * The basis stands in the log and on terminals: a line of text.  (A document
 * is UTF-8 already.)
 */
static void
read_basis(struct ht_read *r, struct ht_yaml *value)
{
	const char *text;

	if (!ht_yaml_as_str(value, HT_ERASE_BASIS, &text))
		return;
	if (strchr(text, '\n') != NULL)
		ht_yaml_complain(value, "one line is expected");
	r->doc->erase->basis = ht_read_dup(r, text);
}

static void
read_what(struct ht_yaml *value, struct ht_erase_doc *doc)
{
	static const struct ht_word words[] = {
	    {"tags",   false},
	    {"bodies", true },
	    {NULL,     0    },
	};
	int what;

	if (ht_yaml_as_word(value, words, &what))
		doc->bodies = what;
}

static void
read_entries(
    struct ht_read *r, struct ht_yaml *value, size_t most, const char *else_)
{
	struct ht_erase_doc *doc = r->doc->erase;
	struct ht_yaml *list = ht_yaml_as_list(value);
	size_t n = ht_yaml_count(list);

	if (list == NULL)
		return;
	if (n == 0 || n > most) {
		ht_yaml_complain(list,
		    "1 to %zu entries are expected; more by %s", most, else_);
		ht_yaml_take(list);
		return;
	}
	doc->entries = ht_read_alloc(r, n, sizeof(*doc->entries));
	if (doc->entries == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		struct ht_yaml *at = ht_yaml_at(list, i);

		if (!ht_yaml_as_u64(at, 0, INT64_MAX, &doc->entries[i]))
			return;
		if (i > 0 && doc->entries[i] <= doc->entries[i - 1])
			ht_yaml_complain(
			    at, "entries stand in increasing order, each once");
	}
	doc->n = n;
}

static void
read_over(struct ht_yaml *value, struct ht_erase_doc *doc)
{
	ht_read_ms(value, &doc->over_ms);
	if (doc->over_ms > doc->issued_ms)
		ht_yaml_complain(value,
		    "it must not be later than 'issued': terms that are not "
		    "over are nobody's to end");
}

static void
read_scope(struct ht_read *r)
{
	struct ht_erase_doc *doc = r->doc->erase;
	struct ht_yaml *entries = ht_yaml_get(r->top, "entries");
	struct ht_yaml *epoch = ht_yaml_get(r->top, "epoch");
	struct ht_yaml *before = ht_yaml_get(r->top, "before");
	struct ht_yaml *over = ht_yaml_get(r->top, "retention-over");

	if ((entries == NULL) ==
	    (epoch == NULL && before == NULL && over == NULL))
		ht_yaml_complain(r->top,
		    "either 'entries' is expected, or one or more of 'epoch', "
		    "'before' and 'retention-over'");
	read_entries(r, entries, HT_ERASE_ENTRIES, "epoch or before");
	ht_read_name(epoch, doc->epoch);
	ht_read_ms(before, &doc->before_ms);
	read_over(over, doc);
	if (epoch != NULL && doc->bodies)
		ht_yaml_complain(epoch, "bodies are of no epoch: say 'before'");
}

/* What every order says. */
static void
read_order(struct ht_read *r)
{
	struct ht_erase_doc *doc = r->doc->erase;
	struct ht_yaml *order = ht_yaml_need(r->top, "order");
	struct ht_yaml *until;
	char name[HT_NAME_MAX + 1] = "";

	ht_read_name(order, name);
	(void)snprintf(r->doc->name, sizeof(r->doc->name), "%s", name);
	read_log(ht_yaml_need(r->top, "log"), doc);
	read_basis(r, ht_yaml_need(r->top, "basis"));
	ht_read_ms(ht_yaml_need(r->top, "issued"), &doc->issued_ms);
	until = ht_yaml_need(r->top, "until");
	ht_read_ms(until, &doc->until_ms);
	if (doc->until_ms <= doc->issued_ms)
		ht_yaml_complain(until, "it must be later than 'issued'");
}

void
ht_read_erase(struct ht_read *r)
{
	read_order(r);
	read_what(ht_yaml_need(r->top, "what"), r->doc->erase);
	read_scope(r);
}

void
ht_read_disclose(struct ht_read *r)
{
	read_order(r);
	read_entries(r, ht_yaml_need(r->top, "entries"), HT_DISCLOSE_ENTRIES,
	    "several orders");
}

void
ht_read_remove(struct ht_read *r)
{
	struct ht_erase_doc *doc = r->doc->erase;
	struct ht_yaml *first, *last;

	read_order(r);
	first = ht_yaml_need(r->top, "first");
	last = ht_yaml_need(r->top, "last");
	(void)ht_yaml_as_u64(first, 0, INT64_MAX, &doc->first);
	if (ht_yaml_as_u64(last, 0, INT64_MAX, &doc->last) &&
	    doc->last < doc->first)
		ht_yaml_complain(last, "it must not be before 'first'");
	read_over(ht_yaml_need(r->top, "retention-over"), doc);
}
