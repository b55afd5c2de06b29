/*
 * order.c -- an order of the authority's officers about this log: whose word
 * it is, and whether it is about this log and this time.
 */
#include <stdio.h>
#include <string.h>

#include "broker/core_in.h"
#include "lib/base/clock.h"

/* Which of the officers signed, for the entry; as many as have room. */
static void
name_signers(const struct ht_doc *order, const struct ht_root *root,
    char by[static HT_ERASE_BY_MAX + 1])
{
	size_t len = 0;

	by[0] = '\0';
	for (unsigned i = 0; i < root->n_officers; i++) {
		const char *name = root->officers[i].name;

		if (!ht_doc_signed_by(order, &root->officers[i]) ||
		    len + strlen(name) + 2 > HT_ERASE_BY_MAX)
			continue;
		len += (size_t)snprintf(by + len, HT_ERASE_BY_MAX + 1 - len,
		    "%s%s", len > 0 ? ", " : "", name);
	}
}

static enum ht_err
check_words(const struct core *core, const struct ht_doc *doc,
    const struct ht_root *root, struct ht_report *report)
{
	const struct ht_erase_doc *order = doc->erase;
	uint64_t now_ms = ht_clock_wall_ms();
	unsigned before = ht_report_count(report);

	if (!ht_in_catalog(doc->name, root->catalog))
		ht_report_add(report, doc->where,
		    "'order' must be below the catalog: %s/...", root->catalog);
	if (strcmp(order->log, core->root.log.name) != 0)
		ht_report_add(report, doc->where,
		    "it is about the log %s; this is %s", order->log,
		    core->root.log.name);
	if (order->issued_ms > now_ms + HT_SKEW_MS)
		ht_report_add(report, doc->where, "'issued' is a time to come");
	if (order->until_ms <= now_ms)
		ht_report_add(report, doc->where,
		    "its time is over; have the officers sign a new one");
	return ht_report_count(report) == before ? HT_OK : HT_EINVALID;
}

static enum ht_err
check_kind(
    const struct ht_doc *doc, enum ht_doc_kind kind, struct ht_report *report)
{
	if (doc->kind == kind)
		return HT_OK;
	ht_report_add(report, doc->where,
	    "an order is expected (\"hutong: %s/v1\"), and this is a document "
	    "of kind %s",
	    ht_doc_kind_text(kind), ht_doc_kind_text(doc->kind));
	return HT_EINVALID;
}

enum ht_err
order_check(struct core *core, struct ht_slice note, enum ht_doc_kind kind,
    struct ht_report *report, struct ht_doc **ret,
    char by[static HT_ERASE_BY_MAX + 1])
{
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	struct ht_trust *trust = ht_box_get(&core->box, NULL);
	const struct ht_root *root = ht_trust_root(trust);
	enum ht_err err = ht_doc_parse(note, "order", report, &doc), words;

	if (err == HT_OK)
		err = check_kind(doc, kind, report);
	if (err == HT_OK) {
		err = ht_doc_check_signed(doc, root, NULL, report);
		words = check_words(core, doc, root, report);
		if (err == HT_OK)
			err = words;
	}
	if (err == HT_OK) {
		name_signers(doc, root, by);
		*ret = HT_TAKE(doc);
	}
	ht_trust_unref(&trust);
	return err;
}
