/*
 * restore.h -- hutong-broker restore: a log made of a backup, verified whole.
 */
#ifndef HT_BROKER_RESTORE_H
#define HT_BROKER_RESTORE_H

#include "broker/conf.h"

/*
 * From the folder @from into @dir (NULL: the configured one), held against the
 * checkpoint in the file @seen (NULL: none).  Says what it did on standard
 * output, what is wrong on standard error.  A `struct ht_broker_exit`:
 * HT_BROKER_INTEGRITY also if the restored log is behind what was given out.
 */
int ht_restore(const struct ht_broker_conf *conf, const char *from,
    const char *dir, const char *seen);

#endif
