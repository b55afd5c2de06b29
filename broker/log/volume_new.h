/*
 * volume_new.h -- a volume's file in the making: under another name, synced,
 * read back from the disk and checked whole; only then it has its name.
 */
#ifndef HT_BROKER_LOG_VOLUME_NEW_H
#define HT_BROKER_LOG_VOLUME_NEW_H

#include <stdatomic.h>

#include "broker/log/volume.h"

#define HT_VOLUME_FRESH ".new" /* behind the name of one that is not whole */

struct ht_volume_new {
	char *dir, *path, *fresh;
	int fd;
	struct ht_buf stage; /* not written yet */
	size_t unsynced;     /* bytes written since the last sync */
	struct ht_volume_writer *writer;
	bool named;
};

/*
 * In @dir, which is made if need be.  Entries go to ret->writer; what it
 * wrote stays in no file unless ht_volume_new_end() says HT_OK.  @ret is to be
 * ended by ht_volume_new_fini() in any case.
 */
enum ht_err ht_volume_new_begin(const char *dir,
    const struct ht_volume_head *head, struct ht_volume_new *ret) HT_MUST_USE;
/*
 * The checkpoint, and the name.  @vkey (NULL: not looked at) must have signed
 * it.  HT_EAGAIN: stopped; HT_EINTEGRITY: it does not read back, or hold.
 */
enum ht_err ht_volume_new_end(struct ht_volume_new *file, struct ht_slice note,
    const struct ht_vkey *vkey, const atomic_bool *stop) HT_MUST_USE;
void ht_volume_new_fini(struct ht_volume_new *file);

#endif
