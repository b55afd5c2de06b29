#include "lib/base/own.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
ht_mem_free(void *ptr_p)
{
	void *ptr, *none = NULL;

	/* By memcpy: the pointer's own type is not void *. */
	memcpy(&ptr, ptr_p, sizeof(ptr));
	memcpy(ptr_p, &none, sizeof(none));
	free(ptr);
}

void
ht_fd_close(int *fd_p)
{
	int fd = *fd_p;

	if (fd < 0)
		return;
	*fd_p = -1;
	(void)close(fd); /* what must be durable was fsynced before */
}
