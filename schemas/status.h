/*
 * status.h -- the codes that cross the wire and stand in the log, with what
 * to do and who must do it.  Numbers are for ever; append only.
 */
#ifndef HT_SCHEMAS_STATUS_H
#define HT_SCHEMAS_STATUS_H

#include <stdint.h>

enum ht_who {
	HT_WHO_NOBODY = 0,
	HT_WHO_CALLER = 1,
	HT_WHO_PROVIDER = 2,
	HT_WHO_OPERATOR = 3,
	HT_WHO_AUTHORITY = 4,
};

/* X(name, number, who, text, remedy) */
#define HT_STATUS_MAP(X)                                                       \
	X(OK, 0, NOBODY, "accepted", "")                                       \
	/* 1xx: the bytes */                                                   \
	X(MALFORMED, 100, CALLER, "the message is not in the strict form",     \
	    "compare it with docs/protocol.md; the offset is in the detail")   \
	X(TOO_BIG, 101, CALLER, "a size limit was passed",                     \
	    "send less, or smaller bundles; the limits are in WELCOME")        \
	X(VERSION, 102, CALLER, "protocol version or suite not spoken here",   \
	    "use a version that the broker offers")                            \
	X(HELLO_FIRST, 103, CALLER, "HELLO must come first", "send HELLO")     \
	X(UNKNOWN_TYPE, 104, CALLER, "no such message type",                   \
	    "compare it with docs/protocol.md section 5")                      \
	X(BODY_HASH, 105, CALLER, "the body is not the one in the header",     \
	    "send the body whose hash and length the header has")              \
	X(TAG_HASH, 106, CALLER, "the tag is not the one in the header",       \
	    "send the tag whose hash the header has, or none if it has none")  \
	/* 2xx: who */                                                         \
	X(NOT_SENDER, 200, CALLER, "the sender is not the connected node",     \
	    "sign with the keys of the node that connects")                    \
	X(UNKNOWN_MEMBER, 201, AUTHORITY, "no such member in the directory",   \
	    "check the name; a new member needs a signed directory entry")     \
	X(KEY_UNKNOWN, 202, CALLER, "the key is not this node's",              \
	    "publish the key in the member's directory entry")                 \
	X(KEY_REVOKED, 203, CALLER, "the key was revoked",                     \
	    "make a new key and have the directory entry signed again")        \
	X(KEY_EXPIRED, 204, CALLER, "the key is outside its period",           \
	    "make a new key and have the directory entry signed again")        \
	X(BAD_SIGNATURE, 205, CALLER, "the signature does not verify",         \
	    "sign exactly the bytes that are sent")                            \
	X(SEAL_KEY, 206, CALLER, "not sealed to a current key of recipient",   \
	    "fetch the newest snapshot and seal to the key it lists")          \
	X(MEMBER_SUSPENDED, 207, AUTHORITY, "the member is suspended",         \
	    "ask the authority why; it can be lifted within minutes")          \
	/* 3xx: when, and again */                                             \
	X(CLOCK, 300, CALLER, "the time of creation is off",                   \
	    "set the clock (chrony); 60 s are allowed")                        \
	X(EXPIRED, 301, CALLER, "the record's life is over",                   \
	    "ask again with a new record")                                     \
	X(LIFE, 302, CALLER, "the record would live too long",                 \
	    "an hour is the longest life of a request")                        \
	X(CONFLICT, 303, CALLER, "this record id was used for another record", \
	    "make a new random record id for every record")                    \
	X(LATE, 304, PROVIDER, "the request had ended already",                \
	    "answer before the request expires")                               \
	X(NO_REQUEST, 305, PROVIDER, "no open request is cited",               \
	    "cite the header hash of the request being answered")              \
	X(BUSY, 306, CALLER, "too much is waiting", "try again later")         \
	X(PAUSED, 307, OPERATOR, "the exchange admits nothing at present",     \
	    "ask the operator; see hutong-broker ctl status")                  \
	X(OFFLINE, 308, PROVIDER, "no node of the recipient is connected",     \
	    "the provider must start its adapter")                             \
	/* 4xx: rights */                                                      \
	X(NO_ITEM, 400, AUTHORITY, "no such item in the catalog",              \
	    "see `hutong catalog show` for the items there are")               \
	X(ITEM_VERSION, 401, CALLER, "no such version of the item",            \
	    "see `hutong catalog show` for the versions in force")             \
	X(NOT_PROVIDER, 402, CALLER,                                           \
	    "the recipient does not provide the item",                         \
	    "address the provider that the catalog names")                     \
	X(OPERATION, 403, AUTHORITY, "the item does not offer the operation",  \
	    "use an operation that the catalog lists for it")                  \
	X(NO_GRANT, 404, CALLER, "no such grant",                              \
	    "apply for a grant of this item")                                  \
	X(GRANT_OTHER, 405, CALLER,                                            \
	    "the grant is for someone or something else",                      \
	    "name the grant made out to you for this item")                    \
	X(GRANT_STATE, 406, AUTHORITY, "the grant is suspended or terminated", \
	    "ask the authority why; both sides were told")                     \
	X(GRANT_PERIOD, 407, CALLER, "the grant's period is over or ahead",    \
	    "apply for a renewal")                                             \
	X(GRANT_OPERATION, 408, CALLER,                                        \
	    "the grant does not allow this operation",                         \
	    "apply for a wider grant, or use what is granted")                 \
	X(PURPOSE, 409, CALLER, "the grant does not allow this purpose",       \
	    "use it for the purposes granted, or apply for another")           \
	X(BASIS, 410, CALLER, "not the legal basis of the grant",              \
	    "name the basis that the grant states")                            \
	X(FIELDS, 411, CALLER, "fields outside the grant",                     \
	    "ask for granted fields only")                                     \
	X(ROWS, 412, CALLER, "outside the area or rows granted",               \
	    "ask for what the grant's row filter covers")                      \
	X(QUOTA, 413, CALLER, "the quota of the period is used up",            \
	    "wait for the next period, or apply for a larger quota")           \
	X(TAG_MISSING, 414, CALLER, "the item has a subject: a tag is needed", \
	    "send a tag of the current epoch")                                 \
	X(TAG_EPOCH, 415, CALLER, "not the current epoch's tag",               \
	    "fetch the newest snapshot and use its epoch")                     \
	X(TAG_SUBJECT, 416, PROVIDER,                                          \
	    "the response lacks the request's subject",                        \
	    "a response's tag repeats the pseudonyms of its request")          \
	X(RELEASED, 417, PROVIDER, "fields released outside the grant",        \
	    "release granted fields only")                                     \
	X(POLICY_STALE, 418, OPERATOR, "the policy's freshness has run out",   \
	    "the authority must freshen the current note")                     \
	X(RATE, 419, CALLER, "too many requests in this minute",               \
	    "spread them; the next minute allows as many again")               \
	/* 5xx: the provider's answers, inside sealed responses */             \
	X(REQUEST_INVALID, 500, CALLER,                                        \
	    "the request breaks the item's schema", "mend every point listed") \
	X(HEADER_BODY, 501, CALLER, "body and header disagree",                \
	    "header and body must name the same item, version, operation")     \
	X(TAG_FALSE, 502, CALLER, "the tag does not belong to this request",   \
	    "make the tag from the request's own subject")                     \
	X(SOURCE_DOWN, 503, PROVIDER, "the provider's source does not answer", \
	    "try again later; the provider's operator has been told")          \
	X(SOURCE_SLOW, 504, PROVIDER, "the provider's source was too slow",    \
	    "try again later, or ask for less")                                \
	X(SOURCE_INVALID, 505, PROVIDER,                                       \
	    "the source's data breaks the schema",                             \
	    "the provider must mend its data or its mapping")                  \
	X(NOT_SERVED, 506, PROVIDER, "this node does not serve the item",      \
	    "the provider must configure it in its adapter")                   \
	X(SEAL_BROKEN, 507, CALLER, "the body cannot be opened",               \
	    "seal to the recipient's current key with the envelope as AAD")    \
	X(COMMITMENT, 508, CALLER, "content and commitment disagree",          \
	    "compute the commitment over r and the content that is sent")      \
	X(KEPT, 509, CALLER, "too many answers are kept for the asker",        \
	    "go on when earlier requests have expired; let requests live "     \
	    "less")                                                            \
	X(DISK_FULL, 510, PROVIDER, "the provider's disk is full",             \
	    "try again later; the provider's operator has been told")          \
	/* 6xx: us */                                                          \
	X(INTERNAL, 600, OPERATOR, "the exchange failed",                      \
	    "the operator must read the broker's log")                         \
	X(ROLLED_BACK, 601, OPERATOR,                                          \
	    "the operator went on with an older log",                          \
	    "keep the node's state as evidence; ask operator and auditors")

enum ht_status {
#define HT_STATUS_ENUM(name, number, who, text, remedy) HT_ST_##name = (number),
	HT_STATUS_MAP(HT_STATUS_ENUM)
#undef HT_STATUS_ENUM
};

/* Never NULL; "unknown status" and so on for a number not in the table. */
const char *ht_status_name(unsigned status);
const char *ht_status_text(unsigned status);
const char *ht_status_remedy(unsigned status);
enum ht_who ht_status_who(unsigned status);
const char *ht_who_text(unsigned who); /* "caller", "provider", ... */
/* By name, case-insensitively; -1 if there is none. */
int ht_status_parse(const char *name);

#endif
