/*
 * doc_place.c -- the line of what a document says, for findings made long after
 * it was read.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf/edit.h"
#include "schemas/doc.h"

#define WORDS_MAX 128 /* a few keys of ours */

/* One word of the path further; NULL if there is nothing. */
static struct ht_yaml *
step(struct ht_yaml *at, const char *word)
{
	size_t i;

	if (ht_yaml_type(at) == HT_YAML_MAP)
		return ht_yaml_child(at, word);
	if (ht_yaml_type(at) != HT_YAML_LIST)
		return NULL;
	i = strtoul(word, NULL, 10);
	return i < ht_yaml_count(at) ? ht_yaml_at(at, i) : NULL;
}

/* The deepest there is. */
static struct ht_yaml *
follow(struct ht_yaml *at, char *path)
{
	char *rest = NULL;

	for (char *word = strtok_r(path, "/", &rest); word != NULL;
	     word = strtok_r(NULL, "/", &rest)) {
		struct ht_yaml *next = step(at, word);

		if (next == NULL)
			break;
		at = next;
	}
	return at;
}

void
ht_doc_place(const struct ht_doc *doc, const struct ht_report *report,
    char out[static HT_WHERE_SIZE], const char *path, ...)
{
	HT_AUTO(ht_conf_free) struct ht_conf *conf = NULL;
	char words[WORDS_MAX];
	va_list ap;

	(void)snprintf(out, HT_WHERE_SIZE, "%s", doc->where);
	/* Without a report there is nobody to tell. */
	if (report == NULL || ht_report_count(report) >= HT_FINDINGS_MAX)
		return;
	va_start(ap, path);
	(void)vsnprintf(words, sizeof(words), path, ap);
	va_end(ap);
	if (ht_conf_parse(doc->text, doc->where, NULL, &conf) == HT_OK)
		ht_yaml_where(follow(ht_conf_root(conf), words), out);
}
