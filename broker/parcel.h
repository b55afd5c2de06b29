/*
 * parcel.h -- a bundle on its way through the core, and the connection it
 * came by.
 *
 * A parcel belongs to one thread at a time: the reader makes it, a verifier
 * fills it, the committer settles it.  A connection is counted and does not
 * change once made.
 */
#ifndef HT_BROKER_PARCEL_H
#define HT_BROKER_PARCEL_H

#include <stdatomic.h>

#include "lib/net/net.h"
#include "schemas/bundle.h"
#include "schemas/policy.h"

struct ht_conn {
	atomic_uint refs;
	atomic_uint in_flight; /* bundles taken and not yet settled */
	uint32_t generation;   /* of the front */
	uint8_t handle_len;
	bool proofs; /* said so in HELLO */
	bool serves;
	uint8_t handle[HT_HANDLE_MAX];
	char user[HT_USERID_MAX + 1]; /* as ZAP said: "member/node#key" */
	char member[HT_NAME_MAX + 1];
	char node[HT_NODE_MAX + 1];
	uint64_t heard_ms; /* the reader's alone */
	bool down;         /* the reader's alone: HELLO must come again */
};
/* NULL when out of memory.  Counted once. */
struct ht_conn *ht_conn_new(
    uint32_t generation, struct ht_slice handle, struct ht_slice user);
struct ht_conn *ht_conn_ref(struct ht_conn *conn);
void ht_conn_unref(struct ht_conn **conn_p);
/*
 * "member/node#key" as the core told the front; false if it is not of that
 * form.
 */
bool ht_user_split(struct ht_slice user, struct ht_slice *ret_member,
    struct ht_slice *ret_node, struct ht_slice *ret_key);

/* What the cheap checks found out about one record. */
struct ht_fault {
	unsigned status;    /* 0: nothing */
	const char *detail; /* static text */
};

struct ht_parcel {
	struct ht_conn *conn;
	struct ht_trust *trust; /* that its signature was checked under */
	uint64_t ref;
	uint8_t *frame;
	size_t frame_len;
	/*
	 * Not 0: refused as a whole, and nothing of the bundle may be
	 * believed; only the frame's hash and the connection are known.
	 */
	unsigned refused;
	char why[160];
	struct ht_bundle bundle;
	uint32_t n; /* records */
	struct ht_header headers[HT_BUNDLE_MAX];
	struct ht_fault faults[HT_BUNDLE_MAX];
};
/* Takes a copy of the frame; NULL when out of memory. */
struct ht_parcel *ht_parcel_new(struct ht_conn *conn, struct ht_slice frame);
void ht_parcel_free(struct ht_parcel **parcel_p);

/*
 * Everything that can be told about a bundle without knowing any other:
 * form, sizes, sender, times, signature, bodies.  Fills bundle, headers and
 * faults, or refused and why.  Pure but for the work.
 */
void ht_parcel_check(
    struct ht_parcel *parcel, struct ht_trust *trust, uint64_t now_ms);

#endif
