/*
 * caller.h -- the other end of the administrators' sockets (docs/roles.md):
 * one command, one connection, signed if there is a key.
 */
#ifndef HT_BROKER_CALLER_H
#define HT_BROKER_CALLER_H

#include "broker/conf.h"

struct ht_caller {
	const char *path;   /* of the socket; the configuration's */
	struct ht_key *key; /* NULL: it can only read, where roles are parted */
	struct ht_pub pub;  /* its public half */
	enum ht_role role;
	char name[HT_VKEY_NAME_MAX];
	char log[HT_VKEY_NAME_MAX]; /* of the anchor that we trust */
};

/*
 * With @key_path NULL, the control socket.  Else open the key, asking for its
 * passphrase if it has one; its purpose says which socket.  What is wrong is
 * said on standard error.  A `struct ht_broker_exit`.
 */
int ht_caller_open(const struct ht_broker_conf *conf, const char *key_path,
    struct ht_caller *ret);
void ht_caller_close(struct ht_caller *caller);

/* Send a command, with bytes behind it; the whole answer is appended. */
int ht_caller_put(const struct ht_caller *caller, const char *command,
    struct ht_slice bytes, struct ht_buf *answer);

#endif
