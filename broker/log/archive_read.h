/*
 * archive_read.h -- an archive's members, each with the sum that its list
 * says, and what stands in them: the volume, pieces of the vault, the lists of
 * what was erased.
 */
#ifndef HT_BROKER_LOG_ARCHIVE_READ_H
#define HT_BROKER_LOG_ARCHIVE_READ_H

#include "broker/log/erasure.h"
#include "broker/log/volume.h"
#include "lib/base/report.h"

struct ht_archive;
/*
 * All of the file at @path (kept by the caller) is read, and compared with its
 * list.  What is wrong goes to @report (kept, too).  HT_EINTEGRITY;
 * HT_ENOTFOUND; HT_ESYSTEM; HT_ENOMEM.
 */
enum ht_err ht_archive_open(const char *path, struct ht_report *report,
    struct ht_archive **ret) HT_MUST_USE;
void ht_archive_close(struct ht_archive **archive_p);

/* Members but for the list, and the bytes of them. */
uint64_t ht_archive_files(const struct ht_archive *archive);
uint64_t ht_archive_bytes(const struct ht_archive *archive);
/* The name of its volume's file, below HT_ARCHIVE_DIR. */
const char *ht_archive_volume_name(const struct ht_archive *archive);
/* Errors as of ht_volume_open_file(); nothing of it is checked. */
enum ht_err ht_archive_volume(
    const struct ht_archive *archive, struct ht_volume **ret) HT_MUST_USE;
/* Which reads from the archive, and is to be closed before it. */
enum ht_err ht_archive_vault(struct ht_archive *archive,
    const uint8_t env[static HT_ENV_ID_SIZE], struct ht_vault **ret)
    HT_MUST_USE;
/* The list of ERASE entry @by.  HT_ENOTFOUND: it is not here. */
enum ht_err ht_archive_erasure(struct ht_archive *archive, uint64_t by,
    struct ht_erasure **ret) HT_MUST_USE;
/* The ERASE entry of its list number @i, from 0; false: there are not so many.
 */
bool ht_archive_list(
    const struct ht_archive *archive, size_t i, uint64_t *ret_by);
/*
 * The proof of ERASE entry @by, appended; nothing of it is checked.
 * HT_ENOTFOUND: it is not here.
 */
enum ht_err ht_archive_proof(
    struct ht_archive *archive, uint64_t by, struct ht_buf *ret) HT_MUST_USE;
#define HT_ARCHIVE_PROOF 32
void ht_archive_proof_name(uint64_t by, char out[static HT_ARCHIVE_PROOF]);
/* "FILE: NAME: WHAT" to the report; HT_EINTEGRITY. */
enum ht_err ht_archive_bad(
    struct ht_archive *archive, const char *what, const char *name);

#endif
