/*
 * witness.h -- what a witness answers (C2SP tlog-witness v1.0.0,
 * add-checkpoint), pure: the request and the last checkpoint it cosigned go
 * in, the answer comes out.
 *
 *   "old " size "\n"
 *   base64(hash) "\n"          0 to 63: consistency from the old size
 *   "\n"
 *   the checkpoint's note
 *
 * Who keeps the state stores the checkpoint of a 200, durably, before the
 * cosignature leaves; else two requests could roll the witness back.
 */
#ifndef HT_KEYS_WITNESS_H
#define HT_KEYS_WITNESS_H

#include "keys/cosign.h"
#include "keys/merkle.h"

#define HT_WITNESS_PROOF   63
#define HT_WITNESS_REQUEST 20480 /* 63 hashes, and a note of 16 KiB */

struct ht_add_checkpoint {
	uint64_t old;
	size_t n_proof;
	struct ht_hash
	    proof[HT_PROOF_MAX]; /* as ht_prove_consistency() writes */
	struct ht_slice note;    /* in the request's bytes */
};
/* HT_EMALFORMED; HT_ETOOBIG.  The note itself is not looked at. */
enum ht_err ht_add_checkpoint_parse(
    struct ht_slice text, struct ht_add_checkpoint *ret) HT_MUST_USE;
void ht_add_checkpoint_text(
    const struct ht_add_checkpoint *add, struct ht_buf *out);

/* C2SP's answers, which are HTTP's. */
enum ht_witness_status {
	HT_WITNESS_OK = 200,
	HT_WITNESS_MALFORMED = 400, /* or old is above the checkpoint's size */
	HT_WITNESS_UNSIGNED = 403,  /* not by the log's key */
	HT_WITNESS_UNKNOWN = 404,   /* another log */
	HT_WITNESS_CONFLICT = 409,  /* old is not what was cosigned last */
	HT_WITNESS_REFUSED = 422,   /* it does not continue that */
};

struct ht_witness_verdict {
	enum ht_witness_status status;
	/* The log's key signed this checkpoint: it is kept even if refused. */
	bool signed_by_log;
	struct ht_checkpoint cp; /* when signed_by_log */
	struct ht_slice note;    /* the same, in the request's bytes */
};
/* @last: what was cosigned last; of size 0 when nothing was. */
void ht_witness_judge(const struct ht_vkey *log,
    const struct ht_checkpoint *last, struct ht_slice request,
    struct ht_witness_verdict *ret);

#endif
