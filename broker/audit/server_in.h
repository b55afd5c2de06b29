/*
 * server_in.h -- the audit socket's inside: a visit, which answers at once
 * (server.c) or at length (follow.c).
 */
#ifndef HT_BROKER_AUDIT_SERVER_IN_H
#define HT_BROKER_AUDIT_SERVER_IN_H

#include <pthread.h>

#include "broker/audit/server.h"

struct ht_audit_server {
	struct ht_audit_config config;
	char *path;
	int listen_fd;
	int stop_fd; /* eventfd: readable once we are to stop */
	pthread_t thread;
	bool running;
	pthread_mutex_t lock; /* over what follows */
	pthread_cond_t gone;  /* a visit ended */
	unsigned visits;
	unsigned longs;      /* of these, with a long answer */
	uint64_t refused_ms; /* when a refusal was logged; 0: never */
};

/* One auditor's visit: a connection, and the thread that serves it. */
struct visit {
	struct ht_audit_server *server;
	int fd;
	uint8_t challenge[HT_CHALLENGE_SIZE];
	struct ht_buf frame;  /* in */
	struct ht_buf out;    /* out; scratch */
	struct ht_slice name; /* in frame */
	struct ht_slice query_bytes;
	struct ht_query query;
};

/* The frame in visit->out. */
enum ht_err visit_send(struct visit *v, uint64_t deadline_ms) HT_MUST_USE;
void visit_refuse(struct visit *v, unsigned code, const char *text);
/* The same for an error of ht_audit_answer(). */
void visit_refuse_error(struct visit *v, enum ht_err err);
/* What stays of a question for good. */
struct visit_trace {
	struct ht_slice auditor, purpose, text;
	const struct ht_hash *hash; /* NULL: of nothing */
	bool uncounted; /* the number of rows could name a subject */
	uint64_t matched, size;
};
#define VISIT_NOT_LOGGED "the query could not be logged, so it is not answered"

/* An AUDIT_QUERY entry, durable when it returns. */
enum ht_err visit_note(struct visit *v, const struct visit_trace *trace,
    uint64_t *ret_place) HT_MUST_USE;
/* Of the query at hand; @text: its own if empty. */
enum ht_err visit_note_query(struct visit *v, struct ht_slice text,
    uint64_t matched, uint64_t size, uint64_t *ret_place) HT_MUST_USE;
/* [ANSWER, ...] */
enum ht_err visit_send_head(struct visit *v, const struct ht_audit_answer *a,
    uint64_t place, uint64_t deadline_ms) HT_MUST_USE;
/* [END, ...] */
enum ht_err visit_send_end(struct visit *v, uint64_t scanned, uint64_t matched,
    bool more, uint64_t next_seq, uint64_t deadline_ms) HT_MUST_USE;

/* A question of mode READ, FOLLOW or LIST, from its check to its end. */
void visit_long(struct visit *v);
/* One of mode WITNESSES. */
void visit_vouch(struct visit *v);
/* Has the query no condition but a subject, size and period? */
bool visit_asks_for_all(const struct ht_query *q);

#endif
