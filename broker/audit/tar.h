/*
 * tar.h -- a few files as one: POSIX ustar, which tar(1) of every Debian
 * takes apart.
 */
#ifndef HT_BROKER_AUDIT_TAR_H
#define HT_BROKER_AUDIT_TAR_H

#include "lib/base/bytes.h"

#define HT_TAR_BLOCK 512

/*
 * Append a regular file: of nobody, so that the same files give the same
 * bytes.  Errors: HT_EINVALID for a name that ustar cannot hold (255 bytes,
 * with a "/" after at most 155 and before at most 100 of them) or that leads
 * out of the folder it is unpacked in; what is in out->err.
 */
enum ht_err ht_tar_add(struct ht_buf *out, const char *name, unsigned mode,
    uint64_t time_s, struct ht_slice bytes) HT_MUST_USE;
/* The two empty blocks at its end. */
enum ht_err ht_tar_end(struct ht_buf *out) HT_MUST_USE;

#endif
