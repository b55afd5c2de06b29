#include "lib/base/process.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "lib/base/panic.h"

/* A leak sanitizer looks at its process from outside. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LOOKED_AT 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LOOKED_AT 1
#endif
#endif

void
ht_process_guard(void)
{
	struct rlimit none = {0, 0};

	HT_ASSERT(setrlimit(RLIMIT_CORE, &none) == 0);
#ifndef LOOKED_AT
	HT_ASSERT(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
#endif
}
