/*
 * told.h -- what a node remembers of an exchange of its own, so that it can be
 * explained later: who asked for what under which documents, how it ended, and
 * what was said about it.  Nothing of a record's content, and no subject.
 */
#ifndef HT_ADAPTERS_TOLD_H
#define HT_ADAPTERS_TOLD_H

#include "schemas/content.h"

struct ht_told {
	struct ht_id exchange;
	struct ht_id record;
	bool served; /* by us; else we asked */
	uint64_t created_ms;
	uint64_t ended_ms;

	/* the request's words */
	char consumer[HT_NAME_MAX + 1];
	char node[HT_NODE_MAX + 1]; /* which asked */
	char provider[HT_NAME_MAX + 1];
	char item[HT_NAME_MAX + 1];
	uint32_t version;
	unsigned operation;
	char purpose[HT_PURPOSE_MAX + 1];
	char basis[HT_PURPOSE_MAX + 1];
	char grant[HT_GRANT_MAX + 1];
	bool sent;
	struct ht_hash request; /* header hash, when sent */
	struct ht_keyid sealed_to;

	/* how it ended */
	unsigned status; /* enum ht_status */
	unsigned answer; /* enum ht_answer */
	unsigned by;     /* enum ht_who said no */
	bool proven;
	uint64_t request_place;  /* 0: none */
	uint64_t response_place; /* or of the entry that ended it */
	char answerer[HT_NODE_MAX + 1];
	struct ht_keyid signed_by; /* the other side's record; zeros: none */
	size_t released_len;
	uint8_t released[HT_RELEASED_MAX];
	struct ht_reasons reasons;

	/* under which documents; hashes of zeros: not there */
	uint64_t snapshot;
	struct ht_hash snapshot_hash;
	struct ht_hash item_note; /* SHA-256 of the whole note, as kept */
	struct ht_hash grant_note;
};

#define HT_TOLD_MAX 16384 /* bytes of one */

/* Append; strict msgpack.  HT_EINVALID for text that is not UTF-8. */
enum ht_err ht_told_encode(const struct ht_told *told, struct ht_buf *out)
    HT_MUST_USE;
/* HT_EMALFORMED, HT_ETOOBIG: *ret is then not to be used. */
enum ht_err ht_told_decode(struct ht_slice bytes, struct ht_told *ret)
    HT_MUST_USE;

#endif
