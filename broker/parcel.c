#include "broker/parcel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/panic.h"
#include "schemas/message.h"

/* ---- connections ---- */

bool
ht_user_split(struct ht_slice user, struct ht_slice *ret_member,
    struct ht_slice *ret_node, struct ht_slice *ret_key)
{
	const uint8_t *end = user.at + user.len;
	const uint8_t *hash = memrchr(user.at, '#', user.len);
	const uint8_t *slash;

	if (hash == NULL)
		return false;
	slash = memrchr(user.at, '/', (size_t)(hash - user.at));
	if (slash == NULL)
		return false;
	*ret_member = HT_SLICE(user.at, (size_t)(slash - user.at));
	*ret_node = HT_SLICE(slash + 1, (size_t)(hash - slash - 1));
	*ret_key = HT_SLICE(hash + 1, (size_t)(end - hash - 1));
	return ret_member->len <= HT_NAME_MAX && ret_node->len <= HT_NODE_MAX &&
	       ret_node->len > 0;
}

struct ht_conn *
ht_conn_new(uint32_t generation, struct ht_slice handle, struct ht_slice user)
{
	struct ht_slice member, node, key;
	struct ht_conn *conn;

	if (handle.len > HT_HANDLE_MAX || user.len > HT_USERID_MAX ||
	    !ht_user_split(user, &member, &node, &key))
		return NULL;
	conn = calloc(1, sizeof(*conn));
	if (conn == NULL)
		return NULL;
	atomic_init(&conn->refs, 1);
	conn->generation = generation;
	conn->handle_len = (uint8_t)handle.len;
	memcpy(conn->handle, handle.at, handle.len);
	memcpy(conn->user, user.at, user.len);
	memcpy(conn->member, member.at, member.len);
	memcpy(conn->node, node.at, node.len);
	return conn;
}

struct ht_conn *
ht_conn_ref(struct ht_conn *conn)
{
	atomic_fetch_add(&conn->refs, 1);
	return conn;
}

void
ht_conn_unref(struct ht_conn **conn_p)
{
	struct ht_conn *conn = HT_TAKE(*conn_p);

	if (conn != NULL && atomic_fetch_sub(&conn->refs, 1) == 1)
		free(conn);
}

/* ---- parcels ---- */

struct ht_parcel *
ht_parcel_new(struct ht_conn *conn, struct ht_slice frame)
{
	/* Large, and filled only as far as records go: not zeroed. */
	struct ht_parcel *parcel = malloc(sizeof(*parcel));
	uint8_t *copy = malloc(frame.len + 1);

	if (parcel == NULL || copy == NULL) {
		free(parcel);
		free(copy);
		return NULL;
	}
	memcpy(copy, frame.at, frame.len);
	parcel->frame = copy;
	parcel->frame_len = frame.len;
	parcel->conn = ht_conn_ref(conn);
	parcel->trust = NULL;
	parcel->ref = 0;
	parcel->refused = HT_ST_OK;
	parcel->why[0] = '\0';
	parcel->n = 0;
	return parcel;
}

void
ht_parcel_free(struct ht_parcel **parcel_p)
{
	struct ht_parcel *parcel = HT_TAKE(*parcel_p);

	if (parcel == NULL)
		return;
	ht_trust_unref(&parcel->trust);
	ht_conn_unref(&parcel->conn);
	free(parcel->frame);
	free(parcel);
}

/* ---- checks ---- */

static void
refuse(struct ht_parcel *parcel, unsigned status, const char *why)
{
	parcel->refused = status;
	snprintf(parcel->why, sizeof(parcel->why), "%s", why);
}

/* [1, BUNDLE, ref, bundle], decoded in place. */
static bool
decode(struct ht_parcel *parcel)
{
	struct ht_slice frame = HT_SLICE(parcel->frame, parcel->frame_len);
	const char *why = "not the elements of a BUNDLE message";
	struct ht_unpack u;
	size_t at = 0;
	enum ht_err err = ht_pack_check(frame, &at, &why);

	if (err != HT_OK) {
		parcel->refused = HT_ST_MALFORMED;
		snprintf(parcel->why, sizeof(parcel->why), "offset %zu: %s", at,
		    why);
		return false;
	}
	u = ht_unpack(frame);
	ht_unpack_array_of(&u, 4);
	(void)ht_unpack_uint(&u, UINT64_MAX);
	(void)ht_unpack_uint(&u, UINT64_MAX);
	parcel->ref = ht_unpack_uint(&u, UINT64_MAX);
	if (u.err == HT_OK)
		err = ht_bundle_unpack(&u, &parcel->bundle, &why);
	if (err == HT_OK)
		err = ht_unpack_end(&u);
	if (err == HT_OK)
		return true;
	refuse(parcel, ht_decode_status(err), why);
	return false;
}

static bool
from_its_sender(struct ht_parcel *parcel)
{
	const struct ht_bundle *bundle = &parcel->bundle;

	if (!ht_slice_is(bundle->sender, parcel->conn->member) ||
	    !ht_slice_is(bundle->node, parcel->conn->node))
		refuse(parcel, HT_ST_NOT_SENDER,
		    "sender and node of the bundle are not those whose "
		    "transport key connected");
	else if (bundle->n_left != 0 || bundle->n_records != bundle->count)
		refuse(parcel, HT_ST_MALFORMED,
		    "a bundle comes to the broker whole, nothing left out");
	return parcel->refused == HT_ST_OK;
}

static bool
decode_headers(struct ht_parcel *parcel)
{
	const struct ht_bundle *bundle = &parcel->bundle;

	for (uint32_t i = 0; i < bundle->n_records; i++) {
		const char *why = "";
		size_t at = 0;
		enum ht_err err = ht_header_decode(
		    bundle->records[i].header, &parcel->headers[i], &at, &why);

		if (err != HT_OK) {
			parcel->refused = ht_decode_status(err);
			snprintf(parcel->why, sizeof(parcel->why),
			    "record %u: header, offset %zu: %s", (unsigned)i,
			    at, why);
			return false;
		}
	}
	return true;
}

static struct ht_fault
header_fault(
    const struct ht_parcel *parcel, const struct ht_header *h, uint64_t now_ms)
{
	const struct ht_bundle *bundle = &parcel->bundle;

	if (!ht_slice_eq(h->sender, bundle->sender) ||
	    !ht_slice_eq(h->node, bundle->node))
		return (struct ht_fault){HT_ST_NOT_SENDER,
		    "the header names another sender or node"};
	if (h->created_ms > now_ms + HT_SKEW_MS)
		return (struct ht_fault){HT_ST_CLOCK,
		    "created more than 60 s ahead of the broker's clock"};
	if (h->expires_ms <= now_ms)
		return (struct ht_fault){HT_ST_EXPIRED, "its life is over"};
	if (h->created_ms + HT_SKEW_MS < now_ms)
		return (struct ht_fault){HT_ST_CLOCK,
		    "created more than 60 s before the broker's clock"};
	if (h->expires_ms <= h->created_ms ||
	    h->expires_ms - h->created_ms > HT_LIFE_MS)
		return (struct ht_fault){HT_ST_LIFE, "more than an hour"};
	return (struct ht_fault){HT_ST_OK, ""};
}

/* Nothing but faults: then a signature more or less changes nothing. */
static bool
any_header_stands(struct ht_parcel *parcel, uint64_t now_ms)
{
	bool any = false;

	for (uint32_t i = 0; i < parcel->bundle.n_records; i++) {
		parcel->faults[i] =
		    header_fault(parcel, &parcel->headers[i], now_ms);
		any = any || parcel->faults[i].status == HT_ST_OK;
	}
	if (!any)
		refuse(
		    parcel, parcel->faults[0].status, parcel->faults[0].detail);
	return any;
}

static bool
signature_stands(struct ht_parcel *parcel, uint64_t now_ms)
{
	const struct ht_bundle *bundle = &parcel->bundle;
	const struct ht_pub *pub = NULL;
	unsigned status = ht_signer_check(parcel->trust, bundle->sender,
	    bundle->node, &bundle->key, now_ms, &pub);

	if (status != HT_ST_OK)
		refuse(parcel, status, "the key that the bundle names");
	else if (ht_bundle_verify(bundle, pub) != HT_OK)
		refuse(parcel, HT_ST_BAD_SIGNATURE,
		    "over the root of the headers as they came");
	return parcel->refused == HT_ST_OK;
}

static void
check_bodies(struct ht_parcel *parcel)
{
	for (uint32_t i = 0; i < parcel->bundle.n_records; i++) {
		unsigned status;

		if (parcel->faults[i].status != HT_ST_OK)
			continue;
		status = ht_record_check(
		    &parcel->bundle.records[i], &parcel->headers[i]);
		if (status != HT_ST_OK)
			parcel->faults[i] = (struct ht_fault){status,
			    "what came with the header is not what it names"};
	}
}

void
ht_parcel_check(
    struct ht_parcel *parcel, struct ht_trust *trust, uint64_t now_ms)
{
	HT_ASSERT(parcel->trust == NULL);
	parcel->trust = ht_trust_ref(trust);
	if (!decode(parcel) || !from_its_sender(parcel) ||
	    !decode_headers(parcel) || !any_header_stands(parcel, now_ms) ||
	    !signature_stands(parcel, now_ms))
		return;
	check_bodies(parcel);
	parcel->n = parcel->bundle.n_records;
}
