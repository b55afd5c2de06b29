/*
 * own.h -- ownership: one destructor signature, cleanup, take.
 *
 * Every destructor is `void ht_foo_free(struct ht_foo **foo_p)`: it accepts
 * NULL, frees, and leaves NULL behind.  HT_AUTO() then frees a local on every
 * way out, and HT_TAKE() hands it on.
 */
#ifndef HT_BASE_OWN_H
#define HT_BASE_OWN_H

#include <stddef.h>

#define HT_AUTO(destroy) __attribute__((cleanup(destroy)))
#define HT_TAKE(p)                                                             \
	__extension__({                                                        \
		__typeof__(&(p)) ht_take_at_ = &(p);                           \
		__typeof__(p) ht_take_val_ = *ht_take_at_;                     \
		*ht_take_at_ = NULL;                                           \
		ht_take_val_;                                                  \
	})

#define HT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* free() as a destructor, for `HT_AUTO(ht_mem_free) char *text = NULL;` */
void ht_mem_free(void *ptr_p);

/* close() as a destructor: -1 is fine, and -1 is left behind. */
void ht_fd_close(int *fd_p);

#endif
