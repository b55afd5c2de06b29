/*
 * lone.h -- a closed volume's file, or an archive of it, read as a log: with
 * no folder, no database and no broker.  Whatever reads a log (log.h, index.h)
 * reads it, up to the end of the volume; entries before it are HT_EGONE, and
 * so are proofs that need more of them than the volume's head has.
 */
#ifndef HT_BROKER_LOG_LONE_H
#define HT_BROKER_LOG_LONE_H

#include "broker/log/erasure.h"
#include "broker/log/log.h"

/* What a file is, by how it begins. */
enum ht_lone_kind { HT_LONE_NONE, HT_LONE_VOLUME, HT_LONE_ARCHIVE };
enum ht_lone_kind ht_lone_kind(const char *path);

/*
 * All of the file is read and checked first, but for the signature of its
 * checkpoint, which ht_log_checkpoint() has.  An archive has tags, a volume's
 * file has none.  @path is borrowed until ht_log_close().  What is wrong goes
 * to @report, which is borrowed as long.  HT_EINTEGRITY; HT_ENOTFOUND;
 * HT_ESYSTEM; HT_ENOMEM.
 */
enum ht_err ht_log_open_lone(const char *path, struct ht_report *report,
    struct ht_log **ret) HT_MUST_USE;

/*
 * Entries that have no header and only cite a request before the volume: whom
 * and what they are about is not known.  0 of a log that is not lone.
 */
uint64_t ht_log_lost(const struct ht_log *log);
/* Who has its tags; NULL: a volume's file alone, or no lone log. */
struct ht_archive *ht_log_archive(const struct ht_log *log);

/* ---- for the log's own files ---- */

struct ht_lone;
void ht_lone_free(struct ht_lone **lone_p);
/* A ht_merkle_load_fn; @arg is the struct ht_lone. */
enum ht_err ht_lone_hash(
    void *arg, unsigned level, uint64_t index, struct ht_hash *ret) HT_MUST_USE;
/* HT_ENOTFOUND: it is not in this file. */
enum ht_err ht_lone_erasure(
    struct ht_lone *lone, uint64_t by, struct ht_erasure **ret) HT_MUST_USE;

#endif
