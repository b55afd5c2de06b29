/*
 * quorum.h -- whose word makes a checkpoint good (C2SP tlog-policy).
 *
 * One text file says which logs are known, which witnesses, and how many of
 * them it takes:
 *
 *   log <vkey> [url]
 *   witness <name> <vkey> [url]
 *   group <name> <k|any|all> <name>...
 *   quorum <name|none>
 *
 * Items are parted by spaces and tabs, lines end in "\n", "#" begins a line of
 * comment.  Names are bytes, and refer to lines before.  (What the catalog
 * allows is another thing: schemas/policy.h.)
 */
#ifndef HT_KEYS_QUORUM_H
#define HT_KEYS_QUORUM_H

#include "keys/cosign.h"
#include "lib/base/report.h"

/* C2SP asks for 32 of each at least; a note has no more lines than 64. */
#define HT_QUORUM_LOGS      64
#define HT_QUORUM_WITNESSES 64
#define HT_QUORUM_GROUPS    64
#define HT_QUORUM_NAME_MAX  255   /* bytes of a witness's or group's name */
#define HT_QUORUM_FILE_MAX  65536 /* 192 lines have some 30,000 */

struct ht_quorum; /* opaque, immutable */
void ht_quorum_free(struct ht_quorum **quorum_p);

/*
 * Read a policy.  Everything wrong with it goes into @report as "@file:line"
 * (both may be NULL).  Errors: HT_EINVALID; HT_ETOOBIG (the file as a whole);
 * HT_ENOMEM.
 */
enum ht_err ht_quorum_parse(const char *file, struct ht_slice text,
    struct ht_report *report, struct ht_quorum **ret) HT_MUST_USE;

/*
 * Append the policy "signed by @log, and cosigned by @k of these @n"; @k 0 is
 * `quorum none`.  A witness's name there is its key's.
 */
void ht_quorum_text(const struct ht_vkey *log, const struct ht_vkey *witnesses,
    unsigned n, unsigned k, struct ht_buf *out);

unsigned ht_quorum_logs(const struct ht_quorum *quorum);
const struct ht_vkey *ht_quorum_log(const struct ht_quorum *quorum, unsigned i);
/* The witnesses in their order; the name is the policy's word for it. */
unsigned ht_quorum_witnesses(const struct ht_quorum *quorum);
const struct ht_vkey *ht_quorum_witness(
    const struct ht_quorum *quorum, unsigned i, struct ht_slice *ret_name);

/* What a policy says of one checkpoint. */
struct ht_quorum_seen {
	struct ht_checkpoint cp;
	unsigned log;      /* which of the logs signed it */
	bool met;          /* the quorum has cosigned it */
	unsigned n_signed; /* witnesses that did, in the quorum or not */
	uint64_t time_s[HT_QUORUM_WITNESSES]; /* when; 0: it did not */
};

/*
 * Judge a checkpoint's note.  HT_OK says that a known log signed it and no
 * known key's line is false; whether that suffices is in @ret->met.  Errors:
 * HT_EMALFORMED; HT_ETOOBIG; HT_EBADSIG, also when no known log signed it
 * under its own origin.
 */
enum ht_err ht_quorum_check(const struct ht_quorum *quorum,
    struct ht_slice note, struct ht_quorum_seen *ret) HT_MUST_USE;

/* The rule alone: have these witnesses (bit i: the i-th) a quorum? */
bool ht_quorum_met(const struct ht_quorum *quorum, uint64_t witnesses);

#endif
