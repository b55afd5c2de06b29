/*
 * message.h -- the messages between node and broker (docs/protocol.md
 * section 5): one struct a message, encode and decode.
 */
#ifndef HT_SCHEMAS_MESSAGE_H
#define HT_SCHEMAS_MESSAGE_H

#include "schemas/bundle.h"
#include "schemas/content.h"

#define HT_PROTOCOL 1

enum ht_message_type {
	HT_MSG_HELLO = 1,
	HT_MSG_WELCOME = 2,
	HT_MSG_BUNDLE = 3,
	HT_MSG_ACK = 4,
	HT_MSG_DELIVER = 5,
	HT_MSG_GOT = 6,
	HT_MSG_END = 7,
	HT_MSG_PING = 8,
	HT_MSG_PONG = 9,
	HT_MSG_GET_SNAPSHOT = 10,
	HT_MSG_SNAPSHOT = 11,
	HT_MSG_GET_PROOF = 12,
	HT_MSG_PROOF = 13,
	HT_MSG_GET_CONSISTENCY = 14,
	HT_MSG_CONSISTENCY = 15,
	HT_MSG_ERROR = 16,
	HT_MSG_NOTICE = 17,
	HT_MSG_WITNESS = 18,
	HT_MSG_COSIGN = 19,
};

#define HT_DOCS_MAX 512 /* documents in one SNAPSHOT message */

/*
 * `proof` of section 5: covers of the gaps between indexes.  A node knows the
 * header that a leaf ends with; the head is the leaf's bytes before it.
 */
struct ht_range_proof {
	bool present;
	uint64_t size;
	size_t n_indexes;
	uint64_t indexes[HT_BUNDLE_MAX];
	struct ht_slice heads[HT_BUNDLE_MAX];
	size_t n_hashes;
	struct ht_hash hashes[HT_BUNDLE_MAX * 64];
};

struct ht_result {
	struct ht_id record;
	unsigned status;
	uint64_t place;
	struct ht_reasons reasons;
	uint32_t retry_ms;
};

/*
 * Any message.  Slices point into the decoded bytes.  It is large (proofs,
 * results): keep one per thread, not one per call on a small stack.
 */
struct ht_message {
	enum ht_message_type type;
	uint64_t ref;
	union {
		struct {
			unsigned n_versions;
			unsigned versions[8];
			struct ht_slice node; /* member/node */
			struct ht_slice checkpoint;
			uint64_t snapshot;
			bool proofs;
			bool serves; /* may be handed requests */
		} hello;
		struct {
			unsigned version;
			struct ht_slice checkpoint;
			size_t n_path;
			struct ht_hash path[HT_PROOF_MAX];
			uint64_t snapshot;
			struct ht_slice current;
			uint64_t time_ms;
			uint64_t body, bundle, frame, life_ms, skew_ms;
		} welcome;
		struct ht_bundle bundle; /* BUNDLE */
		struct {
			unsigned n_results;
			struct ht_result results[HT_BUNDLE_MAX];
			struct ht_slice checkpoint;
			struct ht_range_proof proof;
		} ack;
		struct {
			struct ht_bundle bundle;
			uint64_t places[HT_BUNDLE_MAX];
			struct ht_slice checkpoint;
			struct ht_range_proof proof;
		} deliver;
		struct {
			unsigned n_places;
			uint64_t places[HT_BUNDLE_MAX];
		} got;
		struct {
			struct ht_id record;
			unsigned status;
			uint64_t place;
			struct ht_slice checkpoint;
		} end;
		struct {
			uint64_t time_ms;
		} pong;
		struct {
			uint64_t version;
			uint64_t have;
			uint64_t offset;
		} get_snapshot;
		struct {
			uint64_t version;
			uint64_t since; /* 0: all of it */
			uint64_t offset;
			uint64_t total;
			struct ht_slice note; /* the snapshot's */
			struct ht_slice gone; /* lines "kind name" */
			unsigned n_docs;
			struct ht_slice lines[HT_DOCS_MAX];
			struct ht_slice docs[HT_DOCS_MAX];
			struct ht_slice current;
			uint64_t place;
			struct ht_slice leaf;
			size_t n_path;
			struct ht_hash path[HT_PROOF_MAX];
			struct ht_slice checkpoint;
		} snapshot;
		struct {
			uint64_t place;
			uint64_t size;
		} get_proof;
		struct {
			uint64_t place;
			size_t n_path;
			struct ht_hash path[HT_PROOF_MAX];
			struct ht_slice checkpoint;
			struct ht_slice
			    row; /* docs/proofs.md; empty: not ours */
		} proof;
		struct {
			uint64_t old_size;
			uint64_t new_size;
		} get_consistency;
		struct {
			size_t n_path;
			struct ht_hash path[HT_PROOF_MAX];
			struct ht_slice checkpoint;
		} consistency;
		struct {
			struct ht_reason reason;
			uint32_t retry_ms;
		} error;
		struct {
			uint64_t snapshot;
		} notice;
		struct {
			struct ht_slice request; /* keys/witness.h */
		} witness;
		struct {
			struct ht_slice name; /* of the witness's key */
			unsigned status;      /* C2SP's */
			struct ht_slice body;
			struct ht_slice seen; /* what it cosigned last */
		} cosign;
	};
};

/*
 * Check strictly and decode one frame.  On error *ret is half filled; *ret_at
 * and *ret_why (either may be NULL) say where and what was expected.  Errors:
 * HT_EMALFORMED; HT_ETOOBIG; HT_ENOTFOUND for an unknown type; HT_EPROTOCOL for
 * another protocol version, or a suite not known here.
 */
enum ht_err ht_message_decode(struct ht_slice frame, struct ht_message *ret,
    size_t *ret_at, const char **ret_why) HT_MUST_USE;
/* What to tell a peer whose message, bundle, header or tag gave this error. */
unsigned ht_decode_status(enum ht_err err);
/* Append the frame.  HT_ETOOBIG past HT_FRAME_MAX. */
enum ht_err ht_message_encode(const struct ht_message *m, struct ht_buf *out)
    HT_MUST_USE;

#endif
