/*
 * tar.h -- a few files as one: POSIX ustar, which tar(1) of every Debian
 * takes apart.
 */
#ifndef HT_BROKER_LOG_TAR_H
#define HT_BROKER_LOG_TAR_H

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
/* The same in pieces: the head of a file of @len bytes, which are to follow, */
enum ht_err ht_tar_head(struct ht_buf *out, const char *name, unsigned mode,
    uint64_t time_s, uint64_t len) HT_MUST_USE;
/* and then so many zeros. */
#define HT_TAR_PAD(len)                                                        \
	((HT_TAR_BLOCK - (size_t)((len) % HT_TAR_BLOCK)) % HT_TAR_BLOCK)
/*
 * A head taken apart: the name (of at most 255 bytes, NUL-ended), and how many
 * bytes follow.  HT_ENOTFOUND: the empty block at the end; HT_EMALFORMED: it is
 * none, or of something else than a regular file, or its sum is another.
 */
#define HT_TAR_NAME 256
enum ht_err ht_tar_parse(const uint8_t block[static HT_TAR_BLOCK],
    char name[static HT_TAR_NAME], uint64_t *ret_len) HT_MUST_USE;
/* The two empty blocks at its end. */
enum ht_err ht_tar_end(struct ht_buf *out) HT_MUST_USE;

#endif
