/*
 * Two documents, with an empty line of three dashes between them, may hold
 * anything that a document may: the rules look at each, at both as a catalog,
 * and at the second as the next revision of the first.  A document compared
 * with itself breaks nothing.
 */
#include <string.h>

#include "lib/base/panic.h"
#include "schemas/rules.h"
#include "tests/fuzz/fuzz.h"

static void
check_self(const struct ht_doc *doc)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_rules to = {report, report};

	HT_ASSERT(ht_rules_revision(doc, doc, &to) == HT_OK);
	HT_ASSERT(ht_report_count(report) == 0);
}

static void
check(struct ht_doc *const *docs, size_t n)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_rules to = {report, report};

	for (size_t i = 0; i < n; i++) {
		if (docs[i]->kind != HT_DOC_ITEM)
			continue;
		HT_ASSERT(ht_rules_item(docs[i], &to) == HT_OK);
		check_self(docs[i]);
		if (docs[0]->kind == HT_DOC_ITEM)
			HT_ASSERT(
			    ht_rules_revision(docs[0], docs[i], &to) == HT_OK);
	}
	HT_ASSERT(ht_rules_catalog(docs, n, &to) == HT_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	static const char mark[] = "\n---\n";
	const uint8_t *cut = memmem(in, in_len, mark, sizeof(mark) - 1);
	size_t first = cut != NULL ? (size_t)(cut - in) + 1 : in_len;
	struct ht_slice parts[] = {HT_SLICE(in, first),
	    cut != NULL ? HT_SLICE(in + first + 4, in_len - first - 4)
	                : HT_SLICE(in, 0)};
	struct ht_doc *docs[2];
	size_t n = 0;

	for (size_t i = 0; i < HT_COUNT(parts); i++)
		if (ht_doc_parse(
		        parts[i], i == 0 ? "1" : "2", NULL, &docs[n]) == HT_OK)
			n++;
	check(docs, n);
	while (n > 0)
		ht_doc_unref(&docs[--n]);
	return 0;
}
