/*
 * application.h -- what becomes of an application for a grant: a table of
 * states and events, and the days by which somebody must act
 * (docs/applications.md, "The order of events").
 *
 * Pure: events come with the time at which they were received.
 */
#ifndef HT_SCHEMAS_APPLICATION_H
#define HT_SCHEMAS_APPLICATION_H

#include "schemas/calendar.h"
#include "schemas/doc.h"

enum ht_case_state {
	HT_CASE_NONE, /* nothing was received */
	HT_CASE_SUBMITTED,
	HT_CASE_ACCEPTED,
	HT_CASE_RETURNED,
	HT_CASE_APPROVED,
	HT_CASE_REFUSED,
	HT_CASE_WITHDRAWN, /* by the applicant, before it was decided */
	HT_CASE_STATES
};
const char *ht_case_state_text(enum ht_case_state state);

enum ht_case_event {
	HT_CASE_SUBMIT,
	HT_CASE_ACCEPT,
	HT_CASE_RETURN,
	HT_CASE_EXTEND,
	HT_CASE_APPROVE,
	HT_CASE_REFUSE,
	HT_CASE_WITHDRAW,
	HT_CASE_EVENTS
};

/* One application; {0} before the first event.  It owns nothing. */
struct ht_case {
	enum ht_case_state state;
	bool returned;      /* once already */
	bool extended;      /* once already, whichever revision */
	uint64_t more_days; /* the term in force is longer by so many */
	uint64_t from_ms;   /* the term in force began */
	uint64_t ended_ms;  /* returned, decided or withdrawn; or 0 */
	/* The newest revision received, and what was answered last. */
	const struct ht_doc *application;
	const struct ht_doc *answer;
};

/* An application, an answer or an extension: what a case is made of. */
bool ht_doc_is_application(const struct ht_doc *doc);
/* What event a note is; its kind, and what it says. */
enum ht_case_event ht_case_event_of(const struct ht_doc *doc);
/* The table alone.  NULL if @event may come now, else why not. */
const char *ht_case_bar(const struct ht_case *c, enum ht_case_event event);

/*
 * Hold a note, received at @received_ms, against the case, and take it in.
 * @share: of the item.  @calendar (may be NULL) tells whether an extension
 * comes in time, and is not too long.  Every reason against it goes to
 * @report, and @c is then as it was.  @c borrows @doc.
 * Errors: HT_EINVALID.
 */
enum ht_err ht_case_take(struct ht_case *c, const struct ht_doc *doc,
    uint64_t received_ms, enum ht_share share,
    const struct ht_calendar *calendar, struct ht_report *report) HT_MUST_USE;

/* Whose turn it is, and until when. */
enum ht_turn {
	HT_TURN_NOBODY,   /* over; or approved, and the grant is there */
	HT_TURN_PROVIDER, /* to answer, or to supply */
	HT_TURN_APPLICANT /* to complete and send again; no term */
};
struct ht_case_due {
	enum ht_turn turn;
	uint64_t due_ms;    /* the first moment too late; 0: no term */
	uint64_t remind_ms; /* the reminder is due; 0: no term */
};
/*
 * @granted: the grant that an approval names is in the catalog.
 * Errors: HT_EINVALID with a finding: the calendar does not reach so far.
 */
enum ht_err ht_case_due(const struct ht_case *c, enum ht_share share,
    bool granted, const struct ht_calendar *calendar, struct ht_report *report,
    struct ht_case_due *ret) HT_MUST_USE;

/*
 * Does the catalog have what the application asks for?  Findings as for a
 * grant of it.  HT_EINVALID.
 */
enum ht_err ht_application_check(const struct ht_doc *application,
    const struct ht_trust *trust, struct ht_report *report) HT_MUST_USE;

/* The item through which notes travel. */
#define HT_APPLICATION_CODE    "GXSQ"
#define HT_APPLICATION_PURPOSE "application"
#define HT_APPLICATION_NOTE    32768 /* bytes of a note that is handed in */
/* Its document, to be signed, for a catalog and the authority's member. */
void ht_application_item(
    const char *catalog, const char *provider, struct ht_buf *out);

#endif
