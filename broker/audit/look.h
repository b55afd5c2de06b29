/*
 * look.h -- looks at one subject, gathered from the proven rows of answers:
 * a request and what came of it are one look.
 */
#ifndef HT_BROKER_AUDIT_LOOK_H
#define HT_BROKER_AUDIT_LOOK_H

#include "broker/audit/query.h"

#define HT_LOOK_TEXT 200 /* bytes kept of an officer's or a case's name */

enum ht_look_end {
	HT_LOOK_OPEN,   /* no answer yet, and its life is not over */
	HT_LOOK_SILENT, /* its life ended without an answer */
	HT_LOOK_ANSWERED,
	HT_LOOK_REFUSED, /* by the provider */
	HT_LOOK_FAILED,
	HT_LOOK_LATE,   /* an answer that came too late was not handed on */
	HT_LOOK_PUSHED, /* sent without being asked for */
};
const char *ht_look_end_text(enum ht_look_end end);

struct ht_look {
	struct ht_id exchange;
	uint64_t time_us; /* of the first entry */
	uint64_t expires_ms;
	bool asked, answered; /* which of the two entries are here */
	uint64_t ask_seq, answer_seq;
	uint64_t ask_us, answer_us;
	struct ht_id ask_record, answer_record;
	enum ht_look_end end;
	char asker[HT_NAME_MAX + 1];
	char provider[HT_NAME_MAX + 1];
	char item[HT_NAME_MAX + 1];
	uint32_t item_version;
	unsigned operation;
	char purpose[HT_PURPOSE_MAX + 1];
	char basis[HT_PURPOSE_MAX + 1];
	size_t released_len;
	uint8_t released[HT_RELEASED_MAX];
	/* of the request's annex, if its key is at hand; else "" */
	bool opened;
	char officer[HT_LOOK_TEXT + 1];
	char casefile[HT_LOOK_TEXT + 1];
};

struct ht_looks {
	size_t n, cap;
	struct ht_look *at; /* in order of their first entries */
	uint64_t n_false;   /* annexes that are not what was committed to */
	uint64_t false_seq; /* the first of them */
};
void ht_looks_fini(struct ht_looks *looks);

/* The key of an epoch's annexes. */
struct ht_look_key {
	const char *epoch;
	const struct ht_key *annex;
};
/*
 * Is a row about @subject?  Its tag is the header's, and names it; else
 * HT_EINTEGRITY: whoever answered was asked for nothing else.
 */
enum ht_err ht_look_is_about(
    const struct ht_row *row, const struct ht_pseudonym *subject) HT_MUST_USE;
/*
 * Take a row that must be about @subject: its tag is the header's, and names
 * it.  Errors: HT_EINTEGRITY (it is not); HT_ENOMEM.
 */
enum ht_err ht_looks_add(struct ht_looks *looks, const struct ht_row *row,
    const struct ht_pseudonym *subject, const struct ht_look_key *keys,
    size_t n_keys) HT_MUST_USE;
/*
 * Open a tag's annex with its epoch's key.  *ret_good: it could be, and says
 * what the tag commits to; then *ret (whose strings point into *ret_json, the
 * caller's) has it, to be wiped.  Errors: HT_ENOMEM.
 */
enum ht_err ht_look_annex(const struct ht_tag *tag, const struct ht_key *key,
    json_t **ret_json, struct ht_annex *ret, bool *ret_good) HT_MUST_USE;
/* All rows are in: what has no answer by @now_ms has its end. */
void ht_looks_end(struct ht_looks *looks, uint64_t now_ms);

#endif
