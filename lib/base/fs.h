/*
 * fs.h -- whole small files, safely.
 */
#ifndef HT_BASE_FS_H
#define HT_BASE_FS_H

#include <sys/types.h>

#include "lib/base/bytes.h"

/*
 * Read a whole regular file into @ret (initialised with its limit in max).
 * Errors: HT_ENOTFOUND; HT_ETOOBIG; HT_ESYSTEM with errno; HT_ENOMEM.
 */
enum ht_err ht_fs_read(const char *path, struct ht_buf *ret) HT_MUST_USE;

#define HT_FS_BESIDE 6
/*
 * Make a new file, never overwriting one: temporary file, fsync, link,
 * fsync of the folder.  A crash may leave the temporary one, which has the
 * name, a dot and HT_FS_BESIDE letters and digits.  Errors: HT_EEXISTS;
 * HT_ESYSTEM with errno.
 */
enum ht_err ht_fs_create(const char *path, mode_t mode, struct ht_slice bytes)
    HT_MUST_USE;

/* The same, but replacing atomically (temporary file, fsync, rename). */
enum ht_err ht_fs_replace(const char *path, mode_t mode, struct ht_slice bytes)
    HT_MUST_USE;

/*
 * Overwrite a file with zeros, sync it, and remove it.  It must not be open
 * elsewhere.  Errors: HT_ENOTFOUND; HT_ESYSTEM with errno.
 */
enum ht_err ht_fs_shred(const char *path) HT_MUST_USE;

/* mkdir -p, and the new names are on the disk; existing folders are fine. */
enum ht_err ht_fs_mkdirs(const char *path, mode_t mode) HT_MUST_USE;
/* fsync a folder, so that a new name in it survives a power cut. */
enum ht_err ht_fs_sync_dir(const char *path) HT_MUST_USE;
/*
 * Allocate blocks of @fd from @end on, without making the file longer: for
 * what must be written when nobody else finds room.  False: there is none.  A
 * file system that cannot do it makes no difference.
 */
bool ht_fs_set_aside(int fd, uint64_t end, uint64_t bytes);
/* "dir/name" in a new string; NULL when out of memory.  Caller frees. */
char *ht_fs_join(const char *dir, const char *name);

/* Fill from getrandom(2); panics if the kernel cannot. */
void ht_random(void *out, size_t len);

#endif
