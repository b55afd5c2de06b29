/*
 * doc_application.c -- an application for a grant, and what is answered
 * (docs/applications.md).
 */
#include <stdio.h>
#include <string.h>

#include "lib/conf/conf.h"
#include "schemas/doc.h"

/* "tax.demo/state.2026-7": below its applicant, and one way to take it apart */
static void
check_name(struct ht_yaml *at, const char *name, const char *applicant)
{
	size_t len = strlen(applicant);

	if (strncmp(name, applicant, len) != 0 || name[len] != '.' ||
	    name[len + 1] == '\0' || strchr(name + len + 1, '.') != NULL)
		ht_yaml_complain(at,
		    "an application is named by its applicant, a dot and a "
		    "number without dots: %s.2026-1",
		    applicant[0] != '\0' ? applicant : "tax.demo/state");
}

/* The name and revision of the application that this is, or is about. */
static struct ht_yaml *
read_subject(struct ht_read *r)
{
	struct ht_yaml *at = ht_yaml_need(r->top, "application");
	char name[HT_NAME_MAX + 1] = "";

	ht_read_name(at, name);
	(void)snprintf(r->doc->name, sizeof(r->doc->name), "%s", name);
	ht_yaml_as_u64(ht_yaml_need(r->top, "revision"), 1, HT_REVISION_MAX,
	    &r->doc->revision);
	return at;
}

static const char *
read_words(struct ht_read *r, struct ht_yaml *at)
{
	const char *text;

	if (!ht_yaml_as_str(at, HT_APPLICATION_TEXT, &text))
		return NULL;
	return ht_read_dup(r, text);
}

static const char *
read_text(struct ht_read *r, const char *key)
{
	return read_words(r, ht_yaml_need(r->top, key));
}

void
ht_read_application(struct ht_read *r)
{
	struct ht_application_doc *doc = r->doc->application;
	struct ht_yaml *at = read_subject(r);

	ht_read_asks(r, "applicant", &doc->asks);
	if (r->doc->name[0] != '\0' && doc->asks.grant.consumer[0] != '\0')
		check_name(at, r->doc->name, doc->asks.grant.consumer);
	if (strcmp(doc->asks.grant.consumer, doc->asks.grant.provider) == 0 &&
	    doc->asks.grant.provider[0] != '\0')
		ht_yaml_complain(at, "nobody applies to itself");
	doc->scene = read_text(r, "scene");
	doc->scope = read_text(r, "scope");
	doc->withdrawn = read_words(r, ht_yaml_get(r->top, "withdrawn"));
}

/* What both an answer and an extension begin with. */
static void
read_answered(struct ht_read *r)
{
	struct ht_answer_doc *doc = r->doc->answer;

	(void)read_subject(r);
	ht_read_hash(ht_yaml_need(r->top, "hash"), &doc->to);
	ht_read_name(ht_yaml_need(r->top, "provider"), doc->provider);
}

static void
read_points(struct ht_read *r, const char *key)
{
	r->doc->answer->points = ht_read_texts(r, ht_yaml_need(r->top, key),
	    HT_ANSWER_POINTS, HT_APPLICATION_TEXT, &r->doc->answer->n_points);
}

static void
read_grant_name(struct ht_read *r)
{
	struct ht_answer_doc *doc = r->doc->answer;
	struct ht_yaml *at = ht_yaml_need(r->top, "grant");
	const char *name;

	if (!ht_yaml_as_name(at, &name))
		return;
	if (strlen(name) > HT_GRANT_MAX)
		ht_yaml_complain(
		    at, "%d bytes at most, like gx.demo/17", HT_GRANT_MAX);
	else
		(void)snprintf(doc->grant, sizeof(doc->grant), "%s", name);
}

void
ht_read_answer(struct ht_read *r)
{
	static const struct ht_word words[] = {
	    {"accept",  HT_SAYS_ACCEPT },
	    {"return",  HT_SAYS_RETURN },
	    {"approve", HT_SAYS_APPROVE},
	    {"refuse",  HT_SAYS_REFUSE },
	    {NULL,      0              },
	};
	int says = HT_SAYS_ACCEPT;

	read_answered(r);
	ht_yaml_as_word(ht_yaml_need(r->top, "answer"), words, &says);
	r->doc->answer->says = (enum ht_answer_word)says;
	if (says == HT_SAYS_RETURN)
		read_points(r, "missing");
	if (says == HT_SAYS_REFUSE)
		read_points(r, "reasons");
	if (says == HT_SAYS_APPROVE)
		read_grant_name(r);
}

void
ht_read_extension(struct ht_read *r)
{
	read_answered(r);
	ht_yaml_as_u64(ht_yaml_need(r->top, "days"), 1, HT_EXTENSION_DAYS,
	    &r->doc->answer->days);
	r->doc->answer->reason = read_text(r, "reason");
}
