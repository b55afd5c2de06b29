/*
 * process.h -- what a process that holds secrets must not leave behind.
 */
#ifndef HT_BASE_PROCESS_H
#define HT_BASE_PROCESS_H

/*
 * No core dump, and no other process of the same user may look into the
 * memory: keys stand in guarded pages, but what was opened with them does not.
 * Every program's main() calls it first; exec undoes half of it, so children
 * call it too.
 */
void ht_process_guard(void);

#endif
