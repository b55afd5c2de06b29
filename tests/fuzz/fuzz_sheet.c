/*
 * A spreadsheet may hold anything.  What is refused has a finding; what is
 * drafted reads as an item, and its own sheet drafts the same again.
 */
#include "lib/base/panic.h"
#include "schemas/sheet.h"
#include "tests/fuzz/fuzz.h"

static void
check_draft(const struct ht_buf *draft)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf csv = HT_BUF(HT_CSV_BYTES);
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	HT_AUTO(ht_sheet_free) struct ht_sheet *sheet = NULL;
	const struct ht_sheet_says to = {report, report, report};
	struct ht_sheet_next next;

	HT_ASSERT(
	    ht_doc_parse(ht_buf_slice(draft), "d", report, &doc) == HT_OK);
	HT_ASSERT(ht_sheet_write(&doc, 1, &csv) == HT_OK);
	HT_ASSERT(
	    ht_sheet_read(ht_buf_slice(&csv), "s", report, &sheet) == HT_OK);
	HT_ASSERT(ht_sheet_draft(sheet, 0, report, &again) == HT_OK);
	ht_buf_reset(&again);
	HT_ASSERT(ht_sheet_revise(sheet, 0, &doc, 1, doc, &to, &next, &again) ==
	          HT_OK);
	HT_ASSERT(ht_report_count(report) == 0 && again.len == 0);
}

/* An item that is nothing like it becomes what the sheet says, or is told. */
static void
check_revision(const struct ht_sheet *sheet, size_t item)
{
	static const char text[] =
	    "hutong: item/v1\nitem: a/b\nversion: 1\nrevision: 1\n"
	    "title: {zh: t}\nprovider: a.demo/one\nshare: conditional\n"
	    "basis: [L]\npurposes: [p]\noperations: [query]\n"
	    "request: {type: object, properties: {dm: {type: string}}}\n"
	    "record:\n  type: object\n  required: [dm]\n  properties:\n"
	    "    dm: {x-level: 0, type: string, x-bytes: 18}\n"
	    "    je: {x-level: 1, type: string}\n";
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_doc_unref) struct ht_doc *with = NULL, *doc = NULL;
	HT_AUTO(ht_report_free) struct ht_report *why = ht_report_new();
	const struct ht_sheet_says to = {.report = report, .why = why};
	struct ht_sheet_next next;
	enum ht_err err;

	HT_ASSERT(
	    ht_doc_parse(ht_slice_str(text), "w", report, &with) == HT_OK);
	err = ht_sheet_revise(sheet, item, &with, 1, with, &to, &next, &out);
	if (err != HT_OK) {
		HT_ASSERT(ht_report_count(report) > 0);
		return;
	}
	HT_ASSERT(ht_report_count(report) == 0);
	if (out.len > 0)
		HT_ASSERT(ht_doc_parse(ht_buf_slice(&out), "d", report, &doc) ==
		          HT_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(4u << 20);
	HT_AUTO(ht_sheet_free) struct ht_sheet *sheet = NULL;
	enum ht_err err =
	    ht_sheet_decode(HT_SLICE(in, in_len), "in", report, &text);

	if (err == HT_OK)
		err = ht_sheet_read(ht_buf_slice(&text), "in", report, &sheet);
	if (err != HT_OK) {
		HT_ASSERT(sheet == NULL && ht_report_count(report) > 0);
		return 0;
	}
	for (size_t i = 0; i < ht_sheet_items(sheet); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf draft = HT_BUF(HT_DOC_MAX);

		check_revision(sheet, i);
		if (ht_sheet_draft(sheet, i, report, &draft) == HT_OK)
			check_draft(&draft);
		else
			HT_ASSERT(ht_report_count(report) > 0);
	}
	return 0;
}
