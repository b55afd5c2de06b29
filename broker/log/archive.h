/*
 * archive.h -- the sealed archive of a volume (docs/log-format.md,
 * "Archives"): its file, the vault's segments that its entries name, the lists
 * of what was erased of them, and the SHA-256 of each, in one tar file.  Tags
 * and bodies are as the log has them: a body is sealed for its recipient.
 */
#ifndef HT_BROKER_LOG_ARCHIVE_H
#define HT_BROKER_LOG_ARCHIVE_H

#include "broker/log/archive_read.h"

#define HT_ARCHIVE_DIR  "archive/"
#define HT_ARCHIVE_SUMS "archive/SHA256SUMS" /* the last member */

/* What was found in one that holds. */
struct ht_archive_seen {
	uint64_t first, end;
	struct ht_hash root;
	uint64_t files, bytes; /* members but for the list, what they have */
	uint64_t pieces;       /* of the vault, each tag and body its entry's */
	uint64_t erased;       /* entries of which something is destroyed */
};

/* Appends the proof of an ERASE entry; HT_ENOTFOUND: none is to be had. */
struct ht_archive_prover {
	enum ht_err (*prove)(void *arg, uint64_t by, struct ht_buf *out);
	void *arg;
};
/*
 * Write the archive of the volume in the folder @dir of a log (or a copy) that
 * has entry @seq, to a new file at @path, durable when it returns; it is then
 * to be verified.  A broker may be running on the log.  @prover may be NULL.
 * What is wrong goes to @report.  HT_ENOTFOUND: no volume has it; HT_EEXISTS;
 * HT_EINTEGRITY; HT_ESYSTEM; HT_ENOMEM.
 */
enum ht_err ht_archive_write(const char *dir, uint64_t seq, const char *path,
    const struct ht_archive_prover *prover, struct ht_report *report)
    HT_MUST_USE;

/*
 * All of it, but for the proofs: the volume holds by itself, with the
 * checkpoint that @vkey signed (NULL: not looked at); each piece of the vault
 * is the one of its entry, or on the list of an erasure that is here.
 * HT_EINTEGRITY, HT_EBADSIG: the archive's report says what.
 */
enum ht_err ht_archive_check(struct ht_archive *archive,
    const struct ht_vkey *vkey, struct ht_archive_seen *ret) HT_MUST_USE;

#endif
