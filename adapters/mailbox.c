#include "adapters/mailbox.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/conf_node.h"
#include "schemas/status.h"

#define PATH_MAX_BYTES 4096
/* Of one answer: 20 notes of 32 KiB fit its mebibyte, and the item says so. */
#define NOTES_MAX 20

/* ---- configuration ---- */

static void
read_readers(struct ht_yaml *list, struct ht_mailbox *box)
{
	size_t n = ht_yaml_count(ht_yaml_as_list(list));
	const char *name;

	if (n > HT_READERS_MAX) {
		ht_yaml_complain(list, "at most %d readers", HT_READERS_MAX);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (ht_yaml_as_name(ht_yaml_at(list, i), &name))
			(void)snprintf(box->readers[box->n_readers++],
			    sizeof(box->readers[0]), "%s", name);
}

static enum ht_err
read_calendar(struct ht_yaml *at, const char *dir, struct ht_report *report,
    struct ht_mailbox *box)
{
	HT_AUTO(ht_mem_free) char *path = NULL;
	const char *text;
	enum ht_err err;

	if (!ht_yaml_as_str(at, PATH_MAX_BYTES, &text))
		return HT_OK;
	path = ht_conf_beside(dir, text);
	if (path == NULL)
		return HT_ENOMEM;
	err = ht_calendar_load(path, report, &box->calendar);
	if (err != HT_OK && err != HT_ENOMEM)
		ht_yaml_complain(at, "this calendar cannot be used");
	return err == HT_ENOMEM ? err : HT_OK;
}

enum ht_err
ht_mailbox_read(struct ht_yaml *map, const char *dir, struct ht_report *report,
    struct ht_mailbox *ret)
{
	const char *item = NULL, *folder = NULL;

	if (ht_yaml_as_map(map) == NULL)
		return HT_OK;
	if (ht_yaml_as_name(ht_yaml_need(map, "item"), &item)) {
		ret->item = strdup(item);
		if (ret->item == NULL)
			return HT_ENOMEM;
	}
	if (ht_yaml_as_str(
	        ht_yaml_need(map, "folder"), PATH_MAX_BYTES, &folder)) {
		ret->folder = ht_conf_beside(dir, folder);
		if (ret->folder == NULL)
			return HT_ENOMEM;
	}
	read_readers(ht_yaml_get(map, "readers"), ret);
	return read_calendar(ht_yaml_need(map, "calendar"), dir, report, ret);
}

enum ht_err
ht_mailbox_open(struct ht_mailbox *box, struct ht_report *report)
{
	return ht_casebook_open(box->folder, report, &box->book);
}

void
ht_mailbox_fini(struct ht_mailbox *box)
{
	ht_casebook_free(&box->book);
	ht_calendar_free(&box->calendar);
	free(box->item);
	free(box->folder);
	memset(box, 0, sizeof(*box));
}

/* ---- handing a note in ---- */

struct handing {
	struct ht_mailbox *box;
	const struct ht_trust *trust;
	struct ht_slice from;
	uint64_t now_ms;
	struct ht_report *report;
	struct ht_reasons *reasons;
};

static void
refuse(struct handing *h)
{
	unsigned n = ht_report_count(h->report);

	for (unsigned i = 0; i < n && i < HT_FINDINGS_MAX; i++)
		ht_reasons_add(h->reasons, HT_ST_REQUEST_INVALID, "%s: %s",
		    ht_report_where(h->report, i),
		    ht_report_text(h->report, i));
	if (n == 0)
		ht_reasons_add(h->reasons, HT_ST_SOURCE_DOWN,
		    "the note could not be kept; hand it in again later");
}

/* Who must have sent and signed it: its applicant, or the provider. */
static const char *
sender_of(const struct ht_doc *doc)
{
	return doc->kind == HT_DOC_APPLICATION
	           ? doc->application->asks.grant.consumer
	           : doc->answer->provider;
}

static enum ht_err
check_sender(struct handing *h, const struct ht_doc *doc)
{
	const char *sender = sender_of(doc);
	const struct ht_member *member;

	if (!ht_slice_is(h->from, sender)) {
		ht_report_add(h->report, doc->where,
		    "%s must hand it in itself, and it came from %.*s", sender,
		    (int)h->from.len, (const char *)h->from.at);
		return HT_EINVALID;
	}
	member = ht_trust_member(h->trust, h->from);
	if (member == NULL)
		return HT_EINVALID; /* it asked, so it is there */
	return ht_doc_check_signed(
	    doc, ht_trust_root(h->trust), member, h->report);
}

/* The item's share class, as far as the catalog still has it. */
static enum ht_share
share_of(const struct handing *h, const struct ht_doc *doc)
{
	const struct ht_case_file *file =
	    ht_casebook_file(h->box->book, doc->name);
	const struct ht_doc *application = doc->kind == HT_DOC_APPLICATION ? doc
	                                   : file != NULL
	                                       ? file->now.application
	                                       : NULL;
	const struct ht_grant *asks =
	    application != NULL ? &application->application->asks.grant : NULL;
	const struct ht_item *item =
	    asks != NULL ? ht_trust_item(h->trust, ht_slice_str(asks->item),
	                       asks->version)
	                 : NULL;

	return item != NULL ? item->share : HT_SHARE_CONDITIONAL;
}

static enum ht_err
read_handed(struct handing *h, struct ht_slice note, struct ht_doc **ret)
{
	enum ht_err err = ht_doc_parse(note, "note", h->report, ret);

	if (err != HT_OK || ht_doc_is_application(*ret))
		return err;
	ht_report_add(h->report, "note",
	    "an application, an answer or an extension is expected, not a %s",
	    ht_doc_kind_text((*ret)->kind));
	return HT_EINVALID;
}

static const struct ht_case_note *
hand_in(struct handing *h, struct ht_slice note)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	char receipt[HT_RECEIPT_SIZE];
	const struct ht_case_note *before;
	enum ht_err err = read_handed(h, note, &doc);

	if (err == HT_OK)
		err = check_sender(h, doc);
	if (err != HT_OK)
		return NULL;
	before = ht_casebook_note(h->box->book, doc);
	if (before != NULL)
		return before; /* again: the receipt that it has */
	/* The item may have changed since; what is withdrawn goes all the same.
	 */
	if (ht_case_event_of(doc) == HT_CASE_SUBMIT &&
	    ht_application_check(doc, h->trust, h->report) != HT_OK)
		return NULL;
	ht_casebook_receipt(h->box->book, doc, h->now_ms, receipt);
	if (ht_casebook_take(h->box->book, doc, receipt, share_of(h, doc),
	        h->box->calendar, h->report) != HT_OK)
		return NULL;
	return ht_casebook_note(h->box->book, doc);
}

/* ---- records ---- */

static enum ht_err
add_record(json_t *records, const struct ht_case_note *note)
{
	json_t *record = json_pack("{ss ss ss ss%}", "receipt", note->receipt,
	    "application", note->doc->name, "kind",
	    ht_doc_kind_text(note->doc->kind), "note",
	    (const char *)note->doc->bytes.at, note->doc->bytes.len);

	return json_array_append_new(records, record) == 0 ? HT_OK : HT_ENOMEM;
}

static bool
may_see(const struct ht_mailbox *box, struct ht_slice who,
    const struct ht_case_file *file)
{
	for (unsigned i = 0; i < box->n_readers; i++)
		if (ht_slice_is(who, box->readers[i]))
			return true;
	return ht_slice_is(who, file->applicant) ||
	       ht_slice_is(who, file->provider);
}

static enum ht_err
fetch(const struct ht_mailbox *box, struct ht_slice who, const char *after,
    json_t *records, bool *ret_more)
{
	const struct ht_casebook *book = box->book;
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < book->n_notes && err == HT_OK; i++) {
		const struct ht_case_note *note = &book->notes[i];

		if (strcmp(note->receipt, after) <= 0 ||
		    !may_see(box, who, &book->files[note->file]))
			continue;
		if (json_array_size(records) == NOTES_MAX) {
			*ret_more = true;
			break;
		}
		err = add_record(records, note);
	}
	return err;
}

void
ht_mailbox_serve(struct ht_mailbox *box, const struct ht_trust *trust,
    struct ht_slice consumer, const json_t *params, uint64_t now_ms,
    json_t **ret_records, bool *ret_more, struct ht_reasons *reasons)
{
	HT_AUTO(ht_json_free) json_t *records = json_array();
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct handing h = {box, trust, consumer, now_ms, report, reasons};
	const json_t *note = json_object_get(params, "note");
	const char *after = json_string_value(json_object_get(params, "after"));
	const struct ht_case_note *kept;
	enum ht_err err;

	if (records == NULL || report == NULL) {
		refuse(&h);
		return;
	}
	if (note == NULL) {
		err = fetch(box, consumer, after != NULL ? after : "", records,
		    ret_more);
	} else {
		kept = hand_in(&h, HT_SLICE(json_string_value(note),
		                       json_string_length(note)));
		err = kept != NULL ? add_record(records, kept) : HT_EINVALID;
	}
	if (err == HT_OK)
		*ret_records = HT_TAKE(records);
	else
		refuse(&h);
}
