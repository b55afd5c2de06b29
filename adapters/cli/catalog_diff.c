/*
 * catalog_diff.c -- hutong catalog diff: what one signs, in words.
 */
#include <stdio.h>
#include <stdlib.h>

#include "adapters/cli/catalog.h"
#include "lib/base/text.h"
#include "schemas/diff.h"

struct showing {
	const struct ht_docs *titles;
	const struct ht_doc *doc; /* of which is spoken */
	const struct ht_doc *said;
	size_t n;
	bool parts; /* new documents alone, which do not say what goes */
};

/* Texts of documents are people's: none of them may play with a terminal. */
static void
print(const char *before, struct ht_slice text)
{
	HT_AUTO(ht_buf_fini) struct ht_buf safe = HT_BUF(1 << 20);

	ht_text_safe(&safe, text);
	printf("%s%s\n", before, ht_buf_text(&safe));
}

static void
say(void *arg, const char *sentence)
{
	struct showing *s = arg;

	if (s->said != s->doc)
		printf("%s %s, revision %llu\n", ht_doc_kind_text(s->doc->kind),
		    s->doc->name, (unsigned long long)s->doc->revision);
	s->said = s->doc;
	s->n++;
	print("  ", ht_slice_str(sentence));
}

static void
line(void *arg, char sign, struct ht_slice text)
{
	const char before[] = {' ', ' ', ' ', ' ', sign, ' ', '\0'};

	(void)arg;
	print(before, text);
}

static const struct ht_doc *
find(void *arg, enum ht_doc_kind kind, const char *name)
{
	struct showing *s = arg;

	return ht_docs_find(s->titles, kind, name);
}

static void
compare(const struct ht_docs *old, const struct ht_docs *new, struct showing *s)
{
	const struct ht_diff diff = {say, line, find, s};

	for (size_t i = 0; i < new->n; i++) {
		s->doc = new->at[i];
		ht_diff_doc(&diff,
		    ht_docs_find(old, s->doc->kind, s->doc->name), s->doc);
	}
	for (size_t i = 0; !s->parts && i < old->n; i++) {
		s->doc = old->at[i];
		if (ht_docs_find(new, s->doc->kind, s->doc->name) == NULL)
			ht_diff_doc(&diff, s->doc, NULL);
	}
}

/* Folders, of the authority or of drafts, or one document. */
static int
read_any(const char *path, struct ht_docs *ret, enum ht_docs_from *ret_from)
{
	int rc = ht_cli_docs_at(path, ret, ret_from);

	ht_docs_sort(ret);
	return rc;
}

static int
diff(int argc, char **argv)
{
	HT_AUTO(ht_docs_fini) struct ht_docs old = {0, NULL};
	HT_AUTO(ht_docs_fini) struct ht_docs new = {0, NULL};
	HT_AUTO(ht_docs_fini) struct ht_docs dir = {0, NULL};
	struct showing showing = {.titles = &new};
	const char *titles = NULL;
	const struct ht_opt opts[] = {
	    HT_OPT_MAY("titles", "DIR", titles,
	        "the folder that knows members and items by their titles"),
	};
	const struct ht_usage_of takes = {
	    "hutong catalog diff OLD NEW [--titles DIR]", opts, HT_COUNT(opts),
	    2, 2};
	enum ht_docs_from was = HT_DOCS_FILE, is = HT_DOCS_FILE;
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = read_any(args.at[0], &old, &was);
	if (rc == HT_CLI_GO)
		rc = read_any(args.at[1], &new, &is);
	if (rc == HT_CLI_GO && titles != NULL) {
		rc = ht_cli_docs(titles, &dir);
		showing.titles = &dir;
	}
	if (rc != HT_CLI_GO)
		return rc;
	/* Drafts do not say what goes. */
	showing.parts = was == HT_DOCS_AUTHORITY && is != HT_DOCS_AUTHORITY;
	compare(&old, &new, &showing);
	if (showing.n == 0)
		printf("nothing changes\n");
	return HT_EXIT_OK;
}

const struct ht_verb ht_catalog_diff = {
    .name = "diff",
    .synopsis = "OLD NEW [--titles DIR]",
    .help = "what a draft, or a folder, changes, in words",
    .run = diff,
};
