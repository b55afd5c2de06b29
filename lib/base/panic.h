/*
 * panic.h -- assertions that stay in release builds.
 *
 * They guard against our own mistakes only.  Input, from a peer, a file, a
 * database or a person, is never asserted on: it ends in an error.
 */
#ifndef HT_BASE_PANIC_H
#define HT_BASE_PANIC_H

/* A dead broker is restarted; a wrong one leaks data. */
_Noreturn void ht_panic(
    const char *file, int line, const char *func, const char *why);

#define HT_ASSERT(cond)                                                        \
	((cond) ? (void)0 : ht_panic(__FILE__, __LINE__, __func__, #cond))
#define HT_NEVER(why) ht_panic(__FILE__, __LINE__, __func__, (why))

#endif
