/*
 * server.h -- the audit socket: auditors ask the running broker
 * (docs/audit-socket.md).
 *
 * A thread for each of a few auditors, every wait bounded.  Each query is an
 * entry of the log, durable before the answer leaves; so is each refusal.
 */
#ifndef HT_BROKER_AUDIT_SERVER_H
#define HT_BROKER_AUDIT_SERVER_H

#include "broker/audit/query.h"

struct ht_audit_server;

struct ht_audit_config {
	const char *path; /* of the socket; made 0660, an old one replaced */
	struct ht_log *log;
	struct ht_index *index;
	/*
	 * The auditor of this name in the root in force; false: there is none.
	 * Called by several threads.
	 */
	bool (*auditor)(void *arg, struct ht_slice name, struct ht_vkey *ret);
	/*
	 * Have the committer append an AUDIT_QUERY entry with this payload,
	 * and return when it is durable.  Called by several threads.
	 */
	enum ht_err (*note)(
	    void *arg, struct ht_slice payload, uint64_t *ret_seq);
	void *arg;
};

/* Bind and start the thread; @config is copied.  HT_ESYSTEM; HT_ENOMEM. */
enum ht_err ht_audit_server_start(const struct ht_audit_config *config,
    struct ht_audit_server **ret) HT_MUST_USE;
/*
 * Let the queries at hand end (@note must still work, or fail at once), stop
 * the threads, remove the socket.
 */
void ht_audit_server_stop(struct ht_audit_server **server_p);

#endif
