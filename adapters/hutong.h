/*
 * hutong.h -- a node of the exchange, as a library.
 *
 * A node belongs to a member.  It asks (query, verify), and it serves items
 * that its member provides.  One thread owns a node and drives it with
 * ht_node_step(); nothing here is thread-safe otherwise.
 *
 *	struct ht_node *node;
 *	ht_node_open(&conf, report, &node);
 *	ht_node_ask(node, &ask, &asked);     -- blocks, drives the loop
 *	ht_node_close(&node);
 *
 * hutong(3) is the manual; docs/examples has whole programs.
 *
 * Records are JSON values (jansson), UTF-8.
 */
#ifndef HUTONG_H
#define HUTONG_H

#include "lib/base/log.h"     /* what a node says on standard error */
#include "lib/base/process.h" /* for programs that hold keys */
#include "schemas/content.h"
#include "schemas/json.h"
#include "schemas/prospect.h"

struct ht_node;

struct ht_node_conf {
	const char *root;    /* the anchor file */
	const char *member;  /* "domain/name" */
	const char *node;    /* "main" */
	const char *signing; /* key files */
	const char *transport;
	const char *sealing; /* all are read; several during rotation: NULL-
	                      * ended list below when not NULL */
	const char *const *sealing_more;
	const char
	    *witness;      /* key file: cosign checkpoints too; NULL: do not */
	const char *state; /* folder for what must survive a restart */
	const char *address; /* NULL: the anchor's */
	bool proofs;         /* demand a batch proof with every bundle */
	unsigned bundle_max; /* records a bundle at most; 0: HT_BUNDLE_MAX */
	uint32_t history;    /* exchanges to remember, for `hutong explain`:
	                      * a write into the state for each; 0: none */
	uint64_t answers;    /* bytes of answers kept for retries; 0: 2 GiB */
};
/*
 * Read keys and anchor, open the state, begin to connect.  Every mistake goes
 * to @report.  Errors: HT_EINVALID; HT_ENOMEM; HT_ESYSTEM; HT_ESTORE.
 */
enum ht_err ht_node_open(const struct ht_node_conf *conf,
    struct ht_report *report, struct ht_node **ret) HT_MUST_USE;
void ht_node_close(struct ht_node **node_p);

/* Everything HELLO brought is there: one may ask and serve. */
bool ht_node_ready(const struct ht_node *node);
/* NULL before the first snapshot. Borrowed until the next step. */
const struct ht_trust *ht_node_trust(const struct ht_node *node);
/* Why not ready, in a sentence that names the remedy; "" if ready. */
const char *ht_node_trouble(const struct ht_node *node);
/*
 * Wait for messages, timers and the given descriptor (-1: none) for at most
 * @wait_ms; handle what came; send what piled up.  *ret_fd (may be NULL) says
 * whether the descriptor is readable.
 */
enum ht_err ht_node_step(
    struct ht_node *node, int fd, int wait_ms, bool *ret_fd) HT_MUST_USE;

/* ---- asking ---- */

struct ht_ask {
	const char *item;   /* "catalog/CODE" */
	uint32_t version;   /* 0: the newest that a grant allows */
	unsigned operation; /* HT_OP_QUERY, HT_OP_VERIFY */
	const char *purpose;
	const char *grant; /* NULL: the node finds the one that allows */
	const json_t *params;
	const json_t *fields; /* array of names, or NULL: all granted */
	const json_t *claims; /* verify */
	const char *officer;  /* who asks, for the annex; may be NULL */
	const char *casefile;
	uint64_t life_ms;  /* 0: 30 s */
	bool keep_opening; /* in ht_asked: what can be shown to a court */
	/* For tests of refusals: send although our own decision says no. */
	bool despite_policy;
};

struct ht_asked {
	struct ht_id record;
	struct ht_id exchange;
	unsigned status; /* enum ht_status: 0 answered; else the first reason */
	unsigned answer; /* enum ht_answer, 0 when no response came */
	struct ht_response response; /* when one came */
	struct ht_reasons reasons;   /* all of them */
	enum ht_who refused_by;      /* who said no: caller = our own node */
	uint64_t request_place;      /* log indexes; valid when accepted */
	uint64_t response_place;
	bool proven; /* batch proofs were demanded, and checked */
	/*
	 * If asked for: the 32 random bytes and the content that the answer's
	 * commitment is made of.  With it the answer can be shown to others,
	 * and proven, without any key.
	 */
	struct ht_buf opening;
};
void ht_asked_fini(struct ht_asked *asked);

/*
 * Called once per ask, from ht_node_step(); not for what ht_node_close() ends.
 * @asked is the callee's to fini.
 */
typedef void ht_asked_fn(void *arg, struct ht_asked *asked);

/*
 * Begin to ask; the answer comes to @done.  An ask refused by our own checks
 * (schema, policy) is reported to @done as well, before this returns.
 * Errors: HT_EAGAIN (no catalog yet, or HT_ASKS_MAX in flight); HT_EINVALID,
 * HT_ETOOBIG (what one record cannot say); HT_ESTORE; HT_ENOMEM.
 */
#define HT_ASKS_MAX 4096
enum ht_err ht_node_begin(struct ht_node *node, const struct ht_ask *ask,
    ht_asked_fn *done, void *arg) HT_MUST_USE;
/* The same, blocking until the answer or its end. */
enum ht_err ht_node_ask(struct ht_node *node, const struct ht_ask *ask,
    struct ht_asked *ret) HT_MUST_USE;

/*
 * The entry at @place of the log, of an exchange in which our member has a
 * part, as a file that proves it with no broker at hand (C2SP tlog-proof),
 * appended to @ret.  Waits, at most so long, and checks all but the bundle's
 * evidence in it, which whoever verifies the file does.
 * Errors: HT_ENOTFOUND: the log has no such place; HT_EDENIED: no record of
 * ours stands there; HT_EINTEGRITY: the broker cannot prove it; HT_EAGAIN:
 * it is busy; HT_ETIMEOUT; HT_EPROTOCOL: called back; HT_ENOMEM.
 */
enum ht_err ht_node_prove(struct ht_node *node, const struct ht_id *exchange,
    uint64_t place, uint64_t wait_ms, struct ht_buf *ret) HT_MUST_USE;

/* ---- serving ---- */

/* A request that passed every check; the server answers it once. */
struct ht_call {
	uint64_t id; /* handle for ht_node_answer() */
	const struct ht_item *item;
	const struct ht_grant *grant;
	const struct ht_request *request;
	struct ht_slice consumer; /* member */
	uint64_t deadline_ms;     /* wall clock */
};
/*
 * Called from ht_node_step() for each request.  Everything in @call is
 * borrowed until this returns.  Answer now or later with ht_node_answer().
 */
typedef void ht_serve_fn(void *arg, const struct ht_call *call);
/*
 * Serve an item (by name, every version of it).  Before the first step: the
 * broker is told on connecting whether this node serves.
 */
enum ht_err ht_node_serve(struct ht_node *node, const char *item,
    ht_serve_fn *serve, void *arg) HT_MUST_USE;

/*
 * Answer call @id.  For a query @records is an array of whole records: the
 * node validates them, applies row filter and grant, and releases granted
 * fields only.  For verify, @records are the candidates found: the node
 * compares the claims and answers match, no match or unknown per field,
 * nothing else.  @reasons (may be NULL) non-empty: failed or refused.
 * HT_ENOTFOUND if the call has ended meanwhile: it was answered, or its
 * deadline has passed.
 */
enum ht_err ht_node_answer(struct ht_node *node, uint64_t id,
    const json_t *records, bool more, const struct ht_reasons *reasons)
    HT_MUST_USE;

#endif
