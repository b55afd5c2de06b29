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

	HT_ASSERT(
	    ht_doc_parse(ht_buf_slice(draft), "d", report, &doc) == HT_OK);
	HT_ASSERT(ht_sheet_write(&doc, 1, &csv) == HT_OK);
	HT_ASSERT(
	    ht_sheet_read(ht_buf_slice(&csv), "s", report, &sheet) == HT_OK);
	HT_ASSERT(ht_sheet_draft(sheet, 0, report, &again) == HT_OK);
	HT_ASSERT(ht_sheet_compare(sheet, 0, &doc, 1, doc, report) == HT_OK);
	HT_ASSERT(ht_report_count(report) == 0);
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

		if (ht_sheet_draft(sheet, i, report, &draft) == HT_OK)
			check_draft(&draft);
		else
			HT_ASSERT(ht_report_count(report) > 0);
	}
	return 0;
}
