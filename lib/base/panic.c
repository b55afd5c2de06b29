#include "lib/base/panic.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void
ht_panic(const char *file, int line, const char *func, const char *why)
{
	fprintf(stderr, "panic: %s:%d: %s: %s\n", file, line, func, why);
	abort();
}
