/*
 * mailbox.h -- the authority's node, through which applications and answers
 * travel (docs/applications.md, "How the exchange carries them").
 */
#ifndef HT_ADAPTERS_MAILBOX_H
#define HT_ADAPTERS_MAILBOX_H

#include "adapters/casebook.h"
#include "adapters/hutong.h"
#include "lib/conf/conf.h"

#define HT_READERS_MAX 16

struct ht_mailbox {
	char *item; /* "catalog/GXSQ" */
	char *folder;
	struct ht_calendar *calendar;
	unsigned n_readers;
	char readers[HT_READERS_MAX][HT_NAME_MAX + 1]; /* they see all */
	struct ht_casebook *book;                      /* NULL: not opened */
};

/* Read `applications`; findings go to its document's report.  HT_ENOMEM. */
enum ht_err ht_mailbox_read(struct ht_yaml *map, const char *dir,
    struct ht_report *report, struct ht_mailbox *ret) HT_MUST_USE;
/* Read the folder.  Errors: of ht_casebook_open(). */
enum ht_err ht_mailbox_open(
    struct ht_mailbox *mailbox, struct ht_report *report) HT_MUST_USE;
void ht_mailbox_fini(struct ht_mailbox *mailbox);

/*
 * Answer one request: *ret_records is a new array, or NULL with @reasons.
 * @consumer: who asks, as the record's header says and CURVE has proven.
 */
void ht_mailbox_serve(struct ht_mailbox *mailbox, const struct ht_trust *trust,
    struct ht_slice consumer, const json_t *params, uint64_t now_ms,
    json_t **ret_records, bool *ret_more, struct ht_reasons *reasons);

#endif
